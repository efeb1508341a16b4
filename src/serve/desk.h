/* desk.h: the support desk: a message of a conversation in, a reply with its sources out: a canned
 * reply by retrieval, else a passage of the knowledge base or an earlier answer, else a person. */
#ifndef HEED_SERVE_DESK_H
#define HEED_SERVE_DESK_H

#include <jansson.h>

#include "flow/flow.h"
#include "serve/analyst.h"

typedef struct heed_desk heed_desk; /* any thread: the conversation is the caller's */

heed_desk *heed_desk_open(const heed_flow *flow, heed_analyst *analyst, const heed_hooks *hooks,
                          heed_error *err);
void heed_desk_close(heed_desk *desk);

/* state: a conversation's so far, as the last answer gave it ({} or NULL: a new one); turns with
 * their texts are in it. Returns {"reply","kind":"greeting"|"canned"|"passage"|"ask"|"hand_over"|
 * "out_of_scope"|"thanks","intent","confidence","sources":[{"text","where","score"}...],
 * "slots":{...},"state":{...}}; of a hand-over also "turns" and "facts". New reference. The same
 * text and state give the same answer. */
json_t *heed_desk_answer(heed_desk *desk, const json_t *state, const char *text, heed_error *err);

#endif
