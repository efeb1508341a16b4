/* The decider's memory as bytes: saved and loaded after every entry it decides as if it had never
 * stopped; a replay gives the same bytes; bytes that are not its own are refused or do no harm;
 * every allocation may fail. */
#include "decide_play.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

#define MINUTE INT64_C(60000)

static const char *const negative[] = { "negative" }, *const by_topic[] = { "topic" };
static const char *const mood[] = { "mood" }, *const page[] = { "page", "mail" };
static const char *const quiet[] = { "count" };
static const heed_condition is_negative = { .analysis = "mood", .label = negative, .labels = 1 };
static const heed_rule_cfg rules[] = {
    { .name = "bad \"news\"",
      .kind = "match",
      .when = &is_negative,
      .whens = 1,
      .hold_ms = 20 * MINUTE,
      .to = page,
      .to_len = 2,
      .escalate_ms = 5 * MINUTE,
      .escalate_to = page,
      .escalate_to_len = 1,
      .inhibit = quiet,
      .inhibit_len = 1 },
    { .name = "surge",
      .kind = "surge",
      .when = &is_negative,
      .whens = 1,
      .by = by_topic,
      .by_len = 1,
      .window_ms = 10 * MINUTE,
      .least = 4,
      .p = 1e-3,
      .learn_ms = 600 * MINUTE,
      .hold_ms = 30 * MINUTE,
      .to = page,
      .to_len = 1,
      .grade = "critical" },
    { .name = "daily",
      .kind = "surge",
      .window_ms = 120 * MINUTE,
      .least = 5,
      .p = 1e-2,
      .course = "day",
      .learn_ms = 300 * MINUTE,
      .to = page,
      .to_len = 1,
      .hold_ms = 1 },
    { .name = "count",
      .kind = "count",
      .by = by_topic,
      .by_len = 1,
      .least = 3,
      .hold_ms = 10 * MINUTE,
      .close_ms = 5 * MINUTE,
      .to = page,
      .to_len = 1 },
    { .name = "share",
      .kind = "share",
      .when = &is_negative,
      .whens = 1,
      .of = mood,
      .of_len = 1,
      .least = 8,
      .share = 0.5,
      .hold_ms = 10 * MINUTE,
      .grade = "info" },
};
static const heed_flow flow = {
    .rule = rules, .rules = 5, .zone = "+08:00", .stories = true, .ranking = true
};

static void random_entry(play *p, heed_rng *rng) {
    static const char *const words[] = { "bank", "profit", "falls", "rises", "after", "merger",
                                         "oil",  "court",  "fine",  "12.5",  "$ABC",  "crisis",
                                         "银行", "利润",   "下跌",  "today" };
    static const char *const topics[] = { "topic=finance", "topic=sports", "topic=world" };
    static const char *const moods[] = { "mood=negative", "mood=positive", "mood=?negative" };
    char text[200] = "", body[80];
    const int what = (int)heed_rng_below(rng, 100);
    const int64_t pause = (int64_t)heed_rng_below(rng, what < 3 ? 40000000 : 300000);
    if (what < 80) {
        for (int i = 0; i < 9; i++)
            strcat(text, words[heed_rng_below(rng, i < 5 ? 3 : 16)]), strcat(text, " ");
        for (int i = 0; i < 8; i++) p->vector[i] = heed_rng_normal(rng) / 3;
        p->dim = heed_rng_below(rng, 4) ? 8 : 0;
        const char *topic = topics[heed_rng_below(rng, 3)];
        play_event(p, pause, text, topic, moods[heed_rng_below(rng, 3)], NULL);
        p->dim = 0;
        return;
    }
    const int64_t about = p->seq ? 1 + (int64_t)heed_rng_below(rng, (uint64_t)p->seq) : 1;
    static const char *const votes[] = { "up", "down", "none" };
    static const char *const deeds[] = { "ack", "close", "silence" };
    heed_entry_kind kind = HEED_ENTRY_ACTION;
    if (what < 86) {
        kind = HEED_ENTRY_FEEDBACK;
        snprintf(body, sizeof body, "{\"seq\":%d,\"vote\":\"%s\"}", (int)about,
                 votes[heed_rng_below(rng, 3)]);
    } else if (what < 92) {
        snprintf(body, sizeof body, "{\"do\":\"%s\",\"alert\":%d,\"minutes\":7}",
                 deeds[heed_rng_below(rng, 3)], (int)p->last_alert);
    } else if (what < 95) {
        snprintf(body, sizeof body, "{\"do\":\"split\",\"seq\":%d}", (int)about);
    } else if (what < 98) {
        snprintf(body, sizeof body, "{\"do\":\"undo\",\"entry\":%d}", (int)about);
    } else {
        kind = HEED_ENTRY_TICK;
    }
    play_entry(p, pause, kind, kind == HEED_ENTRY_TICK ? NULL : body);
}

static void run(play *p, int n, int reload_every) {
    heed_rng rng = { .seed = 11 };
    play_open(p, &flow);
    for (int i = 0; i < n; i++) {
        random_entry(p, &rng);
        if (reload_every && i % reload_every == 0) play_reload(p);
    }
}

static void test_reload_after_every_entry(void **state) {
    (void)state;
    play straight, again, reloaded;
    run(&straight, 700, 0);
    run(&again, 700, 0);
    run(&reloaded, 700, 1);
    assert_string_equal(straight.log, again.log);
    assert_string_equal(straight.log, reloaded.log);
    /* a hash of all that was decided: another compiler or machine gives the same; a change of
     * what is decided gives another, and says so in its message */
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (const char *c = straight.log; *c; c++)
        hash = (hash ^ (unsigned char)*c) * UINT64_C(0x100000001b3);
    assert_true(hash == UINT64_C(0xa00dfe27f13ba5d2));
    /* the run has something of everything in it */
    static const char *const parts[] = { "\"fired",  "\"joined",  "\"silence", "\"inhibit",
                                         "chance n", "@story",    "moved",     "escalated",
                                         "again",    "\"hold id", "share n",   "learn left" };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (!strstr(straight.log, parts[i])) fail_msg("no '%s' in the run", parts[i]);
    play_close(&straight);
    play_close(&again);
    play_close(&reloaded);
}

static void saved(char **data, size_t *size) {
    heed_error err;
    play p;
    run(&p, 400, 0);
    assert_int_equal(heed_decider_save(p.d, data, size, &err), 0);
    play_close(&p);
}

/* Loads bytes into a new decider and, where they were believed, goes on for a while. */
static bool load_and_go_on(const char *data, size_t size) {
    heed_error err = { 0 };
    play p;
    play_open(&p, &flow);
    const int status = heed_decider_load(p.d, data, size, &err);
    if (status) {
        assert_int_equal(status, HEED_EFORMAT);
        assert_true(strlen(err.msg) > 10);
    } else {
        heed_rng rng = { .seed = 3 };
        p.seq = 100000;
        for (int i = 0; i < 12; i++) random_entry(&p, &rng);
    }
    play_close(&p);
    return status == 0;
}

static void test_hostile(void **state) {
    (void)state;
    char *data;
    size_t size;
    saved(&data, &size);
    assert_true(load_and_go_on(data, size));
    int believed = 0;
    for (size_t n = 0; n < size; n = n < 2000 ? n + 37 : n + size / 60)
        assert_false(load_and_go_on(data, n));
    heed_rng rng = { .seed = 9 };
    for (int i = 0; i < 500; i++) {
        const size_t at = heed_rng_below(&rng, i % 2 ? size : 40000 < size ? 40000 : size);
        const char was = data[at];
        data[at] = (char)heed_rng_u32(&rng);
        believed += load_and_go_on(data, size);
        data[at] = was;
    }
    assert_true(believed > 20);
    heed__free(NULL, data);
}

static void test_other_rules(void **state) {
    (void)state;
    char *data;
    size_t size;
    heed_error err = { 0 };
    saved(&data, &size);
    heed_rule_cfg changed[5];
    memcpy(changed, rules, sizeof rules);
    heed_flow other = flow;
    other.rule = changed;
    changed[1].p = 1e-9, changed[3].least = 60; /* bounds may move */
    play p;
    play_open(&p, &other);
    assert_int_equal(heed_decider_load(p.d, data, size, &err), 0);
    play_close(&p);
    changed[1].window_ms *= 2; /* what is counted may not */
    play_open(&p, &other);
    assert_int_equal(heed_decider_load(p.d, data, size, &err), HEED_EFORMAT);
    assert_non_null(strstr(err.msg, "replay"));
    play_close(&p);
    heed__free(NULL, data);
}

/* -- memory ---------------------------------------------------------------------------------- */

static int steps(const heed_hooks *hooks, heed_error *err) {
    static const char *const body[] = { "{\"seq\":3,\"vote\":\"up\"}",
                                        "{\"do\":\"ack\",\"alert\":300}",
                                        "{\"do\":\"undo\",\"entry\":13}" };
    heed_decider *d = heed_decider_new(&flow, hooks, err);
    int status = d ? 0 : err->code;
    heed_decisions out;
    for (int i = 1; i < 16 && !status; i++) {
        const heed_finding finding[] = { { .name = "mood", .label = "negative", .confidence = 1 },
                                         { .name = "topic", .label = "a", .confidence = 1 } };
        heed_entry e = { .seq = i, .time_ms = i * 1000000, .text = "one two three four five six" };
        if (i > 12)
            e.kind = i == 13 ? HEED_ENTRY_FEEDBACK : HEED_ENTRY_ACTION, e.body = body[i - 13];
        const heed_seen seen = { .entry = &e, .finding = finding, .findings = i > 12 ? 0 : 2 };
        status = heed_decider_step(d, &seen, &out, err);
    }
    return play_save_and_free(d, &flow, status, hooks, err);
}

static void test_out_of_memory(void **state) {
    (void)state;
    play_without_memory(steps, 50);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reload_after_every_entry),
        cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_other_rules),
        cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests_name("decide_state", tests, NULL, NULL);
}
