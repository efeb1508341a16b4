/* source_record.c: columns and keys to the parts of an event. */
#include "flow/source_record.h"

#include <jansson.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/date.h"
#include "base/json.h"
#include "base/text.h"
#include "flow/charset.h"

/* Well-known names of each role, the best first. */
static const char *const known[HEED_ROLES][13] = {
    [HEED_ROLE_TEXT] = { "text", "message", "msg", "body", "content", "sentence", "question",
                         "utterance", "tweet", "review", "comment", "query", NULL },
    [HEED_ROLE_TITLE] = { "title", "headline", "subject", NULL },
    [HEED_ROLE_ID] = { "id", NULL },
    [HEED_ROLE_TIME] = { "time", "timestamp", "date", "created_at", "published", "ts", "@timestamp",
                         NULL },
    [HEED_ROLE_USER] = { "user", NULL },
    [HEED_ROLE_SESSION] = { "session", NULL },
    [HEED_ROLE_URL] = { "url", "link", NULL },
};

static const char *chosen(const heed_source_cfg *cfg, int role) {
    const char *const names[HEED_ROLES] = {
        [HEED_ROLE_TEXT] = cfg->text,  [HEED_ROLE_TITLE] = cfg->title,
        [HEED_ROLE_ID] = cfg->id,      [HEED_ROLE_TIME] = cfg->time,
        [HEED_ROLE_USER] = cfg->user,  [HEED_ROLE_SESSION] = cfg->session,
        [HEED_ROLE_LABEL] = cfg->label
    };
    return names[role];
}

/* -- an event from its parts ------------------------------------------------------------------ */

/* Fills an event; text of each role, NULL: none; body: JSON of what is left, or NULL. */
static int add(heed_source *s, const char *const part[HEED_ROLES], const char *own,
               const char *body, heed_error *err) {
    heed_entry *e = heed__batch_add(s);
    if (!e) return heed__error(err, HEED_EINVALID, "source %s: no room", s->cfg->name);
    bool bad = false;
    const char *id = part[HEED_ROLE_ID] && part[HEED_ROLE_ID][0] ? part[HEED_ROLE_ID] : own;
    e->id = heed__batch_text(s, id, &bad);
    e->text = heed__batch_text(s, part[HEED_ROLE_TEXT], &bad);
    e->title = heed__batch_text(s, part[HEED_ROLE_TITLE], &bad);
    e->user = heed__batch_text(s, part[HEED_ROLE_USER], &bad);
    e->session = heed__batch_text(s, part[HEED_ROLE_SESSION], &bad);
    e->url = heed__batch_text(s, part[HEED_ROLE_URL], &bad);
    e->body = heed__batch_text(s, body, &bad);
    const char *time = part[HEED_ROLE_TIME];
    if (time && !heed__date_read(time, strlen(time), &e->happened_ms)) e->happened_ms = 0;
    if (!bad) return 0;
    s->batch.len--;
    return heed__source_no_memory(s, err);
}

static int no_text(const heed_source *s, heed_error *err) {
    return heed__error(err, HEED_EFORMAT, "source %s: an event without text", s->cfg->name);
}

/* Writes obj as the body of an event that the parts make, and gives both away. */
static int add_with(heed_source *s, const char *const part[HEED_ROLES], const char *own,
                    json_t *rest, heed_error *err) {
    char *body = NULL;
    int status = 0;
    if (!rest) return heed__source_no_memory(s, err);
    if (part[HEED_ROLE_LABEL] &&
        json_object_set_new(rest, "label", json_string(part[HEED_ROLE_LABEL])))
        status = heed__source_no_memory(s, err);
    if (!status && json_object_size(rest) > 0) {
        size_t len;
        body = heed__json_text(&s->hooks, rest, false, &len, err);
        if (!body) status = HEED_ENOMEM;
    }
    if (!status) status = add(s, part, own, body, err);
    heed__free(&s->hooks, body);
    return status;
}

/* -- tables ----------------------------------------------------------------------------------- */

static int64_t column(char *const *name, int64_t n, const char *word) {
    for (int64_t i = 0; i < n; i++)
        if (strcmp(name[i], word) == 0) return i;
    return -1;
}

int heed__record_roles(const heed_source_cfg *cfg, char *const *field, heed_columns_of *c,
                       bool *header, heed_error *err) {
    int64_t *role = c->role;
    *header = true;
    for (int r = 0; r < HEED_ROLES; r++) {
        const char *word = chosen(cfg, r);
        int64_t number;
        role[r] = word ? column(field, c->len, word) : -1;
        if (!word || role[r] >= 0) continue;
        if (!heed__parse_int(word, strlen(word), &number) || number < 1 || number > c->len)
            return heed__error(err, HEED_ENOTFOUND, "%s: the header has no column '%.60s'",
                               cfg->path, word);
        role[r] = number - 1;
        *header = false;
    }
    for (int r = 0; r < HEED_ROLES && *header; r++)
        for (int k = 0; role[r] < 0 && !chosen(cfg, r) && known[r][k]; k++)
            role[r] = column(field, c->len, known[r][k]);
    if (role[HEED_ROLE_TEXT] < 0 && c->len == 1) {
        role[HEED_ROLE_TEXT] = 0;
        *header = false;
    }
    if (role[HEED_ROLE_TEXT] < 0 && role[HEED_ROLE_TITLE] < 0)
        return heed__error(err, HEED_ENOTFOUND,
                           "%s: which of its %lld columns is the text? 'text' in the flow says",
                           cfg->path, (long long)c->len);
    return 0;
}

int heed__record_add(heed_source *s, const heed_columns_of *c, char *const *value, const char *own,
                     heed_error *err) {
    const char *part[HEED_ROLES] = { NULL };
    for (int r = 0; r < HEED_ROLES; r++)
        if (c->role[r] >= 0 && value[c->role[r]][0]) part[r] = value[c->role[r]];
    if (!part[HEED_ROLE_TEXT] && !part[HEED_ROLE_TITLE]) return no_text(s, err);
    json_t *rest = json_object();
    for (int64_t i = 0; rest && c->name && i < c->len; i++) {
        bool is_part = false;
        for (int r = 0; r < HEED_ROLES; r++) is_part |= c->role[r] == i;
        if (!is_part && json_object_set_new(rest, c->name[i], json_string(value[i]))) {
            json_decref(rest);
            rest = NULL;
        }
    }
    const int status = add_with(s, part, own, rest, err);
    json_decref(rest);
    return status;
}

/* -- JSON ------------------------------------------------------------------------------------- */

static const json_t *value_of(const heed_source_cfg *cfg, const json_t *object, int role,
                              const char **key) {
    const char *word = chosen(cfg, role);
    *key = word;
    if (word) return json_object_get(object, word);
    for (int k = 0; known[role][k]; k++) {
        const json_t *value = json_object_get(object, known[role][k]);
        *key = known[role][k];
        if (json_is_string(value) || json_is_number(value)) return value;
    }
    return NULL;
}

int heed__record_json(heed_source *s, const char *line, size_t size, const char *own,
                      heed_error *err) {
    json_t *object = heed__json_parse(line, size, s->cfg->name, err);
    if (!object) return err->code;
    const char *part[HEED_ROLES] = { NULL }, *keys[HEED_ROLES];
    char number[HEED_ROLES][HEED_NUMBER_SIZE];
    for (int r = 0; r < HEED_ROLES; r++) {
        const json_t *value = value_of(s->cfg, object, r, &keys[r]);
        if (json_is_string(value)) part[r] = json_string_value(value);
        if (json_is_integer(value))
            heed__format(number[r], HEED_NUMBER_SIZE, "%lld", (long long)json_integer_value(value));
        if (json_is_real(value)) heed__double_text(json_real_value(value), number[r]);
        if (json_is_number(value)) part[r] = number[r];
        if (part[r] && !part[r][0]) part[r] = NULL;
    }
    json_t *rest = json_copy(object); /* the texts stay object's */
    for (int r = 0; rest && r < HEED_ROLES; r++)
        if (part[r]) json_object_del(rest, keys[r]);
    int status;
    if (!part[HEED_ROLE_TEXT] && !part[HEED_ROLE_TITLE])
        status = no_text(s, err);
    else
        status = add_with(s, part, own, rest, err);
    json_decref(rest);
    json_decref(object);
    return status;
}

/* -- lines ------------------------------------------------------------------------------------ */

int heed__record_text(heed_source *s, const char *line, size_t size, const char *own,
                      heed_error *err) {
    heed_text utf8 = { .hooks = &s->hooks };
    const char *part[HEED_ROLES] = { NULL };
    int status;
    if (heed__control_at(line, size) == size && line[size] == 0) {
        part[HEED_ROLE_TEXT] = line;
        return add(s, part, own, NULL, err);
    }
    /* bytes that are no UTF-8 become U+FFFD, controls spaces; tabs and line ends stay */
    heed__charset_add(&utf8, "utf-8", line, size);
    for (int64_t i = 0; i < utf8.len; i++)
        if (((unsigned char)utf8.bytes[i] < ' ' && !strchr("\t\n", utf8.bytes[i])) ||
            utf8.bytes[i] == 0x7f || utf8.bytes[i] == 0)
            utf8.bytes[i] = ' ';
    part[HEED_ROLE_TEXT] = utf8.bytes;
    status = utf8.failed ? heed__source_no_memory(s, err) : add(s, part, own, NULL, err);
    heed__text_free(&utf8);
    return status;
}

int heed__record_line(heed_source *s, const char *line, size_t size, const char *own,
                      heed_error *err) {
    heed_error why = { 0 };
    const bool text = s->cfg->format && strcmp(s->cfg->format, "text") == 0;
    const size_t skip = strspn(line, " \t\r");
    if (skip >= size) return 0; /* an empty line */
    if (text || (!s->cfg->format && line[skip] != '{'))
        return heed__record_text(s, line, size, own, err);
    const int status = heed__record_json(s, line, size, own, &why);
    if (status == HEED_EFORMAT && !s->cfg->format)
        return heed__record_text(s, line, size, own, err);
    if (status == HEED_EFORMAT) {
        heed__source_wrong(s, "%s, passed over: %s", own, why.msg);
        return 0;
    }
    if (status) *err = why;
    return status;
}
