/* dialogues.c: messages to pairs, pairs to questions with their best replies. */
#include "serve/dialogues.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "serve/desk_impl.h"
#include "serve/dialogues_impl.h"

enum { RIVALS = 64 }; /* different replies to one question that are compared */

static int no_memory(heed_error *err) {
    return heed__error(err, HEED_ENOMEM, "import: out of memory");
}

heed_dialogues *heed_dialogues_new(const heed_hooks *hooks, heed_error *err) {
    heed_dialogues *d = heed__calloc(hooks, 1, sizeof *d);
    if (!d) {
        no_memory(err);
        return NULL;
    }
    if (hooks) d->hooks = *hooks;
    heed__strings_init(&d->strings, hooks);
    return d;
}

void heed_dialogues_free(heed_dialogues *d) {
    if (!d) return;
    const heed_hooks hooks = d->hooks;
    heed__free(&hooks, d->pair);
    heed__free(&hooks, d->merged);
    heed__free(&hooks, d->question.text);
    heed__free(&hooks, d->reply.text);
    heed__strings_free(&d->strings);
    heed__free(&hooks, d);
}

heed_dialogues_count heed_dialogues_counted(const heed_dialogues *d) {
    return d->count;
}

/* -- messages --------------------------------------------------------------------------------- */

static int append(heed_dialogues *d, dialogue_text *t, const char *text, size_t size) {
    const int64_t gap = t->len > 0;
    if (heed__grow(&d->hooks, &t->text, &t->cap, t->len + gap + (int64_t)size + 1, 1))
        return HEED_ENOMEM;
    if (gap) t->text[t->len++] = '\n';
    memcpy(t->text + t->len, text, size);
    t->len += (int64_t)size;
    t->text[t->len] = 0;
    return 0;
}

/* The terms of a text, a line each; NULL: out of memory. */
static const char *key_of(heed_dialogues *d, const char *text) {
    heed_terms t;
    heed_term term;
    dialogue_text key = { .text = NULL };
    int rc = append(d, &key, "", 0);
    heed__terms_begin(&t, text, strlen(text));
    while (rc == 0 && heed__terms_next(&t, &term))
        rc = append(d, &key, term.form, (size_t)term.len);
    const char *kept = rc == 0 ? heed__strings_keep(&d->strings, key.text) : NULL;
    heed__free(&d->hooks, key.text);
    return kept;
}

int heed__dialogue_pair(heed_dialogues *d, const char *question, const char *reply,
                        const char *intent, heed_error *err) {
    const char *rest;
    if (heed__desk_talk(question, &rest) != TALK_NONE) {
        d->count.small_talk++;
        return 0;
    }
    dialogue_pair p = { .question = heed__strings_keep(&d->strings, rest),
                        .reply = heed__strings_keep(&d->strings, reply),
                        .intent = intent ? heed__strings_keep(&d->strings, intent) : NULL,
                        .key = key_of(d, rest),
                        .reply_key = key_of(d, reply),
                        .order = d->len };
    if (!p.question || !p.reply || (intent && !p.intent) || !p.key || !p.reply_key ||
        heed__grow(&d->hooks, &d->pair, &d->cap, d->len + 1, sizeof *d->pair))
        return no_memory(err);
    if (!*p.key || !*p.reply_key) return 0; /* marks alone */
    d->pair[d->len++] = p;
    d->count.pairs++;
    return 0;
}

static int end_pair(heed_dialogues *d, heed_error *err) {
    int rc = 0;
    if (d->question.len && d->reply.len)
        rc = heed__dialogue_pair(d, d->question.text, d->reply.text, NULL, err);
    if (d->reply.len) d->question.len = 0;
    d->reply.len = 0;
    return rc;
}

static bool one_of(const char *name, const char *const *names) {
    for (; *names; names++) {
        size_t i = 0;
        while (name[i] && (name[i] | 32) == (*names)[i]) i++;
        if (!name[i] && !(*names)[i]) return true;
    }
    return false;
}

/* Whether it is the customer who speaks; passed: neither of both, such as a system's message. */
static bool asks(heed_dialogues *d, const char *speaker, bool *passed) {
    static const char *const customers[] = { "user",    "customer", "client", "human",
                                             "visitor", "guest",    "caller", NULL };
    static const char *const desks[] = { "assistant", "agent", "support", "bot",  "gpt",
                                         "operator",  "staff", "company", "desk", NULL };
    static const char *const others[] = { "system", "developer", "tool", "function", NULL };
    *passed = speaker && one_of(speaker, others);
    if (!speaker) return d->messages % 2 == 0;
    if (one_of(speaker, customers)) return true;
    if (one_of(speaker, desks)) return false;
    if (d->messages == 0) heed__format(d->first, sizeof d->first, "%s", speaker);
    return strncmp(d->first, speaker, sizeof d->first - 1) == 0;
}

int heed__dialogue_message(heed_dialogues *d, const char *speaker, const char *text,
                           heed_error *err) {
    bool passed;
    const bool customer = asks(d, speaker, &passed);
    const char *rest;
    int rc = 0;
    if (passed) return 0;
    d->messages++;
    if (customer) {
        const int64_t before = d->len;
        if (d->reply.len) rc = end_pair(d, err);
        if (rc == 0 && d->len > before && heed__desk_talk(text, &rest) == TALK_THANKS)
            d->pair[d->len - 1].thanked = true;
    }
    if (rc == 0 && append(d, customer ? &d->question : &d->reply, text, strlen(text)))
        rc = no_memory(err);
    return rc;
}

int heed__dialogue_end(heed_dialogues *d, heed_error *err) {
    const int rc = end_pair(d, err);
    d->count.conversations += d->messages > 0;
    d->messages = d->question.len = d->reply.len = 0;
    d->first[0] = 0;
    return rc;
}

/* -- merging ---------------------------------------------------------------------------------- */

static int by_key(const void *a, const void *b) {
    const dialogue_pair *x = a, *y = b;
    const int order = strcmp(x->key, y->key);
    return order ? order : (x->order > y->order) - (x->order < y->order);
}

static int64_t smallest(int64_t a, int64_t b) {
    return a < b ? a : b;
}

static int64_t lines_in(const char *key) {
    int64_t n = 1;
    for (; *key; key++) n += *key == '\n';
    return n;
}

/* Part of the terms of two keys that both have (Dice). */
static double alike(const char *a, const char *b) {
    int64_t both = 0;
    for (const char *at = a; *at;) {
        const size_t n = strcspn(at, "\n");
        for (const char *of = b; *of;) {
            const size_t m = strcspn(of, "\n");
            if (n == m && memcmp(at, of, n) == 0) {
                both++;
                break;
            }
            of += m + (of[m] != 0);
        }
        at += n + (at[n] != 0);
    }
    return 2 * (double)both / (double)(lines_in(a) + lines_in(b));
}

typedef struct rival {
    const dialogue_pair *pair;
    int64_t votes;
    double likeness;
} rival;

/* The best reply among pairs [0,n) of one question. */
static const dialogue_pair *best_reply(const dialogue_pair *p, int64_t n, int64_t *different) {
    rival r[RIVALS];
    int len = 0, best = 0;
    for (int64_t i = 0; i < n; i++) {
        int k = 0;
        while (k < len && strcmp(r[k].pair->reply_key, p[i].reply_key) != 0) k++;
        if (k == RIVALS) continue;
        if (k == len) r[len++] = (rival){ .pair = &p[i] };
        r[k].votes += 1 + p[i].thanked;
    }
    for (int i = 0; len > 2 && i < len; i++)
        for (int k = 0; k < len; k++)
            if (k != i) r[i].likeness += alike(r[i].pair->reply_key, r[k].pair->reply_key);
    for (int i = 1; i < len; i++)
        if (r[i].votes > r[best].votes ||
            (r[i].votes == r[best].votes && r[i].likeness > r[best].likeness))
            best = i;
    *different = len;
    return r[best].pair;
}

typedef struct ordered {
    heed_pair pair;
    int64_t order;
} ordered;

static int by_order(const void *a, const void *b) {
    const ordered *x = a, *y = b;
    return (x->order > y->order) - (x->order < y->order);
}

int heed_dialogues_merge(heed_dialogues *d, const heed_pair **pair, int64_t *n, heed_error *err) {
    ordered *o = heed__calloc(&d->hooks, (size_t)d->len, sizeof *o);
    heed__free(&d->hooks, d->merged);
    d->merged = heed__calloc(&d->hooks, (size_t)d->len, sizeof *d->merged);
    *n = 0;
    if (!o || !d->merged) {
        heed__free(&d->hooks, o);
        return no_memory(err);
    }
    if (d->len) qsort(d->pair, (size_t)d->len, sizeof *d->pair, by_key);
    for (int64_t at = 0, end; at < d->len; at = end) {
        int64_t different;
        for (end = at + 1; end < d->len && strcmp(d->pair[end].key, d->pair[at].key) == 0;) end++;
        const dialogue_pair *best = best_reply(d->pair + at, end - at, &different);
        o[(*n)++] = (ordered){ { d->pair[at].question, best->reply, best->intent, end - at,
                                 smallest(different, end - at) },
                               d->pair[at].order };
    }
    if (*n) qsort(o, (size_t)*n, sizeof *o, by_order);
    for (int64_t i = 0; i < *n; i++) d->merged[i] = o[i].pair;
    d->count.merged = d->len - *n;
    heed__free(&d->hooks, o);
    *pair = d->merged;
    return 0;
}
