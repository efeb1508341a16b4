/* max_pool2d.c: the largest of each window of an image.   x [B,C,Y,X] -> y [B,C,Y',X']
 *
 *   forward    y(u,v) = max_k,l<size x(u·stride + k, v·stride + l);  Y' = (Y - size)/stride + 1
 *   backward   dx += dy at the first element, row by row, that holds the maximum
 */
#include "ops/op.h"

typedef struct pool_job {
    const float *x;
    float *y;
    int64_t *at; /* [B·C·Y'·X'] index of the maximum within its plane */
    int64_t h, w, oh, ow, size, stride;
    const float *dy;
    float *dx;
} pool_job;

static int64_t window_max(const pool_job *j, const float *plane, int64_t u, int64_t v) {
    int64_t best = u * j->stride * j->w + v * j->stride;
    for (int64_t k = 0; k < j->size; k++) {
        for (int64_t l = 0; l < j->size; l++) {
            const int64_t i = (u * j->stride + k) * j->w + v * j->stride + l;
            const bool nan_best = plane[best] != plane[best], nan_here = plane[i] != plane[i];
            if (plane[i] > plane[best] || (nan_best && !nan_here)) best = i;
        }
    }
    return best;
}

static void pool_planes(void *arg, int64_t begin, int64_t end, int worker) {
    const pool_job *j = arg;
    (void)worker;
    for (int64_t n = begin; n < end; n++) {
        const float *plane = j->x + n * j->h * j->w;
        for (int64_t o = 0; o < j->oh * j->ow; o++) {
            const int64_t best = window_max(j, plane, o / j->ow, o % j->ow);
            j->at[n * j->oh * j->ow + o] = best;
            j->y[n * j->oh * j->ow + o] = plane[best];
        }
    }
}

static void spread_planes(void *arg, int64_t begin, int64_t end, int worker) {
    const pool_job *j = arg;
    const int64_t P = j->oh * j->ow;
    (void)worker;
    for (int64_t n = begin; n < end; n++)
        for (int64_t o = 0; o < P; o++)
            j->dx[n * j->h * j->w + j->at[n * P + o]] += j->dy[n * P + o];
}

static void max_pool2d_backward(heed_ctx *cx, const heed_node *n) {
    const heed_tensor *x = n->src[0], *y = n->out;
    pool_job j = { .at = n->saved,
                   .h = x->shape[2],
                   .w = x->shape[3],
                   .oh = y->shape[2],
                   .ow = y->shape[3],
                   .dy = y->grad,
                   .dx = heed_grad(cx, n->src[0]) };
    if (j.dx) heed__parallel(cx, x->shape[0] * x->shape[1], j.oh * j.ow, spread_planes, &j);
}

static const heed_op op = { .name = "max_pool2d", .backward = max_pool2d_backward };

heed_tensor *heed_max_pool2d(heed_ctx *cx, heed_tensor *x, int size, int stride) {
    char text[96];
    if (!x) return NULL;
    if (x->dtype != HEED_F32 || x->ndim != 4)
        return heed_fail(cx, HEED_ESHAPE, "max_pool2d: x %s %s is not f32 [B,C,Y,X]",
                         heed_dtype_name(x->dtype), heed_shape_text(x, text));
    if (size < 1 || stride < 1 || x->shape[2] < size || x->shape[3] < size)
        return heed_fail(cx, HEED_EINVALID, "max_pool2d: size %d, stride %d do not fit x %s", size,
                         stride, heed_shape_text(x, text));
    pool_job j = { .x = x->data,
                   .h = x->shape[2],
                   .w = x->shape[3],
                   .oh = (x->shape[2] - size) / stride + 1,
                   .ow = (x->shape[3] - size) / stride + 1,
                   .size = size,
                   .stride = stride };
    heed_tensor *y = heed__out(cx, &op, 4, (int64_t[]){ x->shape[0], x->shape[1], j.oh, j.ow });
    j.at = y ? heed__alloc(cx, y->len, sizeof *j.at) : NULL;
    if (!j.at) return NULL;
    j.y = y->data;
    if (x->len)
        heed__parallel(cx, x->shape[0] * x->shape[1], j.oh * j.ow * size * size, pool_planes, &j);
    return heed__record1(cx, &op, y, x, j.at);
}
