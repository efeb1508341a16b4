/* gelu.c: cases of heed_gelu. */
#include "ops/cases/cases.h"

#include <math.h>

static double formula(double x) {
    return x / 2 * (1 + erf(x / sqrt(2)));
}

void heed_cases_gelu(heed_case_list *l) {
    static const heed_unary u = { heed_gelu, formula, -4, 4, 0 };
    heed_cases_unary(l, &u);
}
