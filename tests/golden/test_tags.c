/* Scores of entities beside seqeval's, and a CRF beside PyTorch in float64: loss, gradients,
 * marginals, the best sequence. The files are made by tests/golden/make/tags.py. */
#include "cmocka_all.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "heed/io.h"
#include "heed/ops.h"
#include "tasks/tag_decode.h"
#include "tasks/tag_score.h"

enum { MOST = 64 };

/* -- scores */

static int64_t read_tags(const json_t *sentence, heed_types *types, heed_place *place,
                         heed_tag *tag) {
    const size_t n = json_array_size(sentence);
    assert_true(n <= MOST);
    for (size_t i = 0; i < n; i++) {
        assert_true(heed__tag_parse(json_string_value(json_array_get(sentence, i)), &tag[i]));
        place[i] = (heed_place){ tag[i].place, -1 };
        if (tag[i].place == 'O') continue;
        assert_int_equal(heed__types_add(types, tag[i].type), 0);
    }
    for (size_t i = 0; i < n; i++)
        if (tag[i].place != 'O') place[i].type = heed__types_find(types, tag[i].type);
    return (int64_t)n;
}

static void same(const char *what, const char *where, double got, double want) {
    if (!(fabs(got - want) < 1e-12)) fail_msg("%s of %s: %.15g, not %.15g", what, where, got, want);
}

static void check_case(const json_t *c) {
    heed_types types = { 0 };
    heed_tag_score score;
    heed_scheme_guess guess = { 0 };
    heed_place gold[MOST], found[MOST];
    heed_tag tag[MOST];
    const char *const all[] = { "LOC", "ORG", "PER" };
    for (int i = 0; i < 3; i++) assert_int_equal(heed__types_add(&types, all[i]), 0);
    assert_int_equal(heed__tag_score_init(&score, 3, NULL), 0);
    const json_t *golds = json_object_get(c, "gold"), *founds = json_object_get(c, "found");
    for (size_t i = 0; i < json_array_size(golds); i++) {
        const int64_t n = read_tags(json_array_get(golds, i), &types, gold, tag);
        heed__scheme_see(&guess, tag, n);
        assert_int_equal(read_tags(json_array_get(founds, i), &types, found, tag), n);
        assert_int_equal(heed__tag_score_add(&score, gold, found, n), 0);
    }
    const char *name = json_string_value(json_object_get(c, "name"));
    const char *scheme = json_string_value(json_object_get(c, "scheme"));
    if (*scheme) assert_string_equal(heed__scheme_name(heed__scheme_of(&guess)), scheme);
    same("precision", name, heed__precision(&score.all),
         json_real_value(json_object_get(c, "precision")));
    same("recall", name, heed__recall(&score.all), json_real_value(json_object_get(c, "recall")));
    same("f1", name, heed__f1(&score.all), json_real_value(json_object_get(c, "f1")));
    same("accuracy", name, (double)score.right_words / (double)score.words,
         json_real_value(json_object_get(c, "accuracy")));
    const json_t *each = json_object_get(c, "types");
    for (int i = 0; i < 3; i++) {
        const json_t *want = json_object_get(each, all[i]);
        if (!want) continue;
        const heed_tag_count *k = &score.type[i];
        same(all[i], name, heed__precision(k), json_real_value(json_array_get(want, 0)));
        same(all[i], name, heed__recall(k), json_real_value(json_array_get(want, 1)));
        same(all[i], name, heed__f1(k), json_real_value(json_array_get(want, 2)));
        assert_int_equal(k->gold, json_integer_value(json_array_get(want, 3)));
    }
    heed__tag_score_free(&score);
    heed__types_free(&types);
}

static void scores_are_seqevals(void **state) {
    (void)state;
    heed_error err;
    json_t *cases = heed__json_read(NULL, "tests/golden/tags.json", 1 << 20, &err);
    if (!cases) fail_msg("%s", err.msg);
    assert_true(json_array_size(cases) > 10);
    for (size_t i = 0; i < json_array_size(cases); i++) check_case(json_array_get(cases, i));
    json_decref(cases);
}

/* -- the CRF */

typedef struct golden {
    heed_safetensors *file;
    heed_ctx *cx;
} golden;

static heed_tensor *tensor(const golden *g, const char *name) {
    heed_error err;
    const heed_entry *e = heed_safetensors_find(g->file, name);
    if (!e) fail_msg("no %s", name);
    const bool f32 = e->dtype == HEED_FILE_F32;
    heed_tensor *t = heed_new(g->cx, f32 ? HEED_F32 : HEED_I32, e->ndim, e->shape);
    assert_non_null(t);
    if (f32)
        assert_int_equal(heed_entry_f32(e, t->data, &err), 0);
    else
        memcpy(t->data, e->data, (size_t)t->len * sizeof(int32_t));
    return t;
}

static void near(const char *what, const float *got, const heed_tensor *want) {
    for (int64_t i = 0; i < want->len; i++) {
        const float w = HEED_F32_DATA(want)[i];
        if (!(fabsf(got[i] - w) <= 2e-6F * (1 + fabsf(w))))
            fail_msg("%s[%d]: %g, not %g", what, (int)i, (double)got[i], (double)w);
    }
}

static golden open_golden(void) {
    heed_error err;
    golden g = { .file = heed_safetensors_open("tests/golden/crf.safetensors", NULL, &err) };
    if (!g.file) fail_msg("%s", err.msg);
    g.cx = heed_ctx_new(&(heed_ctx_cfg){ .train = true, .threads = 2 }, &err);
    assert_non_null(g.cx);
    return g;
}

static void close_golden(golden *g) {
    heed_ctx_free(g->cx);
    heed_safetensors_close(g->file);
}

static void crf_has_pytorchs_loss_and_gradients(void **state) {
    (void)state;
    golden g = open_golden();
    heed_tensor *x = heed_want_grad(g.cx, tensor(&g, "x"));
    heed_tensor *trans = heed_want_grad(g.cx, tensor(&g, "transitions"));
    heed_tensor *edges = heed_want_grad(g.cx, tensor(&g, "edges"));
    heed_tensor *y = heed_crf(g.cx, x, trans, edges, tensor(&g, "tags"), tensor(&g, "lengths"));
    assert_non_null(y);
    near("out", y->data, tensor(&g, "out"));
    assert_int_equal(heed_backward_from(g.cx, y, HEED_F32_DATA(tensor(&g, "dy"))), 0);
    near("d.x", x->grad, tensor(&g, "d.x"));
    near("d.transitions", trans->grad, tensor(&g, "d.transitions"));
    near("d.edges", edges->grad, tensor(&g, "d.edges"));
    close_golden(&g);
}

static void decoding_finds_what_brute_force_finds(void **state) {
    (void)state;
    golden g = open_golden();
    const heed_tensor *x = tensor(&g, "x"), *tags = tensor(&g, "tags");
    const heed_tensor *lengths = tensor(&g, "lengths"), *best = tensor(&g, "best");
    const heed_tensor *marginals = tensor(&g, "marginals"), *part = tensor(&g, "part");
    const int64_t T = x->shape[1], K = x->shape[2];
    heed_lattice l;
    assert_int_equal(heed__lattice_init(&l, g.cx, K, tensor(&g, "transitions")->data,
                                        tensor(&g, "edges")->data, false),
                     0);
    for (int64_t b = 0; b < x->shape[0]; b++) {
        const float *row = HEED_F32_DATA(x) + b * T * K;
        const int32_t *y = HEED_I32_DATA(tags) + b * T, n = HEED_I32_DATA(lengths)[b];
        int32_t got[16];
        assert_int_equal(heed__lattice_best(&l, row, n, got), 0);
        assert_memory_equal(got, HEED_I32_DATA(best) + b * T, (size_t)n * sizeof *got);
        assert_int_equal(heed__lattice_sum(&l, row, n), 0);
        for (int64_t t = 0; t < n; t++)
            for (int32_t k = 0; k < K; k++)
                assert_true(fabsf(heed__lattice_marginal(&l, t, k) -
                                  HEED_F32_DATA(marginals)[(b * T + t) * K + k]) < 2e-6F);
        const float p = HEED_F32_DATA(part)[b];
        if (n >= 3) assert_true(fabsf(heed__lattice_part(&l, row, y, 1, 3) - p) < 2e-6F);
    }
    heed__lattice_free(&l);
    close_golden(&g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scores_are_seqevals),
        cmocka_unit_test(crf_has_pytorchs_loss_and_gradients),
        cmocka_unit_test(decoding_finds_what_brute_force_finds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
