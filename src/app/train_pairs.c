/* train_pairs.c: `heed train pairs FILE -o DIR`: an embedder from pairs of texts. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "app/commands.h"
#include "app/messages.h"
#include "app/options.h"
#include "app/pairs.h"
#include "app/report.h"
#include "app/train_report.h"
#include "app/train_run.h"
#include "tasks/embedder.h"

typedef struct pairs_options {
    heed_dataset_cfg table;
    heed_embedder_cfg cfg;
    const char *out, *precision, *run, *valid, *test;
    double dropout, hold_out;
    int64_t seed, threads;
    char run_text[4096];
} pairs_options;

static int read_options(pairs_options *o, int argc, char **argv, const char **operand) {
    heed_embedder_cfg *c = &o->cfg;
    const opt options[] = {
        { "out", 'o', OPT_PATH, &o->out, 0, 0, "DIR", "folder of the model to write" },
        { "text", 0, OPT_TEXT, &o->table.text, 0, 0, "COL", "column of the first texts (guessed)" },
        { "text2", 0, OPT_TEXT, &o->table.text2, 0, 0, "COL",
          "column of the second texts (guessed)" },
        { "label", 0, OPT_TEXT, &o->table.label, 0, 0, "COL",
          "column of 1 and 0: pairs with 0 do not belong together and are left out (guessed)" },
        { "recipe", 0, OPT_TEXT, &c->recipe, 0, 0, "R",
          "of the body: match, attend, encoder, classic (match)" },
        { "from", 0, OPT_PATH, &c->from, 0, 0, "MODEL", "start from this model" },
        { "valid", 0, OPT_PATH, &o->valid, 0, 0, "FILE", "held-out pairs" },
        { "valid-part", 0, OPT_REAL, &o->hold_out, 0, 0.9, "P",
          "else this part of the pairs is held out, at most 2000 (0.1)" },
        { "test", 0, OPT_PATH, &o->test, 0, 0, "FILE", "test the model on this at the end" },
        { "patience", 0, OPT_INT, &c->patience, 0, 1e6, "N",
          "stop after N epochs without a better one (never)" },
        { "epochs", 0, OPT_INT, &c->epochs, 1, 1e6, "N", "passes over the data (the recipe's)" },
        { "seconds", 0, OPT_REAL, &c->seconds, 0, 1e9, "S", "time for training (no limit)" },
        { "batch", 0, OPT_INT, &c->batch, 2, 16384, "N", "pairs in a step (128)" },
        { "lr", 0, OPT_REAL, &c->lr, 1e-9, 10, "X", "learning rate (the recipe's)" },
        { "temperature", 0, OPT_REAL, &c->temperature, 1e-4, 100, "X", "of the cosines (0.05)" },
        { "dropout", 0, OPT_REAL, &o->dropout, 0, 0.95, "P",
          "part of values dropped (the recipe's)" },
        { "vocab", 0, OPT_INT, &c->vocab, 3, 1e7, "N", "words known (the recipe's)" },
        { "max-len", 0, OPT_INT, &c->max_len, 1, 65536, "N", "words read at once (256)" },
        { "embed", 0, OPT_INT, &c->embed, 1, 65536, "N", "width of words (the recipe's)" },
        { "hidden", 0, OPT_INT, &c->hidden, 1, 65536, "N", "width of states (the recipe's)" },
        { "heads", 0, OPT_INT, &c->heads, 1, 1024, "N", "of attention (the recipe's)" },
        { "layers", 0, OPT_INT, &c->layers, 1, 100, "N", "of LSTM or encoder (the recipe's)" },
        { "buckets", 0, OPT_INT, &c->buckets, 1, 1e8, "N",
          "match: rows of the hashed table (32768)" },
        { "seed", 0, OPT_INT, &o->seed, 0, 0x1p53, "N", "of everything random (1)" },
        { "precision", 0, OPT_TEXT, &o->precision, 0, 0, "P",
          "f32 or bf16, of matrix products (f32)" },
        { "threads", 0, OPT_INT, &o->threads, 1, 1024, "N", "threads (as many as there are)" },
        { "run", 0, OPT_PATH, &o->run, 0, 0, "DIR",
          "folder of logs and checkpoint, or none (MODEL.run)" },
        { "resume", 0, OPT_FLAG, &c->resume, 0, 0, NULL, "go on with a training stopped" },
        { NULL, 0, OPT_FLAG, NULL, 0, 0, NULL, NULL },
    };
    const opt_command what = { "heed train pairs FILE -o DIR [options]",
                               "Learns vectors of texts from pairs that belong together, such as "
                               "questions and their answers, for `heed embed`.",
                               options, 1, 1 };
    return opt_read(&what, argc, argv, operand);
}

/* Another recipe's options are not passed over in silence. False: a sentence was printed. */
static bool fits_recipe(const heed_embedder_cfg *c) {
    const train_own own[] = {
        { "vocab", c->vocab, "attend, classic, encoder" },
        { "hidden", c->hidden, "classic" },
        { "heads", c->heads, "attend, classic, encoder" },
        { "layers", c->layers, "classic, encoder" },
        { "buckets", c->buckets, "match" },
        { NULL, false, NULL },
    };
    const char *recipe = c->recipe ? c->recipe : c->from ? "" : "match";
    return train_is_recipe(c->recipe, "match, attend, encoder, classic") &&
           train_fits_recipe(own, recipe);
}

static int save(const void *model, const char *dir, heed_error *err) {
    return heed_embedder_save(model, dir, err);
}

/* The page about the run: its course. */
static int report_run(const heed_embedder *e, const report_of *page, heed_error *err) {
    char title[4200], text[3][64];
    snprintf(title, sizeof title, tr("%s, learnt by an embedder"), page->file);
    snprintf(text[0], sizeof *text, "%" PRId64, heed_embedder_dim(e));
    snprintf(text[1], sizeof *text, "%" PRId64, heed_embedder_parameters(e));
    snprintf(text[2], sizeof *text, "%.1f s", page->seconds);
    const report_fact facts[] = { { "heed", heed_version() },
                                  { "numbers of a vector", text[0] },
                                  { "parameters", text[1] },
                                  { "trained in", text[2] },
                                  { NULL, NULL } };
    report r = { .title = title, .fact = facts };
    return train_report_write(&r, page, err);
}

static int train(pairs_options *o, const char *file, heed_error *err) {
    pairs_data data = { .text = NULL }, valid = data, tests = data;
    train_watch w;
    heed_embedder *e = NULL;
    int rc = heed__embedder_check_folder(o->out, err);
    if (rc == 0) rc = pairs_read(&data, file, &o->table, true, err);
    if (rc == 0 && o->valid) rc = pairs_read(&valid, o->valid, &o->table, true, err);
    if (rc == 0 && o->test) rc = pairs_read(&tests, o->test, &o->table, false, err);
    if (rc == 0 && o->test) data_tell_overlap(&data.d, file, &tests.d, o->test, NULL);
    if (rc == 0) {
        train_watch_begin(&w);
        o->cfg.hooks = &w.hooks;
        if (o->valid) o->cfg.valid = &valid.x;
        if (o->test) o->cfg.tests = &tests.x;
        e = heed_embedder_train(&data.x, &o->cfg, err);
        terminal_clear(&w.term);
        rc = train_save(o->out, o->cfg.run, save, e, err);
    }
    if (rc == 0)
        printf(
            tr("%s: vectors of %" PRId64 " numbers, %" PRId64 " parameters, trained in %.1f s\n"),
            o->out, heed_embedder_dim(e), heed_embedder_parameters(e), train_watch_seconds(&w));
    const report_of page = { o->cfg.run, file, rc ? 0 : train_watch_seconds(&w), false };
    if (rc == 0 && o->cfg.run) rc = report_run(e, &page, err);
    heed_retrieval r;
    if (rc == 0 && o->test) rc = heed_embedder_test(e, &tests.x, &r, err);
    if (rc == 0 && o->test) pairs_print(&r, o->test);
    heed_embedder_close(e);
    pairs_free(&data);
    pairs_free(&valid);
    pairs_free(&tests);
    return rc;
}

int train_pairs(int argc, char **argv) {
    pairs_options o = { .seed = 1, .dropout = -1, .hold_out = -1 };
    const char *operand[1];
    int precision;
    const int n = read_options(&o, argc, argv, operand);
    if (n < 0) return command_usage(n);
    if (!o.out) {
        complain(tr("heed train: -o DIR is needed; see --help\n"));
        return EXIT_USAGE;
    }
    if (!train_precision(o.precision, &precision) || !fits_recipe(&o.cfg)) return EXIT_USAGE;
    heed_embedder_cfg *c = &o.cfg;
    c->precision = (heed_precision)precision;
    c->seed = (uint64_t)o.seed;
    c->threads = (int)o.threads;
    c->dropout = o.dropout < 0 ? 0 : o.dropout > 0 ? o.dropout : -1; /* 0 is the recipe's own */
    c->valid_part = o.hold_out < 0 ? 0 : o.hold_out > 0 ? o.hold_out : -1;
    c->keep_stopped = true;
    c->run = train_run_folder(o.run, o.out, o.run_text, sizeof o.run_text);
    command_catch_signals();
    heed_error err = { 0 };
    return train(&o, operand[0], &err) ? command_error(&err) : 0;
}
