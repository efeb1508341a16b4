/* novelty.c: the nearest earlier text.
 *
 * Words: a text is the set of hashes of its words and of pairs of neighbours (of ideographs, which
 * stand without spaces, single ones and pairs). Candidates are those that agree with it in at least
 * one of 16 bands of 2 minima of 32 hash functions (Broder 1997; bands: Leskovec, Rajaraman and
 * Ullman, Mining of Massive Datasets, 3.4); of them the cosine |A and B| / sqrt(|A| |B|) is exact.
 * Vectors: all earlier ones are compared; the nearer of both counts. */
#include "serve/novelty.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "kernels/kernels.h"
#include "kernels/row.h"

enum { BANDS = 16, ROWS = 2, HASHES = BANDS * ROWS, SET_MOST = 256, TABLE = 1 << 16 };

typedef struct seen {
    int64_t seq, time_ms; /* seq 0: an empty place */
    uint32_t band[BANDS];
    int32_t after[BANDS]; /* the next older place in the same cell, -1: none */
    int32_t set_len;
    uint32_t *set; /* rising */
} seen;

struct heed_novelty {
    heed_hooks hooks;
    int64_t dim, within_ms;
    double least;
    const heed_kernels *k;
    seen *place;    /* [REACH] a ring: event seq stands at seq % REACH */
    float *vector;  /* [REACH,dim] */
    int32_t *cell;  /* [BANDS,TABLE] newest place, -1: none */
    int64_t newest; /* seq */
};

heed_novelty *heed_novelty_new(int64_t dim, double least, int64_t within_ms,
                               const heed_hooks *hooks, heed_error *err) {
    heed_novelty *v = heed__calloc(hooks, 1, sizeof *v);
    if (v) {
        if (hooks) v->hooks = *hooks;
        v->dim = dim;
        v->least = least;
        v->within_ms = within_ms;
        v->k = heed__kernels(NULL, err);
        v->place = heed__calloc(hooks, HEED_NOVELTY_REACH, sizeof *v->place);
        if (dim) v->vector = heed__calloc(hooks, HEED_NOVELTY_REACH, (size_t)dim * sizeof(float));
        v->cell = heed__calloc(hooks, (size_t)BANDS * TABLE, sizeof *v->cell);
        if (v->cell) memset(v->cell, 0xff, (size_t)BANDS * TABLE * sizeof *v->cell);
        if (v->k && v->place && v->cell && (!dim || v->vector)) return v;
    }
    heed_novelty_free(v);
    heed__error(err, HEED_ENOMEM, "novelty: out of memory");
    return NULL;
}

void heed_novelty_free(heed_novelty *v) {
    if (!v) return;
    const heed_hooks hooks = v->hooks;
    for (int i = 0; v->place && i < HEED_NOVELTY_REACH; i++) heed__free(&hooks, v->place[i].set);
    heed__free(&hooks, v->place);
    heed__free(&hooks, v->vector);
    heed__free(&hooks, v->cell);
    heed__free(&hooks, v);
}

/* -- sets of words ---------------------------------------------------------------------------- */

static uint32_t mix(uint32_t h) { /* of MurmurHash3 */
    h ^= h >> 16;
    h *= 0x85ebca6bu;
    h ^= h >> 13;
    h *= 0xc2b2ae35u;
    return h ^ h >> 16;
}

static int rising(const void *a, const void *b) {
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* Letters and digits make words, an ideograph is one by itself, anything else stands between. */
static bool stands_alone(uint32_t c) {
    return (c >= 0x3040 && c <= 0x30ff) || (c >= 0x3400 && c <= 0x9fff) ||
           (c >= 0xac00 && c <= 0xd7af) || (c >= 0x20000 && c <= 0x3ffff);
}

static bool in_word(uint32_t c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= 0xc0 && c < 0x2000) || (c >= 0x2c00 && c < 0x3000);
}

typedef struct words {
    uint32_t set[2 * SET_MOST];
    int len;
    uint32_t before; /* hash of the word before; 0: none */
} words;

static void add_word(words *w, uint32_t hash) {
    if (w->len + 2 > 2 * SET_MOST) return;
    w->set[w->len++] = mix(hash);
    if (w->before) w->set[w->len++] = mix(w->before * 31 + hash + 0x9e3779b9u);
    w->before = hash;
}

static int word_set(const char *text, uint32_t set[2 * SET_MOST]) {
    words w = { .len = 0 };
    const size_t size = strlen(text);
    uint32_t hash = 0, c = 0;
    for (size_t at = 0; at < size && w.len < 2 * SET_MOST;) {
        const size_t n = heed__utf8_next(text + at, size - at, &c);
        at += n ? n : 1;
        if (c >= 'A' && c <= 'Z') c += 32;
        if (n && in_word(c)) {
            hash = (hash ? hash : 2166136261u) * 16777619u ^ c;
            continue;
        }
        if (hash) add_word(&w, hash);
        hash = 0;
        if (n && stands_alone(c)) add_word(&w, c * 2654435761u | 1);
    }
    if (hash) add_word(&w, hash);
    qsort(w.set, (size_t)w.len, sizeof *w.set, rising);
    int kept = 0;
    for (int i = 0; i < w.len; i++)
        if (i == 0 || w.set[i] != w.set[i - 1]) set[kept++] = w.set[i];
    return kept;
}

static void bands_of(const uint32_t *set, int len, uint32_t band[BANDS]) {
    uint32_t least[HASHES];
    memset(least, 0xff, sizeof least);
    for (int i = 0; i < len; i++)
        for (int h = 0; h < HASHES; h++) {
            const uint32_t x = mix(set[i] ^ (uint32_t)(h + 1) * 0x9e3779b9u);
            if (x < least[h]) least[h] = x;
        }
    for (int b = 0; b < BANDS; b++) band[b] = mix(least[2 * b] * 31 + least[2 * b + 1]);
}

static double cosine_of(const seen *p, const uint32_t *set, int len) {
    int both = 0;
    for (int i = 0, j = 0; i < p->set_len && j < len;) {
        both += p->set[i] == set[j];
        const bool less = p->set[i]<set[j], more = p->set[i]> set[j];
        i += !more;
        j += !less;
    }
    if (p->set_len == 0 || len == 0) return 0;
    return (double)both / sqrt((double)p->set_len * (double)len);
}

/* -- steps ------------------------------------------------------------------------------------ */

static bool earlier(const heed_novelty *v, const seen *p, const heed_novel *x) {
    return p->seq > 0 && p->seq > x->seq - HEED_NOVELTY_REACH && p->seq < x->seq &&
           p->time_ms >= x->time_ms - v->within_ms;
}

static void take(const heed_novelty *v, const seen *p, double cosine, int64_t *nearest,
                 double *best) {
    if (cosine < v->least) return;
    if (cosine > *best || (*nearest && cosine >= *best && p->seq < *nearest)) {
        *best = cosine;
        *nearest = p->seq;
    }
}

static int step_words(heed_novelty *v, const heed_novel *x, seen *own, int64_t *nearest,
                      double *best) {
    uint32_t set[2 * SET_MOST];
    const int len = word_set(x->text, set);
    bands_of(set, len, own->band);
    const int32_t at = (int32_t)(own - v->place);
    const bool again = own->seq == x->seq; /* asked for the second time: it has its place */
    for (int b = 0; len && b < BANDS; b++) {
        int32_t *cell = &v->cell[(size_t)b * TABLE + own->band[b] % TABLE];
        int32_t i = again ? own->after[b] : *cell;
        int64_t last = INT64_MAX;
        /* a place that was given to a newer event ends its old chain: seqs fall along it */
        for (int tries = 0; i >= 0 && tries < 64; tries++) {
            const seen *p = &v->place[i];
            if (p == own || !earlier(v, p, x) || p->seq >= last) break;
            last = p->seq;
            if (p->band[b] == own->band[b]) take(v, p, cosine_of(p, set, len), nearest, best);
            i = p->after[b];
        }
        if (again) continue;
        own->after[b] = *cell == at ? -1 : *cell;
        *cell = at;
    }
    uint32_t *kept = heed__malloc(&v->hooks, (size_t)(len ? len : 1) * sizeof *kept);
    if (!kept) return HEED_ENOMEM;
    memcpy(kept, set, (size_t)len * sizeof *kept);
    heed__free(&v->hooks, own->set);
    own->set = kept;
    own->set_len = len;
    return 0;
}

static void step_vector(heed_novelty *v, const heed_novel *x, const seen *own, int64_t *nearest,
                        double *best) {
    const int64_t D = v->dim;
    for (int64_t i = 0; i < HEED_NOVELTY_REACH; i++) {
        if (!earlier(v, &v->place[i], x)) continue;
        const float cosine = v->k->row->dot(v->vector + i * D, x->vector, D);
        take(v, &v->place[i], (double)cosine, nearest, best);
    }
    memcpy(v->vector + (own - v->place) * D, x->vector, (size_t)D * sizeof(float));
}

int heed_novelty_step(heed_novelty *v, const heed_novel *x, int64_t *nearest, double *cosine,
                      heed_error *err) {
    seen *own = &v->place[x->seq % HEED_NOVELTY_REACH];
    int rc = 0;
    *nearest = 0;
    *cosine = 0;
    if (own->seq != x->seq) own->seq = 0; /* what stood here is too old */
    rc = step_words(v, x, own, nearest, cosine);
    if (rc) return heed__error(err, rc, "novelty: out of memory");
    if (v->dim) step_vector(v, x, own, nearest, cosine);
    if (*cosine > 1) *cosine = 1; /* rounding */
    own->seq = x->seq;
    own->time_ms = x->time_ms;
    return 0;
}
