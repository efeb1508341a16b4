/* metrics.h: counters, gauges and histograms that any thread adds to, told in Prometheus' text
 * form.
 *
 *     heed_metrics_set *m = heed__metrics_new(NULL, &err);
 *     heed_metric *taken = heed__counter(m, "heed_events_total", "events taken",
 * "source=\"inbox\"");
 *     heed__metric_add(taken, 1);
 */
#ifndef HEED_BASE_METRICS_H
#define HEED_BASE_METRICS_H

#include "heed/base.h"

typedef struct heed_metrics_set heed_metrics_set;
typedef struct heed_metric heed_metric;

heed_metrics_set *heed__metrics_new(const heed_hooks *hooks, heed_error *err);
void heed__metrics_free(heed_metrics_set *set);
/* The metric of that name and labels ("a=\"b\",c=\"d\"", escaped; NULL: none), made at the first
 * call. Where memory is short, or set is NULL: one that takes and forgets. name, help: static. */
heed_metric *heed__counter(heed_metrics_set *set, const char *name, const char *help,
                           const char *labels);
heed_metric *heed__gauge(heed_metrics_set *set, const char *name, const char *help,
                         const char *labels);
/* In seconds; buckets from 50 µs, each twice the one before, to 26 s. */
heed_metric *heed__histogram(heed_metrics_set *set, const char *name, const char *help,
                             const char *labels);
void heed__metric_add(heed_metric *m, double value);     /* counters (not negative) and gauges */
void heed__metric_set(heed_metric *m, double value);     /* gauges */
void heed__metric_observe(heed_metric *m, double value); /* histograms */
double heed__metric_value(const heed_metric *m);         /* of a histogram: how many */
/* The value below which the part q of a histogram lies, within its bucket by linear interpolation;
 * NaN where it is empty. */
double heed__metric_quantile(const heed_metric *m, double q);
/* Text format 0.0.4; heed__free. NULL: out of memory. */
char *heed__metrics_text(heed_metrics_set *set, size_t *size);

#endif
