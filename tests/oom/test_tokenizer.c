/* Memory runs out while tokenizers with every part are opened, encode, decode and are saved. */
#include "oom.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "heed/text.h"

static const char bert[] =
    "{\"version\": \"1.0\", \"truncation\": {\"max_length\": 6, \"stride\": 1, \"strategy\": "
    "\"LongestFirst\", \"direction\": \"Right\"}, \"padding\": {\"strategy\": {\"Fixed\": 8}, "
    "\"direction\": \"Right\", \"pad_to_multiple_of\": null, \"pad_id\": 0, \"pad_type_id\": 0, "
    "\"pad_token\": \"?\"}, \"added_tokens\": [{\"id\": 9, \"content\": \"<M>\", \"lstrip\": true, "
    "\"special\": true}, {\"id\": 10, \"content\": \"\xc3\x89t\", \"normalized\": true}], "
    "\"normalizer\": {\"type\": \"Sequence\", \"normalizers\": [{\"type\": \"Replace\", "
    "\"pattern\": {\"Regex\": \"\\\\p{Lu}{2}|z+\"}, \"content\": \"y\"}, {\"type\": "
    "\"BertNormalizer\", \"clean_text\": true, \"handle_chinese_chars\": true, \"strip_accents\": "
    "true, \"lowercase\": true}, {\"type\": \"NFKC\"}]}, \"pre_tokenizer\": {\"type\": "
    "\"Sequence\", \"pretokenizers\": [{\"type\": \"Split\", \"pattern\": {\"Regex\": \"\\\\s+\"}, "
    "\"behavior\": \"MergedWithNext\", \"invert\": false}, {\"type\": \"BertPreTokenizer\"}]}, "
    "\"post_processor\": {\"type\": \"TemplateProcessing\", \"single\": [{\"SpecialToken\": "
    "{\"id\": \"?\", \"type_id\": 0}}, {\"Sequence\": {\"id\": \"A\", \"type_id\": 0}}], "
    "\"pair\": [{\"Sequence\": {\"id\": \"A\", \"type_id\": 0}}, {\"Sequence\": {\"id\": \"B\", "
    "\"type_id\": 1}}], \"special_tokens\": {\"?\": {\"id\": \"?\", \"ids\": [0], \"tokens\": "
    "[\"?\"]}}}, \"decoder\": {\"type\": \"Sequence\", \"decoders\": [{\"type\": \"WordPiece\", "
    "\"prefix\": \"##\", \"cleanup\": true}, {\"type\": \"Fuse\"}, {\"type\": \"Replace\", "
    "\"pattern\": {\"String\": \"a\"}, \"content\": \"e\"}]}, \"model\": {\"type\": \"WordPiece\", "
    "\"unk_token\": \"?\", \"continuing_subword_prefix\": \"##\", \"max_input_chars_per_word\": "
    "100, \"vocab\": {\"?\": 0, \"a\": 1, \"##b\": 2, \"y\": 3}}}";
static char dir[] = "/tmp/heed-oom-tokenizer-XXXXXX", file[64];
static const char text[] = "ab  <M>XX \xc3\xa9t \xe6\x97\xa5 e\xcc\x81 zz ab\tab ab";

static int work(heed_error *err) {
    heed_tokenizer *tok = heed_tokenizer_from(bert, sizeof bert - 1, "x", NULL, err);
    if (!tok) return err->code;
    heed_encoding e = { 0 };
    heed_string out = { 0 };
    const heed_encode_cfg cfg = { .pair = "ab ab", .pair_size = 5 };
    int rc = heed_tokenizer_encode(tok, text, sizeof text - 1, NULL, &e, err);
    if (rc == 0) rc = heed_tokenizer_encode(tok, text, sizeof text - 1, &cfg, &e, err);
    if (rc == 0) rc = heed_tokenizer_decode(tok, e.id, e.len, false, &out, err);
    heed_string_free(&out);
    heed_encoding_free(&e);
    heed_tokenizer_close(tok);
    return rc;
}

static int open_file(heed_error *err) {
    heed_tokenizer *tok = heed_tokenizer_open(HEED_SOURCE_DIR "/tests/cli/data/tokenizer.json",
                                              NULL, err);
    if (!tok) return err->code;
    const int rc = heed_tokenizer_save(tok, file, err);
    heed_tokenizer_close(tok);
    return rc;
}

static void test_work(void **state) {
    (void)state;
    oom_spare_json(true);
    oom_each(work);
}

static void test_files(void **state) {
    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(file, sizeof file, "%s/t.json", dir);
    oom_spare_json(true);
    oom_each(open_file);
    unlink(file);
    assert_int_equal(rmdir(dir), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_work), cmocka_unit_test(test_files) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
