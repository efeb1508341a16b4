/* encode.h: texts as rows of word numbers, and batches of rows. */
#ifndef HEED_TASKS_ENCODE_H
#define HEED_TASKS_ENCODE_H

#include "heed/tasks.h"
#include "text/vocab.h"

/* Word numbers of many texts: row i is ids[start[i] .. start[i+1]). */
typedef struct heed_encoded {
    int64_t len;
    int32_t *ids;
    int64_t *start; /* [len+1] */
    heed_hooks hooks;
} heed_encoded;

/* Numbers of the last max_len words of each text of x (labels are not read); a text without words
 * becomes one unknown word. 0 or a status. */
int heed__encode(heed_encoded *e, const heed_vocab *v, const heed_examples *x, int64_t max_len,
                 const heed_hooks *hooks, heed_error *err);
void heed__encoded_free(heed_encoded *e);

/* Counts every word of texts into a new vocabulary of at most keep. NULL and *err on failure. */
heed_vocab *heed__vocab_of(int64_t len, const char *const *text, int64_t keep,
                           const heed_hooks *hooks, heed_error *err);

/* The rows order[0..n) as ids [n,T] with T the longest of them, padded right with HEED_VOCAB_PAD,
 * and lengths [n]. Tensors of the step; both NULL when the context has an error. */
void heed__batch(heed_ctx *cx, const heed_encoded *e, const int64_t *order, int64_t n,
                 heed_tensor **ids, heed_tensor **lengths);

/* Fills order[0..len) for one epoch: shuffled by (seed, epoch), then rows of like length brought
 * together within windows of 32 batches, whose batches are shuffled again, so that little is padded
 * and every epoch differs. */
void heed__epoch_order(const heed_encoded *e, uint64_t seed, int64_t epoch, int64_t batch,
                       int64_t *order);

/* order[0..len): within windows of 4096 rows by length, shortest first; equal lengths stay in
 * order. */
void heed__length_order(const heed_encoded *e, int64_t *order);

#endif
