/* tags.h: tags of words as entities, and back: the schemes in which they are written (BIO, IOB1,
 * BIOES, BMES, BILOU), and the one that models work in (BIOES, whose tags say both ends).
 *
 *     BIO     B-PER I-PER O B-LOC           each entity begins with B
 *     IOB1    I-PER I-PER O I-LOC           B only right after another of the same type
 *     BIOES   B-PER E-PER O S-LOC           the last word is E, one alone is S
 *     BMES    B-PER E-PER O S-LOC           the same with M inside; BILOU: L and U for E and S
 *
 * Sequences that follow no scheme are read as conlleval reads them: an entity goes on where it can
 * and begins where it must (an I of another type begins one). */
#ifndef HEED_TASKS_TAGS_H
#define HEED_TASKS_TAGS_H

#include "heed/base.h"

typedef enum heed_tag_scheme {
    HEED_TAGS_BIO,
    HEED_TAGS_IOB1,
    HEED_TAGS_BIOES,
    HEED_TAGS_BMES,
    HEED_TAGS_BILOU
} heed_tag_scheme;
enum { HEED_TAG_SCHEMES = 5 };

const char *heed__scheme_name(heed_tag_scheme scheme); /* "BIO" */
bool heed__scheme_find(const char *name, heed_tag_scheme *scheme);

/* A tag as it is written. place is one of "OBIES": M is I, L is E, U is S. */
typedef struct heed_tag {
    char place;
    char letter;      /* as written, to tell the schemes apart */
    const char *type; /* in the text given; "" for O and for a tag without one */
} heed_tag;
/* False where text is no tag: "O", or one of BIMELSU alone or with "-type". */
bool heed__tag_parse(const char *text, heed_tag *tag);

/* The types of entities in the order of their bytes. */
typedef struct heed_types {
    char **name; /* [len] */
    int64_t len, cap;
    heed_hooks hooks;
} heed_types;
/* Adds a type unless it is there. 0 or HEED_ENOMEM. */
int heed__types_add(heed_types *t, const char *name);
int32_t heed__types_find(const heed_types *t, const char *name); /* -1: none */
void heed__types_free(heed_types *t);

/* A tag by numbers; the type is -1 for O. */
typedef struct heed_place {
    char place; /* "OBIES" */
    int32_t type;
} heed_place;

/* Words [begin,end) are one entity. */
typedef struct heed_chunk {
    int64_t begin, end;
    int32_t type;
} heed_chunk;
/* The entities of n tags, in order; chunk has room for n. Returns how many. */
int64_t heed__chunks(const heed_place *tag, int64_t n, heed_chunk *chunk);
/* The tags of n words with these entities, which do not overlap. */
void heed__chunk_tags(const heed_chunk *chunk, int64_t count, int64_t n, heed_tag_scheme scheme,
                      heed_place *tag);
/* "B-PER" in the letters of scheme, cut where it does not fit. Returns text. */
char *heed__tag_text(heed_place tag, heed_tag_scheme scheme, const heed_types *types, char *text,
                     size_t size);

/* Which scheme is in use, from all tags seen. */
typedef struct heed_scheme_guess {
    int64_t ends;    /* E or S */
    int64_t middles; /* M */
    int64_t last;    /* L or U */
    int64_t b_first; /* B after none of its type: BIO has them at every beginning, IOB1 never */
    int64_t i_first; /* I at a beginning: IOB1's own, and BIO's broken ones */
} heed_scheme_guess;
void heed__scheme_see(heed_scheme_guess *g, const heed_tag *tag, int64_t n);
/* The same of one tag; before is NULL for a sentence's first. */
void heed__scheme_see_next(heed_scheme_guess *g, const heed_tag *before, const heed_tag *tag);
heed_tag_scheme heed__scheme_of(const heed_scheme_guess *g);

/* -- numbers of the tags that a model gives: 0 is O, then B, I, E, S of each type */
static inline int64_t heed__inner_tags(int64_t types) {
    return 1 + 4 * types;
}
int32_t heed__inner_tag(heed_place tag);
heed_place heed__inner_place(int32_t number);
/* Whether `to` may follow `from`; -1 stands for the edge of the sentence. */
bool heed__inner_follows(int32_t from, int32_t to);

#endif
