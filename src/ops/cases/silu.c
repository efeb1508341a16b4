/* silu.c: cases of heed_silu. */
#include "ops/cases/cases.h"

#include <math.h>

static double formula(double x) {
    return x / (1 + exp(-x));
}

void heed_cases_silu(heed_case_list *l) {
    static const heed_unary u = { heed_silu, formula, -5, 5, 0 };
    heed_cases_unary(l, &u);
}
