/* Surges counted by a model's scores: labels without doubt are decided as if they were counted one
 * by one; a model that takes many of one label's texts for another's neither hides a surge nor lets
 * it echo in the others; a state saved and loaded goes on with the same bits, and hostile bytes do
 * no harm. */
#include "decide_play.h"

#include "../../bench/timeline.h"

#include <string.h>

#include "base/alloc.h"

#define HOUR INT64_C(3600000)

enum { LABELS = 3 };
static const char *const names[LABELS] = { "calm", "good", "bad" };
static const char *const by_mood[] = { "mood" };

static heed_rule_cfg surge_by(const char *counts) {
    return (heed_rule_cfg){ .name = "surge",
                            .kind = "surge",
                            .by = by_mood,
                            .by_len = 1,
                            .window_ms = HOUR / 2,
                            .least = 5,
                            .p = 1e-4,
                            .learn_ms = 168 * HOUR,
                            .hold_ms = 2 * HOUR,
                            .counts = counts };
}

/* -- a model that errs ------------------------------------------------------------------------ */

/* What a model knows of a text is a point on a line: labels are normal about places of their own,
 * of deviation one, and its scores are what Bayes' rule makes of that: they mean what they say. */
static const double place[LABELS] = { 0, -2, 2 }, part_of[LABELS] = { 0.6, 0.25, 0.15 };

typedef struct said {
    double score[LABELS];
    int best;
    char detail[240];
} said;

static said model(heed_rng *rng, int label) {
    said s = { .best = 0 };
    const double x = place[label] + (double)heed_rng_normal(rng);
    double sum = 0;
    for (int i = 0; i < LABELS; i++) {
        s.score[i] = part_of[i] * heed__exp(-(x - place[i]) * (x - place[i]) / 2);
        sum += s.score[i];
    }
    for (int i = 0; i < LABELS; i++) {
        s.score[i] /= sum;
        if (s.score[i] > s.score[s.best]) s.best = i;
    }
    snprintf(s.detail, sizeof s.detail,
             "{\"labels\":[{\"label\":\"%s\",\"score\":%.6f},{\"label\":\"%s\",\"score\":%.6f},"
             "{\"label\":\"%s\",\"score\":%.6f}]}",
             names[0], s.score[0], names[1], s.score[1], names[2], s.score[2]);
    return s;
}

typedef struct weeks {
    timeline_cfg cfg;
    const heed_rule_cfg *rule;
    bool sure;          /* the truth is said, without doubt */
    int reload_every;   /* events; 0: never */
    uint64_t hash;      /* of all that was decided */
    heed_decider *last; /* given where wanted: as it is at the end; else freed */
    bool keep;
    char why[2000]; /* of the last alert */
} weeks;

static void reload(heed_decider **d, const heed_flow *flow) {
    heed_error err = { 0 };
    char *data;
    size_t size;
    assert_int_equal(heed_decider_save(*d, &data, &size, &err), 0);
    heed_decider_free(*d);
    *d = heed_decider_new(flow, NULL, &err);
    assert_non_null(*d);
    if (heed_decider_load(*d, data, size, &err) != 0) fail_msg("%s", err.msg);
    heed__free(NULL, data);
}

static void note(weeks *w, const char *text) {
    for (; *text; text++) w->hash = (w->hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
}

static timeline_score run(weeks *w, const heed_flow *flow) {
    timeline t = timeline_make(&w->cfg);
    timeline_judge j = { .t = &t, .c = &w->cfg, .after_ms = HOUR / 2 };
    heed_rng rng = { .seed = w->cfg.seed, .stream = 7 };
    heed_error err = { 0 };
    heed_decider *d = heed_decider_new(flow, NULL, &err);
    assert_non_null(d);
    timeline_judge_open(&j);
    w->hash = UINT64_C(0xcbf29ce484222325);
    for (int64_t i = 0; i < t.events; i++) {
        const said s = model(&rng, t.event[i].label);
        const int label = w->sure ? t.event[i].label : s.best;
        const heed_finding f = { .name = "mood",
                                 .label = names[label],
                                 .confidence = w->sure ? 1 : s.score[label],
                                 .detail = w->sure ? NULL : s.detail };
        const heed_entry e = { .seq = i + 1, .time_ms = t.event[i].time_ms, .source = "wire" };
        const heed_seen seen = { .entry = &e, .finding = &f, .findings = 1 };
        heed_decisions out;
        assert_int_equal(heed_decider_step(d, &seen, &out, &err), 0);
        note(w, out.gates);
        for (int64_t k = 0; k < out.alerts; k++) {
            note(w, out.alert[k].why), note(w, out.alert[k].title);
            snprintf(w->why, sizeof w->why, "%s %s", out.alert[k].title, out.alert[k].why);
            if (out.alert[k].id / 100 == e.seq) timeline_judge_alert(&j, label, e.time_ms);
        }
        if (w->reload_every && i % w->reload_every == 0) reload(&d, flow);
    }
    if (w->keep)
        w->last = d;
    else
        heed_decider_free(d);
    free(j.found);
    timeline_free(&t);
    return j.score;
}

static weeks some_weeks(int n, int surges, uint64_t seed) {
    return (weeks){ .cfg = { .weeks = n,
                             .quiet_weeks = n > 2 ? 2 : 0,
                             .labels = LABELS,
                             .shape = 10,
                             .rate = { 6, 2.5, 1.5 },
                             .surges = surges,
                             .start_ms = INT64_C(1767571200000),
                             .seed = seed } };
}

static timeline_score sum_of(const char *counts, bool sure) {
    timeline_score sum = { .alerts = 0 };
    for (uint64_t seed = 1; seed <= 3; seed++) {
        const heed_rule_cfg rule = surge_by(counts);
        const heed_flow flow = { .rule = &rule, .rules = 1 };
        weeks w = some_weeks(6, 24, seed);
        w.sure = sure;
        const timeline_score s = run(&w, &flow);
        sum.alerts += s.alerts, sum.right += s.right, sum.weeks += s.weeks, sum.echoes += s.echoes;
        for (int i = 0; i < 3; i++) sum.found[i] += s.found[i], sum.planted[i] += s.planted[i];
    }
    print_message("%s%s: recall %.3f, precision %.3f, %d alerts, %d echoes\n", counts,
                  sure ? ", sure" : "", timeline_recall(&sum), timeline_precision(&sum), sum.alerts,
                  sum.echoes);
    return sum;
}

/* -- tests ------------------------------------------------------------------------------------ */

static void test_planted(void **state) {
    (void)state;
    const timeline_score labels = sum_of("labels", false), scores = sum_of("scores", false);
    assert_true(timeline_recall(&scores) >= 0.93);
    assert_true(timeline_precision(&scores) >= 0.93);
    assert_true(timeline_precision(&scores) > timeline_precision(&labels));
    assert_true(scores.echoes * 2 < labels.echoes);
    assert_true(scores.alerts - scores.right <= scores.weeks);
}

static void test_without_doubt(void **state) {
    (void)state;
    const timeline_score labels = sum_of("labels", true), scores = sum_of("scores", true);
    assert_int_equal(labels.alerts, scores.alerts);
    assert_int_equal(labels.right, scores.right);
    for (int i = 0; i < 3; i++) assert_int_equal(labels.found[i], scores.found[i]);
}

static void test_reload(void **state) {
    (void)state;
    const heed_rule_cfg rule = surge_by("scores");
    const heed_flow flow = { .rule = &rule, .rules = 1 };
    weeks straight = some_weeks(2, 5, 4), again = straight, stopped = straight;
    straight.cfg.quiet_weeks = again.cfg.quiet_weeks = stopped.cfg.quiet_weeks = 1;
    stopped.reload_every = 1;
    assert_true(run(&straight, &flow).alerts > 0);
    (void)run(&again, &flow);
    (void)run(&stopped, &flow);
    assert_true(straight.hash == again.hash);
    assert_true(straight.hash == stopped.hash);
    /* why, in numbers */
    static const char *const parts[] = { "worth ",
                                         "usually ",
                                         "\"gate\":\"odds\",\"value\":",
                                         "without doubt, where ",
                                         "times as likely as",
                                         "\"bound\":200" };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (!strstr(straight.why, parts[i])) fail_msg("no '%s' in %s", parts[i], straight.why);
}

static void test_other_counts(void **state) {
    (void)state;
    const heed_rule_cfg by_scores = surge_by("scores"), by_labels = surge_by("labels");
    const heed_flow flow = { .rule = &by_scores, .rules = 1 },
                    other = { .rule = &by_labels, .rules = 1 };
    heed_error err = { 0 };
    weeks w = some_weeks(1, 0, 9);
    w.keep = true;
    (void)run(&w, &flow);
    char *data;
    size_t size;
    assert_int_equal(heed_decider_save(w.last, &data, &size, &err), 0);
    heed_decider_free(w.last);
    heed_decider *d = heed_decider_new(&other, NULL, &err);
    assert_int_equal(heed_decider_load(d, data, size, &err), HEED_EFORMAT);
    heed_decider_free(d);
    heed_rng rng = { .seed = 5 };
    int believed = 0;
    for (int i = 0; i < 2000; i++) { /* bytes that are not its own: refused, or no harm */
        const size_t at = heed_rng_below(&rng, size);
        const char was = data[at];
        data[at] = (char)heed_rng_u32(&rng);
        d = heed_decider_new(&flow, NULL, &err);
        if (heed_decider_load(d, data, size, &err) == 0) {
            believed++;
            for (int k = 0; k < 8; k++) {
                const said s = model(&rng, k % LABELS);
                const heed_finding f = { "mood", names[s.best], s.score[s.best], false, s.detail };
                const heed_entry e = { .seq = 1000000 + k,
                                       .time_ms = INT64_C(1768200000000) + k * 1000,
                                       .source = "wire" };
                const heed_seen seen = { .entry = &e, .finding = &f, .findings = 1 };
                heed_decisions out;
                assert_int_equal(heed_decider_step(d, &seen, &out, &err), 0);
            }
        }
        heed_decider_free(d);
        data[at] = was;
    }
    assert_in_range(believed, 1, 2000);
    heed__free(NULL, data);
}

/* Two analyses: an event may be of each combination of their labels. */
static void test_combined(void **state) {
    (void)state;
    static const char *const both[] = { "mood", "topic" };
    heed_rule_cfg rule = surge_by("scores");
    rule.by = both, rule.by_len = 2, rule.learn_ms = HOUR, rule.course = "none", rule.p = 1e-3;
    const heed_flow flow = { .rule = &rule, .rules = 1 };
    heed_error err = { 0 };
    heed_decider *d = heed_decider_new(&flow, NULL, &err);
    heed_rng rng = { .seed = 2 };
    int alerts = 0;
    char key[100] = "";
    for (int i = 0; i < 600; i++) {
        const bool surge = i >= 560;
        const said s = model(&rng, surge ? 2 : (int)heed_rng_below(&rng, LABELS));
        const char *topic = surge || heed_rng_below(&rng, 2) ? "oil" : "gold";
        char detail[120];
        snprintf(detail, sizeof detail,
                 "{\"labels\":[{\"label\":\"%s\",\"score\":0.8},{\"label\":\"%s\",\"score\":0.2}]}",
                 topic, topic[0] == 'o' ? "gold" : "oil");
        const heed_finding f[] = { { "mood", names[s.best], s.score[s.best], false, s.detail },
                                   { "topic", topic, 0.8, false, detail } };
        const heed_entry e = { .seq = i + 1,
                               .time_ms = INT64_C(1767571200000) + i * 600000 -
                                          (surge ? (i - 559) * 570000 : 0),
                               .source = "wire" };
        const heed_seen seen = { .entry = &e, .finding = f, .findings = 2 };
        heed_decisions out;
        assert_int_equal(heed_decider_step(d, &seen, &out, &err), 0);
        for (int64_t k = 0; k < out.alerts; k++)
            if (out.alert[k].id / 100 == e.seq)
                alerts++, snprintf(key, sizeof key, "%s", out.alert[k].key);
    }
    assert_int_equal(alerts, 1);
    assert_string_equal(key, "{\"mood\":\"bad\",\"topic\":\"oil\"}");
    heed_decider_free(d);
}

/* -- memory ----------------------------------------------------------------------------------- */

static int steps(const heed_hooks *hooks, heed_error *err) {
    const heed_rule_cfg rule = surge_by("scores");
    const heed_flow flow = { .rule = &rule, .rules = 1 };
    heed_rng rng = { .seed = 3 };
    heed_decider *d = heed_decider_new(&flow, hooks, err);
    int status = d ? 0 : err->code;
    for (int i = 1; i < 12 && !status; i++) {
        const said s = model(&rng, i % LABELS);
        const heed_finding f = { "mood", names[s.best], s.score[s.best], false, s.detail };
        const heed_entry e = { .seq = i, .time_ms = i * 1000000, .source = "wire" };
        const heed_seen seen = { .entry = &e, .finding = &f, .findings = 1 };
        heed_decisions out;
        status = heed_decider_step(d, &seen, &out, err);
    }
    return play_save_and_free(d, &flow, status, hooks, err);
}

static void test_out_of_memory(void **state) {
    (void)state;
    play_without_memory(steps, 30);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_planted),  cmocka_unit_test(test_without_doubt),
        cmocka_unit_test(test_reload),   cmocka_unit_test(test_other_counts),
        cmocka_unit_test(test_combined), cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests_name("decide_scores", tests, NULL, NULL);
}
