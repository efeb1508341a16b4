/* dataset_read.c: all examples of a file in memory, and how many two sets share. */
#include <string.h>

#include "base/hash.h"
#include "base/text.h"
#include "io/dataset.h"
#include "io/strings.h"

typedef struct holder {
    heed_hooks hooks;
    heed_strings strings;
    int64_t text_cap, text2_cap, label_cap, all_cap, first_cap, line_cap, labels;
} holder;

/* A label; one equal to the last of all is that one. */
static const char *keep_label(heed_dataset *d, holder *h, const char *label) {
    const char *last = h->labels ? d->all[h->labels - 1] : NULL;
    return last && strcmp(last, label) == 0 ? last : heed__strings_keep(&h->strings, label);
}

static int add(heed_dataset *d, holder *h, const heed_example *e) {
    const int64_t i = d->len;
    const heed_hooks *hooks = &h->hooks;
    if (heed__grow(hooks, &d->text, &h->text_cap, i + 1, sizeof *d->text) ||
        heed__grow(hooks, &d->label, &h->label_cap, i + 1, sizeof *d->label) ||
        heed__grow(hooks, &d->line, &h->line_cap, i + 1, sizeof *d->line) ||
        heed__grow(hooks, &d->first, &h->first_cap, i + 2, sizeof *d->first) ||
        heed__grow(hooks, &d->all, &h->all_cap, h->labels + e->labels, sizeof *d->all) ||
        (e->text2 && heed__grow(hooks, &d->text2, &h->text2_cap, i + 1, sizeof *d->text2)))
        return HEED_ENOMEM;
    d->first[i] = h->labels;
    for (int64_t j = 0; j < e->labels; j++) {
        const char *label = keep_label(d, h, e->label[j]);
        if (!label) return HEED_ENOMEM;
        d->all[h->labels++] = label;
    }
    d->text[i] = heed__strings_keep(&h->strings, e->text);
    d->label[i] = e->labels ? d->all[d->first[i]] : NULL;
    if (e->text2) d->text2[i] = heed__strings_keep(&h->strings, e->text2);
    d->line[i] = e->line;
    d->first[i + 1] = h->labels;
    d->several |= e->labels > 1;
    d->len++;
    return d->text[i] && (!e->text2 || d->text2[i]) ? 0 : HEED_ENOMEM;
}

static int collect(heed_dataset *d, heed_dataset_stream *s, const char *name,
                   const heed_dataset_cfg *cfg, heed_error *err) {
    heed_example e;
    int got = 0;
    *d = (heed_dataset){ 0 };
    holder *h = s ? heed__calloc(cfg->hooks, 1, sizeof *h) : NULL;
    if (!s) return -1;
    if (!h) {
        got = heed__error(err, HEED_ENOMEM, "%s: out of memory", name);
    } else {
        if (cfg->hooks) h->hooks = *cfg->hooks;
        heed__strings_init(&h->strings, &h->hooks);
        d->memory = h;
        while ((got = heed__dataset_next(s, &e, err)) > 0) {
            if (add(d, h, &e)) {
                got = heed__error(err, HEED_ENOMEM, "%s: out of memory", name);
                break;
            }
        }
    }
    if (got == 0 && d->len == 0) got = heed__error(err, HEED_EFORMAT, "%s: no line of data", name);
    heed__format(d->how, sizeof d->how, "%s", heed__dataset_how(s));
    d->placed = heed__dataset_placed(s);
    heed__dataset_close(s);
    if (got) heed__dataset_free(d);
    return got;
}

int heed__dataset_read(heed_dataset *d, const char *path, const heed_dataset_cfg *cfg,
                       heed_error *err) {
    heed_error own = { 0 };
    if (!err) err = &own;
    const int rc = collect(d, heed__dataset_open(path, cfg, err),
                           strcmp(path, "-") == 0 ? "standard input" : path, cfg, err);
    return rc ? err->code : 0;
}

int heed__dataset_parse(heed_dataset *d, const char *bytes, size_t size, const char *name,
                        const heed_dataset_cfg *cfg, heed_error *err) {
    heed_error own = { 0 };
    if (!err) err = &own;
    const int rc = collect(d, heed__dataset_from(bytes, size, name, cfg, err), name, cfg, err);
    return rc ? err->code : 0;
}

void heed__dataset_free(heed_dataset *d) {
    holder *h = d->memory;
    if (!h) return;
    const heed_hooks hooks = h->hooks;
    heed__strings_free(&h->strings);
    heed__free(&hooks, d->text);
    heed__free(&hooks, d->text2);
    heed__free(&hooks, d->label);
    heed__free(&hooks, d->all);
    heed__free(&hooks, d->first);
    heed__free(&hooks, d->line);
    heed__free(&hooks, h);
    *d = (heed_dataset){ 0 };
}

/* -- what two sets share ---------------------------------------------------------------------- */

/* Texts by their hash: slot gives the first example of a text plus one, next the one after it with
 * the same text and another label. */
typedef struct text_index {
    const heed_dataset *d;
    int64_t *slot, *next;
    uint64_t mask;
} text_index;

static uint64_t hash(const heed_dataset *d, int64_t i) {
    uint64_t h = heed__hash_text(HEED_HASH_BEGIN, d->text[i]);
    h *= 0x9e3779b97f4a7c15u;
    h = heed__hash_text(h, d->text2 ? d->text2[i] : "");
    return h ^ h >> 32;
}

static bool same_text(const heed_dataset *a, int64_t i, const heed_dataset *b, int64_t j) {
    const char *x = a->text2 ? a->text2[i] : "", *y = b->text2 ? b->text2[j] : "";
    return strcmp(a->text[i], b->text[j]) == 0 && strcmp(x, y) == 0;
}

static bool same_labels(const heed_dataset *a, int64_t i, const heed_dataset *b, int64_t j) {
    const int64_t n = a->first[i + 1] - a->first[i];
    if (n != b->first[j + 1] - b->first[j]) return false;
    for (int64_t k = 0; k < n; k++)
        if (strcmp(a->all[a->first[i] + k], b->all[b->first[j] + k]) != 0) return false;
    return true;
}

/* The slot of b's text j, filled or the empty one where it would go. */
static int64_t *slot_of(const text_index *x, const heed_dataset *b, int64_t j) {
    uint64_t at = hash(b, j) & x->mask;
    while (x->slot[at] && !same_text(x->d, x->slot[at] - 1, b, j)) at = (at + 1) & x->mask;
    return &x->slot[at];
}

/* Whether one of those with the text in slot has b's labels j. */
static bool has_labels(const text_index *x, const int64_t *slot, const heed_dataset *b, int64_t j) {
    for (int64_t i = *slot; i; i = x->next[i - 1])
        if (same_labels(x->d, i - 1, b, j)) return true;
    return false;
}

static void insert(text_index *x, int64_t i) {
    int64_t *slot = slot_of(x, x->d, i);
    if (*slot && has_labels(x, slot, x->d, i)) return;
    x->next[i] = *slot;
    *slot = i + 1;
}

int64_t heed__dataset_overlap(const heed_dataset *a, const heed_dataset *b, int64_t *other,
                              heed_error *err) {
    const holder *h = a->memory;
    const heed_hooks *hooks = h ? &h->hooks : NULL;
    text_index x = { .d = a, .mask = 15 };
    while (x.mask < 2 * (uint64_t)a->len) x.mask = 2 * x.mask + 1;
    x.slot = heed__calloc(hooks, x.mask + 1, sizeof *x.slot);
    x.next = heed__calloc(hooks, (size_t)a->len, sizeof *x.next);
    int64_t found = 0, differ = 0;
    if (x.slot && x.next) {
        for (int64_t i = 0; a != b && i < a->len; i++) insert(&x, i);
        for (int64_t j = 0; j < b->len; j++) {
            const int64_t *slot = slot_of(&x, b, j);
            found += *slot != 0;
            differ += *slot && !has_labels(&x, slot, b, j);
            if (a == b) insert(&x, j);
        }
    } else {
        found = heed__error(err, HEED_ENOMEM, "out of memory while texts are compared");
    }
    heed__free(hooks, x.slot);
    heed__free(hooks, x.next);
    if (other) *other = differ;
    return found;
}
