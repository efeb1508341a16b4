/* tok_decode.c: decoders. Each takes a list of texts, one for each token at first, and leaves
 * another. */
#include "text/tok_decode.h"

#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "text/letters.h"
#include "text/regex.h"
#include "text/tok_pre.h"
#include "text/tok_json.h"

typedef int (*decode_fn)(const heed__tok_decoder *d, heed__tok_work *w, heed__texts *t,
                         heed_error *err);

/* Which tokens lose a space that they begin with: as the reference has it; none, the first, or all
 * until there is text, as SentencePiece has it. */
typedef enum leading { AS_REFERENCE, NONE, ONE, ALL } leading;

struct heed__tok_decoder {
    heed_hooks hooks;
    decode_fn run;
    char *text[2]; /* prefix; suffix; content; pad_token, word_delimiter_token */
    size_t size[2];
    bool cleanup, never;
    bool each;       /* ByteFallback: ours alone, as leading is; see sentencepiece.c */
    leading leading; /* Metaspace */
    uint32_t code;   /* Metaspace's replacement, Strip's content */
    int64_t start, stop;
    heed__regex *regex;
    heed__tok_decoder **child;
    int64_t children;
};

static int no_memory(heed_error *err) {
    return heed__error(err, HEED_ENOMEM, "tokenizer: out of memory");
}

void heed__tok_decoder_free(heed__tok_decoder *d) {
    if (!d) return;
    const heed_hooks hooks = d->hooks;
    for (int64_t i = 0; i < d->children; i++) heed__tok_decoder_free(d->child[i]);
    heed__free(&hooks, d->child);
    heed__free(&hooks, d->text[0]);
    heed__free(&hooks, d->text[1]);
    heed__regex_free(d->regex);
    heed__free(&hooks, d);
}

int heed__tok_decoder_run(const heed__tok_decoder *d, heed__tok_work *w, heed__texts *t,
                          heed_error *err) {
    return d->run(d, w, t, err);
}

/* -- helpers ---------------------------------------------------------------------------------- */

/* Every `from` in the text becomes `to`; an empty `from` stands between all characters. */
static int replace(heed__tok_work *w, heed_bytes *x, const char *from, const char *to,
                   heed_error *err) {
    const size_t n = strlen(from), m = strlen(to);
    int64_t found = n ? 0 : heed__char_count(x->data, x->size) + 1;
    for (const char *p = x->data, *end = p + x->size;
         n && (p = memmem(p, (size_t)(end - p), from, n)) != NULL; p += n)
        found++;
    if (found == 0) return 0;
    char *out = heed__tok_work_alloc(w, x->size + (size_t)found * m, err);
    if (!out) return HEED_ENOMEM;
    size_t size = 0;
    for (size_t at = 0; at <= x->size;) {
        uint32_t step = 1;
        const bool here = n ? x->size - at >= n && memcmp(x->data + at, from, n) == 0 : true;
        if (here) {
            memcpy(out + size, to, m);
            size += m;
            at += n;
            if (n) continue;
        }
        if (at >= x->size) break;
        if (!n) heed__char_at(x->data + at, &step);
        memcpy(out + size, x->data + at, step);
        size += step;
        at += step;
    }
    *x = (heed_bytes){ out, size };
    return 0;
}

/* English punctuation moves up to the word before it. */
static int clean_up(heed__tok_work *w, heed_bytes *x, heed_error *err) {
    static const char *const rules[][2] = {
        { " .", "." },   { " ?", "?" },     { " !", "!" },     { " ,", "," },
        { " ' ", "'" },  { " n't", "n't" }, { " 'm", "'m" },   { " do not", " don't" },
        { " 's", "'s" }, { " 've", "'ve" }, { " 're", "'re" },
    };
    if (!memchr(x->data, ' ', x->size)) return 0;
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (replace(w, x, rules[i][0], rules[i][1], err)) return HEED_ENOMEM;
    return 0;
}

/* -- what each does --------------------------------------------------------------------------- */

static int run_sequence(const heed__tok_decoder *d, heed__tok_work *w, heed__texts *t,
                        heed_error *err) {
    int rc = 0;
    for (int64_t i = 0; rc == 0 && i < d->children; i++)
        rc = heed__tok_decoder_run(d->child[i], w, t, err);
    return rc;
}

static int run_wordpiece(const heed__tok_decoder *d, heed__tok_work *w, heed__texts *t,
                         heed_error *err) {
    for (int64_t i = 0; i < t->len; i++) {
        heed_bytes *x = &t->item[i];
        if (i > 0 && x->size >= d->size[0] && memcmp(x->data, d->text[0], d->size[0]) == 0) {
            x->data += d->size[0];
            x->size -= d->size[0];
        } else if (i > 0) {
            char *copy = heed__tok_work_alloc(w, x->size + 1, err);
            if (!copy) return HEED_ENOMEM;
            copy[0] = ' ';
            memcpy(copy + 1, x->data, x->size);
            *x = (heed_bytes){ copy, x->size + 1 };
        }
        if (d->cleanup && clean_up(w, x, err)) return HEED_ENOMEM;
    }
    return 0;
}

/* Bytes of a piece of ill-formed text that one replacement character stands for; 0: well-formed,
 * *n bytes. */
static size_t broken(const unsigned char *t, size_t size, size_t *n) {
    *n = heed__utf8_next((const char *)t, size, NULL);
    if (*n) return 0;
    const unsigned char c = t[0];
    const size_t want = c >= 0xC2 && c < 0xE0   ? 2
                        : c >= 0xE0 && c < 0xF0 ? 3
                        : c >= 0xF0 && c < 0xF5 ? 4
                                                : 1;
    const unsigned char low = c == 0xE0 ? 0xA0 : c == 0xF0 ? 0x90 : 0x80;
    const unsigned char high = c == 0xED ? 0x9F : c == 0xF4 ? 0x8F : 0xBF;
    size_t k = 1;
    if (k < want && k < size && t[1] >= low && t[1] <= high)
        for (k = 2; k < want && k < size && (t[k] & 0xC0) == 0x80;) k++;
    return k;
}

static int lossy(heed__tok_work *w, heed_bytes *x, heed_error *err) {
    if (heed__utf8_check(x->data, x->size) == x->size) return 0;
    char *out = heed__tok_work_alloc(w, x->size * 3, err);
    if (!out) return HEED_ENOMEM;
    size_t size = 0, n = 0;
    for (size_t at = 0; at < x->size;) {
        const size_t bad = broken((const unsigned char *)x->data + at, x->size - at, &n);
        memcpy(out + size, bad ? "\xEF\xBF\xBD" : x->data + at, bad ? 3 : n);
        size += bad ? 3 : n;
        at += bad ? bad : n;
    }
    *x = (heed_bytes){ out, size };
    return 0;
}

static int run_bytes(const heed__tok_decoder *d, heed__tok_work *w, heed__texts *t,
                     heed_error *err) {
    (void)d;
    size_t total = 0, size = 0;
    for (int64_t i = 0; i < t->len; i++) total += t->item[i].size;
    char *out = heed__tok_work_alloc(w, total, err);
    if (!out) return HEED_ENOMEM;
    for (int64_t i = 0; i < t->len; i++) {
        const heed_bytes x = t->item[i];
        const size_t begin = size;
        uint32_t n = 0;
        size_t at = 0;
        for (; at < x.size; at += n) {
            const int byte = heed__char_byte(heed__char_at(x.data + at, &n));
            if (byte < 0) break;
            out[size++] = (char)byte;
        }
        if (at == x.size) continue;
        memcpy(out + begin, x.data, x.size); /* not of the alphabet: as it stands */
        size = begin + x.size;
    }
    heed_bytes *one = heed__tok_work_alloc(w, sizeof *one, err);
    if (!one) return HEED_ENOMEM;
    *one = (heed_bytes){ out, size };
    *t = (heed__texts){ one, 1 };
    return lossy(w, one, err);
}

/* From byte `at` on, with `space`, of one byte or none, for each mark of a space. */
static int unmark(const heed__tok_decoder *d, heed__tok_work *w, heed_bytes *x, size_t at,
                  const char *space, heed_error *err) {
    char *out = heed__tok_work_alloc(w, x->size, err);
    if (!out) return HEED_ENOMEM;
    const uint32_t width = space[0] ? 1 : 0;
    size_t size = 0;
    for (uint32_t n = 0; at < x->size; at += n) {
        const bool mark = heed__char_at(x->data + at, &n) == d->code;
        memcpy(out + size, mark ? space : x->data + at, mark ? width : n);
        size += mark ? width : n;
    }
    *x = (heed_bytes){ out, size };
    return 0;
}

/* A token loses the space that it begins with: the first of all, or each until there is text. */
static int run_leading(const heed__tok_decoder *d, heed__tok_work *w, heed__texts *t,
                       heed_error *err) {
    bool first = d->leading != NONE;
    for (int64_t i = 0; i < t->len; i++) {
        heed_bytes *x = &t->item[i];
        uint32_t n = 0;
        const bool begins = x->size > 0 && heed__char_at(x->data, &n) == d->code;
        if (unmark(d, w, x, first && begins ? n : 0, " ", err)) return HEED_ENOMEM;
        first &= x->size == 0 && !(begins && d->leading == ONE);
    }
    return 0;
}

static int run_metaspace(const heed__tok_decoder *d, heed__tok_work *w, heed__texts *t,
                         heed_error *err) {
    if (d->leading) return run_leading(d, w, t, err);
    for (int64_t i = 0; i < t->len; i++)
        if (unmark(d, w, &t->item[i], 0, i > 0 || d->never ? " " : "", err)) return HEED_ENOMEM;
    return 0;
}

static int run_bpe(const heed__tok_decoder *d, heed__tok_work *w, heed__texts *t, heed_error *err) {
    for (int64_t i = 0; i < t->len; i++)
        if (replace(w, &t->item[i], d->text[0], i == t->len - 1 ? "" : " ", err))
            return HEED_ENOMEM;
    return 0;
}

static int hex(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    c = (char)(c | 32);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The byte that <0xAB> stands for, or -1. */
static int fallback_byte(const heed_bytes *x) {
    if (x->size != 6 || memcmp(x->data, "<0x", 3) != 0 || x->data[5] != '>') return -1;
    const int low = hex(x->data[4]), high = x->data[3] == '+' ? 0 : hex(x->data[3]);
    return low < 0 || high < 0 ? -1 : high * 16 + low;
}

/* Runs of such tokens become their characters, or as many replacement characters. */
static int run_fallback(const heed__tok_decoder *d, heed__tok_work *w, heed__texts *t,
                        heed_error *err) {
    int64_t out = 0;
    for (int64_t i = 0; i < t->len;) {
        int64_t end = i;
        while (end < t->len && fallback_byte(&t->item[end]) >= 0) end++;
        if (end == i) {
            t->item[out++] = t->item[i++];
            continue;
        }
        char *bytes = heed__tok_work_alloc(w, (size_t)(end - i), err);
        if (!bytes) return HEED_ENOMEM;
        for (int64_t k = i; k < end; k++) bytes[k - i] = (char)fallback_byte(&t->item[k]);
        const size_t size = (size_t)(end - i);
        if (heed__utf8_check(bytes, size) == size) {
            t->item[out++] = (heed_bytes){ bytes, size };
        } else if (d->each) {
            for (size_t at = 0, n; at < size; at += n) {
                n = heed__utf8_next(bytes + at, size - at, NULL);
                t->item[out++] = n ? (heed_bytes){ bytes + at, n }
                                   : (heed_bytes){ "\xEF\xBF\xBD", 3 };
                n += n == 0;
            }
        } else {
            for (; i < end; i++) t->item[out++] = (heed_bytes){ "\xEF\xBF\xBD", 3 };
        }
        i = end;
    }
    t->len = out;
    return 0;
}

static int run_fuse(const heed__tok_decoder *d, heed__tok_work *w, heed__texts *t,
                    heed_error *err) {
    (void)d;
    size_t total = 0, size = 0;
    for (int64_t i = 0; i < t->len; i++) total += t->item[i].size;
    char *out = heed__tok_work_alloc(w, total, err);
    heed_bytes *one = out ? heed__tok_work_alloc(w, sizeof *one, err) : NULL;
    if (!one) return HEED_ENOMEM;
    for (int64_t i = 0; i < t->len; i++) {
        memcpy(out + size, t->item[i].data, t->item[i].size);
        size += t->item[i].size;
    }
    *one = (heed_bytes){ out, size };
    *t = (heed__texts){ one, 1 };
    return 0;
}

static int run_strip(const heed__tok_decoder *d, heed__tok_work *w, heed__texts *t,
                     heed_error *err) {
    char put[4];
    (void)w, (void)err;
    const size_t n = heed__utf8_put(d->code, put);
    for (int64_t i = 0; i < t->len; i++) {
        heed_bytes *x = &t->item[i];
        const char *begin = x->data, *end = x->data + x->size;
        for (int64_t k = 0; k < d->start && (size_t)(end - begin) >= n; k++) {
            if (memcmp(begin, put, n) != 0) break;
            begin += n;
        }
        for (int64_t k = 0; k < d->stop && (size_t)(end - begin) >= n; k++) {
            if (memcmp(end - n, put, n) != 0) break;
            end -= n;
        }
        *x = (heed_bytes){ begin, (size_t)(end - begin) };
    }
    return 0;
}

static int run_replace(const heed__tok_decoder *d, heed__tok_work *w, heed__texts *t,
                       heed_error *err) {
    for (int64_t i = 0; i < t->len; i++) {
        heed_bytes *x = &t->item[i];
        if (x->size > INT32_MAX)
            return heed__error(err, HEED_EUNSUPPORTED, "a text longer than 2147483647 bytes");
        const int rc = heed__regex_all(d->regex, w, x->data, (uint32_t)x->size, err);
        if (rc) return rc;
        size_t total = x->size, size = 0;
        for (int64_t k = 0; k < w->match_len; k++) total += w->match[k].is ? d->size[0] : 0;
        char *out = heed__tok_work_alloc(w, total, err);
        if (!out) return HEED_ENOMEM;
        for (int64_t k = 0; k < w->match_len; k++) {
            const struct heed__match m = w->match[k];
            const size_t n = m.is ? d->size[0] : m.end - m.begin;
            memcpy(out + size, m.is ? d->text[0] : x->data + m.begin, n);
            size += n;
        }
        *x = (heed_bytes){ out, size };
    }
    return 0;
}

/* Connectionist temporal classification: equal neighbours are one, padding is nothing. */
static int run_ctc(const heed__tok_decoder *d, heed__tok_work *w, heed__texts *t, heed_error *err) {
    int64_t out = 0;
    heed_bytes last = { NULL, 0 };
    for (int64_t i = 0; i < t->len; i++) {
        heed_bytes x = t->item[i];
        if (last.data && x.size == last.size && memcmp(x.data, last.data, x.size) == 0) continue;
        last = x;
        if (d->size[0] > 0 && replace(w, &x, d->text[0], "", err)) return HEED_ENOMEM;
        if (d->cleanup && (clean_up(w, &x, err) || replace(w, &x, d->text[1], " ", err)))
            return HEED_ENOMEM;
        if (x.size > 0) t->item[out++] = x;
    }
    t->len = out;
    return 0;
}

/* -- reading ---------------------------------------------------------------------------------- */

static heed__tok_decoder *make(const json_t *object, const char *name, int depth,
                               const heed_hooks *hooks, heed_error *err);

static int read_text(heed__tok_decoder *d, heed_fields *f, int i, const char *key) {
    const char *text = heed__field_text(f, key);
    if (f->status) return f->status;
    d->size[i] = strlen(text);
    d->text[i] = heed__strdup(&d->hooks, text);
    return d->text[i] ? 0 : no_memory(f->err);
}

static int read_children(heed__tok_decoder *d, heed_fields *f, int depth) {
    const json_t *list = json_object_get(f->object, "decoders");
    const size_t len = json_array_size(list);
    if (!json_is_array(list))
        return heed__error(f->err, HEED_EFORMAT, "%s: decoders is no list", f->name);
    d->child = heed__calloc(&d->hooks, len ? len : 1, sizeof *d->child);
    if (!d->child) return no_memory(f->err);
    for (size_t i = 0; i < len; i++) {
        char name[200];
        heed__format(name, sizeof name, "%s[%zu]", f->name, i);
        d->child[i] = make(json_array_get(list, i), name, depth + 1, &d->hooks, f->err);
        if (!d->child[i]) return f->err->code;
        d->children++;
    }
    return 0;
}

static int read_replace(heed__tok_decoder *d, heed_fields *f) {
    const json_t *p = json_object_get(f->object, "pattern");
    const json_t *text = json_object_get(p, "String");
    const json_t *use = text ? text : json_object_get(p, "Regex");
    if (read_text(d, f, 0, "content")) return f->err->code;
    if (!json_is_string(use))
        return heed__error(f->err, HEED_EFORMAT, "%s: pattern is neither String nor Regex",
                           f->name);
    d->regex = heed__regex_new(json_string_value(use), json_string_length(use), text != NULL,
                               f->name, &d->hooks, f->err);
    return d->regex ? 0 : f->err->code;
}

static int read_leading(heed__tok_decoder *d, heed_fields *f) {
    static const char *const names[] = { [NONE] = "none", [ONE] = "one", [ALL] = "all" };
    const char *text = heed__field_text(f, "leading");
    if (f->status) return f->status;
    for (d->leading = NONE; d->leading <= ALL; d->leading++)
        if (strcmp(text, names[d->leading]) == 0) return 0;
    return heed__error(f->err, HEED_EUNSUPPORTED, "%s: there is no leading '%.60s'", f->name, text);
}

static int read_fields(heed__tok_decoder *d, heed_fields *f, int depth) {
    if (d->run == run_sequence) return read_children(d, f, depth);
    if (d->run == run_replace) return read_replace(d, f);
    if (d->run == run_bpe) return read_text(d, f, 0, "suffix");
    if (d->run == run_wordpiece) {
        d->cleanup = heed__field_bool(f, "cleanup");
        return read_text(d, f, 0, "prefix");
    }
    if (d->run == run_ctc) {
        d->cleanup = heed__field_bool(f, "cleanup");
        const int rc = read_text(d, f, 0, "pad_token");
        return rc ? rc : read_text(d, f, 1, "word_delimiter_token");
    }
    if (d->run == run_strip) {
        d->start = heed__field_int(f, "start", 0, INT32_MAX);
        d->stop = heed__field_int(f, "stop", 0, INT32_MAX);
        d->code = heed__pre_char(f->object, "content", f->name, f->err);
        return d->code ? f->status : f->err->code;
    }
    if (d->run == run_metaspace) {
        d->code = heed__pre_char(f->object, "replacement", f->name, f->err);
        if (!d->code) return f->err->code;
        d->never = json_is_false(json_object_get(f->object, "add_prefix_space"));
        if (heed__field_has(f, "prepend_scheme"))
            d->never = strcmp(heed__field_text(f, "prepend_scheme"), "never") == 0;
        if (heed__field_has(f, "leading")) return read_leading(d, f);
    }
    if (d->run == run_fallback) d->each = heed__field_has(f, "each") && heed__field_bool(f, "each");
    return f->status;
}

static heed__tok_decoder *make(const json_t *object, const char *name, int depth,
                               const heed_hooks *hooks, heed_error *err) {
    static const struct {
        const char *type;
        decode_fn run;
    } kinds[] = {
        { "Sequence", run_sequence }, { "WordPiece", run_wordpiece },
        { "ByteLevel", run_bytes },   { "Metaspace", run_metaspace },
        { "BPEDecoder", run_bpe },    { "ByteFallback", run_fallback },
        { "Fuse", run_fuse },         { "Strip", run_strip },
        { "Replace", run_replace },   { "CTC", run_ctc },
    };
    heed_fields f = { .object = object, .name = name, .err = err };
    const char *type = heed__tok_part_type(&f, depth);
    size_t i = 0;
    if (!type) return NULL;
    while (i < sizeof kinds / sizeof *kinds && strcmp(type, kinds[i].type) != 0) i++;
    if (i == sizeof kinds / sizeof *kinds) {
        heed__error(err, HEED_EUNSUPPORTED, "%s: there is no decoder '%.60s'", name, type);
        return NULL;
    }
    heed__tok_decoder *d = heed__calloc(hooks, 1, sizeof *d);
    if (!d) {
        no_memory(err);
        return NULL;
    }
    if (hooks) d->hooks = *hooks;
    d->run = kinds[i].run;
    if (read_fields(d, &f, depth) == 0) return d;
    heed__tok_decoder_free(d);
    return NULL;
}

heed__tok_decoder *heed__tok_decoder_new(const json_t *object, const char *name,
                                         const heed_hooks *hooks, heed_error *err) {
    heed_error unseen;
    return make(object, name, 0, hooks, err ? err : &unseen);
}
