/* gradient.c: gradients of one answer with respect to the rows that its words look up. */
#include "tasks/gradient.h"

#include <string.h>

#include "base/alloc.h"
#include "heed/ops.h"
#include "tensor/ctx.h"
#include "tensor/params.h"

/* -g·x of row r of the table. */
static double removal(const heed_tensor *table, int64_t r) {
    const int64_t C = table->shape[1];
    const float *g = NULL;
    if (table->sparse) {
        const heed_sparse *s = table->sparse;
        int64_t low = 0, high = s->len;
        while (low < high) {
            const int64_t middle = low + (high - low) / 2;
            if (s->row[middle] < r)
                low = middle + 1;
            else
                high = middle;
        }
        if (low < s->len && s->row[low] == r) g = s->val + low * C;
    } else if (table->grad && r >= 0 && r < table->shape[0]) {
        g = table->grad + r * C;
    }
    const float *x = HEED_F32_DATA(table) + r * C;
    double sum = 0;
    for (int64_t k = 0; g && k < C; k++) sum -= (double)g[k] * (double)x[k];
    return sum;
}

/* The first table, which wants gradients from now on. */
static const heed_tensor *table_of(heed_params *ps) {
    for (int64_t i = 0; i < heed_params_count(ps); i++) {
        const heed_tensor *t = heed_params_at(ps, i);
        if (!heed__param_looked_up(t)) continue;
        if (!t->needs_grad) heed_params_set_trainable(ps, t->name, true);
        return t;
    }
    return NULL;
}

static void measure(const heed_rows *rows, const heed_tensor *table, heed_span span,
                    float *weight) {
    for (int64_t u = span.begin; u < span.end; u++) {
        double sum = 0;
        if (rows->bag)
            for (int64_t k = rows->bag[u]; k < rows->bag[u + 1]; k++)
                sum += removal(table, rows->feature[k]);
        else if (rows->id)
            sum = removal(table, rows->id[u]);
        weight[u] = (float)sum;
    }
}

/* Computes the loss and goes back through it. 0 or a status. */
static int go_back(heed_classifier *c, const heed_rows *rows, heed_span span, int32_t label,
                   heed_error *err) {
    const bool was = heed_ctx_set_record(c->cx, true);
    const int64_t item = 0;
    heed_body_call call = { .want_weights = false };
    heed_tensor *y = c->body->kind->apply(c->cx, c->body, rows, &span, 1, &call);
    y = heed__head_apply(c->cx, &c->head, y, NULL);
    if (call.evidence) y = heed_add(c->cx, y, call.evidence);
    heed_tensor *loss = heed__head_loss(c->cx, &c->head, y, &(heed_goal){ .label = &label }, &item);
    const bool well = loss && heed_backward(c->cx, loss) == 0;
    const heed_error *why = heed_ctx_error(c->cx);
    const int rc = well ? 0
                        : heed__error(err, why ? why->code : HEED_ENOMEM, "%s",
                                      why ? why->msg : "gradients: out of memory");
    heed_ctx_reset(c->cx);
    heed_ctx_set_record(c->cx, was);
    return rc;
}

int64_t heed__word_gradients(heed_classifier *c, const char *text, int32_t label, float **weight,
                             heed_piece **place, heed_error *err) {
    heed_rows rows = { 0 };
    *weight = NULL;
    *place = NULL;
    int rc = heed__body_encode(c->body, &(heed_texts){ .len = 1, .text = &text },
                               &(heed_rows_cfg){ .places = true }, &rows, err);
    if (rc) return rc;
    const int64_t n = rows.total[0];
    *weight = heed__calloc(&c->hooks, (size_t)rows.start[1], sizeof **weight);
    *place = heed__calloc(&c->hooks, (size_t)rows.start[1], sizeof **place);
    if (!*weight || !*place) rc = heed__error(err, HEED_ENOMEM, "gradients: out of memory");
    const heed_span span = heed__window(c, &rows, 0, 0);
    const heed_tensor *table = table_of(c->ps);
    if (!table) rc = heed__error(err, HEED_EUNSUPPORTED, "gradients: the model has no table");
    if (rc == 0 && n) rc = go_back(c, &rows, span, label, err);
    if (rc == 0 && n) {
        measure(&rows, table, span, *weight);
        memcpy(*place, rows.place, (size_t)n * sizeof **place);
    }
    heed_params_zero_grad(c->ps);
    heed__rows_free(&rows);
    if (rc == 0) return n;
    heed__free(&c->hooks, *weight);
    heed__free(&c->hooks, *place);
    *weight = NULL;
    *place = NULL;
    return rc;
}
