/* round.c: tables in 8 bits. A row is a scale times whole numbers -127..127. The scale has 16 bits,
 * so that every product with a number is exact: what is rounded once keeps its bits wherever it is
 * multiplied out, and is the same when it is rounded again. */
#include <math.h>
#include <string.h>

#include "tensor/params.h"

/* The least float of 16 bits that is not smaller. */
static float up(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    bits = (bits + 0xff) & ~(uint32_t)0xff;
    memcpy(&x, &bits, sizeof x);
    return x;
}

float heed__row_scale(const float *row, int64_t n) {
    float most = 0;
    for (int64_t i = 0; i < n; i++) most = fabsf(row[i]) > most ? fabsf(row[i]) : most;
    const float scale = up(most / 127);
    return scale < 0x1p-100f ? 0 : scale; /* products below are not exact; such a row is none */
}

void heed__row_numbers(int8_t *number, const float *row, float scale, int64_t n) {
    for (int64_t i = 0; i < n; i++) {
        const float x = scale > 0 ? row[i] / scale : 0;
        const int whole = (int)(x < 0 ? x - 0.5f : x + 0.5f);
        number[i] = (int8_t)(whole > 127 ? 127 : whole < -127 ? -127 : whole);
    }
}

void heed__row_values(float *row, const int8_t *number, float scale, int64_t n) {
    for (int64_t i = 0; i < n; i++) row[i] = scale * (float)number[i];
}

bool heed__param_round(heed_tensor *w) {
    enum { TOGETHER = 256 };
    const int64_t n = w->shape[1];
    float *x = w->data;
    int8_t number[TOGETHER];
    for (int64_t i = 0; i < w->len; i++)
        if (!(fabsf(x[i]) < 0x1p100f)) return false;
    for (int64_t r = 0; r < w->shape[0]; r++) {
        float *row = x + r * n;
        const float scale = heed__row_scale(row, n);
        for (int64_t at = 0; at < n; at += TOGETHER) {
            const int64_t some = n - at < TOGETHER ? n - at : TOGETHER;
            heed__row_numbers(number, row + at, scale, some);
            heed__row_values(row + at, number, scale, some);
        }
    }
    heed__param_set_rounded(w, true);
    return true;
}
