/* upkeep.c: backup, vacuum, and the removal of what is old. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "store/impl.h"
#include "store/tally.h"

enum { PATH_SIZE = 4096, CHUNK = 1000 };

/* -- backup ----------------------------------------------------------------------------------- */

static int sync_path(const char *path, int flags, heed_error *err) {
    const int file = open(path, flags | O_CLOEXEC);
    const bool well = file >= 0 && fsync(file) == 0;
    const int failed = errno;
    if (file >= 0) close(file);
    if (well) return HEED_OK;
    return heed__error(err, HEED_EIO, "%s: cannot be written: %s", path, heed__errno_text(failed));
}

/* Every page as one moment has it; writers go on meanwhile. */
static int copy_pages(heed_db *from, sqlite3 *to, const char *path, heed_error *err) {
    sqlite3_exec(to, "PRAGMA synchronous=OFF", NULL, NULL, NULL);
    sqlite3_backup *b = sqlite3_backup_init(to, "main", from->db, "main");
    int code = b ? sqlite3_backup_step(b, -1) : sqlite3_errcode(to);
    if (b) sqlite3_backup_finish(b);
    /* one file by itself, without a journal */
    if (code == SQLITE_DONE)
        code = sqlite3_exec(to, "PRAGMA journal_mode=DELETE", NULL, NULL, NULL);
    return code == SQLITE_OK ? HEED_OK : heed__db_code(path, code, sqlite3_errmsg(to), err);
}

static int write_backup(heed_store *s, const char *name, heed_error *err) {
    unlink(name);
    const int file = open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0)
        return heed__error(err, HEED_EIO, "%s: cannot be made: %s", name, heed__errno_text(errno));
    close(file);
    sqlite3 *to = NULL;
    const int code = sqlite3_open_v2(name, &to, SQLITE_OPEN_READWRITE, NULL);
    int status = code == SQLITE_OK ? HEED_OK : heed__db_code(name, code, sqlite3_errstr(code), err);
    heed_db *from = status ? NULL : heed__store_reader(s, err);
    if (!status) status = from ? copy_pages(from, to, name, err) : heed__code_of(err);
    if (from) heed__store_return(s, from);
    sqlite3_close(to);
    return status ? status : sync_path(name, O_RDWR, err);
}

int heed_store_backup(heed_store *s, const char *path, heed_error *err) {
    char name[PATH_SIZE + 8], folder[PATH_SIZE];
    if (heed__format(folder, sizeof folder, "%s", path) >= sizeof folder - 1)
        return heed__error(err, HEED_EINVALID, "%.200s...: the path is too long", path);
    if (strcmp(path, s->path) == 0)
        return heed__error(err, HEED_EINVALID, "%s: a backup of a store onto itself", path);
    heed__format(name, sizeof name, "%s.new", path);
    int status = write_backup(s, name, err);
    if (!status && rename(name, path) != 0)
        status = heed__error(err, HEED_EIO, "%s: cannot be put in place: %s", path,
                             heed__errno_text(errno));
    if (status) {
        unlink(name);
        return status;
    }
    char *slash = strrchr(folder, '/');
    if (slash) slash[slash == folder] = 0;
    return sync_path(slash ? folder : ".", O_RDONLY | O_DIRECTORY, err);
}

/* -- vacuum ----------------------------------------------------------------------------------- */

/* The whole file is written anew: pages that were split keep bytes of what stood in them, which no
 * deletion reaches. Then the journal, which holds the old pages too, is emptied. */
int heed__store_clean(heed_store *s, void *arg, heed_error *err) {
    (void)arg;
    heed_db *db = s->writer;
    int status = heed__db_script(db, "INSERT INTO words (words) VALUES ('optimize')", err);
    if (!status) status = heed__db_script(db, "VACUUM", err);
    if (status) return status;
    int left = 0;
    const int code = sqlite3_wal_checkpoint_v2(db->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, &left,
                                               NULL);
    s->journal_pages = s->tried_pages = 0;
    if (code == SQLITE_OK && left == 0) return HEED_OK;
    if ((code & 0xff) != SQLITE_BUSY) return heed__db_error(db, err);
    return heed__error(err, HEED_EIO,
                       "%s: somebody still reads, so that the journal keeps old pages; try again",
                       s->path);
}

int heed_store_vacuum(heed_store *s, heed_error *err) {
    return heed__store_alone(s, heed__store_clean, NULL, err);
}

/* -- retention -------------------------------------------------------------------------------- */

typedef struct range {
    int64_t first, limit; /* [first, limit) */
    int64_t keep;         /* an entry in it that stays; 0: none */
    int64_t removed;
} range;

static int remove_range(heed_store *s, void *arg, heed_error *err) {
    range *r = arg;
    static const char *const sql[] = {
        "DELETE FROM finding WHERE seq >= ?1 AND seq < ?2",
        "DELETE FROM decided WHERE seq >= ?1 AND seq < ?2",
        "DELETE FROM vector WHERE seq >= ?1 AND seq < ?2",
        "DELETE FROM feedback WHERE seq >= ?1 AND seq < ?2",
        "DELETE FROM alert WHERE seq >= ?1 AND seq < ?2 AND state = 'closed'",
        "DELETE FROM message WHERE phase > 0 AND upto >= ?1 AND upto < ?2",
    };
    const int64_t value[] = { r->first, r->limit, r->keep };
    int64_t events;
    int status = heed__tally(s->writer, r->first, r->limit, -1, &events, err);
    /* not by the view 'indexed', whose own bound would be taken instead of these */
    const int64_t indexed = s->pending.indexed + 1;
    const int64_t texts[] = { r->first, r->limit < indexed ? r->limit : indexed };
    if (!status)
        status = heed__db_run(s->writer,
                              "INSERT INTO words (words, rowid, title, text) SELECT 'delete', seq,"
                              " title, text FROM entry WHERE seq >= ?1 AND seq < ?2 AND kind = 0",
                              texts, 2, err);
    for (size_t i = 0; i < sizeof sql / sizeof *sql && !status; i++)
        status = heed__db_run(s->writer, sql[i], value, 2, err);
    if (!status)
        status = heed__db_run(s->writer,
                              "DELETE FROM entry WHERE seq >= ?1 AND seq < ?2 AND seq <> ?3", value,
                              3, err);
    r->removed = sqlite3_changes(s->writer->db);
    s->pending.events -= events; /* all of them were decided */
    if (!status) status = heed__place_set(s, "events", s->pending.events, err);
    if (!status) status = heed__place_set(s, "last", s->pending.last, err);
    return status ? status : heed__place_set(s, "clock", s->pending.clock_ms, err);
}

/* Entries before the first that stays, none of which waits to be decided; the last that says what
 * was loaded stays, since what follows was decided with it. */
static int find_range(heed_store *s, int64_t before_ms, range *r, heed_error *err) {
    heed_db *db = heed__store_reader(s, err);
    if (!db) return heed__code_of(err);
    int64_t decided = 0;
    int status = heed__first_at(db, before_ms, &r->limit, err);
    if (!status)
        status = heed__db_number(db, "SELECT value FROM place WHERE name = 'decided'", 0, &decided,
                                 err);
    if (r->limit > decided + 1) r->limit = decided + 1;
    sqlite3_stmt *q = status ? NULL
                             : heed__db_sql(db,
                                            "SELECT max(seq) FROM entry WHERE kind = 4 AND kind > 0"
                                            " AND seq < ?1",
                                            err);
    if (!status && !q) status = heed__db_error(db, err);
    if (q) {
        sqlite3_bind_int64(q, 1, r->limit);
        const int row = heed__db_step(db, q, err);
        if (row == 1) r->keep = sqlite3_column_int64(q, 0);
        heed__db_done(q);
        if (row < 0) status = row;
    }
    q = status
            ? NULL
            : heed__db_sql(db, "SELECT seq FROM entry WHERE seq <> ?1 ORDER BY seq LIMIT 1", err);
    if (!status && !q) status = heed__db_error(db, err);
    if (q) {
        sqlite3_bind_int64(q, 1, r->keep);
        const int row = heed__db_step(db, q, err);
        r->first = row == 1 ? sqlite3_column_int64(q, 0) : r->limit;
        heed__db_done(q);
        if (row < 0) status = row;
    }
    heed__store_return(s, db);
    return status;
}

int64_t heed_store_retain(heed_store *s, int64_t before_ms, int64_t most, heed_error *err) {
    range all = { 0 };
    int status = find_range(s, before_ms, &all, err);
    int64_t removed = 0;
    /* a piece at a time, so that others write between them */
    while (!status && all.first < all.limit && (most <= 0 || removed < most)) {
        const int64_t end = all.limit - all.first > CHUNK ? all.first + CHUNK : all.limit;
        range piece = { .first = all.first, .limit = end, .keep = all.keep };
        status = heed__store_write(s, remove_range, &piece, err);
        if (!status) removed += piece.removed;
        if (!status) heed__vectors_remove_before(s->vectors, end);
        all.first = end;
    }
    return status ? status : removed;
}
