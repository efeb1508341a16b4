/* test_desk.c: conversations with the support desk, and what it is not to be talked into. */
#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "desk_model.h"
#include "serve/desk_impl.h"

static heed_desk *desk;
static heed_desk_cfg cfg = { .intent = "intent",
                             .replies = "tests/serve/data/desk/replies.tsv",
                             .kb = "tests/serve/data/desk/kb",
                             .slots = "tests/serve/data/desk/slots.yaml",
                             .least = 0.5,
                             .scope = 0.98 };
static heed_analysis_cfg analysis = { .name = "intent", .kind = "classify" };
static const heed_flow flow = { .analysis = &analysis, .analyses = 1, .desk = &cfg };

static int open_desk(void **state) {
    (void)state;
    heed_error err = { 0 };
    analysis.model = desk_model();
    if (!analysis.model) return 1;
    desk = heed_desk_open(&flow, NULL, NULL, &err);
    if (!desk) fprintf(stderr, "%s\n", err.msg);
    return desk == NULL;
}

static int close_desk(void **state) {
    (void)state;
    heed_desk_close(desk);
    desk_model_end();
    return 0;
}

/* What is said, the kind of answer it must get, what the reply must hold and what not. */
typedef struct line {
    const char *text, *kind, *holds, *not ;
} line;

static void hold(const line *l, int n) {
    heed_error err = { 0 };
    json_t *state = NULL;
    for (int i = 0; i < n; i++) {
        json_t *a = heed_desk_answer(desk, state, l[i].text, &err);
        if (!a) fail_msg("'%s': %s", l[i].text, err.msg);
        const char *kind = json_string_value(json_object_get(a, "kind"));
        const char *reply = json_string_value(json_object_get(a, "reply"));
        if (strcmp(kind, l[i].kind) != 0 || (l[i].holds && !strstr(reply, l[i].holds)) ||
            (l[i].not &&strstr(reply, l[i].not )))
            fail_msg("'%s': %s: %s", l[i].text, kind, reply);
        assert_null(strstr(reply, "{{"));
        assert_null(strstr(reply, "}}"));
        json_decref(state);
        state = json_incref(json_object_get(a, "state"));
        json_decref(a);
    }
    json_decref(state);
}
#define HOLD(lines) hold(lines, (int)(sizeof lines / sizeof *(lines)))

static void canned_replies_with_their_slots(void **state) {
    (void)state;
    static const line lines[] = {
        { "Hello!", "greeting", "help you", NULL },
        { "hi, I want to track my order", "ask", "Which order is it?", NULL },
        { "it is #7654321", "canned",
          "Order 7654321 is on its way; see Order History, or call "
          "555-0100.",
          NULL },
        { "how do I cancel my order", "canned",
          "open My Orders and press “Cancel Order”; we send "
          "word to your customer email.",
          NULL },
        { "I want to cancel an order that was shipped", "canned", "cannot cancel an order", NULL },
        { "i would like to change my plan", "ask", "I need to know one thing more: plan", NULL },
        { "to Pro please", "canned", "becomes Pro today. Write to our support email if not.",
          NULL },
        { "please help to get my money back", "canned", "on our website's wallet", NULL },
        { "Thank you very much", "thanks", NULL, NULL },
        { "bye", "goodbye", NULL, NULL },
    };
    HOLD(lines);
}

static void a_slot_that_is_known_is_not_asked_for(void **state) {
    (void)state;
    static const line lines[] = {
        { "please help to track order 1234567", "canned", "Order 1234567", NULL },
        { "i want to see where my order is", "canned", "Order 1234567", NULL },
        { "and order 99999", "canned", "99999", "1234567" },
    };
    hold(lines, 2);
}

static void asked_twice_then_a_person(void **state) {
    (void)state;
    static const line lines[] = {
        { "i want to track my order", "ask", "Which order", NULL },
        { "my order", "ask", "Which order", NULL },
        { "my order!", "hand_over", NULL, NULL },
        { "你好", "greeting", "您好", NULL },
    };
    HOLD(lines);
    static const line other[] = {
        { "i want to track my order", "ask", "Which order", NULL },
        { "no, i would like to get a refund", "canned", "Refunds arrive", NULL },
        { "1234567", "hand_over", NULL, "is on its way" },
    };
    hold(other, 2);
}

static void passages_word_for_word(void **state) {
    (void)state;
    heed_error err = { 0 };
    json_t *a = heed_desk_answer(desk, NULL, "how much does gift wrapping cost?", &err);
    assert_non_null(a);
    assert_string_equal(json_string_value(json_object_get(a, "kind")), "passage");
    const char *reply = json_string_value(json_object_get(a, "reply"));
    assert_string_equal(reply, "Gift wrapping costs 3 euros.");
    const json_t *source = json_array_get(json_object_get(a, "sources"), 0);
    const size_t begin = (size_t)json_integer_value(json_object_get(source, "begin"));
    const size_t end = (size_t)json_integer_value(json_object_get(source, "end"));
    FILE *f = fopen("tests/serve/data/desk/kb/shipping.md", "r");
    char text[1024] = "";
    assert_non_null(f);
    assert_true(fread(text, 1, sizeof text - 1, f) > end);
    fclose(f);
    assert_int_equal(end - begin, strlen(reply));
    assert_memory_equal(text + begin, reply, end - begin);
    assert_int_equal(json_integer_value(json_object_get(source, "to")), strlen(reply));
    json_decref(a);
    static const line lines[] = {
        { "is damage by water covered?", "passage", "not covered", NULL },
        { "who won the chess match in 1972", "out_of_scope", "found nothing", NULL },
    };
    HOLD(lines);
}

static void a_person_gets_turns_and_facts(void **state) {
    (void)state;
    heed_error err = { 0 };
    json_t *first = heed_desk_answer(desk, NULL, "please help to track order 1234567", &err);
    assert_non_null(first);
    json_t *a = heed_desk_answer(desk, json_object_get(first, "state"), "speak to a human", &err);
    assert_non_null(a);
    assert_string_equal(json_string_value(json_object_get(a, "kind")), "hand_over");
    const json_t *turns = json_object_get(a, "turns");
    assert_int_equal(json_array_size(turns), 2);
    assert_string_equal(json_string_value(json_object_get(json_array_get(turns, 0), "text")),
                        "please help to track order 1234567");
    const json_t *slots = json_object_get(json_object_get(a, "facts"), "slots");
    assert_string_equal(json_string_value(json_object_get(slots, "order_id")), "1234567");
    json_decref(a);
    json_decref(first);
    static const line lines[] = { { "can you help me talk to a human agent", "hand_over", NULL,
                                    NULL } };
    HOLD(lines);
}

static void the_same_again(void **state) {
    (void)state;
    heed_error err;
    heed_desk *other = heed_desk_open(&flow, NULL, NULL, &err);
    assert_non_null(other);
    static const char *const said[] = { "how do i cancel my order", "refund",
                                        "warranty of a device", "转人工" };
    for (size_t i = 0; i < sizeof said / sizeof *said; i++) {
        json_t *a = heed_desk_answer(desk, NULL, said[i], &err);
        json_t *b = heed_desk_answer(other, NULL, said[i], &err);
        size_t n, m;
        char *x = heed__json_text(NULL, a, false, &n, &err);
        char *y = heed__json_text(NULL, b, false, &m, &err);
        assert_string_equal(x, y);
        heed__free(NULL, x);
        heed__free(NULL, y);
        json_decref(a);
        json_decref(b);
    }
    heed_desk_close(other);
}

/* What text is read as after `before` was said. */
static void reads(const char *before, const char *text, const char *as) {
    heed_error err = { 0 };
    const desk_state s = { .turn = { { before, "", "canned", NULL, before } }, .turns = 1 };
    desk_reading r;
    if (heed__desk_read(desk, &s, text, &r, &err)) fail_msg("%s", err.msg);
    assert_string_equal(r.text, as);
    assert_int_equal(r.follows, strcmp(text, as) != 0);
    heed__desk_reading_free(NULL, &r);
}

static void it_is_what_was_spoken_of(void **state) {
    (void)state;
    reads("i want to cancel my order 12345", "how do i follow it?", "how do i follow order 12345?");
    reads("is the parcel on its way", "can you help me stop that", "can you help me stop parcel");
    reads("where is my order", "and my refund?", "where is my refund");
    reads("where is my order", "what about a refund", "where is my refund");
    /* nothing is put in where nothing is meant, or the message itself names it */
    reads("where is my order", "is it possible to get a refund", "is it possible to get a refund");
    reads("where is my order", "cancel this plan", "cancel this plan");
    reads("where is my order", "i have a parcel, how do i send it",
          "i have a parcel, how do i send it");
    reads("hm", "cancel it", "cancel it");
    const desk_state s = { .turn = { { "the order", "", "canned", NULL, "the order" },
                                     { "hi", "", "greeting", NULL, NULL },
                                     { "hm", "", "ask", NULL, "hm" } },
                           .turns = 3 };
    desk_reading r;
    heed_error err;
    assert_int_equal(heed__desk_read(desk, &s, "cancel it", &r, &err), 0);
    assert_string_equal(r.text, "cancel order");
    heed__desk_reading_free(NULL, &r);
}

/* -- what comes from outside ------------------------------------------------------------------ */

static void refused(const char *state_text, const char *text, const char *why) {
    heed_error err = { 0 };
    json_t *s = state_text ? json_loads(state_text, 0, NULL) : NULL;
    json_t *a = heed_desk_answer(desk, s, text, &err);
    if (a) fail_msg("'%.80s' was answered", state_text ? state_text : text);
    assert_int_equal(err.code, HEED_EINVALID);
    if (!strstr(err.msg, why)) fail_msg("'%s' lacks '%s'", err.msg, why);
    json_decref(s);
}

static void wrong_messages_and_states(void **state) {
    (void)state;
    char *large = malloc(DESK_TEXT_MOST + 2);
    memset(large, 'a', DESK_TEXT_MOST + 1);
    large[DESK_TEXT_MOST + 1] = 0;
    refused(NULL, large, "16385 bytes, more than 16384");
    free(large);
    refused(NULL, "caf\xe9", "not UTF-8 at byte 3");
    refused("[1]", "hi", "no object");
    refused("{\"v\":2}", "hi", "not one that this desk gave");
    refused("{\"turns\":[]}", "hi", "not one that this desk gave");
    refused("{\"v\":1,\"turns\":{}}", "hi", "turns is not a list");
    refused("{\"v\":1,\"turns\":[1,2]}", "hi", "no object");
    refused("{\"v\":1,\"turns\":[{\"text\":1}]}", "hi", "text is not a text");
    refused("{\"v\":1,\"turns\":[{\"text\":\"a\",\"kind\":\"canned\"}]}", "hi", "reply is missing");
    refused("{\"v\":1,\"turns\":[0,0,0,0,0,0,0,0,0]}", "hi", "at most 8");
    refused("{\"v\":1,\"slots\":[]}", "hi", "slots is no object");
    refused("{\"v\":1,\"slots\":{\"order_id\":7}}", "hi", "order_id is not a text");
    refused("{\"v\":1,\"asking\":[]}", "hi", "asking is not a text");
}

static void forged_states_gain_nothing(void **state) {
    (void)state;
    static const char *const forged[] = {
        "{\"v\":1,\"slots\":{\"order_id\":\"1\\n2\",\"admin\":\"yes\"}}",
        "{\"v\":1,\"asking\":\"no such slot\",\"pending\":\"x\",\"pending_text\":\"y\"}",
        "{\"v\":1,\"asking\":\"order_id\",\"pending\":\"no such intent\",\"pending_text\":\"\"}",
        "{\"v\":1,\"asking\":\"order_id\"}",
        "{\"v\":1,\"asked\":-9999999999,\"turns\":null}",
    };
    for (size_t i = 0; i < sizeof forged / sizeof *forged; i++) {
        heed_error err = { 0 };
        json_t *s = json_loads(forged[i], 0, NULL);
        json_t *a = heed_desk_answer(desk, s, "please help to track order 1234567", &err);
        if (!a) fail_msg("%s: %s", forged[i], err.msg);
        const json_t *slots = json_object_get(a, "slots");
        assert_null(json_object_get(slots, "admin"));
        assert_string_equal(json_string_value(json_object_get(slots, "order_id")), "1234567");
        json_decref(a);
        json_decref(s);
    }
}

static void strange_messages(void **state) {
    (void)state;
    static const line lines[] = {
        { "", "ask", NULL, NULL },
        { " \t\n ", "ask", NULL, NULL },
        { "?!...", "ask", NULL, NULL },
        { "hi hello hey", "greeting", NULL, NULL },
        { "退款要多久？", "out_of_scope", "没有找到", NULL },
        { "再见！", "goodbye", NULL, NULL },
        { "{{Zebra Number}}", "out_of_scope", NULL, "Number" },
    };
    HOLD(lines);
    char *words = malloc(DESK_TEXT_MOST + 1);
    for (int i = 0; i < DESK_TEXT_MOST; i++) words[i] = (char)(i % 3 ? 'a' + i % 26 : ' ');
    words[DESK_TEXT_MOST] = 0;
    heed_error err;
    json_t *a = heed_desk_answer(desk, NULL, words, &err);
    assert_non_null(a);
    json_decref(a);
    free(words);
}

static void only_the_last_turns_are_kept(void **state) {
    (void)state;
    heed_error err;
    json_t *s = NULL;
    for (int i = 0; i < 2 * DESK_TURNS; i++) {
        json_t *a = heed_desk_answer(desk, s, i % 2 ? "hello" : "thanks", &err);
        assert_non_null(a);
        json_decref(s);
        s = json_incref(json_object_get(a, "state"));
        json_decref(a);
    }
    assert_int_equal(json_array_size(json_object_get(s, "turns")), DESK_TURNS);
    json_decref(s);
}

/* -- parts ------------------------------------------------------------------------------------ */

static void terms_of(const char *text, const char *expected) {
    heed_terms t;
    heed_term term;
    char all[512] = "";
    heed__terms_begin(&t, text, strlen(text));
    while (heed__terms_next(&t, &term)) {
        strncat(all, term.form, (size_t)term.len);
        strcat(all, "|");
    }
    assert_string_equal(all, expected);
}

static void terms(void **state) {
    (void)state;
    terms_of("Where are my PARCELS?", "wher|are|my|parcel|");
    terms_of("cancellations cancelling policies policy boss status",
             "cancel|cancel|polic|polic|bos|status|");
    terms_of("退款多久", "退款|款多|多久|");
    terms_of("退 a款x多久", "退|a|款|x|多久|");
    terms_of("退", "退|");
    terms_of("", "");
}

static void sentences(void **state) {
    (void)state;
    static const char text[] = "Write to J. Smith, e.g. today. \"Really?\" Yes!\n- one\n- two 3.5 "
                               "kg。好的！1. first";
    static const char *const expected[] = { "Write to J. Smith, e.g. today. ",
                                            "\"Really?\" ",
                                            "Yes!\n",
                                            "- one\n",
                                            "- two 3.5 kg。",
                                            "好的！",
                                            "1. first" };
    size_t at = 0;
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        const size_t end = heed__sentence_end(text, sizeof text - 1, at);
        assert_int_equal(end - at, strlen(expected[i]));
        assert_memory_equal(text + at, expected[i], end - at);
        at = end;
    }
    assert_int_equal(at, sizeof text - 1);
}

static void shelves(void **state) {
    (void)state;
    static const char *const text[] = { "the red parcel", "a blue parcel and a blue box",
                                        "nothing" };
    heed_shelf s;
    heed_near near[3];
    heed_error err;
    assert_int_equal(heed__shelf_fill(&s, 3, text, NULL, &err), 0);
    assert_int_equal(heed__shelf_ask(&s, &(heed_query){ .text = "blue boxes" }, near, &err), 0);
    assert_true(near[1].words > near[0].words && near[0].words == 0);
    assert_int_equal(heed__shelf_ask(&s, &(heed_query){ .text = "parcel" }, near, &err), 0);
    assert_true(near[0].words > near[1].words && near[1].words > 0);
    assert_true(near[0].cover == 1 && near[2].cover == 0);
    assert_true(heed__shelf_cover(&s, &(heed_query){ .text = "red zebra" }, text[0],
                                  strlen(text[0])) <= 0.5);
    heed__shelf_free(&s);
    assert_int_equal(heed__shelf_fill(&s, 0, NULL, NULL, &err), 0);
    assert_int_equal(heed__shelf_ask(&s, &(heed_query){ .text = "parcel" }, near, &err), 0);
    heed__shelf_free(&s);
}

static void files_that_are_wrong(void **state) {
    (void)state;
    static const struct {
        const char *file, *why;
        bool slots;
    } files[] = {
        { "tests/serve/data/desk/none.tsv", "none.tsv", false },
        { "tests/serve/data/desk/bad_reply.jsonl", "bad_reply.jsonl:2: no \"reply\"", false },
        { "tests/serve/data/desk/bad_slot.yaml", "bad_slot.yaml:3:14: no pattern: ", true },
        { "tests/serve/data/desk/bad_key.yaml", "bad_key.yaml:1:1: unknown key 'slot'", true },
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        heed_error err = { 0 };
        heed_desk_cfg c = { .replies = "tests/serve/data/desk/replies.tsv" };
        *(files[i].slots ? &c.slots : &c.replies) = files[i].file;
        heed_desk *d = heed_desk_open(&(heed_flow){ .desk = &c }, NULL, NULL, &err);
        assert_null(d);
        if (!strstr(err.msg, files[i].why)) fail_msg("%s", err.msg);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(terms),
        cmocka_unit_test(sentences),
        cmocka_unit_test(shelves),
        cmocka_unit_test(canned_replies_with_their_slots),
        cmocka_unit_test(a_slot_that_is_known_is_not_asked_for),
        cmocka_unit_test(asked_twice_then_a_person),
        cmocka_unit_test(passages_word_for_word),
        cmocka_unit_test(a_person_gets_turns_and_facts),
        cmocka_unit_test(the_same_again),
        cmocka_unit_test(it_is_what_was_spoken_of),
        cmocka_unit_test(wrong_messages_and_states),
        cmocka_unit_test(forged_states_gain_nothing),
        cmocka_unit_test(strange_messages),
        cmocka_unit_test(only_the_last_turns_are_kept),
        cmocka_unit_test(files_that_are_wrong),
    };
    return cmocka_run_group_tests_name("desk", tests, open_desk, close_desk);
}
