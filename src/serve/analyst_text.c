/* analyst_text.c: one text by one analysis, in the shapes of the HTTP interface. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "serve/analyst_impl.h"
#include "tasks/classifier.h"

enum { DIGITS = 8, TOP = 5, WORDS = 1024, TAKEN = 5, DRAWS = 8 };

/* -- labels ----------------------------------------------------------------------------------- */

static void put_labels(heed_text *l, const heed_served *m, const float *probs, const int *top,
                       int n) {
    heed__text_puts(l, "[");
    for (int i = 0; i < n; i++) {
        heed__text_puts(l, i ? ",{\"label\":" : "{\"label\":");
        heed__json_put_string(l, heed_served_label(m, top[i]));
        heed__text_puts(l, ",\"score\":");
        heed__json_put_part(l, (double)probs[top[i]], DIGITS);
        heed__text_puts(l, "}");
    }
    heed__text_puts(l, "]");
}

/* {"label","confidence","labels":[..],"abstained","tokens_seen","tokens_total"} of text i, or the
 * labels alone. */
static void put_classified(heed_text *l, const heed_analyst *a, const analysis *k,
                           const heed_said *said, int64_t i, const heed_asked *asked) {
    const heed_served *m = a->model[k->model];
    const float *probs = said->probs + i * said->labels;
    int top[VERDICT_TOP];
    const int64_t most = asked->most ? asked->most : TOP;
    const int n = heed__likeliest(probs, said->labels, top,
                                  most < VERDICT_TOP ? (int)most : VERDICT_TOP);
    const verdict v = heed__verdict(a, k, said, i, top[0]);
    if (asked->labels) {
        put_labels(l, m, probs, top, v.label ? n : 0);
        return;
    }
    heed__text_puts(l, "{\"label\":");
    heed__json_put_string(l, v.label);
    heed__text_puts(l, ",\"confidence\":");
    heed__json_put_part(l, v.confidence, DIGITS);
    heed__text_puts(l, ",\"labels\":");
    put_labels(l, m, probs, top, v.label ? n : 0);
    heed__text_puts(l, v.abstained ? ",\"abstained\":true,\"tokens_seen\":"
                                   : ",\"abstained\":false,\"tokens_seen\":");
    heed__json_put_int(l, said->seen[i]);
    heed__text_puts(l, ",\"tokens_total\":");
    heed__json_put_int(l, said->total[i]);
    heed__text_puts(l, "}");
}

json_t *heed_analyst_classify(heed_analyst *a, const char *name, const char *text,
                              heed_error *err) {
    const analysis *k = heed__analysis_find(a, name, ANALYSIS_CLASSIFY, err);
    heed_said said = { 0 };
    if (!k || heed_served_ask(a->model[k->model], 1, &text, &said, err) != 0) return NULL;
    heed_text l = { .hooks = &a->hooks };
    put_classified(&l, a, k, &said, 0, &(heed_asked){ 0 });
    json_t *answer = l.failed ? NULL : json_loadb(l.bytes, (size_t)l.len, 0, NULL);
    heed__text_free(&l);
    heed_said_free(&said);
    if (!answer) heed__error(err, HEED_ENOMEM, "classify: out of memory");
    return answer;
}

/* -- asked now, answered with others ---------------------------------------------------------- */

typedef struct asking {
    heed_question q;
    heed_analyst *a;
    const analysis *k;
    heed_asked *asked;
} asking;

static void tell(asking *x, const heed_error *err) {
    heed_asked *asked = x->asked;
    const heed_said *said = &x->q.said;
    if (err->code || asked->vectors) {
        asked->done(asked, NULL, err->code ? NULL : said->vector, said->dim, err);
        return;
    }
    heed_error own = { 0 };
    heed_text l = { .hooks = &x->a->hooks };
    const char *one = NULL, **answer = &one;
    if (asked->n > 1) answer = heed__calloc(&x->a->hooks, (size_t)asked->n, sizeof *answer);
    for (int64_t i = 0; answer && i < asked->n; i++) {
        put_classified(&l, x->a, x->k, said, i, asked);
        heed__text_add(&l, "", 1); /* ends one text; the next begins after it */
    }
    const char *at = l.bytes;
    for (int64_t i = 0; answer && !l.failed && i < asked->n; i++, at += strlen(at) + 1)
        answer[i] = at;
    const bool ok = answer && !l.failed;
    if (!ok) heed__error(&own, HEED_ENOMEM, "classify: out of memory");
    asked->done(asked, ok ? answer : NULL, NULL, 0, &own);
    if (answer != &one) heed__free(&x->a->hooks, answer);
    heed__text_free(&l);
}

static void asking_done(heed_job *job, int status, const heed_error *err) {
    asking *x = job->user;
    heed_analyst *a = x->a;
    heed_error none = { 0 };
    tell(x, status ? err : &none);
    heed_said_free(&x->q.said);
    heed__free(&a->hooks, x);
    heed_analyst_drop(a); /* who asked may have dropped it */
}

int heed_analyst_ask(heed_analyst *a, heed_asked *asked, heed_error *err) {
    const analysis *k = heed__analysis_find(
        a, asked->analysis, asked->vectors ? ANALYSIS_EMBED : ANALYSIS_CLASSIFY, err);
    if (!k) return err->code;
    asking *x = heed__calloc(&a->hooks, 1, sizeof *x);
    if (!x) return heed__error(err, HEED_ENOMEM, "classify: out of memory");
    x->a = a;
    x->k = k;
    x->asked = asked;
    x->q.job = (heed_job){ .n = asked->n, .text = asked->text, .done = asking_done, .user = x };
    x->q.said.want_vectors = asked->vectors;
    heed_analyst_hold(a);
    if (heed_served_ask_later(a->model[k->model], &x->q)) return 0;
    heed_analyst_drop(a);
    heed__free(&a->hooks, x);
    return heed__error(err, HEED_EIO, "too many texts are waiting for the model %s",
                       heed_served_id(a->model[k->model]));
}

bool heed_analyst_is_light(heed_analyst *a, const char *name, bool vectors) {
    const analysis *k = heed__analysis_find(a, name, vectors ? ANALYSIS_EMBED : ANALYSIS_CLASSIFY,
                                            NULL);
    return !k || !heed_served_heavy(a->model[k->model]);
}

float *heed_analyst_embed(heed_analyst *a, const char *name, int64_t n, const char *const *text,
                          int64_t *dim, heed_error *err) {
    const analysis *k = heed__analysis_find(a, name, ANALYSIS_EMBED, err);
    heed_said said = { .want_vectors = true };
    if (!k || heed_served_ask(a->model[k->model], n, text, &said, err) != 0) return NULL;
    float *vector = said.vector;
    *dim = said.dim;
    said.vector = NULL;
    heed_said_free(&said);
    return vector;
}

/* -- entities --------------------------------------------------------------------------------- */

/* UTF-16 units of the first n bytes. */
static int64_t units(const char *text, size_t n) {
    int64_t all = 0;
    for (size_t i = 0; i < n; i++) {
        const unsigned char c = (unsigned char)text[i];
        all += (c & 0xc0) != 0x80; /* a character begins */
        all += c >= 0xf0;          /* a pair of surrogates */
    }
    return all;
}

static json_t *stretch(const char *text, size_t begin, size_t end) {
    return json_pack("{s:I, s:I, s:I, s:I, s:s%}", "begin", (json_int_t)begin, "end",
                     (json_int_t)end, "from", (json_int_t)units(text, begin), "to",
                     (json_int_t)units(text, end), "text", text + begin, end - begin);
}

json_t *heed_analyst_tag(heed_analyst *a, const char *name, const char *text, heed_error *err) {
    const analysis *k = heed__analysis_find(a, name, ANALYSIS_TAG, err);
    if (!k) return NULL;
    heed_arena arena;
    heed__arena_init(&arena, &a->hooks);
    heed_entity *e;
    const int64_t n = heed__entities(a, k, text, &arena, &e, err);
    json_t *list = n < 0 ? NULL : json_array();
    for (int64_t i = 0; i < n; i++) {
        json_t *one = stretch(text, e[i].begin, e[i].end);
        json_object_set_new(one, "type", json_string(e[i].type));
        json_object_set_new(one, "confidence", json_real((double)e[i].confidence));
        json_array_append_new(list, one);
    }
    heed__arena_free(&arena);
    return list ? json_pack("{s:o}", "entities", list) : NULL;
}

/* -- why: attended words, and what the answer is without them --------------------------------- */

typedef struct reason {
    heed_analyst *a;
    const analysis *k;
    const char *text;
    heed_explanation x;
    heed_label top[TOP];
    heed_attended word[WORDS];
    int64_t taken[TAKEN]; /* words that most of the attention goes to, in reading order */
    int64_t taken_len;
} reason;

/* The most attended words that together have half of the attention, at most TAKEN and not all. */
static void choose_taken(reason *r) {
    bool used[WORDS] = { false };
    double sum = 0;
    while (r->taken_len < TAKEN && r->taken_len + 1 < r->x.word_len && sum < 0.5) {
        int64_t best = -1;
        for (int64_t i = 0; i < r->x.word_len; i++)
            if (!used[i] && (best < 0 || r->word[i].weight > r->word[best].weight)) best = i;
        if (best < 0 || r->word[best].weight <= 0) break;
        used[best] = true;
        sum += (double)r->word[best].weight;
        r->taken_len++;
    }
    int64_t at = 0;
    for (int64_t i = 0; i < r->x.word_len; i++)
        if (used[i]) r->taken[at++] = i;
}

/* The text without words out [n], in reading order; heed__free. */
static char *without(const reason *r, const int64_t *out, int64_t n) {
    const size_t size = strlen(r->text);
    char *rest = heed__malloc(&r->a->hooks, size + 1);
    size_t at = 0, len = 0;
    for (int64_t i = 0; rest && i < n; i++) {
        const heed_attended *w = &r->word[out[i]];
        if (w->begin < at) continue;
        memcpy(rest + len, r->text + at, w->begin - at);
        len += w->begin - at;
        at = w->end;
    }
    if (rest) memcpy(rest + len, r->text + at, size - at + 1);
    return rest;
}

/* n different words, in reading order. */
static void draw(heed_rng *rng, int64_t words, int64_t n, int64_t *out) {
    for (int64_t i = 0; i < words && n > 0; i++)
        if ((int64_t)heed_rng_below(rng, (uint64_t)(words - i)) < n) {
            *out++ = i;
            n--;
        }
}

static json_t *without_attended(const reason *r, const heed_said *said, int right) {
    const float *p = said->probs;
    int best;
    heed__likeliest(p, said->labels, &best, 1);
    json_t *removed = json_array();
    for (int64_t i = 0; i < r->taken_len; i++) {
        const heed_attended *w = &r->word[r->taken[i]];
        json_array_append_new(removed, stretch(r->text, w->begin, w->end));
    }
    return json_pack("{s:s, s:f, s:f, s:o}", "label",
                     heed_served_label(r->a->model[r->k->model], best), "confidence",
                     (double)p[best], "confidence_in_label", (double)p[right], "removed", removed);
}

/* The label that most draws have (of equals the first drawn), means over all draws. */
static json_t *without_random(const reason *r, const heed_said *said, int right) {
    int best[DRAWS], most = 0;
    double confidence = 0, in_label = 0;
    int64_t draws = said->n - 1, same = 0;
    for (int64_t i = 0; i < draws; i++) {
        const float *p = said->probs + (i + 1) * said->labels;
        heed__likeliest(p, said->labels, &best[i], 1);
        confidence += (double)p[best[i]];
        in_label += (double)p[right];
        same += best[i] == right;
    }
    int64_t votes = 0;
    for (int i = 0; i < draws; i++) {
        int64_t n = 0;
        for (int j = 0; j < draws; j++) n += best[j] == best[i];
        if (n > votes) most = best[i];
        if (n > votes) votes = n;
    }
    const double n = draws > 0 ? (double)draws : 1;
    return json_pack("{s:s, s:f, s:f, s:I, s:I}", "label",
                     heed_served_label(r->a->model[r->k->model], most), "confidence",
                     confidence / n, "confidence_in_label", in_label / n, "draws",
                     (json_int_t)draws, "same_label", (json_int_t)same);
}

/* NULL and *err on failure; json null where there is nothing that could be left out. */
static json_t *receipt(const reason *r, int right, heed_error *err) {
    if (r->taken_len == 0 || r->x.word_len < 2) return json_null();
    char *text[DRAWS + 1] = { without(r, r->taken, r->taken_len) };
    heed_rng rng = { .seed = heed__hash_text(HEED_HASH_BEGIN, r->text) };
    bool ok = text[0] != NULL;
    for (int i = 1; i <= DRAWS; i++) {
        int64_t out[TAKEN];
        draw(&rng, r->x.word_len, r->taken_len, out);
        text[i] = without(r, out, r->taken_len);
        ok = ok && text[i];
    }
    heed_said said = { 0 };
    json_t *answer = NULL;
    if (!ok)
        heed__error(err, HEED_ENOMEM, "explain: out of memory");
    else if (heed_served_ask(r->a->model[r->k->model], DRAWS + 1, (const char *const *)text, &said,
                             err) == 0)
        answer = json_pack("{s:o, s:o}", "without_attended", without_attended(r, &said, right),
                           "without_random", without_random(r, &said, right));
    heed_said_free(&said);
    for (int i = 0; i <= DRAWS; i++) heed__free(&r->a->hooks, text[i]);
    return answer;
}

static int number_of(const heed_served *m, const char *label) {
    for (int i = 0; i < (int)heed_served_labels(m); i++)
        if (strcmp(heed_served_label(m, i), label) == 0) return i;
    return 0;
}

static json_t *reason_tree(reason *r, heed_error *err) {
    const heed_explanation *x = &r->x;
    const heed_served *m = r->a->model[r->k->model];
    choose_taken(r);
    json_t *words = json_array();
    for (int64_t i = 0; i < x->word_len; i++) {
        json_t *one = stretch(r->text, r->word[i].begin, r->word[i].end);
        json_object_set_new(one, "weight", json_real((double)r->word[i].weight));
        json_array_append_new(words, one);
    }
    const bool score = x->top_len == 0;
    json_t *proof = score ? json_null() : receipt(r, number_of(m, r->top[0].name), err);
    if (!proof) {
        json_decref(words);
        return NULL;
    }
    json_t *labels = json_array();
    for (int i = 0; i < x->top_len; i++)
        json_array_append_new(labels, json_pack("{s:s, s:f}", "label", r->top[i].name, "score",
                                                (double)r->top[i].score));
    return json_pack("{s:s?, s:f, s:o, s:o, s:b, s:o, s:I, s:I}", "label",
                     score ? NULL : r->top[0].name, "confidence",
                     (double)(score ? x->value : r->top[0].score), "labels", labels, "words", words,
                     "alike", (int)heed__words_weight(r->word, x->word_len).alike, "receipt", proof,
                     "tokens_seen", (json_int_t)x->seen, "tokens_total", (json_int_t)x->total);
}

json_t *heed_analyst_explain(heed_analyst *a, const char *name, const char *text, heed_error *err) {
    const analysis *k = heed__analysis_find(a, name, ANALYSIS_CLASSIFY, err);
    if (!k) return NULL;
    reason *r = heed__calloc(&a->hooks, 1, sizeof *r);
    if (!r) {
        heed__error(err, HEED_ENOMEM, "explain: out of memory");
        return NULL;
    }
    r->a = a;
    r->k = k;
    r->text = text;
    r->x = (heed_explanation){ .top = r->top, .top_cap = TOP, .word = r->word, .word_cap = WORDS };
    json_t *answer = NULL;
    if (heed_served_explain(a->model[k->model], text, &r->x, err) == 0)
        answer = reason_tree(r, err);
    if (!answer && !err->code) heed__error(err, HEED_ENOMEM, "explain: out of memory");
    heed__free(&a->hooks, r);
    return answer;
}
