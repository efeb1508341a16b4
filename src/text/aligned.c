/* aligned.c: text whose bytes know where they come from. */
#include "text/aligned.h"

#include <string.h>

#include "text/letters.h"
#include "text/regex.h"

/* A text that becomes longer than this is the work of patterns that are made for it. */
enum { GROWN_LEAST = 1 << 20, GROWN_TIMES = 64 };

static int no_memory(heed_error *err) {
    return heed__error(err, HEED_ENOMEM, "tokenizer: out of memory");
}

void heed__tok_work_init(heed__tok_work *w, const heed_hooks *hooks) {
    memset(w, 0, sizeof *w);
    if (hooks) w->hooks = *hooks;
    heed__arena_init(&w->arena, hooks);
    heed__tok_work_begin(w, 0);
}

void heed__tok_work_free(heed__tok_work *w) {
    heed__arena_free(&w->arena);
    heed__free(&w->hooks, w->split.item);
    heed__free(&w->hooks, w->next.item);
    heed__free(&w->hooks, w->edit);
    heed__free(&w->hooks, w->match);
    heed__free(&w->hooks, w->canon);
    heed__regex_scratch_free(w->regex);
}

void heed__tok_work_begin(heed__tok_work *w, size_t size) {
    w->most = GROWN_LEAST + (uint64_t)size * GROWN_TIMES;
    if (w->most > INT32_MAX) w->most = INT32_MAX;
}

void heed__tok_work_reset(heed__tok_work *w) {
    heed__arena_reset(&w->arena);
    w->split.len = w->next.len = w->edit_len = w->match_len = 0;
}

void *heed__tok_work_alloc(heed__tok_work *w, size_t size, heed_error *err) {
    void *memory = heed__arena_alloc(&w->arena, size ? size : 1);
    if (!memory) no_memory(err);
    return memory;
}

static bool is_inside(char c) {
    return ((unsigned char)c & 0xC0u) == 0x80u;
}

heed__place heed__span_at(const heed__span *a, uint32_t i) {
    if (a->at) return a->at[i];
    uint32_t begin = i, end = i + 1;
    while (begin > 0 && is_inside(a->text[begin])) begin--;
    while (end < a->size && is_inside(a->text[end])) end++;
    return (heed__place){ a->origin + begin, a->origin + end };
}

heed__place heed__span_place(const heed__span *a, uint32_t begin, uint32_t end) {
    if (begin == end && begin < a->size && a->at) /* a byte of a word, as SentencePiece has it */
        return (heed__place){ a->at[begin].begin, a->at[begin].begin };
    if (begin == end) return (heed__place){ a->shift + begin, a->shift + begin };
    return (heed__place){ heed__span_at(a, begin).begin, heed__span_at(a, end - 1).end };
}

heed__span heed__span_slice(const heed__span *a, uint32_t begin, uint32_t end) {
    heed__span s = { .text = a->text + begin, .size = end - begin };
    if (a->at) s.at = a->at + begin;
    s.origin = a->origin + begin;
    s.shift = begin == end ? a->shift + begin : a->at ? a->at[begin].begin : s.origin;
    return s;
}

int heed__edit_add(heed__tok_work *w, uint32_t code, int32_t change, heed_error *err) {
    if (w->edit_len == w->edit_cap &&
        heed__grow(&w->hooks, &w->edit, &w->edit_cap, w->edit_len + 1, sizeof *w->edit))
        return no_memory(err);
    w->edit[w->edit_len++] = (heed__edit){ code, change };
    return 0;
}

int heed__match_add(heed__tok_work *w, size_t begin, size_t end, bool is, heed_error *err) {
    if (w->match_len == w->match_cap &&
        heed__grow(&w->hooks, &w->match, &w->match_cap, w->match_len + 1, sizeof *w->match))
        return no_memory(err);
    w->match[w->match_len++] = (struct heed__match){ (uint32_t)begin, (uint32_t)end, is };
    return 0;
}

int heed__split_add(heed__tok_work *w, const heed__span *a, int32_t token, heed_error *err) {
    heed__splits *s = &w->next;
    if (a->size == 0) return 0;
    if (s->len == s->cap && heed__grow(&w->hooks, &s->item, &s->cap, s->len + 1, sizeof *s->item))
        return no_memory(err);
    s->item[s->len++] = (heed__split){ *a, token };
    return 0;
}

/* Room for a text of `size` bytes. */
static int make(heed__tok_work *w, uint64_t size, char **text, heed__place **at, heed_error *err) {
    if (size > w->most)
        return heed__error(err, HEED_EUNSUPPORTED, "a text that normalization makes too long");
    *text = heed__tok_work_alloc(w, (size_t)size, err);
    if (*text && at) *at = heed__tok_work_alloc(w, (size_t)size * sizeof **at, err);
    return *text && (!at || *at) ? 0 : HEED_ENOMEM;
}

/* Are the edits one character for each old one, of as many bytes? Then bytes stay where they are.
 */
static bool stays(const heed__tok_work *w, const heed__span *a, bool *same) {
    uint32_t at = 0, n = 0;
    *same = true;
    for (int64_t i = 0; i < w->edit_len; i++) {
        if (w->edit[i].change != 0 || at >= a->size) return false;
        const uint32_t old = heed__char_at(a->text + at, &n);
        if (heed__char_size(w->edit[i].code) != n) return false;
        *same &= old == w->edit[i].code;
        at += n;
    }
    return at == a->size;
}

static uint32_t pass(const heed__span *a, uint32_t at, int64_t chars) {
    for (uint32_t n = 0; chars > 0 && at < a->size; chars--, at += n)
        heed__char_at(a->text + at, &n);
    return at;
}

int heed__span_edit(heed__tok_work *w, heed__span *a, int64_t skipped, heed_error *err) {
    bool same = false;
    const bool still = skipped == 0 && stays(w, a, &same);
    if (still && same) return 0;
    uint64_t size = 0;
    for (int64_t i = 0; i < w->edit_len; i++)
        size += heed__char_size(w->edit[i].code & ~HEED_EDIT_SAME);
    char *text;
    heed__place *at = NULL;
    const int rc = make(w, size, &text, still ? NULL : &at, err);
    if (rc) return rc;
    uint32_t from = pass(a, 0, skipped), to = 0;
    heed__place before = { a->shift, a->shift }; /* of the last character passed over */
    if (from > 0) before = heed__span_at(a, from - 1);
    heed__place last = before; /* of the new character before */
    for (int64_t i = 0; i < w->edit_len; i++) {
        heed__edit e = w->edit[i];
        heed__place p = before;
        if (e.code & HEED_EDIT_SAME) {
            e.code &= ~HEED_EDIT_SAME;
            p = last;
            from = pass(a, from, -(int64_t)e.change);
        } else if (e.change <= 0 && from < a->size) {
            uint32_t n;
            heed__char_at(a->text + from, &n);
            p = a->at ? a->at[from] : (heed__place){ a->origin + from, a->origin + from + n };
            before = a->at ? a->at[from + n - 1] : p;
            from += n;
            if (e.change < 0) {
                from = pass(a, from, -(int64_t)e.change);
                before = heed__span_at(a, from - 1);
            }
        }
        const size_t n = heed__utf8_put(e.code, text + to);
        for (size_t k = 0; !still && k < n; k++) at[to + k] = p;
        to += (uint32_t)n;
        last = p;
    }
    a->text = text;
    a->size = to;
    if (!still) a->at = at;
    return 0;
}

int heed__span_touch(heed__tok_work *w, heed__span *a, uint32_t end, heed_error *err) {
    if (a->size == 0) return 0;
    heed__place *at = heed__tok_work_alloc(w, a->size * sizeof *at, err);
    if (!at) return HEED_ENOMEM;
    uint32_t begin = heed__span_at(a, 0).begin;
    for (uint32_t i = 0, n = 0; i < a->size; i += n) {
        heed__char_at(a->text + i, &n);
        const uint32_t next = i + n < a->size ? heed__span_at(a, i + n).begin : end;
        for (uint32_t k = 0; k < n; k++)
            at[i + k] = (heed__place){ begin, k + 1 < n || next < begin ? begin : next };
        begin = next;
    }
    a->at = at;
    return 0;
}

/* Text before (at_end: after) what is there, standing for `place`. */
static int join(heed__tok_work *w, heed__span *a, heed_bytes text, bool at_end, heed__place place,
                heed_error *err) {
    if (text.size == 0) return 0;
    char *joined;
    heed__place *at;
    const int rc = make(w, (uint64_t)a->size + text.size, &joined, &at, err);
    if (rc) return rc;
    const size_t old = at_end ? 0 : text.size, new = at_end ? a->size : 0;
    memcpy(joined + new, text.data, text.size);
    memcpy(joined + old, a->text, a->size);
    for (size_t i = 0; i < text.size; i++) at[new + i] = place;
    if (a->at) {
        memcpy(at + old, a->at, a->size * sizeof *at);
    } else {
        for (uint32_t i = 0, n = 0; i < a->size; i += n) {
            heed__char_at(a->text + i, &n);
            for (uint32_t k = 0; k < n; k++)
                at[old + i + k] = (heed__place){ a->origin + i, a->origin + i + n };
        }
    }
    a->text = joined;
    a->at = at;
    a->size += (uint32_t)text.size;
    return 0;
}

int heed__span_prepend(heed__tok_work *w, heed__span *a, const char *text, size_t size,
                       heed_error *err) {
    if (a->size == 0) return 0;
    return join(w, a, (heed_bytes){ text, size }, false, heed__span_at(a, 0), err);
}

int heed__span_append(heed__tok_work *w, heed__span *a, uint32_t from, heed_bytes text,
                      heed_error *err) {
    if (a->size == 0) return 0;
    const uint32_t end = from ? heed__span_at(a, from - 1).end : heed__span_at(a, 0).begin;
    *a = heed__span_slice(a, 0, from);
    return join(w, a, text, true, (heed__place){ end, end }, err);
}

int heed__span_replace(heed__tok_work *w, heed__span *a, const char *content, size_t size,
                       heed_error *err) {
    uint64_t sum = a->size, found = 0;
    for (int64_t i = 0; i < w->match_len; i++) {
        if (!w->match[i].is) continue;
        sum += size;
        sum -= w->match[i].end - w->match[i].begin;
        found++;
    }
    if (!found) return 0;
    char *text;
    heed__place *at;
    const int rc = make(w, sum, &text, &at, err);
    if (rc) return rc;
    uint32_t to = 0;
    for (int64_t i = 0; i < w->match_len; i++) {
        const struct heed__match m = w->match[i];
        if (m.is) {
            heed__place p = { a->shift, a->shift };
            if (m.end > 0) p = heed__span_at(a, m.end - 1);
            memcpy(text + to, content, size);
            for (size_t k = 0; k < size; k++) at[to++] = p;
        } else {
            memcpy(text + to, a->text + m.begin, m.end - m.begin);
            for (uint32_t k = m.begin; k < m.end; k++) at[to++] = heed__span_at(a, k);
        }
    }
    a->text = text;
    a->at = at;
    a->size = to;
    return 0;
}

int heed__span_filter(heed__tok_work *w, heed__span *a, bool (*keep)(uint32_t code),
                      heed_error *err) {
    uint32_t n = 0, at = 0;
    while (at < a->size && keep(heed__char_at(a->text + at, &n))) at += n;
    if (at == a->size) return 0;
    int64_t skipped = 0;
    int32_t removed = 0;
    w->edit_len = 0;
    for (at = 0; at < a->size; at += n) {
        const uint32_t code = heed__char_at(a->text + at, &n);
        if (!keep(code)) {
            removed++;
            continue;
        }
        if (w->edit_len)
            w->edit[w->edit_len - 1].change = -removed;
        else
            skipped = removed;
        removed = 0;
        if (heed__edit_add(w, code, 0, err)) return HEED_ENOMEM;
    }
    if (w->edit_len) w->edit[w->edit_len - 1].change = -removed;
    return heed__span_edit(w, a, skipped, err);
}

int heed__span_map(heed__tok_work *w, heed__span *a, uint32_t (*map)(uint32_t code),
                   heed_error *err) {
    uint32_t n = 0, at = 0;
    for (uint32_t code; at < a->size; at += n) {
        code = heed__char_at(a->text + at, &n);
        if (map(code) != code) break;
    }
    if (at == a->size) return 0;
    w->edit_len = 0;
    for (at = 0; at < a->size; at += n)
        if (heed__edit_add(w, map(heed__char_at(a->text + at, &n)), 0, err)) return HEED_ENOMEM;
    return heed__span_edit(w, a, 0, err);
}

uint32_t heed__byte_char(unsigned char b) {
    if (b <= 0x20) return 256u + b;
    if (b >= 0x7F && b <= 0xA0) return 256u + 33 + (b - 0x7Fu);
    return b == 0xAD ? 256u + 67 : b;
}

int heed__char_byte(uint32_t code) {
    if (code < 256) {
        const unsigned char b = (unsigned char)code;
        return heed__byte_char(b) == code ? b : -1;
    }
    if (code <= 256 + 32) return (int)(code - 256);
    if (code < 256 + 67) return (int)(code - 256 - 33 + 0x7F);
    return code == 256 + 67 ? 0xAD : -1;
}

int heed__span_bytes(heed__tok_work *w, heed__span *a, heed_error *err) {
    w->edit_len = 0;
    for (uint32_t at = 0; at < a->size; at++) {
        const unsigned char b = (unsigned char)a->text[at];
        if (heed__edit_add(w, heed__byte_char(b), is_inside(a->text[at]), err)) return HEED_ENOMEM;
    }
    return heed__span_edit(w, a, 0, err);
}

size_t heed__ascii_run(const char *text, size_t size) {
    size_t at = 0;
    for (; at + 8 <= size; at += 8) {
        uint64_t word;
        memcpy(&word, text + at, 8);
        if (word & 0x8080808080808080u) break;
    }
    while (at < size && (unsigned char)text[at] < 0x80) at++;
    return at;
}
