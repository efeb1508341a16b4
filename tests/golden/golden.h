/* golden.h: what the tests of golden files share: entries by name, tensors made from them, numbers
 * compared with them, and the formula of make/common.py by which large weights are not stored. All
 * of them fail the running test when the file does not hold what they ask for. */
#ifndef HEED_TESTS_GOLDEN_H
#define HEED_TESTS_GOLDEN_H

#include "heed/io.h"

/* tests/golden/<name>.safetensors */
heed_safetensors *golden_open(const char *name);

/* The entry "<prefix><name>"; golden_has gives NULL where there is none. */
const heed_entry *golden_find(const heed_safetensors *file, const char *prefix, const char *name);
const heed_entry *golden_has(const heed_safetensors *file, const char *prefix, const char *name);

/* A tensor of the step with the entry's numbers: F32 or I32. */
heed_tensor *golden_tensor(heed_ctx *cx, const heed_entry *e);

/* x within tol of the entry's largest number. */
void golden_compare(const heed_entry *e, const float *x, double tol);

/* x, len numbers, within tol: beside "<name>.sample", and the largest, the sum of squares, the sum
 * and the product with the probe in "<name>.stats". */
void golden_compare_summary(const heed_safetensors *file, const char *name, const float *x,
                            int64_t len, double tol);

/* Element i of the tensor of that name by the formula; a whole parameter with the scale of its
 * shape, a norm's gain around 1; or a tensor with a given scale. */
float golden_formula(const char *name, int64_t i, float scale);
void golden_fill_param(const char *name, heed_tensor *t);
void golden_fill(const char *name, heed_tensor *t, float scale);

/* The gradient "<prefix><name>", stored whole or as a summary. A key's bias adds the same to all
 * scores of a row, to which softmax is blind: its gradient is 0, what is found is rounding. The
 * reference's must be below 1e-12 of the largest of its weight's gradient, ours below tol of it. */
void golden_compare_grad(const heed_safetensors *file, const char *prefix, const char *name,
                         const float *x, int64_t len, double tol);
bool golden_is_key_bias(const char *name);

#endif
