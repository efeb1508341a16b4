/* The log of the store: appended, read again, numbered, timed, never doubled; and what was decided
 * about it. */
#include "cmocka_all.h"

#include <string.h>

#include "base/alloc.h"
#include "store/look.h"
#include "store_tools.h"

static void test_append_and_read(void **state) {
    heed_store *s = *state;
    heed_entry e[3] = {
        { .kind = HEED_ENTRY_EVENT, .source = "inbox", .id = "a", .text = "first", .user = "u1" },
        { .kind = HEED_ENTRY_TICK },
        { .kind = HEED_ENTRY_EVENT,
          .source = "inbox",
          .id = "b",
          .text = "second",
          .title = "t",
          .url = "https://x",
          .body = "{\"k\":1}",
          .happened_ms = 77,
          .session = "s" },
    };
    must(heed_store_append(s, e, 3, 1000, &err));
    assert_int_equal(e[0].seq, 1);
    assert_int_equal(e[2].seq, 3);
    assert_int_equal(e[2].time_ms, 1000);
    assert_int_equal(heed_store_last(s), 3);
    log_copy got;
    read_all(s, 0, &got);
    assert_int_equal(got.n, 3);
    assert_string_equal(got.line[0], "1 1000 event inbox a 0 u1 - - first - -");
    assert_string_equal(got.line[1], "2 1000 tick - - 0 - - - - - -");
    assert_string_equal(got.line[2], "3 1000 event inbox b 77 - s t second https://x {\"k\":1}");
    read_all(s, 2, &got);
    assert_int_equal(got.n, 1);
}

static void test_clock_never_goes_back(void **state) {
    heed_store *s = *state;
    const int64_t now[] = { 5000, 4000, 6000, 1 }, want[] = { 5000, 5000, 6000, 6000 };
    for (int i = 0; i < 4; i++) {
        heed_entry e = { .kind = HEED_ENTRY_TICK };
        must(heed_store_append(s, &e, 1, now[i], &err));
        assert_int_equal(e.time_ms, want[i]);
    }
}

static void test_taken_once(void **state) {
    heed_store *s = *state;
    heed_entry e[4] = {
        { .source = "a", .id = "1", .text = "x" },
        { .source = "b", .id = "1", .text = "x" },
        { .source = "a", .id = "1", .text = "again" },
        { .source = "a", .text = "no id" },
    };
    must(heed_store_append(s, e, 4, 1, &err));
    assert_int_equal(e[0].seq, 1);
    assert_int_equal(e[1].seq, 2);
    assert_int_equal(e[2].seq, -1);
    assert_int_equal(e[3].seq, 3);
    heed_entry f[2] = { { .source = "b", .id = "1", .text = "y" },
                        { .source = "a", .text = "no id" } };
    must(heed_store_append(s, f, 2, 1, &err));
    assert_int_equal(f[0].seq, -2);
    assert_int_equal(f[1].seq, 4);
    heed_entry none[2] = { { .id = "1", .text = "x" }, { .id = "1", .text = "x" } };
    must(heed_store_append(s, none, 2, 1, &err)); /* without a source it is one too */
    assert_int_equal(none[1].seq, -none[0].seq);
}

static void test_refuses(void **state) {
    heed_store *s = *state;
    heed_error err = { 0 };
    heed_entry e[2] = { { .text = "well" }, { .text = "not \xff utf-8" } };
    assert_int_equal(heed_store_append(s, e, 2, 1, &err), HEED_EINVALID);
    assert_string_equal(err.msg, "entry 1: text is not UTF-8 at byte 4");
    assert_int_equal(heed_store_last(s), 0);
    e[1] = (heed_entry){ .kind = HEED_ENTRY_FORGOTTEN };
    assert_int_equal(heed_store_append(s, e, 2, 1, &err), HEED_EINVALID);
    e[1] = (heed_entry){ .kind = HEED_ENTRY_FEEDBACK, .body = "{\"seq\":" };
    assert_int_equal(heed_store_append(s, e, 2, 1, &err), HEED_EINVALID);
    assert_int_equal(heed_store_last(s), 0); /* all or none */
    heed_commit c = { .upto = 1 };
    assert_int_equal(heed_store_commit(s, &c, &err), HEED_EINVALID);
}

static void test_commit(void **state) {
    heed_store *s = *state;
    append_text(s, "my card was lost");
    append_text(s, "where is my card");
    const heed_finding found[] = {
        { .name = "intent", .label = "card_lost", .confidence = 0.75, .detail = "{\"a\":[1]}" },
        { .name = "mood", .label = "negative", .confidence = 0.5, .abstained = true },
    };
    const heed_decided d[] = {
        { .seq = 1,
          .finding = found,
          .findings = 2,
          .story = 1,
          .rank = 0.5,
          .gates = "{\"r\":\"fired\"}" },
        { .seq = 2, .finding = found, .findings = 1, .story = 1, .rank = 0.25 },
    };
    const heed_alert alert = { .id = 100,
                               .seq = 1,
                               .time_ms = 1000,
                               .rule = "r",
                               .grade = "warning",
                               .state = "open",
                               .key = "{\"intent\":\"card_lost\"}",
                               .title = "T",
                               .why = "{\"gates\":[]}" };
    const heed_message message = {
        .sink = "hook", .key = "k1", .type = "alert", .body = "{}", .due_ms = 5
    };
    heed_commit c = { .upto = 2,
                      .decided = d,
                      .decided_len = 2,
                      .alert = &alert,
                      .alerts = 1,
                      .message = &message,
                      .messages = 1,
                      .state = "STATE",
                      .state_size = 5 };
    must(heed_store_commit(s, &c, &err));
    assert_int_equal(heed_store_decided(s), 2);
    char *data;
    size_t size;
    int64_t at;
    must(heed_store_state(s, &data, &size, &at, &err));
    assert_int_equal(size, 5);
    assert_memory_equal(data, "STATE", 5);
    assert_int_equal(at, 2);
    heed__free(NULL, data);

    same_json(
        heed_look_event(s, 1, &err_),
        "{'seq':1,'id':null,'source':'test','time':'1970-01-01T00:00:01.000Z','happened':null,"
        "'user':null,'session':null,'title':null,'text':'my card was lost','url':null,"
        "'fields':{},'findings':[{'name':'intent','label':'card_lost','confidence':0.75,"
        "'abstained':false,'detail':{'a':[1]}},{'name':'mood','label':'negative',"
        "'confidence':0.5,'abstained':true,'detail':null}],'rank':0.5,'gates':{'r':'fired'},"
        "'story':{'id':1,'size':2},'vote':null,'corrected':{}}");
    heed_look look = { .text = "card" };
    json_t *list = heed_look_events(s, &look, &err_);
    assert_int_equal(json_array_size(json_object_get(list, "events")), 2);
    json_decref(list);
    look.text = "LOST";
    list = heed_look_events(s, &look, &err_);
    assert_int_equal(json_array_size(json_object_get(list, "events")), 1);
    json_decref(list);
}

static void test_outbox(void **state) {
    heed_store *s = *state;
    append_text(s, "x");
    const heed_message m[] = {
        { .sink = "hook", .key = "k1", .type = "alert", .body = "one", .due_ms = 20 },
        { .sink = "hook", .key = "k2", .type = "alert", .body = "two", .due_ms = 10 },
        { .sink = "hook", .key = "k1", .type = "alert", .body = "one again", .due_ms = 1 },
        { .sink = "file", .key = "k1", .type = "event", .body = "other", .due_ms = 1, .seq = 1 },
    };
    heed_commit c = { .upto = 1, .message = m, .messages = 4 };
    must(heed_store_commit(s, &c, &err));
    heed_message *due;
    assert_int_equal(heed_store_due(s, "hook", 15, 8, &due, &err_), 1);
    assert_string_equal(due[0].body, "two");
    heed__free(NULL, due);
    assert_int_equal(heed_store_due(s, "hook", 50, 8, &due, &err_), 2);
    assert_string_equal(due[0].key, "k2");
    assert_string_equal(due[1].body, "one");
    const int64_t first = due[0].id, second = due[1].id;
    heed__free(NULL, due);
    must(heed_store_sent(s, first, &err));
    must(heed_store_retry(s, second, 100, "503", &err));
    assert_int_equal(heed_store_due(s, "hook", 50, 8, &due, &err_), 0);
    heed__free(NULL, due);
    assert_int_equal(heed_store_due(s, "hook", 100, 8, &due, &err_), 1);
    assert_int_equal(due[0].tries, 1);
    heed__free(NULL, due);
    must(heed_store_retry(s, second, 0, "410", &err));
    assert_int_equal(heed_store_due(s, "hook", INT64_MAX, 8, &due, &err_), 0);
    heed__free(NULL, due);
    must(heed_store_commit(s, &c, &err)); /* known by their keys */
    assert_int_equal(heed_store_due(s, "hook", INT64_MAX, 8, &due, &err_), 0);
    heed__free(NULL, due);
    assert_int_equal(heed_store_due(s, "file", INT64_MAX, 8, &due, &err_), 1);
    assert_int_equal(due[0].seq, 1);
    heed__free(NULL, due);
    assert_int_equal(heed_store_sent(s, 999, NULL), HEED_ENOTFOUND);
}

static void test_values(void **state) {
    heed_store *s = *state;
    assert_null(heed_store_get(s, "offset", &err_));
    assert_int_equal(err_.code, 0);
    must(heed_store_set(s, "offset", "12", &err));
    must(heed_store_set(s, "offset", "13", &err));
    char *v = heed_store_get(s, "offset", &err_);
    assert_string_equal(v, "13");
    heed__free(NULL, v);
    must(heed_store_set(s, "offset", NULL, &err));
    assert_null(heed_store_get(s, "offset", &err_));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        EACH_STORE(test_append_and_read), EACH_STORE(test_clock_never_goes_back),
        EACH_STORE(test_taken_once),      EACH_STORE(test_refuses),
        EACH_STORE(test_commit),          EACH_STORE(test_outbox),
        EACH_STORE(test_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
