/* dialogues.h: past conversations as questions with their best replies.
 *
 *     JSON lines   {"messages":[{"role":"user","content":"..."}...]}, or under the names turns,
 *                  conversation(s), dialog(ue), utterances, with speaker, from, author for role and
 *                  text, value, message for content
 *     tables       a row a message (CSV, TSV or flat JSON lines): a column that names the
 *                  conversation, one with the speaker (else they take turns), one with the text
 *     pairs        question and reply, or under like names, in columns or keys
 *
 * in .gz, .zst or plain. A customer's message and what is answered to it make a pair; greetings and
 * thanks make none. Equal questions (but for case, marks and plurals) become one, with the reply
 * that was given most often or thanked for, of equals the one most like the others. */
#ifndef HEED_SERVE_DIALOGUES_H
#define HEED_SERVE_DIALOGUES_H

#include "heed/base.h"

typedef struct heed_pair {
    const char *question, *reply, *intent; /* intent NULL: none was told */
    int64_t times;                         /* asked */
    int64_t replies;                       /* different ones */
} heed_pair;

typedef struct heed_dialogues_count {
    int64_t conversations, pairs, small_talk, merged; /* merged: pairs that went into another */
} heed_dialogues_count;

typedef struct heed_dialogues heed_dialogues;

heed_dialogues *heed_dialogues_new(const heed_hooks *hooks, heed_error *err);
void heed_dialogues_free(heed_dialogues *d); /* NULL is fine */
/* Adds a file's. 0 or a status with file:line. */
int heed_dialogues_read(heed_dialogues *d, const char *path, heed_error *err);
/* Merges all that was read: *pair [*n] in the order in which questions were first asked, d's. 0 or
 * HEED_ENOMEM. */
int heed_dialogues_merge(heed_dialogues *d, const heed_pair **pair, int64_t *n, heed_error *err);
heed_dialogues_count heed_dialogues_counted(const heed_dialogues *d);

#endif
