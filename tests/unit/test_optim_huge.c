/* test_optim_huge.c: a huge gradient that is clipped moves the weights as a small one does that is
 * clipped to the same norm: squares that leave f32's range are not taken. Every optimizer, dense
 * and row by row, with weight decay and without. */
#include "cmocka_all.h"

#include <math.h>

#include "heed/ops.h"
#include "heed/train.h"

enum { ROWS = 4, COLS = 40, STEPS = 3 };

/* The table after some steps with gradients of this size at two of its rows. */
static void train(const heed_optim_cfg *cfg, bool sparse, float size, float *out) {
    heed_error err;
    heed_ctx *cx = heed_ctx_new(&(heed_ctx_cfg){ .train = true, .threads = 1 }, &err);
    heed_params *ps = heed_params_new(&(heed_params_cfg){ .seed = 3 }, &err);
    heed_tensor *w = heed_param(ps, "w", (heed_init){ HEED_INIT_NORMAL, 1 }, 2,
                                (int64_t[]){ ROWS, COLS });
    if (sparse) assert_int_equal(heed_param_set_sparse(ps, w), 0);
    heed_optim *opt = heed_optim_new(cx, ps, cfg, &err);
    if (!opt) fail_msg("%s", err.msg);
    float dout[2 * COLS];
    for (int t = 0; t < STEPS; t++) {
        for (int i = 0; i < 2 * COLS; i++) dout[i] = size * (float)((i * 7 + t) % 11 - 4);
        heed_tensor *ids = heed_from_i32(cx, 1, (int64_t[]){ 2 }, (int32_t[]){ t % 2, 3 });
        heed_tensor *y = heed_embedding(cx, w, ids, -1);
        if (!y || heed_backward_from(cx, y, dout)) fail_msg("%s", heed_ctx_error(cx)->msg);
        if (heed_optim_step(opt)) fail_msg("%s", heed_optim_error(opt)->msg);
        heed_ctx_reset(cx);
    }
    for (int i = 0; i < ROWS * COLS; i++) out[i] = HEED_F32_DATA(w)[i];
    heed_optim_free(opt);
    heed_params_free(ps);
    heed_ctx_free(cx);
}

static void check(const heed_optim_cfg *cfg, bool sparse) {
    static const float sizes[] = { 1e15f, 1e19f, 1e20f, 1e22f, 1e25f, 1e30f, 1e37f };
    float want[ROWS * COLS], got[ROWS * COLS];
    train(cfg, sparse, 100, want);
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        train(cfg, sparse, sizes[s], got);
        for (int i = 0; i < ROWS * COLS; i++)
            if (!(fabsf(got[i] - want[i]) <= 1e-5f * (1 + fabsf(want[i]))))
                fail_msg("optimizer %d%s, decay %g, gradients of %g: w[%d] is %g, not %g",
                         (int)cfg->kind, sparse ? " by rows" : "", (double)cfg->weight_decay,
                         (double)sizes[s], i, (double)got[i], (double)want[i]);
    }
}

static void test_clipped(void **state) {
    (void)state;
    for (int kind = HEED_ADAMW; kind <= HEED_ADAFACTOR; kind++)
        for (int decay = 0; decay < 2; decay++) {
            const heed_optim_cfg cfg = { .kind = (heed_optim_kind)kind,
                                         .lr = 0.1f,
                                         .momentum = 0.5f,
                                         .clip = 1,
                                         .weight_decay = decay ? 0.01f : 0 };
            check(&cfg, false);
            if (kind != HEED_ADAFACTOR) check(&cfg, true);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_clipped) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
