/* decide_course.h: the usual course of a stream of events and the chance of what was seen under it:
 * the test on which surges stand. Numbers alone; decide_rules.c feeds it.
 *
 * A rule counts events by key. The events of key k in the hour of the week c (168 of them; 24 of
 * the day; or one) are taken as negative binomial with mean
 *
 *     λ = g_k · l_k · r_c · d_k · h_k · m_k
 *
 *     r_c  the hour's rate of all keys together: overall mean × weekday × hour of day × the cell's
 *          own ratio
 *     l_k  the key's part of them; a key that is new is one that was silent since the rule began
 *     d_k h_k m_k  how the key's weekday, hour of day (neighbours counted half) and hour of week
 *          differ from all keys
 *     g_k  the key's level over the last day against all this: drift
 *
 * Each factor is the posterior mean of a Gamma prior about 1 after Poisson counts, (α + seen) /
 * (α + expected): with little seen, what all keys do; with much, the key's own. Counts are
 * discounted by 0.8 whenever an hour of the week comes again (five weeks' worth of memory in all),
 * g's by half a day (Smith 1979; West and Harrison 1997, ch. 10: discounted Gamma-Poisson). What is
 * learnt of one hour is cut off at four standard deviations above the expected, or at a quarter of
 * what was seen where that is more, so that a surge hardly teaches that it is usual, and what lasts
 * is learnt within days.
 *
 * The variance is λ + λ²(κ_k + v): v the doubt about λ itself (1/α and counts behind each factor),
 * κ_k what the key's counts vary beyond Poisson, learnt from one-step-ahead residuals of whole
 * windows by the method of moments,
 *
 *     κ = Σ w [(y-λ)² - λ - vλ²] / λ²  /  Σ w,     w = λ⁴ / (V (2V+1)),   V = λ + λ²/10
 *
 * (w: about the inverse of the variance of each term), shrunk towards that of all keys by 200
 * units of w. A window with a chance below 1e-4 teaches nothing of κ, as long as such windows are
 * no more than a twentieth of the key's: surges are not what is usual, but a key that is always in
 * bursts is learnt to be so. Counts that are Poisson given a Gamma rate are negative binomial; the
 * chance of n or more is the regularized incomplete beta function I_x(n, 1/κ'), x = λ/(λ+1/κ'),
 * κ' = κ_k + v, by its continued fraction (DLMF 8.17.22). No libm: base/elementary.h. */
#ifndef HEED_FLOW_DECIDE_COURSE_H
#define HEED_FLOW_DECIDE_COURSE_H

#include "heed/base.h"

enum { HEED_HOUR_MS = 3600000, HEED_WEEK_CELLS = 168 };

/* What all keys of a rule share. Doubles are its whole state but those derived from others. */
typedef struct heed_course {
    int cells;          /* 168, 24 or 1 */
    bool young;         /* too little was seen to tell what is too much: all is learnt */
    int64_t offset_ms;  /* of the zone: local = UTC + offset */
    double decay, keep; /* of a cell and of a day's level when a step is over */
    double n[HEED_WEEK_CELLS], hours[HEED_WEEK_CELLS]; /* seen, and during how many hours */
    double spread, spread_info;
    int64_t keys;
    /* derived by heed__course_settle */
    double rate[HEED_WEEK_CELLS];                          /* of all keys, an hour */
    double doubt[HEED_WEEK_CELLS];                         /* relative variance of rate */
    double day[7], of_day[24], cell[HEED_WEEK_CELLS], all; /* expected of what was seen */
    double kappa;
} heed_course;

/* One key's; cells [course.cells] beside it. */
typedef struct heed_usual {
    double total;            /* sum of its cells */
    double recent, expected; /* of the last day: seen and expected without g */
    double spread, spread_info;
    double windows, left_out; /* looked at; taught nothing, being surges */
} heed_usual;

void heed__course_init(heed_course *c, int cells, int64_t offset_ms);
/* A step is over: an hour, of a course without hours any time; part: of an hour that it was
 * watched. Sets decay and keep, before heed__course_hour is called for each key. */
void heed__course_step(heed_course *c, double part);
/* To be called after n, hours or the spread have changed. */
void heed__course_settle(heed_course *c);
int heed__course_cell(const heed_course *c, int64_t time_ms);

/* Events expected of a key within [from,to), and the relative variance of that number beyond
 * Poisson's. */
typedef struct heed_expected {
    double mean, variation;
} heed_expected;
heed_expected heed__course_expect(const heed_course *c, const heed_usual *u, const float *cells,
                                  int64_t from_ms, int64_t to_ms);
/* The same without the day's level g. */
double heed__course_base(const heed_course *c, const heed_usual *u, const float *cells, int cell);

/* A step of a key is over: n were seen where `expected` were. Returns what of n counts; the caller
 * adds it to c->n. part: of the hour that was watched. */
double heed__course_hour(const heed_course *c, heed_usual *u, float *cells, int cell, double part,
                         double n);
/* A window of a key is over: n were seen, a number known to this variance (counted: 0). keep:
 * discount of older ones. */
typedef struct heed_counted {
    double n, variance;
} heed_counted;
void heed__course_window(heed_course *c, heed_usual *u, heed_expected e, heed_counted y,
                         double keep);

/* The chance of n or more; 1 where n is not above the mean. */
double heed__course_chance(double n, heed_expected e);
/* ln Γ(x), x > 0; relative error below 1e-13 or absolute below 1e-13. */
double heed__ln_gamma(double x);

#endif
