/* context.c: a passage that a text attends to; see context.h. */
#include "tasks/context.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "heed/ops.h"

enum { WIDTH = 64, HEADS = 4, MOST = 65536 };

static const float TEMPERATURE = 0.1F;

static void identity(heed_tensor *w) {
    const int64_t n = w->shape[1];
    for (int64_t i = 0; i < w->len; i++) HEED_F32_DATA(w)[i] = i / n == i % n;
}

int heed__context_init(heed_context *k, heed_params *ps, const heed_body *body, heed_error *err) {
    if (!k->in) return 0;
    if (!body->kind->states || !body->state_dim)
        return heed__error(err, HEED_EUNSUPPORTED,
                           "train: the recipe '%s' has no states to attend to a context with",
                           body->kind->name);
    k->in = body->state_dim;
    if (!k->heads) k->heads = k->in % HEADS == 0 ? HEADS : 1;
    if (!k->width) k->width = WIDTH;
    const heed_mha_cfg cfg = { .dim = k->in,
                               .heads = (int)k->heads,
                               .kind = { .score = HEED_SCORE_COSINE },
                               .temperature = TEMPERATURE,
                               .learn_temperature = true };
    int rc = heed_mha_init(&k->cross, ps, "head.context", &cfg);
    if (rc == 0)
        rc = heed_linear_init(&k->compare, ps, "head.context.compare", 2 * k->in, k->width);
    k->scale = heed_param(ps, "head.context.scale", (heed_init){ .kind = HEED_INIT_ONES }, 1,
                          &k->heads);
    const heed_error *why = heed_params_error(ps);
    if (rc || why)
        return heed__error(err, why ? why->code : rc, "%s", why ? why->msg : "context: no memory");
    heed_tensor *const w[] = { k->cross.q.w, k->cross.k.w, k->cross.v.w, k->cross.o.w };
    for (int i = 0; i < 4; i++) identity(w[i]);
    return 0;
}

int64_t heed__context_dim(const heed_context *k) {
    return k->in ? 2 * k->width + k->heads : 0;
}

/* -- computing -------------------------------------------------------------------------------- */

/* Ones where column c of C belongs to head h: [H,C] */
static heed_tensor *parts_of(heed_ctx *cx, const heed_context *k) {
    const int64_t each = k->in / k->heads;
    heed_tensor *w = heed_zeros(cx, HEED_F32, 2, (int64_t[]){ k->heads, k->in });
    for (int64_t c = 0; w && c < k->in; c++) HEED_F32_DATA(w)[c / each * k->in + c] = 1;
    return w;
}

/* What turns a mean over a text's units of parts of h·r into o: its number of units over the sum of
 * h·h, over its units and 0 past them. Carries no gradient. [n,T,H] */
static heed_tensor *shares_of(heed_ctx *cx, const heed_context *k, const heed_tensor *h,
                              const heed_tensor *lengths) {
    const int64_t n = h->shape[0], T = h->shape[1], C = k->in, H = k->heads, each = C / H;
    heed_tensor *s = heed_zeros(cx, HEED_F32, 3, (int64_t[]){ n, T, H });
    for (int64_t i = 0; s && i < n; i++)
        for (int64_t p = 0; p < H; p++) {
            const int64_t len = HEED_I32_DATA(lengths)[i];
            float sum = 1e-6F;
            for (int64_t t = 0; t < len; t++)
                for (int64_t c = p * each; c < (p + 1) * each; c++) {
                    const float x = HEED_F32_DATA(h)[(i * T + t) * C + c];
                    sum = fmaf(x, x, sum);
                }
            for (int64_t t = 0; t < len; t++)
                HEED_F32_DATA(s)[(i * T + t) * H + p] = (float)len / sum;
        }
    return s;
}

heed_tensor *heed__context_join(heed_ctx *cx, const heed_context *k, const heed_body *body,
                                const heed_context_call *x, heed_tensor *y) {
    if (!k->in || !y) return y;
    heed_tensor *la = NULL, *lb = NULL;
    heed_tensor *h = body->kind->states(cx, body, x->rows, x->span, x->n, &la);
    heed_tensor *m = body->kind->states(cx, body, x->rows2, x->span2, x->n, &lb);
    if (!h || !m) return NULL;
    heed_attention_cfg kind = k->cross.cfg.kind;
    kind.key_lengths = lb;
    heed_tensor *r = heed_mha_apply(cx, &k->cross, h, m, m, &kind);
    heed_tensor *same = heed_mul(cx, h, r);
    heed_tensor *const both[2] = { same, heed_sub(cx, h, r) };
    if (!both[0] || !both[1]) return NULL;
    heed_tensor *g = heed_concat(cx, both, 2, 2);
    g = heed_dropout(cx, g, (float)k->dropout);
    g = heed_affine_act(cx, g, k->compare.w, k->compare.b, HEED_ACT_GELU, NULL);
    heed_tensor *found = heed_affine(cx, same, parts_of(cx, k), NULL);
    found = heed_mul(cx, found, shares_of(cx, k, h, la));
    found = heed_mul(cx, heed_mean_pool(cx, found, la), k->scale);
    heed_tensor *const part[4] = { y, heed_mean_pool(cx, g, la), heed_max_pool(cx, g, la), found };
    return part[1] && part[2] && part[3] ? heed_concat(cx, part, 4, 1) : NULL;
}

/* -- config.json ------------------------------------------------------------------------------ */

json_t *heed__context_config(const heed_context *k) {
    if (!k->in) return NULL;
    return json_pack("{s:I, s:I, s:f}", "heads", (json_int_t)k->heads, "width",
                     (json_int_t)k->width, "dropout", k->dropout);
}

int heed__context_read(heed_context *k, const json_t *object, const char *path, heed_error *err) {
    static const char *const keys[] = { "heads", "width", "dropout", NULL };
    heed_fields f = { .object = object, .name = path, .err = err };
    *k = (heed_context){ .in = 0 };
    if (!object) return 0;
    if (!json_is_object(object))
        return heed__error(err, HEED_EFORMAT, "%s: context is no object", path);
    heed__fields_only(&f, keys);
    k->in = 1; /* there is one; its width is that of the body's states */
    k->heads = heed__field_int(&f, "heads", 1, MOST);
    k->width = heed__field_int(&f, "width", 1, MOST);
    k->dropout = heed__field_number(&f, "dropout");
    if (!f.status && !(k->dropout >= 0 && k->dropout < 1))
        return heed__error(err, HEED_EFORMAT, "%s: context.dropout is outside 0..1", path);
    return f.status;
}
