/* store.h: what the flow keeps: a log of everything that came in, what was found in it and decided
 * about it, and what is still to be sent. One file (SQLite, WAL), behind functions that say nothing
 * of SQLite, so that another engine can stand in its place.
 *
 * The log is the truth. Its entries are numbered from 1; each has the flow's clock, which never
 * goes back. Everything that decisions depend on is in it: events, ticks of the
 * clock, feedback, what a person did, which models were loaded. So the same log gives the same
 * decisions. What a call has returned 0 for survives `kill -9` at any instant (and, with `durable`,
 * a power cut).
 *
 * Threads: every function may be called from any thread. Writes of several threads are committed
 * together. Strings are zero-terminated UTF-8.
 */
#ifndef HEED_STORE_STORE_H
#define HEED_STORE_STORE_H

#include "heed/base.h"

typedef struct heed_store heed_store;

typedef struct heed_store_cfg {
    const char *path;        /* made with mode 0600 where it does not exist; ":memory:" for tests */
    bool durable;            /* every commit reaches the disk before it is acknowledged */
    bool read_only;          /* nothing is made, migrated or written */
    int64_t cache_size;      /* bytes (64 MiB) */
    int64_t wait_ms;         /* for another program that holds the file locked (5 s) */
    const heed_hooks *hooks; /* log: what was mended or migrated at opening */
} heed_store_cfg;

/* NULL: HEED_ENOTFOUND, HEED_EIO (in use by another process that writes, disk full, no right),
 * HEED_EFORMAT (not a store, damaged, or of a newer heed), each naming path. */
heed_store *heed_store_open(const heed_store_cfg *cfg, heed_error *err);
void heed_store_close(heed_store *store); /* NULL is fine */

/* -- the log --------------------------------------------------------------------------------- */

typedef enum heed_entry_kind {
    HEED_ENTRY_EVENT,    /* something that a source said */
    HEED_ENTRY_TICK,     /* the clock alone: silence may be over, an alert may escalate */
    HEED_ENTRY_FEEDBACK, /* a vote or a corrected label: {"seq","vote","label","analysis","by"} */
    HEED_ENTRY_ACTION, /* a person's: body {"do":"ack"|"close"|"silence"|"undo"|"split"|…, …} */
    HEED_ENTRY_LOADED, /* flow and models in force: body {"flow":SHA,"models":{…},"from":seq of the
                          first entry that they decide about (not said: of this one)} */
    HEED_ENTRY_FORGOTTEN /* what was here is gone; only seq, time and kind are left */
} heed_entry_kind;

/* An event, or another entry, whose body then says what it is. NULL strings are absent ones. */
typedef struct heed_entry {
    int64_t seq;     /* place in the log; 0 before it is appended */
    int64_t time_ms; /* the flow's clock (UTC, ms since 1970): set by heed_store_append, at least
                        that of the one before it */
    heed_entry_kind kind;
    /* of an event */
    const char *source;  /* name in the flow file */
    const char *id;      /* of the source's own; (source, id) is taken once */
    int64_t happened_ms; /* by the source; 0: not said */
    const char *user;    /* whom it is of, for `heed forget` */
    const char *session; /* the conversation it belongs to */
    const char *title, *text, *url;
    const char *body; /* JSON object: other fields of an event; all of another kind's */
} heed_entry;

/* Appends n entries in one transaction and sets their seq and time_ms; now_ms is the clock to be
 * used, or the last entry's where that is later. An event whose (source, id) is there already is
 * not taken again: its seq becomes minus that of the first. After the return they are safe. 0 or a
 * status: HEED_EIO (disk full, ...) and none of them is there. now_ms 0: the clock of each is its
 * own happened_ms (where there is one, and it is not earlier than the last entry's). */
int heed_store_append(heed_store *store, heed_entry *entry, int64_t n, int64_t now_ms,
                      heed_error *err);

/* Calls fn for the entries after `after`, in order, at most `most` of them, until fn returns false.
 * What fn is given lives during the call. How many, or a negative status. */
typedef bool (*heed_entry_fn)(void *user, const heed_entry *entry);
int64_t heed_store_read(heed_store *store, int64_t after, int64_t most, heed_entry_fn fn,
                        void *user, heed_error *err);
int64_t heed_store_last(heed_store *store);    /* seq of the last entry; 0: none */
int64_t heed_store_decided(heed_store *store); /* up to which one heed_store_commit has come */

/* -- what came of it ------------------------------------------------------------------------- */

/* What one analysis says of an event. */
typedef struct heed_finding {
    const char *name;   /* the analysis's in the flow file: "intent" */
    const char *label;  /* "card_arrival", "positive", "zh"; NULL: none */
    double confidence;  /* [0,1]; of a grade, a distance, ...: the value itself */
    bool abstained;     /* label is the best guess, but it would rather not say */
    const char *detail; /* JSON: labels with scores, entities, ...; NULL */
} heed_finding;

/* An event with what was found and decided. One that was decided before may come again: story and
 * rank are then replaced, gates, vector and findings where they are given. */
typedef struct heed_decided {
    int64_t seq;
    const heed_finding *finding;
    int64_t findings;
    const float *vector; /* [dim] of length 1, for search and stories; NULL: none */
    int64_t dim;
    int64_t story;     /* seq of the first event that tells it; its own: a new one; 0: none */
    double rank;       /* what deserves attention, the larger the more */
    const char *gates; /* JSON object: per rule the gate at which it stopped, or "fired" */
} heed_decided;

/* An alert as it stands after an entry; the same id again replaces what was there. */
typedef struct heed_alert {
    int64_t id;           /* seq of the entry that opened it, times 100, plus the rule's number */
    int64_t seq, time_ms; /* of the entry that made it as it is now */
    const char *rule, *grade; /* "info", "warning", "critical" */
    const char *state;        /* "open", "acknowledged", "silenced", "inhibited", "closed" */
    const char *key;          /* JSON object: what it is about, {"intent":"card_lost"} */
    const char *title;        /* a line for a person */
    const char *why;          /* JSON: every gate with its value and bound, and example seqs */
} heed_alert;

/* A message on its way to a sink. */
typedef struct heed_message {
    int64_t id;       /* set by the store */
    const char *sink; /* name in the flow file */
    const char *key;  /* stable, for the receiver to know it again: Idempotency-Key */
    const char *type; /* "alert", "event", "digest" */
    const char *body; /* JSON */
    int64_t due_ms;   /* not before; by the system's clock */
    int64_t tries;
    int64_t seq; /* the event that it tells of, with which it is forgotten; 0: none */
} heed_message;

/* An event that is told by another story from here on: a person split it off, or undid that. */
typedef struct heed_moved {
    int64_t seq, story;
} heed_moved;

/* All that followed from the entries up to `upto`, in one transaction, with the decider's state, so
 * that after a crash the work goes on exactly where it stopped. */
typedef struct heed_commit {
    int64_t upto;
    const heed_decided *decided;
    int64_t decided_len;
    const heed_moved *moved; /* in order, after `decided` */
    int64_t moves;
    const heed_alert *alert;
    int64_t alerts;
    const heed_message *message; /* one whose (sink, key) is there already is left out */
    int64_t messages;
    const void *state; /* NULL: as before */
    size_t state_size;
} heed_commit;
int heed_store_commit(heed_store *store, const heed_commit *c, heed_error *err);
/* Removes the alerts that the entries from `from` on, before `to`, opened: before they are decided
 * about anew. */
int heed_store_drop_alerts(heed_store *store, int64_t from, int64_t to, heed_error *err);
/* Calls fn for the entries after `after` that are decided, in order, at most `most` of them, with
 * what was found and decided (of others than events: seq alone), as it was committed, until fn
 * returns false: for going on after a crash, and for replays. How many, or a negative status. */
typedef bool (*heed_decided_fn)(void *user, const heed_entry *entry, const heed_decided *decided);
int64_t heed_store_replay(heed_store *store, int64_t after, int64_t most, heed_decided_fn fn,
                          void *user, heed_error *err);
/* The state of the last commit that had one, and the entry it stood at (0: none, *state NULL). Free
 * it with heed__free. */
int heed_store_state(heed_store *store, char **state, size_t *size, int64_t *at, heed_error *err);

/* Messages that are due, the oldest first, at most `most`: how many, or a status. They and their
 * strings are one block, *message: heed__free (NULL where there are none). */
int64_t heed_store_due(heed_store *store, const char *sink, int64_t now_ms, int64_t most,
                       heed_message **message, heed_error *err);
/* delivered; to be tried again at due_ms; or (due_ms 0) put aside as dead, with the reason */
int heed_store_sent(heed_store *store, int64_t id, heed_error *err);
int heed_store_retry(heed_store *store, int64_t id, int64_t due_ms, const char *reason,
                     heed_error *err);
/* How many are still to be sent to a sink, and how many were put aside. 0 or a status. */
int heed_store_outbox(heed_store *store, const char *sink, int64_t *waiting, int64_t *dead,
                      heed_error *err);

/* Small things that sources and others must find again (offsets, ETags): a name and a value. The
 * value is heed__free's; NULL where there is none. */
int heed_store_set(heed_store *store, const char *name, const char *value, heed_error *err);
char *heed_store_get(heed_store *store, const char *name, heed_error *err);
/* n of them set, or (value NULL) removed, in one transaction. 0 or a status. */
typedef struct heed_value {
    const char *name, *value;
} heed_value;
int heed_store_set_all(heed_store *store, const heed_value *value, int64_t n, heed_error *err);
/* Calls fn for those whose names begin with prefix and come after `after`, by name, until fn
 * returns false. How many, or a status. */
typedef bool (*heed_value_fn)(void *user, const char *name, const char *value);
int64_t heed_store_values(heed_store *store, const char *prefix, const char *after,
                          heed_value_fn fn, void *user, heed_error *err);

/* -- looking ---------------------------------------------------------------------------------
 * Results are JSON trees (jansson's json_t, the caller's; NULL and *err on failure) in the very
 * shapes that the HTTP interface gives: see store/look.h. */

/* -- upkeep ---------------------------------------------------------------------------------- */

/* Every page, index and row looked at; what was found wrong goes to the log hook. 0: sound. */
int heed_store_check(heed_store *store, heed_error *err);
int heed_store_backup(heed_store *store, const char *path, heed_error *err); /* while in use */
int heed_store_vacuum(heed_store *store, heed_error *err);
/* Removes what is older than before_ms with all that came of it, the oldest first; how many
 * entries, or a status. most: where so many or more are gone it leaves the rest for another time
 * (0: none is left). */
int64_t heed_store_retain(heed_store *store, int64_t before_ms, int64_t most, heed_error *err);
/* Removes all that is of `user`: entries (in the user's sessions those without a user too, which
 * answer) and feedback about them become HEED_ENTRY_FORGOTTEN and nothing else stays, in table,
 * index, journal or free page: the file is written anew, while writers wait. What quotes them in
 * alerts, messages and values is cleaned. The decider's state, which remembers all, is removed:
 * a running one must begin again with the first entry, and the value "redecide" says that what
 * followed from these entries is not decided anew yet. How many entries, or a status: HEED_EIO also
 * where somebody read so long that the journal could not be emptied; call it again then. */
int64_t heed_store_forget(heed_store *store, const char *user, heed_error *err);

#endif
