/* data.h: data files for commands. */
#ifndef HEED_APP_DATA_H
#define HEED_APP_DATA_H

#include "io/dataset.h"

/* What messages call a file, in their language: - is standard input. */
const char *data_name(const char *file);

/* heed__dataset_read; of several wrong lines it prints the first ten to stderr, a line each, and
 * leaves their number in *err. ^C stops it. */
int data_read(heed_dataset *d, const char *file, const heed_dataset_cfg *cfg, heed_error *err);
/* Prints what was read, "FILE: 10003 texts; how", and how many texts repeat an earlier one.
 * of: what each has, "label" or "score"; NULL: nothing. */
void data_tell(const heed_dataset *d, const char *file, const char *of);
/* Prints how many of b's texts a has too, if any. */
void data_tell_overlap(const heed_dataset *a, const char *a_file, const heed_dataset *b,
                       const char *b_file, const char *of);

#endif
