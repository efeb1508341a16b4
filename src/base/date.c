/* date.c: moments as text. A reader by hand, since what feeds and mails call a date follows several
 * standards and obeys none: numbers, words and signs are taken one after the other and given the
 * place that their form allows. */
#include "base/date.h"

#include <string.h>
#include <strings.h>

#include "base/text.h"

enum { DAY_MS = 86400000, MINUTE_MS = 60000 };

/* Howard Hinnant's days_from_civil: years begin in March, so that the leap day is the last. */
int64_t heed__date_days(int64_t year, int month, int day) {
    year -= month <= 2;
    const int64_t era = (year >= 0 ? year : year - 399) / 400;
    const int64_t of_era = year - era * 400;
    const int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

void heed__date_of(int64_t days, int64_t *year, int *month, int *day) {
    days += 719468;
    const int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    const int64_t d = days - era * 146097;
    const int64_t y = (d - d / 1460 + d / 36524 - d / 146096) / 365;
    const int64_t of_year = d - (365 * y + y / 4 - y / 100);
    const int64_t m = (5 * of_year + 2) / 153;
    *day = (int)(of_year - (153 * m + 2) / 5 + 1);
    *month = (int)(m < 10 ? m + 3 : m - 9);
    *year = y + era * 400 + (*month <= 2);
}

char *heed__date_text(int64_t ms, char text[HEED_DATE_SIZE]) {
    const int64_t first = heed__date_days(1, 1, 1) * DAY_MS;
    const int64_t last = heed__date_days(10000, 1, 1) * DAY_MS - 1;
    ms = ms < first ? first : ms > last ? last : ms;
    int64_t days = ms / DAY_MS, rest = ms % DAY_MS, year;
    if (rest < 0) {
        rest += DAY_MS;
        days--;
    }
    int month, day;
    heed__date_of(days, &year, &month, &day);
    heed__format(text, HEED_DATE_SIZE, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", (int)year, month, day,
                 (int)(rest / 3600000), (int)(rest / MINUTE_MS % 60), (int)(rest / 1000 % 60),
                 (int)(rest % 1000));
    return text;
}

/* -- reading ---------------------------------------------------------------------------------- */

typedef struct cursor {
    const char *at, *end;
} cursor;

typedef struct moment {
    int64_t year;
    int month, day, hour, minute, second, ms;
    int zone; /* minutes east of Greenwich */
} moment;

static bool digit_at(const cursor *c, size_t i) {
    return (size_t)(c->end - c->at) > i && c->at[i] >= '0' && c->at[i] <= '9';
}

/* Exactly n digits. */
static bool digits(cursor *c, size_t n, int *value) {
    int v = 0;
    for (size_t i = 0; i < n; i++) {
        if (!digit_at(c, i)) return false;
        v = v * 10 + (c->at[i] - '0');
    }
    c->at += n;
    *value = v;
    return true;
}

static size_t count_digits(const cursor *c) {
    size_t n = 0;
    while (digit_at(c, n)) n++;
    return n;
}

static bool sign(cursor *c, char s) {
    if (c->at == c->end || *c->at != s) return false;
    c->at++;
    return true;
}

static void spaces(cursor *c) {
    while (c->at < c->end && (*c->at == ' ' || *c->at == '\t')) c->at++;
}

/* hh:mm[:ss[.f]] with one or two digits in the hour. */
static bool clock_time(cursor *c, moment *m) {
    const size_t n = count_digits(c);
    if (n < 1 || n > 2 || !digits(c, n, &m->hour) || !sign(c, ':') || !digits(c, 2, &m->minute))
        return false;
    if (!sign(c, ':')) return true;
    if (!digits(c, 2, &m->second)) return false;
    if (!sign(c, '.') && !sign(c, ',')) return true;
    int scale = 100;
    if (!digit_at(c, 0)) return false;
    for (; digit_at(c, 0); c->at++, scale /= 10) m->ms += scale * (*c->at - '0');
    return true;
}

/* Z, +08:00, +0800, +08, GMT, EST ... or nothing */
static bool zone(cursor *c, moment *m) {
    static const struct {
        const char *name;
        int minutes;
    } names[] = { { "EST", -300 }, { "EDT", -240 }, { "CST", -360 }, { "CDT", -300 },
                  { "MST", -420 }, { "MDT", -360 }, { "PST", -480 }, { "PDT", -420 } };
    spaces(c);
    if (c->at == c->end) return true;
    const bool minus = *c->at == '-';
    if (sign(c, '+') || sign(c, '-')) {
        int hours, minutes = 0;
        const size_t n = count_digits(c);
        if (n == 3 ? !digits(c, 1, &hours) : !digits(c, 2, &hours)) return false;
        sign(c, ':');
        if (digit_at(c, 0) && !digits(c, 2, &minutes)) return false;
        if (hours > 23 || minutes > 59) return false;
        m->zone = (hours * 60 + minutes) * (minus ? -1 : 1);
        return true;
    }
    const char *from = c->at;
    while (c->at < c->end && ((*c->at | 32) >= 'a' && (*c->at | 32) <= 'z')) c->at++;
    const size_t len = (size_t)(c->at - from);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (len == 3 && strncasecmp(from, names[i].name, 3) == 0) m->zone = names[i].minutes;
    return len > 0;
}

static bool finish(const moment *m, int64_t *ms) {
    static const int days[12] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    if (m->year < 1 || m->year > 9999 || m->month < 1 || m->month > 12 || m->day < 1 ||
        m->day > days[m->month - 1] || m->hour > 24 || m->minute > 59 || m->second > 60)
        return false;
    const bool leap = m->year % 4 == 0 && (m->year % 100 != 0 || m->year % 400 == 0);
    if (m->month == 2 && m->day == 29 && !leap) return false;
    if (m->hour == 24 && (m->minute || m->second || m->ms)) return false;
    const int second = m->second == 60 ? 59 : m->second; /* a leap second */
    *ms = heed__date_days(m->year, m->month, m->day) * DAY_MS + m->hour * (int64_t)3600000 +
          ((int64_t)m->minute - m->zone) * MINUTE_MS + second * 1000 + m->ms;
    return true;
}

/* Comments and spaces may follow. */
static bool at_end(cursor *c) {
    spaces(c);
    return c->at == c->end || *c->at == '(';
}

/* 2024-05-01[T10:00...], 20240501[T100000], 2024-05 */
static bool iso(cursor c, int64_t *ms) {
    moment m = { .month = 1, .day = 1 };
    int year;
    const size_t n = count_digits(&c);
    const bool basic = n == 8;
    if ((n != 4 && !basic) || !digits(&c, 4, &year)) return false;
    m.year = year;
    if (basic) {
        if (!digits(&c, 2, &m.month) || !digits(&c, 2, &m.day)) return false;
    } else {
        if (!sign(&c, '-') && !sign(&c, '/')) return false;
        if (!digits(&c, 2, &m.month)) return false;
        if ((sign(&c, '-') || sign(&c, '/')) && !digits(&c, 2, &m.day)) return false;
    }
    if (at_end(&c)) return finish(&m, ms);
    if (sign(&c, 'T') || sign(&c, 't')) spaces(&c);
    if (basic && count_digits(&c) >= 4) {
        if (!digits(&c, 2, &m.hour) || !digits(&c, 2, &m.minute)) return false;
        if (digit_at(&c, 0) && !digits(&c, 2, &m.second)) return false;
    } else if (!clock_time(&c, &m)) {
        return false;
    }
    return zone(&c, &m) && at_end(&c) && finish(&m, ms);
}

/* The month that a word begins with, 1 to 12; 0: none. */
static int month_of(const char *word, size_t len) {
    static const char names[] = "janfebmaraprmayjunjulaugsepoctnovdec";
    if (len < 3) return 0;
    for (int i = 0; i < 12; i++)
        if (strncasecmp(names + (size_t)i * 3, word, 3) == 0) return i + 1;
    return 0;
}

static int64_t full_year(int year, size_t n) {
    return n >= 4 ? year : n == 3 ? 1900 + year : year < 50 ? 2000 + year : 1900 + year;
}

/* Words, numbers and a time in the order of RFC 822, RFC 850 or asctime. */
static bool words(cursor c, int64_t *ms) {
    moment m = { 0 };
    bool timed = false;
    int64_t year = -1;
    while (c.at < c.end && *c.at != '(') {
        const size_t n = count_digits(&c);
        if (n > 0 && n <= 2 && (size_t)(c.end - c.at) > n && c.at[n] == ':') {
            if (timed || !clock_time(&c, &m)) return false;
            timed = true;
            if (year < 0) continue; /* asctime: the year follows */
            if (!zone(&c, &m)) return false;
            break;
        }
        int value;
        if (n > 0 && n <= 4) {
            if (!digits(&c, n, &value)) return false;
            if (!m.day && n <= 2)
                m.day = value;
            else if (year < 0 && n >= 2)
                year = full_year(value, n);
            else
                return false;
        } else if ((*c.at | 32) >= 'a' && (*c.at | 32) <= 'z') {
            const char *from = c.at;
            while (c.at < c.end && (*c.at | 32) >= 'a' && (*c.at | 32) <= 'z') c.at++;
            const int month = month_of(from, (size_t)(c.at - from));
            if (month && !m.month) m.month = month;
        } else if (strchr(" \t,-.", *c.at)) {
            c.at++;
        } else {
            return false;
        }
    }
    if (year < 0 || !at_end(&c)) return false;
    m.year = year;
    return finish(&m, ms);
}

bool heed__date_read(const char *text, size_t len, int64_t *ms) {
    cursor c = { text, text + len };
    while (c.at < c.end && (unsigned char)*c.at <= ' ') c.at++;
    while (c.end > c.at && (unsigned char)c.end[-1] <= ' ') c.end--;
    if (c.end - c.at > 100 || c.at == c.end || memchr(c.at, 0, (size_t)(c.end - c.at)))
        return false;
    if (iso(c, ms) || words(c, ms)) return true;
    double number;
    if (count_digits(&c) < 9 || !heed__parse_double(c.at, (size_t)(c.end - c.at), &number))
        return false;
    number = number >= 1e11 ? number : number * 1000;
    if (number >= 253402300800000.0) return false; /* year 10000 */
    *ms = (int64_t)(number + 0.5);
    return true;
}
