/* flow.h: flow.yaml as structs: which sources are read, what is looked for in them, which rules
 * decide, where it is sent. Everything is checked when it is read: an unknown key, a name that is
 * used and not defined, a number out of range are errors with line and column and the nearest known
 * word. Strings are the flow's. Times are ms, rates a second. docs/flow.md tells of every key.
 */
#ifndef HEED_FLOW_FLOW_H
#define HEED_FLOW_FLOW_H

#include "heed/base.h"

/* A name and a value, or a list of them, as a rule's `when: { sentiment: negative }` has them. */
typedef struct heed_condition {
    const char *analysis;     /* or "source", "user" */
    const char *const *label; /* [labels] any of them; none: any label that is not abstained */
    int64_t labels;
    double least;   /* confidence at least (0) */
    const char *of; /* entities of this type instead of a label; NULL: no */
} heed_condition;

typedef struct heed_source_cfg {
    const char *name, *kind; /* "csv", "tail", "dir", "stdin", "push", "feed", "maildir" */
    const char *path;
    const char *url;
    const char *text, *title, *id, *time, *user, *session, *label; /* columns or JSON keys */
    double rate;  /* csv: events a second; 0: as `speed` says */
    double speed; /* csv with `time`: times real time; 0: as fast as can be */
    bool loop;    /* csv: begin again at its end, with new ids */
    bool shuffle; /* csv: in an order drawn with `seed` */
    uint64_t seed;
    int64_t every_ms;   /* between two looks: feed 10 min; dir, maildir, tail 1 s */
    bool allow_private; /* feed: addresses of this host and private networks too */
    size_t most;        /* bytes of a document or line (8 MiB) */
    bool lines;         /* dir: an event a line; else a file an event */
    const char *match;  /* dir: names that are read, as "*.txt"; NULL: all but hidden ones */
    bool from_end;      /* tail: what stands in a file never read before is passed over */
    const char *format; /* tail, dir, stdin: "text", "json" (an object a line); csv: "csv", "tsv",
                           "jsonl"; NULL: by its look */
    int line;           /* of the flow file, for messages */
} heed_source_cfg;

typedef struct heed_grade {
    const char *name;           /* "high" */
    const heed_condition *when; /* all of them */
    int64_t whens;
    const char *const *words; /* or any of these in the text */
    int64_t word_len;
} heed_grade;

typedef struct heed_analysis_cfg {
    const char *name, *kind; /* "classify", "tag", "embed", "language", "novelty", "risk" */
    const char *model;       /* folder, absolute or beside the flow file */
    double coverage, scope;  /* classify: as heed predict; abstains outside (0: 0.95) */
    double least;            /* abstains below this confidence */
    const char *const *only; /* sources; none: all */
    int64_t only_len;
    const heed_condition *when; /* classify, tag, language, risk: events of which all of them hold,
                                   by analyses before it; none: all */
    int64_t whens;
    double similar;          /* novelty: seen before from this cosine on (0.9) */
    int64_t within_ms;       /* novelty (7 d) */
    const heed_grade *grade; /* risk, the worst first */
    int64_t grades;
    int line;
} heed_analysis_cfg;

typedef struct heed_rule_cfg {
    const char *name, *kind; /* "match": one event; "surge": more than the usual course; "count": at
                                least so many in the window; "share": part of those that match */
    const heed_condition *when;
    int64_t whens;
    const char *const *by; /* analyses: a count for each combination of their labels */
    int64_t by_len;
    const char *const *of; /* share: analyses of `when` that make the part; the whole are the events
                              that hold all other conditions. None: every analysis of `when`. When
                              {topic: finance, sentiment: negative} of [sentiment] with share 0.5:
                              half of the finance events are negative */
    int64_t of_len;
    int64_t window_ms;  /* (10 min) */
    int64_t least;      /* events in the window at least (surge: 5) */
    double share;       /* share: at least this part */
    double p;           /* surge: at most this chance under the usual course (1e-6) */
    const char *course; /* surge: "none", "day", "week" (hour of the week) ("week") */
    int64_t learn_ms;   /* surge: quiet until so much was seen (1 d) */
    const char *counts; /* surge: "labels" as said, "scores" of all labels ("labels") */
    double odds;        /* surge by scores: a mistake so much less likely (200) */
    const char *grade;  /* "info", "warning", "critical" ("warning") */
    int64_t hold_ms;    /* no second alert on the same key within (30 min); what comes is grouped */
    int64_t close_ms;   /* closed after so long without a match (hold) */
    int64_t
        escalate_ms; /* not acknowledged by then: grade goes up and `escalate_to` hears (0: no) */
    const char *const *to, *const *escalate_to; /* sinks */
    int64_t to_len, escalate_to_len;
    const char *const *inhibit; /* rules that stay quiet while an alert of this one is open */
    int64_t inhibit_len;
    int line;
} heed_rule_cfg;

typedef struct heed_sink_cfg {
    const char *name, *kind; /* "webhook", "file", "mail", "page" */
    const char *url, *path, *command, *address;
    const char *secret_env; /* variable that holds the webhook's secret */
    bool allow_private;
    int64_t tries;         /* (12) with doubling pauses from 1 s to 1 h, then dead */
    int64_t rate_per_hour; /* mail: at most (20); more waits */
    int line;
} heed_sink_cfg;

typedef struct heed_desk_cfg {
    const char *intent;  /* analysis that says what is wanted */
    const char *replies; /* TSV intent<TAB>reply, or JSONL {"intent","question","reply"} */
    const char *kb;      /* folder of .md and .txt to search; NULL: none */
    const char *model;   /* embedder for retrieval; NULL: words alone */
    const char *slots;   /* YAML of slots by intent; NULL */
    const char *tag;     /* analysis of kind tag whose entities fill slots; NULL: none */
    double least;        /* hands over below this confidence */
    double scope;        /* part of in-scope messages kept */
    const char *greeting, *hand_over, *out_of_scope; /* texts; NULL: ours */
    int line;
} heed_desk_cfg;

typedef struct heed_flow {
    const char *path; /* of the file; its folder is where relative paths begin */
    const char *sha;  /* of its bytes, hexadecimal */
    const char *name;
    const char *listen; /* ("127.0.0.1:8080") */
    const char *keys, *certificate, *private_key;
    const char *const *cors;
    int64_t cors_len;
    const char *store; /* ("heed.db" beside the flow file) */
    bool durable;
    int64_t keep_ms;  /* retention (0: for ever) */
    bool event_clock; /* the flow's clock is the events' own times (replay) */
    const char *zone; /* of hours and weekdays: "UTC", "+08:00" ("UTC") */
    const char *const
        *redact; /* "mail", "phone", "card", "id", "iban", "ip"; "name" needs a tagger */
    int64_t redact_len;
    int64_t max_wait_ms, max_batch; /* batches across requests (5, 64) */
    bool stories;                   /* the same story told again is folded */
    double story_similar;           /* cosine or overlap of words (0.6) */
    int64_t story_ms;               /* (48 h) */
    bool ranking;
    const heed_source_cfg *source;
    const heed_analysis_cfg *analysis;
    const heed_rule_cfg *rule;
    const heed_sink_cfg *sink;
    const heed_desk_cfg *desk; /* NULL: none */
    int64_t sources, analyses, rules, sinks;
    void *memory; /* all of the above stands here */
} heed_flow;

/* NULL and *err ("flow.yaml:12:3: unknown key 'souces'; did you mean 'sources'?"). Nothing that it
 * names is opened but what must be there: models' and sources' paths are looked at. */
heed_flow *heed_flow_open(const char *path, const heed_hooks *hooks, heed_error *err);
void heed_flow_close(heed_flow *flow);

#endif
