/* test_glimpse.c: hard attention reads digits through a few windows.
 *
 * Of an image of 28 x 28 the model first sees a blur of 7 x 7 (means of 4 x 4). From it, one query
 * per head picks exactly one of 25 windows of 12 x 12 (HEED_WEIGHTS_HARD: the largest score,
 * gradient of softmax straight through); a second round of queries, made from what the first one
 * saw, picks as many again. The class is read from the chosen windows alone. Trained on mnist's
 * 60,000 images, tested on its 10,000.
 */
#include "long.h"

#include <stdlib.h>
#include <string.h>

enum {
    SIDE = 28,
    BLUR = 49,
    W = 12,
    STEP = 4,
    GRID = 5,
    S = GRID * GRID,
    P = W * W,
    C = 64,
    HEADS = 4,
    D = 16,
    V = 64,
    B = 100,
    TRAIN = 60000,
    TEST = 10000,
    EPOCHS = 4
};

typedef struct images {
    char *pixels, *labels; /* the files; numbers begin at byte 16 and 8 */
} images;

typedef struct model {
    heed_linear gist, window, key, value, query1, query2, hidden, head;
    heed_tensor *place; /* [S,C] */
} model;

static bool load(images *im, const char *pixels, const char *labels, size_t count) {
    size_t a = 0, b = 0;
    im->pixels = data_unpack("mnist", pixels, &a);
    im->labels = im->pixels ? data_unpack("mnist", labels, &b) : NULL;
    if (!im->labels) return false;
    assert_true(a == 16 + count * SIDE * SIDE && b == 8 + count);
    return true;
}

static void declare(model *m, heed_params *ps) {
    heed_linear_init(&m->gist, ps, "gist", BLUR, C);
    heed_linear_init(&m->window, ps, "window", P, C);
    m->place = heed_param(ps, "place", (heed_init){ HEED_INIT_NORMAL, 0.1f }, 2,
                          (int64_t[]){ S, C });
    heed_linear_init(&m->key, ps, "key", C, HEADS * D);
    heed_linear_init(&m->value, ps, "value", C, HEADS * V);
    heed_linear_init(&m->query1, ps, "query1", C, HEADS * D);
    heed_linear_init(&m->query2, ps, "query2", HEADS * V, HEADS * D);
    heed_linear_init(&m->hidden, ps, "hidden", 2 * HEADS * V, 128);
    heed_linear_init(&m->head, ps, "head", 128, 10);
}

/* The images items[0..B-1]: windows [B,S,P] and blurs [B,BLUR]. */
static void cut(const images *im, const int64_t *items, heed_tensor *windows, heed_tensor *blurs) {
    float *to = HEED_F32_DATA(windows), *blur = HEED_F32_DATA(blurs);
    memset(blur, 0, (size_t)blurs->len * sizeof *blur);
    for (int b = 0; b < B; b++) {
        const unsigned char *from = (const unsigned char *)im->pixels + 16 + items[b] * SIDE * SIDE;
        for (int s = 0; s < S; s++)
            for (int p = 0; p < P; p++) {
                const int y = s / GRID * STEP + p / W, x = s % GRID * STEP + p % W;
                *to++ = (float)from[y * SIDE + x] / 255;
            }
        for (int i = 0; i < SIDE * SIDE; i++)
            blur[b * BLUR + i / SIDE / 4 * 7 + i % SIDE / 4] += (float)from[i] / 255 / 16;
    }
}

static heed_tensor *look(heed_ctx *cx, heed_tensor *q, heed_tensor *k, heed_tensor *v,
                         heed_attention_tap *tap) {
    const heed_attention_cfg cfg = { .heads = HEADS, .weights = HEED_WEIGHTS_HARD, .tap = tap };
    q = heed_reshape(cx, q, 3, (int64_t[]){ B, 1, HEADS * D });
    return heed_reshape(cx, heed_attention(cx, q, k, v, &cfg), 2, (int64_t[]){ B, HEADS * V });
}

static heed_tensor *apply(heed_ctx *cx, const model *m, const images *im, const int64_t *items,
                          heed_attention_tap taps[2]) {
    heed_tensor *windows = heed_new(cx, HEED_F32, 3, (int64_t[]){ B, S, P });
    heed_tensor *blurs = heed_new(cx, HEED_F32, 2, (int64_t[]){ B, BLUR });
    if (!windows || !blurs) return NULL;
    cut(im, items, windows, blurs);
    heed_tensor *x = heed_affine_act(cx, windows, m->window.w, m->window.b, HEED_ACT_RELU, NULL);
    x = heed_add(cx, x, m->place);
    heed_tensor *k = heed_linear_apply(cx, &m->key, x);
    heed_tensor *v = heed_affine_act(cx, x, m->value.w, m->value.b, HEED_ACT_RELU, NULL);
    heed_tensor *gist = heed_affine_act(cx, blurs, m->gist.w, m->gist.b, HEED_ACT_RELU, NULL);
    heed_tensor *first = look(cx, heed_linear_apply(cx, &m->query1, gist), k, v,
                              taps ? &taps[0] : NULL);
    heed_tensor *second = look(cx, heed_linear_apply(cx, &m->query2, first), k, v,
                               taps ? &taps[1] : NULL);
    heed_tensor *seen = heed_concat(cx, (heed_tensor *[]){ first, second }, 2, 1);
    seen = heed_affine_act(cx, seen, m->hidden.w, m->hidden.b, HEED_ACT_RELU, NULL);
    return heed_linear_apply(cx, &m->head, seen);
}

/* Percent right of the test images; every row of weights must be one 1. */
static double count(trial *t, const model *m, const images *im) {
    int64_t right = 0;
    double apart = 0;
    heed_ctx_set_train(t->cx, false);
    for (int64_t n = 0; n < TEST; n += B) {
        int64_t items[B], row = 0;
        for (int64_t b = 0; b < B; b++) items[b] = n + b;
        heed_attention_tap taps[2] = { { .rows = &row, .rows_len = 1 },
                                       { .rows = &row, .rows_len = 1 } };
        const heed_tensor *z = apply(t->cx, m, im, items, taps);
        assert_non_null(z);
        for (int64_t b = 0; b < B; b++) {
            right += largest(HEED_F32_DATA(z) + 10 * b, 10) == im->labels[8 + items[b]];
            bool chosen[S] = { false };
            for (int64_t i = 0; i < 2 * HEADS; i++) {
                const float *w = HEED_F32_DATA(taps[i / HEADS].row_weights) +
                                 (b * HEADS + i % HEADS) * S;
                float sum = 0;
                for (int s = 0; s < S; s++) {
                    assert_true(w[s] == 0 || w[s] == 1);
                    sum += w[s];
                }
                assert_true(sum == 1);
                chosen[largest(w, S)] = true;
            }
            for (int s = 0; s < S; s++) apart += chosen[s];
        }
        heed_ctx_reset(t->cx);
    }
    heed_ctx_set_train(t->cx, true);
    print_message("hard glimpses: %.2f %% of %d test images, %.1f windows of %d seen\n",
                  100.0 * (double)right / TEST, (int)TEST, apart / TEST, (int)S);
    return 100.0 * (double)right / TEST;
}

static void test_digits(void **state) {
    (void)state;
    images train = { 0 }, test = { 0 };
    if (!load(&train, "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz", TRAIN) ||
        !load(&test, "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz", TEST))
        skip();
    trial t = trial_new(1);
    model m;
    declare(&m, t.ps);
    trial_optim(&t, &(heed_optim_cfg){
                        .kind = HEED_ADAM,
                        .lr = 2e-3f,
                        .clip = 5,
                        .schedule = { HEED_COSINE, .warmup = 100, .total = EPOCHS * TRAIN / B } });
    heed_error err;
    heed_loader *order = heed_loader_new(
        &(heed_loader_cfg){ .items = TRAIN, .batch = B, .seed = 1 }, &err);
    assert_non_null(order);
    const int64_t *items;
    while (heed_loader_epoch(order) < EPOCHS) {
        double sum = 0;
        while (heed_loader_next(order, &items) == B) {
            int32_t labels[B];
            for (int b = 0; b < B; b++) labels[b] = train.labels[8 + items[b]];
            heed_tensor *z = apply(t.cx, &m, &train, items, NULL);
            sum += trial_step(
                &t, heed_cross_entropy(t.cx, z, heed_from_i32(t.cx, 1, (int64_t[]){ B }, labels),
                                       NULL));
        }
        if (!getenv("HEED_VERBOSE")) continue;
        print_message("epoch %d loss %.4f\n", (int)heed_loader_epoch(order), sum * B / TRAIN);
        count(&t, &m, &test);
    }
    assert_true(count(&t, &m, &test) >= 97);
    heed_loader_free(order);
    trial_end(&t);
    free(train.pixels), free(train.labels), free(test.pixels), free(test.labels);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_digits) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
