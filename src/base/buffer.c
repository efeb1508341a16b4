/* buffer.c: a text that grows at its end. */
#include "base/buffer.h"

#include <string.h>

#include "base/text.h"

void heed__text_add(heed_text *b, const char *bytes, size_t size) {
    if (b->failed) return;
    if (size > PTRDIFF_MAX / 4 ||
        heed__grow(b->hooks, &b->bytes, &b->cap, b->len + (int64_t)size + 1, 1)) {
        b->failed = true;
        return;
    }
    if (size > 0) memcpy(b->bytes + b->len, bytes, size);
    b->len += (int64_t)size;
    b->bytes[b->len] = 0;
}

void heed__text_puts(heed_text *b, const char *text) {
    heed__text_add(b, text, strlen(text));
}

void heed__text_put(heed_text *b, char c) {
    heed__text_add(b, &c, 1);
}

void heed__text_format(heed_text *b, const char *format, ...) {
    char text[1024];
    va_list args;
    va_start(args, format);
    const size_t n = heed__vformat(text, sizeof text, format, args);
    va_end(args);
    heed__text_add(b, text, n);
}

char *heed__text_take(heed_text *b, size_t *size) {
    heed__text_add(b, "", 0);
    char *text = b->failed ? NULL : b->bytes;
    if (b->failed) heed__free(b->hooks, b->bytes);
    if (size) *size = text ? (size_t)b->len : 0;
    *b = (heed_text){ .hooks = b->hooks };
    return text;
}

void heed__text_reset(heed_text *b) {
    b->len = 0;
    if (b->bytes) b->bytes[0] = 0;
}

void heed__text_free(heed_text *b) {
    heed__free(b->hooks, b->bytes);
    *b = (heed_text){ .hooks = b->hooks };
}
