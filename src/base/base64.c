/* base64.c: three bytes as four letters. */
#include "base/base64.h"

void heed__base64_put(heed_text *to, const void *bytes, size_t size, size_t line) {
    static const char letter[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *in = bytes;
    size_t column = 0;
    for (size_t i = 0; i < size; i += 3) {
        const size_t left = size - i;
        const unsigned v = (unsigned)in[i] << 16 | (left > 1 ? (unsigned)in[i + 1] << 8 : 0u) |
                           (left > 2 ? (unsigned)in[i + 2] : 0u);
        const char four[4] = { letter[v >> 18], letter[v >> 12 & 63],
                               left > 1 ? letter[v >> 6 & 63] : '=',
                               left > 2 ? letter[v & 63] : '=' };
        heed__text_add(to, four, 4);
        column += 4;
        if (line && column >= line) heed__text_put(to, '\n'), column = 0;
    }
    if (line && column) heed__text_put(to, '\n');
}

int heed__base64_value(char c) {
    return c >= 'A' && c <= 'Z'   ? c - 'A'
           : c >= 'a' && c <= 'z' ? c - 'a' + 26
           : c >= '0' && c <= '9' ? c - '0' + 52
           : c == '+' || c == '-' ? 62
           : c == '/' || c == '_' ? 63
                                  : -1;
}

void heed__base64_add(heed_text *to, const char *text, size_t size) {
    uint32_t bits = 0;
    int n = 0;
    for (size_t i = 0; i < size && text[i] != '='; i++) {
        const int v = heed__base64_value(text[i]);
        if (v < 0) continue;
        bits = bits << 6 | (uint32_t)v;
        n += 6;
        if (n < 8) continue;
        n -= 8;
        heed__text_put(to, (char)(bits >> n & 0xff));
    }
}
