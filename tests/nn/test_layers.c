/* test_layers.c: what layers promise beyond PyTorch's numbers: states handed over, shared layers,
 * pooling of empty rows, names, and sizes refused in one sentence. */
#include <math.h>
#include <string.h>

#include "fixture.h"

/* A sequence in two halves, the state handed over, has the bits of the whole. */
static void rnn_halves(heed_rnn_kind kind) {
    fixture f = open_fixture();
    heed_rnn r;
    heed_rnn_init(&r, f.ps, "rnn",
                  &(heed_rnn_cfg){ .kind = kind, .in = 5, .hidden = 17, .layers = 2 });
    heed_tensor *x = noise(f.cx, 3, (int64_t[]){ 3, 10, 5 });
    heed_tensor *all = heed_rnn_apply(f.cx, &r, x, NULL, NULL);
    heed_rnn_state state = { 0 };
    heed_tensor *a = heed_rnn_apply(f.cx, &r, heed_slice(f.cx, x, 1, 0, 4), NULL, &state);
    heed_tensor *b = heed_rnn_apply(f.cx, &r, heed_slice(f.cx, x, 1, 4, 10), NULL, &state);
    heed_tensor *both = heed_concat(f.cx, (heed_tensor *[]){ a, b }, 2, 1);
    assert_non_null(both);
    assert_memory_equal(both->data, all->data, (size_t)all->len * 4);
    close_fixture(&f);
}

static void test_rnn_state(void **state) {
    (void)state;
    rnn_halves(HEED_RNN_LSTM);
    rnn_halves(HEED_RNN_GRU);
}

/* Batch mates and padding change no bit of a row. */
static void test_rnn_padding(void **state) {
    (void)state;
    fixture f = open_fixture();
    heed_rnn r;
    heed_rnn_init(&r, f.ps, "rnn", &(heed_rnn_cfg){ .in = 5, .hidden = 9, .bidirectional = true });
    heed_tensor *x = noise(f.cx, 3, (int64_t[]){ 20, 7, 5 });
    int32_t len[20];
    for (int b = 0; b < 20; b++) len[b] = b * 5 % 8;
    heed_tensor *lengths = heed_from_i32(f.cx, 1, (int64_t[]){ 20 }, len);
    heed_tensor *y = heed_rnn_apply(f.cx, &r, x, lengths, NULL);
    for (int b = 0; b < 20; b++) {
        if (len[b] == 0) continue;
        heed_tensor *one = heed_from_f32(f.cx, 3, (int64_t[]){ 1, len[b], 5 },
                                         HEED_F32_DATA(x) + b * 35);
        heed_tensor *z = heed_rnn_apply(f.cx, &r, one, NULL, NULL);
        assert_memory_equal(z->data, HEED_F32_DATA(y) + b * 7 * 18, (size_t)z->len * 4);
    }
    close_fixture(&f);
}

static void test_pooling(void **state) {
    (void)state;
    fixture f = open_fixture();
    heed_pooling p;
    heed_pooling_init(&p, f.ps, "pool", HEED_POOLING_ATTENTION, 6);
    heed_tensor *x = noise(f.cx, 3, (int64_t[]){ 3, 4, 6 });
    heed_tensor *lengths = heed_from_i32(f.cx, 1, (int64_t[]){ 3 }, (int32_t[]){ 4, 0, 2 });
    heed_tensor *weights = NULL;
    heed_tensor *y = heed_pooling_apply(f.cx, &p, x, lengths, &weights);
    assert_non_null(y);
    const float *w = weights->data, *out = y->data;
    assert_true(fabsf(w[0] + w[1] + w[2] + w[3] - 1) < 1e-6f);
    assert_true(w[8] + w[9] > 0.999f && w[10] == 0 && w[11] == 0);
    for (int c = 0; c < 6; c++) {
        assert_true(out[6 + c] == 0);
        const float *row = HEED_F32_DATA(x) + 2 * 24 + c;
        assert_true(fabsf(out[12 + c] - (w[8] * row[0] + w[9] * row[6])) < 1e-5f);
    }
    close_fixture(&f);
}

static void test_shared_layers(void **state) {
    (void)state;
    fixture f = open_fixture();
    heed_encoder e;
    const heed_encoder_cfg cfg = { .layers = 6,
                                   .share_layers = true,
                                   .block = { .dim = 16, .self.heads = 4, .ff = 20 } };
    assert_int_equal(heed_encoder_init(&e, f.ps, "enc", &cfg), 0);
    assert_int_equal(heed_params_len(f.ps), 4 * (256 + 16) + 2 * 320 + 20 + 16 + 4 * 16);
    assert_non_null(heed_params_find(f.ps, "enc.layers.0.self.q.weight"));
    assert_null(heed_params_find(f.ps, "enc.layers.1.self.q.weight"));
    heed_tensor *y = heed_encoder_apply(f.cx, &e, noise(f.cx, 3, (int64_t[]){ 2, 3, 16 }), NULL);
    assert_non_null(y);
    close_fixture(&f);
}

static void test_positions(void **state) {
    (void)state;
    fixture f = open_fixture();
    heed_position p;
    heed_position_init(
        &p, f.ps, "pos",
        &(heed_position_cfg){ .kind = HEED_POSITION_LEARNED, .dim = 3, .max_len = 5 });
    heed_tensor *x = heed_zeros(f.cx, HEED_F32, 3, (int64_t[]){ 2, 2, 3 });
    heed_tensor *y = heed_position_apply(f.cx, &p, x, 3);
    assert_memory_equal(y->data, HEED_F32_DATA(p.w) + 9, 6 * 4);
    assert_memory_equal(HEED_F32_DATA(y) + 6, HEED_F32_DATA(p.w) + 9, 6 * 4);
    assert_null(heed_position_apply(f.cx, &p, x, 4));
    assert_string_equal(heed_ctx_error(f.cx)->msg, "positions: steps 4..5 exceed the table's 5");
    close_fixture(&f);
}

static void refuses(int (*init)(heed_params *ps), const char *message) {
    fixture f = open_fixture();
    assert_true(init(f.ps) < 0);
    assert_string_equal(heed_params_error(f.ps)->msg, message);
    close_fixture(&f);
}

static int odd_heads(heed_params *ps) {
    heed_mha m;
    return heed_mha_init(&m, ps, "a", &(heed_mha_cfg){ .dim = 10, .heads = 4 });
}
static int odd_groups(heed_params *ps) {
    heed_mha m;
    return heed_mha_init(&m, ps, "a", &(heed_mha_cfg){ .dim = 12, .heads = 4, .kv_heads = 3 });
}
static int gated_relu(heed_params *ps) {
    heed_ff ff;
    return heed_ff_init(
        &ff, ps, "f", &(heed_ff_cfg){ .dim = 4, .hidden = 8, .act = HEED_ACT_RELU, .gated = true });
}
static int deep_rnn(heed_params *ps) {
    heed_rnn r;
    return heed_rnn_init(
        &r, ps, "r", &(heed_rnn_cfg){ .in = 4, .hidden = 4, .layers = 9, .bidirectional = true });
}
static int unknown_rnn(heed_params *ps) {
    heed_rnn r;
    return heed_rnn_init(&r, ps, "r",
                         &(heed_rnn_cfg){ .kind = (heed_rnn_kind)2, .in = 4, .hidden = 4 });
}
static int unknown_pooling(heed_params *ps) {
    heed_pooling p;
    return heed_pooling_init(&p, ps, "p", (heed_pooling_kind)4, 8);
}
static int unknown_position(heed_params *ps) {
    heed_position p;
    return heed_position_init(&p, ps, "q",
                              &(heed_position_cfg){ .kind = (heed_position_kind)7, .dim = 8 });
}
static int short_positions(heed_params *ps) {
    heed_position p;
    return heed_position_init(
        &p, ps, "q",
        &(heed_position_cfg){ .kind = HEED_POSITION_LEARNED, .dim = 8, .max_len = -3 });
}
static int unknown_act(heed_params *ps) {
    heed_ff f;
    return heed_ff_init(&f, ps, "f", &(heed_ff_cfg){ .dim = 8, .hidden = 8, .act = (heed_act)5 });
}
static int negative_eps(heed_params *ps) {
    heed_norm n;
    return heed_norm_init(&n, ps, "n", &(heed_norm_cfg){ .dim = 8, .eps = -1 });
}
static int nan_eps(heed_params *ps) {
    heed_norm n;
    return heed_norm_init(&n, ps, "n", &(heed_norm_cfg){ .dim = 8, .eps = NAN });
}
static int no_classes(heed_params *ps) {
    heed_classic m;
    return heed_classic_init(&m, ps, &(heed_model_cfg){ .vocab = 10 });
}
static int many_layers(heed_params *ps) {
    heed_encoder_classifier m;
    return heed_encoder_classifier_init(&m, ps, &(heed_model_cfg){ .vocab = 10, .layers = 100000 });
}
static int negative_heads(heed_params *ps) {
    heed_lm m;
    return heed_lm_init(&m, ps, &(heed_model_cfg){ .vocab = 10, .heads = -4 });
}

static void test_refusals(void **state) {
    (void)state;
    refuses(many_layers, "a model's layers is 100000, not 0 to 9999");
    refuses(negative_heads, "a model's heads is -4, not 0 to 2147483647");
    refuses(odd_heads, "a: d_model 10 does not divide into 4 heads");
    refuses(odd_groups, "a: 4 heads are no multiple of 3 key heads");
    refuses(gated_relu, "f: a gated feed-forward exists with SiLU only");
    refuses(deep_rnn, "r: 9 layers in 2 directions exceed 16");
    refuses(unknown_rnn, "r: there is no kind 2 of recurrent layer");
    refuses(unknown_pooling, "p: there is no kind 4 of pooling");
    refuses(unknown_position, "q: there is no kind 7 of positions");
    refuses(short_positions, "q: max_len -3, base 0 or deviation 0 is negative or no number");
    refuses(unknown_act, "f: there is no activation 5");
    refuses(negative_eps, "n: eps = -1 is negative or no number");
    refuses(nan_eps, "n: eps = nan is negative or no number");
    refuses(no_classes, "head: a linear layer from 64 to 0 is none");
}

static void add_part(void *arg, const char *part, int64_t len) {
    int64_t *sum = arg;
    if (strcmp(part, "embed") == 0) assert_int_equal(len, 640);
    *sum += len;
}

static void test_parts(void **state) {
    (void)state;
    fixture f = open_fixture();
    heed_classic m;
    heed_classic_init(&m, f.ps, &(heed_model_cfg){ .vocab = 10, .classes = 3 });
    int64_t sum = 0;
    assert_int_equal(heed_params_parts(f.ps, add_part, &sum), heed_params_len(f.ps));
    assert_int_equal(sum, heed_params_len(f.ps));
    close_fixture(&f);
}

static void is_refused(fixture *f, int status) {
    assert_int_equal(status, HEED_EINVALID);
    assert_non_null(heed_params_error(f->ps));
    close_fixture(f);
    *f = open_fixture();
}

/* Widths whose multiples overflow are refused before they are multiplied. */
static void test_absurd_sizes(void **state) {
    (void)state;
    static const int64_t absurd[] = { INT64_MAX, INT64_C(1) << 62, INT64_C(1) << 33, -1 };
    fixture f = open_fixture();
    for (int i = 0; i < 4; i++) {
        const int64_t n = absurd[i];
        heed_rnn rnn;
        heed_mha mha;
        heed_block block;
        heed_conv conv;
        heed_classic classic;
        heed_lm lm;
        is_refused(&f, heed_rnn_init(&rnn, f.ps, "x", &(heed_rnn_cfg){ .in = 3, .hidden = n }));
        is_refused(&f, heed_rnn_init(&rnn, f.ps, "x", &(heed_rnn_cfg){ .in = n, .hidden = 3 }));
        is_refused(&f, heed_mha_init(&mha, f.ps, "x", &(heed_mha_cfg){ .dim = n, .heads = 3 }));
        is_refused(
            &f, heed_mha_init(&mha, f.ps, "x",
                              &(heed_mha_cfg){ .dim = 3, .heads = 3, .key = n, .square = true }));
        is_refused(&f,
                   heed_block_init(&block, f.ps, "x",
                                   &(heed_block_cfg){ .dim = n, .self.heads = 1 }));
        is_refused(&f, heed_conv_init(&conv, f.ps, "x",
                                      &(heed_conv_layer_cfg){
                                          .dims = 1, .in = n, .out = 3, .kernel = { 1, 3 } }));
        heed_model_cfg c = { .vocab = 3, .classes = 2, .hidden = n };
        is_refused(&f, heed_classic_init(&classic, f.ps, &c));
        c = (heed_model_cfg){ .vocab = 3, .dim = n };
        is_refused(&f, heed_lm_init(&lm, f.ps, &c));
        c = (heed_model_cfg){ .vocab = 3, .dim = 8, .heads = (INT64_C(1) << 32) + 2 };
        is_refused(&f, heed_lm_init(&lm, f.ps, &c));
    }
    close_fixture(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rnn_state), cmocka_unit_test(test_rnn_padding),
        cmocka_unit_test(test_pooling),   cmocka_unit_test(test_shared_layers),
        cmocka_unit_test(test_positions), cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_parts),     cmocka_unit_test(test_absurd_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
