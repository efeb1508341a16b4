/* fuzz_sentencepiece.c: any bytes as a SentencePiece .model. What opens must encode, and be the
 * same after its model was saved and read. tests/golden/sentencepiece holds files to begin with. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text/tok_model.h"
#include "text/tokenizer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds, const char *what) {
    if (holds) return;
    fprintf(stderr, "%s\n", what);
    abort();
}

static const char text[] =
    " a ab  \xe2\x96\x81x\xe6\x97\xa5\xe6\x9c\xac <x> <0x41> aaaaaaaaaaaaaaa\xf0\x9f\x98\x80";

static void compare(const json_t *tree, const heed__tok_model *m) {
    heed_error err = { 0 };
    json_t *saved = heed__tok_model_save(m);
    check(saved != NULL, "not saved");
    heed__tok_model *again = heed__tok_model_load(saved, "again", NULL, &err);
    check(again != NULL, err.msg);
    heed__tok_scratch *s = heed__tok_scratch_new(m, &err), *t = heed__tok_scratch_new(again, &err);
    heed__tok_pieces a = { 0 }, b = { 0 };
    check(!heed__tok_encode(m, s, text, sizeof text - 1, &a, &err), err.msg);
    check(!heed__tok_encode(again, t, text, sizeof text - 1, &b, &err), err.msg);
    check(a.len == b.len, "another length after saving");
    for (int64_t i = 0; i < a.len; i++) {
        check(a.item[i].id == b.item[i].id, "another id after saving");
        check(a.item[i].id >= 0 && a.item[i].id < heed__tok_len(m), "an id out of range");
        check(a.item[i].begin <= a.item[i].end && a.item[i].end < sizeof text, "offsets");
    }
    heed__tok_pieces_free(m, &a);
    heed__tok_pieces_free(again, &b);
    heed__tok_scratch_free(s);
    heed__tok_scratch_free(t);
    heed__tok_model_free(again);
    json_decref(saved);
    heed_tokenizer *tok = heed__tokenizer_make(tree, NULL, "x", NULL, &err);
    check(tok || err.msg[0], "an error without a sentence");
    heed_encoding e = { 0 };
    if (tok) check(!heed_tokenizer_encode(tok, text, sizeof text - 1, NULL, &e, &err), err.msg);
    heed_encoding_free(&e);
    heed_tokenizer_close(tok);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    heed_error err = { 0 };
    json_t *tree = heed__tok_sentencepiece(data, size, "x.model", NULL, &err);
    check(tree || (err.code < 0 && err.msg[0]), "an error without a sentence");
    if (!tree) return 0;
    heed__tok_model *m = heed__tok_model_load(json_object_get(tree, "model"), "x", NULL, &err);
    check(m != NULL, err.msg);
    compare(tree, m);
    heed__tok_model_free(m);
    json_decref(tree);
    return 0;
}
