/* monitor.c: how good the monitor's alerts are: real headlines with their labels, replayed in order
 * on made-up weeks with surges planted at known times (timeline.h), judged by precision, recall,
 * false alarms a week and delay, beside simple thresholds on the same weeks.
 *
 *     bench_monitor FILE.tsv [WEEKS [SEEDS [ZONE [FIRST_SEED [ODDS]]]]]
 *
 * FILE has the columns gold, predicted, confidence, detail (the model's, JSON:
 * {"labels":[{"label","score"}...]}) and text, in the order in which headlines came;
 * recipes/monitor.sh makes it. An event of a label at a time is the next headline that has it (from
 * the first on where they end), so that a surge is told by real headlines of its label, and what a
 * model makes of them is what it makes of real ones.
 *
 * Columns of the answer: precision and recall (an alert is right that opens between a surge's begin
 * and half an hour after its end, for its label), surges found of each size, alerts a week without
 * any surge (false) and at the time of a surge of another label (echoes: both count against
 * precision), minutes from a surge's begin to its alert. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "flow/decide.h"
#include "timeline.h"

#define HOUR INT64_C(3600000)

typedef struct row {
    const char *gold, *predicted, *detail, *text;
    double confidence;
} row;

typedef struct set {
    char *data;
    row *row;
    int64_t rows;
    const char *label[TIMELINE_LABELS];
    int64_t *of[TIMELINE_LABELS], count[TIMELINE_LABELS]; /* rows of each label */
    int labels;
} set;

static int label_of(set *s, const char *name, bool add) {
    for (int i = 0; i < s->labels; i++)
        if (strcmp(s->label[i], name) == 0) return i;
    if (!add || s->labels == TIMELINE_LABELS) return -1;
    s->label[s->labels] = name;
    return s->labels++;
}

static char *cut(char **rest, char at) {
    char *field = *rest, *end = strchr(field, at);
    if (end)
        *end = 0, *rest = end + 1;
    else
        *rest = field + strlen(field);
    return field;
}

static bool read_set(set *s, const char *path) {
    heed_error err;
    size_t size;
    if (heed__file_read(NULL, path, (size_t)1 << 28, &s->data, &size, &err) != 0) {
        fprintf(stderr, "%s\n", err.msg);
        return false;
    }
    s->row = calloc(size / 8 + 1, sizeof *s->row);
    char *rest = s->data;
    for (cut(&rest, '\n'); *rest;) {
        char *line = cut(&rest, '\n');
        row *r = &s->row[s->rows];
        r->gold = cut(&line, '\t');
        r->predicted = cut(&line, '\t');
        r->confidence = atof(cut(&line, '\t'));
        r->detail = cut(&line, '\t');
        r->text = line;
        if (*r->text && label_of(s, r->gold, true) >= 0) s->rows++;
    }
    for (int i = 0; i < s->labels; i++) s->of[i] = calloc((size_t)s->rows, sizeof(int64_t));
    for (int64_t i = 0; i < s->rows; i++) {
        const int label = label_of(s, s->row[i].gold, false);
        s->of[label][s->count[label]++] = i;
    }
    return s->rows > 0;
}

/* -- ours ------------------------------------------------------------------------------------ */

typedef struct run {
    set *set;
    const timeline *t;
    const timeline_cfg *c;
    const char *zone;
    enum { BY_PEOPLE, BY_MODEL, BY_SCORES } labels;
    double p, odds;
} run;

static void replay(const run *r, timeline_judge *j) {
    static const char *const by[] = { "label" };
    const heed_rule_cfg rule = { .name = "surge",
                                 .kind = "surge",
                                 .by = by,
                                 .by_len = 1,
                                 .window_ms = HOUR / 2,
                                 .least = 5,
                                 .p = r->p,
                                 .counts = r->labels == BY_SCORES ? "scores" : "labels",
                                 .odds = r->odds,
                                 .learn_ms = 168 * HOUR,
                                 .hold_ms = 2 * HOUR };
    const heed_flow flow = { .rule = &rule, .rules = 1, .zone = r->zone };
    heed_error err;
    heed_decider *d = heed_decider_new(&flow, NULL, &err);
    int64_t next[TIMELINE_LABELS] = { 0 };
    for (int64_t i = 0; d && i < r->t->events; i++) {
        const int label = r->t->event[i].label;
        const row *head = &r->set->row[r->set->of[label][next[label]++ % r->set->count[label]]];
        const char *said = r->labels == BY_PEOPLE ? head->gold : head->predicted;
        const heed_finding f = { .name = "label",
                                 .label = said,
                                 .confidence = head->confidence,
                                 .detail = r->labels == BY_SCORES ? head->detail : NULL };
        const heed_entry e = {
            .seq = i + 1, .time_ms = r->t->event[i].time_ms, .source = "wire", .text = head->text
        };
        const heed_seen seen = { .entry = &e, .finding = &f, .findings = 1 };
        heed_decisions out;
        if (heed_decider_step(d, &seen, &out, &err) != 0) break;
        for (int64_t k = 0; k < out.alerts; k++)
            if (out.alert[k].id / 100 == e.seq)
                timeline_judge_alert(j, label_of(r->set, said, false), e.time_ms);
    }
    heed_decider_free(d);
}

/* -- floors ---------------------------------------------------------------------------------- */

/* An alert of a label at `least` events within half an hour, none within two hours of the last. */
static void threshold(const timeline *t, const int *least, timeline_judge *j) {
    int64_t last[TIMELINE_LABELS], from[TIMELINE_LABELS] = { 0 };
    int n[TIMELINE_LABELS] = { 0 };
    for (int i = 0; i < TIMELINE_LABELS; i++) last[i] = INT64_MIN / 2;
    for (int64_t i = 0; i < t->events; i++) {
        const int label = t->event[i].label;
        const int64_t now = t->event[i].time_ms;
        n[label]++;
        for (int64_t *k = &from[label]; t->event[*k].time_ms <= now - HOUR / 2; ++*k)
            n[label] -= t->event[*k].label == label;
        if (n[label] < least[label]) continue;
        if (now - last[label] >= 2 * HOUR) timeline_judge_alert(j, label, now);
        last[label] = now;
    }
}

/* The most that half an hour of the quiet weeks had, and one more. */
static void most_of_quiet(const timeline *t, const timeline_cfg *c, int *least) {
    int n[TIMELINE_LABELS] = { 0 };
    int64_t from[TIMELINE_LABELS] = { 0 };
    for (int i = 0; i < TIMELINE_LABELS; i++) least[i] = 5;
    for (int64_t i = 0; i < t->events; i++) {
        const int label = t->event[i].label;
        const int64_t now = t->event[i].time_ms;
        if (now >= c->start_ms + c->quiet_weeks * 168 * HOUR) return;
        n[label]++;
        for (int64_t *k = &from[label]; t->event[*k].time_ms <= now - HOUR / 2; ++*k)
            n[label] -= t->event[*k].label == label;
        if (n[label] + 1 > least[label]) least[label] = n[label] + 1;
    }
}

/* -- all ------------------------------------------------------------------------------------- */

static void add_score(timeline_score *sum, const timeline_score *s) {
    sum->alerts += s->alerts, sum->right += s->right, sum->weeks += s->weeks;
    sum->echoes += s->echoes;
    for (int i = 0; i < 3; i++) sum->found[i] += s->found[i], sum->planted[i] += s->planted[i];
    for (int i = 0; i < s->delays && sum->delays < 512; i++)
        sum->delay_ms[sum->delays++] = s->delay_ms[i];
}

static void print_score(const char *name, timeline_score *s) {
    const double p = timeline_precision(s), r = timeline_recall(s);
    printf("%-34s %6.3f %6.3f  %3d/%-3d %3d/%-3d %3d/%-3d %6.2f %6.2f %6.0f %5.0f\n", name, p, r,
           s->found[0], s->planted[0], s->found[1], s->planted[1], s->found[2], s->planted[2],
           (s->alerts - s->right - s->echoes) / s->weeks, s->echoes / s->weeks,
           timeline_delay(s, 0.5), timeline_delay(s, 0.9));
}

static timeline_cfg weeks_of(const set *s, int weeks, int surges, uint64_t seed) {
    timeline_cfg c = { .weeks = weeks,
                       .quiet_weeks = 2,
                       .labels = s->labels,
                       .shape = 10,
                       .surges = surges,
                       .start_ms = INT64_C(1767571200000),
                       .seed = seed };
    for (int i = 0; i < s->labels; i++) c.rate[i] = 0.8 * (double)s->count[i] / (weeks * 168.0);
    return c;
}

enum { OURS_GOLD, OURS_MODEL = 3, OURS_SCORES = 6, MOST = 9, ZSCORE, LINES = ZSCORE + 12 };

static void one_seed(set *s, const timeline_cfg *c, const char *zone, double odds,
                     timeline_score *sum) {
    static const double p[] = { 1e-4, 1e-5, 1e-6 };
    timeline t = timeline_make(c);
    for (int line = 0; line < LINES; line++) {
        timeline_judge j = { .t = &t, .c = c, .after_ms = HOUR / 2 };
        int least[TIMELINE_LABELS];
        timeline_judge_open(&j);
        if (line < MOST) {
            const run r = { s, &t, c, zone, (unsigned)(line / 3), p[line % 3], odds };
            replay(&r, &j);
        } else {
            if (line == MOST) most_of_quiet(&t, c, least);
            for (int i = 0; i < c->labels && line >= ZSCORE; i++)
                least[i] = (int)(c->rate[i] / 2 + (line - ZSCORE + 2) * sqrt(c->rate[i] / 2) + 1);
            threshold(&t, least, &j);
        }
        add_score(&sum[line], &j.score);
        free(j.found);
    }
    timeline_free(&t);
}

static double f1(const timeline_score *s) {
    const double p = timeline_precision(s), r = timeline_recall(s);
    return p + r > 0 ? 2 * p * r / (p + r) : 0;
}

int main(int argc, char **argv) {
    static timeline_score sum[LINES], quiet[LINES];
    static const char *const names[] = {
        "surge, gold labels, p 1e-4",  "surge, gold labels, p 1e-5",  "surge, gold labels, p 1e-6",
        "surge, model's labels, 1e-4", "surge, model's labels, 1e-5", "surge, model's labels, 1e-6",
        "surge, model's scores, 1e-4", "surge, model's scores, 1e-5", "surge, model's scores, 1e-6"
    };
    set s = { .labels = 0 };
    if (argc < 2 || !read_set(&s, argv[1])) {
        fprintf(stderr, "bench_monitor FILE.tsv [WEEKS [SEEDS [ZONE [FIRST_SEED [ODDS]]]]]\n");
        return 64;
    }
    const int weeks = argc > 2 ? atoi(argv[2]) : 6, seeds = argc > 3 ? atoi(argv[3]) : 5;
    const char *zone = argc > 4 ? argv[4] : "+08:00";
    const int64_t offset = (zone[0] == '-' ? -1 : 1) * strtoll(zone + (zone[0] != 'U'), NULL, 10);
    const int first = argc > 5 ? atoi(argv[5]) : 1;
    const double odds = argc > 6 ? atof(argv[6]) : 200;
    int64_t right = 0;
    for (int64_t i = 0; i < s.rows; i++) right += strcmp(s.row[i].gold, s.row[i].predicted) == 0;
    for (int seed = first; seed < first + seeds; seed++) {
        timeline_cfg c = weeks_of(&s, weeks, 6 * (weeks - 2), (uint64_t)seed);
        c.offset_ms = zone[0] == 'U' ? 0 : offset * HOUR;
        one_seed(&s, &c, zone, odds, sum);
        c.surges = 0;
        one_seed(&s, &c, zone, odds, quiet);
    }
    printf("%" PRId64 " headlines, %d labels, model right on %.1f %%; %d times %d weeks, the first "
           "two quiet, then six surges a week; zone %s\n",
           s.rows, s.labels, 100.0 * (double)right / (double)s.rows, seeds, weeks, zone);
    printf("%-34s %6s %6s  %7s %7s %7s %6s %6s %6s %5s\n", "", "prec.", "recall", "small", "middle",
           "large", "false", "echoes", "median", "90 %");
    for (int i = 0; i < MOST; i++) print_score(names[i], &sum[i]);
    print_score("floor: most of quiet weeks + 1", &sum[MOST]);
    int best = ZSCORE;
    for (int i = ZSCORE; i < LINES; i++)
        if (f1(&sum[i]) > f1(&sum[best])) best = i;
    char name[64];
    snprintf(name, sizeof name, "floor: mean + %d sd, best looking back", best - ZSCORE + 2);
    print_score(name, &sum[best]);
    printf("alerts a week with no surge planted: gold %.2f %.2f %.2f, model %.2f %.2f %.2f, "
           "scores %.2f %.2f %.2f, floors %.2f %.2f\n",
           quiet[0].alerts / quiet[0].weeks, quiet[1].alerts / quiet[1].weeks,
           quiet[2].alerts / quiet[2].weeks, quiet[3].alerts / quiet[3].weeks,
           quiet[4].alerts / quiet[4].weeks, quiet[5].alerts / quiet[5].weeks,
           quiet[6].alerts / quiet[6].weeks, quiet[7].alerts / quiet[7].weeks,
           quiet[8].alerts / quiet[8].weeks, quiet[MOST].alerts / quiet[MOST].weeks,
           quiet[best].alerts / quiet[best].weeks);
    for (int i = 0; i < s.labels; i++) free(s.of[i]);
    free(s.row);
    heed__free(NULL, s.data);
    return 0;
}
