/* source_files.c: folders into which others put files: texts, a file or a line an event, and mails
 * of a maildir. Files are read and never touched. A file is read once it has been quiet for a
 * second (or as long as between two looks), and again once it has changed; what was read is kept in
 * the store, a sum of its name and a stamp per file. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "base/buffer.h"
#include "base/folder.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/sha256.h"
#include "base/text.h"
#include "flow/charset.h"
#include "flow/html.h"
#include "flow/mail.h"
#include "flow/source_record.h"
#include "flow/source_sweep.h"

enum { QUIET_MS = 1000 };

static const int64_t SWEEP_NS = INT64_C(3600000000000);

/* Sums of (name, stamp) of files that need no look into the store: an open table, 0 is empty. */
typedef struct seen {
    uint64_t *sum;
    int64_t len, cap;
} seen;

typedef struct folder {
    seen seen;
    seen there; /* sums of keys of the files there are, while the store is swept */
    bool sweeping;
    int64_t swept_ns; /* when it was swept last; 0: never */
    char **name;      /* [names] of one look, sorted */
    int64_t names, name_cap;
} folder;

static bool has_seen(const seen *t, uint64_t sum) {
    if (t->cap == 0) return false;
    for (uint64_t i = sum;; i++) {
        const uint64_t at = t->sum[i & (uint64_t)(t->cap - 1)];
        if (at == sum) return true;
        if (at == 0) return false;
    }
}

static void put_seen(seen *t, uint64_t sum) {
    uint64_t i = sum;
    while (t->sum[i & (uint64_t)(t->cap - 1)] != 0) i++;
    t->sum[i & (uint64_t)(t->cap - 1)] = sum;
    t->len++;
}

static int add_seen(heed_source *s, seen *t, uint64_t sum, heed_error *err) {
    if (t->len * 2 >= t->cap) {
        seen larger = { .cap = t->cap ? t->cap * 2 : 256 };
        larger.sum = heed__calloc(&s->hooks, (size_t)larger.cap, sizeof *larger.sum);
        if (!larger.sum) return heed__source_no_memory(s, err);
        for (int64_t i = 0; i < t->cap; i++)
            if (t->sum[i]) put_seen(&larger, t->sum[i]);
        heed__free(&s->hooks, t->sum);
        *t = larger;
    }
    put_seen(t, sum);
    return 0;
}

/* -- one look --------------------------------------------------------------------------------- */

static int by_name(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void free_names(heed_source *s, folder *f) {
    for (int64_t i = 0; i < f->names; i++) heed__free(&s->hooks, f->name[i]);
    f->names = 0;
}

/* The names of a folder, sorted, without those that begin with a point. */
static int list(heed_source *s, folder *f, const char *path, heed_error *err) {
    free_names(s, f);
    DIR *dir = opendir(path);
    if (!dir)
        return heed__error(err, errno == ENOENT ? HEED_ENOTFOUND : HEED_EIO,
                           "%s: cannot be read: %s", path, heed__errno_text(errno));
    int status = 0;
    for (struct dirent *e; !status && (e = readdir(dir));) {
        if (e->d_name[0] == '.') continue;
        if (s->cfg->match && fnmatch(s->cfg->match, e->d_name, 0) != 0) continue;
        char *copy = heed__strdup(&s->hooks, e->d_name);
        if (!copy || heed__grow(&s->hooks, &f->name, &f->name_cap, f->names + 1, sizeof *f->name)) {
            heed__free(&s->hooks, copy);
            status = heed__source_no_memory(s, err);
        } else {
            f->name[f->names++] = copy;
        }
    }
    closedir(dir);
    if (f->names > 0) qsort(f->name, (size_t)f->names, sizeof *f->name, by_name);
    return status;
}

typedef struct item {
    const char *name;  /* in the folder */
    const char *shown; /* what does not change of it, or a sum of that where it is no UTF-8 */
    const char *key;   /* in the store, where no name is kept: it may tell of a person */
    char path[HEED_PATH_SIZE], stamp[64];
    int64_t changed_ms;
    uint64_t sum;
} item;

/* Reads one file, gives what it holds. 0: the file is done with, what is wrong with it told;
 * READ_LATER: it could not be read, and is tried again when it changes or the source starts anew;
 * READ_GONE: it has gone elsewhere since the look; or a status. */
enum { READ_LATER = 1, READ_GONE = 2 };
typedef int (*read_fn)(heed_source *s, const item *it, heed_error *err);

/* Is the file new or changed, and quiet? 1, 0, or a status. */
static int is_due(heed_source *s, folder *f, item *it, bool once, heed_error *err) {
    struct stat st;
    if (lstat(it->path, &st) != 0 || !S_ISREG(st.st_mode)) return 0; /* no links: see open_file */
    it->changed_ms = st.st_mtim.tv_sec * (int64_t)1000 + st.st_mtim.tv_nsec / 1000000;
    const int64_t moved = st.st_ctim.tv_sec * (int64_t)1000 + st.st_ctim.tv_nsec / 1000000;
    const int64_t age = heed__now_ms() - (moved > it->changed_ms ? moved : it->changed_ms);
    if (once) /* a mail is whole when it appears, and never changes */
        heed__format(it->stamp, sizeof it->stamp, "1");
    else
        heed__format(it->stamp, sizeof it->stamp, "%lld.%09ld %lld", (long long)st.st_mtim.tv_sec,
                     st.st_mtim.tv_nsec, (long long)st.st_size);
    it->sum = heed__hash_spread(
        heed__hash_text(heed__hash_one(heed__hash_text(HEED_HASH_BEGIN, it->key), '/'), it->stamp));
    if (it->sum == 0) it->sum = 1;
    if (has_seen(&f->seen, it->sum)) return 0;
    const int64_t quiet = s->cfg->every_ms < QUIET_MS ? s->cfg->every_ms : QUIET_MS;
    if (!once && age >= 0 && age < quiet) return 0;
    char *kept = heed__source_get(s, it->key, err);
    if (!kept && err->code) return err->code;
    const size_t len = kept ? heed__stamp_length(kept) : 0;
    const bool known = kept && strlen(it->stamp) == len && strncmp(kept, it->stamp, len) == 0;
    heed__free(&s->hooks, kept);
    if (!known) return 1;
    return add_seen(s, &f->seen, it->sum, err);
}

static void short_sum(const char *bytes, size_t size, char text[33]) {
    unsigned char sum[HEED_SHA256_SIZE];
    heed__sha256(bytes, size, sum);
    heed__hex(sum, 16, text);
}

static uint64_t sum_of_key(const char *key) {
    const uint64_t sum = heed__hash_spread(heed__hash_text(HEED_HASH_BEGIN, key));
    return sum ? sum : 1;
}

static bool is_there(const void *user, const char *key) {
    return has_seen(&((const folder *)user)->there, sum_of_key(key));
}

/* Before the looks of a step: whether this step's are to tell what is gone. */
static void begin_sweep(folder *f) {
    f->sweeping = !f->swept_ns || heed__ticks_ns() - f->swept_ns > SWEEP_NS;
}

/* After looks that all went well: values of files that are gone for long go. */
static int end_sweep(heed_source *s, const char *kind, heed_error *err) {
    folder *f = s->own;
    if (!f->sweeping) return 0;
    const heed_sweep sweep = { .store = s->store,
                               .source = s->cfg->name,
                               .kind = kind,
                               .there = is_there,
                               .user = f,
                               .hooks = &s->hooks };
    const int status = heed__sweep_files(&sweep, err);
    f->swept_ns = heed__ticks_ns();
    heed__free(&s->hooks, f->there.sum);
    f->there = (seen){ 0 };
    return status;
}

/* Reads what is new in a folder, each file of which has a key in the store; 0 or a status. */
static int look(heed_source *s, const char *path, bool mail, read_fn read, heed_error *err) {
    folder *f = s->own;
    int status = list(s, f, path, err);
    for (int64_t i = 0; i < f->names && !status; i++) {
        char key[48], sum[33], shown[300];
        item it = { .name = f->name[i], .key = key, .shown = shown };
        /* the flags behind the colon of a mail's name change when it is read */
        const size_t len = mail ? strcspn(it.name, ":") : strlen(it.name);
        const bool plain = heed__utf8_check(it.name, len) == len;
        short_sum(it.name, len, sum);
        heed__format(key, sizeof key, "%s/%s", mail ? "mail" : "file", sum);
        heed__format(shown, sizeof shown, "%.*s", plain ? (int)len : 32, plain ? it.name : sum);
        heed__format(it.path, sizeof it.path, "%s/%s", path, it.name);
        if (f->sweeping && !is_there(f, key)) status = add_seen(s, &f->there, sum_of_key(key), err);
        if (!status) status = is_due(s, f, &it, mail, err);
        if (status <= 0) continue;
        if (heed__source_stopping(s)) return HEED_ECANCELLED;
        status = read(s, &it, err);
        if (status == READ_GONE) {
            status = 0;
            continue;
        }
        const bool later = status == READ_LATER;
        if (!status) status = heed__source_give(s, err);
        if (!status) status = heed__source_set(s, key, it.stamp, err);
        if (!status || later) status = add_seen(s, &f->seen, it.sum, err);
    }
    return status;
}

static void folder_close(heed_source *s) {
    folder *f = s->own;
    free_names(s, f);
    heed__free(&s->hooks, f->name);
    heed__free(&s->hooks, f->seen.sum);
    heed__free(&s->hooks, f->there.sum);
}

/* -- texts ------------------------------------------------------------------------------------ */

/* {"file": name} as an event's fields. */
static char *file_fields(heed_source *s, const char *name, heed_error *err) {
    size_t len;
    json_t *fields = json_pack("{s:s}", "file", name);
    char *body = NULL;
    if (fields)
        body = heed__json_text(&s->hooks, fields, false, &len, err);
    else
        heed__source_no_memory(s, err);
    json_decref(fields);
    return body;
}

/* A whole file as one event. The same content under the same name is the same event. */
static int add_file(heed_source *s, const item *it, const heed_text *text, heed_error *err) {
    char sum[33], id[400];
    short_sum(text->bytes, (size_t)text->len, sum);
    heed__format(id, sizeof id, "%s@%s", it->shown, sum);
    if (s->cfg->format && strcmp(s->cfg->format, "json") == 0)
        return heed__record_json(s, text->bytes, (size_t)text->len, id, err);
    const size_t name = strlen(it->name);
    const bool html = (name > 5 && strcmp(it->name + name - 5, ".html") == 0) ||
                      (name > 4 && strcmp(it->name + name - 4, ".htm") == 0);
    heed_text plain = { .hooks = &s->hooks };
    (html ? heed__html_text : heed__plain_text)(&plain, text->bytes, (size_t)text->len);
    char *body = file_fields(s, it->shown, err);
    bool bad = plain.failed || !body;
    heed_entry *e = bad || plain.len == 0 ? NULL : heed__batch_add(s);
    if (e) {
        e->id = heed__batch_text(s, id, &bad);
        e->text = heed__batch_text(s, plain.bytes, &bad);
        e->body = heed__batch_text(s, body, &bad);
        e->happened_ms = it->changed_ms;
    }
    heed__free(&s->hooks, body);
    heed__text_free(&plain);
    return bad ? heed__source_no_memory(s, err) : 0;
}

/* A line an event; the same line at the same place of a file is the same event. */
static int add_lines(heed_source *s, const item *it, heed_text *text, heed_error *err) {
    int64_t number = 0;
    int status = 0;
    for (char *at = text->bytes, *end; *at && !status; at = end) {
        char sum[33], id[400];
        end = at + strcspn(at, "\n");
        size_t size = (size_t)(end - at);
        if (*end) *end++ = 0;
        if (size > 0 && at[size - 1] == '\r') at[--size] = 0;
        short_sum(at, size, sum);
        heed__format(id, sizeof id, "%s:%lld@%s", it->shown, (long long)++number, sum);
        if (heed__batch_full(s)) status = heed__source_give(s, err);
        if (!status) status = heed__record_line(s, at, size, id, err);
    }
    return status;
}

/* Opens a regular file and nothing else: whoever may put files into the folder must not make us
 * read others by a link, or wait for a pipe. *size: what it holds now. Negative: errno tells. */
static int open_file(const char *path, size_t *size) {
    struct stat st;
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0) return -1;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
        *size = (size_t)st.st_size;
        return fd;
    }
    close(fd);
    errno = EINVAL;
    return -1;
}

/* The bytes of a file; *bytes NULL: it is passed over, and what is returned says how. */
static int read_bytes(heed_source *s, const item *it, char **bytes, size_t *size, heed_error *err) {
    size_t len = 0;
    *bytes = NULL;
    const int fd = open_file(it->path, size);
    if (fd < 0 && errno == ENOENT) return READ_GONE;
    if (fd < 0) {
        heed__source_wrong(s, "%s: cannot be read: %s", it->path, heed__errno_text(errno));
        return READ_LATER;
    }
    char *all = *size <= s->cfg->most ? heed__malloc(&s->hooks, *size + 1) : NULL;
    ssize_t n = 0;
    while (all && len < *size && (n = read(fd, all + len, *size - len)) > 0) len += (size_t)n;
    const int number = n < 0 ? errno : 0;
    close(fd);
    if (all && !number) {
        all[len] = 0;
        *size = len;
        *bytes = all;
        return 0;
    }
    heed__free(&s->hooks, all);
    if (*size > s->cfg->most) {
        heed__source_wrong(s, "%s: larger than the %zu bytes that are read of it", it->path,
                           s->cfg->most);
        return 0;
    }
    if (!number) return heed__source_no_memory(s, err);
    heed__source_wrong(s, "%s: cannot be read: %s", it->path, heed__errno_text(number));
    return READ_LATER;
}

static int read_text(heed_source *s, const item *it, heed_error *err) {
    char *bytes;
    size_t size;
    int status = read_bytes(s, it, &bytes, &size, err);
    if (!bytes) return status;
    heed_text text = { .hooks = &s->hooks };
    heed__charset_document(&text, NULL, NULL, bytes, size);
    heed__free(&s->hooks, bytes);
    for (int64_t i = 0; i < text.len; i++)
        if (text.bytes[i] == 0) text.bytes[i] = ' ';
    heed_error why = { 0 };
    if (text.failed)
        status = heed__source_no_memory(s, &why);
    else if (text.len == 0)
        status = 0;
    else
        status = s->cfg->lines ? add_lines(s, it, &text, &why) : add_file(s, it, &text, &why);
    heed__text_free(&text);
    if (status == HEED_EFORMAT) {
        heed__source_wrong(s, "%s, passed over: %s", it->path, why.msg);
        return 0;
    }
    if (status) *err = why;
    return status;
}

static int dir_step(heed_source *s, heed_error *err) {
    begin_sweep(s->own);
    int status = look(s, s->cfg->path, false, read_text, err);
    if (!status) status = end_sweep(s, "file", err);
    return status ? status : HEED_SOURCE_IDLE;
}

const heed_source_kind heed__source_dir = {
    .name = "dir", .size = sizeof(folder), .step = dir_step, .close = folder_close
};

/* -- mails ------------------------------------------------------------------------------------ */

static int add_mail(heed_source *s, const item *it, const heed_mail *mail, heed_error *err) {
    size_t len;
    json_t *fields = json_pack("{s:s*,s:s*}", "from", mail->from, "message_id", mail->id);
    char *body = fields ? heed__json_text(&s->hooks, fields, false, &len, err) : NULL;
    json_decref(fields);
    bool bad = !body;
    heed_entry *e = bad ? NULL : heed__batch_add(s);
    if (e) {
        e->id = heed__batch_text(s, it->shown, &bad);
        e->title = heed__batch_text(s, mail->subject, &bad);
        e->text = heed__batch_text(s, mail->text ? mail->text : "", &bad);
        e->user = heed__batch_text(s, mail->address, &bad);
        e->session = heed__batch_text(s, mail->thread, &bad);
        e->body = heed__batch_text(s, body, &bad);
        e->happened_ms = mail->time_ms ? mail->time_ms : it->changed_ms;
    }
    heed__free(&s->hooks, body);
    return bad ? heed__source_no_memory(s, err) : 0;
}

static int read_mail(heed_source *s, const item *it, heed_error *err) {
    char *bytes;
    size_t size;
    int status = read_bytes(s, it, &bytes, &size, err);
    if (!bytes) return status;
    heed_mail mail;
    status = heed__mail_read(&mail, bytes, size, &s->hooks, err);
    heed__free(&s->hooks, bytes);
    if (status) return status;
    if (mail.subject || mail.text) status = add_mail(s, it, &mail, err);
    heed__mail_free(&mail);
    return status;
}

/* new/, where mails arrive, and cur/, to which a reader may have moved them. */
static int maildir_step(heed_source *s, heed_error *err) {
    static const char *const parts[] = { "new", "cur" };
    begin_sweep(s->own);
    for (int i = 0; i < 2; i++) {
        char path[HEED_PATH_SIZE];
        heed__format(path, sizeof path, "%s/%s", s->cfg->path, parts[i]);
        const int status = look(s, path, true, read_mail, err);
        if (status && !(i == 1 && status == HEED_ENOTFOUND)) return status;
    }
    const int status = end_sweep(s, "mail", err);
    return status ? status : HEED_SOURCE_IDLE;
}

const heed_source_kind heed__source_maildir = {
    .name = "maildir", .size = sizeof(folder), .step = maildir_step, .close = folder_close
};
