/* features.h: ready features beside texts, from a .npy file (`--features FILE`). */
#ifndef HEED_APP_FEATURES_H
#define HEED_APP_FEATURES_H

#include "heed/tasks.h"
#include "io/npy.h"

typedef struct features {
    heed_npy npy;
    heed_array array;
} features;

/* Reads path (NULL: nothing) and, unless file is NULL, checks that it has a row for each of the len
 * texts of file. 0 or a status. */
int features_read(features *f, const char *path, int64_t len, const char *file, heed_error *err);
/* What heed_examples takes; NULL: there are none. */
const heed_array *features_array(const features *f);
/* Row i as heed_explanation takes it. */
heed_array features_row(const features *f, int64_t i);
void features_free(features *f); /* a zeroed one is fine */
/* `--text none`, which goes with features: the data are labels alone. */
bool features_alone(const char *path, const char *text);

#endif
