/* attend_answer.c: the recipe `attend` where no gradient is wanted: texts one after another without
 * padding, and words that several texts have are added up once. */
#include <string.h>

#include "heed/ops.h"
#include "ops/ragged.h"
#include "tasks/body_attend.h"

/* In bf16 the sums of attention are the product's, and are left to it. */
bool heed__attend_answers(const heed_ctx *cx, const heed_attend *a) {
    return !heed_ctx_train(cx) && !cx->record && heed_ctx_precision(cx) == HEED_PRECISION_F32 &&
           a->rows == a->index.len;
}

/* The batch while it is laid out: bags of x's rows, and where the texts' rows of h begin. */
typedef struct layout {
    const heed_attend *a;
    const heed_rows *rows;
    int64_t *text; /* [n+1] */
    int64_t *begin, *end;
    int32_t *head; /* [len] */
    int64_t len;
    /* words of the batch */
    int64_t *part_begin, *part_end;
    int64_t parts;
    int32_t *slot; /* hash table of parts + 1 */
    uint32_t mask;
    const int32_t **owner;
} layout;

/* The part of all units with unit u's word, or -1. */
static int32_t part_of(layout *l, int64_t u) {
    const heed_rows *rows = l->rows;
    if (!rows->word || rows->word[u] < 0) return -1;
    const int32_t *word = rows->word + u;
    uint32_t at = (uint32_t)*word * 0x9e3779b1u >> 7 & l->mask;
    while (l->slot[at] && *l->owner[l->slot[at] - 1] != *word) at = (at + 1) & l->mask;
    if (l->slot[at]) return l->slot[at] - 1;
    const int64_t begin = rows->bag[u], runs = l->a->index.kinds[2];
    int64_t end = begin;
    while (end < rows->bag[u + 1] && rows->feature[end] < runs) end++;
    l->owner[l->parts] = word;
    l->part_begin[l->parts] = begin;
    l->part_end[l->parts] = end;
    l->slot[at] = (int32_t)++l->parts;
    return l->slot[at] - 1;
}

static void put_empty(layout *l) {
    l->begin[l->len] = l->end[l->len] = 0;
    l->head[l->len++] = -1;
}

static void lay_out(layout *l, const heed_spans *spans) {
    put_empty(l);
    for (int64_t i = 0; i < spans->len; i++) {
        l->text[i] = l->len - 1;
        for (int64_t u = spans->span[i].begin; u < spans->span[i].end; u++) {
            l->begin[l->len] = l->rows->bag[u];
            l->end[l->len] = l->rows->bag[u + 1];
            l->head[l->len++] = part_of(l, u);
        }
        put_empty(l);
    }
    l->text[spans->len] = l->len - 1;
}

static bool make_room(heed_ctx *cx, layout *l, const heed_spans *spans) {
    size_t len = 1, slots = 64;
    for (int64_t i = 0; i < spans->len; i++)
        len += (size_t)(spans->span[i].end - spans->span[i].begin) + 1;
    while (slots < 2 * len) slots *= 2;
    l->mask = (uint32_t)slots - 1;
    l->text = heed_scratch(cx, ((size_t)spans->len + 1) * sizeof *l->text);
    l->begin = heed_scratch(cx, len * sizeof *l->begin);
    l->end = heed_scratch(cx, len * sizeof *l->end);
    l->head = heed_scratch(cx, len * sizeof *l->head);
    l->part_begin = heed_scratch(cx, len * sizeof *l->part_begin);
    l->part_end = heed_scratch(cx, len * sizeof *l->part_end);
    l->owner = heed_scratch(cx, len * sizeof *l->owner);
    l->slot = heed_scratch(cx, slots * sizeof *l->slot);
    if (!l->text || !l->begin || !l->end || !l->head || !l->part_begin || !l->part_end ||
        !l->owner || !l->slot)
        return false;
    memset(l->slot, 0, slots * sizeof *l->slot);
    return true;
}

heed_tensor *heed__attend_answer(heed_ctx *cx, const heed_attend *a, const heed_rows *rows,
                                 const heed_spans *spans, heed_body_call *call) {
    layout l = { .a = a, .rows = rows };
    if (!make_room(cx, &l, spans)) return NULL;
    lay_out(&l, spans);
    const heed__bags bags = { .id = rows->feature,
                              .begin = l.begin,
                              .end = l.end,
                              .head = l.head,
                              .len = l.len,
                              .part_begin = l.part_begin,
                              .part_end = l.part_end,
                              .parts = l.parts };
    heed_tensor *x = heed__ragged_bags(cx, a->table, &bags);
    heed_tensor *h = heed__ragged_near(cx, x, a->near.w, a->near.b);
    heed_tensor *score = a->mean ? NULL : heed_linear_apply(cx, &a->query, h);
    if (!h || (!score && !a->mean)) return NULL;
    const heed__texts texts = { l.text, spans->len };
    heed_tensor *y = heed__ragged_pool(cx, h, score, &texts);
    if (call)
        call->evidence = heed__evidence_apply(cx, &a->evidence, &a->index, rows, spans->span,
                                              spans->len);
    return heed_layer_norm(cx, y, a->gain, a->bias, 1e-5f);
}
