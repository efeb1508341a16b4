/* redact_find.c: mail addresses (RFC 5322's dot-atom before the '@', a name with a top level after
 * it, and "(at)" in its place), IP addresses of both versions, IBANs (ISO 13616, modulo 97) and
 * payment cards (ISO/IEC 7812: a known first digit, 13 to 19 digits, Luhn). */
#include <arpa/inet.h>
#include <string.h>

#include "flow/redact_impl.h"

/* -- mail ------------------------------------------------------------------------------------- */

static bool word(int c) {
    return heed__fold_digit(c) || heed__fold_letter(c);
}

static bool local(int c) {
    return c && (word(c) || strchr("._%+-'!#$&*=~", c) != NULL);
}

/* Where the name of a host that begins at `at` ends: labels of letters, digits and '-', the last
 * one of letters alone (or xn--...); 0: none. */
static int64_t host(const heed__fold *f, int64_t at) {
    int64_t end = 0;
    for (int labels = 0; labels < 32; labels++) {
        const int64_t begin = at;
        bool letters = true;
        while (at - begin < 64 && (word(heed__fold_at(f, at)) || heed__fold_at(f, at) == '-'))
            letters &= heed__fold_letter(f->code[at++]);
        if (at == begin || f->code[begin] == '-') break;
        if (labels > 0 && at - begin >= 2 &&
            (letters || (at - begin > 4 && f->code[begin + 2] == '-' && f->code[begin + 3] == '-')))
            end = at;
        if (heed__fold_at(f, at) != '.') break;
        at++;
    }
    return end;
}

/* "(at)", "[at]", "{at}" with blanks around, at `at`: where it ends; 0: it is not. */
static int64_t spelt_at(const heed__fold *f, int64_t at) {
    const int open = heed__fold_at(f, at);
    const int close = open == '(' ? ')' : open == '[' ? ']' : open == '{' ? '}' : 0;
    if (!close) return 0;
    int64_t i = at + 1;
    while (heed__fold_at(f, i) == ' ' && i < at + 3) i++;
    if (heed__fold_upper(heed__fold_at(f, i)) != 'A' ||
        heed__fold_upper(heed__fold_at(f, i + 1)) != 'T')
        return 0;
    for (i += 2; heed__fold_at(f, i) == ' ' && i < at + 8;) i++;
    return heed__fold_at(f, i) == close ? i + 1 : 0;
}

/* The host after a spelt "(at)": labels with "." or "(dot)" between them. */
static int64_t spelt_host(const heed__fold *f, int64_t at) {
    int64_t end = 0;
    for (int labels = 0; labels < 8; labels++) {
        while (heed__fold_at(f, at) == ' ') at++;
        const int64_t begin = at;
        while (at - begin < 64 && (word(heed__fold_at(f, at)) || heed__fold_at(f, at) == '-')) at++;
        if (at == begin) break;
        if (labels > 0) end = at;
        int64_t next = at;
        while (heed__fold_at(f, next) == ' ') next++;
        const int c = heed__fold_at(f, next);
        const bool dot = (c == '(' || c == '[' || c == '{') && next + 5 <= f->n &&
                         heed__fold_upper(f->code[next + 1]) == 'D' &&
                         heed__fold_upper(f->code[next + 2]) == 'O' &&
                         heed__fold_upper(f->code[next + 3]) == 'T';
        if (dot)
            at = next + 5;
        else if (heed__fold_at(f, at) == '.')
            at++;
        else
            break;
    }
    return end;
}

int64_t heed__redact_mail(const heed__fold *f, int64_t at, int64_t *begin) {
    const int c = f->code[at];
    if (c != '@' && c != '(' && c != '[' && c != '{') return 0;
    const int64_t spelt = c == '@' ? 0 : spelt_at(f, at);
    if (c != '@' && !spelt) return 0;
    int64_t end, first = at;
    if (c == '@' && heed__fold_at(f, at + 1) == '[') { /* a literal address: me@[192.0.2.1] */
        for (end = at + 2; end < at + 48 && heed__fold_at(f, end) && f->code[end] != ']';) end++;
        end = heed__fold_at(f, end) == ']' ? end + 1 : 0;
    } else {
        end = spelt ? spelt_host(f, spelt) : host(f, at + 1);
    }
    if (!end) return 0;
    while (spelt && first > 0 && heed__fold_at(f, first - 1) == ' ') first--;
    const int64_t edge = first;
    if (heed__fold_at(f, first - 1) == '"') { /* "a name"@example.org */
        int64_t quote = first - 2;
        while (quote >= 0 && quote > edge - 66 && f->code[quote] != '"') quote--;
        if (heed__fold_at(f, quote) == '"') first = quote;
    } else {
        while (first > 0 && edge - first < 256 && local(f->code[first - 1])) first--;
        while (first < edge && !word(f->code[first]) && f->code[first] != '_') first++;
    }
    if (first == edge) return 0;
    *begin = first;
    return end;
}

/* -- IP addresses ------------------------------------------------------------------------------ */

static int64_t ip4(const heed__fold *f, int64_t at) {
    const int before = heed__fold_at(f, at - 1);
    if (word(before) || ((before == '.' || before == '-') && word(heed__fold_at(f, at - 2))))
        return 0;
    for (int part = 0; part < 4; part++) {
        int value = 0, digits = 0;
        for (; heed__fold_digit(heed__fold_at(f, at)) && digits < 4; digits++)
            value = 10 * value + (f->code[at++] - '0');
        if (digits < 1 || digits > 3 || value > 255) return 0;
        if (part < 3 && heed__fold_at(f, at++) != '.') return 0;
    }
    const int after = heed__fold_at(f, at);
    if (word(after) || after == '_') return 0;
    if ((after == '.' || after == '-') && heed__fold_digit(heed__fold_at(f, at + 1))) return 0;
    return at;
}

static bool hex(int c) {
    c = heed__fold_upper(c);
    return heed__fold_digit(c) || (c >= 'A' && c <= 'F');
}

static int64_t ip6(const heed__fold *f, int64_t at) {
    const int before = heed__fold_at(f, at - 1);
    if (word(before) || before == '.' || before == '_') return 0;
    if (before == ':') { /* "host:fe80::1", but not within an address */
        int64_t from = at - 1;
        while (from > at - 6 && hex(heed__fold_at(f, from - 1))) from--;
        if (from > at - 6 && !word(heed__fold_at(f, from - 1))) return 0;
    }
    char text[INET6_ADDRSTRLEN];
    int len = 0, colons = 0, digits = 0, groups = 0;
    int64_t end = at;
    for (; len < INET6_ADDRSTRLEN - 1; len++, end++) {
        const int c = heed__fold_at(f, end);
        if (!hex(c) && c != ':' && !(c == '.' && hex(heed__fold_at(f, end + 1)))) break;
        colons += c == ':';
        digits += heed__fold_digit(c);
        groups += hex(c) && (len == 0 || text[len - 1] == ':');
        text[len] = (char)c;
    }
    if (word(heed__fold_at(f, end))) return 0;
    if (len > 2 && text[len - 1] == ':' && text[len - 2] != ':') len--, end--; /* "...: he said" */
    text[len] = 0;
    struct in6_addr address;
    if (colons < 2 || inet_pton(AF_INET6, text, &address) != 1) return 0;
    if (digits == 0 && groups < 4) return 0; /* A::B is C++ */
    if (heed__fold_at(f, end) == '%' && word(heed__fold_at(f, end + 1)))
        for (end++; word(heed__fold_at(f, end)) && end < at + 64;) end++;
    return end;
}

int64_t heed__redact_ip(const heed__fold *f, int64_t at, int64_t *begin) {
    (void)begin;
    const int c = f->code[at];
    int64_t end = heed__fold_digit(c) ? ip4(f, at) : 0;
    if (!end && (hex(c) || c == ':')) end = ip6(f, at);
    return end;
}

/* -- IBAN -------------------------------------------------------------------------------------- */

/* Country and length, from the registry of SWIFT. */
static const char ibans[] =
    "AD24AE23AL28AT20AZ28BA20BE16BG22BH22BI27BR29BY28CH21CR22CY28CZ24DE22DJ27DK18DO28EE20EG29ES24"
    "FI18FK18FO18FR27GB22GE22GI23GL18GR27GT28HN28HR21HU28IE22IL23IQ23IS26IT27JO30KW30KZ20LB28LC32"
    "LI21LT20LU20LV21LY25MC27MD24ME22MK19MN20MR27MT31MU30NI28NL18NO15OM23PK24PL28PS29PT25QA29RO24"
    "RS22RU33SA24SC31SD18SE24SI19SK24SM27SO23ST25SV28TL23TN24TR26UA29VA22VG24XK20YE30";

int64_t heed__redact_iban(const heed__fold *f, int64_t at, int64_t *begin) {
    (void)begin;
    const int a = heed__fold_upper(f->code[at]), b = heed__fold_upper(heed__fold_at(f, at + 1));
    if (a < 'A' || a > 'Z' || b < 'A' || b > 'Z' || word(heed__fold_at(f, at - 1))) return 0;
    int want = 0;
    for (size_t i = 0; i + 4 < sizeof ibans && !want; i += 4)
        if (ibans[i] == a && ibans[i + 1] == b)
            want = 10 * (ibans[i + 2] - '0') + (ibans[i + 3] - '0');
    char text[40];
    int len = 0;
    for (; len < want; at++) {
        const int c = heed__fold_upper(heed__fold_at(f, at));
        if (heed__fold_digit(c) || (c >= 'A' && c <= 'Z'))
            text[len++] = (char)c;
        else if (len < 4 || (c != ' ' && c != '-' && c != '.') || !word(heed__fold_at(f, at + 1)))
            if (len != 2 || c != ' ') return 0;
    }
    if (!want || word(heed__fold_at(f, at))) return 0;
    if (!heed__fold_digit(text[2]) || !heed__fold_digit(text[3])) return 0;
    int rest = 0; /* the first four move to the end; A is 10 ... Z is 35 */
    for (int i = 0; i < len; i++) {
        const char c = text[(i + 4) % len];
        rest = heed__fold_digit(c) ? (10 * rest + (c - '0')) % 97
                                   : (100 * rest + (c - 'A' + 10)) % 97;
    }
    return rest == 1 ? at : 0;
}

/* -- payment cards ----------------------------------------------------------------------------- */

bool heed__redact_luhn(const char *digit, int len) {
    int sum = 0;
    for (int i = 0; i < len; i++) {
        int d = digit[len - 1 - i] - '0';
        if (i % 2) d = 2 * d > 9 ? 2 * d - 9 : 2 * d;
        sum += d;
    }
    return sum % 10 == 0;
}

/* Whether a number of that length is of an issuer who exists. */
static bool issued(const char *d, int len) {
    const int two = 10 * (d[0] - '0') + (d[1] - '0');
    if (d[0] == '4') return len == 13 || len == 16 || len == 19; /* Visa */
    if (two == 34 || two == 37) return len == 15;                /* American Express */
    if (two == 30 || two == 36 || two == 38 || two == 39)
        return len == 14 || len >= 16;                                      /* Diners */
    if (two == 35) return len >= 16;                                        /* JCB */
    if (two >= 51 && two <= 55) return len == 16;                           /* Mastercard */
    if (two >= 22 && two <= 27) return len >= 16;                           /* Mastercard, Mir */
    if (two == 62 || two == 60 || two == 64 || two == 65) return len >= 16; /* UnionPay, Discover */
    if (two == 50 || (two >= 56 && two <= 69)) return len >= 13; /* Maestro, and cards in China */
    if (two == 81 || two == 82 || two == 95 || two == 99) return len >= 16; /* RuPay, older */
    return false;
}

int64_t heed__redact_card(const heed__fold *f, int64_t at, int64_t *begin) {
    (void)begin;
    if (!heed__fold_digit(f->code[at]) || heed__fold_digit(heed__fold_at(f, at - 1))) return 0;
    char digit[20];
    int len = 0;
    int64_t end = 0;
    while (len < 20) {
        const int c = heed__fold_at(f, at);
        if (heed__fold_digit(c)) {
            digit[len++] = (char)c;
            at++;
            if (len >= 13 && len <= 19 && !heed__fold_digit(heed__fold_at(f, at)) &&
                issued(digit, len) && heed__redact_luhn(digit, len))
                end = at;
        } else if ((c == ' ' || c == '-') && heed__fold_digit(heed__fold_at(f, at + 1))) {
            at++;
        } else {
            break;
        }
    }
    return end;
}
