/* fuzz_decide.c: any bytes as a decider's saved memory, then entries whose texts, labels, details
 * and bodies are the same bytes; what it then saves loads again, to the same bytes. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "flow/decide.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const bad_labels[] = { "bad" }, *const by[] = { "topic", "names" };
static const char *const page[] = { "page" }, *const mood[] = { "mood" };
static const heed_condition bad = { .analysis = "mood", .label = bad_labels, .labels = 1 };
static const heed_condition named = { .analysis = "names", .of = "ORG" };
static const heed_rule_cfg rules[] = {
    { .name = "m",
      .kind = "match",
      .when = &bad,
      .whens = 1,
      .to = page,
      .to_len = 1,
      .hold_ms = 60000,
      .escalate_ms = 1000,
      .escalate_to = page,
      .escalate_to_len = 1 },
    { .name = "s",
      .kind = "surge",
      .by = by,
      .by_len = 1,
      .window_ms = 600000,
      .least = 2,
      .p = 0.1,
      .hold_ms = 1000 },
    { .name = "n", .kind = "surge", .course = "none", .window_ms = 1000, .least = 1, .p = 0.5 },
    { .name = "h",
      .kind = "share",
      .when = &bad,
      .whens = 1,
      .of = mood,
      .of_len = 1,
      .share = 0.1,
      .window_ms = 60000 },
    { .name = "c",
      .kind = "count",
      .when = &named,
      .whens = 1,
      .by = by + 1,
      .by_len = 1,
      .least = 1,
      .window_ms = 64 },
};
static const heed_analysis_cfg tagger = { .name = "names", .kind = "tag" };
static const heed_flow flow = { .rule = rules,
                                .rules = 5,
                                .analysis = &tagger,
                                .analyses = 1,
                                .stories = true,
                                .ranking = true,
                                .zone = "-03:30" };

static heed_decider *new_decider(bool stories) {
    static heed_flow of[2];
    heed_error err;
    of[stories] = flow;
    of[stories].stories = stories;
    heed_decider *d = heed_decider_new(&of[stories], NULL, &err);
    if (!d) abort();
    return d;
}

static void go_on(heed_decider *d, int64_t after, const char *text, size_t len) {
    heed_error err;
    for (int i = 0; i < 6; i++) {
        const heed_finding finding[] = {
            { .name = "mood", .label = i % 2 ? "bad" : text, .confidence = 0.5 },
            { .name = "topic", .label = text, .confidence = 1 },
            { .name = "names", .detail = text },
        };
        float vector[4] = { 1, 0, 0, (float)i };
        const heed_entry e = { .seq = after + i,
                               .time_ms = 1767571200000 + i * (int64_t)(len % 7) * 1000000,
                               .kind = i < 3 ? HEED_ENTRY_EVENT : (heed_entry_kind)(i - 2),
                               .source = "s",
                               .text = text,
                               .body = text };
        const heed_seen seen = {
            .entry = &e, .finding = finding, .findings = 3, .vector = vector, .dim = 4
        };
        heed_decisions out;
        if (heed_decider_step(d, &seen, &out, &err) != 0) abort();
        json_decref(heed_decider_why(d, &seen, i ? out.gates : text, NULL, &err));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    heed_error err = { 0 };
    const size_t half = size / 2;
    char *text = malloc(size - half + 1), *first = NULL, *second = NULL;
    memcpy(text, data + half, size - half);
    text[size - half] = 0;
    if (heed__utf8_check(text, strlen(text)) != strlen(text)) text[0] = 0; /* texts are UTF-8 */
    const bool stories = size && data[size - 1] % 8 == 7; /* they take much memory and time */
    heed_decider *d = new_decider(stories), *other = new_decider(stories);
    if (heed_decider_load(d, (const char *)data, size, &err) != 0) {
        if (!err.msg[0]) abort();
        heed_decider_free(d);
        d = new_decider(stories);
    }
    go_on(d, (INT64_C(1) << 53) - 10, text, size); /* beyond all that can be loaded, nearly */
    size_t n = 0, m = 0;
    if (heed_decider_save(d, &first, &n, &err) != 0) abort();
    if (heed_decider_load(other, first, n, &err) != 0) abort();
    if (heed_decider_save(other, &second, &m, &err) != 0) abort();
    if (n != m || memcmp(first, second, n) != 0) abort();
    heed__free(NULL, first);
    heed__free(NULL, second);
    heed_decider_free(other);
    heed_decider_free(d);
    free(text);
    return 0;
}
