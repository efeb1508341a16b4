/* regex.h: the regular expressions of tokenizer.json. They are written for Oniguruma in Ruby's
 * syntax; PCRE2 runs them after a translation that keeps their meaning, and the few that nearly all
 * tokenizers use are matched by code of their own (scan.h). */
#ifndef HEED_TEXT_REGEX_H
#define HEED_TEXT_REGEX_H

#include "text/aligned.h"

typedef struct heed__regex heed__regex;

/* literal: the text itself is what is looked for. name stands before the place in messages. NULL:
 * HEED_EFORMAT (no regular expression), HEED_EUNSUPPORTED (a construct that PCRE2 does not know),
 * HEED_ENOMEM. Any number of threads may match, each with a work of its own. */
heed__regex *heed__regex_new(const char *pattern, size_t size, bool literal, const char *name,
                             const heed_hooks *hooks, heed_error *err);
void heed__regex_free(heed__regex *r); /* NULL is fine */

/* Fills w->match with all of text in order: matches, and what lies between them. 0, HEED_ENOMEM, or
 * HEED_EUNSUPPORTED: too many steps. */
int heed__regex_all(const heed__regex *r, heed__tok_work *w, const char *text, uint32_t size,
                    heed_error *err);
void heed__regex_scratch_free(void *scratch); /* of heed__tok_work; NULL is fine */

/* Oniguruma's Ruby syntax as PCRE2's (with PCRE2_UTF, PCRE2_UCP, PCRE2_MULTILINE and newline LF).
 * The text ends with a 0; free it with heed__free. NULL as above. */
char *heed__regex_translate(const char *pattern, size_t size, const char *name,
                            const heed_hooks *hooks, heed_error *err);

/* Code points of a class on their way into a pattern (regex_set.c). */
typedef struct heed__set {
    const heed_hooks *hooks;
    struct heed__uni_range *range;
    int64_t len, cap;
    uint32_t native; /* general categories wholly inside, as bits of heed__uni_gc */
    bool failed;     /* memory ran out */
} heed__set;
void heed__set_free(heed__set *s);
void heed__set_add(heed__set *s, uint32_t first, uint32_t last);
void heed__set_join(heed__set *s, const heed__set *other); /* s becomes the union */
void heed__set_meet(heed__set *s, heed__set *other);       /* s becomes the intersection */
void heed__set_invert(heed__set *s);
/* A property by name; false: none of that name. */
bool heed__set_property(heed__set *s, const char *name, size_t size);
/* The same in a POSIX bracket, and \w (word) in a class: punct has symbols too, and word lacks the
 * superscripts and fractions of Latin-1, as in Oniguruma. */
bool heed__set_bracket(heed__set *s, const char *name, size_t size);

/* A text that grows; what does not fit in memory sets failed. */
typedef struct heed__out {
    const heed_hooks *hooks;
    char *text;
    int64_t len, cap;
    bool failed;
} heed__out;
void heed__out_put(heed__out *o, const char *text, size_t size);
void heed__out_insert(heed__out *o, int64_t at, const char *text, size_t size);
void heed__out_repeat(heed__out *o, int64_t at, int64_t size); /* what stands there, at the end */
/* The set as a class of PCRE2, or, inverted, all but it. */
void heed__set_print(heed__set *s, bool inverted, heed__out *o);

#endif
