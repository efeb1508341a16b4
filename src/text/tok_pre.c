/* tok_pre.c: pre-tokenizers. Most find matches, which together with what lies between them are all
 * of the piece, and then keep, drop or join them. */
#include "text/tok_pre.h"
#include "text/tok_json.h"

#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "text/letters.h"
#include "text/regex.h"
#include "text/scan.h"
#include "text/unicode.h"

typedef enum behavior { REMOVED, ISOLATED, PREVIOUS, NEXT, CONTIGUOUS } behavior;
static const char *const behaviors[] = { "Removed", "Isolated", "MergedWithPrevious",
                                         "MergedWithNext", "Contiguous" };

typedef int (*cut_fn)(const heed__pre *p, heed__tok_work *w, heed__span *a, heed_error *err);

struct heed__pre {
    heed_hooks hooks;
    cut_fn cut;         /* adds the pieces of one piece to w->next; NULL: a sequence */
    uint32_t flag;      /* the characters that match */
    uint32_t delimiter; /* or this one */
    behavior behavior;
    bool invert;
    bool prefix, by_regex, bytes; /* ByteLevel */
    enum { NEVER, FIRST, ALWAYS } scheme;
    bool split;
    char put[4]; /* the delimiter as UTF-8 */
    size_t put_size;
    int64_t length;
    heed__regex *regex;
    heed__pre **child;
    int64_t children;
};

static int no_memory(heed_error *err) {
    return heed__error(err, HEED_ENOMEM, "tokenizer: out of memory");
}

void heed__pre_free(heed__pre *p) {
    if (!p) return;
    const heed_hooks hooks = p->hooks;
    for (int64_t i = 0; i < p->children; i++) heed__pre_free(p->child[i]);
    heed__free(&hooks, p->child);
    heed__regex_free(p->regex);
    heed__free(&hooks, p);
}

bool heed__pre_ends_in_bytes(const heed__pre *p) {
    while (p && p->children > 0) p = p->child[p->children - 1];
    return p && p->bytes;
}

/* -- matches to pieces ------------------------------------------------------------------------ */

static int emit(heed__tok_work *w, const heed__span *a, uint32_t begin, uint32_t end,
                heed_error *err) {
    const heed__span s = heed__span_slice(a, begin, end);
    return heed__split_add(w, &s, -1, err);
}

/* Joins w->match in place, which then holds pieces. */
static void join(heed__tok_work *w, behavior how) {
    struct heed__match *m = w->match;
    const int64_t n = w->match_len;
    bool before = false;
    int64_t k = 0;
    if (how == NEXT) {
        k = n;
        for (int64_t i = n - 1; i >= 0; i--) {
            const struct heed__match x = m[i];
            if (x.is && !before && k < n)
                m[k].begin = x.begin;
            else
                m[--k] = x;
            before = x.is;
        }
        memmove(m, m + k, (size_t)(n - k) * sizeof *m);
        w->match_len = n - k;
        return;
    }
    for (int64_t i = 0; i < n; i++) {
        const struct heed__match x = m[i];
        const bool joins = how == CONTIGUOUS ? x.is == before : x.is && !before;
        if (joins && k > 0)
            m[k - 1].end = x.end;
        else
            m[k++] = x;
        before = x.is;
    }
    w->match_len = k;
}

static int cut_matches(heed__tok_work *w, const heed__span *a, behavior how, bool invert,
                       heed_error *err) {
    for (int64_t i = 0; invert && i < w->match_len; i++) w->match[i].is = !w->match[i].is;
    if (how == PREVIOUS || how == NEXT || how == CONTIGUOUS) join(w, how);
    for (int64_t i = 0; i < w->match_len; i++) {
        if (how == REMOVED && w->match[i].is) continue;
        if (emit(w, a, w->match[i].begin, w->match[i].end, err)) return HEED_ENOMEM;
    }
    return 0;
}

static int match_chars(const heed__pre *p, heed__tok_work *w, const heed__span *a,
                       heed_error *err) {
    uint32_t before = 0, n = 0;
    w->match_len = 0;
    for (uint32_t at = 0; at < a->size; at += n) {
        const uint32_t code = heed__char_at(a->text + at, &n);
        if (p->flag ? !heed__uni_is(code, p->flag) : code != p->delimiter) continue;
        if (before < at && heed__match_add(w, before, at, false, err)) return HEED_ENOMEM;
        if (heed__match_add(w, at, at + n, true, err)) return HEED_ENOMEM;
        before = at + n;
    }
    return before < a->size ? heed__match_add(w, before, a->size, false, err) : 0;
}

/* -- what each does --------------------------------------------------------------------------- */

static int cut_chars(const heed__pre *p, heed__tok_work *w, heed__span *a, heed_error *err) {
    const int rc = match_chars(p, w, a, err);
    return rc ? rc : cut_matches(w, a, p->behavior, false, err);
}

static int cut_regex(const heed__pre *p, heed__tok_work *w, heed__span *a, heed_error *err) {
    const int rc = heed__regex_all(p->regex, w, a->text, a->size, err);
    return rc ? rc : cut_matches(w, a, p->behavior, p->invert, err);
}

/* White space goes, punctuation stands alone. */
static int cut_bert(const heed__pre *p, heed__tok_work *w, heed__span *a, heed_error *err) {
    (void)p;
    uint32_t begin = 0, n = 0;
    for (uint32_t at = 0; at < a->size; at += n) {
        const uint32_t flags = heed__uni(heed__char_at(a->text + at, &n));
        if (!(flags & (HEED_UNI_WHITE | HEED_UNI_PUNCT))) continue;
        if (begin < at && emit(w, a, begin, at, err)) return HEED_ENOMEM;
        if (!(flags & HEED_UNI_WHITE) && emit(w, a, at, at + n, err)) return HEED_ENOMEM;
        begin = at + n;
    }
    return begin < a->size ? emit(w, a, begin, a->size, err) : 0;
}

/* Runs of word characters, and runs of what is neither that nor white space. */
static int cut_words(const heed__pre *p, heed__tok_work *w, heed__span *a, heed_error *err) {
    (void)p;
    uint32_t begin = 0, n = 0;
    int before = 0;
    for (uint32_t at = 0; at < a->size; at += n) {
        const uint32_t flags = heed__uni(heed__char_at(a->text + at, &n));
        const int kind = flags & HEED_UNI_WORD ? 1 : flags & HEED_UNI_WHITE ? 0 : 2;
        if (kind == before) continue;
        if (before && emit(w, a, begin, at, err)) return HEED_ENOMEM;
        begin = at;
        before = kind;
    }
    return before ? emit(w, a, begin, a->size, err) : 0;
}

static int cut_bytes(const heed__pre *p, heed__tok_work *w, heed__span *a, heed_error *err) {
    if (p->prefix && a->text[0] != ' ') {
        const int rc = heed__span_prepend(w, a, " ", 1, err);
        if (rc) return rc;
    }
    if (!p->by_regex) return heed__split_add(w, a, -1, err);
    for (uint32_t at = 0; at < a->size;) {
        const uint32_t end = heed__scan_gpt2(a->text, a->size, at);
        if (emit(w, a, at, end, err)) return HEED_ENOMEM;
        at = end;
    }
    return 0;
}

static bool begins_with(const heed__span *a, const char *text, size_t size) {
    return a->size >= size && memcmp(a->text, text, size) == 0;
}

static int cut_metaspace(const heed__pre *p, heed__tok_work *w, heed__span *a, heed_error *err) {
    const heed__pre space = { .delimiter = ' ' };
    int rc = match_chars(&space, w, a, err);
    if (rc == 0) rc = heed__span_replace(w, a, p->put, p->put_size, err);
    if (rc == 0 && (p->scheme == ALWAYS || (p->scheme == FIRST && a->shift == 0)) &&
        !begins_with(a, p->put, p->put_size))
        rc = heed__span_prepend(w, a, p->put, p->put_size, err);
    if (rc) return rc;
    return p->split ? cut_chars(p, w, a, err) : heed__split_add(w, a, -1, err);
}

static int cut_fixed(const heed__pre *p, heed__tok_work *w, heed__span *a, heed_error *err) {
    uint32_t begin = 0, n = 0;
    int64_t count = 0;
    for (uint32_t at = 0; at < a->size; at += n) {
        heed__char_at(a->text + at, &n);
        if (++count < p->length) continue;
        if (emit(w, a, begin, at + n, err)) return HEED_ENOMEM;
        begin = at + n;
        count = 0;
    }
    return begin < a->size ? emit(w, a, begin, a->size, err) : 0;
}

/* Cuts where the script changes; what comes before the first letter of any script is dropped, as
 * in the reference. */
static int cut_scripts(const heed__pre *p, heed__tok_work *w, heed__span *a, heed_error *err) {
    (void)p;
    uint32_t begin = 0, n = 0;
    int last = 0;
    for (uint32_t at = 0; at < a->size; at += n) {
        const int script = heed__uni_script(heed__char_at(a->text + at, &n));
        if (script == 0 || script == last) continue;
        if (last && emit(w, a, begin, at, err)) return HEED_ENOMEM;
        begin = at;
        last = script;
    }
    return last ? emit(w, a, begin, a->size, err) : 0;
}

/* -- all pieces ------------------------------------------------------------------------------- */

static void take_next(heed__tok_work *w) {
    const heed__splits s = w->split;
    w->split = w->next;
    w->next = s;
    w->next.len = 0;
}

int heed__pre_apply(const heed__pre *p, heed__tok_work *w, bool raw, heed_error *err) {
    int rc = 0;
    if (!p) return 0;
    if (!p->cut) {
        for (int64_t i = 0; rc == 0 && i < p->children; i++)
            rc = heed__pre_apply(p->child[i], w, raw && i == p->children - 1, err);
        return rc;
    }
    w->next.len = 0;
    for (int64_t i = 0; rc == 0 && i < w->split.len; i++) {
        heed__split s = w->split.item[i];
        rc = s.token >= 0 ? heed__split_add(w, &s.a, s.token, err) : p->cut(p, w, &s.a, err);
    }
    take_next(w);
    for (int64_t i = 0; rc == 0 && p->bytes && !raw && i < w->split.len; i++)
        if (w->split.item[i].token < 0) rc = heed__span_bytes(w, &w->split.item[i].a, err);
    return rc;
}

/* -- reading ---------------------------------------------------------------------------------- */

static heed__pre *make(const json_t *object, const char *name, int depth, const heed_hooks *hooks,
                       heed_error *err);

uint32_t heed__pre_char(const json_t *object, const char *key, const char *name, heed_error *err) {
    const json_t *v = json_object_get(object, key);
    uint32_t code = 0;
    const size_t size = json_string_length(v);
    if (json_is_string(v) && size > 0 && heed__utf8_next(json_string_value(v), size, &code) == size)
        return code;
    heed__error(err, HEED_EFORMAT, "%s: %s is not one character", name, key);
    return 0;
}

static int read_behavior(heed__pre *p, heed_fields *f) {
    const char *text = heed__field_text(f, "behavior");
    if (f->status) return f->status;
    for (int i = 0; i < 5; i++) {
        if (strcmp(text, behaviors[i]) != 0) continue;
        p->behavior = (behavior)i;
        return 0;
    }
    return heed__error(f->err, HEED_EUNSUPPORTED, "%s: there is no behavior '%.60s'", f->name,
                       text);
}

static int read_split(heed__pre *p, heed_fields *f) {
    const json_t *pattern = json_object_get(f->object, "pattern");
    const json_t *text = json_object_get(pattern, "String");
    const json_t *use = text ? text : json_object_get(pattern, "Regex");
    p->invert = heed__field_has(f, "invert") && heed__field_bool(f, "invert");
    if (f->status || read_behavior(p, f)) return f->err->code;
    if (!json_is_string(use))
        return heed__error(f->err, HEED_EFORMAT, "%s: pattern is neither String nor Regex",
                           f->name);
    p->cut = cut_regex;
    p->regex = heed__regex_new(json_string_value(use), json_string_length(use), text != NULL,
                               f->name, &p->hooks, f->err);
    return p->regex ? 0 : f->err->code;
}

static int read_metaspace(heed__pre *p, heed_fields *f) {
    static const char *const schemes[] = { "never", "first", "always" };
    int scheme = ALWAYS;
    p->cut = cut_metaspace;
    p->behavior = NEXT;
    p->delimiter = heed__pre_char(f->object, "replacement", f->name, f->err);
    if (!p->delimiter) return f->err->code;
    p->put_size = heed__utf8_put(p->delimiter, p->put);
    if (heed__field_has(f, "prepend_scheme")) {
        const char *text = heed__field_text(f, "prepend_scheme");
        for (scheme = 2; scheme >= 0 && strcmp(text, schemes[scheme]) != 0;) scheme--;
        if (scheme < 0 && f->status == 0)
            return heed__error(f->err, HEED_EUNSUPPORTED, "%s: there is no prepend_scheme '%.60s'",
                               f->name, text);
    }
    const json_t *prefix = json_object_get(f->object, "add_prefix_space");
    if (json_is_false(prefix)) {
        if (heed__field_has(f, "prepend_scheme") && scheme != NEVER)
            return heed__error(f->err, HEED_EFORMAT,
                               "%s: add_prefix_space does not go with prepend_scheme", f->name);
        scheme = NEVER;
    }
    p->scheme = scheme == NEVER ? NEVER : scheme == FIRST ? FIRST : ALWAYS;
    const json_t *split = json_object_get(f->object, "split");
    p->split = !split || json_is_null(split) || heed__field_bool(f, "split");
    return f->status;
}

static int read_children(heed__pre *p, heed_fields *f, int depth) {
    const json_t *list = json_object_get(f->object, "pretokenizers");
    if (!json_is_array(list))
        return heed__error(f->err, HEED_EFORMAT, "%s: pretokenizers is no list", f->name);
    const size_t len = json_array_size(list);
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

/* Those that need nothing but a kind of character. */
static bool read_simple(heed__pre *p, const char *type) {
    static const struct {
        const char *type;
        cut_fn cut;
        uint32_t flag;
        behavior behavior;
    } simple[] = {
        { "BertPreTokenizer", cut_bert, 0, REMOVED },
        { "Whitespace", cut_words, 0, REMOVED },
        { "WhitespaceSplit", cut_chars, HEED_UNI_WHITE, REMOVED },
        { "UnicodeScripts", cut_scripts, 0, REMOVED },
        { "Punctuation", cut_chars, HEED_UNI_PUNCT, ISOLATED },
        { "Digits", cut_chars, HEED_UNI_NUMERIC, CONTIGUOUS },
    };
    for (size_t i = 0; i < sizeof simple / sizeof *simple; i++) {
        if (strcmp(type, simple[i].type) != 0) continue;
        p->cut = simple[i].cut;
        p->flag = simple[i].flag;
        p->behavior = simple[i].behavior;
        return true;
    }
    return false;
}

static int read_kind(heed__pre *p, heed_fields *f, const char *type, int depth) {
    if (read_simple(p, type)) {
        if (strcmp(type, "Punctuation") == 0 && heed__field_has(f, "behavior"))
            return read_behavior(p, f);
        if (strcmp(type, "Digits") == 0 && heed__field_bool(f, "individual_digits"))
            p->behavior = ISOLATED;
        return f->status;
    }
    if (strcmp(type, "ByteLevel") == 0) {
        p->cut = cut_bytes;
        p->bytes = true;
        p->prefix = heed__field_bool(f, "add_prefix_space");
        p->by_regex = !heed__field_has(f, "use_regex") || heed__field_bool(f, "use_regex");
        return f->status;
    }
    if (strcmp(type, "CharDelimiterSplit") == 0 || strcmp(type, "Delimiter") == 0) {
        p->cut = cut_chars;
        p->delimiter = heed__pre_char(f->object, "delimiter", f->name, f->err);
        return p->delimiter ? 0 : f->err->code;
    }
    if (strcmp(type, "FixedLength") == 0) {
        p->cut = cut_fixed;
        p->length = heed__field_has(f, "length") ? heed__field_int(f, "length", 1, INT32_MAX) : 5;
        return f->status;
    }
    if (strcmp(type, "Metaspace") == 0) return read_metaspace(p, f);
    if (strcmp(type, "Split") == 0) return read_split(p, f);
    if (strcmp(type, "Sequence") == 0) return read_children(p, f, depth);
    return heed__error(f->err, HEED_EUNSUPPORTED, "%s: there is no pre-tokenizer '%.60s'", f->name,
                       type);
}

static heed__pre *make(const json_t *object, const char *name, int depth, const heed_hooks *hooks,
                       heed_error *err) {
    heed_fields f = { .object = object, .name = name, .err = err };
    const char *type = heed__tok_part_type(&f, depth);
    if (!type) return NULL;
    heed__pre *p = heed__calloc(hooks, 1, sizeof *p);
    if (!p) {
        no_memory(err);
        return NULL;
    }
    if (hooks) p->hooks = *hooks;
    if (read_kind(p, &f, type, depth) == 0) return p;
    heed__pre_free(p);
    return NULL;
}

heed__pre *heed__pre_new(const json_t *object, const char *name, const heed_hooks *hooks,
                         heed_error *err) {
    heed_error unseen;
    return make(object, name, 0, hooks, err ? err : &unseen);
}
