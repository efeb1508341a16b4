/* optim.h: one pass over parameters, gradients and moments for each optimizer. Elementwise, so any
 * cut gives equal bits. */
#ifndef HEED_KERNELS_OPTIM_H
#define HEED_KERNELS_OPTIM_H

#include "kernels/kernels.h"

typedef struct heed_adam_step {
    float lr, beta1, beta2, eps,
        decay; /* decay: decoupled, w -= lr·decay·w (AdamW); l2: added to the gradient (Adam) */
    float l2, grad_scale;     /* grad_scale: of clipping and accumulation */
    float correct1, correct2; /* 1 - beta1^t and sqrt(1 - beta2^t) */
} heed_adam_step;

struct heed_optim_kernels {
    void (*adam)(float *w, const float *g, float *m, float *v, int64_t n, const heed_adam_step *s);
    /* v = momentum·v + g·grad_scale + l2·w; w -= lr·(nesterov ? g + momentum·v : v); v may be NULL
     */
    void (*sgd)(float *w, const float *g, float *v, int64_t n, float lr, float momentum, float l2,
                float grad_scale, bool nesterov);
    void (*adagrad)(float *w, const float *g, float *sum, int64_t n, float lr, float eps,
                    float grad_scale);
    void (*ema)(float *avg, const float *w, int64_t n,
                float decay); /* avg += (1-decay)·(w - avg) */
};

#endif
