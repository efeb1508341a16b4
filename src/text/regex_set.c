/* regex_set.c: sets of code points, and how PCRE2 is told of them.
 *
 * PCRE2's own tables are older than those of the reference, but what has been assigned once stays:
 * a general category that is wholly in a set is written as \p{..}, which is quick, followed by the
 * characters of it that came later. Everything else is written as ranges.
 */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "text/regex.h"
#include "text/unicode.h"

enum { LAST = 0x10FFFF };

void heed__set_free(heed__set *s) {
    heed__free(s->hooks, s->range);
    s->range = NULL;
    s->len = s->cap = 0;
}

void heed__set_add(heed__set *s, uint32_t first, uint32_t last) {
    if (s->failed || first > last) return;
    if (s->len == s->cap &&
        heed__grow(s->hooks, &s->range, &s->cap, s->len + 1, sizeof *s->range)) {
        s->failed = true;
        return;
    }
    s->range[s->len++] = (heed__uni_range){ first, last };
}

static int by_first(const void *a, const void *b) {
    const uint32_t x = ((const heed__uni_range *)a)->first, y = ((const heed__uni_range *)b)->first;
    return (x > y) - (x < y);
}

static void tidy(heed__set *s) {
    int64_t n = 1;
    while (n < s->len && s->range[n].first > s->range[n - 1].last + 1) n++;
    if (n >= s->len) return; /* it is tidy */
    qsort(s->range, (size_t)s->len, sizeof *s->range, by_first);
    n = 1;
    for (int64_t i = 1; i < s->len; i++) {
        heed__uni_range *last = &s->range[n - 1];
        if (s->range[i].first <= last->last + 1) {
            if (s->range[i].last > last->last) last->last = s->range[i].last;
        } else {
            s->range[n++] = s->range[i];
        }
    }
    s->len = n;
}

void heed__set_join(heed__set *s, const heed__set *other) {
    for (int64_t i = 0; i < other->len; i++)
        heed__set_add(s, other->range[i].first, other->range[i].last);
    s->native |= other->native;
    s->failed |= other->failed;
}

void heed__set_invert(heed__set *s) {
    tidy(s);
    heed__set out = { .hooks = s->hooks, .failed = s->failed };
    uint32_t next = 0;
    for (int64_t i = 0; i < s->len; i++) {
        if (s->range[i].first > next) heed__set_add(&out, next, s->range[i].first - 1);
        next = s->range[i].last + 1;
    }
    if (next <= LAST) heed__set_add(&out, next, LAST);
    heed__set_free(s);
    *s = out;
}

void heed__set_meet(heed__set *s, heed__set *other) {
    heed__set_invert(s);
    heed__set_invert(other);
    heed__set_join(s, other);
    heed__set_invert(s);
}

static void each(void *user, uint32_t first, uint32_t last) {
    heed__set_add(user, first, last);
}

static uint32_t natives(const char *name, size_t size) {
    static const struct {
        const char *name;
        uint32_t mask;
    } known[] = {
        { "L", 1u << HEED_UNI_LU | 1u << HEED_UNI_LL | 1u << HEED_UNI_LT | 1u << HEED_UNI_LM |
                   1u << HEED_UNI_LO },
        { "N", 1u << HEED_UNI_ND | 1u << HEED_UNI_NL | 1u << HEED_UNI_NO },
        { "M", 1u << HEED_UNI_MN | 1u << HEED_UNI_MC | 1u << HEED_UNI_ME },
        { "Lu", 1u << HEED_UNI_LU },
        { "Ll", 1u << HEED_UNI_LL },
        { "Lt", 1u << HEED_UNI_LT },
        { "Lm", 1u << HEED_UNI_LM },
        { "Lo", 1u << HEED_UNI_LO },
        { "Nd", 1u << HEED_UNI_ND },
        { "P", 1u << HEED_UNI_PC | 1u << HEED_UNI_PD | 1u << HEED_UNI_PS | 1u << HEED_UNI_PE |
                   1u << HEED_UNI_PI | 1u << HEED_UNI_PF | 1u << HEED_UNI_PO },
        { "S", 1u << HEED_UNI_SM | 1u << HEED_UNI_SC | 1u << HEED_UNI_SK | 1u << HEED_UNI_SO },
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strlen(known[i].name) == size && memcmp(known[i].name, name, size) == 0)
            return known[i].mask;
    return 0;
}

bool heed__set_property(heed__set *s, const char *name, size_t size) {
    static const struct {
        const char *name, *parts[4];
    } made[] = {
        { "alnum", { "Alphabetic", "Nd", NULL, NULL } },
        { "alpha", { "Alphabetic", NULL, NULL, NULL } },
        { "blank", { "Zs", NULL, NULL, NULL } },
        { "cntrl", { "Cc", NULL, NULL, NULL } },
        { "digit", { "Nd", NULL, NULL, NULL } },
        { "lower", { "Lowercase", NULL, NULL, NULL } },
        { "punct", { "P", NULL, NULL, NULL } },
        { "space", { "White_Space", NULL, NULL, NULL } },
        { "upper", { "Uppercase", NULL, NULL, NULL } },
        { "xdigit", { "ASCII_Hex_Digit", NULL, NULL, NULL } },
    };
    char small[16];
    size_t n = 0;
    for (; n < size && n < sizeof small - 1; n++)
        small[n] = name[n] >= 'A' && name[n] <= 'Z' ? (char)(name[n] + 32) : name[n];
    small[n] = 0;
    if (strcmp(small, "ascii") == 0) {
        heed__set_add(s, 0, 0x7F);
        return true;
    }
    if (strcmp(small, "blank") == 0) heed__set_add(s, '\t', '\t');
    for (size_t i = 0; i < sizeof made / sizeof *made; i++) {
        if (strcmp(small, made[i].name) != 0) continue;
        for (int k = 0; k < 4 && made[i].parts[k]; k++)
            heed__set_property(s, made[i].parts[k], strlen(made[i].parts[k]));
        return true;
    }
    if (strcmp(small, "word") == 0) s->native |= natives("L", 1) | natives("M", 1);
    s->native |= natives(name, size);
    return heed__uni_property(name, size, each, s);
}

bool heed__set_bracket(heed__set *s, const char *name, size_t size) {
    static const uint32_t no_word[] = { 0xB2, 0xB3, 0xB9, 0xBC, 0xBD, 0xBE };
    if (size == 5 && memcmp(name, "punct", 5) == 0) heed__set_property(s, "S", 1);
    if (size != 4 || memcmp(name, "word", 4) != 0) return heed__set_property(s, name, size);
    heed__set word = { .hooks = s->hooks };
    heed__set_property(&word, name, size);
    const uint32_t native = word.native;
    heed__set_invert(&word);
    for (size_t i = 0; i < sizeof no_word / sizeof *no_word; i++)
        heed__set_add(&word, no_word[i], no_word[i]);
    heed__set_invert(&word);
    word.native = native;
    heed__set_join(s, &word);
    heed__set_free(&word);
    return true;
}

void heed__out_put(heed__out *o, const char *text, size_t size) {
    heed__out_insert(o, o->len, text, size);
}

void heed__out_repeat(heed__out *o, int64_t at, int64_t size) {
    if (o->failed || heed__grow(o->hooks, &o->text, &o->cap, o->len + size + 1, 1)) {
        o->failed = true;
        return;
    }
    memcpy(o->text + o->len, o->text + at, (size_t)size);
    o->len += size;
    o->text[o->len] = 0;
}

void heed__out_insert(heed__out *o, int64_t at, const char *text, size_t size) {
    if (o->failed || size > INT32_MAX ||
        heed__grow(o->hooks, &o->text, &o->cap, o->len + (int64_t)size + 1, 1)) {
        o->failed = true;
        return;
    }
    memmove(o->text + at + size, o->text + at, (size_t)(o->len - at));
    memcpy(o->text + at, text, size);
    o->len += (int64_t)size;
    o->text[o->len] = 0;
}

static void print_range(heed__out *o, uint32_t first, uint32_t last) {
    char text[40];
    size_t n;
    if (first >= 0xD800 && first < 0xE000) first = 0xE000; /* PCRE2 refuses surrogates */
    if (last >= 0xD800 && last < 0xE000) last = 0xD7FF;
    if (first > last) return;
    if (first == last)
        n = heed__format(text, sizeof text, "\\x{%x}", first);
    else
        n = heed__format(text, sizeof text, "\\x{%x}-\\x{%x}", first, last);
    heed__out_put(o, text, n);
}

static void print_categories(uint32_t mask, heed__out *o) {
    static const char names[HEED_UNI_GCS][3] = { "Cn", "Cc", "Cf", "Co", "Lu", "Ll", "Lt", "Lm",
                                                 "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No", "Pc",
                                                 "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "Sm", "Sc",
                                                 "Sk", "So", "Zs", "Zl", "Zp" };
    char text[8];
    for (const char *group = "LMNPS"; *group; group++) {
        const uint32_t all = natives(group, 1);
        if ((mask & all) != all) continue;
        heed__out_put(o, text, heed__format(text, sizeof text, "\\p{%c}", *group));
        mask &= ~all;
    }
    for (int i = 0; i < HEED_UNI_GCS; i++)
        if (mask >> i & 1)
            heed__out_put(o, text, heed__format(text, sizeof text, "\\p{%s}", names[i]));
}

/* Takes out what PCRE2's own tables know as being in the set's categories: all of them but what was
 * assigned after Unicode 14. */
static void drop_known(heed__set *s) {
    heed__set known = { .hooks = s->hooks }, fresh = { .hooks = s->hooks };
    heed__uni_categories(s->native, each, &known);
    for (int i = 0; i < heed__uni_new_len; i++)
        heed__set_add(&fresh, heed__uni_new[i].first, heed__uni_new[i].last);
    heed__set_invert(&known);
    heed__set_join(&known, &fresh);
    heed__set_meet(s, &known);
    heed__set_free(&known);
    heed__set_free(&fresh);
}

void heed__set_print(heed__set *s, bool inverted, heed__out *o) {
    tidy(s);
    if (s->len == 0 && s->native == 0) {
        o->failed |= s->failed;
        heed__out_put(o, inverted ? "(?s:.)" : "(?!)", inverted ? 6 : 4);
        return;
    }
    heed__out_put(o, inverted ? "[^" : "[", inverted ? 2 : 1);
    print_categories(s->native, o);
    if (s->native) drop_known(s);
    o->failed |= s->failed;
    for (int64_t i = 0; i < s->len; i++) print_range(o, s->range[i].first, s->range[i].last);
    heed__out_put(o, "]", 1);
}
