/* classify_cfg.h: what a classifier learns from, and how it is made; for tasks.h.
 *
 *     heed_classify_cfg cfg = { .recipe = "encoder", .attention.weights = HEED_WEIGHTS_SPARSEMAX };
 *     heed_classifier *c = heed_classifier_train(&data, &cfg, &err);
 */
#ifndef HEED_CLASSIFY_CFG_H
#define HEED_CLASSIFY_CFG_H

#include <heed/models.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Numbers that examples have beside their texts, the caller's: a vector each (of an image, of a
 * sentence), or steps of them (frames of sound, rows of an image). */
typedef struct heed_array {
    const float *data;  /* [len,steps,dim], finite; row i is example i's */
    int64_t steps, dim; /* steps: 1 for a vector each */
    bool sequence;      /* steps are read in their order, however many there are */
} heed_array;

/* Texts with what is to be learnt or tested, zero-terminated UTF-8, the caller's. label may be NULL
 * where none is needed. */
typedef struct heed_examples {
    int64_t len;
    const char *const *text;    /* [len] */
    const char *const *label;   /* [len], or as label_start says */
    const char *const *text2;   /* [len] the second of a pair of texts; NULL: single texts */
    const int64_t *label_start; /* [len+1] text i has labels label[label_start[i] ..
                                   label_start[i+1]), none to many; NULL: one each */
    const double *score;        /* [len] where a number is to be learnt */
    const heed_array *array;    /* numbers beside the texts, which may be empty; NULL: none */
} heed_examples;

/* What a classifier says of a text. */
typedef enum heed_target {
    HEED_TARGET_LABEL,  /* one label: probabilities add up to 1 */
    HEED_TARGET_LABELS, /* none to many labels, each with a probability of its own */
    HEED_TARGET_SCORE   /* a number */
} heed_target;

/* Which words of a text are learnt from that has more of them than max_len. */
typedef enum heed_keep { HEED_KEEP_TAIL, HEED_KEEP_HEAD } heed_keep;

/* How a classifier is made; a zero means the value in brackets, of a * the recipe's own. The
 * recipe `attend`: vectors of words and their n-grams, local context, attention pooled by learned
 * queries, and the evidence of all n-grams beside it. The recipe `classic`: embedding, LSTM,
 * multi-head self-attention over its states, mean of the words that there are, softmax. What
 * stands in brackets is classic's. */
typedef struct heed_classify_cfg {
    int64_t vocab;    /* words known, the commonest; of attend features (10000 *) */
    int64_t max_len;  /* words read of a text at once, see keep (128 *) */
    int64_t embed;    /* width of a word's vector (64 *) */
    int64_t hidden;   /* LSTM units and attention width (64) */
    int64_t heads;    /* of attention (4 *) */
    int64_t dense;    /* units of a ReLU layer before the last (none) */
    int64_t epochs;   /* (15 *) */
    int64_t batch;    /* texts in a step (64 *) */
    double lr;        /* learning rate (0.002 *) */
    bool constant_lr; /* else it falls to a tenth along half a cosine */
    double dropout;   /* on words and on the pooled vector; negative: none (0.3 *) */
    uint64_t seed;
    heed_precision precision; /* of training and, stored with the model, of its answers (f32) */
    int threads;              /* as heed_pool_new; no result depends on it */
    const char *isa;          /* as heed_ctx_cfg */
    const heed_hooks *hooks;  /* progress, cancel, log, memory */

    const char *recipe; /* heed_recipe_name ("attend") */
    heed_target target;
    bool hierarchy;     /* labels such as a/b: heed_metrics has their parents too */
    heed_keep keep;     /* which words are read of a text cut to max_len (the last) */
    bool windows;       /* a longer text is not cut but read in windows, whose answers are
                               averaged; training reads a window drawn anew in each epoch */
    int64_t layers, ff; /* (1, 4 times the width *) */
    bool bidirectional; /* an LSTM in each direction */
    heed_attention_choice attention; /* classic, encoder: the kind of self-attention */
    int64_t kv_heads;                /* heads of keys and values, a divisor of heads (heads) */
    bool share_layers;               /* encoder: all layers are one (Lan et al. 2020) */
    bool no_attention;      /* states are pooled, words counted as they are; not of an encoder */
    bool no_evidence;       /* attend: without what n-grams tell by themselves */
    const char *pooling;    /* of the states: "mean", "max", "cls", "attention" ("mean") */
    double deviation;       /* of the words' first vectors (1 *) */
    bool no_marks;          /* classic: marks that stand alone, such as commas, are passed over */
    bool remember;          /* an LSTM's forget gates begin with a bias of 1 */
    const char *position;   /* encoder: "sinusoidal", "learned", "rotary", "alibi", "t5", "none" */
    const char *tokenizer;  /* encoder: a tokenizer's file or folder (words) */
    const char *optimizer;  /* "adam", "adamw", "sgd", "adagrad", "adafactor" ("adam" *) */
    const char *schedule;   /* "constant", "linear", "cosine", "inv_sqrt", "plateau" ("cosine") */
    double warmup;          /* part of all steps over which the rate grows (none *) */
    double clip;            /* largest norm of a gradient; negative: none (1) */
    double weight_decay;    /* (none *) */
    double ema;             /* decay of an average of the weights, which then counts (none) */
    const char *adversary;  /* "fgm", "freelb": learns from the worst of small changes too (none) */
    double adversary_size;  /* length of that change, all rows of a batch together, to 1e30 (1) */
    double label_smoothing; /* negative: none (none; attend: 0.1) */
    bool balanced; /* labels weigh n / (K · n_label), n all that are given; having it, of several */

    const heed_examples *valid; /* held-out data; NULL: as valid_part says */
    double valid_part; /* part of the training data held out, by label (none). Where anything is,
                          the weights of the epoch that is best on it are kept. None: of 10,000 to
                          200,000 texts with 200 for each label attend's attention still does not
                          see a twentieth, 2000 at most, by which it is weighed against n-grams */
    int64_t patience;  /* epochs without a better one before training stops (never) */
    double seconds;    /* time after which it stops (none) */
    const char *from;  /* folder of a model to start from, of any task (the recipe is its own unless
                          another is said): one of the same recipe is taken whole, words and
                          weights, its head too where the labels are the same; of another what
                          fits, vectors of words and layers, as a line of the log says */
    const char *vectors; /* file of words' vectors to start from, in word2vec's text form; embed's
                            default is their width (none) */
    bool freeze;         /* nothing below the head is learnt */
    const heed_examples *pretrain; /* encoder: texts to learn the language from first, by words
                                      hidden (Devlin et al. 2019) */
    int64_t pretrain_epochs;       /* (5) */

    const char
        *run;     /* folder for logs and, where training is stopped, its checkpoint; NULL: none */
    bool resume;  /* go on with the checkpoint there: the very weights of a run not stopped */
    bool context; /* text2 is no second of a pair but what its text attends to: cross-attention from
                     the text to it, read by the same body (Parikh et al. 2016) */
    bool keep_stopped; /* cancelled, heed_classifier_train gives the best so far (with *err filled)
                          instead of NULL */
    const char *loss;  /* of a score: "squared", or "huber": errors of more than 1.345 deviations
                          count by their size and not by its square, and the deviation is told by
                          medians, so that gross errors among the scores of the data do not decide
                          (Huber 1964) ("squared") */
    const heed_examples *tests; /* what the model is to be tested on afterwards: not learnt from,
                                   but what takes most memory of the test is gone through before
                                   the first step, and what is short then stops it there (none) */
} heed_classify_cfg;

#ifdef __cplusplus
}
#endif
#endif
