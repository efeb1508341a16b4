/* test_forward.c: every case of every op equals its plain reference in double. */
#include "harness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void check(const heed_case *c) {
    if (c->bench || c->refuse) return;
    heed_ctx *cx = harness_ctx(NULL, NULL);
    harness_result r = harness_run(cx, c, 0, 1);
    bool same = r.ndim == c->out.ndim;
    for (int d = 0; same && d < r.ndim; d++) same = r.shape[d] == c->out.shape[d];
    if (!same) fail_msg("%s %s: output has another shape than stated", c->op, c->name);
    double *want = harness_reference(c, r.in, r.len);
    harness_close(c, &(harness_compare){ .what = "output",
                                         .got = r.out,
                                         .want = want,
                                         .len = r.len,
                                         .tolerance = c->tolerance > 0 ? c->tolerance : 2e-6 });
    free(want);
    harness_free(&r);
    heed_ctx_free(cx);
}

int main(int argc, char **argv) {
    return harness_main("ops forward", check, argc, argv);
}
