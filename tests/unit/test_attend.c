/* test_attend.c: hashed features, their numbers, large margins, and the recipe on top of them. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "heed/tasks.h"
#include "tasks/body_attend.h"
#include "tasks/classifier.h"
#include "text/feature_index.h"
#include "train/margin.h"

/* -- features --------------------------------------------------------------------------------- */

static int64_t count(const heed_feature_cfg *cfg, const char *text, heed_text_feature kind) {
    heed_features f = { .key = NULL };
    int64_t n = 0;
    assert_int_equal(heed__features_add(&f, cfg, text, strlen(text)), 0);
    for (int64_t k = 0; k < f.bag[f.units]; k++) n += heed__feature_kind_of(f.key[k]) == kind;
    heed__features_free(&f);
    return n;
}

static void features_are_counted(void **state) {
    (void)state;
    const heed_feature_cfg plain = { .run = 2, .ideograms = 3 };
    const heed_feature_cfg all = { .run = 2, .ideograms = 3, .gaps = true, .least = 2, .most = 3 };
    assert_int_equal(count(&plain, "a b c", HEED_FEATURE_WORD), 3);
    assert_int_equal(count(&plain, "a b c", HEED_FEATURE_PIECE), 0);
    /* (edge a), (a b), (edge a b), (b c) */
    assert_int_equal(count(&plain, "a b c", HEED_FEATURE_RUN), 4);
    assert_int_equal(count(&all, "a b c", HEED_FEATURE_RUN), 5); /* and (a _ c) */
    /* of "<ab>": <a ab b> <ab ab> */
    assert_int_equal(count(&all, "ab", HEED_FEATURE_PIECE), 5);
    assert_int_equal(count(&all, "\xc3\xa9\xc3\xa9", HEED_FEATURE_PIECE), 5); /* characters */
    assert_int_equal(count(&all, "我的", HEED_FEATURE_PIECE), 0);
    /* (edge 我), (我 的), (edge 我 的): runs of up to three */
    assert_int_equal(count(&plain, "我的", HEED_FEATURE_RUN), 3);
}

/* What is remembered of words gives the keys that hashing them anew gives. */
static void words_are_remembered(void **state) {
    (void)state;
    static const char *const text[] = { "the card of the account", "the 卡 card", "", "Card the" };
    const heed_feature_cfg cfg = { .run = 2, .ideograms = 3, .gaps = true, .least = 2, .most = 4 };
    heed_features plain = { .key = NULL }, f = { .remember = true };
    for (int i = 0; i < 4; i++) {
        assert_int_equal(heed__features_add(&plain, &cfg, text[i], strlen(text[i])), 0);
        assert_int_equal(heed__features_add(&f, &cfg, text[i], strlen(text[i])), 0);
    }
    assert_int_equal(f.units, plain.units);
    assert_int_equal(f.known.len, 5); /* the card of account 卡 */
    for (int64_t u = 0; u < f.units; u++) {
        const int64_t w = f.word[u], own = f.known.start[w + 1] - f.known.start[w];
        const int64_t runs = f.bag[u + 1] - f.bag[u];
        assert_int_equal(own + runs, plain.bag[u + 1] - plain.bag[u]);
        assert_memory_equal(f.known.key + f.known.start[w], plain.key + plain.bag[u],
                            (size_t)own * sizeof *f.key);
        if (runs)
            assert_memory_equal(f.key + f.bag[u], plain.key + plain.bag[u] + own,
                                (size_t)runs * sizeof *f.key);
    }
    heed__features_free(&plain);
    heed__features_free(&f);
}

static void a_key_follows_from_the_words_alone(void **state) {
    (void)state;
    const heed_feature_cfg cfg = { .run = 2, .ideograms = 2 };
    heed_features f = { .key = NULL };
    assert_int_equal(heed__features_add(&f, &cfg, "the card", 8), 0);
    assert_int_equal(heed__features_add(&f, &cfg, "a  THE\tCard", 11), 0);
    assert_int_equal(f.units, 5);
    assert_int_equal(f.key[f.bag[0]], f.key[f.bag[3]]);
    assert_int_equal(f.key[f.bag[1]], f.key[f.bag[4]]);
    assert_int_equal(f.key[f.bag[1] + 1], f.key[f.bag[4] + 1]); /* (the card) */
    assert_int_equal(f.begin[4], 7);
    assert_int_equal(f.end[4], 11);
    heed__features_free(&f);
}

static void what_is_rare_has_no_number(void **state) {
    (void)state;
    static const char *const text[] = { "red card", "red red wine", "blue card", "" };
    const heed_index_cfg cfg = { .features = { .run = 1, .ideograms = 1 }, .least = 2, .most = 9 };
    heed_feature_index x;
    assert_int_equal(heed__index_learn(&x, &cfg, text, 4, NULL), 0);
    assert_int_equal(x.len, 2); /* red, card: each in two texts */
    assert_true(x.key[0] < x.key[1]);
    assert_int_equal(heed__index_find(&x, x.key[1]), 1);
    assert_int_equal(heed__index_find(&x, x.key[1] + 1), -1);
    assert_true(fabsf(x.idf[0] - 1.6931472f) < 1e-6f); /* ln(4/2) + 1 */
    heed__index_free(&x);
    const heed_index_cfg few = { .features = cfg.features, .least = 1, .most = 2 };
    assert_int_equal(heed__index_learn(&x, &few, text, 4, NULL), 0);
    assert_int_equal(x.len, 2); /* wine and blue are in one text only */
    heed__index_free(&x);
    uint32_t *key = heed__calloc(NULL, 2, sizeof *key); /* twice 0: not rising */
    assert_int_equal(heed__index_from(&x, key, heed__calloc(NULL, 2, sizeof(float)), 2, NULL),
                     HEED_EINVALID);
}

/* -- margins ---------------------------------------------------------------------------------- */

enum { N = 60, V = 7 };

/* The primal at w, b of column c. */
static double primal(const heed_margin *m, const heed_sparse_rows *x, const int32_t *label,
                     int64_t c, double shift, int64_t at) {
    double sum = 0, norm = 0;
    for (int64_t r = 0; r <= m->rows; r++) {
        double w = (double)(r < m->rows ? m->weight[r * m->cols + c] : m->bias[c]);
        if (r == at) w += shift;
        norm += w * w;
    }
    for (int64_t i = 0; i < x->len; i++) {
        double z = (double)m->bias[c] + (at == m->rows ? shift : 0);
        for (int64_t k = x->start[i]; k < x->start[i + 1]; k++)
            z += (double)x->value[k] *
                 ((double)m->weight[x->id[k] * m->cols + c] + (x->id[k] == at ? shift : 0));
        const double loss = 1 - (label[i] == c ? z : -z);
        if (loss > 0) sum += loss * loss;
    }
    return norm / 2 + sum;
}

static void margins_are_the_least_of_their_sum(void **state) {
    (void)state;
    int64_t start[N + 1];
    int32_t id[2 * N], label[N];
    float value[2 * N];
    heed_rng rng = { .seed = 3 };
    for (int i = 0; i < N; i++) {
        start[i] = 2 * i;
        id[2 * i] = (int32_t)heed_rng_below(&rng, V - 1);
        id[2 * i + 1] = V - 1;
        value[2 * i] = 0.5f + heed_rng_uniform(&rng);
        value[2 * i + 1] = heed_rng_normal(&rng);
        label[i] = (id[2 * i] + (value[2 * i + 1] > 0)) % 3;
    }
    start[N] = 2 * N;
    const heed_sparse_rows x = { .len = N, .start = start, .id = id, .value = value };
    heed_error err;
    heed_ctx *cx = heed_ctx_new(&(heed_ctx_cfg){ .threads = 1 }, &err);
    heed_margin m = { .rows = V, .cols = 3 };
    assert_int_equal(heed__margin_fit(cx, &m, &x, label, NULL,
                                      &(heed_margin_cfg){ .passes = 3000, .gap = 1e-7 }),
                     0);
    for (int64_t c = 0; c < 3; c++)
        for (int64_t at = 0; at <= V; at++)
            for (double shift = -0.01; shift < 0.02; shift += 0.02)
                assert_true(primal(&m, &x, label, c, shift, at) > primal(&m, &x, label, c, 0, 0));
    float scale[V], out[3], rounded[3];
    int8_t number[V * 3 + 15] = { 0 };
    const heed_margin_row one = { id, value, 2 };
    heed__margin_apply(cx, &m, &one, out);
    heed__margin_round(&m, scale, number);
    for (int k = 0; k < 2; k++) value[k] *= scale[id[k]];
    heed__margin_apply_rounded(cx, &m, number, &one, rounded);
    for (int c = 0; c < 3; c++) assert_true(fabsf(out[c] - rounded[c]) < 0.05f);
    heed__margin_round(&(heed_margin){ .rows = 1, .cols = 2, .weight = (float[]){ 0x1p-149f, 0 } },
                       scale, number); /* a 127th of it is 0 */
    assert_true(scale[0] == 0 && number[0] == 0 && number[1] == 0);
    heed__margin_free(&m);
    heed_ctx_free(cx);
}

/* -- the recipe ------------------------------------------------------------------------------- */

static heed_classifier *trained(const char *isa, int threads) {
    static const char *const text[] = { "the card never came",    "where is my card",
                                        "my card is lost",        "card has not come",
                                        "send me money please",   "how do I send money abroad",
                                        "money was sent twice",   "please send the money",
                                        "close my account now",   "I want to close account",
                                        "account must be closed", "delete this account" };
    static const char *const label[] = { "card",    "card",    "card",    "card",
                                         "money",   "money",   "money",   "money",
                                         "account", "account", "account", "account" };
    const heed_examples data = { .len = 12, .text = text, .label = label };
    heed_error err = { 0 };
    heed_classifier *c = heed_classifier_train(
        &data,
        &(heed_classify_cfg){
            .recipe = "attend", .embed = 8, .seed = 5, .isa = isa, .threads = threads },
        &err);
    if (!c) fail_msg("%s", err.msg);
    return c;
}

static void it_learns_and_answers(void **state) {
    (void)state;
    heed_classifier *c = trained(NULL, 1);
    heed_label top[1];
    heed_error err;
    heed_attended word[8];
    heed_explanation x = { .top = top, .top_cap = 1, .word = word, .word_cap = 8 };
    assert_int_equal(heed_classify(c, "a lost card", top, 1, &err), 1);
    assert_string_equal(top[0].name, "card");
    assert_int_equal(heed_classify(c, "", top, 1, &err), 1); /* no word at all */
    assert_int_equal(heed_classify_explain(c, "the account, zzz", &x, &err), 0);
    assert_string_equal(top[0].name, "account");
    assert_int_equal(x.word_len, 4);
    assert_int_equal(x.known, 2); /* neither the comma nor zzz */
    float sum = 0;
    for (int i = 0; i < 4; i++) sum += word[i].weight;
    assert_true(fabsf(sum - 1) < 1e-5f);
    heed_classifier_close(c);
}

static void many_are_answered_as_one(void **state) {
    (void)state;
    static const char *const some[] = {
        "a lost card", "",       "please send the money, money", "zzz", "lost, lost: the card",
        "the 卡 card", "account"
    };
    enum { TEXTS = 300, SOME = 7 }; /* several batches, and words that many of them have */
    const char *text[TEXTS];
    for (int i = 0; i < TEXTS; i++) text[i] = some[i * i % SOME];
    heed_classifier *c = trained(NULL, 1);
    heed_label top[TEXTS][3], alone[3];
    heed_attended word[8];
    heed_explanation many[TEXTS] = { 0 };
    heed_error err;
    for (int i = 0; i < TEXTS; i++) many[i] = (heed_explanation){ .top = top[i], .top_cap = 3 };
    assert_int_equal(heed_classify_explain_many(c, TEXTS, text, many, &err), 0);
    for (int i = 0; i < TEXTS; i++) {
        heed_explanation x = { .top = alone, .top_cap = 3, .word = word, .word_cap = 8 };
        assert_int_equal(heed_classify_explain(c, text[i], &x, &err), 0);
        for (int k = 0; k < 3; k++) {
            assert_ptr_equal(alone[k].name, top[i][k].name);
            assert_memory_equal(&alone[k].score, &top[i][k].score, sizeof(float));
        }
        assert_int_equal(x.total, many[i].total);
        assert_int_equal(x.seen, many[i].seen);
        assert_int_equal(x.known, many[i].known);
        assert_int_equal(x.set_len, many[i].set_len);
    }
    many[1].word = word;
    many[1].word_cap = 8;
    assert_int_equal(heed_classify_explain_many(c, TEXTS, text, many, &err), HEED_EINVALID);
    many[1].word_cap = 0;
    many[2].coverage = 0.9;
    assert_int_equal(heed_classify_explain_many(c, TEXTS, text, many, &err), HEED_EUNSUPPORTED);
    heed_classifier_close(c);
}

static void a_folder_answers_as_it_did(void **state) {
    (void)state;
    static const char *const text[] = { "lost money", "close it", "卡 丢了",
                                        "the card of my account" };
    char dir[] = "/tmp/heed-attend-XXXXXX", model[64], command[128];
    heed_error err = { 0 };
    float before[12], after[12], scalar[12];
    assert_non_null(mkdtemp(dir));
    snprintf(model, sizeof model, "%s/m", dir);
    heed_classifier *c = trained(NULL, 2);
    assert_int_equal(heed_classify_many(c, 4, text, before, &err), 0);
    assert_int_equal(heed_classifier_save(c, model, &err), 0);
    heed_classifier_close(c);
    c = heed_classifier_open(model, NULL, &err);
    if (!c) fail_msg("%s", err.msg);
    assert_int_equal(heed_classify_many(c, 4, text, after, &err), 0);
    assert_memory_equal(before, after, sizeof before);
    heed_classifier_close(c);
    c = trained("scalar", 1);
    assert_int_equal(heed_classify_many(c, 4, text, scalar, &err), 0);
    assert_memory_equal(before, scalar, sizeof before);
    heed_classifier_close(c);
    snprintf(command, sizeof command, "rm -r %s", dir);
    assert_int_equal(system(command), 0);
}

/* An opened model keeps rows of words and runs: few of them, many, or none give the same bits. */
static void what_is_kept_changes_no_answer(void **state) {
    (void)state;
    static const char *const text[] = { "",
                                        "where is my lost card",
                                        "lost lost lost account",
                                        "the 卡 of my account",
                                        "zzz qqq",
                                        "send the money please",
                                        "my card, my money: my card my money",
                                        "I want this",
                                        "I want to close my card" };
    enum { TEXTS = 9, K = 3, ROUNDS = 5 };
    char dir[] = "/tmp/heed-attend-XXXXXX", model[64], command[128];
    heed_error err = { 0 };
    float plain[TEXTS * K], kept[TEXTS * K];
    assert_non_null(mkdtemp(dir));
    snprintf(model, sizeof model, "%s/m", dir);
    heed_classifier *c = trained(NULL, 1);
    assert_int_equal(heed_classify_many(c, TEXTS, text, plain, &err), 0);
    assert_null(c->memo); /* its parameters could change */
    assert_int_equal(heed_classifier_save(c, model, &err), 0);
    heed_classifier_close(c);
    for (int few = 0; few < 2; few++) {
        c = heed_classifier_open(model, NULL, &err);
        if (!c) fail_msg("%s", err.msg);
        heed_attend_memo *m = (heed_attend_memo *)c->memo;
        assert_non_null(m);
        if (few) m->in.f.most = 3, m->most_runs = 1;
        int64_t missed = 0;
        bool forgets = false;
        for (int round = 0; round < ROUNDS; round++) {
            assert_int_equal(heed_classify_many(c, TEXTS, text, kept, &err), 0);
            assert_memory_equal(plain, kept, sizeof plain);
            for (int i = TEXTS; i-- > 0;) {
                assert_int_equal(heed_classify_many(c, 1, text + i, kept, &err), 0);
                assert_memory_equal(plain + i * K, kept, K * sizeof *kept);
                forgets = forgets || m->missed < missed;
                missed = m->missed;
            }
            assert_int_equal(m->base.readers, 0);
        }
        assert_true(few ? m->words <= 3 && m->runs <= 1 : m->words > 15 && m->runs > 1);
        assert_true(forgets == (few != 0)); /* where there is no room for all */
        heed_classifier_close(c);
    }
    snprintf(command, sizeof command, "rm -r %s", dir);
    assert_int_equal(system(command), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(features_are_counted),
        cmocka_unit_test(words_are_remembered),
        cmocka_unit_test(a_key_follows_from_the_words_alone),
        cmocka_unit_test(what_is_rare_has_no_number),
        cmocka_unit_test(margins_are_the_least_of_their_sum),
        cmocka_unit_test(it_learns_and_answers),
        cmocka_unit_test(many_are_answered_as_one),
        cmocka_unit_test(a_folder_answers_as_it_did),
        cmocka_unit_test(what_is_kept_changes_no_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
