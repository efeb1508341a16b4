/* scan.c: the patterns of GPT-2, Llama 3 and Qwen 2, matched by hand: each branch below is one
 * alternative of the pattern above it, in its order. */
#include "text/scan.h"

#include <string.h>

#include "text/aligned.h"
#include "text/unicode.h"

#define GPT2 "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"
#define TAIL "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
#define HEAD "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}"

enum kind { END, LETTER, NUMBER, SPACE, OTHER };

static const uint8_t ascii_kind[128] = {
    OTHER,  OTHER,  OTHER,  OTHER,  OTHER,  OTHER,  OTHER,  OTHER,  OTHER,  SPACE,  SPACE,  SPACE,
    SPACE,  SPACE,  OTHER,  OTHER,  OTHER,  OTHER,  OTHER,  OTHER,  OTHER,  OTHER,  OTHER,  OTHER,
    OTHER,  OTHER,  OTHER,  OTHER,  OTHER,  OTHER,  OTHER,  OTHER,  SPACE,  OTHER,  OTHER,  OTHER,
    OTHER,  OTHER,  OTHER,  OTHER,  OTHER,  OTHER,  OTHER,  OTHER,  OTHER,  OTHER,  OTHER,  OTHER,
    NUMBER, NUMBER, NUMBER, NUMBER, NUMBER, NUMBER, NUMBER, NUMBER, NUMBER, NUMBER, OTHER,  OTHER,
    OTHER,  OTHER,  OTHER,  OTHER,  OTHER,  LETTER, LETTER, LETTER, LETTER, LETTER, LETTER, LETTER,
    LETTER, LETTER, LETTER, LETTER, LETTER, LETTER, LETTER, LETTER, LETTER, LETTER, LETTER, LETTER,
    LETTER, LETTER, LETTER, LETTER, LETTER, LETTER, LETTER, OTHER,  OTHER,  OTHER,  OTHER,  OTHER,
    OTHER,  LETTER, LETTER, LETTER, LETTER, LETTER, LETTER, LETTER, LETTER, LETTER, LETTER, LETTER,
    LETTER, LETTER, LETTER, LETTER, LETTER, LETTER, LETTER, LETTER, LETTER, LETTER, LETTER, LETTER,
    LETTER, LETTER, LETTER, OTHER,  OTHER,  OTHER,  OTHER,  OTHER,
};

/* The kind of the character at `at`, and its bytes. */
static enum kind kind_at(const char *text, uint32_t size, uint32_t at, uint32_t *n) {
    if (at >= size) return END;
    const unsigned char c = (unsigned char)text[at];
    if (c < 0x80) {
        *n = 1;
        return ascii_kind[c];
    }
    const uint32_t flags = heed__uni(heed__char_at(text + at, n)), gc = flags & 31;
    if (gc >= HEED_UNI_LU && gc <= HEED_UNI_LO) return LETTER;
    if (gc >= HEED_UNI_ND && gc <= HEED_UNI_NO) return NUMBER;
    return flags & HEED_UNI_WHITE ? SPACE : OTHER;
}

/* The end of the run of one kind from `at` on. */
static uint32_t run_end(const char *text, uint32_t size, uint32_t at, enum kind kind) {
    uint32_t n = 0;
    while (kind_at(text, size, at, &n) == kind) at += n;
    return at;
}

/* \s+(?!\S)|\s+ : all white space, but the last of it where more text follows. */
static uint32_t spaces(const char *text, uint32_t size, uint32_t at) {
    uint32_t n = 0, last = at, end = at;
    while (kind_at(text, size, end, &n) == SPACE) {
        last = end;
        end += n;
    }
    return end < size && last > at ? last : end;
}

uint32_t heed__scan_gpt2(const char *text, uint32_t size, uint32_t at) {
    if (text[at] == '\'' && at + 1 < size) {
        const char c = text[at + 1], d = at + 2 < size ? text[at + 2] : 0;
        if (c == 's' || c == 't' || c == 'm' || c == 'd') return at + 2;
        if ((d == 'e' && (c == 'r' || c == 'v')) || (c == 'l' && d == 'l')) return at + 3;
    }
    uint32_t n = 0;
    const uint32_t begin = at + (text[at] == ' ');
    const enum kind kind = kind_at(text, size, begin, &n);
    if (kind == LETTER || kind == NUMBER || kind == OTHER)
        return run_end(text, size, begin + n, kind);
    return spaces(text, size, at);
}

/* The end of a contraction in any case at `at`, which is a quote; or 0. U+017F is a small s. */
static uint32_t contraction(const char *text, uint32_t size, uint32_t at) {
    const uint32_t left = size - at;
    if (left < 2) return 0;
    if (left >= 3 && memcmp(text + at + 1, "\xC5\xBF", 2) == 0) return at + 3;
    const char c = (char)(text[at + 1] | 32), d = left >= 3 ? (char)(text[at + 2] | 32) : 0;
    if (c == 's' || c == 't' || c == 'm' || c == 'd') return at + 2;
    return (d == 'e' && (c == 'r' || c == 'v')) || (c == 'l' && d == 'l') ? at + 3 : 0;
}

static uint32_t scan_words(const char *text, uint32_t size, uint32_t at, int digits) {
    uint32_t n = 0, m = 0;
    const char c = text[at];
    if (c == '\'') {
        const uint32_t end = contraction(text, size, at);
        if (end) return end;
    }
    const enum kind kind = kind_at(text, size, at, &n);
    if (kind == LETTER) return run_end(text, size, at + n, LETTER);
    if (kind == NUMBER) {
        for (at += n; --digits > 0 && kind_at(text, size, at, &n) == NUMBER;) at += n;
        return at;
    }
    const enum kind then = kind_at(text, size, at + n, &m);
    if (then == LETTER && c != '\r' && c != '\n') return run_end(text, size, at + n + m, LETTER);
    if (kind == OTHER || (c == ' ' && then == OTHER)) {
        at = run_end(text, size, at + n, OTHER);
        while (at < size && (text[at] == '\r' || text[at] == '\n')) at++;
        return at;
    }
    uint32_t lines = 0;
    for (uint32_t end = at; kind_at(text, size, end, &n) == SPACE;) {
        const bool is_line = text[end] == '\r' || text[end] == '\n';
        end += n;
        if (is_line) lines = end;
    }
    return lines ? lines : spaces(text, size, at);
}

static uint32_t scan_llama3(const char *text, uint32_t size, uint32_t at) {
    return scan_words(text, size, at, 3);
}

static uint32_t scan_qwen2(const char *text, uint32_t size, uint32_t at) {
    return scan_words(text, size, at, 1);
}

heed__scan heed__scan_for(const char *pattern, size_t size) {
    static const struct {
        const char *pattern;
        heed__scan scan;
    } known[] = {
        { GPT2, heed__scan_gpt2 },
        { HEAD "{1,3}" TAIL, scan_llama3 },
        { HEAD TAIL, scan_qwen2 },
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strlen(known[i].pattern) == size && memcmp(known[i].pattern, pattern, size) == 0)
            return known[i].scan;
    return NULL;
}
