/* embed.c: embedding tables and positions. */
#include "nn/part.h"
#include "base/elementary.h"
#include "tensor/params.h"

#include <string.h>

int heed_embed_init(heed_embed *e, heed_params *ps, const char *name, const heed_embed_cfg *cfg) {
    const heed_init init = { HEED_INIT_NORMAL, cfg->deviation > 0 ? cfg->deviation : 1.0f };
    *e = (heed_embed){ .padding = cfg->use_padding ? cfg->padding : -1,
                       .scale = cfg->scale != 0 ? cfg->scale : 1.0f };
    if (cfg->vocab < 1 || cfg->dim < 1)
        return heed_params_fail(ps, HEED_EINVALID, "%s: an embedding of %lld x %lld is none", name,
                                (long long)cfg->vocab, (long long)cfg->dim);
    if (cfg->use_padding && (cfg->padding < 0 || cfg->padding >= cfg->vocab))
        return heed_params_fail(ps, HEED_EINVALID, "%s: padding id %d is outside 0..%lld", name,
                                cfg->padding, (long long)cfg->vocab - 1);
    e->w = heed__part_param(ps, name, "weight", init, 2, (int64_t[]){ cfg->vocab, cfg->dim });
    if (e->w) heed__param_is_table(e->w);
    if (e->w && cfg->sparse && heed_param_set_sparse(ps, e->w) != 0)
        return heed_params_fail(ps, HEED_ENOMEM, "%s: no memory for sparse gradients", name);
    return heed__part_status(ps);
}

heed_tensor *heed_embed_apply(heed_ctx *cx, const heed_embed *e, heed_tensor *ids) {
    heed_tensor *x = heed_embedding(cx, e->w, ids, e->padding);
    return e->scale == 1.0f ? x : heed_scale(cx, x, e->scale, 0.0f);
}

void heed_sinusoids(float *table, int64_t max_len, int64_t dim, double base) {
    for (int64_t i = 0; i < dim; i += 2) {
        const double turn = heed__pow(base, -(double)i / (double)dim);
        for (int64_t p = 0; p < max_len; p++) {
            double s, c;
            heed__sin_cos((double)p * turn, &s, &c);
            table[p * dim + i] = (float)s;
            if (i + 1 < dim) table[p * dim + i + 1] = (float)c;
        }
    }
}

/* Whether positions are added to x; the others stand inside attention, or nowhere. */
static bool is_added(heed_position_kind kind) {
    return kind == HEED_POSITION_SINUSOIDAL || kind == HEED_POSITION_LEARNED;
}

int heed_position_init(heed_position *p, heed_params *ps, const char *name,
                       const heed_position_cfg *cfg) {
    const int64_t len = cfg->max_len > 0 ? cfg->max_len : 5000;
    *p = (heed_position){ .kind = cfg->kind, .max_len = len, .dim = cfg->dim };
    if ((unsigned)cfg->kind > HEED_POSITION_OFF)
        return heed_params_fail(ps, HEED_EINVALID, "%s: there is no kind %d of positions", name,
                                (int)cfg->kind);
    if (!is_added(cfg->kind)) return 0;
    if (cfg->max_len < 0 || !(cfg->base >= 0) || !(cfg->deviation >= 0))
        return heed_params_fail(
            ps, HEED_EINVALID, "%s: max_len %lld, base %g or deviation %g is negative or no number",
            name, (long long)cfg->max_len, cfg->base, (double)cfg->deviation);
    if (cfg->dim < 1 || len > INT64_MAX / 64 / cfg->dim)
        return heed_params_fail(ps, HEED_EINVALID, "%s: positions of %lld x %lld are none", name,
                                (long long)len, (long long)cfg->dim);
    if (cfg->kind == HEED_POSITION_LEARNED) {
        const heed_init init = { HEED_INIT_NORMAL, cfg->deviation > 0 ? cfg->deviation : 0.02f };
        p->w = heed__part_param(ps, name, "weight", init, 2, (int64_t[]){ len, cfg->dim });
        if (p->w) heed__param_is_table(p->w);
        return heed__part_status(ps);
    }
    p->table = heed_params_alloc(ps, len * cfg->dim, sizeof(float));
    if (!p->table) return heed__part_status(ps);
    heed_sinusoids(p->table, len, cfg->dim, cfg->base > 0 ? cfg->base : 10000.0);
    return 0;
}

heed_tensor *heed_position_apply(heed_ctx *cx, const heed_position *p, heed_tensor *x,
                                 int64_t start) {
    char text[96];
    if (!x || !is_added(p->kind)) return x;
    if (x->ndim != 3 || x->shape[2] != p->dim)
        return heed_fail(cx, HEED_ESHAPE, "positions: x %s is not [B,T,%lld]",
                         heed_shape_text(x, text), (long long)p->dim);
    const int64_t T = x->shape[1];
    if (start < 0 || start > p->max_len || T > p->max_len - start)
        return heed_fail(cx, HEED_ESHAPE, "positions: steps %lld..%lld exceed the table's %lld",
                         (long long)start, (long long)(start + T - 1), (long long)p->max_len);
    const int64_t shape[2] = { T, p->dim };
    if (p->w) {
        heed_tensor *ids = heed_new(cx, HEED_I32, 1, shape);
        if (!ids) return NULL;
        for (int64_t t = 0; t < T; t++) HEED_I32_DATA(ids)[t] = (int32_t)(start + t);
        return heed_add(cx, x, heed_embedding(cx, p->w, ids, -1));
    }
    return heed_add(cx, x, heed_from_f32(cx, 2, shape, p->table + start * p->dim));
}
