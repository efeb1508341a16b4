/* test_steps_attend.c: the recipe attend leaves out words and pieces of them by chance, anew at
 * each step, and yet asks for no memory once its largest batch was gone through: what a step takes
 * is for its texts to say. One batch of texts is learnt from again and again, of many sizes, so
 * that for some of them chance stands on either side of what was grown to; few texts of wide
 * vectors too, of which chance leaves out an eighth and more. */
#include "cmocka_all.h"
#include "counting.h"

#include <stdio.h>

#include "heed/tasks.h"

enum { MOST = 24, FEW = 8, STEPS = 12 };

typedef struct watch {
    int64_t steps, before;
    bool missed;
} watch;

/* The largest batch was gone through: steps come now. */
static void at_memory(void *user, const heed_progress *p) {
    if (strcmp(p->what, "memory") == 0) *(watch *)user = (watch){ .before = 0 };
}

/* Asked after each step; what comes with the first one is the optimizer's too. */
static bool after_step(void *user) {
    watch *w = user;
    if (w->steps++ && w->steps <= STEPS && allocations != w->before) w->missed = true;
    w->before = allocations;
    return false;
}

/* Trainings of so many texts, each step all of them. */
static void train(int64_t texts, int64_t width, int threads) {
    static char words[MOST][96];
    static const char *text[MOST], *label[MOST];
    for (int i = 0; i < texts; i++) {
        snprintf(words[i], sizeof words[i], "umbrella%d rainfall%d %s thunderstorm%d", i / 2, i / 2,
                 i % 2 ? "certainly" : "probably", i / 2);
        text[i] = words[i];
        label[i] = i % 2 ? "yes" : "no";
    }
    const heed_examples data = { .len = texts, .text = text, .label = label };
    watch w = { .before = 0 };
    const heed_hooks hooks = { .user = &w,
                               .alloc = counting_alloc,
                               .release = counting_release,
                               .progress = at_memory,
                               .cancel = after_step };
    const heed_classify_cfg cfg = { .recipe = "attend",
                                    .embed = width,
                                    .epochs = STEPS,
                                    .batch = texts,
                                    .seed = (uint64_t)texts,
                                    .threads = threads,
                                    .hooks = &hooks };
    heed_error err;
    heed_classifier *c = heed_classifier_train(&data, &cfg, &err);
    if (!c) fail_msg("%s", err.msg);
    heed_classifier_close(c);
    assert_true(w.steps >= STEPS);
    if (w.missed)
        fail_msg("%d texts, %d wide, %d threads: a step asked for memory", (int)texts, (int)width,
                 threads);
}

static void test_dropped_features(void **state) {
    (void)state;
    for (int64_t texts = 4; texts <= MOST; texts++)
        for (int threads = 1; threads <= 2; threads++) train(texts, 8, threads);
    for (int64_t texts = 2; texts <= FEW; texts++)
        for (int64_t width = 64; width <= 192; width += 64) train(texts, width, 1);
    assert_int_equal(held, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_dropped_features) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
