/* test_words.c: UTF-8, words and vocabulary. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/text.h"
#include "text/letters.h"
#include "text/vocab.h"
#include "text/words.h"

static void utf8_round_trips_every_code_point(void **state) {
    (void)state;
    for (uint32_t c = 1; c <= 0x10ffff; c++) {
        if (c >= 0xd800 && c <= 0xdfff) continue;
        char out[4];
        uint32_t back = 0;
        const size_t n = heed__utf8_put(c, out);
        if (heed__utf8_next(out, n, &back) != n || back != c) fail_msg("U+%04X", (unsigned)c);
    }
}

static void small_letters(void **state) {
    (void)state;
    static const uint32_t pairs[][2] = { { 'A', 'a' },      { 'Z', 'z' },     { 0xc4, 0xe4 },
                                         { 0xd7, 0xd7 },    { 0x391, 0x3b1 }, { 0x410, 0x430 },
                                         { 0x401, 0x451 },  { 0x10c, 0x10d }, { 0x141, 0x142 },
                                         { 0x17d, 0x17e },  { 'a', 'a' },     { 0x149, 0x149 },
                                         { 0xff21, 0xff41 } };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        assert_int_equal(heed__lower(pairs[i][0]), pairs[i][1]);
}

static void check_words(const char *text, const char *const *want, int n) {
    heed_word w;
    size_t at = 0;
    int i = 0;
    for (; heed__word_next(text, strlen(text), &at, &w); i++) {
        assert_true(i < n);
        assert_int_equal(w.len, strlen(want[i]));
        assert_memory_equal(w.form, want[i], (size_t)w.len);
        assert_true(w.begin < w.end && w.end <= strlen(text));
    }
    assert_int_equal(i, n);
}

static void words_are_cut(void **state) {
    (void)state;
    check_words("My card's\tLOST!", (const char *[]){ "my", "card", "'", "s", "lost", "!" }, 6);
    check_words("我的卡 丢了a1", (const char *[]){ "我", "的", "卡", "丢", "了", "a1" }, 6);
    check_words("  \xff bad\xfe"
                "byte ",
                (const char *[]){ "bad", "byte" }, 2);
    check_words("", NULL, 0);
    check_words("Über CAFÉ", (const char *[]){ "über", "café" }, 2);
}

static void a_word_without_end_is_cut(void **state) {
    (void)state;
    char text[4000];
    memset(text, 'x', sizeof text);
    heed_word w;
    size_t at = 0;
    assert_true(heed__word_next(text, sizeof text, &at, &w));
    assert_int_equal(w.len, HEED_WORD_BYTES);
    assert_int_equal(w.end, sizeof text);
    assert_false(heed__word_next(text, sizeof text, &at, &w));
    /* where a character has no room the form ends, though a shorter one after it would have */
    memcpy(text + HEED_WORD_BYTES - 1, "\xc3\xa9", 2);
    at = 0;
    assert_true(heed__word_next(text, sizeof text, &at, &w));
    assert_int_equal(w.len, HEED_WORD_BYTES - 1);
    assert_int_equal(w.end, sizeof text);
}

static heed_vocab *counted(int64_t keep) {
    static const char *const words[] = { "b", "a", "c", "a", "b", "d", "a" };
    heed_vocab *v = heed__vocab_new(NULL, NULL);
    for (size_t i = 0; i < 7; i++) assert_int_equal(heed__vocab_count(v, words[i], 1), 0);
    assert_int_equal(heed__vocab_finish(v, keep), 0);
    return v;
}

static void vocab_ranks_by_count_then_bytes(void **state) {
    (void)state;
    heed_vocab *v = counted(5);
    assert_int_equal(heed__vocab_len(v), 5);
    assert_int_equal(heed__vocab_find(v, "a", 1), 2);
    assert_int_equal(heed__vocab_find(v, "b", 1), 3);
    assert_int_equal(heed__vocab_find(v, "c", 1), 4);
    assert_int_equal(heed__vocab_find(v, "d", 1), HEED_VOCAB_UNKNOWN);
    heed__vocab_free(v);
}

static void vocab_text_opens_again(void **state) {
    (void)state;
    heed_vocab *v = counted(100);
    size_t size = 0;
    char *text = heed__vocab_text(v, &size);
    assert_int_equal(size, 8);
    assert_memory_equal(text, "a\nb\nc\nd\n", 8);
    heed_error err = { 0 };
    heed_vocab *w = heed__vocab_parse(text, size, "vocab.txt", NULL, &err);
    assert_non_null(w);
    assert_int_equal(heed__vocab_find(w, "d", 1), 5);
    assert_null(heed__vocab_parse("a\nb\na\n", 6, "vocab.txt", NULL, &err));
    assert_string_equal(err.msg, "vocab.txt:3: a repeated word");
    assert_null(heed__vocab_parse("a\n\nb", 4, "vocab.txt", NULL, &err));
    assert_string_equal(err.msg, "vocab.txt:2: an empty line");
    assert_null(heed__vocab_parse("a\nb\r\n", 5, "vocab.txt", NULL, &err));
    assert_string_equal(err.msg, "vocab.txt:2: not UTF-8, or a control character");
    assert_null(heed__vocab_parse("\xc3\n", 2, "vocab.txt", NULL, &err));
    assert_string_equal(err.msg, "vocab.txt:1: not UTF-8, or a control character");
    heed__free(NULL, text);
    heed__vocab_free(v);
    heed__vocab_free(w);
}

static void an_empty_vocab_knows_nothing(void **state) {
    (void)state;
    heed_vocab *v = heed__vocab_new(NULL, NULL);
    assert_int_equal(heed__vocab_finish(v, 10), 0);
    assert_int_equal(heed__vocab_find(v, "a", 1), HEED_VOCAB_UNKNOWN);
    assert_int_equal(heed__vocab_len(v), 2);
    heed__vocab_free(v);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(utf8_round_trips_every_code_point),
        cmocka_unit_test(small_letters),
        cmocka_unit_test(words_are_cut),
        cmocka_unit_test(a_word_without_end_is_cut),
        cmocka_unit_test(vocab_ranks_by_count_then_bytes),
        cmocka_unit_test(vocab_text_opens_again),
        cmocka_unit_test(an_empty_vocab_knows_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
