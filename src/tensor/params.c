/* params.c: named parameters in one flat block, their gradients in another.
 *
 * Each parameter begins at a multiple of 16 floats; what lies between is zero. The block of values
 * grows by doubling while parameters are declared (the part that is not used is never touched and
 * so takes no memory). The block of gradients is made exactly at the first backward and leaves out
 * tables with row-sparse gradients. Zeroing gradients only forgets them: the next backward
 * overwrites what it touches first. A third block, made by heed_params_freeze, holds weights in the
 * panels of gemm.h. */
#include "base/hash.h"
#include "base/text.h"
#include "kernels/gemm.h"
#include "tensor/params.h"

#include <stdarg.h>
#include <string.h>

enum { ALIGN = 16 };

/* One parameter. The tensor comes first: a heed_tensor with a name is a slot. */
typedef struct slot {
    heed_tensor t;
    heed_params *owner;
    int64_t at;      /* of the values, in floats from the block's begin */
    int64_t grad_at; /* of the gradient; -1: not in the block */
    uint64_t hash;
    bool table, weight; /* rows are looked up in it; it is multiplied with */
    bool rounded;       /* to 8 bits a number */
    char name[];
} slot;

struct heed_params {
    heed_hooks hooks;
    uint64_t seed;
    heed_error error;
    slot **slot;
    int64_t count, slot_cap, len;
    int64_t most; /* numbers that may be declared, where limited */
    bool limited;
    float *data, *grad;
    int64_t used, cap; /* of data, in floats */
    int64_t grad_used;
    float *panels; /* of frozen weights, or NULL */
    heed_arena arena;
};

void heed__params_limit(heed_params *ps, int64_t most) {
    ps->limited = most >= 0;
    ps->most = most;
}

const heed_hooks *heed__params_hooks(const heed_params *ps) {
    return &ps->hooks;
}

heed_params *heed_params_new(const heed_params_cfg *cfg, heed_error *err) {
    const heed_params_cfg none = { 0 };
    if (!cfg) cfg = &none;
    if (err) *err = (heed_error){ 0 };
    heed_params *ps = heed__calloc(cfg->hooks, 1, sizeof *ps);
    if (!ps) {
        heed__error(err, HEED_ENOMEM, "out of memory for parameters");
        return NULL;
    }
    if (cfg->hooks) ps->hooks = *cfg->hooks;
    ps->seed = cfg->seed;
    heed__arena_init(&ps->arena, cfg->hooks);
    return ps;
}

void heed_params_free(heed_params *ps) {
    if (!ps) return;
    const heed_hooks hooks = ps->hooks;
    for (int64_t i = 0; i < ps->count; i++) {
        heed__sparse_free(ps->slot[i]->t.sparse);
        heed__free(&hooks, ps->slot[i]);
    }
    heed__arena_free(&ps->arena);
    heed__free(&hooks, ps->slot);
    heed__aligned_free(&hooks, ps->data);
    heed__aligned_free(&hooks, ps->grad);
    heed__aligned_free(&hooks, ps->panels);
    heed__free(&hooks, ps);
}

int heed_params_fail(heed_params *ps, int code, const char *format, ...) {
    if (!ps) return code;
    if (ps->error.code) return code;
    ps->error.code = code;
    va_list args;
    va_start(args, format);
    heed__vformat(ps->error.msg, sizeof ps->error.msg, format, args);
    va_end(args);
    heed__text_tidy(ps->error.msg);
    return code;
}

void *heed_params_alloc(heed_params *ps, int64_t count, size_t size) {
    if (!ps || ps->error.code) return NULL;
    void *p = NULL;
    if (count >= 0 && (!size || (uint64_t)count <= PTRDIFF_MAX / 2 / size))
        p = heed__arena_alloc(&ps->arena, (size_t)count * size);
    if (!p) {
        heed_params_fail(ps, HEED_ENOMEM, "out of memory for %lld items of %zu bytes of a layer",
                         (long long)count, size);
        return NULL;
    }
    return memset(p, 0, (size_t)count * size);
}

/* -- the blocks ------------------------------------------------------------------------------- */

static int64_t padded(int64_t len) {
    return (len + ALIGN - 1) / ALIGN * ALIGN;
}

static void zero_padding(float *block, int64_t at, int64_t len) {
    memset(block + at + len, 0, (size_t)(padded(len) - len) * sizeof(float));
}

/* Makes the block of values hold `need` floats, moving it if it must. */
static int reserve(heed_params *ps, int64_t need) {
    if (need <= ps->cap) return 0;
    int64_t cap = ps->cap < 1024 ? 1024 : ps->cap;
    while (cap < need) cap = cap > PTRDIFF_MAX / 16 ? need : cap * 2;
    float *data = heed__aligned(&ps->hooks, (size_t)cap * sizeof(float));
    if (!data) return HEED_ENOMEM;
    if (ps->used) memcpy(data, ps->data, (size_t)ps->used * sizeof(float));
    heed__aligned_free(&ps->hooks, ps->data);
    ps->data = data;
    ps->cap = cap;
    for (int64_t i = 0; i < ps->count; i++) ps->slot[i]->t.data = data + ps->slot[i]->at;
    return 0;
}

/* Makes the block of gradients for all parameters there are, keeping what it held. */
static int make_grads(heed_params *ps) {
    int64_t used = 0;
    for (int64_t i = 0; i < ps->count; i++)
        if (!ps->slot[i]->t.sparse) used += padded(ps->slot[i]->t.len);
    float *grad = heed__aligned(&ps->hooks, (size_t)used * sizeof(float));
    if (!grad) return HEED_ENOMEM;
    int64_t at = 0;
    for (int64_t i = 0; i < ps->count; i++) {
        slot *s = ps->slot[i];
        s->grad_at = s->t.sparse ? -1 : at;
        if (s->t.sparse) continue;
        zero_padding(grad, at, s->t.len);
        if (s->t.grad) {
            memcpy(grad + at, s->t.grad, (size_t)s->t.len * sizeof(float));
            s->t.grad = grad + at;
        }
        at += padded(s->t.len);
    }
    heed__aligned_free(&ps->hooks, ps->grad);
    ps->grad = grad;
    ps->grad_used = used;
    return 0;
}

float *heed__param_grad(heed_ctx *cx, heed_tensor *t) {
    slot *s = (slot *)t;
    if (!s->owner->grad && make_grads(s->owner)) {
        heed_fail(cx, HEED_ENOMEM, "out of memory for the gradients of %lld parameters",
                  (long long)s->owner->count);
        return NULL;
    }
    return s->owner->grad + s->grad_at;
}

/* -- declaring -------------------------------------------------------------------------------- */

/* Then the last steps of SplitMix64 so that every bit depends on all. */
static uint64_t hash_name(const char *name) {
    uint64_t h = heed__hash_text(HEED_HASH_BEGIN, name);
    h = (h ^ (h >> 30)) * 0xbf58476d1ce4e5b9u;
    h = (h ^ (h >> 27)) * 0x94d049bb133111ebu;
    return h ^ (h >> 31);
}

static slot *find(const heed_params *ps, const char *name) {
    const uint64_t hash = hash_name(name);
    for (int64_t i = 0; i < ps->count; i++)
        if (ps->slot[i]->hash == hash && !strcmp(ps->slot[i]->name, name)) return ps->slot[i];
    return NULL;
}

/* The parameter of that name again, if its shape is the same. */
static heed_tensor *again(heed_params *ps, slot *s, int ndim, const int64_t *shape) {
    bool same = s->t.ndim == ndim;
    for (int i = 0; same && i < ndim; i++) same = s->t.shape[i] == shape[i];
    if (same) return &s->t;
    heed_tensor other = { .ndim = ndim };
    memcpy(other.shape, shape, (size_t)ndim * sizeof *shape);
    char was[96], now[96];
    heed_params_fail(ps, HEED_ESHAPE, "parameter %s is declared as %s and again as %s", s->name,
                     heed_shape_text(&s->t, was), heed_shape_text(&other, now));
    return NULL;
}

static slot *add_slot(heed_params *ps, const char *name, int ndim, const int64_t *shape,
                      int64_t len) {
    if (heed__grow(&ps->hooks, &ps->slot, &ps->slot_cap, ps->count + 1, sizeof *ps->slot) ||
        reserve(ps, ps->used + padded(len)))
        return NULL;
    const size_t name_size = strlen(name) + 1;
    slot *s = heed__calloc(&ps->hooks, 1, sizeof *s + name_size);
    if (!s) return NULL;
    memcpy(s->name, name, name_size);
    s->hash = hash_name(name);
    s->owner = ps;
    s->at = ps->used;
    s->grad_at = -1;
    if (ndim) memcpy(s->t.shape, shape, (size_t)ndim * sizeof *shape);
    s->t.ndim = ndim;
    s->t.dtype = HEED_F32;
    s->t.len = len;
    s->t.data = ps->data + s->at;
    s->t.needs_grad = true;
    s->t.name = s->name;
    zero_padding(ps->data, s->at, len);
    return s;
}

heed_tensor *heed_param(heed_params *ps, const char *name, heed_init init, int ndim,
                        const int64_t *shape) {
    if (!ps || ps->error.code) return NULL;
    if (!name || !*name) {
        heed_params_fail(ps, HEED_EINVALID, "a parameter without a name");
        return NULL;
    }
    const int64_t len = heed__shape_len(ndim, shape);
    if (len < 0 || len > PTRDIFF_MAX / 64) {
        heed_params_fail(ps, HEED_ESHAPE,
                         "parameter %s: its %d dimensions are no shape, or more than memory holds",
                         name, ndim);
        return NULL;
    }
    slot *s = find(ps, name);
    if (s) return again(ps, s, ndim, shape);
    if (ps->limited && len > ps->most - ps->len) {
        heed_params_fail(ps, HEED_EFORMAT,
                         "parameter %s: there are %lld numbers, too few for the model that "
                         "config.json tells of",
                         name, (long long)ps->most);
        return NULL;
    }
    s = add_slot(ps, name, ndim, shape, len);
    if (!s) {
        heed_params_fail(ps, HEED_ENOMEM, "out of memory for parameter %s", name);
        return NULL;
    }
    heed_error err;
    if (ps->limited) init = (heed_init){ .kind = HEED_INIT_ZEROS };
    if (heed__init(&s->t, init, ps->seed ^ s->hash, &ps->hooks, &err)) {
        heed_params_fail(ps, err.code, "%s", err.msg);
        heed__free(&ps->hooks, s);
        return NULL;
    }
    ps->slot[ps->count++] = s;
    ps->used += padded(len);
    ps->len += len;
    if (ps->grad && make_grads(ps)) {
        heed_params_fail(ps, HEED_ENOMEM, "out of memory for the gradient of parameter %s", name);
        return NULL;
    }
    return &s->t;
}

void heed__params_cut(heed_params *ps, int64_t count) {
    if (count >= ps->count) return;
    heed__params_drop_panels(ps);
    heed_params_zero_grad(ps);
    heed__aligned_free(&ps->hooks, ps->grad);
    ps->grad = NULL;
    ps->grad_used = 0;
    ps->used = ps->slot[count]->at;
    while (ps->count > count) {
        slot *s = ps->slot[--ps->count];
        ps->len -= s->t.len;
        heed__sparse_free(s->t.sparse);
        heed__free(&ps->hooks, s);
    }
}

/* -- looking, freezing, zeroing --------------------------------------------------------------- */

const heed_error *heed_params_error(const heed_params *ps) {
    return ps && ps->error.code ? &ps->error : NULL;
}

heed_tensor *heed_params_find(const heed_params *ps, const char *name) {
    slot *s = ps && name ? find(ps, name) : NULL;
    return s ? &s->t : NULL;
}

int64_t heed_params_count(const heed_params *ps) {
    return ps ? ps->count : 0;
}

heed_tensor *heed_params_at(const heed_params *ps, int64_t i) {
    return ps && i >= 0 && i < ps->count ? &ps->slot[i]->t : NULL;
}

int64_t heed_params_len(const heed_params *ps) {
    return ps ? ps->len : 0;
}

static void forget_grad(heed_tensor *t) {
    t->grad = NULL;
    if (t->sparse) heed__sparse_clear(t->sparse);
}

void heed_params_zero_grad(heed_params *ps) {
    for (int64_t i = 0; ps && i < ps->count; i++) forget_grad(&ps->slot[i]->t);
}

bool heed__match(const char *pattern, const char *text) {
    const char *star = NULL, *mark = NULL; /* the last '*', and where what it matched ends */
    while (*text) {
        if (*pattern == '*') {
            star = pattern++;
            mark = text;
        } else if (*pattern == '?' || *pattern == *text) {
            pattern++;
            text++;
        } else if (star) {
            pattern = star + 1;
            text = ++mark;
        } else {
            return false;
        }
    }
    while (*pattern == '*') pattern++;
    return !*pattern;
}

int64_t heed_params_set_trainable(heed_params *ps, const char *pattern, bool trainable) {
    int64_t matched = 0;
    for (int64_t i = 0; ps && pattern && i < ps->count; i++) {
        heed_tensor *t = &ps->slot[i]->t;
        if (!heed__match(pattern, t->name)) continue;
        matched++;
        t->needs_grad = trainable;
        if (trainable) t->packed = NULL;
        if (!trainable) forget_grad(t);
    }
    if (ps && ps->panels && !heed__params_frozen(ps)) heed__params_drop_panels(ps);
    return matched;
}

/* -- weights in panels ------------------------------------------------------------------------ */

void heed__param_is_table(heed_tensor *w) {
    ((slot *)w)->table = true;
}

bool heed__param_looked_up(const heed_tensor *w) {
    return ((const slot *)w)->table || w->sparse;
}

bool heed__param_rounded(const heed_tensor *w) {
    return ((const slot *)w)->rounded;
}

void heed__param_set_rounded(heed_tensor *w, bool rounded) {
    ((slot *)w)->rounded = rounded;
}

void heed__param_is_weight(heed_tensor *w) {
    ((slot *)w)->weight = true;
}

void heed__params_drop_panels(heed_params *ps) {
    for (int64_t i = 0; i < ps->count; i++) ps->slot[i]->t.packed = NULL;
    heed__aligned_free(&ps->hooks, ps->panels);
    ps->panels = NULL;
}

bool heed__params_frozen(const heed_params *ps) {
    for (int64_t i = 0; i < ps->count; i++)
        if (ps->slot[i]->t.packed) return true;
    return false;
}

/* Floats that a parameter's panels take, 0 for one that has none. */
static int64_t panels_len(const slot *s) {
    const heed_tensor *t = &s->t;
    if (t->ndim != 2 || !t->len || (s->table && !s->weight)) return 0;
    return heed__packed_len(t->shape[0], t->shape[1]);
}

int heed_params_freeze(heed_ctx *cx, heed_params *ps) {
    if (!cx || !ps) return HEED_EINVALID;
    if (ps->error.code) return ps->error.code;
    int64_t need = 0;
    for (int64_t i = 0; i < ps->count; i++) need += panels_len(ps->slot[i]);
    float *panels = need ? heed__aligned(&ps->hooks, (size_t)need * sizeof(float)) : NULL;
    if (need && !panels)
        return heed_params_fail(ps, HEED_ENOMEM, "out of memory for weights in panels");
    heed__params_drop_panels(ps);
    heed_params_set_trainable(ps, "*", false);
    ps->panels = panels;
    for (int64_t i = 0; i < ps->count; i++) {
        slot *s = ps->slot[i];
        const int64_t len = panels_len(s), out = s->t.shape[0], in = s->t.shape[1];
        if (!len) continue;
        heed__pack_b(cx->k, panels, s->t.data, in, true, out, in);
        s->t.packed = panels;
        panels += len;
    }
    return 0;
}

int heed_param_set_sparse(heed_params *ps, heed_tensor *w) {
    if (!ps) return HEED_EINVALID;
    if (!w || !w->name || ((slot *)w)->owner != ps)
        return heed_params_fail(ps, HEED_EINVALID, "row-sparse gradients of what is no parameter");
    if (w->sparse) return 0;
    if (w->ndim != 2 || w->shape[0] > INT32_MAX) {
        char text[96];
        return heed_params_fail(ps, HEED_ESHAPE,
                                "row-sparse gradients of %s %s; it must be a table [N,C] with N "
                                "below 2^31",
                                w->name, heed_shape_text(w, text));
    }
    w->sparse = heed__sparse_new(&ps->hooks, w->shape[0], w->shape[1]);
    if (!w->sparse)
        return heed_params_fail(ps, HEED_ENOMEM, "out of memory for the gradient of %s", w->name);
    w->grad = NULL;
    return 0;
}
