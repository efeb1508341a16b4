/* base64.h: bytes as letters and back (RFC 4648, RFC 2045). */
#ifndef HEED_BASE_BASE64_H
#define HEED_BASE_BASE64_H

#include "base/buffer.h"

/* Adds size bytes as base64, with '=' at the end where they are no multiple of three. line: a line
 * break after so many letters, a multiple of 4, and at the end; 0: none. */
void heed__base64_put(heed_text *to, const void *bytes, size_t size, size_t line);
/* Adds what a text in base64 stands for, up to its first '='; what is no letter of it is passed
 * over, as RFC 2045 asks. */
void heed__base64_add(heed_text *to, const char *text, size_t size);
/* 0 to 63, those of the alphabet for URLs ('-', '_') too; -1: no letter of base64. */
int heed__base64_value(char c);

#endif
