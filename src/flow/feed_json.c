/* feed_json.c: JSON Feed 1.0 and 1.1. */
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "flow/feed_impl.h"

/* Sets a field from a text or number; false: there is none. */
static bool set(feed_sink *s, feed_field field, const json_t *value, bool html) {
    char text[HEED_NUMBER_SIZE];
    if (json_is_string(value)) {
        heed__feed_set(s, field, json_string_value(value), json_string_length(value), html);
        return json_string_length(value) > 0;
    }
    if (!json_is_number(value)) return false;
    if (json_is_integer(value))
        heed__format(text, sizeof text, "%lld", (long long)json_integer_value(value));
    else
        heed__double_text(json_real_value(value), text);
    heed__feed_set(s, field, text, strlen(text), false);
    return true;
}

static int read_item(feed_sink *s, const json_t *item) {
    heed__feed_begin(s);
    set(s, FEED_ID, json_object_get(item, "id"), false);
    set(s, FEED_TITLE, json_object_get(item, "title"), false);
    if (!set(s, FEED_LINK, json_object_get(item, "url"), false))
        set(s, FEED_LINK, json_object_get(item, "external_url"), false);
    if (!set(s, FEED_CONTENT, json_object_get(item, "content_text"), false))
        set(s, FEED_CONTENT, json_object_get(item, "content_html"), true);
    set(s, FEED_SUMMARY, json_object_get(item, "summary"), false);
    set(s, FEED_PUBLISHED, json_object_get(item, "date_published"), false);
    set(s, FEED_UPDATED, json_object_get(item, "date_modified"), false);
    const json_t *author = json_array_get(json_object_get(item, "authors"), 0);
    if (!author) author = json_object_get(item, "author");
    set(s, FEED_AUTHOR, json_object_get(author, "name"), false);
    return heed__feed_give(s);
}

int heed__feed_json(feed_sink *s, const char *bytes, size_t size) {
    json_t *feed = heed__json_parse(bytes, size, s->cfg->name, s->err);
    if (!feed) return s->status = s->err ? s->err->code : HEED_EFORMAT;
    const json_t *items = json_object_get(feed, "items");
    if (!json_is_array(items))
        s->status = heed__error(s->err, HEED_EFORMAT, "%s: is JSON without a list of items",
                                s->cfg->name);
    for (size_t i = 0; i < json_array_size(items) && !s->status; i++)
        read_item(s, json_array_get(items, i));
    json_decref(feed);
    return s->status;
}
