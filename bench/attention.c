/* attention.c: time of fused attention beside the peak of this core, and the memory of a long one.
 *
 *     taskset -c 1 build/bench/bench_attention
 */
#include <stdio.h>
#include <string.h>

#include "attention_run.h"
#include "peak.h"

static double best_ms(attention_run *r, int causal, float dropout, int backward, double seconds) {
    double best = 1e9;
    const double start = bench_now();
    for (int i = 0; i < 3 || bench_now() - start < seconds; i++) {
        const double t = bench_now();
        if (attention_step(r, causal, dropout, backward)) return 0;
        const double ms = (bench_now() - t) * 1e3;
        if (ms < best) best = ms;
    }
    return best;
}

static void shape(int64_t B, int64_t T, int64_t D, double peak, heed_precision precision) {
    const int64_t H = 8;
    attention_run *r = attention_open(B, T, H, D, 1);
    if (!r) return;
    heed_ctx_set_precision(r->cx, precision);
    for (int causal = 0; causal < 2; causal++) {
        const double flop = 4.0 * (double)(B * H * T * T * D) * (causal ? 0.5 : 1) * 1e-6;
        const double fwd = best_ms(r, causal, 0, 0, 0.5), both = best_ms(r, causal, 0, 1, 0.7);
        const double drop = best_ms(r, causal, 0.1f, 1, 0.5);
        printf("%s B%lld H8 T%-5lld D%-3lld %-6s  forward %8.2f ms %4.2f of peak   both %8.2f ms, "
               "backward %4.2f   with dropout %8.2f ms\n",
               precision == HEED_PRECISION_BF16 ? "bf16" : "f32 ", (long long)B, (long long)T,
               (long long)D, causal ? "causal" : "full", fwd, flop / fwd / peak, both,
               2.5 * flop / (both - fwd) / peak, drop);
    }
    attention_close(r);
}

static void memory(void) {
    attention_run *r = attention_open(1, 8192, 8, 64, 1);
    if (!r) return;
    const size_t before = heed_ctx_memory(r->cx);
    attention_step(r, 0, 0, 1);
    const double inputs = 8192.0 * 512 * 4 / 1e6;
    printf("B1 H8 T8192 D64: forward and backward take %.1f MB of the step and %.1f MB of "
           "gradients above the inputs, and the caller's dout %.1f MB\n",
           (double)(heed_ctx_memory(r->cx) - before) / 1e6, 3 * inputs, inputs);
    attention_close(r);
}

int main(int argc, char **argv) {
    const double peak = bench_peak_fma("avx512") > 0 ? bench_peak_fma("avx512")
                                                     : bench_peak_fma("avx2");
    printf("peak of this core: %.1f GFLOP/s\n", peak);
    for (int bf16 = 0; bf16 < 2; bf16++) {
        const heed_precision p = bf16 ? HEED_PRECISION_BF16 : HEED_PRECISION_F32;
        shape(1, 2048, 64, peak, p);
        shape(8, 512, 64, peak, p);
        shape(8, 128, 64, peak, p);
        shape(8, 128, 32, peak, p);
    }
    if (argc < 2 || strcmp(argv[1], "--quick") != 0) memory();
    return 0;
}
