/* tok_fields.c: what the kinds of models share: optional fields of their objects, and vocabularies
 * looked up. */
#include <string.h>

#include "base/alloc.h"
#include "text/tok_models.h"

int heed__tok_field_text(const json_t *object, const char *key, const char *name,
                         const heed_hooks *hooks, heed__tok_text *to, heed_error *err) {
    const json_t *value = json_object_get(object, key);
    *to = (heed__tok_text){ 0 };
    if (!value || json_is_null(value)) return 0;
    if (!json_is_string(value))
        return heed__error(err, HEED_EFORMAT, "%s: %s is not a text", name, key);
    to->size = json_string_length(value);
    to->text = heed__malloc(hooks, to->size + 1);
    if (!to->text) return heed__error(err, HEED_ENOMEM, "%s: out of memory", name);
    memcpy(to->text, json_string_value(value), to->size + 1);
    return 0;
}

int heed__tok_field_bool(const json_t *object, const char *key, const char *name, bool *to,
                         heed_error *err) {
    const json_t *value = json_object_get(object, key);
    if (!value || json_is_null(value)) return 0;
    if (!json_is_boolean(value))
        return heed__error(err, HEED_EFORMAT, "%s: %s is not true or false", name, key);
    *to = json_is_true(value);
    return 0;
}

json_t *heed__tok_text_json(const heed__tok_text *t) {
    return t->text ? json_stringn(t->text, t->size) : json_null();
}

int32_t heed__tok_words_find(const heed__tok_model *m, const char *token, size_t size) {
    return heed__tok_vocab_find(&((const heed__tok_words *)m)->vocab, token, size);
}

const char *heed__tok_words_token(const heed__tok_model *m, int32_t id, size_t *size) {
    return heed__tok_vocab_token(&((const heed__tok_words *)m)->vocab, id, size);
}

int64_t heed__tok_words_len(const heed__tok_model *m) {
    return ((const heed__tok_words *)m)->vocab.ids;
}

int heed__tok_hidden(const json_t *object, const heed__tok_words *w, const char *name,
                     bool **hidden, heed_error *err) {
    const json_t *list = json_object_get(object, "hidden"), *id;
    size_t i;
    if (!list) return 0;
    if (!json_is_array(list))
        return heed__error(err, HEED_EFORMAT, "%s: hidden is not a list of ids", name);
    *hidden = heed__calloc(&w->head.hooks, (size_t)w->vocab.ids + 1, sizeof **hidden);
    if (!*hidden) return heed__error(err, HEED_ENOMEM, "%s: out of memory", name);
    json_array_foreach(list, i, id) {
        if (!json_is_integer(id) || json_integer_value(id) < 0 ||
            json_integer_value(id) >= w->vocab.ids)
            return heed__error(err, HEED_EFORMAT, "%s: hidden[%zu] is no place of the vocabulary",
                               name, i);
        (*hidden)[json_integer_value(id)] = true;
    }
    return 0;
}

int heed__tok_hidden_save(const heed__tok_words *w, const bool *hidden, json_t *model) {
    if (!hidden || !model) return 0;
    json_t *list = json_array();
    int bad = list ? 0 : HEED_ENOMEM;
    for (int32_t id = 0; id < w->vocab.ids && !bad; id++)
        if (hidden[id]) bad = json_array_append_new(list, json_integer(id));
    if (!bad) return json_object_set_new(model, "hidden", list);
    json_decref(list);
    return HEED_ENOMEM;
}

heed__tok_scratch *heed__tok_plain_scratch(const heed__tok_model *m) {
    heed__tok_scratch *s = heed__calloc(&m->hooks, 1, sizeof *s);
    if (s) s->model = m;
    return s;
}

void heed__tok_plain_scratch_free(heed__tok_scratch *s) {
    heed__free(&s->model->hooks, s);
}
