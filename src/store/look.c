/* look.c: events as lists and one by one, stories. */
#include "store/look.h"

#include <string.h>

#include "base/text.h"
#include "store/event_json.h"
#include "store/filter.h"
#include "store/impl.h"

/* A list's statement, run; its first column is seq. */
static int list_events(heed_db *db, sqlite3_stmt *q, int64_t most, json_t *events, json_t **next,
                       heed_error *err) {
    int row = 0;
    int64_t n = 0, last = 0;
    while (n < most && (row = heed__db_step(db, q, err)) == 1) {
        json_t *event = heed__event_json(db, last = sqlite3_column_int64(q, 0), false, err);
        if (!event) return err->code;
        if (json_array_append_new(events, event))
            return heed__error(err, HEED_ENOMEM, "out of memory for events");
        n++;
    }
    if (row == 1) row = heed__db_step(db, q, err);
    if (next) *next = row == 1 ? json_integer(last) : json_null();
    return row < 0 ? row : HEED_OK;
}

json_t *heed_look_events(heed_store *s, const heed_look *look, heed_error *err) {
    heed_error local = { 0 };
    heed_filter f;
    if (heed__filter_make(&f, &s->hooks, look, false, err)) return NULL;
    heed_db *db = heed__store_reader(s, err);
    json_t *events = json_array(), *next = NULL;
    int status = db && events ? HEED_OK : HEED_ENOMEM;
    sqlite3_stmt *q = status ? NULL : heed__filter_sql(&f, db, "e.seq", &local);
    if (q) {
        status = list_events(db, q, heed__look_most(look), events, &next, &local);
        heed__db_done(q);
    } else if (!status) {
        status = heed__db_error(db, &local);
    }
    if (db) heed__store_return(s, db);
    heed__filter_free(&f);
    if (!status) {
        json_t *answer = json_pack("{s:o,s:o}", "events", events, "next", next);
        return heed__whole_json(answer, true, err);
    }
    if (local.code && err) *err = local;
    json_decref(events);
    json_decref(next);
    return NULL;
}

json_t *heed_look_event(heed_store *s, int64_t seq, heed_error *err) {
    heed_db *db = heed__store_reader(s, err);
    if (!db) return NULL;
    json_t *event = heed__event_json(db, seq, true, err);
    heed__store_return(s, db);
    return event;
}

json_t *heed_look_story(heed_store *s, int64_t id, heed_error *err) {
    heed_error local = { 0 };
    heed_db *db = heed__store_reader(s, err);
    if (!db) return NULL;
    json_t *events = json_array();
    sqlite3_stmt *q = heed__db_sql(db,
                                   "SELECT seq FROM decided WHERE story = ?1 AND story > 0"
                                   " ORDER BY seq LIMIT 1000",
                                   &local);
    int status = q ? HEED_OK : heed__db_error(db, &local);
    if (q) {
        sqlite3_bind_int64(q, 1, id);
        status = list_events(db, q, 1000, events, NULL, &local);
        heed__db_done(q);
    }
    heed__store_return(s, db);
    if (!status && json_array_size(events) == 0)
        status = heed__error(&local, HEED_ENOTFOUND, "there is no story %lld", (long long)id);
    if (!status)
        return heed__whole_json(json_pack("{s:I,s:o}", "story", (json_int_t)id, "events", events),
                                true, err);
    if (err) *err = local;
    json_decref(events);
    return NULL;
}
