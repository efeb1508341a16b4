/* bench_gemm.c: matrix products of a layer's sizes. */
#include <inttypes.h>
#include <stdio.h>

#include "app/bench.h"
#include "heed/ops.h"

static const int64_t sizes[][3] = { /* M, N, K: [M,K] times a weight [N,K] */
                                    { 1, 512, 512 },     { 1, 768, 768 },    { 8, 768, 768 },
                                    { 32, 768, 768 },    { 128, 768, 768 },  { 512, 768, 768 },
                                    { 512, 3072, 768 },  { 1024, 256, 256 }, { 1024, 1024, 256 },
                                    { 1024, 1024, 1024 }
};

enum { COUNT = sizeof sizes / sizeof *sizes };

/* Seconds of one product, best of several runs of at least 30 ms. */
static double measure(heed_ctx *cx, const int64_t *s, heed_error *err) {
    const double flops = 2.0 * (double)s[0] * (double)s[1] * (double)s[2];
    const int64_t times = flops < 1e9 ? (int64_t)(1e9 / flops) + 1 : 1;
    double best = 0;
    for (int run = 0; run < 5; run++) {
        heed_tensor *x = bench_random(cx, 2, (int64_t[]){ s[0], s[2] }, 1);
        heed_tensor *w = bench_random(cx, 2, (int64_t[]){ s[1], s[2] }, 2), *y = NULL;
        const double start = bench_clock();
        for (int64_t i = 0; i < times; i++) y = heed_affine(cx, x, w, NULL);
        const double took = (bench_clock() - start) / (double)times;
        if (!y) {
            bench_failed(cx, err);
            return 0;
        }
        heed_ctx_reset(cx);
        if (run && (best == 0 || took < best)) best = took; /* the first run takes memory */
    }
    return best;
}

int bench_gemm(const bench_options *o, heed_error *err) {
    heed_ctx *cx = heed_ctx_new(&(heed_ctx_cfg){ .threads = (int)o->threads }, err);
    if (!cx) return err->code;
    int rc = 0;
    if (o->json)
        printf("{\"bench\": \"gemm\", \"isa\": \"%s\", \"threads\": %" PRId64 ", \"rows\": [",
               heed_ctx_isa(cx), o->threads);
    else
        printf("%6s %6s %6s %12s %10s   %s\n", "M", "N", "K", "ms", "GFLOP/s", heed_ctx_isa(cx));
    for (int i = 0; rc == 0 && i < COUNT; i++) {
        const int64_t *s = sizes[i];
        const double seconds = measure(cx, s, err);
        rc = err->code;
        if (rc) break;
        const double g = 2e-9 * (double)s[0] * (double)s[1] * (double)s[2] / seconds;
        printf(o->json ? "%s{\"m\": %" PRId64 ", \"n\": %" PRId64 ", \"k\": %" PRId64
                         ", \"seconds\": %.9g, \"gflops\": %.6g}"
                       : "%s%6" PRId64 " %6" PRId64 " %6" PRId64 " %12.4f %10.1f\n",
               o->json && i ? ", " : "", s[0], s[1], s[2], o->json ? seconds : 1e3 * seconds, g);
        fflush(stdout);
    }
    if (rc == 0 && o->json) printf("]}\n");
    heed_ctx_free(cx);
    return rc;
}
