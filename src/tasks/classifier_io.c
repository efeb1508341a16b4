/* classifier_io.c: a classifier's folder: config.json, vocab.txt, model.safetensors. */
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/folder.h"
#include "base/json.h"
#include "base/text.h"
#include "heed/io.h"
#include "io/config.h"
#include "tasks/classifier.h"

enum { VOCAB_MOST = 1 << 30 };

static const char *const files[] = { "config.json", "vocab.txt", "model.safetensors", NULL };

static const char *in(char path[HEED_PATH_SIZE], const char *dir, const char *file) {
    heed__format(path, HEED_PATH_SIZE, "%s/%s", dir, file);
    return path;
}

/* -- saving */

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
    char *text = heed_model_cfg_to_json(&c->model.cfg, NULL);
    json_t *model = text ? json_loads(text, 0, NULL) : NULL, *labels = labels_of(c);
    heed_text_free(text);
    if (!model || !labels) {
        json_decref(model);
        json_decref(labels);
        return NULL;
    }
    const bool bf16 = heed_ctx_precision(c->cx) == HEED_PRECISION_BF16;
    return json_pack("{s:s*, s:s, s:s, s:I, s:I, s:I, s:o, s:o}", "precision", bf16 ? "bf16" : NULL,
                     "task", "classify", "tokenizer", "words", "max_len", (json_int_t)c->max_len,
                     "seed", (json_int_t)c->seed, "epochs", (json_int_t)c->epochs, "model", model,
                     "labels", labels);
}

static int save_config(const heed_classifier *c, const char *dir, heed_error *err) {
    json_t *fields = config(c);
    if (!fields) return heed__error(err, HEED_ENOMEM, "%s: out of memory for config.json", dir);
    const int rc = heed__config_save(&c->hooks, dir, HEED_CLASSIFIER_FORMAT, fields, err);
    json_decref(fields);
    return rc;
}

static int save_vocab(const heed_classifier *c, const char *path, heed_error *err) {
    size_t size = 0;
    char *text = heed__vocab_text(c->vocab, &size);
    if (!text) return heed__error(err, HEED_ENOMEM, "%s: out of memory", path);
    const int rc = heed__file_write(&c->hooks, path, text, size, err);
    heed__free(&c->hooks, text);
    return rc;
}

int heed__classifier_check_folder(const char *dir, heed_error *err) {
    return heed__folder_check(dir, files, err);
}

int heed_classifier_save(const heed_classifier *c, const char *dir, heed_error *err) {
    heed_folder f;
    char path[HEED_PATH_SIZE];
    int rc = heed__folder_begin(&f, dir, files, err);
    if (rc) return rc;
    rc = save_config(c, f.work, err);
    if (rc == 0) rc = save_vocab(c, in(path, f.work, "vocab.txt"), err);
    if (rc == 0) rc = heed_params_save(c->ps, in(path, f.work, "model.safetensors"), NULL, err);
    if (rc == 0) return heed__folder_commit(&f, err);
    heed__folder_abort(&f);
    return rc;
}

/* -- opening */

static int open_labels(heed_classifier *c, const json_t *tree, const char *path, heed_error *err) {
    const json_t *list = json_object_get(tree, "labels");
    const size_t n = json_array_size(list);
    if (n < 2 || n > HEED_CLASSIFIER_MAX_LABELS)
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

static int open_model_cfg(heed_classifier *c, const json_t *tree, const char *path,
                          heed_model_cfg *m, heed_error *err) {
    const json_t *model = json_object_get(tree, "model");
    if (!json_is_object(model))
        return heed__error(err, HEED_EFORMAT, "%s: model is missing or no object", path);
    size_t size = 0;
    char *text = heed__json_text(&c->hooks, model, false, &size, err);
    if (!text) return HEED_ENOMEM;
    int rc = heed_model_cfg_from_json(m, text, size, path, err);
    heed__free(&c->hooks, text);
    if (rc == 0 && m->kind != HEED_MODEL_CLASSIC)
        rc = heed__error(err, HEED_EUNSUPPORTED, "%s: a classifier of another kind than 'classic'",
                         path);
    if (rc == 0 && m->classes != c->labels)
        rc = heed__error(err, HEED_EFORMAT, "%s: %lld labels for a model of %lld classes", path,
                         (long long)c->labels, (long long)m->classes);
    return rc;
}

static int open_config(heed_classifier *c, const char *dir, heed_model_cfg *m, heed_error *err) {
    static const char *const keys[] = { "format_version", "precision", "task",   "tokenizer",
                                        "max_len",        "seed",      "epochs", "model",
                                        "labels",         NULL };
    char path[HEED_PATH_SIZE];
    json_t *tree = heed__config_load(&c->hooks, dir, HEED_CLASSIFIER_FORMAT, err);
    if (!tree) return err->code;
    heed_fields f = { .object = tree, .name = in(path, dir, "config.json"), .err = err };
    heed__fields_only(&f, keys);
    const char *precision = heed__field_has(&f, "precision") ? heed__field_text(&f, "precision")
                                                             : "f32";
    const bool bf16 = strcmp(precision, "bf16") == 0;
    if (f.status == 0 && !bf16 && strcmp(precision, "f32") != 0)
        f.status = heed__error(err, HEED_EFORMAT, "%s: precision '%.40s' is neither f32 nor bf16",
                               path, precision);
    heed_ctx_set_precision(c->cx, bf16 ? HEED_PRECISION_BF16 : HEED_PRECISION_F32);
    const char *task = heed__field_text(&f, "task"), *tokens = heed__field_text(&f, "tokenizer");
    if (f.status == 0 && (strcmp(task, "classify") != 0 || strcmp(tokens, "words") != 0))
        f.status = heed__error(err, HEED_EUNSUPPORTED,
                               "%s: task '%.40s' with tokenizer '%.40s' is none that there is",
                               path, task, tokens);
    c->max_len = heed__field_int(&f, "max_len", 1, HEED_CLASSIFIER_MAX_LEN);
    c->seed = (uint64_t)heed__field_int(&f, "seed", INT64_MIN, INT64_MAX);
    c->epochs = heed__field_int(&f, "epochs", 0, HEED_CLASSIFIER_MAX_EPOCHS);
    int rc = f.status;
    if (rc == 0) rc = open_labels(c, tree, path, err);
    if (rc == 0) rc = open_model_cfg(c, tree, path, m, err);
    json_decref(tree);
    return rc;
}

static int open_vocab(heed_classifier *c, const char *path, int64_t len, heed_error *err) {
    char *text = NULL;
    size_t size = 0;
    const int rc = heed__file_read(&c->hooks, path, VOCAB_MOST, &text, &size, err);
    if (rc) return rc;
    c->vocab = heed__vocab_parse(text, size, path, &c->hooks, err);
    heed__free(&c->hooks, text);
    if (!c->vocab) return err->code;
    if (heed__vocab_len(c->vocab) == len) return 0;
    return heed__error(err, HEED_EFORMAT, "%s: %lld words, where config.json says %lld", path,
                       (long long)heed__vocab_len(c->vocab) - HEED_VOCAB_SPECIAL,
                       (long long)len - HEED_VOCAB_SPECIAL);
}

/* Refuses a config whose weights have more numbers than the file, before room is made and filled
 * for a model of that size: a few bytes of config.json must not cost gigabytes. */
static int check_size(const heed_classifier *c, const heed_model_cfg *m, const char *path,
                      heed_error *err) {
    heed_safetensors *st = heed_safetensors_open(path, &c->hooks, err);
    if (!st) return err->code;
    int64_t numbers = 0;
    for (int64_t i = 0; i < heed_safetensors_count(st); i++)
        numbers += heed_safetensors_at(st, i)->len;
    heed_safetensors_close(st);
    const int64_t weights[][2] = { { m->vocab, m->dim },
                                   { m->hidden, m->dim },
                                   { m->hidden, m->hidden },
                                   { m->dense, m->hidden },
                                   { m->classes, m->dense ? m->dense : m->hidden } };
    for (size_t i = 0; i < sizeof weights / sizeof *weights; i++)
        if (weights[i][1] > 0 && weights[i][0] > numbers / weights[i][1])
            return heed__error(err, HEED_EFORMAT,
                               "%s: %lld numbers, too few for the model that config.json tells of",
                               path, (long long)numbers);
    return 0;
}

static heed_classifier *open_once(const char *dir, const heed_open_cfg *cfg, heed_error *err) {
    heed_classifier *c = heed__classifier_new(cfg->isa, cfg->threads, 0, cfg->hooks, err);
    if (!c) return NULL;
    char path[HEED_PATH_SIZE];
    heed_model_cfg m = { 0 };
    int rc = strlen(dir) > HEED_PATH_SIZE - 32
                 ? heed__error(err, HEED_EINVALID, "%.100s...: too long a name", dir)
                 : open_config(c, dir, &m, err);
    if (rc == 0) rc = open_vocab(c, in(path, dir, "vocab.txt"), m.vocab, err);
    if (rc == 0) rc = check_size(c, &m, in(path, dir, "model.safetensors"), err);
    if (rc == 0) rc = heed__classifier_build(c, m, err);
    if (rc == 0) rc = heed_params_load(c->ps, in(path, dir, "model.safetensors"), err);
    /* heed_params_freeze keeps its error in ps */
    if (rc == 0 && heed_ctx_precision(c->cx) == HEED_PRECISION_F32 &&
        heed_params_freeze(c->cx, c->ps) != 0)
        rc = heed__error(err, HEED_ENOMEM, "%s", heed_params_error(c->ps)->msg);
    if (rc == 0) return c;
    heed_classifier_close(c);
    return NULL;
}

heed_classifier *heed_classifier_open(const char *dir, const heed_open_cfg *cfg, heed_error *err) {
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
