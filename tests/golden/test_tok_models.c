/* test_tok_models.c: the models of tokenizers give the ids and offsets of the reference library
 * (make/tok_models.py), with the cache of pieces cold and warm, and after being saved and read. */
#include "cmocka_all.h"

#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "text/tok_json.h"
#include "text/tok_model.h"

static json_t *cases(void) {
    heed_map file;
    heed_error err = { 0 };
    assert_int_equal(
        heed__map_open(&file, HEED_SOURCE_DIR "/tests/golden/tok_models.json.zst", 1 << 24, &err),
        0);
    const size_t most = (size_t)ZSTD_getFrameContentSize(file.data, file.size);
    assert_true(most < (1 << 26));
    char *text = malloc(most);
    const size_t size = ZSTD_decompress(text, most, file.data, file.size);
    assert_int_equal(size, most);
    json_t *tree = heed__tok_json_parse(text, size, "cases", NULL, &err);
    if (!tree) fail_msg("%s", err.msg);
    free(text);
    heed__map_close(&file);
    return tree;
}

static void compare(const char *name, size_t at, const json_t *want, int rc,
                    const heed__tok_pieces *got) {
    if (json_is_null(want)) {
        if (rc != HEED_EINVALID) fail_msg("%s: piece %zu: should be refused", name, at);
        return;
    }
    if (rc) fail_msg("%s: piece %zu is refused", name, at);
    if (3 * (size_t)got->len != json_array_size(want))
        fail_msg("%s: piece %zu: %lld tokens, not %zu", name, at, (long long)got->len,
                 json_array_size(want) / 3);
    for (int64_t i = 0; i < got->len; i++) {
        const long long w[3] = { json_integer_value(json_array_get(want, 3 * (size_t)i)),
                                 json_integer_value(json_array_get(want, 3 * (size_t)i + 1)),
                                 json_integer_value(json_array_get(want, 3 * (size_t)i + 2)) };
        const heed__tok_piece g = got->item[i];
        if (g.id != w[0] || g.begin != w[1] || g.end != w[2])
            fail_msg("%s: piece %zu, token %lld: %d [%u,%u), not %lld [%lld,%lld)", name, at,
                     (long long)i, g.id, g.begin, g.end, w[0], w[1], w[2]);
    }
}

static void check(const char *name, const json_t *one, heed__tok_model *m) {
    heed_error err = { 0 };
    heed__tok_scratch *s = heed__tok_scratch_new(m, &err);
    assert_non_null(s);
    heed__tok_pieces out = { 0 };
    const json_t *pieces = json_object_get(one, "pieces"), *want = json_object_get(one, "want");
    assert_true(json_array_size(pieces) == json_array_size(want) && json_array_size(want) > 0);
    for (size_t i = 0; i < 2 * json_array_size(pieces); i++) {
        const size_t at = i % json_array_size(pieces);
        const json_t *piece = json_array_get(pieces, at);
        out.len = 0;
        const int rc = heed__tok_encode(m, s, json_string_value(piece), json_string_length(piece),
                                        &out, &err);
        compare(name, at, json_array_get(want, at), rc, &out);
    }
    heed__tok_pieces_free(m, &out);
    heed__tok_scratch_free(s);
}

/* Bytes in place of GPT-2's letters: the same ids, offsets counted in bytes. */
static void check_raw(const char *name, const json_t *one, heed__tok_model *m) {
    heed_error err = { 0 };
    heed__tok_scratch *letters = heed__tok_scratch_new(m, &err);
    heed__tok_pieces a = { 0 }, b = { 0 };
    const json_t *pieces = json_object_get(one, "pieces");
    for (size_t i = 0; i < json_array_size(pieces); i++) {
        const json_t *p = json_array_get(pieces, i);
        assert_int_equal(
            heed__tok_encode(m, letters, json_string_value(p), json_string_length(p), &a, &err), 0);
    }
    heed__tok_scratch_free(letters);
    assert_true(heed__tok_model_raw(m));
    heed__tok_scratch *raw = heed__tok_scratch_new(m, &err);
    for (size_t i = 0; i < json_array_size(pieces); i++) {
        const json_t *p = json_array_get(pieces, i);
        char *bytes = malloc(json_string_length(p) + 1);
        size_t n = 0;
        const unsigned char *u = (const unsigned char *)json_string_value(p);
        for (size_t at = 0; at < json_string_length(p); n++) {
            const uint32_t letter = u[at] < 0x80 ? u[at] : (u[at] & 31u) << 6 | (u[at + 1] & 63u);
            at += u[at] < 0x80 ? 1 : 2;
            int byte = 0; /* the letter's byte, by GPT-2's own recipe */
            for (uint32_t c = 0, next = 0x100; c < 256; c++) {
                const bool prints = (c >= '!' && c <= '~') || (c >= 0xa1 && c != 0xad);
                if (letter == (prints ? c : next)) byte = (int)c;
                next += !prints;
            }
            bytes[n] = (char)byte;
        }
        const int64_t before = b.len;
        assert_int_equal(heed__tok_encode(m, raw, bytes, n, &b, &err), 0);
        uint32_t end = 0;
        for (int64_t k = before; k < b.len; k++) {
            assert_int_equal(b.item[k].begin, end);
            end = b.item[k].end;
        }
        assert_int_equal(end, n);
        free(bytes);
    }
    if (a.len != b.len) fail_msg("%s: raw gives %lld ids", name, (long long)b.len);
    for (int64_t i = 0; i < a.len; i++) assert_int_equal(a.item[i].id, b.item[i].id);
    heed__tok_pieces_free(m, &a);
    heed__tok_pieces_free(m, &b);
    heed__tok_scratch_free(raw);
}

static void models(void **state) {
    (void)state;
    json_t *all = cases();
    for (size_t i = 0; i < json_array_size(all); i++) {
        const json_t *one = json_array_get(all, i);
        const char *name = json_string_value(json_object_get(one, "name"));
        heed_error err = { 0 };
        heed__tok_model *m = heed__tok_model_load(json_object_get(one, "model"), name, NULL, &err);
        if (!m) fail_msg("%s", err.msg);
        check(name, one, m);
        json_t *saved = heed__tok_model_save(m);
        assert_non_null(saved);
        heed__tok_model *again = heed__tok_model_load(saved, name, NULL, &err);
        if (!again) fail_msg("%s", err.msg);
        check(name, one, again);
        json_t *twice = heed__tok_model_save(again);
        assert_true(json_equal(saved, twice));
        if (strncmp(name, "bpe_bytes", 9) == 0) check_raw(name, one, again);
        json_decref(saved);
        json_decref(twice);
        heed__tok_model_free(m);
        heed__tok_model_free(again);
    }
    json_decref(all);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(models) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
