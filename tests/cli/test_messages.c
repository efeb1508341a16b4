/* test_messages.c: the program's messages in other languages: every key is a text of the sources
 * and every text that is asked for has a translation, with the same arguments; finished sentences
 * are known again. The tables and what reads them belong to the program, not to the library, and
 * so are part of this file. */
#include "app/messages.c"
#include "app/messages_zh_data.c"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

/* -- the texts of the sources */

typedef struct literal {
    char *text;
    bool asked; /* for, by tr() */
    bool own;   /* the program's, not the library's */
} literal;

static literal *literals;
static size_t count, room;
static bool in_program; /* the file that is read */

static void add(const char *text, bool asked) {
    if (count == room) {
        room = room ? 2 * room : 4096;
        literals = realloc(literals, room * sizeof *literals);
        assert_non_null(literals);
    }
    literals[count].text = strdup(text);
    literals[count].own = in_program;
    literals[count++].asked = asked;
}

/* The bytes of a string literal from its opening quote on, added to text; what follows it. */
static const char *take_string(const char *s, char *text, size_t size) {
    size_t at = strlen(text);
    for (s++; *s && *s != '"'; s++) {
        char c = *s;
        if (c == '\\') {
            c = *++s;
            if (c >= '0' && c <= '7') {
                char *end;
                char digits[4] = { s[0], s[1] && strchr("01234567", s[1]) ? s[1] : 0, 0, 0 };
                if (digits[1] && s[2] && strchr("01234567", s[2])) digits[2] = s[2];
                c = (char)strtol(digits, &end, 8);
                s += end - digits - 1;
            } else {
                c = c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c;
            }
        }
        if (at + 1 < size) text[at++] = c;
    }
    text[at] = 0;
    return *s ? s + 1 : s;
}

static const char *to_token(const char *s) {
    for (;;) {
        s += strspn(s, " \t\n");
        if (strncmp(s, "/*", 2) != 0) return s;
        const char *end = strstr(s, "*/");
        s = end ? end + 2 : s + strlen(s);
    }
}

/* Adds each run of neighbouring literals, in which PRId64 stands for what it is. */
static void read_source(const char *source) {
    static char text[1 << 20];
    char before[4] = "   ";
    for (const char *s = to_token(source); *s; s = to_token(s)) {
        if (*s == '\'') {
            s += s[1] == '\\' ? 3 : 2;
            s += strcspn(s, "'") + 1;
        } else if (*s == '"') {
            text[0] = 0;
            while (*s == '"' || strncmp(s, "PRId64", 6) == 0) {
                if (*s == '"') {
                    s = take_string(s, text, sizeof text);
                } else {
                    strncat(text, PRId64, sizeof text - strlen(text) - 1);
                    s += 6;
                }
                s = to_token(s);
            }
            add(text, strcmp(before, "tr(") == 0);
        } else {
            memmove(before, before + 1, 2); /* the last three letters */
            before[2] = *s++;
        }
    }
}

static void read_file(const char *path) {
    FILE *from = fopen(path, "r");
    assert_non_null(from);
    in_program = strstr(path, "/app/") != NULL;
    char *source = NULL;
    size_t size = 0;
    const ssize_t n = getdelim(&source, &size, 0, from);
    fclose(from);
    if (n > 0) read_source(source);
    free(source);
}

static void read_folder(const char *folder) {
    DIR *d = opendir(folder);
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d));) {
        char path[4096];
        struct stat st;
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        const char *end = strrchr(e->d_name, '.');
        if (e->d_name[0] == '.' || strncmp(e->d_name, "messages_", 9) == 0 || stat(path, &st))
            continue;
        if (S_ISDIR(st.st_mode))
            read_folder(path);
        else if (end && strcmp(end, ".c") == 0)
            read_file(path);
    }
    closedir(d);
}

/* Also "X: %s" where X is one: the system's own reason is put behind it (base/file.c). own: the
 * program says it. */
static bool is_text(const char *key, bool own) {
    const size_t size = strlen(key),
                 bare = size > 4 && strcmp(key + size - 4, ": %s") == 0 ? size - 4 : 0;
    for (size_t i = 0; i < count; i++) {
        const char *text = literals[i].text;
        if (own && !literals[i].own) continue;
        if (strcmp(text, key) == 0 ||
            (bare && strlen(text) == bare && strncmp(text, key, bare) == 0))
            return true;
    }
    return false;
}

static void test_keys_are_texts(void **state) {
    (void)state;
    const message *const tables[] = { messages_zh, messages_zh_made };
    int missing = 0;
    assert_true(count > 3000);
    for (int k = 0; k < 2; k++)
        for (const message *m = tables[k]; m->english; m++)
            /* what the library fills in reaches the program filled in: its format is none to look
             * for; a word of the library is */
            if (!is_text(m->english, k == 0 && strchr(m->english, '%'))) {
                print_error("no source%s says \"%s\"\n", k ? "" : " of the program",
                            m->english);
                missing++;
            }
    assert_int_equal(missing, 0);
}

static void test_what_is_asked_for_is_there(void **state) {
    (void)state;
    size_t asked = 0;
    for (size_t i = 0; i < count; i++) {
        if (!literals[i].asked) continue;
        asked++;
        if (!find(messages_zh, literals[i].text))
            fail_msg("no Chinese for \"%s\"", literals[i].text);
    }
    assert_true(asked > 80);
}

/* -- arguments */

enum { MOST = 16 };

/* The conversions of a format, each as its kind with its length ("ld"), at its argument's place. */
static int arguments(const char *format, char kinds[MOST][8]) {
    int n = 0;
    for (; *format; format++) {
        if (*format != '%') continue;
        char kind;
        int number;
        const char *from = format + 1;
        const size_t size = conversion(from, &kind, &number);
        format += size;
        if (!strchr("sdiuxfgecm", kind)) continue; /* a percent sign */
        const char *length = from + strcspn(from, "hlzjtsdiuxfgecm");
        const int at = number ? number - 1 : n;
        assert_in_range(at, 0, MOST - 1);
        snprintf(kinds[at], 8, "%.*s%s", (int)(from + size - length), length,
                 memchr(from, '*', size) ? "*" : "");
        n++;
    }
    return n;
}

static void test_formats_agree(void **state) {
    (void)state;
    for (const message *m = messages_zh; m->english; m++) {
        char a[MOST][8] = { "" }, b[MOST][8] = { "" };
        const int n = arguments(m->english, a), k = arguments(m->text, b);
        if (n != k || memcmp(a, b, sizeof a) != 0)
            fail_msg("other arguments: \"%s\" and \"%s\"", m->english, m->text);
        assert_true(*m->text);
    }
    const message *const tables[] = { messages_zh_made, messages_zh_joined };
    for (int t = 0; t < 2; t++)
        for (const message *m = tables[t]; m->english; m++) {
            char a[MOST][8] = { "" }, b[MOST][8] = { "" };
            const int n = arguments(m->english, a);
            arguments(m->text, b);
            for (int i = 0; i < MOST; i++) {
                const bool text = strcmp(b[i], "s") == 0 || strcmp(b[i], "m") == 0;
                if (b[i][0] && (i >= n || !text)) fail_msg("no such argument: \"%s\"", m->text);
            }
        }
}

static void test_no_key_twice(void **state) {
    (void)state;
    const message *const tables[] = { messages_zh, messages_zh_made, messages_zh_joined };
    for (int t = 0; t < 3; t++)
        for (const message *m = tables[t]; m->english; m++)
            if (find(m + 1, m->english)) fail_msg("twice: \"%s\"", m->english);
}

/* -- sentences */

static void expect(const char *english, const char *chinese) {
    char to[MESSAGE_SIZE];
    assert_string_equal(tr_made(english, to), chinese);
}

static void test_sentences(void **state) {
    (void)state;
    assert_true(messages_choose("zh"));
    expect("a.tsv: cannot be opened: No such file or directory",
           "a.tsv：无法打开：没有这个文件或目录");
    expect("b.tsv:3: the label is empty (and 2 more lines are wrong)",
           "b.tsv:3: 标签为空（另有 2 行有误）");
    expect("a.tsv:7: 3 columns where there should be 2", "a.tsv:7: 有 3 列，应为 2 列");
    expect("tab-separated; text from column 'text', label from column 'coarse'",
           "制表符分隔；文本取自列 'text'，标签取自列 'coarse'");
    expect("nothing that is known", "nothing that is known");
    expect("m.run: the training that was stopped there begins anew: it is not gone on with",
           "m.run：那里已停止的训练重新开始，不再接着进行");
    expect("train: label_smoothing is 1, not 0 to below 1",
           "训练：label_smoothing 是 1，应从 0 起、小于 1");
    expect("train: dropout is 0.999999999, not below 0.99999997",
           "训练：dropout 是 0.999999999，应小于 0.99999997");
    expect("", "");
    char longest[4 * MESSAGE_SIZE], to[MESSAGE_SIZE];
    memset(longest, 'x', sizeof longest);
    snprintf(longest + sizeof longest - 20, 20, ": out of memory");
    assert_string_equal(
        tr_made("train: stopped in epoch 2; a/m.run has what a resume needs; the best so far is in "
                "a/m; the same command with --resume goes on",
                to),
        "训练：在第 2 轮停止；a/m.run 存有接着训练所需的内容；目前最好的模型在 a/m；同一命令加 "
        "--resume 可接着训练");
    assert_true(strlen(tr_made(longest, to)) < sizeof longest);
    assert_true(messages_choose("en"));
    expect("a.tsv: out of memory", "a.tsv: out of memory");
    assert_false(messages_choose("fr"));
    assert_string_equal(tr("Test Loss"), "Test Loss");
}

static void test_locales(void **state) {
    (void)state;
    assert_true(is_chinese("zh_CN.UTF-8") && is_chinese("zh") && is_chinese("zh_TW.utf8"));
    assert_false(is_chinese("zh_CN.GB18030") || is_chinese("C") || is_chinese("zhx_XX.UTF-8"));
}

int main(void) {
    read_folder(HEED_SOURCE_DIR "/src");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys_are_texts), cmocka_unit_test(test_what_is_asked_for_is_there),
        cmocka_unit_test(test_formats_agree),  cmocka_unit_test(test_no_key_twice),
        cmocka_unit_test(test_sentences),      cmocka_unit_test(test_locales),
    };
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    for (size_t i = 0; i < count; i++) free(literals[i].text);
    free(literals);
    return failed;
}
