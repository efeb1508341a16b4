/* options.c: command lines as data. */
#include "app/messages.h"
#include "app/options.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

static void print_help(const opt_command *c) {
    printf("%s\n\n%s\n", tr(c->usage), tr(c->summary));
    printf("\n");
    for (const opt *o = c->options; o->name; o++) {
        if (!o->help) continue;
        char left[48], shorter[8] = "";
        if (o->short_name) snprintf(shorter, sizeof shorter, "-%c, ", o->short_name);
        snprintf(left, sizeof left, "%s--%s%s%s", shorter, o->name, o->value ? " " : "",
                 o->value ? o->value : "");
        printf("  %-22s %s\n", left, tr(o->help));
    }
    printf("  %-22s %s\n", "--lang L", tr("language of messages: en or zh"));
}

bool opt_int(const char *text, double low, double high, int64_t *to) {
    int64_t x = 0;
    if (!heed__parse_int(text, strlen(text), &x) || (double)x < low || (double)x > high)
        return false;
    *to = x;
    return true;
}

static bool real(const char *text, double low, double high, double *to) {
    double x = 0;
    if (!heed__parse_double(text, strlen(text), &x) || x < low || x > high) return false;
    *to = x;
    return true;
}

/* Prints the words before the first operand: whose sentence follows. */
static void print_command(const opt_command *c) {
    const int words = (int)strcspn(c->usage, "ABCDEFGHIJKLMNOPQRSTUVWXYZ[");
    complain("%.*s: ", words - 1, c->usage);
}

static int end_sentence(void) {
    complain("%s", tr("; see --help\n"));
    return -2;
}

static int fail(const opt_command *c, const char *format, const char *a, const char *b) {
    print_command(c);
    complain(tr(format), a, b);
    return end_sentence();
}

static int fail_range(const opt_command *c, const opt *o, const char *value) {
    print_command(c);
    complain(o->kind == OPT_INT ? tr("--%s wants a whole number from %.16g to %.16g, not '%s'")
                                : tr("--%s wants a number from %.16g to %.16g, not '%s'"),
             o->name, o->low, o->high, value);
    return end_sentence();
}

static int set(const opt_command *c, const opt *o, const char *value) {
    bool ok = true;
    switch (o->kind) {
    case OPT_FLAG:
        *(bool *)o->to = true;
        break;
    case OPT_TEXT:
        *(const char **)o->to = value;
        break;
    case OPT_INT:
        ok = opt_int(value, o->low, o->high, o->to);
        break;
    case OPT_REAL:
        ok = real(value, o->low, o->high, o->to);
        break;
    }
    if (ok) return 0;
    return fail_range(c, o, value);
}

enum { LONGEST = 32 }; /* bytes of a name that may be meant by another, and one more */

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

/* Letters put in, left out, changed or swapped with their neighbours between a and b, of at most
 * LONGEST - 1 bytes each. */
static size_t changes(const char *a, size_t a_len, const char *b, size_t b_len) {
    size_t row[3][LONGEST] = { { 0 } }; /* of the last two letters of a, and of this one */
    for (size_t j = 0; j <= b_len; j++) row[0][j] = j;
    for (size_t i = 1; i <= a_len; i++) {
        size_t *now = row[i % 3], *last = row[(i - 1) % 3];
        now[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            now[j] = least(least(last[j], now[j - 1]) + 1, last[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                now[j] = least(now[j], row[(i - 2) % 3][j - 2] + 1);
        }
    }
    return row[a_len % 3][b_len];
}

void opt_meant_by(opt_meant *m, const char *name) {
    const size_t len = strlen(name);
    if (len >= LONGEST || m->len >= LONGEST || m->len < 3) return;
    const bool begun = strncmp(name, m->said, m->len) == 0;
    const size_t n = begun ? 1 : changes(m->said, m->len, name, len);
    if (n * 3 > m->len || (m->name && n >= m->changes)) return; /* a third at most */
    m->name = name;
    m->changes = n;
}

/* What is written `--NAME` or `--NAME=VALUE` is no option. */
static int fail_unknown(const opt_command *c, const char *arg, size_t len) {
    opt_meant m = { .said = arg + 2, .len = len > 2 ? len - 2 : 0 };
    for (const opt *o = c->options; arg[1] == '-' && o->name; o++)
        if (o->help) opt_meant_by(&m, o->name);
    if (m.name) return fail(c, "no option '%s' (is --%s meant?)", arg, m.name);
    return fail(c, "no option '%s'", arg, NULL);
}

static const opt *named(const opt_command *c, const char *arg, size_t len) {
    for (const opt *o = c->options; o->name; o++) {
        if (arg[1] == '-' && strlen(o->name) == len - 2 && strncmp(o->name, arg + 2, len - 2) == 0)
            return o;
        if (arg[1] != '-' && len == 2 && o->short_name && o->short_name == arg[1]) return o;
    }
    return NULL;
}

int opt_read(const opt_command *c, int argc, char **argv, const char **operand) {
    const char *name;
    const opt language = { .name = "lang", .kind = OPT_TEXT, .to = &name };
    int n = 0;
    bool only_operands = false;
    for (int i = 0; i < argc; i++) {
        const char *arg = argv[i];
        if (only_operands || arg[0] != '-' || arg[1] == 0) {
            if (n == c->most) return fail(c, "one argument too many: '%s'", arg, NULL);
            operand[n++] = arg;
            continue;
        }
        if (strcmp(arg, "--") == 0) {
            only_operands = true;
            continue;
        }
        if (strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0) {
            for (; i + 1 < argc; i++)
                if (strcmp(argv[i], "--lang") == 0) messages_choose(argv[i + 1]);
            print_help(c);
            return -1;
        }
        const size_t len = strcspn(arg, "=");
        const opt *o = named(c, arg, len);
        if (!o && len == 6 && strncmp(arg, "--lang", len) == 0) o = &language;
        if (!o) return fail_unknown(c, arg, len);
        const char *value = arg[len] ? arg + len + 1 : NULL;
        if (o->kind == OPT_FLAG && value)
            return fail(c, "--%s takes no value, not '%s'", o->name, value);
        if (o->kind != OPT_FLAG && !value) {
            if (i + 1 == argc) return fail(c, "--%s wants a value", o->name, NULL);
            value = argv[++i];
        }
        if (set(c, o, value)) return -2;
        if (o == &language && !messages_choose(value))
            return fail(c, "--%s is en or zh, not '%s'", o->name, value);
    }
    if (n < c->least)
        return fail(c, n ? "an argument is missing" : "arguments are missing", NULL, NULL);
    return n;
}
