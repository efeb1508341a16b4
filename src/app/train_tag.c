/* train_tag.c: `heed train tag FILE -o DIR`: entities and slots from tagged sentences. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "app/commands.h"
#include "app/options.h"
#include "app/tag.h"
#include "app/terminal.h"
#include "heed/tasks.h"
#include "tasks/tagger.h"

typedef struct tag_options {
    heed_tag_cfg cfg;
    heed_conll_cfg columns;
    const char *out, *precision, *valid;
    int64_t seed, threads;
} tag_options;

static int read_options(tag_options *o, int argc, char **argv, const char **operand) {
    heed_tag_cfg *c = &o->cfg;
    const opt options[] = {
        { "out", 'o', OPT_TEXT, &o->out, 0, 0, "DIR", "folder of the model to write" },
        { "valid", 0, OPT_TEXT, &o->valid, 0, 0, "FILE", "held-out sentences (a tenth of FILE's)" },
        { "valid-part", 0, OPT_REAL, &c->valid_part, 0, 0.9, "P",
          "part of FILE held out; 0: none (0.1)" },
        { "token", 0, OPT_INT, &o->columns.token, 1, 1000, "N", "column of the words (1)" },
        { "tag", 0, OPT_INT, &o->columns.tag, 1, 1000, "N", "column of the tags (the last)" },
        { "recipe", 0, OPT_TEXT, &c->recipe, 0, 0, "R", "lstm or encoder (lstm)" },
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
        { "ema", 0, OPT_REAL, &c->ema, 0, 0.99999, "D",
          "decay of an average of the weights, which then counts (none)" },
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
        { "seed", 0, OPT_INT, &o->seed, 0, 0x1p53, "N", "of everything random (1)" },
        { "precision", 0, OPT_TEXT, &o->precision, 0, 0, "P",
          "f32 or bf16, of matrix products (f32)" },
        { "threads", 0, OPT_INT, &o->threads, 1, 1024, "N", "threads (as many as there are)" },
        { NULL, 0, OPT_FLAG, NULL, 0, 0, NULL, NULL },
    };
    const opt_command what = { "heed train tag FILE -o DIR [options]",
                               "Trains a tagger on columns of words and tags (BIO, IOB1, BIOES, "
                               "BMES, BILOU), an empty line after each sentence, and writes a "
                               "model folder.",
                               options, 1, 1 };
    return opt_read(&what, argc, argv, operand);
}

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void progress(void *user, const heed_progress *p) {
    terminal *term = user;
    if (strcmp(p->what, "memory") == 0) return;
    if (strcmp(p->what, "epoch") != 0) {
        terminal_progress(term, p);
        return;
    }
    terminal_clear(term);
    if (p->score_name)
        printf("epoch %" PRId64 ": loss %.4f, %s %.4f on held-out sentences\n", p->epoch, p->loss,
               p->score_name, p->score);
    else
        printf("epoch %" PRId64 ": loss %.4f\n", p->epoch, p->loss);
    fflush(stdout);
}

static int train(tag_options *o, const char *file, heed_error *err) {
    terminal term = terminal_open(stderr);
    const heed_hooks hooks = { .user = &term, .progress = progress, .cancel = command_cancelled };
    heed_conll data = { 0 }, held = { 0 };
    int rc = heed__tagger_check_folder(o->out, err);
    if (rc == 0) rc = tag_read(&data, file, &o->columns, err);
    if (rc == 0) tag_describe(&data, file);
    if (rc == 0 && o->valid) rc = tag_read(&held, o->valid, &o->columns, err);
    if (rc == 0 && o->valid) tag_describe(&held, o->valid);
    if (rc == 0) {
        const heed_tagged learn = { data.len, data.first, data.token, data.tag };
        const heed_tagged valid = { held.len, held.first, held.token, held.tag };
        const double start = seconds();
        o->cfg.hooks = &hooks;
        o->cfg.valid = o->valid ? &valid : NULL;
        heed_tagger *t = heed_tagger_train(&learn, &o->cfg, err);
        terminal_clear(&term);
        rc = t ? heed_tagger_save(t, o->out, err) : err->code;
        if (rc == 0)
            printf("%s: %" PRId64 " types, %" PRId64 " parameters, trained in %.1f s\n", o->out,
                   heed_tagger_types(t), heed_tagger_parameters(t), seconds() - start);
        heed_tagger_close(t);
    }
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
        fprintf(stderr, "heed train tag: -o DIR is needed; see --help\n");
        return EXIT_USAGE;
    }
    if (o.precision && strcmp(o.precision, "f32") != 0 && strcmp(o.precision, "bf16") != 0) {
        fprintf(stderr, "heed train tag: --precision is f32 or bf16, not '%s'\n", o.precision);
        return EXIT_USAGE;
    }
    if (o.precision && strcmp(o.precision, "bf16") == 0) o.cfg.precision = HEED_PRECISION_BF16;
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
