/* convolve.c: convolution as im2col and a product, image by image and group by group.
 *
 *   forward    col[(i,ky,kx),(y,x)] = x[i, y·s + ky·d - p, x·s + kx·d - p];   y_g = W_g·col + b
 *   backward   dx += col2im(W_gᵀ·dy_g);   dW_g += Σ_images dy_g·colᵀ, in the order of images;
 *              db_o += Σ dy_o
 */
#include "ops/convolve.h"
#include "ops/op.h"
#include "kernels/gemm.h"
#include "kernels/row.h"

#include <string.h>

/* Everything as 2d; in, out: channels of one group. */
typedef struct conv_shape {
    int64_t batch, groups, in, out, h, w, kh, kw, oh, ow;
    int64_t stride[2], pad[2], dil[2];
} conv_shape;

typedef struct conv_job {
    const heed_ctx *cx;
    const conv_shape *s;
    const float *x, *w, *b;
    float *y, *dx;
    const float *dy;
    float *room; /* of each worker: col, then the product's scratch */
    int64_t room_len, col_len;
} conv_job;

static int64_t taps(const conv_shape *s) {
    return s->in * s->kh * s->kw;
}

/* Row (i,ky,kx) of col from image x of one group; or, back, adds the row to dx. */
static void col_row(const conv_shape *s, float *col, float *x, int64_t row, bool back) {
    const int64_t kx = row % s->kw, ky = row / s->kw % s->kh, i = row / s->kw / s->kh;
    float *plane = x + i * s->h * s->w;
    for (int64_t oy = 0; oy < s->oh; oy++) {
        const int64_t y = oy * s->stride[0] + ky * s->dil[0] - s->pad[0];
        float *line = plane + y * s->w, *to = col + row * s->oh * s->ow + oy * s->ow;
        const bool inside = y >= 0 && y < s->h;
        for (int64_t ox = 0; ox < s->ow; ox++) {
            const int64_t at = ox * s->stride[1] + kx * s->dil[1] - s->pad[1];
            const bool in = inside && at >= 0 && at < s->w;
            if (!back)
                to[ox] = in ? line[at] : 0.0f;
            else if (in)
                line[at] += to[ox];
        }
    }
}

static void forward_images(void *arg, int64_t begin, int64_t end, int worker) {
    const conv_job *j = arg;
    const conv_shape *s = j->s;
    const int64_t P = s->oh * s->ow, K = taps(s);
    float *col = j->room + worker * j->room_len;
    for (int64_t n = begin; n < end; n++) {
        const int64_t g = n % s->groups;
        float *y = j->y + n * s->out * P;
        for (int64_t r = 0; r < K; r++)
            col_row(s, col, (float *)j->x + n * s->in * s->h * s->w, r, false);
        const heed_gemm product = { .m = s->out,
                                    .n = P,
                                    .k = K,
                                    .a = j->w + g * s->out * K,
                                    .lda = K,
                                    .b = col,
                                    .ldb = P,
                                    .c = y,
                                    .ldc = P };
        heed__gemm(j->cx->k, NULL, &product, col + j->col_len);
        for (int64_t o = 0; j->b && o < s->out; o++)
            for (int64_t p = 0; p < P; p++) y[o * P + p] += j->b[g * s->out + o];
    }
}

static void backward_images(void *arg, int64_t begin, int64_t end, int worker) {
    const conv_job *j = arg;
    const conv_shape *s = j->s;
    const int64_t P = s->oh * s->ow, K = taps(s);
    float *col = j->room + worker * j->room_len;
    for (int64_t n = begin; n < end; n++) {
        const heed_gemm product = { .m = K,
                                    .n = P,
                                    .k = s->out,
                                    .a = j->w + n % s->groups * s->out * K,
                                    .lda = K,
                                    .ta = true,
                                    .b = j->dy + n * s->out * P,
                                    .ldb = P,
                                    .c = col,
                                    .ldc = P };
        heed__gemm(j->cx->k, NULL, &product, col + j->col_len);
        for (int64_t r = 0; r < K; r++) col_row(s, col, j->dx + n * s->in * s->h * s->w, r, true);
    }
}

static void build_col(void *arg, int64_t begin, int64_t end, int worker) {
    const conv_job *j = arg;
    (void)worker;
    for (int64_t r = begin; r < end; r++) col_row(j->s, j->room, (float *)j->x, r, false);
}

/* dW: one product for each image and group, all workers in it. */
static void weight_grad(heed_ctx *cx, const conv_shape *s, const conv_job *src, float *dw) {
    const int64_t P = s->oh * s->ow, K = taps(s);
    heed_gemm g = { .m = s->out,
                    .n = K,
                    .k = P,
                    .lda = P,
                    .ldb = P,
                    .tb = true,
                    .ldc = K,
                    .accumulate = true,
                    .shard = HEED_GEMM_SHARD };
    const int64_t room = heed__gemm_scratch(cx->k, &g, heed_pool_threads(cx->pool)) + 16;
    const int64_t col_len = (K * P + 15) / 16 * 16;
    conv_job j = { .cx = cx, .s = s, .room = heed__alloc(cx, col_len + room, sizeof(float)) };
    for (int64_t n = 0; j.room && n < s->batch * s->groups; n++) {
        j.x = src->x + n * s->in * s->h * s->w;
        heed__parallel(cx, K, P, build_col, &j);
        g.a = src->dy + n * s->out * P;
        g.b = j.room;
        g.c = dw + n % s->groups * s->out * K;
        heed__gemm(cx->k, cx->pool, &g, j.room + col_len);
    }
}

/* Room for each worker; false and the error set when memory is short. */
static bool make_room(heed_ctx *cx, conv_job *j, bool back) {
    const conv_shape *s = j->s;
    const int64_t P = s->oh * s->ow, K = taps(s);
    const heed_gemm g = { .m = back ? K : s->out,
                          .n = P,
                          .k = back ? s->out : K,
                          .lda = K,
                          .ta = back,
                          .ldb = P,
                          .ldc = P };
    if (P > 0 && K > (INT64_MAX >> 20) / P) {
        heed_fail(cx, HEED_ESHAPE, "conv: %lld x %lld numbers are too many", (long long)K,
                  (long long)P);
        return false;
    }
    j->col_len = (K * P + 15) / 16 * 16;
    j->room_len = (j->col_len + heed__gemm_scratch(cx->k, &g, 1) + 31) / 16 * 16;
    j->room = heed__temp(cx, j->room_len * heed_pool_threads(cx->pool), sizeof(float));
    return j->room;
}

void heed__convolve_backward(heed_ctx *cx, const heed_node *n) {
    const conv_shape *s = n->saved;
    if (!s) return; /* no images */
    heed_tensor *x = n->src[0], *w = n->src[1], *b = n->src[2];
    const int64_t P = s->oh * s->ow, channels = s->groups * s->out;
    conv_job j = { .cx = cx, .s = s, .x = x->data, .w = w->data, .dy = n->out->grad };
    j.dx = heed_grad(cx, x);
    if (j.dx) {
        if (!make_room(cx, &j, true)) return;
        heed_pool_run(cx->pool, s->batch * s->groups, 1, backward_images, &j);
        heed__temp_end(cx, j.room);
    }
    float *dw = heed_grad(cx, w);
    if (dw) weight_grad(cx, s, &j, dw);
    float *db = b ? heed_grad(cx, b) : NULL;
    for (int64_t i = 0; db && i < s->batch * channels; i++)
        db[i % channels] += cx->k->row->sum(j.dy + i * P, P);
}

/* Output length of one axis, or -1 where the kernel does not fit. */
static int64_t out_len(int64_t in, int64_t k, int64_t stride, int64_t pad, int64_t dil) {
    if (k > INT64_MAX / 4 / dil || in > INT64_MAX / 4) return -1;
    const int64_t span = in + 2 * pad - dil * (k - 1) - 1;
    return span < 0 ? -1 : span / stride + 1;
}

static bool fill_shape(conv_shape *s, heed_tensor *const src[3], const heed_conv_cfg *cfg,
                       int dims) {
    const heed_tensor *x = src[0], *w = src[1], *b = src[2];
    const int nd = dims + 2;
    if (x->dtype != HEED_F32 || w->dtype != HEED_F32 || x->ndim != nd || w->ndim != nd ||
        (b && (b->dtype != HEED_F32 || b->ndim != 1 || b->shape[0] != w->shape[0])))
        return false;
    *s = (conv_shape){ .batch = x->shape[0], .groups = cfg && cfg->groups ? cfg->groups : 1 };
    if (s->groups < 1 || w->shape[0] % s->groups || x->shape[1] % s->groups ||
        x->shape[1] / s->groups != w->shape[1])
        return false;
    s->in = w->shape[1];
    s->out = w->shape[0] / s->groups;
    s->h = dims == 2 ? x->shape[2] : 1;
    s->w = x->shape[nd - 1];
    s->kh = dims == 2 ? w->shape[2] : 1;
    s->kw = w->shape[nd - 1];
    for (int i = 0; i < 2; i++) {
        const bool used = cfg && (i == 1 || dims == 2);
        s->stride[i] = used && cfg->stride[i] ? cfg->stride[i] : 1;
        s->pad[i] = used ? cfg->padding[i] : 0;
        s->dil[i] = used && cfg->dilation[i] ? cfg->dilation[i] : 1;
        if (s->stride[i] < 1 || s->pad[i] < 0 || s->dil[i] < 1) return false;
    }
    s->oh = out_len(s->h, s->kh, s->stride[0], s->pad[0], s->dil[0]);
    s->ow = out_len(s->w, s->kw, s->stride[1], s->pad[1], s->dil[1]);
    return s->kh > 0 && s->kw > 0 && s->oh > 0 && s->ow > 0;
}

heed_tensor *heed__convolve(heed_ctx *cx, const heed_op *op, heed_tensor *const src[3],
                            const heed_conv_cfg *cfg, int dims) {
    char a[96], b[96];
    conv_shape *s = heed_scratch(cx, sizeof *s);
    if (!s) return NULL;
    if (!fill_shape(s, src, cfg, dims))
        return heed_fail(cx, HEED_ESHAPE,
                         "%s: x %s, w %s, the bias and the config do not fit together", op->name,
                         heed_shape_text(src[0], a), heed_shape_text(src[1], b));
    const int64_t shape2[4] = { s->batch, s->groups * s->out, s->oh, s->ow };
    const int64_t shape1[3] = { s->batch, s->groups * s->out, s->ow };
    heed_tensor *y = heed__out(cx, op, dims + 2, dims == 2 ? shape2 : shape1);
    if (!y) return NULL;
    if (y->len == 0) return heed_record(cx, op, y, 3, src, NULL);
    heed__count(cx, src[1], "convolution",
                2.0 * (double)y->len * (double)(src[1]->len / src[1]->shape[0]));
    conv_job j = { .cx = cx,
                   .s = s,
                   .x = src[0]->data,
                   .w = src[1]->data,
                   .b = src[2] ? src[2]->data : NULL,
                   .y = y->data };
    if (!make_room(cx, &j, false)) return NULL;
    heed_pool_run(cx->pool, s->batch * s->groups, 1, forward_images, &j);
    heed__temp_end(cx, j.room);
    return heed_record(cx, op, y, 3, src, s);
}
