/* Memory runs out while a support desk is opened, asked and tested, and while conversations become
 * its replies. */
#include "oom.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "heed/tasks.h"
#include "serve/chat.h"
#include "serve/desk_test.h"
#include "serve/dialogues.h"

static char dir[] = "/tmp/heed-oom-desk-XXXXXX", model[64], cases[64];
static heed_desk_cfg cfg = { .intent = "intent",
                             .replies = "tests/serve/data/desk/replies.tsv",
                             .kb = "tests/serve/data/desk/kb",
                             .slots = "tests/serve/data/desk/slots.yaml",
                             .least = 0.3 };
static heed_analysis_cfg analysis = { .name = "intent", .kind = "classify", .model = model };
static const heed_flow flow = { .analysis = &analysis, .analyses = 1, .desk = &cfg };
static heed_desk *desk;

static int open_desk(heed_error *err) {
    heed_desk *d = heed_desk_open(&flow, NULL, NULL, err);
    if (!d) return err->code;
    heed_desk_close(d);
    return 0;
}

/* Each message after the ones before it, so that every way of answering is gone. */
static int talk(heed_error *err) {
    static const char *const said[] = { "hello",
                                        "where is my order",
                                        "order 1234567",
                                        "how do i cancel it",
                                        "how much is gift wrapping",
                                        "who won the chess match",
                                        "speak to a human" };
    json_t *state = NULL;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < sizeof said / sizeof *said; i++) {
        json_t *a = heed_desk_answer(desk, state, said[i], err);
        rc = a ? 0 : err->code;
        json_decref(state);
        state = json_incref(json_object_get(a, "state"));
        json_decref(a);
    }
    json_decref(state);
    return rc;
}

static bool take(void *user, const void *data, size_t size) {
    (void)user;
    (void)data;
    return size > 0;
}

static json_t *body;

static int complete(heed_error *err) {
    heed_chat c;
    int rc = heed__chat_read(&c, body, NULL, err);
    json_t *answer = rc == 0 ? heed__chat_ask(desk, &c, err) : NULL;
    if (rc == 0 && !answer) rc = err->code;
    json_t *tree = answer ? heed__chat_completion(&c, answer, "1", 1) : NULL;
    if (rc == 0 && !tree) rc = HEED_ENOMEM;
    if (rc == 0) rc = heed__chat_chunks(&c, answer, "1", 1, take, NULL);
    if (rc) *err = (heed_error){ HEED_ENOMEM, "out of memory" };
    json_decref(tree);
    json_decref(answer);
    heed__chat_free(&c);
    return rc;
}

static int test(heed_error *err) {
    heed_desk_tested t;
    double weight[HEED_DESK_WEIGHTS], loss;
    const int rc = heed_desk_test(desk, cases, &t, err);
    return rc ? rc : heed_desk_learn(desk, cases, weight, &loss, err);
}

static int import(heed_error *err) {
    static const char *const files[] = { "messages.jsonl", "rows.csv", "pairs.tsv" };
    char path[96];
    const heed_pair *pair;
    int64_t n;
    heed_dialogues *d = heed_dialogues_new(NULL, err);
    int rc = d ? 0 : err->code;
    for (size_t i = 0; rc == 0 && i < sizeof files / sizeof *files; i++) {
        snprintf(path, sizeof path, "tests/serve/data/dialogues/%s", files[i]);
        rc = heed_dialogues_read(d, path, err);
    }
    if (rc == 0) rc = heed_dialogues_merge(d, &pair, &n, err);
    heed_dialogues_free(d);
    return rc;
}

static void sweeps(void **state) {
    (void)state;
    heed_error err = { 0 };
    oom_spare_json(true);
    assert_true(oom_each(open_desk) > 100);
    desk = heed_desk_open(&flow, NULL, NULL, &err);
    assert_non_null(desk);
    body = json_pack("{s:[{s:s, s:s}]}", "messages", "role", "user", "content",
                     "how do i cancel my order");
    assert_non_null(body);
    /* the model keeps the memory of its largest step */
    assert_int_equal(talk(&err) | complete(&err) | test(&err), 0);
    assert_true(oom_each(test) > 20);
    assert_true(oom_each(import) > 20);
    oom_spare_json(false);
    assert_true(oom_each(talk) > 100);
    assert_true(oom_each(complete) > 50);
    json_decref(body);
    heed_desk_close(desk);
}

static int make(void **state) {
    (void)state;
    static const char *const text[] = { "where is my order",    "track my order",
                                        "how do i cancel it",   "cancel my order",
                                        "i want my money back", "refund please" };
    static const char *const label[] = { "track_order",  "track_order", "cancel_order",
                                         "cancel_order", "refund",      "refund" };
    const heed_examples x = { .len = 6, .text = text, .label = label };
    const heed_classify_cfg c = { .recipe = "classic",
                                  .vocab = 24,
                                  .embed = 4,
                                  .hidden = 4,
                                  .heads = 2,
                                  .epochs = 20,
                                  .batch = 2,
                                  .lr = 0.05,
                                  .threads = 1 };
    heed_error err;
    if (!mkdtemp(dir)) return -1;
    snprintf(model, sizeof model, "%s/intent", dir);
    snprintf(cases, sizeof cases, "%s/cases.jsonl", dir);
    heed_classifier *m = heed_classifier_train(&x, &c, &err);
    const int rc = m ? heed_classifier_save(m, model, &err) : -1;
    heed_classifier_close(m);
    FILE *f = fopen(cases, "w");
    if (rc || !f) return -1;
    fprintf(f, "{\"question\": \"cancel it\", \"intent\": \"cancel_order\", \"history\": [\"where "
               "is my order\"], \"reply\": \"You cannot cancel an order that was shipped; send it "
               "back.\"}\n{\"question\": \"who won\", \"intent\": null}\n");
    return fclose(f);
}

static int clean(void **state) {
    (void)state;
    static const char *const files[] = { "config.json", "model.safetensors", "vocab.txt" };
    char path[128];
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(path, sizeof path, "%s/%s", model, files[i]);
        unlink(path);
    }
    unlink(cases);
    return rmdir(model) || rmdir(dir);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(sweeps) };
    return cmocka_run_group_tests_name("oom desk", tests, make, clean);
}
