/* check.c: every page, index and row looked at. What is wrong goes to the log hook, one line each.
 */
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "store/impl.h"

enum { TOLD = 100 }; /* lines at most */

typedef struct checker {
    heed_store *store;
    heed_db *db;
    int64_t wrong;
    char first[200];
} checker;

static void wrong(checker *c, const char *what) {
    if (c->wrong++ == 0) heed__format(c->first, sizeof c->first, "%s", what);
    if (c->wrong <= TOLD)
        heed__log(&c->store->hooks, HEED_LOG_WARN, "%s: %s", c->store->path, what);
}

/* A refusal to read is of the file, not of the check, where it says that the file is damaged. */
static int judge(checker *c, int status, const heed_error *said, heed_error *err) {
    if (status >= 0) return HEED_OK;
    if (status != HEED_EFORMAT) return heed__error(err, status, "%s", said->msg);
    wrong(c, said->msg);
    return HEED_OK;
}

/* SQLite tells in a row of the answer too that memory ran out: what it could not look at is not
 * wrong for that. */
static bool is_short_of_memory(const char *text) {
    static const char code[] = "error code=7";
    const char *at = text ? strstr(text, code) : NULL;
    return !text || (at && (at[sizeof code - 1] < '0' || at[sizeof code - 1] > '9'));
}

static int check_pages(checker *c, heed_error *err) {
    heed_error said = { 0 };
    sqlite3_stmt *q = heed__db_sql(c->db, "PRAGMA integrity_check(100)", &said);
    int row = q ? HEED_OK : heed__db_error(c->db, &said);
    if (q) {
        while ((row = heed__db_step(c->db, q, &said)) == 1) {
            const char *text = heed__db_column(q, 0);
            if (is_short_of_memory(text)) {
                row = heed__error(&said, HEED_ENOMEM, "out of memory for a check");
                break;
            }
            if (strcmp(text, "ok") != 0) wrong(c, text);
        }
        heed__db_done(q);
    }
    return judge(c, row, &said, err);
}

/* FTS5 looks at its own index, and holds it against titles and texts. It counts as writing. */
static int check_words(heed_store *s, void *arg, heed_error *err) {
    (void)arg;
    return heed__db_run(s->writer, "INSERT INTO words (words, rank) VALUES ('integrity-check', 1)",
                        NULL, 0, err);
}

static void check_entry(checker *c, sqlite3_stmt *q, int64_t *clock_ms) {
    heed_entry e;
    char what[160];
    heed__entry_row(q, &e);
    if (sqlite3_column_int64(q, 12) != heed__entry_sum(&e)) {
        heed__format(what, sizeof what, "entry %lld is not what was written: its checksum differs",
                     (long long)e.seq);
        wrong(c, what);
    }
    if (e.time_ms < *clock_ms) {
        heed__format(what, sizeof what, "entry %lld: the clock goes back", (long long)e.seq);
        wrong(c, what);
    }
    *clock_ms = e.time_ms;
}

static int check_log(checker *c, heed_error *err) {
    heed_error said = { 0 };
    sqlite3_stmt *q = heed__db_sql(
        c->db, "SELECT " HEED_ENTRY_COLUMNS ", sum FROM entry ORDER BY seq", &said);
    int row = q ? HEED_OK : heed__db_error(c->db, &said);
    int64_t clock_ms = INT64_MIN;
    if (q) {
        while ((row = heed__db_step(c->db, q, &said)) == 1) check_entry(c, q, &clock_ms);
        heed__db_done(q);
    }
    return judge(c, row, &said, err);
}

#define PLACE(name) "coalesce((SELECT value FROM place WHERE name = '" name "'), 0)"

#define TALLY(size)                                                                                \
    "WITH a AS (SELECT slot, sum(n) AS n FROM tally WHERE size = " size " GROUP BY slot), b AS"    \
    " (SELECT time_ms / " size ", count(*) FROM entry WHERE kind = 0 AND seq <= " PLACE(           \
        "decided") " GROUP BY 1) SELECT count(*) FROM (SELECT * FROM (SELECT * FROM a EXCEPT "     \
                   "SELECT * FROM b)"                                                              \
                   " UNION SELECT * FROM (SELECT * FROM b EXCEPT SELECT * FROM a))"

static int check_rules(checker *c, heed_error *err) {
    static const struct {
        const char *sql, *what;
    } rule[] = {
        { "SELECT count(*) FROM entry WHERE kind < 0 OR kind > 5", "entries of an unknown kind" },
        { "SELECT count(*) FROM entry WHERE kind = 5 AND coalesce(id, user, session, title, text,"
          " url, body) IS NOT NULL",
          "forgotten entries that still say something" },
        { "SELECT " PLACE("decided") " > max(coalesce((SELECT max(seq) FROM entry), 0), " PLACE(
              "last") ")",
          "decisions about entries that are not there" },
        { "SELECT " PLACE("indexed") " > " PLACE("decided"), "words beyond what was decided" },
        { "SELECT count(*) FROM state WHERE at > " PLACE("decided"),
          "a state beyond what was decided" },
        { "SELECT abs(" PLACE("events") " - (SELECT count(*) FROM entry WHERE kind = 0 AND seq "
                                        "<= " PLACE("decided") "))",
          "events too many or too few for their count" },
        { "SELECT abs((SELECT count(*) FROM words_docsize) - (SELECT count(*) FROM indexed))",
          "texts too many or too few in the full-text index" },
        { TALLY("60000"), "minutes whose events are not those of their tally" },
        { TALLY("1200000"), "thirds of an hour whose events are not those of their tally" },
        { "SELECT count(*) FROM tally WHERE n <= 0 OR key NOT IN (SELECT id FROM tally_key)",
          "tallies of nothing" },
        { "SELECT count(*) FROM finding WHERE seq NOT IN (SELECT seq FROM entry WHERE kind = 0)",
          "findings about no event" },
        { "SELECT count(*) FROM decided WHERE seq NOT IN (SELECT seq FROM entry WHERE kind = 0)",
          "decisions about no event" },
        { "SELECT count(*) FROM vector WHERE seq NOT IN (SELECT seq FROM entry WHERE kind = 0)",
          "vectors of no event" },
        { "SELECT count(*) FROM vector WHERE length(value) % 2 OR length(value) = 0",
          "vectors with half a number" },
        { "SELECT count(*) FROM message WHERE phase NOT IN (0, 1, 2)"
          " OR (phase = 0 AND body IS NULL)",
          "messages that cannot be sent" },
    };
    for (size_t i = 0; i < sizeof rule / sizeof *rule; i++) {
        heed_error said = { 0 };
        int64_t n = 0;
        int status = heed__db_number(c->db, rule[i].sql, 0, &n, &said);
        status = judge(c, status, &said, err);
        if (status) return status;
        if (n == 0) continue;
        char what[160];
        heed__format(what, sizeof what, "%s: %lld", rule[i].what, (long long)n);
        wrong(c, what);
    }
    return HEED_OK;
}

int heed_store_check(heed_store *s, heed_error *err) {
    checker c = { .store = s, .db = heed__store_reader(s, err) };
    if (!c.db) return heed__code_of(err);
    int status = check_pages(&c, err);
    if (!status) status = check_log(&c, err);
    if (!status) status = check_rules(&c, err);
    heed__store_return(s, c.db);
    heed_error said = { 0 };
    if (!status && !s->read_only)
        status = judge(&c, heed__store_write(s, check_words, NULL, &said), &said, err);
    if (!status && s->read_only)
        heed__log(&s->hooks, HEED_LOG_INFO,
                  "%s: opened only to be read: the inside of the full-text index was not looked at",
                  s->path);
    if (status) return status;
    if (!c.wrong) return HEED_OK;
    return heed__error(err, HEED_EFORMAT, "%s: %lld things are wrong; the first: %s", s->path,
                       (long long)c.wrong, c.first);
}
