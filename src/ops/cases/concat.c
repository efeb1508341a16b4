/* concat.c: cases of heed_concat. */
#include "ops/cases/cases.h"

static heed_tensor *apply(heed_ctx *cx, const heed_case *c, heed_tensor *const *in) {
    return heed_concat(cx, in, c->count, (int)c->i[0]);
}

static heed_tensor *apply_itself(heed_ctx *cx, const heed_case *c, heed_tensor *const *in) {
    return heed_concat(cx, (heed_tensor *[]){ in[0], in[0] }, 2, (int)c->i[0]);
}

static void reference(const heed_case *c, const double *const *in, double *out) {
    int64_t outer = 1;
    for (int d = 0; d < c->i[0]; d++) outer *= c->in[0].shape[d];
    for (int64_t p = 0; p < outer; p++)
        for (int k = 0; k < 2; k++) { /* one input: it stands for both parts */
            const int part = k < c->count ? k : 0;
            const int64_t row = heed_case_len(c, part) / outer;
            for (int64_t i = 0; i < row; i++) *out++ = in[part][p * row + i];
        }
}

static void add(heed_case_list *l, heed_case_input a, heed_case_input b, int axis) {
    heed_case c = { .apply = apply, .reference = reference, .count = 2, .in = { a, b } };
    c.i[0] = axis;
    c.out.ndim = a.ndim;
    for (int d = 0; d < a.ndim; d++) c.out.shape[d] = a.shape[d];
    c.out.shape[axis] += b.shape[axis];
    heed_case_add(l, &c);
}

void heed_cases_concat(heed_case_list *l) {
    const heed_case_input a = { HEED_DIMS(3, 5, 2) };
    add(l, a, (heed_case_input){ HEED_DIMS(4, 5, 2) }, 0);
    add(l, a, (heed_case_input){ HEED_DIMS(3, 1, 2) }, 1);
    add(l, a, (heed_case_input){ HEED_DIMS(3, 5, 7) }, 2);
    add(l, a, (heed_case_input){ HEED_DIMS(3, 0, 2) }, 1);
    add(l, (heed_case_input){ HEED_DIMS(300, 111) }, (heed_case_input){ HEED_DIMS(300, 200) }, 1);
    heed_case_add(l, &(heed_case){ .name = "with itself",
                                   .apply = apply_itself,
                                   .reference = reference,
                                   .count = 1,
                                   .i = { 1 },
                                   .in = { { HEED_DIMS(3, 4) } },
                                   .out = { HEED_DIMS(3, 8) } });
    heed_case bad = { .apply = apply, .count = 2, .i = { 1 } };
    bad.in[0] = a;
    bad.in[1] = (heed_case_input){ HEED_DIMS(3, 5) };
    bad.refuse = "[3,5,2] and [3,5] do not join along axis 1";
    heed_case_add(l, &bad);
    bad.in[1] = (heed_case_input){ HEED_DIMS(4, 5, 2) };
    bad.refuse = "[3,5,2] and [4,5,2] do not join along axis 1";
    heed_case_add(l, &bad);
    bad.in[1] = (heed_case_input){ HEED_DIMS(3, 5, 2), .dtype = HEED_I32 };
    bad.refuse = "must be f32";
    heed_case_add(l, &bad);
    bad.in[1] = a;
    bad.i[0] = 3;
    bad.code = HEED_EINVALID;
    bad.refuse = "[3,5,2] has no axis 3";
    heed_case_add(l, &bad);
    bad = (heed_case){ .name = "nothing", .apply = apply, .code = HEED_EINVALID };
    bad.refuse = "there is nothing to join";
    heed_case_add(l, &bad);
    heed_case_add(l, &(heed_case){ .apply = apply,
                                   .bench = true,
                                   .count = 2,
                                   .in = { { HEED_DIMS(1024, 1024) }, { HEED_DIMS(1024, 1024) } },
                                   .i = { 1 },
                                   .bytes = 16e6 });
}
