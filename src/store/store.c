/* store.c: opening and closing, the lock against a second writer, and the connections that read. */
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/temporary.h"
#include "base/text.h"
#include "store/impl.h"
#include "store/schema.h"

enum {
    IDLE_READERS = 8,
    CACHE_SIZE = 64 << 20,
    READER_CACHE = 8 << 20,
    VECTORS_SIZE = 256 << 20,
    WAIT_MS = 5000,
    STORE_PAGE = 4096,
    PATH_SIZE = 4096
};

/* -- files ------------------------------------------------------------------------------------ */

/* Takes the lock beside the file, in which the holder's process id stands. It is never removed, so
 * that nobody can hold one that another no longer sees. */
static int take_lock(heed_store *s, heed_error *err) {
    char name[PATH_SIZE + 8];
    if (heed__format(name, sizeof name, "%s-lock", s->path) >= sizeof name - 1)
        return heed__error(err, HEED_EINVALID, "%.200s...: the path is too long", s->path);
    s->lock_file = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (s->lock_file < 0)
        return heed__error(err, errno == ENOENT ? HEED_ENOTFOUND : HEED_EIO,
                           "%s: cannot be opened for writing: %s", s->path,
                           heed__errno_text(errno));
    char who[24] = "";
    if (flock(s->lock_file, LOCK_EX | LOCK_NB) != 0) {
        const int failed = errno;
        const ssize_t len = read(s->lock_file, who, sizeof who - 1);
        who[len > 0 ? len : 0] = 0;
        who[strcspn(who, "\n")] = 0;
        if (failed == EWOULDBLOCK)
            return heed__error(err, HEED_EIO, "%s: in use by another heed that writes (process %s)",
                               s->path, who[0] ? who : "unknown");
        return heed__error(err, HEED_EIO, "%s: cannot be locked: %s", s->path,
                           heed__errno_text(failed));
    }
    const size_t len = heed__format(who, sizeof who, "%lld\n", (long long)getpid());
    if (ftruncate(s->lock_file, 0) != 0 || pwrite(s->lock_file, who, len, 0) != (ssize_t)len)
        who[0] = 0; /* a full disk: the number is a courtesy */
    return HEED_OK;
}

/* Makes an empty file that its owner alone may read; SQLite gives its journal the same mode. */
static int make_file(heed_store *s, heed_error *err) {
    const int file = open(s->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file >= 0) {
        close(file);
        return HEED_OK;
    }
    if (errno == EEXIST) return HEED_OK;
    return heed__error(err, errno == ENOENT ? HEED_ENOTFOUND : HEED_EIO, "%s: cannot be made: %s",
                       s->path, heed__errno_text(errno));
}

static bool has_journal(const char *path) {
    char name[PATH_SIZE + 8];
    heed__format(name, sizeof name, "%s-wal", path);
    return access(name, F_OK) == 0;
}

/* What can be said before SQLite looks at it. */
static int look_at_file(heed_store *s, heed_error *err) {
    struct stat is;
    if (stat(s->path, &is) != 0) {
        if (errno == ENOENT && !s->read_only) return make_file(s, err);
        return heed__error(err, errno == ENOENT ? HEED_ENOTFOUND : HEED_EIO, "%s: %s", s->path,
                           heed__errno_text(errno));
    }
    if (!S_ISREG(is.st_mode)) return heed__error(err, HEED_EFORMAT, "%s: is not a file", s->path);
    /* SQLite would take less than a page for an empty file and fill up a part of one */
    if (is.st_size % STORE_PAGE && (is.st_size < STORE_PAGE || !has_journal(s->path)))
        return heed__error(err, HEED_EFORMAT, "%s: is not a store of heed, or cut short", s->path);
    if (access(s->path, s->read_only ? R_OK : R_OK | W_OK) != 0)
        return heed__error(err, HEED_EIO, "%s: cannot be opened: %s", s->path,
                           heed__errno_text(errno));
    return HEED_OK;
}

/* A store that was closed well lies in one file; where nothing can be made beside it, it is read as
 * it is. */
static bool lies_still(const char *path) {
    char folder[PATH_SIZE];
    if (has_journal(path)) return false;
    heed__format(folder, sizeof folder, "%s", path);
    char *slash = strrchr(folder, '/');
    if (slash) slash[slash == folder] = 0;
    return access(slash ? folder : ".", W_OK) != 0;
}

static int make_temporary(heed_store *s, heed_error *err) {
    char name[HEED_PATH_SIZE];
    const int rc = heed__temporary_file(name, "store", "", err);
    if (rc) return rc;
    s->temporary = true;
    s->path = heed__strdup(&s->hooks, name);
    if (s->path) return HEED_OK;
    unlink(name);
    return heed__error(err, HEED_ENOMEM, "out of memory for a store");
}

static void remove_temporary(heed_store *s) {
    static const char *const suffix[] = { "", "-wal", "-shm", "-lock" };
    char name[PATH_SIZE + 8];
    for (size_t i = 0; i < sizeof suffix / sizeof *suffix; i++) {
        heed__format(name, sizeof name, "%s%s", s->path, suffix[i]);
        unlink(name);
    }
}

/* -- opening ---------------------------------------------------------------------------------- */

static int on_journal(void *user, sqlite3 *db, const char *name, int pages) {
    (void)db, (void)name;
    ((heed_store *)user)->journal_pages = pages;
    return SQLITE_OK;
}

static heed_db *connect_to(heed_store *s, bool read_only, heed_error *err) {
    const heed_db_cfg cfg = {
        .path = s->path,
        .read_only = read_only,
        .immutable = s->immutable,
        .cache_size = read_only ? READER_CACHE : s->cache_size,
        .wait_ms = s->wait_ms,
        .hooks = &s->hooks,
    };
    return heed__db_open(&cfg, err);
}

static int open_writer(heed_store *s, heed_error *err) {
    s->writer = connect_to(s, s->read_only, err);
    if (!s->writer) return heed__code_of(err);
    heed_db *db = s->writer;
    int status = heed__schema_open(db, s->read_only, &s->hooks, err);
    if (status || s->read_only) return status;
    sqlite3_stmt *stmt = heed__db_sql(db, "PRAGMA journal_mode=WAL", err);
    if (!stmt) return heed__db_error(db, err);
    const int row = heed__db_step(db, stmt, err);
    const char *mode = row == 1 ? heed__db_column(stmt, 0) : NULL;
    const bool wal = mode && strcmp(mode, "wal") == 0;
    heed__db_done(stmt);
    if (row < 0) return row;
    if (!wal)
        return heed__error(err, HEED_EUNSUPPORTED,
                           "%s: this file system cannot hold a store: no shared memory", s->path);
    status = heed__db_script(
        db, s->durable ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL", err);
    if (!status)
        status = heed__db_script(db,
                                 "PRAGMA journal_size_limit=67108864; PRAGMA secure_delete=OFF;"
                                 "PRAGMA wal_autocheckpoint=0",
                                 err);
    sqlite3_wal_hook(db->db, on_journal, s);
    return status;
}

static int find_places(heed_store *s, heed_error *err) {
    heed_db *db = s->writer;
    heed_places p = { 0 };
    int64_t last = 0, clock_ms = 0;
    const struct {
        const char *sql;
        int64_t *value;
    } ask[] = {
        { "SELECT max(seq) FROM entry", &p.last },
        { "SELECT time_ms FROM entry ORDER BY seq DESC LIMIT 1", &p.clock_ms },
        { "SELECT value FROM place WHERE name = 'last'", &last },
        { "SELECT value FROM place WHERE name = 'clock'", &clock_ms },
        { "SELECT value FROM place WHERE name = 'decided'", &p.decided },
        { "SELECT value FROM place WHERE name = 'indexed'", &p.indexed },
        { "SELECT value FROM place WHERE name = 'events'", &p.events },
    };
    for (size_t i = 0; i < sizeof ask / sizeof *ask; i++) {
        const int status = heed__db_number(db, ask[i].sql, 0, ask[i].value, err);
        if (status) return status;
    }
    if (last > p.last) p.last = last;
    if (clock_ms > p.clock_ms) p.clock_ms = clock_ms;
    s->now = s->pending = p;
    return HEED_OK;
}

static int open_all(heed_store *s, heed_error *err) {
    int status = s->read_only ? look_at_file(s, err) : HEED_OK;
    if (!status && !s->read_only) status = take_lock(s, err);
    if (!status && !s->read_only) status = look_at_file(s, err);
    if (status) return status;
    s->immutable = s->read_only && lies_still(s->path);
    heed_error first = { 0 };
    status = open_writer(s, &first);
    if (status) return heed__error(err, first.code, "%s", first.msg);
    return find_places(s, err);
}

heed_store *heed_store_open(const heed_store_cfg *cfg, heed_error *err) {
    heed_store *s = heed__calloc(cfg->hooks, 1, sizeof *s);
    if (!s) {
        heed__error(err, HEED_ENOMEM, "out of memory for a store");
        return NULL;
    }
    if (cfg->hooks) s->hooks = *cfg->hooks;
    s->durable = cfg->durable;
    s->read_only = cfg->read_only;
    s->cache_size = cfg->cache_size > 0 ? cfg->cache_size : CACHE_SIZE;
    s->wait_ms = cfg->wait_ms > 0 ? cfg->wait_ms : WAIT_MS;
    s->lock_file = -1;
    int status = HEED_OK;
    if (strcmp(cfg->path, ":memory:") == 0) {
        status = make_temporary(s, err);
    } else {
        s->path = heed__strdup(&s->hooks, cfg->path);
        if (!s->path) status = heed__error(err, HEED_ENOMEM, "out of memory for a store");
    }
    if (!status) {
        s->lock = heed__lock_new(&s->hooks, err);
        s->vectors = s->lock ? heed__vectors_new(&s->hooks, VECTORS_SIZE, err) : NULL;
        status = s->vectors ? open_all(s, err) : HEED_ENOMEM;
    }
    if (!status) return s;
    heed_store_close(s);
    return NULL;
}

void heed_store_close(heed_store *s) {
    if (!s) return;
    while (s->idle) {
        heed_db *db = s->idle;
        s->idle = db->next;
        heed__db_close(db);
    }
    heed__db_close(s->writer);
    if (s->temporary) remove_temporary(s);
    if (s->lock_file >= 0) close(s->lock_file);
    heed__groups_free(s);
    heed__vectors_free(s->vectors);
    heed__lock_free(s->lock);
    heed__free(&s->hooks, s->path);
    const heed_hooks hooks = s->hooks;
    heed__free(&hooks, s);
}

/* -- reading ---------------------------------------------------------------------------------- */

heed_db *heed__store_reader(heed_store *s, heed_error *err) {
    heed__lock_enter(s->lock);
    heed_db *db = s->idle;
    if (db) s->idle = db->next, s->readers--;
    heed__lock_leave(s->lock);
    if (!db) db = connect_to(s, true, err);
    if (!db) return NULL;
    if (heed__db_run(db, "BEGIN", NULL, 0, err) == HEED_OK) return db;
    heed__db_close(db);
    return NULL;
}

void heed__store_return(heed_store *s, heed_db *db) {
    const bool well = heed__db_run(db, "COMMIT", NULL, 0, NULL) == HEED_OK;
    heed__lock_enter(s->lock);
    const bool keep = well && s->readers < IDLE_READERS;
    if (keep) {
        db->next = s->idle;
        s->idle = db;
        s->readers++;
    }
    heed__lock_leave(s->lock);
    if (!keep) heed__db_close(db);
}

int64_t heed_store_last(heed_store *s) {
    heed__lock_enter(s->lock);
    const int64_t last = s->now.last;
    heed__lock_leave(s->lock);
    return last;
}

int64_t heed_store_decided(heed_store *s) {
    heed__lock_enter(s->lock);
    const int64_t decided = s->now.decided;
    heed__lock_leave(s->lock);
    return decided;
}
