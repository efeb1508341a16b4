/* add.c: cases of heed_add. */
#include "ops/cases/cases.h"

static double formula(double x, double y) {
    return x + y;
}

void heed_cases_add(heed_case_list *l) {
    static const heed_binary b = { heed_add, formula, -2, 2 };
    heed_cases_binary(l, &b);
}
