/* self_attention.c: the smallest self-attention there is: X [3,5], three projections [5,3], scores
 * divided by their row's standard deviation, softmax, times the values. Prints z [3,3].
 *
 * The classic listing makes a W_O that it never uses, and calls the result a sum over i; it is
 * z_i = Σ_j w_ij v_j. Dividing by the deviation instead of sqrt(d_k) is another normalisation: it
 * does not see the scores' scale, so a temperature has to be given apart.
 *
 *     cc self_attention.c $(pkg-config --cflags --libs heed) -lm && ./a.out
 */
#include <heed/attention.h>
#include <heed/ops.h>
#include <stdio.h>

static heed_tensor *normal(heed_ctx *cx, int64_t rows, int64_t cols, heed_rng *rng) {
    heed_tensor *t = heed_new(cx, HEED_F32, 2, (int64_t[]){ rows, cols });
    for (int64_t i = 0; t && i < t->len; i++) HEED_F32_DATA(t)[i] = heed_rng_normal(rng);
    return t;
}

/* x·w as a batch of one sequence: [1,3,3] */
static heed_tensor *project(heed_ctx *cx, heed_tensor *x, heed_tensor *w) {
    return heed_reshape(cx, heed_matmul(cx, x, w, false, false), 3, (int64_t[]){ 1, 3, 3 });
}

int main(void) {
    heed_error err;
    heed_rng rng = { .seed = 4 };
    heed_ctx *cx = heed_ctx_new(&(heed_ctx_cfg){ .threads = 1 }, &err);
    if (!cx) return fprintf(stderr, "%s\n", err.msg), 1;

    heed_tensor *x = normal(cx, 3, 5, &rng), *wq = normal(cx, 5, 3, &rng);
    heed_tensor *wk = normal(cx, 5, 3, &rng), *wv = normal(cx, 5, 3, &rng);
    const heed_attention_cfg cfg = { .score = HEED_SCORE_DOT, .score_std = true };
    heed_tensor *z = heed_attention(cx, project(cx, x, wq), project(cx, x, wk), project(cx, x, wv),
                                    &cfg);
    if (!z) return fprintf(stderr, "%s\n", heed_ctx_error(cx)->msg), 1;

    for (int i = 0; i < 3; i++) {
        for (int j = 0; j < 3; j++) printf("%9.4f", (double)HEED_F32_DATA(z)[i * 3 + j]);
        printf("\n");
    }
    heed_ctx_free(cx);
    return 0;
}
