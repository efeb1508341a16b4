/* curve.c: accuracy by number of labelled texts. */
#include "tasks/curve.h"

#include <math.h>

#include "base/alloc.h"
#include "base/elementary.h"
#include "base/hash.h"
#include "tasks/parts.h"
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

/* Another point, and what law they follow. */
static void point(heed_curve *k, int64_t texts, double accuracy, double loss,
                  void (*tell)(const heed_curve *)) {
    k->texts[k->len] = texts;
    k->accuracy[k->len] = accuracy;
    k->loss[k->len++] = loss;
    fit(k);
    if (tell) tell(k);
}

/* The point of a part that a process before this one has trained; a part that has none is noted
 * without an accuracy. */
static void recall(heed_curve *k, const json_t *note, int64_t texts,
                   void (*tell)(const heed_curve *)) {
    const double accuracy = heed__noted_number(note, "accuracy");
    if (isfinite(accuracy)) point(k, texts, accuracy, heed__noted_number(note, "loss"), tell);
}

/* The classifier of all texts, after its parts. NULL and *err on failure. */
static heed_classifier *points(heed_parts *parts, const heed_examples *learn,
                               const heed_classify_cfg *cfg, heed_curve *curve,
                               void (*tell)(const heed_curve *), heed_error *err) {
    heed_classify_cfg own = *cfg;
    double accuracy, loss;
    int64_t done = 0;
    own.keep_stopped = false;
    for (int64_t part = 1 << (HEED_CURVE_MOST - 1); part > 1; part /= 2) {
        heed_examples x = *learn;
        x.len /= part;
        if (x.len < LEAST) continue;
        if (done < heed__parts_len(parts)) {
            recall(curve, heed__parts_note(parts, done++), x.len, tell);
            continue;
        }
        accuracy = loss = (double)NAN;
        heed_classifier *c = heed__parts_train(parts, &x, &own, false, err);
        if (!c && err->code != HEED_EFORMAT) return NULL; /* else one label alone */
        const bool any = c != NULL;
        if (any) heed__held_measure(&c->held, &accuracy, &loss);
        heed_classifier_close(c);
        *err = (heed_error){ 0 };
        json_t *note = json_pack("{s:I, s:o, s:o}", "texts", (json_int_t)x.len, "accuracy",
                                 heed__note_number(accuracy), "loss", heed__note_number(loss));
        if (heed__parts_add(parts, note, NULL, err)) return NULL;
        done++;
        if (any) point(curve, x.len, accuracy, loss, tell);
    }
    heed_classifier *c = heed__parts_train(parts, learn, cfg, true, err);
    if (!c) return NULL;
    heed__held_measure(&c->held, &accuracy, &loss);
    point(curve, learn->len, accuracy, loss, tell);
    return c;
}

heed_classifier *heed__classifier_curve(const heed_examples *data, const heed_classify_cfg *base,
                                        heed_curve *curve, void (*tell)(const heed_curve *),
                                        heed_error *err) {
    heed_classify_cfg cfg = *base;
    heed_split split = { .learn = { .len = 0 } };
    heed_parts parts = { .note = NULL };
    heed_classifier *c = NULL;
    heed_error own = { 0 };
    int rc = 0;
    if (!err) err = &own;
    *err = own;
    *curve = (heed_curve){ .len = 0 };
    if (base->target != HEED_TARGET_LABEL || base->from)
        rc = heed__error(err, HEED_EUNSUPPORTED, "curve: only with one label a text, without from");
    if (rc == 0 && heed__split(&split, data, base))
        rc = heed__error(err, HEED_ENOMEM, "curve: out of memory");
    if (!cfg.valid) cfg.valid = &split.held;
    if (rc == 0)
        rc = heed__parts_begin(
            &parts, base, "curve",
            heed__settings_hash(heed__examples_hash(HEED_HASH_BEGIN, data), base), err);
    if (rc == 0) c = points(&parts, &split.learn, &cfg, curve, tell, err);
    if (c && err->code == 0) heed__run_note(&c->left, base->run);
    heed__split_free(&split, base->hooks);
    heed__parts_end(&parts, false, err);
    return c;
}
