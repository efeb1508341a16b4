/* bench_ablate.c: `heed bench ablate classify DATA`: what attention, its heads, positions and the
 * like bring on somebody's own data. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "app/bench.h"
#include "app/commands.h"
#include "app/data.h"
#include "app/kinds.h"
#include "app/messages.h"
#include "app/options.h"
#include "app/print.h"
#include "tasks/ablate.h"

static void tell(const heed_ablation *t) {
    const heed_ablated *r = &t->row[t->len - 1];
    static const struct {
        const char *name;
        int width;
    } columns[] = { { "form", -26 }, { "accuracy", 10 }, { "95 %", 18 },       { "difference", 12 },
                    { "95 %", 20 },  { "spread", 9 },    { "parameters", 12 }, { "seconds", 9 } };
    for (size_t i = 0; t->len == 1 && i < sizeof columns / sizeof *columns; i++)
        print_cell(tr(columns[i].name), columns[i].width);
    if (t->len == 1) printf("\n");
    print_cell(tr(r->what), -26);
    printf(tr("    %.4f  %.4f to %.4f     %+.4f  %+.4f to %+.4f   %.4f  %10" PRId64 "  %7.1f\n"),
           r->accuracy, r->accuracy_95.low, r->accuracy_95.high, r->difference,
           r->difference_95.low, r->difference_95.high, r->spread, r->parameters, r->seconds);
    fflush(stdout);
}

static void json(const heed_ablation *t) {
    printf("{\"texts\": %" PRId64 ", \"rows\": [", t->texts);
    for (int64_t i = 0; i < t->len; i++) {
        const heed_ablated *r = &t->row[i];
        printf("%s{\"form\": ", i ? ", " : "");
        print_json_text(r->what, strlen(r->what));
        printf(", \"accuracy\": %.9g, \"accuracy_95\": [%.9g, %.9g], \"difference\": %.9g, "
               "\"difference_95\": [%.9g, %.9g], \"spread\": %.9g, \"parameters\": %" PRId64
               ", \"seconds\": %.9g}",
               r->accuracy, r->accuracy_95.low, r->accuracy_95.high, r->difference,
               r->difference_95.low, r->difference_95.high, r->spread, r->parameters, r->seconds);
    }
    printf("]}\n");
}

int bench_ablate(int argc, char **argv) {
    heed_classify_cfg cfg = { .recipe = "attend" };
    heed_dataset_cfg table = { .label = NULL };
    const char *test = NULL;
    int64_t seeds = 3, threads = 0;
    bool as_json = false;
    const opt options[] = {
        { "recipe", 0, OPT_TEXT, &cfg.recipe, 0, 0, "NAME", "attend, classic or encoder (attend)" },
        { "seeds", 0, OPT_INT, &seeds, 1, 100, "N", "trainings of each form (3)" },
        { "test", 0, OPT_PATH, &test, 0, 0, "FILE", "what judges (a tenth of DATA held out)" },
        { "epochs", 0, OPT_INT, &cfg.epochs, 1, 1000, "N", "passes over the data (by recipe)" },
        { "text", 0, OPT_TEXT, &table.text, 0, 0, "COL", "column of the texts (guessed)" },
        { "label", 0, OPT_TEXT, &table.label, 0, 0, "COL", "column of the labels (guessed)" },
        { "threads", 0, OPT_INT, &threads, 1, 1024, "N", "threads (as many as there are)" },
        { "json", 0, OPT_FLAG, &as_json, 0, 0, NULL, "one JSON object (docs/schemas/ablate.json)" },
        { NULL, 0, OPT_FLAG, NULL, 0, 0, NULL, NULL },
    };
    const opt_command what = { "heed bench ablate classify DATA [options]",
                               "Trains a recipe as it is and with one thing changed at a time "
                               "(attention, heads, positions ...), and tells what each brings.",
                               options, 2, 2 };
    const char *operand[2];
    const int n = opt_read(&what, argc, argv, operand);
    if (n < 0) return command_usage(n);
    if (strcmp(operand[0], "classify") != 0) {
        complain(tr("heed bench ablate: no task '%s'; there is: classify\n"), operand[0]);
        return EXIT_USAGE;
    }
    command_catch_signals();
    const heed_hooks hooks = { .cancel = command_cancelled };
    heed_error err = { 0 };
    heed_dataset data = { .len = 0 }, judge = { .len = 0 };
    heed_ablation result;
    cfg.hooks = &hooks;
    cfg.threads = (int)threads;
    cfg.windows = true;
    int rc = data_read(&data, operand[1], &table, &err);
    if (rc == 0 && test) rc = data_read(&judge, test, &table, &err);
    if (rc == 0) rc = kinds_fit(&data, operand[1], HEED_TARGET_LABEL, &err);
    if (rc == 0 && test) rc = kinds_fit(&judge, test, HEED_TARGET_LABEL, &err);
    const heed_examples x = { .len = data.len, .text = data.text, .label = data.label };
    const heed_examples held = { .len = judge.len, .text = judge.text, .label = judge.label };
    if (test) cfg.valid = &held;
    if (rc == 0) rc = heed__ablate(&x, &cfg, seeds, &result, as_json ? NULL : tell, &err);
    if (rc == 0 && as_json) json(&result);
    heed__dataset_free(&judge);
    heed__dataset_free(&data);
    return rc ? command_error(&err) : 0;
}
