/* test_cbow.c: vectors of words: those that stand in the same places lie near each other, the same
 * bits on every machine; what a teacher makes of them; a file that is read again. */
#include "cmocka_all.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "io/vectors.h"
#include "tasks/teacher.h"
#include "tasks/word_ids.h"

enum { N = 400, DIM = 16, WORDS = 8 };

/* Words 0, 1 stand beside 4, 5; words 2, 3 beside 6, 7. */
static int32_t id[N * 4];
static int64_t start[N + 1];

static void make(void) {
    heed_rng rng = { .seed = 7 };
    for (int i = 0; i < N; i++) {
        const int side = i % 2;
        for (int k = 0; k < 4; k++)
            id[4 * i + k] = (int32_t)((k % 2 ? 4 : 0) + 2 * side + (int)heed_rng_below(&rng, 2));
        start[i + 1] = 4 * i + 4;
    }
    id[5] = -1; /* a word without a number */
}

static void learn(const char *isa, float vector[WORDS * DIM]) {
    const heed_word_ids x = { .texts = N, .words = WORDS, .start = start, .id = id };
    const heed_cbow_cfg cfg = { .dim = DIM, .window = 2, .passes = 20, .rate = 0.05, .seed = 3 };
    heed_error err;
    heed_ctx *cx = heed_ctx_new(&(heed_ctx_cfg){ .threads = 1, .isa = isa }, &err);
    if (!cx) fail_msg("%s", err.msg);
    assert_int_equal(heed__cbow_learn(cx, &x, &cfg, vector), 0);
    heed_ctx_free(cx);
}

static double cosine(const float *a, const float *b) {
    double ab = 0, aa = 0, bb = 0;
    for (int k = 0; k < DIM; k++) {
        ab += (double)a[k] * (double)b[k];
        aa += (double)a[k] * (double)a[k];
        bb += (double)b[k] * (double)b[k];
    }
    return ab / sqrt(aa * bb);
}

static void test_places(void **state) {
    (void)state;
    static float v[WORDS * DIM], other[WORDS * DIM];
    make();
    learn(NULL, v);
    learn("scalar", other);
    assert_memory_equal(v, other, sizeof v);
    for (int k = 0; k < DIM; k++) { /* what all have in common */
        float mean = 0;
        for (int w = 0; w < WORDS; w++) mean += v[w * DIM + k] / WORDS;
        for (int w = 0; w < WORDS; w++) v[w * DIM + k] -= mean;
    }
    for (int w = 0; w < WORDS; w += 2) {
        const double near = cosine(v + w * DIM, v + (w + 1) * DIM);
        assert_true(near > 0.7);
        for (int u = 0; u < WORDS; u++)
            if (u / 2 % 2 != w / 2 % 2) assert_true(cosine(v + w * DIM, v + u * DIM) < near - 0.2);
    }
}

static bool stop(void *user) {
    (void)user;
    return true;
}

static void test_stop(void **state) {
    (void)state;
    float v[WORDS * DIM];
    const heed_hooks hooks = { .cancel = stop };
    const heed_word_ids x = { .texts = N, .words = WORDS, .start = start, .id = id };
    const heed_cbow_cfg cfg = { .dim = DIM, .hooks = &hooks };
    heed_ctx *cx = heed_ctx_new(&(heed_ctx_cfg){ .threads = 1 }, NULL);
    make();
    assert_int_equal(heed__cbow_learn(cx, &x, &cfg, v), HEED_ECANCELLED);
    const heed_word_ids none = { .texts = 0, .words = 0, .start = start, .id = id };
    assert_int_equal(heed__cbow_learn(cx, &none, &(heed_cbow_cfg){ .dim = DIM }, v), 0);
    heed_ctx_free(cx);
}

/* Four texts with labels, words that they do not have in those without. */
static void test_teacher(void **state) {
    (void)state;
    enum { POOL = 300, K = 3 };
    static const char *const mine[K][4] = { { "sun", "beach", "swim", "sand" },
                                            { "snow", "ski", "ice", "cold" },
                                            { "bread", "oven", "flour", "bake" } };
    static char more[POOL][64], some[2 * K][64];
    const char *pool[POOL], *text[2 * K];
    int32_t label[2 * K];
    for (int i = 0; i < POOL; i++) {
        const char *const *w = mine[i % K];
        const int a = i / K % 4;
        snprintf(more[i], 64, "the %s and %s of %s", w[a], w[(a + 1) % 4], w[(a + 2) % 4]);
        pool[i] = more[i];
    }
    for (int i = 0; i < 2 * K; i++) {
        snprintf(some[i], 64, "the %s and %s", mine[i % K][i / K], mine[i % K][i / K + 1]);
        text[i] = some[i];
        label[i] = i % K;
    }
    const heed_texts x = { .len = POOL, .text = pool };
    const heed_lesson of = { 2 * K, K, text, label, &x, 5, NULL };
    heed_guess guess[POOL];
    heed_error err = { 0 };
    double accuracy = -1;
    heed_ctx *cx = heed_ctx_new(&(heed_ctx_cfg){ .threads = 1 }, NULL);
    if (heed__teacher_guess(cx, &of, guess, &accuracy, &err)) fail_msg("%s", err.msg);
    int right = 0;
    for (int i = 0; i < POOL; i++) {
        assert_int_equal(guess[i].item, i);
        assert_true(guess[i].confidence >= 1.0f / K - 1e-6f && guess[i].confidence <= 1);
        right += guess[i].label == i % K;
    }
    assert_true(right > POOL * 9 / 10);
    assert_true(accuracy >= 0 && accuracy <= 1);
    heed_ctx_free(cx);
}

/* Steps so long that nothing is left of the vectors are told; no table is read beyond its end. */
static void test_too_long_steps(void **state) {
    (void)state;
    static float v[WORDS * DIM];
    heed_error err;
    make();
    const heed_word_ids x = { .texts = N, .words = WORDS, .start = start, .id = id };
    const heed_cbow_cfg cfg = { .dim = DIM, .passes = 200, .rate = 10, .seed = 3 };
    heed_ctx *cx = heed_ctx_new(&(heed_ctx_cfg){ .threads = 1 }, &err);
    if (!cx) fail_msg("%s", err.msg);
    const int rc = heed__cbow_learn(cx, &x, &cfg, v);
    assert_int_equal(rc, HEED_ENONFINITE);
    assert_int_equal(heed__cbow_error(rc, &err), HEED_ENONFINITE);
    assert_string_equal(err.msg, "train: vectors of words are not finite; the learning rate is "
                                 "too high");
    heed_ctx_free(cx);
}

static void test_file(void **state) {
    (void)state;
    static const char *const text[] = { "Good day, good sun", "a day of sun", "day and sun" };
    const heed_texts x = { .len = 3, .text = text };
    const heed_vectors_cfg cfg = { .cbow = { .dim = 4 }, .least = 2, .threads = 1 };
    char path[] = "/tmp/heed-vectors-XXXXXX";
    heed_error err = { 0 };
    int64_t words = 0;
    close(mkstemp(path));
    assert_int_equal(heed__vectors_learn(&x, &cfg, path, &words, &err), 0);
    assert_int_equal(words, 2); /* day and sun; good is in one text */
    heed_vectors *v = heed__vectors_open(path, NULL, &err);
    assert_non_null(v);
    assert_int_equal(heed__vectors_dim(v), 4);
    const char *word;
    const float *numbers;
    size_t size;
    assert_int_equal(heed__vectors_next(v, &word, &size, &numbers, &err), 1);
    assert_true(size == 3 && memcmp(word, "day", 3) == 0);
    assert_int_equal(heed__vectors_next(v, &word, &size, &numbers, &err), 1);
    assert_int_equal(heed__vectors_next(v, &word, &size, &numbers, &err), 0);
    heed__vectors_close(v);
    const heed_vectors_cfg rare = { .cbow = { .dim = 4 }, .least = 9, .threads = 1 };
    assert_int_equal(heed__vectors_learn(&x, &rare, path, &words, &err), HEED_EFORMAT);
    assert_string_equal(err.msg, "train: no word is in 9 texts");
    unlink(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_places),  cmocka_unit_test(test_stop),
        cmocka_unit_test(test_teacher), cmocka_unit_test(test_too_long_steps),
        cmocka_unit_test(test_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
