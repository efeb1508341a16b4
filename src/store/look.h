/* look.h: questions to the store, answered as JSON trees in the shapes of the HTTP interface. Each
 * gives a new reference, the caller's, or NULL with *err. All may be called from any thread and do
 * not wait for writers. */
#ifndef HEED_STORE_LOOK_H
#define HEED_STORE_LOOK_H

#include <jansson.h>

#include "store/store.h"

/* Which events; zeros and NULLs do not restrict. */
typedef struct heed_look {
    const char *text; /* words to be found; CJK by bigrams; "quoted" for a phrase */
    const char *source, *user, *session;
    const char *analysis, *label; /* label given by that analysis */
    int64_t story;
    int64_t from_ms, to_ms; /* [from, to) by the flow's clock */
    int64_t before;         /* seq: only older ones */
    int64_t most;           /* (50), at most 1000 */
    bool by_rank;           /* what deserves attention first; else newest first (search: bm25) */
    bool heads;             /* one event of each story: its first */
} heed_look;

/* {"events":[EVENT...],"next":seq or null}. EVENT: {"seq","id","source","time","happened","user",
 * "session","title","text","url","fields":{...},"findings":[{"name","label","confidence",
 * "abstained","detail"...}],"story":{"id","size"},"rank","vote","corrected":{analysis:label}};
 * times are RFC 3339 with ms, UTC. */
json_t *heed_look_events(heed_store *store, const heed_look *look, heed_error *err);
json_t *heed_look_event(heed_store *store, int64_t seq, heed_error *err); /* HEED_ENOTFOUND */

/* {"hits":[{"score","bm25","cosine","snippet":[{"text","hit":bool}...],"event":EVENT}...]}:
 * words by
 * BM25 and, where vector [dim] is given, its nearest among the stored by cosine, joined by
 * reciprocal ranks (Cormack et al. 2009, k = 60). */
json_t *heed_look_search(heed_store *store, const heed_look *look, const float *vector, int64_t dim,
                         heed_error *err);
/* Events nearest to that of seq by its vector. Shape of heed_look_search. */
json_t *heed_look_similar(heed_store *store, int64_t seq, int64_t most, heed_error *err);

/* {"alerts":[{"id","rule","grade","state","key":{...},"title","opened","time","why":{...}}...]};
 * state NULL: all; the newest first. */
json_t *heed_look_alerts(heed_store *store, const char *state, int64_t before, int64_t most,
                         heed_error *err);
json_t *heed_look_alert(heed_store *store, int64_t id, heed_error *err);

/* Counts for charts: {"step_ms","from","to","series":[{"key":{by[0]:...},"count":[...]}...]}:
 * events
 * a step by the labels of up to three analyses, the `most` largest series. */
json_t *heed_look_counts(heed_store *store, const heed_look *look, const char *const *by, int n,
                         int64_t step_ms, heed_error *err);
/* {"story":id,"events":[...]} in order: who said it first, who repeated it. */
json_t *heed_look_story(heed_store *store, int64_t id, heed_error *err);
/* Corrections and votes as training data: calls fn(user, text, label). How many, or a status. */
typedef bool (*heed_example_fn)(void *user, const char *text, const char *label);
int64_t heed_look_feedback(heed_store *store, const char *analysis, heed_example_fn fn, void *user,
                           heed_error *err);
/* {"events","alerts","messages":{"waiting","dead"},"size","free","journal","decided","last"} */
json_t *heed_look_state(heed_store *store, heed_error *err);
/* A person's SQL, which can only read: {"columns":[...],"rows":[[...]...],"cut":bool}. */
json_t *heed_look_sql(heed_store *store, const char *sql, int64_t most, heed_error *err);

#endif
