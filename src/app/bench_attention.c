/* bench_attention.c: time and memory of attention by length, and the exponent that fits: 2 for full
 * attention, 1 for a window. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "app/bench.h"
#include "app/messages.h"
#include "app/options.h"
#include "heed/attention.h"
#include "heed/ops.h"

typedef struct row {
    int64_t len;
    double seconds, gflops, megabytes; /* memory above q, k, v and the output */
} row;

enum { MOST = 32, REPEATS = 3 };

static int lengths(const char *text, int64_t *low, int64_t *high, heed_error *err) {
    char first[32];
    const char *dots = strstr(text, "..");
    const size_t n = dots ? (size_t)(dots - text) : strlen(text);
    const bool fits = n < sizeof first;
    if (fits) memcpy(first, text, n);
    first[fits ? n : 0] = 0;
    if (fits && opt_int(first, 1, 1 << 20, low) &&
        opt_int(dots ? dots + 2 : first, (double)*low, 1 << 20, high))
        return 0;
    err->code = HEED_EINVALID;
    snprintf(err->msg, sizeof err->msg, "--len wants A..B with 1 <= A <= B <= 1048576, not '%.40s'",
             text);
    return err->code;
}

/* Pairs of a query and a key that see each other, in one head. */
static double pairs(const bench_options *o, double T) {
    const double w = (double)o->window;
    if (w > 0 && w < T) return w * T - w * (w - 1) / 2;
    return o->causal || w > 0 ? T * (T + 1) / 2 : T * T;
}

static int once(heed_ctx *cx, const bench_options *o, row *r, heed_error *err) {
    const int64_t C = o->heads * o->dim;
    heed_tensor *in[3];
    for (uint64_t i = 0; i < 3; i++) {
        in[i] = bench_random(cx, 3, (int64_t[]){ 1, r->len, C }, i);
        if (o->backward && in[i]) heed_want_grad(cx, in[i]);
    }
    const heed_attention_cfg cfg = { .heads = o->heads,
                                     .causal = o->causal || o->window > 0,
                                     .window = o->window > 0,
                                     .left = o->window - 1,
                                     .right = 0 };
    const double start = bench_clock();
    heed_tensor *y = heed_attention(cx, in[0], in[1], in[2], &cfg);
    int rc = y ? 0 : bench_failed(cx, err);
    if (rc == 0 && o->backward && heed_backward_from(cx, y, HEED_F32_DATA(y)))
        rc = bench_failed(cx, err);
    const double took = bench_clock() - start;
    const double bytes = 4.0 * (double)(r->len * C) * (o->backward ? 8 : 4);
    if (r->seconds == 0 || took < r->seconds) r->seconds = took;
    r->megabytes = ((double)heed_ctx_memory(cx) - bytes) / 1e6;
    heed_ctx_reset(cx);
    return rc;
}

/* Least squares of log seconds on log length, over the upper half of the lengths, where the
 * constant costs are small. */
static double exponent(const row *r, int n) {
    const int from = n > 3 ? n / 2 : 0;
    double x = 0, y = 0, xx = 0, xy = 0;
    for (int i = from; i < n; i++) {
        const double a = log((double)r[i].len), b = log(r[i].seconds);
        x += a, y += b, xx += a * a, xy += a * b;
    }
    const double m = n - from;
    return m < 2 ? NAN : (m * xy - x * y) / (m * xx - x * x);
}

/* A row for people, as soon as it is known. */
static void print_row(const row *r, bool first) {
    if (first) {
        print_cell(tr("length"), 8);
        printf(" %12s %10s %10s\n", "ms", "GFLOP/s", "MB");
    }
    printf("%8" PRId64 " %12.3f %10.1f %10.1f\n", r->len, 1e3 * r->seconds, r->gflops,
           r->megabytes);
    fflush(stdout);
}

/* What is told at the end. */
static void print(const bench_options *o, const row *r, int n) {
    const double e = exponent(r, n);
    if (!o->json) {
        if (!isnan(e)) printf(tr("time grows as length to the power %.2f\n"), e);
        return;
    }
    printf("{\"bench\": \"attention\", \"heads\": %" PRId64 ", \"dim\": %" PRId64
           ", \"causal\": %s, \"window\": %" PRId64 ", \"backward\": %s, \"threads\": %" PRId64
           ", \"rows\": [",
           o->heads, o->dim, o->causal ? "true" : "false", o->window,
           o->backward ? "true" : "false", o->threads);
    for (int i = 0; i < n; i++)
        printf("%s{\"length\": %" PRId64
               ", \"seconds\": %.9g, \"gflops\": %.6g, \"megabytes\": %.6g}",
               i ? ", " : "", r[i].len, r[i].seconds, r[i].gflops, r[i].megabytes);
    printf("], \"exponent\": ");
    if (isnan(e))
        printf("null}\n");
    else
        printf("%.4f}\n", e);
}

int bench_attention(const bench_options *o, heed_error *err) {
    int64_t low, high;
    if (lengths(o->lengths, &low, &high, err)) return err->code;
    row rows[MOST];
    int n = 0, rc = 0;
    for (int64_t len = low; rc == 0 && len <= high && n < MOST; len *= 2) {
        row *r = &rows[n++];
        *r = (row){ .len = len };
        /* a context of its own, so that its memory is that of this length */
        heed_ctx *cx = heed_ctx_new(
            &(heed_ctx_cfg){ .train = o->backward, .threads = (int)o->threads }, err);
        if (!cx) return err->code;
        for (int i = 0; rc == 0 && i < REPEATS; i++) rc = once(cx, o, r, err);
        heed_ctx_free(cx);
        const double flops = 4.0 * pairs(o, (double)len) * (double)(o->dim * o->heads);
        r->gflops = flops * (o->backward ? 3.5 : 1.0) / r->seconds * 1e-9;
        if (rc == 0 && !o->json) print_row(r, n == 1);
    }
    if (rc == 0) print(o, rows, n);
    return rc;
}
