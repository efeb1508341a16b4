/* redecide.c: the log decided about once more, and committed. */
#include "serve/redecide.h"

#include "base/alloc.h"
#include "base/log.h"
#include "serve/outcome.h"
#include "serve/pipeline_impl.h"
#include "serve/reign.h"

typedef struct redeciding {
    heed_store *store;
    heed_reigns reigns;
    heed_arena arena;
    heed_outcome o;
    int64_t steps;
    heed_error *err;
    int rc;
} redeciding;

static int begin(redeciding *r) {
    heed__arena_reset(&r->arena);
    r->o = (heed_outcome){ .arena = &r->arena };
    r->o.decided = heed__arena_alloc(&r->arena, PIPELINE_BATCH * sizeof *r->o.decided);
    r->steps = 0;
    return r->o.decided ? 0 : heed__error(r->err, HEED_ENOMEM, "decisions: out of memory");
}

static int commit(redeciding *r) {
    heed_commit *c = &r->o.commit;
    c->decided = r->o.decided;
    c->alert = r->o.alert;
    c->moved = r->o.moved;
    const int rc = r->steps ? heed_store_commit(r->store, c, r->err) : 0;
    return rc ? rc : begin(r);
}

/* Gates, rank and story of an event, where these rules were in force; its findings stay as they
 * are. Alerts that were opened then go their way to the end, as these rules remember them; others'
 * stay. */
static bool each(void *user, const heed_entry *e, const heed_decided *then,
                 const heed_decisions *now) {
    static const heed_entry none = { .kind = HEED_ENTRY_FORGOTTEN };
    redeciding *r = user;
    (void)then;
    const bool ours = heed__reigns_ours(&r->reigns, e->seq, NULL);
    const heed_seen seen = { .entry = ours ? e : &none };
    heed_decisions own = *now;
    own.messages = 0;
    if (!ours) own.moves = 0;
    const int64_t before = r->o.commit.alerts;
    if (!heed__outcome_keep(&r->o, &seen, &own))
        r->rc = heed__error(r->err, HEED_ENOMEM, "decisions: out of memory");
    int64_t kept = before;
    for (int64_t i = before; i < r->o.commit.alerts; i++)
        if (heed__reigns_had(&r->reigns, r->o.alert[i].id / 100))
            r->o.alert[kept++] = r->o.alert[i];
    r->o.commit.alerts = kept;
    r->o.commit.upto = e->seq;
    if (r->rc == 0 && ++r->steps == PIPELINE_BATCH) r->rc = commit(r);
    return r->rc == 0;
}

static int drop_alerts(redeciding *r) {
    int rc = 0;
    const heed_reigns *all = &r->reigns;
    for (int64_t i = 0; rc == 0 && i < all->len; i++)
        if (all->at[i].ours)
            rc = heed_store_drop_alerts(r->store, all->at[i].from,
                                        i + 1 < all->len ? all->at[i + 1].from : INT64_MAX, r->err);
    return rc;
}

/* What the rules remember now, so that nobody has to go over the log again. */
static int save(redeciding *r, heed_decider *d) {
    char *state = NULL;
    size_t size = 0;
    int rc = heed_decider_save(d, &state, &size, r->err);
    const heed_commit c = { .upto = heed_store_decided(r->store),
                            .state = state,
                            .state_size = size };
    if (rc == 0) rc = heed_store_commit(r->store, &c, r->err);
    heed__free(r->reigns.hooks, state);
    return rc;
}

static int decide(redeciding *r, const heed_flow *flow, const heed_hooks *hooks) {
    heed_decider *d = heed_decider_new(flow, hooks, r->err);
    int rc = d ? begin(r) : r->err->code;
    if (rc == 0) rc = drop_alerts(r);
    if (rc == 0) rc = heed__decider_replay(r->store, d, 0, each, r, r->err);
    if (rc == 0) rc = r->rc;
    if (rc == 0) rc = commit(r);
    if (rc == 0) rc = save(r, d);
    heed_decider_free(d);
    return rc ? rc : heed_store_set(r->store, "redecide", NULL, r->err);
}

int heed__redecide(heed_store *store, const heed_flow *flow, const heed_hooks *hooks,
                   heed_error *err) {
    char *due = heed_store_get(store, "redecide", err);
    if (!due) return err->code;
    heed__free(hooks, due);
    redeciding r = { .store = store, .err = err };
    heed__arena_init(&r.arena, hooks);
    int rc = heed__reigns_read(&r.reigns, store, flow, hooks, err);
    if (rc == 0) rc = decide(&r, flow, hooks);
    heed__reigns_free(&r.reigns);
    heed__arena_free(&r.arena);
    if (rc == 0) heed__log(hooks, HEED_LOG_INFO, "what was not forgotten is decided about anew");
    return rc;
}
