/* test_kernel_reference.c: row, dropout, recurrent and optimizer kernels against plain formulas:
 * the row rule and the tree of sums to the bit, Philox to the bit, the others in double. The table
 * is the scalar one; test_kernel_parity.c says that the others equal it. */
#include "cmocka_all.h"
#include "isas.h"
#include "kernels/math.h"
#include "kernels/optim.h"
#include "kernels/rnn.h"
#include "kernels/row.h"

#include <math.h>
#include <string.h>

enum { N = 77 };

static const heed_kernels *scalar(void) {
    int isas;
    return isas_here(&isas)[0];
}

static void draw(float *x, int64_t n, uint64_t stream) {
    heed_rng rng = { .seed = 5, .stream = stream };
    for (int64_t i = 0; i < n; i++) x[i] = heed_rng_uniform(&rng) * 4 - 2;
}

static void near(float got, double want, double tolerance) {
    if (!(fabs((double)got - want) <= tolerance))
        fail_msg("%.9g came, %.9g expected", (double)got, want);
}

static float rule(const float *x, const float *y, int n) {
    float lane[16] = { 0 };
    for (int i = 0; i < n; i++)
        lane[i % 16] = y ? fmaf(x[i], y[i], lane[i % 16]) : lane[i % 16] + x[i];
    for (int h = 8; h; h /= 2)
        for (int i = 0; i < h; i++) lane[i] += lane[i + h];
    return lane[0];
}

static void row_rule(void **state) {
    (void)state;
    const heed_row_kernels *k = scalar()->row;
    float x[N], y[N];
    draw(x, N, 1);
    draw(y, N, 2);
    for (int n = 0; n <= N; n++) {
        assert_true(k->sum(x, n) == rule(x, NULL, n));
        assert_true(k->dot(x, y, n) == rule(x, y, n));
        assert_true(k->sum_sq(x, n) == rule(x, x, n));
        float most = -INFINITY;
        for (int i = 0; i < n; i++) most = x[i] > most ? x[i] : most;
        assert_true(k->max(x, n) == most);
    }
    const float odd[3] = { NAN, -3, NAN };
    assert_true(k->max(odd, 3) == -3);
    assert_true(isnan(k->max(odd, 1)));
}

static void tree(void **state) {
    (void)state;
    const float five[5] = { 1e8f, 1, -1e8f, 1, 3 };
    assert_true(heed__tree_sum(five, 5) == ((1e8f + 1) + (-1e8f + 1)) + 3);
    assert_true(heed__tree_sum(five, 3) == (1e8f + 1) + -1e8f);
    assert_true(heed__tree_sum(five, 0) == 0);
    enum { MANY = 40 * HEED_SUM_BLOCK + 123 };
    static float x[MANY], scratch[41], block[41];
    draw(x, MANY, 3);
    const heed_kernels *k = scalar();
    for (int b = 0; b < 41; b++)
        block[b] = k->row->sum_sq(x + b * HEED_SUM_BLOCK, b < 40 ? HEED_SUM_BLOCK : 123);
    const float want = heed__tree_sum(block, 41), sum = heed__sum_many(k, NULL, x, MANY, scratch);
    const int threads[] = { 1, 2, 3, 7 };
    for (int i = 0; i < 4; i++) {
        heed_error err;
        heed_pool *pool = heed_pool_new(threads[i], NULL, &err);
        assert_non_null(pool);
        assert_true(heed__sum_sq_many(k, pool, x, MANY, scratch) == want);
        assert_true(heed__sum_many(k, pool, x, MANY, scratch) == sum);
        heed_pool_free(pool);
    }
}

static void softmaxes(void **state) {
    (void)state;
    const heed_row_kernels *k = scalar()->row;
    float x[N], y[N], z[N], dy[N], dx[N];
    draw(x, N, 4);
    draw(dy, N, 5);
    double sum = 0, inner = 0, total = 0;
    for (int i = 0; i < N; i++) sum += exp((double)x[i]);
    near(k->softmax(y, x, N), log(sum), 1e-6);
    near(k->log_softmax(z, x, N), log(sum), 1e-6);
    assert_true(k->log_sum_exp(x, N) == k->softmax(y, x, N));
    for (int i = 0; i < N; i++) {
        inner += (double)dy[i] * exp((double)x[i]) / sum;
        total += (double)dy[i];
    }
    memset(dx, 0, sizeof dx);
    k->softmax_grad(dx, y, dy, N);
    for (int i = 0; i < N; i++) {
        const double p = exp((double)x[i]) / sum;
        near(y[i], p, 1e-7);
        near(z[i], log(p), 2e-6);
        near(dx[i], p * ((double)dy[i] - inner), 1e-6);
    }
    memset(dx, 0, sizeof dx);
    k->log_softmax_grad(dx, z, dy, N);
    for (int i = 0; i < N; i++) near(dx[i], (double)dy[i] - exp((double)x[i]) / sum * total, 2e-6);
    const float none[3] = { -INFINITY, -INFINITY, -INFINITY };
    near(k->max(x, N) + k->log_sum(x, k->max(x, N), N), log(sum), 1e-6);
    assert_true(k->log_sum_exp(none, 3) == -INFINITY);
    assert_true(k->softmax(y, none, 3) == -INFINITY && y[0] == 0 && y[2] == 0);
    const float spoilt[3] = { -INFINITY, NAN, -INFINITY };
    assert_true(isnan(k->log_sum_exp(spoilt, 3)));
    assert_true(isnan(k->softmax(y, spoilt, 3)) && isnan(y[0]) && isnan(y[2]));
    assert_true(isnan(k->log_softmax(y, spoilt, 3)) && isnan(y[0]) && isnan(y[2]));
}

static void norms(void **state) {
    (void)state;
    const heed_row_kernels *k = scalar()->row;
    float x[N], gain[N], bias[N], dy[N], y[N], dx[N] = { 0 }, dg[N] = { 0 }, db[N] = { 0 }, stat[2];
    draw(x, N, 6);
    draw(gain, N, 7);
    draw(bias, N, 8);
    draw(dy, N, 9);
    for (int rms = 0; rms < 2; rms++) {
        double mean = 0, var = 0, mg = 0, mgh = 0;
        for (int i = 0; i < N; i++) mean += rms ? 0 : (double)x[i] / N;
        for (int i = 0; i < N; i++) var += pow((double)x[i] - mean, 2) / N;
        const double rstd = 1 / sqrt(var + 1e-5);
        for (int i = 0; i < N; i++) {
            const double g = (double)gain[i] * (double)dy[i];
            mg += rms ? 0 : g / N;
            mgh += g * ((double)x[i] - mean) * rstd / N;
        }
        memset(dx, 0, sizeof dx);
        memset(dg, 0, sizeof dg);
        memset(db, 0, sizeof db);
        if (rms) {
            k->rms_norm(y, x, gain, 1e-5f, stat, N);
            k->rms_norm_grad(dx, x, gain, dy, stat, N);
        } else {
            k->layer_norm(y, x, gain, bias, 1e-5f, stat, N);
            k->layer_norm_grad(dx, x, gain, dy, stat, N);
        }
        k->norm_param_grad(dg, db, x, dy, N, stat, rms, 1, N);
        for (int i = 0; i < N; i++) {
            const double h = ((double)x[i] - mean) * rstd, g = (double)gain[i] * (double)dy[i];
            near(y[i], h * (double)gain[i] + (rms ? 0 : (double)bias[i]), 2e-6);
            near(dx[i], rstd * (g - mg - h * mgh), 3e-6);
            near(dg[i], (double)dy[i] * h, 3e-6);
            near(db[i], (double)dy[i], 0);
        }
    }
}

static void drop_from(int64_t first) {
    enum { LEN = 300 };
    float x[LEN], y[LEN];
    draw(x, LEN, 10);
    const uint64_t seed = 0x123456789abcull, stream = 0xfedcba987654ull;
    scalar()->math->dropout(y, x, LEN, seed, stream, first, 30000, 1.25f, false);
    for (int i = 0; i < LEN; i++) {
        const uint64_t e = (uint64_t)(first + i);
        uint32_t out[4];
        heed_philox(seed, stream, e / 128 * 16 + e % 16, out);
        const uint32_t word = out[e / 32 % 4], bits = e / 16 % 2 ? word >> 16 : word & 0xffff;
        assert_true(y[i] == (bits >= 30000 ? x[i] * 1.25f : 0.0f));
    }
}

static void dropout(void **state) {
    (void)state;
    drop_from((1ll << 40) + 128);
    for (int64_t first = 0; first < 128; first++) drop_from(first);
}

static void relu_gate(void **state) {
    (void)state;
    const float h[] = { 1, 0, -0.0f, -1, 1e-40f, NAN };
    float y[] = { 2, 3, 4, 5, -6, 7 };
    const float want[] = { 3, 0, 0, 0, -9, 0 };
    scalar()->math->relu_gate(y, h, 1.5f, 6);
    for (int i = 0; i < 5; i++) assert_true(y[i] == want[i]);
    assert_true(y[5] != y[5]);
}

static double sigmoid(double x) {
    return 1 / (1 + exp(-x));
}

static void cells(void **state) {
    (void)state;
    const heed_rnn_kernels *k = scalar()->rnn;
    float gates[4 * N], raw[4 * N], c0[N], h[N], c[N], tc[N], act[3 * N], hg[3 * N];
    draw(raw, 4 * N, 11);
    draw(c0, N, 12);
    draw(hg, 3 * N, 13);
    memcpy(gates, raw, sizeof raw);
    k->lstm(h, c, tc, gates, c0, N);
    for (int u = 0; u < N; u++) {
        const double i = sigmoid((double)raw[u]), f = sigmoid((double)raw[N + u]);
        const double cell = f * (double)c0[u] + i * tanh((double)raw[2 * N + u]);
        near(c[u], cell, 1e-6);
        near(h[u], sigmoid((double)raw[3 * N + u]) * tanh(cell), 1e-6);
    }
    k->gru(h, act, raw, hg, c0, N);
    for (int u = 0; u < N; u++) {
        const double r = sigmoid((double)raw[u] + (double)hg[u]);
        const double z = sigmoid((double)raw[N + u] + (double)hg[N + u]);
        const double n = tanh((double)raw[2 * N + u] + r * (double)hg[2 * N + u]);
        near(h[u], (1 - z) * n + z * (double)c0[u], 1e-6);
    }
}

static void adam(void **state) {
    (void)state;
    float w[N], g[N], m[N], v[N] = { 0 }, w0[N], m0[N];
    draw(w, N, 14);
    draw(g, N, 15);
    draw(m, N, 16);
    memcpy(w0, w, sizeof w);
    memcpy(m0, m, sizeof m);
    const heed_adam_step s = { .lr = 0.01f,
                               .beta1 = 0.9f,
                               .beta2 = 0.999f,
                               .eps = 1e-8f,
                               .decay = 0.1f,
                               .grad_scale = 0.5f,
                               .correct1 = 0.19f,
                               .correct2 = 0.0447f };
    scalar()->optim->adam(w, g, m, v, N, &s);
    for (int i = 0; i < N; i++) {
        const double gi = 0.5 * (double)g[i], mi = 0.9 * (double)m0[i] + 0.1 * gi,
                     vi = 0.001 * gi * gi;
        near(m[i], mi, 1e-6);
        near(v[i], vi, 1e-7);
        const double want = (double)w0[i] * (1 - 0.001) -
                            0.01 / 0.19 * mi / (sqrt(vi) / 0.0447 + 1e-8);
        near(w[i], want, 1e-5 * (1 + fabs(want)));
    }
}

static void rows_added_up(void **state) {
    (void)state;
    enum { ROWS = 5, LEN = 7 };
    static const int32_t id[LEN] = { 4, 0, 0, 3, 1, 4, 2 };
    float table[ROWS * N], a[LEN], y[N], from[N];
    int8_t small[ROWS * N + 15];
    draw(table, ROWS * N, 17);
    draw(a, LEN, 18);
    draw(from, N, 19);
    for (int i = 0; i < ROWS * N + 15; i++) small[i] = (int8_t)(i * 37 % 255 - 127);
    memcpy(y, from, sizeof y);
    scalar()->math->gather(y, a, table, id, LEN, N);
    for (int j = 0; j < N; j++) {
        double want = (double)from[j];
        for (int k = 0; k < LEN; k++) want += (double)a[k] * (double)table[id[k] * N + j];
        near(y[j], want, 1e-5);
    }
    memcpy(y, from, sizeof y);
    scalar()->math->gather_i8(y, a, small, id, LEN, N);
    for (int j = 0; j < N; j++) {
        double want = (double)from[j];
        for (int k = 0; k < LEN; k++) want += (double)a[k] * small[id[k] * N + j];
        near(y[j], want, 1e-3);
    }
    const int8_t *row[LEN];
    float at[N];
    for (int k = 0; k < LEN; k++) row[k] = small + id[k] * N;
    memcpy(at, from, sizeof at);
    scalar()->math->gather_at(at, &(heed_i8_rows){ row, a, LEN }, N);
    assert_memory_equal(at, y, sizeof y);
}

static void rows_added_to(void **state) {
    (void)state;
    enum { ROWS = 5, LEN = 8 };
    static const int32_t id[LEN] = { 4, 0, 0, 3, 1, 4, 2, 3 };
    float table[ROWS * N], each[ROWS * N], a[LEN], x[N];
    draw(each, ROWS * N, 20);
    draw(a, LEN, 21);
    draw(x, N, 22);
    for (int with = 0; with < 2; with++) {
        double want[ROWS * N];
        draw(table, ROWS * N, 23);
        for (int i = 0; i < ROWS * N; i++) want[i] = (double)table[i];
        for (int k = 0; k < LEN; k++)
            for (int j = 0; j < N; j++) {
                const int at = id[k] * N + j;
                want[at] += (double)a[k] * (with ? (double)each[at] : 1) * (double)x[j];
            }
        scalar()->math->scatter(table, a, with ? each : NULL, x, id, LEN, N);
        for (int i = 0; i < ROWS * N; i++) near(table[i], want[i], 1e-5);
    }
}

static void words_beside_each_other(void **state) {
    (void)state;
    enum { ROWS = 5 };
    float a[ROWS], b[N], h[N];
    int8_t number[ROWS * N + 15];
    const int8_t *row[ROWS];
    draw(a, ROWS, 20);
    draw(b, N, 21);
    for (int i = 0; i < ROWS * N + 15; i++) number[i] = (int8_t)(i * 37 % 255 - 127);
    for (int k = 0; k < ROWS; k++) {
        row[k] = number + k * N;
        a[k] /= 100;
    }
    scalar()->math->near(h, b, &(heed_i8_rows){ row, a, 2 }, &(heed_i8_rows){ row + 2, a + 2, 3 },
                         N);
    for (int j = 0; j < N; j++) {
        double x = 0, v = (double)b[j];
        for (int k = 0; k < 2; k++) x += (double)a[k] * row[k][j];
        for (int k = 2; k < ROWS; k++) v += (double)a[k] * row[k][j];
        near(h[j], x + v * 0.5 * erfc(-v * sqrt(0.5)), 2e-6);
    }
}

static void attention_over_few_rows(void **state) {
    (void)state;
    enum { LEN = 5, ROWS = 3 };
    float q[LEN * N], x[ROWS * N], s[LEN * ROWS], y[(LEN + 1) * N];
    draw(q, LEN * N, 30);
    draw(x, ROWS * N, 31);
    scalar()->row->scores(s, q, LEN, x, ROWS, N);
    for (int k = 0; k < LEN; k++)
        for (int i = 0; i < ROWS; i++) {
            const float dot = scalar()->row->dot(q + k * N, x + i * N, N);
            assert_memory_equal(&dot, s + k * ROWS + i, sizeof dot);
        }
    scalar()->row->means(y, s, LEN, x, ROWS, N);
    for (int j = 0; j < N; j++) {
        for (int k = 0; k < LEN; k++) {
            double want = 0;
            for (int i = 0; i < ROWS; i++) want += (double)s[k * ROWS + i] * (double)x[i * N + j];
            near(y[k * N + j], want, 1e-4);
        }
        float most = x[j];
        for (int i = 1; i < ROWS; i++) most = fmaxf(most, x[i * N + j]);
        assert_true(y[LEN * N + j] == most);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(row_rule),
        cmocka_unit_test(tree),
        cmocka_unit_test(softmaxes),
        cmocka_unit_test(norms),
        cmocka_unit_test(dropout),
        cmocka_unit_test(relu_gate),
        cmocka_unit_test(cells),
        cmocka_unit_test(adam),
        cmocka_unit_test(rows_added_up),
        cmocka_unit_test(rows_added_to),
        cmocka_unit_test(words_beside_each_other),
        cmocka_unit_test(attention_over_few_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
