/* attention_shim.c: our attention for Python to call beside its peers. */
#include "attention_run.h"
#include "peak.h"

__attribute__((visibility("default"))) void *shim_open(int64_t B, int64_t T, int64_t H, int64_t D) {
    return attention_open(B, T, H, D, 1);
}
__attribute__((visibility("default"))) void shim_close(void *run) {
    attention_close(run);
}
__attribute__((visibility("default"))) int shim_step(void *run, int causal, float dropout,
                                                     int backward) {
    return attention_step(run, causal, dropout, backward);
}
__attribute__((visibility("default"))) double shim_peak(const char *isa) {
    return bench_peak_fma(isa);
}
