/* test_shared_pool.c: contexts in several threads share one pool and read the same parameters, and
 * each trains to the very weights that it would have alone. */
#include "cmocka_all.h"

#include <pthread.h>
#include <string.h>

#include "heed/nn.h"
#include "heed/train.h"

enum { THREADS = 4, STEPS = 6, DIM = 32, OUT = 10, BATCH = 4, TIME = 33, LEN = BATCH * TIME * DIM };

typedef struct task {
    heed_pool *pool;
    const heed_linear *shared;
    float weights[OUT * DIM], seen[STEPS];
    int failures;
} task;

static void step(task *t, heed_ctx *cx, const heed_mha *attend, const heed_linear *answer, int i) {
    static const int64_t shape[] = { BATCH, TIME, DIM };
    float numbers[LEN];
    heed_rng rng = { .seed = 1, .stream = (uint64_t)i };
    for (int j = 0; j < LEN; j++) numbers[j] = heed_rng_normal(&rng);
    heed_tensor *x = heed_from_f32(cx, 3, shape, numbers);
    heed_tensor *h = heed_mha_apply(cx, attend, x, x, x, NULL);
    heed_tensor *s = heed_sum(cx, heed_linear_apply(cx, t->shared, x));
    t->failures += heed_backward(cx, heed_sum(cx, heed_linear_apply(cx, answer, h))) != 0;
    t->seen[i] = heed_item(s);
}

static void *train(void *arg) {
    task *t = arg;
    heed_error err;
    heed_ctx *cx = heed_ctx_new(&(heed_ctx_cfg){ .train = true, .seed = 7, .pool = t->pool }, &err);
    heed_params *ps = heed_params_new(&(heed_params_cfg){ .seed = 3 }, &err);
    heed_mha attend;
    heed_linear answer;
    t->failures += heed_mha_init(&attend, ps, "attend", &(heed_mha_cfg){ .dim = DIM, .heads = 4 });
    t->failures += heed_linear_init(&answer, ps, "answer", DIM, OUT);
    heed_optim *opt = heed_optim_new(cx, ps, &(heed_optim_cfg){ .lr = 0.01f, .clip = 1 }, &err);
    for (int i = 0; opt && i < STEPS && !t->failures; i++) {
        step(t, cx, &attend, &answer, i);
        t->failures += heed_optim_step(opt) != 0;
        heed_ctx_reset(cx);
    }
    t->failures += !opt;
    if (opt) memcpy(t->weights, answer.w->data, sizeof t->weights);
    heed_optim_free(opt);
    heed_params_free(ps);
    heed_ctx_free(cx);
    return NULL;
}

static void test_contexts_share_a_pool(void **state) {
    (void)state;
    static task alone, together[THREADS];
    heed_error err;
    heed_pool *pool = heed_pool_new(3, NULL, &err);
    heed_params *ps = heed_params_new(&(heed_params_cfg){ .seed = 9 }, &err);
    heed_linear shared;
    assert_non_null(pool);
    assert_int_equal(heed_linear_init(&shared, ps, "shared", DIM, OUT), 0);
    heed_params_set_trainable(ps, "*", false);
    heed_pool *one = heed_pool_new(1, NULL, &err);
    alone = (task){ .pool = one, .shared = &shared };
    train(&alone);
    assert_int_equal(alone.failures, 0);
    pthread_t thread[THREADS];
    for (int i = 0; i < THREADS; i++) {
        together[i] = (task){ .pool = pool, .shared = &shared };
        assert_int_equal(pthread_create(&thread[i], NULL, train, &together[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(thread[i], NULL);
        assert_int_equal(together[i].failures, 0);
        assert_memory_equal(together[i].weights, alone.weights, sizeof alone.weights);
        assert_memory_equal(together[i].seen, alone.seen, sizeof alone.seen);
    }
    heed_params_free(ps);
    heed_pool_free(one);
    heed_pool_free(pool);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_contexts_share_a_pool) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
