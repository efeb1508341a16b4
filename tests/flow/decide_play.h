/* decide_play.h: a decider fed by hand: entries made from a few words, and everything that follows
 * from them written down, byte for byte, in one growing text. */
#ifndef HEED_TESTS_DECIDE_PLAY_H
#define HEED_TESTS_DECIDE_PLAY_H

#include "cmocka_all.h"

#include "flow/decide.h"

typedef struct play {
    heed_flow flow;
    heed_decider *d;
    heed_decisions out;
    int64_t seq, now_ms;
    char *log; /* all that was decided, a line each */
    size_t log_len, log_cap;
    char *gates;        /* of the last event */
    int64_t last_alert; /* id of the last that was told */
    float vector[8];
    int64_t dim;        /* of the next events */
    const char *source; /* of the next events; NULL: "wire" */
} play;

void play_open(play *p, const heed_flow *flow);
void play_close(play *p);
/* An event at now + ms, with up to three labels "analysis=label" (NULL: none; "analysis=?label":
 * abstained). Its seq. */
int64_t play_event(play *p, int64_t ms, const char *text, const char *a, const char *b,
                   const char *c);
void play_tick(play *p, int64_t ms);
int64_t play_entry(play *p, int64_t ms, heed_entry_kind kind, const char *body);
/* Saves, and goes on in a new decider from what was saved. */
void play_reload(play *p);
/* The last event's note of a rule. */
const char *play_note(play *p, const char *rule);
/* The alerts of the last step; *i-th's field, NULL where there is none. */
const heed_alert *play_alert(const play *p, int64_t i);
/* Saves d and loads that into another of the same flow, unless status is one; frees both. status,
 * or what went wrong. */
int play_save_and_free(heed_decider *d, const heed_flow *flow, int status, const heed_hooks *hooks,
                       heed_error *err);
/* steps, which succeeds, with every allocation failing in turn: HEED_ENOMEM with a sentence, and
 * nothing left behind. It takes more than `least` of them. */
void play_without_memory(int (*steps)(const heed_hooks *hooks, heed_error *err), int64_t least);

#endif
