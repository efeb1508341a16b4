/* classifier.c: making and ending a classifier; its folder is in classifier_io.c, its training in
 * classifier_train.c, its answers in classifier_answer.c and classifier_run.c. */
#include "tasks/classifier.h"

#include <string.h>

#include "base/alloc.h"
#include "base/text.h"

heed_classifier *heed__classifier_new(const char *isa, int threads, uint64_t seed,
                                      const heed_hooks *hooks, heed_error *err) {
    heed_classifier *c = heed__calloc(hooks, 1, sizeof *c);
    if (!c) {
        heed__error(err, HEED_ENOMEM, "classifier: out of memory");
        return NULL;
    }
    if (hooks) c->hooks = *hooks;
    c->seed = seed;
    c->batch = HEED_ANSWERED;
    const heed_ctx_cfg cfg = { .seed = seed, .threads = threads, .isa = isa, .hooks = hooks };
    c->cx = heed_ctx_new(&cfg, err);
    if (c->cx) c->ps = heed_params_new(&(heed_params_cfg){ .seed = seed, .hooks = hooks }, err);
    if (c->ps) return c;
    heed_classifier_close(c);
    return NULL;
}

void heed_classifier_close(heed_classifier *c) {
    if (!c) return;
    const heed_hooks hooks = c->hooks;
    for (int64_t i = 0; c->label && i < c->labels; i++) heed__free(&hooks, c->label[i]);
    heed__free(&hooks, c->label);
    heed__calibration_free(&c->calibration);
    heed__held_free(&c->held, &hooks);
    if (c->memo) c->body->kind->forget(c->memo);
    heed__body_free(c->body);
    heed_params_free(c->ps);
    heed_ctx_free(c->cx);
    heed__free(&hooks, c);
}

int64_t heed_classifier_calibrated(const heed_classifier *c) {
    return c ? c->calibration.len : 0;
}

void heed__held_measure(const heed_held *h, double *accuracy, double *loss) {
    double hit = 0, sum = 0, known = 0;
    for (int64_t i = 0; i < h->len; i++) {
        hit += h->outcome[i].said == h->outcome[i].right;
        if (h->outcome[i].right < 0) continue;
        sum += (double)h->outcome[i].loss;
        known++;
    }
    *accuracy = h->len ? hit / (double)h->len : 0;
    *loss = known > 0 ? sum / known : 0;
}

void heed__held_free(heed_held *h, const heed_hooks *hooks) {
    heed__free(hooks, h->text);
    heed__free(hooks, h->outcome);
    *h = (heed_held){ 0 };
}

int64_t heed__classifier_dim(const heed_classifier *c) {
    return c->body->dim + heed__beside_dim(&c->beside) + heed__context_dim(&c->context);
}

int64_t heed__classifier_width(const heed_classifier *c) {
    return c->head.cfg.classes;
}

bool heed__label_is_plain(const char *label) {
    const size_t size = strlen(label);
    return heed__control_at(label, size) == size;
}

int32_t heed__classifier_find(const heed_classifier *c, const char *label) {
    int64_t low = 0, high = c->labels;
    while (low < high) {
        const int64_t mid = (low + high) / 2;
        const int order = strcmp(c->label[mid], label);
        if (order == 0) return (int32_t)mid;
        if (order < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return -1;
}

int64_t heed_classifier_labels(const heed_classifier *c) {
    return c ? c->labels : 0;
}

const char *heed_classifier_label(const heed_classifier *c, int64_t i) {
    return c && i >= 0 && i < c->labels ? c->label[i] : NULL;
}

int64_t heed_classifier_parameters(const heed_classifier *c) {
    return c ? heed_params_len(c->ps) : 0;
}

heed_target heed_classifier_target(const heed_classifier *c) {
    return c ? c->head.cfg.target : HEED_TARGET_LABEL;
}

int64_t heed_classifier_array(const heed_classifier *c, bool *sequence) {
    if (sequence) *sequence = c && c->beside.sequence;
    return c ? c->beside.in : 0;
}

bool heed_classifier_pairs(const heed_classifier *c) {
    return c && c->head.cfg.pairs;
}

const char *heed_classifier_recipe(const heed_classifier *c) {
    return c ? c->body->kind->name : NULL;
}
