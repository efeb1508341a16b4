/* Memory runs out everywhere once: in the store's own allocations, SQLite's and jansson's. Each run
 * succeeds or says so, gives back what it took, and leaves a store that is sound. HEED_OOM_ALL:
 * each single allocation, instead of the first ones and steps that grow. */
#include "cmocka_all.h"

#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "store_tools.h"

static _Atomic int64_t calls, fail_at = INT64_MAX, live;
static bool on_and_on, failed, spared, spare_json;

static bool refuse(void) {
    if (spared) return false;
    const int64_t n = atomic_fetch_add(&calls, 1) + 1;
    const bool no = n == fail_at || (on_and_on && n > fail_at);
    failed |= no;
    return no;
}

static void *take(size_t size) {
    void *memory = refuse() ? NULL : malloc(size);
    if (memory) atomic_fetch_add(&live, 1);
    return memory;
}

static void *take_json(size_t size) {
    const bool before = spared;
    spared |= spare_json;
    void *memory = take(size);
    spared = before;
    return memory;
}

static void give(void *memory) {
    if (memory) atomic_fetch_sub(&live, 1);
    free(memory);
}

/* -- SQLite's, which wants sizes back; hooks; jansson's ---------------------------------------- */

static void *sql_malloc(int size) {
    int64_t *memory = refuse() ? NULL : malloc((size_t)size + 8);
    if (!memory) return NULL;
    *memory = size;
    return memory + 1;
}

static void sql_free(void *memory) {
    if (memory) free((int64_t *)memory - 1);
}

static void *sql_realloc(void *memory, int size) {
    if (refuse()) return NULL;
    int64_t *grown = realloc((int64_t *)memory - 1, (size_t)size + 8);
    if (!grown) return NULL;
    *grown = size;
    return grown + 1;
}

static int sql_size(void *memory) {
    return memory ? (int)((int64_t *)memory)[-1] : 0;
}

static int sql_round(int size) {
    return (size + 7) & ~7;
}

static int sql_init(void *data) {
    (void)data;
    return SQLITE_OK;
}

static void sql_shutdown(void *data) {
    (void)data;
}

static void *hook_alloc(void *user, size_t size) {
    (void)user;
    return take(size);
}

static void hook_release(void *user, void *memory) {
    (void)user;
    give(memory);
}

static const heed_hooks hooks = { .alloc = hook_alloc, .release = hook_release };

/* -- what is done ----------------------------------------------------------------------------- */

/* jansson 2.14 goes on with a cut text where memory runs out while it reads one. */
static int say(heed_store *s, const char *body, heed_error *err) {
    heed_entry e = { .kind = HEED_ENTRY_FEEDBACK, .body = body };
    spared = true;
    const int status = heed_store_append(s, &e, 1, 3, err);
    spared = false;
    return status;
}

static int fill(heed_store *s, heed_error *err) {
    heed_entry e[] = {
        { .source = "s",
          .id = "1",
          .user = "u",
          .session = "t",
          .text = "the first event 中国银行" },
        { .source = "s", .id = "2", .user = "w", .text = "a second", .title = "title" },
        { .source = "s", .id = "1", .text = "again" },
    };
    int status = heed_store_append(s, e, 3, 1000, err);
    if (status) return status;
    const heed_finding f = { .name = "kind", .label = "x", .confidence = 1 };
    const float v[] = { 1, 2, 3 };
    const heed_decided d[] = {
        { .seq = 1, .finding = &f, .findings = 1, .vector = v, .dim = 3, .story = 1 },
        { .seq = 2, .vector = v, .dim = 3, .story = 1 }
    };
    const heed_alert a = {
        .id = 100, .seq = 1, .rule = "r", .grade = "info", .state = "open", .title = "T"
    };
    const heed_message m = { .sink = "h", .key = "k", .type = "alert", .body = "{}" };
    const heed_commit c = { .upto = 2,
                            .decided = d,
                            .decided_len = 2,
                            .alert = &a,
                            .alerts = 1,
                            .message = &m,
                            .messages = 1,
                            .state = "S",
                            .state_size = 1 };
    status = heed_store_commit(s, &c, err);
    if (!status) status = say(s, "{\"seq\":1,\"vote\":\"up\"}", err);
    return status ? status : heed_store_set(s, "name", "value", err);
}

static int took(json_t *tree, heed_error *err) {
    if (!tree) return err->code;
    json_decref(tree);
    return 0;
}

static int look(heed_store *s, heed_error *err) {
    const heed_look words = { .text = "first 中国", .source = "s" };
    const char *by[] = { "kind", "source" };
    int status = took(heed_look_events(s, &words, err), err);
    if (!status) status = took(heed_look_event(s, 1, err), err);
    if (!status) status = took(heed_look_counts(s, &(heed_look){ 0 }, by, 2, 60000000, err), err);
    const heed_look slots = { .from_ms = 60000, .to_ms = 120000060000 };
    if (!status) status = took(heed_look_counts(s, &slots, by, 2, 60000000, err), err);
    if (!status) status = took(heed_look_alerts(s, NULL, 0, 0, err), err);
    if (!status) status = took(heed_look_alert(s, 100, err), err);
    if (!status) status = took(heed_look_story(s, 1, err), err);
    if (!status) status = took(heed_look_state(s, err), err);
    return status ? status : took(heed_look_sql(s, "SELECT seq, text FROM entry", 9, err), err);
}

/* Snippets are JSON that is read. */
static int search(heed_store *s, heed_error *err) {
    const float v[] = { 3, 2, 1 };
    const heed_look words = { .text = "first 中国", .source = "s" };
    spare_json = true;
    int status = took(heed_look_search(s, &words, v, 3, err), err);
    if (!status) status = took(heed_look_similar(s, 1, 5, err), err);
    spare_json = false;
    return status;
}

static int upkeep(heed_store *s, heed_error *err) {
    heed_message *due = NULL;
    int64_t n = heed_store_due(s, "h", 1, 9, &due, err);
    heed__free(&hooks, due);
    char *state = NULL;
    size_t size;
    int64_t at;
    int status = n < 0 ? (int)n : heed_store_state(s, &state, &size, &at, err);
    heed__free(&hooks, state);
    if (!status) {
        char *value = heed_store_get(s, "name", err);
        status = value ? 0 : err->code;
        heed__free(&hooks, value);
    }
    if (!status) status = heed_store_check(s, err);
    spared = true; /* it reads JSON */
    if (!status) n = heed_store_forget(s, "u", err);
    spared = false;
    if (!status && n < 0) status = (int)n;
    if (!status) n = heed_store_retain(s, 5000, 0, err);
    if (!status && n < 0) status = (int)n;
    return status ? status : heed_store_vacuum(s, err);
}

typedef int (*work_fn)(heed_store *s, heed_error *err);

static int open_and(work_fn work, heed_error *err) {
    heed_store *s = heed_store_open(&(heed_store_cfg){ .path = store_path, .hooks = &hooks }, err);
    if (!s) return err->code;
    const int status = work(s, err);
    heed_store_close(s);
    return status;
}

/* Runs work with the 1st, 2nd, 3rd ... allocation failing, or all from it on. before: what is done
 * first, with memory. */
static void each(work_fn before, work_fn work, bool on) {
    const int64_t step = getenv("HEED_OOM_ALL") ? INT64_MAX : 8;
    heed_error err = { 0 };
    on_and_on = on;
    int64_t n = 1;
    for (bool more = true; more; n += 1 + n / step) {
        char name[160];
        static const char *const suffix[] = { "", "-wal", "-shm" };
        for (size_t i = 0; i < 3; i++) {
            snprintf(name, sizeof name, "%s%s", store_path, suffix[i]);
            remove(name);
        }
        fail_at = INT64_MAX;
        if (before && open_and(before, &err)) fail_msg("%s", err.msg);
        const int64_t held = live;
        err = (heed_error){ 0 };
        calls = 0;
        failed = false;
        fail_at = n;
        const int status = open_and(work, &err);
        more = failed;
        fail_at = INT64_MAX;
        if (live != held)
            fail_msg("allocation %lld: %s: %lld not given back", (long long)n, err.msg,
                     (long long)(live - held));
        if (!failed && status) fail_msg("%d: %s", status, err.msg);
        if (status && status != HEED_ENOMEM)
            fail_msg("allocation %lld: %d: %s", (long long)n, status, err.msg);
        if (status && !strstr(err.msg, "memory"))
            fail_msg("allocation %lld: '%s'", (long long)n, err.msg);
        if (open_and(heed_store_check, &err))
            fail_msg("allocation %lld: then %s", (long long)n, err.msg);
    }
    print_message("%lld allocations\n", (long long)n);
}

static void test_filling(void **state) {
    heed_store_close(*state);
    *state = NULL;
    each(NULL, fill, false);
    each(NULL, fill, true);
}

static void test_looking(void **state) {
    heed_store_close(*state);
    *state = NULL;
    each(fill, look, false);
    each(fill, look, true);
    each(fill, search, false);
    each(fill, search, true);
}

static void test_upkeep(void **state) {
    heed_store_close(*state);
    *state = NULL;
    each(fill, upkeep, false);
    each(fill, upkeep, true);
}

int main(void) {
    static const sqlite3_mem_methods methods = { sql_malloc, sql_free, sql_realloc,  sql_size,
                                                 sql_round,  sql_init, sql_shutdown, NULL };
    sqlite3_config(SQLITE_CONFIG_MALLOC, &methods);
    json_set_alloc_funcs(take_json, give);
    const struct CMUnitTest tests[] = { EACH_STORE(test_filling), EACH_STORE(test_looking),
                                        EACH_STORE(test_upkeep) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
