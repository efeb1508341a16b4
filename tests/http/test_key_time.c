/* How long a key takes to be refused does not tell how much of it is right: keys are compared by
 * their hashes, all of them and all bytes of each. Times of wrong keys that share nothing, half and
 * all but the last letter with a right one are held against each other: none is ahead of the others
 * by a twentieth. ROUNDS: how many of each; without it nothing is timed (tests/long asks). */
#include "cmocka_all.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/sha256.h"
#include "base/thread.h"
#include "http/keyring.h"

enum { KINDS = 4, CALLS = 64, KEY = 43 };

static char right[KEY + 1];

static int by_time(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Nanoseconds of a call, for a key that begins as the right one for so many letters. */
static double ask(heed_keyring *ring, int shared, unsigned nth) {
    char key[KEY + 1], name[HEED_KEY_NAME];
    int wait = 0;
    memcpy(key, right, sizeof key);
    for (int i = shared; i < KEY; i++) key[i] = (char)('A' + (nth + (unsigned)i * 7) % 26);
    const int64_t begun = heed__ticks_ns();
    for (int i = 0; i < CALLS; i++)
        if (heed__keyring_ask(ring, key, KEY, "read", name, &wait) != HEED_KEY_UNKNOWN)
            fail_msg("a wrong key is let in");
    return (double)(heed__ticks_ns() - begun) / CALLS;
}

/* The lower quartile: what else runs on the machine only ever adds. */
static double usual(double *times, int n) {
    qsort(times, (size_t)n, sizeof *times, by_time);
    return times[n / 4];
}

static void no_letter_shows(void **state) {
    (void)state;
    static const int shared[KINDS] = { 0, KEY / 2, KEY - 1, 0 }; /* the first kind twice */
    const char *rounds = getenv("ROUNDS");
    const int n = rounds ? atoi(rounds) : 4;
    char path[] = "/tmp/heed-key-time-XXXXXX", hex[2 * HEED_SHA256_SIZE + 1];
    unsigned char hash[HEED_SHA256_SIZE];
    heed_error err;
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    FILE *f = fdopen(fd, "w");
    for (int k = 0; k < 20; k++) { /* the right one in the middle */
        for (int i = 0; i < KEY; i++) right[i] = (char)('a' + (i * 5 + (k == 10 ? 0 : k)) % 26);
        heed__sha256(right, KEY, hash);
        fprintf(f, "k%d read 0 1795308276478 %s\n", k, heed__hex(hash, sizeof hash, hex));
    }
    for (int i = 0; i < KEY; i++) right[i] = (char)('a' + i * 5 % 26);
    fclose(f);
    heed_keyring *ring = heed__keyring_open(path, NULL, &err);
    unlink(path);
    if (!ring) fail_msg("%s", err.msg);
    char name[HEED_KEY_NAME];
    int wait = 0;
    assert_int_equal(heed__keyring_ask(ring, right, KEY, "read", name, &wait), HEED_KEY_GOOD);
    double *times[KINDS], at[KINDS];
    for (int k = 0; k < KINDS; k++) times[k] = calloc((size_t)n, sizeof **times);
    for (int i = 0; i < n; i++)
        for (int k = 0; k < KINDS; k++) {
            const int kind = (k + i) % KINDS; /* each in each place */
            times[kind][i] = ask(ring, shared[kind], (unsigned)i);
        }
    for (int k = 0; k < KINDS; k++) at[k] = usual(times[k], n);
    print_message("ns: nothing shared %.1f, half %.1f, all but one letter %.1f, nothing %.1f\n",
                  at[0], at[1], at[2], at[3]);
    /* a comparison that stops at the first difference of the keys themselves would differ by tens
     * of per cent here */
    for (int k = 1; k < KINDS; k++)
        if (rounds && fabs(at[k] - at[0]) > 0.05 * at[0]) fail_msg("kind %d: %.1f ns", k, at[k]);
    for (int k = 0; k < KINDS; k++) free(times[k]);
    heed__keyring_close(ring);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(no_letter_shows) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
