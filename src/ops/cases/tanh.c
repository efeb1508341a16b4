/* tanh.c: cases of heed_tanh. */
#include "ops/cases/cases.h"

#include <math.h>

void heed_cases_tanh(heed_case_list *l) {
    static const heed_unary u = { heed_tanh, tanh, -4, 4, 0.05 };
    heed_cases_unary(l, &u);
}
