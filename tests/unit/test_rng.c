/* Random numbers: Philox against its authors' published vectors, fixed bits of our sequences, and
 * the shape of the distributions. */
#include "cmocka_all.h"

#include <math.h>
#include <string.h>

#include "heed/base.h"

/* kat_vectors of Random123, "philox4x32 10": counter, key, result */
static void test_known_answers(void **state) {
    (void)state;
    static const uint32_t kat[3][10] = {
        { 0, 0, 0, 0, 0, 0, 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8 },
        { 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0x408f276d,
          0x41c83b0e, 0xa20bc7c6, 0x6d5451fd },
        { 0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0, 0xd16cfe09,
          0x94fdcceb, 0x5001e420, 0x24126ea1 },
    };
    for (int i = 0; i < 3; i++) {
        const uint32_t *v = kat[i];
        uint32_t out[4];
        heed_philox(v[4] | (uint64_t)v[5] << 32, v[2] | (uint64_t)v[3] << 32,
                    v[0] | (uint64_t)v[1] << 32, out);
        assert_memory_equal(out, v + 6, sizeof out);
    }
}

static void test_sequence_is_the_stream(void **state) {
    (void)state;
    heed_rng rng = { .seed = 42, .stream = 7 };
    for (uint64_t i = 0; i < 40; i++) {
        uint32_t out[4];
        heed_philox(42, 7, i / 4, out);
        assert_int_equal(heed_rng_u32(&rng), out[i % 4]);
    }
    assert_int_equal(rng.drawn, 40);
    /* the three fields are all there is: a copy goes on alike */
    heed_rng copy = rng;
    assert_true(heed_rng_normal(&rng) == heed_rng_normal(&copy));
    assert_int_equal(heed_rng_below(&rng, 1000), heed_rng_below(&copy, 1000));
}

/* The same formula with the C library's log and cos agrees to a rounding of float. */
static void test_normal_is_box_muller(void **state) {
    (void)state;
    heed_rng rng = { .seed = 1 }, words = { .seed = 1 };
    double sum = 0, sum2 = 0, sum4 = 0;
    enum { N = 200000 };
    for (int i = 0; i < N; i++) {
        const double z = (double)heed_rng_normal(&rng);
        const double u = (heed_rng_u32(&words) + 1.0) / 4294967296.0;
        const double v = heed_rng_u32(&words) / 4294967296.0;
        const double want = sqrt(-2 * log(u)) * cos(2 * 3.14159265358979323846 * v);
        assert_true(fabs(z - want) <= 6e-8 * fabs(want) + 1e-12);
        sum += z;
        sum2 += z * z;
        sum4 += z * z * z * z;
    }
    assert_true(fabs(sum / N) < 0.01);
    assert_true(fabs(sum2 / N - 1) < 0.02);
    assert_true(fabs(sum4 / N - 3) < 0.15);
}

/* A hash of bits that must never change: seeds stored with models depend on them. */
static void test_bits_are_fixed(void **state) {
    (void)state;
    heed_rng rng = { .seed = 2024, .stream = 3 };
    uint64_t hash = 1469598103934665603ull; /* FNV-1a */
    for (int i = 0; i < 10000; i++) {
        const float values[2] = { heed_rng_normal(&rng), heed_rng_uniform(&rng) };
        uint64_t below = heed_rng_below(&rng, (uint64_t)i * 977 + 1);
        unsigned char bytes[16];
        memcpy(bytes, values, 8);
        memcpy(bytes + 8, &below, 8);
        for (int k = 0; k < 16; k++) hash = (hash ^ bytes[k]) * 1099511628211ull;
    }
    assert_int_equal(hash, 0x75d8c95ac4317abdull);
}

static void test_uniform_and_below(void **state) {
    (void)state;
    heed_rng rng = { .seed = 5 };
    int count[7] = { 0 };
    for (int i = 0; i < 70000; i++) {
        const float u = heed_rng_uniform(&rng);
        assert_true(u >= 0 && u < 1);
        assert_true(u * 0x1p24f == floorf(u * 0x1p24f));
        const uint64_t k = heed_rng_below(&rng, 7);
        assert_true(k < 7);
        count[k]++;
    }
    for (int k = 0; k < 7; k++) assert_in_range(count[k], 9600, 10400);
    assert_int_equal(heed_rng_below(&rng, 0), 0);
    assert_int_equal(heed_rng_below(&rng, 1), 0);
    const uint64_t big = 0x8000000000000001ull;
    for (int i = 0; i < 1000; i++) assert_true(heed_rng_below(&rng, big) < big);
}

static void test_shuffle(void **state) {
    (void)state;
    int first[6] = { 0 };
    for (uint64_t seed = 0; seed < 6000; seed++) {
        heed_rng rng = { .seed = seed };
        int64_t items[6] = { 0, 1, 2, 3, 4, 5 };
        heed_rng_shuffle(&rng, items, 6);
        int seen = 0;
        for (int i = 0; i < 6; i++) seen |= 1 << items[i];
        assert_int_equal(seen, 63);
        first[items[0]]++;
    }
    for (int k = 0; k < 6; k++) assert_in_range(first[k], 880, 1120);
    heed_rng rng = { 0 };
    heed_rng_shuffle(&rng, NULL, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_answers),        cmocka_unit_test(test_sequence_is_the_stream),
        cmocka_unit_test(test_normal_is_box_muller), cmocka_unit_test(test_bits_are_fixed),
        cmocka_unit_test(test_uniform_and_below),    cmocka_unit_test(test_shuffle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
