/* evidence.c: texts as tf-idf vectors of their features, and the linear classifier over them. A
 * feature that is c times in a text weighs (1 + ln c) · idf; words and runs together have length 1,
 * and so have the pieces. */
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
    int32_t *slot; /* [slots] place in id, + 1 */
    int64_t slots;
    int32_t *id; /* [room] */
    float *value;
    int32_t *times;
    int64_t len, room;
    const float *ln; /* [LOGS] 1 + ln c */
} weigher;

static void fill_logs(heed_evidence *e) {
    for (int c = 1; c < LOGS; c++) e->ln[c] = (float)(1 + heed__ln(c));
    e->ln[0] = 0;
}

static void count_one(weigher *w, int32_t id) {
    const uint32_t mask = (uint32_t)w->slots - 1;
    uint32_t at = (uint32_t)id * 0x9e3779b1u >> 5 & mask;
    while (w->slot[at] && w->id[w->slot[at] - 1] != id) at = (at + 1) & mask;
    if (!w->slot[at]) {
        w->id[w->len] = id;
        w->times[w->len] = 0;
        w->slot[at] = (int32_t)++w->len;
    }
    w->times[w->slot[at] - 1]++;
}

/* The vector of a span into id, value, len. w has room for all of its features. */
static void weigh(weigher *w, const heed_rows *rows, heed_span span) {
    const int64_t begin = rows->bag[span.begin], end = rows->bag[span.end];
    const heed_feature_index *x = w->x;
    const int32_t pieces = (int32_t)x->kinds[1], runs = (int32_t)x->kinds[2];
    double sum[2] = { 0, 0 };
    while (w->slots < 2 * (end - begin)) w->slots *= 2;
    memset(w->slot, 0, (size_t)w->slots * sizeof *w->slot);
    w->len = 0;
    for (int64_t k = begin; k < end; k++) count_one(w, rows->feature[k]);
    for (int64_t k = 0; k < w->len; k++) {
        const int32_t id = w->id[k], c = w->times[k];
        w->value[k] = w->ln[c < LOGS ? c : LOGS - 1] * x->idf[id];
        sum[id >= pieces && id < runs] += (double)w->value[k] * (double)w->value[k];
    }
    const float scale[2] = { sum[0] > 0 ? 1 / sqrtf((float)sum[0]) : 0,
                             sum[1] > 0 ? 1 / sqrtf((float)sum[1]) : 0 };
    for (int64_t k = 0; k < w->len; k++)
        w->value[k] *= scale[w->id[k] >= pieces && w->id[k] < runs];
}

/* Slots for n features: a power of two, at least twice as many. */
static int64_t slots_for(int64_t n) {
    int64_t slots = 64;
    while (slots < 2 * n) slots *= 2;
    return slots;
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
    heed__free(hooks, w->slot);
    heed__free(hooks, w->id);
    heed__free(hooks, w->value);
    heed__free(hooks, w->times);
}

static int weigher_make(weigher *w, const heed_evidence *e, const heed_feature_index *x,
                        int64_t room) {
    const heed_hooks *hooks = &e->margin.hooks;
    *w = (weigher){ .x = x, .room = room, .slots = 64, .ln = e->ln };
    w->slot = heed__calloc(hooks, (size_t)slots_for(room), sizeof *w->slot);
    w->id = heed__calloc(hooks, (size_t)room, sizeof *w->id);
    w->value = heed__calloc(hooks, (size_t)room, sizeof *w->value);
    w->times = heed__calloc(hooks, (size_t)room, sizeof *w->times);
    return w->slot && w->id && w->value && w->times ? 0 : HEED_ENOMEM;
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
        w.slots = 64;
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

int heed__evidence_fit(heed_ctx *cx, heed_evidence *e, const heed_feature_index *x,
                       const heed_rows *rows, const heed_body_goal *goal, heed_error *err) {
    const heed_hooks hooks = e->margin.hooks;
    heed_sparse_rows s = { 0 };
    const bool two = goal->classes == 2 && !goal->label_start;
    heed__evidence_free(e);
    e->margin.hooks = hooks;
    e->margin.rows = x->len;
    e->margin.cols = two ? 1 : goal->classes;
    e->gain = 4;
    fill_logs(e);
    int rc = weigh_all(&s, e, x, rows);
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
    weigher w = { .x = x, .room = most, .ln = e->ln };
    w.slot = heed_scratch(cx, (size_t)slots_for(most) * sizeof *w.slot);
    w.id = heed_scratch(cx, (size_t)most * sizeof *w.id);
    w.value = heed_scratch(cx, (size_t)most * sizeof *w.value);
    w.times = heed_scratch(cx, (size_t)most * sizeof *w.times);
    if (!y || !w.slot || !w.id || !w.value || !w.times) return NULL;
    for (int64_t i = 0; i < n; i++) {
        float *out = HEED_F32_DATA(y) + i * K;
        w.slots = 64;
        weigh(&w, rows, span[i]);
        for (int64_t k = 0; k < w.len; k++) w.value[k] *= e->scale[w.id[k]];
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
    return 0;
}

int heed__evidence_read(heed_evidence *e, const heed_safetensors *st, int64_t rows,
                        const heed_hooks *hooks, heed_error *err) {
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
    int rc = m->bias && e->scale && e->number
                 ? read_into(e, st, err)
                 : heed__error(err, HEED_ENOMEM, "%s: out of memory", heed_safetensors_name(st));
    if (rc) heed__evidence_free(e);
    return rc;
}

int64_t heed__evidence_size(const heed_evidence *e) {
    const heed_margin *m = &e->margin;
    return m->rows * (m->cols + (int64_t)sizeof *e->scale) + m->cols * (int64_t)sizeof *m->bias;
}

void heed__evidence_free(heed_evidence *e) {
    heed__free(&e->margin.hooks, e->scale);
    heed__free(&e->margin.hooks, e->number);
    heed__margin_free(&e->margin);
    e->margin.rows = e->margin.cols = 0;
    e->scale = NULL;
    e->number = NULL;
}
