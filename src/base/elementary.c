/* elementary.c: see elementary.h. Arguments are reduced to a small interval, then Taylor's series.
 */
#include "base/elementary.h"

#include <math.h>

static const double ln2_high = 0x1.62e42fee00000p-1, ln2_low = 0x1.a39ef35793c76p-33;

double heed__exp(double x) {
    if (x > 709) return (double)INFINITY;
    if (x < -745) return 0;
    const double k = floor(x / (ln2_high + ln2_low) + 0.5);
    const double r = (x - k * ln2_high) - k * ln2_low; /* |r| <= ln 2 / 2 */
    double sum = 1;
    for (int i = 18; i >= 1; i--) sum = 1 + sum * r / i;
    return ldexp(sum, (int)k);
}

double heed__ln(double x) {
    static const double odd[] = { 1.0 / 21, 1.0 / 19, 1.0 / 17, 1.0 / 15, 1.0 / 13, 1.0 / 11,
                                  1.0 / 9,  1.0 / 7,  1.0 / 5,  1.0 / 3,  1.0 };
    int k;
    double m = frexp(x, &k); /* m in [1/2, 1) */
    if (m < 0.70710678118654752) {
        m *= 2;
        k--;
    }
    /* ln m = 2 artanh z = 2 (z + z³/3 + z⁵/5 …), z = (m - 1) / (m + 1), |z| < 0.172 */
    const double z = (m - 1) / (m + 1), zz = z * z;
    double sum = 1.0 / 23;
    for (int i = 0; i < 11; i++) sum = sum * zz + odd[i];
    return k * ln2_high + (k * ln2_low + 2 * z * sum);
}

/* Taylor's series about 0 for |r| <= π/4: sin r / r (odd) or cos r. */
static double series(int odd, double rr) {
    /* 1 / (i·(i-1)) for i = 18, 16, … 2 of the cosine and i = 19, 17, … 3 of the sine */
    static const double part[2][9] = { { 1.0 / 306, 1.0 / 240, 1.0 / 182, 1.0 / 132, 1.0 / 90,
                                         1.0 / 56, 1.0 / 30, 1.0 / 12, 1.0 / 2 },
                                       { 1.0 / 342, 1.0 / 272, 1.0 / 210, 1.0 / 156, 1.0 / 110,
                                         1.0 / 72, 1.0 / 42, 1.0 / 20, 1.0 / 6 } };
    double sum = 1;
    for (int i = 0; i < 9; i++) sum = 1 - sum * rr * part[odd][i];
    return sum;
}

void heed__sin_cos(double x, double *sin_x, double *cos_x) {
    /* x = k·π/2 + r: π/2 in three parts, so that k·part is exact for |k| < 2^20 */
    static const double p1 = 0x1.921fb54400000p+0, p2 = 0x1.0b4611a600000p-34,
                        p3 = 0x1.3198a2e037073p-69;
    const double k = floor(x * 0.63661977236758134 + 0.5);
    const double r = ((x - k * p1) - k * p2) - k * p3, rr = r * r;
    const double s = r * series(1, rr), c = series(0, rr);
    const int quarter = (int)fmod(k, 4) & 3;
    *sin_x = quarter == 0 ? s : quarter == 1 ? c : quarter == 2 ? -s : -c;
    *cos_x = quarter == 0 ? c : quarter == 1 ? -s : quarter == 2 ? -c : s;
}

double heed__cos_turn(double v) {
    const int k = (int)(v * 4 + 0.5); /* v = k/4 + r/2π, exactly */
    const double r = (v - k * 0.25) * 6.28318530717958647693;
    const double x = series(k % 2, r * r) * (k % 2 ? r : 1);
    return k % 4 == 1 || k % 4 == 2 ? -x : x;
}

double heed__pow(double base, double exponent) {
    return heed__exp(exponent * heed__ln(base));
}
