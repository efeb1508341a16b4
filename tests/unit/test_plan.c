/* test_plan.c: where gradients lie in a step. Steps of several shapes and kinds in one context,
 * some of whose gradients depend on the shape and some do not, have the gradients that a fresh
 * context gives, to the bit, and ask for no memory once the largest of their kind was seen. */
#include "cmocka_all.h"
#include "counting.h"

#include <string.h>

#include "heed/ops.h"
#include "tensor/bins.h"

enum { C = 80, FIXED = 40, MOST = 64 };

/* Two chains of operations, over [rows,C] and over [FIXED,C]. */
typedef struct shape {
    int64_t rows;
    int depth;
    bool fixed_last; /* which comes second, so that its gradients come first */
    enum { SELF, FIRST, LAST_BUT_ONE } by; /* what each is multiplied with; FIRST lives longest */
} shape;

static heed_tensor *leaf(heed_ctx *cx, int64_t rows) {
    heed_tensor *t = heed_want_grad(cx, heed_new(cx, HEED_F32, 2, (int64_t[]){ rows, C }));
    for (int64_t i = 0; i < t->len; i++) HEED_F32_DATA(t)[i] = (float)(i % 13) * 0.01f + 0.9f;
    return t;
}

static heed_tensor *chain(heed_ctx *cx, heed_tensor *x, const shape *s) {
    heed_tensor *first = x = heed_tanh(cx, x), *before = x;
    for (int i = 0; i < s->depth; i++) {
        heed_tensor *by = s->by == SELF ? x : s->by == FIRST ? first : before;
        before = x;
        x = heed_tanh(cx, heed_mul(cx, x, by));
    }
    return heed_sum(cx, x);
}

/* Gradients into out [rows + FIXED,C]. */
static void step(heed_ctx *cx, const shape *s, float *out) {
    heed_tensor *p = leaf(cx, s->rows), *q = leaf(cx, FIXED);
    heed_tensor *a = chain(cx, s->fixed_last ? p : q, s);
    heed_tensor *b = chain(cx, s->fixed_last ? q : p, s);
    assert_int_equal(heed_backward(cx, heed_add(cx, a, b)), 0);
    memcpy(out, p->grad, (size_t)p->len * sizeof *out);
    memcpy(out + p->len, q->grad, (size_t)q->len * sizeof *out);
    heed_ctx_reset(cx);
}

static heed_ctx *context(void) {
    heed_error err;
    heed_ctx *cx = heed_ctx_new(&(heed_ctx_cfg){ .train = true, .threads = 1, .hooks = &counting },
                                &err);
    if (!cx) fail_msg("%s", err.msg);
    return cx;
}

/* Steps of which the first `seen` are the largest of each kind, or come before those. */
static void walk(int seen, const shape *s, int n) {
    static float got[2 * MOST * C], want[2 * MOST * C];
    heed_ctx *cx = context();
    for (int i = 0; i < n; i++) {
        const int64_t before = allocations;
        step(cx, &s[i], got);
        if (i >= seen && allocations != before)
            fail_msg("step %d of %lld rows: %lld allocations", i, (long long)s[i].rows,
                     (long long)(allocations - before));
        heed_ctx *fresh = context();
        step(fresh, &s[i], want);
        heed_ctx_free(fresh);
        if (memcmp(got, want, (size_t)((s[i].rows + FIXED) * C) * sizeof *got) != 0)
            fail_msg("step %d of %lld rows: other gradients", i, (long long)s[i].rows);
    }
    heed_ctx_free(cx);
    assert_int_equal(held, 0);
}

#define WALK(seen, ...)                                                                            \
    walk(seen, (const shape[]){ __VA_ARGS__ }, sizeof((shape[]){ __VA_ARGS__ }) / sizeof(shape))

#define S(rows, depth, last)                                                                       \
    { rows, depth, last, SELF }

static void test_shapes(void **state) {
    (void)state;
    for (int f = 0; f < 2; f++) /* the largest first; at 40 both chains are alike */
        WALK(1, S(40, 3, f), S(36, 3, f), S(33, 3, f), S(40, 3, f), S(8, 3, f), S(39, 3, f));
}

static void test_growing(void **state) {
    (void)state;
    for (int f = 0; f < 2; f++) {
        WALK(2, S(8, 3, f), S(64, 3, f), S(64, 3, f), S(60, 3, f), S(8, 3, f), S(40, 3, f));
        WALK(2, S(40, 3, f), S(64, 3, f), S(60, 3, f), S(39, 3, f), S(64, 3, f));
        WALK(4, S(8, 3, f), S(40, 3, f), S(48, 3, f), S(64, 3, f), S(50, 3, f), S(1, 3, f));
    }
}

static void test_kinds(void **state) {
    (void)state;
    for (int f = 0; f < 2; f++) {
        WALK(3, S(40, 3, f), S(8, 2, f), S(8, 2, !f), S(36, 3, f), S(6, 2, f), S(33, 3, f));
        WALK(2, S(40, 3, f), S(64, 5, f), S(36, 3, f), S(60, 5, f), S(39, 3, f), S(33, 5, f));
        WALK(2, S(40, 3, f), S(64, 3, !f), S(36, 3, f), S(40, 3, !f), S(39, 3, f));
        WALK(6, S(64, 3, f), S(40, 4, !f), S(36, 5, f), S(40, 6, !f), S(60, 7, f),
             S(33, 8, !f)); /* more kinds than have a plan */
    }
}

/* As many operations, but other ones' gradients live at a time: of FIRST and LAST_BUT_ONE a plan
 * knows no difference, so that they may ask for more, and have their gradients all the same. */
static void test_lifetimes(void **state) {
    (void)state;
    for (int f = 0; f < 2; f++) {
        WALK(2, { 40, 3, f, SELF }, { 40, 3, f, FIRST }, { 36, 3, f, SELF }, { 36, 3, f, FIRST },
             { 40, 3, f, FIRST }, { 39, 3, f, SELF });
        WALK(2, { 40, 3, f, FIRST }, { 64, 3, f, SELF }, { 36, 3, f, FIRST }, { 36, 3, f, SELF },
             { 33, 3, f, FIRST }, { 64, 3, f, SELF });
        WALK(6, { 40, 5, f, FIRST }, { 40, 5, f, LAST_BUT_ONE }, { 36, 5, f, FIRST },
             { 64, 5, f, LAST_BUT_ONE }, { 40, 5, f, LAST_BUT_ONE }, { 64, 5, f, FIRST });
        WALK(6, { 64, 5, f, LAST_BUT_ONE }, { 36, 5, f, FIRST }, { 40, 5, f, LAST_BUT_ONE },
             { 40, 5, f, FIRST }, { 64, 5, f, FIRST }, { 8, 5, f, LAST_BUT_ONE });
    }
}

/* Bytes of the step's arena that a new gradient of so many takes, its header not counted. */
static size_t taken(heed_ctx *cx, size_t size) {
    const size_t before = cx->arena.used;
    void *block = heed__bin_take(cx, size);
    assert_non_null(block);
    memset(block, 1, size);
    return cx->arena.used - before - 64;
}

/* Of a gradient's own bytes: those of a class take no more, whatever stands before them; others at
 * most an eighth more, and less than 64 bytes where they are few. */
static void test_classes(void **state) {
    (void)state;
    heed_ctx *cx = context();
    for (int top = 9; top < 18; top++)
        for (size_t eighth = 8; eighth < 16; eighth++) {
            const size_t exact = ((size_t)1 << top) / 8 * eighth, step = ((size_t)1 << top) / 8;
            assert_int_equal(taken(cx, exact), exact);
            assert_int_equal(taken(cx, exact - 4), exact);
            assert_int_equal(taken(cx, exact + 4), exact + step);
        }
    for (size_t size = 4; size < 512; size += 4)
        assert_int_equal(taken(cx, size), (size + 63) / 64 * 64);
    heed_ctx_free(cx);
    assert_int_equal(held, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shapes),  cmocka_unit_test(test_growing),
        cmocka_unit_test(test_kinds),   cmocka_unit_test(test_lifetimes),
        cmocka_unit_test(test_classes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
