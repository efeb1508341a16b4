/* Sources of files: tables played again, tails through rotation, folders, mails; what was taken is
 * not given again, what was not taken is. */
#include "cmocka_all.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utime.h>

#include "base/alloc.h"
#include "collect.h"
#include "flow/source_sweep.h"

static char folder[] = "/tmp/heed-src-XXXXXX";

static const char *at(const char *name) {
    static char path[4][256];
    static int next;
    char *p = path[next++ % 4];
    snprintf(p, sizeof path[0], "%s/%s", folder, name);
    return p;
}

static void put(const char *name, const char *text, const char *mode) {
    FILE *f = fopen(at(name), mode);
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void start(collect *c, const char *format, const char *path) {
    char settings[512];
    snprintf(settings, sizeof settings, format, path);
    collect_start(c, settings);
}

static void is_text(const collect *c, int64_t i, const char *text) {
    assert_true(i < c->len);
    assert_string_equal(c->event[i].text, text);
}

/* -- tables ----------------------------------------------------------------------------------- */

static void test_csv(void **state) {
    (void)state;
    collect c = { 0 };
    put("a.csv",
        "id,text,when,who,extra\n"
        "7,\"two\nlines, a \"\"quote\"\"\",2024-05-01T10:00:00Z,ann,x\n"
        "8,plain,,,\n"
        "9,too,few\n"
        "\n"
        "10,\xe4\xbd\xa0\xe5\xa5\xbd,1714557600,bob,y\n",
        "w");
    start(&c, "kind: csv, path: %s, time: when, user: who, label: extra", at("a.csv"));
    collect_until(&c, "ended");
    assert_int_equal(c.len, 3);
    is_text(&c, 0, "two\nlines, a \"quote\"");
    assert_string_equal(c.event[0].id, "7");
    assert_string_equal(c.event[0].user, "ann");
    assert_string_equal(c.event[0].body, "{\"label\":\"x\"}");
    assert_int_equal(c.event[0].happened_ms, 1714557600000);
    is_text(&c, 1, "plain");
    assert_null(c.event[1].user);
    assert_int_equal(c.event[2].happened_ms, 1714557600000);
    char error[512], says[512];
    collect_state(&c, "error", error, sizeof error);
    snprintf(says, sizeof says, "%s: record 3 of data, passed over: 3 fields, not 5", at("a.csv"));
    assert_string_equal(error, says);
    collect_stop(&c);
    start(&c, "kind: csv, path: %s", at("a.csv")); /* its end is remembered */
    collect_until(&c, "ended");
    assert_int_equal(c.len, 3);
    assert_int_equal(c.again, 0);
    collect_stop(&c);
    put("a.csv", "text\nanother file\n", "w"); /* another file of that name is another */
    start(&c, "kind: csv, path: %s", at("a.csv"));
    collect_until(&c, "ended");
    assert_int_equal(c.len, 4);
    is_text(&c, 3, "another file");
    collect_free(&c);
}

static void test_forms(void **state) {
    (void)state;
    collect c = { 0 };
    put("b.tsv", "intent\ttext\nhi\t\"hello\nbye\tsee you\n", "w");
    start(&c, "kind: csv, path: %s", at("b.tsv"));
    collect_until(&c, "ended");
    assert_int_equal(c.len, 2);
    is_text(&c, 0, "\"hello");
    assert_string_equal(c.event[1].body, "{\"intent\":\"bye\"}");
    collect_free(&c);
    put("c.jsonl",
        "{\"text\":\"one\",\"id\":5,\"n\":{\"deep\":[1]},\"title\":\"t\"}\n"
        "nonsense\n"
        "{\"text\":\"\"}\n"
        "{\"message\":\"two\",\"url\":\"http://x/\",\"session\":\"s\"}\n",
        "w");
    start(&c, "kind: csv, path: %s", at("c.jsonl"));
    collect_until(&c, "ended");
    assert_int_equal(c.len, 2);
    assert_string_equal(c.event[0].id, "5");
    assert_string_equal(c.event[0].title, "t");
    assert_string_equal(c.event[0].body, "{\"n\":{\"deep\":[1]}}");
    is_text(&c, 1, "two");
    assert_string_equal(c.event[1].url, "http://x/");
    assert_string_equal(c.event[1].session, "s");
    collect_free(&c);
    put("d.tsv", "a\tfirst\nb\tsecond\n", "w"); /* no header: columns by number */
    start(&c, "kind: csv, path: %s, text: 2, label: 1", at("d.tsv"));
    collect_until(&c, "ended");
    assert_int_equal(c.len, 2);
    is_text(&c, 0, "first");
    assert_string_equal(c.event[1].body, "{\"label\":\"b\"}");
    collect_free(&c);
    put("e.txt", "one line\nanother\n", "w"); /* a single column is the text */
    start(&c, "kind: csv, path: %s", at("e.txt"));
    collect_until(&c, "ended");
    assert_int_equal(c.len, 2);
    is_text(&c, 0, "one line");
    collect_free(&c);
}

/* What is no UTF-8, in columns and in their names, becomes what is. */
static void test_bytes(void **state) {
    (void)state;
    collect c = { 0 };
    put("k.tsv", "text\tna\xefve\tid\nca\xe9\t\xff\t\xfe\n", "w");
    start(&c, "kind: csv, path: %s", at("k.tsv"));
    collect_until(&c, "ended");
    assert_int_equal(c.len, 1);
    is_text(&c, 0, "ca\xef\xbf\xbd");
    assert_string_equal(c.event[0].id, "\xef\xbf\xbd");
    assert_string_equal(c.event[0].body, "{\"na\xef\xbf\xbdve\":\"\xef\xbf\xbd\"}");
    collect_free(&c);
    put("l.log", "\x1b[31mred\x07\tend\n", "w");
    start(&c, "kind: tail, path: %s", at("l.log"));
    collect_wait(&c, 1);
    is_text(&c, 0, " [31mred \tend");
    collect_free(&c);
    mkdir(at("bytes"), 0700);
    put("bytes/\xff.txt", "named by bytes", "w");
    start(&c, "kind: dir, path: %s", at("bytes"));
    collect_wait(&c, 1);
    assert_non_null(strstr(c.event[0].id, "@"));
    assert_null(strstr(c.event[0].id, "\xff"));
    collect_free(&c);
}

/* One event that is never taken does not keep the others from it. */
static void test_poison(void **state) {
    (void)state;
    collect c = { .poison = "two" };
    put("m.tsv", "text\none\ntwo\nthree\n", "w");
    start(&c, "kind: csv, path: %s", at("m.tsv"));
    collect_until(&c, "ended");
    assert_int_equal(c.len, 2);
    is_text(&c, 0, "one");
    is_text(&c, 1, "three");
    char error[512];
    collect_state(&c, "error", error, sizeof error);
    assert_non_null(strstr(error, " cannot be taken, passed over: it is bad"));
    collect_free(&c);
}

static void test_csv_wrong(void **state) {
    (void)state;
    heed_error err = { 0 };
    collect c = { 0 };
    const heed_intake intake = { .user = &c };
    put("f.tsv", "a\tb\n1\t2\n", "w");
    heed_source_cfg cfg = { .name = "in", .kind = "csv", .path = at("f.tsv") };
    heed_store *store = heed_store_open(&(heed_store_cfg){ .path = ":memory:" }, &err);
    assert_null(heed_source_start(&cfg, &intake, store, NULL, NULL, &err));
    char says[512];
    snprintf(says, sizeof says, "%s: which of its 2 columns is the text? 'text' in the flow says",
             at("f.tsv"));
    assert_string_equal(err.msg, says);
    cfg.text = "c";
    assert_null(heed_source_start(&cfg, &intake, store, NULL, NULL, &err));
    snprintf(says, sizeof says, "%s: the header has no column 'c'", at("f.tsv"));
    assert_string_equal(err.msg, says);
    cfg.path = at("none.tsv");
    assert_null(heed_source_start(&cfg, &intake, store, NULL, NULL, &err));
    assert_int_equal(err.code, HEED_ENOTFOUND);
    cfg.kind = "wish";
    assert_null(heed_source_start(&cfg, &intake, store, NULL, NULL, &err));
    assert_string_equal(err.msg, "source in: there is no kind 'wish'");
    heed_store_close(store);
}

static void test_pace(void **state) {
    (void)state;
    collect c = { 0 };
    char text[4096] = "id\ttext\n";
    for (int i = 0; i < 50; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%d\tline %d\n", i, i);
    put("g.tsv", text, "w");
    const int64_t begun = heed__ticks_ns();
    start(&c, "kind: csv, path: %s, rate: 100/s", at("g.tsv"));
    collect_until(&c, "ended");
    const double seconds = (double)(heed__ticks_ns() - begun) * 1e-9;
    assert_int_equal(c.len, 50);
    assert_true(seconds > 0.48); /* 49 pauses of 10 ms */
    collect_free(&c);
    /* by its own times, 100 times as fast: 50 s are half a second */
    strcpy(text, "time\ttext\n");
    for (int i = 0; i < 6; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%d\tline %d\n",
                 1714557600 + i * 10, i);
    put("h.tsv", text, "w");
    const int64_t second = heed__ticks_ns();
    start(&c, "kind: csv, path: %s, time: time, speed: 100", at("h.tsv"));
    collect_until(&c, "ended");
    assert_int_equal(c.len, 6);
    assert_true((double)(heed__ticks_ns() - second) * 1e-9 > 0.49);
    for (int i = 0; i < 6; i++) assert_int_equal(c.event[i].happened_ms, 1714557600000 + i * 10000);
    collect_free(&c);
}

static void test_loop(void **state) {
    (void)state;
    collect c = { 0 };
    put("i.tsv", "id\ttext\na\t1\nb\t2\nc\t3\nd\t4\n", "w");
    start(&c, "kind: csv, path: %s, loop: true, shuffle: true, seed: 3, rate: 400/s", at("i.tsv"));
    collect_wait(&c, 13);
    collect_stop(&c);
    const int64_t n = c.len;
    start(&c, "kind: csv, path: %s, loop: true, shuffle: true, seed: 3, rate: 400/s", at("i.tsv"));
    collect_wait(&c, n + 8); /* goes on where it was, nothing twice */
    collect_stop(&c);
    assert_int_equal(c.again, 0);
    bool same_order = true;
    for (int64_t i = 0; i + 4 <= c.len; i += 4) {
        int sum = 0;
        for (int64_t k = 0; k < 4; k++) sum += 1 << (c.event[i + k].text[0] - '1');
        assert_int_equal(sum, 15); /* each once a round */
        for (int64_t k = 0; k < 4 && i; k++)
            same_order &= c.event[i + k].text[0] == c.event[k].text[0];
    }
    assert_false(same_order);
    assert_true(strchr(c.event[0].id, '.') == NULL && strstr(c.event[5].id, ".1") != NULL);
    collect other = { 0 };
    start(&other, "kind: csv, path: %s, loop: true, shuffle: true, seed: 3", at("i.tsv"));
    collect_wait(&other, 20);
    collect_stop(&other);
    for (int64_t i = 0; i < 20 && i < c.len; i++) /* the seed alone decides */
        assert_string_equal(other.event[i].text, c.event[i].text);
    collect_free(&other);
    collect_free(&c);
}

static void test_refused(void **state) {
    (void)state;
    collect c = { .refuse = 1 };
    put("j.tsv", "text\none\ntwo\n", "w");
    start(&c, "kind: csv, path: %s", at("j.tsv"));
    collect_wait(&c, 2);
    collect_until(&c, "ended");
    assert_int_equal(c.len, 2);
    assert_int_equal(c.calls, 2);
    collect_free(&c);
}

/* -- tails ------------------------------------------------------------------------------------ */

static void test_tail(void **state) {
    (void)state;
    collect c = { 0 };
    start(&c, "kind: tail, path: %s", at("log")); /* it may appear later */
    heed__sleep_ms(50);
    assert_int_equal(c.len, 0);
    put("log", "one\r\ntw", "w");
    collect_wait(&c, 1);
    put("log", "o\n\n{\"text\":\"three\",\"user\":\"u\"}\nbad \xff byte\nhal", "a");
    collect_wait(&c, 4);
    is_text(&c, 0, "one");
    is_text(&c, 1, "two");
    is_text(&c, 2, "three");
    assert_string_equal(c.event[2].user, "u");
    is_text(&c, 3, "bad \xef\xbf\xbd byte");
    collect_stop(&c);
    start(&c, "kind: tail, path: %s", at("log"));
    put("log", "f\nlast\n", "a");
    collect_wait(&c, 6);
    is_text(&c, 4, "half");
    is_text(&c, 5, "last");
    assert_int_equal(c.again, 0);
    collect_free(&c);
}

static void test_rotation(void **state) {
    (void)state;
    collect c = { 0 };
    unlink(at("log"));
    put("log", "1\n2\n", "w");
    start(&c, "kind: tail, path: %s", at("log"));
    collect_wait(&c, 2);
    FILE *writer = fopen(at("log"), "a"); /* still writes after the name has gone */
    rename(at("log"), at("log.1"));
    fputs("3\n", writer);
    fflush(writer);
    put("log", "4\n", "w");
    fputs("5 without an end", writer);
    fclose(writer);
    collect_wait(&c, 5);
    is_text(&c, 2, "3");
    is_text(&c, 3, "5 without an end");
    is_text(&c, 4, "4");
    /* rotated while nobody looks: the rest of the old file first */
    put("log", "6\n", "a");
    collect_wait(&c, 6);
    collect_stop(&c);
    put("log", "7\n", "a");
    rename(at("log"), at("log.2"));
    put("log", "8\n", "w");
    start(&c, "kind: tail, path: %s", at("log"));
    collect_wait(&c, 8);
    is_text(&c, 6, "7");
    is_text(&c, 7, "8");
    /* copied and cut */
    assert_int_equal(truncate(at("log"), 0), 0);
    put("log", "9\n", "a");
    collect_wait(&c, 9);
    /* cut and written anew, longer than before, while nobody looks */
    collect_stop(&c);
    put("log", "another\n9\n", "w");
    start(&c, "kind: tail, path: %s", at("log"));
    collect_wait(&c, 11);
    is_text(&c, 9, "another");
    /* removed and made again: the same inode perhaps, the same first line */
    collect_until(&c, "waiting");
    unlink(at("log"));
    put("log", "another\n", "w");
    collect_wait(&c, 12);
    is_text(&c, 11, "another");
    /* twice while nobody looks */
    collect_until(&c, "waiting");
    collect_stop(&c);
    put("log", "a\n", "a");
    rename(at("log"), at("log.3"));
    put("log", "b\n", "w");
    put("log.note", "no file of ours\n", "w");
    rename(at("log"), at("log.4"));
    put("log", "c\n", "w");
    start(&c, "kind: tail, path: %s", at("log"));
    collect_wait(&c, 15);
    is_text(&c, 12, "a");
    is_text(&c, 13, "b");
    is_text(&c, 14, "c");
    assert_int_equal(c.len, 15);
    assert_int_equal(c.again, 0);
    collect_free(&c);
}

static void test_tail_end(void **state) {
    (void)state;
    collect c = { 0 };
    unlink(at("log"));
    put("log", "old\n", "w");
    start(&c, "kind: tail, path: %s, from: end, most: 1KiB, format: json", at("log"));
    collect_until(&c, "waiting");
    char *large = malloc(9001);
    memset(large, 'x', 9000);
    large[9000] = 0;
    put("log", large, "a");
    heed__sleep_ms(100);
    put("log", "\n{\"text\":\"new\"}\nno json\n{\"text\":\"newer\"}\n", "a");
    collect_wait(&c, 2);
    is_text(&c, 0, "new");
    is_text(&c, 1, "newer");
    char error[512];
    collect_state(&c, "error", error, sizeof error);
    if (!strstr(error, "passed over: in:1:2: ")) fail_msg("%s", error);
    free(large);
    collect_free(&c);
}

/* -- folders ---------------------------------------------------------------------------------- */

/* As if it had been written long ago. */
static void put_old(const char *name, const char *text) {
    put(name, text, "w");
    const struct utimbuf old = { 1714557600, 1714557600 };
    utime(at(name), &old);
}

static void test_dir(void **state) {
    (void)state;
    collect c = { 0 };
    mkdir(at("in"), 0700);
    put_old("in/a.txt", "the text\nof a file\n");
    put_old("in/b.html", "<p>A <b>page</b><script>x()</script></p>");
    put_old("in/.hidden", "no");
    put_old("in/empty", "");
    put_old("secret", "not of that folder");
    assert_int_equal(symlink(at("secret"), at("in/link.txt")), 0); /* leads nowhere */
    assert_int_equal(mkfifo(at("in/pipe.txt"), 0600), 0);
    start(&c, "kind: dir, path: %s", at("in"));
    collect_wait(&c, 2);
    is_text(&c, 0, "the text\nof a file");
    is_text(&c, 1, "A page");
    assert_string_equal(c.event[0].body, "{\"file\":\"a.txt\"}");
    assert_int_equal(c.event[0].happened_ms, 1714557600000);
    put("in/a.txt", "another text", "w"); /* changed */
    collect_wait(&c, 3);
    is_text(&c, 2, "another text");
    collect_stop(&c);
    put("in/c.md", "new", "w");
    start(&c, "kind: dir, path: %s, match: \"*.md\"", at("in"));
    collect_wait(&c, 4);
    is_text(&c, 3, "new");
    assert_int_equal(c.again, 0);
    collect_free(&c);
    put_old("in/d.log", "one\n\ntwo\r\n{\"text\":\"three\"}");
    start(&c, "kind: dir, path: %s, lines: true, match: d.log", at("in"));
    collect_wait(&c, 3);
    is_text(&c, 1, "two");
    is_text(&c, 2, "three");
    put("in/d.log", "four\n", "a"); /* the whole file is read again, its lines are known */
    put("in/d.log", "five\n", "a");
    collect_wait(&c, 5);
    is_text(&c, 4, "five");
    assert_true(c.again >= 2);
    collect_free(&c);
    start(&c, "kind: dir, path: %s", at("nowhere"));
    collect_until(&c, "failing");
    char error[512];
    collect_state(&c, "error", error, sizeof error);
    assert_non_null(strstr(error, "nowhere: cannot be read: No such file or directory"));
    collect_free(&c);
}

/* As mail is delivered: whole, by a rename. */
/* -- what is kept of files that are gone ------------------------------------------------------ */

static bool count_value(void *user, const char *name, const char *value) {
    int *n = user; /* all, those that bear a day */
    assert_non_null(strstr(name, "source/"));
    n[0]++, n[1] += strchr(value, '~') != NULL;
    return true;
}

static void kept(collect *c, int all, int gone) {
    heed_error err;
    for (int i = 0;; i++, usleep(5000)) {
        int n[2] = { 0 };
        assert_true(heed_store_values(c->store, "source/", "", count_value, n, &err) >= 0);
        if (n[0] == all && n[1] == gone) return;
        if (i == 2000) fail_msg("%d values, %d of what is gone; not %d, %d", n[0], n[1], all, gone);
    }
}

/* The day since when it is gone becomes one of long ago. */
static bool age_value(void *user, const char *name, const char *value) {
    collect *c = user;
    heed_error err;
    char old[128];
    if (!strchr(value, '~')) return true;
    snprintf(old, sizeof old, "%.*s~19000", (int)strcspn(value, "~"), value);
    assert_int_equal(heed_store_set(c->store, name, old, &err), 0);
    return true;
}

static void look_again(collect *c) {
    collect_stop(c);
    start(c, "kind: dir, path: %s", at("sweep"));
}

static void test_gone(void **state) {
    (void)state;
    collect c = { 0 };
    heed_error err = { 0 };
    mkdir(at("sweep"), 0700);
    char name[32];
    for (int i = 0; i < 700; i++) { /* more than are looked at together */
        snprintf(name, sizeof name, "sweep/%d", i);
        put_old(name, name);
    }
    start(&c, "kind: dir, path: %s", at("sweep"));
    collect_wait(&c, 700);
    kept(&c, 700, 0);
    for (int i = 1; i < 700; i++) {
        snprintf(name, sizeof name, "sweep/%d", i);
        unlink(at(name));
    }
    look_again(&c);
    kept(&c, 700, 699);
    put_old("sweep/1", "sweep/1"); /* there again, unchanged: known */
    look_again(&c);
    kept(&c, 700, 698);
    assert_int_equal(c.len, 700);
    assert_int_equal(c.again, 0);
    assert_true(heed_store_values(c.store, "source/", "", age_value, &c, &err) == 700);
    look_again(&c);
    kept(&c, 2, 0);
    /* the source itself goes out of the flow, and comes back once */
    static const heed_source_cfg other = { .name = "other" }, both[] = { { .name = "in" } };
    const heed_flow without = { .source = &other, .sources = 1 },
                    with = { .source = both, .sources = 1 };
    collect_stop(&c);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(heed_sources_sweep(c.store, &without, NULL, &err), 0);
        char *day = heed_store_get(c.store, "gone/in", &err);
        assert_non_null(day);
        heed__free(NULL, day);
        kept(&c, 2, 0);
        if (i == 0) assert_int_equal(heed_sources_sweep(c.store, &with, NULL, &err), 0);
        if (i == 0) assert_null(heed_store_get(c.store, "gone/in", &err));
    }
    assert_int_equal(heed_store_set(c.store, "gone/in", "19000", &err), 0);
    assert_int_equal(heed_sources_sweep(c.store, &without, NULL, &err), 0);
    kept(&c, 0, 0);
    assert_null(heed_store_get(c.store, "gone/in", &err));
    collect_free(&c);
}

static void deliver(const char *name, const char *text) {
    char to[64];
    put("mail/tmp", text, "w");
    snprintf(to, sizeof to, "mail/%s", name);
    assert_int_equal(rename(at("mail/tmp"), at(to)), 0);
}

static void test_maildir(void **state) {
    (void)state;
    collect c = { 0 };
    mkdir(at("mail"), 0700);
    mkdir(at("mail/new"), 0700);
    mkdir(at("mail/cur"), 0700);
    deliver("new/1.a.host", "From: =?UTF-8?Q?Ann_=C3=84x?= <Ann@Example.org>\r\n"
                            "Subject: =?utf-8?b?5L2g?=\r\n =?utf-8?b?5aW9?= there\r\n"
                            "Date: Wed, 01 May 2024 10:00:00 +0000\r\n"
                            "Message-ID: <1@x>\r\nReferences: <0@x> <1@x>\r\n"
                            "Content-Type: text/plain; charset=iso-8859-1\r\n"
                            "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
                            "caf=E9 and a long=\r\n line\r\n");
    deliver("cur/2.b.host:2,S", "Subject: read\n\nbody\n");
    start(&c, "kind: maildir, path: %s", at("mail"));
    collect_wait(&c, 2);
    assert_string_equal(c.event[0].id, "1.a.host");
    assert_string_equal(c.event[0].title, "\xe4\xbd\xa0\xe5\xa5\xbd there");
    is_text(&c, 0, "caf\xc3\xa9 and a long line");
    assert_string_equal(c.event[0].user, "ann@example.org");
    assert_string_equal(c.event[0].session, "0@x");
    assert_int_equal(c.event[0].happened_ms, 1714557600000);
    assert_string_equal(c.event[0].body,
                        "{\"from\":\"Ann \xc3\x84x <Ann@Example.org>\",\"message_id\":\"1@x\"}");
    assert_string_equal(c.event[1].id, "2.b.host");
    rename(at("mail/new/1.a.host"), at("mail/cur/1.a.host:2,")); /* a reader has looked at it */
    deliver("new/3.c.host", "Subject: third\n\n");
    collect_wait(&c, 3);
    collect_stop(&c);
    heed_error
        err; /* who is forgotten does not come in again with the mail that still lies there */
    heed_entry e = { .source = "in", .id = "1.a.host", .user = "ann@example.org", .text = "x" };
    assert_int_equal(heed_store_append(c.store, &e, 1, 1, &err), 0);
    assert_int_equal(heed_store_forget(c.store, e.user, &err), 1);
    start(&c, "kind: maildir, path: %s", at("mail"));
    deliver("cur/4.d.host:2,", "no headers at all\n\nbut a text");
    collect_wait(&c, 4);
    assert_int_equal(c.again, 0);
    assert_int_equal(access(at("mail/cur/2.b.host:2,S"), F_OK), 0); /* nothing is moved */
    collect_free(&c);
}

static void test_push(void **state) {
    (void)state;
    collect c = { 0 };
    collect_start(&c, "kind: push");
    collect_until(&c, "waiting");
    collect_free(&c);
}

static int make_folder(void **state) {
    (void)state;
    return mkdtemp(folder) ? 0 : 1;
}

static int remove_folder(void **state) {
    (void)state;
    char command[256];
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_csv),       cmocka_unit_test(test_forms),
        cmocka_unit_test(test_csv_wrong), cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_poison),    cmocka_unit_test(test_pace),
        cmocka_unit_test(test_loop),      cmocka_unit_test(test_refused),
        cmocka_unit_test(test_tail),      cmocka_unit_test(test_rotation),
        cmocka_unit_test(test_tail_end),  cmocka_unit_test(test_dir),
        cmocka_unit_test(test_gone),      cmocka_unit_test(test_maildir),
        cmocka_unit_test(test_push),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
