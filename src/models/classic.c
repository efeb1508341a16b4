/* classic.c: embedding, LSTM (or GRU), multi-head self-attention, pooling, classes: the recipe of
 * many an article on attention. */
#include "models/parts.h"

/* Gates i, f, g, o: the second quarter of each bias. */
static void remember(heed_rnn *r) {
    const int cells = r->cfg.layers * (r->cfg.bidirectional ? 2 : 1);
    for (int i = 0; i < cells && r->cell[i].bi; i++)
        for (int64_t k = r->cfg.hidden; k < 2 * r->cfg.hidden; k++) {
            HEED_F32_DATA(r->cell[i].bi)[k] = 1;
            HEED_F32_DATA(r->cell[i].bh)[k] = 0;
        }
}

int heed__classic_body(heed_classic *m, heed_params *ps, const heed_model_cfg *cfg) {
    *m = (heed_classic){ .cfg = *cfg };
    heed_model_cfg *c = &m->cfg;
    if (heed__model_defaults(ps, c)) return HEED_EINVALID;
    heed__model_embed(&m->embed, ps, "embed", c, c->vocab);
    heed_rnn_init(&m->rnn, ps, "rnn",
                  &(heed_rnn_cfg){ .kind = c->rnn,
                                   .in = c->dim,
                                   .hidden = c->hidden,
                                   .layers = (int)c->layers,
                                   .bidirectional = c->bidirectional,
                                   .dropout = (float)c->dropout });
    if (c->remember && c->rnn == HEED_RNN_LSTM) remember(&m->rnn);
    const int64_t width = c->hidden * (c->bidirectional ? 2 : 1);
    heed_mha_cfg mha = { .dim = width,
                         .heads = (int)c->heads,
                         .kv_heads = (int)c->kv_heads,
                         .temperature = (float)c->attention.temperature,
                         .learn_temperature = c->attention.learn_temperature };
    heed__model_attention(c, &mha.kind);
    if (!c->no_attention) heed_mha_init(&m->attention, ps, "attention", &mha);
    return heed_pooling_init(&m->pooling, ps, "pooling", c->pooling, width);
}

int heed_classic_init(heed_classic *m, heed_params *ps, const heed_model_cfg *cfg) {
    if (heed__classic_body(m, ps, cfg)) return HEED_EINVALID;
    const heed_model_cfg *c = &m->cfg;
    const int64_t width = c->hidden * (c->bidirectional ? 2 : 1);
    if (c->dense) heed_linear_init(&m->dense, ps, "dense", width, c->dense);
    return heed_linear_init(&m->head, ps, "head", c->dense ? c->dense : width, c->classes);
}

static heed_tensor *recurrent(heed_ctx *cx, const heed_classic *m, heed_tensor *ids,
                              heed_tensor *lengths) {
    heed_tensor *x = heed_dropout(cx, heed_embed_apply(cx, &m->embed, ids), (float)m->cfg.dropout);
    return heed_rnn_apply(cx, &m->rnn, x, lengths, NULL);
}

static heed_attention_cfg attention_kind(const heed_classic *m, const heed_block_call *call) {
    heed_attention_cfg kind = m->attention.cfg.kind;
    kind.key_lengths = call->lengths;
    kind.tap = call->tap;
    kind.more = call->more;
    if (!kind.more) kind.penalty = HEED_PENALTY_NONE;
    return kind;
}

heed_tensor *heed__classic_states(heed_ctx *cx, const heed_classic *m, heed_tensor *ids,
                                  const heed_block_call *call) {
    const heed_attention_cfg kind = attention_kind(m, call);
    heed_tensor *h = recurrent(cx, m, ids, call->lengths);
    return m->cfg.no_attention ? h : heed_mha_apply(cx, &m->attention, h, h, h, &kind);
}

heed_tensor *heed__classic_pooled(heed_ctx *cx, const heed_classic *m, heed_tensor *ids,
                                  const heed_block_call *call) {
    const heed_attention_cfg kind = attention_kind(m, call);
    if (!m->cfg.no_attention && m->pooling.kind == HEED_POOLING_MEAN)
        return heed_mha_mean(cx, &m->attention, recurrent(cx, m, ids, call->lengths), call->lengths,
                             &kind);
    heed_tensor *a = heed__classic_states(cx, m, ids, call);
    return heed_pooling_apply(cx, &m->pooling, a, call->lengths, NULL);
}

heed_tensor *heed_classic_apply(heed_ctx *cx, const heed_classic *m, heed_tensor *ids,
                                heed_tensor *lengths, heed_attention_tap *tap) {
    const heed_block_call call = { .lengths = lengths, .tap = tap };
    heed_tensor *y = heed__classic_pooled(cx, m, ids, &call);
    y = heed_dropout(cx, y, (float)m->cfg.dropout);
    if (m->dense.w) y = heed_relu(cx, heed_linear_apply(cx, &m->dense, y));
    return heed_linear_apply(cx, &m->head, y);
}
