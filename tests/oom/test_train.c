/* Memory runs out while an optimizer, a loader and checkpoints are made and used. */
#include "oom.h"

#include <stdlib.h>
#include <unistd.h>

#include "heed/ops.h"
#include "heed/train.h"

static char path[] = "/tmp/heed-oom-train-XXXXXX";

static int make_loader(heed_error *err) {
    heed_loader *ld = heed_loader_new(&(heed_loader_cfg){ .items = 9, .batch = 2 }, err);
    if (!ld) return err->code;
    const int64_t *items;
    const int status = heed_loader_next(ld, &items) == 2 ? 0 : HEED_EINVALID;
    heed_loader_free(ld);
    return status;
}

static heed_optim_cfg optim;

/* Two steps, a checkpoint, and back from it. */
static int steps(heed_ctx *cx, heed_params *ps, heed_error *err) {
    heed_tensor *w = heed_param(ps, "w", (heed_init){ HEED_INIT_ONES, 0 }, 2, (int64_t[]){ 3, 4 });
    heed_tensor *table = heed_param(ps, "table", (heed_init){ HEED_INIT_ONES, 0 }, 2,
                                    (int64_t[]){ 9, 4 });
    const bool sparse = optim.kind == HEED_ADAMW || optim.kind == HEED_ADAGRAD;
    if (!heed_params_error(ps) && sparse) heed_param_set_sparse(ps, table);
    if (heed_params_error(ps)) return *err = *heed_params_error(ps), err->code;
    heed_optim *opt = heed_optim_new(cx, ps, &optim, err);
    if (!opt) return err->code;
    int status = 0;
    for (int t = 0; t < 2 && !status; t++) {
        heed_tensor *ids = heed_from_i32(cx, 1, (int64_t[]){ 3 }, (int32_t[]){ 5, 1, 5 });
        heed_tensor *y = heed_affine(cx, heed_embedding(cx, table, ids, -1), w, NULL);
        status = heed_backward(cx, heed_mean(cx, y));
        if (heed_ctx_error(cx)) *err = *heed_ctx_error(cx);
        if (!status) status = heed_optim_step(opt);
        if (heed_optim_error(opt)) *err = *heed_optim_error(opt);
        heed_ctx_reset(cx);
    }
    heed_rng rng = { .seed = 1 };
    const heed_checkpoint all = {
        .params = ps, .optim = opt, .ctx = cx, .rng = &rng, .rng_count = 1
    };
    if (!status) status = heed_checkpoint_save(path, &all, err);
    if (!status) status = heed_checkpoint_load(path, &all, err);
    heed_optim_free(opt);
    return status;
}

static int train(heed_error *err) {
    return oom_train(steps, err);
}

static void test_train(void **state) {
    (void)state;
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    oom_each(make_loader);
    oom_spare_json(true);
    for (int kind = HEED_ADAMW; kind <= HEED_ADAFACTOR; kind++) {
        optim = (heed_optim_cfg){ .kind = (heed_optim_kind)kind, .clip = 1, .momentum = 0.9f };
        oom_each(train);
    }
    optim = (heed_optim_cfg){ .kind = HEED_ADAM,
                              .accumulate = 2,
                              .ema = 0.9f,
                              .groups = &(heed_param_group){ .pattern = "w", .lr = 2 },
                              .group_count = 1 };
    oom_each(train);
    unlink(path);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_train) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
