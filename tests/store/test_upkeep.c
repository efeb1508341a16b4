/* Upkeep: opening what is not a store, damage, backup, vacuum, retention, forgetting, migration. */
#include "cmocka_all.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zstd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "store_tools.h"

/* -- opening ---------------------------------------------------------------------------------- */

static heed_store *try_open(const char *path, bool read_only, int code) {
    heed_store_cfg cfg = { .path = path, .read_only = read_only, .wait_ms = 100 };
    err_ = (heed_error){ 0 };
    heed_store *s = heed_store_open(&cfg, &err_);
    if (err_.code != code) fail_msg("%s: %d (%s), not %d", path, err_.code, err_.msg, code);
    return s;
}

static void refused(const char *path, bool read_only, int code, const char *what) {
    assert_null(try_open(path, read_only, code));
    if (!strstr(err_.msg, path) || !strstr(err_.msg, what))
        fail_msg("'%s', not '%s'", err_.msg, what);
}

static void write_file(const char *path, const void *data, size_t size) {
    must(heed__file_write(NULL, path, data, size, &err));
}

static void in_sqlite(const char *path, const char *sql) {
    sqlite3 *db;
    char *said = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, &said) != SQLITE_OK) fail_msg("%s", said);
    sqlite3_close(db);
}

static const char *beside(const char *name) {
    static char path[256];
    snprintf(path, sizeof path, "%.*s/%s", (int)(strrchr(store_path, '/') - store_path), store_path,
             name);
    return path;
}

static void test_not_a_store(void **state) {
    (void)state;
    refused(beside("missing.db"), true, HEED_ENOTFOUND, "No such file");
    refused(beside("no/folder.db"), false, HEED_ENOTFOUND, "No such file");
    write_file(beside("text.db"),
               "this is a text and no database, long enough to be taken for one.....", 68);
    refused(beside("text.db"), true, HEED_EFORMAT, "is not a store of heed");
    refused(beside("text.db"), false, HEED_EFORMAT, "is not a store of heed");
    in_sqlite(beside("other.db"), "CREATE TABLE mine(a); PRAGMA user_version=1;");
    refused(beside("other.db"), false, HEED_EFORMAT, "is a database, but not a store of heed");
    in_sqlite(beside("other.db"), "PRAGMA journal_mode"); /* and was left as it was */
    refused(beside("other.db"), true, HEED_EFORMAT, "is a database, but not a store of heed");
    mkdir(beside("folder.db"), 0700);
    refused(beside("folder.db"), false, HEED_EFORMAT, "is not a file");
}

static void test_newer(void **state) {
    heed_store_close(*state);
    *state = NULL;
    in_sqlite(store_path, "PRAGMA user_version=99");
    refused(store_path, false, HEED_EFORMAT,
            "made by a newer heed (store version 99; this one knows 2)");
    refused(store_path, true, HEED_EFORMAT, "made by a newer heed");
}

/* A store as version 1 wrote it, made once: it always opens, and is what it was. */
static void test_version_1(void **state) {
    (void)state;
    char *packed, *whole = malloc(1 << 20);
    size_t size;
    must(heed__file_read(NULL, "tests/store/v1.db.zst", 1 << 20, &packed, &size, &err));
    const size_t len = ZSTD_decompress(whole, 1 << 20, packed, size);
    assert_false(ZSTD_isError(len));
    char path[256];
    snprintf(path, sizeof path, "%s", beside("v1.db"));
    write_file(path, whole, len);
    heed__free(NULL, packed);
    free(whole);
    heed_store *s = try_open(path, false, 0);
    must(heed_store_check(s, &err));
    log_copy *got = malloc(sizeof *got);
    read_all(s, 0, got);
    assert_int_equal(got->n, 5);
    assert_string_equal(got->line[0], "1 1700000000000 loaded - - 0 - - - - - {\"flow\":\"abc\"}");
    assert_string_equal(
        got->line[1], "2 1700000000000 event mail m1 1600000000000 ann s1 A card my card was lost "
                      "卡丢了 https://x/1 {\"lang\":\"en\"}");
    free(got);
    assert_string_equal(seqs_of(heed_look_events(s, &(heed_look){ .text = "丢了" }, &err_)), "2");
    assert_string_equal(
        seqs_of(heed_look_search(s, &(heed_look){ 0 }, (float[]){ 0.6f, 0.8f }, 2, &err_)), "2");
    json_t *event = heed_look_event(s, 2, &err_);
    same_json(json_incref(json_object_get(event, "corrected")), "{'intent':'card_stolen'}");
    same_json(json_incref(json_object_get(event, "gates")), "{'r':'fired'}");
    json_decref(event);
    heed_message *due;
    assert_int_equal(heed_store_due(s, "hook", 5, 9, &due, &err_), 2);
    heed__free(NULL, due);
    assert_int_equal(heed_store_decided(s), 5);
    append_text(s, "and goes on");
    commit_all(s);
    must(heed_store_check(s, &err));
    heed_store_close(s);
}

/* An older store is migrated where it may be written; a reader says that it must be. */
static void test_older(void **state) {
    heed_store_close(*state);
    *state = NULL;
    char path[256];
    snprintf(path, sizeof path, "%s", beside("older.db"));
    in_sqlite(path, "PRAGMA application_id=1751475556"); /* version 0: no table yet */
    refused(path, true, HEED_EUNSUPPORTED, "store version 0 must be migrated first");
    heed_store *s = try_open(path, false, 0);
    append_text(s, "x");
    must(heed_store_check(s, &err));
    heed_store_close(s);
}

static void test_two_writers(void **state) {
    heed_store *s = *state;
    char who[64];
    snprintf(who, sizeof who, "in use by another heed that writes (process %d)", (int)getpid());
    refused(store_path, false, HEED_EIO, who);
    append_text(s, "one");
    heed_store *reader = try_open(store_path, true, 0); /* a reader is welcome */
    assert_int_equal(heed_store_last(reader), 1);
    heed_entry e = { .text = "x" };
    assert_int_equal(heed_store_append(reader, &e, 1, 1, &err_), HEED_EIO);
    assert_non_null(strstr(err_.msg, "opened only to be read"));
    assert_int_equal(heed_store_check(reader, &err_), 0);
    heed_store_close(reader);
    append_text(s, "two");
}

static void test_locked(void **state) {
    heed_store_close(*state);
    sqlite3 *other;
    assert_int_equal(sqlite3_open(store_path, &other), SQLITE_OK);
    heed_store *s = *state = try_open(store_path, false, 0);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    heed_entry e = { .text = "x" };
    assert_int_equal(heed_store_append(s, &e, 1, 1, &err_), HEED_EIO);
    assert_non_null(strstr(err_.msg, "another program holds it locked"));
    json_decref(heed_look_events(s, &(heed_look){ 0 }, &err_)); /* reading does not wait */
    sqlite3_exec(other, "COMMIT", NULL, NULL, NULL);
    sqlite3_close(other);
    must(heed_store_append(s, &e, 1, 1, &err));
    assert_int_equal(e.seq, 1);
}

static void test_mode(void **state) {
    heed_store *s = *state;
    append_text(s, "x");
    static const char *const suffix[] = { "", "-wal", "-shm", "-lock" };
    for (size_t i = 0; i < 4; i++) {
        char name[160];
        struct stat is;
        snprintf(name, sizeof name, "%s%s", store_path, suffix[i]);
        assert_int_equal(stat(name, &is), 0);
        assert_int_equal(is.st_mode & 0777, 0600);
    }
}

/* As somebody who is not root, for whom modes count; their exit status. */
static int as_nobody(void (*fn)(void)) {
    const pid_t child = fork();
    if (child == 0) {
        if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0)) _exit(77);
        fn();
        _exit(0);
    }
    int status;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

static void look_at_read_only_folder(void) {
    heed_store_cfg cfg = { .path = store_path, .read_only = true };
    heed_error e = { 0 };
    heed_store *s = heed_store_open(&cfg, &e);
    if (!s || heed_store_last(s) != 1 || heed_store_check(s, &e)) _exit(1);
    heed_store_close(s);
    cfg.read_only = false;
    s = heed_store_open(&cfg, &e);
    if (s || e.code != HEED_EIO || !strstr(e.msg, "cannot be opened for writing")) _exit(2);
}

static void test_read_only_folder(void **state) {
    append_text(*state, "x");
    commit_all(*state);
    heed_store_close(*state);
    *state = NULL;
    char name[160];
    snprintf(name, sizeof name, "%s-lock", store_path);
    unlink(name);
    chmod(store_path, 0444);
    chmod(beside(""), 0555);
    const int status = as_nobody(look_at_read_only_folder);
    chmod(beside(""), 0755);
    if (status == 77) skip();
    assert_int_equal(status, 0);
}

/* -- damage ----------------------------------------------------------------------------------- */

static void fill(heed_store *s, int n) {
    for (int i = 0; i < n; i++) {
        char text[64], user[16];
        snprintf(text, sizeof text, "event %d says 中国银行 %d", i, i * i);
        snprintf(user, sizeof user, "user%d", i % 7);
        heed_entry e = { .source = "t", .id = text, .text = text, .user = user };
        must(heed_store_append(s, &e, 1, 1000 * (i + 1), &err));
        const heed_finding f = { .name = "kind", .label = i % 2 ? "odd" : "even", .confidence = 1 };
        const float v[4] = { 1, (float)i, 0, 0 };
        const heed_decided d = {
            .seq = e.seq, .finding = &f, .findings = 1, .vector = v, .dim = 4, .story = e.seq
        };
        heed_commit c = { .upto = e.seq, .decided = &d, .decided_len = 1 };
        must(heed_store_commit(s, &c, &err));
    }
}

/* Cut anywhere, bits flipped anywhere: refused or told of by the check, or what is read is what was
 * written; never a crash, never another answer. */
static void test_damage(void **state) {
    fill(*state, 60);
    heed_store_close(*state);
    *state = NULL;
    char *whole;
    size_t size;
    must(heed__file_read(NULL, store_path, 1 << 24, &whole, &size, &err));
    char path[256];
    snprintf(path, sizeof path, "%s", beside("damaged.db"));
    heed_rng rng = { .seed = 9 };
    int found = 0, opened = 0, tries = 0, cut = 0;
    for (; tries < 300; tries++) {
        char *copy = malloc(size);
        memcpy(copy, whole, size);
        size_t len = size;
        if (tries % 3 == 0)
            len = (size_t)heed_rng_below(&rng, size);
        else
            copy[heed_rng_below(&rng, size)] ^= (char)(1 << heed_rng_below(&rng, 8));
        write_file(path, copy, len);
        free(copy);
        heed_store_cfg cfg = { .path = path };
        heed_store *s = heed_store_open(&cfg, &err_);
        cut += len < size && len > 0; /* an empty file is a new store */
        if (!s) {
            found++;
            continue;
        }
        opened++;
        const bool sound = heed_store_check(s, &err_) == 0;
        found += !sound;
        assert_true(!sound || len == size || len == 0);
        log_copy got;
        heed_error e;
        got.n = 0;
        json_decref(heed_look_events(s, &(heed_look){ .text = "event" }, &e));
        json_decref(heed_look_search(s, &(heed_look){ .text = "银行" }, NULL, 0, &e));
        json_decref(heed_look_counts(s, &(heed_look){ 0 }, NULL, 0, 60000, &e));
        if (sound && len == size) {
            read_all(s, 0, &got);
            assert_int_equal(got.n, 60);
            for (int i = 0; i < got.n; i++) {
                char want[LINE];
                snprintf(want, sizeof want,
                         "%d %d event t event %d says 中国银行 %d 0 user%d - - event %d says "
                         "中国银行 %d - -",
                         i + 1, 1000 * (i + 1), i, i * i, i % 7, i, i * i);
                assert_string_equal(got.line[i], want);
            }
        }
        heed_store_close(s);
        unlink(path);
        char name[300];
        snprintf(name, sizeof name, "%s-wal", path);
        unlink(name);
    }
    print_message("%d of %d damages found, %d opened\n", found, tries, opened);
    assert_true(found > cut);
    heed__free(NULL, whole);
}

static void test_check_finds(void **state) {
    static const char *const harm[] = {
        "UPDATE entry SET text = 'another' WHERE seq = 3",
        "UPDATE entry SET time_ms = 5 WHERE seq = 3",
        "DELETE FROM entry WHERE seq = 3",
        "INSERT INTO finding VALUES (999, 'x', 'y', 1, 0, NULL)",
        "UPDATE place SET value = 9999 WHERE name = 'decided'",
        "UPDATE place SET value = 3 WHERE name = 'events'",
        "DELETE FROM words_docsize WHERE id = 2",
        "UPDATE vector SET value = x'01' WHERE seq = 2",
        "DELETE FROM words_data WHERE id > 100",
        ("INSERT INTO message (sink, key, type, seq, due_ms, tries, phase, upto) VALUES "
         "('a','b','c',0,0,0,0,0)"),
    };
    fill(*state, 20);
    must(heed_store_check(*state, &err));
    char path[256];
    snprintf(path, sizeof path, "%s", beside("harmed.db"));
    for (size_t i = 0; i < sizeof harm / sizeof *harm; i++) {
        must(heed_store_backup(*state, path, &err));
        in_sqlite(path, harm[i]);
        heed_store *s = try_open(path, false, 0);
        const int status = heed_store_check(s, &err_);
        if (status != HEED_EFORMAT) fail_msg("not found: %s", harm[i]);
        heed_store_close(s);
    }
}

/* -- backup, vacuum, retention ---------------------------------------------------------------- */

static void test_backup(void **state) {
    heed_store *s = *state;
    fill(s, 30);
    char path[256];
    snprintf(path, sizeof path, "%s", beside("copy.db"));
    must(heed_store_backup(s, path, &err));
    must(heed_store_backup(s, path, &err)); /* replaced */
    append_text(s, "later");
    struct stat is;
    assert_int_equal(stat(path, &is), 0);
    assert_int_equal(is.st_mode & 0777, 0600);
    heed_store *copy = try_open(path, false, 0);
    assert_int_equal(heed_store_last(copy), 30);
    must(heed_store_check(copy, &err));
    log_copy *a = malloc(2 * sizeof *a), *b = a + 1;
    read_all(s, 0, a);
    read_all(copy, 0, b);
    assert_int_equal(b->n, 30);
    for (int i = 0; i < 30; i++) assert_string_equal(a->line[i], b->line[i]);
    heed_store_close(copy);
    free(a);
    assert_int_equal(heed_store_backup(s, store_path, &err_), HEED_EINVALID);
    assert_int_equal(heed_store_backup(s, beside("no/copy.db"), &err_), HEED_EIO);
    assert_int_equal(access(beside("copy.db.new"), F_OK), -1);
}

static void test_vacuum(void **state) {
    heed_store *s = *state;
    fill(s, 200);
    assert_int_equal(heed_store_retain(s, 100 * 1000 + 1, 0, &err_), 100);
    must(heed_store_vacuum(s, &err));
    json_t *is = heed_look_state(s, &err_);
    assert_int_equal(json_integer_value(json_object_get(is, "free")), 0);
    assert_int_equal(json_integer_value(json_object_get(is, "journal")), 0);
    assert_int_equal(json_integer_value(json_object_get(is, "events")), 100);
    json_decref(is);
    must(heed_store_check(s, &err));
}

static void test_retain(void **state) {
    heed_store *s = *state;
    heed_entry loaded = { .kind = HEED_ENTRY_LOADED, .body = "{\"flow\":\"x\"}" };
    must(heed_store_append(s, &loaded, 1, 500, &err));
    fill(s, 30);
    append_text(s, "not decided"); /* seq 32 */
    assert_int_equal(heed_store_retain(s, 10001, 0, &err_), 10);
    log_copy got;
    read_all(s, 0, &got);
    assert_int_equal(got.n, 22);
    assert_string_equal(got.line[0], "1 500 loaded - - 0 - - - - - {\"flow\":\"x\"}");
    assert_int_equal(atol(got.line[1]), 12);
    assert_string_equal(seqs_of(heed_look_events(s, &(heed_look){ .text = "\"event 9\"" }, &err_)),
                        "");
    assert_string_equal(seqs_of(heed_look_events(s, &(heed_look){ .text = "\"event 10\"" }, &err_)),
                        "12");
    assert_string_equal(seqs_of(heed_look_similar(s, 12, 2, &err_)), "13 14");
    must(heed_store_check(s, &err));
    /* all that can go, and the log goes on where it was */
    assert_int_equal(heed_store_retain(s, INT64_MAX, 0, &err_), 20);
    s = reopened(state);
    assert_int_equal(heed_store_last(s), 32);
    heed_commit c = { .upto = 32 };
    must(heed_store_commit(s, &c, &err));
    assert_int_equal(heed_store_retain(s, INT64_MAX, 0, &err_), 1);
    s = reopened(state);
    heed_entry e = { .text = "next" };
    must(heed_store_append(s, &e, 1, 1, &err));
    assert_int_equal(e.seq, 33);
    assert_int_equal(e.time_ms, 30000);
    must(heed_store_check(s, &err));
}

/* So many at a time; what is kept for ever costs no look at what went before. */
static void test_retain_by_pieces(void **state) {
    heed_store *s = *state;
    heed_entry loaded = { .kind = HEED_ENTRY_LOADED, .body = "{\"flow\":\"x\"}" };
    must(heed_store_append(s, &loaded, 1, 500, &err));
    fill(s, 2500);
    json_decref(heed_look_similar(s, 2400, 2, &err_)); /* vectors are in memory */
    assert_int_equal(heed_store_retain(s, 2200001, 1, &err_), 1000);
    assert_int_equal(heed_store_retain(s, 2200001, 1000, &err_), 1000);
    assert_int_equal(heed_store_retain(s, 2200001, 1000, &err_), 200);
    assert_int_equal(heed_store_retain(s, 2200001, 1000, &err_), 0);
    json_t *is = heed_look_state(s, &err_);
    assert_int_equal(json_integer_value(json_object_get(is, "events")), 300);
    json_decref(is);
    json_t *near = heed_look_similar(s, 2202, 1000, &err_), *hit;
    assert_non_null(near);
    size_t i;
    json_array_foreach(json_object_get(near, "hits"), i, hit) assert_true(
        json_integer_value(json_object_get(json_object_get(hit, "event"), "seq")) > 2202);
    assert_true(i > 50);
    json_decref(near);
    must(heed_store_check(s, &err));
}

/* -- forgetting ------------------------------------------------------------------------------- */

/* True where the bytes stand anywhere in the file, its journal or the journal's index. */
static bool stands_in_files(const char *needle) {
    static const char *const suffix[] = { "", "-wal", "-shm" };
    bool found = false;
    for (size_t i = 0; i < 3; i++) {
        char name[160], *data;
        size_t size;
        snprintf(name, sizeof name, "%s%s", store_path, suffix[i]);
        if (heed__file_read(NULL, name, 1 << 28, &data, &size, NULL) != HEED_OK) continue;
        found |= memmem(data, size, needle, strlen(needle)) != NULL;
        heed__free(NULL, data);
    }
    return found;
}

static void test_forget(void **state) {
    heed_store *s = *state;
    fill(s, 300);
    heed_entry e[] = {
        { .source = "chat",
          .id = "msg-quince-1",
          .user = "zoltan",
          .session = "talk-quince",
          .text = "my xylophone was stolen 木琴被偷",
          .title = "Xylophonic",
          .url = "https://x/quince",
          .body = "{\"phone\":\"555-quince-77\",\"lang\":\"en\"}" },
        { .kind = HEED_ENTRY_ACTION,
          .session = "talk-quince",
          .body = "{\"do\":\"reply\",\"text\":\"sorry for your xylophone\"}" },
        { .source = "chat",
          .id = "msg-other",
          .user = "otto",
          .session = "talk-other",
          .text = "I play the cello" },
        { .kind = HEED_ENTRY_FEEDBACK,
          .body = "{\"seq\":301,\"analysis\":\"kind\",\"label\":\"stolen "
                  "xylophones\",\"by\":\"ann\"}" },
    };
    must(heed_store_append(s, e, 4, 400000, &err));
    const heed_finding f = { .name = "kind",
                             .label = "theft",
                             .confidence = 1,
                             .detail = "{\"entities\":[\"xylophone\"]}" };
    const float v[4] = { 1, 2, 3, 4 };
    const heed_decided d[] = {
        { .seq = 301, .finding = &f, .findings = 1, .vector = v, .dim = 4, .story = 301 },
        { .seq = 303, .finding = &f, .findings = 0, .vector = v, .dim = 4, .story = 301 }
    };
    const heed_alert a = { .id = 30100,
                           .seq = 301,
                           .time_ms = 400000,
                           .rule = "theft",
                           .grade = "warning",
                           .state = "open",
                           .key = "{\"kind\":\"theft\",\"user\":\"zoltan\"}",
                           .title = "my xylophone was stolen…",
                           .why = "{\"gates\":[{\"gate\":\"when\",\"value\":\"my xylophone was "
                                  "stolen 木琴被偷\"}],\"seqs\":[301]}" };
    const heed_message m[] = {
        { .sink = "hook",
          .key = "k1",
          .type = "event",
          .body = "{\"text\":\"xylophone\"}",
          .seq = 301 },
        { .sink = "hook",
          .key = "k2",
          .type = "alert",
          .body = "{\"title\":\"my xylophone was stolen…\",\"grade\":\"warning\"}" },
        { .sink = "hook", .key = "k3", .type = "alert", .body = "{\"title\":\"cello\"}" },
    };
    heed_commit c = { .upto = 304,
                      .decided = d,
                      .decided_len = 2,
                      .alert = &a,
                      .alerts = 1,
                      .message = m,
                      .messages = 3,
                      .state = "STATE of xylophone",
                      .state_size = 18 };
    must(heed_store_commit(s, &c, &err));
    must(heed_store_set(s, "desk/talk-quince", "turn 3", &err));
    must(heed_store_set(s, "offset/mail", "77", &err));
    must(heed_store_set(s, "desk/talk-other", "turn 1", &err));
    must(heed_store_set(s, "source/talk-other/place", "talk-other 12", &err));
    json_decref(heed_look_similar(s, 303, 3, &err_)); /* vectors are in memory */
    static const char *const gone[] = { "zoltan", "quince", "xylophon", "木琴", "琴被" };
    for (size_t i = 0; i < sizeof gone / sizeof *gone; i++) assert_true(stands_in_files(gone[i]));

    assert_int_equal(heed_store_forget(s, "zoltan", &err_), 3);
    for (size_t i = 0; i < sizeof gone / sizeof *gone; i++)
        if (stands_in_files(gone[i])) fail_msg("%s is still there", gone[i]);
    assert_true(stands_in_files("cello"));
    must(heed_store_check(s, &err));

    log_copy *got = malloc(sizeof *got);
    read_all(s, 300, got);
    assert_int_equal(got->n, 4);
    assert_string_equal(got->line[0], "301 400000 forgotten - - 0 - - - - - -");
    assert_string_equal(got->line[1], "302 400000 forgotten - - 0 - - - - - -");
    assert_string_equal(got->line[2],
                        "303 400000 event chat msg-other 0 otto talk-other - I play the cello - -");
    assert_string_equal(got->line[3], "304 400000 forgotten - - 0 - - - - - -");
    free(got);
    assert_null(heed_look_event(s, 301, &err_));
    assert_string_equal(seqs_of(heed_look_story(s, 303, &err_)),
                        "303"); /* goes on under the next */
    assert_string_equal(seqs_of(heed_look_events(s, &(heed_look){ .text = "xylophone" }, &err_)),
                        "");
    assert_null(strstr(seqs_of(heed_look_similar(s, 303, 10, &err_)), "301"));
    json_t *alert = heed_look_alert(s, 30100, &err_);
    same_json(json_incref(json_object_get(alert, "key")), "{'kind':'theft','user':''}");
    assert_string_equal(json_string_value(json_object_get(alert, "title")), "");
    same_json(json_incref(json_object_get(alert, "why")),
              "{'gates':[{'gate':'when','value':''}],'seqs':[301]}");
    json_decref(alert);
    heed_message *due;
    assert_int_equal(heed_store_due(s, "hook", 1, 10, &due, &err_), 2);
    assert_string_equal(due[0].body, "{\"title\":\"\",\"grade\":\"warning\"}");
    assert_string_equal(due[1].body, "{\"title\":\"cello\"}");
    heed__free(NULL, due);
    assert_null(heed_store_get(s, "desk/talk-quince", &err_));
    char *kept = heed_store_get(s, "offset/mail", &err_);
    assert_string_equal(kept, "77");
    heed__free(NULL, kept);
    char *data;
    size_t size;
    int64_t at;
    must(heed_store_state(s, &data, &size, &at, &err));
    assert_null(data);

    assert_int_equal(heed_store_forget(s, "zoltan", &err_), 0);
    assert_int_equal(heed_store_forget(s, "otto", &err_), 1);
    assert_null(heed_store_get(s, "desk/talk-other", &err_));
    kept = heed_store_get(s, "source/talk-other/place", &err_); /* else all comes in again */
    assert_string_equal(kept, "talk-other 12");
    heed__free(NULL, kept);
    assert_int_equal(heed_store_forget(s, "user3", &err_), 43);
    assert_false(stands_in_files("user3"));
    s = reopened(state);
    must(heed_store_check(s, &err));
    json_t *is = heed_look_state(s, &err_);
    assert_int_equal(json_integer_value(json_object_get(is, "events")), 300 + 2 - 1 - 1 - 43);
    json_decref(is);
    heed_entry again = {
        .source = "chat", .id = "msg-quince-1", .user = "zoltan", .text = "here again"
    };
    must(heed_store_append(s, &again, 1, 1, &err)); /* nothing remembers the id */
    assert_int_equal(again.seq, 305);
}

/* A reader that does not end keeps the journal: said, and mended by the next call. */
/* What alerts are about: a name that only the user's texts had goes, one that others had too stays,
 * and so do labels, whose words the user may well have used. */
static void test_forget_keys(void **state) {
    heed_store *s = *state;
    heed_entry e[] = {
        { .source = "a", .id = "1", .user = "ann", .text = "Mina Quill met Bo and Acme: billing" },
        { .source = "a", .id = "2", .user = "otto", .text = "Acme again" },
        { .source = "a", .id = "3", .user = "otto", .text = "nothing" },
    };
    must(heed_store_append(s, e, 3, 1000, &err));
    const heed_finding ann = { .name = "who",
                               .confidence = 1,
                               .detail = "{\"entities\":[{\"type\":\"PER\",\"text\":\"Mina "
                                         "Quill\"},{\"text\":\"Acme\"},{\"text\":\"Bo\"}]}" };
    const heed_finding otto = { .name = "who",
                                .confidence = 1,
                                .detail = "[{\"text\":\"Acme\"},{\"text\":\"No Bo\"}]" };
    const heed_decided d[] = { { .seq = 1, .finding = &ann, .findings = 1 },
                               { .seq = 2, .finding = &otto, .findings = 1 },
                               { .seq = 3 } };
    const heed_alert a[] = {
        { .id = 100,
          .seq = 1,
          .rule = "r",
          .state = "open",
          .key = "{\"who\":\"Mina Quill\"}",
          .title = "r: Mina Quill: 4 in 10 min",
          .why = "{\"gates\":[\"Mina Quill\",4]}" },
        { .id = 201,
          .seq = 2,
          .rule = "r",
          .state = "open",
          .key = "{\"who\":\"Acme\",\"topic\":\"billing\"}",
          .title = "r: Acme",
          .why = "{}" },
        { .id = 301,
          .seq = 3,
          .rule = "r",
          .state = "open",
          .key = "{\"who\":\"Bo\"}",
          .title = "r: Bo" },
        { .id = 302,
          .seq = 3,
          .rule = "q",
          .state = "open",
          .key = "{\"user\":\"ann\"}",
          .title = "q: ann" },
    };
    const heed_message m[] = {
        { .sink = "h",
          .key = "k1",
          .type = "alert",
          .body = "{\"key\":{\"who\":\"Bo\"},\"title\":\"r: Bo\",\"rule\":\"r\"}" },
        { .sink = "h",
          .key = "k2",
          .type = "alert",
          .body = "{\"key\":{\"who\":\"Acme\"},\"title\":\"r: Acme\"}" },
    };
    heed_commit c = { .upto = 3,
                      .decided = d,
                      .decided_len = 3,
                      .alert = a,
                      .alerts = 4,
                      .message = m,
                      .messages = 2 };
    must(heed_store_commit(s, &c, &err));
    assert_int_equal(heed_store_forget(s, "ann", &err_), 1);
    assert_false(stands_in_files("Quill"));
    static const struct {
        int64_t id;
        const char *key, *title, *state;
    } left[] = { { 100, "{'who':''}", "", "closed" },
                 { 201, "{'who':'Acme','topic':'billing'}", "r: Acme", "open" },
                 { 301, "{'who':''}", "", "open" },
                 { 302, "{'user':''}", "", "open" } };
    for (size_t i = 0; i < 4; i++) {
        json_t *alert = heed_look_alert(s, left[i].id, &err_);
        same_json(json_incref(json_object_get(alert, "key")), left[i].key);
        assert_string_equal(json_string_value(json_object_get(alert, "title")), left[i].title);
        assert_string_equal(json_string_value(json_object_get(alert, "state")), left[i].state);
        json_decref(alert);
    }
    heed_message *due;
    assert_int_equal(heed_store_due(s, "h", 1, 10, &due, &err_), 2);
    assert_string_equal(due[0].body, "{\"key\":{\"who\":\"\"},\"title\":\"\",\"rule\":\"r\"}");
    assert_non_null(strstr(due[1].body, "r: Acme"));
    heed__free(NULL, due);
}

static bool forget_while_reading(void *user, const heed_entry *e) {
    (void)e;
    assert_int_equal(heed_store_forget(user, "user1", &err_), HEED_EIO);
    assert_non_null(strstr(err_.msg, "somebody still reads"));
    return false;
}

static void test_forget_while_read(void **state) {
    heed_store_close(*state);
    heed_store *s = *state = try_open(store_path, false, 0);
    fill(s, 20);
    must(heed_store_read(s, 0, 5, forget_while_reading, s, &err));
    assert_int_equal(heed_store_forget(s, "user1", &err_), 0);
    assert_false(stands_in_files("user1"));
}

/* What was removed otherwise before is not in free pages afterwards either. */
static void test_forget_after_retain(void **state) {
    heed_store *s = *state;
    fill(s, 100);
    assert_int_equal(heed_store_retain(s, 50000, 0, &err_), 49);
    must(heed_store_forget(s, "nobody", &err));
    assert_false(stands_in_files("event 17 says"));
    assert_true(stands_in_files("event 77 says"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        EACH_STORE(test_not_a_store),
        EACH_STORE(test_newer),
        EACH_STORE(test_version_1),
        EACH_STORE(test_older),
        EACH_STORE(test_two_writers),
        EACH_STORE(test_locked),
        EACH_STORE(test_mode),
        EACH_STORE(test_read_only_folder),
        EACH_STORE(test_damage),
        EACH_STORE(test_backup),
        EACH_STORE(test_check_finds),
        EACH_STORE(test_vacuum),
        EACH_STORE(test_retain),
        EACH_STORE(test_retain_by_pieces),
        EACH_STORE(test_forget),
        EACH_STORE(test_forget_keys),
        EACH_STORE(test_forget_while_read),
        EACH_STORE(test_forget_after_retain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
