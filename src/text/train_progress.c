/* train_progress.c: progress and the wish to stop. */
#include "text/train_progress.h"

#include <math.h>

#include "base/alloc.h"
#include "base/thread.h"

int heed__train_tell(heed__train_progress *p, const heed_progress *now, heed_error *err) {
    if (!p->hooks) return 0;
    if (p->hooks->cancel && p->hooks->cancel(p->hooks->user))
        return heed__error(err, HEED_ECANCELLED, "training a tokenizer: stopped");
    if (!p->hooks->progress) return 0;
    const double t = heed__seconds();
    if (p->start == 0) p->start = p->told = t;
    if (t - p->told < 0.1) return 0;
    p->told = t;
    heed_progress full = *now;
    full.loss = (double)NAN;
    full.rate = t > p->start ? (double)now->done / (t - p->start) : 0;
    full.seconds_left = full.rate > 0 && now->total ? (double)(now->total - now->done) / full.rate
                                                    : -1;
    p->hooks->progress(p->hooks->user, &full);
    return 0;
}
