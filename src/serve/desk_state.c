/* desk_state.c: a conversation's state as JSON, which the client carries: {"v":1,
 * "turns":[{"text","reply","kind","intent"?,
 * "read"?}...], "slots":{name:value}, "asking"?, "pending"?,
 * "pending_text"?, "asked"?}. Shape and sizes are checked; slots that the desk does
 * not have, and values with control characters, are as if not there. */
#include <string.h>

#include "base/text.h"
#include "serve/desk_impl.h"
#include "serve/tree.h"

enum { VERSION = 1, NAME_MOST = 256 };

typedef struct reader {
    const json_t *tree;
    heed_error *err;
    int status;
} reader;

static void bad(reader *r, const char *key, const char *what) {
    if (r->status == 0) r->status = heed__error(r->err, HEED_EINVALID, "state: %s %s", key, what);
}

/* A text of the object, of at most `most` bytes, without zero bytes; NULL where there is none. */
static const char *text_of(reader *r, const json_t *object, const char *key, size_t most) {
    const json_t *v = json_object_get(object, key);
    if (!v || json_is_null(v)) return NULL;
    const char *text = json_string_value(v);
    if (!text)
        bad(r, key, "is not a text");
    else if (json_string_length(v) > most)
        bad(r, key, "is too long");
    else if (strlen(text) != json_string_length(v))
        bad(r, key, "has a zero byte");
    else
        return text;
    return NULL;
}

static const char *needed(reader *r, const json_t *object, const char *key, size_t most) {
    const char *text = text_of(r, object, key, most);
    if (!text) bad(r, key, "is missing");
    return text ? text : "";
}

static void read_turns(reader *r, desk_state *s) {
    const json_t *turns = json_object_get(r->tree, "turns");
    if (!turns || json_is_null(turns)) return;
    if (!json_is_array(turns) || json_array_size(turns) > DESK_TURNS) {
        bad(r, "turns", "is not a list of at most 8 turns");
        return;
    }
    for (size_t i = 0; i < json_array_size(turns); i++) {
        const json_t *t = json_array_get(turns, i);
        if (!json_is_object(t)) {
            bad(r, "turns", "has one that is no object");
            return;
        }
        s->turn[s->turns++] = (desk_turn){ .text = needed(r, t, "text", DESK_TEXT_MOST),
                                           .reply = needed(r, t, "reply", 2 * DESK_REPLY_MOST),
                                           .kind = needed(r, t, "kind", NAME_MOST),
                                           .intent = text_of(r, t, "intent", NAME_MOST),
                                           .read = text_of(r, t, "read", DESK_TEXT_MOST) };
    }
}

static void read_slots(const heed_desk *d, reader *r, desk_state *s) {
    const json_t *slots = json_object_get(r->tree, "slots");
    if (!slots || json_is_null(slots)) return;
    if (!json_is_object(slots)) {
        bad(r, "slots", "is no object");
        return;
    }
    for (int i = 0; i < heed__desk_slot_count(d); i++) {
        const char *value = text_of(r, slots, heed__desk_slot_name(d, i), DESK_VALUE_MOST);
        if (value && heed__control_at(value, strlen(value)) == strlen(value)) s->value[i] = value;
    }
}

int heed__desk_state_read(const heed_desk *d, const json_t *tree, desk_state *s, heed_error *err) {
    reader r = { .tree = tree, .err = err };
    *s = (desk_state){ 0 };
    if (!tree || json_is_null(tree)) return 0;
    if (!json_is_object(tree)) return heed__error(err, HEED_EINVALID, "state: it is no object");
    if (json_object_size(tree) == 0) return 0;
    if (json_integer_value(json_object_get(tree, "v")) != VERSION)
        return heed__error(err, HEED_EINVALID, "state: it is not one that this desk gave");
    read_turns(&r, s);
    read_slots(d, &r, s);
    s->asking = text_of(&r, tree, "asking", NAME_MOST);
    s->pending = text_of(&r, tree, "pending", NAME_MOST);
    s->pending_text = text_of(&r, tree, "pending_text", DESK_TEXT_MOST);
    s->asked = json_integer_value(json_object_get(tree, "asked")) > 1 ? 2 : 1;
    if (!s->asking || !s->pending || !s->pending_text || heed__desk_slot_find(d, s->asking) < 0)
        s->asking = s->pending = s->pending_text = NULL;
    return r.status;
}

/* -- writing ---------------------------------------------------------------------------------- */

static json_t *turn_tree(const desk_turn *t) {
    json_t *tree = json_object();
    heed__tree_put(&tree, "text", json_string(t->text));
    heed__tree_put(&tree, "reply", json_string(t->reply));
    heed__tree_put(&tree, "kind", json_string(t->kind));
    if (t->intent) heed__tree_put(&tree, "intent", json_string(t->intent));
    if (t->read) heed__tree_put(&tree, "read", json_string(t->read));
    return tree;
}

json_t *heed__desk_slots_tree(const heed_desk *d, const desk_state *s) {
    json_t *tree = json_object();
    for (int i = 0; i < heed__desk_slot_count(d); i++)
        if (s->value[i])
            heed__tree_put(&tree, heed__desk_slot_name(d, i), json_string(s->value[i]));
    return tree;
}

json_t *heed__desk_turns_tree(const desk_state *s, const desk_turn *turn) {
    json_t *list = json_array();
    for (int i = s->turns == DESK_TURNS; i < s->turns; i++)
        heed__list_put(&list, turn_tree(&s->turn[i]));
    heed__list_put(&list, turn_tree(turn));
    return list;
}

json_t *heed__desk_state_tree(const heed_desk *d, const desk_state *s, const desk_turn *turn) {
    json_t *tree = json_object();
    heed__tree_put(&tree, "v", json_integer(VERSION));
    heed__tree_put(&tree, "turns", heed__desk_turns_tree(s, turn));
    heed__tree_put(&tree, "slots", heed__desk_slots_tree(d, s));
    if (!s->asking) return tree;
    heed__tree_put(&tree, "asking", json_string(s->asking));
    heed__tree_put(&tree, "pending", json_string(s->pending));
    heed__tree_put(&tree, "pending_text", json_string(s->pending_text));
    heed__tree_put(&tree, "asked", json_integer(s->asked));
    return tree;
}
