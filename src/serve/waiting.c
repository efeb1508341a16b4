/* waiting.c: stands for what is built beside this and is not there yet, each until its own comes:
 * every function here is weak and says so. */
#include "base/alloc.h"
#include "serve/route.h"

#define WEAK __attribute__((weak))

WEAK heed_source *heed_source_start(const heed_source_cfg *cfg, const heed_intake *intake,
                                    heed_store *store, heed_metrics_set *metrics,
                                    const heed_hooks *hooks, heed_error *err) {
    (void)cfg;
    (void)intake;
    (void)store;
    (void)metrics;
    (void)hooks;
    heed__error(err, HEED_EUNSUPPORTED, "this source is not there yet");
    return NULL;
}

WEAK struct json_t *heed_source_state(const heed_source *s) {
    (void)s;
    return json_object();
}

WEAK void heed_source_stop(heed_source *s) {
    (void)s;
}

WEAK void heed__route_chat(void *server, heed_request *rq) {
    (void)server;
    heed_reply_problem(rq, 501, "the desk is not there yet");
}
