/* text.h: text as numbers and back: tokenizers.
 *
 *     heed_error err;
 *     heed_tokenizer *tok = heed_tokenizer_open("bert/tokenizer.json", NULL, &err);
 *     if (!tok) return fprintf(stderr, "%s\n", err.msg), 1;
 *     heed_encoding e = { 0 };
 *     if (heed_tokenizer_encode(tok, "my card", 7, NULL, &e, &err)) puts(err.msg);
 *     for (int64_t i = 0; i < e.len; i++) printf("%d [%zu,%zu)\n", e.id[i], e.begin[i], e.end[i]);
 *     heed_encoding_free(&e);
 *     heed_tokenizer_close(tok);
 *
 * A tokenizer is what a `tokenizer.json` of Hugging Face describes: added tokens are found first;
 * what lies between them is normalized, cut into pieces (pre-tokenized), each piece becomes ids
 * (model: WordPiece, BPE, Unigram or WordLevel), special tokens are put around (post-processor);
 * truncation and padding come last; a decoder turns tokens into text. Every id knows which bytes of
 * the original text it stands for. Ids, offsets and texts equal those of the library `tokenizers`.
 *
 * Texts are UTF-8 of known size and may hold zero bytes. A tokenizer never changes once it is made:
 * any number of threads may use it at once, each with a heed_encoding of its own.
 */
#ifndef HEED_TEXT_H
#define HEED_TEXT_H

#include <heed/base.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct heed_tokenizer heed_tokenizer;

/* Opens a tokenizer: a `tokenizer.json`; a folder that holds one, or holds one of the others; a
 * `vocab.txt` (WordPiece; `tokenizer_config.json` beside it says whether letters are made small); a
 * `vocab.json` with `merges.txt` beside it (byte-level BPE); a SentencePiece `.model`. NULL and
 * *err: HEED_ENOTFOUND, HEED_EIO, HEED_ENOMEM, HEED_EFORMAT, which names file and field, or
 * HEED_EUNSUPPORTED, which names the part that does not exist here. */
HEED_API heed_tokenizer *heed_tokenizer_open(const char *path, const heed_hooks *hooks,
                                             heed_error *err);
/* The same from the bytes of a tokenizer.json; name stands for the path in messages. */
HEED_API heed_tokenizer *heed_tokenizer_from(const char *json, size_t size, const char *name,
                                             const heed_hooks *hooks, heed_error *err);
/* Writes tokenizer.json: equal tokenizers give equal bytes, and what was read from such a file is
 * written with the same meaning. 0 or a status; the file that was there stays until the new one is
 * whole. */
HEED_API int heed_tokenizer_save(const heed_tokenizer *tok, const char *path, heed_error *err);
HEED_API void heed_tokenizer_close(heed_tokenizer *tok); /* NULL is fine */

/* The number of ids a model over this tokenizer must have rows for: one more than the highest id,
 * added tokens included. */
HEED_API int64_t heed_tokenizer_len(const heed_tokenizer *tok);
/* The token of an id as the vocabulary spells it, zero-terminated, its bytes in *size (which may be
 * NULL); NULL: no such id. The tokenizer's. */
HEED_API const char *heed_tokenizer_token(const heed_tokenizer *tok, int32_t id, size_t *size);
/* The id of a token as the vocabulary spells it, or -1. */
HEED_API int32_t heed_tokenizer_id(const heed_tokenizer *tok, const char *token, size_t size);
/* Whether the id is that of a special token (one that decoding may leave out). */
HEED_API bool heed_tokenizer_is_special(const heed_tokenizer *tok, int32_t id);

/* -- text to ids ------------------------------------------------------------------------------ */

/* Bytes that somebody else keeps. */
typedef struct heed_bytes {
    const char *data;
    size_t size;
} heed_bytes;

/* How one text, or a pair, is encoded; NULL or zeroed: one text, special tokens added, truncated
 * and padded as the file says. */
typedef struct heed_encode_cfg {
    const char *pair;               /* the second text of a pair, or NULL */
    size_t pair_size;               /* its bytes */
    bool no_special;                /* the post-processor adds no tokens */
    bool no_overflow;               /* what truncation cuts off is dropped */
    bool no_truncation, no_padding; /* leave out what the file says of them */
    int64_t max_len; /* not 0: truncate to so many tokens, special ones included, instead of what
                        the file says (longest first, no stride, at the right). Where the special
                        ones alone are more, nothing is cut, as in the reference (tokenizers) */
    heed_pool *pool; /* of heed_tokenizer_encode_many; NULL: the caller alone */
} heed_encode_cfg;

/* What a text became: arrays of len. Zero it before the first use; each call puts new contents in
 * its place and reuses the memory; free it once at the end. For one thread at a time. */
typedef struct heed_encoding {
    int64_t len;
    int32_t *id;
    int32_t *type;     /* which text of a pair, as the post-processor numbers them */
    int32_t *word;     /* which piece of the text, counted from 0; -1: a special or padding token */
    int32_t *sequence; /* 0, or 1 for the pair; -1: a special or padding token */
    size_t *begin, *end; /* bytes [begin,end) of the original text (of the pair, where sequence is
                            1); 0,0 for what stands for no text. Always at characters' borders */
    uint8_t *special;    /* 1: put there by the post-processor or padding */
    uint8_t *mask;       /* 0: padding */
    heed_bytes *token;   /* as the reference spells it; lives as long as tokenizer and encoding */
    struct heed_encoding *overflow; /* [overflow_len] what truncation cut off, in windows of the
                                       same kind, each with its special tokens; owned by this one */
    int64_t overflow_len;
    void *own; /* memory behind the above */
} heed_encoding;

/* Encodes text. 0; HEED_EFORMAT: not UTF-8 (names the byte), HEED_EINVALID: truncation leaves no
 * room, a token without an id where the model has no unknown token (as in the file's model);
 * HEED_EUNSUPPORTED: a regular expression that takes too many steps on this text; HEED_ENOMEM.
 * After a failure out->len is 0. */
HEED_API int heed_tokenizer_encode(const heed_tokenizer *tok, const char *text, size_t size,
                                   const heed_encode_cfg *cfg, heed_encoding *out, heed_error *err);
/* n texts at once (cfg's pair is not looked at): out[i] for text[i], padded to one length where the
 * file's padding says "longest of the batch". cfg->pool's threads share the work; results are the
 * same. The error names the text: `text 3: ...`, counted from 0. */
HEED_API int heed_tokenizer_encode_many(const heed_tokenizer *tok, const heed_bytes *text,
                                        int64_t n, const heed_encode_cfg *cfg, heed_encoding *out,
                                        heed_error *err);
HEED_API void heed_encoding_free(heed_encoding *e); /* a zeroed one is fine; zeroes it */

/* -- ids to text ------------------------------------------------------------------------------ */

/* A text that grows; zero it before the first use, reuse it, free it once. */
typedef struct heed_string {
    char *text; /* size bytes and a 0 */
    size_t size;
    int64_t cap;
    heed_hooks hooks;
} heed_string;
HEED_API void heed_string_free(heed_string *t);

/* The text that ids stand for. skip_special leaves special tokens out; ids that the tokenizer does
 * not have are left out, as the reference does. 0, HEED_ENOMEM, or what a decoder's regular
 * expression says. */
HEED_API int heed_tokenizer_decode(const heed_tokenizer *tok, const int32_t *id, int64_t len,
                                   bool skip_special, heed_string *out, heed_error *err);

/* -- training --------------------------------------------------------------------------------- */

/* Where training texts come from: next gives one text after the other, valid until it is called
 * again. 1: there is one; 0: the end; negative: a status, with *err filled. */
typedef struct heed_text_source {
    void *user;
    int (*next)(void *user, const char **text, size_t *size, heed_error *err);
} heed_text_source;

/* How a tokenizer is trained; zero means the value in brackets. */
typedef struct heed_tokenizer_cfg {
    const char *kind;           /* "bpe" (byte-level), "wordpiece", "unigram" ("bpe") */
    int64_t vocab;              /* ids, with special tokens (30000); letters may exceed it */
    int64_t min_count;          /* a pair or piece seen less often is not joined (2) */
    int64_t max_piece;          /* longest piece of Unigram, in characters (16) */
    int64_t alphabet;           /* characters kept, the commonest; WordPiece (1000) */
    bool keep_case;             /* WordPiece: capitals and accents stay */
    const char *const *special; /* tokens with the first ids; NULL ends them (those usual for the
                                   kind) */
    const heed_tokenizer *like; /* its normalizer and pre-tokenizer are taken instead of those usual
                                   for the kind; or NULL */
    int threads;                /* not looked at yet: one works; no result will depend on it */
    const heed_hooks *hooks;    /* progress, cancel, log, memory; kept in the tokenizer */
} heed_tokenizer_cfg;

/* Trains a tokenizer on all texts of source. cfg NULL: defaults. NULL and *err: HEED_EINVALID,
 * HEED_EFORMAT (a text that is not UTF-8, with its number), HEED_ENOMEM, HEED_ECANCELLED, or what
 * source said. */
HEED_API heed_tokenizer *heed_tokenizer_train(const heed_tokenizer_cfg *cfg,
                                              const heed_text_source *source, heed_error *err);

#ifdef __cplusplus
}
#endif
#endif
