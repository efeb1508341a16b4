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
X(add)
X(sub)
X(mul)
X(div)
X(scale)

/* functions of each element */
X(exp)
X(log)
X(tanh)
X(sigmoid)
X(relu)
X(gelu)
X(gelu_tanh)
X(silu)
X(swiglu)
X(dropout)

/* products */
X(affine)
X(affine_act)
X(affine_drop)
X(feed_forward)
X(matmul)

/* shape */
X(reshape)
X(transpose)
X(concat)
X(slice)

/* sums and pooling */
X(sum)
X(mean)
X(sum_axis)
X(max)
X(mean_pool)
X(max_pool)

/* rows */
X(softmax)
X(log_softmax)
X(layer_norm)
X(rms_norm)
X(l2_norm)

/* tables and positions */
X(embedding)
X(embedding_bag)
X(rotary)

/* recurrent */
X(lstm)
X(lstm_layer)
X(lstm_cell)
X(gru)
X(gru_cell)

/* convolution */
X(conv1d)
X(conv2d)
X(max_pool2d)

/* losses */
X(cross_entropy)
X(affine_cross_entropy)
X(bce_logits)
X(mse)
X(kl_div)
X(info_nce)
X(triplet)
X(crf)

/* attention */
X(attention)
X(attention_mean)
X(linear_attention)
X(reinforce)
