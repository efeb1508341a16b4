/* terminal.h: what people see while they wait, and words shaded by weight. */
#ifndef HEED_APP_TERMINAL_H
#define HEED_APP_TERMINAL_H

#include <stdio.h>

#include "heed/base.h"

typedef struct terminal {
    FILE *to;
    bool is_tty;    /* a bar that moves; otherwise a plain line every few seconds */
    bool colour;    /* NO_COLOR unset and a terminal */
    double printed; /* when the last plain line was, seconds */
} terminal;

terminal terminal_open(FILE *to);
/* The progress hook; user is a terminal. */
void terminal_progress(void *user, const heed_progress *p);
/* Clears the moving bar, if there is one. */
void terminal_clear(terminal *t);
/* The log hook; user is a terminal. Prints warnings. */
void terminal_log(void *user, heed_log_level level, const char *line);
/* Prints text[0..size) in a shade of weight, 0 to 1: a background on a colour terminal, else in
 * brackets where it is marked. */
void terminal_shade(const terminal *t, const char *text, size_t size, float weight, bool marked);

#endif
