/* Memory runs out while models of tokenizers are read, used, saved and learnt. */
#include "oom.h"

#include <string.h>

#include "text/tok_json.h"
#include "text/tok_model.h"
#include "text/train_model.h"

static const char *const models[] = {
    "{\"type\":\"WordPiece\",\"unk_token\":\"[UNK]\",\"continuing_subword_prefix\":\"##\","
    "\"max_input_chars_per_word\":100,\"vocab\":{\"[UNK]\":0,\"a\":1,\"##b\":2,\"ab\":3}}",
    "{\"type\":\"WordLevel\",\"unk_token\":\"[UNK]\",\"vocab\":{\"[UNK]\":0,\"ab\":1}}",
    "{\"type\":\"BPE\",\"unk_token\":\"<unk>\",\"fuse_unk\":true,\"dropout\":0.5,"
    "\"vocab\":{\"<unk>\":0,\"a\":1,\"b\":2,\"ab\":3,\"abab\":4,\"<s>\":5},"
    "\"merges\":[[\"a\",\"b\"],[\"ab\",\"ab\"]],\"ranks\":[0,1],\"frozen\":[5]}",
    "{\"type\":\"BPE\",\"unk_token\":\"<unk>\",\"continuing_subword_prefix\":\"#\","
    "\"end_of_word_suffix\":\"$\",\"ignore_merges\":true,"
    "\"vocab\":{\"<unk>\":0,\"a\":1,\"#b\":2,\"ab\":3,\"#b$\":4},\"merges\":[\"a #b\"]}",
    "{\"type\":\"Unigram\",\"unk_id\":0,\"vocab\":[[\"<unk>\",0],[\"a\",-1],[\"ab\",-1.5],"
    "[\"<0x41>\",-3]],\"hidden\":[3],\"single\":true,\"byte_fallback\":true}",
};
static const char *model;

static int use(const heed__tok_model *m, heed_error *err) {
    char longest[300];
    memset(longest, 'a', sizeof longest);
    for (size_t i = 1; i < sizeof longest; i += 2) longest[i] = 'b';
    heed__tok_scratch *s = heed__tok_scratch_new(m, err);
    if (!s) return err->code;
    heed__tok_pieces out = { 0 };
    int rc = heed__tok_encode(m, s, "abxab", 5, &out, err);
    if (!rc) rc = heed__tok_encode(m, s, longest, sizeof longest, &out, err);
    if (!rc) rc = heed__tok_encode(m, s, "abxab", 5, &out, err);
    heed__tok_pieces_free(m, &out);
    heed__tok_scratch_free(s);
    return rc;
}

static int load_use_save(heed_error *err) {
    oom_spare_json(true);
    json_t *tree = heed__tok_json_parse(model, strlen(model), "model", NULL, err);
    oom_spare_json(false);
    if (!tree) return err->code;
    heed__tok_model *m = heed__tok_model_load(tree, "model", NULL, err);
    json_decref(tree);
    if (!m) return err->code;
    int rc = use(m, err);
    if (!rc) {
        json_t *saved = heed__tok_model_save(m);
        if (!saved) {
            rc = err->code = HEED_ENOMEM;
            strcpy(err->msg, "saving");
        }
        json_decref(saved);
    }
    heed__tok_model_free(m);
    return rc;
}

static void test_models(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        model = models[i];
        assert_true(oom_each(load_use_save) > 10);
    }
}

static int files(heed_error *err) {
    static const char vocab[] = "[UNK]\na\n##b\n", merges[] = "#version: 0.2\na b\n";
    heed__tok_model *m = heed__tok_model_vocab_txt(vocab, sizeof vocab - 1, "v", NULL, err);
    if (!m) return err->code;
    heed__tok_model_free(m);
    static const char text[] = "{\"a\":0,\"b\":1,\"ab\":2,\"x\\u0000\":3}";
    oom_spare_json(true);
    json_t *tree = heed__tok_json_parse(text, sizeof text - 1, "v", NULL, err);
    oom_spare_json(false);
    if (!tree) return err->code;
    m = heed__tok_model_merges_txt(tree, merges, sizeof merges - 1, "m", NULL, err);
    json_decref(tree);
    if (!m) return err->code;
    heed__tok_model_free(m);
    return 0;
}

/* A piece <unk>, and "ab" with score -1; kind 1 or 2; a map of characters. */
static int sentencepiece(heed_error *err) {
    static const unsigned char file[] = {
        10,  9,  10, 5, '<', 'u', 'n', 'k', '>', 24, 2,  10,  6,  10, 4,  's', 'y', 'm', '1',
        10,  5,  10, 1, 'a', 24,  1,   10,  5,   10, 1,  'b', 24, 1,  10, 11,  10,  2,   'a',
        'b', 21, 0,  0, 128, 191, 24,  4,   18,  2,  24, 2,   26, 5,  18, 3,   1,   2,   3,
    };
    unsigned char copy[sizeof file];
    memcpy(copy, file, sizeof file);
    for (int kind = 1; kind <= 2; kind++) {
        copy[sizeof file - 8] = (unsigned char)kind;
        json_t *tree = heed__tok_sentencepiece(copy, sizeof copy, "s", NULL, err);
        if (!tree) return err->code;
        json_decref(tree);
    }
    return 0;
}

static void test_files(void **state) {
    (void)state;
    assert_true(oom_each(files) > 10);
    assert_true(oom_each(sentencepiece) > 10);
}

static int kind;
static int train(heed_error *err) {
    static const char *const special[] = { "<unk>", NULL };
    heed__train_words words = { .most = kind == 2 ? 8 : 0 };
    heed__train_cfg cfg = { .vocab = 40,
                            .min_count = 1,
                            .max_piece = 4,
                            .special = special,
                            .unk = "<unk>",
                            .prefix = kind == 1 ? "##" : NULL,
                            .raw = kind == 3 };
    if (kind == 3) cfg.vocab = 270;
    int rc = 0;
    static const char *const text[] = { "low", "lower", "newest", "new",  "low",   "widest",
                                        "low", "slow",  "slower", "wide", "wider", "news" };
    for (size_t i = 0; i < sizeof text / sizeof *text && !rc; i++)
        rc = heed__train_words_add(&words, text[i], strlen(text[i]), 2);
    if (rc) {
        err->code = rc;
        strcpy(err->msg, "counting");
        heed__train_words_free(&words);
        return rc;
    }
    heed__train_words_sort(&words);
    json_t *tree = kind == 0 ? heed__train_unigram(&words, &cfg, err)
                             : heed__train_bpe(&words, &cfg, kind == 1, err);
    heed__train_words_free(&words);
    if (!tree) return err->code;
    json_decref(tree);
    return 0;
}

static void test_training(void **state) {
    (void)state;
    for (kind = 0; kind < 4; kind++) assert_true(oom_each(train) > 10);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_models), cmocka_unit_test(test_files),
                                        cmocka_unit_test(test_training) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
