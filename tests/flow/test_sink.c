/* Sinks against receivers that are slow, down, wrong and hostile: what is delivered, how often,
 * under which key, and what is put aside. This program has a write of its own, which can be told
 * that the disk of one file is full, and a clock that can be set. */
#include "cmocka_all.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "flow/sink.h"
#include "flow/sink/receiver.h"

/* -- a full disk ------------------------------------------------------------------------------- */

static struct {
    _Atomic long room;          /* bytes that still fit into the file; negative: all */
    _Atomic unsigned long file; /* its inode */
} disk = { .room = -1 };

ssize_t write(int fd, const void *data, size_t size) {
    struct stat is;
    if (disk.room >= 0 && fstat(fd, &is) == 0 && is.st_ino == disk.file) {
        if (disk.room == 0) {
            errno = ENOSPC;
            return -1;
        }
        if (size > (size_t)disk.room) size = (size_t)disk.room;
        disk.room -= (long)size;
    }
    return syscall(SYS_write, fd, data, size);
}

static _Atomic long clock_shift; /* seconds by which somebody set the clock */

int clock_gettime(clockid_t id, struct timespec *now) {
    const int status = (int)syscall(SYS_clock_gettime, id, now);
    if (id == CLOCK_REALTIME) now->tv_sec += clock_shift;
    return status;
}

/* -- a store with messages, and sinks ---------------------------------------------------------- */

static char folder[64], path[128];
static heed_store *store;
static heed_sink_cfg sink[4];
static heed_flow flow;

static int set_up(void **state) {
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/heed-sink-XXXXXX");
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/store.db", folder);
    heed_error err = { 0 };
    store = heed_store_open(&(heed_store_cfg){ .path = path }, &err);
    if (!store) print_error("%s\n", err.msg);
    memset(sink, 0, sizeof sink);
    flow = (heed_flow){ .sink = sink };
    disk.room = -1;
    return store ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    heed_store_close(store);
    char command[128];
    (void)snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

/* A message of every key, in one commit. */
static void put(const char *to, const char *body, int n, const char *const *key) {
    heed_error err = { 0 };
    heed_entry tick = { .kind = HEED_ENTRY_TICK };
    assert_int_equal(heed_store_append(store, &tick, 1, 1, &err), 0);
    heed_message m[64] = { { 0 } };
    for (int i = 0; i < n; i++)
        m[i] = (heed_message){ .sink = to, .key = key[i], .type = "alert", .body = body };
    const heed_commit c = { .upto = tick.seq, .message = m, .messages = n };
    assert_int_equal(heed_store_commit(store, &c, &err), 0);
}
static void put1(const char *to, const char *key, const char *body) {
    put(to, body, 1, &key);
}
static const char *real; /* DOWN_SECONDS: the pauses that a server has */
static const heed_sinks_cfg quick = {
    .first_pause_ms = 10, .most_pause_ms = 40, .look_ms = 20, .call_ms = 60000
};

static heed_sinks_cfg config(void) {
    heed_sinks_cfg cfg = real ? (heed_sinks_cfg){ 0 } : quick;
    cfg.flow = &flow;
    cfg.store = store;
    return cfg;
}
static heed_sinks *start(void) {
    heed_error err = { 0 };
    const heed_sinks_cfg cfg = config();
    heed_sinks *s = heed_sinks_start(&cfg, &err);
    if (!s) print_error("%s\n", err.msg);
    assert_non_null(s);
    return s;
}

static void counts(const char *name, int64_t *waiting, int64_t *dead) {
    heed_error err = { 0 };
    assert_int_equal(heed_store_outbox(store, name, waiting, dead, &err), 0);
}

/* Until so many wait and are dead, at most 20 s. */
static void settle(const char *name, int64_t want_waiting, int64_t want_dead) {
    int64_t waiting = -1, dead = -1;
    for (int i = 0; i < (real ? 200000 : 2000); i++) {
        counts(name, &waiting, &dead);
        if (waiting == want_waiting && dead == want_dead) break;
        usleep(10000);
    }
    assert_int_equal(waiting, want_waiting);
    assert_int_equal(dead, want_dead);
}

static void webhook(int port) {
    static char url[64];
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%d/hook", port);
    sink[0] = (heed_sink_cfg){
        .name = "hook", .kind = "webhook", .url = url, .allow_private = true
    };
    flow.sinks = 1;
}

static void file_sink(int at, const char *name) {
    static char where[128];
    (void)snprintf(where, sizeof where, "%s/%s", folder, name);
    sink[at] = (heed_sink_cfg){ .name = "file", .kind = "file", .path = where };
    if (flow.sinks <= at) flow.sinks = at + 1;
}

static char *slurp(const char *name) {
    char where[256];
    (void)snprintf(where, sizeof where, "%s/%s", folder, name);
    FILE *f = fopen(where, "r");
    char *text = calloc(1, 1 << 16);
    if (f) {
        assert_true(fread(text, 1, (1 << 16) - 1, f) < (1 << 16) - 1);
        (void)fclose(f);
    }
    return text;
}

static void same_file(const char *name, const char *want) {
    char *text = slurp(name);
    assert_string_equal(text, want);
    free(text);
}

/* What a command prints, without its last line end. */
static void ask(const char *command, char *out, size_t size) {
    FILE *f = popen(command, "r");
    assert_non_null(f);
    const size_t n = fread(out, 1, size - 1, f);
    out[n] = 0;
    out[strcspn(out, "\n")] = 0;
    assert_int_equal(pclose(f), 0);
}

/* Until the first sink gives a reason with this in it ("": until it gives none): what the store
 * knows of a message may be seen a moment before. */
static void says(heed_sinks *s, const char *want) {
    bool so = false;
    for (int i = 0; !so; i++) {
        json_t *state = heed_sinks_state(s);
        assert_non_null(state);
        const char *error = json_string_value(json_object_get(json_array_get(state, 0), "error"));
        so = *want ? error && strstr(error, want) : !error;
        if (!so && i == 2000) fail_msg("not '%s' but '%s'", want, error ? error : "");
        json_decref(state);
        if (!so) usleep(10000);
    }
}

/* -- webhook ----------------------------------------------------------------------------------- */

#define OK_200 "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"

static const char *always(int count, const received *r) {
    (void)count, (void)r;
    return OK_200;
}

/* Delivered once, as it was put; the signature is what openssl makes of it. */
static void test_signed(void **state) {
    (void)state;
    receiver *r = receiver_start(0, always);
    webhook(receiver_port(r));
    sink[0].secret_env = "HEED_TEST_SECRET";
    setenv("HEED_TEST_SECRET", "s3cret key", 1);
    put1("hook", "a/1", "{\"title\": \"Karten \\u00fcberall\", \"n\": [1, 2]}");
    heed_sinks *s = start();
    assert_int_equal(receiver_wait(r, 1), 1);
    settle("hook", 0, 0);
    heed_sinks_stop(s);
    const received *one = receiver_at(r, 0);
    assert_string_equal(one->body, "{\"key\":\"a/1\",\"type\":\"alert\",\"message\":{\"title\":"
                                   "\"Karten überall\",\"n\":[1,2]}}");
    char value[256], stamp[64], name[256], command[600], sum[128], want[160];
    assert_int_equal(strncmp(one->text, "POST /hook HTTP/1.1\r\n", 21), 0);
    assert_true(receiver_header(one, "Content-Type", value, sizeof value));
    assert_string_equal(value, "application/json");
    assert_true(receiver_header(one, "Idempotency-Key", value, sizeof value));
    assert_string_equal(value, "a/1");
    assert_true(receiver_header(one, "X-Heed-Timestamp", stamp, sizeof stamp));
    assert_true(llabs(atoll(stamp) - (long long)time(NULL)) < 60);
    (void)snprintf(name, sizeof name, "%s/signed", folder);
    FILE *f = fopen(name, "w");
    (void)fprintf(f, "%s.%s", stamp, one->body);
    (void)fclose(f);
    (void)snprintf(command, sizeof command,
                   "openssl dgst -sha256 -hmac 's3cret key' -r %s | cut -d' ' -f1", name);
    ask(command, sum, sizeof sum);
    (void)snprintf(want, sizeof want, "sha256=%s", sum);
    assert_true(receiver_header(one, "X-Heed-Signature", value, sizeof value));
    assert_string_equal(value, want);
    receiver_stop(r);
}

static const char *third_time(int count, const received *r) {
    (void)r;
    static const char *const says[] = {
        "HTTP/1.1 500 Broken\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 429 Slow\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 408 Late\r\nContent-Length: 0\r\n\r\n",
        "garbage\r\n\r\n",
    };
    return count < 4 ? says[count] : OK_200;
}

/* 500, 429, 408 and no HTTP at all are tried again, under the same key; not before Retry-After. */
static void test_again(void **state) {
    (void)state;
    receiver *r = receiver_start(0, third_time);
    webhook(receiver_port(r));
    put1("hook", "k\r\nX-Evil: 1", "{}");
    const time_t began = time(NULL);
    heed_sinks *s = start();
    assert_int_equal(receiver_wait(r, 5), 5);
    settle("hook", 0, 0);
    says(s, "");
    heed_sinks_stop(s);
    assert_true(time(NULL) - began >= 1);
    for (int i = 0; i < 5; i++) {
        char value[256];
        assert_true(receiver_header(receiver_at(r, i), "Idempotency-Key", value, sizeof value));
        assert_string_equal(value, "k%0D%0AX-Evil:%201");
        assert_false(receiver_header(receiver_at(r, i), "X-Evil", value, sizeof value));
        assert_string_equal(receiver_at(r, i)->body, receiver_at(r, 0)->body);
    }
    receiver_stop(r);
}

static const char *sets_clock_back(int count, const received *r) {
    (void)r;
    if (count == 0) clock_shift = -86400;
    return count < 2 ? "HTTP/1.1 500 Broken\r\nContent-Length: 0\r\n\r\n" : OK_200;
}

/* The clock is set back by a day between two tries, then forward: nothing waits for it. */
static void test_clock(void **state) {
    (void)state;
    receiver *r = receiver_start(0, sets_clock_back);
    webhook(receiver_port(r));
    put1("hook", "a", "{}");
    heed_sinks *s = start();
    assert_int_equal(receiver_wait(r, 3), 3);
    settle("hook", 0, 0);
    clock_shift = 86400;
    put1("hook", "b", "{}");
    heed_sinks_wake(s);
    settle("hook", 0, 0);
    clock_shift = 0;
    heed_sinks_stop(s);
    receiver_stop(r);
}

static const char *refuses(int count, const received *r) {
    (void)r;
    return count == 0 ? "HTTP/1.1 400 No\r\nContent-Length: 0\r\n\r\n"
                      : "HTTP/1.1 302 Go\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n";
}

/* What would be the same the next time is dead at once; a redirect is not followed. */
static void test_dead(void **state) {
    (void)state;
    receiver *r = receiver_start(0, refuses);
    webhook(receiver_port(r));
    put1("hook", "one", "{}");
    put1("hook", "two", "{}");
    heed_sinks *s = start();
    settle("hook", 0, 2);
    says(s, ": answers 302; redirects are not followed");
    heed_sinks_stop(s);
    assert_int_equal(receiver_count(r), 2);
    receiver_stop(r);
}

/* The receiver is down for longer than many pauses (or DOWN_SECONDS); then all arrives, once. */
static void test_down(void **state) {
    (void)state;
    const unsigned seconds = real ? (unsigned)atoi(real) : 0;
    int port;
    const int kept = receiver_keep(&port);
    webhook(port);
    if (!real) sink[0].tries = 1000;
    const char *key[20];
    char text[20][8];
    for (int i = 0; i < 20; key[i] = text[i], i++)
        (void)snprintf(text[i], sizeof text[i], "k%d", i);
    put("hook", "{}", 20, key);
    heed_sinks *s = start();
    for (unsigned i = 0; i < 10 * seconds + 7; i++) usleep(100000);
    int64_t waiting, dead;
    counts("hook", &waiting, &dead);
    assert_int_equal(waiting, 20);
    assert_int_equal(dead, 0);
    receiver *r = receiver_start(port, always);
    assert_non_null(r);
    close(kept);
    settle("hook", 0, 0);
    heed_sinks_stop(s);
    assert_int_equal(receiver_count(r), 20);
    for (int i = 0; i < 20; i++) {
        int seen = 0;
        for (int j = 0; j < 20; j++) {
            char value[64];
            assert_true(receiver_header(receiver_at(r, j), "Idempotency-Key", value, 64));
            seen += strcmp(value, key[i]) == 0;
        }
        assert_int_equal(seen, 1);
    }
    receiver_stop(r);
}

/* After so many tries it is put aside. */
static void test_tries(void **state) {
    (void)state;
    receiver *r = receiver_start(0, third_time);
    webhook(receiver_port(r));
    sink[0].tries = 1;
    put1("hook", "k", "{}");
    heed_sinks *s = start();
    settle("hook", 0, 1);
    heed_sinks_stop(s);
    receiver_stop(r);
}

/* An address of this host is refused where it is not allowed, however it is written, before
 * anything is sent. */
static void test_private(void **state) {
    (void)state;
    receiver *r = receiver_start(0, always);
    static const char *const hosts[] = { "127.0.0.1",          "localhost", "2130706433", "0x7f.1",
                                         "[::ffff:127.0.0.1]", "0.0.0.0",   "[::1]",      "127.1" };
    enum { HOSTS = sizeof hosts / sizeof *hosts };
    heed_sinks *s;
    for (int i = 0; i < HOSTS; i++) {
        char url[128], key[8];
        (void)snprintf(url, sizeof url, "http://%s:%d/", hosts[i], receiver_port(r));
        (void)snprintf(key, sizeof key, "k%d", i);
        sink[0] = (heed_sink_cfg){ .name = "hook", .kind = "webhook", .url = url };
        flow.sinks = 1;
        put1("hook", key, "{}");
        s = start();
        settle("hook", 0, i + 1);
        says(s, "'allow_private' lets it through");
        heed_sinks_stop(s);
    }
    assert_int_equal(receiver_count(r), 0);
    receiver_stop(r);
}

static const char *never(int count, const received *r) {
    (void)count, (void)r;
    return NULL;
}

/* A webhook that does not answer holds up no file, nor the end, though a call may take a minute. */
static void test_slow(void **state) {
    (void)state;
    receiver *r = receiver_start(0, never);
    webhook(receiver_port(r));
    file_sink(1, "out.jsonl");
    put1("hook", "k", "{}");
    put1("file", "k", "{\"a\":\n1}");
    heed_sinks *s = start();
    assert_int_equal(receiver_wait(r, 1), 1);
    put1("file", "l", "no JSON");
    heed_sinks_wake(s);
    settle("file", 0, 0);
    settle("hook", 1, 0);
    const time_t began = time(NULL);
    heed_sinks_stop(s);
    assert_true(time(NULL) - began < 30);
    settle("hook", 1, 0);
    same_file("out.jsonl", "{\"key\":\"k\",\"type\":\"alert\",\"message\":{\"a\":1}}\n"
                           "{\"key\":\"l\",\"type\":\"alert\",\"message\":\"no JSON\"}\n");
    receiver_stop(r);
}

static void test_no_secret(void **state) {
    (void)state;
    heed_error err = { 0 };
    webhook(9);
    sink[0].secret_env = "HEED_TEST_NO_SUCH";
    const heed_sinks_cfg cfg = config();
    assert_null(heed_sinks_start(&cfg, &err));
    assert_int_equal(err.code, HEED_EINVALID);
    assert_string_equal(err.msg, "sink hook: the environment variable HEED_TEST_NO_SUCH, which "
                                 "holds its secret, is not set");
}

/* The process is killed when the receiver has the message and the store does not know it yet: the
 * next one delivers it again, under the same key. */
static _Atomic pid_t victim;
static const char *kills(int count, const received *r) {
    (void)r;
    if (count == 0) kill(victim, SIGKILL);
    return OK_200;
}
static void test_killed(void **state) {
    (void)state;
    put1("hook", "once", "{}");
    heed_store_close(store);
    heed_error err = { 0 };
    int go[2], port = 0;
    assert_int_equal(pipe(go), 0);
    const pid_t child = fork(); /* before there is any other thread */
    if (child == 0) {
        if (read(go[0], &port, sizeof port) != sizeof port) _exit(1);
        webhook(port);
        store = heed_store_open(&(heed_store_cfg){ .path = path }, &err);
        heed_sinks_cfg cfg = config();
        if (!store || !heed_sinks_start(&cfg, &err)) _exit(2);
        for (;;) pause();
    }
    receiver *r = receiver_start(0, kills);
    port = receiver_port(r);
    webhook(port);
    victim = child;
    assert_int_equal(write(go[1], &port, sizeof port), sizeof port);
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    store = heed_store_open(&(heed_store_cfg){ .path = path }, &err);
    assert_non_null(store);
    settle("hook", 1, 0);
    heed_sinks *s = start();
    settle("hook", 0, 0);
    heed_sinks_stop(s);
    assert_int_equal(receiver_count(r), 2);
    for (int i = 0; i < 2; i++) {
        char value[64];
        assert_true(receiver_header(receiver_at(r, i), "Idempotency-Key", value, sizeof value));
        assert_string_equal(value, "once");
    }
    receiver_stop(r);
    close(go[0]);
    close(go[1]);
}

/* -- file -------------------------------------------------------------------------------------- */

#define LINE(key) "{\"key\":\"" key "\",\"type\":\"alert\",\"message\":{}}\n"

static void fill(const char *name, const char *text) {
    char where[256];
    (void)snprintf(where, sizeof where, "%s/%s", folder, name);
    FILE *f = fopen(where, "w");
    assert_non_null(f);
    (void)fputs(text, f);
    (void)fclose(f);
}

/* Moved away, it begins anew; half a line of ours is taken back, another's is left. */
static void test_rotated(void **state) {
    (void)state;
    file_sink(0, "log");
    fill("log", LINE("old") "{\"key\":\"cut\",\"ty");
    heed_sinks *s = start();
    put1("file", "a", "{}");
    settle("file", 0, 0);
    same_file("log", LINE("old") LINE("a"));
    char from[256], to[256];
    (void)snprintf(from, sizeof from, "%s/log", folder);
    (void)snprintf(to, sizeof to, "%s/log.1", folder);
    assert_int_equal(rename(from, to), 0);
    put1("file", "b", "{}");
    settle("file", 0, 0);
    same_file("log.1", LINE("old") LINE("a"));
    same_file("log", LINE("b"));
    struct stat is;
    assert_int_equal(stat(from, &is), 0);
    assert_int_equal(is.st_mode & 0777, 0600);
    assert_int_equal(unlink(from), 0);
    fill("log", "notes of a person");
    put1("file", "c", "{}");
    settle("file", 0, 0);
    same_file("log", "notes of a person\n" LINE("c"));
    heed_sinks_stop(s);
}

/* The disk is full in the middle of a line: none of it stays, nothing is put aside, and all is
 * written once there is room. */
static void test_full(void **state) {
    (void)state;
    file_sink(0, "log");
    sink[0].tries = 1;
    fill("log", LINE("old"));
    struct stat is;
    assert_int_equal(stat(sink[0].path, &is), 0);
    disk.file = is.st_ino;
    disk.room = (long)strlen(LINE("a")) + 10;
    static const char *const key[] = { "a", "b", "c" };
    put("file", "{}", 3, key);
    heed_sinks *s = start();
    settle("file", 2, 0);
    says(s, "No space left on device");
    settle("file", 2, 0);
    same_file("log", LINE("old") LINE("a"));
    disk.room = -1;
    settle("file", 0, 0);
    heed_sinks_stop(s);
    same_file("log", LINE("old") LINE("a") LINE("b") LINE("c"));
}

/* A folder that is not there, a device: said, and tried until it is mended. */
static void test_unwritable(void **state) {
    (void)state;
    file_sink(0, "later/log");
    put1("file", "a", "{}");
    heed_sinks *s = start();
    says(s, "later/log: No such file or directory");
    char where[256];
    (void)snprintf(where, sizeof where, "%s/later", folder);
    assert_int_equal(mkdir(where, 0700), 0);
    settle("file", 0, 0);
    same_file("later/log", LINE("a"));
    heed_sinks_stop(s);
}

/* -- mail -------------------------------------------------------------------------------------- */

static void mail_sink(const char *script) {
    static char command[256];
    char where[160];
    (void)snprintf(where, sizeof where, "%s/send", folder);
    FILE *f = fopen(where, "w");
    (void)fprintf(f, "#!/bin/sh\ncd %s\n%s\n", folder, script);
    (void)fclose(f);
    assert_int_equal(chmod(where, 0700), 0);
    (void)snprintf(command, sizeof command, "%s -t  -i;date", where);
    sink[0] = (heed_sink_cfg){ .name = "mail",
                               .kind = "mail",
                               .command = command,
                               .address = "ops@example.org",
                               .rate_per_hour = 100 };
    flow.sinks = 1;
}

/* No text makes a header; what is not ASCII is encoded; the body says it all. */
static void test_mail(void **state) {
    (void)state;
    mail_sink("printf '%s|' \"$@\" >args; cat >mail");
    put1("mail", "k\nBcc: x@y.z",
         "{\"title\":\"Überfall\\r\\nBcc: evil@example.org\\u2028 "
         "银行卡丢失投诉激增，请立即查看并处理这些消息\","
         "\"grade\":\"critical\"}");
    heed_sinks *s = start();
    settle("mail", 0, 0);
    heed_sinks_stop(s);
    same_file("args", "-t|-i;date|");
    char *mail = slurp("mail");
    char *body = strstr(mail, "\n\n");
    assert_non_null(body);
    *body = 0;
    body += 2;
    assert_int_equal(strncmp(mail, "To: ops@example.org\nSubject: =?UTF-8?B?", 38), 0);
    int lines = 0;
    for (char *rest = NULL, *line = strtok_r(mail, "\n", &rest); line;
         line = strtok_r(NULL, "\n", &rest), lines++) {
        assert_true(strlen(line) <= 78);
        for (const char *c = line; *c; c++) assert_true(*c >= ' ' && *c < 0x7F);
        static const char *const known[] = { "To: ",
                                             "Subject: ",
                                             " =?UTF-8?B?",
                                             "Message-ID: <",
                                             "Auto-Submitted: ",
                                             "MIME-Version: 1.0",
                                             "Content-Type: text/plain; charset=utf-8",
                                             "Content-Transfer-Encoding: base64" };
        bool ours = false;
        for (size_t i = 0; i < sizeof known / sizeof *known; i++)
            ours |= strncmp(line, known[i], strlen(known[i])) == 0;
        assert_true(ours);
    }
    assert_true(lines >= 7);
    fill("body", body);
    free(mail);
    char command[200], plain[1024];
    (void)snprintf(command, sizeof command, "base64 -d %s/body | head -1", folder);
    ask(command, plain, sizeof plain);
    assert_string_equal(plain, "title: Überfall\r");
    (void)snprintf(command, sizeof command,
                   "grep -ao '=?UTF-8?B?[^?]*' %s/mail | cut -c11- |"
                   " while read w; do echo \"$w\" | base64 -d; done",
                   folder);
    ask(command, plain, sizeof plain);
    assert_string_equal(plain, "[heed] critical: Überfall  Bcc: evil@example.org  "
                               "银行卡丢失投诉激增，请立即查看并处理这些消息");
}

/* Its exit status says whether it is tried again; one that hangs is killed with what it started. */
static void test_mail_fails(void **state) {
    (void)state;
    mail_sink("if [ -e once ]; then cat >mail; else touch once; echo busy >&2; exit 75; fi");
    put1("mail", "a", "{}");
    heed_sinks *s = start();
    settle("mail", 0, 0);
    heed_sinks_stop(s);
    mail_sink("echo nobody there; exit 67");
    put1("mail", "b", "{}");
    s = start();
    settle("mail", 0, 1);
    says(s, "/send: ended with 67: nobody there");
    heed_sinks_stop(s);
    mail_sink("sleep 1000 & sleep 1000");
    sink[0].tries = 1;
    put1("mail", "c", "{}");
    heed_sinks_cfg cfg = config();
    cfg.call_ms = 100;
    heed_error err = { 0 };
    s = heed_sinks_start(&cfg, &err);
    assert_non_null(s);
    settle("mail", 0, 2);
    says(s, "did not end within 100 ms");
    heed_sinks_stop(s);
    sink[0].command = "/no/such/program";
    put1("mail", "d", "{}");
    s = start();
    settle("mail", 0, 3);
    says(s, "/no/such/program: No such file or directory");
    heed_sinks_stop(s);
}

/* No program is looked for: which one is started is said in full. */
static void test_mail_program(void **state) {
    (void)state;
    static const char *const wrong[] = { "sendmail -t", " ", "./send" };
    mail_sink("true");
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        heed_error err = { 0 };
        sink[0].command = wrong[i];
        heed_sinks_cfg cfg = config();
        assert_null(heed_sinks_start(&cfg, &err));
        assert_int_equal(err.code, HEED_EINVALID);
        assert_non_null(strstr(err.msg, "the command must be a program's whole path"));
    }
}

/* More than so many an hour wait. */
static void test_mail_rate(void **state) {
    (void)state;
    mail_sink("cat >>mails");
    sink[0].rate_per_hour = 2;
    static const char *const key[] = { "a", "b", "c" };
    put("mail", "{}", 3, key);
    heed_sinks *s = start();
    settle("mail", 1, 0);
    usleep(100000);
    settle("mail", 1, 0);
    heed_sinks_stop(s);
    int n = 0;
    char *mails = slurp("mails");
    for (const char *p = mails; (p = strstr(p, "To: ops@")) != NULL; p++) n++;
    assert_int_equal(n, 2);
    free(mails);
}

/* -- page, and little memory ------------------------------------------------------------------- */

static void publish(void *user, const heed_message *m) {
    if (strcmp(m->key, "k") == 0) ++*(_Atomic int *)user;
}
static void test_page(void **state) {
    (void)state;
    _Atomic int heard = 0;
    sink[0] = (heed_sink_cfg){ .name = "page", .kind = "page" };
    flow.sinks = 1;
    put1("page", "k", "{}");
    heed_sinks_cfg cfg = config();
    cfg.publish = publish, cfg.user = &heard;
    heed_error err = { 0 };
    heed_sinks *s = heed_sinks_start(&cfg, &err);
    assert_non_null(s);
    settle("page", 0, 0);
    heed_sinks_stop(s);
    assert_int_equal(heard, 1);
}

/* Allocations fail one after the other at the start, and at random while it runs: nothing is lost,
 * nothing leaks (a sanitizer's build tells). */
static _Atomic int64_t left_allocations;
static void *scarce(void *user, size_t size) {
    (void)user;
    const int64_t left = left_allocations--;
    return left == 0 || (left < -1000000 && left % 13 == 0) ? NULL : malloc(size);
}
static void give(void *user, void *memory) {
    (void)user;
    free(memory);
}
static void test_no_memory(void **state) {
    (void)state;
    const heed_hooks hooks = { .alloc = scarce, .release = give };
    mail_sink("cat >/dev/null");
    const heed_sink_cfg mail = sink[0];
    file_sink(0, "log");
    sink[1] = mail;
    sink[2] = (heed_sink_cfg){ .name = "page", .kind = "page" };
    sink[3] = (heed_sink_cfg){
        .name = "hook", .kind = "webhook", .url = "http://127.0.0.1:9/", .allow_private = true
    };
    flow.sinks = 4;
    heed_sinks_cfg cfg = config();
    cfg.hooks = &hooks;
    int64_t failed = 0;
    for (int64_t n = 0;; n++) {
        heed_error err = { 0 };
        left_allocations = n;
        heed_sinks *s = heed_sinks_start(&cfg, &err);
        if (s) {
            heed_sinks_stop(s);
            break;
        }
        assert_int_equal(err.code, HEED_ENOMEM);
        failed++;
    }
    assert_true(failed >= 10);
    flow.sinks = 3;
    heed_error err = { 0 };
    left_allocations = 1000;
    heed_sinks *s = heed_sinks_start(&cfg, &err);
    assert_non_null(s);
    left_allocations = -2000000;
    const char *key[30];
    char text[30][8];
    for (int i = 0; i < 30; i++) {
        (void)snprintf(text[i], sizeof text[i], "k%d", i);
        key[i] = text[i];
    }
    put("file", "{}", 30, key);
    put("mail", "{}", 3, key);
    heed_sinks_wake(s);
    settle("file", 0, 0);
    settle("mail", 0, 0);
    heed_sinks_stop(s);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        TEST(test_signed),       TEST(test_again),  TEST(test_clock),      TEST(test_dead),
        TEST(test_down),         TEST(test_tries),  TEST(test_private),    TEST(test_slow),
        TEST(test_no_secret),    TEST(test_killed), TEST(test_rotated),    TEST(test_full),
        TEST(test_unwritable),   TEST(test_mail),   TEST(test_mail_fails), TEST(test_mail_rate),
        TEST(test_mail_program), TEST(test_page),   TEST(test_no_memory),
    };
    if ((real = getenv("DOWN_SECONDS")) != NULL) cmocka_set_test_filter("test_down");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
