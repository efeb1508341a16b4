/* Optimizers and schedules beside PyTorch's: 20 steps from the same weights and gradients. The file
 * is made by tests/golden/make/optim.py. */
#include "cmocka_all.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "heed/io.h"
#include "heed/ops.h"
#include "heed/train.h"

enum { STEPS = 20, TENSORS = 4 };
static const char *const names[TENSORS] = { "conv", "matrix", "scalar", "vector" };
static heed_safetensors *file;

static int open_file(void **state) {
    (void)state;
    heed_error err;
    file = heed_safetensors_open("tests/golden/optim.safetensors", NULL, &err);
    if (!file) print_error("%s\n", err.msg);
    return file ? 0 : -1;
}

static int close_file(void **state) {
    (void)state;
    heed_safetensors_close(file);
    return 0;
}

static const heed_entry *entry(const char *group, const char *name) {
    char full[64];
    snprintf(full, sizeof full, "%s/%s", group, name);
    const heed_entry *e = heed_safetensors_find(file, full);
    if (!e) fail_msg("no %s", full);
    return e;
}

/* The largest difference after 20 steps, relative to how far the weights went. */
static double difference(const char *name, const heed_optim_cfg *cfg, int threads) {
    heed_error err;
    heed_ctx *cx = heed_ctx_new(&(heed_ctx_cfg){ .train = true, .threads = threads }, &err);
    heed_params *ps = heed_params_new(NULL, &err);
    heed_tensor *w[TENSORS];
    for (int i = 0; i < TENSORS; i++) {
        const heed_entry *e = entry("start", names[i]);
        w[i] = heed_param(ps, names[i], (heed_init){ HEED_INIT_ZEROS, 0 }, e->ndim, e->shape);
        assert_int_equal(heed_entry_f32(e, w[i]->data, &err), 0);
    }
    heed_optim *opt = heed_optim_new(cx, ps, cfg, &err);
    if (!opt) fail_msg("%s", err.msg);
    for (int t = 0; t < STEPS; t++) {
        char group[16];
        snprintf(group, sizeof group, "grad%d", t);
        for (int i = 0; i < TENSORS; i++)
            assert_int_equal(heed_entry_f32(entry(group, names[i]), heed_grad(cx, w[i]), &err), 0);
        assert_int_equal(heed_optim_step(opt), 0);
    }
    double most = 0;
    for (int i = 0; i < TENSORS; i++) {
        float want[64], start[64];
        heed_entry_f32(entry(name, names[i]), want, &err);
        heed_entry_f32(entry("start", names[i]), start, &err);
        for (int64_t j = 0; j < w[i]->len; j++) {
            assert_true(want[j] != start[j]);
            most = fmax(most, fabs((double)HEED_F32_DATA(w[i])[j] - want[j]) /
                                  (1 + fabs((double)want[j])));
        }
    }
    heed_optim_free(opt);
    heed_params_free(ps);
    heed_ctx_free(cx);
    return most;
}

static void test_optimizers(void **state) {
    (void)state;
    static const struct {
        const char *name;
        heed_optim_cfg cfg;
    } cases[] = {
        { "sgd", { .kind = HEED_SGD, .lr = 0.01f } },
        { "sgd_momentum",
          { .kind = HEED_SGD, .lr = 0.01f, .momentum = 0.9f, .weight_decay = 0.1f } },
        { "sgd_nesterov", { .kind = HEED_SGD, .lr = 0.01f, .momentum = 0.8f, .nesterov = true } },
        { "adam", { .kind = HEED_ADAM, .lr = 0.01f, .weight_decay = 0.1f } },
        { "adamw",
          { .kind = HEED_ADAMW,
            .lr = 0.02f,
            .beta1 = 0.8f,
            .beta2 = 0.95f,
            .weight_decay = 0.1f } },
        { "adamw_clip", { .kind = HEED_ADAMW, .lr = 0.02f, .clip = 1 } },
        { "adagrad", { .kind = HEED_ADAGRAD, .lr = 0.05f, .weight_decay = 0.1f } },
        { "adafactor", { .kind = HEED_ADAFACTOR, .lr = 0.05f, .weight_decay = 0.1f } },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        heed_optim_cfg cfg = cases[i].cfg;
        cfg.decay_all = true; /* PyTorch decays vectors too */
        const double most = difference(cases[i].name, &cfg, 1);
        if (!(most < 3e-6)) fail_msg("%s differs by %.3g", cases[i].name, most);
        cfg.lr *= 1.001f; /* the test can fail */
        assert_true(difference(cases[i].name, &cfg, 1) > 3e-6);
    }
}

static void test_cosine(void **state) {
    (void)state;
    const heed_entry *e = entry("schedule", "cosine");
    const heed_schedule s = { .kind = HEED_COSINE, .total = 25, .least = 0.1f };
    for (int t = 0; t < e->len; t++) {
        double want;
        memcpy(&want, (const char *)e->data + t * 8, 8);
        assert_true(fabs(heed_schedule_at(&s, t) - want) < 1e-7);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_optimizers),
        cmocka_unit_test(test_cosine),
    };
    return cmocka_run_group_tests(tests, open_file, close_file);
}
