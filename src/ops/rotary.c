/* rotary.c: rotary positions (Su et al. 2021).   x [B,T,H*D] -> y, the same shape
 *
 *   forward    (y_a, y_b) = (x_a·cos φ − x_b·sin φ,  x_a·sin φ + x_b·cos φ)
 *              φ = p / scale · base^(−2i/dims) for pair i < dims/2 at position p = start + t
 *   backward   the same with −φ
 * Pair i is (2i, 2i+1) when interleaved, else (i, i + dims/2); numbers past dims stay. The sine and
 * cosine of p are those of 64·⌊p/64⌋ turned by p mod 64, in double, so that they depend on p alone.
 */
#include "base/elementary.h"
#include "kernels/math.h"
#include "ops/op.h"

#include <math.h>
#include <string.h>

enum { STRIDE = 64 };
#define MOST (INT64_C(1) << 31) /* angles are still good to 2^-22 there */

typedef struct rotary_saved {
    int64_t heads, dim, half, table_rows;
    bool interleaved;
    const float *table; /* [table_rows,T,2,half]: cos, sin; one row for each of B, or one for all */
} rotary_saved;

typedef struct rotary_job {
    const rotary_saved *s;
    const float *x;
    float *y;
    int64_t steps;
    bool back, add;
} rotary_job;

static void turn_head(float *y, const float *x, const float *turn, const rotary_job *j) {
    const int64_t half = j->s->half;
    const int64_t step = j->s->interleaved ? 2 : 1, far = j->s->interleaved ? 1 : half;
    const float *cosine = turn, *sine = turn + half;
    const float sign = j->back ? -1.0f : 1.0f;
    for (int64_t i = 0; i < half; i++) {
        const float a = x[i * step], b = x[i * step + far], s = sign * sine[i];
        const float ya = a * cosine[i] - b * s, yb = a * s + b * cosine[i];
        y[i * step] = j->add ? y[i * step] + ya : ya;
        y[i * step + far] = j->add ? y[i * step + far] + yb : yb;
    }
    for (int64_t i = 2 * half; i < j->s->dim; i++) y[i] = j->add ? y[i] + x[i] : x[i];
}

static void turn_rows(void *arg, int64_t begin, int64_t end, int worker) {
    const rotary_job *j = arg;
    const int64_t D = j->s->dim, H = j->s->heads;
    (void)worker;
    for (int64_t r = begin; r < end; r++) {
        const int64_t row = j->s->table_rows > 1 ? r : r % j->steps;
        const float *turn = j->s->table + row * 2 * j->s->half;
        for (int64_t h = 0; h < H; h++)
            turn_head(j->y + (r * H + h) * D, j->x + (r * H + h) * D, turn, j);
    }
}

static void rotary_backward(heed_ctx *cx, const heed_node *n) {
    const rotary_saved *s = n->saved;
    if (!s) return;
    float beta;
    float *dx = heed__grad_beta(cx, n->src[0], &beta);
    if (!dx) return;
    rotary_job j = { s, n->out->grad, dx, n->out->shape[1], true, beta != 0 };
    heed__parallel(cx, n->out->shape[0] * j.steps, n->out->shape[2], turn_rows, &j);
}

static const heed_op op = { .name = "rotary", .backward = rotary_backward };

/* Sines and cosines of pair i for T positions from `first` on, into table [T,2,half]. */
static void fill_pair(float *table, int64_t half, int64_t i, int64_t T, const double turn[2]) {
    const double first = turn[0], theta = turn[1];
    double low[STRIDE][2], high[2] = { 1, 0 };
    double last = -1;
    bool known = false;
    for (int k = 0; k < STRIDE; k++) heed__sin_cos(k * theta, &low[k][1], &low[k][0]);
    for (int64_t t = 0; t < T; t++) {
        const int64_t p = (int64_t)first + t;
        const int64_t rest = ((p % STRIDE) + STRIDE) % STRIDE;
        const double block = (double)(p - rest);
        if (!known || block != last) heed__sin_cos(block * theta, &high[1], &high[0]);
        known = true;
        last = block;
        const double c = high[0] * low[rest][0] - high[1] * low[rest][1];
        const double s = high[1] * low[rest][0] + high[0] * low[rest][1];
        table[t * 2 * half + i] = (float)c;
        table[t * 2 * half + half + i] = (float)s;
    }
}

static bool fill_table(heed_ctx *cx, rotary_saved *s, int64_t T, const heed_rotary_cfg *cfg,
                       const heed_tensor *starts) {
    const double base = cfg->base > 0 ? (double)cfg->base : 10000.0;
    const double scale = cfg->scale > 0 ? (double)cfg->scale : 1.0;
    float *table = heed__alloc(cx, s->table_rows * T, (size_t)(2 * s->half) * sizeof(float));
    if (!table) return false;
    for (int64_t i = 0; i < s->half; i++) {
        const double theta = heed__pow(base, -(double)i / (double)s->half) / scale;
        for (int64_t b = 0; b < s->table_rows; b++) {
            const int64_t first = cfg->start + (starts ? HEED_I32_DATA(starts)[b] : 0);
            fill_pair(table + b * T * 2 * s->half, s->half, i, T,
                      (double[]){ (double)first, theta });
        }
    }
    s->table = table;
    return true;
}

static bool fits(heed_ctx *cx, const heed_tensor *x, const heed_tensor *starts,
                 const heed_rotary_cfg *cfg) {
    char a[96], b[96];
    if (x->dtype != HEED_F32 || x->ndim != 3 || cfg->heads < 1 || x->shape[2] % cfg->heads != 0) {
        heed_fail(cx, HEED_ESHAPE, "rotary: x %s %s is not f32 [B,T,H*D] with %d heads",
                  heed_dtype_name(x->dtype), heed_shape_text(x, a), cfg->heads);
        return false;
    }
    const int64_t D = x->shape[2] / cfg->heads, dims = cfg->dims == 0 ? D : cfg->dims;
    if (dims < 0 || dims > D || dims % 2 != 0) {
        heed_fail(cx, HEED_EINVALID, "rotary: %lld of a head's %lld numbers cannot turn in pairs",
                  (long long)dims, (long long)D);
        return false;
    }
    if (cfg->start < -MOST || cfg->start > MOST || !(cfg->base >= 0) || !isfinite(cfg->base) ||
        !(cfg->scale >= 0) || !isfinite(cfg->scale)) {
        heed_fail(cx, HEED_EINVALID,
                  "rotary: start %lld, base %g or scale %g is outside of what can turn",
                  (long long)cfg->start, (double)cfg->base, (double)cfg->scale);
        return false;
    }
    if (starts &&
        (starts->dtype != HEED_I32 || starts->ndim != 1 || starts->shape[0] != x->shape[0])) {
        heed_fail(cx, HEED_ESHAPE, "rotary: starts are %s %s, not i32 [%lld]",
                  heed_dtype_name(starts->dtype), heed_shape_text(starts, b),
                  (long long)x->shape[0]);
        return false;
    }
    return true;
}

heed_tensor *heed_rotary(heed_ctx *cx, heed_tensor *x, heed_tensor *starts,
                         const heed_rotary_cfg *cfg) {
    if (!x || !cfg || !fits(cx, x, starts, cfg)) return NULL;
    const int64_t T = x->shape[1], D = x->shape[2] / cfg->heads;
    heed_tensor *y = heed__out(cx, &op, 3, x->shape);
    rotary_saved *s = heed_scratch(cx, sizeof *s);
    if (!y || !s) return NULL;
    if (x->len == 0) return heed__record2(cx, &op, y, x, starts, NULL);
    *s = (rotary_saved){ .heads = cfg->heads,
                         .dim = D,
                         .half = (cfg->dims == 0 ? D : cfg->dims) / 2,
                         .table_rows = starts ? x->shape[0] : 1,
                         .interleaved = cfg->interleaved };
    if (!fill_table(cx, s, T, cfg, starts)) return NULL;
    rotary_job j = { s, x->data, y->data, T, false, false };
    heed__parallel(cx, x->shape[0] * T, x->shape[2], turn_rows, &j);
    return heed__record2(cx, &op, y, x, starts, s);
}
