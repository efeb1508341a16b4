/* aligned.h: text on its way from what was given to what the model sees, each byte of which knows
 * the bytes of the original that it stands for; and the list of pieces it is cut into.
 *
 * Bytes live in the arena of a heed__tok_work, which is reset with each text. Changes never touch
 * what is there: they make new text, so that slices stay good.
 */
#ifndef HEED_TEXT_ALIGNED_H
#define HEED_TEXT_ALIGNED_H

#include "base/arena.h"
#include "heed/text.h"

/* Bytes [begin,end) of the original. */
typedef struct heed__place {
    uint32_t begin, end;
} heed__place;

typedef struct heed__span {
    const char *text;      /* well-formed UTF-8 */
    const heed__place *at; /* [size]; NULL: byte i is byte origin + i, and stands for the character
                              that it is part of */
    uint32_t size;
    uint32_t origin; /* see at */
    uint32_t shift;  /* byte of the original where the slice began, before changes to it */
} heed__span;

/* A piece: a slice, and the id of the added token that it is, or -1. */
typedef struct heed__split {
    heed__span a;
    int32_t token;
} heed__split;

typedef struct heed__splits {
    heed__split *item;
    int64_t len, cap;
} heed__splits;

/* One character of a new text: it takes the place of the old one at hand (change 0), of that one
 * and of -change more, or comes in addition, standing for what the one before it stood for (1).
 * With HEED_EDIT_SAME in its code it stands for the very bytes that the new one before it stands
 * for, and -change old ones go. */
typedef struct heed__edit {
    uint32_t code;
    int32_t change;
} heed__edit;
#define HEED_EDIT_SAME (UINT32_C(1) << 31)

/* Buffers of one thread at work on one text after the other. */
typedef struct heed__tok_work {
    heed_hooks hooks;
    heed_arena arena;
    heed__splits split, next; /* pieces now; pieces being made */
    heed__edit *edit;
    int64_t edit_len, edit_cap;
    struct heed__match {
        uint32_t begin, end;
        bool is;
    } * match;
    int64_t match_len, match_cap;
    struct heed__canon {
        uint32_t code;
        int32_t change;
        uint8_t ccc;
    } * canon;
    int64_t canon_cap;
    void *regex;   /* of regex.c */
    uint64_t most; /* bytes that a text may grow to */
} heed__tok_work;

void heed__tok_work_init(heed__tok_work *w, const heed_hooks *hooks);
void heed__tok_work_free(heed__tok_work *w);
/* Says how long the next text is, which bounds what it may grow to. */
void heed__tok_work_begin(heed__tok_work *w, size_t size);
void heed__tok_work_reset(heed__tok_work *w); /* forgets the last text */
/* Memory until the reset. NULL, and *err says so. */
void *heed__tok_work_alloc(heed__tok_work *w, size_t size, heed_error *err);

/* Where byte i stands. */
heed__place heed__span_at(const heed__span *a, uint32_t i);
/* What bytes [begin,end) stand for; begin <= end <= size. */
heed__place heed__span_place(const heed__span *a, uint32_t begin, uint32_t end);
heed__span heed__span_slice(const heed__span *a, uint32_t begin, uint32_t end);

/* Adds to w->edit, which heed__span_edit applies: `skipped` characters of the old text go before
 * the first edit. All return 0 or HEED_ENOMEM. */
int heed__edit_add(heed__tok_work *w, uint32_t code, int32_t change, heed_error *err);
int heed__span_edit(heed__tok_work *w, heed__span *a, int64_t skipped, heed_error *err);
int heed__span_prepend(heed__tok_work *w, heed__span *a, const char *text, size_t size,
                       heed_error *err);
/* The same at the end, in the place of all from byte `from` on; it stands for nothing there. */
int heed__span_append(heed__tok_work *w, heed__span *a, uint32_t from, heed_bytes text,
                      heed_error *err);
/* Puts content in the place of every match of w->match that is one. */
int heed__span_replace(heed__tok_work *w, heed__span *a, const char *content, size_t size,
                       heed_error *err);
/* Lets each character end where the next begins, and its bytes but the last stand for nothing at
 * its beginning, as SentencePiece counts; the last character ends at `end`. */
int heed__span_touch(heed__tok_work *w, heed__span *a, uint32_t end, heed_error *err);
/* Keeps the characters for which keep says so. */
int heed__span_filter(heed__tok_work *w, heed__span *a, bool (*keep)(uint32_t code),
                      heed_error *err);
/* Puts map(code) in the place of every character. */
int heed__span_map(heed__tok_work *w, heed__span *a, uint32_t (*map)(uint32_t code),
                   heed_error *err);
/* Each byte becomes a character of GPT-2's alphabet. */
int heed__span_bytes(heed__tok_work *w, heed__span *a, heed_error *err);
/* The character that stands for a byte in that alphabet; the byte, or -1. */
uint32_t heed__byte_char(unsigned char byte);
int heed__char_byte(uint32_t code);

int heed__match_add(heed__tok_work *w, size_t begin, size_t end, bool is, heed_error *err);
int heed__split_add(heed__tok_work *w, const heed__span *a, int32_t token, heed_error *err);

/* The character at text, which is known to be well-formed; *n its bytes. */
static inline uint32_t heed__char_at(const char *text, uint32_t *n) {
    const unsigned char *t = (const unsigned char *)text;
    if (t[0] < 0x80) {
        *n = 1;
        return t[0];
    }
    if (t[0] < 0xE0) {
        *n = 2;
        return (t[0] & 0x1Fu) << 6 | (t[1] & 0x3Fu);
    }
    if (t[0] < 0xF0) {
        *n = 3;
        return (t[0] & 0x0Fu) << 12 | (t[1] & 0x3Fu) << 6 | (t[2] & 0x3Fu);
    }
    *n = 4;
    return (t[0] & 0x07u) << 18 | (t[1] & 0x3Fu) << 12 | (t[2] & 0x3Fu) << 6 | (t[3] & 0x3Fu);
}

static inline uint32_t heed__char_size(uint32_t code) {
    return code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
}

/* Characters in well-formed text. */
static inline int64_t heed__char_count(const char *text, size_t size) {
    int64_t n = 0;
    for (size_t i = 0; i < size; i++) n += ((unsigned char)text[i] & 0xC0u) != 0x80u;
    return n;
}

/* Bytes of ASCII that text begins with. */
size_t heed__ascii_run(const char *text, size_t size);

#endif
