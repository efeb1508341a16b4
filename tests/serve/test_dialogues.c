/* test_dialogues.c: past conversations as questions with their best replies. */
#include "cmocka_all.h"

#include <string.h>

#include "serve/dialogues.h"

#define FOLDER "tests/serve/data/dialogues/"

typedef struct expected {
    const char *question, *reply, *intent;
    int64_t times, replies;
} expected;

static void holds(const char *file, const expected *e, int64_t n, heed_dialogues_count count) {
    heed_error err = { 0 };
    const heed_pair *p;
    int64_t len;
    heed_dialogues *d = heed_dialogues_new(NULL, &err);
    assert_non_null(d);
    if (heed_dialogues_read(d, file, &err)) fail_msg("%s", err.msg);
    assert_int_equal(heed_dialogues_merge(d, &p, &len, &err), 0);
    assert_int_equal(len, n);
    for (int64_t i = 0; i < n; i++) {
        assert_string_equal(p[i].question, e[i].question);
        assert_string_equal(p[i].reply, e[i].reply);
        if (e[i].intent)
            assert_string_equal(p[i].intent, e[i].intent);
        else
            assert_null(p[i].intent);
        assert_int_equal(p[i].times, e[i].times);
        assert_int_equal(p[i].replies, e[i].replies);
    }
    const heed_dialogues_count c = heed_dialogues_counted(d);
    assert_int_equal(c.conversations, count.conversations);
    assert_int_equal(c.pairs, count.pairs);
    assert_int_equal(c.small_talk, count.small_talk);
    assert_int_equal(c.merged, count.merged);
    heed_dialogues_free(d);
}
#define HOLDS(file, e, ...)                                                                        \
    holds(FOLDER file, e, (int64_t)(sizeof(e) / sizeof *(e)), (heed_dialogues_count){ __VA_ARGS__ })

static void lists_of_messages(void **state) {
    (void)state;
    static const expected e[] = {
        { "Where is my order?", "On its way.", NULL, 2, 2 }, /* it was thanked for */
        { "Can I pay by card?", "Yes, by every card.", NULL, 1, 1 },
        { "where are my orders", "No idea.", NULL, 1, 1 },
    };
    HOLDS("messages.jsonl", e, .conversations = 3, .pairs = 4, .small_talk = 2, .merged = 1);
}

static void rows_of_conversations(void **state) {
    (void)state;
    static const expected e[] = {
        { "Do you ship to \"Mars\", or not?", "Not yet,\nbut soon.", NULL, 1, 1 },
        { "how do I return a parcel\nit is too large", "Put it back into its box.", NULL, 1, 1 },
    };
    HOLDS("rows.csv", e, .conversations = 3, .pairs = 2);
}

static void pairs(void **state) {
    (void)state;
    /* each reply was given once: the one most like the others */
    static const expected e[] = { { "what are the fees?", "There are none.", "fees", 3, 3 } };
    HOLDS("pairs.tsv", e, .pairs = 3, .merged = 2);
}

static void wrong_files(void **state) {
    (void)state;
    static const char *const files[][2] = {
        { FOLDER "none.csv", "none.csv" },
        { FOLDER "bad_message.jsonl", "bad_message.jsonl:1: message 1 has no text" },
        { FOLDER "bad_columns.csv", "bad_columns.csv: neither conversations" },
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        heed_error err = { 0 };
        heed_dialogues *d = heed_dialogues_new(NULL, &err);
        assert_non_null(d);
        assert_true(heed_dialogues_read(d, files[i][0], &err) < 0);
        if (!strstr(err.msg, files[i][1])) fail_msg("%s", err.msg);
        heed_dialogues_free(d);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_of_messages),
        cmocka_unit_test(rows_of_conversations),
        cmocka_unit_test(pairs),
        cmocka_unit_test(wrong_files),
    };
    return cmocka_run_group_tests_name("dialogues", tests, NULL, NULL);
}
