/* reviews.c: the review classifier of the introductory articles, put right: 10,000 words, the last
 * 128 of a review, embedding 64, LSTM 64, self-attention 64 over all its states, mean, dense 64
 * with ReLU, Adam at 0.001, batch 64, one epoch; prints the loss and the accuracy of the test.
 *
 *     ./reviews TRAIN.tsv TEST.tsv      lines `label<TAB>text`; a first line `label<TAB>text` is
 * passed over
 */
#include <heed/tasks.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const heed_classify_cfg recipe = { .recipe = "classic",
                                          .vocab = 10000,
                                          .max_len = 128,
                                          .embed = 64,
                                          .hidden = 64,
                                          .heads = 1,
                                          .dense = 64,
                                          .batch = 64,
                                          .epochs = 1,
                                          .lr = 0.001,
                                          .constant_lr = true,
                                          .dropout = -1,
                                          .seed = 1 };

typedef struct lines {
    int64_t len;
    char **label, **text;
} lines;

static int read_lines(lines *l, const char *path) {
    FILE *in = fopen(path, "r");
    char *line = NULL;
    size_t cap = 0;
    if (!in) return perror(path), 1;
    while (getline(&line, &cap, in) >= 0) {
        line[strcspn(line, "\r\n")] = 0;
        char *tab = strchr(line, '\t');
        if (!tab || strcmp(line, "label\ttext") == 0) continue;
        l->label = realloc(l->label, (size_t)(l->len + 1) * sizeof *l->label);
        l->text = realloc(l->text, (size_t)(l->len + 1) * sizeof *l->text);
        if (!l->label || !l->text) return perror(path), 1;
        *tab = 0;
        l->text[l->len] = strdup(tab + 1);
        l->label[l->len++] = strdup(line);
    }
    free(line);
    fclose(in);
    return 0;
}

static heed_examples examples(const lines *l) {
    return (heed_examples){ .len = l->len,
                            .text = (const char *const *)l->text,
                            .label = (const char *const *)l->label };
}

static void lines_free(lines *l) {
    for (int64_t i = 0; i < l->len; i++) free(l->text[i]), free(l->label[i]);
    free(l->text), free(l->label);
}

int main(int argc, char **argv) {
    if (argc != 3) return fprintf(stderr, "reviews TRAIN.tsv TEST.tsv\n"), 64;
    lines train = { 0 }, test = { 0 };
    if (read_lines(&train, argv[1]) || read_lines(&test, argv[2])) return 66;
    heed_error err = { 0 };
    heed_metrics m;
    const heed_examples a = examples(&train), b = examples(&test);
    heed_classifier *c = heed_classifier_train(&a, &recipe, &err);
    if (!c || heed_classifier_test(c, &b, &m, &err)) return fprintf(stderr, "%s\n", err.msg), 65;
    printf("Test Loss: %.4f\nTest Accuracy: %.4f\n", m.loss, m.accuracy);
    heed_classifier_close(c);
    lines_free(&train), lines_free(&test);
    return 0;
}
