/* test_dataset.c: labelled texts in every form of file, right and wrong. */
#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "io/dataset.h"
#include "base/input.h"

static int parse(heed_dataset *t, const char *text, const heed_dataset_cfg *cfg, heed_error *err) {
    const heed_dataset_cfg plain = { 0 };
    return heed__dataset_parse(t, text, strlen(text), "x.tsv", cfg ? cfg : &plain, err);
}

static void a_header_names_the_columns(void **state) {
    (void)state;
    heed_dataset t;
    heed_error err;
    const char *text = "\xef\xbb\xbf"
                       "id\tintent\ttext\r\n1\tpay\tI paid\r\n\r\n2\tlost\tgone\r\n";
    assert_int_equal(parse(&t, text, NULL, &err), 0);
    assert_int_equal(t.len, 2);
    assert_string_equal(t.text[0], "I paid");
    assert_string_equal(t.label[1], "lost");
    assert_int_equal(t.line[1], 4);
    assert_string_equal(t.how,
                        "tab-separated; text from column 'text', label from column 'intent'");
    heed__dataset_free(&t);
}

static void lines_without_header(void **state) {
    (void)state;
    heed_dataset t;
    heed_error err;
    assert_int_equal(parse(&t, "pay\tI paid\nlost\tgone", NULL, &err), 0);
    assert_int_equal(t.len, 2);
    assert_string_equal(t.label[0], "pay");
    assert_string_equal(t.text[1], "gone");
    heed__dataset_free(&t);
    const heed_dataset_cfg only = { .text_only = true };
    assert_int_equal(parse(&t, "one\ntwo\n", &only, &err), 0);
    assert_string_equal(t.text[1], "two");
    assert_null(t.label[1]);
    heed__dataset_free(&t);
}

static void columns_can_be_named(void **state) {
    (void)state;
    heed_dataset t;
    heed_error err;
    const heed_dataset_cfg cfg = { .text = "q", .label = "l" };
    assert_int_equal(parse(&t, "l\tq\na\tb\n", &cfg, &err), 0);
    assert_string_equal(t.text[0], "b");
    heed__dataset_free(&t);
    const heed_dataset_cfg none = { .text = "zz" };
    assert_int_equal(parse(&t, "label\ttext\na\tb\n", &none, &err), HEED_ENOTFOUND);
    assert_string_equal(err.msg,
                        "x.tsv:1: the header has no column 'zz' for the text; it has: label, "
                        "text");
}

static void wrong_lines_are_named(void **state) {
    (void)state;
    static const struct {
        const char *text, *msg;
    } cases[] = {
        { "label\ttext\na\tb\nc\n", "x.tsv:3: 1 column where there should be 2" },
        { "label\ttext\na\tb\tc\nd\n",
          "x.tsv:2: 3 columns where there should be 2 (and 1 more line is wrong)" },
        { "label\ttext\n\tb\n", "x.tsv:2: the label is empty" },
        { "label\ttext\na\x1b[31m\tb\n", "x.tsv:2: the label holds a control character" },
        { "label\ttext\na\t\xff\n", "x.tsv:2: not UTF-8 (byte 3 is 0xff)" },
        { "label\ttext\n", "x.tsv: no line of data" },
        { "", "x.tsv: no line of data" },
        { "just text\n", "x.tsv:1: no label: one column only" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        heed_dataset t;
        heed_error err = { 0 };
        assert_int_equal(parse(&t, cases[i].text, NULL, &err), HEED_EFORMAT);
        assert_string_equal(err.msg, cases[i].msg);
    }
}

static void a_pair_without_label_is_told_as_such(void **state) {
    (void)state;
    heed_dataset t;
    heed_error err = { 0 };
    const heed_dataset_cfg cfg = { .pairs = true };
    assert_int_equal(parse(&t, "one text\tanother\n", &cfg, &err), HEED_EFORMAT);
    assert_string_equal(err.msg, "x.tsv:1: no label: the two columns are the pair's texts");
}

static void a_zero_byte_is_an_error(void **state) {
    (void)state;
    heed_dataset t;
    heed_error err;
    const heed_dataset_cfg cfg = { 0 };
    assert_int_equal(heed__dataset_parse(&t, "a\tb\0c\n", 6, "x.tsv", &cfg, &err), HEED_EFORMAT);
    assert_string_equal(err.msg, "x.tsv:1: a zero byte");
}

static void every_truncation_is_read_or_refused(void **state) {
    (void)state;
    const char *text = "intent\ttext\npay\tI p\xc3\xa4id\nlost\tgone\n";
    const heed_dataset_cfg cfg = { 0 };
    for (size_t n = 0; n <= strlen(text); n++) {
        heed_dataset t;
        heed_error err = { 0 };
        const int rc = heed__dataset_parse(&t, text, n, "x.tsv", &cfg, &err);
        assert_true(rc == 0 ? t.len > 0 : err.msg[0] != 0);
        if (rc == 0) heed__dataset_free(&t);
    }
}

/* What a file gives: "[label|label]text=text2;" for every example, or the error. */
static const char *shown(const char *name, const char *text, const heed_dataset_cfg *cfg) {
    static char room[2048];
    static const heed_dataset_cfg plain = { 0 };
    heed_dataset d;
    heed_error err;
    size_t n = 0;
    if (heed__dataset_parse(&d, text, strlen(text), name, cfg ? cfg : &plain, &err)) {
        snprintf(room, sizeof room, "%s", err.msg);
        return room;
    }
    room[0] = 0;
    for (int64_t i = 0; i < d.len; i++) {
        n += (size_t)snprintf(room + n, sizeof room - n, "[");
        for (int64_t k = d.first[i]; k < d.first[i + 1]; k++)
            n += (size_t)snprintf(room + n, sizeof room - n, "%s%s", k > d.first[i] ? "|" : "",
                                  d.all[k]);
        n += (size_t)snprintf(room + n, sizeof room - n, "]%s%s%s;", d.text[i], d.text2 ? "=" : "",
                              d.text2 ? d.text2[i] : "");
        assert_true(d.first[i] == d.first[i + 1] ? !d.label[i] : d.label[i] == d.all[d.first[i]]);
    }
    heed__dataset_free(&d);
    return room;
}

static void csv_as_the_rfc_has_it(void **state) {
    (void)state;
    static const struct {
        const char *text, *shown;
    } cases[] = {
        { "label,text\na,b\n", "[a]b;" },
        { "text,label\r\n\"a, \"\"b\"\"\",x\r\n", "[x]a, \"b\";" },
        { "label,text\na,\"one\r\ntwo\n\nthree\"\nb,c", "[a]one\ntwo\n\nthree;[b]c;" },
        { "label;text\na;b,c\n", "[a]b,c;" },
        { "\xef\xbb\xbf\"label\",\"text\"\na,\"\"\n", "[a];" },
        { "a,b\nc,\"d\"\n", "[a]b;[c]d;" },
        { "label,text\na,5\" pipe\n", "[a]5\" pipe;" },
        { "label,text\n\n\na,b\n\n", "[a]b;" },
        { "label,text\n\"a\",\"b\"\"\"\n", "[a]b\";" },
        { "label,text\na,\"b\" c\n", "x.csv:2: ' ' where a quoted field has ended, in column 2; " },
        { "label,text\na,\"b\nc\n", "x.csv:2: a quote that is not closed" },
        { "label,text\na,b,c\nd,\"e\nf\"\ng\n", "x.csv:2: 3 columns where there should be 2, cut "
                                                "at each ',' (and 1 more line is wrong)" },
        { "label,text\na,\"b\nc\"\nd\n",
          "x.csv:4: 1 column where there should be 2, cut at each ','" },
        { "label,text,text\na,b,c\n", "x.csv:1: two columns have the name 'text'" },
        { "", "x.csv: no line of data" },
        { "\"", "x.csv:1: a quote that is not closed" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *got = shown("x.csv", cases[i].text, NULL);
        const size_t n = strcspn(cases[i].shown, ";"); /* of an error what stands before it */
        if (cases[i].shown[0] == '[' || cases[i].shown[n] == 0)
            assert_string_equal(got, cases[i].shown);
        else
            assert_memory_equal(got, cases[i].shown, n);
    }
}

static void json_lines(void **state) {
    (void)state;
    static const struct {
        const char *text, *shown;
    } cases[] = {
        { "{\"text\":\"a\",\"label\":\"x\"}\n\n{\"label\":3,\"text\":\"b\\nc\"}", "[x]a;[3]b\nc;" },
        { "{\"text\":\"a\",\"label\":[\"x\",\"y\"]}\n{\"text\":\"b\",\"label\":true}\r\n",
          "[x|y]a;[true]b;" },
        { "{\"text\":\"a\",\"label\":0.5}\n", "[0.5]a;" },
        { "{\"title\":\"t\",\"intent\":\"x\",\"id\":1}\n", "[x]t;" },
        { "{\"text\":\"\\u00e4 \\ud83d\\ude00\",\"label\":\"x\"}\n",
          "[x]\xc3\xa4 \xf0\x9f\x98\x80;" },
        { "{\"text\":\"a\",\"label\":\"x\"}\n{\"text\":7,\"label\":\"x\"}\n",
          "x.jsonl:2: 'text' is a number, not a text" },
        { "{\"text\":\"a\",\"label\":\"x\"}\n{\"label\":\"x\"}\n",
          "x.jsonl:2: the object has no 'text'" },
        { "{\"text\":\"a\",\"label\":\"x\"}\n{\"text\":\"b\"}\n", "x.jsonl:2: no label" },
        { "{\"text\":\"a\",\"label\":\"x\"}\n{\"text\":\"b\",\"label\":[]}\n",
          "x.jsonl:2: no label; a text may have none only where texts have several (train "
          "--several)" },
        { "{\"text\":\"a\",\"label\":\"x\"}\n{\"text\":\"b\",\"label\":null}\n",
          "x.jsonl:2: no label" },
        { "{\"text\":\"a\",\"label\":{}}\n", "x.jsonl:1: a label is an object" },
        { "{\"text\":\"a\",\"label\":\"\"}\n", "x.jsonl:1: the label is empty" },
        { "{\"text\":\"a\",\"label\":\"x\"}\n[1]\n", "x.jsonl:2: a list, not an object" },
        { "[{\"text\":\"a\"}]\n", "x.jsonl:1: one JSON list; JSON lines are read, an object a line "
                                  "(`jq -c '.[]'` makes them)" },
        { "{}\n", "x.jsonl:1: an object without keys" },
        { "{\"a\":1,\"b\":2}\n", "x.jsonl:1: which of 2 columns (a, b) is the text? Say --text" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(shown("x.jsonl", cases[i].text, NULL), cases[i].shown);
    assert_non_null(
        strstr(shown("x.jsonl", "{\"text\":\"a\",\"label\":\"x\"}\n{\"text\": nul}\n", NULL),
               "x.jsonl:2: column "));
    const heed_dataset_cfg empty = { .no_labels = true };
    assert_string_equal(shown("x.jsonl", "{\"text\":\"a\",\"labels\":[]}\n", &empty), "[]a;");
    const heed_dataset_cfg two = { .text = "text,title", .label = "k" };
    assert_string_equal(shown("x.jsonl", "{\"text\":\"a\",\"k\":\"x\",\"title\":\"t\"}\n", &two),
                        "[x]a t;");
}

static void fasttext_lines(void **state) {
    (void)state;
    static const struct {
        const char *text, *shown;
    } cases[] = {
        { "__label__a hello  there\n__label__b __label__c x \n", "[a]hello  there;[b|c]x;" },
        { "__label__a\thello\nhello __label__b there\n", "[a]hello;[b]hello there;" },
        { "__label__a\n", "[a];" },
        { "__label__a x\nno label\n",
          "x:2: no label; a text may have none only where texts have several (train --several)" },
        { "__label__a x\n__label__ y\n", "x:2: the label is empty" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(shown("x", cases[i].text, NULL), cases[i].shown);
    const heed_dataset_cfg empty = { .no_labels = true };
    assert_string_equal(shown("x", "__label__a x\nnone\n", &empty), "[a]x;[]none;");
}

static void columns_are_guessed_or_asked_for(void **state) {
    (void)state;
    static const struct {
        const char *text, *shown;
    } cases[] = {
        { "id\tmessage\tclass\n1\tm\tc\n", "[c]m;" },
        { "Sentiment\tReview\nc\tm\n", "[c]m;" },
        { "coarse\ttext\na\tb\n", "[a]b;" },
        { "question\twho is it\nother\tnothing\n", "[question]who is it;[other]nothing;" },
        { "coarse\tfine\ttext\na\tb\tc\n",
          "x.tsv:1: which of 3 columns (coarse, fine, text) is the label? Say --label" },
        { "a\tb\tc\n", "x.tsv:1: which of 3 columns (a, b, c) is the text? Say --text" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(shown("x.tsv", cases[i].text, NULL), cases[i].shown);
    const heed_dataset_cfg numbers = { .text = "3,2", .label = "1" };
    assert_string_equal(shown("x.csv", "4,title,\"body\"\n2,t,b\n", &numbers),
                        "[4]body title;[2]b t;");
    const heed_dataset_cfg twice = { .text = "t" };
    assert_string_equal(shown("x.tsv", "label\tt\tt\na\tb\tc\n", &twice),
                        "x.tsv:1: two columns have the name 't'");
    const heed_dataset_cfg same = { .text = "a,t", .label = "t" };
    assert_string_equal(shown("x.tsv", "a\tt\nb\tc\n", &same),
                        "x.tsv: column 2 is both text and label");
    const heed_dataset_cfg second = { .text = "a", .text2 = "t", .label = "t" };
    assert_string_equal(shown("x.tsv", "a\tt\nb\tc\n", &second),
                        "x.tsv: column 2 is both text2 and label");
    const heed_dataset_cfg passage = { .text = "t", .text2 = "t", .label = "a", .context = true };
    assert_string_equal(shown("x.tsv", "a\tt\nb\tc\n", &passage),
                        "x.tsv: column 2 is both text and context");
    const heed_dataset_cfg split = { .label_sep = "," };
    assert_string_equal(shown("x.tsv", "label\ttext\na, b\tx\n", &split), "[a|b]x;");
    const heed_dataset_cfg pairs = { .pairs = true, .text_only = true };
    assert_string_equal(shown("x.tsv", "id\tquestion\tanswer\n1\tq\ta\n", &pairs), "[]q=a;");
    assert_string_equal(shown("x.tsv", "q\ta\n", &pairs), "[]q=a;");
    const heed_dataset_cfg named = { .text = "prompt", .text2 = "reply", .text_only = true };
    assert_string_equal(shown("x.csv", "reply,prompt,k\nb,a,c\n", &named), "[]a=b;");
}

static void the_form_is_guessed(void **state) {
    (void)state;
    static const struct {
        const char *name, *text, *how;
    } cases[] = {
        { "x", "label\ttext\na\tb\n",
          "tab-separated; text from column 'text', label from column 'label'" },
        { "x", "label,text\na,b\n", "CSV; text from column 'text', label from column 'label'" },
        { "x.txt", "a\tsome, text\n", "tab-separated; no header: label, then text" },
        { "x.csv.gz.csv", "a,b\n", "CSV; no header: label, then text" },
        { "x", "{\"text\":\"a\",\"label\":1}\n",
          "JSON lines; text from key 'text', label from key 'label'" },
        { "x", "\xef\xbb\xbf\n\n__label__a b\n", "fastText's __label__ lines" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        heed_dataset d;
        heed_error err;
        const heed_dataset_cfg cfg = { 0 };
        const char *text = cases[i].text;
        if (heed__dataset_parse(&d, text, strlen(text), cases[i].name, &cfg, &err))
            fail_msg("%s", err.msg);
        assert_string_equal(d.how, cases[i].how);
        heed__dataset_free(&d);
    }
    assert_string_equal(shown("x.tsv", "\xff\xfe.", NULL),
                        "x.tsv:1: UTF-16, not UTF-8; `iconv -f UTF-16 -t UTF-8` converts it");
    assert_string_equal(shown("x.conll", "a", NULL),
                        "x.conll: columns of tagged tokens by its name, not labelled texts");
}

static void ten_problems_are_told(void **state) {
    (void)state;
    char text[2000] = "a\tb\n";
    for (int i = 0; i < 30; i++) strncat(text, i % 2 ? "fine\tline\n" : "wrong\n", 20);
    heed_problems p;
    heed_dataset d;
    heed_error err;
    const heed_dataset_cfg cfg = { .problems = &p };
    assert_int_equal(parse(&d, text, &cfg, &err), HEED_EFORMAT);
    assert_int_equal(p.count, 10);
    assert_string_equal(p.text[0], "x.tsv:2: 1 column where there should be 2");
    assert_string_equal(p.text[9], "x.tsv:20: 1 column where there should be 2");
    assert_string_equal(err.msg, "x.tsv:2: 1 column where there should be 2 (and at least 9 more "
                                 "lines are wrong)");
    assert_int_equal(parse(&d, "a\tb\n", &cfg, &err), 0);
    assert_int_equal(p.count, 0);
    heed__dataset_free(&d);
}

static void a_line_too_long_is_named(void **state) {
    (void)state;
    const size_t size = (size_t)HEED_LINE_MOST + 100;
    char *text = malloc(size);
    memset(text, 'x', size);
    memcpy(text, "a\tb\n", 4);
    memcpy(text + size - 10, "\nc\td\nwrong", 10);
    heed_dataset d;
    heed_error err;
    heed_problems p;
    const heed_dataset_cfg cfg = { .problems = &p };
    assert_int_equal(heed__dataset_parse(&d, text, size, "x", &cfg, &err), HEED_EFORMAT);
    assert_string_equal(p.text[0], "x:2: a line of more than 64 MB");
    assert_string_equal(p.text[1], "x:4: 1 column where there should be 2");
    free(text);
}

static void write_file(const char *dir, const char *name, const char *text) {
    char path[200];
    heed_error err;
    snprintf(path, sizeof path, "%s/%s", dir, name);
    char *slash = strrchr(path, '/');
    *slash = 0;
    assert_int_equal(heed__folder_make(path, &err), 0);
    *slash = '/';
    assert_int_equal(heed__file_write(NULL, path, text, strlen(text), &err), 0);
}

static void a_folder_per_label(void **state) {
    (void)state;
    char dir[] = "/tmp/heed-dataset-XXXXXX", command[80];
    assert_non_null(mkdtemp(dir));
    write_file(dir, "pos/2.txt", "good\r\n");
    write_file(dir, "pos/10.txt", "\xef\xbb\xbfvery\ngood\n\n");
    write_file(dir, "neg/a", "bad");
    write_file(dir, "neg/.hidden", "\xff");
    write_file(dir, "neg/deep/b", "worse");
    write_file(dir, "readme", "not a text");
    heed_dataset d;
    heed_error err;
    heed_problems p;
    const heed_dataset_cfg cfg = { .problems = &p };
    if (heed__dataset_read(&d, dir, &cfg, &err)) fail_msg("%s", err.msg);
    static const char *const want[][2] = {
        { "neg", "bad" }, { "neg/deep", "worse" }, { "pos", "very\ngood" }, { "pos", "good" }
    };
    assert_int_equal(d.len, 4);
    for (int i = 0; i < 4; i++) {
        assert_string_equal(d.label[i], want[i][0]);
        assert_string_equal(d.text[i], want[i][1]);
    }
    assert_string_equal(d.how, "a folder per label: 3 with 4 files; 1 beside them left out");
    heed__dataset_free(&d);
    write_file(dir, "pos/3", "fine\nna\xc3\n");
    char want_msg[200];
    snprintf(want_msg, sizeof want_msg, "%s/pos/3:2: not UTF-8 (byte 3 is 0xc3)", dir);
    assert_int_equal(heed__dataset_read(&d, dir, &cfg, &err), HEED_EFORMAT);
    assert_string_equal(err.msg, want_msg);
    write_file(dir, "pos/2\x1b[1m", "\xc3");
    assert_int_equal(heed__dataset_read(&d, dir, &cfg, &err), HEED_EFORMAT);
    assert_int_equal(p.count, 2);
    assert_true(strstr(p.text[0], "pos/2?[1m:1:") || strstr(p.text[1], "pos/2?[1m:1:"));
    snprintf(command, sizeof command, "rm -r %s", dir);
    assert_int_equal(system(command), 0);
}

static void texts_in_two_sets_are_counted(void **state) {
    (void)state;
    heed_dataset a, b;
    heed_error err;
    assert_int_equal(parse(&a, "x\tone\ny\ttwo\nx\ttwo\nx\tone\nz\tthree\n", NULL, &err), 0);
    assert_int_equal(parse(&b, "x\tone\nz\ttwo\ny\ttwo\nq\tfour\n", NULL, &err), 0);
    int64_t other;
    assert_int_equal(heed__dataset_overlap(&a, &b, &other, &err), 3);
    assert_int_equal(other, 1); /* z two */
    assert_int_equal(heed__dataset_overlap(&a, &a, &other, &err), 2);
    assert_int_equal(other, 1); /* x two after y two */
    assert_int_equal(heed__dataset_overlap(&b, &b, NULL, &err), 1);
    heed__dataset_free(&a);
    heed__dataset_free(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_header_names_the_columns),
        cmocka_unit_test(lines_without_header),
        cmocka_unit_test(columns_can_be_named),
        cmocka_unit_test(wrong_lines_are_named),
        cmocka_unit_test(a_pair_without_label_is_told_as_such),
        cmocka_unit_test(a_zero_byte_is_an_error),
        cmocka_unit_test(every_truncation_is_read_or_refused),
        cmocka_unit_test(csv_as_the_rfc_has_it),
        cmocka_unit_test(json_lines),
        cmocka_unit_test(fasttext_lines),
        cmocka_unit_test(columns_are_guessed_or_asked_for),
        cmocka_unit_test(the_form_is_guessed),
        cmocka_unit_test(ten_problems_are_told),
        cmocka_unit_test(a_line_too_long_is_named),
        cmocka_unit_test(a_folder_per_label),
        cmocka_unit_test(texts_in_two_sets_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
