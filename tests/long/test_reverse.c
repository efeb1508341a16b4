/* test_reverse.c: additive attention learns to turn strings around.
 *
 * A GRU reads 4 to 10 letters in both directions; a second one, which begins knowing nothing,
 * writes them backwards. It attends with score vᵀ tanh(Wq s + Wk h) from its own state s before
 * the letter (Bahdanau et al. 2015) to the first one's states h, and gets the vectors of the
 * letters there. Held-out strings must come out without one wrong letter, each fed with what it
 * wrote itself, and the largest weight of each letter must lie on the anti-diagonal: where the
 * letter came from.
 *
 * Strings come out right in other settings too, but then the largest weights need not lie there:
 * with the states as values (78 % do with the reader's last state to begin with, 63 % with states
 * as values besides), since states tell of their neighbours; where two neighbours are equal, of
 * which either tells the letter (so no letter follows itself here); and where neighbours blend,
 * against which the entropy of the weights has a small penalty.
 */
#include "long.h"

#include <stdlib.h>

enum {
    LETTERS = 12,
    START = LETTERS,
    PAD,
    VOCAB,
    LEAST = 4,
    MOST = 10,
    E = 24,
    H = 48,
    A = 32,
    B = 64,
    TEST = 1000,
    STEPS = 5000
};

typedef struct model {
    heed_embed in, out;
    heed_rnn encoder;
    heed_linear wi, wh, head; /* of the GRU cell: x·Wᵢᵀ + bᵢ and h·Wₕᵀ + bₕ */
    heed_tensor *wq, *wk, *v;
} model;

typedef struct strings {
    int32_t source[B * MOST], target[B * MOST], length[B];
} strings;

static model declare(heed_params *ps) {
    model m;
    heed_embed_init(&m.in, ps, "in", &(heed_embed_cfg){ .vocab = VOCAB, .dim = E });
    heed_embed_init(&m.out, ps, "out", &(heed_embed_cfg){ .vocab = VOCAB, .dim = E });
    heed_rnn_init(
        &m.encoder, ps, "encoder",
        &(heed_rnn_cfg){ .kind = HEED_RNN_GRU, .in = E, .hidden = H / 2, .bidirectional = true });
    heed_linear_init(&m.wi, ps, "wi", 2 * E, 3 * H);
    heed_linear_init(&m.wh, ps, "wh", H, 3 * H);
    heed_linear_init(&m.head, ps, "head", 2 * E + H, LETTERS);
    const heed_init init = { HEED_INIT_UNIFORM, 0.15f };
    m.wq = heed_param(ps, "wq", init, 3, (int64_t[]){ 1, A, H });
    m.wk = heed_param(ps, "wk", init, 3, (int64_t[]){ 1, A, H });
    m.v = heed_param(ps, "v", init, 2, (int64_t[]){ 1, A });
    return m;
}

static void draw(heed_rng *rng, strings *s) {
    for (int b = 0; b < B; b++) {
        const int n = LEAST + (int)heed_rng_below(rng, MOST - LEAST + 1);
        s->length[b] = n;
        for (int t = 0; t < MOST; t++) s->source[b * MOST + t] = s->target[b * MOST + t] = PAD;
        for (int t = 0; t < n; t++) {
            int32_t letter = (int32_t)heed_rng_below(rng, LETTERS);
            if (t > 0 && letter == s->source[b * MOST + t - 1]) letter = (letter + 1) % LETTERS;
            s->source[b * MOST + t] = letter;
            s->target[b * MOST + n - 1 - t] = letter;
        }
    }
}

static heed_tensor *column(heed_ctx *cx, const int32_t *of, int t) {
    int32_t ids[B];
    for (int b = 0; b < B; b++) ids[b] = t < 0 ? START : of[b * MOST + t];
    return heed_from_i32(cx, 1, (int64_t[]){ B }, ids);
}

typedef struct written {
    int32_t letters[B * MOST], from[B * MOST];
} written;

/* Logits [B,MOST·LETTERS]. Fed with the right letters; or, where w is given, with its own, which
 * it leaves there.
 */
static heed_tensor *run(heed_ctx *cx, const model *m, const strings *s, written *w,
                        heed_tensor **entropy) {
    heed_tensor *lengths = heed_from_i32(cx, 1, (int64_t[]){ B }, s->length);
    heed_tensor *ids = heed_from_i32(cx, 2, (int64_t[]){ B, MOST }, s->source);
    heed_tensor *values = heed_embed_apply(cx, &m->in, ids);
    heed_tensor *keys = heed_rnn_apply(cx, &m->encoder, values, lengths, NULL);
    heed_tensor *h = heed_zeros(cx, HEED_F32, 2, (int64_t[]){ B, H }), *logits[MOST];
    const int64_t row = 0;
    *entropy = heed_scalar(cx, 0);
    for (int t = 0; t < MOST; t++) {
        heed_attention_more more = { 0 };
        heed_attention_tap tap = { .rows = &row, .rows_len = 1 };
        const heed_attention_cfg cfg = { .score = HEED_SCORE_ADDITIVE,
                                         .score_wq = m->wq,
                                         .score_wk = m->wk,
                                         .score_v = m->v,
                                         .key_lengths = lengths,
                                         .penalty = HEED_PENALTY_ENTROPY,
                                         .more = &more,
                                         .tap = w ? &tap : NULL };
        heed_tensor *q = heed_reshape(cx, h, 3, (int64_t[]){ B, 1, H });
        heed_tensor *context = heed_attention(cx, q, keys, values, &cfg);
        *entropy = heed_add(cx, *entropy, more.penalty);
        context = heed_reshape(cx, context, 2, (int64_t[]){ B, E });
        heed_tensor *before = heed_embed_apply(cx, &m->out,
                                               column(cx, w ? w->letters : s->target, t - 1));
        heed_tensor *x = heed_concat(cx, (heed_tensor *[]){ before, context }, 2, 1);
        h = heed_gru_cell(cx, heed_linear_apply(cx, &m->wi, x), heed_linear_apply(cx, &m->wh, h),
                          h);
        logits[t] = heed_linear_apply(cx, &m->head,
                                      heed_concat(cx, (heed_tensor *[]){ x, h }, 2, 1));
        if (!w || !logits[t]) continue;
        for (int b = 0; b < B; b++) {
            w->letters[b * MOST + t] = (int32_t)largest(HEED_F32_DATA(logits[t]) + b * LETTERS,
                                                        LETTERS);
            w->from[b * MOST + t] = (int32_t)largest(HEED_F32_DATA(tap.row_weights) + b * MOST,
                                                     MOST);
        }
    }
    return heed_concat(cx, logits, MOST, 1);
}

static void count(trial *t, const model *m, heed_rng *rng, int64_t found[3]) {
    heed_ctx_set_train(t->cx, false);
    for (int n = 0; n < TEST; n += B) {
        strings s;
        written w;
        heed_tensor *entropy;
        draw(rng, &s);
        assert_non_null(run(t->cx, m, &s, &w, &entropy));
        for (int b = 0; b < B; b++)
            for (int i = 0; i < s.length[b]; i++) {
                found[0]++;
                found[1] += w.letters[b * MOST + i] == s.target[b * MOST + i];
                found[2] += w.from[b * MOST + i] == s.length[b] - 1 - i;
            }
        heed_ctx_reset(t->cx);
    }
    heed_ctx_set_train(t->cx, true);
}

static void test_reverse(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 2; seed++) {
        trial t = trial_new(seed);
        const model m = declare(t.ps);
        trial_optim(
            &t, &(heed_optim_cfg){ .kind = HEED_ADAM,
                                   .lr = 3e-3f,
                                   .clip = 1,
                                   .schedule = { HEED_COSINE, .warmup = 100, .total = STEPS } });
        heed_rng rng = { .seed = seed }, held_out = { .seed = seed + 100 };
        double loss = 0;
        for (int step = 0; step < STEPS; step++) {
            strings s;
            draw(&rng, &s);
            heed_tensor *entropy, *z = run(t.cx, &m, &s, NULL, &entropy);
            z = heed_reshape(t.cx, z, 3, (int64_t[]){ B, MOST, LETTERS });
            heed_tensor *labels = heed_from_i32(t.cx, 2, (int64_t[]){ B, MOST }, s.target);
            const heed_cross_entropy_cfg cfg = { .use_ignore = true, .ignore = PAD };
            heed_tensor *wrong = heed_cross_entropy(t.cx, z, labels, &cfg);
            loss = trial_step(&t, heed_add(t.cx, wrong, heed_scale(t.cx, entropy, 0.1f / MOST, 0)));
            if (getenv("HEED_VERBOSE") && step % 250 == 0)
                print_message("step %d loss %.5f\n", step, loss);
        }
        int64_t found[3] = { 0 };
        count(&t, &m, &held_out, found);
        print_message("reverse, seed %d: %d letters, right %.2f %%, largest weight on the "
                      "anti-diagonal %.2f %%\n",
                      (int)seed, (int)found[0], 100.0 * (double)found[1] / (double)found[0],
                      100.0 * (double)found[2] / (double)found[0]);
        assert_int_equal(found[1], found[0]);
        assert_int_equal(found[2], found[0]);
        trial_end(&t);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_reverse) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
