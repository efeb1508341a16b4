/* classifier_train.c: a classifier from labelled texts. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "heed/ops.h"
#include "heed/train.h"
#include "tasks/classifier.h"

typedef struct training {
    heed_classifier *c;
    heed_classify_cfg cfg; /* with the defaults filled in */
    heed_encoded texts;
    int32_t *right; /* [len] label numbers */
    int64_t *order; /* [len] */
    heed_optim *opt;
    double start, told; /* seconds */
    double loss;        /* a running mean for the eye */
    int64_t step;
    heed_error *err;
} training;

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static heed_classify_cfg defaults(const heed_classify_cfg *given) {
    heed_classify_cfg c = *given;
    if (!c.vocab) c.vocab = 10000;
    if (!c.max_len) c.max_len = 128;
    if (!c.epochs) c.epochs = 15;
    if (!c.batch) c.batch = 64;
    if (c.lr == 0) c.lr = 0.002;
    if (c.dropout == 0) c.dropout = 0.3;
    if (c.dropout < 0) c.dropout = 0;
    return c;
}

static int check(const heed_examples *data, const heed_classify_cfg *c, heed_error *err) {
    if (data->len < 1) return heed__error(err, HEED_EINVALID, "train: there are no texts");
    if (c->vocab < 3 || c->max_len < 1 || c->epochs < 1 || c->batch < 1)
        return heed__error(err, HEED_EINVALID,
                           "train: vocab, max_len, epochs and batch must be positive");
    if (c->max_len > HEED_CLASSIFIER_MAX_LEN || c->epochs > HEED_CLASSIFIER_MAX_EPOCHS)
        return heed__error(err, HEED_EINVALID, "train: max_len is at most %d, epochs %d",
                           HEED_CLASSIFIER_MAX_LEN, HEED_CLASSIFIER_MAX_EPOCHS);
    if (!(c->lr > 0) || !(c->dropout < 1))
        return heed__error(err, HEED_EINVALID, "train: lr must be above 0 and dropout below 1");
    if (!data->text || !data->label)
        return heed__error(err, HEED_EINVALID, "train: texts and labels are both needed");
    for (int64_t i = 0; i < data->len; i++)
        if (!data->text[i] || !data->label[i])
            return heed__error(err, HEED_EINVALID, "train: text %lld or its label is NULL",
                               (long long)i);
        else if (!heed__label_is_plain(data->label[i]))
            return heed__error(err, HEED_EINVALID,
                               "train: label %lld is not UTF-8, or holds a control character",
                               (long long)i);
    return 0;
}

static int by_bytes(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The labels in the order of their bytes, each once. */
static int collect_labels(heed_classifier *c, const heed_examples *data, heed_error *err) {
    const char **all = heed__calloc(&c->hooks, (size_t)data->len, sizeof *all);
    c->label = heed__calloc(&c->hooks, (size_t)data->len, sizeof *c->label);
    int rc = all && c->label ? 0 : HEED_ENOMEM;
    if (rc == 0) {
        memcpy(all, data->label, (size_t)data->len * sizeof *all);
        qsort(all, (size_t)data->len, sizeof *all, by_bytes);
    }
    for (int64_t i = 0; rc == 0 && i < data->len; i++) {
        if (i && strcmp(all[i], all[i - 1]) == 0) continue;
        c->label[c->labels] = heed__strdup(&c->hooks, all[i]);
        rc = c->label[c->labels] ? 0 : HEED_ENOMEM;
        if (rc == 0) c->labels++;
    }
    heed__free(&c->hooks, all);
    if (rc) return heed__error(err, rc, "labels: out of memory");
    if (c->labels < 2)
        return heed__error(err, HEED_EINVALID,
                           "train: all texts have the label '%.60s'; a second one is needed",
                           c->label[0]);
    if (c->labels > HEED_CLASSIFIER_MAX_LABELS)
        return heed__error(err, HEED_EINVALID, "train: %lld labels, but %d are possible",
                           (long long)c->labels, HEED_CLASSIFIER_MAX_LABELS);
    return 0;
}

static int prepare(training *t, const heed_examples *data) {
    heed_classifier *c = t->c;
    int rc = collect_labels(c, data, t->err);
    if (rc) return rc;
    c->vocab = heed__vocab_of(data->len, data->text, t->cfg.vocab, &c->hooks, t->err);
    if (!c->vocab) return HEED_ENOMEM;
    c->max_len = t->cfg.max_len;
    c->epochs = t->cfg.epochs;
    const heed_model_cfg m = {
        .dim = t->cfg.embed ? t->cfg.embed : 64,
        .hidden = t->cfg.hidden ? t->cfg.hidden : 64,
        .heads = t->cfg.heads ? t->cfg.heads : 4,
        .dense = t->cfg.dense,
        .dropout = t->cfg.dropout,
    };
    rc = heed__classifier_build(c, m, t->err);
    if (rc == 0) rc = heed__encode(&t->texts, c->vocab, data, c->max_len, &c->hooks, t->err);
    if (rc) return rc;
    t->right = heed__calloc(&c->hooks, (size_t)data->len, sizeof *t->right);
    t->order = heed__calloc(&c->hooks, (size_t)data->len, sizeof *t->order);
    if (!t->right || !t->order) return heed__error(t->err, HEED_ENOMEM, "train: out of memory");
    for (int64_t i = 0; i < data->len; i++) t->right[i] = heed__classifier_find(c, data->label[i]);
    const int64_t steps = (data->len + t->cfg.batch - 1) / t->cfg.batch * t->cfg.epochs;
    const heed_optim_cfg adam = {
        .kind = HEED_ADAM,
        .lr = (float)t->cfg.lr,
        .clip = 1,
        .schedule = { .kind = t->cfg.constant_lr ? HEED_CONSTANT : HEED_COSINE,
                      .total = steps,
                      .least = 0.1f },
    };
    t->opt = heed_optim_new(c->cx, c->ps, &adam, t->err);
    return t->opt ? 0 : t->err->code;
}

static void tell(training *t, int64_t epoch, int64_t at, double loss, bool now) {
    const heed_hooks *h = &t->c->hooks;
    t->loss = t->step == 1 ? loss : 0.98 * t->loss + 0.02 * loss;
    const double clock = seconds();
    if (!h->progress || (!now && clock - t->told < 0.1)) return;
    t->told = clock;
    const int64_t total = t->texts.len * t->cfg.epochs, done = (epoch - 1) * t->texts.len + at;
    const double rate = (double)done / (clock - t->start + 1e-9);
    const heed_progress p = { .what = "train",
                              .done = done,
                              .total = total,
                              .unit = "texts",
                              .epoch = epoch,
                              .epochs = t->cfg.epochs,
                              .rate = rate,
                              .seconds_left = (double)(total - done) / (rate + 1e-9),
                              .loss = t->loss };
    h->progress(h->user, &p);
}

/* The loss of one batch, order[at .. at+n), and its gradients. 0 or a status. */
static int backward(training *t, int64_t at, int64_t n, double *loss) {
    heed_classifier *c = t->c;
    heed_tensor *ids, *lengths;
    heed__batch(c->cx, &t->texts, t->order + at, n, &ids, &lengths);
    heed_tensor *right = ids ? heed_new(c->cx, HEED_I32, 1, &n) : NULL;
    for (int64_t i = 0; right && i < n; i++) HEED_I32_DATA(right)[i] = t->right[t->order[at + i]];
    heed_tensor *z = heed_classic_apply(c->cx, &c->model, ids, lengths, NULL);
    heed_tensor *l = heed_cross_entropy(c->cx, z, right, NULL);
    *loss = (double)heed_item(l);
    const int rc = heed_backward(c->cx, l);
    if (rc == 0) return 0;
    return heed__error(t->err, rc, "%s",
                       heed_ctx_error(c->cx) ? heed_ctx_error(c->cx)->msg : "train: failed");
}

/* Goes through the largest step that there can be, the longest text in every row, without learning
 * from it: memory that is short is short before the work, none is asked for later, and the progress
 * hook is told how much all of it takes. 0 or a status. */
static int rehearse(training *t) {
    heed_classifier *c = t->c;
    const heed_hooks *h = &c->hooks;
    const int64_t n = t->texts.len, *start = t->texts.start;
    int64_t longest = 0;
    double loss;
    for (int64_t i = 1; i < n; i++)
        if (start[i + 1] - start[i] > start[longest + 1] - start[longest]) longest = i;
    for (int64_t i = 0; i < t->cfg.batch; i++) t->order[i] = longest;
    const uint64_t step = heed_ctx_step(c->cx);
    const int rc = backward(t, 0, t->cfg.batch, &loss);
    const size_t activations = heed_ctx_used(c->cx);
    heed_ctx_reset(c->cx);
    heed_ctx_set_step(c->cx, step);
    heed_params_zero_grad(c->ps);
    if (rc || !h->progress) return rc;
    const int64_t weights = heed_params_len(c->ps) * (int64_t)sizeof(float);
    const int64_t texts = start[n] * (int64_t)sizeof(int32_t) + n * 20;
    const heed_progress p = { .what = "memory",
                              .total = 4 * weights + texts + (int64_t)activations,
                              .unit = "bytes",
                              .seconds_left = -1,
                              .loss = (double)NAN };
    h->progress(h->user, &p); /* weights, gradients, two moments */
    return 0;
}

/* One batch: order[at .. at+n). */
static int step(training *t, int64_t at, int64_t n, double *loss) {
    heed_classifier *c = t->c;
    int rc = backward(t, at, n, loss);
    if (rc == 0) rc = heed_optim_step(t->opt);
    if (rc && t->err->code == 0) rc = heed__error(t->err, rc, "%s", heed_optim_error(t->opt)->msg);
    t->step++;
    heed_ctx_reset(c->cx);
    return rc;
}

static int run(training *t) {
    const heed_hooks *h = &t->c->hooks;
    const int64_t n = t->texts.len, batch = t->cfg.batch;
    heed_ctx_set_train(t->c->cx, true);
    const int short_of_memory = rehearse(t);
    if (short_of_memory) return short_of_memory;
    t->start = seconds();
    for (int64_t epoch = 1; epoch <= t->cfg.epochs; epoch++) {
        heed__epoch_order(&t->texts, t->cfg.seed, epoch, batch, t->order);
        for (int64_t at = 0; at < n; at += batch) {
            double loss = 0;
            const int64_t m = n - at < batch ? n - at : batch;
            const int rc = step(t, at, m, &loss);
            if (rc) return rc;
            tell(t, epoch, at + m, loss, epoch == t->cfg.epochs && at + m == n);
            if (h->cancel && h->cancel(h->user))
                return heed__error(t->err, HEED_ECANCELLED,
                                   "train: stopped in epoch %lld; nothing was saved",
                                   (long long)epoch);
        }
    }
    heed_ctx_set_train(t->c->cx, false);
    return 0;
}

heed_classifier *heed_classifier_train(const heed_examples *data, const heed_classify_cfg *given,
                                       heed_error *err) {
    heed_error own = { 0 };
    training t = { .cfg = defaults(given), .err = err ? err : &own };
    *t.err = (heed_error){ 0 };
    if (check(data, &t.cfg, t.err)) return NULL;
    if (t.cfg.batch > data->len) t.cfg.batch = data->len;
    t.c = heed__classifier_new(t.cfg.isa, t.cfg.threads, t.cfg.seed, t.cfg.hooks, t.err);
    if (!t.c) return NULL;
    heed_ctx_set_precision(t.c->cx, t.cfg.precision);
    int rc = prepare(&t, data);
    if (rc == 0) rc = run(&t);
    heed_optim_free(t.opt);
    heed__encoded_free(&t.texts);
    heed__free(&t.c->hooks, t.right);
    heed__free(&t.c->hooks, t.order);
    if (rc == 0) return t.c;
    heed_classifier_close(t.c);
    return NULL;
}
