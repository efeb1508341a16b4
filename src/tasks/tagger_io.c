/* tagger_io.c: a tagger's folder: config.json, vocab.txt, model.safetensors. */
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/folder.h"
#include "base/json.h"
#include "base/text.h"
#include "heed/io.h"
#include "io/config.h"
#include "tasks/tagger.h"
#include "tasks/trainer.h"

enum { VOCAB_MOST = 1 << 30 };

static const char *const files[] = { "config.json", "vocab.txt", "model.safetensors", NULL };

static const char *in(char path[HEED_PATH_SIZE], const char *dir, const char *file) {
    heed__format(path, HEED_PATH_SIZE, "%s/%s", dir, file);
    return path;
}

/* -- saving */

static json_t *types_of(const heed_tagger *t) {
    json_t *types = json_array();
    for (int64_t i = 0; types && i < t->types.len; i++)
        if (json_array_append_new(types, json_string(t->types.name[i]))) {
            json_decref(types);
            return NULL;
        }
    return types;
}

static json_t *shape_of(const heed_tag_shape *s) {
    return json_pack("{s:s, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "kind",
                     s->encoder ? "encoder" : "lstm", "crf", (int)s->crf, "embed",
                     (json_int_t)s->embed, "features", (json_int_t)s->features, "field",
                     (json_int_t)s->field, "buckets", (json_int_t)s->buckets, "field_buckets",
                     (json_int_t)s->field_buckets, "hidden", (json_int_t)s->hidden, "layers",
                     (json_int_t)s->layers, "heads", (json_int_t)s->heads);
}

static int save_config(const heed_tagger *t, const char *dir, heed_error *err) {
    json_t *types = types_of(t), *shape = shape_of(&t->shape), *fields = NULL;
    const bool bf16 = heed_ctx_precision(t->cx) == HEED_PRECISION_BF16;
    if (types && shape)
        fields = json_pack("{s:s, s:s*, s:f, s:s, s:I, s:I, s:O, s:O}", "task", "tag", "precision",
                           bf16 ? "bf16" : NULL, "temperature", t->temperature, "scheme",
                           heed__scheme_name(t->scheme), "seed", (json_int_t)t->seed, "epochs",
                           (json_int_t)t->epochs, "model", shape, "types", types);
    json_decref(types);
    json_decref(shape);
    if (!fields) return heed__error(err, HEED_ENOMEM, "%s: out of memory for config.json", dir);
    const int rc = heed__config_save(&t->hooks, dir, HEED_TAGGER_FORMAT, fields, err);
    json_decref(fields);
    return rc;
}

static int save_vocab(const heed_tagger *t, const char *path, heed_error *err) {
    size_t size = 0;
    char *text = heed__vocab_text(t->vocab, &size);
    if (!text) return heed__error(err, HEED_ENOMEM, "%s: out of memory", path);
    const int rc = heed__file_write(&t->hooks, path, text, size, err);
    heed__free(&t->hooks, text);
    return rc;
}

int heed__tagger_check_folder(const char *dir, heed_error *err) {
    return heed__folder_check(dir, files, err);
}

int heed_tagger_save(const heed_tagger *t, const char *dir, heed_error *err) {
    if (heed__lacks(t, "save", "tagger", err) || heed__lacks(dir, "save", "folder", err))
        return HEED_EINVALID;
    heed_folder f;
    char path[HEED_PATH_SIZE];
    int rc = heed__folder_begin(&f, dir, files, err);
    if (rc) return rc;
    rc = save_config(t, f.work, err);
    if (rc == 0) rc = save_vocab(t, in(path, f.work, "vocab.txt"), err);
    if (rc == 0) rc = heed_params_save(t->ps, in(path, f.work, "model.safetensors"), NULL, err);
    if (rc == 0) {
        rc = heed__folder_commit(&f, err);
        if (rc == 0) heed__run_forget(&t->left);
        return rc;
    }
    heed__folder_abort(&f);
    return rc;
}

/* -- opening */

static int open_types(heed_tagger *t, const json_t *tree, const char *path, heed_error *err) {
    const json_t *list = json_object_get(tree, "types");
    const size_t n = json_array_size(list);
    if (n < 1 || n > HEED_TAGGER_MAX_TYPES)
        return heed__error(err, HEED_EFORMAT, "%s: types is no list of 1 to %d types", path,
                           HEED_TAGGER_MAX_TYPES);
    for (size_t i = 0; i < n; i++) {
        const char *text = json_string_value(json_array_get(list, i));
        if (!text || (i && strcmp(t->types.name[i - 1], text) >= 0))
            return heed__error(err, HEED_EFORMAT, "%s: types[%zu] is no text in rising order", path,
                               i);
        const size_t size = strlen(text);
        if (heed__control_at(text, size) != size)
            return heed__error(err, HEED_EFORMAT, "%s: types[%zu] holds a control character", path,
                               i);
        if (heed__types_add(&t->types, text))
            return heed__error(err, HEED_ENOMEM, "%s: out of memory", path);
    }
    return 0;
}

static int open_shape(heed_tagger *t, const json_t *tree, const char *path, heed_error *err) {
    static const char *const keys[] = { "kind",  "crf",           "embed",  "features",
                                        "field", "buckets",       "hidden", "layers",
                                        "heads", "field_buckets", NULL };
    heed_tag_shape *s = &t->shape;
    const json_t *model = json_object_get(tree, "model");
    if (!json_is_object(model))
        return heed__error(err, HEED_EFORMAT, "%s: model is missing or no object", path);
    heed_fields f = { .object = model, .name = path, .err = err };
    heed__fields_only(&f, keys);
    const char *kind = heed__field_text(&f, "kind");
    s->encoder = strcmp(kind, "encoder") == 0;
    if (f.status == 0 && !s->encoder && strcmp(kind, "lstm") != 0)
        f.status = heed__error(err, HEED_EUNSUPPORTED, "%s: a tagger of kind '%.40s' is unknown",
                               path, kind);
    s->crf = heed__field_bool(&f, "crf");
    s->embed = heed__field_int(&f, "embed", 1, HEED_TAGGER_MAX_WIDTH);
    s->features = heed__field_int(&f, "features", 1, HEED_TAGGER_MAX_WIDTH);
    s->field = heed__field_int(&f, "field", 1, HEED_TAGGER_MAX_WIDTH);
    s->buckets = heed__field_int(&f, "buckets", 2, HEED_TAGGER_MAX_ROWS);
    s->field_buckets = heed__field_int(&f, "field_buckets", 2, HEED_TAGGER_MAX_ROWS);
    s->hidden = heed__field_int(&f, "hidden", 1, HEED_TAGGER_MAX_WIDTH);
    s->layers = heed__field_int(&f, "layers", 1, 8);
    s->heads = heed__field_int(&f, "heads", 1, 64);
    return f.status;
}

static int open_config(heed_tagger *t, const char *dir, heed_error *err) {
    static const char *const keys[] = { "format_version", "precision", "task",   "scheme",
                                        "temperature",    "seed",      "epochs", "model",
                                        "types",          NULL };
    char path[HEED_PATH_SIZE];
    json_t *tree = heed__config_load(&t->hooks, dir, INT32_MAX, err); /* the task is told first */
    if (!tree) return err->code;
    heed_fields f = { .object = tree, .name = in(path, dir, "config.json"), .err = err };
    const char *task = heed__field_text(&f, "task");
    if (f.status == 0 && strcmp(task, "tag") != 0)
        f.status = heed__error(err, HEED_EUNSUPPORTED, "%s: a model for the task '%.40s', not tag",
                               path, task);
    const int64_t version = heed__field_int(&f, "format_version", 1, INT32_MAX);
    if (f.status == 0 && version > HEED_TAGGER_FORMAT)
        f.status = heed__error(err, HEED_EUNSUPPORTED,
                               "%s: format_version %lld is newer than this program, which reads up "
                               "to %d",
                               path, (long long)version, HEED_TAGGER_FORMAT);
    if (f.status == 0) heed__fields_only(&f, keys);
    const char *precision = heed__field_has(&f, "precision") ? heed__field_text(&f, "precision")
                                                             : "f32";
    const bool bf16 = strcmp(precision, "bf16") == 0;
    if (f.status == 0 && !bf16 && strcmp(precision, "f32") != 0)
        f.status = heed__error(err, HEED_EFORMAT, "%s: precision '%.40s' is neither f32 nor bf16",
                               path, precision);
    heed_ctx_set_precision(t->cx, bf16 ? HEED_PRECISION_BF16 : HEED_PRECISION_F32);
    t->temperature = heed__field_number(&f, "temperature");
    if (f.status == 0 && !(t->temperature > 0.01 && t->temperature < 100))
        f.status = heed__error(err, HEED_EFORMAT, "%s: temperature is not within 0.01 to 100",
                               path);
    const char *scheme = heed__field_text(&f, "scheme");
    if (f.status == 0 && !heed__scheme_find(scheme, &t->scheme))
        f.status = heed__error(err, HEED_EFORMAT, "%s: no scheme '%.40s'", path, scheme);
    t->seed = (uint64_t)heed__field_int(&f, "seed", INT64_MIN, INT64_MAX);
    t->epochs = heed__field_int(&f, "epochs", 0, HEED_FIT_MAX_EPOCHS);
    int rc = f.status;
    if (rc == 0) rc = open_types(t, tree, path, err);
    if (rc == 0) rc = open_shape(t, tree, path, err);
    json_decref(tree);
    return rc;
}

static int open_vocab(heed_tagger *t, const char *path, heed_error *err) {
    char *text = NULL;
    size_t size = 0;
    int rc = heed__file_regular(path, err);
    if (rc == 0) rc = heed__file_read(&t->hooks, path, VOCAB_MOST, &text, &size, err);
    if (rc) return rc;
    t->vocab = heed__vocab_parse(text, size, path, &t->hooks, err);
    heed__free(&t->hooks, text);
    return t->vocab ? 0 : err->code;
}

/* Refuses a config whose weights have more numbers than the file, before room is made and filled
 * for a model of that size: a few bytes of config.json must not cost gigabytes. */
static int check_size(const heed_tagger *t, const char *path, heed_error *err) {
    heed_safetensors *st = heed_safetensors_open(path, &t->hooks, err);
    if (!st) return err->code;
    int64_t numbers = 0;
    for (int64_t i = 0; i < heed_safetensors_count(st); i++)
        numbers += heed_safetensors_at(st, i)->len;
    heed_safetensors_close(st);
    const heed_tag_shape *s = &t->shape;
    const int64_t K = heed__inner_tags(t->types.len), in_width = s->embed + s->features;
    const int64_t weights[][2] = { { heed__vocab_len(t->vocab), s->embed },
                                   { s->buckets, s->features },
                                   { s->field_buckets, s->field },
                                   { s->hidden, s->hidden },
                                   { s->hidden, in_width },
                                   { s->layers, s->hidden },
                                   { K, s->hidden },
                                   { K, s->crf ? K : 1 } };
    for (size_t i = 0; i < sizeof weights / sizeof *weights; i++)
        if (weights[i][0] > numbers / weights[i][1])
            return heed__error(err, HEED_EFORMAT,
                               "%s: %lld numbers, too few for the model that config.json tells of",
                               path, (long long)numbers);
    return 0;
}

/* What a layer calls a wrong setting is a wrong file here. NULL. */
static heed_tagger *refused(heed_tagger *t, const char *dir, int rc, heed_error *err) {
    if (rc && strlen(dir) <= HEED_PATH_SIZE - 32) heed__config_blame(dir, err);
    heed_tagger_close(t);
    return NULL;
}

heed_tagger *heed__tagger_open_shape(const char *dir, const heed_open_cfg *cfg, heed_error *err) {
    heed_tagger *t = heed__tagger_new(cfg->isa, cfg->threads, 0, cfg->hooks, err);
    if (!t) return NULL;
    char path[HEED_PATH_SIZE];
    int rc = strlen(dir) > HEED_PATH_SIZE - 32
                 ? heed__error(err, HEED_EINVALID, "%.100s...: too long a name", dir)
                 : open_config(t, dir, err);
    if (rc == 0) rc = open_vocab(t, in(path, dir, "vocab.txt"), err);
    if (rc == 0) rc = check_size(t, in(path, dir, "model.safetensors"), err);
    return rc == 0 ? t : refused(t, dir, rc, err);
}

static heed_tagger *open_once(const char *dir, const heed_open_cfg *cfg, heed_error *err) {
    heed_tagger *t = heed__tagger_open_shape(dir, cfg, err);
    if (!t) return NULL;
    char path[HEED_PATH_SIZE];
    int rc = heed__tagger_build(t, err);
    if (rc == 0) rc = heed_params_load(t->ps, in(path, dir, "model.safetensors"), err);
    /* heed_params_freeze keeps its error in ps */
    if (rc == 0 && heed_ctx_precision(t->cx) == HEED_PRECISION_F32 &&
        heed_params_freeze(t->cx, t->ps) != 0)
        rc = heed__error(err, HEED_ENOMEM, "%s", heed_params_error(t->ps)->msg);
    if (rc == 0) rc = heed__tagger_ready(t, err);
    return rc == 0 ? t : refused(t, dir, rc, err);
}

heed_tagger *heed_tagger_open(const char *dir, const heed_open_cfg *cfg, heed_error *err) {
    if (heed__lacks(dir, "open", "folder", err)) return NULL;
    const heed_open_cfg plain = { 0 };
    heed_error own;
    if (!cfg) cfg = &plain;
    if (!err) err = &own;
    for (;;) { /* again where the folder was replaced while its files were read */
        const heed_folder_id before = heed__folder_id(dir);
        heed_tagger *t = open_once(dir, cfg, err);
        if (heed__folder_same(before, heed__folder_id(dir))) return t;
        heed_tagger_close(t);
    }
}
