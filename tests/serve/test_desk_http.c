/* test_desk_http.c: the support desk asked over HTTP, in OpenAI's shape. */
#include "cmocka_all.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "serve_tools.h"

#define PATH "/v1/chat/completions"

static served s;
static const char flow[] = "name: shop\n"
                           "sources: { push: { kind: push } }\n"
                           "analyses: { support: { kind: classify, model: @/models/support } }\n"
                           "desk:\n"
                           "  intent: support\n"
                           "  model: @/models/support_pairs\n"
                           "  replies: @/data/support/replies.jsonl\n"
                           "  kb: @/data/support/kb\n"
                           "  slots: @/data/support/slots.yaml\n"
                           "  scope: 0.995\n";

static const char *said(const json_t *t) {
    const json_t *choice = json_array_get(json_object_get(t, "choices"), 0);
    return text_at(json_object_get(choice, "message"), "content");
}

static void passages_and_slots(void **state) {
    (void)state;
    json_t *t = served_post(
        &s, PATH,
        "{\"model\":\"desk\",\"messages\":[{\"role\":\"user\",\"content\":\"how "
        "long is a gift card valid?\"}]}");
    assert_non_null(strstr(said(t), "valid for three years"));
    const json_t *own = json_object_get(t, "heed");
    assert_string_equal(text_at(own, "kind"), "passage");
    assert_true(json_array_size(json_object_get(own, "sources")) >= 1);
    json_decref(t);
    t = served_post(&s, PATH,
                    "{\"messages\":[{\"role\":\"user\",\"content\":\"where is my order?\"},"
                    "{\"role\":\"assistant\",\"content\":\"Which?\"},"
                    "{\"role\":\"user\",\"content\":\"it is 7654321\"}]}");
    assert_non_null(strstr(said(t), "7654321"));
    json_decref(t);
}

/* A person hears of it as of any event, with what was said. */
static void handed_over(void **state) {
    (void)state;
    json_t *t = served_post(
        &s, PATH,
        "{\"user\":\"ann\",\"messages\":[{\"role\":\"user\",\"content\":\"where is "
        "my order 7654321?\"},{\"role\":\"user\",\"content\":\"speak to a "
        "human\"}]}");
    const json_t *own = json_object_get(t, "heed");
    assert_true(json_is_true(json_object_get(own, "handed_over")));
    char path[64];
    snprintf(path, sizeof path, "/v1/events/%lld", (long long)int_at(own, "event"));
    served_decided(&s, int_at(own, "event"));
    json_t *e = served_get(&s, path);
    assert_string_equal(text_at(e, "source"), "desk");
    assert_string_equal(text_at(e, "user"), "ann");
    assert_string_equal(text_at(e, "text"), "speak to a human");
    const json_t *fields = json_object_get(e, "fields");
    assert_int_equal(json_array_size(json_object_get(fields, "turns")), 2);
    const json_t *slots = json_object_get(json_object_get(fields, "facts"), "slots");
    assert_string_equal(text_at(slots, "order_id"), "7654321");
    json_decref(e);
    json_decref(t);
}

static void what_is_refused(void **state) {
    (void)state;
    static const char *const bad[] = {
        "{}",
        "{\"messages\":[]}",
        "{\"messages\":[{\"role\":\"king\",\"content\":\"a\"}]}",
        "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}],\"n\":3}",
        "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}],\"heed\":{\"state\":{\"v\":7}}}",
        "{\"messages\":[{\"role\":\"user\"}],\"heed\":{\"state\":{\"v\":1,\"turns\":[0]}}}",
        "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\"}]}]}"
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        json_t *t;
        if (served_ask(&s, "POST", PATH, bad[i], &t) != 400) fail_msg("%s", bad[i]);
        assert_non_null(json_object_get(t, "detail"));
        json_decref(t);
    }
}

static void streams(void **state) {
    (void)state;
    assert_int_equal(served_ask(&s, "POST", PATH,
                                "{\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":"
                                "\"can I return earphones?\"}]}",
                                NULL),
                     200);
}

/* The models are for one thread at a time: many who ask at once get what one gets. */
static void many_at_once(void **state) {
    (void)state;
    enum { CLIENTS = 6, TIMES = 8 };
    pid_t client[CLIENTS];
    for (int c = 0; c < CLIENTS; c++) {
        client[c] = fork();
        if (client[c] != 0) continue;
        bool ok = true;
        for (int i = 0; ok && i < TIMES; i++) {
            json_t *t = NULL;
            ok = served_ask(&s, "POST", PATH,
                            c % 2 ? "{\"messages\":[{\"role\":\"user\",\"content\":\"how much is "
                                    "express shipping?\"}]}"
                                  : "{\"messages\":[{\"role\":\"user\",\"content\":\"I want to "
                                    "cancel order 7654321\"}]}",
                            &t) == 200 &&
                 strstr(said(t), c % 2 ? "costs 12 euros" : "7654321") != NULL;
            json_decref(t);
        }
        _exit(ok ? 0 : 1);
    }
    for (int c = 0; c < CLIENTS; c++) {
        int status = -1;
        assert_int_equal(waitpid(client[c], &status, 0), client[c]);
        assert_int_equal(status, 0);
    }
}

static int start(void **state) {
    (void)state;
    served_make(&s, flow);
    served_start(&s);
    return 0;
}

static int end(void **state) {
    (void)state;
    served_remove(&s);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(passages_and_slots), cmocka_unit_test(handed_over),
        cmocka_unit_test(what_is_refused),    cmocka_unit_test(streams),
        cmocka_unit_test(many_at_once),
    };
    return cmocka_run_group_tests_name("desk over HTTP", tests, start, end);
}
