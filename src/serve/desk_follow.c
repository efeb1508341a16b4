/* desk_follow.c: what a message means: its intent, its vector, what it refers to. */
#include <string.h>

#include "serve/desk_impl.h"

static int no_memory(heed_error *err) {
    return heed__error(err, HEED_ENOMEM, "desk: out of memory");
}

static int read_models(heed_desk *d, desk_reading *r, heed_error *err) {
    desk_mind *m = &d->mind;
    const char *text = r->text;
    int rc = 0;
    if (m->intent) {
        r->probs = heed__calloc(&d->hooks, (size_t)m->labels, sizeof *r->probs);
        rc = r->probs ? heed__mind_intents(m, 1, &text, r->probs, err) : no_memory(err);
        if (rc == 0) rc = heed__mind_scope(m, text, &r->in_scope, err);
    }
    if (rc == 0 && m->embedder) {
        r->vector = heed__calloc(&d->hooks, (size_t)m->dim, sizeof *r->vector);
        rc = r->vector ? heed__mind_embed(m, 1, &text, r->vector, err) : no_memory(err);
    }
    for (int64_t k = 0; rc == 0 && r->probs && k < m->labels; k++)
        if (r->best < 0 || r->probs[k] > r->probs[r->best]) r->best = k;
    if (r->best >= 0) r->p = (double)r->probs[r->best];
    return rc;
}

int heed__desk_read(heed_desk *d, const desk_state *s, const char *text, desk_reading *r,
                    heed_error *err) {
    (void)s;
    *r = (desk_reading){ .best = -1, .in_scope = true };
    r->text = heed__strdup(&d->hooks, text);
    return r->text ? read_models(d, r, err) : no_memory(err);
}

void heed__desk_reading_free(const heed_hooks *hooks, desk_reading *r) {
    heed__free(hooks, r->text);
    heed__free(hooks, r->probs);
    heed__free(hooks, r->vector);
    *r = (desk_reading){ .best = -1 };
}
