/* test_tally.c: charts by tallies have the counts of charts made event by event, whatever happened
 * to the events: decided, decided again, forgotten, too old, of a store from before the tallies. */
#include "cmocka_all.h"
#include <sqlite3.h>
#include <string.h>
#include "store_tools.h"

enum { EVENTS = 900, MINUTE = 60000, HOUR = 3600000, BEGIN = 1700 * 3600 };

static heed_rng rng;

static const char *any_of(const char *const *list, int n) {
    return list[heed_rng_below(&rng, (uint64_t)n)];
}

/* Findings as they may be: labels with digits and signs of keys in them, none, abstained. */
static int64_t find(heed_finding *f) {
    static const char *const intent[] = { "card_lost", "9:card", "a-b", "", "é" };
    static const char *const mood[] = { "bad", "good" };
    int64_t n = 0;
    if (heed_rng_below(&rng, 8))
        f[n++] = (heed_finding){ .name = "mood", .label = any_of(mood, 2), .confidence = 1 };
    if (heed_rng_below(&rng, 8))
        f[n++] = (heed_finding){ .name = "intent",
                                 .label = heed_rng_below(&rng, 9) ? any_of(intent, 5) : NULL,
                                 .confidence = 0.5,
                                 .abstained = heed_rng_below(&rng, 5) == 0 };
    return n;
}

/* Events over four hours, of which `upto` are decided. */
static void fill(heed_store *s, int64_t n, int64_t upto) {
    static const char *const source[] = { "mail", "chat", "4:mail" }, *const user[] = { "ann",
                                                                                        "bob" };
    for (int64_t i = 0; i < n; i++) {
        heed_entry e = { .source = any_of(source, 3), .user = any_of(user, 2), .text = "text" };
        if (i % 50 == 7) e = (heed_entry){ .kind = HEED_ENTRY_TICK };
        must(heed_store_append(s, &e, 1, (int64_t)BEGIN * 1000 + i * 4 * HOUR / EVENTS, &err));
    }
    for (int64_t at = 1; at <= upto; at += 30) {
        heed_finding f[30][2];
        heed_decided d[30];
        heed_commit c = { .upto = at + 29 < upto ? at + 29 : upto, .decided = d };
        for (int64_t seq = at; seq <= c.upto; seq++) {
            if (seq % 50 == 8 || seq % 41 == 0) continue; /* a tick; no analysis said anything */
            const int64_t k = c.decided_len++;
            d[k] = (heed_decided){ .seq = seq, .finding = f[k], .findings = find(f[k]) };
        }
        must(heed_store_commit(s, &c, &err));
    }
}

static int64_t all_of(const json_t *chart) {
    int64_t sum = 0;
    size_t i, j;
    json_t *series, *n;
    json_array_foreach(json_object_get(chart, "series"), i, series)
        json_array_foreach(json_object_get(series, "count"), j, n) sum += json_integer_value(n);
    return sum;
}

/* Charts of many kinds, by tallies and, asked for what tallies do not know, without. */
static void same_charts(heed_store *s) {
    static const char *const by[][3] = { { "intent", "mood", "source" },
                                         { "source", "intent", "none" },
                                         { "mood", "intent", "mood" } };
    const int64_t begin = (int64_t)BEGIN * 1000;
    const struct {
        int64_t from, to, step;
    } span[] = { { begin, begin + 4 * HOUR, HOUR },
                 { begin - HOUR, begin + 9 * HOUR, 20 * MINUTE },
                 { begin + 7 * MINUTE, begin + 151 * MINUTE, 3 * MINUTE },
                 { begin + HOUR, begin + 2 * HOUR + 1234567, 20 * MINUTE },
                 { begin + HOUR, begin + HOUR + 1, MINUTE },
                 { begin, begin + 2 * HOUR + MINUTE / 2, 24 * HOUR } };
    int64_t seen = 0;
    for (int i = 0; i < 3 * 4 * 6 * 2; i++) {
        const int at = i / 2 % 6, n = i / 12 % 4, which = i / 48;
        heed_look look = { .from_ms = span[at].from, .to_ms = span[at].to, .most = 1000 };
        if (i % 2) look.source = "mail";
        json_t *quick = heed_look_counts(s, &look, by[which], n, span[at].step, &err_);
        look.before = 1 << 20;
        json_t *slow = heed_look_counts(s, &look, by[which], n, span[at].step, &err_);
        assert_non_null(quick);
        assert_true(json_equal(quick, slow));
        seen += all_of(quick);
        json_decref(quick);
        json_decref(slow);
    }
    assert_true(seen > 1000);
    must(heed_store_check(s, &err));
}

static int64_t number(const char *sql) {
    sqlite3 *db;
    sqlite3_stmt *q;
    assert_int_equal(sqlite3_open(store_path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &q, NULL), SQLITE_OK);
    const int64_t n = sqlite3_step(q) == SQLITE_ROW ? sqlite3_column_int64(q, 0) : 0;
    sqlite3_finalize(q);
    sqlite3_close(db);
    return n;
}

static void test_decided(void **state) {
    heed_store *s = *state;
    rng = (heed_rng){ .seed = 1 };
    fill(s, EVENTS, EVENTS - 60); /* 60 wait */
    same_charts(s);
    assert_true(number("SELECT count(*) FROM tally WHERE size = 60000") > 200);
    heed_commit c = { .upto = EVENTS };
    must(heed_store_commit(s, &c, &err));
    same_charts(s);
}

static void test_decided_again(void **state) {
    heed_store *s = *state;
    rng = (heed_rng){ .seed = 2 };
    fill(s, EVENTS, EVENTS - 60);
    for (int64_t seq = 3; seq < EVENTS - 70; seq += 9) {
        if (seq % 50 == 8) continue;
        heed_finding f[2];
        const heed_decided d = { .seq = seq, .finding = f, .findings = find(f) };
        heed_commit c = { .upto = EVENTS - 60, .decided = &d, .decided_len = 1 };
        must(heed_store_commit(s, &c, &err));
    }
    same_charts(s);
}

static void test_forgotten_and_old(void **state) {
    heed_store *s = *state;
    rng = (heed_rng){ .seed = 3 };
    fill(s, EVENTS, EVENTS - 60);
    assert_true(heed_store_forget(s, "ann", &err_) > 300);
    same_charts(s);
    assert_true(heed_store_retain(s, (int64_t)BEGIN * 1000 + HOUR + 12345, 0, &err_) > 200);
    same_charts(s);
    assert_true(heed_store_retain(s, INT64_MAX, 0, &err_) > 400);
    assert_int_equal(number("SELECT count(*) FROM tally"), 0);
    must(heed_store_check(s, &err));
}

/* A store of version 1, which had none, gets them when it is opened. */
static void test_migrated(void **state) {
    rng = (heed_rng){ .seed = 4 };
    fill(*state, EVENTS, EVENTS - 60);
    heed_store_close(*state);
    const char *const rows = "SELECT sum((slot * 31 + size) * n) FROM tally";
    const int64_t before = number(rows);
    number("DROP TABLE tally");
    number("DROP TABLE tally_key");
    number("PRAGMA user_version=1");
    heed_store *s = *state = heed_store_open(&(heed_store_cfg){ .path = store_path }, &err_);
    assert_non_null(s);
    same_charts(s);
    assert_int_equal(number(rows), before);
}

static void test_check_finds(void **state) {
    heed_store *s = *state;
    rng = (heed_rng){ .seed = 5 };
    fill(s, 100, 90);
    must(heed_store_check(s, &err));
    number("UPDATE tally SET n = n + 1 WHERE size = 60000 AND slot = (SELECT max(slot) FROM tally"
           " WHERE size = 60000)");
    assert_int_equal(heed_store_check(s, &err_), HEED_EFORMAT);
    assert_non_null(strstr(err_.msg, "minutes whose events are not those of their tally: "));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        EACH_STORE(test_decided),           EACH_STORE(test_decided_again),
        EACH_STORE(test_forgotten_and_old), EACH_STORE(test_migrated),
        EACH_STORE(test_check_finds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
