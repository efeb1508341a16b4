/* tasks.h: the whole job in a few calls.
 *
 *     heed_error err;
 *     heed_classifier *c = heed_classifier_open("models/intent", NULL, &err);
 *     heed_label top[3];
 *     int n = heed_classify(c, "my card was charged twice", top, 3, &err);
 *     for (int i = 0; i < n; i++) printf("%-20s %.3f\n", top[i].name, top[i].score);
 *     heed_classifier_close(c);
 */
#ifndef HEED_TASKS_H
#define HEED_TASKS_H

#include <heed/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Texts with their labels, zero-terminated UTF-8, the caller's. label may be NULL where none is
 * needed. */
typedef struct heed_examples {
    int64_t len;
    const char *const *text;  /* [len] */
    const char *const *label; /* [len] */
} heed_examples;

/* Which words of a text are read that has more of them than max_len. */
typedef enum heed_keep { HEED_KEEP_TAIL, HEED_KEEP_HEAD } heed_keep;

/* How a classifier is made; a zero means the value in brackets. The recipe `classic`: embedding,
 * LSTM, multi-head self-attention over its states, mean of the words that there are, softmax. */
typedef struct heed_classify_cfg {
    int64_t vocab;    /* words known, the commonest (10000) */
    int64_t max_len;  /* words read of a text, its last ones (128) */
    int64_t embed;    /* (64) */
    int64_t hidden;   /* LSTM units and attention width (64) */
    int64_t heads;    /* (4) */
    int64_t dense;    /* units of a ReLU layer before the last (none) */
    int64_t epochs;   /* (15) */
    int64_t batch;    /* texts in a step (64) */
    double lr;        /* Adam's rate (0.002) */
    bool constant_lr; /* else it falls to a tenth along half a cosine */
    double dropout;   /* on words and on the pooled vector; negative: none (0.3) */
    uint64_t seed;
    heed_precision precision; /* of training and, stored with the model, of its answers (f32) */
    int threads;              /* as heed_pool_new; no result depends on it */
    const char *isa;          /* as heed_ctx_cfg */
    const heed_hooks *hooks;  /* progress, cancel, log, memory */
} heed_classify_cfg;

typedef struct heed_classifier heed_classifier; /* for one thread at a time */

/* Trains on data. NULL and *err on failure: fewer than two labels, an empty set, a bad setting, no
 * memory, cancelled. */
HEED_API heed_classifier *heed_classifier_train(const heed_examples *data,
                                                const heed_classify_cfg *cfg, heed_error *err);

typedef struct heed_open_cfg {
    int threads;     /* as heed_pool_new */
    const char *isa; /* as heed_ctx_cfg */
    const heed_hooks *hooks;
} heed_open_cfg;

/* Opens a model folder (config.json, model.safetensors, vocab.txt). cfg NULL: defaults. NULL and
 * *err on failure. */
HEED_API heed_classifier *heed_classifier_open(const char *dir, const heed_open_cfg *cfg,
                                               heed_error *err);
/* Writes a model folder; each file is replaced whole or not at all. The bytes depend on data and
 * settings alone, not on time, threads or ISA. 0 or a status. */
HEED_API int heed_classifier_save(const heed_classifier *c, const char *dir, heed_error *err);
HEED_API void heed_classifier_close(heed_classifier *c); /* NULL is fine */

HEED_API int64_t heed_classifier_labels(const heed_classifier *c);               /* K */
HEED_API const char *heed_classifier_label(const heed_classifier *c, int64_t i); /* NULL past K */
HEED_API int64_t heed_classifier_parameters(const heed_classifier *c);

/* A label with its probability. name lives as long as the classifier. */
typedef struct heed_label {
    const char *name;
    float score;
} heed_label;

/* The n likeliest labels of a text, best first. How many were written (K if n is larger), or a
 * negative status. */
HEED_API int heed_classify(heed_classifier *c, const char *text, heed_label *top, int n,
                           heed_error *err);

/* A word of a text, bytes [begin, end) of it, and the part of all attention that goes to it. */
typedef struct heed_attended {
    size_t begin, end;
    float weight; /* over the words of a text these add up to 1 */
} heed_attended;

/* What heed_classify_explain is given and fills. The two arrays are the caller's. */
typedef struct heed_explanation {
    heed_label *top;     /* [top_cap] the likeliest labels, best first */
    heed_attended *word; /* [word_cap] the last words, in reading order; NULL with word_cap 0 */
    int top_cap;
    int64_t word_cap;
    /* filled */
    int top_len;         /* labels written */
    int64_t word_len;    /* words written */
    int64_t total, seen; /* words of the text; how many of them, its last ones, the model saw */
    int64_t known;       /* of those seen, how many it knows */
} heed_explanation;

/* heed_classify with what it attended to: attention averaged over heads and queries. 0 or a
 * status. */
HEED_API int heed_classify_explain(heed_classifier *c, const char *text, heed_explanation *x,
                                   heed_error *err);

/* Probabilities of many texts, probs [len,K]. 0 or a status. */
HEED_API int heed_classify_many(heed_classifier *c, int64_t len, const char *const *text,
                                float *probs, heed_error *err);

/* What an answer about a text of max_len words costs: tells fn of every product (heed/tensor.h,
 * heed_ctx_set_flops). Returns that number of words, or a status. */
HEED_API int64_t heed_classifier_cost(heed_classifier *c, heed_flops_fn fn, void *user,
                                      heed_error *err);

/* An interval of 95 %: where the same measure of other examples of the same kind would lie. */
typedef struct heed_interval {
    double low, high;
} heed_interval;

/* What a test found. Fractions, not percent. Intervals are bootstrapped over the examples (Efron
 * 1979) with a fixed seed. */
typedef struct heed_metrics {
    int64_t n;
    double loss;     /* mean of -ln of the right label's probability */
    double accuracy; /* of n */
    double macro_f1; /* mean over the labels that occur in the data or the answers */
    double ece;      /* expected calibration error, 15 equal bins of the top probability */
    double auc;      /* area under the ROC curve of the second label; NAN unless there are two */
    heed_interval loss_95, accuracy_95, macro_f1_95, ece_95, auc_95;
    int64_t unknown_labels; /* examples whose label the model does not have: counted as wrong, not
                               in loss */
} heed_metrics;

/* Tests on labelled data. 0 or a status. */
HEED_API int heed_classifier_test(heed_classifier *c, const heed_examples *data, heed_metrics *m,
                                  heed_error *err);

#ifdef __cplusplus
}
#endif
#endif
