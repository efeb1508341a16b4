/* train_run.h: what every `heed train TASK` shows while it trains and says at its end. */
#ifndef HEED_APP_TRAIN_RUN_H
#define HEED_APP_TRAIN_RUN_H

#include "app/terminal.h"
#include "heed/base.h"

/* A task of `heed train`: gets the arguments after its name, returns the exit status. */
typedef struct train_task {
    const char *name, *summary;
    int (*run)(int argc, char **argv);
} train_task;

int train_classify(int argc, char **argv);
int train_score(int argc, char **argv);
int train_tokenizer(int argc, char **argv);
int train_vectors(int argc, char **argv);

/* The hooks of a training: progress with memory and epochs told on standard output, the rest on
 * standard error; ^C cancels. */
typedef struct train_watch {
    terminal term;
    double resident, held; /* bytes of this process before the training, and of them malloc's */
    double told;           /* bytes that it was said to take at most */
    double start;          /* seconds */
    bool said;             /* what is held out */
    bool brief;            /* many trainings, each told in a line of its own: no epochs */
    heed_hooks hooks;
} train_watch;

void train_watch_begin(train_watch *w); /* w stays where it is */
double train_watch_seconds(const train_watch *w);

/* The folder of a run's logs and checkpoint: `run`, NULL for "none", or "OUT.run" where it is NULL.
 */
const char *train_run_folder(const char *run, const char *out, char *text, size_t size);
typedef int train_saver(const void *model, const char *dir, heed_error *err);
/* Saves what came of a training that ended as *err says, to out; what cannot be written there goes
 * into the run's folder (NULL: none), which may lie elsewhere. Of one that was stopped the best so
 * far (NULL: there is none) goes to out if that is new, else into the run's folder. *err's sentence
 * then tells where it is and how to go on. Returns its code, 0 where all went well. */
int train_save(const char *out, const char *run, train_saver *save, const void *model,
               heed_error *err);
/* Says why a temperature was kept that made the calibration error of held-out data larger. */
void train_tell_calibration(double before, double after);
/* An option that not all recipes know. */
typedef struct train_own {
    const char *option;
    bool given;
    const char *recipes; /* that know it: "classic, encoder" */
} train_own;
/* Whether none was given that would do nothing for this recipe, of a list that an option NULL ends;
 * false: a sentence was printed. recipe "": that of the model that it starts from. */
bool train_fits_recipe(const train_own *own, const char *recipe);
/* Whether a list such as "classic, encoder" has the recipe (NULL: none was said); false: a sentence
 * was printed. */
bool train_is_recipe(const char *recipe, const char *recipes);
/* Reads --precision into *to; false, and a sentence on stderr, for a word that is none. */
bool train_precision(const char *word, int *to);

#endif
