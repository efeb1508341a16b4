/* model_wordlevel.c: WordLevel: a piece is a token or unknown. */
#include <string.h>

#include "base/alloc.h"
#include "text/tok_models.h"

typedef struct wordlevel {
    heed__tok_words words;
    heed__tok_text unk;
    int32_t unk_id; /* -1: not in the vocabulary */
} wordlevel;

static void wordlevel_free(heed__tok_model *m) {
    wordlevel *w = (wordlevel *)m;
    const heed_hooks hooks = m->hooks;
    heed__tok_vocab_free(&w->words.vocab);
    heed__free(&hooks, w->unk.text);
    heed__free(&hooks, w);
}

static int wordlevel_encode(const heed__tok_model *m, heed__tok_scratch *s, const char *piece,
                            size_t size, heed__tok_pieces *out, heed_error *err) {
    const wordlevel *w = (const wordlevel *)m;
    (void)s;
    int32_t id = heed__tok_vocab_find(&w->words.vocab, piece, size);
    if (id < 0) id = w->unk_id;
    if (id < 0)
        return heed__error(err, HEED_EINVALID,
                           "WordLevel: a word is not known and the unknown token '%.80s' is not in "
                           "the vocabulary",
                           w->unk.text);
    if (heed__tok_room(m, out, 1, err)) return HEED_ENOMEM;
    out->item[out->len++] = (heed__tok_piece){ id, 0, (uint32_t)size };
    return 0;
}

static json_t *wordlevel_save(const heed__tok_model *m) {
    const wordlevel *w = (const wordlevel *)m;
    return json_pack("{s:s, s:o, s:o}", "type", "WordLevel", "vocab",
                     heed__tok_vocab_save(&w->words.vocab), "unk_token",
                     heed__tok_text_json(&w->unk));
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
    if (rc) {
        wordlevel_free(&w->words.head);
        return NULL;
    }
    w->unk_id = heed__tok_vocab_find(&w->words.vocab, w->unk.text, w->unk.size);
    return &w->words.head;
}
