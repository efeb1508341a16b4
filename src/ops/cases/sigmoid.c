/* sigmoid.c: cases of heed_sigmoid. */
#include "ops/cases/cases.h"

#include <math.h>

static double formula(double x) {
    return 1 / (1 + exp(-x));
}

void heed_cases_sigmoid(heed_case_list *l) {
    static const heed_unary u = { heed_sigmoid, formula, -5, 5, 0 };
    heed_cases_unary(l, &u);
}
