/* sparse.c: what a step costs that touches few rows of a large table: a bag of words, its gradient,
 * and the lazy update of the rows, on a table of 2 million rows beside one of 2 thousand. Both
 * batches have as many ids and touch as many rows; of the large table they lie anywhere, so that
 * each is fetched from memory (gradient's row, moments, second moment, steps), and of the small one
 * in the caches. The first steps on the large one touch pages of moments that no step had touched,
 * which the system gives one by one: the median over many steps passes over them.
 *
 *     bench_sparse [ids [steps]]
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/thread.h"
#include "heed/ops.h"
#include "heed/train.h"

enum { LARGE = 2000000, SMALL = 2000, DIM = 64 };

/* One sentence of what went wrong; 1. */
static int failed(const char *what, const heed_error *why) {
    fprintf(stderr, "bench_sparse: %s: %s\n", what, why && why->code ? why->msg : "out of memory");
    return 1;
}

static int by_size(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

typedef struct times {
    double gather, backward, update, all; /* medians, milliseconds */
} times;

/* Steps of `ids` ids, no two alike, of a table [rows,DIM]; the first tenth are not counted. */
static int measure(int64_t rows, heed_optim_kind kind, int64_t ids, int steps, times *out) {
    heed_error err = { 0 };
    heed_ctx *cx = heed_ctx_new(&(heed_ctx_cfg){ .train = true, .threads = 1 }, &err);
    heed_params *ps = cx ? heed_params_new(NULL, &err) : NULL;
    heed_tensor *w = ps ? heed_param(ps, "table", (heed_init){ HEED_INIT_UNIFORM, 1 }, 2,
                                     (int64_t[]){ rows, DIM })
                        : NULL;
    double *took = malloc((size_t)steps * 4 * sizeof *took);
    if (!cx || !ps) return failed("a table", &err);
    if (!w || heed_param_set_sparse(ps, w)) return failed("a table", heed_params_error(ps));
    if (!took) return failed("times", NULL);
    heed_optim *opt = heed_optim_new(cx, ps, &(heed_optim_cfg){ .kind = kind, .lr = 0.001f }, &err);
    if (!opt) return failed("an optimizer", &err);
    const int warm = steps / 10;
    heed_rng rng = { .seed = 1 };
    for (int s = -warm; s < steps; s++) {
        heed_tensor *id = heed_new(cx, HEED_I32, 1, &ids);
        if (!id) return failed("a step", heed_ctx_error(cx));
        heed_tensor *bag = heed_from_i32(cx, 1, (int64_t[]){ 2 }, (int32_t[]){ 0, (int32_t)ids });
        /* one of each of as many stretches of the table */
        const int64_t stretch = rows / ids;
        for (int64_t i = 0; i < ids; i++)
            HEED_I32_DATA(id)
            [i] = (int32_t)(i * stretch) + (int32_t)heed_rng_below(&rng, (uint64_t)stretch);
        const double at = heed__seconds();
        heed_tensor *y = heed_sum(cx, heed_embedding_bag(cx, w, id, bag, true));
        const double forward = heed__seconds();
        if (heed_backward(cx, y)) return failed("a step", heed_ctx_error(cx));
        const double backward = heed__seconds();
        if (heed_optim_step(opt)) return failed("an update", heed_ctx_error(cx));
        const double end = heed__seconds();
        heed_ctx_reset(cx);
        if (s < 0) continue;
        took[s] = forward - at;
        took[steps + s] = backward - forward;
        took[2 * steps + s] = end - backward;
        took[3 * steps + s] = end - at;
    }
    double *const to[] = { &out->gather, &out->backward, &out->update, &out->all };
    for (int i = 0; i < 4; i++) {
        qsort(took + i * steps, (size_t)steps, sizeof *took, by_size);
        *to[i] = 1e3 * took[i * steps + steps / 2];
    }
    free(took);
    heed_optim_free(opt);
    heed_params_free(ps);
    heed_ctx_free(cx);
    return 0;
}

int main(int argc, char **argv) {
    const int64_t ids = argc > 1 ? atoll(argv[1]) : 1000;
    const int steps = argc > 2 ? atoi(argv[2]) : 1500;
    const struct {
        const char *name;
        heed_optim_kind kind;
    } kinds[] = { { "adamw", HEED_ADAMW }, { "adagrad", HEED_ADAGRAD } };
    if (ids < 1 || ids > SMALL || steps < 10) {
        fprintf(stderr, "bench_sparse: 1 to %d ids, 10 steps or more\n", SMALL);
        return 64;
    }
    printf("%lld rows touched of [rows,%d], 1 thread, ms a step (median of %d)\n", (long long)ids,
           DIM, steps);
    printf("%-8s %9s %9s %9s %9s %9s\n", "", "rows", "gather", "backward", "update", "step");
    for (int k = 0; k < 2; k++) {
        times t[2];
        for (int i = 0; i < 2; i++) {
            const int64_t rows = i ? LARGE : SMALL;
            if (measure(rows, kinds[k].kind, ids, steps, &t[i])) return 1;
            printf("%-8s %9lld %9.4f %9.4f %9.4f %9.4f\n", kinds[k].name, (long long)rows,
                   t[i].gather, t[i].backward, t[i].update, t[i].all);
        }
        printf("%-8s %9s %9.2f %9.2f %9.2f %9.2f\n", "", "ratio", t[1].gather / t[0].gather,
               t[1].backward / t[0].backward, t[1].update / t[0].update, t[1].all / t[0].all);
    }
    return 0;
}
