/* attend_io.c: what the recipe `attend` keeps beside its parameters: its sizes in config.json, and
 * features.safetensors with the keys of its features, their idf, and the evidence. */
#include <string.h>

#include "base/alloc.h"
#include "base/folder.h"
#include "base/json.h"
#include "base/text.h"
#include "tasks/body_attend.h"

json_t *heed__attend_config(const heed_body *b) {
    const heed_attend *a = (const heed_attend *)b;
    json_t *tree = json_pack("{s:I, s:I, s:f, s:I, s:i, s:i, s:b, s:i, s:i}", "dim",
                             (json_int_t)a->dim, "heads", (json_int_t)a->heads, "dropout",
                             a->dropout, "rows", (json_int_t)a->rows, "run", a->features.run,
                             "ideograms", a->features.ideograms, "gaps", a->features.gaps, "least",
                             a->features.least, "most", a->features.most);
    int bad = tree ? 0 : -1;
    if (!bad && a->mean) bad = json_object_set_new(tree, "mean", json_true());
    if (!bad && a->features.far)
        bad = json_object_set_new(tree, "far", json_integer(a->features.far));
    if (!bad) return tree;
    json_decref(tree);
    return NULL;
}

int heed__attend_save(const heed_body *b, const char *dir, heed_error *err) {
    const heed_attend *a = (const heed_attend *)b;
    char path[HEED_PATH_SIZE];
    heed_entry entry[6] = { { .name = "key",
                              .dtype = HEED_FILE_U32,
                              .ndim = 1,
                              .shape = { a->index.len },
                              .data = a->index.key },
                            { .name = "idf",
                              .dtype = HEED_FILE_F32,
                              .ndim = 1,
                              .shape = { a->index.len },
                              .data = a->index.idf } };
    const int n = 2 + heed__evidence_entries(&a->evidence, entry + 2);
    heed__format(path, sizeof path, "%s/features.safetensors", dir);
    return heed_safetensors_save(path, entry, n, NULL, &b->hooks, err);
}

/* Keys and idf. */
static int read_index(heed_attend *a, const heed_safetensors *st, heed_error *err) {
    const heed_entry *key = heed_safetensors_find(st, "key");
    const heed_entry *idf = heed_safetensors_find(st, "idf");
    const heed_hooks *hooks = &a->body.hooks;
    if (!key || !idf || key->dtype != HEED_FILE_U32 || idf->dtype != HEED_FILE_F32 ||
        key->ndim != 1 || idf->ndim != 1 || key->len != idf->len || key->len > INT32_MAX)
        return heed__error(err, HEED_EFORMAT, "%s: key and idf are not there as they should be",
                           heed_safetensors_name(st));
    uint32_t *keys = heed__calloc(hooks, (size_t)key->len, sizeof *keys);
    float *weights = heed__calloc(hooks, (size_t)key->len, sizeof *weights);
    int rc = keys && weights ? 0 : HEED_ENOMEM;
    if (rc == 0) rc = heed_entry_f32(idf, weights, err);
    if (rc) {
        heed__free(hooks, keys);
        heed__free(hooks, weights);
        return heed__error(err, rc, "%s: out of memory", heed_safetensors_name(st));
    }
    if (key->size) memcpy(keys, key->data, key->size);
    rc = heed__index_from(&a->index, keys, weights, key->len, hooks);
    if (rc == HEED_EINVALID)
        return heed__error(err, HEED_EFORMAT, "%s: the keys do not rise",
                           heed_safetensors_name(st));
    return rc ? heed__error(err, rc, "%s: out of memory", heed_safetensors_name(st)) : 0;
}

static int read_file(heed_attend *a, const char *dir, heed_error *err) {
    char path[HEED_PATH_SIZE];
    heed__format(path, sizeof path, "%s/features.safetensors", dir);
    heed_safetensors *st = heed_safetensors_open(path, &a->body.hooks, err);
    if (!st) return err->code;
    int rc = read_index(a, st, err);
    if (rc == 0) rc = heed__evidence_read(&a->evidence, st, &a->index, &a->body.hooks, err);
    heed_safetensors_close(st);
    return rc;
}

int heed__attend_load(heed_body *b, const json_t *config, const char *dir, heed_error *err) {
    static const char *const keys[] = { "dim",  "heads", "dropout", "rows", "run", "ideograms",
                                        "gaps", "least", "most",    "mean", "far", NULL };
    heed_attend *a = (heed_attend *)b;
    char path[HEED_PATH_SIZE];
    heed__format(path, sizeof path, "%s/config.json", dir);
    heed_fields f = { .object = config, .name = path, .err = err };
    heed__fields_only(&f, keys);
    a->dim = heed__field_int(&f, "dim", 1, HEED_ATTEND_MOST_WIDTH);
    a->heads = heed__field_int(&f, "heads", 1, HEED_ATTEND_MOST_HEADS);
    a->dropout = heed__field_number(&f, "dropout");
    a->mean = heed__field_has(&f, "mean") && heed__field_bool(&f, "mean");
    a->rows = heed__field_int(&f, "rows", 0, INT32_MAX);
    a->features.run = (int)heed__field_int(&f, "run", 1, 16);
    a->features.ideograms = (int)heed__field_int(&f, "ideograms", 1, 16);
    a->features.gaps = heed__field_bool(&f, "gaps");
    a->features.least = (int)heed__field_int(&f, "least", 1, 64);
    a->features.most = (int)heed__field_int(&f, "most", 0, 64);
    if (heed__field_has(&f, "far")) a->features.far = (int)heed__field_int(&f, "far", 1, 64);
    if (f.status) return f.status;
    if (!(a->dropout >= 0 && a->dropout < 1))
        return heed__error(err, HEED_EFORMAT, "%s: body.dropout is outside 0..1", path);
    b->cfg.embed = a->dim;
    b->cfg.heads = a->heads;
    b->cfg.dropout = a->dropout;
    const int rc = read_file(a, dir, err);
    if (rc) return rc;
    if (a->rows > a->index.len)
        return heed__error(err, HEED_EFORMAT, "%s: body.rows is more than the %lld features", path,
                           (long long)a->index.len);
    return heed__attend_build(a, err);
}
