/* cmd_bench.c: `heed bench attention|gemm|ops|ablate|serve`. */
#include <stdio.h>
#include <string.h>

#include "app/bench.h"
#include "app/commands.h"
#include "app/messages.h"
#include "app/options.h"
#include "base/thread.h"
#include "heed/ops.h"

double bench_clock(void) {
    return heed__seconds();
}

heed_tensor *bench_random(heed_ctx *cx, int ndim, const int64_t *shape, uint64_t seed) {
    heed_tensor *t = heed_new(cx, HEED_F32, ndim, shape);
    heed_rng rng = { .seed = seed, .stream = 1 };
    for (int64_t i = 0; t && i < t->len; i++)
        HEED_F32_DATA(t)[i] = 2.0f * heed_rng_uniform(&rng) - 1.0f;
    return t;
}

int bench_failed(heed_ctx *cx, heed_error *err) {
    const heed_error *why = heed_ctx_error(cx);
    if (why)
        *err = *why;
    else
        *err = (heed_error){ HEED_ENOMEM, "bench: out of memory" };
    return err->code;
}

/* An option that was given and that this kind of measurement knows nothing of, or NULL. */
static const char *misplaced(const bench_options *o, const bench_options *none, const char *kind) {
    const struct {
        const char *name, *kind;
        bool given;
    } list[] = {
        { "--len", "attention", o->lengths != none->lengths },
        { "--causal", "attention", o->causal },
        { "--window", "attention", o->window != none->window },
        { "--backward", "attention", o->backward },
        { "--heads", "attention", o->heads != none->heads },
        { "--dim", "attention", o->dim != none->dim },
        { "--only", "ops", o->only != NULL },
    };
    if (strcmp(kind, "attention") != 0 && strcmp(kind, "gemm") != 0 && strcmp(kind, "ops") != 0)
        return NULL;
    for (size_t i = 0; i < sizeof list / sizeof *list; i++)
        if (list[i].given && strcmp(list[i].kind, kind) != 0) return list[i].name;
    return NULL;
}

int cmd_bench(int argc, char **argv) {
    if (argc > 0 && strcmp(argv[0], "ablate") == 0) return bench_ablate(argc - 1, argv + 1);
    if (argc > 0 && strcmp(argv[0], "serve") == 0) {
        static char name[] = "bench"; /* for what stands in libheed-serve.so */
        argv[0] = name;
        return serving_run(argc, argv);
    }
    const bench_options none = { .heads = 8, .dim = 64, .threads = 1, .lengths = "128..8192" };
    bench_options o = none;
    const opt options[] = {
        { "len", 0, OPT_TEXT, &o.lengths, 0, 0, "A..B", "attention: lengths, doubled (128..8192)" },
        { "causal", 0, OPT_FLAG, &o.causal, 0, 0, NULL, "attention: each sees those before it" },
        { "window", 0, OPT_INT, &o.window, 1, 1e9, "N", "attention: each sees its last N" },
        { "backward", 0, OPT_FLAG, &o.backward, 0, 0, NULL, "attention: with the gradients" },
        { "heads", 0, OPT_INT, &o.heads, 1, 1024, "N", "attention: heads (8)" },
        { "dim", 0, OPT_INT, &o.dim, 1, 256, "N", "attention: width of a head (64)" },
        { "only", 0, OPT_TEXT, &o.only, 0, 0, "OP", "ops: this one alone" },
        { "threads", 0, OPT_INT, &o.threads, 1, 1024, "N", "threads (1)" },
        { "json", 0, OPT_FLAG, &o.json, 0, 0, NULL, "one JSON object (docs/schemas/bench.json)" },
        { NULL, 0, OPT_FLAG, NULL, 0, 0, NULL, NULL },
    };
    const opt_command what = {
        "heed bench attention|gemm|ops [options]; heed bench ablate classify DATA [options]; heed "
        "bench serve TRAIN TEST [options]",
        "Measures here and now: the cost of attention by length with its "
        "fitted exponent, matrix products by their sizes, or every "
        "operation.",
        options, 1, 1
    };
    const char *operand[1];
    const int n = opt_read(&what, argc, argv, operand);
    if (n < 0) return command_usage(n);
    const char *wrong = misplaced(&o, &none, operand[0]);
    if (wrong) {
        complain(tr("heed bench %s: %s is no option of it; see --help\n"), operand[0], wrong);
        return EXIT_USAGE;
    }
    heed_error err = { 0 };
    int rc;
    if (strcmp(operand[0], "attention") == 0)
        rc = bench_attention(&o, &err);
    else if (strcmp(operand[0], "gemm") == 0)
        rc = bench_gemm(&o, &err);
    else if (strcmp(operand[0], "ops") == 0)
        rc = bench_ops(&o, &err);
    else {
        complain(tr("heed bench: no '%s'; there is: attention, gemm, ops, ablate, serve\n"),
                 operand[0]);
        return EXIT_USAGE;
    }
    return rc ? command_error(&err) : 0;
}
