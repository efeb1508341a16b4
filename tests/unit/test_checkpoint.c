/* Checkpoints: a run that is killed at any moment and goes on ends in the very weights of the run
 * that was never killed. */
#include "cmocka_all.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "heed/io.h"
#include "heed/ops.h"
#include "heed/train.h"
#include "tensor/ctx.h"
#include "train/optim.h"

#define SHAPE(...)                                                                                 \
    (sizeof((int64_t[]){ __VA_ARGS__ }) / sizeof(int64_t)), (int64_t[]) {                          \
        __VA_ARGS__                                                                                \
    }

static char folder[] = "/tmp/heed-checkpoint-XXXXXX";
static char path[128], weights[128], reference[128];

static int make_folder(void **state) {
    (void)state;
    if (!mkdtemp(folder)) return -1;
    snprintf(path, sizeof path, "%s/run.safetensors", folder);
    snprintf(weights, sizeof weights, "%s/weights.safetensors", folder);
    snprintf(reference, sizeof reference, "%s/reference.safetensors", folder);
    return 0;
}

static int remove_folder(void **state) {
    (void)state;
    char command[160];
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

typedef struct run {
    heed_ctx *cx;
    heed_params *ps;
    heed_tensor *w, *b, *table;
    heed_optim *opt;
    heed_loader *ld;
    heed_rng rng;
} run;

enum { EPOCHS = 4, ITEMS = 21, BATCH = 4, ROWS = 50, COLS = 9 };

static run begin(heed_optim_kind kind) {
    heed_error err;
    run r = { .rng = { .seed = 5, .stream = UINT64_MAX } };
    r.cx = heed_ctx_new(&(heed_ctx_cfg){ .train = true, .seed = 8, .threads = 1 }, &err);
    r.ps = heed_params_new(&(heed_params_cfg){ .seed = 1 }, &err);
    const heed_init init = { HEED_INIT_NORMAL, 1 };
    r.w = heed_param(r.ps, "w", init, SHAPE(31, 17));
    r.b = heed_param(r.ps, "b", init, SHAPE(17));
    r.table = heed_param(r.ps, "table", init, SHAPE(ROWS, COLS));
    heed_optim_cfg cfg = { .kind = kind,
                           .lr = 0.05f,
                           .clip = 3,
                           .weight_decay = 0.1f,
                           .momentum = 0.9f,
                           .schedule = { .kind = HEED_COSINE, .warmup = 3, .total = 30 } };
    if (kind == HEED_ADAMW || kind == HEED_ADAGRAD)
        heed_param_set_sparse(r.ps, r.table);
    else
        cfg.ema = 0.9f;
    if (kind == HEED_ADAM) cfg.schedule = (heed_schedule){ HEED_PLATEAU, .patience = 2 };
    r.opt = heed_optim_new(r.cx, r.ps, &cfg, &err);
    r.ld = heed_loader_new(&(heed_loader_cfg){ .items = ITEMS, .batch = BATCH, .seed = 2 }, &err);
    if (!r.opt || !r.ld) fail_msg("%s", err.msg);
    return r;
}

static heed_checkpoint all_of(run *r) {
    return (heed_checkpoint){ r->ps, r->opt, r->cx, r->ld, &r->rng, 1 };
}

static void finish(run *r) {
    heed_loader_free(r->ld);
    heed_optim_free(r->opt);
    heed_params_free(r->ps);
    heed_ctx_free(r->cx);
}

/* A step whose gradients depend on weights, items, the program's random numbers, and the context's,
 * so that anything forgotten by a checkpoint shows. */
static void step(run *r, const int64_t *items, int64_t count) {
    float noise[COLS];
    uint32_t drop[4];
    heed_philox(8, heed__stream(r->cx), 0, drop);
    for (int64_t i = 0; i < count; i++) {
        for (int c = 0; c < COLS; c++) noise[c] = heed_rng_normal(&r->rng);
        const int32_t id = (int32_t)(items[i] * 13 % ROWS);
        if (r->table->sparse)
            heed__sparse_add(r->table->sparse, 1, &id, noise, -1);
        else
            memcpy(heed_grad(r->cx, r->table) + id * COLS, noise, sizeof noise);
        float *w = heed_grad(r->cx, r->w);
        for (int64_t j = 0; j < r->w->len; j++)
            w[j] += HEED_F32_DATA(r->w)[j] * 0.1f + noise[(j + items[i]) % COLS];
    }
    if (drop[0] % 3) heed_grad(r->cx, r->b)[items[0] % 17] = 1 + HEED_F32_DATA(r->b)[3];
    assert_int_equal(heed_optim_step(r->opt), 0);
    heed_optim_report(r->opt, (double)fabsf(HEED_F32_DATA(r->w)[0]));
    heed_ctx_reset(r->cx);
}

/* Goes on from the checkpoint if there is one, saves after every step, writes the final weights. */
static void train(heed_optim_kind kind, bool save) {
    run r = begin(kind);
    heed_error err;
    const heed_checkpoint all = all_of(&r);
    if (save && heed_checkpoint_load(path, &all, &err) && err.code != HEED_ENOTFOUND)
        fail_msg("%s", err.msg);
    const int64_t *items;
    while (heed_loader_epoch(r.ld) < EPOCHS) {
        const int64_t count = heed_loader_next(r.ld, &items);
        if (!count) continue;
        step(&r, items, count);
        if (save && heed_checkpoint_save(path, &all, &err)) fail_msg("%s", err.msg);
    }
    heed_optim_swap_ema(r.opt);
    if (heed_params_save(r.ps, save ? weights : reference, NULL, &err)) fail_msg("%s", err.msg);
    finish(&r);
}

static void assert_same_files(const char *a, const char *b) {
    char *x, *y;
    size_t m, n;
    heed_error err;
    assert_int_equal(heed__file_read(NULL, a, 1 << 24, &x, &m, &err), 0);
    assert_int_equal(heed__file_read(NULL, b, 1 << 24, &y, &n, &err), 0);
    assert_int_equal(m, n);
    assert_memory_equal(x, y, m);
    heed__free(NULL, x);
    heed__free(NULL, y);
}

static void test_kill_at_any_moment(void **state) {
    (void)state;
    srand(1);
    for (int kind = HEED_ADAMW; kind <= HEED_ADAFACTOR; kind++) {
        train((heed_optim_kind)kind, false);
        unlink(path);
        unlink(weights);
        int kills = 0;
        for (bool done = false; !done;) {
            const pid_t child = fork();
            assert_true(child >= 0);
            if (child == 0) {
                train((heed_optim_kind)kind, true);
                _exit(0);
            }
            /* after 12 kills it may finish, however slow the machine is */
            if (kills < 12) {
                usleep((useconds_t)(rand() % 20000));
                kill(child, SIGKILL);
            }
            int status;
            assert_int_equal(waitpid(child, &status, 0), child);
            done = WIFEXITED(status);
            if (done) assert_int_equal(WEXITSTATUS(status), 0);
            kills += !done;
        }
        assert_same_files(weights, reference);
    }
}

/* The same, stopped after each of the steps in turn, so that no luck is needed. */
static void test_stop_after_each_step(void **state) {
    (void)state;
    heed_error err;
    train(HEED_ADAM, false);
    run whole = begin(HEED_ADAM);
    const int64_t *items;
    for (int stop = 1; heed_loader_epoch(whole.ld) < EPOCHS; stop++) {
        run r = begin(HEED_ADAM);
        const heed_checkpoint all = all_of(&r);
        if (stop > 1 && heed_checkpoint_load(path, &all, &err)) fail_msg("%s", err.msg);
        const int64_t a = heed_loader_next(whole.ld, &items);
        if (a) step(&whole, items, a);
        const int64_t b = heed_loader_next(r.ld, &items);
        assert_int_equal(a, b);
        if (b) step(&r, items, b);
        assert_memory_equal(r.w->data, whole.w->data, (size_t)r.w->len * 4);
        assert_true(heed_optim_lr(r.opt) == heed_optim_lr(whole.opt));
        assert_true(heed_ctx_step(r.cx) == heed_ctx_step(whole.cx));
        assert_true(r.rng.drawn == whole.rng.drawn && r.rng.stream == UINT64_MAX);
        if (heed_checkpoint_save(path, &all, &err)) fail_msg("%s", err.msg);
        finish(&r);
    }
    finish(&whole);
}

static void refuse_load(const char *file, const heed_checkpoint *c, const char *part) {
    heed_error err;
    heed_tensor *w = heed_params_at(c->params, 0);
    float *was = malloc((size_t)w->len * 4);
    memcpy(was, w->data, (size_t)w->len * 4);
    assert_true(heed_checkpoint_load(file, c, &err) < 0);
    if (!strstr(err.msg, part)) fail_msg("'%s' does not speak of '%s'", err.msg, part);
    assert_memory_equal(was, w->data, (size_t)w->len * 4);
    free(was);
}

static void test_refusals(void **state) {
    (void)state;
    heed_error err;
    run r = begin(HEED_ADAMW), other = begin(HEED_SGD);
    heed_checkpoint c = all_of(&r), o = all_of(&other);
    heed_grad(r.cx, r.b);
    assert_int_equal(heed_checkpoint_save(path, &c, &err), HEED_EINVALID);
    assert_non_null(strstr(err.msg, "a checkpoint between a backward and its step"));
    heed_params_zero_grad(r.ps);
    assert_int_equal(heed_checkpoint_save(path, &c, &err), 0);
    refuse_load(path, &o, "was saved with another kind of optimizer");
    heed_checkpoint part = c;
    part.rng_count = 0;
    refuse_load(path, &part, "has 1 random sequences, not 0");
    part = c;
    part.optim = other.opt;
    refuse_load(path, &part, "the optimizer is not that of these parameters");
    refuse_load("/nowhere/x", &c, "/nowhere/x");
    assert_int_equal(heed_params_save(r.ps, path, NULL, &err), 0);
    refuse_load(path, &c, "is no checkpoint");
    part = (heed_checkpoint){ .params = r.ps }; /* weights alone */
    assert_int_equal(heed_checkpoint_save(path, &part, &err), 0);
    refuse_load(path, &c, "was saved without an optimizer");
    assert_int_equal(heed_checkpoint_load(path, &part, &err), 0);
    assert_int_equal(heed_checkpoint_save(path, &c, &err), 0);
    assert_int_equal(heed_checkpoint_load(path, &part, &err), HEED_EFORMAT); /* its rng */
    part.rng = &r.rng;
    part.rng_count = 1;
    assert_int_equal(heed_checkpoint_load(path, &part, &err), 0); /* no optimizer: for use only */
    finish(&r);
    finish(&other);
}

/* Counters that no optimizer counts, written by somebody else. */
static void test_impossible_counters(void **state) {
    (void)state;
    heed_error err;
    run r = begin(HEED_ADAMW), bad = begin(HEED_ADAMW);
    heed_checkpoint c = all_of(&r), b = all_of(&bad);
    bad.opt->slot[1].steps = -1;
    assert_int_equal(heed_checkpoint_save(path, &b, &err), 0);
    refuse_load(path, &c, "tensor 'steps/b' counts no steps");
    bad.opt->slot[1].steps = INT64_MAX; /* the next step would overflow */
    assert_int_equal(heed_checkpoint_save(path, &b, &err), 0);
    refuse_load(path, &c, "tensor 'steps/b' counts no steps");
    bad.opt->slot[1].steps = 0;
    bad.opt->slot[2].row_steps[ROWS - 1] = INT32_MIN;
    assert_int_equal(heed_checkpoint_save(path, &b, &err), 0);
    refuse_load(path, &c, "tensor 'rows/table' counts no steps");
    bad.opt->slot[2].row_steps[ROWS - 1] = 0;
    heed_optim_set_lr(bad.opt, -1);
    assert_int_equal(heed_checkpoint_save(path, &b, &err), 0);
    refuse_load(path, &c, "its learning rate is no possible one");
    finish(&r);
    finish(&bad);
}

/* Every truncation, and flipped bits: refused, or loaded as something whole; never a crash. */
static void test_damage(void **state) {
    (void)state;
    heed_error err;
    run r = begin(HEED_ADAMW);
    heed_checkpoint c = all_of(&r);
    assert_int_equal(heed_checkpoint_save(path, &c, &err), 0);
    char *bytes;
    size_t size;
    assert_int_equal(heed__file_read(NULL, path, 1 << 24, &bytes, &size, &err), 0);
    uint64_t head = 0;
    for (int i = 7; i >= 0; i--) head = head << 8 | (unsigned char)bytes[i];
    FILE *f = fopen(weights, "wb");
    assert_int_equal(fwrite(bytes, 1, size, f), size);
    fflush(f);
    for (size_t cut = size; cut-- > 0;) {
        assert_int_equal(ftruncate(fileno(f), (off_t)cut), 0);
        refuse_load(weights, &c, weights);
    }
    heed_rng rng = { .seed = 1 };
    for (int i = 0; i < 1500; i++) {
        const size_t at = (size_t)heed_rng_below(&rng, head + 8);
        const char bit = (char)(1 << heed_rng_below(&rng, 8));
        bytes[at] ^= bit;
        rewind(f);
        assert_int_equal(fwrite(bytes, 1, size, f), size);
        fflush(f);
        bytes[at] ^= bit;
        if (heed_checkpoint_load(weights, &c, &err)) assert_true(strlen(err.msg) > 3);
    }
    fclose(f);
    heed__free(NULL, bytes);
    finish(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stop_after_each_step), cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_impossible_counters),  cmocka_unit_test(test_damage),
        cmocka_unit_test(test_kill_at_any_moment),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
