/* evidence_impl.h: inside of the evidence, for its files: how often a text has which features, and
 * what they count there. A feature that is c times in a text weighs (1 + ln c) · w, w of
 * evidence_weights.c; words and runs together have length 1, and so have the pieces; pairs have
 * length 0.7. */
#ifndef HEED_TASKS_EVIDENCE_IMPL_H
#define HEED_TASKS_EVIDENCE_IMPL_H

#include <math.h>
#include <string.h>

#include "ops/op.h"
#include "tasks/evidence.h"

static inline float heed__log_of(const heed_evidence *e, int64_t times) {
    return e->ln[times < HEED_EVIDENCE_LOGS ? times : HEED_EVIDENCE_LOGS - 1];
}

/* A feature of the text at hand. */
typedef struct heed_seen {
    int32_t id, times; /* times 0: free */
} heed_seen;

/* How often a text has which features: a hash table with few of its places taken. */
typedef struct heed_counter {
    heed_seen *table; /* [slots] */
    int64_t slots;
    int shift; /* of a hash, to a place */
} heed_counter;

/* Slots for texts of at most so many features. */
static inline int64_t heed__counter_slots(int64_t features) {
    int64_t slots = 64;
    while (slots < 4 * features) slots *= 2;
    return slots;
}

/* An empty table for a text of at most so many. */
static inline void heed__counter_begin(heed_counter *c, int64_t features) {
    c->slots = heed__counter_slots(features);
    c->shift = 32 - __builtin_ctzll((unsigned long long)c->slots);
    memset(c->table, 0, (size_t)c->slots * sizeof *c->table);
}

/* Counts features and lists the places of those that are there `nth` times now; how many. */
static inline int64_t heed__counter_add(heed_counter *c, const int32_t *id, int64_t len, int nth,
                                        int32_t *place) {
    int64_t n = 0;
    for (int64_t k = 0; k < len; k++) {
        uint32_t at = (uint32_t)id[k] * 0x9e3779b1u >> c->shift;
        while (c->table[at].times && c->table[at].id != id[k])
            at = (at + 1) & (uint32_t)(c->slots - 1);
        c->table[at].id = id[k];
        c->table[at].times++;
        place[n] = (int32_t)at; /* room for one more than there are */
        n += c->table[at].times == nth;
    }
    return n;
}

/* Which of three lengths feature id counts for: that of words and runs, of pieces, of pairs. */
static inline int heed__evidence_part(const heed_feature_index *x, int32_t id) {
    if (id >= x->kinds[HEED_FEATURE_PAIR]) return 2;
    return id >= x->kinds[HEED_FEATURE_PIECE] && id < x->kinds[HEED_FEATURE_RUN];
}

/* What brings parts of these squares to their lengths. */
static inline void heed__evidence_factors(const double square[3], float by[3]) {
    static const float length[3] = { 1, 1, 0.7f };
    for (int i = 0; i < 3; i++) by[i] = square[i] > 0 ? length[i] / sqrtf((float)square[i]) : 0;
}

#endif
