/* desk_mind.c: the desk's models, one thread at a time. */
#include <string.h>

#include "serve/desk_impl.h"

int heed__mind_open(desk_mind *m, const desk_models *models, const heed_hooks *hooks,
                    heed_error *err) {
    const heed_open_cfg cfg = { .threads = 1, .hooks = hooks };
    *m = (desk_mind){ .scope = models->scope, .lock = heed__lock_new(hooks, err) };
    if (!m->lock) return err->code;
    if (models->intent && !(m->intent = heed_classifier_open(models->intent, &cfg, err)))
        return err->code;
    if (models->embedder && !(m->embedder = heed_embedder_open(models->embedder, &cfg, err)))
        return err->code;
    if (models->tagger && !(m->tagger = heed_tagger_open(models->tagger, &cfg, err)))
        return err->code;
    m->labels = m->intent ? heed_classifier_labels(m->intent) : 0;
    m->dim = m->embedder ? heed_embedder_dim(m->embedder) : 0;
    if (m->intent && (heed_classifier_target(m->intent) != HEED_TARGET_LABEL ||
                      heed_classifier_pairs(m->intent) || m->labels > DESK_LABELS))
        return heed__error(err, HEED_EUNSUPPORTED,
                           "%s: a desk needs a model of one intent a text, at most %d in all",
                           models->intent, DESK_LABELS);
    if (m->intent && heed_classifier_calibrated(m->intent) == 0) m->scope = 0;
    return 0;
}

void heed__mind_close(desk_mind *m) {
    heed_classifier_close(m->intent);
    heed_embedder_close(m->embedder);
    heed_tagger_close(m->tagger);
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

int64_t heed__mind_entities(desk_mind *m, const char *text, heed_entity *entity, int64_t n,
                            heed_error *err) {
    heed__lock_enter(m->lock);
    const int64_t found = heed_tagger_find(m->tagger, text, entity, n, err);
    heed__lock_leave(m->lock);
    return found;
}

bool heed__mind_knows(const desk_mind *m, const char *type) {
    for (int64_t i = 0; m->tagger && i < heed_tagger_types(m->tagger); i++)
        if (strcmp(heed_tagger_type(m->tagger, i), type) == 0) return true;
    return false;
}

const char *heed__mind_label(const desk_mind *m, int64_t i) {
    return heed_classifier_label(m->intent, i);
}
