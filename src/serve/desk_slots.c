/* desk_slots.c: what an intent needs to know before it is answered, from a YAML file:
 *
 *     slots:
 *       order_id:
 *         ask: Which order is it? Its number is in the confirmation mail.
 *         pattern: '#?\b([0-9]{5,})\b'  # PCRE2; its first group or all of it
 *         fills: [Order Number, Purchase ID]    # variables of replies
 *       account_type:
 *         ask: Which account, free, pro or premium?
 *         words: [free, pro, premium]           # one of these instead of a pattern
 *       city:
 *         ask: To which city?
 *         entity: LOC                           # the first that the desk's tagger finds
 *     intents:
 *       track_order: [order_id]
 *     people: [contact_human_agent]             # intents that go to a person at once
 *     values:
 *       Customer Support Phone Number: 555-0100 # what variables stand for
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <string.h>

#include "base/text.h"
#include "flow/yaml.h"
#include "serve/desk_impl.h"
#include "text/letters.h"

enum { MATCH_MOST = 100000, MATCH_KIB = 1024, ENTITIES_MOST = 64 };

typedef struct slot {
    const heed_yaml *node;
    pcre2_code *code;   /* NULL: words or an entity */
    const char *entity; /* its type; NULL: words or a pattern */
} slot;

/* A message, and what the tagger finds in it, where a slot asks for that. */
typedef struct message {
    const char *text;
    heed_entity entity[ENTITIES_MOST];
    int64_t entities;
} message;

struct desk_slots {
    heed_hooks hooks;
    heed_yaml_doc *doc;
    desk_mind *mind;
    bool tags; /* a slot is an entity */
    slot slot[DESK_SLOTS];
    int len;
    const heed_yaml *intents, *people, *values;
    pcre2_general_context *memory;
    pcre2_compile_context *compile;
    pcre2_match_context *match;
};

/* -- reading ---------------------------------------------------------------------------------- */

static void *take(size_t size, void *user) {
    return heed__malloc(user, size);
}

static void give(void *memory, void *user) {
    heed__free(user, memory);
}

static int wrong(const desk_slots *s, const heed_yaml *n, heed_error *err, const char *what) {
    return heed__error(err, HEED_EFORMAT, "%s:%d:%d: %s", s->doc->name, n->line, n->column, what);
}

static int unknown(const desk_slots *s, const heed_yaml *n, heed_error *err, const char *known) {
    return heed__error(err, HEED_EFORMAT, "%s:%d:%d: unknown key '%s'; %s", s->doc->name,
                       n->key_line, n->key_column, n->key, known);
}

static bool is_list_of_texts(const heed_yaml *n) {
    if (n->kind != HEED_YAML_LIST) return false;
    for (const heed_yaml *i = n->first; i; i = i->next)
        if (i->kind != HEED_YAML_SCALAR || !*i->text) return false;
    return true;
}

static int compile(desk_slots *s, slot *to, const heed_yaml *pattern, heed_error *err) {
    int code;
    PCRE2_SIZE at;
    to->code = pcre2_compile((PCRE2_SPTR)pattern->text, PCRE2_ZERO_TERMINATED,
                             PCRE2_UTF | PCRE2_UCP | PCRE2_CASELESS | PCRE2_NEVER_BACKSLASH_C,
                             &code, &at, s->compile);
    if (to->code) return 0;
    char why[200];
    if (code == PCRE2_ERROR_NOMEMORY || code == 121)
        return heed__error(err, HEED_ENOMEM, "desk: out of memory");
    pcre2_get_error_message(code, (PCRE2_UCHAR *)why, sizeof why);
    char what[320];
    heed__format(what, sizeof what, "no pattern: %s, at byte %llu of it", why,
                 (unsigned long long)at);
    return wrong(s, pattern, err, what);
}

static int check_entity(desk_slots *s, slot *to, const heed_yaml *entity, heed_error *err) {
    char what[200];
    if (!s->mind->tagger)
        return wrong(s, entity, err,
                     "an entity needs a model that finds them: the desk names none (tag)");
    if (!heed__mind_knows(s->mind, entity->text)) {
        heed__format(what, sizeof what, "the desk's tagger finds no '%.100s'", entity->text);
        return wrong(s, entity, err, what);
    }
    to->entity = entity->text;
    s->tags = true;
    return 0;
}

static int read_slot(desk_slots *s, const heed_yaml *n, heed_error *err) {
    const heed_yaml *pattern = NULL, *words = NULL, *entity = NULL;
    if (s->len == DESK_SLOTS) return wrong(s, n, err, "more than 64 slots");
    if (n->kind != HEED_YAML_MAP) return wrong(s, n, err, "a slot is a mapping");
    for (const heed_yaml *f = n->first; f; f = f->next) {
        const bool lists = strcmp(f->key, "words") == 0 || strcmp(f->key, "fills") == 0;
        if (lists ? !is_list_of_texts(f) : f->kind != HEED_YAML_SCALAR)
            return wrong(s, f, err, lists ? "not a list of texts" : "not a text");
        if (strcmp(f->key, "pattern") == 0)
            pattern = f;
        else if (strcmp(f->key, "words") == 0)
            words = f;
        else if (strcmp(f->key, "entity") == 0)
            entity = f;
        else if (!lists && strcmp(f->key, "ask") != 0)
            return unknown(s, f, err, "a slot has ask, pattern, words, entity, fills");
    }
    if ((pattern != NULL) + (words != NULL) + (entity != NULL) != 1)
        return wrong(s, n, err, "a slot needs a pattern, words or an entity, one of these");
    slot *to = &s->slot[s->len++];
    to->node = n;
    if (entity) return check_entity(s, to, entity, err);
    return pattern ? compile(s, to, pattern, err) : 0;
}

static int slot_of(const desk_slots *s, const char *name) {
    for (int i = 0; i < s->len; i++)
        if (strcmp(s->slot[i].node->key, name) == 0) return i;
    return -1;
}

static int check_intents(const desk_slots *s, heed_error *err) {
    for (const heed_yaml *n = s->intents ? s->intents->first : NULL; n; n = n->next) {
        if (!is_list_of_texts(n)) return wrong(s, n, err, "not a list of slots");
        for (const heed_yaml *i = n->first; i; i = i->next)
            if (slot_of(s, i->text) < 0) return wrong(s, i, err, "no slot of that name");
    }
    for (const heed_yaml *n = s->values ? s->values->first : NULL; n; n = n->next)
        if (n->kind != HEED_YAML_SCALAR) return wrong(s, n, err, "not a text");
    if (s->people && !is_list_of_texts(s->people))
        return wrong(s, s->people, err, "not a list of intents");
    return 0;
}

static int read_document(desk_slots *s, heed_error *err) {
    const heed_yaml *root = s->doc->root, *slots = NULL;
    if (root->kind != HEED_YAML_MAP) return wrong(s, root, err, "slots are a mapping");
    for (const heed_yaml *n = root->first; n; n = n->next) {
        const bool people = strcmp(n->key, "people") == 0;
        const heed_yaml **to = people                           ? &s->people
                               : strcmp(n->key, "slots") == 0   ? &slots
                               : strcmp(n->key, "intents") == 0 ? &s->intents
                               : strcmp(n->key, "values") == 0  ? &s->values
                                                                : NULL;
        if (!to) return unknown(s, n, err, "there are slots, intents, people, values");
        if (!people && n->kind != HEED_YAML_MAP) return wrong(s, n, err, "not a mapping");
        *to = n;
    }
    int rc = 0;
    for (const heed_yaml *n = slots ? slots->first : NULL; rc == 0 && n; n = n->next)
        rc = read_slot(s, n, err);
    return rc ? rc : check_intents(s, err);
}

desk_slots *heed__desk_slots_open(const char *path, desk_mind *mind, const heed_hooks *hooks,
                                  heed_error *err) {
    desk_slots *s = heed__calloc(hooks, 1, sizeof *s);
    if (!s) {
        heed__error(err, HEED_ENOMEM, "desk: out of memory");
        return NULL;
    }
    if (hooks) s->hooks = *hooks;
    s->mind = mind;
    int rc = HEED_ENOMEM;
    s->memory = pcre2_general_context_create(take, give, &s->hooks);
    s->compile = s->memory ? pcre2_compile_context_create(s->memory) : NULL;
    s->match = s->memory ? pcre2_match_context_create(s->memory) : NULL;
    if (!s->compile || !s->match) {
        heed__error(err, rc, "desk: out of memory");
    } else {
        pcre2_set_match_limit(s->match, MATCH_MOST);
        pcre2_set_heap_limit(s->match, MATCH_KIB);
        s->doc = heed__yaml_read(path, hooks, err);
        rc = s->doc ? read_document(s, err) : err->code;
    }
    if (rc == 0) return s;
    heed__desk_slots_close(s);
    return NULL;
}

void heed__desk_slots_close(desk_slots *s) {
    if (!s) return;
    const heed_hooks hooks = s->hooks;
    for (int i = 0; i < s->len; i++) pcre2_code_free(s->slot[i].code);
    pcre2_match_context_free(s->match);
    pcre2_compile_context_free(s->compile);
    pcre2_general_context_free(s->memory);
    heed__yaml_free(s->doc);
    heed__free(&hooks, s);
}

/* -- asking ----------------------------------------------------------------------------------- */

int heed__desk_slot_count(const heed_desk *d) {
    return d->slots ? d->slots->len : 0;
}

const char *heed__desk_slot_name(const heed_desk *d, int i) {
    return d->slots->slot[i].node->key;
}

int heed__desk_slot_find(const heed_desk *d, const char *name) {
    return d->slots ? slot_of(d->slots, name) : -1;
}

const char *heed__desk_slot_question(const heed_desk *d, int i) {
    const heed_yaml *ask = heed__yaml_get(d->slots->slot[i].node, "ask");
    return ask && *ask->text ? ask->text : NULL;
}

/* Whether both are the same in any case. */
static bool same(const char *a, size_t size, const char *b) {
    size_t i = 0, k = 0;
    const size_t len = strlen(b);
    while (i < size && k < len) {
        uint32_t x, y;
        const size_t n = heed__utf8_next(a + i, size - i, &x);
        const size_t m = heed__utf8_next(b + k, len - k, &y);
        if (!n || !m || heed__lower(x) != heed__lower(y)) return false;
        i += n;
        k += m;
    }
    return i == size && k == len;
}

/* The slot's value in text: its bytes. 1, 0 where there is none, HEED_ENOMEM. */
static int find_pattern(const desk_slots *s, const slot *t, const char *text, size_t at[2]) {
    pcre2_match_data *found = pcre2_match_data_create_from_pattern(t->code, s->memory);
    if (!found) return HEED_ENOMEM;
    const int n = pcre2_match(t->code, (PCRE2_SPTR)text, strlen(text), 0, 0, found, s->match);
    const PCRE2_SIZE *place = pcre2_get_ovector_pointer(found);
    const int group = n > 1 && place[2] != PCRE2_UNSET ? 1 : 0;
    if (n > 0) {
        at[0] = place[2 * group];
        at[1] = place[2 * group + 1];
    }
    pcre2_match_data_free(found);
    if (n == PCRE2_ERROR_NOMEMORY) return HEED_ENOMEM;
    return n > 0 && at[1] > at[0] && at[1] - at[0] <= DESK_VALUE_MOST;
}

static int find_word(const slot *t, const char *text, size_t at[2]) {
    const size_t size = strlen(text);
    const heed_yaml *words = heed__yaml_get(t->node, "words");
    size_t from = 0;
    heed_word w;
    while (heed__word_next(text, size, &from, &w))
        for (const heed_yaml *i = words->first; i; i = i->next) {
            const size_t n = strlen(i->text);
            if (n > size - w.begin || !same(text + w.begin, n, i->text)) continue;
            heed_word end;
            size_t rest = w.begin + n;
            const bool more = heed__word_next(text, size, &rest, &end);
            if (more && end.begin == w.begin + n && (unsigned char)text[end.begin] < 0x80 &&
                !heed__word_is_mark(&end))
                continue; /* within a longer word */
            at[0] = w.begin;
            at[1] = w.begin + n;
            return 1;
        }
    return 0;
}

static int find_entity(const slot *t, const message *m, size_t at[2]) {
    for (int64_t i = 0; i < m->entities; i++) {
        const heed_entity *e = &m->entity[i];
        if (strcmp(e->type, t->entity) != 0 || e->end - e->begin > DESK_VALUE_MOST) continue;
        at[0] = e->begin;
        at[1] = e->end;
        return 1;
    }
    return 0;
}

static int find_value(const desk_slots *s, const slot *t, const message *m, size_t at[2]) {
    if (t->entity) return find_entity(t, m, at);
    return t->code ? find_pattern(s, t, m->text, at) : find_word(t, m->text, at);
}

/* What the tagger says, at most so many. 0 or a status. */
static int tag(const desk_slots *s, message *m, heed_error *err) {
    m->entities = 0;
    if (!s->tags || !*m->text) return 0;
    const int64_t n = heed__mind_entities(s->mind, m->text, m->entity, ENTITIES_MOST, err);
    if (n < 0) return (int)n;
    m->entities = n < ENTITIES_MOST ? n : ENTITIES_MOST;
    return 0;
}

int heed__desk_slots_take(const heed_desk *d, const char *text, desk_state *s, heed_strings *kept,
                          heed_error *err) {
    message m = { .text = text };
    const int rc = d->slots ? tag(d->slots, &m, err) : 0;
    if (rc) return rc;
    for (int i = 0; i < heed__desk_slot_count(d); i++) {
        size_t at[2];
        char value[DESK_VALUE_MOST + 1];
        const int found = find_value(d->slots, &d->slots->slot[i], &m, at);
        if (found == 0) continue;
        if (found > 0) {
            memcpy(value, text + at[0], at[1] - at[0]);
            value[at[1] - at[0]] = 0;
            if (heed__control_at(value, at[1] - at[0]) < at[1] - at[0]) continue;
            s->value[i] = heed__strings_keep(kept, value);
        }
        if (found < 0 || !s->value[i]) return heed__error(err, HEED_ENOMEM, "desk: out of memory");
    }
    return 0;
}

int heed__desk_slot_missing(const heed_desk *d, const desk_state *s, const char *intent) {
    const heed_yaml *needs = d->slots && d->slots->intents
                                 ? heed__yaml_get(d->slots->intents, intent)
                                 : NULL;
    for (const heed_yaml *i = needs ? needs->first : NULL; i; i = i->next) {
        const int k = slot_of(d->slots, i->text);
        if (!s->value[k]) return k;
    }
    return -1;
}

bool heed__desk_slots_people(const heed_desk *d, const char *intent) {
    const heed_yaml *list = d->slots ? d->slots->people : NULL;
    for (const heed_yaml *i = list ? list->first : NULL; i; i = i->next)
        if (strcmp(i->text, intent) == 0) return true;
    return false;
}

/* Whether a variable's name is meant: the same, or the same before " Anonymized". */
static bool names(const char *name, const char *meant) {
    static const char tail[] = " anonymized";
    const size_t n = strlen(name), cut = sizeof tail - 1;
    if (same(name, n, meant)) return true;
    return n > cut && same(name + n - cut, cut, tail) && same(name, n - cut, meant);
}

const char *heed__desk_slot_known(const heed_desk *d, const desk_state *s, const char *name) {
    for (int i = 0; i < heed__desk_slot_count(d); i++) {
        const heed_yaml *fills = heed__yaml_get(d->slots->slot[i].node, "fills");
        for (const heed_yaml *f = fills ? fills->first : NULL; f; f = f->next)
            if (s->value[i] && names(name, f->text)) return s->value[i];
    }
    return NULL;
}

const char *heed__desk_slot_value(const heed_desk *d, const desk_state *s, const char *name) {
    const char *known = heed__desk_slot_known(d, s, name);
    if (known) return known;
    const heed_yaml *values = d->slots ? d->slots->values : NULL;
    for (const heed_yaml *v = values ? values->first : NULL; v; v = v->next)
        if (names(name, v->key)) return v->text;
    return NULL;
}
