/* print.h: pieces of answers on standard output: of JSON, and lines for people. */
#ifndef HEED_APP_PRINT_H
#define HEED_APP_PRINT_H

#include <stdio.h>

#include "heed/tasks.h"

/* text[0..size) on a line for people: a blank in place of a control character. */
void print_text(FILE *to, const char *text, size_t size);
/* text[0..size) as a JSON string; a byte that is no UTF-8 (of a file's name) is U+FFFD there. */
void print_json_text(const char *text, size_t size);
/* A number that reads back as the same float; null for one that is not finite. */
void print_json_number(double value);
/* Hands on what was printed so far. 0, or HEED_EIO: it could not be written. */
int print_flush(heed_error *err);
/* `, "key": value`; `BEFORE"key": [low, high]`. */
void print_json_field(const char *key, double value);
void print_json_interval(const char *before, const char *key, heed_interval i);
/* A line for people: a measure, which is translated, and its interval. */
void print_measure(const char *name, double value, heed_interval i);
/* And one about labels that the model does not have, where there are any. */
void print_unknown(const heed_metrics *m);

#endif
