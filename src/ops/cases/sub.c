/* sub.c: cases of heed_sub. */
#include "ops/cases/cases.h"

static double formula(double x, double y) {
    return x - y;
}

void heed_cases_sub(heed_case_list *l) {
    static const heed_binary b = { heed_sub, formula, -2, 2 };
    heed_cases_binary(l, &b);
}
