/* decide.c: the decider's entrance: one entry in, what follows from it out. */
#include "flow/decide.h"

#include <string.h>

#include "base/alloc.h"

struct heed_decider {
    heed_hooks hooks;
    const heed_flow *flow;
};

heed_decider *heed_decider_new(const heed_flow *flow, const heed_hooks *hooks, heed_error *err) {
    heed_decider *d = heed__calloc(hooks, 1, sizeof *d);
    if (!d) {
        heed__error(err, HEED_ENOMEM, "the decider's memory does not fit");
        return NULL;
    }
    if (hooks) d->hooks = *hooks;
    d->flow = flow;
    return d;
}

void heed_decider_free(heed_decider *d) {
    if (!d) return;
    const heed_hooks hooks = d->hooks;
    heed__free(&hooks, d);
}

int heed_decider_step(heed_decider *d, const heed_seen *seen, heed_decisions *out,
                      heed_error *err) {
    (void)d, (void)err;
    memset(out, 0, sizeof *out);
    out->gates = "{}";
    if (seen->entry->kind == HEED_ENTRY_EVENT) out->rank = 0.5, out->story = seen->entry->seq;
    return 0;
}

int heed_decider_save(const heed_decider *d, char **data, size_t *size, heed_error *err) {
    *size = 8;
    *data = heed__calloc(&d->hooks, 1, *size);
    return *data ? 0 : heed__error(err, HEED_ENOMEM, "the decider's state does not fit in memory");
}

int heed_decider_load(heed_decider *d, const char *data, size_t size, heed_error *err) {
    (void)d, (void)data;
    return size == 8 ? 0 : heed__error(err, HEED_EFORMAT, "the decider's state is not ours");
}

json_t *heed_decider_why(const heed_decider *d, const heed_seen *seen, const char *gates,
                         const char *rule, heed_error *err) {
    (void)d, (void)gates, (void)rule;
    json_t *why = json_pack("{s:I,s:[]}", "seq", (json_int_t)seen->entry->seq, "rules");
    if (!why) heed__error(err, HEED_ENOMEM, "the answer does not fit in memory");
    return why;
}
