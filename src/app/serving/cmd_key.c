/* cmd_key.c: `heed key add|remove|list`: who may call a server, in a file of hashed keys. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "app/messages.h"
#include "app/commands.h"
#include "app/options.h"
#include "base/text.h"
#include "http/keys.h"
#include "app/serving/serve.h"

enum { MILLION = 1000000 };

static int add(const char *path, const char *name, const char *scopes, double rate) {
    char text[HEED_KEY_SIZE];
    heed_error err;
    if (heed_keys_add(path, name, scopes, rate, text, &err) != HEED_OK) return command_error(&err);
    puts(text);
    complain(tr("heed: this is the only time that the key of '%s' is shown\n"), name);
    return 0;
}

static int drop(const char *path, const char *name) {
    heed_error err;
    if (heed_keys_remove(path, name, &err) != HEED_OK) return command_error(&err);
    complain(tr("heed: the key of '%s' is no longer taken\n"), name);
    return 0;
}

static void row(const char *name, const char *scopes, const char *rate, const char *made) {
    print_cell(name, -24);
    printf(" ");
    print_cell(scopes, -18);
    printf(" ");
    print_cell(rate, 10);
    printf("  %s\n", made);
}

static void show(void *user, const char *name, const char *scopes, double rate, int64_t made_ms) {
    (void)user;
    char made[32] = "", number[HEED_NUMBER_SIZE];
    const time_t seconds = (time_t)(made_ms / 1000);
    struct tm day;
    if (gmtime_r(&seconds, &day)) strftime(made, sizeof made, "%Y-%m-%d", &day);
    row(name, scopes, rate > 0 ? heed__double_text(rate, number) : tr("no limit"), made);
}

static int list(const char *path) {
    heed_error err;
    row(tr("NAME"), tr("SCOPES"), tr("PER SECOND"), tr("MADE"));
    return heed_keys_list(path, show, NULL, &err) < 0 ? command_error(&err) : 0;
}

int serve_key(int argc, char **argv) {
    const char *scopes = "read", *operand[3];
    double rate = 0;
    const opt options[] = {
        { "scopes", 0, OPT_TEXT, &scopes, 0, 0, "LIST",
          "what the key allows, with commas: read, write, admin (all); default read" },
        { "rate", 0, OPT_REAL, &rate, 0, MILLION, "N", "requests a second; default: no limit" },
        { 0 },
    };
    const opt_command about = { "heed key add|remove|list FILE [NAME]",
                                "Keeps the keys of those who may call a server. A key is shown "
                                "once; the file holds its SHA-256. A server that runs reads the "
                                "file again when it changes.",
                                options, 2, 3 };
    const int n = opt_read(&about, argc, argv, operand);
    if (n < 0) return command_usage(n);
    const bool is_list = strcmp(operand[0], "list") == 0;
    if (n != (is_list ? 2 : 3)) {
        complain(is_list ? tr("heed: key %s takes a file; see --help\n")
                         : tr("heed: key %s takes a file and a name; see --help\n"),
                 operand[0]);
        return EXIT_USAGE;
    }
    if (is_list) return list(operand[1]);
    if (strcmp(operand[0], "add") == 0) return add(operand[1], operand[2], scopes, rate);
    if (strcmp(operand[0], "remove") == 0) return drop(operand[1], operand[2]);
    complain(tr("heed: key knows add, remove and list, not '%s'\n"), operand[0]);
    return EXIT_USAGE;
}
