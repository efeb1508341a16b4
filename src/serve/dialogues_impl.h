/* dialogues_impl.h: what reading and merging of conversations share. */
#ifndef HEED_SERVE_DIALOGUES_IMPL_H
#define HEED_SERVE_DIALOGUES_IMPL_H

#include "io/strings.h"
#include "serve/dialogues.h"

/* A question and what was answered once. */
typedef struct dialogue_pair {
    const char *question, *reply, *intent;
    const char *key, *reply_key; /* their terms: equal ones are the same */
    int64_t order;
    bool thanked;
} dialogue_pair;

/* A conversation as it is read, message by message; its texts grow and are kept when a pair is
 * whole. */
typedef struct dialogue_text {
    char *text;
    int64_t len, cap;
} dialogue_text;

struct heed_dialogues {
    heed_hooks hooks;
    heed_strings strings;
    dialogue_pair *pair;
    int64_t len, cap;
    heed_pair *merged;
    heed_dialogues_count count;
    dialogue_text question, reply;
    char first[128]; /* who spoke first, where roles say nothing */
    int64_t messages;
};

/* The next message of the conversation; speaker NULL: they take turns. 0 or HEED_ENOMEM. */
int heed__dialogue_message(heed_dialogues *d, const char *speaker, const char *text,
                           heed_error *err);
int heed__dialogue_end(heed_dialogues *d, heed_error *err); /* of the conversation */
int heed__dialogue_pair(heed_dialogues *d, const char *question, const char *reply,
                        const char *intent, heed_error *err);

#endif
