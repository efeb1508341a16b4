/* serve.c: the commands of libheed-serve.so. */
#include "app/messages.h"
#include "app/serving/serve.h"

#include <stdio.h>
#include <string.h>

#include "app/commands.h"

static const command commands[] = {
    { "serve", "streams in; labels, alerts, answers, search out; a page to look at", serve_flow },
    { "chat", "a talk with the support desk", serve_chat },
    { "import", "past conversations into replies", serve_import },
    { "key", "keys of those who may call a server", serve_key },
    { "db", "a store checked, copied, asked, made small", serve_db },
    { "report", "what a day brought, as Markdown or HTML", serve_report },
    { "forget", "all that is of one user goes", serve_forget },
    { "bench", "a support desk beside its peers", serve_bench },
    { NULL, NULL, NULL },
};

int heed_serve_main(int argc, char **argv) {
    for (const command *c = commands; argc > 0 && c->name; c++)
        if (strcmp(argv[0], c->name) == 0) return c->run(argc - 1, argv + 1);
    complain(tr("heed: libheed-serve.so has no command '%s'\n"), argc > 0 ? argv[0] : "");
    return EXIT_USAGE;
}
