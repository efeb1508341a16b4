/* source_sweep.c: what sources keep of files and sources that are gone goes too, so that the store
 * does not grow by a row a file for ever. Not at once: what was read of a folder that is away for a
 * while must not come in again, least of all the mail of somebody who was forgotten. Of a file that
 * is missing the value bears the day, "STAMP~19876", until the file is there again or the days are
 * over; a source's day stands under "gone/NAME". */
#include "flow/source_sweep.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "base/text.h"
#include "base/thread.h"

enum { PAGE = 512, KEPT_DAYS = 30, DAY_MS = 86400000 };

typedef struct page {
    heed_arena arena;
    heed_value value[PAGE];
    int64_t n;
    bool failed;
} page;

static char *copy(page *p, const char *text) {
    const size_t size = strlen(text) + 1;
    char *own = heed__arena_alloc(&p->arena, size);
    if (own) memcpy(own, text, size);
    p->failed |= !own;
    return own;
}

static bool add(void *user, const char *name, const char *value) {
    page *p = user;
    p->value[p->n] = (heed_value){ copy(p, name), copy(p, value) };
    return !p->failed && ++p->n < PAGE;
}

/* The values after `after` in p. 0 or a status. */
static int read_page(page *p, heed_store *store, const char *prefix, const char *after,
                     heed_error *err) {
    heed__arena_reset(&p->arena);
    p->n = 0;
    const int64_t n = heed_store_values(store, prefix, after, add, p, err);
    if (p->failed) return heed__error(err, HEED_ENOMEM, "what sources keep: out of memory");
    return n < 0 ? (int)n : 0;
}

static int64_t today(void) {
    return heed__now_ms() / DAY_MS;
}

/* Whether so much time has passed since that day; a day to come is none, for the clock was set. */
static bool is_over(const char *day, int64_t now) {
    int64_t since = now;
    heed__parse_int(day, strlen(day), &since);
    return now - since >= KEPT_DAYS;
}

/* -- files ------------------------------------------------------------------------------------- */

size_t heed__stamp_length(const char *value) {
    return strcspn(value, "~");
}

/* What becomes of one value; false: it stays as it is. */
static bool sweep_one(page *p, heed_value *v, bool there, int64_t now) {
    char day[32];
    const char *mark = strchr(v->value, '~');
    if (there && !mark) return false;
    if (there) {
        char *bare = copy(p, v->value);
        if (bare) bare[heed__stamp_length(bare)] = 0;
        v->value = bare;
    } else if (mark) {
        if (!is_over(mark + 1, now)) return false;
        v->value = NULL;
    } else {
        const size_t len = strlen(v->value);
        const size_t n = heed__format(day, sizeof day, "~%lld", (long long)now);
        char *marked = heed__arena_alloc(&p->arena, len + n + 1);
        p->failed |= !marked;
        if (marked) memcpy(marked, v->value, len), memcpy(marked + len, day, n + 1);
        v->value = marked;
    }
    return true;
}

static int sweep_page(page *p, const heed_sweep *s, size_t skip, heed_error *err) {
    int64_t n = 0;
    const int64_t now = today();
    for (int64_t i = 0; i < p->n && !p->failed; i++) {
        heed_value v = p->value[i];
        const bool there = s->there(s->user, v.name + skip);
        if (sweep_one(p, &v, there, now)) p->value[n++] = v;
    }
    if (p->failed) return heed__error(err, HEED_ENOMEM, "what sources keep: out of memory");
    return n ? heed_store_set_all(s->store, p->value, n, err) : 0;
}

int heed__sweep_files(const heed_sweep *s, heed_error *err) {
    char prefix[512], last[600] = "";
    if (heed__format(prefix, sizeof prefix, "source/%s/%s/", s->source, s->kind) >= sizeof prefix)
        return 0;
    page *p = heed__calloc(s->hooks, 1, sizeof *p);
    if (!p) return heed__error(err, HEED_ENOMEM, "what sources keep: out of memory");
    heed__arena_init(&p->arena, s->hooks);
    int rc = 0;
    const size_t skip = strlen("source/") + strlen(s->source) + 1;
    do {
        rc = read_page(p, s->store, prefix, last, err);
        if (rc || p->n == 0) break;
        const bool more = p->n == PAGE;
        if (heed__format(last, sizeof last, "%s", p->value[p->n - 1].name) >= sizeof last) break;
        rc = sweep_page(p, s, skip, err);
        if (!more) break;
    } while (rc == 0);
    heed__arena_free(&p->arena);
    heed__free(s->hooks, p);
    return rc;
}

/* -- sources ----------------------------------------------------------------------------------- */

/* Whether the flow has a source of which this is the name, or its part before a '/'. */
static bool in_flow(const heed_flow *flow, const char *name) {
    const size_t len = strlen(name);
    for (int64_t i = 0; i < flow->sources; i++) {
        const char *is = flow->source[i].name;
        if (strncmp(is, name, len) == 0 && (is[len] == 0 || is[len] == '/')) return true;
    }
    return false;
}

/* All values of a source. */
static int remove_all(heed_store *store, page *p, const char *prefix, heed_error *err) {
    for (;;) {
        int rc = read_page(p, store, prefix, "", err);
        if (rc || p->n == 0) return rc;
        for (int64_t i = 0; i < p->n; i++) p->value[i].value = NULL;
        rc = heed_store_set_all(store, p->value, p->n, err);
        if (rc) return rc;
    }
}

static int sweep_source(heed_store *store, const heed_flow *flow, page *p, const char *name,
                        heed_error *err) {
    char mark[300], prefix[300], day[32];
    heed__format(mark, sizeof mark, "gone/%s", name);
    heed__format(prefix, sizeof prefix, "source/%s/", name);
    char *since = heed_store_get(store, mark, err);
    int rc = !since && err->code ? err->code : 0;
    heed__format(day, sizeof day, "%lld", (long long)today());
    if (rc == 0 && in_flow(flow, name)) {
        if (since) rc = heed_store_set(store, mark, NULL, err);
    } else if (rc == 0 && !since) {
        rc = heed_store_set(store, mark, day, err);
    } else if (rc == 0 && is_over(since, today())) {
        rc = remove_all(store, p, prefix, err);
        if (rc == 0) rc = heed_store_set(store, mark, NULL, err);
    }
    heed__free(&p->arena.hooks, since);
    return rc;
}

static bool take_name(void *user, const char *name, const char *value) {
    (void)value;
    heed__format(user, 256, "%s", name + strlen("source/"));
    return false;
}

int heed_sources_sweep(heed_store *store, const heed_flow *flow, const heed_hooks *hooks,
                       heed_error *err) {
    char after[300] = "", name[256];
    page *p = heed__calloc(hooks, 1, sizeof *p);
    if (!p) return heed__error(err, HEED_ENOMEM, "what sources keep: out of memory");
    heed__arena_init(&p->arena, hooks);
    int rc = 0;
    while (rc == 0) {
        name[0] = 0;
        const int64_t n = heed_store_values(store, "source/", after, take_name, name, err);
        if (n <= 0) {
            rc = (int)n;
            break;
        }
        const size_t len = strcspn(name, "/");
        name[len] = 0;
        /* what is cut here stays, and all that begins with it is passed over */
        const bool cut = len == sizeof name - 1;
        if (!cut) rc = sweep_source(store, flow, p, name, err);
        heed__format(after, sizeof after, cut ? "source/%s\xff" : "source/%s0",
                     name); /* after '/' */
    }
    heed__arena_free(&p->arena);
    heed__free(hooks, p);
    return rc;
}
