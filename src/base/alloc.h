/* alloc.h: every allocation of the library goes through these, and so through the caller's hooks.
 */
#ifndef HEED_BASE_ALLOC_H
#define HEED_BASE_ALLOC_H

#include "heed/base.h"

/* NULL hooks: malloc; size 0: a pointer. */
void *heed__malloc(const heed_hooks *hooks, size_t size);
/* Zeroed; overflow gives NULL. */
void *heed__calloc(const heed_hooks *hooks, size_t count, size_t size);
/* Aligned to 64; free with heed__aligned_free. */
void *heed__aligned(const heed_hooks *hooks, size_t size);
void heed__free(const heed_hooks *hooks, void *memory); /* NULL is fine */
void heed__aligned_free(const heed_hooks *hooks, void *memory);
/* Grows *items (of `size` bytes each, *cap of them) to at least `need`, doubling; keeps contents. 0
 * or HEED_ENOMEM. */
int heed__grow(const heed_hooks *hooks, void *items, int64_t *cap, int64_t need, size_t size);
char *heed__strdup(const heed_hooks *hooks, const char *text);

/* Fills *err (which may be NULL) with code and sentence and returns code. */
int heed__error(heed_error *err, int code, const char *format, ...) HEED_PRINTF(3, 4);
/* Whether a call lacks what it cannot do without: true where thing is NULL, with *err filled:
 * HEED_EINVALID, "CALL: there is no NAME". What could not be made is NULL, and a program that goes
 * on with it is told so. */
bool heed__lacks(const void *thing, const char *call, const char *name, heed_error *err);
/* The same of a list of len things ("texts"), or of room for so many: "CALL: there is no list of
 * THINGS", "CALL: there is no room for THINGS". Fewer than none there cannot be: "CALL: there
 * cannot be -3 THINGS". */
bool heed__lacks_list(const void *list, int64_t len, const char *call, const char *things,
                      heed_error *err);
bool heed__lacks_room(const void *room, int64_t len, const char *call, const char *things,
                      heed_error *err);
/* The same of a list of len texts and of each of them, by the name of one ("text"): "CALL: NAME 3
 * is NULL", counted from 0. */
bool heed__lacks_any(const char *const *list, int64_t len, const char *call, const char *name,
                     heed_error *err);

#endif
