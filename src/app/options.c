/* options.c: command lines as data. */
#include "app/options.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

static void print_help(const opt_command *c) {
    printf("%s\n\n%s\n", c->usage, c->summary);
    if (c->options->name) printf("\n");
    for (const opt *o = c->options; o->name; o++) {
        char left[48], shorter[8] = "";
        if (o->short_name) snprintf(shorter, sizeof shorter, "-%c, ", o->short_name);
        snprintf(left, sizeof left, "%s--%s%s%s", shorter, o->name, o->value ? " " : "",
                 o->value ? o->value : "");
        printf("  %-22s %s\n", left, o->help);
    }
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

static int fail(const opt_command *c, const char *format, const char *a, const char *b) {
    const int words = (int)strcspn(c->usage, "ABCDEFGHIJKLMNOPQRSTUVWXYZ[");
    fprintf(stderr, "%.*s: ", words - 1, c->usage); /* the words before the first operand */
    fprintf(stderr, format, a, b);
    fprintf(stderr, "; see --help\n");
    return -2;
}

static int set(const opt_command *c, const opt *o, const char *value) {
    char want[96];
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
    snprintf(want, sizeof want, "--%s wants a %s from %.16g to %.16g, not", o->name,
             o->kind == OPT_INT ? "whole number" : "number", o->low, o->high);
    return fail(c, "%s '%s'", want, value);
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
    int n = 0;
    bool only_operands = false;
    for (int i = 0; i < argc; i++) {
        const char *arg = argv[i];
        if (only_operands || arg[0] != '-' || arg[1] == 0) {
            if (n == c->most) return fail(c, "one argument too many: '%s'%s", arg, "");
            operand[n++] = arg;
            continue;
        }
        if (strcmp(arg, "--") == 0) {
            only_operands = true;
            continue;
        }
        if (strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0) {
            print_help(c);
            return -1;
        }
        const size_t len = strcspn(arg, "=");
        const opt *o = named(c, arg, len);
        if (!o) return fail(c, "no option '%s'%s", arg, "");
        const char *value = arg[len] ? arg + len + 1 : NULL;
        if (o->kind == OPT_FLAG && value)
            return fail(c, "--%s takes no value, not '%s'", o->name, value);
        if (o->kind != OPT_FLAG && !value) {
            if (i + 1 == argc) return fail(c, "--%s wants a value%s", o->name, "");
            value = argv[++i];
        }
        if (set(c, o, value)) return -2;
    }
    if (n < c->least)
        return fail(c, "%s%s", n ? "an argument is missing" : "arguments are missing", "");
    return n;
}
