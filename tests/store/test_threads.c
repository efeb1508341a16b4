/* Many threads at once: appends, commits, reads, questions, retention, vacuum; each finds what was
 * acknowledged to it, and the log is whole. Meant for ThreadSanitizer too. */
#include "cmocka_all.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/thread.h"
#include "store_tools.h"

enum { WRITERS = 4, READERS = 3, EVENTS = 300 };

static heed_store *store;
static atomic_int failures, writing;

#define check(what)                                                                                \
    do {                                                                                           \
        if (!(what)) {                                                                             \
            atomic_fetch_add(&failures, 1);                                                        \
            print_error("%s: %s\n", #what, err.msg);                                               \
        }                                                                                          \
    } while (0)

static void append(void *arg) {
    const int mine = (int)(intptr_t)arg;
    heed_error err = { 0 };
    int64_t before = 0;
    for (int i = 0; i < EVENTS; i++) {
        char id[32], text[64];
        snprintf(id, sizeof id, "%d-%d", mine, i);
        snprintf(text, sizeof text, "event %d of writer %d 银行", i, mine);
        heed_entry e = { .source = "s", .id = id, .text = text };
        check(heed_store_append(store, &e, 1, i, &err) == 0);
        check(e.seq > before);
        before = e.seq;
        json_t *event = heed_look_event(store, e.seq, &err); /* what is acknowledged is seen */
        check(event && strcmp(json_string_value(json_object_get(event, "id")), id) == 0);
        json_decref(event);
        if (i % 50 == 0) check(heed_store_set(store, id, text, &err) == 0);
    }
    atomic_fetch_sub(&writing, 1);
}

static void decide(void *arg) {
    (void)arg;
    heed_error err = { 0 };
    const float v[3] = { 1, 2, 3 };
    while (atomic_load(&writing) || heed_store_decided(store) < heed_store_last(store)) {
        const int64_t from = heed_store_decided(store), to = heed_store_last(store);
        if (to == from) continue;
        const int64_t n = to - from;
        heed_decided *d = calloc((size_t)n, sizeof *d);
        for (int64_t i = 0; i < n; i++)
            d[i] = (heed_decided){
                .seq = from + 1 + i, .vector = v, .dim = 3, .story = 1 + (from + i) % 9
            };
        heed_message m = { .sink = "hook", .key = "k", .type = "event", .body = "{}" };
        char key[32];
        snprintf(key, sizeof key, "%lld", (long long)to);
        m.key = key;
        const heed_commit c = { .upto = to,
                                .decided = d,
                                .decided_len = n,
                                .message = &m,
                                .messages = 1,
                                .state = key,
                                .state_size = strlen(key) };
        check(heed_store_commit(store, &c, &err) == 0);
        free(d);
    }
}

static bool in_order(void *user, const heed_entry *e) {
    int64_t *last = user;
    const bool well = e->seq > *last;
    *last = well ? e->seq : INT64_MAX;
    return well;
}

static void look(void *arg) {
    const int which = (int)(intptr_t)arg;
    heed_error err = { 0 };
    const float v[3] = { 3, 2, 1 };
    while (atomic_load(&writing)) {
        int64_t last = 0;
        check(heed_store_read(store, 0, INT64_MAX, in_order, &last, &err) >= 0 && last < INT64_MAX);
        const heed_look words = { .text = "银行 event" };
        json_t *t = which == 0   ? heed_look_search(store, &words, v, 3, &err)
                    : which == 1 ? heed_look_events(store, &(heed_look){ .by_rank = true }, &err)
                                 : heed_look_counts(store, &(heed_look){ 0 }, NULL, 0, 60000, &err);
        check(t);
        json_decref(t);
        t = heed_look_state(store, &err);
        check(t && json_integer_value(json_object_get(t, "decided")) <=
                       json_integer_value(json_object_get(t, "last")));
        json_decref(t);
    }
}

static void deliver(void *arg) {
    (void)arg;
    heed_error err = { 0 };
    while (atomic_load(&writing)) {
        heed_message *m;
        const int64_t n = heed_store_due(store, "hook", 1, 4, &m, &err);
        check(n >= 0);
        for (int64_t i = 0; i < n; i++)
            check((i % 2 ? heed_store_retry(store, m[i].id, 1, "no", &err)
                         : heed_store_sent(store, m[i].id, &err)) == 0);
        heed__free(NULL, m);
        heed__sleep_ms(1);
    }
}

static void upkeep(void *arg) {
    (void)arg;
    heed_error err = { 0 };
    while (atomic_load(&writing)) {
        check(heed_store_check(store, &err) == 0);
        const int status = heed_store_vacuum(store, &err); /* somebody may read for long */
        check(status == 0 || status == HEED_EIO);
        check(heed_store_retain(store, 20, 0, &err) >= 0);
        heed__sleep_ms(20);
    }
}

static void test_together(void **state) {
    store = *state;
    heed_thread *t[WRITERS + READERS + 3];
    int n = 0;
    atomic_store(&writing, WRITERS);
    for (intptr_t i = 0; i < WRITERS; i++)
        t[n++] = heed__thread_start(NULL, "append", append, (void *)i, &err_);
    for (intptr_t i = 0; i < READERS; i++)
        t[n++] = heed__thread_start(NULL, "look", look, (void *)i, &err_);
    t[n++] = heed__thread_start(NULL, "decide", decide, NULL, &err_);
    t[n++] = heed__thread_start(NULL, "deliver", deliver, NULL, &err_);
    t[n++] = heed__thread_start(NULL, "upkeep", upkeep, NULL, &err_);
    for (int i = 0; i < n; i++) heed__thread_join(t[i]);
    assert_int_equal(atomic_load(&failures), 0);
    assert_int_equal(heed_store_last(store), WRITERS * EVENTS);
    assert_int_equal(heed_store_decided(store), WRITERS * EVENTS);
    must(heed_store_check(store, &err));
    json_t *is = heed_look_state(store, &err_);
    log_copy *got = malloc(sizeof *got);
    read_all(store, WRITERS * EVENTS - 100, got);
    assert_int_equal(got->n, 100);
    free(got);
    json_decref(is);
}

/* One whose work cannot be done fails alone: those committed with it do not. */
static void fail_often(void *arg) {
    (void)arg;
    heed_error err = { 0 };
    while (atomic_load(&writing)) {
        check(heed_store_sent(store, 123456, &err) == HEED_ENOTFOUND);
        heed_entry e = { .kind = HEED_ENTRY_FEEDBACK, .body = "[" };
        check(heed_store_append(store, &e, 1, 1, &err) == HEED_EINVALID);
    }
}

static void test_failing_neighbour(void **state) {
    store = *state;
    atomic_store(&writing, 2);
    heed_thread *t[4];
    for (intptr_t i = 0; i < 2; i++)
        t[i] = heed__thread_start(NULL, "append", append, (void *)i, &err_);
    for (int i = 2; i < 4; i++) t[i] = heed__thread_start(NULL, "fail", fail_often, NULL, &err_);
    for (int i = 0; i < 4; i++) heed__thread_join(t[i]);
    assert_int_equal(atomic_load(&failures), 0);
    assert_int_equal(heed_store_last(store), 2 * EVENTS);
    must(heed_store_check(store, &err));
}

int main(void) {
    const struct CMUnitTest tests[] = { EACH_STORE(test_together),
                                        EACH_STORE(test_failing_neighbour) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
