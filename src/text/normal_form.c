/* normal_form.c: NFC, NFD, NFKC, NFKD.
 *
 * Decompositions and classes come from utf8proc; a character that is newer than the reference's
 * tables stays as it is. Which old character each new one stands for follows the reference: the
 * first character of a decomposition takes the old one's place, others are additions; a composed
 * one takes the place of as many as it swallowed. Marks that change their order keep their changes.
 */
#include "text/normal_form.h"

#include <utf8proc.h>

#include "text/unicode.h"

enum {
    LONGEST = 32,
    LONG = 64,
    S_FIRST = 0xAC00,
    S_LAST = 0xD7A3,
    V_FIRST = 0x1161,
    T_LAST = 0x11C2
};

static bool is_hangul(uint32_t code) {
    return code >= S_FIRST && code <= S_LAST;
}

static bool is_mark(uint32_t flags) {
    const uint32_t gc = flags & 31;
    return gc == HEED_UNI_MN || gc == HEED_UNI_MC || gc == HEED_UNI_ME;
}

static uint8_t class_of(uint32_t code, uint32_t flags) {
    if (!is_mark(flags) || flags & HEED_UNI_FRESH) return 0;
    return (uint8_t)utf8proc_get_property((utf8proc_int32_t)code)->combining_class;
}

/* Can this character be passed over whatever stands around it? */
static bool is_inert(uint32_t code, bool compose, bool compat) {
    if (code < (compose && !compat ? 0x300u : 0x80u)) return true;
    if (is_hangul(code)) return compose;
    if (code >= V_FIRST && code <= T_LAST) return false;
    const uint32_t flags = heed__uni(code);
    if (is_mark(flags)) return false;
    if (flags & HEED_UNI_FRESH) return true;
    return utf8proc_get_property((utf8proc_int32_t)code)->decomp_seqindex == UINT16_MAX;
}

static bool is_normal(const heed__span *a, bool compose, bool compat) {
    for (uint32_t at = heed__ascii_run(a->text, a->size) & ~(uint32_t)7, n = 0; at < a->size;
         at += n)
        if (!is_inert(heed__char_at(a->text + at, &n), compose, compat)) return false;
    return true;
}

bool heed__combines(uint32_t code) {
    return class_of(code, heed__uni(code)) != 0;
}

int heed__decompose(uint32_t code, uint32_t out[HEED_DECOMPOSED]) {
    utf8proc_int32_t part[HEED_DECOMPOSED];
    int boundary = 0;
    out[0] = code;
    if (code < 0xC0 || (code >= 0x3400 && code < 0xA000) || heed__uni_is(code, HEED_UNI_FRESH))
        return 1;
    const utf8proc_ssize_t len = utf8proc_decompose_char(
        (utf8proc_int32_t)code, part, HEED_DECOMPOSED, (utf8proc_option_t)UTF8PROC_DECOMPOSE,
        &boundary);
    for (utf8proc_ssize_t i = 0; i < len && i < HEED_DECOMPOSED; i++) out[i] = (uint32_t)part[i];
    return len < 1 ? 1 : len < HEED_DECOMPOSED ? (int)len : HEED_DECOMPOSED;
}

/* Decomposed characters in canonical order. */
typedef struct run {
    heed__tok_work *w;
    int64_t len, sorted; /* canon[sorted..len) wait for a character of class 0 */
    heed_error *err;
} run;

static void sort_marks(run *r) {
    struct heed__canon *c = r->w->canon;
    bool sorted = true;
    for (int64_t i = r->sorted + 1; i < r->len; i++) sorted &= c[i - 1].ccc <= c[i].ccc;
    if (!sorted && r->len - r->sorted < 64) {
        for (int64_t i = r->sorted + 1; i < r->len; i++) {
            const struct heed__canon x = c[i];
            int64_t k = i;
            for (; k > r->sorted && c[k - 1].ccc > x.ccc; k--) c[k] = c[k - 1];
            c[k] = x;
        }
    }
    r->sorted = r->len;
}

/* Very many marks in a row (at least LONG): counted by class, stable, linear. */
static int sort_long(run *r) {
    struct heed__canon *c = r->w->canon + r->sorted;
    const int64_t n = r->len - r->sorted;
    int64_t begin[257] = { 0 };
    struct heed__canon *copy = heed__tok_work_alloc(r->w, (size_t)n * sizeof *copy, r->err);
    if (!copy) return HEED_ENOMEM;
    for (int64_t i = 0; i < n; i++) begin[c[i].ccc + 1]++;
    for (int i = 0; i < 256; i++) begin[i + 1] += begin[i];
    for (int64_t i = 0; i < n; i++) copy[begin[c[i].ccc]++] = c[i];
    for (int64_t i = 0; i < n; i++) c[i] = copy[i];
    return 0;
}

static int push(run *r, uint32_t code, int32_t change) {
    const uint8_t ccc = class_of(code, heed__uni(code));
    heed__tok_work *w = r->w;
    if (ccc == 0) {
        if (r->len - r->sorted >= LONG && sort_long(r)) return HEED_ENOMEM;
        sort_marks(r);
    }
    if (r->len == w->canon_cap &&
        heed__grow(&w->hooks, &w->canon, &w->canon_cap, r->len + 1, sizeof *w->canon))
        return heed__error(r->err, HEED_ENOMEM, "tokenizer: out of memory");
    w->canon[r->len++] = (struct heed__canon){ code, change, ccc };
    if (ccc == 0) r->sorted = r->len;
    return 0;
}

static int decompose(run *r, const heed__span *a, bool compat) {
    const utf8proc_option_t options = (utf8proc_option_t)(UTF8PROC_DECOMPOSE |
                                                          (compat ? UTF8PROC_COMPAT : 0));
    for (uint32_t at = 0, n = 0; at < a->size; at += n) {
        const uint32_t code = heed__char_at(a->text + at, &n);
        utf8proc_int32_t part[LONGEST] = { (utf8proc_int32_t)code };
        utf8proc_ssize_t len = 1;
        int boundary = 0;
        if (code >= 0x80 && !heed__uni_is(code, HEED_UNI_FRESH))
            len = utf8proc_decompose_char((utf8proc_int32_t)code, part, LONGEST, options,
                                          &boundary);
        for (utf8proc_ssize_t i = 0; i < len && i < LONGEST; i++)
            if (push(r, (uint32_t)part[i], i > 0)) return HEED_ENOMEM;
    }
    if (r->len - r->sorted >= LONG && sort_long(r)) return HEED_ENOMEM;
    sort_marks(r);
    return 0;
}

/* The character that two make, or 0. */
static uint32_t join(uint32_t first, uint32_t second) {
    if (second < 0x300) return 0;
    const uint32_t flags = heed__uni(second);
    if (!is_mark(flags) && (second < V_FIRST || second > T_LAST)) return 0;
    if (flags & HEED_UNI_FRESH || heed__uni_is(first, HEED_UNI_FRESH)) return 0;
    utf8proc_int32_t pair[3] = { (utf8proc_int32_t)first, (utf8proc_int32_t)second, 0 };
    const utf8proc_ssize_t n = utf8proc_normalize_utf32(
        pair, 2, (utf8proc_option_t)(UTF8PROC_COMPOSE | UTF8PROC_STABLE));
    if (n != 1 || heed__uni_is((uint32_t)pair[0], HEED_UNI_FRESH)) return 0;
    return (uint32_t)pair[0];
}

/* Composes w->canon[0..len) into edits. Of one starter and its marks, those that stay wait in
 * canon[held..kept). */
static int compose_all(heed__tok_work *w, int64_t len, heed_error *err) {
    struct heed__canon *c = w->canon, starter = { 0 };
    bool started = false;
    int last = -1;
    int64_t kept = 0;
    for (int64_t i = 0; i < len; i++) {
        const struct heed__canon x = c[i];
        if (!started) {
            started = x.ccc == 0;
            if (started)
                starter = x;
            else if (heed__edit_add(w, x.code, x.change, err))
                return HEED_ENOMEM;
            continue;
        }
        const bool blocked = last >= 0 && last >= x.ccc;
        const uint32_t joined = blocked ? 0 : join(starter.code, x.code);
        if (joined) {
            starter.code = joined;
            starter.change += x.change - 1;
        } else if (x.ccc == 0) {
            if (heed__edit_add(w, starter.code, starter.change, err)) return HEED_ENOMEM;
            for (int64_t k = 0; k < kept; k++)
                if (heed__edit_add(w, c[k].code, c[k].change, err)) return HEED_ENOMEM;
            kept = 0;
            last = -1;
            starter = x;
        } else {
            c[kept++] = x; /* kept <= i: what it overwrites is done with */
            last = x.ccc;
        }
    }
    if (started && heed__edit_add(w, starter.code, starter.change, err)) return HEED_ENOMEM;
    for (int64_t k = 0; k < kept; k++)
        if (heed__edit_add(w, c[k].code, c[k].change, err)) return HEED_ENOMEM;
    return 0;
}

int heed__normal_form(heed__tok_work *w, heed__span *a, bool compose, bool compat,
                      heed_error *err) {
    if (is_normal(a, compose, compat)) return 0;
    run r = { .w = w, .err = err };
    if (decompose(&r, a, compat)) return HEED_ENOMEM;
    w->edit_len = 0;
    if (compose) {
        if (compose_all(w, r.len, err)) return HEED_ENOMEM;
    } else {
        for (int64_t i = 0; i < r.len; i++)
            if (heed__edit_add(w, w->canon[i].code, w->canon[i].change, err)) return HEED_ENOMEM;
    }
    return heed__span_edit(w, a, 0, err);
}
