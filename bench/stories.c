/* stories.c: how well the same story is known again across feeds. Real headlines are replayed once
 * each (how many are folded though nobody repeated them), then with known copies as other feeds
 * tell them: a source's name behind, a prefix before, an address, another case and punctuation, a
 * word left out, a cut end. Said are the parts of copies that were folded into the right story with
 * the first source right, and of stories whose order is right from the first to the last.
 *
 *     bench_stories FILE.tsv COLUMN [PAIRS]     PAIRS: how many folded pairs to print */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "flow/decide.h"

enum { KINDS = 9, MOST_TEXT = 2048, LEAST_TEXT = 36 };
static const char *const kinds[KINDS] = { "as it was",   "source behind", "prefix",
                                          "address",     "case",          "punctuation",
                                          "a word less", "cut end",       "source and prefix" };

typedef struct texts {
    char *data, **text;
    int64_t n;
} texts;

static bool read_texts(texts *t, const char *path, int column) {
    heed_error err;
    size_t size;
    if (heed__file_read(NULL, path, (size_t)1 << 28, &t->data, &size, &err) != 0) {
        fprintf(stderr, "%s\n", err.msg);
        return false;
    }
    t->text = calloc(size / 2 + 1, sizeof *t->text);
    char *line = strchr(t->data, '\n');
    while (line && line[1]) {
        char *field = line + 1;
        line = strchr(field, '\n');
        if (line) *line = 0;
        for (int i = 1; i < column && field; i++) field = strchr(field, '\t'), field += field != 0;
        if (!field) continue;
        field[strcspn(field, "\t")] = 0;
        if (*field && strlen(field) < MOST_TEXT - 100) t->text[t->n++] = field;
    }
    return t->n > 0;
}

static size_t character(const char *at) { /* to the next one's begin */
    size_t n = 1;
    while (((unsigned char)at[n] & 0xC0) == 0x80) n++;
    return n;
}

static void copy_as(char *to, const char *text, int kind, heed_rng *rng) {
    const size_t len = strlen(text);
    strcpy(to, text);
    if (kind == 1) strcat(to, " - Reuters");
    if (kind == 2) snprintf(to, MOST_TEXT, "BREAKING: %s", text);
    if (kind == 3) strcat(to, " https://t.co/a8Bc0dEfGh");
    if (kind == 8) snprintf(to, MOST_TEXT, "UPDATE 1-%s | The Daily Wire", text);
    for (size_t i = 0; i < len && kind == 4; i++)
        if (to[i] >= 'A' && to[i] <= 'Z') to[i] = (char)(to[i] + 32);
    for (size_t i = 1; i + 1 < len && kind == 5 && strncmp(to + i, "http", 4) != 0; i++)
        if (strchr(",;:!?\"-", to[i]) && (to[i + 1] < '0' || to[i + 1] > '9')) to[i] = ' ';
    if (kind == 6) {
        char *space = strchr(to + heed_rng_below(rng, len), ' ');
        const size_t word = space ? 1 + strcspn(space + 1, " ") : 0;
        if (space && word * 5 < len) memmove(space, space + word, strlen(space + word) + 1);
    }
    if (kind == 7) {
        size_t end = 0;
        while (end < len * 85 / 100) end += character(to + end);
        strcpy(to + end, "…");
    }
}

static heed_decisions step(heed_decider *d, int64_t seq, const char *text) {
    const heed_entry e = { .seq = seq, .time_ms = seq * 10000, .text = text, .source = "wire" };
    const heed_seen seen = { .entry = &e };
    heed_decisions out;
    heed_error err;
    if (heed_decider_step(d, &seen, &out, &err) != 0) fprintf(stderr, "%s\n", err.msg);
    return out;
}

static void once_each(const texts *t, heed_decider *d, int64_t pairs) {
    int64_t folded = 0;
    for (int64_t i = 0; i < t->n; i++) {
        const heed_decisions out = step(d, i + 1, t->text[i]);
        if (out.story == i + 1) continue;
        if (folded++ < pairs) printf("  %s\n    %s\n", t->text[out.story - 1], t->text[i]);
    }
    printf("once each: %" PRId64 " of %" PRId64 " folded (%.2f %%)\n", folded, t->n,
           100.0 * (double)folded / (double)t->n);
}

/* One headline in ten of at least 36 bytes is told again, three times, among those that follow. */
static void with_copies(const texts *t, heed_decider *d) {
    enum { AHEAD = 64 };
    struct {
        int64_t of, first;
        int kind;
    } due[AHEAD] = { { 0, 0, 0 } };
    int64_t copies[KINDS] = { 0 }, right[KINDS] = { 0 }, seq = 0, stories = 0, whole = 0;
    int64_t *left = calloc((size_t)t->n, sizeof *left);
    heed_rng rng = { .seed = 4 };
    char text[MOST_TEXT];
    for (int64_t i = 0; i < t->n; i++) {
        heed_decisions out = step(d, ++seq, t->text[i]);
        const bool fresh = out.story == seq;
        const int64_t first = seq;
        if (due[i % AHEAD].first) {
            const int k = due[i % AHEAD].kind;
            const int64_t of = due[i % AHEAD].of;
            copy_as(text, t->text[of], k, &rng);
            out = step(d, ++seq, text);
            copies[k]++;
            right[k] += out.story == due[i % AHEAD].first;
            left[of] = left[of] > 0 && out.story == due[i % AHEAD].first ? left[of] - 1 : -9;
            whole += left[of] == 0;
            due[i % AHEAD].first = 0;
        }
        if (i % 10 || !fresh || i + AHEAD >= t->n || strlen(t->text[i]) < LEAST_TEXT) continue;
        int n = 0;
        for (int k = 0; k < 3; k++) {
            const int64_t at = (i + 1 + (int64_t)heed_rng_below(&rng, AHEAD - 1)) % AHEAD;
            if (due[at].first) continue;
            due[at].of = i, due[at].first = first, due[at].kind = (int)heed_rng_below(&rng, KINDS);
            n++;
        }
        left[i] = n;
        stories += n > 0;
    }
    int64_t all = 0, good = 0;
    for (int k = 0; k < KINDS; k++) {
        printf("  %-18s %5" PRId64 " of %5" PRId64 "\n", kinds[k], right[k], copies[k]);
        all += copies[k], good += right[k];
    }
    printf("copies: %" PRId64 " of %" PRId64
           " in the right story (%.2f %%); stories with all tellings "
           "in order: %" PRId64 " of %" PRId64 "\n",
           good, all, 100.0 * (double)good / (double)all, whole, stories);
    free(left);
}

int main(int argc, char **argv) {
    const heed_flow flow = { .stories = true };
    texts t = { .n = 0 };
    heed_error err;
    if (argc < 3 || !read_texts(&t, argv[1], atoi(argv[2]))) {
        fprintf(stderr, "bench_stories FILE.tsv COLUMN [PAIRS]\n");
        return 64;
    }
    for (int i = 0; i < 2; i++) {
        heed_decider *d = heed_decider_new(&flow, NULL, &err);
        if (!d) break;
        if (i == 0)
            once_each(&t, d, argc > 3 ? atoi(argv[3]) : 0);
        else
            with_copies(&t, d);
        heed_decider_free(d);
    }
    free(t.text);
    heed__free(NULL, t.data);
    return 0;
}
