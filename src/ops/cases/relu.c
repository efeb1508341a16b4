/* relu.c: cases of heed_relu. */
#include "ops/cases/cases.h"

static double formula(double x) {
    return x > 0 ? x : 0;
}

void heed_cases_relu(heed_case_list *l) {
    static const heed_unary u = { heed_relu, formula, -2, 2, 0 };
    heed_cases_unary(l, &u);
}
