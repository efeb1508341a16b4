/* prefix.h: tensors of a file whose names begin with a prefix, such as "param/", as a checkpoint
 * keeps them. For io and train. */
#ifndef HEED_IO_PREFIX_H
#define HEED_IO_PREFIX_H

#include "heed/io.h"

/* The entry whose name is prefix and name together, or NULL. */
const heed_entry *heed__find_prefixed(const heed_safetensors *st, const char *prefix,
                                      const char *name);
/* Whether the file's tensors under prefix are ps's parameters, no more, no fewer, in shape and kind
 * of number. 0 or HEED_EFORMAT. */
int heed__params_check(const heed_params *ps, const heed_safetensors *st, const char *prefix,
                       heed_error *err);
/* Reads them; call it after the check, then it cannot fail. */
void heed__params_take(heed_params *ps, const heed_safetensors *st, const char *prefix);

/* Values of one parameter from a file that has it as it is or rounded to 8 bits, "NAME" I8 [N,C]
 * and "NAME.scale" F32 [N]. False: the file has it not, or in another shape. */
bool heed__param_take(heed_tensor *w, const heed_safetensors *st, const char *prefix);

#endif
