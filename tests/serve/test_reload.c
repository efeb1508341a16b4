/* test_reload.c: a reload takes effect before what waits, at the entry that the log tells, so that
 * a replay decides the same; it ends with the flow, and what was told and not begun holds when the
 * flow goes on; analyses still know what they saw; a full disk holds up neither it nor the end. */
#include "serve_tools.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "serve/pipeline_impl.h"
#include "serve/replay.h"
#include "store/look.h"

enum { WAITING = 6000 };

#define GRADE(label)                                                                               \
    "sources: { push: { kind: push } }\n"                                                          \
    "analyses:\n"                                                                                  \
    "  risk: { kind: risk, grades: { " label ": { words: [card] } } }\n"                           \
    "  seen: { kind: novelty }\n"                                                                  \
    "rules:\n"                                                                                     \
    "  many: { kind: count, when: { risk: " label " }, window: 1h, least: 100 }\n"
static const char before[] = GRADE("a"), after[] = GRADE("b");

static heed_setup *setup_of(const char *text) {
    char dir[] = "/tmp/heed_reload_XXXXXX", path[128];
    heed_error err;
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/flow.yaml", dir);
    FILE *f = fopen(path, "w");
    fputs(text, f);
    fclose(f);
    heed_flow *flow = heed_flow_open(path, NULL, &err);
    heed_setup *s = flow ? heed_setup_open(flow, 2, NULL, NULL, &err) : NULL;
    if (!s) fail_msg("%s", err.msg);
    unlink(path);
    rmdir(dir);
    return s;
}

typedef struct flowing {
    heed_setup *a, *b;
    heed_store *store;
    heed_pipeline *p;
    atomic_bool held; /* the decider waits after its next batch */
    /* of the reload */
    pthread_t thread;
    heed_setup *to;
    int rc;
    heed_error err;
} flowing;

static void hold_up(void *user, const heed_entry *entry, const heed_decided *decided) {
    flowing *f = user;
    (void)entry, (void)decided;
    while (atomic_load(&f->held)) usleep(1000);
}

static void begin(flowing *f, heed_setup *s) {
    heed_error err = { 0 };
    f->p = heed_pipeline_start(
        &(heed_pipeline_cfg){ .store = f->store, .setup = s, .told = hold_up, .user = f }, &err);
    if (!f->p) fail_msg("%s", err.msg);
}

static int set_up(void **state) {
    heed_error err = { 0 };
    flowing *f = calloc(1, sizeof *f);
    f->a = setup_of(before);
    f->b = setup_of(after);
    f->store = heed_store_open(&(heed_store_cfg){ .path = ":memory:" }, &err);
    assert_non_null(f->store);
    begin(f, f->a);
    *state = f;
    return 0;
}

static int tear_down(void **state) {
    flowing *f = *state;
    heed_pipeline_stop(f->p, 10);
    heed_store_close(f->store);
    heed_setup_drop(f->a);
    heed_setup_drop(f->b);
    free(f);
    return 0;
}

static void push(flowing *f, int n) {
    heed_error err = { 0 };
    for (int i = 0; i < n; i += 50) {
        heed_entry e[50];
        for (int k = 0; k < 50; k++)
            e[k] = (heed_entry){ .kind = HEED_ENTRY_EVENT, .source = "push", .text = "a card" };
        if (heed_pipeline_take(f->p, e, 50, false, &err) != 0) fail_msg("%s", err.msg);
    }
}

static void *reload(void *arg) {
    flowing *f = arg;
    f->rc = heed_pipeline_reload(f->p, f->to, &f->err);
    return NULL;
}

/* Asks for it, and returns when the log has more than it had. */
static void reload_begins(flowing *f, heed_setup *to) {
    const int64_t last = heed_store_last(f->store);
    f->to = to;
    assert_int_equal(pthread_create(&f->thread, NULL, reload, f), 0);
    while (heed_store_last(f->store) == last) usleep(1000);
}

/* The first number that a statement gives. */
static int64_t ask(flowing *f, const char *sql) {
    heed_error err = { 0 };
    json_t *answer = heed_look_sql(f->store, sql, 1, &err);
    if (!answer) fail_msg("%s", err.msg);
    const json_t *row = json_array_get(json_object_get(answer, "rows"), 0);
    const int64_t n = json_integer_value(json_array_get(row, 0));
    json_decref(answer);
    return n;
}

#define LAST_FROM                                                                                  \
    "(SELECT json_extract(body, '$.from') FROM entry WHERE kind = 4 ORDER BY seq DESC)"

/* Every event has the label of what the log says was in force, and is decided the same again. */
static void holds(flowing *f, int64_t from) {
    heed_error err = { 0 };
    heed_replay_report r;
    assert_int_equal(ask(f, "SELECT " LAST_FROM), from);
    assert_int_equal(ask(f, "SELECT count(*) FROM finding WHERE name = 'risk' AND (label = 'b') <>"
                            " (seq >= " LAST_FROM ")"),
                     0);
    if (heed_replay(f->store, f->b->flow, &r, NULL, &err) != 0) fail_msg("%s", err.msg);
    if (r.different) fail_msg("%s", r.first);
    assert_int_equal(r.from, from);
    assert_int_equal(r.entries, heed_store_last(f->store) - from + 1);
    assert_true(r.alerts == 1);
}

static void comes_before_what_waits(void **state) {
    flowing *f = *state;
    atomic_store(&f->held, true);
    push(f, WAITING);
    reload_begins(f, f->b);
    const int64_t from = ask(f, "SELECT " LAST_FROM);
    /* what the reader has in hand is not done again; the rest is not waited for */
    assert_in_range(from, 1, (PIPELINE_RING + 2) * PIPELINE_BATCH + 2);
    atomic_store(&f->held, false);
    pthread_join(f->thread, NULL);
    if (f->rc) fail_msg("%s", f->err.msg);
    heed_setup *now = heed_pipeline_setup(f->p);
    assert_ptr_equal(now, f->b);
    heed_setup_drop(now);
    heed_pipeline_stop(f->p, 10);
    f->p = NULL;
    assert_int_equal(ask(f, "SELECT count(*) FROM finding WHERE name = 'risk'"), WAITING);
    assert_true(ask(f, "SELECT count(*) FROM finding WHERE label = 'b'") > WAITING / 3);
    holds(f, from);
    /* told once: a start with the same says nothing new */
    const int64_t last = heed_store_last(f->store);
    begin(f, f->b);
    assert_int_equal(heed_store_last(f->store), last);
}

static void ends_with_the_flow(void **state) {
    flowing *f = *state;
    atomic_store(&f->held, true);
    push(f, WAITING);
    reload_begins(f, f->b);
    heed_error err = { 0 };
    assert_int_equal(heed_pipeline_reload(f->p, f->b, &err), HEED_EIO);
    assert_string_equal(err.msg, "another reload is at work");
    heed_pipeline_leave(f->p);
    pthread_join(f->thread, NULL); /* though the decider is held up */
    assert_int_equal(f->rc, HEED_ECANCELLED);
    assert_non_null(strstr(f->err.msg, "the new one is in force from entry "));
    assert_int_equal(heed_pipeline_reload(f->p, f->b, &err), HEED_ECANCELLED);
    heed__lock_enter(f->p->lock);
    f->p->halt = true; /* as if it were killed here, but for the batch in hand */
    heed__lock_leave(f->p->lock);
    atomic_store(&f->held, false);
    heed_pipeline_stop(f->p, 0);
    const int64_t decided = heed_store_decided(f->store);
    assert_true(decided < WAITING);
    begin(f, f->b); /* goes on with the new one, at once, and says so */
    heed_pipeline_stop(f->p, 10);
    f->p = NULL;
    assert_int_equal(ask(f, "SELECT count(*) FROM finding WHERE name = 'risk'"), WAITING);
    holds(f, decided + 1);
}

static void is_still_known(void **state) {
    flowing *f = *state;
    static const char more[] = "max_batch: 10\n",
                      other[] = "  vague: { kind: novelty, similar: 0.9 }\n";
    char text[sizeof before + sizeof more + sizeof other];
    for (int i = 0; i < 2; i++) { /* analyses as before; and with one that knew nothing */
        snprintf(text, sizeof text, "%s", before);
        char *rules = strstr(text, "rules:");
        if (i)
            snprintf(rules, sizeof text - (size_t)(rules - text), "%s%s", other,
                     strstr(before, "rules:"));
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s", more);
        heed_error err = { 0 };
        heed_entry e = { .kind = HEED_ENTRY_EVENT,
                         .source = "push",
                         .text = i ? "something else altogether" : "where is my new card" };
        assert_int_equal(heed_pipeline_take(f->p, &e, 1, true, &err), 0);
        heed_setup *s = setup_of(text);
        if (heed_pipeline_reload(f->p, s, &err) != 0) fail_msg("%s", err.msg);
        heed_setup_drop(s);
        assert_int_equal(heed_pipeline_take(f->p, &e, 1, true, &err), 0);
        while (heed_store_decided(f->store) < e.seq) usleep(1000);
        char sql[160];
        snprintf(sql, sizeof sql, "SELECT count(*) FROM finding WHERE seq = %d AND label = 'seen'",
                 (int)e.seq);
        assert_int_equal(ask(f, sql), i + 1);
    }
}

/* -- a disk that is full ---------------------------------------------------------------------- */

typedef struct posted {
    const served *s;
    pthread_t thread;
    atomic_int status; /* of the answer; -1: none yet */
} posted;

static void *post_reload(void *arg) {
    posted *p = arg;
    json_t *answer;
    atomic_store(&p->status, served_ask(p->s, "POST", "/v1/reload", "{}", &answer));
    json_decref(answer);
    return NULL;
}

static void room_for(const served *s, int64_t bytes) {
    const struct rlimit most = { (rlim_t)bytes, RLIM_INFINITY };
    assert_int_equal(prlimit(s->pid, RLIMIT_FSIZE, &most, NULL), 0);
}

/* Until what was taken is decided, or that is held up. */
static bool in_trouble(const served *s) {
    for (;; usleep(1000)) {
        json_t *is = served_get(s, "/v1/system"), *store = json_object_get(is, "store");
        const bool trouble = json_is_string(json_object_get(is, "trouble"));
        const bool done = int_at(store, "decided") == int_at(store, "last");
        json_decref(is);
        if (trouble || done) return trouble;
    }
}

/* An event of so many bytes, no two words alike. Whether it was taken. */
static bool push_long(const served *s, int number, int size) {
    char *body = malloc((size_t)size + 100);
    int n = sprintf(body, "{\"id\":\"%d\",\"text\":\"disk", number);
    while (n < size) n += sprintf(body + n, " %dx%d", number, n);
    sprintf(body + n, "\"}");
    const int status = served_ask(s, "POST", "/v1/events", body, NULL);
    free(body);
    return status == 202;
}

static int64_t journal_size(const served *s) {
    char path[128];
    struct stat is;
    snprintf(path, sizeof path, "%s/heed.db-wal", s->dir);
    return stat(path, &is) == 0 ? (int64_t)is.st_size : 0;
}

/* The log has room for a line and the decisions have none: a reload begins and waits for them. The
 * end comes all the same, and when there is room the flow goes on where it was. */
static void ends_with_a_full_disk(void **state) {
    (void)state;
    served s;
    served_make(&s, "name: full\nstore: heed.db\nsources: { push: { kind: push } }\n"
                    "analyses: { risk: { kind: risk, grades: { a: { words: [disk] } } } }\n");
    s.file_most = 400000;
    served_start(&s);
    json_int_t taken = 0;
    int number = 0;
    while (push_long(&s, number++, 30000)) taken++;
    int64_t room = journal_size(&s) - 80000;
    for (bool held = false; !held; room += 2048) {
        room_for(&s, room);
        if (!push_long(&s, number++, 8000)) continue;
        taken++;
        held = in_trouble(&s);
    }
    posted p = { .s = &s };
    for (;; room += 1024) {
        room_for(&s, room);
        atomic_store(&p.status, -1);
        pthread_create(&p.thread, NULL, post_reload, &p);
        for (int i = 0; i < 100 && atomic_load(&p.status) < 0; i++) usleep(1000);
        if (atomic_load(&p.status) != 503) break; /* the log took it */
        pthread_join(p.thread, NULL);
    }
    assert_true(in_trouble(&s));
    kill(s.pid, SIGHUP); /* another, which is refused */
    assert_int_equal(served_stop(&s), 0);
    pthread_join(p.thread, NULL);
    assert_true(atomic_load(&p.status) == 503 || atomic_load(&p.status) == 0);
    s.file_most = 0; /* there is room again */
    served_start(&s);
    json_t *is = served_get(&s, "/v1/system");
    const json_int_t last = int_at(json_object_get(is, "store"), "last");
    json_decref(is);
    served_decided(&s, last);
    is = served_get(&s, "/v1/system");
    assert_int_equal(int_at(json_object_get(is, "store"), "events"), taken);
    json_decref(is);
    served_remove(&s);
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        EACH(comes_before_what_waits),
        EACH(ends_with_the_flow),
        EACH(is_still_known),
        cmocka_unit_test(ends_with_a_full_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
