/* word_vectors.h: vectors of words from a file as the first values of a body's table. */
#ifndef HEED_TASKS_WORD_VECTORS_H
#define HEED_TASKS_WORD_VECTORS_H

#include "tasks/body.h"

/* The width of a file's vectors, or a status. */
int64_t heed__word_vectors_dim(const char *path, const heed_hooks *hooks, heed_error *err);
/* Writes the vectors of the words that b has into its table, all scaled by one number so that they
 * are as long, on average, as the rows they replace; of a word that is there twice the first. Tells
 * hooks->progress "vectors": how many words of how many. HEED_EUNSUPPORTED: b has no table of
 * words; HEED_EFORMAT: none of the file's words is among them, or another width. 0 or a status. */
int heed__word_vectors_take(heed_body *b, const char *path, const heed_hooks *hooks,
                            heed_error *err);

#endif
