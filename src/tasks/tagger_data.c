/* tagger_data.c: tagged sentences of the caller's, checked and turned into numbers. */
#include "tasks/tagger.h"

#include <string.h>

#include "base/alloc.h"
#include "base/text.h"

int heed__tagger_check(const heed_tagged *data, bool tags, const char *what, heed_error *err) {
    if (data->len < 1 || !data->start || !data->word || (tags && !data->tag))
        return heed__error(err, HEED_EINVALID, "%s: there are no sentences%s", what,
                           data->len >= 1 && data->start && data->word ? " with tags" : "");
    if (data->start[0] != 0)
        return heed__error(err, HEED_EINVALID, "%s: the first sentence begins at word %lld, not 0",
                           what, (long long)data->start[0]);
    for (int64_t i = 0; i < data->len; i++) {
        if (data->start[i + 1] < data->start[i])
            return heed__error(
                err, HEED_EINVALID, "%s: sentence %lld ends at word %lld and begins at %lld", what,
                (long long)i + 1, (long long)data->start[i + 1], (long long)data->start[i]);
        if (data->start[i + 1] - data->start[i] > HEED_TAGGER_MAX_LEN)
            return heed__error(err, HEED_EFORMAT, "%s: sentence %lld has %lld words, not 0 to %d",
                               what, (long long)i + 1,
                               (long long)(data->start[i + 1] - data->start[i]),
                               HEED_TAGGER_MAX_LEN);
    }
    for (int64_t w = 0; w < data->start[data->len]; w++)
        if (!data->word[w] || (tags && !data->tag[w]))
            return heed__error(err, HEED_EINVALID, "%s: word %lld or its tag is NULL", what,
                               (long long)w);
    return 0;
}

static int read_tag(const char *text, int64_t w, heed_tag *tag, heed_error *err) {
    if (!heed__tag_parse(text, tag))
        return heed__error(err, HEED_EFORMAT,
                           "tag '%.60s' of word %lld is none: O, or one of B I E S M L U with "
                           "'-' and a type",
                           text, (long long)w + 1);
    const size_t size = strlen(tag->type);
    if (heed__control_at(tag->type, size) == size) return 0;
    return heed__error(err, HEED_EFORMAT,
                       "the tag of word %lld is not UTF-8, or holds a control character",
                       (long long)w + 1);
}

/* Two passes: types first, since each new one moves the numbers of others. */
int heed__tagger_places(const heed_tagged *data, heed_types *types, heed_place *place,
                        heed_tag_scheme *scheme, heed_error *err) {
    heed_scheme_guess guess = { 0 };
    for (int64_t i = 0; i < data->len; i++) {
        heed_tag pair[2]; /* the guess looks at neighbours alone */
        for (int64_t w = data->start[i]; w < data->start[i + 1]; w++) {
            const bool first = w == data->start[i];
            pair[0] = pair[1];
            int rc = read_tag(data->tag[w], w, &pair[1], err);
            if (rc) return rc;
            if (pair[1].place != 'O') rc = heed__types_add(types, pair[1].type);
            if (rc) return heed__error(err, rc, "tags: out of memory");
            heed__scheme_see_next(&guess, first ? NULL : &pair[0], &pair[1]);
        }
    }
    if (types->len > HEED_TAGGER_MAX_TYPES)
        return heed__error(err, HEED_EINVALID, "tags: %lld types, but %d are possible",
                           (long long)types->len, HEED_TAGGER_MAX_TYPES);
    for (int64_t w = 0; w < data->start[data->len]; w++) {
        heed_tag tag;
        heed__tag_parse(data->tag[w], &tag);
        const bool none = tag.place == 'O';
        place[w] = (heed_place){ tag.place, none ? -1 : heed__types_find(types, tag.type) };
    }
    *scheme = heed__scheme_of(&guess);
    return 0;
}

int heed__tagger_inner(const heed_tagged *data, const heed_place *place, int32_t *tag,
                       const heed_hooks *hooks) {
    int64_t longest = 0;
    for (int64_t i = 0; i < data->len; i++)
        if (data->start[i + 1] - data->start[i] > longest)
            longest = data->start[i + 1] - data->start[i];
    heed_chunk *chunk = heed__calloc(hooks, (size_t)longest + 1, sizeof *chunk);
    heed_place *inner = heed__calloc(hooks, (size_t)longest + 1, sizeof *inner);
    for (int64_t i = 0; chunk && inner && i < data->len; i++) {
        const int64_t begin = data->start[i], n = data->start[i + 1] - begin;
        const int64_t count = heed__chunks(place + begin, n, chunk);
        heed__chunk_tags(chunk, count, n, HEED_TAGS_BIOES, inner);
        for (int64_t w = 0; w < n; w++) tag[begin + w] = heed__inner_tag(inner[w]);
    }
    const int rc = chunk && inner ? 0 : HEED_ENOMEM;
    heed__free(hooks, chunk);
    heed__free(hooks, inner);
    return rc;
}

int heed__tagger_gold(const heed_tagger *t, const heed_tagged *data, int32_t *gold,
                      heed_error *err) {
    const heed_hooks *h = &t->hooks;
    const int64_t words = data->start[data->len];
    heed_types types = { .hooks = t->hooks };
    heed_tag_scheme scheme;
    heed_place *place = heed__calloc(h, (size_t)words + 1, sizeof *place);
    int rc = place ? heed__tagger_places(data, &types, place, &scheme, err)
                   : heed__error(err, HEED_ENOMEM, "tags: out of memory");
    if (rc == 0 && heed__tagger_inner(data, place, gold, h))
        rc = heed__error(err, HEED_ENOMEM, "tags: out of memory");
    for (int64_t w = 0; rc == 0 && w < words; w++) {
        heed_place p = heed__inner_place(gold[w]);
        if (p.place == 'O') continue;
        p.type = heed__types_find(&t->types, types.name[p.type]);
        gold[w] = p.type < 0 ? -1 : heed__inner_tag(p);
    }
    heed__types_free(&types);
    heed__free(h, place);
    return rc;
}
