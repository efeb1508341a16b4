/* language.h: which language a text is in. Its script often says all; among those of Latin and
 * Cyrillic letters a classifier of languages (models/language) does, and of what it says only that
 * stays which fits the text's letters.
 *
 * Known by script alone: am ar bn bo el fa gu he hi hy ja ka km kn ko lo ml my or pa si ta te th ur
 * zh. A script of several languages says the most used one: he (not yi), hi (not mr, ne), bn (not
 * as), am (not ti); Han without kana is zh.
 */
#ifndef HEED_SERVE_LANGUAGE_H
#define HEED_SERVE_LANGUAGE_H

#include "heed/base.h"

typedef struct heed_spoken {
    const char *code;  /* ISO 639-1, else 639-3; static, or a label; NULL: not known ("und") */
    double confidence; /* [0,1]; of the script: its part of the letters */
    bool asks;         /* Latin or Cyrillic: heed_language_of can tell */
} heed_spoken;

enum { HEED_LANGUAGES = 64 };

/* By script. Addresses of mail and web, @names, $SHARES and what was redacted do not count. */
heed_spoken heed_language(const char *text);
/* The same, with what a classifier gives to n labels (at most HEED_LANGUAGES), codes of languages:
 * a label whose alphabet lacks letters of the text loses by each. Not known where nothing is left
 * with half of the chance, or there are fewer than five letters. code may be one of label. */
heed_spoken heed_language_of(const char *text, const char *const *label, const float *prob,
                             int64_t n);

#endif
