/* transformer.c: the whole Transformer of the introductory articles, put right: embedding,
 * positions, 6 encoder and 6 decoder layers (256 wide, 8 heads of 32, 2048 inside, dropout 0.1),
 * output layer, trained with Adam at 0.001 on cross-entropy. Twelve layers learn nothing at that
 * rate from the first step on: norms stand before each part, and the rate grows over 48 steps and
 * falls with the root of the step. The task stands in for the articles' missing data: write ten
 * digits backwards. Loss and accuracy are those of the whole held-out set; 0.1 would be chance.
 *
 *     ./transformer [EPOCHS]     (100 as in the article; 0.94 after 6)
 */
#include <heed/models.h>
#include <heed/train.h>
#include <stdio.h>
#include <stdlib.h>

enum { WORDS = 11, START = 10, LEN = 10, BATCH = 32, TRAIN = 16, TEST = 4 };

static const heed_model_cfg sizes = { .kind = HEED_MODEL_SEQ2SEQ,
                                      .vocab = WORDS,
                                      .dim = 256,
                                      .heads = 8,
                                      .layers = 6,
                                      .ff = 2048,
                                      .pre_norm = true,
                                      .dropout = 0.1 };
static const heed_optim_cfg adam = {
    .kind = HEED_ADAM, .lr = 0.001f, .schedule = { .kind = HEED_INV_SQRT, .warmup = 48 }, .clip = 1
};

/* Batch number i: digits, what the decoder sees (START first) and what it shall say. */
static heed_tensor *batch_loss(heed_ctx *cx, const heed_seq2seq *m, uint64_t i, double *right) {
    heed_rng rng = { .seed = 7, .stream = i };
    const int64_t shape[] = { BATCH, LEN };
    heed_tensor *t[3];
    for (int k = 0; k < 3; k++) t[k] = heed_new(cx, HEED_I32, 2, shape);
    if (!t[0] || !t[1] || !t[2]) return NULL;
    int32_t *source = HEED_I32_DATA(t[0]), *seen = HEED_I32_DATA(t[1]), *said = HEED_I32_DATA(t[2]);
    for (int j = 0; j < BATCH * LEN; j++) source[j] = (int32_t)heed_rng_below(&rng, 10);
    for (int j = 0; j < BATCH * LEN; j++) said[j] = source[j / LEN * LEN + LEN - 1 - j % LEN];
    for (int j = 0; j < BATCH * LEN; j++) seen[j] = j % LEN ? said[j - 1] : START;
    const heed_block_call call = { .memory = heed_seq2seq_encode(cx, m, t[0], NULL) };
    heed_tensor *z = heed_seq2seq_decode(cx, m, t[1], &call);
    for (int j = 0; z && j < BATCH * LEN; j++) {
        const float *row = HEED_F32_DATA(z) + j * WORDS;
        int best = 0;
        for (int w = 1; w < WORDS; w++) best = row[w] > row[best] ? w : best;
        *right += best == said[j];
    }
    return heed_cross_entropy(cx, z, t[2], NULL);
}

int main(int argc, char **argv) {
    const int epochs = argc > 1 ? atoi(argv[1]) : 100;
    heed_error err = { 0 };
    heed_seq2seq m;
    heed_ctx *cx = heed_ctx_new(&(heed_ctx_cfg){ .train = true, .seed = 1 }, &err);
    heed_params *ps = cx ? heed_params_new(&(heed_params_cfg){ .seed = 1 }, &err) : NULL;
    if (!cx || !ps) return fprintf(stderr, "%s\n", err.msg), 1;
    heed_seq2seq_init(&m, ps, &sizes);
    heed_optim *opt = heed_optim_new(cx, ps, &adam, &err);
    for (int epoch = 1; opt && epoch <= epochs && !err.code; epoch++) {
        double right = 0, loss = 0;
        heed_ctx_set_train(cx, true);
        for (int i = 0; i < TRAIN && !err.code; i++, heed_ctx_reset(cx))
            if ((err.code = heed_backward(cx, batch_loss(cx, &m, (uint64_t)i, &right))) == 0)
                err.code = heed_optim_step(opt);
        heed_ctx_set_train(cx, false);
        right = 0;
        for (int i = 0; i < TEST; i++, heed_ctx_reset(cx))
            loss += heed_item(batch_loss(cx, &m, 1000u + (uint64_t)i, &right)) / TEST;
        right /= TEST * BATCH * LEN;
        printf("Epoch [%d/%d], Loss: %.4f, Acc: %.4f\nAccuracy: %.4f %%\n", epoch, epochs, loss,
               right, 100 * right);
    }
    heed_optim_free(opt), heed_params_free(ps), heed_ctx_free(cx);
    return err.code != 0;
}
