/* test_search.c: ranking by words: that of BM25, and what it is where words are in very many
 * events. */
#include "cmocka_all.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "store_tools.h"

enum { MANY = 30000, BATCH = 1000 };

/* Event 7 is the one that BM25 likes best: short, with both words. */
static void fill(heed_store *s, int64_t n) {
    static char text[BATCH][80];
    static heed_entry e[BATCH];
    heed_rng rng = { .seed = 1 };
    for (int64_t at = 0; at < n; at += BATCH) {
        for (int64_t i = 0; i < BATCH; i++) {
            snprintf(text[i], sizeof text[i], "the card of w%d and%s w%d",
                     (int)heed_rng_below(&rng, 50), heed_rng_below(&rng, 3) ? " money," : "",
                     (int)heed_rng_below(&rng, 9));
            if (at + i + 1 == 7) snprintf(text[i], sizeof text[i], "card money quaint");
            e[i] = (heed_entry){ .source = i % 2 ? "mail" : "chat", .text = text[i] };
            if (i % 100 == 3) e[i].title = "about money";
        }
        must(heed_store_append(s, e, BATCH, 1000 + at, &err));
    }
    commit_all(s);
}

static double number_at(const json_t *table, size_t row, size_t column) {
    return json_number_value(
        json_array_get(json_array_get(json_object_get(table, "rows"), row), column));
}

/* The ranks of all texts with these words, and those of FTS5's bm25; the largest difference. */
static double difference(heed_store *s, const char *words) {
    char sql[256];
    snprintf(sql, sizeof sql,
             "SELECT rank, bm25(words, 2.0, 1.0) FROM words WHERE words MATCH '%s' AND rank MATCH"
             " 'heed_rank()' ORDER BY rank LIMIT 500",
             words);
    json_t *table = heed_look_sql(s, sql, 500, &err_);
    if (!table) fail_msg("%s", err_.msg);
    const size_t rows = json_array_size(json_object_get(table, "rows"));
    assert_true(rows > 10);
    double most = 0;
    for (size_t i = 0; i < rows; i++) {
        assert_true(number_at(table, i, 0) < 0);
        most = fmax(most, fabs(number_at(table, i, 0) - number_at(table, i, 1)));
    }
    json_decref(table);
    return most;
}

static void test_is_bm25(void **state) {
    fill(*state, 3000);
    assert_true(difference(*state, "w3") < 1e-9);
    assert_true(difference(*state, "w3 AND money") < 1e-9);
    assert_true(difference(*state, "w3 OR money OR card") < 1e-9);
    assert_true(difference(*state, "\"and money\" OR w44") < 1e-9);
}

static bool finds(heed_store *s, const heed_look *look, int64_t seq) {
    json_t *answer = heed_look_search(s, look, NULL, 0, &err_), *hit;
    assert_non_null(answer);
    size_t i;
    bool found = false;
    json_array_foreach(json_object_get(answer, "hits"), i, hit)
        found |= json_integer_value(json_object_get(json_object_get(hit, "event"), "seq")) == seq;
    assert_true(i > 0);
    json_decref(answer);
    return found;
}

/* Of what is in very many events the newest are ranked; what restricts goes before that. */
static void test_words_of_many(void **state) {
    heed_store *s = *state;
    fill(s, MANY);
    assert_true(difference(s, "money OR card") < 0.2); /* how many have them is judged */
    assert_false(finds(s, &(heed_look){ .text = "card money" }, 7));
    assert_true(finds(s, &(heed_look){ .text = "card money", .before = MANY / 2 }, 7));
    assert_true(finds(s, &(heed_look){ .text = "card money", .to_ms = 6000 }, 7));
    assert_true(finds(s, &(heed_look){ .text = "quaint card" }, 7));
    assert_true(finds(s, &(heed_look){ .text = "card money", .source = "chat" }, 7));
    assert_false(finds(s, &(heed_look){ .text = "card money", .source = "mail" }, 7));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        EACH_STORE(test_is_bm25),
        EACH_STORE(test_words_of_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
