/* redact_id.c: numbers that a state gives a person. Each kind has a shape and, where it has one,
 * its check digits; days of birth in it must exist. A kind without check digits is here only where
 * its shape is its own (US, GB, KR). Sources: the issuing offices' descriptions, as the comments
 * name them. */
#include <string.h>

#include "flow/redact_impl.h"

enum { MOST = 20 };

/* Days and checks over the number without its separators, letters in upper case. */
static int number(const char *d, int len) {
    int value = 0;
    for (int i = 0; i < len; i++) value = 10 * value + (d[i] - '0');
    return value;
}

static bool day(int year, int month, int of_month) {
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    if (month < 1 || month > 12 || of_month < 1) return false;
    return of_month <= days[month - 1] + (month == 2 && leap);
}

static bool short_day(const char *d) { /* YYMMDD of whichever century */
    return day(2000 + number(d, 2), number(d + 2, 2), number(d + 4, 2));
}

static int weighted(const char *d, const char *weights) { /* Σ digit × weight, A: 10, B: 11 ... */
    int sum = 0;
    for (int i = 0; weights[i]; i++)
        sum += (d[i] - '0') * (weights[i] >= 'A' ? weights[i] - 'A' + 10 : weights[i] - '0');
    return sum;
}

static bool province(const char *d) { /* GB/T 2260 */
    static const char known[] = "11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 "
                                "51 52 53 54 61 62 63 64 65 71 81 82 83 91";
    for (const char *k = known; *k; k += k[2] ? 3 : 2)
        if (k[0] == d[0] && k[1] == d[1]) return true;
    return false;
}

static bool cn18(const char *d) { /* GB 11643: ISO 7064 MOD 11-2 over 17 digits */
    static const char check[] = "10X98765432";
    if (!province(d) || number(d + 6, 4) < 1850 || number(d + 6, 4) > 2199) return false;
    if (!day(number(d + 6, 4), number(d + 10, 2), number(d + 12, 2))) return false;
    return d[17] == check[weighted(d, "79A584216379A5842") % 11];
}
static bool cn15(const char *d) { /* before 1999: no check digit */
    return province(d) && day(1900 + number(d + 6, 2), number(d + 8, 2), number(d + 10, 2));
}
static bool us(const char *d) { /* SSN; ITIN: 9xx with 50 to 99 */
    const int area = number(d, 3), group = number(d + 3, 2);
    if (group == 0 || number(d + 5, 4) == 0 || area == 0 || area == 666) return false;
    return area < 900 || group >= 50;
}
static bool gb(const char *d) { /* National Insurance: letters that are never given */
    if (strchr("DFIQUV", d[0]) || strchr("DFIOQUV", d[1]) || d[8] > 'D') return false;
    static const char *const never[] = { "BG", "GB", "KN", "NK", "NT", "TN", "ZZ" };
    for (size_t i = 0; i < sizeof never / sizeof *never; i++)
        if (memcmp(d, never[i], 2) == 0) return false;
    return true;
}
static bool ca(const char *d) { /* Social Insurance */
    return d[0] != '0' && heed__redact_luhn(d, 9);
}
static bool fr(const char *d) { /* NIR: 97 less the rest of 13 digits; Corsica's 2A and 2B */
    char plain[MOST];
    memcpy(plain, d, 15);
    int64_t less = 0, value = 0;
    if (d[5] == '2' && (d[6] == 'A' || d[6] == 'B')) {
        plain[6] = '0';
        less = d[6] == 'A' ? 1000000 : 2000000;
    }
    for (int i = 0; i < 15; i++)
        if (!heed__fold_digit(plain[i])) return false;
    for (int i = 0; i < 13; i++) value = 10 * value + (plain[i] - '0');
    const int month = number(plain + 3, 2);
    if (strchr("123478", d[0]) == NULL || month < 1 || (month > 12 && month < 20)) return false;
    return number(plain + 13, 2) == 97 - (int)((value - less) % 97);
}
static bool es(const char *d) { /* DNI and NIE: letter by the rest of 23; X, Y, Z are 0, 1, 2 */
    char plain[8];
    memcpy(plain, d, 8);
    if (d[0] >= 'X')
        plain[0] = (char)('0' + (d[0] - 'X'));
    else if (!heed__fold_digit(d[0]))
        return false;
    return d[8] == "TRWAGMYFPDXBNJZSQVHLCKE"[number(plain, 8) % 23];
}
static bool it(const char *d) { /* codice fiscale: D.M. 23 dicembre 1976 */
    static const char odd[] = "BAKPLCQDREVOSFTGUHMINJWZYX"; /* letters by their value when odd */
    static const int odd_digit[] = { 1, 0, 5, 7, 9, 13, 15, 17, 19, 21 };
    int sum = 0;
    if (!strchr("ABCDEHLMPRST", d[8])) return false;
    for (int i = 0; i < 15; i++) {
        const int value = heed__fold_digit(d[i]) ? d[i] - '0' : d[i] - 'A';
        if (i % 2)
            sum += value;
        else if (heed__fold_digit(d[i]))
            sum += odd_digit[value];
        else
            sum += (int)(strchr(odd, d[i]) - odd);
    }
    return d[15] == 'A' + sum % 26;
}
static bool be(const char *d) { /* 97 less the rest of nine digits, with a 2 before from 2000 on */
    if (number(d + 2, 2) > 12 || number(d + 4, 2) > 31) return false;
    const int check = number(d + 9, 2), value = number(d, 9);
    return check == 97 - value % 97 || check == 97 - (int)((2000000000LL + value) % 97);
}
static bool pl(const char *d) { /* PESEL: the month tells the century */
    if (!day(2000 + number(d, 2), number(d + 2, 2) % 20, number(d + 4, 2))) return false;
    return (weighted(d, "1379137913") + (d[10] - '0')) % 10 == 0;
}
static bool se(const char *d) { /* personnummer: Luhn; 60 is added to the day of some */
    const int of_month = number(d + 4, 2);
    return day(2000 + number(d, 2), number(d + 2, 2), of_month > 60 ? of_month - 60 : of_month) &&
           heed__redact_luhn(d, 10);
}
static bool se12(const char *d) {
    const int century = number(d, 2);
    return century >= 18 && century <= 20 && se(d + 2);
}
static bool fi(const char *d) { /* henkilötunnus: letter by the rest of 31; d[6]: the century */
    const int value = 1000 * number(d, 6) + number(d + 7, 3);
    if (!strchr("-+ABCDEFYXWVU", d[6])) return false;
    return day(2000, number(d + 2, 2), number(d, 2)) &&
           d[10] == "0123456789ABCDEFHJKLMNPRSTUVWXY"[value % 31];
}
static bool no(const char *d) { /* fødselsnummer: two checks modulo 11; 40 more: D-number */
    const int of_month = number(d, 2) > 40 ? number(d, 2) - 40 : number(d, 2);
    if (!day(2000, number(d + 2, 2), of_month)) return false;
    return (weighted(d, "376189452") + (d[9] - '0')) % 11 == 0 &&
           (weighted(d, "5432765432") + (d[10] - '0')) % 11 == 0;
}
static bool br(const char *d) {                  /* CPF: two checks modulo 11, 10 counts as 0 */
    if (memcmp(d, d + 1, 10) == 0) return false; /* all alike */
    const int one = weighted(d, "A98765432") * 10 % 11 % 10;
    return d[9] - '0' == one && d[10] - '0' == weighted(d, "BA98765432") * 10 % 11 % 10;
}
static bool
in(const char *d) { /* Aadhaar: Verhoeff's checksum, by the dihedral group of order 10 */
    static const char p[8][11] = { "0123456789", "1576283094", "5803796142", "8916043527",
                                   "9453126870", "4286573901", "2793806415", "7046913258" };
    int c = 0;
    for (int i = 0; i < 12; i++) {
        const int e = p[i % 8][d[11 - i] - '0'] - '0';
        const int turn = c < 5 ? (c % 5 + e % 5) % 5 : (c % 5 + 5 - e % 5) % 5;
        c = turn + ((c < 5) == (e < 5) ? 0 : 5);
    }
    return d[0] >= '2' && c == 0;
}
static bool jp(const char *d) { /* My Number */
    const int rest = weighted(d, "65432765432") % 11;
    return d[11] - '0' == (rest <= 1 ? 0 : 11 - rest);
}
static bool in_or_jp(const char *d) {
    return in(d) || jp(d);
}
static bool kr(const char *d) { /* no check digit since October 2020 */
    return d[6] != '9' && short_day(d);
}
static bool tw(const char *d) {
    static const char letters[] = "ABCDEFGHJKLMNPQRSTUVXYWZIO"; /* 10 to 35 */
    const int value = (int)(strchr(letters, d[0]) - letters) + 10;
    if (!strchr("1289", d[1])) return false;
    return (value / 10 + value % 10 * 9 + weighted(d + 1, "876543211")) % 10 == 0;
}
static bool sg(const char *d) { /* NRIC and FIN: letter by the rest of 11 */
    const int sum = weighted(d + 1, "2765432");
    switch (d[0]) {
    case 'S':
        return d[8] == "JZIHGFEDCBA"[sum % 11];
    case 'T':
        return d[8] == "JZIHGFEDCBA"[(sum + 4) % 11];
    case 'F':
        return d[8] == "XWUTRQPNMLK"[sum % 11];
    case 'G':
        return d[8] == "XWUTRQPNMLK"[(sum + 4) % 11];
    case 'M':
        return d[8] == "KLJNPQRTUWX"[10 - (sum + 3) % 11];
    default:
        return false;
    }
}
static bool hk(const char *d) { /* one letter; a blank before it counts 36 */
    const int check = d[7] == 'A' ? 10 : d[7] - '0';
    const int sum = 36 * 9 + (d[0] - 'A' + 10) * 8 + weighted(d + 1, "765432");
    return check <= 10 && (sum + check) % 11 == 0;
}
static bool ru(const char *d) { /* SNILS */
    const int rest = weighted(d, "987654321") % 101;
    return number(d + 9, 2) == rest % 100;
}
static bool tr(const char *d) { /* two checks; the first digit is not 0 */
    const int odd = (d[0] + d[2] + d[4] + d[6] + d[8]) - 5 * '0';
    const int even = (d[1] + d[3] + d[5] + d[7]) - 4 * '0';
    return d[0] != '0' && d[9] - '0' == ((7 * odd - even) % 10 + 10) % 10 &&
           d[10] - '0' == (odd + even + d[9] - '0') % 10;
}
static bool mx(const char *d) { /* CURP; letters from A are 10 on, N-tilde after N */
    int sum = 0;
    for (int i = 0; i < 17; i++) {
        const int c = d[i];
        const int value = heed__fold_digit(c) ? c - '0' : c - 'A' + 10 + (c > 'N');
        sum += value * (18 - i);
    }
    return strchr("HMX", d[10]) && day(2000, number(d + 6, 2), number(d + 8, 2)) &&
           d[17] - '0' == (10 - sum % 10) % 10;
}
static bool bare11(const char *d) {
    return pl(d) || be(d) || no(d) || br(d) || tr(d);
}

/* 9: a digit; A: a letter; C: either; -: a separator ('-' or a blank, the same everywhere); _: one
 * or none ('-', '.', '/' or a blank); S: '-', '+' or a letter; others: themselves. */
static const struct {
    const char *shape;
    bool (*check)(const char *plain);
} ids[] = {
    { "99999999999999999C", cn18 },
    { "999999999999999", cn15 },
    { "999999 99999999 999C", cn18 },
    { "999-99-9999", us },
    { "AA_99_99_99_A", gb },
    { "999-999-999", ca },
    { "9_99_99_9C_999_999_99", fr },
    { "99999999_A", es },
    { "A_9999999_A", es },
    { "AAAAAA99A99A999A", it },
    { "99.99.99_999.99", be },
    { "999999S9999", se },
    { "99999999S9999", se12 },
    { "999999S999C", fi },
    { "999999-99999", no },
    { "999.999.999-99", br },
    { "9999-9999-9999", in_or_jp },
    { "999999-9999999", kr },
    { "A999999999", tw },
    { "A9999999A", sg },
    { "A999999(C)", hk },
    { "999-999-999-99", ru },
    { "999-999-999 99", ru },
    { "99999999999", bare11 },
    { "AAAA999999AAAAAAC9", mx },
};

static bool plain_word(int c) {
    return heed__fold_digit(c) || heed__fold_letter(c) || c == '_';
}

/* Whether the shape stands at `at`: the end, and the number without separators; 0: not. */
static int64_t match(const heed__fold *f, int64_t at, const char *shape, char *plain) {
    int len = 0, separator = 0;
    for (; *shape; shape++) {
        const int c = heed__fold_upper(heed__fold_at(f, at));
        const bool digit = heed__fold_digit(c), letter = c >= 'A' && c <= 'Z';
        bool fits = false, kept = true;
        switch (*shape) {
        case '9':
            fits = digit;
            break;
        case 'A':
            fits = letter;
            break;
        case 'C':
            fits = digit || letter;
            break;
        case 'S':
            fits = letter || c == '-' || c == '+';
            break;
        case '_':
            if (c != '-' && c != ' ' && c != '.' && c != '/') continue;
            fits = true, kept = false;
            break;
        case '-':
            fits = (c == '-' || c == ' ') && (!separator || c == separator);
            separator = c, kept = false;
            break;
        default:
            fits = c == *shape, kept = false;
            break;
        }
        if (!fits) return 0;
        if (kept) plain[len++] = (char)c;
        at++;
    }
    plain[len] = 0;
    const int after = heed__fold_at(f, at);
    if (plain_word(after)) return 0;
    if (separator && after == separator && heed__fold_digit(heed__fold_at(f, at + 1))) return 0;
    return at;
}

int64_t heed__redact_id(const heed__fold *f, int64_t at, int64_t *begin) {
    (void)begin;
    const int c = f->code[at], before = heed__fold_at(f, at - 1);
    if ((!heed__fold_digit(c) && !heed__fold_letter(c)) || plain_word(before)) return 0;
    if ((before == '-' || before == '.') && heed__fold_digit(heed__fold_at(f, at - 2))) return 0;
    char plain[MOST + 4];
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        const int64_t end = match(f, at, ids[i].shape, plain);
        if (!end) continue;
        /* a personnummer keeps its sign, which its check does not want */
        if (ids[i].check == se) memmove(plain + 6, plain + 7, 5);
        if (ids[i].check == se12) memmove(plain + 8, plain + 9, 5);
        if (ids[i].check(plain)) return end;
    }
    return 0;
}
