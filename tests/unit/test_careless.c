/* test_careless.c: calls of the task interface as a careless program makes them: numbers below 0,
 * room that is not there, labels and features of another form, settings that there are not. Each is
 * told in a sentence; nothing is read or written beyond what was given. */
#include <heed/embed.h>
#include <heed/heed.h>

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cmocka_all.h"
#include "refused.h"

static const char *const text[] = { "a good day", "a bad night", "a good time", "a bad end" };
static const char *const label[] = { "up", "down", "up", "down" };
static const int64_t start[] = { 0, 0, 0, 1, 1 };
static const double score[] = { 1, 0, 1, 0 };
static const heed_classify_cfg quick = { .recipe = "classic", .epochs = 1, .embed = 8 };

static heed_classifier *trained(heed_examples x, heed_target target) {
    heed_classify_cfg cfg = quick;
    cfg.target = target;
    heed_classifier *c = heed_classifier_train(&x, &cfg, &err);
    if (!c) fail_msg("%s", err.msg);
    return c;
}

static heed_examples plain(void) {
    return (heed_examples){ .len = 4, .text = text, .label = label, .score = score };
}

/* -- numbers below 0, and room ---------------------------------------------------------------- */

static void rooms_of_classifiers(void **state) {
    (void)state;
    heed_classifier *c = trained(plain(), HEED_TARGET_LABEL);
    heed_label top[2];
    heed_attended word[4];
    float p[8];
    double accuracy[2];
    const heed_examples x = plain();
    said(heed_classify(c, "a", top, -1, &err), "classify: there cannot be -1 labels");
    said(heed_classify_many(c, -4, text, p, &err), "classify: there cannot be -4 answers");
    said(heed_classifier_test_levels(c, &x, accuracy, INT_MIN, &err),
         "test: there cannot be -2147483648 measures");
    heed_explanation e = { .top_cap = 2 };
    said(heed_classify_explain(c, "a", &e, &err), "classify: there is no room for labels");
    said(heed_classify_explain_many(c, 1, text, &e, &err), "classify: there is no room for labels");
    e = (heed_explanation){ .top = top, .top_cap = -2 };
    said(heed_classify_explain(c, "a", &e, &err), "classify: there cannot be -2 labels");
    e = (heed_explanation){ .top = top, .top_cap = 2, .word_cap = 4 };
    said(heed_classify_explain(c, "a", &e, &err), "classify: there is no room for words");
    e = (heed_explanation){ .top = top, .top_cap = 2, .word = word, .word_cap = INT64_MIN };
    said(heed_classify_explain(c, "a", &e, &err),
         "classify: there cannot be -9223372036854775808 words");
    said(heed_classify_explain_many(c, -1, text, &e, &err), "classify: there cannot be -1 texts");
    e = (heed_explanation){ .scope = -1e39 };
    said(heed_classify_explain(c, "a", &e, &err),
         "classifier: coverage 0 and scope -1e+39, where both are from 0 to 1");
    e = (heed_explanation){ .coverage = (double)NAN };
    said(heed_classify_explain_many(c, 1, text, &e, &err),
         "classifier: coverage nan and scope 0, where both are from 0 to 1");
    heed_classifier_close(c);
}

static void rooms_of_taggers(void **state) {
    (void)state;
    static const int64_t begin[] = { 0, 2, 4 };
    static const char *const word[] = { "see", "Rome", "see", "Graz" };
    static const char *const tag[] = { "O", "B-LOC", "O", "B-LOC" };
    const heed_tagged data = { 2, begin, word, tag };
    const heed_tag_cfg cfg = { .epochs = 1, .buckets = 64, .hidden = 8, .valid_part = -1 };
    heed_tagger *t = heed_tagger_train(&data, &cfg, &err);
    if (!t) fail_msg("%s", err.msg);
    heed_entity e[4];
    heed_cut cut[4];
    heed_tag_metrics m = { .type_cap = 3 };
    heed_type_metrics type = { .gold = -7 };
    said(heed_tagger_find(t, "see Rome", e, -1, &err), "tag: there cannot be -1 entities");
    said(heed_tagger_find_words(t, -4, word, e, 4, &err), "tag: there cannot be -4 words");
    said(heed_tagger_cut(t, "see Rome", cut, -3, &err), "tag: there cannot be -3 words");
    said(heed_tagger_test(t, &data, &m, &err), "test: there is no room for types");
    m = (heed_tag_metrics){ .type = &type, .type_cap = -1 };
    said(heed_tagger_test(t, &data, &m, &err), "test: there cannot be -1 types");
    assert_int_equal(type.gold, -7);
    heed_tagger_close(t);
    static const int64_t before[] = { INT64_MIN, 2, 4 }, falls[] = { 0, 2, INT64_MIN };
    none(heed_tagger_train(&(heed_tagged){ 2, before, word, tag }, &cfg, &err),
         "train: the first sentence begins at word -9223372036854775808, not 0");
    none(heed_tagger_train(&(heed_tagged){ 2, falls, word, tag }, &cfg, &err),
         "train: sentence 2 ends at word -9223372036854775808 and begins at 2");
    heed_tag_cfg wrong = cfg;
    wrong.precision = (heed_precision)7;
    none(heed_tagger_train(&data, &wrong, &err), "train: precision is 7, not 0 to 1");
}

static void rooms_of_embedders(void **state) {
    (void)state;
    float out[64];
    heed_examples x = { .len = 4, .text = text, .text2 = text, .label = label };
    heed_embedder_cfg cfg = { .epochs = 1, .embed = 16 };
    heed_retrieval r;
    heed_embedder *e = heed_embedder_train(&x, &cfg, &err);
    if (!e) fail_msg("%s", err.msg);
    said(heed_embedder_apply(e, -3, text, out, &err), "embed: there cannot be -3 texts");
    x.label_start = start;
    said(heed_embedder_test(e, &x, &r, &err), "test: one label a text, but several are given");
    x.len = -4;
    said(heed_embedder_test(e, &x, &r, &err), "test: there cannot be -4 texts");
    heed_embedder_close(e);
    cfg.precision = (heed_precision)7;
    x.len = 4;
    none(heed_embedder_train(&x, &cfg, &err), "train: precision is 7, not 0 to 1");
    cfg = (heed_embedder_cfg){ .epochs = 1, .embed = 65537, .buckets = 3 }; /* unreadable */
    none(heed_embedder_train(&x, &cfg, &err), "train: embed is 65537, not 1 to 65536");
    cfg = (heed_embedder_cfg){ .epochs = 1, .embed = 1, .buckets = (1 << 28) + 1 };
    none(heed_embedder_train(&x, &cfg, &err), "train: buckets is 268435457, not 1 to 268435456");
}

/* -- examples of another form ----------------------------------------------------------------- */

/* With label_start there may be fewer labels than texts. */
static void several_labels_where_one_is_read(void **state) {
    (void)state;
    heed_classifier *c = trained(plain(), HEED_TARGET_LABEL);
    const char **only = malloc(sizeof *only);
    assert_non_null(only);
    only[0] = "up";
    const heed_examples x = { .len = 4, .text = text, .label = only, .label_start = start };
    heed_metrics m;
    double accuracy[2];
    said(heed_classifier_test(c, &x, &m, &err), "test: one label a text, but several are given");
    said(heed_classifier_test_levels(c, &x, accuracy, 2, &err),
         "test: one label a text, but several are given");
    const heed_examples learnt = plain();
    heed_classify_cfg cfg = quick;
    cfg.tests = &x;
    none(heed_classifier_train(&learnt, &cfg, &err),
         "test: one label a text, but several are given");
    free(only);
    heed_classifier_close(c);
}

/* What a test would refuse, its rehearsal refuses in the same words. */
static void tests_that_are_none(void **state) {
    (void)state;
    const char *const hole[4] = { "a", "b", NULL, "d" };
    const int64_t each[] = { 0, 1, 2, 3, 4 };
    const heed_examples learnt = plain();
    for (int target = HEED_TARGET_LABEL; target <= HEED_TARGET_SCORE; target++) {
        heed_examples data = learnt, x = learnt;
        heed_classify_cfg cfg = quick;
        cfg.target = (heed_target)target;
        cfg.tests = &x;
        if (cfg.target == HEED_TARGET_LABELS) data.label_start = each;
        x.text = hole;
        none(heed_classifier_train(&data, &cfg, &err), "encode: text 2 is NULL");
        x.text = NULL;
        none(heed_classifier_train(&data, &cfg, &err), "encode: there is no list of texts");
        x = learnt;
        x.text2 = hole;
        none(heed_classifier_train(&data, &cfg, &err),
             "classifier: this model reads single texts, not pairs");
        x = (heed_examples){ .len = 0 };
        none(heed_classifier_train(&data, &cfg, &err), "test: there are no texts");
    }
}

static void scores_that_are_none(void **state) {
    (void)state;
    heed_examples x = plain();
    heed_classifier *c = trained(x, HEED_TARGET_SCORE);
    double wrong[] = { 1, 2, (double)NAN, 4 };
    heed_score_metrics m;
    x.score = wrong;
    said(heed_classifier_test_score(c, &x, &m, &err), "test: score 2 is not a finite number");
    wrong[2] = -1e31;
    said(heed_classifier_test_score(c, &x, &m, &err), "test: score 2 is -1e+31, beyond 1e30");
    heed_classifier_close(c);
}

static void features_that_are_none(void **state) {
    (void)state;
    float number[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
    heed_array a = { .data = number, .steps = 1, .dim = 2 };
    heed_examples x = plain();
    x.array = &a;
    heed_classifier *c = trained(x, HEED_TARGET_LABEL);
    float p[8];
    a.data = NULL;
    none(heed_classifier_train(&x, &quick, &err), "features: there is no list of numbers");
    said(heed_classify_examples(c, &x, p, &err), "features: there is no list of numbers");
    a = (heed_array){ .data = number, .steps = INT64_MAX / 2, .dim = 5, .sequence = true };
    none(heed_classifier_train(&x, &quick, &err),
         "features: 5 in each of 4611686018427387903 steps, where 1 to 1048576 of either can be "
         "read");
    a = (heed_array){ .data = number, .steps = 2, .dim = 1 };
    none(heed_classifier_train(&x, &quick, &err),
         "features: 2 steps of them, which are to be read as one sequence");
    a = (heed_array){ .data = number, .steps = 1, .dim = 2 };
    number[5] = NAN;
    none(heed_classifier_train(&x, &quick, &err), "features: number 1 of text 2 is not finite");
    said(heed_classify_examples(c, &x, p, &err), "features: number 1 of text 2 is not finite");
    heed_explanation e[2] = { { .array = { .data = number, .steps = INT64_MAX, .dim = 2 } },
                              { .array = { .data = number, .steps = INT64_MAX, .dim = 2 } } };
    said(heed_classify_explain_many(c, 2, text, e, &err),
         "features: 2 in each of 9223372036854775807 steps, where 1 to 1048576 of either can be "
         "read");
    heed_classifier_close(c);
}

static void held_out_and_unlabelled(void **state) {
    (void)state;
    float number[8] = { 0 };
    const heed_array bad = { .data = NULL, .steps = 1, .dim = 2 };
    const heed_array good = { .data = number, .steps = 1, .dim = 2 };
    heed_examples x = plain(), valid = plain();
    x.array = &good;
    valid.array = &bad;
    heed_classify_cfg cfg = quick;
    cfg.valid = &valid;
    none(heed_classifier_train(&x, &cfg, &err), "features: there is no list of numbers");
    static const char *const hole[] = { "a", NULL };
    heed_examples more = { .len = 2, .text = hole };
    cfg = (heed_classify_cfg){ .pretrain = &more };
    x.array = NULL;
    none(heed_classifier_train(&x, &cfg, &err), "train: text 1 is NULL");
    more.len = -5;
    none(heed_classifier_train(&x, &cfg, &err), "train: there cannot be -5 texts");
    cfg = quick;
    cfg.valid = &valid;
    valid.array = &good; /* what is learnt from has none */
    none(heed_classifier_train(&x, &cfg, &err),
         "classifier: this model reads texts alone, no features beside them");
    valid = plain();
    valid.text2 = text;
    none(heed_classifier_train(&x, &cfg, &err),
         "train: the held-out data are pairs, the others not");
    valid.text2 = NULL;
    x.text2 = text;
    none(heed_classifier_train(&x, &cfg, &err), "train: the held-out data are no pairs");
}

/* -- settings that there are not -------------------------------------------------------------- */

/* What is trained with such a setting could not be opened, or answered otherwise then. */
static void choices(void **state) {
    (void)state;
    const heed_examples x = plain();
    heed_classify_cfg cfg = quick;
    cfg.attention.truncate = (int64_t)INT32_MAX + 1;
    none(heed_classifier_train(&x, &cfg, &err),
         "train: truncate is 2147483648, not 0 to 2147483647");
    cfg = quick;
    cfg.attention.window = -1;
    none(heed_classifier_train(&x, &cfg, &err), "train: window is -1, not 0 to 2147483647");
    cfg = quick;
    cfg.attention.penalty_weight = (double)NAN;
    none(heed_classifier_train(&x, &cfg, &err), "train: penalty_weight is nan, not 0 to 1e+30");
    cfg = quick;
    cfg.attention.temperature = 1e20; /* as a layer takes it */
    none(heed_classifier_train(&x, &cfg, &err),
         "train: temperature is 1e+20, not 1e-06 to 1000000");
    cfg = quick;
    cfg.deviation = (double)INFINITY;
    none(heed_classifier_train(&x, &cfg, &err), "train: deviation is inf, not 0 to 1e+30");
    cfg = quick;
    cfg.adversary = "fgm";
    cfg.adversary_size = (double)NAN;
    none(heed_classifier_train(&x, &cfg, &err), "train: adversary_size is nan, not 0 to 1e+30");
    cfg = (heed_classify_cfg){ .lr = 0.5, .dropout = 1 - 1e-9 }; /* as a float it is 1 */
    none(heed_classifier_train(&x, &cfg, &err),
         "train: dropout is 0.999999999, not below 0.99999997");
    cfg = (heed_classify_cfg){ .epochs = 1, .embed = 65537 };
    none(heed_classifier_train(&x, &cfg, &err), "train: embed is 65537, not 1 to 65536");
    cfg = (heed_classify_cfg){ .epochs = 1, .heads = 1025 };
    none(heed_classifier_train(&x, &cfg, &err), "train: heads is 1025, not 1 to 1024");
    cfg = (heed_classify_cfg){ .recipe = "encoder", .embed = INT64_MAX };
    none(heed_classifier_train(&x, &cfg, &err),
         "train: embed is 9223372036854775807, not 0 to 2147483647");
    cfg = quick;
    cfg.precision = (heed_precision)7;
    none(heed_classifier_train(&x, &cfg, &err), "train: precision is 7, not 0 to 1");
    cfg = quick;
    cfg.keep = (heed_keep)2;
    none(heed_classifier_train(&x, &cfg, &err), "train: keep is 2, not 0 to 1");
    cfg = quick;
    cfg.pretrain_epochs = -1;
    none(heed_classifier_train(&x, &cfg, &err),
         "train: pretrain_epochs is -1, not 0 to 1073741824");
    none(heed_classifier_open(HEED_SOURCE_DIR, &(heed_open_cfg){ .window = -1 }, &err),
         "open: window is -1 and truncate 0, where neither may be below 0");
    heed_ctx *cx = heed_ctx_new(NULL, &err);
    heed_ctx_set_precision(cx, (heed_precision)7);
    assert_int_equal(heed_ctx_precision(cx), HEED_PRECISION_F32);
    heed_ctx_free(cx);
}

/* -- tokenizers ------------------------------------------------------------------------------- */

typedef struct source {
    int left, how;
} source;

static int next(void *user, const char **to, size_t *size, heed_error *why) {
    (void)why;
    source *s = user;
    if (!s->left--) return 0;
    *to = s->how == 1 ? NULL : "where is my order";
    *size = s->how == 1 ? 5 : 17;
    return s->how == 2 ? HEED_EIO : 1;
}

static heed_tokenizer *learnt(const heed_tokenizer_cfg *cfg, int how) {
    source s = { 20, how };
    return heed_tokenizer_train(cfg, &(heed_text_source){ &s, next }, &err);
}

static void tokenizers(void **state) {
    (void)state;
    static const char *const special[] = { "<a>", "\xff", NULL };
    none(learnt(NULL, 1), "training a tokenizer: the source gave 5 bytes of no text");
    assert_null(learnt(NULL, 2));
    assert_int_equal(err.code, HEED_EIO);
    assert_string_equal(err.msg, "training a tokenizer: the source of texts failed");
    none(learnt(&(heed_tokenizer_cfg){ .special = special }, 0),
         "training a tokenizer: special token 1 is not UTF-8");
    heed_tokenizer *t = learnt(&(heed_tokenizer_cfg){ .vocab = 300 }, 0);
    if (!t) fail_msg("%s", err.msg);
    heed_encoding out[2] = { { 0 }, { 0 } };
    heed_string string = { 0 };
    const heed_bytes bytes[2] = { { "a", 1 }, { "b", 1 } };
    const heed_encode_cfg less = { .max_len = -1 };
    const int32_t id = 0;
    assert_int_equal(heed_tokenizer_encode(t, "a", 1, NULL, out, &err), 0);
    said(heed_tokenizer_encode(t, "a", 1, &less, out, &err),
         "encode: a text cannot be cut to -1 tokens");
    assert_int_equal(out[0].len, 0);
    said(heed_tokenizer_encode_many(t, bytes, 2, &less, out, &err),
         "encode: a text cannot be cut to -1 tokens");
    said(heed_tokenizer_encode_many(t, bytes, -2, NULL, out, &err),
         "encode: there cannot be -2 texts");
    said(heed_tokenizer_decode(t, &id, INT64_MIN, false, &string, &err),
         "decode: there cannot be -9223372036854775808 ids");
    heed_encoding_free(&out[0]);
    heed_string_free(&string);
    heed_tokenizer_close(t);
}

/* -- configs ---------------------------------------------------------------------------------- */

/* What JSON has no words for is no matter of memory. */
static void configs(void **state) {
    (void)state;
    heed_model_cfg cfg = { .vocab = 8, .dropout = (double)INFINITY };
    none(heed_model_cfg_to_json(&cfg, &err), "config: dropout is inf, no finite number");
    cfg = (heed_model_cfg){ .vocab = 8, .attention.penalty_weight = (double)NAN };
    none(heed_model_cfg_to_json(&cfg, &err), "config: penalty_weight is nan, no finite number");
    cfg = (heed_model_cfg){ .vocab = 8, .attention.score = (heed_score_kind)99 };
    none(heed_model_cfg_to_json(&cfg, &err), "config: score 99 is none that there is");
    cfg = (heed_model_cfg){ .kind = (heed_model_kind)-1 };
    none(heed_model_cfg_to_json(&cfg, &err), "config: kind -1 is none that there is");
}

/* -- errors of those before ------------------------------------------------------------------- */

/* A maker that succeeds leaves code 0, whatever was there. */
static void makers_clear_the_error(void **state) {
    (void)state;
    static const char tokenizer[] = HEED_SOURCE_DIR "/tests/cli/data/tokenizer.json";
    static const unsigned char empty[] = "\2\0\0\0\0\0\0\0{}";
    const heed_error old = { .code = HEED_EIO, .msg = "of another call" };
#define CLEARS(free, make)                                                                         \
    do {                                                                                           \
        err = old;                                                                                 \
        free(make);                                                                                \
        assert_int_equal(err.code, 0);                                                             \
    } while (0)
    CLEARS(heed_pool_free, heed_pool_new(1, NULL, &err));
    CLEARS(heed_ctx_free, heed_ctx_new(NULL, &err));
    CLEARS(heed_params_free, heed_params_new(NULL, &err));
    CLEARS(heed_loader_free, heed_loader_new(&(heed_loader_cfg){ .items = 4, .batch = 2 }, &err));
    CLEARS(heed_safetensors_close, heed_safetensors_from(empty, 10, "x", NULL, &err));
    CLEARS(heed_tokenizer_close, heed_tokenizer_open(tokenizer, NULL, &err));
    CLEARS(heed_tokenizer_close, learnt(NULL, 0));
    CLEARS(heed_text_free, heed_model_cfg_to_json(&(heed_model_cfg){ .vocab = 8 }, &err));
#undef CLEARS
}

/* Texts in which there is nothing to count. */
static void texts_of_marks(void **state) {
    (void)state;
    static const char *const marks[] = { "", " ", "", "\n" };
    heed_examples x = plain();
    x.text = marks;
    heed_classifier *c = heed_classifier_train(&x, &(heed_classify_cfg){ .epochs = 1 }, &err);
    if (!c) fail_msg("%s", err.msg);
    heed_classifier_close(c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rooms_of_classifiers),
        cmocka_unit_test(rooms_of_taggers),
        cmocka_unit_test(rooms_of_embedders),
        cmocka_unit_test(several_labels_where_one_is_read),
        cmocka_unit_test(tests_that_are_none),
        cmocka_unit_test(scores_that_are_none),
        cmocka_unit_test(features_that_are_none),
        cmocka_unit_test(held_out_and_unlabelled),
        cmocka_unit_test(choices),
        cmocka_unit_test(tokenizers),
        cmocka_unit_test(configs),
        cmocka_unit_test(makers_clear_the_error),
        cmocka_unit_test(texts_of_marks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
