/* route_chat.c: POST /v1/chat/completions: OpenAI's shape, answered by the support desk. */
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "base/text.h"
#include "base/thread.h"
#include "serve/chat.h"
#include "serve/route.h"

static bool write_chunk(void *user, const void *data, size_t size) {
    return heed_stream_write(user, data, size);
}

static void reply(heed_request *rq, const heed_chat *c, const json_t *answer) {
    char id[48];
    size_t size;
    const char *body = heed_request_body(rq, &size);
    const int64_t now = heed__now_ms();
    heed__format(id, sizeof id, "chatcmpl-%016llx%08llx",
                 (unsigned long long)heed__hash_more(HEED_HASH_BEGIN, body, size),
                 (unsigned long long)heed__ticks_ns() & 0xffffffffu);
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
        reply(rq, &c, answer);
    else
        heed__route_reply(rq, NULL, &err);
    heed__chat_free(&c);
    json_decref(answer);
    json_decref(body);
    heed_setup_drop(setup);
}
