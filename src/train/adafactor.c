/* adafactor.c: Adafactor (Shazeer and Stern 2018) in the form that PyTorch gives it.
 *
 *     ρ = min(lr, 1/√t)    α = ρ·max(0.001, rms(w))    1-β = t^-0.8
 *     matrix:  R += (1-β)(mean over columns of g² - R)    C += (1-β)(mean over rows of g² - C)
 *              V = R·C / mean(R)
 *     vector:  V += (1-β)(g² - V)
 *     u = g / √max(V, ε²)    w -= lr·decay·w    w -= α·u / max(1, rms(u))
 *
 * A parameter is seen as one or more matrices, its last two dimensions. */
#include <math.h>

#include "base/elementary.h"
#include "kernels/math.h"
#include "kernels/row.h"
#include "train/optim.h"

static const float EPS = 0x1p-23f; /* of f32, as PyTorch's default */

/* One parameter and its gradient. */
typedef struct job {
    const heed_optim *opt;
    const heed_optim_slot *s;
    int64_t batch, rows, cols;
    bool matrix;
} job;

void heed__adafactor_shape(const heed_tensor *t, int64_t *batch, int64_t *rows, int64_t *cols) {
    *cols = t->ndim > 0 ? t->shape[t->ndim - 1] : 1;
    *rows = t->ndim > 1 ? t->shape[t->ndim - 2] : 1;
    *batch = *rows > 0 && *cols > 0 ? t->len / (*rows * *cols) : 0;
}

static void follow(float *x, float target, float part) {
    *x += part * (target - *x);
}

static void moments_of_matrix(const job *j, int64_t b, float part) {
    const float *g = j->s->t->grad + b * j->rows * j->cols;
    float *row = j->s->m + b * j->rows, *col = j->s->v + b * j->cols;
    for (int64_t r = 0; r < j->rows; r++)
        follow(&row[r], j->opt->k->row->sum_sq(g + r * j->cols, j->cols) / (float)j->cols, part);
    /* each column's target is a mean over the rows: its parts are added row by row */
    for (int64_t c = 0; c < j->cols; c++) col[c] -= part * col[c];
    const float share = part / (float)j->rows;
    for (int64_t r = 0; r < j->rows; r++)
        for (int64_t c = 0; c < j->cols; c++)
            col[c] += share * g[r * j->cols + c] * g[r * j->cols + c];
}

static float mean(const job *j, const float *x, int64_t n) {
    return j->opt->k->row->sum(x, n) / (float)n;
}

/* u of n elements from `at` on, all in one row of a matrix. */
static void update_of(const job *j, float *u, int64_t at, int64_t n, float row_mean) {
    const float *g = j->s->t->grad + at;
    if (!j->matrix) {
        const float *v = j->s->v + at;
        for (int64_t i = 0; i < n; i++) u[i] = g[i] / sqrtf(fmaxf(v[i], EPS * EPS));
        return;
    }
    const int64_t r = at / j->cols, b = r / j->rows;
    const float row = j->s->m[r] / fmaxf(row_mean, EPS);
    const float *col = j->s->v + b * j->cols + at % j->cols;
    for (int64_t i = 0; i < n; i++) u[i] = g[i] / sqrtf(fmaxf(row * col[i], EPS * EPS));
}

/* Goes over all of u in pieces that lie in one row. alpha 0: returns the sum of squares of u; else
 * w -= alpha·u. */
static double pass(const job *j, float shrink, float alpha) {
    enum { PIECE = 1024 };
    float u[PIECE];
    float *w = HEED_F32_DATA(j->s->t);
    double sum = 0;
    const int64_t len = j->s->t->len, matrix = j->rows * j->cols;
    float row_mean = 0;
    for (int64_t at = 0; at < len;) {
        const int64_t left = j->cols - at % j->cols, n = left < PIECE ? left : PIECE;
        if (j->matrix && at % matrix == 0) row_mean = mean(j, j->s->m + at / j->cols, j->rows);
        update_of(j, u, at, n, row_mean);
        if (alpha == 0)
            sum += (double)j->opt->k->row->sum_sq(u, n);
        else
            for (int64_t i = 0; i < n; i++) w[at + i] = w[at + i] * shrink - alpha * u[i];
        at += n;
    }
    return sum;
}

static double rms(const job *j, const float *x, int64_t n) {
    double sum = 0;
    for (int64_t at = 0; at < n; at += 4096)
        sum += (double)j->opt->k->row->sum_sq(x + at, n - at < 4096 ? n - at : 4096);
    return sqrt(sum / (double)n);
}

void heed__adafactor(const heed_optim *opt, const heed_optim_slot *s) {
    if (s->t->len == 0) return;
    job j = { .opt = opt, .s = s, .matrix = s->t->ndim > 1 };
    heed__adafactor_shape(s->t, &j.batch, &j.rows, &j.cols);
    const double t = (double)s->steps, lr = (double)heed__optim_rate(opt, s);
    const float part = (float)heed__pow(t, -0.8);
    const float shrink = (float)(1 - lr * (double)s->decay);
    /* PyTorch takes rms(w) before the decay */
    const double alpha = fmin(lr, 1 / sqrt(t)) *
                         fmax(1e-3, rms(&j, HEED_F32_DATA(s->t), s->t->len));
    float *g = s->t->grad;
    if (opt->grad_scale != 1) heed__times(opt->k, g, opt->grad_scale, g, s->t->len);
    for (int64_t b = 0; j.matrix && b < j.batch; b++) moments_of_matrix(&j, b, part);
    for (int64_t i = 0; !j.matrix && i < s->t->len; i++) follow(&s->v[i], g[i] * g[i], part);
    const double size = sqrt(pass(&j, 1, 0) / (double)s->t->len);
    if (alpha > 0) pass(&j, shrink, (float)(alpha / fmax(1, size)));
}
