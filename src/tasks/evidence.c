/* evidence.c: texts as vectors of their features, and the linear classifier over them. A feature
 * that is c times in a text weighs (1 + ln c) · w, w of evidence_weights.c; words and runs together
 * have length 1, and so have the pieces. */
#include "tasks/evidence.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/elementary.h"
#include "heed/ops.h"

enum { LOGS = HEED_EVIDENCE_LOGS, SPARE = 15 }; /* SPARE: bytes that are read past the last row */

/* Room to weigh one text at a time. */
typedef struct weigher {
    const heed_feature_index *x;
    heed_evidence_marks *marks;
    int32_t *id; /* [room] */
    float *value, *scale;
    int32_t *times;
    int64_t len, room;
    const float *ln; /* [LOGS] 1 + ln c */
} weigher;

static int make_marks(heed_evidence *e, const heed_feature_index *x) {
    const heed_hooks *hooks = &e->margin.hooks;
    e->marks = heed__calloc(hooks, 1, sizeof *e->marks);
    if (e->marks) e->marks->mark = heed__calloc(hooks, (size_t)x->len, sizeof *e->marks->mark);
    if (!e->marks || !e->marks->mark) return HEED_ENOMEM;
    for (int64_t i = 0; i < x->len; i++) e->marks->mark[i].idf = x->idf[i];
    return 0;
}

static void mark_scales(heed_evidence *e) {
    for (int64_t i = 0; i < e->margin.rows; i++) e->marks->mark[i].scale = e->scale[i];
}

static void fill_logs(heed_evidence *e) {
    for (int c = 1; c < LOGS; c++) e->ln[c] = (float)(1 + heed__ln(c));
    e->ln[0] = 0;
}

/* The features of a span, each once, with how often it is there: idf in value. Without branches,
 * which nothing could foretell. */
static void count_all(weigher *w, const int32_t *feature, int64_t n) {
    enum { AHEAD = 8 };
    heed_evidence_mark *mark = w->marks->mark;
    int32_t *id = w->id, *times = w->times;
    float *value = w->value, *scale = w->scale;
    if (w->marks->base > INT32_MAX - 1 - (int32_t)n) {
        for (int64_t i = 0; i < w->x->len; i++) mark[i].at = 0;
        w->marks->base = 0;
    }
    const int32_t base = w->marks->base + 1;
    int32_t len = 0;
    for (int64_t k = 0; k < n; k++) {
        heed_evidence_mark *m = mark + feature[k];
        if (k + AHEAD < n) __builtin_prefetch(mark + feature[k + AHEAD], 1);
        const int32_t had = m->at - base, place = had < 0 ? len : had;
        m->at = base + place;
        id[place] = feature[k];
        value[place] = m->idf;
        scale[place] = m->scale;
        times[place] = had < 0 ? 1 : times[place] + 1;
        len += had < 0;
    }
    w->marks->base += len;
    w->len = len;
}

/* The vector of a span into id, value, len. w has room for all of its features. */
static void weigh(weigher *w, const heed_rows *rows, heed_span span) {
    const int64_t begin = rows->bag[span.begin], end = rows->bag[span.end];
    const int32_t pieces = (int32_t)w->x->kinds[1], runs = (int32_t)w->x->kinds[2];
    double all = 0, own = 0; /* of pieces */
    count_all(w, rows->feature + begin, end - begin);
    for (int64_t k = 0; k < w->len; k++) {
        const int32_t c = w->times[k];
        w->value[k] *= w->ln[c < LOGS ? c : LOGS - 1];
        const double square = (double)w->value[k] * (double)w->value[k];
        const bool piece = w->id[k] >= pieces && w->id[k] < runs;
        own += piece ? square : 0;
        all += piece ? 0 : square;
    }
    const float rest = all > 0 ? 1 / sqrtf((float)all) : 0,
                piece = own > 0 ? 1 / sqrtf((float)own) : 0;
    for (int64_t k = 0; k < w->len; k++)
        w->value[k] *= w->id[k] >= pieces && w->id[k] < runs ? piece : rest;
}

static int64_t longest(const heed_rows *rows, const heed_span *span, int64_t n) {
    int64_t most = 1;
    for (int64_t i = 0; i < n; i++) {
        const int64_t have = rows->bag[span[i].end] - rows->bag[span[i].begin];
        most = have > most ? have : most;
    }
    return most;
}

/* -- learning --------------------------------------------------------------------------------- */

static void weigher_free(weigher *w, const heed_hooks *hooks) {
    heed__free(hooks, w->id);
    heed__free(hooks, w->value);
    heed__free(hooks, w->scale);
    heed__free(hooks, w->times);
}

static int weigher_make(weigher *w, const heed_evidence *e, const heed_feature_index *x,
                        int64_t room) {
    const heed_hooks *hooks = &e->margin.hooks;
    *w = (weigher){ .x = x, .marks = e->marks, .room = room, .ln = e->ln };
    w->id = heed__calloc(hooks, (size_t)room, sizeof *w->id);
    w->value = heed__calloc(hooks, (size_t)room, sizeof *w->value);
    w->scale = heed__calloc(hooks, (size_t)room, sizeof *w->scale);
    w->times = heed__calloc(hooks, (size_t)room, sizeof *w->times);
    return w->id && w->value && w->scale && w->times ? 0 : HEED_ENOMEM;
}

static void sparse_free(heed_sparse_rows *s, const heed_hooks *hooks) {
    heed__free(hooks, s->start);
    heed__free(hooks, s->id);
    heed__free(hooks, s->value);
}

static int weigh_all(heed_sparse_rows *s, const heed_evidence *e, const heed_feature_index *x,
                     const heed_rows *rows) {
    const heed_hooks *hooks = &e->margin.hooks;
    weigher w = { .x = x };
    int64_t most = 1, id_cap = 0, value_cap = 0, at = 0;
    for (int64_t i = 0; i < rows->len; i++) {
        const heed_span one = heed__row(rows, i);
        const int64_t have = longest(rows, &one, 1);
        most = have > most ? have : most;
    }
    s->len = rows->len;
    s->start = heed__calloc(hooks, (size_t)rows->len + 1, sizeof *s->start);
    int rc = s->start ? weigher_make(&w, e, x, most) : HEED_ENOMEM;
    for (int64_t i = 0; rc == 0 && i < rows->len; i++) {
        weigh(&w, rows, heed__row(rows, i));
        rc = heed__grow(hooks, &s->id, &id_cap, at + w.len, sizeof *s->id);
        if (rc == 0) rc = heed__grow(hooks, &s->value, &value_cap, at + w.len, sizeof *s->value);
        if (rc) break;
        if (w.len) memcpy(s->id + at, w.id, (size_t)w.len * sizeof *s->id);
        if (w.len) memcpy(s->value + at, w.value, (size_t)w.len * sizeof *s->value);
        at += w.len;
        s->start[i + 1] = at;
    }
    weigher_free(&w, hooks);
    return rc;
}

int heed__evidence_fit(heed_ctx *cx, heed_evidence *e, heed_feature_index *x, const heed_rows *rows,
                       const heed_body_goal *goal, heed_error *err) {
    const heed_hooks hooks = e->margin.hooks;
    heed_sparse_rows s = { 0 };
    const bool two = goal->classes == 2 && !goal->label_start;
    heed__evidence_free(e);
    e->margin.hooks = hooks;
    e->margin.rows = x->len;
    e->margin.cols = two ? 1 : goal->classes;
    e->gain = 4;
    fill_logs(e);
    int rc = heed__evidence_weights(x, rows, goal);
    if (rc == 0) rc = make_marks(e, x);
    if (rc == 0) rc = weigh_all(&s, e, x, rows);
    if (rc == 0)
        rc = heed__margin_fit(cx, &e->margin, &s, goal->label, goal->label_start,
                              &(heed_margin_cfg){ .seed = goal->seed });
    sparse_free(&s, &hooks);
    if (rc == 0) {
        e->scale = heed__calloc(&hooks, (size_t)e->margin.rows, sizeof *e->scale);
        e->number = heed__calloc(&hooks, (size_t)(e->margin.rows * e->margin.cols) + SPARE, 1);
        if (!e->scale || !e->number) rc = HEED_ENOMEM;
    }
    if (rc == 0) {
        heed__margin_round(&e->margin, e->scale, e->number);
        mark_scales(e);
        heed__free(&hooks, e->margin.weight);
        e->margin.weight = NULL;
        return 0;
    }
    heed__evidence_free(e);
    return heed__error(err, rc,
                       rc == HEED_ECANCELLED ? "train: stopped" : "evidence: out of memory");
}

/* -- answering -------------------------------------------------------------------------------- */

heed_tensor *heed__evidence_apply(heed_ctx *cx, const heed_evidence *e, const heed_feature_index *x,
                                  const heed_rows *rows, const heed_span *span, int64_t n) {
    const heed_margin *m = &e->margin;
    if (!m->cols) return NULL;
    const int64_t K = m->cols == 1 ? 2 : m->cols, most = longest(rows, span, n);
    heed_tensor *y = heed_new(cx, HEED_F32, 2, (int64_t[]){ n, K });
    weigher w = { .x = x, .marks = e->marks, .room = most, .ln = e->ln };
    w.id = heed_scratch(cx, (size_t)most * sizeof *w.id);
    w.value = heed_scratch(cx, (size_t)most * sizeof *w.value);
    w.scale = heed_scratch(cx, (size_t)most * sizeof *w.scale);
    w.times = heed_scratch(cx, (size_t)most * sizeof *w.times);
    if (!y || !w.id || !w.value || !w.scale || !w.times) return NULL;
    for (int64_t i = 0; i < n; i++) {
        float *out = HEED_F32_DATA(y) + i * K;
        weigh(&w, rows, span[i]);
        for (int64_t k = 0; k < w.len; k++) w.value[k] *= w.scale[k];
        const heed_margin_row row = { w.id, w.value, w.len };
        heed__margin_apply_rounded(cx, m, e->number, &row, out);
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
    mark_scales(e);
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
    int rc = m->bias && e->scale && e->number && make_marks(e, x) == 0
                 ? read_into(e, st, err)
                 : heed__error(err, HEED_ENOMEM, "%s: out of memory", heed_safetensors_name(st));
    if (rc) heed__evidence_free(e);
    return rc;
}

int64_t heed__evidence_size(const heed_evidence *e) {
    const heed_margin *m = &e->margin;
    return m->rows * (m->cols + (int64_t)(sizeof *e->scale + sizeof *e->marks->mark)) +
           m->cols * (int64_t)sizeof *m->bias;
}

void heed__evidence_free(heed_evidence *e) {
    if (e->marks) heed__free(&e->margin.hooks, e->marks->mark);
    heed__free(&e->margin.hooks, e->marks);
    heed__free(&e->margin.hooks, e->scale);
    heed__free(&e->margin.hooks, e->number);
    heed__margin_free(&e->margin);
    e->margin.rows = e->margin.cols = 0;
    e->marks = NULL;
    e->scale = NULL;
    e->number = NULL;
}
