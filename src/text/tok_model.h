/* tok_model.h: what a tokenizer does to one piece of text: the models WordPiece, BPE, Unigram and
 * WordLevel behind one table of functions. The pipeline around them (tokenizer.c) normalizes, cuts
 * into pieces and puts special tokens; a model sees one piece and answers ids with the bytes of the
 * piece that each stands for. Ids and offsets equal those of the library `tokenizers`.
 *
 *     heed__tok_model *m = heed__tok_model_load(tree, "bert/tokenizer.json: model", hooks, err);
 *     heed__tok_scratch *s = heed__tok_scratch_new(m, err);
 *     heed__tok_pieces out = { 0 };
 *     heed__tok_encode(m, s, "unaffable", 9, &out, err);        out.item[0..out.len)
 *     heed__tok_pieces_free(m, &out), heed__tok_scratch_free(s), heed__tok_model_free(m);
 *
 * A model is constant once it is made: any number of threads may use it, each with a scratch and a
 * list of its own. A scratch holds a cache of pieces met before, of bounded size; what is answered
 * never depends on it.
 */
#ifndef HEED_TEXT_TOK_MODEL_H
#define HEED_TEXT_TOK_MODEL_H

#include <jansson.h>

#include "heed/base.h"

/* One token of a piece: its id and the bytes [begin,end) of the piece that it stands for. */
typedef struct heed__tok_piece {
    int32_t id;
    uint32_t begin, end;
} heed__tok_piece;

/* Tokens in the order of the text; zero it before the first use. Encoding appends. */
typedef struct heed__tok_pieces {
    heed__tok_piece *item;
    int64_t len, cap;
} heed__tok_pieces;

typedef struct heed__tok_model heed__tok_model;
typedef struct heed__tok_scratch heed__tok_scratch;

/* How each kind of model does it; model_*.c hold one each. */
typedef struct heed__tok_ops {
    const char *type; /* as tokenizer.json names it: "WordPiece" */
    void (*free)(heed__tok_model *m);
    heed__tok_scratch *(*scratch)(const heed__tok_model *m); /* NULL: out of memory */
    void (*scratch_free)(heed__tok_scratch *s);
    int (*encode)(const heed__tok_model *m, heed__tok_scratch *s, const char *piece, size_t size,
                  heed__tok_pieces *out, heed_error *err);
    int32_t (*find)(const heed__tok_model *m, const char *token, size_t size);
    const char *(*token)(const heed__tok_model *m, int32_t id, size_t *size);
    int64_t (*len)(const heed__tok_model *m);
    json_t *(*save)(const heed__tok_model *m);
    int32_t (*spelled)(const heed__tok_model *m); /* NULL: none is */
} heed__tok_ops;

/* What every model begins with. */
struct heed__tok_model {
    const heed__tok_ops *ops;
    heed_hooks hooks;
};
struct heed__tok_scratch {
    const heed__tok_model *model;
    struct heed__tok_cache *cache;
};

/* The model that tokenizer.json's object "model" describes. An object without "type" is recognised
 * by its fields, as old files want it. name stands before the place in messages. NULL and *err:
 * HEED_EFORMAT, HEED_EUNSUPPORTED (a type that does not exist), HEED_ENOMEM. */
heed__tok_model *heed__tok_model_load(const json_t *object, const char *name,
                                      const heed_hooks *hooks, heed_error *err);
/* The object again, in the order of fields that the reference writes. NULL: out of memory. */
json_t *heed__tok_model_save(const heed__tok_model *m);
void heed__tok_model_free(heed__tok_model *m); /* NULL is fine */

heed__tok_scratch *heed__tok_scratch_new(const heed__tok_model *m, heed_error *err);
void heed__tok_scratch_free(heed__tok_scratch *s); /* NULL is fine */

/* Appends the tokens of one piece, which is UTF-8 of less than 2 GiB and may hold zero bytes, or is
 * raw bytes after heed__tok_model_raw. 0, HEED_ENOMEM, or HEED_EINVALID: the piece needs the
 * unknown token and the vocabulary has none. After a failure out holds what it held before. */
int heed__tok_encode(const heed__tok_model *m, heed__tok_scratch *s, const char *piece, size_t size,
                     heed__tok_pieces *out, heed_error *err);
void heed__tok_pieces_free(const heed__tok_model *m, heed__tok_pieces *out);

/* Tells a model that each piece comes as raw bytes, which the ByteLevel pre-tokenizer would have
 * turned into one character each (GPT-2's alphabet) just before; ids are the same, and offsets
 * count the raw bytes. To be called before the first scratch is made. True: from now on so; false:
 * this model cannot (it is no BPE, or adds prefixes or suffixes), nothing changed. */
bool heed__tok_model_raw(heed__tok_model *m);

/* The id of a token as the vocabulary spells it, or -1; the token of an id with its size,
 * zero-terminated, or NULL; one more than the highest id. */
int32_t heed__tok_find(const heed__tok_model *m, const char *token, size_t size);
const char *heed__tok_token(const heed__tok_model *m, int32_t id, size_t *size);
int64_t heed__tok_len(const heed__tok_model *m);
/* The id whose tokens are spelled as the piece is, and not as the vocabulary has them: the unknown
 * one of Unigram and of SentencePiece's models; -1: none. */
int32_t heed__tok_spelled(const heed__tok_model *m);

/* -- other files ------------------------------------------------------------------------------ */

/* WordPiece with [UNK] and "##" from the lines of a vocab.txt; byte-level BPE from a vocab.json (a
 * parsed tree) and the lines of its merges.txt. name as above; a line that is wrong is `name:line`.
 */
heed__tok_model *heed__tok_model_vocab_txt(const char *text, size_t size, const char *name,
                                           const heed_hooks *hooks, heed_error *err);
heed__tok_model *heed__tok_model_merges_txt(const json_t *vocab, const char *merges, size_t size,
                                            const char *name, const heed_hooks *hooks,
                                            heed_error *err);

/* A SentencePiece `.model`, of any kind, as the tree of a tokenizer.json of the same meaning:
 * model, normalizer with the precompiled map, decoder, control and user symbols as added tokens
 * that are not looked for in texts. The tree is the caller's. NULL: HEED_EFORMAT with the byte
 * where it is wrong, HEED_EUNSUPPORTED, HEED_ENOMEM. */
json_t *heed__tok_sentencepiece(const void *bytes, size_t size, const char *name,
                                const heed_hooks *hooks, heed_error *err);

#endif
