/* options.h: command lines as data: a table of options fills a struct and makes the help text. */
#ifndef HEED_APP_OPTIONS_H
#define HEED_APP_OPTIONS_H

#include "heed/base.h"

typedef enum opt_kind {
    OPT_FLAG,
    OPT_INT,
    OPT_REAL,
    OPT_TEXT,
    OPT_PATH /* a text that names a file or folder: not empty */
} opt_kind;

/* One option `--name VALUE` or `--name=VALUE` (`-s` too, where short_name is not 0). */
typedef struct opt {
    const char *name;
    char short_name;
    opt_kind kind;
    void *to;          /* bool, int64_t, double or const char * */
    double low, high;  /* allowed numbers, both inclusive */
    const char *value; /* what the value is called in the help: "N", "FILE" */
    const char *help;  /* NULL: the help is silent about it */
} opt;

/* A command: its help, its options (name NULL ends them) and how many operands it takes. */
typedef struct opt_command {
    const char *usage;   /* "heed test MODEL FILE [options]" */
    const char *summary; /* one sentence */
    const opt *options;
    int least, most; /* operands */
} opt_command;

/* Reads argv[0..argc) into the options' targets and operand[0..most); argv[0] is the first argument
 * after the command's name. Returns the number of operands; -1 after --help (printed); -2 after an
 * error (printed to stderr). */
int opt_read(const opt_command *command, int argc, char **argv, const char **operand);
/* Reads a whole number in [low, high] from text, whatever the locale; false if it is none. */
bool opt_int(const char *text, double low, double high, int64_t *to);

/* What somebody may have meant who wrote a name that there is not: the likest of all names shown to
 * it, NULL where none is like it. Begins as { .said = what was written, .len = its bytes }. */
typedef struct opt_meant {
    const char *said;
    size_t len;
    const char *name;
    size_t changes; /* letters between both */
} opt_meant;
void opt_meant_by(opt_meant *m, const char *name);

#endif
