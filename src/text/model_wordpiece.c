/* model_wordpiece.c: WordPiece (Schuster and Nakajima 2012, as BERT uses it): from the left, always
 * the longest token; tokens inside a word bear a prefix ("##"). A word that cannot be covered, or
 * is too long, is one unknown token. Two tries hold the tokens that may begin a word and those
 * inside. */
#include <string.h>

#include "base/alloc.h"
#include "text/tok_models.h"
#include "text/tok_trie.h"

typedef struct wordpiece {
    heed__tok_words words;
    heed__tok_trie start, inside; /* keys of the second without the prefix */
    heed__tok_text unk, prefix;
    int32_t unk_id; /* -1: not in the vocabulary */
    int64_t max_chars;
} wordpiece;

static void wordpiece_free(heed__tok_model *m) {
    wordpiece *w = (wordpiece *)m;
    const heed_hooks hooks = m->hooks;
    heed__tok_vocab_free(&w->words.vocab);
    heed__trie_free(&w->start);
    heed__trie_free(&w->inside);
    heed__free(&hooks, w->unk.text);
    heed__free(&hooks, w->prefix.text);
    heed__free(&hooks, w);
}

static int64_t count_chars(const char *text, size_t size) {
    int64_t n = 0;
    for (size_t i = 0; i < size; i++) n += ((unsigned char)text[i] & 0xc0) != 0x80;
    return n;
}

static int one_unknown(const wordpiece *w, size_t size, heed__tok_pieces *out, heed_error *err) {
    if (w->unk_id < 0)
        return heed__error(err, HEED_EINVALID,
                           "WordPiece: a word is not covered and the unknown token '%.80s' is not "
                           "in the vocabulary",
                           w->unk.text);
    if (heed__tok_room(&w->words.head, out, 1, err)) return HEED_ENOMEM;
    out->item[out->len++] = (heed__tok_piece){ w->unk_id, 0, (uint32_t)size };
    return 0;
}

static int wordpiece_encode(const heed__tok_model *m, heed__tok_scratch *s, const char *piece,
                            size_t size, heed__tok_pieces *out, heed_error *err) {
    const wordpiece *w = (const wordpiece *)m;
    (void)s;
    if (size > (uint64_t)w->max_chars && count_chars(piece, size) > w->max_chars)
        return one_unknown(w, size, out, err);
    const int64_t before = out->len;
    const heed__tok_trie *t = &w->start;
    for (size_t at = 0; at < size; t = &w->inside) {
        int32_t node = 0, id = -1;
        size_t end = at;
        for (size_t i = at; i < size; i++) {
            node = heed__trie_step(t, node, (unsigned char)piece[i]);
            if (node < 0) break;
            if (t->units[node].value < 0) continue;
            id = t->units[node].value;
            end = i + 1;
        }
        if (id < 0) {
            out->len = before;
            return one_unknown(w, size, out, err);
        }
        if (heed__tok_room(m, out, 1, err)) return HEED_ENOMEM;
        out->item[out->len++] = (heed__tok_piece){ id, (uint32_t)at, (uint32_t)end };
        at = end;
    }
    return 0;
}

static json_t *wordpiece_save(const heed__tok_model *m) {
    const wordpiece *w = (const wordpiece *)m;
    return json_pack("{s:s, s:o, s:o, s:I, s:o}", "type", "WordPiece", "unk_token",
                     heed__tok_text_json(&w->unk), "continuing_subword_prefix",
                     heed__tok_text_json(&w->prefix), "max_input_chars_per_word",
                     (json_int_t)w->max_chars, "vocab", heed__tok_vocab_save(&w->words.vocab));
}

static const heed__tok_ops ops = {
    .type = "WordPiece",
    .free = wordpiece_free,
    .scratch = heed__tok_plain_scratch,
    .scratch_free = heed__tok_plain_scratch_free,
    .encode = wordpiece_encode,
    .find = heed__tok_words_find,
    .token = heed__tok_words_token,
    .len = heed__tok_words_len,
    .save = wordpiece_save,
};

/* One trie of the tokens that begin with the first `skip` bytes of the prefix, without them. */
static int build(wordpiece *w, heed__tok_trie *t, size_t skip) {
    const heed__tok_vocab *v = &w->words.vocab;
    heed__trie_key *keys = heed__calloc(&v->hooks, (size_t)v->len + 1, sizeof *keys);
    if (!keys) return HEED_ENOMEM;
    int64_t n = 0;
    for (int32_t id = 0; id < v->ids; id++) {
        size_t size;
        const char *token = heed__tok_vocab_token(v, id, &size);
        if (!token || size <= skip || (skip && memcmp(token, w->prefix.text, skip) != 0)) continue;
        if (heed__tok_vocab_find(v, token, size) != id) continue; /* a later one took its place */
        keys[n++] = (heed__trie_key){ token + skip, (uint32_t)(size - skip), id };
    }
    t->hooks = v->hooks;
    const int rc = heed__trie_build(t, keys, n);
    heed__free(&v->hooks, keys);
    return rc;
}

static int finish(wordpiece *w, const char *name, heed_error *err) {
    if (build(w, &w->start, 0) || build(w, &w->inside, w->prefix.size))
        return heed__error(err, HEED_ENOMEM, "%s: out of memory", name);
    w->unk_id = heed__tok_vocab_find(&w->words.vocab, w->unk.text, w->unk.size);
    return 0;
}

static int read_fields(wordpiece *w, const json_t *object, const char *name, heed_error *err) {
    const heed_hooks *hooks = &w->words.head.hooks;
    int rc = heed__tok_field_text(object, "unk_token", name, hooks, &w->unk, err);
    if (!rc)
        rc = heed__tok_field_text(object, "continuing_subword_prefix", name, hooks, &w->prefix,
                                  err);
    if (rc) return rc;
    if (!w->unk.text || !w->prefix.text)
        return heed__error(err, HEED_EFORMAT, "%s: %s is missing", name,
                           w->unk.text ? "continuing_subword_prefix" : "unk_token");
    const json_t *max = json_object_get(object, "max_input_chars_per_word");
    if (!json_is_integer(max) || json_integer_value(max) < 0)
        return heed__error(err, HEED_EFORMAT,
                           "%s: max_input_chars_per_word is not a whole number from 0 on", name);
    w->max_chars = json_integer_value(max);
    return heed__tok_vocab_load(&w->words.vocab, json_object_get(object, "vocab"), name, err);
}

static wordpiece *wordpiece_new(const heed_hooks *hooks, const char *name, heed_error *err) {
    wordpiece *w = heed__calloc(hooks, 1, sizeof *w);
    if (!w) {
        heed__error(err, HEED_ENOMEM, "%s: out of memory", name);
        return NULL;
    }
    w->words.head.ops = &ops;
    if (hooks) w->words.head.hooks = *hooks;
    w->words.vocab.hooks = w->start.hooks = w->inside.hooks = w->words.head.hooks;
    return w;
}

heed__tok_model *heed__tok_load_wordpiece(const json_t *object, const char *name,
                                          const heed_hooks *hooks, heed_error *err) {
    wordpiece *w = wordpiece_new(hooks, name, err);
    if (!w) return NULL;
    if (!read_fields(w, object, name, err) && !finish(w, name, err)) return &w->words.head;
    wordpiece_free(&w->words.head);
    return NULL;
}

/* One line, one token, its id the number of the line; spaces at its ends are no part of it, as the
 * reference reads it. Of equal tokens the last gives the id. */
static int read_lines(wordpiece *w, const char *text, size_t size, const char *name,
                      heed_error *err) {
    int64_t line = 0;
    for (size_t at = 0; at < size; line++) {
        const char *nl = memchr(text + at, '\n', size - at);
        const size_t len = nl ? (size_t)(nl - text) - at : size - at;
        const char *token = text + at;
        size_t end = len;
        while (end && strchr(" \t\r\n\v\f", token[end - 1]) && token[end - 1]) end--;
        const int rc = heed__tok_vocab_add(&w->words.vocab, token, end, line);
        if (rc == HEED_ENOMEM) return heed__error(err, rc, "%s: out of memory", name);
        if (rc)
            return heed__error(err, rc, "%s:%lld: more than %d tokens", name, (long long)(line + 1),
                               HEED_TOK_MAX_ID + 1);
        at += len + 1;
    }
    if (line == 0) return heed__error(err, HEED_EFORMAT, "%s: no token", name);
    return 0;
}

static int copy(const char *text, const heed_hooks *hooks, heed__tok_text *to) {
    *to = (heed__tok_text){ heed__strdup(hooks, text), strlen(text) };
    return to->text ? 0 : HEED_ENOMEM;
}

heed__tok_model *heed__tok_model_vocab_txt(const char *text, size_t size, const char *name,
                                           const heed_hooks *hooks, heed_error *err) {
    wordpiece *w = wordpiece_new(hooks, name, err);
    if (!w) return NULL;
    w->max_chars = 100;
    int rc = copy("[UNK]", hooks, &w->unk) || copy("##", hooks, &w->prefix) ? HEED_ENOMEM : 0;
    if (rc) heed__error(err, rc, "%s: out of memory", name);
    if (!rc) rc = read_lines(w, text, size, name, err);
    if (!rc && !finish(w, name, err)) return &w->words.head;
    wordpiece_free(&w->words.head);
    return NULL;
}
