/* desk_test.h: how well a desk answers messages of which it is known what they ask for. */
#ifndef HEED_SERVE_DESK_TEST_H
#define HEED_SERVE_DESK_TEST_H

#include "serve/desk.h"

typedef struct heed_desk_tested {
    int64_t n;
    /* messages with the reply that belongs to them, which all of the desk's are ranked for */
    int64_t ranked, first, ten;
    double mrr;
    /* messages with an intent: seen right with what was said before, and without */
    int64_t intents, right, right_alone;
    /* how they are answered: handed over or called out of scope */
    int64_t handed_over;                  /* of `intents` */
    int64_t outside, outside_handed_over; /* messages that no intent is for */
    double seconds, p99;                  /* of answers; the time within which 99 % were given */
} heed_desk_tested;

/* path: JSON lines {"question", "reply"?, "intent"? (null: of none), "history"? [messages]}. 0 or a
 * status with file:line. */
int heed_desk_test(heed_desk *desk, const char *path, heed_desk_tested *to, heed_error *err);

/* Mean average precision and mean reciprocal rank over questions with a right passage. */
typedef struct heed_desk_within {
    int64_t questions;
    double map, mrr;
} heed_desk_within;
/* path: pairs of question and passage with label 1 or 0 (io/dataset.h), the passages of a question
 * behind one another: each question ranks its own. */
int heed_desk_test_within(heed_desk *desk, const char *path, heed_desk_within *to, heed_error *err);

/* What words, vectors, the same of the question, and the intent count when replies are ranked,
 * learnt on such a file of pairs that no model was trained on: the weights under which its replies
 * are likeliest (a softmax over all of the desk's), begun at those in force. */
enum { HEED_DESK_WEIGHTS = 5 };
int heed_desk_learn(heed_desk *desk, const char *path, double weight[HEED_DESK_WEIGHTS],
                    double *loss, heed_error *err);

#endif
