/* gemm.c: the driver of matrix products: what is packed when, and which thread makes which tiles.
 *
 * C is cut into chunks that threads claim, and each chunk is made alone, so nothing is shared but
 * what is read. In a chunk, a block of A (MC rows by KC of k) stays in the second cache, where it
 * lies or, if its rows share places in the caches, packed row tile by row tile; B comes by groups
 * of a few panels, packed into a buffer that stays in the first, or read where it lies when it is
 * in panels already or is [k,n] and no more than some hundred rows need it; and each group meets
 * all row tiles. Where many rows need it, a block of B is packed whole before. Rows are shared out
 * evenly among tiles: 32 rows are tiles of 11, 11 and 10, not of 14, 14 and 4. Bias, rectifier and
 * residual are added by the tile while its sums are in registers. While a tile runs it asks memory
 * for what follows it: C and A of the next tile, and the next panels. All of this changes no sum: a
 * chain goes through C from one block of k to the next.
 */
#include "kernels/gemm.h"
#include "kernels/share.h"

#include <string.h>

enum {
    MC = 266, /* rows of A packed at a time: 512 are two blocks, and tiles are full */
    K_UNIT = 32,
    KC = 768,       /* of k: MC rows of it fit the second cache; each further block reads C again */
    KC_FEW = 2048,  /* of k, where one row tile reads B in place */
    NC = 1024,      /* columns of B packed at a time, where many rows need them */
    IN_PLACE = 512, /* rows up to which B [k,n] is read where it lies */
    B_BUFFER = 32 * KC,
    SHARD_ROWS = 266, /* block of C whose partial sums a worker keeps */
    SHARD_COLS = 256,
    A_SPREAD = 512, /* rows of A that are a multiple of it apart share places in the caches */
    LINE = 16,      /* floats in a cache line */
    STRIP = 128,    /* columns of C that are handed on as soon as they are finished */
    CUT_COLS = 4 * HEED_PANEL,
};

typedef struct job {
    const heed_kernels *k;
    const heed_gemm_kernels *gk; /* k->gemm, or those of another precision */
    const heed_gemm *g;
    float *scratch;
    int64_t each;   /* floats of scratch for a worker */
    int64_t gm, gn; /* chunks down and across, alike to a tile's rows and to CUT_COLS */
    bool in_tile;   /* tiles add the bias, and where act and pre allow it all that follows */
    bool epilogue;  /* something follows that tiles leave */
} job;

/* A part of one product: rows [m0,m1), columns [n0,n1), and where its sums go. */
typedef struct part {
    const job *j;
    const float *a, *b; /* of this product of the batch; b: packed panels or the matrix */
    float *c;           /* element [m0,n0] of the sums */
    int64_t ldc, m0, m1, n0, n1, k0, k1;
    bool accumulate; /* chains start from c */
    bool finish;     /* this is C and its sums end here */
    int64_t offset;  /* from g->c to this product's C */
    float *abuf, *bbuf;
} part;

/* How a group of panels gets to its tiles, where B was not packed ahead by the caller. */
enum b_form {
    B_BY_GROUP, /* packed just before use */
    B_READY,    /* bbuf holds the part's columns for this block of k */
    B_IN_PLACE  /* rows of B are read where they lie */
};

/* Floats that k numbers take in a column of a panel or a row of packed A. */
static int64_t depth(const heed_gemm_kernels *gk, int64_t k) {
    return gk->pairs ? heed__round_up(k, K_UNIT) / 2 : k;
}

/* Rows of A packed at a time, a multiple of a tile's. */
static int64_t block_rows(const heed_gemm_kernels *gk) {
    return heed__round_up(MC, gk->rows);
}

static int64_t piece_count(const heed_gemm *g) {
    if (g->shard <= 0) return 1;
    return g->k > g->shard ? heed__ceil_div(g->k, g->shard) : 1;
}

/* Whether sums go through buffers of partial sums. */
static bool has_pieces(const heed_gemm *g) {
    return piece_count(g) > 1 || (g->shard > 0 && g->accumulate);
}

/* -- epilogue --------------------------------------------------------------------------------- */

heed_map1 heed__act(const heed_kernels *k, heed_act act) {
    switch (act) {
    case HEED_ACT_RELU:
        return k->math->relu;
    case HEED_ACT_GELU:
        return k->math->gelu;
    case HEED_ACT_GELU_TANH:
        return k->math->gelu_tanh;
    case HEED_ACT_SILU:
        return k->math->silu;
    case HEED_ACT_NONE:
        break;
    }
    return NULL;
}

/* Whether what follows the bias is done by tiles. */
static bool all_in_tile(const job *jb) {
    const heed_gemm *g = jb->g;
    return jb->in_tile && !g->pre && (g->act == HEED_ACT_NONE || g->act == HEED_ACT_RELU);
}

static void plan_epilogue(job *jb) {
    const heed_gemm *g = jb->g;
    const bool scaled = g->scale != 0.0f && g->scale != 1.0f;
    jb->in_tile = !jb->gk->copy_b && !scaled && !has_pieces(g);
    jb->epilogue = !all_in_tile(jb) &&
                   (scaled || g->bias || g->pre || g->act || g->gate || g->residual);
}

/* n columns from column j of row i of the product whose C lies `offset` after g->c. */
static void epilogue(const job *jb, int64_t offset, int64_t i, int64_t j, int64_t n) {
    const heed_gemm *g = jb->g;
    const int64_t at = offset + i * g->ldc + j;
    float *c = g->c + at;
    const float scale = g->scale == 0.0f ? 1.0f : g->scale;
    const float *bias = g->bias && !jb->in_tile ? g->bias + j : NULL;
    if (scale != 1.0f || bias) jb->k->gemm->finish(c, scale, bias, n);
    if (g->pre) memcpy(g->pre + at, c, (size_t)n * sizeof *c);
    const heed_map1 act = heed__act(jb->k, g->act);
    if (act) act(c, c, n);
    if (g->gate) jb->k->math->relu_gate(c, g->gate + at, g->gate_scale, n);
    if (g->residual) jb->k->gemm->add(c, g->residual + offset + i * g->ldr + j, n);
}

/* -- one part -----------------------------------------------------------------------------------
 */

/* Whether tiles read A where it lies. Not where its rows begin at one or two places of a 4 KB page:
 * those of a tile would chase each other out of the first cache. */
static bool a_in_place(const part *p, int64_t rows) {
    const heed_gemm *g = p->j->g;
    if (p->j->gk->copy_b) return false;
    return g->lda % A_SPREAD != 0 || (rows == 1 && !g->ta);
}

/* Rows [row, row+rows) of the part for k in [k, k+kc), packed tile by tile. */
static const float *a_tiles(const part *p, int64_t row, int64_t rows, int64_t k, int64_t kc) {
    const heed_gemm *g = p->j->g;
    const heed_gemm_kernels *gk = p->j->gk;
    const int64_t tiles = heed__ceil_div(rows, gk->rows);
    for (int64_t i = 0; i < tiles; i++) {
        const int64_t from = heed__even_row(gk->unit, rows, tiles, i);
        const int64_t mr = heed__even_row(gk->unit, rows, tiles, i + 1) - from;
        float *to = p->abuf + from * depth(gk, kc);
        if (g->ta)
            gk->a_cols(to, mr, p->a + k * g->lda + row + from, g->lda, mr, kc);
        else
            gk->a_rows(to, mr, p->a + (row + from) * g->lda + k, g->lda, mr, kc);
    }
    return p->abuf;
}

/* Points the tile to A from row `row` and step k on, packed first or where it lies. */
static void place_a(const part *p, heed_tile *t, int64_t row, int64_t rows, int64_t k) {
    const heed_gemm *g = p->j->g;
    t->row = g->ta || !a_in_place(p, rows) ? 1 : g->lda;
    t->step = g->ta ? g->lda : 1;
    row += p->m0;
    if (a_in_place(p, rows))
        t->a = p->a + (g->ta ? k * g->lda + row : row * g->lda + k);
    else
        t->a = a_tiles(p, row, rows, k, t->kc);
}

/* Columns [col, col+cols) of B for k in [k, k+kc) into panels. */
static void pack_panels(const part *p, float *to, int64_t col, int64_t cols, int64_t k,
                        int64_t kc) {
    const heed_gemm *g = p->j->g;
    const heed_gemm_kernels *gk = p->j->gk;
    for (int64_t c = 0; c < cols; c += HEED_PANEL) {
        const int64_t n = heed__min64(cols - c, HEED_PANEL);
        if (g->tb)
            gk->pack_rows(to + c * depth(gk, kc), HEED_PANEL, p->b + (col + c) * g->ldb + k, g->ldb,
                          n, kc);
        else
            gk->pack_cols(to + c * depth(gk, kc), HEED_PANEL, p->b + k * g->ldb + col + c, g->ldb,
                          n, kc);
    }
}

/* Points the tile to columns [col, col+t->cols) of B from row k on. */
static void b_panels(const part *p, heed_tile *t, int64_t col, int64_t k, enum b_form form) {
    const heed_gemm *g = p->j->g;
    const heed_gemm_kernels *gk = p->j->gk;
    t->bk = HEED_PANEL;
    t->bp = HEED_PANEL * depth(gk, t->kc);
    t->b = p->bbuf;
    if (g->packed) {
        t->b = p->b + col * depth(gk, g->k) + depth(gk, k) * HEED_PANEL;
        t->bp = HEED_PANEL * depth(gk, g->k);
    } else if (form == B_READY) {
        t->b = p->bbuf + (col - p->n0) * depth(gk, t->kc);
    } else if (form == B_IN_PLACE && t->cols % HEED_PANEL == 0) {
        t->b = p->b + k * g->ldb + col;
        t->bk = g->ldb;
        t->bp = HEED_PANEL;
    } else {
        pack_panels(p, p->bbuf, col, t->cols, k, t->kc);
    }
}

/* What tile i of a group asks for: C of the next tile, and its share of the next group's panels. */
static void ask(heed_tile *t, int log_nv, int64_t i, int64_t tiles) {
    const int64_t from = t->kc * i / tiles, to = t->kc * (i + 1) / tiles;
    t->ask_c = i + 1 < tiles;
    t->ask_rows = t->more && tiles >= 2 ? to - from : 0;
    t->ask_b = t->ask_rows ? t->b + (t->bp << log_nv) + from * t->bk : NULL;
}

/* One group of panels against every row tile of a block of A. */
static void group(const part *p, heed_tile t, int64_t row, int64_t rows, int64_t col, int log_nv) {
    const heed_gemm *g = p->j->g;
    const heed_gemm_kernels *gk = p->j->gk;
    const int64_t tiles = heed__ceil_div(rows, gk->rows);
    const float *const a = t.a;
    const bool packed = a == p->abuf, finish = t.last && p->finish;
    if (finish && p->j->in_tile && g->bias) t.bias = g->bias + col;
    const bool all = finish && all_in_tile(p->j);
    t.relu = all && g->act == HEED_ACT_RELU;
    t.ldr = g->ldr;
    t.gate_scale = g->gate_scale;
    for (int64_t i = 0; i < tiles; i++) {
        const int64_t from = heed__even_row(gk->unit, rows, tiles, i);
        const int64_t mr = heed__even_row(gk->unit, rows, tiles, i + 1) - from;
        t.rows = mr;
        if (packed) t.step = mr;
        t.a = a + from * (packed ? depth(gk, t.kc) : t.row == 1 ? 1 : t.row);
        if (all && g->gate) t.gate = g->gate + p->offset + (p->m0 + row + from) * g->ldc + col;
        if (all && g->residual)
            t.residual = g->residual + p->offset + (p->m0 + row + from) * g->ldr + col;
        t.c = p->c + (row + from) * t.ldc + (col - p->n0);
        ask(&t, log_nv, i, tiles);
        gk->tile[log_nv][mr](&t);
        if (finish && p->j->epilogue)
            for (int64_t r = 0; r < mr; r++)
                epilogue(p->j, p->offset, p->m0 + row + from + r, col, t.cols);
    }
}

/* The largest group of panels that tiles of mr rows take, as its logarithm. */
static int group_log(const heed_gemm_kernels *gk, int64_t mr) {
    int l = 2;
    while (!gk->tile[l][mr]) l--;
    return l;
}

static void hand_on(const part *p, const int64_t range[4]) {
    const heed_gemm *g = p->j->g;
    if (g->after) g->after(g->after_arg, range);
}

/* Rows [row, row+rows) of the part and all its columns go further by k in [k, k+kc). */
static void k_block(const part *p, int64_t row, int64_t rows, int64_t k, int64_t kc,
                    enum b_form form) {
    const heed_gemm_kernels *gk = p->j->gk;
    const int top = group_log(gk,
                              heed__even_row(gk->unit, rows, heed__ceil_div(rows, gk->rows), 1));
    heed_tile t = { .kc = kc, .ldc = p->ldc };
    t.fresh = k == p->k0 && !p->accumulate;
    t.last = k + kc == p->k1;
    place_a(p, &t, row, rows, k);
    int64_t done = p->n0; /* columns handed on so far */
    for (int64_t col = p->n0; col < p->n1;) {
        /* a panel that is not whole cannot be read in place: it makes a group of its own */
        const int64_t left = p->n1 - col, whole = left / HEED_PANEL;
        const int64_t panels = form == B_IN_PLACE && whole > 0 ? whole
                                                               : heed__ceil_div(left, HEED_PANEL);
        int log_nv = top;
        while (1 << log_nv > panels) log_nv--;
        t.cols = heed__min64(HEED_PANEL << log_nv, left);
        b_panels(p, &t, col, k, form);
        t.more = (form != B_BY_GROUP || p->j->g->packed) && !gk->pairs && left >= 2 * t.cols;
        group(p, t, row, rows, col, log_nv);
        col += HEED_PANEL << log_nv;
        if (!t.last || !p->finish || (col - done < STRIP && col < p->n1)) continue;
        hand_on(p, (int64_t[4]){ p->m0 + row, rows, done, heed__min64(col, p->n1) - done });
        done = col;
    }
}

/* How much of k, at most `most`, makes blocks of even size; bf16 sums go by units of 32. */
static int64_t k_step(int64_t kk, int64_t most) {
    return kk > most ? heed__round_up(heed__ceil_div(kk, heed__ceil_div(kk, most)), K_UNIT) : kk;
}

/* Few rows, or B in panels: each block of A goes through all k. */
static void rows_outside(const part *p) {
    const heed_gemm *g = p->j->g;
    const heed_gemm_kernels *gk = p->j->gk;
    const int64_t m = p->m1 - p->m0, blocks = heed__ceil_div(m, block_rows(gk));
    for (int64_t i = 0; i < blocks; i++) {
        const int64_t row = heed__even_row(gk->unit, m, blocks, i);
        const int64_t rows = heed__even_row(gk->unit, m, blocks, i + 1) - row;
        const int64_t tiles = heed__ceil_div(rows, gk->rows);
        const bool in_place = !p->j->gk->copy_b && !g->tb && !g->packed;
        const int top = in_place ? 0 : group_log(gk, heed__even_row(gk->unit, rows, tiles, 1));
        const int64_t wide = g->packed ? KC_FEW : B_BUFFER / (HEED_PANEL << top);
        const int64_t step = k_step(p->k1 - p->k0, heed__min64(tiles > 1 ? KC : KC_FEW, wide));
        int64_t k = p->k0;
        do {
            const int64_t kc = heed__min64(step, p->k1 - k);
            k_block(p, row, rows, k, kc, in_place ? B_IN_PLACE : B_BY_GROUP);
            k += step;
        } while (k < p->k1);
    }
}

/* Many rows: a block of B is packed once and meets all blocks of A. */
static void columns_outside(part p) {
    const heed_gemm_kernels *gk = p.j->gk;
    const int64_t m = p.m1 - p.m0, blocks = heed__ceil_div(m, block_rows(gk)), end = p.n1;
    const int64_t step = k_step(p.k1 - p.k0, KC);
    float *const c = p.c;
    const int64_t first = p.n0;
    for (; p.n0 < end; p.n0 = p.n1) {
        p.n1 = heed__min64(end, p.n0 + NC);
        p.c = c + (p.n0 - first);
        for (int64_t k = p.k0; k < p.k1; k += step) {
            const int64_t kc = heed__min64(step, p.k1 - k);
            pack_panels(&p, p.bbuf, p.n0, p.n1 - p.n0, k, kc);
            for (int64_t i = 0; i < blocks; i++) {
                const int64_t row = heed__even_row(gk->unit, m, blocks, i);
                k_block(&p, row, heed__even_row(gk->unit, m, blocks, i + 1) - row, k, kc, B_READY);
            }
        }
    }
}

static bool many_rows(const heed_gemm *g, int64_t m) {
    return !g->packed && m > (g->tb ? MC : IN_PLACE);
}

static void run_part(const part *p) {
    if (many_rows(p->j->g, p->m1 - p->m0) && p->k1 > p->k0)
        columns_outside(*p);
    else
        rows_outside(p);
}

/* -- weight gradients: pieces of k and their tree -----------------------------------------------
 */

/* Blocks of partial sums that are alive at once. */
static int64_t piece_depth(const heed_gemm *g) {
    int64_t depth = 1;
    for (int64_t n = piece_count(g); n > 1; n /= 2) depth++;
    return depth;
}

/* One block of C, its rows and columns in p, whose sums fit the buffers. Adding two neighbours of
 * equal weight as soon as both are there, and what is left from the right, is the tree whose left
 * halves are powers of two. */
static void sum_pieces(part p, float *buffer) {
    const job *jb = p.j;
    const heed_gemm *g = jb->g;
    const int64_t rows = p.m1 - p.m0, cols = p.n1 - p.n0, area = rows * cols;
    const int64_t pieces = piece_count(g);
    int64_t depth = 0;
    p.ldc = cols;
    p.accumulate = p.finish = false;
    for (int64_t i = 0; i < pieces; i++) {
        p.c = buffer + depth++ * area;
        p.k0 = i * g->shard;
        p.k1 = heed__min64(g->k, p.k0 + g->shard);
        run_part(&p);
        const bool end = i == pieces - 1;
        for (int64_t n = i + 1; depth > 1 && (end || n % 2 == 0); n /= 2) {
            depth--;
            jb->k->gemm->add(buffer + (depth - 1) * area, buffer + depth * area, area);
        }
    }
    for (int64_t r = 0; r < rows; r++) {
        float *c = g->c + p.offset + (p.m0 + r) * g->ldc + p.n0;
        if (g->accumulate)
            jb->k->gemm->add(c, buffer + r * cols, cols);
        else
            memcpy(c, buffer + r * cols, (size_t)cols * sizeof *c);
        if (jb->epilogue) epilogue(jb, p.offset, p.m0 + r, p.n0, cols);
    }
    hand_on(&p, (int64_t[4]){ p.m0, rows, p.n0, cols });
}

/* -- chunks, threads, scratch --------------------------------------------------------------------
 */

static int64_t abuf_len(const heed_gemm_kernels *gk, const heed_gemm *g) {
    const int64_t rows = heed__round_up(heed__min64(g->m, block_rows(gk)), gk->unit);
    const int64_t few = heed__round_up(heed__min64(g->m, gk->rows), gk->unit);
    const int64_t len = rows * depth(gk, heed__min64(g->k, KC));
    const int64_t len_few = few * depth(gk, heed__min64(g->k, KC_FEW));
    return heed__round_up((len > len_few ? len : len_few) + LINE, LINE);
}

static int64_t bbuf_len(const heed_gemm_kernels *gk, const heed_gemm *g) {
    if (g->packed) return 0;
    const int64_t cols = heed__round_up(g->n, HEED_PANEL),
                  group = heed__min64(cols * depth(gk, g->k), B_BUFFER);
    const int64_t block = g->m > MC ? heed__min64(cols, NC) * depth(gk, heed__min64(g->k, KC)) : 0;
    return heed__round_up(block > group ? block : group, LINE);
}

static int64_t pieces_len(const heed_gemm *g) {
    if (!has_pieces(g)) return 0;
    return heed__round_up(
        piece_depth(g) * heed__min64(g->m, SHARD_ROWS) * heed__min64(g->n, SHARD_COLS), LINE);
}

static int64_t scratch_each(const heed_gemm_kernels *gk, const heed_gemm *g) {
    return abuf_len(gk, g) + bbuf_len(gk, g) + pieces_len(g);
}

int64_t heed__gemm_scratch_with(const heed_gemm_kernels *gk, const heed_gemm *g, int threads) {
    return scratch_each(gk, g) * (threads > 1 ? threads : 1);
}

int64_t heed__gemm_scratch(const heed_kernels *k, const heed_gemm *g, int threads) {
    return heed__gemm_scratch_with(k->gemm, g, threads);
}

static void run_chunk(const job *jb, int64_t index, float *scratch) {
    const heed_gemm *g = jb->g;
    const int64_t item = index / (jb->gm * jb->gn), at = index % (jb->gm * jb->gn);
    part p = { .j = jb, .ldc = g->ldc, .k1 = g->k, .finish = true, .accumulate = g->accumulate };
    p.a = g->a + item * g->step_a;
    p.b = (g->packed ? g->packed : g->b) + item * g->step_b;
    p.offset = item * g->step_c;
    p.abuf = scratch;
    p.bbuf = scratch + abuf_len(jb->gk, g);
    const int64_t down = at / jb->gn, across = at % jb->gn, rows = jb->gk->rows;
    const int64_t m0 = heed__even_row(rows, g->m, jb->gm, down),
                  m1 = heed__even_row(rows, g->m, jb->gm, down + 1),
                  n0 = heed__even_row(CUT_COLS, g->n, jb->gn, across),
                  n1 = heed__even_row(CUT_COLS, g->n, jb->gn, across + 1);
    if (!has_pieces(g)) {
        p.m0 = m0, p.m1 = m1, p.n0 = n0, p.n1 = n1;
        p.c = g->c + p.offset + m0 * g->ldc + n0;
        run_part(&p);
        return;
    }
    /* 384 rows are two blocks of 192, not of 266 and 118 */
    const int64_t each = m1 > m0 ? heed__ceil_div(m1 - m0, heed__ceil_div(m1 - m0, SHARD_ROWS)) : 0;
    for (p.m0 = m0; p.m0 < m1; p.m0 = p.m1) {
        p.m1 = heed__min64(m1, p.m0 + each);
        for (p.n0 = n0; p.n0 < n1; p.n0 = p.n1) {
            p.n1 = heed__min64(n1, p.n0 + SHARD_COLS);
            sum_pieces(p, p.bbuf + bbuf_len(jb->gk, g));
        }
    }
}

static void run_chunks(void *arg, int64_t begin, int64_t end, int worker) {
    const job *jb = arg;
    if (jb->gk->begin) jb->gk->begin();
    for (int64_t i = begin; i < end; i++) run_chunk(jb, i, jb->scratch + worker * jb->each);
    if (jb->gk->end) jb->gk->end();
}

/* Cuts one product into about `want` chunks, so that the least is packed more than once: a cut
 * across columns packs A again, one across rows packs B again. */
static void cut(job *jb, int64_t want) {
    const heed_gemm *g = jb->g;
    const int64_t most_m = heed__ceil_div(g->m, jb->gk->rows),
                  most_n = heed__ceil_div(g->n, CUT_COLS);
    const int64_t cost_a = g->ta ? 1 : 2, cost_b = g->packed ? 0 : g->tb ? 2 : 1;
    int64_t best = INT64_MAX;
    jb->gm = jb->gn = 1;
    for (int64_t gm = 1; gm <= heed__min64(want, most_m); gm++) {
        const int64_t gn = heed__min64(heed__ceil_div(want, gm), most_n);
        if (gm * gn < heed__min64(want, most_m * most_n) && gm < heed__min64(want, most_m))
            continue;
        const int64_t cost = gn * g->m * cost_a + gm * g->n * cost_b;
        if (cost >= best) continue;
        best = cost, jb->gm = gm, jb->gn = gn;
    }
}

void heed__gemm(const heed_kernels *k, heed_pool *pool, const heed_gemm *g, float *scratch) {
    heed__gemm_with(k, k->gemm, pool, g, scratch);
}

void heed__gemm_with(const heed_kernels *k, const heed_gemm_kernels *gk, heed_pool *pool,
                     const heed_gemm *g, float *scratch) {
    enum { CHUNK = 1 << 18 }; /* multiply-adds that are worth a chunk of their own */
    const int64_t batch = g->batch > 0 ? g->batch : 1;
    if (g->m <= 0 || g->n <= 0) return;
    job jb = { .k = k, .gk = gk, .g = g, .scratch = scratch, .each = scratch_each(gk, g) };
    plan_epilogue(&jb);
    const double one = (double)g->m * (double)g->n * (double)(g->k > 0 ? g->k : 1);
    const int threads = one * (double)batch < 2.0 * CHUNK ? 1 : pool ? heed_pool_threads(pool) : 1;
    const double fit = one / CHUNK, wish = (double)heed__ceil_div(4 * (int64_t)threads, batch);
    const int64_t want = threads == 1 || fit < 1 ? 1 : (int64_t)(fit < wish ? fit : wish);
    cut(&jb, want);
    const double chunk = one / (double)(jb.gm * jb.gn);
    const int64_t grain = chunk < CHUNK ? (int64_t)(CHUNK / chunk) + 1 : 1;
    heed_pool_run(threads == 1 ? NULL : pool, batch * jb.gm * jb.gn, grain, run_chunks, &jb);
}

/* -- packing ahead ------------------------------------------------------------------------------
 */

int64_t heed__packed_len(int64_t n, int64_t k) {
    return heed__round_up(n, HEED_PANEL) * k;
}

void heed__pack_b(const heed_kernels *k, float *packed, const float *b, int64_t ldb, bool tb,
                  int64_t n, int64_t kk) {
    heed__pack_b_with(k->gemm, packed, b, ldb, tb, n, kk);
}

void heed__pack_b_with(const heed_gemm_kernels *gk, float *packed, const float *b, int64_t ldb,
                       bool tb, int64_t n, int64_t kk) {
    for (int64_t j = 0; j < n; j += HEED_PANEL) {
        const int64_t cols = heed__min64(n - j, HEED_PANEL);
        if (tb)
            gk->pack_rows(packed + j * depth(gk, kk), HEED_PANEL, b + j * ldb, ldb, cols, kk);
        else
            gk->pack_cols(packed + j * depth(gk, kk), HEED_PANEL, b + j, ldb, cols, kk);
    }
}
