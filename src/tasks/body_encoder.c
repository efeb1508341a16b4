/* body_encoder.c: the recipe `encoder`: embedding, positions, Transformer encoder, pooling. Units
 * are words, or the tokens of a tokenizer (heed/text.h), which then lies in the model's folder.
 *
 * The table has two rows more than there are units: [V] stands for a unit that is hidden while the
 * language is learnt (pretrain.h), [V+1] is padding. */
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/folder.h"
#include "base/json.h"
#include "base/text.h"
#include "heed/text.h"
#include "models/parts.h"
#include "tasks/body.h"
#include "tasks/word_rows.h"

enum { MOST_LAYERS = 100, MOST_POSITIONS = 1 << 20, MORE_ROWS = 2, TOKENS = 8000 };

typedef struct encoder {
    heed_body body;
    heed_vocab *vocab;             /* words; or */
    heed_tokenizer *tok;           /* tokens */
    int64_t units;                 /* V */
    heed_encoder_classifier model; /* without head */
} encoder;

static void defaults(heed_body_cfg *c, heed_fit_cfg *fit) {
    if (!c->vocab) c->vocab = c->tokenizer ? TOKENS : 20000;
    if (!c->max_len) c->max_len = 128;
    if (!c->embed) c->embed = 128;
    if (!c->heads) c->heads = c->embed >= 256 ? 8 : 4;
    if (!c->layers) c->layers = 2;
    if (!c->ff && c->embed > 0 && c->embed <= INT32_MAX) c->ff = 4 * c->embed; /* others refused */
    if (c->dropout == 0) c->dropout = 0.1;
    if (c->position == HEED_POSITION_NONE) c->position = HEED_POSITION_SINUSOIDAL;
    if (!fit->epochs) fit->epochs = 10;
    if (!fit->batch) fit->batch = 32;
    if (fit->optim.lr == 0) fit->optim.lr = 0.0005f;
    if (!fit->optimizer) fit->optimizer = "adamw";
    if (fit->optim.weight_decay == 0) fit->optim.weight_decay = 0.01f;
    if (fit->warmup == 0) fit->warmup = 0.1;
}

/* -- making ----------------------------------------------------------------------------------- */

static int build(encoder *e, heed_model_cfg m, heed_error *err) {
    heed_params *ps = e->body.ps;
    e->units = e->tok ? heed_tokenizer_len(e->tok) : heed__vocab_len(e->vocab);
    m.kind = HEED_MODEL_ENCODER;
    m.vocab = e->units + MORE_ROWS;
    m.use_padding = true;
    m.padding = e->units + 1;
    m.classes = m.dense = 0;
    const int rc = heed__encoder_body(&e->model, ps, &m);
    const heed_error *why = heed_params_error(ps);
    if (rc) return heed__error(err, rc, "%s", why ? why->msg : "the model cannot be made");
    e->body.dim = e->body.state_dim = e->model.cfg.dim;
    e->body.positions = e->model.cfg.max_len;
    return 0;
}

typedef struct source {
    const heed_texts *x;
    int64_t at;
} source;

static int next_text(void *user, const char **text, size_t *size, heed_error *err) {
    source *s = user;
    (void)err;
    if (s->at == s->x->len) return 0;
    *text = s->x->text[s->at++];
    *size = strlen(*text);
    return 1;
}

/* The tokenizer that cfg names: a kind to be trained on the texts, or a file. */
static heed_tokenizer *tokenizer_of(const heed_body *b, const heed_texts *x, heed_error *err) {
    const char *name = b->cfg.tokenizer;
    static const char *const kinds[] = { "bpe", "wordpiece", "unigram" };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(kinds[i], name) != 0) continue;
        source s = { .x = x };
        const heed_text_source from = { .user = &s, .next = next_text };
        const heed_tokenizer_cfg cfg = {
            .kind = name, .vocab = b->cfg.vocab, .threads = 1, .hooks = &b->hooks
        };
        return heed_tokenizer_train(&cfg, &from, err);
    }
    return heed_tokenizer_open(name, &b->hooks, err);
}

static int learn(heed_body *b, const heed_texts *x, heed_error *err) {
    encoder *e = (encoder *)b;
    const heed_body_cfg *g = &b->cfg;
    if (g->max_len > MOST_POSITIONS)
        return heed__error(err, HEED_EINVALID,
                           "train: max_len of the recipe 'encoder' is at most %d", MOST_POSITIONS);
    if (g->no_attention)
        return heed__error(err, HEED_EUNSUPPORTED,
                           "train: the recipe 'encoder' is attention; it has no form without");
    if (g->tokenizer)
        e->tok = tokenizer_of(b, x, err);
    else
        e->vocab = heed__vocab_of(x, g->vocab, &b->hooks, err);
    if (!e->tok && !e->vocab) return err->code;
    return build(e,
                 (heed_model_cfg){ .dim = g->embed,
                                   .heads = g->heads,
                                   .layers = g->layers,
                                   .ff = g->ff,
                                   .max_len = g->max_len,
                                   .act = HEED_ACT_GELU,
                                   .attention = g->attention,
                                   .kv_heads = g->kv_heads,
                                   .share_layers = g->share_layers,
                                   .position = g->position,
                                   .pooling = g->pooling,
                                   .pre_norm = true,
                                   .dropout = g->dropout > 0 ? g->dropout : 0 },
                 err);
}

static int load(heed_body *b, const json_t *config, const char *dir, heed_error *err) {
    encoder *e = (encoder *)b;
    char path[HEED_PATH_SIZE], *text;
    heed__format(path, sizeof path, "%s/config.json", dir);
    size_t size = 0;
    heed_model_cfg m;
    const json_t *units = json_object_get(config, "units"),
                 *model = json_object_get(config, "model");
    const char *name = json_string_value(units);
    if (!name || !json_is_object(model) || json_object_size(config) != 2)
        return heed__error(err, HEED_EFORMAT, "%s: body is no object of units and model", path);
    text = heed__json_text(&b->hooks, model, false, &size, err);
    if (!text) return HEED_ENOMEM;
    const int rc = heed_model_cfg_from_json(&m, text, size, path, err);
    heed__free(&b->hooks, text);
    if (rc) return rc;
    if (m.kind != HEED_MODEL_ENCODER || m.vocab < MORE_ROWS)
        return heed__error(err, HEED_EFORMAT, "%s: body.model is none of recipe 'encoder'", path);
    if (m.layers > MOST_LAYERS || m.max_len > MOST_POSITIONS)
        return heed__error(err, HEED_EFORMAT,
                           "%s: %lld layers and %lld positions are not at most %d and %d", path,
                           (long long)m.layers, (long long)m.max_len, MOST_LAYERS, MOST_POSITIONS);
    if (b->cfg.max_len > m.max_len)
        return heed__error(err, HEED_EFORMAT, "%s: max_len is more than the model's %lld positions",
                           path, (long long)m.max_len);
    if (strcmp(name, "words") == 0) {
        e->vocab = heed__vocab_open(dir, m.vocab - MORE_ROWS, &b->hooks, err);
    } else if (strcmp(name, "tokens") == 0) {
        heed__format(path, sizeof path, "%s/tokenizer.json", dir);
        if (heed__file_regular(path, err)) return HEED_EIO;
        e->tok = heed_tokenizer_open(path, &b->hooks, err);
    } else {
        return heed__error(err, HEED_EFORMAT, "%s: body.units '%.40s' is none that there is", path,
                           name);
    }
    if (!e->vocab && !e->tok) return err->code;
    if (e->tok && heed_tokenizer_len(e->tok) != m.vocab - MORE_ROWS)
        return heed__error(err, HEED_EFORMAT, "%s: %lld tokens, where config.json says %lld", path,
                           (long long)heed_tokenizer_len(e->tok), (long long)m.vocab - MORE_ROWS);
    b->cfg.embed = m.dim;
    b->cfg.heads = m.heads;
    b->cfg.dropout = m.dropout;
    b->cfg.max_len = m.max_len;
    heed__body_narrow(b, &m.attention);
    return build(e, m, err);
}

static json_t *config(const heed_body *b) {
    const encoder *e = (const encoder *)b;
    char *text = heed_model_cfg_to_json(&e->model.cfg, NULL);
    json_t *model = text ? json_loads(text, 0, NULL) : NULL;
    heed_text_free(text);
    return model ? json_pack("{s:s, s:o}", "units", e->tok ? "tokens" : "words", "model", model)
                 : NULL;
}

static int save(const heed_body *b, const char *dir, heed_error *err) {
    const encoder *e = (const encoder *)b;
    char path[HEED_PATH_SIZE];
    if (e->vocab) return heed__vocab_save(e->vocab, dir, &b->hooks, err);
    heed__format(path, sizeof path, "%s/tokenizer.json", dir);
    return heed_tokenizer_save(e->tok, path, err);
}

/* -- rows of tokens --------------------------------------------------------------------------- */

static int append(const encoder *e, const heed_encoding *t, size_t shift, const heed_rows_cfg *cfg,
                  heed_rows *r, int64_t *at) {
    const int32_t unknown = 0;
    for (int64_t i = 0; i < t->len; i++, ++*at) {
        if (heed__grow(&r->hooks, &r->id, &r->id_cap, *at + 1, sizeof *r->id)) return HEED_ENOMEM;
        r->id[*at] = t->id[i] >= 0 && t->id[i] < e->units ? t->id[i] : unknown;
        if (!cfg->places) continue;
        if (heed__grow(&r->hooks, &r->place, &r->place_cap, *at + 1, sizeof *r->place) ||
            heed__grow(&r->hooks, &r->known, &r->known_cap, *at + 1, sizeof *r->known))
            return HEED_ENOMEM;
        r->place[*at] = (heed_piece){ shift + t->begin[i], shift + t->end[i] };
        r->known[*at] = true;
    }
    return 0;
}

/* Units of text i, at the end of r; given words one by one. 0 or a status. */
static int tokens_of(const encoder *e, const heed_texts *x, const heed_rows_cfg *cfg, heed_rows *r,
                     heed_encoding *t, heed_error *err) {
    const heed_encode_cfg plain = { .no_special = true, .no_truncation = true, .no_padding = true };
    const int64_t i = r->len, begin = r->start[i];
    const int64_t words = x->word ? x->word_start[i + 1] - x->word_start[i] : 1;
    const heed_piece whole = { 0, strlen(x->text[i]) };
    int64_t at = begin;
    for (int64_t w = 0; w < words; w++) {
        const heed_piece p = x->word ? x->word[x->word_start[i] + w] : whole;
        const int rc = heed_tokenizer_encode(e->tok, x->text[i] + p.begin, p.end - p.begin, &plain,
                                             t, err);
        if (rc) return rc;
        if (r->first) r->first[x->word_start[i] + w] = at;
        if (append(e, t, p.begin, cfg, r, &at))
            return heed__error(err, HEED_ENOMEM, "texts: out of memory");
        const bool empty = (x->word && t->len == 0) || (!x->word && at == begin);
        if (!empty) continue;
        int32_t id = 0; /* what has no token is one unit all the same */
        size_t place[2] = { 0, p.end - p.begin };
        const heed_encoding one = { .len = 1, .id = &id, .begin = &place[0], .end = &place[1] };
        if (append(e, &one, p.begin, cfg, r, &at))
            return heed__error(err, HEED_ENOMEM, "texts: out of memory");
    }
    r->total[i] = at - begin;
    return 0;
}

static int token_rows(const encoder *e, const heed_texts *x, const heed_rows_cfg *cfg, heed_rows *r,
                      heed_error *err) {
    heed_encoding t = { .len = 0 };
    int rc = heed__rows_begin(r, x, err);
    for (int64_t i = 0; i < x->len && rc == 0; i++) {
        rc = tokens_of(e, x, cfg, r, &t, err);
        if (rc == 0) heed__rows_end_row(r, x, cfg);
    }
    heed_encoding_free(&t);
    return rc;
}

static int encode(const heed_body *b, const heed_texts *x, const heed_rows_cfg *cfg,
                  heed_rows *rows, heed_error *err) {
    const encoder *e = (const encoder *)b;
    return e->tok ? token_rows(e, x, cfg, rows, err) : heed__word_rows(e->vocab, x, cfg, rows, err);
}

/* -- computing -------------------------------------------------------------------------------- */

/* What the last layer's attention fell on is what is told. */
static heed_tensor *states_of(heed_ctx *cx, const heed_body *b, const heed_rows *rows,
                              const heed_span *span, int64_t n, heed_body_call *call) {
    const encoder *e = (const encoder *)b;
    const int64_t layers = e->model.cfg.layers;
    heed_attention_tap taps[MOST_LAYERS] = { { .column_mass = false } };
    heed_attention_more more[MOST_LAYERS] = { { .penalty = NULL } };
    if (layers <= MOST_LAYERS) taps[layers - 1].column_mass = call->want_weights;
    heed_tensor *in[2];
    heed__rows_batch(cx, rows, span, n, (int32_t)e->units + 1, in);
    call->lengths = in[1];
    const heed_block_call what = { .lengths = in[1],
                                   .tap = call->want_weights ? taps : NULL,
                                   .more = heed_ctx_train(cx) ? more : NULL };
    heed_tensor *h = heed__encoder_states(cx, &e->model, in[0], &what);
    call->penalty = heed__body_penalty(cx, &e->model.cfg.attention, more, layers);
    if (call->want_weights)
        call->weights = h ? heed__column_weights(cx, taps[layers - 1].column, span, n) : NULL;
    return h;
}

static heed_tensor *states(heed_ctx *cx, const heed_body *b, const heed_rows *rows,
                           const heed_span *span, int64_t n, heed_tensor **lengths) {
    heed_body_call call = { .want_weights = false };
    heed_tensor *h = states_of(cx, b, rows, span, n, &call);
    *lengths = call.lengths;
    return h;
}

static heed_tensor *apply(heed_ctx *cx, const heed_body *b, const heed_rows *rows,
                          const heed_span *span, int64_t n, heed_body_call *call) {
    heed_body_call own = { .want_weights = false };
    if (!call) call = &own;
    heed_tensor *h = states_of(cx, b, rows, span, n, call);
    return heed_pooling_apply(cx, &((const encoder *)b)->model.pooling, h, call->lengths, NULL);
}

static int64_t hidden_unit(const heed_body *b) {
    return ((const encoder *)b)->units;
}

static heed_tensor *words(const heed_body *b, int64_t *len) {
    const encoder *e = (const encoder *)b;
    if (!e->vocab) return NULL;
    *len = heed__vocab_len(e->vocab) - HEED_VOCAB_SPECIAL;
    return e->model.embed.w;
}

static int64_t word_row(const heed_body *b, const char *word, size_t size) {
    const int32_t id = heed__vocab_find(((const encoder *)b)->vocab, word, size);
    return id < HEED_VOCAB_SPECIAL ? -1 : id;
}

static int64_t spell(const heed_body *b, const char *word, size_t size, heed_tensor **table,
                     int32_t *id, int64_t most) {
    const encoder *e = (const encoder *)b;
    const heed_encode_cfg plain = { .no_special = true, .no_truncation = true, .no_padding = true };
    heed_encoding t = { .len = 0 };
    int64_t n = 0;
    *table = e->model.embed.w;
    if (e->vocab) {
        const int64_t row = word_row(b, word, size);
        if (row >= 0 && most > 0) id[n++] = (int32_t)row;
        return n;
    }
    heed_error why;
    const int rc = heed_tokenizer_encode(e->tok, word, size, &plain, &t, &why);
    if (rc == HEED_ENOMEM) n = rc;
    for (int64_t i = 0; rc == 0 && i < t.len && n < most; i++)
        if (t.id[i] >= 0 && t.id[i] < e->units) id[n++] = t.id[i];
    heed_encoding_free(&t);
    return n;
}

static void end(heed_body *b) {
    heed__vocab_free(((encoder *)b)->vocab);
    heed_tokenizer_close(((encoder *)b)->tok);
}

static const char *const files[] = { "vocab.txt", "tokenizer.json", NULL };

const heed_body_kind heed__body_encoder = { .name = "encoder",
                                            .files = files,
                                            .size = sizeof(encoder),
                                            .units = 2048,
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
                                            .hidden_unit = hidden_unit,
                                            .free = end };
