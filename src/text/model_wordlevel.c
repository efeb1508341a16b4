/* model_wordlevel.c: WordLevel: a piece is a token or unknown.
 *
 * With "split", which is ours alone and what SentencePiece's word models are (sentencepiece.c), a
 * piece is cut before each such text into words, unknown words in a row are one token, and with
 * "byte_fallback" an unknown word is its bytes, <0x00> to <0xFF>, the last of which stands for it.
 */
#include <string.h>

#include "base/alloc.h"
#include "text/tok_models.h"

typedef struct wordlevel {
    heed__tok_words words;
    heed__tok_text unk, split;
    int32_t unk_id; /* -1: not in the vocabulary */
    bool byte_fallback;
    int32_t fallback[256]; /* -1: none */
    bool *hidden;          /* [words.vocab.ids] never found in texts; NULL: none */
} wordlevel;

static void wordlevel_free(heed__tok_model *m) {
    wordlevel *w = (wordlevel *)m;
    const heed_hooks hooks = m->hooks;
    heed__tok_vocab_free(&w->words.vocab);
    heed__free(&hooks, w->unk.text);
    heed__free(&hooks, w->split.text);
    heed__free(&hooks, w->hidden);
    heed__free(&hooks, w);
}

static int no_unknown(const wordlevel *w, heed_error *err) {
    return heed__error(err, HEED_EINVALID,
                       "WordLevel: a word is not known and the unknown token '%.80s' is not in the "
                       "vocabulary",
                       w->unk.text);
}

/* The bytes of a word that is not known; false: not all of them are there. */
static bool add_bytes(const wordlevel *w, const char *piece, size_t begin, size_t end,
                      heed__tok_pieces *out) {
    for (size_t i = begin; i < end; i++)
        if (w->fallback[(unsigned char)piece[i]] < 0) return false;
    for (size_t i = begin; i < end; i++)
        out->item[out->len++] = (heed__tok_piece){ w->fallback[(unsigned char)piece[i]],
                                                   (uint32_t)begin,
                                                   (uint32_t)(i + 1 < end ? begin : end) };
    return true;
}

static int encode_words(const wordlevel *w, const char *piece, size_t size, heed__tok_pieces *out,
                        heed_error *err) {
    bool unknown = false; /* the last word was */
    for (size_t at = 0, end; at < size; at = end) {
        const char *next = memmem(piece + at + 1, size - at - 1, w->split.text, w->split.size);
        end = next ? (size_t)(next - piece) : size;
        int32_t id = heed__tok_vocab_find(&w->words.vocab, piece + at, end - at);
        const bool known = id >= 0 && id != w->unk_id && !(w->hidden && w->hidden[id]);
        if (heed__tok_room(&w->words.head, out, (int64_t)(end - at), err)) return HEED_ENOMEM;
        if (!known && w->byte_fallback && add_bytes(w, piece, at, end, out)) {
            unknown = false;
            continue;
        }
        if (!known) id = w->unk_id;
        if (id < 0) return no_unknown(w, err);
        if (!known && unknown)
            out->item[out->len - 1].end = (uint32_t)end;
        else
            out->item[out->len++] = (heed__tok_piece){ id, (uint32_t)at, (uint32_t)end };
        unknown = !known;
    }
    return 0;
}

static int wordlevel_encode(const heed__tok_model *m, heed__tok_scratch *s, const char *piece,
                            size_t size, heed__tok_pieces *out, heed_error *err) {
    const wordlevel *w = (const wordlevel *)m;
    (void)s;
    if (w->split.size) return encode_words(w, piece, size, out, err);
    int32_t id = heed__tok_vocab_find(&w->words.vocab, piece, size);
    if (id < 0) id = w->unk_id;
    if (id < 0) return no_unknown(w, err);
    if (heed__tok_room(m, out, 1, err)) return HEED_ENOMEM;
    out->item[out->len++] = (heed__tok_piece){ id, 0, (uint32_t)size };
    return 0;
}

static json_t *wordlevel_save(const heed__tok_model *m) {
    const wordlevel *w = (const wordlevel *)m;
    json_t *model = json_pack("{s:s, s:o, s:o}", "type", "WordLevel", "vocab",
                              heed__tok_vocab_save(&w->words.vocab), "unk_token",
                              heed__tok_text_json(&w->unk));
    if (!model || !w->split.size) return model;
    if (!json_object_set_new(model, "split", heed__tok_text_json(&w->split)) &&
        !json_object_set_new(model, "byte_fallback", json_boolean(w->byte_fallback)) &&
        !heed__tok_hidden_save(&w->words, w->hidden, model))
        return model;
    json_decref(model);
    return NULL;
}

static int32_t wordlevel_spelled(const heed__tok_model *m) {
    const wordlevel *w = (const wordlevel *)m;
    return w->split.size ? w->unk_id : -1;
}

static const heed__tok_ops ops = {
    .type = "WordLevel",
    .free = wordlevel_free,
    .scratch = heed__tok_plain_scratch,
    .scratch_free = heed__tok_plain_scratch_free,
    .encode = wordlevel_encode,
    .find = heed__tok_words_find,
    .token = heed__tok_words_token,
    .len = heed__tok_words_len,
    .save = wordlevel_save,
    .spelled = wordlevel_spelled,
};

heed__tok_model *heed__tok_load_wordlevel(const json_t *object, const char *name,
                                          const heed_hooks *hooks, heed_error *err) {
    wordlevel *w = heed__calloc(hooks, 1, sizeof *w);
    if (!w) {
        heed__error(err, HEED_ENOMEM, "%s: out of memory", name);
        return NULL;
    }
    w->words.head.ops = &ops;
    if (hooks) w->words.head.hooks = *hooks;
    w->words.vocab.hooks = w->words.head.hooks;
    int rc = heed__tok_field_text(object, "unk_token", name, hooks, &w->unk, err);
    if (!rc && !w->unk.text) rc = heed__error(err, HEED_EFORMAT, "%s: unk_token is missing", name);
    if (!rc)
        rc = heed__tok_vocab_load(&w->words.vocab, json_object_get(object, "vocab"), name, err);
    if (!rc) rc = heed__tok_field_text(object, "split", name, hooks, &w->split, err);
    if (!rc) rc = heed__tok_field_bool(object, "byte_fallback", name, &w->byte_fallback, err);
    if (!rc) rc = heed__tok_hidden(object, &w->words, name, &w->hidden, err);
    if (rc) {
        wordlevel_free(&w->words.head);
        return NULL;
    }
    heed__tok_fallback(&w->words.vocab, w->fallback);
    w->unk_id = heed__tok_vocab_find(&w->words.vocab, w->unk.text, w->unk.size);
    return &w->words.head;
}
