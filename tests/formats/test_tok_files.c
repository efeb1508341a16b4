/* test_tok_files.c: SentencePiece models, vocab.txt, vocab.json with merges.txt: every truncation
 * and thousands of flipped bits either open, and then encode, or are refused in one sentence. */
#include "cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "text/tok_json.h"
#include "text/tok_model.h"
#include "text/tokenizer.h"

static int64_t opened, refused;

static void use_model(heed__tok_model *m, const heed_error *err) {
    if (!m) {
        assert_true(err->code == HEED_EFORMAT || err->code == HEED_EUNSUPPORTED);
        assert_true(strlen(err->msg) > 5);
        refused++;
        return;
    }
    static const char *const pieces[] = { "ab", "unaffable", "\xe2\x96\x81 x",
                                          "aaaaaaaaaaaaaaaaaaaaaaaa" };
    heed_error e = { 0 };
    heed__tok_scratch *s = heed__tok_scratch_new(m, &e);
    heed__tok_pieces out = { 0 };
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        const int64_t before = out.len;
        const int rc = heed__tok_encode(m, s, pieces[i], strlen(pieces[i]), &out, &e);
        assert_true(rc == 0 || rc == HEED_EINVALID);
        for (int64_t k = before; k < out.len; k++) {
            assert_true(out.item[k].id >= 0 && out.item[k].id < heed__tok_len(m));
            assert_true(out.item[k].begin <= out.item[k].end);
            assert_true(out.item[k].end <= strlen(pieces[i]));
        }
    }
    heed__tok_pieces_free(m, &out);
    heed__tok_scratch_free(s);
    heed__tok_model_free(m);
    opened++;
}

/* Parts of a tokenizer that a SentencePiece model describes, the model read again from its tree. */
static void use_sentencepiece(const unsigned char *bytes, size_t size) {
    heed_error err = { 0 };
    json_t *tree = heed__tok_sentencepiece(bytes, size, "x.model", NULL, &err);
    if (!tree) {
        use_model(NULL, &err);
        return;
    }
    heed__tok_model *m = heed__tok_model_load(json_object_get(tree, "model"), "x", NULL, &err);
    if (m) {
        heed_tokenizer *tok = heed__tokenizer_make(tree, NULL, "x", NULL, &err);
        if (!tok) assert_true(err.code == HEED_EFORMAT || err.code == HEED_EUNSUPPORTED);
        heed_tokenizer_close(tok);
    }
    json_decref(tree);
    assert_non_null(m); /* what it makes is always well-formed */
    use_model(m, &err);
}

static void use_vocab(const unsigned char *bytes, size_t size) {
    heed_error err = { 0 };
    use_model(heed__tok_model_vocab_txt((const char *)bytes, size, "vocab.txt", NULL, &err), &err);
}

static void use_merges(const unsigned char *bytes, size_t size) {
    static const char vocab[] = "{\"a\":0,\"b\":1,\"ab\":2,\"abab\":3,\"c\":4,\"abc\":5}";
    heed_error err = { 0 };
    json_t *tree = heed__tok_json_parse(vocab, sizeof vocab - 1, "v", NULL, &err);
    assert_non_null(tree);
    use_model(heed__tok_model_merges_txt(tree, (const char *)bytes, size, "merges.txt", NULL, &err),
              &err);
    json_decref(tree);
}

static void use_json(const unsigned char *bytes, size_t size) {
    heed_error err = { 0 };
    json_t *tree = heed__tok_json_parse((const char *)bytes, size, "v", NULL, &err);
    if (tree)
        use_model(heed__tok_model_load(tree, "m", NULL, &err), &err);
    else
        use_model(NULL, &err);
    json_decref(tree);
}

/* Every truncation where the file is short, else every `step`th; then `flips` single bits. */
static void torture(const void *bytes, size_t size, size_t flips,
                    void (*use)(const unsigned char *bytes, size_t size)) {
    opened = refused = 0;
    use(bytes, size);
    assert_int_equal(opened, 1);
    const size_t step = size < 600 ? 1 : size / 300;
    for (size_t n = 0; n < size; n += step) {
        unsigned char *part = malloc(n ? n : 1); /* its end is seen by a sanitizer */
        memcpy(part, bytes, n);
        use(part, n);
        free(part);
    }
    unsigned char *copy = malloc(size);
    memcpy(copy, bytes, size);
    heed_rng rng = { .seed = 7 };
    for (size_t i = 0; i < flips; i++) {
        const size_t at = (size_t)heed_rng_below(&rng, size);
        const unsigned char bit = (unsigned char)(1u << heed_rng_below(&rng, 8));
        copy[at] ^= bit;
        use(copy, size);
        copy[at] ^= bit;
    }
    free(copy);
    assert_true(refused > 0 && opened > 1);
}

/* Noncharacters that stand for a zero byte in the keys of a tree cannot be a piece's. */
static void taken(void **state) {
    (void)state;
    static const char bytes[] = "\n\t\n\5<unk>\30\2\n\11\n\7\xf4\x8f\xbf\xbf\xef\xb7\x90";
    heed_error err = { 0 };
    assert_null(heed__tok_sentencepiece(bytes, sizeof bytes - 1, "x.model", NULL, &err));
    assert_string_equal(err.msg, "x.model: piece 1 holds the noncharacters U+10FFFF U+FDD0");
}

static void sentencepiece(void **state) {
    (void)state;
    static const char *const names[] = { "unigram_user", "bpe_user" };
    for (int i = 0; i < 2; i++) {
        char path[256];
        snprintf(path, sizeof path, "%s/tests/golden/sentencepiece/%s.model", HEED_SOURCE_DIR,
                 names[i]);
        heed_map file;
        heed_error err = { 0 };
        assert_int_equal(heed__map_open(&file, path, 1 << 20, &err), 0);
        torture(file.data, file.size, 300, use_sentencepiece);
        heed__map_close(&file);
    }
}

static void vocabularies(void **state) {
    (void)state;
    static const char merges[] = "#version: 0.2\na b\nab ab\nab c\n";
    static const char json[] =
        "{\"type\":\"BPE\",\"unk_token\":\"<unk>\",\"fuse_unk\":true,\"byte_fallback\":true,"
        "\"vocab\":{\"<unk>\":0,\"a\":1,\"b\":2,\"ab\":3,\"abab\":4,\"\\u0000\":5},"
        "\"merges\":[[\"a\",\"b\"],\"ab ab\"],\"ranks\":[0,1],\"frozen\":[5]}";
    static const char unigram[] =
        "{\"type\":\"Unigram\",\"unk_id\":0,\"vocab\":[[\"<unk>\",0],[\"a\",-1],[\"ab\",-1.5e0],"
        "[\"<0x41>\",-3]],\"hidden\":[3],\"single\":true,\"byte_fallback\":true}";
    static const char wordpiece[] =
        "{\"type\":\"WordPiece\",\"unk_token\":\"[UNK]\",\"continuing_subword_prefix\":\"##\","
        "\"max_input_chars_per_word\":100,\"vocab\":{\"[UNK]\":0,\"un\":1,\"##aff\":2,\"##able\":3}"
        "}";
    torture(merges, sizeof merges - 1, 2000, use_merges);
    torture(json, sizeof json - 1, 3000, use_json);
    torture(unigram, sizeof unigram - 1, 3000, use_json);
    torture(wordpiece, sizeof wordpiece - 1, 3000, use_json);
    static const char vocab[] = "[UNK]\na\nb\n##b\n\n##\nab\n";
    opened = refused = 0;
    for (size_t n = 0; n < sizeof vocab; n++) use_vocab((const unsigned char *)vocab, n);
    assert_int_equal(refused, 1); /* the empty file alone */
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(sentencepiece), cmocka_unit_test(taken),
                                        cmocka_unit_test(vocabularies) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
