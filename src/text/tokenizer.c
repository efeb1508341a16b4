/* tokenizer.c: the whole way from text to ids and back.
 *
 * What a text needs on its way lies in a desk: buffers, an arena, the model's cache. A tokenizer
 * keeps a few of them for whoever comes; a thread takes one and puts it back, without locks.
 */
#include "text/tokenizer.h"

#include <limits.h>
#include <stdatomic.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "text/tok_added.h"
#include "text/tok_decode.h"
#include "text/tok_json.h"
#include "text/tok_post.h"
#include "text/tok_pre.h"

enum { DESKS = 16 };

typedef struct desk {
    heed__tok_work w;
    heed__tok_scratch *scratch; /* NULL: no model */
    heed__tok_pieces pieces;
    const heed__tok_model *model;
} desk;

struct heed_tokenizer {
    heed_hooks hooks;
    json_t *tree; /* without model and added tokens */
    heed__tok_model *model;
    heed__norm *norm;
    heed__pre *pre;
    heed__post *post;
    heed__tok_decoder *decoder;
    heed__added *added;
    heed__truncation truncation;
    heed__padding padding;
    bool raw;        /* the model takes bytes where GPT-2's alphabet would come */
    int32_t spelled; /* the token that is spelled as the text is (heed__tok_spelled), or -1 */
    int64_t len;
    _Atomic(desk *) idle[DESKS];
};

static int no_memory(heed_error *err) {
    return heed__error(err, HEED_ENOMEM, "tokenizer: out of memory");
}

/* -- desks ------------------------------------------------------------------------------------ */

static void desk_free(desk *d) {
    if (!d) return;
    const heed_hooks hooks = d->w.hooks;
    if (d->model) heed__tok_pieces_free(d->model, &d->pieces);
    heed__tok_scratch_free(d->scratch);
    heed__tok_work_free(&d->w);
    heed__free(&hooks, d);
}

static desk *desk_take(const heed_tokenizer *tok, heed_error *err) {
    heed_tokenizer *t = (heed_tokenizer *)(uintptr_t)tok;
    for (int i = 0; i < DESKS; i++) {
        desk *d = atomic_exchange(&t->idle[i], NULL);
        if (d) return d;
    }
    desk *d = heed__calloc(&tok->hooks, 1, sizeof *d);
    if (!d) {
        no_memory(err);
        return NULL;
    }
    heed__tok_work_init(&d->w, &tok->hooks);
    d->model = tok->model;
    if (!tok->model || (d->scratch = heed__tok_scratch_new(tok->model, err))) return d;
    desk_free(d);
    return NULL;
}

static void desk_give(const heed_tokenizer *tok, desk *d) {
    heed_tokenizer *t = (heed_tokenizer *)(uintptr_t)tok;
    heed__tok_work_reset(&d->w);
    for (int i = 0; i < DESKS; i++) {
        desk *none = NULL;
        if (atomic_compare_exchange_strong(&t->idle[i], &none, d)) return;
    }
    desk_free(d);
}

/* -- making ----------------------------------------------------------------------------------- */

void heed_tokenizer_close(heed_tokenizer *tok) {
    if (!tok) return;
    const heed_hooks hooks = tok->hooks;
    for (int i = 0; i < DESKS; i++) desk_free(atomic_load(&tok->idle[i]));
    heed__added_free(tok->added);
    heed__norm_free(tok->norm);
    heed__pre_free(tok->pre);
    heed__post_free(tok->post);
    heed__tok_decoder_free(tok->decoder);
    heed__tok_model_free(tok->model);
    json_decref(tok->tree);
    heed__free(&hooks, tok);
}

/* The fields of a tokenizer.json in the order of the reference; model and added tokens come from
 * elsewhere. */
static const char *const kept[] = { "truncation",    "padding",        "normalizer",
                                    "pre_tokenizer", "post_processor", "decoder" };

static json_t *keep(const json_t *tree) {
    json_t *copy = json_object();
    for (size_t i = 0; copy && i < sizeof kept / sizeof *kept; i++) {
        json_t *part = json_object_get(tree, kept[i]);
        part = part ? json_deep_copy(part) : json_null();
        if (part && json_object_set_new(copy, kept[i], part) == 0) continue;
        json_decref(copy);
        return NULL;
    }
    return copy;
}

/* The part of that name, NULL where it is absent or null. */
static const json_t *part_of(const heed_tokenizer *tok, const char *key, char *place, size_t size,
                             const char *name) {
    const json_t *part = json_object_get(tok->tree, key);
    heed__format(place, size, "%.300s: %s", name, key);
    return json_is_null(part) ? NULL : part;
}

static int make_parts(heed_tokenizer *tok, const char *name, heed_error *err) {
    char at[400];
    const heed_hooks *hooks = &tok->hooks;
    const json_t *part = part_of(tok, "normalizer", at, sizeof at, name);
    if (part && !(tok->norm = heed__norm_new(part, at, hooks, err))) return err->code;
    part = part_of(tok, "pre_tokenizer", at, sizeof at, name);
    if (part && !(tok->pre = heed__pre_new(part, at, hooks, err))) return err->code;
    part = part_of(tok, "post_processor", at, sizeof at, name);
    if (part && !(tok->post = heed__post_new(part, at, hooks, err))) return err->code;
    part = part_of(tok, "decoder", at, sizeof at, name);
    if (part && !(tok->decoder = heed__tok_decoder_new(part, at, hooks, err))) return err->code;
    part = part_of(tok, "truncation", at, sizeof at, name);
    if (heed__truncation_read(part, at, &tok->truncation, err)) return err->code;
    part = part_of(tok, "padding", at, sizeof at, name);
    return heed__padding_read(part, at, &tok->padding, err);
}

static int make_model(heed_tokenizer *tok, const json_t *tree, const char *name, heed_error *err) {
    char at[400];
    const json_t *object = json_object_get(tree, "model");
    heed__format(at, sizeof at, "%.300s: model", name);
    if (!tok->model && object) {
        tok->model = heed__tok_model_load(object, at, &tok->hooks, err);
        if (!tok->model) return err->code;
    }
    if (!tok->model) return 0;
    tok->raw = heed__pre_ends_in_bytes(tok->pre) && heed__tok_model_raw(tok->model);
    tok->spelled = heed__tok_spelled(tok->model);
    tok->len = heed__tok_len(tok->model);
    return 0;
}

static int make_all(heed_tokenizer *tok, const json_t *tree, const char *name, heed_error *err) {
    const json_t *version = json_object_get(tree, "version");
    if (!json_is_object(tree)) return heed__error(err, HEED_EFORMAT, "%s: is no object", name);
    if (version && (!json_is_string(version) || strcmp(json_string_value(version), "1.0") != 0))
        return heed__error(err, HEED_EUNSUPPORTED, "%s: version is not 1.0", name);
    tok->tree = keep(tree);
    if (!tok->tree) return no_memory(err);
    int rc = make_parts(tok, name, err);
    if (rc == 0) rc = make_model(tok, tree, name, err);
    if (rc) return rc;
    tok->added = heed__added_new(json_object_get(tree, "added_tokens"), tok->model, tok->norm, name,
                                 &tok->hooks, err);
    if (!tok->added) return err->code;
    if (heed__added_len(tok->added) > tok->len) tok->len = heed__added_len(tok->added);
    return 0;
}

heed_tokenizer *heed__tokenizer_make(const json_t *tree, heed__tok_model *model, const char *name,
                                     const heed_hooks *hooks, heed_error *err) {
    heed_error unseen;
    heed_tokenizer *tok = heed__calloc(hooks, 1, sizeof *tok);
    if (!err) err = &unseen;
    if (!tok) {
        heed__tok_model_free(model);
        no_memory(err);
        return NULL;
    }
    if (hooks) tok->hooks = *hooks;
    tok->model = model;
    if (make_all(tok, tree, name, err) == 0) return tok;
    heed_tokenizer_close(tok);
    return NULL;
}

heed_tokenizer *heed_tokenizer_from(const char *json, size_t size, const char *name,
                                    const heed_hooks *hooks, heed_error *err) {
    if (heed__lacks(json, "tokenizer", "JSON text", err) ||
        heed__lacks(name, "tokenizer", "name", err))
        return NULL;
    if (err) *err = (heed_error){ 0 };
    json_t *tree = heed__tok_json_parse(json, size, name, hooks, err);
    if (!tree) return NULL;
    heed_tokenizer *tok = NULL;
    if (json_is_object(json_object_get(tree, "model")))
        tok = heed__tokenizer_make(tree, NULL, name, hooks, err);
    else
        heed__error(err, HEED_EFORMAT, "%s: model is missing", name);
    json_decref(tree);
    return tok;
}

/* -- saving ----------------------------------------------------------------------------------- */

json_t *heed__tokenizer_tree(const heed_tokenizer *tok) {
    json_t *tree = json_pack("{s:s}", "version", "1.0");
    if (!tree) return NULL;
    int failed = 0;
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        if (i == 2)
            failed |= json_object_set_new(tree, "added_tokens", heed__added_save(tok->added));
        json_t *part = json_deep_copy(json_object_get(tok->tree, kept[i]));
        failed |= json_object_set_new(tree, kept[i], part);
    }
    if (!failed) return tree;
    json_decref(tree);
    return NULL;
}

int heed_tokenizer_save(const heed_tokenizer *tok, const char *path, heed_error *err) {
    if (heed__lacks(tok, "tokenizer", "tokenizer", err) ||
        heed__lacks(path, "tokenizer", "path", err))
        return HEED_EINVALID;
    json_t *tree = heed__tokenizer_tree(tok);
    json_t *model = tree && tok->model ? heed__tok_model_save(tok->model) : NULL;
    if (!tree || (tok->model && json_object_set_new(tree, "model", model))) {
        json_decref(tree);
        return no_memory(err);
    }
    size_t size = 0;
    char *text = heed__tok_json_text(&tok->hooks, tree, true, &size, err);
    json_decref(tree);
    if (!text) return HEED_ENOMEM;
    const int rc = heed__file_write(&tok->hooks, path, text, size, err);
    heed__free(&tok->hooks, text);
    return rc;
}

/* -- asking ----------------------------------------------------------------------------------- */

int64_t heed_tokenizer_len(const heed_tokenizer *tok) {
    return tok ? tok->len : 0;
}

const char *heed_tokenizer_token(const heed_tokenizer *tok, int32_t id, size_t *size) {
    size_t unseen;
    if (!tok) return NULL;
    const char *text = id < 0 ? NULL : heed__added_token(tok->added, id, size ? size : &unseen);
    if (text || id < 0 || !tok->model) return text;
    return heed__tok_token(tok->model, id, size ? size : &unseen);
}

int32_t heed_tokenizer_id(const heed_tokenizer *tok, const char *token, size_t size) {
    if (!tok || !token) return -1;
    const int32_t id = heed__added_find(tok->added, token, size);
    return id >= 0 || !tok->model ? id : heed__tok_find(tok->model, token, size);
}

bool heed_tokenizer_is_special(const heed_tokenizer *tok, int32_t id) {
    size_t size = 0;
    const char *text = heed_tokenizer_token(tok, id, &size);
    return text && heed__added_is_special(tok->added, text, size);
}

/* -- text to tokens --------------------------------------------------------------------------- */

/* Leaves the pieces of the text in d->w.split. */
static int cut(const heed_tokenizer *tok, desk *d, const char *text, size_t size, bool raw,
               heed_error *err) {
    heed__tok_work *w = &d->w;
    if (size > INT32_MAX)
        return heed__error(err, HEED_EUNSUPPORTED, "a text of %zu bytes is longer than 2147483647",
                           size);
    const size_t good = heed__utf8_check(text, size);
    if (good < size) return heed__error(err, HEED_EFORMAT, "not UTF-8 at byte %zu", good);
    const heed__span all = { .text = text, .size = (uint32_t)size };
    heed__tok_work_begin(w, size);
    w->next.len = 0;
    int rc = heed__split_add(w, &all, -1, err);
    const heed__splits now = w->split;
    w->split = w->next;
    w->next = now;
    if (rc == 0) rc = heed__added_cut(tok->added, w, false, err);
    for (int64_t i = 0; rc == 0 && tok->norm && i < w->split.len; i++)
        if (w->split.item[i].token < 0)
            rc = heed__norm_apply(tok->norm, w, &w->split.item[i].a, err);
    if (rc == 0) rc = heed__added_cut(tok->added, w, true, err);
    return rc ? rc : heed__pre_apply(tok->pre, w, raw, err);
}

static void put_token(const heed_tokenizer *tok, const heed__split *s, int64_t word,
                      const heed__tok_piece *p, heed__token *to) {
    /* a suffix that the model puts at a word's end may count beyond the piece */
    const uint32_t begin = p->begin < s->a.size ? p->begin : s->a.size;
    const uint32_t end = p->end < s->a.size ? p->end : s->a.size;
    const heed__place at = heed__span_place(&s->a, begin, end);
    size_t size = end - begin;
    *to = (heed__token){ .id = p->id,
                         .word = (int32_t)word,
                         .begin = at.begin,
                         .end = at.end,
                         .text = s->a.text + begin,
                         .mask = true,
                         .local = s->token >= 0 || p->id == tok->spelled };
    if (!to->local) {
        const char *text = heed__tok_token(tok->model, p->id, &size);
        if (text) to->text = text;
    }
    to->size = (uint32_t)size;
}

/* The last border of characters at or before a byte. What stands for nothing is placed where it
 * would stand if nothing had been changed, which may be anywhere. */
static uint32_t border(heed_bytes text, uint32_t at) {
    if (at >= text.size) return (uint32_t)text.size;
    while (at > 0 && ((unsigned char)text.data[at] & 0xC0u) == 0x80u) at--;
    return at;
}

static int encode_one(const heed_tokenizer *tok, desk *d, heed_bytes text, int sequence,
                      heed__tokens *out, heed_error *err) {
    heed__tok_work *w = &d->w;
    int rc = cut(tok, d, text.data, text.size, tok->raw, err);
    if (rc) return rc;
    d->pieces.len = 0;
    int64_t *end = heed__tok_work_alloc(w, (size_t)(w->split.len + 1) * sizeof *end, err);
    if (!end) return HEED_ENOMEM;
    int64_t total = 0;
    for (int64_t i = 0; i < w->split.len; i++) {
        const heed__split *s = &w->split.item[i];
        if (s->token < 0) {
            rc = heed__tok_encode(tok->model, d->scratch, s->a.text, s->a.size, &d->pieces, err);
            if (rc) return rc;
        }
        end[i] = d->pieces.len;
        total += s->token >= 0;
    }
    total += d->pieces.len;
    out->item = heed__tok_work_alloc(w, (size_t)total * sizeof *out->item, err);
    if (!out->item) return HEED_ENOMEM;
    out->len = 0;
    for (int64_t i = 0, at = 0; i < w->split.len; i++) {
        const heed__split *s = &w->split.item[i];
        const heed__tok_piece whole = { s->token, 0, s->a.size };
        if (s->token >= 0) put_token(tok, s, i, &whole, &out->item[out->len++]);
        for (; at < end[i]; at++) put_token(tok, s, i, &d->pieces.item[at], &out->item[out->len++]);
    }
    for (int64_t i = 0; i < out->len; i++) {
        heed__token *t = &out->item[i];
        t->sequence = t->type = sequence;
        if (t->begin == t->end) t->begin = t->end = border(text, t->begin);
    }
    return 0;
}

/* -- tokens to arrays ------------------------------------------------------------------------- */

typedef struct block {
    heed_hooks hooks;
    size_t cap;
    void *memory;
} block;

void heed_encoding_free(heed_encoding *e) {
    if (!e) return;
    block *b = e->own;
    if (b) {
        const heed_hooks hooks = b->hooks;
        heed__free(&hooks, b->memory);
        heed__free(&hooks, b);
    }
    memset(e, 0, sizeof *e);
}

enum { PER_TOKEN = 2 * sizeof(size_t) + sizeof(heed_bytes) + 4 * sizeof(int32_t) + 2 };

static int64_t count(const heed__tokens *t, size_t *chars) {
    int64_t n = t->len;
    for (int64_t i = 0; i < t->len; i++)
        if (t->item[i].local) *chars += t->item[i].size;
    for (int64_t i = 0; i < t->overs; i++) n += count(&t->over[i], chars);
    return n;
}

/* Where the next arrays and characters go. */
typedef struct place {
    char *next8, *next4, *next1, *chars;
} place;

static void publish(const heed__tokens *t, place *p, heed_encoding *e) {
    const size_t n = (size_t)t->len;
    e->len = t->len;
    e->begin = (size_t *)(void *)p->next8;
    e->end = e->begin + n;
    e->token = (heed_bytes *)(void *)(e->end + n);
    p->next8 = (char *)(e->token + n);
    e->id = (int32_t *)(void *)p->next4;
    e->type = e->id + n;
    e->word = e->type + n;
    e->sequence = e->word + n;
    p->next4 = (char *)(e->sequence + n);
    e->special = (uint8_t *)p->next1;
    e->mask = e->special + n;
    p->next1 += 2 * n;
    for (size_t i = 0; i < n; i++) {
        const heed__token *x = &t->item[i];
        e->begin[i] = x->begin;
        e->end[i] = x->end;
        e->id[i] = x->id;
        e->type[i] = x->type;
        e->word[i] = x->word;
        e->sequence[i] = x->sequence;
        e->special[i] = x->special;
        e->mask[i] = x->mask;
        e->token[i] = (heed_bytes){ x->text, x->size };
        if (!x->local) continue;
        memcpy(p->chars, x->text, x->size);
        e->token[i].data = p->chars;
        p->chars += x->size;
    }
}

static int publish_all(const heed_tokenizer *tok, const heed__tokens *t, heed_encoding *e,
                       heed_error *err) {
    size_t chars = 0;
    const int64_t n = count(t, &chars);
    const size_t size = (size_t)n * PER_TOKEN + (size_t)t->overs * sizeof *e + chars + 64;
    block *b = e->own;
    if (!b) {
        b = heed__calloc(&tok->hooks, 1, sizeof *b);
        if (!b) return no_memory(err);
        b->hooks = tok->hooks;
        e->own = b;
    }
    if (b->cap < size) {
        heed__free(&b->hooks, b->memory);
        b->cap = 0;
        b->memory = heed__malloc(&b->hooks, size + size / 2);
        if (!b->memory) return no_memory(err);
        b->cap = size + size / 2;
    }
    place p = { .next8 = (char *)b->memory + (size_t)t->overs * sizeof *e };
    p.next4 = p.next8 + (size_t)n * (2 * sizeof(size_t) + sizeof(heed_bytes));
    p.next1 = p.next4 + (size_t)n * 4 * sizeof(int32_t);
    p.chars = p.next1 + (size_t)n * 2;
    e->overflow = t->overs ? b->memory : NULL;
    e->overflow_len = t->overs;
    publish(t, &p, e);
    for (int64_t i = 0; i < t->overs; i++) {
        memset(&e->overflow[i], 0, sizeof *e);
        publish(&t->over[i], &p, &e->overflow[i]);
    }
    return 0;
}

static int encode(const heed_tokenizer *tok, const heed_bytes text[2], int n,
                  const heed__finish *how, heed_encoding *out, heed_error *err) {
    out->len = out->overflow_len = 0;
    if (!tok->model) return heed__error(err, HEED_EINVALID, "the tokenizer has no model");
    for (int i = 0; i < n; i++)
        if (text[i].size > 0 && heed__lacks(text[i].data, "encode", "text", err))
            return HEED_EINVALID;
    desk *d = desk_take(tok, err);
    if (!d) return HEED_ENOMEM;
    heed__tokens t[2] = { { 0 }, { 0 } }, all;
    int rc = 0;
    for (int i = 0; rc == 0 && i < n; i++) rc = encode_one(tok, d, text[i], i, &t[i], err);
    if (rc == 0) rc = heed__finish_tokens(how, &d->w, t, n, &all, err);
    if (rc == 0) rc = publish_all(tok, &all, out, err);
    if (rc) out->len = out->overflow_len = 0;
    desk_give(tok, d);
    return rc;
}

static heed__finish finish_of(const heed_tokenizer *tok, const heed_encode_cfg *cfg) {
    static const heed_encode_cfg plain = { 0 };
    if (!cfg) cfg = &plain;
    heed__finish f = { .post = tok->post,
                       .no_overflow = cfg->no_overflow,
                       .special = !cfg->no_special,
                       .truncation = tok->truncation,
                       .padding = tok->padding };
    if (cfg->no_truncation) f.truncation.most = 0;
    if (cfg->no_padding) f.padding.on = false;
    if (cfg->max_len > 0)
        f.truncation = (heed__truncation){ .most = cfg->max_len < INT32_MAX ? cfg->max_len
                                                                            : INT32_MAX };
    return f;
}

static int check_len(const heed_encode_cfg *cfg, heed_error *err) {
    if (!cfg || cfg->max_len >= 0) return 0;
    return heed__error(err, HEED_EINVALID, "encode: a text cannot be cut to %lld tokens",
                       (long long)cfg->max_len);
}

int heed_tokenizer_encode(const heed_tokenizer *tok, const char *text, size_t size,
                          const heed_encode_cfg *cfg, heed_encoding *out, heed_error *err) {
    if (out) out->len = out->overflow_len = 0;
    if (heed__lacks(tok, "encode", "tokenizer", err) ||
        heed__lacks(out, "encode", "encoding", err) || check_len(cfg, err))
        return HEED_EINVALID;
    heed__finish f = finish_of(tok, cfg);
    const bool pair = cfg && cfg->pair;
    const heed_bytes both[2] = { { text, size },
                                 { pair ? cfg->pair : "", pair ? cfg->pair_size : 0 } };
    f.text[0] = text;
    f.text[1] = both[1].data;
    return encode(tok, both, 1 + pair, &f, out, err);
}

/* -- many texts ------------------------------------------------------------------------------- */

typedef struct many {
    const heed_tokenizer *tok;
    const heed_bytes *text;
    heed__finish how;
    bool short_only; /* those shorter than how.longest alone */
    heed_encoding *out;
    heed_error *err;        /* of the first text that failed */
    _Atomic int64_t failed; /* which one that is */
    atomic_flag taken;
} many;

static void encode_range(void *arg, int64_t begin, int64_t end, int worker) {
    many *m = arg;
    (void)worker;
    for (int64_t i = begin; i < end; i++) {
        heed_error err;
        heed__finish how = m->how;
        if (m->short_only && m->out[i].len >= how.longest && m->out[i].overflow_len == 0) continue;
        how.text[0] = m->text[i].data;
        const int rc = encode(m->tok, &m->text[i], 1, &how, &m->out[i], &err);
        if (rc == 0) continue;
        while (atomic_flag_test_and_set(&m->taken)) {
        }
        if (i < m->failed) {
            m->failed = i;
            m->err->code = rc;
            heed__error(m->err, rc, "text %lld: %s", (long long)i, err.msg);
        }
        atomic_flag_clear(&m->taken);
    }
}

int heed_tokenizer_encode_many(const heed_tokenizer *tok, const heed_bytes *text, int64_t n,
                               const heed_encode_cfg *cfg, heed_encoding *out, heed_error *err) {
    if (heed__lacks(tok, "encode", "tokenizer", err) ||
        heed__lacks_list(text, n, "encode", "texts", err) ||
        heed__lacks_room(out, n, "encode", "encodings", err) || check_len(cfg, err))
        return HEED_EINVALID;
    heed_error unseen;
    many m = { .tok = tok,
               .text = text,
               .how = finish_of(tok, cfg),
               .out = out,
               .err = err ? err : &unseen,
               .failed = INT64_MAX,
               .taken = ATOMIC_FLAG_INIT };
    heed_pool *pool = cfg ? cfg->pool : NULL;
    const bool together = m.how.padding.on && m.how.padding.longest;
    if (together) m.how.padding.on = false;
    heed_pool_run(pool, n, 16, encode_range, &m);
    if (m.failed == INT64_MAX && together) {
        m.how.padding.on = m.short_only = true;
        for (int64_t i = 0; i < n; i++)
            if (out[i].len > m.how.longest) m.how.longest = out[i].len;
        const int64_t multiple = m.how.padding.multiple;
        if (multiple > 0 && m.how.longest % multiple)
            m.how.longest += multiple - m.how.longest % multiple;
        heed_pool_run(pool, n, 16, encode_range, &m);
    }
    if (m.failed == INT64_MAX) return 0;
    for (int64_t i = 0; i < n; i++) out[i].len = out[i].overflow_len = 0;
    return m.err->code;
}

/* -- pieces, decoding ------------------------------------------------------------------------- */

bool heed__tokenizer_in_bytes(const heed_tokenizer *tok) {
    return heed__pre_ends_in_bytes(tok->pre);
}

int heed__tokenizer_pieces(const heed_tokenizer *tok, const char *text, size_t size,
                           heed__piece_fn each, void *user, heed_error *err) {
    desk *d = desk_take(tok, err);
    if (!d) return HEED_ENOMEM;
    int rc = cut(tok, d, text, size, heed__tokenizer_in_bytes(tok), err);
    for (int64_t i = 0; rc == 0 && i < d->w.split.len; i++) {
        const heed__split *s = &d->w.split.item[i];
        if (s->token < 0) rc = each(user, s->a.text, s->a.size);
    }
    desk_give(tok, d);
    return rc;
}

void heed_string_free(heed_string *t) {
    if (!t) return;
    const heed_hooks hooks = t->hooks;
    heed__free(&hooks, t->text);
    memset(t, 0, sizeof *t);
}

/* All texts, with `between` between them. */
static int join(const heed_tokenizer *tok, const heed__texts *t, const char *between,
                heed_string *out, heed_error *err) {
    size_t total = 1;
    for (int64_t i = 0; i < t->len; i++) total += t->item[i].size + (i > 0 ? strlen(between) : 0);
    if (!out->text) out->hooks = tok->hooks;
    if (total > INT64_MAX / 4 || heed__grow(&out->hooks, &out->text, &out->cap, (int64_t)total, 1))
        return no_memory(err);
    for (int64_t i = 0; i < t->len; i++) {
        const size_t n = i > 0 ? strlen(between) : 0;
        memcpy(out->text + out->size, between, n);
        memcpy(out->text + out->size + n, t->item[i].data, t->item[i].size);
        out->size += n + t->item[i].size;
    }
    out->text[out->size] = 0;
    return 0;
}

int heed_tokenizer_decode(const heed_tokenizer *tok, const int32_t *id, int64_t len,
                          bool skip_special, heed_string *out, heed_error *err) {
    if (heed__lacks(tok, "decode", "tokenizer", err) ||
        heed__lacks(out, "decode", "room for the text", err) ||
        heed__lacks_list(id, len, "decode", "ids", err))
        return HEED_EINVALID;
    out->size = 0;
    desk *d = desk_take(tok, err);
    if (!d) return HEED_ENOMEM;
    heed__texts t = { .item = heed__tok_work_alloc(&d->w, (size_t)len * sizeof *t.item, err) };
    int rc = t.item ? 0 : HEED_ENOMEM;
    for (int64_t i = 0; rc == 0 && i < len; i++) {
        size_t size = 0;
        const char *text = heed_tokenizer_token(tok, id[i], &size);
        if (!text || (skip_special && heed__added_is_special(tok->added, text, size))) continue;
        t.item[t.len++] = (heed_bytes){ text, size };
    }
    if (rc == 0 && tok->decoder) rc = heed__tok_decoder_run(tok->decoder, &d->w, &t, err);
    if (rc == 0) rc = join(tok, &t, tok->decoder ? "" : " ", out, err);
    desk_give(tok, d);
    return rc;
}
