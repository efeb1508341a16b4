/* units.c: a model's folder opened as far as its reading of texts. */
#include "tasks/units.h"

#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/folder.h"
#include "base/text.h"
#include "base/json.h"
#include "tasks/origin.h"

enum { CONFIG_MOST = 256 << 20 }; /* bytes of a config.json that are looked at */

struct heed_unit_source {
    heed_hooks hooks;
    heed_origin origin; /* of a classifier or embedder: with its body and parameters, no values */
    heed_tagger *tagger;
    heed_rows rows; /* of the text read last: a body's */
    heed_cut *cut;  /* or a tagger's words */
    int64_t cut_room;
    heed_encoding held; /* words with all their room */
    int64_t room;
};

bool heed__units_are(const char *dir) {
    char path[HEED_PATH_SIZE];
    heed__format(path, sizeof path, "%s/tokenizer.json", dir);
    if (access(path, F_OK) == 0) return false;
    heed__format(path, sizeof path, "%s/config.json", dir);
    if (access(path, F_OK) != 0) return false;
    heed_error own;
    json_t *tree = heed__json_read(NULL, path, CONFIG_MOST, &own);
    const bool is = !tree || json_object_get(tree, "format_version");
    json_decref(tree);
    return is; /* of one that cannot be read the reason is told where it is opened */
}

heed_units *heed__units_open(const char *dir, const heed_hooks *hooks, heed_error *err) {
    heed_error own;
    if (!err) err = &own;
    heed_units *u = heed__calloc(hooks, 1, sizeof *u);
    heed_unit_source *s = heed__calloc(hooks, 1, sizeof *s);
    if (!u || !s) {
        heed__free(hooks, u);
        heed__free(hooks, s);
        heed__error(err, HEED_ENOMEM, "%s: out of memory", dir);
        return NULL;
    }
    u->source = s;
    if (hooks) s->hooks = *hooks;
    int rc = heed__origin_open(&s->origin, dir, hooks, err);
    if (rc == 0 && !s->origin.tagger) rc = heed__origin_declare(&s->origin, err);
    if (rc == 0 && s->origin.tagger) {
        s->tagger = heed_tagger_open(dir, &(heed_open_cfg){ .hooks = hooks }, err);
        rc = s->tagger ? 0 : err->code;
    }
    if (rc == 0) return u;
    heed__units_close(u);
    return NULL;
}

/* Room for n units in words. 0 or a status. */
static int make_room(heed_units *u, int64_t n, heed_error *err) {
    heed_unit_source *s = u->source;
    heed_encoding *e = &s->held;
    int64_t cap[5] = { s->room, s->room, s->room, s->room, s->room };
    const bool grown = heed__grow(&s->hooks, &e->id, &cap[0], n, sizeof *e->id) == 0 &&
                       heed__grow(&s->hooks, &e->sequence, &cap[1], n, sizeof *e->sequence) == 0 &&
                       heed__grow(&s->hooks, &e->begin, &cap[2], n, sizeof *e->begin) == 0 &&
                       heed__grow(&s->hooks, &e->end, &cap[3], n, sizeof *e->end) == 0 &&
                       heed__grow(&s->hooks, &e->token, &cap[4], n, sizeof *e->token) == 0;
    if (!grown) return heed__error(err, HEED_ENOMEM, "texts: out of memory");
    s->room = cap[0];
    u->words = *e;
    return 0;
}

static void put(heed_units *u, const char *text, heed_piece at, int32_t id) {
    heed_encoding *e = &u->words;
    const int64_t i = e->len++;
    e->id[i] = id;
    e->sequence[i] = 0;
    e->begin[i] = at.begin;
    e->end[i] = at.end;
    e->token[i] = (heed_bytes){ text + at.begin, at.end - at.begin };
}

/* A tagger's words. 0 or a status. */
static int read_words(heed_units *u, const char *text, heed_error *err) {
    heed_unit_source *s = u->source;
    int64_t n = heed_tagger_cut(s->tagger, text, s->cut, s->cut_room, err);
    if (n > s->cut_room) {
        if (heed__grow(&s->hooks, &s->cut, &s->cut_room, n, sizeof *s->cut))
            return heed__error(err, HEED_ENOMEM, "texts: out of memory");
        n = heed_tagger_cut(s->tagger, text, s->cut, s->cut_room, err);
    }
    if (n < 0) return (int)n;
    const int rc = make_room(u, n, err);
    for (int64_t i = 0; rc == 0 && i < n; i++) {
        char form[HEED_TAG_FORM];
        const heed_cut c = s->cut[i];
        const size_t size = heed__tag_form(text + c.begin, c.end - c.begin, form);
        put(u, text, (heed_piece){ c.begin, c.end },
            heed__vocab_find(s->tagger->vocab, form, size));
    }
    return rc;
}

/* A body's units. 0 or a status. */
static int read_rows(heed_units *u, const char *text, heed_error *err) {
    heed_unit_source *s = u->source;
    heed_rows *r = &s->rows;
    heed__rows_free(r);
    const heed_texts x = { .len = 1, .text = &text };
    int rc = heed__body_encode(s->origin.body, &x, &(heed_rows_cfg){ .places = true }, r, err);
    if (rc == 0) rc = make_room(u, r->start[1], err);
    if (rc) return rc;
    u->bag = r->bag;
    u->feature = r->feature;
    /* what has no word is one unknown unit to a body, of no bytes */
    const bool none = r->start[1] == 1 && r->place[0].begin == r->place[0].end;
    for (int64_t i = 0; i < r->start[1] && !none; i++)
        put(u, text, r->place[i], r->id ? r->id[i] : r->known[i] ? r->feature[r->bag[i]] : -1);
    return 0;
}

int heed__units_read(heed_units *u, const char *text, heed_error *err) {
    heed_error own;
    if (!err) err = &own;
    const size_t size = strlen(text), sound = heed__utf8_check(text, size);
    u->words.len = 0;
    u->bag = NULL;
    u->feature = NULL;
    if (sound != size) return heed__error(err, HEED_EFORMAT, "not UTF-8 at byte %zu", sound);
    return u->source->tagger ? read_words(u, text, err) : read_rows(u, text, err);
}

void heed__units_close(heed_units *u) {
    if (!u) return;
    heed_unit_source *s = u->source;
    const heed_hooks hooks = s->hooks;
    const heed_encoding *e = &s->held;
    void *mine[] = { s->cut, e->id, e->sequence, e->begin, e->end, e->token };
    for (size_t i = 0; i < sizeof mine / sizeof *mine; i++) heed__free(&hooks, mine[i]);
    heed__rows_free(&s->rows);
    heed__origin_close(&s->origin);
    heed_tagger_close(s->tagger);
    heed__free(&hooks, s);
    heed__free(&hooks, u);
}
