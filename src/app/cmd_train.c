/* cmd_train.c: `heed train TASK FILE -o DIR`: finds the task. */
#include <stdio.h>
#include <string.h>

#include "app/commands.h"
#include "app/messages.h"
#include "app/pairs.h"
#include "app/tag.h"
#include "app/train_run.h"

static const train_task tasks[] = {
    { "classify", "one label for a text, or several", train_classify },
    { "score", "a number for a text", train_score },
    { "pairs", "vectors of texts, from pairs that belong together", train_pairs },
    { "tag", "entities and slots in sentences", train_tag },
    { "vectors", "vectors of words from texts without labels", train_vectors },
    { "tokenizer", "a vocabulary of tokens from text", train_tokenizer },
};

enum { TASKS = sizeof tasks / sizeof *tasks };

int cmd_train(int argc, char **argv) {
    const char *name = argc > 0 ? argv[0] : "--help";
    for (int i = 0; i < TASKS; i++)
        if (strcmp(name, tasks[i].name) == 0) return tasks[i].run(argc - 1, argv + 1);
    const bool help = argc > 0 && (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0);
    if (!help) {
        complain(argc > 0 ? tr("heed train: no task '%s'; there are:") : tr("heed train TASK:"),
                 name);
        for (int i = 0; i < TASKS; i++) complain("%s %s", i ? "," : "", tasks[i].name);
        complain("\n");
        return EXIT_USAGE;
    }
    printf("%s\n\n%s\n\n", tr("heed train TASK FILE -o DIR [options]"),
           tr("Trains a model and writes its folder."));
    for (int i = 0; i < TASKS; i++) printf("  %-10s %s\n", tasks[i].name, tr(tasks[i].summary));
    printf("\n%s\n", tr("`heed train TASK --help` says more."));
    return 0;
}
