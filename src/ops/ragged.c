/* ragged.c: texts without padding (ragged.h). */
#include "ops/ragged.h"

#include <string.h>

#include "ops/op.h"

typedef struct near_job {
    const heed_math_kernels *k;
    const heed__texts *texts;
    const float *bias;
    float *x, *h; /* [M,D] */
    int64_t D;
} near_job;

/* Rows on their way into a sum. */
typedef struct rows {
    const near_job *j;
    float *to;
    int64_t len;
    const float *row[64];
    float part[64];
} rows;

static void flush(rows *r) {
    if (r->len) r->j->k->gather_at(r->to, r->part, r->row, r->len, r->j->D);
    r->len = 0;
}

/* Part `which` of unit u. */
static void add_unit(rows *r, int64_t u, int64_t which) {
    const heed__texts *t = r->j->texts;
    for (int64_t i = t->first[u]; i < t->first[u + 1]; i++) {
        if (r->len == 64) flush(r);
        r->part[r->len] = t->part[u];
        r->row[r->len++] = t->row[i] + which * r->j->D;
    }
}

/* Asks for the rows of unit u, long before they are added. */
static void ask(const near_job *j, int64_t u) {
    const heed__texts *t = j->texts;
    for (int64_t i = t->first[u]; i < t->first[u + 1]; i++)
        for (int64_t d = 0; d < 4 * j->D; d += 16) __builtin_prefetch(t->row[i] + d);
}

static void near_texts(void *arg, int64_t begin, int64_t end, int worker) {
    const near_job *j = arg;
    const int64_t D = j->D, *at = j->texts->begin;
    enum { AHEAD = 4 };
    rows r = { .j = j };
    (void)worker;
    for (int64_t i = begin; i < end; i++) {
        for (int64_t u = at[i]; u < at[i + 1]; u++) {
            if (u + AHEAD < at[end]) ask(j, u + AHEAD);
            r.to = j->x + u * D;
            memset(r.to, 0, (size_t)D * sizeof *r.to);
            add_unit(&r, u, 0);
            flush(&r);
            r.to = j->h + u * D;
            memcpy(r.to, j->bias, (size_t)D * sizeof *r.to);
            if (u > at[i]) add_unit(&r, u - 1, 1);
            add_unit(&r, u, 2);
            if (u + 1 < at[i + 1]) add_unit(&r, u + 1, 3);
            flush(&r);
        }
        float *h = j->h + at[i] * D;
        const int64_t n = (at[i + 1] - at[i]) * D;
        j->k->gelu(h, h, n);
        j->k->add(h, h, j->x + at[i] * D, n);
    }
}

heed_tensor *heed__ragged_near(heed_ctx *cx, const heed__texts *texts, const heed_tensor *b) {
    const int64_t units = texts->begin[texts->len], D = b->len;
    heed_tensor *h = heed_new(cx, HEED_F32, 2, (int64_t[]){ units, D });
    float *x = heed__temp(cx, units * D, sizeof *x);
    if (!h || !x) return NULL;
    near_job j = { cx->k->math, texts, b->data, x, h->data, D };
    heed__parallel(cx, texts->len, 256 * D, near_texts, &j);
    heed__temp_end(cx, x);
    return h;
}

typedef struct pool_job {
    const heed_kernels *k;
    const float *h, *score;
    const heed__texts *texts;
    float *weight;      /* [M·H] text after text, each [H,T] */
    const int32_t *row; /* 0, 1, .. */
    float *y;
    int64_t D, H;
} pool_job;

static void pool_text(const pool_job *j, int64_t i) {
    const int64_t D = j->D, H = j->H, at = j->texts->begin[i], T = j->texts->begin[i + 1] - at;
    const float *h = j->h + at * D;
    float *y = j->y + i * (H + 1) * D, *weight = j->weight + at * H;
    for (int64_t t = 0; t < T; t++)
        for (int64_t k = 0; k < H; k++)
            weight[k * T + t] = j->score ? j->score[(at + t) * H + k] : 0;
    for (int64_t k = 0; k < H; k++) {
        float *part = weight + k * T;
        j->k->row->softmax(part, part, T);
        memset(y + k * D, 0, (size_t)D * sizeof *y);
        j->k->math->gather(y + k * D, part, h, j->row, T, D);
    }
    memcpy(y + H * D, h, (size_t)D * sizeof *y);
    for (int64_t t = 1; t < T; t++) j->k->math->keep_max(y + H * D, NULL, h + t * D, (int32_t)t, D);
}

static void pool_texts(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    for (int64_t i = begin; i < end; i++) pool_text(arg, i);
}

heed_tensor *heed__ragged_pool(heed_ctx *cx, const heed_tensor *h, const heed_tensor *score,
                               const heed__texts *texts, const float **weight) {
    if (!h) return NULL;
    const int64_t D = h->shape[1], H = score ? score->shape[1] : 1;
    int64_t most = 1;
    for (int64_t i = 0; i < texts->len; i++) {
        const int64_t T = texts->begin[i + 1] - texts->begin[i];
        most = T > most ? T : most;
    }
    heed_tensor *y = heed_new(cx, HEED_F32, 2, (int64_t[]){ texts->len, (H + 1) * D });
    float *own = heed__alloc(cx, h->shape[0] * H, sizeof *own);
    int32_t *row = heed__alloc(cx, most, sizeof *row);
    if (!y || !own || !row) return NULL;
    for (int64_t t = 0; t < most; t++) row[t] = (int32_t)t;
    pool_job j = { .k = cx->k,
                   .h = h->data,
                   .score = score ? score->data : NULL,
                   .texts = texts,
                   .weight = own,
                   .row = row,
                   .y = y->data,
                   .D = D,
                   .H = H };
    heed__parallel(cx, texts->len, most * D * (H + 1), pool_texts, &j);
    if (weight) *weight = own;
    return y;
}
