/* messages.h: what the program says to people, in their language. A message is written in English
 * where it is printed; its English text is its name in the other languages' tables
 * (messages_zh_data.c). What machines read (--json, the lines of predict) never passes through
 * here, and numbers are written the same in every language.
 *
 *     printf(tr("%s: %d labels\n"), name, labels);
 *
 * The language is that of HEED_LANG (en or zh, as --lang sets it), else of the first of LC_ALL,
 * LC_MESSAGES and LANG that says anything: Chinese where it begins with zh and names no coding but
 * UTF-8. A text without a translation stays English. */
#ifndef HEED_APP_MESSAGES_H
#define HEED_APP_MESSAGES_H

#include <stdbool.h>
#include <stddef.h>

typedef struct message {
    const char *english, *text;
} message;

extern const message messages_zh[], messages_zh_made[], messages_zh_joined[]; /* {NULL,NULL} ends */

enum { MESSAGE_SIZE = 1024 }; /* of a sentence of the library in another language */

/* "en" or "zh", as --lang wants it; false: neither. Libraries of the program that are loaded later
 * follow, by HEED_LANG. */
bool messages_choose(const char *name);
/* The chosen language: "en" or "zh". */
const char *messages_language(void);
/* A text in the chosen language; a format keeps its arguments. */
const char *tr(const char *english) __attribute__((format_arg(1)));
/* A finished sentence, such as an error's, known again by its format: in to, or itself. */
const char *tr_made(const char *sentence, char to[MESSAGE_SIZE]);
/* What goes to stderr, a line as a rule: printf, with control characters and bytes that are no
 * UTF-8 made fit for a terminal, wherever they came from, but for a line's end at the end. */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The columns of a terminal that text takes, an ideograph two. */
int cell_width(const char *text);
/* Prints text in a cell of so many columns of a terminal (negative: at its left). */
void print_cell(const char *text, int columns);

#endif
