/* route.h: what answers requests: a handler for each line of the table in routes.c. */
#ifndef HEED_SERVE_ROUTE_H
#define HEED_SERVE_ROUTE_H

#include "http/http.h"
#include "serve/server.h"

#define HEED_SEQ_MOST INT64_C(9007199254740991) /* 2^53 - 1: what every client's numbers can hold */

extern const heed_route heed__routes[];
extern const int heed__routes_len;

/* -- what handlers share (route.c) ------------------------------------------------------------ */

/* The setup in force, to be dropped; NULL: not ready, and 503 is the answer. */
heed_setup *heed__route_setup(heed_server *s, heed_request *rq);
/* False: not ready, and 503 is the answer. */
bool heed__route_ready(heed_server *s, heed_request *rq);
/* The body, an object, the caller's; NULL, and a problem is the answer. */
json_t *heed__route_object(heed_request *rq);
/* Members of a body. Of another type: false, and a problem is the answer; absent: true, and *to
 * stays. Texts are the body's. */
bool heed__member_text(heed_request *rq, const json_t *body, const char *name, const char **to);
bool heed__member_int(heed_request *rq, const json_t *body, const char *name, int64_t low,
                      int64_t high, int64_t *to);
int64_t heed__letters(const char *text); /* code points */
/* A tree or, where it is NULL, the problem of err. */
void heed__route_reply(heed_request *rq, json_t *tree, const heed_error *err);
/* The number in {name}; false where it is none, and 404 is the answer. */
bool heed__route_number(heed_request *rq, const char *name, int64_t *value);
/* A moment of the query (RFC 3339 or ms since 1970), or `otherwise`; false: a problem is the
 * answer. */
bool heed__route_time(heed_request *rq, const char *name, int64_t otherwise, int64_t *ms);
/* An entry of the log that a person made; waits until it is decided about. Returns its seq, or 0
 * after having answered. `body` is taken. */
int64_t heed__route_enter(heed_server *s, heed_request *rq, heed_entry_kind kind, json_t *body);

typedef void(heed_route_fn)(void *server, heed_request *rq);

heed_route_fn heed__route_health, heed__route_readiness, heed__route_metrics, heed__route_system,
    heed__route_flow, heed__route_reload, heed__route_stream;
heed_route_fn heed__route_classify, heed__route_tag, heed__route_explain, heed__route_embeddings,
    heed__route_embed, heed__route_predict, heed__route_models, heed__route_model;
heed_route_fn heed__route_push, heed__route_events, heed__route_event, heed__route_similar,
    heed__route_story, heed__route_search;
heed_route_fn heed__route_alerts, heed__route_alert, heed__route_alert_do, heed__route_why,
    heed__route_feedback, heed__route_undo, heed__route_split, heed__route_monitor,
    heed__route_retrained;
heed_route_fn heed__route_page;
heed_route_fn heed__route_chat; /* route_chat.c */

#endif
