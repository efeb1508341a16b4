/* The redactor: every kind on a planted set whose numbers another implementation holds valid
 * (tests/golden/make/redact.py), what must stay, texts of real people, hostile bytes. */
#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "flow/redact.h"

static const char *const kinds[] = { "mail", "phone", "card", "id", "iban", "ip" };
enum { KINDS = 6 };

static heed_redactor *all_kinds(void) {
    heed_error err;
    heed_redactor *r = heed_redactor_new(kinds, KINDS, NULL, &err);
    assert_non_null(r);
    return r;
}

static void gives(const heed_redactor *r, const char *text, const char *want) {
    heed_error err;
    char *out = heed_redact(r, text, NULL, &err);
    assert_non_null(out);
    assert_string_equal(out, want);
    heed__free(NULL, out);
}

/* Recall: at least 99 in 100 of each kind, alone and beside the others. */
static void test_planted(void **state) {
    (void)state;
    heed_error err;
    heed_redactor *all = all_kinds();
    for (int k = 0; k < KINDS; k++) {
        heed_redactor *one = heed_redactor_new(&kinds[k], 1, NULL, &err);
        assert_non_null(one);
        FILE *f = fopen(HEED_SOURCE_DIR "/tests/flow/redact/planted.tsv", "r");
        assert_non_null(f);
        char line[1024], shown[16];
        (void)snprintf(shown, sizeof shown, "[%s]", kinds[k]);
        int rows = 0, alone = 0, beside = 0;
        while (fgets(line, sizeof line, f)) {
            char *planted = strchr(line, '\t');
            char *text = planted ? strchr(planted + 1, '\t') : NULL;
            if (!text || strncmp(line, kinds[k], (size_t)(planted - line)) != 0) continue;
            *text++ = 0, *planted++ = 0;
            rows++;
            char *out = heed_redact(one, text, NULL, &err);
            assert_non_null(out);
            const bool gone = strstr(out, shown) && !strstr(out, planted);
            alone += gone;
            if (!gone) print_message("%s kept: %s", kinds[k], text);
            heed__free(NULL, out);
            out = heed_redact(all, text, NULL, &err);
            beside += strchr(out, '[') && !strstr(out, planted);
            heed__free(NULL, out);
        }
        (void)fclose(f);
        print_message("%s: %d planted, %d found alone, %d with the others\n", kinds[k], rows, alone,
                      beside);
        assert_true(rows >= 300);
        assert_true(100 * alone >= 99 * rows && 100 * beside >= 99 * rows);
        heed_redactor_free(one);
    }
    heed_redactor_free(all);
}

static void test_examples(void **state) {
    (void)state;
    heed_redactor *r = all_kinds();
    gives(r, "mail bob@example.org, or ann (at) example (dot) com now",
          "mail [mail], or [mail] now");
    gives(r, "我的邮箱zhang@qq.com电话13800138000谢谢", "我的邮箱[mail]电话[phone]谢谢");
    gives(r, "card 4111 1111 1111 1111 123 exp 12/27", "card [card] 123 exp 12/27");
    gives(r, "qty 1 4111-1111-1111-1111", "qty 1 [card]");
    gives(r, "身份证11010519491231002X，", "身份证[id]，");
    gives(r, "１３８００１３８０００", "[phone]");
    gives(r,
          "138\xE2\x80\x8B"
          "0013\xE2\x80\x8B"
          "8000",
          "[phone]");
    gives(r, "\xEF\xBB\xBFhi 192.168.0.1:80 and [2001:db8::1]:80",
          "\xEF\xBB\xBFhi [ip]:80 and [[ip]]:80");
    gives(r, "DE89 3704 0044 0532 0130 00.", "[iban].");
    gives(r, "(13800138000)", "([phone])");
    gives(r, "a@b.cd,e@f.gh", "[mail],[mail]");
    gives(r, "https://me:secret@host.org/x", "https://me:[mail]/x");
    gives(r, "+49 (0)30 1234567", "[phone]");
    gives(r, "", "");
    heed_redactor_free(r);
}

/* Numbers that are none of these, and wrong check digits. */
static void test_kept(void **state) {
    (void)state;
    static const char *const kept[] = {
        "4111 1111 1111 1112",         /* Luhn */
        "11010519491231002Y",          /* no such check */
        "110105194913310023",          /* no 31st of the 13th month */
        "DE89 3704 0044 0532 0130 01", /* modulo 97 */
        "000-12-3456",                 /* no such area */
        "on 2023-05-17 at 10:30:45",
        "01-02-2023 12 30",
        "v1.2.3.4 and 1.2.3.4.5 and 256.1.1.1",
        "std::vector<A::B>",
        "3.14159265358979, 0.123456789",
        "1,234,567,890 people and 12345678 more",
        "isbn 978-0-306-40615-7",
        "in 1914-1918 and 1939-1945",
        "it cost $1200000 or 1200000 dollars",
        "@user said @all, a @ b",
        "timestamp 1700000000",
        "MAC 00:1a:2b:3c:4d:5e",
        "100-200-3000",
        "user@localhost",
    };
    heed_redactor *r = all_kinds();
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) gives(r, kept[i], kept[i]);
    heed_error err;
    const char *const ip = "ip";
    heed_redactor *only = heed_redactor_new(&ip, 1, NULL, &err);
    gives(only, "a@b.cd 13800138000 10.0.0.1", "a@b.cd 13800138000 [ip]");
    heed_redactor_free(only);
    heed_redactor_free(r);
}

/* JSON stays JSON: strings and whole numbers at any depth. */
static void test_json(void **state) {
    (void)state;
    heed_redactor *r = all_kinds();
    static const char *const pairs[][2] = {
        { "{\"tel\": 13800138000, \"to\": [\"a@b.cd\", {\"x\": \"\\u0061@b.cd\"}], \"n\": 12}",
          "{\"tel\":\"[phone]\",\"to\":[\"[mail]\",{\"x\":\"[mail]\"}],\"n\":12}" },
        { "{\"n\": 12.50}", "{\"n\": 12.50}" },
        { "{not JSON a@b.cd", "{not JSON [mail]" },
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        heed_error err;
        int64_t n = -1;
        char *out = heed_redact_json(r, pairs[i][0], &n, &err);
        assert_non_null(out);
        assert_string_equal(out, pairs[i][1]);
        assert_int_equal(n, i == 0 ? 3 : i == 2);
        heed__free(NULL, out);
    }
    heed_redactor_free(r);
}

static void test_refused(void **state) {
    (void)state;
    heed_error err;
    const char *const wrong[] = { "mail", "names" };
    assert_null(heed_redactor_new(wrong, 2, NULL, &err));
    assert_int_equal(err.code, HEED_EINVALID);
    assert_string_equal(err.msg, "redact: 'names' is not one of mail, phone, card, id, iban, "
                                 "ip, name");
}

/* Customers' messages hold none of it: at most 1 in 1,000 may be touched. */
static void test_real_texts(void **state) {
    (void)state;
    heed_redactor *r = all_kinds();
    FILE *f = fopen(HEED_SOURCE_DIR "/data/banking77/test.tsv", "r");
    assert_non_null(f);
    char line[4096];
    int rows = 0, touched = 0;
    while (fgets(line, sizeof line, f)) {
        int64_t n = 0;
        heed_error err;
        char *out = heed_redact(r, line, &n, &err);
        assert_non_null(out);
        if (n) print_message("touched: %s", out);
        touched += n > 0;
        rows++;
        heed__free(NULL, out);
    }
    (void)fclose(f);
    assert_true(rows > 3000 && 1000 * touched <= rows);
    heed_redactor_free(r);
}

/* Any bytes, and long texts of one piece each, whose time grows with their length alone. */
static void test_hostile(void **state) {
    (void)state;
    heed_redactor *r = all_kinds();
    static const char alphabet[] = "0123456789 0123456789-.()+@:aAxX/\xE7\x94\xB5\xC2\xA0\xFF\"[t]";
    heed_rng rng = { .seed = 3 };
    heed_error err;
    for (int i = 0; i < 3000; i++) {
        char text[200];
        const size_t len = heed_rng_below(&rng, sizeof text);
        for (size_t j = 0; j < len; j++)
            text[j] = alphabet[heed_rng_below(&rng, sizeof alphabet - 1)];
        text[len] = 0;
        char *out = heed_redact(r, text, NULL, &err);
        assert_non_null(out);
        assert_true(strlen(out) <= 2 * len);
        heed__free(NULL, out);
    }
    static const char *const piece[] = { "1", "1 ", "a", "a.", "@",  "a@", "(at)",
                                         "(", "1.", ":", "a:", "+1", "0-", "1-a" };
    enum { LONG = 1 << 20 };
    char *text = malloc(LONG + 1);
    for (size_t p = 0; p < sizeof piece / sizeof *piece; p++) {
        const size_t len = strlen(piece[p]);
        for (size_t j = 0; j < LONG; j++) text[j] = piece[p][j % len];
        text[LONG] = 0;
        const clock_t began = clock();
        char *out = heed_redact(r, text, NULL, &err);
        assert_non_null(out);
        heed__free(NULL, out);
        print_message("1 MiB of '%s': %.0f ms\n", piece[p],
                      1e3 * (double)(clock() - began) / CLOCKS_PER_SEC);
    }
    free(text);
    heed_redactor_free(r);
}

/* Each allocation fails once: a sentence, and nothing is lost. */
static struct { int64_t left, held; } memory;
static void *scarce(void *user, size_t size) {
    (void)user;
    if (memory.left-- == 0) return NULL;
    memory.held++;
    return malloc(size);
}
static void give(void *user, void *block) {
    (void)user;
    memory.held -= block != NULL;
    free(block);
}
static void test_no_memory(void **state) {
    (void)state;
    const heed_hooks hooks = { .alloc = scarce, .release = give };
    for (int64_t n = 0;; n++) {
        heed_error err = { 0 };
        memory.left = n;
        heed_redactor *r = heed_redactor_new(kinds, KINDS, &hooks, &err);
        char *out = r ? heed_redact(r, "call 415-555-2671 or a@b.cd", NULL, &err) : NULL;
        char *same = out ? heed_redact(r, "nothing", NULL, &err) : NULL;
        if (!same) assert_int_equal(err.code, HEED_ENOMEM);
        heed__free(&hooks, out);
        heed__free(&hooks, same);
        heed_redactor_free(r);
        assert_int_equal(memory.held, 0);
        if (same) {
            assert_true(n >= 4);
            break;
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_planted), cmocka_unit_test(test_examples),
        cmocka_unit_test(test_kept),    cmocka_unit_test(test_refused),
        cmocka_unit_test(test_json),    cmocka_unit_test(test_real_texts),
        cmocka_unit_test(test_hostile), cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
