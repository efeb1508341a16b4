/* Stories folded and what deserves attention: which texts are the same one told again, splitting
 * and its undo; ranks that learn from votes, and votes undone to the bit. */
#include "decide_play.h"

#include <stdlib.h>
#include <string.h>

#define HOUR INT64_C(3600000)

static const heed_flow stories = { .stories = true };

static void test_same_story(void **state) {
    (void)state;
    static const char *const pairs[][2] = {
        { "Fed raises rates by a quarter point, signals two more",
          "Fed raises rates by a quarter point, signals two more - Reuters" },
        { "Alibaba's books close early in $13.4 billion Hong Kong listing: sources",
          "Alibaba's books close early in $13.4 bln Hong Kong listing -sources" },
        { "Ericsson Pulls Out of Biggest Mobile Event Due to Virus https://t.co/abc12",
          "ERICSSON pulls out of biggest mobile event due to virus…" },
        { "央行宣布下调存款准备金率0.5个百分点",
          "【快讯】央行宣布下调存款准备金率0.5个百分点（图）" },
        { "Ａｐｐｌｅ to close all stores in China until next week",
          "Apple to close all stores in China until next week" },
    };
    static const char *const others[][2] = {
        { "Brixmor Property declares $0.285 dividend",
          "Brixmor Property declares $0.305 dividend" },
        { "$AAPL price target raised at Piper Jaffray",
          "$MSFT price target raised at Piper Jaffray" },
        { "Berry Petroleum downgraded to underweight from sector weight at KeyBanc",
          "Macerich downgraded to underweight from sector weight at KeyBanc" },
        { "10月25日天琪早盘分析摘要", "10月10日天琪早盘分析摘要" },
        { "ok thanks", "ok thanks" }, /* too short to be a story */
    };
    play p;
    play_open(&p, &stories);
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        const int64_t first = play_event(&p, 1000, pairs[i][0], NULL, NULL, NULL);
        assert_int_equal(p.out.story, first);
        play_event(&p, 1000, pairs[i][1], NULL, NULL, NULL);
        if (p.out.story != first) fail_msg("not folded: %s", pairs[i][1]);
        assert_non_null(strstr(p.gates, "\"@story\":{\"of\":"));
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        play_event(&p, 1000, others[i][0], NULL, NULL, NULL);
        const int64_t second = play_event(&p, 1000, others[i][1], NULL, NULL, NULL);
        if (p.out.story != second) fail_msg("folded: %s", others[i][1]);
    }
    play_close(&p);
}

static void test_time_passes(void **state) {
    (void)state;
    static const char text[] = "storm closes the harbour for the third day in a row";
    heed_flow flow = stories;
    flow.story_ms = 10 * HOUR;
    play p;
    play_open(&p, &flow);
    play_event(&p, 0, text, NULL, NULL, NULL);
    play_event(&p, 9 * HOUR, text, NULL, NULL, NULL);
    assert_int_equal(p.out.story, 1);
    play_event(&p, 2 * HOUR, text, NULL, NULL, NULL); /* by the first telling's time */
    assert_int_equal(p.out.story, 3);
    play_close(&p);
}

static void test_split_and_undo(void **state) {
    (void)state;
    static const char text[] = "minister resigns after the vote of no confidence on monday";
    play p;
    play_open(&p, &stories);
    play_event(&p, 0, text, NULL, NULL, NULL);
    play_event(&p, 0, text, NULL, NULL, NULL);
    play_entry(&p, 0, HEED_ENTRY_ACTION, "{\"do\":\"split\",\"seq\":2}");
    assert_int_equal(p.out.moves, 1);
    assert_int_equal(p.out.moved[0].seq, 2);
    assert_int_equal(p.out.moved[0].story, 2);
    play_reload(&p);
    play_entry(&p, 0, HEED_ENTRY_ACTION, "{\"do\":\"undo\",\"entry\":3}");
    assert_int_equal(p.out.moved[0].story, 1);
    play_entry(&p, 0, HEED_ENTRY_ACTION, "{\"do\":\"undo\",\"entry\":4}");
    assert_int_equal(p.out.moved[0].story, 2);
    play_entry(&p, 0, HEED_ENTRY_ACTION, "{\"do\":\"split\",\"seq\":2}"); /* it is one already */
    assert_int_equal(p.out.moves, 0);
    play_close(&p);
}

/* Other words, one meaning: cosine and some words in common. */
static void test_vectors(void **state) {
    (void)state;
    play p;
    play_open(&p, &stories);
    p.dim = 8;
    for (int i = 0; i < 8; i++) p.vector[i] = 0.35355339F;
    play_event(&p, 0, "central bank lowers key rate to fight the slump", NULL, NULL, NULL);
    play_event(&p, 0, "the central bank cuts key rate against slump", NULL, NULL, NULL);
    assert_int_equal(p.out.story, 1);
    for (int i = 0; i < 4; i++) p.vector[i] = -p.vector[i];
    play_event(&p, 0, "the central bank cuts key rate against slump", NULL, NULL, NULL);
    assert_int_equal(p.out.story, 3);
    play_close(&p);
}

/* -- ranking --------------------------------------------------------------------------------- */

static const char *const negative[] = { "negative" };
static const heed_condition bad = { .analysis = "mood", .label = negative, .labels = 1 };
static const heed_rule_cfg rule = {
    .name = "bad", .kind = "match", .when = &bad, .whens = 1, .grade = "critical"
};
static const heed_flow ranked = { .rule = &rule, .rules = 1, .ranking = true };

static double rank_of(play *p, const char *topic) {
    play_event(p, 0, "x", topic, NULL, NULL);
    return p->out.rank;
}

static void vote(play *p, int64_t seq, const char *way) {
    char body[64];
    snprintf(body, sizeof body, "{\"seq\":%d,\"vote\":\"%s\"}", (int)seq, way);
    play_entry(p, 0, HEED_ENTRY_FEEDBACK, body);
}

static int64_t undo(play *p, int64_t entry) {
    char body[64];
    snprintf(body, sizeof body, "{\"do\":\"undo\",\"entry\":%d}", (int)entry);
    return play_entry(p, 0, HEED_ENTRY_ACTION, body);
}

static void test_rank_learns(void **state) {
    (void)state;
    play p;
    play_open(&p, &ranked);
    assert_true(rank_of(&p, "mood=negative") > 0.7); /* a critical alert, before any vote */
    const double before = rank_of(&p, "topic=sports");
    assert_true(before < 0.3);
    assert_true(rank_of(&p, "topic=oil") == before);
    for (int i = 0; i < 6; i++) {
        vote(&p, play_event(&p, 0, "x", "topic=oil", NULL, NULL), "up");
        vote(&p, play_event(&p, 0, "x", "topic=sports", NULL, NULL), "down");
    }
    assert_true(rank_of(&p, "topic=oil") > 0.5);
    assert_non_null(strstr(p.gates, "[\"topic=oil\","));
    assert_true(rank_of(&p, "topic=sports") < 0.3);
    play_close(&p);
}

static void test_undo_to_the_bit(void **state) {
    (void)state;
    play p;
    double ranks[40];
    int64_t votes[40];
    play_open(&p, &ranked);
    static const char *const topics[] = { "topic=a", "topic=b", "topic=c" };
    for (int i = 0; i < 40; i++) {
        ranks[i] = rank_of(&p, "topic=a");
        const int64_t seq = play_event(&p, 0, "x", topics[i % 3], NULL, NULL);
        vote(&p, seq, i % 4 ? "up" : "down");
        votes[i] = p.seq;
    }
    const double last = rank_of(&p, "topic=a");
    for (int i = 40; i-- > 0;) {
        undo(&p, votes[i]);
        assert_true(rank_of(&p, "topic=a") == ranks[i]);
        if (i == 20) play_reload(&p);
    }
    for (int i = 0; i < 40; i++) undo(&p, votes[i]); /* undone already: nothing */
    assert_true(rank_of(&p, "topic=a") == ranks[0]);
    play_close(&p);
    /* a vote in the middle undone: as if it had never been; its undoing undone: as it was */
    play_open(&p, &ranked);
    int64_t seq = 0;
    for (int i = 0; i < 10; i++) {
        seq = play_event(&p, 0, "x", topics[i % 3], NULL, NULL);
        if (i != 4) vote(&p, seq, i % 4 ? "up" : "down");
    }
    const double without = rank_of(&p, "topic=b");
    play_close(&p);
    play_open(&p, &ranked);
    int64_t middle = 0;
    for (int i = 0; i < 10; i++) {
        seq = play_event(&p, 0, "x", topics[i % 3], NULL, NULL);
        vote(&p, seq, i % 4 ? "up" : "down");
        if (i == 4) middle = p.seq;
    }
    const double with = rank_of(&p, "topic=b");
    assert_true(with != without);
    const int64_t undoing = undo(&p, middle);
    assert_true(rank_of(&p, "topic=b") == without);
    undo(&p, undoing);
    assert_true(rank_of(&p, "topic=b") == with);
    vote(&p, middle - 1, "none"); /* taken back by voting */
    assert_true(rank_of(&p, "topic=b") == without);
    assert_true(last > 0);
    play_close(&p);
}

/* More votes than can be undone: the oldest are settled, the rest still undone to the bit. */
static void test_many_votes(void **state) {
    (void)state;
    play p;
    play_open(&p, &ranked);
    double before = 0;
    for (int i = 0; i < 4300; i++) {
        if (i == 4299) before = rank_of(&p, "topic=a");
        vote(&p, play_event(&p, 0, "x", i % 3 ? "topic=a" : "topic=b", NULL, NULL),
             i % 5 ? "up" : "down");
    }
    undo(&p, p.seq);
    assert_true(rank_of(&p, "topic=a") == before);
    play_close(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_story),     cmocka_unit_test(test_time_passes),
        cmocka_unit_test(test_split_and_undo), cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_rank_learns),    cmocka_unit_test(test_undo_to_the_bit),
        cmocka_unit_test(test_many_votes),
    };
    return cmocka_run_group_tests_name("decide_story", tests, NULL, NULL);
}
