/* train_seeds.h: what training of a Unigram model begins with: the text as letters, and the strings
 * in it that occur twice or more and are longest for where they occur, the heaviest first. */
#ifndef HEED_TEXT_TRAIN_SEEDS_H
#define HEED_TEXT_TRAIN_SEEDS_H

#include "text/train_model.h"

enum { HEED_CHUNK = 64 }; /* letters of a run; longer ones are cut */

/* A run of known letters, and how often it was seen. */
typedef struct heed__train_run {
    int64_t begin; /* in letters */
    int32_t len;
    int64_t count;
} heed__train_run;

typedef struct heed__train_text {
    heed_hooks hooks;
    uint32_t *letters; /* [len] number of a character; 0: between two runs */
    int64_t len, cap;
    heed__train_run *runs;
    int64_t run_len, run_cap;
    uint32_t *codes; /* [alphabet + 1] code point of a number, the commonest first; from 1 on */
    int64_t *counts; /* [alphabet + 1] how often */
    int64_t alphabet;
} heed__train_text;

/* A piece that training chooses from: letters [at, at + len) of the text. */
typedef struct heed__seed {
    int64_t at;
    int32_t len;
    double weight; /* how often it occurs */
} heed__seed;

/* What can begin at each place of the text: pieces arc[first[i]] .. arc[first[i + 1]). The first
 * `alphabet` pieces are the single letters (piece k: letter k + 1). */
typedef struct heed__seeds {
    heed__seed *pieces;
    int64_t len;
    int64_t *first; /* [text.len + 1] */
    int32_t *arc;
} heed__seeds;

/* The letters of counted pieces: at most `alphabet` different ones (0: all). 0 or HEED_ENOMEM. */
int heed__train_text_make(heed__train_text *t, const heed__train_words *words, int64_t alphabet);
void heed__train_text_free(heed__train_text *t);
/* At most `most` seeds of two to max_piece letters, besides the letters. */
int heed__seeds_make(heed__seeds *s, const heed__train_text *t, int64_t max_piece, int64_t most);
void heed__seeds_free(heed__seeds *s, const heed_hooks *hooks);

#endif
