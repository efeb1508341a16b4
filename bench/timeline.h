/* timeline.h: made-up weeks of events with a known truth: labels with a rhythm over day and week,
 * each its own, noise beyond Poisson's, and surges planted at known times. The same settings and
 * seed give the same weeks.
 *
 * Label i has on average rate[i] events an hour; over the day a wave of 80 % around that with its
 * peak at an hour of its own (working hours for the even ones, evenings for the odd ones), on
 * Saturdays and Sundays 40 % of it (odd ones 130 %). Each hour's rate is multiplied by a Gamma
 * variable of mean 1 and variance 1/shape. Within an hour times are uniform. A surge adds extra
 * events of one label, spread evenly over its time. */
#ifndef HEED_BENCH_TIMELINE_H
#define HEED_BENCH_TIMELINE_H

#include <math.h>
#include <stdlib.h>

#include "base/elementary.h"
#include "heed/base.h"

enum { TIMELINE_LABELS = 64 };

typedef struct timeline_cfg {
    int weeks, quiet_weeks; /* quiet: the first ones have no surge */
    int labels;
    double rate[TIMELINE_LABELS];
    int shape;         /* of the noise; 0: none */
    int surges;        /* as many as fit, at most */
    int64_t offset_ms; /* of the zone: rhythm follows its clock */
    int64_t start_ms;  /* a Monday, 00:00 UTC */
    uint64_t seed;
} timeline_cfg;

typedef struct timeline_event {
    int64_t time_ms;
    int label, surge; /* surge: index, or -1 */
} timeline_event;

typedef struct timeline_surge {
    int label, size; /* 0 small, 1 middle, 2 large */
    int64_t from_ms, to_ms;
    int extra;
    double usual; /* events of that label in that time */
} timeline_surge;

typedef struct timeline {
    timeline_event *event;
    timeline_surge *surge;
    int64_t events, surges, cap;
} timeline;

static inline double timeline_uniform(heed_rng *rng) {
    return ((double)heed_rng_u32(rng) + 0.5) / 4294967296.0;
}

static inline int timeline_poisson(heed_rng *rng, double mean) {
    int n = 0;
    for (; mean > 0; mean -= 20) { /* by parts, so that the exponential is no zero */
        const double end = heed__exp(-(mean < 20 ? mean : 20));
        for (double p = timeline_uniform(rng); p > end; p *= timeline_uniform(rng)) n++;
    }
    return n;
}

static inline double timeline_rate(const timeline_cfg *c, int label, int64_t time_ms) {
    const int64_t hour = (time_ms + c->offset_ms) / 3600000;
    const int of_day = (int)(hour % 24), day = (int)((hour / 24 + 3) % 7); /* 0: Monday */
    const int peak = label % 2 ? 20 : 11 + label % 5;
    const double wave = 1 + 0.8 * heed__cos_turn(((of_day - peak + 48) % 24) / 24.0);
    return c->rate[label] * wave * (day < 5 ? 1 : label % 2 ? 1.3 : 0.4);
}

static inline void timeline_add(timeline *t, int64_t time_ms, int label, int surge) {
    if (t->events == t->cap) {
        t->cap = t->cap ? t->cap * 2 : 1024;
        t->event = (timeline_event *)realloc(t->event, (size_t)t->cap * sizeof *t->event);
    }
    t->event[t->events++] = (timeline_event){ time_ms, label, surge };
}

static inline int timeline_order(const void *a, const void *b) {
    const timeline_event *x = (const timeline_event *)a, *y = (const timeline_event *)b;
    if (x->time_ms != y->time_ms) return x->time_ms < y->time_ms ? -1 : 1;
    return x->label != y->label ? (x->label < y->label ? -1 : 1) : x->surge - y->surge;
}

/* Small: 12 events and three times the usual in half an hour; middle: 20 and five times in an hour;
 * large: 40 and eight times in two hours. A label has at most one in 16 hours. */
static inline void timeline_plant(timeline *t, const timeline_cfg *c, heed_rng *rng) {
    static const int least[] = { 12, 20, 40 }, times[] = { 3, 5, 8 }, minutes[] = { 30, 60, 120 };
    const int64_t first = c->start_ms + c->quiet_weeks * INT64_C(604800000),
                  hours = (c->weeks - c->quiet_weeks) * 168 - 3;
    t->surge = (timeline_surge *)calloc((size_t)c->surges + 1, sizeof *t->surge);
    for (int tries = 0; tries < c->surges * 20 && t->surges < c->surges; tries++) {
        const int label = (int)heed_rng_below(rng, (uint64_t)c->labels);
        const int size = (int)(t->surges % 3);
        const int64_t from = first + (int64_t)heed_rng_below(rng, (uint64_t)hours * 3600000);
        bool near = false;
        for (int64_t i = 0; i < t->surges; i++)
            near |= t->surge[i].label == label && llabs(t->surge[i].from_ms - from) < 57600000;
        if (near) continue;
        const double usual = timeline_rate(c, label, from) * minutes[size] / 60.0;
        timeline_surge *s = &t->surge[t->surges];
        *s = (timeline_surge){ label,
                               size,
                               from,
                               from + minutes[size] * 60000,
                               least[size] + (int)(times[size] * usual),
                               usual };
        for (int i = 0; i < s->extra; i++)
            timeline_add(t, from + (int64_t)heed_rng_below(rng, (uint64_t)(s->to_ms - from)), label,
                         (int)t->surges);
        t->surges++;
    }
}

static inline timeline timeline_make(const timeline_cfg *c) {
    timeline t = { .events = 0 };
    heed_rng rng = { .seed = c->seed, .stream = 1 };
    for (int64_t h = 0; h < c->weeks * 168; h++) {
        const int64_t hour = c->start_ms + h * 3600000;
        for (int label = 0; label < c->labels; label++) {
            double noise = c->shape ? 0 : 1;
            for (int i = 0; i < c->shape; i++) noise -= heed__ln(timeline_uniform(&rng)) / c->shape;
            const int n = timeline_poisson(&rng, timeline_rate(c, label, hour) * noise);
            for (int i = 0; i < n; i++)
                timeline_add(&t, hour + (int64_t)heed_rng_below(&rng, 3600000), label, -1);
        }
    }
    timeline_plant(&t, c, &rng);
    qsort(t.event, (size_t)t.events, sizeof *t.event, timeline_order);
    return t;
}

static inline void timeline_free(timeline *t) {
    free(t->event);
    free(t->surge);
}

/* -- judging --------------------------------------------------------------------------------- */

/* What alerts are worth: each is of a label at a time. */
typedef struct timeline_score {
    int alerts, right, echoes, found[3], planted[3]; /* echo: while another label has a surge */
    int64_t delay_ms[512];                           /* of each surge that was found */
    int delays;
    double weeks; /* in which surges were planted */
} timeline_score;

typedef struct timeline_judge {
    const timeline *t;
    const timeline_cfg *c;
    int64_t after_ms; /* an alert is right up to so long after a surge's end */
    bool *found;
    timeline_score score;
} timeline_judge;

static inline void timeline_judge_open(timeline_judge *j) {
    j->found = (bool *)calloc((size_t)j->t->surges + 1, 1);
    for (int64_t i = 0; i < j->t->surges; i++) j->score.planted[j->t->surge[i].size]++;
    j->score.weeks = j->c->weeks - j->c->quiet_weeks;
}

/* Alerts of the quiet weeks are not counted. */
static inline void timeline_judge_alert(timeline_judge *j, int label, int64_t time_ms) {
    if (time_ms < j->c->start_ms + j->c->quiet_weeks * INT64_C(604800000)) return;
    bool echo = false;
    j->score.alerts++;
    for (int64_t i = 0; i < j->t->surges; i++) {
        const timeline_surge *s = &j->t->surge[i];
        if (time_ms < s->from_ms || time_ms > s->to_ms + j->after_ms) continue;
        echo = true;
        if (s->label != label) continue;
        j->score.right++;
        if (!j->found[i] && j->score.delays < 512) {
            j->score.found[s->size]++;
            j->score.delay_ms[j->score.delays++] = time_ms - s->from_ms;
        }
        j->found[i] = true;
        return;
    }
    j->score.echoes += echo;
}

static inline int timeline_delay_order(const void *a, const void *b) {
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

/* Minutes from a surge's begin to its alert, at the part q of those found. */
static inline double timeline_delay(timeline_score *s, double q) {
    if (s->delays == 0) return -1;
    qsort(s->delay_ms, (size_t)s->delays, sizeof *s->delay_ms, timeline_delay_order);
    return (double)s->delay_ms[(int)(q * (s->delays - 1))] / 60000.0;
}

static inline double timeline_recall(const timeline_score *s) {
    const int planted = s->planted[0] + s->planted[1] + s->planted[2];
    return planted ? (double)(s->found[0] + s->found[1] + s->found[2]) / planted : 1;
}

static inline double timeline_precision(const timeline_score *s) {
    return s->alerts ? (double)s->right / s->alerts : 1;
}

#endif
