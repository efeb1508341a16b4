/* flow_tables.c: every key of flow.yaml. */
#include "flow/flow_decode.h"

#define AT(field)        .at = offsetof(STRUCT, field)
#define LIST(field, len) .at = offsetof(STRUCT, field), .len_at = offsetof(STRUCT, len)
#define NAMED                                                                                      \
    .size = sizeof(STRUCT), .has_name = true, .has_line = true, .name_at = offsetof(STRUCT, name), \
    .line_at = offsetof(STRUCT, line)

#define DAY   86400e3
#define YEARS (100 * 366 * DAY)

/* -- sources ---------------------------------------------------------------------------------- */

#define STRUCT  heed_source_cfg
#define COLUMNS "csv tail dir stdin"
static const flow_field source_fields[] = {
    { "kind", FLOW_TEXT, AT(kind), .needs = "*", .choice = "csv tail dir stdin push feed maildir",
      .says = "where events come from" },
    { "path", FLOW_PATH, AT(path), .kinds = "csv tail dir maildir", .needs = "csv tail dir maildir",
      .says = "file or folder; of tail it may appear later" },
    { "url", FLOW_TEXT, AT(url), .kinds = "feed", .needs = "feed",
      .says = "address of the feed, http or https" },
    { "text", FLOW_TEXT, AT(text), .kinds = COLUMNS, .says = "column or JSON key of the text" },
    { "title", FLOW_TEXT, AT(title), .kinds = COLUMNS, .says = "column or JSON key of a title" },
    { "id", FLOW_TEXT, AT(id), .kinds = COLUMNS,
      .says = "column or JSON key that names an event; the same id is taken once" },
    { "time", FLOW_TEXT, AT(time), .kinds = COLUMNS,
      .says = "column or JSON key of when it happened: RFC 3339, RFC 822, or seconds since 1970" },
    { "user", FLOW_TEXT, AT(user), .kinds = COLUMNS,
      .says = "column or JSON key of whom it is of" },
    { "session", FLOW_TEXT, AT(session), .kinds = COLUMNS,
      .says = "column or JSON key of the conversation it belongs to" },
    { "label", FLOW_TEXT, AT(label), .kinds = COLUMNS,
      .says = "column or JSON key of a known label, kept as the field `label`" },
    { "rate", FLOW_RATE, AT(rate), .kinds = "csv", .least = 1e-6, .most = 1e6,
      .says = "events given a second" },
    { "speed", FLOW_NUMBER, AT(speed), .kinds = "csv", .most = 1e9,
      .says = "times real time, by the column `time`; 0: as fast as can be" },
    { "loop", FLOW_BOOL, AT(loop), .kinds = "csv", .says = "begin again at the end, with new ids" },
    { "shuffle", FLOW_BOOL, AT(shuffle), .kinds = "csv", .says = "in an order drawn with `seed`" },
    { "seed", FLOW_SEED, AT(seed), .kinds = "csv", .says = "of the order" },
    { "every", FLOW_TIME, AT(every_ms), .kinds = "feed dir maildir tail", .least = 50,
      .most = 30 * DAY,
      .says =
          "time between two looks: 10m for a feed (5s at least), 1s for dir, maildir and tail" },
    { "allow_private", FLOW_BOOL, AT(allow_private), .kinds = "feed",
      .says = "addresses of this host and of private networks too" },
    { "most", FLOW_SIZE, AT(most), .usual = "8MiB", .least = 1024, .most = 1 << 30,
      .kinds = "feed dir maildir tail stdin csv", .says = "bytes of a document or line" },
    { "lines", FLOW_BOOL, AT(lines), .kinds = "dir", .says = "an event a line, not a file" },
    { "match", FLOW_TEXT, AT(match), .kinds = "dir",
      .says = "names that are read, as *.txt; none: all that do not begin with a point" },
    { "from", FLOW_SWITCH, AT(from_end), .kinds = "tail", .choice = "start end", .usual = "start",
      .says = "where a file begins to be read that was never read before" },
    { "format", FLOW_TEXT, AT(format), .kinds = "csv tail dir stdin",
      .choice = "text json csv tsv jsonl",
      .says =
          "text or json (an object a line) of tail, dir, stdin; csv, tsv or jsonl of csv; none: "
          "by its look" },
    { .key = NULL },
};
static const flow_struct source_struct = { "a source", NAMED, .field = source_fields };
#undef STRUCT

/* -- analyses --------------------------------------------------------------------------------- */

#define STRUCT heed_grade
static const flow_field grade_fields[] = {
    { "when", FLOW_WHEN, LIST(when, whens), .says = "all of these hold" },
    { "words", FLOW_TEXTS, LIST(words, word_len), .says = "or any of these stands in the text" },
    { .key = NULL },
};
static const flow_struct grade_struct = { "a grade", sizeof(STRUCT), .has_name = true,
                                          .name_at = offsetof(STRUCT, name),
                                          .field = grade_fields };
#undef STRUCT

#define STRUCT heed_analysis_cfg
static const flow_field analysis_fields[] = {
    { "kind", FLOW_TEXT, AT(kind), .needs = "*",
      .choice = "classify tag embed language novelty risk", .says = "what is looked for" },
    { "model", FLOW_PATH, AT(model), .look = 'd', .kinds = "classify tag embed language",
      .needs = "classify tag embed", .says = "folder of a model that heed trained" },
    { "coverage", FLOW_NUMBER, AT(coverage), .most = 0.9999, .kinds = "classify",
      .says = "chance that what is not ruled out holds the right label; 0: 0.95" },
    { "scope", FLOW_NUMBER, AT(scope), .most = 1, .kinds = "classify",
      .says = "part of in-scope messages that are kept as such; 0: 0.95" },
    { "least", FLOW_NUMBER, AT(least), .most = 1, .kinds = "classify tag language",
      .says = "abstains below this confidence" },
    { "only", FLOW_TEXTS, LIST(only, only_len), .refers = "sources",
      .says = "sources whose events it reads; none: all" },
    { "when", FLOW_WHEN, LIST(when, whens), .kinds = "classify tag language risk",
      .says = "events it reads: all of these hold, by analyses before it; none: all" },
    { "similar", FLOW_NUMBER, AT(similar), .usual = "0.9", .least = 0, .most = 1,
      .kinds = "novelty", .says = "seen before from this cosine on" },
    { "within", FLOW_TIME, AT(within_ms), .usual = "7d", .least = 1000, .most = YEARS,
      .kinds = "novelty", .says = "how far back is looked" },
    { "grades", FLOW_NAMED, LIST(grade, grades), .of = &grade_struct, .kinds = "risk",
      .needs = "risk", .says = "the worst first; the first that holds is given" },
    { .key = NULL },
};
static const flow_struct analysis_struct = { "an analysis", NAMED, .field = analysis_fields };
#undef STRUCT

/* -- rules ------------------------------------------------------------------------------------ */

#define STRUCT heed_rule_cfg
static const flow_field rule_fields[] = {
    { "kind", FLOW_TEXT, AT(kind), .needs = "*", .choice = "match surge count share",
      .says = "match: one event; surge: more than the usual course; count: so many in the window; "
              "share: so large a part" },
    { "when", FLOW_WHEN, LIST(when, whens), .says = "events that count; all of these hold" },
    { "by", FLOW_TEXTS, LIST(by, by_len), .refers = "keys",
      .says = "a count for each combination of these analyses' labels, of source or user" },
    { "window", FLOW_TIME, AT(window_ms), .usual = "10m", .least = 1000, .most = 366 * DAY,
      .says = "sliding time in which events are counted" },
    { "least", FLOW_INT, AT(least), .least = 1, .most = 1e9,
      .says = "events in the window at least (surge: 5)" },
    { "share", FLOW_NUMBER, AT(share), .most = 1, .kinds = "share", .needs = "share",
      .says = "at least this part of the events" },
    { "of", FLOW_TEXTS, LIST(of, of_len), .refers = "analyses", .kinds = "share",
      .says = "analyses of `when` that make the part; the whole are the events that hold all other "
              "conditions; none: every analysis of `when`" },
    { "p", FLOW_NUMBER, AT(p), .usual = "1e-6", .least = 1e-30, .most = 0.5, .kinds = "surge",
      .says = "at most this chance under the usual course" },
    { "course", FLOW_TEXT, AT(course), .usual = "week", .choice = "none day week", .kinds = "surge",
      .says = "what is usual: one rate, one for each hour of the day, or of the week" },
    { "learn", FLOW_TIME, AT(learn_ms), .usual = "1d", .most = 366 * DAY, .kinds = "surge",
      .says = "quiet until so much time was seen" },
    { "counts", FLOW_TEXT, AT(counts), .usual = "labels", .choice = "labels scores",
      .kinds = "surge",
      .says = "what an event counts for: the label said, or every label that the model thinks "
              "possible, by its score" },
    { "odds", FLOW_NUMBER, AT(odds), .usual = "200", .least = 1, .most = 1e18, .kinds = "surge",
      .says = "where counted by scores: a surge must be so many times likelier than that other "
              "labels' events were mistaken" },
    { "grade", FLOW_TEXT, AT(grade), .usual = "warning", .choice = "info warning critical",
      .says = "of its alerts" },
    { "hold", FLOW_TIME, AT(hold_ms), .usual = "30m", .most = 366 * DAY,
      .says = "no second alert on the same key within this time" },
    { "close", FLOW_TIME, AT(close_ms), .most = 366 * DAY,
      .says = "closed after so long without a match (as `hold`)" },
    { "escalate", FLOW_TIME, AT(escalate_ms), .most = 366 * DAY,
      .says = "not acknowledged by then: the grade goes up and `escalate_to` hears; 0: never" },
    { "to", FLOW_TEXTS, LIST(to, to_len), .refers = "sinks", .says = "sinks that hear of it" },
    { "escalate_to", FLOW_TEXTS, LIST(escalate_to, escalate_to_len), .refers = "sinks",
      .says = "sinks that hear of it when it escalates" },
    { "inhibit", FLOW_TEXTS, LIST(inhibit, inhibit_len), .refers = "rules",
      .says = "rules that stay quiet while an alert of this one is open" },
    { .key = NULL },
};
static const flow_struct rule_struct = { "a rule", NAMED, .field = rule_fields };
#undef STRUCT

/* -- sinks ------------------------------------------------------------------------------------ */

#define STRUCT heed_sink_cfg
static const flow_field sink_fields[] = {
    { "kind", FLOW_TEXT, AT(kind), .needs = "*", .choice = "webhook file mail page",
      .says = "how it is told" },
    { "url", FLOW_TEXT, AT(url), .kinds = "webhook", .needs = "webhook",
      .says = "address that is posted to, http or https" },
    { "path", FLOW_PATH, AT(path), .kinds = "file", .needs = "file",
      .says = "file to which a line of JSON is added" },
    { "address", FLOW_TEXT, AT(address), .kinds = "mail", .needs = "mail", .says = "recipient" },
    { "command", FLOW_TEXT, AT(command), .usual = "/usr/sbin/sendmail -t -i", .kinds = "mail",
      .says = "program that sends a mail given on its standard input; no shell reads it" },
    { "secret_env", FLOW_TEXT, AT(secret_env), .kinds = "webhook",
      .says = "environment variable that holds the secret of the signature" },
    { "allow_private", FLOW_BOOL, AT(allow_private), .kinds = "webhook",
      .says = "addresses of this host and of private networks too" },
    { "tries", FLOW_INT, AT(tries), .usual = "12", .least = 1, .most = 100,
      .kinds = "webhook mail file",
      .says = "with doubling pauses from 1 s to 1 h, then put aside as dead" },
    { "rate", FLOW_PER_HOUR, AT(rate_per_hour), .usual = "20/h", .least = 1, .most = 1e6,
      .kinds = "mail", .says = "mails at most; more wait" },
    { .key = NULL },
};
static const flow_struct sink_struct = { "a sink", NAMED, .field = sink_fields };
#undef STRUCT

/* -- desk ------------------------------------------------------------------------------------- */

#define STRUCT heed_desk_cfg
static const flow_field desk_fields[] = {
    { "intent", FLOW_TEXT, AT(intent), .refers = "analyses",
      .says = "analysis that says what is wanted" },
    { "replies", FLOW_PATH, AT(replies), .look = 'f',
      .says = "canned replies: TSV intent, reply; or JSONL intent, question, reply" },
    { "kb", FLOW_PATH, AT(kb), .look = 'd', .says = "folder of .md and .txt that is searched" },
    { "model", FLOW_PATH, AT(model), .look = 'd',
      .says = "embedder for retrieval; none: words alone" },
    { "slots", FLOW_PATH, AT(slots), .look = 'f', .says = "YAML of what is asked for by intent" },
    { "tag", FLOW_TEXT, AT(tag), .refers = "analyses",
      .says = "analysis of the kind tag whose entities fill slots" },
    { "least", FLOW_NUMBER, AT(least), .most = 1, .says = "hands over below this confidence" },
    { "scope", FLOW_NUMBER, AT(scope), .most = 1,
      .says = "part of in-scope messages that are kept as such" },
    { "greeting", FLOW_TEXT, AT(greeting), .says = "text; none: ours" },
    { "hand_over", FLOW_TEXT, AT(hand_over), .says = "text when a person takes over; none: ours" },
    { "out_of_scope", FLOW_TEXT, AT(out_of_scope), .says = "text; none: ours" },
    { .key = NULL },
};
static const flow_struct desk_struct = { "the desk", sizeof(STRUCT), .has_line = true,
                                         .line_at = offsetof(STRUCT, line), .field = desk_fields };
#undef STRUCT

/* -- the file --------------------------------------------------------------------------------- */

#define STRUCT heed_flow
static const flow_field story_fields[] = {
    { "similar", FLOW_NUMBER, AT(story_similar), .usual = "0.6", .most = 1,
      .says = "the same story from this cosine, or overlap of words, on" },
    { "within", FLOW_TIME, AT(story_ms), .usual = "48h", .least = 1000, .most = 366 * DAY,
      .says = "how long a story may be told" },
    { .key = NULL },
};
static const flow_struct story_struct = { "stories", sizeof(STRUCT), .field = story_fields };

static const flow_field top_fields[] = {
    { "name", FLOW_TEXT, AT(name), .usual = "heed", .says = "shown on the page" },
    { "listen", FLOW_TEXT, AT(listen), .usual = "127.0.0.1:8080",
      .says = "address and port of the HTTP interface; beyond this host it demands keys" },
    { "keys", FLOW_PATH, AT(keys), .says = "file of keys, made by heed key add" },
    { "certificate", FLOW_PATH, AT(certificate), .look = 'f', .says = "PEM file, for TLS" },
    { "private_key", FLOW_PATH, AT(private_key), .look = 'f', .says = "PEM file, for TLS" },
    { "cors", FLOW_TEXTS, LIST(cors, cors_len), .says = "origins that browsers may call from" },
    { "store", FLOW_PATH, AT(store), .usual = "heed.db", .says = "file of the log and all else" },
    { "durable", FLOW_BOOL, AT(durable),
      .says = "what is acknowledged survives a power cut too, not only the end of the process" },
    { "keep", FLOW_TIME, AT(keep_ms), .most = YEARS, .says = "older events go; 0: for ever" },
    { "clock", FLOW_SWITCH, AT(event_clock), .usual = "system", .choice = "system events",
      .says = "the flow's time: this host's, or that of the events themselves, for replays" },
    { "zone", FLOW_TEXT, AT(zone), .usual = "UTC", .says = "of hours and weekdays: UTC or +08:00" },
    { "redact", FLOW_TEXTS, LIST(redact, redact_len), .choice = "mail phone card id iban ip name",
      .says = "personal data replaced before anything is stored" },
    { "max_wait", FLOW_TIME, AT(max_wait_ms), .usual = "5ms", .most = 10000,
      .says = "how long a request waits for others to share a batch with" },
    { "max_batch", FLOW_INT, AT(max_batch), .usual = "64", .least = 1, .most = 4096,
      .says = "texts of a batch" },
    { "stories", FLOW_PART, AT(stories), .of = &story_struct,
      .says = "the same story told again is folded into one" },
    { "ranking", FLOW_BOOL, AT(ranking), .usual = "true",
      .says = "learn from votes what deserves attention" },
    { "sources", FLOW_NAMED, LIST(source, sources), .of = &source_struct,
      .says = "where events come from" },
    { "analyses", FLOW_NAMED, LIST(analysis, analyses), .of = &analysis_struct,
      .says = "what is looked for in them" },
    { "rules", FLOW_NAMED, LIST(rule, rules), .of = &rule_struct, .says = "what makes an alert" },
    { "sinks", FLOW_NAMED, LIST(sink, sinks), .of = &sink_struct, .says = "where alerts go" },
    { "desk", FLOW_ONE, AT(desk), .of = &desk_struct, .says = "the support desk" },
    { .key = NULL },
};
const flow_struct flow_top = { "the flow", sizeof(STRUCT), .field = top_fields };
