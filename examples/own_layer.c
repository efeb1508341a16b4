/* own_layer.c: a layer of your own, with its gradient, between two of ours.
 *
 * It squashes each number to a learned height: y = h·tanh(x / h), h [C] positive. The program
 * checks its gradient by differences, then trains the whole on a small regression.
 *
 *     cc own_layer.c $(pkg-config --cflags --libs heed) -lm && ./a.out
 */
#include <heed/nn.h>
#include <heed/train.h>
#include <math.h>
#include <stdio.h>

/* dx += dy·(1 - t²)    dh += dy·(t - x/h·(1 - t²))    with t = tanh(x/h) */
static void squash_backward(heed_ctx *cx, const heed_node *n) {
    const heed_tensor *x = heed_node_src(n, 0), *h = heed_node_src(n, 1);
    const float *dy = heed_node_out(n)->grad;
    float *dx = heed_grad(cx, heed_node_src(n, 0)), *dh = heed_grad(cx, heed_node_src(n, 1));
    for (int64_t i = 0; i < x->len; i++) {
        const int64_t c = i % h->len;
        const float u = HEED_F32_DATA(x)[i] / HEED_F32_DATA(h)[c], t = tanhf(u), s = 1 - t * t;
        if (dx) dx[i] += dy[i] * s;
        if (dh) dh[c] += dy[i] * (t - u * s);
    }
}

static const heed_op squash_op = { .name = "squash", .backward = squash_backward };

static heed_tensor *squash(heed_ctx *cx, heed_tensor *x, heed_tensor *h) { /* x [..,C], h [C] */
    if (!x || !h) return NULL;
    heed_tensor *y = heed_new(cx, HEED_F32, x->ndim, x->shape);
    for (int64_t i = 0; y && i < x->len; i++) {
        const float height = HEED_F32_DATA(h)[i % h->len];
        HEED_F32_DATA(y)[i] = height * tanhf(HEED_F32_DATA(x)[i] / height);
    }
    return heed_record(cx, &squash_op, y, 2, (heed_tensor *[]){ x, h }, NULL);
}

static heed_linear first, last;
static heed_tensor *height;

static heed_tensor *loss_of(heed_ctx *cx) { /* fit sin(3x) on 32 points */
    float x[32], y[32];
    for (int i = 0; i < 32; i++) x[i] = (float)i / 16 - 1, y[i] = sinf(3 * x[i]);
    const int64_t shape[] = { 32, 1 };
    heed_tensor *h = heed_linear_apply(cx, &first, heed_from_f32(cx, 2, shape, x));
    heed_tensor *z = heed_linear_apply(cx, &last, squash(cx, h, height));
    return heed_mse(cx, z, heed_from_f32(cx, 2, shape, y));
}

int main(void) {
    heed_error err;
    heed_ctx *cx = heed_ctx_new(&(heed_ctx_cfg){ .train = true, .threads = 1 }, &err);
    heed_params *ps = cx ? heed_params_new(&(heed_params_cfg){ .seed = 1 }, &err) : NULL;
    if (!cx || !ps) return fprintf(stderr, "%s\n", err.msg), 1;
    heed_linear_init(&first, ps, "first", 1, 16);
    height = heed_param(ps, "height", (heed_init){ HEED_INIT_ONES, 0 }, 1, (int64_t[]){ 16 });
    heed_linear_init(&last, ps, "last", 16, 1);

    heed_backward(cx, loss_of(cx)); /* the gradient beside differences */
    const float exact = height->grad[3], step = 1e-2f;
    HEED_F32_DATA(height)[3] += step;
    const float up = heed_item(loss_of(cx));
    HEED_F32_DATA(height)[3] -= 2 * step;
    const float down = heed_item(loss_of(cx));
    HEED_F32_DATA(height)[3] += step;
    printf("gradient %.5f, by differences %.5f\n", exact, (up - down) / (2 * step));
    heed_ctx_reset(cx);
    heed_params_zero_grad(ps);

    heed_optim *opt = heed_optim_new(cx, ps, &(heed_optim_cfg){ .kind = HEED_ADAM, .lr = 0.02f },
                                     &err);
    for (int i = 0; opt && i <= 500; i++) {
        heed_tensor *loss = loss_of(cx);
        if (i % 100 == 0) printf("step %3d loss %.6f\n", i, heed_item(loss));
        if (heed_backward(cx, loss) || heed_optim_step(opt)) break;
        heed_ctx_reset(cx);
    }
    heed_optim_free(opt), heed_params_free(ps), heed_ctx_free(cx);
    return fabsf(exact - (up - down) / (2 * step)) > 1e-3f;
}
