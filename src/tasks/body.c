/* body.c: the recipes that there are, and what all of them share: rows, batches, what attention
 * fell on. */
#include "tasks/body.h"

#include <string.h>

#include "base/alloc.h"
#include "heed/ops.h"
#include "tasks/range.h"

extern const heed_body_kind heed__body_attend, heed__body_classic, heed__body_encoder,
    heed__body_match;

const heed_body_kind *const heed__body_kinds[] = { &heed__body_classic, &heed__body_attend,
                                                   &heed__body_encoder, &heed__body_match, NULL };

const heed_body_kind *heed__body_kind_find(const char *name) {
    for (const heed_body_kind *const *k = heed__body_kinds; *k; k++)
        if (strcmp((*k)->name, name) == 0) return *k;
    return NULL;
}

const char *heed_recipe_name(int i) {
    for (int k = 0; k <= i && i >= 0; k++) {
        if (!heed__body_kinds[k]) return NULL;
        if (k == i) return heed__body_kinds[k]->name;
    }
    return NULL;
}

heed_body *heed__body_new(const heed_body_kind *kind, const heed_body_cfg *cfg, heed_params *ps,
                          const heed_hooks *hooks, heed_error *err) {
    heed_body *b = heed__calloc(hooks, 1, kind->size);
    if (!b) {
        heed__error(err, HEED_ENOMEM, "%s: out of memory", kind->name);
        return NULL;
    }
    b->kind = kind;
    b->ps = ps;
    if (hooks) b->hooks = *hooks;
    if (cfg) b->cfg = *cfg;
    return b;
}

int heed__body_check(const heed_body_cfg *b, const heed_fit_cfg *fit, heed_error *err) {
    const heed_bound bounds[] = {
        { "vocab", b->vocab, 3, INT64_MAX },
        { "max_len", b->max_len, 1, HEED_BODY_MAX_LEN },
        { "epochs", fit->epochs, 1, HEED_FIT_MAX_EPOCHS },
        { "batch", fit->batch, 1, INT64_MAX },
        { "embed", b->embed, 0, INT32_MAX },
        { "hidden", b->hidden, 0, INT32_MAX },
        { "heads", b->heads, 0, 65536 },
        { "layers", b->layers, 0, 100 },
        { "ff", b->ff, 0, INT32_MAX },
        { NULL, 0, 0, 0 },
    };
    const int rc = heed__bounds_check(bounds, err);
    if (rc) return rc;
    const heed_range ranges[] = {
        { "dropout", b->dropout, HEED_BELOW, .most = 1 },
        { "dropout", b->dropout, HEED_BELOW, .most = HEED_NEARLY_ONE },
        { "deviation", b->deviation, HEED_FROM_TO, .least = 0, .most = HEED_BODY_MOST },
        { .name = NULL },
    };
    return heed__ranges_check(ranges, err);
}

int heed__body_reach(const heed_body *b, int64_t max_len, heed_error *err) {
    if (!b->positions || max_len <= b->positions) return 0;
    return heed__error(err, HEED_EINVALID,
                       "train: the model to start from reads at most %lld words at once, not %lld",
                       (long long)b->positions, (long long)max_len);
}

void heed__body_folder(const char *files[HEED_BODY_FILES + 1]) {
    int n = 0;
    files[n++] = "config.json";
    files[n++] = "model.safetensors";
    for (const heed_body_kind *const *k = heed__body_kinds; *k; k++)
        for (const char *const *f = (*k)->files; *f; f++) {
            int i = 0;
            while (i < n && strcmp(files[i], *f) != 0) i++;
            if (i == n && n < HEED_BODY_FILES) files[n++] = *f;
        }
    files[n] = NULL;
}

void heed__body_free(heed_body *b) {
    if (!b) return;
    const heed_hooks hooks = b->hooks;
    if (b->kind->free) b->kind->free(b);
    heed__free(&hooks, b);
}

int heed__body_memo(heed_ctx *cx, const heed_body *b, heed_body_memo **memo, heed_error *err) {
    *memo = NULL;
    return b->kind->memo ? b->kind->memo(cx, b, memo, err) : 0;
}

int heed__body_encode(const heed_body *b, const heed_texts *x, const heed_rows_cfg *cfg,
                      heed_rows *rows, heed_error *err) {
    *rows = (heed_rows){ .hooks = b->hooks };
    if (heed__lacks_any(x->text, x->len, "encode", "text", err)) return HEED_EINVALID;
    rows->memo = cfg->memo;
    if (rows->memo) rows->memo->readers++;
    const int rc = b->kind->encode(b, x, cfg, rows, err);
    if (rc) heed__rows_free(rows);
    return rc;
}

void heed__rows_free(heed_rows *rows) {
    const heed_hooks *h = &rows->hooks;
    heed__free(h, rows->start);
    heed__free(h, rows->total);
    heed__free(h, rows->id);
    heed__free(h, rows->bag);
    heed__free(h, rows->feature);
    heed__free(h, rows->place);
    heed__free(h, rows->first);
    heed__free(h, rows->known);
    heed__free(h, rows->word);
    if (rows->memo) rows->memo->readers--;
    *rows = (heed_rows){ .hooks = rows->hooks };
}

int heed__rows_begin(heed_rows *r, const heed_texts *x, heed_error *err) {
    r->start = heed__calloc(&r->hooks, (size_t)x->len + 1, sizeof *r->start);
    r->total = heed__calloc(&r->hooks, (size_t)x->len, sizeof *r->total);
    if (x->word)
        r->first = heed__calloc(&r->hooks, (size_t)x->word_start[x->len], sizeof *r->first);
    if (r->start && r->total && (r->first || !x->word)) return 0;
    return heed__error(err, HEED_ENOMEM, "texts: out of memory");
}

void heed__rows_end_row(heed_rows *r, const heed_texts *x, const heed_rows_cfg *cfg) {
    const int64_t i = r->len, begin = r->start[i], n = r->total[i] ? r->total[i] : 1;
    const int64_t kept = cfg->max_len && cfg->max_len < n ? cfg->max_len : n;
    const int64_t lost = cfg->keep == HEED_KEEP_HEAD ? 0 : n - kept;
    if (lost) {
        memmove(r->id + begin, r->id + begin + lost, (size_t)kept * sizeof *r->id);
        if (cfg->places) {
            memmove(r->place + begin, r->place + begin + lost, (size_t)kept * sizeof *r->place);
            memmove(r->known + begin, r->known + begin + lost, (size_t)kept * sizeof *r->known);
        }
    }
    for (int64_t w = r->first ? x->word_start[i] : 0; r->first && w < x->word_start[i + 1]; w++) {
        const int64_t at = r->first[w] - begin;
        r->first[w] = at < lost || at >= lost + kept ? -1 : begin + at - lost;
    }
    r->start[++r->len] = begin + kept;
}

int64_t heed__rows_size(const heed_rows *rows) {
    return (rows->len + 1) * (int64_t)sizeof *rows->start +
           (rows->total ? rows->len : 0) * (int64_t)sizeof *rows->total +
           rows->id_cap * (int64_t)sizeof *rows->id + rows->bag_cap * (int64_t)sizeof *rows->bag +
           rows->feature_cap * (int64_t)sizeof *rows->feature +
           rows->place_cap * (int64_t)sizeof *rows->place + rows->known_cap +
           rows->word_cap * (int64_t)sizeof *rows->word;
}

static int64_t longest(const heed_span *span, int64_t n) {
    int64_t most = 1;
    for (int64_t i = 0; i < n; i++)
        if (span[i].end - span[i].begin > most) most = span[i].end - span[i].begin;
    return most;
}

void heed__rows_batch(heed_ctx *cx, const heed_rows *rows, const heed_span *span, int64_t n,
                      int32_t padding, heed_tensor *out[2]) {
    const int64_t T = longest(span, n);
    out[0] = heed_new(cx, HEED_I32, 2, (int64_t[]){ n, T });
    out[1] = out[0] ? heed_new(cx, HEED_I32, 1, &n) : NULL;
    if (!out[1]) {
        out[0] = NULL;
        return;
    }
    for (int64_t i = 0; i < n; i++) {
        const int64_t len = span[i].end - span[i].begin;
        int32_t *row = HEED_I32_DATA(out[0]) + i * T;
        memcpy(row, rows->id + span[i].begin, (size_t)len * sizeof *row);
        for (int64_t t = len; t < T; t++) row[t] = padding;
        HEED_I32_DATA(out[1])[i] = (int32_t)len;
    }
}

heed_tensor *heed__column_weights(heed_ctx *cx, const heed_tensor *column, const heed_span *span,
                                  int64_t n) {
    if (!column) return NULL;
    const int64_t H = column->shape[1], T = column->shape[2];
    heed_tensor *w = heed_zeros(cx, HEED_F32, 2, (int64_t[]){ n, T });
    for (int64_t i = 0; w && i < n; i++) {
        const int64_t len = span[i].end - span[i].begin;
        float *row = HEED_F32_DATA(w) + i * T, all = 0; /* all: heads times queries */
        for (int64_t t = 0; t < len; t++) {
            const float *at = HEED_F32_DATA(column) + i * H * T + t;
            for (int64_t h = 0; h < H; h++) row[t] += at[h * T];
            all += row[t];
        }
        for (int64_t t = 0; all > 0 && t < len; t++) row[t] /= all;
    }
    return w;
}

heed_tensor *heed__even_weights(heed_ctx *cx, const heed_span *span, int64_t n, int64_t T) {
    heed_tensor *w = heed_zeros(cx, HEED_F32, 2, (int64_t[]){ n, T });
    for (int64_t i = 0; w && i < n; i++)
        for (int64_t t = 0; t < span[i].end - span[i].begin; t++)
            HEED_F32_DATA(w)[i * T + t] = 1.0f / (float)(span[i].end - span[i].begin);
    return w;
}

heed_tensor *heed__body_penalty(heed_ctx *cx, const heed_attention_choice *kind,
                                const heed_attention_more *more, int64_t layers) {
    if (!kind->penalty || !heed_ctx_train(cx)) return NULL;
    heed_tensor *sum = more[0].penalty;
    for (int64_t i = 1; i < layers; i++) sum = heed_add(cx, sum, more[i].penalty);
    return heed_scale(cx, sum, (float)(kind->penalty_weight / (double)layers), 0);
}

static void narrow(int64_t *reach, int64_t to) {
    if (to > 0 && (*reach == 0 || *reach > to)) *reach = to;
}

void heed__body_narrow(const heed_body *b, heed_attention_choice *kind) {
    narrow(&kind->window, b->cfg.attention.window);
    narrow(&kind->truncate, b->cfg.attention.truncate);
}
