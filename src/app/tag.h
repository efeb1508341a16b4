/* tag.h: what commands do with taggers. */
#ifndef HEED_APP_TAG_H
#define HEED_APP_TAG_H

#include "heed/tasks.h"
#include "io/conll.h"

/* `heed train tag`, with the arguments after it. Returns the exit status. */
int train_tag(int argc, char **argv);

/* heed__conll_read, and every tag looked at: "FILE:LINE: 'X' is no tag". 0 or a status. */
int tag_read(heed_conll *c, const char *file, const heed_conll_cfg *cfg, heed_error *err);
/* Prints how many sentences there are, and in which scheme their tags are. */
void tag_describe(const heed_conll *c, const char *file);

/* `heed test DIR FILE` of a tagger. 0 or a status. */
int tag_test(const char *dir, const char *file, const heed_conll_cfg *cfg,
             const heed_open_cfg *open, bool json, heed_error *err);

typedef struct tag_predict_cfg {
    bool json;    /* an object a line (docs/schemas/predict_tag.json) */
    bool conll;   /* columns: word, tag, confidence of its entity */
    bool columns; /* what is read has columns too, a word a line */
    int64_t token;
} tag_predict_cfg;
/* `heed predict DIR [FILE]` of a tagger. 0 or a status. */
int tag_predict(const char *dir, const char *file, const tag_predict_cfg *cfg,
                const heed_open_cfg *open, heed_error *err);

/* Whether dir is the folder of a tagger; false where it cannot be read, which opening it will tell.
 */
bool tag_is_tagger(const char *dir);

#endif
