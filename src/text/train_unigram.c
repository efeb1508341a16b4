/* train_unigram.c: a Unigram model learnt from counted pieces (Kudo 2018): from many strings that
 * repeat, expectation and maximization find how probable each is; those whose loss costs the text
 * least go, a quarter at a time, until as many are left as are wanted. Single letters always stay.
 *
 * Sums run over probabilities themselves, each multiplied by c for each of its letters, c the
 * inverse of what a letter has cost on the average: so they stay near 1 and nothing underflows. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/elementary.h"
#include "text/letters.h"
#include "text/tok_models.h"
#include "text/train_progress.h"
#include "text/train_seeds.h"

static const double KEEP = 0.75, MORE = 1.1, LEAST_EXPECTED = 0.5;
enum { EM_STEPS = 2 };

typedef struct trainer {
    heed__train_text text;
    heed__seeds seeds;
    const heed__train_cfg *cfg;
    heed_hooks hooks;
    double *score;    /* [seeds.len] logarithm of the probability; not finite: gone */
    double *prob;     /* [seeds.len] and the probability, times c per letter */
    double *expected; /* [seeds.len] how often, by the model at hand */
    double log_c;
    int64_t len; /* pieces left */
} trainer;

static void trainer_free(trainer *t) {
    heed__train_text_free(&t->text);
    heed__seeds_free(&t->seeds, &t->hooks);
    heed__free(&t->hooks, t->score);
    heed__free(&t->hooks, t->prob);
    heed__free(&t->hooks, t->expected);
}

static bool gone(const trainer *t, int64_t piece) {
    return t->score[piece] == -(double)INFINITY;
}

static bool is_letter(const trainer *t, int64_t piece) {
    return piece < t->text.alphabet;
}

/* Forgets the arcs of pieces that are gone. */
static void sweep(trainer *t) {
    int64_t n = 0, begin = 0;
    for (int64_t i = 0; i < t->text.len; i++) {
        const int64_t end = t->seeds.first[i + 1];
        t->seeds.first[i] = n;
        for (int64_t a = begin; a < end; a++)
            if (!gone(t, t->seeds.arc[a])) t->seeds.arc[n++] = t->seeds.arc[a];
        begin = end;
    }
    t->seeds.first[t->text.len] = n;
}

/* ψ(x), the derivative of ln Γ, for x > 0. */
static double digamma(double x) {
    double sum = 0;
    for (; x < 7; x++) sum -= 1 / x;
    const double y = 1 / (x * x);
    return sum + heed__ln(x) - 0.5 / x -
           y * (1.0 / 12 - y * (1.0 / 120 - y * (1.0 / 252 - y * (1.0 / 240 - y / 132))));
}

/* -- expectation and maximization ------------------------------------------------------------- */

/* One run: how often each piece is expected in it. The logarithm of its probability. */
static double expect_run(trainer *t, const heed__train_run *run) {
    double alpha[HEED_CHUNK + 1] = { 1 }, beta[HEED_CHUNK + 1];
    const int64_t *first = t->seeds.first + run->begin;
    const int32_t *arc = t->seeds.arc;
    const heed__seed *pieces = t->seeds.pieces;
    for (int32_t i = 1; i <= run->len; i++) alpha[i] = 0;
    for (int32_t i = 0; i < run->len; i++)
        for (int64_t a = first[i]; a < first[i + 1]; a++)
            alpha[i + pieces[arc[a]].len] += alpha[i] * t->prob[arc[a]];
    const double z = alpha[run->len];
    if (!(z > 1e-300 && z < 1e300)) return 0;
    const double weight = (double)run->count / z;
    beta[run->len] = 1;
    for (int32_t i = run->len; i-- > 0;) {
        beta[i] = 0;
        for (int64_t a = first[i]; a < first[i + 1]; a++) {
            const double part = t->prob[arc[a]] * beta[i + pieces[arc[a]].len];
            beta[i] += part;
            t->expected[arc[a]] += weight * alpha[i] * part;
        }
    }
    return heed__ln(z) - run->len * t->log_c;
}

static void expect(trainer *t) {
    for (int64_t p = 0; p < t->seeds.len; p++) {
        t->expected[p] = 0;
        t->prob[p] = gone(t, p) ? 0 : heed__exp(t->score[p] + t->seeds.pieces[p].len * t->log_c);
    }
    double sum = 0, letters = 0;
    for (int64_t r = 0; r < t->text.run_len; r++) {
        const heed__train_run *run = &t->text.runs[r];
        sum += expect_run(t, run) * (double)run->count;
        letters += (double)run->count * run->len;
    }
    if (letters > 0) t->log_c = -sum / letters;
}

static void maximize(trainer *t) {
    double total = 0;
    for (int64_t p = 0; p < t->seeds.len; p++) {
        if (gone(t, p)) continue;
        if (t->expected[p] < LEAST_EXPECTED) {
            if (!is_letter(t, p)) {
                t->score[p] = -(double)INFINITY;
                t->len--;
                continue;
            }
            t->expected[p] = LEAST_EXPECTED;
        }
        total += t->expected[p];
    }
    const double log_total = digamma(total);
    for (int64_t p = 0; p < t->seeds.len; p++)
        if (!gone(t, p)) t->score[p] = digamma(t->expected[p]) - log_total;
}

/* -- pruning ---------------------------------------------------------------------------------- */

/* The best way to cut letters [at, at + len): piece[i] ends at i. `not` is left out (-1: none is).
 */
static double best_path(const trainer *t, int64_t at, int32_t len, int64_t not, int32_t *piece) {
    double best[HEED_CHUNK + 1] = { 0 };
    const int64_t *first = t->seeds.first + at;
    for (int32_t i = 1; i <= len; i++) best[i] = -(double)INFINITY;
    for (int32_t i = 0; i < len; i++) {
        if (best[i] == -(double)INFINITY) continue;
        for (int64_t a = first[i]; a < first[i + 1]; a++) {
            const int32_t p = t->seeds.arc[a], end = i + t->seeds.pieces[p].len;
            if (end > len || p == not || best[i] + t->score[p] <= best[end]) continue;
            best[end] = best[i] + t->score[p];
            piece[end] = p;
        }
    }
    return best[len];
}

/* How often each piece is in the best cuts of the text. */
static double count_best(trainer *t, double *freq) {
    double sum = 0;
    int32_t piece[HEED_CHUNK + 1];
    for (int64_t p = 0; p < t->seeds.len; p++) freq[p] = 0;
    for (int64_t r = 0; r < t->text.run_len; r++) {
        const heed__train_run *run = &t->text.runs[r];
        best_path(t, run->begin, run->len, -1, piece);
        for (int32_t i = run->len; i > 0; i -= t->seeds.pieces[piece[i]].len) {
            freq[piece[i]] += (double)run->count;
            sum += (double)run->count;
        }
    }
    return sum;
}

typedef struct candidate {
    double loss; /* of likelihood, if the piece were cut as best it can be */
    int64_t piece;
} candidate;

static int by_loss(const void *a, const void *b) {
    const candidate *x = a, *y = b;
    if (x->loss != y->loss) return x->loss < y->loss ? 1 : -1;
    return x->piece < y->piece ? -1 : x->piece > y->piece;
}

static double loss_of(const trainer *t, int64_t p, const double *freq, double sum) {
    int32_t piece[HEED_CHUNK + 1];
    const heed__seed *seed = &t->seeds.pieces[p];
    const double other = best_path(t, seed->at, seed->len, p, piece);
    if (other > t->score[p]) return 0; /* it is cut anyway */
    int32_t parts = 0;
    for (int32_t i = seed->len; i > 0; i -= t->seeds.pieces[piece[i]].len) parts++;
    const double log_sum = heed__ln(sum + freq[p] * (parts - 1));
    double log_other = 0;
    for (int32_t i = seed->len; i > 0; i -= t->seeds.pieces[piece[i]].len)
        log_other += heed__ln(freq[piece[i]] + freq[p]) - log_sum;
    return freq[p] / sum * (heed__ln(freq[p]) - heed__ln(sum) - log_other);
}

static int prune(trainer *t, int64_t wanted) {
    double *freq = t->expected; /* not needed before the next expectation */
    const double sum = count_best(t, freq);
    candidate *list = heed__calloc(&t->hooks, (size_t)t->len + 1, sizeof *list);
    if (!list) return HEED_ENOMEM;
    int64_t n = 0;
    for (int64_t p = t->text.alphabet; p < t->seeds.len; p++) {
        if (gone(t, p)) continue;
        if (freq[p] > 0)
            list[n++] = (candidate){ loss_of(t, p, freq, sum), p };
        else
            t->score[p] = -(double)INFINITY;
    }
    qsort(list, (size_t)n, sizeof *list, by_loss);
    int64_t most = (int64_t)((double)t->len * KEEP);
    if (most < wanted) most = wanted;
    most = most > t->text.alphabet ? most - t->text.alphabet : 0;
    for (int64_t i = most; i < n; i++) t->score[list[i].piece] = -(double)INFINITY;
    t->len = t->text.alphabet + (n < most ? n : most);
    heed__free(&t->hooks, list);
    sweep(t);
    return 0;
}

/* -- the whole -------------------------------------------------------------------------------- */

static int begin(trainer *t, const heed__train_words *words) {
    const heed__train_cfg *cfg = t->cfg;
    const int64_t letters = cfg->alphabet && cfg->alphabet < cfg->vocab ? cfg->alphabet
                                                                        : cfg->vocab,
                  most = cfg->vocab < 15000 ? 300000 : 20 * cfg->vocab;
    if (heed__train_text_make(&t->text, words, letters) ||
        heed__seeds_make(&t->seeds, &t->text, cfg->max_piece, most < 1000000 ? most : 1000000))
        return HEED_ENOMEM;
    const size_t n = (size_t)t->seeds.len + 1;
    t->score = heed__calloc(&t->hooks, n, sizeof *t->score);
    t->prob = heed__calloc(&t->hooks, n, sizeof *t->prob);
    t->expected = heed__calloc(&t->hooks, n, sizeof *t->expected);
    if (!t->score || !t->prob || !t->expected) return HEED_ENOMEM;
    double total = 0, letter_sum = 0;
    for (int64_t p = 0; p < t->seeds.len; p++) {
        const heed__seed *s = &t->seeds.pieces[p];
        total += s->weight * s->len;
        if (s->len == 1) letter_sum += s->weight;
    }
    for (int64_t p = 0; p < t->seeds.len; p++) {
        const heed__seed *s = &t->seeds.pieces[p];
        const double weight = s->weight * s->len;
        t->score[p] = heed__ln(weight > 0 ? weight / total : 0.5 / total);
        /* what a letter costs, to begin with: half of its entropy */
        if (s->len == 1 && s->weight > 0)
            t->log_c -= 0.5 * s->weight / letter_sum * heed__ln(s->weight / letter_sum);
    }
    t->len = t->seeds.len;
    return 0;
}

static int run(trainer *t, int64_t wanted, heed_error *err) {
    heed__train_progress progress = { .hooks = t->cfg->hooks };
    const int64_t first = t->len;
    for (;;) {
        for (int i = 0; i < EM_STEPS; i++) {
            expect(t);
            maximize(t);
            sweep(t);
            const heed_progress now = {
                .what = "prune", .done = first - t->len, .total = first - wanted, .unit = "pieces"
            };
            const int rc = heed__train_tell(&progress, &now, err);
            if (rc) return rc;
        }
        const int64_t before = t->len;
        if (before <= wanted) return 0;
        if (prune(t, wanted)) return heed__tok_no_memory(err);
        if (t->len == before) return 0;
    }
}

typedef struct chosen {
    double score;
    int64_t piece;
} chosen;

static int by_rank(const void *a, const void *b) {
    const chosen *x = a, *y = b;
    if (x->score != y->score) return x->score < y->score ? 1 : -1;
    return x->piece < y->piece ? -1 : x->piece > y->piece;
}

static json_t *piece_json(const trainer *t, int64_t p) {
    char text[4 * HEED_CHUNK];
    size_t size = 0;
    const heed__seed *s = &t->seeds.pieces[p];
    if (is_letter(t, p))
        size = heed__utf8_put(t->text.codes[p + 1], text);
    else
        for (int32_t i = 0; i < s->len; i++)
            size += heed__utf8_put(t->text.codes[t->text.letters[s->at + i]], text + size);
    return json_pack("[o, f]", json_stringn(text, size), t->score[p]);
}

/* Special tokens, then letters and the best of the others by their scores. */
static json_t *model_json(const trainer *t) {
    const heed__train_cfg *cfg = t->cfg;
    chosen *list = heed__calloc(&t->hooks, (size_t)t->seeds.len + 1, sizeof *list);
    json_t *vocab = json_array(), *unk = NULL;
    int64_t n = 0, special = 0;
    int bad = !list || !vocab;
    for (; cfg->special && cfg->special[special] && !bad; special++) {
        if (cfg->unk && strcmp(cfg->special[special], cfg->unk) == 0) unk = json_integer(special);
        bad = json_array_append_new(vocab, json_pack("[s, f]", cfg->special[special], 0.0));
    }
    for (int64_t p = t->text.alphabet; p < t->seeds.len && !bad; p++)
        if (!gone(t, p)) list[n++] = (chosen){ t->score[p], p };
    if (n) qsort(list, (size_t)n, sizeof *list, by_rank);
    const int64_t room = cfg->vocab - special - t->text.alphabet;
    if (n > room) n = room > 0 ? room : 0;
    for (int64_t p = 0; p < t->text.alphabet && !bad && n < cfg->vocab - special; p++)
        list[n++] = (chosen){ t->score[p], p };
    if (n) qsort(list, (size_t)n, sizeof *list, by_rank);
    for (int64_t i = 0; i < n && !bad; i++)
        bad = json_array_append_new(vocab, piece_json(t, list[i].piece));
    heed__free(&t->hooks, list);
    if (!bad)
        return json_pack("{s:s, s:o, s:o, s:b}", "type", "Unigram", "unk_id",
                         unk ? unk : json_null(), "vocab", vocab, "byte_fallback", false);
    json_decref(vocab);
    json_decref(unk);
    return NULL;
}

json_t *heed__train_unigram(const heed__train_words *words, const heed__train_cfg *cfg,
                            heed_error *err) {
    trainer t = { .cfg = cfg };
    if (cfg->hooks) t.hooks = *cfg->hooks;
    t.text.hooks = t.hooks;
    int rc = 0;
    if (!words->len)
        rc = heed__error(err, HEED_EFORMAT, "training a tokenizer: the text holds no piece at all");
    if (!rc && (cfg->max_piece < 1 || cfg->max_piece > HEED_CHUNK - 1))
        rc = heed__error(err, HEED_EINVALID,
                         "training a tokenizer: the longest piece is %lld, not 1 to %d letters",
                         (long long)cfg->max_piece, HEED_CHUNK - 1);
    if (!rc && begin(&t, words)) rc = heed__tok_no_memory(err);
    if (!rc) rc = run(&t, (int64_t)((double)cfg->vocab * MORE), err);
    json_t *model = rc ? NULL : model_json(&t);
    if (!rc && !model) heed__tok_no_memory(err);
    trainer_free(&t);
    return model;
}
