/* test_serve.c: `heed serve` from end to end, over a real socket: texts asked about, events taken,
 * found, decided and told, looked at again, a reload while requests come, a disk that is full. */
#include "serve_tools.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static const char flow[] = "name: test\n"
                           "store: heed.db\n"
                           "redact: [mail]\n"
                           "sources: { push: { kind: push } }\n"
                           "analyses:\n"
                           "  intent: { kind: classify, model: @/models/intent }\n"
                           "  vectors: { kind: embed, model: @/models/intent }\n"
                           "  seen: { kind: novelty }\n"
                           "  risk: { kind: risk, grades: { high: { words: [fraud] } } }\n"
                           "rules:\n"
                           "  danger: { kind: match, when: { risk: high } }\n"
                           "stories: {}\n";

static int start(void **state) {
    served *s = malloc(sizeof *s);
    served_make(s, flow);
    served_start(s);
    *state = s;
    return 0;
}

static int stop(void **state) {
    served_remove(*state);
    free(*state);
    return 0;
}

/* -- texts ------------------------------------------------------------------------------------ */

static void classifies(void **state) {
    const served *s = *state;
    json_t *a = served_post(s, "/v1/classify", "{\"text\":\"my card was charged twice\"}");
    assert_string_equal(text_at(a, "label"), "transaction_charged_twice");
    assert_true(real_at(a, "confidence") > 0.9);
    assert_int_equal(json_array_size(json_object_get(a, "labels")), 5);
    assert_true(json_is_false(json_object_get(a, "abstained")));
    assert_int_equal(int_at(a, "tokens_seen"), 5);
    assert_int_equal(int_at(a, "tokens_total"), 5);
    json_decref(a);
    /* of what it knows nothing it says so, and its best guess nevertheless */
    a = served_post(s, "/v1/classify", "{\"text\":\"zxq wvut\",\"most\":2}");
    assert_true(json_is_true(json_object_get(a, "abstained")));
    assert_true(json_is_string(json_object_get(a, "label")));
    assert_int_equal(json_array_size(json_object_get(a, "labels")), 2);
    json_decref(a);
    /* many at once, in their order, as each by itself */
    a = served_post(s, "/v1/classify",
                    "{\"texts\":[\"where is my card\",\"set an alarm\",\"my card was charged "
                    "twice\",\"\",\"a\",\"b\"]}");
    const json_t *list = json_object_get(a, "results");
    assert_int_equal(json_array_size(list), 6);
    assert_string_equal(text_at(json_array_get(list, 1), "label"), "alarm");
    json_t *one = served_post(s, "/v1/classify", "{\"text\":\"my card was charged twice\"}");
    assert_true(json_equal(one, json_array_get(list, 2)));
    json_decref(one);
    json_decref(a);
}

static void refuses_what_is_no_text(void **state) {
    const struct {
        const char *path, *body, *says;
        int status;
    } c[] = {
        { "/v1/classify", "{", "", 400 },
        { "/v1/classify", "[]", "body is no object", 400 },
        { "/v1/classify", "{}", "body has no 'text'", 400 },
        { "/v1/classify", "{\"text\":7}", "body.text is no string", 400 },
        { "/v1/classify", "{\"texts\":[]}", "body.texts has fewer than 1 items", 400 },
        { "/v1/classify", "{\"texts\":[1]}", "body.texts[0] is no string", 400 },
        { "/v1/classify", "{\"text\":\"a\",\"most\":0}", "body.most is less than 1", 400 },
        { "/v1/classify", "{\"text\":\"a\",\"analysis\":\"mood\"}",
          "no analysis 'mood' of the kind classify", 404 },
        { "/v1/classify", "{\"text\":\"a\",\"model\":\"zh\"}", "body.model is not known", 400 },
        { "/v1/classify", "{\"texts\":[\"a\"],\"mots\":2}", "body.mots is not known", 400 },
        { "/v1/classify", "{\"text\":\"a\",\"texts\":[\"a\"]}",
          "body is more than one of the things that it could be", 400 },
        { "/v1/tag", "{\"text\":\"a\",\"most\":2}", "body.most is not known", 400 },
        { "/v1/tag", "{\"text\":\"a\"}", "this flow has no analysis of the kind tag", 404 },
        { "/v1/explain", "{}", "body has no 'text'", 400 },
        { "/v1/explain", "{\"seq\":99}", "there is no event 99", 404 },
        { "/v1/embeddings", "{\"input\":\"a\",\"model\":\"gpt\"}",
          "no model 'gpt' that gives vectors; /v1/models lists all", 404 },
        { "/v1/events", "{}", "body has no 'text'", 400 },
        { "/v1/events", "{\"text\":\"a\",\"source\":\"feed\"}",
          "the flow has no source 'feed' of the kind push", 404 },
        { "/v1/events", "{\"text\":\"a\",\"time\":\"soon\"}",
          "time is 'soon', which is no time such as 2026-01-31T12:00:00Z", 400 },
        { "/v1/events", "{\"text\":\"a\",\"fields\":[]}",
          "body.fields is of a type that it cannot have", 400 },
        { "/v1/events", "{\"text\":\"a\",\"titel\":\"b\"}", "body.titel is not known", 400 },
        { "/v1/events", "[{\"text\":\"a\"},{\"text\":\"a\",\"lang\":\"en\"}]",
          "body[1].lang is not known", 400 },
        { "/v1/events", "{\"events\":[{\"text\":\"a\",\"lang\":\"en\"}]}",
          "body.events[0].lang is not known", 400 },
        { "/v1/explain", "{\"seq\":99,\"anlysis\":\"a\"}", "body.anlysis is not known", 400 },
        { "/v1/feedback", "{\"seq\":1,\"vote\":\"up\",\"note\":\"\"}", "body.note is not known",
          400 },
        { "/v1/feedback", "{\"seq\":1}", "body has no 'vote'", 400 },
        { "/v1/feedback", "{\"seq\":1,\"vote\":\"up\",\"analysis\":\"intent\"}",
          "body.analysis is not known", 400 },
        { "/v1/feedback", "{\"seq\":1,\"vote\":\"up\",\"label\":\"other\"}",
          "body.label is not known", 400 },
        { "/v1/feedback", "{\"seq\":1,\"vote\":\"up\",\"analysis\":\"intent\",\"label\":\"other\"}",
          "body.analysis is not known", 400 },
        { "/v1/feedback", "{\"seq\":99,\"vote\":\"up\"}", "there is no event 99", 404 },
        { "/v1/undo", "{\"entry\":99}", "entry 99 is no feedback or action", 404 },
        { "/v1/alerts/7", "{\"do\":\"ack\"}", "there is no alert 7", 404 },
        { "/v1/alerts/x", "{\"do\":\"ack\"}", "id is no integer", 400 },
    };
    for (size_t i = 0; i < sizeof c / sizeof *c; i++) {
        json_t *a;
        assert_int_equal(served_ask(*state, "POST", c[i].path, c[i].body, &a), c[i].status);
        assert_int_equal(int_at(a, "status"), c[i].status);
        if (*c[i].says) assert_string_equal(text_at(a, "detail"), c[i].says);
        json_decref(a);
    }
}

static void explains(void **state) {
    json_t *a = served_post(*state, "/v1/explain",
                            "{\"text\":\"\\u00e9t\\u00e9 my card was charged twice\"}");
    const json_t *words = json_object_get(a, "words"), *receipt = json_object_get(a, "receipt");
    assert_int_equal(json_array_size(words), 6);
    double sum = 0;
    for (size_t i = 0; i < 6; i++) sum += real_at(json_array_get(words, i), "weight");
    assert_true(sum > 0.999 && sum < 1.001);
    const json_t *my = json_array_get(words, 1); /* after two letters of two bytes */
    assert_string_equal(text_at(my, "text"), "my");
    assert_int_equal(int_at(my, "begin"), 6);
    assert_int_equal(int_at(my, "from"), 4);
    const json_t *without = json_object_get(receipt, "without_attended");
    const json_t *random = json_object_get(receipt, "without_random");
    assert_true(json_array_size(json_object_get(without, "removed")) > 0);
    assert_true(real_at(without, "confidence_in_label") < real_at(random, "confidence_in_label"));
    json_t *again = served_post(*state, "/v1/explain",
                                "{\"text\":\"\\u00e9t\\u00e9 my card was charged twice\"}");
    assert_true(json_equal(a, again)); /* what is drawn follows from the text */
    json_decref(again);
    assert_true(json_is_false(json_object_get(a, "alike")));
    json_decref(a);
    a = served_post(*state, "/v1/explain", "{\"text\":\"card card card\"}");
    assert_int_equal(json_array_size(json_object_get(a, "words")), 3);
    assert_true(json_is_true(json_object_get(a, "alike")));
    json_decref(a);
    a = served_post(*state, "/v1/explain", "{\"text\":\"card\"}"); /* nothing to be told from */
    assert_true(json_is_false(json_object_get(a, "alike")));
    json_decref(a);
}

static void speaks_as_others_do(void **state) {
    json_t *a = served_post(*state, "/v1/embeddings",
                            "{\"input\":[\"where is my card\",\"my card, where is it\",\"set an "
                            "alarm\"],\"model\":\"intent\"}");
    const json_t *data = json_object_get(a, "data");
    const json_t *v[3];
    for (size_t i = 0; i < 3; i++) {
        v[i] = json_object_get(json_array_get(data, i), "embedding");
        assert_int_equal(int_at(json_array_get(data, i), "index"), i);
    }
    double near = 0, far = 0;
    for (size_t i = 0; i < json_array_size(v[0]); i++) {
        near += json_real_value(json_array_get(v[0], i)) * json_real_value(json_array_get(v[1], i));
        far += json_real_value(json_array_get(v[0], i)) * json_real_value(json_array_get(v[2], i));
    }
    assert_true(near > 0.8 && near > far && near < 1.0001);
    const size_t dim = json_array_size(v[0]);
    json_t *b = served_post(*state, "/embed", "{\"inputs\":\"where is my card\"}");
    assert_true(json_equal(json_array_get(b, 0), v[0]));
    json_decref(b);
    json_decref(a);
    a = served_post(*state, "/v1/embeddings",
                    "{\"input\":\"a card\",\"encoding_format\":\"base64\"}");
    const json_t *first = json_array_get(json_object_get(a, "data"), 0);
    assert_int_equal(strlen(text_at(first, "embedding")), (4 * dim + 2) / 3 * 4);
    json_decref(a);
    a = served_post(*state, "/predict", "{\"inputs\":\"where is my card\"}");
    assert_true(json_array_size(a) == 16 && real_at(json_array_get(a, 0), "score") > 0.5);
    json_decref(a);
    a = served_get(*state, "/v1/models");
    const json_t *model = json_array_get(json_object_get(a, "data"), 0);
    assert_string_equal(text_at(model, "object"), "model");
    assert_string_equal(text_at(model, "id"), "intent");
    assert_int_equal(strlen(text_at(model, "sha")), 64);
    json_t *same = served_get(*state, "/v1/models/intent");
    assert_true(json_equal(same, model));
    json_decref(same);
    json_decref(a);
}

/* -- events ----------------------------------------------------------------------------------- */

static const json_t *finding(const json_t *event, const char *name) {
    const json_t *f;
    size_t i;
    json_array_foreach(json_object_get(event, "findings"), i,
                       f) if (strcmp(text_at(f, "name"), name) == 0) return f;
    fail_msg("no finding %s", name);
    return NULL;
}

static void takes_and_tells(void **state) {
    const served *s = *state;
    json_t *a = served_post(s, "/v1/events",
                            "[{\"id\":\"1\",\"text\":\"where is my new card, write to "
                            "anna@example.org\",\"user\":\"anna\",\"fields\":{\"a\":1}},"
                            "{\"id\":\"2\",\"text\":\"this is fraud\"},"
                            "{\"id\":\"1\",\"text\":\"where is my new card\"}]");
    assert_int_equal(int_at(a, "taken"), 2);
    assert_int_equal(int_at(a, "known"), 1);
    const json_t *seqs = json_object_get(a, "seqs");
    const json_int_t seq = json_integer_value(json_array_get(seqs, 0));
    assert_true(json_equal(json_array_get(seqs, 0), json_array_get(seqs, 2)));
    served_decided(s, seq + 1);
    char path[64];
    snprintf(path, sizeof path, "/v1/events/%lld", (long long)seq);
    json_t *event = served_get(s, path);
    assert_string_equal(text_at(event, "text"), "where is my new card, write to [mail]");
    assert_string_equal(text_at(event, "user"), "anna");
    assert_int_equal(int_at(json_object_get(event, "fields"), "a"), 1);
    assert_string_equal(text_at(finding(event, "intent"), "label"), "card_arrival");
    assert_string_equal(text_at(finding(event, "seen"), "label"), "new");
    json_decref(event);
    json_decref(a);
    a = served_get(s, "/v1/alerts?state=open");
    const json_t *alert = json_array_get(json_object_get(a, "alerts"), 0);
    assert_string_equal(text_at(alert, "rule"), "danger");
    snprintf(path, sizeof path, "/v1/alerts/%lld", (long long)int_at(alert, "id"));
    json_t *done = served_post(s, path, "{\"do\":\"ack\",\"note\":\"seen\"}");
    assert_string_equal(text_at(done, "state"), "acknowledged");
    json_decref(done);
    json_decref(a);
    snprintf(path, sizeof path, "/v1/why?seq=%lld", (long long)seq);
    a = served_get(s, path);
    const json_t *rule = json_array_get(json_object_get(a, "rules"), 0);
    assert_true(json_is_false(json_object_get(rule, "fired")));
    json_decref(a);
    a = served_get(s, "/v1/search?q=new+card");
    const json_t *hit = json_array_get(json_object_get(a, "hits"), 0);
    assert_int_equal(int_at(json_object_get(hit, "event"), "seq"), seq);
    json_decref(a);
    a = served_get(s, "/v1/monitor?by=intent&step=60000");
    assert_true(json_array_size(json_object_get(a, "series")) > 0);
    assert_int_equal(json_array_size(json_object_get(a, "alerts")), 1);
    assert_null(json_object_get(a, "note"));
    json_decref(a);
    a = served_get(s, "/v1/monitor?by=intent&step=60000&source=push");
    assert_non_null(strstr(text_at(a, "note"), "what is usual of this source alone is not known"));
    json_decref(a);
}

static void feedback_and_undo(void **state) {
    const served *s = *state;
    json_t *a = served_post(s, "/v1/events", "{\"text\":\"where is my card\"}");
    const json_int_t seq = json_integer_value(json_array_get(json_object_get(a, "seqs"), 0));
    json_decref(a);
    char path[64], body[128];
    snprintf(path, sizeof path, "/v1/events/%lld", (long long)seq);
    snprintf(body, sizeof body, "{\"seq\":%lld,\"vote\":\"up\"}", (long long)seq);
    a = served_post(s, "/v1/feedback", body);
    json_t *event = served_get(s, path);
    assert_string_equal(text_at(event, "vote"), "up");
    json_decref(event);
    snprintf(body, sizeof body, "{\"entry\":%lld}", (long long)int_at(a, "seq"));
    json_decref(a);
    json_decref(served_post(s, "/v1/undo", body));
    event = served_get(s, path);
    assert_true(json_is_null(json_object_get(event, "vote")));
    json_decref(event);
    snprintf(body, sizeof body, "{\"seq\":%lld,\"analysis\":\"intent\",\"label\":\"other\"}",
             (long long)seq);
    json_decref(served_post(s, "/v1/feedback", body));
    event = served_get(s, path);
    assert_string_equal(text_at(json_object_get(event, "corrected"), "intent"), "other");
    json_decref(event);
}

/* One that a story does not tell is split off by a person, and that is undone. */
static void splits_stories(void **state) {
    served *s = *state;
    static const char text[] =
        "The central bank raises its interest rate by half a point on Tuesday";
    char body[400];
    snprintf(body, sizeof body, "[{\"text\":\"%s\"},{\"text\":\"%s\"}]", text, text);
    json_t *a = served_post(s, "/v1/events", body);
    const json_int_t first = json_integer_value(json_array_get(json_object_get(a, "seqs"), 0));
    json_decref(a);
    served_decided(s, first + 1);
    char story[64], split[96];
    snprintf(story, sizeof story, "/v1/stories/%lld", (long long)first);
    snprintf(split, sizeof split, "%s/split", story);
    static const size_t told[] = { 2, 1, 2 };
    json_int_t entry = 0;
    for (int i = 0; i < 3; i++) {
        a = served_get(s, story);
        assert_int_equal(json_array_size(json_object_get(a, "events")), told[i]);
        json_decref(a);
        if (i == 2) break;
        snprintf(body, sizeof body, "{\"%s\":%lld}", i ? "entry" : "seq",
                 (long long)(i ? entry : first + 1));
        a = served_post(s, i ? "/v1/undo" : split, body);
        entry = int_at(a, "seq");
        json_decref(a);
        served_decided(s, entry);
    }
}

static void streams(void **state) {
    served *s = *state;
    const int fd = served_listen(s, "/v1/stream?topics=event");
    char *text = served_hear(fd, ": here"); /* from now on it hears all */
    assert_non_null(strstr(text, "text/event-stream"));
    free(text);
    json_decref(served_post(s, "/v1/events", "{\"text\":\"a stream of \\\"words\\\"\"}"));
    text = served_hear(fd, "}\n\n");
    close(fd);
    char *data = strstr(text, "event: event\ndata: ");
    assert_non_null(data);
    data = strchr(data, '{');
    data[strcspn(data, "\r\n")] = 0;
    json_t *told = json_loads(data, 0, NULL);
    assert_non_null(told);
    assert_string_equal(text_at(told, "text"), "a stream of \"words\"");
    /* the same that can be looked at */
    char path[64];
    snprintf(path, sizeof path, "/v1/events/%lld", (long long)int_at(told, "seq"));
    json_t *looked = served_get(s, path);
    const char *name;
    json_t *value;
    json_object_foreach(told, name, value) {
        if (strcmp(name, "story") == 0 || strcmp(name, "findings") == 0 ||
            strcmp(name, "rank") == 0)
            continue; /* scores are told to six decimals */
        if (!json_equal(value, json_object_get(looked, name))) fail_msg("%s is another", name);
    }
    assert_int_equal(json_array_size(json_object_get(told, "findings")),
                     json_array_size(json_object_get(looked, "findings")));
    json_decref(looked);
    json_decref(told);
    free(text);
    assert_int_equal(served_ask(s, "GET", "/v1/stream?topics=news", NULL, NULL), 400);
}

/* -- going on --------------------------------------------------------------------------------- */

typedef struct asker {
    const served *s;
    atomic_bool end;
    atomic_int asked;
    int failed;
} asker;

static void *ask_on(void *arg) {
    asker *a = arg;
    for (; !atomic_load(&a->end); atomic_fetch_add(&a->asked, 1))
        a->failed += served_ask(a->s, "POST", "/v1/classify", "{\"text\":\"a card\"}", NULL) != 200;
    return NULL;
}

static void reloads_without_losing_a_request(void **state) {
    served *s = *state;
    asker a = { .s = s };
    pthread_t thread;
    pthread_create(&thread, NULL, ask_on, &a);
    for (int i = 0; i < 3; i++) {
        char text[sizeof flow + 64];
        snprintf(text, sizeof text, "%s\nmax_batch: %d\n", flow, 10 + i);
        served_flow(s, text);
        json_t *r = served_post(s, "/v1/reload", "{}");
        assert_true(json_is_true(json_object_get(r, "reloaded")));
        json_decref(r);
    }
    served_flow(s, "sources: { push: { kind: push } }\nanalyses: { a: { kind: clasify } }\n");
    json_t *r;
    assert_int_equal(served_ask(s, "POST", "/v1/reload", "{}", &r), 400);
    assert_non_null(strstr(text_at(r, "detail"), "clasify")); /* and all is as before */
    json_decref(r);
    while (atomic_load(&a.asked) < 4) usleep(1000); /* a reload may be the faster one */
    atomic_store(&a.end, true);
    pthread_join(thread, NULL);
    assert_int_equal(a.failed, 0);
    json_decref(served_post(s, "/v1/events", "{\"text\":\"after it\"}"));
}

static void goes_on_after_a_stop(void **state) {
    served *s = *state;
    json_decref(served_post(s, "/v1/events",
                            "[{\"id\":\"a\",\"text\":\"where is my new card\"},"
                            "{\"id\":\"b\",\"text\":\"fraud, I say\"}]"));
    assert_int_equal(served_stop(s), 0); /* what was taken is decided before it ends */
    served_start(s);
    json_t *a = served_post(s, "/v1/events",
                            "[{\"id\":\"a\",\"text\":\"where is my new card\"},"
                            "{\"id\":\"c\",\"text\":\"where is my new card?\"}]");
    assert_int_equal(int_at(a, "known"), 1);
    const json_int_t seq = json_integer_value(json_array_get(json_object_get(a, "seqs"), 1));
    json_decref(a);
    served_decided(s, seq);
    char path[64];
    snprintf(path, sizeof path, "/v1/events/%lld", (long long)seq);
    a = served_get(s, path);
    assert_string_equal(text_at(finding(a, "seen"), "label"), "seen"); /* it remembers */
    json_decref(a);
    a = served_get(s, "/v1/alerts");
    assert_int_equal(json_array_size(json_object_get(a, "alerts")), 1);
    json_decref(a);
}

static void survives_a_full_disk(void **state) {
    served *s = *state;
    served_kill(s, SIGKILL);
    s->file_most = 600000;
    served_start(s);
    char *body = malloc(70000);
    int taken = 0, refused = 0;
    json_int_t last = 0;
    for (int i = 0; i < 100 && refused < 2; i++) {
        memset(body, 'x', 69999);
        const int n = snprintf(body, 100, "{\"id\":\"%d\",\"text\":\"disk %d ", i, i);
        body[n] = 'x';
        memcpy(body + 60000, "\"}", 3);
        json_t *a;
        const int status = served_ask(s, "POST", "/v1/events", body, &a);
        if (status == 202) {
            taken++;
            last = json_integer_value(json_array_get(json_object_get(a, "seqs"), 0));
        } else {
            assert_int_equal(status, 503);
            refused++;
        }
        json_decref(a);
    }
    assert_true(taken > 0 && refused == 2);
    assert_int_equal(served_ask(s, "GET", "/health", NULL, NULL), 200);
    /* there is room again */
    const struct rlimit room = { RLIM_INFINITY, RLIM_INFINITY };
    assert_int_equal(prlimit(s->pid, RLIMIT_FSIZE, &room, NULL), 0);
    json_t *a = served_post(s, "/v1/events", "{\"id\":\"end\",\"text\":\"room\"}");
    assert_true(json_integer_value(json_array_get(json_object_get(a, "seqs"), 0)) > last);
    served_decided(s, json_integer_value(json_array_get(json_object_get(a, "seqs"), 0)));
    json_decref(a);
    a = served_get(s, "/v1/events?most=1000");
    assert_int_equal(json_array_size(json_object_get(a, "events")), taken + 1);
    json_decref(a);
    free(body);
}

static void tells_how_it_goes(void **state) {
    const served *s = *state;
    assert_int_equal(served_ask(s, "GET", "/health", NULL, NULL), 200);
    json_t *a = served_get(s, "/v1/system");
    assert_string_equal(text_at(a, "flow"), "test");
    assert_true(int_at(a, "memory") > 1000000);
    json_decref(a);
    a = served_get(s, "/v1/flow");
    assert_int_equal(json_array_size(json_object_get(a, "analyses")), 4);
    json_decref(a);
    const int fd = served_listen(s, "/metrics");
    free(served_hear(fd, "\nheed_events_total "));
    close(fd);
    a = served_get(s, "/openapi.json");
    assert_non_null(json_object_get(json_object_get(a, "paths"), "/v1/classify"));
    json_decref(a);
}

int main(void) {
#define EACH(test) cmocka_unit_test_setup_teardown(test, start, stop)
    const struct CMUnitTest tests[] = {
        EACH(classifies),
        EACH(refuses_what_is_no_text),
        EACH(explains),
        EACH(speaks_as_others_do),
        EACH(takes_and_tells),
        EACH(feedback_and_undo),
        EACH(splits_stories),
        EACH(streams),
        EACH(reloads_without_losing_a_request),
        EACH(goes_on_after_a_stop),
        EACH(survives_a_full_disk),
        EACH(tells_how_it_goes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
