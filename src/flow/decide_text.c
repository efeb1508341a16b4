/* decide_text.c: see decide_text.h. */
#include "flow/decide_text.h"

#include <math.h>
#include <string.h>

void heed__line_start(heed_line *l) {
    l->len = 0;
    l->failed = false;
    if (l->text) l->text[0] = 0;
}

void heed__line_free(heed_line *l) {
    heed__free(l->hooks, l->text);
    l->text = NULL;
    l->len = l->cap = 0;
}

void heed__line_bytes(heed_line *l, const char *bytes, size_t len) {
    if (l->failed) return;
    if (len > (size_t)1 << 30 || l->len > (1 << 30) ||
        heed__grow(l->hooks, &l->text, &l->cap, l->len + (int64_t)len + 1, 1) != 0) {
        l->failed = true;
        return;
    }
    memcpy(l->text + l->len, bytes, len);
    l->len += (int64_t)len;
    l->text[l->len] = 0;
}

void heed__line_put(heed_line *l, const char *text) {
    heed__line_bytes(l, text, strlen(text));
}

void heed__line_int(heed_line *l, int64_t value) {
    char digits[24];
    size_t at = sizeof digits;
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do digits[--at] = (char)('0' + rest % 10);
    while (rest /= 10);
    if (value < 0) digits[--at] = '-';
    heed__line_bytes(l, digits + at, sizeof digits - at);
}

/* Digits of [100,999] as d.dd without zeros at the end, after a shift of the point. */
static void put_digits(heed_line *l, int digits, int exponent) {
    char text[16];
    size_t n = 0;
    const char d[3] = { (char)('0' + digits / 100), (char)('0' + digits / 10 % 10),
                        (char)('0' + digits % 10) };
    int last = d[2] != '0' ? 2 : d[1] != '0' ? 1 : 0;
    if (exponent >= 0 && exponent < 6) {
        for (int i = 0; i <= exponent || i <= last; i++) {
            if (i == exponent + 1) text[n++] = '.';
            text[n++] = i < 3 ? d[i] : '0';
        }
    } else if (exponent < 0 && exponent >= -4) {
        text[n++] = '0', text[n++] = '.';
        for (int i = -1; i > exponent; i--) text[n++] = '0';
        for (int i = 0; i <= last; i++) text[n++] = d[i];
    } else {
        for (int i = 0; i <= last; i++) {
            if (i == 1) text[n++] = '.';
            text[n++] = d[i];
        }
        text[n++] = 'e';
        heed__line_bytes(l, text, n);
        heed__line_int(l, exponent);
        return;
    }
    heed__line_bytes(l, text, n);
}

void heed__line_number(heed_line *l, double value) {
    if (!(fabs(value) <= 1e300)) value = value < 0 ? -1e300 : 1e300; /* JSON has no infinity */
    if (value < 0) heed__line_bytes(l, "-", 1), value = -value;
    if (value < 1e-300) {
        heed__line_bytes(l, "0", 1);
        return;
    }
    int exponent = 0;
    for (; value >= 1e16; exponent += 16) value /= 1e16;
    for (; value >= 10; exponent++) value /= 10;
    for (; value < 1e-16; exponent -= 16) value *= 1e16;
    for (; value < 1; exponent--) value *= 10;
    int digits = (int)(value * 100 + 0.5);
    if (digits >= 1000) digits = 100, exponent++;
    put_digits(l, digits, exponent);
}

void heed__line_within(heed_line *l, const char *text, size_t len) {
    static const char hex[] = "0123456789abcdef";
    size_t from = 0;
    for (size_t i = 0; i < len; i++) {
        const unsigned char c = (unsigned char)text[i];
        if (c >= 0x20 && c != '"' && c != '\\') continue;
        heed__line_bytes(l, text + from, i - from);
        from = i + 1;
        if (c == '"' || c == '\\') {
            const char escaped[2] = { '\\', (char)c };
            heed__line_bytes(l, escaped, 2);
        } else {
            const char escaped[6] = { '\\', 'u', '0', '0', hex[c >> 4], hex[c & 15] };
            heed__line_bytes(l, escaped, 6);
        }
    }
    heed__line_bytes(l, text + from, len - from);
}

void heed__line_json(heed_line *l, const char *text) {
    heed__line_bytes(l, "\"", 1);
    heed__line_within(l, text, strlen(text));
    heed__line_bytes(l, "\"", 1);
}

static void put_padded(heed_line *l, int64_t value, int width) {
    char digits[8];
    for (int i = width; i-- > 0; value /= 10) digits[i] = (char)('0' + value % 10);
    heed__line_bytes(l, digits, (size_t)width);
}

/* Civil date of a day counted from 1970-01-01 (H. Hinnant's chrono-compatible date algorithms). */
void heed__line_time(heed_line *l, int64_t time_ms) {
    if (time_ms < 0) time_ms = 0;
    if (time_ms > INT64_C(253402300799999)) time_ms = INT64_C(253402300799999); /* year 9999 */
    const int64_t day = time_ms / 86400000, in_day = time_ms % 86400000;
    const int64_t z = day + 719468, era = z / 146097, doe = z % 146097;
    const int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    const int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
    const int64_t month = mp < 10 ? mp + 3 : mp - 9;
    const int64_t part[6] = { in_day / 3600000, in_day / 60000 % 60, in_day / 1000 % 60 };
    heed__line_bytes(l, "\"", 1);
    put_padded(l, yoe + era * 400 + (month <= 2), 4);
    heed__line_bytes(l, "-", 1);
    put_padded(l, month, 2);
    heed__line_bytes(l, "-", 1);
    put_padded(l, doy - (153 * mp + 2) / 5 + 1, 2);
    for (int i = 0; i < 3; i++) {
        heed__line_bytes(l, i ? ":" : "T", 1);
        put_padded(l, part[i], 2);
    }
    heed__line_bytes(l, ".", 1);
    put_padded(l, in_day % 1000, 3);
    heed__line_put(l, "Z\"");
}

void heed__line_span(heed_line *l, int64_t ms) {
    static const struct {
        int64_t ms;
        const char *unit;
    } units[] = { { 86400000, " d" }, { 3600000, " h" }, { 60000, " min" }, { 1000, " s" } };
    for (int i = 0; i < 4; i++) {
        if (ms < units[i].ms * (i == 0 ? 2 : 1) || ms % units[i].ms != 0) continue;
        heed__line_int(l, ms / units[i].ms);
        heed__line_put(l, units[i].unit);
        return;
    }
    heed__line_int(l, ms);
    heed__line_put(l, " ms");
}
