/* test_faults.c: `heed serve` whose store is held by somebody else, and whose disk, a small tmpfs,
 * is full while a source reads and others push: what each is told, and that nothing is lost. */
#include "serve_tools.h"

#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROWS = 3080 }; /* of data/banking77/test.tsv */

static const char pushed[] = "store: heed.db\n"
                             "sources: { push: { kind: push } }\n"
                             "analyses:\n"
                             "  intent: { kind: classify, model: @/models/intent }\n";
static const char read_too[] =
    "store: heed.db\n"
    "sources:\n"
    "  push: { kind: push }\n"
    "  bank: { kind: csv, path: @/data/banking77/test.tsv, text: text }\n"
    "analyses:\n"
    "  intent: { kind: classify, model: @/models/intent }\n";

static json_int_t events(const served *s) {
    json_t *a = served_get(s, "/v1/system");
    const json_int_t n = int_at(json_object_get(a, "store"), "events");
    json_decref(a);
    return n;
}

/* -- a store that others hold ------------------------------------------------------------------ */

static void second_server(void **state) {
    (void)state;
    served s;
    char command[512], said[1024] = "";
    const char *heed = getenv("HEED");
    served_make(&s, pushed);
    served_start(&s);
    snprintf(command, sizeof command, "%s serve %s/flow.yaml --listen 127.0.0.1:0 2>&1",
             heed ? heed : "build/heed", s.dir);
    FILE *f = popen(command, "r");
    assert_non_null(f);
    const size_t n = fread(said, 1, sizeof said - 1, f);
    said[n] = 0;
    const int status = pclose(f);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 74);
    if (!strstr(said, "in use by another heed that writes (process ")) fail_msg("%s", said);
    assert_int_equal(served_ask(&s, "POST", "/v1/events", "{\"text\":\"a\"}", NULL), 202);
    assert_int_equal(served_stop(&s), 0);
    served_remove(&s);
}

/* Another program begins to write and does not end: pushes wait 5 s and are then refused; all that
 * only reads is answered; once it ends, what was sent again is taken, once. */
static void locked(void **state) {
    (void)state;
    served s;
    char path[128];
    json_t *a;
    sqlite3 *other;
    served_make(&s, pushed);
    served_start(&s);
    a = served_post(&s, "/v1/events", "{\"id\":\"before\",\"text\":\"where is my card\"}");
    served_decided(&s, json_integer_value(json_array_get(json_object_get(a, "seqs"), 0)));
    json_decref(a);
    snprintf(path, sizeof path, "%s/heed.db", s.dir);
    assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
    sqlite3_busy_timeout(other, 10000);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    const char *body = "{\"id\":\"held\",\"text\":\"where is my card\"}";
    assert_int_equal(served_ask(&s, "POST", "/v1/events", body, &a), 503);
    assert_non_null(strstr(text_at(a, "detail"), "another program holds it locked"));
    json_decref(a);
    assert_int_equal(served_ask(&s, "GET", "/health", NULL, NULL), 200);
    json_decref(served_post(&s, "/v1/classify", "{\"text\":\"where is my card\"}"));
    assert_int_equal(events(&s), 1);
    sqlite3_exec(other, "COMMIT", NULL, NULL, NULL);
    sqlite3_close(other);
    json_decref(served_post(&s, "/v1/events", body));
    a = served_post(&s, "/v1/events", body);
    assert_int_equal(int_at(a, "known"), 1);
    json_decref(a);
    served_decided(&s, 2);
    assert_int_equal(events(&s), 2);
    assert_int_equal(served_stop(&s), 0);
    served_remove(&s);
}

/* -- a full disk ------------------------------------------------------------------------------- */

/* Pushes until one is refused; how many were taken. */
static int push_until_refused(const served *s, int from, int *status) {
    static char body[20000];
    for (int i = from;; i++) {
        const int n = snprintf(body, sizeof body, "{\"id\":\"p%d\",\"text\":\"", i);
        memset(body + n, 'x', sizeof body - (size_t)n - 3);
        memcpy(body + sizeof body - 3, "\"}", 3);
        *status = served_ask(s, "POST", "/v1/events", body, NULL);
        if (*status != 202) return i - from;
    }
}

static bool in_trouble(const served *s) {
    json_t *a = served_get(s, "/v1/system");
    const bool is = json_is_string(json_object_get(a, "trouble"));
    json_decref(a);
    return is;
}

static char mounted[sizeof ((served *)0)->dir]; /* the tmpfs, while there is one */

static int unmount(void **state) {
    (void)state;
    return mounted[0] ? umount2(mounted, MNT_DETACH) : 0;
}

/* Pushes get 503 (or 429 while what came before waits to be decided), the source waits, looking
 * goes on and /v1/system tells of the trouble; with room again all goes on where it stood. */
static void full(void **state) {
    (void)state;
    served s;
    int status, refused = 0, taken = 0;
    served_make(&s, read_too);
    if (mount("none", s.dir, "tmpfs", 0, "size=3m") != 0) {
        served_remove(&s);
        print_message("no tmpfs may be mounted here\n");
        skip();
    }
    strcpy(mounted, s.dir);
    served_flow(&s, read_too);
    served_start(&s);
    while (refused < 3) {
        taken += push_until_refused(&s, taken, &status);
        if (status != 503 && status != 429) fail_msg("a push is answered %d", status);
        refused += status == 503;
        usleep(2000);
    }
    assert_int_equal(served_ask(&s, "GET", "/health", NULL, NULL), 200);
    json_decref(served_get(&s, "/v1/search?q=card"));
    while (!in_trouble(&s)) usleep(5000);
    assert_int_equal(mount("none", s.dir, "tmpfs", MS_REMOUNT, "size=60m"), 0);
    while (events(&s) < ROWS + taken) usleep(5000);
    while (in_trouble(&s)) usleep(5000);
    usleep(100000);
    assert_int_equal(events(&s), ROWS + taken); /* nothing twice */
    assert_int_equal(served_stop(&s), 0);
    char command[512];
    const char *heed = getenv("HEED");
    snprintf(command, sizeof command, "%s db check --flow %s/flow.yaml >/dev/null",
             heed ? heed : "build/heed", s.dir);
    assert_int_equal(system(command), 0);
    assert_int_equal(unmount(NULL), 0);
    mounted[0] = 0;
    served_remove(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(second_server),
        cmocka_unit_test(locked),
        cmocka_unit_test_teardown(full, unmount),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
