/* print.c: pieces of JSON on standard output, and texts on a line. */
#include "app/print.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "app/messages.h"
#include "base/alloc.h"
#include "base/text.h"

/* U+0085, U+2028 and U+2029 end lines for some readers of JSON lines; 0: none of them is here. */
static unsigned line_end(const char *text, size_t size, size_t *bytes) {
    const unsigned char *t = (const unsigned char *)text;
    *bytes = t[0] == 0xC2 ? 2 : 3;
    if (size >= 2 && t[0] == 0xC2 && t[1] == 0x85) return 0x85;
    if (size < 3 || t[0] != 0xE2 || t[1] != 0x80 || (t[2] & 0xFEu) != 0xA8u) return 0;
    return 0x2000u + (t[2] & 0x3Fu);
}

void print_json_text(const char *text, size_t size) {
    putchar('"');
    for (size_t i = 0; i < size; i++) {
        const unsigned char c = (unsigned char)text[i];
        size_t n = 1;
        const unsigned end = c >= 0xC2 ? line_end(text + i, size - i, &n) : 0;
        uint32_t code;
        const size_t whole = c >= 0x80 ? heed__utf8_next(text + i, size - i, &code) : 1;
        if (end) {
            printf("\\u%04x", end);
            i += n - 1;
        } else if (!whole) {
            printf("\\ufffd");
        } else if (whole > 1) {
            fwrite(text + i, 1, whole, stdout);
            i += whole - 1;
        } else if (c == '"' || c == '\\')
            printf("\\%c", c);
        else if (c < 0x20 || c == 0x7f)
            printf("\\u%04x", c);
        else
            putchar(c);
    }
    putchar('"');
}

void print_text(FILE *to, const char *text, size_t size) {
    uint32_t code;
    for (size_t i = 0, n; i < size; i += n) {
        n = heed__utf8_next(text + i, size - i, &code);
        if (!n || code < 0x20 || (code >= 0x7f && code <= 0x9f)) {
            n = n ? n : 1;
            fputc(' ', to);
        } else {
            fwrite(text + i, 1, n, to);
        }
    }
}

void print_json_number(double value) {
    if (isfinite(value))
        printf("%.9g", value);
    else
        printf("null");
}

int print_flush(heed_error *err) {
    if (fflush(stdout) == 0 && !ferror(stdout)) return 0;
    return heed__error(err, HEED_EIO, "standard output could not be written");
}

void print_json_field(const char *key, double value) {
    printf(", \"%s\": ", key);
    print_json_number(value);
}

void print_json_interval(const char *before, const char *key, heed_interval i) {
    printf("%s\"%s\": [", before, key);
    print_json_number(i.low);
    printf(", ");
    print_json_number(i.high);
    printf("]");
}

void print_measure(const char *name, double value, heed_interval i) {
    printf(tr("%s: %.4f (95 %%: %.4f to %.4f)\n"), tr(name), value, i.low, i.high);
}

void print_unknown(const heed_metrics *m) {
    if (m->unknown_labels == m->n)
        printf("%s", tr("no text has a label that the model knows: is it the right column "
                        "(--label)?\n"));
    else if (m->unknown_labels)
        printf(tr("%" PRId64 " texts have a label that the model does not: counted as wrong\n"),
               m->unknown_labels);
}
