/* cmd_embed.c: `heed embed MODEL [FILE]`: a line in, a vector out. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/commands.h"
#include "app/messages.h"
#include "app/options.h"
#include "app/print.h"
#include "base/alloc.h"
#include "base/file.h"
#include "base/text.h"
#include "heed/embed.h"
#include "heed/io.h"
#include "io/dataset.h"
#include "base/input.h"

enum { BATCH = 64 };

typedef struct embedding {
    heed_embedder *e;
    heed_input *in;            /* lines, or */
    heed_dataset_stream *data; /* a column of a data file */
    int64_t dim;
    bool json;
    const char *out;
    char *text[BATCH]; /* [len] own copies */
    int64_t len;
    float *v;           /* [BATCH,dim] */
    float *all;         /* [count,dim] with out */
    int64_t count, cap; /* texts */
} embedding;

static int fail(heed_error *err, int code, const char *name, const char *what) {
    err->code = code;
    snprintf(err->msg, sizeof err->msg, "%.300s: %s", name, what);
    return code;
}

/* The next text, which lives until the next call: 1, 0 at the end, or a status. */
static int next_text(embedding *m, const char **text, heed_error *err) {
    char *line;
    size_t size;
    heed_example x = { .text = NULL };
    if (m->data) {
        const int got = heed__dataset_next(m->data, &x, err);
        *text = x.text;
        return got;
    }
    const int got = heed__input_line(m->in, &line, &size, err);
    if (got <= 0) return got;
    const char *wrong = got == HEED_LINE_LONG                 ? "a line of more than 64 MB"
                        : memchr(line, 0, size)               ? "a zero byte"
                        : heed__utf8_check(line, size) < size ? "not UTF-8"
                                                              : NULL;
    if (wrong) {
        char place[320];
        snprintf(place, sizeof place, "%.280s:%" PRId64, heed__input_name(m->in),
                 heed__input_line_number(m->in));
        return fail(err, HEED_EFORMAT, place, wrong);
    }
    *text = line;
    return 1;
}

static void print_vector(const embedding *m, const float *v) {
    printf("%s", m->json ? "{\"vector\": [" : "");
    for (int64_t k = 0; k < m->dim; k++) {
        if (k) printf("%s", m->json ? ", " : " ");
        print_json_number((double)v[k]);
    }
    printf("%s\n", m->json ? "]}" : "");
}

static int keep(embedding *m, heed_error *err) {
    const int64_t need = m->count + m->len;
    if (need > m->cap) {
        const int64_t cap = need > 2 * m->cap ? need : 2 * m->cap;
        float *grown = realloc(m->all, (size_t)(cap * m->dim) * sizeof *grown);
        if (!grown) return fail(err, HEED_ENOMEM, m->out, "out of memory");
        m->all = grown;
        m->cap = cap;
    }
    memcpy(m->all + m->count * m->dim, m->v, (size_t)(m->len * m->dim) * sizeof *m->v);
    return 0;
}

/* Embeds the texts that wait, and prints or keeps them. */
static int flush(embedding *m, heed_error *err) {
    int rc = heed_embedder_apply(m->e, m->len, (const char *const *)m->text, m->v, err);
    if (rc == 0 && m->out) rc = keep(m, err);
    for (int64_t i = 0; i < m->len; i++) {
        if (rc == 0 && !m->out) print_vector(m, m->v + i * m->dim);
        free(m->text[i]);
    }
    m->count += m->len;
    m->len = 0;
    return rc || m->out ? rc : print_flush(err);
}

/* Texts are embedded together while others stand ready, so that who writes at the other end of a
 * pipe need not wait. */
static bool may_wait(const embedding *m) {
    if (m->len == BATCH) return false;
    return m->out || (m->data ? heed__dataset_ready(m->data) : heed__input_line_ready(m->in));
}

static int each_text(embedding *m, heed_error *err) {
    const char *text;
    heed_error own = { 0 };
    int got = 1, rc = 0;
    while (rc == 0 && !command_cancelled(NULL) && (got = next_text(m, &text, err)) > 0) {
        m->text[m->len] = strdup(text);
        if (!m->text[m->len]) rc = fail(err, HEED_ENOMEM, "texts", "out of memory");
        if (rc) break;
        m->len++;
        if (!may_wait(m)) rc = flush(m, err);
    }
    if (rc == 0 && got < 0) rc = got;
    const int before = m->len ? flush(m, rc ? &own : err) : 0; /* those before what is wrong */
    if (rc == 0) rc = before;
    if (rc == 0 && command_cancelled(NULL)) rc = fail(err, HEED_ECANCELLED, "embed", "stopped");
    return rc;
}

/* NumPy's own form, version 1.0: a header padded to 64 bytes, then the numbers. */
static int save_npy(const embedding *m, heed_error *err) {
    char header[128];
    heed_writer *w = heed__writer_new(NULL, m->out, err);
    if (!w) return err->code;
    memcpy(header, "\x93NUMPY\x01\x00\x76\x00", 10);
    memset(header + 10, ' ', sizeof header - 10);
    const int n = snprintf(header + 10, sizeof header - 11,
                           "{'descr': '<f4', 'fortran_order': False, 'shape': (%" PRId64
                           ", %" PRId64 "), }",
                           m->count, m->dim);
    header[10 + n] = ' ';
    header[sizeof header - 1] = '\n';
    heed__writer_write(w, header, sizeof header);
    heed__writer_write(w, m->all, (size_t)(m->count * m->dim) * sizeof *m->all);
    return heed__writer_commit(w, err);
}

static int save(const embedding *m, heed_error *err) {
    const size_t n = strlen(m->out);
    if (n > 4 && strcmp(m->out + n - 4, ".npy") == 0) return save_npy(m, err);
    const heed_entry entry = { .name = "embeddings",
                               .dtype = HEED_FILE_F32,
                               .ndim = 2,
                               .shape = { m->count, m->dim },
                               .data = m->all };
    return heed_safetensors_save(m->out, &entry, 1, NULL, NULL, err);
}

static int embed(embedding *m, const char *dir, const char *file, const char *column,
                 const heed_open_cfg *open, heed_error *err) {
    const heed_dataset_cfg cfg = { .text = column, .text_only = true, .hooks = open->hooks };
    if (column)
        m->data = heed__dataset_open(file, &cfg, err);
    else
        m->in = heed__input_open(file, open->hooks, err);
    if (!m->in && !m->data) return err->code;
    m->e = heed_embedder_open(dir, open, err);
    if (!m->e) return err->code;
    m->dim = heed_embedder_dim(m->e);
    m->v = malloc((size_t)(BATCH * m->dim) * sizeof *m->v);
    if (!m->v) return fail(err, HEED_ENOMEM, dir, "out of memory");
    const int rc = each_text(m, err);
    if (rc || !m->out) return rc;
    if (save(m, err)) return err->code;
    printf(tr("%s: %" PRId64 " vectors of %" PRId64 " numbers\n"), m->out, m->count, m->dim);
    return 0;
}

static bool ends_with(const char *text, const char *end) {
    const size_t a = strlen(text), b = strlen(end);
    return a >= b && strcmp(text + a - b, end) == 0;
}

int cmd_embed(int argc, char **argv) {
    embedding m = { .json = false };
    const char *column = NULL;
    int64_t threads = 1;
    const opt options[] = {
        { "json", 0, OPT_FLAG, &m.json, 0, 0, NULL,
          "a JSON object a line (docs/schemas/embed.json)" },
        { "out", 'o', OPT_PATH, &m.out, 0, 0, "FILE",
          "write all vectors to FILE.npy or FILE.safetensors" },
        { "text", 0, OPT_TEXT, &column, 0, 0, "COL", "FILE is a data file; this column's texts" },
        { "threads", 0, OPT_INT, &threads, 1, 1024, "N", "threads (1)" },
        { NULL, 0, OPT_FLAG, NULL, 0, 0, NULL, NULL },
    };
    const opt_command what = { "heed embed MODEL [FILE] [options]",
                               "Vectors of length 1, one for each line of FILE (standard input "
                               "without it, or for `-`): of an embedder, or a classifier's own.",
                               options, 1, 2 };
    const char *operand[2] = { NULL, NULL };
    const int n = opt_read(&what, argc, argv, operand);
    if (n < 0) return command_usage(n);
    if (m.out && !ends_with(m.out, ".npy") && !ends_with(m.out, ".safetensors")) {
        complain(tr("heed embed: -o FILE ends in .npy or .safetensors, not '%s'\n"), m.out);
        return EXIT_USAGE;
    }
    command_catch_signals();
    heed_error err = { 0 };
    const heed_hooks hooks = { .cancel = command_cancelled };
    const heed_open_cfg open = { .threads = (int)threads, .hooks = &hooks };
    const int rc = embed(&m, operand[0], operand[1] ? operand[1] : "-", column, &open, &err);
    heed__input_close(m.in);
    heed__dataset_close(m.data);
    heed_embedder_close(m.e);
    free(m.v);
    free(m.all);
    return rc ? command_error(&err) : 0;
}
