/* keys.h: who may call: a file of keys, of which only SHA-256 is stored, with scopes and rates. */
#ifndef HEED_HTTP_KEYS_H
#define HEED_HTTP_KEYS_H

#include "heed/base.h"

/* Makes a key of 256 random bits for `name`, adds its hash to the file (made with mode 0600) and
 * writes the key itself to text, which is the only time that it is seen. scopes: "read",
 * "read,write", "admin". rate: requests a second (0: no limit). 0, HEED_EINVALID (a name that is
 * there, a scope that is none), HEED_EIO. */
enum { HEED_KEY_SIZE = 56 };
int heed_keys_add(const char *path, const char *name, const char *scopes, double rate,
                  char text[HEED_KEY_SIZE], heed_error *err);
int heed_keys_remove(const char *path, const char *name, heed_error *err); /* or HEED_ENOTFOUND */
/* Calls fn for each key. How many, or a status. */
typedef void (*heed_key_fn)(void *user, const char *name, const char *scopes, double rate,
                            int64_t made_ms);
int64_t heed_keys_list(const char *path, heed_key_fn fn, void *user, heed_error *err);

#endif
