/* analyst_impl.h: inside of heed_analyst, for the files analyst*.c. */
#ifndef HEED_SERVE_ANALYST_IMPL_H
#define HEED_SERVE_ANALYST_IMPL_H

#include "base/arena.h"
#include "base/json_put.h"
#include "base/thread.h"
#include "serve/analyst.h"
#include "serve/novelty.h"
#include "serve/served.h"

typedef enum analysis_kind {
    ANALYSIS_CLASSIFY,
    ANALYSIS_TAG,
    ANALYSIS_EMBED,
    ANALYSIS_LANGUAGE,
    ANALYSIS_NOVELTY,
    ANALYSIS_RISK
} analysis_kind;

typedef struct analysis {
    const heed_analysis_cfg *cfg;
    analysis_kind kind;
    int model;              /* place in the list; -1: none */
    int rank;               /* 0: goes by the text alone; else above all that it goes by */
    double scope, coverage; /* limits; where nothing is promised -inf and inf */
    heed_novelty *novelty;
    heed_metric *found; /* texts it said something of */
} analysis;

struct heed_analyst {
    heed_hooks hooks;
    const heed_flow *flow;
    int64_t users;
    heed_lock *lock; /* of users */
    heed_served **model;
    int64_t models;
    analysis *analysis; /* in the flow's order */
    int64_t analyses;
    int ranks;
    int64_t *by_name; /* [analyses] places in the order of their names */
    int vectors;      /* the analysis whose vectors are the events'; -1: none */
};

/* The analysis of that name, or without a name the first of that kind; NULL and *err. */
const analysis *heed__analysis_find(const heed_analyst *a, const char *name, analysis_kind kind,
                                    heed_error *err);

/* What a classifier says of text i, as its analysis takes it. */
typedef struct verdict {
    const char *label; /* NULL: a score */
    double confidence;
    bool abstained;
} verdict;
enum { VERDICT_TOP = 16 };
/* The n likeliest labels of one row of probabilities, best first. How many. */
int heed__likeliest(const float *probs, int64_t labels, int *top, int n);
verdict heed__verdict(const heed_analyst *a, const analysis *k, const heed_said *said, int64_t i,
                      int best);

/* Finds the entities of a text; *entity is of the arena. How many, or a status. */
int64_t heed__entities(heed_analyst *a, const analysis *k, const char *text, heed_arena *arena,
                       heed_entity **entity, heed_error *err);

#endif
