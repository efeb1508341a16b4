/* train_classify.c: `heed train classify FILE -o DIR` and `heed train score FILE -o DIR`. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/attention_options.h"
#include "app/commands.h"
#include "app/context.h"
#include "app/data.h"
#include "app/kinds.h"
#include "app/messages.h"
#include "app/options.h"
#include "app/print.h"
#include "app/train_curve.h"
#include "app/train_feedback.h"
#include "app/train_report.h"
#include "app/train_run.h"
#include "app/train_search.h"
#include "base/alloc.h"
#include "base/text.h"
#include "heed/tasks.h"
#include "tasks/augment.h"
#include "tasks/classifier.h"
#include "tasks/self_train.h"

typedef struct train_options {
    heed_dataset_cfg table;
    heed_classify_cfg cfg;
    const char *search;
    double search_seconds;
    const char *out, *precision, *run, *valid, *test, *unlabeled, *pretrain, *keep;
    attention_options attention;
    const char *feedback, *analysis, *context;
    const char *features, *valid_features, *test_features;
    double dropout, smoothing, hold_out;
    int64_t seed, threads, augment;
    bool several, cut, curve;
    char run_text[4096];
} train_options;

/* -- options ---------------------------------------------------------------------------------- */

enum { MOST_OPTIONS = 80 };

static int append(opt *list, int len, const opt *more, size_t count) {
    memcpy(list + len, more, count * sizeof *more);
    return len + (int)count;
}

/* Of the data and of how it is learnt from. */
static int learning_options(train_options *o, opt *list, int len) {
    heed_classify_cfg *c = &o->cfg;
    const opt options[] = {
        { "out", 'o', OPT_PATH, &o->out, 0, 0, "DIR", "folder of the model to write" },
        { "label", 0, OPT_TEXT, &o->table.label, 0, 0, "COL", "column of the labels (guessed)" },
        { "text", 0, OPT_TEXT, &o->table.text, 0, 0, "COL", "column of the texts (guessed)" },
        { "text2", 0, OPT_TEXT, &o->table.text2, 0, 0, "COL",
          "column of the second texts: learns pairs" },
        { "pairs", 0, OPT_FLAG, &o->table.pairs, 0, 0, NULL, "the same, its column guessed" },
        { "label-sep", 0, OPT_TEXT, &o->table.label_sep, 0, 0, "S",
          "cuts a field into several labels" },
        { "several", 0, OPT_FLAG, &o->several, 0, 0, NULL,
          "none to many labels a text (where a text has two: always)" },
        { "hierarchy", 0, OPT_FLAG, &c->hierarchy, 0, 0, NULL, "labels are paths, a/b" },
        { "balanced", 0, OPT_FLAG, &c->balanced, 0, 0, NULL, "rare labels weigh more" },
        { "recipe", 0, OPT_TEXT, &c->recipe, 0, 0, "R",
          "attend, classic, encoder, encoder-base, lstm-attention, match (attend)" },
        { "from", 0, OPT_PATH, &c->from, 0, 0, "MODEL", "start from this model" },
        { "vectors", 0, OPT_PATH, &c->vectors, 0, 0, "FILE",
          "start from these vectors of words (word2vec, GloVe, fastText text form)" },
        { "features", 0, OPT_PATH, &o->features, 0, 0, "X.npy",
          "features beside the texts, a row each (--text none: instead of them)" },
        { "freeze", 0, OPT_FLAG, &c->freeze, 0, 0, NULL, "learn the head alone" },
        { "pretrain", 0, OPT_PATH, &o->pretrain, 0, 0, "FILE",
          "encoder: learn the language first, from these texts too" },
        { "pretrain-epochs", 0, OPT_INT, &c->pretrain_epochs, 1, 1e6, "N",
          "passes over those texts (5)" },
        { "valid", 0, OPT_PATH, &o->valid, 0, 0, "FILE", "held-out data" },
        { "valid-part", 0, OPT_REAL, &o->hold_out, 0, 0.9, "P",
          "else this part of the data is held out, by label (0.1; of lstm-attention 0)" },
        { "patience", 0, OPT_INT, &c->patience, 0, 1e6, "N",
          "stop after N epochs without a better one (never)" },
        { "epochs", 0, OPT_INT, &c->epochs, 1, 1e6, "N", "passes over the data (by recipe)" },
        { "search", 0, OPT_TEXT, &o->search, 0, 0, "TIME",
          "try settings for so long, as 20m, and keep the best" },
        { "unlabeled", 0, OPT_PATH, &o->unlabeled, 0, 0, "FILE",
          "texts without labels to learn from too" },
        { "augment", 0, OPT_INT, &o->augment, 1, 100, "N",
          "learn from N changed copies of each text too" },
        { "curve", 0, OPT_FLAG, &o->curve, 0, 0, NULL,
          "accuracy by number of labels, and what more would bring" },
        { "seconds", 0, OPT_REAL, &c->seconds, 0, 1e9, "S", "time for training (no limit)" },
        { "batch", 0, OPT_INT, &c->batch, 1, 65536, "N", "texts in a step (by recipe)" },
        { "lr", 0, OPT_REAL, &c->lr, 1e-9, 10, "X", "learning rate (by recipe)" },
        { "optimizer", 0, OPT_TEXT, &c->optimizer, 0, 0, "O",
          "adam, adamw, sgd, adagrad, adafactor (by recipe)" },
        { "schedule", 0, OPT_TEXT, &c->schedule, 0, 0, "S",
          "constant, linear, cosine, inv_sqrt, plateau (by recipe)" },
        { "warmup", 0, OPT_REAL, &c->warmup, 0, 0.99, "P", "part of all steps (0; encoder 0.1)" },
        { "clip", 0, OPT_REAL, &c->clip, -1, 1e6, "X", "largest norm of a gradient (1)" },
        { "weight-decay", 0, OPT_REAL, &c->weight_decay, 0, 10, "X",
          "pull of weights to 0 (0; encoder 0.01)" },
        { "ema", 0, OPT_REAL, &c->ema, 0, 0.999999, "D", "average the weights, as 0.999 (no)" },
        { "label-smoothing", 0, OPT_REAL, &o->smoothing, 0, 0.9, "P",
          "part of each label shared among all (by recipe)" },
    };
    return append(list, len, options, sizeof options / sizeof *options);
}

/* Of the model, and of the run. */
static int model_options(train_options *o, opt *list, int len) {
    heed_classify_cfg *c = &o->cfg;
    const opt options[] = {
        { "adv", 0, OPT_TEXT, &c->adversary, 0, 0, "KIND",
          "fgm or freelb: learn from the worst small change of the words' vectors too (no)" },
        { "adv-size", 0, OPT_REAL, &c->adversary_size, 0, 100, "X", "length of that change (1)" },
        { "dropout", 0, OPT_REAL, &o->dropout, 0, 0.95, "P", "part of values dropped (by recipe)" },
        { "vocab", 0, OPT_INT, &c->vocab, 3, 1e7, "N", "words known (by recipe)" },
        { "context", 0, OPT_TEXT, &o->context, 0, 0, "COL|FILE",
          "what each text attends to: a column, or a file with a line for each or one for all" },
        { "loss", 0, OPT_TEXT, &c->loss, 0, 0, "L",
          "of scores: squared, huber (which gross errors in the data move little) (squared)" },
        { "max-len", 0, OPT_INT, &c->max_len, 1, 65536, "N", "words read at once (by recipe)" },
        { "cut", 0, OPT_FLAG, &o->cut, 0, 0, NULL,
          "cut longer texts instead of reading them in windows" },
        { "keep", 0, OPT_TEXT, &o->keep, 0, 0, "K", "head or tail, of a text that is cut (tail)" },
        { "embed", 0, OPT_INT, &c->embed, 1, 65536, "N", "width of words (by recipe)" },
        { "hidden", 0, OPT_INT, &c->hidden, 1, 65536, "N", "width of states (by recipe)" },
        { "heads", 0, OPT_INT, &c->heads, 1, 1024, "N", "of attention (by recipe)" },
        { "layers", 0, OPT_INT, &c->layers, 1, 100, "N", "of LSTM or encoder (by recipe)" },
        { "dense", 0, OPT_INT, &c->dense, 0, 65536, "N", "ReLU units before the last layer (0)" },
        { "ff", 0, OPT_INT, &c->ff, 1, 1e6, "N", "encoder: width of feed-forward (4 x embed)" },
        { "position", 0, OPT_TEXT, &c->position, 0, 0, "P",
          "encoder: sinusoidal, learned, rotary, alibi, t5, none (sinusoidal)" },
        { "tokenizer", 0, OPT_TEXT, &c->tokenizer, 0, 0, "T",
          "encoder: a file, or wordpiece, bpe, unigram to be trained (words)" },
        { "pooling", 0, OPT_TEXT, &c->pooling, 0, 0, "P",
          "of the states: mean, max, cls, attention (mean)" },
        { "deviation", 0, OPT_REAL, &c->deviation, 0, 10, "X", "of the words' first vectors (1)" },
        { "no-evidence", 0, OPT_FLAG, &c->no_evidence, 0, 0, NULL,
          "attend: without what n-grams tell by themselves" },
        { "no-marks", 0, OPT_FLAG, &c->no_marks, 0, 0, NULL, "classic: pass over marks" },
        { "remember", 0, OPT_FLAG, &c->remember, 0, 0, NULL, "forget gates begin open: bias 1" },
        { "bidirectional", 0, OPT_FLAG, &c->bidirectional, 0, 0, NULL, "an LSTM each way" },
        { "seed", 0, OPT_INT, &o->seed, 0, 0x1p53, "N", "of everything random (1)" },
        { "precision", 0, OPT_TEXT, &o->precision, 0, 0, "P",
          "f32 or bf16, of matrix products (f32)" },
        { "threads", 0, OPT_INT, &o->threads, 1, 1024, "N", "threads (as many as there are)" },
        { "run", 0, OPT_PATH, &o->run, 0, 0, "DIR",
          "folder of logs and checkpoint, or none (MODEL.run)" },
        { "resume", 0, OPT_FLAG, &c->resume, 0, 0, NULL, "go on with a training stopped" },
        { "test", 0, OPT_PATH, &o->test, 0, 0, "FILE", "test the model on this at the end" },
        { "valid-features", 0, OPT_PATH, &o->valid_features, 0, 0, "X.npy", "those of --valid" },
        { "test-features", 0, OPT_PATH, &o->test_features, 0, 0, "X.npy", "those of --test" },
        { "from-feedback", 0, OPT_PATH, &o->feedback, 0, 0, "STORE",
          "learn too what people corrected in a store of `heed serve`" },
        { "analysis", 0, OPT_TEXT, &o->analysis, 0, 0, "NAME",
          "the analysis that they corrected (intent)" },
    };
    return append(list, len, options, sizeof options / sizeof *options);
}

/* An option, and whether it was given. */
typedef struct chosen {
    const char *option;
    bool given;
} chosen;

/* Those that a score, which has no labels, has no use for. Ends with an option NULL. */
enum { LABEL_OPTIONS = 12 };

static void label_options(const train_options *o, chosen to[LABEL_OPTIONS]) {
    const chosen options[LABEL_OPTIONS] = { { "several", o->several },
                                            { "label-sep", o->table.label_sep != NULL },
                                            { "hierarchy", o->cfg.hierarchy },
                                            { "balanced", o->cfg.balanced },
                                            { "label-smoothing", o->smoothing >= 0 },
                                            { "search", o->search != NULL },
                                            { "curve", o->curve },
                                            { "unlabeled", o->unlabeled != NULL },
                                            { "augment", o->augment > 0 },
                                            { "from-feedback", o->feedback != NULL },
                                            { "analysis", o->analysis != NULL },
                                            { NULL, false } };
    memcpy(to, options, sizeof options);
}

/* The help of `train score` has no options of labels, that of `train classify` none of scores. */
static void hide(const train_options *o, opt *list) {
    chosen labels[LABEL_OPTIONS];
    label_options(o, labels);
    const bool score = o->cfg.target == HEED_TARGET_SCORE;
    for (opt *p = list; p->name; p++) {
        if (!score && strcmp(p->name, "loss") == 0) p->help = NULL;
        if (score && strcmp(p->name, "label") == 0) p->help = "column of the scores (guessed)";
        if (score && strcmp(p->name, "valid-part") == 0)
            p->help = "else this part of the data is held out (0.1)";
        for (const chosen *c = labels; score && c->option; c++)
            if (strcmp(p->name, c->option) == 0) p->help = NULL;
    }
}

static int read_options(train_options *o, const char *usage, int argc, char **argv,
                        const char **operand) {
    opt list[MOST_OPTIONS] = { { .name = NULL } };
    const int len = model_options(o, list, learning_options(o, list, 0));
    attention_options_list(&o->attention, &o->cfg, list + len);
    hide(o, list);
    const char *labels = "Trains on labelled texts (TSV, CSV, JSON lines, fastText lines, a "
                         "folder; a header may name the columns) and writes a model folder. "
                         "^C keeps the best so far; --resume goes on.";
    const char *scores = "Learns a number for a text from texts that have one (TSV, CSV, JSON "
                         "lines; a header may name the columns) and writes a model folder. "
                         "^C keeps the best so far; --resume goes on.";
    const bool score = o->cfg.target == HEED_TARGET_SCORE;
    const opt_command what = { usage, score ? scores : labels, list, 1, 1 };
    return opt_read(&what, argc, argv, operand);
}

/* The published recipe for reviews: what is not said otherwise is as in the articles. */
static void lstm_attention(train_options *o) {
    heed_classify_cfg *c = &o->cfg;
    c->recipe = "classic";
    if (!c->vocab) c->vocab = 10000;
    if (!c->max_len) c->max_len = 128;
    if (!c->embed) c->embed = 64;
    if (!c->hidden) c->hidden = 64;
    if (!c->heads) c->heads = 1;
    if (!c->dense) c->dense = 64;
    if (!c->batch) c->batch = 64;
    if (!c->epochs) c->epochs = 1;
    if (c->lr == 0) c->lr = 0.001;
    if (!c->optimizer) c->optimizer = "adam";
    if (!c->schedule) c->schedule = "constant";
    if (!c->pooling) c->pooling = "max";
    if (c->deviation == 0) c->deviation = 0.029; /* of U(-0.05, 0.05), as Keras begins */
    c->remember = true;
    c->no_marks = true; /* as there */
    if (o->dropout < 0) o->dropout = 0;
    if (o->hold_out < 0) o->hold_out = 0;
    o->cut = true;
}

/* The size of Vaswani et al. 2017, halved. */
static void encoder_base(train_options *o) {
    heed_classify_cfg *c = &o->cfg;
    c->recipe = "encoder";
    if (!c->embed) c->embed = 256;
    if (!c->heads) c->heads = 8;
    if (!c->ff) c->ff = 2048;
    if (!c->layers) c->layers = 6;
    if (c->lr == 0) c->lr = 0.0002;
}

static bool one_of(const char *option, const char *said, const char *a, const char *b) {
    if (!said || strcmp(said, a) == 0 || strcmp(said, b) == 0) return true;
    complain(tr("heed train: --%s is %s or %s, not '%s'\n"), option, a, b, said);
    return false;
}

/* Another recipe's options are not passed over in silence. False: a sentence was printed. */
static bool fits_recipe(const train_options *o) {
    const heed_classify_cfg *c = &o->cfg;
    const train_own own[] = {
        { "vocab", c->vocab, "attend, classic, encoder" },
        { "heads", c->heads, "attend, classic, encoder" },
        { "hidden", c->hidden, "classic" },
        { "layers", c->layers, "classic, encoder" },
        { "ff", c->ff, "encoder" },
        { "position", c->position, "encoder" },
        { "tokenizer", c->tokenizer, "encoder" },
        { "pooling", c->pooling, "classic, encoder" },
        { "deviation", c->deviation > 0, "classic" },
        { "no-evidence", c->no_evidence, "attend" },
        { "no-marks", c->no_marks, "classic" },
        { "remember", c->remember, "classic" },
        { "bidirectional", c->bidirectional, "classic" },
        { NULL, false, NULL },
    };
    const char *recipe = !c->recipe                                 ? "attend"
                         : strcmp(c->recipe, "lstm-attention") == 0 ? "classic"
                         : strcmp(c->recipe, "encoder-base") == 0   ? "encoder"
                                                                    : c->recipe;
    return train_is_recipe(c->recipe,
                           "attend, classic, encoder, encoder-base, lstm-attention, match") &&
           (o->search || (c->from && !c->recipe) || train_fits_recipe(own, recipe));
}

/* Made of several trainings. */
static bool is_many(const train_options *o) {
    return o->search || o->curve || o->unlabeled;
}

/* Features of all data or of none: what is missing is told before a training, not after it. */
static bool check_features(const train_options *o) {
    if (o->features && (is_many(o) || o->augment || o->feedback)) {
        complain("%s", tr("heed train: --features does not go with --search, --curve, --augment, "
                          "--unlabeled and --from-feedback\n"));
        return false;
    }
    if ((o->valid_features != NULL) != (o->features && o->valid) ||
        (o->test_features != NULL) != (o->features && o->test)) {
        complain("%s",
                 tr("heed train: --valid-features go with --features and --valid, --test-features "
                    "with --features and --test\n"));
        return false;
    }
    return true;
}

/* `--context` is a column of second texts, or a file. */
static bool context_complete(train_options *o) {
    if (o->context && (o->table.text2 || o->table.pairs || o->unlabeled)) {
        complain("%s", tr("heed train: --context does not go with --text2 and --pairs, nor with "
                          "--unlabeled, whose texts have none\n"));
        return false;
    }
    o->table.context = o->context != NULL;
    if (o->context && !context_is_file(o->context)) o->table.text2 = o->context;
    o->cfg.context = o->context != NULL;
    return true;
}

static bool fits_target(const train_options *o) {
    chosen labels[LABEL_OPTIONS];
    label_options(o, labels);
    if (o->cfg.target != HEED_TARGET_SCORE) return true;
    for (const chosen *c = labels; c->option; c++) {
        if (!c->given) continue;
        complain(tr("heed train score: --%s is for labels\n"), c->option);
        return false;
    }
    return true;
}

/* What says how another option is meant does nothing without it, and is not passed over. */
static bool fits_others(const train_options *o) {
    const struct {
        const char *option;
        bool given;
        const char *other;
        bool there;
    } own[] = {
        { "adv-size", o->cfg.adversary_size > 0, "adv", o->cfg.adversary != NULL },
        { "pretrain-epochs", o->cfg.pretrain_epochs > 0, "pretrain", o->pretrain != NULL },
        { "keep", o->keep != NULL, "cut", o->cut },
        { "analysis", o->analysis != NULL, "from-feedback", o->feedback != NULL },
    };
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
        if (!own[i].given || own[i].there) continue;
        complain(tr("heed train: --%s does nothing without --%s\n"), own[i].option, own[i].other);
        return false;
    }
    return true;
}

/* Options as the library wants them. False: a sentence was printed. */
static bool complete(train_options *o) {
    heed_classify_cfg *c = &o->cfg;
    int precision;
    if (o->search && !train_search_time(o->search, &o->search_seconds)) {
        complain(tr("heed train: --search is a time as 90s, 20m or 1h, not '%s'\n"), o->search);
        return false;
    }
    if ((o->search != NULL) + o->curve + (o->augment > 0) + (o->unlabeled != NULL) > 1) {
        complain(tr("heed train: --search, --curve, --augment and --unlabeled go one at a "
                    "time\n"));
        return false;
    }
    if (!fits_target(o) || !check_features(o) || !fits_recipe(o)) return false;
    if (!context_complete(o)) return false;
    if (!o->out) {
        complain(tr("heed train: -o DIR is needed; see --help\n"));
        return false;
    }
    if (!train_precision(o->precision, &precision) || !one_of("keep", o->keep, "head", "tail") ||
        !attention_options_complete(&o->attention, c))
        return false;
    if (!c->recipe && !c->from) c->recipe = "attend";
    if (c->recipe && strcmp(c->recipe, "lstm-attention") == 0) lstm_attention(o);
    if (c->recipe && strcmp(c->recipe, "encoder-base") == 0) encoder_base(o);
    if (!fits_others(o)) return false; /* a recipe may cut */
    c->precision = (heed_precision)precision;
    c->seed = (uint64_t)o->seed;
    c->threads = (int)o->threads;
    c->keep = o->keep && strcmp(o->keep, "head") == 0 ? HEED_KEEP_HEAD : HEED_KEEP_TAIL;
    c->windows = !o->cut;
    c->dropout = o->dropout < 0 ? 0 : o->dropout > 0 ? o->dropout : -1; /* 0 is the recipe's own */
    c->label_smoothing = o->smoothing < 0 ? 0 : o->smoothing > 0 ? o->smoothing : -1; /* likewise */
    c->valid_part = o->hold_out < 0 ? 0.1 : o->hold_out;
    c->keep_stopped = true;
    c->run = train_run_folder(o->run, o->out, o->run_text, sizeof o->run_text);
    o->table.no_labels = o->several || o->table.label_sep;
    o->table.label_only = features_alone(o->features, o->table.text);
    if (o->table.label_only) o->table.text = NULL;
    return true;
}

/* -- data ------------------------------------------------------------------------------------- */

/* Texts without labels: a table with a header or columns said, or else a text a line. */
static int read_texts(kinds_data *e, const char *file, const train_options *o, heed_error *err) {
    heed_dataset_cfg cfg = o->table;
    cfg.text_only = cfg.lines_too = true;
    cfg.pairs = false;
    cfg.label = cfg.text2 = NULL;
    *e = (kinds_data){ .score = NULL };
    const int rc = data_read(&e->d, file, &cfg, err);
    if (rc) return rc;
    e->x = (heed_examples){ .len = e->d.len, .text = e->d.text };
    data_tell(&e->d, file, NULL);
    return 0;
}

/* What each text has. */
static const char *given(const train_options *o) {
    return o->cfg.target == HEED_TARGET_SCORE ? "score" : "label";
}

static void say(const train_options *o, const kinds_data *e, const char *file) {
    data_tell(&e->d, file, given(o));
    fflush(stdout);
}

static bool has_paths(const heed_dataset *d) {
    for (int64_t i = 0; i < d->len; i++)
        if (d->label[i] && strchr(d->label[i], '/')) return true;
    return false;
}

/* The training data; several labels are noticed. */
static int read_training(kinds_data *e, const char *file, train_options *o, heed_error *err) {
    if (o->several || o->table.label_sep) o->cfg.target = HEED_TARGET_LABELS;
    const int rc = kinds_read(e, file, &o->table, o->cfg.target, err);
    if (rc) return rc;
    if (o->cfg.target == HEED_TARGET_LABEL && e->d.several) {
        o->cfg.target = HEED_TARGET_LABELS;
        e->x.label = e->d.all;
        e->x.label_start = e->d.first;
    }
    if (o->cfg.target == HEED_TARGET_LABELS && e->d.first[e->d.len] == 0)
        return heed__error(err, HEED_EFORMAT, "%.300s: no text has a label", data_name(file));
    if (o->cfg.target == HEED_TARGET_LABELS && o->cfg.hierarchy)
        return heed__error(err, HEED_EUNSUPPORTED,
                           "train: --hierarchy is for one label a text, not for several");
    say(o, e, file);
    if (o->cfg.hierarchy && !has_paths(&e->d))
        printf(tr("no label is a path such as a/b: --hierarchy changes nothing\n"));
    if (o->cfg.target != HEED_TARGET_LABELS) return 0;
    int64_t none = 0;
    for (int64_t i = 0; i < e->d.len; i++) none += e->d.first[i] == e->d.first[i + 1];
    printf(tr("a text may have several labels: each gets a probability of its own\n"));
    if (none) printf(tr("%s: %" PRId64 " texts have none of them\n"), data_name(file), none);
    return 0;
}

/* -- at the end ------------------------------------------------------------------------------- */

static int test(const train_options *o, heed_classifier *c, const kinds_data *e, heed_error *err) {
    heed_metrics m;
    if (o->cfg.target != HEED_TARGET_LABEL) return kinds_test_data(c, e, o->test, false, err);
    const int rc = heed_classifier_test(c, &e->x, &m, err);
    if (rc) return rc;
    if (isfinite(m.loss)) printf(tr("Test Loss: %.4f\n"), m.loss);
    printf(tr("Test Accuracy: %.4f\n"), m.accuracy);
    print_unknown(&m);
    return 0;
}

static int save(const void *model, const char *dir, heed_error *err) {
    return heed_classifier_save(model, dir, err);
}

static int report(const train_options *o, heed_classifier *c, const char *file, double seconds,
                  heed_error *err) {
    const report_of page = { o->cfg.run, file, seconds, o->search || o->curve };
    return train_report(c, &page, err);
}

/* All files of a training. */
typedef struct files {
    kinds_data data, valid, tests, language, pool;
    feedback said;
    context passages;
} files;

/* The file's passages, where they do not stand in a column. */
static int add_context(const files *f, kinds_data *k, const char *file, heed_error *err) {
    const int rc = context_put(&f->passages, &k->d, file, err);
    k->x.text2 = k->d.text2;
    return rc;
}

static int read_files(files *f, train_options *o, const char *file, heed_error *err) {
    int rc = heed__classifier_check_folder(o->out, err);
    if (rc == 0 && o->context && !o->table.text2) rc = context_read(&f->passages, o->context, err);
    if (rc == 0) rc = read_training(&f->data, file, o, err);
    const heed_target target = o->cfg.target; /* as the training data has it */
    if (rc == 0) rc = add_context(f, &f->data, file, err);
    if (rc == 0) rc = kinds_features(&f->data, o->features, file, err);
    if (rc == 0 && o->feedback && o->cfg.target != HEED_TARGET_LABEL)
        rc = heed__error(err, HEED_EUNSUPPORTED, "train: feedback is of one label a text");
    if (rc == 0 && o->feedback && f->data.x.text2)
        rc = heed__error(err, HEED_EUNSUPPORTED,
                         "train: feedback is of single texts, not of pairs or texts with a "
                         "context");
    if (rc == 0 && o->feedback)
        rc = feedback_add(&f->said, &f->data.x, o->feedback, o->analysis ? o->analysis : "intent",
                          err);
    if (rc == 0 && o->valid) rc = kinds_read(&f->valid, o->valid, &o->table, target, err);
    if (rc == 0 && o->valid) rc = kinds_fit(&f->valid.d, o->valid, target, err);
    if (rc == 0 && o->valid) rc = add_context(f, &f->valid, o->valid, err);
    if (rc == 0 && o->valid) say(o, &f->valid, o->valid);
    if (rc == 0 && o->valid) rc = kinds_features(&f->valid, o->valid_features, o->valid, err);
    if (rc == 0 && o->test) rc = kinds_read(&f->tests, o->test, &o->table, target, err);
    if (rc == 0 && o->test) rc = kinds_fit(&f->tests.d, o->test, target, err);
    if (rc == 0 && o->test) rc = add_context(f, &f->tests, o->test, err);
    if (rc == 0 && o->test) rc = kinds_features(&f->tests, o->test_features, o->test, err);
    if (rc == 0 && o->valid) data_tell_overlap(&f->data.d, file, &f->valid.d, o->valid, given(o));
    if (rc == 0 && o->test) data_tell_overlap(&f->data.d, file, &f->tests.d, o->test, given(o));
    if (rc == 0 && o->pretrain) rc = read_texts(&f->language, o->pretrain, o, err);
    if (rc == 0 && o->unlabeled) rc = read_texts(&f->pool, o->unlabeled, o, err);
    if (o->pretrain) o->cfg.pretrain = &f->language.x;
    if (o->valid) o->cfg.valid = &f->valid.x;
    if (o->test) o->cfg.tests = &f->tests.x;
    return rc;
}

static void files_free(files *f) {
    kinds_free(&f->data);
    kinds_free(&f->valid);
    kinds_free(&f->tests);
    kinds_free(&f->language);
    kinds_free(&f->pool);
    feedback_free(&f->said);
    context_free(&f->passages);
}

static void tell_round(const heed_self_round *r) {
    if (r->round)
        printf(tr("round %" PRId64 " of %" PRId64 ": learnt from %" PRId64 " of %" PRId64
                  " texts without labels too, the least sure guess %.2f"),
               r->round, r->rounds, r->taken, r->pool, r->least);
    else
        printf("%s", tr("learnt from the labelled texts alone"));
    if (isfinite(r->accuracy))
        printf(tr(": accuracy %.4f, loss %.4f on held-out texts"), r->accuracy, r->loss);
    printf("\n");
    fflush(stdout);
}

static heed_classifier *learn(const train_options *o, const files *f, heed_error *err) {
    const heed_examples *x = &f->data.x;
    const heed_texts pool = { .len = f->pool.x.len, .text = f->pool.x.text };
    if (o->search) return train_search(x, &o->cfg, o->search_seconds, err);
    if (o->curve) return train_curve(x, &o->cfg, err);
    if (o->augment) return heed__classifier_augmented(x, &o->cfg, o->augment, err);
    if (o->unlabeled) return heed__classifier_self_train(x, &pool, &o->cfg, tell_round, err);
    return heed_classifier_train(x, &o->cfg, err);
}

static void tell_model(const char *out, const heed_classifier *c, double seconds) {
    const int64_t labels = heed_classifier_labels(c), parameters = heed_classifier_parameters(c);
    if (labels)
        printf(tr("%s: %" PRId64 " labels, %" PRId64 " parameters, trained in %.1f s\n"), out,
               labels, parameters, seconds);
    else
        printf(tr("%s: %" PRId64 " parameters, trained in %.1f s\n"), out, parameters, seconds);
    if (c->held.len) { /* weighed and calibrated, it may answer better than after its best epoch */
        double accuracy, loss;
        heed__held_measure(&c->held, &accuracy, &loss);
        printf(tr("finished, on held-out texts: accuracy %.4f, loss %.4f\n"), accuracy, loss);
    }
    const heed_calibration *k = &c->calibration;
    if (!k->len) return;
    printf(tr("calibration error of held-out texts: %.4f, with temperature %.4g: %.4f\n"),
           k->ece_before, k->temperature, k->ece_after);
    train_tell_calibration(k->ece_before, k->ece_after);
}

static int train(train_options *o, const char *file, heed_error *err) {
    files f = { .data = { .score = NULL } };
    train_watch w;
    heed_classifier *c = NULL;
    int rc = read_files(&f, o, file, err);
    if (rc == 0) {
        train_watch_begin(&w);
        w.brief = o->search || o->curve;
        o->cfg.hooks = &w.hooks;
        c = learn(o, &f, err);
        terminal_clear(&w.term);
        rc = train_save(o->out, o->cfg.run, save, c, err);
    }
    if (rc == 0) tell_model(o->out, c, train_watch_seconds(&w));
    if (rc == 0 && o->cfg.run) rc = report(o, c, file, train_watch_seconds(&w), err);
    if (rc == 0 && o->test) rc = test(o, c, &f.tests, err);
    heed_classifier_close(c);
    files_free(&f);
    return rc;
}

static int run(heed_target target, const char *usage, int argc, char **argv) {
    train_options o = {
        .seed = 1, .dropout = -1, .smoothing = -1, .hold_out = -1, .cfg.target = target
    };
    const char *operand[1];
    const int n = read_options(&o, usage, argc, argv, operand);
    if (n < 0) return command_usage(n);
    if (!complete(&o)) return EXIT_USAGE;
    command_catch_signals();
    heed_error err = { 0 };
    return train(&o, operand[0], &err) ? command_error(&err) : 0;
}

int train_classify(int argc, char **argv) {
    return run(HEED_TARGET_LABEL, "heed train classify FILE -o DIR [options]", argc, argv);
}

int train_score(int argc, char **argv) {
    return run(HEED_TARGET_SCORE, "heed train score FILE -o DIR [options]", argc, argv);
}
