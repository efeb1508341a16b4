/* tok_decode.h: decoders: how tokens become text again. */
#ifndef HEED_TEXT_TOK_DECODE_H
#define HEED_TEXT_TOK_DECODE_H

#include <jansson.h>

#include "heed/text.h"
#include "text/aligned.h"

typedef struct heed__tok_decoder heed__tok_decoder;

/* Texts in a row, in the arena of a work or the tokenizer's. */
typedef struct heed__texts {
    heed_bytes *item;
    int64_t len;
} heed__texts;

/* As heed__norm_new. */
heed__tok_decoder *heed__tok_decoder_new(const json_t *object, const char *name,
                                         const heed_hooks *hooks, heed_error *err);
void heed__tok_decoder_free(heed__tok_decoder *d); /* NULL is fine */
/* Changes the list, which is the caller's, and its texts; joined they are the result. */
int heed__tok_decoder_run(const heed__tok_decoder *d, heed__tok_work *w, heed__texts *t,
                          heed_error *err);

#endif
