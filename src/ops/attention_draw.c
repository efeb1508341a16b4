/* attention_draw.c: how a drawn ("hard", Xu et al. 2015) attention learns: by the score function.
 *
 *   log_prob_b = Σ_{h,t} log p_t[drawn_t]        dscore_ts += dlog_prob_b · (1[s drawn] - p_ts)
 *
 * heed_reinforce (reinforce.c) makes a loss of it. */
#include "ops/attention_general.h"

#include <string.h>

#include "kernels/math.h"

typedef struct draw {
    heed__general g; /* without values */
    float *room;
    int64_t room_len;
    double *sum; /* [B,H] */
    const float *dlog;
    heed__general_grads to;
} draw;

/* Σ over the block's rows of log p[drawn]. */
static double log_of_drawn(const draw *d, heed__block *k) {
    float picked[GENERAL_BLOCK];
    int64_t n = 0;
    double sum = 0;
    for (int64_t i = 0; i < k->n; i++)
        for (int64_t j = k->from[i]; j < k->end[i]; j++)
            if (k->a[i * k->ld + j] > 0) picked[n++] = k->p[i * k->ld + j];
    d->g.k->math->log(picked, picked, n);
    for (int64_t i = 0; i < n; i++) sum += (double)picked[i];
    return sum;
}

static void forward_range(void *arg, int64_t begin, int64_t end, int worker) {
    draw *d = arg;
    heed__block k = heed__general_block(&d->g, d->room + worker * d->room_len);
    for (int64_t i = begin; i < end; i++) {
        d->sum[i] = 0;
        for (int64_t t = 0; t < d->g.T; t += GENERAL_BLOCK) {
            heed__general_make(&d->g, &k, i / d->g.H, i % d->g.H, t);
            d->sum[i] += log_of_drawn(d, &k);
        }
    }
}

static void backward_range(void *arg, int64_t begin, int64_t end, int worker) {
    draw *d = arg;
    const heed__general *g = &d->g;
    const int64_t group = g->H / g->Hv, batch = d->to.by_head ? g->B : 1;
    heed__block k = heed__general_block(g, d->room + worker * d->room_len);
    for (int64_t i = begin; i < end; i++)
        for (int64_t e = 0; e < batch * group; e++) {
            const int64_t b = d->to.by_head ? e / group : i / g->Hv;
            const int64_t h = (d->to.by_head ? i : i % g->Hv) * group + e % group;
            for (int64_t t = 0; t < g->T; t += GENERAL_BLOCK) {
                heed__general_make(g, &k, b, h, t);
                for (int64_t j = 0; j < k.n * k.ld; j++) k.dx[j] = d->dlog[b] * (k.a[j] - k.p[j]);
                heed__general_rows_grad(g, &k, &d->to, GENERAL_FROM_X);
                heed__general_scores_grad(g, &k, &d->to);
            }
        }
}

static bool make_room(heed_ctx *cx, draw *d) {
    d->room_len = heed__general_room(&d->g);
    d->room = heed__temp(cx, d->room_len * heed_pool_threads(cx->pool), sizeof(float));
    return d->room != NULL;
}

static void log_prob_backward(heed_ctx *cx, const heed_node *n) {
    draw d = *(const draw *)n->saved;
    if (!make_room(cx, &d) || !heed__general_grads_make(cx, &d.g, &d.to)) return;
    d.dlog = n->out->grad;
    const int64_t count = d.to.by_head ? d.g.Hv : d.g.B * d.g.Hv;
    heed__parallel(cx, count, 3 * heed__general_cost(&d.g, d.g.T), backward_range, &d);
    heed__general_grads_end(&d.g, &d.to);
    heed__temp_end(cx, d.room);
}

static const heed_op op_log_prob = { "attention_log_prob", log_prob_backward };

heed_tensor *heed__general_log_prob(heed_ctx *cx, const heed__general *g) {
    draw *d = heed_scratch(cx, sizeof *d);
    heed_tensor *y = heed_new(cx, HEED_F32, 1, (int64_t[]){ g->B });
    if (!d || !y) return NULL;
    *d = (draw){ .g = *g };
    d->g.src[GENERAL_V] = NULL;
    d->sum = heed__temp(cx, g->B * g->H, sizeof(double));
    if (!d->sum || !make_room(cx, d)) return NULL;
    heed__parallel(cx, g->B * g->H, heed__general_cost(g, g->T), forward_range, d);
    for (int64_t b = 0; b < g->B; b++) {
        double sum = 0;
        for (int64_t h = 0; h < g->H; h++) sum += d->sum[b * g->H + h];
        HEED_F32_DATA(y)[b] = (float)sum;
    }
    heed__temp_end(cx, d->room);
    heed__temp_end(cx, d->sum);
    return heed_record(cx, &op_log_prob, y, GENERAL_SOURCES, d->g.src, d);
}
