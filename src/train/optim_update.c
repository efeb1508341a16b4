/* optim_update.c: what a step does to the numbers of one parameter, dense or by rows. */
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
        /* the kernel multiplies by grad_scale: scale·(g + decay/scale·w) */
        if (s->decay > 0) opt->k->math->axpy(g, s->decay / opt->grad_scale, w, n);
        opt->k->optim->adagrad(w, g, s->v + begin, n, lr, c->eps, opt->grad_scale);
        break;
    case HEED_ADAFACTOR:
        break; /* heed__adafactor */
    }
}

/* -- rows of tables: each row is an optimizer of its own, with one second moment ------------ */

static void row_adam(const heed_optim *opt, const heed_optim_slot *s, int64_t r, const float *g,
                      float mean_square) {
    const heed_optim_cfg *c = &opt->cfg;
    const int64_t dim = s->t->sparse->dim;
    const float lr = heed__optim_rate(opt, s);
    float *w = HEED_F32_DATA(s->t) + r * dim;
    s->row_steps[r] += s->row_steps[r] < INT32_MAX;
    s->v[r] = c->beta2 * s->v[r] + (1 - c->beta2) * mean_square;
    const int64_t t = s->row_steps[r];
    const double correct1 = 1 - heed__power((double)c->beta1, t);
    const double correct2 = 1 - heed__power((double)c->beta2, t);
    const double root = sqrt((double)s->v[r] / correct2) + (double)c->eps;
    /* m = β1·m + (1-β1)·g and w -= rate·m is SGD with momentum, at this row's own rate */
    if (s->decay > 0 && c->kind == HEED_ADAMW)
        opt->k->math->axpby(w, 1 - lr * s->decay, w, 0, dim);
    opt->k->optim->sgd(w, g, s->m + r * dim, dim, (float)((double)lr / correct1 / root), c->beta1,
                       0, (1 - c->beta1) * opt->grad_scale, false);
}

static void row_adagrad(const heed_optim *opt, const heed_optim_slot *s, int64_t r, const float *g,
                        float mean_square) {
    const int64_t dim = s->t->sparse->dim;
    const float lr = heed__optim_rate(opt, s);
    float *w = HEED_F32_DATA(s->t) + r * dim;
    s->v[r] += mean_square;
    if (s->decay > 0) opt->k->math->axpby(w, 1 - lr * s->decay, w, 0, dim);
    opt->k->optim->sgd(w, g, NULL, dim, lr / (sqrtf(s->v[r]) + opt->cfg.eps), 0, 0, opt->grad_scale,
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
        /* what follows multiplies by grad_scale: scale·(g + decay/scale·w) */
        if (kind == HEED_ADAM && s->decay > 0)
            opt->k->math->axpy(g, s->decay / opt->grad_scale, HEED_F32_DATA(s->t) + r * sp->dim,
                               sp->dim);
        const float mean_square = opt->grad_scale * opt->grad_scale *
                                  opt->k->row->sum_sq(g, sp->dim) / (float)sp->dim;
        if (kind == HEED_ADAGRAD)
            row_adagrad(opt, s, r, g, mean_square);
        else
            row_adam(opt, s, r, g, mean_square);
    }
}
