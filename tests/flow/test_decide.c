/* The decider's rules and alerts, entry by entry: which gate stops an event, when an alert opens,
 * groups, closes, is silenced, inhibited, escalated; votes, and undo of everything. */
#include "decide_play.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "flow/decide_course.h"

#define MINUTE INT64_C(60000)
#define HOUR   (60 * MINUTE)

static const char *const negative[] = { "negative" }, *const finance[] = { "finance" };
static const char *const by_topic[] = { "topic" }, *const by_names[] = { "names" };
static const char *const page[] = { "page" }, *const boss[] = { "boss" };
static const heed_condition is_negative = { .analysis = "mood", .label = negative, .labels = 1 };
static const heed_condition sure_finance[] = {
    { .analysis = "topic", .label = finance, .labels = 1, .least = 0.8 },
    { .analysis = "mood", .label = negative, .labels = 1 },
};

#define RULE(name_, kind_, ...)                                                                    \
    {                                                                                              \
        .name = name_, .kind = kind_, .window_ms = 10 * MINUTE, .hold_ms = 30 * MINUTE,            \
        .to = page, .to_len = 1, __VA_ARGS__                                                       \
    }

static void expect_note(play *p, const char *rule, const char *note) {
    const char *is = play_note(p, rule);
    if (strncmp(is, note, strlen(note)) != 0) fail_msg("%s: '%s', not '%s'", rule, is, note);
}

/* The example of a webhook shows a key that is sent. */
static void is_told_in_docs(const char *key) {
    char *docs = NULL, line[80];
    size_t size;
    heed_error err;
    if (heed__file_read(NULL, HEED_SOURCE_DIR "/docs/sinks.md", 1 << 20, &docs, &size, &err))
        fail_msg("%s", err.msg);
    (void)snprintf(line, sizeof line, "\nIdempotency-Key: %s\n", key);
    assert_non_null(strstr(docs, line));
    (void)snprintf(line, sizeof line, "\n{\"key\":\"%s\",", key);
    assert_non_null(strstr(docs, line));
    heed__free(NULL, docs);
}

static void test_match_and_gates(void **state) {
    (void)state;
    const heed_rule_cfg rule = RULE("bad", "match", .when = sure_finance, .whens = 2,
                                    .by = by_topic, .by_len = 1);
    play p;
    play_open(&p, &(heed_flow){ .rule = &rule, .rules = 1 });
    play_event(&p, 0, "a", "mood=negative", NULL, NULL);
    expect_note(&p, "bad", "when topic");
    play_event(&p, 0, "a", "topic=sports", "mood=negative", NULL);
    expect_note(&p, "bad", "when topic");
    play_event(&p, 0, "a", "topic=?finance", "mood=negative", NULL);
    expect_note(&p, "bad", "when topic");
    play_event(&p, 0, "a", "topic=finance", "mood=positive", NULL);
    expect_note(&p, "bad", "when mood");
    assert_int_equal(p.out.alerts, 0);
    const int64_t seq = play_event(&p, 0, "a", "topic=finance", "mood=negative", NULL);
    expect_note(&p, "bad", "fired id=500");
    assert_int_equal(p.out.alerts, 1);
    const heed_alert *a = play_alert(&p, 0);
    assert_int_equal(a->id, seq * 100);
    assert_string_equal(a->state, "open");
    assert_string_equal(a->grade, "warning");
    assert_string_equal(a->key, "{\"topic\":\"finance\"}");
    assert_string_equal(a->title, "bad: finance");
    assert_non_null(strstr(a->why, "\"examples\":[5]"));
    assert_non_null(strstr(a->why, "\"says\":\"topic is finance (0.9)\""));
    assert_int_equal(p.out.messages, 1);
    assert_string_equal(p.out.message[0].key, "alert-500-1-opened");
    assert_string_equal(p.out.message[0].sink, "page");
    is_told_in_docs(p.out.message[0].key);
    play_close(&p);
}

static void test_count_window(void **state) {
    (void)state;
    const heed_rule_cfg rule = RULE("three", "count", .least = 3);
    play p;
    play_open(&p, &(heed_flow){ .rule = &rule, .rules = 1 });
    play_event(&p, 0, "a", NULL, NULL, NULL);
    expect_note(&p, "three", "least n=1");
    play_event(&p, 4 * MINUTE, "a", NULL, NULL, NULL);
    play_event(&p, 7 * MINUTE, "a", NULL, NULL, NULL); /* the first is out */
    expect_note(&p, "three", "least n=2");
    play_event(&p, 2 * MINUTE, "a", NULL, NULL, NULL);
    expect_note(&p, "three", "fired id=400 n=3");
    play_close(&p);
}

/* Counts against a plain list of times: never more than the window holds, and never less than what
 * it holds without its first 64th. */
static void test_window_against_list(void **state) {
    (void)state;
    const heed_rule_cfg rule = RULE("n", "count", .least = 1000000);
    heed_rng rng = { .seed = 5 };
    int64_t time[3000];
    play p;
    play_open(&p, &(heed_flow){ .rule = &rule, .rules = 1 });
    for (int i = 0; i < 3000; i++) {
        const int64_t pause = heed_rng_below(&rng, 50) ? 7 * MINUTE / 10 : 9 * MINUTE;
        play_event(&p, (int64_t)heed_rng_below(&rng, (uint64_t)pause / 2), "a", NULL, NULL, NULL);
        time[i] = p.now_ms;
        int most = 0, least = 0;
        for (int k = i; k >= 0 && time[k] > p.now_ms - 10 * MINUTE; k--) {
            most++;
            least += time[k] > p.now_ms - 10 * MINUTE * 63 / 64;
        }
        const int n = atoi(strstr(play_note(&p, "n"), "n=") + 2);
        assert_in_range(n, least, most);
    }
    play_close(&p);
}

static void test_share(void **state) {
    (void)state;
    const char *const of[] = { "mood" };
    const heed_rule_cfg rule = RULE("share", "share", .when = sure_finance, .whens = 2, .of = of,
                                    .of_len = 1, .least = 4, .share = 0.5);
    play p;
    play_open(&p, &(heed_flow){ .rule = &rule, .rules = 1 });
    play_event(&p, 0, "a", "topic=finance", "mood=positive", NULL);
    expect_note(&p, "share", "when mood");
    play_event(&p, 0, "a", "topic=sports", "mood=negative", NULL);
    expect_note(&p, "share", "when topic");
    play_event(&p, 0, "a", "topic=finance", "mood=negative", NULL);
    expect_note(&p, "share", "least n=1 whole=2");
    play_event(&p, 0, "a", "topic=finance", "mood=positive", NULL);
    play_event(&p, 0, "a", "topic=finance", "mood=positive", NULL);
    play_event(&p, 0, "a", "topic=finance", "mood=negative", NULL);
    expect_note(&p, "share", "share n=2 whole=5");
    play_event(&p, 0, "a", "topic=finance", "mood=negative", NULL);
    expect_note(&p, "share", "fired id=700 n=3 whole=6");
    play_close(&p);
}

static void test_grouping_and_close(void **state) {
    (void)state;
    const heed_rule_cfg rule = RULE("bad", "match", .when = &is_negative, .whens = 1,
                                    .close_ms = 10 * MINUTE);
    play p;
    play_open(&p, &(heed_flow){ .rule = &rule, .rules = 1 });
    play_event(&p, 0, "a", "mood=negative", NULL, NULL);
    play_event(&p, MINUTE, "a", "mood=negative", NULL, NULL);
    expect_note(&p, "bad", "joined id=100");
    assert_int_equal(p.out.messages, 0);
    assert_non_null(strstr(play_alert(&p, 0)->why, "\"events\":2"));
    play_tick(&p, 9 * MINUTE);
    assert_int_equal(p.out.alerts, 0);
    play_tick(&p, MINUTE);
    assert_string_equal(play_alert(&p, 0)->state, "closed");
    assert_string_equal(p.out.message[0].key, "alert-100-2-closed");
    play_event(&p, 5 * MINUTE, "a", "mood=negative", NULL, NULL); /* within hold: the same again */
    expect_note(&p, "bad", "fired id=100");
    assert_string_equal(p.out.message[0].key, "alert-100-3-again");
    play_tick(&p, 10 * MINUTE);
    play_tick(&p, 30 * MINUTE);
    play_event(&p, MINUTE, "a", "mood=negative", NULL, NULL);
    expect_note(&p, "bad", "fired id=800");
    play_close(&p);
}

static void test_silence_ack_escalation(void **state) {
    (void)state;
    const heed_rule_cfg rule = RULE("bad", "match", .when = &is_negative, .whens = 1,
                                    .escalate_ms = 5 * MINUTE, .escalate_to = boss,
                                    .escalate_to_len = 1);
    play p;
    play_open(&p, &(heed_flow){ .rule = &rule, .rules = 1 });
    play_event(&p, 0, "a", "mood=negative", NULL, NULL);
    play_tick(&p, 5 * MINUTE);
    assert_string_equal(play_alert(&p, 0)->grade, "critical");
    assert_string_equal(p.out.message[0].sink, "boss");
    const int64_t ack = play_entry(&p, 0, HEED_ENTRY_ACTION, "{\"do\":\"ack\",\"alert\":100}");
    assert_string_equal(play_alert(&p, 0)->state, "acknowledged");
    char undo[64];
    snprintf(undo, sizeof undo, "{\"do\":\"undo\",\"entry\":%d}", (int)ack);
    play_entry(&p, 0, HEED_ENTRY_ACTION, undo);
    assert_string_equal(play_alert(&p, 0)->state, "open");
    play_entry(&p, 0, HEED_ENTRY_ACTION, "{\"do\":\"undo\",\"entry\":4}");
    assert_string_equal(play_alert(&p, 0)->state, "acknowledged");
    play_entry(&p, 0, HEED_ENTRY_ACTION, "{\"do\":\"silence\",\"alert\":100,\"minutes\":90}");
    assert_string_equal(play_alert(&p, 0)->state, "silenced");
    play_event(&p, 80 * MINUTE, "a", "mood=negative", NULL, NULL);
    expect_note(&p, "bad", "silence id=100");
    assert_int_equal(p.out.messages, 0);
    play_tick(&p, 10 * MINUTE); /* it goes on, so it is heard again */
    assert_string_equal(play_alert(&p, 0)->state, "open");
    assert_non_null(strstr(p.out.message[0].body, "\"notice\":\"again\""));
    play_close(&p);
}

static void test_closed_by_person(void **state) {
    (void)state;
    const heed_rule_cfg rule = RULE("bad", "match", .when = &is_negative, .whens = 1);
    play p;
    play_open(&p, &(heed_flow){ .rule = &rule, .rules = 1 });
    play_event(&p, 0, "a", "mood=negative", NULL, NULL);
    play_entry(&p, MINUTE, HEED_ENTRY_ACTION, "{\"do\":\"close\",\"alert\":100}");
    assert_string_equal(play_alert(&p, 0)->state, "closed");
    play_event(&p, MINUTE, "a", "mood=negative", NULL, NULL);
    expect_note(&p, "bad", "hold id=100");
    play_event(&p, 29 * MINUTE, "a", "mood=negative", NULL, NULL);
    expect_note(&p, "bad", "fired id=400");
    /* what nobody understands changes nothing */
    play_entry(&p, 0, HEED_ENTRY_ACTION, "{\"do\":\"dance\",\"alert\":400}");
    play_entry(&p, 0, HEED_ENTRY_ACTION, "not JSON");
    play_entry(&p, 0, HEED_ENTRY_ACTION, "{\"do\":\"ack\",\"alert\":4711}");
    play_entry(&p, 0, HEED_ENTRY_FEEDBACK, "{\"seq\":-5,\"vote\":\"up\"}");
    assert_int_equal(p.out.alerts, 0);
    play_close(&p);
}

static void test_inhibit(void **state) {
    (void)state;
    const char *const quiet[] = { "bad" };
    const heed_condition outage = { .analysis = "topic", .label = finance, .labels = 1 };
    const heed_rule_cfg rules[] = {
        RULE("outage", "match", .when = &outage, .whens = 1, .inhibit = quiet, .inhibit_len = 1,
             .grade = "critical"),
        RULE("bad", "match", .when = &is_negative, .whens = 1),
    };
    play p;
    play_open(&p, &(heed_flow){ .rule = rules, .rules = 2 });
    play_event(&p, 0, "a", "topic=finance", NULL, NULL);
    play_event(&p, 0, "a", "mood=negative", NULL, NULL);
    expect_note(&p, "bad", "inhibit id=201");
    assert_string_equal(play_alert(&p, 0)->state, "inhibited");
    assert_int_equal(p.out.messages, 0);
    play_event(&p, 10 * MINUTE, "a", "mood=negative", NULL, NULL);
    play_entry(&p, 0, HEED_ENTRY_ACTION, "{\"do\":\"close\",\"alert\":100}");
    play_event(&p, MINUTE, "a", "mood=negative", NULL, NULL);
    expect_note(&p, "bad", "fired id=201");
    assert_string_equal(p.out.message[0].key, "alert-201-1-opened");
    play_close(&p);
}

static void test_entities(void **state) {
    (void)state;
    const heed_condition names = { .analysis = "names", .of = "ORG" };
    const heed_analysis_cfg tagger = { .name = "names", .kind = "tag" };
    const heed_rule_cfg rule = RULE("who", "count", .when = &names, .whens = 1, .by = by_names,
                                    .by_len = 1, .least = 2);
    play p;
    play_open(&p, &(heed_flow){ .rule = &rule, .rules = 1, .analysis = &tagger, .analyses = 1 });
    play_event(&p, 0, "a", "names=[{\"text\":\"IBM\",\"type\":\"PER\"}]", NULL, NULL);
    expect_note(&p, "who", "when names");
    play_event(&p, 0, "a", "names=[{\"text\":\"IBM\",\"type\":\"ORG\"}]", NULL, NULL);
    expect_note(&p, "who", "least n=1");
    play_event(&p, 0, "a",
               "names=[{\"text\":\"ABB\",\"type\":\"ORG\"},{\"text\":\"IBM\",\"type\":\"ORG\"}]",
               NULL, NULL);
    expect_note(&p, "who", "fired id=300 n=2");
    assert_string_equal(play_alert(&p, 0)->key, "{\"names\":\"IBM\"}");
    play_close(&p);
}

/* Two keys of one event open two alerts, with ids of their own. */
static void test_two_at_once(void **state) {
    (void)state;
    const heed_analysis_cfg tagger = { .name = "names", .kind = "tag" };
    const heed_rule_cfg rule = RULE("who", "match", .by = by_names, .by_len = 1);
    play p;
    play_open(&p, &(heed_flow){ .rule = &rule, .rules = 1, .analysis = &tagger, .analyses = 1 });
    play_event(&p, 0, "a", "names=[{\"text\":\"A\"},{\"text\":\"B\"}]", NULL, NULL);
    assert_int_equal(p.out.alerts, 2);
    assert_int_equal(p.out.alert[0].id, 100);
    assert_int_equal(p.out.alert[1].id, 101);
    play_close(&p);
}

static void test_many_keys(void **state) {
    (void)state;
    const heed_rule_cfg rule = RULE("k", "count", .by = by_topic, .by_len = 1, .least = 3);
    play p;
    char label[32];
    play_open(&p, &(heed_flow){ .rule = &rule, .rules = 1 });
    for (int i = 0; i < 6000; i++) {
        snprintf(label, sizeof label, "topic=t%d", i);
        play_event(&p, 10, "a", label, NULL, NULL);
    }
    play_event(&p, 0, "a", "topic=t5999", NULL, NULL);
    expect_note(&p, "k", "least n=2"); /* remembered */
    play_event(&p, 0, "a", "topic=t3", NULL, NULL);
    expect_note(&p, "k", "least n=1"); /* made room */
    play_event(&p, 0, "a", "topic=t5999", NULL, NULL);
    expect_note(&p, "k", "fired");
    play_close(&p);
}

/* -- why ------------------------------------------------------------------------------------- */

typedef struct asked {
    json_t *tree;
    const char *stopped_at;
    bool fired;
    size_t gates;
    const json_t *last;
} asked;

static asked ask(const play *p, const heed_seen *seen, const char *gates, const char *rule) {
    heed_error err = { 0 };
    asked a = { .tree = heed_decider_why(p->d, seen, gates, rule, &err) };
    if (!a.tree) fail_msg("%s", err.msg);
    const json_t *r = json_array_get(json_object_get(a.tree, "rules"), 0);
    a.stopped_at = json_string_value(json_object_get(r, "stopped_at"));
    a.fired = json_is_true(json_object_get(r, "fired"));
    a.gates = json_array_size(json_object_get(r, "gates"));
    a.last = json_array_get(json_object_get(r, "gates"), a.gates - 1);
    for (size_t i = 0; i < a.gates; i++) { /* all but the last one held */
        const json_t *gate = json_array_get(json_object_get(r, "gates"), i);
        assert_true(json_is_true(json_object_get(gate, "held")) == (a.fired || i + 1 < a.gates));
        assert_true(json_string_length(json_object_get(gate, "says")) > 3);
        assert_non_null(json_object_get(gate, "value"));
        assert_non_null(json_object_get(gate, "bound"));
    }
    return a;
}

static void test_why(void **state) {
    (void)state;
    const heed_rule_cfg rule = RULE("bad", "surge", .when = sure_finance, .whens = 2,
                                    .by = by_topic, .by_len = 1, .least = 5, .p = 1e-4);
    static const struct {
        const char *topic, *mood, *note, *stop;
        size_t gates;
    } cases[] = {
        { "sports", "negative", "when topic", "when topic", 1 },
        { "finance", "positive", "when mood", "when mood", 2 },
        { "finance", "negative", "learn n=3 left=60000", "learn", 4 },
        { "finance", "negative", "least n=3", "least", 5 },
        { "finance", "negative", "chance n=7 usual=2.31 spread=0.1 p=0.0131", "chance", 6 },
        { "finance", "negative", "silence id=500 n=9 usual=1 spread=1 p=1e-9", "silence", 7 },
        { "finance", "negative", "joined id=500 n=9 usual=1 spread=1 p=1e-9", NULL, 7 },
        { "finance", "negative", "fired id=500 n=9 usual=1 spread=1 p=1e-9", NULL, 7 },
        { "finance", "negative", "", "noted", 4 }, /* the rule came later */
        { "finance", "negative", "dance n=-1", "noted", 4 },
    };
    play p;
    play_open(&p, &(heed_flow){ .rule = &rule, .rules = 1 });
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char notes[200];
        const heed_finding f[] = {
            { .name = "topic", .label = cases[i].topic, .confidence = 0.9 },
            { .name = "mood", .label = cases[i].mood, .confidence = 0.8 },
        };
        const heed_entry e = { .seq = 7, .text = "x", .source = "wire" };
        const heed_seen seen = { .entry = &e, .finding = f, .findings = 2 };
        snprintf(notes, sizeof notes, "{\"bad\":\"%s\",\"@rank\":[]}", cases[i].note);
        const asked a = ask(&p, &seen, cases[i].note[0] ? notes : "{}", i % 2 ? "bad" : NULL);
        assert_int_equal(a.fired, cases[i].stop == NULL);
        if (cases[i].stop) assert_string_equal(a.stopped_at, cases[i].stop);
        assert_int_equal(a.gates, cases[i].gates);
        if (i == 4) {
            assert_true(json_number_value(json_object_get(a.last, "value")) == 0.0131);
            assert_true(json_number_value(json_object_get(a.last, "bound")) == 0.0001);
            assert_string_equal(json_string_value(json_object_get(a.last, "says")),
                                "7 in 10 min where 2.31 are usual: so many or more have a chance "
                                "of 0.0131");
        }
        json_decref(a.tree);
    }
    heed_error err = { 0 };
    const heed_entry e = { .seq = 7 };
    const heed_seen seen = { .entry = &e };
    assert_null(heed_decider_why(p.d, &seen, "{}", "worse", &err));
    assert_int_equal(err.code, HEED_ENOTFOUND);
    assert_string_equal(err.msg, "the flow has no rule 'worse'");
    assert_null(heed_decider_why(p.d, &seen, "[", NULL, &err));
    assert_int_equal(err.code, HEED_EFORMAT);
    play_close(&p);
}

/* What was noted when an event was decided, and what is told of it later, agree for every event. */
static void test_why_agrees(void **state) {
    (void)state;
    const char *const of[] = { "mood" };
    const heed_rule_cfg rules[] = {
        RULE("m", "match", .when = sure_finance, .whens = 2),
        RULE("s", "surge", .when = sure_finance, .whens = 1, .by = by_topic, .by_len = 1,
             .least = 3, .p = 0.01, .course = "none", .learn_ms = 20 * MINUTE),
        RULE("h", "share", .when = sure_finance, .whens = 2, .of = of, .of_len = 1, .least = 4,
             .share = 0.5),
        RULE("c", "count", .when = &is_negative, .whens = 1, .least = 4),
    };
    heed_rng rng = { .seed = 3 };
    play p;
    play_open(&p, &(heed_flow){ .rule = rules, .rules = 4 });
    for (int i = 0; i < 400; i++) {
        const char *const topic = heed_rng_below(&rng, 3) ? "finance" : "sports";
        const char *const feeling = heed_rng_below(&rng, 2) ? "negative" : "positive";
        char a[32], b[32];
        snprintf(a, sizeof a, "topic=%s", topic);
        snprintf(b, sizeof b, "mood=%s", feeling);
        play_event(&p, (int64_t)heed_rng_below(&rng, 8 * (uint64_t)MINUTE), "x", a, b, NULL);
        const heed_finding f[] = { { .name = "topic", .label = topic, .confidence = 0.9 },
                                   { .name = "mood", .label = feeling, .confidence = 0.9 } };
        const heed_entry e = { .seq = p.seq, .source = "wire" };
        const heed_seen seen = { .entry = &e, .finding = f, .findings = 2 };
        for (int k = 0; k < 4; k++) {
            const char *note = play_note(&p, rules[k].name);
            const asked w = ask(&p, &seen, p.gates, rules[k].name);
            const bool fired = strncmp(note, "fired", 5) == 0 || strncmp(note, "joined", 6) == 0;
            assert_int_equal(w.fired, fired);
            if (!fired) assert_memory_equal(note, w.stopped_at, strlen(w.stopped_at));
            json_decref(w.tree);
        }
    }
    play_close(&p);
}

/* -- the usual course ------------------------------------------------------------------------ */

/* scipy.stats.nbinom.sf(n - 1, 1 / v, (1 / v) / (1 / v + mean)) */
static void test_chance(void **state) {
    (void)state;
    static const double known[][4] = {
        { 5, 1, 0.2, 8.950061601381894e-03 },       { 14, 3.1, 0.05, 4.026129631276087e-05 },
        { 1, 0.01, 2, 9.852457023325711e-03 },      { 30, 10, 0.5, 2.527632139852458e-02 },
        { 200, 100, 0.01, 2.646554602579592e-09 },  { 60, 3, 0.005, 3.670710599599983e-52 },
        { 1000, 900, 0.02, 2.171189858697166e-01 }, { 8, 0.002, 2.05, 1.446735047653176e-20 },
        { 12, 11.5, 0.3, 4.263754130456116e-01 },   { 5000, 4000, 0.005, 6.287129575213210e-04 },
        { 7, 6.999, 1.5, 3.597897233901078e-01 },
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        const double p = heed__course_chance(known[i][0],
                                             (heed_expected){ known[i][1], known[i][2] });
        const double off = p / known[i][3] - 1;
        if (!(off < 1e-9 && off > -1e-9)) fail_msg("%zu: %.17g, not %.17g", i, p, known[i][3]);
    }
    assert_true(heed__course_chance(3, (heed_expected){ 3, 0.1 }) == 1);
}

static void test_ln_gamma(void **state) { /* scipy.special.gammaln */
    (void)state;
    static const double known[][2] = {
        { 0.25, 1.2880225246980774 },  { 0.5, 0.57236494292469997 }, { 1.5, -0.12078223763524526 },
        { 3, 0.69314718055994529 },    { 11.9, 17.258477450595521 }, { 12.1, 17.74700727079874 },
        { 250.5, 1131.2840013322552 }, { 1e6, 12815504.569147611 },
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        const double off = heed__ln_gamma(known[i][0]) - known[i][1];
        const double size = known[i][1] > 1 ? known[i][1] : 1;
        assert_true(off < 1e-12 * size && off > -1e-12 * size);
    }
}

static void test_cells(void **state) {
    (void)state;
    heed_course c;
    heed__course_init(&c, 168, 8 * HOUR);
    assert_int_equal(heed__course_cell(&c, INT64_C(1767571200000)), 8); /* Monday 08:00 there */
    assert_int_equal(heed__course_cell(&c, INT64_C(1767571200000) - 9 * HOUR), 167);
    heed__course_init(&c, 24, -5 * HOUR - 30 * MINUTE);
    assert_int_equal(heed__course_cell(&c, INT64_C(1767571200000)), 18);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_match_and_gates),
        cmocka_unit_test(test_count_window),
        cmocka_unit_test(test_window_against_list),
        cmocka_unit_test(test_share),
        cmocka_unit_test(test_grouping_and_close),
        cmocka_unit_test(test_silence_ack_escalation),
        cmocka_unit_test(test_closed_by_person),
        cmocka_unit_test(test_inhibit),
        cmocka_unit_test(test_entities),
        cmocka_unit_test(test_two_at_once),
        cmocka_unit_test(test_many_keys),
        cmocka_unit_test(test_why),
        cmocka_unit_test(test_why_agrees),
        cmocka_unit_test(test_chance),
        cmocka_unit_test(test_ln_gamma),
        cmocka_unit_test(test_cells),
    };
    return cmocka_run_group_tests_name("decide", tests, NULL, NULL);
}
