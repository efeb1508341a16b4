/* attack.c: how many answers stay right when texts are changed a little. */
#include "tasks/attack.h"

#include "base/alloc.h"

static const uint64_t STREAM = 0x61747461636bu;

typedef struct siege {
    heed_classifier *c;
    const heed_examples *x;
    char **text;           /* [len] changed copies of those that stand */
    const char **label;    /* [len] theirs */
    int64_t *item;         /* [len] whose they are */
    bool *fallen;          /* [len] */
    heed_outcome *outcome; /* [len] */
    heed_error *err;
} siege;

/* One changed copy of each text that stands. 0 or a status. */
static int try_once(siege *s, heed_noise kind, int64_t attempt) {
    const heed_hooks *h = &s->c->hooks;
    int64_t n = 0;
    int rc = 0;
    for (int64_t i = 0; rc == 0 && i < s->x->len; i++) {
        if (s->fallen[i]) continue;
        heed_rng rng = { .seed = (uint64_t)(i * HEED_ATTACK_TRIES + attempt),
                         .stream = STREAM + (uint64_t)kind };
        s->text[n] = heed__noise(kind, s->x->text[i], &rng, h);
        if (!s->text[n]) rc = heed__error(s->err, HEED_ENOMEM, "attack: out of memory");
        s->label[n] = s->x->label[i];
        s->item[n] = i;
        n += rc == 0;
    }
    const heed_examples changed = { .len = n,
                                    .text = (const char *const *)s->text,
                                    .label = s->label };
    if (rc == 0 && n) rc = heed__classifier_judge(s->c, &changed, s->outcome, NULL, s->err);
    for (int64_t i = 0; i < n; i++) {
        if (rc == 0 && s->outcome[i].said != s->outcome[i].right) s->fallen[s->item[i]] = true;
        heed__free(h, s->text[i]);
    }
    return rc;
}

int heed__attack(heed_classifier *c, const heed_examples *x, const heed_outcome *outcome,
                 heed_noise kind, double *accuracy, heed_error *err) {
    const heed_hooks *h = &c->hooks;
    const size_t n = (size_t)x->len;
    siege s = { .c = c, .x = x, .err = err };
    if (c->head.cfg.target != HEED_TARGET_LABEL || c->head.cfg.pairs)
        return heed__error(err, HEED_EUNSUPPORTED,
                           "attack: only on models that give one label to single texts");
    s.text = heed__calloc(h, n, sizeof *s.text);
    s.label = heed__calloc(h, n, sizeof *s.label);
    s.item = heed__calloc(h, n, sizeof *s.item);
    s.fallen = heed__calloc(h, n, sizeof *s.fallen);
    s.outcome = heed__calloc(h, n, sizeof *s.outcome);
    int rc = s.text && s.label && s.item && s.fallen && s.outcome
                 ? 0
                 : heed__error(err, HEED_ENOMEM, "attack: out of memory");
    for (int64_t i = 0; rc == 0 && i < x->len; i++)
        s.fallen[i] = outcome[i].said != outcome[i].right;
    for (int64_t t = 0; rc == 0 && t < HEED_ATTACK_TRIES; t++) rc = try_once(&s, kind, t);
    int64_t stand = 0;
    for (int64_t i = 0; rc == 0 && i < x->len; i++) stand += !s.fallen[i];
    *accuracy = x->len ? (double)stand / (double)x->len : 0;
    heed__free(h, s.text);
    heed__free(h, s.label);
    heed__free(h, s.item);
    heed__free(h, s.fallen);
    heed__free(h, s.outcome);
    return rc;
}
