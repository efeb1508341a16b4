/* word_ids.h: texts as numbers of their words, for vectors of words (train/cbow.h), and such
 * vectors as a file. */
#ifndef HEED_TASKS_WORD_IDS_H
#define HEED_TASKS_WORD_IDS_H

#include "tasks/body.h"
#include "text/feature_index.h"
#include "train/cbow.h"

/* Where a word stands first: bytes [begin,end) of a text. */
typedef struct heed_word_form {
    int64_t text;
    size_t begin, end;
} heed_word_form;

/* Words that at least `least` of the texts have get a number in index; ids has them all. form (may
 * be NULL): *form becomes [index->len], where each stands first. 0 or HEED_ENOMEM; free both with
 * heed__free (ids->start, ids->id, *form) and heed__index_free also then. */
int heed__word_ids(heed_word_ids *ids, heed_feature_index *index, const heed_texts *x,
                   int64_t least, heed_word_form **form, const heed_hooks *hooks);

/* Says what heed__cbow_learn came to (not 0), which it returns. */
int heed__cbow_error(int rc, heed_error *err);

/* How vectors are learnt and written. */
typedef struct heed_vectors_cfg {
    heed_cbow_cfg cbow;
    int64_t least; /* texts that have a word at least (5) */
    int threads;   /* of the context alone; one is at work */
} heed_vectors_cfg;
/* Learns vectors of the texts' words and writes them to path in word2vec's text form, words in the
 * order in which they come. *words: how many. 0 or a status. */
int heed__vectors_learn(const heed_texts *x, const heed_vectors_cfg *cfg, const char *path,
                        int64_t *words, heed_error *err);

#endif
