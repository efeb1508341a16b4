/* Questions to the store: lists, search, alerts, counts, stories, feedback, SQL. */
#include "cmocka_all.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "store/vectors.h"
#include "store_tools.h"

/* Events with an intent, a mood, a source and a user, one a minute from minute 1. */
static void fill(heed_store *s) {
    static const struct {
        const char *source, *user, *text, *intent, *mood;
        int64_t story;
        double rank;
    } row[] = {
        { "mail", "u1", "my card was lost", "card_lost", "bad", 1, 0.9 },
        { "chat", "u2", "I lost my card yesterday", "card_lost", "bad", 1, 0.5 },
        { "chat", "u1", "where is the nearest cash machine", "atm", "good", 3, 0.1 },
        { "mail", NULL, "卡丢了，怎么办", "card_lost", "bad", 4, 0.7 },
        { "chat", NULL, "thanks a lot", NULL, "good", 5, 0.2 },
    };
    for (int64_t i = 0; i < 5; i++) {
        heed_entry e = { .source = row[i].source, .user = row[i].user, .text = row[i].text };
        must(heed_store_append(s, &e, 1, 60000 * (i + 1), &err));
        const heed_finding found[] = {
            { .name = "mood", .label = row[i].mood, .confidence = 0.5 },
            { .name = "intent", .label = row[i].intent, .confidence = 0.75, .abstained = i == 1 },
        };
        const float angle = (float)i * 0.3f;
        const float vector[3] = { cosf(angle), sinf(angle), 0 };
        const heed_decided d = { .seq = e.seq,
                                 .finding = found,
                                 .findings = row[i].intent ? 2 : 1,
                                 .vector = vector,
                                 .dim = 3,
                                 .story = row[i].story,
                                 .rank = row[i].rank };
        heed_commit c = { .upto = e.seq, .decided = &d, .decided_len = 1 };
        must(heed_store_commit(s, &c, &err));
    }
}

static const char *events(heed_store *s, heed_look look) {
    return seqs_of(heed_look_events(s, &look, &err_));
}

static void test_lists(void **state) {
    heed_store *s = *state;
    fill(s);
    assert_string_equal(events(s, (heed_look){ 0 }), "5 4 3 2 1");
    assert_string_equal(events(s, (heed_look){ .most = 2 }), "5 4");
    assert_string_equal(events(s, (heed_look){ .most = 2, .before = 4 }), "3 2");
    assert_string_equal(events(s, (heed_look){ .source = "mail" }), "4 1");
    assert_string_equal(events(s, (heed_look){ .user = "u1" }), "3 1");
    assert_string_equal(events(s, (heed_look){ .user = "nobody" }), "");
    assert_string_equal(events(s, (heed_look){ .analysis = "intent", .label = "card_lost" }),
                        "4 2 1");
    assert_string_equal(events(s, (heed_look){ .analysis = "intent" }), "4 3 2 1");
    assert_string_equal(
        events(s, (heed_look){ .analysis = "intent", .label = "card_lost", .source = "chat" }),
        "2");
    assert_string_equal(events(s, (heed_look){ .from_ms = 120000, .to_ms = 240000 }), "3 2");
    assert_string_equal(events(s, (heed_look){ .from_ms = 120001 }), "5 4 3");
    assert_string_equal(events(s, (heed_look){ .from_ms = 900000 }), "");
    assert_string_equal(events(s, (heed_look){ .by_rank = true }), "1 4 2 5 3");
    assert_string_equal(
        events(s, (heed_look){ .by_rank = true, .source = "chat", .analysis = "mood" }), "2 5 3");
    assert_string_equal(events(s, (heed_look){ .story = 1 }), "2 1");
    assert_string_equal(events(s, (heed_look){ .heads = true }), "5 4 3 1");
    assert_string_equal(events(s, (heed_look){ .heads = true, .by_rank = true }), "1 4 5 3");
    assert_string_equal(events(s, (heed_look){ .text = "card" }), "2 1");
    assert_string_equal(events(s, (heed_look){ .text = "LOST card" }), "2 1");
    assert_string_equal(events(s, (heed_look){ .text = "\"card was\"" }), "1");
    assert_string_equal(events(s, (heed_look){ .text = "丢了" }), "4");
    assert_string_equal(events(s, (heed_look){ .text = "card", .source = "mail" }), "1");
    assert_string_equal(events(s, (heed_look){ .text = "card",
                                               .analysis = "intent",
                                               .label = "card_lost",
                                               .by_rank = true }),
                        "1 2");
    assert_string_equal(events(s, (heed_look){ .text = "?!" }), "");
    assert_string_equal(events(s, (heed_look){ .text = "card\" OR \"x* NOT (" }), "");
}

static void test_pages_end(void **state) {
    heed_store *s = *state;
    fill(s);
    heed_look look = { .most = 3 };
    json_t *page = heed_look_events(s, &look, &err_);
    assert_int_equal(json_integer_value(json_object_get(page, "next")), 3);
    look.before = 3;
    json_decref(page);
    page = heed_look_events(s, &look, &err_);
    assert_true(json_is_null(json_object_get(page, "next")));
    json_decref(page);
    assert_null(heed_look_event(s, 99, &err_));
    assert_int_equal(err_.code, HEED_ENOTFOUND);
    assert_string_equal(err_.msg, "there is no event 99");
}

static void test_search(void **state) {
    heed_store *s = *state;
    fill(s);
    heed_look look = { .text = "lost card" };
    json_t *found = heed_look_search(s, &look, NULL, 0, &err_);
    json_t *first = json_array_get(json_object_get(found, "hits"), 0);
    same_json(json_incref(json_object_get(first, "snippet")),
              "[{'text':'my ','hit':false},{'text':'card','hit':true},{'text':' was ','hit':false},"
              "{'text':'lost','hit':true}]");
    assert_true(json_real_value(json_object_get(first, "bm25")) > 0);
    assert_true(json_is_null(json_object_get(first, "cosine")));
    assert_string_equal(seqs_of(found), "1 2");
    look.text = "machine lost"; /* nothing has both: those that have one */
    assert_string_equal(seqs_of(heed_look_search(s, &look, NULL, 0, &err_)), "3 1 2");
    look.text = "卡丢";
    found = heed_look_search(s, &look, NULL, 0, &err_);
    first = json_array_get(json_object_get(found, "hits"), 0);
    same_json(json_incref(json_object_get(first, "snippet")),
              "[{'text':'卡丢','hit':true},{'text':'了，怎么办','hit':false}]");
    json_decref(found);
    look.text = "";
    assert_string_equal(seqs_of(heed_look_search(s, &look, NULL, 0, &err_)), "");
}

static void test_search_by_vector(void **state) {
    heed_store *s = *state;
    fill(s);
    const float at_2[3] = { cosf(0.6f), sinf(0.6f), 0 };
    heed_look look = { .most = 3 };
    json_t *found = heed_look_search(s, &look, at_2, 3, &err_);
    json_t *first = json_array_get(json_object_get(found, "hits"), 0);
    assert_true(fabs(json_real_value(json_object_get(first, "cosine")) - 1) < 1e-3);
    same_json(json_incref(json_object_get(first, "snippet")),
              "[{'text':'where is the nearest cash machine','hit':false}]");
    assert_string_equal(seqs_of(found), "3 4 2"); /* 2 and 4 are as near but for rounding */
    look = (heed_look){ .source = "mail" };
    assert_string_equal(seqs_of(heed_look_search(s, &look, at_2, 3, &err_)), "4 1");
    look = (heed_look){ .text = "card" }; /* both lists: 2 is second and second */
    assert_string_equal(seqs_of(heed_look_search(s, &look, at_2, 3, &err_)), "1 2 3 4 5");
    assert_string_equal(seqs_of(heed_look_similar(s, 1, 2, &err_)), "2 3");
    s = reopened(state); /* read back from the file */
    assert_string_equal(seqs_of(heed_look_similar(s, 1, 2, &err_)), "2 3");
    append_text(s, "no vector");
    commit_all(s);
    assert_string_equal(seqs_of(heed_look_similar(s, 6, 2, &err_)), "");
    assert_null(heed_look_similar(s, 7, 2, &err_));
}

static void test_alerts(void **state) {
    heed_store *s = *state;
    fill(s);
    heed_alert a[] = {
        { .id = 100,
          .seq = 1,
          .time_ms = 60000,
          .rule = "r",
          .grade = "info",
          .state = "open",
          .title = "A" },
        { .id = 201,
          .seq = 2,
          .time_ms = 120000,
          .rule = "q",
          .grade = "critical",
          .state = "open",
          .key = "{\"intent\":\"atm\"}",
          .title = "B",
          .why = "{\"gates\":[1]}" },
    };
    heed_commit c = { .upto = 5, .alert = a, .alerts = 2 };
    must(heed_store_commit(s, &c, &err));
    a[1].state = "closed", a[1].seq = 5, a[1].time_ms = 300000;
    c.alert = &a[1], c.alerts = 1;
    must(heed_store_commit(s, &c, &err));
    same_json(
        heed_look_alert(s, 201, &err_),
        "{'id':201,'seq':5,'rule':'q','grade':'critical','state':'closed','key':{'intent':'atm'},"
        "'title':'B','opened':'1970-01-01T00:02:00.000Z','time':'1970-01-01T00:05:00.000Z',"
        "'why':{'gates':[1]}}");
    json_t *all = heed_look_alerts(s, NULL, 0, 0, &err_);
    assert_int_equal(json_array_size(json_object_get(all, "alerts")), 2);
    json_decref(all);
    all = heed_look_alerts(s, "open", 0, 0, &err_);
    assert_int_equal(json_array_size(json_object_get(all, "alerts")), 1);
    json_decref(all);
    all = heed_look_alerts(s, NULL, 201, 0, &err_);
    assert_int_equal(json_array_size(json_object_get(all, "alerts")), 1);
    json_decref(all);
    assert_null(heed_look_alert(s, 7, &err_));
    assert_int_equal(err_.code, HEED_ENOTFOUND);
}

static void test_counts(void **state) {
    heed_store *s = *state;
    fill(s);
    heed_look look = { .from_ms = 60000, .to_ms = 360000 };
    const char *by[] = { "intent", "mood" };
    /* 2 abstained: no label, as 5 has none */
    same_json(heed_look_counts(s, &look, by, 1, 120000, &err_),
              "{'step_ms':120000,'from':'1970-01-01T00:01:00.000Z','to':'1970-01-01T00:06:00.000Z',"
              "'series':[{'key':{'intent':null},'count':[1,0,1]},{'key':{'intent':'card_lost'},"
              "'count':[1,1,0]},{'key':{'intent':'atm'},'count':[0,1,0]}]}");
    look.most = 1;
    same_json(heed_look_counts(s, &look, by + 1, 1, 300000, &err_),
              "{'step_ms':300000,'from':'1970-01-01T00:01:00.000Z','to':'1970-01-01T00:06:00.000Z',"
              "'series':[{'key':{'mood':'bad'},'count':[3]}]}");
    look.most = 0;
    look.source = "chat";
    const char *source[] = { "source" };
    same_json(heed_look_counts(s, &look, source, 1, 300000, &err_),
              "{'step_ms':300000,'from':'1970-01-01T00:01:00.000Z','to':'1970-01-01T00:06:00.000Z',"
              "'series':[{'key':{'source':'chat'},'count':[3]}]}");
    look = (heed_look){
        .analysis = "mood", .label = "bad", .text = "card", .from_ms = 1, .to_ms = 600001
    };
    same_json(heed_look_counts(s, &look, NULL, 0, 600000, &err_),
              "{'step_ms':600000,'from':'1970-01-01T00:00:00.001Z','to':'1970-01-01T00:10:00.001Z',"
              "'series':[{'key':{},'count':[2]}]}");
    assert_null(heed_look_counts(s, &look, by, 2, 0, &err_));
    assert_int_equal(err_.code, HEED_EINVALID);
    assert_null(heed_look_counts(s, &look, by, 2, 1, &err_));
    json_t *day = heed_look_counts(s, &(heed_look){ 0 }, by, 2, 3600000, &err_);
    assert_int_equal(json_array_size(json_object_get(day, "series")), 4);
    json_decref(day);
}

static void test_story(void **state) {
    heed_store *s = *state;
    fill(s);
    assert_string_equal(seqs_of(heed_look_story(s, 1, &err_)), "1 2");
    assert_null(heed_look_story(s, 2, &err_));
    assert_int_equal(err_.code, HEED_ENOTFOUND);
    /* 2 is split off: decided again, findings and vector stay */
    const heed_decided d = { .seq = 2, .story = 2, .rank = 0.5 };
    heed_commit c = { .upto = 5, .decided = &d, .decided_len = 1 };
    must(heed_store_commit(s, &c, &err));
    assert_string_equal(seqs_of(heed_look_story(s, 1, &err_)), "1");
    json_t *event = heed_look_event(s, 2, &err_);
    assert_int_equal(json_array_size(json_object_get(event, "findings")), 2);
    json_decref(event);
}

static void say(heed_store *s, heed_entry_kind kind, const char *body, int64_t *seq) {
    heed_entry e = { .kind = kind, .body = body };
    must(heed_store_append(s, &e, 1, 1, &err));
    *seq = e.seq;
}

static bool collect(void *user, const char *text, const char *label) {
    char *to = user;
    snprintf(to + strlen(to), 256 - strlen(to), "%s=%s;", text, label);
    return true;
}

static void test_feedback(void **state) {
    heed_store *s = *state;
    fill(s);
    int64_t first, last, vote;
    say(s, HEED_ENTRY_FEEDBACK, "{\"seq\":3,\"analysis\":\"intent\",\"label\":\"branch\"}", &first);
    say(s, HEED_ENTRY_FEEDBACK,
        "{\"seq\":3,\"analysis\":\"intent\",\"label\":\"cash\",\"by\":\"ann\"}", &last);
    say(s, HEED_ENTRY_FEEDBACK, "{\"seq\":1,\"vote\":\"down\"}", &vote);
    say(s, HEED_ENTRY_FEEDBACK, "{\"seq\":1,\"vote\":\"up\"}", &vote);
    say(s, HEED_ENTRY_FEEDBACK, "{\"seq\":2,\"vote\":\"up\"}",
        &vote); /* abstained there: no label */
    char got[256] = "";
    assert_int_equal(heed_look_feedback(s, "intent", collect, got, &err_), 2);
    assert_string_equal(got, "my card was lost=card_lost;where is the nearest cash machine=cash;");
    json_t *event = heed_look_event(s, 3, &err_);
    assert_string_equal(
        json_string_value(json_object_get(json_object_get(event, "corrected"), "intent")), "cash");
    json_decref(event);
    event = heed_look_event(s, 1, &err_);
    assert_string_equal(json_string_value(json_object_get(event, "vote")), "up");
    json_decref(event);

    char undo[64];
    snprintf(undo, sizeof undo, "{\"do\":\"undo\",\"entry\":%d}", (int)last);
    say(s, HEED_ENTRY_ACTION, undo, &vote);
    say(s, HEED_ENTRY_FEEDBACK, "{\"seq\":1,\"vote\":\"none\"}", &vote);
    got[0] = 0;
    assert_int_equal(heed_look_feedback(s, "intent", collect, got, &err_), 1);
    assert_string_equal(got, "where is the nearest cash machine=branch;");
    event = heed_look_event(s, 1, &err_);
    assert_true(json_is_null(json_object_get(event, "vote")));
    json_decref(event);
}

static void test_state(void **state) {
    heed_store *s = *state;
    fill(s);
    int64_t seq;
    say(s, HEED_ENTRY_TICK, NULL, &seq);
    json_t *is = heed_look_state(s, &err_);
    assert_int_equal(json_integer_value(json_object_get(is, "events")), 5);
    assert_int_equal(json_integer_value(json_object_get(is, "last")), 6);
    assert_int_equal(json_integer_value(json_object_get(is, "decided")), 5);
    assert_true(json_integer_value(json_object_get(is, "size")) > 4096);
    assert_true(json_integer_value(json_object_get(is, "journal")) > 0);
    json_decref(is);
}

static void test_sql(void **state) {
    heed_store *s = *state;
    fill(s);
    same_json(
        heed_look_sql(s, "SELECT seq, text AS t, 0.5, NULL, x'00' AS b FROM entry WHERE user='u1'",
                      10, &err_),
        "{'columns':['seq','t','0.5','NULL','b'],'rows':[[1,'my card was lost',0.5,null,"
        "'(1 bytes)'],[3,'where is the nearest cash machine',0.5,null,'(1 bytes)']],'cut':false}");
    same_json(heed_look_sql(s, "SELECT rowid FROM words('card') ;  ", 1, &err_),
              "{'columns':['rowid'],'rows':[[1]],'cut':true}");
    static const char *const bad[] = {
        "DELETE FROM entry",
        "SELECT 1; SELECT 2",
        "ATTACH '/tmp/x' AS x",
        "PRAGMA journal_mode=DELETE",
        "SELECT load_extension('x')",
        "BEGIN",
        "COMMIT",
        "VACUUM INTO '/tmp/x'",
        "",
        "nonsense",
        "INSERT INTO words(words) VALUES('rebuild')",
        "CREATE TEMP TABLE t(a)",
        "PRAGMA user_version=3",
        "UPDATE entry SET text='x' RETURNING seq",
        "SELECT nothing FROM entry",
        "SELECT length(zeroblob(99999999))", /* memory has a bound */
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        err_ = (heed_error){ 0 };
        json_t *answer = heed_look_sql(s, bad[i], 10, &err_);
        if (answer) fail_msg("allowed: %s", bad[i]);
        assert_int_equal(err_.code, HEED_EINVALID);
    }
    assert_int_equal(heed_store_check(s, &err_), 0);
}

static void test_half(void **state) {
    (void)state;
    for (uint32_t h = 0; h < 65536; h++) {
        const float f = heed__half_float((uint16_t)h);
        if (isnan(f))
            assert_true(isnan(heed__half_float(heed__half(f))));
        else
            assert_int_equal(heed__half(f), h);
        if (h % 0x8000 >= 0x7bff) continue;
        /* half way to the next: to the even one; a little less or more: to the nearer */
        const float next = heed__half_float((uint16_t)(h + 1)), middle = (f + next) / 2;
        assert_int_equal(heed__half(middle), h & 1 ? h + 1 : h);
        assert_int_equal(heed__half(nextafterf(middle, f)), h);
        assert_int_equal(heed__half(nextafterf(middle, next)), h + 1);
    }
    assert_int_equal(heed__half(65520.0f), 0x7c00);
    assert_int_equal(heed__half(1e30f), 0x7c00);
    assert_int_equal(heed__half(-INFINITY), 0xfc00);
}

/* The nearest of many against a plain scan; the oldest go when there is no more room. */
static void test_vectors(void **state) {
    heed_store *s = *state;
    enum { N = 3000, DIM = 40, NEAR = 20 };
    heed_rng rng = { .seed = 3 };
    float(*v)[DIM] = malloc(sizeof(float[N][DIM]));
    heed_vectors *all = heed__vectors_new(NULL, (int64_t)1 << 20, &err_);
    heed_vectors *few = heed__vectors_new(NULL, 1, &err_);
    must(heed__vectors_load(all, s, &err));
    must(heed__vectors_load(few, s, &err));
    for (int64_t i = 0; i < N; i++) {
        for (int k = 0; k < DIM; k++) v[i][k] = heed_rng_normal(&rng);
        must(heed__vectors_add(all, i + 1, v[i], DIM));
        must(heed__vectors_add(few, i + 1, v[i], DIM));
    }
    assert_int_equal(heed__vectors_add(all, N + 1, v[0], DIM - 1), HEED_ESHAPE);
    heed__vectors_remove(all, 8);
    heed_near near[NEAR];
    for (int64_t q = 0; q < 50; q++) {
        assert_int_equal(heed__vectors_near(all, v[q], DIM, near, NEAR), NEAR);
        if (q == 7)
            assert_int_not_equal(near[0].seq, 8);
        else
            assert_int_equal(near[0].seq, q + 1);
        for (int i = 0; i < NEAR; i++) {
            const float *a = v[q], *b = v[near[i].seq - 1];
            double dot = 0, aa = 0, bb = 0;
            for (int k = 0; k < DIM; k++) dot += a[k] * b[k], aa += a[k] * a[k], bb += b[k] * b[k];
            assert_true(fabs(near[i].cosine - dot / sqrt(aa * bb)) < 0.01);
            if (i) assert_true(near[i - 1].cosine >= near[i].cosine);
        }
    }
    const int64_t left = heed__vectors_near(few, v[0], DIM, near, 1);
    assert_int_equal(left, 1);
    assert_true(near[0].seq > N - 1024);
    assert_int_equal(heed__vectors_near(all, v[0], DIM + 1, near, 1), 0);
    heed__vectors_free(all);
    heed__vectors_free(few);
    free(v);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        EACH_STORE(test_lists),  EACH_STORE(test_pages_end),        EACH_STORE(test_search),
        EACH_STORE(test_alerts), EACH_STORE(test_search_by_vector), EACH_STORE(test_counts),
        EACH_STORE(test_story),  EACH_STORE(test_feedback),         EACH_STORE(test_state),
        EACH_STORE(test_sql),    EACH_STORE(test_vectors),          cmocka_unit_test(test_half),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
