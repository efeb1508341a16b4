/* classifier_io.c: a classifier's folder: config.json, model.safetensors, and the files of its
 * body.
 *
 * format_version 1 has the recipe `classic` only, and its head's sizes among those of the model. */
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/folder.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/text.h"
#include "heed/io.h"
#include "io/config.h"
#include "tasks/classifier.h"
#include "tensor/params.h"

static const char *in(char path[HEED_PATH_SIZE], const char *dir, const char *file) {
    heed__format(path, HEED_PATH_SIZE, "%s/%s", dir, file);
    return path;
}

/* -- saving ----------------------------------------------------------------------------------- */

static json_t *labels_of(const heed_classifier *c) {
    json_t *labels = json_array();
    for (int64_t i = 0; labels && i < c->labels; i++)
        if (json_array_append_new(labels, json_string(c->label[i]))) {
            json_decref(labels);
            return NULL;
        }
    return labels;
}

/* Everything in config.json but its version. NULL: out of memory. */
static json_t *config(const heed_classifier *c) {
    json_t *body = c->body->kind->config(c->body), *head = heed__head_config(&c->head);
    json_t *labels = labels_of(c);
    if (!body || !head || !labels) {
        json_decref(body);
        json_decref(head);
        json_decref(labels);
        return NULL;
    }
    json_t *array = heed__beside_config(&c->beside), *context = heed__context_config(&c->context);
    if ((c->beside.in && !array) || (c->context.in && !context)) {
        json_decref(array);
        json_decref(context);
        json_decref(body);
        json_decref(head);
        json_decref(labels);
        return NULL;
    }
    const bool bf16 = heed_ctx_precision(c->cx) == HEED_PRECISION_BF16;
    json_t *all = json_pack(
        "{s:s, s:s, s:s*, s:I, s:s*, s:o*, s:o*, s:I, s:I, s:o*, s:o*, s:o*, s:o, s:o, s:o}",
        "task", "classify", "recipe", c->body->kind->name, "precision", bf16 ? "bf16" : NULL,
        "max_len", (json_int_t)c->max_len, "keep", c->keep == HEED_KEEP_HEAD ? "head" : NULL,
        "windows", c->windows ? json_true() : NULL, "hierarchy", c->hierarchy ? json_true() : NULL,
        "seed", (json_int_t)c->seed, "epochs", (json_int_t)c->epochs, "array", array, "context",
        context, "no_texts", c->no_texts ? json_true() : NULL, "head", head, "body", body, "labels",
        labels);
    if (!all || !c->calibration.len) return all;
    if (json_object_set_new(all, "calibration", heed__calibration_to_json(&c->calibration)) == 0)
        return all;
    json_decref(all);
    return NULL;
}

/* Models that older programs can read bear their version. */
static int version(const heed_classifier *c) {
    for (int64_t i = 0; i < heed_params_count(c->ps); i++)
        if (heed__param_rounded(heed_params_at(c->ps, i))) return HEED_CLASSIFIER_FORMAT;
    return HEED_CLASSIFIER_PLAIN;
}

static int save_config(const heed_classifier *c, const char *dir, heed_error *err) {
    json_t *fields = config(c);
    if (!fields) return heed__error(err, HEED_ENOMEM, "%s: out of memory for config.json", dir);
    const int rc = heed__config_save(&c->hooks, dir, version(c), fields, err);
    json_decref(fields);
    return rc;
}

int heed__classifier_check_folder(const char *dir, heed_error *err) {
    const char *files[HEED_BODY_FILES + 1];
    heed__body_folder(files);
    return heed__folder_check(dir, files, err);
}

void heed__classifier_drop(const char *dir) {
    const char *files[HEED_BODY_FILES + 1];
    heed__body_folder(files);
    heed__folder_drop(dir, files);
}

int heed__classifier_sum(const char *dir, uint64_t *sum, heed_error *err) {
    const char *files[HEED_BODY_FILES + 1];
    char path[HEED_PATH_SIZE];
    heed__body_folder(files);
    *sum = HEED_HASH_BEGIN;
    for (int i = 0; files[i]; i++) {
        heed_map map;
        heed_error why = { 0 };
        const int rc = heed__map_open(&map, in(path, dir, files[i]), SIZE_MAX, &why);
        if (rc == HEED_ENOTFOUND) continue; /* a model has not all of them; *err stays as it was */
        if (rc) return *err = why, rc;
        *sum = heed__hash_more(heed__hash_text(*sum, files[i]), map.data, map.size);
        heed__map_close(&map);
    }
    return 0;
}

int heed_classifier_save(const heed_classifier *c, const char *dir, heed_error *err) {
    if (heed__lacks(c, "save", "classifier", err) || heed__lacks(dir, "save", "folder", err))
        return HEED_EINVALID;
    heed_folder f;
    char path[HEED_PATH_SIZE];
    const char *files[HEED_BODY_FILES + 1];
    heed__body_folder(files);
    int rc = heed__folder_begin(&f, dir, files, err);
    if (rc) return rc;
    rc = save_config(c, f.work, err);
    if (rc == 0) rc = c->body->kind->save(c->body, f.work, err);
    if (rc == 0) rc = heed_params_save(c->ps, in(path, f.work, "model.safetensors"), NULL, err);
    if (rc == 0) {
        rc = heed__folder_commit(&f, err);
        if (rc == 0) heed__run_forget(&c->left);
        return rc;
    }
    heed__folder_abort(&f);
    return rc;
}

/* -- opening ---------------------------------------------------------------------------------- */

static int open_labels(heed_classifier *c, const json_t *tree, bool score, const char *path,
                       heed_error *err) {
    const json_t *list = json_object_get(tree, "labels");
    const size_t n = json_array_size(list), least = score ? 0 : 2;
    if (!json_is_array(list) || n < least || n > (score ? 0 : HEED_CLASSIFIER_MAX_LABELS))
        return heed__error(err, HEED_EFORMAT, "%s: labels is no list of 2 to %d labels", path,
                           HEED_CLASSIFIER_MAX_LABELS);
    c->label = heed__calloc(&c->hooks, n, sizeof *c->label);
    if (!c->label) return heed__error(err, HEED_ENOMEM, "%s: out of memory", path);
    for (size_t i = 0; i < n; i++) {
        const char *text = json_string_value(json_array_get(list, i));
        if (!text || (i && strcmp(c->label[i - 1], text) >= 0))
            return heed__error(err, HEED_EFORMAT, "%s: labels[%zu] is no text in rising order",
                               path, i);
        if (!heed__label_is_plain(text))
            return heed__error(err, HEED_EFORMAT, "%s: labels[%zu] holds a control character", path,
                               i);
        c->label[i] = heed__strdup(&c->hooks, text);
        if (!c->label[i]) return heed__error(err, HEED_ENOMEM, "%s: out of memory", path);
        c->labels++;
    }
    return 0;
}

/* What is told at the top of config.json. */
static void open_top(heed_classifier *c, heed_fields *f) {
    const char *precision = heed__field_has(f, "precision") ? heed__field_text(f, "precision")
                                                            : "f32";
    const char *keep = heed__field_has(f, "keep") ? heed__field_text(f, "keep") : "tail";
    const bool bf16 = strcmp(precision, "bf16") == 0;
    if (!f->status && !bf16 && strcmp(precision, "f32") != 0)
        f->status = heed__error(f->err, HEED_EFORMAT,
                                "%s: precision '%.40s' is neither f32 nor bf16", f->name,
                                precision);
    c->keep = strcmp(keep, "head") == 0 ? HEED_KEEP_HEAD : HEED_KEEP_TAIL;
    if (!f->status && c->keep == HEED_KEEP_TAIL && strcmp(keep, "tail") != 0)
        f->status = heed__error(f->err, HEED_EFORMAT, "%s: keep '%.40s' is neither head nor tail",
                                f->name, keep);
    heed_ctx_set_precision(c->cx, bf16 ? HEED_PRECISION_BF16 : HEED_PRECISION_F32);
    c->windows = heed__field_has(f, "windows") && heed__field_bool(f, "windows");
    c->no_texts = heed__field_has(f, "no_texts") && heed__field_bool(f, "no_texts");
    c->hierarchy = heed__field_has(f, "hierarchy") && heed__field_bool(f, "hierarchy");
    c->max_len = heed__field_int(f, "max_len", 1, HEED_BODY_MAX_LEN);
    c->seed = (uint64_t)heed__field_int(f, "seed", INT64_MIN, INT64_MAX);
    c->epochs = heed__field_int(f, "epochs", 0, HEED_FIT_MAX_EPOCHS);
}

/* Version 1: the head's sizes stand among the model's. */
static int open_head_1(const json_t *model, heed_head_cfg *head, const char *path,
                       heed_error *err) {
    heed_fields f = { .object = model, .name = path, .err = err };
    *head = (heed_head_cfg){ 0 };
    if (!json_is_object(model))
        return heed__error(err, HEED_EFORMAT, "%s: model is missing or no object", path);
    head->classes = heed__field_int(&f, "classes", 0, INT32_MAX);
    if (heed__field_has(&f, "dense")) head->dense = heed__field_int(&f, "dense", 0, INT32_MAX);
    if (heed__field_has(&f, "dropout")) head->dropout = heed__field_number(&f, "dropout");
    return f.status;
}

/* No more numbers than the file has may be declared: a few bytes of config.json must not cost
 * gigabytes. */
static int limit_size(heed_classifier *c, const char *dir, heed_error *err) {
    char path[HEED_PATH_SIZE];
    in(path, dir, "model.safetensors");
    heed_safetensors *st = heed_safetensors_open(path, &c->hooks, err);
    if (!st) return err->code;
    int64_t numbers = 0;
    for (int64_t i = 0; i < heed_safetensors_count(st); i++)
        numbers += heed_safetensors_at(st, i)->len;
    heed_safetensors_close(st);
    heed__params_limit(c->ps, numbers);
    return 0;
}

/* What the head reads besides the body's vector. */
static int open_more(heed_classifier *c, const json_t *tree, heed_head_cfg *head, const char *path,
                     heed_error *err) {
    int rc = heed__beside_read(&c->beside, json_object_get(tree, "array"), path, err);
    if (rc == 0) rc = heed__context_read(&c->context, json_object_get(tree, "context"), path, err);
    head->attends = c->context.in > 0;
    const char *wrong = head->attends && !head->pairs  ? "a context where no second text is read"
                        : c->beside.in && head->pairs  ? "an array beside pairs of texts"
                        : c->no_texts && !c->beside.in ? "no_texts and no array"
                                                       : NULL;
    return rc || !wrong ? rc : heed__error(err, HEED_EFORMAT, "%s: %s", path, wrong);
}

static int open_tree(heed_classifier *c, const json_t *tree, const char *dir, heed_head_cfg *head,
                     heed_error *err) {
    static const char *const keys[] = { "format_version", "precision", "task",     "recipe",
                                        "tokenizer",      "max_len",   "keep",     "windows",
                                        "hierarchy",      "seed",      "epochs",   "head",
                                        "body",           "model",     "labels",   "calibration",
                                        "array",          "context",   "no_texts", NULL };
    char path[HEED_PATH_SIZE];
    heed_fields f = { .object = tree, .name = in(path, dir, "config.json"), .err = err };
    const char *task = heed__field_text(&f, "task");
    if (!f.status && strcmp(task, "classify") != 0)
        return heed__error(err, HEED_EUNSUPPORTED, "%s: a model for the task '%.40s', not classify",
                           path, task);
    heed__fields_only(&f, keys);
    const bool old = heed__field_int(&f, "format_version", 1, HEED_CLASSIFIER_FORMAT) == 1;
    const char *recipe = old ? "classic" : heed__field_text(&f, "recipe");
    const char *tokens = old ? heed__field_text(&f, "tokenizer") : "words";
    if (!f.status && strcmp(tokens, "words") != 0)
        return heed__error(err, HEED_EUNSUPPORTED, "%s: there is no tokenizer '%.40s'", path,
                           tokens);
    const heed_body_kind *kind = heed__body_kind_find(recipe);
    if (!f.status && !kind)
        return heed__error(err, HEED_EUNSUPPORTED, "%s: there is no recipe '%.40s'", path, recipe);
    open_top(c, &f);
    int rc = f.status;
    const json_t *body = json_object_get(tree, old ? "model" : "body");
    if (rc == 0)
        rc = old ? open_head_1(body, head, path, err)
                 : heed__head_read(head, json_object_get(tree, "head"), path, err);
    if (rc == 0) rc = open_more(c, tree, head, path, err);
    const bool score = head->target == HEED_TARGET_SCORE;
    if (rc == 0) rc = open_labels(c, tree, score, path, err);
    const json_t *calibration = json_object_get(tree, "calibration");
    if (rc == 0 && calibration)
        rc = heed__calibration_from_json(&c->calibration, calibration, path, err);
    if (rc) return rc;
    if (old && head->classes != c->labels)
        return heed__error(err, HEED_EFORMAT, "%s: %lld labels for a model of %lld classes", path,
                           (long long)c->labels, (long long)head->classes);
    if (!json_is_object(body))
        return heed__error(err, HEED_EFORMAT, "%s: body is missing or no object", path);
    head->classes = score ? 1 : c->labels;
    if ((c->window || c->truncate) && !kind->chooses)
        return heed__error(err, HEED_EUNSUPPORTED,
                           "%s: the reach of attention is a matter of the recipes classic and "
                           "encoder, not of %s",
                           path, kind->name);
    const heed_body_cfg cfg = { .max_len = c->max_len,
                                .keep = c->keep,
                                .attention = { .window = c->window, .truncate = c->truncate } };
    c->body = heed__body_new(kind, &cfg, c->ps, &c->hooks, err);
    rc = c->body ? limit_size(c, dir, err) : HEED_ENOMEM;
    return rc ? rc : kind->load(c->body, body, dir, err);
}

int heed__classifier_open_config(heed_classifier *c, const char *dir, heed_head_cfg *head,
                                 heed_error *err) {
    if (strlen(dir) > HEED_PATH_SIZE - 64)
        return heed__error(err, HEED_EINVALID, "%.100s...: too long a name", dir);
    json_t *tree = heed__config_load(&c->hooks, dir, HEED_CLASSIFIER_FORMAT, err);
    if (!tree) return err->code;
    const int rc = open_tree(c, tree, dir, head, err);
    json_decref(tree);
    return rc;
}

static heed_classifier *open_once(const char *dir, const heed_open_cfg *cfg, heed_error *err) {
    if (cfg->window < 0 || cfg->truncate < 0) {
        heed__error(err, HEED_EINVALID,
                    "open: window is %lld and truncate %lld, where neither may be below 0",
                    (long long)cfg->window, (long long)cfg->truncate);
        return NULL;
    }
    heed_classifier *c = heed__classifier_new(cfg->isa, cfg->threads, 0, cfg->hooks, err);
    if (!c) return NULL;
    char path[HEED_PATH_SIZE];
    heed_head_cfg head;
    c->window = cfg->window;
    c->truncate = cfg->truncate;
    int rc = heed__classifier_open_config(c, dir, &head, err);
    if (rc == 0) rc = heed__beside_init(&c->beside, c->ps, err);
    if (rc == 0) rc = heed__context_init(&c->context, c->ps, c->body, err);
    if (rc == 0) rc = heed__head_init(&c->head, c->ps, &head, heed__classifier_dim(c), err);
    if (rc == 0) rc = heed_params_load(c->ps, in(path, dir, "model.safetensors"), err);
    /* heed_params_freeze keeps its error in ps */
    if (rc == 0 && heed_ctx_precision(c->cx) == HEED_PRECISION_F32 &&
        heed_params_freeze(c->cx, c->ps) != 0)
        rc = heed__error(err, HEED_ENOMEM, "%s", heed_params_error(c->ps)->msg);
    if (rc == 0) rc = heed__body_memo(c->cx, c->body, &c->memo, err);
    if (rc == 0) return c;
    /* what a layer calls a wrong setting is a wrong file here */
    if (strlen(dir) < HEED_PATH_SIZE - 64) heed__config_blame(dir, err);
    heed_classifier_close(c);
    return NULL;
}

heed_classifier *heed_classifier_open(const char *dir, const heed_open_cfg *cfg, heed_error *err) {
    if (heed__lacks(dir, "open", "folder", err)) return NULL;
    const heed_open_cfg plain = { 0 };
    heed_error own;
    if (!cfg) cfg = &plain;
    if (!err) err = &own;
    for (;;) { /* again where the folder was replaced while its files were read */
        const heed_folder_id before = heed__folder_id(dir);
        heed_classifier *c = open_once(dir, cfg, err);
        if (heed__folder_same(before, heed__folder_id(dir))) return c;
        heed_classifier_close(c);
    }
}
