/* reinforce.c: the score-function loss of what was drawn (Williams 1992).
 * log_prob [B], reward [B], baseline [B] or NULL: 0 -> []
 *
 *   y            = mean_b -(reward_b - baseline_b) · log_prob_b
 *   dlog_prob_b -= dy · (reward_b - baseline_b) / B
 */
#include "heed/attention.h"

#include "tensor/ctx.h"

static float advantage(heed_tensor *const *src, int64_t b) {
    return HEED_F32_DATA(src[1])[b] - (src[2] ? HEED_F32_DATA(src[2])[b] : 0);
}

static void reinforce_backward(heed_ctx *cx, const heed_node *n) {
    float *dlog = heed_grad(cx, n->src[0]);
    const float scale = n->out->grad[0] / (float)n->src[0]->len;
    for (int64_t b = 0; dlog && b < n->src[0]->len; b++) dlog[b] -= scale * advantage(n->saved, b);
}

static const heed_op op_reinforce = { "reinforce", reinforce_backward };

static bool is_row(const heed_tensor *t, int64_t B) {
    return t->dtype == HEED_F32 && t->ndim == 1 && t->shape[0] == B;
}

heed_tensor *heed_reinforce(heed_ctx *cx, heed_tensor *log_prob, heed_tensor *reward,
                            heed_tensor *baseline) {
    if (!log_prob || !reward) return NULL;
    const int64_t B = log_prob->len;
    if (!is_row(log_prob, B) || !is_row(reward, B) || (baseline && !is_row(baseline, B))) {
        char a[96], b[96], c[96];
        return heed_fail(cx, HEED_ESHAPE,
                         "reinforce: log_prob %s, reward %s, baseline %s are not f32 [B]",
                         heed_shape_text(log_prob, a), heed_shape_text(reward, b),
                         baseline ? heed_shape_text(baseline, c) : "none");
    }
    heed_tensor **src = heed_scratch(cx, 3 * sizeof *src);
    if (!src) return NULL;
    src[0] = log_prob, src[1] = reward, src[2] = baseline;
    double sum = 0;
    for (int64_t b = 0; b < B; b++)
        sum -= (double)advantage(src, b) * (double)HEED_F32_DATA(log_prob)[b];
    heed_tensor *y = heed_scalar(cx, B ? (float)(sum / (double)B) : 0);
    return y ? heed__record1(cx, &op_reinforce, y, log_prob, src) : NULL;
}
