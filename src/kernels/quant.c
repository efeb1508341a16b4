/* quant.c: the driver of int8 products: packing, blocks and threads. All of k is summed in
 * registers, so there are no blocks of k. */
#include "kernels/quant.h"
#include "kernels/gemm.h"
#include "kernels/share.h"

#include <string.h>

enum { A_BYTES = 384 << 10, PANEL = HEED_PANEL, GROUP = 4, COLS = PANEL * GROUP, BEYOND = 960 };

typedef struct job {
    const heed_kernels *k;
    const heed_qgemm *g;
    char *scratch;
    int64_t each, k4, depth; /* bytes for a worker; fours of k in B and in packed A */
    int64_t block;           /* rows of A packed at a time */
    int64_t gm, gn;          /* chunks down and across, alike to a tile and to GROUP panels */
} job;

static int64_t depth_of(const heed_quant_kernels *qk, int64_t k) {
    return heed__round_up(heed__ceil_div(k, 4), qk->unit);
}

int64_t heed__q_packed_size(int64_t n, int64_t k) {
    return heed__ceil_div(n, PANEL) * PANEL *
               (heed__ceil_div(k, 4) * 4 + (int64_t)sizeof(int32_t)) +
           BEYOND;
}

void heed__q_pack_row(void *packed, const int8_t *row, int64_t n, int64_t k, int64_t j) {
    const int64_t k4 = heed__ceil_div(k, 4), cols = heed__ceil_div(n, PANEL) * PANEL;
    int8_t *to = (int8_t *)packed + (j / PANEL * k4 * PANEL + j % PANEL) * 4;
    int32_t sum = 0;
    for (int64_t i = 0; i < k; i++) {
        to[i / 4 * PANEL * 4 + i % 4] = row[i];
        sum += row[i];
    }
    ((int32_t *)packed)[cols * k4 + j] = -128 * sum;
}

void heed__q_pack(void *packed, const int8_t *b, int64_t ldb, int64_t n, int64_t k) {
    memset(packed, 0, (size_t)heed__q_packed_size(n, k));
    for (int64_t j = 0; j < n; j++) heed__q_pack_row(packed, b + j * ldb, n, k, j);
}

static int64_t block_rows(const heed_kernels *k, const heed_qgemm *g) {
    const int64_t bytes = 4 * depth_of(k->quant, g->k > 0 ? g->k : 1), fit = A_BYTES / bytes;
    const int64_t rows = k->quant->rows;
    return heed__min64(g->m, fit > rows ? fit / rows * rows : rows);
}

static int64_t scratch_each(const heed_kernels *k, const heed_qgemm *g) {
    const int64_t rows = heed__round_up(block_rows(k, g), k->quant->unit);
    return heed__round_up(4 * depth_of(k->quant, g->k) * rows + 64, 64);
}

int64_t heed__q_scratch(const heed_kernels *k, const heed_qgemm *g, int threads) {
    return scratch_each(k, g) * (threads > 1 ? threads : 1);
}

static void epilogue(const job *jb, int64_t i, int64_t j, int64_t n) {
    const heed_qgemm *g = jb->g;
    float *c = g->c + i * g->ldc + j;
    const heed_map1 act = heed__act(jb->k, g->act);
    if (act) act(c, c, n);
    if (g->residual) jb->k->gemm->add(c, g->residual + i * g->ldr + j, n);
}

/* Rows [i0,i0+rows), packed at `a`, times columns [j0,j1). */
static void block(const job *jb, const int32_t *a, int64_t i0, int64_t rows, int64_t j0,
                  int64_t j1) {
    const heed_qgemm *g = jb->g;
    const heed_quant_kernels *qk = jb->k->quant;
    const int64_t tiles = heed__ceil_div(rows, qk->rows), all = heed__ceil_div(g->n, PANEL) * PANEL;
    const int32_t *b = g->packed, *comp = b + all * jb->k4;
    int top = 2;
    while (!qk->tile[top][heed__even_row(qk->unit, rows, tiles, 1)]) top--;
    for (int64_t j = j0; j < j1;) {
        int log_nv = top;
        while (1 << log_nv > heed__ceil_div(j1 - j, PANEL)) log_nv--;
        heed_q_tile t = { .k4 = jb->k4, .ldc = g->ldc, .b = b + j * jb->k4, .comp = comp + j };
        t.cols = heed__min64(PANEL << log_nv, j1 - j);
        t.col_scale = g->sums ? NULL : g->col_scale + j;
        t.bias = g->bias ? g->bias + j : NULL;
        for (int64_t i = 0; i < tiles; i++) {
            const int64_t r = heed__even_row(qk->unit, rows, tiles, i),
                          mr = heed__even_row(qk->unit, rows, tiles, i + 1) - r;
            t.rows = mr;
            t.a = a + r * jb->depth;
            if (g->sums) t.sums = g->sums + (i0 + r) * g->ldc + j;
            if (!g->sums) t.c = g->c + (i0 + r) * g->ldc + j;
            if (!g->sums) t.row_scale = g->row_scale + i0 + r;
            qk->tile[log_nv][mr](&t);
            for (int64_t q = 0; !g->sums && (g->act || g->residual) && q < mr; q++)
                epilogue(jb, i0 + r + q, j, t.cols);
        }
        j += PANEL << log_nv;
    }
}

static void run(void *arg, int64_t begin, int64_t end, int worker) {
    const job *jb = arg;
    const heed_qgemm *g = jb->g;
    const heed_quant_kernels *qk = jb->k->quant;
    int32_t *a = (int32_t *)(void *)(jb->scratch + worker * jb->each);
    if (qk->begin) qk->begin();
    for (int64_t at = begin; at < end; at++) {
        const int64_t down = at / jb->gn, across = at % jb->gn;
        const int64_t m0 = heed__even_row(qk->rows, g->m, jb->gm, down),
                      m1 = heed__even_row(qk->rows, g->m, jb->gm, down + 1),
                      n0 = heed__even_row(COLS, g->n, jb->gn, across),
                      n1 = heed__even_row(COLS, g->n, jb->gn, across + 1);
        for (int64_t i = m0; i < m1; i += jb->block) {
            const int64_t rows = heed__min64(jb->block, m1 - i),
                          tiles = heed__ceil_div(rows, qk->rows);
            for (int64_t t = 0; t < tiles; t++) {
                const int64_t r = heed__even_row(qk->unit, rows, tiles, t);
                const int64_t mr = heed__even_row(qk->unit, rows, tiles, t + 1) - r;
                qk->pack_rows(a + r * jb->depth, g->a + (i + r) * g->lda, g->lda, mr, g->k);
            }
            block(jb, a, i, rows, n0, n1);
        }
    }
    if (qk->end) qk->end();
}

void heed__qgemm(const heed_kernels *k, heed_pool *pool, const heed_qgemm *g, void *scratch) {
    if (g->m <= 0 || g->n <= 0) return;
    job jb = { .k = k, .g = g, .scratch = scratch, .each = scratch_each(k, g) };
    jb.k4 = heed__ceil_div(g->k, 4);
    jb.depth = depth_of(k->quant, g->k);
    jb.block = block_rows(k, g);
    const double work = (double)g->m * (double)g->n * (double)g->k;
    const int64_t threads = work > (1 << 20) && pool ? heed_pool_threads(pool) : 1;
    const int64_t want = threads > 1 ? 4 * threads : 1;
    jb.gm = heed__min64(want, heed__ceil_div(g->m, 2 * k->quant->rows));
    jb.gn = heed__min64(heed__ceil_div(want, jb.gm), heed__ceil_div(g->n, COLS));
    heed_pool_run(threads > 1 ? pool : NULL, jb.gm * jb.gn, 1, run, &jb);
}
