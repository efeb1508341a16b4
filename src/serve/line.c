/* line.c: JSON into a growing line. */
#include "serve/line.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"

void heed_line_free(heed_line *l) {
    heed__free(l->hooks, l->data);
    *l = (heed_line){ .hooks = l->hooks };
}

/* Room for size more bytes and a zero; NULL where there is none. */
static char *room(heed_line *l, size_t size) {
    if (l->failed || size > (size_t)1 << 40 ||
        heed__grow(l->hooks, &l->data, &l->cap, l->len + (int64_t)size + 1, 1) != 0) {
        l->failed = true;
        return NULL;
    }
    return l->data + l->len;
}

void heed_line_bytes(heed_line *l, const char *text, size_t size) {
    char *to = room(l, size);
    if (!to) return;
    memcpy(to, text, size);
    to[size] = 0;
    l->len += (int64_t)size;
}

void heed_line_put(heed_line *l, const char *text) {
    heed_line_bytes(l, text, strlen(text));
}

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

void heed_line_text(heed_line *l, const char *text, size_t size) {
    char *to = size < SIZE_MAX / 8 ? room(l, 6 * size + 2) : room(l, SIZE_MAX);
    if (!to) return;
    char *at = to;
    *at++ = '"';
    for (size_t i = 0; i < size; i++) {
        const size_t n = escape((unsigned char)text[i], at);
        if (n == 0) *at = text[i];
        at += n ? n : 1;
    }
    *at++ = '"';
    *at = 0;
    l->len += at - to;
}

void heed_line_string(heed_line *l, const char *text) {
    if (text)
        heed_line_text(l, text, strlen(text));
    else
        heed_line_put(l, "null");
}

void heed_line_int(heed_line *l, int64_t value) {
    char text[24], *at = text + sizeof text;
    uint64_t left = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    *--at = 0;
    do *--at = (char)('0' + left % 10);
    while ((left /= 10) != 0);
    if (value < 0) *--at = '-';
    heed_line_put(l, at);
}

void heed_line_real(heed_line *l, double value) {
    char text[HEED_NUMBER_SIZE];
    heed_line_put(l, isfinite(value) ? heed__double_text(value, text) : "null");
}

void heed_line_part(heed_line *l, double value, int digits) {
    if (!(value >= 0 && value <= 1)) {
        heed_line_real(l, value);
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
    heed_line_bytes(l, text, size);
}
