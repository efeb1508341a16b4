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
    heed_cut *cut; /* a tagger's words of one text */
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
    if (hooks) s->hooks = u->rows.hooks = *hooks;
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

/* A tagger's words as a row. 0 or a status. */
static int read_words(heed_units *u, const char *text, heed_error *err) {
    heed_unit_source *s = u->source;
    const heed_hooks *h = &s->hooks;
    heed_rows *r = &u->rows;
    int64_t n = heed_tagger_cut(s->tagger, text, s->cut, s->room, err);
    if (n > s->room) {
        if (heed__grow(h, &s->cut, &s->room, n, sizeof *s->cut))
            return heed__error(err, HEED_ENOMEM, "texts: out of memory");
        n = heed_tagger_cut(s->tagger, text, s->cut, s->room, err);
    }
    if (n < 0) return (int)n;
    if (heed__grow(h, &r->place, &r->place_cap, n, sizeof *r->place) ||
        heed__grow(h, &r->id, &r->id_cap, n, sizeof *r->id) ||
        heed__grow(h, &r->known, &r->known_cap, n, sizeof *r->known))
        return heed__error(err, HEED_ENOMEM, "texts: out of memory");
    for (int64_t i = 0; i < n; i++) {
        char form[HEED_TAG_FORM];
        const heed_cut c = s->cut[i];
        const size_t size = heed__tag_form(text + c.begin, c.end - c.begin, form);
        r->place[i] = (heed_piece){ c.begin, c.end };
        r->id[i] = heed__vocab_find(s->tagger->vocab, form, size);
        r->known[i] = r->id[i] != HEED_VOCAB_UNKNOWN;
    }
    u->len = n;
    return 0;
}

int heed__units_read(heed_units *u, const char *text, heed_error *err) {
    heed_error own;
    if (!err) err = &own;
    const size_t size = strlen(text), sound = heed__utf8_check(text, size);
    u->len = 0;
    if (sound != size) return heed__error(err, HEED_EFORMAT, "not UTF-8 at byte %zu", sound);
    if (u->source->tagger) return read_words(u, text, err);
    heed__rows_free(&u->rows);
    u->rows.hooks = u->source->hooks;
    const int rc = heed__body_encode(u->source->origin.body,
                                     &(heed_texts){ .len = 1, .text = &text },
                                     &(heed_rows_cfg){ .places = true }, &u->rows, err);
    if (rc) return rc;
    u->len = u->rows.start[1];
    /* what has no word is one unknown unit to a body, of no bytes */
    if (u->len == 1 && u->rows.place[0].begin == u->rows.place[0].end) u->len = 0;
    return 0;
}

void heed__units_close(heed_units *u) {
    if (!u) return;
    heed_unit_source *s = u->source;
    const heed_hooks hooks = s->hooks;
    heed__rows_free(&u->rows);
    heed__origin_close(&s->origin);
    heed_tagger_close(s->tagger);
    heed__free(&hooks, s->cut);
    heed__free(&hooks, s);
    heed__free(&hooks, u);
}
