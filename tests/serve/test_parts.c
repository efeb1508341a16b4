/* test_parts.c: the parts of the server by themselves: batches across callers, novelty, findings
 * that do not depend on who stands beside them, lines of JSON, a flow that is full. */
#include "cmocka_all.h"

#include <jansson.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "serve/batch.h"
#include "base/json_put.h"
#include "serve/novelty.h"
#include "serve/pipeline_impl.h"
#include "store/look.h"

/* -- batches ---------------------------------------------------------------------------------- */

static atomic_int calls, texts_run, finished, failed;
static atomic_bool gate; /* the first batch is at work until it is open */

static int run_batch(void *user, heed_job *job, int64_t n, heed_error *err) {
    int64_t own = 0;
    atomic_fetch_add(&calls, 1);
    for (heed_job *j = job; j; j = j->next) {
        own += j->n;
        if (j->user == user) return heed__error(err, HEED_EFORMAT, "a bad one");
    }
    assert_int_equal(own, n);
    while (!atomic_load(&gate)) usleep(1000);
    atomic_fetch_add(&texts_run, (int)n);
    return 0;
}

static void job_done(heed_job *job, int status, const heed_error *err) {
    (void)job;
    if (status) assert_string_equal(err->msg, "a bad one");
    atomic_fetch_add(status ? &failed : &finished, 1);
}

static void jobs_are_done_together(void **state) {
    (void)state;
    heed_error err;
    int bad;
    heed_batcher *b = heed_batcher_new(&(heed_batch_cfg){ .name = "test",
                                                          .run = run_batch,
                                                          .user = &bad,
                                                          .max_wait_ms = 10,
                                                          .max_batch = 16,
                                                          .most = 100 },
                                       &err);
    assert_non_null(b);
    heed_job job[40];
    for (int i = 0; i < 40; i++) {
        job[i] = (heed_job){ .n = 2, .done = job_done, .user = i == 20 ? &bad : NULL };
        assert_true(heed_batcher_put(b, &job[i]));
    }
    heed_job much = { .n = 60, .done = job_done };
    assert_false(heed_batcher_put(b, &much)); /* all but the first batch wait already */
    atomic_store(&gate, true);
    heed_batcher_free(b); /* after all that waits is answered */
    assert_int_equal(atomic_load(&finished), 39);
    assert_int_equal(atomic_load(&failed), 1); /* and those beside it are not */
    assert_true(atomic_load(&calls) <= 5 + 8 + 1);
    assert_int_equal(atomic_load(&texts_run), 78);
}

/* -- novelty ---------------------------------------------------------------------------------- */

static int64_t nearest_of(heed_novelty *v, int64_t seq, int64_t time_ms, const char *text,
                          double *cosine) {
    heed_error err;
    heed_novel x = { .seq = seq, .time_ms = time_ms, .text = text };
    assert_int_equal(heed_novelty_step(v, &x, 1, &err), 0);
    *cosine = x.cosine;
    return x.nearest;
}

static void novelty_knows_what_came_before(void **state) {
    (void)state;
    heed_error err;
    double c;
    heed_novelty *v = heed_novelty_new(0, 0.5, 1000, NULL, &err);
    assert_int_equal(nearest_of(v, 1, 0, "Where is my new card?", &c), 0);
    assert_int_equal(nearest_of(v, 2, 10, "where is my NEW card", &c), 1);
    assert_true(c > 0.999 && c <= 1);
    assert_int_equal(nearest_of(v, 2, 10, "where is my NEW card", &c), 1); /* asked again */
    assert_int_equal(nearest_of(v, 3, 20, "where is my new card", &c), 1); /* of equals the first */
    assert_int_equal(nearest_of(v, 4, 30, "something else altogether", &c), 0);
    assert_int_equal(nearest_of(v, 5, 40, "我的新卡在哪里", &c), 0);
    assert_int_equal(nearest_of(v, 6, 50, "我的新卡在哪里？", &c), 5);
    assert_int_equal(nearest_of(v, 7, 1019, "where is my new card", &c),
                     3); /* others: too long ago */
    assert_int_equal(nearest_of(v, 3 + HEED_NOVELTY_REACH, 1020, "where is my new card", &c), 7);
    assert_int_equal(nearest_of(v, 8 + 2 * HEED_NOVELTY_REACH, 1021, "where is my new card", &c),
                     0); /* too far back in the log */
    assert_int_equal(nearest_of(v, 9 + 2 * HEED_NOVELTY_REACH, 1022, "", &c), 0);
    heed_novelty_free(v);
}

static void novelty_is_what_it_was_after_a_restart(void **state) {
    (void)state;
    static const char *const word[] = { "card", "money", "lost", "phone", "blue", "seven", "send" };
    enum { N = 3000, KEPT = 2000 };
    heed_error err;
    heed_novelty *whole = heed_novelty_new(0, 0.5, 600, NULL, &err);
    heed_novelty *late = heed_novelty_new(0, 0.5, 600, NULL, &err);
    heed_rng rng = { .seed = 3 };
    for (int64_t seq = 1; seq <= N; seq++) {
        char text[200] = "";
        double a, b;
        for (int w = 0; w < 6; w++)
            snprintf(text + strlen(text), sizeof text - strlen(text), "%s ",
                     word[heed_rng_below(&rng, 7)]);
        const int64_t first = nearest_of(whole, seq, seq, text, &a);
        if (seq <= N - KEPT) continue; /* the other one begins here */
        const int64_t second = nearest_of(late, seq, seq, text, &b);
        if (seq < N - KEPT + 700) continue; /* until all that is near enough in time is known */
        assert_int_equal(first, second);
        assert_true(memcmp(&a, &b, sizeof a) == 0);
    }
    heed_novelty_free(whole);
    heed_novelty_free(late);
}

/* -- lines ------------------------------------------------------------------------------------ */

static void lines_are_json(void **state) {
    (void)state;
    heed_text l = { 0 };
    heed__text_puts(&l, "[");
    heed__json_put_string(&l, "a\"\\\n\t\x01\x7f\xc3\xa9/");
    heed__text_puts(&l, ",");
    heed__json_put_string(&l, NULL);
    const int64_t whole[] = { 0, -1, INT64_MAX, INT64_MIN };
    for (int i = 0; i < 4; i++) {
        heed__text_puts(&l, ",");
        heed__json_put_int(&l, whole[i]);
    }
    const double part[] = { 0, 1, 0.5, 0.1234565, 0.9999999, 1e-9, -0.25, 1.5 };
    for (int i = 0; i < 8; i++) {
        heed__text_puts(&l, ",");
        heed__json_put_part(&l, part[i], 6);
    }
    heed__text_puts(&l, "]");
    assert_string_equal(l.bytes,
                        "[\"a\\\"\\\\\\n\\t\\u0001\\u007f\xc3\xa9/\",null,0,-1,"
                        "9223372036854775807,-9223372036854775808,0.0,1.0,0.5,0.123457,1.0,"
                        "0.0,-0.25,1.5]");
    json_t *tree = json_loads(l.bytes, 0, NULL);
    assert_non_null(tree);
    json_decref(tree);
    heed__text_free(&l);
}

/* -- findings --------------------------------------------------------------------------------- */

static heed_setup *setup_of(const char *text, char dir[64]) {
    char path[128];
    heed_error err;
    snprintf(dir, 64, "/tmp/heed_parts_XXXXXX");
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/flow.yaml", dir);
    FILE *f = fopen(path, "w");
    for (; *text; text++) *text == '@' ? fputs(HEED_SOURCE_DIR, f) : fputc(*text, f);
    fclose(f);
    heed_flow *flow = heed_flow_open(path, NULL, &err);
    heed_setup *s = flow ? heed_setup_open(flow, 2, NULL, NULL, &err) : NULL;
    if (!s) fail_msg("%s", err.msg);
    unlink(path);
    rmdir(dir);
    return s;
}

static const char findings_flow[] =
    "sources: { a: { kind: push }, b: { kind: push } }\n"
    "analyses:\n"
    "  topic: { kind: classify, model: @/models/intent }\n"
    "  sure: { kind: classify, model: @/models/intent, least: 0.999, only: [a] }\n"
    "  vectors: { kind: embed, model: @/models/intent }\n"
    "  risk:\n"
    "    kind: risk\n"
    "    grades:\n"
    "      high: { words: [\"fraud\"], when: { topic: [lost_or_stolen_card] } }\n"
    "      low: { when: { source: b } }\n";

static void same_finding(const heed_finding *a, const heed_finding *b) {
    assert_string_equal(a->name, b->name);
    assert_true(!a->label == !b->label && (!a->label || strcmp(a->label, b->label) == 0));
    assert_memory_equal(&a->confidence, &b->confidence, sizeof a->confidence);
    assert_true(a->abstained == b->abstained && !a->detail == !b->detail);
    if (a->detail) assert_string_equal(a->detail, b->detail);
}

static void findings_depend_on_the_text_alone(void **state) {
    (void)state;
    char dir[64];
    heed_setup *s = setup_of(findings_flow, dir);
    heed_entry e[] = {
        { .seq = 1, .source = "a", .text = "where is my new card" },
        { .seq = 2, .source = "b", .text = "they took my wallet, my card was stolen" },
        { .seq = 3, .source = "b", .title = "Fraud", .text = "set an alarm" },
        { .seq = 4, .source = "b", .text = "defrauded?" },
        { .seq = 5, .source = "a", .text = "" },
    };
    enum { N = sizeof e / sizeof *e };
    heed_error err;
    heed_found all, one;
    assert_int_equal(heed_analyst_run(s->analyst, e, N, &all, &err), 0);
    for (int64_t i = 0; i < N; i++) {
        assert_int_equal(heed_analyst_run(s->analyst, &e[i], 1, &one, &err), 0);
        assert_int_equal(one.start[1], all.start[i + 1] - all.start[i]);
        for (int64_t k = 0; k < one.start[1]; k++)
            same_finding(&one.finding[k], &all.finding[all.start[i] + k]);
        assert_memory_equal(one.vector, all.vector + i * all.dim,
                            (size_t)all.dim * sizeof *one.vector);
        heed_found_free(&one);
    }
    const heed_finding *f = all.finding; /* by name: risk, sure (of a), topic */
    assert_int_equal(all.start[1], 3);
    assert_string_equal(f[0].name, "risk");
    assert_null(f[0].label);
    assert_string_equal(f[1].name, "sure");
    assert_string_equal(f[2].label, "card_arrival");
    assert_int_equal(all.start[2] - all.start[1], 2);
    assert_string_equal(f[3].label, "high");
    assert_string_equal(f[all.start[2]].label, "high"); /* by the title's word */
    assert_string_equal(f[all.start[3]].label, "low");  /* no word of its own */
    heed_found_free(&all);
    heed_setup_drop(s);
}

/* An analysis with `when` finds something of those events alone, whoever asked its model first; the
 * model of the last one is asked for nothing else. */
static void analyses_go_by_others(void **state) {
    (void)state;
    char dir[64];
    heed_setup *s = setup_of(
        "sources: { a: { kind: push }, b: { kind: push } }\n"
        "analyses:\n"
        "  where: { kind: risk, grades: { hot: { words: [card] } } }\n"
        "  lost: { kind: risk, when: { where: hot, source: a }, grades: { yes: { words: [lost] } } "
        "}\n"
        "  topic: { kind: classify, model: @/models/intent, when: { lost: yes } }\n"
        "  other: { kind: classify, model: @/models/support, when: { topic: {} } }\n",
        dir);
    heed_entry e[] = {
        { .seq = 1, .source = "a", .text = "I lost my card, it may be stolen" },
        { .seq = 2, .source = "b", .text = "I lost my card, it may be stolen" },
        { .seq = 3, .source = "a", .text = "my card is here" },
        { .seq = 4, .source = "a", .text = "lost in thought" },
    };
    static const int64_t findings[] = { 4, 1, 2, 1 };
    heed_error err;
    heed_found found;
    assert_int_equal(heed_analyst_run(s->analyst, e, 4, &found, &err), 0);
    for (int i = 0; i < 4; i++) assert_int_equal(found.start[i + 1] - found.start[i], findings[i]);
    assert_string_equal(found.finding[2].name, "topic"); /* by name: lost, other, topic, where */
    assert_string_equal(found.finding[2].label, "lost_or_stolen_card");
    assert_string_equal(found.finding[4].name, "where");
    heed_found_free(&found);
    heed_setup_drop(s);
}

/* -- a flow that is full ---------------------------------------------------------------------- */

static void a_full_flow_takes_no_more(void **state) {
    (void)state;
    char dir[64];
    heed_error err = { 0 };
    heed_setup *s = setup_of("sources: { push: { kind: push } }\n"
                             "analyses: { risk: { kind: risk, grades: { a: { words: [b] } } } }\n",
                             dir);
    heed_store *store = heed_store_open(&(heed_store_cfg){ .path = ":memory:" }, &err);
    assert_non_null(store);
    heed_pipeline *p = heed_pipeline_start(
        &(heed_pipeline_cfg){ .store = store, .setup = s, .most_waiting = 10 }, &err);
    if (!p) fail_msg("%s", err.msg);
    heed__lock_enter(p->deciding); /* the decider is held up */
    int taken = 0, rc = 0;
    while (rc == 0 && taken < 100) {
        heed_entry e = { .kind = HEED_ENTRY_EVENT, .source = "push", .text = "a b" };
        rc = heed_pipeline_take(p, &e, 1, false, &err);
        taken += rc == 0;
    }
    assert_int_equal(rc, HEED_ECANCELLED);
    assert_string_equal(err.msg, "the flow is full: 10 events wait");
    assert_in_range(taken, 9, 10); /* an entry tells of the models */
    heed__lock_leave(p->deciding);
    heed_entry e = { .kind = HEED_ENTRY_EVENT, .source = "push", .text = "more" };
    assert_int_equal(heed_pipeline_take(p, &e, 1, true, &err), 0); /* waits until there is room */
    heed_pipeline_stop(p, 10);
    assert_int_equal(heed_store_decided(store), heed_store_last(store));
    json_t *is = heed_look_state(store, &err);
    assert_int_equal(json_integer_value(json_object_get(is, "events")), taken + 1);
    json_decref(is);
    heed_store_close(store);
    heed_setup_drop(s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jobs_are_done_together),
        cmocka_unit_test(novelty_knows_what_came_before),
        cmocka_unit_test(novelty_is_what_it_was_after_a_restart),
        cmocka_unit_test(lines_are_json),
        cmocka_unit_test(findings_depend_on_the_text_alone),
        cmocka_unit_test(analyses_go_by_others),
        cmocka_unit_test(a_full_flow_takes_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
