/* origin.h: a model of any kind that another one starts from: a classifier, an embedder or a
 * tagger. A body of the same recipe is taken as it is; else what fits:
 *
 *     words     the vector of each word that both know: its row, or the mean of the rows that its
 *               pieces have
 *     layers    LSTM ("rnn.") or Transformer ("encoder.") where all that both have is of one shape;
 *               of the first LSTM's input weights the columns that read words
 *
 * What was taken is told to the log hook in a line. */
#ifndef HEED_TASKS_ORIGIN_H
#define HEED_TASKS_ORIGIN_H

#include "tasks/classifier.h"
#include "tasks/tagger.h"

/* The layers of a model; all 0: it has none that another could have. */
typedef struct heed_layers {
    int64_t width, layers; /* hidden units of a direction; of an encoder its width */
    int64_t heads, ff;     /* of an encoder */
    bool both;             /* an LSTM in both directions */
} heed_layers;

struct heed_origin {
    heed_hooks hooks;
    char dir[HEED_PATH_SIZE - 64];
    char recipe[32]; /* of its body; of a tagger the one that is like it: classic, encoder */
    bool tagger, embedder;
    heed_params *ps;    /* once loaded: all of its body's */
    heed_body *body;    /* likewise; or */
    heed_tagger *t;     /* a tagger, whose are ps */
    heed_layers layers; /* likewise */
    int64_t dim;        /* likewise: of its words' vectors */
};

/* Reads what kind of model lies there. 0 or a status; to be closed either way. */
int heed__origin_open(heed_origin *o, const char *dir, const heed_hooks *hooks, heed_error *err);
void heed__origin_close(heed_origin *o); /* a zeroed one is fine */

/* -- a body taken whole ------------------------------------------------------------------------ */

/* Of a classifier or embedder: its body becomes c's, with its values, and its parameters c's;
 * *head is what its config.json says of its head. What is left of it, to be compared and closed;
 * NULL and *err on failure. */
heed_classifier *heed__origin_move(const heed_origin *o, heed_classifier *c, heed_head_cfg *head,
                                   heed_error *err);
/* Of one: o's body and its parameters, without their values. 0 or a status. */
int heed__origin_declare(heed_origin *o, heed_error *err);

typedef enum heed_origin_part {
    HEED_ORIGIN_BODY,
    HEED_ORIGIN_ARRAY,
    HEED_ORIGIN_HEAD
} heed_origin_part;
/* Values of these parameters of ps from the model's file, all or none; *taken: all. A body that is
 * not there as it is declared is HEED_EFORMAT. 0 or a status. */
int heed__origin_take(const heed_origin *o, heed_params *ps, heed_origin_part part, bool *taken,
                      heed_error *err);
/* Tells the log: words and layers are taken, and what of the head. */
void heed__origin_tell(const heed_origin *o, const char *head);

/* -- what fits --------------------------------------------------------------------------------- */

/* Loads it. target: the recipe of what starts from it. HEED_EUNSUPPORTED: it has no vectors of
 * words. 0 or a status. */
int heed__origin_load(heed_origin *o, const char *target, heed_error *err);
/* For a body of this kind: *whole, its recipe is the same; else it is loaded, and the zeros among
 * b's sizes become those of what fits. HEED_EUNSUPPORTED: the kind has no table of words. 0 or a
 * status. */
int heed__origin_settle(heed_origin *o, const heed_body_kind *kind, heed_body_cfg *b, bool *whole,
                        heed_error *err);
/* After b has learnt from the texts x: heed__origin_fill with b's words and layers. */
int heed__origin_give(const heed_origin *o, heed_body *b, const heed_texts *x, heed_error *err);

/* What begins with its words: row finds a word's row of table, as a body's
 * word does. */
typedef struct heed_origin_words {
    heed_tensor *table; /* [rows,dim] */
    int64_t (*row)(const void *self, const char *word, size_t size);
    const void *self;
    const heed_vocab *vocab; /* words that may have a row */
    int64_t words;           /* that have one */
} heed_origin_words;
/* Fills the table's rows, where no layers are taken scaled by one number so that they are as long,
 * on average, as those they replace, and the layers that ps has; *layers: any. Tells the log.
 * HEED_EFORMAT: no word fits. 0 or a status. */
int heed__origin_fill(const heed_origin *o, heed_params *ps, const heed_origin_words *x,
                      bool *layers, heed_error *err);

#endif
