/* cmd_info.c: `heed info [MODEL]`: this machine, or what a model is made of. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "app/commands.h"
#include "app/messages.h"
#include "app/options.h"
#include "app/pairs.h"
#include "app/tag.h"
#include "heed/io.h"
#include "heed/tasks.h"
#include "tasks/classifier.h"

/* The head of a table of parts. */
static void print_head(bool flops) {
    printf("  ");
    print_cell(tr("part"), -20);
    print_cell(tr("parameters"), 13);
    printf(flops ? " %14s\n" : "%s\n", flops ? "FLOPs" : "");
}

static int machine(heed_error *err) {
    static const char *const names[] = { "scalar", "avx2", "avx512", "amx", "neon" };
    heed_ctx *cx = heed_ctx_new(&(heed_ctx_cfg){ 0 }, err);
    if (!cx) return err->code;
    printf(tr("heed %s\nkernels in use: %s\nthreads: %d\n"), heed_version(), heed_ctx_isa(cx),
           heed_pool_threads(heed_ctx_pool(cx)));
    heed_ctx_free(cx);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        heed_error why = { 0 };
        char text[MESSAGE_SIZE];
        cx = heed_ctx_new(&(heed_ctx_cfg){ .isa = names[i], .threads = 1 }, &why);
        printf("  %-7s %s\n", names[i], cx ? tr("yes") : tr_made(why.msg, text));
        heed_ctx_free(cx);
    }
    return 0;
}

/* A part of a model: its weights' names up to the first dot. */
typedef struct part {
    char name[48];
    int64_t parameters;
    double flops;
} part;

typedef struct parts {
    part list[64]; /* what does not fit any more goes into the last */
    int len;
} parts;

static part *part_of(parts *p, const char *name) {
    enum { MOST = sizeof p->list / sizeof *p->list };
    const int size = (int)strcspn(name, ".");
    char own[sizeof p->list->name];
    snprintf(own, sizeof own, "%.*s", size, name);
    for (int i = 0; i < p->len; i++)
        if (strcmp(p->list[i].name, own) == 0) return &p->list[i];
    if (p->len == MOST) return &p->list[MOST - 1];
    part *new = &p->list[p->len++];
    *new = (part){ 0 };
    snprintf(new->name, sizeof new->name, "%s", p->len == MOST ? "(others)" : own);
    return new;
}

static void add_flops(void *user, const char *name, double flops) {
    part_of(user, name)->flops += flops;
}

static void add_parameters(parts *p, const heed_safetensors *st) {
    for (int64_t i = 0; i < heed_safetensors_count(st); i++) {
        const heed_entry *e = heed_safetensors_at(st, i);
        const char *end = strrchr(e->name, '.');
        if (end && strcmp(end, ".scale") == 0) continue; /* of a table in 8 bits: no parameters */
        part_of(p, e->name)->parameters += e->len;
    }
}

/* Types and parameters by part. */
static int tagger(const char *dir, heed_error *err) {
    heed_tagger *t = heed_tagger_open(dir, &(heed_open_cfg){ .threads = 1 }, err);
    if (!t) return err->code;
    char path[4096];
    snprintf(path, sizeof path, "%.4000s/model.safetensors", dir);
    heed_safetensors *st = heed_safetensors_open(path, NULL, err);
    parts p = { .len = 0 };
    if (st) {
        add_parameters(&p, st);
        printf(tr("%s: tagger, tags in %s, %" PRId64 " parameters\ntypes:"), dir,
               heed_tagger_scheme(t), heed_tagger_parameters(t));
        for (int64_t i = 0; i < heed_tagger_types(t); i++)
            printf("%s %s", i ? "," : "", heed_tagger_type(t, i));
        printf("\n");
        print_head(false);
        for (int i = 0; i < p.len; i++)
            printf("  %-20s %12" PRId64 "\n", p.list[i].name, p.list[i].parameters);
    }
    heed_safetensors_close(st);
    heed_tagger_close(t);
    return st ? 0 : err->code;
}

static int embedder(const char *dir, heed_error *err) {
    heed_embedder *e = heed_embedder_open(dir, &(heed_open_cfg){ .threads = 1 }, err);
    if (!e) return err->code;
    printf(tr("%s: embedder, vectors of %" PRId64 " numbers, %" PRId64 " parameters, recipe %s\n"),
           dir, heed_embedder_dim(e), heed_embedder_parameters(e), heed_embedder_recipe(e));
    heed_embedder_close(e);
    return 0;
}

/* Parameters and arithmetic by part. */
static int model(const char *dir, heed_error *err) {
    if (pairs_is_embedder(dir)) return embedder(dir, err);
    heed_classifier *c = heed_classifier_open(dir, &(heed_open_cfg){ .threads = 1 }, err);
    if (!c) return err->code;
    char path[4096];
    snprintf(path, sizeof path, "%.4000s/model.safetensors", dir);
    heed_safetensors *st = heed_safetensors_open(path, NULL, err);
    parts p = { .len = 0 };
    if (st) add_parameters(&p, st);
    const int64_t words = st ? heed_classifier_cost(c, add_flops, &p, err) : -1;
    if (words >= 0) {
        double flops = 0;
        for (int i = 0; i < p.len; i++) flops += p.list[i].flops;
        static const char *const gives[] = { "one label", "several labels", "a score" };
        printf(tr("%s: classifier, recipe %s, gives %s for %s, %" PRId64 " labels, %" PRId64
                  " parameters\n"),
               dir, heed_classifier_recipe(c), tr(gives[heed_classifier_target(c)]),
               tr(c->context.in              ? "a text and its passage"
                  : heed_classifier_pairs(c) ? "two texts"
                                             : "a text"),
               heed_classifier_labels(c), heed_classifier_parameters(c));
        printf(
            tr("an answer about a text of %" PRId64 " different words: %.0f FLOPs in products\n"),
            words, flops);
        print_head(true);
        for (int i = 0; i < p.len; i++)
            printf("  %-20s %12" PRId64 " %14.0f\n", p.list[i].name, p.list[i].parameters,
                   p.list[i].flops);
    }
    heed_safetensors_close(st);
    heed_classifier_close(c);
    return words < 0 ? err->code : 0;
}

int cmd_info(int argc, char **argv) {
    const opt options[] = { { NULL, 0, OPT_FLAG, NULL, 0, 0, NULL, NULL } };
    const opt_command what = { "heed info [MODEL]",
                               "Says what this machine offers, or the parts of a model, their "
                               "numbers of parameters and what an answer costs.",
                               options, 0, 1 };
    const char *operand[1] = { NULL };
    const int n = opt_read(&what, argc, argv, operand);
    if (n < 0) return command_usage(n);
    heed_error err = { 0 };
    const int rc = n == 0                      ? machine(&err)
                   : tag_is_tagger(operand[0]) ? tagger(operand[0], &err)
                                               : model(operand[0], &err);
    return rc ? command_error(&err) : 0;
}
