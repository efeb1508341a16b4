/* margin.c: large margins by dual coordinate descent.
 *
 *   G = y (w·x + b) - 1 + D a,  D = 1 / 2c       gradient of the dual at a, the weight of x
 *   a' = max(0, a - G / (x·x + 1 + D))           its least along this coordinate
 *   w += (a' - a) y x,  b += (a' - a) y          (b: a feature that every vector has)
 *
 * With a freedom s of each weight, |w|² is Σ w²/s, x·x is Σ s x² and w moves by (a' - a) y s x.
 *
 * The columns do not depend on each other: all go through a vector at once, its rows read once. */
#include "train/margin.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/thread.h"
#include "kernels/math.h"
#include "tensor/ctx.h"

typedef struct fit {
    heed_ctx *cx;
    heed_margin *m;
    const heed_sparse_rows *x;
    const int32_t *label;
    const int64_t *label_start;
    float d;     /* D */
    float *dual; /* [len,cols] a */
    float *sign; /* [cols] y of the vector at hand */
    float *out;  /* [cols] w·x + b, then (a' - a) y */
    float *norm; /* [len], with freedom [len,cols]: x·x */
    const float *freedom;
    int64_t *order;     /* [len] */
    float worst;        /* largest gradient of this pass */
    double begun, told; /* in seconds: when it began, when the progress hook was last told */
} fit;

void heed__margin_apply(const heed_ctx *cx, const heed_margin *m, const heed_margin_row *x,
                        float *out) {
    memcpy(out, m->bias, (size_t)m->cols * sizeof *out);
    cx->k->math->gather(out, x->value, m->weight, x->id, x->len, m->cols);
}

void heed__margin_apply_rounded(const heed_ctx *cx, const heed_margin *m, const int8_t *number,
                                const heed_margin_row *x, float *out) {
    memcpy(out, m->bias, (size_t)m->cols * sizeof *out);
    cx->k->math->gather_i8(out, x->value, number, x->id, x->len, m->cols);
}

static void add(const fit *f, int64_t i) {
    const heed_margin *m = f->m;
    const int64_t cols = m->cols, begin = f->x->start[i], len = f->x->start[i + 1] - begin;
    const int32_t *id = f->x->id + begin;
    const float *value = f->x->value + begin;
    if (cols == 1 && !f->freedom)
        for (int64_t k = 0; k < len; k++) m->weight[id[k]] += value[k] * f->out[0];
    else
        f->cx->k->math->scatter(m->weight, value, f->freedom, f->out, id, len, cols);
    for (int64_t c = 0; c < cols; c++) m->bias[c] += f->out[c];
}

static void signs(const fit *f, int64_t i, float y) {
    if (f->label_start) {
        for (int64_t k = f->label_start[i]; k < f->label_start[i + 1]; k++)
            f->sign[f->label[k]] = y;
    } else if (f->m->cols == 1) {
        f->sign[0] = f->label[i] == 1 ? y : -1;
    } else {
        f->sign[f->label[i]] = y;
    }
}

/* Asks for what vector i needs, long before it is visited. */
static void ask(const fit *f, int64_t i) {
    const int64_t cols = f->m->cols;
    for (int64_t k = f->x->start[i]; k < f->x->start[i + 1]; k++) {
        const float *w = f->m->weight + f->x->id[k] * cols;
        __builtin_prefetch(w);
        __builtin_prefetch(w + cols - 1);
    }
    __builtin_prefetch(f->dual + i * cols, 1);
}

static void visit(fit *f, int64_t i) {
    const int64_t cols = f->m->cols, begin = f->x->start[i];
    float *a = f->dual + i * cols;
    const float *norm = f->freedom ? f->norm + i * cols : f->norm + i;
    const float step = 1 / (norm[0] + 1 + f->d);
    bool moved = false;
    const heed_margin_row x = { f->x->id + begin, f->x->value + begin, f->x->start[i + 1] - begin };
    heed__margin_apply(f->cx, f->m, &x, f->out);
    signs(f, i, 1);
    for (int64_t c = 0; c < cols; c++) {
        const float y = f->sign[c], g = y * f->out[c] - 1 + f->d * a[c];
        float next = a[c] - g * (f->freedom ? 1 / (norm[c] + 1 + f->d) : step);
        if (next < 0) next = 0;
        if (a[c] > 0 || g < 0) f->worst = fabsf(g) > f->worst ? fabsf(g) : f->worst;
        f->out[c] = (next - a[c]) * y;
        moved = moved || next != a[c];
        a[c] = next;
    }
    signs(f, i, -1);
    if (moved) add(f, i);
}

/* What x·x of vector i is. */
static void measure(fit *f, int64_t i) {
    enum { AHEAD = 6 };
    const int64_t cols = f->m->cols, end = f->x->start[i + 1];
    for (int64_t k = f->x->start[i]; k < end; k++) {
        const float square = f->x->value[k] * f->x->value[k];
        if (!f->freedom) {
            f->norm[i] += square;
            continue;
        }
        const float *s = f->freedom + f->x->id[k] * cols;
        if (k + AHEAD < end) __builtin_prefetch(f->freedom + f->x->id[k + AHEAD] * cols);
        for (int64_t c = 0; c < cols; c++) f->norm[i * cols + c] += square * s[c];
    }
}

static int make(fit *f) {
    const heed_hooks *hooks = &f->m->hooks;
    heed_margin *m = f->m;
    const size_t n = (size_t)f->x->len, cols = (size_t)m->cols;
    size_t numbers, duals;
    if (__builtin_mul_overflow((size_t)m->rows, cols, &numbers) ||
        __builtin_mul_overflow(n, cols, &duals))
        return HEED_ENOMEM;
    m->weight = heed__calloc(hooks, numbers, sizeof *m->weight);
    m->bias = heed__calloc(hooks, cols, sizeof *m->bias);
    f->dual = heed__calloc(hooks, duals, sizeof *f->dual);
    f->sign = heed__calloc(hooks, cols, sizeof *f->sign);
    f->out = heed__calloc(hooks, cols, sizeof *f->out);
    f->norm = heed__calloc(hooks, f->freedom ? duals : n, sizeof *f->norm);
    f->order = heed__calloc(hooks, n, sizeof *f->order);
    if (!m->weight || !m->bias || !f->dual || !f->sign || !f->out || !f->norm || !f->order)
        return HEED_ENOMEM;
    for (size_t c = 0; c < cols; c++) f->sign[c] = -1;
    for (size_t i = 0; i < n; i++) {
        f->order[i] = (int64_t)i;
        measure(f, (int64_t)i);
    }
    return 0;
}

/* How far it is: done of all that there will be at most, in vectors of all passes. */
static void tell(fit *f, int64_t done, int64_t all) {
    const heed_hooks *hooks = &f->m->hooks;
    const double now = heed__seconds();
    if (!hooks->progress || now - f->told < 0.1) return;
    f->told = now;
    const double rate = (double)done / (now - f->begun + 1e-9);
    const heed_progress p = { .what = "evidence",
                              .done = done,
                              .total = all,
                              .unit = "texts",
                              .rate = rate,
                              .seconds_left = (double)(all - done) / (rate + 1e-9),
                              .loss = (double)NAN };
    hooks->progress(hooks->user, &p);
}

static int pass(fit *f, heed_rng *rng, int at, int passes) {
    const heed_hooks *hooks = &f->m->hooks;
    f->worst = 0;
    heed_rng_shuffle(rng, f->order, f->x->len);
    const bool small = f->m->cols <= 64; /* of wide rows the kernels ask themselves */
    for (int64_t i = 0; i < f->x->len; i++) {
        if (i + 4 < f->x->len) {
            __builtin_prefetch(f->x->id + f->x->start[f->order[i + 4]]);
            __builtin_prefetch(f->x->value + f->x->start[f->order[i + 4]]);
        }
        if (small && i + 1 < f->x->len) ask(f, f->order[i + 1]);
        visit(f, f->order[i]);
        if (i % 1024) continue;
        if (hooks->cancel && hooks->cancel(hooks->user)) return HEED_ECANCELLED;
        tell(f, at * f->x->len + i, passes * f->x->len);
    }
    return 0;
}

/* The more vectors, the fewer passes over them: of 60,000 short texts five give what twenty do. */
static int enough(int64_t vectors) {
    const int64_t passes = 1300000 / (vectors > 0 ? vectors : 1);
    return passes > 20 ? 20 : passes < 5 ? 5 : (int)passes;
}

int heed__margin_fit(heed_ctx *cx, heed_margin *m, const heed_sparse_rows *x, const int32_t *label,
                     const int64_t *label_start, const heed_margin_cfg *cfg) {
    fit f = { .cx = cx,
              .m = m,
              .x = x,
              .label = label,
              .label_start = label_start,
              .freedom = cfg->freedom,
              .d = (float)(0.5 / (cfg->c > 0 ? cfg->c : 1)),
              .begun = heed__seconds() };
    f.told = f.begun;
    heed_rng rng = { .seed = cfg->seed, .stream = 0x6d617267696eu };
    const int passes = cfg->passes ? cfg->passes : enough(x->len);
    const double gap = cfg->gap > 0 ? cfg->gap : 0.1;
    int rc = make(&f);
    for (int p = 0; rc == 0 && p < passes; p++) {
        rc = pass(&f, &rng, p, passes);
        if ((double)f.worst < gap) break;
    }
    heed__free(&m->hooks, f.dual);
    heed__free(&m->hooks, f.sign);
    heed__free(&m->hooks, f.out);
    heed__free(&m->hooks, f.norm);
    heed__free(&m->hooks, f.order);
    if (rc) heed__margin_free(m);
    return rc;
}

void heed__margin_round(heed_margin *m, float *scale, int8_t *number) {
    for (int64_t r = 0; r < m->rows; r++) {
        const float *w = m->weight + r * m->cols;
        float most = 0;
        for (int64_t c = 0; c < m->cols; c++) most = fabsf(w[c]) > most ? fabsf(w[c]) : most;
        scale[r] = most / 127;
        for (int64_t c = 0; c < m->cols; c++) {
            const float x = scale[r] > 0 ? w[c] / scale[r] : 0;
            const int n = (int)(x < 0 ? x - 0.5f : x + 0.5f);
            number[r * m->cols + c] = (int8_t)(n > 127 ? 127 : n < -127 ? -127 : n);
        }
    }
}

void heed__margin_free(heed_margin *m) {
    heed__free(&m->hooks, m->weight);
    heed__free(&m->hooks, m->bias);
    *m = (heed_margin){ .hooks = m->hooks };
}
