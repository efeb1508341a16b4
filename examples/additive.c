/* additive.c: additive attention of a decoder's state over an encoder's outputs (Bahdanau et al.
 * 2015): a_t = softmax over t of vᵀ tanh(W [h; e_t] + b), context = Σ_t a_t e_t. Prints both.
 *
 * The classic listing concatenates along time, takes an H-wide score and a softmax over H; here
 * the score is one number for each time step and the weights sum to 1 over time. W [H,2H] is read
 * as two halves: W [h; e] = Wq h + Wk e.
 *
 *     cc additive.c $(pkg-config --cflags --libs heed) -lm && ./a.out
 */
#include <heed/nn.h>
#include <stdio.h>

enum { B = 2, T = 5, H = 8 };

static heed_tensor *normal(heed_ctx *cx, int ndim, const int64_t *shape, heed_rng *rng) {
    heed_tensor *t = heed_new(cx, HEED_F32, ndim, shape);
    for (int64_t i = 0; t && i < t->len; i++) HEED_F32_DATA(t)[i] = heed_rng_normal(rng);
    return t;
}

static void print_rows(const char *name, const heed_tensor *t, int64_t n) {
    for (int64_t i = 0; i < t->len; i++)
        printf("%s%.4f%s", i % n ? " " : name, (double)HEED_F32_DATA(t)[i],
               i % n == n - 1 ? "\n" : "");
}

int main(void) {
    heed_error err;
    heed_rng rng = { .seed = 2 };
    heed_ctx *cx = heed_ctx_new(&(heed_ctx_cfg){ .threads = 1 }, &err);
    if (!cx) return fprintf(stderr, "%s\n", err.msg), 1;

    heed_tensor *h = normal(cx, 3, (int64_t[]){ B, 1, H }, &rng); /* the decoder's state */
    heed_tensor *e = normal(cx, 3, (int64_t[]){ B, T, H }, &rng); /* the encoder's outputs */
    heed_tensor *wq = normal(cx, 2, (int64_t[]){ H, H }, &rng);
    heed_tensor *wk = normal(cx, 3, (int64_t[]){ 1, H, H }, &rng);
    heed_tensor *bias = normal(cx, 1, (int64_t[]){ H }, &rng);
    heed_tensor *v = normal(cx, 2, (int64_t[]){ 1, H }, &rng);

    heed_attention_tap tap = { .rows = (int64_t[]){ 0 }, .rows_len = 1 };
    heed_tensor *context = heed_attention(cx, heed_affine(cx, h, wq, bias), e, e,
                                          &(heed_attention_cfg){ .score = HEED_SCORE_ADDITIVE,
                                                                 .score_wk = wk,
                                                                 .score_v = v,
                                                                 .dropout = 0.1f, /* in training */
                                                                 .tap = &tap });
    if (!context) return fprintf(stderr, "%s\n", heed_ctx_error(cx)->msg), 1;
    print_rows("context ", context, H);
    print_rows("weights ", tap.row_weights, T);
    heed_ctx_free(cx);
    return 0;
}
