/* report.c: a day and the day before counted, event by event. */
#include "serve/report.h"

#include <string.h>

#include "base/alloc.h"
#include "base/date.h"
#include "base/text.h"
#include "store/look.h"

enum { PAGE = 1000, PICKED = 256, QUOTE = 300, DAY_MS = 86400000 };

/* An event that may be quoted. */
typedef struct pick {
    double rank;
    int64_t seq, story;
} pick;

typedef struct gather {
    const heed_report_cfg *cfg;
    int64_t events[2], judged; /* [0]: of the day, [1]: of the day before */
    int64_t hour[24];
    json_t *sources;  /* name: [count, before] */
    json_t *analyses; /* name: {"said":[..], "unsaid":[..], "labels":{label: [..]}} */
    json_t *entities; /* "analysis\ttype\ttext": [..] */
    json_t *stories;  /* id: count of the day */
    json_t *crossed;  /* label: {label: count}, of the two analyses below */
    char *row, *column;
    pick picked[PICKED]; /* the highest ranks, falling */
    int64_t picks;
    bool failed;
} gather;

static int no_memory(heed_error *err) {
    return heed__error(err, HEED_ENOMEM, "out of memory for a report");
}

/* A moment in the report's zone: "2026-01-12T00:07:06.000+08:00", of UTC with "Z". Returns text. */
static const char *in_zone(const gather *g, int64_t ms, char text[HEED_DATE_SIZE]) {
    const int64_t zone = g->cfg->zone_ms, minutes = (zone < 0 ? -zone : zone) / 60000;
    heed__date_text(ms + zone, text);
    char *z = strrchr(text, 'Z');
    if (zone && z)
        heed__format(z, (size_t)(text + HEED_DATE_SIZE - z), "%c%02d:%02d", zone < 0 ? '-' : '+',
                     (int)(minutes / 60 % 24), (int)(minutes % 60));
    return text;
}

/* -- counting ---------------------------------------------------------------------------------- */

/* The pair of counts under a name, made where it is not there; NULL: out of memory. */
static json_t *pair_of(gather *g, json_t *map, const char *name) {
    json_t *pair = json_object_get(map, name);
    if (pair) return pair;
    pair = json_pack("[I, I]", (json_int_t)0, (json_int_t)0);
    if (!pair || json_object_set_new_nocheck(map, name, pair)) {
        g->failed = true;
        return NULL;
    }
    return pair;
}

static void add_one(gather *g, json_t *map, const char *name, int day) {
    json_t *n = json_array_get(pair_of(g, map, name), (size_t)day);
    if (n) json_integer_set(n, json_integer_value(n) + 1);
}

static const char *text_of(const json_t *object, const char *key) {
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

/* Each entity counts once an event, however often it is named there. */
static void count_entities(gather *g, const char *analysis, const json_t *finding, int day) {
    const json_t *list = json_object_get(json_object_get(finding, "detail"), "entities");
    json_t *seen = json_object(), *entity;
    size_t i;
    if (!seen) g->failed = true;
    json_array_foreach(list, i, entity) {
        char key[512];
        heed__format(key, sizeof key, "%s\t%s\t%s", analysis, text_of(entity, "type"),
                     text_of(entity, "text"));
        if (!seen || json_object_get(seen, key)) continue;
        if (json_object_set_new_nocheck(seen, key, json_true())) g->failed = true;
        add_one(g, g->entities, key, day);
    }
    json_decref(seen);
}

static void count_finding(gather *g, const json_t *finding, int day) {
    const char *name = text_of(finding, "name");
    const char *label = json_string_value(json_object_get(finding, "label"));
    json_t *one = json_object_get(g->analyses, name);
    if (!one) {
        one = json_pack("{s:{}, s:{}}", "said", "labels");
        if (!one || json_object_set_new_nocheck(g->analyses, name, one)) {
            g->failed = true;
            return;
        }
    }
    const bool said = label && !json_is_true(json_object_get(finding, "abstained"));
    add_one(g, json_object_get(one, "said"), said ? "said" : "unsaid", day);
    if (said) add_one(g, json_object_get(one, "labels"), label, day);
    count_entities(g, name, finding, day);
}

static const char *label_of(const json_t *event, const char *analysis) {
    size_t i;
    json_t *f;
    json_array_foreach(json_object_get(event, "findings"), i, f) {
        if (strcmp(text_of(f, "name"), analysis) != 0) continue;
        return json_is_true(json_object_get(f, "abstained"))
                   ? NULL
                   : json_string_value(json_object_get(f, "label"));
    }
    return NULL;
}

static void count_crossed(gather *g, const json_t *event) {
    const char *row = g->row ? label_of(event, g->row) : NULL;
    const char *column = g->column ? label_of(event, g->column) : NULL;
    if (!row || !column) return;
    json_t *cells = json_object_get(g->crossed, row);
    if (!cells) {
        cells = json_object();
        if (!cells || json_object_set_new_nocheck(g->crossed, row, cells)) {
            g->failed = true;
            return;
        }
    }
    add_one(g, cells, column, 0);
}

/* Keeps the event among those of the highest rank; of equal ones the earlier. */
static void pick_event(gather *g, const json_t *event, int64_t story) {
    const double rank = json_number_value(json_object_get(event, "rank"));
    const int64_t seq = json_integer_value(json_object_get(event, "seq"));
    int64_t at = g->picks;
    while (at > 0 && (g->picked[at - 1].rank < rank ||
                      (!(g->picked[at - 1].rank > rank) && g->picked[at - 1].seq > seq)))
        at--;
    if (at == PICKED) return;
    if (g->picks < PICKED) g->picks++;
    memmove(&g->picked[at + 1], &g->picked[at], (size_t)(g->picks - 1 - at) * sizeof *g->picked);
    g->picked[at] = (pick){ rank, seq, story };
}

static void count_event(gather *g, const json_t *event, int day) {
    size_t i;
    json_t *finding;
    g->events[day]++;
    const char *source = text_of(event, "source");
    add_one(g, g->sources, source[0] ? source : "-", day);
    json_array_foreach(json_object_get(event, "findings"), i, finding)
        count_finding(g, finding, day);
    if (day > 0) return;
    const char *time = text_of(event, "time");
    int64_t ms = 0;
    if (heed__date_read(time, strlen(time), &ms)) {
        const int64_t of_day = (ms + g->cfg->zone_ms) % DAY_MS;
        g->hour[(of_day < 0 ? of_day + DAY_MS : of_day) / 3600000]++;
    }
    g->judged += json_is_string(json_object_get(event, "vote")) ||
                 json_object_size(json_object_get(event, "corrected")) > 0;
    const json_t *story = json_object_get(event, "story");
    const int64_t id = json_integer_value(json_object_get(story, "id"));
    char key[HEED_NUMBER_SIZE];
    heed__format(key, sizeof key, "%lld", (long long)id);
    if (id) add_one(g, g->stories, key, 0);
    count_crossed(g, event);
    pick_event(g, event, id);
}

/* The analyses whose labels are set against each other: of those whose findings list several labels
 * the first two by name. Looked for in the newest events. */
static void choose_crossed(gather *g, const json_t *events) {
    size_t e, i;
    json_t *event, *f;
    json_array_foreach(events, e, event)
        json_array_foreach(json_object_get(event, "findings"), i, f) {
        if (!json_is_array(json_object_get(json_object_get(f, "detail"), "labels"))) continue;
        const char *name = text_of(f, "name");
        char **chosen = !g->row                                   ? &g->row
                        : !g->column && strcmp(g->row, name) != 0 ? &g->column
                                                                  : NULL;
        if (chosen && !(*chosen = heed__strdup(NULL, name))) g->failed = true;
        if (g->failed) return;
    }
}

static int count_day(gather *g, int day, heed_error *err) {
    int64_t before = 0;
    for (;;) {
        const heed_look look = { .from_ms = g->cfg->from_ms - day * DAY_MS,
                                 .to_ms = day ? g->cfg->from_ms : g->cfg->to_ms,
                                 .before = before,
                                 .most = PAGE };
        json_t *page = heed_look_events(g->cfg->store, &look, err);
        if (!page) return err && err->code ? err->code : HEED_EIO;
        const json_t *events = json_object_get(page, "events");
        json_t *event;
        size_t i;
        if (day == 0 && before == 0) choose_crossed(g, events);
        json_array_foreach(events, i, event) count_event(g, event, day);
        before = json_integer_value(json_object_get(page, "next"));
        json_decref(page);
        if (g->failed) return no_memory(err);
        if (!before) return HEED_OK;
    }
}

/* Appends; what cannot be made or held shows in g->failed. */
static void put(gather *g, json_t *list, json_t *item) {
    if (json_array_append_new(list, item)) g->failed = true;
}

/* -- lists out of counts ----------------------------------------------------------------------- */

static int64_t count_at(const json_t *pair, size_t at) {
    return json_integer_value(json_array_get(pair, at));
}

/* More than three standard deviations of the difference of two Poisson counts; nothing is said of a
 * day that has none before it. */
static bool has_changed(const gather *g, int64_t n, int64_t before) {
    return g->events[1] > 0 && (n - before) * (n - before) > 9 * (n + before);
}

/* The names of a map by falling count (then falling count of before, then name), at most `most`;
 * how many. Names live as long as the map. */
static int64_t most_counted(const json_t *map, const char **name, int64_t most) {
    int64_t n = 0;
    const char *key;
    json_t *pair;
    json_object_foreach((json_t *)(uintptr_t)map, key, pair) {
        int64_t at = n < most ? n++ : n;
        for (; at > 0; at--) {
            const json_t *other = json_object_get(map, name[at - 1]);
            const int64_t more = count_at(pair, 0) - count_at(other, 0);
            const int64_t older = count_at(pair, 1) - count_at(other, 1);
            if (more < 0 ||
                (more == 0 && (older < 0 || (older == 0 && strcmp(key, name[at - 1]) > 0))))
                break;
            if (at < n) name[at] = name[at - 1];
        }
        if (at < n) name[at] = key;
    }
    return n;
}

enum { LISTED = 100 };

static int64_t listed(const gather *g) {
    return g->cfg->most < 1 ? 1 : g->cfg->most > LISTED ? LISTED : g->cfg->most;
}

static json_t *list_of(gather *g, const json_t *map, const char *what, int64_t most) {
    const char *name[LISTED];
    const int64_t n = most_counted(map, name, most);
    json_t *list = json_array();
    for (int64_t i = 0; i < n; i++) {
        const json_t *pair = json_object_get(map, name[i]);
        const int64_t count = count_at(pair, 0), before = count_at(pair, 1);
        put(g, list,
            json_pack("{s:s, s:I, s:I, s:b}", what, name[i], "count", (json_int_t)count, "before",
                      (json_int_t)before, "changed", (int)has_changed(g, count, before)));
    }
    return list;
}

static json_t *analyses_list(gather *g) {
    json_t *list = json_array(), *one;
    const char *name;
    json_object_foreach(g->analyses, name, one) {
        const json_t *said = json_object_get(one, "said");
        put(g, list,
            json_pack("{s:s, s:I, s:I, s:o}", "analysis", name, "said",
                      (json_int_t)count_at(json_object_get(said, "said"), 0), "unsaid",
                      (json_int_t)count_at(json_object_get(said, "unsaid"), 0), "labels",
                      list_of(g, json_object_get(one, "labels"), "label", listed(g))));
    }
    return list;
}

static json_t *entities_list(gather *g) {
    const char *key[LISTED];
    const int64_t n = most_counted(g->entities, key, listed(g));
    json_t *list = json_array();
    for (int64_t i = 0; i < n; i++) {
        const json_t *pair = json_object_get(g->entities, key[i]);
        const int64_t count = count_at(pair, 0), before = count_at(pair, 1);
        const char *type = strchr(key[i], '\t') + 1, *text = strchr(type, '\t') + 1;
        put(g, list,
            json_pack("{s:s%, s:s%, s:s, s:I, s:I, s:b}", "analysis", key[i],
                      (size_t)(type - 1 - key[i]), "type", type, (size_t)(text - 1 - type), "text",
                      text, "count", (json_int_t)count, "before", (json_int_t)before, "changed",
                      (int)has_changed(g, count, before)));
    }
    return list;
}

static json_t *crossed_table(gather *g) {
    const json_t *rows = json_object_get(json_object_get(g->analyses, g->row ? g->row : ""),
                                         "labels");
    const json_t *columns = json_object_get(
        json_object_get(g->analyses, g->column ? g->column : ""), "labels");
    if (!rows || !columns) return json_null();
    const char *row[LISTED], *column[LISTED];
    const int64_t R = most_counted(rows, row, listed(g)), C = most_counted(columns, column, 8);
    int64_t sum = 0;
    json_t *table = json_pack("{s:s, s:s, s:[], s:[], s:[]}", "rows", g->row, "columns", g->column,
                              "row", "column", "count");
    for (int64_t c = 0; c < C; c++)
        put(g, json_object_get(table, "column"), json_string(column[c]));
    for (int64_t r = 0; r < R; r++) {
        json_t *line = json_array();
        for (int64_t c = 0; c < C; c++) {
            const json_t *cells = json_object_get(g->crossed, row[r]);
            const int64_t n = count_at(json_object_get(cells, column[c]), 0);
            put(g, line, json_integer(n));
            sum += n;
        }
        put(g, json_object_get(table, "row"), json_string(row[r]));
        put(g, json_object_get(table, "count"), line);
    }
    if (sum > 0) return table;
    json_decref(table); /* no event has one of the listed labels of both */
    return json_null();
}

/* -- alerts, stories, quotes ------------------------------------------------------------------- */

static int64_t moment(const json_t *object, const char *key) {
    const char *text = text_of(object, key);
    int64_t ms = 0;
    return heed__date_read(text, strlen(text), &ms) ? ms : 0;
}

/* One that a member tells, in the report's zone; "" where it tells none. Returns text. */
static const char *told_at(const gather *g, const json_t *object, const char *key,
                           char text[HEED_DATE_SIZE]) {
    text[0] = 0;
    return text_of(object, key)[0] ? in_zone(g, moment(object, key), text) : text;
}

static json_t *alert_of(gather *g, const json_t *alert) {
    const json_t *why = json_object_get(alert, "why");
    json_t *says = json_array(), *gate;
    char opened[HEED_DATE_SIZE];
    size_t i;
    json_array_foreach(json_object_get(why, "gates"), i, gate) {
        const char *text = text_of(gate, "says");
        if (text[0]) put(g, says, json_string(text));
    }
    return json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:I, s:o}", "id",
                     json_integer_value(json_object_get(alert, "id")), "rule",
                     text_of(alert, "rule"), "grade", text_of(alert, "grade"), "state",
                     text_of(alert, "state"), "title", text_of(alert, "title"), "opened",
                     told_at(g, alert, "opened", opened), "events",
                     json_integer_value(json_object_get(why, "events")), "says", says);
}

/* Those that opened on the day, in order. */
static int add_alerts(gather *g, json_t *report, heed_error *err) {
    json_t *list = json_array();
    for (int64_t before = 0, more = 1; more;) {
        json_t *page = heed_look_alerts(g->cfg->store, NULL, before, PAGE, err), *alert;
        size_t i;
        if (!page) {
            json_decref(list);
            return err && err->code ? err->code : HEED_EIO;
        }
        const json_t *alerts = json_object_get(page, "alerts");
        more = json_array_size(alerts) == PAGE;
        json_array_foreach(alerts, i, alert) {
            const int64_t opened = moment(alert, "opened");
            before = json_integer_value(json_object_get(alert, "id"));
            if (opened < g->cfg->from_ms)
                more = 0;
            else if (opened < g->cfg->to_ms && json_array_insert_new(list, 0, alert_of(g, alert)))
                g->failed = true;
        }
        json_decref(page);
    }
    return json_object_set_new(report, "alerts", list) ? no_memory(err) : HEED_OK;
}

static const char *head_of(const json_t *event) {
    const char *title = text_of(event, "title");
    return title[0] ? title : text_of(event, "text");
}

/* The one of a story's list that tells of this source; NULL: none yet. */
static json_t *teller(const json_t *list, const char *source) {
    size_t i;
    json_t *one;
    json_array_foreach(list, i, one) if (strcmp(text_of(one, "source"), source) == 0) return one;
    return NULL;
}

/* Who told it first; who repeated it, each source with its first time and how often; until the
 * day's end. NULL: it cannot be read. */
static json_t *story_of(gather *g, int64_t id, heed_error *err) {
    json_t *tree = heed_look_story(g->cfg->store, id, err), *event, *again = json_array();
    if (!tree) return json_decref(again), NULL;
    const json_t *events = json_object_get(tree, "events"), *first = json_array_get(events, 0);
    size_t i;
    int64_t told = 0;
    json_array_foreach(events, i, event) {
        const int64_t at = moment(event, "time");
        const char *source = text_of(event, "source");
        char time[HEED_DATE_SIZE];
        if (at >= g->cfg->to_ms) continue;
        told++;
        json_t *before = i == 0 ? NULL : teller(again, source);
        json_t *times = json_object_get(before, "times");
        if (times) json_integer_set(times, json_integer_value(times) + 1);
        if (i == 0 || before) continue;
        put(g, again,
            json_pack("{s:s, s:I, s:O, s:s, s:I}", "source", source, "times", (json_int_t)1, "seq",
                      json_object_get(event, "seq"), "time", told_at(g, event, "time", time),
                      "after_ms", (json_int_t)(at - moment(first, "time"))));
    }
    const bool own = teller(again, text_of(first, "source")) != NULL;
    const json_int_t sources = (json_int_t)json_array_size(again) + !own;
    const char *title = head_of(first);
    size_t len = strlen(title) > QUOTE ? QUOTE : strlen(title);
    while (len > 0 && (title[len] & 0xC0) == 0x80) len--;
    char time[HEED_DATE_SIZE];
    json_t *story = json_pack("{s:I, s:I, s:I, s:s%, s:{s:O, s:s, s:s}, s:o}", "story",
                              (json_int_t)id, "told", (json_int_t)told, "sources", sources, "title",
                              title, len, "first", "seq", json_object_get(first, "seq"), "source",
                              text_of(first, "source"), "time", told_at(g, first, "time", time),
                              "again", again);
    json_decref(tree);
    if (!story) no_memory(err);
    return story;
}

static int add_stories(gather *g, json_t *report, heed_error *err) {
    const char *id[LISTED];
    const int64_t n = most_counted(g->stories, id, listed(g));
    json_t *list = json_array();
    for (int64_t i = 0; i < n && count_at(json_object_get(g->stories, id[i]), 0) > 1; i++) {
        int64_t number = 0;
        heed__parse_int(id[i], strlen(id[i]), &number);
        json_t *story = story_of(g, number, err);
        if (!story || json_array_append_new(list, story)) {
            json_decref(list);
            return err && err->code ? err->code : HEED_ENOMEM;
        }
    }
    return json_object_set_new(report, "stories", list) ? no_memory(err) : HEED_OK;
}

/* Where a quote ends: at the end of the text, else of its last sentence, else of its last word that
 * fits. */
static size_t quote_end(const char *text) {
    const size_t size = strlen(text);
    if (size <= QUOTE) return size;
    static const char *const ends[] = { ". ", "! ", "? ", "。", "！", "？", "\n" };
    size_t sentence = 0, word = 0, character = 0;
    for (size_t at = 0; at < QUOTE;) {
        uint32_t c = 0;
        const size_t len = heed__utf8_next(text + at, size - at, &c);
        const size_t next = at + (len ? len : 1);
        if (next > QUOTE) break;
        for (size_t e = 0; e < sizeof ends / sizeof *ends; e++)
            if (strncmp(text + at, ends[e], strlen(ends[e])) == 0) sentence = next;
        if (text[at] == ' ') word = at;
        at = character = next;
    }
    return sentence > QUOTE / 3 ? sentence : word > QUOTE / 3 ? word : character;
}

static json_t *quote_of(gather *g, const pick *p, heed_error *err) {
    json_t *event = heed_look_event(g->cfg->store, p->seq, err), *f, *labels = json_array();
    if (!event) return json_decref(labels), NULL;
    const char *field = text_of(event, "text")[0] ? "text" : "title";
    const char *text = text_of(event, field);
    size_t i;
    json_array_foreach(json_object_get(event, "findings"), i, f) {
        char label[256];
        if (!json_is_string(json_object_get(f, "label")) ||
            json_is_true(json_object_get(f, "abstained")))
            continue;
        heed__format(label, sizeof label, "%s: %s", text_of(f, "name"), text_of(f, "label"));
        put(g, labels, json_string(label));
    }
    const size_t end = quote_end(text);
    char time[HEED_DATE_SIZE];
    json_t *quote = json_pack("{s:I, s:s, s:s, s:s, s:I, s:I, s:s%, s:o, s:f}", "seq",
                              (json_int_t)p->seq, "source", text_of(event, "source"), "time",
                              told_at(g, event, "time", time), "field", field, "begin",
                              (json_int_t)0, "end", (json_int_t)end, "text", text, end, "labels",
                              labels, "rank", p->rank);
    json_decref(event);
    if (!quote) no_memory(err);
    return quote;
}

/* The events of the highest rank, one of each story. */
static int add_quotes(gather *g, json_t *report, heed_error *err) {
    json_t *list = json_array();
    for (int64_t i = 0; i < g->picks && (int64_t)json_array_size(list) < listed(g); i++) {
        bool told = false;
        for (int64_t j = 0; j < i; j++)
            told |= g->picked[j].story && g->picked[j].story == g->picked[i].story;
        if (told) continue;
        json_t *quote = quote_of(g, &g->picked[i], err);
        if (!quote || json_array_append_new(list, quote)) {
            json_decref(list);
            return err && err->code ? err->code : HEED_ENOMEM;
        }
    }
    return json_object_set_new(report, "quotes", list) ? no_memory(err) : HEED_OK;
}

/* -- all of it --------------------------------------------------------------------------------- */

static json_t *counted(gather *g) {
    char from[HEED_DATE_SIZE], to[HEED_DATE_SIZE], day[HEED_DATE_SIZE];
    heed__date_text(g->cfg->from_ms + g->cfg->zone_ms, day);
    json_t *hours = json_array();
    for (int h = 0; h < 24; h++) put(g, hours, json_integer(g->hour[h]));
    return json_pack("{s:s, s:s%, s:s, s:s, s:s, s:{s:I, s:I}, s:I, s:o, s:o, s:o, s:o, s:o}",
                     "name", g->cfg->name ? g->cfg->name : "", "day", day, (size_t)10, "zone",
                     g->cfg->zone, "from", in_zone(g, g->cfg->from_ms, from), "to",
                     in_zone(g, g->cfg->to_ms, to), "events", "count", (json_int_t)g->events[0],
                     "before", (json_int_t)g->events[1], "judged", (json_int_t)g->judged, "hours",
                     hours, "sources", list_of(g, g->sources, "source", listed(g)), "analyses",
                     analyses_list(g), "crossed", crossed_table(g), "entities", entities_list(g));
}

json_t *heed__report(const heed_report_cfg *cfg, heed_error *err) {
    gather *g = heed__calloc(NULL, 1, sizeof *g);
    if (!g) return no_memory(err), NULL;
    g->cfg = cfg;
    json_t **const maps[] = { &g->sources, &g->analyses, &g->entities, &g->stories, &g->crossed };
    for (size_t i = 0; i < sizeof maps / sizeof *maps; i++)
        if (!(*maps[i] = json_object())) g->failed = true;
    int status = g->failed ? no_memory(err) : count_day(g, 0, err);
    if (!status) status = count_day(g, 1, err);
    json_t *report = status ? NULL : counted(g);
    if (!status && (!report || g->failed)) status = no_memory(err);
    if (!status) status = add_alerts(g, report, err);
    if (!status) status = add_stories(g, report, err);
    if (!status) status = add_quotes(g, report, err);
    if (!status && g->failed) status = no_memory(err);
    for (size_t i = 0; i < sizeof maps / sizeof *maps; i++) json_decref(*maps[i]);
    heed__free(NULL, g->row);
    heed__free(NULL, g->column);
    heed__free(NULL, g);
    if (!status) return report;
    json_decref(report);
    return NULL;
}
