/* tokenizer.c: the whole way from text to ids and back. */
#include <string.h>

#include "base/alloc.h"
#include "heed/text.h"

heed_tokenizer *heed_tokenizer_from(const char *json, size_t size, const char *name,
                                    const heed_hooks *hooks, heed_error *err) {
    (void)json;
    (void)size;
    (void)hooks;
    heed__error(err, HEED_EUNSUPPORTED, "%s: tokenizers cannot be opened yet", name);
    return NULL;
}

heed_tokenizer *heed_tokenizer_open(const char *path, const heed_hooks *hooks, heed_error *err) {
    return heed_tokenizer_from(NULL, 0, path, hooks, err);
}

int heed_tokenizer_save(const heed_tokenizer *tok, const char *path, heed_error *err) {
    (void)tok;
    return heed__error(err, HEED_EUNSUPPORTED, "%s: tokenizers cannot be saved yet", path);
}

void heed_tokenizer_close(heed_tokenizer *tok) {
    (void)tok;
}

int64_t heed_tokenizer_len(const heed_tokenizer *tok) {
    (void)tok;
    return 0;
}

const char *heed_tokenizer_token(const heed_tokenizer *tok, int32_t id, size_t *size) {
    (void)tok;
    (void)id;
    if (size) *size = 0;
    return NULL;
}

int32_t heed_tokenizer_id(const heed_tokenizer *tok, const char *token, size_t size) {
    (void)tok;
    (void)token;
    (void)size;
    return -1;
}

bool heed_tokenizer_is_special(const heed_tokenizer *tok, int32_t id) {
    (void)tok;
    (void)id;
    return false;
}

int heed_tokenizer_encode(const heed_tokenizer *tok, const char *text, size_t size,
                          const heed_encode_cfg *cfg, heed_encoding *out, heed_error *err) {
    (void)tok;
    (void)text;
    (void)size;
    (void)cfg;
    out->len = 0;
    return heed__error(err, HEED_EUNSUPPORTED, "nothing can be encoded yet");
}

int heed_tokenizer_encode_many(const heed_tokenizer *tok, const heed_bytes *text, int64_t n,
                               const heed_encode_cfg *cfg, heed_encoding *out, heed_error *err) {
    (void)tok;
    (void)text;
    (void)n;
    (void)cfg;
    (void)out;
    return heed__error(err, HEED_EUNSUPPORTED, "nothing can be encoded yet");
}

void heed_encoding_free(heed_encoding *e) {
    if (e) memset(e, 0, sizeof *e);
}

void heed_string_free(heed_string *t) {
    if (!t) return;
    heed__free(&t->hooks, t->text);
    memset(t, 0, sizeof *t);
}

int heed_tokenizer_decode(const heed_tokenizer *tok, const int32_t *id, int64_t len,
                          bool skip_special, heed_string *out, heed_error *err) {
    (void)tok;
    (void)id;
    (void)len;
    (void)skip_special;
    (void)out;
    return heed__error(err, HEED_EUNSUPPORTED, "nothing can be decoded yet");
}
