/* classifier_train.c: a classifier from labelled texts: data checked, split and encoded, body and
 * head made, the trainer (trainer.h) run. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "base/text.h"
#include "heed/ops.h"
#include "models/parts.h"
#include "tasks/classifier_data.h"
#include "tasks/metrics_kinds.h"
#include "tasks/origin.h"
#include "tasks/range.h"
#include "tasks/word_vectors.h"
#include "tensor/ctx.h"
#include "tensor/params.h"

typedef struct training {
    heed_classifier *c;
    const heed_examples *data;
    heed_classify_cfg cfg;
    heed_body_cfg body;
    heed_fit_cfg fit;
    const heed_body_kind *kind;
    heed_origin origin;           /* cfg.from */
    bool whole;                   /* its body is taken as it is */
    bool same_labels, same_array; /* likewise its head, and what it reads beside texts */
    heed_part learn, held;
    bool spare; /* held has only what the weight of evidence is measured on */
    heed_goal goal;
    heed_tensor *penalty; /* of this step's attention, or NULL */
    float *weight;        /* [K] or NULL */
    heed_span *span;      /* [batch] */
    heed_span *second;    /* [batch] of the second texts */
    char settings[256];
    heed_error *err;
} training;

/* -- settings --------------------------------------------------------------------------------- */

/* What the recipe has its own value for, where none is said. */
static void own_values(training *t) {
    heed_classify_cfg *c = &t->cfg;
    t->kind->defaults(&t->body, &t->fit);
    if (c->label_smoothing == 0) c->label_smoothing = t->kind->smoothing;
    if (c->label_smoothing < 0) c->label_smoothing = 0;
    if (t->body.dropout < 0) t->body.dropout = 0;
}

/* What is said by a name. */
static int find_names(training *t) {
    const heed_classify_cfg *c = &t->cfg;
    if (!heed__position_of(c->position, &t->body.position))
        return heed__error(t->err, HEED_EINVALID,
                           "train: no positions '%.40s'; there are sinusoidal, learned, rotary, "
                           "alibi, t5, none",
                           c->position);
    if (!heed__adversary_find(c->adversary, &t->fit.adversary))
        return heed__error(t->err, HEED_EINVALID,
                           "train: no adversary '%.40s'; there are fgm, freelb", c->adversary);
    if (!heed__pooling_of(c->pooling, &t->body.pooling))
        return heed__error(t->err, HEED_EINVALID,
                           "train: no pooling '%.40s'; there are mean, max, cls, attention",
                           c->pooling);
    return 0;
}

/* The model to start from, where there is one. */
static int fill_in_origin(training *t) {
    const heed_classify_cfg *c = &t->cfg;
    if (!c->from) return 0;
    if (c->vectors)
        return heed__error(t->err, HEED_EUNSUPPORTED, "train: from and vectors go one at a time");
    if (heed__origin_settle(&t->origin, t->kind, &t->body, &t->whole, t->err)) return t->err->code;
    if (c->freeze && !t->whole)
        return heed__error(t->err, HEED_EUNSUPPORTED,
                           "%s: freeze needs a model of the same recipe to start from: what is "
                           "not taken must be learnt",
                           c->from);
    return 0;
}

static int fill_in(training *t) {
    heed_classify_cfg *c = &t->cfg;
    const char *recipe = c->recipe ? c->recipe : "attend";
    if (c->from) {
        if (heed__origin_open(&t->origin, c->from, c->hooks, t->err)) return t->err->code;
        if (!c->recipe) recipe = t->origin.recipe;
    }
    t->kind = heed__body_kind_find(recipe);
    if (!t->kind)
        return heed__error(t->err, HEED_EINVALID, "train: there is no recipe '%.40s'", recipe);
    t->body = (heed_body_cfg){ .vocab = c->vocab,
                               .max_len = c->max_len,
                               .keep = c->keep,
                               .embed = c->embed,
                               .hidden = c->hidden,
                               .heads = c->heads,
                               .layers = c->layers,
                               .ff = c->ff,
                               .bidirectional = c->bidirectional,
                               .attention = c->attention,
                               .kv_heads = c->kv_heads,
                               .share_layers = c->share_layers,
                               .no_attention = c->no_attention,
                               .deviation = c->deviation,
                               .remember = c->remember,
                               .no_marks = c->no_marks,
                               .dropout = c->dropout,
                               .tokenizer = c->tokenizer,
                               .seed = c->seed };
    for (int64_t i = 0; i < t->data->len; i++) t->body.bytes += (int64_t)strlen(t->data->text[i]);
    t->fit = (heed_fit_cfg){ .epochs = c->epochs,
                             .batch = c->batch,
                             .optimizer = c->optimizer,
                             .schedule = c->constant_lr ? "constant" : c->schedule,
                             .optim = { .lr = (float)c->lr,
                                        .clip = (float)c->clip,
                                        .weight_decay = (float)c->weight_decay,
                                        .ema = (float)c->ema },
                             .warmup = c->warmup,
                             .patience = c->patience,
                             .seconds = c->seconds,
                             .adversary_size = c->adversary_size,
                             .seed = c->seed,
                             .run = c->run,
                             .resume = c->resume,
                             .begin = t->fit.begin,
                             .hooks = c->hooks };
    if (c->vectors && !c->embed) {
        t->body.embed = heed__word_vectors_dim(c->vectors, c->hooks, t->err);
        if (t->body.embed < 0) return (int)t->body.embed;
    }
    if (fill_in_origin(t)) return t->err->code;
    own_values(t);
    return find_names(t);
}

/* The kind of attention that was chosen: whether the recipe has the choice. */
static int check_attention(const training *t) {
    const heed_classify_cfg *c = &t->cfg;
    const heed_attention_choice *a = &c->attention;
    const bool chosen = a->score || a->weights || a->topk || a->temperature > 0 ||
                        a->learn_temperature || a->score_std || a->window || a->truncate ||
                        a->penalty || c->kv_heads;
    if (chosen && (!t->kind->chooses || c->no_attention))
        return heed__error(t->err, HEED_EUNSUPPORTED,
                           "train: %s has no choice of attention's kind; the recipes classic and "
                           "encoder have one",
                           c->no_attention ? "a model without attention" : t->kind->name);
    if (c->share_layers && !t->kind->hidden_unit)
        return heed__error(t->err, HEED_EUNSUPPORTED,
                           "train: only the recipe encoder has layers to share");
    if (a->weights == HEED_WEIGHTS_REINFORCE)
        return heed__error(t->err, HEED_EUNSUPPORTED,
                           "train: weights drawn by chance (reinforce) need a loss of their own; "
                           "hard and gumbel learn with any");
    const heed_bound own[] = {
        { "topk", a->topk, 0, INT32_MAX },
        { "window", a->window, 0, INT32_MAX },
        { "truncate", a->truncate, 0, INT32_MAX },
        { NULL, 0, 0, 0 },
    };
    const heed_range ranges[] = {
        { "temperature", a->temperature != 0 ? a->temperature : 1, HEED_FROM_TO,
          .least = HEED_LEAST_TEMPERATURE, .most = HEED_MOST_TEMPERATURE },
        { "penalty_weight", a->penalty_weight, HEED_FROM_TO, .least = 0, .most = HEED_BODY_MOST },
        { .name = NULL },
    };
    const int rc = heed__ranges_check(ranges, t->err);
    return rc ? rc : heed__bounds_check(own, t->err);
}

static bool is_robust(const heed_classify_cfg *c) {
    return c->loss && strcmp(c->loss, "huber") == 0;
}

static int check(const training *t) {
    const heed_classify_cfg *c = &t->cfg;
    heed_error *err = t->err;
    const heed_bound own[] = {
        { "kv_heads", c->kv_heads, 0, 65536 },
        { "dense", c->dense, 0, INT32_MAX },
        { "keep", (int64_t)c->keep, 0, HEED_KEEP_HEAD },
        { "precision", (int64_t)c->precision, 0, HEED_PRECISION_BF16 },
        { "pretrain_epochs", c->pretrain_epochs, 0, HEED_FIT_MAX_EPOCHS },
        { NULL, 0, 0, 0 },
    };
    const heed_range ranges[] = {
        { "lr", c->lr != 0 ? c->lr : 1, HEED_FROM_TO, .least = HEED_LEAST_RATE,
          .most = HEED_MOST_RATE },
        { "warmup", c->warmup, HEED_FROM_BELOW, .least = 0, .most = 1 },
        { "clip", c->clip, HEED_FROM_TO, .least = -HEED_MOST_RATE, .most = HEED_MOST_RATE },
        { "weight_decay", c->weight_decay, HEED_FROM_TO, .least = 0, .most = HEED_MOST_RATE },
        { "ema", c->ema, HEED_FROM_BELOW, .least = 0, .most = HEED_NEARLY_ONE },
        { "valid_part", c->valid_part, HEED_FROM_BELOW, .least = 0, .most = 1 },
        { "label_smoothing", c->label_smoothing, HEED_FROM_BELOW, .least = 0, .most = 1 },
        { "adversary_size", c->adversary_size, HEED_FROM_TO, .least = 0, .most = HEED_BODY_MOST },
        { .name = NULL },
    };
    int rc = heed__body_check(&t->body, &t->fit, err);
    if (rc == 0) rc = heed__bounds_check(own, err);
    if (rc == 0) rc = heed__ranges_check(ranges, err);
    if (rc) return rc;
    if (c->valid && !c->valid->text2 != !t->data->text2)
        return heed__error(err, HEED_EINVALID,
                           c->valid->text2 ? "train: the held-out data are pairs, the others not"
                                           : "train: the held-out data are no pairs");
    if (t->data->array && t->data->text2)
        return heed__error(err, HEED_EINVALID, "train: features stand beside single texts");
    if (c->pretrain && heed__lacks_any(c->pretrain->text, c->pretrain->len, "train", "text", err))
        return HEED_EINVALID;
    if (c->context && !t->data->text2)
        return heed__error(err, HEED_EINVALID, "train: a context needs its texts");
    if (c->loss && !is_robust(c) && strcmp(c->loss, "squared") != 0)
        return heed__error(err, HEED_EINVALID,
                           "train: there is no loss '%.40s' for scores; there are squared, huber",
                           c->loss);
    if (c->loss && c->target != HEED_TARGET_SCORE)
        return heed__error(err, HEED_EUNSUPPORTED, "train: the loss %.40s is for scores", c->loss);
    if (c->balanced && c->target == HEED_TARGET_SCORE)
        return heed__error(err, HEED_EUNSUPPORTED, "train: balanced weights go with labels");
    return 0;
}

/* -- making ----------------------------------------------------------------------------------- */

/* The body of the model to start from, in place of one that is learnt. */
static int take_body(training *t) {
    heed_classifier *c = t->c;
    heed_head_cfg head;
    heed_classifier *old = heed__origin_move(&t->origin, c, &head, t->err);
    if (!old) return t->err->code;
    if (!t->cfg.max_len) t->body.max_len = old->max_len;
    const int rc = heed__body_reach(c->body, t->body.max_len, t->err);
    t->same_array = old->beside.in > 0 && t->data->array && t->data->array->dim == old->beside.in &&
                    t->data->array->sequence == old->beside.sequence;
    t->same_labels = !t->origin.embedder && old->labels == c->labels &&
                     head.target == t->cfg.target;
    for (int64_t i = 0; t->same_labels && i < c->labels; i++)
        t->same_labels = strcmp(old->label[i], c->label[i]) == 0;
    heed_classifier_close(old);
    return rc;
}

static int make_body(training *t) {
    if (t->whole) return take_body(t);
    t->c->body = heed__body_new(t->kind, &t->body, t->c->ps, &t->c->hooks, t->err);
    if (!t->c->body) return HEED_ENOMEM;
    heed_texts x;
    const int rc = heed__all_texts(t->c, &t->learn, t->cfg.pretrain, &x, t->err);
    if (rc) return rc;
    int learnt = t->kind->learn(t->c->body, &x, t->err);
    if (learnt == 0 && t->cfg.from) learnt = heed__origin_give(&t->origin, t->c->body, &x, t->err);
    heed__free(&t->c->hooks, (void *)x.text);
    if (learnt == 0 && t->cfg.vectors)
        return heed__word_vectors_take(t->c->body, t->cfg.vectors, t->cfg.hooks, t->err);
    return learnt;
}

/* Mean and standard deviation of the scores: the head learns numbers near 0 and 1. */
static void measure_scores(const heed_part *p, heed_head_cfg *head) {
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < p->x.len; i++) sum += p->score[i] / (double)p->x.len;
    for (int64_t i = 0; i < p->x.len; i++)
        squares += (p->score[i] - sum) * (p->score[i] - sum) / (double)p->x.len;
    head->mean = sum;
    head->spread = heed__scores_differ(sqrt(squares), sum) ? sqrt(squares) : 1;
}

static int by_value(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The same by medians, which a few gross errors do not move: the median, and 1.4826 times that of
 * the distances from it, which is the deviation of what is normal (Hampel 1974). Where more than
 * half of the scores are one, their mean distance. 0 or a status. */
static int measure_robustly(const training *t, heed_head_cfg *head) {
    static const double NORMAL = 1.4826, DELTA = 1.345; /* 95 % of the efficiency of squares */
    const heed_part *p = &t->learn;
    const int64_t n = p->x.len;
    double *x = heed__calloc(&t->c->hooks, (size_t)n, sizeof *x), sum = 0;
    if (!x) return heed__error(t->err, HEED_ENOMEM, "train: out of memory");
    memcpy(x, p->score, (size_t)n * sizeof *x);
    qsort(x, (size_t)n, sizeof *x, by_value);
    head->mean = x[(n - 1) / 2] / 2 + x[n / 2] / 2;
    for (int64_t i = 0; i < n; i++) {
        x[i] = fabs(p->score[i] - head->mean);
        sum += x[i] / (double)n;
    }
    qsort(x, (size_t)n, sizeof *x, by_value);
    head->spread = NORMAL * (x[(n - 1) / 2] / 2 + x[n / 2] / 2);
    if (!heed__scores_differ(head->spread, head->mean))
        head->spread = heed__scores_differ(sum, head->mean) ? sum : 1;
    head->huber = DELTA;
    heed__free(&t->c->hooks, x);
    return 0;
}

static int make_head(training *t) {
    heed_classifier *c = t->c;
    heed_head_cfg head = { .target = t->cfg.target,
                           .pairs = t->learn.x.text2 != NULL,
                           .attends = t->cfg.context,
                           .classes = t->cfg.target == HEED_TARGET_SCORE ? 1 : c->labels,
                           .dense = t->cfg.dense,
                           .dropout = t->body.dropout };
    if (head.target == HEED_TARGET_SCORE) measure_scores(&t->learn, &head);
    if (is_robust(&t->cfg) && measure_robustly(t, &head)) return t->err->code;
    c->context = (heed_context){ .in = t->cfg.context, .dropout = t->body.dropout };
    if (heed__context_init(&c->context, c->ps, c->body, t->err)) return t->err->code;
    return heed__head_init(&c->head, c->ps, &head, heed__classifier_dim(c), t->err);
}

static int check_held_array(const training *t) {
    const heed_examples *x = &t->held.x;
    return x->len ? heed__beside_check(&t->c->beside, x->array, x->len, t->err) : 0;
}

/* The layer of the numbers beside the texts, where there are any. */
static int make_beside(training *t) {
    const heed_array *x = t->learn.x.array;
    heed_beside *b = &t->c->beside;
    if (!x) return check_held_array(t);
    *b = (heed_beside){ .in = x->dim, .sequence = x->sequence, .dropout = t->body.dropout };
    const int rc = heed__beside_init(b, t->c->ps, t->err);
    if (rc) return rc;
    bool taken = false;
    if (t->same_array)
        if (heed__origin_take(&t->origin, t->c->ps, HEED_ORIGIN_ARRAY, &taken, t->err))
            return t->err->code;
    if (!taken) heed__beside_measure(b, x, t->learn.x.len);
    t->c->no_texts = true;
    for (int64_t i = 0; t->c->no_texts && i < t->data->len; i++)
        t->c->no_texts = !*t->data->text[i];
    return check_held_array(t);
}

/* N / (K · n_k) for each label, N all labels of all texts; a label of held-out examples alone has
 * weight 0. Of several labels it is what having one weighs; not having it weighs 1. */
static int balance(training *t) {
    heed_classifier *c = t->c;
    t->weight = heed__calloc(&c->hooks, (size_t)c->labels, sizeof *t->weight);
    if (!t->weight) return heed__error(t->err, HEED_ENOMEM, "train: out of memory");
    const int64_t *start = t->learn.label_start, n = start ? start[t->learn.x.len] : t->learn.x.len;
    for (int64_t i = 0; i < n; i++) t->weight[t->learn.label[i]]++;
    for (int64_t k = 0; k < c->labels; k++)
        if (t->weight[k] > 0)
            t->weight[k] = (float)((double)n / ((double)c->labels * (double)t->weight[k]));
    return 0;
}

/* What is measured on fewer texts says little; of more the default does as well in less time. */
enum { LEAST_HELD = 500, MOST_LEARNT = 200000 };

/* The part of the texts that the head does not learn from where none is held out, so that its
 * weight beside the evidence can be measured: a twentieth, 2000 at most, where there are many. */
static double spare_part(const training *t) {
    const heed_classify_cfg *c = &t->cfg;
    const int64_t n = t->data->len, few = 200 * (t->c->labels > 1 ? t->c->labels : 1);
    if (c->valid_part > 0 || c->valid || c->target != HEED_TARGET_LABEL || t->data->text2 ||
        !t->kind->gain || c->no_evidence || n < 20 * LEAST_HELD || n > MOST_LEARNT || n < few)
        return 0;
    return n > 40000 ? 2000 / (double)n : 0.05;
}

/* Whether what is held out is enough to measure by. */
static bool measures(const training *t) {
    return t->held.x.len >= LEAST_HELD && t->learn.x.len <= MOST_LEARNT &&
           t->cfg.target == HEED_TARGET_LABEL && t->kind->gain && !t->cfg.no_evidence &&
           !t->c->head.cfg.pairs;
}

/* What the body has from the labels at once. */
static int fit_body(training *t) {
    heed_classifier *c = t->c;
    if (!c->body->kind->fit) return 0;
    const bool none = t->cfg.no_evidence || c->head.cfg.pairs || t->cfg.target == HEED_TARGET_SCORE;
    const heed_body_goal goal = { .classes = none ? 0 : c->labels,
                                  .label = t->learn.label,
                                  .label_start = t->learn.label_start,
                                  .seed = t->cfg.seed,
                                  .check = measures(t) ? &t->held.in.rows : NULL,
                                  .check_label = t->held.label };
    return c->body->kind->fit(c->cx, c->body, &t->learn.in.rows, &goal, t->err);
}

static int prepare(training *t) {
    heed_classifier *c = t->c;
    bool taken = false;
    int rc = make_body(t);
    c->max_len = t->body.max_len;
    c->keep = t->cfg.keep;
    c->windows = t->cfg.windows;
    c->hierarchy = t->cfg.hierarchy;
    c->epochs = t->fit.epochs;
    if (rc == 0 && t->cfg.pretrain)
        rc = heed__classifier_pretrain(c, &t->learn, &t->cfg, &t->fit, t->err);
    if (rc == 0) rc = make_beside(t);
    if (rc == 0) rc = make_head(t);
    if (rc == 0 && t->same_labels)
        rc = heed__origin_take(&t->origin, c->ps, HEED_ORIGIN_HEAD, &taken, t->err);
    if (rc == 0 && t->whole)
        heed__origin_tell(&t->origin, taken ? ", the head too" : "; the head begins anew");
    if (rc == 0) rc = heed__part_encode(c, &t->learn, t->err);
    if (rc == 0 && t->held.x.len) rc = heed__part_encode(c, &t->held, t->err);
    if (rc == 0 && t->cfg.balanced) rc = balance(t);
    if (rc == 0) rc = fit_body(t);
    if (rc) return rc;
    c->batch = t->fit.batch < HEED_ANSWERED ? t->fit.batch : HEED_ANSWERED;
    t->span = heed__calloc(&c->hooks, (size_t)t->fit.batch, sizeof *t->span);
    t->second = heed__calloc(&c->hooks, (size_t)t->fit.batch, sizeof *t->second);
    if (!t->span || !t->second) return heed__error(t->err, HEED_ENOMEM, "train: out of memory");
    for (int64_t i = 0; t->cfg.freeze && i < heed_params_count(c->ps); i++) {
        const char *name = heed_params_at(c->ps, i)->name;
        if (!heed__is_head(name)) heed_params_set_trainable(c->ps, name, false);
    }
    t->goal = (heed_goal){ .label = t->learn.label,
                           .label_start = t->learn.label_start,
                           .score = t->learn.score,
                           .weight = t->weight,
                           .smoothing = t->cfg.label_smoothing };
    return 0;
}

/* -- what the trainer asks -------------------------------------------------------------------- */

/* Vectors of the texts item[0..n): of each its row, or a window drawn by this step. */
static heed_tensor *vectors(training *t, const heed_rows *rows, const int64_t *item, int64_t n) {
    heed_classifier *c = t->c;
    for (int64_t i = 0; i < n; i++) {
        const int64_t windows = heed__windows(c, rows, item[i]);
        uint32_t drawn[4] = { 0 };
        if (windows > 1)
            heed_philox(t->cfg.seed, 0x77696e646f77u + (uint64_t)item[i], heed_ctx_step(c->cx),
                        drawn);
        t->span[i] = heed__window(c, rows, item[i], (int64_t)(drawn[0] % (uint64_t)windows));
    }
    heed_body_call call = { .want_weights = false };
    heed_tensor *y = c->body->kind->apply(c->cx, c->body, rows, t->span, n, &call);
    if (call.penalty)
        t->penalty = t->penalty ? heed_add(c->cx, t->penalty, call.penalty) : call.penalty;
    return y;
}

/* The vectors y of the texts, which t->span says, with what their passages tell. */
static heed_tensor *attend_to(training *t, const int64_t *item, int64_t n, heed_tensor *y) {
    heed_classifier *c = t->c;
    const heed_context_call x = { &t->learn.in.rows, &t->learn.in.rows2, t->span, t->second, n };
    for (int64_t i = 0; i < n; i++) t->second[i] = heed__window(c, x.rows2, item[i], 0);
    return heed__context_join(c->cx, &c->context, c->body, &x, y);
}

static heed_tensor *loss(void *self, const int64_t *item, int64_t n) {
    training *t = self;
    heed_classifier *c = t->c;
    t->penalty = NULL;
    heed_tensor *y = vectors(t, &t->learn.in.rows, item, n), *y2 = NULL;
    y = heed__beside_join(c->cx, &c->beside, &t->learn.array, item, y);
    if (c->context.in)
        y = attend_to(t, item, n, y);
    else if (c->head.cfg.pairs)
        y2 = vectors(t, &t->learn.in.rows2, item, n);
    heed_tensor *wrong = heed__head_loss(c->cx, &c->head, heed__head_apply(c->cx, &c->head, y, y2),
                                         &t->goal, item);
    return t->penalty ? heed_add(c->cx, wrong, t->penalty) : wrong;
}

static int score(void *self, heed_score *s, heed_error *err) {
    training *t = self;
    return heed__part_score(t->c, &t->held, s, err);
}

static int rehearse(void *self, heed_error *err) {
    training *t = self;
    return heed__classifier_rehearse(t->c, t->spare ? NULL : &t->held, t->cfg.tests, err);
}

/* What else a training that goes on must have as it was. */
static uint64_t fingerprint(const training *t) {
    const heed_classify_cfg *c = &t->cfg;
    const heed_attention_choice *a = &c->attention;
    char text[512];
    heed__format(text, sizeof text,
                 "%lld %d %d %d %d %d %d %d %d %g %g %d %d %d %lld %lld %d %g "
                 "%d %d %lld %g %d %d %lld %lld %d %g %lld %d %d %d%s",
                 (long long)t->body.max_len, (int)c->keep, c->windows, c->balanced, c->freeze,
                 c->remember, c->no_marks, c->no_attention, c->from != NULL, c->label_smoothing,
                 t->body.deviation, (int)t->body.position, (int)t->body.pooling, (int)c->precision,
                 (long long)t->body.heads, (long long)c->pretrain_epochs, (int)t->fit.adversary,
                 c->adversary_size, (int)a->score, (int)a->weights, (long long)a->topk,
                 a->temperature, a->learn_temperature, a->score_std, (long long)a->window,
                 (long long)a->truncate, (int)a->penalty, a->penalty_weight, (long long)c->kv_heads,
                 c->share_layers, c->no_evidence, c->context, is_robust(c) ? " huber" : "");
    return heed__hash_text(HEED_HASH_BEGIN, text);
}

static int run(training *t, heed_fitted *done) {
    heed_learner l = { .self = t,
                       .cx = t->c->cx,
                       .ps = t->c->ps,
                       .items = t->learn.x.len,
                       .length = t->learn.length,
                       .loss = loss,
                       .score = t->held.x.len && !t->spare ? score : NULL,
                       .rehearse = rehearse,
                       .memory = heed__part_size(&t->learn) + heed__part_size(&t->held) +
                                 (t->kind->held ? t->kind->held(t->c->body) : 0),
                       .unit = "texts" };
    heed__format(
        t->settings, sizeof t->settings,
        "%s, data %016llx, %lld epochs of batches of %lld, rate %g, dropout %g, seed %llu, "
        "others %08x",
        t->kind->name,
        (unsigned long long)(heed__part_hash(&t->learn) ^ heed__part_hash(&t->held) * 3),
        (long long)t->fit.epochs, (long long)t->fit.batch, (double)t->fit.optim.lr, t->body.dropout,
        (unsigned long long)t->cfg.seed, (unsigned)fingerprint(t));
    t->fit.settings = t->settings;
    return heed__fit(&l, &t->fit, done, t->err);
}

/* The evidence of all texts, those too that its weight was measured on. 0 or a status. */
static int fit_again(training *t) {
    heed_classifier *c = t->c;
    heed_part all = { 0 }, none = { 0 };
    heed_classify_cfg whole = t->cfg;
    whole.valid_part = 0;
    int rc = heed__data_split(c, t->data, &whole, &all, &none, t->err);
    if (rc == 0) rc = heed__part_encode(c, &all, t->err);
    const heed_body_goal goal = {
        .classes = c->labels, .label = all.label, .seed = t->cfg.seed, .again = true
    };
    if (rc == 0) rc = c->body->kind->fit(c->cx, c->body, &all.in.rows, &goal, t->err);
    heed__part_free(&all, &c->hooks);
    return rc;
}

/* So few texts are learnt by heart, and what is held out of them says little. */
enum { FEW_TEXTS = 1500 };

static int weigh(training *t) {
    const bool few = t->data->len < FEW_TEXTS && t->cfg.target == HEED_TARGET_LABEL && !t->cfg.from;
    if (few && !measures(t))
        heed__classifier_cool(t->c, t->held.x.len ? HEED_CALIBRATION_USUAL : 1);
    if (!measures(t)) return 0;
    const int rc = heed__part_weigh(t->c, &t->held, t->err);
    return rc || !t->spare ? rc : fit_again(t);
}

/* Of a stopped training too: its error stays, and its cancel hook is not asked again. */
static int calibrate(training *t, int rc) {
    heed_error own = { 0 };
    heed_classifier *c = t->c;
    const heed_hooks hooks = c->hooks;
    bool any = false;
    for (int64_t i = 0; i < t->held.x.len; i++) any = any || t->held.label[i] >= 0;
    if (!any) return rc;
    c->hooks.cancel = NULL;
    const int failed = heed__part_calibrate(c, &t->held, &own);
    c->hooks = hooks;
    if (failed) *t->err = own;
    return failed ? failed : rc;
}

/* What can be said of data and settings before anything is read of the texts. t->c is made unless
 * they are refused. 0 or a status. */
static int look(training *t) {
    const heed_classify_cfg given = t->cfg;
    if (heed__data_check(t->data, given.target, "text", t->err) == 0 && fill_in(t) == 0 &&
        check(t) == 0 && check_attention(t) == 0 &&
        (!given.valid || heed__data_check(given.valid, given.target, "held-out text", t->err) == 0))
        t->c = heed__classifier_new(given.isa, given.threads, given.seed, given.hooks, t->err);
    if (!t->c) return t->err->code;
    return given.target == HEED_TARGET_SCORE ? 0 : heed__data_labels(t->c, t->data, t->err);
}

heed_classifier *heed_classifier_train(const heed_examples *data, const heed_classify_cfg *given,
                                       heed_error *err) {
    if (heed__lacks(data, "train", "list of examples", err)) return NULL;
    const heed_classify_cfg plain = { 0 };
    heed_error own = { 0 };
    if (!given) given = &plain;
    heed_run_begin begin = { .run = given->run, .resume = given->resume, .hooks = given->hooks };
    return heed__classifier_train(data, given, &begin, err ? err : &own);
}

heed_classifier *heed__classifier_train(const heed_examples *data, const heed_classify_cfg *given,
                                        heed_run_begin *begin, heed_error *err) {
    training t = { .data = data, .cfg = *given, .fit.begin = begin, .err = err };
    heed_fitted done = { 0 };
    *t.err = (heed_error){ 0 };
    const heed_target target = given->target;
    int rc = look(&t);
    if (!t.c) {
        heed__origin_close(&t.origin);
        return NULL;
    }
    if (t.fit.batch > data->len) t.fit.batch = data->len;
    heed_ctx_set_precision(t.c->cx, given->precision);
    t.body.labels = t.c->labels;
    const double spare = spare_part(&t);
    t.spare = spare > 0;
    if (t.spare) t.cfg.valid_part = spare;
    if (rc == 0) rc = heed__data_split(t.c, data, &t.cfg, &t.learn, &t.held, t.err);
    if (rc == 0 && !given->valid)
        heed__tell_held_out(given->hooks, t.spare ? 0 : t.held.x.len, data->len,
                            target == HEED_TARGET_SCORE ? "texts" : "texts by label");
    if (rc == 0) rc = prepare(&t);
    if (rc == 0) rc = run(&t, &done);
    if (rc == HEED_ECANCELLED && !begin->begun && given->run) heed__run_halted(begin, t.err);
    if (rc == 0) rc = weigh(&t);
    const bool kept = rc == 0 || (rc == HEED_ECANCELLED && given->keep_stopped && done.steps);
    if (kept && t.kind->finish) t.kind->finish(t.c->body);
    if (kept && t.held.x.len && !t.spare && target == HEED_TARGET_LABEL) rc = calibrate(&t, rc);
    const heed_hooks hooks = t.c->hooks;
    heed__origin_close(&t.origin);
    heed__part_free(&t.learn, &hooks);
    heed__part_free(&t.held, &hooks);
    heed__free(&hooks, t.weight);
    heed__free(&hooks, t.span);
    heed__free(&hooks, t.second);
    t.c->batch = HEED_ANSWERED;
    heed__ctx_release(t.c->cx);
    if (rc == 0) heed__run_note(&t.c->left, given->run);
    if (rc == 0 || (kept && rc == HEED_ECANCELLED)) return t.c;
    heed_classifier_close(t.c);
    return NULL;
}
