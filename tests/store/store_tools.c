#include "store_tools.h"

#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

heed_error err_;
char store_path[128];
static char folder[96];

static void open_again(void **state) {
    heed_store_cfg cfg = { .path = store_path };
    *state = heed_store_open(&cfg, &err_);
    if (!*state) fail_msg("%s", err_.msg);
}

int open_store(void **state) {
    err_ = (heed_error){ 0 };
    /* in memory where there is such a folder: nothing here is about a power cut */
    snprintf(folder, sizeof folder, "/dev/shm/heed-store-test-XXXXXX");
    if (!mkdtemp(folder)) {
        snprintf(folder, sizeof folder, "/tmp/heed-store-test-XXXXXX");
        if (!mkdtemp(folder)) return -1;
    }
    snprintf(store_path, sizeof store_path, "%s/heed.db", folder);
    open_again(state);
    return 0;
}

int close_store(void **state) {
    heed_store_close(*state);
    char command[160];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

heed_store *reopened(void **state) {
    heed_store_close(*state);
    open_again(state);
    return *state;
}

static const char *or_dash(const char *text) {
    return text ? text : "-";
}

static bool copy_entry(void *user, const heed_entry *e) {
    static const char *const kind[] = {
        "event", "tick", "feedback", "action", "loaded", "forgotten"
    };
    log_copy *to = user;
    snprintf(to->line[to->n++], LINE, "%lld %lld %s %s %s %lld %s %s %s %s %s %s",
             (long long)e->seq, (long long)e->time_ms, kind[e->kind], or_dash(e->source),
             or_dash(e->id), (long long)e->happened_ms, or_dash(e->user), or_dash(e->session),
             or_dash(e->title), or_dash(e->text), or_dash(e->url), or_dash(e->body));
    return true;
}

void read_all(heed_store *s, int64_t after, log_copy *to) {
    to->n = 0;
    must(heed_store_read(s, after, COPIED, copy_entry, to, &err));
}

int64_t append_text(heed_store *s, const char *text) {
    heed_entry e = { .source = "test", .text = text };
    must(heed_store_append(s, &e, 1, 1000, &err));
    return e.seq;
}

void commit_all(heed_store *s) {
    heed_commit c = { .upto = heed_store_last(s) };
    must(heed_store_commit(s, &c, &err));
}

void same_json(json_t *tree, const char *want) {
    if (!tree) fail_msg("%s", err_.msg);
    char *quoted = strdup(want);
    for (char *p = quoted; *p; p++)
        if (*p == '\'') *p = '"';
    json_error_t e;
    json_t *expected = json_loads(quoted, JSON_DECODE_ANY, &e);
    if (!expected) fail_msg("%s: %s", quoted, e.text);
    if (!json_equal(tree, expected)) {
        char *got = json_dumps(tree, 0);
        print_message("%s\n", got);
        free(got);
        fail_msg("not %s", want);
    }
    json_decref(expected);
    json_decref(tree);
    free(quoted);
}

const char *seqs_of(json_t *tree) {
    static char text[8192];
    if (!tree) fail_msg("%s", err_.msg);
    json_t *list = json_object_get(tree, "events"), *item;
    if (!list) list = json_object_get(tree, "hits");
    size_t i, len = 0;
    text[0] = 0;
    json_array_foreach(list, i, item) {
        json_t *event = json_object_get(item, "event");
        len += (size_t)snprintf(
            text + len, sizeof text - len, "%s%lld", i ? " " : "",
            (long long)json_integer_value(json_object_get(event ? event : item, "seq")));
    }
    json_decref(tree);
    return text;
}
