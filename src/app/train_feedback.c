/* train_feedback.c: asks libheed-serve.so for the corrections and joins them to the data. */
#include "app/messages.h"
#include "app/train_feedback.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/commands.h"
#include "app/data.h"
#include "base/alloc.h"
#include "base/temporary.h"

/* Writes them into the file at path. 0 or a status. */
static int export(const char *store, const char *analysis, char *path, heed_error *err) {
    const size_t size = strlen(store);
    const bool flow = size > 5 && (strcmp(store + size - 5, ".yaml") == 0 ||
                                   strcmp(store + size - 4, ".yml") == 0);
    char *argv[] = { "db",
                     "feedback",
                     (char *)(uintptr_t)analysis,
                     flow ? "--flow" : "--store",
                     (char *)(uintptr_t)store,
                     "--out",
                     path,
                     NULL };
    if (serving_run(7, argv) == 0) return 0;
    return heed__error(err, HEED_EIO, "%.200s: what people corrected cannot be read", store);
}

typedef struct corrected {
    const char *text;
    int64_t at;
} corrected;

static int by_text(const void *a, const void *b) {
    return strcmp(((const corrected *)a)->text, ((const corrected *)b)->text);
}

/* x without the texts that were corrected, then the corrections. */
static int join(feedback *f, heed_examples *x, heed_error *err) {
    const size_t n = (size_t)(x->len + f->d.len);
    corrected *sorted = calloc((size_t)f->d.len + 1, sizeof *sorted);
    f->text = calloc(n + 1, sizeof *f->text);
    f->label = calloc(n + 1, sizeof *f->label);
    if (!sorted || !f->text || !f->label) {
        free(sorted);
        return heed__error(err, HEED_ENOMEM, "train: out of memory");
    }
    for (int64_t i = 0; i < f->d.len; i++) sorted[i] = (corrected){ f->d.text[i], i };
    qsort(sorted, (size_t)f->d.len, sizeof *sorted, by_text);
    int64_t len = 0;
    for (int64_t i = 0; i < x->len; i++) {
        const corrected key = { x->text[i], 0 };
        if (bsearch(&key, sorted, (size_t)f->d.len, sizeof *sorted, by_text)) continue;
        f->text[len] = x->text[i];
        f->label[len++] = x->label[i];
    }
    printf(tr("%" PRId64 " texts that people corrected or confirmed, %" PRId64
              " of them in place of "
              "the data's\n"),
           f->d.len, x->len - len);
    for (int64_t i = 0; i < f->d.len; i++, len++) {
        f->text[len] = f->d.text[i];
        f->label[len] = f->d.label[i];
    }
    free(sorted);
    x->text = f->text;
    x->label = f->label;
    x->len = len;
    return 0;
}

int feedback_add(feedback *f, heed_examples *x, const char *store, const char *analysis,
                 heed_error *err) {
    char path[HEED_PATH_SIZE];
    const heed_dataset_cfg cfg = { .text = "text", .label = "label" };
    int rc = heed__temporary_file(path, "feedback", ".jsonl", err);
    if (rc) return rc;
    rc = export(store, analysis, path, err);
    FILE *from = rc == 0 ? fopen(path, "r") : NULL;
    const bool any = from && getc(from) != EOF;
    if (from) fclose(from);
    if (any) rc = data_read(&f->d, path, &cfg, err);
    unlink(path);
    if (rc == 0 && !any)
        printf(tr("nobody has corrected or confirmed anything of '%s'\n"), analysis);
    return rc == 0 && any ? join(f, x, err) : rc;
}

void feedback_free(feedback *f) {
    heed__dataset_free(&f->d);
    free(f->text);
    free(f->label);
    *f = (feedback){ .text = NULL };
}
