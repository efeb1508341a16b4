/* test_sparse_step.c: a step of a table with row-sparse gradients reads and writes what belongs to
 * the rows that its batch touched, and nothing else of the table: while steps are made, all pages
 * of values and of the optimizer's state that hold other rows alone are out of reach, so that a
 * pass over them ends the test. */
#include "cmocka_all.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "heed/ops.h"
#include "train/optim.h"

/* Rows touched are the first and the last SOME; pages between are closed. */
enum { ROWS = 1 << 16, DIM = 64, SOME = 48, IDS = 2 * SOME + 9 };

typedef struct region {
    char *begin, *end;
} region;

static region closed[8];
static int closed_len;

/* What lies between the first and the last `size` bytes at p, in whole pages. */
static void shut(void *p, size_t size, size_t ends) {
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const uintptr_t from = ((uintptr_t)p + ends + page - 1) / page * page;
    const uintptr_t to = ((uintptr_t)p + size - ends) / page * page;
    assert_true(from < to);
    assert_true(to - from > size / 2); /* most of it */
    assert_int_equal(mprotect((void *)from, to - from, PROT_NONE), 0);
    closed[closed_len++] = (region){ (char *)from, (char *)to };
}

static void open_all(void) {
    while (closed_len) {
        const region r = closed[--closed_len];
        assert_int_equal(mprotect(r.begin, (size_t)(r.end - r.begin), PROT_READ | PROT_WRITE), 0);
    }
}

/* Pages of their own for large blocks. */
static void *paged(void *user, size_t size) {
    (void)user;
    char *p = mmap(NULL, size + 64, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) return NULL;
    memcpy(p, &size, sizeof size);
    return p + 64;
}

static void unpaged(void *user, void *memory) {
    (void)user;
    size_t size;
    if (!memory) return;
    memcpy(&size, (char *)memory - 64, sizeof size);
    munmap((char *)memory - 64, size + 64);
}

static const heed_hooks pages = { .alloc = paged, .release = unpaged };

static void learn(heed_ctx *cx, heed_optim *opt, heed_tensor *w) {
    const int32_t bag[4] = { 0, 5, SOME, IDS };
    int32_t id[IDS];
    for (int i = 0; i < IDS; i++) id[i] = i % 2 ? ROWS - 1 - i / 2 * 7 % SOME : i / 2 * 5 % SOME;
    heed_tensor *ids = heed_from_i32(cx, 1, (int64_t[]){ IDS }, id);
    heed_tensor *y = heed_embedding_bag(cx, w, ids, heed_from_i32(cx, 1, (int64_t[]){ 4 }, bag),
                                        true);
    heed_tensor *z = heed_embedding(cx, w, ids, -1);
    assert_int_equal(heed_backward(cx, heed_add(cx, heed_sum(cx, heed_mul(cx, y, y)),
                                                heed_sum(cx, heed_mul(cx, z, z)))),
                     0);
    assert_int_equal(heed_optim_step(opt), 0);
    heed_ctx_reset(cx);
}

static void steps(const heed_optim_cfg *cfg, int threads) {
    heed_error err = { 0 };
    heed_ctx *cx = heed_ctx_new(&(heed_ctx_cfg){ .train = true, .threads = threads }, &err);
    heed_params *ps = heed_params_new(&(heed_params_cfg){ .hooks = &pages }, &err);
    heed_tensor *w = heed_param(ps, "table", (heed_init){ HEED_INIT_ONES, 0 }, 2,
                                (int64_t[]){ ROWS, DIM });
    assert_int_equal(heed_param_set_sparse(ps, w), 0);
    heed_optim *opt = heed_optim_new(cx, ps, cfg, &err);
    assert_non_null(opt);
    const heed_optim_slot *s = &opt->slot[0];
    assert_true(s->sparse);
    learn(cx, opt, w);
    shut(w->data, ROWS * DIM * sizeof(float), SOME * DIM * sizeof(float));
    if (s->m_len) shut(s->m, ROWS * DIM * sizeof(float), SOME * DIM * sizeof(float));
    if (s->v_len) shut(s->v, ROWS * sizeof(float), SOME * sizeof(float));
    if (s->row_steps_len) shut(s->row_steps, ROWS * sizeof(int32_t), SOME * sizeof(int32_t));
    for (int i = 0; i < 3; i++) learn(cx, opt, w);
    open_all();
    const float *data = HEED_F32_DATA(w);
    assert_true(data[0] != 1 && data[(ROWS - 1) * DIM] != 1);
    for (int64_t i = SOME * DIM; i < (ROWS - SOME) * DIM; i++) assert_true(data[i] == 1);
    heed_optim_free(opt);
    heed_params_free(ps);
    heed_ctx_free(cx);
}

static void test_other_rows_are_not_touched(void **state) {
    (void)state;
    static const heed_optim_cfg cases[] = {
        { .kind = HEED_ADAMW },
        { .kind = HEED_ADAGRAD },
        { .kind = HEED_ADAM },
        { .kind = HEED_SGD },
        { .kind = HEED_SGD, .momentum = 0.9f },
        { .kind = HEED_SGD, .momentum = 0.9f, .nesterov = true },
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++)
        for (int threads = 1; threads <= 2; threads++) {
            heed_optim_cfg c = cases[k];
            c.lr = 0.01f;
            steps(&c, threads);
            c.clip = 1, c.weight_decay = 0.1f;
            steps(&c, threads);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_other_rows_are_not_touched) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
