/* train_tokenizer.c: `heed train tokenizer FILE -o tokenizer.json`: a vocabulary from text. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "app/commands.h"
#include "app/messages.h"
#include "app/options.h"
#include "app/train_run.h"
#include "base/text.h"
#include "heed/text.h"
#include "io/dataset.h"
#include "base/input.h"

enum { MOST_SPECIAL = 256 };

typedef struct tokenizer_options {
    heed_tokenizer_cfg cfg;
    const char *out, *column, *like, *special;
    char *special_list[MOST_SPECIAL + 1];
    char special_text[8192];
} tokenizer_options;

/* Texts: the lines of a file, or a column of a table. */
typedef struct texts {
    heed_input *lines;
    heed_dataset_stream *table;
    int64_t count, bytes;
} texts;

static int read_options(tokenizer_options *o, int argc, char **argv, const char **operand) {
    heed_tokenizer_cfg *c = &o->cfg;
    const opt options[] = {
        { "out", 'o', OPT_PATH, &o->out, 0, 0, "FILE", "the tokenizer.json to write" },
        { "kind", 0, OPT_TEXT, &c->kind, 0, 0, "K", "bpe (of bytes), wordpiece or unigram (bpe)" },
        { "vocab", 0, OPT_INT, &c->vocab, 1, 16777215, "N", "tokens in all (30000)" },
        { "text", 0, OPT_TEXT, &o->column, 0, 0, "COL",
          "FILE is a table, as for `train classify`: learn from this column" },
        { "min-count", 0, OPT_INT, &c->min_count, 1, 1e15, "N",
          "bpe, wordpiece: pairs seen less often are not joined (2)" },
        { "max-piece", 0, OPT_INT, &c->max_piece, 1, 63, "N",
          "unigram: characters of the longest piece (16)" },
        { "alphabet", 0, OPT_INT, &c->alphabet, 1, 1114112, "N",
          "characters kept, the commonest (wordpiece: 1000; unigram: all)" },
        { "keep-case", 0, OPT_FLAG, &c->keep_case, 0, 0, NULL,
          "wordpiece: capitals and accents stay" },
        { "special", 0, OPT_TEXT, &o->special, 0, 0, "A,B,...",
          "tokens with the first ids (those usual for the kind)" },
        { "like", 0, OPT_PATH, &o->like, 0, 0, "TOKENIZER",
          "normalize and cut texts as this one does" },
        { NULL, 0, OPT_FLAG, NULL, 0, 0, NULL, NULL },
    };
    const opt_command what = { "heed train tokenizer FILE -o tokenizer.json [options]",
                               "Learns the tokens of a text, a line at a time (.gz, .zst and `-` "
                               "too), and writes a tokenizer.json, which other programs read as "
                               "well.",
                               options, 1, 1 };
    return opt_read(&what, argc, argv, operand);
}

static int next_text(void *user, const char **text, size_t *size, heed_error *err) {
    texts *t = user;
    int got;
    if (t->table) {
        heed_example e;
        got = heed__dataset_next(t->table, &e, err);
        if (got > 0) *text = e.text, *size = strlen(e.text);
    } else {
        char *line;
        got = heed__input_line(t->lines, &line, size, err);
        const bool bad = got == HEED_LINE_ONE && heed__utf8_check(line, *size) < *size;
        if (got == HEED_LINE_LONG || bad) {
            snprintf(err->msg, sizeof err->msg, "%.300s:%" PRId64 ": %s",
                     heed__input_name(t->lines), heed__input_line_number(t->lines),
                     bad ? "not UTF-8" : "a line of more than 64 MiB");
            return err->code = HEED_EFORMAT;
        }
        *text = line;
    }
    t->count += got > 0;
    if (got > 0) t->bytes += (int64_t)*size;
    return got;
}

/* Cuts --special at its commas. */
static bool read_special(tokenizer_options *o) {
    if (!o->special) return true;
    if (strlen(o->special) >= sizeof o->special_text) return false;
    memcpy(o->special_text, o->special, strlen(o->special) + 1);
    int n = 0;
    for (char *at = o->special_text; at; n++) {
        if (n == MOST_SPECIAL) return false;
        o->special_list[n] = at;
        at = strchr(at, ',');
        if (at) *at++ = 0;
    }
    o->cfg.special = (const char *const *)o->special_list;
    return true;
}

static int open_texts(texts *t, const tokenizer_options *o, const char *file, heed_error *err) {
    if (o->column) {
        const heed_dataset_cfg cfg = { .text = o->column,
                                       .text_only = true,
                                       .hooks = o->cfg.hooks };
        t->table = heed__dataset_open(file, &cfg, err);
        return t->table ? 0 : err->code;
    }
    t->lines = heed__input_open(file, o->cfg.hooks, err);
    return t->lines ? 0 : err->code;
}

static int run(tokenizer_options *o, const char *file, heed_error *err) {
    train_watch w;
    train_watch_begin(&w);
    o->cfg.hooks = &w.hooks;
    heed_tokenizer *like = NULL, *tok = NULL;
    texts t = { 0 };
    int rc = 0;
    if (o->like && !(like = heed_tokenizer_open(o->like, NULL, err))) rc = err->code;
    o->cfg.like = like;
    if (!rc) rc = open_texts(&t, o, file, err);
    if (!rc) {
        const heed_text_source source = { &t, next_text };
        tok = heed_tokenizer_train(&o->cfg, &source, err);
        rc = tok ? heed_tokenizer_save(tok, o->out, err) : err->code;
    }
    terminal_clear(&w.term);
    if (!rc)
        printf(tr("%s: %" PRId64 " tokens from %" PRId64 " texts of %.1f MB, in %.1f s\n"), o->out,
               heed_tokenizer_len(tok), t.count, (double)t.bytes / 1e6, train_watch_seconds(&w));
    if (!rc && o->cfg.vocab && heed_tokenizer_len(tok) > o->cfg.vocab)
        printf(tr("more than the %" PRId64
                  " of --vocab: special tokens and letters alone are so many\n"),
               o->cfg.vocab);
    heed_tokenizer_close(tok);
    heed_tokenizer_close(like);
    heed__dataset_close(t.table);
    heed__input_close(t.lines);
    return rc;
}

int train_tokenizer(int argc, char **argv) {
    static tokenizer_options o;
    const char *operand[1];
    const int n = read_options(&o, argc, argv, operand);
    if (n < 0) return command_usage(n);
    if (!o.out || !read_special(&o)) {
        complain("%s", o.out ? tr("heed train: --special is too long; see --help\n")
                             : tr("heed train: -o FILE is needed; see --help\n"));
        return EXIT_USAGE;
    }
    command_catch_signals();
    heed_error err = { 0 };
    return run(&o, operand[0], &err) ? command_error(&err) : 0;
}
