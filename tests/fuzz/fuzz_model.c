/* fuzz_model.c: a model folder whose files are the input's: config.json, the header of
 * model.safetensors, and a third file (the header of features.safetensors where it begins with {,
 * else the lines of vocab.txt, or a tokenizer.json after a zero byte), a byte FF between; what
 * comes after a third FF are the numbers. Tensors without data_offsets are laid out here, so that a
 * shape can change and the file still be one. A header that is no JSON is the file as it stands.
 * What opens as a classifier, tagger or embedder must answer with finite numbers, be saved and open
 * again with the same answers. tests/fuzz/model_seeds.py makes inputs of small models. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "heed/embed.h"
#include "heed/io.h"
#include "heed/tasks.h"
#include "mutate_json.h"

enum { MOST = 1 << 20, PARTS = 4 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

static char folder[64], copy[80];

static void check(bool holds, const char *what) {
    if (holds) return;
    fprintf(stderr, "%s\n", what);
    abort();
}

static void remove_folders(void) {
    static const char *const files[] = { "config.json", "model.safetensors", "features.safetensors",
                                         "vocab.txt", "tokenizer.json" };
    char path[128];
    for (int i = 0; i < 10; i++) {
        snprintf(path, sizeof path, "%s/%s", i < 5 ? folder : copy, files[i % 5]);
        unlink(path);
    }
    rmdir(folder);
    rmdir(copy);
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    (void)argc, (void)argv;
    const char *memory = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    snprintf(folder, sizeof folder, "%s/heed-fuzz-%ld", memory, (long)getpid());
    snprintf(copy, sizeof copy, "%s-copy", folder);
    check(mkdir(folder, 0700) == 0, "no folder");
    return atexit(remove_folders);
}

static void put_file(const char *name, const void *bytes, size_t size) {
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "wb");
    check(f && fwrite(bytes, 1, size, f) == size && fclose(f) == 0, "no file");
}

/* -- the files -------------------------------------------------------------------------------- */

/* Bytes of a tensor, or MOST + 1. */
static size_t tensor_size(const json_t *tensor, size_t *width) {
    const char *dtype = json_string_value(json_object_get(tensor, "dtype"));
    const json_t *one;
    size_t i, size = 0;
    for (int d = 0; dtype && d < HEED_FILE_DTYPES; d++)
        if (strcmp(heed_file_dtype_name((heed_file_dtype)d), dtype) == 0)
            size = heed_file_dtype_size((heed_file_dtype)d);
    *width = size ? size : 1;
    json_array_foreach(json_object_get(tensor, "shape"), i, one) {
        const json_int_t n = json_integer_value(one);
        if (n < 0 || n > MOST || size * (size_t)n > MOST) return MOST + 1;
        size *= (size_t)n;
    }
    return size;
}

/* Whole numbers rise from 1, by the first byte of the input's numbers; others are the input's bytes
 * as small numbers, round and round. */
static void fill(uint8_t *to, size_t size, size_t width, bool whole, const uint8_t *from,
                 size_t from_size) {
    const uint64_t step = from_size ? from[0] : 1;
    for (size_t i = 0; i < size / width; i++) {
        const int byte = from_size ? from[i % from_size] - 128 : (int)(i % 7) - 3;
        const uint64_t rising = step * (i + 1);
        const float f = (float)byte / 64;
        const double d = f;
        if (whole || width < 4)
            memcpy(to + i * width, &rising, width);
        else
            memcpy(to + i * width, width == 4 ? (const void *)&f : &d, width);
    }
}

static void put_tensors(const char *name, const uint8_t *part, size_t size, const uint8_t *numbers,
                        size_t numbers_size) {
    static uint8_t file[2 * MOST + 8];
    json_t *tree = size ? json_loadb((const char *)part, size, 0, NULL) : NULL, *tensor;
    const char *key;
    size_t at = 0, width;
    static uint8_t body[MOST];
    json_object_foreach(tree, key, tensor) {
        const size_t n = tensor_size(tensor, &width);
        if (!json_is_object(tensor) || strcmp(key, "__metadata__") == 0 || n > MOST - at ||
            json_object_get(tensor, "data_offsets"))
            continue;
        const char *dtype = json_string_value(json_object_get(tensor, "dtype"));
        fill(body + at, n, width, dtype && *dtype != 'F', numbers, numbers_size);
        json_object_set_new(tensor, "data_offsets",
                            json_pack("[I, I]", (json_int_t)at, (json_int_t)(at + n)));
        at += n;
    }
    char *text = tree ? json_dumps(tree, JSON_COMPACT) : NULL;
    const uint64_t header = text ? strlen(text) : 0;
    if (!text || header > MOST) {
        put_file(name, part, size);
    } else {
        memcpy(file, &header, 8);
        memcpy(file + 8, text, header);
        memcpy(file + 8 + header, body, at);
        put_file(name, file, 8 + header + at);
    }
    free(text);
    json_decref(tree);
}

/* -- what opens is used ----------------------------------------------------------------------- */

static const char *const texts[] = { "", "good words 12 \xe6\x97\xa5\xe6\x9c\xac, a good film",
                                     "bad\tword" };
enum { TEXTS = 3 };

/* Scores of a text by a classifier; how many, or a status. */
static int classify(heed_classifier *c, const char *text, float *score) {
    heed_error err = { 0 };
    heed_label top[8];
    heed_attended word[16];
    static const float numbers[4 * 64];
    bool sequence;
    const int64_t width = heed_classifier_array(c, &sequence);
    heed_explanation x = { .top = top, .top_cap = 8, .word = word, .word_cap = 16 };
    if (heed_classifier_pairs(c)) x.text2 = "a second";
    if (width > 0 && width <= 64)
        x.array = (heed_array){ numbers, sequence ? 4 : 1, width, sequence };
    const int rc = heed_classify_explain(c, text, &x, &err);
    check(rc == 0 || (rc == err.code && err.msg[0]), "an error without a sentence");
    if (rc) return rc;
    check(x.top_len <= 8 && x.word_len <= 16, "more than there is room for");
    for (int i = 0; i < x.top_len; i++) {
        check(top[i].name && top[i].score >= 0 && top[i].score <= 1.0001f, "a label's probability");
        score[i] = top[i].score;
    }
    for (int64_t i = 0; i < x.word_len; i++)
        check(word[i].begin <= word[i].end && word[i].end <= strlen(text), "a word's place");
    if (heed_classifier_labels(c) == 0) {
        check(isfinite(x.value), "a score that is not finite");
        score[0] = x.value;
        return 1;
    }
    return x.top_len;
}

static void use_classifier(const heed_open_cfg *cfg) {
    heed_error err = { 0 };
    heed_classifier *c = heed_classifier_open(folder, cfg, &err);
    check(c || (err.code < 0 && err.msg[0]), "an error without a sentence");
    if (!c) return;
    float first[TEXTS][8], second[8];
    int n[TEXTS];
    for (int i = 0; i < TEXTS; i++) n[i] = classify(c, texts[i], first[i]);
    const int rc = heed_classifier_save(c, copy, &err);
    check(rc == 0, err.msg);
    heed_classifier_close(c);
    c = heed_classifier_open(copy, cfg, &err);
    check(c != NULL, err.msg);
    for (int i = 0; i < TEXTS; i++) {
        check(classify(c, texts[i], second) == n[i], "another answer after saving");
        for (int k = 0; k < n[i]; k++) check(first[i][k] == second[k], "other numbers");
    }
    heed_classifier_close(c);
}

static void use_tagger(const heed_open_cfg *cfg) {
    heed_error err = { 0 };
    heed_tagger *t = heed_tagger_open(folder, cfg, &err);
    check(t || (err.code < 0 && err.msg[0]), "an error without a sentence");
    if (!t) return;
    heed_entity e[8];
    for (int i = 0; i < TEXTS; i++) {
        const int64_t n = heed_tagger_find(t, texts[i], e, 8, &err);
        check(n >= 0 || (n == err.code && err.msg[0]), "an error without a sentence");
        for (int64_t k = 0; k < n && k < 8; k++)
            check(e[k].begin < e[k].end && e[k].end <= strlen(texts[i]) && e[k].type &&
                      e[k].confidence >= 0 && e[k].confidence <= 1.001f,
                  "an entity");
    }
    const int rc = heed_tagger_save(t, copy, &err);
    check(rc == 0, err.msg);
    heed_tagger_close(t);
    t = heed_tagger_open(copy, cfg, &err);
    check(t != NULL, err.msg);
    heed_tagger_close(t);
}

static void use_embedder(const heed_open_cfg *cfg) {
    heed_error err = { 0 };
    heed_embedder *e = heed_embedder_open(folder, cfg, &err);
    check(e || (err.code < 0 && err.msg[0]), "an error without a sentence");
    if (!e) return;
    const int64_t dim = heed_embedder_dim(e);
    check(dim > 0, "no width");
    float *out = malloc((size_t)dim * TEXTS * sizeof *out);
    const int rc = heed_embedder_apply(e, TEXTS, texts, out, &err);
    check(rc == 0 || (rc == err.code && err.msg[0]), "an error without a sentence");
    for (int64_t i = 0; rc == 0 && i < dim * TEXTS; i++) check(isfinite(out[i]), "not finite");
    free(out);
    heed_embedder_close(e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    size_t len[PARTS], at[PARTS];
    for (int i = 0; i < PARTS; i++) at[i] = part_of_input(data, size, i, &len[i]);
    at[3] = at[3] > size ? size : at[3]; /* the numbers may hold FF */
    len[3] = size - at[3];
    for (int i = 1; i < PARTS; i++)
        if (at[i] == at[i - 1]) len[i] = 0; /* there are fewer parts */
    remove_folders();
    check(mkdir(folder, 0700) == 0, "no folder");
    put_file("config.json", data + at[0], len[0]);
    put_tensors("model.safetensors", data + at[1], len[1], data + at[3], len[3]);
    if (len[2] && data[at[2]] == '{')
        put_tensors("features.safetensors", data + at[2], len[2], data + at[3], len[3]);
    else if (len[2] && data[at[2]] == 0)
        put_file("tokenizer.json", data + at[2] + 1, len[2] - 1);
    else if (len[2])
        put_file("vocab.txt", data + at[2], len[2]);
    const heed_open_cfg cfg = { .threads = 1 };
    use_classifier(&cfg);
    use_tagger(&cfg);
    use_embedder(&cfg);
    return 0;
}
