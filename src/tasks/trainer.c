/* trainer.c: the training loop; see trainer.h. */
#include "tasks/trainer_run.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/thread.h"
#include "heed/ops.h"
#include "tensor/ctx.h"
#include "train/optim.h"

double heed__fit_seconds(const heed_fit_run *r) {
    return r->before + heed__seconds() - r->start;
}

void heed__fit_keep(heed_fit_run *r) {
    float *to = r->best;
    for (int64_t i = 0; to && i < heed_params_count(r->l->ps); i++) {
        const heed_tensor *t = heed_params_at(r->l->ps, i);
        memcpy(to, t->data, (size_t)t->len * sizeof *to);
        to += t->len;
    }
    r->has_best = to != NULL;
}

void heed__fit_restore(heed_fit_run *r) {
    const float *from = r->best;
    for (int64_t i = 0; r->has_best && i < heed_params_count(r->l->ps); i++) {
        const heed_tensor *t = heed_params_at(r->l->ps, i);
        memcpy(t->data, from, (size_t)t->len * sizeof *from);
        from += t->len;
    }
}

static int context_error(heed_fit_run *r) {
    const heed_error *why = heed_ctx_error(r->l->cx);
    const int rc = heed__error(r->err, why ? why->code : HEED_ENOMEM, "%s",
                               why ? why->msg : "train: out of memory");
    heed_ctx_reset(r->l->cx);
    return rc;
}

/* -- making ----------------------------------------------------------------------------------- */

static int name_of(const char *const *names, const char *name) {
    int i = 0;
    while (names[i] && strcmp(names[i], name) != 0) i++;
    return names[i] ? i : -1;
}

static int make_optim(heed_fit_run *r) {
    static const char *const kinds[] = { "adamw", "adam", "sgd", "adagrad", "adafactor", NULL };
    static const char *const schedules[] = { "constant", "linear",  "cosine",
                                             "inv_sqrt", "plateau", NULL };
    heed_fit_cfg *c = &r->cfg;
    heed_optim_cfg *o = &c->optim;
    const int kind = name_of(kinds, c->optimizer ? c->optimizer : "adam");
    const int schedule = name_of(schedules, c->schedule ? c->schedule : "cosine");
    if (kind < 0)
        return heed__error(r->err, HEED_EINVALID,
                           "train: no optimizer '%.40s'; there are adam, adamw, sgd, adagrad, "
                           "adafactor",
                           c->optimizer);
    if (schedule < 0)
        return heed__error(r->err, HEED_EINVALID,
                           "train: no schedule '%.40s'; there are constant, linear, cosine, "
                           "inv_sqrt, plateau",
                           c->schedule);
    const int64_t each = (r->l->items + c->batch - 1) / c->batch;
    int64_t steps;
    if (__builtin_mul_overflow(each, c->epochs, &steps))
        return heed__error(r->err, HEED_EINVALID, "train: too many steps");
    o->kind = (heed_optim_kind)kind;
    o->schedule.kind = (heed_schedule_kind)schedule;
    o->schedule.total = steps;
    o->schedule.warmup = (int64_t)(c->warmup * (double)steps);
    if (o->schedule.least == 0 && schedule != HEED_INV_SQRT && schedule != HEED_PLATEAU)
        o->schedule.least = 0.1f;
    if (schedule == HEED_PLATEAU && o->schedule.patience == 0) o->schedule.patience = 1;
    if (o->clip == 0) o->clip = 1;
    if (o->clip < 0) o->clip = 0;
    r->opt = heed_optim_new(r->l->cx, r->l->ps, o, r->err);
    return r->opt ? 0 : r->err->code;
}

int heed__bounds_check(const heed_bound *list, heed_error *err) {
    for (; list->name; list++)
        if (list->value < list->least || list->value > list->most)
            return heed__error(err, HEED_EINVALID, "train: %s is %lld, not %lld to %lld",
                               list->name, (long long)list->value, (long long)list->least,
                               (long long)list->most);
    return 0;
}

static int make(heed_fit_run *r) {
    const heed_learner *l = r->l;
    const heed_fit_cfg *c = &r->cfg;
    const heed_bound bounds[] = { { "the number of examples", l->items, 1, INT64_MAX },
                                  { "epochs", c->epochs, 1, INT64_MAX },
                                  { "batch", c->batch, 1, INT64_MAX },
                                  { "patience", c->patience, 0, INT64_MAX },
                                  { NULL, 0, 0, 0 } };
    const int rc = heed__bounds_check(bounds, r->err);
    if (rc) return rc;
    if (!(c->warmup >= 0 && c->warmup < 1) || !(c->seconds >= 0))
        return heed__error(r->err, HEED_EINVALID,
                           "train: warmup %g is outside 0..1, or the time, %g s, is negative",
                           c->warmup, c->seconds);
    if (r->cfg.batch > l->items) r->cfg.batch = l->items;
    r->order = heed__calloc(c->hooks, (size_t)l->items, sizeof *r->order);
    if (l->score) r->best = heed__calloc(c->hooks, (size_t)heed_params_len(l->ps), sizeof *r->best);
    if (!r->order || (l->score && !r->best))
        return heed__error(r->err, HEED_ENOMEM, "train: out of memory");
    if (c->adversary != HEED_ADVERSARY_NONE) {
        r->adversary = heed__adversary_new(l->ps, c->adversary, c->adversary_size, c->hooks,
                                           r->err);
        if (!r->adversary) return r->err->code;
    }
    return make_optim(r);
}

/* -- one step --------------------------------------------------------------------------------- */

/* The loss of order[at .. at+n) and its gradients. 0 or a status. */
static int backward_once(heed_fit_run *r, int64_t at, int64_t n, double *loss) {
    const heed_learner *l = r->l;
    const float weight = heed__adversary_weight(r->adversary);
    heed_tensor *t = l->loss(l->self, r->order + at, n);
    *loss = (double)heed_item(t);
    if (t && weight < 1) t = heed_scale(l->cx, t, weight, 0);
    if (!t) return context_error(r);
    return heed_backward(l->cx, t) ? context_error(r) : 0;
}

/* The same, with all rounds of the adversary, whose words and dropout are those of the first. */
static int backward(heed_fit_run *r, int64_t at, int64_t n, double *loss) {
    const uint64_t step = heed_ctx_step(r->l->cx);
    const int rounds = heed__adversary_rounds(r->adversary);
    int rc = backward_once(r, at, n, loss);
    for (int k = 1; rc == 0 && k < rounds; k++) {
        double other;
        rc = heed__adversary_move(r->adversary);
        if (rc) heed__error(r->err, rc, "train: out of memory");
        heed_ctx_reset(r->l->cx);
        heed_ctx_set_step(r->l->cx, step);
        if (rc == 0) rc = backward_once(r, at, n, &other);
    }
    heed__adversary_undo(r->adversary);
    return rc;
}

static int64_t floats_of(const heed_fit_run *r) {
    int64_t n = heed_params_len(r->l->ps) * (r->best ? 2 : 1);
    for (int64_t i = 0; i < r->opt->count; i++) {
        const heed_optim_slot *s = &r->opt->slot[i];
        n += s->m_len + s->v_len + s->ema_len + s->row_steps_len;
        const heed_sparse *rows = s->t->sparse;
        n += rows ? rows->cap * (rows->dim + 2) + 2 * rows->work_cap : s->t->len; /* its gradient */
    }
    return n;
}

/* order[0..batch): the longest examples, each once. */
static void take_longest(const heed_learner *l, int64_t *order, int64_t batch) {
    int64_t low = -1, high = 0, len = 0; /* fewer than batch are longer than high */
    for (int64_t i = 0; l->length && i < l->items; i++)
        if (l->length[i] > high) high = l->length[i];
    while (l->length && high - low > 1) {
        const int64_t middle = low + (high - low) / 2;
        int64_t longer = 0;
        for (int64_t i = 0; i < l->items; i++) longer += l->length[i] > middle;
        if (longer < batch)
            high = middle;
        else
            low = middle;
    }
    for (int64_t i = 0; i < l->items && len < batch; i++)
        if (l->length && l->length[i] > high) order[len++] = i;
    for (int64_t i = 0; i < l->items && len < batch; i++)
        if (!l->length || l->length[i] == high) order[len++] = i;
}

static void tell_memory(const heed_fit_run *r, size_t activations) {
    const heed_learner *l = r->l;
    const heed_hooks *h = r->cfg.hooks;
    if (!h || !h->progress) return;
    const heed_progress p = { .what = "memory",
                              .total = floats_of(r) * (int64_t)sizeof(float) + l->memory +
                                       l->items * (int64_t)sizeof *r->order + (int64_t)activations,
                              .unit = "bytes",
                              .seconds_left = -1,
                              .loss = (double)NAN };
    h->progress(h->user, &p);
}

/* Goes through what the task says and through the largest step that there can be, of the longest
 * examples, without learning from it: memory that is short is short before the work, none is asked
 * for later, and the progress hook is told how much the steps take. 0 or a status. */
static int rehearse(heed_fit_run *r) {
    const heed_learner *l = r->l;
    double loss;
    take_longest(l, r->order, r->cfg.batch);
    const uint64_t step = heed_ctx_step(l->cx);
    heed_ctx_set_train(l->cx, false);
    int rc = l->rehearse ? l->rehearse(l->self, r->err) : 0;
    heed_ctx_set_train(l->cx, true);
    if (rc == 0) rc = backward(r, 0, r->cfg.batch, &loss);
    const size_t activations = heed_ctx_used(l->cx);
    heed_ctx_reset(l->cx);
    heed_ctx_set_step(l->cx, step);
    heed_params_zero_grad(l->ps);
    if (rc) return rc;
    tell_memory(r, activations);
    heed__ctx_widen(l->cx); /* the longest examples are not those of the most features, always */
    return 0;
}

static void tell(heed_fit_run *r, double loss, bool now) {
    const heed_hooks *h = r->cfg.hooks;
    const double part = r->steps_here < 20 ? 1 / (double)r->steps_here : 0.05; /* the last 20 */
    r->shown = r->steps_here == 1 ? loss : (1 - part) * r->shown + part * loss;
    const double clock = heed__seconds();
    if (!h || !h->progress || (!now && clock - r->told < 0.1)) return;
    r->told = clock;
    const int64_t items = r->l->items, total = items * r->cfg.epochs;
    const int64_t done = (r->epoch - 1) * items + r->at;
    const double rate = (double)done / (heed__fit_seconds(r) + 1e-9);
    const heed_progress p = { .what = r->l->beforehand ? "pretrain" : "train",
                              .done = done,
                              .total = total,
                              .unit = r->l->unit ? r->l->unit : "examples",
                              .epoch = r->epoch,
                              .epochs = r->cfg.epochs,
                              .rate = rate,
                              .seconds_left = (double)(total - done) / (rate + 1e-9),
                              .loss = r->shown };
    h->progress(h->user, &p);
}

/* One batch. 0 or a status. */
static int step(heed_fit_run *r) {
    const int64_t left = r->l->items - r->at, n = left < r->cfg.batch ? left : r->cfg.batch;
    double loss = 0;
    const double rate = heed_optim_lr(r->opt);
    int rc = backward(r, r->at, n, &loss);
    if (rc == 0) rc = heed_optim_step(r->opt);
    if (rc && r->err->code == 0) heed__error(r->err, rc, "%s", heed_optim_error(r->opt)->msg);
    heed_ctx_reset(r->l->cx);
    if (rc) return rc;
    r->at += n;
    r->sum += loss * (double)n;
    r->steps_here++;
    const int64_t steps = heed_optim_steps(r->opt);
    if (steps % 50 == 0) heed__run_log_step(r->log, steps, loss, rate);
    tell(r, loss, r->epoch == r->cfg.epochs && r->at == r->l->items);
    return 0;
}

/* -- an epoch's end --------------------------------------------------------------------------- */

static bool better(const heed_score *a, const heed_score *b) {
    if (isnan(a->value)) return false;
    return a->value > b->value || (!(a->value < b->value) && a->loss < b->loss);
}

static void report(heed_fit_run *r, const heed_epoch *e) {
    const heed_hooks *h = r->cfg.hooks;
    heed__run_log_epoch(r->log, e, heed_optim_steps(r->opt));
    if (!h || !h->progress) return;
    const heed_progress p = { .what = r->l->beforehand ? "pretrain epoch" : "epoch",
                              .done = e->epoch,
                              .total = e->epochs,
                              .unit = "epochs",
                              .epoch = e->epoch,
                              .epochs = e->epochs,
                              .seconds_left = -1,
                              .loss = e->loss,
                              .score_name = e->scored ? e->score.name : NULL,
                              .score = e->score.value,
                              .held_loss = e->score.loss };
    h->progress(h->user, &p);
}

/* Scores the weights (their average, where one is kept) and keeps them if they are the best. 0 or a
 * status; HEED_ECANCELLED leaves the run as it was before. */
static int end_epoch(heed_fit_run *r) {
    const heed_learner *l = r->l;
    heed_epoch e = { .epoch = r->epoch,
                     .epochs = r->cfg.epochs,
                     .loss = r->at ? r->sum / (double)r->at : 0,
                     .rate = heed_optim_lr(r->opt) };
    if (l->score) {
        const uint64_t at = heed_ctx_step(l->cx);
        heed_ctx_set_train(l->cx, false);
        heed_optim_swap_ema(r->opt);
        const int rc = l->score(l->self, &e.score, r->err);
        e.scored = true;
        e.better = rc == 0 && !isnan(e.score.value) &&
                   (!r->has_best || better(&e.score, &r->done->score));
        if (e.better) heed__fit_keep(r);
        heed_optim_swap_ema(r->opt);
        heed_ctx_set_train(l->cx, true);
        heed_ctx_set_step(l->cx, at); /* dropout does not depend on how data is held out */
        if (rc) return rc;
        heed_optim_report(r->opt, e.score.loss);
        if (e.better) r->done->score = e.score, r->done->best = r->epoch;
        r->bad = e.better ? 0 : r->bad + 1;
    }
    e.seconds = heed__fit_seconds(r);
    report(r, &e);
    return 0;
}

/* -- the loop --------------------------------------------------------------------------------- */

/* When the next checkpoint is due: a training is never set back by more than half of its time, nor
 * by more than a minute; at most a twentieth of the time goes into checkpoints. */
static void plan_save(heed_fit_run *r, double cost) {
    const double so_far = heed__fit_seconds(r), least = 20 * cost;
    double every = r->cfg.save_every;
    if (!(every > 0)) every = so_far < 5 ? 5 : so_far > 60 ? 60 : so_far;
    r->saved = heed__seconds();
    r->save_at = r->saved + (least > every ? least : every);
}

static int say_stopped(heed_fit_run *r) {
    return heed__error(r->err, HEED_ECANCELLED, "train: stopped in epoch %lld%s%.300s%s",
                       (long long)r->epoch, r->cfg.run ? "; " : "", r->cfg.run ? r->cfg.run : "",
                       r->cfg.run ? " has what a resume needs" : "");
}

static int stopped(heed_fit_run *r) {
    r->done->end = HEED_FIT_STOPPED;
    heed_error own = *r->err;
    if (r->cfg.run && heed__fit_save(r)) return r->err->code;
    *r->err = own;
    return say_stopped(r);
}

/* Stopped before anything was learnt: the run's folder stays as it is, with what an earlier
 * training has there. */
static int halted(heed_fit_run *r) {
    r->done->end = HEED_FIT_STOPPED;
    return heed__run_halted(r->cfg.begin, r->err);
}

/* From now on it writes into its run's folder. 0 or a status. */
static int begin(heed_fit_run *r) {
    const heed_fit_cfg *c = &r->cfg;
    const int rc = heed__run_begin(c->begin, r->err);
    if (rc) return rc;
    r->log = heed__run_log_open(c->run, c->resume ? r->log_at : NULL, c->hooks, r->err);
    if (!r->log) return r->err->code;
    heed__run_log_start(r->log, r->l, c, c->resume);
    return 0;
}

/* A checkpoint on the way, when it is time. What hinders it is told, and the training goes on. */
static void save_on_the_way(heed_fit_run *r) {
    const double start = heed__seconds();
    if (!r->cfg.run || start < r->save_at) return;
    if (heed__fit_save(r)) {
        heed__log(r->cfg.hooks, HEED_LOG_WARN, "%s", r->err->msg);
        *r->err = (heed_error){ 0 };
    }
    plan_save(r, heed__seconds() - start);
}

/* The end is a checkpoint too where much was learnt since the last one: what follows, such as
 * calibration, may take its time and be killed. */
static void save_end(heed_fit_run *r) {
    enum { MUCH = 10 };
    r->ended = true;
    if (r->cfg.save_every > 0 || heed__seconds() - r->saved > MUCH) r->save_at = 0;
    save_on_the_way(r);
}

/* Batches until the epoch, the time or the user's patience is over. 0 or a status. */
static int run_epoch(heed_fit_run *r, bool *time_over) {
    const heed_hooks *h = r->cfg.hooks;
    heed__epoch_order(r->l->length, r->l->items, r->cfg.seed, r->epoch, r->cfg.batch, r->order);
    while (r->at < r->l->items && !*time_over) {
        const int rc = step(r);
        if (rc) return rc;
        *time_over = r->cfg.seconds > 0 && heed__fit_seconds(r) >= r->cfg.seconds;
        if (h && h->cancel && h->cancel(h->user)) return stopped(r);
        save_on_the_way(r);
    }
    return 0;
}

static int run(heed_fit_run *r) {
    const heed_fit_cfg *c = &r->cfg;
    bool time_over = false;
    int rc = 0;
    r->start = heed__seconds();
    plan_save(r, 0);
    for (; rc == 0 && r->epoch <= c->epochs; r->epoch++, r->at = 0, r->sum = 0) {
        rc = run_epoch(r, &time_over);
        if (rc == 0) rc = end_epoch(r);
        if (rc == HEED_ECANCELLED && r->done->end != HEED_FIT_STOPPED) rc = stopped(r);
        if (rc == 0 && c->patience && r->bad >= c->patience) {
            r->done->end = HEED_FIT_PATIENCE;
            break;
        }
        if (rc == 0 && time_over) {
            r->done->end = HEED_FIT_TIME;
            break;
        }
        if (rc) break;
    }
    if (r->epoch > c->epochs) r->epoch = c->epochs;
    if (rc == 0) save_end(r);
    return rc;
}

int heed__fit(const heed_learner *l, const heed_fit_cfg *cfg, heed_fitted *done, heed_error *err) {
    heed_error own;
    heed_fitted plain;
    heed_fit_run r = {
        .l = l, .cfg = *cfg, .err = err ? err : &own, .done = done ? done : &plain, .epoch = 1
    };
    heed_run_begin alone = { .run = cfg->run, .resume = cfg->resume, .hooks = cfg->hooks };
    if (!cfg->begin) r.cfg.begin = &alone;
    *r.err = (heed_error){ 0 };
    *r.done = (heed_fitted){ 0 };
    heed_ctx_set_train(l->cx, true);
    r.start = heed__seconds();
    int rc = make(&r);
    if (rc == 0 && cfg->resume) rc = heed__fit_resume(&r);
    if (rc == 0 && !r.ended) rc = rehearse(&r);
    if (rc == HEED_ECANCELLED) rc = halted(&r);
    if (rc == 0 && cfg->run) rc = begin(&r);
    if (rc == 0 && !r.ended) rc = run(&r);
    if (rc == 0 || rc == HEED_ECANCELLED) {
        r.done->epochs = r.epoch;
        r.done->steps = heed_optim_steps(r.opt);
        r.done->seconds = heed__fit_seconds(&r);
        heed_error kept = *r.err;
        if (r.has_best)
            heed__fit_restore(&r);
        else
            heed_optim_swap_ema(r.opt);
        if (!r.has_best) r.done->best = r.done->epochs;
        heed__run_log_end(r.log, r.done, r.cfg.begin->whole != NULL);
        *r.err = kept;
    }
    heed_ctx_set_train(l->cx, false);
    heed__run_log_close(r.log);
    heed_optim_free(r.opt);
    heed__adversary_free(r.adversary);
    heed__free(cfg->hooks, r.order);
    heed__free(cfg->hooks, r.best);
    return rc;
}
