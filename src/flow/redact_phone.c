/* redact_phone.c: telephone numbers, which have no check digits: by how they are written.
 *
 *     +49 30 1234567, 0044 20 7946 0958    with the country's code (ITU-T E.164: 8 to 15 digits)
 *     138 0013 8000, 86-13800138000        mobile numbers of China
 *     010-12345678, (0571) 8888 8888-801   numbers of China with their area
 *     (415) 555-2671, 1-800-555-0199       North America
 *     020 7946 0958, 06 12 34 56 78        a 0 before the area, as in most of Europe
 *     tel: 555 0123, 电话 88881234         any number after a word that says so
 */
#include <string.h>

#include "flow/redact_impl.h"

enum { MOST = 17, GROUPS = 8 };

/* A number as it is written: digits in groups; end[i] is the place after group i. */
typedef struct written {
    char digit[MOST + 1];
    int len, groups, group[GROUPS];
    int64_t end[GROUPS];
    int dots, others; /* separators of each kind */
    bool plus, paren;
} written;

/* The separator at `at`: how many characters of it; 0: none. */
static int separator(const heed__fold *f, int64_t at, written *w) {
    int n = 0, slashes = 0, dots = 0, dashes = 0;
    for (; n < 3; n++) {
        const int c = heed__fold_at(f, at + n);
        if (c == ' ') continue;
        if (c == '-')
            dashes++;
        else if (c == '.')
            dots++;
        else if (c == '/')
            slashes++;
        else if (c == ')' && w->paren)
            w->paren = false;
        else if (c == '(' && !w->paren)
            w->paren = true;
        else
            break;
    }
    if (n == 0 || !heed__fold_digit(heed__fold_at(f, at + n)) || dots + slashes + dashes > 1)
        return 0;
    w->dots += dots;
    w->others += !dots;
    return n;
}

static void gather(const heed__fold *f, int64_t at, written *w) {
    memset(w, 0, sizeof *w);
    if (f->code[at] == '+') w->plus = true, at++;
    if (heed__fold_at(f, at) == '(') w->paren = true, at++;
    if (heed__fold_at(f, at) == '+') w->plus = true, at++;
    while (w->groups < GROUPS && w->len < MOST) {
        const int before = w->len;
        while (heed__fold_digit(heed__fold_at(f, at)) && w->len < MOST)
            w->digit[w->len++] = (char)f->code[at++];
        if (w->len == before || heed__fold_digit(heed__fold_at(f, at))) {
            w->len = before; /* a run that is too long is no part of it */
            break;
        }
        w->group[w->groups] = w->len - before;
        w->end[w->groups++] = at;
        const int n = separator(f, at, w);
        if (!n) break;
        at += n;
    }
}

static bool grouped(const written *w, const char *shape) { /* "334": groups of 3, 3 and 4 digits */
    if ((int)strlen(shape) != w->groups) return false;
    for (int i = 0; i < w->groups; i++)
        if (w->group[i] != shape[i] - '0') return false;
    return true;
}

/* 01-02-2023, 2023 01 02 ... */
static bool date(const written *w) {
    return (w->groups >= 3 && w->group[0] <= 2 && w->group[1] <= 2 && w->group[2] == 4) ||
           (w->groups >= 3 && w->group[0] == 4 && w->group[1] <= 2 && w->group[2] <= 2);
}

static bool with_zero(const written *w) {
    const char *d = w->digit;
    if (d[0] != '0' || d[1] == '0' || date(w)) return false;
    if (w->groups == 1) return w->len >= 10 && w->len <= 12;
    if (w->dots == 1 && w->others == 0) return false; /* a decimal */
    if (grouped(w, "54")) return false;               /* a postal code of the US */
    if (w->group[0] < 2 && w->groups < 3) return false;
    return w->len >= 9 && w->len <= 12;
}

static bool north_american(const written *w) {
    const bool one = w->len == 11 && w->digit[0] == '1';
    const char *d = w->digit + one;
    if (w->len != 10 + one || d[0] < '2' || w->groups < 2) return false;
    if (memcmp(d, "400", 3) == 0 || memcmp(d, "800", 3) == 0) /* China's for firms */
        if (grouped(w, "334") || grouped(w, "343") || grouped(w, "37")) return true;
    if (d[3] < '2') return false;
    return one ? grouped(w, "1334") || grouped(w, "137") : grouped(w, "334") || grouped(w, "37");
}

static bool mobile_of_china(const written *w) {
    const char *d = w->digit;
    int skip = 0;
    if (w->len == 13 && memcmp(d, "86", 2) == 0) skip = 2;
    if (w->len == 15 && memcmp(d, "0086", 4) == 0) skip = 4;
    if (w->len == 12 && d[0] == '0') skip = 1;
    return w->len == 11 + skip && d[skip] == '1' && d[skip + 1] >= '3' && w->dots == 0;
}

static bool is_phone(const written *w, bool told) {
    const char *d = w->digit;
    if (w->len < 7) return false;
    if (w->plus) return w->len >= 8 && w->len <= 15 && d[0] != '0';
    if (memcmp(d, "00", 2) == 0 && d[2] != '0' && w->len >= 11) return true;
    if (mobile_of_china(w) || with_zero(w) || north_american(w)) return true;
    return told && w->len <= 15 && !date(w) && !(w->groups == 2 && w->dots == 1);
}

/* Whether the words before `at` say that a telephone number comes. */
static bool told(const heed__fold *f, int64_t at) {
    static const char *const cues[] = { "phone", "tel",  "call", "mobile",   "cell", "fax",
                                        "sms",   "电话", "手机", "联系方式", "传真", "致电" };
    const int64_t from = at > 24 ? at - 24 : 0;
    char before[24 * 4 + 1];
    size_t len = 0;
    const char *text = f->text + f->start[from];
    for (int64_t i = 0; i < f->start[at] - f->start[from] && len < sizeof before - 1; i++)
        before[len++] = (char)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] - 'A' + 'a' : text[i]);
    before[len] = 0;
    for (size_t c = 0; c < sizeof cues / sizeof *cues; c++) {
        for (const char *p = before; (p = strstr(p, cues[c])) != NULL; p++) {
            const char after = p[strlen(cues[c])];
            if (!((after >= 'a' && after <= 'z') || (after >= '0' && after <= '9'))) return true;
        }
    }
    return false;
}

/* An extension after the number: " ext. 12", "x12", "转8001", "-801". */
static int64_t extension(const heed__fold *f, int64_t at) {
    static const char *const words[] = { "extension", "ext.", "ext", "x", "转", "分机", "-" };
    int64_t i = at;
    while (heed__fold_at(f, i) == ' ' && i < at + 2) i++;
    for (size_t w = 0; w < sizeof words / sizeof *words; w++) {
        const size_t len = strlen(words[w]);
        const char *text = f->text + f->start[i];
        if (strncmp(text, words[w], len) != 0 || (words[w][0] == '-' && i > at)) continue;
        int64_t digit = i;
        while (digit < f->n && f->start[digit] < f->start[i] + (int64_t)len) digit++;
        while (heed__fold_at(f, digit) == ' ' && digit < i + 12) digit++;
        int64_t end = digit;
        while (heed__fold_digit(heed__fold_at(f, end)) && end < digit + 6) end++;
        if (end > digit && end < digit + 6) return end;
    }
    return at;
}

int64_t heed__redact_phone(const heed__fold *f, int64_t at, int64_t *begin) {
    (void)begin;
    const int c = f->code[at], before = heed__fold_at(f, at - 1);
    if (!heed__fold_digit(c) && c != '+' && c != '(') return 0;
    if (heed__fold_digit(before) || before == '_') return 0;
    if (heed__fold_letter(before) && c != '(' && c != '+') return 0;
    if ((before == '-' || before == '.' || before == '/' || before == ',' || before == '+') &&
        (heed__fold_digit(heed__fold_at(f, at - 2)) || heed__fold_letter(heed__fold_at(f, at - 2))))
        return 0;
    if ((before == '$' || before == '#') && c != '+') return 0;
    written w;
    gather(f, at, &w);
    if (c == '(' && (w.groups < 2 || heed__fold_at(f, w.end[0]) != ')')) return 0;
    const bool cue = w.len >= 7 && told(f, at);
    if (before == '=' && !cue) return 0; /* of a query */
    if (c == '0' && before == ' ' && heed__fold_digit(heed__fold_at(f, at - 2)) && !cue)
        return 0; /* within a longer number */
    for (; w.groups > 0; w.len -= w.group[--w.groups]) {
        const int64_t end = w.end[w.groups - 1];
        const int after = heed__fold_at(f, end);
        if (heed__fold_letter(after) && after != 'x') continue;
        if (after == '_' || after == '%') continue;
        if (is_phone(&w, cue)) return extension(f, end);
    }
    return 0;
}
