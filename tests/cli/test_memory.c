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

enum { ARGUMENTS = 8, FEW = 1000 };
static char dir[] = "/tmp/heed-memory-XXXXXX", few[64], large[64], model[64];

typedef struct recipe {
    const char *name;
    bool few; /* FEW of the texts */
    const char *arguments[ARGUMENTS];
} recipe;

static const recipe recipes[] = {
    { "classic", false, { "--recipe", "classic", NULL } },
    { "large batches", false, { "--recipe", "classic", "--batch", "200", NULL } },
    { "short texts", false, { "--recipe", "classic", "--max-len", "20", NULL } },
    { "few words, small batches",
      false,
      { "--recipe", "classic", "--vocab", "300", "--batch", "16", NULL } },
    { "another kind of attention",
      false,
      { "--recipe", "classic", "--attention", "additive", "--weights", "sparsemax", NULL } },
    { "bf16, three threads",
      false,
      { "--recipe", "classic", "--precision", "bf16", "--threads", "3", NULL } },
    { "attend", true, { "--recipe", "attend", NULL } },
    { "attend, an adversary", true, { "--adv", "fgm", NULL } },
    { "encoder", true, { "--recipe", "encoder", "--layers", "1", "--embed", "64", NULL } },
    { "attend, texts without labels", true, { "--unlabeled", few, NULL } },
    { "attend, tested on much text", true, { "--test", large, NULL } },
    { "a search", true, { "--search", "1s", NULL } },
};

/* Runs the program; out gets what it prints. Returns the peak of its memory in bytes. */
static double run(const recipe *r, char *out, size_t size) {
    const char *heed = getenv("HEED");
    const char *fixed[] = { "heed", "train", "classify", r->few ? few : "data/banking77/train.tsv",
                            "-o",   model,   "--epochs", "1" };
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
        if (told > peak * 1.25) fail_msg("%s: says far more than it takes", recipes[i].name);
    }
}

static int set_up(void **state) {
    (void)state;
    if (!mkdtemp(dir)) return -1;
    snprintf(few, sizeof few, "%s/few.tsv", dir);
    snprintf(large, sizeof large, "%s/large.tsv", dir);
    snprintf(model, sizeof model, "%s/model", dir);
    char line[8192];
    FILE *from = fopen("data/banking77/train.tsv", "r"), *to = fopen(few, "w");
    bool sound = from && to;
    for (int i = 0; sound && i <= FEW; i++)
        sound = fgets(line, sizeof line, from) && fputs(line, to) >= 0;
    if (from) fclose(from);
    FILE *texts = fopen(large, "w"); /* 15 MB in 3000 texts */
    if (texts) fputs("text\tlabel\n", texts);
    for (int i = 0; texts && i < 3000; i++) {
        for (int k = 0; k < 800; k++) fprintf(texts, "w%d ", (i * 31 + k * k) % 9973);
        fputs("\tcard_arrival\n", texts);
    }
    sound = texts && fclose(texts) == 0 && sound;
    return to && fclose(to) == 0 && sound ? 0 : -1;
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
