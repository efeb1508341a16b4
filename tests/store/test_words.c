/* Texts cut into words, and the full-text index held against a plain scan of the texts. */
#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "store/words.h"
#include "store_tools.h"

static int show(void *user, const char *word, int len, int begin, int end) {
    char *to = user;
    const size_t at = strlen(to);
    snprintf(to + at, 1024 - at, "%s%.*s@%d-%d", at ? " " : "", len, word, begin, end);
    return 0;
}

static const char *cut(const char *text, bool query) {
    static char got[1024];
    got[0] = 0;
    assert_int_equal(heed__words(text, (int)strlen(text), query, show, got), 0);
    return got;
}

static void test_cut(void **state) {
    (void)state;
    assert_string_equal(cut("Where's MY card?", false), "where@0-5 s@6-7 my@8-10 card@11-15");
    assert_string_equal(cut("", false), "");
    assert_string_equal(cut(" ?!", false), "");
    assert_string_equal(cut("Café CAFÉ cafe\xcc\x81", false), "cafe@0-5 cafe@6-11 cafe@12-18");
    assert_string_equal(cut("Straße ﬁn", false), "strasse@0-7 fin@8-12");
    assert_string_equal(cut("ｉＰｈｏｎｅ１２", false), "iphone12@0-24");
    assert_string_equal(cut("中国人", false), "中国@0-6 国人@3-9 人@6-9");
    assert_string_equal(cut("中国人", true), "中国@0-6 国人@3-9");
    assert_string_equal(cut("中国人a", true), "中国@0-6 国人@3-9 人@6-9 a@9-10");
    assert_string_equal(cut("中国人？", true), "中国@0-6 国人@3-9");
    assert_string_equal(cut("中", true), "中@0-3");
    assert_string_equal(cut("买iPhone手机吧", false),
                        "买@0-3 iphone@3-9 手机@9-15 机吧@12-18 吧@15-18");
    assert_string_equal(cut("ガス", false), "ガス@0-6 ス@3-6"); /* the voicing counts */
    assert_string_equal(cut("한국어", false), "한국@0-6 국어@3-9 어@6-9");
    assert_string_equal(cut("2024年3月", false), "2024@0-4 年@4-7 3@7-8 月@8-11");
    assert_string_equal(cut("so 😡!", false), "so@0-2 😡@3-7");
    assert_string_equal(cut("हिन्दी", false), "हिन्दी@0-18"); /* vowel signs are of the word */
    assert_string_equal(cut("Ёлка ΆΛΦΑ", false), "елка@0-8 αλφα@9-17");
    assert_string_equal(cut("a\xff"
                            "b",
                            false),
                        "a@0-1 b@2-3");
    assert_string_equal(cut("soft\xc2\xadware", false), "software@0-10");
}

static void test_long_words(void **state) {
    (void)state;
    char text[5000], got[1024];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = 0;
    got[0] = 0;
    heed__words(text, (int)sizeof text - 1, false, show, got);
    assert_non_null(strstr(got, "@0-4999"));
}

static void same_query(const char *text, bool any, const char *want) {
    char *q = heed__words_query(NULL, text, any, &err_);
    assert_string_equal(q, want);
    heed__free(NULL, q);
}

static void test_query(void **state) {
    (void)state;
    same_query("lost card", false, "\"lost\" AND \"card\"");
    same_query("lost card", true, "\"lost\" OR \"card\"");
    same_query("\"lost card\" now", false, "\"lost card\" AND \"now\"");
    same_query("NEAR(a b) OR * -x title:y", false,
               "\"NEAR(a\" AND \"b)\" AND \"OR\" AND \"-x\" AND \"title:y\"");
    same_query("open\"quote", false, "\"open\" AND \"quote\"");
    same_query("\"", false, "\"\"");
    same_query("?! \"--\"", false, "\"\"");
    same_query("中", false, "\"中\" *");
    same_query("中国", false, "\"中国\"");
    same_query("a中", false, "\"a中\" *");
    same_query("中a", false, "\"中a\"");
}

/* -- the index and a scan --------------------------------------------------------------------- */

enum { TEXTS = 1500 };
static char text_of[TEXTS][256];

/* Texts of few different characters, so that queries hit and nearly hit. */
static void make_text(heed_rng *rng, char *to, int most) {
    static const char *const piece[] = { "中", "国", "人", "民",   "银",   "行",   "卡",
                                         "，", " ",  " ",  "card", "bank", "Card", "a",
                                         "b",  "1",  "。", "😡",    "é",    "カ" };
    size_t len = 0;
    to[0] = 0;
    for (int64_t i = 1 + (int64_t)heed_rng_below(rng, (uint64_t)most); i > 0; i--)
        len += (size_t)snprintf(to + len, 256 - len, "%s", piece[heed_rng_below(rng, 20)]);
}

static void fill(heed_store *s, heed_rng *rng) {
    static heed_entry e[TEXTS];
    for (int i = 0; i < TEXTS; i++) {
        make_text(rng, text_of[i], 30);
        e[i] = (heed_entry){ .source = "t", .text = text_of[i] };
    }
    must(heed_store_append(s, e, TEXTS, 1, &err));
    commit_all(s);
}

/* For a query of joined characters alone: the very texts that contain it. */
static void test_against_scan(void **state) {
    heed_store *s = *state;
    heed_rng rng = { .seed = 5 };
    fill(s, &rng);
    static const char *const one[] = { "中", "国", "人", "民", "银", "行", "卡", "カ" };
    int64_t hits = 0;
    for (int q = 0; q < 400; q++) {
        char query[64] = "", want[8192] = "";
        const int len = 1 + q % 4;
        for (int i = 0; i < len; i++) strcat(query, one[heed_rng_below(&rng, 8)]);
        size_t at = 0;
        for (int i = TEXTS; i-- > 0;)
            if (strstr(text_of[i], query))
                at += (size_t)snprintf(want + at, sizeof want - at, "%s%d", at ? " " : "", i + 1),
                    hits++;
        heed_look look = { .text = query, .most = 1000 };
        const char *got = seqs_of(heed_look_events(s, &look, &err_));
        if (strcmp(got, want) != 0) fail_msg("%s: %s, not %s", query, got, want);
    }
    assert_true(hits > 5000);
}

/* A query cut out of a text at words finds that text, whatever is in it. */
static void test_finds_parts(void **state) {
    heed_store *s = *state;
    heed_rng rng = { .seed = 6 };
    fill(s, &rng);
    for (int q = 0; q < 500; q++) {
        const int i = (int)heed_rng_below(&rng, TEXTS);
        char query[256] = "\"", seq[16], words[1024];
        strcat(query, text_of[i]);
        strcat(query, "\"");
        strcpy(words, cut(text_of[i], true));
        if (!words[0]) continue;
        heed_look look = { .text = query, .most = 1000 };
        json_t *found = heed_look_events(s, &look, &err_);
        snprintf(seq, sizeof seq, " %d ", i + 1);
        char list[8300];
        snprintf(list, sizeof list, " %s ", seqs_of(found));
        if (!strstr(list, seq)) fail_msg("%s is not found", text_of[i]);
    }
}

/* Whatever is typed is no error, and hits are marked where the words are. */
static void test_hostile_queries(void **state) {
    heed_store *s = *state;
    heed_rng rng = { .seed = 7 };
    fill(s, &rng);
    static const char *const piece[] = { "\"",   "'", "*",     "(", ")",  "AND", "OR", "NOT",
                                         "NEAR", ":", "^",     "-", "+",  " ",   "中", "card",
                                         "{",    "}", "title", ";", "--", "\\",  "%" };
    for (int q = 0; q < 2000; q++) {
        char text[256] = "";
        for (int64_t i = (int64_t)heed_rng_below(&rng, 12); i >= 0; i--)
            strcat(text, piece[heed_rng_below(&rng, 23)]);
        heed_look look = { .text = text, .most = 3 };
        json_t *found = heed_look_search(s, &look, NULL, 0, &err_);
        if (!found) fail_msg("%s: %s", text, err_.msg);
        size_t i, k;
        json_t *hit, *span;
        json_array_foreach(json_object_get(found, "hits"), i, hit) {
            bool marked = false;
            char whole[600] = "";
            json_array_foreach(json_object_get(hit, "snippet"), k, span) {
                marked |= json_is_true(json_object_get(span, "hit"));
                strcat(whole, json_string_value(json_object_get(span, "text")));
            }
            assert_true(marked);
            json_t *event = json_object_get(hit, "event");
            assert_string_equal(whole, json_string_value(json_object_get(event, "text")));
        }
        json_decref(found);
    }
}

static void test_snippet_of_long_text(void **state) {
    heed_store *s = *state;
    char text[9000] = "";
    for (int i = 0; i < 400; i++) strcat(text, i == 300 ? "the needle " : "some hay 和草 ");
    append_text(s, text);
    commit_all(s);
    heed_look look = { .text = "needle" };
    json_t *found = heed_look_search(s, &look, NULL, 0, &err_);
    json_t *spans = json_object_get(json_array_get(json_object_get(found, "hits"), 0), "snippet");
    size_t i, size = 0;
    json_t *span;
    json_array_foreach(spans, i, span) size += json_string_length(json_object_get(span, "text"));
    assert_true(size < 220);
    assert_string_equal(json_string_value(json_object_get(json_array_get(spans, 0), "text")), "…");
    assert_string_equal(json_string_value(json_object_get(json_array_get(spans, 2), "text")),
                        "needle");
    assert_true(json_is_true(json_object_get(json_array_get(spans, 2), "hit")));
    json_decref(found);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_long_words),
        cmocka_unit_test(test_query),
        EACH_STORE(test_against_scan),
        EACH_STORE(test_finds_parts),
        EACH_STORE(test_hostile_queries),
        EACH_STORE(test_snippet_of_long_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
