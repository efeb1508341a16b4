/* attend_answer.c: the recipe `attend` where no gradient is wanted: texts one after another without
 * padding. The local context is linear before its gelu, so what a word or a run adds to a unit and
 * to its neighbours is computed once for all units that have it, or is known from earlier calls
 * (attend_memo.c). The bits do not depend on which. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "heed/ops.h"
#include "ops/op.h"
#include "ops/ragged.h"
#include "tasks/body_attend.h"
#include "tensor/ctx.h"

/* In bf16 the sums of attention are the product's, and are left to it. */
bool heed__attend_answers(const heed_ctx *cx, const heed_attend *a) {
    return !heed_ctx_train(cx) && !cx->record && heed_ctx_precision(cx) == HEED_PRECISION_F32 &&
           a->rows == a->index.kinds[HEED_FEATURE_PAIR];
}

/* Where the row of a unit's item lies. */
typedef enum home { OF_BATCH, OF_WORDS, OF_RUNS, HOMES } home;
typedef struct slot {
    int32_t home, number;
} slot;

/* The batch while it is laid out. */
typedef struct layout {
    heed_ctx *cx;
    const heed_attend *a;
    const heed_rows *rows;
    heed_attend_memo *memo; /* or NULL */
    int64_t *text;          /* [n+1] first unit of each text */
    int64_t *first;         /* [units+1] first item of each unit */
    float *part;            /* [units] 1 / features */
    slot *slot;             /* [slots] */
    const heed__item **row; /* [slots] */
    heed_attend_item *item; /* items of the batch alone */
    int32_t *table;         /* hash table of their numbers + 1 */
    uint32_t mask;
    int64_t units, slots, items;
    int64_t fresh; /* runs of the memo that have their rows */
} layout;

static uint32_t hash(heed_attend_item x) {
    return (uint32_t)x.id[0] * 0x9e3779b1u ^ (uint32_t)x.id[x.len - 1] * 0x85ebca6bu;
}

/* The number of an item that no memo has. */
static int32_t own_item(layout *l, heed_attend_item x) {
    const uint32_t h = hash(x);
    for (uint32_t at = (h ^ h >> 15) & l->mask;; at = (at + 1) & l->mask) {
        const int32_t i = l->table[at] - 1;
        if (i < 0) {
            l->item[l->items] = x;
            l->table[at] = (int32_t)++l->items;
            return l->table[at] - 1;
        }
        if (l->item[i].len == x.len &&
            memcmp(l->item[i].id, x.id, (size_t)x.len * sizeof *x.id) == 0)
            return i;
    }
}

static void put(layout *l, home where, int32_t number) {
    l->slot[l->slots].home = (int32_t)where;
    l->slot[l->slots++].number = number;
}

/* A run, which takes a place in the memo where there is room. */
static void put_run(layout *l, const int32_t *id) {
    heed_attend_memo *m = l->memo;
    int32_t *place = m ? m->place + (*id - l->a->index.kinds[2]) : NULL;
    if (m && !*place && m->runs < m->most_runs) {
        m->run_id[m->runs] = *id;
        *place = (int32_t)++m->runs;
    }
    if (m && *place) {
        put(l, OF_RUNS, *place - 1);
        return;
    }
    if (m) m->missed++;
    put(l, OF_BATCH, own_item(l, (heed_attend_item){ id, 1 }));
}

static void put_unit(layout *l, int64_t u) {
    const heed_rows *rows = l->rows;
    const int32_t *id = rows->feature ? rows->feature + rows->bag[u] : NULL,
                  word = l->memo ? rows->word[u] : -1;
    const int64_t len = heed__attend_bag_end(l->a, rows, u) - rows->bag[u],
                  runs = l->a->index.kinds[2];
    int64_t own = 0, all = len;
    l->first[l->units] = l->slots;
    if (word >= 0) {
        const int64_t *start = l->memo->in.start + word;
        if (start[1] > start[0]) put(l, OF_WORDS, word);
        all += start[1] - start[0];
    } else {
        while (own < len && id[own] < runs) own++;
        if (own) put(l, OF_BATCH, own_item(l, (heed_attend_item){ id, own }));
        if (own && l->memo) l->memo->missed++;
    }
    for (int64_t k = own; k < len; k++) put_run(l, id + k);
    l->part[l->units++] = all ? 1.0f / (float)all : 0;
}

/* The most items that the texts' units have. */
static int64_t most_items(const heed_rows *rows, const heed_spans *spans) {
    int64_t n = 0;
    for (int64_t i = 0; i < spans->len; i++) {
        const heed_span s = spans->span[i];
        n += s.end - s.begin + rows->bag[s.end] - rows->bag[s.begin];
    }
    return n;
}

static bool make_room(layout *l, const heed_spans *spans) {
    heed_attend_memo *m = l->memo;
    const size_t most = (size_t)most_items(l->rows, spans);
    size_t units = 0, slots = 64;
    for (int64_t i = 0; i < spans->len; i++)
        units += (size_t)(spans->span[i].end - spans->span[i].begin);
    while (slots < 2 * most) slots *= 2;
    l->mask = (uint32_t)slots - 1;
    l->text = heed_scratch(l->cx, ((size_t)spans->len + 1) * sizeof *l->text);
    l->first = heed_scratch(l->cx, (units + 1) * sizeof *l->first);
    l->part = heed_scratch(l->cx, units * sizeof *l->part);
    l->slot = heed_scratch(l->cx, most * sizeof *l->slot);
    l->row = heed_scratch(l->cx, most * sizeof *l->row);
    l->item = heed_scratch(l->cx, most * sizeof *l->item);
    l->table = heed_scratch(l->cx, slots * sizeof *l->table);
    if (!l->text || !l->first || !l->part || !l->slot || !l->row || !l->item || !l->table)
        return false;
    memset(l->table, 0, slots * sizeof *l->table);
    if (!m) return true;
    l->fresh = m->runs;
    if (heed__grow(&m->hooks, &m->run_id, &m->run_id_cap, m->runs + (int64_t)most,
                   sizeof *m->run_id)) {
        heed_fail(l->cx, HEED_ENOMEM, "out of memory for %zu items", most);
        return false;
    }
    return true;
}

static void lay_out(layout *l, const heed_spans *spans) {
    for (int64_t i = 0; i < spans->len; i++) {
        l->text[i] = l->units;
        for (int64_t u = spans->span[i].begin; u < spans->span[i].end; u++) put_unit(l, u);
    }
    l->text[spans->len] = l->units;
    l->first[l->units] = l->slots;
}

/* Rows of the runs that came with this batch; none stays that has no row. */
static bool fill_runs(layout *l) {
    heed_attend_memo *m = l->memo;
    const int64_t size = (int64_t)heed__item_size(l->a->dim), n = m->runs - l->fresh;
    if (n == 0) return true;
    heed_attend_item *item = heed_scratch(l->cx, (size_t)(n + 1) * sizeof *item);
    bool done = item &&
                !heed__grow(&m->hooks, &m->run, &m->run_cap, m->runs * size + HEED_I8_SPARE, 1);
    for (int64_t i = 0; done && i < n; i++)
        item[i] = (heed_attend_item){ m->run_id + l->fresh + i, 1 };
    if (done) done = heed__attend_items(l->cx, l->a, item, n, m->panels, m->run + l->fresh * size);
    if (done) return true;
    for (; m->runs > l->fresh; m->runs--)
        m->place[m->run_id[m->runs - 1] - l->a->index.kinds[2]] = 0;
    heed_fail(l->cx, HEED_ENOMEM, "out of memory for the rows of %lld runs", (long long)n);
    return false;
}

/* Computes what is missing and says of every item where its row is. */
static bool find_rows(layout *l) {
    const size_t size = heed__item_size(l->a->dim);
    const char *row[HOMES] = { NULL };
    char *own = heed_scratch(l->cx, (size_t)l->items * size + HEED_I8_SPARE);
    if (l->memo && !fill_runs(l)) return false;
    if (!own ||
        !heed__attend_items(l->cx, l->a, l->item, l->items, l->memo ? l->memo->panels : NULL, own))
        return false;
    row[OF_BATCH] = own;
    if (l->memo) row[OF_WORDS] = l->memo->word, row[OF_RUNS] = l->memo->run;
    for (int64_t i = 0; i < l->slots; i++)
        l->row[i] = (const heed__item *)(row[l->slot[i].home] + (size_t)l->slot[i].number * size);
    return true;
}

/* The mean over heads of a text's weights [H,T] after another -> [n,T] */
static heed_tensor *mean_weights(const layout *l, const float *weight, int64_t n) {
    const int64_t H = l->a->heads;
    int64_t most = 1;
    for (int64_t i = 0; i < n; i++)
        most = l->text[i + 1] - l->text[i] > most ? l->text[i + 1] - l->text[i] : most;
    heed_tensor *m = weight ? heed_zeros(l->cx, HEED_F32, 2, (int64_t[]){ n, most }) : NULL;
    for (int64_t i = 0; m && i < n; i++) {
        const int64_t T = l->text[i + 1] - l->text[i];
        for (int64_t h = 0; h < H; h++)
            for (int64_t t = 0; t < T; t++)
                HEED_F32_DATA(m)[i * most + t] += weight[(l->text[i] * H) + h * T + t] / (float)H;
    }
    return m;
}

/* Tells of the products that texts of so many words cost where all words are different and none is
 * known from before: rows of every word and run, scores, and weighted sums. */
static void count(const layout *l, const heed_spans *spans) {
    const heed_attend *a = l->a;
    const double D = (double)a->dim, H = (double)a->heads;
    double items = 0;
    if (!l->cx->flops) return;
    for (int64_t i = 0; i < spans->len; i++) {
        const int64_t words = spans->span[i].end - spans->span[i].begin;
        items += (double)(words + heed__features_runs(&a->features, words));
    }
    heed__count(l->cx, a->near.w, "matmul", 6 * D * D * items);
    if (!a->mean) heed__count(l->cx, a->query.w, "attention", 2 * H * D * (double)l->units);
    heed__count(l->cx, NULL, "attention", 2 * H * D * (double)l->units);
}

heed_tensor *heed__attend_answer(heed_ctx *cx, const heed_attend *a, const heed_rows *rows,
                                 const heed_spans *spans, heed_body_call *call) {
    layout l = { .cx = cx, .a = a, .rows = rows, .memo = (heed_attend_memo *)rows->memo };
    if (l.memo && !heed__attend_words(cx, l.memo)) return NULL;
    if (!make_room(&l, spans)) return NULL;
    lay_out(&l, spans);
    if (!find_rows(&l)) return NULL;
    const heed__texts texts = { l.text, spans->len, l.first, l.row, l.part };
    const heed__reader reader = { a->near.b, a->mean ? NULL : a->query.w };
    const float *weight = NULL;
    count(&l, spans);
    heed_tensor *y = heed__ragged_apply(cx, &texts, &reader, &weight);
    if (call && call->want_weights) call->weights = mean_weights(&l, weight, spans->len);
    if (call)
        call->evidence = heed__evidence_apply(cx, &a->evidence, &a->index, rows, spans,
                                              l.memo ? &l.memo->evidence : NULL);
    return heed_layer_norm(cx, y, a->gain, a->bias, 1e-5f);
}
