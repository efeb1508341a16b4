/* tasks.h: the whole job in a few calls.
 *
 *     heed_error err;
 *     heed_classifier *c = heed_classifier_open("models/intent", NULL, &err);
 *     if (!c) return fprintf(stderr, "%s\n", err.msg), 1;
 *     heed_label top[3];
 *     int n = heed_classify(c, "my card was charged twice", top, 3, &err);
 *     for (int i = 0; i < n; i++) printf("%-20s %.3f\n", top[i].name, top[i].score);
 *     heed_classifier_close(c);
 */
#ifndef HEED_TASKS_H
#define HEED_TASKS_H

#include <heed/classify_cfg.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Names of the recipes, NULL past the last. */
HEED_API const char *heed_recipe_name(int i);

typedef struct heed_classifier heed_classifier; /* for one thread at a time */

/* Trains on data. cfg NULL: defaults. NULL and *err on failure: fewer than two labels, an empty
 * set, a bad setting, no memory, cancelled. */
HEED_API heed_classifier *heed_classifier_train(const heed_examples *data,
                                                const heed_classify_cfg *cfg, heed_error *err);

typedef struct heed_open_cfg {
    int threads;     /* as heed_pool_new */
    const char *isa; /* as heed_ctx_cfg */
    const heed_hooks *hooks;
    /* A classifier of the recipes classic and encoder attends no farther than this, whatever it was
     * trained with; see heed_attention_choice. 0: as trained */
    int64_t window, truncate;
} heed_open_cfg;

/* Opens a model folder (config.json, model.safetensors ...). cfg NULL: defaults. NULL and *err. */
HEED_API heed_classifier *heed_classifier_open(const char *dir, const heed_open_cfg *cfg,
                                               heed_error *err);
/* Writes a model folder; each file is replaced whole or not at all. The bytes depend on data and
 * settings alone, not on time, threads or ISA. 0 or a status. */
HEED_API int heed_classifier_save(const heed_classifier *c, const char *dir, heed_error *err);
HEED_API void heed_classifier_close(heed_classifier *c); /* NULL is fine */

/* K; 0 where it gives a score */
HEED_API int64_t heed_classifier_labels(const heed_classifier *c);
HEED_API const char *heed_classifier_label(const heed_classifier *c, int64_t i); /* NULL past K */
HEED_API int64_t heed_classifier_parameters(const heed_classifier *c);
HEED_API heed_target heed_classifier_target(const heed_classifier *c);
HEED_API bool heed_classifier_pairs(const heed_classifier *c); /* whether it reads pairs */
/* The width of the numbers that it reads beside a text (heed_array), 0 for none; *sequence (may be
 * NULL): whether they come in steps. */
HEED_API int64_t heed_classifier_array(const heed_classifier *c, bool *sequence);
HEED_API const char *heed_classifier_recipe(const heed_classifier *c);

/* Held-out examples that its confidence was calibrated on (Guo et al. 2017), and without which no
 * coverage or scope can be promised; 0: none, its probabilities are those that training left. */
HEED_API int64_t heed_classifier_calibrated(const heed_classifier *c);

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

/* What heed_classify_explain is given and fills. The arrays are the caller's. */
typedef struct heed_explanation {
    const char *text2;   /* the second text of a pair; NULL: a single text */
    heed_label *top;     /* [top_cap] the likeliest labels, best first */
    heed_attended *word; /* [word_cap] the last words, in reading order; NULL with word_cap 0 */
    int top_cap;
    int64_t word_cap;
    /* What is to be promised, of a calibrated model with one label a text; 0: nothing. coverage:
     * the chance that the set of labels holds the right one; scope: the part of texts such as those
     * of the training that are taken for such. */
    double coverage, scope;
    /* filled */
    int top_len;         /* labels written */
    int64_t word_len;    /* words written */
    int64_t total, seen; /* words of the text; how many of them, its last ones, the model saw */
    int64_t known;       /* of those seen, how many it knows */
    float value;         /* of a model that gives a score */
    int64_t set_len;     /* the likeliest so many labels are the set; 0: not even one is likely */
    bool in_scope;       /* false: a text such as none of the training's */
    float parent[8];     /* labels that are paths: probabilities of the likeliest's parents */
    int parents;         /* how many, the topmost first */
    /* given: the numbers beside the text, where the model reads such; data NULL: none */
    heed_array array;
} heed_explanation;

/* heed_classify with what it attended to: attention averaged over heads and queries. 0 or a
 * status: HEED_EUNSUPPORTED where something is to be promised by a model that is not calibrated. */
HEED_API int heed_classify_explain(heed_classifier *c, const char *text, heed_explanation *x,
                                   heed_error *err);

/* heed_classify_explain of len single texts together, text[i] into x[i], with the very same answers
 * several times as fast, but for their words: each word_cap is 0 and word NULL. 0 or a status, and
 * then none is answered. */
HEED_API int heed_classify_explain_many(heed_classifier *c, int64_t len, const char *const *text,
                                        heed_explanation *x, heed_error *err);

/* Probabilities of many texts, probs [len,K]. 0 or a status. */
HEED_API int heed_classify_many(heed_classifier *c, int64_t len, const char *const *text,
                                float *probs, heed_error *err);
/* The same of texts or pairs of texts: out [len,K] probabilities, or [len] scores. */
HEED_API int heed_classify_examples(heed_classifier *c, const heed_examples *x, float *out,
                                    heed_error *err);

/* What an answer about a text of max_len words costs, all of them different, so that nothing is
 * known from other words or answers: tells fn of every product (heed/tensor.h, heed_ctx_set_flops).
 * Returns that number of words, or a status. */
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
    double loss;     /* mean of -ln of the right label's probability; NAN where the model has none
                        of the labels */
    double accuracy; /* of n */
    double macro_f1; /* mean over the labels that occur in the data or the answers, 0 for those
                        that the model does not have */
    double ece;      /* expected calibration error, 15 equal bins of the top probability */
    double auc;      /* area under the ROC curve of the second label; NAN unless there are two */
    heed_interval loss_95, accuracy_95, macro_f1_95, ece_95, auc_95;
    int64_t unknown_labels; /* examples whose label the model does not have: counted as wrong, not
                               in loss */
} heed_metrics;

/* Tests on labelled data. 0 or a status. */
HEED_API int heed_classifier_test(heed_classifier *c, const heed_examples *data, heed_metrics *m,
                                  heed_error *err);

/* Of a model of several labels: a label is said where its probability is at least 1/2. */
typedef struct heed_labels_metrics {
    int64_t n;
    double loss;                  /* mean of -ln of what is right, over texts and labels */
    double exact;                 /* part of the texts whose labels are all right, and no more */
    double precision, recall, f1; /* over all labels said and all that are right */
    double macro_f1;              /* as above */
    int64_t unknown_labels;       /* labels of the data that the model does not have: missed */
    double ece; /* calibration error over texts and labels, 15 equal bins of each's probability */
    heed_interval loss_95, exact_95, precision_95, recall_95, f1_95, macro_f1_95, ece_95;
} heed_labels_metrics;
HEED_API int heed_classifier_test_labels(heed_classifier *c, const heed_examples *data,
                                         heed_labels_metrics *m, heed_error *err);

/* Of a model that gives a score. */
typedef struct heed_score_metrics {
    int64_t n;
    double mse, mae; /* mean squared and mean absolute error */
    double r2;       /* part of the scores' variance that the answers explain */
    double pearson;  /* correlation; 0 where one of both does not vary */
    heed_interval mse_95, mae_95, r2_95, pearson_95;
} heed_score_metrics;
HEED_API int heed_classifier_test_score(heed_classifier *c, const heed_examples *data,
                                        heed_score_metrics *m, heed_error *err);

/* Labels that are paths, a/b/c: how many levels stand above the labels themselves (0: none). */
HEED_API int heed_classifier_levels(const heed_classifier *c);
/* A parent's probability is the sum of its children's. accuracy[0..levels): of the likeliest parent
 * at each level, the topmost first; at most `most`. 0 or a status. */
HEED_API int heed_classifier_test_levels(heed_classifier *c, const heed_examples *data,
                                         double *accuracy, int most, heed_error *err);
/* The probability of label i's parent at a level, from probs [K]; *size: the bytes of its name,
 * which is a part of the label's. */
HEED_API float heed_classifier_parent(const heed_classifier *c, const float *probs, int64_t i,
                                      int level, size_t *size);

/* -- tagging: entities in sentences --------------------------------------------------------------
 *
 *     heed_tagger *t = heed_tagger_open("models/news", NULL, &err);
 *     heed_entity e[64];
 *     int64_t n = heed_tagger_find(t, "Peter Blackburn left Brussels.", e, 64, &err);
 *     for (int64_t i = 0; i < n; i++) printf("%s %.3f\n", e[i].type, e[i].confidence);
 *     heed_tagger_close(t);
 */

/* Sentences in words, zero-terminated UTF-8, the caller's: those of sentence i are
 * word[start[i] .. start[i+1]). Tags are in one of the schemes BIO, IOB1, BIOES, BMES or BILOU,
 * which is recognised; sequences that break it are read as the CoNLL tasks' conlleval reads them.
 */
typedef struct heed_tagged {
    int64_t len;             /* sentences */
    const int64_t *start;    /* [len+1] from 0 */
    const char *const *word; /* [start[len]] */
    const char *const *tag;  /* [start[len]], or NULL where none are needed */
} heed_tagged;

/* How a tagger is made; a zero means the value in brackets. Words are seen as numbers of a
 * vocabulary and by hashed features of their letters (of neighbouring characters, where a word is
 * one ideograph); an LSTM in both directions reads the sentence, or a Transformer encoder; a
 * conditional random field scores whole sequences of tags (Lafferty et al. 2001; Huang et al. 2015;
 * Lample et al. 2016). */
typedef struct heed_tag_cfg {
    const char *recipe;       /* "lstm" or "encoder" (lstm) */
    bool no_crf;              /* each word by itself; answers still follow the scheme */
    const heed_tagged *valid; /* held-out data; NULL: valid_part of the sentences */
    double valid_part;        /* (0.1); negative: none, and the last epoch's weights count */
    int64_t vocab;            /* words known, the commonest (50000) */
    int64_t embed;            /* width of the words' vectors (100) */
    int64_t features;         /* width of the summed features (64) */
    int64_t field;            /* width of each of the four features that stand alone (16) */
    int64_t buckets;          /* rows of the features' hashed table (32768) */
    int64_t hidden;           /* LSTM units of a direction, half the encoder's width (128) */
    int64_t layers;           /* (1; encoder: 2) */
    int64_t heads;            /* encoder (4) */
    int64_t epochs;           /* at most (10) */
    int64_t batch;            /* sentences in a step (16) */
    int64_t patience;         /* epochs without a better F1 before it stops (3) */
    double lr;                /* AdamW's rate, which falls linearly (0.003; encoder: 0.001) */
    double dropout;           /* of states; half of it on what goes in; negative: none (0.5) */
    double word_dropout;      /* whole words; negative: none (0.05) */
    double feature_dropout;   /* features of letters, each by itself; negative: none (0.15) */
    const char *from;         /* folder of a model to start from (none): a tagger's shape, words and
                                 weights, what scores the tags too where no type is new; of a
                                 model of another task or recipe its vectors of words, and layers
                                 where they fit, as a line of the log says */
    double seconds;           /* time for the training (no limit) */
    uint64_t seed;
    heed_precision precision; /* of training and, stored with the model, of its answers (f32) */
    int threads;              /* as heed_pool_new; no result depends on it */
    const char *isa;          /* as heed_ctx_cfg */
    const heed_hooks *hooks;  /* progress, cancel, log, memory */
    const char *run;          /* folder for logs and, where training is stopped, its checkpoint */
    bool resume;              /* go on with the checkpoint there */
    bool keep_stopped;        /* cancelled, the best so far is given (with *err filled) */
} heed_tag_cfg;

typedef struct heed_tagger heed_tagger; /* for one thread at a time */

/* Trains on data. cfg NULL: defaults. NULL and *err on failure: no entity, a tag that is none, a
 * bad setting, no memory, cancelled. */
HEED_API heed_tagger *heed_tagger_train(const heed_tagged *data, const heed_tag_cfg *cfg,
                                        heed_error *err);
/* A model folder (config.json, vocab.txt, model.safetensors), as heed_classifier_open and _save. */
HEED_API heed_tagger *heed_tagger_open(const char *dir, const heed_open_cfg *cfg, heed_error *err);
HEED_API int heed_tagger_save(const heed_tagger *t, const char *dir, heed_error *err);
HEED_API void heed_tagger_close(heed_tagger *t); /* NULL is fine */

HEED_API int64_t heed_tagger_types(const heed_tagger *t);
HEED_API const char *heed_tagger_type(const heed_tagger *t, int64_t i); /* NULL past the last */
HEED_API int64_t heed_tagger_parameters(const heed_tagger *t);
/* What scores are divided by, so that confidence can be believed, and the calibration error of
 * held-out entities without it and with it (both 0 where nothing was held out, or t was opened). */
HEED_API double heed_tagger_temperature(const heed_tagger *t, double ece[2]);
HEED_API const char *heed_tagger_scheme(const heed_tagger *t); /* of the data it learnt: "BIO" */

/* An entity. type lives as long as the tagger. confidence is the probability, by the model, that
 * exactly this stretch is an entity of this type: the sum over all sequences of tags that say so.
 */
typedef struct heed_entity {
    size_t begin, end;   /* bytes of the text */
    int64_t word, words; /* its first word, and how many */
    const char *type;
    float confidence;
} heed_entity;

/* The entities of a text, in reading order. Words are runs of letters and digits, marks and single
 * ideographs; neighbours that were one word in training are joined ("U.S."). More than 4,096 words
 * are read in pieces of 3,584, each with 256 of either neighbour beside it. How many there are, of
 * which the first n were written, or a negative status. */
HEED_API int64_t heed_tagger_find(heed_tagger *t, const char *text, heed_entity *entity, int64_t n,
                                  heed_error *err);
/* The same of words that are given; begin and end are not set. */
HEED_API int64_t heed_tagger_find_words(heed_tagger *t, int64_t words, const char *const *word,
                                        heed_entity *entity, int64_t n, heed_error *err);

/* A word of a text: its bytes [begin,end). */
typedef struct heed_cut {
    size_t begin, end;
} heed_cut;
/* The words that heed_tagger_find takes a text for. How many, of which the first n were written, or
 * a negative status. */
HEED_API int64_t heed_tagger_cut(const heed_tagger *t, const char *text, heed_cut *word, int64_t n,
                                 heed_error *err);

typedef struct heed_type_metrics {
    const char *type; /* as long as the tagger; NULL: of the data alone */
    double precision, recall, f1;
    int64_t gold, found, right; /* entities in the data, in the answers, in both */
} heed_type_metrics;

/* What a test found: whole entities, as conlleval counts. Fractions, not percent. */
typedef struct heed_tag_metrics {
    heed_type_metrics *type; /* [type_cap] the caller's, filled; NULL with type_cap 0 */
    int64_t type_cap;
    /* filled */
    int64_t type_len;
    int64_t n, words;             /* sentences, words */
    double precision, recall, f1; /* over all entities of all types */
    double f1_low, f1_high;       /* 95 %: up to 1,000 resamplings of the sentences */
    double accuracy;              /* of words: the very tag */
    double loss; /* mean of -ln p of all tags of a sentence, over those whose tags the model has;
                    NAN where there is none */
    double ece; /* of the entities found: expected calibration error, 15 equal bins */
    int64_t gold, found, right; /* entities */
    int64_t unknown_types;      /* entities of types that the model does not have */
    const char *scheme;         /* of the data */
} heed_tag_metrics;
HEED_API int heed_tagger_test(heed_tagger *t, const heed_tagged *data, heed_tag_metrics *m,
                              heed_error *err);

#ifdef __cplusplus
}
#endif
#endif
