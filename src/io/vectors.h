/* vectors.h: vectors of words from the text form of word2vec, GloVe and fastText: a word and its
 * numbers a line, separated by spaces; a first line of two whole numbers, how many words and how
 * wide, may stand before them. .gz, .zst and `-` as in base/input.h. A line is held at a time. */
#ifndef HEED_IO_VECTORS_H
#define HEED_IO_VECTORS_H

#include "heed/base.h"

typedef struct heed_vectors heed_vectors; /* for one thread at a time */

/* NULL and *err on failure; an empty file is HEED_EFORMAT. The width is known from here on. */
heed_vectors *heed__vectors_open(const char *path, const heed_hooks *hooks, heed_error *err);
/* The same from size bytes of the caller's, which stay. */
heed_vectors *heed__vectors_from(const char *bytes, size_t size, const char *name,
                                 const heed_hooks *hooks, heed_error *err);
int64_t heed__vectors_dim(const heed_vectors *v);
/* 1 and the next word [size] with its numbers [dim], until the next call; 0 at the end; or a status
 * with `file:line: what is wrong`: a number too few, too many, or none. */
int heed__vectors_next(heed_vectors *v, const char **word, size_t *size, const float **numbers,
                       heed_error *err);
void heed__vectors_close(heed_vectors *v); /* NULL is fine */

#endif
