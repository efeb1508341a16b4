/* The usual course beside counts: of the series that a surge rule knows, and of no other. */
#include "decide_play.h"

#include <math.h>

static const int64_t HOUR = 3600000, START = INT64_C(1767571200000);

static const char *const by_topic[] = { "topic" };
static const char *const bad[] = { "bad" };
static const heed_condition if_bad = { .analysis = "mood", .label = bad, .labels = 1 };

static const heed_rule_cfg rules[] = {
    { .name = "all",
      .kind = "surge",
      .by = by_topic,
      .by_len = 1,
      .window_ms = 600000,
      .least = 5,
      .p = 1e-9,
      .course = "none",
      .learn_ms = 3600000,
      .hold_ms = 3600000 },
    { .name = "bad",
      .kind = "surge",
      .when = &if_bad,
      .whens = 1,
      .by = by_topic,
      .by_len = 1,
      .window_ms = 600000,
      .least = 5,
      .p = 1e-9,
      .course = "none",
      .learn_ms = 3600000,
      .hold_ms = 3600000 },
};
static const heed_flow flow = { .rule = rules, .rules = 2, .zone = "UTC" };

/* Twelve hours: a once a minute, b every third; every sixth of a's is bad. */
static void half_a_day(play *p) {
    play_open(p, &flow);
    p->now_ms = START;
    for (int i = 0; i < 720; i++) {
        play_event(p, 60000, "x", "topic=a", i % 6 ? "mood=good" : "mood=bad", NULL);
        if (i % 3 == 0) play_event(p, 0, "y", "topic=b", "mood=good", NULL);
    }
}

static json_t *counts(const char *series) {
    json_t *tree = json_pack("{s:i, s:s}", "step_ms", 3600000, "from", "2026-01-04T22:00:00.000Z");
    assert_int_equal(json_object_set_new(tree, "series", json_loads(series, 0, NULL)), 0);
    return tree;
}

static json_t *expected_of(json_t *tree, size_t i) {
    return json_object_get(json_array_get(json_object_get(tree, "series"), i), "expected");
}

static void test_known_series(void **state) {
    (void)state;
    play p;
    half_a_day(&p);
    heed_error err = { 0 };
    json_t *t = counts("[{\"key\":{\"topic\":\"a\"},\"count\":[0,0,60,60,60,60]},"
                       "{\"key\":{\"topic\":\"b\"},\"count\":[0,0,20,20]},"
                       "{\"key\":{\"topic\":\"a\",\"mood\":\"bad\"},\"count\":[0,0,10]}]");
    assert_int_equal(heed_decider_expect(p.d, t, NULL, &err), 0);
    static const double usual[] = { 60, 20, 10 };
    for (size_t i = 0; i < 3; i++) {
        const json_t *list = expected_of(t, i);
        assert_int_equal(json_array_size(list), i == 0 ? 6 : i == 1 ? 4 : 3);
        /* two hours before the first event nothing watched */
        assert_true(json_is_null(json_array_get(list, 0)));
        const double seen = json_number_value(json_array_get(list, 2));
        assert_true(fabs(seen - usual[i]) < 0.15 * usual[i]);
    }
    assert_true(START % HOUR == 0);
    json_decref(t);
    play_close(&p);
}

static void test_unknown_series(void **state) {
    (void)state;
    play p;
    half_a_day(&p);
    heed_error err = { 0 };
    json_t *t = counts("[{\"key\":{\"topic\":\"never\"},\"count\":[0]},"
                       "{\"key\":{\"topic\":null},\"count\":[0]},"
                       "{\"key\":{\"mood\":\"bad\"},\"count\":[0]},"
                       "{\"key\":{\"topic\":\"a\",\"mood\":\"good\"},\"count\":[0]},"
                       "{\"key\":{\"topic\":\"a\",\"other\":\"x\"},\"count\":[0]},"
                       "{\"key\":{},\"count\":[0]}, {\"count\":[0]}]");
    assert_int_equal(heed_decider_expect(p.d, t, NULL, &err), 0);
    for (size_t i = 0; i < 7; i++) assert_true(json_is_null(expected_of(t, i)));
    json_decref(t);
    t = json_pack("{s:i}", "step_ms", 0);
    assert_int_equal(heed_decider_expect(p.d, t, NULL, &err), HEED_EINVALID);
    json_decref(t);
    play_close(&p);
}

/* A course that has not seen enough says nothing. */
static void test_young(void **state) {
    (void)state;
    play p;
    play_open(&p, &flow);
    p.now_ms = START;
    for (int i = 0; i < 10; i++) play_event(&p, 1000, "x", "topic=a", NULL, NULL);
    heed_error err = { 0 };
    json_t *t = counts("[{\"key\":{\"topic\":\"a\"},\"count\":[1,2,3]}]");
    assert_int_equal(heed_decider_expect(p.d, t, NULL, &err), 0);
    assert_true(json_is_null(expected_of(t, 0)));
    json_decref(t);
    play_close(&p);
}

/* One source's events alone: where a rule counts by the source, where its conditions pin it, where
 * the flow has no other; else nothing is known of them. */
static void test_one_source(void **state) {
    (void)state;
    static const char *const by_both[] = { "source", "topic" }, *const wire[] = { "wire" };
    static const heed_condition from_wire = { .analysis = "source", .label = wire, .labels = 1 };
    static const heed_rule_cfg kinds[] = {
        { .name = "both", .by = by_both, .by_len = 2 },
        { .name = "pinned", .when = &from_wire, .whens = 1, .by = by_topic, .by_len = 1 },
        { .name = "all", .by = by_topic, .by_len = 1 },
    };
    static const heed_source_cfg two[] = { { .name = "wire" }, { .name = "mail" } };
    static const struct {
        int rule, sources;
        const char *source;
        bool known;
        double usual;
    } is[] = {
        { 0, 2, "wire", true, 60 }, { 0, 2, "mail", true, 20 }, { 0, 2, NULL, false, 0 },
        { 1, 2, "wire", true, 60 }, { 1, 2, "mail", false, 0 }, { 2, 2, NULL, true, 80 },
        { 2, 2, "wire", false, 0 }, { 2, 1, "wire", true, 80 }, { 2, 1, "mail", false, 0 },
        { 2, 1, NULL, true, 80 },
    };
    for (size_t i = 0; i < sizeof is / sizeof *is; i++) {
        heed_rule_cfg rule = kinds[is[i].rule];
        rule.kind = "surge", rule.course = "none";
        rule.window_ms = 600000, rule.least = 5, rule.p = 1e-9;
        rule.learn_ms = rule.hold_ms = 3600000;
        const heed_flow own = {
            .rule = &rule, .rules = 1, .source = two, .sources = is[i].sources, .zone = "UTC"
        };
        play p;
        play_open(&p, &own);
        p.now_ms = START;
        for (int m = 0; m < 720; m++) {
            p.source = "wire";
            play_event(&p, 60000, "x", "topic=a", NULL, NULL);
            p.source = "mail";
            if (m % 3 == 0) play_event(&p, 0, "x", "topic=a", NULL, NULL);
        }
        heed_error err = { 0 };
        json_t *t = counts("[{\"key\":{\"topic\":\"a\"},\"count\":[0,0,60]}]");
        assert_int_equal(heed_decider_expect(p.d, t, is[i].source, &err), 0);
        const json_t *list = expected_of(t, 0);
        assert_int_equal(json_is_array(list), is[i].known);
        const double mean = json_number_value(json_array_get(list, 2));
        if (is[i].known) assert_true(fabs(mean - is[i].usual) < 0.15 * is[i].usual);
        json_decref(t);
        play_close(&p);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_series),
        cmocka_unit_test(test_unknown_series),
        cmocka_unit_test(test_young),
        cmocka_unit_test(test_one_source),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
