/* attend_memo.c: what the recipe `attend` keeps between calls of an open model: of words and runs
 * that were met, their rows (attend_items) and what they are evidence of. Texts repeat both, so
 * that most of an answer is added up from rows that are there. */
#include <string.h>

#include "base/alloc.h"
#include "ops/op.h"
#include "ops/product.h"
#include "ops/ragged.h"
#include "tasks/body_attend.h"

enum { MOST_BYTES = 16 << 20, LEAST_WORDS = 256, TOGETHER = 64 };

/* Rows [n,4D] of items in floats. */
static bool compute(heed_ctx *cx, const heed_attend *a, const heed_attend_item *item, int64_t n,
                    const float *panels, float *row) {
    const int64_t D = a->dim, wide = 4 * D, size = heed__packed_len(D, D);
    for (int64_t i = 0; i < n; i++) {
        memset(row + i * wide, 0, (size_t)D * sizeof *row);
        cx->k->math->gather(row + i * wide, NULL, a->table->data, item[i].id, item[i].len, D);
    }
    for (int64_t k = 0; k < 3; k++) {
        const heed_gemm g = { .m = n,
                              .n = D,
                              .k = D,
                              .a = row,
                              .lda = wide,
                              .b = (const float *)a->near.w->data + k * D,
                              .ldb = 3 * D,
                              .tb = true,
                              .packed = panels ? panels + k * size : NULL,
                              .c = row + (k + 1) * D,
                              .ldc = wide };
        if (!heed__product(cx, &g)) return false;
    }
    return true;
}

bool heed__attend_items(heed_ctx *cx, const heed_attend *a, const heed_attend_item *item, int64_t n,
                        const float *panels, void *row) {
    const int64_t D = a->dim;
    const size_t size = heed__item_size(D);
    bool done = true;
    if (n == 0) return true;
    float *all = heed__temp(cx, TOGETHER * 4 * D, sizeof *all);
    if (!all) return false;
    for (int64_t at = 0, some; done && at < n; at += some) {
        some = n - at < TOGETHER ? n - at : TOGETHER;
        done = compute(cx, a, item + at, some, panels, all);
        for (int64_t i = 0; done && i < some; i++) {
            heed__item *to = (heed__item *)((char *)row + (size_t)(at + i) * size);
            const float *x = all + i * 4 * D;
            to->scale[0] = heed__to_i8(cx, to->number, x, D);
            to->scale[1] = heed__to_i8(cx, to->number + D, x + D, 3 * D);
        }
    }
    heed__temp_end(cx, all);
    return done;
}

static float *pack(const heed_ctx *cx, const heed_attend *a, const heed_hooks *hooks) {
    const int64_t D = a->dim, size = heed__packed_len(D, D);
    float *panels = heed__aligned(hooks, (size_t)(3 * size) * sizeof *panels);
    for (int64_t k = 0; panels && k < 3; k++)
        heed__pack_b(cx->k, panels + k * size, (const float *)a->near.w->data + k * D, 3 * D, true,
                     D, D);
    return panels;
}

int heed__attend_memo(heed_ctx *cx, const heed_body *b, heed_body_memo **memo, heed_error *err) {
    const heed_attend *a = (const heed_attend *)b;
    const int64_t size = (int64_t)heed__item_size(a->dim);
    const int64_t said = (int64_t)heed__evidence_word_size(&a->evidence);
    if (!heed__attend_answers(cx, a)) return 0;
    heed_attend_memo *m = heed__calloc(&b->hooks, 1, sizeof *m);
    if (!m) return heed__error(err, HEED_ENOMEM, "attend: out of memory");
    m->a = a;
    m->hooks = b->hooks;
    m->most_runs = MOST_BYTES / size;
    m->in.f = (heed_features){ .hooks = b->hooks,
                               .remember = true,
                               .most = MOST_BYTES / (size + said) };
    if (m->in.f.most < LEAST_WORDS) m->in.f.most = LEAST_WORDS;
    m->place = heed__calloc(&b->hooks, (size_t)(a->index.len - a->index.kinds[2]),
                            sizeof *m->place);
    m->panels = pack(cx, a, &b->hooks);
    *memo = &m->base;
    if (m->place && m->panels) return 0;
    heed__attend_forget(&m->base);
    *memo = NULL;
    return heed__error(err, HEED_ENOMEM, "attend: out of memory");
}

void heed__attend_forget(heed_body_memo *memo) {
    heed_attend_memo *m = (heed_attend_memo *)memo;
    const heed_hooks hooks = m->hooks;
    heed__reading_free(&m->in);
    heed__aligned_free(&hooks, m->panels);
    heed__free(&hooks, m->word);
    heed__free(&hooks, m->said);
    heed__free(&hooks, m->place);
    heed__free(&hooks, m->run_id);
    heed__free(&hooks, m->run);
    heed__free(&hooks, m);
}

void heed__attend_refresh(heed_attend_memo *m) {
    if (m->base.readers > 1 || m->missed <= m->words + m->runs) return;
    const int64_t first = m->a->index.kinds[2];
    for (int64_t i = 0; i < m->runs; i++) m->place[m->run_id[i] - first] = 0;
    heed__features_forget(&m->in.f);
    m->in.words = m->words = m->runs = m->missed = 0;
}

/* Rows of words [begin,end), for which there is room. */
static bool fill(heed_ctx *cx, heed_attend_memo *m, int64_t begin, int64_t end) {
    const size_t size = heed__item_size(m->a->dim);
    heed_attend_item item[TOGETHER];
    for (int64_t at = begin, n; at < end; at += n) {
        for (n = 0; n < TOGETHER && at + n < end; n++)
            item[n] = (heed_attend_item){ m->in.id + m->in.start[at + n],
                                          m->in.start[at + n + 1] - m->in.start[at + n] };
        if (!heed__attend_items(cx, m->a, item, n, m->panels, m->word + (size_t)at * size))
            return false;
    }
    return true;
}

/* The same of what they are evidence of. */
static bool fill_said(heed_ctx *cx, heed_attend_memo *m, int64_t begin, int64_t end) {
    const heed_evidence *e = &m->a->evidence;
    const size_t size = heed__evidence_word_size(e);
    if (begin == end || !e->margin.cols) return true;
    for (int64_t w = begin; w < end; w++) {
        const int64_t at = m->in.start[w];
        if (!heed__evidence_word(cx, e, &m->a->index, m->in.id + at, m->in.start[w + 1] - at,
                                 (heed_evidence_word *)(m->said + (size_t)w * size)))
            return false;
    }
    return true;
}

bool heed__attend_words(heed_ctx *cx, heed_attend_memo *m) {
    const int64_t size = (int64_t)heed__item_size(m->a->dim), n = m->in.words;
    const int64_t said = (int64_t)heed__evidence_word_size(&m->a->evidence);
    if (heed__grow(&m->hooks, &m->word, &m->word_cap, n * size + HEED_I8_SPARE, 1) ||
        heed__grow(&m->hooks, &m->said, &m->said_cap, n * said + HEED_I8_SPARE, 1)) {
        heed_fail(cx, HEED_ENOMEM, "out of memory for the rows of %lld words", (long long)n);
        return false;
    }
    m->evidence = (heed_evidence_words){ m->in.id, m->in.start, m->said };
    if (!fill(cx, m, m->words, n) || !fill_said(cx, m, m->words, n)) return false;
    m->words = n;
    return true;
}
