/* decide_course.c: see decide_course.h, where the formulas stand. */
#include "flow/decide_course.h"

#include <math.h>
#include <string.h>

#include "base/elementary.h"

/* Prior strengths: how many counts' worth of belief there is that a factor is 1. */
static const double day_prior = 4, hour_prior = 2, cell_prior = 8; /* of all keys */
static const double key_day_prior = 20, key_hour_prior = 20, key_cell_prior = 30;
static const double level_prior = 0.5, recent_prior = 8;
static const double spread_first = 0.1, spread_prior = 100, key_spread_prior = 200;
static const double least_spread = 0.005, most_spread = 4;
static const double outlier = 1e-4, most_left_out = 0.05;
static const double week_decay = 0.22314355131420976;  /* -ln 0.8 */
static const double hour_decay = 0.057762265046662105; /* ln 2 / 12: half after 12 h */

void heed__course_init(heed_course *c, int cells, int64_t offset_ms) {
    memset(c, 0, sizeof *c);
    c->cells = cells;
    c->offset_ms = offset_ms;
    heed__course_settle(c);
}

void heed__course_step(heed_course *c, double part) {
    c->decay = heed__exp(-week_decay * (c->cells == 1 ? part : 1) * c->cells / 168);
    c->keep = heed__exp(-hour_decay * part);
}

int heed__course_cell(const heed_course *c, int64_t time_ms) {
    int64_t hour = (time_ms + c->offset_ms) / HEED_HOUR_MS; /* 1970-01-01 was a Thursday */
    if (c->cells == 1) return 0;
    hour = (hour + (c->cells == 168 ? 72 : 0)) % c->cells;
    return (int)(hour < 0 ? hour + c->cells : hour);
}

static double clamp(double x, double least, double most) {
    return x < least ? least : x > most ? most : x;
}

/* What all keys vary beyond Poisson. */
static double pooled(const heed_course *c) {
    const double k = (c->spread + spread_prior * spread_first) / (c->spread_info + spread_prior);
    return clamp(k, least_spread, most_spread);
}

void heed__course_settle(heed_course *c) {
    double n = 0, hours = 0, day_n[7] = { 0 }, day_hours[7] = { 0 }, hour_n[24] = { 0 },
           hour_expected[24] = { 0 }, weekday[7];
    for (int i = 0; i < c->cells; i++) {
        n += c->n[i], hours += c->hours[i];
        day_n[i / 24] += c->n[i], day_hours[i / 24] += c->hours[i];
        hour_n[i % 24] += c->n[i];
    }
    const double mean = (n + level_prior) / (hours + 1);
    c->kappa = pooled(c);
    for (int d = 0; d < 7; d++)
        weekday[d] = (day_prior + day_n[d]) / (day_prior + mean * day_hours[d]);
    for (int i = 0; i < c->cells; i++)
        hour_expected[i % 24] += mean * weekday[i / 24] * c->hours[i];
    c->all = 0;
    memset(c->day, 0, sizeof c->day);
    memset(c->of_day, 0, sizeof c->of_day);
    for (int i = 0; i < c->cells; i++) {
        const int d = i / 24, h = i % 24;
        double r = mean;
        if (c->cells > 1) {
            r *= weekday[d] * (hour_prior + hour_n[h]) / (hour_prior + hour_expected[h]);
            const double worth = 1 / (1 + c->kappa * r); /* of a count: hours vary by themselves */
            r *= (cell_prior + worth * c->n[i]) / (cell_prior + worth * r * c->hours[i]);
        }
        c->rate[i] = r;
        c->doubt[i] = 1 / (level_prior + n);
        if (c->cells > 1) c->doubt[i] += 1 / (hour_prior + hour_n[h]);
        if (c->cells == 168) c->doubt[i] += 1 / (day_prior + day_n[d]);
        c->cell[i] = r * c->hours[i];
        c->day[d] += c->cell[i], c->of_day[h] += c->cell[i], c->all += c->cell[i];
    }
}

double heed__course_base(const heed_course *c, const heed_usual *u, const float *cells, int cell) {
    const double level = (level_prior + u->total) / (level_prior * (double)(c->keys + 1) + c->all);
    double r = level * c->rate[cell];
    if (c->cells == 1) return r;
    const double worth = 1 / (1 + c->kappa * r);
    const int d = cell / 24, h = cell % 24, before = (h + 23) % 24, after = (h + 1) % 24;
    double day = 0, hour = 0;
    if (c->cells == 168) {
        for (int i = 0; i < 24; i++) day += (double)cells[d * 24 + i];
        r *= (key_day_prior + worth * day) / (key_day_prior + worth * level * c->day[d]);
    }
    for (int i = 0; i < c->cells; i += 24)
        hour += (double)cells[i + h] + 0.5 * ((double)cells[i + before] + (double)cells[i + after]);
    const double of_day = c->of_day[h] + 0.5 * (c->of_day[before] + c->of_day[after]);
    r *= (key_hour_prior + worth * hour) / (key_hour_prior + worth * level * of_day);
    return r * (key_cell_prior + worth * (double)cells[cell]) /
           (key_cell_prior + worth * r * c->hours[cell]);
}

heed_expected heed__course_expect(const heed_course *c, const heed_usual *u, const float *cells,
                                  int64_t from_ms, int64_t to_ms) {
    double mean = 0, doubt = 0;
    while (from_ms < to_ms) {
        const int64_t next = ((from_ms + c->offset_ms) / HEED_HOUR_MS + 1) * HEED_HOUR_MS -
                             c->offset_ms;
        const int64_t to = next < to_ms ? next : to_ms;
        const int cell = heed__course_cell(c, from_ms);
        const double part = heed__course_base(c, u, cells, cell) * (double)(to - from_ms) /
                            (double)HEED_HOUR_MS;
        mean += part;
        doubt += part * c->doubt[cell];
        from_ms = to;
    }
    heed_expected e = { .mean = mean * (recent_prior + u->recent) / (recent_prior + u->expected) };
    const double own = (u->spread + key_spread_prior * c->kappa) /
                       (u->spread_info + key_spread_prior);
    e.variation = clamp(own, least_spread, most_spread) + 1 / (level_prior + u->total);
    if (mean > 0) e.variation += doubt / mean;
    return e;
}

/* What is learnt of n where e was expected. */
static double learnt(double n, heed_expected e) {
    const double most = e.mean + 4 * sqrt(e.mean + e.variation * e.mean * e.mean) + 2;
    return n <= most ? n : n / 4 > most ? n / 4 : most;
}

double heed__course_hour(const heed_course *c, heed_usual *u, float *cells, int cell, double part,
                         double n) {
    const double base = heed__course_base(c, u, cells, cell) * part;
    const double level = (recent_prior + u->recent) / (recent_prior + u->expected);
    const double own = (u->spread + key_spread_prior * c->kappa) /
                       (u->spread_info + key_spread_prior);
    heed_expected e = { base * level, clamp(own, least_spread, most_spread) + c->doubt[cell] +
                                          1 / (level_prior + u->total) };
    const double counts = c->young ? n : learnt(n, e), was = (double)cells[cell];
    cells[cell] = (float)(was * c->decay + counts);
    u->total += (double)cells[cell] - was;
    if (u->total < 0) u->total = 0;
    u->recent = u->recent * c->keep + counts;
    u->expected = u->expected * c->keep + base;
    return counts;
}

void heed__course_window(heed_course *c, heed_usual *u, heed_expected e, heed_counted counted,
                         double keep) {
    const double n = counted.n;
    u->spread *= keep, u->spread_info *= keep;
    u->windows *= keep, u->left_out *= keep;
    if (e.mean < 0.01) return;
    u->windows += 1;
    if (n > e.mean + 3 * sqrt(e.mean + e.variation * e.mean * e.mean) &&
        u->left_out < 1 + most_left_out * u->windows && heed__course_chance(n, e) < outlier) {
        u->left_out += 1;
        return;
    }
    const double own = (u->spread + key_spread_prior * c->kappa) /
                       (u->spread_info + key_spread_prior);
    const double doubt = e.variation - clamp(own, least_spread, most_spread);
    const double y = learnt(n, e), m = e.mean, off = y - m;
    const double usual = m + spread_first * m * m;
    const double info = m * m * m * m / (usual * (2 * usual + 1));
    const double seen = (off * off + counted.variance - m - doubt * m * m) / (m * m) * info;
    u->spread += seen, u->spread_info += info;
    c->spread += seen, c->spread_info += info;
}

double heed__ln_gamma(double x) {
    double shift = 1;
    for (; x < 12; x += 1) shift *= x;
    const double z = 1 / (x * x);
    const double series =
        (((((-691.0 / 360360 * z + 1.0 / 1188) * z - 1.0 / 1680) * z + 1.0 / 1260) * z -
          1.0 / 360) *
             z +
         1.0 / 12) /
        x;
    return (x - 0.5) * heed__ln(x) - x + 0.91893853320467274178 + series - heed__ln(shift);
}

/* The continued fraction of I_x(a,b), x < (a+1)/(a+b+2), by Lentz's method. */
static double beta_fraction(double a, double b, double x) {
    const double tiny = 1e-300;
    double c = 1, d = 1 - (a + b) * x / (a + 1);
    d = 1 / (fabs(d) < tiny ? tiny : d);
    double f = d;
    for (int m = 1; m <= 300; m++) {
        const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        const double terms[2] = { even, odd };
        double step = 1;
        for (int i = 0; i < 2; i++) {
            d = 1 + terms[i] * d;
            c = 1 + terms[i] / c;
            d = 1 / (fabs(d) < tiny ? tiny : d);
            c = fabs(c) < tiny ? tiny : c;
            step = c * d;
            f *= step;
        }
        if (fabs(step - 1) < 1e-10) break;
    }
    return f;
}

double heed__course_chance(double n, heed_expected e) {
    if (!(n > e.mean) || n <= 0) return 1;
    if (e.mean <= 0) return 0;
    const double r = 1 / (e.variation > least_spread ? e.variation : least_spread);
    const double x = e.mean / (e.mean + r);
    const double front = n * heed__ln(x) + r * heed__ln(r / (e.mean + r)) + heed__ln_gamma(n + r) -
                         heed__ln_gamma(n) - heed__ln_gamma(r);
    const double p = heed__exp(front) / n * beta_fraction(n, r, x);
    return clamp(p, 0, 1);
}
