/* source_csv.c: a table played again: as fast as can be, at a rate, or by its own times; in its
 * order or in one that is drawn; once or for ever. Its place is kept as
 *
 *     FILE.ROUND.RECORD      FILE: a sum of the file's size and beginning, and of how it is ordered
 *
 * and the id of an event that has none of its own is the same of its record. */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/text.h"
#include "flow/source_record.h"
#include "flow/table.h"

enum { HEAD_BYTES = 64 << 10, LOOK_MS = 10, LAG_MS = 1000, SHUFFLE_MOST = 1 << 30 };

typedef struct replay {
    heed_table table;
    uint64_t file;         /* its sum */
    int64_t round, record; /* the next one to be given */
    heed_arena kept;       /* names of columns; with shuffle, all records */
    heed_columns_of columns;
    bool open;
    char *first; /* a first record that is no header */
    /* shuffle */
    char **all;     /* [len] records */
    int64_t *order; /* [len] */
    int64_t len, all_cap;
    /* pace */
    bool holding;            /* the next record was read, and waits for its time */
    heed_text held, work;    /* it, and room to cut it in */
    int64_t start_ns, given; /* of rate */
    int64_t first_ms;        /* of speed: the first record's own time */
} replay;

static int no_memory(heed_source *s, heed_error *err) {
    return heed__source_no_memory(s, err);
}

static char *keep(heed_source *s, replay *r, const char *text, heed_error *err) {
    const size_t size = strlen(text) + 1;
    char *copy = heed__arena_alloc(&r->kept, size);
    if (copy)
        memcpy(copy, text, size);
    else
        no_memory(s, err);
    return copy;
}

/* What the file is, so that another one of its name begins at its beginning. */
static int sum_file(heed_source *s, replay *r, heed_error *err) {
    struct stat st;
    char *head = heed__malloc(&s->hooks, HEAD_BYTES);
    if (!head) return no_memory(s, err);
    const int fd = heed__file_open(s->cfg->path, err);
    if (fd < 0) {
        heed__free(&s->hooks, head);
        return fd;
    }
    const ssize_t n = pread(fd, head, HEAD_BYTES, 0);
    uint64_t h = heed__hash_more(HEED_HASH_BEGIN, head, n > 0 ? (size_t)n : 0);
    if (fstat(fd, &st) == 0) h = heed__hash_one(h, (uint64_t)st.st_size);
    close(fd);
    heed__free(&s->hooks, head);
    if (s->cfg->shuffle) h = heed__hash_one(heed__hash_one(h, 1), s->cfg->seed);
    r->file = heed__hash_spread(h);
    return 0;
}

/* The first record decides which column is what. */
static int read_header(heed_source *s, replay *r, heed_error *err) {
    heed_table *t = &r->table;
    bool header;
    const int got = heed__table_next(t, err);
    if (got <= 0 || t->form == HEED_TABLE_JSON) {
        if (got > 0 && !(r->first = keep(s, r, t->record.bytes, err))) return HEED_ENOMEM;
        return got < 0 ? got : 0;
    }
    r->first = keep(s, r, t->record.bytes, err);
    if (!r->first) return HEED_ENOMEM;
    if (heed__table_cut(t, t->record.bytes, err)) return HEED_ENOMEM;
    heed_columns_of *c = &r->columns;
    c->len = t->fields;
    const int status = heed__record_roles(s->cfg, t->field, c, &header, err);
    if (status || !header) return status;
    r->first = NULL;
    c->name = heed__arena_alloc(&r->kept, (size_t)c->len * sizeof *c->name);
    if (!c->name) return no_memory(s, err);
    for (int64_t i = 0; i < c->len; i++)
        if (!(c->name[i] = keep(s, r, t->field[i], err))) return HEED_ENOMEM;
    return 0;
}

/* All records in memory, and an order drawn for this round. */
static int draw_order(heed_source *s, replay *r, heed_error *err) {
    if (!r->order) {
        int got = r->first ? 1 : heed__table_next(&r->table, err);
        for (; got > 0; got = heed__table_next(&r->table, err)) {
            if (r->kept.used > SHUFFLE_MOST)
                return heed__error(err, HEED_EUNSUPPORTED,
                                   "%s: has more than the 1 GB that can be shuffled", s->cfg->path);
            if (heed__grow(&s->hooks, &r->all, &r->all_cap, r->len + 1, sizeof *r->all))
                return no_memory(s, err);
            char *text = r->first ? r->first : keep(s, r, r->table.record.bytes, err);
            r->first = NULL;
            if (!text) return HEED_ENOMEM;
            r->all[r->len++] = text;
        }
        if (got < 0) return got;
        r->order = heed__calloc(&s->hooks, (size_t)r->len + 1, sizeof *r->order);
        if (!r->order) return no_memory(s, err);
    }
    for (int64_t i = 0; i < r->len; i++) r->order[i] = i;
    heed_rng rng = { .seed = s->cfg->seed, .stream = (uint64_t)r->round };
    heed_rng_shuffle(&rng, r->order, r->len);
    return 0;
}

static void close_round(replay *r) {
    heed__table_close(&r->table);
    heed__arena_reset(&r->kept);
    r->open = false;
    r->first = NULL;
    r->columns.name = NULL;
}

/* The next record as text of its own, by the order of this round: 1, 0 at the end, or a status. */
static int next_record(heed_source *s, replay *r, char **record, heed_error *err) {
    if (s->cfg->shuffle) {
        if (r->record >= r->len) return 0;
        *record = r->all[r->order[r->record]];
        return 1;
    }
    if (r->first) {
        *record = r->first;
        r->first = NULL;
        return 1;
    }
    const int got = heed__table_next(&r->table, err);
    if (got > 0) *record = r->table.record.bytes;
    return got;
}

static int open_round(heed_source *s, replay *r, heed_error *err) {
    if (r->open) return 0;
    if (!(s->cfg->shuffle && r->order)) {
        close_round(r);
        int status = heed__table_open(&r->table, s->cfg->path, s->cfg->format, &s->hooks, err);
        if (!status) status = read_header(s, r, err);
        if (status) return status;
    }
    if (s->cfg->shuffle) {
        const int status = draw_order(s, r, err);
        if (status) return status;
    } else {
        char *record;
        for (int64_t i = 0; i < r->record; i++) { /* given before */
            const int got = next_record(s, r, &record, err);
            if (got < 0) return got;
            if (got == 0) break;
        }
    }
    r->open = true;
    r->start_ns = heed__ticks_ns();
    r->given = 0;
    r->first_ms = 0;
    return 0;
}

/* -- pace ------------------------------------------------------------------------------------- */

/* When the next event of a rate is due, in ticks. */
static int64_t due_by_rate(heed_source *s, replay *r) {
    const int64_t now = heed__ticks_ns();
    const int64_t due = r->start_ns + (int64_t)((double)r->given * 1e9 / s->cfg->rate);
    if (now - due < LAG_MS * (int64_t)1000000) return due;
    r->start_ns += now - due; /* was held up: no burst afterwards */
    return now;
}

/* When an event of that time of its own is due, in ticks. */
static int64_t due_by_time(heed_source *s, replay *r, int64_t happened_ms) {
    const int64_t now = heed__ticks_ns();
    if (!happened_ms) return now;
    if (!r->first_ms) {
        r->first_ms = happened_ms;
        r->start_ns = now;
    }
    const double ms = (double)(happened_ms - r->first_ms) / s->cfg->speed;
    return ms > 0 && ms < 1e12 ? r->start_ns + (int64_t)(ms * 1e6) : now;
}

/* Adds the record that is held to the batch. 1: added; 0: passed over; or a status. */
static int add_record(heed_source *s, replay *r, heed_error *err) {
    char own[80];
    heed_error why = { 0 };
    heed__format(own, sizeof own, "%016llx.%lld.%lld", (unsigned long long)r->file,
                 (long long)r->round, (long long)r->record);
    int status = 0;
    if (r->table.form == HEED_TABLE_JSON) {
        status = heed__record_json(s, r->held.bytes, (size_t)r->held.len, own, &why);
    } else {
        heed__text_reset(&r->work);
        heed__text_add(&r->work, r->held.bytes, (size_t)r->held.len);
        if (r->work.failed) return no_memory(s, err);
        if (heed__table_cut(&r->table, r->work.bytes, err)) return HEED_ENOMEM;
        if (r->table.fields != r->columns.len)
            status = heed__error(&why, HEED_EFORMAT, "%lld fields, not %lld",
                                 (long long)r->table.fields, (long long)r->columns.len);
        else
            status = heed__record_add(s, &r->columns, r->table.field, own, &why);
    }
    if (status == HEED_EFORMAT) {
        heed__source_wrong(s, "%s: record %lld of data, passed over: %s", s->cfg->path,
                           (long long)r->record + 1, why.msg);
        return 0;
    }
    if (status) {
        *err = why;
        return status;
    }
    heed_entry *e = &s->batch.entry[s->batch.len - 1];
    if (r->round > 0 && strcmp(e->id, own) != 0) { /* ids of the data's own, in a later round */
        char *id = heed__arena_alloc(&s->batch.arena, strlen(e->id) + 24);
        if (!id) return no_memory(s, err);
        heed__format(id, strlen(e->id) + 24, "%s.%lld", e->id, (long long)r->round);
        e->id = id;
    }
    return 1;
}

/* -- steps ------------------------------------------------------------------------------------ */

static int keep_place(heed_source *s, replay *r, heed_error *err) {
    char place[80];
    heed__format(place, sizeof place, "%016llx.%lld.%lld", (unsigned long long)r->file,
                 (long long)r->round, (long long)r->record);
    return heed__source_set(s, "place", place, err);
}

static int find_place(heed_source *s, replay *r, heed_error *err) {
    char sum[24];
    char *place = heed__source_get(s, "place", err);
    if (!place) return err->code;
    heed__format(sum, sizeof sum, "%016llx.", (unsigned long long)r->file);
    const char *dot = strlen(place) > 17 ? strchr(place + 17, '.') : NULL;
    if (strncmp(place, sum, 17) == 0 && dot) {
        int64_t round, record;
        if (heed__parse_int(place + 17, (size_t)(dot - place - 17), &round) &&
            heed__parse_int(dot + 1, strlen(dot + 1), &record)) {
            r->round = round;
            r->record = record;
        }
    }
    heed__free(&s->hooks, place);
    return 0;
}

/* Reads the record that is held. 1, 0 at the end, or a status. */
static int hold(heed_source *s, replay *r, heed_error *err) {
    char *record;
    if (r->holding) return 1;
    const int got = next_record(s, r, &record, err);
    if (got <= 0) return got;
    heed__text_reset(&r->held);
    heed__text_puts(&r->held, record);
    if (r->held.failed) return no_memory(s, err);
    r->holding = true;
    return 1;
}

/* Gives what is due; the next event's time comes at `due` (0: there is more to give at once). */
static int give(heed_source *s, replay *r, int64_t due, heed_error *err) {
    if (s->batch.len > 0) {
        int status = heed__source_give(s, err);
        if (!status) status = keep_place(s, r, err);
        if (status) return status;
    }
    if (!due) return HEED_SOURCE_MORE;
    const int64_t ms = (due - heed__ticks_ns()) / 1000000 + 1;
    s->wait_ms = ms < LOOK_MS ? LOOK_MS : ms;
    return HEED_SOURCE_IDLE;
}

/* The end of the file: once more, or never again. */
static int next_round(heed_source *s, replay *r, heed_error *err) {
    const int status = give(s, r, 0, err);
    if (status < 0 || !s->cfg->loop || r->record == 0)
        return status < 0 ? status : HEED_SOURCE_ENDED;
    r->round++;
    r->record = 0;
    r->open = false;
    return keep_place(s, r, err);
}

static int replay_step(heed_source *s, heed_error *err) {
    replay *r = s->own;
    const int status = open_round(s, r, err);
    if (status) return status;
    while (!heed__batch_full(s)) {
        const int got = hold(s, r, err);
        if (got < 0) return got;
        if (got == 0) return next_round(s, r, err);
        int64_t due = s->cfg->rate > 0 ? due_by_rate(s, r) : 0;
        if (due > heed__ticks_ns()) return give(s, r, due, err);
        const int added = add_record(s, r, err);
        if (added < 0) return s->batch.len > 0 ? give(s, r, 0, err) : added;
        if (added > 0 && s->cfg->speed > 0) {
            due = due_by_time(s, r, s->batch.entry[s->batch.len - 1].happened_ms);
            if (due > heed__ticks_ns()) {
                s->batch.len--; /* it goes at its time, those before it now */
                return give(s, r, due, err);
            }
        }
        r->holding = false;
        r->record++;
        r->given += added;
    }
    return give(s, r, 0, err);
}

static int replay_open(heed_source *s, heed_error *err) {
    replay *r = s->own;
    heed__arena_init(&r->kept, &s->hooks);
    r->held.hooks = r->work.hooks = &s->hooks;
    int status = sum_file(s, r, err);
    if (!status) status = find_place(s, r, err);
    return status ? status : open_round(s, r, err);
}

static void replay_close(heed_source *s) {
    replay *r = s->own;
    heed__table_close(&r->table);
    heed__arena_free(&r->kept);
    heed__text_free(&r->held);
    heed__text_free(&r->work);
    heed__free(&s->hooks, r->all);
    heed__free(&s->hooks, r->order);
}

const heed_source_kind heed__source_csv = { .name = "csv",
                                            .size = sizeof(replay),
                                            .open = replay_open,
                                            .step = replay_step,
                                            .close = replay_close };
