/* classifier_pretrain.c: a classifier's body learns the language first, from its own texts and from
 * those without labels. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/folder.h"
#include "base/hash.h"
#include "base/text.h"
#include "tasks/classifier_data.h"
#include "tasks/pretrain.h"

int heed__all_texts(const heed_classifier *c, const heed_part *p, const heed_examples *more,
                    heed_texts *x, heed_error *err) {
    const int64_t n = p->x.len, extra = more ? more->len : 0, second = p->x.text2 ? n : 0;
    const char **text = heed__calloc(&c->hooks, (size_t)(n + second + extra), sizeof *text);
    if (!text) return heed__error(err, HEED_ENOMEM, "train: out of memory");
    memcpy(text, p->x.text, (size_t)n * sizeof *text);
    if (second) memcpy(text + n, p->x.text2, (size_t)n * sizeof *text);
    if (extra) memcpy(text + n + second, more->text, (size_t)extra * sizeof *text);
    *x = (heed_texts){ .len = n + second + extra, .text = text };
    return 0;
}

int heed__classifier_pretrain(heed_classifier *c, const heed_part *p, const heed_classify_cfg *cfg,
                              heed_fit_cfg *fit, heed_error *err) {
    char run[HEED_PATH_SIZE], path[HEED_PATH_SIZE], settings[128];
    heed_fit_cfg own = *fit;
    heed_texts x;
    own.epochs = cfg->pretrain_epochs ? cfg->pretrain_epochs : 5;
    own.patience = 0;
    own.seconds = 0;
    own.resume = false;
    if (fit->run) {
        if (strlen(fit->run) > HEED_PATH_SIZE - 64)
            return heed__error(err, HEED_EINVALID, "%.100s...: too long a name", fit->run);
        heed__format(path, sizeof path, "%s/checkpoint/state.json", fit->run);
        /* the training that followed has the body's weights */
        if (fit->resume && access(path, F_OK) == 0) return 0;
        heed__format(run, sizeof run, "%s/pretrain", fit->run);
        heed__format(path, sizeof path, "%s/checkpoint/state.json", run);
        own.run = run;
        own.resume = fit->resume && access(path, F_OK) == 0;
        if (fit->resume && !own.resume)
            return heed__error(err, HEED_ENOTFOUND, "%.400s: there is no training to go on with",
                               fit->run);
        fit->resume = false; /* the training that follows has not begun yet */
    }
    int rc = heed__all_texts(c, p, cfg->pretrain, &x, err);
    if (rc) return rc;
    uint64_t hash = HEED_HASH_BEGIN;
    for (int64_t i = 0; i < x.len; i++) hash = heed__hash_one(heed__hash_text(hash, x.text[i]), 0);
    heed__format(settings, sizeof settings,
                 "pretraining, %lld texts %016" PRIx64 ", %lld epochs, seed %llu",
                 (long long)x.len, hash, (long long)own.epochs, (unsigned long long)own.seed);
    own.settings = settings;
    rc = heed__pretrain(c->cx, c->body, &x, &own, err);
    heed__free(&c->hooks, (void *)x.text);
    return rc;
}
