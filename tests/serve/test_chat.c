/* test_chat.c: OpenAI's chat completions, read and written. */
#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "desk_model.h"
#include "serve/chat.h"

static heed_desk *desk;

static int open_desk(void **state) {
    (void)state;
    static heed_desk_cfg cfg = { .intent = "intent",
                                 .replies = "tests/serve/data/desk/replies.tsv",
                                 .slots = "tests/serve/data/desk/slots.yaml",
                                 .least = 0.5 };
    heed_error err;
    const heed_analysis_cfg analysis = { .name = "intent",
                                         .kind = "classify",
                                         .model = desk_model() };
    const heed_flow flow = { .analysis = &analysis, .analyses = 1, .desk = &cfg };
    desk = analysis.model ? heed_desk_open(&flow, NULL, NULL, &err) : NULL;
    return desk == NULL;
}

static int close_desk(void **state) {
    (void)state;
    heed_desk_close(desk);
    desk_model_end();
    return 0;
}

static void refused(const char *text, const char *why) {
    heed_error err = { 0 };
    heed_chat c;
    json_t *body = json_loads(text, 0, NULL);
    assert_non_null(body);
    assert_int_equal(heed__chat_read(&c, body, NULL, &err), HEED_EINVALID);
    if (!strstr(err.msg, why)) fail_msg("%s: '%s' lacks '%s'", text, err.msg, why);
    heed__chat_free(&c);
    json_decref(body);
}

static void wrong_bodies(void **state) {
    (void)state;
    refused("{}", "messages is not a list");
    refused("{\"messages\":[]}", "messages is not a list");
    refused("{\"messages\":[1]}", "messages[0]: it is no object");
    refused("{\"messages\":[{\"role\":\"king\",\"content\":\"a\"}]}", "messages[0]: role");
    refused("{\"messages\":[{\"role\":\"user\"}]}", "messages[0]: content");
    refused("{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\"}]}]}",
            "messages[0]: a part that is no text");
    refused("{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}],\"n\":2}", "n is not 1");
    refused("{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}],\"stream\":1}", "stream is");
    refused("{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}],\"model\":1}", "model is");
    refused("{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}],\"heed\":1}", "heed is");
}

/* The completion of a body. */
static json_t *complete(const char *text) {
    heed_error err = { 0 };
    heed_chat c;
    json_t *body = json_loads(text, 0, NULL);
    assert_non_null(body);
    if (heed__chat_read(&c, body, NULL, &err)) fail_msg("%s", err.msg);
    json_t *answer = heed__chat_ask(desk, &c, &err);
    if (!answer) fail_msg("%s", err.msg);
    json_t *tree = heed__chat_completion(&c, answer, "chatcmpl-1", 7);
    assert_non_null(tree);
    json_decref(answer);
    heed__chat_free(&c);
    json_decref(body);
    return tree;
}

static const char *content(const json_t *completion) {
    const json_t *choice = json_array_get(json_object_get(completion, "choices"), 0);
    return json_string_value(json_object_get(json_object_get(choice, "message"), "content"));
}

static void history_is_in_the_messages(void **state) {
    (void)state;
    json_t *t = complete("{\"model\":\"m\",\"messages\":[{\"role\":\"system\",\"content\":\"Be "
                         "kind.\"},{\"role\":\"user\",\"content\":\"i want to track my order\"},"
                         "{\"role\":\"assistant\",\"content\":\"Which order?\"},"
                         "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"it is\"},"
                         "{\"type\":\"text\",\"text\":\"7654321\"}]}]}");
    assert_non_null(strstr(content(t), "Order 7654321 is on its way"));
    assert_string_equal(json_string_value(json_object_get(t, "object")), "chat.completion");
    assert_string_equal(json_string_value(json_object_get(t, "model")), "m");
    const json_t *own = json_object_get(t, "heed");
    assert_string_equal(json_string_value(json_object_get(own, "kind")), "canned");
    assert_true(json_is_false(json_object_get(own, "handed_over")));
    assert_int_equal(json_array_size(json_object_get(own, "sources")), 1);
    assert_int_equal(
        json_integer_value(json_object_get(json_object_get(t, "usage"), "prompt_tokens")), 13);
    json_decref(t);
}

static void nobody_asked(void **state) {
    (void)state;
    json_t *t = complete("{\"messages\":[{\"role\":\"system\",\"content\":\"a\"},"
                         "{\"role\":\"assistant\",\"content\":null}]}");
    assert_non_null(strstr(content(t), "write what you need"));
    json_decref(t);
}

static void or_in_the_state(void **state) {
    (void)state;
    json_t *t = complete("{\"messages\":[{\"role\":\"user\",\"content\":\"i want to track my "
                         "order\"}]}");
    json_t *body = json_pack("{s:[{s:s,s:s}], s:{s:O}}", "messages", "role", "user", "content",
                             "7654321", "heed", "state",
                             json_object_get(json_object_get(t, "heed"), "state"));
    char *text = json_dumps(body, 0);
    json_t *next = complete(text);
    assert_non_null(strstr(content(next), "Order 7654321 is on its way"));
    free(text);
    json_decref(next);
    json_decref(body);
    json_decref(t);
}

typedef struct heard {
    char text[16384], reply[4096];
    int events, most;
} heard;

static bool hear(void *user, const void *data, size_t size) {
    heard *h = user;
    if (h->events == h->most) return false;
    h->events++;
    assert_true(size > 8 && memcmp(data, "data: ", 6) == 0);
    assert_memory_equal((const char *)data + size - 2, "\n\n", 2);
    memcpy(h->text, (const char *)data + 6, size - 8);
    h->text[size - 8] = 0;
    if (strcmp(h->text, "[DONE]") == 0) return true;
    json_t *chunk = json_loads(h->text, 0, NULL);
    assert_non_null(chunk);
    assert_string_equal(json_string_value(json_object_get(chunk, "object")),
                        "chat.completion.chunk");
    const json_t *choice = json_array_get(json_object_get(chunk, "choices"), 0);
    const char *part = json_string_value(
        json_object_get(json_object_get(choice, "delta"), "content"));
    if (part) strcat(h->reply, part);
    json_decref(chunk);
    return true;
}

static void chunks_join_to_the_reply(void **state) {
    (void)state;
    heed_error err = { 0 };
    heed_chat c;
    json_t *body = json_loads("{\"stream\":true,\"stream_options\":{\"include_usage\":true},"
                              "\"messages\":[{\"role\":\"user\",\"content\":\"i want to cancel my "
                              "order\"}]}",
                              0, NULL);
    assert_int_equal(heed__chat_read(&c, body, NULL, &err), 0);
    assert_true(c.stream && c.tells_usage);
    json_t *answer = heed__chat_ask(desk, &c, &err);
    heard h = { .most = 1000 };
    assert_int_equal(heed__chat_chunks(&c, answer, "chatcmpl-2", 7, hear, &h), 0);
    assert_string_equal(h.text, "[DONE]");
    assert_string_equal(h.reply, json_string_value(json_object_get(answer, "reply")));
    assert_true(h.events > 5);
    heard gone = { .most = 2 };
    assert_int_equal(heed__chat_chunks(&c, answer, "chatcmpl-2", 7, hear, &gone), HEED_ECANCELLED);
    json_decref(answer);
    heed__chat_free(&c);
    json_decref(body);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_bodies),
        cmocka_unit_test(history_is_in_the_messages),
        cmocka_unit_test(nobody_asked),
        cmocka_unit_test(or_in_the_state),
        cmocka_unit_test(chunks_join_to_the_reply),
    };
    return cmocka_run_group_tests_name("chat", tests, open_desk, close_desk);
}
