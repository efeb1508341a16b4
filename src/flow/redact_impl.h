/* redact_impl.h: what the files of the redactor share: a text folded so that digits, dashes and
 * blanks of all scripts are those of ASCII, and the matchers that look at it. */
#ifndef HEED_FLOW_REDACT_IMPL_H
#define HEED_FLOW_REDACT_IMPL_H

#include "flow/redact.h"

/* A character of a folded text: ASCII as it is, or one of these. */
enum { FOLD_LETTER = 0x80, FOLD_OTHER = 0x81 }; /* of an alphabet; ideographs and all else */

/* text[start[i] .. start[i+1]) was folded to code[i]; mark[i] is the kind that took it, or 0. What
 * a kind took is FOLD_OTHER to those after it. */
typedef struct heed__fold {
    const char *text;
    uint8_t *code, *mark;
    int64_t *start;
    int64_t n;
} heed__fold;

/* code[at], or 0 outside the text. */
static inline int heed__fold_at(const heed__fold *f, int64_t at) {
    return at >= 0 && at < f->n ? f->code[at] : 0;
}
static inline bool heed__fold_digit(int c) {
    return c >= '0' && c <= '9';
}
static inline bool heed__fold_letter(int c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == FOLD_LETTER;
}
static inline int heed__fold_upper(int c) {
    return c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c;
}

/* Each looks for its kind at `at`: the end of what it found there and, where it may lie before
 * `at`, its begin; 0: nothing. None looks further than a few hundred characters. */
typedef int64_t heed__redact_fn(const heed__fold *f, int64_t at, int64_t *begin);
heed__redact_fn heed__redact_mail, heed__redact_phone, heed__redact_card, heed__redact_id,
    heed__redact_iban, heed__redact_ip;

/* The checksum of Luhn (ISO/IEC 7812-1, annex B) over len digits, the check digit the last. */
bool heed__redact_luhn(const char *digit, int len);

const heed_hooks *heed__redactor_hooks(const heed_redactor *r);

#endif
