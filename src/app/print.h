/* print.h: pieces of JSON on standard output. */
#ifndef HEED_APP_PRINT_H
#define HEED_APP_PRINT_H

#include "heed/base.h"

/* text[0..size), which is UTF-8, as a JSON string. */
void print_json_text(const char *text, size_t size);
/* A number that reads back as the same float; null for one that is not finite. */
void print_json_number(double value);

#endif
