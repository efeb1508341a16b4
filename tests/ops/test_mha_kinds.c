/* test_mha_kinds.c: what a layer of attention declares for its kind (relative positions, local-p's
 * centres, a bias of scores, sinks, span, widths of values): the whole layer and the gradients of
 * all its parameters beside the same in double, from its formulas; names, shapes, saving, blocks,
 * and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attention_problem.h"
#include "heed/io.h"
#include "heed/nn.h"

enum { B = 2, T = 6, C = 6, H = 2, D = 4, DV = 3, MOST = 24 };

typedef struct layer {
    heed_ctx *cx;
    heed_params *ps;
    heed_mha m;
    heed_tensor *x;
    heed_attention_cfg cfg; /* of the call */
    double *at[MOST];       /* the parameters, then x, in double */
} layer;

static void begin(layer *l, const heed_mha_cfg *cfg, bool causal) {
    heed_error err;
    *l = (layer){ .cx = heed_ctx_new(&(heed_ctx_cfg){ .threads = 1, .train = true }, &err),
                  .ps = heed_params_new(&(heed_params_cfg){ .seed = 5 }, &err) };
    if (!l->cx || !l->ps) fail_msg("%s", err.msg);
    if (heed_mha_init(&l->m, l->ps, "a", cfg)) fail_msg("%s", heed_params_error(l->ps)->msg);
    const int64_t n = heed_params_count(l->ps);
    uint64_t seed = 7;
    assert_true(n < MOST);
    l->x = heed_want_grad(l->cx, heed_new(l->cx, HEED_F32, 3, (int64_t[]){ B, T, C }));
    for (int64_t i = 0; i <= n; i++) {
        heed_tensor *t = i < n ? heed_params_at(l->ps, i) : l->x;
        l->at[i] = malloc((size_t)t->len * sizeof(double));
        for (int64_t e = 0; e < t->len; e++) {
            float *v = HEED_F32_DATA(t) + e;
            *v = (float)problem_random(&seed);
            if (l->m.cfg.kind.span == t) *v = 1.3f + 0.5f * *v;
            l->at[i][e] = (double)*v;
        }
    }
    l->cfg = l->m.cfg.kind;
    l->cfg.causal = causal;
    l->cfg.key_starts = heed_from_i32(l->cx, 1, (int64_t[]){ B }, (int32_t[]){ 0, 1 });
    l->cfg.key_lengths = heed_from_i32(l->cx, 1, (int64_t[]){ B }, (int32_t[]){ T, T - 2 });
}

static void end(layer *l) {
    for (int i = 0; i < MOST; i++) free(l->at[i]);
    heed_params_free(l->ps);
    heed_ctx_free(l->cx);
}

/* -- the layer in double */

static double *number(const layer *l, const char *name) {
    const int64_t n = heed_params_count(l->ps);
    if (!name[0]) return l->at[n];
    for (int64_t i = 0; i < n; i++)
        if (!strcmp(heed_params_at(l->ps, i)->name, name)) return l->at[i];
    return NULL;
}

/* y [rows,out] = x [rows,in] Wᵀ + b */
static double *product(const double *x, int64_t rows, int64_t in, int64_t out, const double *w,
                       const double *b) {
    double *y = calloc((size_t)(rows * out), sizeof *y);
    for (int64_t i = 0; i < rows * out; i++) {
        y[i] = b ? b[i % out] : 0;
        for (int64_t j = 0; j < in; j++) y[i] += x[i / out * in + j] * w[i % out * in + j];
    }
    return y;
}

static double *relative_of(const layer *l) {
    const int64_t far = l->m.cfg.relative;
    double *r = calloc((size_t)(far * C), sizeof *r);
    for (int64_t i = 0; i < far * C; i++) {
        const double at = (double)(i / C) * pow(10000, -(double)(i % C / 2 * 2) / C);
        r[i] = i % 2 ? cos(at) : sin(at);
    }
    double *y = product(r, far, C, H * D, number(l, "a.relative.weight"), NULL);
    free(r);
    return y;
}

static double *centers_of(const layer *l) {
    double *z = product(number(l, ""), B * T, C, C, number(l, "a.center.weight"), NULL);
    for (int64_t i = 0; i < B * T * C; i++) z[i] = tanh(z[i]);
    double *c = product(z, B * T, C, 1, number(l, "a.center_v"), NULL);
    for (int64_t i = 0; i < B * T; i++) {
        const double start = HEED_I32_DATA(l->cfg.key_starts)[i / T];
        const heed_tensor *lengths = l->cfg.key_lengths;
        const double length = lengths ? (double)HEED_I32_DATA(lengths)[i / T] : T - start;
        c[i] = start + length / (1 + exp(-c[i]));
    }
    free(z);
    return c;
}

static double *bias_of(const layer *l) {
    const int64_t most = l->m.cfg.bias_queries, wide = l->m.cfg.bias_keys;
    const double *all = number(l, "a.score_bias");
    double *part = calloc(H * T * T, sizeof *part);
    for (int64_t i = 0; i < H * T * T; i++)
        part[i] = all[(i / T / T * most + l->cfg.query_start + i / T % T) * wide + i % T];
    return part;
}

/* The slopes of two heads: 2^-(8/H) and its powers. */
static heed_tensor slopes = {
    .shape = { H }, .ndim = 1, .dtype = HEED_F32, .len = H, .data = (float[]){ 0x1p-4f, 0x1p-8f }
};

/* Σ of the output by weights of its own; out [B,T,C] or NULL is filled. */
static double loss_of(const layer *l, double *out) {
    const int64_t Hk = l->m.cfg.kv_heads;
    heed_attention_cfg cfg = l->cfg;
    ref_attention r = { .cfg = &cfg, .B = B, .T = T, .S = T, .H = H, .Hk = Hk };
    r.D = r.Dk = D, r.Dv = DV;
    const double *x = number(l, "");
    double *made[6] = { 0 };
    made[0] = product(x, B * T, C, H * D, number(l, "a.q.weight"), number(l, "a.q.bias"));
    made[1] = product(x, B * T, C, Hk * D, number(l, "a.k.weight"), number(l, "a.k.bias"));
    made[2] = product(x, B * T, C, Hk * DV, number(l, "a.v.weight"), number(l, "a.v.bias"));
    r.t[REF_Q] = made[0], r.t[REF_K] = made[1], r.t[REF_V] = made[2];
    r.t[REF_SPAN] = number(l, "a.span"), r.t[REF_SINKS] = number(l, "a.sinks");
    r.t[REF_U] = number(l, "a.relative_u"), r.t[REF_RV] = number(l, "a.relative_v");
    if (l->m.relative_w)
        cfg.relative = l->m.sinusoids, r.t[REF_RELATIVE] = made[3] = relative_of(l);
    if (l->m.relative_w) cfg.relative_u = l->m.relative_u, cfg.relative_v = l->m.relative_v;
    if (l->m.center_w) cfg.local_center = l->m.center_v, r.t[REF_CENTER] = made[4] = centers_of(l);
    if (l->m.score_bias) cfg.bias = l->m.score_bias, r.t[REF_BIAS] = made[5] = bias_of(l);
    if (l->m.cfg.alibi) cfg.alibi = &slopes;
    double *heads = calloc(B * T * H * DV, sizeof *heads), loss = 0;
    ref_attend(&r, NULL, heads);
    double *y = product(heads, B * T, H * DV, C, number(l, "a.out.weight"),
                        number(l, "a.out.bias"));
    for (int64_t i = 0; i < B * T * C; i++) {
        loss += y[i] * (double)((float)(i % 7) - 2.5f);
        if (out) out[i] = y[i];
    }
    for (int i = 0; i < 6; i++) free(made[i]);
    free(heads);
    free(y);
    return loss;
}

typedef struct call {
    bool causal, whole; /* whole: no key_lengths */
    int64_t query_start;
} call;

/* The output, and every parameter's gradient by central differences. */
static void check_call(const heed_mha_cfg *cfg, const call *of) {
    layer l;
    double want[B * T * C];
    float dout[B * T * C];
    begin(&l, cfg, of->causal);
    if (of->whole) l.cfg.key_lengths = NULL;
    l.cfg.query_start = of->query_start;
    heed_tensor *y = heed_mha_apply(l.cx, &l.m, l.x, l.x, l.x, &l.cfg);
    if (!y) fail_msg("%s", heed_ctx_error(l.cx)->msg);
    loss_of(&l, want);
    for (int64_t i = 0; i < y->len; i++) {
        assert_true(fabs(want[i] - (double)HEED_F32_DATA(y)[i]) < 1e-5);
        dout[i] = (float)(i % 7) - 2.5f;
    }
    if (heed_backward_from(l.cx, y, dout)) fail_msg("%s", heed_ctx_error(l.cx)->msg);
    const int64_t n = heed_params_count(l.ps);
    for (int64_t i = 0; i <= n; i++) {
        const heed_tensor *t = i < n ? heed_params_at(l.ps, i) : l.x;
        double largest = 0;
        assert_non_null(t->grad);
        for (int64_t e = 0; e < t->len; e++) {
            const double step = 1e-5, x = l.at[i][e];
            l.at[i][e] = x + step;
            const double above = loss_of(&l, NULL);
            l.at[i][e] = x - step;
            const double slope = (above - loss_of(&l, NULL)) / (2 * step);
            l.at[i][e] = x;
            largest = fmax(largest, fabs(slope));
            if (!(fabs(slope - (double)t->grad[e]) < 1e-4 * (1 + fabs(slope))))
                fail_msg("%s[%lld]: %g, not %g", i < n ? t->name : "x", (long long)e,
                         (double)t->grad[e], slope);
        }
        if (i < n && !strstr(t->name, "k.bias")) assert_true(largest > 1e-3);
    }
    end(&l);
}

static void check(const heed_mha_cfg *cfg, bool causal) {
    check_call(cfg, &(call){ .causal = causal });
}

static heed_mha_cfg plain(void) {
    return (heed_mha_cfg){ .dim = C, .heads = H, .key = D, .value = DV };
}

static void test_double(void **state) {
    (void)state;
    heed_mha_cfg c = plain();
    check(&c, false);
    c.relative = T, check(&c, true);
    c.relative = T + 5, c.kv_heads = 1, check(&c, true); /* some distances are not seen */
    c.learn_sinks = true, check(&c, true);
    c = plain(), c.local_p = true, c.kind.local_width = 2.25f;
    check(&c, false);
    check(&c, true);
    c.relative = T, check(&c, true);
    c = plain(), c.bias_queries = T, c.bias_keys = T;
    check(&c, false);
    c.bias_queries = T + 2, c.bias_keys = T + 3, c.kv_heads = 1;
    check(&c, true);
    c.learn_sinks = true, check(&c, false);
    c = plain(), c.learn_span = 2, c.kind.span_ramp = 2.5f;
    check(&c, true);
    c.relative = T, c.bias_queries = c.bias_keys = T;
    check(&c, true);
    c = plain(), c.alibi = true;
    check(&c, true);
    c.bias_queries = c.bias_keys = T, check(&c, false);
}

/* Of calls that do not say how many keys there are, or whose queries begin later. */
static void test_calls(void **state) {
    (void)state;
    heed_mha_cfg c = plain();
    c.local_p = true, c.kind.local_width = 2.25f;
    check_call(&c, &(call){ .whole = true });
    check_call(&c, &(call){ .causal = true, .whole = true, .query_start = 2 });
    c = plain(), c.bias_queries = T + 2, c.bias_keys = T;
    check_call(&c, &(call){ .causal = true, .query_start = 2 });
    check_call(&c, &(call){ .causal = true, .query_start = 1, .whole = true });
    c = plain(), c.relative = T + 2;
    check_call(&c, &(call){ .causal = true, .query_start = 2, .whole = true });
    c.relative = T + 3, c.alibi = true, c.bias_queries = T + 3, c.bias_keys = T + 1;
    check_call(&c, &(call){ .causal = true, .query_start = 3 });
}

/* -- names, first values, and a file between two layers */

static void has(heed_params *ps, const char *name, int ndim, const int64_t *shape) {
    const heed_tensor *t = heed_params_find(ps, name);
    if (!t) fail_msg("%s is not there", name);
    assert_int_equal(t->ndim, ndim);
    assert_memory_equal(t->shape, shape, (size_t)ndim * sizeof *shape);
}
#define SHAPE(...)                                                                                 \
    (int)(sizeof((int64_t[]){ __VA_ARGS__ }) / 8), (int64_t[]) {                                   \
        __VA_ARGS__                                                                                \
    }

/* Evenly drawn from -bound to bound. */
static void even(const heed_params *ps, const char *name, double bound) {
    const heed_tensor *t = heed_params_find(ps, name);
    double most = 0, squares = 0;
    assert_non_null(t);
    for (int64_t i = 0; i < t->len; i++) {
        const double x = (double)HEED_F32_DATA(t)[i];
        most = fmax(most, fabs(x));
        squares += x * x;
    }
    const double of_bound = sqrt(3 * squares / (double)t->len) / bound;
    if (most > bound * (1 + 1e-6) || !(most > 0.9 * bound) || fabs(of_bound - 1) > 0.25)
        fail_msg("%s: at most %g, %g of %g", name, most, of_bound, bound);
}

static void normal(const heed_params *ps, const char *name, double deviation) {
    const heed_tensor *t = heed_params_find(ps, name);
    double squares = 0, sum = 0;
    assert_non_null(t);
    for (int64_t i = 0; i < t->len; i++) {
        sum += (double)HEED_F32_DATA(t)[i];
        squares += (double)HEED_F32_DATA(t)[i] * (double)HEED_F32_DATA(t)[i];
    }
    const double n = (double)t->len, got = sqrt(squares / n);
    if (fabs(got / deviation - 1) > 0.25 || fabs(sum / n) > 0.3 * deviation)
        fail_msg("%s: deviation %g, not %g, mean %g", name, got, deviation, sum / n);
}

static void all_are(const heed_params *ps, const char *name, float value) {
    const heed_tensor *t = heed_params_find(ps, name);
    assert_non_null(t);
    for (int64_t i = 0; i < t->len; i++) assert_true(HEED_F32_DATA(t)[i] == value);
}

static void test_first_values(void **state) {
    (void)state;
    heed_error err;
    heed_mha m;
    heed_params *ps = heed_params_new(&(heed_params_cfg){ .seed = 5 }, &err);
    const heed_mha_cfg a = { .dim = 48,
                             .heads = 4,
                             .key = 32,
                             .relative = 9,
                             .local_p = true,
                             .bias_queries = 7,
                             .bias_keys = 8,
                             .learn_sinks = true,
                             .learn_temperature = true,
                             .temperature = 2,
                             .t5_buckets = 32,
                             .kind = { .local_width = 2 } };
    assert_int_equal(heed_mha_init(&m, ps, "a", &a), 0);
    even(ps, "a.relative.weight", sqrt(6.0 / (48 + 4 * 32)));
    normal(ps, "a.relative_u", 0.02);
    normal(ps, "a.relative_v", 0.02);
    even(ps, "a.center.weight", 1 / sqrt(48));
    even(ps, "a.center_v", 1 / sqrt(48));
    all_are(ps, "a.score_bias", 0);
    all_are(ps, "a.sinks", 0);
    all_are(ps, "a.log_temperature", (float)log(2));
    normal(ps, "a.t5", 0.02);
    heed_mha_cfg b = { .dim = 48, .heads = 4, .key = 32, .learn_span = 3.5f };
    b.kind.score = HEED_SCORE_BILINEAR;
    assert_int_equal(heed_mha_init(&m, ps, "b", &b), 0);
    all_are(ps, "b.span", 3.5f);
    even(ps, "b.score_w", 1 / sqrt(32));
    b.kind.score = HEED_SCORE_ADDITIVE;
    assert_int_equal(heed_mha_init(&m, ps, "c", &b), 0);
    even(ps, "c.score_v", 1 / sqrt(32));
    heed_params_free(ps);
}

static void test_saved(void **state) {
    (void)state;
    char path[64];
    heed_error err = { 0 };
    heed_mha_cfg c = plain();
    c.relative = 9, c.local_p = true, c.kind.local_width = 2, c.bias_queries = 7, c.bias_keys = 8;
    layer a, b;
    begin(&a, &c, true);
    begin(&b, &c, true);
    has(a.ps, "a.relative.weight", SHAPE(H * D, C));
    has(a.ps, "a.relative_u", SHAPE(H, D));
    has(a.ps, "a.relative_v", SHAPE(H, D));
    has(a.ps, "a.center.weight", SHAPE(C, C));
    has(a.ps, "a.center_v", SHAPE(1, C));
    has(a.ps, "a.score_bias", SHAPE(H, 7, 8));
    for (int64_t i = 0; i < heed_params_count(b.ps); i++) {
        heed_tensor *t = heed_params_at(b.ps, i);
        memset(t->data, 0, (size_t)t->len * sizeof(float));
    }
    snprintf(path, sizeof path, "/tmp/heed_mha_kinds_%d.safetensors", (int)getpid());
    assert_int_equal(heed_params_save(a.ps, path, NULL, &err), 0);
    assert_int_equal(heed_params_load(b.ps, path, &err), 0);
    unlink(path);
    const heed_tensor *y = heed_mha_apply(a.cx, &a.m, a.x, a.x, a.x, &a.cfg);
    const heed_tensor *z = heed_mha_apply(b.cx, &b.m, b.x, b.x, b.x, &b.cfg);
    assert_memory_equal(y->data, z->data, (size_t)y->len * sizeof(float));
    end(&a);
    end(&b);
}

/* Steps one by one and the mean say what the layer says, or that they do not exist. */
static void test_mean_and_steps(void **state) {
    (void)state;
    heed_mha_cfg c = plain();
    c.value = 0, c.bias_queries = T, c.bias_keys = T;
    layer l;
    begin(&l, &c, false);
    l.cfg = l.m.cfg.kind;
    heed_tensor *y = heed_mean_pool(l.cx, heed_mha_apply(l.cx, &l.m, l.x, l.x, l.x, &l.cfg), NULL);
    heed_tensor *z = heed_mha_mean(l.cx, &l.m, l.x, NULL, &l.cfg);
    assert_memory_equal(y->data, z->data, (size_t)y->len * sizeof(float));
    heed_error err;
    heed_kv_cache *cache = heed_kv_cache_new(
        &(heed_kv_cache_cfg){ .batch = B, .kv_heads = H, .dim = D, .value_dim = D }, &err);
    l.cfg.causal = true;
    assert_null(heed_mha_step(l.cx, &l.m, heed_slice(l.cx, l.x, 1, 0, 1), cache, &l.cfg));
    assert_non_null(strstr(heed_ctx_error(l.cx)->msg, "does not exist with a cache"));
    assert_int_equal(heed_kv_cache_len(cache), 0);
    heed_kv_cache_free(cache);
    end(&l);
}

static void test_block(void **state) {
    (void)state;
    heed_error err;
    heed_ctx *cx = heed_ctx_new(&(heed_ctx_cfg){ .threads = 1, .train = true }, &err);
    heed_params *ps = heed_params_new(&(heed_params_cfg){ .seed = 5 }, &err);
    heed_encoder e;
    const heed_block_cfg block = { .dim = C,
                                   .self = { .heads = H,
                                             .key = D,
                                             .value = DV,
                                             .kind = { .span_ramp = 2 },
                                             .learn_sinks = true,
                                             .learn_span = 3,
                                             .relative = T,
                                             .bias_queries = T,
                                             .bias_keys = T },
                                   .ff = 10 };
    assert_int_equal(heed_encoder_init(&e, ps, "e", &(heed_encoder_cfg){ 2, .block = block }), 0);
    has(ps, "e.layers.1.self.v.weight", SHAPE(H * DV, C));
    has(ps, "e.layers.1.self.out.weight", SHAPE(C, H * DV));
    has(ps, "e.layers.1.self.relative.weight", SHAPE(H * D, C));
    has(ps, "e.layers.1.self.score_bias", SHAPE(H, T, T));
    has(ps, "e.layers.1.self.sinks", SHAPE(H));
    has(ps, "e.layers.1.self.span", SHAPE(H));
    heed_tensor *x = heed_zeros(cx, HEED_F32, 3, (int64_t[]){ B, T, C });
    uint64_t seed = 4;
    for (int64_t i = 0; i < x->len; i++) HEED_F32_DATA(x)[i] = (float)problem_random(&seed);
    heed_tensor *y = heed_encoder_apply_call(cx, &e, x, &(heed_block_call){ .causal = true });
    if (!y || heed_backward(cx, heed_sum(cx, heed_mul(cx, y, x))))
        fail_msg("%s", heed_ctx_error(cx)->msg);
    for (int64_t i = 0; i < heed_params_count(ps); i++) {
        const heed_tensor *t = heed_params_at(ps, i);
        double sum = 0;
        for (int64_t k = 0; t->grad && k < t->len; k++) sum += fabs((double)t->grad[k]);
        if (!(sum > 0) && !strstr(t->name, "k.bias")) fail_msg("%s has no gradient", t->name);
    }
    heed_params_free(ps);
    heed_ctx_free(cx);
}

/* -- what is refused */

static void refused(const heed_mha_cfg *c, const char *sentence) {
    heed_error err;
    heed_mha m;
    heed_params *ps = heed_params_new(NULL, &err);
    assert_true(heed_mha_init(&m, ps, "a", c) < 0);
    assert_string_equal(heed_params_error(ps)->msg, sentence);
    heed_params_free(ps);
}

static void block_refused(const heed_mha_cfg *self, const char *sentence) {
    heed_error err;
    heed_block b;
    heed_params *ps = heed_params_new(NULL, &err);
    assert_true(heed_block_init(&b, ps, "b", &(heed_block_cfg){ .dim = C, .self = *self }) < 0);
    assert_string_equal(heed_params_error(ps)->msg, sentence);
    heed_params_free(ps);
}

static void test_refused(void **state) {
    (void)state;
    heed_mha_cfg c = plain();
    c.dim = C + 1;
    block_refused(&c, "b: self-attention of width 7 in a block of width 6");
    c = plain(), c.kdim = C;
    block_refused(&c, "b: self-attention has no kdim and no vdim of its own");
    c = plain();
    c.relative = 9, c.kind.score = HEED_SCORE_COSINE;
    refused(&c, "a: relative positions exist with a dot or scaled dot score only");
    c.kind.score = HEED_SCORE_DOT, c.kind.softcap = 3;
    const char *capped = "a: softcap does not exist with relative positions, span or local-p";
    refused(&c, capped);
    c = plain(), c.local_p = true, c.kind.local_width = 2, c.kind.softcap = 3;
    refused(&c, capped);
    c = plain(), c.learn_span = 3, c.kind.softcap = 3;
    refused(&c, capped);
    c = plain(), c.relative = -1;
    refused(&c, "a: relative, t5_buckets, bias_queries and bias_keys are from 0 to 2^31, not -1");
    c = plain(), c.t5_buckets = -2;
    refused(&c, "a: relative, t5_buckets, bias_queries and bias_keys are from 0 to 2^31, not -2");
    c = plain(), c.learn_span = -1;
    refused(&c, "a: a span of -1 keys is none");
    c = plain(), c.bias_queries = 4;
    refused(&c, "a: a bias has queries and keys, not 4 and 0");
    c = plain(), c.local_p = true;
    const char *local = "a: local-p exists with softmax weights, without span, and a local_width "
                        "above 0";
    refused(&c, local);
    c.kind.local_width = 2, c.learn_span = 3;
    refused(&c, local);
    c.learn_span = 0, c.kind.weights = HEED_WEIGHTS_ENTMAX15;
    refused(&c, local);
    c = plain(), c.learn_sinks = true, c.kind.weights = HEED_WEIGHTS_SPARSEMAX;
    refused(&c, "a: sinks and span exist with softmax weights only");
    c.learn_sinks = false, c.learn_span = 3;
    refused(&c, "a: sinks and span exist with softmax weights only");
    heed_tensor given = { 0 };
    const char *twice = "a: positions are given and learnt by the layer";
    c = plain(), c.bias_queries = c.bias_keys = 4, c.kind.bias = &given;
    refused(&c, twice);
    c = plain(), c.local_p = true, c.kind.local_width = 2, c.kind.local_center = &given;
    refused(&c, twice);
    c = plain(), c.relative = 4, c.kind.relative = &given;
    refused(&c, twice);
    c.kind.relative = NULL, c.kind.relative_u = &given;
    refused(&c, twice);
    c.kind.relative_u = NULL, c.kind.relative_v = &given;
    refused(&c, twice);
    c = plain(), c.bias_queries = c.bias_keys = T - 1;
    layer l;
    begin(&l, &c, true);
    assert_null(heed_mha_apply(l.cx, &l.m, l.x, l.x, l.x, &l.cfg));
    assert_string_equal(heed_ctx_error(l.cx)->msg,
                        "attention: the layer's bias has 5 queries and 5 keys, not 6 and 6");
    end(&l);
    c = plain(), c.relative = T;
    begin(&l, &c, false);
    assert_null(heed_mha_apply(l.cx, &l.m, l.x, l.x, l.x, &l.cfg));
    assert_non_null(strstr(heed_ctx_error(l.cx)->msg, "relative positions exist with causal"));
    end(&l);
    c = plain(), c.bias_queries = c.bias_keys = T;
    begin(&l, &c, true);
    l.cfg.query_start = INT64_MAX;
    assert_null(heed_mha_apply(l.cx, &l.m, l.x, l.x, l.x, &l.cfg));
    assert_string_equal(heed_ctx_error(l.cx)->msg,
                        "attention: query_start is farther than positions are counted");
    end(&l);
    begin(&l, &c, true);
    l.cfg.query_start = -1;
    assert_null(heed_mha_apply(l.cx, &l.m, l.x, l.x, l.x, &l.cfg));
    assert_non_null(strstr(heed_ctx_error(l.cx)->msg, "query_start, t5_distance and topk must"));
    end(&l);
    c = plain(), c.use_rotary = true, c.rotary.start = INT64_MAX;
    begin(&l, &c, false);
    l.cfg.query_start = 9;
    assert_null(heed_mha_apply(l.cx, &l.m, l.x, l.x, l.x, &l.cfg));
    assert_non_null(strstr(heed_ctx_error(l.cx)->msg, "is outside of what can turn"));
    end(&l);
    c = plain(), c.local_p = true, c.kind.local_width = 2;
    begin(&l, &c, false);
    int8_t bytes[64] = { 0 }; /* read as I32 they would end too early */
    heed_tensor few = {
        .shape = { l.x->shape[0] }, .ndim = 1, .dtype = HEED_I8, .len = l.x->shape[0], .data = bytes
    };
    l.cfg.key_lengths = &few;
    assert_null(heed_mha_apply(l.cx, &l.m, l.x, l.x, l.x, &l.cfg));
    assert_non_null(strstr(heed_ctx_error(l.cx)->msg, "are i32 ["));
    end(&l);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_double),         cmocka_unit_test(test_calls),
        cmocka_unit_test(test_first_values),   cmocka_unit_test(test_saved),
        cmocka_unit_test(test_mean_and_steps), cmocka_unit_test(test_block),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
