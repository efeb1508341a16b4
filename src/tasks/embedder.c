/* embedder.c: an embedder: its folder, and vectors of texts. The folder has config.json,
 * model.safetensors and the files of the body. */
#include "tasks/embedder.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/folder.h"
#include "base/json.h"
#include "base/text.h"
#include "heed/io.h"
#include "io/config.h"
#include "models/parts.h"
#include "tensor/params.h"

static const char *in(char path[HEED_PATH_SIZE], const char *dir, const char *file) {
    heed__format(path, HEED_PATH_SIZE, "%s/%s", dir, file);
    return path;
}

heed_embedder *heed__embedder_new(const char *isa, int threads, uint64_t seed,
                                  const heed_hooks *hooks, heed_error *err) {
    heed_embedder *e = heed__calloc(hooks, 1, sizeof *e);
    if (!e) {
        heed__error(err, HEED_ENOMEM, "embedder: out of memory");
        return NULL;
    }
    e->c = heed__classifier_new(isa, threads, seed, hooks, err);
    if (e->c) {
        e->c->windows = true;
        return e;
    }
    heed__free(hooks, e);
    return NULL;
}

void heed_embedder_close(heed_embedder *e) {
    if (!e) return;
    const heed_hooks hooks = e->c->hooks;
    heed_classifier_close(e->c);
    heed__free(&hooks, e);
}

int heed__embedder_declared(const heed_embedder *e, heed_error *err) {
    const heed_error *why = heed_params_error(e->c->ps);
    return why ? heed__error(err, why->code, "%s", why->msg) : 0;
}

/* -- saving ----------------------------------------------------------------------------------- */

static int save_config(const heed_embedder *e, const char *dir, heed_error *err) {
    const heed_classifier *c = e->c;
    json_t *body = c->body->kind->config(c->body), *fields = NULL;
    const bool bf16 = heed_ctx_precision(c->cx) == HEED_PRECISION_BF16;
    if (body)
        fields = json_pack("{s:s, s:s, s:s*, s:I, s:f, s:I, s:I, s:O}", "task", "embed", "recipe",
                           c->body->kind->name, "precision", bf16 ? "bf16" : NULL, "max_len",
                           (json_int_t)c->max_len, "temperature", e->temperature, "seed",
                           (json_int_t)c->seed, "epochs", (json_int_t)c->epochs, "body", body);
    json_decref(body);
    if (!fields) return heed__error(err, HEED_ENOMEM, "%s: out of memory for config.json", dir);
    const int rc = heed__config_save(&c->hooks, dir, HEED_EMBEDDER_FORMAT, fields, err);
    json_decref(fields);
    return rc;
}

int heed__embedder_check_folder(const char *dir, heed_error *err) {
    const char *files[HEED_BODY_FILES + 1];
    heed__body_folder(files);
    return heed__folder_check(dir, files, err);
}

int heed_embedder_save(const heed_embedder *e, const char *dir, heed_error *err) {
    if (heed__lacks(e, "save", "embedder", err) || heed__lacks(dir, "save", "folder", err))
        return HEED_EINVALID;
    heed_folder f;
    char path[HEED_PATH_SIZE];
    const char *files[HEED_BODY_FILES + 1];
    if (e->borrowed)
        return heed__error(err, HEED_EUNSUPPORTED,
                           "%s: a classifier's vectors are saved with the "
                           "classifier",
                           dir);
    heed__body_folder(files);
    int rc = heed__folder_begin(&f, dir, files, err);
    if (rc) return rc;
    rc = save_config(e, f.work, err);
    if (rc == 0) rc = e->c->body->kind->save(e->c->body, f.work, err);
    if (rc == 0) rc = heed_params_save(e->c->ps, in(path, f.work, "model.safetensors"), NULL, err);
    if (rc == 0) {
        rc = heed__folder_commit(&f, err);
        if (rc == 0) heed__run_forget(&e->c->left);
        return rc;
    }
    heed__folder_abort(&f);
    return rc;
}

/* -- opening ---------------------------------------------------------------------------------- */

/* No more numbers than the file has may be declared. */
static int limit_size(heed_classifier *c, const char *path, heed_error *err) {
    heed_safetensors *st = heed_safetensors_open(path, &c->hooks, err);
    if (!st) return err->code;
    int64_t numbers = 0;
    for (int64_t i = 0; i < heed_safetensors_count(st); i++)
        numbers += heed_safetensors_at(st, i)->len;
    heed_safetensors_close(st);
    heed__params_limit(c->ps, numbers);
    return 0;
}

static int open_tree(heed_embedder *e, const json_t *tree, const char *dir, heed_error *err) {
    static const char *const keys[] = { "format_version", "task", "recipe", "precision", "max_len",
                                        "temperature",    "seed", "epochs", "body",      NULL };
    heed_classifier *c = e->c;
    char path[HEED_PATH_SIZE];
    heed_fields f = { .object = tree, .name = in(path, dir, "config.json"), .err = err };
    const int64_t version = heed__field_int(&f, "format_version", 1, INT32_MAX);
    if (f.status == 0 && version > HEED_EMBEDDER_FORMAT)
        f.status = heed__error(err, HEED_EUNSUPPORTED,
                               "%s: format_version %lld is newer than this program, which reads up "
                               "to %d",
                               path, (long long)version, HEED_EMBEDDER_FORMAT);
    if (f.status == 0) heed__fields_only(&f, keys);
    const char *recipe = heed__field_text(&f, "recipe");
    const char *precision = heed__field_has(&f, "precision") ? heed__field_text(&f, "precision")
                                                             : "f32";
    const bool bf16 = strcmp(precision, "bf16") == 0;
    if (f.status == 0 && !bf16 && strcmp(precision, "f32") != 0)
        f.status = heed__error(err, HEED_EFORMAT, "%s: precision '%.40s' is neither f32 nor bf16",
                               path, precision);
    c->max_len = heed__field_int(&f, "max_len", 1, HEED_BODY_MAX_LEN);
    c->seed = (uint64_t)heed__field_int(&f, "seed", INT64_MIN, INT64_MAX);
    c->epochs = heed__field_int(&f, "epochs", 0, HEED_FIT_MAX_EPOCHS);
    e->temperature = heed__field_number(&f, "temperature");
    const heed_body_kind *kind = f.status ? NULL : heed__body_kind_find(recipe);
    const json_t *body = json_object_get(tree, "body");
    if (f.status) return f.status;
    if (!kind)
        return heed__error(err, HEED_EUNSUPPORTED, "%s: there is no recipe '%.40s'", path, recipe);
    if (!heed__temperature_is_sound(e->temperature))
        return heed__error(err, HEED_EFORMAT, "%s: temperature is not from 1e-6 to 1e6", path);
    if (!json_is_object(body))
        return heed__error(err, HEED_EFORMAT, "%s: body is missing or no object", path);
    heed_ctx_set_precision(c->cx, bf16 ? HEED_PRECISION_BF16 : HEED_PRECISION_F32);
    const heed_body_cfg cfg = { .max_len = c->max_len, .keep = HEED_KEEP_HEAD };
    c->body = heed__body_new(kind, &cfg, c->ps, &c->hooks, err);
    if (!c->body) return HEED_ENOMEM;
    int rc = limit_size(c, in(path, dir, "model.safetensors"), err);
    if (rc == 0) rc = kind->load(c->body, body, dir, err);
    return rc ? rc : heed__embedder_declared(e, err);
}

int heed__embedder_open_config(heed_embedder *e, const char *dir, heed_error *err) {
    json_t *tree = heed__config_load(&e->c->hooks, dir, INT32_MAX, err);
    if (!tree) return err->code;
    const int rc = open_tree(e, tree, dir, err);
    json_decref(tree);
    return rc;
}

static int load(heed_embedder *e, const json_t *tree, const char *dir, heed_error *err) {
    char path[HEED_PATH_SIZE];
    heed_classifier *c = e->c;
    int rc = open_tree(e, tree, dir, err);
    if (rc == 0) rc = heed_params_load(c->ps, in(path, dir, "model.safetensors"), err);
    if (rc == 0 && heed_ctx_precision(c->cx) == HEED_PRECISION_F32 &&
        heed_params_freeze(c->cx, c->ps) != 0)
        rc = heed__error(err, HEED_ENOMEM, "%s", heed_params_error(c->ps)->msg);
    if (rc == 0) rc = heed__body_memo(c->cx, c->body, &c->memo, err);
    return rc ? heed__config_blame(dir, err) : 0;
}

/* A classifier's body, which reads all of a text. */
static heed_embedder *borrow(const char *dir, const heed_open_cfg *cfg, heed_error *err) {
    heed_classifier *c = heed_classifier_open(dir, cfg, err);
    heed_embedder *e = c ? heed__calloc(cfg->hooks, 1, sizeof *e) : NULL;
    if (e) {
        *e = (heed_embedder){ .c = c, .temperature = 0.05, .borrowed = true };
        c->windows = true;
        c->head.cfg.pairs = false; /* no head is asked; each text stands alone */
        return e;
    }
    if (c) heed__error(err, HEED_ENOMEM, "%s: out of memory", dir);
    heed_classifier_close(c);
    return NULL;
}

static heed_embedder *open_once(const char *dir, const heed_open_cfg *cfg, heed_error *err) {
    json_t *tree = heed__config_load(cfg->hooks, dir, INT32_MAX, err);
    if (!tree) return NULL;
    heed_fields f = { .object = tree, .name = dir, .err = err };
    const char *task = heed__field_text(&f, "task");
    heed_embedder *e = NULL;
    int rc = f.status;
    if (rc == 0 && strcmp(task, "classify") == 0) {
        e = borrow(dir, cfg, err);
    } else if (rc == 0 && strcmp(task, "embed") != 0) {
        heed__error(err, HEED_EUNSUPPORTED,
                    "%s/config.json: a model for the task '%.40s' gives no vectors of texts", dir,
                    task);
    } else if (rc == 0) {
        e = heed__embedder_new(cfg->isa, cfg->threads, 0, cfg->hooks, err);
        if (e && load(e, tree, dir, err)) {
            heed_embedder_close(e);
            e = NULL;
        }
    }
    json_decref(tree);
    return e;
}

heed_embedder *heed_embedder_open(const char *dir, const heed_open_cfg *cfg, heed_error *err) {
    if (heed__lacks(dir, "open", "folder", err)) return NULL;
    const heed_open_cfg plain = { 0 };
    heed_error own;
    if (!cfg) cfg = &plain;
    if (!err) err = &own;
    if (strlen(dir) > HEED_PATH_SIZE - 64) {
        heed__error(err, HEED_EINVALID, "%.100s...: too long a name", dir);
        return NULL;
    }
    for (;;) { /* again where the folder was replaced while its files were read */
        const heed_folder_id before = heed__folder_id(dir);
        heed_embedder *e = open_once(dir, cfg, err);
        if (heed__folder_same(before, heed__folder_id(dir))) return e;
        heed_embedder_close(e);
    }
}

int64_t heed_embedder_dim(const heed_embedder *e) {
    return e ? e->c->body->dim : 0;
}

int64_t heed_embedder_parameters(const heed_embedder *e) {
    return e ? heed_params_len(e->c->ps) : 0;
}

const char *heed_embedder_recipe(const heed_embedder *e) {
    return e ? e->c->body->kind->name : NULL;
}

/* -- vectors ---------------------------------------------------------------------------------- */

void heed__unit_rows(float *v, int64_t len, int64_t dim) {
    for (int64_t i = 0; i < len; i++, v += dim) {
        double sum = 0;
        for (int64_t k = 0; k < dim; k++) sum += (double)v[k] * (double)v[k];
        const double length = sqrt(sum);
        for (int64_t k = 0; length > 0 && k < dim; k++) v[k] = (float)((double)v[k] / length);
    }
}

int heed_embedder_apply(heed_embedder *e, int64_t len, const char *const *text, float *out,
                        heed_error *err) {
    if (heed__lacks(e, "embed", "embedder", err) ||
        heed__lacks_list(text, len, "embed", "texts", err) ||
        heed__lacks_room(out, len, "embed", "vectors", err) ||
        heed__lacks_any(text, len, "encode", "text", err))
        return HEED_EINVALID;
    heed_classifier *c = e->c;
    heed_error own;
    if (!err) err = &own;
    const heed_examples all = { .len = len, .text = text };
    int64_t begin = 0, end = len;
    if (c->rehearses) {
        memset(out, 0, (size_t)(len * c->body->dim) * sizeof *out);
        heed__largest_piece(&all, &begin, &end);
    }
    for (int64_t at = begin, n; at < end; at += n) {
        n = heed__piece(&all, at);
        const heed_texts x = { .len = n, .text = text + at };
        const heed_rows_cfg cfg = { .memo = c->memo }; /* all of it; windows cut it */
        heed_rows rows;
        int rc = heed__body_encode(c->body, &x, &cfg, &rows, err);
        if (rc) return rc;
        rc = heed__classifier_vectors(c, &rows, out + at * c->body->dim, err);
        heed__rows_free(&rows);
        if (rc) return rc;
        heed__unit_rows(out + at * c->body->dim, x.len, c->body->dim);
    }
    return 0;
}
