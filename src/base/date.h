/* date.h: moments as text, UTC milliseconds since 1970 began; proleptic Gregorian calendar, years 1
 * to 9999, no time zone of the machine's, no locale. */
#ifndef HEED_BASE_DATE_H
#define HEED_BASE_DATE_H

#include "heed/base.h"

/* Reads what feeds, mails and tables hold:
 *
 *     RFC 3339, ISO 8601   2024-05-01T10:00:00.5+08:00   2024-05-01 10:00   20240501T100000Z
 *     RFC 822, 5322        Wed, 1 May 2024 10:00:00 +0800   1 May 24 10:00 EST
 *     RFC 850, asctime     Wednesday, 01-May-24 10:00:00 GMT   Wed May  1 10:00:00 2024
 *     seconds since 1970   1714557600   1714557600.25; from 1e11 on they are milliseconds
 *
 * Without a zone it is UTC; a name of a zone that is not one of RFC 822 is UTC too. False: no
 * date. */
bool heed__date_read(const char *text, size_t len, int64_t *ms);

enum { HEED_DATE_SIZE = 32 };
/* "2024-05-01T02:00:00.500Z" (RFC 3339); what lies outside the years 1 to 9999 is taken as the
 * nearest that does not. Returns text. */
char *heed__date_text(int64_t ms, char text[HEED_DATE_SIZE]);

/* Days since 1970-01-01 of a date; month 1 to 12. */
int64_t heed__date_days(int64_t year, int month, int day);
/* The date of a day since 1970-01-01. */
void heed__date_of(int64_t days, int64_t *year, int *month, int *day);

#endif
