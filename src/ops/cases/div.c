/* div.c: cases of heed_div. */
#include "ops/cases/cases.h"

static double formula(double x, double y) {
    return x / y;
}

void heed_cases_div(heed_case_list *l) {
    static const heed_binary b = { heed_div, formula, 0.5, 2 };
    heed_cases_binary(l, &b);
}
