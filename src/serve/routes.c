/* routes.c: the HTTP interface as one table: what can be asked, what is to be given, what is
 * answered. Dispatch, /openapi.json and /docs are made from it. */
#include "serve/route.h"

/* -- schemas ---------------------------------------------------------------------------------- */

#define OBJECT(required, members)                                                                  \
    "{\"type\":\"object\",\"required\":[" required "],\"properties\":{" members "}}"
/* What is taken, and nothing beside it; `more` says more of it (",\"oneOf\":[...]"). What is shaped
 * as other servers have it is an OBJECT: their clients send keys that heed has no use for. */
#define CLOSED(required, members, more)                                                            \
    "{\"type\":\"object\",\"required\":[" required "],\"properties\":{" members                    \
    "},\"additionalProperties\":false" more "}"
#define EITHER(one, other) ",\"oneOf\":[{\"required\":[" one "]},{\"required\":[" other "]}]"
#define LIST(of)           "{\"type\":\"array\",\"items\":" of "}"
#define TEXT               "{\"type\":\"string\"}"
#define TEXT_NULL          "{\"type\":[\"string\",\"null\"]}"
#define INT                "{\"type\":\"integer\"}"
#define NUMBER             "{\"type\":\"number\"}"
#define REAL_NULL          "{\"type\":[\"number\",\"null\"]}"
#define BOOL               "{\"type\":\"boolean\"}"
#define ANY                "{}"
#define SOME               "{\"type\":\"object\"}"
#define SEQ                "{\"type\":\"integer\",\"minimum\":1,\"maximum\":9007199254740991}"
#define SHORT_OR_NONE      "{\"type\":[\"string\",\"null\"],\"maxLength\":200}"
#define MANY_OR_NONE       "{\"type\":[\"integer\",\"null\"],\"minimum\":1,\"maximum\":16}"
#define SOME_TEXT          "{\"type\":\"string\"}"

#define SAID "{\"type\":\"string\",\"maxLength\":100000}"
#define PART OBJECT("\"type\",\"text\"", "\"type\":{\"const\":\"text\"},\"text\":" SAID)
#define CHAT_MESSAGE                                                                               \
    OBJECT("\"role\",\"content\"",                                                                 \
           "\"role\":{\"enum\":[\"system\",\"developer\",\"user\",\"assistant\",\"tool\"]},"       \
           "\"content\":{\"anyOf\":[" SAID "," LIST(PART) ",{\"type\":\"null\"}]}")
#define CHAT                                                                                       \
    OBJECT(                                                                                        \
        "\"messages\"",                                                                            \
        "\"messages\":{\"type\":\"array\",\"minItems\":1,\"maxItems\":512,\"items\":" CHAT_MESSAGE \
        "},\"model\":" TEXT ",\"stream\":" BOOL                                                    \
        ",\"stream_options\":" OBJECT("", "\"include_usage\":" BOOL) ",\"n\":{\"const\":1}")
#define CHOICE                                                                                     \
    OBJECT("\"index\",\"message\",\"finish_reason\"",                                              \
           "\"index\":" INT ",\"finish_reason\":" TEXT ",\"message\":" SPOKEN)
#define SPOKEN OBJECT("\"role\",\"content\"", "\"role\":" TEXT ",\"content\":" TEXT)
#define PASSAGE                                                                                    \
    OBJECT("\"text\",\"where\",\"score\"", "\"text\":" TEXT ",\"where\":" TEXT ",\"score\""        \
                                           ":" NUMBER)
#define DESK                                                                                       \
    OBJECT("\"kind\",\"intent\",\"confidence\",\"sources\",\"handed_over\"",                       \
           "\"kind\":" TEXT ",\"intent\":" TEXT_NULL ",\"confidence\":" NUMBER                     \
           ",\"handed_over\":" BOOL ",\"sources\":" LIST(PASSAGE))
#define CHATTED                                                                                    \
    OBJECT("\"id\",\"object\",\"created\",\"model\",\"choices\",\"usage\",\"heed\"",               \
           "\"id\":" TEXT ",\"object\":{\"const\":\"chat.completion\"},\"created\":" INT           \
           ",\"model\":" TEXT ",\"choices\":" LIST(CHOICE) ",\"usage\":" SOME ",\"heed\":" DESK)

#define SOME_TEXTS    "{\"type\":\"array\",\"items\":" SOME_TEXT ",\"minItems\":1,\"maxItems\":999}"
#define TEXT_OR_TEXTS "{\"anyOf\":[" SOME_TEXT "," SOME_TEXTS "]}"

#define LABEL_SCORE OBJECT("\"label\",\"score\"", "\"label\":" TEXT ",\"score\":" NUMBER)
#define CLASSIFIED                                                                                 \
    OBJECT("\"label\",\"confidence\",\"labels\",\"abstained\",\"tokens_seen\",\"tokens_total\"",   \
           "\"label\":" TEXT_NULL ",\"confidence\":" NUMBER                                        \
           ",\"labels\":" LIST(LABEL_SCORE) ",\"abstained\":" BOOL ",\"tokens_seen\":" INT         \
                                            ",\"tokens_total\":" INT)
#define STRETCH "\"begin\":" INT ",\"end\":" INT ",\"from\":" INT ",\"to\":" INT ",\"text\":" TEXT
#define WORD                                                                                       \
    OBJECT("\"begin\",\"end\",\"from\",\"to\",\"text\",\"weight\"", STRETCH ",\"weight\":" NUMBER)
#define ENTITY                                                                                     \
    OBJECT("\"begin\",\"end\",\"from\",\"to\",\"text\",\"type\",\"confidence\"",                   \
           STRETCH ",\"type\":" TEXT ",\"confidence\":" NUMBER)
#define EXPLAINED                                                                                  \
    OBJECT("\"label\",\"confidence\",\"words\",\"alike\",\"receipt\",\"tokens_seen\",\"tokens_"    \
           "total\"",                                                                              \
           "\"label\":" TEXT_NULL ",\"confidence\":" NUMBER                                        \
           ",\"labels\":" LIST(LABEL_SCORE) ",\"words\":" LIST(                                    \
               WORD) ",\"alike\":" BOOL ",\"receipt\":{\"type\":[\"object\","                      \
                     "\"null\"]},\"tokens_seen\":" INT ",\"tokens_total\":" INT)
#define FINDING                                                                                    \
    OBJECT("\"name\",\"label\",\"confidence\",\"abstained\"",                                      \
           "\"name\":" TEXT ",\"label\":" TEXT_NULL ",\"confidence\":" REAL_NULL                   \
           ",\"abstained\":" BOOL)
#define EVENT                                                                                      \
    OBJECT("\"seq\",\"time\",\"source\",\"findings\"",                                             \
           "\"seq\":" INT ",\"id\":" TEXT_NULL ",\"source\":" TEXT_NULL ",\"time\":" TEXT          \
           ",\"happened\":" TEXT_NULL ",\"user\":" TEXT_NULL ",\"session\":" TEXT_NULL             \
           ",\"title\":" TEXT_NULL ",\"text\":" TEXT_NULL ",\"url\":" TEXT_NULL                    \
           ",\"fields\":{\"type\":[\"object\",\"null\"]},\"findings\":" LIST(                      \
               FINDING) ",\"story\":{\"type\":[\"object\",\"null\"]},\"rank\":" REAL_NULL)
#define HITS                                                                                       \
    OBJECT("\"hits\"", "\"hits\":" LIST(OBJECT("\"score\",\"event\"",                              \
                                               "\"score\":" NUMBER ",\"event\":" EVENT)))
#define ALERT                                                                                      \
    OBJECT("\"id\",\"rule\",\"grade\",\"state\",\"key\",\"title\",\"time\",\"why\"",               \
           "\"id\":" INT ",\"rule\":" TEXT ",\"grade\":" TEXT ",\"state\":" TEXT ",\"key\":" SOME  \
           ",\"title\":" TEXT ",\"opened\":" TEXT_NULL ",\"time\":" TEXT ",\"why\":" SOME)
#define EVENT_IN                                                                                   \
    "{\"type\":\"object\",\"properties\":{\"id\":" SHORT_OR_NONE ",\"source\":" TEXT_NULL          \
    ",\"text\":" SOME_TEXT ",\"title\":" TEXT_NULL ",\"url\":" TEXT_NULL                           \
    ",\"user\":" SHORT_OR_NONE ",\"session\":" SHORT_OR_NONE                                       \
    ",\"time\":{\"type\":[\"string\",\"integer\",\"null\"],\"format\":\"date-time\",\"minimum\":"  \
    "-62135596800000,\"maximum\":253402300799999},\"fields\":{\"type\":["                          \
    "\"object\",\"null\"]}},\"required\":[\"text\"],\"additionalProperties\":false}"
#define EVENTS_IN "{\"type\":\"array\",\"items\":" EVENT_IN ",\"minItems\":1,\"maxItems\":10000}"
#define MODEL                                                                                      \
    OBJECT(                                                                                        \
        "\"id\",\"object\",\"created\",\"owned_by\",\"task\",\"labels\",\"parameters\",\"sha\"",   \
        "\"id\":" TEXT ",\"object\":{\"const\":\"model\"},\"created\":" INT ",\"owned_by\":" TEXT  \
        ",\"task\":" TEXT ",\"labels\":" LIST(TEXT) ",\"parameters\":" INT ",\"sha\":" TEXT        \
                                                    ",\"card\":" TEXT ",\"curve\":" LIST(SOME))
#define NAMED OBJECT("\"name\",\"kind\"", "\"name\":" TEXT ",\"kind\":" TEXT)
#define LABEL "{\"type\":\"string\",\"minLength\":1,\"maxLength\":200}"
#define MADE  OBJECT("\"seq\"", "\"seq\":" INT)

/* -- parameters, of paths too ----------------------------------------------------------------- */

#define MOST   "\"most\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":1000}"
#define BEFORE "\"before\":{\"type\":\"integer\",\"minimum\":0,\"maximum\":9007199254740991}"
#define MOMENT "{\"type\":\"string\",\"format\":\"date-time\"}"
#define FILTER                                                                                     \
    MOST "," BEFORE ",\"source\":" TEXT ",\"analysis\":" TEXT ",\"label\":" TEXT ",\"user\":" TEXT \
         ",\"session\":" TEXT ",\"from\":" MOMENT ",\"to\":" MOMENT                                \
         ",\"story\":{\"type\":\"integer\",\"minimum\":0,\"maximum\":9007199254740991}"

enum { EVENTS_BODY = 8 << 20, INLINE = HEED_ROUTE_INLINE, OPEN = HEED_ROUTE_OPEN };

const heed_route heed__routes[] = {
    /* how it goes */
    { "GET", "/health", heed__route_health, NULL, INLINE | OPEN, 0, "Whether it runs.", NULL, NULL,
      OBJECT("\"status\"", "\"status\":" TEXT), 0 },
    { "GET", "/ready", heed__route_readiness, NULL, INLINE | OPEN, 0,
      "Whether models are open and events flow; 503 while not.", NULL, NULL,
      OBJECT("\"ready\"", "\"ready\":" BOOL), 0 },
    { "GET", "/metrics", heed__route_metrics, NULL, 0, 0, "Figures in Prometheus' text form.", NULL,
      NULL, "text/plain", 0 },
    { "GET", "/v1/system", heed__route_system, NULL, 0, 0,
      "Rates, latency, memory, queue, and the state of store, sources, sinks and models.", NULL,
      NULL,
      OBJECT("\"version\",\"uptime_s\",\"rate\",\"queue\",\"store\",\"sources\",\"sinks\"",
             "\"version\":" TEXT ",\"flow\":" TEXT_NULL ",\"uptime_s\":" NUMBER ",\"rate\":" NUMBER
             ",\"queue\":" INT ",\"p50_ms\":" REAL_NULL ",\"p99_ms\":" REAL_NULL ",\"memory\":" INT
             ",\"threads\":" INT ",\"store\":" SOME
             ",\"sources\":" LIST(NAMED) ",\"sinks\":" LIST(NAMED)),
      0 },
    { "GET", "/v1/flow", heed__route_flow, NULL, 0, 0,
      "What the flow file names: analyses with their labels, rules, sources, sinks.", NULL, NULL,
      OBJECT("\"name\",\"analyses\",\"rules\",\"sources\",\"sinks\"",
             "\"name\":" TEXT_NULL ",\"analyses\":" LIST(NAMED) ",\"rules\":" LIST(
                 NAMED) ",\"sources\":" LIST(NAMED) ",\"sinks\":" LIST(NAMED)),
      0 },
    { "POST", "/v1/reload", heed__route_reload, "admin", 0, 0,
      "Reads the flow file and its models again; no request and no event is lost.", NULL, NULL,
      OBJECT("\"reloaded\",\"models\"", "\"reloaded\":" BOOL ",\"models\":" SOME), 0 },
    { "GET", "/v1/stream", heed__route_stream, NULL, HEED_ROUTE_STREAM, 0,
      "Events, alerts and figures as they come (Server-Sent Events).",
      "{\"topics\":{\"type\":\"string\",\"enum\":[\"event\",\"alert\",\"stats\",\"event,alert\","
      "\"event,alert,stats\"]}}",
      NULL, NULL, 0 },

    /* texts */
    { "POST", "/v1/classify", heed__route_classify, NULL, INLINE, 0,
      "What texts are about: the best labels, even where it abstains.", NULL,
      CLOSED("",
             "\"text\":" SOME_TEXT ",\"texts\":" SOME_TEXTS ",\"most\":" MANY_OR_NONE
             ",\"analysis\":" TEXT_NULL,
             EITHER("\"text\"", "\"texts\"")),
      "{\"anyOf\":[" CLASSIFIED "," OBJECT("\"results\"", "\"results\":" LIST(CLASSIFIED)) "]}",
      0 },
    { "POST", "/v1/tag", heed__route_tag, NULL, 0, 0,
      "Entities of a text: begin and end are bytes, from and to UTF-16 units.", NULL,
      CLOSED("\"text\"", "\"text\":" SOME_TEXT ",\"analysis\":" TEXT_NULL, ""),
      OBJECT("\"entities\"", "\"entities\":" LIST(ENTITY)), 0 },
    { "POST", "/v1/explain", heed__route_explain, NULL, 0, 0,
      "Which words an answer attended to, and what it becomes without them and without as many "
      "random ones. alike: all words weigh about the same.",
      NULL,
      "{\"oneOf\":[" CLOSED(
          "\"text\"", "\"text\":" SOME_TEXT ",\"seq\":{\"type\":\"null\"},\"analysis\":" TEXT_NULL,
          "") "," CLOSED("\"seq\"",
                         "\"seq\":" SEQ ",\"text\":{\"type\":\"null\"},"
                         "\"analysis\":" TEXT_NULL,
                         "") "]}",
      EXPLAINED, 0 },
    { "POST", "/v1/embeddings", heed__route_embeddings, NULL, INLINE, 0,
      "Texts as vectors of length 1, as OpenAI's.", NULL,
      OBJECT("\"input\"", "\"input\":" TEXT_OR_TEXTS ",\"model\":" TEXT_NULL
                          ",\"encoding_format\":{\"enum\":[\"float\",\"base64\",null]}"),
      OBJECT("\"object\",\"data\",\"model\",\"usage\"",
             "\"object\":{\"const\":\"list\"},\"data\":" LIST(
                 OBJECT("\"object\",\"index\",\"embedding\"",
                        "\"object\":{\"const\":\"embedding\"},\"index\":" INT
                        ",\"embedding\":{\"type\":[\"array\",\"string\"]}")) ",\"model\":" TEXT
                                                                             ",\"usage\":" SOME),
      0 },
    { "POST", "/v1/chat/completions", heed__route_chat, NULL, HEED_ROUTE_STREAM, 0,
      "The support desk, as OpenAI's chat: a reply with its sources, a stream where asked.", NULL,
      CHAT, CHATTED, 0 },
    { "GET", "/v1/models", heed__route_models, NULL, 0, 0,
      "Models that serve, each with its card and the curve of its training.", NULL, NULL,
      OBJECT("\"object\",\"data\"", "\"object\":{\"const\":\"list\"},\"data\":" LIST(MODEL)), 0 },
    { "GET", "/v1/models/{id}", heed__route_model, NULL, 0, 0, "One of them.",
      "{\"id\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":200}}", NULL, MODEL, 0 },
    { "POST", "/embed", heed__route_embed, NULL, INLINE, 0,
      "Texts as vectors, as Text Embeddings Inference's.", NULL,
      OBJECT("\"inputs\"", "\"inputs\":" TEXT_OR_TEXTS), LIST(LIST(NUMBER)), 0 },
    { "POST", "/predict", heed__route_predict, NULL, INLINE, 0,
      "Labels of texts, as Text Embeddings Inference's.", NULL,
      OBJECT("\"inputs\"", "\"inputs\":" TEXT_OR_TEXTS),
      "{\"anyOf\":[" LIST(LABEL_SCORE) "," LIST(LIST(LABEL_SCORE)) "]}", 0 },

    /* events */
    { "POST", "/v1/events", heed__route_push, "write", 0, EVENTS_BODY,
      "Takes events; answers when they are safe on disk. The same source and id are taken once.",
      NULL,
      "{\"anyOf\":[" EVENT_IN "," EVENTS_IN
      "," CLOSED("\"events\"", "\"events\":" EVENTS_IN, "") "]}",
      OBJECT("\"taken\",\"known\",\"seqs\"",
             "\"taken\":" INT ",\"known\":" INT ",\"seqs\":" LIST(INT)),
      202 },
    { "GET", "/v1/events", heed__route_events, NULL, 0, 0,
      "Events with what was found and decided, the newest or the most remarkable first.",
      "{" FILTER ",\"q\":" TEXT ",\"by\":{\"enum\":[\"rank\",\"time\"]},\"heads\":" BOOL "}", NULL,
      OBJECT("\"events\"", "\"events\":" LIST(EVENT) ",\"next\":{\"type\":[\"integer\",\"null\"]}"),
      0 },
    { "GET", "/v1/events/{seq}", heed__route_event, NULL, 0, 0, "One event, with its gates.",
      "{\"seq\":" SEQ "}", NULL, EVENT, 0 },
    { "GET", "/v1/events/{seq}/similar", heed__route_similar, NULL, 0, 0,
      "Events nearest to it by their vectors.", "{" MOST ",\"seq\":" SEQ "}", NULL, HITS, 0 },
    { "GET", "/v1/stories/{id}", heed__route_story, NULL, 0, 0,
      "Events that tell one story, in order.", "{\"id\":" SEQ "}", NULL,
      OBJECT("\"story\",\"events\"", "\"story\":" INT ",\"events\":" LIST(EVENT)), 0 },
    { "POST", "/v1/stories/{id}/split", heed__route_split, "write", 0, 0,
      "An event becomes a story of its own.", "{\"id\":" SEQ "}",
      CLOSED("\"seq\"", "\"seq\":" SEQ, ""), MADE, 0 },
    { "GET", "/v1/search", heed__route_search, NULL, 0, 0,
      "Events by words (BM25) and meaning (cosine), joined by reciprocal ranks.",
      "{\"q\":{\"type\":\"string\",\"minLength\":1,\"required\":true}," FILTER "}", NULL, HITS, 0 },

    /* what is decided, and what people say to it */
    { "GET", "/v1/alerts", heed__route_alerts, NULL, 0, 0, "Alerts, the newest first.",
      "{" MOST "," BEFORE ",\"state\":{\"enum\":[\"open\",\"acknowledged\",\"silenced\","
      "\"inhibited\",\"closed\"]}}",
      NULL, OBJECT("\"alerts\"", "\"alerts\":" LIST(ALERT)), 0 },
    { "GET", "/v1/alerts/{id}", heed__route_alert, NULL, 0, 0, "One alert.", "{\"id\":" SEQ "}",
      NULL, ALERT, 0 },
    { "POST", "/v1/alerts/{id}", heed__route_alert_do, "write", 0, 0,
      "Acknowledges, closes or silences an alert.", "{\"id\":" SEQ "}",
      CLOSED("\"do\"",
             "\"do\":{\"enum\":[\"ack\",\"close\",\"silence\"]},\"minutes\":{\"type\":["
             "\"integer\",\"null\"],\"minimum\":1,\"maximum\":525600},\"note\":{\"type\":["
             "\"string\",\"null\"],\"maxLength\":2000}",
             ""),
      ALERT, 0 },
    { "GET", "/v1/why", heed__route_why, NULL, 0, 0,
      "Why an alert came, or why an event led to none: every gate with its value and bound.",
      "{\"alert\":" SEQ ",\"seq\":" SEQ ",\"rule\":" TEXT "}", NULL, SOME, 0 },
    { "POST", "/v1/feedback", heed__route_feedback, "write", 0, 0, "A vote or a corrected label.",
      NULL,
      "{\"oneOf\":[" CLOSED(
          "\"seq\",\"vote\"", "\"seq\":" SEQ ",\"vote\":{\"enum\":[\"up\",\"down\",\"none\"]}",
          "") "," CLOSED("\"seq\",\"analysis\",\"label\"",
                         "\"seq\":" SEQ ",\"analysis\":" TEXT ",\"label\":" LABEL, "") "]}",
      MADE, 0 },
    { "POST", "/v1/undo", heed__route_undo, "write", 0, 0,
      "Feedback or an action is as if it had never been.", NULL,
      CLOSED("\"entry\"", "\"entry\":" SEQ, ""), MADE, 0 },
    { "GET", "/v1/monitor", heed__route_monitor, NULL, 0, 0,
      "Counts over time by the labels of up to three analyses, with the alerts of that time; "
      "beside "
      "them what is usual, where a surge rule counts these very events (note: why it is not known "
      "of one source). Steps of whole minutes begin with a minute; without to they end with the "
      "step under way.",
      "{\"by\":" TEXT ",\"from\":" MOMENT ",\"to\":" MOMENT
      ",\"step\":{\"type\":\"integer\",\"minimum\":1000,\"maximum\":2678400000},\"source\":" TEXT
      ",\"most\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":100}}",
      NULL,
      OBJECT("\"step_ms\",\"from\",\"to\",\"series\",\"alerts\"",
             "\"step_ms\":" INT ",\"from\":" ANY ",\"to\":" ANY
             ",\"series\":" LIST(SOME) ",\"alerts\":" LIST(ALERT) ",\"note\":" TEXT),
      0 },
    { "GET", "/v1/retrained", heed__route_retrained, "admin", 0, 0,
      "What another model would say of the last 500 events.",
      "{\"model\":{\"type\":\"string\",\"minLength\":1,\"required\":true},\"analysis\":" TEXT "}",
      NULL, OBJECT("\"n\",\"changed\"", "\"n\":" INT ",\"changed\":" LIST(SOME)), 0 },

    /* the page */
    { "GET", "/", heed__route_page, NULL, INLINE | OPEN | HEED_ROUTE_HIDDEN, 0, NULL, NULL, NULL,
      NULL, 0 },
    { "GET", "/favicon.ico", heed__route_page, NULL, INLINE | OPEN | HEED_ROUTE_HIDDEN, 0, NULL,
      NULL, NULL, NULL, 0 },
    { "GET", "/app/{rest...}", heed__route_page, NULL, INLINE | OPEN | HEED_ROUTE_HIDDEN, 0, NULL,
      NULL, NULL, NULL, 0 },
};
const int heed__routes_len = (int)(sizeof heed__routes / sizeof *heed__routes);
