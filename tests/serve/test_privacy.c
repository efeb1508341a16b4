/* What a person can be known by is gone before it is kept: planted data is pushed into a running
 * server as texts, titles and fields, and then looked for in every byte that it left on the
 * disk. */
#include "cmocka_all.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "serve_tools.h"

enum { PLANTED = 400, LINE = 1024, AT_ONCE = 50 };

static char planted[PLANTED][128];
static int plants;

static const char flow[] = "name: private\n"
                           "redact: [mail, phone, card, id, iban, ip]\n"
                           "sources: { push: { kind: push } }\n"
                           "analyses:\n"
                           "  intent: { kind: classify, model: @/models/intent }\n"
                           "  language: { kind: language, model: @/models/language }\n"
                           "  seen: { kind: novelty }\n"
                           "rules:\n"
                           "  all: { kind: match, when: { source: [push] }, hold: 1s, to: [out] }\n"
                           "sinks: { out: { kind: file, path: out.jsonl } }\n";

/* Every 9th line of the planted set; its numbers are long enough not to stand there by chance. */
static json_t *read_planted(void) {
    FILE *f = fopen(HEED_SOURCE_DIR "/tests/flow/redact/planted.tsv", "r");
    assert_non_null(f);
    json_t *events = json_array();
    char line[LINE];
    for (int i = 0; fgets(line, sizeof line, f) && plants < PLANTED; i++) {
        char *what = strchr(line, '\t'), *text = what ? strchr(what + 1, '\t') : NULL;
        if (i % 9 != 1 || !text || text - what < 9) continue;
        *text++ = 0, what++;
        text[strcspn(text, "\n")] = 0;
        if (strlen(what) >= sizeof planted[0]) continue;
        memcpy(planted[plants++], what, strlen(what) + 1);
        json_t *event = json_pack("{s:s, s:s, s:{s:[s], s:s}}", i % 2 ? "text" : "title", text,
                                  i % 2 ? "title" : "text", "about a card that was lost", "fields",
                                  "list", text, "number", what);
        assert_non_null(event);
        json_array_append_new(events, event);
    }
    (void)fclose(f);
    return events;
}

static bool within(const char *data, size_t size, const char *text) {
    return memmem(data, size, text, strlen(text)) != NULL;
}

/* Looks for all that was planted in a file's bytes; how many are there. */
static int left_in(const char *path) {
    FILE *f = fopen(path, "r");
    struct stat is;
    assert_non_null(f);
    assert_int_equal(fstat(fileno(f), &is), 0);
    char *data = malloc((size_t)is.st_size + 1);
    assert_int_equal(fread(data, 1, (size_t)is.st_size, f), is.st_size);
    int left = 0;
    for (int i = 0; i < plants; i++) {
        if (!within(data, (size_t)is.st_size, planted[i])) continue;
        print_message("%s holds %s\n", path, planted[i]);
        left++;
    }
    free(data);
    (void)fclose(f);
    return left;
}

static void test_nothing_left(void **state) {
    (void)state;
    served s;
    served_make(&s, flow);
    served_start(&s);
    json_t *events = read_planted(), *batch = json_array(), *one;
    assert_true(plants >= 300);
    size_t i;
    json_array_foreach(events, i, one) {
        json_array_append(batch, one);
        if (json_array_size(batch) < AT_ONCE && i + 1 < json_array_size(events)) continue;
        char *body = json_dumps(batch, 0);
        json_decref(served_post(&s, "/v1/events", body));
        free(body);
        json_array_clear(batch);
    }
    served_decided(&s, (json_int_t)json_array_size(events));
    json_t *answer = served_get(&s, "/v1/events?most=1000");
    assert_int_equal(json_array_size(json_object_get(answer, "events")), json_array_size(events));
    char *text = json_dumps(answer, 0);
    int left = 0;
    for (int p = 0; p < plants; p++) left += within(text, strlen(text), planted[p]);
    assert_int_equal(left, 0);
    assert_true(within(text, strlen(text), "[phone]") && within(text, strlen(text), "[iban]"));
    free(text);
    json_decref(answer);
    json_decref(events);
    json_decref(batch);
    served_stop(&s);
    DIR *dir = opendir(s.dir);
    int files = 0;
    assert_non_null(dir);
    for (struct dirent *e; (e = readdir(dir)) != NULL;) {
        char path[400];
        struct stat is;
        (void)snprintf(path, sizeof path, "%s/%s", s.dir, e->d_name);
        if (stat(path, &is) != 0 || !S_ISREG(is.st_mode)) continue;
        left += left_in(path);
        files++;
        if (strncmp(e->d_name, "heed.db", 7) == 0) assert_int_equal(is.st_mode & 0777, 0600);
    }
    closedir(dir);
    assert_true(files >= 2);
    assert_int_equal(left, 0);
    served_remove(&s);
}

static const char names[] = "name: names\n"
                            "redact: [mail, name]\n"
                            "sources: { push: { kind: push } }\n"
                            "analyses:\n"
                            "  who: { kind: tag, model: tagger }\n";

/* Names by a tagger, in texts and in fields; a flow without one is refused. */
static void test_names(void **state) {
    (void)state;
    served s;
    char command[512];
    const char *heed = getenv("HEED");
    served_make(&s, names);
    (void)snprintf(
        command, sizeof command,
        "%s train tag %s/tests/cli/data/people.conll -o %s/tagger --epochs 30 --patience "
        "30 --embed 16 --features 16 --hidden 16 --lr 0.02 --run none >/dev/null 2>&1",
        heed ? heed : "build/heed", HEED_SOURCE_DIR, s.dir);
    assert_int_equal(system(command), 0);
    served_start(&s);
    json_t *taken = served_post(&s, "/v1/events",
                                "[{\"text\":\"Jonas Ekman lives in Odense . j@x.org\",\"fields\":"
                                "{\"from\":\"Hugo Dorner lives in Odense .\"}}]");
    const json_int_t seq = json_integer_value(json_array_get(json_object_get(taken, "seqs"), 0));
    json_decref(taken);
    served_decided(&s, seq);
    char path[64];
    (void)snprintf(path, sizeof path, "/v1/events/%lld", (long long)seq);
    json_t *event = served_get(&s, path);
    assert_string_equal(text_at(event, "text"), "[name] lives in Odense . [mail]");
    assert_string_equal(text_at(json_object_get(event, "fields"), "from"),
                        "[name] lives in Odense .");
    json_decref(event);
    served_stop(&s);
    (void)snprintf(command, sizeof command, "rm -rf %s/tagger", s.dir);
    assert_int_equal(system(command), 0);
    served_flow(&s, "name: none\nredact: [name]\nsources: { push: { kind: push } }\n");
    (void)snprintf(command, sizeof command,
                   "%s serve %s/flow.yaml --listen 127.0.0.1:0 --seconds 5 2>&1 |"
                   " grep -q \"redact.*name\"",
                   heed ? heed : "build/heed", s.dir);
    assert_int_equal(system(command), 0);
    served_remove(&s);
}

static const char counted[] =
    "name: counted\nstore: heed.db\n"
    "sources: { push: { kind: push } }\n"
    "analyses: { risk: { kind: risk, grades: { high: { words: [fraud] } } } }\n"
    "rules:\n"
    "  many: { kind: count, when: { risk: high }, window: 1h, least: 5, hold: 1s }\n"
    "  danger: { kind: match, when: { risk: high }, by: [user] }\n"
    "stories: {}\n";

static int of_store(const served *s, const char *command) {
    char text[600];
    const char *heed = getenv("HEED");
    (void)snprintf(text, sizeof text, "%s %s --store %s/heed.db >/dev/null 2>&1",
                   heed ? heed : "build/heed", command, s->dir);
    const int status = system(text);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

/* After somebody is forgotten the rules decide about what remains as if nothing else had been: a
 * replay gives what is stored, and alerts that only the forgotten opened are gone. */
static void test_decided_anew(void **state) {
    (void)state;
    served s;
    char replay[128];
    served_make(&s, counted);
    served_start(&s);
    for (int i = 0; i < 12; i++) {
        char body[128];
        (void)snprintf(body, sizeof body, "{\"text\":\"fraud number %d here\",\"user\":\"u%d\"}", i,
                       i % 3);
        json_decref(served_post(&s, "/v1/events", body));
    }
    served_decided(&s, 13);
    assert_int_equal(served_stop(&s), 0);
    (void)snprintf(replay, sizeof replay, "db replay %s/flow.yaml", s.dir);
    assert_int_equal(of_store(&s, replay), 0);
    assert_int_equal(of_store(&s, "forget u1"), 0);
    served_start(&s);
    json_t *a = served_get(&s, "/v1/alerts?state=open"), *one;
    size_t i;
    assert_int_equal(json_array_size(json_object_get(a, "alerts")), 3);
    json_array_foreach(json_object_get(a, "alerts"), i, one)
        assert_null(strstr(text_at(one, "title"), "u1"));
    json_decref(a);
    a = served_post(&s, "/v1/events", "{\"text\":\"fraud once more\",\"user\":\"u0\"}");
    json_decref(a);
    served_decided(&s, 14); /* and it goes on from there */
    assert_int_equal(served_stop(&s), 0);
    assert_int_equal(of_store(&s, replay), 0);
    served_remove(&s);
}

static void post_at(const served *s, const char *user, const char *time) {
    char body[160];
    (void)snprintf(body, sizeof body, "{\"text\":\"hello\",\"user\":\"%s\",\"time\":\"%s\"}", user,
                   time);
    json_decref(served_post(s, "/v1/events", body));
}

/* An alert that was opened under rules which others replaced for a while, and which are in force
 * again: after somebody else is forgotten it is as these rules leave it, not open for ever. */
static void test_rules_come_back(void **state) {
    (void)state;
    static const char *const hold[] = { "1m", "2m", "1m" };
    static const char *const time[] = { "2026-01-01T01:00:00Z", "2026-01-01T01:30:00Z",
                                        "2026-01-01T03:00:00Z" };
    served s;
    for (int i = 0; i < 3; i++) {
        char text[400];
        (void)snprintf(text, sizeof text,
                       "name: back\nstore: heed.db\nclock: events\n"
                       "sources: { push: { kind: push } }\n"
                       "rules:\n"
                       "  many: { kind: count, by: [user], window: 1m, least: 2, hold: %s }\n",
                       hold[i]);
        if (i == 0)
            served_make(&s, text);
        else
            served_flow(&s, text);
        served_start(&s);
        if (i == 0) post_at(&s, "ann", time[0]), post_at(&s, "ann", time[0]);
        post_at(&s, "zed", time[i]);
        served_decided(&s, i == 0 ? 4 : 4 + 2 * i);
        assert_int_equal(served_stop(&s), 0);
    }
    assert_int_equal(of_store(&s, "forget zed"), 0);
    served_start(&s);
    json_t *a = served_get(&s, "/v1/alerts?state=closed");
    assert_int_equal(json_array_size(json_object_get(a, "alerts")), 1);
    json_decref(a);
    assert_int_equal(served_stop(&s), 0);
    served_remove(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_nothing_left),
                                        cmocka_unit_test(test_decided_anew),
                                        cmocka_unit_test(test_rules_come_back),
                                        cmocka_unit_test(test_names) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
