/* oom.c: allocation that fails as told, and the loop that tells it. */
#include "oom.h"

#include <jansson.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#include "base/arena.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void __real_free(void *memory);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void __wrap_free(void *memory);
void *__real_heed__arena_alloc(heed_arena *a, size_t size);
void *__wrap_heed__arena_alloc(heed_arena *a, size_t size);

static _Atomic int64_t calls, live, failed, fail_at = INT64_MAX;
static atomic_bool fail_on, spare_json;

static bool refuse(void) {
    const int64_t n = atomic_fetch_add(&calls, 1) + 1;
    if (n != fail_at && !(fail_on && n > fail_at)) return false;
    atomic_fetch_add(&failed, 1);
    return true;
}

static void *counted(void *memory) {
    if (memory) atomic_fetch_add(&live, 1);
    return memory;
}

void *__wrap_malloc(size_t size) {
    return refuse() ? NULL : counted(__real_malloc(size));
}

void *__wrap_calloc(size_t count, size_t size) {
    return refuse() ? NULL : counted(__real_calloc(count, size));
}

void *__wrap_realloc(void *memory, size_t size) {
    if (refuse()) return NULL;
    void *grown = __real_realloc(memory, size);
    if (!memory) counted(grown);
    return grown;
}

void __wrap_free(void *memory) {
    if (memory) atomic_fetch_sub(&live, 1);
    __real_free(memory);
}

/* Blocks of a step, which live in few and large pieces of memory, fail one by one too. */
void *__wrap_heed__arena_alloc(heed_arena *a, size_t size) {
    return refuse() ? NULL : __real_heed__arena_alloc(a, size);
}

static void *json_malloc(size_t size) {
    return spare_json ? counted(__real_malloc(size)) : __wrap_malloc(size);
}

void oom_spare_json(bool spare) {
    spare_json = spare;
}

static int run_once(oom_fn fn, int64_t at, bool on) {
    heed_error err = { 0 };
    const int64_t before = live;
    calls = failed = 0;
    fail_on = on;
    fail_at = at;
    const int status = fn(&err);
    fail_at = INT64_MAX;
    if (status != 0 && failed == 0) fail_msg("fails by itself: %s", err.msg);
    if (status != 0 && (status != HEED_ENOMEM || err.code != HEED_ENOMEM || !strlen(err.msg)))
        fail_msg("allocation %lld: status %d, %s", (long long)at, status, err.msg);
    if (live != before)
        fail_msg("allocation %lld: %lld blocks are not given back", (long long)at,
                 (long long)(live - before));
    return failed > 0;
}

int64_t oom_each(oom_fn fn) {
    json_set_alloc_funcs(json_malloc, __wrap_free);
    run_once(fn, INT64_MAX, false); /* also fills what libraries keep for ever */
    int64_t n = 0;
    while (run_once(fn, n + 1, false)) n++;
    for (int64_t at = 1; at <= n; at++) run_once(fn, at, true);
    assert_true(n > 0);
    print_message("%lld allocations\n", (long long)n);
    return n;
}

static heed_ctx_cfg used = { .seed = 1, .threads = 1 };

void oom_use(int threads, heed_precision precision) {
    used.threads = threads;
    used.precision = precision;
}

heed_ctx *oom_context(bool train, heed_error *err) {
    heed_ctx_cfg cfg = used;
    cfg.train = train;
    return heed_ctx_new(&cfg, err);
}

int oom_train(int (*steps)(heed_ctx *cx, heed_params *ps, heed_error *err), heed_error *err) {
    heed_ctx *cx = oom_context(true, err);
    if (!cx) return err->code;
    heed_params *ps = heed_params_new(NULL, err);
    const int status = ps ? steps(cx, ps, err) : err->code;
    heed_params_free(ps);
    heed_ctx_free(cx);
    return status;
}
