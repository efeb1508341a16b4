/* test_embedder.c: pairs of texts learnt, their vectors, and how ranks are measured. */
#include "cmocka_all.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tasks/embedder.h"

enum { PAIRS = 48 };
static char words[PAIRS][2][64];
static const char *text[PAIRS], *text2[PAIRS];
static const heed_examples pairs = { .len = PAIRS, .text = text, .text2 = text2 };
static const heed_embedder_cfg small = { .recipe = "classic",
                                         .embed = 16,
                                         .hidden = 16,
                                         .heads = 2,
                                         .epochs = 12,
                                         .batch = 16,
                                         .lr = 0.01,
                                         .dropout = -1,
                                         .valid_part = -1,
                                         .seed = 1,
                                         .threads = 1 };

static const heed_embedder_cfg matching = { .recipe = "match",
                                            .embed = 16,
                                            .dropout = 0.2,
                                            .buckets = 512,
                                            .epochs = 12,
                                            .batch = 16,
                                            .lr = 0.01,
                                            .valid_part = -1,
                                            .seed = 1,
                                            .threads = 1 };
static const heed_embedder_cfg *const recipes[] = { &small, &matching };

static int make_pairs(void **state) {
    (void)state;
    static const char *const thing[] = { "cat", "tree", "house", "river" };
    static const char *const of[] = { "animal purrs", "plant grows", "building stands",
                                      "water flows" };
    static const char *const colour[] = { "red", "green", "blue" };
    static const char *const shade[] = { "crimson", "emerald", "azure" };
    for (int i = 0; i < PAIRS; i++) {
        snprintf(words[i][0], 64, "%s %s number %d", colour[i % 3], thing[i / 3 % 4], i / 12);
        snprintf(words[i][1], 64, "the %s is %s", of[i / 3 % 4], shade[i % 3]);
        text[i] = words[i][0];
        text2[i] = words[i][1];
    }
    return 0;
}

static void equal_texts_have_one_number(void **state) {
    (void)state;
    const char *t[] = { "b", "a", "b", "c", "a", "b" };
    static const int32_t id[] = { 0, 1, 0, 2, 1, 0 };
    heed_distinct d;
    assert_int_equal(heed__distinct(&d, t, 6, NULL), 0);
    assert_int_equal(d.len, 3);
    assert_memory_equal(d.id, id, sizeof id);
    assert_int_equal(d.first[0], 0);
    assert_int_equal(d.first[1], 1);
    assert_int_equal(d.first[2], 3);
    heed__distinct_free(&d, NULL);
    assert_int_equal(heed__distinct(&d, text2, PAIRS, NULL), 0);
    assert_int_equal(d.len, 12);
    for (int i = 0; i < PAIRS; i++) assert_string_equal(text2[d.first[d.id[i]]], text2[i]);
    heed__distinct_free(&d, NULL);
}

static void measures_of_ranks(void **state) {
    (void)state;
    const int64_t rank[] = { 1, 2, 11, 4 };
    heed_retrieval r = { 0 };
    heed__retrieval(&r, rank, 4);
    assert_int_equal(heed__retrieval_interval(&r, rank, NULL), 0);
    assert_true(fabs(r.mrr - (1 + 0.5 + 1.0 / 11 + 0.25) / 4) < 1e-15);
    assert_true(r.recall_1 == 0.25 && r.recall_10 == 0.75);
    assert_true(r.mrr_95.low < r.mrr && r.mrr < r.mrr_95.high);
    assert_true(r.recall_1_95.low < 0.25 && r.recall_1_95.high > 0.25);
}

static heed_embedder *trained(const heed_embedder_cfg *cfg) {
    heed_error err = { 0 };
    heed_embedder *e = heed_embedder_train(&pairs, cfg, &err);
    if (!e) fail_msg("%s", err.msg);
    return e;
}

static void pairs_are_learnt(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof recipes / sizeof *recipes; i++) {
        heed_error err = { 0 };
        heed_retrieval r;
        heed_embedder_cfg none = *recipes[i];
        none.epochs = 1;
        none.lr = 1e-9;
        heed_embedder *e = trained(&none);
        assert_int_equal(heed_embedder_test(e, &pairs, &r, &err), 0);
        const double before = r.mrr;
        heed_embedder_close(e);
        e = trained(recipes[i]);
        assert_int_equal(heed_embedder_test(e, &pairs, &r, &err), 0);
        assert_int_equal(r.n, PAIRS);
        assert_int_equal(r.candidates, 12);
        assert_int_equal(r.queries, 0);
        if (!(r.mrr > 0.95 && before < 0.6)) fail_msg("mrr %g, untrained %g", r.mrr, before);
        heed_embedder_close(e);
    }
}

/* What was never seen in training, a name or a number, finds itself again. */
static void words_never_seen_match(void **state) {
    (void)state;
    heed_embedder_cfg cfg = matching;
    cfg.embed = 64;
    cfg.buckets = 8192;
    heed_embedder *e = trained(&cfg);
    const char *q[] = { "where is parcel 4711", "where is parcel 90210", "cancel for Zebedee" };
    const char *a[] = { "your number 4711 is on its way", "your number 90210 is on its way",
                        "Zebedee will not get it" };
    const heed_examples x = { .len = 3, .text = q, .text2 = a };
    heed_retrieval r;
    heed_error err;
    assert_int_equal(heed_embedder_test(e, &x, &r, &err), 0);
    assert_true(r.recall_1 == 1);
    heed_embedder_close(e);
}

static void check_vectors(const heed_embedder_cfg *cfg) {
    heed_error err = { 0 };
    heed_embedder *e = trained(cfg);
    const int64_t C = heed_embedder_dim(e);
    float *all = malloc((size_t)(PAIRS * C) * sizeof *all), *one = malloc((size_t)C * sizeof *one);
    assert_int_equal(heed_embedder_apply(e, PAIRS, text, all, &err), 0);
    for (int i = 0; i < PAIRS; i++) {
        double length = 0;
        assert_int_equal(heed_embedder_apply(e, 1, &text[i], one, &err), 0);
        assert_memory_equal(one, all + i * C, (size_t)C * sizeof *one);
        for (int64_t k = 0; k < C; k++) length += (double)one[k] * (double)one[k];
        assert_true(fabs(length - 1) < 1e-6);
    }
    const char *empty = "";
    assert_int_equal(heed_embedder_apply(e, 1, &empty, one, &err), 0);
    free(all);
    free(one);
    heed_embedder_close(e);
}

static void vectors_are_of_one_text(void **state) {
    (void)state;
    for (size_t k = 0; k < sizeof recipes / sizeof *recipes; k++) check_vectors(recipes[k]);
}

/* A text of twice the words that are read at once: the mean of its two windows. */
static void long_texts_are_read_whole(void **state) {
    (void)state;
    heed_error err = { 0 };
    heed_embedder_cfg cfg = small;
    cfg.max_len = 4;
    heed_embedder *e = trained(&cfg);
    const int64_t C = heed_embedder_dim(e);
    const char *t[] = { "red cat number blue tree house river green", "red cat number blue",
                        "tree house river green" };
    float *v = malloc((size_t)(3 * C) * sizeof *v);
    heed_rows rows;
    assert_int_equal(heed__body_encode(e->c->body, &(heed_texts){ .len = 3, .text = t },
                                       &(heed_rows_cfg){ .max_len = 0 }, &rows, &err),
                     0);
    assert_int_equal(heed__classifier_vectors(e->c, &rows, v, &err), 0);
    for (int64_t k = 0; k < C; k++) assert_true(v[k] == (v[C + k] + v[2 * C + k]) / 2);
    heed__rows_free(&rows);
    free(v);
    heed_embedder_close(e);
}

static void check_folder(const heed_embedder_cfg *own) {
    char dir[] = "/tmp/heed-embedder-XXXXXX", path[64], command[64];
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/m", dir);
    heed_error err = { 0 };
    heed_embedder_cfg cfg = *own;
    cfg.threads = 2;
    heed_embedder *e = trained(own), *two = trained(&cfg);
    const size_t size = (size_t)(PAIRS * heed_embedder_dim(e)) * sizeof(float);
    float *a = malloc(size), *b = malloc(size);
    assert_int_equal(heed_embedder_apply(e, PAIRS, text, a, &err), 0);
    assert_int_equal(heed_embedder_apply(two, PAIRS, text, b, &err), 0);
    assert_memory_equal(a, b, size); /* for any number of threads */
    heed_embedder_close(two);
    if (heed_embedder_save(e, path, &err)) fail_msg("%s", err.msg);
    heed_embedder_close(e);
    e = heed_embedder_open(path, &(heed_open_cfg){ .threads = 1 }, &err);
    if (!e) fail_msg("%s", err.msg);
    assert_int_equal(heed_embedder_apply(e, PAIRS, text, b, &err), 0);
    assert_memory_equal(a, b, size);
    heed_embedder_close(e);
    assert_null(heed_classifier_open(path, NULL, &err)); /* a model of another task */
    assert_int_equal(err.code, HEED_EUNSUPPORTED);
    free(a);
    free(b);
    snprintf(command, sizeof command, "rm -r %s", dir);
    assert_int_equal(system(command), 0);
}

static void the_folder_gives_the_same_vectors(void **state) {
    (void)state;
    for (size_t k = 0; k < sizeof recipes / sizeof *recipes; k++) check_folder(recipes[k]);
}

/* WikiQA's way: the answers of each question among themselves. */
static void verdicts_are_ranked_within_queries(void **state) {
    (void)state;
    heed_error err = { 0 };
    heed_embedder *e = trained(&small);
    const char *q[] = { "red cat number 1", "red cat number 1", "green tree number 2",
                        "blue house number 0" };
    const char *a[] = { "the plant grows is azure", "the animal purrs is crimson",
                        "the plant grows is emerald", "the water flows is crimson" };
    const char *verdict[] = { "0", "1", "1", "0" };
    heed_retrieval r;
    const heed_examples x = { .len = 4, .text = q, .text2 = a, .label = verdict };
    assert_int_equal(heed_embedder_test(e, &x, &r, &err), 0);
    assert_int_equal(r.n, 2);
    assert_int_equal(r.candidates, 4);
    assert_int_equal(r.queries, 2);
    assert_true(r.map == 1 && r.query_mrr == 1);
    const char *turned[] = { "1", "0", "1", "0" };
    const heed_examples y = { .len = 4, .text = q, .text2 = a, .label = turned };
    assert_int_equal(heed_embedder_test(e, &y, &r, &err), 0);
    assert_true(r.map == 0.75 && r.query_mrr == 0.75);
    const char *all[] = { "1", "1", "1", "1" }; /* nothing could come before the right ones */
    const heed_examples z = { .len = 4, .text = q, .text2 = a, .label = all };
    assert_int_equal(heed_embedder_test(e, &z, &r, &err), 0);
    assert_int_equal(r.queries, 0);
    heed_embedder_close(e);
}

/* The pairs that are learnt from may be the ones that judge, too. */
static void pairs_may_judge_themselves(void **state) {
    (void)state;
    heed_embedder_cfg cfg = small;
    cfg.valid = &pairs;
    cfg.epochs = 1;
    heed_embedder_close(trained(&cfg));
}

static void what_cannot_be_is_refused(void **state) {
    (void)state;
    heed_error err;
    heed_embedder_cfg cfg = small;
    const heed_examples single = { .len = PAIRS, .text = text };
    assert_null(heed_embedder_train(&single, &cfg, &err));
    assert_string_equal(err.msg, "train: at least two pairs of texts are needed");
    cfg.temperature = -1;
    assert_null(heed_embedder_train(&pairs, &cfg, &err));
    assert_int_equal(err.code, HEED_EINVALID);
    assert_string_equal(err.msg, "train: temperature is -1, not 1e-06 to 1000000");
    cfg = small;
    cfg.recipe = "magic";
    assert_null(heed_embedder_train(&pairs, &cfg, &err));
    assert_string_equal(err.msg, "train: there is no recipe 'magic'");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_texts_have_one_number),
        cmocka_unit_test(measures_of_ranks),
        cmocka_unit_test(pairs_are_learnt),
        cmocka_unit_test(words_never_seen_match),
        cmocka_unit_test(vectors_are_of_one_text),
        cmocka_unit_test(long_texts_are_read_whole),
        cmocka_unit_test(the_folder_gives_the_same_vectors),
        cmocka_unit_test(verdicts_are_ranked_within_queries),
        cmocka_unit_test(pairs_may_judge_themselves),
        cmocka_unit_test(what_cannot_be_is_refused),
    };
    return cmocka_run_group_tests(tests, make_pairs, NULL);
}
