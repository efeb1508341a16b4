/* test_kernel_parity.c: every elementwise, row, recurrent and optimizer kernel gives the same bits
 * on every ISA that this CPU has, for every length 0..33 and some longer, with ordinary and with
 * special numbers; reads nothing past its inputs and writes nothing past its outputs; NaNs are
 * canonical. */
#include "cmocka_all.h"
#include "isas.h"
#include "kernels/math.h"
#include "kernels/optim.h"
#include "kernels/rnn.h"
#include "kernels/row.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { BUFFERS = 8, MOST = 300, ROOM = 5 * MOST, GUARD = 32, ROWS = 5 };

typedef struct buffers {
    float all[BUFFERS][GUARD + ROOM + GUARD];
} buffers;

/* A kernel under test. `use` has a letter for each buffer: n, 3, 4 (times n), r (ROWS·n), h (n
 * halves), s (2·ROWS numbers), 1 (one number). p are the buffers' data. */
typedef struct kernel_case {
    const char *name, *use;
    void (*run)(const heed_kernels *k, float *const p[], int64_t n);
} kernel_case;

#define CASE(id, use_, call)                                                                       \
    static void run_##id(const heed_kernels *k, float *const p[], int64_t n) {                     \
        call;                                                                                      \
    }
/* len rows of bytes at p, at most 4, times the numbers at a. */
#define BYTES(a, p, n, len)                                                                        \
    &(const heed_i8_rows) {                                                                        \
        (const int8_t *const[]){ (const int8_t *)(const void *)(p),                                \
                                 (const int8_t *)(const void *)(p) + 2 * (n),                      \
                                 (const int8_t *)(const void *)(p) + (n),                          \
                                 (const int8_t *)(const void *)(p) + 3 * (n) },                    \
            a, len                                                                                 \
    }
#define CASES(X)                                                                                   \
    X(exp, "nn", k->math->exp(p[0], p[1], n))                                                      \
    X(log, "nn", k->math->log(p[0], p[1], n))                                                      \
    X(tanh, "nn", k->math->tanh(p[0], p[1], n))                                                    \
    X(sigmoid, "nn", k->math->sigmoid(p[0], p[1], n))                                              \
    X(erf, "nn", k->math->erf(p[0], p[1], n))                                                      \
    X(sin, "nn", k->math->sin(p[0], p[1], n))                                                      \
    X(cos, "nn", k->math->cos(p[0], p[1], n))                                                      \
    X(relu, "nn", k->math->relu(p[0], p[1], n))                                                    \
    X(gelu, "nn", k->math->gelu(p[0], p[1], n))                                                    \
    X(gelu_tanh, "nn", k->math->gelu_tanh(p[0], p[1], n))                                          \
    X(silu, "nn", k->math->silu(p[0], p[1], n))                                                    \
    X(sqrt, "nn", k->math->sqrt(p[0], p[1], n))                                                    \
    X(rsqrt, "nn", k->math->rsqrt(p[0], p[1], n))                                                  \
    X(relu_grad, "nnn", k->math->relu_grad(p[0], p[1], p[2], n))                                   \
    X(gelu_grad, "nnn", k->math->gelu_grad(p[0], p[1], p[2], n))                                   \
    X(gelu_tanh_grad, "nnn", k->math->gelu_tanh_grad(p[0], p[1], p[2], n))                         \
    X(silu_grad, "nnn", k->math->silu_grad(p[0], p[1], p[2], n))                                   \
    X(tanh_grad, "nnn", k->math->tanh_grad(p[0], p[1], p[2], n))                                   \
    X(sigmoid_grad, "nnn", k->math->sigmoid_grad(p[0], p[1], p[2], n))                             \
    X(add, "nnn", k->math->add(p[0], p[1], p[2], n))                                               \
    X(sub, "nnn", k->math->sub(p[0], p[1], p[2], n))                                               \
    X(mul, "nnn", k->math->mul(p[0], p[1], p[2], n))                                               \
    X(div, "nnn", k->math->div(p[0], p[1], p[2], n))                                               \
    X(axpy, "nn", k->math->axpy(p[0], 0.3f, p[1], n))                                              \
    X(axpby, "nn", k->math->axpby(p[0], 0.3f, p[1], -2.0f, n))                                     \
    X(mul_add, "nnn", k->math->mul_add(p[0], p[1], p[2], n))                                       \
    X(gather, "nsr", k->math->gather(p[0], p[1], p[2], rows, ROWS, n))                             \
    X(gather_ones, "nr", k->math->gather(p[0], NULL, p[1], rows, 8, n))                            \
    X(gather_i8, "nsr",                                                                            \
      k->math->gather_i8(p[0], p[1], (const int8_t *)(const void *)p[2], rows, 2 * ROWS, n))       \
    X(scatter, "rsn", k->math->scatter(p[0], p[1], NULL, p[2], rows, ROWS, n))                     \
    X(scatter_each, "rsrn", k->math->scatter(p[0], p[1], p[2], p[3], rows, ROWS, n))               \
    X(gather_at, "nsr", k->math->gather_at(p[0], BYTES(p[1], p[2], n, 4), n))                      \
    X(near, "nnsrsr",                                                                              \
      k->math->near(p[0], p[1], BYTES(p[2], p[3], n, 2), BYTES(p[4], p[5], n, 4), n))              \
    X(keep_max, "nnn", k->math->keep_max(p[0], (int32_t *)(void *)p[1], p[2], 7, n))               \
    X(keep_max_alone, "nn", k->math->keep_max(p[0], NULL, p[1], 7, n))                             \
    X(swiglu, "nnn", k->math->swiglu(p[0], p[1], p[2], n))                                         \
    X(swiglu_grad, "nnnnn", k->math->swiglu_grad(p[0], p[1], p[2], p[3], p[4], n))                 \
    X(dropout, "nn", k->math->dropout(p[0], p[1], n, 7, 3, 256, 20000, 1.5f, false))               \
    X(dropout_within, "nn", k->math->dropout(p[0], p[1], n, 7, 3, 256 + 77, 20000, 1.5f, false))   \
    X(relu_gate, "nn", k->math->relu_gate(p[0], p[1], 1.25f, n))                                   \
    X(dropout_add, "nn",                                                                           \
      k->math->dropout(p[0], p[1], n, 1ull << 40, 1ull << 33, 1ll << 45, 9, 1.5f, true))           \
    X(to_bf16, "hn", k->math->to_bf16((uint16_t *)(void *)p[0], p[1], n))                          \
    X(from_bf16, "nh", k->math->from_bf16(p[0], (const uint16_t *)(const void *)p[1], n))          \
    X(sum, "1n", p[0][0] = k->row->sum(p[1], n))                                                   \
    X(dot, "1nn", p[0][0] = k->row->dot(p[1], p[2], n))                                            \
    X(sum_sq, "1n", p[0][0] = k->row->sum_sq(p[1], n))                                             \
    X(max, "1n", p[0][0] = k->row->max(p[1], n))                                                   \
    X(softmax, "1nn", p[0][0] = k->row->softmax(p[1], p[2], n))                                    \
    X(log_softmax, "1nn", p[0][0] = k->row->log_softmax(p[1], p[2], n))                            \
    X(log_sum_exp, "1n", p[0][0] = k->row->log_sum_exp(p[1], n))                                   \
    X(log_sum, "1n", p[0][0] = k->row->log_sum(p[1], k->row->max(p[1], n), n))                     \
    X(softmax_grad, "nnn", k->row->softmax_grad(p[0], p[1], p[2], n))                              \
    X(log_softmax_grad, "nnn", k->row->log_softmax_grad(p[0], p[1], p[2], n))                      \
    X(layer_norm, "nnnns", k->row->layer_norm(p[0], p[1], p[2], p[3], 1e-5f, p[4], n))             \
    X(layer_norm_bare, "nns", k->row->layer_norm(p[0], p[1], NULL, NULL, 1e-5f, p[2], n))          \
    X(layer_norm_bias, "nnns", k->row->layer_norm(p[0], p[1], NULL, p[2], 1e-5f, p[3], n))         \
    X(layer_norm_grad, "nnnns", k->row->layer_norm_grad(p[0], p[1], p[2], p[3], p[4], n))          \
    X(layer_norm_grad_bare, "nnns", k->row->layer_norm_grad(p[0], p[1], NULL, p[2], p[3], n))      \
    X(rms_norm, "nnn1", k->row->rms_norm(p[0], p[1], p[2], 1e-5f, p[3], n))                        \
    X(rms_norm_grad, "nnnn1", k->row->rms_norm_grad(p[0], p[1], p[2], p[3], p[4], n))              \
    X(exp_sub_scale, "nn", k->row->exp_sub_scale(p[0], p[1], 1.2f, 0.5f, 0.3f, n))                 \
    X(add_rows, "nr", k->row->add_rows(p[0], p[1], n, ROWS, n))                                    \
    X(scores, "srr", k->row->scores(p[0], p[1], 5, p[2], 2, n))                                    \
    X(means, "rsr", k->row->means(p[0], p[1], 4, p[2], 2, n))                                      \
    X(means_more, "3sr", k->row->means(p[0], p[1], 2, p[2], ROWS, n))                              \
    X(norm_param_grad, "nnrrs",                                                                    \
      k->row->norm_param_grad(p[0], p[1], p[2], p[3], n, p[4], false, ROWS, n))                    \
    X(norm_gain_grad, "nrrs",                                                                      \
      k->row->norm_param_grad(p[0], NULL, p[1], p[2], n, p[3], true, ROWS, n))                     \
    X(norm_bias_grad, "nrrs",                                                                      \
      k->row->norm_param_grad(NULL, p[0], p[1], p[2], n, p[3], false, ROWS, n))                    \
    X(lstm, "nnn4n", k->rnn->lstm(p[0], p[1], p[2], p[3], p[4], n))                                \
    X(lstm_grad, "4nn4nn", k->rnn->lstm_grad(p[0], p[1], p[2], p[3], p[4], p[5], n))               \
    X(gru, "n333n", k->rnn->gru(p[0], p[1], p[2], p[3], p[4], n))                                  \
    X(gru_grad, "33nn33n", k->rnn->gru_grad(p[0], p[1], p[2], p[3], p[4], p[5], p[6], n))          \
    X(adam, "nnnn", k->optim->adam(p[0], p[1], p[2], p[3], n, &adam_step))                         \
    X(sgd, "nn", k->optim->sgd(p[0], p[1], NULL, n, 0.1f, 0.9f, 0.01f, 0.5f, false))               \
    X(sgd_momentum, "nnn", k->optim->sgd(p[0], p[1], p[2], n, 0.1f, 0.9f, 0.01f, 0.5f, false))     \
    X(sgd_nesterov, "nnn", k->optim->sgd(p[0], p[1], p[2], n, 0.1f, 0.9f, 0.0f, 0.5f, true))       \
    X(adagrad, "nnn", k->optim->adagrad(p[0], p[1], p[2], n, 0.1f, 1e-8f, 0.5f))                   \
    X(ema, "nn", k->optim->ema(p[0], p[1], n, 0.99f))

static const heed_adam_step adam_step = { .lr = 1e-3f,
                                          .beta1 = 0.9f,
                                          .beta2 = 0.999f,
                                          .eps = 1e-8f,
                                          .decay = 0.01f,
                                          .l2 = 0.001f,
                                          .grad_scale = 0.5f,
                                          .correct1 = 0.1f,
                                          .correct2 = 0.0316f };

static const int32_t rows[2 * ROWS] = { 3, 0, 4, 4, 1, 2, 0, 1, 3, 2 };

CASES(CASE)
#define ROW(id, use_, call) { #id, use_, run_##id },
static const kernel_case cases[] = { CASES(ROW) };
enum { COUNT = sizeof cases / sizeof *cases };

static uint32_t hash(uint32_t x) {
    x = (x ^ x >> 16) * 0x7feb352du;
    x = (x ^ x >> 15) * 0x846ca68bu;
    return x ^ x >> 16;
}

static float from_bits(uint32_t bits) {
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static float number(uint32_t place, bool special) {
    static const uint32_t odd[] = { 0x7fc12345, 0xff812345, 0x7f800000, 0xff800000,
                                    0x80000000, 0,          1,          0x807fffff,
                                    0x7f7fffff, 0xff7fffff, 0x42b17218, 0xc2aeac50,
                                    0x00800000, 0x47c35000, 0xc8000001, 0x3f800000 };
    const uint32_t h = hash(place + 1);
    if (special && h % 9 == 0) return from_bits(odd[h / 9 % 16]);
    return ((float)(h >> 8) * 0x1p-24f - 0.5f) * 8.0f;
}

static int64_t bytes_of(char use, int64_t n) {
    switch (use) {
    case 'n':
        return 4 * n;
    case '3':
        return 12 * n;
    case '4':
        return 16 * n;
    case 'r':
        return 4 * ROWS * n;
    case 'h':
        return 2 * n;
    case 's':
        return 4 * 2 * ROWS;
    default:
        return 4;
    }
}

/* Fills the buffers with numbers where the case may look and with `garbage` everywhere else, and
 * runs. */
static void run_case(const heed_kernels *k, const kernel_case *c, int64_t n, uint32_t salt,
                     bool special, uint8_t garbage, buffers *b) {
    float *p[BUFFERS] = { 0 };
    memset(b, garbage, sizeof *b);
    for (int i = 0; c->use[i]; i++) {
        const int64_t bytes = bytes_of(c->use[i], n);
        float data[ROOM];
        for (int j = 0; j < ROOM; j++) data[j] = number(salt + (uint32_t)(i * ROOM + j), special);
        p[i] = b->all[i] + GUARD;
        memcpy(p[i], data, (size_t)bytes);
    }
    c->run(k, p, n);
}

/* The bytes that the case may not touch still hold the garbage; numbers in n-buffers are clean. */
static void check_rims(const kernel_case *c, int64_t n, uint8_t garbage, const buffers *b) {
    for (int i = 0; i < BUFFERS; i++) {
        const uint8_t *at = (const uint8_t *)b->all[i];
        const size_t begin = GUARD * 4, size = sizeof b->all[i];
        const size_t end = begin + (i < (int)strlen(c->use) ? (size_t)bytes_of(c->use[i], n) : 0);
        for (size_t j = 0; j < size; j++)
            if ((j < begin || j >= end) && at[j] != garbage)
                fail_msg("%s, n = %d: byte %d of buffer %d was written", c->name, (int)n,
                         (int)j - (int)begin, i);
    }
}

static void same(const char *what, const kernel_case *c, int64_t n, const buffers *a,
                 const buffers *b) {
    for (int i = 0; c->use[i]; i++) {
        const float *x = a->all[i] + GUARD, *y = b->all[i] + GUARD;
        for (int64_t j = 0; j < bytes_of(c->use[i], n) / 4; j++)
            if (memcmp(x + j, y + j, 4))
                fail_msg("%s on %s, n = %d: element %d of buffer %d is %.9g, %.9g expected",
                         c->name, what, (int)n, (int)j, i, (double)y[j], (double)x[j]);
        assert_memory_equal(x, y, (size_t)bytes_of(c->use[i], n));
    }
}

static void every_isa(void **state) {
    (void)state;
    static buffers want, got, other;
    static const int64_t more[] = { 63, 64, 65, 127, 128, 129, 160, 255, 300 };
    int isas;
    const heed_kernels *const *k = isas_here(&isas);
    for (int c = 0; c < COUNT; c++)
        for (int step = 0; step < 34 + 9; step++)
            for (int special = 0; special < 2; special++) {
                const int64_t n = step < 34 ? step : more[step - 34];
                const uint32_t salt = hash((uint32_t)(1000 * c + step)) & 0xffffff;
                run_case(k[0], &cases[c], n, salt, special, 0xff, &want);
                check_rims(&cases[c], n, 0xff, &want);
                for (int i = 0; i < isas; i++) {
                    run_case(k[i], &cases[c], n, salt, special, 0xff, &got);
                    run_case(k[i], &cases[c], n, salt, special, 0x3d, &other);
                    check_rims(&cases[c], n, 0xff, &got);
                    check_rims(&cases[c], n, 0x3d, &other);
                    same(k[i]->name, &cases[c], n, &want, &got);
                    same("other garbage", &cases[c], n, &want, &other);
                }
            }
}

/* What a kernel writes holds no NaN but 0x7fc00000: run on inputs that are all NaN of odd payloads.
 */
static void canonical_nan(void **state) {
    (void)state;
    int isas;
    const heed_kernels *const *k = isas_here(&isas);
    for (int i = 0; i < isas; i++) {
        const heed_map1 maps[] = { k[i]->math->exp,       k[i]->math->log,  k[i]->math->tanh,
                                   k[i]->math->sigmoid,   k[i]->math->erf,  k[i]->math->sin,
                                   k[i]->math->cos,       k[i]->math->relu, k[i]->math->gelu,
                                   k[i]->math->gelu_tanh, k[i]->math->silu, k[i]->math->sqrt,
                                   k[i]->math->rsqrt };
        float x[37], y[37];
        for (int j = 0; j < 37; j++)
            x[j] = from_bits(0x7f800001u + hash((uint32_t)j) % 0x7fffff +
                             (uint32_t)(j % 2) * 0x80000000u);
        const uint32_t nan = 0x7fc00000;
        for (size_t m = 0; m < sizeof maps / sizeof *maps; m++) {
            memset(y, 0, sizeof y);
            maps[m](y, x, 37);
            for (int j = 0; j < 37; j++) assert_memory_equal(y + j, &nan, 4);
        }
        k[i]->row->softmax(y, x, 37);
        for (int j = 0; j < 37; j++) assert_memory_equal(y + j, &nan, 4);
    }
}

/* y may be x */
static void in_place(void **state) {
    (void)state;
    int isas;
    const heed_kernels *const *k = isas_here(&isas);
    float x[77], apart[77], over[77];
    for (int j = 0; j < 77; j++) x[j] = number((uint32_t)j, false);
    for (int i = 0; i < isas; i++) {
        const heed_map1 maps[] = { k[i]->math->exp,  k[i]->math->tanh, k[i]->math->sigmoid,
                                   k[i]->math->gelu, k[i]->math->relu, k[i]->math->silu };
        for (size_t m = 0; m < sizeof maps / sizeof *maps; m++) {
            memcpy(over, x, sizeof x);
            maps[m](apart, x, 77);
            maps[m](over, over, 77);
            assert_memory_equal(apart, over, sizeof x);
        }
        memcpy(over, x, sizeof x);
        k[i]->row->softmax(apart, x, 77);
        k[i]->row->softmax(over, over, 77);
        assert_memory_equal(apart, over, sizeof x);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_isa),
                                        cmocka_unit_test(canonical_nan),
                                        cmocka_unit_test(in_place) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
