/* parts.c: what the models share; see parts.h. */
#include "models/parts.h"

#include <math.h>
#include <string.h>

#include "tensor/params.h"

bool heed__temperature_is_sound(double temperature) {
    return temperature >= HEED_LEAST_TEMPERATURE && temperature <= HEED_MOST_TEMPERATURE;
}

int heed__model_defaults(heed_params *ps, heed_model_cfg *c) {
    enum { MOST_LAYERS = 9999 };
    const struct {
        const char *name;
        int64_t value, most;
    } sizes[] = {
        { "vocab", c->vocab, INT32_MAX },     { "source_vocab", c->source_vocab, INT32_MAX },
        { "dim", c->dim, INT32_MAX },         { "hidden", c->hidden, INT32_MAX },
        { "heads", c->heads, INT32_MAX },     { "kv_heads", c->kv_heads, INT32_MAX },
        { "layers", c->layers, MOST_LAYERS }, { "encoder_layers", c->encoder_layers, MOST_LAYERS },
        { "ff", c->ff, INT32_MAX },           { "classes", c->classes, INT32_MAX },
        { "dense", c->dense, INT32_MAX },     { "max_len", c->max_len, INT32_MAX },
    };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        if (sizes[i].value < 0 || sizes[i].value > sizes[i].most)
            return heed_params_fail(ps, HEED_EINVALID, "a model's %s is %lld, not 0 to %lld",
                                    sizes[i].name, (long long)sizes[i].value,
                                    (long long)sizes[i].most);
    const heed_attention_choice *a = &c->attention;
    if (a->temperature != 0 && !heed__temperature_is_sound(a->temperature))
        return heed_params_fail(ps, HEED_EINVALID, "attention: temperature %g is not 1e-6 to 1e6",
                                a->temperature);
    if (a->weights == HEED_WEIGHTS_TOPK && a->topk < 1)
        return heed_params_fail(ps, HEED_EINVALID, "attention: topk %lld is not at least 1",
                                (long long)a->topk);
    const bool classic = c->kind == HEED_MODEL_CLASSIC, lm = c->kind == HEED_MODEL_LM;
    if (c->dim == 0) c->dim = classic ? 64 : 256;
    if (c->hidden == 0) c->hidden = c->dim;
    if (c->heads == 0) c->heads = classic ? 4 : 8;
    if (c->kv_heads == 0) c->kv_heads = c->heads;
    if (c->layers == 0) c->layers = classic ? 1 : 6;
    if (c->encoder_layers == 0) c->encoder_layers = c->layers;
    if (c->ff == 0) c->ff = 4 * c->dim;
    if (c->max_len == 0) c->max_len = lm ? 1024 : 5000;
    if (c->act == HEED_ACT_NONE && !c->gated) c->act = lm ? HEED_ACT_GELU_TANH : HEED_ACT_RELU;
    if (c->position == HEED_POSITION_NONE)
        c->position = lm ? HEED_POSITION_LEARNED : HEED_POSITION_SINUSOIDAL;
    if (lm) c->pre_norm = true;
    return 0;
}

int heed__model_embed(heed_embed *e, heed_params *ps, const char *name, const heed_model_cfg *c,
                      int64_t vocab) {
    const bool lm = c->kind == HEED_MODEL_LM, seq2seq = c->kind == HEED_MODEL_SEQ2SEQ;
    /* Vaswani et al. 2017: N(0, 1/C), times sqrt(C) on the way in */
    const float root = (float)sqrt((double)c->dim);
    if (c->sparse && c->tied)
        return heed_params_fail(ps, HEED_EUNSUPPORTED,
                                "%s: row-sparse gradients do not go with a tied output", name);
    if (c->use_padding && c->padding > INT32_MAX)
        return heed_params_fail(ps, HEED_EINVALID, "%s: padding id %lld is too large", name,
                                (long long)c->padding);
    return heed_embed_init(e, ps, name,
                           &(heed_embed_cfg){ .vocab = vocab,
                                              .dim = c->dim,
                                              .use_padding = c->use_padding,
                                              .padding = (int32_t)c->padding,
                                              .sparse = c->sparse,
                                              .deviation = c->deviation > 0 ? (float)c->deviation
                                                           : lm             ? 0.02f
                                                           : seq2seq        ? 1 / root
                                                                            : 1,
                                              .scale = seq2seq ? root : 1 });
}

int heed__model_position(heed_position *p, heed_params *ps, const heed_model_cfg *c) {
    return heed_position_init(
        p, ps, "position",
        &(heed_position_cfg){ .kind = c->position, .dim = c->dim, .max_len = c->max_len });
}

/* Weights that choose one key are not dropped. */
static float weights_dropout(const heed_model_cfg *c) {
    const heed_weights_kind w = c->attention.weights;
    return w == HEED_WEIGHTS_HARD || w == HEED_WEIGHTS_GUMBEL ? 0 : (float)c->dropout;
}

void heed__model_attention(const heed_model_cfg *c, heed_attention_cfg *kind) {
    const heed_attention_choice *a = &c->attention;
    kind->dropout = weights_dropout(c);
    kind->score = a->score;
    kind->weights = a->weights;
    kind->topk = a->topk;
    kind->score_std = a->score_std;
    kind->window = a->window > 0;
    kind->left = kind->right = a->window;
    kind->truncate = a->truncate;
    kind->penalty = a->penalty;
}

heed_stack_cfg heed__model_stack(const heed_model_cfg *c, int64_t layers, bool cross) {
    enum { T5_BUCKETS = 32 };
    heed_stack_cfg stack = {
        .layers = (int)layers,
        .share_layers = c->share_layers,
        .final_norm = c->pre_norm,
        .block = { .dim = c->dim,
                   .self = { .heads = (int)c->heads,
                             .kv_heads = (int)c->kv_heads,
                             .use_rotary = c->position == HEED_POSITION_ROTARY,
                             .t5_buckets = c->position == HEED_POSITION_T5 ? T5_BUCKETS : 0,
                             .alibi = c->position == HEED_POSITION_ALIBI,
                             .temperature = (float)c->attention.temperature,
                             .learn_temperature = c->attention.learn_temperature },
                   .ff = c->ff,
                   .act = c->act,
                   .gated = c->gated,
                   .pre_norm = c->pre_norm,
                   .rms = c->rms,
                   .norm_eps = (float)c->norm_eps,
                   .dropout = (float)c->dropout,
                   .attention_dropout = weights_dropout(c) > 0 ? 0 : -1,
                   .cross = cross },
    };
    heed__model_attention(c, &stack.block.self.kind);
    return stack;
}

int heed__model_head(heed_linear *head, heed_params *ps, const heed_model_cfg *c,
                     heed_tensor *table) {
    *head = (heed_linear){ .w = table };
    if (c->tied && table) heed__param_is_weight(table);
    if (c->tied) return 0;
    const heed_init small = { HEED_INIT_NORMAL, 0.02f };
    const bool lm = c->kind == HEED_MODEL_LM;
    return heed_linear_init_cfg(
        head, ps, "head",
        &(heed_linear_cfg){
            .in = c->dim, .out = c->vocab, .no_bias = lm, .weight = lm ? &small : NULL });
}

heed_tensor *heed__model_enter(heed_ctx *cx, const heed_embed *e, const heed_position *p,
                               heed_tensor *ids, int64_t start) {
    return heed_position_apply(cx, p, heed_embed_apply(cx, e, ids), start);
}

int64_t heed_params_parts(const heed_params *ps,
                          void (*fn)(void *arg, const char *part, int64_t len), void *arg) {
    int64_t sum = 0, count = heed_params_count(ps);
    for (int64_t i = 0; i < count;) {
        char part[64];
        const char *name = heed_params_at(ps, i)->name;
        size_t n = strcspn(name, ".");
        if (n >= sizeof part) n = sizeof part - 1;
        memcpy(part, name, n);
        part[n] = 0;
        int64_t len = 0;
        for (; i < count; i++) {
            const char *other = heed_params_at(ps, i)->name;
            if (strncmp(other, part, n) != 0 || (other[n] && other[n] != '.')) break;
            len += heed_params_at(ps, i)->len;
        }
        if (len == 0) break; /* a longer first word than part holds */
        if (fn) fn(arg, part, len);
        sum += len;
    }
    return sum;
}
