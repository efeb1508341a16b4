/* tok_finish.c: truncation, joining, padding. */
#include <string.h>

#include "base/json.h"
#include "text/tok_post_impl.h"

enum { MOST_TOKENS = 1 << 28, MOST_PAIRED = 1 << 24, MOST_PADDING = 1 << 22 }; /* of all windows */

static int no_room(const char *what, heed_error *err) {
    return heed__error(err, HEED_EINVALID, "truncation: %s", what);
}

/* -- truncation ------------------------------------------------------------------------------- */

/* Keeps the first (or last) `most` tokens; the rest goes to windows of as many, each of which
 * repeats `stride` tokens of the one before. */
static int truncate(heed__tok_work *w, heed__tokens *t, int64_t most, const heed__truncation *how,
                    heed_error *err) {
    if (most >= t->len) return 0;
    if (most == 0) {
        heed__tokens *over = heed__tok_work_alloc(w, sizeof *over, err);
        if (!over) return HEED_ENOMEM;
        *over = *t;
        *t = (heed__tokens){ .over = over, .overs = 1 };
        return 0;
    }
    if (how->stride >= most)
        return no_room("the stride is not less than the room that special tokens leave", err);
    const int64_t step = most - how->stride, windows = (t->len - most + step - 1) / step;
    if (windows > MOST_TOKENS / most)
        return heed__error(err, HEED_EUNSUPPORTED, "truncation: more than %d tokens in all windows",
                           MOST_TOKENS);
    const heed__tokens all = *t;
    t->over = heed__tok_work_alloc(w, (size_t)windows * sizeof *t->over, err);
    if (!t->over) return HEED_ENOMEM;
    for (int64_t i = 0; i <= windows; i++) {
        const int64_t from = how->left ? all.len - i * step - most : i * step;
        const int64_t begin = from < 0 ? 0 : from;
        const int64_t end = how->left               ? all.len - i * step
                            : from + most < all.len ? from + most
                                                    : all.len;
        heed__tokens *to = i == 0 ? t : &t->over[i - 1];
        to->item = all.item + begin;
        to->len = end - begin;
        if (i > 0) to->overs = 0, to->over = NULL;
        if (how->stride == 0) continue;
        heed__token *own = heed__tok_work_alloc(w, (size_t)to->len * sizeof *own, err);
        if (!own) return HEED_ENOMEM; /* windows overlap, and what comes next changes them */
        memcpy(own, to->item, (size_t)to->len * sizeof *own);
        to->item = own;
    }
    t->overs = windows;
    return 0;
}

static int truncate_both(heed__tok_work *w, heed__tokens *t, int64_t most,
                         const heed__truncation *how, heed_error *err) {
    int64_t n[2] = { t[0].len, t[1].len };
    const int less = n[0] > n[1], more = !less;
    if (n[less] > most)
        n[more] = n[less];
    else
        n[more] = n[less] > most - n[less] ? n[less] : most - n[less];
    if (n[0] + n[1] > most) {
        n[less] = most / 2;
        n[more] = n[less] + most % 2;
    }
    const int rc = truncate(w, &t[0], n[0], how, err);
    return rc ? rc : truncate(w, &t[1], n[1], how, err);
}

static int truncate_all(const heed__finish *f, heed__tok_work *w, heed__tokens *t, int n,
                        heed_error *err) {
    const heed__truncation *how = &f->truncation;
    const int64_t added = f->special ? heed__post_adds(f->post, n == 2) : 0;
    const int64_t most = how->most - added;
    const int64_t total = t[0].len + (n == 2 ? t[1].len : 0);
    if (most < 0) return 0; /* the special tokens alone are more: the reference leaves all whole */
    if (most == 0) {
        const int rc = truncate(w, &t[0], 0, how, err);
        return rc || n == 1 ? rc : truncate(w, &t[1], 0, how, err);
    }
    if (total <= most) return 0;
    if (how->strategy == HEED_LONGEST_FIRST)
        return n == 2 ? truncate_both(w, t, most, how, err) : truncate(w, &t[0], most, how, err);
    const int which = how->strategy == HEED_ONLY_SECOND;
    if (which >= n) return no_room("only the second text is to be cut, and there is none", err);
    if (t[which].len <= total - most)
        return no_room("the text that is to be cut is too short for it", err);
    return truncate(w, &t[which], t[which].len - (total - most), how, err);
}

/* -- joining ---------------------------------------------------------------------------------- */

static int join(heed__tok_work *w, const heed__tokens *a, const heed__tokens *b, heed__tokens *out,
                heed_error *err) {
    out->item = heed__tok_work_alloc(w, (size_t)(a->len + b->len) * sizeof *out->item, err);
    if (!out->item) return HEED_ENOMEM;
    if (a->len) memcpy(out->item, a->item, (size_t)a->len * sizeof *out->item);
    if (b->len) memcpy(out->item + a->len, b->item, (size_t)b->len * sizeof *out->item);
    out->len = a->len + b->len;
    out->over = NULL;
    out->overs = 0;
    return 0;
}

/* Windows of a join are all pairs of windows but the first. */
static int join_all(heed__tok_work *w, const heed__tokens *a, const heed__tokens *b,
                    heed__tokens *out, heed_error *err) {
    const int64_t windows = (a->overs + 1) * (b->overs + 1) - 1;
    heed__tokens sum;
    if (windows > 0 && windows > MOST_PAIRED / (a->len + b->len + 1))
        return heed__error(err, HEED_EUNSUPPORTED, "truncation: more than %d tokens in all windows",
                           MOST_PAIRED);
    int rc = join(w, a, b, &sum, err);
    if (rc) return rc;
    if (windows > 0) {
        sum.over = heed__tok_work_alloc(w, (size_t)windows * sizeof *sum.over, err);
        if (!sum.over) return HEED_ENOMEM;
    }
    for (int64_t i = 0; i <= a->overs; i++) {
        const heed__tokens *x = i < a->overs ? &a->over[i]
                                             : a; /* the first one's pairs come last */
        if (i < a->overs && (rc = join(w, x, b, &sum.over[sum.overs++], err)) != 0) return rc;
        for (int64_t k = 0; k < b->overs; k++)
            if ((rc = join(w, x, &b->over[k], &sum.over[sum.overs++], err)) != 0) return rc;
    }
    *out = sum;
    return 0;
}

/* -- padding ---------------------------------------------------------------------------------- */

static int pad(heed__tok_work *w, const heed__padding *p, int64_t to, heed__tokens *t,
               heed_error *err) {
    for (int64_t i = 0; i < t->overs; i++)
        if (pad(w, p, to, &t->over[i], err)) return HEED_ENOMEM;
    if (t->len >= to) return 0;
    heed__token *item = heed__tok_work_alloc(w, (size_t)to * sizeof *item, err);
    if (!item) return HEED_ENOMEM;
    const heed__token one = { .id = p->id,
                              .type = p->type,
                              .word = -1,
                              .sequence = -1,
                              .text = p->text,
                              .size = (uint32_t)strlen(p->text),
                              .special = true };
    const int64_t more = to - t->len;
    if (t->len) memcpy(item + (p->left ? more : 0), t->item, (size_t)t->len * sizeof *item);
    for (int64_t i = 0; i < more; i++) item[p->left ? i : t->len + i] = one;
    t->item = item;
    t->len = to;
    return 0;
}

static int pad_all(const heed__finish *f, heed__tok_work *w, heed__tokens *t, heed_error *err) {
    const heed__padding *p = &f->padding;
    int64_t to = p->longest ? (t->len > f->longest ? t->len : f->longest) : p->fixed;
    if (p->multiple > 0 && to % p->multiple) to += p->multiple - to % p->multiple;
    if (to > MOST_TOKENS || (t->overs > 0 && to > MOST_TOKENS / t->overs))
        return heed__error(err, HEED_EUNSUPPORTED, "padding: more than %d tokens", MOST_TOKENS);
    int64_t more = to > t->len ? to - t->len : 0;
    for (int64_t i = 0; i < t->overs; i++) more += to > t->over[i].len ? to - t->over[i].len : 0;
    if (more > MOST_PADDING)
        return heed__error(err, HEED_EUNSUPPORTED, "padding: more than %d tokens of it",
                           MOST_PADDING);
    return pad(w, p, to, t, err);
}

int heed__finish_tokens(const heed__finish *f, heed__tok_work *w, heed__tokens *t, int n,
                        heed__tokens *out, heed_error *err) {
    int rc = f->truncation.most > 0 ? truncate_all(f, w, t, n, err) : 0;
    for (int i = 0; f->no_overflow && i < n; i++) t[i].overs = 0;
    heed__parts l = { t, n };
    if (rc == 0 && f->post) rc = heed__post_run(f->post, w, &l, f->special, f->text, err);
    heed__tokens sum = l.len > 0 ? l.item[0] : (heed__tokens){ 0 };
    for (int64_t i = 1; rc == 0 && i < l.len; i++) rc = join_all(w, &sum, &l.item[i], &sum, err);
    if (rc == 0 && f->padding.on) rc = pad_all(f, w, &sum, err);
    *out = sum;
    return rc;
}

/* -- reading ---------------------------------------------------------------------------------- */

static int one_of(heed_fields *f, const char *key, const char *const *names, int otherwise) {
    if (!heed__field_has(f, key)) return otherwise;
    const char *text = heed__field_text(f, key);
    for (int i = 0; f->status == 0 && names[i]; i++)
        if (strcmp(text, names[i]) == 0) return i;
    if (f->status == 0)
        f->status = heed__error(f->err, HEED_EUNSUPPORTED, "%s: there is no %s '%.60s'", f->name,
                                key, text);
    return otherwise;
}

static const char *const sides[] = { "Left", "Right", NULL };

int heed__truncation_read(const json_t *object, const char *name, heed__truncation *t,
                          heed_error *err) {
    static const char *const strategies[] = { "LongestFirst", "OnlyFirst", "OnlySecond", NULL };
    heed_fields f = { .object = object, .name = name, .err = err };
    memset(t, 0, sizeof *t);
    if (!object || json_is_null(object)) return 0;
    t->most = heed__field_int(&f, "max_length", 0, INT64_MAX);
    if (t->most > INT32_MAX) t->most = INT32_MAX; /* "none", as some write it */
    t->stride = heed__field_int(&f, "stride", 0, INT32_MAX);
    t->left = one_of(&f, "direction", sides, 1) == 0;
    const int s = one_of(&f, "strategy", strategies, 0);
    t->strategy = s == 1 ? HEED_ONLY_FIRST : s == 2 ? HEED_ONLY_SECOND : HEED_LONGEST_FIRST;
    if (f.status == 0 && t->most == 0)
        return heed__error(err, HEED_EINVALID, "%s: max_length is 0", name);
    return f.status;
}

int heed__padding_read(const json_t *object, const char *name, heed__padding *p, heed_error *err) {
    heed_fields f = { .object = object, .name = name, .err = err };
    memset(p, 0, sizeof *p);
    if (!object || json_is_null(object)) return 0;
    const json_t *strategy = json_object_get(object, "strategy");
    const json_t *fixed = json_object_get(strategy, "Fixed");
    const json_t *multiple = json_object_get(object, "pad_to_multiple_of");
    p->on = true;
    p->left = one_of(&f, "direction", sides, 1) == 0;
    p->id = (int32_t)heed__field_int(&f, "pad_id", 0, INT32_MAX);
    p->type = (int32_t)heed__field_int(&f, "pad_type_id", 0, INT32_MAX);
    p->text = heed__field_text(&f, "pad_token");
    if (multiple && !json_is_null(multiple))
        p->multiple = heed__field_int(&f, "pad_to_multiple_of", 0, INT32_MAX);
    if (f.status) return f.status;
    if (json_is_integer(fixed) && json_integer_value(fixed) >= 0 &&
        json_integer_value(fixed) <= INT32_MAX) {
        p->fixed = json_integer_value(fixed);
        return 0;
    }
    p->longest = json_is_string(strategy) &&
                 strcmp(json_string_value(strategy), "BatchLongest") == 0;
    if (p->longest) return 0;
    return heed__error(err, HEED_EUNSUPPORTED, "%s: strategy is neither BatchLongest nor Fixed",
                       name);
}
