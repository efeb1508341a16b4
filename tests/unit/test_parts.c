/* Trainings of several parts, a search, a curve and self-training: stopped or killed at any moment
 * and gone on with, they end in the very model of one that was not, and do nothing twice. */
#include "cmocka_all.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tasks/curve.h"
#include "tasks/parts.h"
#include "tasks/run_course.h"
#include "tasks/search.h"
#include "tasks/self_train.h"

enum { N = 120, POOL = 60, MOST_STOPS = 80 };

static char words[N][32], more[POOL][48];
static const char *text[N], *label[N], *pool[POOL];
static const heed_examples data = { .len = N, .text = text, .label = label };
static const heed_texts others = { .len = POOL, .text = pool };
static char dir[] = "/tmp/heed-parts-XXXXXX";

static int make_data(void **state) {
    (void)state;
    for (int i = 0; i < N; i++) {
        snprintf(words[i], sizeof words[i], "%s %d", i % 3 ? "warm sun" : "cold rain", i % 7);
        text[i] = words[i];
        label[i] = i % 3 ? "good" : "bad";
    }
    for (int i = 0; i < POOL; i++) {
        snprintf(more[i], sizeof more[i], "%s %d", i % 2 ? "warm sun picnic" : "cold rain umbrella",
                 i);
        pool[i] = more[i];
    }
    return mkdtemp(dir) ? 0 : -1;
}

static int remove_all(void **state) {
    char command[96];
    (void)state;
    snprintf(command, sizeof command, "rm -r %s", dir);
    return system(command);
}

/* -- a process that trains -------------------------------------------------------------------- */

typedef enum kind { SEARCH, CURVE, SELF } kind;

/* When it ends without having come to its end: once so many parts were told of, at the cancel
 * hook's call number `at` from then on, killed, or stopped as by ^C; both 0: never. */
typedef struct ending {
    int64_t at, calls;
    bool killed;
    int parts;
} ending;

/* Parts that were told of as done before, and all of them. */
static int before, all;

static bool asked(void *user) {
    ending *e = user;
    if ((e->parts == 0 && e->at == 0) || all < e->parts || ++e->calls < e->at) return false;
    if (e->killed) raise(SIGKILL);
    return true;
}

static void tell_trial(void *arg, const heed_trial *t) {
    (void)arg;
    before += t->before;
    all++;
}

static void tell_point(const heed_curve *k) {
    all = (int)k->len;
}

static void tell_round(const heed_self_round *r) {
    all = (int)r->round + 1;
}

static heed_classifier *train(kind which, const heed_classify_cfg *cfg, heed_error *err) {
    const heed_search_cfg search = { .seconds = 1e9, .rounds = 1, .tell = tell_trial };
    heed_curve curve;
    before = all = 0;
    switch (which) {
    case SEARCH:
        return heed__classifier_search(&data, cfg, &search, err);
    case CURVE:
        return heed__classifier_curve(&data, cfg, &curve, tell_point, err);
    default:
        return heed__classifier_self_train(&data, &others, cfg, tell_round, err);
    }
}

/* Settings of which the one training takes some steps. */
static heed_classify_cfg settings(kind which, const char *run, bool resume) {
    return (heed_classify_cfg){ .recipe = which == SELF ? "classic" : NULL,
                                .threads = 1,
                                .epochs = 2,
                                .batch = 32,
                                .embed = 16,
                                .hidden = 16,
                                .valid_part = which == SELF ? 0.2 : 0,
                                .seed = 3,
                                .run = run,
                                .resume = resume };
}

/* Trains in a process of its own and saves the model. 0: it came to its end, else it was stopped or
 * killed. after: microseconds after which it is killed; 0: never. */
static int child(kind which, const char *run, bool resume, ending end, useconds_t after) {
    char model[96];
    int status;
    snprintf(model, sizeof model, "%s.model", run);
    const pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        heed_error err = { 0 };
        const heed_hooks hooks = { .user = &end, .cancel = asked };
        heed_classify_cfg cfg = settings(which, run, resume);
        cfg.hooks = &hooks;
        heed_classifier *c = train(which, &cfg, &err);
        if (err.code == HEED_ECANCELLED) _exit(1);
        if (!c || heed_classifier_save(c, model, &err)) {
            fprintf(stderr, "%s\n", err.msg);
            _exit(2);
        }
        _exit(0);
    }
    if (after) usleep(after), kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 2) fail_msg("the training failed");
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static bool exists(const char *run, const char *name) {
    char path[128];
    snprintf(path, sizeof path, "%s/%s", run, name);
    return access(path, F_OK) == 0;
}

static void same_models(const char *a, const char *b) {
    char command[320];
    snprintf(command, sizeof command, "diff -r %s.model %s.model", a, b);
    assert_int_equal(system(command), 0);
}

/* Stopped and killed by turns, at steps and at times, until it comes to its end. */
static void goes_on(kind which) {
    char whole[64], run[64];
    snprintf(whole, sizeof whole, "%s/whole%d", dir, (int)which);
    snprintf(run, sizeof run, "%s/cut%d", dir, (int)which);
    assert_int_equal(child(which, whole, false, (ending){ .at = 0 }, 0), 0);
    assert_false(exists(whole, "parts") || exists(whole, "checkpoint"));
    int stops = 0, rc = -1;
    for (; stops < MOST_STOPS && rc != 0; stops++) {
        const ending end = { .at = stops % 3 == 2 ? 0 : 4 + stops % 5, .killed = stops % 3 == 1 };
        rc = child(which, run, exists(run, "parts/state.json"), end,
                   stops % 3 == 2 ? 1000 * (useconds_t)(5 + stops % 30) : 0);
    }
    if (rc) rc = child(which, run, true, (ending){ .at = 0 }, 0);
    assert_int_equal(rc, 0);
    assert_true(stops > 2);
    same_models(whole, run);
    assert_false(exists(run, "parts") || exists(run, "checkpoint"));
    heed_error err = { 0 };
    const heed_classify_cfg cfg = settings(which, run, true);
    assert_null(train(which, &cfg, &err));
    assert_int_equal(err.code, HEED_ENOTFOUND);
}

static void test_search(void **state) {
    (void)state;
    goes_on(SEARCH);
}

static void test_curve(void **state) {
    (void)state;
    goes_on(CURVE);
}

static void test_self_training(void **state) {
    (void)state;
    goes_on(SELF);
}

/* What is finished is told of and not done again; other data or settings are refused; a new search
 * in the same place begins anew. */
static void test_once(void **state) {
    (void)state;
    char run[64];
    heed_error err = { 0 };
    ending end = { .parts = 5 };
    const heed_hooks hooks = { .user = &end, .cancel = asked };
    snprintf(run, sizeof run, "%s/once", dir);
    heed_classify_cfg cfg = settings(SEARCH, run, false);
    cfg.hooks = &hooks;
    assert_null(train(SEARCH, &cfg, &err));
    assert_int_equal(err.code, HEED_ECANCELLED);
    assert_int_equal(all, 5);
    cfg.resume = true;
    cfg.epochs = 3;
    assert_null(train(SEARCH, &cfg, &err));
    assert_int_equal(err.code, HEED_EINVALID);
    assert_non_null(strstr(err.msg, "was made with other data or settings"));
    assert_null(train(CURVE, &cfg, &err));
    assert_int_equal(err.code, HEED_EINVALID);
    cfg.epochs = 2;
    end = (ending){ .at = 0 };
    heed_classifier *c = train(SEARCH, &cfg, &err);
    if (!c) fail_msg("%s", err.msg);
    assert_int_equal(before, 5);
    assert_int_equal(all, 14);
    assert_true(c->held.len > 0);
    heed_classifier_close(c); /* not saved: it can be had once more, at once */
    c = train(SEARCH, &cfg, &err);
    if (!c) fail_msg("%s", err.msg);
    assert_int_equal(before, 14);
    double accuracy, loss;
    heed__held_measure(&c->held, &accuracy, &loss); /* of the best one, opened */
    assert_true(accuracy > 0.9);
    heed_classifier_close(c);
    end = (ending){ .at = 0 };
    cfg.resume = false;
    c = train(SEARCH, &cfg, &err);
    assert_non_null(c);
    assert_int_equal(before, 0);
    heed_classifier_close(c);
    heed__parts_drop(run);
    assert_false(exists(run, "parts"));
}

/* A state that is none is refused in a sentence. */
static void test_refused(void **state) {
    (void)state;
    static const char *const bad[] = { "{", "[]", "{\"format_version\": 9}",
                                       "{\"format_version\": 1, \"settings\": \"x\"}" };
    char run[64], path[96], command[160];
    heed_error err = { 0 };
    heed_classify_cfg cfg = settings(SEARCH, NULL, true);
    assert_null(train(SEARCH, &cfg, &err));
    assert_string_equal(err.msg, "search: a resume needs the run's folder");
    snprintf(run, sizeof run, "%s/bad", dir);
    snprintf(path, sizeof path, "%s/parts", run);
    snprintf(command, sizeof command, "mkdir -p %s", path);
    assert_int_equal(system(command), 0);
    snprintf(path, sizeof path, "%s/parts/state.json", run);
    cfg.run = run;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        FILE *f = fopen(path, "w");
        assert_non_null(f);
        fputs(bad[i], f);
        fclose(f);
        assert_null(train(SEARCH, &cfg, &err));
        assert_non_null(strstr(err.msg, "state.json"));
    }
}

/* What may be refused or stopped before the first step: by settings, by labels, by what the body
 * says of them when it is made and when it learns its words, by ^C in the rehearsal. */
typedef enum refusal { EPOCHS, LABELS, HEADS, WORDS, STOPPED, REFUSALS } refusal;

static int refuse(kind which, refusal why, const char *run) {
    heed_error err = { 0 };
    ending end = { .at = why == STOPPED ? 1 : 0 };
    const heed_hooks hooks = { .user = &end, .cancel = asked };
    const char *was[N];
    memcpy(was, label, sizeof was);
    heed_classify_cfg cfg = settings(which, run, false);
    cfg.hooks = &hooks;
    if (why == EPOCHS) cfg.epochs = -1;
    for (int k = 0; why == LABELS && k < N; k++) label[k] = "good";
    if (why == HEADS || why == WORDS) cfg.recipe = "encoder";
    if (why == HEADS) cfg.heads = 7;
    if (why == WORDS) cfg.tokenizer = HEED_SOURCE_DIR "/tests/unit/test_parts.c";
    assert_null(train(which, &cfg, &err));
    memcpy(label, was, sizeof was);
    return err.code;
}

/* Refused, or stopped before its first step, a training takes nothing of a stopped one with it, and
 * leaves nothing that could be gone on with. */
static void test_nothing_lost(void **state) {
    (void)state;
    static const int codes[REFUSALS] = { HEED_EINVALID, HEED_EFORMAT, HEED_EINVALID, HEED_EFORMAT,
                                         HEED_ECANCELLED };
    char run[64], other[64], command[256];
    for (int which = SEARCH; which <= SELF; which++) {
        heed_error err = { 0 };
        ending end = { .parts = 1 };
        const heed_hooks hooks = { .user = &end, .cancel = asked };
        snprintf(run, sizeof run, "%s/kept%d", dir, which);
        snprintf(other, sizeof other, "%s/none%d", dir, which);
        heed_classify_cfg cfg = settings((kind)which, run, false);
        cfg.hooks = &hooks;
        heed_classifier_close(train((kind)which, &cfg, &err));
        assert_int_equal(err.code, HEED_ECANCELLED);
        assert_true(exists(run, "parts/state.json"));
        end = (ending){ .at = 0 };
        snprintf(command, sizeof command, "cp -r %s %s.was", run, run);
        assert_int_equal(system(command), 0);
        snprintf(command, sizeof command, "diff -r %s %s.was", run, run);
        for (int why = 0; why < REFUSALS; why++) {
            assert_int_equal(refuse((kind)which, (refusal)why, run), codes[why]);
            assert_int_equal(system(command), 0);
            assert_int_equal(refuse((kind)which, (refusal)why, other), codes[why]);
            assert_false(exists(other, ""));
        }
        cfg = settings((kind)which, run, true);
        heed_classifier *c = train((kind)which, &cfg, &err);
        if (!c) fail_msg("%s", err.msg);
        heed_classifier_close(c);
    }
}

static void write_text(const char *path, const char *content) {
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(content, f);
    fclose(f);
}

/* Stopped as soon as the first part has a checkpoint, which is then torn: that part begins anew. */
static void torn(kind which) {
    char run[64], path[112];
    heed_error err = { 0 };
    ending end;
    const heed_hooks hooks = { .user = &end, .cancel = asked };
    heed_classify_cfg cfg = settings(which, NULL, false);
    heed_classifier *c = train(which, &cfg, &err);
    assert_non_null(c);
    heed_classifier_close(c);
    const int parts = all;
    snprintf(run, sizeof run, "%s/torn%d", dir, (int)which);
    cfg = settings(which, run, false);
    cfg.hooks = &hooks;
    for (int at = 1; at < 20 && !exists(run, "parts/1/checkpoint/state.json"); at++) {
        end = (ending){ .at = at };
        assert_null(train(which, &cfg, &err));
        assert_int_equal(err.code, HEED_ECANCELLED);
    }
    snprintf(path, sizeof path, "%s/parts/1/checkpoint/state.json", run);
    write_text(path, "{");
    cfg = settings(which, run, true);
    c = train(which, &cfg, &err);
    if (!c) fail_msg("%s", err.msg);
    heed_classifier_close(c);
    assert_int_equal(all, parts);
}

static void test_torn(void **state) {
    (void)state;
    torn(SEARCH);
    torn(CURVE);
    torn(SELF);
}

static int warned;
static char warning[512];

static void note_warning(void *user, heed_log_level level, const char *message) {
    (void)user;
    if (level != HEED_LOG_WARN || !strstr(message, "this part begins anew")) return;
    warned++;
    snprintf(warning, sizeof warning, "%s", message);
}

static void train_and_save(kind which, const heed_classify_cfg *cfg, const char *model) {
    heed_error err = { 0 };
    heed_classifier *c = train(which, cfg, &err);
    if (!c) fail_msg("%s", err.msg);
    assert_int_equal(heed_classifier_save(c, model, &err), 0);
    heed_classifier_close(c);
}

/* Stopped once a best model is kept, which then is harmed: its part is trained anew, as one line
 * says, and the end is the very model of a training that was not stopped. */
static void best_lost(kind which, const char *name, const char *harm) {
    char run[64], whole[64], model[96], command[512];
    heed_error err = { 0 };
    ending end = { .parts = which == SEARCH ? 4 : 1 };
    const heed_hooks hooks = { .user = &end, .cancel = asked, .log = note_warning };
    snprintf(whole, sizeof whole, "%s/sound%d", dir, (int)which);
    snprintf(model, sizeof model, "%s.model", whole);
    heed_classify_cfg cfg = settings(which, whole, false);
    if (access(model, F_OK) != 0) train_and_save(which, &cfg, model);
    snprintf(run, sizeof run, "%s/lost%d%s", dir, (int)which, name);
    cfg = settings(which, run, false);
    cfg.hooks = &hooks;
    assert_null(train(which, &cfg, &err));
    assert_int_equal(err.code, HEED_ECANCELLED);
    warned = 0;
    cfg.resume = true;
    for (int i = 0; i < 2; i++) { /* once more after the part was trained again */
        snprintf(command, sizeof command, "cd %s/parts && [ -d best.%d ] && best=best.%d && %s",
                 run, 1 - i, 1 - i, harm);
        assert_int_equal(system(command), 0);
        end = i ? (ending){ .at = 0 } : (ending){ .parts = which == SEARCH ? 5 : 1 };
        snprintf(model, sizeof model, "%s.model", run);
        if (i)
            train_and_save(which, &cfg, model);
        else
            assert_null(train(which, &cfg, &err));
        if (warned != i + 1) fail_msg("%s: said %d times that a part begins anew", name, warned);
    }
    assert_non_null(strstr(warning, "best.0"));
    same_models(whole, run);
}

static void test_best_lost(void **state) {
    (void)state;
    char foreign[160], other[64], model[96];
    snprintf(other, sizeof other, "%s/other", dir);
    snprintf(model, sizeof model, "%s.model", other);
    heed_classify_cfg cfg = settings(SEARCH, other, false);
    cfg.seed = 4;
    cfg.resume = false;
    train_and_save(CURVE, &cfg, model);
    snprintf(foreign, sizeof foreign, "cp %s/* $best/", model);
    for (kind which = SEARCH; which <= SELF; which += SELF - SEARCH) {
        best_lost(which, "torn", "truncate -s -9 $best/model.safetensors");
        best_lost(which, "bits",
                  "printf x | dd of=$best/model.safetensors bs=1 conv=notrunc "
                  "seek=$(($(stat -c %s $best/model.safetensors) - 9)) 2>/dev/null");
        best_lost(which, "gone", "rm -r $best");
        best_lost(which, "other", foreign);
        best_lost(which, "config", "echo '{' > $best/config.json");
    }
}

/* A state that notes more trials than a search of one round has. */
static void test_too_many(void **state) {
    (void)state;
    char run[64], path[96];
    heed_error err = { 0 };
    ending end = { .parts = 2 };
    const heed_hooks hooks = { .user = &end, .cancel = asked };
    snprintf(run, sizeof run, "%s/many", dir);
    heed_classify_cfg cfg = settings(SEARCH, run, false);
    cfg.hooks = &hooks;
    assert_null(train(SEARCH, &cfg, &err));
    snprintf(path, sizeof path, "%s/parts/state.json", run);
    json_t *noted = json_load_file(path, 0, NULL), *parts = json_object_get(noted, "parts");
    assert_int_equal(json_array_size(parts), 2);
    while (json_array_size(parts) < 20) json_array_append_new(parts, json_object());
    assert_int_equal(json_dump_file(noted, path, 0), 0);
    json_decref(noted);
    end = (ending){ .at = 0 };
    cfg.resume = true;
    assert_null(train(SEARCH, &cfg, &err));
    assert_int_equal(err.code, HEED_EFORMAT);
    assert_non_null(strstr(err.msg, "more trials"));
}

/* Numbers beside the texts are data as the texts are. */
static void test_array(void **state) {
    (void)state;
    float number[N] = { 0 };
    const heed_array array = { .data = number, .steps = 1, .dim = 1 };
    heed_examples x = data;
    x.array = &array;
    const uint64_t before_it = heed__examples_hash(1, &x);
    assert_true(before_it != heed__examples_hash(1, &data));
    number[N - 1] = 1;
    assert_true(before_it != heed__examples_hash(1, &x));
}

/* Of a part that learnt the language first nothing is left, and nothing of all. */
static void test_litter(void **state) {
    (void)state;
    static const char *const made[] = { "parts/1", "parts/1/pretrain",
                                        "parts/1/pretrain/checkpoint" };
    static const char *const files[] = { "parts/1/log.jsonl", "parts/1/pretrain/log.jsonl",
                                         "parts/1/pretrain/checkpoint/state.json" };
    char run[64], path[96];
    heed_error err;
    heed_parts p;
    snprintf(run, sizeof run, "%s/litter", dir);
    const heed_classify_cfg cfg = { .run = run };
    assert_int_equal(heed__parts_begin(&p, &cfg, "curve", 7, &err), 0);
    assert_int_equal(heed__parts_settle(&p, &err), 0);
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/%s", run, made[i]);
        assert_int_equal(mkdir(path, 0700), 0);
    }
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/%s", run, files[i]);
        fclose(fopen(path, "w"));
    }
    assert_int_equal(heed__parts_add(&p, json_object(), NULL, &err), 0);
    snprintf(path, sizeof path, "%s/parts/1", run);
    assert_int_equal(access(path, F_OK), -1);
    err = (heed_error){ 0 };
    heed__parts_end(&p, false, &err);
    heed__parts_drop(run);
    snprintf(path, sizeof path, "%s/parts", run);
    assert_int_equal(access(path, F_OK), -1);
}

/* How the whole ended, as its run's log tells. */
static void ended(const char *run, const char *why, int64_t at_least) {
    char log[112];
    heed_error err = { 0 };
    heed_run_course k = { 0 };
    snprintf(log, sizeof log, "%s/log.jsonl", run);
    if (heed__run_course_read(&k, log, &err)) fail_msg("%s", err.msg);
    assert_string_equal(k.end, why);
    if (k.len < at_least || (k.len && !k.best)) fail_msg("%s: %d epochs", log, (int)k.len);
    heed__run_course_free(&k);
}

static void stop_after(kind which, const char *run, bool resume, int parts) {
    heed_error err = { 0 };
    ending end = { .parts = parts };
    const heed_hooks hooks = { .user = &end, .cancel = asked };
    heed_classify_cfg cfg = settings(which, run, resume);
    cfg.hooks = &hooks;
    assert_null(train(which, &cfg, &err));
    assert_int_equal(err.code, HEED_ECANCELLED);
    assert_non_null(strstr(err.msg, "train: stopped; "));
    assert_non_null(strstr(err.msg, run));
}

/* A part that is done is not the end of the whole, which has one name whatever is trained: stopped,
 * not ended where it was killed, done. A log that is lost is there again with the part that is. */
static void test_ended(void **state) {
    (void)state;
    char run[64], path[112];
    for (int which = SEARCH; which <= SELF; which++) {
        heed_error err = { 0 };
        snprintf(run, sizeof run, "%s/ended%d", dir, which);
        stop_after((kind)which, run, false, 1);
        ended(run, "stopped", which == CURVE ? 0 : 2);
        ending killed = { .at = 2, .killed = true };
        assert_int_equal(child((kind)which, run, true, killed, 0), -1);
        ended(run, "", which == CURVE ? 0 : 2);
        if (which != CURVE) { /* a new one, in its second part: the first one's log tells no end */
            killed.parts = 1;
            snprintf(path, sizeof path, "%s.fresh", run);
            assert_int_equal(child((kind)which, path, false, killed, 0), -1);
            ended(path, "", 2);
        }
        stop_after((kind)which, run, true, 1);
        ended(run, "stopped", which == CURVE ? 0 : 2);
        if (which != CURVE) { /* the part is trained once more */
            snprintf(path, sizeof path, "%s/log.jsonl", run);
            assert_int_equal(unlink(path), 0);
            snprintf(path, sizeof path, "%s/parts/best.1/config.json", run);
            assert_int_equal(unlink(path), 0);
        }
        const heed_classify_cfg cfg = settings((kind)which, run, true);
        heed_classifier *c = train((kind)which, &cfg, &err);
        if (!c) fail_msg("%s", err.msg);
        heed_classifier_close(c);
        ended(run, "done", 2);
    }
}

/* Stopped in a part of which a checkpoint is left: in RUN/<place>. */
static void stop_in_part(kind which, const char *run, int parts, const char *place) {
    char name[64];
    snprintf(name, sizeof name, "%s/checkpoint/state.json", place);
    for (int at = 1; at < 20 && !exists(run, name); at++) {
        heed_error err = { 0 };
        ending end = { .at = at, .parts = parts };
        const heed_hooks hooks = { .user = &end, .cancel = asked };
        heed_classify_cfg cfg = settings(which, run, exists(run, "parts/state.json"));
        cfg.hooks = &hooks;
        assert_null(train(which, &cfg, &err));
        assert_int_equal(err.code, HEED_ECANCELLED);
    }
    assert_true(exists(run, name));
}

/* One that begins anew where another was stopped goes on with nothing of it: not with a part that
 * had begun, not with what lies in the last part's place. */
static void test_anew(void **state) {
    (void)state;
    char run[64];
    heed_error err = { 0 };
    snprintf(run, sizeof run, "%s/anew", dir);
    stop_in_part(SEARCH, run, 2, "parts/3");
    stop_after(SEARCH, run, false, 1);
    assert_false(exists(run, "parts/3"));
    stop_after(SEARCH, run, true, 2);
    assert_int_equal(before, 1);
    for (int at = 2; at < 20 && !exists(run, "checkpoint/state.json"); at++) { /* a plain one */
        ending end = { .at = at };
        const heed_hooks hooks = { .user = &end, .cancel = asked };
        heed_classify_cfg cfg = settings(CURVE, run, false);
        cfg.hooks = &hooks;
        all = 0;
        assert_null(heed_classifier_train(&data, &cfg, &err));
        assert_int_equal(err.code, HEED_ECANCELLED);
    }
    assert_true(exists(run, "checkpoint/state.json") && !exists(run, "parts"));
    stop_after(CURVE, run, false, 1);
    assert_false(exists(run, "checkpoint"));
    ended(run, "stopped", 0);
}

/* A search that is over for lack of time says so. */
static void test_out_of_time(void **state) {
    (void)state;
    char run[64];
    heed_error err = { 0 };
    snprintf(run, sizeof run, "%s/late", dir);
    const heed_classify_cfg cfg = settings(SEARCH, run, false);
    const heed_search_cfg search = { .seconds = 1e-9 };
    heed_classifier *c = heed__classifier_search(&data, &cfg, &search, &err);
    if (!c) fail_msg("%s", err.msg);
    heed_classifier_close(c);
    ended(run, "time", 2);
}

/* What is stopped before the first step says what there still is. */
static void test_halted(void **state) {
    (void)state;
    char run[64];
    snprintf(run, sizeof run, "%s/halted", dir);
    for (int i = 0; i < 2; i++) {
        heed_error err = { 0 };
        ending end = { .at = 1 };
        const heed_hooks hooks = { .user = &end, .cancel = asked };
        heed_classify_cfg cfg = settings(SEARCH, run, false);
        cfg.hooks = &hooks;
        assert_null(train(SEARCH, &cfg, &err));
        assert_int_equal(err.code, HEED_ECANCELLED);
        assert_non_null(strstr(err.msg, "train: stopped before its first step"));
        assert_int_equal(strstr(err.msg, "what an earlier training left in") != NULL, i);
        if (i == 0) stop_after(SEARCH, run, false, 1);
    }
    heed_error err = { 0 };
    const heed_classify_cfg cfg = settings(SEARCH, "", false);
    assert_null(train(SEARCH, &cfg, &err));
    assert_string_equal(err.msg, "search: the run's folder needs a name");
}

/* A run's log is that of the part that was kept, whose score it tells: not that of the last part,
 * and not that of a training before. */
static void told(kind which) {
    char run[64], log[96];
    heed_error err = { 0 };
    heed_run_course k = { 0 };
    double accuracy, loss;
    snprintf(run, sizeof run, "%s/told%d", dir, (int)which);
    snprintf(log, sizeof log, "%s/log.jsonl", run);
    assert_int_equal(mkdir(run, 0700), 0);
    FILE *f = fopen(log, "w");
    assert_non_null(f);
    fprintf(f, "{\"event\":\"epoch\",\"epoch\":1}\n");
    assert_int_equal(fclose(f), 0);
    const heed_classify_cfg cfg = settings(which, run, false);
    heed_classifier *c = train(which, &cfg, &err);
    if (!c) fail_msg("%s", err.msg);
    heed__held_measure(&c->held, &accuracy, &loss);
    heed_classifier_close(c);
    assert_int_equal(heed__run_course_read(&k, log, &err), 0);
    assert_string_equal(k.end, "done");
    assert_true(k.examples > N / 2);
    if (fabs(k.held_score[k.best - 1] - accuracy) > 1e-6)
        fail_msg("kept %g, told of %g", accuracy, k.held_score[k.best - 1]);
    heed__run_course_free(&k);
}

static void test_told(void **state) {
    (void)state;
    told(SEARCH);
    told(SELF); /* whose last round is not the best */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_search),        cmocka_unit_test(test_curve),
        cmocka_unit_test(test_self_training), cmocka_unit_test(test_once),
        cmocka_unit_test(test_refused),       cmocka_unit_test(test_torn),
        cmocka_unit_test(test_best_lost),     cmocka_unit_test(test_too_many),
        cmocka_unit_test(test_nothing_lost),  cmocka_unit_test(test_array),
        cmocka_unit_test(test_litter),        cmocka_unit_test(test_told),
        cmocka_unit_test(test_ended),         cmocka_unit_test(test_out_of_time),
        cmocka_unit_test(test_halted),        cmocka_unit_test(test_anew),
    };
    return cmocka_run_group_tests(tests, make_data, remove_all);
}
