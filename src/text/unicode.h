/* unicode.h: what a character is to the parts of a tokenizer. The reference's parts were built over
 * Unicode tables of different ages; each property here is that of the part that uses it, as
 * tools/unicode_tables.py measured it. Code points are 0..10FFFF and no surrogates. */
#ifndef HEED_TEXT_UNICODE_H
#define HEED_TEXT_UNICODE_H

#include "heed/base.h"

typedef enum heed__uni_gc {
    HEED_UNI_CN, /* general categories, as the regular expressions know them */
    HEED_UNI_CC,
    HEED_UNI_CF,
    HEED_UNI_CO,
    HEED_UNI_LU,
    HEED_UNI_LL,
    HEED_UNI_LT,
    HEED_UNI_LM,
    HEED_UNI_LO,
    HEED_UNI_MN,
    HEED_UNI_MC,
    HEED_UNI_ME,
    HEED_UNI_ND,
    HEED_UNI_NL,
    HEED_UNI_NO,
    HEED_UNI_PC,
    HEED_UNI_PD,
    HEED_UNI_PS,
    HEED_UNI_PE,
    HEED_UNI_PI,
    HEED_UNI_PF,
    HEED_UNI_PO,
    HEED_UNI_SM,
    HEED_UNI_SC,
    HEED_UNI_SK,
    HEED_UNI_SO,
    HEED_UNI_ZS,
    HEED_UNI_ZL,
    HEED_UNI_ZP,
    HEED_UNI_GCS
} heed__uni_gc;

/* Flags beside the category, which is in the lowest five bits. */
enum {
    HEED_UNI_WHITE = 1 << 5,       /* White_Space */
    HEED_UNI_WORD = 1 << 6,        /* \w of added tokens and of the pre-tokenizer Whitespace */
    HEED_UNI_NUMERIC = 1 << 7,     /* what Digits takes for a digit */
    HEED_UNI_PUNCT = 1 << 8,       /* what Bert and Punctuation cut at */
    HEED_UNI_UNCLEAN = 1 << 9,     /* what BertNormalizer takes out */
    HEED_UNI_NONSPACING = 1 << 10, /* what BertNormalizer strips as an accent */
    HEED_UNI_COMBINING = 1 << 11,  /* what StripAccents strips */
    HEED_UNI_FRESH = 1 << 12,      /* newer than the normalizers' tables, which leave it alone */
    HEED_UNI_PLAIN = 1 << 13       /* an own grapheme but for marks after it */
};

extern const uint16_t heed__uni_kind[], heed__uni_block[];
extern const uint8_t heed__uni_class[];

/* Category and flags of a code point. */
static inline uint32_t heed__uni(uint32_t code) {
    return heed__uni_kind[heed__uni_class[heed__uni_block[code >> 7] * 128u + (code & 127u)]];
}
static inline bool heed__uni_is(uint32_t code, uint32_t flag) {
    return (heed__uni(code) & flag) != 0;
}

/* Small letters of a code point: 1, or 2 for U+0130. */
int heed__uni_small(uint32_t code, uint32_t out[2]);
/* The script that the pre-tokenizer UnicodeScripts sees, as a number; 0: any. */
int heed__uni_script(uint32_t code);

/* Grapheme breaks (Unicode Standard Annex 29, extended clusters). */
typedef enum heed__uni_gb {
    HEED_GB_OTHER,
    HEED_GB_CR,
    HEED_GB_LF,
    HEED_GB_CONTROL,
    HEED_GB_EXTEND,
    HEED_GB_ZWJ,
    HEED_GB_REGIONAL,
    HEED_GB_PREPEND,
    HEED_GB_SPACING,
    HEED_GB_L,
    HEED_GB_V,
    HEED_GB_T,
    HEED_GB_LV,
    HEED_GB_LVT,
    HEED_GB_PICTOGRAPHIC,
    HEED_GB_CONSONANT,
    HEED_GB_LINKER
} heed__uni_gb;
/* Bytes of the grapheme cluster at text; size > 0, well-formed UTF-8. */
size_t heed__uni_grapheme(const char *text, size_t size);

/* Sets of code points for regular expressions: sorted ranges that do not touch. */
typedef struct heed__uni_range {
    uint32_t first, last;
} heed__uni_range;
typedef struct heed__uni_set {
    const char *name; /* letters and digits, small */
    int32_t begin, len;
} heed__uni_set;
/* Ranges of a property by its name, spaces, '-', '_' and case aside: a script, a general category
 * or group of them, a binary property. Calls each in order; false: no such name. */
typedef void (*heed__uni_each)(void *user, uint32_t first, uint32_t last);
bool heed__uni_property(const char *name, size_t size, heed__uni_each each, void *user);
/* Ranges of the general categories whose bits (of heed__uni_gc) the mask has. */
void heed__uni_categories(uint32_t mask, heed__uni_each each, void *user);

/* -- tables of unicode_data.c ----------------------------------------------------------------- */

typedef struct heed__uni_pair {
    uint32_t from, to;
} heed__uni_pair;
typedef struct heed__uni_run {
    uint32_t first;
    uint8_t value;
} heed__uni_run;
extern const heed__uni_pair heed__uni_lower[];
extern const heed__uni_run heed__uni_break[], heed__uni_group[], heed__uni_category[];
extern const heed__uni_range heed__uni_ranges[];
extern const heed__uni_set heed__uni_sets[];
extern const heed__uni_range heed__uni_new[]; /* assigned after Unicode 14 */
extern const int heed__uni_new_len;
extern const int heed__uni_lower_len, heed__uni_break_len, heed__uni_group_len;
extern const int heed__uni_category_len, heed__uni_sets_len;

#endif
