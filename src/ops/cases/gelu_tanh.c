/* gelu_tanh.c: cases of heed_gelu_tanh. */
#include "ops/cases/cases.h"

#include <math.h>

static double formula(double x) {
    return x / 2 * (1 + tanh(sqrt(2 / acos(-1)) * (x + 0.044715 * x * x * x)));
}

void heed_cases_gelu_tanh(heed_case_list *l) {
    static const heed_unary u = { heed_gelu_tanh, formula, -4, 4, 0 };
    heed_cases_unary(l, &u);
}
