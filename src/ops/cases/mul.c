/* mul.c: cases of heed_mul. */
#include "ops/cases/cases.h"

static double formula(double x, double y) {
    return x * y;
}

void heed_cases_mul(heed_case_list *l) {
    static const heed_binary b = { heed_mul, formula, -2, 2 };
    heed_cases_binary(l, &b);
}
