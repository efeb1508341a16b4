/* crf.c: negative log-likelihood of a linear-chain CRF (Lafferty et al. 2001).
 *   x [B,T,K], transitions A [K,K] (from, to), edges [2,K] (first, last), tags y I32 [B,T] -> [B]
 *
 *   forward    s(y) = e₀[y₀] + Σₜ xₜ[yₜ] + Σₜ A[yₜ₋₁,yₜ] + e₁[yₙ₋₁]
 *              L = log Σ_y' exp s(y') − s(y)
 *              aₜ[j] = xₜ[j] + logΣᵢ exp(aₜ₋₁[i] + A[i,j]) − cₜ,   cₜ so that Σⱼ exp aₜ[j] = 1
 *              log Z = Σₜ cₜ + logΣⱼ exp(aₙ₋₁[j] + e₁[j])
 *   backward   bₜ₋₁[i] = logΣⱼ exp(A[i,j] + xₜ[j] + bₜ[j]) − cₜ,   bₙ₋₁ = e₁ − its own c
 *              γₜ = exp(aₜ + bₜ);                          dxₜ += dL·(γₜ − [yₜ])
 *              ξₜ[i,j] = exp(aₜ₋₁[i] + A[i,j] + xₜ[j] + bₜ[j] − cₜ);   dA += dL·(ξₜ − [yₜ₋₁,yₜ])
 *
 * Each step is scaled to a probability, so that long sequences lose nothing; the cₜ are summed in
 * double. A step's sums are products with exp(A − max A); where one is so small that its terms may
 * have vanished, it is made again term by term from logarithms. Gradients of A and the edges are
 * made row by row of the batch and then summed by the shard rule.
 */
#include "ops/crf.h"
#include "ops/op.h"
#include "ops/sequence.h"

#include <string.h>

/* -- one sequence */

/* Sums below this are made again: terms of less than 2^-126 may be missing. */
static const float TINY = 1e-30F;
/* exp(60) times a sum of a million steps is still a number. */
static const float LARGE = 60;

void heed__crf_prepare(const heed_kernels *k, heed__crf_trans *t, const float *log, int64_t K,
                       float *room) {
    *t = (heed__crf_trans){ .log = log, .to = room };
    t->scaled = room + K * K;
    t->scaled_to = t->scaled + K * K;
    t->most = K ? k->row->max(log, K * K) : 0;
    k->math->axpby(t->scaled, 1, log, -t->most, K * K);
    k->math->exp(t->scaled, t->scaled, K * K);
    for (int64_t i = 0; i < K; i++)
        for (int64_t j = 0; j < K; j++) {
            t->to[j * K + i] = log[i * K + j];
            t->scaled_to[j * K + i] = t->scaled[i * K + j];
        }
}

static float normalise(const heed__crf *f, float *a) {
    const float c = f->k->row->log_sum_exp(a, f->tags);
    f->k->math->axpby(a, 1, a, -c, f->tags);
    return c;
}

static void add_or_copy(const heed__crf *f, float *to, const float *x, const float *more) {
    if (more)
        f->k->math->add(to, x, more, f->tags);
    else
        memcpy(to, x, (size_t)f->tags * sizeof *to);
}

/* What goes through the transitions, forwards or backwards. */
typedef struct mix {
    const float *from, *p; /* [K] logarithms; exp(from - over) */
    const float *scaled,
        *back; /* [K,K]: the scaled form, from by to, and the log form, to by from */
    float over;
} mix;

/* to[j] = log Σᵢ exp(from[i] + transition[i,j]); room of 2K. */
static void log_mix(const heed__crf *f, float *to, const mix *m, float *room) {
    const int64_t K = f->tags;
    float *sum = room, *row = room + K;
    memset(sum, 0, (size_t)K * sizeof *sum);
    for (int64_t i = 0; i < K; i++) f->k->math->axpy(sum, m->p[i], m->scaled + i * K, K);
    f->k->math->log(to, sum, K);
    f->k->math->axpby(to, 1, to, m->over + f->trans.most, K);
    for (int64_t j = 0; j < K; j++) {
        if (!(sum[j] < TINY)) continue;
        f->k->math->add(row, m->from, m->back + j * K, K);
        to[j] = f->k->row->log_sum_exp(row, K);
    }
}

double heed__crf_forward(heed__crf *f) {
    const int64_t K = f->tags;
    add_or_copy(f, f->a, f->x, f->first);
    f->c[0] = normalise(f, f->a);
    double z = (double)f->c[0];
    for (int64_t t = 1; t < f->steps; t++) {
        const float *before = f->a + (t - 1) * K;
        float *a = f->a + t * K;
        f->k->math->exp(f->room, before, K);
        log_mix(f, a, &(mix){ before, f->room, f->trans.scaled, f->trans.to, 0 }, f->room + K);
        f->k->math->add(a, a, f->x + t * K, K);
        f->c[t] = normalise(f, a);
        z += (double)f->c[t];
    }
    add_or_copy(f, f->room, f->a + (f->steps - 1) * K, f->end);
    f->last = f->k->row->log_sum_exp(f->room, K);
    return z + (double)f->last;
}

/* b of the last step. */
static void begin_backward(const heed__crf *f, float *b) {
    for (int64_t j = 0; j < f->tags; j++) b[j] = (f->end ? f->end[j] : 0) - f->last;
}

/* What the transitions' gradient gathers: += here, and += of what is still to be multiplied by
 * the scaled transitions. NULL: it is not wanted. */
typedef struct gathered {
    float *plain, *outer; /* [K,K] */
    float scale;
} gathered;

/* += scale·ξₜ; m->from is v = xₜ + bₜ − cₜ, p is room. */
static void gather(const heed__crf *f, const gathered *g, const float *before, const mix *m,
                   float *p) {
    const int64_t K = f->tags;
    if (m->over + f->trans.most < LARGE) {
        float factor = m->over + f->trans.most;
        f->k->math->exp(&factor, &factor, 1);
        f->k->math->exp(p, before, K);
        for (int64_t i = 0; i < K; i++)
            f->k->math->axpy(g->outer + i * K, g->scale * factor * p[i], m->p, K);
        return;
    }
    for (int64_t i = 0; i < K; i++) {
        f->k->math->add(p, f->trans.log + i * K, m->from, K);
        f->k->row->exp_sub_scale(p, p, -before[i], 0, g->scale, K);
        f->k->math->add(g->plain + i * K, g->plain + i * K, p, K);
    }
}

/* b of step t-1 in `to` from that of step t; g may be NULL. */
static void step_backward(const heed__crf *f, int64_t t, const float *b, float *to,
                          const gathered *g) {
    const int64_t K = f->tags;
    const float *before = f->a + (t - 1) * K;
    float *v = f->room, *q = v + K, *more = q + K;
    f->k->math->add(v, f->x + t * K, b, K);
    f->k->math->axpby(v, 1, v, -f->c[t], K);
    const mix m = { v, q, f->trans.scaled_to, f->trans.log, f->k->row->max(v, K) };
    f->k->math->axpby(q, 1, v, -m.over, K);
    f->k->math->exp(q, q, K);
    log_mix(f, to, &m, more);
    if (g) gather(f, g, before, &m, more);
    /* Exactly, Σᵢ exp(a + b) is 1 again; rounding must not add up over the steps. */
    f->k->math->add(v, before, to, K);
    f->k->math->axpby(to, 1, to, -f->k->row->log_sum_exp(v, K), K);
}

void heed__crf_backward(const heed__crf *f, float *b) {
    const int64_t K = f->tags, n = f->steps;
    begin_backward(f, b + (n - 1) * K);
    for (int64_t t = n - 1; t > 0; t--) step_backward(f, t, b + t * K, b + (t - 1) * K, NULL);
}

/* -- the operation */

typedef struct crf {
    const heed_ctx *cx;
    int64_t batch, steps, tags;
    const float *x, *edges; /* edges: NULL, or first and last [2,K] */
    heed__crf_trans trans;
    const int32_t *y, *lengths; /* lengths: NULL: all T */
    float *loss;                /* [B] */
    float *a, *c, *last;        /* [B,T,K], [B,T], [B] */
    float *scratch;             /* [threads], scratch_of */
    /* backward */
    const float *dloss;
    float *dx, beta;
    float *dtrans, *dedges; /* [B,K,K], [B,2,K]: each row's own */
} crf;

static int64_t length_of(const crf *m, int64_t b) {
    return m->lengths ? m->lengths[b] : m->steps;
}

/* Floats of a worker: a sequence's room, b of two steps, γ; what transitions gather. */
static int64_t scratch_of(int64_t K) {
    return (HEED_CRF_ROOM + 3) * K + K * K;
}

static heed__crf row_of(const crf *m, int64_t b, int worker) {
    const int64_t K = m->tags;
    return (heed__crf){ .k = m->cx->k,
                        .steps = length_of(m, b),
                        .tags = K,
                        .x = m->x + b * m->steps * K,
                        .trans = m->trans,
                        .first = m->edges,
                        .end = m->edges ? m->edges + K : NULL,
                        .a = m->a + b * m->steps * K,
                        .c = m->c + b * m->steps,
                        .last = m->last[b],
                        .room = m->scratch + worker * scratch_of(K) };
}

static double score(const heed__crf *f, const int32_t *y) {
    double s = f->first ? (double)f->first[y[0]] : 0;
    for (int64_t t = 0; t < f->steps; t++) {
        s += (double)f->x[t * f->tags + y[t]];
        if (t > 0) s += (double)f->trans.log[y[t - 1] * f->tags + y[t]];
    }
    return f->end ? s + (double)f->end[y[f->steps - 1]] : s;
}

static void forward_range(void *arg, int64_t begin, int64_t end, int worker) {
    const crf *m = arg;
    for (int64_t b = begin; b < end; b++) {
        m->last[b] = 0;
        m->loss[b] = 0;
        heed__crf f = row_of(m, b, worker);
        if (f.steps == 0) continue;
        const double z = heed__crf_forward(&f);
        m->last[b] = f.last;
        m->loss[b] = (float)(z - score(&f, m->y + b * m->steps));
    }
}

/* Gradients of one row; gamma is its room of K. */
static void backward_steps(const crf *m, const heed__crf *f, int64_t row, float *b) {
    const int64_t K = m->tags;
    const int32_t *y = m->y + row * m->steps;
    const float d = m->dloss[row];
    float *next = b + K, *gamma = next + K;
    const gathered g = { .plain = m->dtrans ? m->dtrans + row * K * K : NULL,
                         .outer = gamma + K,
                         .scale = d };
    float *dtrans = m->dtrans ? m->dtrans + row * K * K : NULL;
    float *dedges = m->dedges ? m->dedges + row * 2 * K : NULL;
    memset(g.outer, 0, (size_t)(K * K) * sizeof *g.outer);
    begin_backward(f, b);
    for (int64_t t = f->steps - 1; t >= 0; t--) {
        f->k->math->add(gamma, f->a + t * K, b, K);
        f->k->row->exp_sub_scale(gamma, gamma, 0, 0, d, K);
        gamma[y[t]] -= d;
        if (dedges && t == f->steps - 1) memcpy(dedges + K, gamma, (size_t)K * sizeof *gamma);
        if (dedges && t == 0) memcpy(dedges, gamma, (size_t)K * sizeof *gamma);
        float *dx = m->dx ? m->dx + (row * m->steps + t) * K : NULL;
        if (dx && m->beta == 0) memcpy(dx, gamma, (size_t)K * sizeof *dx);
        if (dx && m->beta != 0) f->k->math->add(dx, dx, gamma, K);
        if (t == 0) break;
        step_backward(f, t, b, next, dtrans ? &g : NULL);
        if (dtrans) dtrans[y[t - 1] * K + y[t]] -= d;
        memcpy(b, next, (size_t)K * sizeof *b);
    }
    if (dtrans) f->k->math->mul_add(dtrans, g.outer, f->trans.scaled, K * K);
}

static void backward_range(void *arg, int64_t begin, int64_t end, int worker) {
    const crf *m = arg;
    const int64_t K = m->tags;
    for (int64_t row = begin; row < end; row++) {
        const heed__crf f = row_of(m, row, worker);
        if (m->dtrans) memset(m->dtrans + row * K * K, 0, (size_t)(K * K) * sizeof *m->dtrans);
        if (m->dedges) memset(m->dedges + row * 2 * K, 0, (size_t)(2 * K) * sizeof *m->dedges);
        if (m->dx && m->beta == 0)
            memset(m->dx + (row * m->steps + f.steps) * K, 0,
                   (size_t)((m->steps - f.steps) * K) * sizeof *m->dx);
        if (f.steps > 0) backward_steps(m, &f, row, f.room + HEED_CRF_ROOM * K);
    }
}

static int64_t work_of_row(const crf *m) {
    return 4 * (m->steps + 1) * (m->tags + 8) * (m->tags + 16);
}

static void crf_backward(heed_ctx *cx, const heed_node *n) {
    crf m = *(const crf *)n->saved;
    heed_tensor *trans = n->src[1], *edges = n->src[2];
    const int64_t B = m.batch, K = m.tags;
    m.dloss = n->out->grad;
    m.scratch = heed__alloc(cx, heed_pool_threads(cx->pool) * scratch_of(K) + 1, sizeof(float));
    if (!m.scratch) return;
    if (trans->needs_grad && !(m.dtrans = heed__alloc(cx, B, (size_t)(K * K) * sizeof(float))))
        return;
    if (edges && edges->needs_grad &&
        !(m.dedges = heed__alloc(cx, B, (size_t)(2 * K) * sizeof(float))))
        return;
    m.dx = heed__grad_beta(cx, n->src[0], &m.beta);
    if (heed_ctx_error(cx)) return;
    heed__parallel(cx, B, 2 * work_of_row(&m), backward_range, &m);
    if (m.dtrans && !heed__bias_grad(cx, trans, m.dtrans, B, K * K)) return;
    if (m.dedges) heed__bias_grad(cx, edges, m.dedges, B, 2 * K);
}

static const heed_op op = { .name = "crf", .backward = crf_backward };

static bool shapes_ok(heed_ctx *cx, const heed_tensor *x, const heed_tensor *trans,
                      const heed_tensor *edges, const heed_tensor *tags) {
    char a[96], b[96];
    if (!heed__is_f32(cx, &op, "x", x) || !heed__is_f32(cx, &op, "transitions", trans) ||
        !heed__is_dtype(cx, &op, "tags", tags, HEED_I32))
        return false;
    const int64_t K = x->ndim == 3 ? x->shape[2] : -1;
    if (K < 0 || trans->ndim != 2 || trans->shape[0] != K || trans->shape[1] != K) {
        heed_fail(cx, HEED_ESHAPE, "crf: x %s and transitions %s are not [B,T,K] and [K,K]",
                  heed_shape_text(x, a), heed_shape_text(trans, b));
        return false;
    }
    if (edges && (!heed__is_f32(cx, &op, "edges", edges) || edges->ndim != 2 ||
                  edges->shape[0] != 2 || edges->shape[1] != K)) {
        heed_fail(cx, HEED_ESHAPE, "crf: edges %s are not f32 [2,%lld]", heed_shape_text(edges, a),
                  (long long)K);
        return false;
    }
    if (tags->ndim == 2 && tags->shape[0] == x->shape[0] && tags->shape[1] == x->shape[1])
        return true;
    heed_fail(cx, HEED_ESHAPE, "crf: tags %s are not one for each step of x %s",
              heed_shape_text(tags, a), heed_shape_text(x, b));
    return false;
}

static bool tags_ok(heed_ctx *cx, const crf *m) {
    for (int64_t b = 0; b < m->batch; b++)
        for (int64_t t = 0; t < length_of(m, b); t++) {
            const int32_t tag = m->y[b * m->steps + t];
            if (tag >= 0 && tag < m->tags) continue;
            heed_fail(cx, HEED_EINVALID, "crf: tag %d of row %lld, step %lld is not within 0..%lld",
                      (int)tag, (long long)b, (long long)t, (long long)m->tags - 1);
            return false;
        }
    return true;
}

heed_tensor *heed_crf(heed_ctx *cx, heed_tensor *x, heed_tensor *transitions, heed_tensor *edges,
                      heed_tensor *tags, heed_tensor *lengths) {
    if (!x || !transitions || !tags || !shapes_ok(cx, x, transitions, edges, tags) ||
        !heed__lengths_ok(cx, "crf", lengths, x->shape[0], x->shape[1]))
        return NULL;
    const int64_t B = x->shape[0], T = x->shape[1], K = x->shape[2];
    heed_tensor *y = heed__out(cx, &op, 1, &B);
    crf *m = y ? heed__alloc(cx, 1, sizeof *m) : NULL;
    if (!m) return NULL;
    *m = (crf){ .cx = cx, .batch = B, .steps = T, .tags = K, .x = x->data, .y = tags->data };
    m->edges = edges ? edges->data : NULL;
    m->lengths = lengths ? lengths->data : NULL;
    m->loss = y->data;
    if (!tags_ok(cx, m)) return NULL;
    float *forms = heed__alloc(cx, K * K + 1, HEED_CRF_FORMS * sizeof *forms);
    m->a = heed__alloc(cx, x->len + 1, sizeof *m->a);
    m->c = heed__alloc(cx, B * T + 1, sizeof *m->c);
    m->last = heed__alloc(cx, B + 1, sizeof *m->last);
    m->scratch = heed__temp(cx, heed_pool_threads(cx->pool) * scratch_of(K) + 1, sizeof(float));
    if (!forms || !m->a || !m->c || !m->last || !m->scratch) return NULL;
    heed__crf_prepare(cx->k, &m->trans, transitions->data, K, forms);
    heed__parallel(cx, B, work_of_row(m), forward_range, m);
    heed__temp_end(cx, m->scratch);
    return heed_record(cx, &op, y, 5, (heed_tensor *[]){ x, transitions, edges, tags, lengths }, m);
}
