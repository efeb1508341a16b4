/* novelty.c: the nearest earlier text.
 *
 * Words: a text is the set of hashes of its words and of pairs of neighbours (of ideographs, which
 * stand without spaces, single ones and pairs). Candidates are those that agree with it in at least
 * one of 16 bands of 2 minima of 32 hash functions (Broder 1997; bands: Leskovec, Rajaraman and
 * Ullman, Mining of Massive Datasets, 3.4); of them the cosine |A and B| / sqrt(|A| |B|) is exact.
 * Vectors: the nearest of all earlier ones (nearby.h); the nearer of both counts. */
#include "serve/novelty.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "serve/nearby.h"

enum {
    BANDS = 16,
    ROWS = 2,
    HASHES = BANDS * ROWS,
    SET_MOST = 256,
    TABLE = 1 << 16,
    TRIES = 64, /* newest of a cell that are looked at */
    BATCH = 64,
    PLACES = HEED_NOVELTY_REACH + HEED_NEARBY_AGAIN
};

/* Bits of a set: those of its hashes, modulo their number. */
typedef struct signature {
    uint64_t word[4];
} signature;

/* Three lines of the processor's cache: a chain needs the first and one of the others. */
typedef struct seen {
    int64_t seq, time_ms; /* seq 0: an empty place */
    signature sign;
    uint32_t *set; /* rising */
    int64_t set_len;
    struct {
        uint32_t hash;
        int32_t after; /* the next older place in the same cell, -1: none */
    } band[BANDS];
} seen;
_Static_assert(sizeof(seen) == 192, "lines of 64 bytes");

/* How a place was met with while the chains were walked. */
typedef struct meeting {
    int64_t step; /* the last in which it was */
    int64_t bands;
} meeting;

struct heed_novelty {
    heed_hooks hooks;
    int64_t within_ms, step;
    double least;
    seen *place;         /* [PLACES] a ring: event seq stands at seq % PLACES */
    meeting *met;        /* [PLACES] */
    heed_nearby *nearby; /* NULL: by words alone */
    int32_t *cell;       /* [BANDS,TABLE] newest place, -1: none */
};

heed_novelty *heed_novelty_new(int64_t dim, double least, int64_t within_ms,
                               const heed_hooks *hooks, heed_error *err) {
    heed_novelty *v = heed__calloc(hooks, 1, sizeof *v);
    if (v) {
        if (hooks) v->hooks = *hooks;
        v->least = least;
        v->within_ms = within_ms;
        v->place = heed__aligned(hooks, PLACES * sizeof *v->place);
        if (v->place) memset(v->place, 0, PLACES * sizeof *v->place);
        v->met = heed__calloc(hooks, PLACES, sizeof *v->met);
        if (dim) v->nearby = heed__nearby_new(HEED_NOVELTY_REACH, dim, hooks, err);
        v->cell = heed__calloc(hooks, (size_t)BANDS * TABLE, sizeof *v->cell);
        if (v->cell) memset(v->cell, 0xff, (size_t)BANDS * TABLE * sizeof *v->cell);
        if (v->place && v->met && v->cell && (!dim || v->nearby)) return v;
    }
    heed_novelty_free(v);
    heed__error(err, HEED_ENOMEM, "novelty: out of memory");
    return NULL;
}

void heed_novelty_free(heed_novelty *v) {
    if (!v) return;
    const heed_hooks hooks = v->hooks;
    for (int i = 0; v->place && i < PLACES; i++) heed__free(&hooks, v->place[i].set);
    heed__aligned_free(&hooks, v->place);
    heed__free(&hooks, v->met);
    heed__nearby_free(v->nearby);
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

static void bands_of(const uint32_t *set, int len, seen *own) {
    uint32_t least[HASHES];
    memset(least, 0xff, sizeof least);
    for (int i = 0; i < len; i++)
        for (int h = 0; h < HASHES; h++) {
            const uint32_t x = mix(set[i] ^ (uint32_t)(h + 1) * 0x9e3779b9u);
            if (x < least[h]) least[h] = x;
        }
    for (int b = 0; b < BANDS; b++) own->band[b].hash = mix(least[2 * b] * 31 + least[2 * b + 1]);
}

static int ones(uint64_t x) {
    x -= x >> 1 & 0x5555555555555555u;
    x = (x & 0x3333333333333333u) + (x >> 2 & 0x3333333333333333u);
    x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0fu;
    return (int)(x * 0x0101010101010101u >> 56);
}

static int in_both(const signature *a, const signature *b) {
    int n = 0;
    for (int i = 0; i < 4; i++) n += ones(a->word[i] & b->word[i]);
    return n;
}

/* A set, and how many of its elements share a bit with one before. */
typedef struct query {
    const uint32_t *set;
    int64_t len, shared;
    signature sign;
} query;

static query query_of(const uint32_t *set, int len) {
    query q = { .set = set, .len = len };
    for (int i = 0; i < len; i++) q.sign.word[set[i] >> 6 & 3] |= UINT64_C(1) << (set[i] & 63);
    q.shared = len - in_both(&q.sign, &q.sign);
    return q;
}

/* The cosine, or 0 where it is surely less than bar. */
static double cosine_of(const seen *p, const query *q, double bar) {
    if (p->set_len == 0 || q->len == 0) return 0;
    const double lengths = sqrt((double)p->set_len * (double)q->len);
    const int64_t need = (int64_t)(bar * lengths) - 1; /* so many in both, or it is less */
    if (in_both(&p->sign, &q->sign) + q->shared < need) return 0;
    const int64_t more_p = p->set_len - need, more = q->len - need; /* that one may have alone */
    int64_t both = 0, i = 0, j = 0;
    while (i < p->set_len && j < q->len) {
        if (i - both > more_p || j - both > more) return 0;
        both += p->set[i] == q->set[j];
        const bool less = p->set[i]<q->set[j], above = p->set[i]> q->set[j];
        i += !above;
        j += !less;
    }
    return (double)both / lengths;
}

/* -- steps ------------------------------------------------------------------------------------ */

static bool earlier(const heed_novelty *v, const seen *p, const heed_novel *x) {
    return p->seq > 0 && p->seq > x->seq - HEED_NOVELTY_REACH && p->seq < x->seq &&
           p->time_ms >= x->time_ms - v->within_ms;
}

static void hear(const heed_novelty *v, heed_novel *x, int64_t seq, double cosine) {
    if (cosine < v->least) return;
    if (cosine > x->cosine || (x->nearest && cosine >= x->cosine && seq < x->nearest)) {
        x->cosine = cosine;
        x->nearest = seq;
    }
}

static void expect(const seen *p, int band) {
    __builtin_prefetch(p);
    __builtin_prefetch(&p->band[band]);
}

/* Those that agree with it in a band, each once. The chains are walked side by side, so that their
 * places come from memory at the same time. */
static int candidates(heed_novelty *v, const heed_novel *x, const seen *own, bool again,
                      int32_t list[BANDS * TRIES]) {
    int32_t next[BANDS];
    int64_t last[BANDS];
    int n = 0;
    for (int b = 0; b < BANDS; b++) {
        next[b] = again ? own->band[b].after
                        : v->cell[(size_t)b * TABLE + own->band[b].hash % TABLE];
        last[b] = INT64_MAX;
        if (next[b] >= 0) expect(&v->place[next[b]], b);
    }
    bool more = true;
    for (int tries = 0; more && tries < TRIES; tries++) {
        more = false;
        for (int b = 0; b < BANDS; b++) {
            if (next[b] < 0) continue;
            const int32_t at = next[b];
            const seen *p = &v->place[at];
            next[b] = -1;
            /* a place that was given to a newer event ends its old chain: seqs fall along it */
            if (p == own || !earlier(v, p, x) || p->seq >= last[b]) continue;
            last[b] = p->seq;
            meeting *met = &v->met[at];
            if (p->band[b].hash == own->band[b].hash) {
                if (met->step != v->step) {
                    *met = (meeting){ v->step, 0 };
                    list[n++] = at;
                }
                met->bands++;
            }
            next[b] = p->band[b].after;
            if (next[b] >= 0) expect(&v->place[next[b]], b);
            more = true;
        }
    }
    return n;
}

/* The one that agrees in most bands comes first: it shows of most others that they are not it. */
static void compare(heed_novelty *v, heed_novel *x, const int32_t *list, int n, const query *q) {
    int first = 0;
    for (int i = 1; i < n; i++)
        if (v->met[list[i]].bands > v->met[list[first]].bands) first = i;
    for (int i = 0; i < n; i++) {
        const seen *p = &v->place[list[i == 0 ? first : i == first ? 0 : i]];
        const double bar = x->cosine > v->least ? x->cosine : v->least;
        hear(v, x, p->seq, cosine_of(p, q, bar));
    }
}

static int step_words(heed_novelty *v, heed_novel *x) {
    seen *own = &v->place[x->seq % PLACES];
    const int32_t at = (int32_t)(own - v->place);
    int32_t list[BANDS * TRIES];
    uint32_t set[2 * SET_MOST];
    const int len = word_set(x->text, set);
    const query q = query_of(set, len);
    bands_of(set, len, own);
    const bool again = own->seq == x->seq; /* asked for the second time: it has its place */
    own->seq = again ? own->seq : 0;       /* what stood here is too old */
    v->step++;
    compare(v, x, list, len ? candidates(v, x, own, again, list) : 0, &q);
    for (int b = 0; len && !again && b < BANDS; b++) {
        int32_t *cell = &v->cell[(size_t)b * TABLE + own->band[b].hash % TABLE];
        own->band[b].after = *cell == at ? -1 : *cell;
        *cell = at;
    }
    uint32_t *kept = heed__malloc(&v->hooks, (size_t)(len ? len : 1) * sizeof *kept);
    if (!kept) return HEED_ENOMEM;
    memcpy(kept, set, (size_t)len * sizeof *kept);
    heed__free(&v->hooks, own->set);
    own->set = kept;
    own->set_len = len;
    own->sign = q.sign;
    own->seq = x->seq;
    own->time_ms = x->time_ms;
    return 0;
}

static void step_vectors(heed_novelty *v, heed_novel *x, int64_t n) {
    heed_nearby_ask ask[BATCH];
    for (int64_t i = 0; i < n; i++)
        ask[i] = (heed_nearby_ask){ .seq = x[i].seq,
                                    .time_ms = x[i].time_ms,
                                    .since_ms = x[i].time_ms - v->within_ms,
                                    .vector = x[i].vector,
                                    .least = v->least };
    heed__nearby_step(v->nearby, ask, n);
    for (int64_t i = 0; i < n; i++)
        if (ask[i].nearest) hear(v, &x[i], ask[i].nearest, ask[i].cosine);
}

int heed_novelty_step(heed_novelty *v, heed_novel *x, int64_t n, heed_error *err) {
    for (int64_t i = 0; i < n; i++) {
        x[i].nearest = 0;
        x[i].cosine = 0;
        if (step_words(v, &x[i])) return heed__error(err, HEED_ENOMEM, "novelty: out of memory");
    }
    for (int64_t at = 0; v->nearby && at < n; at += BATCH)
        step_vectors(v, x + at, n - at < BATCH ? n - at : BATCH);
    for (int64_t i = 0; i < n; i++)
        if (x[i].cosine > 1) x[i].cosine = 1; /* rounding */
    return 0;
}
