/* main.c: the program `heed`: finds the command and runs it. Exit statuses: 0 well; those of
 * HEED_STATUS_LIST in heed/base.h by kind of error (64 usage, 65 data, 66 not found, 69 not
 * supported, 71 memory, 74 input or output, 75 stopped), 70 for a code that is none of them. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "app/commands.h"
#include "app/messages.h"
#include "app/options.h"

static const command commands[] = {
    { "train", "train a model on labelled data", cmd_train },
    { "test", "test a model on labelled data", cmd_test },
    { "predict", "label texts, with confidence and the words attended to", cmd_predict },
    { "tokenize", "cut texts into tokens as a tokenizer.json says, or put them together again",
      cmd_tokenize },
    { "embed", "texts as vectors, for search and comparison", cmd_embed },
    { "label", "which texts of a pool to label next, and why", cmd_label },
    { "runs", "trainings listed and compared by their logs", cmd_runs },
    { "info", "what a model is made of, and this machine", cmd_info },
    { "bench", "measure attention, matrix products and operations here", cmd_bench },
};

/* These stand in libheed-serve.so (app/serving/serve.h). */
static const command serving[] = {
    { "serve", "streams in; labels, alerts, answers, search out; a page to look at", NULL },
    { "chat", "talk with the support desk: replies, a folder of texts, a person", NULL },
    { "import", "past conversations become replies for the support desk", NULL },
    { "key", "who may call a server: keys, what they allow, how often", NULL },
    { "db", "a store checked, copied, asked in SQL, made small", NULL },
    { "report", "what a day brought, as Markdown or HTML", NULL },
    { "forget", "all that is of one user goes out of a store", NULL },
};

enum { EXIT_CANNOT = 74 }; /* that of HEED_EIO */

static void print_usage(FILE *to) {
    fprintf(to,
            tr("heed %s: attention models on ordinary CPUs\n\nheed [--lang en|zh] COMMAND ...\n\n"),
            heed_version());
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        fprintf(to, "  %-10s %s\n", commands[i].name, tr(commands[i].summary));
    for (size_t i = 0; i < sizeof serving / sizeof *serving; i++)
        fprintf(to, "  %-10s %s\n", serving[i].name, tr(serving[i].summary));
    fprintf(
        to, "%s",
        tr("\n`heed COMMAND --help` says more; `heed --version` the version. --lang or HEED_LANG "
           "chooses the\nlanguage of messages, else LC_ALL, LC_MESSAGES or LANG does.\n"));
}

/* Output that could not be written is an error even when everything else went well. */
static int finish(int status) {
    if (fflush(stdout) == 0 && !ferror(stdout)) return status;
    if (status == EXIT_CANNOT) return status; /* the command has said so */
    complain(tr("heed: standard output could not be written\n"));
    return status ? status : EXIT_CANNOT;
}

/* A standard stream that came closed gets a descriptor that cannot be used the way it is meant, so
 * that no file opened later takes its number, and what is printed there fails as it should. */
static bool hold_standard_streams(void) {
    for (int fd = 0; fd < 3; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) != fd)
            return false;
    return true;
}

/* Takes `--lang zh` before the command. False: it is none, and that was said. */
static bool take_language(int *argc, char ***argv) {
    while (*argc > 1 && strncmp((*argv)[1], "--lang", 6) == 0) {
        const char *arg = (*argv)[1];
        if (arg[6] != '=' && arg[6] != 0) return true;
        const int n = arg[6] ? 1 : 2;
        const char *name = arg[6] ? arg + 7 : *argc > 2 ? (*argv)[2] : "";
        if (!messages_choose(name)) {
            complain(tr("heed: --lang is en or zh, not '%s'\n"), name);
            return false;
        }
        *argc -= n;
        *argv += n;
    }
    return true;
}

static int no_command(const char *name) {
    opt_meant m = { .said = name, .len = strlen(name) };
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        opt_meant_by(&m, commands[i].name);
    for (size_t i = 0; i < sizeof serving / sizeof *serving; i++)
        opt_meant_by(&m, serving[i].name);
    if (m.name)
        complain(tr("heed: no command '%s'; did you mean %s?\n"), name, m.name);
    else
        complain(tr("heed: no command '%s'; `heed --help` lists them\n"), name);
    return EXIT_USAGE;
}

int main(int argc, char **argv) {
    if (!hold_standard_streams()) return EXIT_CANNOT;
    if (!take_language(&argc, &argv)) return EXIT_USAGE;
    if (argc < 2) {
        print_usage(stderr);
        return EXIT_USAGE;
    }
    if (argc > 2 && strcmp(argv[1], "help") == 0) { /* help COMMAND: COMMAND --help */
        memmove(argv + 1, argv + 2, (size_t)(argc - 2) * sizeof *argv);
        argv[argc - 1] = "--help";
    }
    const char *name = argv[1];
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
        print_usage(stdout);
        return finish(0);
    }
    if (strcmp(name, "--version") == 0 || strcmp(name, "version") == 0) {
        printf("heed %s\n", heed_version());
        return finish(0);
    }
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (strcmp(name, commands[i].name) == 0) return finish(commands[i].run(argc - 2, argv + 2));
    for (size_t i = 0; i < sizeof serving / sizeof *serving; i++)
        if (strcmp(name, serving[i].name) == 0) return finish(serving_run(argc - 1, argv + 1));
    return no_command(name);
}
