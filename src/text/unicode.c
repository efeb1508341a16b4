/* unicode.c: properties of characters out of the tables of unicode_data.c. */
#include "text/unicode.h"

#include <string.h>

#include "base/text.h"

int heed__uni_small(uint32_t code, uint32_t out[2]) {
    out[0] = code;
    if (code < 0x80) {
        if (code - 'A' < 26) out[0] = code + 32;
        return 1;
    }
    if (code >= 0x2E00 && code < 0xA640) return 1; /* ideographs, kana: no capitals */
    int low = 0, high = heed__uni_lower_len;
    while (low < high) {
        const int mid = (low + high) / 2;
        if (heed__uni_lower[mid].from < code)
            low = mid + 1;
        else
            high = mid;
    }
    if (low == heed__uni_lower_len || heed__uni_lower[low].from != code) return 1;
    out[0] = heed__uni_lower[low].to;
    out[1] = 0x307;
    return code == 0x130 ? 2 : 1;
}

static int run_value(const heed__uni_run *run, int len, uint32_t code) {
    int low = 0, high = len;
    while (high - low > 1) {
        const int mid = (low + high) / 2;
        if (run[mid].first <= code)
            low = mid;
        else
            high = mid;
    }
    return run[low].value;
}

int heed__uni_script(uint32_t code) {
    return run_value(heed__uni_group, heed__uni_group_len, code);
}

static int break_kind(uint32_t code) {
    if (heed__uni_is(code, HEED_UNI_PLAIN)) return HEED_GB_OTHER;
    return run_value(heed__uni_break, heed__uni_break_len, code);
}

/* What came before the place in question, as far as a rule asks. */
typedef struct cluster {
    int last;               /* kind of the last character */
    int regional;           /* regional indicators in a row */
    bool pictured;          /* a pictograph, then extenders, then perhaps a joiner */
    bool linked, consonant; /* a consonant; a linker after it */
} cluster;

static bool is_extender(int kind) {
    return kind == HEED_GB_EXTEND || kind == HEED_GB_LINKER || kind == HEED_GB_ZWJ;
}

/* Rules GB3 to GB13: is there no break between what came before and a character of this kind? */
static bool joins(const cluster *c, int kind) {
    const int last = c->last;
    if (last == HEED_GB_CR) return kind == HEED_GB_LF;
    if (last == HEED_GB_LF || last == HEED_GB_CONTROL) return false;
    if (kind == HEED_GB_CR || kind == HEED_GB_LF || kind == HEED_GB_CONTROL) return false;
    if (last == HEED_GB_L)
        if (kind == HEED_GB_L || kind == HEED_GB_V || kind == HEED_GB_LV || kind == HEED_GB_LVT)
            return true;
    if ((last == HEED_GB_LV || last == HEED_GB_V) && (kind == HEED_GB_V || kind == HEED_GB_T))
        return true;
    if ((last == HEED_GB_LVT || last == HEED_GB_T) && kind == HEED_GB_T) return true;
    if (is_extender(kind) || kind == HEED_GB_SPACING || last == HEED_GB_PREPEND) return true;
    if (kind == HEED_GB_CONSONANT && c->consonant && c->linked) return true;
    if (kind == HEED_GB_PICTOGRAPHIC && last == HEED_GB_ZWJ && c->pictured) return true;
    return kind == HEED_GB_REGIONAL && last == HEED_GB_REGIONAL && c->regional % 2 == 1;
}

static void step(cluster *c, int kind) {
    c->last = kind;
    c->regional = kind == HEED_GB_REGIONAL ? c->regional + 1 : 0;
    if (kind == HEED_GB_PICTOGRAPHIC)
        c->pictured = true;
    else if (!is_extender(kind))
        c->pictured = false;
    if (kind == HEED_GB_CONSONANT) {
        c->consonant = true;
        c->linked = false;
    } else if (kind == HEED_GB_LINKER) {
        c->linked = true;
    } else if (!is_extender(kind)) {
        c->consonant = c->linked = false;
    }
}

size_t heed__uni_grapheme(const char *text, size_t size) {
    cluster c = { 0 };
    uint32_t code = 0;
    size_t at = heed__utf8_next(text, size, &code);
    step(&c, break_kind(code));
    while (at < size) {
        const size_t n = heed__utf8_next(text + at, size - at, &code);
        if (c.last == HEED_GB_OTHER && code < 0x80) break;
        const int kind = break_kind(code);
        if (!joins(&c, kind)) break;
        step(&c, kind);
        at += n;
    }
    return at;
}

/* -- names of properties ---------------------------------------------------------------------- */

enum { NAME_SIZE = 64 };

static const char *const gc_names[HEED_UNI_GCS] = {
    "cn", "cc", "cf", "co", "lu", "ll", "lt", "lm", "lo", "mn", "mc", "me", "nd", "nl", "no",
    "pc", "pd", "ps", "pe", "pi", "pf", "po", "sm", "sc", "sk", "so", "zs", "zl", "zp",
};

static const struct {
    const char *longer, *shorter;
} gc_long[] = {
    { "letter", "l" },
    { "mark", "m" },
    { "combiningmark", "m" },
    { "number", "n" },
    { "punctuation", "p" },
    { "symbol", "s" },
    { "separator", "z" },
    { "other", "c" },
    { "uppercaseletter", "lu" },
    { "lowercaseletter", "ll" },
    { "titlecaseletter", "lt" },
    { "modifierletter", "lm" },
    { "otherletter", "lo" },
    { "nonspacingmark", "mn" },
    { "spacingmark", "mc" },
    { "enclosingmark", "me" },
    { "decimalnumber", "nd" },
    { "letternumber", "nl" },
    { "othernumber", "no" },
    { "connectorpunctuation", "pc" },
    { "dashpunctuation", "pd" },
    { "openpunctuation", "ps" },
    { "closepunctuation", "pe" },
    { "initialpunctuation", "pi" },
    { "finalpunctuation", "pf" },
    { "otherpunctuation", "po" },
    { "mathsymbol", "sm" },
    { "currencysymbol", "sc" },
    { "modifiersymbol", "sk" },
    { "othersymbol", "so" },
    { "spaceseparator", "zs" },
    { "lineseparator", "zl" },
    { "paragraphseparator", "zp" },
    { "control", "cc" },
    { "format", "cf" },
    { "privateuse", "co" },
    { "unassigned", "cn" },
};

static uint32_t category_mask(const char *name) {
    for (size_t i = 0; i < sizeof gc_long / sizeof *gc_long; i++)
        if (strcmp(name, gc_long[i].longer) == 0) name = gc_long[i].shorter;
    if (strcmp(name, "lc") == 0) return 1u << HEED_UNI_LU | 1u << HEED_UNI_LL | 1u << HEED_UNI_LT;
    if (!name[0] || (name[1] && name[2])) return 0;
    uint32_t mask = 0;
    for (int i = 0; i < HEED_UNI_GCS; i++)
        if (name[0] == gc_names[i][0] && (!name[1] || name[1] == gc_names[i][1])) mask |= 1u << i;
    return mask;
}

void heed__uni_categories(uint32_t mask, heed__uni_each each, void *user) {
    uint32_t first = 0;
    bool in = false;
    for (int i = 0; i < heed__uni_category_len; i++) {
        const bool now = mask >> heed__uni_category[i].value & 1;
        if (now && !in) first = heed__uni_category[i].first;
        if (!now && in) each(user, first, heed__uni_category[i].first - 1);
        in = now;
    }
    if (in) each(user, first, 0x10FFFF);
}

bool heed__uni_property(const char *name, size_t size, heed__uni_each each, void *user) {
    char plain[NAME_SIZE];
    size_t n = 0;
    for (size_t i = 0; i < size; i++) {
        const char c = name[i];
        if (c == ' ' || c == '-' || c == '_') continue;
        if (n + 1 == NAME_SIZE) return false;
        plain[n++] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
    }
    plain[n] = 0;
    if (strcmp(plain, "any") == 0) {
        each(user, 0, 0x10FFFF);
        return true;
    }
    if (strcmp(plain, "assigned") == 0) {
        heed__uni_categories(~(uint32_t)1, each, user);
        return true;
    }
    const uint32_t mask = category_mask(plain);
    if (mask) {
        heed__uni_categories(mask, each, user);
        return true;
    }
    for (int i = 0; i < heed__uni_sets_len; i++) {
        const heed__uni_set *s = &heed__uni_sets[i];
        if (strcmp(s->name, plain) != 0) continue;
        for (int r = 0; r < s->len; r++)
            each(user, heed__uni_ranges[s->begin + r].first, heed__uni_ranges[s->begin + r].last);
        return true;
    }
    return false;
}
