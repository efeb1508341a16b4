/* utf8.c: reading UTF-8 strictly. */
#include "base/utf8.h"

int32_t heed__utf8_next(const char *text, size_t size, size_t *at) {
    const unsigned char *s = (const unsigned char *)text + *at;
    const size_t left = size - *at;
    if (s[0] < 0x80) {
        *at += 1;
        return s[0];
    }
    const int need = s[0] >= 0xf0 && s[0] <= 0xf4   ? 4
                     : s[0] >= 0xe0 && s[0] < 0xf0  ? 3
                     : s[0] >= 0xc2 && s[0] <= 0xdf ? 2
                                                    : 0;
    if (need == 0 || left < (size_t)need) return -1;
    int32_t code = s[0] & (0xff >> (need + 1));
    for (int i = 1; i < need; i++) {
        if ((s[i] & 0xc0) != 0x80) return -1;
        code = code << 6 | (s[i] & 0x3f);
    }
    const bool overlong = (need == 3 && code < 0x800) || (need == 4 && code < 0x10000);
    if (overlong || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return -1;
    *at += (size_t)need;
    return code;
}

int heed__utf8_put(int32_t code, char out[4]) {
    const uint32_t c = (uint32_t)code;
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    const int n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    const uint32_t lead[] = { 0xc0, 0xe0, 0xf0 };
    for (int i = n - 1; i > 0; i--) out[i] = (char)(0x80 | (c >> (6 * (n - 1 - i)) & 0x3f));
    out[0] = (char)(lead[n - 2] | c >> (6 * (n - 1)));
    return n;
}

size_t heed__utf8_check(const char *text, size_t size) {
    size_t at = 0;
    while (at < size)
        if (heed__utf8_next(text, size, &at) < 0) return at;
    return size;
}

int32_t heed__lower(int32_t c) {
    if (c >= 'A' && c <= 'Z') return c + 32;
    if (c < 0x80) return c;
    if ((c >= 0xc0 && c <= 0xde && c != 0xd7) || (c >= 0x391 && c <= 0x3a9 && c != 0x3a2) ||
        (c >= 0x410 && c <= 0x42f) || (c >= 0xff21 && c <= 0xff3a))
        return c + 32;
    if (c >= 0x400 && c <= 0x40f) return c + 80;
    if (c >= 0x100 && c <= 0x137 && c != 0x130 && c != 0x131) return c | 1;
    if ((c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17e)) return c + (c & 1);
    if (c >= 0x14a && c <= 0x177) return c | 1;
    return c;
}
