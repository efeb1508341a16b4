/* classifier_cost.c: what one answer costs, counted while it is computed. */
#include <string.h>

#include "base/alloc.h"
#include "tasks/classifier.h"

int64_t heed_classifier_cost(heed_classifier *c, heed_flops_fn fn, void *user, heed_error *err) {
    if (heed__lacks(c, "cost", "classifier", err)) return HEED_EINVALID;
    heed_error own;
    if (!err) err = &own;
    const int64_t words = c->max_len;
    char *text = heed__malloc(&c->hooks, (size_t)words * 2 + 1);
    float *out = heed__calloc(&c->hooks, (size_t)heed__classifier_width(c), sizeof *out);
    if (!text || !out) {
        heed__free(&c->hooks, text);
        heed__free(&c->hooks, out);
        return heed__error(err, HEED_ENOMEM, "classifier: out of memory");
    }
    for (int64_t i = 0; i < words; i++) memcpy(text + 2 * i, "a ", 2);
    text[2 * words] = 0;
    heed_ctx_set_flops(c->cx, fn, user);
    const char *const one = text;
    const heed_array array = { c->beside.mean ? HEED_F32_DATA(c->beside.mean) : NULL, 1,
                               c->beside.in, c->beside.sequence };
    const heed_examples x = { .len = 1,
                              .text = &one,
                              .text2 = c->head.cfg.pairs ? &one : NULL,
                              .array = c->beside.in ? &array : NULL };
    const int rc = heed_classify_examples(c, &x, out, err);
    heed_ctx_set_flops(c->cx, NULL, NULL);
    heed__free(&c->hooks, text);
    heed__free(&c->hooks, out);
    return rc < 0 ? rc : words;
}
