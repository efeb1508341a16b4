/* train_vectors.c: `heed train vectors FILE -o WORDS.vec`: vectors of words from texts without
 * labels, for `heed train classify --vectors`. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "app/commands.h"
#include "app/data.h"
#include "app/messages.h"
#include "app/options.h"
#include "app/train_run.h"
#include "tasks/word_ids.h"

typedef struct vectors_options {
    heed_dataset_cfg table;
    heed_vectors_cfg cfg;
    const char *out;
    int64_t seed;
} vectors_options;

static int train(vectors_options *o, const char *file, heed_error *err) {
    heed_dataset d = { .len = 0 };
    train_watch w;
    int64_t words = 0;
    int rc = data_read(&d, file, &o->table, err);
    if (rc == 0) {
        data_tell(&d, file, NULL);
        fflush(stdout);
        train_watch_begin(&w);
        o->cfg.cbow.hooks = &w.hooks;
        const heed_texts x = { .len = d.len, .text = d.text };
        rc = heed__vectors_learn(&x, &o->cfg, o->out, &words, err);
        terminal_clear(&w.term);
    }
    if (rc == 0)
        printf(
            tr("%s: vectors of %" PRId64 " words, %" PRId64 " numbers each, trained in %.1f s\n"),
            o->out, words, o->cfg.cbow.dim, train_watch_seconds(&w));
    heed__dataset_free(&d);
    return rc;
}

int train_vectors(int argc, char **argv) {
    vectors_options o = { .table.text_only = true,
                          .cfg = { .cbow.dim = 100, .threads = 1 },
                          .seed = 1 };
    heed_cbow_cfg *c = &o.cfg.cbow;
    const opt options[] = {
        { "out", 'o', OPT_PATH, &o.out, 0, 0, "FILE", "the file of vectors to write" },
        { "text", 0, OPT_TEXT, &o.table.text, 0, 0, "COL", "column of the texts (guessed)" },
        { "dim", 0, OPT_INT, &c->dim, 1, 4096, "N", "width of the vectors (100)" },
        { "window", 0, OPT_INT, &c->window, 1, 1000, "N", "words on either side, at most (8)" },
        { "drawn", 0, OPT_INT, &c->drawn, 1, 1000, "N",
          "words drawn by chance that each is told from (8)" },
        { "epochs", 0, OPT_INT, &c->passes, 1, 1e6, "N", "passes over the texts (4)" },
        { "lr", 0, OPT_REAL, &c->rate, 1e-9, 10, "X", "learning rate, which falls to 0 (0.025)" },
        { "least", 0, OPT_INT, &o.cfg.least, 1, 1e9, "N", "texts that a word is in (5)" },
        { "seed", 0, OPT_INT, &o.seed, 0, 0x1p53, "N", "of everything random (1)" },
        { NULL, 0, OPT_FLAG, NULL, 0, 0, NULL, NULL },
    };
    const opt_command what = { "heed train vectors FILE -o WORDS.vec [options]",
                               "Learns vectors of words from texts without labels, by the words "
                               "around them, and writes them as word2vec does, for `heed train "
                               "classify --vectors`.",
                               options, 1, 1 };
    const char *operand[1];
    const int n = opt_read(&what, argc, argv, operand);
    if (n < 0) return command_usage(n);
    if (!o.out) {
        complain("%s", tr("heed train: -o FILE is needed; see --help\n"));
        return EXIT_USAGE;
    }
    c->seed = (uint64_t)o.seed;
    command_catch_signals();
    heed_error err = { 0 };
    return train(&o, operand[0], &err) ? command_error(&err) : 0;
}
