/* test_listings.c: the first steps of training as examples/transformer.c and reviews.c make them
 * beside PyTorch in float64 (make/listings.py): from the same weights, without dropout, each loss
 * within 1e-5 and every gradient of the first step within 1e-5 of its tensor's largest; the
 * transformer's within 1e-3, since among eight million inputs of its ReLUs some are so near 0 that
 * rounding decides (PyTorch in float32 is off by up to 6e-3 there). The programs themselves are
 * compiled in: the sizes, data, loss and optimizer of the one and the recipe of the other. */
#include "cmocka_all.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "golden.h"
#include "heed/models.h"
#include "heed/train.h"

int transformer_main(int argc, char **argv);
int reviews_main(int argc, char **argv);
#define main transformer_main
#include "../../examples/transformer.c"
#undef main
#define main reviews_main
#include "../../examples/reviews.c"
#undef main

typedef struct listing listing;
struct listing {
    const char *name;
    heed_ctx *cx;
    heed_params *ps;
    heed_safetensors *file;
    heed_seq2seq transformer;
    heed_classic reviews;
    void (*init)(listing *l);
    heed_tensor *(*loss)(listing *l, int step);
    const heed_optim_cfg *optim;
    double tol; /* of gradients */
};

/* "NAME/<before><name>" */
static const char *full(const listing *l, const char *before, const char *name) {
    static char text[128];
    snprintf(text, sizeof text, "%s/%s%s", l->name, before, name);
    return text;
}

static void check_gradients(const listing *l) {
    for (int64_t i = 0; i < heed_params_count(l->ps); i++) {
        const heed_tensor *p = heed_params_at(l->ps, i);
        if (!p->grad) fail_msg("%s has no gradient", p->name);
        const double tol = golden_is_key_bias(p->name) ? 1e-4 : l->tol; /* of rounding alone */
        golden_compare_grad(l->file, full(l, "d.", ""), p->name, p->grad, p->len, tol);
    }
}

static void check(listing *l, int threads) {
    heed_error err = { 0 };
    l->file = golden_open("listings");
    l->cx = heed_ctx_new(&(heed_ctx_cfg){ .train = true, .threads = threads }, &err);
    l->ps = heed_params_new(NULL, &err);
    if (!l->cx || !l->ps) fail_msg("%s", err.msg);
    l->init(l);
    if (heed_params_error(l->ps)) fail_msg("%s", heed_params_error(l->ps)->msg);
    for (int64_t i = 0; i < heed_params_count(l->ps); i++) {
        heed_tensor *p = heed_params_at(l->ps, i);
        golden_fill_param(full(l, "", p->name), p);
    }
    heed_optim *opt = heed_optim_new(l->cx, l->ps, l->optim, &err);
    if (!opt) fail_msg("%s", err.msg);
    const heed_entry *want = golden_find(l->file, full(l, "losses", ""), "");
    assert_int_equal(want->dtype, HEED_FILE_F64);
    for (int step = 0; step < want->len; step++, heed_ctx_reset(l->cx)) {
        heed_tensor *loss = l->loss(l, step);
        if (!loss || heed_backward(l->cx, loss)) fail_msg("%s", heed_ctx_error(l->cx)->msg);
        if (step == 0) check_gradients(l);
        const double got = (double)heed_item(loss), due = ((const double *)want->data)[step];
        if (!(fabs(got - due) <= 1e-5 * due))
            fail_msg("%s: loss %d is %.9g, not %.9g", l->name, step, got, due);
        if (heed_optim_step(opt)) fail_msg("%s", heed_optim_error(opt)->msg);
    }
    heed_optim_free(opt);
    heed_params_free(l->ps);
    heed_ctx_free(l->cx);
    heed_safetensors_close(l->file);
}

static void transformer_init(listing *l) {
    heed_model_cfg cfg = sizes;
    cfg.dropout = 0;
    heed_seq2seq_init(&l->transformer, l->ps, &cfg);
}

static heed_tensor *transformer_loss(listing *l, int step) {
    double right = 0;
    heed_tensor *loss = batch_loss(l->cx, &l->transformer, (uint64_t)step, &right);
    const int32_t *want = golden_find(l->file, "transformer/right", "")->data;
    assert_int_equal((int)right, want[step]);
    return loss;
}

/* What the recipe says of the model. */
static heed_model_cfg reviews_sizes(int64_t vocab) {
    return (heed_model_cfg){ .kind = HEED_MODEL_CLASSIC,
                             .vocab = vocab,
                             .dim = recipe.embed,
                             .hidden = recipe.hidden,
                             .heads = recipe.heads,
                             .dense = recipe.dense,
                             .classes = 2,
                             .use_padding = true };
}

static void reviews_init(listing *l) {
    const heed_model_cfg cfg = reviews_sizes(recipe.vocab);
    heed_classic_init(&l->reviews, l->ps, &cfg);
}

/* Numbers of common.py's `integers`: the formula's 24 bits. */
static heed_tensor *integers(heed_ctx *cx, const char *name, int rows, int columns, int below) {
    heed_tensor *t = heed_new(cx, HEED_I32, columns ? 2 : 1, (int64_t[]){ rows, columns });
    if (!t) fail_msg("%s", heed_ctx_error(cx)->msg);
    for (int64_t i = 0; i < t->len; i++)
        HEED_I32_DATA(t)[i] = (int32_t)((golden_formula(name, i, 0.5f) + 0.5f) * 0x1p24f) % below;
    return t;
}

static heed_tensor *reviews_loss(listing *l, int step) {
    const int rows = (int)recipe.batch, columns = (int)recipe.max_len;
    heed_tensor *ids = integers(l->cx, "reviews/ids", rows, columns, (int)recipe.vocab - 1);
    heed_tensor *lengths = integers(l->cx, "reviews/lengths", rows, 0, columns);
    heed_tensor *labels = integers(l->cx, "reviews/labels", rows, 0, 2);
    for (int i = 0; i < rows; i++) HEED_I32_DATA(lengths)[i]++;
    for (int i = 0; i < rows * columns; i++) {
        const bool word = i % columns < HEED_I32_DATA(lengths)[i / columns];
        HEED_I32_DATA(ids)[i] = word ? HEED_I32_DATA(ids)[i] + 1 : 0;
    }
    heed_tensor *z = heed_classic_apply(l->cx, &l->reviews, ids, lengths, NULL);
    if (!z) fail_msg("%s", heed_ctx_error(l->cx)->msg);
    if (step == 0) golden_compare(golden_find(l->file, "reviews/out", ""), z->data, 1e-5);
    return heed_cross_entropy(l->cx, z, labels, NULL);
}

static void test_transformer(void **state) {
    (void)state;
    listing l = { .name = "transformer",
                  .init = transformer_init,
                  .loss = transformer_loss,
                  .optim = &adam,
                  .tol = 1e-3 };
    check(&l, 2);
}

static void test_reviews(void **state) {
    (void)state;
    const heed_optim_cfg optim = { .kind = HEED_ADAM, .lr = (float)recipe.lr };
    listing l = {
        .name = "reviews", .init = reviews_init, .loss = reviews_loss, .optim = &optim, .tol = 1e-5
    };
    check(&l, 1);
    check(&l, 2);
}

/* What the recipe of reviews.c trains and stores is the model compared above: the same parameters
 * in the same shapes. */
static void test_recipe(void **state) {
    (void)state;
    static const char *const text[] = { "good film", "dull film", "good plot", "dull plot" };
    static const char *const label[] = { "pos", "neg", "pos", "neg" };
    const heed_examples few = { .len = 4, .text = text, .label = label };
    heed_error err = { 0 };
    char dir[] = "/tmp/heed-listing-XXXXXX", path[96];
    assert_non_null(mkdtemp(dir));
    heed_classifier *c = heed_classifier_train(&few, &recipe, &err);
    if (!c || heed_classifier_save(c, dir, &err)) fail_msg("%s", err.msg);
    heed_classifier_close(c);
    snprintf(path, sizeof path, "%s/model.safetensors", dir);
    heed_safetensors *file = heed_safetensors_open(path, NULL, &err);
    if (!file) fail_msg("%s", err.msg);
    heed_params *ps = heed_params_new(NULL, &err);
    heed_classic m;
    const heed_model_cfg cfg = reviews_sizes(golden_find(file, "embed.weight", "")->shape[0]);
    assert_int_equal(heed_classic_init(&m, ps, &cfg), 0);
    assert_int_equal(heed_params_count(ps), heed_safetensors_count(file));
    for (int64_t i = 0; i < heed_params_count(ps); i++) {
        const heed_tensor *p = heed_params_at(ps, i);
        const heed_entry *e = golden_find(file, p->name, "");
        assert_int_equal(e->ndim, p->ndim);
        for (int k = 0; k < p->ndim; k++) assert_int_equal(e->shape[k], p->shape[k]);
    }
    heed_params_free(ps);
    heed_safetensors_close(file);
    static const char *const files[] = { "model.safetensors", "config.json", "vocab.txt" };
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, files[i]);
        assert_int_equal(unlink(path), 0);
    }
    assert_int_equal(rmdir(dir), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_transformer),
        cmocka_unit_test(test_reviews),
        cmocka_unit_test(test_recipe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
