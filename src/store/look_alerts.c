/* look_alerts.c: alerts, corrections as training data. */
#include <string.h>

#include "base/text.h"
#include "store/event_json.h"
#include "store/filter.h"
#include "store/impl.h"

/* -- alerts ----------------------------------------------------------------------------------- */

#define ALERT "SELECT id, rule, grade, state, key, title, opened_ms, time_ms, why, seq FROM alert "

static json_t *alert_json(sqlite3_stmt *q) {
    json_t *a = json_object();
    bool ok = heed__put_json(a, "id", json_integer(sqlite3_column_int64(q, 0)));
    ok &= heed__put_json(a, "seq", json_integer(sqlite3_column_int64(q, 9)));
    ok &= heed__put_json(a, "rule", heed__text_json(heed__db_column(q, 1)));
    ok &= heed__put_json(a, "grade", heed__text_json(heed__db_column(q, 2)));
    ok &= heed__put_json(a, "state", heed__text_json(heed__db_column(q, 3)));
    ok &= heed__put_json(a, "key", heed__parsed_json(heed__db_column(q, 4)));
    ok &= heed__put_json(a, "title", heed__text_json(heed__db_column(q, 5)));
    ok &= heed__put_json(a, "opened", heed__time_json(sqlite3_column_int64(q, 6)));
    ok &= heed__put_json(a, "time", heed__time_json(sqlite3_column_int64(q, 7)));
    ok &= heed__put_json(a, "why", heed__parsed_json(heed__db_column(q, 8)));
    return heed__whole_json(a, ok, NULL);
}

json_t *heed_look_alerts(heed_store *s, const char *state, int64_t before, int64_t most,
                         heed_error *err) {
    const heed_look limit = { .most = most };
    heed_db *db = heed__store_reader(s, err);
    if (!db) return NULL;
    json_t *list = json_array();
    sqlite3_stmt *q = heed__db_sql(
        db, ALERT "WHERE (?1 IS NULL OR state = ?1) AND id < ?2 ORDER BY id DESC LIMIT ?3", err);
    int row = q ? HEED_OK : heed__db_error(db, err);
    if (q) {
        heed__db_text(q, 1, state);
        sqlite3_bind_int64(q, 2, before > 0 ? before : INT64_MAX);
        sqlite3_bind_int64(q, 3, heed__look_most(&limit));
        while (row >= 0 && (row = heed__db_step(db, q, err)) == 1)
            if (json_array_append_new(list, alert_json(q)))
                row = heed__error(err, HEED_ENOMEM, "out of memory for alerts");
        heed__db_done(q);
    }
    heed__store_return(s, db);
    if (!row) return heed__whole_json(json_pack("{s:o}", "alerts", list), true, err);
    json_decref(list);
    return NULL;
}

json_t *heed_look_alert(heed_store *s, int64_t id, heed_error *err) {
    heed_db *db = heed__store_reader(s, err);
    if (!db) return NULL;
    json_t *alert = NULL;
    sqlite3_stmt *q = heed__db_sql(db, ALERT "WHERE id = ?1", err);
    if (q) {
        sqlite3_bind_int64(q, 1, id);
        const int row = heed__db_step(db, q, err);
        if (row == 1) alert = heed__whole_json(alert_json(q), true, err);
        if (row == 0) heed__error(err, HEED_ENOTFOUND, "there is no alert %lld", (long long)id);
        heed__db_done(q);
    }
    heed__store_return(s, db);
    return alert;
}

/* -- feedback --------------------------------------------------------------------------------- */

/* Per event the last correction; where there is none, the label that an upvote confirmed. */
int64_t heed_look_feedback(heed_store *s, const char *analysis, heed_example_fn fn, void *user,
                           heed_error *err) {
    heed_db *db = heed__store_reader(s, err);
    if (!db) return heed__code_of(err);
    sqlite3_stmt *q = heed__db_sql(
        db,
        "SELECT coalesce(nullif(e.text, ''), e.title), coalesce((SELECT b.label FROM feedback b"
        " WHERE b.seq = e.seq AND b.undone = 0 AND b.analysis = ?1 AND b.label IS NOT NULL ORDER BY"
        " b.entry DESC LIMIT 1), (SELECT CASE WHEN b.vote = 'up' THEN f.label END FROM feedback b"
        " JOIN finding f ON f.seq = b.seq AND f.name = ?1 AND NOT f.abstained WHERE b.seq = e.seq"
        " AND b.undone = 0 AND b.vote IS NOT NULL ORDER BY b.entry DESC LIMIT 1)) AS label"
        " FROM entry e WHERE e.seq IN (SELECT seq FROM feedback WHERE undone = 0) AND e.kind = 0"
        " ORDER BY e.seq",
        err);
    int row = q ? HEED_OK : heed__db_error(db, err);
    int64_t n = 0;
    if (q) {
        heed__db_text(q, 1, analysis);
        for (bool more = true; more && (row = heed__db_step(db, q, err)) == 1;) {
            const char *text = heed__db_column(q, 0), *label = heed__db_column(q, 1);
            if (!text || !label) continue;
            n++;
            more = fn(user, text, label);
        }
        heed__db_done(q);
    }
    heed__store_return(s, db);
    return row < 0 ? row : n;
}
