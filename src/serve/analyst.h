/* analyst.h: the analyses of a flow bound to models: what turns events into findings. */
#ifndef HEED_SERVE_ANALYST_H
#define HEED_SERVE_ANALYST_H

#include <jansson.h>

#include "base/metrics.h"
#include "flow/flow.h"
#include "store/store.h"

/* All models of a flow, opened; counted, so that a new set can be put in its place while requests
 * still use the old one. */
typedef struct heed_analyst heed_analyst;

/* Opens every model (each folder once, however many analyses use it). NULL and *err where one is
 * missing or bad. threads: copies of each, so many calls at a time. */
heed_analyst *heed_analyst_open(const heed_flow *flow, int threads, heed_metrics_set *metrics,
                                const heed_hooks *hooks, heed_error *err);
heed_analyst *heed_analyst_hold(heed_analyst *a); /* one more user */
void heed_analyst_drop(heed_analyst *a);          /* closed with the last */

/* What was found in n events: findings of event i are finding[start[i] .. start[i+1]). */
typedef struct heed_found {
    const heed_finding *finding;
    const int64_t *start; /* [n+1] */
    const float *vector;  /* [n,dim]; NULL: no analysis gives vectors */
    int64_t dim;
    void *memory;
} heed_found;
/* Findings depend on the texts alone, not on who stands beside them (novelty: on those before). One
 * thread: 0 to threads-1, whose copy is used. 0 or a status. */
int heed_analyst_run(heed_analyst *a, int thread, const heed_entry *entry, int64_t n,
                     heed_found *found, heed_error *err);
void heed_found_free(heed_found *found);

/* One text by one analysis (NULL: the first of that kind), for the HTTP interface; the shapes are
 * those of docs/http.md. New reference; NULL and *err. Any thread; waits for a free copy or, where
 * the model is a heavy one, for a batch with others (flow's max_wait_ms, max_batch). */
json_t *heed_analyst_classify(heed_analyst *a, const char *analysis, const char *text,
                              heed_error *err);
json_t *heed_analyst_tag(heed_analyst *a, const char *analysis, const char *text, heed_error *err);
json_t *heed_analyst_explain(heed_analyst *a, const char *analysis, const char *text,
                             heed_error *err);
int heed_analyst_embed(heed_analyst *a, const char *analysis, int64_t n, const char *const *text,
                       float **vector, int64_t *dim, heed_error *err);
json_t *heed_analyst_models(heed_analyst *a); /* [{"id","task","labels","parameters","sha",...}] */

#endif
