/* params_file.c: parameters to a file and back. */
#include "heed/io.h"

#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "io/prefix.h"
#include "tensor/params.h"

#define SCALE ".scale"
enum { NAME_SIZE = 256 };

/* Rooms for what rounded parameters are in the file. */
typedef struct rounded {
    int8_t *number;
    float *scale;
    char *name; /* of the scales */
} rounded;

static void rounded_free(rounded *r, int64_t count, const heed_hooks *hooks) {
    for (int64_t i = 0; r && i < count; i++) {
        heed__free(hooks, r[i].number);
        heed__free(hooks, r[i].scale);
        heed__free(hooks, r[i].name);
    }
    heed__free(hooks, r);
}

/* The two entries of a rounded parameter. 0 or HEED_ENOMEM. */
static int put_rounded(heed_entry entry[2], rounded *r, const heed_tensor *t,
                       const heed_hooks *hooks) {
    const int64_t rows = t->shape[0], n = t->shape[1];
    const size_t size = strlen(t->name) + sizeof SCALE;
    r->number = heed__malloc(hooks, (size_t)t->len);
    r->scale = heed__calloc(hooks, (size_t)rows, sizeof *r->scale);
    r->name = heed__malloc(hooks, size);
    if (!r->number || !r->scale || !r->name) return HEED_ENOMEM;
    heed__format(r->name, size, "%s" SCALE, t->name);
    for (int64_t i = 0; i < rows; i++) {
        const float *row = (const float *)t->data + i * n;
        r->scale[i] = heed__row_scale(row, n);
        heed__row_numbers(r->number + i * n, row, r->scale[i], n);
    }
    entry[0].dtype = HEED_FILE_I8;
    entry[0].data = r->number;
    entry[1] = (heed_entry){
        .name = r->name, .dtype = HEED_FILE_F32, .ndim = 1, .shape = { rows }, .data = r->scale
    };
    return 0;
}

int heed_params_save(const heed_params *ps, const char *path, const heed_meta *meta,
                     heed_error *err) {
    if (heed__lacks(ps, "save", "list of parameters", err) ||
        heed__lacks(path, "save", "path", err))
        return HEED_EINVALID;
    const heed_hooks *hooks = heed__params_hooks(ps);
    const int64_t count = heed_params_count(ps);
    heed_entry *entries = heed__calloc(hooks, (size_t)count, 2 * sizeof *entries);
    rounded *r = heed__calloc(hooks, (size_t)count, sizeof *r);
    int rc = entries && r ? 0 : HEED_ENOMEM;
    int64_t n = 0;
    for (int64_t i = 0; rc == 0 && i < count; i++) {
        const heed_tensor *t = heed_params_at(ps, i);
        entries[n] = (heed_entry){
            .name = t->name, .dtype = HEED_FILE_F32, .ndim = t->ndim, .data = t->data
        };
        memcpy(entries[n].shape, t->shape, sizeof t->shape);
        if (heed__param_rounded(t)) rc = put_rounded(entries + n++, r + i, t, hooks);
        n++;
    }
    if (rc)
        heed__error(err, rc, "out of memory for the header of %s", path);
    else
        rc = heed_safetensors_save(path, entries, n, meta, hooks, err);
    heed__free(hooks, entries);
    rounded_free(r, count, hooks);
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

/* The scales of e, which holds a parameter in 8 bits; NULL: it does not. */
static const heed_entry *scales_of(const heed_safetensors *st, const heed_entry *e) {
    char name[NAME_SIZE];
    if (e->dtype != HEED_FILE_I8 || e->ndim != 2 || strlen(e->name) + sizeof SCALE > sizeof name)
        return NULL;
    heed__format(name, sizeof name, "%s" SCALE, e->name);
    const heed_entry *s = heed_safetensors_find(st, name);
    const bool fits = s && s->dtype == HEED_FILE_F32 && s->ndim == 1 && s->shape[0] == e->shape[0];
    return fits ? s : NULL;
}

/* Whether e is the scales of another tensor, which has what there is to check. */
static bool is_scales(const heed_safetensors *st, const heed_entry *e) {
    char name[NAME_SIZE];
    const size_t size = strlen(e->name), end = strlen(SCALE);
    if (size <= end || size - end >= sizeof name || strcmp(e->name + size - end, SCALE) != 0)
        return false;
    heed__format(name, sizeof name, "%.*s", (int)(size - end), e->name);
    const heed_entry *of = heed_safetensors_find(st, name);
    return of && scales_of(st, of) == e;
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
        if (!t && is_scales(st, e)) continue;
        if (!t)
            return heed__error(err, HEED_EFORMAT, "%s: tensor '%.80s' is not one of the model's",
                               file, e->name + skip);
        bool same = t->ndim == e->ndim;
        for (int d = 0; same && d < t->ndim; d++) same = t->shape[d] == e->shape[d];
        char in_file[96], in_model[96];
        if (!same)
            return heed__error(err, HEED_EFORMAT, "%s: tensor '%.80s' is %s, but the model's is %s",
                               file, t->name, shape_text(e, in_file), heed_shape_text(t, in_model));
        if (!is_float(e->dtype) && !scales_of(st, e))
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

/* Values of w from e, which has as many. */
static void take(heed_tensor *w, const heed_safetensors *st, const heed_entry *e) {
    const heed_entry *s = scales_of(st, e);
    heed__param_set_rounded(w, s != NULL);
    if (!s) {
        heed_entry_f32(e, w->data, NULL);
        return;
    }
    for (int64_t i = 0; i < w->shape[0]; i++) {
        float scale;
        memcpy(&scale, (const unsigned char *)s->data + i * (int64_t)sizeof scale, sizeof scale);
        heed__row_values((float *)w->data + i * w->shape[1],
                         (const int8_t *)e->data + i * w->shape[1], scale, w->shape[1]);
    }
}

bool heed__param_take(heed_tensor *w, const heed_safetensors *st, const char *prefix) {
    const heed_entry *e = heed__find_prefixed(st, prefix, w->name);
    bool same = e && e->ndim == w->ndim && (is_float(e->dtype) || scales_of(st, e));
    for (int d = 0; same && d < w->ndim; d++) same = e->shape[d] == w->shape[d];
    if (same) take(w, st, e);
    return same;
}

void heed__params_take(heed_params *ps, const heed_safetensors *st, const char *prefix) {
    heed__params_drop_panels(ps);
    for (int64_t i = 0; i < heed_params_count(ps); i++) {
        heed_tensor *t = heed_params_at(ps, i);
        take(t, st, heed__find_prefixed(st, prefix, t->name));
    }
}

int heed_params_load(heed_params *ps, const char *path, heed_error *err) {
    if (heed__lacks(ps, "load", "list of parameters", err) ||
        heed__lacks(path, "load", "path", err))
        return HEED_EINVALID;
    heed_error own;
    if (!err) err = &own;
    heed_safetensors *st = heed_safetensors_open(path, heed__params_hooks(ps), err);
    if (!st) return err->code;
    const int rc = heed__params_check(ps, st, "", err);
    if (!rc) heed__params_take(ps, st, "");
    heed_safetensors_close(st);
    return rc;
}
