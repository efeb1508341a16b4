/* word_vectors.c: vectors of words from a file as the first values of a body's table. */
#include "tasks/word_vectors.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "io/vectors.h"

int64_t heed__word_vectors_dim(const char *path, const heed_hooks *hooks, heed_error *err) {
    heed_error own;
    if (!err) err = &own;
    if (heed__file_regular(path, err)) return HEED_EIO; /* it is read again, for its words */
    heed_vectors *v = heed__vectors_open(path, hooks, err);
    const int64_t dim = v ? heed__vectors_dim(v) : err->code;
    heed__vectors_close(v);
    return dim;
}

static double squares(const float *x, int64_t n) {
    double sum = 0;
    for (int64_t k = 0; k < n; k++) sum += (double)x[k] * (double)x[k];
    return sum;
}

/* Copies what the file has of b's words; taken [rows] marks them. How many, or a status. */
static int64_t copy(heed_body *b, heed_vectors *v, heed_tensor *table, bool *taken, double sum[2],
                    heed_error *err) {
    const int64_t C = table->shape[1];
    const char *word;
    const float *numbers;
    size_t size;
    int64_t count = 0;
    int got;
    while ((got = heed__vectors_next(v, &word, &size, &numbers, err)) > 0) {
        const int64_t row = b->kind->word(b, word, size);
        if (row < 0 || taken[row]) continue;
        float *to = HEED_F32_DATA(table) + row * C;
        sum[0] += squares(to, C);
        sum[1] += squares(numbers, C);
        memcpy(to, numbers, (size_t)C * sizeof *to);
        taken[row] = true;
        count++;
    }
    return got < 0 ? got : count;
}

static int take(heed_body *b, heed_vectors *v, const char *path, const heed_hooks *hooks,
                heed_error *err) {
    int64_t words = 0;
    heed_tensor *table = b->kind->words(b, &words);
    const int64_t rows = table->shape[0], C = table->shape[1];
    if (heed__vectors_dim(v) != C)
        return heed__error(err, HEED_EFORMAT, "%.300s: vectors of %lld numbers for a model of %lld",
                           path, (long long)heed__vectors_dim(v), (long long)C);
    bool *taken = heed__calloc(hooks, (size_t)rows, sizeof *taken);
    double sum[2] = { 0, 0 };
    if (!taken) return heed__error(err, HEED_ENOMEM, "vectors: out of memory");
    const int64_t count = copy(b, v, table, taken, sum, err);
    const float scale = sum[0] > 0 && sum[1] > 0 ? (float)sqrt(sum[0] / sum[1]) : 1;
    for (int64_t r = 0; count > 0 && r < rows; r++)
        for (int64_t k = 0; taken[r] && k < C; k++) HEED_F32_DATA(table)[r * C + k] *= scale;
    heed__free(hooks, taken);
    if (count < 0) return (int)count;
    if (count == 0)
        return heed__error(err, HEED_EFORMAT, "%.300s: none of its words is in the training texts",
                           path);
    if (hooks && hooks->progress) {
        const heed_progress p = { .what = "vectors",
                                  .done = count,
                                  .total = words,
                                  .unit = "words",
                                  .seconds_left = -1,
                                  .loss = (double)NAN };
        hooks->progress(hooks->user, &p);
    }
    return 0;
}

int heed__word_vectors_take(heed_body *b, const char *path, const heed_hooks *hooks,
                            heed_error *err) {
    heed_error own;
    if (!err) err = &own;
    if (!b->kind->words)
        return heed__error(err, HEED_EUNSUPPORTED, "the recipe '%s' has no table of words",
                           b->kind->name);
    int64_t words;
    if (!b->kind->words(b, &words))
        return heed__error(err, HEED_EUNSUPPORTED, "with a tokenizer there is no table of words");
    heed_vectors *v = heed__vectors_open(path, hooks, err);
    const int rc = v ? take(b, v, path, hooks, err) : err->code;
    heed__vectors_close(v);
    return rc;
}
