/* Memory runs out while vectors of words are learnt from texts and guess labels. */
#include "oom.h"

#include "tasks/teacher.h"

enum { LEN = 6, POOL = 12 };

static int guess(heed_error *err) {
    static const char *const text[LEN] = { "warm sun", "cold rain",   "warm day",
                                           "cold day", "sun and day", "rain and day" };
    static const char *pool[POOL];
    static const int32_t label[LEN] = { 0, 1, 0, 1, 0, 1 };
    for (int i = 0; i < POOL; i++) pool[i] = text[i % LEN];
    const heed_texts x = { .len = POOL, .text = pool };
    const heed_lesson of = { LEN, 2, text, label, &x, 3, NULL };
    heed_guess all[POOL];
    heed_ctx *cx = heed_ctx_new(&(heed_ctx_cfg){ .threads = 1 }, err);
    if (!cx) return err->code;
    const int rc = heed__teacher_guess(cx, &of, all, NULL, err);
    heed_ctx_free(cx);
    return rc;
}

static void test_guess(void **state) {
    (void)state;
    oom_each(guess);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_guess) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
