/* test_reviews.c: ways to attend, judged by film reviews (imdb: 25,000 to learn from, 25,000 to be
 * tested on).
 *
 *   pooling        a table of words, pooled to one vector, two classes: attention pooling must not
 *                  be more than 0.3 point below mean pooling over five seeds, and the words that
 *                  it weighs most must matter: without them the answer falls further than without
 *                  as many others
 *   distribution   the same with softmax, sparsemax, entmax-1.5, and softmax with a penalty on its
 *                  entropy: how close the answer from the tenth of the words with most weight comes
 *                  to that from all (sufficiency), for no more than half a point of accuracy. The
 *                  two sparse ones divide their scores by a temperature: at 1 most words get no
 *                  weight before they could learn anything, which costs 3.0 and 0.7 points
 *   reach          one layer of self-attention that sees everything, a window, or the last few
 *                  words: accuracy beside the number of pairs computed
 */
#include "imdb.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { C = 64, B = 64 };

typedef enum reading {
    MEAN,
    ATTENTION,
    SPARSEMAX,
    ENTMAX,
    ENTROPY,
    FULL,
    WINDOW,
    TRUNCATED
} reading;
static const char *const names[] = { "mean pooling",
                                     "attention pooling",
                                     "sparsemax pooling",
                                     "entmax-1.5 pooling",
                                     "attention, entropy penalty",
                                     "full",
                                     "window of 16",
                                     "last 16" };

/* Of the sparse distributions. */
static const float temperature[] = { [SPARSEMAX] = 30, [ENTMAX] = 4, [ENTROPY] = 1 };

typedef struct model {
    reading way;
    heed_embed embed;
    heed_pooling pool;  /* MEAN; ATTENTION; and of the self-attention */
    heed_tensor *query; /* [C], of SPARSEMAX and ENTROPY */
    heed_position position;
    heed_mha self;
    heed_linear head;
} model;

static const int64_t row0 = 0;
static reviews train_set, test_set;

static void declare(model *m, heed_params *ps, reading way) {
    *m = (model){ .way = way };
    heed_embed_init(&m->embed, ps, "embed",
                    &(heed_embed_cfg){ .vocab = REVIEW_VOCAB,
                                       .dim = C,
                                       .sparse = true,
                                       .deviation = 0.1f,
                                       .use_padding = true,
                                       .padding = REVIEW_PAD });
    heed_pooling_init(&m->pool, ps, "pool",
                      way == ATTENTION ? HEED_POOLING_ATTENTION : HEED_POOLING_MEAN, C);
    heed_linear_init(&m->head, ps, "head", C, 2);
    if (way >= SPARSEMAX && way <= ENTROPY)
        m->query = heed_param(ps, "query", (heed_init){ HEED_INIT_ZEROS, 0 }, 1, (int64_t[]){ C });
    if (way < FULL) return;
    heed_position_init(&m->position, ps, "position",
                       &(heed_position_cfg){ .kind = HEED_POSITION_SINUSOIDAL, .dim = C });
    heed_mha_cfg cfg = { .dim = C, .heads = 4 };
    if (way == WINDOW) cfg.kind.window = true, cfg.kind.left = cfg.kind.right = 8;
    if (way == TRUNCATED) cfg.kind.causal = true, cfg.kind.truncate = 16;
    heed_mha_init(&m->self, ps, "self", &cfg);
}

typedef struct seen {
    heed_tensor *logits, *weights /* [n,T] or NULL */, *penalty /* or NULL */;
} seen;

static seen apply(heed_ctx *cx, const model *m, const review_batch *b) {
    seen s = { 0 };
    const int64_t n = b->ids->shape[0];
    heed_tensor *x = heed_embed_apply(cx, &m->embed, b->ids), *y;
    if (m->query) { /* attention of one learned query */
        heed_attention_tap tap = { .rows = &row0, .rows_len = 1 };
        heed_attention_more more = { 0 };
        heed_tensor *tau = heed_from_f32(cx, 1, (int64_t[]){ 1 }, &temperature[m->way]);
        const heed_attention_cfg cfg = { .score = HEED_SCORE_DOT,
                                         .temperature = tau,
                                         .key_lengths = b->lengths,
                                         .tap = &tap,
                                         .more = &more,
                                         .weights = m->way == SPARSEMAX ? HEED_WEIGHTS_SPARSEMAX
                                                    : m->way == ENTMAX  ? HEED_WEIGHTS_ENTMAX15
                                                                        : HEED_WEIGHTS_SOFTMAX,
                                         .penalty = m->way == ENTROPY ? HEED_PENALTY_ENTROPY
                                                                      : HEED_PENALTY_NONE };
        heed_tensor *zero = heed_zeros(cx, HEED_F32, 2, (int64_t[]){ n, C });
        heed_tensor *q = heed_reshape(cx, heed_add(cx, zero, m->query), 3, (int64_t[]){ n, 1, C });
        y = heed_reshape(cx, heed_attention(cx, q, x, x, &cfg), 2, (int64_t[]){ n, C });
        s.weights = tap.row_weights, s.penalty = more.penalty;
    } else {
        if (m->way >= FULL) {
            heed_attention_cfg cfg = m->self.cfg.kind;
            cfg.key_lengths = b->lengths;
            heed_tensor *at = heed_position_apply(cx, &m->position, x, 0);
            x = heed_add(cx, x, heed_mha_apply(cx, &m->self, at, at, x, &cfg));
        }
        y = heed_pooling_apply(cx, &m->pool, x, b->lengths, &s.weights);
    }
    s.logits = heed_linear_apply(cx, &m->head, y);
    return s;
}

static trial learn(model *m, reading way, uint64_t seed, int64_t items, int epochs) {
    trial t = trial_new(seed);
    declare(m, t.ps, way);
    trial_optim(&t, &(heed_optim_cfg){ .kind = HEED_ADAMW, .lr = 3e-3f, .clip = 1 });
    heed_error err;
    heed_loader *order = heed_loader_new(
        &(heed_loader_cfg){ .items = items, .batch = B, .seed = seed }, &err);
    assert_non_null(order);
    const int64_t *item;
    while (heed_loader_epoch(order) < epochs)
        for (int64_t n; (n = heed_loader_next(order, &item)) > 0;) {
            const review_batch b = reviews_batch(t.cx, &train_set, item, n);
            const seen s = apply(t.cx, m, &b);
            heed_tensor *loss = heed_cross_entropy(t.cx, s.logits, b.labels, NULL);
            if (s.penalty) loss = heed_add(t.cx, loss, heed_scale(t.cx, s.penalty, 0.035f, 0));
            trial_step(&t, loss);
        }
    heed_loader_free(order);
    heed_ctx_set_train(t.cx, false);
    return t;
}

static double accuracy(heed_ctx *cx, const model *m, int64_t items) {
    int64_t right = 0;
    for (int64_t from = 0; from < items; from += 125) {
        int64_t item[125];
        for (int64_t i = 0; i < 125; i++) item[i] = from + i;
        const review_batch b = reviews_batch(cx, &test_set, item, 125);
        const seen s = apply(cx, m, &b);
        assert_non_null(s.logits);
        for (int64_t i = 0; i < 125; i++)
            right += largest(HEED_F32_DATA(s.logits) + 2 * i, 2) == test_set.labels[item[i]];
        heed_ctx_reset(cx);
    }
    return 100.0 * (double)right / (double)items;
}

/* Probability of class k. */
static double chance(const float z[2], int64_t k) {
    return 1 / (1 + exp((double)(z[1 - k] - z[k])));
}

/* One review's answer after a change of its words. */
static double answer(heed_ctx *cx, const model *m, const int32_t *ids, int64_t n, int64_t k) {
    int32_t length = (int32_t)n;
    const review_batch b = { heed_from_i32(cx, 2, (int64_t[]){ 1, n }, ids),
                             heed_from_i32(cx, 1, (int64_t[]){ 1 }, &length), NULL };
    const seen s = apply(cx, m, &b);
    assert_non_null(s.logits);
    return chance(s.logits->data, k);
}

typedef struct faith {
    double without_top, without_others; /* mean fall of the answer's probability */
    double only_top; /* mean distance of the answer's probability from that of the whole text */
    double zeros, entropy; /* part of the weights that are 0; nats */
} faith;

/* Tenths of the words of 1,000 reviews taken away and kept. */
static faith faithful(heed_ctx *cx, const model *m) {
    enum { N = 1000 };
    faith f = { 0 };
    heed_rng rng = { .seed = 5 };
    for (int64_t i = 0; i < N; i++) {
        const review_batch b = reviews_batch(cx, &test_set, &i, 1);
        const seen s = apply(cx, m, &b);
        assert_non_null(s.weights);
        const int64_t n = test_set.lengths[i], k = largest(s.logits->data, 2), top = (n + 9) / 10;
        const double whole = chance(s.logits->data, k);
        const float *w = s.weights->data;
        bool taken[REVIEW_LEN] = { false }, other[REVIEW_LEN] = { false };
        for (int64_t r = 0; r < n; r++) {
            f.zeros += w[r] == 0 ? 1.0 / (double)n : 0;
            f.entropy -= w[r] > 0 ? (double)w[r] * log((double)w[r]) : 0;
        }
        for (int64_t r = 0; r < top; r++) {
            int64_t best = -1, any;
            for (int64_t e = 0; e < n; e++)
                if (!taken[e] && (best < 0 || w[e] > w[best])) best = e;
            taken[best] = true;
            do any = (int64_t)heed_rng_below(&rng, (uint64_t)n);
            while (other[any]);
            other[any] = true;
        }
        int32_t left[3][REVIEW_LEN];
        int64_t count[3] = { 0 };
        for (int64_t e = 0; e < n; e++) {
            const int32_t id = test_set.ids[i * REVIEW_LEN + e];
            if (!taken[e]) left[0][count[0]++] = id;
            if (!other[e]) left[1][count[1]++] = id;
            if (taken[e]) left[2][count[2]++] = id;
        }
        double *const to[3] = { &f.without_top, &f.without_others, &f.only_top };
        for (int c = 0; c < 3; c++)
            if (count[c]) {
                const double fall = whole - answer(cx, m, left[c], count[c], k);
                *to[c] += (c == 2 ? fabs(fall) : fall) / N;
            }
        heed_ctx_reset(cx);
    }
    f.zeros /= N, f.entropy /= N;
    return f;
}

static int load(void **state) {
    (void)state;
    if (!train_set.count) reviews_load(&train_set, &test_set);
    return 0;
}

static faith report(heed_ctx *cx, const model *m) {
    const faith f = faithful(cx, m);
    print_message(
        "  %s: the answer falls by %.3f without the tenth of the words weighed most, by "
        "%.3f without "
        "another tenth, and is %.3f away with that tenth alone; %.0f %% of the weights are 0, "
        "entropy %.2f\n",
        names[m->way], f.without_top, f.without_others, f.only_top, 100 * f.zeros, f.entropy);
    return f;
}

static void test_pooling(void **state) {
    (void)state;
    if (!train_set.count) skip();
    enum { SEEDS = 5 };
    double mean[2] = { 0 };
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        for (int way = MEAN; way <= ATTENTION; way++) {
            model m;
            trial t = learn(&m, (reading)way, seed, train_set.count, 2);
            const double right = accuracy(t.cx, &m, test_set.count);
            print_message("imdb, %s, seed %d: %.2f %%\n", names[way], (int)seed, right);
            mean[way] += right / SEEDS;
            if (way == ATTENTION && seed == 1) {
                const faith f = report(t.cx, &m);
                assert_true(f.without_top > 2 * f.without_others);
            }
            trial_end(&t);
        }
    print_message("imdb, %d seeds: mean pooling %.2f %%, attention pooling %.2f %%\n", (int)SEEDS,
                  mean[0], mean[1]);
    assert_true(mean[ATTENTION] >= mean[MEAN] - 0.3);
}

static void test_distribution(void **state) {
    (void)state;
    if (!train_set.count) skip();
    double right[ENTROPY + 1];
    faith f[ENTROPY + 1];
    for (int way = ATTENTION; way <= ENTROPY; way++) {
        model m;
        trial t = learn(&m, (reading)way, 1, train_set.count, 2);
        right[way] = accuracy(t.cx, &m, test_set.count);
        print_message("imdb, %s: %.2f %%\n", names[way], right[way]);
        f[way] = report(t.cx, &m);
        trial_end(&t);
    }
    assert_true(f[ATTENTION].zeros == 0 && f[SPARSEMAX].zeros > 0.5 && f[ENTMAX].zeros > 0.2);
    for (int way = SPARSEMAX; way <= ENTROPY; way++) {
        assert_true(f[way].entropy < f[ATTENTION].entropy);
        assert_true(f[way].only_top < f[ATTENTION].only_top);
        assert_true(right[way] >= right[ATTENTION] - 0.5);
    }
}

static void test_reach(void **state) {
    (void)state;
    if (!train_set.count) skip();
    enum { ITEMS = 10000 };
    double right[TRUNCATED + 1];
    for (int way = FULL; way <= TRUNCATED; way++) {
        model m;
        trial t = learn(&m, (reading)way, 1, ITEMS, 2);
        right[way] = accuracy(t.cx, &m, ITEMS);
        const double T = REVIEW_LEN, pairs = way == FULL     ? T * T
                                             : way == WINDOW ? T * 17 - 72
                                                             : T * 16 - 120;
        print_message("imdb, self-attention over %s: %.2f %%, %.1f %% of the pairs computed\n",
                      names[way], right[way], 100 * pairs / (T * T));
        trial_end(&t);
    }
    for (int way = FULL; way <= TRUNCATED; way++) assert_true(right[way] > right[FULL] - 1.5);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test_setup(test_pooling, load),
                                        cmocka_unit_test_setup(test_distribution, load),
                                        cmocka_unit_test_setup(test_reach, load) };
    cmocka_set_test_filter(getenv("HEED_ONLY")); /* a pattern of names; all without it */
    const int rc = cmocka_run_group_tests(tests, NULL, NULL);
    reviews_free(&train_set), reviews_free(&test_set);
    return rc;
}
