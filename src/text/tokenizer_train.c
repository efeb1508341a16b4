/* tokenizer_train.c: tokenizers made from text. A tokenizer without a model cuts the texts, its
 * pieces are counted, a model is learnt from the counts, and both become one. Three recipes say
 * what stands around each kind of model, as the reference's ready-made ones do. */
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/text.h"
#include "text/tok_vocab.h"
#include "text/tokenizer.h"
#include "text/train_model.h"
#include "text/train_progress.h"

enum { MOST_SPECIAL = 4096 };

typedef struct recipe {
    const char *kind;
    const char *special[8];   /* NULL ends them */
    const char *unk;          /* must be among the special tokens; NULL: there is none */
    const char *parts;        /* of a tokenizer.json */
    const char *first, *last; /* put around each text where both are special tokens; NULL: none */
} recipe;

static const recipe recipes[] = {
    { "bpe",
      { "<|endoftext|>", NULL },
      NULL,
      "{\"normalizer\": null, \"pre_tokenizer\": {\"type\": \"ByteLevel\", \"add_prefix_space\": "
      "false, \"trim_offsets\": true, \"use_regex\": true}, \"decoder\": {\"type\": \"ByteLevel\", "
      "\"add_prefix_space\": true, \"trim_offsets\": true, \"use_regex\": true}}",
      NULL,
      NULL },
    { "wordpiece",
      { "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", NULL },
      "[UNK]",
      "{\"normalizer\": {\"type\": \"BertNormalizer\", \"clean_text\": true, "
      "\"handle_chinese_chars\": true, \"strip_accents\": null, \"lowercase\": true}, "
      "\"pre_tokenizer\": {\"type\": \"BertPreTokenizer\"}, \"decoder\": {\"type\": \"WordPiece\", "
      "\"prefix\": \"##\", \"cleanup\": true}}",
      "[CLS]",
      "[SEP]" },
    { "unigram",
      { "<pad>", "<unk>", "<s>", "</s>", "<mask>", NULL },
      "<unk>",
      "{\"normalizer\": {\"type\": \"Sequence\", \"normalizers\": [{\"type\": \"Nmt\"}, {\"type\": "
      "\"NFKC\"}, {\"type\": \"Replace\", \"pattern\": {\"Regex\": \" {2,}\"}, \"content\": \" "
      "\"}]}, \"pre_tokenizer\": {\"type\": \"Metaspace\", \"replacement\": \"\\u2581\", "
      "\"prepend_scheme\": \"always\", \"split\": true}, \"decoder\": {\"type\": \"Metaspace\", "
      "\"replacement\": \"\\u2581\", \"prepend_scheme\": \"always\", \"split\": true}}",
      "<s>",
      "</s>" },
};

typedef struct maker {
    const heed_tokenizer_cfg *cfg;
    const recipe *r;
    const char *const *special;
    heed_hooks hooks;
    heed__train_words words;
    heed_error *err;
} maker;

static int no_memory(const maker *m) {
    return heed__error(m->err, HEED_ENOMEM, "training a tokenizer: out of memory");
}

static int64_t special_id(const maker *m, const char *token) {
    for (int64_t i = 0; token && m->special[i]; i++)
        if (strcmp(m->special[i], token) == 0) return i;
    return -1;
}

static int check(maker *m) {
    const heed_tokenizer_cfg *c = m->cfg;
    const char *kind = c->kind ? c->kind : recipes[0].kind;
    for (size_t i = 0; i < sizeof recipes / sizeof *recipes && !m->r; i++)
        if (strcmp(recipes[i].kind, kind) == 0) m->r = &recipes[i];
    if (!m->r)
        return heed__error(m->err, HEED_EINVALID,
                           "no tokenizer of kind '%.60s'; there are: bpe, wordpiece, unigram",
                           kind);
    m->special = c->special ? c->special : m->r->special;
    int64_t n = 0;
    for (; m->special[n]; n++) {
        const size_t size = strlen(m->special[n]);
        const char *wrong = n == MOST_SPECIAL                               ? "one too many"
                            : !size || special_id(m, m->special[n]) != n    ? "empty or there twice"
                            : heed__utf8_check(m->special[n], size) != size ? "not UTF-8"
                                                                            : NULL;
        if (wrong)
            return heed__error(m->err, HEED_EINVALID,
                               "training a tokenizer: special token %lld is %s", (long long)n,
                               wrong);
    }
    if (m->r->unk && special_id(m, m->r->unk) < 0)
        return heed__error(m->err, HEED_EINVALID,
                           "training a tokenizer: the special tokens of %s must hold '%s'", kind,
                           m->r->unk);
    if (c->vocab < 0 || c->vocab > HEED_TOK_MAX_ID || c->min_count < 0 || c->alphabet < 0 ||
        c->max_piece < 0)
        return heed__error(m->err, HEED_EINVALID,
                           "training a tokenizer: a size is negative or above %d", HEED_TOK_MAX_ID);
    return 0;
}

/* -- what stands around the model ------------------------------------------------------------- */

static int set(json_t *object, const char *key, const json_t *from) {
    json_t *part = json_deep_copy(json_object_get(from, key));
    return json_object_set_new(object, key, part ? part : json_null());
}

/* The tree without model and added tokens. */
static json_t *parts_of(const maker *m) {
    json_t *tree = json_loads(m->r->parts, 0, NULL);
    if (tree && strcmp(m->r->kind, "wordpiece") == 0 && m->cfg->keep_case)
        json_object_set_new(json_object_get(tree, "normalizer"), "lowercase", json_false());
    if (!tree || !m->cfg->like) return tree;
    json_t *like = heed__tokenizer_tree(m->cfg->like);
    if (!like || set(tree, "normalizer", like) || set(tree, "pre_tokenizer", like) ||
        set(tree, "decoder", like)) {
        json_decref(tree);
        tree = NULL;
    }
    json_decref(like);
    return tree;
}

static json_t *added_tokens(const maker *m) {
    json_t *list = json_array();
    for (int64_t i = 0; list && m->special[i]; i++)
        if (json_array_append_new(list, json_pack("{s:I, s:s, s:b, s:b, s:b, s:b, s:b}", "id",
                                                  (json_int_t)i, "content", m->special[i],
                                                  "single_word", 0, "lstrip", 0, "rstrip", 0,
                                                  "normalized", 0, "special", 1))) {
            json_decref(list);
            list = NULL;
        }
    return list;
}

static json_t *template_part(const char *kind, const char *id, int type) {
    return json_pack("{s:{s:s, s:i}}", kind, "id", id, "type_id", type);
}

static json_t *template_token(const maker *m, const char *token) {
    return json_pack("{s:s, s:[I], s:[s]}", "id", token, "ids", (json_int_t)special_id(m, token),
                     "tokens", token);
}

/* FIRST text LAST, and LAST once more after the second of a pair. */
static json_t *post_processor(const maker *m) {
    const char *a = m->r->first, *b = m->r->last;
    if (special_id(m, a) < 0 || special_id(m, b) < 0) return json_null();
    return json_pack("{s:s, s:[o, o, o], s:[o, o, o, o, o], s:{s:o, s:o}}", "type",
                     "TemplateProcessing", "single", template_part("SpecialToken", a, 0),
                     template_part("Sequence", "A", 0), template_part("SpecialToken", b, 0), "pair",
                     template_part("SpecialToken", a, 0), template_part("Sequence", "A", 0),
                     template_part("SpecialToken", b, 0), template_part("Sequence", "B", 1),
                     template_part("SpecialToken", b, 1), "special_tokens", a, template_token(m, a),
                     b, template_token(m, b));
}

/* -- counting --------------------------------------------------------------------------------- */

static int count_piece(void *user, const char *piece, size_t size) {
    maker *m = user;
    return heed__train_words_add(&m->words, piece, size, 1) ? no_memory(m) : 0;
}

static int count_texts(maker *m, const heed_tokenizer *cutter, const heed_text_source *source) {
    heed__train_progress progress = { .hooks = m->cfg->hooks };
    const char *text;
    size_t size;
    int got;
    int64_t bytes = 0;
    for (int64_t n = 0; (got = source->next(source->user, &text, &size, m->err)) > 0; n++) {
        heed_error why = { 0 };
        if (!text && size)
            return heed__error(m->err, HEED_EINVALID,
                               "training a tokenizer: the source gave %zu bytes of no text", size);
        const int rc = heed__tokenizer_pieces(cutter, text, size, count_piece, m, &why);
        if (rc && why.code) heed__error(m->err, rc, "text %lld: %.440s", (long long)n, why.msg);
        if (rc) return rc;
        bytes += (int64_t)size;
        if (n % 64) continue;
        const heed_progress now = { .what = "count", .done = bytes, .unit = "bytes" };
        const int stop = heed__train_tell(&progress, &now, m->err);
        if (stop) return stop;
    }
    if (got < 0 && !m->err->code)
        heed__error(m->err, got, "training a tokenizer: the source of texts failed");
    return got;
}

/* -- the whole -------------------------------------------------------------------------------- */

static json_t *learn(maker *m, bool raw) {
    const heed_tokenizer_cfg *c = m->cfg;
    const bool wordpiece = strcmp(m->r->kind, "wordpiece") == 0;
    heed__train_cfg cfg = { .vocab = c->vocab ? c->vocab : 30000,
                            .min_count = c->min_count ? c->min_count : 2,
                            .max_piece = c->max_piece ? c->max_piece : 16,
                            .alphabet = c->alphabet || !wordpiece ? c->alphabet : 1000,
                            .prefix = wordpiece ? "##" : NULL,
                            .special = m->special,
                            .unk = m->r->unk,
                            .hooks = &m->hooks };
    if (heed__train_words_sort(&m->words)) return no_memory(m), NULL;
    if (strcmp(m->r->kind, "unigram") == 0) return heed__train_unigram(&m->words, &cfg, m->err);
    cfg.raw = raw && !wordpiece;
    return heed__train_bpe(&m->words, &cfg, wordpiece, m->err);
}

static heed_tokenizer *make(maker *m, json_t *tree, const heed_text_source *source) {
    heed_tokenizer *cutter = heed__tokenizer_make(tree, NULL, "training a tokenizer", &m->hooks,
                                                  m->err);
    if (!cutter) return NULL;
    const bool raw = heed__tokenizer_in_bytes(cutter);
    int rc = count_texts(m, cutter, source);
    heed_tokenizer_close(cutter);
    if (m->words.full)
        heed__log(
            &m->hooks, HEED_LOG_WARN,
            "training a tokenizer: more different pieces than memory is meant for; those that "
            "came late are left out");
    if (!rc && raw && strcmp(m->r->kind, "bpe") != 0)
        rc = heed__error(m->err, HEED_EUNSUPPORTED,
                         "training a tokenizer: %s does not go with a byte-level pre-tokenizer",
                         m->r->kind);
    json_t *model = rc ? NULL : learn(m, raw);
    if (!model) return NULL;
    if (json_object_set_new(tree, "model", model) ||
        json_object_set_new(tree, "added_tokens", added_tokens(m)) ||
        json_object_set_new(tree, "post_processor", post_processor(m)))
        return no_memory(m), NULL;
    return heed__tokenizer_make(tree, NULL, "the trained tokenizer", &m->hooks, m->err);
}

heed_tokenizer *heed_tokenizer_train(const heed_tokenizer_cfg *cfg, const heed_text_source *source,
                                     heed_error *err) {
    if (heed__lacks(source && source->next ? source : NULL, "train", "source of texts", err))
        return NULL;
    const heed_tokenizer_cfg plain = { 0 };
    heed_error unseen;
    if (!cfg) cfg = &plain;
    maker m = { .cfg = cfg, .err = err ? err : &unseen };
    *m.err = (heed_error){ 0 };
    if (cfg->hooks) m.hooks = *cfg->hooks;
    m.words.hooks = m.hooks;
    if (check(&m)) return NULL;
    json_t *tree = parts_of(&m);
    heed_tokenizer *tok = NULL;
    if (tree)
        tok = make(&m, tree, source);
    else
        no_memory(&m);
    json_decref(tree);
    heed__train_words_free(&m.words);
    return tok;
}
