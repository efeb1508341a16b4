/* head.c: heads over a body's vectors, their losses and their answers. */
#include "tasks/head.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "heed/ops.h"

static const char *const targets[] = { "label", "labels", "score" };

int heed__head_init(heed_head *h, heed_params *ps, const heed_head_cfg *cfg, int64_t dim,
                    heed_error *err) {
    *h = (heed_head){ .cfg = *cfg };
    const int64_t in = cfg->pairs && !cfg->attends ? 4 * dim : dim;
    int rc = 0;
    if (cfg->dense) rc = heed_linear_init(&h->dense, ps, "dense", in, cfg->dense);
    if (!rc) rc = heed_linear_init(&h->out, ps, "head", cfg->dense ? cfg->dense : in, cfg->classes);
    const heed_error *why = heed_params_error(ps);
    return rc ? heed__error(err, rc, "%s", why ? why->msg : "the head cannot be made") : 0;
}

/* u, v, |u - v|, u·v, side by side: [n,4C] */
static heed_tensor *compare(heed_ctx *cx, heed_tensor *u, heed_tensor *v) {
    heed_tensor *more = heed_relu(cx, heed_sub(cx, u, v));
    heed_tensor *less = heed_relu(cx, heed_sub(cx, v, u));
    heed_tensor *apart = heed_add(cx, more, less);
    heed_tensor *const part[4] = { u, v, apart, heed_mul(cx, u, v) };
    return part[2] && part[3] ? heed_concat(cx, part, 4, 1) : NULL;
}

heed_tensor *heed__head_apply(heed_ctx *cx, const heed_head *h, heed_tensor *y, heed_tensor *y2) {
    if (h->cfg.pairs && !h->cfg.attends) y = compare(cx, y, y2);
    y = heed_dropout(cx, y, (float)h->cfg.dropout);
    if (h->dense.w) y = heed_relu(cx, heed_linear_apply(cx, &h->dense, y));
    return heed_linear_apply(cx, &h->out, y);
}

heed_tensor *heed__head_answer(heed_ctx *cx, const heed_head *h, heed_tensor *logits) {
    switch (h->cfg.target) {
    case HEED_TARGET_LABELS:
        return heed_sigmoid(cx, logits);
    case HEED_TARGET_SCORE:
        return heed_scale(cx, logits, (float)h->cfg.spread, (float)h->cfg.mean);
    case HEED_TARGET_LABEL:
        break;
    }
    return heed_softmax(cx, logits);
}

/* 1 where text item[i] has label k: [n,K], with label_smoothing drawn towards 1/2. */
static heed_tensor *targets_of(heed_ctx *cx, const heed_head *h, const heed_goal *g,
                               const int64_t *item, int64_t n) {
    const int64_t K = h->cfg.classes;
    heed_tensor *t = heed_zeros(cx, HEED_F32, 2, (int64_t[]){ n, K });
    for (int64_t i = 0; t && i < n; i++)
        for (int64_t at = g->label_start[item[i]]; at < g->label_start[item[i] + 1]; at++)
            HEED_F32_DATA(t)[i * K + g->label[at]] = 1;
    for (int64_t i = 0; t && g->smoothing > 0 && i < t->len; i++)
        HEED_F32_DATA(t)[i] += (float)g->smoothing * (0.5f - HEED_F32_DATA(t)[i]);
    return t;
}

/* Its distance from the mean in spreads; one that is farther than any answer says no more. */
static float standard(const heed_head_cfg *c, double score) {
    static const double FAR = 1e18;
    const double z = (score - c->mean) / c->spread;
    return (float)fmax(-FAR, fmin(z, FAR));
}

/* Mean of m² + 2δ·(r - m), r = |x - t|, m = min(r, δ). */
static heed_tensor *huber(heed_ctx *cx, heed_tensor *x, heed_tensor *t, double delta) {
    heed_tensor *d = heed_sub(cx, x, t);
    heed_tensor *above = heed_relu(cx, d), *below = heed_relu(cx, heed_scale(cx, d, -1, 0));
    heed_tensor *r = heed_add(cx, above, below);
    heed_tensor *over = heed_relu(cx, heed_scale(cx, r, 1, (float)-delta));
    heed_tensor *m = heed_sub(cx, r, over);
    heed_tensor *far = heed_scale(cx, over, (float)(2 * delta), 0);
    return heed_mean(cx, heed_add(cx, heed_mul(cx, m, m), far));
}

heed_tensor *heed__head_loss(heed_ctx *cx, const heed_head *h, heed_tensor *logits,
                             const heed_goal *g, const int64_t *item) {
    if (!logits) return NULL;
    const int64_t n = logits->shape[0];
    if (h->cfg.target == HEED_TARGET_LABELS)
        return heed_scale(cx,
                          heed_bce_logits(cx, logits, targets_of(cx, h, g, item, n),
                                          &(heed_bce_cfg){ .weight = g->weight }),
                          (float)h->cfg.classes, 0);
    if (h->cfg.target == HEED_TARGET_SCORE) {
        heed_tensor *t = heed_new(cx, HEED_F32, 2, (int64_t[]){ n, 1 });
        for (int64_t i = 0; t && i < n; i++)
            HEED_F32_DATA(t)[i] = standard(&h->cfg, g->score[item[i]]);
        return h->cfg.huber > 0 ? huber(cx, logits, t, h->cfg.huber) : heed_mse(cx, logits, t);
    }
    heed_tensor *right = heed_new(cx, HEED_I32, 1, &n);
    for (int64_t i = 0; right && i < n; i++) HEED_I32_DATA(right)[i] = g->label[item[i]];
    const heed_cross_entropy_cfg cfg = { .smoothing = (float)g->smoothing,
                                         .class_weight = g->weight };
    return heed_cross_entropy(cx, logits, right, &cfg);
}

json_t *heed__head_config(const heed_head *h) {
    const heed_head_cfg *c = &h->cfg;
    json_t *o = json_pack("{s:s}", "target", targets[c->target]);
    int bad = o ? 0 : -1;
    if (c->pairs) bad |= json_object_set_new(o, "pairs", json_true());
    if (c->dense) bad |= json_object_set_new(o, "dense", json_integer((json_int_t)c->dense));
    if (c->dropout > 0) bad |= json_object_set_new(o, "dropout", json_real(c->dropout));
    if (c->target == HEED_TARGET_SCORE) {
        bad |= json_object_set_new(o, "mean", json_real(c->mean));
        bad |= json_object_set_new(o, "spread", json_real(c->spread));
        if (c->huber > 0) bad |= json_object_set_new(o, "huber", json_real(c->huber));
    }
    if (!bad) return o;
    json_decref(o);
    return NULL;
}

int heed__head_read(heed_head_cfg *c, const json_t *object, const char *path, heed_error *err) {
    static const char *const keys[] = { "target", "pairs",  "dense", "dropout",
                                        "mean",   "spread", "huber", NULL };
    heed_fields f = { .object = object, .name = path, .err = err };
    *c = (heed_head_cfg){ 0 };
    if (!json_is_object(object))
        return heed__error(err, HEED_EFORMAT, "%s: head is missing or no object", path);
    heed__fields_only(&f, keys);
    const json_t *name = json_object_get(object, "target");
    while (c->target <= HEED_TARGET_SCORE && json_is_string(name) &&
           strcmp(json_string_value(name), targets[c->target]) != 0)
        c->target++;
    if (!json_is_string(name) || c->target > HEED_TARGET_SCORE)
        return heed__error(err, HEED_EFORMAT, "%s: head has no target that there is", path);
    if (heed__field_has(&f, "pairs")) c->pairs = heed__field_bool(&f, "pairs");
    if (heed__field_has(&f, "dense")) c->dense = heed__field_int(&f, "dense", 1, INT32_MAX);
    if (heed__field_has(&f, "dropout")) c->dropout = heed__field_number(&f, "dropout");
    if (c->target == HEED_TARGET_SCORE) {
        c->mean = heed__field_number(&f, "mean");
        c->spread = heed__field_number(&f, "spread");
        if (heed__field_has(&f, "huber")) c->huber = heed__field_number(&f, "huber");
    }
    if (!f.status && (c->dropout < 0 || c->dropout >= 1))
        return heed__error(err, HEED_EFORMAT, "%s: head.dropout is outside 0..1", path);
    if (!f.status && c->target == HEED_TARGET_SCORE &&
        !(fabs(c->mean) <= HEED_SCORE_MOST && c->spread > 0 && c->spread <= HEED_SCORE_MOST))
        return heed__error(err, HEED_EFORMAT,
                           "%s: head.mean and head.spread are %g and %g, which no scores have",
                           path, c->mean, c->spread);
    if (!f.status && !(c->huber >= 0))
        return heed__error(err, HEED_EFORMAT, "%s: head.huber is below 0", path);
    return f.status;
}
