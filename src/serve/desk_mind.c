/* desk_mind.c: the desk's models, one thread at a time. */
#include "serve/desk_impl.h"

int heed__mind_open(desk_mind *m, const char *intent, const char *embedder, double scope,
                    const heed_hooks *hooks, heed_error *err) {
    const heed_open_cfg cfg = { .threads = 1, .hooks = hooks };
    *m = (desk_mind){ .scope = scope, .lock = heed__lock_new(hooks, err) };
    if (!m->lock) return err->code;
    if (intent && !(m->intent = heed_classifier_open(intent, &cfg, err))) return err->code;
    if (embedder && !(m->embedder = heed_embedder_open(embedder, &cfg, err))) return err->code;
    m->labels = m->intent ? heed_classifier_labels(m->intent) : 0;
    m->dim = m->embedder ? heed_embedder_dim(m->embedder) : 0;
    if (m->intent && (heed_classifier_target(m->intent) != HEED_TARGET_LABEL ||
                      heed_classifier_pairs(m->intent) || m->labels > DESK_LABELS))
        return heed__error(err, HEED_EUNSUPPORTED,
                           "%s: a desk needs a model of one intent a text, at most %d in all",
                           intent, DESK_LABELS);
    if (m->intent && heed_classifier_calibrated(m->intent) == 0) m->scope = 0;
    return 0;
}

void heed__mind_close(desk_mind *m) {
    heed_classifier_close(m->intent);
    heed_embedder_close(m->embedder);
    heed__lock_free(m->lock);
    *m = (desk_mind){ 0 };
}

int heed__mind_intents(desk_mind *m, int64_t n, const char *const *text, float *probs,
                       heed_error *err) {
    heed__lock_enter(m->lock);
    const int rc = heed_classify_many(m->intent, n, text, probs, err);
    heed__lock_leave(m->lock);
    return rc;
}

int heed__mind_scope(desk_mind *m, const char *text, bool *in_scope, heed_error *err) {
    heed_label top[1];
    heed_explanation x = { .top = top, .top_cap = 1, .scope = m->scope };
    *in_scope = true;
    if (!m->intent) return 0;
    heed__lock_enter(m->lock);
    const int rc = heed_classify_explain(m->intent, text, &x, err);
    heed__lock_leave(m->lock);
    *in_scope = x.known > 0 && (m->scope <= 0 || x.in_scope);
    return rc;
}

int heed__mind_embed(desk_mind *m, int64_t n, const char *const *text, float *vector,
                     heed_error *err) {
    heed__lock_enter(m->lock);
    const int rc = heed_embedder_apply(m->embedder, n, text, vector, err);
    heed__lock_leave(m->lock);
    return rc;
}

const char *heed__mind_label(const desk_mind *m, int64_t i) {
    return heed_classifier_label(m->intent, i);
}
