/* What a training takes of a model of another kind: vectors of words and layers have the values
 * that they had there. A rate too small to matter leaves them as they are. */
#include "cmocka_all.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tagged.h"
#include "tasks/classifier.h"
#include "tasks/tagger.h"

enum { N = 40, D = 8, H = 4 };

static char dir[] = "/tmp/heed-origin-XXXXXX";
static tagged people;
static char line[N][160];
static const char *text[N], *label[N];
static const heed_examples data = { .len = N, .text = text, .label = label };

static int make_data(void **state) {
    (void)state;
    tagged_make(&people, 0, N);
    for (int i = 0; i < N; i++) {
        int at = 0;
        for (int64_t w = people.start[i]; w < people.start[i + 1]; w++)
            at += snprintf(line[i] + at, sizeof line[i] - (size_t)at, "%s ", people.word[w]);
        text[i] = line[i];
        label[i] = i % 2 ? "a" : "b";
    }
    return mkdtemp(dir) ? 0 : -1;
}

static int remove_all(void **state) {
    char command[96];
    (void)state;
    snprintf(command, sizeof command, "rm -r %s", dir);
    return system(command);
}

static heed_classifier *classifier(const char *recipe, const char *from) {
    heed_error err = { 0 };
    const heed_classify_cfg cfg = { .recipe = recipe,
                                    .from = from,
                                    .threads = 1,
                                    .epochs = 1,
                                    .embed = D,
                                    .hidden = H,
                                    .heads = 2,
                                    .layers = 1,
                                    .bidirectional = true,
                                    .lr = from ? 1e-12 : 0.01,
                                    .weight_decay = 0,
                                    .seed = 2 };
    heed_classifier *c = heed_classifier_train(&data, &cfg, &err);
    if (!c) fail_msg("%s", err.msg);
    return c;
}

static heed_tagger *tagger(const char *recipe, const char *from) {
    heed_error err = { 0 };
    const heed_tag_cfg cfg = { .recipe = recipe,
                               .from = from,
                               .threads = 1,
                               .epochs = 1,
                               .valid_part = -1,
                               .embed = from ? 0 : D,
                               .features = 4,
                               .field = 4,
                               .buckets = 64,
                               .hidden = from ? 0 : H,
                               .heads = from ? 0 : 2,
                               .layers = from ? 0 : 1,
                               .lr = from ? 1e-12 : 0.01,
                               .seed = 3 };
    heed_tagger *t = heed_tagger_train(&people.data, &cfg, &err);
    if (!t) fail_msg("%s", err.msg);
    return t;
}

/* Whether the leading cols columns of row r are those of row q, times scale. */
static void same_row(const heed_tensor *a, int64_t r, const heed_tensor *b, int64_t q, int64_t cols,
                     double scale) {
    for (int64_t k = 0; k < cols; k++) {
        const double x = (double)HEED_F32_DATA(a)[r * a->shape[1] + k];
        const double y = (double)HEED_F32_DATA(b)[q * b->shape[1] + k] * scale;
        assert_true(fabs(x - y) < 1e-6);
    }
}

static void same_tensor(const heed_params *a, const heed_params *b, const char *name) {
    const heed_tensor *x = heed_params_find(a, name), *y = heed_params_find(b, name);
    assert_non_null(x);
    assert_non_null(y);
    assert_int_equal(x->len, y->len);
    for (int64_t i = 0; i < x->len; i++)
        assert_true(fabs((double)(HEED_F32_DATA(x)[i] - HEED_F32_DATA(y)[i])) < 1e-6);
}

static const char *saved(const char *name, char path[64]) {
    snprintf(path, 64, "%s/%s", dir, name);
    return path;
}

/* A word's row in a classifier of words and in a tagger. */
static void same_words(const heed_classifier *c, const heed_tagger *t, double scale) {
    static const char *const words[] = { "lives", "basel", "ltd" };
    int64_t len;
    const heed_tensor *table = c->body->kind->words(c->body, &len);
    for (int i = 0; i < 3; i++) {
        const int64_t r = c->body->kind->word(c->body, words[i], strlen(words[i]));
        const int32_t q = heed__vocab_find(t->vocab, words[i], strlen(words[i]));
        assert_true(r > 1 && q > 1);
        same_row(table, r, t->word.w, q, D, scale);
    }
}

static void same_lstm(const heed_params *a, const heed_params *b) {
    static const char *const whole[] = { "rnn.weight_hh_l0", "rnn.weight_hh_l0_reverse",
                                         "rnn.bias_ih_l0", "rnn.bias_hh_l0_reverse" };
    static const char *const reads[] = { "rnn.weight_ih_l0", "rnn.weight_ih_l0_reverse" };
    for (int i = 0; i < 4; i++) same_tensor(a, b, whole[i]);
    for (int i = 0; i < 2; i++)
        for (int64_t r = 0; r < 4 * H; r++)
            same_row(heed_params_find(a, reads[i]), r, heed_params_find(b, reads[i]), r, D, 1);
}

static void test_tagger_from_classifier(void **state) {
    (void)state;
    char path[64];
    heed_error err;
    heed_classifier *c = classifier("classic", NULL);
    assert_int_equal(heed_classifier_save(c, saved("classic", path), &err), 0);
    heed_tagger *t = tagger(NULL, path);
    assert_false(t->shape.encoder);
    assert_int_equal(t->shape.hidden, H);
    same_words(c, t, 1);
    same_lstm(c->ps, t->ps);
    heed_tagger_close(t);
    heed_classifier_close(c);
    c = classifier("encoder", NULL);
    assert_int_equal(heed_classifier_save(c, saved("encoder", path), &err), 0);
    t = tagger(NULL, path);
    assert_true(t->shape.encoder);
    same_words(c, t, 1);
    same_tensor(c->ps, t->ps, "encoder.layers.0.self.q.weight");
    same_tensor(c->ps, t->ps, "encoder.layers.0.ff.down.bias");
    for (int64_t r = 0; r < D; r++) /* its encoder reads the words as they are */
        for (int64_t k = 0; k < D; k++)
            assert_true(fabs((double)HEED_F32_DATA(t->in.w)[r * t->in.w->shape[1] + k] - (r == k)) <
                        1e-6);
    heed_tagger_close(t);
    heed_classifier_close(c);
}

static void test_classifier_from_tagger(void **state) {
    (void)state;
    char path[64];
    heed_error err;
    heed_tagger *t = tagger("lstm", NULL);
    assert_int_equal(heed_tagger_save(t, saved("lstm", path), &err), 0);
    heed_classifier *c = classifier(NULL, path);
    assert_string_equal(heed_classifier_recipe(c), "classic");
    same_words(c, t, 1);
    same_lstm(c->ps, t->ps);
    heed_classifier_close(c);
    /* without layers the words are brought to the length of those they replace */
    c = classifier("encoder", path);
    int64_t len;
    const heed_tensor *table = c->body->kind->words(c->body, &len);
    const int64_t r = c->body->kind->word(c->body, "basel", 5);
    const int32_t q = heed__vocab_find(t->vocab, "basel", 5);
    const double scale = (double)HEED_F32_DATA(table)[r * D] /
                         (double)HEED_F32_DATA(t->word.w)[q * D];
    assert_true(scale > 0);
    same_words(c, t, scale);
    heed_classifier_close(c);
    heed_tagger_close(t);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_tagger_from_classifier),
                                        cmocka_unit_test(test_classifier_from_tagger) };
    return cmocka_run_group_tests(tests, make_data, remove_all);
}
