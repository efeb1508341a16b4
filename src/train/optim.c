/* optim.c: an optimizer: its making, and one step from the gradients that are there.
 *
 * A step: list pieces of every gradient -> sums of their squares in one go -> global norm, or the
 * first parameter that is not finite -> update all pieces in one go -> forget the gradients. */
#include "train/optim.h"

#include <math.h>
#include <string.h>

#include "base/log.h"
#include "kernels/optim.h"
#include "kernels/row.h"
#include "tensor/params.h"

/* -- making ----------------------------------------------------------------------------------- */

static bool between(float x, float least, float below) {
    return x >= least && x < below; /* false for NaN */
}

static int check(const heed_optim_cfg *c, heed_error *err) {
    const char *what = NULL;
    if ((unsigned)c->kind > HEED_ADAFACTOR || (unsigned)c->schedule.kind > HEED_PLATEAU)
        what = "unknown kind of optimizer or schedule";
    else if (!between(c->lr, 0, INFINITY) || !between(c->weight_decay, 0, INFINITY))
        what = "learning rate and weight decay must be finite and not negative";
    else if (!between(c->clip, 0, INFINITY) || !between(c->eps, 0, INFINITY))
        what = "clip and eps must be finite and not negative";
    else if (!between(c->beta1, 0, 1) || !between(c->beta2, 0, 1) || !between(c->momentum, 0, 1) ||
             !between(c->ema, 0, 1))
        what = "beta1, beta2, momentum and ema must be at least 0 and below 1";
    else if (c->nesterov && c->momentum == 0)
        what = "nesterov needs a momentum";
    else if (c->accumulate < 0 || c->group_count < 0 || (c->group_count && !c->groups))
        what = "accumulate or group_count is negative, or groups are missing";
    else if ((c->schedule.kind == HEED_LINEAR || c->schedule.kind == HEED_COSINE) &&
             c->schedule.total <= 0)
        what = "a linear or cosine schedule needs its total of steps";
    else if (c->schedule.warmup < 0 || c->schedule.patience < 0 ||
             !between(c->schedule.least, 0, INFINITY) || !between(c->schedule.factor, 0, 1))
        what = "a schedule's warmup, patience and least must not be negative, its factor below 1";
    for (int i = 0; !what && i < c->group_count; i++)
        if (!c->groups[i].pattern || !between(c->groups[i].lr, 0, INFINITY) ||
            !between(c->groups[i].weight_decay, 0, INFINITY))
            what = "a group needs a pattern, and a finite learning rate and decay";
    return what ? heed__error(err, HEED_EINVALID, "optimizer: %s", what) : 0;
}

/* Zeros become what they mean. */
static void fill_in(heed_optim_cfg *c) {
    const bool adam = c->kind == HEED_ADAM || c->kind == HEED_ADAMW;
    if (c->lr == 0) c->lr = adam ? 0.001f : 0.01f;
    if (c->beta1 == 0) c->beta1 = 0.9f;
    if (c->beta2 == 0) c->beta2 = 0.999f;
    if (c->eps == 0) c->eps = c->kind == HEED_ADAGRAD ? 1e-10f : 1e-8f;
    if (c->accumulate == 0) c->accumulate = 1;
    if (c->schedule.factor == 0) c->schedule.factor = 0.1f;
    if (c->schedule.patience == 0) c->schedule.patience = 10;
}

/* What a parameter keeps. */
static void lay_out(const heed_optim_cfg *c, heed_optim_slot *s) {
    const heed_tensor *t = s->t;
    const bool adam = c->kind == HEED_ADAM || c->kind == HEED_ADAMW;
    if (c->ema > 0) s->ema_len = t->len;
    if (s->sparse) {
        s->m_len = adam || (c->kind == HEED_SGD && c->momentum > 0) ? t->len : 0;
        s->v_len = c->kind == HEED_SGD ? 0 : t->shape[0];
        s->row_steps_len = adam ? t->shape[0] : 0;
    } else if (c->kind == HEED_ADAFACTOR && t->ndim > 1) {
        int64_t batch, rows, cols;
        heed__adafactor_shape(t, &batch, &rows, &cols);
        s->m_len = batch * rows;
        s->v_len = batch * cols;
    } else {
        s->m_len = adam || (c->kind == HEED_SGD && c->momentum > 0) ? t->len : 0;
        s->v_len = c->kind == HEED_SGD ? 0 : t->len;
    }
}

static void settings(const heed_optim_cfg *c, heed_optim_slot *s) {
    bool decays = c->decay_all || s->t->ndim >= 2;
    s->lr_factor = 1;
    s->decay = c->weight_decay;
    for (int i = 0; i < c->group_count; i++) {
        const heed_param_group *g = &c->groups[i];
        if (!heed__match(g->pattern, s->t->name)) continue;
        if (g->lr > 0) s->lr_factor = g->lr;
        if (g->weight_decay > 0) s->decay = g->weight_decay;
        decays = (decays || g->decay) && !g->no_decay;
        break;
    }
    if (!decays) s->decay = 0;
}

static int64_t padded(int64_t len) {
    return (len + 15) / 16 * 16;
}

/* One zeroed block for all floats; pages that are never touched take no memory. */
static int allocate(heed_optim *opt) {
    int64_t floats = 16, ints = 0;
    for (int64_t i = 0; i < opt->count; i++) {
        const heed_optim_slot *s = &opt->slot[i];
        floats += padded(s->m_len) + padded(s->v_len) + padded(s->ema_len);
        ints += s->row_steps_len;
    }
    opt->floats = heed__calloc(&opt->hooks, (size_t)floats, sizeof(float));
    opt->ints = heed__calloc(&opt->hooks, (size_t)ints, sizeof(int32_t));
    if (!opt->floats || !opt->ints) return HEED_ENOMEM;
    float *at = opt->floats;
    while ((uintptr_t)at % 64) at++;
    int32_t *int_at = opt->ints;
    for (int64_t i = 0; i < opt->count; i++) {
        heed_optim_slot *s = &opt->slot[i];
        s->m = s->m_len ? at : NULL;
        at += padded(s->m_len);
        s->v = s->v_len ? at : NULL;
        at += padded(s->v_len);
        s->ema = s->ema_len ? at : NULL;
        at += padded(s->ema_len);
        s->row_steps = int_at;
        int_at += s->row_steps_len;
    }
    return 0;
}

static int fill_slots(heed_optim *opt, heed_error *err) {
    opt->count = heed_params_count(opt->ps);
    opt->slot = heed__calloc(&opt->hooks, (size_t)opt->count, sizeof *opt->slot);
    if (!opt->slot) return heed__error(err, HEED_ENOMEM, "out of memory for an optimizer");
    for (int64_t i = 0; i < opt->count; i++) {
        heed_optim_slot *s = &opt->slot[i];
        s->t = heed_params_at(opt->ps, i);
        s->sparse = s->t->sparse != NULL;
        if (s->sparse && opt->cfg.kind == HEED_ADAFACTOR)
            return heed__error(err, HEED_EUNSUPPORTED,
                               "optimizer: table %s has row-sparse gradients, which Adafactor does "
                               "not take",
                               s->t->name);
        if (s->sparse && opt->cfg.ema > 0)
            return heed__error(err, HEED_EUNSUPPORTED,
                               "optimizer: an average of weights would touch every row of the "
                               "row-sparse table %s",
                               s->t->name);
        settings(&opt->cfg, s);
        lay_out(&opt->cfg, s);
    }
    if (allocate(opt)) return heed__error(err, HEED_ENOMEM, "out of memory for an optimizer");
    return 0;
}

heed_optim *heed_optim_new(heed_ctx *cx, heed_params *ps, const heed_optim_cfg *cfg,
                           heed_error *err) {
    const heed_optim_cfg none = { 0 };
    if (!cfg) cfg = &none;
    if (err) *err = (heed_error){ 0 };
    if (!cx || !ps) {
        heed__error(err, HEED_EINVALID, "optimizer: the context or the parameters are NULL");
        return NULL;
    }
    if (heed__params_frozen(ps)) {
        heed__error(err, HEED_EINVALID,
                    "optimizer: the parameters are frozen for inference; "
                    "heed_params_set_trainable makes them trainable again");
        return NULL;
    }
    if (check(cfg, err)) return NULL;
    const heed_hooks *hooks = heed__params_hooks(ps);
    heed_optim *opt = heed__calloc(hooks, 1, sizeof *opt);
    if (!opt) {
        heed__error(err, HEED_ENOMEM, "out of memory for an optimizer");
        return NULL;
    }
    opt->hooks = *hooks;
    opt->k = cx->k;
    opt->pool = cx->pool;
    opt->ps = ps;
    opt->cfg = *cfg;
    opt->factor = 1;
    fill_in(&opt->cfg);
    if (fill_slots(opt, err)) {
        heed_optim_free(opt);
        return NULL;
    }
    opt->cfg.groups = NULL;
    opt->cfg.group_count = 0;
    return opt;
}

void heed_optim_free(heed_optim *opt) {
    if (!opt) return;
    const heed_hooks hooks = opt->hooks;
    heed__free(&hooks, opt->slot);
    heed__free(&hooks, opt->floats);
    heed__free(&hooks, opt->ints);
    heed__free(&hooks, opt->piece);
    heed__free(&hooks, opt->sums);
    heed__free(&hooks, opt);
}

/* -- looking ---------------------------------------------------------------------------------- */

const heed_error *heed_optim_error(const heed_optim *opt) {
    static const heed_error none = { HEED_EINVALID, "there is no optimizer: making it failed" };
    if (!opt) return &none;
    return opt->error.code ? &opt->error : NULL;
}

int64_t heed_optim_steps(const heed_optim *opt) {
    return opt ? opt->steps : 0;
}

double heed_optim_norm(const heed_optim *opt) {
    return opt ? opt->norm : 0;
}

double heed_optim_lr(const heed_optim *opt) {
    if (!opt) return 0;
    return (double)opt->cfg.lr * heed_schedule_at(&opt->cfg.schedule, opt->steps) * opt->factor;
}

void heed_optim_set_lr(heed_optim *opt, float lr) {
    if (opt) opt->cfg.lr = lr;
}

float heed__optim_rate(const heed_optim *opt, const heed_optim_slot *s) {
    return (float)(heed_optim_lr(opt) * (double)s->lr_factor);
}

void heed_optim_report(heed_optim *opt, double loss) {
    if (!opt) return;
    const heed_schedule *s = &opt->cfg.schedule;
    if (isfinite(loss) && (opt->reports == 0 || loss < opt->best)) {
        opt->reports++;
        opt->best = loss;
        opt->bad = 0;
    } else if (++opt->bad >= s->patience) {
        opt->bad = 0;
        if (s->kind != HEED_PLATEAU) return;
        const double factor = fmax(opt->factor * (double)s->factor, (double)s->least);
        if (factor < opt->factor)
            heed__log(&opt->hooks, HEED_LOG_INFO,
                      "no better loss than %g in %d reports: the learning rate becomes %g",
                      opt->best, s->patience, (double)opt->cfg.lr * factor);
        opt->factor = factor;
    }
}

/* -- a step ----------------------------------------------------------------------------------- */

/* The numbers of a parameter's gradient, or NULL where it has none. */
static const float *gradient(const heed_optim_slot *s, int64_t *len) {
    if (!s->t->needs_grad) return NULL;
    *len = s->sparse ? s->t->sparse->len * s->t->sparse->dim : s->t->len;
    return *len == 0 ? NULL : s->sparse ? s->t->sparse->val : s->t->grad;
}

static int64_t blocks_of(int64_t len) {
    return (len + HEED_SUM_BLOCK - 1) / HEED_SUM_BLOCK;
}

/* Room for the pieces and sums of all gradients; of a table, for as many rows as its gradient has
 * room for, so that steps that touch more rows than those before need no more. */
static int reserve(heed_optim *opt) {
    int64_t pieces = 0, blocks = 0;
    for (int64_t i = 0; i < opt->count; i++) {
        const heed_tensor *t = opt->slot[i].t;
        const int64_t len = opt->slot[i].sparse ? t->sparse->cap * t->sparse->dim : t->len;
        pieces += (len + HEED_OPTIM_PIECE - 1) / HEED_OPTIM_PIECE;
        blocks += blocks_of(len);
    }
    if (heed__grow(&opt->hooks, &opt->piece, &opt->piece_cap, pieces, sizeof *opt->piece))
        return HEED_ENOMEM;
    return heed__grow(&opt->hooks, &opt->sums, &opt->sums_cap, blocks + opt->count, sizeof(float));
}

/* Lists the pieces of all gradients; returns how many blocks of sums they have, or -1. */
static int64_t list_pieces(heed_optim *opt) {
    int64_t blocks = 0;
    opt->piece_count = 0;
    if (reserve(opt)) return -1;
    for (int64_t i = 0; i < opt->count; i++) {
        int64_t len;
        if (!gradient(&opt->slot[i], &len)) continue;
        for (int64_t at = 0; at < len; at += HEED_OPTIM_PIECE) {
            const int64_t end = len - at < HEED_OPTIM_PIECE ? len : at + HEED_OPTIM_PIECE;
            opt->piece[opt->piece_count++] = (heed_optim_piece){ &opt->slot[i], at, end,
                                                                 blocks + at / HEED_SUM_BLOCK };
        }
        blocks += blocks_of(len);
    }
    return blocks;
}

static void sum_pieces(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    heed_optim *opt = arg;
    for (int64_t p = begin; p < end; p++) {
        const heed_optim_piece *piece = &opt->piece[p];
        int64_t len;
        const float *g = gradient(piece->slot, &len);
        for (int64_t at = piece->begin; at < piece->end; at += HEED_SUM_BLOCK) {
            const int64_t n = piece->end - at < HEED_SUM_BLOCK ? piece->end - at : HEED_SUM_BLOCK;
            opt->sums[piece->block + (at - piece->begin) / HEED_SUM_BLOCK] = opt->k->row->sum_sq(
                g + at, n);
        }
    }
}

/* The sum of squares does not fit a float: because a gradient is not finite (which is refused by
 * name), or only because it is large. */
static int measure_large(heed_optim *opt) {
    double sum = 0;
    for (int64_t i = 0; i < opt->count; i++) {
        int64_t len;
        const float *g = gradient(&opt->slot[i], &len);
        for (int64_t j = 0; g && j < len; j++) {
            if (!isfinite(g[j]))
                return heed__error(&opt->error, HEED_ENONFINITE,
                                   "optimizer: the gradient of %s is not finite in step %lld",
                                   opt->slot[i].t->name, (long long)opt->steps + 1);
            sum += (double)g[j] * (double)g[j];
        }
    }
    opt->norm = sqrt(sum);
    return 0;
}

/* The global norm: squares by blocks of 4096, blocks as a tree to each parameter, parameters as a
 * tree. */
static int measure(heed_optim *opt) {
    const int64_t blocks = list_pieces(opt);
    if (blocks < 0) return heed__error(&opt->error, HEED_ENOMEM, "out of memory for a step");
    heed_pool_run(opt->pool, opt->piece_count, 1, sum_pieces, opt);
    float *of_slot = opt->sums + blocks;
    int64_t at = 0;
    for (int64_t i = 0; i < opt->count; i++) {
        int64_t len = 0;
        const int64_t n = gradient(&opt->slot[i], &len) ? blocks_of(len) : 0;
        of_slot[i] = heed__tree_sum(opt->sums + at, n);
        at += n;
    }
    const float sum = heed__tree_sum(of_slot, opt->count);
    opt->norm = sqrt((double)sum);
    if (!isfinite(sum) && measure_large(opt)) return opt->error.code;
    opt->norm /= opt->cfg.accumulate;
    double scale = 1.0 / opt->cfg.accumulate;
    const double clip = (double)opt->cfg.clip;
    if (clip > 0) scale *= fmin(1, clip / (opt->norm + 1e-6)); /* as PyTorch's clip_grad_norm_ */
    opt->grad_scale = (float)scale;
    return 0;
}

static void update_pieces(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    const heed_optim *opt = arg;
    for (int64_t p = begin; p < end; p++) {
        const heed_optim_piece *piece = &opt->piece[p];
        const heed_optim_slot *s = piece->slot;
        if (s->sparse) { /* the rows that begin in this piece */
            const int64_t dim = s->t->sparse->dim;
            heed__optim_rows(opt, s, (piece->begin + dim - 1) / dim, (piece->end + dim - 1) / dim);
        } else if (opt->cfg.kind == HEED_ADAFACTOR) {
            if (piece->begin == 0) heed__adafactor(opt, s);
        } else {
            heed__optim_dense(opt, s, piece->begin, piece->end);
        }
    }
}

static void average(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    const heed_optim *opt = arg;
    for (int64_t i = begin; i < end; i++) {
        const heed_optim_slot *s = &opt->slot[i];
        if (!opt->averaged && s->t->len)
            memcpy(s->ema, s->t->data, (size_t)s->t->len * sizeof(float));
        else
            opt->k->optim->ema(s->ema, s->t->data, s->t->len, opt->cfg.ema);
    }
}

static int check_params(heed_optim *opt) {
    if (heed_params_count(opt->ps) != opt->count)
        return heed__error(&opt->error, HEED_EINVALID,
                           "optimizer: parameters were declared after it was made");
    for (int64_t i = 0; i < opt->count; i++)
        if (opt->slot[i].sparse != (opt->slot[i].t->sparse != NULL))
            return heed__error(&opt->error, HEED_EINVALID,
                               "optimizer: table %s became row-sparse after it was made",
                               opt->slot[i].t->name);
    return 0;
}

int heed_optim_step(heed_optim *opt) {
    if (!opt) return HEED_EINVALID;
    opt->error = (heed_error){ 0 };
    if (check_params(opt)) return opt->error.code;
    if (++opt->pending < opt->cfg.accumulate) return 0;
    opt->pending = 0;
    if (measure(opt) == 0) {
        for (int64_t p = 0; p < opt->piece_count; p++)
            if (opt->piece[p].begin == 0) opt->piece[p].slot->steps++;
        heed_pool_run(opt->pool, opt->piece_count, 1, update_pieces, opt);
        if (opt->cfg.ema > 0) heed_pool_run(opt->pool, opt->count, 1, average, opt);
        opt->averaged = opt->cfg.ema > 0;
        opt->steps++;
    }
    heed_params_zero_grad(opt->ps);
    return opt->error.code;
}

void heed_optim_swap_ema(heed_optim *opt) {
    if (!opt || !opt->averaged) return;
    heed__params_drop_panels(opt->ps);
    for (int64_t i = 0; i < opt->count; i++) {
        float *a = opt->slot[i].ema, *w = HEED_F32_DATA(opt->slot[i].t);
        for (int64_t j = 0; j < opt->slot[i].t->len; j++) {
            const float keep = w[j];
            w[j] = a[j];
            a[j] = keep;
        }
    }
}
