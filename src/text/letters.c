/* letters.c: single characters. */
#include "text/letters.h"

size_t heed__utf8_put(uint32_t c, char out[4]) {
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    const size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    const uint32_t lead[] = { 0xc0, 0xe0, 0xf0 };
    for (size_t i = n - 1; i > 0; i--) out[i] = (char)(0x80 | (c >> (6 * (n - 1 - i)) & 0x3f));
    out[0] = (char)(lead[n - 2] | c >> (6 * (n - 1)));
    return n;
}

uint32_t heed__lower(uint32_t c) {
    if (c >= 'A' && c <= 'Z') return c + 32;
    if (c < 0x80) return c;
    if ((c >= 0xc0 && c <= 0xde && c != 0xd7) || (c >= 0x391 && c <= 0x3a9 && c != 0x3a2) ||
        (c >= 0x410 && c <= 0x42f) || (c >= 0xff21 && c <= 0xff3a))
        return c + 32;
    if (c >= 0x400 && c <= 0x40f) return c + 80;
    if ((c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17e)) return c + (c & 1);
    if ((c >= 0x100 && c <= 0x137 && c != 0x130 && c != 0x131) || (c >= 0x14a && c <= 0x177))
        return c | 1;
    return c;
}
