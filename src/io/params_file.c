/* params_file.c: parameters to a file and back. */
#include "heed/io.h"

#include <string.h>

#include "base/alloc.h"
#include "io/prefix.h"
#include "tensor/params.h"

int heed_params_save(const heed_params *ps, const char *path, const heed_meta *meta,
                     heed_error *err) {
    const heed_hooks *hooks = heed__params_hooks(ps);
    const int64_t count = heed_params_count(ps);
    heed_entry *entries = heed__calloc(hooks, (size_t)count, sizeof *entries);
    if (!entries) return heed__error(err, HEED_ENOMEM, "out of memory for the header of %s", path);
    for (int64_t i = 0; i < count; i++) {
        const heed_tensor *t = heed_params_at(ps, i);
        entries[i] = (heed_entry){
            .name = t->name, .dtype = HEED_FILE_F32, .ndim = t->ndim, .data = t->data
        };
        memcpy(entries[i].shape, t->shape, sizeof t->shape);
    }
    const int rc = heed_safetensors_save(path, entries, count, meta, hooks, err);
    heed__free(hooks, entries);
    return rc;
}

static char *shape_text(const heed_entry *e, char text[96]) {
    heed_tensor t = { .ndim = e->ndim < HEED_MAX_NDIM ? e->ndim : HEED_MAX_NDIM };
    memcpy(t.shape, e->shape, sizeof t.shape);
    return heed_shape_text(&t, text);
}

static bool is_float(heed_file_dtype d) {
    return d == HEED_FILE_F32 || d == HEED_FILE_F16 || d == HEED_FILE_BF16 || d == HEED_FILE_F64;
}

int heed__params_check(const heed_params *ps, const heed_safetensors *st, const char *prefix,
                       heed_error *err) {
    const char *file = heed_safetensors_name(st);
    const size_t skip = strlen(prefix);
    int64_t mine = 0;
    for (int64_t i = 0; i < heed_safetensors_count(st); i++) {
        const heed_entry *e = heed_safetensors_at(st, i);
        if (strncmp(e->name, prefix, skip)) continue;
        const heed_tensor *t = heed_params_find(ps, e->name + skip);
        if (!t)
            return heed__error(err, HEED_EFORMAT, "%s: tensor '%.80s' is not one of the model's",
                               file, e->name + skip);
        bool same = t->ndim == e->ndim;
        for (int d = 0; same && d < t->ndim; d++) same = t->shape[d] == e->shape[d];
        char in_file[96], in_model[96];
        if (!same)
            return heed__error(err, HEED_EFORMAT, "%s: tensor '%.80s' is %s, but the model's is %s",
                               file, t->name, shape_text(e, in_file), heed_shape_text(t, in_model));
        if (!is_float(e->dtype))
            return heed__error(err, HEED_EFORMAT,
                               "%s: tensor '%.80s' is of type %s, which is no kind of weight", file,
                               t->name, heed_file_dtype_name(e->dtype));
        mine++;
    }
    for (int64_t i = 0; mine < heed_params_count(ps) && i < heed_params_count(ps); i++) {
        const heed_tensor *t = heed_params_at(ps, i);
        if (!heed__find_prefixed(st, prefix, t->name))
            return heed__error(err, HEED_EFORMAT, "%s: tensor '%.80s' is missing", file, t->name);
    }
    return 0;
}

void heed__params_take(heed_params *ps, const heed_safetensors *st, const char *prefix) {
    heed__params_drop_panels(ps);
    for (int64_t i = 0; i < heed_params_count(ps); i++) {
        heed_tensor *t = heed_params_at(ps, i);
        heed_entry_f32(heed__find_prefixed(st, prefix, t->name), t->data, NULL);
    }
}

int heed_params_load(heed_params *ps, const char *path, heed_error *err) {
    heed_error own;
    if (!err) err = &own;
    heed_safetensors *st = heed_safetensors_open(path, heed__params_hooks(ps), err);
    if (!st) return err->code;
    const int rc = heed__params_check(ps, st, "", err);
    if (!rc) heed__params_take(ps, st, "");
    heed_safetensors_close(st);
    return rc;
}
