/* test_null_tasks.c: NULL where a call needs an object, a path, a text or room: classifiers,
 * taggers, embedders, tokenizers, tensor files, configs and checkpoints answer with a sentence. And
 * every function of the public headers is in this test or in test_null.c, or is one of those that
 * work on structs of the caller. */
#include <heed/embed.h>
#include <heed/heed.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmocka_all.h"
#include "refused.h"

static const char *const text[] = { "a good day", "a bad night", "a good time", "a bad end" };
static const char *const label[] = { "up", "down", "up", "down" };
static const char *const hole[] = { "a", "b", NULL, "d" };
static const heed_examples data = { .len = 4, .text = text, .label = label, .text2 = text };

static heed_classifier *trained(heed_target target) {
    static const double score[] = { 1, 0, 1, 0 };
    static const int64_t start[] = { 0, 1, 2, 3, 4 };
    heed_examples x = { .len = 4, .text = text, .label = label, .score = score };
    if (target == HEED_TARGET_LABELS) x.label_start = start;
    const heed_classify_cfg cfg = { .recipe = "classic", .target = target, .epochs = 1 };
    heed_classifier *c = heed_classifier_train(&x, &cfg, &err);
    if (!c) fail_msg("%s", err.msg);
    return c;
}

static void questions_of_none(void **state) {
    (void)state;
    bool sequence = true;
    size_t size = 1;
    double ece[2] = { 1, 1 };
    assert_true(heed_classifier_labels(NULL) == 0 && heed_classifier_parameters(NULL) == 0);
    assert_null(heed_classifier_label(NULL, 0));
    assert_int_equal(heed_classifier_target(NULL), HEED_TARGET_LABEL);
    assert_false(heed_classifier_pairs(NULL));
    assert_int_equal(heed_classifier_array(NULL, &sequence), 0);
    assert_false(sequence);
    assert_null(heed_classifier_recipe(NULL));
    assert_null(heed_recipe_name(-1));
    assert_true(heed_classifier_calibrated(NULL) == 0 && heed_classifier_levels(NULL) == 0);
    assert_true(heed_classifier_parent(NULL, NULL, 0, 0, &size) <= 0);
    assert_int_equal(size, 0);
    assert_true(heed_classifier_parent(NULL, NULL, 0, 0, NULL) <= 0);
    assert_true(heed_tagger_types(NULL) == 0 && heed_tagger_parameters(NULL) == 0);
    assert_null(heed_tagger_type(NULL, 0));
    assert_null(heed_tagger_scheme(NULL));
    assert_true(heed_tagger_temperature(NULL, ece) <= 0 && ece[0] <= 0 && ece[1] <= 0);
    assert_true(heed_embedder_dim(NULL) == 0 && heed_embedder_parameters(NULL) == 0);
    assert_null(heed_embedder_recipe(NULL));
    assert_int_equal(heed_tokenizer_len(NULL), 0);
    assert_null(heed_tokenizer_token(NULL, 0, NULL));
    assert_int_equal(heed_tokenizer_id(NULL, "a", 1), -1);
    assert_false(heed_tokenizer_is_special(NULL, 0));
    assert_null(heed_safetensors_name(NULL));
    assert_int_equal(heed_safetensors_count(NULL), 0);
    assert_null(heed_safetensors_at(NULL, 0));
    assert_null(heed_safetensors_find(NULL, "w"));
    assert_null(heed_safetensors_meta(NULL, "format"));
    assert_true(heed_schedule_at(NULL, 3) >= 1);
    assert_null(heed_node_out(NULL));
    assert_null(heed_node_src(NULL, 0));
    assert_null(heed_node_saved(NULL));
    heed_classifier_close(NULL);
    heed_tagger_close(NULL);
    heed_embedder_close(NULL);
    heed_tokenizer_close(NULL);
    heed_safetensors_close(NULL);
    heed_encoding_free(NULL);
    heed_string_free(NULL);
    heed_text_free(NULL);
}

static void classifiers(void **state) {
    (void)state;
    float p[8];
    heed_label top[2];
    heed_explanation x = { .top = top, .top_cap = 2 };
    heed_metrics m;
    none(heed_classifier_train(NULL, NULL, &err), "train: there is no list of examples");
    none(heed_classifier_open(NULL, NULL, &err), "open: there is no folder");
    assert_null(heed_classifier_open(NULL, NULL, NULL));
    said(heed_classifier_save(NULL, "/tmp/none", &err), "save: there is no classifier");
    said(heed_classify(NULL, "a", top, 2, &err), "classify: there is no classifier");
    said(heed_classify_explain(NULL, "a", &x, &err), "classify: there is no classifier");
    said(heed_classify_explain_many(NULL, 4, text, &x, &err), "classify: there is no classifier");
    said(heed_classify_many(NULL, 4, text, p, &err), "classify: there is no classifier");
    said(heed_classify_examples(NULL, &data, p, &err), "classify: there is no classifier");
    said(heed_classifier_cost(NULL, NULL, NULL, &err), "cost: there is no classifier");
    said(heed_classifier_test(NULL, &data, &m, &err), "test: there is no classifier");
    said(heed_classifier_test_labels(NULL, &data, NULL, &err), "test: there is no classifier");
    said(heed_classifier_test_score(NULL, &data, NULL, &err), "test: there is no classifier");
    said(heed_classifier_test_levels(NULL, &data, NULL, 0, &err), "test: there is no classifier");
    assert_int_equal(heed_classify(NULL, "a", top, 2, NULL), HEED_EINVALID);
}

/* Everything but the classifier. */
static void classifiers_arguments(void **state) {
    (void)state;
    float p[8];
    heed_label top[2];
    heed_explanation x = { .top = top, .top_cap = 2 }, many[4] = { { 0 } };
    heed_metrics m;
    double accuracy[2];
    heed_examples holes = { .len = 4, .text = hole, .label = label };
    heed_classifier *c = trained(HEED_TARGET_LABEL);
    said(heed_classifier_save(c, NULL, &err), "save: there is no folder");
    said(heed_classify(c, NULL, top, 2, &err), "classify: there is no text");
    said(heed_classify(c, "a", NULL, 2, &err), "classify: there is no room for labels");
    assert_int_equal(heed_classify(c, "a", NULL, 0, &err), 0);
    said(heed_classify_explain(c, NULL, &x, &err), "classify: there is no text");
    said(heed_classify_explain(c, "a", NULL, &err), "classify: there is no explanation");
    said(heed_classify_explain_many(c, 4, NULL, many, &err), "classify: there is no list of texts");
    said(heed_classify_explain_many(c, 4, text, NULL, &err),
         "classify: there is no room for explanations");
    said(heed_classify_explain_many(c, 4, hole, many, &err), "encode: text 2 is NULL");
    said(heed_classify_many(c, 4, NULL, p, &err), "encode: there is no list of texts");
    said(heed_classify_many(c, 4, hole, p, &err), "encode: text 2 is NULL");
    said(heed_classify_many(c, 4, text, NULL, &err), "classify: there is no room for answers");
    assert_int_equal(heed_classify_many(c, 0, NULL, NULL, &err), 0);
    said(heed_classify_examples(c, NULL, p, &err), "classify: there is no list of examples");
    said(heed_classifier_test(c, NULL, &m, &err), "test: there is no list of examples");
    said(heed_classifier_test(c, &holes, &m, &err), "encode: text 2 is NULL");
    static const int64_t falls[] = { 0, 2, 1, 3, 4 }, below[] = { -1, 1, 2, 3, 4 };
    heed_examples several = { .len = 4, .text = text, .label = label, .label_start = falls };
    none(
        heed_classifier_train(&several, &(heed_classify_cfg){ .target = HEED_TARGET_LABELS }, &err),
        "train: label_start 2 is 1, after one of 2");
    heed_labels_metrics marks;
    said(heed_classifier_test_labels(c, &several, &marks, &err),
         "test: label_start 2 is 1, after one of 2");
    several.label_start = below;
    none(
        heed_classifier_train(&several, &(heed_classify_cfg){ .target = HEED_TARGET_LABELS }, &err),
        "train: label_start 0 is -1, after one of 0");
    none(heed_classifier_train(&data, &(heed_classify_cfg){ .target = (heed_target)3 }, &err),
         "train: there is no target 3");
    const heed_examples scored = { .len = 4, .text = text, .score = (double[]){ 1, 2, 3, 4 } };
    heed_classifier *number = heed_classifier_train(
        &scored,
        &(heed_classify_cfg){ .target = HEED_TARGET_SCORE, .hierarchy = true, .epochs = 1 }, &err);
    heed_explanation parentless = { .top_cap = 0 };
    if (!number || heed_classify_explain(number, "a good day", &parentless, &err))
        fail_msg("%s", err.msg);
    assert_int_equal(parentless.parents, 0);
    heed_classifier_close(number);
    const heed_examples nothing = { .len = -1, .text = text, .label = label };
    said(heed_classifier_test(c, &nothing, &m, &err), "test: there are no texts");
    said(heed_classifier_test_labels(c, &nothing, &marks, &err), "test: there are no texts");
    several.label_start = NULL; /* one each */
    heed_classifier *one = heed_classifier_train(
        &several, &(heed_classify_cfg){ .target = HEED_TARGET_LABELS, .epochs = 1 }, &err);
    if (!one || heed_classifier_test_labels(one, &several, &marks, &err)) fail_msg("%s", err.msg);
    assert_int_equal(marks.n, 4);
    heed_classifier_close(one);
    said(heed_classifier_test(c, &holes, NULL, &err), "test: there is no room for measures");
    holes = (heed_examples){ .len = 4, .text = text };
    said(heed_classifier_test(c, &holes, &m, &err), "test: there is no list of labels");
    said(heed_classifier_test_levels(c, &holes, accuracy, 2, &err),
         "test: there is no list of labels");
    holes.label = hole;
    said(heed_classifier_test(c, &holes, &m, &err), "test: label 2 is NULL");
    said(heed_classifier_test_levels(c, NULL, accuracy, 2, &err),
         "test: there is no list of examples");
    said(heed_classifier_test_levels(c, &holes, NULL, 2, &err),
         "test: there is no room for measures");
    assert_true(heed_classifier_cost(c, NULL, NULL, &err) > 0);
    heed_classifier_close(c);

    heed_labels_metrics lm;
    c = trained(HEED_TARGET_LABELS);
    said(heed_classifier_test_labels(c, NULL, &lm, &err), "test: there is no list of examples");
    said(heed_classifier_test_labels(c, &data, NULL, &err), "test: there is no room for measures");
    said(heed_classifier_test_labels(c, &holes, &lm, &err), "test: label 2 is NULL");
    heed_classifier_close(c);

    heed_score_metrics sm;
    c = trained(HEED_TARGET_SCORE);
    said(heed_classifier_test_score(c, NULL, &sm, &err), "test: there is no list of examples");
    said(heed_classifier_test_score(c, &data, NULL, &err), "test: there is no room for measures");
    said(heed_classifier_test_score(c, &data, &sm, &err), "test: there is no list of scores");
    heed_classifier_close(c);
}

static void taggers(void **state) {
    (void)state;
    static const int64_t start[] = { 0, 2, 4 };
    static const char *const word[] = { "see", "Rome", "see", "Oslo" };
    static const char *const tag[] = { "O", "B-LOC", "O", "B-LOC" };
    const heed_tagged sentences = { 2, start, word, tag };
    heed_entity e[4];
    heed_cut cut[4];
    heed_tag_metrics m = { .type = NULL };
    none(heed_tagger_train(NULL, NULL, &err), "train: there is no list of sentences");
    none(heed_tagger_open(NULL, NULL, &err), "open: there is no folder");
    said(heed_tagger_save(NULL, "/tmp/none", &err), "save: there is no tagger");
    said(heed_tagger_find(NULL, "a", e, 4, &err), "tag: there is no tagger");
    said(heed_tagger_find_words(NULL, 4, word, e, 4, &err), "tag: there is no tagger");
    said(heed_tagger_cut(NULL, "a", cut, 4, &err), "tag: there is no tagger");
    said(heed_tagger_test(NULL, &sentences, &m, &err), "test: there is no tagger");
    const heed_tag_cfg cfg = { .epochs = 1, .buckets = 64, .hidden = 8, .valid_part = -1 };
    heed_tagger *t = heed_tagger_train(&sentences, &cfg, &err);
    if (!t) fail_msg("%s", err.msg);
    said(heed_tagger_save(t, NULL, &err), "save: there is no folder");
    said(heed_tagger_find(t, NULL, e, 4, &err), "tag: there is no text");
    said(heed_tagger_find(t, "a", NULL, 4, &err), "tag: there is no room for entities");
    assert_true(heed_tagger_find(t, "see Rome", NULL, 0, &err) >= 0);
    said(heed_tagger_find_words(t, 4, NULL, e, 4, &err), "tag: there is no list of words");
    said(heed_tagger_find_words(t, 4, hole, e, 4, &err), "tag: word 2 or its tag is NULL");
    said(heed_tagger_find_words(t, 4, word, NULL, 4, &err), "tag: there is no room for entities");
    said(heed_tagger_cut(t, NULL, cut, 4, &err), "tag: there is no text");
    said(heed_tagger_cut(t, "a", NULL, 4, &err), "tag: there is no room for words");
    said(heed_tagger_test(t, NULL, &m, &err), "test: there is no list of sentences");
    said(heed_tagger_test(t, &sentences, NULL, &err), "test: there is no room for measures");
    heed_tagger_close(t);
}

static void embedders(void **state) {
    (void)state;
    static float out[4 * 512];
    heed_retrieval r;
    none(heed_embedder_train(NULL, NULL, &err), "train: there is no list of examples");
    none(heed_embedder_open(NULL, NULL, &err), "open: there is no folder");
    said(heed_embedder_save(NULL, "/tmp/none", &err), "save: there is no embedder");
    said(heed_embedder_apply(NULL, 4, text, out, &err), "embed: there is no embedder");
    said(heed_embedder_test(NULL, &data, &r, &err), "test: there is no embedder");
    heed_examples holes = data;
    holes.text = hole;
    none(heed_embedder_train(&holes, NULL, &err), "train: text 2 is NULL");
    const heed_embedder_cfg cfg = { .epochs = 1, .embed = 16 };
    heed_embedder *e = heed_embedder_train(&data, &cfg, &err);
    if (!e) fail_msg("%s", err.msg);
    assert_true(heed_embedder_dim(e) <= 512);
    said(heed_embedder_save(e, NULL, &err), "save: there is no folder");
    said(heed_embedder_apply(e, 4, NULL, out, &err), "embed: there is no list of texts");
    said(heed_embedder_apply(e, 4, hole, out, &err), "encode: text 2 is NULL");
    said(heed_embedder_apply(e, 4, text, NULL, &err), "embed: there is no room for vectors");
    said(heed_embedder_test(e, NULL, &r, &err), "test: there is no list of examples");
    said(heed_embedder_test(e, &holes, &r, &err), "test: text 2 is NULL");
    said(heed_embedder_test(e, &data, NULL, &err), "test: there is no room for measures");
    heed_embedder_close(e);
}

static void tokenizers(void **state) {
    (void)state;
    const heed_bytes bytes[2] = { { "a", 1 }, { NULL, 1 } };
    const heed_text_source empty = { .next = NULL };
    heed_encoding out[2] = { { 0 }, { 0 } };
    heed_string string = { 0 };
    const int32_t id = 0;
    none(heed_tokenizer_open(NULL, NULL, &err), "tokenizer: there is no path");
    none(heed_tokenizer_from(NULL, 0, "x", NULL, &err), "tokenizer: there is no JSON text");
    none(heed_tokenizer_from("{}", 2, NULL, NULL, &err), "tokenizer: there is no name");
    none(heed_tokenizer_train(NULL, NULL, &err), "train: there is no source of texts");
    none(heed_tokenizer_train(NULL, &empty, &err), "train: there is no source of texts");
    said(heed_tokenizer_save(NULL, "/tmp/none", &err), "tokenizer: there is no tokenizer");
    said(heed_tokenizer_encode(NULL, "a", 1, NULL, out, &err), "encode: there is no tokenizer");
    said(heed_tokenizer_encode_many(NULL, bytes, 2, NULL, out, &err),
         "encode: there is no tokenizer");
    said(heed_tokenizer_decode(NULL, &id, 1, false, &string, &err),
         "decode: there is no tokenizer");
    heed_tokenizer *tok = heed_tokenizer_open(HEED_SOURCE_DIR "/tests/cli/data/tokenizer.json",
                                              NULL, &err);
    if (!tok) fail_msg("%s", err.msg);
    said(heed_tokenizer_save(tok, NULL, &err), "tokenizer: there is no path");
    said(heed_tokenizer_encode(tok, NULL, 1, NULL, out, &err), "encode: there is no text");
    assert_int_equal(heed_tokenizer_encode(tok, NULL, 0, NULL, out, &err), 0);
    said(heed_tokenizer_encode(tok, "a", 1, NULL, NULL, &err), "encode: there is no encoding");
    said(heed_tokenizer_encode_many(tok, NULL, 2, NULL, out, &err),
         "encode: there is no list of texts");
    said(heed_tokenizer_encode_many(tok, bytes, 2, NULL, NULL, &err),
         "encode: there is no room for encodings");
    said(heed_tokenizer_encode_many(tok, bytes, 2, NULL, out, &err),
         "text 1: encode: there is no text");
    said(heed_tokenizer_decode(tok, NULL, 1, false, &string, &err),
         "decode: there is no list of ids");
    said(heed_tokenizer_decode(tok, &id, 1, false, NULL, &err),
         "decode: there is no room for the text");
    heed_encoding_free(&out[0]);
    heed_encoding_free(&out[1]);
    heed_tokenizer_close(tok);
}

static void files(void **state) {
    (void)state;
    float number;
    int64_t whole;
    heed_model_cfg cfg;
    heed_params *ps = heed_params_new(NULL, &err);
    const heed_entry one = { .name = "w", .dtype = HEED_FILE_F32, .len = 1 };
    none(heed_safetensors_open(NULL, NULL, &err), "safetensors: there is no path");
    none(heed_safetensors_from(NULL, 8, "x", NULL, &err), "safetensors: there is no data");
    none(heed_safetensors_from("", 0, NULL, NULL, &err), "safetensors: there is no name");
    said(heed_entry_f32(NULL, &number, &err), "safetensors: there is no entry");
    said(heed_entry_f32(&one, NULL, &err), "safetensors: there is no room for numbers");
    said(heed_entry_i64(NULL, &whole, &err), "safetensors: there is no entry");
    said(heed_entry_i64(&one, NULL, &err), "safetensors: there is no room for numbers");
    said(heed_safetensors_save(NULL, &one, 1, NULL, NULL, &err), "safetensors: there is no path");
    said(heed_safetensors_save("/tmp/none", NULL, 1, NULL, NULL, &err),
         "safetensors: there is no list of entries");
    said(heed_params_save(NULL, "/tmp/none", NULL, &err), "save: there is no list of parameters");
    said(heed_params_save(ps, NULL, NULL, &err), "save: there is no path");
    said(heed_params_load(NULL, "/tmp/none", &err), "load: there is no list of parameters");
    said(heed_params_load(ps, NULL, &err), "load: there is no path");
    none(heed_model_cfg_to_json(NULL, &err), "config: there is no config");
    said(heed_model_cfg_from_json(NULL, "{}", 2, NULL, &err), "config: there is no config");
    said(heed_model_cfg_from_json(&cfg, NULL, 2, NULL, &err), "config: there is no JSON text");
    said(heed_checkpoint_save(NULL, &(heed_checkpoint){ .params = ps }, &err),
         "checkpoint: there is no path");
    said(heed_checkpoint_save("/tmp/none", NULL, &err), "checkpoint: there is no checkpoint");
    said(heed_checkpoint_load("/tmp/none", NULL, &err), "checkpoint: there is no checkpoint");
    heed_params_free(ps);
}

/* -- whether all functions are tried ---------------------------------------------------------- */

static char *read_whole(const char *path) {
    FILE *f = fopen(path, "r");
    if (!f) fail_msg("%s", path);
    char *all = NULL;
    size_t size = 0;
    if (getdelim(&all, &size, 0, f) < 0) fail_msg("%s", path);
    fclose(f);
    return all;
}

/* Names that begin so work on structs, places for results and lists that the caller has, or take
 * no pointer that could be one to what was not made. */
static bool is_of_the_caller(const char *name) {
    static const char *const begin[] = {
        "heed_rng_",      "heed_philox",     "heed_pool_run",    "heed_status_name",
        "heed_version",   "heed_dtype_",     "heed_file_dtype_", "heed_alibi_slopes",
        "heed_sinusoids", "heed_shape_text", "heed_fail",        "heed_params_fail",
        "heed_linear_",   "heed_embed_",     "heed_norm_",       "heed_position_",
        "heed_mha_",      "heed_ff_",        "heed_block_",      "heed_encoder_",
        "heed_decoder_",  "heed_rnn_",       "heed_conv_",       "heed_pooling_",
        "heed_classic_",  "heed_lm_",        "heed_seq2seq_",    "heed_record",
    };
    for (size_t i = 0; i < sizeof begin / sizeof *begin; i++)
        if (strncmp(name, begin[i], strlen(begin[i])) == 0) return true;
    return false;
}

/* Whether source has this name, and not only longer ones that begin so. */
static bool names(const char *source, const char *name) {
    const size_t size = strlen(name);
    for (const char *at = source; (at = strstr(at, name)) != NULL; at += size)
        if (!strchr("_abcdefghijklmnopqrstuvwxyz0123456789", at[size])) return true;
    return false;
}

/* Looks for the functions that a header declares. How many there are. */
static int look_for(const char *header, const char *const tests[2]) {
    int n = 0;
    for (const char *at = header; (at = strstr(at, "HEED_API ")) != NULL;) {
        char name[96];
        const char *open = strchr(at, '('), *begin = open;
        while (begin > at && strchr("*& ", begin[-1]) == NULL) begin--;
        at = open;
        if (strncmp(begin, "heed_", 5) != 0 || open - begin >= (int)sizeof name) continue;
        snprintf(name, sizeof name, "%.*s", (int)(open - begin), begin);
        n++;
        if (!is_of_the_caller(name) && !names(tests[0], name) && !names(tests[1], name))
            fail_msg("%s is tried with NULL by no test", name);
    }
    return n;
}

static void all_are_tried(void **state) {
    (void)state;
    static const char *const headers[] = { "attention", "base",  "embed",  "io",   "models", "nn",
                                           "ops",       "tasks", "tensor", "text", "train" };
    char *const tests[2] = { read_whole(HEED_SOURCE_DIR "/tests/unit/test_null.c"),
                             read_whole(HEED_SOURCE_DIR "/tests/unit/test_null_tasks.c") };
    int n = 0;
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        char path[512];
        snprintf(path, sizeof path, HEED_SOURCE_DIR "/include/heed/%s.h", headers[i]);
        char *header = read_whole(path);
        n += look_for(header, (const char *const[2]){ tests[0], tests[1] });
        free(header);
    }
    assert_true(n > 200);
    free(tests[0]);
    free(tests[1]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(questions_of_none),
        cmocka_unit_test(classifiers),
        cmocka_unit_test(classifiers_arguments),
        cmocka_unit_test(taggers),
        cmocka_unit_test(embedders),
        cmocka_unit_test(tokenizers),
        cmocka_unit_test(files),
        cmocka_unit_test(all_are_tried),
    };
    return cmocka_run_group_tests_name("null_tasks", tests, NULL, NULL);
}
