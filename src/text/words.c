/* words.c: text cut into words. */
#include "text/words.h"

#include <string.h>

#include "base/text.h"
#include "text/letters.h"

typedef enum kind { SPACE, LETTER, ALONE } kind;

/* Kinds of ASCII: letters, digits and _; white space and control characters; the rest. */
#define L LETTER
#define S SPACE
#define A ALONE
static const uint8_t ascii[128] = {
    S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S,
    S, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, L, L, L, L, L, L, L, L, L, L, A, A, A, A, A, A,
    A, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, A, A, A, A, L,
    A, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, A, A, A, A, S,
};
#undef L
#undef S
#undef A

static bool ideograph(uint32_t c) {
    return (c >= 0x2e80 && c <= 0x2fdf) || (c >= 0x3040 && c <= 0x30ff) ||
           (c >= 0x3400 && c <= 0x4dbf) || (c >= 0x4e00 && c <= 0x9fff) ||
           (c >= 0xf900 && c <= 0xfaff) || (c >= 0x20000 && c <= 0x3134f);
}

static kind kind_of(uint32_t c) {
    if (c < 0x80) return (kind)ascii[c];
    if (c <= 0xa0 || c == 0x1680 || c == 0x3000 || c == 0xfeff || (c >= 0x2000 && c <= 0x200f) ||
        (c >= 0x2028 && c <= 0x202f) || c == 0x205f)
        return SPACE;
    if (c <= 0xbf && c != 0xaa && c != 0xb5 && c != 0xba) return ALONE;
    if ((c >= 0x2010 && c <= 0x206f) || (c >= 0x2100 && c <= 0x2bff) ||
        (c >= 0x3001 && c <= 0x303f) || (c >= 0xff01 && c <= 0xff0f) ||
        (c >= 0xff1a && c <= 0xff20) || c >= 0x1f000 || ideograph(c))
        return ALONE;
    return LETTER;
}

/* Appends a character; false where there is no room, which is the end of the form. */
static bool put(heed_word *word, uint32_t c) {
    char bytes[4];
    const int n = (int)heed__utf8_put(heed__lower(c), bytes);
    if (word->len + n > HEED_WORD_BYTES) return false;
    memcpy(word->form + word->len, bytes, (size_t)n);
    word->len += n;
    return true;
}

/* ASCII letters and digits from *at on. */
static void put_plain(const char *text, size_t size, size_t *at, heed_word *word) {
    while (*at < size && word->len < HEED_WORD_BYTES) {
        const char c = text[*at];
        const bool large = c >= 'A' && c <= 'Z';
        if ((unsigned char)c >= 0x80 || ascii[(unsigned char)c] != LETTER) return;
        word->form[word->len++] = large ? (char)(c + ('a' - 'A')) : c;
        (*at)++;
    }
}

bool heed__word_next(const char *text, size_t size, size_t *at, heed_word *word) {
    bool room = true;
    word->len = 0;
    while (*at < size) {
        uint32_t c = 0;
        size_t n = 1;
        if ((unsigned char)text[*at] < 0x80)
            c = (unsigned char)text[*at];
        else
            n = heed__utf8_next(text + *at, size - *at, &c);
        const kind k = n ? kind_of(c) : SPACE; /* what is not UTF-8 parts words */
        if (word->len && k != LETTER) return true;
        if (k != SPACE) {
            if (word->len == 0) word->begin = *at;
            room = room && put(word, c);
            word->end = *at + n;
        }
        *at += n ? n : 1;
        if (k == LETTER && room) {
            put_plain(text, size, at, word);
            word->end = *at;
        }
        if (k == ALONE) return true;
    }
    return word->len > 0;
}

void heed__word_whole(const char *text, size_t begin, size_t end, heed_word *word) {
    *word = (heed_word){ .begin = begin, .end = end };
    bool room = true;
    for (size_t at = begin; at < end && room;) {
        uint32_t c = 0;
        const size_t n = heed__utf8_next(text + at, end - at, &c);
        if (n) room = put(word, c); /* what is not UTF-8 is left out */
        at += n ? n : 1;
    }
}

bool heed__word_is_mark(const heed_word *word) {
    uint32_t c = 0;
    const size_t n = heed__utf8_next(word->form, (size_t)word->len, &c);
    return n > 0 && n == (size_t)word->len && kind_of(c) == ALONE && !ideograph(c);
}
