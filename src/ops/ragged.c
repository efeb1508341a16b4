/* ragged.c: texts without padding (ragged.h). */
#include "ops/ragged.h"

#include <math.h>
#include <string.h>

#include "kernels/quant.h"
#include "ops/op.h"

float heed__to_i8(const heed_ctx *cx, int8_t *number, const float *x, int64_t n) {
    const float scale = cx->k->quant->quantize(number, x, n);
    return isfinite(cx->k->row->sum(x, n)) ? scale : NAN;
}

typedef struct near_job {
    const heed_math_kernels *k;
    const heed__texts *texts;
    const float *bias;
    float *sum; /* [workers,3,4D] */
    float *h;   /* [M,D] */
    int64_t D;
} near_job;

/* Asks for the items of unit u, long before they are added. */
static void ask(const near_job *j, int64_t u) {
    const heed__texts *t = j->texts;
    for (int64_t i = t->first[u]; i < t->first[u + 1]; i++)
        for (size_t at = 0; at < heed__item_size(j->D); at += 64)
            __builtin_prefetch((const char *)t->item[i] + at);
}

/* sum [4D] of unit u's items. */
static void add_up(const near_job *j, int64_t u, float *sum) {
    enum { TOGETHER = 32 };
    const heed__texts *t = j->texts;
    const int64_t D = j->D, end = t->first[u + 1];
    const int8_t *x[TOGETHER], *c[TOGETHER];
    float of_x[TOGETHER], of_c[TOGETHER];
    memset(sum, 0, (size_t)(4 * D) * sizeof *sum);
    for (int64_t at = t->first[u], n; at < end; at += n) {
        n = end - at < TOGETHER ? end - at : TOGETHER;
        for (int64_t i = 0; i < n; i++) {
            const heed__item *item = t->item[at + i];
            x[i] = item->number;
            c[i] = item->number + D;
            of_x[i] = t->part[u] * item->scale[0];
            of_c[i] = t->part[u] * item->scale[1];
        }
        j->k->gather_at(sum, of_x, x, n, D);
        j->k->gather_at(sum + D, of_c, c, n, 3 * D);
    }
}

static void near_texts(void *arg, int64_t begin, int64_t end, int worker) {
    enum { AHEAD = 4 };
    const near_job *j = arg;
    const int64_t D = j->D, *at = j->texts->begin;
    float *sum = j->sum + worker * 12 * D;
    for (int64_t i = begin; i < end; i++) {
        const float *before = NULL, *here = sum + at[i] % 3 * 4 * D;
        add_up(j, at[i], sum + at[i] % 3 * 4 * D);
        for (int64_t u = at[i]; u < at[i + 1]; u++) {
            float *after = u + 1 < at[i + 1] ? sum + (u + 1) % 3 * 4 * D : NULL;
            if (u + AHEAD < at[end]) ask(j, u + AHEAD);
            if (after) add_up(j, u + 1, after);
            const float *const c[3] = { before ? before + D : NULL, here + 2 * D,
                                        after ? after + 3 * D : NULL };
            j->k->near(j->h + u * D, j->bias, here, c, D);
            before = here;
            here = after;
        }
    }
}

heed_tensor *heed__ragged_near(heed_ctx *cx, const heed__texts *texts, const heed_tensor *b) {
    const int64_t units = texts->begin[texts->len], D = b->len;
    heed_tensor *h = heed_new(cx, HEED_F32, 2, (int64_t[]){ units, D });
    float *sum = heed__temp(cx, 12 * D * heed_pool_threads(cx->pool), sizeof *sum);
    if (!h || !sum) return NULL;
    near_job j = { cx->k->math, texts, b->data, sum, h->data, D };
    heed__parallel(cx, texts->len, 256 * D, near_texts, &j);
    heed__temp_end(cx, sum);
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
