/* fixture.h: a context and parameters that tests of layers begin with. */
#ifndef HEED_TESTS_NN_FIXTURE_H
#define HEED_TESTS_NN_FIXTURE_H

#include "cmocka_all.h"

#include "heed/models.h"

typedef struct fixture {
    heed_ctx *cx;
    heed_params *ps;
} fixture;

static inline fixture open_fixture(void) {
    heed_error err;
    fixture f = { heed_ctx_new(&(heed_ctx_cfg){ .threads = 1, .seed = 5 }, &err),
                  heed_params_new(&(heed_params_cfg){ .seed = 5 }, &err) };
    assert_non_null(f.cx);
    assert_non_null(f.ps);
    return f;
}

static inline void close_fixture(fixture *f) {
    heed_params_free(f->ps);
    heed_ctx_free(f->cx);
}

/* Normal numbers, the same ones every time. */
static inline heed_tensor *noise(heed_ctx *cx, int ndim, const int64_t *shape) {
    heed_tensor *x = heed_new(cx, HEED_F32, ndim, shape);
    heed_rng rng = { .seed = 9 };
    for (int64_t i = 0; i < x->len; i++) HEED_F32_DATA(x)[i] = heed_rng_normal(&rng);
    return x;
}

#endif
