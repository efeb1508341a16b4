/* attention_general.c: every kind of attention that the fused kernel does not compute. */
#include "ops/attention_impl.h"

heed_tensor *heed__attention_general(heed_ctx *cx, const heed_attention_call *c) {
    (void)c;
    return heed_fail(cx, HEED_EUNSUPPORTED, "attention: this combination is not in this build");
}
