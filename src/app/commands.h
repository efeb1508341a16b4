/* commands.h: what the program can do. Each command gets the arguments after its name and returns
 * the exit status. */
#ifndef HEED_APP_COMMANDS_H
#define HEED_APP_COMMANDS_H

#include "heed/base.h"

typedef struct command {
    const char *name, *summary;
    int (*run)(int argc, char **argv);
} command;

int cmd_train(int argc, char **argv);
int cmd_test(int argc, char **argv);
int cmd_predict(int argc, char **argv);
int cmd_embed(int argc, char **argv);
int cmd_label(int argc, char **argv);
int cmd_runs(int argc, char **argv);
int cmd_info(int argc, char **argv);
int cmd_bench(int argc, char **argv);
int cmd_tokenize(int argc, char **argv);

enum { EXIT_USAGE = 64 };

/* Runs the serving command argv[0] in libheed-serve.so, which is loaded now from the program's own
 * folder or from where it was installed. */
int serving_run(int argc, char **argv);

/* Prints "heed: sentence" to stderr and returns the exit status that belongs to the error. */
int command_error(const heed_error *err);
/* The exit status of opt_read's negative results. */
int command_usage(int read);
/* True once ^C or SIGTERM came; installed by command_catch_signals. As a cancel hook. */
bool command_cancelled(void *user);
void command_catch_signals(void);
/* In a handler that nothing interrupts: whether the signal is another one than the first. What
 * comes within 0.3 s is not: timeout(1) sends to the program and then to all of its group. */
bool command_signalled_again(void);

#endif
