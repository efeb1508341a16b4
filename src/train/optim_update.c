/* optim_update.c: what a step does to the numbers of one parameter, dense or by rows. */
#include <float.h>
#include <math.h>

#include "kernels/math.h"
#include "kernels/optim.h"
#include "kernels/row.h"
#include "train/optim.h"

double heed__power(double base, int64_t n) {
    double result = 1;
    for (; n > 0; n >>= 1, base *= base)
        if (n & 1) result *= base;
    return result;
}

static void adam(const heed_optim *opt, const heed_optim_slot *s, int64_t begin, int64_t n) {
    const heed_optim_cfg *c = &opt->cfg;
    const bool apart = c->kind == HEED_ADAMW;
    const heed_adam_step step = {
        .lr = heed__optim_rate(opt, s),
        .beta1 = c->beta1,
        .beta2 = c->beta2,
        .eps = c->eps,
        .decay = apart ? s->decay : 0,
        .l2 = apart ? 0 : s->decay,
        .grad_scale = opt->grad_scale,
        .correct1 = (float)(1 - heed__power((double)c->beta1, s->steps)),
        .correct2 = (float)sqrt(1 - heed__power((double)c->beta2, s->steps)),
    };
    opt->k->optim->adam(HEED_F32_DATA(s->t) + begin, s->t->grad + begin, s->m + begin, s->v + begin,
                        n, &step);
}

/* The decay of the weights joins their gradient. What the gradient is to be multiplied by then. */
static float decayed(const heed_optim *opt, const heed_optim_slot *s, float *g, const float *w,
                     int64_t n) {
    if (s->decay == 0) return opt->grad_scale;
    if (opt->grad_scale != 1) heed__times(opt->k, g, opt->grad_scale, g, n);
    opt->k->math->axpy(g, s->decay, w, n);
    return 1;
}

void heed__optim_dense(const heed_optim *opt, const heed_optim_slot *s, int64_t begin,
                       int64_t end) {
    const heed_optim_cfg *c = &opt->cfg;
    float *w = HEED_F32_DATA(s->t) + begin, *g = s->t->grad + begin;
    const int64_t n = end - begin;
    const float lr = heed__optim_rate(opt, s);
    switch (c->kind) {
    case HEED_ADAMW:
    case HEED_ADAM:
        adam(opt, s, begin, n);
        break;
    case HEED_SGD:
        opt->k->optim->sgd(w, g, s->m ? s->m + begin : NULL, n, lr, c->momentum, s->decay,
                           opt->grad_scale, c->nesterov);
        break;
    case HEED_ADAGRAD:
        opt->k->optim->adagrad(w, g, s->v + begin, n, lr, c->eps, decayed(opt, s, g, w, n));
        break;
    case HEED_ADAFACTOR:
        break; /* heed__adafactor */
    }
}

/* -- rows of tables: each row is an optimizer of its own, with one second moment ------------ */

/* mean((scale·g)²). Squares of a huge gradient, and that of the tiny scale which clips it, leave
 * f32's range where their product does not. */
static float mean_square(const heed_optim *opt, const float *g, float scale, int64_t dim) {
    const float squares = opt->k->row->sum_sq(g, dim);
    if (isfinite(squares) && scale * scale >= FLT_MIN) return scale * scale * squares / (float)dim;
    double sum = 0;
    for (int64_t i = 0; i < dim; i++)
        sum += (double)scale * (double)g[i] * ((double)scale * (double)g[i]);
    return (float)fmin(sum / (double)dim, (double)FLT_MAX);
}

/* A row's gradient, and what it is to be multiplied by. */
typedef struct row_grad {
    const float *g;
    float scale, mean_square;
} row_grad;

static void row_adam(const heed_optim *opt, const heed_optim_slot *s, int64_t r,
                     const row_grad *of) {
    const heed_optim_cfg *c = &opt->cfg;
    const int64_t dim = s->t->sparse->dim;
    const float lr = heed__optim_rate(opt, s);
    float *w = HEED_F32_DATA(s->t) + r * dim;
    s->row_steps[r] += s->row_steps[r] < INT32_MAX;
    s->v[r] = c->beta2 * s->v[r] + (1 - c->beta2) * of->mean_square;
    const int64_t t = s->row_steps[r];
    const double correct1 = 1 - heed__power((double)c->beta1, t);
    const double correct2 = 1 - heed__power((double)c->beta2, t);
    const double root = sqrt((double)s->v[r] / correct2) + (double)c->eps;
    /* m = β1·m + (1-β1)·g and w -= rate·m is SGD with momentum, at this row's own rate */
    if (s->decay > 0 && c->kind == HEED_ADAMW) opt->k->math->axpby(w, 1 - lr * s->decay, w, 0, dim);
    opt->k->optim->sgd(w, of->g, s->m + r * dim, dim, (float)((double)lr / correct1 / root),
                       c->beta1, 0, (1 - c->beta1) * of->scale, false);
}

static void row_adagrad(const heed_optim *opt, const heed_optim_slot *s, int64_t r,
                        const row_grad *of) {
    const int64_t dim = s->t->sparse->dim;
    const float lr = heed__optim_rate(opt, s);
    float *w = HEED_F32_DATA(s->t) + r * dim;
    s->v[r] += of->mean_square;
    if (s->decay > 0) opt->k->math->axpby(w, 1 - lr * s->decay, w, 0, dim);
    opt->k->optim->sgd(w, of->g, NULL, dim, lr / (sqrtf(s->v[r]) + opt->cfg.eps), 0, 0, of->scale,
                       false);
}

static void row_sgd(const heed_optim *opt, const heed_optim_slot *s, int64_t r, const float *g) {
    const heed_optim_cfg *c = &opt->cfg;
    const int64_t dim = s->t->sparse->dim;
    opt->k->optim->sgd(HEED_F32_DATA(s->t) + r * dim, g, s->m ? s->m + r * dim : NULL, dim,
                       heed__optim_rate(opt, s), c->momentum, s->decay, opt->grad_scale,
                       c->nesterov);
}

void heed__optim_rows(const heed_optim *opt, const heed_optim_slot *s, int64_t begin, int64_t end) {
    const heed_sparse *sp = s->t->sparse;
    const heed_optim_kind kind = opt->cfg.kind;
    for (int64_t i = begin; i < end; i++) {
        const int64_t r = sp->row[i];
        float *g = sp->val + i * sp->dim;
        if (kind == HEED_SGD) {
            row_sgd(opt, s, r, g);
            continue;
        }
        row_grad of = { .g = g, .scale = opt->grad_scale };
        if (kind == HEED_ADAM)
            of.scale = decayed(opt, s, g, HEED_F32_DATA(s->t) + r * sp->dim, sp->dim);
        of.mean_square = mean_square(opt, g, of.scale, sp->dim);
        if (kind == HEED_ADAGRAD)
            row_adagrad(opt, s, r, &of);
        else
            row_adam(opt, s, r, &of);
    }
}
