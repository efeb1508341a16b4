/* tokenizer.c: bytes encoded a second: bench_tokenizer TOKENIZER FILE [ROUNDS]. Each line of FILE
 * is a text; one thread; special tokens added, offsets and all. Seconds of the CPU, so that others
 * at work on the machine count little; the best and the median round. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "heed/text.h"

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int rising(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* All lines once; tokens of all together, or -1. */
static long long encode_all(const heed_tokenizer *tok, const char *text, size_t size,
                            heed_encoding *e, heed_error *err) {
    long long tokens = 0;
    for (size_t at = 0; at < size;) {
        const char *end = memchr(text + at, '\n', size - at);
        const size_t n = end ? (size_t)(end - text) - at : size - at;
        if (heed_tokenizer_encode(tok, text + at, n, NULL, e, err)) return -1;
        tokens += e->len;
        at += n + 1;
    }
    return tokens;
}

int main(int argc, char **argv) {
    enum { MOST = 100 };
    if (argc < 3) {
        fprintf(stderr, "bench_tokenizer TOKENIZER FILE [ROUNDS]\n");
        return 64;
    }
    const int asked = argc > 3 ? (int)strtol(argv[3], NULL, 10) : 5;
    const int rounds = asked < 1 ? 1 : asked > MOST ? MOST : asked;
    heed_error err = { 0 };
    const double start = now();
    heed_tokenizer *tok = heed_tokenizer_open(argv[1], NULL, &err);
    const double opened = now() - start;
    FILE *in = fopen(argv[2], "rb");
    char *text = malloc(1u << 30);
    if (!tok || !in || !text) {
        fprintf(stderr, "%s\n", tok ? "cannot read the text" : err.msg);
        return 66;
    }
    const size_t size = fread(text, 1, 1u << 30, in);
    fclose(in);
    heed_encoding e = { 0 };
    double seconds[MOST];
    long long tokens = 0;
    for (int r = 0; r < rounds && tokens >= 0; r++) {
        const double t = now();
        tokens = encode_all(tok, text, size, &e, &err);
        seconds[r] = now() - t;
    }
    if (tokens < 0) {
        fprintf(stderr, "%s\n", err.msg);
        return 65;
    }
    qsort(seconds, (size_t)rounds, sizeof *seconds, rising);
    printf("{\"mb_s\": %.2f, \"median_mb_s\": %.2f, \"tokens\": %lld, \"bytes\": %zu, "
           "\"open_ms\": %.1f}\n",
           1e-6 * (double)size / seconds[0], 1e-6 * (double)size / seconds[rounds / 2], tokens,
           size, 1e3 * opened);
    heed_encoding_free(&e);
    heed_tokenizer_close(tok);
    free(text);
    return 0;
}
