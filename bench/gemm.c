/* gemm.c: matrix products beside the limits of this core and beside oneDNN and OpenBLAS, which are
 * opened at run time where they are installed. All run in one process on one thread and take turns;
 * each figure is the best of its turns, and the peak is measured in the same turns.
 *
 *     bench/run_gemm.sh          sets what the peers need and pins to one core
 *     build/bench/bench_gemm step        only the products of training steps of six encoder layers
 */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/bf16.h"
#include "kernels/gemm.h"
#include "kernels/quant.h"
#include "peak.h"

#if defined(__has_include)
#if __has_include(<dnnl.h>)
#include <dnnl.h>
#define HAVE_DNNL 1
#endif
#endif

enum { TURNS = 6 };
static const double turn_seconds = 0.03;

typedef void (*cblas_fn)(int order, int ta, int tb, int m, int n, int k, float alpha,
                         const float *a, int lda, const float *b, int ldb, float beta, float *c,
                         int ldc);
typedef int (*dnnl_fn)(char ta, char tb, int64_t m, int64_t n, int64_t k, float alpha,
                       const float *a, int64_t lda, const float *b, int64_t ldb, float beta,
                       float *c, int64_t ldc);

typedef struct shape {
    int64_t m, n, k;
} shape;

typedef struct side { /* one product in all its forms */
    shape s;
    const heed_kernels *kernels;
    float *a, *at, *w, *b, *packed, *c, *scratch;
    cblas_fn cblas;
    dnnl_fn dnnl;
    void *primitive; /* oneDNN's product with weights in its own packed format */
} side;

static void *room(int64_t size) {
    void *p = aligned_alloc(64, (size_t)(size + 127) / 64 * 64);
    if (!p) exit(71);
    return memset(p, 0, (size_t)(size + 127) / 64 * 64);
}

static float *numbers(int64_t n) {
    float *p = room(n * 4);
    for (int64_t i = 0; i < n; i++) p[i] = (float)(i * 7 % 31 - 15) / 16.0f;
    return p;
}

/* -- what is run --------------------------------------------------------------------------------
 */

static void ours(const side *x, bool ta, bool tb, bool packed) {
    const shape s = x->s;
    heed_gemm g = { .m = s.m, .n = s.n, .k = s.k, .c = x->c, .ldc = s.n, .ta = ta, .tb = tb };
    g.a = ta ? x->at : x->a;
    g.b = tb ? x->w : x->b;
    g.lda = ta ? s.m : s.k;
    g.ldb = tb ? s.k : s.n;
    if (packed) g.packed = x->packed;
    heed__gemm(x->kernels, NULL, &g, x->scratch);
}

static void our_nn(const side *x) {
    ours(x, false, false, false);
}
static void our_nt(const side *x) {
    ours(x, false, true, false);
}
static void our_tn(const side *x) {
    ours(x, true, false, false);
}
static void our_packed(const side *x) {
    ours(x, false, false, true);
}
static void our_weight_grad(const side *x) {
    const shape s = x->s;
    heed_gemm g = { .m = s.m, .n = s.n, .k = s.k, .a = x->at, .b = x->b, .c = x->c, .ta = true };
    g.lda = s.m, g.ldb = g.ldc = s.n;
    g.shard = HEED_GEMM_SHARD;
    heed__gemm(x->kernels, NULL, &g, x->scratch);
}
static void blas_nn(const side *x) {
    const int m = (int)x->s.m, n = (int)x->s.n, k = (int)x->s.k;
    x->cblas(101, 111, 111, m, n, k, 1, x->a, k, x->b, n, 0, x->c, n);
}
static void blas_nt(const side *x) {
    const int m = (int)x->s.m, n = (int)x->s.n, k = (int)x->s.k;
    x->cblas(101, 111, 112, m, n, k, 1, x->a, k, x->w, k, 0, x->c, n);
}
static void one_nn(const side *x) {
    const shape s = x->s;
    x->dnnl('N', 'N', s.m, s.n, s.k, 1, x->a, s.k, x->b, s.n, 0, x->c, s.n);
}
static void one_nt(const side *x) {
    const shape s = x->s;
    x->dnnl('N', 'T', s.m, s.n, s.k, 1, x->a, s.k, x->w, s.k, 0, x->c, s.n);
}
static void one_tn(const side *x) {
    const shape s = x->s;
    x->dnnl('T', 'N', s.m, s.n, s.k, 1, x->at, s.m, x->b, s.n, 0, x->c, s.n);
}

/* -- oneDNN with packed weights ------------------------------------------------------------------
 */

#ifdef HAVE_DNNL
#define DNNL_FNS(X)                                                                                \
    X(dnnl_engine_create)                                                                          \
    X(dnnl_stream_create)                                                                          \
    X(dnnl_memory_desc_init_by_tag)                                                                \
    X(dnnl_matmul_desc_init)                                                                       \
    X(dnnl_primitive_desc_create)                                                                  \
    X(dnnl_primitive_desc_query_md)                                                                \
    X(dnnl_primitive_create)                                                                       \
    X(dnnl_memory_create)                                                                          \
    X(dnnl_reorder_primitive_desc_create) X(dnnl_primitive_execute) X(dnnl_stream_wait)
#define X(name) static __typeof__(&name) p_##name;
DNNL_FNS(X)
#undef X
static dnnl_stream_t stream;

typedef struct packed_product {
    dnnl_primitive_t run;
    dnnl_exec_arg_t args[3];
} packed_product;

static void one_packed(const side *x) {
    const packed_product *p = x->primitive;
    p_dnnl_primitive_execute(p->run, stream, 3, p->args);
    p_dnnl_stream_wait(stream);
}

/* Fills *p; false where oneDNN cannot. Objects live to the end of the program. */
static bool prepare_packed(void *library, const side *x, packed_product *p) {
    static dnnl_engine_t engine;
#define X(name) *(void **)&p_##name = dlsym(library, #name);
    DNNL_FNS(X)
#undef X
    if (!engine && (p_dnnl_engine_create(&engine, dnnl_cpu, 0) ||
                    p_dnnl_stream_create(&stream, engine, dnnl_stream_default_flags)))
        return false;
    const dnnl_dims_t da = { x->s.m, x->s.k }, db = { x->s.k, x->s.n }, dc = { x->s.m, x->s.n };
    dnnl_memory_desc_t a, any, b, c;
    p_dnnl_memory_desc_init_by_tag(&a, 2, da, dnnl_f32, dnnl_ab);
    p_dnnl_memory_desc_init_by_tag(&any, 2, db, dnnl_f32, dnnl_format_tag_any);
    p_dnnl_memory_desc_init_by_tag(&b, 2, db, dnnl_f32, dnnl_ab);
    p_dnnl_memory_desc_init_by_tag(&c, 2, dc, dnnl_f32, dnnl_ab);
    dnnl_matmul_desc_t desc;
    dnnl_primitive_desc_t pd, reorder;
    if (p_dnnl_matmul_desc_init(&desc, &a, &any, NULL, &c) ||
        p_dnnl_primitive_desc_create(&pd, &desc, NULL, engine, NULL))
        return false;
    const dnnl_memory_desc_t *own = p_dnnl_primitive_desc_query_md(pd, dnnl_query_weights_md, 0);
    dnnl_memory_t ma, mb, mw, mc;
    dnnl_primitive_t copy;
    if (p_dnnl_memory_create(&ma, &a, engine, x->a) ||
        p_dnnl_memory_create(&mb, &b, engine, x->b) ||
        p_dnnl_memory_create(&mw, own, engine, DNNL_MEMORY_ALLOCATE) ||
        p_dnnl_memory_create(&mc, &c, engine, x->c) ||
        p_dnnl_reorder_primitive_desc_create(&reorder, &b, engine, own, engine, NULL) ||
        p_dnnl_primitive_create(&copy, reorder) || p_dnnl_primitive_create(&p->run, pd))
        return false;
    const dnnl_exec_arg_t once[] = { { DNNL_ARG_FROM, mb }, { DNNL_ARG_TO, mw } };
    if (p_dnnl_primitive_execute(copy, stream, 2, once)) return false;
    p_dnnl_stream_wait(stream);
    p->args[0] = (dnnl_exec_arg_t){ DNNL_ARG_SRC, ma };
    p->args[1] = (dnnl_exec_arg_t){ DNNL_ARG_WEIGHTS, mw };
    p->args[2] = (dnnl_exec_arg_t){ DNNL_ARG_DST, mc };
    return true;
}
#endif

/* -- measuring ----------------------------------------------------------------------------------
 */

static double rate(void (*run)(const side *), const side *x, double work) {
    double best = 0;
    run(x);
    for (const double end = bench_now() + turn_seconds; bench_now() < end;) {
        const double from = bench_now();
        run(x);
        const double got = work / (bench_now() - from) * 1e-9;
        if (got > best) best = got;
    }
    return best;
}

static double more(double a, double b) {
    return a > b ? a : b;
}

/* One form of ours beside up to two peers (NULL: not there). Returns its part of the peak. */
static double row(const side *x, const char *form, void (*we)(const side *),
                  void (*dnnl)(const side *), void (*blas)(const side *)) {
    const double work = 2.0 * (double)x->s.m * (double)x->s.n * (double)x->s.k;
    double us = 0, peak = 0, d = 0, o = 0;
    for (int t = 0; t < TURNS; t++) {
        peak = more(peak, bench_peak_fma(x->kernels->name));
        us = more(us, rate(we, x, work));
        if (dnnl) d = more(d, rate(dnnl, x, work));
        if (blas) o = more(o, rate(blas, x, work));
    }
    printf("%5d %5d %5d  %-8s %7.1f  %5.2f", (int)x->s.m, (int)x->s.n, (int)x->s.k, form, us,
           us / peak);
    if (d > 0) printf("   %7.1f  %5.2f", d, us / d);
    if (d <= 0) printf("   %7s  %5s", "-", "-");
    if (o > 0) printf("   %7.1f  %5.2f", o, us / o);
    printf("\n");
    fflush(stdout);
    return us / peak;
}

static const char *const heading = "f32, %s, GFLOP/s\n    m     n     k  form        ours /peak    "
                                   "oneDNN  ours/  OpenBLAS  ours/\n";

static void f32_products(const heed_kernels *k) {
    static const shape shapes[] = { { 1024, 1024, 1024 }, { 512, 768, 768 }, { 128, 768, 768 },
                                    { 32, 768, 768 },     { 8, 768, 768 },   { 1024, 768, 256 },
                                    { 1024, 256, 768 },   { 1, 768, 768 } };
    void *dnnl = dlopen("libdnnl.so.2", RTLD_NOW), *blas = dlopen("libopenblas.so.0", RTLD_NOW);
    side x = { .kernels = k };
    if (dnnl) *(void **)&x.dnnl = dlsym(dnnl, "dnnl_sgemm");
    if (blas) *(void **)&x.cblas = dlsym(blas, "cblas_sgemm");
    printf(heading, k->name);
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        const shape s = x.s = shapes[i];
        x.a = numbers(s.m * s.k), x.at = numbers(s.m * s.k);
        x.w = numbers(s.n * s.k), x.b = numbers(s.n * s.k), x.c = numbers(s.m * s.n);
        x.packed = room(4 * heed__packed_len(s.n, s.k));
        heed__pack_b(k, x.packed, x.b, s.n, false, s.n, s.k);
        const heed_gemm g = { .m = s.m, .n = s.n, .k = s.k };
        x.scratch = room(4 * heed__gemm_scratch(k, &g, 1));
        row(&x, "NN", our_nn, x.dnnl ? one_nn : NULL, x.cblas ? blas_nn : NULL);
        row(&x, "NT", our_nt, x.dnnl ? one_nt : NULL, x.cblas ? blas_nt : NULL);
        row(&x, "TN", our_tn, x.dnnl ? one_tn : NULL, NULL);
        void (*peer)(const side *) = NULL;
#ifdef HAVE_DNNL
        packed_product p;
        x.primitive = &p;
        if (dnnl && prepare_packed(dnnl, &x, &p)) peer = one_packed;
#endif
        row(&x, "packed", our_packed, peer, NULL);
        free(x.a), free(x.at), free(x.w), free(x.b), free(x.c), free(x.packed), free(x.scratch);
    }
}

/* A product of a step beside oneDNN; form 0: forward, 1: the input's, 2: the weight's gradient. */
static double step_row(const heed_kernels *k, dnnl_fn dnnl, shape s, int form) {
    static const char *const names[] = { "NT", "NN", "TN" };
    static void (*const we[])(const side *) = { our_nt, our_nn, our_weight_grad };
    static void (*const peers[])(const side *) = { one_nt, one_nn, one_tn };
    side x = { .kernels = k, .s = s, .dnnl = dnnl };
    x.a = numbers(s.m * s.k), x.at = numbers(s.m * s.k);
    x.w = numbers(s.n * s.k), x.b = numbers(s.n * s.k), x.c = numbers(s.m * s.n);
    const heed_gemm g = { .m = s.m, .n = s.n, .k = s.k, .shard = HEED_GEMM_SHARD };
    x.scratch = room(4 * heed__gemm_scratch(k, &g, 1));
    const double part = row(&x, names[form], we[form], dnnl ? peers[form] : NULL, NULL);
    free(x.a), free(x.at), free(x.w), free(x.b), free(x.c), free(x.scratch);
    return part;
}

/* All products of a step over 1024 tokens: six layers of width d, ff 4d, and 10,000 words. */
static void step_products(const heed_kernels *k) {
    enum { TOKENS = 1024, WORDS = 10000 };
    void *library = dlopen("libdnnl.so.2", RTLD_NOW);
    dnnl_fn dnnl = NULL;
    if (library) *(void **)&dnnl = dlsym(library, "dnnl_sgemm");
    printf(heading, k->name);
    for (int64_t d = 256; d <= 384; d += 128) {
        const int64_t weights[][3] = {
            { d, d, 24 }, { 4 * d, d, 6 }, { d, 4 * d, 6 }, { WORDS, d, 1 }
        }; /* [out,in], how many */
        double work = 0, at_peak = 0;
        for (int form = 0; form < 3; form++)
            for (int i = 0; i < 4; i++) {
                const int64_t out = weights[i][0], in = weights[i][1];
                const shape shapes[] = { { TOKENS, out, in },
                                         { TOKENS, in, out },
                                         { out, in, TOKENS } };
                const double each = (double)(out * in * weights[i][2]);
                work += each;
                at_peak += each / step_row(k, dnnl, shapes[form], form);
            }
        printf("all products of a step, d %d: %.2f of the peak\n", (int)d, work / at_peak);
    }
}

static void one_row(const heed_kernels *k) {
    static const int64_t sizes[] = { 512, 768, 1024, 4096 };
    printf("one row, packed weights, GB/s\n    n     k     ours   read  ours/\n");
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const int64_t n = sizes[i], len = heed__packed_len(n, n);
        side x = { .kernels = k, .s = { 1, n, n } };
        x.a = numbers(n), x.c = numbers(n), x.packed = numbers(len);
        const heed_gemm g = { .m = 1, .n = n, .k = n };
        x.scratch = room(4 * heed__gemm_scratch(k, &g, 1));
        double us = 0, read = 0;
        for (int t = 0; t < TURNS; t++) {
            us = more(us, rate(our_packed, &x, 4.0 * (double)len));
            read = more(read, bench_read_bandwidth(x.packed, (size_t)len * 4));
        }
        printf("%5d %5d  %7.1f %6.1f  %5.2f\n", (int)n, (int)n, us, read, us / read);
        free(x.a), free(x.c), free(x.packed), free(x.scratch);
    }
}

/* heed_affine of one row before and after heed_params_freeze. */
static void one_row_affine(void) {
    static const int64_t sizes[] = { 64, 256, 768, 2048 };
    heed_ctx *cx = heed_ctx_new(&(heed_ctx_cfg){ .threads = 1 }, NULL);
    if (!cx) exit(71);
    printf("heed_affine, one row, GB/s of weights\n    n     k    plain  frozen  times\n");
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const int64_t n = sizes[i];
        heed_params *ps = heed_params_new(NULL, NULL);
        heed_tensor *w = heed_param(ps, "w", (heed_init){ HEED_INIT_NORMAL, 1 }, 2,
                                    (int64_t[]){ n, n });
        double best[2] = { 0, 0 };
        for (int frozen = 0; frozen < 2; frozen++) {
            if (!w || (frozen && heed_params_freeze(cx, ps) != 0)) exit(71);
            w->needs_grad = false;
            for (const double end = bench_now() + 5 * turn_seconds; bench_now() < end;) {
                heed_tensor *x = heed_zeros(cx, HEED_F32, 2, (int64_t[]){ 1, n });
                const double from = bench_now();
                heed_affine(cx, x, w, NULL);
                best[frozen] = more(best[frozen], 4.0 * (double)w->len / (bench_now() - from));
                heed_ctx_reset(cx);
            }
        }
        printf("%5d %5d  %7.1f %7.1f  %5.2f\n", (int)n, (int)n, best[0] * 1e-9, best[1] * 1e-9,
               best[1] / best[0]);
        heed_params_free(ps);
    }
    heed_ctx_free(cx);
}

typedef struct q_side {
    const heed_kernels *k;
    heed_qgemm g;
    void *scratch;
} q_side;

static void our_int8(const side *x) {
    const q_side *q = x->primitive;
    heed__qgemm(q->k, NULL, &q->g, q->scratch);
}

static void int8_products(const heed_kernels *k) {
    static const shape shapes[] = { { 1024, 1024, 1024 },
                                    { 512, 768, 768 },
                                    { 128, 768, 768 },
                                    { 32, 768, 768 },
                                    { 1, 768, 768 } };
    printf("int8, %s, GOP/s\n    m     n     k     ours   peak  ours/\n", k->name);
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        const shape s = shapes[i];
        int8_t *a = room(s.m * s.k), *b = room(s.n * s.k);
        for (int64_t j = 0; j < s.m * s.k; j++) a[j] = (int8_t)(j * 7 % 255 - 127);
        for (int64_t j = 0; j < s.n * s.k; j++) b[j] = (int8_t)(j * 5 % 255 - 127);
        void *packed = room(heed__q_packed_size(s.n, s.k));
        heed__q_pack(packed, b, s.k, s.n, s.k);
        q_side q = { .k = k, .g = { .m = s.m, .n = s.n, .k = s.k, .a = a, .lda = s.k } };
        q.g.packed = packed, q.g.c = numbers(s.m * s.n), q.g.ldc = s.n;
        float *scales = numbers(s.m + s.n);
        q.g.row_scale = scales, q.g.col_scale = scales + s.m;
        q.scratch = room(heed__q_scratch(k, &q.g, 1));
        const side x = { .kernels = k, .s = s, .primitive = &q };
        double us = 0, peak = 0;
        for (int t = 0; t < TURNS; t++) {
            us = more(us, rate(our_int8, &x, 2.0 * (double)s.m * (double)s.n * (double)s.k));
            peak = more(peak, bench_peak_vnni(k->name));
            peak = more(peak, bench_peak_amx_int8(k->name));
        }
        printf("%5d %5d %5d  %7.1f %6.1f  %5.2f\n", (int)s.m, (int)s.n, (int)s.k, us, peak,
               us / peak);
        free(a), free(b), free(packed), free(q.g.c), free(scales), free(q.scratch);
    }
}

static void our_bf16(const side *x) {
    const shape s = x->s;
    heed_gemm g = { .m = s.m, .n = s.n, .k = s.k, .a = x->a, .lda = s.k, .c = x->c, .ldc = s.n };
    g.packed = x->packed;
    heed__gemm_bf16(x->kernels, NULL, &g, x->scratch);
}

/* Beside the peak of tiles where there are any, else of f32: bf16 is emulated then. */
static void bf16_products(const heed_kernels *k) {
    static const shape shapes[] = { { 1024, 1024, 1024 }, { 512, 768, 768 }, { 128, 768, 768 } };
    const bool tiles = strcmp(k->name, "amx") == 0;
    printf("bf16, %s, packed, GFLOP/s\n    m     n     k     ours   peak  ours/\n", k->name);
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        const shape s = shapes[i];
        side x = { .kernels = k, .s = s, .a = numbers(s.m * s.k), .b = numbers(s.n * s.k) };
        x.c = numbers(s.m * s.n);
        x.packed = room(4 * heed__packed_bf16_len(s.n, s.k));
        heed__pack_b_bf16(k, x.packed, x.b, s.n, false, s.n, s.k);
        const heed_gemm g = { .m = s.m, .n = s.n, .k = s.k };
        x.scratch = room(4 * heed__gemm_bf16_scratch(k, &g, 1));
        double us = 0, peak = 0;
        for (int t = 0; t < TURNS; t++) {
            us = more(us, rate(our_bf16, &x, 2.0 * (double)s.m * (double)s.n * (double)s.k));
            peak = more(peak, tiles ? bench_peak_amx_bf16(k->name) : bench_peak_fma(k->name));
        }
        printf("%5d %5d %5d  %7.1f %6.1f  %5.2f\n", (int)s.m, (int)s.n, (int)s.k, us, peak,
               us / peak);
        free(x.a), free(x.b), free(x.c), free(x.packed), free(x.scratch);
    }
}

int main(int argc, char **argv) {
    heed_error err;
    const heed_kernels *k = heed__kernels(NULL, &err);
    if (!k) return fprintf(stderr, "%s\n", err.msg), 69;
    if (argc > 1 && strcmp(argv[1], "step") == 0) return step_products(k), 0;
    if (!getenv("SKIP_F32")) f32_products(k);
    one_row(k);
    one_row_affine();
    int8_products(k);
    bf16_products(k);
    return 0;
}
