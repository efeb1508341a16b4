/* attention_mean.c: the mean over the queries of attention's weights.
 * q [B,T,H*D], k [B,S,Hk*D], query_lengths I32 [B] or NULL -> m [B,H,S]
 *
 *   forward    m_bhs = 1/n Σ_t<n a_bhts,   a_t = softmax_s(c q_t·k_s) over the keys seen
 *   backward   u_s = dm_s / n,  ds_ts = a_ts (u_s − Σ_j a_tj u_j)
 *              dq_t += c Σ_s ds_ts k_s,   dk_s += c Σ_t ds_ts q_t
 *
 * The weights are made again from the rows' log-sums in backward: no [T,S] buffer.
 */
#include "kernels/attn_mean.h"
#include "ops/attention_impl.h"
#include "ops/sequence.h"

typedef struct Saved {
    heed_attn a;
    const int32_t *queries;
} Saved;

static bool run(heed_ctx *cx, const heed_attn_mean *m) {
    const int64_t size = heed__attn_mean_scratch(cx->k, m, heed_pool_threads(cx->pool));
    void *scratch = heed__temp(cx, size, 1);
    if (!scratch) return false;
    if (m->dmean)
        heed__attn_mean_backward(cx->k, cx->pool, m, scratch);
    else
        heed__attn_mean_forward(cx->k, cx->pool, m, scratch);
    heed__temp_end(cx, scratch);
    return true;
}

static void attention_mean_backward(heed_ctx *cx, const heed_node *n) {
    const Saved *s = n->saved;
    heed_attn a = s->a;
    a.dq = n->src[0]->needs_grad ? heed_grad(cx, n->src[0]) : NULL;
    a.dk = n->src[1]->needs_grad ? heed_grad(cx, n->src[1]) : NULL;
    if (n->out->len && (a.dq || a.dk))
        run(cx, &(heed_attn_mean){ .a = &a, .queries = s->queries, .dmean = n->out->grad });
}

static const heed_op op = { .name = "attention_mean", .backward = attention_mean_backward };

/* Of the fused kernel's kinds those that differ in who sees whom, in dropout, and in heads. */
bool heed__attention_mean_exists(const heed_attention_cfg *c) {
    return c->weights == HEED_WEIGHTS_SOFTMAX &&
           (c->score == HEED_SCORE_SCALED_DOT || c->score == HEED_SCORE_DOT) && !c->score_std &&
           !c->temperature && !c->block && c->dilation <= 1 && !c->stride && !c->globals &&
           !c->local_center && !c->bias && !c->alibi && !c->t5 && !c->relative && !c->span &&
           !c->penalty && !(c->softcap > 0) && !c->sinks;
}

heed_tensor *heed_attention_mean(heed_ctx *cx, heed_tensor *q, heed_tensor *k,
                                 heed_tensor *query_lengths, const heed_attention_cfg *cfg) {
    if (!cx || !q || !k) return NULL;
    heed_attention_call c = { .q = q, .k = k, .v = k };
    if (cfg) c.cfg = *cfg;
    c.d.op = op.name;
    if (heed__attention_check(cx, q, k, k, &c.cfg, &c.d)) return NULL;
    if (!heed__attention_mean_exists(&c.cfg))
        return heed_fail(cx, HEED_EUNSUPPORTED,
                         "attention_mean: exists for softmax of a dot product by causal, lengths, "
                         "starts, window, truncate, segments and mask, with dropout, alone");
    if (!heed__lengths_ok(cx, "attention_mean", query_lengths, c.d.B, c.d.T)) return NULL;
    if (c.cfg.tap && !heed__attention_tap_make(cx, c.cfg.tap, &c.d)) return NULL;
    c.d.Dv = 0; /* there are no values */
    heed__attention_count(cx, &c);
    heed_tensor *m = heed_new(cx, HEED_F32, 3, (int64_t[]){ c.d.B, c.d.H, c.d.S });
    Saved *s = m ? heed__alloc(cx, 1, sizeof *s) : NULL;
    if (!s || !heed__attention_problem(cx, &c, &s->a)) return NULL;
    s->a.key = k->data;
    s->a.bf16 = false; /* nor does a tap see other weights than are averaged */
    s->queries = query_lengths ? HEED_I32_DATA(query_lengths) : NULL;
    if (!run(cx, &(heed_attn_mean){ .a = &s->a, .queries = s->queries, .mean = m->data }))
        return NULL;
    if (c.cfg.tap && !heed__attention_run_tap(cx, &s->a, c.cfg.tap)) return NULL;
    return heed__record3(cx, &op, m, q, k, query_lengths, s);
}
