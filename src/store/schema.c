/* schema.c: the tables, version by version. A step is never changed once released: a store of any
 * older version goes through all those after it, in one transaction. */
#include "store/schema.h"

#include "base/alloc.h"
#include "base/log.h"
#include "base/text.h"
#include "store/tally.h"

/* step[v]: from version v to v + 1 */
static const char *const step[] = {
    /* The log. Absent strings are null, but for source, which is then ''. sum: crc32 of the entry
     * (log.c). */
    "CREATE TABLE entry (seq INTEGER PRIMARY KEY, time_ms INTEGER NOT NULL, kind INTEGER NOT NULL,"
    " source TEXT NOT NULL, id TEXT, happened_ms INTEGER NOT NULL, user TEXT, session TEXT,"
    " title TEXT, text TEXT, url TEXT, body TEXT, sum INTEGER NOT NULL);"
    "CREATE UNIQUE INDEX entry_id ON entry (source, id) WHERE id IS NOT NULL;"
    "CREATE INDEX entry_user ON entry (user) WHERE user IS NOT NULL;"
    "CREATE INDEX entry_session ON entry (session) WHERE session IS NOT NULL;"
    "CREATE INDEX entry_kind ON entry (kind) WHERE kind > 0;"
    /* Titles and texts of the events up to place 'indexed'. */
    "CREATE VIEW indexed AS SELECT seq, title, text FROM entry WHERE kind = 0 AND"
    " seq <= (SELECT value FROM place WHERE name = 'indexed');"
    "CREATE VIRTUAL TABLE words USING fts5 (title, text, content='indexed', content_rowid='seq',"
    " tokenize='heed');"
    "INSERT INTO words (words, rank) VALUES ('rank', 'bm25(2.0, 1.0)');"
    /* What was found and decided. */
    "CREATE TABLE finding (seq INTEGER NOT NULL, name TEXT NOT NULL, label TEXT,"
    " confidence REAL NOT NULL, abstained INTEGER NOT NULL, detail TEXT, PRIMARY KEY (seq, name))"
    " WITHOUT ROWID;"
    "CREATE INDEX finding_label ON finding (name, label, seq);"
    "CREATE TABLE decided (seq INTEGER PRIMARY KEY, story INTEGER NOT NULL, rank REAL NOT NULL,"
    " gates TEXT);"
    "CREATE INDEX decided_story ON decided (story) WHERE story > 0;"
    "CREATE INDEX decided_rank ON decided (rank);"
    /* value: float16, little-endian. */
    "CREATE TABLE vector (seq INTEGER PRIMARY KEY, value BLOB NOT NULL);"
    /* entry: that of the vote or correction; seq: of the event it is about. */
    "CREATE TABLE feedback (entry INTEGER PRIMARY KEY, seq INTEGER NOT NULL, vote TEXT,"
    " analysis TEXT, label TEXT, undone INTEGER NOT NULL);"
    "CREATE INDEX feedback_seq ON feedback (seq);"
    "CREATE TABLE alert (id INTEGER PRIMARY KEY, seq INTEGER NOT NULL, time_ms INTEGER NOT NULL,"
    " opened_ms INTEGER NOT NULL, rule TEXT NOT NULL, grade TEXT NOT NULL, state TEXT NOT NULL,"
    " key TEXT, title TEXT, why TEXT);"
    "CREATE INDEX alert_state ON alert (state);"
    /* phase 0: to be sent; 1: sent, and only known by its key; 2: dead. */
    "CREATE TABLE message (id INTEGER PRIMARY KEY, sink TEXT NOT NULL, key TEXT NOT NULL,"
    " type TEXT NOT NULL, body TEXT, seq INTEGER NOT NULL, due_ms INTEGER NOT NULL,"
    " tries INTEGER NOT NULL, phase INTEGER NOT NULL, reason TEXT, upto INTEGER NOT NULL);"
    "CREATE UNIQUE INDEX message_key ON message (sink, key);"
    "CREATE INDEX message_due ON message (sink, due_ms) WHERE phase = 0;"
    "CREATE INDEX message_phase ON message (phase) WHERE phase > 0;"
    "CREATE TABLE state (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, data BLOB NOT NULL);"
    /* Small things by name; and numbers: 'decided', 'indexed' (up to which entry), 'events' (how
     * many of those decided are), 'last', 'clock' (at the last removal). */
    "CREATE TABLE value (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE place (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;",
    /* Decided events by slots of time (size: ms of a slot) and keys, which are sources with labels
     * (tally.c); no row for none. */
    "CREATE TABLE tally_key (id INTEGER PRIMARY KEY, source TEXT NOT NULL, labels TEXT NOT NULL,"
    " UNIQUE (source, labels));"
    "CREATE TABLE tally (size INTEGER NOT NULL, slot INTEGER NOT NULL, key INTEGER NOT NULL,"
    " n INTEGER NOT NULL, PRIMARY KEY (size, slot, key)) WITHOUT ROWID;",
};
/* What a step does besides; NULL: nothing. */
static int (*const fill[])(heed_db *db, heed_error *err) = { NULL, heed__tally_all };

_Static_assert(sizeof step / sizeof *step == HEED_SCHEMA_VERSION, "a step for every version");
_Static_assert(sizeof fill / sizeof *fill == HEED_SCHEMA_VERSION, "a step for every version");

static int migrate(heed_db *db, int64_t from, heed_error *err) {
    int status = heed__db_script(db, "BEGIN IMMEDIATE", err);
    if (status) return status;
    for (int64_t v = from; v < HEED_SCHEMA_VERSION && !status; v++) {
        status = heed__db_script(db, step[v], err);
        if (!status && fill[v]) status = fill[v](db, err);
    }
    char sql[96];
    heed__format(sql, sizeof sql, "PRAGMA user_version=%d; PRAGMA application_id=%d; COMMIT",
                 HEED_SCHEMA_VERSION, HEED_SCHEMA_ID);
    if (!status) status = heed__db_script(db, sql, err);
    if (status && !sqlite3_get_autocommit(db->db)) heed__db_script(db, "ROLLBACK", NULL);
    return status;
}

int heed__schema_open(heed_db *db, bool read_only, const heed_hooks *hooks, heed_error *err) {
    int64_t version = 0, id = 0, tables = 0;
    int status = heed__db_number(db, "PRAGMA user_version", 0, &version, err);
    if (!status) status = heed__db_number(db, "PRAGMA application_id", 0, &id, err);
    if (!status)
        status = heed__db_number(db, "SELECT count(*) FROM sqlite_schema", 0, &tables, err);
    if (status) return status;
    if (id != HEED_SCHEMA_ID && (tables > 0 || read_only))
        return heed__error(err, HEED_EFORMAT, "%s: is a database, but not a store of heed",
                           db->path);
    if (version > HEED_SCHEMA_VERSION)
        return heed__error(err, HEED_EFORMAT,
                           "%s: made by a newer heed (store version %lld; this one knows %d)",
                           db->path, (long long)version, HEED_SCHEMA_VERSION);
    if (version == HEED_SCHEMA_VERSION) return HEED_OK;
    if (read_only)
        return heed__error(err, HEED_EUNSUPPORTED,
                           "%s: store version %lld must be migrated first: open it for writing",
                           db->path, (long long)version);
    status = migrate(db, version, err);
    if (!status && tables)
        heed__log(hooks, HEED_LOG_INFO, "%s: migrated from store version %lld to %d", db->path,
                  (long long)version, HEED_SCHEMA_VERSION);
    return status;
}
