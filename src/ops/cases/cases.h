/* cases.h: how an operation's cases are written. One table per op is its forward test, its gradient
 * check, its parity test over ISAs and threads, its test of bad input and its benchmark.
 *
 * To add an op, touch three places: src/ops/<op>.c, a line X(<op>) in ops/list.h, a documented
 * prototype in a public header. The linker then asks for the fourth, src/ops/cases/<op>.c:
 *
 *     #include "ops/cases/cases.h"
 *
 *     static heed_tensor *apply(heed_ctx *cx, const heed_case *c, heed_tensor *const *in) {
 *         return heed_softmax(cx, in[0]);
 *     }
 *
 *     static void reference(const heed_case *c, const double *const *in, double *out) {
 *         const int64_t N = heed_case_cols(c, 0);            // the formula, plainly, in double
 *         for (int64_t r = 0; r < heed_case_rows(c, 0); r++) ...
 *     }
 *
 *     void heed_cases_softmax(heed_case_list *l) {
 *         heed_case_add(l, &(heed_case){ .apply = apply, .reference = reference, .count = 1,
 *             .in = { { HEED_DIMS(3, 17) } }, .out = { HEED_DIMS(3, 17) } });
 *         heed_case_add(l, &(heed_case){ .apply = apply, .count = 1,
 *             .in = { { HEED_DIMS(3, 17), .dtype = HEED_I32 } }, .refuse = "f32" });
 *         heed_case_add(l, &(heed_case){ .apply = apply, .bench = true, .count = 1,
 *             .in = { { HEED_DIMS(1024, 1024) } }, .bytes = 8e6 });
 *     }
 *
 * What the drivers in tests/ops do with a case, in contexts whose memory is filled with NaN:
 *   forward   out has shape .out and equals the reference within tolerance·(largest |reference|)
 *   gradient  of sum(out·w), w fixed numbers: for every f32 input that is not `constant`, against
 *             central differences of the reference (all elements, or 32 by chance where there
 *             are more than 128); each input alone wanting one gives the same bits as all together;
 *             the op used twice in one tape gives the double
 *   parity    out and gradients have the same bits on every ISA with 1, 2, 3 and 7 threads
 *   refuse    NULL in place of any input that is not `optional` gives NULL and no error; a case
 *             with .refuse gives NULL, .code, and a message "<op>: ..." that contains .refuse;
 *             spoilt copies of every case (other sizes, types, axes) end in a result or in such a
 *             message
 * So: odd sizes (1, 17, 33), more rows than one thread takes (a case of >= 100k elements of work),
 * sizes of 0, every option. Inputs that make the formula's kinks unlikely (differences step 1e-5).
 * `build/tests/ops_gradient softmax add` runs the named ops alone.
 */
#ifndef HEED_OPS_CASES_H
#define HEED_OPS_CASES_H

#include "heed/ops.h"

enum { HEED_CASE_INPUTS = 8, HEED_CASE_SEED = 7 };

/* .ndim and .shape of an input or of .out: { HEED_DIMS(2, 3) }; a scalar is { 0 }. */
#define HEED_DIMS(...)                                                                             \
    .ndim = (int)(sizeof((int64_t[]){ __VA_ARGS__ }) / sizeof(int64_t)), .shape = { __VA_ARGS__ }

/* One input. f32 are normal with mean 0 and deviation 1; with lo < hi uniform in [lo,hi). Integers
 * are uniform over lo..hi, both included. `values` or `ids` (len of them, static) give all numbers
 * instead. */
typedef struct heed_case_input {
    int ndim;
    int64_t shape[HEED_MAX_NDIM];
    heed_dtype dtype;
    double lo, hi;
    const float *values;
    const int32_t *ids;
    bool constant; /* no gradient flows to it by definition, or none is to be checked */
    bool optional; /* the op takes NULL for it */
    bool absent;   /* NULL is passed; the reference gets NULL */
} heed_case_input;

typedef struct heed_case_shape {
    int ndim;
    int64_t shape[HEED_MAX_NDIM];
} heed_case_shape;

typedef struct heed_case heed_case;
struct heed_case {
    const char *op; /* set by the list */
    char name[64];  /* what is special; where empty the list writes the shapes */
    heed_case_input in[HEED_CASE_INPUTS];
    int count; /* of inputs */
    heed_tensor *(*apply)(heed_ctx *cx, const heed_case *c, heed_tensor *const *in);
    /* Inputs and output as double, integers too; row-major. Out comes filled with NaN. */
    void (*reference)(const heed_case *c, const double *const *in, double *out);
    heed_case_shape out;
    int64_t i[6]; /* the op's own arguments, for apply and reference to share */
    double f[4];
    const void *cfg;
    double tolerance;      /* of forward; 0: 2e-6 */
    double grad_tolerance; /* of gradients; 0: 1e-5 */
    double grad_floor;     /* the largest gradient counts as at least this, where all are small
                              because larger parts cancel */
    double step;           /* of the differences; 0: 1e-5. Smaller beside many kinks */
    bool random;           /* another call gives other numbers: not used twice in one tape */
    const char *refuse;    /* the call must fail with a message that contains this */
    int code;              /* with this status; 0: HEED_ESHAPE */
    bool bench;            /* for `heed bench ops` alone: large, without reference */
    double flops, bytes;   /* of one forward, for the bench's columns; 0: not told */
};

typedef struct heed_case_list {
    heed_case *items;
    int64_t count, cap;
    const char *op; /* whose cases are being added */
    bool failed;    /* out of memory */
} heed_case_list;

/* Copies *c to the end of the list. */
void heed_case_add(heed_case_list *list, const heed_case *c);
/* Adds copies of *c, an op on one input that keeps its shape, whose numbers lie in [lo,hi): odd
 * sizes, a scalar, nothing, enough for all threads, a type that is refused, one to be timed. */
void heed_cases_each(heed_case_list *list, const heed_case *c, double lo, double hi);
/* The same for two inputs of which the second may be a tail of the first. */
void heed_cases_broadcast(heed_case_list *list, const heed_case *c, double lo, double hi);
/* The same for one input [..,N] whose rows are taken each by itself. */
void heed_cases_rows(heed_case_list *list, const heed_case *c);
/* The same for one input of any shape that becomes one number. */
void heed_cases_whole(heed_case_list *list, const heed_case *c);
/* The same for [B,T,C] and lengths that become [B,C]. */
void heed_cases_pool(heed_case_list *list, const heed_case *c);

/* An op that is a function of each element: all of its cases, from numbers in [lo,hi). Static. */
typedef struct heed_unary {
    heed_tensor *(*op)(heed_ctx *cx, heed_tensor *x);
    double (*formula)(double x);
    double lo, hi, grad_floor;
} heed_unary;
void heed_cases_unary(heed_case_list *list, const heed_unary *u);
/* The same for two, the second maybe a tail of the first; and of an input with itself. */
typedef struct heed_binary {
    heed_tensor *(*op)(heed_ctx *cx, heed_tensor *a, heed_tensor *b);
    double (*formula)(double x, double y);
    double lo, hi;
} heed_binary;
void heed_cases_binary(heed_case_list *list, const heed_binary *b);

/* For references: log of the sum of the exponentials of x [n]; infinity where all are -infinity. */
double heed_case_log_sum(const double *x, int64_t n);
/* For references with dropout: the stream of the call-th random operation (from 0) of a context's
 * first step, and whether dropout with p keeps element e, by the rule that math.h states. */
uint64_t heed_case_stream(int call);
bool heed_case_kept(uint64_t stream, int64_t e, double p);
/* Product of all dimensions of input i but the last; the last (1 for scalars); all of them. */
int64_t heed_case_rows(const heed_case *c, int i);
int64_t heed_case_cols(const heed_case *c, int i);
int64_t heed_case_len(const heed_case *c, int i);

/* The cases of every op of list.h, in its order. 0 or HEED_ENOMEM; free with heed__cases_free. */
int heed__cases_all(heed_case_list *list);
void heed__cases_free(heed_case_list *list);
/* Makes and fills the inputs in cx, the same numbers every time; those of bit i in `want` want a
 * gradient where they can have one. False with cx's error set on failure. */
bool heed__case_inputs(heed_ctx *cx, const heed_case *c, unsigned want,
                       heed_tensor *in[HEED_CASE_INPUTS]);
/* Whether a gradient flows to input i. */
bool heed__case_differentiable(const heed_case *c, int i);

#define X(op) void heed_cases_##op(heed_case_list *list);
#include "ops/list.h"
#undef X

#endif
