/* test_tagger.c: taggers learn, are saved and opened, answer the same bits however many threads
 * there are, find words in plain text, and refuse what is wrong in one sentence. */
#include "cmocka_all.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit/tagged.h"

static tagged learn, unseen;

static heed_tagger *train(const heed_tag_cfg *cfg) {
    heed_error err = { 0 };
    heed_tagger *t = heed_tagger_train(&learn.data, cfg, &err);
    if (!t) fail_msg("%s", err.msg);
    return t;
}

static heed_tag_metrics test(heed_tagger *t, const heed_tagged *data) {
    heed_error err = { 0 };
    static heed_type_metrics type[8];
    heed_tag_metrics m = { .type = type, .type_cap = 8 };
    if (heed_tagger_test(t, data, &m, &err)) fail_msg("%s", err.msg);
    return m;
}

static void each_recipe_learns(void **state) {
    (void)state;
    static const struct {
        const char *recipe;
        bool no_crf;
    } kinds[] = { { "lstm", false }, { "lstm", true }, { "encoder", false } };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        heed_tag_cfg cfg = tagged_cfg();
        cfg.recipe = kinds[i].recipe;
        cfg.no_crf = kinds[i].no_crf;
        heed_tagger *t = train(&cfg);
        const heed_tag_metrics m = test(t, &unseen.data);
        if (!(m.f1 > 0.95)) fail_msg("%s: F1 %g", kinds[i].recipe, m.f1);
        assert_true(m.f1_low <= m.f1 && m.f1 <= m.f1_high && m.accuracy > 0.95);
        assert_int_equal(m.n, unseen.data.len);
        assert_int_equal(m.type_len, 3);
        assert_string_equal(m.type[1].type, "person");
        assert_string_equal(m.scheme, "BIO");
        assert_int_equal(m.unknown_types, 0);
        heed_tagger_close(t);
    }
}

/* All answers to the unseen sentences as one line of numbers. */
static char *answers(heed_tagger *t) {
    size_t size = 1 << 20, at = 0;
    char *text = calloc(1, size);
    heed_error err = { 0 };
    for (int64_t i = 0; i < 50; i++) {
        heed_entity e[TAGGED_WORDS];
        const int64_t begin = unseen.start[i], n = unseen.start[i + 1] - begin;
        const int64_t count = heed_tagger_find_words(t, n, unseen.word + begin, e, TAGGED_WORDS,
                                                     &err);
        assert_true(count >= 0);
        for (int64_t k = 0; k < count; k++)
            at += (size_t)snprintf(text + at, size - at, "%d %d %s %a\n", (int)e[k].word,
                                   (int)e[k].words, e[k].type, (double)e[k].confidence);
    }
    return text;
}

/* A text too long to be read at once has the entities of its sentences, wherever it is cut. */
static void long_texts(void **state) {
    (void)state;
    enum { WORDS = 12000 };
    heed_tag_cfg cfg = tagged_cfg();
    heed_tagger *t = train(&cfg);
    heed_error err = { 0 };
    static const char *word[WORDS];
    static heed_entity all[WORDS], one[WORDS];
    int64_t n = 0, told = 0, sentences = 0;
    for (int64_t i = 0; n + TAGGED_WORDS <= WORDS; i = (i + 1) % unseen.data.len, sentences++)
        for (int64_t w = unseen.start[i]; w < unseen.start[i + 1]; w++) word[n++] = unseen.word[w];
    const int64_t found = heed_tagger_find_words(t, n, word, all, WORDS, &err);
    assert_true(n > 4096 * 2 && found > 0 && sentences > 1000);
    /* each sentence alone: nearly all of the entities are the same, place by place */
    int64_t at = 0, next = 0, same = 0;
    for (int64_t i = 0; sentences-- > 0; i = (i + 1) % unseen.data.len) {
        const int64_t len = unseen.start[i + 1] - unseen.start[i];
        const int64_t k = heed_tagger_find_words(t, len, unseen.word + unseen.start[i], one, WORDS,
                                                 &err);
        for (int64_t e = 0; e < k; e++, told++) {
            while (next < found && all[next].word < at + one[e].word) next++;
            same += next < found && all[next].word == at + one[e].word &&
                    all[next].words == one[e].words && strcmp(all[next].type, one[e].type) == 0;
        }
        at += len;
    }
    if (!((double)same > 0.97 * (double)told))
        fail_msg("%lld of %lld entities", (long long)same, (long long)told);
    heed_tagger_close(t);
}

static void same_bits_however_made(void **state) {
    (void)state;
    char dir[] = "/tmp/heed-tagger-XXXXXX", command[64];
    heed_error err = { 0 };
    heed_tag_cfg cfg = tagged_cfg();
    cfg.epochs = 2;
    cfg.dropout = 0.3;
    cfg.no_crf = false;
    heed_tagger *one = train(&cfg);
    char *want = answers(one);
    assert_true(strlen(want) > 100);
    cfg.threads = 3;
    cfg.isa = "scalar";
    heed_tagger *three = train(&cfg);
    char *got = answers(three);
    assert_string_equal(got, want);
    free(got);
    assert_non_null(mkdtemp(dir));
    if (heed_tagger_save(one, dir, &err)) fail_msg("%s", err.msg);
    heed_tagger *opened = heed_tagger_open(dir, &(heed_open_cfg){ .threads = 2 }, &err);
    if (!opened) fail_msg("%s", err.msg);
    got = answers(opened);
    assert_string_equal(got, want);
    assert_string_equal(heed_tagger_type(opened, 0), "firm");
    assert_null(heed_tagger_type(opened, 3));
    assert_null(heed_tagger_type(opened, -1));
    assert_int_equal(heed_tagger_types(opened), 3);
    assert_string_equal(heed_tagger_scheme(opened), "BIO");
    assert_int_equal(heed_tagger_parameters(opened), heed_tagger_parameters(one));
    free(got);
    free(want);
    heed_classifier *c = heed_classifier_open(dir, NULL, &err);
    assert_null(c);
    assert_non_null(strstr(err.msg, "'tag'"));
    heed_tagger_close(one);
    heed_tagger_close(three);
    heed_tagger_close(opened);
    snprintf(command, sizeof command, "rm -r %s", dir);
    assert_int_equal(system(command), 0);
}

static bool after_fifty(void *user) {
    return ++*(int *)user == 50;
}

/* Stopped in the midst of an epoch and gone on with, a training ends in the very same bits. */
static void a_resumed_training_is_the_same(void **state) {
    (void)state;
    char dir[] = "/tmp/heed-tagger-XXXXXX", command[64];
    heed_error err = { 0 };
    heed_tag_cfg cfg = tagged_cfg();
    cfg.epochs = 3;
    cfg.dropout = 0.3;
    heed_tagger *whole = train(&cfg);
    assert_non_null(mkdtemp(dir));
    int calls = 0;
    const heed_hooks hooks = { .user = &calls, .cancel = after_fifty };
    cfg.run = dir;
    cfg.hooks = &hooks;
    cfg.keep_stopped = true;
    heed_tagger *part = heed_tagger_train(&learn.data, &cfg, &err);
    assert_int_equal(err.code, HEED_ECANCELLED);
    assert_non_null(part); /* the best so far */
    heed_tagger_close(part);
    cfg.resume = true;
    heed_tagger *resumed = train(&cfg);
    char *want = answers(whole), *got = answers(resumed);
    assert_string_equal(got, want);
    free(want);
    free(got);
    heed_tagger_close(whole);
    heed_tagger_close(resumed);
    snprintf(command, sizeof command, "rm -r %s", dir);
    assert_int_equal(system(command), 0);
}

static void entities_of_a_text(void **state) {
    (void)state;
    heed_tag_cfg cfg = tagged_cfg();
    heed_tagger *t = train(&cfg);
    heed_error err = { 0 };
    heed_entity e[8];
    const char *text = "  Anna Ahlmann lives in U.S.";
    assert_int_equal(heed_tagger_find(t, text, e, 8, &err), 2);
    assert_string_equal(e[0].type, "person");
    assert_int_equal(e[0].begin, 2);
    assert_int_equal(e[0].end, 14);
    assert_string_equal(e[1].type, "place");
    assert_int_equal(e[1].begin, 24);
    assert_int_equal(e[1].end, 28); /* "U.S." is one word, as in training */
    assert_int_equal(e[1].words, 1);
    for (int i = 0; i < 2; i++) assert_true(e[i].confidence > 0.5F && e[i].confidence <= 1);
    heed_cut cut[8];
    assert_int_equal(heed_tagger_cut(t, text, cut, 8, &err), 5);
    assert_true(cut[4].begin == 24 && cut[4].end == 28);
    assert_int_equal(heed_tagger_cut(t, text, cut, 0, &err), 5);
    assert_int_equal(heed_tagger_find(t, text, e, 0, &err), 2); /* how many there are */
    assert_int_equal(heed_tagger_find(t, "", e, 8, &err), 0);
    assert_int_equal(heed_tagger_find(t, " \t ", e, 8, &err), 0);
    assert_true(heed_tagger_find(t, "\xff\xfe 中文 \xc3", e, 8, &err) >= 0);
    assert_int_equal(heed_tagger_find_words(t, 0, NULL, e, 8, &err), 0);
    heed_tagger_close(t);
}

/* Characters whose neighbours tell what they are. */
static void ideographs_are_read_in_context(void **state) {
    (void)state;
    static const char *const sentence[] = { "我", "住", "在", "北", "京", "市", "。" };
    static const char *const where[] = { "O", "O", "O", "B-LOC", "M-LOC", "E-LOC", "O" };
    static const char *const other[] = { "他", "说", "北", "京", "话", "。" };
    static const char *word[130], *tag[130];
    int64_t start[21] = { 0 }, at = 0;
    for (int i = 0; i < 20; i++) {
        const int n = i % 2 ? 6 : 7;
        for (int k = 0; k < n; k++, at++) {
            word[at] = i % 2 ? other[k] : sentence[k];
            tag[at] = i % 2 ? "O" : where[k];
        }
        start[i + 1] = at;
    }
    heed_tag_cfg cfg = tagged_cfg();
    cfg.valid_part = -1;
    cfg.epochs = 12;
    heed_error err = { 0 };
    heed_tagger *t = heed_tagger_train(&(heed_tagged){ 20, start, word, tag }, &cfg, &err);
    if (!t) fail_msg("%s", err.msg);
    assert_string_equal(heed_tagger_scheme(t), "BMES");
    heed_entity e[4];
    assert_int_equal(heed_tagger_find(t, "我住在北京市。", e, 4, &err), 1);
    assert_int_equal(e[0].begin, 9);
    assert_int_equal(e[0].end, 18);
    assert_int_equal(heed_tagger_find(t, "他说北京话。", e, 4, &err), 0);
    heed_tagger_close(t);
}

/* A type that the model has never seen is missed, and said. */
static void types_of_other_data(void **state) {
    (void)state;
    heed_tag_cfg cfg = tagged_cfg();
    cfg.epochs = 1;
    heed_tagger *t = train(&cfg);
    static const char *const word[] = { "a", "b", "c" }, *const tag[] = { "S-x", "O", "S-person" };
    const int64_t start[] = { 0, 3 };
    const heed_tag_metrics m = test(t, &(heed_tagged){ 1, start, word, tag });
    assert_int_equal(m.unknown_types, 1);
    assert_int_equal(m.gold, 2);
    assert_string_equal(m.scheme, "BIOES");
    heed_tagger_close(t);
}

static void expect_refused(const heed_tagged *data, const heed_tag_cfg *cfg, const char *want) {
    heed_error err = { 0 };
    assert_null(heed_tagger_train(data, cfg, &err));
    assert_true(err.code < 0);
    if (!strstr(err.msg, want)) fail_msg("'%s', not '%s'", err.msg, want);
    assert_null(heed_tagger_train(data, cfg, NULL));
}

static void what_is_wrong_is_refused(void **state) {
    (void)state;
    static const char *const word[] = { "a", "b" }, *const none[] = { "O", "O" };
    static const char *const bad[] = { "O", "PER" }, *const hole[] = { "O", NULL };
    static const char *const control[] = { "O", "B-a\tb" };
    const int64_t start[] = { 0, 2 }, back[] = { 0, -1 }, empty[] = { 0, 0 };
    const heed_tag_cfg cfg = tagged_cfg();
    expect_refused(&(heed_tagged){ 0, start, word, none }, &cfg, "there are no sentences");
    expect_refused(&(heed_tagged){ 1, start, word, NULL }, &cfg, "no sentences with tags");
    expect_refused(&(heed_tagged){ 1, start, word, hole }, &cfg, "word 1 or its tag is NULL");
    expect_refused(&(heed_tagged){ 1, back, word, none }, &cfg,
                   "sentence 1 ends at word -1 and begins at 0");
    expect_refused(&(heed_tagged){ 1, empty, word, none }, &cfg, "there are no words");
    expect_refused(&(heed_tagged){ 1, start, word, none }, &cfg, "all 2 words have the tag O");
    expect_refused(&(heed_tagged){ 1, start, word, bad }, &cfg, "tag 'PER' of word 2 is none");
    expect_refused(&(heed_tagged){ 1, start, word, control }, &cfg, "holds a control character");
    static const struct {
        heed_tag_cfg cfg;
        const char *want;
    } settings[] = {
        { { .recipe = "dance" }, "no recipe 'dance' for tags; there are lstm, encoder" },
        { { .embed = -1 }, "train: embed is -1, not 1 to 4096" },
        { { .hidden = 1 << 20 }, "train: hidden is 1048576, not 1 to 4096" },
        { { .buckets = 1 }, "train: buckets is 1, not 2 to 67108864" },
        { { .layers = 9 }, "train: layers is 9, not 1 to 8" },
        { { .epochs = -1 }, "train: epochs is -1, not 1 to 1073741824" },
        { { .dropout = 1 }, "train: dropout is 1, not below 1" },
        { { .dropout = 1 - 1e-9 }, "train: dropout is 0.999999999, not below 0.99999997" },
        { { .word_dropout = 1 }, "train: word_dropout is 1, not below 1" },
        { { .feature_dropout = 1.5 }, "train: feature_dropout is 1.5, not below 1" },
        { { .valid_part = (double)NAN }, "train: valid_part is nan, not below 1" },
        { { .lr = (double)NAN }, "train: lr is nan, not 1e-30 to 1e+30" },
        { { .lr = -0.1 }, "train: lr is -0.1, not 1e-30 to 1e+30" },
        { { .recipe = "encoder", .hidden = 5, .heads = 4 }, "heads" },
    };
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        expect_refused(&learn.data, &settings[i].cfg, settings[i].want);
}

static int set_up(void **state) {
    (void)state;
    tagged_make(&learn, 0, 300);
    tagged_make(&unseen, 1000, 200);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_recipe_learns),     cmocka_unit_test(long_texts),
        cmocka_unit_test(same_bits_however_made), cmocka_unit_test(a_resumed_training_is_the_same),
        cmocka_unit_test(entities_of_a_text),     cmocka_unit_test(ideographs_are_read_in_context),
        cmocka_unit_test(types_of_other_data),    cmocka_unit_test(what_is_wrong_is_refused),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
