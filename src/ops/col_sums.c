/* col_sums.c: sums over rows by the shard rule of gemm.h, so that gradients of biases, gains and
 * other broadcast operands have the same bits for any number of threads. */
#include "ops/op.h"

#include <string.h>

typedef struct sums {
    const heed_col_sums *s;
    heed_ctx *cx;
    float *part; /* [shards,cols]; `out` itself where that is all there is to do */
    int64_t shards, pieces;
} sums;

static int64_t least(int64_t a, int64_t b) {
    return a < b ? a : b;
}

/* One unit is one shard of rows and one piece of the columns. */
static void sum_units(void *arg, int64_t begin, int64_t end, int worker) {
    const sums *u = arg;
    const heed_col_sums *s = u->s;
    (void)worker;
    for (int64_t i = begin; i < end; i++) {
        const int64_t shard = i / u->pieces, row = shard * HEED_GEMM_SHARD;
        const int64_t col = i % u->pieces * s->piece;
        const int64_t range[4] = { row, least(HEED_GEMM_SHARD, s->rows - row), col,
                                   least(s->piece, s->cols - col) };
        float *sum = u->part + shard * s->cols + col;
        memset(sum, 0, (size_t)range[HEED_COLS] * sizeof *sum);
        s->fn(u->cx, s->arg, sum, range);
    }
}

/* part[0] = balanced tree over part[0..count) of `cols` columns. */
static void tree(const sums *u, float *part, int64_t count, int64_t cols) {
    int64_t left = 1;
    if (count < 2) return;
    while (left * 2 < count) left *= 2;
    float *right = part + left * u->s->cols;
    tree(u, part, left, cols);
    tree(u, right, count - left, cols);
    u->cx->k->math->add(part, part, right, cols);
}

static void join_pieces(void *arg, int64_t begin, int64_t end, int worker) {
    const sums *u = arg;
    const heed_col_sums *s = u->s;
    (void)worker;
    for (int64_t i = begin; i < end; i++) {
        const int64_t col = i * s->piece, cols = least(s->piece, s->cols - col);
        float *part = u->part + col, *out = s->out + col;
        tree(u, part, u->shards, cols);
        if (s->beta != 0)
            u->cx->k->math->add(out, part, out, cols);
        else
            memcpy(out, part, (size_t)cols * sizeof *out);
    }
}

int64_t heed__col_piece(const heed_ctx *cx, int64_t cols) {
    const int threads = heed_pool_threads(cx->pool);
    return threads > 1 && cols < 2 * 256 * threads ? 128 : 256;
}

bool heed__col_sums(heed_ctx *cx, const heed_col_sums *sum) {
    heed_col_sums s = *sum;
    if (!s.cols) return true;
    if (!s.rows) {
        if (s.beta == 0) memset(s.out, 0, (size_t)s.cols * sizeof *s.out);
        return true;
    }
    if (s.piece < 1 || s.piece > s.cols) s.piece = s.cols;
    sums u = { .s = &s, .cx = cx };
    u.shards = (s.rows + HEED_GEMM_SHARD - 1) / HEED_GEMM_SHARD;
    u.pieces = (s.cols + s.piece - 1) / s.piece;
    const bool direct = u.shards == 1 && s.beta == 0;
    u.part = direct ? s.out : heed__temp(cx, u.shards * s.cols, sizeof(float));
    if (!u.part) return false;
    heed__parallel(cx, u.shards * u.pieces, least(s.rows, HEED_GEMM_SHARD) * s.piece, sum_units,
                   &u);
    if (direct) return true;
    heed__parallel(cx, u.pieces, u.shards * s.piece, join_pieces, &u);
    heed__temp_end(cx, u.part);
    return true;
}

typedef struct plain {
    const float *x;
    int64_t cols;
} plain;

static void add_plain(heed_ctx *cx, const void *arg, float *sum, const int64_t range[4]) {
    const plain *p = arg;
    cx->k->row->add_rows(sum, p->x + range[HEED_ROW] * p->cols + range[HEED_COL], p->cols,
                         range[HEED_ROWS], range[HEED_COLS]);
}

bool heed__bias_grad(heed_ctx *cx, heed_tensor *bias, const float *x, int64_t rows, int64_t cols) {
    float beta, *out = heed__grad_beta(cx, bias, &beta);
    if (!out) return true;
    return heed__col_sums(cx, &(heed_col_sums){ .out = out,
                                                .beta = beta,
                                                .rows = rows,
                                                .cols = cols,
                                                .piece = heed__col_piece(cx, cols),
                                                .fn = add_plain,
                                                .arg = &(plain){ x, cols } });
}
