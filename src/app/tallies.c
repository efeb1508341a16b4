/* tallies.c: how well each label is found, for people and for programs. */
#include "app/tallies.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "app/messages.h"
#include "app/print.h"

enum { SHOWN = 10, NARROW = 32, WIDE = 64 }; /* columns of a terminal for labels */

static double ratio(int64_t part, int64_t whole) {
    return whole ? (double)part / (double)whole : 0;
}

double tally_f1(const heed_tally *t) {
    return t->said + t->real ? 2.0 * (double)t->hit / (double)(t->said + t->real) : 0;
}

/* The labels of the least F1 that were there or said, SHOWN at most, the worst first, in at.
 * Returns how many. */
static int find_worst(const heed_tally *tally, int64_t labels, int64_t *at) {
    int n = 0;
    for (int64_t k = 0; k < labels; k++) {
        if (tally[k].real + tally[k].said == 0) continue;
        int i = n < SHOWN ? n++ : SHOWN;
        for (; i && tally_f1(&tally[k]) < tally_f1(&tally[at[i - 1]]); i--)
            if (i < SHOWN) at[i] = at[i - 1];
        if (i < SHOWN) at[i] = k;
    }
    return n;
}

void tallies_print(const heed_classifier *c, const heed_tally *tally) {
    const int64_t labels = heed_classifier_labels(c);
    int64_t at[SHOWN];
    const int n = find_worst(tally, labels, at);
    int width = NARROW;
    for (int i = 0; i < n; i++) {
        const int own = cell_width(heed_classifier_label(c, at[i]));
        width = own > width ? own : width;
    }
    if (width > WIDE) width = WIDE;
    print_cell(tr(labels > SHOWN ? "the labels found worst" : "label"), -width);
    static const char *const columns[] = { "precision", "recall", "F1" };
    for (int i = 0; i < 3; i++) print_cell(tr(columns[i]), 10);
    print_cell(tr("support"), 8);
    printf("\n");
    for (int i = 0; i < n; i++) {
        const heed_tally *t = &tally[at[i]];
        print_cell(heed_classifier_label(c, at[i]), -width);
        printf(" %9.4f %9.4f %9.4f %7" PRId64 "\n", ratio(t->hit, t->said), ratio(t->hit, t->real),
               tally_f1(t), t->real);
    }
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
