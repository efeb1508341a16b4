/* event_json.c: an event with all that was found in it and said of it. */
#include "store/event_json.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"

json_t *heed__time_json(int64_t ms) {
    if (!ms) return json_null();
    int64_t day = ms / 86400000, rest = ms % 86400000;
    if (rest < 0) rest += 86400000, day--;
    /* the civil date of a day since 1970 (Hinnant's algorithm, eras of 400 years from 1 March) */
    const int64_t z = day + 719468, era = (z >= 0 ? z : z - 146096) / 146097;
    const int64_t doe = z - era * 146097;
    const int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    const int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
    const int64_t month = mp < 10 ? mp + 3 : mp - 9, year = yoe + era * 400 + (month <= 2);
    char text[64];
    heed__format(text, sizeof text, "%04lld-%02lld-%02lldT%02lld:%02lld:%02lld.%03lldZ",
                 (long long)year, (long long)month, (long long)(doy - (153 * mp + 2) / 5 + 1),
                 (long long)(rest / 3600000), (long long)(rest / 60000 % 60),
                 (long long)(rest / 1000 % 60), (long long)(rest % 1000));
    return json_string(text);
}

json_t *heed__text_json(const char *text) {
    if (!text) return json_null();
    const size_t len = strlen(text);
    if (heed__utf8_check(text, len) == len) return json_stringn_nocheck(text, len);
    char *mended = heed__malloc(NULL, len);
    if (!mended) return NULL;
    size_t to = 0;
    for (size_t at = 0; at < len;) {
        uint32_t code;
        const size_t n = heed__utf8_next(text + at, len - at, &code);
        if (n)
            memcpy(mended + to, text + at, n);
        else
            mended[to] = '?';
        to += n ? n : 1;
        at += n ? n : 1;
    }
    json_t *json = json_stringn_nocheck(mended, to);
    heed__free(NULL, mended);
    return json;
}

json_t *heed__parsed_json(const char *text) {
    json_t *tree = NULL;
    if (text) {
        const locale_t before = heed__c_locale_enter();
        tree = json_loads(text, JSON_DECODE_ANY, NULL);
        heed__c_locale_leave(before);
    }
    return tree ? tree : json_null();
}

bool heed__put_json(json_t *object, const char *name, json_t *value) {
    return json_object_set_new(object, name, value) == 0;
}

json_t *heed__whole_json(json_t *tree, bool whole, heed_error *err) {
    if (tree && whole) return tree;
    json_decref(tree);
    heed__error(err, HEED_ENOMEM, "out of memory for an answer");
    return NULL;
}

static json_t *finding_json(sqlite3_stmt *q) {
    json_t *f = json_object();
    bool ok = heed__put_json(f, "name", heed__text_json(heed__db_column(q, 0)));
    ok &= heed__put_json(f, "label", heed__text_json(heed__db_column(q, 1)));
    ok &= heed__put_json(f, "confidence", json_real(sqlite3_column_double(q, 2)));
    ok &= heed__put_json(f, "abstained", json_boolean(sqlite3_column_int(q, 3)));
    ok &= heed__put_json(f, "detail", heed__parsed_json(heed__db_column(q, 4)));
    return heed__whole_json(f, ok, NULL);
}

static int no_memory(heed_error *err) {
    return heed__error(err, HEED_ENOMEM, "out of memory for an answer");
}

static int add_findings(heed_db *db, int64_t seq, json_t *event, heed_error *err) {
    sqlite3_stmt *q = heed__db_sql(db,
                                   "SELECT name, label, confidence, abstained, detail FROM finding"
                                   " WHERE seq = ?1 ORDER BY name",
                                   err);
    if (!q) return heed__db_error(db, err);
    json_t *list = json_array();
    sqlite3_bind_int64(q, 1, seq);
    int row;
    bool ok = true;
    while (ok && (row = heed__db_step(db, q, err)) == 1)
        ok = json_array_append_new(list, finding_json(q)) == 0;
    heed__db_done(q);
    ok &= heed__put_json(event, "findings", list);
    return ok ? row : no_memory(err);
}

static int story_size(heed_db *db, int64_t story, int64_t *size, heed_error *err) {
    sqlite3_stmt *q = heed__db_sql(
        db, "SELECT count(*) FROM decided WHERE story = ?1 AND story > 0", err);
    if (!q) return heed__db_error(db, err);
    sqlite3_bind_int64(q, 1, story);
    const int row = heed__db_step(db, q, err);
    *size = row == 1 ? sqlite3_column_int64(q, 0) : 0;
    heed__db_done(q);
    return row < 0 ? row : HEED_OK;
}

static int add_decided(heed_db *db, int64_t seq, json_t *event, bool gates, heed_error *err) {
    sqlite3_stmt *q = heed__db_sql(db, "SELECT story, rank, gates FROM decided WHERE seq = ?1",
                                   err);
    if (!q) return heed__db_error(db, err);
    sqlite3_bind_int64(q, 1, seq);
    const int row = heed__db_step(db, q, err);
    const int64_t story = row == 1 ? sqlite3_column_int64(q, 0) : 0;
    int64_t size = 0;
    bool ok = heed__put_json(event, "rank",
                             row == 1 ? json_real(sqlite3_column_double(q, 1)) : json_null());
    if (gates)
        ok &= heed__put_json(event, "gates",
                             heed__parsed_json(row == 1 ? heed__db_column(q, 2) : NULL));
    heed__db_done(q);
    if (row < 0) return row;
    const int status = story ? story_size(db, story, &size, err) : HEED_OK;
    ok &= heed__put_json(
        event, "story",
        story ? json_pack("{s:I,s:I}", "id", (json_int_t)story, "size", (json_int_t)size)
              : json_null());
    return ok ? status : no_memory(err);
}

/* The last vote, and the last label given by a person for each analysis. */
static int add_feedback(heed_db *db, int64_t seq, json_t *event, heed_error *err) {
    sqlite3_stmt *q = heed__db_sql(db,
                                   "SELECT vote, analysis, label FROM feedback WHERE seq = ?1 AND"
                                   " undone = 0 ORDER BY entry",
                                   err);
    if (!q) return heed__db_error(db, err);
    json_t *corrected = json_object();
    bool ok = heed__put_json(event, "vote", json_null());
    sqlite3_bind_int64(q, 1, seq);
    int row;
    while (ok && (row = heed__db_step(db, q, err)) == 1) {
        const char *vote = heed__db_column(q, 0), *analysis = heed__db_column(q, 1);
        if (vote)
            ok &= heed__put_json(event, "vote",
                                 heed__text_json(strcmp(vote, "none") == 0 ? NULL : vote));
        if (analysis)
            ok &= heed__put_json(corrected, analysis, heed__text_json(heed__db_column(q, 2)));
    }
    heed__db_done(q);
    ok &= heed__put_json(event, "corrected", corrected);
    return ok ? row : no_memory(err);
}

static json_t *entry_json(sqlite3_stmt *q) {
    static const struct {
        const char *name;
        int column;
    } text[] = { { "user", 4 }, { "session", 5 }, { "title", 6 }, { "text", 7 }, { "url", 8 } };
    json_t *e = json_object();
    const char *source = heed__db_column(q, 0);
    bool ok = heed__put_json(e, "seq", json_integer(sqlite3_column_int64(q, 10)));
    ok &= heed__put_json(e, "id", heed__text_json(heed__db_column(q, 1)));
    ok &= heed__put_json(e, "source", heed__text_json(source && *source ? source : NULL));
    ok &= heed__put_json(e, "time", heed__time_json(sqlite3_column_int64(q, 2)));
    ok &= heed__put_json(e, "happened", heed__time_json(sqlite3_column_int64(q, 3)));
    for (size_t i = 0; i < sizeof text / sizeof *text; i++)
        ok &= heed__put_json(e, text[i].name, heed__text_json(heed__db_column(q, text[i].column)));
    json_t *fields = heed__parsed_json(heed__db_column(q, 9));
    if (!json_is_object(fields)) {
        json_decref(fields);
        fields = json_object();
    }
    ok &= heed__put_json(e, "fields", fields);
    return heed__whole_json(e, ok, NULL);
}

json_t *heed__event_json(heed_db *db, int64_t seq, bool gates, heed_error *err) {
    sqlite3_stmt *q = heed__db_sql(db,
                                   "SELECT source, id, time_ms, happened_ms, user, session, title,"
                                   " text, url, body, seq FROM entry WHERE seq = ?1 AND kind = 0",
                                   err);
    if (!q) return NULL;
    sqlite3_bind_int64(q, 1, seq);
    const int row = heed__db_step(db, q, err);
    json_t *event = row == 1 ? entry_json(q) : NULL;
    heed__db_done(q);
    if (row == 0) heed__error(err, HEED_ENOTFOUND, "there is no event %lld", (long long)seq);
    if (row == 1 && !event) no_memory(err);
    if (!event) return NULL;
    if (!add_findings(db, seq, event, err) && !add_decided(db, seq, event, gates, err) &&
        !add_feedback(db, seq, event, err))
        return event;
    json_decref(event);
    return NULL;
}
