/* pretrain.c: learning the language from hidden units; see pretrain.h. */
#include "tasks/pretrain.h"

#include <string.h>

#include "base/alloc.h"
#include "base/elementary.h"
#include "heed/nn.h"
#include "heed/ops.h"
#include "tensor/params.h"

typedef struct pretraining {
    heed_ctx *cx;
    heed_body *b;
    heed_linear head;
    heed_rows rows;        /* of all texts */
    heed_rows batch;       /* ids of a batch, with what is hidden: room for the largest */
    heed_span *span;       /* [batch] of the batch's rows */
    int32_t *at, *was;     /* [units of the largest batch] */
    int64_t *learn, *held; /* rows of both parts */
    int64_t learn_len, held_len, room, size;
    int64_t *length; /* [learn_len] */
    uint64_t seed;
} pretraining;

enum { HELD = 20 }; /* one row of so many is held out */

int64_t heed__hide_units(int32_t *ids, int64_t len, int64_t hidden, const uint64_t key[2],
                         int32_t *at, int32_t *was) {
    int64_t count = 0;
    uint32_t drawn[4];
    for (int64_t i = 0; i < len; i++) {
        heed_philox(key[0], 0x6d61736bu + ((uint64_t)i << 32), key[1], drawn);
        const bool last = i == len - 1 && count == 0;
        if (drawn[0] >= 644245094u && !last) continue; /* 0.15 of 2^32 */
        at[count] = (int32_t)i;
        was[count++] = ids[i];
        if (drawn[1] < 3435973837u) /* 0.8 */
            ids[i] = (int32_t)hidden;
        else if (drawn[1] < 3865470566u && hidden > 0) /* 0.1 more */
            ids[i] = (int32_t)(drawn[2] % (uint64_t)hidden);
    }
    return count;
}

/* Logits [count,V] of what is hidden in the rows row[0..n), with what it was in *right. */
static heed_tensor *guess(pretraining *p, const int64_t *row, int64_t n, uint64_t step,
                          heed_tensor **right) {
    int64_t units = 0, T = 1;
    for (int64_t i = 0; i < n; i++) {
        const heed_span s = heed__row(&p->rows, row[i]);
        const int64_t len = s.end - s.begin;
        memcpy(p->batch.id + units, p->rows.id + s.begin, (size_t)len * sizeof *p->batch.id);
        p->span[i] = (heed_span){ units, units + len };
        units += len;
        if (len > T) T = len;
    }
    const int64_t hidden = p->b->kind->hidden_unit(p->b);
    const int64_t count = heed__hide_units(p->batch.id, units, hidden,
                                           (uint64_t[]){ p->seed, step }, p->at, p->was);
    heed_tensor *lengths, *h = p->b->kind->states(p->cx, p->b, &p->batch, p->span, n, &lengths);
    heed_tensor *places = heed_new(p->cx, HEED_I32, 1, &count);
    *right = heed_from_i32(p->cx, 1, &count, p->was);
    if (!h || !places || !*right) return NULL;
    for (int64_t k = 0, i = 0; k < count; k++) { /* units of ragged rows to places of [n,T] */
        while (p->at[k] >= p->span[i].end) i++;
        HEED_I32_DATA(places)[k] = (int32_t)(i * T + p->at[k] - p->span[i].begin);
    }
    heed_tensor *flat = heed_reshape(p->cx, h, 2, (int64_t[]){ n * T, h->shape[2] });
    return heed_linear_apply(p->cx, &p->head, heed_embedding(p->cx, flat, places, -1));
}

static heed_tensor *loss(void *self, const int64_t *item, int64_t n) {
    pretraining *p = self;
    heed_tensor *right, *z;
    int64_t *row = heed_scratch(p->cx, (size_t)n * sizeof *row);
    for (int64_t i = 0; row && i < n; i++) row[i] = p->learn[item[i]];
    z = row ? guess(p, row, n, heed_ctx_step(p->cx), &right) : NULL;
    return z ? heed_cross_entropy(p->cx, z, right, NULL) : NULL;
}

/* Held-out rows, the same units hidden each time. */
static int score(void *self, heed_score *s, heed_error *err) {
    pretraining *p = self;
    int64_t told = 0, all = 0;
    double sum = 0;
    for (int64_t at = 0; at < p->held_len; at += p->size) {
        const int64_t n = p->held_len - at < p->size ? p->held_len - at : p->size;
        heed_tensor *right,
            *z = guess(p, p->held + at, n, (uint64_t)at | (uint64_t)1 << 63, &right);
        heed_tensor *l = z ? heed_cross_entropy(p->cx, z, right, NULL) : NULL;
        if (!l) {
            const heed_error *why = heed_ctx_error(p->cx);
            const int rc = heed__error(err, why ? why->code : HEED_ENOMEM, "%s",
                                       why ? why->msg : "pretraining: out of memory");
            heed_ctx_reset(p->cx);
            return rc;
        }
        const int64_t count = z->shape[0], V = z->shape[1];
        for (int64_t i = 0; i < count; i++) {
            const float *row = HEED_F32_DATA(z) + i * V;
            int64_t best = 0;
            for (int64_t k = 1; k < V; k++)
                if (row[k] > row[best]) best = k;
            told += best == HEED_I32_DATA(right)[i];
        }
        all += count;
        sum += (double)heed_item(l) * (double)count;
        heed_ctx_reset(p->cx);
    }
    *s = (heed_score){ "Acc", all ? (double)told / (double)all : 0, all ? sum / (double)all : 0 };
    return 0;
}

/* Rows in two parts, and room for the largest batch. 0 or a status. */
static int prepare(pretraining *p, heed_error *err) {
    const heed_hooks *h = &p->b->hooks;
    const int64_t rows = p->rows.len;
    int64_t longest = 1;
    for (int64_t i = 0; i < rows; i++) {
        const heed_span s = heed__row(&p->rows, i);
        if (s.end - s.begin > longest) longest = s.end - s.begin;
    }
    const size_t n = (size_t)rows, batch = (size_t)p->size;
    const size_t room = batch * (size_t)longest;
    p->room = (int64_t)room;
    p->learn = heed__calloc(h, n, sizeof *p->learn);
    p->held = heed__calloc(h, n, sizeof *p->held);
    p->length = heed__calloc(h, n, sizeof *p->length);
    p->span = heed__calloc(h, batch, sizeof *p->span);
    p->batch.id = heed__calloc(h, room, sizeof *p->batch.id);
    p->at = heed__calloc(h, room, sizeof *p->at);
    p->was = heed__calloc(h, room, sizeof *p->was);
    if (!p->learn || !p->held || !p->length || !p->span || !p->batch.id || !p->at || !p->was)
        return heed__error(err, HEED_ENOMEM, "pretraining: out of memory");
    for (int64_t i = 0; i < rows; i++) {
        const heed_span s = heed__row(&p->rows, i);
        uint32_t drawn[4];
        heed_philox(p->seed, 0x70726574u, (uint64_t)i, drawn);
        if (rows >= HELD && drawn[0] % HELD == 0) {
            p->held[p->held_len++] = i;
            continue;
        }
        p->length[p->learn_len] = s.end - s.begin;
        p->learn[p->learn_len++] = i;
    }
    return 0;
}

static void end(pretraining *p) {
    const heed_hooks *h = &p->b->hooks;
    heed__free(h, p->learn);
    heed__free(h, p->held);
    heed__free(h, p->length);
    heed__free(h, p->span);
    heed__free(h, p->at);
    heed__free(h, p->was);
    p->batch.hooks = p->rows.hooks;
    heed__rows_free(&p->batch);
    heed__rows_free(&p->rows);
}

static int declare_head(pretraining *p, heed_error *err) {
    const heed_init small = { HEED_INIT_NORMAL, 0.02f };
    heed_params *ps = p->b->ps;
    const int rc = heed_linear_init_cfg(&p->head, ps, "hidden",
                                        &(heed_linear_cfg){ .in = p->b->state_dim,
                                                            .out = p->b->kind->hidden_unit(p->b),
                                                            .weight = &small });
    const heed_error *why = heed_params_error(ps);
    return rc ? heed__error(err, rc, "%s", why ? why->msg : "the head cannot be made") : 0;
}

int heed__pretrain(heed_ctx *cx, heed_body *b, const heed_texts *x, const heed_fit_cfg *fit,
                   heed_error *err) {
    if (!b->kind->hidden_unit || !b->kind->states)
        return heed__error(err, HEED_EUNSUPPORTED,
                           "train: the recipe '%s' learns no language beforehand", b->kind->name);
    pretraining p = { .cx = cx, .b = b, .seed = fit->seed, .size = fit->batch };
    const int64_t own = heed_params_count(b->ps);
    int rc = heed__body_encode(
        b, x, &(heed_rows_cfg){ .max_len = b->cfg.max_len, .keep = b->cfg.keep }, &p.rows, err);
    if (rc) return rc;
    rc = prepare(&p, err);
    if (rc == 0) rc = declare_head(&p, err);
    const heed_learner l = { .self = &p,
                             .cx = cx,
                             .ps = b->ps,
                             .items = p.learn_len,
                             .length = p.length,
                             .loss = loss,
                             .score = p.held_len ? score : NULL,
                             .memory = heed__rows_size(&p.rows) + p.room * 3 * 4,
                             .unit = "texts",
                             .beforehand = true };
    if (rc == 0) rc = heed__fit(&l, fit, NULL, err);
    heed__params_cut(b->ps, own);
    end(&p);
    return rc;
}
