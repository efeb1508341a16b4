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
    int k;
    double m = frexp(x, &k); /* m in [1/2, 1) */
    if (m < 0.70710678118654752) {
        m *= 2;
        k--;
    }
    /* ln m = 2 artanh z, z = (m - 1) / (m + 1), |z| < 0.172 */
    const double z = (m - 1) / (m + 1), zz = z * z;
    double sum = 0;
    for (int i = 23; i >= 1; i -= 2) sum = sum * zz + 1.0 / i;
    return k * ln2_high + (k * ln2_low + 2 * z * sum);
}

void heed__sin_cos(double x, double *sin_x, double *cos_x) {
    /* x = k·π/2 + r: π/2 in three parts, so that k·part is exact for |k| < 2^20 */
    static const double p1 = 0x1.921fb54400000p+0, p2 = 0x1.0b4611a600000p-34,
                        p3 = 0x1.3198a2e037073p-69;
    const double k = floor(x * 0.63661977236758134 + 0.5);
    const double r = ((x - k * p1) - k * p2) - k * p3, rr = r * r;
    double s = 1, c = 1;
    for (int i = 19; i >= 3; i -= 2) s = 1 - s * rr / (i * (i - 1));
    for (int i = 18; i >= 2; i -= 2) c = 1 - c * rr / (i * (i - 1));
    s *= r;
    const int quarter = (int)fmod(k, 4) & 3;
    *sin_x = quarter == 0 ? s : quarter == 1 ? c : quarter == 2 ? -s : -c;
    *cos_x = quarter == 0 ? c : quarter == 1 ? -s : quarter == 2 ? -c : s;
}

double heed__pow(double base, double exponent) {
    return heed__exp(exponent * heed__ln(base));
}
