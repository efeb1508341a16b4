/* cmd_label.c: `heed label MODEL POOL -n 50`: which texts to label next, and why. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/commands.h"
#include "app/data.h"
#include "app/messages.h"
#include "app/options.h"
#include "app/print.h"
#include "base/alloc.h"
#include "tasks/choose.h"

typedef struct label_options {
    heed_dataset_cfg table;
    int64_t want, threads;
    bool json;
} label_options;

/* docs/schemas/label.json */
static void print_json(const heed_classifier *c, const heed_dataset *d, const heed_choice *x) {
    const char *first = c->label[x->first], *second = c->label[x->second];
    printf("{\"line\": %" PRId64 ", \"text\": ", d->line[x->item]);
    print_json_text(d->text[x->item], strlen(d->text[x->item]));
    printf(", \"unsure\": %.9g, \"labels\": [{\"label\": ", (double)x->unsure);
    print_json_text(first, strlen(first));
    printf(", \"score\": %.9g}, {\"label\": ", (double)x->p_first);
    print_json_text(second, strlen(second));
    printf(", \"score\": %.9g}]}\n", (double)x->p_second);
}

static void print_line(const heed_classifier *c, const heed_dataset *d, const heed_choice *x) {
    const char *text = d->text[x->item];
    printf(tr("%" PRId64 "\t%s %.2f or %s %.2f\t"), d->line[x->item], c->label[x->first],
           (double)x->p_first, c->label[x->second], (double)x->p_second);
    print_text(stdout, text, strlen(text));
    printf("\n");
}

static int choose(const label_options *o, heed_classifier *c, const heed_dataset *d,
                  heed_error *err) {
    const int64_t want = o->want < d->len ? o->want : d->len;
    const heed_texts pool = { .len = d->len, .text = d->text };
    heed_choice *choice = calloc((size_t)want, sizeof *choice);
    const int64_t n = choice ? heed__choose(c, &pool, want, choice, err)
                             : heed__error(err, HEED_ENOMEM, "label: out of memory");
    for (int64_t i = 0; i < n; i++)
        if (o->json)
            print_json(c, d, &choice[i]);
        else
            print_line(c, d, &choice[i]);
    free(choice);
    return n < 0 ? (int)n : 0;
}

int cmd_label(int argc, char **argv) {
    label_options o = { .want = 50, .table.text_only = true };
    const opt options[] = {
        { "number", 'n', OPT_INT, &o.want, 1, 1e6, "N", "texts to choose (50)" },
        { "text", 0, OPT_TEXT, &o.table.text, 0, 0, "COL", "column of the texts (guessed)" },
        { "json", 0, OPT_FLAG, &o.json, 0, 0, NULL,
          "a JSON object a line (docs/schemas/label.json)" },
        { "threads", 0, OPT_INT, &o.threads, 1, 1024, "N", "threads (as many as there are)" },
        { NULL, 0, OPT_FLAG, NULL, 0, 0, NULL, NULL },
    };
    const opt_command what = { "heed label MODEL POOL [options]",
                               "Chooses the texts of a pool whose labels would help the model "
                               "most: line, the two labels between which it wavers, text.",
                               options, 2, 2 };
    const char *operand[2];
    const int n = opt_read(&what, argc, argv, operand);
    if (n < 0) return command_usage(n);
    command_catch_signals();
    const heed_hooks hooks = { .cancel = command_cancelled };
    const heed_open_cfg open = { .threads = (int)o.threads, .hooks = &hooks };
    heed_error err = { 0 };
    heed_dataset d = { .len = 0 };
    heed_classifier *c = heed_classifier_open(operand[0], &open, &err);
    int rc = c ? data_read(&d, operand[1], &o.table, &err) : err.code;
    if (rc == 0) rc = choose(&o, c, &d, &err);
    heed__dataset_free(&d);
    heed_classifier_close(c);
    return rc ? command_error(&err) : 0;
}
