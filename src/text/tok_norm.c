/* tok_norm.c: normalizers. Each takes the text as the one before left it. */
#include "text/tok_norm.h"
#include "text/tok_json.h"

#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "text/letters.h"
#include "text/normal_form.h"
#include "text/regex.h"
#include "text/unicode.h"

enum { AT_ONCE = 1 << 16 };

struct heed__norm {
    heed_hooks hooks;
    int (*apply)(const heed__norm *n, heed__tok_work *w, heed__span *a, heed_error *err);
    bool clean, chinese, accents, small; /* BertNormalizer */
    bool left, right;                    /* Strip */
    bool compose, compat;                /* normal forms */
    bool touch;                          /* Sequence: ours alone; see sentencepiece.c */
    bool after;                          /* Replace: the same */
    char *content;                       /* Replace, Prepend */
    size_t size;
    heed__regex *regex;
    heed__charsmap *map;
    heed__norm **child; /* Sequence */
    int64_t children;
};

static int no_memory(heed_error *err) {
    return heed__error(err, HEED_ENOMEM, "tokenizer: out of memory");
}

void heed__norm_free(heed__norm *n) {
    if (!n) return;
    const heed_hooks hooks = n->hooks;
    for (int64_t i = 0; i < n->children; i++) heed__norm_free(n->child[i]);
    heed__free(&hooks, n->child);
    heed__free(&hooks, n->content);
    heed__regex_free(n->regex);
    heed__charsmap_free(n->map);
    heed__free(&hooks, n);
}

int heed__norm_apply(const heed__norm *n, heed__tok_work *w, heed__span *a, heed_error *err) {
    return n && a->size > 0 ? n->apply(n, w, a, err) : 0;
}

/* -- what each does --------------------------------------------------------------------------- */

static int apply_sequence(const heed__norm *n, heed__tok_work *w, heed__span *a, heed_error *err) {
    int rc = n->map ? heed__charsmap_group(n->map, w, a, err) : 0;
    for (int64_t i = 0; rc == 0 && i < n->children; i++)
        rc = heed__norm_apply(n->child[i], w, a, err);
    if (rc || !n->touch || a->size == 0) return rc;
    return heed__span_touch(w, a, heed__span_at(a, a->size - 1).end, err);
}

static int apply_form(const heed__norm *n, heed__tok_work *w, heed__span *a, heed_error *err) {
    return heed__normal_form(w, a, n->compose, n->compat, err);
}

/* ASCII alone, in one go: every byte stays where it is. */
static int lower_ascii(heed__tok_work *w, heed__span *a, heed_error *err) {
    uint32_t at = 0;
    while (at < a->size && (unsigned char)(a->text[at] - 'A') >= 26) at++;
    if (at == a->size) return 0;
    char *text = heed__tok_work_alloc(w, a->size, err);
    if (!text) return HEED_ENOMEM;
    for (at = 0; at < a->size; at++) {
        const unsigned char c = (unsigned char)a->text[at];
        text[at] = (char)(c + ((unsigned char)(c - 'A') < 26 ? 32 : 0));
    }
    a->text = text;
    return 0;
}

static int lower(heed__tok_work *w, heed__span *a, heed_error *err) {
    if (heed__ascii_run(a->text, a->size) == a->size) return lower_ascii(w, a, err);
    w->edit_len = 0;
    for (uint32_t at = 0, n = 0; at < a->size; at += n) {
        uint32_t out[2];
        const int len = heed__uni_small(heed__char_at(a->text + at, &n), out);
        for (int i = 0; i < len; i++)
            if (heed__edit_add(w, out[i], i, err)) return HEED_ENOMEM;
    }
    return heed__span_edit(w, a, 0, err);
}

static int apply_lower(const heed__norm *n, heed__tok_work *w, heed__span *a, heed_error *err) {
    (void)n;
    return lower(w, a, err);
}

static bool is_clean(uint32_t code) {
    return !heed__uni_is(code, HEED_UNI_UNCLEAN);
}

static uint32_t to_space(uint32_t code) {
    return heed__uni_is(code, HEED_UNI_WHITE) ? ' ' : code;
}

static bool no_accent(uint32_t code) {
    return !heed__uni_is(code, HEED_UNI_NONSPACING);
}

static bool not_combining(uint32_t code) {
    return !heed__uni_is(code, HEED_UNI_COMBINING);
}

static bool is_chinese(uint32_t c) {
    return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) ||
           (c >= 0x20000 && c <= 0x2A6DF) || (c >= 0x2A700 && c <= 0x2B81F) ||
           (c >= 0x2B920 && c <= 0x2CEAF) || (c >= 0xF900 && c <= 0xFAFF) ||
           (c >= 0x2F800 && c <= 0x2FA1F);
}

static int space_chinese(heed__tok_work *w, heed__span *a, heed_error *err) {
    uint32_t n = 0, at = 0;
    while (at < a->size && !is_chinese(heed__char_at(a->text + at, &n))) at += n;
    if (at == a->size) return 0;
    w->edit_len = 0;
    for (at = 0; at < a->size; at += n) {
        const uint32_t code = heed__char_at(a->text + at, &n);
        const bool chinese = is_chinese(code);
        if (chinese && heed__edit_add(w, ' ', 0, err)) return HEED_ENOMEM;
        if (heed__edit_add(w, code, chinese, err)) return HEED_ENOMEM;
        if (chinese && heed__edit_add(w, ' ', 1, err)) return HEED_ENOMEM;
    }
    return heed__span_edit(w, a, 0, err);
}

/* All that BertNormalizer does, in one pass, which is possible where no mark stays that could
 * change its place. Each new character stands for what the old one stood for. *done: it was
 * possible. */
typedef struct bert {
    char *text;
    heed__place *at;
    uint32_t size;
} bert;

static void bert_put(bert *b, uint32_t code, heed__place p) {
    const size_t n = heed__utf8_put(code, b->text + b->size);
    for (size_t k = 0; k < n; k++) b->at[b->size + k] = p;
    b->size += (uint32_t)n;
}

/* One character of what is left after cleaning; false: a mark that stays. */
static bool bert_char(const heed__norm *n, bert *b, uint32_t code, heed__place p) {
    uint32_t part[HEED_DECOMPOSED], small[2];
    const bool chinese = n->chinese && is_chinese(code);
    if (chinese) bert_put(b, ' ', p);
    const int parts = n->accents ? heed__decompose(code, part) : 1;
    if (!n->accents) part[0] = code;
    for (int i = 0; i < parts; i++) {
        if (n->accents && part[i] >= 0x80) {
            const uint32_t flags = heed__uni(part[i]);
            if (flags & HEED_UNI_NONSPACING) continue;
            if (heed__combines(part[i])) return false;
        }
        const int len = n->small ? heed__uni_small(part[i], small) : 1;
        if (!n->small) small[0] = part[i];
        for (int k = 0; k < len; k++) bert_put(b, small[k], p);
    }
    if (chinese) bert_put(b, ' ', p);
    return true;
}

static int bert_at_once(const heed__norm *n, heed__tok_work *w, heed__span *a, bool *done,
                        heed_error *err) {
    /* no character becomes more than three times its bytes */
    const size_t room = (size_t)a->size * 3;
    bert b = { .text = heed__tok_work_alloc(w, room, err) };
    b.at = b.text ? heed__tok_work_alloc(w, room * sizeof *b.at, err) : NULL;
    if (!b.at) return HEED_ENOMEM;
    *done = true;
    for (uint32_t from = 0, size = 0; *done && from < a->size; from += size) {
        uint32_t code = heed__char_at(a->text + from, &size);
        const heed__place p = a->at ? a->at[from]
                                    : (heed__place){ a->origin + from, a->origin + from + size };
        if (n->clean) {
            const uint32_t flags = heed__uni(code);
            if (flags & HEED_UNI_UNCLEAN) continue;
            if (flags & HEED_UNI_WHITE) code = ' ';
        }
        *done = bert_char(n, &b, code, p);
    }
    if (!*done) return 0;
    a->text = b.text;
    a->at = b.at;
    a->size = b.size;
    return 0;
}

static int apply_bert(const heed__norm *n, heed__tok_work *w, heed__span *a, heed_error *err) {
    int rc = 0;
    bool done = false;
    if (a->size < AT_ONCE && heed__ascii_run(a->text, a->size) < a->size)
        rc = bert_at_once(n, w, a, &done, err);
    if (rc || done) return rc;
    if (n->clean) rc = heed__span_filter(w, a, is_clean, err);
    if (rc == 0 && n->clean) rc = heed__span_map(w, a, to_space, err);
    if (rc == 0 && n->chinese) rc = space_chinese(w, a, err);
    if (rc == 0 && n->accents) rc = heed__normal_form(w, a, false, false, err);
    if (rc == 0 && n->accents) rc = heed__span_filter(w, a, no_accent, err);
    if (rc == 0 && n->small) rc = lower(w, a, err);
    return rc;
}

static int apply_accents(const heed__norm *n, heed__tok_work *w, heed__span *a, heed_error *err) {
    (void)n;
    return heed__span_filter(w, a, not_combining, err);
}

static int apply_strip(const heed__norm *n, heed__tok_work *w, heed__span *a, heed_error *err) {
    (void)w, (void)err;
    uint32_t begin = 0, end = a->size, c = 0;
    while (n->left && begin < end &&
           heed__uni_is(heed__char_at(a->text + begin, &c), HEED_UNI_WHITE))
        begin += c;
    while (n->right && end > begin) {
        uint32_t last = end - 1;
        while (((unsigned char)a->text[last] & 0xC0u) == 0x80u) last--;
        if (!heed__uni_is(heed__char_at(a->text + last, &c), HEED_UNI_WHITE)) break;
        end = last;
    }
    a->text += begin;
    if (a->at) a->at += begin;
    a->origin += begin;
    a->size = end - begin;
    return 0;
}

static int apply_replace(const heed__norm *n, heed__tok_work *w, heed__span *a, heed_error *err) {
    const int rc = heed__regex_all(n->regex, w, a->text, a->size, err);
    if (rc == 0 && n->after) {
        uint32_t from = a->size;
        for (int64_t i = 0; i < w->match_len; i++)
            if (w->match[i].is && w->match[i].end == a->size && w->match[i].begin < from)
                from = w->match[i].begin;
        return heed__span_append(w, a, from, (heed_bytes){ n->content, n->size }, err);
    }
    return rc ? rc : heed__span_replace(w, a, n->content, n->size, err);
}

static int apply_prepend(const heed__norm *n, heed__tok_work *w, heed__span *a, heed_error *err) {
    return heed__span_prepend(w, a, n->content, n->size, err);
}

static int apply_bytes(const heed__norm *n, heed__tok_work *w, heed__span *a, heed_error *err) {
    (void)n;
    return heed__span_bytes(w, a, err);
}

static int apply_map(const heed__norm *n, heed__tok_work *w, heed__span *a, heed_error *err) {
    return heed__charsmap_apply(n->map, w, a, err);
}

static int apply_longest(const heed__norm *n, heed__tok_work *w, heed__span *a, heed_error *err) {
    return heed__charsmap_apply_longest(n->map, w, a, err);
}

/* The rules of neural machine translation's vocabularies (nmt_nfkc): control characters go, and
 * what looks like a space is one. */
static bool nmt_keeps(uint32_t c) {
    return !((c >= 1 && c <= 8) || c == 0xB || (c >= 0xE && c <= 0x1F) || c == 0x7F || c == 0x8F ||
             c == 0x9F);
}

static uint32_t nmt_space(uint32_t c) {
    switch (c) {
    case 0x09:
    case 0x0A:
    case 0x0C:
    case 0x0D:
    case 0x1680:
    case 0x200B:
    case 0x200C:
    case 0x200D:
    case 0x200E:
    case 0x200F:
    case 0x2028:
    case 0x2029:
    case 0x2581:
    case 0xFEFF:
    case 0xFFFD:
        return ' ';
    default:
        return c;
    }
}

static int apply_nmt(const heed__norm *n, heed__tok_work *w, heed__span *a, heed_error *err) {
    (void)n;
    const int rc = heed__span_filter(w, a, nmt_keeps, err);
    return rc ? rc : heed__span_map(w, a, nmt_space, err);
}

/* -- reading ---------------------------------------------------------------------------------- */

static heed__norm *make(const json_t *object, const char *name, int depth, const heed_hooks *hooks,
                        heed_error *err);

static int read_bert(heed__norm *n, heed_fields *f) {
    n->apply = apply_bert;
    n->clean = heed__field_bool(f, "clean_text");
    n->chinese = heed__field_bool(f, "handle_chinese_chars");
    n->small = heed__field_bool(f, "lowercase");
    const json_t *accents = json_object_get(f->object, "strip_accents");
    n->accents = !accents || json_is_null(accents) ? n->small
                                                   : heed__field_bool(f, "strip_accents");
    return f->status;
}

static int read_text(heed__norm *n, heed_fields *f, const char *key) {
    const char *text = heed__field_text(f, key);
    if (f->status) return f->status;
    n->size = json_string_length(json_object_get(f->object, key));
    n->content = heed__malloc(&n->hooks, n->size + 1);
    if (!n->content) return no_memory(f->err);
    memcpy(n->content, text, n->size + 1);
    return 0;
}

/* {"String": ".."} or {"Regex": ".."} */
static int read_pattern(heed__norm *n, heed_fields *f) {
    const json_t *p = json_object_get(f->object, "pattern");
    const json_t *text = json_object_get(p, "String"), *regex = json_object_get(p, "Regex");
    const json_t *use = text ? text : regex;
    if (!json_is_string(use))
        return heed__error(f->err, HEED_EFORMAT, "%s: pattern is neither String nor Regex",
                           f->name);
    n->regex = heed__regex_new(json_string_value(use), json_string_length(use), text != NULL,
                               f->name, &n->hooks, f->err);
    return n->regex ? 0 : f->err ? f->err->code : HEED_EFORMAT;
}

static int read_children(heed__norm *n, heed_fields *f, int depth) {
    const json_t *list = json_object_get(f->object, "normalizers");
    if (!json_is_array(list))
        return heed__error(f->err, HEED_EFORMAT, "%s: normalizers is no list", f->name);
    const size_t len = json_array_size(list);
    n->child = heed__calloc(&n->hooks, len ? len : 1, sizeof *n->child);
    if (!n->child) return no_memory(f->err);
    for (size_t i = 0; i < len; i++) {
        char name[200];
        heed__format(name, sizeof name, "%s[%zu]", f->name, i);
        n->child[i] = make(json_array_get(list, i), name, depth + 1, &n->hooks, f->err);
        if (!n->child[i]) return f->err ? f->err->code : HEED_EFORMAT;
        n->children++;
    }
    return 0;
}

static int read_kind(heed__norm *n, heed_fields *f, const char *type, int depth) {
    static const struct {
        const char *type;
        int (*apply)(const heed__norm *n, heed__tok_work *w, heed__span *a, heed_error *err);
        bool compose, compat;
    } simple[] = {
        { "NFC", apply_form, true, false },         { "NFD", apply_form, false, false },
        { "NFKC", apply_form, true, true },         { "NFKD", apply_form, false, true },
        { "Lowercase", apply_lower, false, false }, { "StripAccents", apply_accents, false, false },
        { "Nmt", apply_nmt, false, false },         { "ByteLevel", apply_bytes, false, false },
    };
    for (size_t i = 0; i < sizeof simple / sizeof *simple; i++) {
        if (strcmp(type, simple[i].type) != 0) continue;
        n->apply = simple[i].apply;
        n->compose = simple[i].compose;
        n->compat = simple[i].compat;
        return 0;
    }
    if (strcmp(type, "BertNormalizer") == 0 || strcmp(type, "Bert") == 0) return read_bert(n, f);
    if (strcmp(type, "Strip") == 0) {
        n->apply = apply_strip;
        n->left = heed__field_bool(f, "strip_left");
        n->right = heed__field_bool(f, "strip_right");
        return f->status;
    }
    if (strcmp(type, "Prepend") == 0) {
        n->apply = apply_prepend;
        return read_text(n, f, "prepend");
    }
    if (strcmp(type, "Replace") == 0) {
        n->apply = apply_replace;
        n->after = heed__field_has(f, "after") && heed__field_bool(f, "after");
        const int rc = read_text(n, f, "content");
        return rc ? rc : read_pattern(n, f);
    }
    if (strcmp(type, "Sequence") == 0) {
        n->apply = apply_sequence;
        n->touch = heed__field_has(f, "touch") && heed__field_bool(f, "touch");
        const json_t *whole = n->touch ? json_object_get(f->object, "whole") : NULL;
        const bool any = whole && (!json_is_array(whole) || json_array_size(whole) > 0);
        if (any && !(n->map = heed__charsmap_kept(f, "whole", &n->hooks)))
            return f->err ? f->err->code : HEED_EFORMAT;
        return read_children(n, f, depth);
    }
    if (strcmp(type, "Precompiled") == 0) {
        const bool longest = /* ours alone; see sentencepiece.c */
            heed__field_has(f, "longest") && heed__field_bool(f, "longest");
        n->apply = longest ? apply_longest : apply_map;
        const char *map = heed__field_text(f, "precompiled_charsmap");
        if (f->status) return f->status;
        n->map = heed__charsmap_new(map, f->name, &n->hooks, f->err);
        if (!n->map) return f->err ? f->err->code : HEED_EFORMAT;
        return longest ? heed__charsmap_keep(n->map, f, "keep") : 0;
    }
    return heed__error(f->err, HEED_EUNSUPPORTED, "%s: there is no normalizer '%.60s'", f->name,
                       type);
}

static heed__norm *make(const json_t *object, const char *name, int depth, const heed_hooks *hooks,
                        heed_error *err) {
    heed_fields f = { .object = object, .name = name, .err = err };
    const char *type = heed__tok_part_type(&f, depth);
    if (!type) return NULL;
    heed__norm *n = heed__calloc(hooks, 1, sizeof *n);
    if (!n) {
        no_memory(err);
        return NULL;
    }
    if (hooks) n->hooks = *hooks;
    if (read_kind(n, &f, type, depth) == 0) return n;
    heed__norm_free(n);
    return NULL;
}

heed__norm *heed__norm_new(const json_t *object, const char *name, const heed_hooks *hooks,
                           heed_error *err) {
    heed_error unseen;
    return make(object, name, 0, hooks, err ? err : &unseen);
}
