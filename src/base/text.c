/* text.c: numbers and messages as text, the same under every locale, and UTF-8.
 *
 * Numbers go through the C library's own conversions, which are exactly rounded, with the calling
 * thread switched to the "C" locale meanwhile: uselocale() touches no other thread.
 */
#include "base/text.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The "C" locale is a constant of the C library: making it allocates nothing. */
locale_t heed__c_locale_enter(void) {
    locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    return c ? uselocale(c) : (locale_t)0;
}

void heed__c_locale_leave(locale_t before) {
    if (before) uselocale(before);
}

static bool is_continuation(char c) {
    return ((unsigned char)c & 0xC0u) == 0x80u;
}

size_t heed__vformat(char *text, size_t size, const char *format, va_list args) {
    if (size == 0) return 0;
    locale_t before = heed__c_locale_enter();
    const int n = vsnprintf(text, size, format, args);
    heed__c_locale_leave(before);
    if (n < 0) {
        text[0] = 0;
        return 0;
    }
    if ((size_t)n < size) return (size_t)n;
    /* Cut: drop the last character if its bytes are not all there. */
    size_t len = size - 1, start = len;
    while (start > 0 && len - start < 3 && is_continuation(text[start - 1])) start--;
    if (start > 0 && ((unsigned char)text[start - 1] & 0xC0u) == 0xC0u) start--;
    if (start < len && heed__utf8_check(text + start, len - start) < len - start) len = start;
    text[len] = 0;
    return len;
}

size_t heed__format(char *text, size_t size, const char *format, ...) {
    va_list args;
    va_start(args, format);
    const size_t n = heed__vformat(text, size, format, args);
    va_end(args);
    return n;
}

static bool special_text(double value, char *text) {
    if (isfinite(value)) return false;
    memcpy(text,
           isnan(value) ? "nan"
           : value < 0  ? "-inf"
                        : "inf",
           isnan(value) || value > 0 ? 4 : 5);
    return true;
}

char *heed__float_text(float value, char text[HEED_NUMBER_SIZE]) {
    if (special_text((double)value, text)) return text;
    locale_t before = heed__c_locale_enter();
    for (int digits = 6; digits <= 9; digits++) {
        snprintf(text, HEED_NUMBER_SIZE, "%.*g", digits, (double)value);
        if (strtof(text, NULL) == value) break;
    }
    heed__c_locale_leave(before);
    return text;
}

char *heed__double_text(double value, char text[HEED_NUMBER_SIZE]) {
    if (special_text(value, text)) return text;
    locale_t before = heed__c_locale_enter();
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, HEED_NUMBER_SIZE, "%.*g", digits, value);
        if (strtod(text, NULL) == value) break;
    }
    heed__c_locale_leave(before);
    return text;
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static size_t skip_digits(const char *text, size_t len, size_t at) {
    while (at < len && is_digit(text[at])) at++;
    return at;
}

/* -digits[.digits][e[+-]digits], with at least one digit before or after the point */
static bool is_decimal(const char *text, size_t len) {
    size_t at = len > 0 && text[0] == '-';
    size_t from = at;
    at = skip_digits(text, len, at);
    size_t digits = at - from;
    if (at < len && text[at] == '.') {
        from = ++at;
        at = skip_digits(text, len, at);
        digits += at - from;
    }
    if (digits == 0) return false;
    if (at < len && (text[at] == 'e' || text[at] == 'E')) {
        at++;
        if (at < len && (text[at] == '-' || text[at] == '+')) at++;
        from = at;
        at = skip_digits(text, len, at);
        if (at == from) return false;
    }
    return at == len;
}

bool heed__parse_double(const char *text, size_t len, double *value) {
    char copy[400];
    if (len >= sizeof copy || !is_decimal(text, len)) return false;
    memcpy(copy, text, len);
    copy[len] = 0;
    locale_t before = heed__c_locale_enter();
    const double v = strtod(copy, NULL);
    heed__c_locale_leave(before);
    if (!isfinite(v)) return false;
    *value = v;
    return true;
}

bool heed__parse_int(const char *text, size_t len, int64_t *value) {
    const size_t sign = len > 0 && text[0] == '-';
    const uint64_t limit = (uint64_t)INT64_MAX + sign;
    uint64_t sum = 0;
    if (len == sign) return false;
    for (size_t i = sign; i < len; i++) {
        if (!is_digit(text[i])) return false;
        const uint64_t d = (uint64_t)(text[i] - '0');
        if (sum > (limit - d) / 10) return false;
        sum = sum * 10 + d;
    }
    *value = sign ? -(int64_t)(sum - (sum > 0)) - (sum > 0) : (int64_t)sum;
    return true;
}

size_t heed__utf8_next(const char *text, size_t len, uint32_t *code) {
    static const uint32_t least[5] = { 0, 0, 0x80, 0x800, 0x10000 };
    if (len == 0) return 0;
    const unsigned char c = (unsigned char)text[0];
    const size_t n = c < 0x80               ? 1
                     : (c & 0xE0u) == 0xC0u ? 2
                     : (c & 0xF0u) == 0xE0u ? 3
                     : (c & 0xF8u) == 0xF0u ? 4
                                            : 0;
    if (n == 0 || n > len) return 0;
    uint32_t v = n == 1 ? c : c & (0x7Fu >> n);
    for (size_t i = 1; i < n; i++) {
        if (!is_continuation(text[i])) return 0;
        v = v << 6 | ((unsigned char)text[i] & 0x3Fu);
    }
    if (v < least[n] || v > 0x10FFFF || (v >= 0xD800 && v < 0xE000)) return 0;
    if (code) *code = v;
    return n;
}

/* Whether the next 8 bytes are ASCII. */
static bool plain(const char *text) {
    uint64_t bytes;
    memcpy(&bytes, text, sizeof bytes);
    return (bytes & 0x8080808080808080u) == 0;
}

size_t heed__utf8_check(const char *text, size_t len) {
    size_t at = 0;
    while (at < len) {
        if (len - at >= 8 && plain(text + at)) {
            at += 8;
            continue;
        }
        const size_t n = heed__utf8_next(text + at, len - at, NULL);
        if (n == 0) break;
        at += n;
    }
    return at;
}

size_t heed__control_at(const char *text, size_t len) {
    for (size_t at = 0, n; at < len; at += n) {
        uint32_t c = 0;
        n = heed__utf8_next(text + at, len - at, &c);
        if (n == 0 || c < 0x20 || (c >= 0x7f && c < 0xa0)) return at;
    }
    return len;
}

void heed__text_tidy(char *text) {
    const size_t len = strlen(text);
    size_t at = heed__control_at(text, len), to = at;
    while (at < len) {
        text[to++] = '?';
        size_t whole;
        do {
            at++;
            whole = heed__control_at(text + at, len - at);
        } while (at < len && whole == 0);
        memmove(text + to, text + at, whole);
        to += whole;
        at += whole;
    }
    text[to] = 0;
}

const char *heed__errno_text(int number) {
    locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    return c ? strerror_l(number, c) : "unknown error";
}

int64_t heed__words_in(const char *text) {
    int64_t n = 0;
    for (bool in = false; *text; text++) {
        const bool letter = (unsigned char)*text > ' ';
        n += letter && !in;
        in = letter;
    }
    return n;
}

/* -- words that look alike --------------------------------------------------------------------- */

size_t heed__text_distance(const char *a, size_t n, const char *b, size_t m) {
    size_t d[HEED_WORD_MOST + 1][HEED_WORD_MOST + 1];
    if (n > HEED_WORD_MOST || m > HEED_WORD_MOST) return HEED_WORD_MOST;
    for (size_t i = 0; i <= n; i++) d[i][0] = i;
    for (size_t j = 0; j <= m; j++) d[0][j] = j;
    for (size_t i = 1; i <= n; i++) {
        for (size_t j = 1; j <= m; j++) {
            size_t best = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
            if (d[i - 1][j] + 1 < best) best = d[i - 1][j] + 1;
            if (d[i][j - 1] + 1 < best) best = d[i][j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                d[i - 2][j - 2] + 1 < best)
                best = d[i - 2][j - 2] + 1;
            d[i][j] = best;
        }
    }
    return d[n][m];
}
