/* body_classic.c: the recipe `classic`: embedding, LSTM, multi-head self-attention over its states,
 * pooling. Units are words. */
#include <string.h>

#include "base/alloc.h"
#include "base/folder.h"
#include "base/json.h"
#include "base/text.h"
#include "models/parts.h"
#include "tasks/body.h"
#include "tasks/word_rows.h"

typedef struct classic {
    heed_body body;
    heed_vocab *vocab;
    heed_classic model; /* without dense and head */
    bool no_marks;
} classic;

static void defaults(heed_body_cfg *c, heed_fit_cfg *fit) {
    if (!c->vocab) c->vocab = 10000;
    if (!c->max_len) c->max_len = 128;
    if (!c->embed) c->embed = 64;
    if (!c->hidden) c->hidden = 64;
    if (!c->heads) c->heads = 4;
    if (c->dropout == 0) c->dropout = 0.3;
    if (!fit->epochs) fit->epochs = 15;
    if (!fit->batch) fit->batch = 64;
    if (fit->optim.lr == 0) fit->optim.lr = 0.002f;
}

/* Declares the parameters. */
static int build(classic *c, heed_model_cfg cfg, heed_error *err) {
    heed_params *ps = c->body.ps;
    cfg.kind = HEED_MODEL_CLASSIC;
    cfg.vocab = heed__vocab_len(c->vocab);
    cfg.use_padding = true;
    cfg.padding = HEED_VOCAB_PAD;
    cfg.classes = cfg.dense = 0;
    const int rc = heed__classic_body(&c->model, ps, &cfg);
    const heed_error *why = heed_params_error(ps);
    if (rc) return heed__error(err, rc, "%s", why ? why->msg : "the model cannot be made");
    c->body.dim = c->body.state_dim = c->model.cfg.hidden * (c->model.cfg.bidirectional ? 2 : 1);
    return 0;
}

static int learn(heed_body *b, const heed_texts *x, heed_error *err) {
    classic *c = (classic *)b;
    const heed_body_cfg *g = &b->cfg;
    heed_texts words = *x;
    words.no_marks = c->no_marks = g->no_marks;
    c->vocab = heed__vocab_of(&words, g->vocab, &b->hooks, err);
    if (!c->vocab) return HEED_ENOMEM;
    return build(c,
                 (heed_model_cfg){ .dim = g->embed,
                                   .hidden = g->hidden,
                                   .heads = g->heads,
                                   .layers = g->layers,
                                   .bidirectional = g->bidirectional,
                                   .attention = g->attention,
                                   .kv_heads = g->kv_heads,
                                   .no_attention = g->no_attention,
                                   .deviation = g->deviation,
                                   .remember = g->remember,
                                   .pooling = g->pooling,
                                   .dropout = g->dropout > 0 ? g->dropout : 0 },
                 err);
}

static int load(heed_body *b, const json_t *config, const char *dir, heed_error *err) {
    classic *c = (classic *)b;
    char path[HEED_PATH_SIZE];
    heed__format(path, sizeof path, "%s/config.json", dir);
    size_t size = 0;
    heed_model_cfg m;
    const json_t *no_marks = json_object_get(config, "no_marks");
    c->no_marks = json_is_true(no_marks);
    json_t *model = json_copy((json_t *)(uintptr_t)config);
    if (c->no_marks) json_object_del(model, "no_marks"); /* the rest is the model's */
    char *text = model ? heed__json_text(&b->hooks, model, false, &size, err) : NULL;
    json_decref(model);
    if (!text) return heed__error(err, HEED_ENOMEM, "%s: out of memory", path);
    const int rc = heed_model_cfg_from_json(&m, text, size, path, err);
    heed__free(&b->hooks, text);
    if (rc) return rc;
    if (m.kind != HEED_MODEL_CLASSIC)
        return heed__error(err, HEED_EFORMAT, "%s: the model of recipe 'classic' is another one",
                           path);
    if (m.layers > 100)
        return heed__error(err, HEED_EFORMAT, "%s: layers is %lld, not at most 100", path,
                           (long long)m.layers);
    c->vocab = heed__vocab_open(dir, m.vocab, &b->hooks, err);
    if (!c->vocab) return err->code;
    b->cfg.vocab = m.vocab;
    b->cfg.embed = m.dim;
    b->cfg.hidden = m.hidden;
    b->cfg.heads = m.heads;
    b->cfg.no_attention = m.no_attention;
    b->cfg.dropout = m.dropout;
    heed__body_narrow(b, &m.attention);
    return build(c, m, err);
}

static json_t *config(const heed_body *b) {
    char *text = heed_model_cfg_to_json(&((const classic *)b)->model.cfg, NULL);
    json_t *tree = text ? json_loads(text, 0, NULL) : NULL;
    heed_text_free(text);
    if (!tree || !((const classic *)b)->no_marks ||
        json_object_set_new(tree, "no_marks", json_true()) == 0)
        return tree;
    json_decref(tree);
    return NULL;
}

static int save(const heed_body *b, const char *dir, heed_error *err) {
    return heed__vocab_save(((const classic *)b)->vocab, dir, &b->hooks, err);
}

static int encode(const heed_body *b, const heed_texts *x, const heed_rows_cfg *cfg,
                  heed_rows *rows, heed_error *err) {
    const classic *c = (const classic *)b;
    heed_texts words = *x;
    words.no_marks = c->no_marks;
    return heed__word_rows(c->vocab, &words, cfg, rows, err);
}

typedef heed_tensor *(*classic_fn)(heed_ctx *cx, const heed_classic *m, heed_tensor *ids,
                                   const heed_block_call *call);

typedef struct batch {
    const heed_rows *rows;
    const heed_span *span;
    int64_t n;
} batch;

/* What fn makes of the spans, and what attention fell on where call asks for it. */
static heed_tensor *run_with(heed_ctx *cx, const heed_body *b, classic_fn fn, const batch *x,
                             heed_body_call *call) {
    const classic *c = (const classic *)b;
    const heed_attention_choice *kind = &c->model.cfg.attention;
    heed_attention_tap tap = { .column_mass = true };
    heed_attention_more more = { .penalty = NULL };
    heed_tensor *in[2];
    heed__rows_batch(cx, x->rows, x->span, x->n, HEED_VOCAB_PAD, in);
    call->lengths = in[1];
    const heed_block_call what = { .lengths = in[1],
                                   .tap = call->want_weights ? &tap : NULL,
                                   .more = heed_ctx_train(cx) ? &more : NULL };
    heed_tensor *h = fn(cx, &c->model, in[0], &what);
    call->penalty = heed__body_penalty(cx, kind, &more, 1);
    if (call->want_weights)
        call->weights = !h ? NULL
                        : c->model.cfg.no_attention
                            ? heed__even_weights(cx, x->span, x->n, in[0]->shape[1])
                            : heed__column_weights(cx, tap.column, x->span, x->n);
    return h;
}

static heed_tensor *states(heed_ctx *cx, const heed_body *b, const heed_rows *rows,
                           const heed_span *span, int64_t n, heed_tensor **lengths) {
    heed_body_call call = { .want_weights = false };
    heed_tensor *h = run_with(cx, b, heed__classic_states, &(batch){ rows, span, n }, &call);
    *lengths = call.lengths;
    return h;
}

static heed_tensor *apply(heed_ctx *cx, const heed_body *b, const heed_rows *rows,
                          const heed_span *span, int64_t n, heed_body_call *call) {
    heed_body_call own = { .want_weights = false };
    if (!call) call = &own;
    return run_with(cx, b, heed__classic_pooled, &(batch){ rows, span, n }, call);
}

static heed_tensor *words(const heed_body *b, int64_t *len) {
    const classic *c = (const classic *)b;
    if (!c->vocab) return NULL;
    *len = heed__vocab_len(c->vocab) - HEED_VOCAB_SPECIAL;
    return c->model.embed.w;
}

static int64_t word_row(const heed_body *b, const char *word, size_t size) {
    const int32_t id = heed__vocab_find(((const classic *)b)->vocab, word, size);
    return id < HEED_VOCAB_SPECIAL ? -1 : id;
}

static int64_t spell(const heed_body *b, const char *word, size_t size, heed_tensor **table,
                     int32_t *id, int64_t most) {
    const int64_t row = word_row(b, word, size);
    *table = ((const classic *)b)->model.embed.w;
    if (row < 0 || most < 1) return 0;
    id[0] = (int32_t)row;
    return 1;
}

static void end(heed_body *b) {
    heed__vocab_free(((classic *)b)->vocab);
}

static const char *const files[] = { "vocab.txt", NULL };

const heed_body_kind heed__body_classic = { .name = "classic",
                                            .files = files,
                                            .size = sizeof(classic),
                                            .chooses = true,
                                            .defaults = defaults,
                                            .learn = learn,
                                            .load = load,
                                            .config = config,
                                            .save = save,
                                            .encode = encode,
                                            .words = words,
                                            .word = word_row,
                                            .spell = spell,
                                            .apply = apply,
                                            .states = states,
                                            .free = end };
