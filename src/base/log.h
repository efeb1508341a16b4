/* log.h: one line to the caller's log hook; without a hook nothing is formatted and nothing is
 * printed. */
#ifndef HEED_BASE_LOG_H
#define HEED_BASE_LOG_H

#include "heed/base.h"

void heed__log(const heed_hooks *hooks, heed_log_level level, const char *format, ...)
    HEED_PRINTF(3, 4);

#endif
