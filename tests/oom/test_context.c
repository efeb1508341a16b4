/* Memory runs out while a text learns to attend to its context, and while it is asked. */
#include "oom.h"

#include <stdlib.h>
#include <string.h>

#include "heed/tasks.h"

enum { LEN = 6 };
static const char *const text[LEN] = { "warm sun",   "cold rain", "warm day",
                                       "cold night", "sun rain",  "day night" };
static const char *const passage[LEN] = { "the sun", "a day", "warm days", "sun", "rain", "snow" };
static const char *const label[LEN] = { "1", "0", "1", "0", "1", "0" };

static int train_and_ask(heed_error *err) {
    const heed_examples x = { .len = LEN, .text = text, .label = label, .text2 = passage };
    const heed_classify_cfg cfg = { .recipe = "classic",
                                    .epochs = 1,
                                    .threads = 1,
                                    .embed = 4,
                                    .hidden = 4,
                                    .heads = 2,
                                    .context = true };
    heed_classifier *c = heed_classifier_train(&x, &cfg, err);
    if (!c) return err->code;
    heed_label top;
    heed_explanation e = { .top = &top, .top_cap = 1, .text2 = passage[0] };
    const int rc = heed_classify_explain(c, text[0], &e, err);
    heed_classifier_close(c);
    return rc;
}

static void test_context(void **state) {
    (void)state;
    oom_spare_json(false);
    assert_true(oom_each(train_and_ask) > 50);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_context) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
