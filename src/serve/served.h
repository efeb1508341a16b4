/* served.h: a model folder that serves: opened as often as there are callers at a time (a model is
 * for one thread), or, where it computes much, once, with texts of all callers in batches.
 *
 *     heed_said said = { 0 };
 *     if (heed_served_ask(m, n, text, &said, &err) == 0) use(said.probs, said.labels);
 *     heed_said_free(&said);
 */
#ifndef HEED_SERVE_SERVED_H
#define HEED_SERVE_SERVED_H

#include <jansson.h>

#include "heed/embed.h"
#include "heed/tasks.h"
#include "serve/batch.h"

typedef enum heed_served_task {
    HEED_SERVED_CLASSIFY,
    HEED_SERVED_TAG,
    HEED_SERVED_EMBED
} heed_served_task;

typedef struct heed_served_cfg {
    const char *dir;
    int copies;          /* of a light model */
    int threads;         /* of a heavy one's pool */
    int64_t max_wait_ms; /* of a heavy one's batches */
    int64_t max_batch;
    const heed_hooks *hooks;
} heed_served_cfg;

typedef struct heed_served heed_served; /* any thread */

/* NULL and *err where it is missing, bad, or reads pairs of texts or features beside them. */
heed_served *heed_served_open(const heed_served_cfg *cfg, heed_error *err);
void heed_served_close(heed_served *m); /* after what its batches hold is answered */

const char *heed_served_id(const heed_served *m); /* last part of its folder's path */
const char *heed_served_dir(const heed_served *m);
const char *heed_served_sha(const heed_served *m); /* SHA-256 of its files, hexadecimal */
heed_served_task heed_served_task_of(const heed_served *m);
bool heed_served_heavy(const heed_served *m);
heed_target heed_served_target(const heed_served *m);
int64_t heed_served_labels(const heed_served *m);               /* K, types of a tagger */
const char *heed_served_label(const heed_served *m, int64_t i); /* as long as the model */
int64_t heed_served_dim(const heed_served *m);                  /* of its vectors; 0: none */
int64_t heed_served_calibrated(const heed_served *m); /* as heed_classifier_calibrated */
/* Under which score a text is out of scope, and up to which -ln p a label is in the set. */
double heed_served_scope_limit(const heed_served *m, double kept);
double heed_served_coverage_limit(const heed_served *m, double coverage);
/* Whether ln sum exp of logits [labels] is at least the limit, and whether exactly one of probs
 * [labels] is at most the limit as -ln p: what tasks/calibration.h decides, in a fraction of its
 * time. */
bool heed_served_in_scope(const heed_served *m, const float *logits, double limit);
bool heed_served_is_sure(const heed_served *m, const float *probs, double limit);
/* {"id","task","recipe","labels","parameters","sha","heavy","card","curve"} */
json_t *heed_served_about(const heed_served *m);

/* What a classifier says of n texts, and the vectors where they were asked for; of an embedder the
 * vectors alone. */
typedef struct heed_said {
    bool want_vectors; /* set by the caller */
    int64_t n, labels, dim;
    float *probs;  /* [n,labels] calibrated probabilities; [n] of a model that gives a score */
    float *logits; /* [n,labels] of a model with one label a text; NULL else */
    /* [n] units of the text that are read, that there are, and that it knows of those it read */
    int64_t *seen, *total, *known;
    float *vector; /* [n,dim] of length 1 */
    heed_hooks hooks;
} heed_said;
void heed_said_free(heed_said *said); /* a zeroed one is fine */

/* Answers n texts in this thread; of a heavy model after whoever has it now. 0 or a status. */
int heed_served_ask(heed_served *m, int64_t n, const char *const *text, heed_said *said,
                    heed_error *err);

/* Asked now, answered by a batch with others, from another thread. */
typedef struct heed_question {
    heed_job job;   /* n, text, user by the caller; done is called with said filled */
    heed_said said; /* want_vectors by the caller, who frees it */
} heed_question;
/* False where too many wait already. A light model is answered at once, in this thread. */
bool heed_served_ask_later(heed_served *m, heed_question *q);

/* One text with what was attended to; as heed_classify_explain. 0 or a status. */
int heed_served_explain(heed_served *m, const char *text, heed_explanation *x, heed_error *err);
/* As heed_tagger_find: how many, or a status. Entities' types live as long as the model. */
int64_t heed_served_entities(heed_served *m, const char *text, heed_entity *entity, int64_t n,
                             heed_error *err);

#endif
