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
    case OPT_PATH:
        if (!value[0]) return fail(c, "--%s wants a name, not ''", o->name, NULL);
        *(const char **)o->to = value;
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

void opt_meant_by(opt_meant *m, const char *name) {
    const bool begun = m->len > 2 && strncmp(name, m->said, m->len) == 0;
    const size_t n = begun ? 1 : heed__text_distance(m->said, m->len, name, strlen(name));
    if (n * 3 > m->len || n >= HEED_WORD_MOST) return; /* a third of the bytes at most */
    if (m->name && n >= m->changes) return;
    m->name = name;
    m->changes = n;
}

/* What is written `--NAME` or `--NAME=VALUE` is no option. */
static int fail_unknown(const opt_command *c, const char *arg, size_t len) {
    opt_meant m = { .said = arg + 2, .len = len > 2 ? len - 2 : 0 };
    for (const opt *o = c->options; arg[1] == '-' && o->name; o++)
        if (o->help) opt_meant_by(&m, o->name);
    if (!m.name) return fail(c, "no option '%s'", arg, NULL);
    print_command(c);
    complain(tr("no option '%s'; did you mean --%s?\n"), arg, m.name);
    return -2;
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
            if (!arg[0]) return fail(c, "an argument is empty", NULL, NULL);
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
