/* kill -9 at random instants while a file that grows and is rotated is read into a store: in the
 * end every line is there, each once, in its order. */
#include "cmocka_all.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/thread.h"
#include "flow/source.h"

enum { KILLS = 25, LINES = 4000 };

static char folder[] = "/tmp/heed-kill-XXXXXX";
static char path[64], rotated[80], db[64];

static int take(void *user, heed_entry *entry, int64_t n, heed_error *err) {
    return heed_store_append(user, entry, n, 0, err);
}

static heed_source *start(heed_store *store, const heed_source_cfg *cfg) {
    heed_error err = { 0 };
    const heed_intake intake = { .user = store, .take = take };
    heed_source *s = heed_source_start(cfg, &intake, store, NULL, NULL, &err);
    if (!s) fail_msg("%s", err.msg);
    return s;
}

static heed_store *open_store(void) {
    heed_error err = { 0 };
    heed_store *store = heed_store_open(&(heed_store_cfg){ .path = db }, &err);
    if (!store) fail_msg("%s", err.msg);
    return store;
}

typedef struct seen {
    int64_t n, wrong;
} seen;

static bool look(void *user, const heed_entry *entry) {
    seen *s = user;
    char text[64];
    snprintf(text, sizeof text, "line %lld of the file", (long long)s->n);
    s->wrong += entry->kind != HEED_ENTRY_EVENT || !entry->text || strcmp(entry->text, text) != 0;
    s->n++;
    return true;
}

/* Reads until it is killed; the first time until it has read something: what was renamed before a
 * file was ever looked at is not the source's. */
static void read_on(const heed_source_cfg *cfg, bool first) {
    heed_store *store = open_store();
    start(store, cfg);
    while (!first || heed_store_last(store) == 0) heed__sleep_ms(1);
    raise(SIGKILL);
}

static void write_lines(int from, int to, const char *mode) {
    FILE *f = fopen(path, mode);
    assert_non_null(f);
    for (int i = from; i < to; i++) {
        fprintf(f, "line %d", i);
        if (i % 97 == 0) fflush(f); /* half a line may be read */
        fprintf(f, " of the file\n");
    }
    fclose(f);
}

static void test_killed(void **state) {
    (void)state;
    const heed_source_cfg cfg = {
        .name = "in", .kind = "tail", .path = path, .every_ms = 5, .most = 1 << 20
    };
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/log", folder);
    snprintf(db, sizeof db, "%s/heed.db", folder);
    heed_rng rng = { .seed = 11 };
    int written = 0;
    for (int i = 0; i < KILLS; i++) {
        const pid_t child = fork();
        if (child == 0) read_on(&cfg, i == 0);
        for (int k = 0; k < 4; k++) { /* while it reads; every fifth time the file is rotated */
            const int more = written + LINES / KILLS / 4;
            snprintf(rotated, sizeof rotated, "%s/log.%d", folder, i);
            if (k == 2 && i % 5 == 2) rename(path, rotated);
            write_lines(written, more, "a");
            written = more;
            heed__sleep_ms((int64_t)heed_rng_below(&rng, 12));
        }
        if (i > 0) kill(child, SIGKILL);
        int status;
        waitpid(child, &status, 0);
        assert_true(WIFSIGNALED(status));
    }
    heed_store *store = open_store();
    heed_source *source = start(store, &cfg);
    for (int i = 0; i < 2000 && heed_store_last(store) < written; i++) heed__sleep_ms(10);
    heed__sleep_ms(50); /* more would be too many */
    heed_source_stop(source);
    seen s = { 0 };
    heed_error err = { 0 };
    assert_int_equal(heed_store_read(store, 0, INT64_MAX, look, &s, &err), written);
    assert_int_equal(s.wrong, 0);
    assert_int_equal(heed_store_check(store, &err), 0);
    heed_store_close(store);
    char command[128];
    snprintf(command, sizeof command, "rm -r %s", folder);
    assert_int_equal(system(command), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_killed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
