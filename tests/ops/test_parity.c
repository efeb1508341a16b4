/* test_parity.c: every case gives the same bits on every ISA of this machine and with any number of
 * threads, forward and backward. */
#include "harness.h"

#include "isas.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static const int threads[] = { 1, 2, 3, 7 };
enum { POOLS = sizeof threads / sizeof threads[0] };
static heed_pool *pools[POOLS];

static void compare(const heed_case *c, const harness_result *want, const char *isa, int p) {
    heed_ctx *cx = harness_ctx(isa, pools[p]);
    harness_result r = harness_run(cx, c, ~0U, 1);
    char what[96];
    snprintf(what, sizeof what, "output, %s, %d threads", isa, threads[p]);
    harness_same_bits(c, what, r.out, want->out, r.len);
    for (int i = 0; i < c->count; i++) {
        snprintf(what, sizeof what, "gradient of input %d, %s, %d threads", i, isa, threads[p]);
        if (r.grad[i]) harness_same_bits(c, what, r.grad[i], want->grad[i], r.in_len[i]);
    }
    harness_free(&r);
    heed_ctx_free(cx);
}

static void check(const heed_case *c) {
    if (c->bench || c->refuse) return;
    int count = 0;
    const heed_kernels *const *all = isas_here(&count);
    heed_ctx *cx = harness_ctx("scalar", pools[0]);
    harness_result want = harness_run(cx, c, ~0U, 1);
    for (int k = 0; k < count; k++)
        for (int p = 0; p < POOLS; p++)
            if (k || p) compare(c, &want, all[k]->name, p);
    harness_free(&want);
    heed_ctx_free(cx);
}

int main(int argc, char **argv) {
    for (int p = 0; p < POOLS; p++) {
        heed_error err = { 0 };
        pools[p] = heed_pool_new(threads[p], NULL, &err);
        if (!pools[p]) return printf("pool: %s\n", err.msg), 1;
    }
    const int failed = harness_main("ops parity", check, argc, argv);
    for (int p = 0; p < POOLS; p++) heed_pool_free(pools[p]);
    return failed;
}
