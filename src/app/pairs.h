/* pairs.h: what commands do with pairs of texts and with embedders. */
#ifndef HEED_APP_PAIRS_H
#define HEED_APP_PAIRS_H

#include "app/data.h"
#include "heed/embed.h"

/* `heed train pairs`, with the arguments after it. Returns the exit status. */
int train_pairs(int argc, char **argv);

/* Pairs of a file as the library wants them. */
typedef struct pairs_data {
    heed_dataset d;
    const char **text, **text2; /* those that belong together, where labels tell */
    heed_examples x;
} pairs_data;
/* Reads pairs and says what was read. right_only: where all labels are "1" or "0", pairs with "0"
 * are left out. 0 or a status. */
int pairs_read(pairs_data *p, const char *file, const heed_dataset_cfg *cfg, bool right_only,
               heed_error *err);
void pairs_free(pairs_data *p);
void pairs_print(const heed_retrieval *r, const char *file);

/* Whether dir is the folder of an embedder. */
bool pairs_is_embedder(const char *dir);
/* `heed test DIR FILE` of an embedder. 0 or a status. */
int pairs_test(const char *dir, const char *file, const heed_dataset_cfg *cfg,
               const heed_open_cfg *open, bool json, heed_error *err);

#endif
