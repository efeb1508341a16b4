/* oom.h: every allocation fails once. The programs of this folder are linked so that malloc,
 * calloc, realloc and free of the library, and jansson's too, come through oom.c.
 *
 *     static int make(heed_error *err) { ... return 0, or free everything and return the status; }
 *     oom_each(make);
 *
 * runs make with the 1st allocation failing, then the 2nd, 3rd ... until it has none left to fail,
 * and once more with every allocation from the nth on failing. Each run must either succeed or
 * return HEED_ENOMEM with a sentence, and must give back all that it took.
 */
#ifndef HEED_TESTS_OOM_H
#define HEED_TESTS_OOM_H

#include "cmocka_all.h"

#include "heed/tensor.h"

typedef int (*oom_fn)(heed_error *err);

/* Returns how many allocations a whole run makes, after printing it. */
int64_t oom_each(oom_fn fn);
/* Contexts of oom_context from here on have so many threads and compute in that precision; at first
 * one, in f32. Each test says what it needs. */
void oom_use(int threads, heed_precision precision);
heed_ctx *oom_context(bool train, heed_error *err);
/* What steps returns, with a context that trains and empty parameters. */
int oom_train(int (*steps)(heed_ctx *cx, heed_params *ps, heed_error *err), heed_error *err);
/* jansson 2.14 goes on with a cut text, and aborts or frees a wrong pointer, when memory runs out
 * while it reads a text of more than 16 bytes. True: its own allocations never fail. */
void oom_spare_json(bool spare);

#endif
