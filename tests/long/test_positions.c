/* test_positions.c: positions are what makes word order visible.
 *
 * Sequences of 16 words hold the words A and B once each among others, and end with a question
 * mark. From its place a layer of four-headed attention and a feed-forward layer must tell whether
 * A stands before B. That one query sees all words under a causal mask that hides nothing from it:
 * without positions it has a bag of words, and no model can do better than chance. Every kind of
 * positions must exceed 99 % on held-out sequences.
 */
#include "long.h"

#include <stdlib.h>

enum {
    WORDS = 24,
    FIRST = WORDS,
    SECOND,
    QUESTION,
    VOCAB,
    T = 16,
    C = 32,
    H = 4,
    D = C / H,
    B = 64,
    TEST = 2048
};

typedef enum position { NONE, SINUSOIDAL, LEARNED, ROTARY, ALIBI, T5, RELATIVE, KINDS } position;
static const char *const names[] = { "none",  "sinusoidal", "learned", "rotary",
                                     "alibi", "t5",         "relative" };

typedef struct model {
    position kind;
    heed_embed embed;
    heed_position add;
    heed_linear q, k, v, o, r, head;
    heed_norm norm1, norm2;
    heed_ff ff;
    heed_tensor *t5, *u, *w; /* w: of relative positions, its v */
    float slopes[H], distances[T * C];
} model;

static void declare(model *m, heed_params *ps, position kind) {
    *m = (model){ .kind = kind };
    heed_embed_init(&m->embed, ps, "embed", &(heed_embed_cfg){ .vocab = VOCAB, .dim = C });
    heed_position_cfg p = { .dim = C, .max_len = T, .deviation = 0.5f };
    if (kind == SINUSOIDAL) p.kind = HEED_POSITION_SINUSOIDAL;
    if (kind == LEARNED) p.kind = HEED_POSITION_LEARNED;
    heed_position_init(&m->add, ps, "position", &p);
    heed_linear *const projections[] = { &m->q, &m->k, &m->v, &m->o };
    static const char *const parts[] = { "q", "k", "v", "o" };
    for (int i = 0; i < 4; i++) heed_linear_init(projections[i], ps, parts[i], C, C);
    heed_norm_init(&m->norm1, ps, "norm1", &(heed_norm_cfg){ .dim = C });
    heed_norm_init(&m->norm2, ps, "norm2", &(heed_norm_cfg){ .dim = C });
    heed_ff_init(&m->ff, ps, "ff", &(heed_ff_cfg){ .dim = C, .hidden = 4 * C });
    heed_linear_init(&m->head, ps, "head", C, 2);
    const heed_init small = { HEED_INIT_NORMAL, 0.02f };
    if (kind == ALIBI) heed_alibi_slopes(H, m->slopes);
    if (kind == T5) m->t5 = heed_param(ps, "t5", small, 2, (int64_t[]){ 32, H });
    if (kind != RELATIVE) return;
    heed_sinusoids(m->distances, T, C, 10000);
    heed_linear_init(&m->r, ps, "r", C, C);
    m->u = heed_param(ps, "u", small, 2, (int64_t[]){ H, D });
    m->w = heed_param(ps, "w", small, 2, (int64_t[]){ H, D });
}

/* ids [B,T] -> logits [B,2] of the last place */
static heed_tensor *apply(heed_ctx *cx, const model *m, heed_tensor *ids) {
    heed_tensor *x = heed_embed_apply(cx, &m->embed, ids);
    if (m->add.kind != HEED_POSITION_NONE) x = heed_position_apply(cx, &m->add, x, 0);
    heed_tensor *last = heed_slice(cx, x, 1, T - 1, T);
    heed_tensor *q = heed_linear_apply(cx, &m->q, last), *k = heed_linear_apply(cx, &m->k, x);
    heed_tensor *v = heed_linear_apply(cx, &m->v, x);
    if (m->kind == ROTARY) {
        q = heed_rotary(cx, q, NULL, &(heed_rotary_cfg){ .heads = H, .start = T - 1 });
        k = heed_rotary(cx, k, NULL, &(heed_rotary_cfg){ .heads = H });
    }
    heed_attention_cfg cfg = {
        .heads = H, .causal = true, .query_start = T - 1, .t5 = m->t5, .t5_one_way = true
    };
    if (m->kind == ALIBI) cfg.alibi = heed_from_f32(cx, 1, (int64_t[]){ H }, m->slopes);
    if (m->kind == RELATIVE) {
        heed_tensor *r = heed_from_f32(cx, 2, (int64_t[]){ T, C }, m->distances);
        cfg.relative = heed_linear_apply(cx, &m->r, r);
        cfg.relative_u = m->u, cfg.relative_v = m->w;
    }
    heed_tensor *a = heed_linear_apply(cx, &m->o, heed_attention(cx, q, k, v, &cfg));
    heed_tensor *y = heed_norm_apply(cx, &m->norm1, heed_add(cx, last, a));
    y = heed_norm_apply(cx, &m->norm2, heed_add(cx, y, heed_ff_apply(cx, &m->ff, y)));
    return heed_linear_apply(cx, &m->head, heed_reshape(cx, y, 2, (int64_t[]){ B, C }));
}

static heed_tensor *draw(heed_ctx *cx, heed_rng *rng, int32_t labels[B]) {
    int32_t ids[B * T];
    for (int b = 0; b < B; b++) {
        int32_t *row = ids + b * T;
        for (int t = 0; t < T - 1; t++) row[t] = (int32_t)heed_rng_below(rng, WORDS);
        row[T - 1] = QUESTION;
        const int i = (int)heed_rng_below(rng, T - 1);
        int j = (int)heed_rng_below(rng, T - 2);
        if (j >= i) j++;
        row[i] = FIRST, row[j] = SECOND;
        labels[b] = i < j;
    }
    return heed_from_i32(cx, 2, (int64_t[]){ B, T }, ids);
}

/* Percent right of held-out sequences. */
static double learn(position kind, uint64_t seed) {
    enum { STEPS = 1000 };
    trial t = trial_new(seed);
    static model m;
    declare(&m, t.ps, kind);
    trial_optim(&t,
                &(heed_optim_cfg){ .kind = HEED_ADAM,
                                   .lr = 3e-3f,
                                   .clip = 1,
                                   .schedule = { HEED_COSINE, .warmup = 100, .total = STEPS } });
    heed_rng rng = { .seed = seed }, held_out = { .seed = seed + 100 };
    int32_t labels[B];
    for (int step = 0; step < STEPS; step++) {
        heed_tensor *z = apply(t.cx, &m, draw(t.cx, &rng, labels));
        const double loss = trial_step(
            &t,
            heed_cross_entropy(t.cx, z, heed_from_i32(t.cx, 1, (int64_t[]){ B }, labels), NULL));
        if (getenv("HEED_VERBOSE") && step % 500 == 0)
            print_message("%s %d loss %.4f\n", names[kind], step, loss);
    }
    heed_ctx_set_train(t.cx, false);
    int64_t right = 0;
    for (int n = 0; n < TEST; n += B) {
        const heed_tensor *z = apply(t.cx, &m, draw(t.cx, &held_out, labels));
        assert_non_null(z);
        for (int b = 0; b < B; b++) right += largest(HEED_F32_DATA(z) + 2 * b, 2) == labels[b];
        heed_ctx_reset(t.cx);
    }
    trial_end(&t);
    return 100.0 * (double)right / TEST;
}

static void test_word_order(void **state) {
    (void)state;
    for (int kind = 0; kind < KINDS; kind++) {
        const double right = learn((position)kind, 1);
        print_message("word order, positions %-10s %6.2f %% of %d right\n", names[kind], right,
                      (int)TEST);
        if (kind == NONE)
            assert_true(right > 45 && right < 55); /* 4.5 standard errors around chance */
        else
            assert_true(right > 99);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_word_order) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
