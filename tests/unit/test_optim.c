/* Optimizers beside a plain reference in double, rows of tables, groups, clipping, averages,
 * schedules, the loader. */
#include "cmocka_all.h"
#include "counting.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "heed/ops.h"
#include "heed/train.h"
#include "tensor/ctx.h"

#define SHAPE(...)                                                                                 \
    (sizeof((int64_t[]){ __VA_ARGS__ }) / sizeof(int64_t)), (int64_t[]) {                          \
        __VA_ARGS__                                                                                \
    }

enum { STEPS = 20, ROWS = 37, COLS = 501, N = ROWS * COLS }; /* more than one piece */

typedef struct world {
    heed_ctx *cx;
    heed_params *ps;
    heed_tensor *w, *b;
    heed_optim *opt;
} world;

static world make(const heed_optim_cfg *cfg, bool sparse, int threads) {
    heed_error err;
    world x = { 0 };
    x.cx = heed_ctx_new(&(heed_ctx_cfg){ .train = true, .threads = threads, .hooks = &counting },
                        &err);
    x.ps = heed_params_new(&(heed_params_cfg){ .seed = 1, .hooks = &counting }, &err);
    x.w = heed_param(x.ps, "w", (heed_init){ HEED_INIT_NORMAL, 1 }, SHAPE(ROWS, COLS));
    x.b = heed_param(x.ps, "b", (heed_init){ HEED_INIT_NORMAL, 1 }, SHAPE(13));
    if (sparse) assert_int_equal(heed_param_set_sparse(x.ps, x.w), 0);
    x.opt = heed_optim_new(x.cx, x.ps, cfg, &err);
    if (!x.opt) fail_msg("%s", err.msg);
    return x;
}

static void end(world *x) {
    heed_optim_free(x->opt);
    heed_params_free(x->ps);
    heed_ctx_free(x->cx);
}

/* Gradient number i of step t. */
static float gradient(int t, int64_t i) {
    uint32_t word[4];
    heed_philox(99, (uint64_t)t, (uint64_t)i, word);
    return ((float)(word[0] >> 8) * 0x1p-23f - 1) * (float)(1 + t % 3);
}

static void add_gradients(world *x, int t) {
    float *g = heed_grad(x->cx, x->w), *gb = heed_grad(x->cx, x->b);
    for (int64_t i = 0; i < N; i++) g[i] += gradient(t, i);
    for (int64_t i = 0; i < 13; i++) gb[i] += gradient(t, N + i);
}

/* How many gradients join in a step. */
static int parts_of(const heed_optim_cfg *c) {
    return c->accumulate > 0 ? c->accumulate : 1;
}

/* What a step multiplies a gradient by whose numbers have this sum of squares. */
static double scale_of(const heed_optim_cfg *c, double squares) {
    const double parts = parts_of(c), norm = sqrt(squares) / parts, clip = (double)c->clip;
    return (clip > 0 ? fmin(1, clip / (norm + 1e-6)) : 1) / parts;
}

/* One number's update as the papers write it. */
static void reference(const heed_optim_cfg *c, double *w, double *m, double *v, double g, int t,
                      bool decays) {
    const double decay = decays ? (double)c->weight_decay : 0, lr = (double)c->lr;
    if (c->kind != HEED_ADAMW) g += decay * *w;
    if (c->kind == HEED_SGD) {
        *m = (double)c->momentum * *m + g;
        *w -= lr * (c->nesterov ? g + (double)c->momentum * *m : *m);
    } else if (c->kind == HEED_ADAGRAD) {
        *v += g * g;
        *w -= lr * g / (sqrt(*v) + 1e-10);
    } else {
        const double b1 = (double)c->beta1, b2 = (double)c->beta2;
        if (c->kind == HEED_ADAMW) *w -= lr * decay * *w;
        *m = b1 * *m + (1 - b1) * g;
        *v = b2 * *v + (1 - b2) * g * g;
        *w -= lr * (*m / (1 - pow(b1, t))) / (sqrt(*v / (1 - pow(b2, t))) + 1e-8);
    }
}

#define CLIPPED .clip = 0.1f, .accumulate = 2

static void test_dense_against_double(void **state) {
    (void)state;
    static const heed_optim_cfg cases[] = {
        { .kind = HEED_SGD, .lr = 0.01f, .weight_decay = 0.1f },
        { .kind = HEED_SGD, .lr = 0.01f, .momentum = 0.9f, .weight_decay = 0.1f },
        { .kind = HEED_SGD, .lr = 0.01f, .momentum = 0.9f, .nesterov = true },
        { .kind = HEED_ADAM, .lr = 0.01f, .beta1 = 0.9f, .beta2 = 0.99f, .weight_decay = 0.1f },
        { .kind = HEED_ADAMW, .lr = 0.01f, .beta1 = 0.8f, .beta2 = 0.999f, .weight_decay = 0.1f },
        { .kind = HEED_ADAGRAD, .lr = 0.1f, .weight_decay = 0.1f },
        { .kind = HEED_SGD, .lr = 0.01f, .momentum = 0.9f, .weight_decay = 0.1f, CLIPPED },
        { .kind = HEED_ADAM,
          .lr = 0.01f,
          .beta1 = 0.9f,
          .beta2 = 0.99f,
          .weight_decay = 0.1f,
          CLIPPED },
        { .kind = HEED_ADAMW,
          .lr = 0.01f,
          .beta1 = 0.8f,
          .beta2 = 0.999f,
          .weight_decay = 0.1f,
          CLIPPED },
        { .kind = HEED_ADAGRAD, .lr = 0.1f, .weight_decay = 0.1f, CLIPPED },
    };
    static double w[N + 13], m[N + 13], v[N + 13], g[N + 13];
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        world x = make(&cases[k], false, 1);
        for (int64_t i = 0; i < N + 13; i++) {
            w[i] = (double)(i < N ? HEED_F32_DATA(x.w)[i] : HEED_F32_DATA(x.b)[i - N]);
            m[i] = v[i] = 0;
        }
        for (int t = 0; t < STEPS; t++) {
            const int parts = parts_of(&cases[k]);
            double squares = 0;
            memset(g, 0, sizeof g);
            for (int part = 0; part < parts; part++) {
                add_gradients(&x, parts * t + part);
                for (int64_t i = 0; i < N + 13; i++) g[i] += (double)gradient(parts * t + part, i);
                const int64_t before = allocations;
                assert_int_equal(heed_optim_step(x.opt), 0);
                if (t) assert_int_equal(allocations, before);
            }
            assert_null(x.w->grad);
            for (int64_t i = 0; i < N + 13; i++) squares += g[i] * g[i];
            const double scale = scale_of(&cases[k], squares);
            for (int64_t i = 0; i < N + 13; i++)
                reference(&cases[k], &w[i], &m[i], &v[i], scale * g[i], t + 1, i < N);
        }
        assert_int_equal(heed_optim_steps(x.opt), STEPS);
        for (int64_t i = 0; i < N + 13; i++) {
            const double got = (double)(i < N ? HEED_F32_DATA(x.w)[i] : HEED_F32_DATA(x.b)[i - N]);
            if (!(fabs(got - w[i]) < 5e-6 * (1 + fabs(w[i]))))
                fail_msg("case %zu, number %lld: %.9g, not %.9g", k, (long long)i, got, w[i]);
        }
        end(&x);
    }
}

/* A row's update, the t-th: an optimizer of its own, with the mean square of its gradient as second
 * moment. */
static void row_reference(const heed_optim_cfg *c, double *w, double *m, double *v, double *g,
                          int t) {
    const double b1 = (double)c->beta1, b2 = (double)c->beta2, lr = (double)c->lr;
    const double decay = (double)c->weight_decay;
    double square = 0;
    for (int i = 0; i < COLS; i++) {
        if (c->kind == HEED_ADAM || c->kind == HEED_SGD) g[i] += decay * w[i];
        square += g[i] * g[i] / COLS;
    }
    *v = c->kind == HEED_ADAGRAD ? *v + square : b2 * *v + (1 - b2) * square;
    for (int i = 0; i < COLS; i++) {
        if (c->kind == HEED_SGD) {
            m[i] = (double)c->momentum * m[i] + g[i];
            w[i] -= lr * (c->nesterov ? g[i] + (double)c->momentum * m[i] : m[i]);
        } else if (c->kind == HEED_ADAGRAD) {
            w[i] -= lr * decay * w[i];
            w[i] -= lr * g[i] / sqrt(*v);
        } else {
            if (c->kind == HEED_ADAMW) w[i] -= lr * decay * w[i];
            m[i] = b1 * m[i] + (1 - b1) * g[i];
            w[i] -= lr * (m[i] / (1 - pow(b1, t))) / (sqrt(*v / (1 - pow(b2, t))) + 1e-8);
        }
    }
}

/* The rows of step t: few, some of them twice, or so many that they are several pieces, in which a
 * row begins in one and ends in the next. */
enum { FEW = 4, MANY = 36 };
static int ids_of(int t, int32_t ids[MANY]) {
    const int32_t few[FEW] = { t % 7, 20, t % 7, (t * t) % 5 + 30 };
    if (t % 3 < 2) {
        memcpy(ids, few, sizeof few);
        return FEW;
    }
    for (int i = 0; i < MANY; i++) ids[i] = (i * 5 + t) % (ROWS - 1);
    return MANY;
}

/* Adds gradients to the table's rows, and to g of them in double. */
static void add_rows(world *x, int t, double *g, bool *touched) {
    static float rows[MANY * COLS];
    int32_t ids[MANY];
    const int n = ids_of(t, ids);
    for (int64_t i = 0; i < n * COLS; i++) {
        rows[i] = gradient(t, i);
        g[ids[i / COLS] * COLS + i % COLS] += (double)rows[i];
        touched[ids[i / COLS]] = true;
    }
    assert_int_equal(heed__sparse_add(x->w->sparse, n, ids, rows, -1), 0);
}

static void rows_against_double(const heed_optim_cfg *c, size_t k) {
    static double w[N], m[N], v[ROWS], g[N];
    static float was[N];
    world x = make(c, true, 2);
    const float *data = HEED_F32_DATA(x.w);
    int steps[ROWS] = { 0 };
    for (int64_t i = 0; i < N; i++) w[i] = (double)data[i], m[i] = 0;
    memset(v, 0, sizeof v);
    for (int t = 0; t < STEPS; t++) {
        bool touched[ROWS] = { false };
        double squares = 0;
        memset(g, 0, sizeof g);
        memcpy(was, data, sizeof was);
        for (int part = 0; part < parts_of(c); part++) {
            add_rows(&x, parts_of(c) * t + part, g, touched);
            assert_int_equal(heed_optim_step(x.opt), 0);
        }
        assert_int_equal(x.w->sparse->len, 0);
        for (int64_t i = 0; i < N; i++) squares += g[i] * g[i];
        const double scale = scale_of(c, squares);
        for (int64_t i = 0; i < N; i++) g[i] *= scale;
        for (int r = 0; r < ROWS; r++) {
            const int64_t at = (int64_t)r * COLS;
            if (touched[r])
                row_reference(c, &w[at], &m[at], &v[r], &g[at], ++steps[r]);
            else
                assert_memory_equal(was + at, data + at, COLS * sizeof *was);
        }
    }
    for (int64_t i = 0; i < N; i++)
        if (!(fabs((double)data[i] - w[i]) < 5e-6 * (1 + fabs(w[i]))))
            fail_msg("case %zu, number %lld: %.9g, not %.9g", k, (long long)i, (double)data[i],
                     w[i]);
    end(&x);
}

/* Rows that a batch does not touch stay as they are to the bit. */
static void test_rows_against_double(void **state) {
    (void)state;
    const heed_optim_cfg cases[] = {
        { .kind = HEED_ADAMW, .lr = 0.01f, .beta1 = 0.9f, .beta2 = 0.99f, .weight_decay = 0.1f },
        { .kind = HEED_ADAGRAD, .lr = 0.1f },
        { .kind = HEED_ADAGRAD, .lr = 0.1f, .weight_decay = 0.1f },
        { .kind = HEED_ADAM, .lr = 0.01f, .beta1 = 0.9f, .beta2 = 0.99f, .weight_decay = 0.1f },
        { .kind = HEED_SGD, .lr = 0.01f, .weight_decay = 0.1f },
        { .kind = HEED_SGD, .lr = 0.01f, .momentum = 0.9f, .weight_decay = 0.1f },
        { .kind = HEED_SGD, .lr = 0.01f, .momentum = 0.9f, .nesterov = true },
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        heed_optim_cfg c = cases[k];
        rows_against_double(&c, k);
        c.clip = 0.1f, c.accumulate = 2;
        rows_against_double(&c, k);
        c.clip = 0, c.accumulate = 3;
        rows_against_double(&c, k);
    }
}

static void run(const heed_optim_cfg *cfg, bool sparse, int threads, float *out) {
    world x = make(cfg, sparse, threads);
    static float rows[50 * COLS];
    for (int t = 0; t < 3; t++) {
        if (sparse) {
            int32_t ids[50];
            for (int i = 0; i < 50; i++) ids[i] = (i * 17 + t) % ROWS;
            for (int64_t i = 0; i < 50 * COLS; i++) rows[i] = gradient(t, i);
            heed__sparse_add(x.w->sparse, 50, ids, rows, 3);
        } else {
            add_gradients(&x, t);
        }
        assert_int_equal(heed_optim_step(x.opt), 0);
    }
    memcpy(out, x.w->data, N * sizeof *out);
    end(&x);
}

static void test_threads_do_not_matter(void **state) {
    (void)state;
    static float one[N], more[N];
    for (int kind = HEED_ADAMW; kind <= HEED_ADAFACTOR; kind++) {
        const heed_optim_cfg cfg = {
            .kind = (heed_optim_kind)kind, .clip = 0.5f, .momentum = 0.9f, .weight_decay = 0.1f
        };
        run(&cfg, false, 1, one);
        run(&cfg, false, 3, more);
        assert_memory_equal(one, more, sizeof one);
        if (kind == HEED_ADAFACTOR) continue;
        run(&cfg, true, 1, one);
        run(&cfg, true, 3, more);
        assert_memory_equal(one, more, sizeof one);
    }
}

static void test_clip_and_accumulate(void **state) {
    (void)state;
    world x = make(&(heed_optim_cfg){ .kind = HEED_SGD, .lr = 1, .clip = 2, .accumulate = 2 },
                   false, 1);
    static float was[N];
    memcpy(was, x.w->data, sizeof was);
    heed_grad(x.cx, x.w)[0] = 30;
    assert_int_equal(heed_optim_step(x.opt), 0); /* waits for the second */
    assert_memory_equal(was, x.w->data, sizeof was);
    assert_int_equal(heed_optim_steps(x.opt), 0);
    heed_grad(x.cx, x.w)[0] += 30;
    heed_grad(x.cx, x.b)[3] = 80; /* mean (30, 40): norm 50, clipped to 2 */
    const float b = HEED_F32_DATA(x.b)[3];
    assert_int_equal(heed_optim_step(x.opt), 0);
    assert_true(fabs(heed_optim_norm(x.opt) - 50) < 1e-5);
    assert_true(fabsf(was[0] - HEED_F32_DATA(x.w)[0] - 30 * 2 / 50.0f) < 1e-6f);
    assert_true(fabsf(b - HEED_F32_DATA(x.b)[3] - 40 * 2 / 50.0f) < 1e-6f);
    assert_int_equal(heed_optim_steps(x.opt), 1);
    end(&x);
    /* a norm whose square no float holds is still a norm */
    x = make(&(heed_optim_cfg){ .kind = HEED_SGD, .lr = 1, .clip = 1 }, false, 1);
    const float first = HEED_F32_DATA(x.w)[0];
    heed_grad(x.cx, x.w)[0] = 1e30f;
    assert_int_equal(heed_optim_step(x.opt), 0);
    assert_true(fabsf(first - HEED_F32_DATA(x.w)[0] - 1) < 1e-6f);
    end(&x);
}

static void test_not_finite(void **state) {
    (void)state;
    const float bad[] = { NAN, INFINITY, -INFINITY };
    for (int i = 0; i < 3; i++) {
        world x = make(&(heed_optim_cfg){ .kind = HEED_ADAMW, .ema = 0.9f }, false, 1);
        add_gradients(&x, 0);
        x.b->grad[12] = bad[i];
        static float was[N];
        memcpy(was, x.w->data, sizeof was);
        assert_int_equal(heed_optim_step(x.opt), HEED_ENONFINITE);
        assert_string_equal(heed_optim_error(x.opt)->msg,
                            "optimizer: the gradient of b is not finite in step 1");
        assert_memory_equal(was, x.w->data, sizeof was);
        assert_null(x.w->grad);
        add_gradients(&x, 0);
        assert_int_equal(heed_optim_step(x.opt), 0);
        assert_null(heed_optim_error(x.opt));
        assert_int_equal(heed_optim_steps(x.opt), 1);
        end(&x);
    }
    world x = make(&(heed_optim_cfg){ .kind = HEED_ADAMW }, true, 1);
    static float rows[COLS];
    rows[COLS - 1] = NAN;
    assert_int_equal(heed__sparse_add(x.w->sparse, 1, (int32_t[]){ 4 }, rows, -1), 0);
    assert_int_equal(heed_optim_step(x.opt), HEED_ENONFINITE);
    assert_string_equal(heed_optim_error(x.opt)->msg,
                        "optimizer: the gradient of w is not finite in step 1");
    assert_int_equal(x.w->sparse->len, 0);
    end(&x);
}

static void test_groups(void **state) {
    (void)state;
    const heed_param_group groups[] = { { .pattern = "b", .lr = 0.5f, .decay = true },
                                        { .pattern = "*", .no_decay = true } };
    world x = make(
        &(heed_optim_cfg){
            .kind = HEED_SGD, .lr = 1, .weight_decay = 0.25f, .groups = groups, .group_count = 2 },
        false, 1);
    const float w = HEED_F32_DATA(x.w)[0], b = HEED_F32_DATA(x.b)[0];
    heed_grad(x.cx, x.w)[0] = 1;
    heed_grad(x.cx, x.b)[0] = 1;
    assert_int_equal(heed_optim_step(x.opt), 0);
    assert_true(HEED_F32_DATA(x.w)[0] == w - 1);
    assert_true(fabsf(HEED_F32_DATA(x.b)[0] - (b - 0.5f * (1 + 0.25f * b))) < 1e-6f);
    /* what has no gradient, or is frozen, stays */
    const float b1 = HEED_F32_DATA(x.b)[0];
    heed_grad(x.cx, x.w);
    heed_params_set_trainable(x.ps, "w", false);
    const float w1 = HEED_F32_DATA(x.w)[0];
    assert_int_equal(heed_optim_step(x.opt), 0);
    assert_true(HEED_F32_DATA(x.w)[0] == w1 && HEED_F32_DATA(x.b)[0] == b1);
    end(&x);
}

static void test_ema(void **state) {
    (void)state;
    world x = make(&(heed_optim_cfg){ .kind = HEED_SGD, .lr = 1, .ema = 0.75f }, false, 1);
    double average = 0;
    float w = HEED_F32_DATA(x.w)[5];
    heed_optim_swap_ema(x.opt); /* nothing is averaged yet */
    assert_true(HEED_F32_DATA(x.w)[5] == w);
    for (int t = 0; t < 6; t++) {
        add_gradients(&x, t);
        assert_int_equal(heed_optim_step(x.opt), 0);
        w = HEED_F32_DATA(x.w)[5];
        average = t ? average + 0.25 * ((double)w - average) : (double)w;
    }
    heed_optim_swap_ema(x.opt);
    assert_true(fabs((double)HEED_F32_DATA(x.w)[5] - average) < 1e-6);
    heed_optim_swap_ema(x.opt);
    assert_true(HEED_F32_DATA(x.w)[5] == w);
    end(&x);
}

static void refuse(const heed_optim_cfg *cfg, bool sparse, const char *sentence) {
    heed_error err;
    heed_ctx *cx = heed_ctx_new(&(heed_ctx_cfg){ .threads = 1 }, &err);
    heed_params *ps = heed_params_new(NULL, &err);
    heed_tensor *w = heed_param(ps, "w", (heed_init){ HEED_INIT_ZEROS, 0 }, SHAPE(3, 2));
    if (sparse) heed_param_set_sparse(ps, w);
    assert_null(heed_optim_new(cx, ps, cfg, &err));
    assert_string_equal(err.msg, sentence);
    heed_params_free(ps);
    heed_ctx_free(cx);
}

static void test_refusals(void **state) {
    (void)state;
    refuse(&(heed_optim_cfg){ .lr = NAN }, false,
           "optimizer: learning rate and weight decay must be finite and not negative");
    refuse(&(heed_optim_cfg){ .beta1 = 1 }, false,
           "optimizer: beta1, beta2, momentum and ema must be at least 0 and below 1");
    refuse(&(heed_optim_cfg){ .nesterov = true }, false, "optimizer: nesterov needs a momentum");
    refuse(&(heed_optim_cfg){ .schedule = { .kind = HEED_COSINE } }, false,
           "optimizer: a linear or cosine schedule needs its total of steps");
    refuse(&(heed_optim_cfg){ .schedule = { .kind = HEED_PLATEAU, .factor = NAN } }, false,
           "optimizer: a schedule's warmup, patience and least must not be negative, its factor "
           "below 1");
    refuse(&(heed_optim_cfg){ .kind = HEED_ADAFACTOR }, true,
           "optimizer: table w has row-sparse gradients, which Adafactor does not take");
    refuse(&(heed_optim_cfg){ .ema = 0.5f }, true,
           "optimizer: an average of weights would touch every row of the row-sparse table w");
    heed_error err;
    assert_null(heed_optim_new(NULL, NULL, NULL, &err));
    world x = make(&(heed_optim_cfg){ 0 }, false, 1);
    heed_param(x.ps, "late", (heed_init){ HEED_INIT_ZEROS, 0 }, SHAPE(3));
    assert_int_equal(heed_optim_step(x.opt), HEED_EINVALID);
    assert_string_equal(heed_optim_error(x.opt)->msg,
                        "optimizer: parameters were declared after it was made");
    end(&x);
}

static void test_schedules(void **state) {
    (void)state;
    const heed_schedule line = { .kind = HEED_LINEAR, .warmup = 4, .total = 14, .least = 0.5f };
    const double want[] = { 0.25, 0.5, 0.75, 1, 1, 0.95, 0.9 };
    for (int t = 0; t < 7; t++) assert_true(fabs(heed_schedule_at(&line, t) - want[t]) < 1e-12);
    assert_true(heed_schedule_at(&line, 14) == 0.5 && heed_schedule_at(&line, 99) == 0.5);
    const heed_schedule root = { .kind = HEED_INV_SQRT, .warmup = 4 };
    assert_true(heed_schedule_at(&root, 0) == 0.25 && heed_schedule_at(&root, 3) == 1 &&
                heed_schedule_at(&root, 15) == 0.5);
    const heed_schedule constant = { .warmup = 2 };
    assert_true(heed_schedule_at(&constant, 0) == 0.5 && heed_schedule_at(&constant, 5) == 1);
    const heed_schedule only_warm = { .kind = HEED_COSINE, .warmup = 5, .total = 3 };
    assert_true(heed_schedule_at(&only_warm, 4) == 1 && heed_schedule_at(&only_warm, 5) == 0);
    world x = make(
        &(heed_optim_cfg){
            .lr = 1,
            .schedule = { .kind = HEED_PLATEAU, .factor = 0.5f, .patience = 2, .least = 0.2f } },
        false, 1);
    heed_optim_report(x.opt, NAN); /* no best loss to measure others by */
    assert_true(heed_optim_lr(x.opt) == 1);
    const double losses[] = { 5, 4, 4, 4, 3, 3, 3, 3, 3, 3, 3 };
    const double rates[] = { 1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.2, 0.2, 0.2 };
    for (int i = 0; i < 11; i++) {
        heed_optim_report(x.opt, losses[i]);
        assert_true(fabs(heed_optim_lr(x.opt) - rates[i]) < 1e-7);
    }
    end(&x);
}

static void test_loader(void **state) {
    (void)state;
    heed_error err;
    heed_loader *a = heed_loader_new(&(heed_loader_cfg){ .items = 10, .batch = 4, .seed = 3 },
                                     &err);
    heed_loader *b = heed_loader_new(&(heed_loader_cfg){ .items = 10, .batch = 4, .seed = 3 },
                                     &err);
    int64_t first[3][10];
    const int64_t *items;
    for (int epoch = 0; epoch < 3; epoch++) {
        int seen[10] = { 0 }, at = 0;
        const int sizes[] = { 4, 4, 2, 0 };
        for (int i = 0; i < 4; i++) {
            const int64_t count = heed_loader_next(a, &items);
            assert_int_equal(count, sizes[i]);
            for (int j = 0; j < count; j++) seen[items[j]]++, first[epoch][at++] = items[j];
        }
        for (int i = 0; i < 10; i++) assert_int_equal(seen[i], 1);
        assert_int_equal(heed_loader_epoch(a), epoch + 1);
    }
    assert_memory_not_equal(first[0], first[1], sizeof first[0]);
    assert_int_equal(heed_loader_seek(b, 2, 4), 0); /* from elsewhere, the same order */
    assert_int_equal(heed_loader_next(b, &items), 4);
    assert_memory_equal(items, first[2] + 4, 4 * sizeof *items);
    assert_int_equal(heed_loader_position(b), 8);
    assert_int_equal(heed_loader_seek(b, 0, 11), HEED_EINVALID);
    heed_loader_free(a);
    heed_loader_free(b);
    a = heed_loader_new(
        &(heed_loader_cfg){ .items = 5, .batch = 2, .in_order = true, .drop_last = true }, &err);
    assert_int_equal(heed_loader_next(a, &items), 2);
    assert_int_equal(heed_loader_next(a, &items), 2);
    assert_true(items[0] == 2 && items[1] == 3);
    assert_int_equal(heed_loader_next(a, &items), 0);
    heed_loader_free(a);
    assert_null(heed_loader_new(&(heed_loader_cfg){ .items = 5 }, &err));
    assert_string_equal(err.msg, "loader: 5 items in batches of 0");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dense_against_double),
        cmocka_unit_test(test_rows_against_double),
        cmocka_unit_test(test_threads_do_not_matter),
        cmocka_unit_test(test_clip_and_accumulate),
        cmocka_unit_test(test_not_finite),
        cmocka_unit_test(test_groups),
        cmocka_unit_test(test_ema),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_schedules),
        cmocka_unit_test(test_loader),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
