/* evidence.c: texts as vectors of their features, and the linear classifier over them, learnt and
 * kept in files; evidence_answer.c says what it says of a text. */
#include "tasks/evidence_impl.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/elementary.h"
#include "tasks/calibration.h"

#define GAIN 4.0f /* what a margin of 1 counts, where it is not measured */

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
    for (int c = 1; c < HEED_EVIDENCE_LOGS; c++) e->ln[c] = (float)(1 + heed__ln(c));
    e->ln[0] = 0;
}

/* -- learning --------------------------------------------------------------------------------- */

static int64_t features_of(const heed_rows *rows, heed_span span) {
    return rows->bag[span.end] - rows->bag[span.begin];
}

/* The features of one text, each once. */
typedef struct listing {
    heed_counter counter;
    int32_t *place;
} listing;

/* The vector of a row of x: ids and values of count `return`, for which there is room. */
static int64_t weigh(const heed_evidence *e, const heed_feature_index *x, listing *c,
                     const heed_rows *rows, int64_t row, heed_sparse_rows *to) {
    const heed_span span = heed__row(rows, row);
    int32_t *id = to->id + to->start[row];
    float *value = to->value + to->start[row], by[3];
    double square[3] = { 0, 0, 0 };
    heed__counter_begin(&c->counter, features_of(rows, span));
    const int64_t n = heed__counter_add(&c->counter, rows->feature + rows->bag[span.begin],
                                        features_of(rows, span), 1, c->place);
    for (int64_t k = 0; k < n; k++) {
        const heed_seen *f = c->counter.table + c->place[k];
        id[k] = f->id;
        value[k] = heed__log_of(e, f->times) * x->idf[f->id];
        square[heed__evidence_part(x, id[k])] += (double)value[k] * (double)value[k];
    }
    heed__evidence_factors(square, by);
    for (int64_t k = 0; k < n; k++) value[k] *= by[heed__evidence_part(x, id[k])];
    return n;
}

static void sparse_free(heed_sparse_rows *s, const heed_hooks *hooks) {
    heed__free(hooks, s->start);
    heed__free(hooks, s->id);
    heed__free(hooks, s->value);
}

static int weigh_all(heed_sparse_rows *s, const heed_evidence *e, const heed_feature_index *x,
                     const heed_rows *rows) {
    const heed_hooks *hooks = &e->margin.hooks;
    listing c = { .place = NULL };
    int64_t most = 1, id_cap = 0, value_cap = 0;
    for (int64_t i = 0; i < rows->len; i++) {
        const int64_t have = features_of(rows, heed__row(rows, i));
        most = have > most ? have : most;
    }
    s->len = rows->len;
    s->start = heed__calloc(hooks, (size_t)rows->len + 1, sizeof *s->start);
    c.counter.table = heed__calloc(hooks, (size_t)heed__counter_slots(most), sizeof(heed_seen));
    c.place = heed__calloc(hooks, (size_t)most + 1, sizeof *c.place);
    int rc = s->start && c.counter.table && c.place ? 0 : HEED_ENOMEM;
    for (int64_t i = 0; rc == 0 && i < rows->len; i++) {
        const int64_t need = s->start[i] + features_of(rows, heed__row(rows, i)) + 1;
        rc = heed__grow(hooks, &s->id, &id_cap, need, sizeof *s->id);
        if (rc == 0) rc = heed__grow(hooks, &s->value, &value_cap, need, sizeof *s->value);
        if (rc == 0) s->start[i + 1] = s->start[i] + weigh(e, x, &c, rows, i, s);
    }
    heed__free(hooks, c.counter.table);
    heed__free(hooks, c.place);
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

/* More labels or features than that need more memory than it is worth. */
static const int64_t FREE_CELLS = 32000000;

/* Fits the margin: with e->c and e->free, or with what goal->check likes best. 0 or a status. */
static int fit_margin(heed_ctx *cx, heed_evidence *e, const heed_feature_index *x,
                      const heed_rows *rows, const heed_sparse_rows *s,
                      const heed_body_goal *goal) {
    static const struct {
        double c;
        bool free;
    } ways[] = { { 1, false }, { 0.5, false }, { 0.25, false },
                 { 1, true },  { 0.5, true },  { 0.25, true } };
    heed_margin_cfg cfg = { .c = e->c, .seed = goal->seed };
    heed_sparse_rows check = { 0 };
    const bool may = e->margin.cols > 1 && !goal->label_start &&
                     e->margin.rows < FREE_CELLS / e->margin.cols;
    float *freedom = NULL;
    if (may && (goal->check || e->free) && !(freedom = heed__evidence_freedom(x, rows, goal)))
        return HEED_ENOMEM;
    if (!goal->check) {
        cfg.freedom = freedom;
        const int rc = heed__margin_fit(cx, &e->margin, s, goal->label, goal->label_start, &cfg);
        heed__free(&x->hooks, freedom);
        return rc;
    }
    double least = (double)INFINITY, last = least;
    bool past = false; /* the loss has one least by the cost */
    int rc = weigh_all(&check, e, x, goal->check);
    for (int i = 0; rc == 0 && i < (int)(sizeof ways / sizeof *ways); i++) {
        if (i && ways[i].free != ways[i - 1].free) past = false, last = (double)INFINITY;
        if (past || (ways[i].free && !freedom)) continue;
        heed_margin m = { .rows = e->margin.rows,
                          .cols = e->margin.cols,
                          .hooks = e->margin.hooks };
        double loss = 0;
        cfg.c = ways[i].c;
        cfg.freedom = ways[i].free ? freedom : NULL;
        rc = heed__margin_fit(cx, &m, s, goal->label, goal->label_start, &cfg);
        if (rc == 0) rc = judge(cx, &m, &check, goal->check_label, &loss);
        const bool better = rc == 0 && loss < least;
        heed_margin worse = better ? e->margin : m;
        if (better) {
            least = loss;
            e->margin = m;
            e->c = cfg.c;
            e->free = ways[i].free;
        }
        heed__margin_free(&worse);
        past = loss >= last;
        last = loss;
    }
    heed__free(&x->hooks, freedom);
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
    e->free = goal->again && e->free;
    heed__evidence_free(e);
    e->margin.hooks = hooks;
    e->margin.rows = x->len;
    e->margin.cols = two ? 1 : goal->classes;
    e->gain = gain;
    e->c = c;
    fill_logs(e);
    int rc = heed__evidence_weights(x, rows, goal);
    if (rc == 0) rc = weigh_all(&s, e, x, rows);
    if (rc == 0) rc = fit_margin(cx, e, x, rows, &s, goal);
    sparse_free(&s, &hooks);
    if (rc == 0 && !goal->label_start) rc = settle(e, rows, goal);
    if (rc == 0) {
        e->scale = heed__calloc(&hooks, (size_t)e->margin.rows, sizeof *e->scale);
        e->number = heed__calloc(&hooks, (size_t)(e->margin.rows * e->margin.cols) + HEED_I8_SPARE,
                                 1);
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
    if (rc == HEED_ECANCELLED) return heed__error(err, rc, "train: stopped");
    return heed__error(err, rc,
                       "evidence: out of memory for what %lld features tell of %lld labels; a "
                       "training without evidence does without it",
                       (long long)x->len, (long long)goal->classes);
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
    e->number = heed__calloc(hooks, (size_t)(rows * cols) + HEED_I8_SPARE, 1);
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
