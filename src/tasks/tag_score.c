/* tag_score.c: entities of data and answer side by side. */
#include "tasks/tag_score.h"

#include <string.h>

#include "base/alloc.h"

int heed__tag_score_init(heed_tag_score *s, int64_t types, const heed_hooks *hooks) {
    *s = (heed_tag_score){ .types = types };
    if (hooks) s->hooks = *hooks;
    s->type = heed__calloc(&s->hooks, (size_t)types, sizeof *s->type);
    return s->type ? 0 : HEED_ENOMEM;
}

void heed__tag_score_free(heed_tag_score *s) {
    heed__free(&s->hooks, s->type);
    for (int i = 0; i < 2; i++) heed__free(&s->hooks, s->chunk[i]);
    s->type = NULL;
    s->chunk[0] = s->chunk[1] = NULL;
    s->cap[0] = s->cap[1] = 0;
}

bool heed__tag_score_right(const heed_tag_score *s, int64_t i) {
    const heed_chunk *f = &s->chunk[1][i], *gold = s->chunk[0];
    int64_t low = 0, high = s->len[0];
    while (low < high) {
        const int64_t middle = low + (high - low) / 2;
        if (gold[middle].begin < f->begin)
            low = middle + 1;
        else
            high = middle;
    }
    return low < s->len[0] && gold[low].begin == f->begin && gold[low].end == f->end &&
           gold[low].type == f->type;
}

int heed__tag_score_add(heed_tag_score *s, const heed_place *gold, const heed_place *found,
                        int64_t n) {
    for (int i = 0; i < 2; i++)
        if (heed__grow(&s->hooks, &s->chunk[i], &s->cap[i], n + 1, sizeof **s->chunk))
            return HEED_ENOMEM;
    s->len[0] = heed__chunks(gold, n, s->chunk[0]);
    s->len[1] = heed__chunks(found, n, s->chunk[1]);
    s->words += n;
    for (int64_t i = 0; i < n; i++)
        s->right_words += gold[i].place == found[i].place && gold[i].type == found[i].type;
    for (int64_t i = 0; i < s->len[0]; i++) s->type[s->chunk[0][i].type].gold++;
    for (int64_t i = 0; i < s->len[1]; i++) {
        const bool right = heed__tag_score_right(s, i);
        s->type[s->chunk[1][i].type].found++;
        s->type[s->chunk[1][i].type].right += right;
        s->all.right += right;
    }
    s->all.gold += s->len[0];
    s->all.found += s->len[1];
    return 0;
}

double heed__precision(const heed_tag_count *c) {
    return c->found ? (double)c->right / (double)c->found : 0;
}

double heed__recall(const heed_tag_count *c) {
    return c->gold ? (double)c->right / (double)c->gold : 0;
}

double heed__f1(const heed_tag_count *c) {
    return c->gold + c->found ? 2 * (double)c->right / (double)(c->gold + c->found) : 0;
}
