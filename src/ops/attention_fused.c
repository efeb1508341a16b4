/* attention_fused.c: attention by the fused kernel. */
#include "ops/attention_impl.h"

heed_tensor *heed__attention_fused(heed_ctx *cx, const heed_attention_call *c) {
    (void)c;
    return heed_fail(cx, HEED_EUNSUPPORTED, "attention: the fused kernel is not in this build");
}
