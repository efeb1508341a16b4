/* attn_block.c: products of blocks of attn_bf16.h: rows are shared out among tiles, panels of
 * columns go by fours, twos and ones, and each product takes the tiles that its numbers allow. */
#include <math.h>
#include <string.h>

#include "kernels/attn_bf16.h"
#include "kernels/share.h"

enum { UNIT = 32 };

/* Rows of a tile: with tiles of 16 rows, one of them. */
static int64_t tile_rows(const heed_gemm_kernels *gk) {
    return gk->unit > 1 ? gk->unit : gk->rows;
}

static int64_t depth(const heed_gemm_kernels *gk, int64_t steps) {
    return gk->pairs ? heed__ceil_div(steps, UNIT) * UNIT / 2 : steps;
}

int64_t heed__attn_group(const heed_kernels *k) {
    const int64_t rows = tile_rows(&k->bf16->exact);
    return HEED_ATTN_GROUP / rows * rows;
}

int64_t heed__bf16_depth(const heed_kernels *k, int64_t steps) {
    return depth(&k->bf16->exact, steps);
}

int64_t heed__bf16_a_len(const heed_kernels *k, int64_t rows, int64_t steps) {
    const heed_gemm_kernels *gk = &k->bf16->exact;
    return heed__ceil_div(rows, gk->unit) * gk->unit * depth(gk, steps) + 16;
}

int64_t heed__bf16_b_len(const heed_kernels *k, int64_t cols, int64_t steps) {
    return heed__ceil_div(cols, HEED_PANEL) * HEED_PANEL * heed__bf16_depth(k, steps);
}

void heed__bf16_pack_a(const heed_kernels *k, float *to, const heed_bf16_side *s) {
    const heed_gemm_kernels *gk = &k->bf16->exact;
    const int64_t tiles = heed__ceil_div(s->n, tile_rows(gk)), deep = depth(gk, s->steps);
    for (int64_t t = 0; t < tiles; t++) {
        const int64_t row = heed__even_row(gk->unit, s->n, tiles, t);
        const int64_t mr = heed__even_row(gk->unit, s->n, tiles, t + 1) - row;
        if (s->across)
            gk->a_cols(to + row * deep, mr, s->from + row, s->ld, mr, s->steps);
        else
            gk->a_rows(to + row * deep, mr, s->from + row * s->ld, s->ld, mr, s->steps);
    }
}

void heed__bf16_pack_b(const heed_kernels *k, float *to, const heed_bf16_side *s) {
    const heed_gemm_kernels *gk = &k->bf16->exact;
    const int64_t deep = depth(gk, s->steps);
    for (int64_t j = 0; j < s->n; j += HEED_PANEL) {
        const int64_t n = s->n - j < HEED_PANEL ? s->n - j : HEED_PANEL;
        if (s->across)
            gk->pack_cols(to + j * deep, HEED_PANEL, s->from + j, s->ld, n, s->steps);
        else
            gk->pack_rows(to + j * deep, HEED_PANEL, s->from + j * s->ld, s->ld, n, s->steps);
    }
}

float heed__bf16_least(const heed_kernels *k, const float *x, int64_t ld, int64_t n, int64_t d) {
    float least = INFINITY;
    for (int64_t i = 0; k->bf16->least && i < n; i++) {
        const float row = k->bf16->least(x + i * ld, d);
        if (row < least) least = row;
    }
    return least;
}

void heed__bf16_multiply(const heed_kernels *k, const heed_bf16_block *p) {
    const bool fast = heed__bf16_fast(p->least_a, p->least_b);
    const heed_gemm_kernels *gk = fast ? &k->bf16->fast : &k->bf16->exact;
    const int64_t tiles = heed__ceil_div(p->rows, tile_rows(gk)), deep = depth(gk, p->a_steps);
    heed_tile t = { .row = 1,
                    .bk = HEED_PANEL,
                    .bp = p->b_step,
                    .ldc = p->ldc,
                    .kc = p->steps,
                    .fresh = p->fresh };
    for (int64_t panel = 0; panel < p->panels;) {
        int log_nv = 2;
        const int64_t most = heed__even_row(gk->unit, p->rows, tiles, 1);
        while (1 << log_nv > p->panels - panel || !gk->tile[log_nv][most]) log_nv--;
        t.b = p->b + panel * p->b_step;
        t.cols = (int64_t)HEED_PANEL << log_nv;
        for (int64_t i = 0; i < tiles; i++) {
            const int64_t row = heed__even_row(gk->unit, p->rows, tiles, i);
            t.rows = t.step = heed__even_row(gk->unit, p->rows, tiles, i + 1) - row;
            const int64_t wide = gk->unit > 1 ? gk->unit : t.rows;
            t.a = p->a + row * deep + depth(gk, p->a_first) * wide;
            t.c = p->c + row * p->ldc + panel * HEED_PANEL;
            gk->tile[log_nv][t.rows](&t);
        }
        panel += 1 << log_nv;
    }
}

void heed__bf16_begin(const heed_kernels *k) {
    if (k->bf16->exact.begin) k->bf16->exact.begin();
}

void heed__bf16_end(const heed_kernels *k) {
    if (k->bf16->exact.end) k->bf16->exact.end();
}
