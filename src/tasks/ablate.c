/* ablate.c: the forms of a recipe, trained and judged alike. */
#include "tasks/ablate.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/thread.h"
#include "tasks/split.h"

/* What one form changes of the settings. */
typedef struct form {
    const char *recipe, *what;
    bool no_attention, no_evidence;
    heed_score_kind score;
    heed_weights_kind weights;
    int64_t window;
    int64_t heads, layers;
    const char *position, *pooling;
} form;

static const form forms[] = {
    { .recipe = "attend", .what = "as it is" },
    { .recipe = "attend", .what = "no attention", .no_attention = true },
    { .recipe = "attend", .what = "no evidence", .no_evidence = true },
    { .recipe = "attend",
      .what = "no evidence, no attention",
      .no_attention = true,
      .no_evidence = true },
    { .recipe = "attend", .what = "1 head", .heads = 1 },
    { .recipe = "attend", .what = "8 heads", .heads = 8 },
    { .recipe = "classic", .what = "as it is" },
    { .recipe = "classic", .what = "no attention", .no_attention = true },
    { .recipe = "classic", .what = "1 head", .heads = 1 },
    { .recipe = "classic", .what = "8 heads", .heads = 8 },
    { .recipe = "classic", .what = "score: additive", .score = HEED_SCORE_ADDITIVE },
    { .recipe = "classic", .what = "weights: sparsemax", .weights = HEED_WEIGHTS_SPARSEMAX },
    { .recipe = "classic", .what = "window: 8 each way", .window = 8 },
    { .recipe = "classic", .what = "pooling: max", .pooling = "max" },
    { .recipe = "encoder", .what = "as it is" },
    { .recipe = "encoder", .what = "1 head", .heads = 1 },
    { .recipe = "encoder", .what = "1 layer", .layers = 1 },
    { .recipe = "encoder", .what = "positions: learned", .position = "learned" },
    { .recipe = "encoder", .what = "positions: rotary", .position = "rotary" },
    { .recipe = "encoder", .what = "positions: alibi", .position = "alibi" },
    { .recipe = "encoder", .what = "positions: none", .position = "none" },
    { .recipe = "encoder", .what = "weights: sparsemax", .weights = HEED_WEIGHTS_SPARSEMAX },
    { .recipe = "encoder", .what = "window: 8 each way", .window = 8 },
    { .recipe = "encoder", .what = "pooling: attention", .pooling = "attention" },
};

typedef struct ablation {
    const heed_classify_cfg *base;
    heed_examples learn, held;
    heed_outcome *outcome; /* [held.len] */
    float *right, *first;  /* [held.len] part of the seeds that answered rightly; the first row's */
    int64_t seeds;
    heed_error *err;
} ablation;

/* Mean and its interval of 95 % over x[i] - less[i] (NULL: 0), by the normal law. */
static double mean_of(const float *x, const float *less, int64_t n, heed_interval *range) {
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < n; i++) {
        const double v = (double)x[i] - (less ? (double)less[i] : 0);
        sum += v;
        squares += v * v;
    }
    const double mean = sum / (double)n;
    const double variance = n > 1 ? (squares - (double)n * mean * mean) / (double)(n - 1) : 0;
    const double half = 1.96 * sqrt((variance > 0 ? variance : 0) / (double)n);
    *range = (heed_interval){ mean - half, mean + half };
    return mean;
}

/* One training of a form. 0 or a status. */
static int train_once(ablation *a, const form *f, int64_t seed, heed_ablated *row, double *part) {
    heed_classify_cfg cfg = *a->base;
    cfg.recipe = f->recipe;
    cfg.seed = (uint64_t)seed;
    cfg.valid = NULL; /* what judges chooses no epoch */
    cfg.valid_part = 0;
    cfg.run = NULL;
    if (f->no_attention) cfg.no_attention = true;
    if (f->no_evidence) cfg.no_evidence = true;
    if (f->score) cfg.attention.score = f->score;
    if (f->weights) cfg.attention.weights = f->weights;
    if (f->window) cfg.attention.window = f->window;
    if (f->heads) cfg.heads = f->heads;
    if (f->layers) cfg.layers = f->layers;
    if (f->position) cfg.position = f->position;
    if (f->pooling) cfg.pooling = f->pooling;
    const double start = heed__seconds();
    heed_classifier *c = heed_classifier_train(&a->learn, &cfg, a->err);
    if (!c) return a->err->code;
    row->seconds += (heed__seconds() - start) / (double)a->seeds;
    row->parameters = heed_classifier_parameters(c);
    const int rc = heed__classifier_judge(c, &a->held, a->outcome, NULL, a->err);
    int64_t hits = 0;
    for (int64_t i = 0; rc == 0 && i < a->held.len; i++) {
        const bool hit = a->outcome[i].said == a->outcome[i].right;
        a->right[i] += (float)hit / (float)a->seeds;
        hits += hit;
    }
    *part = (double)hits / (double)a->held.len;
    heed_classifier_close(c);
    return rc;
}

static int try_form(ablation *a, const form *f, heed_ablation *table) {
    heed_ablated *row = &table->row[table->len];
    double least = 1, most = 0;
    *row = (heed_ablated){ .what = f->what };
    memset(a->right, 0, (size_t)a->held.len * sizeof *a->right);
    for (int64_t seed = 1; seed <= a->seeds; seed++) {
        double part = 0;
        const int rc = train_once(a, f, seed, row, &part);
        if (rc) return rc;
        least = part < least ? part : least;
        most = part > most ? part : most;
    }
    if (table->len == 0) memcpy(a->first, a->right, (size_t)a->held.len * sizeof *a->first);
    row->spread = most - least;
    row->accuracy = mean_of(a->right, NULL, a->held.len, &row->accuracy_95);
    row->accuracy_95.low = fmax(row->accuracy_95.low, 0); /* where the normal law leaves [0, 1] */
    row->accuracy_95.high = fmin(row->accuracy_95.high, 1);
    row->difference = mean_of(a->right, a->first, a->held.len, &row->difference_95);
    table->len++;
    return 0;
}

int heed__ablate(const heed_examples *data, const heed_classify_cfg *base, int64_t seeds,
                 heed_ablation *table, void (*tell)(const heed_ablation *), heed_error *err) {
    const heed_hooks *hooks = base->hooks;
    heed_split split = { .learn = { .len = 0 } };
    heed_error own;
    if (!err) err = &own;
    *table = (heed_ablation){ .len = 0 };
    ablation a = { .base = base, .seeds = seeds, .err = err };
    int rc = 0;
    if (base->target != HEED_TARGET_LABEL || base->from || base->resume || data->text2)
        rc = heed__error(err, HEED_EUNSUPPORTED,
                         "ablate: only with one label a single text, and not with from or resume");
    if (rc == 0 && heed__split(&split, data, base))
        rc = heed__error(err, HEED_ENOMEM, "ablate: out of memory");
    a.learn = split.learn;
    a.held = base->valid ? *base->valid : split.held;
    if (rc == 0 && a.held.len < 1)
        rc = heed__error(err, HEED_EINVALID, "ablate: there is no text to judge by");
    if (rc == 0) {
        const size_t n = (size_t)a.held.len;
        a.outcome = heed__calloc(hooks, n, sizeof *a.outcome);
        a.right = heed__calloc(hooks, n, sizeof *a.right);
        a.first = heed__calloc(hooks, n, sizeof *a.first);
        if (!a.outcome || !a.right || !a.first)
            rc = heed__error(err, HEED_ENOMEM, "ablate: out of memory");
    }
    table->texts = a.held.len;
    const char *recipe = base->recipe ? base->recipe : "attend";
    for (size_t k = 0; rc == 0 && k < sizeof forms / sizeof *forms; k++) {
        if (strcmp(forms[k].recipe, recipe) != 0) continue;
        rc = try_form(&a, &forms[k], table);
        if (rc == 0 && tell) tell(table);
    }
    if (rc == 0 && !table->len)
        rc = heed__error(err, HEED_EINVALID,
                         "ablate: no recipe '%.40s'; there are attend, classic, encoder", recipe);
    heed__free(hooks, a.outcome);
    heed__free(hooks, a.right);
    heed__free(hooks, a.first);
    heed__split_free(&split, hooks);
    return rc;
}
