/* Allocation through hooks, growing arrays, and the arena. */
#include "cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

typedef struct meter {
    int64_t calls, live;
    int64_t fail_at; /* the call that fails; 0: none */
} meter;

static void *meter_alloc(void *user, size_t size) {
    meter *m = user;
    if (++m->calls == m->fail_at) return NULL;
    m->live++;
    return malloc(size);
}

static void meter_release(void *user, void *memory) {
    ((meter *)user)->live--;
    free(memory);
}

static heed_hooks hooks_of(meter *m) {
    return (heed_hooks){ .user = m, .alloc = meter_alloc, .release = meter_release };
}

static void test_alloc_hooks(void **state) {
    (void)state;
    meter m = { 0 };
    const heed_hooks hooks = hooks_of(&m);
    const heed_hooks *both[2] = { NULL, &hooks };
    for (int i = 0; i < 2; i++) {
        void *a = heed__malloc(both[i], 0), *b = heed__calloc(both[i], 3, 5);
        char *c = heed__aligned(both[i], 100), *d = heed__strdup(both[i], "heed");
        assert_non_null(a);
        for (int k = 0; k < 15; k++) assert_int_equal(((char *)b)[k], 0);
        assert_int_equal((uintptr_t)c % 64, 0);
        memset(c, 1, 100);
        assert_string_equal(d, "heed");
        heed__free(both[i], a);
        heed__free(both[i], b);
        heed__aligned_free(both[i], c);
        heed__free(both[i], d);
        heed__free(both[i], NULL);
        heed__aligned_free(both[i], NULL);
    }
    assert_int_equal(m.calls, 4);
    assert_int_equal(m.live, 0);
}

static void test_alloc_overflow(void **state) {
    (void)state;
    assert_null(heed__calloc(NULL, SIZE_MAX / 2, 3));
    assert_null(heed__malloc(NULL, SIZE_MAX));
    assert_null(heed__aligned(NULL, SIZE_MAX - 3));
    int64_t *items = NULL, cap = 0;
    assert_int_equal(heed__grow(NULL, &items, &cap, INT64_MAX, 8), HEED_ENOMEM);
    assert_int_equal(heed__grow(NULL, &items, &cap, INT64_MAX / 2, 16), HEED_ENOMEM);
    assert_null(items);
    assert_int_equal(cap, 0);
}

static void test_grow(void **state) {
    (void)state;
    meter m = { 0 };
    const heed_hooks hooks = hooks_of(&m);
    int64_t *items = NULL, cap = 0;
    for (int64_t i = 0; i < 1000; i++) {
        assert_int_equal(heed__grow(&hooks, &items, &cap, i + 1, sizeof *items), 0);
        items[i] = i * i;
    }
    for (int64_t i = 0; i < 1000; i++) assert_int_equal(items[i], i * i);
    assert_int_equal(cap, 1024);
    assert_int_equal(m.calls, 8);
    m.fail_at = m.calls + 1;
    assert_int_equal(heed__grow(&hooks, &items, &cap, 2000, sizeof *items), HEED_ENOMEM);
    assert_int_equal(cap, 1024);
    assert_int_equal(items[999], 999 * 999);
    heed__free(&hooks, items);
    assert_int_equal(m.live, 0);
}

/* A loop of equal steps allocates in its first step and at its first reset, then never again. */
static void test_arena_steps(void **state) {
    (void)state;
    meter m = { 0 };
    const heed_hooks hooks = hooks_of(&m);
    heed_arena a;
    heed__arena_init(&a, &hooks);
    int64_t after_first = 0;
    for (int step = 0; step < 10; step++) {
        char *last = NULL;
        for (size_t i = 0; i < 300; i++) {
            const size_t size = i * 37 % 5000;
            char *p = heed__arena_alloc(&a, size);
            assert_non_null(p);
            assert_int_equal((uintptr_t)p % 64, 0);
            assert_true(p != last);
            memset(p, (int)i, size);
            last = p;
        }
        assert_true(a.used <= a.held);
        heed__arena_reset(&a);
        assert_int_equal(a.used, 0);
        if (step == 0) after_first = m.calls;
        assert_int_equal(m.calls, after_first);
    }
    assert_true(after_first > 2);
    assert_int_equal(m.live, 1);
    heed__arena_free(&a);
    assert_int_equal(m.live, 0);
    assert_int_equal(a.held, 0);
    heed__arena_reset(&a);
    heed__arena_free(&a);
}

static void test_arena_failures(void **state) {
    (void)state;
    heed_arena a;
    heed__arena_init(&a, NULL);
    assert_null(heed__arena_alloc(&a, SIZE_MAX));
    assert_null(heed__arena_alloc(&a, SIZE_MAX / 2));
    assert_non_null(heed__arena_alloc(&a, 10));
    heed__arena_free(&a);

    for (int64_t fail = 1; fail < 8; fail++) {
        meter m = { .fail_at = fail };
        const heed_hooks hooks = hooks_of(&m);
        heed__arena_init(&a, &hooks);
        for (int step = 0; step < 2; step++) {
            char *big = heed__arena_alloc(&a, 50000), *more = heed__arena_alloc(&a, 60000);
            if (big) memset(big, 1, 50000);
            if (more) memset(more, 2, 60000);
            if (big) assert_int_equal(big[49999], 1);
            heed__arena_reset(&a);
        }
        heed__arena_free(&a);
        assert_int_equal(m.live, 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_alloc_hooks),    cmocka_unit_test(test_alloc_overflow),
        cmocka_unit_test(test_grow),           cmocka_unit_test(test_arena_steps),
        cmocka_unit_test(test_arena_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
