/* schedule.c: learning rates over time. */
#include "heed/train.h"

#include <math.h>

#include "base/elementary.h"

/* How far step is between the end of the warm-up and the total, 0 to 1. */
static double progress(const heed_schedule *s, int64_t step) {
    const int64_t begin = s->warmup > 0 ? s->warmup : 0;
    if (step <= begin && s->total > begin) return 0;
    if (step >= s->total) return 1;
    return (double)(step - begin) / (double)(s->total - begin);
}

double heed_schedule_at(const heed_schedule *s, int64_t step) {
    if (!s) return 1;
    if (s->kind == HEED_INV_SQRT) {
        const double warmup = s->warmup > 1 ? (double)s->warmup : 1, now = (double)step + 1;
        return now < warmup ? now / warmup : sqrt(warmup / now);
    }
    if (step < s->warmup) return ((double)step + 1) / (double)s->warmup;
    const double span = 1 - (double)s->least;
    if (s->kind == HEED_LINEAR) return 1 - span * progress(s, step);
    if (s->kind == HEED_COSINE) {
        double sine, cosine;
        heed__sin_cos(3.14159265358979323846 * progress(s, step), &sine, &cosine);
        return (double)s->least + span * 0.5 * (1 + cosine);
    }
    return 1;
}
