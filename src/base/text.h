/* text.h: numbers and messages as text, the same under every locale, and UTF-8. */
#ifndef HEED_BASE_TEXT_H
#define HEED_BASE_TEXT_H

#include <locale.h>
#include <stdarg.h>

#include "heed/base.h"

enum { HEED_NUMBER_SIZE = 32 }; /* room for any number that the functions below write */

/* Puts the calling thread, and no other, under the "C" locale for a while. */
locale_t heed__c_locale_enter(void);
void heed__c_locale_leave(locale_t before);

/* vsnprintf and snprintf under the "C" locale: '.' in numbers, no grouping. What does not fit is
 * cut before the character that it would split. Return the length that is in text. */
size_t heed__vformat(char *text, size_t size, const char *format, va_list args) HEED_PRINTF(3, 0);
size_t heed__format(char *text, size_t size, const char *format, ...) HEED_PRINTF(3, 4);

/* The shortest decimal that reads back as the same float or double; "nan", "inf", "-inf" for those.
 * Returns text. */
char *heed__float_text(float value, char text[HEED_NUMBER_SIZE]);
char *heed__double_text(double value, char text[HEED_NUMBER_SIZE]);

/* Read a whole text of `len` bytes as one decimal number: no spaces, no '+', no hexadecimal, no
 * infinity or NaN, '.' as point. False where it is none or out of range. */
bool heed__parse_double(const char *text, size_t len, double *value);
bool heed__parse_int(const char *text, size_t len, int64_t *value);

/* Bytes of the well-formed UTF-8 character at text (1 to 4), or 0 where there is none within len
 * bytes: no overlong forms, no surrogates, nothing above U+10FFFF. */
size_t heed__utf8_next(const char *text, size_t len, uint32_t *code);
/* Offset of the first byte that is not part of well-formed UTF-8; len where all is well. */
size_t heed__utf8_check(const char *text, size_t len);
/* Offset of the first control character (U+0000 to U+001F, U+007F to U+009F) or byte that is not
 * part of well-formed UTF-8; len where there is none. */
size_t heed__control_at(const char *text, size_t len);
/* Makes text fit for one line of a terminal or a log: a run of control characters, or of bytes that
 * belong to no well-formed UTF-8 character, becomes one '?'. */
void heed__text_tidy(char *text);
/* How many runs of bytes other than blanks and control characters. */
int64_t heed__words_in(const char *text);

/* What the system says of an errno value, in English. Valid until the next call in this thread. */
const char *heed__errno_text(int number);

/* Bytes to be added, dropped, changed or swapped with their neighbour to come from a to b (optimal
 * string alignment); HEED_WORD_MOST where one is longer than that. */
enum { HEED_WORD_MOST = 32 };
size_t heed__text_distance(const char *a, size_t n, const char *b, size_t m);

#endif
