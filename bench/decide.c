/* decide.c: how many events a second of one core's time are decided: a flow with a rule of each
 * kind, counting by topic and mood, events with three findings; with stories folded and without;
 * and what its memory takes as bytes.
 *
 *     bench_decide [EVENTS [TEXTS.tsv COLUMN]]     without texts: made-up headlines */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/file.h"
#include "flow/decide.h"

enum { MOST_TEXTS = 100000 };

static const char *const negative[] = { "negative" }, *const by[] = { "topic", "mood" };
static const char *const page[] = { "page" }, *const mood[] = { "mood" };
static const heed_condition bad[] = {
    { .analysis = "mood", .label = negative, .labels = 1, .least = 0.7 },
    { .analysis = "language" },
};
static const heed_rule_cfg rules[] = {
    { .name = "surge",
      .kind = "surge",
      .by = by,
      .by_len = 2,
      .window_ms = 1800000,
      .least = 5,
      .p = 1e-5,
      .learn_ms = 86400000,
      .hold_ms = 1800000,
      .to = page,
      .to_len = 1 },
    { .name = "negative surge",
      .kind = "surge",
      .when = bad,
      .whens = 2,
      .by = by,
      .by_len = 1,
      .window_ms = 3600000,
      .least = 5,
      .p = 1e-5,
      .learn_ms = 86400000,
      .hold_ms = 1800000 },
    { .name = "many",
      .kind = "count",
      .when = bad,
      .whens = 1,
      .by = by,
      .by_len = 1,
      .window_ms = 600000,
      .least = 100000,
      .hold_ms = 1800000 },
    { .name = "mood",
      .kind = "share",
      .when = bad,
      .whens = 1,
      .of = mood,
      .of_len = 1,
      .by = by,
      .by_len = 1,
      .window_ms = 3600000,
      .least = 20,
      .share = 0.9 },
    { .name = "alert",
      .kind = "match",
      .when = &(heed_condition){ .analysis = "risk" },
      .whens = 1,
      .hold_ms = 600000,
      .to = page,
      .to_len = 1 },
};

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int64_t made_up(char **text, heed_rng *rng) {
    for (int64_t i = 0; i < 20000; i++) {
        text[i] = malloc(128);
        text[i][0] = 0;
        for (int k = 0; k < 10; k++) {
            char *end = text[i] + strlen(text[i]);
            snprintf(end, 12, "w%d ", (int)heed_rng_below(rng, k < 3 ? 50 : 5000));
        }
    }
    return 20000;
}

static int64_t read_texts(char **text, const char *path, int column) {
    heed_error err;
    char *data;
    size_t size;
    int64_t n = 0;
    if (heed__file_read(NULL, path, (size_t)1 << 28, &data, &size, &err) != 0) return 0;
    for (char *line = data; line && *line && n < MOST_TEXTS;) {
        char *end = strchr(line, '\n'), *field = line;
        if (end) *end = 0;
        for (int i = 1; i < column && field; i++) field = strchr(field, '\t'), field += field != 0;
        if (field) field[strcspn(field, "\t")] = 0, text[n++] = field;
        line = end ? end + 1 : NULL;
    }
    return n;
}

static void run(const heed_flow *flow, char **text, int64_t texts, int64_t events,
                const char *what) {
    static const char *const topics[] = { "card", "transfer", "cash", "limit",  "top_up",
                                          "fee",  "account",  "pin",  "refund", "exchange" };
    static const char *const moods[] = { "negative", "neutral", "positive" };
    heed_error err = { 0 };
    heed_rng rng = { .seed = 1 };
    heed_decider *d = heed_decider_new(flow, NULL, &err);
    int64_t alerts = 0, bytes = 0;
    const double begin = seconds();
    for (int64_t i = 0; d && i < events; i++) {
        const uint32_t draw = heed_rng_u32(&rng);
        char detail[400];
        int at = snprintf(detail, sizeof detail, "{\"labels\":[");
        for (uint32_t k = 0; k < 5 && flow->rule[0].counts; k++)
            at += snprintf(detail + at, sizeof detail - (size_t)at,
                           "%s{\"label\":\"%s\",\"score\":%g}", k ? "," : "",
                           topics[(draw + k * 3) % 10], k ? 0.05 : 0.8);
        snprintf(detail + at, sizeof detail - (size_t)at, "]}");
        const heed_finding finding[] = {
            { .name = "topic", .label = topics[draw % 10], .confidence = 0.8, .detail = detail },
            { .name = "mood",
              .label = moods[(draw >> 8) % 3],
              .confidence = 0.6 + (draw % 40) / 100.0 },
            { .name = "language", .label = "en", .confidence = 1 },
        };
        const heed_entry e = { .seq = i + 1,
                               .time_ms = 1767571200000 + i * 500,
                               .source = "wire",
                               .text = text[i % texts] };
        const heed_seen seen = { .entry = &e, .finding = finding, .findings = 3 };
        heed_decisions out;
        if (heed_decider_step(d, &seen, &out, &err) != 0) break;
        alerts += out.alerts;
        bytes += (int64_t)strlen(out.gates);
    }
    const double took = seconds() - begin;
    char *data = NULL;
    size_t size = 0;
    const double before = seconds();
    if (d && heed_decider_save(d, &data, &size, &err) != 0) fprintf(stderr, "%s\n", err.msg);
    printf("%-28s %9.0f events/s  %5.2f us each; %" PRId64
           " alerts' states, %.0f bytes of gates an "
           "event; saved: %.2f MB in %.1f ms\n",
           what, (double)events / took, took * 1e6 / (double)events, alerts,
           (double)bytes / (double)events, (double)size / 1e6, (seconds() - before) * 1e3);
    heed__free(NULL, data);
    heed_decider_free(d);
}

int main(int argc, char **argv) {
    heed_rng rng = { .seed = 2 };
    const int64_t events = argc > 1 ? atoll(argv[1]) : 1000000;
    char **text = calloc(MOST_TEXTS, sizeof *text);
    const int64_t texts = argc > 3 ? read_texts(text, argv[2], atoi(argv[3])) : made_up(text, &rng);
    if (texts == 0) return 64;
    heed_flow flow = { .rule = rules, .rules = 5, .ranking = true, .zone = "+08:00" };
    run(&flow, text, texts, events, "five rules, ranking");
    heed_rule_cfg scored[5];
    memcpy(scored, rules, sizeof rules);
    scored[0].counts = scored[1].counts = "scores";
    flow.rule = scored;
    run(&flow, text, texts, events, "the same, surges by scores");
    flow.rule = rules;
    flow.stories = true;
    run(&flow, text, texts, events, "five rules, ranking, stories");
    flow.rules = 0;
    run(&flow, text, texts, events, "stories alone");
    return 0;
}
