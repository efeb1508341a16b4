/* cmd_chat.c: `heed chat`: talk with the support desk, a line a message. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app/messages.h"
#include "app/commands.h"
#include "app/options.h"
#include "base/alloc.h"
#include "base/json.h"
#include "base/text.h"
#include "base/input.h"
#include "serve/desk_test.h"
#include "app/serving/serve.h"

typedef struct chat {
    heed_desk_cfg desk;
    heed_analysis_cfg analysis[2]; /* intent, tag */
    heed_flow own;                 /* made of the options */
    heed_flow *flow;               /* read from a file; NULL: own */
    const char *intent, *tag, *test, *learn, *within;
    bool json, state;
    heed_desk *d;
    heed_input *in;
    json_t *said; /* state of the conversation */
} chat;

static int print_answer(const chat *c, json_t *answer, heed_error *err) {
    if (c->json) {
        if (!c->state) json_object_del(answer, "state");
        size_t len;
        char *text = heed__json_text(NULL, answer, false, &len, err);
        if (!text) return err->code;
        printf("%s\n", text);
        heed__free(NULL, text);
    } else {
        printf("%s\n", json_string_value(json_object_get(answer, "reply")));
        size_t i;
        json_t *s;
        json_array_foreach(json_object_get(answer, "sources"), i, s)
            printf("  [%s, %.2f]\n", json_string_value(json_object_get(s, "where")),
                   json_number_value(json_object_get(s, "score")));
    }
    if (fflush(stdout) == 0 && !ferror(stdout)) return 0;
    err->code = HEED_EIO;
    heed__format(err->msg, sizeof err->msg, "standard output could not be written");
    return HEED_EIO;
}

/* Why a line is no message; NULL: it is one. */
static const char *no_message(int got, const char *line, size_t size, char *why, size_t room) {
    if (got == HEED_LINE_LONG) return "more than 64 MB";
    if (memchr(line, 0, size)) return "a zero byte";
    const size_t at = heed__utf8_check(line, size);
    if (at == size) return NULL;
    heed__format(why, room, "not UTF-8 at byte %zu", at);
    return why;
}

static int answer_line(chat *c, const char *line, heed_error *err) {
    json_t *answer = heed_desk_answer(c->d, c->said, line, err);
    if (!answer) return err->code;
    json_decref(c->said);
    c->said = json_incref(json_object_get(answer, "state"));
    const int rc = print_answer(c, answer, err);
    json_decref(answer);
    return rc;
}

/* Until the end of the input. A line that is no message is told of and passed over; where nobody
 * sits before it, the exit status tells of it too. */
static int talk(chat *c, heed_error *err) {
    const bool prompt = isatty(0) && isatty(1) && !c->json;
    int64_t passed = 0;
    char *line, why[64], said[MESSAGE_SIZE];
    size_t size;
    for (;;) {
        if (prompt) printf("> "), fflush(stdout);
        const int got = heed__input_line(c->in, &line, &size, err);
        if (got < 0) return got;
        if (got == HEED_LINE_NONE) break;
        const char *wrong = no_message(got, line, size, why, sizeof why);
        if (wrong) {
            passed++;
            complain(tr("heed: line %lld: %s; it is passed over\n"),
                     (long long)heed__input_line_number(c->in), tr_made(wrong, said));
            continue;
        }
        const int rc = answer_line(c, line, err);
        if (rc) return rc;
    }
    if (prompt || passed == 0) return 0;
    err->code = HEED_EFORMAT;
    heed__format(err->msg, sizeof err->msg, "%lld of %lld lines were passed over",
                 (long long)passed, (long long)heed__input_line_number(c->in));
    return err->code;
}

static double part(int64_t of, int64_t n) {
    return n ? (double)of / (double)n : 0;
}

static int test(const chat *c, heed_error *err) {
    heed_desk_tested t;
    const int rc = heed_desk_test(c->d, c->test, &t, err);
    if (rc) return rc;
    if (c->json) {
        printf("{\"n\": %lld, \"ranked\": %lld, \"recall_1\": %.6g, \"recall_10\": %.6g, "
               "\"mrr\": %.6g, \"intents\": %lld, \"accuracy\": %.6g, \"accuracy_alone\": "
               "%.6g, \"handed_over\": %.6g, \"outside\": %lld, \"outside_handed_over\": %.6g, "
               "\"answers_per_second\": %.6g, \"p99_ms\": %.6g}\n",
               (long long)t.n, (long long)t.ranked, part(t.first, t.ranked), part(t.ten, t.ranked),
               t.mrr, (long long)t.intents, part(t.right, t.intents),
               part(t.right_alone, t.intents), part(t.handed_over, t.intents), (long long)t.outside,
               part(t.outside_handed_over, t.outside), (double)t.n / t.seconds, t.p99 * 1e3);
        return 0;
    }
    printf(tr("%s: %lld messages\n"), c->test, (long long)t.n);
    if (t.ranked)
        printf(tr("Replies: recall at 1 %.4f, at 10 %.4f, mean reciprocal rank %.4f, of %lld\n"),
               part(t.first, t.ranked), part(t.ten, t.ranked), t.mrr, (long long)t.ranked);
    if (t.intents)
        printf(tr("Intents: %.4f right, %.4f without what was said before, of %lld; handed over "
                  "%.4f\n"),
               part(t.right, t.intents), part(t.right_alone, t.intents), (long long)t.intents,
               part(t.handed_over, t.intents));
    if (t.outside)
        printf(tr("Out of scope: %.4f handed over, of %lld\n"),
               part(t.outside_handed_over, t.outside), (long long)t.outside);
    printf(tr("Time: %.0f answers a second, 99 %% within %.3f ms\n"), (double)t.n / t.seconds,
           t.p99 * 1e3);
    return 0;
}

static int within(const chat *c, heed_error *err) {
    heed_desk_within w;
    const int rc = heed_desk_test_within(c->d, c->within, &w, err);
    if (rc == 0)
        printf(c->json ? "{\"questions\": %lld, \"map\": %.6g, \"mrr\": %.6g}\n"
                       : tr("%lld questions rank their own passages: MAP %.4f, MRR %.4f\n"),
               (long long)w.questions, w.map, w.mrr);
    return rc;
}

static int learn(const chat *c, heed_error *err) {
    double weight[HEED_DESK_WEIGHTS], loss;
    const int rc = heed_desk_learn(c->d, c->learn, weight, &loss, err);
    if (rc) return rc;
    printf(
        tr("words %.3g, vectors %.3g, words of questions %.3g, vectors of questions %.3g, intent "
           "%.3g: loss %.4f\n"),
        weight[0], weight[1], weight[2], weight[3], weight[4], loss);
    return 0;
}

static int run(chat *c, const char *file) {
    heed_error err = { 0 };
    c->analysis[0] = (heed_analysis_cfg){ .name = "intent",
                                          .kind = "classify",
                                          .model = c->intent };
    c->analysis[1] = (heed_analysis_cfg){ .name = "tag", .kind = "tag", .model = c->tag };
    c->desk.intent = c->intent ? "intent" : NULL;
    c->desk.tag = c->tag ? "tag" : NULL;
    c->own = (heed_flow){ .analysis = c->analysis, .analyses = 2, .desk = &c->desk };
    if (file && !(c->flow = heed_flow_open(file, NULL, &err))) return command_error(&err);
    c->d = heed_desk_open(file ? c->flow : &c->own, NULL, NULL, &err);
    if (!c->d) {
        heed_flow_close(c->flow);
        return command_error(&err);
    }
    if (!c->test && !c->learn && !c->within) c->in = heed__input_open("-", NULL, &err);
    const int rc = c->within  ? within(c, &err)
                   : c->learn ? learn(c, &err)
                   : c->test  ? test(c, &err)
                   : c->in    ? talk(c, &err)
                              : err.code;
    heed__input_close(c->in);
    heed_desk_close(c->d);
    heed_flow_close(c->flow);
    json_decref(c->said);
    return rc ? command_error(&err) : 0;
}

int serve_chat(int argc, char **argv) {
    chat c = { .desk = { .least = 0.5 } };
    const opt options[] = {
        { "intent", 0, OPT_PATH, &c.intent, 0, 0, "MODEL", "says what is wanted" },
        { "replies", 0, OPT_PATH, &c.desk.replies, 0, 0, "FILE",
          "TSV with intent and reply, or JSON lines with intent, question, reply" },
        { "kb", 0, OPT_PATH, &c.desk.kb, 0, 0, "DIR", "folder of .md and .txt to search" },
        { "model", 0, OPT_PATH, &c.desk.model, 0, 0, "MODEL",
          "vectors of texts, for replies and passages (words alone)" },
        { "slots", 0, OPT_PATH, &c.desk.slots, 0, 0, "FILE",
          "YAML of what each intent needs to know" },
        { "tag", 0, OPT_PATH, &c.tag, 0, 0, "MODEL", "finds the entities that fill slots" },
        { "least", 0, OPT_REAL, &c.desk.least, 0, 1, "P", "least confidence in an intent (0.5)" },
        { "scope", 0, OPT_REAL, &c.desk.scope, 0, 0.999, "P",
          "part of messages such as the model's own that are taken for such (not asked)" },
        { "test", 0, OPT_PATH, &c.test, 0, 0, "FILE",
          "JSON lines of messages with what they ask for: how well they are answered" },
        { "within", 0, OPT_PATH, &c.within, 0, 0, "FILE",
          "pairs of question and passage, 1 or 0: how well each question's are ranked" },
        { "learn", 0, OPT_PATH, &c.learn, 0, 0, "FILE",
          "JSON lines of question and reply: what words, vectors and intents should count" },
        { "json", 0, OPT_FLAG, &c.json, 0, 0, NULL, "an object a line" },
        { "state", 0, OPT_FLAG, &c.state, 0, 0, NULL, "with --json: the conversation's state too" },
        { 0 },
    };
    const opt_command about = { "heed chat [FLOW.yaml] [options]",
                                "Answers as the support desk does, a line a message, from "
                                "replies, a folder of texts, or not at all.",
                                options, 0, 1 };
    const char *operand[1];
    const int n = opt_read(&about, argc, argv, operand);
    if (n < 0) return command_usage(n);
    if (n > 0 &&
        (c.desk.replies || c.desk.kb || c.intent || c.tag || c.desk.model || c.desk.slots)) {
        complain(tr("heed: chat takes its models and files from the flow or from options\n"));
        return EXIT_USAGE;
    }
    if (n == 0 && !c.desk.replies && !c.desk.kb && !c.within) {
        complain(tr("heed: chat needs a flow with a desk, --replies or --kb\n"));
        return EXIT_USAGE;
    }
    return run(&c, n > 0 ? operand[0] : NULL);
}
