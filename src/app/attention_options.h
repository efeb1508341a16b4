/* attention_options.h: the options of a training that choose attention's kind. */
#ifndef HEED_APP_ATTENTION_OPTIONS_H
#define HEED_APP_ATTENTION_OPTIONS_H

#include "app/options.h"
#include "heed/tasks.h"

typedef struct attention_options {
    const char *score, *weights, *temperature;
    double entropy, diversity, coverage;
} attention_options;

enum { ATTENTION_OPTIONS = 10 };

/* Writes the table of options, which fill o and *cfg, to list[0..ATTENTION_OPTIONS). */
void attention_options_list(attention_options *o, heed_classify_cfg *cfg, opt *list);
/* What was said, as the library wants it. False: a sentence was printed. */
bool attention_options_complete(const attention_options *o, heed_classify_cfg *cfg);

#endif
