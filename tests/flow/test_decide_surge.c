/* Surges planted in six made-up weeks with a daily and weekly rhythm: how many are found, how many
 * alerts are wrong, how soon, and that a quiet flow stays quiet; the usual course that was learnt,
 * against the truth. */
#include "decide_play.h"

#include "../../bench/timeline.h"

#include <string.h>

#define HOUR INT64_C(3600000)

static const char *const by_topic[] = { "topic" };

static heed_rule_cfg surge_rule(void) {
    return (heed_rule_cfg){ .name = "surge",
                            .kind = "surge",
                            .by = by_topic,
                            .by_len = 1,
                            .window_ms = HOUR,
                            .least = 5,
                            .p = 1e-4,
                            .learn_ms = 168 * HOUR,
                            .hold_ms = 2 * HOUR };
}

static timeline_cfg six_weeks(int surges, uint64_t seed) {
    return (timeline_cfg){ .weeks = 6,
                           .quiet_weeks = 2,
                           .labels = 6,
                           .shape = 10,
                           .rate = { 8, 3, 1, 1, 0.3, 0.1 },
                           .surges = surges,
                           .offset_ms = 8 * HOUR,
                           .start_ms = INT64_C(1767571200000),
                           .seed = seed };
}

static timeline_score replay(const timeline_cfg *c, const heed_rule_cfg *rule) {
    timeline t = timeline_make(c);
    timeline_judge j = { .t = &t, .c = c, .after_ms = rule->window_ms };
    heed_error err = { 0 };
    const heed_flow flow = { .rule = rule, .rules = 1, .zone = "+08:00" };
    heed_decider *d = heed_decider_new(&flow, NULL, &err);
    assert_non_null(d);
    timeline_judge_open(&j);
    for (int64_t i = 0; i < t.events; i++) {
        char label[8] = { 't', (char)('0' + t.event[i].label) };
        const heed_finding f = { .name = "topic", .label = label, .confidence = 1 };
        const heed_entry e = { .seq = i + 1, .time_ms = t.event[i].time_ms, .source = "wire" };
        const heed_seen seen = { .entry = &e, .finding = &f, .findings = 1 };
        heed_decisions out;
        assert_int_equal(heed_decider_step(d, &seen, &out, &err), 0);
        for (int64_t k = 0; k < out.alerts; k++)
            if (out.alert[k].id / 100 == e.seq)
                timeline_judge_alert(&j, t.event[i].label, e.time_ms);
    }
    heed_decider_free(d);
    free(j.found);
    timeline_free(&t);
    return j.score;
}

static void test_planted(void **state) {
    (void)state;
    timeline_score sum = { .alerts = 0 };
    for (uint64_t seed = 1; seed <= 3; seed++) {
        const timeline_cfg c = six_weeks(60, seed);
        const heed_rule_cfg rule = surge_rule();
        const timeline_score s = replay(&c, &rule);
        sum.alerts += s.alerts, sum.right += s.right, sum.weeks += s.weeks;
        for (int i = 0; i < 3; i++) sum.found[i] += s.found[i], sum.planted[i] += s.planted[i];
    }
    print_message("recall %.3f (%d/%d %d/%d %d/%d), precision %.3f, %d alerts, %d wrong in %g "
                  "weeks\n",
                  timeline_recall(&sum), sum.found[0], sum.planted[0], sum.found[1], sum.planted[1],
                  sum.found[2], sum.planted[2], timeline_precision(&sum), sum.alerts,
                  sum.alerts - sum.right, sum.weeks);
    assert_true(timeline_recall(&sum) >= 0.95);
    assert_true(timeline_precision(&sum) >= 0.95);
    assert_true(sum.alerts - sum.right <= sum.weeks);
}

static void test_quiet(void **state) {
    (void)state;
    int wrong = 0;
    for (uint64_t seed = 1; seed <= 4; seed++) {
        timeline_cfg c = six_weeks(0, seed);
        c.quiet_weeks = 0;
        const heed_rule_cfg rule = surge_rule();
        wrong += replay(&c, &rule).alerts;
    }
    print_message("%d alerts in 20 quiet weeks of 6 labels\n", wrong);
    assert_true(wrong <= 10);
}

/* A course without hours learns within seconds: sixty labels, four events a second, after half a
 * minute one of them has ten times as many. */
static void test_within_seconds(void **state) {
    (void)state;
    const heed_rule_cfg rule = { .name = "surge",
                                 .kind = "surge",
                                 .by = by_topic,
                                 .by_len = 1,
                                 .window_ms = 30000,
                                 .least = 8,
                                 .p = 1e-6,
                                 .course = "none",
                                 .learn_ms = 30000,
                                 .hold_ms = 120000 };
    const heed_flow flow = { .rule = &rule, .rules = 1 };
    heed_error err = { 0 };
    heed_rng rng = { .seed = 8 };
    heed_decider *d = heed_decider_new(&flow, NULL, &err);
    int wrong = 0;
    int64_t found = 0;
    for (int i = 0; i < 4 * 600; i++) {
        const int64_t time = INT64_C(1767571200000) + i * 250;
        char label[3] = { 't', (char)('0' + heed_rng_below(&rng, 60)), 0 };
        if (i >= 4 * 300 && i < 4 * 330 && i % 4 == 0) label[1] = '7';
        const heed_finding f = { .name = "topic", .label = label, .confidence = 1 };
        const heed_entry e = { .seq = i + 1, .time_ms = time, .source = "wire" };
        const heed_seen seen = { .entry = &e, .finding = &f, .findings = 1 };
        heed_decisions out;
        assert_int_equal(heed_decider_step(d, &seen, &out, &err), 0);
        for (int64_t k = 0; k < out.alerts; k++) {
            if (out.alert[k].id / 100 != e.seq) continue;
            if (label[1] == '7' && i >= 4 * 300)
                found = found ? found : i - 4 * 300;
            else
                wrong++;
        }
    }
    assert_int_equal(wrong, 0);
    assert_in_range(found, 1, 4 * 20); /* within 20 s */
    heed_decider_free(d);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_planted),
        cmocka_unit_test(test_quiet),
        cmocka_unit_test(test_within_seconds),
    };
    return cmocka_run_group_tests_name("decide_surge", tests, NULL, NULL);
}
