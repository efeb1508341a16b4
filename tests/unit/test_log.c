/* What the log hook hears: which kernels a context has, a slow precision, a learning rate that goes
 * down, a checkpoint written and taken up again. */
#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "heed/ops.h"
#include "heed/train.h"

typedef struct ear {
    int heard;
    heed_log_level level;
    char line[256];
} ear;

static void hear(void *user, heed_log_level level, const char *line) {
    ear *e = user;
    e->heard++;
    e->level = level;
    snprintf(e->line, sizeof e->line, "%s", line);
}

static void expect(ear *e, int lines, heed_log_level level, const char *part) {
    if (e->heard != lines || (lines && (e->level != level || !strstr(e->line, part))))
        fail_msg("%d lines, the last '%s' of level %d; not '%s'", e->heard, e->line, (int)e->level,
                 part);
    e->heard = 0;
}

static void test_context(void **state) {
    (void)state;
    heed_error err;
    ear e = { 0 };
    const heed_hooks hooks = { .user = &e, .log = hear };
    heed_ctx_cfg cfg = { .threads = 1, .isa = "scalar", .hooks = &hooks };
    heed_ctx *cx = heed_ctx_new(&cfg, &err);
    assert_non_null(cx);
    expect(&e, 1, HEED_LOG_DEBUG, "context: kernels scalar, threads 1");
    heed_ctx_set_precision(cx, HEED_PRECISION_BF16);
    expect(&e, 1, HEED_LOG_WARN, "bf16 without AMX tiles: scalar kernels");
    heed_ctx_set_precision(cx, HEED_PRECISION_BF16); /* said once */
    heed_ctx_set_precision(cx, HEED_PRECISION_F32);
    expect(&e, 0, HEED_LOG_WARN, "");
    heed_ctx_free(cx);
    cfg.precision = HEED_PRECISION_BF16;
    cx = heed_ctx_new(&cfg, &err);
    expect(&e, 2, HEED_LOG_WARN, "bf16 without AMX tiles");
    heed_ctx_free(cx);
}

static void test_training(void **state) {
    (void)state;
    heed_error err;
    ear e = { 0 };
    const heed_hooks hooks = { .user = &e, .log = hear };
    heed_ctx *cx = heed_ctx_new(&(heed_ctx_cfg){ .threads = 1, .hooks = &hooks }, &err);
    heed_params *ps = heed_params_new(&(heed_params_cfg){ .hooks = &hooks }, &err);
    heed_tensor *w = heed_param(ps, "w", (heed_init){ HEED_INIT_ONES, 0 }, 1, (int64_t[]){ 3 });
    const heed_schedule plateau = { HEED_PLATEAU, .factor = 0.5f, .patience = 2, .least = 0.5f };
    heed_optim *opt = heed_optim_new(
        cx, ps, &(heed_optim_cfg){ .kind = HEED_SGD, .lr = 0.25f, .schedule = plateau }, &err);
    if (!opt) fail_msg("%s", err.msg);
    e.heard = 0;
    heed_grad(cx, w)[0] = 1;
    assert_int_equal(heed_optim_step(opt), 0);
    heed_optim_report(opt, 1.5);
    heed_optim_report(opt, 2);
    expect(&e, 0, HEED_LOG_INFO, "");
    heed_optim_report(opt, 2);
    expect(&e, 1, HEED_LOG_INFO,
           "no better loss than 1.5 in 2 reports: the learning rate becomes 0.125");
    for (int i = 0; i < 9; i++) heed_optim_report(opt, 2);
    expect(&e, 0, HEED_LOG_INFO, ""); /* it is as low as it may be */

    char path[] = "/tmp/heed-log-XXXXXX";
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    const heed_checkpoint all = { .params = ps, .optim = opt };
    assert_int_equal(heed_checkpoint_save(path, &all, &err), 0);
    expect(&e, 1, HEED_LOG_DEBUG, ": saved");
    assert_int_equal(heed_checkpoint_load(path, &all, &err), 0);
    expect(&e, 1, HEED_LOG_INFO, ": goes on after 1 steps");
    assert_int_equal(truncate(path, 100), 0);
    assert_true(heed_checkpoint_load(path, &all, &err) < 0);
    expect(&e, 0, HEED_LOG_INFO, ""); /* an error is told as one */
    unlink(path);
    heed_optim_free(opt);
    heed_params_free(ps);
    heed_ctx_free(cx);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_context),
        cmocka_unit_test(test_training),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
