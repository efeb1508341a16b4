/* desk_sentence.c: where a sentence ends. */
#include <string.h>

#include "serve/desk_impl.h"

/* "。", "！", "？" and their like, in UTF-8: bytes, or 0. */
static size_t wide_mark(const char *at, size_t left) {
    static const char *const marks[] = { "。", "！", "？", "；" };
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (left >= 3 && memcmp(at, marks[i], 3) == 0) return 3;
    return 0;
}

static size_t closers(const char *text, size_t size, size_t at) {
    for (;;) {
        if (at < size &&
            (text[at] == '"' || text[at] == '\'' || text[at] == ')' || text[at] == ']'))
            at++;
        else if (size - at >= 3 &&
                 (memcmp(text + at, "”", 3) == 0 || memcmp(text + at, "’", 3) == 0 ||
                  memcmp(text + at, "」", 3) == 0))
            at += 3;
        else
            return at;
    }
}

static bool space(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool digit(char c) {
    return c >= '0' && c <= '9';
}

static bool letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* A point after one letter ("e.g.", "J. Smith") or after a line's number ("2. Then ...") is no
 * end. */
static bool abbreviates(const char *text, size_t begin, size_t at) {
    size_t from = at;
    while (from > begin && digit(text[from - 1])) from--;
    if (from < at && (from == begin || text[from - 1] == '\n')) return true;
    return at > begin && letter(text[at - 1]) && (at - 1 == begin || !letter(text[at - 2]));
}

/* Whether a line that begins here is an item of a list. */
static bool item(const char *text, size_t size, size_t at) {
    while (at < size && (text[at] == ' ' || text[at] == '\t')) at++;
    if (size - at >= 2 && (text[at] == '-' || text[at] == '*' || text[at] == '+'))
        return text[at + 1] == ' ';
    size_t to = at;
    while (to < size && digit(text[to])) to++;
    return to > at && to < size && (text[to] == '.' || text[to] == ')');
}

size_t heed__sentence_end(const char *text, size_t size, size_t at) {
    const size_t begin = at;
    for (; at < size; at++) {
        const size_t wide = wide_mark(text + at, size - at);
        const char c = text[at];
        size_t end = 0;
        if (wide) {
            end = closers(text, size, at + wide);
        } else if (c == '!' || c == '?' || (c == '.' && !abbreviates(text, begin, at))) {
            end = closers(text, size, at + 1);
            if (end < size && !space(text[end])) end = 0;
        } else if (c == '\n' && at > begin && item(text, size, at + 1)) {
            end = at + 1;
        }
        if (!end) continue;
        while (end < size && space(text[end])) end++;
        return end;
    }
    return size;
}
