/* test_span.c: heads learn how far they need to look.
 *
 * A two-layer language model of tinyshakespeare's characters, attending at most 255 back, is
 * trained twice for the same steps: with full causal attention, and with adaptive span (Sukhbaatar
 * et al. 2019), whose reaches begin at half of that and cost a little each. Both bits per
 * character are of held-out text, the last tenth. Positions are rotary in both.
 */
#include "long.h"

#include <math.h>
#include <stdlib.h>

enum { T = 256, C = 64, LAYERS = 2, HEADS = 4, B = 8, STEPS = 700, CHECKS = 24, RAMP = 16 };

typedef struct model {
    heed_embed embed;
    heed_mha self[LAYERS];
    heed_norm norm1[LAYERS], norm2[LAYERS], last;
    heed_ff ff[LAYERS];
    heed_linear head;
} model;

static char *text;
static int64_t text_len, vocab;
static int32_t ids[256];

static void declare(model *m, heed_params *ps, bool adaptive) {
    heed_embed_init(&m->embed, ps, "embed",
                    &(heed_embed_cfg){ .vocab = vocab, .dim = C, .deviation = 0.1f });
    for (int l = 0; l < LAYERS; l++) {
        static const char *const names[LAYERS][4] = { { "self0", "norm10", "norm20", "ff0" },
                                                      { "self1", "norm11", "norm21", "ff1" } };
        heed_mha_cfg cfg = {
            .dim = C, .heads = HEADS, .use_rotary = true, .kind = { .causal = true }
        };
        if (adaptive) cfg.learn_span = T / 2, cfg.kind.span_ramp = RAMP;
        heed_mha_init(&m->self[l], ps, names[l][0], &cfg);
        heed_norm_init(&m->norm1[l], ps, names[l][1], &(heed_norm_cfg){ .dim = C });
        heed_norm_init(&m->norm2[l], ps, names[l][2], &(heed_norm_cfg){ .dim = C });
        heed_ff_init(&m->ff[l], ps, names[l][3], &(heed_ff_cfg){ .dim = C, .hidden = 4 * C });
    }
    heed_norm_init(&m->last, ps, "last", &(heed_norm_cfg){ .dim = C });
    heed_linear_init(&m->head, ps, "head", C, vocab);
}

/* The cross-entropy of B pieces of text that begin at from[b], nats per character. */
static heed_tensor *loss_of(heed_ctx *cx, const model *m, const int64_t *from) {
    heed_tensor *in = heed_new(cx, HEED_I32, 2, (int64_t[]){ B, T });
    heed_tensor *next = heed_new(cx, HEED_I32, 2, (int64_t[]){ B, T });
    if (!in || !next) return NULL;
    for (int64_t i = 0; i < B * T; i++) {
        const unsigned char *at = (unsigned char *)text + from[i / T] + i % T;
        HEED_I32_DATA(in)[i] = ids[at[0]];
        HEED_I32_DATA(next)[i] = ids[at[1]];
    }
    heed_tensor *x = heed_embed_apply(cx, &m->embed, in);
    for (int l = 0; l < LAYERS; l++) {
        heed_tensor *y = heed_norm_apply(cx, &m->norm1[l], x);
        x = heed_add(cx, x, heed_mha_apply(cx, &m->self[l], y, y, y, NULL));
        x = heed_add(cx, x, heed_ff_apply(cx, &m->ff[l], heed_norm_apply(cx, &m->norm2[l], x)));
    }
    x = heed_linear_apply(cx, &m->head, heed_norm_apply(cx, &m->last, x));
    return heed_cross_entropy(cx, x, next, NULL);
}

/* Bits per character of the held-out text; *span the mean reach of the heads in characters, what
 * the ramp adds included.
 */
static double learn(bool adaptive, double *span) {
    trial t = trial_new(1);
    model m;
    declare(&m, t.ps, adaptive);
    const heed_param_group spans = { .pattern = "*.span", .lr = 150, .no_decay = true };
    trial_optim(&t, &(heed_optim_cfg){ .kind = HEED_ADAMW,
                                       .lr = 3e-3f,
                                       .clip = 1,
                                       .groups = &spans,
                                       .group_count = 1,
                                       .schedule = { HEED_COSINE, .warmup = 50, .total = STEPS,
                                                     .least = 0.05f } });
    heed_tensor *const reach[LAYERS] = { heed_params_find(t.ps, "self0.span"),
                                         heed_params_find(t.ps, "self1.span") };
    heed_rng rng = { .seed = 1 };
    const int64_t train = text_len / 10 * 9, held_out = text_len - train;
    int64_t from[B];
    for (int step = 0; step < STEPS; step++) {
        for (int b = 0; b < B; b++)
            from[b] = (int64_t)heed_rng_below(&rng, (uint64_t)(train - T - 1));
        heed_tensor *loss = loss_of(t.cx, &m, from);
        for (int l = 0; adaptive && l < LAYERS;
             l++) /* 0.0001 nats for each character of the mean reach */
            loss = heed_add(t.cx, loss,
                            heed_scale(t.cx, heed_mean(t.cx, reach[l]), 1e-4f / LAYERS, 0));
        const double value = trial_step(&t, loss);
        if (!getenv("HEED_VERBOSE") || step % 100) continue;
        print_message("step %d loss %.4f", step, value);
        for (int i = 0; adaptive && i < LAYERS * HEADS; i++)
            print_message(" %.0f", (double)HEED_F32_DATA(reach[i / HEADS])[i % HEADS]);
        print_message("\n");
    }
    *span = 0;
    for (int i = 0; adaptive && i < LAYERS * HEADS; i++) {
        const double z = (double)HEED_F32_DATA(reach[i / HEADS])[i % HEADS] + RAMP;
        *span += fmin(fmax(z, 0), T) / (LAYERS * HEADS);
    }
    heed_ctx_set_train(t.cx, false);
    double sum = 0;
    for (int64_t n = 0; n < CHECKS; n++) {
        for (int64_t b = 0; b < B; b++)
            from[b] = train + (n * B + b) * ((held_out - T - 1) / (CHECKS * B));
        heed_tensor *loss = loss_of(t.cx, &m, from);
        assert_non_null(loss);
        sum += (double)heed_item(loss) / CHECKS;
        heed_ctx_reset(t.cx);
    }
    trial_end(&t);
    return sum / log(2);
}

static void test_span(void **state) {
    (void)state;
    size_t len;
    text = data_unpack("tinyshakespeare", "input.txt.zst", &len);
    if (!text) skip();
    text_len = (int64_t)len;
    for (int64_t i = 0; i < text_len; i++) ids[(unsigned char)text[i]] = 1;
    for (int i = 0; i < 256; i++)
        if (ids[i]) ids[i] = (int32_t)vocab++;
    double span, all, full, own;
    own = learn(true, &span);
    print_message("adaptive span: %.4f bits per character, mean reach %.1f of %d (%.1f %%)\n", own,
                  span, (int)T, 100 * span / T);
    full = learn(false, &all);
    print_message("full attention: %.4f bits per character\n", full);
    assert_true(span < 0.25 * T);
    assert_true(own <= full + 0.02);
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_span) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
