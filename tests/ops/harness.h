/* harness.h: what the drivers over all op cases share: contexts whose memory is filled with NaN, a
 * run of one case, and a cmocka test per op. */
#ifndef HEED_TESTS_OPS_HARNESS_H
#define HEED_TESTS_OPS_HARNESS_H

#include "ops/cases/cases.h"

/* A training context whose every allocation comes filled with 0xff bytes, which is NaN as f32 and
 * -1 as an integer. isa and pool as in heed_ctx_cfg. Fails the test where it cannot be made. */
heed_ctx *harness_ctx(const char *isa, heed_pool *pool);

/* What a case gave: copies that outlive the context. */
typedef struct harness_result {
    int ndim;
    int64_t shape[HEED_MAX_NDIM], len;
    float *out;                    /* [len] */
    float *grad[HEED_CASE_INPUTS]; /* of each input, or NULL */
    double *in[HEED_CASE_INPUTS];  /* the inputs as double, or NULL where absent */
    int64_t in_len[HEED_CASE_INPUTS];
} harness_result;

/* Runs apply `times` (their outputs added), then backward of sum(out·harness_weight). Inputs of
 * `want` get a gradient. Fails the test with the op's message where the op refuses. */
harness_result harness_run(heed_ctx *cx, const heed_case *c, unsigned want, int times);
void harness_free(harness_result *r);
/* The fixed weight of output element e, in [-1,1). */
double harness_weight(int64_t e);
/* The reference's output, len numbers, to be freed. */
double *harness_reference(const heed_case *c, double *const *in, int64_t len);
/* Fails with the case's name and the place where |got - want| > tolerance·(largest |want|, at least
 * floor). */
typedef struct harness_compare {
    const char *what;
    const float *got;
    const double *want;
    int64_t len;
    double tolerance, floor;
} harness_compare;
void harness_close(const heed_case *c, const harness_compare *h);
/* Fails where the bits differ. */
void harness_same_bits(const heed_case *c, const char *what, const float *a, const float *b,
                       int64_t len);

/* Runs `check` on every case of every op, or of those named in argv; one cmocka test per op. */
typedef void (*harness_check)(const heed_case *c);
int harness_main(const char *group, harness_check check, int argc, char **argv);

#endif
