/* classifier_rehearse.c: what a training's answers take, gone through before its first step. */
#include "base/alloc.h"
#include "tasks/classifier_data.h"

/* As a test has it: of one label a text what was answered, of other targets all answers at once. */
static int answer(heed_classifier *c, const heed_examples *x, heed_error *err) {
    const bool one = c->head.cfg.target == HEED_TARGET_LABEL;
    const size_t n = (size_t)x->len, each = (size_t)heed__classifier_width(c) * sizeof(float);
    if (heed__lacks_examples(x, err) || (one && heed__label_one_check(x, "test", err)) ||
        (one && heed__lacks_any(x->label, x->len, "test", "label", err)))
        return HEED_EINVALID;
    void *room = heed__calloc(&c->hooks, n, one ? sizeof(heed_outcome) : each);
    if (!room) return heed__error(err, HEED_ENOMEM, "test: out of memory");
    const int rc = one ? heed__classifier_judge(c, x, room, NULL, err)
                       : heed_classify_examples(c, x, room, err);
    heed__free(&c->hooks, room);
    return rc;
}

int heed__classifier_rehearse(heed_classifier *c, heed_part *held, const heed_examples *tests,
                              heed_error *err) {
    const int64_t batch = c->batch;
    heed_score s;
    c->rehearses = true;
    int rc = held && held->x.len ? heed__part_score(c, held, &s, err) : 0;
    c->batch = HEED_ANSWERED;
    if (rc == 0 && tests) rc = answer(c, tests, err);
    c->batch = batch;
    c->rehearses = false;
    return rc;
}
