/* adversary.c: changes of looked-up rows along their gradients. */
#include "tasks/adversary.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "tensor/ctx.h"
#include "tensor/params.h"

enum { ROUNDS = 3 }; /* of freelb */

/* Rows of one table that have a gradient, as they were, with their change and the gradient that was
 * there before the last round. */
typedef struct table {
    heed_tensor *t;
    int64_t len, cap; /* rows */
    int64_t *row;     /* [cap] */
    float *was, *delta, *before;
    int64_t row_cap, was_cap, delta_cap, before_cap;
} table;

struct heed_adversary {
    heed_adversary_kind kind;
    float epsilon;
    int round;
    table *table;
    int64_t tables;
    heed_hooks hooks;
};

bool heed__adversary_find(const char *name, heed_adversary_kind *kind) {
    *kind = HEED_ADVERSARY_NONE;
    if (!name) return true;
    if (strcmp(name, "fgm") == 0) *kind = HEED_ADVERSARY_FGM;
    if (strcmp(name, "freelb") == 0) *kind = HEED_ADVERSARY_FREELB;
    return *kind != HEED_ADVERSARY_NONE;
}

heed_adversary *heed__adversary_new(heed_params *ps, heed_adversary_kind kind, double epsilon,
                                    const heed_hooks *hooks, heed_error *err) {
    heed_adversary *a = heed__calloc(hooks, 1, sizeof *a);
    const int64_t count = heed_params_count(ps);
    table *tables = heed__calloc(hooks, (size_t)count, sizeof *tables);
    if (!a || !tables) {
        heed__free(hooks, a);
        heed__free(hooks, tables);
        heed__error(err, HEED_ENOMEM, "adversary: out of memory");
        return NULL;
    }
    if (hooks) a->hooks = *hooks;
    a->kind = kind;
    a->epsilon = epsilon > 0 ? (float)epsilon : 1;
    a->table = tables;
    for (int64_t i = 0; i < count; i++) {
        heed_tensor *t = heed_params_at(ps, i);
        if (heed__param_looked_up(t) && t->needs_grad) tables[a->tables++].t = t;
    }
    if (a->tables) return a;
    heed__adversary_free(a);
    heed__error(err, HEED_EUNSUPPORTED,
                "adversary: the model has no table of vectors that is learnt");
    return NULL;
}

void heed__adversary_free(heed_adversary *a) {
    if (!a) return;
    const heed_hooks hooks = a->hooks;
    for (int64_t i = 0; i < a->tables; i++) {
        heed__free(&hooks, a->table[i].row);
        heed__free(&hooks, a->table[i].was);
        heed__free(&hooks, a->table[i].delta);
        heed__free(&hooks, a->table[i].before);
    }
    heed__free(&hooks, a->table);
    heed__free(&hooks, a);
}

int heed__adversary_rounds(const heed_adversary *a) {
    return !a ? 1 : a->kind == HEED_ADVERSARY_FGM ? 2 : ROUNDS;
}

float heed__adversary_weight(const heed_adversary *a) {
    return a && a->kind == HEED_ADVERSARY_FREELB ? 1.0f / ROUNDS : 1.0f;
}

/* -- rows and gradients ----------------------------------------------------------------------- */

static int64_t width(const table *t) {
    return t->t->shape[1];
}

/* The gradient of row k of those held. */
static const float *gradient(const table *t, int64_t k) {
    return t->t->sparse ? t->t->sparse->val + k * width(t) : t->t->grad + t->row[k] * width(t);
}

/* Whether row r of a table with a full gradient has one. */
static bool touched(const table *t, int64_t r) {
    const float *g = t->t->grad + r * width(t);
    for (int64_t c = 0; c < width(t); c++)
        if (g[c] < 0 || g[c] > 0) return true;
    return false;
}

static int hold_row(heed_adversary *a, table *t, int64_t row) {
    const heed_hooks *h = &a->hooks;
    const int64_t C = width(t), at = t->len * C, need = at + C;
    if (heed__grow(h, &t->row, &t->row_cap, t->len + 1, sizeof *t->row) ||
        heed__grow(h, &t->was, &t->was_cap, need, sizeof *t->was) ||
        heed__grow(h, &t->delta, &t->delta_cap, need, sizeof *t->delta) ||
        heed__grow(h, &t->before, &t->before_cap, need, sizeof *t->before))
        return HEED_ENOMEM;
    memcpy(t->was + at, HEED_F32_DATA(t->t) + row * C, (size_t)C * sizeof(float));
    memset(t->delta + at, 0, (size_t)C * sizeof(float));
    memset(t->before + at, 0, (size_t)C * sizeof(float));
    t->row[t->len++] = row;
    return 0;
}

/* The rows of this batch: those of its first round. */
static int hold(heed_adversary *a) {
    int rc = 0;
    for (int64_t i = 0; rc == 0 && i < a->tables; i++) {
        table *t = &a->table[i];
        t->len = 0;
        const heed_sparse *s = t->t->sparse;
        for (int64_t k = 0; rc == 0 && s && k < s->len; k++) rc = hold_row(a, t, s->row[k]);
        for (int64_t r = 0; rc == 0 && !s && t->t->grad && r < t->t->shape[0]; r++)
            if (touched(t, r)) rc = hold_row(a, t, r);
    }
    return rc;
}

/* |g| of what the last round has added, which goes to `before` in place of the sum until then. */
static double last_gradient(heed_adversary *a) {
    double sum = 0;
    for (int64_t i = 0; i < a->tables; i++) {
        table *t = &a->table[i];
        const int64_t C = width(t);
        for (int64_t k = 0; k < t->len; k++)
            for (int64_t c = 0; c < C; c++) {
                const double g = (double)gradient(t, k)[c] - (double)t->before[k * C + c];
                sum += g * g;
            }
    }
    return sqrt(sum);
}

static double change_length(const heed_adversary *a) {
    double sum = 0;
    for (int64_t i = 0; i < a->tables; i++)
        for (int64_t k = 0; k < a->table[i].len * width(&a->table[i]); k++)
            sum += (double)a->table[i].delta[k] * (double)a->table[i].delta[k];
    return sqrt(sum);
}

int heed__adversary_move(heed_adversary *a) {
    if (a->round == 0 && hold(a)) {
        heed__adversary_undo(a);
        return HEED_ENOMEM;
    }
    a->round++;
    const double length = last_gradient(a);
    /* freelb goes to the rim in as many steps as there are rounds left, fgm in one */
    const double by = a->kind == HEED_ADVERSARY_FGM ? (double)a->epsilon
                                                    : (double)a->epsilon / (ROUNDS - 1);
    const float step = length > 0 && isfinite(length) ? (float)(by / length) : 0;
    for (int64_t i = 0; i < a->tables; i++) {
        table *t = &a->table[i];
        const int64_t C = width(t);
        for (int64_t k = 0; k < t->len * C; k++) {
            const float g = gradient(t, k / C)[k % C];
            t->delta[k] += step * (g - t->before[k]);
            t->before[k] = g;
        }
    }
    const double now = change_length(a);
    const float keep = now > (double)a->epsilon ? (float)((double)a->epsilon / now) : 1;
    for (int64_t i = 0; i < a->tables; i++) {
        table *t = &a->table[i];
        const int64_t C = width(t);
        for (int64_t k = 0; k < t->len * C; k++) {
            t->delta[k] *= keep;
            HEED_F32_DATA(t->t)[t->row[k / C] * C + k % C] = t->was[k] + t->delta[k];
        }
    }
    return 0;
}

void heed__adversary_undo(heed_adversary *a) {
    for (int64_t i = 0; a && i < a->tables; i++) {
        table *t = &a->table[i];
        const int64_t C = width(t);
        for (int64_t k = 0; k < t->len; k++)
            memcpy(HEED_F32_DATA(t->t) + t->row[k] * C, t->was + k * C, (size_t)C * sizeof(float));
        t->len = 0;
    }
    if (a) a->round = 0;
}
