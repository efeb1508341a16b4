/* evidence.c: texts as vectors of their features, and the linear classifier over them. A feature
 * that is c times in a text weighs (1 + ln c) · w, w of evidence_weights.c; words and runs together
 * have length 1, and so have the pieces; pairs have length FAR.
 *
 * For an answer the pieces are added up word by word, which words known bring along, and then what
 * those that are in the text more than once count too much is taken away:
 *
 *   Σ_f (1 + ln c_f) w_f W_f = Σ_words Σ_f w_f W_f - Σ_{f: c_f > 1} (c_f - 1 - ln c_f) w_f W_f */
#include "tasks/evidence.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/elementary.h"
#include "heed/ops.h"
#include "tasks/calibration.h"
#include "ops/op.h"

#define FAR  0.7f
#define GAIN 4.0f /* what a margin of 1 counts, where it is not measured */

enum { LOGS = HEED_EVIDENCE_LOGS, SPARE = 15 }; /* SPARE: bytes that are read past the last row */

static int make_marks(heed_evidence *e, const heed_feature_index *x) {
    e->mark = heed__calloc(&e->margin.hooks, (size_t)x->len, 2 * sizeof *e->mark);
    if (!e->mark) return HEED_ENOMEM;
    for (int64_t i = 0; i < x->len; i++) {
        e->mark[2 * i] = x->idf[i];
        e->mark[2 * i + 1] = e->scale[i];
    }
    return 0;
}

static void fill_logs(heed_evidence *e) {
    for (int c = 1; c < LOGS; c++) e->ln[c] = (float)(1 + heed__ln(c));
    e->ln[0] = 0;
}

static float log_of(const heed_evidence *e, int64_t times) {
    return e->ln[times < LOGS ? times : LOGS - 1];
}

/* -- counting --------------------------------------------------------------------------------- */

/* A feature of the text at hand. */
typedef struct seen {
    int32_t id, times; /* times 0: free */
} seen;

/* The features of one text: a table with few of its places taken, and lists of places. */
typedef struct counter {
    seen *table; /* [slots] */
    int64_t slots;
    int shift;     /* of a hash, to a place */
    int32_t *rest; /* words, runs and pairs, each once; pieces, where the text is no sum of words */
    int32_t *again; /* pieces that are there more than once */
    int64_t rests, agains;
} counter;

/* Slots for texts of at most so many features. */
static int64_t slots_for(int64_t features) {
    int64_t slots = 64;
    while (slots < 4 * features) slots *= 2;
    return slots;
}

/* An empty table for a text of at most so many. */
static void counter_begin(counter *c, int64_t features) {
    c->slots = slots_for(features);
    c->shift = 32 - __builtin_ctzll((unsigned long long)c->slots);
    c->rests = c->agains = 0;
    memset(c->table, 0, (size_t)c->slots * sizeof *c->table);
}

static int32_t count_one(counter *c, int32_t id) {
    uint32_t at = (uint32_t)id * 0x9e3779b1u >> c->shift;
    while (c->table[at].times && c->table[at].id != id) at = (at + 1) & (uint32_t)(c->slots - 1);
    c->table[at].id = id;
    c->table[at].times++;
    return (int32_t)at;
}

static void count_rest(counter *c, const int32_t *id, int64_t len) {
    for (int64_t k = 0; k < len; k++) {
        const int32_t at = c->rest[c->rests] = count_one(c, id[k]);
        c->rests += c->table[at].times == 1;
    }
}

static void count_pieces(counter *c, const int32_t *id, int64_t len) {
    for (int64_t k = 0; k < len; k++) {
        const int32_t at = c->again[c->agains] = count_one(c, id[k]);
        c->agains += c->table[at].times == 2;
    }
}

static int64_t features_of(const heed_rows *rows, heed_span span) {
    return rows->bag[span.end] - rows->bag[span.begin];
}

/* -- learning --------------------------------------------------------------------------------- */

/* Which of three lengths feature id counts for: that of words and runs, of pieces, of pairs. */
static int part_of(const heed_feature_index *x, int32_t id) {
    if (id >= x->kinds[HEED_FEATURE_PAIR]) return 2;
    return id >= x->kinds[HEED_FEATURE_PIECE] && id < x->kinds[HEED_FEATURE_RUN];
}

/* What brings parts of these squares to their lengths. */
static void factors(const double square[3], float by[3]) {
    static const float length[3] = { 1, 1, FAR };
    for (int i = 0; i < 3; i++) by[i] = square[i] > 0 ? length[i] / sqrtf((float)square[i]) : 0;
}

/* The vector of a row of x: ids and values of count `return`, for which there is room. */
static int64_t weigh(const heed_evidence *e, const heed_feature_index *x, counter *c,
                     const heed_rows *rows, int64_t row, heed_sparse_rows *to) {
    const heed_span span = heed__row(rows, row);
    int32_t *id = to->id + to->start[row];
    float *value = to->value + to->start[row], by[3];
    double square[3] = { 0, 0, 0 };
    counter_begin(c, features_of(rows, span));
    count_rest(c, rows->feature + rows->bag[span.begin], features_of(rows, span));
    for (int64_t k = 0; k < c->rests; k++) {
        const seen *f = c->table + c->rest[k];
        id[k] = f->id;
        value[k] = log_of(e, f->times) * x->idf[f->id];
        square[part_of(x, id[k])] += (double)value[k] * (double)value[k];
    }
    factors(square, by);
    for (int64_t k = 0; k < c->rests; k++) value[k] *= by[part_of(x, id[k])];
    return c->rests;
}

static void counter_free(counter *c, const heed_hooks *hooks) {
    heed__free(hooks, c->table);
    heed__free(hooks, c->rest);
}

static void sparse_free(heed_sparse_rows *s, const heed_hooks *hooks) {
    heed__free(hooks, s->start);
    heed__free(hooks, s->id);
    heed__free(hooks, s->value);
}

static int weigh_all(heed_sparse_rows *s, const heed_evidence *e, const heed_feature_index *x,
                     const heed_rows *rows) {
    const heed_hooks *hooks = &e->margin.hooks;
    counter c = { .table = NULL };
    int64_t most = 1, id_cap = 0, value_cap = 0;
    for (int64_t i = 0; i < rows->len; i++) {
        const int64_t have = features_of(rows, heed__row(rows, i));
        most = have > most ? have : most;
    }
    s->len = rows->len;
    s->start = heed__calloc(hooks, (size_t)rows->len + 1, sizeof *s->start);
    c.table = heed__calloc(hooks, (size_t)slots_for(most), sizeof *c.table);
    c.rest = heed__calloc(hooks, (size_t)most + 1, sizeof *c.rest);
    int rc = s->start && c.table && c.rest ? 0 : HEED_ENOMEM;
    for (int64_t i = 0; rc == 0 && i < rows->len; i++) {
        const int64_t need = s->start[i] + features_of(rows, heed__row(rows, i));
        rc = heed__grow(hooks, &s->id, &id_cap, need, sizeof *s->id);
        if (rc == 0) rc = heed__grow(hooks, &s->value, &value_cap, need, sizeof *s->value);
        if (rc == 0) s->start[i + 1] = s->start[i] + weigh(e, x, &c, rows, i, s);
    }
    counter_free(&c, hooks);
    return rc;
}

/* Margins know how common the labels are, and so does the head; in their sum it would count twice,
 * and the rarer labels would be said too seldom. So each label gets what it lacks to the commonest,
 * ln (N_max / N_k), up to a limit: what is very rare is not made likely by that. */
static int settle(heed_evidence *e, const heed_rows *rows, const heed_body_goal *goal) {
    static const double MOST = 1.5;
    const heed_hooks *hooks = &e->margin.hooks;
    const int64_t K = goal->classes;
    double *more = heed__calloc(hooks, (size_t)K, sizeof *more), most = 0;
    if (!more) return HEED_ENOMEM;
    for (int64_t i = 0; i < rows->len; i++) more[goal->label[i]]++;
    for (int64_t k = 0; k < K; k++) most = more[k] > most ? more[k] : most;
    for (int64_t k = 0; k < K; k++) {
        const double lacks = more[k] > 0 ? heed__ln(most / more[k]) : 0;
        more[k] = (lacks < MOST ? lacks : MOST) / (double)GAIN;
    }
    if (e->margin.cols == 1) e->margin.bias[0] += (float)((more[1] - more[0]) / 2);
    for (int64_t k = 0; k < K && e->margin.cols > 1; k++) e->margin.bias[k] += (float)more[k];
    heed__free(hooks, more);
    return 0;
}

/* The loss of m on texts that it has not learnt from, at the best temperature, into *loss. 0 or a
 * status. */
static int judge(heed_ctx *cx, const heed_margin *m, const heed_sparse_rows *s,
                 const int32_t *label, double *loss) {
    const int64_t K = m->cols == 1 ? 2 : m->cols;
    float *z = heed__calloc(&m->hooks, (size_t)s->len, (size_t)K * sizeof *z);
    if (!z) return HEED_ENOMEM;
    for (int64_t i = 0; i < s->len; i++) {
        const int64_t at = s->start[i];
        const heed_margin_row row = { s->id + at, s->value + at, s->start[i + 1] - at };
        heed__margin_apply(cx, m, &row, z + i * K);
        if (m->cols == 1) {
            z[i * K + 1] = z[i * K];
            z[i * K] = -z[i * K + 1];
        }
    }
    heed__inverse_temperature(z, label, s->len, K, loss, NULL);
    heed__free(&m->hooks, z);
    return 0;
}

/* Fits the margin: with e->c, or with what goal->check likes best. 0 or a status. */
static int fit_margin(heed_ctx *cx, heed_evidence *e, const heed_feature_index *x,
                      const heed_sparse_rows *s, const heed_body_goal *goal) {
    static const double costs[] = { 1, 0.5, 0.25 };
    heed_margin_cfg cfg = { .c = e->c, .seed = goal->seed };
    heed_sparse_rows check = { 0 };
    if (!goal->check)
        return heed__margin_fit(cx, &e->margin, s, goal->label, goal->label_start, &cfg);
    double least = (double)INFINITY;
    int rc = weigh_all(&check, e, x, goal->check);
    for (int i = 0; rc == 0 && i < (int)(sizeof costs / sizeof *costs); i++) {
        heed_margin m = { .rows = e->margin.rows,
                          .cols = e->margin.cols,
                          .hooks = e->margin.hooks };
        double loss = 0;
        cfg.c = costs[i];
        rc = heed__margin_fit(cx, &m, s, goal->label, goal->label_start, &cfg);
        if (rc == 0) rc = judge(cx, &m, &check, goal->check_label, &loss);
        const bool better = rc == 0 && loss < least;
        heed_margin worse = better ? e->margin : m;
        if (better) {
            least = loss;
            e->margin = m;
            e->c = costs[i];
        }
        heed__margin_free(&worse);
        if (!better && rc == 0) break; /* the loss has one least */
    }
    sparse_free(&check, &e->margin.hooks);
    return rc;
}

int heed__evidence_fit(heed_ctx *cx, heed_evidence *e, heed_feature_index *x, const heed_rows *rows,
                       const heed_body_goal *goal, heed_error *err) {
    const heed_hooks hooks = e->margin.hooks;
    heed_sparse_rows s = { 0 };
    const bool two = goal->classes == 2 && !goal->label_start;
    const double c = goal->again && e->c > 0 ? e->c : 1;
    const float gain = goal->again && e->gain > 0 ? e->gain : GAIN;
    heed__evidence_free(e);
    e->margin.hooks = hooks;
    e->margin.rows = x->len;
    e->margin.cols = two ? 1 : goal->classes;
    e->gain = gain;
    e->c = c;
    fill_logs(e);
    int rc = heed__evidence_weights(x, rows, goal);
    if (rc == 0) rc = weigh_all(&s, e, x, rows);
    if (rc == 0) rc = fit_margin(cx, e, x, &s, goal);
    sparse_free(&s, &hooks);
    if (rc == 0 && !goal->label_start) rc = settle(e, rows, goal);
    if (rc == 0) {
        e->scale = heed__calloc(&hooks, (size_t)e->margin.rows, sizeof *e->scale);
        e->number = heed__calloc(&hooks, (size_t)(e->margin.rows * e->margin.cols) + SPARE, 1);
        if (!e->scale || !e->number) rc = HEED_ENOMEM;
    }
    if (rc == 0) {
        heed__margin_round(&e->margin, e->scale, e->number);
        heed__free(&hooks, e->margin.weight);
        e->margin.weight = NULL;
        rc = make_marks(e, x);
    }
    if (rc == 0) return 0;
    heed__evidence_free(e);
    return heed__error(err, rc,
                       rc == HEED_ECANCELLED ? "train: stopped" : "evidence: out of memory");
}

/* -- answering -------------------------------------------------------------------------------- */

/* How many of a word's features, its word first, are no piece: 0 or 1. */
static int64_t before_pieces(const heed_feature_index *x, const int32_t *id, int64_t len) {
    return len > 0 && id[0] < x->kinds[1];
}

double heed__evidence_word(const heed_ctx *cx, const heed_evidence *e, const heed_feature_index *x,
                           const int32_t *id, int64_t len, float *sum) {
    enum { TOGETHER = 64 };
    const int64_t cols = e->margin.cols;
    float value[TOGETHER];
    double square = 0;
    memset(sum, 0, (size_t)cols * sizeof *sum);
    for (int64_t at = before_pieces(x, id, len), n; at < len; at += n) {
        for (n = 0; n < TOGETHER && at + n < len; n++) {
            const float *mark = e->mark + 2 * (int64_t)id[at + n];
            value[n] = mark[0] * mark[1];
            square += (double)mark[0] * (double)mark[0];
        }
        cx->k->math->gather_i8(sum, value, e->number, id + at, n, cols);
    }
    return square;
}

/* Room to answer one text at a time. */
typedef struct answerer {
    heed_ctx *cx;
    const heed_evidence *e;
    const heed_feature_index *x;
    const heed_rows *rows;
    const heed_evidence_words *words;
    counter c;
    int32_t *id; /* [most] */
    float *value;
    float *sum, *word; /* [cols] of all pieces, of those of one word */
} answerer;

/* A unit's own features, which are a word and its pieces, and its runs. */
typedef struct unit {
    const int32_t *own, *run;
    int64_t owns, runs;
    int32_t word; /* known, or -1 */
} unit;

static unit unit_at(const answerer *a, int64_t u) {
    const heed_rows *rows = a->rows;
    const int32_t *id = rows->feature + rows->bag[u];
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

/* Asks for what is known of unit u's word, long before it is added. */
static void ask(const answerer *a, int64_t u) {
    const int32_t word = a->words && a->rows->word ? a->rows->word[u] : -1;
    const int64_t cols = a->e->margin.cols;
    for (int64_t k = 0; word >= 0 && k < cols; k += 16)
        __builtin_prefetch(a->words->sum + word * cols + k);
}

/* Counts a text's features and adds up its pieces word by word; the sum of their squares. */
static double add_words(answerer *a, heed_span span) {
    enum { TOGETHER = 32, AHEAD = 4 };
    const int64_t cols = a->e->margin.cols;
    const float *row[TOGETHER];
    double squares = 0;
    int64_t n = 0;
    memset(a->sum, 0, (size_t)cols * sizeof *a->sum);
    for (int64_t u = span.begin; u < span.end; u++) {
        const unit one = unit_at(a, u);
        if (u + AHEAD < a->rows->start[a->rows->len]) ask(a, u + AHEAD);
        const int64_t first = before_pieces(a->x, one.own, one.owns);
        count_rest(&a->c, one.own, first);
        count_pieces(&a->c, one.own + first, one.owns - first);
        count_rest(&a->c, one.run, one.runs);
        if (one.owns == first) continue;
        if (one.word >= 0) {
            row[n++] = a->words->sum + one.word * cols;
            squares += a->words->square[one.word];
        } else {
            row[n++] = a->word;
            squares += heed__evidence_word(a->cx, a->e, a->x, one.own, one.owns, a->word);
        }
        if (n < TOGETHER && one.word >= 0) continue;
        a->cx->k->math->gather_at(a->sum, NULL, row, n, cols);
        n = 0;
    }
    if (n) a->cx->k->math->gather_at(a->sum, NULL, row, n, cols);
    return squares;
}

/* Takes away what pieces count too much; the sum of squares as it is then. */
static double mend(answerer *a, double squares) {
    for (int64_t k = 0; k < a->c.agains; k++) {
        const seen *f = a->c.table + a->c.again[k];
        const float *mark = a->e->mark + 2 * (int64_t)f->id, log = log_of(a->e, f->times);
        a->id[k] = f->id;
        a->value[k] = (log - (float)f->times) * mark[0] * mark[1];
        squares += (double)(log * log - (float)f->times) * (double)mark[0] * (double)mark[0];
    }
    a->cx->k->math->gather_i8(a->sum, a->value, a->e->number, a->id, a->c.agains,
                              a->e->margin.cols);
    return squares;
}

static void answer(answerer *a, heed_span span, float *out) {
    const heed_math_kernels *k = a->cx->k->math;
    const int64_t cols = a->e->margin.cols;
    double square[3] = { 0, 0, 0 };
    float by[3];
    counter_begin(&a->c, features_in(a, span));
    const double own = mend(a, add_words(a, span));
    memcpy(out, a->e->margin.bias, (size_t)cols * sizeof *out);
    k->axpy(out, own > 0 ? 1 / sqrtf((float)own) : 0, a->sum, cols);
    for (int64_t i = 0; i < a->c.rests; i++) {
        const seen *f = a->c.table + a->c.rest[i];
        a->id[i] = f->id;
        a->value[i] = log_of(a->e, f->times) * a->e->mark[2 * (int64_t)f->id];
        square[part_of(a->x, f->id)] += (double)a->value[i] * (double)a->value[i];
    }
    factors(square, by);
    for (int64_t i = 0; i < a->c.rests; i++)
        a->value[i] *= by[part_of(a->x, a->id[i])] * a->e->mark[2 * (int64_t)a->id[i] + 1];
    k->gather_i8(out, a->value, a->e->number, a->id, a->c.rests, cols);
}

static bool answerer_make(answerer *a, const heed_spans *spans) {
    int64_t most = 1;
    for (int64_t i = 0; i < spans->len; i++) {
        const int64_t have = features_in(a, spans->span[i]);
        most = have > most ? have : most;
    }
    const size_t size = (size_t)most + 1, cols = (size_t)a->e->margin.cols;
    a->c.table = heed_scratch(a->cx, (size_t)slots_for(most) * sizeof *a->c.table);
    a->c.rest = heed_scratch(a->cx, size * sizeof *a->c.rest);
    a->c.again = heed_scratch(a->cx, size * sizeof *a->c.again);
    a->id = heed_scratch(a->cx, size * sizeof *a->id);
    a->value = heed_scratch(a->cx, size * sizeof *a->value);
    a->sum = heed_scratch(a->cx, cols * sizeof *a->sum);
    a->word = heed_scratch(a->cx, cols * sizeof *a->word);
    return a->c.table && a->c.rest && a->c.again && a->id && a->value && a->sum && a->word;
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
    for (int64_t i = 0; i < spans->len; i++) {
        float *out = HEED_F32_DATA(y) + i * K;
        answer(&a, spans->span[i], out);
        if (m->cols == 1) {
            out[1] = out[0];
            out[0] = -out[1];
        }
        for (int64_t k = 0; k < K; k++) out[k] *= e->gain;
    }
    return y;
}

/* -- files ------------------------------------------------------------------------------------ */

int heed__evidence_entries(const heed_evidence *e, heed_entry *entry) {
    const heed_margin *m = &e->margin;
    if (!m->cols) return 0;
    entry[0] = (heed_entry){ .name = "evidence.bias",
                             .dtype = HEED_FILE_F32,
                             .ndim = 1,
                             .shape = { m->cols },
                             .data = m->bias };
    entry[1] = (heed_entry){
        .name = "evidence.gain", .dtype = HEED_FILE_F32, .ndim = 1, .shape = { 1 }, .data = &e->gain
    };
    entry[2] = (heed_entry){ .name = "evidence.number",
                             .dtype = HEED_FILE_I8,
                             .ndim = 2,
                             .shape = { m->rows, m->cols },
                             .data = e->number };
    entry[3] = (heed_entry){ .name = "evidence.scale",
                             .dtype = HEED_FILE_F32,
                             .ndim = 1,
                             .shape = { m->rows },
                             .data = e->scale };
    return 4;
}

static bool has_shape(const heed_entry *e, heed_file_dtype dtype, int ndim, int64_t a, int64_t b) {
    return e && e->dtype == dtype && e->ndim == ndim && e->shape[0] == a &&
           (ndim == 1 || e->shape[1] == b);
}

static int read_into(heed_evidence *e, const heed_safetensors *st, heed_error *err) {
    heed_margin *m = &e->margin;
    const heed_entry *number = heed_safetensors_find(st, "evidence.number");
    int rc = heed_entry_f32(heed_safetensors_find(st, "evidence.bias"), m->bias, err);
    if (rc == 0) rc = heed_entry_f32(heed_safetensors_find(st, "evidence.gain"), &e->gain, err);
    if (rc == 0) rc = heed_entry_f32(heed_safetensors_find(st, "evidence.scale"), e->scale, err);
    if (rc) return rc;
    if (number->size) memcpy(e->number, number->data, number->size);
    return 0;
}

int heed__evidence_read(heed_evidence *e, const heed_safetensors *st, const heed_feature_index *x,
                        const heed_hooks *hooks, heed_error *err) {
    const int64_t rows = x->len;
    const heed_entry *bias = heed_safetensors_find(st, "evidence.bias");
    *e = (heed_evidence){ .margin.rows = rows };
    if (hooks) e->margin.hooks = *hooks;
    if (!bias) return 0;
    const int64_t cols = bias->ndim == 1 ? bias->shape[0] : 0;
    if (cols < 1 || bias->dtype != HEED_FILE_F32 ||
        !has_shape(heed_safetensors_find(st, "evidence.gain"), HEED_FILE_F32, 1, 1, 0) ||
        !has_shape(heed_safetensors_find(st, "evidence.scale"), HEED_FILE_F32, 1, rows, 0) ||
        !has_shape(heed_safetensors_find(st, "evidence.number"), HEED_FILE_I8, 2, rows, cols))
        return heed__error(err, HEED_EFORMAT, "%s: the tensors of the evidence do not fit together",
                           heed_safetensors_name(st));
    heed_margin *m = &e->margin;
    m->cols = cols;
    fill_logs(e);
    m->bias = heed__calloc(hooks, (size_t)cols, sizeof *m->bias);
    e->scale = heed__calloc(hooks, (size_t)rows, sizeof *e->scale);
    e->number = heed__calloc(hooks, (size_t)(rows * cols) + SPARE, 1);
    const bool room = m->bias && e->scale && e->number;
    int rc = room ? read_into(e, st, err) : HEED_ENOMEM;
    if (rc == 0) rc = make_marks(e, x);
    if (rc == HEED_ENOMEM) heed__error(err, rc, "%s: out of memory", heed_safetensors_name(st));
    if (rc) heed__evidence_free(e);
    return rc;
}

int64_t heed__evidence_size(const heed_evidence *e) {
    const heed_margin *m = &e->margin;
    return m->rows * (m->cols + (int64_t)(sizeof *e->scale + 2 * sizeof *e->mark)) +
           m->cols * (int64_t)sizeof *m->bias;
}

void heed__evidence_free(heed_evidence *e) {
    heed__free(&e->margin.hooks, e->mark);
    heed__free(&e->margin.hooks, e->scale);
    heed__free(&e->margin.hooks, e->number);
    heed__margin_free(&e->margin);
    e->margin.rows = e->margin.cols = 0;
    e->mark = NULL;
    e->scale = NULL;
    e->number = NULL;
}
