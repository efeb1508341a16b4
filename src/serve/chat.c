/* chat.c: OpenAI's chat completions in JSON. */
#include "serve/chat.h"

#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "base/text.h"
#include "serve/tree.h"

enum { MESSAGES_MOST = 512, PART_BYTES = 24, NAME_MOST = 200 };

/* -- the question ----------------------------------------------------------------------------- */

static int wrong(heed_error *err, size_t at, const char *what) {
    return heed__error(err, HEED_EINVALID, "messages[%llu]: %s", (unsigned long long)at, what);
}

/* A list of parts {"type":"text","text"} as one text; *text is kept's. */
static int join_parts(heed_chat *c, const json_t *parts, size_t at, const char **text,
                      heed_error *err) {
    size_t size = 1, i;
    const json_t *part;
    json_array_foreach(parts, i, part) {
        const char *type = json_string_value(json_object_get(part, "type"));
        const json_t *own = json_object_get(part, "text");
        if (!type || strcmp(type, "text") != 0 || !json_is_string(own))
            return wrong(err, at, "a part that is no text; the desk reads texts alone");
        size += json_string_length(own) + 1;
    }
    char *all = heed__malloc(&c->kept.arena.hooks, size);
    if (!all) return heed__error(err, HEED_ENOMEM, "chat: out of memory");
    size_t len = 0;
    json_array_foreach(parts, i, part) {
        const json_t *own = json_object_get(part, "text");
        if (len) all[len++] = '\n';
        memcpy(all + len, json_string_value(own), json_string_length(own));
        len += json_string_length(own);
    }
    all[len] = 0;
    *text = heed__strings_keep(&c->kept, all);
    heed__free(&c->kept.arena.hooks, all);
    return *text ? 0 : heed__error(err, HEED_ENOMEM, "chat: out of memory");
}

static int read_message(heed_chat *c, const json_t *m, size_t at, heed_error *err) {
    static const char *const roles[] = { "system",    "developer", "user",
                                         "assistant", "tool",      "function" };
    const char *role = json_string_value(json_object_get(m, "role"));
    const json_t *content = json_object_get(m, "content");
    const char *text = json_string_value(content);
    bool known = false;
    for (size_t i = 0; role && i < sizeof roles / sizeof *roles; i++)
        known |= strcmp(role, roles[i]) == 0;
    if (!known) return wrong(err, at, "role is none of system, developer, user, assistant, tool");
    const bool user = strcmp(role, "user") == 0;
    if (json_is_null(content) || (!user && !content)) text = ""; /* a call of a tool */
    if (json_is_array(content)) {
        const int rc = join_parts(c, content, at, &text, err);
        if (rc) return rc;
    }
    if (!text) return wrong(err, at, "content is neither a text nor a list of parts");
    if (json_is_string(content) && strlen(text) != json_string_length(content))
        return wrong(err, at, "content has a zero byte");
    c->words += heed__words_in(text);
    if (!user) return 0;
    if (c->messages == HEED_CHAT_TURNS)
        memmove(c->message, c->message + 1, (size_t)--c->messages * sizeof *c->message);
    c->message[c->messages++] = text;
    return 0;
}

/* A member that may be absent or null, else is true or false. */
static int read_flag(const json_t *of, const char *name, bool *to, heed_error *err) {
    const json_t *v = json_object_get(of, name);
    if (v && !json_is_null(v) && !json_is_boolean(v))
        return heed__error(err, HEED_EINVALID, "%s is neither true nor false", name);
    *to = json_is_true(v);
    return 0;
}

static int read_settings(heed_chat *c, const json_t *body, heed_error *err) {
    const json_t *model = json_object_get(body, "model"), *n = json_object_get(body, "n");
    const json_t *options = json_object_get(body, "stream_options");
    const json_t *own = json_object_get(body, "heed"), *user = json_object_get(body, "user");
    if (model && !json_is_string(model))
        return heed__error(err, HEED_EINVALID, "model is not a text");
    if (n && !json_is_null(n) && (!json_is_integer(n) || json_integer_value(n) != 1))
        return heed__error(err, HEED_EINVALID, "n is not 1: the desk has one answer");
    if (options && !json_is_null(options) && !json_is_object(options))
        return heed__error(err, HEED_EINVALID, "stream_options is no object");
    if (own && !json_is_null(own) && !json_is_object(own))
        return heed__error(err, HEED_EINVALID, "heed is no object");
    if (user && !json_is_null(user) &&
        (!json_is_string(user) || json_string_length(user) > NAME_MOST))
        return heed__error(err, HEED_EINVALID, "user is not a text of at most %d bytes", NAME_MOST);
    c->model = model ? json_string_value(model) : "desk";
    c->user = json_string_value(user);
    c->state = json_object_get(own, "state");
    const int rc = read_flag(body, "stream", &c->stream, err);
    return rc ? rc : read_flag(options, "include_usage", &c->tells_usage, err);
}

int heed__chat_read(heed_chat *c, const json_t *body, const heed_hooks *hooks, heed_error *err) {
    const json_t *messages = json_object_get(body, "messages"), *m;
    size_t i;
    *c = (heed_chat){ .messages = 0 };
    heed__strings_init(&c->kept, hooks);
    if (!json_is_array(messages) || json_array_size(messages) < 1 ||
        json_array_size(messages) > MESSAGES_MOST)
        return heed__error(err, HEED_EINVALID, "messages is not a list of 1 to %d messages",
                           MESSAGES_MOST);
    json_array_foreach(messages, i, m) {
        const int rc = json_is_object(m) ? read_message(c, m, i, err)
                                         : wrong(err, i, "it is no object");
        if (rc) return rc;
    }
    if (c->messages == 0) c->message[c->messages++] = ""; /* nobody asked anything yet */
    return read_settings(c, body, err);
}

void heed__chat_free(heed_chat *c) {
    heed__strings_free(&c->kept);
    *c = (heed_chat){ .messages = 0 };
}

json_t *heed__chat_ask(heed_desk *desk, const heed_chat *c, heed_error *err) {
    json_t *answer = NULL;
    for (int i = c->state ? c->messages - 1 : 0; i < c->messages; i++) {
        const json_t *state = answer ? json_object_get(answer, "state") : c->state;
        json_t *next = heed_desk_answer(desk, state, c->message[i], err);
        json_decref(answer);
        answer = next;
        if (!answer) break;
    }
    return answer;
}

/* -- the answer ------------------------------------------------------------------------------- */

static const char *reply_of(const json_t *answer) {
    return json_string_value(json_object_get(answer, "reply"));
}

/* What of the desk's answer has no place in OpenAI's shape. */
static json_t *extension(const json_t *answer) {
    static const char *const names[] = { "kind",  "intent", "confidence", "sources", "slots",
                                         "state", "turns",  "facts",      "event" };
    const char *kind = json_string_value(json_object_get(answer, "kind"));
    const bool over = strcmp(kind, "hand_over") == 0 || strcmp(kind, "out_of_scope") == 0;
    json_t *tree = json_object();
    heed__tree_put(&tree, "handed_over", json_boolean(over));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        json_t *value = json_object_get(answer, names[i]);
        if (value) heed__tree_put(&tree, names[i], json_incref(value));
    }
    return tree;
}

static json_t *usage(const heed_chat *c, const json_t *answer) {
    const int64_t said = heed__words_in(reply_of(answer));
    json_t *tree = json_object();
    heed__tree_put(&tree, "prompt_tokens", json_integer(c->words));
    heed__tree_put(&tree, "completion_tokens", json_integer(said));
    heed__tree_put(&tree, "total_tokens", json_integer(c->words + said));
    return tree;
}

/* What completions and chunks begin with. */
static json_t *head(const heed_chat *c, const char *object, const char *id, int64_t created) {
    json_t *tree = json_object();
    heed__tree_put(&tree, "id", json_string(id));
    heed__tree_put(&tree, "object", json_string(object));
    heed__tree_put(&tree, "created", json_integer(created));
    heed__tree_put(&tree, "model", json_string(c->model));
    return tree;
}

/* [{"index":0, name: what, "logprobs":null, "finish_reason"}]; what is taken. */
static json_t *choices(const char *name, json_t *what, const char *finish) {
    json_t *list = json_array(), *one = json_object();
    heed__tree_put(&one, "index", json_integer(0));
    heed__tree_put(&one, name, what);
    heed__tree_put(&one, "logprobs", json_null());
    heed__tree_put(&one, "finish_reason", heed__text_or_null(finish));
    heed__list_put(&list, one);
    return list;
}

json_t *heed__chat_completion(const heed_chat *c, const json_t *answer, const char *id,
                              int64_t created) {
    json_t *tree = head(c, "chat.completion", id, created), *message = json_object();
    heed__tree_put(&message, "role", json_string("assistant"));
    heed__tree_put(&message, "content", json_string(reply_of(answer)));
    heed__tree_put(&message, "refusal", json_null());
    heed__tree_put(&tree, "choices", choices("message", message, "stop"));
    heed__tree_put(&tree, "usage", usage(c, answer));
    heed__tree_put(&tree, "heed", extension(answer));
    return tree;
}

typedef struct chunks {
    const heed_chat *c;
    const char *id;
    int64_t created;
    heed_chat_write write;
    void *user;
} chunks;

/* Sends a chunk; list and more (may be NULL without a name) are taken. 0 or a status. */
static int send_chunk(const chunks *x, json_t *list, const char *name, json_t *more) {
    json_t *tree = head(x->c, "chat.completion.chunk", x->id, x->created);
    heed__tree_put(&tree, "choices", list);
    if (name) heed__tree_put(&tree, name, more);
    int rc = tree ? 0 : HEED_ENOMEM;
    heed_error err;
    size_t len = 0;
    const heed_hooks *hooks = &x->c->kept.arena.hooks;
    char *text = rc == 0 ? heed__json_text(hooks, tree, false, &len, &err) : NULL;
    char *line = text ? heed__malloc(hooks, len + 8) : NULL;
    if (line) {
        memcpy(line, "data: ", 6);
        memcpy(line + 6, text, len);
        memcpy(line + 6 + len, "\n\n", 2);
        rc = x->write(x->user, line, len + 8) ? 0 : HEED_ECANCELLED;
    } else {
        rc = HEED_ENOMEM;
    }
    heed__free(hooks, line);
    heed__free(hooks, text);
    json_decref(tree);
    return rc;
}

/* {"content": size bytes of text}, before it the role, where it is given. */
static json_t *delta(const char *role, const char *text, size_t size) {
    json_t *tree = json_object();
    if (role) heed__tree_put(&tree, "role", json_string(role));
    heed__tree_put(&tree, "content", json_stringn(text, size));
    return choices("delta", tree, NULL);
}

/* Bytes of the next few words of text: at least one, with the space behind it, whole characters. */
static size_t next_words(const char *text) {
    size_t n = 0;
    while (text[n] && !(n >= PART_BYTES && text[n - 1] == ' ')) {
        n++;
        if (n >= 4 * PART_BYTES && ((unsigned char)text[n] & 0xc0) != 0x80) break;
    }
    return n;
}

int heed__chat_chunks(const heed_chat *c, const json_t *answer, const char *id, int64_t created,
                      heed_chat_write write, void *user) {
    const chunks x = { c, id, created, write, user };
    const char *reply = reply_of(answer);
    int rc = send_chunk(&x, delta("assistant", "", 0), NULL, NULL);
    for (size_t at = 0; rc == 0 && reply[at];) {
        const size_t n = next_words(reply + at);
        rc = send_chunk(&x, delta(NULL, reply + at, n), NULL, NULL);
        at += n;
    }
    if (rc == 0)
        rc = send_chunk(&x, choices("delta", json_object(), "stop"), "heed", extension(answer));
    if (rc == 0 && c->tells_usage) rc = send_chunk(&x, json_array(), "usage", usage(c, answer));
    if (rc == 0 && !write(user, "data: [DONE]\n\n", 14)) rc = HEED_ECANCELLED;
    return rc;
}
