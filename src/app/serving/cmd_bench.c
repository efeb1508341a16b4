/* cmd_bench.c: `heed bench serve TRAIN TEST`: intents of messages by a desk and by its peers: how
 * many answers a second, how long the slowest wait, how many are right and handed over. */
#include <stdio.h>
#include <string.h>

#include "app/commands.h"
#include "app/messages.h"
#include "app/options.h"
#include "app/serving/serve.h"
#include "serve/desk_bench.h"

static double part(int64_t of, int64_t n) {
    return n ? (double)of / (double)n : 0;
}

static void print_head(const heed_desk_tested *t) {
    static const struct {
        const char *text;
        int columns;
    } head[] = { { "answers/s", 9 }, { "p99 ms", 9 },       { "accuracy", 9 },
                 { "handed", 9 },    { "none handed", 11 }, { "training s", 15 } };
    printf(tr("%lld messages, %lld of them of no intent\n"), (long long)t->n,
           (long long)t->outside);
    printf("%17s", "");
    for (size_t i = 0; i < sizeof head / sizeof *head; i++) {
        printf("  ");
        print_cell(tr(head[i].text), head[i].columns);
    }
    printf("\n");
}

static void tell(void *user, int row, const char *what, double trained, const heed_desk_tested *t) {
    const bool json = *(const bool *)user;
    if (json) {
        printf("%s{\"form\": \"%s\", \"trained_s\": %.6g, \"answers_per_second\": %.6g, "
               "\"p99_ms\": %.6g, \"accuracy\": %.6g, \"handed_over\": %.6g, "
               "\"outside_handed_over\": %.6g}",
               row ? ", " : "{\"rows\": [", what, trained, (double)t->n / t->seconds, t->p99 * 1e3,
               part(t->right_alone, t->intents), part(t->handed_over, t->intents),
               part(t->outside_handed_over, t->outside));
        if (row + 1 == HEED_DESK_BENCHED)
            printf("], \"messages\": %lld, \"outside\": %lld}\n", (long long)t->n,
                   (long long)t->outside);
        return;
    }
    if (row == 0) print_head(t);
    print_cell(tr(what), -17);
    printf("  %9.0f  %9.3f  %9.4f  %9.4f  %11.4f  %15.1f\n", (double)t->n / t->seconds,
           t->p99 * 1e3, part(t->right_alone, t->intents), part(t->handed_over, t->intents),
           part(t->outside_handed_over, t->outside), trained);
    fflush(stdout);
}

int serve_bench(int argc, char **argv) {
    heed_desk_bench_cfg cfg = { .none = "oos", .least = 0.5 };
    int64_t threads = 0;
    bool json = false;
    const opt options[] = {
        { "valid", 0, OPT_PATH, &cfg.valid, 0, 0, "FILE", "held-out data (a tenth of TRAIN)" },
        { "none", 0, OPT_TEXT, &cfg.none, 0, 0, "LABEL",
          "that of messages which no intent is for (oos)" },
        { "scope", 0, OPT_REAL, &cfg.scope, 0, 0.999, "P",
          "part of messages such as the training's that are taken for such (not asked)" },
        { "least", 0, OPT_REAL, &cfg.least, 0, 1, "P", "least confidence in an intent (0.5)" },
        { "threads", 0, OPT_INT, &threads, 1, 1024, "N", "of training (as many as there are)" },
        { "json", 0, OPT_FLAG, &json, 0, 0, NULL,
          "one JSON object (docs/schemas/bench_serve.json)" },
        { 0 },
    };
    const opt_command about = {
        "heed bench serve TRAIN TEST [options]",
        "Learns intents of messages and answers others as the support desk does, one at a time: "
        "attend, the same without attention (a bag of words), and the nearest question by words "
        "without any model. Tells answers a second, the time within which 99 % are given, how "
        "many intents are right, and how many messages a person gets.",
        options, 2, 2
    };
    const char *operand[2];
    const int n = opt_read(&about, argc, argv, operand);
    if (n < 0) return command_usage(n);
    command_catch_signals();
    const heed_hooks hooks = { .cancel = command_cancelled };
    heed_error err = { 0 };
    cfg.train = operand[0];
    cfg.test = operand[1];
    cfg.threads = (int)threads;
    cfg.tell = tell;
    cfg.user = &json;
    cfg.hooks = &hooks;
    const int rc = heed_desk_bench(&cfg, &err);
    return rc ? command_error(&err) : 0;
}
