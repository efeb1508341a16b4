/* cmd_test.c: `heed test DIR FILE`. */
#include <inttypes.h>
#include <stdio.h>

#include "app/commands.h"
#include "app/options.h"
#include "heed/tasks.h"
#include "io/table.h"

static void print(const heed_metrics *m, const char *file, const heed_table *t) {
    printf("%s: %" PRId64 " texts; %s\n", file, m->n, t->how);
    printf("Test Loss: %.4f\n", m->loss);
    printf("Test Accuracy: %.4f (95 %%: %.4f to %.4f)\n", m->accuracy, m->accuracy_low,
           m->accuracy_high);
    printf("Macro F1: %.4f\n", m->macro_f1);
    printf("Calibration error: %.4f\n", m->ece);
    if (m->unknown_labels)
        printf("%" PRId64 " texts have a label that the model does not: counted as wrong\n",
               m->unknown_labels);
}

/* docs/schemas/test.json */
static void print_json(const heed_metrics *m) {
    printf("{\"n\": %" PRId64
           ", \"loss\": %.9g, \"accuracy\": %.9g, \"macro_f1\": %.9g, \"ece\": %.9g, "
           "\"intervals\": {\"accuracy\": [%.9g, %.9g]}, \"unknown_labels\": %" PRId64 "}\n",
           m->n, m->loss, m->accuracy, m->macro_f1, m->ece, m->accuracy_low, m->accuracy_high,
           m->unknown_labels);
}

static int test(const char *dir, const char *file, const heed_table_cfg *cfg,
                const heed_open_cfg *open, bool json, heed_error *err) {
    heed_classifier *c = heed_classifier_open(dir, open, err);
    if (!c) return err->code;
    heed_table table = { 0 };
    int rc = heed__table_read(&table, file, cfg, err);
    if (rc == 0) {
        heed_metrics m;
        const heed_examples data = { table.len, table.text, table.label };
        rc = heed_classifier_test(c, &data, &m, err);
        if (rc == 0 && json)
            print_json(&m);
        else if (rc == 0)
            print(&m, file, &table);
    }
    heed__table_free(&table);
    heed_classifier_close(c);
    return rc;
}

int cmd_test(int argc, char **argv) {
    heed_table_cfg cfg = { 0 };
    bool json = false;
    int64_t threads = 0;
    const opt options[] = {
        { "json", 0, OPT_FLAG, &json, 0, 0, NULL, "one JSON object (docs/schemas/test.json)" },
        { "label", 0, OPT_TEXT, &cfg.label, 0, 0, "COL", "column of the labels (guessed)" },
        { "text", 0, OPT_TEXT, &cfg.text, 0, 0, "COL", "column of the texts (guessed)" },
        { "threads", 0, OPT_INT, &threads, 1, 1024, "N", "threads (as many as there are)" },
        { NULL, 0, OPT_FLAG, NULL, 0, 0, NULL, NULL },
    };
    const opt_command what = { "heed test MODEL FILE [options]",
                               "Tests a model on labelled data: loss, accuracy with its 95 % "
                               "interval, macro-F1, calibration error.",
                               options, 2, 2 };
    const char *operand[2];
    const int n = opt_read(&what, argc, argv, operand);
    if (n < 0) return command_usage(n);
    command_catch_signals();
    heed_error err = { 0 };
    const heed_hooks hooks = { .cancel = command_cancelled };
    const heed_open_cfg open = { .threads = (int)threads, .hooks = &hooks };
    return test(operand[0], operand[1], &cfg, &open, json, &err) ? command_error(&err) : 0;
}
