/* split.c: labelled texts split into what is learnt from, shuffled, and what judges. */
#include "tasks/split.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "tasks/trainer.h"

static const uint64_t STREAM = 0x73706c6974u;

typedef struct named {
    const char *label;
    int64_t at;
} named;

static int by_label(const void *a, const void *b) {
    const named *x = a, *y = b;
    const int c = strcmp(x->label, y->label);
    return c ? c : (x->at > y->at) - (x->at < y->at);
}

/* Which of the examples are held out, by label. How many, or a status. */
static int64_t hold_out(const heed_examples *x, const heed_classify_cfg *base, bool *held) {
    named *sorted = heed__calloc(base->hooks, (size_t)x->len, sizeof *sorted);
    int32_t *label = heed__calloc(base->hooks, (size_t)x->len, sizeof *label);
    int64_t n = HEED_ENOMEM;
    if (sorted && label) {
        for (int64_t i = 0; i < x->len; i++) sorted[i] = (named){ x->label[i], i };
        qsort(sorted, (size_t)x->len, sizeof *sorted, by_label);
        for (int64_t i = 0, k = 0; i < x->len; i++) {
            k += i && strcmp(sorted[i].label, sorted[i - 1].label) != 0;
            label[sorted[i].at] = (int32_t)k;
        }
        const double part = base->valid_part > 0 ? base->valid_part : 0.1;
        n = heed__hold_out(label, x->len, part, base->seed, held, base->hooks);
    }
    heed__free(base->hooks, sorted);
    heed__free(base->hooks, label);
    return n;
}

static int room(heed_examples *x, int64_t len, const heed_examples *like, const heed_hooks *hooks) {
    const char **text = heed__calloc(hooks, (size_t)len, sizeof *text);
    const char **label = heed__calloc(hooks, (size_t)len, sizeof *label);
    const char **text2 = like->text2 ? heed__calloc(hooks, (size_t)len, sizeof *text2) : NULL;
    *x = (heed_examples){ .len = 0, .text = text, .label = label, .text2 = text2 };
    return text && label && (text2 || !like->text2) ? 0 : HEED_ENOMEM;
}

static void put(heed_examples *x, const heed_examples *from, int64_t at) {
    ((const char **)x->text)[x->len] = from->text[at];
    ((const char **)x->label)[x->len] = from->label[at];
    if (x->text2) ((const char **)x->text2)[x->len] = from->text2[at];
    x->len++;
}

static void drop(heed_examples *x, const heed_hooks *hooks) {
    heed__free(hooks, (void *)x->text);
    heed__free(hooks, (void *)x->label);
    heed__free(hooks, (void *)x->text2);
}

int heed__split(heed_split *s, const heed_examples *x, const heed_classify_cfg *cfg) {
    const heed_hooks *h = cfg->hooks;
    bool *held = heed__calloc(h, (size_t)x->len, sizeof *held);
    int64_t *order = heed__calloc(h, (size_t)x->len, sizeof *order), n = 0;
    *s = (heed_split){ .learn = { .len = 0 } };
    int rc = held && order ? room(&s->learn, x->len, x, h) : HEED_ENOMEM;
    if (rc == 0 && !cfg->valid) n = hold_out(x, cfg, held);
    if (n < 0) rc = (int)n;
    if (rc == 0 && !cfg->valid) rc = room(&s->held, n, x, h);
    for (int64_t i = 0; rc == 0 && i < x->len; i++) order[i] = i;
    heed_rng rng = { .seed = cfg->seed, .stream = STREAM };
    if (rc == 0) heed_rng_shuffle(&rng, order, x->len);
    for (int64_t i = 0; rc == 0 && i < x->len; i++)
        put(held[order[i]] ? &s->held : &s->learn, x, order[i]);
    if (rc == 0 && !cfg->valid) heed__tell_held_out(h, n, x->len, "texts by label");
    heed__free(h, held);
    heed__free(h, order);
    return rc;
}

void heed__split_free(heed_split *s, const heed_hooks *hooks) {
    drop(&s->learn, hooks);
    drop(&s->held, hooks);
}
