/* test_ops.c: every operation of ops.h beside PyTorch in float64 (make/ops.py), in several shapes:
 * its output within 1e-5 and all its gradients within 1e-4 of their largest number. */
#include "cmocka_all.h"

#include <stdio.h>
#include <string.h>

#include "golden.h"
#include "heed/ops.h"

enum { MOST = 4 };

typedef struct one {
    heed_ctx *cx;
    const heed_safetensors *file;
    char key[64];      /* "OP/CASE/" */
    const char *shown; /* "CASE/" in key */
    heed_tensor *input[MOST];
    const heed_entry *grad[MOST]; /* of each input */
    int count;
} one;

/* An input of the case; its gradient is compared where one is stored. */
static heed_tensor *in(one *c, const char *name) {
    heed_tensor *t = golden_tensor(c->cx, golden_find(c->file, c->key, name));
    char d[16];
    snprintf(d, sizeof d, "d.%s", name);
    const heed_entry *e = golden_has(c->file, c->key, d);
    if (!e) return t;
    assert_true(c->count < MOST);
    c->grad[c->count] = e;
    c->input[c->count++] = heed_want_grad(c->cx, t);
    return t;
}

/* Number i of what the operation takes besides. */
static float number(const one *c, int i) {
    float cfg[8];
    const heed_entry *e = golden_find(c->file, c->key, "cfg");
    assert_true(i < e->len && e->len <= 8);
    assert_int_equal(heed_entry_f32(e, cfg, NULL), 0);
    return cfg[i];
}

static int whole(const one *c, int i) {
    return (int)number(c, i);
}

#define RUN(op, call)                                                                              \
    static heed_tensor *run_##op(one *c) {                                                         \
        return call;                                                                               \
    }
#define UNARY(op)                                                                                  \
    static heed_tensor *run_##op(one *c) {                                                         \
        return heed_##op(c->cx, in(c, "x"));                                                       \
    }
#define BINARY(op, x, y)                                                                           \
    static heed_tensor *run_##op(one *c) {                                                         \
        heed_tensor *a = in(c, x), *b = in(c, y);                                                  \
        return heed_##op(c->cx, a, b);                                                             \
    }

BINARY(add, "a", "b")
BINARY(sub, "a", "b")
BINARY(mul, "a", "b")
BINARY(div, "a", "b")
RUN(scale, heed_scale(c->cx, in(c, "x"), number(c, 0), number(c, 1)))
UNARY(exp)
UNARY(log)
UNARY(tanh)
UNARY(sigmoid)
UNARY(relu)
UNARY(gelu)
UNARY(gelu_tanh)
UNARY(silu)
BINARY(swiglu, "gate", "up")
RUN(affine, heed_affine(c->cx, in(c, "x"), in(c, "w"), in(c, "b")))

static heed_tensor *run_affine_act(one *c) {
    static const char *const names[] = { "none/", "relu/", "gelu/", "gelu_tanh/", "silu/" };
    int act = HEED_ACT_NONE;
    while (strcmp(names[act], c->shown) != 0) act++;
    heed_tensor *residual = in(c, "residual");
    return heed_affine_act(c->cx, in(c, "x"), in(c, "w"), in(c, "b"), (heed_act)act, residual);
}

RUN(matmul, heed_matmul(c->cx, in(c, "a"), in(c, "b"), whole(c, 0), whole(c, 1)))
RUN(transpose, heed_transpose(c->cx, in(c, "x"), whole(c, 0), whole(c, 1)))
RUN(concat, heed_concat(c->cx, (heed_tensor *[]){ in(c, "a"), in(c, "b") }, 2, whole(c, 0)))
RUN(slice, heed_slice(c->cx, in(c, "x"), whole(c, 0), whole(c, 1), whole(c, 2)))
UNARY(sum)
UNARY(mean)
RUN(sum_axis, heed_sum_axis(c->cx, in(c, "x"), whole(c, 0)))
UNARY(max)
BINARY(mean_pool, "x", "lengths")
BINARY(max_pool, "x", "lengths")
UNARY(softmax)
UNARY(log_softmax)
RUN(layer_norm, heed_layer_norm(c->cx, in(c, "x"), in(c, "gain"), in(c, "bias"), number(c, 0)))
RUN(rms_norm, heed_rms_norm(c->cx, in(c, "x"), in(c, "gain"), number(c, 0)))
RUN(l2_norm, heed_l2_norm(c->cx, in(c, "x"), number(c, 0)))
RUN(embedding, heed_embedding(c->cx, in(c, "table"), in(c, "ids"), whole(c, 0)))
RUN(embedding_bag,
    heed_embedding_bag(c->cx, in(c, "table"), in(c, "ids"), in(c, "offsets"), whole(c, 0)))

static heed_tensor *run_rotary(one *c) {
    const heed_rotary_cfg cfg = { .heads = whole(c, 0),
                                  .dims = whole(c, 1),
                                  .base = number(c, 2),
                                  .scale = number(c, 3),
                                  .interleaved = whole(c, 4),
                                  .start = whole(c, 5) };
    return heed_rotary(c->cx, in(c, "x"), NULL, &cfg);
}

static heed_tensor *run_cross_entropy(one *c) {
    const heed_entry *w = golden_has(c->file, c->key, "class_weight");
    const heed_cross_entropy_cfg cfg = { .smoothing = number(c, 0),
                                         .ignore = whole(c, 1),
                                         .use_ignore = whole(c, 1) >= 0,
                                         .class_weight = w ? in(c, "class_weight")->data : NULL,
                                         .focal_gamma = number(c, 2) };
    return heed_cross_entropy(c->cx, in(c, "logits"), in(c, "labels"), &cfg);
}

RUN(bce_logits, heed_bce_logits(c->cx, in(c, "logits"), in(c, "target"), NULL))
BINARY(mse, "x", "target")
BINARY(kl_div, "logits", "target")
RUN(info_nce, heed_info_nce(c->cx, in(c, "a"), in(c, "b"), number(c, 0)))
RUN(triplet,
    heed_triplet(c->cx, in(c, "anchor"), in(c, "positive"), in(c, "negative"), number(c, 0)))

static heed_conv_cfg conv(const one *c) {
    const int stride = whole(c, 0), padding = whole(c, 1), dilation = whole(c, 2);
    return (heed_conv_cfg){ .stride = { stride, stride },
                            .padding = { padding, padding },
                            .dilation = { dilation, dilation },
                            .groups = whole(c, 3) };
}

static heed_tensor *run_conv1d(one *c) {
    heed_conv_cfg cfg = conv(c);
    cfg.stride[0] = cfg.dilation[0] = 1;
    cfg.padding[0] = 0;
    return heed_conv1d(c->cx, in(c, "x"), in(c, "w"), in(c, "b"), &cfg);
}

static heed_tensor *run_conv2d(one *c) {
    const heed_conv_cfg cfg = conv(c);
    return heed_conv2d(c->cx, in(c, "x"), in(c, "w"), in(c, "b"), &cfg);
}

RUN(max_pool2d, heed_max_pool2d(c->cx, in(c, "x"), whole(c, 0), whole(c, 1)))
BINARY(lstm_cell, "gates", "c")
RUN(gru_cell, heed_gru_cell(c->cx, in(c, "xg"), in(c, "hg"), in(c, "h")))

#define OPS(X)                                                                                     \
    X(add)                                                                                         \
    X(sub)                                                                                         \
    X(mul)                                                                                         \
    X(div)                                                                                         \
    X(scale)                                                                                       \
    X(exp)                                                                                         \
    X(log)                                                                                         \
    X(tanh)                                                                                        \
    X(sigmoid)                                                                                     \
    X(relu)                                                                                        \
    X(gelu)                                                                                        \
    X(gelu_tanh)                                                                                   \
    X(silu)                                                                                        \
    X(swiglu)                                                                                      \
    X(affine)                                                                                      \
    X(affine_act)                                                                                  \
    X(matmul)                                                                                      \
    X(transpose)                                                                                   \
    X(concat)                                                                                      \
    X(slice)                                                                                       \
    X(sum)                                                                                         \
    X(mean)                                                                                        \
    X(sum_axis)                                                                                    \
    X(max)                                                                                         \
    X(mean_pool)                                                                                   \
    X(max_pool)                                                                                    \
    X(softmax)                                                                                     \
    X(log_softmax)                                                                                 \
    X(layer_norm)                                                                                  \
    X(rms_norm)                                                                                    \
    X(l2_norm)                                                                                     \
    X(embedding)                                                                                   \
    X(embedding_bag)                                                                               \
    X(rotary)                                                                                      \
    X(cross_entropy)                                                                               \
    X(bce_logits)                                                                                  \
    X(mse)                                                                                         \
    X(kl_div)                                                                                      \
    X(info_nce)                                                                                    \
    X(triplet)                                                                                     \
    X(conv1d)                                                                                      \
    X(conv2d)                                                                                      \
    X(max_pool2d)                                                                                  \
    X(lstm_cell)                                                                                   \
    X(gru_cell)

typedef struct golden_op {
    const char *name;
    heed_tensor *(*run)(one *c);
} golden_op;

static const golden_op table[] = {
#define X(op) { #op, run_##op },
    OPS(X)
#undef X
};
enum { COUNT = sizeof table / sizeof table[0] };

static void check(const golden_op *op, one *c) {
    heed_tensor *y = op->run(c);
    if (!y) fail_msg("%s %s", c->key, heed_ctx_error(c->cx)->msg);
    const heed_entry *out = golden_find(c->file, c->key, "out");
    const heed_entry *dy = golden_find(c->file, c->key, "dy");
    assert_int_equal(y->len, out->len);
    assert_true(y->ndim == out->ndim || (y->ndim == 0 && out->ndim == 1)); /* stored as [1] */
    assert_memory_equal(y->shape, out->shape, (size_t)y->ndim * sizeof *y->shape);
    golden_compare(out, y->data, 1e-5);
    if (heed_backward_from(c->cx, y, dy->data)) fail_msg("%s", heed_ctx_error(c->cx)->msg);
    for (int i = 0; i < c->count; i++) golden_compare(c->grad[i], c->input[i]->grad, 1e-4);
}

/* Every case of the file is run, every operation of the table is met. */
static void test_all(void **state) {
    heed_error err;
    heed_safetensors *file = golden_open("ops");
    heed_ctx *cx = heed_ctx_new(&(heed_ctx_cfg){ .train = true, .threads = 1 }, &err);
    if (!cx) fail_msg("%s", err.msg);
    bool met[COUNT] = { false };
    (void)state;
    for (int64_t i = 0; i < heed_safetensors_count(file); i++) {
        const char *name = heed_safetensors_at(file, i)->name, *last = strrchr(name, '/');
        assert_non_null(last);
        if (strcmp(last, "/out") != 0) continue;
        one c = { .cx = cx, .file = file };
        snprintf(c.key, sizeof c.key, "%.*s", (int)(last + 1 - name), name);
        c.shown = strchr(c.key, '/') + 1;
        const size_t size = (size_t)(c.shown - 1 - c.key);
        int k = 0;
        while (k < COUNT && (strncmp(table[k].name, c.key, size) || table[k].name[size])) k++;
        if (k == COUNT) fail_msg("%s: no such operation", c.key);
        check(&table[k], &c);
        met[k] = true;
        heed_ctx_reset(cx);
    }
    for (int k = 0; k < COUNT; k++)
        if (!met[k]) fail_msg("%s is not in the file", table[k].name);
    heed_ctx_free(cx);
    heed_safetensors_close(file);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_all) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
