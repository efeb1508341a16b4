/* decide_impl.h: what the decider's files share: what a rule remembers of its keys, alerts, what
 * was voted and done, and the limits of all of it. */
#ifndef HEED_FLOW_DECIDE_IMPL_H
#define HEED_FLOW_DECIDE_IMPL_H

#include "base/arena.h"
#include "flow/decide.h"
#include "flow/decide_course.h"
#include "flow/decide_text.h"

enum {
    MOST_KEYS = 4096,    /* of a rule; the rarest, of them the longest unseen, makes room */
    MOST_RULES = 99,     /* an alert's id has two digits for them */
    MOST_ALERTS = 1024,  /* remembered; of these the longest quiet makes room */
    MOST_DEEDS = 4096,   /* votes and actions that can be undone */
    MOST_EVENTS = 32768, /* remembered for stories and votes */
    BUCKETS = 64,        /* parts of a window: its beginning is rounded up to one */
    EXAMPLES = 5,        /* events named by an alert */
    MOST_VALUES = 8,     /* entities of one event that are counted */
    MOST_PARSED = 16,    /* findings whose detail is looked into */
    MOST_SCORES = 6,     /* labels of one analysis that one event may have */
    MOST_FEATURES = 16,  /* of an event, for its rank */
    SLOTS = 4096,        /* weights of the ranking, by hash of their names */
    INDEX = 16384,       /* places of a rule's hash table */
    LEVELS = 4,          /* how sure a label was, of rules that count by scores */
    LEANS = 8            /* labels of which a mean score is kept */
};

/* Gates in order: how far an event came. */
typedef enum heed_gate {
    GATE_NONE,
    GATE_WHEN,
    GATE_BY,
    GATE_PART,
    GATE_LEARN,
    GATE_LEAST,
    GATE_CHANCE,
    GATE_ODDS,
    GATE_SHARE,
    GATE_HOLD,
    GATE_SILENCE,
    GATE_INHIBIT,
    GATE_JOINED,
    GATE_FIRED
} heed_gate;

/* An event as conditions look at it. */
typedef struct heed_view {
    const heed_flow *flow;
    const heed_seen *seen;
    json_t *parsed[MOST_PARSED]; /* details of its findings, once looked into */
    bool failed;                 /* out of memory */
} heed_view;

typedef struct heed_verdict {
    heed_gate gate;
    int which; /* condition or analysis of `by` */
    double n, whole, usual, spread, p;
    double worth, odds; /* of a rule that counts by scores */
    int64_t left;       /* of the time to learn, ms */
    int64_t alert;      /* id */
    int by;             /* rule that inhibits */
} heed_verdict;

/* One key of a rule. */
typedef struct heed_slot {
    char *key; /* JSON object */
    uint64_t hash;
    int64_t seen;   /* seq of its last event */
    int64_t bucket; /* number of the newest */
    int64_t n, whole;
    int64_t example[EXAMPLES], examples; /* a ring; how many came in all */
    heed_usual usual;
    double hour_n, window_n, variance; /* variance: of window_n, where it is not a plain count */
    double mass;                       /* sum of its scores */
    double said[2][LEVELS]; /* of this hour and of this window: how often it was said, how sure */
    int32_t alert;          /* place in decider.alert; -1: none */
} heed_slot;

/* Events that were said to be a key, with one level of sureness: how many, and the sums of their
 * scores of the keys that they lean to most. */
typedef struct heed_lean {
    double total, weight[LEANS]; /* weight 0: none */
    int32_t slot[LEANS];
} heed_lean;

/* What a rule remembers. */
typedef struct heed_watch {
    const heed_rule_cfg *cfg;
    enum { RULE_MATCH, RULE_SURGE, RULE_COUNT, RULE_SHARE } kind;
    int grade;
    int64_t window_ms, bucket_ms, span_ms; /* span: windows from which the spread is learnt */
    int64_t step_ms;                       /* after which counts are learnt: an hour or less */
    int64_t least;
    double p, keep;
    heed_slot *slot;
    int64_t slots, slot_cap;
    uint32_t *bucket; /* [slots, stride] */
    int64_t bucket_cap, stride;
    float *cell; /* [slots, cells] */
    int64_t cell_cap, cells;
    int32_t *index;      /* [INDEX] slot + 1; 0: free */
    heed_course *course; /* of a surge */
    heed_lean *lean;     /* [slots, LEVELS]; NULL: counts by labels alone */
    int64_t lean_cap;
    double mass, odds; /* events of which scores were learnt; odds asked for */
    bool scored;
    int64_t began_ms, hour_from, next_hour, window_from, next_window;
    int64_t open; /* alerts that are open or acknowledged */
} heed_watch;

typedef enum heed_alert_state {
    STATE_OPEN,
    STATE_ACKNOWLEDGED,
    STATE_SILENCED,
    STATE_INHIBITED,
    STATE_CLOSED
} heed_alert_state;

enum { MOST_HISTORY = 12 };
typedef struct heed_record { /* an alert */
    int64_t id, opened_seq, opened_ms;
    int64_t fired_ms; /* the last time its rule fired */
    int64_t changed_seq, changed_ms;
    int64_t silent_until, count, told_count, told_ms;
    int64_t notices; /* messages sent, for their keys */
    int rule, grade;
    int64_t slot; /* -1: its key was forgotten */
    heed_alert_state state;
    bool by_person, escalated; /* closed by a person: does not open again */
    heed_verdict peak;         /* numbers of the moment it was furthest from the usual */
    char *key, *title, *gates; /* gates: JSON array, of the event that opened it */
    int64_t history_ms[MOST_HISTORY];
    uint8_t history[MOST_HISTORY];
    int64_t changes;
} heed_record;

/* An event's features: slots of their names, sizes × 16, and what their prior weights sum to. */
typedef struct heed_features {
    int32_t n;
    uint16_t slot[MOST_FEATURES];
    uint8_t size[MOST_FEATURES];
    double prior;
} heed_features;

/* A vote or an action. */
typedef struct heed_deed {
    int64_t entry, time_ms, target; /* target: event, alert, or entry that is undone */
    enum { DEED_VOTE, DEED_ACK, DEED_CLOSE, DEED_SILENCE, DEED_SPLIT, DEED_UNDO } kind;
    bool undone;
    int64_t value; /* vote; end of a silence; of a split: the story before */
    /* of an alert: as it was before */
    heed_alert_state was_state;
    bool was_by_person;
    int64_t was_silent_until;
    heed_features features; /* of a vote: the event's */
} heed_deed;

/* An event remembered: for votes its features, for stories its shingles (decide_story.c). */
typedef struct heed_event {
    int64_t seq, time_ms, story;
    int64_t shingle;         /* its place in the pool, counted since the beginning */
    int32_t shingles, words; /* words: characters of CJK too */
    int32_t tellings;        /* of the story that it is the first of */
    heed_features features;
} heed_event;

typedef struct heed_stories heed_stories;

struct heed_decider {
    heed_hooks hooks;
    const heed_flow *flow;
    int64_t now_ms, seq; /* of the last entry; 0: none */
    heed_watch *watch;   /* [flow.rules] */
    heed_record *alert;
    int64_t alerts, alert_cap;
    int64_t next_alert_ms; /* no alert changes by itself before */
    heed_deed *deed;
    int64_t deeds, deed_cap;
    heed_event *event;         /* ring */
    int64_t events, event_cap; /* events: how many came in all */
    heed_stories *stories;
    double base[SLOTS], weight[SLOTS]; /* after votes that can no longer be undone; after all */
    int32_t base_votes[SLOTS], votes[SLOTS];
    /* of the step */
    heed_arena memory;
    heed_line gates, line, name;
    heed_alert *out_alert;
    int64_t out_alerts, out_alert_cap;
    heed_message *out_message;
    int64_t out_messages, out_message_cap;
    heed_moved out_moved;
    int64_t out_moves;
    heed_view view;
    heed_verdict *verdict;     /* [flow.rules] */
    bool used[MOST_RULES + 1]; /* numbers of alerts that this entry opened */
    bool failed;               /* out of memory */
};

/* decide_rules.c */
int heed__rules_init(heed_decider *d, heed_error *err);
void heed__rules_free(heed_decider *d);
/* Before now_ms is put in place. begin: an entry with which a rule may begin to watch. */
void heed__rules_clock(heed_decider *d, int64_t now_ms, bool begin);
int heed__rules_event(heed_decider *d, heed_error *err); /* the one in view */
void heed__rule_forget_slot(heed_watch *w, int64_t slot);
int heed__rule_add_slot(heed_decider *d, heed_watch *w, const char *key, uint64_t hash);
int heed__rule_reserve(heed_decider *d, heed_watch *w, int64_t slots);
void heed__rule_link(heed_watch *w, int64_t slot);
/* The key of a choice of values as a JSON object; hash of it: heed__hash_text. */
void heed__rule_key(heed_line *l, const heed_rule_cfg *rule, const char *const *value);
int64_t heed__rule_slot(const heed_watch *w, const char *key, uint64_t hash); /* -1: none */
float *heed__rule_cells(const heed_watch *w, int64_t slot);

void heed__rule_slide(heed_watch *w, int64_t slot, int64_t bucket); /* forgets what is too old */

/* decide_scores.c: what a model's scores make of counts */
typedef struct heed_span { /* of a window */
    int64_t from_ms, to_ms, bucket;
} heed_span;
/* An event said to be slot[0] with score[0], and perhaps the others: its level of sureness. */
int heed__scores_learn(heed_watch *w, const int32_t *slot, const double *score, int n);
/* How many events of a key this hour (0) or window (1), from..to, holds in truth. */
heed_counted heed__scores_seen(heed_watch *w, int64_t slot, int which, heed_span span);
/* The gate at which a key stops. Fills worth, then usual, spread, p and, where p is small enough,
 * odds. v->n: how many were said. */
heed_gate heed__scores_test(heed_watch *w, int64_t slot, heed_span span, heed_verdict *v);
void heed__scores_forget(heed_watch *w, int64_t slot);

/* decide_find.c: conditions */
const heed_finding *heed__find(const heed_seen *seen, const char *name);
bool heed__holds(heed_view *view, const heed_condition *c);
bool heed__part_of(const heed_rule_cfg *rule, const heed_condition *c);
/* Values of an analysis, at most MOST_VALUES; how many; 0: none. */
int heed__values(heed_view *view, const heed_rule_cfg *rule, const char *analysis,
                 const char **value);
/* Labels of an analysis that a model thinks possible beside the one it said, with their scores: at
 * most MOST_SCORES, the first the one said. */
int heed__scores(heed_view *view, const char *analysis, const char *said, const char **label,
                 double *score);
void heed__view_end(heed_view *view);

/* decide_alert.c */
void heed__alert_fire(heed_decider *d, int rule, int64_t slot, heed_verdict *v);
void heed__alert_clock(heed_decider *d);
void heed__alert_change(heed_decider *d, heed_record *a, heed_alert_state state);
/* The alert goes out as it stands; with a notice ("opened", "again", "escalated", "closed") a
 * message to each of its rule's sinks too. */
void heed__alert_tell(heed_decider *d, heed_record *a, const char *notice);
heed_record *heed__alert_by_id(heed_decider *d, int64_t id);
void heed__alert_forget(heed_decider *d, int64_t at);
void heed__alerts_free(heed_decider *d);

/* decide_why.c */
void heed__note(heed_line *l, const heed_decider *d, int rule, const heed_verdict *v);
/* Gates as a JSON array, of an event as far as it came. */
void heed__gates(const heed_decider *d, heed_line *l, int rule, heed_view *view,
                 const heed_verdict *v);

/* decide_deed.c: votes, actions, undo */
int heed__deed_entry(heed_decider *d, const heed_seen *seen, heed_error *err);

/* decide_rank.c */
/* Fills f from findings, verdicts (where rules) and story; reasons (may be NULL): a JSON list. The
 * rank. */
double heed__rank_event(heed_decider *d, const heed_seen *seen, const heed_event *e,
                        heed_features *f, heed_line *reasons);
void heed__rank_learn(double *weight, int32_t *votes, const heed_deed *vote);

/* decide_story.c */
int heed__stories_init(heed_decider *d, heed_error *err);
void heed__stories_free(heed_decider *d);
/* Finds the story of an event that is about to be kept: sets story, shingles and words and holds
 * the shingles; how similar it is to the first telling, 0: a new one. */
double heed__stories_find(heed_decider *d, const heed_seen *seen, heed_event *e);
/* e, now the ring's newest, is in place: its shingles are kept, and found by later ones. */
void heed__stories_keep(heed_decider *d, const heed_seen *seen, heed_event *e);
/* The event of `seq` is told by another story from here on (0: its own). The one before; 0: it is
 * not remembered, or tells its own already. */
int64_t heed__stories_move(heed_decider *d, int64_t seq, int64_t story);
void heed__stories_post(heed_stories *s, int64_t event, const uint32_t *shingle, int n);
heed_event *heed__event_by_seq(const heed_decider *d, int64_t seq);

uint64_t heed__hash_text(const char *text, size_t len, uint64_t seed);

#endif
