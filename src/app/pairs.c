/* pairs.c: pairs of texts for commands, and `heed test` of an embedder. */
#include "app/messages.h"
#include "app/pairs.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/commands.h"
#include "app/print.h"
#include "base/alloc.h"
#include "base/text.h"
#include "io/config.h"

static bool is_verdict(const char *label) {
    return label && (strcmp(label, "0") == 0 || strcmp(label, "1") == 0);
}

/* Whether the labels are "1" and "0", in *are. "0" alone is refused: pairs that do not belong
 * together would be taken for such that do. Others are refused where the user chose their column,
 * and said to be passed over where it was guessed; json: standard output is a program's, it is said
 * beside it. 0 or HEED_EFORMAT. */
static int find_verdicts(const heed_dataset *d, const char *file, const char *chosen, bool json,
                         bool *are, heed_error *err) {
    int64_t other = -1, labels = 0, right = 0;
    for (int64_t i = 0; i < d->len; i++) {
        labels += d->label[i] != NULL;
        right += d->label[i] && strcmp(d->label[i], "1") == 0;
        if (other < 0 && !is_verdict(d->label[i])) other = i;
    }
    *are = other < 0 && right > 0;
    if (*are || !labels) return 0;
    if (other < 0)
        return heed__error(err, HEED_EFORMAT, "%.300s: no pair has the label 1", data_name(file));
    char label[64]; /* no letter is cut in two */
    snprintf(label, sizeof label, "%.60s", d->label[other] ? d->label[other] : "");
    heed__text_tidy(label);
    if (chosen)
        return heed__error(err, HEED_EFORMAT,
                           "%.300s:%" PRId64 ": the label of a pair is 1 or 0, not '%s'",
                           data_name(file), d->line[other], label);
    const char *said = tr("%s: labels are not 1 and 0 but such as '%s': passed over, all pairs "
                          "count as belonging together\n");
    if (json)
        complain(said, data_name(file), label);
    else
        printf(said, data_name(file), label);
    return 0;
}

int pairs_read(pairs_data *p, const char *file, const heed_dataset_cfg *cfg, bool right_only,
               heed_error *err) {
    heed_dataset_cfg own = *cfg;
    own.pairs = true;
    own.text_only = true;
    *p = (pairs_data){ .text = NULL };
    int rc = data_read(&p->d, file, &own, err);
    if (rc) return rc;
    char how[MESSAGE_SIZE];
    bool verdicts;
    const size_t n = (size_t)p->d.len;
    p->x = (heed_examples){ .len = p->d.len, .text = p->d.text, .text2 = p->d.text2 };
    printf(tr("%s: %" PRId64 " pairs; %s\n"), data_name(file), p->d.len, tr_made(p->d.how, how));
    rc = find_verdicts(&p->d, file, cfg->label, false, &verdicts, err);
    if (verdicts) p->x.label = p->d.label;
    if (rc || !verdicts || !right_only) return rc;
    p->text = malloc(n * sizeof *p->text);
    p->text2 = malloc(n * sizeof *p->text2);
    if (!p->text || !p->text2) {
        snprintf(err->msg, sizeof err->msg, "%.300s: out of memory", file);
        return err->code = HEED_ENOMEM;
    }
    p->x = (heed_examples){ .text = p->text, .text2 = p->text2 };
    for (size_t i = 0; i < n; i++) {
        if (p->d.label[i][0] != '1') continue;
        p->text[p->x.len] = p->d.text[i];
        p->text2[p->x.len++] = p->d.text2[i];
    }
    printf(tr("%s: %" PRId64 " of them belong together (label 1); the others are left out\n"),
           data_name(file), p->x.len);
    return 0;
}

void pairs_free(pairs_data *p) {
    heed__dataset_free(&p->d);
    free(p->text);
    free(p->text2);
    *p = (pairs_data){ .text = NULL };
}

void pairs_print(const heed_retrieval *r, const char *file) {
    printf(tr("%s: %" PRId64 " first texts, each ranks %" PRId64 " different second texts\n"),
           data_name(file), r->n, r->candidates);
    print_measure("Recall at 1", r->recall_1, r->recall_1_95);
    print_measure("Recall at 10", r->recall_10, r->recall_10_95);
    print_measure("Mean reciprocal rank", r->mrr, r->mrr_95);
    if (r->queries)
        printf(tr("among the second texts of each first text (%" PRId64 " with a right one):\n"
                  "Mean average precision: %.4f\nMean reciprocal rank: %.4f\n"),
               r->queries, r->map, r->query_mrr);
}

/* docs/schemas/test_pairs.json */
static void print_json(const heed_retrieval *r) {
    printf("{\"n\": %" PRId64 ", \"candidates\": %" PRId64, r->n, r->candidates);
    print_json_field("loss", r->loss);
    print_json_field("recall_1", r->recall_1);
    print_json_field("recall_10", r->recall_10);
    print_json_field("mrr", r->mrr);
    print_json_interval(", \"intervals\": {", "recall_1", r->recall_1_95);
    print_json_interval(", ", "recall_10", r->recall_10_95);
    print_json_interval(", ", "mrr", r->mrr_95);
    printf("}");
    if (r->queries) {
        printf(", \"within\": {\"queries\": %" PRId64, r->queries);
        print_json_field("map", r->map);
        print_json_field("mrr", r->query_mrr);
        printf("}");
    }
    printf("}\n");
}

bool pairs_is_embedder(const char *dir) {
    heed_error err;
    json_t *tree = heed__config_load(NULL, dir, INT32_MAX, &err);
    const char *task = json_string_value(json_object_get(tree, "task"));
    const bool is = task && strcmp(task, "embed") == 0;
    json_decref(tree);
    return is;
}

int pairs_test(const char *dir, const char *file, const heed_dataset_cfg *cfg,
               const heed_open_cfg *open, bool json, heed_error *err) {
    heed_embedder *e = heed_embedder_open(dir, open, err);
    if (!e) return err->code;
    heed_dataset d = { 0 };
    heed_dataset_cfg own = *cfg;
    heed_retrieval r;
    own.pairs = own.text_only = true;
    int rc = data_read(&d, file, &own, err);
    bool verdicts;
    char how[MESSAGE_SIZE];
    if (rc == 0 && !json)
        printf(tr("%s: %" PRId64 " pairs; %s\n"), data_name(file), d.len, tr_made(d.how, how));
    if (rc == 0) rc = find_verdicts(&d, file, cfg->label, json, &verdicts, err);
    if (rc == 0) {
        const heed_examples x = {
            .len = d.len, .text = d.text, .text2 = d.text2, .label = verdicts ? d.label : NULL
        };
        rc = heed_embedder_test(e, &x, &r, err);
    }
    if (rc == 0 && json) print_json(&r);
    if (rc == 0 && !json) pairs_print(&r, file);
    heed__dataset_free(&d);
    heed_embedder_close(e);
    return rc;
}
