/* flow_values.c: times, sizes and rates as people write them, and the nearest known word. */
#include <string.h>

#include "base/text.h"
#include "flow/flow_decode.h"

typedef struct unit {
    const char *name;
    double value;
} unit;

/* The next number (digits, perhaps with a point) and its unit; text moves behind both. */
static bool number_and_unit(const char **text, const unit *units, double *value) {
    const char *at = *text;
    size_t n = strspn(at, "0123456789.");
    double x;
    if (n == 0 || !heed__parse_double(at, n, &x)) return false;
    at += n;
    at += strspn(at, " ");
    n = strspn(at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
    for (const unit *u = units; n > 0 && u->name; u++) {
        if (strlen(u->name) != n || strncmp(u->name, at, n) != 0) continue;
        *value = x * u->value;
        *text = at + n;
        return true;
    }
    return false;
}

bool flow__time(const char *text, int64_t *ms) {
    static const unit units[] = { { "ms", 1 },       { "s", 1e3 },    { "m", 60e3 },
                                  { "min", 60e3 },   { "h", 3600e3 }, { "d", 86400e3 },
                                  { "w", 604800e3 }, { NULL, 0 } };
    double sum = 0;
    if (strcmp(text, "0") == 0) return *ms = 0, true;
    do {
        double x;
        if (!number_and_unit(&text, units, &x)) return false;
        sum += x;
        text += strspn(text, " ");
    } while (*text);
    if (sum > 1e15) return false;
    *ms = (int64_t)(sum + 0.5);
    return true;
}

bool flow__size(const char *text, double *bytes) {
    static const unit units[] = { { "B", 1 },         { "kB", 1e3 },         { "KB", 1e3 },
                                  { "MB", 1e6 },      { "GB", 1e9 },         { "KiB", 1024 },
                                  { "MiB", 1048576 }, { "GiB", 1073741824 }, { NULL, 0 } };
    return number_and_unit(&text, units, bytes) && !*text && *bytes < 1e15;
}

bool flow__rate(const char *text, double *a_second) {
    static const unit units[] = {
        { "s", 1 }, { "m", 60 }, { "min", 60 }, { "h", 3600 }, { "d", 86400 }
    };
    const char *slash = strchr(text, '/');
    if (!slash || slash == text) return false;
    size_t n = (size_t)(slash - text);
    while (n > 0 && text[n - 1] == ' ') n--;
    double x;
    if (!heed__parse_double(text, n, &x) || x < 0) return false;
    const char *per = slash + 1 + strspn(slash + 1, " ");
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (strcmp(per, units[i].name) != 0) continue;
        *a_second = x / units[i].value;
        return true;
    }
    return false;
}

bool flow__has_word(const char *words, const char *word) {
    const size_t len = strlen(word);
    for (const char *at = words; at && *at;) {
        const size_t n = strcspn(at, " ");
        if (n == len && strncmp(at, word, n) == 0) return true;
        at += n + (at[n] == ' ');
    }
    return false;
}

const char *flow__meant(const char *word, const char *words, char *room, size_t size) {
    const size_t len = strlen(word);
    size_t nearest = len / 3 + 1, found_len = 0;
    const char *found = NULL;
    for (const char *at = words; at && *at;) {
        const size_t n = strcspn(at, " ");
        const size_t d = heed__text_distance(word, len, at, n);
        if (d <= nearest && d < n && (!found || d < nearest)) {
            nearest = d;
            found = at;
            found_len = n;
        }
        at += n + (at[n] == ' ');
    }
    room[0] = 0;
    if (found) heed__format(room, size, "; did you mean '%.*s'?", (int)found_len, found);
    return room;
}
