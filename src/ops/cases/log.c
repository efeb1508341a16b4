/* log.c: cases of heed_log. */
#include "ops/cases/cases.h"

#include <math.h>

void heed_cases_log(heed_case_list *l) {
    static const heed_unary u = { heed_log, log, 0.1, 4, 0 };
    heed_cases_unary(l, &u);
}
