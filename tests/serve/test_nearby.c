/* test_nearby.c: the nearest earlier vector equals that of a comparison with each, bit for bit, for
 * any batch and any instruction set. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "isas.h"
#include "kernels/row.h"
#include "serve/nearby.h"

enum { REACH = 600, N = 1500, DIM = 37, WITHIN = 500 };

typedef struct event {
    int64_t seq, time_ms;
    float vector[DIM];
} event;

typedef struct answer {
    int64_t nearest;
    double cosine;
} answer;

static event events[N];
static answer expected[N];

static void unit(float *x) {
    double sum = 0;
    for (int i = 0; i < DIM; i++) sum += (double)x[i] * (double)x[i];
    for (int i = 0; i < DIM; i++) x[i] = (float)((double)x[i] / sqrt(sum));
}

/* Texts of a few subjects: near ones, the same ones again, and those that are no texts at all. */
static void make_events(void) {
    static float subject[7][DIM];
    heed_rng rng = { .seed = 11 };
    for (int s = 0; s < 7; s++) {
        for (int i = 0; i < DIM; i++) subject[s][i] = heed_rng_uniform(&rng) - 0.5f;
        unit(subject[s]);
    }
    int64_t seq = 0, time_ms = 5000;
    for (int n = 0; n < N; n++) {
        event *e = &events[n];
        seq += n == 1000 ? 40 : 1 + (heed_rng_below(&rng, 5) == 0); /* others stand between */
        time_ms += (int64_t)heed_rng_below(&rng, 3) - (n % 300 == 299 ? 200 : 0);
        e->seq = seq;
        e->time_ms = time_ms;
        const float *from = subject[heed_rng_below(&rng, 7)];
        const float wide = heed_rng_below(&rng, 2) ? 0.02f : 0.3f;
        for (int i = 0; i < DIM; i++)
            e->vector[i] = from[i] + wide * (heed_rng_uniform(&rng) - 0.5f);
        unit(e->vector);
        const uint64_t kind = heed_rng_below(&rng, 20);
        if (kind < 6 && n > 100) /* repeated */
            memcpy(e->vector, events[n - 1 - (int)heed_rng_below(&rng, 100)].vector,
                   sizeof e->vector);
        if (kind == 6) memset(e->vector, 0, sizeof e->vector);
        if (kind == 7)
            for (int i = 0; i < DIM; i++) e->vector[i] = -e->vector[i];
        if (n == 700) e->vector[3] = NAN;
        if (n == 800) e->vector[3] = 1e20f;
        if (n == 900) e->vector[3] = 1e-30f;
    }
}

static void compare_with_each(double least) {
    heed_error err;
    const heed_kernels *k = heed__kernels("scalar", &err);
    for (int n = 0; n < N; n++) {
        const event *x = &events[n];
        expected[n] = (answer){ 0 };
        for (int m = 0; m < n; m++) {
            const event *p = &events[m];
            if (p->seq <= x->seq - REACH || p->time_ms < x->time_ms - WITHIN) continue;
            const double cosine = (double)k->row->dot(p->vector, x->vector, DIM);
            if (cosine >= least && cosine > expected[n].cosine)
                expected[n] = (answer){ p->seq, cosine };
        }
    }
}

/* Goes through all events, so many at a time (0: changing); how many cosines it computed. */
static int64_t go(int batch, double least) {
    heed_error err;
    heed_nearby *v = heed__nearby_new(REACH, DIM, NULL, &err);
    static heed_nearby_ask ask[N];
    for (int at = 0, n = batch; at < N; at += n) {
        if (!batch) n = 1 + at * 7 % 150;
        if (n > N - at) n = N - at;
        for (int i = 0; i < n; i++)
            ask[at + i] = (heed_nearby_ask){ .seq = events[at + i].seq,
                                             .time_ms = events[at + i].time_ms,
                                             .since_ms = events[at + i].time_ms - WITHIN,
                                             .vector = events[at + i].vector,
                                             .least = least };
        heed__nearby_step(v, ask + at, n);
        if (at > 800 && at < 1100) heed__nearby_step(v, ask + at, n); /* asked again */
    }
    for (int i = 0; i < N; i++) {
        assert_int_equal(ask[i].nearest, expected[i].nearest);
        assert_memory_equal(&ask[i].cosine, &expected[i].cosine, sizeof ask[i].cosine);
    }
    const int64_t looked = heed__nearby_looked(v);
    heed__nearby_free(v);
    return looked;
}

static void equals_a_comparison_with_each(void **state) {
    (void)state;
    make_events();
    const double least[] = { 0.5, 0.97, 0, -1 };
    for (size_t i = 0; i < sizeof least / sizeof *least; i++) {
        compare_with_each(least[i]);
        int found = 0;
        for (int n = 0; n < N; n++) found += expected[n].nearest != 0;
        assert_true(found > N / 2);
        assert_true(go(64, least[i]) < (int64_t)N * REACH / 4); /* most are never looked at */
        go(1, least[i]);
        go(0, least[i]);
        go(N, least[i]);
    }
}

static void on_every_instruction_set(void **state) {
    (void)state;
    const char *const was = getenv("HEED_ISA");
    int count;
    const heed_kernels *const *all = isas_here(&count);
    make_events();
    compare_with_each(0.5);
    for (int i = 0; i < count; i++) {
        setenv("HEED_ISA", all[i]->name, 1);
        go(50, 0.5);
    }
    if (was)
        setenv("HEED_ISA", was, 1);
    else
        unsetenv("HEED_ISA");
}

/* A flow that says one thing all the time costs no more than others. */
static void the_same_again_and_again(void **state) {
    (void)state;
    make_events();
    for (int n = 1; n < N; n++) memcpy(events[n].vector, events[0].vector, sizeof events[n].vector);
    compare_with_each(0.5);
    assert_true(go(64, 0.5) < (int64_t)N * 80);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_a_comparison_with_each),
        cmocka_unit_test(on_every_instruction_set),
        cmocka_unit_test(the_same_again_and_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
