/* command.c: what all commands share: ^C and SIGTERM, errors as a sentence and an exit status. */
#include <signal.h>
#include <stdio.h>
#include <time.h>

#include "app/commands.h"
#include "app/messages.h"
#include "base/text.h"

enum { EXIT_INTERNAL = 70 };

static volatile sig_atomic_t stopped;

bool command_signalled_again(void) {
    static const int64_t TOGETHER = 300000000; /* ns */
    static struct timespec first;
    static volatile sig_atomic_t any;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (any)
        return (now.tv_sec - first.tv_sec) * (int64_t)1000000000 + (now.tv_nsec - first.tv_nsec) >
               TOGETHER;
    first = now;
    any = 1;
    return false;
}

/* A second ^C ends the program at once. */
static void on_signal(int number) {
    stopped = 1;
    if (!command_signalled_again()) return;
    signal(number, SIG_DFL);
    raise(number); /* when this handler is done */
}

bool command_cancelled(void *user) {
    (void)user;
    return stopped != 0;
}

void command_catch_signals(void) {
    struct sigaction a = { .sa_handler = on_signal };
    sigaddset(&a.sa_mask, SIGINT);
    sigaddset(&a.sa_mask, SIGTERM);
    sigaction(SIGINT, &a, NULL);
    sigaction(SIGTERM, &a, NULL);
}

int command_error(const heed_error *err) {
    char text[MESSAGE_SIZE];
    heed_error said = *err;
    heed__text_tidy(said.msg);
    complain("heed: %s\n", tr_made(said.msg, text));
    switch (err->code) {
#define X(name, value, exit_status, text)                                                          \
    case value:                                                                                    \
        return exit_status;
        HEED_STATUS_LIST(X)
#undef X
    default:
        return EXIT_INTERNAL;
    }
}

int command_usage(int read) {
    return read == -1 ? 0 : EXIT_USAGE;
}
