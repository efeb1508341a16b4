/* test_sentencepiece.c: a SentencePiece .model gives the ids that SentencePiece itself gives
 * (make/spm.py), and still does after it was saved as a tokenizer.json. */
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

static void compare(const heed_tokenizer *tok, const char *name, const json_t *texts,
                    const json_t *want, const json_t *decoded) {
    heed_error err = { 0 };
    heed_encoding e = { 0 };
    assert_true(json_array_size(texts) > 500 && json_array_size(texts) == json_array_size(want));
    for (size_t i = 0; i < json_array_size(texts); i++) {
        const json_t *text = json_array_get(texts, i), *ids = json_array_get(want, i);
        if (heed_tokenizer_encode(tok, json_string_value(text), json_string_length(text), NULL, &e,
                                  &err))
            fail_msg("%s: text %zu: %s", name, i, err.msg);
        if (e.len != (int64_t)json_array_size(ids))
            fail_msg("%s: text %zu: %lld ids, not %zu", name, i, (long long)e.len,
                     json_array_size(ids));
        for (int64_t k = 0; k < e.len; k++)
            if (e.id[k] != json_integer_value(json_array_get(ids, (size_t)k)))
                fail_msg("%s: text %zu, id %lld: %d", name, i, (long long)k, e.id[k]);
        heed_string back = { 0 };
        if (!decoded) continue;
        if (heed_tokenizer_decode(tok, e.id, e.len, false, &back, &err))
            fail_msg("%s: text %zu: %s", name, i, err.msg);
        const json_t *said = json_array_get(decoded, i);
        if (back.size != json_string_length(said) ||
            memcmp(back.text, json_string_value(said), back.size) != 0)
            fail_msg("%s: text %zu: '%s', not '%s'", name, i, back.text, json_string_value(said));
        heed_string_free(&back);
    }
    heed_encoding_free(&e);
}

static void ids(void **state) {
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
    assert_int_equal(json_object_size(json_object_get(tree, "ids")), 11);
    const json_t *decoded = json_object_get(tree, "decoded");
    assert_int_equal(json_object_size(decoded), 2);
    json_object_foreach(json_object_get(tree, "ids"), name, want) {
        heed_tokenizer *tok = open_model(name);
        compare(tok, name, json_object_get(tree, "texts"), want, json_object_get(decoded, name));
        assert_int_equal(heed_tokenizer_save(tok, path, &err), 0);
        heed_tokenizer_close(tok);
        tok = heed_tokenizer_open(path, NULL, &err);
        if (!tok) fail_msg("%s", err.msg);
        compare(tok, name, json_object_get(tree, "texts"), want, json_object_get(decoded, name));
        heed_tokenizer_close(tok);
    }
    unlink(path);
    json_decref(tree);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(ids) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
