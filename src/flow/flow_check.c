/* flow_check.c: what has to fit together in a flow: names that are used must be defined, and a few
 * values depend on others. */
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "flow/flow_decode.h"

enum { MINUTE = 60000 };

/* -- names ------------------------------------------------------------------------------------ */

static const char *one_of_group(const char *group) {
    return strcmp(group, "sources") == 0    ? "source"
           : strcmp(group, "analyses") == 0 ? "analysis"
           : strcmp(group, "rules") == 0    ? "rule"
                                            : "sink";
}

/* A name that is used must stand among the keys of its group. */
static void check_name(flow_reader *r, const heed_yaml *root, const char *group, const char *name,
                       int line, int column) {
    if (strcmp(group, "keys") == 0) { /* the event's own, or an analysis */
        if (strcmp(name, "source") == 0 || strcmp(name, "user") == 0) return;
        group = "analyses";
    }
    const heed_yaml *names = heed__yaml_get(root, group);
    if (names && heed__yaml_get(names, name)) return;
    char words[4096], meant[96];
    size_t len = 0;
    words[0] = 0;
    const heed_yaml *n = names && names->kind == HEED_YAML_MAP ? names->first : NULL;
    for (; n; n = n->next)
        len += heed__format(words + len, sizeof words - len, "%s%s", len ? " " : "", n->key);
    flow__note(r, line, column, "no %s has the name '%.60s'%s", one_of_group(group), name,
               flow__meant(name, words, meant, sizeof meant));
}

static void check_names(flow_reader *r, const heed_yaml *root, const char *group,
                        const heed_yaml *node) {
    const heed_yaml *item = node->kind == HEED_YAML_LIST ? node->first : node;
    for (; item; item = node->kind == HEED_YAML_LIST ? item->next : NULL)
        if (item->kind == HEED_YAML_SCALAR && !heed__yaml_is_null(item))
            check_name(r, root, group, item->text, item->line, item->column);
}

static void check_when(flow_reader *r, const heed_yaml *root, const heed_yaml *when) {
    for (const heed_yaml *c = when->kind == HEED_YAML_MAP ? when->first : NULL; c; c = c->next) {
        if (strcmp(c->key, "source") == 0) {
            const heed_yaml *is = c->kind == HEED_YAML_MAP ? heed__yaml_get(c, "is") : c;
            if (is) check_names(r, root, "sources", is);
        } else if (strcmp(c->key, "user") != 0) {
            check_name(r, root, "analyses", c->key, c->key_line, c->key_column);
        }
    }
}

static void check_struct(flow_reader *r, const flow_struct *s, const heed_yaml *map,
                         const heed_yaml *root) {
    if (map->kind != HEED_YAML_MAP) return;
    for (const flow_field *f = s->field; f->key; f++) {
        const heed_yaml *node = heed__yaml_get(map, f->key);
        if (!node) continue;
        if (f->refers) check_names(r, root, f->refers, node);
        if (f->type == FLOW_WHEN) check_when(r, root, node);
        if (f->type == FLOW_ONE || f->type == FLOW_PART) check_struct(r, f->of, node, root);
        if (f->type != FLOW_NAMED || node->kind != HEED_YAML_MAP) continue;
        for (const heed_yaml *n = node->first; n; n = n->next) check_struct(r, f->of, n, root);
    }
}

/* -- values ----------------------------------------------------------------------------------- */

/* Where a key of an item of a group stands, or the item where it does not. */
static const heed_yaml *node_of(const heed_yaml *root, const char *group, const char *name,
                                const char *key) {
    const heed_yaml *names = heed__yaml_get(root, group);
    const heed_yaml *item = names && name ? heed__yaml_get(names, name) : NULL;
    const heed_yaml *node = item ? heed__yaml_get(item, key) : NULL;
    return node ? node : item ? item : root;
}

static void check_url(flow_reader *r, const heed_yaml *at, const char *url) {
    const size_t scheme = strncmp(url, "http://", 7) == 0    ? 7
                          : strncmp(url, "https://", 8) == 0 ? 8
                                                             : 0;
    const size_t len = strlen(url);
    if (!scheme || url[scheme] == 0 || url[scheme] == '/')
        flow__note(r, at->line, at->column,
                   "'url' wants http:// or https:// and a host, not '%.60s'", url);
    else if (strcspn(url, " \"<>\\^`{|}") < len || heed__control_at(url, len) < len)
        flow__note(r, at->line, at->column, "'url' holds a character that no address has: '%.60s'",
                   url);
}

/* What is read from the start on must be there; a tail may appear later. */
static void check_path(flow_reader *r, const heed_yaml *at, const heed_source_cfg *s) {
    struct stat st;
    const bool file = strcmp(s->kind, "csv") == 0;
    if (r->no_look || !s->path || strcmp(s->kind, "tail") == 0) return;
    if (stat(s->path, &st) != 0)
        flow__note(r, at->line, at->column, "'path': there is no %s %s", file ? "file" : "folder",
                   s->path);
    else if (S_ISDIR(st.st_mode) == file)
        flow__note(r, at->line, at->column, "'path': %s is %s", s->path,
                   file ? "a folder, not a file" : "not a folder");
}

static void check_sources(flow_reader *r, const heed_yaml *root, heed_flow *flow) {
    const char *first_stdin = NULL;
    for (int64_t i = 0; i < flow->sources; i++) {
        heed_source_cfg *s = (heed_source_cfg *)(uintptr_t)&flow->source[i];
        if (!s->kind) continue;
        const bool csv = strcmp(s->kind, "csv") == 0, feed = strcmp(s->kind, "feed") == 0;
        const heed_yaml *at = node_of(root, "sources", s->name, "format");
        if (s->format && flow__has_word("csv tsv jsonl", s->format) != csv)
            flow__note(r, at->line, at->column, "'format' of kind %s is one of: %s", s->kind,
                       csv ? "csv tsv jsonl" : "text json");
        if (s->url) check_url(r, node_of(root, "sources", s->name, "url"), s->url);
        check_path(r, node_of(root, "sources", s->name, "path"), s);
        if (!s->every_ms) s->every_ms = feed ? 10 * MINUTE : 1000;
        at = node_of(root, "sources", s->name, "every");
        if (feed && s->every_ms < 5000)
            flow__note(r, at->line, at->column, "'every' of a feed is at least 5s");
        at = node_of(root, "sources", s->name, "speed");
        if (s->speed > 0 && !s->time)
            flow__note(r, at->line, at->column, "'speed' needs 'time', the column of times");
        if (s->speed > 0 && s->rate > 0)
            flow__note(r, at->line, at->column, "'speed' and 'rate' do not go together");
        if (strcmp(s->kind, "stdin") != 0) continue;
        at = node_of(root, "sources", s->name, "kind");
        if (first_stdin)
            flow__note(r, at->line, at->column, "source '%s' reads standard input already",
                       first_stdin);
        first_stdin = s->name;
    }
}

/* What an analysis goes by (grade NULL), or a grade of it, stands before it. */
static void check_before(flow_reader *r, const heed_yaml *item, const heed_flow *flow, int64_t i,
                         const heed_grade *grade) {
    const heed_analysis_cfg *a = &flow->analysis[i];
    const heed_condition *when = grade ? grade->when : a->when;
    for (int64_t w = 0; w < (grade ? grade->whens : a->whens); w++)
        for (int64_t j = i; j < flow->analyses; j++) {
            if (strcmp(flow->analysis[j].name, when[w].analysis) != 0) continue;
            char of[96] = "";
            if (grade) heed__format(of, sizeof of, "grade '%.60s' of ", grade->name);
            flow__note(r, item->key_line, item->key_column,
                       "%s'%s' asks for '%s', which is not an analysis before it", of, a->name,
                       when[w].analysis);
        }
}

static void check_analyses(flow_reader *r, const heed_yaml *root, const heed_flow *flow) {
    for (int64_t i = 0; i < flow->analyses; i++) {
        const heed_analysis_cfg *a = &flow->analysis[i];
        const heed_yaml *item = node_of(root, "analyses", a->name, "");
        if (a->name && flow__has_word("source user", a->name))
            flow__note(r, item->key_line, item->key_column,
                       "an analysis cannot be named '%s', by which rules mean an event's %s",
                       a->name, a->name);
        check_before(r, item, flow, i, NULL);
        for (int64_t g = 0; g < a->grades; g++) {
            const heed_grade *grade = &a->grade[g];
            if (grade->whens + grade->word_len == 0)
                flow__note(r, item->key_line, item->key_column,
                           "grade '%s' of '%s' has neither 'when' nor 'words'", grade->name,
                           a->name);
            check_before(r, item, flow, i, grade);
        }
    }
}

/* A key of counts would have the same name twice. */
static void check_by(flow_reader *r, const heed_yaml *root, const heed_rule_cfg *rule) {
    for (int64_t i = 1; i < rule->by_len; i++)
        for (int64_t j = 0; j < i; j++) {
            if (strcmp(rule->by[i], rule->by[j]) != 0) continue;
            const heed_yaml *at = node_of(root, "rules", rule->name, "by");
            flow__note(r, at->line, at->column, "'by' has '%.60s' twice", rule->by[i]);
            return;
        }
}

static void check_rules(flow_reader *r, const heed_yaml *root, heed_flow *flow) {
    for (int64_t i = 0; i < flow->rules; i++) {
        heed_rule_cfg *rule = (heed_rule_cfg *)(uintptr_t)&flow->rule[i];
        const heed_yaml *item = node_of(root, "rules", rule->name, "");
        if (!rule->close_ms) rule->close_ms = rule->hold_ms;
        check_by(r, root, rule);
        if (!rule->kind) continue;
        if (!rule->least && strcmp(rule->kind, "count") == 0)
            flow__note(r, item->key_line, item->key_column, "a rule of kind count needs 'least'");
        if (!rule->least) rule->least = strcmp(rule->kind, "surge") == 0 ? 5 : 1;
        if (rule->escalate_to_len > 0 && !rule->escalate_ms)
            flow__note(r, item->key_line, item->key_column,
                       "'escalate_to' needs 'escalate', the time after which it hears");
    }
}

static void check_sinks(flow_reader *r, const heed_yaml *root, const heed_flow *flow) {
    for (int64_t i = 0; i < flow->sinks; i++) {
        const heed_sink_cfg *s = &flow->sink[i];
        if (s->url) check_url(r, node_of(root, "sinks", s->name, "url"), s->url);
        const heed_yaml *at = node_of(root, "sinks", s->name, "address");
        if (s->address && (!strchr(s->address, '@') || s->address[0] == '-' ||
                           strcspn(s->address, " ,;<>\"()\\") < strlen(s->address) ||
                           heed__control_at(s->address, strlen(s->address)) < strlen(s->address)))
            flow__note(r, at->line, at->column, "'address' is no mail address: '%.60s'",
                       s->address);
    }
}

/* UTC, Z, +08:00, -03:30 */
static bool is_zone(const char *z) {
    if (strcmp(z, "UTC") == 0) return true;
    if (strlen(z) != 6 || (z[0] != '+' && z[0] != '-') || z[3] != ':') return false;
    int64_t hours, minutes;
    return heed__parse_int(z + 1, 2, &hours) && heed__parse_int(z + 4, 2, &minutes) && hours >= 0 &&
           hours <= 14 && minutes >= 0 && minutes < 60;
}

/* "127.0.0.1:8080", "[::1]:8080" */
static bool is_address(const char *text) {
    const char *colon = strrchr(text, ':');
    int64_t port;
    if (!colon || colon == text || !heed__parse_int(colon + 1, strlen(colon + 1), &port) ||
        port < 0 || port > 65535)
        return false;
    const bool bracket = text[0] == '[' && colon[-1] == ']';
    return bracket || memchr(text, ':', (size_t)(colon - text)) == NULL;
}

static void check_top(flow_reader *r, const heed_yaml *root, const heed_flow *flow) {
    const heed_yaml *at = heed__yaml_get(root, "zone");
    if (at && flow->zone && !is_zone(flow->zone))
        flow__note(r, at->line, at->column,
                   "'zone' wants UTC or an offset such as +08:00, not '%.60s'", flow->zone);
    at = heed__yaml_get(root, "listen");
    if (at && flow->listen && !is_address(flow->listen))
        flow__note(r, at->line, at->column,
                   "'listen' wants an address and a port, such as 127.0.0.1:8080, not '%.60s'",
                   flow->listen);
    if (!flow->certificate != !flow->private_key) {
        at = heed__yaml_get(root, flow->certificate ? "certificate" : "private_key");
        flow__note(r, at ? at->line : 1, at ? at->column : 1,
                   "'certificate' and 'private_key' go together");
    }
    at = heed__yaml_get(root, "redact");
    for (int64_t i = 0; at && i < flow->redact_len; i++) {
        bool tagger = strcmp(flow->redact[i], "name") != 0;
        for (int64_t j = 0; j < flow->analyses; j++)
            tagger |= flow->analysis[j].kind && strcmp(flow->analysis[j].kind, "tag") == 0;
        if (!tagger)
            flow__note(r, at->line, at->column, "'redact' of names needs an analysis of kind tag");
    }
}

/* The analysis that the desk names under a key is of a kind. */
static void check_desk(flow_reader *r, const heed_yaml *root, const heed_flow *flow,
                       const char *key, const char *kind) {
    const heed_yaml *desk = heed__yaml_get(root, "desk");
    const heed_yaml *at = desk ? heed__yaml_get(desk, key) : NULL;
    for (int64_t i = 0; at && at->kind == HEED_YAML_SCALAR && i < flow->analyses; i++) {
        const heed_analysis_cfg *a = &flow->analysis[i];
        if (a->kind && strcmp(a->name, at->text) == 0 && strcmp(a->kind, kind) != 0)
            flow__note(r, at->line, at->column,
                       "the desk's '%s' wants an analysis of kind %s: "
                       "'%.60s' is of kind %s",
                       key, kind, a->name, a->kind);
    }
}

void flow__check(flow_reader *r, const heed_yaml *root, heed_flow *flow) {
    check_struct(r, &flow_top, root, root);
    if (r->no_memory) return;
    check_sources(r, root, flow);
    check_analyses(r, root, flow);
    check_rules(r, root, flow);
    check_sinks(r, root, flow);
    check_desk(r, root, flow, "intent", "classify");
    check_desk(r, root, flow, "tag", "tag");
    check_top(r, root, flow);
}
