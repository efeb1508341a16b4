/* rnn.c: LSTM and GRU of any depth, one or both directions, over rows of true lengths. */
#include "nn/part.h"
#include "tensor/ctx.h"

int heed_rnn_init(heed_rnn *r, heed_params *ps, const char *name, const heed_rnn_cfg *cfg) {
    char part[HEED_PART_SIZE];
    *r = (heed_rnn){ .cfg = *cfg };
    heed_rnn_cfg *c = &r->cfg;
    if (c->layers == 0) c->layers = 1;
    if ((unsigned)c->kind > HEED_RNN_GRU)
        return heed_params_fail(ps, HEED_EINVALID, "%s: there is no kind %d of recurrent layer",
                                name, (int)c->kind);
    const int directions = c->bidirectional ? 2 : 1;
    if (c->layers < 1 || c->layers > HEED_RNN_MAX / directions)
        return heed_params_fail(ps, HEED_EINVALID, "%s: %d layers in %d directions exceed %d", name,
                                c->layers, directions, HEED_RNN_MAX);
    if (!heed__width_ok(c->in) || !heed__width_ok(c->hidden))
        return heed_params_fail(ps, HEED_EINVALID,
                                "%s: a recurrent layer from %lld to %lld is none", name,
                                (long long)c->in, (long long)c->hidden);
    const int64_t gates = (c->kind == HEED_RNN_LSTM ? 4 : 3) * c->hidden;
    const heed_init u = { HEED_INIT_UNIFORM, heed__bound(c->hidden) };
    for (int i = 0; i < c->layers * directions; i++) {
        const int64_t in = i < directions ? c->in : directions * c->hidden;
        const char *way = i % directions ? "_reverse" : "";
        const int l = i / directions;
        r->cell[i].wi = heed_param(ps, heed__part(ps, part, name, "weight_ih_l%d%s", l, way), u, 2,
                                   (int64_t[]){ gates, in });
        r->cell[i].wh = heed_param(ps, heed__part(ps, part, name, "weight_hh_l%d%s", l, way), u, 2,
                                   (int64_t[]){ gates, c->hidden });
        r->cell[i].bi = heed_param(ps, heed__part(ps, part, name, "bias_ih_l%d%s", l, way), u, 1,
                                   &gates);
        r->cell[i].bh = heed_param(ps, heed__part(ps, part, name, "bias_hh_l%d%s", l, way), u, 1,
                                   &gates);
    }
    return heed__part_status(ps);
}

/* The row of plane [B,T,H] at each row's own last step (first, when reverse): [B,H]; zeros where
 * the length is 0. Rows are picked as an embedding picks them. */
static heed_tensor *last_step(heed_ctx *cx, heed_tensor *plane, const heed_tensor *lengths,
                              bool reverse) {
    if (!plane) return NULL;
    const int64_t B = plane->shape[0], T = plane->shape[1], H = plane->shape[2];
    heed_tensor *rows = heed_reshape(cx, plane, 2, (int64_t[]){ B * T, H });
    heed_tensor *ids = heed_new(cx, HEED_I32, 1, &B);
    if (!rows || !ids) return NULL;
    if (B * T >= INT32_MAX)
        return heed_fail(cx, HEED_ESHAPE, "rnn: %lld x %lld steps are too many", (long long)B,
                         (long long)T);
    for (int64_t b = 0; b < B; b++) {
        const int64_t n = lengths ? HEED_I32_DATA(lengths)[b] : T;
        HEED_I32_DATA(ids)[b] = (int32_t)(n == 0 ? B * T : b * T + (reverse ? 0 : n - 1));
    }
    return heed_embedding(cx, rows, ids, (int32_t)(B * T));
}

typedef struct rnn_call {
    const heed_rnn *r;
    heed_tensor *lengths;
    heed_rnn_state *state;
} rnn_call;

/* Layer and direction i over x -> [B,T,H]. */
static heed_tensor *run_cell(heed_ctx *cx, const rnn_call *k, int i, heed_tensor *x) {
    const heed_rnn *r = k->r;
    const bool reverse = r->cfg.bidirectional && i % 2 == 1;
    heed_tensor *h0 = k->state ? k->state->h[i] : NULL, *c0 = k->state ? k->state->c[i] : NULL;
    heed_tensor *h, *c = NULL;
    if (r->cfg.kind == HEED_RNN_GRU) {
        heed_tensor *xw = heed_affine(cx, x, r->cell[i].wi, r->cell[i].bi);
        h = heed_gru(cx, xw, r->cell[i].wh, r->cell[i].bh, h0, k->lengths, reverse);
    } else {
        heed_tensor *bias = heed_add(cx, r->cell[i].bi, r->cell[i].bh);
        heed_tensor *const state[2] = { h0, c0 };
        heed_tensor *const weights[3] = { r->cell[i].wi, r->cell[i].wh, bias };
        if (!bias) return NULL;
        if (!k->state) return heed_lstm_layer(cx, x, weights, state, k->lengths, reverse);
        heed_tensor *xw = heed_affine(cx, x, weights[0], bias);
        heed_tensor *y = heed_lstm(cx, xw, weights[1], state, k->lengths, reverse);
        if (!y) return NULL;
        h = heed__view(cx, y, 0, 3, y->shape + 1);
        c = heed__view(cx, y, y->len / 2, 3, y->shape + 1);
    }
    if (k->state) {
        k->state->h[i] = last_step(cx, h, k->lengths, reverse);
        k->state->c[i] = last_step(cx, c, k->lengths, reverse);
    }
    return h;
}

heed_tensor *heed_rnn_apply(heed_ctx *cx, const heed_rnn *r, heed_tensor *x, heed_tensor *lengths,
                            heed_rnn_state *state) {
    const rnn_call call = { r, lengths, state };
    const int directions = r->cfg.bidirectional ? 2 : 1;
    for (int l = 0; l < r->cfg.layers && x; l++) {
        if (l > 0) x = heed_dropout(cx, x, r->cfg.dropout);
        heed_tensor *way[2] = { run_cell(cx, &call, l * directions, x), NULL };
        if (directions == 2) {
            way[1] = run_cell(cx, &call, l * directions + 1, x);
            way[0] = way[0] && way[1] ? heed_concat(cx, way, 2, 2) : NULL;
        }
        x = way[0];
    }
    return x;
}
