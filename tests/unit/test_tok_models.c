/* test_tok_models.c: models of tokenizers: what is refused and how it is said, very long pieces,
 * zero bytes, the trie; and what training learns. */
#include "cmocka_all.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "text/tok_json.h"
#include "text/tok_model.h"
#include "text/tok_trie.h"
#include "text/tok_vocab.h"
#include "text/train_model.h"

static heed__tok_model *load(const char *json, heed_error *err) {
    *err = (heed_error){ 0 };
    json_t *tree = heed__tok_json_parse(json, strlen(json), "t.json", NULL, err);
    if (!tree) fail_msg("%s", err->msg);
    heed__tok_model *m = heed__tok_model_load(tree, "t.json: model", NULL, err);
    json_decref(tree);
    return m;
}

static void refused(const char *json, int code, const char *message) {
    heed_error err;
    heed__tok_model *m = load(json, &err);
    if (m) fail_msg("%s should be refused", json);
    assert_int_equal(err.code, code);
    assert_string_equal(err.msg, message);
}

#define BPE(vocab, merges) "{\"type\":\"BPE\",\"vocab\":{" vocab "},\"merges\":[" merges "]}"
#define WP(rest)           "{\"type\":\"WordPiece\",\"unk_token\":\"[UNK]\"," rest "}"

static void test_refused(void **state) {
    (void)state;
    refused("{\"type\":\"Wordpiece\"}", HEED_EUNSUPPORTED,
            "t.json: model: no model of type 'Wordpiece'; there are: WordPiece, BPE, Unigram, "
            "WordLevel");
    refused("{\"type\":3}", HEED_EFORMAT, "t.json: model: type is not a text");
    refused("[]", HEED_EFORMAT, "t.json: model: is not an object");
    refused(BPE("\"a\":0,\"b\":0", ""), HEED_EFORMAT,
            "t.json: model: id 0 belongs to two tokens, 'a' and 'b'");
    refused(BPE("\"a\":-1", ""), HEED_EFORMAT,
            "t.json: model: the id of token 'a' is not a whole number from 0 to 16777215");
    refused(BPE("\"a\":16777216", ""), HEED_EFORMAT,
            "t.json: model: the id of token 'a' is not a whole number from 0 to 16777215");
    refused(BPE("\"a\":0.5", ""), HEED_EFORMAT,
            "t.json: model: the id of token 'a' is not a whole number from 0 to 16777215");
    refused(BPE("\"a\":0,\"b\":1", "[\"a\",\"b\"]"), HEED_EFORMAT,
            "t.json: model: merges[0]: the vocabulary has no token 'ab'");
    refused(BPE("\"a\":0,\"b\":1", "\"a c\""), HEED_EFORMAT,
            "t.json: model: merges[0]: the vocabulary has no token 'c'");
    refused(BPE("\"a\":0,\"aa\":1", "\"a a\",\"a  a\""), HEED_EFORMAT,
            "t.json: model: merges[1]: no two tokens with one space between them: 'a  a'");
    refused(BPE("\"a\":0", "[\"a\"]"), HEED_EFORMAT,
            "t.json: model: merges[0]: is neither a text nor a list of two ''");
    refused("{\"type\":\"BPE\",\"vocab\":{},\"merges\":{}}", HEED_EFORMAT,
            "t.json: model: merges is not a list");
    refused("{\"type\":\"BPE\",\"vocab\":[],\"merges\":[]}", HEED_EFORMAT,
            "t.json: model: vocab is not an object of tokens and ids");
    refused("{\"type\":\"BPE\",\"vocab\":{},\"merges\":[],\"dropout\":2}", HEED_EFORMAT,
            "t.json: model: dropout is not a number from 0 to 1");
    refused("{\"type\":\"BPE\",\"vocab\":{},\"merges\":[],\"unk_token\":1}", HEED_EFORMAT,
            "t.json: model: unk_token is not a text");
    refused("{\"type\":\"BPE\",\"vocab\":{},\"merges\":[],\"fuse_unk\":1}", HEED_EFORMAT,
            "t.json: model: fuse_unk is not true or false");
    refused("{\"type\":\"BPE\",\"vocab\":{},\"merges\":[],\"ranks\":[1]}", HEED_EFORMAT,
            "t.json: model: ranks is not a list of one for each merge");
    refused("{\"type\":\"BPE\",\"vocab\":{},\"merges\":[],\"frozen\":[1]}", HEED_EFORMAT,
            "t.json: model: frozen[0] is no token's id");
    refused(WP("\"max_input_chars_per_word\":5,\"vocab\":{}"), HEED_EFORMAT,
            "t.json: model: continuing_subword_prefix is missing");
    refused(WP("\"continuing_subword_prefix\":\"##\",\"vocab\":{}"), HEED_EFORMAT,
            "t.json: model: max_input_chars_per_word is not a whole number from 0 on");
    refused("{\"type\":\"WordLevel\",\"vocab\":{}}", HEED_EFORMAT,
            "t.json: model: unk_token is missing");
    refused("{\"type\":\"Unigram\",\"vocab\":[[\"a\",1,2]]}", HEED_EFORMAT,
            "t.json: model: vocab[0] is not a token and its score");
    refused("{\"type\":\"Unigram\",\"unk_id\":1,\"vocab\":[[\"a\",1]]}", HEED_EFORMAT,
            "t.json: model: unk_id is no place of the vocabulary");
    refused("{\"type\":\"Unigram\",\"vocab\":[[\"a\",1]],\"hidden\":0}", HEED_EFORMAT,
            "t.json: model: hidden is not a list of ids");
    refused("{\"type\":\"Unigram\",\"vocab\":[[\"a\",1]],\"hidden\":[1]}", HEED_EFORMAT,
            "t.json: model: hidden[0] is no place of the vocabulary");
    refused("{\"type\":\"Unigram\",\"unk_id\":0,\"vocab\":{}}", HEED_EFORMAT,
            "t.json: model: vocab is not a list of at most 16777215 tokens");
}

/* What a model makes of a piece, as "id[begin,end) ..."; or its error. */
static const char *encoded(const heed__tok_model *m, const char *piece, size_t size) {
    static char text[4096];
    heed_error err = { 0 };
    heed__tok_scratch *s = heed__tok_scratch_new(m, &err);
    heed__tok_pieces out = { 0 };
    size_t n = 0;
    text[0] = 0;
    if (heed__tok_encode(m, s, piece, size, &out, &err)) {
        assert_int_equal(out.len, 0);
        snprintf(text, sizeof text, "%s", err.msg);
    }
    for (int64_t i = 0; i < out.len && n < 4000; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "%s%d[%u,%u)", i ? " " : "",
                              out.item[i].id, out.item[i].begin, out.item[i].end);
    heed__tok_pieces_free(m, &out);
    heed__tok_scratch_free(s);
    return text;
}

static void check_encoded(const char *json, const char *piece, const char *want) {
    heed_error err;
    heed__tok_model *m = load(json, &err);
    if (!m) fail_msg("%s", err.msg);
    assert_string_equal(encoded(m, piece, strlen(piece)), want);
    heed__tok_model_free(m);
}

static void test_unknown(void **state) {
    (void)state;
    check_encoded(WP("\"continuing_subword_prefix\":\"##\",\"max_input_chars_per_word\":100,"
                     "\"vocab\":{\"a\":0}"),
                  "ax",
                  "WordPiece: a word is not covered and the unknown token '[UNK]' is not in "
                  "the vocabulary");
    check_encoded("{\"type\":\"WordLevel\",\"unk_token\":\"U\",\"vocab\":{\"a\":0}}", "b",
                  "WordLevel: a word is not known and the unknown token 'U' is not in the "
                  "vocabulary");
    check_encoded("{\"type\":\"Unigram\",\"vocab\":[[\"a\",-1]]}", "b",
                  "Unigram: a character is not known and the model has no unk_id");
    check_encoded("{\"type\":\"BPE\",\"unk_token\":\"U\",\"vocab\":{\"a\":0},\"merges\":[]}", "ab",
                  "BPE: a character is not known and the unknown token 'U' is not in the "
                  "vocabulary");
    /* without an unknown token the letter goes, and offsets run on, as in the reference */
    check_encoded(BPE("\"a\":0,\"b\":1", ""), "axb", "0[0,1) 1[1,2)");
    check_encoded(BPE("", ""), "axb", "");
}

static void test_zero_bytes(void **state) {
    (void)state;
    heed_error err;
    heed__tok_model *m = load("{\"type\":\"WordLevel\",\"unk_token\":\"U\",\"vocab\":{\"U\":0,"
                              "\"\\u0000\":1,\"a\\u0000b\":2,\"a\":3,\"\\\\u0000\":4}}",
                              &err);
    if (!m) fail_msg("%s", err.msg);
    assert_string_equal(encoded(m, "\0", 1), "1[0,1)");
    assert_string_equal(encoded(m, "a\0b", 3), "2[0,3)");
    assert_string_equal(encoded(m, "a", 1), "3[0,1)");
    assert_string_equal(encoded(m, "\\u0000", 6), "4[0,6)");
    size_t size;
    assert_memory_equal(heed__tok_token(m, 2, &size), "a\0b", 4);
    assert_int_equal(size, 3);
    assert_null(heed__tok_token(m, 5, &size));
    assert_null(heed__tok_token(m, -1, &size));
    json_t *saved = heed__tok_model_save(m);
    char *text = heed__tok_json_text(NULL, saved, false, &size, &err);
    assert_non_null(strstr(text, "\"a\\u0000b\":2"));
    assert_non_null(strstr(text, "\"\\u0000\":1"));
    free(text);
    json_decref(saved);
    heed__tok_model_free(m);
}

/* Equal tokens of a vocab.txt: the last line gives the id; ids of the others have texts too. */
static void test_twice(void **state) {
    (void)state;
    heed_error err;
    static const char vocab[] = "[UNK]\na\nb \r\na\n";
    heed__tok_model *m = heed__tok_model_vocab_txt(vocab, sizeof vocab - 1, "v", NULL, &err);
    assert_non_null(m);
    assert_string_equal(encoded(m, "a", 1), "3[0,1)");
    assert_string_equal(encoded(m, "b", 1), "2[0,1)");
    assert_string_equal(heed__tok_token(m, 1, NULL), "a");
    assert_int_equal(heed__tok_len(m), 4);
    heed__tok_model_free(m);
    assert_null(heed__tok_model_vocab_txt("", 0, "v.txt", NULL, &err));
    assert_string_equal(err.msg, "v.txt: no token");
    json_t *tree = json_pack("{s:i, s:i, s:i}", "a", 0, "b", 1, "ab", 2);
    assert_null(
        heed__tok_model_merges_txt(tree, "#version: 0.2\r\na b\r\na\n", 22, "m.txt", NULL, &err));
    assert_string_equal(err.msg, "m.txt:3: no two tokens with one space between them: 'a'");
    json_decref(tree);
}

/* A run of a million letters, by the heap; the same by the scan where it is short. */
static void test_long(void **state) {
    (void)state;
    enum { LONG = 1000000 };
    heed_error err;
    heed__tok_model *m = load(BPE("\"a\":0,\"aa\":1,\"aaaa\":2,\"b\":3,\"ab\":4",
                                  "\"a a\","
                                  "\"aa aa\",\"a b\""),
                              &err);
    if (!m) fail_msg("%s", err.msg);
    char *piece = malloc(LONG);
    memset(piece, 'a', LONG);
    piece[LONG - 1] = 'b';
    for (int round = 0; round < 2; round++) {
        const size_t size = round ? 96 : LONG;
        const char *from = piece + LONG - size;
        heed__tok_scratch *s = heed__tok_scratch_new(m, &err);
        heed__tok_pieces out = { 0 };
        assert_int_equal(heed__tok_encode(m, s, from, size, &out, &err), 0);
        /* size - 1 letters a: fours, a two, an a that joins b */
        assert_int_equal(out.len, (int64_t)size / 4 + 1);
        assert_int_equal(out.item[0].id, 2);
        assert_int_equal(out.item[out.len - 2].id, 1);
        assert_int_equal(out.item[out.len - 1].id, 4);
        assert_int_equal(out.item[out.len - 1].end, size);
        heed__tok_pieces_free(m, &out);
        heed__tok_scratch_free(s);
    }
    heed__tok_model_free(m);
    m = load("{\"type\":\"Unigram\",\"unk_id\":0,\"vocab\":[[\"u\",0],[\"a\",-1],[\"aaa\",-1.5]]}",
             &err);
    heed__tok_scratch *s = heed__tok_scratch_new(m, &err);
    heed__tok_pieces out = { 0 };
    assert_int_equal(heed__tok_encode(m, s, piece, LONG, &out, &err), 0);
    assert_int_equal(out.len, (LONG - 1) / 3 + 1);
    assert_int_equal(out.item[out.len - 1].id, 0);
    heed__tok_pieces_free(m, &out);
    heed__tok_scratch_free(s);
    heed__tok_model_free(m);
    free(piece);
}

static void test_trie(void **state) {
    (void)state;
    enum { KEYS = 5000 };
    static char text[KEYS][8];
    static heed__trie_key keys[KEYS];
    heed_rng rng = { .seed = 3 };
    int64_t n = 0;
    for (int i = 0; i < KEYS; i++) {
        const size_t size = 1 + heed_rng_below(&rng, 7);
        for (size_t k = 0; k < size; k++)
            text[i][k] = (char)(heed_rng_below(&rng, 4) ? heed_rng_below(&rng, 3)
                                                        : heed_rng_below(&rng, 256));
        bool known = false;
        for (int64_t j = 0; j < n && !known; j++)
            known = keys[j].size == size && memcmp(keys[j].key, text[i], size) == 0;
        if (!known) {
            keys[n] = (heed__trie_key){ text[i], (uint32_t)size, (int32_t)n };
            n++;
        }
    }
    static heed__trie_key sorted[KEYS];
    memcpy(sorted, keys, sizeof keys);
    heed__tok_trie t = { 0 };
    assert_int_equal(heed__trie_build(&t, sorted, n), 0);
    int64_t found = 0;
    for (int64_t i = 0; i < n; i++) {
        int32_t node = 0;
        for (uint32_t k = 0; k < keys[i].size && node >= 0; k++)
            node = heed__trie_step(&t, node, (unsigned char)keys[i].key[k]);
        assert_true(node > 0 && t.units[node].value == keys[i].value);
    }
    for (int64_t i = 0; i < t.len; i++) found += t.units[i].value >= 0;
    assert_int_equal(found, n); /* and nothing else is in it */
    heed__trie_free(&t);
    assert_int_equal(heed__trie_build(&t, NULL, 0), 0);
    for (int c = 0; c < 256; c++) assert_int_equal(heed__trie_step(&t, 0, (unsigned char)c), -1);
    heed__trie_free(&t);
}

/* -- training --------------------------------------------------------------------------------- */

static heed__train_words counted(int64_t most) {
    static const struct {
        const char *word;
        int64_t count;
    } text[] = { { "low", 5 }, { "lower", 2 }, { "newest", 6 }, { "widest", 3 } };
    heed__train_words w = { .most = most };
    for (size_t i = 0; i < sizeof text / sizeof *text; i++)
        for (int64_t k = 0; k < text[i].count; k++)
            assert_int_equal(heed__train_words_add(&w, text[i].word, strlen(text[i].word), 1), 0);
    return w;
}

static void test_words(void **state) {
    (void)state;
    heed__train_words w = counted(0);
    assert_int_equal(heed__train_words_sort(&w), 0);
    assert_int_equal(w.len, 4);
    assert_int_equal(w.words[0].count, 6);
    assert_memory_equal(w.bytes + w.words[0].at, "newest", 6);
    assert_int_equal(w.words[3].count, 2);
    heed__train_words_free(&w);
    w = counted(3); /* room for two: the rarest go when a third comes */
    assert_true(w.len <= 3 && w.dropped > 0);
    heed__train_words_free(&w);
    w = (heed__train_words){ .most_bytes = 5 };
    assert_int_equal(heed__train_words_add(&w, "low", 3, 1), 0);
    assert_int_equal(heed__train_words_add(&w, "new", 3, 1), 0);
    assert_int_equal(heed__train_words_add(&w, "low", 3, 1), 0);
    assert_true(w.full && w.len == 1 && w.words[0].count == 2);
    heed__train_words_free(&w);
}

/* The example of Sennrich et al. 2016, whose first merges are e s, es t, and l o. */
static void test_train_bpe(void **state) {
    (void)state;
    heed_error err = { 0 };
    heed__train_words w = counted(0);
    heed__train_words_sort(&w);
    heed__train_cfg cfg = { .vocab = 11 + 4, .min_count = 2 };
    json_t *m = heed__train_bpe(&w, &cfg, false, &err);
    assert_non_null(m);
    static const char *const want[][2] = {
        { "e", "s" }, { "es", "t" }, { "l", "o" }, { "lo", "w" }
    };
    const json_t *merges = json_object_get(m, "merges");
    assert_int_equal(json_object_size(json_object_get(m, "vocab")), 15);
    for (size_t i = 0; i < 4; i++)
        for (size_t k = 0; k < 2; k++)
            assert_string_equal(json_string_value(json_array_get(json_array_get(merges, i), k)),
                                want[i][k]);
    json_decref(m);
    cfg.vocab = 1000; /* as far as pairs are seen so often */
    cfg.min_count = 7;
    m = heed__train_bpe(&w, &cfg, false, &err);
    assert_int_equal(json_array_size(json_object_get(m, "merges")), 4);
    json_decref(m);
    cfg.raw = true;
    m = heed__train_bpe(&w, &cfg, false, &err);
    assert_int_equal(json_object_size(json_object_get(m, "vocab")), 256 + 4);
    json_decref(m);
    heed__train_words_free(&w);
}

static void test_train_unigram(void **state) {
    (void)state;
    heed_error err = { 0 };
    heed__train_words w = counted(0);
    heed__train_words_sort(&w);
    static const char *const special[] = { "<pad>", "<unk>", NULL };
    heed__train_cfg cfg = { .vocab = 20, .max_piece = 8, .special = special, .unk = "<unk>" };
    json_t *tree = heed__train_unigram(&w, &cfg, &err);
    assert_non_null(tree);
    const json_t *vocab = json_object_get(tree, "vocab");
    assert_int_equal(json_integer_value(json_object_get(tree, "unk_id")), 1);
    assert_true(json_array_size(vocab) > 13 && json_array_size(vocab) <= 20);
    double before = INFINITY, sum = 0;
    for (size_t i = 2; i < json_array_size(vocab); i++) {
        const double score = json_number_value(json_array_get(json_array_get(vocab, i), 1));
        assert_true(isfinite(score) && score <= before);
        before = score;
        sum += exp(score);
    }
    assert_true(sum < 1.0001);
    heed__tok_model *m = heed__tok_model_load(tree, "t", NULL, &err);
    assert_non_null(m);
    assert_true(heed__tok_find(m, "est", 3) >= 0 || heed__tok_find(m, "west", 4) >= 0 ||
                heed__tok_find(m, "newest", 6) >= 0);
    static const char letters[] = "lowernstid";
    for (size_t i = 0; i < sizeof letters - 1; i++)
        assert_true(heed__tok_find(m, letters + i, 1) >= 0);
    heed__tok_model_free(m);
    json_decref(tree);
    cfg.max_piece = 64;
    assert_null(heed__train_unigram(&w, &cfg, &err));
    assert_string_equal(err.msg,
                        "training a tokenizer: the longest piece is 64, not 1 to 63 letters");
    heed__train_words_free(&w);
    assert_null(heed__train_unigram(&w, &cfg, &err));
    assert_string_equal(err.msg, "training a tokenizer: the text holds no piece at all");
}

static bool stop(void *user) {
    ++*(int *)user;
    return true;
}

static void test_cancel(void **state) {
    (void)state;
    int asked = 0;
    heed_error err = { 0 };
    const heed_hooks hooks = { .user = &asked, .cancel = stop };
    heed__train_words w = { 0 };
    heed_rng rng = { .seed = 1 };
    for (int i = 0; i < 2000; i++) {
        char word[12];
        for (size_t k = 0; k < sizeof word; k++) word[k] = (char)('a' + heed_rng_below(&rng, 6));
        assert_int_equal(heed__train_words_add(&w, word, sizeof word, 2), 0);
    }
    heed__train_words_sort(&w);
    const heed__train_cfg cfg = { .vocab = 300, .max_piece = 8, .hooks = &hooks };
    assert_null(heed__train_bpe(&w, &cfg, false, &err));
    assert_int_equal(err.code, HEED_ECANCELLED);
    err.code = 0;
    assert_null(heed__train_unigram(&w, &cfg, &err));
    assert_int_equal(err.code, HEED_ECANCELLED);
    assert_true(asked >= 2);
    heed__train_words_free(&w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused),       cmocka_unit_test(test_unknown),
        cmocka_unit_test(test_zero_bytes),    cmocka_unit_test(test_twice),
        cmocka_unit_test(test_long),          cmocka_unit_test(test_trie),
        cmocka_unit_test(test_words),         cmocka_unit_test(test_train_bpe),
        cmocka_unit_test(test_train_unigram), cmocka_unit_test(test_cancel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
