/* test_isa.c [NAME]: every table of kernels is had by its name, or one sentence says why not. With
 * a name, that one alone, or what a test needs beside them: status 77, by which ctest lists it at
 * the end of the suite as skipped, where this CPU lacks it; a name that nobody asks for fails. */
#include "cmocka_all.h"

#include <string.h>

#include "isas.h"

enum { SKIPPED = 77 };

static bool is_asked(const char *name) {
    for (int i = 0; isas_wanted[i]; i++)
        if (strcmp(name, isas_wanted[i]) == 0) return true;
    return strcmp(name, "avx512bf16") == 0;
}

static const char *lacking(const char *name) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (strcmp(name, "avx512bf16") == 0) /* what test_amx emulates tiles with */
        return __builtin_cpu_supports("avx512bf16") ? NULL : "this CPU has no AVX-512 BF16";
#endif
    return heed__kernels_lack(name);
}

static void check(const char *name) {
    heed_error err = { 0 };
    const heed_kernels *k = heed__kernels(name, &err);
    const char *why = heed__kernels_lack(name);
    assert_true(!k == !!why);
    if (k)
        assert_string_equal(k->name, name);
    else
        assert_non_null(strstr(err.msg, why));
}

static void test_names(void **state) {
    const char *one = *state;
    int count;
    const heed_kernels *const *all = isas_here(&count);
    assert_string_equal(all[0]->name, "scalar");
    for (int i = 0; isas_wanted[i]; i++)
        if (!one || strcmp(one, isas_wanted[i]) == 0) check(isas_wanted[i]);
}

int main(int argc, char **argv) {
    if (argc > 1 && !is_asked(argv[1]))
        return fprintf(stderr, "%s: no instruction set that a test asks for\n", argv[1]), 1;
    const char *why = argc > 1 ? lacking(argv[1]) : NULL;
    if (why) return printf("skipped: %s: %s\n", argv[1], why), SKIPPED;
    const struct CMUnitTest tests[] = { cmocka_unit_test_prestate(test_names,
                                                                  argc > 1 ? argv[1] : NULL) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
