/* flow.yaml: what is understood, and the sentence for everything that is not. */
#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/alloc.h"
#include "base/file.h"
#include "flow/flow_print.h"

static const char *const whole =
    "name: support\n"
    "listen: 0.0.0.0:9000\n"
    "keys: keys.json\n"
    "store: /tmp/x.db\n"
    "keep: 90d\n"
    "clock: events\n"
    "zone: \"+08:00\"\n"
    "redact: [mail, card]\n"
    "max_wait: 2ms\n"
    "stories: {similar: 0.7}\n"
    "sources:\n"
    "  inbox: {kind: push}\n"
    "  news: {kind: feed, url: https://example.org/feed, every: 1h30m}\n"
    "  old: {kind: csv, path: old.tsv, rate: 120/m, loop: true, shuffle: true, seed: 7}\n"
    "analyses:\n"
    "  intent: {kind: classify, model: m, coverage: 0.9}\n"
    "  risk:\n"
    "    kind: risk\n"
    "    grades:\n"
    "      high: {words: [fraud, stolen]}\n"
    "      low: {when: {intent: [a, b]}}\n"
    "rules:\n"
    "  storm:\n"
    "    kind: surge\n"
    "    when: {intent: {is: card_lost, least: 0.5}, source: inbox, risk: {}}\n"
    "    by: intent\n"
    "    to: [hook, page]\n"
    "    p: 1e-4\n"
    "  many: {kind: count, least: 3, inhibit: [storm], escalate: 1h, escalate_to: [hook]}\n"
    "sinks:\n"
    "  hook: {kind: webhook, url: \"http://127.0.0.1:9/x\", secret_env: S, allow_private: true}\n"
    "  page: {kind: page}\n"
    "  post: {kind: mail, address: a@example.org, rate: 5/h}\n"
    "desk: {intent: intent, greeting: Hello, least: 0.4}\n";

static heed_flow *parse(const char *text, heed_error *err) {
    *err = (heed_error){ 0 };
    return heed_flow_parse(text, strlen(text), "dir/flow.yaml", false, NULL, err);
}

static void test_whole(void **state) {
    (void)state;
    heed_error err;
    heed_flow *f = parse(whole, &err);
    if (!f) fail_msg("%s", err.msg);
    assert_string_equal(f->path, "dir/flow.yaml");
    assert_int_equal(strlen(f->sha), 64);
    assert_string_equal(f->name, "support");
    assert_string_equal(f->listen, "0.0.0.0:9000");
    assert_string_equal(f->keys, "dir/keys.json");
    assert_string_equal(f->store, "/tmp/x.db");
    assert_int_equal(f->keep_ms, 90 * 86400000LL);
    assert_true(f->event_clock && f->stories && f->ranking && !f->durable);
    assert_true(f->story_similar == 0.7);
    assert_int_equal(f->story_ms, 48 * 3600000LL);
    assert_int_equal(f->redact_len, 2);
    assert_string_equal(f->redact[1], "card");
    assert_int_equal(f->max_wait_ms, 2);
    assert_int_equal(f->max_batch, 64);
    assert_int_equal(f->sources, 3);
    assert_string_equal(f->source[1].name, "news");
    assert_int_equal(f->source[1].every_ms, 5400000);
    assert_int_equal(f->source[1].most, 8 << 20);
    assert_int_equal(f->source[1].line, 13);
    assert_string_equal(f->source[2].path, "dir/old.tsv");
    assert_true(f->source[2].rate == 2 && f->source[2].loop && f->source[2].seed == 7);
    assert_int_equal(f->analyses, 2);
    assert_true(f->analysis[0].coverage == 0.9);
    assert_int_equal(f->analysis[1].grades, 2);
    assert_string_equal(f->analysis[1].grade[0].name, "high");
    assert_int_equal(f->analysis[1].grade[0].word_len, 2);
    assert_string_equal(f->analysis[1].grade[1].when[0].label[1], "b");
    const heed_rule_cfg *r = f->rule;
    assert_int_equal(r->whens, 3);
    assert_string_equal(r->when[0].analysis, "intent");
    assert_string_equal(r->when[0].label[0], "card_lost");
    assert_true(r->when[0].least == 0.5 && r->p == 1e-4);
    assert_int_equal(r->when[2].labels, 0);
    assert_string_equal(r->by[0], "intent");
    assert_string_equal(r->course, "week");
    assert_int_equal(r->least, 5);
    assert_int_equal(r->hold_ms, 1800000);
    assert_int_equal(r->close_ms, 1800000);
    assert_string_equal(f->rule[1].inhibit[0], "storm");
    assert_int_equal(f->sink[0].tries, 12);
    assert_int_equal(f->sink[2].rate_per_hour, 5);
    assert_true(f->desk && f->desk->least == 0.4);
    assert_string_equal(f->desk->greeting, "Hello");
    heed_flow_close(f);
    f = parse("", &err);
    assert_non_null(f);
    assert_string_equal(f->listen, "127.0.0.1:8080");
    assert_string_equal(f->store, "dir/heed.db");
    assert_true(f->story_similar == 0.6 && !f->desk);
    heed_flow_close(f);
}

static const struct {
    const char *text, *says;
} wrong[] = {
    { "souces: {}\n", "dir/flow.yaml:1:1: unknown key 'souces'; did you mean 'sources'?" },
    { "sources:\n  a: {kind: feed, ulr: x}\n",
      "dir/flow.yaml:2:3: a source of kind feed needs 'url'" },
    { "sources:\n  a: {kind: csv, path: x, evry: 1s}\n", "dir/flow.yaml:2:27: unknown key 'evry'" },
    { "sources:\n  a: {kind: push, path: x}\n",
      "dir/flow.yaml:2:19: 'path' is of no use to a source of kind push, only to: csv tail dir "
      "maildir" },
    { "sources:\n  a: {kind: pull}\n",
      "dir/flow.yaml:2:13: 'kind' is 'pull', which is none of: csv tail dir stdin push feed "
      "maildir; did you mean 'push'?" },
    { "sources:\n  a: {}\n", "dir/flow.yaml:2:3: a source needs 'kind': one of csv tail dir stdin "
                             "push feed maildir" },
    { "sources:\n  a: push\n", "dir/flow.yaml:2:6: 'a' wants the keys of a source, not a text" },
    { "sources: [a]\n",
      "dir/flow.yaml:1:10: 'sources' wants a mapping of names, each with the keys "
      "of a source, not a list" },
    { "sources:\n  a b: {kind: push}\n",
      "dir/flow.yaml:2:3: 'a b' cannot be the name of a source: 1 to 64 bytes without spaces, "
      "quotes or any of \\ / , = :" },
    { "sources:\n  a: {kind: push}\n  a: {kind: push}\n",
      "dir/flow.yaml:3:3: key 'a' stands here again; line 2 has it" },
    { "sources:\n  a: {kind: feed, url: \"ftp://x\"}\n",
      "dir/flow.yaml:2:24: 'url' wants http:// or https:// and a host, not 'ftp://x'" },
    { "sources:\n  a: {kind: feed, url: \"http://x\", every: 1s}\n",
      "dir/flow.yaml:2:43: 'every' of a feed is at least 5s" },
    { "sources:\n  a: {kind: csv, path: x, speed: 2}\n",
      "dir/flow.yaml:2:34: 'speed' needs 'time', the column of times" },
    { "sources:\n  a: {kind: csv, path: x, speed: 2, rate: 1/s, time: t}\n",
      "dir/flow.yaml:2:34: 'speed' and 'rate' do not go together" },
    { "sources:\n  a: {kind: csv, path: x, format: text}\n",
      "dir/flow.yaml:2:35: 'format' of kind csv is one of: csv tsv jsonl" },
    { "sources:\n  a: {kind: stdin}\n  b: {kind: stdin}\n",
      "dir/flow.yaml:3:13: source 'a' reads standard input already" },
    { "sources:\n  a: {kind: csv, path: x, rate: fast}\n",
      "dir/flow.yaml:2:33: 'rate' wants a rate such as 20/s, 5/m or 100/h, not 'fast'" },
    { "sources:\n  a: {kind: csv, path: x, most: 8}\n",
      "dir/flow.yaml:2:33: 'most' wants a size such as 512KiB or 8MB, not '8'" },
    { "sources:\n  a: {kind: csv, path: x, seed: -1}\n",
      "dir/flow.yaml:2:33: 'seed' wants a whole number from 0 on, not '-1'" },
    { "keep: 10\n",
      "dir/flow.yaml:1:7: 'keep' wants a time such as 500ms, 10m, 1h30m or 7d, not '10'" },
    { "max_wait: 1h\n", "dir/flow.yaml:1:11: 'max_wait' is 1h, not from 0ms to 10s" },
    { "max_batch: 1.5\n", "dir/flow.yaml:1:12: 'max_batch' wants a whole number, not '1.5'" },
    { "max_batch: 0\n", "dir/flow.yaml:1:12: 'max_batch' is 0, not from 1 to 4096" },
    { "durable: yes\n", "dir/flow.yaml:1:10: 'durable' wants true or false, not 'yes'" },
    { "name: [a]\n", "dir/flow.yaml:1:7: 'name' wants a text, not a list" },
    { "name:\n", "dir/flow.yaml:1:6: 'name' wants a text, not nothing" },
    { "zone: CET\n", "dir/flow.yaml:1:7: 'zone' wants UTC or an offset such as +08:00, not 'CET'" },
    { "listen: localhost\n", "dir/flow.yaml:1:9: 'listen' wants an address and a port, such as "
                             "127.0.0.1:8080, not 'localhost'" },
    { "certificate: x\n", "dir/flow.yaml:1:14: 'certificate' and 'private_key' go together" },
    { "redact: [mail, face]\n", "dir/flow.yaml:1:16: 'redact' is 'face', which is none of: mail "
                                "phone card id iban ip name; did you mean 'name'?" },
    { "redact: name\n", "dir/flow.yaml:1:9: 'redact' of names needs an analysis of kind tag" },
    { "stories: maybe\n", "dir/flow.yaml:1:10: 'stories' wants true or false, not 'maybe'" },
    { "desk: true\n", "dir/flow.yaml:1:7: 'desk' wants the keys of the desk, not a text" },
    { "desk: {intent: intend}\nanalyses:\n  intent: {kind: language}\n",
      "dir/flow.yaml:1:16: no analysis has the name 'intend'; did you mean 'intent'?" },
    { "rules:\n  r: {kind: match, to: [hook]}\n",
      "dir/flow.yaml:2:25: no sink has the name 'hook'" },
    { "rules:\n  r: {kind: match, when: {sentment: bad}}\nanalyses:\n  sentiment: {kind: "
      "language}\n",
      "dir/flow.yaml:2:27: no analysis has the name 'sentment'; did you mean 'sentiment'?" },
    { "rules:\n  r: {kind: match, when: {source: [x]}}\n",
      "dir/flow.yaml:2:36: no source has the name 'x'" },
    { "rules:\n  r: {kind: count, least: 2, by: [source, user, mod]}\nanalyses:\n  mood: {kind: "
      "language}\n",
      "dir/flow.yaml:2:49: no analysis has the name 'mod'; did you mean 'mood'?" },
    { "rules:\n  r: {kind: match, when: [a]}\n",
      "dir/flow.yaml:2:26: 'when' wants a mapping of analyses to labels, not a list" },
    { "rules:\n  r: {kind: count}\n", "dir/flow.yaml:2:3: a rule of kind count needs 'least'" },
    { "rules:\n  r: {kind: share}\n", "dir/flow.yaml:2:3: a rule of kind share needs 'share'" },
    { "rules:\n  r: {kind: match, p: 0.1}\n",
      "dir/flow.yaml:2:20: 'p' is of no use to a rule of kind match, only to: surge" },
    { "rules:\n  r: {kind: match, escalate_to: p}\nsinks:\n  p: {kind: page}\n",
      "dir/flow.yaml:2:3: 'escalate_to' needs 'escalate', the time after which it hears" },
    { "analyses:\n  source: {kind: language}\n",
      "dir/flow.yaml:2:3: an analysis cannot be named 'source', by which rules mean an event's "
      "source" },
    { "analyses:\n  r: {kind: risk, grades: {high: {}}}\n",
      "dir/flow.yaml:2:3: grade 'high' of 'r' has neither 'when' nor 'words'" },
    { "analyses:\n  r: {kind: risk, grades: {high: {when: {r: x}}}}\n",
      "dir/flow.yaml:2:3: grade 'high' of 'r' asks for 'r', which is not an analysis before it" },
    { "analyses:\n  a: {kind: language, when: {b: x}}\n  b: {kind: language}\n",
      "dir/flow.yaml:2:3: 'a' asks for 'b', which is not an analysis before it" },
    { "analyses:\n  a: {kind: language}\n  n: {kind: novelty, when: {a: en}}\n",
      "dir/flow.yaml:3:22: 'when' is of no use to an analysis of kind novelty, only to: classify "
      "tag language risk" },
    { "rules:\n  r: {kind: match, by: [user, source, user]}\n",
      "dir/flow.yaml:2:24: 'by' has 'user' twice" },
    { "analyses:\n  a: {kind: language}\ndesk: {intent: a}\n",
      "dir/flow.yaml:3:16: the desk's 'intent' wants an analysis of kind classify: 'a' is of kind "
      "language" },
    { "analyses:\n  a: {kind: language}\ndesk: {tag: a}\n",
      "dir/flow.yaml:3:13: the desk's 'tag' wants an analysis of kind tag: 'a' is of kind "
      "language" },
    { "sinks:\n  m: {kind: mail, address: nobody}\n",
      "dir/flow.yaml:2:28: 'address' is no mail address: 'nobody'" },
    /* what YAML itself says, and what is refused of it */
    { "a: &x 1\n", "dir/flow.yaml:1:4: an anchor (&name), which settings do without; quote a text "
                   "that begins with &" },
    { "name: *x\n",
      "dir/flow.yaml:1:7: an alias (*name), which settings do without; write the value "
      "again, or quote a text that begins with *" },
    { "name: !!binary aGk=\n",
      "dir/flow.yaml:1:7: a tag (!name), which settings do without; quote a text that begins "
      "with !" },
    { "name: a\n---\nname: b\n", "dir/flow.yaml:2:1: a second document" },
    { "[a]: b\n", "dir/flow.yaml:1:1: a key that is not a word" },
    { "- a\n", "dir/flow.yaml:1:1: a flow is a mapping of keys" },
    { "name: \"a\\0b\"\n", "dir/flow.yaml:1:7: a text with a zero byte in it" },
    { "name: a\n  b: c\n", "dir/flow.yaml:2:4: mapping values are not allowed in this context" },
    { "name: \"a\n", "dir/flow.yaml:2:1: found unexpected end of stream, while scanning a quoted "
                     "scalar" },
    { "name: \xff\n", "dir/flow.yaml:1:7: invalid leading UTF-8 octet" },
    { "name: x\nzone: \xc3\xa9 \x07\n", "dir/flow.yaml:2:9: control characters are not allowed" },
};

static void test_wrong(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        heed_error err;
        heed_flow *f = parse(wrong[i].text, &err);
        if (f) fail_msg("taken: %s", wrong[i].text);
        assert_string_equal(err.msg, wrong[i].says);
        assert_int_equal(err.code, HEED_EFORMAT);
    }
}

static void refused(const char *text, const char *says) {
    heed_error err;
    heed_flow *f = parse(text, &err);
    assert_null(f);
    if (!strstr(err.msg, says)) fail_msg("%s", err.msg);
}

static void test_bombs(void **state) {
    (void)state;
    char *text = malloc(4 << 20);
    size_t len = 0;
    memset(text, '[', 1 << 20);
    text[(1 << 20) - 2] = 0;
    refused(text, ":1:18: nested more than 16 deep");
    for (int i = 0; i < 100; i++) len += (size_t)sprintf(text + len, "%*sa:\n", i, "");
    refused(text, ":18:18: nested more than 16 deep");
    len = 0;
    for (int i = 0; i < 2001; i++) len += (size_t)sprintf(text + len, "k%d: 1\n", i);
    refused(text, ":2001:1: a mapping of more than 2000 keys");
    len = (size_t)sprintf(text, "cors:\n");
    for (int i = 0; i < 100001; i++) len += (size_t)sprintf(text + len, "- 1\n");
    refused(text, ":100000:3: more than 100000 values");
    memset(text, '#', 2 << 20);
    text[2 << 20] = 0;
    refused(text, "dir/flow.yaml: larger than the 1048576 bytes that are read of it");
    free(text);
}

/* Every key of a struct stands in the documentation, in `backquotes`. */
static void documented(const char *docs, const char *schema_key, const json_t *schema) {
    const char *key;
    json_t *value;
    json_object_foreach(json_object_get(schema, "properties"), key, value) {
        char word[64];
        snprintf(word, sizeof word, "`%s`", key);
        if (!strstr(docs, word))
            fail_msg("docs/flow.md does not tell of %s, a key of %s", word, schema_key);
        documented(docs, key, value);
        documented(docs, key, json_object_get(value, "additionalProperties"));
        documented(docs, key, json_array_get(json_object_get(value, "anyOf"), 1));
    }
}

/* docs/schemas/flow.json is what the tables say; HEED_WRITE=1 writes it anew. */
static void test_schema(void **state) {
    (void)state;
    heed_error err = { 0 };
    const char *file = HEED_SOURCE_DIR "/docs/schemas/flow.json";
    char *schema = heed_flow_schema(NULL, &err), *docs, *written;
    size_t size;
    assert_non_null(schema);
    if (getenv("HEED_WRITE")) heed__file_write(NULL, file, schema, strlen(schema), &err);
    if (heed__file_read(NULL, file, 1 << 20, &written, &size, &err)) fail_msg("%s", err.msg);
    if (strcmp(schema, written) != 0)
        fail_msg("docs/schemas/flow.json is not what the tables say: run this with HEED_WRITE=1");
    if (heed__file_read(NULL, HEED_SOURCE_DIR "/docs/flow.md", 1 << 20, &docs, &size, &err))
        fail_msg("%s", err.msg);
    json_t *tree = json_loads(schema, 0, NULL);
    documented(docs, "the flow", tree);
    json_decref(tree);
    heed__free(NULL, docs);
    heed__free(NULL, written);
    heed__free(NULL, schema);
}

/* Every edge of the graph goes between nodes that it defines. */
static void test_graph(void **state) {
    (void)state;
    heed_error err;
    heed_flow *f = parse(whole, &err);
    char *graph = heed_flow_graph(f, NULL, &err);
    static const char *const lines[] = { "flowchart LR\n",
                                         "    log[(\"support<br>log\")]\n",
                                         "    s1[\"news<br>feed\"]\n",
                                         "    s1 --> log\n",
                                         "    log --> a0\n",
                                         "    a0 --> a1\n",
                                         "    a0 --> r0\n",
                                         "    r0 --> k0\n",
                                         "    r1 -. later .-> k0\n",
                                         "    r1 -. quiets .-> r0\n",
                                         "    log --> r1\n",
                                         "    a0 --> desk\n" };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        if (!strstr(graph, lines[i])) fail_msg("no '%s' in\n%s", lines[i], graph);
    assert_null(strstr(graph, "-1"));
    heed__free(NULL, graph);
    heed_flow_close(f);
}

static char path[] = "/tmp/heed-flow-XXXXXX";

static void test_files(void **state) {
    (void)state;
    heed_error err = { 0 };
    char file[64], *text, says[640];
    assert_non_null(mkdtemp(path));
    snprintf(file, sizeof file, "%s/flow.yaml", path);
    assert_null(heed_flow_open(file, NULL, &err));
    assert_int_equal(err.code, HEED_ENOTFOUND);
    const char *bad = "nam: x\nanalyses:\n  i: {kind: classify, model: m}\nkeep: x\n"
                      "sources: {a: {kind: csv, path: .}, b: {kind: tail, path: later}}\n";
    heed__file_write(NULL, file, bad, strlen(bad), &err);
    assert_int_equal(heed_flow_check(file, NULL, &text, &err), HEED_EFORMAT);
    snprintf(
        says, sizeof says,
        "%s:1:1: unknown key 'nam'; did you mean 'name'?\n%s:3:30: 'model': "
        "there is no folder %s/m\n%s:4:7: 'keep' wants a time such as 500ms, 10m, 1h30m or 7d, "
        "not 'x'\n%s:5:32: 'path': %s/. is a folder, not a file\n",
        file, file, path, file, file, path);
    if (strcmp(text, says) != 0) fail_msg("%s", text);
    heed__free(NULL, text);
    heed__file_write(NULL, file, whole, strlen(whole), &err);
    char folder[64];
    snprintf(folder, sizeof folder, "%s/m", path);
    heed__folder_make(folder, &err);
    char table[64];
    snprintf(table, sizeof table, "%s/old.tsv", path);
    heed__file_write(NULL, table, "", 0, &err);
    if (heed_flow_check(file, NULL, &text, &err)) fail_msg("%s", text);
    assert_non_null(strstr(text, "news: feed https://example.org/feed, every 1h30m\n"));
    assert_non_null(strstr(text, "storm: surge, warning, when intent is card_lost (confidence at "
                                 "least 0.5) and source is inbox and risk has a label, by intent"));
    heed__free(NULL, text);
    heed_flow *f = heed_flow_open(file, NULL, &err);
    assert_non_null(f);
    heed_flow_close(f);
    remove(file);
    remove(table);
    remove(folder);
    remove(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole),  cmocka_unit_test(test_wrong), cmocka_unit_test(test_bombs),
        cmocka_unit_test(test_schema), cmocka_unit_test(test_graph), cmocka_unit_test(test_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
