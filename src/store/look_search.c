/* look_search.c: search by words and by vectors, and the two joined. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "store/event_json.h"
#include "store/filter.h"
#include "store/impl.h"

enum {
    RANK_OFFSET = 60,
    DEPTH = 100,
    FILTERED = 4096,
    MOST = 1000,
    SHOWN = 200,
    RANKED = 16384 /* events with the words that BM25 ranks */
};

typedef struct hit {
    int64_t seq;
    double score, bm25, cosine;
    bool by_words, by_vector;
    json_t *snippet;
} hit;

typedef struct hits {
    const heed_hooks *hooks;
    hit *hit;
    int64_t n, cap;
} hits;

static hit *add_hit(hits *h, int64_t seq, heed_error *err) {
    for (int64_t i = 0; i < h->n; i++)
        if (h->hit[i].seq == seq) return &h->hit[i];
    if (heed__grow(h->hooks, &h->hit, &h->cap, h->n + 1, sizeof *h->hit)) {
        heed__error(err, HEED_ENOMEM, "out of memory for hits");
        return NULL;
    }
    h->hit[h->n] = (hit){ .seq = seq };
    return &h->hit[h->n++];
}

static void free_hits(hits *h) {
    for (int64_t i = 0; i < h->n; i++) json_decref(h->hit[i].snippet);
    heed__free(h->hooks, h->hit);
}

/* -- by words --------------------------------------------------------------------------------- */

static int find_words(heed_db *db, const heed_filter *f, int64_t most, hits *to, heed_error *err) {
    sqlite3_stmt *q = heed__filter_sql(f, db, "w.rowid, w.rank, marks(words)", err);
    if (!q) return heed__db_error(db, err);
    int row = 0;
    for (int64_t place = 1; place <= most && (row = heed__db_step(db, q, err)) == 1; place++) {
        hit *h = add_hit(to, sqlite3_column_int64(q, 0), err);
        if (!h) {
            row = HEED_ENOMEM;
            break;
        }
        h->by_words = true;
        h->bm25 = -sqlite3_column_double(q, 1);
        h->score += 1.0 / (double)(RANK_OFFSET + place);
        h->snippet = heed__parsed_json(heed__db_column(q, 2));
    }
    heed__db_done(q);
    return row < 0 ? row : HEED_OK;
}

/* Where words are in very many events, the newest of these alone are ranked. */
static int find_newest(heed_db *db, heed_filter *f, heed_error *err) {
    char tail[64];
    heed__format(tail, sizeof tail, " ORDER BY w.rowid DESC LIMIT 1 OFFSET %d", RANKED - 1);
    f->tail = tail;
    sqlite3_stmt *q = heed__filter_sql(f, db, "w.rowid", err);
    f->tail = NULL;
    if (!q) return heed__code_of(err);
    const int row = heed__db_step(db, q, err);
    if (row == 1) f->after = sqlite3_column_int64(q, 0) - 1;
    heed__db_done(q);
    return row < 0 ? row : HEED_OK;
}

/* All the words; where no event has them all, those with any. */
static int search_words(heed_store *s, heed_db *db, const heed_look *look, int64_t most, hits *to,
                        heed_error *err) {
    for (int any = 0; any < 2 && !to->n; any++) {
        heed_filter f;
        int status = heed__filter_make(&f, &s->hooks, look, any, err);
        f.best = true;
        if (!status && f.query) status = find_newest(db, &f, err);
        if (!status && f.query) status = find_words(db, &f, most, to, err);
        heed__filter_free(&f);
        if (status) return status;
    }
    return HEED_OK;
}

/* -- by vectors ------------------------------------------------------------------------------- */

typedef struct vector {
    const float *value;
    int64_t dim;
} vector;

static double length(vector v) {
    double sum = 0;
    for (int64_t i = 0; i < v.dim; i++) sum += (double)v.value[i] * (double)v.value[i];
    return sqrt(sum);
}

/* The cosine with the stored vector of seq, or NaN where there is none of that width. */
static int exact_cosine(heed_db *db, int64_t seq, vector v, double *cosine, heed_error *err) {
    sqlite3_stmt *q = heed__db_sql(db, "SELECT value FROM vector WHERE seq = ?1", err);
    if (!q) return heed__db_error(db, err);
    sqlite3_bind_int64(q, 1, seq);
    const int row = heed__db_step(db, q, err);
    const unsigned char *half = row == 1 ? sqlite3_column_blob(q, 0) : NULL;
    *cosine = NAN;
    if (half && sqlite3_column_bytes(q, 0) == v.dim * 2) {
        double dot = 0, own = 0;
        for (int64_t i = 0; i < v.dim; i++) {
            const double x = (double)heed__half_float(
                (uint16_t)(half[2 * i] | half[2 * i + 1] << 8));
            dot += x * (double)v.value[i];
            own += x * x;
        }
        const double lengths = sqrt(own) * length(v);
        if (lengths > 0) *cosine = dot / lengths;
    }
    heed__db_done(q);
    return row < 0 ? row : HEED_OK;
}

static int by_cosine(const void *a, const void *b) {
    const heed_near *x = a, *y = b;
    if (x->cosine != y->cosine) return x->cosine < y->cosine ? 1 : -1;
    return (x->seq < y->seq) - (x->seq > y->seq);
}

/* Candidates whose events pass the filter, with exact cosines, the nearest first; how many. */
static int64_t find_near(heed_store *s, heed_db *db, const heed_filter *f, vector v,
                         heed_near **near_out, heed_error *err) {
    *near_out = NULL;
    int status = heed__vectors_load(s->vectors, s, err);
    if (status) return status;
    const heed_look *l = f->look;
    const bool open = !l->source && !l->user && !l->session && !l->analysis && !l->story &&
                      !l->from_ms && !l->to_ms && !l->before && !l->heads;
    const int64_t room = open ? 4 * DEPTH : FILTERED;
    heed_near *near = heed__malloc(&s->hooks, (size_t)room * sizeof *near);
    if (!near) return heed__error(err, HEED_ENOMEM, "out of memory for neighbours");
    const int64_t found = heed__vectors_near(s->vectors, v.value, v.dim, near, room);
    if (found < 0) status = heed__error(err, HEED_ENOMEM, "out of memory for neighbours");
    int64_t n = 0;
    for (int64_t i = 0; i < found && n < 2 * DEPTH && status >= 0; i++) {
        heed_near item = near[i];
        status = heed__filter_passes(f, db, item.seq, err);
        if (status != 1) continue;
        status = exact_cosine(db, item.seq, v, &item.cosine, err);
        if (!status && !isnan(item.cosine)) near[n++] = item;
    }
    if (status < 0) {
        heed__free(&s->hooks, near);
        return status;
    }
    qsort(near, (size_t)n, sizeof *near, by_cosine);
    *near_out = near;
    return n;
}

static int search_vectors(heed_store *s, heed_db *db, const heed_look *look, vector v, hits *to,
                          heed_error *err) {
    const heed_filter f = { .look = look, .hooks = &s->hooks };
    heed_near *near;
    const int64_t n = find_near(s, db, &f, v, &near, err);
    if (n < 0) return (int)n;
    int status = HEED_OK;
    for (int64_t i = 0; i < n && i < DEPTH && !status; i++) {
        hit *h = add_hit(to, near[i].seq, err);
        if (!h) {
            status = HEED_ENOMEM;
            break;
        }
        h->by_vector = true;
        h->cosine = near[i].cosine;
        h->score += 1.0 / (double)(RANK_OFFSET + i + 1);
    }
    heed__free(&s->hooks, near);
    return status;
}

/* -- answers ---------------------------------------------------------------------------------- */

static int by_score(const void *a, const void *b) {
    const hit *x = a, *y = b;
    if (x->score != y->score) return x->score < y->score ? 1 : -1;
    return (x->seq < y->seq) - (x->seq > y->seq);
}

/* The beginning of the text, for what was found by its vector alone. */
static json_t *beginning(const json_t *event) {
    const json_t *text = json_object_get(event, "text");
    if (!json_is_string(text)) text = json_object_get(event, "title");
    const char *from = json_is_string(text) ? json_string_value(text) : "";
    size_t len = json_is_string(text) ? json_string_length(text) : 0;
    const bool cut = len > SHOWN;
    if (cut)
        for (len = SHOWN; ((unsigned char)from[len] & 0xC0) == 0x80;) len--;
    json_t *spans = json_pack("[{s:s#,s:b}]", "text", from, (int)len, "hit", 0);
    if (cut) json_array_append_new(spans, json_pack("{s:s,s:b}", "text", "…", "hit", 0));
    return spans;
}

static json_t *hit_json(heed_db *db, hit *h, heed_error *err) {
    json_t *event = heed__event_json(db, h->seq, false, err);
    if (!event) return NULL;
    json_t *snippet = h->snippet ? json_incref(h->snippet) : beginning(event);
    json_t *json = json_pack("{s:f,s:o,s:o,s:o,s:o}", "score", h->score, "bm25",
                             h->by_words ? json_real(h->bm25) : json_null(), "cosine",
                             h->by_vector ? json_real(h->cosine) : json_null(), "snippet", snippet,
                             "event", event);
    return heed__whole_json(json, true, err);
}

static json_t *hits_json(heed_db *db, hits *h, int64_t most, heed_error *err) {
    if (h->n) qsort(h->hit, (size_t)h->n, sizeof *h->hit, by_score);
    json_t *list = json_array();
    for (int64_t i = 0; i < h->n && i < most; i++) {
        json_t *one = hit_json(db, &h->hit[i], err);
        if (!one || json_array_append_new(list, one)) {
            if (one) heed__error(err, HEED_ENOMEM, "out of memory for hits");
            json_decref(list);
            return NULL;
        }
    }
    return heed__whole_json(json_pack("{s:o}", "hits", list), true, err);
}

json_t *heed_look_search(heed_store *s, const heed_look *look, const float *query, int64_t dim,
                         heed_error *err) {
    heed_db *db = heed__store_reader(s, err);
    if (!db) return NULL;
    hits h = { .hooks = &s->hooks };
    const int64_t most = heed__look_most(look);
    const int64_t depth = query && most < DEPTH ? DEPTH : most;
    int status = look->text ? search_words(s, db, look, depth, &h, err) : HEED_OK;
    if (!status && query) status = search_vectors(s, db, look, (vector){ query, dim }, &h, err);
    json_t *answer = status ? NULL : hits_json(db, &h, most, err);
    free_hits(&h);
    heed__store_return(s, db);
    return answer;
}

/* The stored vector of seq in floats; *dim 0 where there is none. */
static float *stored_vector(heed_store *s, heed_db *db, int64_t seq, int64_t *dim,
                            heed_error *err) {
    sqlite3_stmt *q = heed__db_sql(db, "SELECT value FROM vector WHERE seq = ?1", err);
    *dim = 0;
    if (!q) return NULL;
    sqlite3_bind_int64(q, 1, seq);
    const int row = heed__db_step(db, q, err);
    const unsigned char *half = row == 1 ? sqlite3_column_blob(q, 0) : NULL;
    const int64_t n = half ? sqlite3_column_bytes(q, 0) / 2 : 0;
    float *v = row < 0 ? NULL : heed__malloc(&s->hooks, (size_t)n * sizeof *v);
    if (row >= 0 && !v) heed__error(err, HEED_ENOMEM, "out of memory for a vector");
    for (int64_t i = 0; v && i < n; i++)
        v[i] = heed__half_float((uint16_t)(half[2 * i] | half[2 * i + 1] << 8));
    *dim = n;
    heed__db_done(q);
    return v;
}

static json_t *similar(heed_store *s, heed_db *db, int64_t seq, int64_t most, heed_error *err) {
    int64_t dim;
    float *v = stored_vector(s, db, seq, &dim, err);
    if (!v) return NULL;
    const heed_look all = { .most = most };
    const heed_filter f = { .look = &all, .hooks = &s->hooks };
    hits h = { .hooks = &s->hooks };
    heed_near *near = NULL;
    const int64_t n = dim ? find_near(s, db, &f, (vector){ v, dim }, &near, err) : 0;
    int status = n < 0 ? (int)n : HEED_OK;
    for (int64_t i = 0; i < n && !status; i++) {
        if (near[i].seq == seq) continue;
        hit *one = add_hit(&h, near[i].seq, err);
        if (one)
            one->by_vector = true, one->score = one->cosine = near[i].cosine;
        else
            status = HEED_ENOMEM;
    }
    json_t *answer = status ? NULL : hits_json(db, &h, heed__look_most(&all), err);
    heed__free(&s->hooks, near);
    free_hits(&h);
    heed__free(&s->hooks, v);
    return answer;
}

json_t *heed_look_similar(heed_store *s, int64_t seq, int64_t most, heed_error *err) {
    heed_db *db = heed__store_reader(s, err);
    if (!db) return NULL;
    json_t *event = heed__event_json(db, seq, false, err); /* HEED_ENOTFOUND */
    json_t *answer = event ? similar(s, db, seq, most, err) : NULL;
    json_decref(event);
    heed__store_return(s, db);
    return answer;
}
