/* init.c: first values of parameters. Every kind draws from one Philox sequence that belongs to the
 * parameter alone, and uses no function of the machine's libm, so the values are the same
 * everywhere. */
#include "tensor/params.h"

#include <math.h>
#include <string.h>

/* [-a, a): number i is word i % 4 of counter i / 4. */
static void uniform(float *x, int64_t n, uint64_t seed, float a) {
    uint32_t word[4];
    for (int64_t i = 0; i < n; i++) {
        if (i % 4 == 0) heed_philox(seed, 0, (uint64_t)i / 4, word);
        x[i] = ((float)(word[i % 4] >> 8) * 0x1p-23f - 1.0f) * a;
    }
}

static void normal(float *x, int64_t n, uint64_t seed, float deviation, bool cut) {
    heed_rng rng = { .seed = seed };
    for (int64_t i = 0; i < n; i++) {
        float z = heed_rng_normal(&rng);
        while (cut && fabsf(z) > 2.0f) z = heed_rng_normal(&rng);
        x[i] = z * deviation;
    }
}

/* Gram and Schmidt's way over the rows of q [rows,cols], rows <= cols, each cleared of those before
 * it twice, which is enough for full precision. */
static void orthonormal_rows(double *q, int64_t rows, int64_t cols) {
    for (int64_t r = 0; r < rows; r++) {
        double *v = q + r * cols, norm = 0;
        for (int64_t p = 0; p < 2 * r; p++) {
            const double *u = q + p % r * cols;
            double along = 0;
            for (int64_t c = 0; c < cols; c++) along += u[c] * v[c];
            for (int64_t c = 0; c < cols; c++) v[c] -= along * u[c];
        }
        for (int64_t c = 0; c < cols; c++) norm += v[c] * v[c];
        norm = norm > 0 ? 1.0 / sqrt(norm) : 0;
        for (int64_t c = 0; c < cols; c++) v[c] *= norm;
    }
}

static int orthogonal(heed_tensor *w, uint64_t seed, float gain, const heed_hooks *hooks,
                      heed_error *err) {
    float *x = HEED_F32_DATA(w);
    const int64_t out = w->shape[0], in = out ? w->len / out : 0;
    const bool wide = out <= in;
    const int64_t rows = wide ? out : in, cols = wide ? in : out;
    double *q = heed__calloc(hooks, (size_t)w->len, sizeof *q);
    if (!q) return heed__error(err, HEED_ENOMEM, "out of memory for parameter %s", w->name);
    normal(x, w->len, seed, 1.0f, false);
    for (int64_t i = 0; i < w->len; i++) q[i] = x[i];
    orthonormal_rows(q, rows, cols);
    for (int64_t r = 0; r < rows; r++)
        for (int64_t c = 0; c < cols; c++)
            x[wide ? r * in + c : c * in + r] = (float)(q[r * cols + c] * gain);
    heed__free(hooks, q);
    return 0;
}

static void fill(float *x, int64_t n, float value) {
    for (int64_t i = 0; i < n; i++) x[i] = value;
}

int heed__init(heed_tensor *w, heed_init init, uint64_t seed, const heed_hooks *hooks,
               heed_error *err) {
    float *x = HEED_F32_DATA(w);
    const int64_t n = w->len;
    *err = (heed_error){ 0 };
    if (init.kind >= HEED_INIT_XAVIER_UNIFORM && w->ndim < 2)
        return heed__error(err, HEED_EINVALID,
                           "parameter %s: its kind of first values needs a matrix [out,in], and it "
                           "has %d dimensions",
                           w->name, w->ndim);
    const float gain = init.a != 0 ? init.a : 1.0f;
    double in = 1, out = 1; /* fan in and fan out; a convolution's counts its window */
    if (n && w->ndim >= 2) {
        in = (double)(n / w->shape[0]);
        out = (double)(n / w->shape[1]);
    }
    switch (init.kind) {
    case HEED_INIT_ZEROS:
        fill(x, n, 0);
        return 0;
    case HEED_INIT_ONES:
        fill(x, n, 1);
        return 0;
    case HEED_INIT_CONSTANT:
        fill(x, n, init.a);
        return 0;
    case HEED_INIT_UNIFORM:
        uniform(x, n, seed, init.a);
        return 0;
    case HEED_INIT_NORMAL:
        normal(x, n, seed, init.a, false);
        return 0;
    case HEED_INIT_TRUNC_NORMAL:
        normal(x, n, seed, init.a, true);
        return 0;
    case HEED_INIT_XAVIER_UNIFORM:
        uniform(x, n, seed, gain * (float)sqrt(6 / (in + out)));
        return 0;
    case HEED_INIT_XAVIER_NORMAL:
        normal(x, n, seed, gain * (float)sqrt(2 / (in + out)), false);
        return 0;
    case HEED_INIT_LINEAR_UNIFORM:
        uniform(x, n, seed, gain * (float)sqrt(1 / in));
        return 0;
    case HEED_INIT_KAIMING_UNIFORM:
        uniform(x, n, seed, gain * (float)sqrt(6 / in));
        return 0;
    case HEED_INIT_KAIMING_NORMAL:
        normal(x, n, seed, gain * (float)sqrt(2 / in), false);
        return 0;
    case HEED_INIT_ORTHOGONAL:
        return n ? orthogonal(w, seed, gain, hooks, err) : 0;
    }
    return heed__error(err, HEED_EINVALID, "parameter %s: unknown kind of first values %d", w->name,
                       (int)init.kind);
}
