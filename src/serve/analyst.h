/* analyst.h: the analyses of a flow bound to models: what turns events into findings. */
#ifndef HEED_SERVE_ANALYST_H
#define HEED_SERVE_ANALYST_H

#include <jansson.h>

#include "base/metrics.h"
#include "flow/flow.h"
#include "store/store.h"

/* All models of a flow, opened; counted, so that a new set can be put in its place while requests
 * still use the old one. The flow must live as long. */
typedef struct heed_analyst heed_analyst;

/* Opens every model (each folder once, however many analyses use it). NULL and *err where one is
 * missing or bad. threads: callers at a time for whom light models are copied, and threads of a
 * heavy one. */
heed_analyst *heed_analyst_open(const heed_flow *flow, int threads, heed_metrics_set *metrics,
                                const heed_hooks *hooks, heed_error *err);
heed_analyst *heed_analyst_hold(heed_analyst *a); /* one more user */
/* Closed with the last, which must not be done from a batch's answer: its thread cannot end
 * itself. */
void heed_analyst_drop(heed_analyst *a);
int64_t heed_analyst_users(heed_analyst *a);

/* What was found in n events: findings of event i are finding[start[i] .. start[i+1]). Labels and
 * names are the analyst's, the rest is `memory`'s. */
typedef struct heed_found {
    const heed_finding *finding;
    const int64_t *start; /* [n+1] */
    const float *vector;  /* [n,dim]; NULL: no analysis gives vectors */
    int64_t dim;
    void *memory;
} heed_found;
/* Findings depend on the texts alone, not on who stands beside them (novelty: on those before, so
 * that this has one caller at a time, who gives the events in the log's order). 0 or a status. */
int heed_analyst_run(heed_analyst *a, const heed_entry *entry, int64_t n, heed_found *found,
                     heed_error *err);
void heed_found_free(heed_found *found);
/* After a restart: events that were analysed earlier, in order, so that novelty knows of them. How
 * far back it wants them: heed_analyst_memory entries. */
int heed_analyst_recall(heed_analyst *a, const heed_entry *entry, int64_t n, heed_error *err);
int64_t heed_analyst_memory(const heed_analyst *a);
/* Whether two remember the same of the same events: then their memories may change places, where
 * neither is at work. */
bool heed_analyst_alike(const heed_analyst *a, const heed_analyst *b);
void heed_analyst_swap_memory(heed_analyst *a, heed_analyst *b);

/* The text of an event as analyses read it: title and text; heed__free. NULL: out of memory. */
char *heed_analyst_text(const heed_analyst *a, const heed_entry *entry);

/* One text by one analysis (NULL: the first of that kind), for the HTTP interface; the shapes are
 * those of docs/http.md. New reference; NULL and *err (HEED_ENOTFOUND: no such analysis). Any
 * thread; waits for a free copy. */
json_t *heed_analyst_classify(heed_analyst *a, const char *analysis, const char *text,
                              heed_error *err);
json_t *heed_analyst_tag(heed_analyst *a, const char *analysis, const char *text, heed_error *err);
json_t *heed_analyst_explain(heed_analyst *a, const char *analysis, const char *text,
                             heed_error *err);
/* [n,*dim] of length 1, heed__free; NULL and *err. */
float *heed_analyst_embed(heed_analyst *a, const char *analysis, int64_t n, const char *const *text,
                          int64_t *dim, heed_error *err);
json_t *heed_analyst_models(heed_analyst *a); /* [{"id","task","labels","parameters","sha",...}] */
/* All labels of an analysis, types of a tagger's; empty where it has none or there is no such. */
json_t *heed_analyst_labels(heed_analyst *a, const char *analysis);
json_t *heed_analyst_shas(heed_analyst *a); /* {id: sha} */

/* Texts by one analysis, answered when a batch with others' is: done is called once, from another
 * thread or, where the model is a light one, from this one before the call returns. The caller's
 * texts must live until then. */
typedef struct heed_asked {
    const char *analysis;    /* NULL: the first of that kind */
    const char *const *text; /* [n] */
    int64_t n, most;         /* labels told of each text */
    bool labels;             /* those alone: [{"label","score"}...] */
    bool vectors;            /* of an embedding instead of labels */
    /* answer: JSON of heed_analyst_classify's shape [n], or vector [n,dim]; NULL and err on
     * failure. Both are gone after the call. */
    void (*done)(struct heed_asked *asked, const char *const *answer, const float *vector,
                 int64_t dim, const heed_error *err);
    void *user;
    void *own; /* the analyst's */
} heed_asked;
/* 0: done was or will be called. HEED_ENOTFOUND: no such analysis. HEED_ENOMEM. HEED_EIO: too many
 * wait already. */
int heed_analyst_ask(heed_analyst *a, heed_asked *asked, heed_error *err);
/* Whether heed_analyst_ask answers in the caller's thread. */
bool heed_analyst_is_light(heed_analyst *a, const char *analysis, bool vectors);

#endif
