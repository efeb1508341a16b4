/* attend_rows.c: texts as rows of the recipe `attend`: words as units, each with the numbers of its
 * features. */
#include <string.h>

#include "base/alloc.h"
#include "tasks/body_attend.h"

static int number_words(const heed_attend *a, heed_reading *r) {
    const heed_known_words *k = &r->f.known;
    if (heed__grow(&r->f.hooks, &r->start, &r->start_cap, k->len + 1, sizeof *r->start))
        return HEED_ENOMEM;
    if (r->words == 0) r->start[0] = 0;
    for (; r->words < k->len; r->words++) {
        int64_t at = r->start[r->words];
        const int64_t begin = k->start[r->words], end = k->start[r->words + 1];
        if (heed__grow(&r->f.hooks, &r->id, &r->id_cap, at + end - begin, sizeof *r->id))
            return HEED_ENOMEM;
        for (int64_t i = begin; i < end; i++) {
            const int32_t id = heed__index_find(&a->index, k->key[i]);
            if (id >= 0) r->id[at++] = id;
        }
        r->start[r->words + 1] = at;
    }
    return 0;
}

static int32_t word_at(const heed_features *f, int64_t u) {
    return f->remember ? f->word[u] : -1;
}

void heed__reading_free(heed_reading *r) {
    heed__free(&r->f.hooks, r->id);
    heed__free(&r->f.hooks, r->start);
    heed__features_free(&r->f);
    *r = (heed_reading){ .f.hooks = r->f.hooks };
}

/* A text while it becomes a row. */
typedef struct encoding {
    const heed_attend *a;
    const heed_rows_cfg *cfg;
    heed_reading *in;
    heed_rows *r;
    bool apart; /* a word's own features stay with the memo */
} encoding;

/* Adds the numbers of unit u's features at `at`; where they end. */
static int64_t put_features(const encoding *e, int64_t u, int64_t at) {
    const heed_features *f = &e->in->f;
    const int32_t w = word_at(f, u);
    if (w >= 0 && !e->apart)
        for (int64_t k = e->in->start[w]; k < e->in->start[w + 1]; k++)
            e->r->feature[at++] = e->in->id[k];
    for (int64_t k = f->bag[u]; k < f->bag[u + 1]; k++) {
        const int32_t id = heed__index_find(&e->a->index, f->key[k]);
        if (id >= 0) e->r->feature[at++] = id;
    }
    return at;
}

/* Features of units [begin,end), at most. */
static int64_t most_features(const encoding *e, int64_t begin, int64_t end) {
    const heed_features *f = &e->in->f;
    int64_t n = end > begin ? f->bag[end] - f->bag[begin] : 0;
    for (int64_t u = begin; u < end && !e->apart; u++) {
        const int32_t w = word_at(f, u);
        if (w >= 0) n += e->in->start[w + 1] - e->in->start[w];
    }
    return n;
}

/* Whether unit u's word itself has a number; its own features come first. */
static bool knows(const encoding *e, int64_t u) {
    const heed_features *f = &e->in->f;
    const int32_t w = word_at(f, u);
    if (w < 0) return heed__index_find(&e->a->index, f->key[f->bag[u]]) >= 0;
    const int64_t first = e->in->start[w];
    return first < e->in->start[w + 1] && e->in->id[first] < e->a->index.kinds[HEED_FEATURE_PIECE];
}

static int make_room(const encoding *e, int64_t units, int64_t features) {
    heed_rows *r = e->r;
    const heed_hooks *hooks = &r->hooks;
    if (heed__grow(hooks, &r->bag, &r->bag_cap, units + 1, sizeof *r->bag) ||
        heed__grow(hooks, &r->feature, &r->feature_cap, features, sizeof *r->feature))
        return HEED_ENOMEM;
    if (e->apart && heed__grow(hooks, &r->word, &r->word_cap, units, sizeof *r->word))
        return HEED_ENOMEM;
    if (!e->cfg->places) return 0;
    if (heed__grow(hooks, &r->place, &r->place_cap, units, sizeof *r->place)) return HEED_ENOMEM;
    return heed__grow(hooks, &r->known, &r->known_cap, units, sizeof *r->known);
}

/* Units [begin,end) of the text at hand to the end of the rows; none: one unknown. */
static int append(const encoding *e, int64_t begin, int64_t end) {
    const heed_features *f = &e->in->f;
    heed_rows *r = e->r;
    int64_t u = r->start[r->len], at = r->bag[u];
    const int64_t units = end > begin ? end - begin : 1;
    if (make_room(e, u + units, at + most_features(e, begin, end))) return HEED_ENOMEM;
    for (int64_t i = begin; i < begin + units; i++, u++) {
        const bool is = i < end;
        if (e->cfg->places)
            r->place[u] = is ? (heed_piece){ f->begin[i], f->end[i] } : (heed_piece){ 0, 0 };
        if (e->cfg->places) r->known[u] = is && knows(e, i);
        if (e->apart) r->word[u] = is ? word_at(f, i) : -1;
        if (is) at = put_features(e, i, at);
        r->bag[u + 1] = at;
    }
    r->start[++r->len] = u;
    return 0;
}

enum { TOGETHER = 16 }; /* texts whose keys are asked for before any is looked for */

/* Texts [begin,end), at most TOGETHER. */
static int encode_some(const encoding *e, const heed_texts *x, int64_t begin, int64_t end) {
    heed_features *f = &e->in->f;
    int64_t first[TOGETHER + 1] = { 0 };
    heed__features_clear(f);
    for (int64_t i = begin; i < end; i++) {
        if (heed__features_add(f, &e->a->features, x->text[i], strlen(x->text[i])))
            return HEED_ENOMEM;
        first[i + 1 - begin] = f->units;
    }
    if (number_words(e->a, e->in)) return HEED_ENOMEM;
    if (f->units) heed__index_ask(&e->a->index, f->key, f->bag[f->units]);
    for (int64_t i = 0; i < end - begin; i++) {
        int64_t at = first[i], stop = first[i + 1];
        if (e->cfg->max_len && stop - at > e->cfg->max_len) {
            if (e->cfg->keep == HEED_KEEP_HEAD)
                stop = at + e->cfg->max_len;
            else
                at = stop - e->cfg->max_len;
        }
        e->r->total[e->r->len] = first[i + 1] - first[i];
        if (append(e, at, stop)) return HEED_ENOMEM;
    }
    return 0;
}

int heed__attend_encode(const heed_body *b, const heed_texts *x, const heed_rows_cfg *cfg,
                        heed_rows *r, heed_error *err) {
    heed_attend_memo *memo = (heed_attend_memo *)cfg->memo;
    /* a table of the words costs more than it saves where there are few texts */
    heed_reading own = { .f = { .hooks = b->hooks, .remember = x->len > 32 } };
    if (memo) heed__attend_refresh(memo);
    const encoding e = { .a = (const heed_attend *)b,
                         .cfg = cfg,
                         .in = memo ? &memo->in : &own,
                         .r = r,
                         .apart = memo != NULL };
    r->start = heed__calloc(&r->hooks, (size_t)x->len + 1, sizeof *r->start);
    r->total = heed__calloc(&r->hooks, (size_t)x->len, sizeof *r->total);
    int rc = heed__grow(&r->hooks, &r->bag, &r->bag_cap, 1, sizeof *r->bag);
    if (!r->start || !r->total) rc = HEED_ENOMEM;
    if (rc == 0) r->bag[0] = 0;
    for (int64_t i = 0; rc == 0 && i < x->len; i += TOGETHER)
        rc = encode_some(&e, x, i, x->len - i < TOGETHER ? x->len : i + TOGETHER);
    heed__reading_free(&own);
    return rc ? heed__error(err, rc, "texts: out of memory") : 0;
}
