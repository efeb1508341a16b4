/* train_seeds.c: the text as letters, its suffixes in order (compared as far as a piece may reach),
 * and from the lengths that neighbours share the strings that are the longest for their places: the
 * inner nodes of a suffix tree (Abouelhoda et al. 2004). */
#include "text/train_seeds.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"

enum { CODES = 0x110000, MOST_LETTERS = 8000000 };

/* -- letters ---------------------------------------------------------------------------------- */

typedef struct ranked {
    int64_t count;
    uint32_t code;
} ranked;

static int by_count(const void *a, const void *b) {
    const ranked *x = a, *y = b;
    if (x->count != y->count) return x->count < y->count ? 1 : -1;
    return x->code < y->code ? -1 : x->code > y->code;
}

/* Numbers the characters by how common they are; number[code] 0: not kept. */
static int make_alphabet(heed__train_text *t, const heed__train_words *w, int64_t most,
                         uint32_t *number) {
    ranked *all = heed__calloc(&t->hooks, CODES, sizeof *all);
    if (!all) return HEED_ENOMEM;
    for (int64_t i = 0; i < w->len; i++) {
        const char *text = w->bytes + w->words[i].at;
        uint32_t code;
        for (size_t at = 0, n; at < w->words[i].size; at += n ? n : 1) {
            n = heed__utf8_next(text + at, w->words[i].size - at, &code);
            if (n) all[code].count += w->words[i].count;
        }
    }
    int64_t n = 0;
    for (uint32_t c = 0; c < CODES; c++)
        if (all[c].count) all[n++] = (ranked){ all[c].count, c };
    qsort(all, (size_t)n, sizeof *all, by_count);
    t->alphabet = most && n > most ? most : n;
    t->codes = heed__calloc(&t->hooks, (size_t)t->alphabet + 1, sizeof *t->codes);
    t->counts = heed__calloc(&t->hooks, (size_t)t->alphabet + 1, sizeof *t->counts);
    for (int64_t i = 0; i < t->alphabet && t->codes && t->counts; i++) {
        t->codes[i + 1] = all[i].code;
        t->counts[i + 1] = all[i].count;
        number[all[i].code] = (uint32_t)(i + 1);
    }
    heed__free(&t->hooks, all);
    return t->codes && t->counts ? 0 : HEED_ENOMEM;
}

static int end_run(heed__train_text *t, int64_t begin, int64_t count) {
    if (begin == t->len) return 0;
    if (heed__grow(&t->hooks, &t->runs, &t->run_cap, t->run_len + 1, sizeof *t->runs) ||
        heed__grow(&t->hooks, &t->letters, &t->cap, t->len + 1, sizeof *t->letters))
        return HEED_ENOMEM;
    t->runs[t->run_len++] = (heed__train_run){ begin, (int32_t)(t->len - begin), count };
    t->letters[t->len++] = 0;
    return 0;
}

static int add_word(heed__train_text *t, const char *text, size_t size, int64_t count,
                    const uint32_t *number) {
    int64_t begin = t->len;
    uint32_t code;
    for (size_t at = 0, n; at < size; at += n ? n : 1) {
        n = heed__utf8_next(text + at, size - at, &code);
        const uint32_t letter = n ? number[code] : 0;
        if (!letter || t->len - begin == HEED_CHUNK) {
            if (end_run(t, begin, count)) return HEED_ENOMEM;
            begin = t->len;
        }
        if (!letter) continue;
        if (heed__grow(&t->hooks, &t->letters, &t->cap, t->len + 1, sizeof *t->letters))
            return HEED_ENOMEM;
        t->letters[t->len++] = letter;
    }
    return end_run(t, begin, count);
}

int heed__train_text_make(heed__train_text *t, const heed__train_words *words, int64_t alphabet) {
    uint32_t *number = heed__calloc(&t->hooks, CODES, sizeof *number);
    int rc = number ? make_alphabet(t, words, alphabet, number) : HEED_ENOMEM;
    for (int64_t i = 0; i < words->len && !rc && t->len < MOST_LETTERS; i++)
        rc = add_word(t, words->bytes + words->words[i].at, words->words[i].size,
                      words->words[i].count, number);
    heed__free(&t->hooks, number);
    return rc;
}

void heed__train_text_free(heed__train_text *t) {
    heed__free(&t->hooks, t->letters);
    heed__free(&t->hooks, t->runs);
    heed__free(&t->hooks, t->codes);
    heed__free(&t->hooks, t->counts);
    *t = (heed__train_text){ .hooks = t->hooks };
}

/* -- suffixes --------------------------------------------------------------------------------- */

typedef struct suffixes {
    const heed__train_text *t;
    int64_t reach; /* letters that count */
    int32_t *at;   /* [n] beginnings, in the order of what follows */
    int64_t n;
} suffixes;

/* Letters that two suffixes share, up to reach; a 0 ends a suffix. */
static int64_t shared(const suffixes *s, int32_t a, int32_t b) {
    const uint32_t *x = s->t->letters + a, *y = s->t->letters + b;
    int64_t n = 0;
    while (n < s->reach && x[n] == y[n] && x[n]) n++;
    return n;
}

static int by_letters(const void *a, const void *b, void *arg) {
    const suffixes *s = arg;
    const int32_t i = *(const int32_t *)a, j = *(const int32_t *)b;
    const int64_t n = shared(s, i, j);
    if (n == s->reach) return i < j ? -1 : i > j;
    const uint32_t x = s->t->letters[i + n], y = s->t->letters[j + n];
    return x != y ? (x < y ? -1 : 1) : i < j ? -1 : i > j;
}

/* Puts suffixes in buckets by their first letters, the buckets then in order by themselves. */
static int sort_suffixes(suffixes *s) {
    const heed__train_text *t = s->t;
    const int64_t k = t->alphabet + 1, buckets = k <= 2048 ? k * k : k;
    int64_t *fill = heed__calloc(&t->hooks, (size_t)buckets + 1, sizeof *fill);
    s->at = heed__calloc(&t->hooks, (size_t)t->len + 1, sizeof *s->at);
    if (!fill || !s->at) {
        heed__free(&t->hooks, fill);
        return HEED_ENOMEM;
    }
    const bool two = buckets != k;
    for (int pass = 0; pass < 2; pass++) {
        for (int64_t i = 0; i < t->len; i++) {
            const uint32_t letter = t->letters[i];
            if (!letter) continue;
            const int64_t b = two ? letter * k + t->letters[i + 1] : letter;
            if (pass)
                s->at[fill[b]++] = (int32_t)i;
            else
                fill[b + 1]++, s->n++;
        }
        for (int64_t b = 0; b < buckets && !pass; b++) fill[b + 1] += fill[b];
    }
    int64_t from = 0; /* each fill is the end of its bucket now */
    for (int64_t b = 0; b < buckets; b++) {
        if (fill[b] - from > 1)
            qsort_r(s->at + from, (size_t)(fill[b] - from), sizeof *s->at, by_letters, s);
        from = fill[b];
    }
    heed__free(&t->hooks, fill);
    return 0;
}

/* -- seeds ------------------------------------------------------------------------------------ */

/* Suffixes [left, right) share `len` letters, and no more. */
typedef struct interval {
    int32_t left, right, len;
    double weight;
} interval;

static int by_score(const void *a, const void *b) {
    const interval *x = a, *y = b;
    const double p = x->weight * x->len, q = y->weight * y->len;
    if (p != q) return p < q ? 1 : -1;
    return x->left != y->left ? (x->left < y->left ? -1 : 1) : x->len - y->len;
}

/* The count of the run that each suffix lies in, summed up before each suffix. (The libraries
 * sentencepiece and tokenizers count each different word once here, however common it is; counted
 * as often as it occurs, seeds begin nearer to what the text needs, and the model that is learnt
 * from them gives it a higher likelihood in fewer tokens.) */
static double *weights_before(const suffixes *s) {
    const heed__train_text *t = s->t;
    double *before = heed__calloc(&t->hooks, (size_t)s->n + 1, sizeof *before);
    int64_t *count = heed__calloc(&t->hooks, (size_t)t->len + 1, sizeof *count);
    for (int64_t r = 0; r < t->run_len && count; r++)
        for (int32_t i = 0; i < t->runs[r].len; i++) count[t->runs[r].begin + i] = t->runs[r].count;
    for (int64_t i = 0; i < s->n && before && count; i++)
        before[i + 1] = before[i] + (double)count[s->at[i]];
    heed__free(&t->hooks, count ? (void *)count : before);
    return count ? before : NULL;
}

/* All intervals of 2 to reach - 1 letters. 0 or HEED_ENOMEM. */
static int find_intervals(const suffixes *s, interval **list, int64_t *len) {
    const heed_hooks *hooks = &s->t->hooks;
    double *before = weights_before(s);
    interval *stack = heed__calloc(hooks, (size_t)s->reach + 2, sizeof *stack);
    int64_t top = 0, cap = 0;
    int rc = before && stack ? 0 : HEED_ENOMEM;
    for (int64_t i = 1; i <= s->n && !rc; i++) {
        const int32_t same = i < s->n ? (int32_t)shared(s, s->at[i - 1], s->at[i]) : 0;
        int32_t left = (int32_t)(i - 1);
        while (top && stack[top - 1].len > same) {
            interval done = stack[--top];
            left = done.left;
            done.right = (int32_t)i;
            done.weight = before[i] - before[left];
            if (done.len < 2 || done.len >= s->reach) continue;
            rc = heed__grow(hooks, list, &cap, *len + 1, sizeof **list);
            if (rc) break;
            (*list)[(*len)++] = done;
        }
        if (same && (!top || stack[top - 1].len < same))
            stack[top++] = (interval){ .left = left, .len = same };
    }
    heed__free(hooks, before);
    heed__free(hooks, stack);
    return rc;
}

/* Letters first, then the seeds; each tells every place that it can begin at. */
static int make_arcs(heed__seeds *s, const suffixes *x, const interval *list, int64_t n) {
    const heed__train_text *t = x->t;
    s->len = t->alphabet + n;
    s->pieces = heed__calloc(&t->hooks, (size_t)s->len + 1, sizeof *s->pieces);
    s->first = heed__calloc(&t->hooks, (size_t)t->len + 2, sizeof *s->first);
    if (!s->pieces || !s->first) return HEED_ENOMEM;
    int64_t *first = s->first + 1; /* while filling, one place further */
    for (int64_t i = 0; i < t->len; i++) first[i] = t->letters[i] ? 1 : 0;
    for (int64_t k = 0; k < n; k++)
        for (int32_t i = list[k].left; i < list[k].right; i++) first[x->at[i]]++;
    int64_t sum = 0;
    for (int64_t i = 0; i <= t->len; i++) {
        const int64_t here = i < t->len ? first[i] : 0;
        first[i] = sum;
        sum += here;
    }
    s->arc = heed__calloc(&t->hooks, (size_t)sum + 1, sizeof *s->arc);
    if (!s->arc) return HEED_ENOMEM;
    for (int64_t i = 0; i < t->len; i++) {
        if (!t->letters[i]) continue;
        const int32_t piece = (int32_t)t->letters[i] - 1;
        s->arc[first[i]++] = piece;
        s->pieces[piece] = (heed__seed){ i, 1, (double)t->counts[t->letters[i]] };
    }
    for (int64_t k = 0; k < n; k++) {
        s->pieces[t->alphabet + k] = (heed__seed){ x->at[list[k].left], list[k].len,
                                                   list[k].weight };
        for (int32_t i = list[k].left; i < list[k].right; i++)
            s->arc[first[x->at[i]]++] = (int32_t)(t->alphabet + k);
    }
    return 0;
}

int heed__seeds_make(heed__seeds *s, const heed__train_text *t, int64_t max_piece, int64_t most) {
    *s = (heed__seeds){ 0 };
    suffixes x = { .t = t, .reach = max_piece + 1 };
    interval *list = NULL;
    int64_t n = 0;
    int rc = sort_suffixes(&x);
    if (!rc) rc = find_intervals(&x, &list, &n);
    if (!rc && n) qsort(list, (size_t)n, sizeof *list, by_score);
    if (!rc) rc = make_arcs(s, &x, list, n < most ? n : most);
    heed__free(&t->hooks, list);
    heed__free(&t->hooks, x.at);
    return rc;
}

void heed__seeds_free(heed__seeds *s, const heed_hooks *hooks) {
    heed__free(hooks, s->pieces);
    heed__free(hooks, s->first);
    heed__free(hooks, s->arc);
    *s = (heed__seeds){ 0 };
}
