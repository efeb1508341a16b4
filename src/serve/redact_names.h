/* redact_names.h: names of persons out of a text, as the flow's first analysis of the kind tag
 * finds them: entities of a type PER, PERS, PERSON, NAME or NR. What the tagger misses stays. */
#ifndef HEED_SERVE_REDACT_NAMES_H
#define HEED_SERVE_REDACT_NAMES_H

#include "serve/analyst.h"

/* 0; HEED_EINVALID: the flow has no tagger that knows such a type. */
int heed__names_check(heed_analyst *a, heed_error *err);
/* text with "[name]" in place; heed__free; NULL and *err. A heed_redact_fn whose user is the
 * analyst. */
char *heed__redact_names(void *analyst, const char *text, int64_t *count, heed_error *err);

#endif
