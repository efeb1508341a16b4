/* forget.c: all that is of one user goes: entries become tombstones, what came of them is removed,
 * and what quotes them elsewhere (alerts, messages, values, the decider's memory) is cleaned. */
#include <jansson.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "store/forget.h"
#include "store/impl.h"
#include "store/tally.h"

enum { QUOTED = 8, CONTAINED = 6 }; /* bytes from which a part of a text is known for it */

/* Texts of the user's. */
typedef struct texts {
    char **text;
    int64_t n, cap;
    int64_t names; /* the first so many are ids of user and sessions */
} texts;

typedef struct forgetting {
    const char *user;
    int64_t *seq;
    int64_t n, cap;
    texts texts;
    heed_keys keys;
} forgetting;

static int keep_text(heed_store *s, texts *t, const char *text) {
    if (!text || !*text) return HEED_OK;
    for (int64_t i = 0; i < t->n && i < 64; i++)
        if (strcmp(t->text[i], text) == 0) return HEED_OK;
    if (heed__grow(&s->hooks, &t->text, &t->cap, t->n + 1, sizeof *t->text)) return HEED_ENOMEM;
    t->text[t->n] = heed__strdup(&s->hooks, text);
    return t->text[t->n] ? (t->n++, HEED_OK) : HEED_ENOMEM;
}

static void reset(heed_store *s, forgetting *f) {
    for (int64_t i = 0; i < f->texts.n; i++) heed__free(&s->hooks, f->texts.text[i]);
    heed__free(&s->hooks, f->texts.text);
    heed__free(&s->hooks, f->seq);
    heed__told_free(s, &f->keys);
    *f = (forgetting){ .user = f->user };
}

/* -- what is of the user ---------------------------------------------------------------------- */

/* Strings within an entry's other fields, but for the short ones, which are words of the flow. */
static int keep_strings(heed_store *s, texts *t, json_t *tree) {
    if (json_is_string(tree))
        return json_string_length(tree) < QUOTED ? HEED_OK
                                                 : keep_text(s, t, json_string_value(tree));
    int status = HEED_OK;
    json_t *item;
    size_t i;
    if (json_is_object(tree))
        for (void *at = json_object_iter(tree); at && !status; at = json_object_iter_next(tree, at))
            status = keep_strings(s, t, json_object_iter_value(at));
    if (json_is_array(tree))
        json_array_foreach(tree, i, item) if (!status) status = keep_strings(s, t, item);
    return status;
}

static int note_entry(heed_store *s, forgetting *f, sqlite3_stmt *q) {
    heed_entry e;
    heed__entry_row(q, &e);
    if (heed__grow(&s->hooks, &f->seq, &f->cap, f->n + 1, sizeof *f->seq)) return HEED_ENOMEM;
    f->seq[f->n++] = e.seq;
    const char *const text[] = { e.id, e.title, e.text, e.url };
    for (size_t i = 0; i < sizeof text / sizeof *text; i++)
        if (keep_text(s, &f->texts, text[i])) return HEED_ENOMEM;
    if (!e.body) return HEED_OK;
    json_t *body = heed__json_parse(e.body, strlen(e.body), "body", NULL);
    const int status = body ? keep_strings(s, &f->texts, body) : HEED_OK;
    json_decref(body);
    return status;
}

static int names(heed_store *s, forgetting *f, heed_error *err) {
    sqlite3_stmt *q = heed__db_sql(
        s->writer, "SELECT DISTINCT session FROM entry WHERE user = ?1 AND session IS NOT NULL",
        err);
    if (!q) return heed__db_error(s->writer, err);
    heed__db_text(q, 1, f->user);
    int row = keep_text(s, &f->texts, f->user) ? HEED_ENOMEM : 1;
    while (row == 1 && (row = heed__db_step(s->writer, q, err)) == 1)
        if (keep_text(s, &f->texts, heed__db_column(q, 0))) row = HEED_ENOMEM;
    heed__db_done(q);
    f->texts.names = f->texts.n;
    return row;
}

/* The user's entries; in the user's conversations those of nobody, which answer; feedback about any
 * of them. */
static int find(heed_store *s, forgetting *f, heed_error *err) {
    static const char *const sql[] = {
        "SELECT " HEED_ENTRY_COLUMNS " FROM entry WHERE user = ?1 AND kind < 5",
        "SELECT " HEED_ENTRY_COLUMNS " FROM entry WHERE user IS NULL AND kind < 5 AND session IN"
        " (SELECT session FROM entry WHERE user = ?1 AND session IS NOT NULL)",
        "SELECT " HEED_ENTRY_COLUMNS " FROM entry WHERE coalesce(user, '') <> ?1 AND kind = 2 AND"
        " seq IN (SELECT entry FROM feedback WHERE seq IN (SELECT seq FROM entry WHERE user = ?1))",
    };
    int row = names(s, f, err);
    for (size_t i = 0; i < sizeof sql / sizeof *sql && !row; i++) {
        sqlite3_stmt *q = heed__db_sql(s->writer, sql[i], err);
        if (!q) return heed__db_error(s->writer, err);
        heed__db_text(q, 1, f->user);
        while ((row = heed__db_step(s->writer, q, err)) == 1)
            if (note_entry(s, f, q)) {
                row = HEED_ENOMEM;
                break;
            }
        heed__db_done(q);
    }
    return row == HEED_ENOMEM ? heed__error(err, row, "%s: out of memory", s->path) : row;
}

/* -- entries ---------------------------------------------------------------------------------- */

static int make_tombstone(heed_store *s, int64_t seq, heed_error *err) {
    sqlite3_stmt *q = heed__db_sql(s->writer, "SELECT time_ms, kind FROM entry WHERE seq = ?1",
                                   err);
    if (!q) return heed__db_error(s->writer, err);
    sqlite3_bind_int64(q, 1, seq);
    const int row = heed__db_step(s->writer, q, err);
    const heed_entry left = { .seq = seq,
                              .time_ms = row == 1 ? sqlite3_column_int64(q, 0) : 0,
                              .kind = HEED_ENTRY_FORGOTTEN };
    if (row == 1 && seq <= s->pending.decided)
        s->pending.events -= sqlite3_column_int(q, 1) == HEED_ENTRY_EVENT;
    heed__db_done(q);
    if (row < 0) return row;
    const int64_t value[] = { seq, heed__entry_sum(&left) };
    return heed__db_run(s->writer,
                        "UPDATE entry SET kind = 5, source = '', id = NULL, happened_ms = 0,"
                        " user = NULL, session = NULL, title = NULL, text = NULL, url = NULL,"
                        " body = NULL, sum = ?2 WHERE seq = ?1",
                        value, 2, err);
}

static int forget_entry(heed_store *s, int64_t seq, heed_error *err) {
    static const char *const sql[] = {
        "INSERT INTO words (words, rowid, title, text) SELECT 'delete', seq, title, text FROM"
        " indexed WHERE seq = ?1",
        "DELETE FROM finding WHERE seq = ?1",
        "DELETE FROM decided WHERE seq = ?1",
        "DELETE FROM vector WHERE seq = ?1",
        "DELETE FROM feedback WHERE seq = ?1 OR entry = ?1",
        "DELETE FROM message WHERE seq = ?1",
        /* of an alert that it opened nobody knows any more: it is over */
        "UPDATE alert SET state = 'closed' WHERE id BETWEEN ?1 * 100 AND ?1 * 100 + 99",
        /* a story goes on under the first that is left */
        "UPDATE decided SET story = (SELECT min(seq) FROM decided WHERE story = ?1) WHERE story ="
        " ?1",
    };
    int status = seq <= s->pending.decided ? heed__tally(s->writer, seq, seq + 1, -1, NULL, err)
                                           : HEED_OK;
    for (size_t i = 0; i < sizeof sql / sizeof *sql && !status; i++)
        status = heed__db_run(s->writer, sql[i], &seq, 1, err);
    return status ? status : make_tombstone(s, seq, err);
}

/* -- what quotes them ------------------------------------------------------------------------- */

/* Without a mark that something was left out at its end. */
static size_t bare_length(const char *text) {
    size_t len = strlen(text);
    if (len >= 3 && strcmp(text + len - 3, "…") == 0) return len - 3;
    if (len >= 3 && strcmp(text + len - 3, "...") == 0) return len - 3;
    return len;
}

static bool of_user(const texts *t, const char *text) {
    const size_t len = bare_length(text);
    for (int64_t i = 0; i < t->n; i++) {
        const char *own = t->text[i];
        const size_t own_len = strlen(own);
        if (strcmp(own, text) == 0) return true;
        if (own_len >= CONTAINED && strstr(text, own)) return true;
        if (i >= t->names && len >= QUOTED && own_len >= len && memmem(own, own_len, text, len))
            return true;
    }
    return false;
}

/* Strings of the user's become "", keys of objects aside; true where there were any. */
static bool clean_tree(const texts *t, json_t *tree) {
    bool found = false;
    json_t *item;
    size_t i;
    if (json_is_string(tree) && of_user(t, json_string_value(tree))) {
        json_string_set(tree, "");
        return true;
    }
    if (json_is_object(tree))
        for (void *at = json_object_iter(tree); at; at = json_object_iter_next(tree, at))
            found |= clean_tree(t, json_object_iter_value(at));
    if (json_is_array(tree)) json_array_foreach(tree, i, item) found |= clean_tree(t, item);
    return found;
}

/* The column's new value: cleaned JSON, "" for other text; NULL: it may stay. *failed: no memory */
static char *cleaned(heed_store *s, const texts *t, const char *text, bool *failed) {
    if (!text || !*text) return NULL;
    heed_error said = { 0 };
    json_t *tree = heed__json_parse(text, strlen(text), "", &said);
    if (!tree) {
        if (said.code == HEED_ENOMEM) *failed = true;
        if (!of_user(t, text)) return NULL;
        char *empty = heed__strdup(&s->hooks, "");
        *failed |= !empty;
        return empty;
    }
    char *json = NULL;
    if (clean_tree(t, tree)) {
        json = heed__json_text(&s->hooks, tree, false, NULL, NULL);
        *failed |= !json;
    }
    json_decref(tree);
    return json;
}

/* One column of a table with an id: rows that quote the user are cleaned. */
static int clean_column(heed_store *s, const texts *t, const char *select, const char *update,
                        heed_error *err) {
    sqlite3_stmt *q = heed__db_sql(s->writer, select, err);
    sqlite3_stmt *u = q ? heed__db_sql(s->writer, update, err) : NULL;
    if (!u) return heed__db_error(s->writer, err);
    int row;
    bool failed = false;
    while ((row = heed__db_step(s->writer, q, err)) == 1) {
        char *value = cleaned(s, t, heed__db_column(q, 1), &failed);
        if (value) {
            sqlite3_bind_int64(u, 1, sqlite3_column_int64(q, 0));
            heed__db_text(u, 2, value);
            row = heed__db_step(s->writer, u, err);
            heed__db_done(u);
            heed__free(&s->hooks, value);
        }
        if (row < 0 || failed) break;
    }
    heed__db_done(q);
    return failed ? heed__error(err, HEED_ENOMEM, "%s: out of memory", s->path) : row;
}

/* Values that quote the user go, but for the places of sources: they say up to where a file or a
 * feed was read, in numbers and sums, and without them all of it would come in again, the user's
 * part too. */
static int clean_values(heed_store *s, const texts *t, heed_error *err) {
    sqlite3_stmt *q = heed__db_sql(
        s->writer, "SELECT name, value FROM value WHERE name NOT GLOB 'source/*'", err);
    sqlite3_stmt *u = q ? heed__db_sql(s->writer, "DELETE FROM value WHERE name = ?1", err) : NULL;
    if (!u) return heed__db_error(s->writer, err);
    int row;
    while ((row = heed__db_step(s->writer, q, err)) == 1) {
        const char *name = heed__db_column(q, 0), *value = heed__db_column(q, 1);
        bool quotes = false;
        for (int64_t i = 0; i < t->n && !quotes; i++) {
            const char *own = t->text[i];
            quotes = strcmp(own, value) == 0 || strcmp(own, name) == 0;
            if (strlen(own) >= CONTAINED) quotes |= strstr(value, own) || strstr(name, own);
        }
        if (!quotes) continue;
        heed__db_text(u, 1, name);
        row = heed__db_step(s->writer, u, err);
        heed__db_done(u);
        if (row < 0) break;
    }
    heed__db_done(q);
    return row;
}

static int clean_quotes(heed_store *s, const texts *t, heed_error *err) {
    const texts names = { .text = t->text, .n = t->names, .names = t->names };
    static const char *const sql[][2] = {
        { "SELECT id, key FROM alert", "UPDATE alert SET key = ?2 WHERE id = ?1" },
        { "SELECT id, title FROM alert", "UPDATE alert SET title = ?2 WHERE id = ?1" },
        { "SELECT id, why FROM alert", "UPDATE alert SET why = ?2 WHERE id = ?1" },
        { "SELECT id, body FROM message WHERE phase <> 1",
          "UPDATE message SET body = ?2 WHERE id = ?1" },
        { "SELECT id, reason FROM message WHERE phase <> 1",
          "UPDATE message SET reason = ?2 WHERE id = ?1" },
    };
    int status = HEED_OK;
    for (size_t i = 0; i < sizeof sql / sizeof *sql && !status; i++)
        status = clean_column(s, i == 0 ? &names : t, sql[i][0], sql[i][1], err);
    return status ? status : clean_values(s, t, err);
}

/* -- all of it -------------------------------------------------------------------------------- */

static int forget(heed_store *s, void *arg, heed_error *err) {
    forgetting *f = arg;
    reset(s, f);
    int status = find(s, f, err);
    if (!status && f->n) status = heed__told_read(s, &f->keys, err);
    heed__told_user(&f->keys, f->user);
    for (int64_t i = 0; i < f->n && !status; i++)
        status = heed__told_note(s, &f->keys, f->seq[i], err);
    for (int64_t i = 0; i < f->n && !status; i++) status = forget_entry(s, f->seq[i], err);
    if (!status && f->n) status = heed__place_set(s, "events", s->pending.events, err);
    if (!status && f->n) status = heed__told_clean(s, &f->keys, err);
    if (!status && f->n) status = clean_quotes(s, &f->texts, err);
    /* what the decider remembers is of everybody: it begins again from the log */
    if (!status && f->n) status = heed__db_run(s->writer, "DELETE FROM state", NULL, 0, err);
    if (!status && f->n)
        status = heed__db_run(s->writer,
                              "INSERT OR REPLACE INTO value (name, value) VALUES ('redecide', '1')",
                              NULL, 0, err);
    return status;
}

int64_t heed_store_forget(heed_store *s, const char *user, heed_error *err) {
    forgetting f = { .user = user };
    int status = heed__store_write(s, forget, &f, err);
    const int64_t n = f.n;
    for (int64_t i = 0; i < n && !status; i++) heed__vectors_remove(s->vectors, f.seq[i]);
    reset(s, &f);
    /* even where nothing was found: what was removed before may still stand in free pages */
    if (!status) status = heed__store_alone(s, heed__store_clean, NULL, err);
    return status ? status : n;
}
