/* Metrics: the very text that Prometheus reads, quantiles, adding from several threads. */
#include "cmocka_all.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/metrics.h"
#include "base/thread.h"

static void text_is_exact(void **state) {
    (void)state;
    heed_metrics_set *set = heed__metrics_new(NULL, NULL);
    heed_metric *a = heed__counter(set, "a_total", "of a", "x=\"1\"");
    heed_metric *g = heed__gauge(set, "g", "of g", NULL);
    heed_metric *b = heed__counter(set, "a_total", "of a", "x=\"2\"");
    assert_ptr_equal(heed__counter(set, "a_total", "of a", "x=\"1\""), a);
    heed__metric_add(a, 2);
    heed__metric_add(a, -1); /* a counter does not go down */
    heed__metric_add(b, 0.5);
    heed__metric_set(g, 7);
    heed__metric_add(g, -9.5);
    heed__metric_set(a, 100); /* and is not set */
    size_t size;
    char *text = heed__metrics_text(set, &size);
    assert_string_equal(text, "# HELP a_total of a\n# TYPE a_total counter\n"
                              "a_total{x=\"1\"} 2\na_total{x=\"2\"} 0.5\n"
                              "# HELP g of g\n# TYPE g gauge\ng -2.5\n");
    assert_int_equal(size, strlen(text));
    heed__free(NULL, text);
    heed__metrics_free(set);
}

static void histograms(void **state) {
    (void)state;
    heed_metrics_set *set = heed__metrics_new(NULL, NULL);
    heed_metric *h = heed__histogram(set, "h", "of h", "r=\"/\"");
    assert_true(isnan(heed__metric_quantile(h, 0.5)));
    heed__metric_observe(h, NAN);
    for (int i = 0; i < 4; i++) heed__metric_observe(h, 0.00015); /* between 0.0001 and 0.0002 */
    heed__metric_observe(h, 1000);
    assert_true(heed__metric_value(h) == 5);
    assert_float_equal(heed__metric_quantile(h, 0.4), 0.00015, 1e-9);
    assert_float_equal(heed__metric_quantile(h, 1), 26.2144, 1e-9);
    size_t size;
    char *text = heed__metrics_text(set, &size);
    assert_non_null(strstr(text, "# TYPE h histogram\nh_bucket{r=\"/\",le=\"5e-05\"} 0\n"));
    assert_non_null(strstr(text, "h_bucket{r=\"/\",le=\"0.0002\"} 4\n"));
    assert_non_null(strstr(text, "h_bucket{r=\"/\",le=\"26.2144\"} 4\n"
                                 "h_bucket{r=\"/\",le=\"+Inf\"} 5\nh_sum{r=\"/\"} 1000.0006\n"
                                 "h_count{r=\"/\"} 5\n"));
    heed__free(NULL, text);
    heed__metrics_free(set);
}

static void *refuse(void *user, size_t size) {
    return *(bool *)user ? NULL : malloc(size);
}

static void release(void *user, void *memory) {
    (void)user;
    free(memory);
}

static void without_memory_it_forgets(void **state) {
    (void)state;
    bool full = false;
    const heed_hooks hooks = { .user = &full, .alloc = refuse, .release = release };
    heed_metrics_set *set = heed__metrics_new(&hooks, NULL);
    full = true;
    heed_metric *m[] = { heed__counter(NULL, "a", "b", NULL), heed__counter(set, "a", "b", NULL) };
    for (int i = 0; i < 2; i++) {
        heed__metric_add(m[i], 1);
        heed__metric_set(m[i], 1);
        heed__metric_observe(m[i], 1);
        assert_true(heed__metric_value(m[i]) == 0);
    }
    size_t size;
    assert_null(heed__metrics_text(set, &size));
    full = false;
    heed_metric *c = heed__counter(set, "a", "b", NULL);
    heed__metric_add(heed__gauge(set, "a", "b", NULL), 5); /* one name, one kind */
    heed__metric_add(c, 1);
    assert_true(heed__metric_value(c) == 1);
    heed__metrics_free(set);
}

static void add_many(void *arg) {
    heed_metrics_set *set = arg;
    for (int i = 0; i < 10000; i++) {
        heed__metric_add(heed__counter(set, "n", "many", NULL), 1);
        heed__metric_observe(heed__histogram(set, "h", "many", NULL), 1e-3);
    }
}

static void several_threads(void **state) {
    (void)state;
    heed_metrics_set *set = heed__metrics_new(NULL, NULL);
    heed_thread *t[3];
    for (int i = 0; i < 3; i++) t[i] = heed__thread_start(NULL, "adds", add_many, set, NULL);
    for (int i = 0; i < 3; i++) heed__thread_join(t[i]);
    assert_true(heed__metric_value(heed__counter(set, "n", "many", NULL)) == 30000);
    assert_true(heed__metric_value(heed__histogram(set, "h", "many", NULL)) == 30000);
    heed__metrics_free(set);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_exact),
        cmocka_unit_test(histograms),
        cmocka_unit_test(without_memory_it_forgets),
        cmocka_unit_test(several_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
