/* cmd_train.c: `heed train classify FILE -o DIR`. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "app/commands.h"
#include "app/data.h"
#include "app/options.h"
#include "app/tag.h"
#include "app/terminal.h"
#include "heed/tasks.h"
#include "tasks/classifier.h"

static const double DROPOUT = 0.3;

typedef struct train_options {
    heed_dataset_cfg table;
    heed_classify_cfg cfg;
    const char *out, *precision;
    int64_t seed, threads;
} train_options;

static int read_options(train_options *o, int argc, char **argv, const char **operand) {
    heed_classify_cfg *c = &o->cfg;
    const opt options[] = {
        { "out", 'o', OPT_TEXT, &o->out, 0, 0, "DIR", "folder of the model to write" },
        { "label", 0, OPT_TEXT, &o->table.label, 0, 0, "COL", "column of the labels (guessed)" },
        { "text", 0, OPT_TEXT, &o->table.text, 0, 0, "COL", "column of the texts (guessed)" },
        { "epochs", 0, OPT_INT, &c->epochs, 1, 1e6, "N", "passes over the data (15)" },
        { "batch", 0, OPT_INT, &c->batch, 1, 65536, "N", "texts in a step (64)" },
        { "lr", 0, OPT_REAL, &c->lr, 1e-9, 10, "X", "learning rate (0.002)" },
        { "dropout", 0, OPT_REAL, &c->dropout, 0, 0.95, "P", "part of values dropped (0.3)" },
        { "vocab", 0, OPT_INT, &c->vocab, 3, 1e7, "N", "words known (10000)" },
        { "max-len", 0, OPT_INT, &c->max_len, 1, 65536, "N", "words read of a text (128)" },
        { "seed", 0, OPT_INT, &o->seed, 0, 0x1p53, "N", "of everything random (1)" },
        { "precision", 0, OPT_TEXT, &o->precision, 0, 0, "P",
          "f32 or bf16, of matrix products (f32)" },
        { "threads", 0, OPT_INT, &o->threads, 1, 1024, "N", "threads (as many as there are)" },
        { NULL, 0, OPT_FLAG, NULL, 0, 0, NULL, NULL },
    };
    const opt_command what = { "heed train classify FILE -o DIR [options]",
                               "Trains a classifier on `label<TAB>text` lines (a header may "
                               "name the columns) and writes a model folder.",
                               options, 2, 2 };
    return opt_read(&what, argc, argv, operand);
}

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* What the user hook of a training is. */
typedef struct watch {
    terminal term;
    double resident; /* bytes of this process before the training */
} watch;

/* Bytes of this process in memory, with all of its code, of which more will be used. */
static double resident(void) {
    extern const char __executable_start[], etext[];
    long long pages = 0, in_memory = 0;
    FILE *in = fopen("/proc/self/statm", "r");
    if (in && fscanf(in, "%lld %lld", &pages, &in_memory) != 2) in_memory = 0;
    if (in) fclose(in);
    return (double)in_memory * (double)sysconf(_SC_PAGESIZE) + (double)(etext - __executable_start);
}

/* Of the held-out data where there is any, else the mean loss of what was learnt. */
static void print_epoch(watch *w, const heed_progress *p) {
    terminal_clear(&w->term);
    printf("Epoch [%" PRId64 "/%" PRId64 "], Loss: %.4f", p->epoch, p->epochs,
           p->score_name ? p->held_loss : p->loss);
    if (p->score_name) printf(", %s: %.4f", p->score_name, p->score);
    printf("\n");
    fflush(stdout);
}

static void progress(void *user, const heed_progress *p) {
    watch *w = user;
    if (strcmp(p->what, "epoch") == 0) {
        print_epoch(w, p);
        return;
    }
    if (strcmp(p->what, "memory") != 0) {
        terminal_progress(&w->term, p);
        return;
    }
    printf("memory: at most %.1f MB\n", ((double)p->total + w->resident) / 1e6);
    fflush(stdout);
}

static void log_line(void *user, heed_log_level level, const char *line) {
    terminal_log(&((watch *)user)->term, level, line);
}

static int train(train_options *o, const char *file, heed_error *err) {
    watch w = { .term = terminal_open(stderr) };
    const heed_hooks hooks = {
        .user = &w, .log = log_line, .progress = progress, .cancel = command_cancelled
    };
    heed_dataset table;
    int rc = heed__classifier_check_folder(o->out, err);
    if (rc == 0) rc = data_read(&table, file, &o->table, err);
    if (rc) return rc;
    data_tell(&table, file);
    fflush(stdout);
    o->cfg.hooks = &hooks;
    const heed_examples data = { .len = table.len, .text = table.text, .label = table.label };
    const double start = seconds();
    w.resident = resident();
    heed_classifier *c = heed_classifier_train(&data, &o->cfg, err);
    terminal_clear(&w.term);
    rc = c ? heed_classifier_save(c, o->out, err) : err->code;
    if (rc == 0)
        printf("%s: %" PRId64 " labels, %" PRId64 " parameters, trained in %.1f s\n", o->out,
               heed_classifier_labels(c), heed_classifier_parameters(c), seconds() - start);
    heed_classifier_close(c);
    heed__dataset_free(&table);
    return rc;
}

int cmd_train(int argc, char **argv) {
    if (argc > 0 && strcmp(argv[0], "tag") == 0) return train_tag(argc - 1, argv + 1);
    train_options o = { .seed = 1, .cfg.dropout = DROPOUT };
    const char *operand[2];
    const int n = read_options(&o, argc, argv, operand);
    if (n < 0) return command_usage(n);
    if (strcmp(operand[0], "classify") != 0) {
        fprintf(stderr, "heed train: no task '%s'; there are: classify, tag\n", operand[0]);
        return EXIT_USAGE;
    }
    if (!o.out) {
        fprintf(stderr, "heed train: -o DIR is needed; see --help\n");
        return EXIT_USAGE;
    }
    if (o.precision && strcmp(o.precision, "f32") != 0 && strcmp(o.precision, "bf16") != 0) {
        fprintf(stderr, "heed train: --precision is f32 or bf16, not '%s'\n", o.precision);
        return EXIT_USAGE;
    }
    if (o.precision && strcmp(o.precision, "bf16") == 0) o.cfg.precision = HEED_PRECISION_BF16;
    o.cfg.seed = (uint64_t)o.seed;
    o.cfg.threads = (int)o.threads;
    if (o.cfg.dropout == 0) o.cfg.dropout = -1; /* for the library 0 is its own choice */
    command_catch_signals();
    heed_error err = { 0 };
    return train(&o, operand[1], &err) ? command_error(&err) : 0;
}
