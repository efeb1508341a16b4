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

typedef struct job {
    const heed_kernels *k;
    const heed__texts *texts;
    const float *near, *query; /* query NULL: every unit alike */
    int64_t items;             /* most of a unit */
    const int8_t **row;        /* [workers,4,items] */
    float *a;                  /* the same */
    float *h;                  /* [workers,longest text,D] */
    int64_t h_len;             /* of a worker */
    float *weight;             /* [M·H] text after text, each [H,T] */
    float *y;                  /* [len,H+1,D] */
    int64_t D, H;
} job;

/* Asks for the items of unit u, long before they are added. */
static void ask(const job *j, int64_t u) {
    const heed__texts *t = j->texts;
    for (int64_t i = t->first[u]; i < t->first[u + 1]; i++)
        for (size_t at = 0; at < heed__item_size(j->D); at += 64)
            __builtin_prefetch((const char *)t->item[i] + at);
}

/* Parts of items on their way into a sum. */
typedef struct listing {
    const int8_t **row;
    float *a;
    int64_t len;
} listing;

/* Lists part 0..3 of unit u's items: x, c0, c1, c2. */
static void list(const job *j, int64_t u, int part, listing *to) {
    const heed__texts *t = j->texts;
    for (int64_t i = t->first[u]; i < t->first[u + 1]; i++) {
        const heed__item *item = t->item[i];
        to->row[to->len] = item->number + part * j->D;
        to->a[to->len++] = t->part[u] * item->scale[part > 0];
    }
}

/* h [T,D] of units [unit[0],unit[1]), which are a text; asks for those before `far`. */
static void context(const job *j, const int64_t unit[2], int64_t far, int worker, float *h) {
    enum { AHEAD = 4 };
    const int64_t at = worker * 4 * j->items;
    for (int64_t u = unit[0]; u < unit[1]; u++, h += j->D) {
        listing x = { j->row + at, j->a + at, 0 };
        listing c = { x.row + j->items, x.a + j->items, 0 };
        if (u + AHEAD < far) ask(j, u + AHEAD);
        list(j, u, 0, &x);
        if (u > unit[0]) list(j, u - 1, 1, &c);
        list(j, u, 2, &c);
        if (u + 1 < unit[1]) list(j, u + 1, 3, &c);
        j->k->math->near(h, j->near, &(heed_i8_rows){ x.row, x.a, x.len },
                         &(heed_i8_rows){ c.row, c.a, c.len }, j->D);
    }
}

static void apply_texts(void *arg, int64_t begin, int64_t end, int worker) {
    const job *j = arg;
    const int64_t D = j->D, H = j->H, *at = j->texts->begin;
    float *h = j->h + worker * j->h_len;
    for (int64_t i = begin; i < end; i++) {
        const int64_t T = at[i + 1] - at[i];
        float *weight = j->weight + at[i] * H;
        context(j, at + i, at[end], worker, h);
        if (j->query)
            j->k->row->scores(weight, j->query, H, h, T, D);
        else
            memset(weight, 0, (size_t)T * sizeof *weight);
        for (int64_t k = 0; k < H; k++) j->k->row->softmax(weight + k * T, weight + k * T, T);
        j->k->row->means(j->y + i * (H + 1) * D, weight, H, h, T, D);
    }
}

heed_tensor *heed__ragged_apply(heed_ctx *cx, const heed__texts *texts, const heed__reader *reader,
                                const float **weight) {
    const int64_t D = reader->near->len, H = reader->query ? reader->query->shape[0] : 1;
    const int64_t units = texts->begin[texts->len], workers = heed_pool_threads(cx->pool);
    int64_t most = 1, items = 1;
    for (int64_t i = 0; i < texts->len; i++) {
        const int64_t T = texts->begin[i + 1] - texts->begin[i];
        most = T > most ? T : most;
    }
    for (int64_t u = 0; u < units; u++) {
        const int64_t n = texts->first[u + 1] - texts->first[u];
        items = n > items ? n : items;
    }
    heed_tensor *y = heed_new(cx, HEED_F32, 2, (int64_t[]){ texts->len, (H + 1) * D });
    float *own = heed__alloc(cx, units * H, sizeof *own);
    job j = { .k = cx->k,
              .texts = texts,
              .near = reader->near->data,
              .query = reader->query ? reader->query->data : NULL,
              .items = items,
              .row = heed__temp(cx, workers * 4 * items, sizeof *j.row),
              .a = heed__temp(cx, workers * 4 * items, sizeof *j.a),
              .h = heed__temp(cx, workers * most * D, sizeof *j.h),
              .h_len = most * D,
              .weight = own,
              .D = D,
              .H = H };
    if (!y || !own || !j.row || !j.a || !j.h) return NULL;
    j.y = y->data;
    heed__parallel(cx, texts->len, most * D * (H + 16), apply_texts, &j);
    heed__temp_end(cx, j.h);
    heed__temp_end(cx, j.a);
    heed__temp_end(cx, (void *)j.row);
    if (weight) *weight = own;
    return y;
}
