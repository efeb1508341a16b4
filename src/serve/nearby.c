/* nearby.c: the nearest earlier vector.
 *
 * A row y is kept as it is and as y' = s·q, q whole numbers of 8 bits; |y - y'| is kept too. For a
 * question x with x' likewise
 *     |x·y - x'·y'| <= |x| |y - y'| + |x - x'| |y'|
 * (Cauchy and Schwarz), and x'·y' comes from a product of whole numbers, a block of rows and of
 * questions at a time. Rows whose upper bound is below the largest lower bound, or below what is
 * asked for, cannot be the nearest; of the others the cosine is computed from the floats, in the
 * fixed order of the kernels. What they round away is in the bounds (ROUNDING). */
#include "serve/nearby.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "kernels/kernels.h"
#include "kernels/quant.h"
#include "kernels/row.h"

enum { COLS = 512, ROWS = 64, LIST = 256 };
static const double UNIT = 1.0 / (1 << 23); /* twice a float's rounding */

/* Rows [COLS,dim], packed for products. Unused ones are zeros. */
typedef struct block {
    float scale[COLS], error[COLS], length[COLS];
    double error_most, length_most;
    bool changed; /* those two are to be found again */
    void *packed;
} block;

typedef struct seen {
    int64_t seq, time_ms; /* seq 0: an empty place */
    int64_t twin;         /* seq of the first that is known to have the same bits; its own */
} seen;

/* A question being answered. */
typedef struct asked {
    heed_nearby_ask *ask;
    double length, error; /* |x|, |x - x'| */
    double floor;         /* what is below cannot be the nearest */
    int64_t twin;         /* of the nearest so far */
    int64_t len;
    struct {
        int64_t place;
        double upper;
    } list[LIST]; /* may be the nearest */
} asked;

struct heed_nearby {
    heed_hooks hooks;
    const heed_kernels *k;
    int64_t reach, places, dim, blocks, looked;
    float *vector; /* [places,dim] that of event seq at seq % places */
    seen *place;   /* [places] */
    block *block;  /* [blocks] */
    int8_t *q;     /* [ROWS,dim] */
    float scale[ROWS], *product;
    void *scratch;
    asked asked[ROWS];
};

static heed_qgemm product_of(const heed_nearby *v, const block *b, int64_t n) {
    return (heed_qgemm){ .m = n,
                         .n = COLS,
                         .k = v->dim,
                         .a = v->q,
                         .lda = v->dim,
                         .packed = b->packed,
                         .c = v->product,
                         .ldc = COLS,
                         .row_scale = v->scale,
                         .col_scale = b->scale };
}

heed_nearby *heed__nearby_new(int64_t reach, int64_t dim, const heed_hooks *hooks,
                              heed_error *err) {
    heed_nearby *v = heed__calloc(hooks, 1, sizeof *v);
    bool ok = v != NULL;
    if (v) {
        if (hooks) v->hooks = *hooks;
        v->k = heed__kernels(NULL, err);
        v->reach = reach;
        v->dim = dim;
        v->places = reach + HEED_NEARBY_AGAIN;
        v->blocks = (v->places + COLS - 1) / COLS;
        v->vector = heed__calloc(hooks, (size_t)v->places, (size_t)dim * sizeof(float));
        v->place = heed__calloc(hooks, (size_t)v->places, sizeof *v->place);
        v->block = heed__calloc(hooks, (size_t)v->blocks, sizeof *v->block);
        v->q = heed__malloc(hooks, (size_t)(ROWS * dim) + 64);
        v->product = heed__aligned(hooks, ROWS * COLS * sizeof(float));
        ok = v->k && v->vector && v->place && v->block && v->q && v->product;
    }
    const size_t size = (size_t)heed__q_packed_size(COLS, dim);
    for (int64_t i = 0; ok && i < v->blocks; i++) {
        v->block[i].packed = heed__aligned(hooks, size);
        if (v->block[i].packed) memset(v->block[i].packed, 0, size);
        ok = v->block[i].packed != NULL;
    }
    if (ok) {
        const heed_qgemm g = product_of(v, &v->block[0], ROWS);
        v->scratch = heed__aligned(hooks, (size_t)heed__q_scratch(v->k, &g, 1));
        if (v->scratch) return v;
    }
    heed__nearby_free(v);
    heed__error(err, HEED_ENOMEM, "novelty: out of memory");
    return NULL;
}

void heed__nearby_free(heed_nearby *v) {
    if (!v) return;
    const heed_hooks hooks = v->hooks;
    for (int64_t i = 0; v->block && i < v->blocks; i++)
        heed__aligned_free(&hooks, v->block[i].packed);
    heed__free(&hooks, v->block);
    heed__free(&hooks, v->vector);
    heed__free(&hooks, v->place);
    heed__free(&hooks, v->q);
    heed__aligned_free(&hooks, v->product);
    heed__aligned_free(&hooks, v->scratch);
    heed__free(&hooks, v);
}

int64_t heed__nearby_looked(const heed_nearby *v) {
    return v->looked;
}

/* -- whole numbers ---------------------------------------------------------------------------- */

/* x in whole numbers of 8 bits; *length |x|, *error |x - x'|. A row that is beyond floats' means
 * has no bounds: its error is infinite. */
static float shrink(const heed_nearby *v, const float *x, int8_t *q, double *length,
                    double *error) {
    double sum = 0, lost = 0;
    for (int64_t i = 0; i < v->dim; i++) sum += (double)x[i] * (double)x[i];
    if (!(sum < 1e30)) {
        memset(q, 0, (size_t)v->dim);
        *length = *error = (double)INFINITY;
        return 0;
    }
    const float scale = v->k->quant->quantize(q, x, v->dim);
    for (int64_t i = 0; i < v->dim; i++) {
        const double less = (double)x[i] - (double)scale * q[i];
        lost += less * less;
    }
    *length = sqrt(sum);
    *error = sqrt(lost);
    return scale;
}

/* The event's row becomes one of the memory. */
static void take(heed_nearby *v, const heed_nearby_ask *ask, int64_t twin) {
    const int64_t at = ask->seq % v->places, in = at % COLS, D = v->dim;
    block *b = &v->block[at / COLS];
    double length, error;
    memmove(v->vector + at * D, ask->vector, (size_t)D * sizeof(float));
    b->scale[in] = shrink(v, ask->vector, v->q, &length, &error);
    heed__q_pack_row(b->packed, v->q, COLS, D, in);
    b->error[in] = nextafterf((float)error, INFINITY);
    b->length[in] = nextafterf((float)(length + error), INFINITY); /* of x' too */
    b->changed = true;
    v->place[at] = (seen){ ask->seq, ask->time_ms, twin ? twin : ask->seq };
}

static void find_most(block *b) {
    b->error_most = b->length_most = 0;
    for (int i = 0; i < COLS; i++) {
        b->error_most = fmax(b->error_most, (double)b->error[i]);
        b->length_most = fmax(b->length_most, (double)b->length[i]);
    }
    b->changed = false;
}

/* By how much x'·y' and the computed x·y may differ at most: error and length of y. */
static double margin(const heed_nearby *v, const asked *a, double error, double length) {
    const double rounding = UNIT * (double)(v->dim / 16 + 16);
    const double most = a->length * error + (a->error + rounding * (a->length + a->error)) * length;
    return most == most ? most * (1 + 1e-9) + 1e-30 : (double)INFINITY;
}

/* -- answers ---------------------------------------------------------------------------------- */

static bool earlier(const heed_nearby *v, const heed_nearby_ask *x, const seen *p) {
    return p->seq > 0 && p->seq > x->seq - v->reach && p->seq < x->seq && p->time_ms >= x->since_ms;
}

/* Hears of one earlier event's cosine. */
static void hear(asked *a, int64_t seq, int64_t twin, double cosine) {
    heed_nearby_ask *x = a->ask;
    if (!(cosine >= x->least) || !(cosine > 0)) return;
    if (x->nearest && (cosine < x->cosine || (cosine <= x->cosine && seq >= x->nearest))) return;
    x->nearest = seq;
    x->cosine = cosine;
    a->twin = twin;
    if (cosine > a->floor) a->floor = cosine;
}

/* Computes those on the list that still may be the nearest, and empties it. */
static void resolve(heed_nearby *v, asked *a) {
    for (int64_t i = 0; i < a->len; i++) {
        const int64_t at = a->list[i].place;
        const seen *p = &v->place[at];
        if (a->list[i].upper < a->floor) continue;
        if (a->ask->nearest && p->twin == a->twin) { /* the same bits: the same cosine */
            if (p->seq < a->ask->nearest) a->ask->nearest = p->seq;
            continue;
        }
        v->looked++;
        hear(a, p->seq, p->twin,
             (double)v->k->row->dot(v->vector + at * v->dim, a->ask->vector, v->dim));
    }
    a->len = 0;
}

/* Room on a full list: what is below the floor by now goes; where that is little, the rest is
 * computed. */
static void make_room(heed_nearby *v, asked *a) {
    int64_t kept = 0;
    for (int64_t i = 0; i < a->len; i++)
        if (a->list[i].upper >= a->floor) a->list[kept++] = a->list[i];
    a->len = kept;
    if (kept > LIST / 2) resolve(v, a);
}

/* Puts on the list what may be the nearest of a block; c: products with its rows. */
static void look(heed_nearby *v, asked *a, int64_t at, const float *c) {
    const block *b = &v->block[at];
    const double most = margin(v, a, b->error_most, b->length_most);
    if ((double)v->k->row->max(c, COLS) < a->floor - most) return;
    for (int64_t i = 0; i < COLS; i++) {
        const double near = (double)c[i];
        if (near < a->floor - most) continue;
        const int64_t place = at * COLS + i;
        if (place >= v->places || !earlier(v, a->ask, &v->place[place])) continue;
        const double may = margin(v, a, (double)b->error[i], (double)b->length[i]);
        if (near + may < a->floor) continue;
        if (near - may > a->floor) a->floor = near - may;
        if (a->len == LIST) make_room(v, a);
        a->list[a->len].place = place;
        a->list[a->len++].upper = near + may;
    }
}

/* Up to ROWS questions against the memory as it is, and each against those before it. */
static void answer(heed_nearby *v, heed_nearby_ask *ask, int64_t n) {
    for (int64_t i = 0; i < n; i++) {
        asked *a = &v->asked[i];
        a->ask = &ask[i];
        a->len = a->twin = 0;
        ask[i].nearest = 0;
        ask[i].cosine = 0;
        v->scale[i] = shrink(v, ask[i].vector, v->q + i * v->dim, &a->length, &a->error);
        a->floor = ask[i].least > 0 ? ask[i].least : 0;
        for (int64_t j = 0; j < i; j++) {
            const seen own = { ask[j].seq, ask[j].time_ms, 0 };
            if (!earlier(v, &ask[i], &own)) continue;
            v->looked++;
            hear(a, own.seq, -own.seq,
                 (double)v->k->row->dot(ask[j].vector, ask[i].vector, v->dim));
        }
    }
    for (int64_t at = 0; at < v->blocks; at++) {
        if (v->block[at].changed) find_most(&v->block[at]);
        if (v->block[at].length_most <= 0) continue; /* it has no row, or zeros alone */
        const heed_qgemm g = product_of(v, &v->block[at], n);
        heed__qgemm(v->k, NULL, &g, v->scratch);
        for (int64_t i = 0; i < n; i++) look(v, &v->asked[i], at, v->product + i * COLS);
    }
    for (int64_t i = 0; i < n; i++) resolve(v, &v->asked[i]);
}

/* The first that is known to have the same bits as an event's vector; 0: none is. */
static int64_t twin_of(const heed_nearby *v, const heed_nearby_ask *ask, const int64_t *twin,
                       int64_t i) {
    const int64_t seq = ask[i].nearest;
    const float *other = NULL;
    int64_t is = 0;
    for (int64_t j = 0; seq && j < i && !other; j++)
        if (ask[j].seq == seq) other = ask[j].vector, is = twin[j] ? twin[j] : seq;
    if (seq && !other) {
        other = v->vector + seq % v->places * v->dim;
        is = v->place[seq % v->places].twin;
    }
    const bool same = other && memcmp(other, ask[i].vector, (size_t)v->dim * sizeof *other) == 0;
    return same ? is : 0;
}

void heed__nearby_step(heed_nearby *v, heed_nearby_ask *ask, int64_t n) {
    for (int64_t at = 0; at < n; at += ROWS) {
        const int64_t rows = n - at < ROWS ? n - at : ROWS;
        int64_t twin[ROWS];
        answer(v, ask + at, rows);
        for (int64_t i = 0; i < rows; i++) twin[i] = twin_of(v, ask + at, twin, i);
        for (int64_t i = 0; i < rows; i++) take(v, &ask[at + i], twin[i]);
    }
}
