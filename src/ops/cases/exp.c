/* exp.c: cases of heed_exp. */
#include "ops/cases/cases.h"

#include <math.h>

void heed_cases_exp(heed_case_list *l) {
    static const heed_unary u = { heed_exp, exp, -3, 3, 0 };
    heed_cases_unary(l, &u);
}
