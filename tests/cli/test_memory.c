/* test_memory.c: `heed train` says before its first step how much memory it will take at most, and
 * takes no more than that and 5 %, whatever the recipe; nor does it say far too much. HEED names
 * the program. */
#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ARGUMENTS = 8 };
static char dir[] = "/tmp/heed-memory-XXXXXX";

typedef struct recipe {
    const char *name, *arguments[ARGUMENTS];
} recipe;

static const recipe recipes[] = {
    { "as it is", { NULL } },
    { "large batches", { "--batch", "200", NULL } },
    { "short texts", { "--max-len", "20", NULL } },
    { "few words, small batches, one thread",
      { "--vocab", "300", "--batch", "16", "--threads", "1", NULL } },
    { "another kind of attention",
      { "--attention", "additive", "--weights", "sparsemax", "--pooling", "max", NULL } },
    { "bf16, three threads", { "--precision", "bf16", "--threads", "3", NULL } },
};

/* Runs the program; out gets what it prints. Returns the peak of its memory in bytes. */
static double run(const recipe *r, char *out, size_t size) {
    const char *heed = getenv("HEED");
    const char *fixed[] = { "heed",     "train",   "classify",
                            "--recipe", "classic", "data/banking77/train.tsv",
                            "-o",       dir,       "--epochs",
                            "1" };
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

static void test_as_told(void **state) {
    (void)state;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    print_message("skipped: a sanitizer takes memory of its own\n");
    skip();
#endif
    for (size_t i = 0; i < sizeof recipes / sizeof *recipes; i++) {
        char out[4096];
        const double peak = run(&recipes[i], out, sizeof out);
        const char *line = strstr(out, "memory: at most ");
        if (!line) fail_msg("%s: nothing was said: %s", recipes[i].name, out);
        const double told = strtod(line + strlen("memory: at most "), NULL) * 1e6;
        print_message("%s: told %.1f MB, took %.1f MB\n", recipes[i].name, told / 1e6, peak / 1e6);
        if (peak > told * 1.05) fail_msg("%s: takes more than it said", recipes[i].name);
        if (told > peak * 1.25) fail_msg("%s: says far more than it takes", recipes[i].name);
    }
}

static int set_up(void **state) {
    (void)state;
    return mkdtemp(dir) ? 0 : -1;
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
