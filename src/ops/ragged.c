/* ragged.c: texts without padding (ragged.h). */
#include "ops/ragged.h"

#include <string.h>

#include "ops/affine.h"
#include "ops/op.h"

typedef struct bags_job {
    const heed_math_kernels *k;
    const heed__bags *bags;
    const float *table;
    float *part, *y;
    int64_t D;
} bags_job;

static void sum_parts(void *arg, int64_t begin, int64_t end, int worker) {
    const bags_job *j = arg;
    const heed__bags *b = j->bags;
    (void)worker;
    for (int64_t i = begin; i < end; i++) {
        memset(j->part + i * j->D, 0, (size_t)j->D * sizeof *j->part);
        j->k->gather(j->part + i * j->D, NULL, j->table, b->id + b->part_begin[i],
                     b->part_end[i] - b->part_begin[i], j->D);
    }
}

/* Asks for the rows of bag i beyond its part, long before they are added. */
static void ask(const bags_job *j, int64_t i) {
    const heed__bags *b = j->bags;
    const int32_t p = b->head[i];
    const int64_t skip = p < 0 ? 0 : b->part_end[p] - b->part_begin[p];
    for (int64_t k = b->begin[i] + skip; k < b->end[i]; k++) {
        const float *row = j->table + b->id[k] * j->D;
        for (int64_t d = 0; d < j->D; d += 16) __builtin_prefetch(row + d);
    }
}

static void sum_bags(void *arg, int64_t begin, int64_t end, int worker) {
    const bags_job *j = arg;
    const heed__bags *b = j->bags;
    const size_t size = (size_t)j->D * sizeof *j->y;
    enum { AHEAD = 4 };
    (void)worker;
    for (int64_t i = begin; i < end; i++) {
        float *y = j->y + i * j->D;
        if (i + AHEAD < end) ask(j, i + AHEAD);
        const int32_t p = b->head[i];
        const int64_t skip = p < 0 ? 0 : b->part_end[p] - b->part_begin[p];
        const int64_t n = b->end[i] - b->begin[i];
        if (p < 0)
            memset(y, 0, size);
        else
            memcpy(y, j->part + p * j->D, size);
        if (n > skip) j->k->gather(y, NULL, j->table, b->id + b->begin[i] + skip, n - skip, j->D);
        if (n > 0) j->k->axpby(y, 1.0f / (float)n, y, 0.0f, j->D);
    }
}

heed_tensor *heed__ragged_bags(heed_ctx *cx, const heed_tensor *table, const heed__bags *bags) {
    const int64_t D = table->shape[1];
    heed_tensor *y = heed_new(cx, HEED_F32, 2, (int64_t[]){ bags->len, D });
    float *part = heed__alloc(cx, bags->parts * D, sizeof *part);
    if (!y || !part) return NULL;
    bags_job j = { cx->k->math, bags, table->data, part, y->data, D };
    heed__parallel(cx, bags->parts, 16 * D, sum_parts, &j);
    heed__parallel(cx, bags->len, 4 * D, sum_bags, &j);
    return y;
}

heed_tensor *heed__ragged_near(heed_ctx *cx, heed_tensor *x, heed_tensor *w, heed_tensor *b) {
    if (!x || !w || !b) return NULL;
    const int64_t D = x->shape[1], rows = x->shape[0] - 2;
    heed_tensor *y = heed_new(cx, HEED_F32, 2, (int64_t[]){ rows, D });
    if (!y) return NULL;
    heed_gemm g = heed__affine_product(x, w);
    g.m = rows; /* each is the last one moved by D */
    g.lda = D;
    g.c = y->data;
    g.bias = b->data;
    g.act = HEED_ACT_GELU;
    g.residual = (const float *)x->data + D;
    g.ldr = D;
    heed__count(cx, w, "matmul", 2.0 * (double)y->len * (double)g.k);
    return heed__product(cx, &g) ? y : NULL;
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
    const int64_t D = j->D, H = j->H, at = j->texts->begin[i], T = j->texts->begin[i + 1] - 1 - at;
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
                               const heed__texts *texts) {
    if (!h) return NULL;
    const int64_t D = h->shape[1], H = score ? score->shape[1] : 1;
    int64_t most = 1;
    for (int64_t i = 0; i < texts->len; i++) {
        const int64_t T = texts->begin[i + 1] - 1 - texts->begin[i];
        most = T > most ? T : most;
    }
    heed_tensor *y = heed_new(cx, HEED_F32, 2, (int64_t[]){ texts->len, (H + 1) * D });
    float *weight = heed__alloc(cx, h->shape[0] * H, sizeof *weight);
    int32_t *row = heed__alloc(cx, most, sizeof *row);
    if (!y || !weight || !row) return NULL;
    for (int64_t t = 0; t < most; t++) row[t] = (int32_t)t;
    pool_job j = { .k = cx->k,
                   .h = h->data,
                   .score = score ? score->data : NULL,
                   .texts = texts,
                   .weight = weight,
                   .row = row,
                   .y = y->data,
                   .D = D,
                   .H = H };
    heed__parallel(cx, texts->len, most * D * (H + 1), pool_texts, &j);
    return y;
}
