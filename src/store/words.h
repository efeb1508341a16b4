/* words.h: how texts are cut into words for the full-text index (tokenizer `heed` of FTS5).
 *
 * A word is a run of letters, numbers and marks, folded: case, compatibility forms (full width,
 * ligatures) and the accents of Latin, Greek and Cyrillic letters do not count. Scripts written
 * without spaces (Chinese, Japanese, Korean, Thai ...) give every pair of neighbouring characters,
 * and after them the last character of the run by itself, so that a query of any length is a phrase
 * of pairs, which no two runs together can give, and one of a single character a prefix. A
 * pictograph is a word. */
#ifndef HEED_STORE_WORDS_H
#define HEED_STORE_WORDS_H

#include <sqlite3.h>

#include "heed/base.h"

/* Called for each word with its place in the text. Not 0 stops and is returned. */
typedef int (*heed_word_fn)(void *user, const char *word, int len, int begin, int end);
/* query: without the last character of a run of two and more with which the text ends. */
int heed__words(const char *text, int size, bool query, heed_word_fn fn, void *user);

/* Gives a connection the tokenizer and the function marks() of marks.c. */
int heed__words_register(sqlite3 *db, heed_error *err);

/* What a person typed as an expression of FTS5: words are all wanted (any: one is enough), "quoted"
 * ones as a phrase; nothing in it is an operator. heed__free; NULL with *err: out of memory. */
char *heed__words_query(const heed_hooks *hooks, const char *text, bool any, heed_error *err);

#endif
