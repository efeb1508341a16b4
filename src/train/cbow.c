/* cbow.c: vectors of words by the words around them.
 *
 *   h  = mean of the vectors around w                      a window drawn for each word
 *   g  = rate · (is u the word w? - σ(h · out_u))          u: w and words drawn by count^3/4
 *   out_u += g h;  each vector of the window += Σ_u g out_u
 *
 * Words that make up more than a thousandth of all are passed over now and then. One thread: the
 * order of the steps is part of the result. */
#include "train/cbow.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/elementary.h"
#include "base/thread.h"
#include "kernels/math.h"
#include "kernels/row.h"
#include "tensor/ctx.h"

enum { WIDTH = 100, DRAWS = 1 << 20, SIGMOIDS = 1024, TELL = 256 };
static const float EDGE = 6; /* beyond which σ is taken for 0 or 1 */
static const double COMMON = 1e-3;

typedef struct learner {
    const heed_kernels *k;
    const heed_word_ids *x;
    heed_cbow_cfg cfg;
    uint64_t state;      /* of what is drawn */
    double start;        /* seconds */
    float *vector, *out; /* [words,dim] */
    float *mean, *move;  /* [dim] */
    float *keep;         /* [words] the chance that a word is not passed over */
    int32_t *draw;       /* [DRAWS] words as often as they are drawn */
    int32_t *line;       /* a text without what is passed over */
    float sigmoid[SIGMOIDS];
} learner;

/* 31 bits of a linear congruential sequence (Knuth): enough for chances, and quick. */
static uint32_t draw(learner *l) {
    l->state = l->state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(l->state >> 33);
}

static float chance(learner *l) {
    return (float)(draw(l) >> 7) * 0x1p-24f;
}

/* The chances of words, from how often they stand in the texts. */
static void weigh(learner *l, const int64_t *count) {
    const int64_t W = l->x->words;
    double total = 0, powers = 0, sum = 0;
    for (int64_t w = 0; w < W; w++) {
        total += (double)count[w];
        if (count[w]) powers += heed__pow((double)count[w], 0.75);
    }
    int64_t at = 0;
    for (int64_t w = 0; w < W; w++) {
        const double part = total > 0 ? (double)count[w] / total : 0;
        const double keep = part > 0 ? sqrt(COMMON / part) + COMMON / part : 1;
        l->keep[w] = keep < 1 ? (float)keep : 1;
        if (count[w]) sum += heed__pow((double)count[w], 0.75);
        const int64_t end = powers > 0 ? (int64_t)(sum / powers * DRAWS + 0.5) : 0;
        for (; at < end && at < DRAWS; at++) l->draw[at] = (int32_t)w;
    }
    for (; at < DRAWS; at++) l->draw[at] = (int32_t)(W - 1);
}

static int begin(learner *l, const heed_hooks *hooks, int64_t longest) {
    const heed_word_ids *x = l->x;
    const int64_t D = l->cfg.dim;
    int64_t *count = heed__calloc(hooks, (size_t)x->words, sizeof *count);
    l->out = heed__calloc(hooks, (size_t)x->words, (size_t)D * sizeof *l->out);
    l->mean = heed__calloc(hooks, (size_t)D, sizeof *l->mean);
    l->move = heed__calloc(hooks, (size_t)D, sizeof *l->move);
    l->keep = heed__calloc(hooks, (size_t)x->words, sizeof *l->keep);
    l->draw = heed__calloc(hooks, DRAWS, sizeof *l->draw);
    l->line = heed__calloc(hooks, (size_t)longest + 1, sizeof *l->line);
    const bool room = count && l->out && l->mean && l->move && l->keep && l->draw && l->line;
    if (room) {
        for (int64_t i = 0; i < x->start[x->texts]; i++)
            if (x->id[i] >= 0) count[x->id[i]]++;
        weigh(l, count);
        for (int64_t i = 0; i < x->words * D; i++) l->vector[i] = (chance(l) - 0.5f) / (float)D;
        for (int i = 0; i < SIGMOIDS; i++) {
            const double at = ((i + 0.5) / SIGMOIDS * 2 - 1) * (double)EDGE;
            l->sigmoid[i] = (float)(1 / (1 + heed__exp(-at)));
        }
    }
    heed__free(hooks, count);
    return room ? 0 : HEED_ENOMEM;
}

static void end(learner *l, const heed_hooks *hooks) {
    heed__free(hooks, l->out);
    heed__free(hooks, l->mean);
    heed__free(hooks, l->move);
    heed__free(hooks, l->keep);
    heed__free(hooks, l->draw);
    heed__free(hooks, l->line);
}

static float sigmoid(const learner *l, float z) {
    if (z >= EDGE) return 1;
    if (!(z > -EDGE)) return 0; /* NaN too: of steps that are too long */
    const int at = (int)((z + EDGE) * (SIGMOIDS / (2 * EDGE)));
    return l->sigmoid[at < SIGMOIDS ? at : SIGMOIDS - 1]; /* just below EDGE the sum rounds up */
}

/* Word `word`, at the middle of line[low..high) but for itself. */
static void step(learner *l, int64_t at, int64_t low, int64_t high, float rate) {
    const int64_t D = l->cfg.dim;
    const int32_t word = l->line[at];
    memset(l->mean, 0, (size_t)D * sizeof *l->mean);
    memset(l->move, 0, (size_t)D * sizeof *l->move);
    const float part = 1 / (float)(high - low - 1);
    for (int64_t i = low; i < high; i++)
        if (i != at) l->k->math->axpy(l->mean, part, l->vector + l->line[i] * D, D);
    for (int64_t d = 0; d <= l->cfg.drawn; d++) {
        int32_t u = word;
        if (d > 0) u = l->draw[draw(l) % DRAWS];
        if (d > 0 && u == word) continue;
        float *out = l->out + u * D;
        const float g = rate * ((d == 0) - sigmoid(l, l->k->row->dot(l->mean, out, D)));
        l->k->math->axpy(l->move, g, out, D);
        l->k->math->axpy(out, g, l->mean, D);
    }
    for (int64_t i = low; i < high; i++)
        if (i != at) l->k->math->axpy(l->vector + l->line[i] * D, 1, l->move, D);
}

static void read_text(learner *l, int64_t i, float rate) {
    const int64_t window = l->cfg.window;
    int64_t n = 0;
    for (int64_t t = l->x->start[i]; t < l->x->start[i + 1]; t++) {
        const int32_t w = l->x->id[t];
        if (w >= 0 && (l->keep[w] >= 1 || chance(l) < l->keep[w])) l->line[n++] = w;
    }
    for (int64_t at = 0; at < n; at++) {
        const int64_t near = 1 + (int64_t)(draw(l) % (uint32_t)window);
        const int64_t low = at > near ? at - near : 0;
        const int64_t high = at + near + 1 < n ? at + near + 1 : n;
        if (high - low > 1) step(l, at, low, high, rate);
    }
}

/* Tells how far it is; true where it is to stop. */
static bool tell(const learner *l, int64_t done, int64_t total) {
    const heed_hooks *h = l->cfg.hooks;
    if (!h) return false;
    const double rate = (double)done / (heed__seconds() - l->start + 1e-9);
    const heed_progress p = { .what = "words",
                              .done = done,
                              .total = total,
                              .unit = "texts",
                              .rate = rate,
                              .seconds_left = (double)(total - done) / rate,
                              .loss = (double)NAN };
    if (h->progress) h->progress(h->user, &p);
    return h->cancel && h->cancel(h->user);
}

static bool is_finite(const float *x, int64_t len) {
    for (int64_t i = 0; i < len; i++)
        if (!isfinite(x[i])) return false;
    return true;
}

static int64_t longest_of(const heed_word_ids *x) {
    int64_t longest = 0;
    for (int64_t i = 0; i < x->texts; i++)
        if (x->start[i + 1] - x->start[i] > longest) longest = x->start[i + 1] - x->start[i];
    return longest;
}

int64_t heed__cbow_size(const heed_word_ids *x, const heed_cbow_cfg *cfg) {
    const int64_t D = cfg->dim ? cfg->dim : WIDTH;
    return 4 * (x->words * (D + 3) + 2 * D + DRAWS + longest_of(x));
}

int heed__cbow_learn(heed_ctx *cx, const heed_word_ids *x, const heed_cbow_cfg *given,
                     float *vector) {
    learner l = { .k = cx->k, .x = x, .cfg = *given, .vector = vector };
    heed_cbow_cfg *c = &l.cfg;
    if (!c->dim) c->dim = WIDTH;
    if (!c->window) c->window = 8;
    if (!c->drawn) c->drawn = 8;
    if (!c->passes) c->passes = 4;
    if (c->rate == 0) c->rate = 0.025;
    uint32_t first[4];
    heed_philox(c->seed, 0x63626f77u, 0, first);
    l.state = (uint64_t)first[0] << 32 | first[1];
    int rc = x->words < 1 ? 0 : begin(&l, c->hooks, longest_of(x));
    const int64_t total = c->passes * x->texts;
    l.start = heed__seconds();
    for (int64_t done = 0; rc == 0 && x->words > 0 && done < total; done++) {
        const double left = 1 - (double)done / (double)total;
        read_text(&l, done % x->texts, (float)(c->rate * (left > 1e-4 ? left : 1e-4)));
        if (done % TELL == TELL - 1 && tell(&l, done + 1, total)) rc = HEED_ECANCELLED;
    }
    end(&l, c->hooks);
    return rc == 0 && !is_finite(vector, x->words * c->dim) ? HEED_ENONFINITE : rc;
}
