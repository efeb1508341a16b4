/* test_memory.c: `heed train` says before its first step how much memory it will take at most, and
 * takes no more than that, whatever the recipe and however many trainings are behind one command;
 * nor does it say far too much. HEED names the program. */
#include "cmocka_all.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    ARGUMENTS = 8,
    FEW = 1000,
    CODE = 2000000 /* bytes: the program's is told whole, and in memory where it is used */
};
static char dir[] = "/tmp/heed-memory-XXXXXX", model[64];
/* What is learnt from or tested on, each a file. */
static char whole[] = "data/banking77/train.tsv", few[64], large[64], longest[64], pairs[64],
            long_pairs[64], marks[64], large_marks[64], repeats[64];

typedef struct recipe {
    const char *name, *task, *file;
    const char *arguments[ARGUMENTS];
} recipe;

static const recipe recipes[] = {
    { "classic", "classify", whole, { "--recipe", "classic", NULL } },
    { "large batches", "classify", whole, { "--recipe", "classic", "--batch", "200", NULL } },
    { "short texts", "classify", whole, { "--recipe", "classic", "--max-len", "20", NULL } },
    { "few words, small batches",
      "classify",
      whole,
      { "--recipe", "classic", "--vocab", "300", "--batch", "16", NULL } },
    { "another kind of attention",
      "classify",
      whole,
      { "--recipe", "classic", "--attention", "additive", "--weights", "sparsemax", NULL } },
    { "bf16, three threads",
      "classify",
      whole,
      { "--recipe", "classic", "--precision", "bf16", "--threads", "3", NULL } },
    { "attend", "classify", few, { "--recipe", "attend", NULL } },
    { "attend, an adversary", "classify", few, { "--adv", "fgm", NULL } },
    { "encoder",
      "classify",
      few,
      { "--recipe", "encoder", "--layers", "1", "--embed", "64", NULL } },
    { "attend, texts without labels", "classify", few, { "--unlabeled", few, NULL } },
    { "attend, tested on much text", "classify", few, { "--test", large, NULL } },
    { "classic, tested on much text",
      "classify",
      few,
      { "--recipe", "classic", "--test", large, NULL } },
    { "a score, tested on much text",
      "score",
      marks,
      { "--recipe", "classic", "--test", large_marks, NULL } },
    { "attend, tested on a long text", "classify", few, { "--test", longest, NULL } },
    { "classic, tested on a long text",
      "classify",
      few,
      { "--recipe", "classic", "--test", longest, NULL } },
    { "classic, a long text held out",
      "classify",
      few,
      { "--recipe", "classic", "--valid", longest, NULL } },
    { "a search", "classify", few, { "--search", "1s", NULL } },
    { "pairs by attend, tested", "pairs", pairs, { "--recipe", "attend", "--test", pairs, NULL } },
    { "pairs, tested on long ones",
      "pairs",
      pairs,
      { "--recipe", "classic", "--test", long_pairs, NULL } },
    { "pairs, long ones held out",
      "pairs",
      pairs,
      { "--recipe", "classic", "--valid", long_pairs, NULL } },
    { "pairs by match, as many words of which more or fewer are alike",
      "classify",
      repeats,
      { "--recipe", "match", "--pairs", "--seed", "2", "--threads", "1", NULL } },
};

/* Runs the program; out gets what it prints. Returns the peak of its memory in bytes. */
static double run(const recipe *r, char *out, size_t size) {
    const char *heed = getenv("HEED");
    const char *fixed[] = { "heed", "train", r->task, r->file, "-o", model, "--epochs", "1" };
    enum { FIXED = sizeof fixed / sizeof *fixed };
    char *argv[FIXED + ARGUMENTS + 1] = { NULL };
    for (int i = 0; i < FIXED; i++) argv[i] = strdup(fixed[i]);
    for (int i = 0; r->arguments[i]; i++) argv[FIXED + i] = strdup(r->arguments[i]);
    int pipes[2];
    assert_int_equal(pipe(pipes), 0);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        dup2(pipes[1], STDOUT_FILENO);
        close(pipes[0]), close(pipes[1]), close(STDERR_FILENO);
        execv(heed ? heed : "build/heed", argv);
        _exit(127);
    }
    close(pipes[1]);
    size_t len = 0;
    for (ssize_t n; len + 1 < size && (n = read(pipes[0], out + len, size - 1 - len)) > 0;)
        len += (size_t)n;
    out[len] = 0;
    close(pipes[0]);
    int status;
    struct rusage used;
    assert_int_equal(wait4(child, &status, 0, &used), child);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) fail_msg("%s: status %d", r->name, status);
    for (char **a = argv; *a; a++) free(*a);
    return 1024.0 * (double)used.ru_maxrss;
}

/* Bytes; 0: none. Of several trainings each that takes more than those before says so. */
static double last_told(const char *out) {
    static const char words[] = "memory: at most ";
    double told = 0;
    for (const char *at = out; (at = strstr(at, words));) {
        at += sizeof words - 1;
        told = strtod(at, NULL) * 1e6;
    }
    return told;
}

static void test_as_told(void **state) {
    (void)state;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    print_message("skipped: a sanitizer takes memory of its own\n");
    skip();
#endif
    for (size_t i = 0; i < sizeof recipes / sizeof *recipes; i++) {
        char out[4096];
        const double peak = run(&recipes[i], out, sizeof out);
        const double told = last_told(out);
        if (told <= 0) fail_msg("%s: nothing was said: %s", recipes[i].name, out);
        print_message("%s: told %.1f MB, took %.1f MB\n", recipes[i].name, told / 1e6, peak / 1e6);
        if (peak > told) fail_msg("%s: takes more than it said", recipes[i].name);
        if (told - CODE > peak * 1.25) fail_msg("%s: says far more than it takes", recipes[i].name);
    }
}

/* The first FEW texts of the whole. */
static bool write_few(void) {
    char line[8192];
    FILE *from = fopen(whole, "r"), *to = fopen(few, "w");
    bool sound = from && to;
    for (int i = 0; sound && i <= FEW; i++)
        sound = fgets(line, sizeof line, from) && fputs(line, to) >= 0;
    if (from) fclose(from);
    return to && fclose(to) == 0 && sound;
}

/* So many words, which depend on `from`. */
static void write_words(FILE *to, int from, int words) {
    for (int k = 0; k < words; k++) fprintf(to, "w%d ", (int)((from * 31 + (long)k * k) % 9973));
}

/* Lines of two columns: so many words and, as the second, a label or as many words again. */
static bool write_lines(const char *path, int lines, int words, const char *label) {
    FILE *to = fopen(path, "w");
    if (!to) return false;
    fputs(label ? "text\tlabel\n" : "one\tother\n", to);
    for (int i = 0; i < lines; i++) {
        write_words(to, i, words);
        fputc('\t', to);
        if (label)
            fputs(label, to);
        else
            write_words(to, lines + i, words);
        fputc('\n', to);
    }
    return fclose(to) == 0;
}

/* Labelled pairs of 200 words, of which now more and now fewer are different, and one word. */
static bool write_repeats(void) {
    FILE *to = fopen(repeats, "w");
    if (!to) return false;
    fputs("label\ttext\ttext2\n", to);
    uint32_t x = 1;
    for (int i = 0; i < 600; i++) {
        fprintf(to, "%c\t", i % 2 ? 'y' : 'n');
        for (int k = 0; k < 200; k++)
            fprintf(to, "w%d ", (int)((x = x * 1664525 + 1013904223) >> 16) % 500);
        fprintf(to, "\tw%d\n", i % 100);
    }
    return fclose(to) == 0;
}

static int set_up(void **state) {
    (void)state;
    if (!mkdtemp(dir)) return -1;
    snprintf(few, sizeof few, "%s/few.tsv", dir);
    snprintf(large, sizeof large, "%s/large.tsv", dir);
    snprintf(longest, sizeof longest, "%s/longest.tsv", dir);
    snprintf(pairs, sizeof pairs, "%s/pairs.tsv", dir);
    snprintf(long_pairs, sizeof long_pairs, "%s/long_pairs.tsv", dir);
    snprintf(marks, sizeof marks, "%s/marks.tsv", dir);
    snprintf(large_marks, sizeof large_marks, "%s/large_marks.tsv", dir);
    snprintf(repeats, sizeof repeats, "%s/repeats.tsv", dir);
    snprintf(model, sizeof model, "%s/model", dir);
    const bool sound = write_few() && write_lines(large, 3000, 800, "card_arrival") &&
                       write_lines(longest, 1, 200000, "card_arrival") &&
                       write_lines(marks, 300, 11, "1") &&
                       write_lines(large_marks, 3000, 800, "1") &&
                       write_lines(pairs, 1500, 11, NULL) &&
                       write_lines(long_pairs, 50, 3000, NULL) && write_repeats();
    return sound ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    char command[64];
    snprintf(command, sizeof command, "rm -r %s", dir);
    return system(command);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_as_told) };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
