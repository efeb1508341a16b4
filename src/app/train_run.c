/* train_run.c: progress, memory and epochs of a training as the program shows them. */
#include "app/messages.h"
#include "app/train_run.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/commands.h"
#include "app/process_memory.h"
#include "base/thread.h"
#include "heed/tensor.h"
#include "tasks/run_left.h"

static double larger(double a, double b) {
    return a > b ? a : b;
}

/* What the training holds and what was held before it, by its own account and by malloc's, which
 * knows of what the work before the training holds too (the model that another one learns from),
 * and what the stacks, the model's writing and the report need beside it.
 * The work before the first step, the rehearsal of a test among it, may have taken more than the
 * rest will, which may lie a little wider the second time. Of a training of several parts each that
 * takes more says so. */
static void print_memory(train_watch *w, int64_t bytes) {
    enum { BESIDE = 2000000 };
    process_memory_trim();
    const double grown = process_memory_held() - w->held;
    const double most = larger(w->resident + larger((double)bytes, grown) + BESIDE,
                               process_memory_peak() + (w->told > 0 ? 0 : BESIDE));
    if (most < w->told + 1e5) return;
    w->told = most;
    terminal_clear(&w->term);
    printf(tr("memory: at most %.1f MB\n"), most / 1e6);
    fflush(stdout);
}

/* Once: of a training in parts the first says it for all. */
static void print_held_out(train_watch *w, const heed_progress *p) {
    if (w->said) return;
    w->said = true;
    terminal_clear(&w->term);
    if (p->done)
        printf(tr("held out: %" PRId64 " of %" PRId64 " %s, drawn by the seed\n"), p->done,
               p->total, tr(p->unit));
    else
        printf("%s", tr("held out: nothing; the weights of the last epoch are kept\n"));
    fflush(stdout);
}

/* Of the held-out data where there is any, else the mean loss of what was learnt. */
static void print_epoch(train_watch *w, const heed_progress *p) {
    terminal_clear(&w->term);
    if (w->brief) return;
    if (strcmp(p->what, "epoch") != 0) printf("%s", tr("Language: "));
    printf(tr("Epoch [%" PRId64 "/%" PRId64 "], Loss: %.4f"), p->epoch, p->epochs,
           p->score_name ? p->held_loss : p->loss);
    if (p->score_name) printf(tr(", %s: %.4f"), tr(p->score_name), p->score);
    printf("\n");
    fflush(stdout);
}

static void progress(void *user, const heed_progress *p) {
    train_watch *w = user;
    if (strcmp(p->what, "epoch") == 0 || strcmp(p->what, "pretrain epoch") == 0) {
        print_epoch(w, p);
    } else if (strcmp(p->what, "memory") == 0) {
        print_memory(w, p->total);
    } else if (strcmp(p->what, "held out") == 0) {
        print_held_out(w, p);
    } else if (w->brief && !w->term.is_tty) {
        return;
    } else if (strcmp(p->what, "vectors") == 0) {
        terminal_clear(&w->term);
        printf(tr("vectors: %" PRId64 " of the %" PRId64 " words have one\n"), p->done, p->total);
    } else {
        terminal_progress(&w->term, p);
    }
}

/* What a training does by itself belongs to its course; warnings and errors go their own way. */
static void log_line(void *user, heed_log_level level, const char *line) {
    char text[MESSAGE_SIZE];
    if (level == HEED_LOG_INFO) {
        terminal_clear(&((train_watch *)user)->term);
        printf("%s\n", tr_made(line, text));
        fflush(stdout);
    }
    terminal_log(&((train_watch *)user)->term, level, line);
}

void train_watch_begin(train_watch *w) {
    process_memory_tidy();
    *w = (train_watch){ .term = terminal_open(stderr),
                        .resident = process_memory_resident(),
                        .held = process_memory_held(),
                        .start = heed__seconds() };
    w->hooks = (heed_hooks){
        .user = w, .log = log_line, .progress = progress, .cancel = command_cancelled
    };
}

double train_watch_seconds(const train_watch *w) {
    return heed__seconds() - w->start;
}

/* Whether its first len bytes name a folder that has another name: `.`, `..`, a link. */
static bool is_named_otherwise(const char *out, size_t len) {
    char path[4096];
    struct stat s;
    size_t at = len;
    while (at && out[at - 1] != '/') at--;
    if (len - at <= 2 && strspn(out + at, ".") >= len - at) return true;
    if (snprintf(path, sizeof path, "%.*s", (int)len, out) >= (int)sizeof path) return false;
    return lstat(path, &s) == 0 && S_ISLNK(s.st_mode);
}

const char *train_run_folder(const char *run, const char *out, char *text, size_t size) {
    if (run && strcmp(run, "none") == 0) return NULL;
    if (run) return run;
    size_t len = strlen(out);
    while (len > 1 && out[len - 1] == '/') len--;
    char *real = is_named_otherwise(out, len) ? realpath(out, NULL) : NULL;
    if (real) len = strlen(out = real);
    snprintf(text, size, "%.*s.run", (int)len, out);
    free(real);
    return text;
}

/* Whether a list such as "classic, encoder" has a name. */
static bool names(const char *list, const char *name) {
    const size_t size = strlen(name);
    for (const char *at = list; size && (at = strstr(at, name)); at += size)
        if ((at == list || at[-1] == ' ') && (at[size] == 0 || at[size] == ',')) return true;
    return false;
}

bool train_is_recipe(const char *recipe, const char *recipes) {
    if (!recipe || names(recipes, recipe)) return true;
    complain(tr("heed train: no recipe '%s'; there are %s\n"), recipe, recipes);
    return false;
}

bool train_fits_recipe(const train_own *own, const char *recipe) {
    for (; recipe[0] && own->option; own++) {
        if (!own->given || names(own->recipes, recipe)) continue;
        complain(tr("heed train: --%s does nothing for the recipe %s; it is for: %s\n"),
                 own->option, recipe, own->recipes);
        return false;
    }
    return true;
}

bool train_precision(const char *word, int *to) {
    *to = HEED_PRECISION_F32;
    if (word && strcmp(word, "bf16") == 0) *to = HEED_PRECISION_BF16;
    if (!word || strcmp(word, "bf16") == 0 || strcmp(word, "f32") == 0) return true;
    complain(tr("heed train: --precision is f32 or bf16, not '%s'\n"), word);
    return false;
}

void train_tell_calibration(double before, double after) {
    if (after > before)
        printf("%s", tr("the calibration error rose, for the temperature is chosen by the loss\n"));
}

/* A training that was stopped, and what there is of its best. Returns err->code. */
static int save_stopped(const char *out, const char *run, train_saver *save, const void *model,
                        heed_error *err) {
    const heed_error why = *err;
    const bool is_new = access(out, F_OK) != 0;
    char beside[4096];
    snprintf(beside, sizeof beside, "%s/model", run ? run : "");
    const char *to = is_new ? out : beside;
    if (!model && run && heed__run_is_left(run)) return err->code; /* as the sentence tells */
    if (!model || (!is_new && !run)) {
        snprintf(err->msg, sizeof err->msg, "%.400s; nothing was saved", why.msg);
        return err->code;
    }
    if (save(model, to, err)) return err->code;
    err->code = why.code;
    snprintf(err->msg, sizeof err->msg, "%.200s; the best so far is in %.200s%s", why.msg, to,
             run ? "; the same command with --resume goes on" : "");
    return err->code;
}

int train_save(const char *out, const char *run, train_saver *save, const void *model,
               heed_error *err) {
    char beside[4096];
    process_memory_trim(); /* what the training held goes back before more is asked for */
    if (err->code == HEED_ECANCELLED) return save_stopped(out, run, save, model, err);
    if (err->code || save(model, out, err) == 0) return err->code;
    const heed_error why = *err;
    const int len = snprintf(beside, sizeof beside, "%s/model", run ? run : "");
    const bool kept = run && len < (int)sizeof beside && save(model, beside, err) == 0;
    *err = why;
    if (kept)
        snprintf(err->msg, sizeof err->msg, "%.250s; the model is in %.200s", why.msg, beside);
    return err->code;
}
