/* The trainer: orders and splits, early stop, the best weights, an exact resume, and its log's
 * records. What is trained here is a line through points. */
#include "cmocka_all.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "heed/ops.h"
#include "tasks/run_left.h"
#include "tasks/run_log.h"
#include "tasks/trainer.h"

enum { N = 96 };

/* -- orders and splits ------------------------------------------------------------------------ */

static void test_epoch_order(void **state) {
    (void)state;
    enum { ITEMS = 1000, BATCH = 7 };
    int64_t length[ITEMS], one[ITEMS], two[ITEMS];
    bool seen[ITEMS] = { false };
    for (int64_t i = 0; i < ITEMS; i++) length[i] = i * 7919 % 50;
    heed__epoch_order(length, ITEMS, 3, 1, BATCH, one);
    heed__epoch_order(length, ITEMS, 3, 1, BATCH, two);
    assert_memory_equal(one, two, sizeof one);
    heed__epoch_order(length, ITEMS, 3, 2, BATCH, two);
    assert_memory_not_equal(one, two, sizeof one);
    int64_t spread = 0, plain = 0;
    for (int64_t i = 0; i < ITEMS; i++) {
        assert_false(seen[one[i]]);
        seen[one[i]] = true;
    }
    heed__epoch_order(NULL, ITEMS, 3, 1, BATCH, two);
    for (int64_t i = 0; i + 1 < ITEMS; i++) {
        spread += llabs(length[one[i]] - length[one[i + 1]]);
        plain += llabs(length[two[i]] - length[two[i + 1]]);
    }
    assert_true(spread * 4 < plain); /* like lengths stand together */
    heed__length_order(length, ITEMS, one);
    for (int64_t i = 0; i + 1 < ITEMS; i++) {
        assert_true(length[one[i]] <= length[one[i + 1]]);
        if (length[one[i]] == length[one[i + 1]]) assert_true(one[i] < one[i + 1]);
    }
}

static void test_hold_out(void **state) {
    (void)state;
    int32_t label[500];
    bool held[500], again[500];
    int64_t count[4] = { 0 }, out[4] = { 0 };
    for (int i = 0; i < 500; i++) label[i] = i == 0 ? 3 : i % 10 == 0 ? 2 : i % 2;
    const int64_t n = heed__hold_out(label, 500, 0.1, 7, held, NULL);
    assert_int_equal(heed__hold_out(label, 500, 0.1, 7, again, NULL), n);
    assert_memory_equal(held, again, sizeof held);
    for (int i = 0; i < 500; i++) count[label[i]]++, out[label[i]] += held[i];
    assert_int_equal(out[0] + out[1] + out[2] + out[3], n);
    for (int k = 0; k < 3; k++) assert_true(fabs((double)out[k] - 0.1 * (double)count[k]) <= 1);
    assert_int_equal(out[3], 0); /* an only example stays */
    heed__hold_out(label, 500, 0.1, 8, again, NULL);
    assert_memory_not_equal(held, again, sizeof held);
    assert_true(llabs(heed__hold_out(NULL, 500, 0.2, 8, again, NULL) - 100) <= 1);
    assert_int_equal(heed__hold_out(label, 1, 0.5, 8, again, NULL), 0);
    for (int64_t want = 1; want < 500; want++) /* any part of any number */
        for (int64_t len = want + 1; len <= 500; len += 61) {
            const double part = (double)want / (double)len;
            const int64_t m = heed__hold_out(NULL, len, part, (uint64_t)want, again, NULL);
            int64_t said = 0;
            for (int64_t i = 0; i < len; i++) said += again[i];
            assert_int_equal(said, m);
            assert_true(llabs(m - want) <= 1);
        }
    /* neighbours of a label go together: few of those held out stand beside one learnt from */
    int64_t alone = 0, last[3] = { -1, -1, -1 };
    for (int i = 0; i < 500; i++) {
        if (label[i] == 3) continue;
        alone += last[label[i]] >= 0 && held[i] != held[last[label[i]]];
        last[label[i]] = i;
    }
    assert_true(alone <= 2 * 5);
}

/* -- training --------------------------------------------------------------------------------- */

typedef struct line {
    heed_ctx *cx;
    heed_params *ps;
    heed_tensor *w, *b;
    float x[N], y[N];
    int64_t calls, scored, stop_at; /* losses asked for; scores; where the cancel hook says yes */
    int64_t kill_at;                /* where the process ends without a word; 0: nowhere */
    int64_t best_at;                /* the score is best in this epoch; 0: by the loss */
    int64_t epochs_told, memory_told;
    bool broken; /* every score is no number */
    int halt;    /* status with which what is gone through before the first step ends */
    const int64_t *length;
    int64_t first_sum; /* of the lengths in the first batch asked for */
} line;

static heed_tensor *predict(line *l, int64_t n, const int64_t *item) {
    heed_tensor *x = heed_new(l->cx, HEED_F32, 2, (int64_t[]){ n, 1 });
    for (int64_t i = 0; x && i < n; i++) HEED_F32_DATA(x)[i] = l->x[item[i]];
    return heed_dropout(l->cx, heed_affine(l->cx, x, l->w, l->b), 0.05f);
}

static heed_tensor *loss(void *self, const int64_t *item, int64_t n) {
    line *l = self;
    if (++l->calls == l->kill_at) raise(SIGKILL);
    for (int64_t i = 0; l->length && l->calls == 1 && i < n; i++)
        l->first_sum += l->length[item[i]];
    heed_tensor *y = heed_new(l->cx, HEED_F32, 2, (int64_t[]){ n, 1 });
    for (int64_t i = 0; y && i < n; i++) HEED_F32_DATA(y)[i] = l->y[item[i]];
    heed_tensor *p = predict(l, n, item);
    return heed_mse(l->cx, p, y);
}

static int score(void *self, heed_score *s, heed_error *err) {
    line *l = self;
    (void)err;
    int64_t all[N];
    for (int64_t i = 0; i < N; i++) all[i] = i;
    heed_tensor *p = predict(l, N, all);
    assert_non_null(p);
    double sum = 0;
    for (int64_t i = 0; i < N; i++) sum += fabs((double)(HEED_F32_DATA(p)[i] - l->y[i])) / N;
    heed_ctx_reset(l->cx);
    l->scored++;
    *s = (heed_score){ "Fit", l->best_at ? -(double)llabs(l->scored - l->best_at) : -sum, sum };
    if (l->broken) s->value = (double)NAN;
    return 0;
}

/* As a task has it that asks the cancel hook between two batches, or that refuses its tests. */
static int halt(void *self, heed_error *err) {
    const line *l = self;
    if (l->halt) *err = (heed_error){ l->halt, "line: no further" };
    return l->halt;
}

static bool cancel(void *user) {
    line *l = user;
    return l->stop_at && l->calls >= l->stop_at;
}

static void told(void *user, const heed_progress *p) {
    line *l = user;
    l->epochs_told += strcmp(p->what, "epoch") == 0;
    l->memory_told += strcmp(p->what, "memory") == 0 && p->total > 0;
    if (strcmp(p->what, "epoch") == 0 && p->score_name) assert_string_equal(p->score_name, "Fit");
}

static line *line_new(void) {
    heed_error err;
    line *l = calloc(1, sizeof *l);
    heed_rng rng = { .seed = 1 };
    for (int i = 0; i < N; i++) {
        l->x[i] = heed_rng_normal(&rng);
        l->y[i] = 3 * l->x[i] - 2 + 0.01f * heed_rng_normal(&rng);
    }
    l->cx = heed_ctx_new(&(heed_ctx_cfg){ .seed = 5, .threads = 1 }, &err);
    l->ps = heed_params_new(&(heed_params_cfg){ .seed = 5 }, &err);
    assert_true(l->cx && l->ps);
    l->w = heed_param(l->ps, "w", (heed_init){ HEED_INIT_NORMAL, 1 }, 2, (int64_t[]){ 1, 1 });
    l->b = heed_param(l->ps, "b", (heed_init){ HEED_INIT_ZEROS, 0 }, 1, (int64_t[]){ 1 });
    return l;
}

static void line_free(line *l) {
    heed_params_free(l->ps);
    heed_ctx_free(l->cx);
    free(l);
}

static int fit(line *l, heed_fit_cfg cfg, heed_fitted *done, heed_error *err) {
    const heed_hooks hooks = { .user = l, .cancel = cancel, .progress = told };
    const heed_learner learner = { .self = l,
                                   .cx = l->cx,
                                   .ps = l->ps,
                                   .items = N,
                                   .loss = loss,
                                   .score = score,
                                   .rehearse = halt,
                                   .length = l->length };
    cfg.batch = 10;
    cfg.seed = 9;
    cfg.hooks = &hooks;
    if (cfg.optim.lr == 0) cfg.optim.lr = 0.05f;
    return heed__fit(&learner, &cfg, done, err);
}

static void test_learns(void **state) {
    (void)state;
    heed_error err;
    heed_fitted done;
    static const char *const optimizers[] = { "adam", "adamw", "sgd", "adagrad", NULL };
    for (int i = 0; optimizers[i]; i++) {
        line *l = line_new();
        const heed_fit_cfg cfg = { .epochs = 30,
                                   .optimizer = optimizers[i],
                                   .optim.lr = i == 3 ? 0.5f : 0.05f };
        if (fit(l, cfg, &done, &err)) fail_msg("%s", err.msg);
        assert_int_equal(l->epochs_told, 30);
        assert_int_equal(l->memory_told, 1);
        assert_int_equal(done.end, HEED_FIT_DONE);
        assert_int_equal(done.steps, 300);
        if (!(fabs((double)HEED_F32_DATA(l->w)[0] - 3) < 0.3)) fail_msg("%s", optimizers[i]);
        assert_false(heed_ctx_train(l->cx));
        line_free(l);
    }
}

/* What is rehearsed is the largest batch that can come: the longest examples, each once. */
static void test_rehearses_the_longest(void **state) {
    (void)state;
    int64_t length[N];
    heed_error err;
    heed_fitted done;
    for (int64_t i = 0; i < N; i++) length[i] = 1 + i * 7 % 5;
    length[17] = 1000, length[60] = 500, length[3] = 500;
    line *l = line_new();
    l->length = length;
    if (fit(l, (heed_fit_cfg){ .epochs = 1 }, &done, &err)) fail_msg("%s", err.msg);
    assert_int_equal(l->first_sum, 1000 + 2 * 500 + 7 * 5);
    line_free(l);
}

/* The weights of the best epoch are those that a run of so many epochs has: with a constant rate.
 */
static void test_best(void **state) {
    (void)state;
    heed_error err;
    heed_fitted done;
    line *all = line_new(), *some = line_new();
    all->best_at = 3;
    assert_int_equal(fit(all, (heed_fit_cfg){ .epochs = 8, .schedule = "constant" }, &done, &err),
                     0);
    assert_int_equal(done.best, 3);
    assert_int_equal(done.epochs, 8);
    assert_int_equal(fit(some, (heed_fit_cfg){ .epochs = 3, .schedule = "constant" }, &done, &err),
                     0);
    assert_memory_equal(all->w->data, some->w->data, sizeof(float));
    line_free(all);
    /* patience: two epochs after the best */
    all = line_new();
    all->best_at = 3;
    assert_int_equal(
        fit(all, (heed_fit_cfg){ .epochs = 8, .schedule = "constant", .patience = 2 }, &done, &err),
        0);
    assert_int_equal(done.end, HEED_FIT_PATIENCE);
    assert_int_equal(done.epochs, 5);
    assert_memory_equal(all->w->data, some->w->data, sizeof(float));
    line_free(all);
    line_free(some);
}

static void test_scores_that_are_none(void **state) {
    (void)state;
    heed_error err;
    heed_fitted done;
    line *l = line_new();
    l->broken = true;
    assert_int_equal(fit(l, (heed_fit_cfg){ .epochs = 4 }, &done, &err), 0);
    assert_int_equal(done.epochs, 4); /* the last weights count */
    assert_int_equal(done.best, 4);
    line_free(l);
}

static void test_refused(void **state) {
    (void)state;
    heed_error err;
    static const struct {
        heed_fit_cfg cfg;
        const char *want;
    } bad[] = {
        { { .epochs = 0 }, "epochs is 0, not 1 to" },
        { { .epochs = 1, .optimizer = "adamax" }, "no optimizer 'adamax'" },
        { { .epochs = 1, .schedule = "up" }, "no schedule 'up'" },
        { { .epochs = 1, .warmup = 1 }, "warmup 1 is outside 0..1" },
        { { .epochs = 1, .warmup = -0.1 }, "warmup -0.1 is outside 0..1" },
        { { .epochs = 1, .seconds = -1 }, "the time, -1 s, is negative" },
        { { .epochs = 1, .resume = true }, "a resume needs the run's folder" },
        { { .epochs = INT64_MAX }, "too many steps" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        line *l = line_new();
        assert_true(fit(l, bad[i].cfg, NULL, &err) < 0);
        if (!strstr(err.msg, bad[i].want)) fail_msg("'%s', not '%s'", err.msg, bad[i].want);
        assert_true(fit(l, bad[i].cfg, NULL, NULL) < 0);
        line_free(l);
    }
}

/* Stopped at every tenth step or so and resumed in a new process's stead: the same bits. */
static void test_resume(void **state) {
    (void)state;
    char dir[] = "/tmp/heed-trainer-XXXXXX", command[64];
    heed_error err;
    heed_fitted done;
    assert_non_null(mkdtemp(dir));
    const heed_fit_cfg plain = { .epochs = 5, .optim.ema = 0.9f, .warmup = 0.2 };
    heed_fit_cfg cfg = plain;
    line *whole = line_new();
    assert_int_equal(fit(whole, plain, &done, &err), 0);
    const int64_t best = done.best;
    int64_t stops = 0;
    cfg.run = dir;
    cfg.settings = "a line";
    for (;; stops++) {
        line *l = line_new();
        l->stop_at = 8;
        l->scored = stops; /* nothing of it counts */
        const int rc = fit(l, cfg, &done, &err);
        if (rc == 0) {
            assert_memory_equal(l->w->data, whole->w->data, sizeof(float));
            assert_memory_equal(l->b->data, whole->b->data, sizeof(float));
            line_free(l);
            break;
        }
        assert_int_equal(rc, HEED_ECANCELLED);
        assert_non_null(strstr(err.msg, "has what a resume needs"));
        assert_int_equal(done.end, HEED_FIT_STOPPED);
        line_free(l);
        cfg.resume = true;
        if (stops == 2) { /* other settings are refused, and nothing is lost by it */
            heed_fit_cfg other = cfg;
            other.settings = "another line";
            l = line_new();
            assert_int_equal(fit(l, other, &done, &err), HEED_EINVALID);
            assert_non_null(strstr(err.msg, "was made with other data or settings"));
            line_free(l);
        }
    }
    assert_true(stops >= 5);
    assert_int_equal(done.best, best);
    heed_run_left left; /* until it is saved what came to its end can be had once more */
    heed__run_note(&left, dir);
    line *l = line_new();
    assert_int_equal(fit(l, cfg, &done, &err), 0);
    assert_memory_equal(l->w->data, whole->w->data, sizeof(float));
    line_free(l);
    heed__run_forget(&left);
    assert_false(heed__run_has_checkpoint(dir));
    l = line_new();
    assert_int_equal(fit(l, cfg, &done, &err), HEED_ENOTFOUND);
    line_free(l);
    line_free(whole);
    snprintf(command, sizeof command, "rm -r %s", dir);
    assert_int_equal(system(command), 0);
}

/* Stopped or refused before its first step, a training has learnt nothing: what an earlier one has
 * in its run's folder stays, log and all, and one that goes on can be gone on with again. */
static void test_nothing_begun(void **state) {
    (void)state;
    char dir[] = "/tmp/heed-trainer-XXXXXX", command[160];
    heed_error err;
    heed_fitted done;
    assert_non_null(mkdtemp(dir));
    heed_fit_cfg cfg = { .epochs = 3, .optim.ema = 0.9f };
    line *whole = line_new();
    assert_int_equal(fit(whole, cfg, &done, &err), 0);
    cfg.run = dir;
    line *l = line_new();
    l->stop_at = 8;
    assert_int_equal(fit(l, cfg, &done, &err), HEED_ECANCELLED);
    line_free(l);
    snprintf(command, sizeof command, "cp -r %s %s.was", dir, dir);
    assert_int_equal(system(command), 0);
    snprintf(command, sizeof command, "diff -r %s %s.was", dir, dir);
    for (int i = 0; i < 4; i++) {
        cfg.resume = i % 2;
        l = line_new();
        l->halt = i / 2 ? HEED_EINVALID : HEED_ECANCELLED;
        assert_int_equal(fit(l, cfg, &done, &err), l->halt);
        if (i < 2) assert_int_equal(done.end, HEED_FIT_STOPPED);
        if (i > 1) assert_string_equal(err.msg, "line: no further");
        if (i < 2) assert_non_null(strstr(err.msg, "train: stopped before its first step; "));
        if (i == 0) assert_non_null(strstr(err.msg, "what an earlier training left in"));
        if (i == 1) assert_non_null(strstr(err.msg, "has what a resume needs"));
        assert_int_equal(system(command), 0);
        line_free(l);
    }
    cfg.resume = true;
    l = line_new();
    if (fit(l, cfg, &done, &err)) fail_msg("%s", err.msg);
    assert_memory_equal(l->w->data, whole->w->data, sizeof(float));
    assert_memory_equal(l->b->data, whole->b->data, sizeof(float));
    line_free(l);
    line_free(whole);
    snprintf(command, sizeof command, "rm -r %s %s.was", dir, dir);
    assert_int_equal(system(command), 0);
}

/* Of two trainings that are one, the language and what is learnt of it, the second one is stopped
 * before its first step: it had begun with the first. */
static void test_begun_by_the_first(void **state) {
    (void)state;
    char dir[] = "/tmp/heed-trainer-XXXXXX", first[64], command[96];
    heed_error err;
    heed_fitted done;
    assert_non_null(mkdtemp(dir));
    snprintf(first, sizeof first, "%s/pretrain", dir);
    heed_run_begin begin = { .run = dir };
    heed_fit_cfg cfg = { .epochs = 2, .save_every = 1e-9, .run = first, .begin = &begin };
    line *l = line_new();
    assert_int_equal(fit(l, cfg, &done, &err), 0);
    assert_true(begin.begun && heed__run_is_left(dir));
    cfg.run = dir;
    l->halt = HEED_ECANCELLED;
    assert_int_equal(fit(l, cfg, &done, &err), HEED_ECANCELLED);
    assert_non_null(strstr(err.msg, "has what a resume needs"));
    begin.begun = false; /* of another one */
    assert_int_equal(fit(l, cfg, &done, &err), HEED_ECANCELLED);
    assert_non_null(strstr(err.msg, "what an earlier training left in"));
    line_free(l);
    snprintf(command, sizeof command, "rm -r %s", dir);
    assert_int_equal(system(command), 0);
}

/* A process that trains, until it is killed at its kill_at-th loss or after some time. True: it
 * came to its end; got is then w and b. */
static bool child(heed_fit_cfg cfg, int64_t kill_at, useconds_t after, float got[2]) {
    int ends[2], status;
    heed_error err;
    assert_int_equal(pipe(ends), 0);
    const pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        line *l = line_new();
        l->kill_at = kill_at;
        const int rc = fit(l, cfg, NULL, &err);
        const float weights[2] = { HEED_F32_DATA(l->w)[0], HEED_F32_DATA(l->b)[0] };
        _exit(rc || write(ends[1], weights, sizeof weights) != sizeof weights);
    }
    if (!kill_at) usleep(after), kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    close(ends[1]);
    const bool whole = read(ends[0], got, 2 * sizeof *got) == 2 * sizeof *got;
    close(ends[0]);
    if (WIFEXITED(status) && WEXITSTATUS(status)) fail_msg("the training failed");
    return whole;
}

/* Killed at any step or between two, it goes on from its last checkpoint to the same bits. */
static void test_killed(void **state) {
    (void)state;
    char dir[] = "/tmp/heed-trainer-XXXXXX", path[96];
    float got[2];
    assert_non_null(mkdtemp(dir));
    heed_fit_cfg cfg = { .epochs = 5, .optim.ema = 0.9f, .warmup = 0.2, .save_every = 1e-9 };
    line *whole = line_new();
    assert_int_equal(fit(whole, cfg, NULL, NULL), 0);
    cfg.run = dir;
    cfg.settings = "a line";
    int kills = 0;
    snprintf(path, sizeof path, "%s/checkpoint/state.json", dir);
    /* at a step and, once there were enough of these, however fast it is, at any moment too */
    while (kills < 40 && !child(cfg, kills < 4 || kills % 2 == 0 ? 5 + kills % 5 : 0,
                                500 * (useconds_t)kills, got)) {
        kills++;
        cfg.resume = access(path, F_OK) == 0;
    }
    if (kills == 40) assert_true(child(cfg, INT64_MAX, 0, got));
    assert_true(kills > 3);
    assert_memory_equal(&got[0], whole->w->data, sizeof(float));
    assert_memory_equal(&got[1], whole->b->data, sizeof(float));
    /* killed before it was saved: nothing is learnt again, whatever ended the training */
    heed_fitted done;
    heed_run_left left, other;
    heed__run_note(&left, dir);
    line *l = line_new();
    cfg.resume = true;
    assert_int_equal(fit(l, cfg, &done, NULL), 0);
    assert_int_equal(l->calls, 0);
    assert_int_equal(done.epochs, 5);
    assert_int_equal(done.end, HEED_FIT_DONE);
    assert_memory_equal(l->w->data, whole->w->data, sizeof(float));
    line_free(l);
    heed__run_note(&other, NULL);
    heed__run_forget(&other);
    l = line_new(); /* another training's checkpoint is not the first one's to remove */
    cfg.resume = false;
    cfg.settings = "another line";
    cfg.patience = 1;
    l->best_at = 1;
    assert_int_equal(fit(l, cfg, &done, NULL), 0);
    assert_int_equal(done.end, HEED_FIT_PATIENCE);
    line_free(l);
    heed__run_forget(&left);
    assert_int_equal(access(path, F_OK), 0);
    cfg.resume = true;
    l = line_new();
    assert_int_equal(fit(l, cfg, &done, NULL), 0);
    assert_int_equal(l->calls, 0);
    assert_int_equal(done.end, HEED_FIT_PATIENCE);
    assert_int_equal(done.epochs, 2);
    assert_int_equal(done.best, 1);
    line_free(l);
    heed__run_note(&left, dir);
    heed__run_forget(&left);
    assert_int_not_equal(access(path, F_OK), 0);
    line_free(whole);
    snprintf(path, sizeof path, "rm -r %s", dir);
    assert_int_equal(system(path), 0);
}

/* -- records ---------------------------------------------------------------------------------- */

static void test_records(void **state) {
    (void)state;
    unsigned char event[128], record[256];
    assert_int_equal(heed__crc32c("123456789", 9), 0xe3069283u); /* RFC 3720, B.4 */
    assert_int_equal(heed__crc32c("", 0), 0);
    unsigned char zeros[32] = { 0 };
    assert_int_equal(heed__crc32c(zeros, 32), 0x8a9136aau);
    size_t size = heed__tf_event(1.5, 300, "loss", 0.25f, event);
    static const unsigned char want[] = { 0x09, 0,    0,    0,    0,    0,    0,    0xf8, 0x3f,
                                          0x10, 0xac, 0x02, 0x2a, 0x0d, 0x0a, 0x0b, 0x0a, 0x04,
                                          'l',  'o',  's',  's',  0x15, 0,    0,    0x80, 0x3e };
    assert_int_equal(size, sizeof want);
    assert_memory_equal(event, want, size);
    assert_int_equal(heed__tfrecord(event, size, record), size + 16);
    assert_int_equal(record[0], sizeof want);
    assert_memory_equal(record + 12, want, size);
    const uint32_t crc = heed__crc32c(record, 8), masked = (crc >> 15 | crc << 17) + 0xa282ead8u;
    uint32_t said;
    memcpy(&said, record + 8, 4);
    assert_int_equal(said, masked);
    size = heed__tf_event(0, 0, NULL, 0, event);
    assert_memory_equal(event + 9,
                        "\x1a\x0d"
                        "brain.Event:2",
                        15);
    assert_int_equal(size, 24);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_epoch_order),   cmocka_unit_test(test_hold_out),
        cmocka_unit_test(test_learns),        cmocka_unit_test(test_rehearses_the_longest),
        cmocka_unit_test(test_best),          cmocka_unit_test(test_scores_that_are_none),
        cmocka_unit_test(test_refused),       cmocka_unit_test(test_resume),
        cmocka_unit_test(test_killed),        cmocka_unit_test(test_records),
        cmocka_unit_test(test_nothing_begun), cmocka_unit_test(test_begun_by_the_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
