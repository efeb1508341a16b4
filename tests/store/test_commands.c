/* The commands over a store: heed db and heed forget, their answers, exit statuses and schemas. */
#include "cmocka_all.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/schema.c"
#include "store_tools.h"

static char out[65536];

/* Runs `heed arguments`, in which %s is the store: its exit status; out has what it said. */
static int run(const char *arguments, bool errors) {
    char filled[512], command[1024];
    const char *heed = getenv("HEED");
    snprintf(filled, sizeof filled, arguments, store_path);
    snprintf(command, sizeof command, "%s %s 2>%s", heed ? heed : "build/heed", filled,
             errors ? "&1" : "/dev/null");
    FILE *p = popen(command, "r");
    assert_non_null(p);
    const size_t len = fread(out, 1, sizeof out - 1, p);
    out[len] = 0;
    const int status = pclose(p);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

static void expect(int status, const char *arguments, const char *says) {
    const int got = run(arguments, true);
    if (got != status) fail_msg("heed %s: %d, not %d: %s", arguments, got, status, out);
    if (!strstr(out, says)) fail_msg("heed %s: '%s', not '%s'", arguments, out, says);
}

static void obeys(const char *schema_name, const char *arguments) {
    char path[128], why[512] = "";
    snprintf(path, sizeof path, "docs/schemas/%s.json", schema_name);
    json_error_t e;
    json_t *schema = json_load_file(path, 0, &e);
    assert_non_null(schema);
    run(arguments, false);
    out[strcspn(out, "\n")] = 0;
    json_t *answer = json_loads(out, JSON_REJECT_DUPLICATES, &e);
    if (!answer) fail_msg("heed %s: not JSON: %s", arguments, out);
    if (!schema_holds(schema, answer, why, sizeof why)) fail_msg("heed %s: %s", arguments, why);
    json_decref(answer);
    json_decref(schema);
}

static void fill(heed_store *s) {
    heed_entry e[] = { { .source = "a", .id = "1", .user = "ann", .text = "one\ttab" },
                       { .source = "a", .id = "2", .user = "bob", .text = "两" } };
    must(heed_store_append(s, e, 2, 1, &err));
    commit_all(s);
}

static void test_beside_a_writer(void **state) {
    fill(*state);
    expect(0, "db check --store %s", "sound: 2 events");
    expect(0, "db check --store %s", "the inside of the full-text index was not looked at");
    expect(0, "db query 'SELECT seq, user, text FROM entry' --store %s",
           "seq\tuser\ttext\n1\tann\tone tab\n2\tbob\t两\n");
    expect(0, "db query \"SELECT rowid FROM words('两')\" --store %s", "");
    expect(74, "db vacuum --store %s", "in use by another heed that writes (process ");
    expect(74, "forget ann --store %s", "in use by another heed that writes (process ");
    char copy[256];
    snprintf(copy, sizeof copy, "db backup %s.copy --store %%s", store_path);
    expect(0, copy, "");
    char path[160];
    snprintf(path, sizeof path, "%s.copy", store_path);
    heed_store *s = heed_store_open(&(heed_store_cfg){ .path = path }, &err_);
    assert_int_equal(heed_store_last(s), 2);
    heed_store_close(s);
}

static void test_alone(void **state) {
    fill(*state);
    heed_store_close(*state);
    *state = NULL;
    expect(0, "db check --store %s", "sound: 2 events");
    expect(0, "db vacuum --store %s", " bytes, before ");
    expect(0, "forget ann --store %s", "1 entries forgotten");
    expect(0, "forget ann --store %s", "0 entries forgotten");
    expect(0, "db query 'SELECT count(*) FROM entry WHERE kind = 5' --store %s", "\n1\n");
    expect(0, "db query 'SELECT seq FROM entry' --most 1 --store %s", "there are more rows than 1");
    expect(64, "db query 'DELETE FROM entry' --store %s", "only reading is allowed");
    expect(64, "db query --store %s", "db query takes one operand: SQL");
    expect(64, "db check x --store %s", "db check takes no operand");
    expect(64, "db mend --store %s", "not 'mend'");
    expect(66, "db check --store %s.none", "No such file");
    expect(66, "forget ann --store %s.none", "No such file");
    expect(66, "db check --flow %s.yaml", "");
    expect(0, "db --help", "heed db check");
    expect(0, "forget --help", "heed forget USER");
    obeys("db_check", "db check --json --store %s");
    obeys("db_query", "db query 'SELECT 1, 0.5, NULL, text FROM entry' --json --store %s");
    obeys("forget", "forget bob --json --store %s");
}

static void test_damaged(void **state) {
    fill(*state);
    heed_store_close(*state);
    *state = NULL;
    const int file = open(store_path, O_RDWR);
    char page[4096];
    for (off_t at = 0; pread(file, page, sizeof page, at) == (ssize_t)sizeof page; at += 4096) {
        char *text = memmem(page, sizeof page, "one\ttab", 7);
        if (text) assert_int_equal(pwrite(file, "two", 3, at + (text - page)), 3);
    }
    close(file);
    expect(65, "db check --store %s", "its checksum differs");
    obeys("db_check", "db check --json --store %s");
    assert_non_null(strstr(out, "\"sound\":false"));
    assert_int_equal(truncate(store_path, 5000), 0);
    expect(65, "db check --store %s", "is not a store of heed, or cut short");
}

/* The store of a flow file, which stands beside it. */
static void test_flow(void **state) {
    fill(*state);
    heed_store_close(*state);
    *state = NULL;
    char path[160], command[256];
    snprintf(path, sizeof path, "%s.yaml", store_path);
    FILE *f = fopen(path, "w");
    fputs("name: test\nsources:\n  in: { kind: push }\n", f);
    fclose(f);
    expect(0, "db check --flow %s.yaml", "sound: 2 events");
    snprintf(command, sizeof command, "cd %.*s && rm -f heed.db.yaml",
             (int)(strrchr(store_path, '/') - store_path), store_path);
    assert_int_equal(system(command), 0);
}

/* Threads of a process, 0 while it has not begun to ask; then it is two. */
static int threads_of(pid_t pid) {
    char path[64], line[256];
    int n = 0;
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    FILE *f = fopen(path, "r");
    while (f && fgets(line, sizeof line, f))
        if (strncmp(line, "Threads:", 8) == 0) n = atoi(line + 8);
    if (f) fclose(f);
    return n;
}

/* ^C ends a question, be it within a statement without an end or within one call of a function. */
static void test_query_ends(void **state) {
    static const char *const sql[] = {
        "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c",
        "SELECT instr(printf('%.*c', 9000000, 'a'), printf('%.*c', 4000000, 'a') || 'b')",
    };
    fill(*state);
    for (size_t i = 0; i < sizeof sql / sizeof *sql; i++) {
        int status = 0;
        const char *heed = getenv("HEED");
        const pid_t pid = fork();
        if (pid == 0) {
            dup2(open("/dev/null", O_WRONLY), 2);
            execl(heed ? heed : "build/heed", "heed", "db", "query", sql[i], "--store", store_path,
                  (char *)NULL);
            _exit(127);
        }
        while (threads_of(pid) < 2 && waitpid(pid, &status, WNOHANG) == 0) usleep(1000);
        kill(pid, SIGINT);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 75);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        EACH_STORE(test_query_ends), EACH_STORE(test_beside_a_writer),
        EACH_STORE(test_alone),      EACH_STORE(test_damaged),
        EACH_STORE(test_flow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
