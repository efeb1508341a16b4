/* test_served.c: which model folders serve: one that reads more than a text does not. */
#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "heed/tasks.h"
#include "serve/served.h"

enum { N = 40 };

/* A model of texts, or of texts and two features each, in folder dir. */
static void save_model(const char *dir, const heed_array *array) {
    const char *text[N], *label[N];
    heed_error err = { 0 };
    for (int i = 0; i < N; i++) {
        text[i] = i % 2 ? "good news" : "bad news";
        label[i] = i % 2 ? "good" : "bad";
    }
    const heed_examples data = { .len = N, .text = text, .label = label, .array = array };
    const heed_classify_cfg cfg = { .epochs = 1, .embed = 8, .threads = 1 };
    heed_classifier *c = heed_classifier_train(&data, &cfg, &err);
    if (!c) fail_msg("%s", err.msg);
    assert_int_equal(heed_classifier_save(c, dir, &err), 0);
    heed_classifier_close(c);
}

static void test_features(void **state) {
    (void)state;
    static float number[N * 2];
    char dir[] = "/tmp/heed-served-XXXXXX", path[64], command[64];
    heed_error err = { 0 };
    for (int i = 0; i < N * 2; i++) number[i] = (float)(i % 7);
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/m", dir);
    const heed_served_cfg cfg = { .dir = path, .copies = 1 };
    save_model(path, NULL);
    heed_served *m = heed_served_open(&cfg, &err);
    if (!m) fail_msg("%s", err.msg);
    heed_served_close(m);
    save_model(path, &(heed_array){ number, 1, 2, false });
    assert_null(heed_served_open(&cfg, &err));
    assert_int_equal(err.code, HEED_EUNSUPPORTED);
    assert_non_null(strstr(err.msg, "reads features beside texts; an event is a text alone"));
    snprintf(command, sizeof command, "rm -r %s", dir);
    assert_int_equal(system(command), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_features) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
