/* ctx.c: the context: its making and end, the step's memory, the tape, the first error. */
#include "base/log.h"
#include "base/text.h"
#include "tensor/bins.h"

#include <stdarg.h>
#include <string.h>

/* Tells what bf16 costs where there are no tiles for it. */
static void set_precision(heed_ctx *cx, heed_precision precision) {
    if (precision == HEED_PRECISION_BF16 && cx->precision != precision &&
        strcmp(cx->k->name, "amx") != 0)
        heed__log(&cx->hooks, HEED_LOG_WARN,
                  "bf16 without AMX tiles: %s kernels compute its products, slower than f32",
                  cx->k->name);
    cx->precision = precision;
}

heed_ctx *heed_ctx_new(const heed_ctx_cfg *cfg, heed_error *err) {
    const heed_ctx_cfg none = { 0 };
    if (!cfg) cfg = &none;
    if (err) *err = (heed_error){ 0 };
    if (cfg->precision != HEED_PRECISION_F32 && cfg->precision != HEED_PRECISION_BF16) {
        heed__error(err, HEED_EINVALID, "context: precision %d is neither f32 nor bf16",
                    (int)cfg->precision);
        return NULL;
    }
    const heed_kernels *k = heed__kernels(cfg->isa, err);
    if (!k) return NULL;
    heed_ctx *cx = heed__calloc(cfg->hooks, 1, sizeof *cx);
    if (!cx) {
        heed__error(err, HEED_ENOMEM, "out of memory for a context");
        return NULL;
    }
    if (cfg->hooks) cx->hooks = *cfg->hooks;
    cx->k = k;
    cx->pool = cfg->pool;
    cx->own_pool = !cfg->pool;
    if (cx->own_pool) cx->pool = heed_pool_new(cfg->threads, cfg->hooks, err);
    if (!cx->pool) {
        heed__free(cfg->hooks, cx);
        return NULL;
    }
    cx->train = cx->record = cfg->train;
    cx->seed = cfg->seed;
    heed__arena_init(&cx->arena, cfg->hooks);
    heed__arena_init(&cx->scratch, cfg->hooks);
    heed__log(&cx->hooks, HEED_LOG_DEBUG, "context: kernels %s, threads %d", k->name,
              heed_pool_threads(cx->pool));
    set_precision(cx, cfg->precision);
    return cx;
}

void heed_ctx_free(heed_ctx *cx) {
    if (!cx) return;
    heed__arena_free(&cx->arena);
    heed__arena_free(&cx->scratch);
    if (cx->own_pool) heed_pool_free(cx->pool);
    const heed_hooks hooks = cx->hooks;
    heed__free(&hooks, cx->nodes);
    heed__free(&hooks, cx->bin);
    heed__free(&hooks, cx->order);
    heed__free(&hooks, cx);
}

void heed_ctx_reset(heed_ctx *cx) {
    if (!cx) return;
    if (cx->in_backward) {
        heed_fail(cx, HEED_EINVALID, "reset was called by the backward of an operation");
        return;
    }
    heed__arena_reset(&cx->arena);
    heed__bins_reset(cx, false);
    cx->node_count = 0;
    cx->error.code = 0;
    cx->error.msg[0] = 0;
    cx->calls = 0;
    cx->step++;
}

void heed__ctx_widen(heed_ctx *cx) {
    heed__arena_widen(&cx->arena);
    heed__arena_widen(&cx->scratch);
}

void heed__ctx_release(heed_ctx *cx) {
    heed_ctx_reset(cx);
    heed__bins_reset(cx, true);
    heed__arena_free(&cx->arena);
    heed__arena_free(&cx->scratch);
}

const heed_error *heed_ctx_error(const heed_ctx *cx) {
    static const heed_error none = { HEED_EINVALID, "there is no context: making it failed" };
    if (!cx) return &none;
    return cx->error.code ? &cx->error : NULL;
}

const char *heed_ctx_isa(const heed_ctx *cx) {
    return cx ? cx->k->name : "none";
}

bool heed_ctx_train(const heed_ctx *cx) {
    return cx && cx->train;
}

void heed_ctx_set_train(heed_ctx *cx, bool train) {
    if (cx) cx->train = cx->record = train;
}

bool heed_ctx_set_record(heed_ctx *cx, bool record) {
    const bool was = cx && cx->record;
    if (cx) cx->record = record;
    return was;
}

heed_precision heed_ctx_precision(const heed_ctx *cx) {
    return cx ? cx->precision : HEED_PRECISION_F32;
}

void heed_ctx_set_precision(heed_ctx *cx, heed_precision precision) {
    const bool known = precision == HEED_PRECISION_F32 || precision == HEED_PRECISION_BF16;
    if (cx && known) set_precision(cx, precision);
}

uint64_t heed_ctx_step(const heed_ctx *cx) {
    return cx ? cx->step : 0;
}

void heed_ctx_set_step(heed_ctx *cx, uint64_t step) {
    if (cx) cx->step = step;
}

/* What a context holds beside the memory of steps. */
static size_t tables(const heed_ctx *cx) {
    return (size_t)cx->node_cap * sizeof *cx->nodes + heed__bins_size(cx) + sizeof *cx;
}

size_t heed_ctx_memory(const heed_ctx *cx) {
    if (!cx) return 0;
    return cx->arena.held + cx->scratch.held + tables(cx);
}

size_t heed_ctx_used(const heed_ctx *cx) {
    if (!cx) return 0;
    return cx->arena.used + cx->scratch.most + tables(cx);
}

heed_pool *heed_ctx_pool(const heed_ctx *cx) {
    return cx ? cx->pool : NULL;
}

void heed_ctx_set_flops(heed_ctx *cx, heed_flops_fn fn, void *user) {
    if (!cx) return;
    cx->flops = fn;
    cx->flops_user = user;
}

void heed__count(const heed_ctx *cx, const heed_tensor *w, const char *what, double flops) {
    if (cx && cx->flops && !cx->in_backward)
        cx->flops(cx->flops_user, w && w->name ? w->name : what, flops);
}

/* -- memory of the step ----------------------------------------------------------------------- */

void *heed__alloc(heed_ctx *cx, int64_t count, size_t size) {
    if (!cx) return NULL;
    if (cx->in_backward) return heed__temp_of_backward(cx, count, size);
    if (count < 0 || (size && (uint64_t)count > PTRDIFF_MAX / 2 / size)) {
        heed_fail(cx, HEED_ENOMEM, "%lld items of %zu bytes are more than memory can hold",
                  (long long)count, size);
        return NULL;
    }
    void *p = heed__arena_alloc(&cx->arena, (size_t)count * size);
    if (!p)
        heed_fail(cx, HEED_ENOMEM, "out of memory for %zu bytes of a step", (size_t)count * size);
    return p;
}

void *heed_scratch(heed_ctx *cx, size_t size) {
    if (size > PTRDIFF_MAX / 2) {
        heed_fail(cx, HEED_ENOMEM, "a block of %zu bytes is more than memory can hold", size);
        return NULL;
    }
    return heed__alloc(cx, (int64_t)size, 1);
}

uint64_t heed__stream(heed_ctx *cx) {
    return cx->step << 32 | (cx->calls++ & 0xffffffff);
}

void heed__parallel(heed_ctx *cx, int64_t n, int64_t cost, heed_range_fn fn, void *arg) {
    const int64_t grain = cost >= 16384 ? 1 : cost > 0 ? (16384 + cost - 1) / cost : 16384;
    heed_pool_run(cx->pool, n, grain, fn, arg);
}

heed_tensor *heed_fail(heed_ctx *cx, int code, const char *format, ...) {
    if (!cx || cx->error.code) return NULL;
    cx->error.code = code;
    va_list args;
    va_start(args, format);
    heed__vformat(cx->error.msg, sizeof cx->error.msg, format, args);
    va_end(args);
    heed__text_tidy(cx->error.msg);
    return NULL;
}

/* -- the tape --------------------------------------------------------------------------------- */

bool heed__wants_grad(const heed_ctx *cx, int count, heed_tensor *const *src) {
    if (!cx || !cx->record) return false;
    for (int i = 0; i < count; i++)
        if (src[i] && src[i]->needs_grad) return true;
    return false;
}

heed_tensor *heed_record(heed_ctx *cx, const heed_op *op, heed_tensor *out, int count,
                         heed_tensor *const *src, void *saved) {
    if (!out) return NULL;
    if (!op || !op->backward || count < 0 || (count && !src))
        return heed_fail(cx, HEED_EINVALID, "%s: recorded without a backward or without sources",
                         op && op->name ? op->name : "an operation");
    if (!heed__wants_grad(cx, count, src)) return out;
    if (out->dtype != HEED_F32)
        return heed_fail(cx, HEED_EINVALID, "%s: an output of type %s has no gradient",
                         op->name ? op->name : "an operation", heed_dtype_name(out->dtype));
    if (out->needs_grad || out->name)
        return heed_fail(cx, HEED_EINVALID,
                         "%s: its output is a parameter or was made by another operation already",
                         op->name ? op->name : "an operation");
    heed_tensor **copy = heed__alloc(cx, count, sizeof(heed_tensor *));
    if (!copy) return NULL;
    memcpy(copy, src, (size_t)count * sizeof(heed_tensor *));
    if (heed__grow(&cx->hooks, &cx->nodes, &cx->node_cap, cx->node_count + 1, sizeof *cx->nodes))
        return heed_fail(cx, HEED_ENOMEM, "out of memory for a tape of %lld operations",
                         (long long)cx->node_count + 1);
    cx->nodes[cx->node_count++] = (heed_node){
        .op = op, .out = out, .src = copy, .count = count, .saved = saved
    };
    out->needs_grad = true;
    return out;
}

heed_tensor *heed__record1(heed_ctx *cx, const heed_op *op, heed_tensor *out, heed_tensor *a,
                           void *saved) {
    return heed_record(cx, op, out, 1, (heed_tensor *[]){ a }, saved);
}

heed_tensor *heed__record2(heed_ctx *cx, const heed_op *op, heed_tensor *out, heed_tensor *a,
                           heed_tensor *b, void *saved) {
    return heed_record(cx, op, out, 2, (heed_tensor *[]){ a, b }, saved);
}

heed_tensor *heed__record3(heed_ctx *cx, const heed_op *op, heed_tensor *out, heed_tensor *a,
                           heed_tensor *b, heed_tensor *c, void *saved) {
    return heed_record(cx, op, out, 3, (heed_tensor *[]){ a, b, c }, saved);
}

heed_tensor *heed_node_out(const heed_node *n) {
    return n ? n->out : NULL;
}

heed_tensor *heed_node_src(const heed_node *n, int i) {
    return n && i >= 0 && i < n->count ? n->src[i] : NULL;
}

void *heed_node_saved(const heed_node *n) {
    return n ? n->saved : NULL;
}
