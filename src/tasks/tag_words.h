/* tag_words.h: what a tagger sees of a word: its number in the vocabulary (small letters, digits as
 * 0), hashed features of its letters (the word itself, its shape, beginnings, endings, n-grams),
 * and four of them apart from the sum: shape, short shape, first and last three letters. A single
 * ideograph has no such letters: its features are those of its neighbours, pairs and triples of
 * characters, and the pairs with the character before and after it stand apart. */
#ifndef HEED_TASKS_TAG_WORDS_H
#define HEED_TASKS_TAG_WORDS_H

#include "text/vocab.h"

enum { HEED_TAG_FIELDS = 4 };

/* Sentences as numbers, ragged: the words of sentence i are start[i] .. start[i+1]. */
typedef struct heed_tag_rows {
    int64_t len;
    int64_t *start;   /* [len+1] */
    int32_t *id;      /* [words] in the vocabulary */
    int32_t *field;   /* [words,HEED_TAG_FIELDS] */
    int64_t *bag;     /* [words+1]: features of word w are feature[bag[w] .. bag[w+1]) */
    int32_t *feature; /* all below `buckets` */
    int64_t feature_cap;
    heed_hooks hooks;
} heed_tag_rows;

typedef struct heed_tag_tables {
    const heed_vocab *vocab;
    int64_t buckets;       /* rows of the table of summed features */
    int64_t field_buckets; /* rows of that of the four */
} heed_tag_tables;

/* Sentences in words, zero-terminated: those of sentence i are word[start[i] .. start[i+1]). */
typedef struct heed_sentences {
    int64_t len;
    const int64_t *start; /* [len+1] */
    const char *const *word;
} heed_sentences;

/* rows need not be zeroed. 0 or a status. */
int heed__tag_encode(heed_tag_rows *rows, const heed_tag_tables *tables, const heed_sentences *s,
                     const heed_hooks *hooks, heed_error *err);
void heed__tag_rows_free(heed_tag_rows *rows); /* a zeroed one is fine */

/* The form of a word in the vocabulary, at most HEED_TAG_FORM bytes, not terminated. Returns its
 * size. */
enum { HEED_TAG_FORM = 128 };
size_t heed__tag_form(const char *word, size_t size, char form[HEED_TAG_FORM]);
/* Vocabulary of the commonest `keep` forms. NULL and *err on failure. */
heed_vocab *heed__tag_vocab(const heed_sentences *s, int64_t keep, const heed_hooks *hooks,
                            heed_error *err);

#endif
