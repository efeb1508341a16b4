/* fuzz_dataset.c: any bytes as a data file of any form, read as a stream and as a whole. The first
 * three bytes choose form and settings. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/conll.h"
#include "io/dataset.h"
#include "io/vectors.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t touch(const char *text) {
    return text ? strlen(text) : 0; /* an address sanitizer sees every byte up to the zero */
}

static void check(bool holds, const char *what) {
    if (holds) return;
    fprintf(stderr, "%s\n", what);
    abort();
}

static void read_columns(const char *bytes, size_t size, int how) {
    heed_error err = { 0 };
    heed_problems problems;
    heed_conll c;
    const heed_conll_cfg cfg = { .token = how & 3,
                                 .tag = how >> 2 & 3,
                                 .token_only = (how & 16) != 0,
                                 .problems = how & 32 ? &problems : NULL };
    const int rc = heed__conll_parse(&c, bytes, size, "x", &cfg, &err);
    check(rc == 0 || (rc == err.code && err.msg[0]), "an error without a sentence");
    if (rc) return;
    check(c.len > 0 && c.first[0] == 0 && c.first[c.len] == c.tokens, "sentences and tokens");
    for (int64_t i = 0; i < c.tokens; i++) touch(c.token[i]), touch(c.tag ? c.tag[i] : NULL);
    heed__conll_free(&c);
}

static void read_vectors(const char *bytes, size_t size) {
    heed_error err = { 0 };
    heed_vectors *v = heed__vectors_from(bytes, size, "x", NULL, &err);
    const char *word;
    const float *numbers;
    size_t len = 0;
    int got = -1;
    while (v && (got = heed__vectors_next(v, &word, &len, &numbers, &err)) > 0) {
        check(len > 0 && touch(word) >= len, "an empty word");
        for (int64_t k = 0; k < heed__vectors_dim(v); k++)
            check(numbers[k] - numbers[k] == 0, "a number that is not finite");
    }
    check(got == 0 || err.msg[0], "an error without a sentence");
    heed__vectors_close(v);
}

static void read_whole(const char *bytes, size_t size, const char *name,
                       const heed_dataset_cfg *cfg, int64_t examples) {
    heed_error err = { 0 };
    heed_dataset d;
    const int rc = heed__dataset_parse(&d, bytes, size, name, cfg, &err);
    check(rc == 0 || (rc == err.code && err.msg[0]), "an error without a sentence");
    check(rc ? examples <= 0 : d.len == examples, "stream and whole differ");
    if (rc) return;
    int64_t other, same = heed__dataset_overlap(&d, &d, &other, &err);
    check(same >= other && same < d.len, "repeats");
    check(heed__dataset_overlap(&d, &d, NULL, &err) == same, "repeats differ");
    for (int64_t i = 0; i < d.len; i++) check(d.first[i] <= d.first[i + 1], "labels");
    heed__dataset_free(&d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char *const names[] = { "x", "x.csv", "x.tsv", "x.jsonl", "x.txt", "x.gz" };
    static const char *const columns[] = { NULL, "text", "1", "a,b", "2,1", "" };
    if (size < 3) return 0;
    const int a = data[0], b = data[1], c = data[2];
    char *bytes = malloc(size - 2); /* of its own, so that reading past it is seen */
    memcpy(bytes, data + 3, size - 3);
    size -= 3;
    if (a % 8 == 7) {
        read_columns(bytes, size, b);
        free(bytes);
        return 0;
    }
    if (a % 8 == 6) {
        read_vectors(bytes, size);
        free(bytes);
        return 0;
    }
    const char *name = names[a % 8];
    heed_problems problems;
    const heed_dataset_cfg cfg = { .text = columns[b % 6],
                                   .label = columns[b / 6 % 6],
                                   .text2 = columns[b / 36 % 6],
                                   .form = (heed_dataset_form)(a / 8 % 5),
                                   .pairs = (c & 1) != 0,
                                   .text_only = (c & 2) != 0,
                                   .no_labels = (c & 4) != 0,
                                   .label_sep = c & 8 ? "," : NULL,
                                   .problems = c & 16 ? &problems : NULL };
    heed_error err = { 0 };
    heed_dataset_stream *s = heed__dataset_from(bytes, size, name, &cfg, &err);
    int got = -1;
    int64_t n = 0;
    for (heed_example e; s && (got = heed__dataset_next(s, &e, &err)) > 0; n++) {
        touch(e.text), touch(e.text2);
        for (int64_t i = 0; i < e.labels; i++) check(touch(e.label[i]) > 0, "an empty label");
        check(e.line > 0 && e.text && (e.labels || cfg.text_only || cfg.no_labels), "an example");
    }
    check(got == 0 || err.msg[0], "an error without a sentence");
    if (s) check(touch(heed__dataset_how(s)) < 256, "how");
    heed__dataset_close(s);
    read_whole(bytes, size, name, &cfg, got == 0 ? n : -1);
    free(bytes);
    return 0;
}
