/* checkpoint.c: a training run in one safetensors file.
 *
 *     param/NAME                  the weights
 *     m/NAME, v/NAME, ema/NAME    the optimizer's floats
 *     steps/NAME                  I64 [1], of the parameter
 *     rows/NAME                   I32 [N], of a sparse table
 *     metadata                    format_version, and "state": JSON with every counter
 *
 * Loading checks everything before it changes anything. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "io/prefix.h"
#include "tensor/params.h"
#include "train/optim.h"

enum { VERSION = 1, KINDS = 6 };

static const int64_t COUNT_MOST = (int64_t)1 << 62; /* so that what counts on cannot overflow */

static const char *const prefixes[KINDS] = { "param/", "m/", "v/", "ema/", "steps/", "rows/" };

/* Part `kind` of what is kept of one parameter, as an entry without a name. False: there is none.
 */
static bool part(const heed_tensor *t, const heed_optim_slot *s, int kind, heed_entry *e) {
    *e = (heed_entry){ .dtype = HEED_FILE_F32, .ndim = 1 };
    switch (kind) {
    case 0:
        e->ndim = t->ndim;
        memcpy(e->shape, t->shape, sizeof t->shape);
        e->data = t->data;
        return true;
    case 1:
        e->shape[0] = s ? s->m_len : 0, e->data = s ? s->m : NULL;
        break;
    case 2:
        e->shape[0] = s ? s->v_len : 0, e->data = s ? s->v : NULL;
        break;
    case 3:
        e->shape[0] = s ? s->ema_len : 0, e->data = s ? s->ema : NULL;
        break;
    case 4:
        e->dtype = HEED_FILE_I64;
        e->shape[0] = s ? 1 : 0;
        e->data = s ? &s->steps : NULL;
        break;
    default:
        e->dtype = HEED_FILE_I32;
        e->shape[0] = s ? s->row_steps_len : 0;
        e->data = s ? s->row_steps : NULL;
        break;
    }
    return e->shape[0] > 0;
}

static const heed_optim_slot *slot_of(const heed_checkpoint *c, int64_t i) {
    return c->optim ? &c->optim->slot[i] : NULL;
}

static int check_objects(const heed_checkpoint *c, const char *path, heed_error *err) {
    if (!c->params || c->rng_count < 0 || (c->rng_count && !c->rng))
        return heed__error(err, HEED_EINVALID,
                           "%s: a checkpoint needs parameters, and as many "
                           "random sequences as it says",
                           path);
    if (c->optim && (c->optim->ps != c->params || c->optim->count != heed_params_count(c->params)))
        return heed__error(err, HEED_EINVALID, "%s: the optimizer is not that of these parameters",
                           path);
    return 0;
}

/* -- saving ----------------------------------------------------------------------------------- */

static json_t *describe_optim(const heed_optim *opt) {
    return json_pack("{s:i,s:I,s:f,s:f,s:f,s:I,s:I,s:b}", "kind", (int)opt->cfg.kind, "steps",
                     (json_int_t)opt->steps, "lr", (double)opt->cfg.lr, "factor", opt->factor,
                     "best", opt->best, "reports", (json_int_t)opt->reports, "bad",
                     (json_int_t)opt->bad, "averaged", (int)opt->averaged);
}

static char *describe(const heed_checkpoint *c, heed_error *err) {
    json_t *state = json_object();
    int bad = state ? 0 : -1;
    if (c->optim) bad |= json_object_set_new(state, "optim", describe_optim(c->optim));
    if (c->ctx)
        bad |= json_object_set_new(state, "step", json_integer((json_int_t)heed_ctx_step(c->ctx)));
    if (c->loader)
        bad |= json_object_set_new(state, "loader",
                                   json_pack("[I,I]", (json_int_t)heed_loader_epoch(c->loader),
                                             (json_int_t)heed_loader_position(c->loader)));
    json_t *rng = json_array();
    for (int i = 0; i < c->rng_count; i++)
        bad |= json_array_append_new(rng, json_pack("[I,I,I]", (json_int_t)c->rng[i].seed,
                                                    (json_int_t)c->rng[i].stream,
                                                    (json_int_t)c->rng[i].drawn));
    bad |= json_object_set_new(state, "rng", rng);
    char *text = NULL;
    if (bad)
        heed__error(err, HEED_ENOMEM, "out of memory for a checkpoint's state");
    else
        text = heed__json_text(heed__params_hooks(c->params), state, false, NULL, err);
    json_decref(state);
    return text;
}

static int check_still(const heed_checkpoint *c, const char *path, heed_error *err) {
    bool held = c->optim && c->optim->pending;
    for (int64_t i = 0; i < heed_params_count(c->params); i++) {
        const heed_tensor *t = heed_params_at(c->params, i);
        held |= t->grad || (t->sparse && t->sparse->len);
    }
    if (c->optim && (!isfinite(c->optim->best) || !isfinite(c->optim->factor)))
        return heed__error(err, HEED_ENONFINITE, "%s: the best loss reported is not finite", path);
    return held ? heed__error(err, HEED_EINVALID,
                              "%s: a checkpoint between a backward and its step", path)
                : 0;
}

/* The names of all entries in one block of text; *count entries are filled. */
static char *fill_entries(const heed_checkpoint *c, heed_entry *entries, int64_t *count) {
    size_t size = 1;
    for (int64_t i = 0; i < heed_params_count(c->params); i++)
        size += KINDS * (strlen(heed_params_at(c->params, i)->name) + 8);
    char *names = heed__malloc(heed__params_hooks(c->params), size), *at = names;
    *count = 0;
    for (int64_t i = 0; names && i < heed_params_count(c->params); i++) {
        const heed_tensor *t = heed_params_at(c->params, i);
        for (int kind = 0; kind < KINDS; kind++) {
            heed_entry *e = &entries[*count];
            if (!part(t, slot_of(c, i), kind, e)) continue;
            e->name = at;
            at += snprintf(at, size - (size_t)(at - names), "%s%s", prefixes[kind], t->name) + 1;
            ++*count;
        }
    }
    return names;
}

int heed_checkpoint_save(const char *path, const heed_checkpoint *c, heed_error *err) {
    if (heed__lacks(path, "checkpoint", "path", err) ||
        heed__lacks(c, "checkpoint", "checkpoint", err))
        return HEED_EINVALID;
    heed_error own;
    if (!err) err = &own;
    *err = (heed_error){ 0 };
    if (check_objects(c, path, err) || check_still(c, path, err)) return err->code;
    const heed_hooks *hooks = heed__params_hooks(c->params);
    char *state = describe(c, err);
    if (!state) return err->code;
    heed_entry *entries = heed__calloc(hooks, (size_t)heed_params_count(c->params) * KINDS + 1,
                                       sizeof *entries);
    int64_t count = 0;
    char *names = entries ? fill_entries(c, entries, &count) : NULL;
    char version[16];
    snprintf(version, sizeof version, "%d", VERSION);
    const heed_meta meta[] = { { "format_version", version }, { "state", state }, { 0 } };
    if (names && !heed_safetensors_save(path, entries, count, meta, hooks, err))
        heed__log(hooks, HEED_LOG_DEBUG, "%s: saved", path);
    if (!names) heed__error(err, HEED_ENOMEM, "out of memory for the header of %s", path);
    heed__free(hooks, names);
    heed__free(hooks, entries);
    heed__free(hooks, state);
    return err->code;
}

/* -- loading ---------------------------------------------------------------------------------- */

/* The counters of a file, read and checked. */
typedef struct counters {
    int64_t steps, reports, bad, step, epoch, position;
    double lr, factor, best;
    bool averaged;
} counters;

static int read_optim(const heed_optim *opt, const json_t *state, const char *path, counters *n,
                      heed_error *err) {
    heed_fields f = { .object = json_object_get(state, "optim"), .name = path, .err = err };
    if (!f.object)
        return heed__error(err, HEED_EFORMAT, "%s: was saved without an optimizer", path);
    const int64_t kind = heed__field_int(&f, "kind", 0, HEED_ADAFACTOR);
    n->steps = heed__field_int(&f, "steps", 0, COUNT_MOST);
    n->lr = heed__field_number(&f, "lr");
    n->factor = heed__field_number(&f, "factor");
    n->best = heed__field_number(&f, "best");
    n->reports = heed__field_int(&f, "reports", 0, COUNT_MOST);
    n->bad = heed__field_int(&f, "bad", 0, COUNT_MOST);
    n->averaged = heed__field_bool(&f, "averaged");
    if (!f.status && (heed_optim_kind)kind != opt->cfg.kind)
        return heed__error(err, HEED_EFORMAT, "%s: was saved with another kind of optimizer", path);
    if (!f.status && !(n->lr >= 0 && n->lr <= (double)FLT_MAX && n->factor >= 0))
        return heed__error(err, HEED_EFORMAT, "%s: its learning rate is no possible one", path);
    return f.status;
}

/* Entry i of a list of whole numbers; *ok turns false where there is none. */
static int64_t number_at(const json_t *list, size_t i, bool *ok) {
    const json_t *value = json_array_get(list, i);
    *ok = *ok && json_is_integer(value);
    return json_integer_value(value);
}

static int read_state(const heed_checkpoint *c, const json_t *state, const char *path, counters *n,
                      heed_error *err) {
    bool ok = true;
    if (c->optim && read_optim(c->optim, state, path, n, err)) return err->code;
    const json_t *step = json_object_get(state, "step"), *rng = json_object_get(state, "rng");
    if (c->ctx && !json_is_integer(step))
        return heed__error(err, HEED_EFORMAT, "%s: was saved without a context", path);
    n->step = json_integer_value(step);
    if (c->loader) {
        const json_t *place = json_object_get(state, "loader");
        n->epoch = number_at(place, 0, &ok);
        n->position = number_at(place, 1, &ok);
        const int64_t epoch = heed_loader_epoch(c->loader), at = heed_loader_position(c->loader);
        if (!ok || n->epoch > COUNT_MOST || heed_loader_seek(c->loader, n->epoch, n->position))
            return heed__error(err, HEED_EFORMAT,
                               "%s: was saved without a loader, or with one of more items", path);
        heed_loader_seek(c->loader, epoch, at); /* it was only a question */
    }
    if (json_array_size(rng) != (size_t)c->rng_count)
        return heed__error(err, HEED_EFORMAT, "%s: has %zu random sequences, not %d", path,
                           json_array_size(rng), c->rng_count);
    for (int i = 0; i < c->rng_count; i++)
        for (size_t j = 0; j < 3; j++) number_at(json_array_get(rng, (size_t)i), j, &ok);
    return ok ? 0 : heed__error(err, HEED_EFORMAT, "%s: its state is damaged", path);
}

/* Whether the counters of one parameter are such as an optimizer counts. */
static bool counts_are_possible(const heed_entry *e) {
    if (e->dtype != HEED_FILE_I64 && e->dtype != HEED_FILE_I32) return true;
    const char *at = e->data; /* at any address */
    for (int64_t i = 0; i < e->len; i++) {
        int64_t steps = 0;
        int32_t row = 0;
        if (e->dtype == HEED_FILE_I64)
            memcpy(&steps, at + i * (int64_t)sizeof steps, sizeof steps);
        else
            memcpy(&row, at + i * (int64_t)sizeof row, sizeof row);
        if (steps < 0 || steps > COUNT_MOST || row < 0) return false;
    }
    return true;
}

/* Each part must be there in its type and size, and the file may hold nothing else. */
static int check_parts(const heed_checkpoint *c, const heed_safetensors *st, heed_error *err) {
    const char *path = heed_safetensors_name(st);
    if (heed__params_check(c->params, st, prefixes[0], err)) return err->code;
    int64_t parts = 0, extra = 0;
    for (int64_t i = 0; i < heed_params_count(c->params); i++) {
        const heed_tensor *t = heed_params_at(c->params, i);
        for (int kind = 0; kind < KINDS; kind++) {
            heed_entry want;
            if (!part(t, slot_of(c, i), kind, &want)) continue;
            parts++;
            const heed_entry *e = heed__find_prefixed(st, prefixes[kind], t->name);
            if (!e || e->dtype != want.dtype || e->ndim != want.ndim ||
                memcmp(e->shape, want.shape, sizeof e->shape) != 0)
                return heed__error(err, HEED_EFORMAT,
                                   "%s: tensor '%s%.80s' is missing, or of another type or size",
                                   path, prefixes[kind], t->name);
            if (!counts_are_possible(e))
                return heed__error(err, HEED_EFORMAT, "%s: tensor '%s%.80s' counts no steps", path,
                                   prefixes[kind], t->name);
        }
    }
    for (int64_t i = 0; i < heed_safetensors_count(st); i++)
        extra += c->optim || !strncmp(heed_safetensors_at(st, i)->name, prefixes[0], 6);
    return extra == parts
               ? 0
               : heed__error(err, HEED_EFORMAT, "%s: holds %lld tensors that do not belong here",
                             path, (long long)(extra - parts));
}

static void take(const heed_checkpoint *c, const heed_safetensors *st, const json_t *state,
                 const counters *n) {
    heed__params_drop_panels(c->params);
    for (int64_t i = 0; i < heed_params_count(c->params); i++)
        for (int kind = 0; kind < KINDS; kind++) {
            const heed_tensor *t = heed_params_at(c->params, i);
            heed_entry mine;
            if (!part(t, slot_of(c, i), kind, &mine)) continue;
            const heed_entry *e = heed__find_prefixed(st, prefixes[kind], t->name);
            if (e->size) memcpy((void *)mine.data, e->data, e->size);
        }
    if (c->optim) {
        heed_optim *o = c->optim;
        o->steps = n->steps;
        o->cfg.lr = (float)n->lr;
        o->factor = n->factor;
        o->best = n->best;
        o->reports = n->reports;
        o->bad = n->bad;
        o->averaged = n->averaged && o->cfg.ema > 0;
        o->pending = 0;
    }
    if (c->ctx) heed_ctx_set_step(c->ctx, (uint64_t)n->step);
    if (c->loader) heed_loader_seek(c->loader, n->epoch, n->position);
    for (int i = 0; i < c->rng_count; i++) {
        bool ok = true;
        const json_t *r = json_array_get(json_object_get(state, "rng"), (size_t)i);
        c->rng[i] = (heed_rng){ .seed = (uint64_t)number_at(r, 0, &ok),
                                .stream = (uint64_t)number_at(r, 1, &ok),
                                .drawn = (uint64_t)number_at(r, 2, &ok) };
    }
    heed_params_zero_grad(c->params);
}

int heed_checkpoint_load(const char *path, const heed_checkpoint *c, heed_error *err) {
    if (heed__lacks(path, "checkpoint", "path", err) ||
        heed__lacks(c, "checkpoint", "checkpoint", err))
        return HEED_EINVALID;
    heed_error own;
    if (!err) err = &own;
    *err = (heed_error){ 0 };
    if (check_objects(c, path, err)) return err->code;
    heed_safetensors *st = heed_safetensors_open(path, heed__params_hooks(c->params), err);
    if (!st) return err->code;
    const char *version = heed_safetensors_meta(st, "format_version");
    const char *text = heed_safetensors_meta(st, "state");
    counters n = { 0 };
    json_t *state = NULL;
    if (!version || !text)
        heed__error(err, HEED_EFORMAT, "%s: is no checkpoint", path);
    else if (strcmp(version, "1") != 0)
        heed__error(err, HEED_EUNSUPPORTED, "%s: format_version %.20s; this program reads 1", path,
                    version);
    else
        state = heed__json_parse(text, strlen(text), path, err);
    if (state && !read_state(c, state, path, &n, err) && !check_parts(c, st, err)) {
        take(c, st, state, &n);
        heed__log(heed__params_hooks(c->params), HEED_LOG_INFO, "%s: goes on after %lld steps",
                  path, (long long)(c->optim ? n.steps : n.step));
    }
    json_decref(state);
    heed_safetensors_close(st);
    return err->code;
}
