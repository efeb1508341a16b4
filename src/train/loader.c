/* loader.c: numbers of items in an order that (seed, epoch) alone decides, so that a position is
 * two numbers. */
#include "heed/train.h"

#include "base/alloc.h"

struct heed_loader {
    heed_hooks hooks;
    heed_loader_cfg cfg;
    int64_t *order;
    int64_t epoch, at;
    int64_t ready; /* the epoch that order is of; -1: none */
};

heed_loader *heed_loader_new(const heed_loader_cfg *cfg, heed_error *err) {
    if (err) *err = (heed_error){ 0 };
    const heed_loader_cfg nothing = { 0 };
    if (!cfg) cfg = &nothing;
    if (cfg->items < 0 || cfg->batch < 1 || cfg->items > PTRDIFF_MAX / 16) {
        heed__error(err, HEED_EINVALID, "loader: %lld items in batches of %lld",
                    (long long)cfg->items, (long long)cfg->batch);
        return NULL;
    }
    heed_loader *ld = heed__calloc(cfg->hooks, 1, sizeof *ld);
    int64_t *order = heed__calloc(cfg->hooks, (size_t)cfg->items, sizeof *order);
    if (!ld || !order) {
        heed__free(cfg->hooks, ld);
        heed__free(cfg->hooks, order);
        heed__error(err, HEED_ENOMEM, "out of memory for the order of %lld items",
                    (long long)cfg->items);
        return NULL;
    }
    if (cfg->hooks) ld->hooks = *cfg->hooks;
    ld->cfg = *cfg;
    ld->cfg.hooks = NULL;
    ld->order = order;
    ld->ready = -1;
    return ld;
}

void heed_loader_free(heed_loader *ld) {
    if (!ld) return;
    const heed_hooks hooks = ld->hooks;
    heed__free(&hooks, ld->order);
    heed__free(&hooks, ld);
}

static void prepare(heed_loader *ld) {
    for (int64_t i = 0; i < ld->cfg.items; i++) ld->order[i] = i;
    heed_rng rng = { .seed = ld->cfg.seed, .stream = (uint64_t)ld->epoch | (uint64_t)3 << 62 };
    if (!ld->cfg.in_order) heed_rng_shuffle(&rng, ld->order, ld->cfg.items);
    ld->ready = ld->epoch;
}

int64_t heed_loader_next(heed_loader *ld, const int64_t **items) {
    if (!ld) return 0;
    const int64_t left = ld->cfg.items - ld->at;
    const int64_t count = left < ld->cfg.batch ? left : ld->cfg.batch;
    if (count == 0 || (ld->cfg.drop_last && count < ld->cfg.batch)) {
        ld->epoch++;
        ld->at = 0;
        return 0;
    }
    if (ld->ready != ld->epoch) prepare(ld);
    *items = ld->order + ld->at;
    ld->at += count;
    return count;
}

int64_t heed_loader_epoch(const heed_loader *ld) {
    return ld ? ld->epoch : INT64_MAX;
}

int64_t heed_loader_position(const heed_loader *ld) {
    return ld ? ld->at : 0;
}

int heed_loader_seek(heed_loader *ld, int64_t epoch, int64_t position) {
    if (!ld || epoch < 0 || position < 0 || position > ld->cfg.items) return HEED_EINVALID;
    ld->epoch = epoch;
    ld->at = position;
    return 0;
}
