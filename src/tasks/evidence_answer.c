/* evidence_answer.c: what the features of a text are evidence of.
 *
 * The pieces are added up word by word, which words known bring along, and then what those that are
 * in the text more than once count too much is taken away:
 *
 *   Σ_f (1 + ln c_f) w_f W_f = Σ_words Σ_f w_f W_f - Σ_{f: c_f > 1} (c_f - 1 - ln c_f) w_f W_f */
#include "tasks/evidence_impl.h"

#include "heed/ops.h"
#include "ops/op.h"
#include "ops/ragged.h"

/* What the pieces of a word are evidence of. */
struct heed_evidence_word {
    double square; /* Σ w_f² */
    float scale;
    int8_t number[]; /* [cols] Σ w_f W_f = scale · number */
};

size_t heed__evidence_word_size(const heed_evidence *e) {
    const size_t size = offsetof(heed_evidence_word, number) + (size_t)e->margin.cols;
    return e->margin.cols ? (size + 7) / 8 * 8 : 0;
}

static const heed_evidence_word *word_at(const heed_evidence *e, const heed_evidence_words *words,
                                         int64_t w) {
    const char *all = words->word;
    return (const heed_evidence_word *)(all + (size_t)w * heed__evidence_word_size(e));
}

/* How many of a word's features, its word first, are no piece: 0 or 1. */
static int64_t before_pieces(const heed_feature_index *x, const int32_t *id, int64_t len) {
    return len > 0 && id[0] < x->kinds[1];
}

bool heed__evidence_word(heed_ctx *cx, const heed_evidence *e, const heed_feature_index *x,
                         const int32_t *id, int64_t len, heed_evidence_word *to) {
    enum { TOGETHER = 64 };
    const int64_t cols = e->margin.cols;
    float value[TOGETHER], *sum = heed__temp(cx, cols, sizeof *sum);
    if (!sum) return false;
    memset(sum, 0, (size_t)cols * sizeof *sum);
    to->square = 0;
    for (int64_t at = before_pieces(x, id, len), n; at < len; at += n) {
        for (n = 0; n < TOGETHER && at + n < len; n++) {
            const float *mark = e->mark + 2 * (int64_t)id[at + n];
            value[n] = mark[0] * mark[1];
            to->square += (double)mark[0] * (double)mark[0];
        }
        cx->k->math->gather_i8(sum, value, e->number, id + at, n, cols);
    }
    to->scale = heed__to_i8(cx, to->number, sum, cols);
    heed__temp_end(cx, sum);
    return true;
}

/* What a text has, as often as it has it: words, runs and pairs; pieces. */
typedef struct listing {
    int32_t *rest, *piece;
    int64_t rests, pieces;
} listing;

/* Room to answer one text after another. */
typedef struct answerer {
    heed_ctx *cx;
    const heed_evidence *e;
    const heed_feature_index *x;
    const heed_rows *rows;
    const heed_evidence_words *words;
    listing text[2]; /* the one at hand and the next, whose rows are on their way */
    heed_counter c;
    uint8_t *met;   /* [mets] how often pieces were met that have such a number: 0, 1, 2 for more */
    int32_t *place; /* [most+1] of features, in the counter */
    int32_t *id;    /* [most] */
    float *value;
    float *sum;               /* [cols] of all pieces */
    heed_evidence_word *word; /* one that nobody knows */
} answerer;

/* A unit's own features, which are a word and its pieces, and its runs. */
typedef struct unit {
    const int32_t *own, *run;
    int64_t owns, runs;
    int32_t word; /* known, or -1 */
} unit;

static unit unit_at(const answerer *a, int64_t u) {
    const heed_rows *rows = a->rows;
    static const int32_t none = 0; /* a batch may be without any feature */
    const int32_t *id = rows->feature ? rows->feature + rows->bag[u] : &none;
    const int64_t len = rows->bag[u + 1] - rows->bag[u], runs = a->x->kinds[2];
    const int32_t word = a->words && rows->word ? rows->word[u] : -1;
    if (word >= 0) {
        const int64_t begin = a->words->start[word], end = a->words->start[word + 1];
        return (unit){ a->words->id + begin, id, end - begin, len, word };
    }
    int64_t owns = 0;
    while (owns < len && id[owns] < runs) owns++;
    return (unit){ id, id + owns, owns, len - owns, -1 };
}

static int64_t features_in(const answerer *a, heed_span span) {
    int64_t n = 0;
    for (int64_t u = span.begin; u < span.end; u++) {
        const unit one = unit_at(a, u);
        n += one.owns + one.runs;
    }
    return n;
}

/* Of so many pieces hardly two share one of these numbers. */
static int64_t mets_for(int64_t features) {
    int64_t mets = 1024;
    while (mets < 8 * features) mets *= 2;
    return mets;
}

static void ask(const void *at, size_t size) {
    for (size_t k = 0; k < size; k += 64) __builtin_prefetch((const char *)at + k);
}

static void put(int32_t *list, int64_t *len, const int32_t *id, int64_t n) {
    for (int64_t k = 0; k < n; k++) list[*len + k] = id[k];
    *len += n;
}

/* Lists what a text has, and asks for all that its answer reads. */
static void list(const answerer *a, heed_span span, listing *to) {
    const heed_evidence *e = a->e;
    const size_t cols = (size_t)e->margin.cols;
    to->rests = to->pieces = 0;
    for (int64_t u = span.begin; u < span.end; u++) {
        const unit one = unit_at(a, u);
        const int64_t first = before_pieces(a->x, one.own, one.owns);
        put(to->rest, &to->rests, one.own, first);
        put(to->rest, &to->rests, one.run, one.runs);
        put(to->piece, &to->pieces, one.own + first, one.owns - first);
        if (one.word >= 0) ask(word_at(e, a->words, one.word), heed__evidence_word_size(e));
    }
    for (int64_t k = 0; k < to->rests; k++) {
        __builtin_prefetch(e->mark + 2 * (int64_t)to->rest[k]);
        ask(e->number + (size_t)to->rest[k] * cols, cols);
    }
}

/* Adds up a text's pieces word by word; the sum of their squares. */
static double add_words(answerer *a, heed_span span) {
    enum { TOGETHER = 32 };
    const int64_t cols = a->e->margin.cols;
    const int8_t *row[TOGETHER];
    float scale[TOGETHER];
    heed_i8_rows known = { row, scale, 0 };
    double squares = 0;
    memset(a->sum, 0, (size_t)cols * sizeof *a->sum);
    for (int64_t u = span.begin; u < span.end; u++) {
        const unit one = unit_at(a, u);
        if (one.owns == before_pieces(a->x, one.own, one.owns)) continue;
        const heed_evidence_word *word = a->word;
        if (one.word >= 0)
            word = word_at(a->e, a->words, one.word);
        else if (!heed__evidence_word(a->cx, a->e, a->x, one.own, one.owns, a->word))
            return 0;
        row[known.len] = word->number;
        scale[known.len++] = word->scale;
        squares += word->square;
        if (known.len < TOGETHER && one.word >= 0) continue;
        a->cx->k->math->gather_at(a->sum, &known, cols);
        known.len = 0;
    }
    if (known.len) a->cx->k->math->gather_at(a->sum, &known, cols);
    return squares;
}

/* Leaves of a text's pieces those that may be there more than once, all of each. */
static void keep_repeated(const answerer *a, listing *text) {
    const int64_t all = text->pieces, mets = mets_for(all);
    memset(a->met, 0, (size_t)mets);
    for (int64_t k = 0; k < all; k++) {
        uint8_t *met = a->met + (text->piece[k] & (mets - 1));
        *met = (uint8_t)(1 + (*met > 0));
    }
    text->pieces = 0;
    for (int64_t k = 0; k < all; k++) {
        const int32_t id = text->piece[k];
        text->piece[text->pieces] = id;
        text->pieces += a->met[id & (mets - 1)] == 2;
    }
}

/* Takes away what pieces count too much; the sum of squares as it is then. */
static double mend(answerer *a, const listing *text, double squares) {
    const int64_t n = heed__counter_add(&a->c, text->piece, text->pieces, 2, a->place);
    for (int64_t k = 0; k < n; k++) {
        const heed_seen *f = a->c.table + a->place[k];
        const float *mark = a->e->mark + 2 * (int64_t)f->id, log = heed__log_of(a->e, f->times);
        a->id[k] = f->id;
        a->value[k] = (log - (float)f->times) * mark[0] * mark[1];
        squares += (double)(log * log - (float)f->times) * (double)mark[0] * (double)mark[0];
    }
    a->cx->k->math->gather_i8(a->sum, a->value, a->e->number, a->id, n, a->e->margin.cols);
    return squares;
}

/* Adds words, runs and pairs to out. */
static void add_rest(answerer *a, const listing *text, float *out) {
    const int64_t n = heed__counter_add(&a->c, text->rest, text->rests, 1, a->place);
    double square[3] = { 0, 0, 0 };
    float by[3];
    for (int64_t i = 0; i < n; i++) {
        const heed_seen *f = a->c.table + a->place[i];
        a->id[i] = f->id;
        a->value[i] = heed__log_of(a->e, f->times) * a->e->mark[2 * (int64_t)f->id];
        square[heed__evidence_part(a->x, f->id)] += (double)a->value[i] * (double)a->value[i];
    }
    heed__evidence_factors(square, by);
    for (int64_t i = 0; i < n; i++)
        a->value[i] *= by[heed__evidence_part(a->x, a->id[i])] *
                       a->e->mark[2 * (int64_t)a->id[i] + 1];
    a->cx->k->math->gather_i8(out, a->value, a->e->number, a->id, n, a->e->margin.cols);
}

static void answer(answerer *a, heed_span span, listing *text, float *out) {
    const int64_t cols = a->e->margin.cols;
    const double words = add_words(a, span);
    keep_repeated(a, text);
    heed__counter_begin(&a->c, text->rests + text->pieces);
    const double own = mend(a, text, words);
    memcpy(out, a->e->margin.bias, (size_t)cols * sizeof *out);
    a->cx->k->math->axpy(out, own > 0 ? 1 / sqrtf((float)own) : 0, a->sum, cols);
    add_rest(a, text, out);
}

static bool answerer_make(answerer *a, const heed_spans *spans) {
    int64_t most = 1;
    for (int64_t i = 0; i < spans->len; i++) {
        const int64_t have = features_in(a, spans->span[i]);
        most = have > most ? have : most;
    }
    const size_t size = (size_t)most + 1;
    a->c.table = heed_scratch(a->cx, (size_t)heed__counter_slots(most) * sizeof *a->c.table);
    bool room = true;
    for (int i = 0; i < 2; i++) {
        a->text[i].rest = heed_scratch(a->cx, size * sizeof(int32_t));
        a->text[i].piece = heed_scratch(a->cx, size * sizeof(int32_t));
        room = room && a->text[i].rest && a->text[i].piece;
    }
    a->met = heed_scratch(a->cx, (size_t)mets_for(most));
    a->place = heed_scratch(a->cx, size * sizeof *a->place);
    a->id = heed_scratch(a->cx, size * sizeof *a->id);
    a->value = heed_scratch(a->cx, size * sizeof *a->value);
    a->sum = heed_scratch(a->cx, (size_t)a->e->margin.cols * sizeof *a->sum);
    a->word = heed_scratch(a->cx, heed__evidence_word_size(a->e) + HEED_I8_SPARE);
    return room && a->c.table && a->met && a->place && a->id && a->value && a->sum && a->word;
}

heed_tensor *heed__evidence_apply(heed_ctx *cx, const heed_evidence *e, const heed_feature_index *x,
                                  const heed_rows *rows, const heed_spans *spans,
                                  const heed_evidence_words *words) {
    const heed_margin *m = &e->margin;
    if (!m->cols) return NULL;
    const int64_t K = m->cols == 1 ? 2 : m->cols;
    heed_tensor *y = heed_new(cx, HEED_F32, 2, (int64_t[]){ spans->len, K });
    answerer a = { .cx = cx, .e = e, .x = x, .rows = rows, .words = words };
    if (!y || !answerer_make(&a, spans)) return NULL;
    if (spans->len) list(&a, spans->span[0], a.text);
    for (int64_t i = 0; i < spans->len; i++) {
        float *out = HEED_F32_DATA(y) + i * K;
        if (i + 1 < spans->len) list(&a, spans->span[i + 1], a.text + (i + 1) % 2);
        answer(&a, spans->span[i], a.text + i % 2, out);
        if (m->cols == 1) {
            out[1] = out[0];
            out[0] = -out[1];
        }
        cx->k->math->axpby(out, e->gain, out, 0, K);
    }
    return heed_ctx_error(cx) ? NULL : y;
}
