/* train.c: whole training steps, forward, backward and optimizer, as a program would write them.
 *
 *     build/bench/bench_train CASE [THREADS] [SECONDS] [bf16]
 *     encoder256 encoder256d encoder384 encoder384d   six encoder layers, vocabulary 10k, B8 T128,
 *                                                      AdamW; d: with dropout 0.1  (tokens/s)
 *     lstm128 lstm200                                  the classic recipe, batch 64 (samples/s)
 *     gpt2                                             124M parameters, B4 T64     (tokens/s)
 *
 * Prints one line: case, units a second (median of the steps), peak memory in MB, last loss.
 * bench/train_peers.py does the same with PyTorch; bench/run_train.sh runs both and their ratios.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "heed/models.h"
#include "heed/train.h"

typedef struct bench_case {
    const char *name;
    heed_model_kind kind;
    int64_t vocab, dim, heads, layers, batch, steps; /* steps: T */
    double dropout;
} bench_case;

static const bench_case cases[] = {
    { "encoder256", HEED_MODEL_ENCODER, 10000, 256, 8, 6, 8, 128, 0 },
    { "encoder256d", HEED_MODEL_ENCODER, 10000, 256, 8, 6, 8, 128, 0.1 },
    { "encoder384", HEED_MODEL_ENCODER, 10000, 384, 6, 6, 8, 128, 0 },
    { "encoder384d", HEED_MODEL_ENCODER, 10000, 384, 6, 6, 8, 128, 0.1 },
    { "lstm128", HEED_MODEL_CLASSIC, 10000, 64, 4, 1, 64, 128, 0 },
    { "lstm200", HEED_MODEL_CLASSIC, 10000, 64, 4, 1, 64, 200, 0 },
    { "gpt2", HEED_MODEL_LM, 50257, 768, 12, 12, 4, 64, 0 },
};

typedef struct bench_model {
    const bench_case *c;
    heed_encoder_classifier encoder;
    heed_linear head; /* of the encoder: a token for each step */
    heed_classic classic;
    heed_lm lm;
} bench_model;

static int fail(const char *what, const heed_error *err) {
    fprintf(stderr, "%s: %s\n", what, err ? err->msg : "failed");
    return 1;
}

static void init(bench_model *m, heed_params *ps) {
    const bench_case *c = m->c;
    const heed_model_cfg cfg = { .kind = c->kind,
                                 .vocab = c->vocab,
                                 .dim = c->dim,
                                 .heads = c->heads,
                                 .layers = c->layers,
                                 .max_len = c->kind == HEED_MODEL_LM ? 1024 : 512,
                                 .classes = 10,
                                 .tied = c->kind == HEED_MODEL_LM,
                                 .dropout = c->dropout };
    if (c->kind == HEED_MODEL_CLASSIC) heed_classic_init(&m->classic, ps, &cfg);
    if (c->kind == HEED_MODEL_LM) heed_lm_init(&m->lm, ps, &cfg);
    if (c->kind != HEED_MODEL_ENCODER) return;
    heed_encoder_classifier_init(&m->encoder, ps, &cfg);
    heed_params_set_trainable(ps, "head.*", false);
    heed_linear_init(&m->head, ps, "output", c->dim, c->vocab);
}

/* Random numbers below `most`, drawn before the step is measured. */
static heed_tensor *draw(heed_ctx *cx, int rank, const int64_t *shape, heed_rng *rng,
                         int64_t most) {
    heed_tensor *t = heed_new(cx, HEED_I32, rank, shape);
    for (int64_t i = 0; t && i < t->len; i++)
        HEED_I32_DATA(t)[i] = (int32_t)heed_rng_below(rng, (uint64_t)most);
    return t;
}

static heed_tensor *step_loss(heed_ctx *cx, const bench_model *m, heed_tensor *ids,
                              heed_tensor *labels) {
    const bench_case *c = m->c;
    if (!ids || !labels) return NULL;
    if (c->kind == HEED_MODEL_CLASSIC)
        return heed_cross_entropy(cx, heed_classic_apply(cx, &m->classic, ids, NULL, NULL), labels,
                                  NULL);
    if (c->kind == HEED_MODEL_LM)
        return heed_cross_entropy(cx, heed_lm_apply(cx, &m->lm, ids), labels, NULL);
    heed_tensor *x = heed_encoder_classifier_encode(cx, &m->encoder, ids, NULL, NULL);
    return heed_affine_cross_entropy(cx, x, m->head.w, m->head.b, labels, NULL);
}

/* One thread is measured by its own time, so that others on the machine do not count; more by the
 * wall. */
static clockid_t clock_of_run = CLOCK_MONOTONIC;

static double now(void) {
    struct timespec t;
    clock_gettime(clock_of_run, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int by_value(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static int run(const bench_case *c, int threads, double seconds, heed_precision precision) {
    heed_error err = { 0 };
    if (threads == 1) clock_of_run = CLOCK_PROCESS_CPUTIME_ID;
    heed_ctx *cx = heed_ctx_new(&(heed_ctx_cfg){ .train = true, .seed = 1, .threads = threads },
                                &err);
    heed_params *ps = heed_params_new(&(heed_params_cfg){ .seed = 1 }, &err);
    if (!cx || !ps) return fail(c->name, &err);
    heed_ctx_set_precision(cx, precision);
    bench_model m = { .c = c };
    init(&m, ps);
    if (heed_params_error(ps)) return fail(c->name, heed_params_error(ps));
    heed_optim *opt = heed_optim_new(
        cx, ps, &(heed_optim_cfg){ .kind = HEED_ADAMW, .lr = 1e-4f, .weight_decay = 0.01f }, &err);
    if (!opt) return fail(c->name, &err);
    heed_rng rng = { .seed = 7 };
    const bool classic = c->kind == HEED_MODEL_CLASSIC;
    const int64_t shape[2] = { c->batch, c->steps };
    enum { MOST = 10000 };
    static double took[MOST];
    int n = 0;
    float last = 0;
    const double begin = now();
    for (int step = 0; n < MOST && (step < 4 || now() - begin < seconds); step++) {
        heed_tensor *ids = draw(cx, 2, shape, &rng, c->vocab);
        heed_tensor *labels = draw(cx, classic ? 1 : 2, shape, &rng, classic ? 10 : c->vocab);
        const double t = now();
        heed_tensor *loss = step_loss(cx, &m, ids, labels);
        if (!loss || heed_backward(cx, loss)) return fail(c->name, heed_ctx_error(cx));
        last = heed_item(loss);
        if (heed_optim_step(opt)) return fail(c->name, heed_optim_error(opt));
        heed_ctx_reset(cx);
        if (step > 0) took[n++] = now() - t;
    }
    qsort(took, (size_t)n, sizeof took[0], by_value);
    struct rusage use;
    getrusage(RUSAGE_SELF, &use);
    const double units = (double)(c->kind == HEED_MODEL_CLASSIC ? c->batch : c->batch * c->steps);
    printf("%s %.1f %.0f %.5f\n", c->name, units / took[n / 2], (double)use.ru_maxrss / 1024,
           (double)last);
    heed_optim_free(opt);
    heed_params_free(ps);
    heed_ctx_free(cx);
    return 0;
}

int main(int argc, char **argv) {
    const int threads = argc > 2 ? atoi(argv[2]) : 1;
    const double seconds = argc > 3 ? atof(argv[3]) : 5;
    const bool bf16 = argc > 4 && strcmp(argv[4], "bf16") == 0;
    for (size_t i = 0; argc > 1 && i < sizeof cases / sizeof cases[0]; i++)
        if (strcmp(argv[1], cases[i].name) == 0)
            return run(&cases[i], threads, seconds,
                       bf16 ? HEED_PRECISION_BF16 : HEED_PRECISION_F32);
    fprintf(stderr,
            "usage: train encoder256|encoder256d|encoder384|encoder384d|lstm128|lstm200|gpt2 "
            "[THREADS] [SECONDS] [bf16]\n");
    return 64;
}
