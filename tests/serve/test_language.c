/* Languages: by script, by letters, and with the model that ships. */
#include "cmocka_all.h"

#include <stdio.h>
#include <string.h>

#include "heed/tasks.h"
#include "serve/language.h"

static heed_classifier *model;

static int open_model(void **state) {
    (void)state;
    heed_error err;
    model = heed_classifier_open(HEED_SOURCE_DIR "/models/language", NULL, &err);
    if (!model) print_error("%s\n", err.msg);
    return model ? 0 : -1;
}
static int close_model(void **state) {
    (void)state;
    heed_classifier_close(model);
    return 0;
}

static heed_spoken ask(const char *text) {
    heed_error err;
    heed_label top[HEED_LANGUAGES];
    const char *label[HEED_LANGUAGES];
    float prob[HEED_LANGUAGES];
    const int n = heed_classify(model, text, top, HEED_LANGUAGES, &err);
    assert_true(n > 0);
    for (int i = 0; i < n; i++) label[i] = top[i].name, prob[i] = top[i].score;
    return heed_language_of(text, label, prob, n);
}

static void test_scripts(void **state) {
    (void)state;
    static const char *const says[][2] = {
        { "zh", "我的银行卡还没有收到" },     { "zh", "iPhone 15 Pro 的屏幕坏了，怎么办" },
        { "zh", "经典の味道，大家都说好吃" }, { "ja", "カードがまだ届いていません" },
        { "ja", "東京は日本の首都です" },     { "ko", "카드를 아직 받지 못했어요" },
        { "el", "Πού είναι η κάρτα μου;" },   { "he", "איפה הכרטיס שלי" },
        { "ar", "أين بطاقتي المصرفية" },      { "fa", "کارت بانکی من کجاست؟ چرا نرسیده" },
        { "ur", "میرا کارڈ کہاں ہے" },        { "hi", "मेरा कार्ड कहाँ है" },
        { "bn", "আমার কার্ড কোথায়" },          { "ta", "எனது அட்டை எங்கே" },
        { "th", "บัตรของฉันอยู่ที่ไหน" },           { "ka", "სად არის ჩემი ბარათი" },
        { "hy", "Որտեղ է իմ քարտը" },         { "am", "ካርዴ የት ነው" },
    };
    for (size_t i = 0; i < sizeof says / sizeof *says; i++) {
        const heed_spoken s = heed_language(says[i][1]);
        assert_non_null(s.code);
        assert_string_equal(s.code, says[i][0]);
        assert_true(s.confidence > 0.5 && s.confidence <= 1 && !s.asks);
        const heed_spoken same = ask(says[i][1]);
        assert_string_equal(same.code, s.code);
    }
}

/* Latin and Cyrillic letters: the script says nothing, the model does. */
static void test_model(void **state) {
    (void)state;
    static const char *const says[][2] = {
        { "en", "where is my new card" },
        { "de", "Wo ist meine neue Karte?" },
        { "fr", "Où est ma nouvelle carte ?" },
        { "es", "¿Dónde está mi tarjeta nueva?" },
        { "es", "donde esta mi tarjeta nueva" },
        { "it", "Dov'è la mia nuova carta?" },
        { "pt", "Onde está o meu novo cartão?" },
        { "nl", "Waar is mijn nieuwe kaart?" },
        { "sv", "Var är mitt nya kort?" },
        { "fi", "Missä on uusi korttini?" },
        { "pl", "Gdzie jest moja nowa karta?" },
        { "cs", "Kde je moje nová karta? Ještě mi nepřišla." },
        { "hu", "Hol van az új kártyám?" },
        { "ro", "Unde este noul meu card?" },
        { "tr", "Yeni kartım nerede?" },
        { "vi", "Thẻ mới của tôi ở đâu?" },
        { "id", "Di mana kartu baru saya?" },
        { "ru", "Где моя новая карта?" },
        { "uk", "Де моя нова картка? Я її ще не отримав." },
        { "bg", "Къде е новата ми карта?" },
        { "sr", "Где је моја нова картица?" },
        { "en", "https://example.org/ou/est/la/carte @maria where is my card $SPY [phone]" },
    };
    for (size_t i = 0; i < sizeof says / sizeof *says; i++) {
        const heed_spoken none = heed_language(says[i][1]);
        assert_null(none.code);
        assert_true(none.asks);
        const heed_spoken s = ask(says[i][1]);
        if (!s.code) print_error("not known: %s\n", says[i][1]);
        assert_non_null(s.code);
        if (strcmp(s.code, says[i][0]) != 0) print_error("%s: %s\n", s.code, says[i][1]);
        assert_string_equal(s.code, says[i][0]);
        assert_true(s.confidence >= 0.5 && s.confidence <= 1);
    }
}

/* Nothing to go by, or letters that none of the known languages has. */
static void test_unknown(void **state) {
    (void)state;
    static const char *const none[] = {
        "",
        "12:30 – 14:00",
        "😀😀",
        "ok",
        "https://example.org/where/is/my/card",
        "$SPY $AAPL",
        "[mail] [phone]",
        "\xFF\xFE",
        "ئەمە بە زمانی کوردی نووسراوە و ڕۆژێکی خۆشە",
        "Bi na ɗan ƙara ɓoye ɗakin ƙofar ƴan ɗiya",
    };
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        const heed_spoken s = ask(none[i]);
        if (s.code) print_error("%s: %s\n", s.code, none[i]);
        assert_null(s.code);
        assert_true(s.confidence == 0);
    }
}

/* Messages of people whom the model has never read. */
static void test_messages(void **state) {
    (void)state;
    FILE *f = fopen(HEED_SOURCE_DIR "/data/banking77/test.tsv", "r");
    assert_non_null(f);
    char line[4096];
    int rows = 0, right = 0, wrong = 0;
    while (fgets(line, sizeof line, f)) {
        char *text = strchr(line, '\t');
        if (!text || rows == 1000) continue;
        text[strcspn(text, "\n")] = 0;
        const heed_spoken s = ask(text + 1);
        rows++;
        right += s.code && strcmp(s.code, "en") == 0;
        wrong += s.code && strcmp(s.code, "en") != 0;
    }
    (void)fclose(f);
    print_message("%d messages: %d right, %d wrong\n", rows, right, wrong);
    assert_true(rows == 1000 && right >= 990 && wrong <= 5);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scripts),
        cmocka_unit_test(test_model),
        cmocka_unit_test(test_unknown),
        cmocka_unit_test(test_messages),
    };
    return cmocka_run_group_tests(tests, open_model, close_model);
}
