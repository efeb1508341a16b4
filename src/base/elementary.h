/* elementary.h: exp, ln, sin and cos in double by our own series: +, -, ·, / alone, so that tables
 * made with them have the same bits on every machine. Errors are below 1e-14 of the result (sin and
 * cos: 1e-13 absolute up to |x| = 1e6). For tables and single
 * numbers, not for speed. */
#ifndef HEED_BASE_ELEMENTARY_H
#define HEED_BASE_ELEMENTARY_H

double heed__exp(double x);
double heed__ln(double x); /* x > 0 */
void heed__sin_cos(double x, double *sin_x, double *cos_x);
double heed__cos_turn(double v);                /* cos 2πv, v in [0,1) */
double heed__pow(double base, double exponent); /* base > 0 */

#endif
