/* bench_ops.c: every operation on its large cases, from the same table that its tests are made of.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "app/bench.h"
#include "app/messages.h"
#include "ops/cases/cases.h"

enum { RUNS = 5 };

/* Seconds of a forward, best of RUNS, memory already taken; negative on failure. */
static double measure(heed_ctx *cx, const heed_case *c, heed_error *err) {
    double best = -1;
    for (int run = 0; run <= RUNS; run++) {
        heed_tensor *in[HEED_CASE_INPUTS] = { NULL };
        if (!heed__case_inputs(cx, c, 0, in)) return bench_failed(cx, err);
        const double start = bench_clock();
        heed_tensor *y = c->apply(cx, c, in);
        const double took = bench_clock() - start;
        if (!y) return bench_failed(cx, err);
        if (run && (best < 0 || took < best)) best = took;
        heed_ctx_reset(cx);
    }
    return best;
}

static void print_head(void) {
    print_cell(tr("op"), -16);
    printf(" ");
    print_cell(tr("case"), -34);
    printf(" %10s %10s %8s\n", "ms", "GFLOP/s", "GB/s");
}

static void print(const bench_options *o, const heed_case *c, double s, bool first) {
    if (o->json) {
        printf("%s{\"op\": \"%s\", \"case\": \"%s\", \"seconds\": %.9g, \"gflops\": %.6g, "
               "\"gbytes\": %.6g}",
               first ? "" : ", ", c->op, c->name, s, c->flops / s * 1e-9, c->bytes / s * 1e-9);
        return;
    }
    printf("%-16s %-34.34s %10.4f", c->op, c->name, 1e3 * s);
    if (c->flops > 0)
        printf(" %10.1f", c->flops / s * 1e-9);
    else
        printf(" %10s", "");
    if (c->bytes > 0) printf(" %8.1f", c->bytes / s * 1e-9);
    printf("\n");
    fflush(stdout);
}

static bool has_op(const heed_case_list *list, const char *op) {
    for (int64_t i = 0; i < list->count; i++)
        if (strcmp(op, list->items[i].op) == 0) return true;
    return false;
}

int bench_ops(const bench_options *o, heed_error *err) {
    heed_case_list list = { 0 };
    heed_ctx *cx = heed_ctx_new(&(heed_ctx_cfg){ .threads = (int)o->threads }, err);
    if (!cx) return err->code;
    int rc = heed__cases_all(&list);
    if (rc) *err = (heed_error){ rc, "bench: out of memory" };
    if (rc == 0 && o->only && !has_op(&list, o->only)) {
        rc = err->code = HEED_EINVALID;
        snprintf(err->msg, sizeof err->msg, "bench: there is no operation '%.60s'", o->only);
    }
    if (rc == 0 && o->json)
        printf("{\"bench\": \"ops\", \"isa\": \"%s\", \"threads\": %" PRId64 ", \"rows\": [",
               heed_ctx_isa(cx), o->threads);
    else if (rc == 0)
        print_head();
    bool first = true;
    for (int64_t i = 0; rc == 0 && i < list.count; i++) {
        const heed_case *c = &list.items[i];
        if (o->only && strcmp(o->only, c->op) != 0) continue;
        if (!c->bench) continue;
        const double s = measure(cx, c, err);
        rc = err->code;
        if (rc == 0) print(o, c, s, first);
        first = false;
    }
    if (rc == 0 && o->json) printf("]}\n");
    heed__cases_free(&list);
    heed_ctx_free(cx);
    return rc;
}
