/* config.h: config.json of a model folder: what a model is made of, with the version of its form.
 */
#ifndef HEED_IO_CONFIG_H
#define HEED_IO_CONFIG_H

#include <jansson.h>

#include "heed/base.h"

/* folder/name; free it with heed__free. NULL: out of memory. */
char *heed__path(const heed_hooks *hooks, const char *folder, const char *name);

/* Reads folder/config.json, an object whose "format_version" is 1 to newest. Free it with
 * json_decref. NULL and one sentence in *err. */
json_t *heed__config_load(const heed_hooks *hooks, const char *folder, int64_t newest,
                          heed_error *err);

/* What a layer refused as a wrong setting is a wrong file where it came from a config.json:
 * HEED_EFORMAT, and the sentence names the file unless it does already. Its status. */
int heed__config_blame(const char *folder, heed_error *err);

/* Makes the folder if need be and writes fields, with "format_version" put before them, to its
 * config.json. 0 or a status. */
int heed__config_save(const heed_hooks *hooks, const char *folder, int64_t format_version,
                      const json_t *fields, heed_error *err);

#endif
