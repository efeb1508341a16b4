/* backward.c: the tape read backwards, and where gradients lie.
 *
 * Nodes whose output received no gradient are passed over. The gradient of a step's tensor takes a
 * block when it is first touched and gives it back when the operation that made the tensor has run
 * its backward, since nothing later in the walk reads it; a parameter's lies in heed_params. A view
 * has none of its own: it points into the gradient of what it views. */
#include "tensor/bins.h"
#include "tensor/params.h"

#include <string.h>

static heed_tensor *root_of(heed_tensor *t) {
    return t->view_of ? t->view_of : t;
}

static void clear_range(void *grad, int64_t begin, int64_t end, int worker) {
    (void)worker;
    memset((float *)grad + begin, 0, (size_t)(end - begin) * sizeof(float));
}

static void clear(heed_ctx *cx, float *grad, int64_t len) {
    enum { CHUNK = 1 << 16 };
    heed_pool_run(cx->pool, len, CHUNK, clear_range, grad);
}

/* The gradient of t; *fresh: its numbers are not set and all of them are t's own. */
static float *touch(heed_ctx *cx, heed_tensor *t, bool *fresh) {
    *fresh = false;
    if (!t || !t->needs_grad) return NULL;
    heed_tensor *root = root_of(t);
    if (!root->needs_grad) return NULL; /* frozen since */
    if (root->sparse) {
        heed_fail(cx, HEED_EUNSUPPORTED,
                  "table %s keeps row-sparse gradients, which only embeddings can give",
                  root->name ? root->name : "");
        return NULL;
    }
    if (!root->grad) {
        root->grad = root->name ? heed__param_grad(cx, root)
                                : heed__bin_take(cx, (size_t)root->len * sizeof(float));
        if (!root->grad) return NULL;
        *fresh = t->len == root->len;
        if (!*fresh) clear(cx, root->grad, root->len);
    }
    float *grad = root->grad + t->view_offset;
    if (t != root && (root->name || root->keep_grad)) t->grad = grad;
    return grad;
}

float *heed__grad_beta(heed_ctx *cx, heed_tensor *t, float *beta) {
    bool fresh;
    float *grad = touch(cx, t, &fresh);
    *beta = fresh ? 0.0f : 1.0f;
    return grad;
}

float *heed_grad(heed_ctx *cx, heed_tensor *t) {
    bool fresh;
    float *grad = touch(cx, t, &fresh);
    if (grad && fresh) clear(cx, grad, t->len);
    return grad;
}

bool heed__grad_pass(heed_tensor *t, heed_tensor *out) {
    if (!t || !t->needs_grad) return false;
    heed_tensor *root = root_of(t);
    if (!root->needs_grad || root->grad || root->name || root->sparse || root->len != out->len)
        return false;
    if (out->view_of || out->name || out->keep_grad || !out->grad) return false;
    root->grad = out->grad;
    out->grad = NULL;
    if (t != root && root->keep_grad) t->grad = root->grad;
    return true;
}

/* The room of a gradient that nothing reads any more. */
static void release(heed_ctx *cx, heed_tensor *t) {
    if (t->view_of || t->name || t->keep_grad || !t->grad) return;
    heed__bin_give(cx, t->grad);
    t->grad = NULL;
}

static void walk(heed_ctx *cx) {
    const bool record = heed_ctx_set_record(cx, false);
    cx->in_backward = true;
    for (int64_t i = cx->node_count - 1; i >= 0 && !cx->error.code; i--) {
        const heed_node n = cx->nodes[i]; /* a copy: the tape moves if a backward records */
        heed_tensor *root = root_of(n.out);
        if (!root->grad) continue;
        if (root != n.out) n.out->grad = root->grad + n.out->view_offset;
        n.op->backward(cx, &n);
        release(cx, n.out);
        heed__temps_end(cx);
    }
    cx->in_backward = false;
    cx->node_count = 0;
    heed_ctx_set_record(cx, record);
}

/* True when backward from t reaches something: an operation on the tape made it, or its gradient is
 * wanted. */
static bool reachable(const heed_ctx *cx, heed_tensor *t) {
    if (root_of(t)->keep_grad) return true;
    for (int64_t i = cx->node_count - 1; i >= 0; i--)
        if (root_of(cx->nodes[i].out) == root_of(t)) return true;
    return false;
}

int heed_backward_from(heed_ctx *cx, heed_tensor *out, const float *dout) {
    if (!cx) return HEED_EINVALID;
    if (cx->error.code) return cx->error.code;
    if (cx->in_backward) {
        heed_fail(cx, HEED_EINVALID, "backward was called by the backward of an operation");
    } else if (!out || !dout) {
        heed_fail(cx, HEED_EINVALID, "backward from a tensor or gradient that is NULL");
    } else if (out->dtype != HEED_F32) {
        heed_fail(cx, HEED_EINVALID, "backward from a tensor of type %s; only f32 has gradients",
                  heed_dtype_name(out->dtype));
    } else if (!out->needs_grad) {
        heed_fail(cx, HEED_EINVALID,
                  "backward from a tensor that was not made from anything that wants a gradient");
    } else if (!reachable(cx, out)) {
        heed_fail(cx, HEED_EINVALID,
                  "backward from a tensor that no operation on the tape made (an earlier backward "
                  "used the tape up)");
    } else {
        float *grad = heed_grad(cx, out);
        if (!grad && !cx->error.code)
            heed_fail(cx, HEED_EINVALID, "backward from a tensor that wants no gradient");
        for (int64_t i = 0; grad && i < out->len; i++) grad[i] += dout[i];
        if (grad) walk(cx);
    }
    return cx->error.code;
}

int heed_backward(heed_ctx *cx, heed_tensor *loss) {
    const float one = 1.0f;
    if (cx && loss && loss->len != 1 && !cx->error.code) {
        char text[96];
        heed_fail(cx, HEED_ESHAPE, "backward from a loss of shape %s; it must be one number",
                  heed_shape_text(loss, text));
    }
    return heed_backward_from(cx, loss, &one);
}
