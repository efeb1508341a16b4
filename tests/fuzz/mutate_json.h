/* mutate_json.h: changes to inputs that are JSON texts with a byte FF between (and whatever bytes
 * after the last), made on their trees, so that most of what comes of them is JSON again: values
 * taken out, doubled, put in another's place, replaced by odd ones; and parts of two inputs
 * crossed. A third of the changes is left to libFuzzer's own. Included by one file of a program. */
#ifndef HEED_FUZZ_MUTATE_JSON_H
#define HEED_FUZZ_MUTATE_JSON_H

#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size,
                                 uint8_t *out, size_t most, unsigned seed);

static uint32_t mutate_state;

static uint32_t draw(uint32_t below) {
    mutate_state = mutate_state * 1664525u + 1013904223u;
    return below ? (mutate_state >> 8) % below : 0;
}

/* A place in a tree: member `key` or element `index` of `in`. */
typedef struct mutate_place {
    json_t *in;
    const char *key;
    size_t index;
} mutate_place;

enum { MUTATE_PLACES = 512 };

static size_t places_of(json_t *tree, mutate_place *to, size_t n) {
    const char *key;
    json_t *value;
    size_t i;
    if (json_is_object(tree)) json_object_foreach(tree, key, value) {
            if (n < MUTATE_PLACES) to[n++] = (mutate_place){ tree, key, 0 };
            n = places_of(value, to, n);
        }
    json_array_foreach(tree, i, value) {
        if (n < MUTATE_PLACES) to[n++] = (mutate_place){ tree, NULL, i };
        n = places_of(value, to, n);
    }
    return n;
}

static json_t *value_at(const mutate_place *p) {
    return p->key ? json_object_get(p->in, p->key) : json_array_get(p->in, p->index);
}

static void put_at(const mutate_place *p, json_t *value) { /* takes value */
    if (p->key)
        json_object_set_new(p->in, p->key, value);
    else
        json_array_set_new(p->in, p->index, value);
}

static json_t *odd_value(void) {
    static const char *const texts[] = { "",  "a", "\xe2\x96\x81", "[UNK]", "(a|b)*", "0",
                                         " ", "x", "<0x41>",       "\\p{L}" };
    static const double numbers[] = { -1, 0, 1, 0.5, -3.25, 1e308, -1e308, 1e-308 };
    static const json_int_t integers[] = { -1,  0,   1,     2,          3,          7,        16,
                                           255, 256, 65536, 2147483647, 4294967296, INT64_MAX };
    switch (draw(8)) {
    case 0:
        return json_string(texts[draw(sizeof texts / sizeof *texts)]);
    case 1:
        return json_real(numbers[draw(sizeof numbers / sizeof *numbers)]);
    case 2:
        return json_null();
    case 3:
        return json_boolean(draw(2));
    case 4:
        return draw(2) ? json_array() : json_object();
    default:
        return json_integer(integers[draw(sizeof integers / sizeof *integers)]);
    }
}

static json_t *mutated_text(const json_t *text) {
    uint8_t bytes[256];
    size_t size = json_string_length(text);
    if (size > sizeof bytes) size = sizeof bytes;
    memcpy(bytes, json_string_value(text), size);
    json_t *made = json_stringn((const char *)bytes, LLVMFuzzerMutate(bytes, size, sizeof bytes));
    return made ? made : json_string("\xc3\xa9"); /* it was no UTF-8 */
}

static void mutate_tree(json_t *tree) {
    static mutate_place places[MUTATE_PLACES];
    const size_t n = places_of(tree, places, 0);
    if (!n) return;
    const mutate_place *p = &places[draw((uint32_t)n)], *q = &places[draw((uint32_t)n)];
    json_t *value = value_at(p);
    switch (draw(6)) {
    case 0:
        if (p->key)
            json_object_del(p->in, p->key);
        else
            json_array_remove(p->in, p->index);
        break;
    case 1:
        put_at(p, json_deep_copy(value_at(q)));
        break;
    case 2:
        if (!p->key) json_array_insert_new(p->in, p->index, json_deep_copy(value));
        break;
    case 3:
        if (json_is_string(value)) {
            put_at(p, mutated_text(value));
            break;
        }
        if (json_is_integer(value)) {
            put_at(p,
                   json_integer((json_int_t)((uint64_t)json_integer_value(value) + draw(9) - 4)));
            break;
        }
        put_at(p, odd_value());
        break;
    default:
        put_at(p, odd_value());
        break;
    }
}

/* The k-th JSON text of an input: where it begins and how long it is. */
static size_t part_of_input(const uint8_t *data, size_t size, int k, size_t *len) {
    size_t at = 0;
    for (;; k--) {
        const uint8_t *end = at < size ? memchr(data + at, 0xFF, size - at) : NULL;
        *len = end ? (size_t)(end - data) - at : size - at;
        if (k == 0 || !end) return at;
        at += *len + 1;
    }
}

static json_t *tree_of(const uint8_t *data, size_t size, size_t at, size_t len) {
    return at + len <= size && len ? json_loadb((const char *)data + at, len, 0, NULL) : NULL;
}

/* Puts the tree's text where [at,at+len) was; the new size, or the old one where it has no room. */
static size_t replace_part(uint8_t *data, size_t size, size_t most, size_t at, size_t len,
                           const json_t *tree) {
    char *text = json_dumps(tree, JSON_COMPACT);
    const size_t made = text ? strlen(text) : 0;
    if (text && size - len + made <= most) {
        memmove(data + at + made, data + at + len, size - at - len);
        memcpy(data + at, text, made);
        size = size - len + made;
    }
    free(text);
    return size;
}

enum { MUTATE_PARTS = 3 };

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed) {
    mutate_state = seed;
    size_t len;
    const size_t at = part_of_input(data, size, (int)draw(MUTATE_PARTS), &len);
    json_t *tree = draw(3) ? tree_of(data, size, at, len) : NULL;
    if (!tree) { /* one part by bytes, or all */
        if (draw(2) && at + len == size && size < most)
            return at + LLVMFuzzerMutate(data + at, len, most - at);
        return LLVMFuzzerMutate(data, size, most);
    }
    for (uint32_t i = draw(3) + 1; i; i--) mutate_tree(tree);
    size = replace_part(data, size, most, at, len, tree);
    json_decref(tree);
    return size;
}

size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size,
                                 uint8_t *out, size_t most, unsigned seed) {
    static mutate_place places[MUTATE_PLACES];
    mutate_state = seed;
    size_t a_len, b_len, made = 0;
    const int k = (int)draw(MUTATE_PARTS);
    const size_t a_at = part_of_input(a, a_size, k, &a_len);
    const size_t b_at = part_of_input(b, b_size, k, &b_len);
    json_t *x = tree_of(a, a_size, a_at, a_len), *y = tree_of(b, b_size, b_at, b_len);
    if (json_is_object(x) && json_is_object(y) && a_size <= most) {
        const size_t n = places_of(y, places, 0);
        const mutate_place *p = n ? &places[draw((uint32_t)n)] : NULL;
        if (p && p->key && draw(4)) { /* of the same name, else anywhere */
            static mutate_place into[MUTATE_PLACES];
            const size_t m = places_of(x, into, 0);
            size_t same = 0;
            for (size_t i = 0; i < m; i++)
                if (into[i].key && strcmp(into[i].key, p->key) == 0) into[same++] = into[i];
            if (same)
                put_at(&into[draw((uint32_t)same)], json_deep_copy(value_at(p)));
            else
                json_object_set_new(x, p->key, json_deep_copy(value_at(p)));
        }
        memcpy(out, a, a_size);
        made = replace_part(out, a_size, most, a_at, a_len, x);
    }
    json_decref(x);
    json_decref(y);
    return made;
}

#endif
