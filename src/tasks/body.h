/* body.h: what stands below a head: from texts to vectors. A recipe (classic, encoder, attend) is
 * one heed_body_kind; heads (head.h), the trainer (trainer.h) and the model folder know no more of
 * it than what stands here.
 *
 *     heed_body *b = heed__body_new(kind, &cfg, ps, hooks, err);
 *     heed__body_learn(b, &texts, err);                   // vocabulary and tables, then parameters
 *     heed__body_encode(b, &texts, &(heed_rows_cfg){ .max_len = 128 }, &rows, err);   // once
 *     heed_span span[2] = { heed__row(&rows, 7), heed__row(&rows, 0) };
 *     heed_tensor *y = heed__body_apply(cx, b, &rows, span, 2, NULL);                   // [2,C]
 *
 * A text becomes a row of units: words, tokens of a tokenizer, or what else the body cuts it into.
 * Rows are ragged and never padded where they are kept; a body that computes over [n,T] pads the
 * batch in apply and nowhere else. A batch is a list of spans of units, so that a long text can be
 * read in windows without being encoded anew. */
#ifndef HEED_TASKS_BODY_H
#define HEED_TASKS_BODY_H

#include <jansson.h>

#include "heed/models.h"
#include "heed/tasks.h"
#include "tasks/trainer.h"

/* Of settings that are numbers with a point: they become floats. */
#define HEED_BODY_MOST 1e30

enum {
    HEED_BODY_MAX_LEN = 1 << 20, /* units of a text, at most */
    HEED_BODY_FILES = 32         /* that a folder with a body in it may hold, at most */
};

/* Bytes [begin,end) of a text. */
typedef struct heed_piece {
    size_t begin, end;
} heed_piece;

/* Texts to be encoded, the caller's. */
typedef struct heed_texts {
    int64_t len;
    const char *const *text; /* [len] zero-terminated UTF-8 */
    /* Tagging: the words are given. Text i has words word[word_start[i] .. word_start[i+1]), each
     * at least one unit, and rows->first tells which. NULL: the body cuts the text itself. */
    const heed_piece *word;
    const int64_t *word_start; /* [len+1] */
    bool no_marks;             /* of words: marks that stand alone are passed over */
} heed_texts;

/* What a body has made of words that it met, kept from call to call while its parameters stay as
 * they are. It changes the time of answers and nothing else. One call at a time. */
typedef struct heed_body_memo {
    int64_t readers; /* rows that refer to it */
} heed_body_memo;

/* Encoded texts: row i is the units start[i] .. start[i+1). Of the arrays below a body fills those
 * that it reads in apply, and places and first where they are asked for. */
typedef struct heed_rows {
    int64_t len;
    int64_t *start;    /* [len+1] */
    int64_t *total;    /* [len] units that the text has; fewer are in the row where it was cut */
    int32_t *id;       /* [units] a number for each */
    int64_t *bag;      /* [units+1] features of unit u are feature[bag[u] .. bag[u+1]) */
    int32_t *feature;  /* [bag[units]] such as hashed n-grams */
    heed_piece *place; /* [units] the bytes of the text that a unit stands for */
    int64_t *first;    /* [words] given words: the unit at which each begins; -1 for one cut off */
    bool *known;       /* [units] with places: whether the body knows this unit */
    heed_body_memo *memo; /* what they were encoded with, or NULL. It must not end before them */
    int32_t *word; /* [units] with a memo: the word's number in it, whose own features are not among
                    * the unit's; -1: none. NULL: none at all */
    int64_t id_cap, bag_cap, feature_cap, place_cap, known_cap, word_cap; /* room in the arrays */
    heed_hooks hooks;
} heed_rows;

void heed__rows_free(heed_rows *rows);          /* a zeroed one is fine */
int64_t heed__rows_size(const heed_rows *rows); /* bytes that it takes */

/* Units [begin,end) of rows: a whole row or a part of it, never of two rows, never empty. */
typedef struct heed_span {
    int64_t begin, end;
} heed_span;

typedef struct heed_spans {
    const heed_span *span;
    int64_t len;
} heed_spans;

static inline heed_span heed__row(const heed_rows *rows, int64_t i) {
    return (heed_span){ rows->start[i], rows->start[i + 1] };
}

typedef struct heed_rows_cfg {
    int64_t max_len;      /* units kept of a text; 0: all */
    heed_keep keep;       /* which of them */
    bool places;          /* fill place and known */
    heed_body_memo *memo; /* of this body, or NULL */
} heed_rows_cfg;

/* The shape of a body; a zero is the recipe's own choice (defaults fills it in). What a recipe has
 * no use for it does not read; it refuses what it cannot do. */
typedef struct heed_body_cfg {
    int64_t vocab;   /* words or tokens known */
    int64_t max_len; /* units read of a text */
    heed_keep keep;  /* which, of a longer one */
    int64_t embed;   /* width of the units' vectors */
    int64_t hidden;  /* LSTM units of a direction; width of attention */
    int64_t heads, layers, ff;
    int64_t buckets;             /* rows of a hashed table */
    heed_position_kind position; /* encoder */
    heed_pooling_kind pooling;
    bool bidirectional;
    double deviation; /* of the units' first vectors */
    bool no_marks;    /* words only: marks are passed over */
    bool remember;    /* an LSTM's forget gates begin with a bias of 1 */
    heed_attention_choice attention;
    int64_t kv_heads;      /* 0: heads */
    bool share_layers;     /* encoder */
    bool no_attention;     /* instead of attention: an LSTM's states as they are, the mean */
    double dropout;        /* negative: none */
    const char *tokenizer; /* file to take the units from; NULL: the recipe's own. Not kept */
    int64_t bytes;         /* of all training texts, for defaults. Not kept */
    int64_t labels;        /* that there are; 0 where a number is learnt. Not kept */
    uint64_t seed;
} heed_body_cfg;

typedef struct heed_body heed_body;

/* What a call of apply or states gives besides its result. */
typedef struct heed_body_call {
    bool want_weights;
    /* delivered, not in training: [n,K] to be added to the head's numbers, or NULL. Carries no
     * gradient. */
    heed_tensor *evidence;
    /* delivered: [n,T], T at least the longest span: the part of all attention that unit t of the
     * span gets; over the units of a span these add up to 1, and those past its end are 0. Carries
     * no gradient. */
    heed_tensor *weights;
    /* delivered in training, where attention.penalty is asked for: [], times its weight; to be
     * added to the loss. NULL: none */
    heed_tensor *penalty;
    heed_tensor *lengths; /* I32 [n], of the spans; a body's own use */
} heed_body_call;

/* What labelled texts a body learns from besides the training of its parameters. */
typedef struct heed_body_goal {
    int64_t classes;            /* K */
    const int32_t *label;       /* [len] numbers below K */
    const int64_t *label_start; /* [len+1] where a text has several: label[label_start[i] .. ) */
    uint64_t seed;
    /* Other texts, with one label each (-1: not known), by which fit chooses its settings. NULL:
     * it takes those that it has by default, or, again, those of the fit before. */
    const heed_rows *check;
    const int32_t *check_label;
    bool again;
} heed_body_goal;

/* A recipe. Functions that take err return 0 or a status with its sentence; those that take cx
 * follow the rules of heed/ops.h. */
typedef struct heed_body_kind {
    const char *name;         /* as --recipe has it */
    const char *const *files; /* names of the files it saves beside config.json and
                                       model.safetensors; NULL ends them */
    double smoothing;         /* of labels, where none is said */
    size_t size;              /* of its struct, which begins with a heed_body */
    bool shares;              /* what texts of a batch have in common is computed once */
    int64_t units;            /* that fill its products: more, padding included, are answered in
                                 several batches; 0: as they come */
    bool chooses;             /* cfg's attention and kv_heads are read */
    /* Replaces the zeros of both by the recipe's values. */
    void (*defaults)(heed_body_cfg *cfg, heed_fit_cfg *fit);
    /* Makes vocabulary and tables from the training texts and declares the parameters in b->ps. */
    int (*learn)(heed_body *b, const heed_texts *x, heed_error *err);
    /* The same from a folder: the object that config gave, and the files that save wrote. */
    int (*load)(heed_body *b, const json_t *config, const char *dir, heed_error *err);
    /* An object from which load makes the same body; NULL: out of memory. Bytes follow from b. */
    json_t *(*config)(const heed_body *b);
    int (*save)(const heed_body *b, const char *dir, heed_error *err); /* its files */
    /* rows is zeroed but for hooks; a text without units becomes one unknown unit. Depends on text
     * and body alone; a body is not changed by it. */
    int (*encode)(const heed_body *b, const heed_texts *x, const heed_rows_cfg *cfg,
                  heed_rows *rows, heed_error *err);
    /* After learn: what can be had from the labels at once, such as what apply gives as evidence.
     * goal->classes 0: no labels, what an earlier training had is forgotten. NULL: nothing. */
    int (*fit)(heed_ctx *cx, heed_body *b, const heed_rows *rows, const heed_body_goal *goal,
               heed_error *err);
    /* After training: makes its tables small, for the better of whoever keeps or opens the model.
     * NULL: they stay as they are. */
    void (*finish)(heed_body *b);
    /* What the evidence counts beside the head, to be set; NULL: the body has none. The function
     * may be NULL. */
    float *(*gain)(heed_body *b);
    /* Of a body whose parameters do not change any more; *memo NULL: it has none. The function may
     * be NULL. */
    int (*memo)(heed_ctx *cx, const heed_body *b, heed_body_memo **memo, heed_error *err);
    void (*forget)(heed_body_memo *memo); /* its end */
    /* Bytes that it holds besides its parameters; NULL: hardly any. */
    int64_t (*held)(const heed_body *b);
    /* The table [rows,D] that holds a vector for each word, and how many words; NULL: none. */
    heed_tensor *(*words)(const heed_body *b, int64_t *len);
    /* The row of a word, -1 for one that has none, -2 where memory ran out. Where words is given,
     * this is. */
    int64_t (*word)(const heed_body *b, const char *word, size_t size);
    /* The rows of *table that a word is made of, by itself and its pieces: id [most]. How many; 0:
     * nothing is known of it; HEED_ENOMEM. *table NULL: there is none. The function may be NULL. */
    int64_t (*spell)(const heed_body *b, const char *word, size_t size, heed_tensor **table,
                     int32_t *id, int64_t most);
    /* One vector for each span -> [n,b->dim]. call may be NULL. */
    heed_tensor *(*apply)(heed_ctx *cx, const heed_body *b, const heed_rows *rows,
                          const heed_span *span, int64_t n, heed_body_call *call);
    /* One vector for each unit -> [n,T,b->state_dim], T the longest span; *lengths I32 [n]. NULL:
     * the recipe has none. */
    heed_tensor *(*states)(heed_ctx *cx, const heed_body *b, const heed_rows *rows,
                           const heed_span *span, int64_t n, heed_tensor **lengths);
    /* The unit that stands for a hidden one, and how many others there are: 0 .. hidden - 1; for
     * learning the language first (pretrain.h). NULL: the recipe cannot. */
    int64_t (*hidden_unit)(const heed_body *b);
    void (*free)(heed_body *b); /* what it owns besides its struct; the rest is heed__body_free's */
} heed_body_kind;

struct heed_body {
    const heed_body_kind *kind;
    heed_hooks hooks;
    heed_params *ps;   /* not its own; holds its parameters, none of which is named "head.*" or
                              "dense.*" */
    heed_body_cfg cfg; /* defaults filled in */
    int64_t dim;       /* C of apply */
    int64_t state_dim; /* of states; 0: none */
    int64_t positions; /* units read at once, at most; 0: any number */
};

/* All recipes; NULL ends them. Adding one: its file, its line in body.c. */
extern const heed_body_kind *const heed__body_kinds[];
/* NULL where there is none of this name. */
const heed_body_kind *heed__body_kind_find(const char *name);

/* Whether the sizes, the rate and the rest, defaults filled in, are such that a training can begin:
 * 0, or HEED_EINVALID with the first that is not. */
int heed__body_check(const heed_body_cfg *cfg, const heed_fit_cfg *fit, heed_error *err);
/* Whether a body that is taken of another model can read so many units at once. 0 or HEED_EINVALID.
 */
int heed__body_reach(const heed_body *b, int64_t max_len, heed_error *err);
/* An empty body; learn or load fills it. NULL: out of memory. */
heed_body *heed__body_new(const heed_body_kind *kind, const heed_body_cfg *cfg, heed_params *ps,
                          const heed_hooks *hooks, heed_error *err);
void heed__body_free(heed_body *b); /* NULL is fine */
/* Names of all files that a folder with a body in it may hold, whatever the recipe; NULL ends
 * them. */
void heed__body_folder(const char *files[HEED_BODY_FILES + 1]);
/* kind->memo, where there is such a function. 0 or a status. */
int heed__body_memo(heed_ctx *cx, const heed_body *b, heed_body_memo **memo, heed_error *err);
/* kind->encode with rows zeroed before, and freed on failure. */
int heed__body_encode(const heed_body *b, const heed_texts *x, const heed_rows_cfg *cfg,
                      heed_rows *rows, heed_error *err);

/* -- for the bodies that fill rows ------------------------------------------------------------- */

/* start, total and, for given words, first. 0 or a status. */
int heed__rows_begin(heed_rows *rows, const heed_texts *x, heed_error *err);
/* Ends the row whose total units lie at the end of id (and place, known): keeps those that cfg
 * says, and mends first. */
void heed__rows_end_row(heed_rows *rows, const heed_texts *x, const heed_rows_cfg *cfg);

/* -- for the bodies that read rows->id over [n,T] ---------------------------------------------- */

/* The spans' ids [n,T] with T the longest of them, padded right, and lengths [n]. Tensors of the
 * step; both NULL when the context has an error. */
void heed__rows_batch(heed_ctx *cx, const heed_rows *rows, const heed_span *span, int64_t n,
                      int32_t padding, heed_tensor *out[2]);
/* What each key of self-attention received, averaged over heads and queries: a tap's column
 * [n,H,T] -> [n,T] with sum 1 over each span. */
heed_tensor *heed__column_weights(heed_ctx *cx, const heed_tensor *column, const heed_span *span,
                                  int64_t n);
/* The same where there is no attention: all units of a span count alike. */
heed_tensor *heed__even_weights(heed_ctx *cx, const heed_span *span, int64_t n, int64_t T);
/* A reach that the body's cfg asks for takes the place of a wider one of the folder's model. */
void heed__body_narrow(const heed_body *b, heed_attention_choice *kind);
/* The mean of the layers' penalties times their weight; NULL where none was asked for or the
 * context does not train. */
heed_tensor *heed__body_penalty(heed_ctx *cx, const heed_attention_choice *kind,
                                const heed_attention_more *more, int64_t layers);

#endif
