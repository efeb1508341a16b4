/* augment.c: learning from changed copies of the training texts too. */
#include "tasks/augment.h"

#include <string.h>

#include "base/alloc.h"
#include "tasks/split.h"
#include "text/noise.h"

static const uint64_t STREAM = 0x6175676d656e74u;

/* Texts and their changed copies. */
typedef struct crowd {
    const char **text, **label; /* [len + copied]; the copies are its own */
    const char **text2;         /* [len + copied] what they attend to, as it is; or NULL */
    int64_t len, copied;
} crowd;

static void crowd_free(crowd *k, const heed_hooks *hooks) {
    for (int64_t i = 0; i < k->copied; i++) heed__free(hooks, (void *)k->text[k->len + i]);
    heed__free(hooks, k->text);
    heed__free(hooks, k->label);
    heed__free(hooks, k->text2);
}

static int fill(crowd *k, const heed_examples *x, int64_t copies, const heed_classify_cfg *cfg) {
    static const heed_noise kinds[] = { HEED_NOISE_DROP, HEED_NOISE_SWAP, HEED_NOISE_TYPO };
    const heed_hooks *h = cfg->hooks;
    k->text = heed__calloc(h, (size_t)x->len, (size_t)(copies + 1) * sizeof *k->text);
    k->label = heed__calloc(h, (size_t)x->len, (size_t)(copies + 1) * sizeof *k->label);
    if (x->text2)
        k->text2 = heed__calloc(h, (size_t)x->len, (size_t)(copies + 1) * sizeof *k->text2);
    k->len = x->len;
    if (!k->text || !k->label || (x->text2 && !k->text2)) return HEED_ENOMEM;
    memcpy(k->text, x->text, (size_t)x->len * sizeof *k->text);
    memcpy(k->label, x->label, (size_t)x->len * sizeof *k->label);
    for (int64_t c = 0; x->text2 && c <= copies; c++)
        memcpy(k->text2 + c * x->len, x->text2, (size_t)x->len * sizeof *k->text2);
    for (int64_t c = 0; c < copies; c++)
        for (int64_t i = 0; i < x->len; i++) {
            heed_rng rng = { .seed = cfg->seed, .stream = STREAM + (uint64_t)(c * x->len + i) };
            char *copy = heed__noise(kinds[c % 3], x->text[i], &rng, h);
            if (!copy) return HEED_ENOMEM;
            k->text[k->len + k->copied] = copy;
            k->label[k->len + k->copied++] = x->label[i];
        }
    return 0;
}

static int check(const heed_examples *x, const heed_classify_cfg *cfg, heed_error *err) {
    if (cfg->target != HEED_TARGET_LABEL || (x->text2 && !cfg->context))
        return heed__error(err, HEED_EUNSUPPORTED, "augment: only with one label for single texts");
    for (int64_t i = 0; i < x->len; i++)
        if (!x->text[i] || !x->label[i] || (x->text2 && !x->text2[i]))
            return heed__error(err, HEED_EINVALID, "augment: text %lld or its label is NULL",
                               (long long)i);
    return 0;
}

heed_classifier *heed__classifier_augmented(const heed_examples *data,
                                            const heed_classify_cfg *base, int64_t copies,
                                            heed_error *err) {
    heed_classify_cfg cfg = *base;
    heed_split split = { .learn = { .len = 0 } };
    crowd k = { .len = 0 };
    heed_error own = { 0 };
    if (!err) err = &own;
    *err = own;
    if (check(data, base, err)) return NULL;
    const bool hold = !base->valid && base->valid_part > 0;
    int rc = hold ? heed__split(&split, data, base) : 0;
    if (hold) cfg.valid = &split.held;
    if (rc == 0) rc = fill(&k, hold ? &split.learn : data, copies, &cfg);
    if (rc) heed__error(err, rc, "augment: out of memory");
    const heed_examples all = {
        .len = k.len + k.copied, .text = k.text, .label = k.label, .text2 = k.text2
    };
    heed_classifier *c = rc ? NULL : heed_classifier_train(&all, &cfg, err);
    crowd_free(&k, base->hooks);
    heed__split_free(&split, base->hooks);
    return c;
}
