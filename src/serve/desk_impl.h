/* desk_impl.h: what the files of the support desk share.
 *
 *   desk.c         opens: models, replies, knowledge base, slots
 *   desk_load.c    reads replies and passages; desk_shelf.c finds, desk_terms.c cuts them
 *   desk_mind.c    asks the models
 *   desk_state.c   a conversation's state, which comes from outside and is believed nothing
 *   desk_talk.c    greetings and thanks; the desk's own sentences
 *   desk_slots.c   what an intent needs to know; desk_fill.c puts it into replies
 *   desk_follow.c  "and how long does that take?"
 *   desk_answer.c  decides
 */
#ifndef HEED_SERVE_DESK_IMPL_H
#define HEED_SERVE_DESK_IMPL_H

#include "base/alloc.h"
#include "base/thread.h"
#include "heed/embed.h"
#include "io/strings.h"
#include "serve/desk.h"
#include "serve/desk_nouns.h"
#include "serve/desk_shelf.h"

enum {
    DESK_TEXT_MOST = 16 << 10,  /* bytes of a message */
    DESK_TURNS = 8,             /* turns remembered */
    DESK_SLOTS = 64,            /* slots of a desk */
    DESK_VALUE_MOST = 256,      /* bytes of a slot's value */
    DESK_LABELS = 1024,         /* intents of a model */
    DESK_FILE_MOST = 16 << 20,  /* bytes of a file of the knowledge base */
    DESK_REPLY_MOST = 64 << 10, /* bytes of a reply */
};

/* A canned reply, an earlier answer or a passage; strings are the desk's. */
typedef struct desk_entry {
    const char *intent;   /* NULL: of none */
    const char *question; /* that it answered; NULL: not known */
    const char *text;
    const char *file;  /* as a source names it: the path without its folder */
    int64_t line;      /* replies: from 1 */
    size_t begin, end; /* passages: bytes of the file */
} desk_entry;

typedef struct desk_entries {
    desk_entry *entry;
    int64_t len, cap;
    heed_shelf texts, questions; /* questions.len is 0 where no entry has one */
} desk_entries;

/* The models; each for one thread at a time, so under the lock. */
typedef struct desk_mind {
    heed_classifier *intent; /* NULL: none */
    heed_embedder *embedder; /* NULL: words alone */
    heed_tagger *tagger;     /* NULL: none */
    heed_lock *lock;
    int64_t labels, dim; /* K, C; 0 without the model */
    double scope;        /* 0: not asked for */
} desk_mind;

typedef struct desk_slots desk_slots; /* desk_slots.c */
typedef struct desk_state desk_state;

struct heed_desk {
    heed_hooks hooks;
    heed_strings strings;
    desk_mind mind;
    desk_entries replies, passages;
    desk_slots *slots; /* NULL: none */
    heed_nouns nouns;
    double least;
    bool has_kb;
    const char *greeting, *hand_over, *out_of_scope; /* NULL: ours */
};

/* -- desk_mind.c ------------------------------------------------------------------------------ */

/* Folders; NULL: none. */
typedef struct desk_models {
    const char *intent, *embedder, *tagger;
    double scope;
} desk_models;
int heed__mind_open(desk_mind *m, const desk_models *models, const heed_hooks *hooks,
                    heed_error *err);
/* As heed_tagger_find. */
int64_t heed__mind_entities(desk_mind *m, const char *text, heed_entity *entity, int64_t n,
                            heed_error *err);
/* Whether the tagger finds entities of this type. */
bool heed__mind_knows(const desk_mind *m, const char *type);
void heed__mind_close(desk_mind *m);
/* Probabilities of n texts, probs [n,K]. Any thread. 0 or a status. */
int heed__mind_intents(desk_mind *m, int64_t n, const char *const *text, float *probs,
                       heed_error *err);
/* Whether the model knows a word of the text, which is, where scope is asked for, such as those of
 * the training. */
int heed__mind_scope(desk_mind *m, const char *text, bool *in_scope, heed_error *err);
int heed__mind_embed(desk_mind *m, int64_t n, const char *const *text, float *vector,
                     heed_error *err);
const char *heed__mind_label(const desk_mind *m, int64_t i);

/* -- desk_load.c ------------------------------------------------------------------------------ */

/* Replies from TSV or JSONL; passages from the .md and .txt files of a folder and its folders. 0 or
 * a status. */
int heed__desk_load_replies(heed_desk *d, const char *path, heed_error *err);
int heed__desk_load_folder(heed_desk *d, const char *path, heed_error *err);
/* Makes entries' shelves. */
int heed__desk_shelve(heed_desk *d, desk_entries *e, heed_error *err);
/* Where the sentence that begins at `at` ends: after its mark and what closes it, or at a line that
 * begins a list, or at size. */
size_t heed__sentence_end(const char *text, size_t size, size_t at);
/* Learns which words name things, from all of it. */
int heed__desk_learn(heed_desk *d, heed_error *err);
void heed__desk_unload(const heed_hooks *hooks, desk_entries *e);

/* -- desk_rank.c ------------------------------------------------------------------------------ */

/* An entry that may answer. */
typedef struct desk_hit {
    int64_t entry;
    double score;       /* by which hits are ordered: words, vectors and intent joined */
    heed_near near;     /* of its text */
    heed_near question; /* of its question; zeros where it has none */
    double intent;      /* ln of the chance of its intent */
} desk_hit;

extern const double heed__desk_weights[5];

typedef struct desk_ask {
    const char *text;
    const float *probs;  /* [K] NULL: no intent counts */
    const float *vector; /* [C] or NULL */
    const char *intent;  /* only entries of this intent; NULL: all */
    bool answers;        /* only entries of no intent, or with a question */
    int64_t begin, end;  /* only these entries; end 0: all */
} desk_ask;
/* The best `most` entries, the best first; of equals the first in the file. How many, or a
 * status. */
int64_t heed__desk_rank(heed_desk *d, const desk_entries *e, const desk_ask *ask, desk_hit *hit,
                        int64_t most, heed_error *err);

/* The same of passages, weighed as sentences that answer a question: how much of it they hold, in
 * the same order, and a number where one is asked for. */
int64_t heed__desk_rank_passages(heed_desk *d, const desk_entries *e, const desk_ask *ask,
                                 desk_hit *hit, int64_t most, heed_error *err);

/* -- desk_follow.c ---------------------------------------------------------------------------- */

/* A message as it is understood. */
typedef struct desk_reading {
    char *text;    /* with what it refers to put in; heed__free */
    bool follows;  /* it was read with what was said before */
    float *probs;  /* [K] heed__free; NULL without intents */
    float *vector; /* [C] of text; heed__free; NULL without vectors */
    int64_t best;  /* intent; -1 without */
    double p;      /* its probability */
    bool in_scope;
} desk_reading;
int heed__desk_read(heed_desk *d, const desk_state *s, const char *text, desk_reading *r,
                    heed_error *err);
void heed__desk_reading_free(const heed_hooks *hooks, desk_reading *r);

/* -- desk_state.c ----------------------------------------------------------------------------- */

typedef struct desk_turn {
    const char *text, *reply, *kind;
    const char *intent; /* NULL: none was seen */
    const char *read;   /* the text as it was understood; NULL: small talk */
} desk_turn;

/* Strings belong to the tree it was read from. */
struct desk_state {
    desk_turn turn[DESK_TURNS];
    int turns;
    const char *value[DESK_SLOTS]; /* of the desk's slots; NULL: not known */
    const char *asking;            /* slot that the last reply asked for; NULL: none */
    const char *pending;           /* intent that waits for it */
    const char *pending_text;      /* message that brought it */
    int asked;                     /* how often, 1 or 2 */
};

/* HEED_EINVALID: "state: ..." */
int heed__desk_state_read(const heed_desk *d, const json_t *tree, desk_state *s, heed_error *err);
json_t *heed__desk_slots_tree(const heed_desk *d, const desk_state *s);
json_t *heed__desk_turns_tree(const desk_state *s, const desk_turn *turn);
/* s with one more turn; the oldest goes where there are too many. NULL: out of memory. */
json_t *heed__desk_state_tree(const heed_desk *d, const desk_state *s, const desk_turn *turn);

/* -- desk_talk.c ------------------------------------------------------------------------------ */

typedef enum desk_talk {
    TALK_NONE,
    TALK_GREETING,
    TALK_THANKS,
    TALK_GOODBYE,
    TALK_PERSON
} desk_talk;
/* What the whole message is; after a greeting with more behind it, *rest is where that begins. */
desk_talk heed__desk_talk(const char *text, const char **rest);

typedef enum desk_say {
    SAY_GREETING,
    SAY_THANKS,
    SAY_GOODBYE,
    SAY_EMPTY,
    SAY_HAND_OVER,
    SAY_OUT_OF_SCOPE,
    SAY_NOTHING_FOUND,
    SAY_ASK
} desk_say;
/* Our sentence, in Chinese where the text has ideographs. */
const char *heed__desk_sentence(desk_say what, const char *text);

/* -- desk_fill.c ------------------------------------------------------------------------------ */

/* A text on its way. */
typedef struct desk_out {
    const heed_hooks *hooks;
    char *text; /* zero-terminated once something was put; heed__free */
    int64_t len, cap;
    bool failed; /* out of memory */
} desk_out;
void heed__desk_put(desk_out *o, const char *text, size_t size);
/* Whether a reply has a {{variable}} for what the customer said. */
bool heed__desk_names(const heed_desk *d, const desk_state *s, const char *reply);
/* A reply with its {{variables}} filled with slots' values and the desk's own, or worded. */
void heed__desk_fill(const heed_desk *d, const desk_state *s, const char *reply, desk_out *o);

/* -- desk_slots.c ----------------------------------------------------------------------------- */

desk_slots *heed__desk_slots_open(const char *path, desk_mind *mind, const heed_hooks *hooks,
                                  heed_error *err);
void heed__desk_slots_close(desk_slots *s); /* NULL is fine */
int heed__desk_slot_count(const heed_desk *d);
const char *heed__desk_slot_name(const heed_desk *d, int i);
int heed__desk_slot_find(const heed_desk *d, const char *name); /* -1: none */
/* The slot's value that a variable of that name stands for; NULL: not known. */
const char *heed__desk_slot_known(const heed_desk *d, const desk_state *s, const char *name);
/* The same: a slot's value, else the desk's own; NULL: not known.
 */
const char *heed__desk_slot_value(const heed_desk *d, const desk_state *s, const char *name);
/* Puts values that stand in text into s, copied into kept. 0, HEED_ENOMEM. */
int heed__desk_slots_take(const heed_desk *d, const char *text, desk_state *s, heed_strings *kept,
                          heed_error *err);
/* The first slot that the intent needs and s does not have; -1: none. */
int heed__desk_slot_missing(const heed_desk *d, const desk_state *s, const char *intent);
const char *heed__desk_slot_question(const heed_desk *d, int i);      /* NULL: none is written */
bool heed__desk_slots_people(const heed_desk *d, const char *intent); /* a person's work */

#endif
