/* novelty.c: what it costs to find the nearest earlier event, with the memory full: vectors by
 * nearby.h, by how many are asked for together, beside the comparison with each that it replaces;
 * and words. A file gives the texts, one a line, of which each is said anew in other words: some
 * of its own are left out.
 *
 *     bench_novelty TEXTS MODEL [EVENTS [ISA]] */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "kernels/kernels.h"
#include "kernels/row.h"
#include "serve/nearby.h"
#include "serve/novelty.h"

#include "heed/embed.h"

enum { LINE = 4096, CHUNK = 256 };

static _Noreturn void die(const char *what) {
    fprintf(stderr, "%s\n", what);
    exit(1);
}

/* The processor's time of this thread. */
static double now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static char **read_lines(const char *path, int64_t *n) {
    FILE *f = fopen(path, "rb");
    if (!f) die(path);
    char line[LINE], **all = NULL;
    int64_t cap = 0;
    for (*n = 0; fgets(line, sizeof line, f);) {
        line[strcspn(line, "\n")] = 0;
        if (heed__grow(NULL, &all, &cap, *n + 1, sizeof *all)) die("out of memory");
        all[(*n)++] = strdup(line);
    }
    fclose(f);
    return all;
}

/* Events' texts: lines without a fifth of their words, drawn anew for each. */
static char **make_texts(char **line, int64_t lines, int64_t n) {
    heed_rng rng = { .seed = 3 };
    char **text = malloc((size_t)n * sizeof *text);
    for (int64_t i = 0; i < n; i++) {
        char copy[LINE], to[LINE] = "";
        size_t len = 0;
        strcpy(copy, line[heed_rng_below(&rng, (uint64_t)lines)]);
        for (char *word = strtok(copy, " "); word; word = strtok(NULL, " ")) {
            if (heed_rng_below(&rng, 5) == 0) continue;
            const size_t size = strlen(word);
            memcpy(to + len, word, size);
            to[len += size] = ' ';
            to[++len] = 0;
        }
        text[i] = strdup(to);
    }
    return text;
}

static float *embed(const char *model, char **text, int64_t n, int64_t *dim) {
    heed_error err;
    heed_embedder *e = heed_embedder_open(model, NULL, &err);
    if (!e) die(err.msg);
    *dim = heed_embedder_dim(e);
    float *v = malloc((size_t)(n * *dim) * sizeof *v);
    for (int64_t at = 0; at < n; at += CHUNK) {
        const int64_t rows = n - at < CHUNK ? n - at : CHUNK;
        if (heed_embedder_apply(e, rows, (const char *const *)text + at, v + at * *dim, &err))
            die(err.msg);
    }
    heed_embedder_close(e);
    return v;
}

static void ask_for(heed_nearby_ask *ask, const float *v, int64_t dim, int64_t from, int64_t n) {
    for (int64_t i = 0; i < n; i++)
        ask[i] = (heed_nearby_ask){
            .seq = from + i + 1, .time_ms = from + i, .vector = v + (from + i) * dim, .least = 0.5
        };
}

static void bench_vectors(const float *v, int64_t dim, int64_t events, int64_t batch) {
    const int64_t R = HEED_NOVELTY_REACH;
    heed_error err;
    heed_nearby *near = heed__nearby_new(R, dim, NULL, &err);
    heed_nearby_ask *ask = malloc((size_t)(R + events) * sizeof *ask);
    ask_for(ask, v, dim, 0, R + events);
    heed__nearby_step(near, ask, R);
    const int64_t looked = heed__nearby_looked(near);
    const double start = now_us();
    for (int64_t at = 0; at < events; at += batch)
        heed__nearby_step(near, ask + R + at, events - at < batch ? events - at : batch);
    const double took = now_us() - start;
    double sum = 0;
    for (int64_t i = R; i < R + events; i++) sum += ask[i].cosine;
    printf(
        "vectors, %3lld together %9.1f us an event, %6.1f cosines computed (mean nearest %.6f)\n",
        (long long)batch, took / (double)events,
        (double)(heed__nearby_looked(near) - looked) / (double)events, sum / (double)events);
    free(ask);
    heed__nearby_free(near);
}

/* As it was before: the cosine with each. */
static void bench_each(const heed_kernels *k, const float *v, int64_t dim, int64_t events) {
    const int64_t R = HEED_NOVELTY_REACH;
    double sum = 0;
    const double start = now_us();
    for (int64_t i = R; i < R + events; i++) {
        double best = 0;
        for (int64_t j = i - R + 1; j < i; j++) {
            const double cosine = (double)k->row->dot(v + j * dim, v + i * dim, dim);
            if (cosine >= 0.5 && cosine > best) best = cosine;
        }
        sum += best;
    }
    printf("vectors, with each     %9.1f us an event, %6lld cosines computed (mean nearest %.6f)\n",
           (now_us() - start) / (double)events, (long long)R - 1, sum / (double)events);
}

static void bench_words(char **text, int64_t events) {
    const int64_t R = HEED_NOVELTY_REACH;
    heed_error err;
    heed_novelty *words = heed_novelty_new(0, 0.5, INT64_MAX / 2, NULL, &err);
    double start = 0, sum = 0;
    uint64_t all = 0;
    for (int64_t i = 0; i < R + events; i++) {
        heed_novel x = { .seq = i + 1, .time_ms = i, .text = text[i] };
        if (i == R) start = now_us();
        if (heed_novelty_step(words, &x, 1, &err)) die(err.msg);
        sum += x.cosine;
        all = all * 31 + (uint64_t)x.nearest;
    }
    printf("words                  %9.1f us an event (mean nearest %.9f, of all %016llx)\n",
           (now_us() - start) / (double)events, sum / (double)(R + events),
           (unsigned long long)all);
    heed_novelty_free(words);
}

int main(int argc, char **argv) {
    if (argc < 3) die("bench_novelty TEXTS MODEL [EVENTS [ISA]]");
    const int64_t events = argc > 3 ? atoll(argv[3]) : 4096;
    if (argc > 4) setenv("HEED_ISA", argv[4], 1);
    int64_t lines, dim;
    char **line = read_lines(argv[1], &lines);
    char **text = make_texts(line, lines, HEED_NOVELTY_REACH + events);
    float *v = embed(argv[2], text, HEED_NOVELTY_REACH + events, &dim);
    heed_error err;
    const heed_kernels *k = heed__kernels(NULL, &err);
    if (!k) die(err.msg);
    printf("%d remembered, vectors of %lld, %s\n", HEED_NOVELTY_REACH, (long long)dim, k->name);
    bench_each(k, v, dim, events);
    const int64_t batch[] = { 1, 8, 64, 512 };
    for (size_t i = 0; i < sizeof batch / sizeof *batch; i++)
        bench_vectors(v, dim, events, batch[i]);
    bench_words(text, events);
    return 0;
}
