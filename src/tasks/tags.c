/* tags.c: schemes of tags, entities read from them as conlleval does, and written again. */
#include "tasks/tags.h"

#include <string.h>

#include "base/alloc.h"
#include "base/text.h"

static const char *const names[HEED_TAG_SCHEMES] = { "BIO", "IOB1", "BIOES", "BMES", "BILOU" };
/* How each writes the places B, I, E, S. */
static const char letters[HEED_TAG_SCHEMES][5] = { "BIIB", "BIII", "BIES", "BMES", "BILU" };

const char *heed__scheme_name(heed_tag_scheme scheme) {
    return names[scheme];
}

bool heed__scheme_find(const char *name, heed_tag_scheme *scheme) {
    for (int i = 0; i < HEED_TAG_SCHEMES; i++)
        if (strcmp(name, names[i]) == 0) {
            *scheme = (heed_tag_scheme)i;
            return true;
        }
    return false;
}

bool heed__tag_parse(const char *text, heed_tag *tag) {
    static const char written[] = "BIMELSU", place[] = "BIIEESS";
    if (strcmp(text, "O") == 0) {
        *tag = (heed_tag){ 'O', 'O', "" };
        return true;
    }
    const char *found = text[0] ? strchr(written, text[0]) : NULL;
    if (!found || (text[1] && text[1] != '-')) return false;
    *tag = (heed_tag){ place[found - written], text[0], text[1] ? text + 2 : "" };
    return true;
}

/* -- types */

/* Where name is or would stand. */
static int64_t place_of(const heed_types *t, const char *name, bool *there) {
    int64_t low = 0, high = t->len;
    while (low < high) {
        const int64_t middle = low + (high - low) / 2;
        const int order = strcmp(t->name[middle], name);
        if (order == 0) {
            *there = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *there = false;
    return low;
}

int heed__types_add(heed_types *t, const char *name) {
    bool there;
    const int64_t at = place_of(t, name, &there);
    if (there) return 0;
    if (heed__grow(&t->hooks, &t->name, &t->cap, t->len + 1, sizeof *t->name)) return HEED_ENOMEM;
    char *copy = heed__strdup(&t->hooks, name);
    if (!copy) return HEED_ENOMEM;
    memmove(t->name + at + 1, t->name + at, (size_t)(t->len - at) * sizeof *t->name);
    t->name[at] = copy;
    t->len++;
    return 0;
}

int32_t heed__types_find(const heed_types *t, const char *name) {
    bool there;
    const int64_t at = place_of(t, name, &there);
    return there ? (int32_t)at : -1;
}

void heed__types_free(heed_types *t) {
    for (int64_t i = 0; i < t->len; i++) heed__free(&t->hooks, t->name[i]);
    heed__free(&t->hooks, t->name);
    t->name = NULL;
    t->len = t->cap = 0;
}

/* -- entities. An O beside each end stands for the edges. */

static bool starts(heed_place before, heed_place tag) {
    if (tag.place == 'O') return false;
    if (tag.place == 'B' || tag.place == 'S') return true;
    return before.place == 'O' || before.place == 'E' || before.place == 'S' ||
           before.type != tag.type;
}

static bool ends(heed_place tag, heed_place next) {
    if (tag.place == 'O') return false;
    if (tag.place == 'E' || tag.place == 'S') return true;
    return next.place == 'O' || next.place == 'B' || next.place == 'S' || next.type != tag.type;
}

int64_t heed__chunks(const heed_place *tag, int64_t n, heed_chunk *chunk) {
    static const heed_place none = { 'O', -1 };
    int64_t count = 0;
    for (int64_t i = 0; i < n; i++) {
        if (starts(i ? tag[i - 1] : none, tag[i])) chunk[count].begin = i;
        if (!ends(tag[i], i + 1 < n ? tag[i + 1] : none)) continue;
        chunk[count].end = i + 1;
        chunk[count++].type = tag[i].type;
    }
    return count;
}

void heed__chunk_tags(const heed_chunk *chunk, int64_t count, int64_t n, heed_tag_scheme scheme,
                      heed_place *tag) {
    for (int64_t i = 0; i < n; i++) tag[i] = (heed_place){ 'O', -1 };
    const bool last = scheme != HEED_TAGS_BIO && scheme != HEED_TAGS_IOB1;
    for (int64_t c = 0; c < count; c++) {
        const heed_chunk *k = &chunk[c];
        for (int64_t i = k->begin; i < k->end; i++) tag[i] = (heed_place){ 'I', k->type };
        const bool touches = c > 0 && chunk[c - 1].end == k->begin && chunk[c - 1].type == k->type;
        if (scheme != HEED_TAGS_IOB1 || touches) tag[k->begin].place = 'B';
        if (last) tag[k->end - 1].place = k->end - k->begin == 1 ? 'S' : 'E';
    }
}

char *heed__tag_text(heed_place tag, heed_tag_scheme scheme, const heed_types *types, char *text,
                     size_t size) {
    static const char places[] = "BIES";
    const char *at = tag.place ? strchr(places, tag.place) : NULL;
    const char *type = tag.type >= 0 && tag.type < types->len ? types->name[tag.type] : "";
    if (!at)
        heed__format(text, size, "O");
    else
        heed__format(text, size, "%c%s%s", letters[scheme][at - places], *type ? "-" : "", type);
    return text;
}

/* -- schemes */

void heed__scheme_see_next(heed_scheme_guess *g, const heed_tag *before, const heed_tag *tag) {
    const bool after = before && before->place != 'O' && strcmp(before->type, tag->type) == 0;
    g->ends += tag->letter == 'E' || tag->letter == 'S';
    g->middles += tag->letter == 'M';
    g->last += tag->letter == 'L' || tag->letter == 'U';
    g->b_first += tag->letter == 'B' && !after;
    g->i_first += tag->letter == 'I' && !after;
}

void heed__scheme_see(heed_scheme_guess *g, const heed_tag *tag, int64_t n) {
    for (int64_t i = 0; i < n; i++) heed__scheme_see_next(g, i ? &tag[i - 1] : NULL, &tag[i]);
}

heed_tag_scheme heed__scheme_of(const heed_scheme_guess *g) {
    if (g->last > g->ends) return HEED_TAGS_BILOU;
    if (g->middles) return HEED_TAGS_BMES;
    if (g->ends) return HEED_TAGS_BIOES;
    return g->i_first > g->b_first ? HEED_TAGS_IOB1 : HEED_TAGS_BIO;
}

/* -- numbers */

int32_t heed__inner_tag(heed_place tag) {
    static const char places[] = "BIES";
    const char *at = tag.place && tag.type >= 0 ? strchr(places, tag.place) : NULL;
    return at ? 1 + 4 * tag.type + (int32_t)(at - places) : 0;
}

heed_place heed__inner_place(int32_t number) {
    if (number <= 0) return (heed_place){ 'O', -1 };
    return (heed_place){ "BIES"[(number - 1) % 4], (number - 1) / 4 };
}

bool heed__inner_follows(int32_t from, int32_t to) {
    const heed_place a = heed__inner_place(from), b = heed__inner_place(to);
    const bool open = a.place == 'B' || a.place == 'I', on = b.place == 'I' || b.place == 'E';
    return open == on && (!open || a.type == b.type);
}
