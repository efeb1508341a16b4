/* test_schemas.c: every --json output of the program obeys its schema in docs/schemas. HEED names
 * the program. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "schema.h"

static char model[64];

static const char *program(void) {
    const char *heed = getenv("HEED");
    return heed ? heed : "build/heed";
}

/* Runs `heed arguments`, each line of whose output must be JSON that obeys the schema. Returns how
 * many there were. */
static int check(const char *schema_name, const char *arguments) {
    char command[1024], path[256], why[512] = "";
    snprintf(path, sizeof path, "docs/schemas/%s.json", schema_name);
    json_error_t e;
    json_t *schema = json_load_file(path, 0, &e);
    assert_non_null(schema);
    snprintf(command, sizeof command, "%s %s", program(), arguments);
    FILE *out = popen(command, "r");
    assert_non_null(out);
    char *line = NULL;
    size_t cap = 0;
    int n = 0;
    while (getline(&line, &cap, out) >= 0) {
        json_t *v = json_loads(line, JSON_REJECT_DUPLICATES, &e);
        if (!v) fail_msg("%s: not JSON: %.200s", arguments, line);
        if (!schema_holds(schema, v, why, sizeof why))
            fail_msg("%s: %s in %.200s", arguments, why, line);
        json_decref(v);
        n++;
    }
    assert_int_equal(pclose(out), 0);
    free(line);
    json_decref(schema);
    return n;
}

static void test_output(void **state) {
    (void)state;
    char arguments[256];
    snprintf(arguments, sizeof arguments, "test %s/m %s/data.tsv --json", model, model);
    assert_int_equal(check("test", arguments), 1);
    snprintf(arguments, sizeof arguments, "test %s/m %s/data.tsv --json --train %s/data.tsv", model,
             model, model);
    assert_int_equal(check("test", arguments), 1);
}

/* Of several labels a text and of scores: trained and tested on texts of their own. */
static void other_kinds_output(void **state) {
    (void)state;
    static const char *const kinds[] = { "labels", "score" };
    char arguments[512], schema[32];
    for (int k = 0; k < 2; k++) {
        snprintf(arguments, sizeof arguments, "%s/%s.tsv", model, kinds[k]);
        FILE *f = fopen(arguments, "w");
        for (int i = 0; i < 30; i++)
            fprintf(f,
                    k       ? "%d.5\tit is %d\n"
                    : i % 2 ? "a,b\tnice %d%d\n"
                            : "b\tbad %d%d\n",
                    i % 5, i % 5);
        fclose(f);
        snprintf(arguments, sizeof arguments,
                 "%s train %s %s/%s.tsv %s -o %s/%s --recipe classic --epochs 1 --threads 1 "
                 "--run none >%s/log 2>&1",
                 program(), k ? "score" : "classify", model, kinds[k], k ? "" : "--label-sep ,",
                 model, kinds[k], model);
        assert_int_equal(system(arguments), 0);
        snprintf(schema, sizeof schema, "test_%s", kinds[k]);
        snprintf(arguments, sizeof arguments, "test %s/%s %s/%s.tsv %s --json", model, kinds[k],
                 model, kinds[k], k ? "" : "--label-sep ,");
        assert_int_equal(check(schema, arguments), 1);
    }
}

static void ablate_output(void **state) {
    (void)state;
    char arguments[256];
    static const char *const recipes[] = { "attend", "classic", "encoder" };
    for (int r = 0; r < 3; r++) {
        snprintf(arguments, sizeof arguments,
                 "bench ablate classify %s/data.tsv --recipe %s --epochs 1 --seeds 2 --test "
                 "%s/data.tsv --json",
                 model, recipes[r], model);
        assert_int_equal(check("ablate", arguments), 1);
    }
}

static void predict_output(void **state) {
    (void)state;
    char arguments[256];
    snprintf(arguments, sizeof arguments, "predict %s/m %s/lines.txt --json --top 2", model, model);
    assert_int_equal(check("predict", arguments), 4);
    strcat(arguments, " --explain");
    assert_int_equal(check("predict", arguments), 4);
}

static void tagger_output(void **state) {
    (void)state;
    char arguments[256];
    snprintf(arguments, sizeof arguments, "test %s/t tests/cli/data/people.conll --json", model);
    assert_int_equal(check("test_tag", arguments), 1);
    snprintf(arguments, sizeof arguments, "predict %s/t %s/lines.txt --json", model, model);
    assert_int_equal(check("predict_tag", arguments), 4);
    snprintf(arguments, sizeof arguments,
             "predict %s/t tests/cli/data/people.conll --columns --json", model);
    assert_int_equal(check("predict_tag", arguments), 120);
}

static void embedder_output(void **state) {
    (void)state;
    char arguments[256];
    snprintf(arguments, sizeof arguments, "test %s/e %s/pairs.tsv --json", model, model);
    assert_int_equal(check("test_pairs", arguments), 1);
    snprintf(arguments, sizeof arguments, "embed %s/e %s/lines.txt --json", model, model);
    assert_int_equal(check("embed", arguments), 4);
    snprintf(arguments, sizeof arguments, "embed %s/m %s/lines.txt --json", model, model);
    assert_int_equal(check("embed", arguments), 4);
}

static void label_output(void **state) {
    (void)state;
    char arguments[256];
    snprintf(arguments, sizeof arguments, "label %s/m %s/data.tsv -n 3 --json", model, model);
    assert_int_equal(check("label", arguments), 3);
}

static void runs_output(void **state) {
    (void)state;
    char arguments[256];
    snprintf(arguments, sizeof arguments, "runs %s --json", model);
    assert_true(check("runs", arguments) >= 1);
}

static void promises_output(void **state) {
    (void)state;
    char arguments[256];
    snprintf(arguments, sizeof arguments, "predict %s/m %s/lines.txt --json --abstain", model,
             model);
    assert_int_equal(check("predict", arguments), 4);
    snprintf(arguments, sizeof arguments,
             "test %s/m %s/data.tsv --json --attack typo,swap,gradient --compare %s/m", model,
             model, model);
    assert_int_equal(check("test", arguments), 1);
}

static void tokenize_output(void **state) {
    (void)state;
    char arguments[256];
    snprintf(arguments, sizeof arguments, "tokenize tests/cli/data/tokenizer.json %s/lines.json",
             model);
    strcat(arguments, " --json");
    assert_int_equal(check("tokenize", arguments), 3);
    snprintf(arguments, sizeof arguments, "tokenize models/intent %s/lines.json --json", model);
    assert_int_equal(check("tokenize", arguments), 3);
    snprintf(arguments, sizeof arguments,
             "tokenize tests/cli/data/tokenizer.json %s/ids.txt --decode --json", model);
    assert_int_equal(check("tokenize", arguments), 2);
}

static void bench_output(void **state) {
    (void)state;
    assert_int_equal(check("bench", "bench attention --len 16..64 --json"), 1);
    assert_int_equal(check("bench", "bench attention --len 32 --window 4 --backward --json"), 1);
    assert_int_equal(check("bench", "bench ops --only add --json"), 1);
    assert_int_equal(check("bench", "bench gemm --json"), 1);
}

/* Of a build without what serves there is nothing to check. */
static void desk_output(void **state) {
    (void)state;
    char arguments[512];
    const char *desk = "--kb tests/serve/data/desk/kb --replies tests/serve/data/desk/replies.tsv";
    snprintf(arguments, sizeof arguments, "%s chat --help >/dev/null 2>&1", program());
    if (system(arguments)) return;
    snprintf(arguments, sizeof arguments, "chat %s --json --state <%s/lines.txt", desk, model);
    assert_int_equal(check("chat", arguments), 4);
    snprintf(arguments, sizeof arguments, "chat %s --json <tests/serve/data/desk/demo.txt", desk);
    assert_int_equal(check("chat", arguments), 16);
    snprintf(arguments, sizeof arguments, "chat %s --json --test %s/asked.jsonl", desk, model);
    assert_int_equal(check("chat_test", arguments), 1);
    snprintf(arguments, sizeof arguments, "chat --json --within %s/judged.tsv", model);
    assert_int_equal(check("chat_within", arguments), 1);
    snprintf(arguments, sizeof arguments,
             "bench serve %s/data.tsv %s/judge.tsv --none other --json", model, model);
    assert_int_equal(check("bench_serve", arguments), 1);
}

static void the_check_can_fail(void **state) {
    (void)state;
    static const char *const bad[] = { "{}", "{\"a\": 1.5}", "{\"a\": -1}", "{\"a\": 2, \"b\": 0}",
                                       "{\"a\": 2, \"c\": [1, 2]}" };
    json_t *schema = json_loads(
        "{\"type\": \"object\", \"required\": [\"a\"], \"additionalProperties\": false,"
        "\"properties\": {\"a\": {\"type\": \"integer\", \"minimum\": 0},"
        "\"c\": {\"type\": \"array\", \"maxItems\": 1}}}",
        0, NULL);
    char why[512];
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        json_t *v = json_loads(bad[i], 0, NULL);
        assert_false(schema_holds(schema, v, why, sizeof why));
        json_decref(v);
    }
    json_t *v = json_loads("{\"a\": 2, \"c\": [1]}", 0, NULL);
    assert_true(schema_holds(schema, v, why, sizeof why));
    json_decref(v);
    json_decref(schema);
}

static int set_up(void **state) {
    (void)state;
    char path[128], command[512];
    strcpy(model, "/tmp/heed-schemas-XXXXXX");
    if (!mkdtemp(model)) return -1;
    snprintf(path, sizeof path, "%s/data.tsv", model);
    FILE *f = fopen(path, "w");
    for (int i = 0; i < 40; i++)
        fprintf(f, i % 2 ? "good\tvery nice %d\n" : "bad\tnot at all %d\n", i);
    fclose(f);
    snprintf(path, sizeof path, "%s/judge.tsv", model);
    f = fopen(path, "w");
    fprintf(f, "good\tvery very nice\nbad\tnot nice at all\nother\twhere is it\n");
    fclose(f);
    snprintf(path, sizeof path, "%s/lines.txt", model);
    f = fopen(path, "w");
    fprintf(f, "nice\n\n\"quoted\" \\ back\ttab\n我的卡丢了\n");
    fclose(f);
    snprintf(path, sizeof path, "%s/lines.json", model);
    f = fopen(path, "w");
    fprintf(f, "\"Hello \\u4e2d \\\"x\\\"\"\n\"\"\n{\"text\": \"caf\\u00e9\\n\"}\n");
    fclose(f);
    snprintf(path, sizeof path, "%s/asked.jsonl", model);
    f = fopen(path, "w");
    fprintf(f, "{\"question\": \"gift wrapping\", \"intent\": \"refund\"}\n{\"question\": \"hm\", "
               "\"intent\": null}\n");
    fclose(f);
    snprintf(path, sizeof path, "%s/judged.tsv", model);
    f = fopen(path, "w");
    fprintf(f, "question\tanswer\tlabel\nhow old is it\tit is 3 years old\t1\nhow old is it\tit is "
               "blue\t0\n");
    fclose(f);
    snprintf(path, sizeof path, "%s/ids.txt", model);
    f = fopen(path, "w");
    fprintf(f, "5 6\n\n");
    fclose(f);
    snprintf(command, sizeof command,
             "%s train classify --recipe classic %s/data.tsv -o %s/m --epochs 1 --threads 1 "
             ">%s/log 2>&1",
             program(), model, model, model);
    if (system(command)) return -1;
    snprintf(command, sizeof command,
             "%s train tag tests/cli/data/people.conll -o %s/t --epochs 6 --hidden 8 --buckets 64 "
             "--lr 0.02 --threads 1 >%s/log 2>&1",
             program(), model, model);
    if (system(command)) return -1;
    snprintf(path, sizeof path, "%s/pairs.tsv", model);
    f = fopen(path, "w");
    fprintf(f, "question\tanswer\tlabel\n");
    for (int i = 0; i < 20; i++) fprintf(f, "what is %d\tit is %d\t%d\n", i / 2, i, i % 2);
    fclose(f);
    snprintf(command, sizeof command,
             "%s train pairs %s/pairs.tsv -o %s/e --epochs 1 --threads 1 --run none >%s/log 2>&1",
             program(), model, model, model);
    return system(command);
}

static int tear_down(void **state) {
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", model);
    return system(command);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(desk_output),        cmocka_unit_test(the_check_can_fail),
        cmocka_unit_test(test_output),        cmocka_unit_test(ablate_output),
        cmocka_unit_test(predict_output),     cmocka_unit_test(tagger_output),
        cmocka_unit_test(embedder_output),    cmocka_unit_test(label_output),
        cmocka_unit_test(runs_output),        cmocka_unit_test(promises_output),
        cmocka_unit_test(tokenize_output),    cmocka_unit_test(bench_output),
        cmocka_unit_test(other_kinds_output),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
