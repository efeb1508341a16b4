/* test_sentencepiece.c: a SentencePiece .model gives the ids, offsets, pieces and decodings that
 * SentencePiece itself gives (make/spm.py), and still does after it was saved as a tokenizer.json.
 */
#include "cmocka_all.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "base/file.h"
#include "heed/text.h"
#include "text/tok_json.h"
#include "text/tokenizer.h"

/* A file of tests/golden, unpacked where its name ends in .zst. */
static char *contents(const char *name, size_t *size) {
    char path[512];
    snprintf(path, sizeof path, "%s/tests/golden/%s", HEED_SOURCE_DIR, name);
    heed_map file;
    heed_error err = { 0 };
    if (heed__map_open(&file, path, 1 << 24, &err)) return NULL;
    const bool packed = strstr(name, ".zst") != NULL;
    const size_t most = packed ? (size_t)ZSTD_getFrameContentSize(file.data, file.size) : file.size;
    assert_true(most < (1 << 26));
    char *text = malloc(most + 1);
    *size = most;
    if (packed)
        assert_int_equal(ZSTD_decompress(text, most, file.data, file.size), most);
    else
        memcpy(text, file.data, most);
    heed__map_close(&file);
    return text;
}

static heed_tokenizer *open_model(const char *name) {
    char path[128];
    size_t size = 0;
    heed_error err = { 0 };
    snprintf(path, sizeof path, "sentencepiece/%s.model", name);
    char *bytes = contents(path, &size);
    if (!bytes) {
        snprintf(path, sizeof path, "sentencepiece/%s.model.zst", name);
        bytes = contents(path, &size);
    }
    assert_non_null(bytes);
    json_t *tree = heed__tok_sentencepiece(bytes, size, name, NULL, &err);
    if (!tree) fail_msg("%s", err.msg);
    heed_tokenizer *tok = heed__tokenizer_make(tree, NULL, name, NULL, &err);
    if (!tok) fail_msg("%s", err.msg);
    json_decref(tree);
    free(bytes);
    return tok;
}

static void decodes(const heed_tokenizer *tok, const int32_t *id, int64_t len, const json_t *said,
                    const char *what) {
    heed_error err = { 0 };
    heed_string back = { 0 };
    if (heed_tokenizer_decode(tok, id, len, false, &back, &err)) fail_msg("%s: %s", what, err.msg);
    if (back.size != json_string_length(said) ||
        memcmp(back.text, json_string_value(said), back.size) != 0)
        fail_msg("%s: '%s', not '%s'", what, back.text, json_string_value(said));
    heed_string_free(&back);
}

/* One text: its ids, where they begin and end, how unknown ones are spelled, and back to text. */
static void compare_text(const heed_tokenizer *tok, const json_t *text, const json_t *want,
                         size_t i, const char *what) {
    heed_error err = { 0 };
    heed_encoding e = { 0 };
    const json_t *ids = json_array_get(json_object_get(want, "ids"), i);
    const json_t *places = json_array_get(json_object_get(want, "places"), i);
    const json_t *unknown = json_array_get(json_object_get(want, "unknown"), i);
    if (heed_tokenizer_encode(tok, json_string_value(text), json_string_length(text), NULL, &e,
                              &err))
        fail_msg("%s: %s", what, err.msg);
    if (e.len != (int64_t)json_array_size(ids))
        fail_msg("%s: %lld ids, not %zu", what, (long long)e.len, json_array_size(ids));
    size_t odd = 0;
    for (size_t k = 0; k < (size_t)e.len; k++) {
        if (e.id[k] != json_integer_value(json_array_get(ids, k)))
            fail_msg("%s, id %zu: %d", what, k, e.id[k]);
        const json_int_t begin = json_integer_value(json_array_get(places, 2 * k));
        const json_int_t end = json_integer_value(json_array_get(places, 2 * k + 1));
        if ((json_int_t)e.begin[k] != begin || (json_int_t)e.end[k] != end)
            fail_msg("%s, id %zu: [%zu,%zu), not [%lld,%lld)", what, k, e.begin[k], e.end[k],
                     (long long)begin, (long long)end);
        size_t size = 0;
        const char *piece = heed_tokenizer_token(tok, e.id[k], &size);
        if (size == 5 && memcmp(piece, "<unk>", 5) == 0) {
            piece = json_string_value(json_array_get(unknown, odd));
            size = json_string_length(json_array_get(unknown, odd++));
        }
        if (e.token[k].size != size || memcmp(e.token[k].data, piece, size) != 0)
            fail_msg("%s, id %zu: spelled %.*s", what, k, (int)e.token[k].size, e.token[k].data);
    }
    assert_int_equal(odd, json_array_size(unknown));
    decodes(tok, e.id, e.len, json_array_get(json_object_get(want, "decoded"), i), what);
    heed_encoding_free(&e);
}

static void compare(const heed_tokenizer *tok, const char *name, const json_t *tree) {
    char what[80];
    const json_t *texts = json_object_get(tree, "texts"), *text, *ids, *id;
    const json_t *want = json_object_get(json_object_get(tree, "models"), name);
    size_t i, k;
    assert_true(json_array_size(texts) > 700);
    json_array_foreach(texts, i, text) {
        snprintf(what, sizeof what, "%s: text %zu", name, i);
        compare_text(tok, text, want, i, what);
    }
    const json_t *said = json_object_get(json_object_get(tree, "said"), name);
    assert_int_equal(json_array_size(said), 100);
    json_array_foreach(json_object_get(json_object_get(tree, "sequences"), name), i, ids) {
        int32_t list[8];
        json_array_foreach(ids, k, id) list[k] = (int32_t)json_integer_value(id);
        snprintf(what, sizeof what, "%s: sequence %zu", name, i);
        decodes(tok, list, (int64_t)json_array_size(ids), json_array_get(said, i), what);
    }
}

static void as_the_library_says(void **state) {
    (void)state;
    size_t size = 0;
    heed_error err = { 0 };
    char *text = contents("sentencepiece.json.zst", &size);
    json_t *tree = heed__tok_json_parse(text, size, "ids", NULL, &err);
    if (!tree) fail_msg("%s", err.msg);
    free(text);
    const char *name;
    json_t *want;
    char path[] = "/tmp/heed-sentencepiece-XXXXXX";
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(json_object_size(json_object_get(tree, "models")), 21);
    json_object_foreach(json_object_get(tree, "models"), name, want) {
        heed_tokenizer *tok = open_model(name);
        compare(tok, name, tree);
        assert_int_equal(heed_tokenizer_save(tok, path, &err), 0);
        heed_tokenizer_close(tok);
        tok = heed_tokenizer_open(path, NULL, &err);
        if (!tok) fail_msg("%s", err.msg);
        compare(tok, name, tree);
        heed_tokenizer_close(tok);
    }
    unlink(path);
    json_decref(tree);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(as_the_library_says) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
