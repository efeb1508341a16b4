/* test_tokenizer.c: a tokenizer.json cut at every byte, with bits flipped, and with each part made
 * wrong: it opens or is refused in one sentence that names the place; what opens can be used. And
 * texts and patterns that are made to take for ever. */
#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "heed/text.h"

static char *json;
static size_t json_size;

/* Opens the bytes and uses what opens; returns the status. */
static int try(const char *bytes, size_t size, const char *text) {
    heed_error err = { 0 };
    heed_tokenizer *tok = heed_tokenizer_from(bytes, size, "x.json", NULL, &err);
    if (!tok) {
        assert_true(err.code < 0 && strncmp(err.msg, "x.json", 6) == 0);
        return err.code;
    }
    heed_encoding e = { 0 };
    heed_string out = { 0 };
    int rc = heed_tokenizer_encode(tok, text, strlen(text), NULL, &e, &err);
    for (int64_t i = 0; i < e.len; i++) {
        assert_true(e.begin[i] <= e.end[i] && e.end[i] <= strlen(text));
        assert_true(e.id[i] >= 0);
    }
    if (rc == 0) rc = heed_tokenizer_decode(tok, e.id, e.len, false, &out, &err);
    if (rc) assert_true(rc == err.code && err.msg[0]);
    heed_string_free(&out);
    heed_encoding_free(&e);
    heed_tokenizer_close(tok);
    return rc;
}

static void test_cut(void **state) {
    (void)state;
    assert_int_equal(try(json, json_size, "Hello, [MASK] caf\xc3\xa9"), 0);
    for (size_t n = 0; n + 2 < json_size; n++) {
        char *copy = malloc(n ? n : 1); /* of its own, so that reading past it is seen */
        memcpy(copy, json, n);
        assert_int_equal(try(copy, n, "x"), HEED_EFORMAT);
        free(copy);
    }
}

static void test_flipped(void **state) {
    (void)state;
    heed_rng rng = { 7, 0, 0 };
    char *copy = malloc(json_size);
    int opened = 0;
    for (int i = 0; i < 3000; i++) {
        memcpy(copy, json, json_size);
        for (int k = 0; k < 1 + i % 3; k++)
            copy[heed_rng_below(&rng, json_size)] ^= (char)(1 << heed_rng_below(&rng, 8));
        opened += try(copy, json_size, "Hello, [MASK] unaffable \xe6\x97\xa5 !") == 0;
    }
    free(copy);
    assert_true(opened > 100 && opened < 2900);
}

/* A tokenizer of this part and a model that knows single letters. */
static int open_part(const char *part, const char *text, heed_error *err) {
    char all[4096];
    const int n = snprintf(all, sizeof all,
                           "{\"version\": \"1.0\", %s, \"model\": {\"type\": \"WordLevel\", "
                           "\"unk_token\": \"?\", \"vocab\": {\"?\": 0, \"a\": 1}}}",
                           part);
    assert_true(n > 0 && n < (int)sizeof all);
    heed_tokenizer *tok = heed_tokenizer_from(all, (size_t)n, "x", NULL, err);
    if (!tok) return err->code;
    heed_encoding e = { 0 };
    heed_string out = { 0 };
    int rc = heed_tokenizer_encode(tok, text, strlen(text), NULL, &e, err);
    if (rc == 0) rc = heed_tokenizer_decode(tok, e.id, e.len, true, &out, err);
    heed_string_free(&out);
    heed_encoding_free(&e);
    heed_tokenizer_close(tok);
    return rc;
}

static void test_wrong_parts(void **state) {
    (void)state;
#define SPLIT(regex)                                                                               \
    "\"pre_tokenizer\": {\"type\": \"Split\", \"pattern\": {\"Regex\": \"" regex                   \
    "\"}, \"behavior\": \"Isolated\", \"invert\": false}"
    static const struct {
        const char *part;
        int status;
        const char *says;
    } wrong[] = {
        { "\"normalizer\": {\"type\": \"NFX\"}", HEED_EUNSUPPORTED,
          "x: normalizer: there is no normalizer 'NFX'" },
        { "\"normalizer\": {}", HEED_EFORMAT, "x: normalizer: type is missing" },
        { "\"normalizer\": [1]", HEED_EFORMAT, "x: normalizer is no object" },
        { "\"normalizer\": {\"type\": \"Sequence\", \"normalizers\": [{\"type\": \"NFC\"}, 1]}",
          HEED_EFORMAT, "x: normalizer[1] is no object" },
        { "\"normalizer\": {\"type\": \"Precompiled\", \"precompiled_charsmap\": \"AA\"}",
          HEED_EFORMAT, "x: normalizer: precompiled_charsmap is not base64" },
        { "\"normalizer\": {\"type\": \"Precompiled\", \"precompiled_charsmap\": \"/////w==\"}",
          HEED_EFORMAT, "x: normalizer: precompiled_charsmap is cut short" },
        { "\"normalizer\": {\"type\": \"Precompiled\", \"longest\": true, \"keep\": [\"b\", \"a\", "
          "\"b\"], "
          "\"precompiled_charsmap\": \"CAAAAAAEAAABAgAAYQBiAA==\"}",
          HEED_EFORMAT, "x: normalizer: keep is not a list of texts, none empty or there twice" },
        { "\"normalizer\": {\"type\": \"Sequence\", \"normalizers\": [], \"touch\": true, "
          "\"whole\": "
          "\"a\"}",
          HEED_EFORMAT, "x: normalizer: whole is not a list of texts, none empty or there twice" },
        { "\"normalizer\": {\"type\": \"Precompiled\", \"longest\": true, \"keep\": [\"a\", \"\"], "
          "\"precompiled_charsmap\": \"CAAAAAAEAAABAgAAYQBiAA==\"}",
          HEED_EFORMAT, "x: normalizer: keep is not a list of texts, none empty or there twice" },
        { "\"normalizer\": {\"type\": \"Precompiled\", \"longest\": true, \"keep\": [\"a\", 1], "
          "\"precompiled_charsmap\": \"CAAAAAAEAAABAgAAYQBiAA==\"}",
          HEED_EFORMAT, "x: normalizer: keep is not a list of texts, none empty or there twice" },
        { "\"pre_tokenizer\": {\"type\": \"Metaspace\", \"replacement\": \"ab\"}", HEED_EFORMAT,
          "x: pre_tokenizer: replacement is not one character" },
        { "\"pre_tokenizer\": {\"type\": \"Punctuation\", \"behavior\": \"Eaten\"}",
          HEED_EUNSUPPORTED, "x: pre_tokenizer: there is no behavior 'Eaten'" },
        { "\"pre_tokenizer\": {\"type\": \"FixedLength\", \"length\": 0}", HEED_EFORMAT,
          "x: pre_tokenizer: length is 0, not 1 to 2147483647" },
        { SPLIT("(a"), HEED_EFORMAT, "x: pre_tokenizer: the regular expression has ( without )" },
        { SPLIT("a)"), HEED_EFORMAT, "x: pre_tokenizer: the regular expression has ) without (" },
        { SPLIT("[a"), HEED_EFORMAT, "x: pre_tokenizer: the regular expression has [ without ]" },
        { SPLIT("*a"), HEED_EFORMAT, "x: pre_tokenizer: the regular expression repeats nothing" },
        { SPLIT("(*FAIL)"), HEED_EFORMAT,
          "x: pre_tokenizer: the regular expression repeats nothing" },
        { SPLIT("\\\\p{Klingon}"), HEED_EUNSUPPORTED,
          "x: pre_tokenizer: the regular expression asks for the property Klingon, which is not "
          "known" },
        { SPLIT("(?~|abc)"), HEED_EUNSUPPORTED,
          "x: pre_tokenizer: the regular expression has a group that begins with (?~|, (?( or "
          "(?y" },
        { SPLIT("(?~a(?~b))"), HEED_EUNSUPPORTED,
          "x: pre_tokenizer: the regular expression has (?~ within (?~" },
        { SPLIT("\\\\c"), HEED_EUNSUPPORTED,
          "x: pre_tokenizer: the regular expression has \\c without a character of ASCII after "
          "it" },
        { SPLIT("\\\\o{8}"), HEED_EFORMAT,
          "x: pre_tokenizer: the regular expression has a wrong code in it" },
        { SPLIT("(?s:a)"), HEED_EUNSUPPORTED,
          "x: pre_tokenizer: the regular expression has an option in (?..) that is not supported" },
        { SPLIT("(?<=a+)b"), HEED_EFORMAT,
          "x: pre_tokenizer: the regular expression does not compile: lookbehind assertion is not "
          "fixed length" },
        { "\"post_processor\": {\"type\": \"Wrap\"}", HEED_EUNSUPPORTED,
          "x: post_processor: there is no post-processor 'Wrap'" },
        { "\"post_processor\": {\"type\": \"BertProcessing\", \"cls\": [\"a\"]}", HEED_EFORMAT,
          "x: post_processor: a special token is not a text and an id" },
        { "\"post_processor\": {\"type\": \"TemplateProcessing\", \"single\": [{\"Sequence\": "
          "{\"id\": \"B\", \"type_id\": 0}}], \"pair\": [], \"special_tokens\": {}}",
          HEED_EFORMAT, "x: post_processor: single asks for a second text" },
        { "\"post_processor\": {\"type\": \"TemplateProcessing\", \"single\": [{\"SpecialToken\": "
          "{\"id\": \"<s>\", \"type_id\": 0}}], \"pair\": [], \"special_tokens\": {}}",
          HEED_EFORMAT, "x: post_processor: special_tokens lacks <s>" },
        { "\"decoder\": {\"type\": \"Strip\", \"content\": \"\", \"start\": 1, \"stop\": 0}",
          HEED_EFORMAT, "x: decoder: content is not one character" },
        { "\"decoder\": {\"type\": \"Metaspace\", \"replacement\": \"_\", \"leading\": \"any\"}",
          HEED_EUNSUPPORTED, "x: decoder: there is no leading 'any'" },
        { "\"truncation\": {\"max_length\": 2, \"stride\": 0, \"strategy\": \"Fair\"}",
          HEED_EUNSUPPORTED, "x: truncation: there is no strategy 'Fair'" },
        { "\"truncation\": {\"max_length\": 2, \"stride\": 2, \"strategy\": \"LongestFirst\"}, "
          "\"pre_tokenizer\": {\"type\": \"Whitespace\"}",
          HEED_EINVALID,
          "truncation: the stride is not less than the room that special tokens leave" },
        { "\"padding\": {\"strategy\": \"Some\", \"pad_id\": 0, \"pad_type_id\": 0, "
          "\"pad_token\": \"\"}",
          HEED_EUNSUPPORTED, "x: padding: strategy is neither BatchLongest nor Fixed" },
        { "\"padding\": {\"strategy\": {\"Fixed\": 2147483647}, \"pad_id\": 0, \"pad_type_id\": 0, "
          "\"pad_token\": \"\"}",
          HEED_EUNSUPPORTED, "padding: more than 268435456 tokens" },
        { "\"truncation\": {\"max_length\": 1, \"stride\": 0, \"strategy\": \"LongestFirst\"}, "
          "\"pre_tokenizer\": {\"type\": \"Whitespace\"}, "
          "\"padding\": {\"strategy\": {\"Fixed\": 2097152}, \"pad_id\": 0, \"pad_type_id\": 0, "
          "\"pad_token\": \"\"}",
          HEED_EUNSUPPORTED, "padding: more than 4194304 tokens of it" },
        { "\"added_tokens\": {}", HEED_EFORMAT, "x: added_tokens is no list" },
        { "\"added_tokens\": [{\"id\": 1}]", HEED_EFORMAT,
          "x: added_tokens[0]: content is missing" },
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        heed_error err = { 0 };
        const int rc = open_part(wrong[i].part, "a b a c", &err);
        if (rc != wrong[i].status || strcmp(err.msg, wrong[i].says) != 0)
            fail_msg("%s: %d, '%s'", wrong[i].part, rc, err.msg);
    }
}

/* Lengths below the number of special tokens cut nothing, as in the reference; their very number
 * leaves them alone, and the text goes to an overflow. */
static void test_less_than_special(void **state) {
    (void)state;
    static const char whole[] =
        "{\"pre_tokenizer\": {\"type\": \"Whitespace\"}, \"post_processor\": {\"type\": "
        "\"BertProcessing\", \"cls\": [\"c\", 1], \"sep\": [\"s\", 2]}, \"model\": {\"type\": "
        "\"WordLevel\", \"unk_token\": \"u\", \"vocab\": {\"u\": 0, \"c\": 1, \"s\": 2, \"a\": "
        "3}}}";
    static const struct {
        int64_t max_len, len, overflow;
        const char *pair;
    } cases[] = {
        { 1, 6, 0, NULL }, { 2, 2, 1, NULL }, { 3, 3, 3, NULL }, { 2, 8, 0, "a" }, { 3, 3, 3, "a" }
    };
    heed_error err = { 0 };
    heed_tokenizer *tok = heed_tokenizer_from(whole, strlen(whole), "x", NULL, &err);
    if (!tok) fail_msg("%s", err.msg);
    heed_encoding e = { 0 };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const heed_encode_cfg cfg = { .max_len = cases[i].max_len,
                                      .pair = cases[i].pair,
                                      .pair_size = cases[i].pair ? 1 : 0 };
        if (heed_tokenizer_encode(tok, "a a a a", 7, &cfg, &e, &err)) fail_msg("%s", err.msg);
        assert_int_equal(e.len, cases[i].len);
        assert_int_equal(e.overflow_len, cases[i].overflow);
    }
    heed_encoding_free(&e);
    heed_tokenizer_close(tok);
}

/* Where the pieces end, as the reference cuts. */
static void test_patterns(void **state) {
    (void)state;
    static const struct {
        const char *part;
        size_t end[12];
    } cases[] = {
        { SPLIT("\\\\cA|\\\\C-g"), { 2, 3, 6, 7, 25 } },
        { SPLIT("\\\\o{101}"), { 5, 6, 25 } },
        { SPLIT("[\\\\o{170}-\\\\o{171}\\\\c?]+"), { 7, 8, 15, 16, 20, 21, 22, 23, 24, 25 } },
        { SPLIT("/\\\\*(?~\\\\*/)\\\\*/"), { 8, 15, 25 } },
        { SPLIT("x(?~b|c)+y"), { 25 } },
        { SPLIT("(?i)a(?~B)c"), { 5, 12, 25 } },
        { SPLIT("(?~ab)"), { 1, 25 } },
    };
    static const char text[] = "ab\001c A\007x/* c */y**/axbyc\177";
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char whole[400];
        snprintf(whole, sizeof whole,
                 "{%s, \"model\": {\"type\": \"WordLevel\", \"unk_token\": \"u\", \"vocab\": "
                 "{\"u\": 0}}}",
                 cases[i].part);
        heed_error err = { 0 };
        heed_tokenizer *tok = heed_tokenizer_from(whole, strlen(whole), "x", NULL, &err);
        if (!tok) fail_msg("%s: %s", cases[i].part, err.msg);
        heed_encoding e = { 0 };
        assert_int_equal(heed_tokenizer_encode(tok, text, sizeof text - 1, NULL, &e, &err), 0);
        for (int64_t k = 0; k < e.len; k++)
            if (e.end[k] != cases[i].end[k])
                fail_msg("%s: piece %lld ends at %zu", cases[i].part, (long long)k, e.end[k]);
        assert_int_equal(e.end[e.len - 1], sizeof text - 1);
        heed_encoding_free(&e);
        heed_tokenizer_close(tok);
    }
}

/* Patterns that try every way to cut the text end in an error. */
static void test_bombs(void **state) {
    (void)state;
    static const char *const bombs[] = { "(a+)+$", "(a|aa)+$", "(a*)*b\\\\1",
                                         "^(([a-z])+.)+[A-Z]$" };
    char text[80];
    memset(text, 'a', sizeof text - 2);
    strcpy(text + sizeof text - 2, "!");
    for (size_t i = 0; i < sizeof bombs / sizeof *bombs; i++) {
        char part[300];
        heed_error err = { 0 };
        snprintf(part, sizeof part,
                 "\"normalizer\": {\"type\": \"Replace\", \"pattern\": {\"Regex\": \"%s\"}, "
                 "\"content\": \"\"}",
                 bombs[i]);
        if (open_part(part, text, &err) == 0) continue; /* PCRE2 sees through it */
        assert_int_equal(err.code, HEED_EUNSUPPORTED);
        assert_string_equal(
            err.msg, "x: normalizer: the regular expression takes too many steps on this text");
    }
}

/* What grows without end is told, not done. */
static void test_growth(void **state) {
    (void)state;
    char part[4000] = "\"normalizer\": {\"type\": \"Sequence\", \"normalizers\": [";
    for (int i = 0; i < 30; i++)
        snprintf(part + strlen(part), sizeof part - strlen(part),
                 "%s{\"type\": \"Replace\", \"pattern\": {\"String\": \"a\"}, \"content\": "
                 "\"aaaaaaaaaaaaaaaa\"}",
                 i ? ", " : "");
    strcat(part, "]}");
    heed_error err = { 0 };
    const int rc = open_part(part, "a", &err);
    assert_int_equal(rc, HEED_EUNSUPPORTED);
    assert_string_equal(err.msg, "a text that normalization makes too long");
}

/* The bytes of an unknown character are spelled as the vocabulary has them; an unknown token as the
 * text is. */
static void test_spelled(void **state) {
    (void)state;
    static const char tree[] =
        "{\"model\":{\"type\":\"Unigram\",\"unk_id\":0,\"byte_fallback\":true,\"vocab\":["
        "[\"<unk>\",0],[\"a\",-1.5],[\"<0xC3>\",0],[\"<0xA9>\",0]]}}";
    static const char *const want[] = { "a", "<0xC3>", "<0xA9>", "a", "\xc3\xa8" };
    heed_error err = { 0 };
    heed_tokenizer *tok = heed_tokenizer_from(tree, sizeof tree - 1, "t", NULL, &err);
    assert_non_null(tok);
    heed_encoding e = { 0 };
    assert_int_equal(heed_tokenizer_encode(tok,
                                           "a\xc3\xa9"
                                           "a\xc3\xa8",
                                           6, NULL, &e, &err),
                     0);
    assert_int_equal(e.len, 5);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(e.token[i].size, strlen(want[i]));
        assert_memory_equal(e.token[i].data, want[i], strlen(want[i]));
    }
    heed_encoding_free(&e);
    heed_tokenizer_close(tok);
}

static int set_up(void **state) {
    (void)state;
    heed_error err;
    return heed__file_read(NULL, HEED_SOURCE_DIR "/tests/cli/data/tokenizer.json", 1 << 20, &json,
                           &json_size, &err);
}

static int tear_down(void **state) {
    (void)state;
    free(json);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_cut),
                                        cmocka_unit_test(test_flipped),
                                        cmocka_unit_test(test_wrong_parts),
                                        cmocka_unit_test(test_patterns),
                                        cmocka_unit_test(test_less_than_special),
                                        cmocka_unit_test(test_bombs),
                                        cmocka_unit_test(test_growth),
                                        cmocka_unit_test(test_spelled) };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
