/* linear_attention.c: attention with a kernel feature map instead of a softmax (Katharopoulos et
 * al. 2020, "Transformers are RNNs"): time and memory grow with T, not with T·S.
 *
 *   f(x) = elu(x) + 1, or max(x, 0)
 *   y_t  = sum_s (f(q_t)·f(k_s)) v_s / (sum_s f(q_t)·f(k_s) + eps)    over valid s (causal: s <= t)
 *
 * With v' = [v, 1] numerator and denominator are one product n' = sum_s a_ts v'_s, a = f(q)·f(k).
 * Causal rows go in chunks of CHUNK counted from the first valid key: inside a chunk by a lower
 * triangle of a, before it by the state, the sum of f(k)ᵀv' over all earlier chunks. Backward, with
 * g = dL/dn':
 *   df(q_t) = sum_s (g_t·v'_s) f(k_s)   df(k_s) = sum_t (g_t·v'_s) f(q_t)   dv'_s = sum_t a_ts g_t
 * runs in the same chunks: forward over the keys for df(q), backward over the queries for the rest.
 */
#include "heed/attention.h"

#include "kernels/attn.h"
#include "kernels/math.h"
#include "kernels/row.h"
#include "ops/attention_product.h"
#include "tensor/ctx.h"

#include <float.h>
#include <string.h>

enum { CHUNK = 64 };

typedef struct linear {
    const heed_kernels *k;
    int64_t B, T, S, H, Hk, D, Dv;
    bool causal, relu;
    float eps;
    const int32_t *lengths, *starts; /* [B] or NULL */
    const float *q, *key, *v;
    float *out;                        /* forward */
    const float *dout;                 /* backward */
    float *dq, *dk, *dv;               /* or NULL */
    float *room;                       /* scratch of all workers */
    int64_t room_len, states, product; /* of one worker; of that: chunk buffers, product scratch */
} linear;

/* Buffers of one worker. E = Dv + 1 columns of v'. */
typedef struct work {
    float *fq, *fk; /* [CHUNK,D] */
    float *v1, *n1; /* [CHUNK,E]  v' and n' or dv' */
    float *g;       /* [CHUNK,E] */
    float *a, *da;  /* [CHUNK,CHUNK] */
    float *df;      /* [CHUNK,D] */
    float *state;   /* [D,E] */
    float *grads;   /* [T,E]  g of every query, backward only */
    float *product;
} work;

static work work_of(const linear *l, int worker) {
    const int64_t D = l->D, E = l->Dv + 1;
    float *p = l->room + worker * l->room_len;
    work w;
    w.fq = p, p += CHUNK * D;
    w.fk = p, p += CHUNK * D;
    w.df = p, p += CHUNK * D;
    w.v1 = p, p += CHUNK * E;
    w.n1 = p, p += CHUNK * E;
    w.g = p, p += CHUNK * E;
    w.a = p, p += CHUNK * CHUNK;
    w.da = p, p += CHUNK * CHUNK;
    w.state = p, p += D * E;
    w.product = p, p += l->product;
    w.grads = p;
    return w;
}

/* Rows ld apart, read transposed where told. */
typedef struct matrix {
    const float *at;
    int64_t ld;
    bool transposed;
} matrix;

typedef struct target {
    float *at;
    int64_t ld;
    bool add;
} target;

/* to [m,n] = (or +=) a [m,k] b [k,n]; size = { m, n, k } */
static void multiply(const linear *l, const work *w, const int64_t size[3], matrix a, matrix b,
                     target to) {
    const heed_gemm g = { .m = size[0],
                          .n = size[1],
                          .k = size[2],
                          .a = a.at,
                          .lda = a.ld,
                          .ta = a.transposed,
                          .b = b.at,
                          .ldb = b.ld,
                          .tb = b.transposed,
                          .c = to.at,
                          .ldc = to.ld,
                          .accumulate = to.add };
    heed__gemm(l->k, NULL, &g, w->product);
}

/* to [rows,width] += a b, where a is the lower triangle of a chunk, or its transpose, and b has n
 * rows, packed. What lies outside of the triangle is hidden: where b is not finite, 0·NaN too. */
static void add_triangle(const linear *l, const work *w, const int64_t size[3], matrix a,
                         const float *b, float *to) {
    const int64_t rows = size[0], width = size[1], n = size[2];
    if (l->k->attn->within(b, width, n, width, FLT_MAX)) {
        multiply(l, w, size, a, (matrix){ b, width, false }, (target){ to, width, true });
        return;
    }
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = a.transposed ? i : 0; j < n && (a.transposed || j <= i); j++)
            l->k->math->axpy(to + i * width, a.at[a.transposed ? j * a.ld + i : i * a.ld + j],
                             b + j * width, width);
}

/* f(x) of n rows ld apart, packed. */
static void features(const linear *l, float *f, const float *x, int64_t ld, int64_t n) {
    for (int64_t i = 0; i < n; i++, f += l->D, x += ld) {
        if (l->relu) {
            l->k->math->relu(f, x, l->D);
            continue;
        }
        l->k->math->exp(f, x, l->D);
        for (int64_t j = 0; j < l->D; j++)
            if (x[j] > 0) f[j] = x[j] + 1;
    }
}

/* dx += df · f'(x): elu: 1 where x > 0, else exp(x) = f(x); relu: 0 where x <= 0, else 1 (NaN,
 * which df is too, stays). */
static void features_grad(const linear *l, float *dx, int64_t ld, const float *f, float *df,
                          int64_t n) {
    for (int64_t i = 0; i < n; i++, dx += ld, f += l->D, df += l->D) {
        for (int64_t j = 0; j < l->D; j++)
            df[j] = l->relu ? (f[j] == 0 ? 0 : df[j]) : f[j] > 1 ? df[j] : df[j] * f[j];
        l->k->math->add(dx, dx, df, l->D);
    }
}

/* v' = [v, 1] of n rows. */
static void with_one(const linear *l, float *v1, const float *v, int64_t n) {
    for (int64_t i = 0; i < n; i++) {
        memcpy(v1 + i * (l->Dv + 1), v + i * l->Hk * l->Dv, (size_t)l->Dv * sizeof *v);
        v1[i * (l->Dv + 1) + l->Dv] = 1;
    }
}

/* What one (batch, head) reads: its first numbers, and the range of its valid keys. */
typedef struct place {
    const float *q, *key, *v;
    int64_t h, b, begin, end;
} place;

static place place_of(const linear *l, int64_t b, int64_t h) {
    const int64_t hk = h / (l->H / l->Hk);
    place p = { l->q + (b * l->T * l->H + h) * l->D,
                l->key + (b * l->S * l->Hk + hk) * l->D,
                l->v + (b * l->S * l->Hk + hk) * l->Dv,
                h,
                b,
                l->starts ? l->starts[b] : 0,
                l->S };
    if (l->lengths) p.end = p.begin + l->lengths[b];
    return p;
}

static int64_t chunk_len(int64_t from, int64_t end) {
    return end - from < CHUNK ? end - from : CHUNK;
}

static void load_keys(const linear *l, const work *w, const place *p, int64_t s, int64_t n) {
    features(l, w->fk, p->key + s * l->Hk * l->D, l->Hk * l->D, n);
    with_one(l, w->v1, p->v + s * l->Hk * l->Dv, n);
}

/* state += f(k)ᵀ v' of the loaded chunk, one chain over the keys. */
static void state_add(const linear *l, const work *w, const float *f, const float *e, int64_t n) {
    const int64_t D = l->D, E = l->Dv + 1;
    multiply(l, w, (int64_t[]){ D, E, n }, (matrix){ f, D, true }, (matrix){ e, E, false },
             (target){ w->state, E, true });
}

static void lower(float *a, int64_t rows, int64_t cols) {
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = i + 1; j < cols; j++) a[i * CHUNK + j] = 0;
}

/* n' of rows whose f(q) is loaded: the triangle of the loaded keys where inside, then the state. */
static void numerators(const linear *l, const work *w, int64_t rows, int64_t inside) {
    const int64_t D = l->D, E = l->Dv + 1;
    multiply(l, w, (int64_t[]){ rows, E, D }, (matrix){ w->fq, D, false },
             (matrix){ w->state, E, false }, (target){ w->n1, E, false });
    if (!inside) return;
    multiply(l, w, (int64_t[]){ rows, inside, D }, (matrix){ w->fq, D, false },
             (matrix){ w->fk, D, true }, (target){ w->a, CHUNK, false });
    lower(w->a, rows, inside);
    add_triangle(l, w, (int64_t[]){ rows, E, inside }, (matrix){ w->a, CHUNK, false }, w->v1,
                 w->n1);
}

/* Calls each for every chunk of queries of p in order, with the state of all earlier keys (causal)
 * or of all keys, and inside = how many of the chunk's own keys are loaded (0 when not causal). */
typedef void (*chunk_fn)(const linear *l, const work *w, const place *p, const int64_t at[3]);

static void each_chunk(const linear *l, const work *w, const place *p, chunk_fn each) {
    const int64_t D = l->D, E = l->Dv + 1, HD = l->H * D;
    memset(w->state, 0, (size_t)(D * E) * sizeof(float));
    for (int64_t s = p->begin; !l->causal && s < p->end; s += CHUNK) {
        const int64_t n = chunk_len(s, p->end);
        load_keys(l, w, p, s, n);
        state_add(l, w, w->fk, w->v1, n);
    }
    for (int64_t t = l->causal ? p->begin : 0; t < l->T; t += CHUNK) {
        const int64_t rows = chunk_len(t, l->T);
        const int64_t inside = l->causal && t < p->end ? chunk_len(t, p->end) : 0;
        features(l, w->fq, p->q + t * HD, HD, rows);
        if (inside) load_keys(l, w, p, t, inside);
        numerators(l, w, rows, inside);
        each(l, w, p, (int64_t[]){ t, rows, inside });
        if (inside) state_add(l, w, w->fk, w->v1, inside);
    }
}

static void chunk_out(const linear *l, const work *w, const place *p, const int64_t at[3]) {
    const int64_t E = l->Dv + 1;
    for (int64_t i = 0; i < at[1]; i++) {
        const float *n1 = w->n1 + i * E;
        float *y = l->out + ((p->b * l->T + at[0] + i) * l->H + p->h) * l->Dv;
        heed__times(l->k, y, 1 / (n1[l->Dv] + l->eps), n1, l->Dv);
    }
}

/* g = dL/dn' = [dy, -dy·y] / (n'_last + eps), kept for the second pass; df(q) = (g v'ᵀ masked) f(k)
 * + g stateᵀ. */
static void chunk_dq(const linear *l, const work *w, const place *p, const int64_t at[3]) {
    const int64_t D = l->D, E = l->Dv + 1, rows = at[1], inside = at[2];
    float *g = w->grads + at[0] * E;
    for (int64_t i = 0; i < rows; i++) {
        const float *n1 = w->n1 + i * E;
        const float *dy = l->dout + ((p->b * l->T + at[0] + i) * l->H + p->h) * l->Dv;
        const float inv = 1 / (n1[l->Dv] + l->eps);
        for (int64_t j = 0; j < l->Dv; j++) g[i * E + j] = dy[j] * inv;
        g[i * E + l->Dv] = -l->k->row->dot(g + i * E, n1, l->Dv) * inv;
    }
    if (!l->dq) return;
    multiply(l, w, (int64_t[]){ rows, D, E }, (matrix){ g, E, false },
             (matrix){ w->state, E, true }, (target){ w->df, D, false });
    if (inside) {
        multiply(l, w, (int64_t[]){ rows, inside, E }, (matrix){ g, E, false },
                 (matrix){ w->v1, E, true }, (target){ w->da, CHUNK, false });
        lower(w->da, rows, inside);
        add_triangle(l, w, (int64_t[]){ rows, D, inside }, (matrix){ w->da, CHUNK, false }, w->fk,
                     w->df);
    }
    features_grad(l, l->dq + ((p->b * l->T + at[0]) * l->H + p->h) * D, l->H * D, w->fq, w->df,
                  rows);
}

/* df(k) and dv' of n keys from s on: the state is now the sum of f(q)ᵀg over all later queries, and
 * `inside` queries of the same chunk see them through a triangle. */
static void keys_grad(const linear *l, const work *w, const place *p, const int64_t at[3]) {
    const int64_t D = l->D, E = l->Dv + 1, s = at[0], n = at[1], inside = at[2];
    const float *g = w->grads + s * E;
    const int64_t hk = p->h / (l->H / l->Hk);
    load_keys(l, w, p, s, n);
    multiply(l, w, (int64_t[]){ n, D, E }, (matrix){ w->v1, E, false },
             (matrix){ w->state, E, true }, (target){ w->df, D, false });
    multiply(l, w, (int64_t[]){ n, E, D }, (matrix){ w->fk, D, false },
             (matrix){ w->state, E, false }, (target){ w->n1, E, false });
    if (inside) {
        multiply(l, w, (int64_t[]){ inside, n, D }, (matrix){ w->fq, D, false },
                 (matrix){ w->fk, D, true }, (target){ w->a, CHUNK, false });
        multiply(l, w, (int64_t[]){ inside, n, E }, (matrix){ g, E, false },
                 (matrix){ w->v1, E, true }, (target){ w->da, CHUNK, false });
        lower(w->a, inside, n);
        lower(w->da, inside, n);
        add_triangle(l, w, (int64_t[]){ n, D, inside }, (matrix){ w->da, CHUNK, true }, w->fq,
                     w->df);
        add_triangle(l, w, (int64_t[]){ n, E, inside }, (matrix){ w->a, CHUNK, true }, g, w->n1);
    }
    if (l->dk)
        features_grad(l, l->dk + ((p->b * l->S + s) * l->Hk + hk) * D, l->Hk * D, w->fk, w->df, n);
    for (int64_t i = 0; l->dv && i < n; i++) {
        float *dv = l->dv + ((p->b * l->S + s + i) * l->Hk + hk) * l->Dv;
        l->k->math->axpy(dv, 1, w->n1 + i * E, l->Dv);
    }
}

static void queries_add(const linear *l, const work *w, const place *p, int64_t t, int64_t n) {
    features(l, w->fq, p->q + t * l->H * l->D, l->H * l->D, n);
    state_add(l, w, w->fq, w->grads + t * (l->Dv + 1), n);
}

static void second_pass(const linear *l, const work *w, const place *p) {
    const int64_t D = l->D, E = l->Dv + 1;
    memset(w->state, 0, (size_t)(D * E) * sizeof(float));
    if (!l->causal) {
        for (int64_t t = 0; t < l->T; t += CHUNK) queries_add(l, w, p, t, chunk_len(t, l->T));
        for (int64_t s = p->begin; s < p->end; s += CHUNK)
            keys_grad(l, w, p, (int64_t[]){ s, chunk_len(s, p->end), 0 });
        return;
    }
    const int64_t chunks = (l->T - p->begin + CHUNK - 1) / CHUNK;
    for (int64_t c = chunks - 1; c >= 0; c--) {
        const int64_t t = p->begin + c * CHUNK, rows = chunk_len(t, l->T);
        features(l, w->fq, p->q + t * l->H * D, l->H * D, rows);
        if (t < p->end) keys_grad(l, w, p, (int64_t[]){ t, chunk_len(t, p->end), rows });
        state_add(l, w, w->fq, w->grads + t * E, rows);
    }
}

static void forward_range(void *arg, int64_t begin, int64_t end, int worker) {
    const linear *l = arg;
    const work w = work_of(l, worker);
    for (int64_t i = begin; i < end; i++) {
        const place p = place_of(l, i / l->H, i % l->H);
        for (int64_t t = 0; l->causal && t < p.begin && t < l->T; t++)
            memset(l->out + ((p.b * l->T + t) * l->H + p.h) * l->Dv, 0,
                   (size_t)l->Dv * sizeof(float));
        each_chunk(l, &w, &p, chunk_out);
    }
}

/* One (batch, key head) at a time: its heads add to the same keys' gradients in their order. */
static void backward_range(void *arg, int64_t begin, int64_t end, int worker) {
    const linear *l = arg;
    const work w = work_of(l, worker);
    const int64_t group = l->H / l->Hk;
    for (int64_t i = begin; i < end; i++)
        for (int64_t j = 0; j < group; j++) {
            const place p = place_of(l, i / l->Hk, i % l->Hk * group + j);
            each_chunk(l, &w, &p, chunk_dq);
            second_pass(l, &w, &p);
        }
}

/* -- the operation */

static int read_cfg(heed_ctx *cx, linear *l, heed_tensor *const in[3],
                    const heed_linear_attention_cfg *c) {
    const heed_tensor *q = in[0], *k = in[1], *v = in[2];
    char a[96], b[96], d[96];
    l->H = c->heads ? c->heads : 1;
    l->Hk = c->kv_heads ? c->kv_heads : l->H;
    if (l->H < 1 || l->Hk < 1 || l->H % l->Hk || (unsigned)c->feature > HEED_FEATURE_RELU ||
        !(c->eps >= 0)) {
        heed_fail(
            cx, HEED_EINVALID,
            "linear_attention: heads %lld, kv_heads %lld, feature %d or eps %g does not exist",
            (long long)l->H, (long long)l->Hk, (int)c->feature, (double)c->eps);
        return HEED_EINVALID;
    }
    const bool f32 = q->dtype == HEED_F32 && k->dtype == HEED_F32 && v->dtype == HEED_F32;
    if (!f32 || q->ndim != 3 || k->ndim != 3 || v->ndim != 3 || q->shape[0] != k->shape[0] ||
        k->shape[0] != v->shape[0] || k->shape[1] != v->shape[1] || q->shape[2] < l->H ||
        q->shape[2] % l->H || v->shape[2] < l->Hk || v->shape[2] % l->Hk ||
        k->shape[2] != q->shape[2] / l->H * l->Hk) {
        heed_fail(cx, HEED_ESHAPE,
                  "linear_attention: q %s, k %s, v %s are not f32 [B,T,H*D], [B,S,Hk*D], "
                  "[B,S,Hk*Dv] for %lld and %lld heads",
                  heed_shape_text(q, a), heed_shape_text(k, b), heed_shape_text(v, d),
                  (long long)l->H, (long long)l->Hk);
        return HEED_ESHAPE;
    }
    l->B = q->shape[0], l->T = q->shape[1], l->S = k->shape[1];
    l->D = q->shape[2] / l->H, l->Dv = v->shape[2] / l->Hk;
    l->causal = c->causal, l->relu = c->feature == HEED_FEATURE_RELU;
    l->eps = c->eps > 0 ? c->eps : 1e-6f;
    if (l->causal && l->T != l->S) {
        heed_fail(cx, HEED_ESHAPE,
                  "linear_attention: causal needs as many keys as queries, not %lld and %lld",
                  (long long)l->S, (long long)l->T);
        return HEED_ESHAPE;
    }
    return 0;
}

static int read_valid(heed_ctx *cx, linear *l, const heed_linear_attention_cfg *c) {
    const heed_tensor *both[2] = { c->key_lengths, c->key_starts };
    char a[96];
    for (int i = 0; i < 2; i++) {
        if (!both[i]) continue;
        if (both[i]->dtype == HEED_I32 && both[i]->ndim == 1 && both[i]->shape[0] == l->B) continue;
        heed_fail(cx, HEED_ESHAPE, "linear_attention: %s is %s %s, not i32 [%lld]",
                  i ? "key_starts" : "key_lengths", heed_dtype_name(both[i]->dtype),
                  heed_shape_text(both[i], a), (long long)l->B);
        return HEED_ESHAPE;
    }
    l->lengths = c->key_lengths ? HEED_I32_DATA(c->key_lengths) : NULL;
    l->starts = c->key_starts ? HEED_I32_DATA(c->key_starts) : NULL;
    for (int64_t b = 0; b < l->B; b++) {
        const int64_t start = l->starts ? l->starts[b] : 0, n = l->lengths ? l->lengths[b] : 0;
        if (start >= 0 && start <= l->S && n >= 0 && n <= l->S - start) continue;
        heed_fail(cx, HEED_EINVALID,
                  "linear_attention: row %lld: key start %lld and length %lld are outside of %lld "
                  "keys",
                  (long long)b, (long long)start, (long long)n, (long long)l->S);
        return HEED_EINVALID;
    }
    return 0;
}

static int64_t cost_of(const linear *l) {
    return (l->T + l->S) * (l->D + CHUNK) * (l->Dv + 1);
}

static bool make_room(heed_ctx *cx, linear *l, bool backward) {
    const int64_t D = l->D, E = l->Dv + 1;
    const int64_t wide = D > E ? D : E, most = wide > CHUNK ? wide : CHUNK;
    l->product = heed__product_scratch(l->k, most, most, most);
    const int64_t len = 3 * CHUNK * D + 3 * CHUNK * E + 2 * CHUNK * CHUNK + D * E + l->product +
                        (backward ? l->T * E : 0);
    l->room_len = (len + 15) / 16 * 16;
    l->room = heed__temp(cx, l->room_len * heed_pool_threads(cx->pool), sizeof(float));
    return l->room != NULL;
}

static void linear_attention_backward(heed_ctx *cx, const heed_node *n) {
    linear l = *(const linear *)n->saved;
    if (!make_room(cx, &l, true)) return;
    l.q = n->src[0]->data, l.key = n->src[1]->data, l.v = n->src[2]->data;
    l.dq = heed_grad(cx, n->src[0]), l.dk = heed_grad(cx, n->src[1]);
    l.dv = heed_grad(cx, n->src[2]), l.dout = n->out->grad;
    heed__parallel(cx, l.B * l.Hk, 3 * cost_of(&l) * (l.H / l.Hk), backward_range, &l);
    heed__temp_end(cx, l.room);
}

static const heed_op op_linear_attention = { "linear_attention", linear_attention_backward };

heed_tensor *heed_linear_attention(heed_ctx *cx, heed_tensor *q, heed_tensor *k, heed_tensor *v,
                                   const heed_linear_attention_cfg *cfg) {
    if (!q || !k || !v) return NULL;
    const heed_linear_attention_cfg plain = { .heads = 1 };
    linear *l = heed_scratch(cx, sizeof *l);
    if (!l) return NULL;
    *l = (linear){ .k = cx->k };
    if (!cfg) cfg = &plain;
    if (read_cfg(cx, l, (heed_tensor *[]){ q, k, v }, cfg) || read_valid(cx, l, cfg)) return NULL;
    heed_tensor *y = heed_new(cx, HEED_F32, 3, (int64_t[]){ l->B, l->T, l->H * l->Dv });
    if (!y || !make_room(cx, l, false)) return NULL;
    l->q = q->data, l->key = k->data, l->v = v->data, l->out = y->data;
    heed__count(cx, NULL, "attention",
                2.0 * (double)(l->B * l->H) * (double)((l->T + l->S) * l->D * (l->Dv + 1)));
    heed__parallel(cx, l->B * l->H, cost_of(l), forward_range, l);
    heed__temp_end(cx, l->room);
    return heed__record3(cx, &op_linear_attention, y, q, k, v, l);
}
