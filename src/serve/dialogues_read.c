/* dialogues_read.c: conversations from JSON lines and tables. */
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "io/dataset.h"
#include "base/input.h"
#include "serve/dialogues_impl.h"

enum { NAME_SIZE = 64, COLUMNS_MOST = 256, PLACE_SIZE = 4200 };

static const char *const list_names[] = { "messages", "turns",    "conversation", "conversations",
                                          "dialog",   "dialogue", "utterances",   NULL };
static const char *const speaker_names[] = { "role",   "speaker",     "from", "author",
                                             "sender", "participant", NULL };
static const char *const text_names[] = { "content", "text",      "message", "value",
                                          "body",    "utterance", NULL };
static const char *const conversation_names[] = {
    "conversation_id", "conversation", "dialog_id",  "dialogue_id", "dialog",
    "dialogue",        "session",      "session_id", "thread",      "thread_id",
    "ticket",          "ticket_id",    "chat_id",    NULL
};
static const char *const question_names[] = { "question",    "prompt", "query",
                                              "instruction", "input",  NULL };
static const char *const reply_names[] = { "reply", "response", "answer", "output", NULL };
static const char *const intent_names[] = { "intent", NULL };

/* -- JSON lines with lists of messages -------------------------------------------------------- */

static const char *member(const json_t *object, const char *const *names) {
    for (; *names; names++) {
        const char *text = json_string_value(json_object_get(object, *names));
        if (text) return text;
    }
    return NULL;
}

static const json_t *list_of(const json_t *object) {
    for (const char *const *name = list_names; *name; name++) {
        const json_t *v = json_object_get(object, *name);
        if (json_is_array(v)) return v;
    }
    return NULL;
}

static int read_list(heed_dialogues *d, const json_t *tree, const char *place, heed_error *err) {
    const json_t *list = list_of(tree), *m;
    size_t i;
    int rc = 0;
    if (!list) return heed__error(err, HEED_EFORMAT, "%s: no list of messages", place);
    json_array_foreach(list, i, m) {
        const char *text = json_is_string(m) ? json_string_value(m) : member(m, text_names);
        const char *speaker = json_is_string(m) ? NULL : member(m, speaker_names);
        if (!text && json_is_object(m) && json_is_null(json_object_get(m, "content"))) continue;
        if (!text)
            return heed__error(err, HEED_EFORMAT, "%s: message %llu has no text", place,
                               (unsigned long long)i + 1);
        rc = heed__dialogue_message(d, speaker, text, err);
        if (rc) return rc;
    }
    return heed__dialogue_end(d, err);
}

static int read_lists(heed_dialogues *d, heed_input *in, heed_error *err) {
    char *line, place[PLACE_SIZE];
    size_t size;
    int got;
    while ((got = heed__input_line(in, &line, &size, err)) != HEED_LINE_NONE) {
        if (got < 0) return got;
        heed__format(place, sizeof place, "%s:%lld", heed__input_name(in),
                     (long long)heed__input_line_number(in));
        if (got == HEED_LINE_LONG)
            return heed__error(err, HEED_EFORMAT, "%s: a line of more than 64 MB", place);
        if (size == 0) continue;
        json_t *tree = heed__json_parse(line, size, place, err);
        if (!tree) return err->code;
        const int rc = read_list(d, tree, place, err);
        json_decref(tree);
        if (rc) return rc;
    }
    return 0;
}

/* -- tables and flat objects ------------------------------------------------------------------ */

/* Names of the columns that matter; "" where there is none. */
typedef struct columns {
    char conversation[NAME_SIZE], speaker[NAME_SIZE], text[NAME_SIZE];
    char question[NAME_SIZE], reply[NAME_SIZE], intent[NAME_SIZE];
} columns;

static bool same(const char *a, const char *b) {
    while (*a && *b && (*a >= 'A' && *a <= 'Z' ? *a + 32 : *a) == *b) a++, b++;
    return !*a && !*b;
}

static void take(char to[NAME_SIZE], const char *name, const char *const *names) {
    for (; !to[0] && *names; names++)
        if (same(name, *names)) heed__format(to, NAME_SIZE, "%s", name);
}

static void see_name(columns *c, const char *name) {
    take(c->conversation, name, conversation_names);
    take(c->speaker, name, speaker_names);
    take(c->text, name, text_names);
    take(c->question, name, question_names);
    take(c->reply, name, reply_names);
    take(c->intent, name, intent_names);
}

static void see_header(columns *c, const char *line, size_t size) {
    const char sep = memchr(line, '\t', size) ? '\t' : memchr(line, ',', size) ? ',' : ';';
    for (size_t at = 0; at <= size;) {
        size_t end = at;
        while (end < size && line[end] != sep && line[end] != '\r') end++;
        size_t from = at, to = end;
        if (to - from > 1 && line[from] == '"' && line[to - 1] == '"') from++, to--;
        char name[NAME_SIZE];
        heed__format(name, sizeof name, "%.*s", (int)(to - from), line + from);
        see_name(c, name);
        at = end + 1;
    }
}

static int read_rows(heed_dialogues *d, const char *path, const columns *c, heed_error *err) {
    const bool who = c->speaker[0] != 0;
    const heed_dataset_cfg cfg = { .label = c->conversation,
                                   .text = who ? c->speaker : c->text,
                                   .text2 = who ? c->text : NULL,
                                   .pairs = who,
                                   .hooks = &d->hooks };
    heed_dataset_stream *s = heed__dataset_open(path, &cfg, err);
    heed_example e;
    const char *last = NULL;
    int got = s ? 1 : err->code, rc = 0;
    while (rc == 0 && s && (got = heed__dataset_next(s, &e, err)) > 0) {
        const char *of = e.labels ? e.label[0] : "";
        if (last && strcmp(last, of) != 0) rc = heed__dialogue_end(d, err);
        if (!last || strcmp(last, of) != 0) last = heed__strings_keep(&d->strings, of);
        if (rc == 0 && !last) rc = heed__error(err, HEED_ENOMEM, "import: out of memory");
        if (rc == 0)
            rc = heed__dialogue_message(d, who ? e.text : NULL, who ? e.text2 : e.text, err);
    }
    heed__dataset_close(s);
    if (rc == 0 && got < 0) rc = got;
    return rc ? rc : heed__dialogue_end(d, err);
}

static int read_pairs(heed_dialogues *d, const char *path, const columns *c, heed_error *err) {
    const heed_dataset_cfg cfg = { .text = c->question,
                                   .text2 = c->reply,
                                   .label = c->intent[0] ? c->intent : NULL,
                                   .text_only = c->intent[0] == 0,
                                   .pairs = true,
                                   .hooks = &d->hooks };
    heed_dataset_stream *s = heed__dataset_open(path, &cfg, err);
    heed_example e;
    int got = s ? 1 : err->code, rc = 0;
    while (rc == 0 && s && (got = heed__dataset_next(s, &e, err)) > 0)
        rc = heed__dialogue_pair(d, e.text, e.text2, c->intent[0] && e.labels ? e.label[0] : NULL,
                                 err);
    heed__dataset_close(s);
    return rc == 0 && got < 0 ? got : rc;
}

/* Looks at the first line: lists of messages, or which columns there are. */
static int look(heed_input *in, columns *c, bool *lists, heed_error *err) {
    const char *bytes;
    size_t size;
    const int rc = heed__input_peek(in, &bytes, &size, err);
    *lists = false;
    if (rc) return rc;
    if (size >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0) bytes += 3, size -= 3;
    const char *nl = memchr(bytes, '\n', size);
    const size_t len = nl ? (size_t)(nl - bytes) : size;
    if (len == 0 || bytes[0] != '{') {
        see_header(c, bytes, len);
        return 0;
    }
    *lists = true; /* of a first line longer than what can be looked at, too */
    if (!nl && size >= HEED_PEEK_MOST) return 0;
    json_t *tree = heed__json_parse(bytes, len, heed__input_name(in), err);
    if (!tree) return err->code;
    *lists = list_of(tree) != NULL;
    const char *key;
    json_t *value;
    json_object_foreach(tree, key, value) if (!*lists) see_name(c, key);
    json_decref(tree);
    return 0;
}

int heed_dialogues_read(heed_dialogues *d, const char *path, heed_error *err) {
    heed_input *in = heed__input_open(path, &d->hooks, err);
    columns c = { .text = "" };
    bool lists;
    if (!in) return err->code;
    int rc = look(in, &c, &lists, err);
    if (rc == 0 && lists) rc = read_lists(d, in, err);
    heed__input_close(in);
    if (rc || lists) return rc;
    if (c.conversation[0] && c.text[0]) return read_rows(d, path, &c, err);
    if (c.question[0] && c.reply[0]) return read_pairs(d, path, &c, err);
    return heed__error(err, HEED_EFORMAT,
                       "%s: neither conversations (columns conversation, speaker, text, or lists "
                       "of messages) nor pairs (question, reply)",
                       path);
}
