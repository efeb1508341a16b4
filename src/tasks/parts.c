/* parts.c: a training made of several, kept as it goes; see parts.h. */
#include "tasks/parts.h"

#include <dirent.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "base/thread.h"
#include "tasks/classifier_data.h"
#include "tasks/run_log.h"

enum { VERSION = 1 };

static const size_t FILE_MOST = (size_t)1 << 30;
static const char *const LOGS[] = { "log.jsonl", "events.out.tfevents.heed" };

typedef char path_text[HEED_PATH_SIZE + 64];

static const char *in(path_text path, const char *run, const char *name) {
    heed__format(path, sizeof(path_text), "%s/parts%s%s", run, *name ? "/" : "", name);
    return path;
}

static const char *numbered(path_text path, const char *run, const char *name, int64_t number) {
    char text[48];
    heed__format(text, sizeof text, "%s%" PRId64, name, number);
    return in(path, run, text);
}

static const char *best_folder(path_text path, const heed_parts *p) {
    return numbered(path, p->run, "best.", p->kept % 2);
}

double heed__parts_seconds(const heed_parts *p) {
    return p->before + heed__seconds() - p->start;
}

int64_t heed__parts_len(const heed_parts *p) {
    return (int64_t)json_array_size(p->note);
}

const json_t *heed__parts_note(const heed_parts *p, int64_t i) {
    return json_array_get(p->note, (size_t)i);
}

/* -- numbers ---------------------------------------------------------------------------------- */

json_t *heed__note_number(double value) {
    return isfinite(value) ? json_real(value) : json_null();
}

double heed__noted_number(const json_t *note, const char *key) {
    const json_t *value = json_object_get(note, key);
    return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

static uint64_t hash_text(uint64_t h, const char *text) {
    return heed__hash_one(text ? heed__hash_text(h, text) : heed__hash_one(h, 0x100), 0xff);
}

/* Numbers beside len texts. */
static uint64_t hash_array(uint64_t h, const heed_array *a, int64_t len) {
    const int64_t shape[] = { a->steps, a->dim, a->sequence };
    h = heed__hash_more(h, shape, sizeof shape);
    return heed__hash_more(h, a->data, (size_t)(len * a->steps * a->dim) * sizeof *a->data);
}

uint64_t heed__examples_hash(uint64_t h, const heed_examples *x) {
    if (!x) return heed__hash_one(h, 0x100);
    if (x->array) h = hash_array(h, x->array, x->len);
    for (int64_t i = 0; i < x->len; i++) {
        h = hash_text(h, x->text[i]);
        if (x->text2) h = hash_text(h, x->text2[i]);
        if (x->label) h = hash_text(h, x->label[i]);
    }
    return heed__hash_more(h, &x->len, sizeof x->len);
}

uint64_t heed__settings_hash(uint64_t h, const heed_classify_cfg *c) {
    const heed_attention_choice *a = &c->attention;
    const int64_t whole[] = { c->vocab,
                              c->max_len,
                              c->embed,
                              c->hidden,
                              c->heads,
                              c->dense,
                              c->epochs,
                              c->batch,
                              c->constant_lr,
                              (int64_t)c->seed,
                              (int64_t)c->precision,
                              (int64_t)c->target,
                              c->hierarchy,
                              (int64_t)c->keep,
                              c->windows,
                              c->layers,
                              c->ff,
                              c->bidirectional,
                              (int64_t)a->score,
                              (int64_t)a->weights,
                              a->topk,
                              a->learn_temperature,
                              a->score_std,
                              a->window,
                              a->truncate,
                              (int64_t)a->penalty,
                              c->kv_heads,
                              c->share_layers,
                              c->no_attention,
                              c->no_evidence,
                              c->no_marks,
                              c->remember,
                              c->balanced,
                              c->patience,
                              c->freeze,
                              c->pretrain_epochs,
                              c->context };
    const double real[] = { c->lr,         c->dropout,        c->deviation,
                            c->warmup,     c->clip,           c->weight_decay,
                            c->ema,        c->adversary_size, c->label_smoothing,
                            c->valid_part, a->temperature,    a->penalty_weight };
    const char *const text[] = { c->recipe,   c->pooling,   c->position, c->tokenizer, c->optimizer,
                                 c->schedule, c->adversary, c->from,     c->vectors,   c->loss };
    h = heed__hash_more(h, whole, sizeof whole);
    h = heed__hash_more(h, real, sizeof real);
    for (size_t i = 0; i < sizeof text / sizeof *text; i++) h = hash_text(h, text[i]);
    return heed__examples_hash(heed__examples_hash(h, c->valid), c->pretrain);
}

/* -- state.json ------------------------------------------------------------------------------- */

static int save_state(heed_parts *p, heed_error *err) {
    path_text path;
    size_t size = 0;
    json_t *o = json_pack("{s:i, s:s, s:f, s:I, s:s, s:O}", "format_version", VERSION, "settings",
                          p->settings, "seconds", heed__parts_seconds(p), "kept",
                          (json_int_t)p->kept, "best", p->sum, "parts", p->note);
    char *text = o ? heed__json_text(&p->hooks, o, true, &size, err) : NULL;
    json_decref(o);
    in(path, p->run, "state.json");
    if (!text) return heed__error(err, HEED_ENOMEM, "%s: out of memory", path);
    const int rc = heed__file_write(&p->hooks, path, text, size, err);
    heed__free(&p->hooks, text);
    return rc;
}

static int read_state(heed_parts *p, const char *path, heed_error *err) {
    json_t *o = heed__json_read(&p->hooks, path, FILE_MOST, err);
    if (!o) return err->code;
    heed_fields f = { .object = o, .name = path, .err = err };
    if (heed__field_int(&f, "format_version", 1, INT32_MAX) > VERSION && !f.status)
        f.status = heed__error(err, HEED_EUNSUPPORTED,
                               "%s: format_version is newer than this program's %d", path, VERSION);
    const char *settings = heed__field_text(&f, "settings");
    if (!f.status && strcmp(settings, p->settings) != 0)
        f.status = heed__error(err, HEED_EINVALID,
                               "%.120s: was made with other data or settings: '%.160s', not "
                               "'%.160s'",
                               path, settings, p->settings);
    p->before = heed__field_number(&f, "seconds");
    p->kept = heed__field_int(&f, "kept", 0, INT32_MAX);
    const char *sum = json_string_value(json_object_get(o, "best"));
    heed__format(p->sum, sizeof p->sum, "%s", sum && strlen(sum) < sizeof p->sum ? sum : "");
    json_t *parts = json_object_get(o, "parts");
    if (!f.status && !json_is_array(parts))
        f.status = heed__error(err, HEED_EFORMAT, "%s: parts is no list", path);
    for (size_t i = 0; !f.status && i < json_array_size(parts); i++)
        if (!json_is_object(json_array_get(parts, i)))
            f.status = heed__error(err, HEED_EFORMAT, "%s: parts[%zu] is no object", path, i);
    if (!f.status) {
        json_decref(p->note);
        p->note = json_incref(parts);
    }
    json_decref(o);
    return f.status;
}

/* -- beginning and end ------------------------------------------------------------------------ */

static void drop_files(const char *run) {
    char path[sizeof(path_text) + 64];
    heed__run_drop_checkpoint(run);
    for (int i = 0; i < 2; i++) {
        heed__format(path, sizeof path, "%s/%s", run, LOGS[i]);
        (void)unlink(path);
    }
}

static void drop_one(const char *run) {
    drop_files(run);
    (void)rmdir(run);
}

/* With the run of the language learnt before it. */
static void drop_run(const char *run) {
    path_text path;
    heed__format(path, sizeof path, "%.*s/pretrain", HEED_PATH_SIZE + 48, run);
    drop_one(path);
    drop_one(run);
}

/* The parts of a training, but not its state. */
static void drop_parts(const char *run) {
    path_text path;
    DIR *d = opendir(in(path, run, ""));
    if (!d) return;
    for (struct dirent *e; (e = readdir(d));) {
        const bool number = strspn(e->d_name, "0123456789") == strlen(e->d_name);
        if (strlen(e->d_name) > 32) continue;
        in(path, run, e->d_name);
        if (number) drop_run(path);
        if (strcmp(e->d_name, "best.0") == 0 || strcmp(e->d_name, "best.1") == 0)
            heed__classifier_drop(path);
    }
    closedir(d);
}

void heed__parts_drop(const char *run) {
    path_text path;
    (void)unlink(in(path, run, "state.json")); /* without it there are none */
    (void)unlink(in(path, run, ".state.json.tmp"));
    drop_parts(run);
    (void)rmdir(in(path, run, ""));
}

/* The state first: where it cannot be written, what there was stays. */
int heed__parts_settle(heed_parts *p, heed_error *err) {
    path_text path;
    if (p->settled || !p->run[0]) return 0;
    const bool left = heed__run_is_left(p->run);
    int rc = heed__folder_make(p->run, err);
    if (rc == 0) rc = heed__folder_make(in(path, p->run, ""), err);
    if (rc == 0) rc = save_state(p, err);
    if (rc) {
        (void)rmdir(in(path, p->run, "")); /* unless it holds anything */
        return rc;
    }
    drop_parts(p->run);
    drop_files(p->run); /* of another training, and the last part's place */
    if (left) heed__run_tell_anew(p->run, &p->hooks);
    p->settled = true;
    return 0;
}

static int settle(void *parts, heed_error *err) {
    return heed__parts_settle(parts, err);
}

/* Into the run's log; without a why: that it goes on. */
static void tell_whole(const heed_parts *p, const char *why) {
    const int64_t all[2] = { INT64_MAX, INT64_MAX };
    heed_error err;
    heed_run_log *log = heed__run_log_open(p->run, all, &p->hooks, &err);
    if (!log) heed__log(&p->hooks, HEED_LOG_WARN, "%s", err.msg);
    heed__run_log_whole(log, why, heed__parts_len(p), heed__parts_seconds(p));
    heed__run_log_close(log);
}

int heed__parts_begin(heed_parts *p, const heed_classify_cfg *cfg, const char *what, uint64_t hash,
                      heed_error *err) {
    path_text path;
    *p = (heed_parts){ .start = heed__seconds() };
    if (cfg->hooks) p->hooks = *cfg->hooks;
    p->note = json_array();
    if (!p->note) return heed__error(err, HEED_ENOMEM, "%s: out of memory", what);
    if (!cfg->run)
        return cfg->resume
                   ? heed__error(err, HEED_EINVALID, "%s: a resume needs the run's folder", what)
                   : 0;
    if (!cfg->run[0])
        return heed__error(err, HEED_EINVALID, "%s: the run's folder needs a name", what);
    if (strlen(cfg->run) >= sizeof p->run - 64)
        return heed__error(err, HEED_EINVALID, "%.100s...: too long a name", cfg->run);
    heed__format(p->run, sizeof p->run, "%s", cfg->run);
    heed__format(p->settings, sizeof p->settings, "%s, data and settings %016" PRIx64 ", seed %llu",
                 what, hash, (unsigned long long)cfg->seed);
    if (!cfg->resume) return 0;
    if (access(in(path, p->run, "state.json"), F_OK) != 0)
        return heed__error(err, HEED_ENOTFOUND,
                           "%.400s: there is no %s to go on with; one whose model is saved has "
                           "none",
                           cfg->run, what);
    const int rc = read_state(p, path, err);
    p->settled = rc == 0;
    if (rc == 0) tell_whole(p, NULL);
    return rc;
}

void heed__parts_end(heed_parts *p, bool time_over, heed_error *err) {
    if (err->code == HEED_ECANCELLED && p->settled)
        heed__error(err, HEED_ECANCELLED, "train: stopped; %.300s has what a resume needs", p->run);
    else if (err->code == HEED_ECANCELLED && p->run[0])
        heed__run_halted(&(heed_run_begin){ .run = p->run }, err);
    if (p->settled && (err->code == 0 || err->code == HEED_ECANCELLED))
        tell_whole(p, err->code ? "stopped" : time_over ? "time" : "done");
    json_decref(p->note);
    p->note = NULL;
}

/* -- parts ------------------------------------------------------------------------------------ */

/* Whether a checkpoint was refused; what else hinders a training, hinders it without one too. */
static bool is_refused(int code) {
    return code == HEED_EFORMAT || code == HEED_EINVALID || code == HEED_ESHAPE ||
           code == HEED_EUNSUPPORTED || code == HEED_ENOTFOUND;
}

static heed_classifier *train_once(heed_parts *p, const heed_examples *x,
                                   const heed_classify_cfg *cfg, heed_error *err) {
    heed_run_begin begin = { .run = cfg->run, .resume = cfg->resume, .whole = settle, .arg = p };
    return heed__classifier_train(x, cfg, &begin, err);
}

/* Trains in a run's folder, where there is one. As heed_classifier_train. */
static heed_classifier *train_in(heed_parts *p, const char *run, const heed_examples *x,
                                 const heed_classify_cfg *cfg, heed_error *err) {
    heed_classify_cfg own = *cfg;
    own.run = p->run[0] ? run : NULL;
    own.resume = p->settled && heed__run_has_checkpoint(run);
    heed_classifier *c = train_once(p, x, &own, err);
    if (!c && own.resume && is_refused(err->code)) {
        heed__log(cfg->hooks, HEED_LOG_WARN, "%.400s; this part begins anew", err->msg);
        heed__run_drop_checkpoint(run);
        own.resume = false;
        c = train_once(p, x, &own, err);
    }
    if (c) c->left = (heed_run_left){ .run = "" }; /* finish removes it */
    return c;
}

heed_classifier *heed__parts_train(heed_parts *p, const heed_examples *x,
                                   const heed_classify_cfg *cfg, bool last, heed_error *err) {
    path_text path;
    const char *run = last ? p->run : numbered(path, p->run, "", heed__parts_len(p) + 1);
    return train_in(p, run, x, cfg, err);
}

/* In the other folder than the one that counts until now; state.json does not tell of it yet. 0 or
 * a status. */
static int keep(heed_parts *p, const heed_classifier *best, heed_error *err) {
    path_text path;
    uint64_t sum;
    p->kept++;
    int rc = heed_classifier_save(best, best_folder(path, p), err);
    if (rc == 0) rc = heed__classifier_sum(path, &sum, err);
    if (rc == 0) heed__format(p->sum, sizeof p->sum, "%016" PRIx64, sum);
    return rc;
}

/* The best part's log becomes the run's. 0 or a status. */
static int tell_of(const heed_parts *p, int64_t part, heed_error *err) {
    path_text folder;
    char path[sizeof folder + 64];
    int rc = 0;
    numbered(folder, p->run, "", part);
    for (int i = 0; rc == 0 && i < 2; i++) {
        char *text = NULL;
        size_t size;
        heed__format(path, sizeof path, "%s/%s", folder, LOGS[i]);
        rc = heed__file_read(&p->hooks, path, FILE_MOST, &text, &size, err);
        heed__format(path, sizeof path, "%s/%s", p->run, LOGS[i]);
        if (rc == 0) rc = heed__file_write(&p->hooks, path, text, size, err);
        heed__free(&p->hooks, text);
    }
    return rc;
}

/* Part number `part`, which is noted, and its model, where that is the best now, are kept; its run
 * goes. Before the first one that trains there is nothing to be kept. 0 or a status. */
static int finish(heed_parts *p, int64_t part, const heed_classifier *best, heed_error *err) {
    path_text path;
    if (!p->settled) return 0;
    int rc = best ? keep(p, best, err) : 0;
    if (rc == 0 && best) rc = tell_of(p, part, err);
    if (rc == 0) rc = save_state(p, err);
    if (rc == 0) drop_run(numbered(path, p->run, "", part));
    return rc;
}

int heed__parts_add(heed_parts *p, json_t *note, const heed_classifier *best, heed_error *err) {
    if (!note || json_array_append_new(p->note, note))
        return heed__error(err, HEED_ENOMEM, "train: out of memory");
    return finish(p, heed__parts_len(p), best, err);
}

heed_classifier *heed__parts_again(heed_parts *p, int64_t part, const heed_examples *x,
                                   const heed_classify_cfg *cfg, heed_error *err) {
    path_text path;
    heed_classifier *c = train_in(p, numbered(path, p->run, "", part + 1), x, cfg, err);
    if (!c) return NULL;
    if (finish(p, part + 1, c, err) == 0) return c;
    heed_classifier_close(c);
    return NULL;
}

/* The answers to held, as a training leaves them. 0 or a status. */
static int hold(heed_classifier *c, const heed_examples *held, heed_error *err) {
    heed_held *h = &c->held;
    h->text = heed__calloc(&c->hooks, (size_t)held->len, sizeof *h->text);
    h->outcome = heed__calloc(&c->hooks, (size_t)held->len, sizeof *h->outcome);
    if (!h->text || !h->outcome) return heed__error(err, HEED_ENOMEM, "train: out of memory");
    memcpy(h->text, held->text, (size_t)held->len * sizeof *h->text);
    h->len = held->len;
    return heed__classifier_judge(c, held, h->outcome, NULL, err);
}

/* The model that state.json tells of, not one that came to lie there since. NULL and *err. */
static heed_classifier *open_best(const heed_parts *p, const heed_classify_cfg *cfg,
                                  heed_error *err) {
    path_text path;
    char text[20];
    uint64_t sum;
    const heed_open_cfg open = { .isa = cfg->isa, .threads = cfg->threads, .hooks = cfg->hooks };
    heed_classifier *c = heed_classifier_open(best_folder(path, p), &open, err);
    if (!c || !p->sum[0]) return c;
    int rc = heed__classifier_sum(path, &sum, err);
    heed__format(text, sizeof text, "%016" PRIx64, sum);
    if (rc == 0 && strcmp(text, p->sum) != 0)
        rc = heed__error(err, HEED_EFORMAT, "%.400s: is not the model that was kept there", path);
    if (rc == 0) return c;
    heed_classifier_close(c);
    return NULL;
}

heed_classifier *heed__parts_best(const heed_parts *p, const heed_classify_cfg *cfg,
                                  const heed_examples *held, heed_error *err) {
    heed_classifier *c = open_best(p, cfg, err);
    if (c && (!held || !held->len || hold(c, held, err) == 0)) return c;
    heed_classifier_close(c);
    if (err->code != HEED_ENOMEM && err->code != HEED_ECANCELLED) {
        heed__log(cfg->hooks, HEED_LOG_WARN, "%.400s; this part begins anew", err->msg);
        *err = (heed_error){ 0 };
    }
    return NULL;
}
