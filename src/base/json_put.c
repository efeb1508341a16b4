/* json_put.c: JSON into a growing text. */
#include "base/json_put.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"

/* The escape of a byte, of at most 6 letters; 0: it stands for itself. */
static size_t escape(unsigned char c, char *to) {
    static const char letter[] = "btn\0fr", hex[] = "0123456789abcdef";
    if (c == '"' || c == '\\') {
        to[0] = '\\';
        to[1] = (char)c;
        return 2;
    }
    if (c >= 0x20 && c != 0x7f) return 0;
    if (c >= 8 && c <= 13 && letter[c - 8]) {
        to[0] = '\\';
        to[1] = letter[c - 8];
        return 2;
    }
    memcpy(to, "\\u00", 4);
    to[4] = hex[c >> 4];
    to[5] = hex[c & 15];
    return 6;
}

void heed__json_put_text(heed_text *b, const char *text, size_t size) {
    if (b->failed || size > PTRDIFF_MAX / 16 ||
        heed__grow(b->hooks, &b->bytes, &b->cap, b->len + 6 * (int64_t)size + 3, 1) != 0) {
        b->failed = true;
        return;
    }
    char *to = b->bytes + b->len, *at = to;
    *at++ = '"';
    for (size_t i = 0; i < size; i++) {
        const size_t n = escape((unsigned char)text[i], at);
        if (n == 0) *at = text[i];
        at += n ? n : 1;
    }
    *at++ = '"';
    *at = 0;
    b->len += at - to;
}

void heed__json_put_string(heed_text *b, const char *text) {
    if (text)
        heed__json_put_text(b, text, strlen(text));
    else
        heed__text_puts(b, "null");
}

void heed__json_put_int(heed_text *b, int64_t value) {
    char text[24], *at = text + sizeof text;
    uint64_t left = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    *--at = 0;
    do *--at = (char)('0' + left % 10);
    while ((left /= 10) != 0);
    if (value < 0) *--at = '-';
    heed__text_puts(b, at);
}

void heed__json_put_real(heed_text *b, double value) {
    char text[HEED_NUMBER_SIZE];
    heed__text_puts(b, isfinite(value) ? heed__double_text(value, text) : "null");
}

void heed__json_put_part(heed_text *b, double value, int digits) {
    if (!(value >= 0 && value <= 1)) {
        heed__json_put_real(b, value);
        return;
    }
    uint64_t scale = 1;
    for (int i = 0; i < digits; i++) scale *= 10;
    uint64_t left = (uint64_t)(value * (double)scale + 0.5);
    char text[16] = "0.";
    text[0] = (char)('0' + left / scale);
    for (int i = digits + 1; i >= 2; i--, left /= 10) text[i] = (char)('0' + left % 10);
    size_t size = (size_t)digits + 2;
    while (size > 3 && text[size - 1] == '0') size--;
    heed__text_add(b, text, size);
}
