/* route_chat.c: POST /v1/chat/completions: OpenAI's shape, answered by the support desk. */
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/text.h"
#include "base/thread.h"
#include "serve/chat.h"
#include "serve/route.h"
#include "serve/tree.h"

static bool write_chunk(void *user, const void *data, size_t size) {
    return heed_stream_write(user, data, size);
}

/* What a person is to take over becomes an event of the source "desk", with turns and
 * facts as its fields; the answer then bears its number. Where the flow is full it does not, and
 * the client sees that in the answer. */
static void tell_person(heed_server *s, const heed_chat *c, const char *id, json_t *answer) {
    heed_error err = { 0 };
    size_t len;
    const char *kind = json_string_value(json_object_get(answer, "kind"));
    if (!kind || strcmp(kind, "hand_over") != 0) return;
    json_t *fields = json_object();
    heed__tree_put(&fields, "turns", json_incref(json_object_get(answer, "turns")));
    heed__tree_put(&fields, "facts", json_incref(json_object_get(answer, "facts")));
    char *body = fields ? heed__json_text(&s->hooks, fields, false, &len, &err) : NULL;
    json_decref(fields);
    heed_entry e = { .kind = HEED_ENTRY_EVENT,
                     .source = "desk",
                     .id = id,
                     .user = c->user,
                     .session = id,
                     .title = "Handed over by the desk",
                     .text = c->message[c->messages - 1],
                     .body = body };
    if (body && heed_pipeline_take(s->pipeline, &e, 1, false, &err) == 0)
        json_object_set_new(answer, "event", json_integer(e.seq < 0 ? -e.seq : e.seq));
    heed__free(&s->hooks, body);
}

static void reply(heed_server *s, heed_request *rq, const heed_chat *c, json_t *answer) {
    char id[48];
    size_t size;
    const char *body = heed_request_body(rq, &size);
    const int64_t now = heed__now_ms();
    heed__format(id, sizeof id, "chatcmpl-%016llx%08llx",
                 (unsigned long long)heed__hash_more(HEED_HASH_BEGIN, body, size),
                 (unsigned long long)heed__ticks_ns() & 0xffffffffu);
    tell_person(s, c, id, answer);
    if (c->stream) {
        heed_reply_stream(rq, "text/event-stream");
        heed__chat_chunks(c, answer, id, now / 1000, write_chunk, rq);
        heed_stream_end(rq);
        return;
    }
    json_t *tree = heed__chat_completion(c, answer, id, now / 1000);
    heed__route_reply(rq, tree, &(heed_error){ HEED_ENOMEM, "chat: out of memory" });
}

void heed__route_chat(void *server, heed_request *rq) {
    heed_server *s = server;
    heed_error err = { 0 };
    heed_chat c;
    heed_setup *setup = heed__route_setup(s, rq);
    if (!setup) return;
    json_t *body = setup->desk ? heed__route_object(rq) : NULL;
    if (!setup->desk) heed_reply_problem(rq, 404, "this flow has no support desk");
    if (!body) {
        heed_setup_drop(setup);
        return;
    }
    json_t *answer = NULL;
    if (heed__chat_read(&c, body, &s->hooks, &err) == 0)
        answer = heed__chat_ask(setup->desk, &c, &err);
    if (answer)
        reply(s, rq, &c, answer);
    else
        heed__route_reply(rq, NULL, &err);
    heed__chat_free(&c);
    json_decref(answer);
    json_decref(body);
    heed_setup_drop(setup);
}
