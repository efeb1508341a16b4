/* body_attend.c: the recipe `attend`.
 *
 *   x_t = mean of the vectors of word t and its pieces                       [D]
 *   h_t = x_t + gelu(W [x_t-1, x_t, x_t+1] + b)                              local context
 *   a_h = softmax_t(q_h · h_t),  p_h = Σ_t a_ht h_t                          H learned queries
 *   y   = norm([p_1, .., p_H, max_t h_t])                                    [(H+1)·D]
 *
 * Beside it stands the evidence of all n-grams, each by itself (evidence.h), whose numbers are
 * added to the head's. In training words and pieces are left out by chance, and the evidence, so
 * that attention learns to read the text alone. */
#include "tasks/body_attend.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "heed/ops.h"
#include "tensor/params.h"

/* Where there are more words in the training texts, pieces would cost more memory and time than
 * they bring. */
static const int64_t MANY = 4000000;
/* Of texts with fewer bytes together, pairs of words far apart are evidence too, where there are so
 * many texts for each label: such pairs are rare, and tell nothing of a label that has few. */
static const int64_t FEW = 1000000;
enum { FAR = 19, FAR_TEXTS = 300 };
static const float NO_WORD = 0.1f, NO_PIECE = 0.3f; /* left out of a word's vector by chance */
static const uint64_t DRAWN = 0x617474656e64u;

static void defaults(heed_body_cfg *c, heed_fit_cfg *fit) {
    if (!c->vocab) c->vocab = 1000000;
    if (!c->max_len) c->max_len = 2048;
    /* Wide vectors learn more of few texts, which cost little time. */
    if (!c->embed) c->embed = c->bytes < 1000000 ? 128 : 64;
    if (!c->heads) c->heads = 4;
    if (c->dropout == 0) c->dropout = 0.3;
    /* The more there is to read, the fewer times. */
    if (!fit->epochs) fit->epochs = c->bytes < 2000000 ? 10 : c->bytes < 12000000 ? 5 : 3;
    if (!fit->batch) fit->batch = 32;
    if (!fit->optimizer) fit->optimizer = "adamw";
    if (fit->optim.lr == 0) fit->optim.lr = 0.003f;
    if (!fit->optim.group_count) {
        /* a row moves only in the steps that touch it, so it takes longer ones */
        static const heed_param_group groups[] = { { .pattern = "table", .lr = 5 } };
        fit->optim.groups = groups;
        fit->optim.group_count = 1;
    }
}

/* -- learning --------------------------------------------------------------------------------- */

int heed__attend_build(heed_attend *a, heed_error *err) {
    heed_params *ps = a->body.ps;
    const int64_t D = a->dim, C = (a->heads + 1) * D;
    const int64_t rows = a->rows > 0 ? a->rows : 1;
    a->table = heed_param(ps, "table", (heed_init){ .kind = HEED_INIT_NORMAL, .a = 0.02f }, 2,
                          (int64_t[]){ rows, D });
    int rc = a->table ? heed_param_set_sparse(ps, a->table) : HEED_ENOMEM;
    if (a->table) heed__param_is_table(a->table);
    if (rc == 0) rc = heed_linear_init(&a->near, ps, "near", 3 * D, D);
    if (rc == 0 && !a->mean)
        rc = heed_linear_init_cfg(&a->query, ps, "query",
                                  &(heed_linear_cfg){ .in = D, .out = a->heads, .no_bias = true });
    a->gain = heed_param(ps, "norm.weight", (heed_init){ .kind = HEED_INIT_ONES }, 1, &C);
    a->bias = heed_param(ps, "norm.bias", (heed_init){ .kind = HEED_INIT_ZEROS }, 1, &C);
    const heed_error *why = heed_params_error(ps);
    a->body.dim = C;
    a->body.state_dim = D;
    if (rc || why)
        return heed__error(err, why ? why->code : rc, "%s", why ? why->msg : "attend: no memory");
    return 0;
}

/* Words of all texts, no more than `enough` counted. 0 or HEED_ENOMEM. */
static int count_words(const heed_attend *a, const heed_texts *x, int64_t enough, int64_t *words) {
    heed_features f = { .hooks = a->body.hooks };
    const heed_feature_cfg plain = { .run = 1, .ideograms = 1 };
    int rc = 0;
    *words = 0;
    for (int64_t i = 0; rc == 0 && i < x->len && *words <= enough; i++) {
        heed__features_clear(&f);
        rc = heed__features_add(&f, &plain, x->text[i], strlen(x->text[i]));
        *words += f.units;
    }
    heed__features_free(&f);
    return rc;
}

/* How far apart the words of a pair may be. */
static int far(const heed_body_cfg *c, const heed_texts *x) {
    return c->bytes && c->bytes < FEW && x->len / FAR_TEXTS >= c->labels ? FAR : 0;
}

static int learn(heed_body *b, const heed_texts *x, heed_error *err) {
    heed_attend *a = (heed_attend *)b;
    const heed_bound bounds[] = { { "embed", b->cfg.embed, 1, HEED_ATTEND_MOST_WIDTH },
                                  { "heads", b->cfg.heads, 1, HEED_ATTEND_MOST_HEADS },
                                  { NULL, 0, 0, 0 } };
    if (heed__bounds_check(bounds, err)) return HEED_EINVALID; /* what load refuses */
    int64_t words = 0;
    int rc = count_words(a, x, MANY, &words);
    const bool small = words <= MANY;
    a->features = (heed_feature_cfg){ .run = 2,
                                      .ideograms = 3,
                                      .gaps = small,
                                      .least = 2,
                                      .most = small ? 5 : 0,
                                      .far = far(&b->cfg, x) };
    a->dim = b->cfg.embed;
    a->mean = b->cfg.no_attention;
    a->heads = a->mean ? 1 : b->cfg.heads;
    a->dropout = b->cfg.dropout > 0 ? b->cfg.dropout : 0;
    const heed_index_cfg cfg = { .features = a->features, .least = 2, .most = b->cfg.vocab };
    if (rc == 0) rc = heed__index_learn(&a->index, &cfg, x->text, x->len, &b->hooks);
    if (rc) return heed__error(err, rc, "attend: out of memory");
    a->rows = a->index.kinds[HEED_FEATURE_PAIR];
    return heed__attend_build(a, err);
}

static int fit(heed_ctx *cx, heed_body *b, const heed_rows *rows, const heed_body_goal *goal,
               heed_error *err) {
    heed_attend *a = (heed_attend *)b;
    a->evidence.margin.hooks = b->hooks;
    if (goal->classes == 0) { /* what another model had */
        heed__evidence_free(&a->evidence);
        return 0;
    }
    return heed__evidence_fit(cx, &a->evidence, &a->index, rows, goal, err);
}

static void finish(heed_body *b) {
    heed__param_round(((heed_attend *)b)->table);
}

static float *gain(heed_body *b) {
    heed_attend *a = (heed_attend *)b;
    return a->evidence.margin.cols ? &a->evidence.gain : NULL;
}

static int64_t held(const heed_body *b) {
    const heed_attend *a = (const heed_attend *)b;
    return heed__index_size(&a->index) + heed__evidence_size(&a->evidence);
}

/* -- computing -------------------------------------------------------------------------------- */

/* A batch: bags of the units of spans, each span with an empty bag before it and after its end. */
typedef struct batch {
    heed_tensor *id, *bag, *lengths, *mask; /* [ids], [n·(T+2)+1], [n], [n,H,T] */
    int64_t T;
} batch;

/* Features of unit u that count for its vector, some left out by chance. */
static int64_t unit_ids(const heed_attend *a, const heed_rows *rows, int64_t u, heed_rng *rng,
                        int32_t *id) {
    int64_t n = 0;
    const int64_t begin = rows->bag[u], end = heed__attend_bag_end(a, rows, u);
    if (rng && heed_rng_uniform(rng) < NO_WORD) return 0;
    for (int64_t k = begin; k < end; k++) {
        if (rows->feature[k] >= a->rows) continue;
        if (rng && end - begin > 1 && heed_rng_uniform(rng) < NO_PIECE) continue;
        id[n++] = rows->feature[k];
    }
    return n;
}

/* Room that backward would need if none of the texts' features were left out, of which there are
 * b->id->len: how much a step takes is for its texts to say, not for chance. */
static bool expect(heed_ctx *cx, const heed_attend *a, const heed_rows *rows,
                   const heed_spans *spans, const batch *b) {
    int64_t n = 0;
    if (!heed__wants_grad(cx, 1, &(heed_tensor *){ a->table })) return true;
    for (int64_t i = 0; i < spans->len; i++)
        for (int64_t u = spans->span[i].begin; u < spans->span[i].end; u++)
            n += unit_ids(a, rows, u, NULL, HEED_I32_DATA(b->id) + n);
    if (a->table->sparse && heed__sparse_expect(a->table->sparse, n, HEED_I32_DATA(b->id))) {
        heed_fail(cx, HEED_ENOMEM, "out of memory for gradients of %lld rows", (long long)n);
        return false;
    }
    void *room = heed__temp(cx, n * a->dim, sizeof(float));
    heed__temp_end(cx, room);
    return room != NULL;
}

static bool make_batch(heed_ctx *cx, const heed_attend *a, const heed_rows *rows,
                       const heed_span *span, int64_t n, batch *b) {
    int64_t most = 0;
    *b = (batch){ .T = 1 };
    for (int64_t i = 0; i < n; i++) {
        for (int64_t u = span[i].begin; u < span[i].end; u++)
            most += heed__attend_bag_end(a, rows, u) - rows->bag[u];
        if (span[i].end - span[i].begin > b->T) b->T = span[i].end - span[i].begin;
    }
    b->id = heed_new(cx, HEED_I32, 1, &most);
    b->bag = heed_new(cx, HEED_I32, 1, (int64_t[]){ n * (b->T + 2) + 1 });
    b->lengths = heed_new(cx, HEED_I32, 1, &n);
    b->mask = heed_new(cx, HEED_F32, 3, (int64_t[]){ n, a->heads, b->T });
    if (!b->id || !b->bag || !b->lengths || !b->mask ||
        !expect(cx, a, rows, &(heed_spans){ span, n }, b))
        return false;
    int32_t *id = HEED_I32_DATA(b->id);
    heed_rng rng = { .seed = a->body.cfg.seed, .stream = DRAWN + heed_ctx_step(cx) };
    int32_t *bag = HEED_I32_DATA(b->bag);
    int64_t at = 0, slot = 0;
    bag[0] = 0;
    for (int64_t i = 0; i < n; i++) {
        const int64_t len = span[i].end - span[i].begin;
        HEED_I32_DATA(b->lengths)[i] = (int32_t)len;
        for (int64_t t = -1; t <= b->T; t++) {
            if (t >= 0 && t < len)
                at += unit_ids(a, rows, span[i].begin + t, heed_ctx_train(cx) ? &rng : NULL,
                               id + at);
            bag[++slot] = (int32_t)at;
        }
        float *mask = HEED_F32_DATA(b->mask) + i * a->heads * b->T;
        for (int64_t k = 0; k < a->heads * b->T; k++) mask[k] = k % b->T < len ? 0 : -INFINITY;
    }
    b->id = heed__view(cx, b->id, 0, 1, &at);
    return b->id != NULL;
}

/* h [n,T,D] */
static heed_tensor *contextual(heed_ctx *cx, const heed_attend *a, const batch *b) {
    const int64_t T = b->T, n = b->lengths->len;
    heed_tensor *x = heed_embedding_bag(cx, a->table, b->id, b->bag, true);
    x = heed_reshape(cx, x, 3, (int64_t[]){ n, T + 2, a->dim });
    x = heed_dropout(cx, x, (float)a->dropout);
    heed_tensor *const part[3] = { heed_slice(cx, x, 1, 0, T), heed_slice(cx, x, 1, 1, T + 1),
                                   heed_slice(cx, x, 1, 2, T + 2) };
    if (!part[0] || !part[1] || !part[2]) return NULL;
    heed_tensor *wide = heed_concat(cx, part, 3, 2);
    return heed_affine_act(cx, wide, a->near.w, a->near.b, HEED_ACT_GELU, part[1]);
}

/* The mean over heads of weights [n,H,T] -> [n,T] */
static heed_tensor *mean_weights(heed_ctx *cx, heed_tensor *w, int64_t T) {
    if (!w) return NULL;
    const int64_t n = w->shape[0], H = w->shape[1];
    heed_tensor *m = heed_zeros(cx, HEED_F32, 2, (int64_t[]){ n, T });
    for (int64_t i = 0; m && i < n; i++)
        for (int64_t h = 0; h < H; h++)
            for (int64_t t = 0; t < T; t++)
                HEED_F32_DATA(m)[i * T + t] += HEED_F32_DATA(w)[(i * H + h) * T + t] / (float)H;
    return m;
}

static heed_tensor *apply(heed_ctx *cx, const heed_body *body, const heed_rows *rows,
                          const heed_span *span, int64_t n, heed_body_call *call) {
    const heed_attend *a = (const heed_attend *)body;
    batch b;
    if (heed__attend_answers(cx, a))
        return heed__attend_answer(cx, a, rows, &(heed_spans){ span, n }, call);
    if (!make_batch(cx, a, rows, span, n, &b)) return NULL;
    heed_tensor *h = contextual(cx, a, &b);
    heed_tensor *s = b.mask;
    if (!a->mean)
        s = heed_add(cx, heed_transpose(cx, heed_linear_apply(cx, &a->query, h), 1, 2), s);
    s = heed_softmax(cx, s);
    heed_tensor *p = heed_matmul(cx, s, h, false, false);
    heed_tensor *const part[2] = { heed_reshape(cx, p, 2, (int64_t[]){ n, a->heads * a->dim }),
                                   heed_max_pool(cx, h, b.lengths) };
    if (!part[0] || !part[1]) return NULL;
    if (call && call->want_weights) call->weights = mean_weights(cx, s, b.T);
    if (call && !heed_ctx_train(cx))
        call->evidence = heed__evidence_apply(cx, &a->evidence, &a->index, rows,
                                              &(heed_spans){ span, n }, NULL);
    return heed_layer_norm(cx, heed_concat(cx, part, 2, 1), a->gain, a->bias, 1e-5f);
}

static heed_tensor *states(heed_ctx *cx, const heed_body *body, const heed_rows *rows,
                           const heed_span *span, int64_t n, heed_tensor **lengths) {
    const heed_attend *a = (const heed_attend *)body;
    batch b;
    *lengths = NULL;
    if (!make_batch(cx, a, rows, span, n, &b)) return NULL;
    *lengths = b.lengths;
    return contextual(cx, a, &b);
}

static heed_tensor *words(const heed_body *b, int64_t *len) {
    const heed_attend *a = (const heed_attend *)b;
    *len = a->index.kinds[1];
    return a->table;
}

static int64_t word_row(const heed_body *b, const char *word, size_t size) {
    const heed_attend *a = (const heed_attend *)b;
    const heed_feature_cfg plain = { .run = 1, .ideograms = 1 };
    heed_features f = { .hooks = b->hooks };
    int64_t row = heed__features_add(&f, &plain, word, size) ? -2 : -1;
    if (row == -1 && f.units == 1) row = heed__index_find(&a->index, f.key[0]);
    heed__features_free(&f);
    return row < a->rows ? row : -1;
}

static int64_t spell(const heed_body *b, const char *word, size_t size, heed_tensor **table,
                     int32_t *id, int64_t most) {
    const heed_attend *a = (const heed_attend *)b;
    heed_features f = { .hooks = b->hooks };
    const int64_t keys = heed__features_spell(&f, &a->features, word, size);
    int64_t n = 0;
    *table = a->table;
    for (int64_t k = 0; k < keys && n < most; k++) {
        const int32_t row = heed__index_find(&a->index, f.key[k]);
        if (row >= 0 && row < a->rows) id[n++] = row;
    }
    heed__features_free(&f);
    return keys < 0 ? keys : n;
}

static void end(heed_body *b) {
    heed_attend *a = (heed_attend *)b;
    heed__index_free(&a->index);
    heed__evidence_free(&a->evidence);
}

static const char *const files[] = { "features.safetensors", NULL };

const heed_body_kind heed__body_attend = { .name = "attend",
                                           .smoothing = 0.1,
                                           .files = files,
                                           .size = sizeof(heed_attend),
                                           .shares = true,
                                           .defaults = defaults,
                                           .learn = learn,
                                           .load = heed__attend_load,
                                           .config = heed__attend_config,
                                           .save = heed__attend_save,
                                           .encode = heed__attend_encode,
                                           .words = words,
                                           .word = word_row,
                                           .spell = spell,
                                           .fit = fit,
                                           .gain = gain,
                                           .held = held,
                                           .finish = finish,
                                           .memo = heed__attend_memo,
                                           .forget = heed__attend_forget,
                                           .apply = apply,
                                           .states = states,
                                           .free = end };
