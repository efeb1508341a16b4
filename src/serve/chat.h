/* chat.h: the support desk behind OpenAI's chat completions: messages in, a completion or its
 * chunks out. The desk remembers nothing between calls, as such a service does not: the user's
 * messages are answered again from the first that it can remember, and the last answer counts; or
 * the client gives back the state that stood in the last answer's "heed". */
#ifndef HEED_SERVE_CHAT_H
#define HEED_SERVE_CHAT_H

#include "io/strings.h"
#include "serve/desk.h"

enum { HEED_CHAT_TURNS = 16 }; /* of the user's messages the last so many are answered again */

typedef struct heed_chat {
    const char *model; /* as asked for; the answer bears it too */
    const char *message[HEED_CHAT_TURNS];
    int messages;
    const char *user;         /* body's "user": whose conversation it is; NULL: not said */
    const json_t *state;      /* body's "heed": {"state"}; NULL: none */
    bool stream, tells_usage; /* stream_options.include_usage */
    int64_t words;            /* of all messages */
    heed_strings kept;
} heed_chat;

/* body lives as long as c. 0, HEED_EINVALID ("messages[2]: ..."), HEED_ENOMEM. c is freed by
 * heed__chat_free in any case. */
int heed__chat_read(heed_chat *c, const json_t *body, const heed_hooks *hooks, heed_error *err);
void heed__chat_free(heed_chat *c);

/* What the desk says to the last message (desk.h). New reference; NULL and *err. */
json_t *heed__chat_ask(heed_desk *desk, const heed_chat *c, heed_error *err);

/* The completion that an answer of the desk makes. id: unique; created: seconds since 1970. New
 * reference; NULL: out of memory. */
json_t *heed__chat_completion(const heed_chat *c, const json_t *answer, const char *id,
                              int64_t created);
/* The same as server-sent events, a few words each, the last one "[DONE]": calls write until it is
 * false. 0, HEED_ENOMEM; HEED_ECANCELLED: write was false. */
typedef bool (*heed_chat_write)(void *user, const void *data, size_t size);
int heed__chat_chunks(const heed_chat *c, const json_t *answer, const char *id, int64_t created,
                      heed_chat_write write, void *user);

#endif
