/* body_match.c: the recipe `match`, for vectors of texts that are compared with each other.
 *
 *   x_t = Σ e_f over the features f of word t: itself, its pieces, it with the word before   [D]
 *   a   = softmax_t(q · x_t),  y = Σ_t a_t x_t
 *
 * Features are hashed into the rows of a table (Bojanowski et al. 2017), so that a word never seen
 * in training, a name or a number, still has a vector of its own: equal words match at once, which
 * is most of what retrieval needs, and learning adds what else belongs together. A row begins at
 * random with the length of its inverse document frequency (Spärck Jones 1972); a feature counts
 * once in a text. In training features are left out by chance. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/elementary.h"
#include "base/json.h"
#include "base/text.h"
#include "heed/nn.h"
#include "heed/ops.h"
#include "tasks/body.h"
#include "text/features.h"

enum { MOST_ROWS = 1 << 28, MOST_WIDTH = 65536 };

typedef struct match {
    heed_body body;
    heed_feature_cfg features;
    int64_t rows, dim;
    double dropout;
    heed_tensor *table; /* [rows,D] "table" */
    heed_linear query;  /* [1,D] */
} match;

static const uint64_t DRAWN = 0x6d61746368u;

static void defaults(heed_body_cfg *c, heed_fit_cfg *fit) {
    if (!c->buckets) c->buckets = 32768;
    if (!c->vocab) c->vocab = c->buckets; /* not read, but shown */
    if (!c->max_len) c->max_len = 256;
    if (!c->embed) c->embed = 256;
    if (c->dropout == 0) c->dropout = 0.4;
    if (!fit->epochs) fit->epochs = 12;
    if (!fit->batch) fit->batch = 128;
    if (!fit->optimizer) fit->optimizer = "adamw";
    if (fit->optim.lr == 0) fit->optim.lr = 0.003f;
}

/* -- making ----------------------------------------------------------------------------------- */

static int build(match *m, heed_error *err) {
    heed_params *ps = m->body.ps;
    const double spread = 1 / sqrt((double)m->dim);
    m->features = (heed_feature_cfg){ .run = 2, .ideograms = 2, .least = 3, .most = 5 };
    m->table = heed_param(ps, "table", (heed_init){ .kind = HEED_INIT_NORMAL, .a = (float)spread },
                          2, (int64_t[]){ m->rows, m->dim });
    int rc = m->table ? heed_param_set_sparse(ps, m->table) : HEED_ENOMEM;
    if (rc == 0)
        rc = heed_linear_init_cfg(&m->query, ps, "query",
                                  &(heed_linear_cfg){ .in = m->dim, .out = 1, .no_bias = true });
    const heed_error *why = heed_params_error(ps);
    m->body.dim = m->body.state_dim = m->dim;
    if (rc || why)
        return heed__error(err, why ? why->code : rc, "%s", why ? why->msg : "match: no memory");
    return 0;
}

static int32_t row_of(const match *m, uint32_t key) {
    uint64_t h = (uint64_t)key * 0x9e3779b97f4a7c15u; /* neighbours among keys fall apart */
    h ^= h >> 32;
    return (int32_t)(h % (uint64_t)m->rows);
}

/* In how many texts each row occurs. 0 or HEED_ENOMEM. */
static int count(const match *m, const heed_texts *x, int64_t *in, int64_t *last) {
    heed_features f = { .hooks = m->body.hooks };
    int rc = 0;
    for (int64_t i = 0; rc == 0 && i < x->len; i++) {
        heed__features_clear(&f);
        rc = heed__features_add(&f, &m->features, x->text[i], strlen(x->text[i]));
        for (int64_t k = 0; rc == 0 && f.units && k < f.bag[f.units]; k++) {
            const int32_t row = row_of(m, f.key[k]);
            if (last[row] == i + 1) continue;
            last[row] = i + 1;
            in[row]++;
        }
    }
    heed__features_free(&f);
    return rc;
}

static int learn(heed_body *b, const heed_texts *x, heed_error *err) {
    match *m = (match *)b;
    const heed_bound bounds[] = { { "buckets", b->cfg.buckets, 1, MOST_ROWS },
                                  { "embed", b->cfg.embed, 1, MOST_WIDTH },
                                  { NULL, 0, 0, 0 } };
    if (heed__bounds_check(bounds, err)) return HEED_EINVALID; /* what load refuses */
    m->rows = b->cfg.buckets;
    m->dim = b->cfg.embed;
    m->dropout = b->cfg.dropout > 0 ? b->cfg.dropout : 0;
    int rc = build(m, err);
    if (rc) return rc;
    int64_t *in = heed__calloc(&b->hooks, (size_t)m->rows, sizeof *in);
    int64_t *last = heed__calloc(&b->hooks, (size_t)m->rows, sizeof *last);
    rc = in && last ? count(m, x, in, last) : HEED_ENOMEM;
    for (int64_t r = 0; rc == 0 && r < m->rows; r++) {
        const double idf = heed__ln((double)(1 + x->len) / (double)(1 + in[r])) + 1;
        float *row = HEED_F32_DATA(m->table) + r * m->dim;
        for (int64_t k = 0; k < m->dim; k++) row[k] = (float)((double)row[k] * idf);
    }
    memset(m->query.w->data, 0, (size_t)m->dim * sizeof(float)); /* all words alike at first */
    heed__free(&b->hooks, in);
    heed__free(&b->hooks, last);
    return rc ? heed__error(err, rc, "match: out of memory") : 0;
}

static int load(heed_body *b, const json_t *config, const char *dir, heed_error *err) {
    match *m = (match *)b;
    char path[1024];
    heed__format(path, sizeof path, "%.900s/config.json", dir);
    static const char *const keys[] = { "rows", "dim", "dropout", NULL };
    heed_fields f = { .object = config, .name = path, .err = err };
    heed__fields_only(&f, keys);
    m->rows = heed__field_int(&f, "rows", 1, MOST_ROWS);
    m->dim = heed__field_int(&f, "dim", 1, MOST_WIDTH);
    m->dropout = heed__field_number(&f, "dropout");
    b->cfg.buckets = m->rows;
    b->cfg.embed = m->dim;
    b->cfg.dropout = m->dropout;
    if (f.status == 0 && !(m->dropout >= 0 && m->dropout < 1))
        return heed__error(err, HEED_EFORMAT, "%s: dropout is not from 0 to below 1", path);
    return f.status ? f.status : build(m, err);
}

static json_t *config(const heed_body *b) {
    const match *m = (const match *)b;
    return json_pack("{s:I, s:I, s:f}", "rows", (json_int_t)m->rows, "dim", (json_int_t)m->dim,
                     "dropout", m->dropout);
}

static int save(const heed_body *b, const char *dir, heed_error *err) {
    (void)b, (void)dir, (void)err; /* config and weights are all there is */
    return 0;
}

/* -- texts ------------------------------------------------------------------------------------ */

/* The rows that the text at hand has already: an open hash table of row + 1. */
typedef struct seen {
    int32_t *slot; /* [mask+1] */
    int64_t cap;
    uint64_t mask;
} seen;

/* Empty, with room for n rows. 0 or HEED_ENOMEM. */
static int seen_begin(seen *s, int64_t n, const heed_hooks *hooks) {
    uint64_t slots = 16;
    while (slots < 2 * (uint64_t)n) slots *= 2;
    if (heed__grow(hooks, &s->slot, &s->cap, (int64_t)slots, sizeof *s->slot)) return HEED_ENOMEM;
    memset(s->slot, 0, (size_t)slots * sizeof *s->slot);
    s->mask = slots - 1;
    return 0;
}

/* Whether row is new; then it is there from now on. */
static bool seen_add(seen *s, int32_t row) {
    uint64_t at = (uint64_t)row * 0x9e3779b1u & s->mask;
    while (s->slot[at] && s->slot[at] != row + 1) at = (at + 1) & s->mask;
    if (s->slot[at]) return false;
    s->slot[at] = row + 1;
    return true;
}

/* Units [begin,end) of f to the end of r; none: one without features. */
static int append(const match *m, const heed_features *f, int64_t begin, int64_t end, seen *s,
                  heed_rows *r) {
    int64_t u = r->start[r->len], at = r->bag[u];
    const int64_t units = end > begin ? end - begin : 1;
    const int64_t most = end > begin ? f->bag[end] - f->bag[begin] : 0;
    if (heed__grow(&r->hooks, &r->bag, &r->bag_cap, u + units + 1, sizeof *r->bag) ||
        heed__grow(&r->hooks, &r->feature, &r->feature_cap, at + most, sizeof *r->feature) ||
        seen_begin(s, most, &m->body.hooks))
        return HEED_ENOMEM;
    for (int64_t i = begin; i < begin + units; i++) {
        for (int64_t k = i < end ? f->bag[i] : 0; i < end && k < f->bag[i + 1]; k++) {
            const int32_t row = row_of(m, f->key[k]);
            if (seen_add(s, row)) r->feature[at++] = row;
        }
        r->bag[++u] = at;
    }
    r->start[++r->len] = u;
    return 0;
}

/* Where the last units of r stand in their text. */
static int add_places(const heed_features *f, int64_t begin, int64_t end, heed_rows *r) {
    const int64_t from = r->start[r->len - 1], to = r->start[r->len];
    if (heed__grow(&r->hooks, &r->place, &r->place_cap, to, sizeof *r->place) ||
        heed__grow(&r->hooks, &r->known, &r->known_cap, to, sizeof *r->known))
        return HEED_ENOMEM;
    for (int64_t u = from; u < to; u++) {
        const int64_t i = begin + u - from;
        r->place[u] = i < end ? (heed_piece){ f->begin[i], f->end[i] } : (heed_piece){ 0, 0 };
        r->known[u] = i < end;
    }
    return 0;
}

static int encode_one(const match *m, const char *text, const heed_rows_cfg *cfg, seen *s,
                      heed_features *f, heed_rows *r) {
    heed__features_clear(f);
    if (heed__features_add(f, &m->features, text, strlen(text))) return HEED_ENOMEM;
    int64_t begin = 0, end = f->units;
    if (cfg->max_len && end > cfg->max_len) {
        if (cfg->keep == HEED_KEEP_HEAD)
            end = cfg->max_len;
        else
            begin = end - cfg->max_len;
    }
    r->total[r->len] = f->units;
    if (append(m, f, begin, end, s, r)) return HEED_ENOMEM;
    return cfg->places ? add_places(f, begin, end, r) : 0;
}

static int encode(const heed_body *b, const heed_texts *x, const heed_rows_cfg *cfg, heed_rows *r,
                  heed_error *err) {
    heed_features f = { .hooks = b->hooks };
    seen s = { .slot = NULL };
    r->start = heed__calloc(&r->hooks, (size_t)x->len + 1, sizeof *r->start);
    r->total = heed__calloc(&r->hooks, (size_t)x->len, sizeof *r->total);
    int rc = heed__grow(&r->hooks, &r->bag, &r->bag_cap, 1, sizeof *r->bag);
    if (!r->start || !r->total) rc = HEED_ENOMEM;
    if (rc == 0) r->bag[0] = 0;
    for (int64_t i = 0; rc == 0 && i < x->len; i++)
        rc = encode_one((const match *)b, x->text[i], cfg, &s, &f, r);
    heed__features_free(&f);
    heed__free(&b->hooks, s.slot);
    return rc ? heed__error(err, rc, "texts: out of memory") : 0;
}

/* -- computing -------------------------------------------------------------------------------- */

/* A batch: a bag of rows for every unit of every span, empty ones after a span's end. */
typedef struct batch {
    heed_tensor *id, *bag, *mask; /* [ids], [n·T+1], [n,1,T] */
    int64_t T;
} batch;

static bool make_batch(heed_ctx *cx, const match *m, const heed_rows *rows, const heed_span *span,
                       int64_t n, batch *b) {
    int64_t most = 0, at = 0;
    *b = (batch){ .T = 1 };
    for (int64_t i = 0; i < n; i++) {
        most += rows->bag[span[i].end] - rows->bag[span[i].begin];
        if (span[i].end - span[i].begin > b->T) b->T = span[i].end - span[i].begin;
    }
    const int64_t T = b->T;
    int32_t *id = heed_scratch(cx, (size_t)(most + 1) * sizeof *id);
    b->bag = heed_new(cx, HEED_I32, 1, (int64_t[]){ n * T + 1 });
    b->mask = heed_new(cx, HEED_F32, 3, (int64_t[]){ n, 1, T });
    if (!id || !b->bag || !b->mask) return false;
    heed_rng rng = { .seed = m->body.cfg.seed, .stream = DRAWN + heed_ctx_step(cx) };
    const bool drop = heed_ctx_train(cx) && m->dropout > 0;
    HEED_I32_DATA(b->bag)[0] = 0;
    for (int64_t i = 0; i < n; i++)
        for (int64_t t = 0; t < T; t++) {
            const int64_t u = span[i].begin + t;
            const bool is = u < span[i].end;
            for (int64_t k = is ? rows->bag[u] : 0; is && k < rows->bag[u + 1]; k++)
                if (!drop || (double)heed_rng_uniform(&rng) >= m->dropout)
                    id[at++] = rows->feature[k];
            HEED_I32_DATA(b->bag)[i * T + t + 1] = (int32_t)at;
            HEED_F32_DATA(b->mask)[i * T + t] = is ? 0 : -INFINITY;
        }
    b->id = heed_new(cx, HEED_I32, 1, &at);
    if (b->id && at) memcpy(HEED_I32_DATA(b->id), id, (size_t)at * sizeof *id);
    return b->id != NULL;
}

static heed_tensor *apply(heed_ctx *cx, const heed_body *body, const heed_rows *rows,
                          const heed_span *span, int64_t n, heed_body_call *call) {
    const match *m = (const match *)body;
    batch b;
    if (!make_batch(cx, m, rows, span, n, &b)) return NULL;
    heed_tensor *x = heed_embedding_bag(cx, m->table, b.id, b.bag, false);
    x = heed_reshape(cx, x, 3, (int64_t[]){ n, b.T, m->dim });
    heed_tensor *s = heed_reshape(cx, heed_linear_apply(cx, &m->query, x), 3,
                                  (int64_t[]){ n, 1, b.T });
    s = heed_softmax(cx, heed_add(cx, s, b.mask));
    if (call && call->want_weights) call->weights = heed_reshape(cx, s, 2, (int64_t[]){ n, b.T });
    return heed_reshape(cx, heed_matmul(cx, s, x, false, false), 2, (int64_t[]){ n, m->dim });
}

static heed_tensor *states(heed_ctx *cx, const heed_body *body, const heed_rows *rows,
                           const heed_span *span, int64_t n, heed_tensor **lengths) {
    const match *m = (const match *)body;
    batch b;
    *lengths = heed_new(cx, HEED_I32, 1, &n);
    if (!*lengths || !make_batch(cx, m, rows, span, n, &b)) return NULL;
    for (int64_t i = 0; i < n; i++)
        HEED_I32_DATA(*lengths)[i] = (int32_t)(span[i].end - span[i].begin);
    heed_tensor *x = heed_embedding_bag(cx, m->table, b.id, b.bag, false);
    return heed_reshape(cx, x, 3, (int64_t[]){ n, b.T, m->dim });
}

static int64_t spell(const heed_body *b, const char *word, size_t size, heed_tensor **table,
                     int32_t *id, int64_t most) {
    const match *m = (const match *)b;
    heed_features f = { .hooks = b->hooks };
    int64_t n = heed__features_spell(&f, &m->features, word, size);
    *table = m->table;
    if (n > most) n = most;
    for (int64_t k = 0; k < n; k++) id[k] = row_of(m, f.key[k]);
    heed__features_free(&f);
    return n;
}

static const char *const files[] = { NULL };

const heed_body_kind heed__body_match = { .name = "match",
                                          .files = files,
                                          .size = sizeof(match),
                                          .defaults = defaults,
                                          .learn = learn,
                                          .load = load,
                                          .config = config,
                                          .save = save,
                                          .encode = encode,
                                          .spell = spell,
                                          .states = states,
                                          .apply = apply };
