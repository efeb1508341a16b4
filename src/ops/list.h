/* list.h: the names of all differentiable operations, and nothing else, one line each. The table of
 * cases, the tests over all ops, `heed bench ops` and docs/OPS.md are made from it:
 *
 *     #define X(name) ...
 *     #include "ops/list.h"
 *     #undef X
 *
 * X(softmax) stands for heed_softmax of a public header, src/ops/softmax.c and heed_cases_softmax
 * of src/ops/cases/softmax.c: a line without cases does not link. Sections as in ops.h.
 */

/* arithmetic */

/* functions of each element */

/* products */

/* shape */

/* sums and pooling */
X(mean_pool)
X(max_pool)

/* rows */

/* tables and positions */
X(embedding)
X(embedding_bag)
X(rotary)

/* recurrent */
X(lstm)
X(lstm_cell)
X(gru)
X(gru_cell)

/* convolution */
X(conv1d)
X(conv2d)
X(max_pool2d)

/* losses */

/* attention */
X(linear_attention)
