/* curve.c: accuracy by number of labelled texts. */
#include "tasks/curve.h"

#include <math.h>

#include "base/alloc.h"
#include "base/elementary.h"
#include "tasks/split.h"

enum { LEAST = 20, FITTED = 4 };

/* ln error = ln scale - power · ln texts, by least squares over the last points. */
static void fit(heed_curve *k) {
    double n = 0, x = 0, y = 0, xx = 0, xy = 0;
    k->scale = k->power = 0;
    for (int64_t i = k->len > FITTED ? k->len - FITTED : 0; i < k->len; i++) {
        const double error = 1 - k->accuracy[i];
        if (!(error > 0)) return;
        const double u = heed__ln((double)k->texts[i]), v = heed__ln(error);
        n++, x += u, y += v, xx += u * u, xy += u * v;
    }
    const double spread = n * xx - x * x;
    if (n < 3 || !(spread > 0)) return;
    const double power = -(n * xy - x * y) / spread;
    if (!(power > 0)) return;
    k->power = power;
    k->scale = heed__exp((y + power * x) / n);
}

double heed__curve_expect(const heed_curve *k, double texts) {
    if (!(k->power > 0)) return (double)NAN;
    return 1 - k->scale * heed__exp(-k->power * heed__ln(texts));
}

heed_classifier *heed__classifier_curve(const heed_examples *data, const heed_classify_cfg *base,
                                        heed_curve *curve, void (*tell)(const heed_curve *),
                                        heed_error *err) {
    heed_classify_cfg cfg = *base;
    heed_hooks quiet = base->hooks ? *base->hooks : (heed_hooks){ .progress = NULL };
    quiet.progress = NULL;
    heed_split split = { .learn = { .len = 0 } };
    heed_classifier *c = NULL;
    heed_error own = { 0 };
    int rc = 0;
    if (!err) err = &own;
    *err = own;
    *curve = (heed_curve){ .len = 0 };
    if (base->target != HEED_TARGET_LABEL || base->from || base->resume)
        rc = heed__error(err, HEED_EUNSUPPORTED,
                         "curve: only with one label a text, and not with from or resume");
    if (rc == 0 && heed__split(&split, data, base))
        rc = heed__error(err, HEED_ENOMEM, "curve: out of memory");
    if (!cfg.valid) cfg.valid = &split.held;
    for (int64_t part = 1 << (HEED_CURVE_MOST - 1); rc == 0 && part >= 1; part /= 2) {
        heed_examples x = split.learn;
        x.len /= part;
        if (part > 1 && x.len < LEAST) continue;
        cfg.run = part == 1 ? base->run : NULL;
        cfg.hooks = part == 1 ? base->hooks : &quiet;
        heed_classifier_close(c);
        c = heed_classifier_train(&x, &cfg, err);
        if (!c && part > 1 && err->code == HEED_EFORMAT) continue; /* one label alone */
        if (!c) break;
        curve->texts[curve->len] = x.len;
        heed__held_measure(&c->held, &curve->accuracy[curve->len], &curve->loss[curve->len]);
        curve->len++;
        fit(curve);
        if (tell) tell(curve);
    }
    heed__split_free(&split, base->hooks);
    return c;
}
