/* command.c: what all commands share: ^C and SIGTERM, errors as a sentence and an exit status. */
#include <signal.h>
#include <stdio.h>

#include "app/commands.h"
#include "app/messages.h"
#include "base/text.h"

enum { EXIT_INTERNAL = 70 };

static volatile sig_atomic_t stopped;

static void on_signal(int number) {
    (void)number;
    stopped = 1;
}

bool command_cancelled(void *user) {
    (void)user;
    return stopped != 0;
}

void command_catch_signals(void) {
    struct sigaction a = { .sa_handler = on_signal };
    a.sa_flags = (int)SA_RESETHAND; /* a second ^C ends the program at once */
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
