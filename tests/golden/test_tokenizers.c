/* test_tokenizers.c: whole tokenizers answer as the reference library does (make/tok_pipeline.py):
 * ids, tokens, offsets in characters, types, words, masks, windows that truncation cuts off, and
 * what the ids decode to, for thousands of texts in the scripts of the world. */
#include "cmocka_all.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "base/file.h"
#include "heed/text.h"
#include "text/tok_json.h"

static json_t *tree;

static const char *text_at(const json_t *list, size_t i, size_t *size) {
    const json_t *v = json_array_get(list, i);
    assert_true(json_is_string(v));
    *size = json_string_length(v);
    return json_string_value(v);
}

static int64_t int_of(const json_t *o, const char *key, size_t i) {
    return json_integer_value(json_array_get(json_object_get(o, key), i));
}

/* -- a number for all that was answered ------------------------------------------------------- */

typedef struct sum {
    uLong crc;
    uint32_t *place; /* of each byte: the number of its character */
} sum;

static void add_number(sum *s, int64_t x) {
    const unsigned char b[4] = { (unsigned char)x, (unsigned char)(x >> 8),
                                 (unsigned char)(x >> 16), (unsigned char)(x >> 24) };
    s->crc = crc32(s->crc, b, 4);
}

static void add_text(sum *s, const char *text, size_t size) {
    s->crc = crc32(s->crc, (const unsigned char *)text, (uInt)size);
    s->crc = crc32(s->crc, (const unsigned char *)"", 1);
}

static uint32_t *places(const char *text, size_t size) {
    uint32_t *p = malloc((size + 1) * sizeof *p), n = 0;
    assert_non_null(p);
    for (size_t i = 0; i < size; i++) {
        n += ((unsigned char)text[i] & 0xC0u) != 0x80u;
        p[i] = n - 1;
    }
    p[size] = n;
    return p;
}

static uint32_t digest(const heed_tokenizer *tok, const heed_encoding *e, const char *text,
                       size_t size) {
    heed_error err = { 0 };
    sum s = { .crc = crc32(0, NULL, 0), .place = places(text, size) };
    heed_string decoded[2] = { { 0 }, { 0 } };
    add_number(&s, e->len);
    for (int64_t i = 0; i < e->len; i++) add_number(&s, e->id[i]);
    for (int64_t i = 0; i < e->len; i++) {
        assert_true(e->begin[i] <= size && e->end[i] <= size);
        add_number(&s, s.place[e->begin[i]]);
        add_number(&s, s.place[e->end[i]]);
    }
    for (int64_t i = 0; i < e->len; i++) add_text(&s, e->token[i].data, e->token[i].size);
    for (int skip = 0; skip < 2; skip++) {
        if (heed_tokenizer_decode(tok, e->id, e->len, skip, &decoded[skip], &err))
            fail_msg("decoding: %s", err.msg);
        add_text(&s, decoded[skip].text, decoded[skip].size);
        heed_string_free(&decoded[skip]);
    }
    for (int64_t i = 0; i < e->len; i++) add_number(&s, e->type[i]);
    for (int64_t i = 0; i < e->len; i++) add_number(&s, e->word[i]);
    for (int64_t i = 0; i < e->len; i++) add_number(&s, e->special[i]);
    for (int64_t i = 0; i < e->len; i++) add_number(&s, e->mask[i]);
    for (int64_t k = 0; k < e->overflow_len; k++) {
        add_number(&s, e->overflow[k].len);
        for (int64_t i = 0; i < e->overflow[k].len; i++) add_number(&s, e->overflow[k].id[i]);
    }
    free(s.place);
    return (uint32_t)s.crc;
}

/* -- answers in full -------------------------------------------------------------------------- */

static void compare_ids(const char *name, size_t at, const json_t *want, const heed_encoding *e) {
    const json_t *ids = json_object_get(want, "ids");
    if ((size_t)e->len != json_array_size(ids))
        fail_msg("%s: text %zu: %lld tokens, not %zu", name, at, (long long)e->len,
                 json_array_size(ids));
    for (size_t i = 0; i < json_array_size(ids); i++)
        if (e->id[i] != json_integer_value(json_array_get(ids, i)))
            fail_msg("%s: text %zu: token %zu has id %d, not %lld", name, at, i, e->id[i],
                     json_integer_value(json_array_get(ids, i)));
}

static void compare_all(const char *name, size_t at, const json_t *want, const heed_encoding *e,
                        const char *text, size_t size) {
    uint32_t *place = places(text, size);
    compare_ids(name, at, want, e);
    for (int64_t k = 0; k < e->len; k++) {
        const size_t i = (size_t)k;
        const json_t *o = json_array_get(json_object_get(want, "offsets"), i);
        const int64_t b = json_integer_value(json_array_get(o, 0));
        const int64_t x = json_integer_value(json_array_get(o, 1));
        if (place[e->begin[i]] != b || place[e->end[i]] != x)
            fail_msg("%s: text %zu: token %zu at [%u,%u), not [%lld,%lld)", name, at, i,
                     place[e->begin[i]], place[e->end[i]], (long long)b, (long long)x);
        size_t n = 0;
        const char *t = text_at(json_object_get(want, "tokens"), i, &n);
        if (n != e->token[i].size || memcmp(t, e->token[i].data, n) != 0)
            fail_msg("%s: text %zu: token %zu is '%.*s', not '%s'", name, at, i,
                     (int)e->token[i].size, e->token[i].data, t);
        if (e->type[i] != int_of(want, "types", i) || e->word[i] != int_of(want, "words", i) ||
            e->special[i] != int_of(want, "special", i) || e->mask[i] != int_of(want, "mask", i))
            fail_msg("%s: text %zu: token %zu: type %d, word %d, special %d, mask %d", name, at, i,
                     e->type[i], e->word[i], e->special[i], e->mask[i]);
    }
    free(place);
}

/* -- the cases -------------------------------------------------------------------------------- */

static heed_tokenizer *open_case(const json_t *one) {
    const json_t *v = json_object_get(one, "tokenizer");
    heed_error err = { 0 };
    heed_tokenizer *tok = heed_tokenizer_from(json_string_value(v), json_string_length(v),
                                              json_string_value(json_object_get(one, "name")), NULL,
                                              &err);
    if (!tok) fail_msg("%s", err.msg);
    return tok;
}

static int64_t check_texts(const json_t *one, const heed_tokenizer *tok, size_t most) {
    const char *name = json_string_value(json_object_get(one, "name"));
    const json_t *texts = json_object_get(tree, "texts"), *crc = json_object_get(one, "crc");
    const size_t first = (size_t)int_of(one, "texts", 0), count = (size_t)int_of(one, "texts", 1);
    heed_encoding e = { 0 };
    int64_t checked = 0;
    assert_true(json_array_size(crc) == count && first + count <= json_array_size(texts));
    for (size_t i = 0; i < count && i < most; i++) {
        heed_error err = { 0 };
        char key[24];
        size_t size = 0;
        const char *text = text_at(texts, first + i, &size);
        const int rc = heed_tokenizer_encode(tok, text, size, NULL, &e, &err);
        if (json_is_null(json_array_get(crc, i))) continue; /* the reference gives up */
        if (rc) fail_msg("%s: text %zu: %s", name, first + i, err.msg);
        snprintf(key, sizeof key, "%zu", i);
        const json_t *detail = json_object_get(json_object_get(one, "detail"), key);
        if (json_is_object(detail)) compare_all(name, first + i, detail, &e, text, size);
        if (digest(tok, &e, text, size) != json_integer_value(json_array_get(crc, i)))
            fail_msg("%s: text %zu differs: %.200s", name, first + i, text);
        checked++;
    }
    heed_encoding_free(&e);
    return checked;
}

static void test_texts(void **state) {
    (void)state;
    const json_t *cases = json_object_get(tree, "cases");
    int64_t checked = 0;
    for (size_t c = 0; c < json_array_size(cases); c++) {
        heed_tokenizer *tok = open_case(json_array_get(cases, c));
        checked += check_texts(json_array_get(cases, c), tok, SIZE_MAX);
        heed_tokenizer_close(tok);
    }
    print_message("%zu tokenizers, %lld texts\n", json_array_size(cases), (long long)checked);
    assert_true(json_array_size(cases) >= 12 && checked >= 12 * 2000);
}

static void test_saved_ones(void **state) {
    (void)state;
    const json_t *cases = json_object_get(tree, "cases");
    char path[] = "/tmp/heed-tokenizer-XXXXXX";
    const int file = mkstemp(path);
    assert_true(file >= 0);
    close(file);
    for (size_t c = 0; c < json_array_size(cases); c++) {
        const json_t *one = json_array_get(cases, c);
        heed_error err = { 0 };
        heed_tokenizer *tok = open_case(one);
        assert_int_equal(heed_tokenizer_save(tok, path, &err), 0);
        heed_tokenizer_close(tok);
        tok = heed_tokenizer_open(path, NULL, &err);
        if (!tok) fail_msg("%s: %s", json_string_value(json_object_get(one, "name")), err.msg);
        assert_true(check_texts(one, tok, 120) > 100);
        heed_tokenizer_close(tok);
    }
    unlink(path);
}

/* A tokenizer whose file says how to truncate. */
static heed_tokenizer *open_limited(const json_t *one, const json_t *limit) {
    const json_t *whole = json_object_get(one, "tokenizer");
    heed_error err = { 0 };
    json_t *v = heed__tok_json_parse(json_string_value(whole), json_string_length(whole), "case",
                                     NULL, &err);
    assert_non_null(v);
    if (json_is_array(limit)) {
        const char *strategy = json_string_value(json_array_get(limit, 1));
        const char *side = json_string_value(json_array_get(limit, 3));
        json_t *t = json_pack(
            "{s:s, s:s, s:O, s:O}", "strategy",
            strcmp(strategy, "longest_first") == 0 ? "LongestFirst" : "OnlySecond", "direction",
            strcmp(side, "left") == 0 ? "Left" : "Right", "max_length", json_array_get(limit, 0),
            "stride", json_array_get(limit, 2));
        assert_int_equal(json_object_set_new(v, "truncation", t), 0);
    }
    size_t size = 0;
    char *text = heed__tok_json_text(NULL, v, false, &size, &err);
    assert_non_null(text);
    heed_tokenizer *tok = heed_tokenizer_from(text, size, "limited", NULL, &err);
    if (!tok) fail_msg("%s", err.msg);
    json_decref(v);
    free(text);
    return tok;
}

static void compare_pair(const char *name, size_t at, const json_t *want, const heed_encoding *e) {
    const json_t *over = json_object_get(want, "overflow");
    compare_ids(name, at, want, e);
    for (int64_t i = 0; i < e->len; i++)
        if (e->type[i] != int_of(want, "types", (size_t)i))
            fail_msg("%s: pair %zu: token %lld has type %d", name, at, (long long)i, e->type[i]);
    if (json_array_size(over) != (size_t)e->overflow_len)
        fail_msg("%s: pair %zu: %lld windows, not %zu", name, at, (long long)e->overflow_len,
                 json_array_size(over));
    for (size_t k = 0; k < json_array_size(over); k++) {
        json_t *o = json_pack("{s:O}", "ids", json_array_get(over, k));
        compare_ids(name, at, o, &e->overflow[k]);
        json_decref(o);
    }
}

static void test_pairs(void **state) {
    (void)state;
    const json_t *cases = json_object_get(tree, "cases"), *texts = json_object_get(tree, "texts");
    int64_t checked = 0;
    for (size_t c = 0; c < json_array_size(cases); c++) {
        const json_t *one = json_array_get(cases, c), *pairs = json_object_get(one, "pairs");
        const char *name = json_string_value(json_object_get(one, "name"));
        for (size_t kind = 0; kind < 3 && json_array_size(pairs) > 0; kind++) {
            heed_tokenizer *tok = open_limited(one, json_array_get(json_array_get(pairs, kind), 1));
            heed_encoding e = { 0 };
            for (size_t i = kind; i < json_array_size(pairs); i += 3) {
                const json_t *row = json_array_get(pairs, i);
                const size_t at = (size_t)int_of(one, "texts", 0) +
                                  (size_t)json_integer_value(json_array_get(row, 0));
                heed_encode_cfg cfg = { 0 };
                heed_error err = { 0 };
                size_t size = 0;
                const char *text = text_at(texts, at, &size);
                cfg.pair = text_at(texts, at + 1, &cfg.pair_size);
                const int rc = heed_tokenizer_encode(tok, text, size, &cfg, &e, &err);
                if (json_is_null(json_array_get(row, 2))) continue;
                if (rc) fail_msg("%s: pair %zu: %s", name, at, err.msg);
                compare_pair(name, at, json_array_get(row, 2), &e);
                checked++;
            }
            heed_encoding_free(&e);
            heed_tokenizer_close(tok);
        }
    }
    print_message("%lld pairs\n", (long long)checked);
    assert_true(checked > 400);
}

/* Many texts at once, by one thread and by three, are what each is alone. */
static void test_many(void **state) {
    (void)state;
    enum { LEN = 200 };
    heed_error err = { 0 };
    heed_pool *pool = heed_pool_new(3, NULL, &err);
    heed_tokenizer *tok = open_case(json_array_get(json_object_get(tree, "cases"), 0));
    heed_bytes text[LEN];
    heed_encoding many[LEN] = { { 0 } }, alone = { 0 };
    for (size_t i = 0; i < LEN; i++)
        text[i].data = text_at(json_object_get(tree, "texts"), 3 * i, &text[i].size);
    for (int threads = 0; threads < 2; threads++) {
        const heed_encode_cfg cfg = { .pool = threads ? pool : NULL };
        assert_int_equal(heed_tokenizer_encode_many(tok, text, LEN, &cfg, many, &err), 0);
        for (size_t i = 0; i < LEN; i++) {
            assert_int_equal(
                heed_tokenizer_encode(tok, text[i].data, text[i].size, NULL, &alone, &err), 0);
            assert_int_equal(alone.len, many[i].len);
            assert_memory_equal(alone.id, many[i].id, (size_t)alone.len * sizeof *alone.id);
        }
    }
    text[7] = (heed_bytes){ "\xff", 1 };
    assert_int_equal(heed_tokenizer_encode_many(tok, text, LEN, NULL, many, &err), HEED_EFORMAT);
    assert_string_equal(err.msg, "text 7: not UTF-8 at byte 0");
    for (size_t i = 0; i < LEN; i++) heed_encoding_free(&many[i]);
    heed_encoding_free(&alone);
    heed_tokenizer_close(tok);
    heed_pool_free(pool);
}

static int set_up(void **state) {
    (void)state;
    heed_map file;
    heed_error err = { 0 };
    if (heed__map_open(&file, HEED_SOURCE_DIR "/tests/golden/tokenizers.json.zst", 1 << 24, &err))
        return -1;
    const size_t most = (size_t)ZSTD_getFrameContentSize(file.data, file.size);
    char *text = most < 1 << 28 ? malloc(most) : NULL;
    const size_t size = text ? ZSTD_decompress(text, most, file.data, file.size) : 0;
    heed__map_close(&file);
    if (size == most) tree = json_loadb(text, size, JSON_ALLOW_NUL, NULL);
    free(text);
    return tree ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    json_decref(tree);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_texts),
                                        cmocka_unit_test(test_saved_ones),
                                        cmocka_unit_test(test_pairs), cmocka_unit_test(test_many) };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
