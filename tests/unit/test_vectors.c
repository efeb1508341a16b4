/* test_vectors.c: vectors of words in text form, right and wrong, and in a model's table. */
#include "cmocka_all.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "io/vectors.h"
#include "tasks/classifier.h"
#include "tasks/word_vectors.h"

/* "word=1,2;" for every line, or the error. */
static const char *shown(const char *text) {
    static char room[512];
    heed_error err;
    size_t n = 0;
    heed_vectors *v = heed__vectors_from(text, strlen(text), "x", NULL, &err);
    const char *word;
    const float *x;
    size_t size;
    int got = v ? 0 : -1;
    room[0] = 0;
    while (v && (got = heed__vectors_next(v, &word, &size, &x, &err)) > 0) {
        n += (size_t)snprintf(room + n, sizeof room - n, "%.*s=", (int)size, word);
        for (int64_t k = 0; k < heed__vectors_dim(v); k++)
            n += (size_t)snprintf(room + n, sizeof room - n, "%s%d", k ? "," : "", (int)x[k]);
        n += (size_t)snprintf(room + n, sizeof room - n, ";");
    }
    heed__vectors_close(v);
    return got < 0 ? strcpy(room, err.msg) : room;
}

static void files(void **state) {
    (void)state;
    static const struct {
        const char *text, *shown;
    } cases[] = {
        { "2 3\na 1 2 3\nb 4 5 6 \n", "a=1,2,3;b=4,5,6;" },
        { "a 1 2 3\r\n\r\nb\t4\t5\t6\n", "a=1,2,3;b=4,5,6;" },
        { "a 1 2\nat name@x 3 4\n", "a=1,2;at name@x=3,4;" },
        { "5 1\n3 7\n", "3=7;" },
        { "a 1 2 3\nb 4 5\n", "x:2: 2 numbers where there should be 3" },
        { "a 1 2\n3 4\n", "x:2: 1 numbers where there should be 2" },
        { "a 1 2\n4\n", "x:2: 0 numbers where there should be 2" },
        { "a 1 x\n", "x:1: 'x' is no number, 2 are wanted" },
        { "a 1 nan\n", "x:1: 'nan' is no number, 2 are wanted" },
        { "a 1 1e39\n", "x:1: '1e39' is no number, 2 are wanted" },
        { "\xff 1 2\n", "x:1: the word is not UTF-8" },
        { "a 1 2\n 3 4\n", "x:2: no word before its numbers" },
        { "word\n", "x:1: no word with its numbers" },
        { "10 0\n", "x:1: no word with its numbers" },
        { "", "x: no vectors" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(shown(cases[i].text), cases[i].shown);
}

static int64_t done, total;

static void progress(void *user, const heed_progress *p) {
    (void)user;
    if (strcmp(p->what, "vectors") == 0) done = p->done, total = p->total;
}

/* A training of no step to speak of leaves the file's vectors where they were put, in direction. */
static void a_table_takes_them(void **state) {
    (void)state;
    char path[] = "/tmp/heed-vectors-XXXXXX";
    heed_error err = { 0 };
    assert_true(mkstemp(path) >= 0);
    const char *file = "red 3 0 4 0 0 0 0 0\nblue 0 0 0 5 0 0 12 0\nred 9 9 9 9 9 9 9 9\n"
                       "zebra 1 1 1 1 1 1 1 1\n";
    assert_int_equal(heed__file_write(NULL, path, file, strlen(file), &err), 0);
    const char *text[] = { "red thing", "blue thing", "red one", "blue one" };
    const char *label[] = { "a", "b", "a", "b" };
    const heed_hooks hooks = { .progress = progress };
    static const char *const recipes[] = { "classic", "attend", "encoder" };
    for (size_t i = 0; i < sizeof recipes / sizeof *recipes; i++) {
        const heed_classify_cfg cfg = { .recipe = recipes[i],
                                        .vectors = path,
                                        .epochs = 1,
                                        .lr = 1e-9,
                                        .heads = 2,
                                        .hidden = 8,
                                        .threads = 1,
                                        .hooks = &hooks };
        done = total = 0;
        heed_classifier *c = heed_classifier_train(
            &(heed_examples){ .len = 4, .text = text, .label = label }, &cfg, &err);
        if (!c) fail_msg("%s: %s", recipes[i], err.msg);
        assert_int_equal(done, 2);
        assert_int_equal(total, 4);
        int64_t words;
        const heed_tensor *w = c->body->kind->words(c->body, &words);
        const int64_t row = c->body->kind->word(c->body, "red", 3);
        assert_true(row >= 0 && w->shape[1] == 8);
        const float *x = HEED_F32_DATA(w) + row * 8;
        /* attend keeps a row in whole numbers of -127 to 127 */
        const double most = strcmp(recipes[i], "attend") == 0 ? 0.51 / 127 : 1e-4;
        assert_true(x[0] > 0 && fabs((double)x[0] / (double)x[2] - 0.75) < most);
        assert_true(fabs((double)x[1]) < 1e-4 * (double)x[0]);
        heed_classifier_close(c);
    }
    heed_classify_cfg cfg = { .recipe = "match", .vectors = path, .threads = 1 };
    const heed_examples x = { .len = 4, .text = text, .label = label };
    assert_null(heed_classifier_train(&x, &cfg, &err));
    assert_string_equal(err.msg, "the recipe 'match' has no table of words");
    cfg = (heed_classify_cfg){ .recipe = "classic", .vectors = path, .embed = 4, .threads = 1 };
    assert_null(heed_classifier_train(&x, &cfg, &err));
    assert_non_null(strstr(err.msg, "vectors of 8 numbers for a model of 4"));
    remove(path);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(files),
                                        cmocka_unit_test(a_table_takes_them) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
