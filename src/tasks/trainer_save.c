/* trainer_save.c: a training that was stopped, or killed on its way, in RUN/checkpoint:
 *
 *     last.safetensors   weights, optimizer and step as they are (heed_checkpoint)
 *     best.safetensors   the weights of the best epoch, where there is one
 *     state.json         where the run is, with its settings and the sizes of its log's files
 *
 * The folder is replaced as a whole; a resume gives the very bits of a run that was not stopped. */
#include "tasks/trainer_run.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/folder.h"
#include "base/json.h"
#include "base/text.h"
#include "heed/io.h"
#include "tasks/run_left.h"

enum { VERSION = 2, STATE_MOST = 1 << 20, MOVES = 160 };

typedef char path_text[HEED_PATH_SIZE + 64];

static int64_t kept_epoch(const heed_fit_run *r) {
    return r->has_best ? r->done->best : 0;
}

static const char *in(path_text path, const char *dir, const char *file) {
    heed__format(path, sizeof(path_text), "%s/%s", dir, file);
    return path;
}

static int save_best(heed_fit_run *r, const char *path) {
    const int64_t n = heed_params_count(r->l->ps);
    heed_entry *e = heed__calloc(r->cfg.hooks, (size_t)n, sizeof *e);
    if (!e) return heed__error(r->err, HEED_ENOMEM, "%s: out of memory", path);
    const float *at = r->best;
    for (int64_t i = 0; i < n; i++) {
        const heed_tensor *t = heed_params_at(r->l->ps, i);
        e[i] = (heed_entry){ .name = t->name, .dtype = HEED_FILE_F32, .ndim = t->ndim, .data = at };
        memcpy(e[i].shape, t->shape, (size_t)t->ndim * sizeof *t->shape);
        at += t->len;
    }
    const int rc = heed_safetensors_save(path, e, n, NULL, r->cfg.hooks, r->err);
    heed__free(r->cfg.hooks, e);
    return rc;
}

/* How the weights move, which is the trainer's own part of the settings. */
static const char *moves(const heed_fit_run *r, char text[MOVES]) {
    const heed_optim_cfg *o = &r->cfg.optim;
    heed__format(text, MOVES, "optimizer %d, schedule %d, warmup %g, clip %g, decay %g, ema %g",
                 (int)o->kind, (int)o->schedule.kind, r->cfg.warmup, (double)o->clip,
                 (double)o->weight_decay, (double)o->ema);
    return text;
}

/* Doubles as their shortest text that reads back as they are. */
static json_t *real(double value) {
    char text[HEED_NUMBER_SIZE];
    return json_string(heed__double_text(value, text));
}

static int save_state(heed_fit_run *r, const char *path) {
    const heed_score *s = &r->done->score;
    char text_of_moves[MOVES];
    int64_t log[2];
    heed__run_log_sizes(r->log, log);
    json_t *o = json_pack(
        "{s:i, s:s, s:s, s:I, s:I, s:o, s:I, s:I, s:o, s:o, s:o, s:I, s:I, s:I}", "format_version",
        VERSION, "settings", r->cfg.settings ? r->cfg.settings : "", "moves",
        moves(r, text_of_moves), "epoch", (json_int_t)r->epoch, "at", (json_int_t)r->at, "sum",
        real(r->sum), "bad", (json_int_t)r->bad, "best", (json_int_t)kept_epoch(r), "value",
        real(s->value), "loss", real(s->loss), "seconds", real(heed__fit_seconds(r)), "ended",
        (json_int_t)(r->ended ? 1 + (int)r->done->end : 0), "log", (json_int_t)log[0], "events",
        (json_int_t)log[1]);
    size_t size = 0;
    char *text = o ? heed__json_text(r->cfg.hooks, o, true, &size, r->err) : NULL;
    json_decref(o);
    if (!text) return heed__error(r->err, HEED_ENOMEM, "%s: out of memory", path);
    const int rc = heed__file_write(r->cfg.hooks, path, text, size, r->err);
    heed__free(r->cfg.hooks, text);
    return rc;
}

int heed__fit_save(heed_fit_run *r) {
    heed_folder f;
    path_text path;
    const char *const *files = heed__checkpoint_files();
    const heed_checkpoint c = { .params = r->l->ps, .optim = r->opt, .ctx = r->l->cx };
    in(path, r->cfg.run, "checkpoint");
    int rc = heed__folder_begin(&f, path, files, r->err);
    if (rc) return rc;
    rc = save_state(r, in(path, f.work, files[0]));
    if (rc == 0) rc = heed_checkpoint_save(in(path, f.work, files[1]), &c, r->err);
    if (rc == 0 && r->has_best) rc = save_best(r, in(path, f.work, files[2]));
    if (rc == 0) return heed__folder_commit(&f, r->err);
    heed__folder_abort(&f);
    return rc;
}

/* -- resuming --------------------------------------------------------------------------------- */

static double read_real(heed_fields *f, const char *key) {
    const char *text = heed__field_text(f, key);
    double value = 0;
    if (!f->status && !heed__parse_double(text, strlen(text), &value))
        f->status = heed__error(f->err, HEED_EFORMAT, "%s: %s is no number", f->name, key);
    return value;
}

static void expect(heed_fields *f, const char *path, const char *key, const char *want) {
    const char *text = heed__field_text(f, key);
    if (!f->status && strcmp(text, want) != 0)
        f->status = heed__error(f->err, HEED_EINVALID,
                                "%.120s: was made with other data or settings: '%.160s', not "
                                "'%.160s'",
                                path, text, want);
}

static int read_state(heed_fit_run *r, const char *path) {
    json_t *o = heed__json_read(r->cfg.hooks, path, STATE_MOST, r->err);
    if (!o) return r->err->code;
    heed_fields f = { .object = o, .name = path, .err = r->err };
    const int64_t version = heed__field_int(&f, "format_version", 1, INT32_MAX);
    if (version > VERSION && !f.status)
        f.status = heed__error(r->err, HEED_EUNSUPPORTED,
                               "%s: format_version is newer than this program's %d", path, VERSION);
    char text_of_moves[MOVES];
    expect(&f, path, "settings", r->cfg.settings ? r->cfg.settings : "");
    expect(&f, path, "moves", moves(r, text_of_moves));
    r->epoch = heed__field_int(&f, "epoch", 1, r->cfg.epochs);
    r->at = heed__field_int(&f, "at", 0, r->l->items);
    r->sum = read_real(&f, "sum");
    r->bad = heed__field_int(&f, "bad", 0, r->cfg.epochs);
    r->done->best = heed__field_int(&f, "best", 0, r->l->score ? r->cfg.epochs : 0);
    r->done->score.value = read_real(&f, "value");
    r->done->score.loss = read_real(&f, "loss");
    r->before = read_real(&f, "seconds");
    r->log_at[0] = version > 1 ? heed__field_int(&f, "log", 0, INT64_MAX) : INT64_MAX;
    r->log_at[1] = version > 1 ? heed__field_int(&f, "events", 0, INT64_MAX) : INT64_MAX;
    const int64_t ended = version > 1 ? heed__field_int(&f, "ended", 0, 1 + HEED_FIT_STOPPED) : 0;
    r->ended = ended > 0;
    if (r->ended) r->done->end = (heed_fit_end)(ended - 1);
    json_decref(o);
    return f.status;
}

static int read_best(heed_fit_run *r, const char *path) {
    heed_safetensors *st = heed_safetensors_open(path, r->cfg.hooks, r->err);
    if (!st) return r->err->code;
    float *to = r->best;
    int rc = 0;
    for (int64_t i = 0; rc == 0 && i < heed_params_count(r->l->ps); i++) {
        const heed_tensor *t = heed_params_at(r->l->ps, i);
        const heed_entry *e = heed_safetensors_find(st, t->name);
        if (!e || e->dtype != HEED_FILE_F32 || e->len != t->len)
            rc = heed__error(r->err, HEED_EFORMAT, "%s: tensor '%.80s' is missing or another one",
                             path, t->name);
        else
            rc = heed_entry_f32(e, to, r->err);
        to += t->len;
    }
    heed_safetensors_close(st);
    return rc;
}

int heed__fit_resume(heed_fit_run *r) {
    path_text dir, path;
    const char *const *files = heed__checkpoint_files();
    if (!r->cfg.run)
        return heed__error(r->err, HEED_EINVALID, "train: a resume needs the run's folder");
    if (strlen(r->cfg.run) > HEED_PATH_SIZE - 64)
        return heed__error(r->err, HEED_EINVALID, "%.100s...: too long a name", r->cfg.run);
    in(dir, r->cfg.run, "checkpoint");
    if (access(in(path, dir, files[0]), F_OK) != 0)
        return heed__error(r->err, HEED_ENOTFOUND,
                           "%.400s: there is no training to go on with; one whose model is saved "
                           "has none",
                           dir);
    const heed_checkpoint c = { .params = r->l->ps, .optim = r->opt, .ctx = r->l->cx };
    int rc = read_state(r, path);
    if (rc == 0) rc = heed_checkpoint_load(in(path, dir, files[1]), &c, r->err);
    if (rc == 0 && r->done->best) rc = read_best(r, in(path, dir, files[2]));
    r->has_best = rc == 0 && r->done->best > 0;
    return rc;
}
