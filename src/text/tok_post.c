/* tok_post.c: post-processors: what is put around the tokens of a text or of a pair. */
#include "text/tok_post.h"

#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "text/tok_post_impl.h"
#include "text/tok_json.h"
#include "text/unicode.h"

enum { MOST_PARTS = 64 };

typedef struct special {
    char *text;
    int32_t id;
} special;

/* A part of a template: a text, or special tokens. */
typedef struct part {
    int sequence; /* 0, 1, or -1: special[begin..begin+len) */
    int32_t type;
    int64_t begin, len;
} part;

struct heed__post {
    heed_hooks hooks;
    enum { SEQUENCE, TEMPLATE, BERT, ROBERTA, BYTES } kind;
    bool trim, prefix;
    part *part[2]; /* of a template: for one text, for a pair */
    int64_t parts[2];
    special *special; /* BERT, ROBERTA: cls, sep */
    int64_t specials, cap;
    heed__post **child;
    int64_t children;
};

static int no_memory(heed_error *err) {
    return heed__error(err, HEED_ENOMEM, "tokenizer: out of memory");
}

void heed__post_free(heed__post *p) {
    if (!p) return;
    const heed_hooks hooks = p->hooks;
    for (int64_t i = 0; i < p->children; i++) heed__post_free(p->child[i]);
    for (int64_t i = 0; i < p->specials; i++) heed__free(&hooks, p->special[i].text);
    heed__free(&hooks, p->child);
    heed__free(&hooks, p->special);
    heed__free(&hooks, p->part[0]);
    heed__free(&hooks, p->part[1]);
    heed__free(&hooks, p);
}

int64_t heed__post_adds(const heed__post *p, bool pair) {
    int64_t n = 0;
    if (!p) return 0;
    switch (p->kind) {
    case SEQUENCE:
        for (int64_t i = 0; i < p->children; i++) n += heed__post_adds(p->child[i], pair);
        return n;
    case TEMPLATE:
        for (int64_t i = 0; i < p->parts[pair]; i++)
            if (p->part[pair][i].sequence < 0) n += p->part[pair][i].len;
        return n;
    case BERT:
        return pair ? 3 : 2;
    case ROBERTA:
        return pair ? 4 : 2;
    default:
        return 0;
    }
}

/* -- trimming of offsets ---------------------------------------------------------------------- */

static bool is_space(uint32_t code) {
    return code == 0x120 || heed__uni_is(code, HEED_UNI_WHITE); /* Ġ is the byte 20 */
}

static int64_t spaces(const char *text, uint32_t size, bool backwards) {
    int64_t count = 0;
    uint32_t n = 0;
    if (!backwards) {
        for (uint32_t at = 0; at < size && is_space(heed__char_at(text + at, &n)); at += n) count++;
        return count;
    }
    while (size > 0) {
        uint32_t last = size - 1;
        while (last > 0 && ((unsigned char)text[last] & 0xC0u) == 0x80u) last--;
        if (!is_space(heed__char_at(text + last, &n))) break;
        size = last;
        count++;
    }
    return count;
}

static bool inside(char c) {
    return ((unsigned char)c & 0xC0u) == 0x80u;
}

/* Offsets of byte-level tokens leave out the spaces at both ends; the unit is a character. */
static void trim(const heed__post *p, heed__tokens *t, const char *const text[2]) {
    for (int64_t i = 0; i < t->len; i++) {
        heed__token *x = &t->item[i];
        if (x->sequence < 0 || !text[x->sequence]) continue;
        const char *s = text[x->sequence];
        int64_t front = spaces(x->text, x->size, false), back = spaces(x->text, x->size, true);
        if (front > 0) {
            const bool first = i == 0 || x->begin == 0;
            if (first && p->prefix && front == 1) front = 0;
            for (; front > 0 && x->begin < x->end; front--) do
                    x->begin++;
                while (x->begin < x->end && inside(s[x->begin]));
        }
        if (back > 0 && heed__char_count(s, x->end) >= back) {
            for (; back > 0 && x->end > x->begin; back--) do
                    x->end--;
                while (x->end > x->begin && inside(s[x->end]));
        }
    }
    for (int64_t i = 0; i < t->overs; i++) trim(p, &t->over[i], text);
}

/* -- putting tokens around -------------------------------------------------------------------- */

static heed__token special_token(const special *s, int32_t type) {
    return (heed__token){ .id = s->id,
                          .type = type,
                          .word = -1,
                          .sequence = -1,
                          .text = s->text,
                          .size = (uint32_t)strlen(s->text),
                          .special = true,
                          .mask = true };
}

/* before and after may be NULL. */
static int wrap(heed__tok_work *w, heed__tokens *t, const heed__token *before,
                const heed__token *after, heed_error *err) {
    heed__token *item = heed__tok_work_alloc(w, (size_t)(t->len + 2) * sizeof *item, err);
    if (!item) return HEED_ENOMEM;
    int64_t n = 0;
    if (before) item[n++] = *before;
    if (t->len) memcpy(item + n, t->item, (size_t)t->len * sizeof *item);
    n += t->len;
    if (after) item[n++] = *after;
    t->item = item;
    t->len = n;
    for (int64_t i = 0; i < t->overs; i++)
        if (wrap(w, &t->over[i], before, after, err)) return HEED_ENOMEM;
    return 0;
}

static int run_bert(const heed__post *p, heed__tok_work *w, heed__parts *l, heed_error *err) {
    for (int64_t i = 0; i < l->len; i++) {
        const bool roberta = p->kind == ROBERTA;
        const heed__token cls = special_token(&p->special[0], 0);
        const heed__token sep = special_token(&p->special[1], i > 0 && !roberta);
        const heed__token *before = i == 0 ? &cls : roberta ? &sep : NULL;
        if (wrap(w, &l->item[i], before, &sep, err)) return HEED_ENOMEM;
    }
    return 0;
}

static void set_type(heed__tokens *t, int32_t type, bool all) {
    for (int64_t i = 0; i < t->len; i++) t->item[i].type = type;
    for (int64_t i = 0; all && i < t->overs; i++) set_type(&t->over[i], type, true);
}

static int run_template(const heed__post *p, heed__tok_work *w, heed__parts *l, bool add,
                        heed_error *err) {
    if (l->len > 2)
        return heed__error(err, HEED_EUNSUPPORTED,
                           "tokenizer: a template after another post-processor");
    const int pair = l->len == 2;
    heed__parts out = { .item = heed__tok_work_alloc(
                            w, (size_t)(p->parts[pair] + 1) * sizeof *out.item, err) };
    if (!out.item) return HEED_ENOMEM;
    for (int64_t i = 0; i < p->parts[pair]; i++) {
        const part *x = &p->part[pair][i];
        heed__tokens t = { 0 };
        if (x->sequence < 0 && !add) continue;
        if (x->sequence < 0) {
            t.item = heed__tok_work_alloc(w, (size_t)x->len * sizeof *t.item, err);
            if (!t.item) return HEED_ENOMEM;
            for (; t.len < x->len; t.len++)
                t.item[t.len] = special_token(&p->special[x->begin + t.len], x->type);
        } else {
            t = l->item[x->sequence];
            t.item = heed__tok_work_alloc(w, (size_t)t.len * sizeof *t.item, err);
            if (!t.item) return HEED_ENOMEM;
            if (t.len) memcpy(t.item, l->item[x->sequence].item, (size_t)t.len * sizeof *t.item);
            set_type(&t, x->type, false);
        }
        out.item[out.len++] = t;
    }
    *l = out;
    return 0;
}

int heed__post_run(const heed__post *p, heed__tok_work *w, heed__parts *l, bool add,
                   const char *const text[2], heed_error *err) {
    int rc = 0;
    switch (p->kind) {
    case SEQUENCE:
        for (int64_t i = 0; rc == 0 && i < p->children; i++)
            rc = heed__post_run(p->child[i], w, l, add, text, err);
        return rc;
    case TEMPLATE:
        return run_template(p, w, l, add, err);
    case ROBERTA:
    case BYTES:
        for (int64_t i = 0; p->trim && i < l->len; i++) trim(p, &l->item[i], text);
        if (p->kind == BYTES) return 0;
        for (int64_t i = 0; i < l->len; i++) set_type(&l->item[i], 0, add);
        return add ? run_bert(p, w, l, err) : 0;
    default:
        return add ? run_bert(p, w, l, err) : 0;
    }
}

/* -- reading ---------------------------------------------------------------------------------- */

static heed__post *make(const json_t *object, const char *name, int depth, const heed_hooks *hooks,
                        heed_error *err);

static int add_special(heed__post *p, const json_t *text, const json_t *id, heed_fields *f) {
    if (!json_is_string(text) || !json_is_integer(id) || json_integer_value(id) < 0 ||
        json_integer_value(id) > INT32_MAX)
        return heed__error(f->err, HEED_EFORMAT, "%s: a special token is not a text and an id",
                           f->name);
    if (heed__grow(&p->hooks, &p->special, &p->cap, p->specials + 1, sizeof *p->special))
        return no_memory(f->err);
    char *copy = heed__strdup(&p->hooks, json_string_value(text));
    if (!copy) return no_memory(f->err);
    p->special[p->specials++] = (special){ copy, (int32_t)json_integer_value(id) };
    return 0;
}

static int read_pair(heed__post *p, heed_fields *f) {
    static const char *const keys[] = { "cls", "sep" };
    for (int i = 0; i < 2; i++) {
        const json_t *v = json_object_get(f->object, keys[i]);
        const int rc = add_special(p, json_array_get(v, 0), json_array_get(v, 1), f);
        if (rc) return rc;
    }
    return 0;
}

static int read_part(heed__post *p, heed_fields *f, const json_t *piece, part *out) {
    const json_t *text = json_object_get(piece, "Sequence");
    const json_t *token = json_object_get(piece, "SpecialToken"), *o = text ? text : token;
    const char *id = json_string_value(json_object_get(o, "id"));
    const json_t *type = json_object_get(o, "type_id");
    if (!id || !json_is_integer(type) || json_integer_value(type) < 0 ||
        json_integer_value(type) > INT32_MAX)
        return heed__error(f->err, HEED_EFORMAT, "%s: a part of the template is no part", f->name);
    out->type = (int32_t)json_integer_value(type);
    if (text) {
        out->sequence = strcmp(id, "B") == 0;
        if (strcmp(id, "A") == 0 || out->sequence) return 0;
        return heed__error(f->err, HEED_EFORMAT, "%s: sequence %.60s is neither A nor B", f->name,
                           id);
    }
    const json_t *s = json_object_get(json_object_get(f->object, "special_tokens"), id);
    const json_t *ids = json_object_get(s, "ids"), *tokens = json_object_get(s, "tokens");
    if (!json_is_array(ids) || json_array_size(ids) != json_array_size(tokens))
        return heed__error(f->err, HEED_EFORMAT, "%s: special_tokens lacks %.60s", f->name, id);
    out->sequence = -1;
    out->begin = p->specials;
    for (size_t i = 0; i < json_array_size(ids); i++) {
        const int rc = add_special(p, json_array_get(tokens, i), json_array_get(ids, i), f);
        if (rc) return rc;
        out->len++;
    }
    return 0;
}

static int read_template(heed__post *p, heed_fields *f) {
    static const char *const keys[] = { "single", "pair" };
    for (int i = 0; i < 2; i++) {
        const json_t *list = json_object_get(f->object, keys[i]);
        const size_t len = json_array_size(list);
        if (!json_is_array(list) || len > MOST_PARTS)
            return heed__error(f->err, HEED_EFORMAT, "%s: %s is no list of at most %d parts",
                               f->name, keys[i], MOST_PARTS);
        p->part[i] = heed__calloc(&p->hooks, len ? len : 1, sizeof **p->part);
        if (!p->part[i]) return no_memory(f->err);
        for (size_t k = 0; k < len; k++) {
            const int rc = read_part(p, f, json_array_get(list, k), &p->part[i][k]);
            if (rc) return rc;
            if (i == 0 && p->part[i][k].sequence == 1)
                return heed__error(f->err, HEED_EFORMAT, "%s: single asks for a second text",
                                   f->name);
            p->parts[i]++;
        }
    }
    return 0;
}

static int read_children(heed__post *p, heed_fields *f, int depth) {
    const json_t *list = json_object_get(f->object, "processors");
    const size_t len = json_array_size(list);
    if (!json_is_array(list))
        return heed__error(f->err, HEED_EFORMAT, "%s: processors is no list", f->name);
    p->child = heed__calloc(&p->hooks, len ? len : 1, sizeof *p->child);
    if (!p->child) return no_memory(f->err);
    for (size_t i = 0; i < len; i++) {
        char name[200];
        heed__format(name, sizeof name, "%s[%zu]", f->name, i);
        p->child[i] = make(json_array_get(list, i), name, depth + 1, &p->hooks, f->err);
        if (!p->child[i]) return f->err->code;
        p->children++;
    }
    return 0;
}

static int read_kind(heed__post *p, heed_fields *f, const char *type, int depth) {
    if (strcmp(type, "Sequence") == 0) return read_children(p, f, depth);
    if (strcmp(type, "TemplateProcessing") == 0) {
        p->kind = TEMPLATE;
        return read_template(p, f);
    }
    if (strcmp(type, "BertProcessing") == 0) {
        p->kind = BERT;
        return read_pair(p, f);
    }
    const bool roberta = strcmp(type, "RobertaProcessing") == 0;
    if (roberta || strcmp(type, "ByteLevel") == 0) {
        p->kind = roberta ? ROBERTA : BYTES;
        p->trim = heed__field_bool(f, "trim_offsets");
        p->prefix = heed__field_bool(f, "add_prefix_space");
        return f->status || !roberta ? f->status : read_pair(p, f);
    }
    return heed__error(f->err, HEED_EUNSUPPORTED, "%s: there is no post-processor '%.60s'", f->name,
                       type);
}

static heed__post *make(const json_t *object, const char *name, int depth, const heed_hooks *hooks,
                        heed_error *err) {
    heed_fields f = { .object = object, .name = name, .err = err };
    const char *type = heed__tok_part_type(&f, depth);
    if (!type) return NULL;
    heed__post *p = heed__calloc(hooks, 1, sizeof *p);
    if (!p) {
        no_memory(err);
        return NULL;
    }
    if (hooks) p->hooks = *hooks;
    if (read_kind(p, &f, type, depth) == 0) return p;
    heed__post_free(p);
    return NULL;
}

heed__post *heed__post_new(const json_t *object, const char *name, const heed_hooks *hooks,
                           heed_error *err) {
    heed_error unseen;
    return make(object, name, 0, hooks, err ? err : &unseen);
}
