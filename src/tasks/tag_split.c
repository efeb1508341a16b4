/* tag_split.c: tagged sentences split into what is learnt from and what is held out. */
#include "tasks/tag_split.h"

#include <string.h>

#include "base/alloc.h"

static int make_part(heed_tag_part *p, const heed_tagged *from, const bool *held, bool want,
                     const heed_hooks *h) {
    const int64_t words = from->start[from->len];
    p->start = heed__calloc(h, (size_t)from->len + 1, sizeof *p->start);
    p->word = heed__calloc(h, (size_t)words + 1, sizeof *p->word);
    p->tag = heed__calloc(h, (size_t)words + 1, sizeof *p->tag);
    if (!p->start || !p->word || !p->tag) return HEED_ENOMEM;
    int64_t len = 0;
    for (int64_t i = 0; i < from->len; i++) {
        const int64_t begin = from->start[i], n = from->start[i + 1] - begin;
        if (n == 0 || held[i] != want) continue;
        memcpy(p->word + p->start[len], from->word + begin, (size_t)n * sizeof *p->word);
        memcpy(p->tag + p->start[len], from->tag + begin, (size_t)n * sizeof *p->tag);
        p->start[len + 1] = p->start[len] + n;
        len++;
    }
    p->data = (heed_tagged){ len, p->start, p->word, p->tag };
    return 0;
}

void heed__tag_part_free(heed_tag_part *p, const heed_hooks *hooks) {
    heed__free(hooks, p->start);
    heed__free(hooks, p->word);
    heed__free(hooks, p->tag);
    *p = (heed_tag_part){ .start = NULL };
}

int heed__tag_split(const heed_tagged *data, double part, uint64_t seed, heed_tag_part *learn,
                    heed_tag_part *held, const heed_hooks *hooks) {
    bool *is_held = heed__calloc(hooks, (size_t)data->len, sizeof *is_held);
    int64_t *order = heed__calloc(hooks, (size_t)data->len, sizeof *order), count = 0;
    int rc = is_held && order ? 0 : HEED_ENOMEM;
    if (rc == 0 && part > 0) {
        heed_rng rng = { .seed = seed, .stream = 0x73706c69 };
        for (int64_t i = 0; i < data->len; i++) order[i] = i;
        heed_rng_shuffle(&rng, order, data->len);
        count = (int64_t)((double)data->len * part);
        for (int64_t i = 0; i < count; i++) is_held[order[i]] = true;
    }
    if (rc == 0 && learn) rc = make_part(learn, data, is_held, false, hooks);
    if (rc == 0 && count) rc = make_part(held, data, is_held, true, hooks);
    heed__free(hooks, is_held);
    heed__free(hooks, order);
    return rc;
}
