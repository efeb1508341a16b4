/* store.c: how fast the store takes, commits and finds. A file gives the texts, one a line.
 *
 *     bench_store append TEXTS FOLDER      rates of appends by threads and batch, durable or not
 *     bench_store fill TEXTS FOLDER [N]    N events with findings and vectors into FOLDER/fill.db
 *     bench_store search TEXTS FOLDER      questions to FOLDER/fill.db, p50 and p99 of processor ms
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/text.h"
#include "base/thread.h"
#include "store/look.h"

enum { THREADS = 64, BATCH = 1000, DIM = 128, QUESTIONS = 200 };

static struct {
    char *memory;
    char **line;
    int64_t n;
} texts;

static _Noreturn void die(const char *what) {
    fprintf(stderr, "%s\n", what);
    exit(1);
}

static void read_texts(const char *path) {
    FILE *f = fopen(path, "rb");
    if (!f) die(path);
    fseek(f, 0, SEEK_END);
    const size_t size = (size_t)ftell(f);
    rewind(f);
    texts.memory = malloc(size + 1);
    if (fread(texts.memory, 1, size, f) != size) die(path);
    texts.memory[size] = 0;
    fclose(f);
    for (char *p = texts.memory; *p; p++) texts.n += *p == '\n';
    texts.line = malloc((size_t)texts.n * sizeof *texts.line);
    char *p = texts.memory;
    for (int64_t i = 0; i < texts.n; i++) {
        texts.line[i] = p;
        p = strchr(p, '\n');
        *p++ = 0;
    }
}

static double seconds_since(int64_t start) {
    return (double)(heed__ticks_ns() - start) / 1e9;
}

/* The processor's time of this thread, which others on the machine do not change much. */
static double processor_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* -- append ----------------------------------------------------------------------------------- */

typedef struct job {
    heed_store *store;
    int64_t batch, first, end;
    bool ids;
} job;

static void append(void *arg) {
    const job *j = arg;
    heed_entry *e = calloc((size_t)j->batch, sizeof *e);
    char(*id)[24] = malloc((size_t)j->batch * sizeof *id);
    heed_error err;
    for (int64_t i = j->first; i < j->end; i += j->batch) {
        for (int64_t k = 0; k < j->batch; k++) {
            heed__format(id[k], sizeof id[k], "%lld", (long long)(i + k));
            e[k] = (heed_entry){ .source = "bench",
                                 .id = j->ids ? id[k] : NULL,
                                 .text = texts.line[(i + k) % texts.n] };
        }
        if (heed_store_append(j->store, e, j->batch, 1, &err)) die(err.msg);
    }
    free(e);
    free(id);
}

static heed_store *new_store(const char *folder, const char *name, bool durable) {
    char path[1024];
    static const char *const suffix[] = { "", "-wal", "-shm" };
    for (size_t i = 0; i < 3; i++) {
        heed__format(path, sizeof path, "%s/%s%s", folder, name, suffix[i]);
        unlink(path);
    }
    heed__format(path, sizeof path, "%s/%s", folder, name);
    heed_error err;
    heed_store *s = heed_store_open(&(heed_store_cfg){ .path = path, .durable = durable }, &err);
    if (!s) die(err.msg);
    return s;
}

static void bench_append(const char *folder, int threads, int64_t batch, bool ids, bool durable) {
    heed_store *s = new_store(folder, "append.db", durable);
    const int64_t each = (durable ? 2000 : batch > 1 ? 400000 : 100000) / threads / batch * batch;
    heed_thread *thread[THREADS];
    job j[THREADS];
    const int64_t start = heed__ticks_ns();
    for (int i = 0; i < threads; i++) {
        j[i] = (job){ s, batch, i * each, (i + 1) * each, ids };
        thread[i] = heed__thread_start(NULL, "append", append, &j[i], NULL);
    }
    for (int i = 0; i < threads; i++) heed__thread_join(thread[i]);
    printf("%7d %6lld %4s %8s %10.0f\n", threads, (long long)batch, ids ? "yes" : "no",
           durable ? "yes" : "no", (double)(each * threads) / seconds_since(start));
    heed_store_close(s);
}

static void bench_appends(const char *folder) {
    printf("%7s %6s %4s %8s %10s\n", "threads", "batch", "ids", "durable", "events/s");
    static const struct {
        int threads;
        int64_t batch;
        bool ids, durable;
    } c[] = {
        { 1, 1, false, false },  { 4, 1, false, false },   { 16, 1, false, false },
        { 16, 1, true, false },  { 64, 1, false, false },  { 1, 100, true, false },
        { 2, 100, true, false }, { 1, 1000, true, false }, { 1, 1000, false, false },
        { 1, 1, false, true },   { 16, 1, false, true },
    };
    for (size_t i = 0; i < sizeof c / sizeof *c; i++)
        bench_append(folder, c[i].threads, c[i].batch, c[i].ids, c[i].durable);
}

/* -- fill ------------------------------------------------------------------------------------- */

static void fill(const char *folder, int64_t n) {
    heed_store *s = new_store(folder, "fill.db", false);
    static heed_entry e[BATCH];
    static heed_decided d[BATCH];
    static heed_finding f[BATCH][3];
    static float v[BATCH][DIM];
    static const char *const label[] = { "a", "b", "c", "d", "e", "f", "g", "h", "i", "j" };
    heed_rng rng = { .seed = 1 };
    heed_error err;
    double appended = 0, committed = 0, busy = 0;
    for (int64_t at = 0; at < n; at += BATCH) {
        for (int64_t k = 0; k < BATCH; k++) {
            const uint64_t r = heed_rng_below(&rng, 1000);
            e[k] = (heed_entry){ .source = r % 10 ? "mail" : "chat",
                                 .text = texts.line[(at + k) % texts.n] };
            f[k][0] = (heed_finding){ .name = "intent", .label = label[r % 10], .confidence = 0.9 };
            f[k][1] = (heed_finding){ .name = "mood", .label = label[r % 3], .confidence = 0.8 };
            f[k][2] = (heed_finding){ .name = "language", .label = label[r % 2], .confidence = 1 };
            for (int i = 0; i < DIM; i++) v[k][i] = heed_rng_uniform(&rng) - 0.5f;
        }
        int64_t start = heed__ticks_ns();
        const double begin = processor_ms();
        if (heed_store_append(s, e, BATCH, at * 10, &err)) die(err.msg);
        appended += seconds_since(start);
        for (int64_t k = 0; k < BATCH; k++)
            d[k] = (heed_decided){ .seq = e[k].seq,
                                   .finding = f[k],
                                   .findings = 3,
                                   .vector = v[k],
                                   .dim = DIM,
                                   .story = e[k].seq,
                                   .rank = (double)heed_rng_uniform(&rng) };
        heed_commit c = { .upto = e[BATCH - 1].seq, .decided = d, .decided_len = BATCH };
        start = heed__ticks_ns();
        if (heed_store_commit(s, &c, &err)) die(err.msg);
        committed += seconds_since(start);
        busy += processor_ms() - begin;
    }
    json_t *is = heed_look_state(s, &err);
    printf("%lld events: appended %.0f/s, committed with 3 findings, vector [%d] and words %.0f/s, "
           "%.1f us of processor an event; %.0f MB\n",
           (long long)n, (double)n / appended, DIM, (double)n / committed, busy * 1e3 / (double)n,
           (double)json_integer_value(json_object_get(is, "size")) / 1e6);
    json_decref(is);
    heed_store_close(s);
}

/* -- search ----------------------------------------------------------------------------------- */

static int by_value(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* A word of the texts: n characters from the middle of a line. cjk: Chinese ones. */
static void draw(heed_rng *rng, bool cjk, int n, char *to) {
    for (;;) {
        const char *line = texts.line[heed_rng_below(rng, (uint64_t)texts.n)];
        const size_t len = strlen(line);
        if (len < 8) continue;
        size_t at = (size_t)heed_rng_below(rng, len);
        if (cjk) {
            while (at < len && ((unsigned char)line[at] & 0xC0) == 0x80) at++;
            size_t end = at, k = 0;
            while ((unsigned char)line[end] >= 0xE4 && (unsigned char)line[end] <= 0xE9 &&
                   k < (size_t)n)
                end += 3, k++;
            if (k < (size_t)n) continue;
            memcpy(to, line + at, end - at);
            to[end - at] = 0;
            return;
        }
        while (at > 0 && line[at - 1] != ' ') at--;
        size_t end = at;
        while ((line[end] | 0x20) >= 'a' && (line[end] | 0x20) <= 'z') end++;
        if (end - at < (size_t)n || end - at > 30) continue;
        memcpy(to, line + at, end - at);
        to[end - at] = 0;
        return;
    }
}

typedef json_t *(*ask_fn)(heed_store *s, heed_rng *rng, heed_error *err);

static json_t *search_for(heed_store *s, const char *text, heed_error *err) {
    return heed_look_search(s, &(heed_look){ .text = text, .most = 20 }, NULL, 0, err);
}

static json_t *one_word(heed_store *s, heed_rng *rng, heed_error *err) {
    char word[64];
    draw(rng, false, 4, word);
    return search_for(s, word, err);
}

static json_t *two_words(heed_store *s, heed_rng *rng, heed_error *err) {
    char word[128];
    draw(rng, false, 4, word);
    strcat(word, " ");
    draw(rng, false, 4, word + strlen(word));
    return search_for(s, word, err);
}

static json_t *chinese_2(heed_store *s, heed_rng *rng, heed_error *err) {
    char word[64];
    draw(rng, true, 2, word);
    return search_for(s, word, err);
}

static json_t *chinese_4(heed_store *s, heed_rng *rng, heed_error *err) {
    char word[64];
    draw(rng, true, 4, word);
    return search_for(s, word, err);
}

static json_t *chinese_1(heed_store *s, heed_rng *rng, heed_error *err) {
    char word[64];
    draw(rng, true, 1, word);
    return search_for(s, word, err);
}

static json_t *newest(heed_store *s, heed_rng *rng, heed_error *err) {
    char word[128];
    draw(rng, false, 4, word);
    return heed_look_events(s, &(heed_look){ .text = word, .most = 20 }, err);
}

static json_t *by_label(heed_store *s, heed_rng *rng, heed_error *err) {
    (void)rng;
    const heed_look look = { .analysis = "intent", .label = "c", .source = "mail", .most = 50 };
    return heed_look_events(s, &look, err);
}

static json_t *by_rank(heed_store *s, heed_rng *rng, heed_error *err) {
    (void)rng;
    return heed_look_events(s, &(heed_look){ .by_rank = true, .most = 50 }, err);
}

static json_t *last_50(heed_store *s, heed_rng *rng, heed_error *err) {
    (void)rng;
    return heed_look_events(s, &(heed_look){ .most = 50 }, err);
}

static json_t *by_vector(heed_store *s, heed_rng *rng, heed_error *err) {
    float v[DIM];
    for (int i = 0; i < DIM; i++) v[i] = heed_rng_uniform(rng) - 0.5f;
    return heed_look_search(s, &(heed_look){ .most = 20 }, v, DIM, err);
}

/* A question as people ask: six words of which hardly any event has all, and its vector. */
static json_t *hybrid(heed_store *s, heed_rng *rng, heed_error *err) {
    char words[400] = "";
    float v[DIM];
    for (int i = 0; i < 6; i++) {
        if (i) strcat(words, " ");
        draw(rng, false, i % 3 ? 2 : 4, words + strlen(words));
    }
    for (int i = 0; i < DIM; i++) v[i] = heed_rng_uniform(rng) - 0.5f;
    return heed_look_search(s, &(heed_look){ .text = words, .most = 20 }, v, DIM, err);
}

static json_t *chart(heed_store *s, heed_rng *rng, heed_error *err) {
    (void)rng;
    const char *by[] = { "intent", "mood" };
    const int64_t step = 1200000, to = (heed_store_last(s) * 10 / step + 1) * step;
    const heed_look look = { .from_ms = step, .to_ms = to, .most = 100 };
    return heed_look_counts(s, &look, by, 2, step, err);
}

static json_t *counts(heed_store *s, heed_rng *rng, heed_error *err) {
    (void)rng;
    const char *by[] = { "intent", "mood" };
    const int64_t to = heed_store_last(s) * 10;
    const heed_look look = { .from_ms = to - 1000000, .to_ms = to }; /* 100,000 events */
    return heed_look_counts(s, &look, by, 2, 10000, err);
}

static void ask(heed_store *s, const char *what, ask_fn fn, int n) {
    static double ms[QUESTIONS];
    heed_rng rng = { .seed = 7 };
    heed_error err = { 0 };
    int64_t found = 0;
    json_decref(fn(s, &rng, &err)); /* what is loaded once */
    for (int i = 0; i < n; i++) {
        const double start = processor_ms();
        json_t *answer = fn(s, &rng, &err);
        ms[i] = processor_ms() - start;
        if (!answer) die(err.msg);
        json_t *list = json_object_get(answer, "hits");
        if (!list) list = json_object_get(answer, "events");
        if (!list) list = json_object_get(answer, "series");
        found += (int64_t)json_array_size(list);
        json_decref(answer);
    }
    qsort(ms, (size_t)n, sizeof *ms, by_value);
    printf("%-40s %9.2f %9.2f %8.1f\n", what, ms[n / 2], ms[n * 99 / 100],
           (double)found / (double)n);
}

static void search(const char *folder) {
    char path[1024];
    heed__format(path, sizeof path, "%s/fill.db", folder);
    heed_error err;
    heed_store *s = heed_store_open(&(heed_store_cfg){ .path = path }, &err);
    if (!s) die(err.msg);
    printf("%-40s %9s %9s %8s\n", "question", "p50 ms", "p99 ms", "answers");
    ask(s, "one word, best 20 by BM25", one_word, QUESTIONS);
    ask(s, "two words, best 20 by BM25", two_words, QUESTIONS);
    ask(s, "two Chinese characters, best 20", chinese_2, QUESTIONS);
    ask(s, "four Chinese characters, best 20", chinese_4, QUESTIONS);
    ask(s, "one Chinese character, best 20", chinese_1, QUESTIONS);
    ask(s, "one word, newest 20", newest, QUESTIONS);
    ask(s, "newest 50", last_50, QUESTIONS);
    ask(s, "newest 50 of a label and a source", by_label, QUESTIONS);
    ask(s, "50 of the highest rank", by_rank, QUESTIONS);
    ask(s, "20 nearest by vector [128]", by_vector, 50);
    ask(s, "six words and a vector", hybrid, 50);
    ask(s, "chart of all events by two analyses", chart, 20);
    ask(s, "counts of 100,000 events by two analyses", counts, 20);
    const int64_t start = heed__ticks_ns();
    if (heed_store_check(s, &err)) die(err.msg);
    printf("check of all: %.1f s\n", seconds_since(start));
    heed_store_close(s);
}

int main(int argc, char **argv) {
    if (argc < 4) die("bench_store append|fill|search TEXTS FOLDER [N]");
    read_texts(argv[2]);
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (strcmp(argv[1], "append") == 0) bench_appends(argv[3]);
    if (strcmp(argv[1], "fill") == 0) fill(argv[3], argc > 4 ? atoll(argv[4]) : 1000000);
    if (strcmp(argv[1], "search") == 0) search(argv[3]);
    free(texts.line);
    free(texts.memory);
    return 0;
}
