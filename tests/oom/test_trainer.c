/* Memory runs out in a training with logs that is stopped and resumed. */
#include "oom.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "heed/ops.h"
#include "tasks/trainer.h"

static char run[] = "/tmp/heed-oom-trainer-XXXXXX";

typedef struct point {
    heed_ctx *cx;
    heed_tensor *w;
    int losses;
} point;

static heed_tensor *loss(void *self, const int64_t *item, int64_t n) {
    point *p = self;
    (void)item;
    (void)n;
    p->losses++;
    return heed_sum(p->cx, heed_mul(p->cx, p->w, p->w));
}

static int score(void *self, heed_score *s, heed_error *err) {
    (void)err;
    const double w = (double)HEED_F32_DATA(((point *)self)->w)[0];
    *s = (heed_score){ "Fit", -w * w, w * w };
    return 0;
}

static bool stop(void *user) {
    return ((point *)user)->losses == 4; /* the rehearsal, and three steps */
}

static int steps(heed_ctx *cx, heed_params *ps, heed_error *err) {
    point p = { .cx = cx };
    p.w = heed_param(ps, "w", (heed_init){ HEED_INIT_ONES, 0 }, 1, (int64_t[]){ 3 });
    if (!p.w) {
        *err = *heed_params_error(ps);
        return err->code;
    }
    const heed_hooks hooks = { .user = &p, .cancel = stop };
    const heed_learner l = {
        .self = &p, .cx = cx, .ps = ps, .items = 4, .loss = loss, .score = score
    };
    heed_fit_cfg cfg = { .epochs = 2,
                         .batch = 2,
                         .optim = { .lr = 0.1f, .ema = 0.5f },
                         .run = run,
                         .settings = "s",
                         .hooks = &hooks };
    heed_fitted done;
    int rc = heed__fit(&l, &cfg, &done, err);
    if (rc != HEED_ECANCELLED) return rc;
    cfg.resume = true;
    return heed__fit(&l, &cfg, &done, err);
}

static int stopped_and_resumed(heed_error *err) {
    return oom_train(steps, err);
}

static void test_resume(void **state) {
    (void)state;
    oom_spare_json(true);
    oom_each(stopped_and_resumed);
}

static int set_up(void **state) {
    (void)state;
    return mkdtemp(run) ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    char command[64];
    snprintf(command, sizeof command, "rm -r %s", run);
    return system(command);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_resume) };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
