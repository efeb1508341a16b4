/* Memory runs out in a training of several parts that is stopped and gone on with. */
#include "oom.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "tasks/parts.h"

static char run[] = "/tmp/heed-oom-parts-XXXXXX";

static int once(bool resume, int64_t parts, heed_error *err) {
    const heed_classify_cfg cfg = { .run = run, .resume = resume };
    heed_parts p;
    int rc = heed__parts_begin(&p, &cfg, "search", 7, err);
    if (rc == 0) rc = heed__parts_settle(&p, err);
    if (rc == 0 && resume && heed__parts_len(&p) != 2)
        rc = heed__error(err, HEED_EFORMAT, "parts were lost");
    for (int64_t i = heed__parts_len(&p); rc == 0 && i < parts; i++)
        rc = heed__parts_add(&p, json_pack("{s:o}", "loss", heed__note_number(0.1)), NULL, err);
    heed__parts_end(&p, false, err);
    return rc;
}

static int stopped_and_gone_on(heed_error *err) {
    const int rc = once(false, 2, err);
    return rc ? rc : once(true, 3, err);
}

static void test_parts(void **state) {
    (void)state;
    char command[64];
    assert_non_null(mkdtemp(run));
    oom_spare_json(true);
    assert_true(oom_each(stopped_and_gone_on) > 10);
    snprintf(command, sizeof command, "rm -r %s", run);
    assert_int_equal(system(command), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_parts) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
