/* desk_fill.c: {{variables}} of replies. What is known is put in: the customer's slots, the
 * desk's own values. What is not is worded: "your order number", "our support phone number", the
 * name of a page as it stands. Braces are never shown. */
#include <string.h>

#include "base/text.h"
#include "serve/desk_impl.h"
#include "text/letters.h"

enum { NAME_MOST = 96 };

void heed__desk_put(desk_out *o, const char *text, size_t size) {
    if (o->failed) return;
    if (heed__grow(o->hooks, &o->text, &o->cap, o->len + (int64_t)size + 1, 1)) {
        o->failed = true;
        return;
    }
    memcpy(o->text + o->len, text, size);
    o->len += (int64_t)size;
    o->text[o->len] = 0;
}

static void say(desk_out *o, const char *text) {
    heed__desk_put(o, text, strlen(text));
}

static bool same_letter(char a, char b) {
    return heed__lower((unsigned char)a) == heed__lower((unsigned char)b);
}

/* Whether name holds these words, whole, in any case. */
static bool holds(const char *name, const char *words) {
    const size_t n = strlen(words);
    for (const char *at = name; *at; at++) {
        size_t k = 0;
        if (at != name && at[-1] != ' ') continue;
        while (k < n && at[k] && same_letter(at[k], words[k])) k++;
        if (k == n && (at[n] == 0 || at[n] == ' ')) return true;
    }
    return false;
}

static bool holds_any(const char *name, const char *const *words) {
    for (; *words; words++)
        if (holds(name, *words)) return true;
    return false;
}

/* What the customer has, what the company has, and what is not written as it is. */
static const char *const theirs[] = { "order",    "purchase", "bill",        "invoice",
                                      "account",  "refund",   "transaction", "tracking",
                                      "customer", "shipment", "client",      "customer id",
                                      "person",   "profile",  "payment",     NULL };
static const char *const facts[] = { "number",       "id",     "code",     "email",      "name",
                                     "date",         "amount", "currency", "type",       "phone",
                                     "hours",        "url",    "address",  "anonymized", "category",
                                     "availability", NULL };
static const char *const ours[] = { "support", "company",  "website",  "store",     "service",
                                    "site",    "business", "helpline", "toll-free", NULL };
static const char *const dropped[] = { "Anonymized", "Name", NULL };

/* Words of the name in small letters, without those that say nothing to a reader. */
static void put_lower(desk_out *o, const char *name) {
    bool first = true;
    for (const char *at = name; *at;) {
        const char *space = strchr(at, ' ');
        const size_t n = space ? (size_t)(space - at) : strlen(at);
        bool drop = false;
        for (int k = 0; dropped[k]; k++)
            drop |= n == strlen(dropped[k]) && memcmp(at, dropped[k], n) == 0;
        if (n && !(drop && (!first || space))) {
            if (!first) say(o, " ");
            first = false;
            const bool initials = n > 1 && n < 5 && at[1] >= 'A' && at[1] <= 'Z';
            for (size_t i = 0; i < n; i++) {
                const char c = at[i] >= 'A' && at[i] <= 'Z' && !initials ? (char)(at[i] + 32)
                                                                         : at[i];
                heed__desk_put(o, &c, 1);
            }
        }
        at += n + (space != NULL);
    }
    if (first) say(o, "name");
}

/* Whether the text so far ends with a word that "your" or "our" would double. */
static bool determined(const desk_out *o) {
    static const char *const words[] = {
        "our", "your", "the", "a", "an", "my", "this", "that", NULL
    };
    int64_t end = o->len;
    while (end > 0 && o->text[end - 1] == ' ') end--;
    for (int k = 0; words[k]; k++) {
        const int64_t n = (int64_t)strlen(words[k]);
        if (end < n || (end > n && o->text[end - n - 1] != ' ' && o->text[end - n - 1] != '\n'))
            continue;
        int64_t i = 0;
        while (i < n && same_letter(o->text[end - n + i], words[k][i])) i++;
        if (i == n) return true;
    }
    return false;
}

static void put_worded(desk_out *o, const char *name) {
    const bool fact = holds_any(name, facts);
    const bool own = holds_any(name, ours) && (fact || holds(name, "website"));
    if (own || (fact && holds_any(name, theirs))) {
        if (!determined(o)) say(o, own ? "our " : "your ");
        put_lower(o, name);
    } else {
        say(o, name); /* a page or button bears that name */
    }
}

static void put_name(const heed_desk *d, const desk_state *s, const char *name, desk_out *o) {
    const char *value = heed__desk_slot_value(d, s, name);
    if (value)
        say(o, value);
    else
        put_worded(o, name);
}

/* The name between the braces at `at`, in one line and without spaces around it: where it ends
 * behind the closing ones, or 0. */
static size_t read_name(const char *at, char name[NAME_MOST]) {
    const char *end = strstr(at + 2, "}}");
    if (!end) return 0;
    const char *from = at + 2, *to = end;
    while (from < to && *from == ' ') from++;
    while (to > from && to[-1] == ' ') to--;
    const size_t n = (size_t)(to - from);
    if (n == 0 || n >= NAME_MOST || memchr(from, '\n', n) || memchr(from, '{', n)) return 0;
    for (size_t i = 0; i < n; i++) name[i] = from[i] == '_' ? ' ' : from[i];
    name[n] = 0;
    return (size_t)(end + 2 - at);
}

bool heed__desk_names(const heed_desk *d, const desk_state *s, const char *reply) {
    char name[NAME_MOST];
    for (const char *at = reply; (at = strstr(at, "{{")) != NULL; at += 2)
        if (read_name(at, name) && heed__desk_slot_known(d, s, name)) return true;
    return false;
}

void heed__desk_fill(const heed_desk *d, const desk_state *s, const char *reply, desk_out *o) {
    char name[NAME_MOST];
    heed__desk_put(o, "", 0);
    for (const char *at = reply; *at;) {
        const bool opens = at[0] == '{' && at[1] == '{', closes = at[0] == '}' && at[1] == '}';
        const size_t n = opens ? read_name(at, name) : 0;
        if (n)
            put_name(d, s, name, o);
        else if (!opens && !closes)
            heed__desk_put(o, at, 1);
        at += n ? n : opens || closes ? 2 : 1;
    }
}
