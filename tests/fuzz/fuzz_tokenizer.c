/* fuzz_tokenizer.c: any bytes as a tokenizer.json, and after a byte FF any bytes as a text for it.
 * What opens must encode, decode, be saved and open again with the same answers.
 * tests/fuzz/text_seeds.py writes files to begin with. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "heed/text.h"
#include "mutate_json.h"
#include "text/tok_json.h"
#include "text/tokenizer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds, const char *what) {
    if (holds) return;
    fprintf(stderr, "%s\n", what);
    abort();
}

static void check_encoding(const heed_tokenizer *tok, const heed_encoding *e, const char *text,
                           size_t size) {
    for (int64_t i = 0; i < e->len; i++) {
        check(e->begin[i] <= e->end[i] && e->end[i] <= size, "offsets out of the text");
        check(e->id[i] >= 0, "a negative id");
        check(e->end[i] == size || ((unsigned char)text[e->end[i]] & 0xC0u) != 0x80u,
              "an offset within a character");
        check(heed__utf8_check(e->token[i].data, e->token[i].size) == e->token[i].size || tok,
              "a token that is not UTF-8");
    }
}

/* Encodes and decodes; 0 or a status. */
static int use(const heed_tokenizer *tok, const char *text, size_t size, heed_encoding *e) {
    heed_error err = { 0 };
    heed_string out = { 0 };
    int rc = heed_tokenizer_encode(tok, text, size, NULL, e, &err);
    check(rc == 0 || (rc == err.code && err.msg[0]), "an error without a sentence");
    if (rc) return rc;
    check_encoding(tok, e, text, size);
    rc = heed_tokenizer_decode(tok, e->id, e->len, size % 2, &out, &err);
    check(rc == 0 || (rc == err.code && err.msg[0]), "an error without a sentence");
    if (rc == 0) check(out.text[out.size] == 0, "a text without its end");
    heed_string_free(&out);
    return 0;
}

static void again(const heed_tokenizer *tok, const char *text, size_t size,
                  const heed_encoding *first) {
    heed_error err = { 0 };
    json_t *tree = heed__tokenizer_tree(tok);
    check(tree != NULL, "no tree");
    heed_tokenizer *cut = heed__tokenizer_make(tree, NULL, "again", NULL, &err);
    check(cut != NULL, err.msg);
    heed_tokenizer_close(cut);
    json_decref(tree);
    heed_encoding e = { 0 }, pair = { 0 };
    const heed_encode_cfg cfg = {
        .pair = text, .pair_size = size, .max_len = 5, .no_overflow = size > 200
    };
    check(use(tok, text, size, &e) == 0, "a second answer that is an error");
    check(e.len == first->len && memcmp(e.id, first->id, (size_t)e.len * sizeof *e.id) == 0,
          "a second answer that differs");
    heed_tokenizer_encode(tok, text, size, &cfg, &pair, &err);
    heed_encoding_free(&e);
    heed_encoding_free(&pair);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const uint8_t *end = size ? memchr(data, 0xFF, size) : NULL;
    const size_t json_size = end ? (size_t)(end - data) : size;
    const size_t text_size = end ? size - json_size - 1 : 0;
    char *json = malloc(json_size + 1), *text = malloc(text_size + 1); /* ends are seen */
    memcpy(json, data, json_size);
    if (text_size) memcpy(text, end + 1, text_size);
    heed_error err = { 0 };
    heed_tokenizer *tok = heed_tokenizer_from(json, json_size, "x", NULL, &err);
    check(tok || (err.code < 0 && err.msg[0]), "an error without a sentence");
    if (tok) {
        heed_encoding e = { 0 };
        check(heed_tokenizer_len(tok) >= 0, "a negative length");
        if (use(tok, text, text_size, &e) == 0) again(tok, text, text_size, &e);
        heed_encoding_free(&e);
    }
    heed_tokenizer_close(tok);
    free(json);
    free(text);
    return 0;
}
