/* tallies.c: how well each label is found, for people and for programs. */
#include "app/tallies.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/messages.h"
#include "app/print.h"

enum { SHOWN = 10 };

static double ratio(int64_t part, int64_t whole) {
    return whole ? (double)part / (double)whole : 0;
}

double tally_f1(const heed_tally *t) {
    return t->said + t->real ? 2.0 * (double)t->hit / (double)(t->said + t->real) : 0;
}

void tallies_print(const heed_classifier *c, const heed_tally *tally) {
    const int64_t labels = heed_classifier_labels(c);
    bool *told = calloc((size_t)labels, sizeof *told);
    print_cell(tr(labels > SHOWN ? "the labels found worst" : "label"), -32);
    static const char *const columns[] = { "precision", "recall", "F1" };
    for (int i = 0; i < 3; i++) print_cell(tr(columns[i]), 10);
    print_cell(tr("support"), 8);
    printf("\n");
    for (int64_t shown = 0; told && shown < SHOWN && shown < labels; shown++) {
        int64_t worst = -1;
        for (int64_t k = 0; k < labels; k++) {
            const bool there = !told[k] && tally[k].real + tally[k].said > 0;
            if (there && (worst < 0 || tally_f1(&tally[k]) < tally_f1(&tally[worst]))) worst = k;
        }
        if (worst < 0) break;
        const heed_tally *t = &tally[worst];
        told[worst] = true;
        print_cell(heed_classifier_label(c, worst), -32);
        printf(" %9.4f %9.4f %9.4f %7" PRId64 "\n", ratio(t->hit, t->said), ratio(t->hit, t->real),
               tally_f1(t), t->real);
    }
    free(told);
}

static void field(const char *key, double value) {
    printf(", \"%s\": ", key);
    print_json_number(value);
}

void tallies_print_json(const heed_classifier *c, const heed_tally *tally) {
    printf("\"labels\": [");
    for (int64_t k = 0; k < heed_classifier_labels(c); k++) {
        const heed_tally *t = &tally[k];
        const char *name = heed_classifier_label(c, k);
        printf("%s{\"label\": ", k ? ", " : "");
        print_json_text(name, strlen(name));
        printf(", \"n\": %" PRId64, t->real);
        field("precision", ratio(t->hit, t->said));
        field("recall", ratio(t->hit, t->real));
        field("f1", tally_f1(t));
        printf("}");
    }
    printf("]");
}
