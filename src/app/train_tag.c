/* train_tag.c: `heed train tag FILE -o DIR`: entities and slots from tagged sentences. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "app/commands.h"
#include "app/messages.h"
#include "app/options.h"
#include "app/tag.h"
#include "app/train_report.h"
#include "app/train_run.h"
#include "base/alloc.h"
#include "heed/tasks.h"
#include "tasks/tag_split.h"
#include "tasks/tagger.h"

typedef struct tag_options {
    heed_tag_cfg cfg;
    heed_conll_cfg columns;
    const char *out, *precision, *valid, *run;
    char run_text[4096];
    int64_t seed, threads;
} tag_options;

static int read_options(tag_options *o, int argc, char **argv, const char **operand) {
    heed_tag_cfg *c = &o->cfg;
    const opt options[] = {
        { "out", 'o', OPT_PATH, &o->out, 0, 0, "DIR", "folder of the model to write" },
        { "valid", 0, OPT_PATH, &o->valid, 0, 0, "FILE", "held-out sentences (a tenth of FILE's)" },
        { "valid-part", 0, OPT_REAL, &c->valid_part, 0, 0.9, "P",
          "part of FILE held out; 0: none (0.1)" },
        { "token", 0, OPT_INT, &o->columns.token, 1, 1000, "N", "column of the words (1)" },
        { "tag", 0, OPT_INT, &o->columns.tag, 1, 1000, "N", "column of the tags (the last)" },
        { "recipe", 0, OPT_TEXT, &c->recipe, 0, 0, "R", "lstm or encoder (lstm)" },
        { "from", 0, OPT_PATH, &c->from, 0, 0, "MODEL", "start from this model" },
        { "no-crf", 0, OPT_FLAG, &c->no_crf, 0, 0, NULL,
          "learn each word's tag by itself; answers follow the scheme all the same" },
        { "epochs", 0, OPT_INT, &c->epochs, 1, 1e6, "N", "passes over the data, at most (10)" },
        { "patience", 0, OPT_INT, &c->patience, 1, 1e6, "N",
          "epochs without a better F1 before it stops (3)" },
        { "batch", 0, OPT_INT, &c->batch, 1, 65536, "N", "sentences in a step (16)" },
        { "lr", 0, OPT_REAL, &c->lr, 1e-9, 10, "X", "learning rate (0.003; encoder: 0.001)" },
        { "dropout", 0, OPT_REAL, &c->dropout, 0, 0.95, "P",
          "part of values dropped (0.5; encoder: 0.2)" },
        { "word-dropout", 0, OPT_REAL, &c->word_dropout, 0, 0.95, "P",
          "part of words dropped (0.05)" },
        { "feature-dropout", 0, OPT_REAL, &c->feature_dropout, 0, 0.95, "P",
          "part of the letters' features dropped (0.15)" },
        { "hidden", 0, OPT_INT, &c->hidden, 1, 4096, "N", "units of each direction (128)" },
        { "layers", 0, OPT_INT, &c->layers, 1, 8, "N", "layers (1; encoder: 2)" },
        { "heads", 0, OPT_INT, &c->heads, 1, 64, "N", "encoder: heads (4)" },
        { "embed", 0, OPT_INT, &c->embed, 1, 4096, "N", "width of words (100)" },
        { "features", 0, OPT_INT, &c->features, 1, 4096, "N", "width of their letters (64)" },
        { "field", 0, OPT_INT, &c->field, 1, 4096, "N", "width of shape and affixes (16)" },
        { "buckets", 0, OPT_INT, &c->buckets, 2, 67108864, "N",
          "rows of the letters' table (32768)" },
        { "vocab", 0, OPT_INT, &c->vocab, 3, 67108864, "N", "words known (50000)" },
        { "seconds", 0, OPT_REAL, &c->seconds, 0, 1e9, "S", "time for training (no limit)" },
        { "run", 0, OPT_PATH, &o->run, 0, 0, "DIR",
          "folder of logs and checkpoint, or none (MODEL.run)" },
        { "resume", 0, OPT_FLAG, &c->resume, 0, 0, NULL, "go on with a training stopped" },
        { "seed", 0, OPT_INT, &o->seed, 0, 0x1p53, "N", "of everything random (1)" },
        { "precision", 0, OPT_TEXT, &o->precision, 0, 0, "P",
          "f32 or bf16, of matrix products (f32)" },
        { "threads", 0, OPT_INT, &o->threads, 1, 1024, "N", "threads (as many as there are)" },
        { NULL, 0, OPT_FLAG, NULL, 0, 0, NULL, NULL },
    };
    const opt_command what = { "heed train tag FILE -o DIR [options]",
                               "Trains a tagger on columns of words and tags (BIO, IOB1, BIOES, "
                               "BMES, BILOU), an empty line after each sentence, and writes a "
                               "model folder. ^C keeps the best so far; --resume goes on.",
                               options, 1, 1 };
    return opt_read(&what, argc, argv, operand);
}

static int save(const void *model, const char *dir, heed_error *err) {
    return heed_tagger_save(model, dir, err);
}

/* The page about the run, with what is found in `valid`, or else in what was held out of `learn`.
 */
static int report_run(const tag_options *o, heed_tagger *t, const report_of *page,
                      const heed_tagged *learn, const heed_tagged *valid, heed_error *err) {
    heed_tag_part kept = { .start = NULL };
    int rc = 0;
    if (!o->valid) rc = heed__tag_split(learn, o->cfg.valid_part, o->cfg.seed, NULL, &kept, NULL);
    if (rc) heed__error(err, rc, "report: out of memory");
    if (rc == 0) rc = train_report_tags(t, o->valid ? valid : &kept.data, page, err);
    heed__tag_part_free(&kept, NULL);
    return rc;
}

/* Trains on what has been read and saves. */
static int train_on(tag_options *o, const char *file, const heed_conll *data,
                    const heed_conll *held, heed_error *err) {
    const heed_tagged learn = { data->len, data->first, data->token, data->tag };
    const heed_tagged valid = { held->len, held->first, held->token, held->tag };
    train_watch w;
    train_watch_begin(&w);
    o->cfg.hooks = &w.hooks;
    o->cfg.valid = o->valid ? &valid : NULL;
    o->cfg.keep_stopped = true;
    heed_tagger *t = heed_tagger_train(&learn, &o->cfg, err);
    terminal_clear(&w.term);
    int rc = train_save(o->out, o->cfg.run, save, t, err);
    if (rc == 0)
        printf(tr("%s: %" PRId64 " types, %" PRId64 " parameters, trained in %.1f s\n"), o->out,
               heed_tagger_types(t), heed_tagger_parameters(t), train_watch_seconds(&w));
    double ece[2];
    if (rc == 0 && heed_tagger_temperature(t, ece) != 1) {
        printf(tr("calibration error of held-out entities: %.4f, with temperature %.4g: %.4f\n"),
               ece[0], heed_tagger_temperature(t, NULL), ece[1]);
        train_tell_calibration(ece[0], ece[1]);
    }
    const report_of page = { o->cfg.run, file, train_watch_seconds(&w), false };
    if (rc == 0 && o->cfg.run) rc = report_run(o, t, &page, &learn, &valid, err);
    heed_tagger_close(t);
    return rc;
}

static int train(tag_options *o, const char *file, heed_error *err) {
    heed_conll data = { 0 }, held = { 0 };
    int rc = heed__tagger_check_folder(o->out, err);
    if (rc == 0) rc = tag_read(&data, file, &o->columns, err);
    if (rc == 0) tag_describe(&data, file);
    if (rc == 0 && o->valid) rc = tag_read(&held, o->valid, &o->columns, err);
    if (rc == 0 && o->valid) tag_describe(&held, o->valid);
    fflush(stdout);
    if (rc == 0) rc = train_on(o, file, &data, &held, err);
    heed__conll_free(&data);
    heed__conll_free(&held);
    return rc;
}

int train_tag(int argc, char **argv) {
    tag_options o = {
        .seed = 1,
        .cfg = { .valid_part = 0.1, .dropout = -1, .word_dropout = -1, .feature_dropout = -1 }
    };
    const char *operand[1];
    const int n = read_options(&o, argc, argv, operand);
    if (n < 0) return command_usage(n);
    if (!o.out) {
        complain(tr("heed train tag: -o DIR is needed; see --help\n"));
        return EXIT_USAGE;
    }
    int precision;
    if (!train_precision(o.precision, &precision)) return EXIT_USAGE;
    const train_own own[] = { { "heads", o.cfg.heads, "encoder" }, { NULL, false, NULL } };
    const char *recipe = o.cfg.recipe ? o.cfg.recipe : o.cfg.from ? "" : "lstm";
    if (!train_is_recipe(o.cfg.recipe, "lstm, encoder") || !train_fits_recipe(own, recipe))
        return EXIT_USAGE;
    o.cfg.precision = (heed_precision)precision;
    o.cfg.run = train_run_folder(o.run, o.out, o.run_text, sizeof o.run_text);
    o.cfg.seed = (uint64_t)o.seed;
    o.cfg.threads = (int)o.threads;
    /* for the library 0 is its own choice, negative none; here -1 stands for what was not given */
    double *const part[] = { &o.cfg.dropout, &o.cfg.word_dropout, &o.cfg.feature_dropout };
    for (int i = 0; i < 3; i++) *part[i] = *part[i] < 0 ? 0 : *part[i] > 0 ? *part[i] : -1;
    if (o.cfg.valid_part <= 0) o.cfg.valid_part = -1;
    command_catch_signals();
    heed_error err = { 0 };
    return train(&o, operand[0], &err) ? command_error(&err) : 0;
}
