/* desk_follow.c: what a message means: its intent, its vector, and what "it" is. "How long does
 * that take?" is read with each thing that was spoken of before in the place of "that"; what the
 * model says of these readings is averaged, the more the desk's texts speak of a thing the more it
 * counts, and the likeliest reading is what is looked up. "And my account?" is the message before
 * with another thing in it. */
#include <string.h>

#include "serve/desk_impl.h"

enum { THINGS = 24 };

static int no_memory(heed_error *err) {
    return heed__error(err, HEED_ENOMEM, "desk: out of memory");
}

/* -- words that refer ------------------------------------------------------------------------- */

static const char *const it_words[] = {
    "it", "that", "this", "them", "those", "these", "one", NULL
};
/* Behind these the word before them points at nothing that was said: "it is possible", "that I". */
static const char *const empty_next[] = { "possible", "i", "you", "we", "seem", "necessary", NULL };
static const char *const pointing[] = { "that", "this", "those", "these", "one", NULL };

/* Whether a mark that ends a clause lies between. */
static bool parted(const char *text, size_t begin, size_t end) {
    for (size_t at = begin; at < end; at++)
        if (strchr(",.;:!?\n", text[at])) return true;
    return false;
}

/* Finds the word that stands for something said before; false: none, or for something that the
 * message itself names in an earlier clause. */
static bool find_it(const heed_desk *d, const char *text, heed_term *it) {
    heed_terms t;
    heed_term next;
    heed_thing thing[THINGS];
    bool found = false;
    heed__terms_begin(&t, text, strlen(text));
    while (!found && heed__terms_next(&t, it)) {
        if (!heed__term_is_any(it, it_words)) continue;
        heed_terms ahead = t;
        const bool more = heed__terms_next(&ahead, &next) && !parted(text, it->end, next.begin);
        if (more && heed__term_is_any(&next, empty_next)) continue;
        if (more && heed__term_is_any(it, pointing) && !next.common) {
            const int n = heed__nouns_find(&d->nouns, text, thing, THINGS);
            bool names = false; /* "this order" names it */
            for (int i = 0; i < n; i++)
                names |= thing[i].begin <= next.begin && thing[i].end >= next.end;
            if (names) continue;
        }
        found = true;
    }
    const int n = found ? heed__nouns_find(&d->nouns, text, thing, THINGS) : 0;
    for (int i = 0; i < n; i++)
        if (thing[i].end <= it->begin && parted(text, thing[i].end, it->begin)) return false;
    return found;
}

/* "and X", "what about X", "how about X": where X begins; 0: not of that kind. */
static size_t find_and(const char *text) {
    static const char *const first[] = { "and", "what", "how", NULL };
    static const char *const about[] = { "about", NULL };
    static const char *const and_word[] = { "and", NULL };
    heed_terms t;
    heed_term term, second;
    heed__terms_begin(&t, text, strlen(text));
    if (!heed__terms_next(&t, &term) || !heed__term_is_any(&term, first)) return 0;
    if (!heed__terms_next(&t, &second)) return 0;
    if (heed__term_is_any(&second, about)) return heed__terms_next(&t, &second) ? second.begin : 0;
    return heed__term_is_any(&term, and_word) ? second.begin : 0;
}

/* -- readings --------------------------------------------------------------------------------- */

typedef struct readings {
    char *text[THINGS];
    double weight[THINGS];
    int len;
} readings;

static void free_readings(const heed_hooks *hooks, readings *r) {
    for (int i = 0; i < r->len; i++) heed__free(hooks, r->text[i]);
    r->len = 0;
}

/* text with bytes [begin,end) replaced by size bytes of other. */
static char *replace(const heed_hooks *hooks, const char *text, size_t begin, size_t end,
                     const char *other, size_t size) {
    const size_t len = strlen(text);
    char *to = heed__malloc(hooks, len - (end - begin) + size + 1);
    if (!to) return NULL;
    memcpy(to, text, begin);
    memcpy(to + begin, other, size);
    memcpy(to + begin + size, text + end, len - end + 1);
    return to;
}

static int with_it(heed_desk *d, const char *text, const heed_term *it, const char *before,
                   readings *r, heed_error *err) {
    heed_thing thing[THINGS];
    const int n = heed__nouns_find(&d->nouns, before, thing, THINGS);
    for (int i = 0; i < n; i++) {
        char *own = replace(&d->hooks, text, it->begin, it->end, before + thing[i].begin,
                            thing[i].end - thing[i].begin);
        if (!own) return no_memory(err);
        r->weight[r->len] = thing[i].weight;
        r->text[r->len++] = own;
    }
    return 0;
}

static int with_other(heed_desk *d, const char *text, size_t from, const char *before, readings *r,
                      heed_error *err) {
    heed_thing own[THINGS], thing[THINGS];
    const int m = heed__nouns_find(&d->nouns, text + from, own, THINGS);
    const int n = m ? heed__nouns_find(&d->nouns, before, thing, THINGS) : 0;
    const size_t size = m ? own[0].end - own[0].begin : 0;
    for (int i = 0; i < n; i++) {
        char *made = replace(&d->hooks, before, thing[i].begin, thing[i].end,
                             text + from + own[0].begin, size);
        if (!made) return no_memory(err);
        r->weight[r->len] = thing[i].weight;
        r->text[r->len++] = made;
    }
    return 0;
}

/* The last message that names a thing, as it was understood. */
static const char *before_this(const heed_desk *d, const desk_state *s) {
    heed_thing thing;
    for (int i = s->turns - 1; i >= 0; i--)
        if (s->turn[i].read && heed__nouns_find(&d->nouns, s->turn[i].read, &thing, 1) > 0)
            return s->turn[i].read;
    return NULL;
}

static int make_readings(heed_desk *d, const desk_state *s, const char *text, readings *r,
                         heed_error *err) {
    const char *before = before_this(d, s);
    heed_term it;
    size_t from;
    if (!before || strlen(text) + strlen(before) > DESK_TEXT_MOST) return 0;
    if (find_it(d, text, &it)) return with_it(d, text, &it, before, r, err);
    if ((from = find_and(text)) > 0) return with_other(d, text, from, before, r, err);
    return 0;
}

/* Puts the mean of what is said of the readings into probs [K], and the likeliest one into
 * *likeliest. */
static int weigh(heed_desk *d, const readings *r, float *probs, int *likeliest, heed_error *err) {
    const int64_t labels = d->mind.labels;
    float *each = heed__calloc(&d->hooks, (size_t)(labels * r->len), sizeof *each);
    if (!each) return no_memory(err);
    const int rc = heed__mind_intents(&d->mind, r->len, (const char *const *)r->text, each, err);
    double all = 0, most = -1;
    for (int i = 0; i < r->len; i++) all += r->weight[i];
    for (int64_t k = 0; rc == 0 && k < labels; k++) {
        double sum = 0;
        for (int i = 0; i < r->len; i++) sum += r->weight[i] * (double)each[i * labels + k];
        probs[k] = (float)(sum / all);
    }
    int64_t best = 0;
    for (int64_t k = 1; rc == 0 && k < labels; k++)
        if (probs[k] > probs[best]) best = k;
    for (int i = 0; rc == 0 && i < r->len; i++) {
        const double says = r->weight[i] * (double)each[i * labels + best];
        if (says > most) *likeliest = i, most = says;
    }
    heed__free(&d->hooks, each);
    return rc;
}

/* -- reading ---------------------------------------------------------------------------------- */

static int read_intent(heed_desk *d, const readings *r, desk_reading *to, int *likeliest,
                       heed_error *err) {
    desk_mind *m = &d->mind;
    const char *text = to->text;
    if (!m->intent) {
        for (int i = 1; i < r->len; i++)
            if (r->weight[i] > r->weight[*likeliest]) *likeliest = i;
        return 0;
    }
    to->probs = heed__calloc(&d->hooks, (size_t)m->labels, sizeof *to->probs);
    if (!to->probs) return no_memory(err);
    const int rc = r->len ? weigh(d, r, to->probs, likeliest, err)
                          : heed__mind_intents(m, 1, &text, to->probs, err);
    if (rc) return rc;
    to->best = 0;
    for (int64_t k = 1; k < m->labels; k++)
        if (to->probs[k] > to->probs[to->best]) to->best = k;
    to->p = (double)to->probs[to->best];
    return heed__mind_scope(m, r->len ? r->text[*likeliest] : text, &to->in_scope, err);
}

static int read_vector(heed_desk *d, desk_reading *r, heed_error *err) {
    const char *text = r->text;
    if (!d->mind.embedder) return 0;
    r->vector = heed__calloc(&d->hooks, (size_t)d->mind.dim, sizeof *r->vector);
    return r->vector ? heed__mind_embed(&d->mind, 1, &text, r->vector, err) : no_memory(err);
}

int heed__desk_read(heed_desk *d, const desk_state *s, const char *text, desk_reading *r,
                    heed_error *err) {
    readings made = { .len = 0 };
    int likeliest = 0;
    *r = (desk_reading){ .best = -1, .in_scope = true };
    r->text = heed__strdup(&d->hooks, text);
    int rc = r->text ? make_readings(d, s, text, &made, err) : no_memory(err);
    if (rc == 0) rc = read_intent(d, &made, r, &likeliest, err);
    if (rc == 0 && made.len) {
        heed__free(&d->hooks, r->text);
        r->text = made.text[likeliest];
        made.text[likeliest] = NULL;
        r->follows = true;
    }
    if (rc == 0) rc = read_vector(d, r, err);
    free_readings(&d->hooks, &made);
    return rc;
}

void heed__desk_reading_free(const heed_hooks *hooks, desk_reading *r) {
    heed__free(hooks, r->text);
    heed__free(hooks, r->probs);
    heed__free(hooks, r->vector);
    *r = (desk_reading){ .best = -1 };
}
