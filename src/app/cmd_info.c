/* cmd_info.c: `heed info [MODEL]`: this machine, or what a model is made of. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "app/commands.h"
#include "app/options.h"
#include "heed/io.h"
#include "heed/tasks.h"

static int machine(heed_error *err) {
    static const char *const names[] = { "scalar", "avx2", "avx512", "amx", "neon" };
    heed_ctx *cx = heed_ctx_new(&(heed_ctx_cfg){ 0 }, err);
    if (!cx) return err->code;
    printf("heed %s\nkernels in use: %s\nthreads: %d\n", heed_version(), heed_ctx_isa(cx),
           heed_pool_threads(heed_ctx_pool(cx)));
    heed_ctx_free(cx);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        heed_error why = { 0 };
        cx = heed_ctx_new(&(heed_ctx_cfg){ .isa = names[i], .threads = 1 }, &why);
        printf("  %-7s %s\n", names[i], cx ? "yes" : why.msg);
        heed_ctx_free(cx);
    }
    return 0;
}

/* Parameters by part: the name up to its first dot. */
static int model(const char *dir, heed_error *err) {
    heed_classifier *c = heed_classifier_open(dir, &(heed_open_cfg){ .threads = 1 }, err);
    if (!c) return err->code;
    char path[4096];
    snprintf(path, sizeof path, "%.4000s/model.safetensors", dir);
    heed_safetensors *st = heed_safetensors_open(path, NULL, err);
    if (!st) {
        heed_classifier_close(c);
        return err->code;
    }
    printf("%s: classifier, %" PRId64 " labels, %" PRId64 " parameters\n", dir,
           heed_classifier_labels(c), heed_classifier_parameters(c));
    const int64_t n = heed_safetensors_count(st);
    for (int64_t i = 0; i < n;) {
        const char *name = heed_safetensors_at(st, i)->name;
        const size_t part = strcspn(name, ".");
        int64_t sum = 0;
        for (; i < n; i++) {
            const heed_entry *e = heed_safetensors_at(st, i);
            if (strncmp(e->name, name, part) != 0 || (e->name[part] && e->name[part] != '.')) break;
            sum += e->len;
        }
        printf("  %-20.*s %12" PRId64 "\n", (int)part, name, sum);
    }
    heed_safetensors_close(st);
    heed_classifier_close(c);
    return 0;
}

int cmd_info(int argc, char **argv) {
    const opt options[] = { { NULL, 0, OPT_FLAG, NULL, 0, 0, NULL, NULL } };
    const opt_command what = { "heed info [MODEL]",
                               "Says what this machine offers, or the parts of a model and their "
                               "numbers of parameters.",
                               options, 0, 1 };
    const char *operand[1] = { NULL };
    const int n = opt_read(&what, argc, argv, operand);
    if (n < 0) return command_usage(n);
    heed_error err = { 0 };
    return (n ? model(operand[0], &err) : machine(&err)) ? command_error(&err) : 0;
}
