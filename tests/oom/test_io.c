/* Memory runs out while weights are written and read. */
#include "oom.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "heed/io.h"

static char path[] = "/tmp/heed-oom-io-XXXXXX";

static heed_params *two_params(heed_error *err) {
    heed_params *ps = heed_params_new(&(heed_params_cfg){ .seed = 1 }, err);
    if (!ps) return NULL;
    heed_param(ps, "a", (heed_init){ HEED_INIT_NORMAL, 1 }, 2, (int64_t[]){ 3, 5 });
    heed_param(ps, "b", (heed_init){ HEED_INIT_ONES, 0 }, 1, (int64_t[]){ 7 });
    if (!heed_params_error(ps)) return ps;
    *err = *heed_params_error(ps);
    heed_params_free(ps);
    return NULL;
}

static int save_and_load(heed_error *err) {
    heed_params *ps = two_params(err);
    if (!ps) return err->code;
    int status = heed_params_save(ps, path, (heed_meta[]){ { "k", "v" }, { NULL, NULL } }, err);
    if (!status) status = heed_params_load(ps, path, err);
    heed_params_free(ps);
    return status;
}

static int open_file(heed_error *err) {
    heed_safetensors *st = heed_safetensors_open(path, NULL, err);
    if (!st) return err->code;
    const int status = heed_safetensors_find(st, "b") ? 0 : HEED_EFORMAT;
    heed_safetensors_close(st);
    return status;
}

static void test_safetensors(void **state) {
    (void)state;
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    oom_each(save_and_load);
    oom_each(open_file);
    unlink(path);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_safetensors) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
