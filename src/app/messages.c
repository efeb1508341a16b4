/* messages.c: the language that was chosen, messages by their English text, and finished sentences
 * by the formats that they were made with. */
#include "app/messages.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <utf8proc.h>

#include "base/text.h"

enum { ARGS = 9, DEPTH = 3 };

static enum { UNKNOWN, ENGLISH, CHINESE } language;

/* -- the language */

/* A locale such as zh_CN.UTF-8. */
static bool is_chinese(const char *locale) {
    if (strncmp(locale, "zh", 2) != 0 || (locale[2] && !strchr("_-.@", locale[2]))) return false;
    const char *coding = strchr(locale, '.');
    return !coding || strncasecmp(coding, ".utf-8", 6) == 0 || strncasecmp(coding, ".utf8", 5) == 0;
}

bool messages_choose(const char *name) {
    if (strcmp(name, "en") != 0 && strcmp(name, "zh") != 0) return false;
    language = name[0] == 'z' ? CHINESE : ENGLISH;
    return setenv("HEED_LANG", name, 1) == 0;
}

static bool in_english(void) {
    static const char *const names[] = { "HEED_LANG", "LC_ALL", "LC_MESSAGES", "LANG" };
    for (int i = 0; language == UNKNOWN && i < 4; i++) {
        const char *value = getenv(names[i]);
        if (value && *value) language = is_chinese(value) ? CHINESE : ENGLISH;
    }
    return language != CHINESE;
}

const char *messages_language(void) {
    return in_english() ? "en" : "zh";
}

/* -- messages by their text */

static const char *find(const message *in, const char *english) {
    for (; in->english; in++)
        if (strcmp(in->english, english) == 0) return in->text;
    return NULL;
}

const char *tr(const char *english) {
    const char *text = in_english() ? NULL : find(messages_zh, english);
    return text ? text : english;
}

/* -- sentences by their formats */

typedef struct argument {
    const char *at;
    size_t size;
} argument;

/* A conversion such as %.40s: its bytes after '%', its kind, and N of %N$s (0: the next one). */
static size_t conversion(const char *after, char *kind, int *number) {
    size_t n = strspn(after, "0123456789");
    *number = n && after[n] == '$' ? (int)strtol(after, NULL, 10) : 0;
    n = strspn(after, "0123456789$+-#.*hlzjt");
    *kind = after[n];
    return n + (after[n] != 0);
}

/* Whether text is made with format; then a[0..] are its arguments. The shortest text is tried first
 * for a %s. */
static bool made_with(const char *format, const char *text, argument a[ARGS], int len) {
    for (; *format; format++, text++) {
        if (*format != '%') {
            if (*format != *text) return false;
            continue;
        }
        char kind;
        int number;
        const char *rest = format + 1 + conversion(format + 1, &kind, &number);
        if (kind == '%') {
            if (*text != '%') return false;
            format = rest - 1;
            continue;
        }
        if (len == ARGS) return false;
        size_t size = kind == 's' || kind == 'c' ? 0 : strspn(text, "+-.0123456789abcdefinx");
        if (kind != 's' && kind != 'c') {
            a[len] = (argument){ text, size };
            return size > 0 && made_with(rest, text + size, a, len + 1);
        }
        for (;; size++) {
            a[len] = (argument){ text, size };
            if (made_with(rest, text + size, a, len + 1)) return true;
            if (!text[size]) return false;
        }
    }
    return *text == 0;
}

/* Whether what stands between the arguments is in text, one after another: asked first, for to try
 * where each %s ends takes long. */
static bool may_be_made_with(const char *format, const char *text) {
    const char *end = text + strlen(text);
    while (*format) {
        const size_t n = strcspn(format, "%");
        const char *at = memmem(text, (size_t)(end - text), format, n);
        if (!at) return false;
        text = at + n;
        format += n;
        char kind;
        int number;
        if (*format) format += 1 + conversion(format + 1, &kind, &number);
    }
    return true;
}

/* How much of a sentence its format knows: letters, and numbers, which count as two. */
static size_t letters(const char *format) {
    size_t n = 0;
    for (; *format; format++) {
        char kind;
        int number;
        if (*format == '%') {
            format += conversion(format + 1, &kind, &number);
            n += kind == 's' || kind == 'c' ? 0 : 2;
        } else {
            n++;
        }
    }
    return n;
}

/* The entry whose format the sentence is made with, the one that knows most of it. */
static const message *known(const message *in, const char *sentence, argument a[ARGS]) {
    const message *best = NULL;
    size_t most = 0;
    for (; in->english; in++) {
        argument own[ARGS] = { { NULL, 0 } };
        const size_t n = letters(in->english);
        if ((best && n <= most) || !may_be_made_with(in->english, sentence) ||
            !made_with(in->english, sentence, own, 0))
            continue;
        best = in;
        most = n;
        memcpy(a, own, sizeof own);
    }
    return best;
}

static const char *made(const char *sentence, char *to, size_t size, int depth);

static size_t put(char *to, size_t size, size_t at, const char *text, size_t len) {
    if (at + len >= size) len = at < size ? size - at - 1 : 0;
    memcpy(to + at, text, len);
    return at + len;
}

/* Puts an argument, which is a message where kind is 'm'. */
static size_t put_argument(char *to, size_t size, size_t at, const argument *x, char kind,
                           int depth) {
    char text[MESSAGE_SIZE], other[MESSAGE_SIZE];
    if (kind != 'm' || x->size >= sizeof text) return put(to, size, at, x->at, x->size);
    memcpy(text, x->at, x->size);
    text[x->size] = 0;
    const char *said = made(text, other, sizeof other, depth + 1);
    return put(to, size, at, said, strlen(said));
}

static const char *write_with(const char *format, const argument a[ARGS], char *to, size_t size,
                              int depth) {
    size_t at = 0;
    int next = 0;
    for (; *format; format++) {
        if (*format != '%') {
            at = put(to, size, at, format, 1);
            continue;
        }
        char kind;
        int number;
        format += conversion(format + 1, &kind, &number);
        const int i = number ? number - 1 : next++;
        if (kind == '%')
            at = put(to, size, at, "%", 1);
        else if (i >= 0 && i < ARGS && a[i].at)
            at = put_argument(to, size, at, &a[i], kind, depth);
        if (kind == '%' && !number) next--;
    }
    to[at] = 0;
    return to;
}

static const char *made(const char *sentence, char *to, size_t size, int depth) {
    argument a[ARGS];
    if (depth > DEPTH || !*sentence) return sentence;
    const message *m = known(messages_zh_made, sentence, a);
    argument joined[ARGS];
    const message *j = known(messages_zh_joined, sentence, joined);
    if (j && (!m || letters(j->english) > letters(m->english)))
        return write_with(j->text, joined, to, size, depth);
    return m ? write_with(m->text, a, to, size, depth) : sentence;
}

const char *tr_made(const char *sentence, char to[MESSAGE_SIZE]) {
    return in_english() ? sentence : made(sentence, to, MESSAGE_SIZE, 0);
}

/* -- what goes wrong */

void complain(const char *format, ...) {
    char line[8192];
    va_list args;
    va_start(args, format);
    const bool cut = vsnprintf(line, sizeof line, format, args) >= (int)sizeof line;
    va_end(args);
    const size_t len = strlen(line), size = strlen(format);
    const bool ends = cut ? format[size - 1] == '\n' : len && line[len - 1] == '\n';
    if (ends && !cut) line[len - 1] = 0;
    heed__text_tidy(line);
    fprintf(stderr, "%s%s", line, ends ? "\n" : "");
}

/* -- cells */

int cell_width(const char *text) {
    const utf8proc_uint8_t *at = (const utf8proc_uint8_t *)text;
    int width = 0;
    utf8proc_int32_t point;
    for (utf8proc_ssize_t n; *at && (n = utf8proc_iterate(at, -1, &point)) > 0; at += n)
        width += utf8proc_charwidth(point);
    return width;
}

void print_cell(const char *text, int columns) {
    const int width = cell_width(text);
    const int left = columns < 0, room = left ? -columns : columns;
    const int blanks = room > width ? room - width : 0;
    printf("%*s%s%*s", left ? 0 : blanks, "", text, left ? blanks : 0, "");
}
