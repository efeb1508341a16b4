/* language.c: letters counted by script, and alphabets against what a classifier says. */
#include "serve/language.h"

#include <string.h>

#include "base/text.h"
#include "text/unicode.h"

/* -- scripts ----------------------------------------------------------------------------------- */

typedef enum script {
    NONE,
    LATIN,
    CYRILLIC,
    HAN,
    KANA,
    ARABIC,
    OTHERS /* from here on: of one code */
} script;

/* Sorted; weight: what a letter counts beside one of Latin. */
static const struct range {
    uint32_t first, last;
    script script;
    const char *code;
    int weight;
} ranges[] = {
    { 0x41, 0x5A, LATIN, NULL, 1 },      { 0x61, 0x7A, LATIN, NULL, 1 },
    { 0xC0, 0xD6, LATIN, NULL, 1 },      { 0xD8, 0xF6, LATIN, NULL, 1 },
    { 0xF8, 0x24F, LATIN, NULL, 1 },     { 0x370, 0x3FF, OTHERS, "el", 1 },
    { 0x400, 0x52F, CYRILLIC, NULL, 1 }, { 0x531, 0x58F, OTHERS, "hy", 1 },
    { 0x5D0, 0x5EA, OTHERS, "he", 1 },   { 0x620, 0x64A, ARABIC, NULL, 1 },
    { 0x66E, 0x6D5, ARABIC, NULL, 1 },   { 0x6EE, 0x6FF, ARABIC, NULL, 1 },
    { 0x904, 0x95F, OTHERS, "hi", 1 },   { 0x985, 0x9E5, OTHERS, "bn", 1 },
    { 0xA05, 0xA5E, OTHERS, "pa", 1 },   { 0xA85, 0xADF, OTHERS, "gu", 1 },
    { 0xB05, 0xB5F, OTHERS, "or", 1 },   { 0xB83, 0xBCD, OTHERS, "ta", 1 },
    { 0xC05, 0xC5F, OTHERS, "te", 1 },   { 0xC85, 0xCDF, OTHERS, "kn", 1 },
    { 0xD05, 0xD5F, OTHERS, "ml", 1 },   { 0xD85, 0xDDF, OTHERS, "si", 1 },
    { 0xE01, 0xE4E, OTHERS, "th", 1 },   { 0xE81, 0xECE, OTHERS, "lo", 1 },
    { 0xF40, 0xFBC, OTHERS, "bo", 1 },   { 0x1000, 0x103F, OTHERS, "my", 1 },
    { 0x10A0, 0x10FF, OTHERS, "ka", 1 }, { 0x1100, 0x11FF, OTHERS, "ko", 1 },
    { 0x1200, 0x135A, OTHERS, "am", 1 }, { 0x1780, 0x17D3, OTHERS, "km", 1 },
    { 0x1E00, 0x1EFF, LATIN, NULL, 1 },  { 0x1F00, 0x1FFF, OTHERS, "el", 1 },
    { 0x3041, 0x30FF, KANA, NULL, 2 },   { 0x3131, 0x318E, OTHERS, "ko", 2 },
    { 0x31F0, 0x31FF, KANA, NULL, 2 },   { 0x3400, 0x4DBF, HAN, NULL, 3 },
    { 0x4E00, 0x9FFF, HAN, NULL, 3 },    { 0xAC00, 0xD7A3, OTHERS, "ko", 2 },
    { 0xF900, 0xFAFF, HAN, NULL, 3 },    { 0xFB50, 0xFDFF, ARABIC, NULL, 1 },
    { 0xFE70, 0xFEFC, ARABIC, NULL, 1 }, { 0xFF66, 0xFF9D, KANA, NULL, 2 },
    { 0x20000, 0x3FFFF, HAN, NULL, 3 },
};
enum { LETTERS = 5 }; /* of Latin or Cyrillic; fewer say nothing */
enum { RANGES = sizeof ranges / sizeof *ranges };

static const struct range *range_of(uint32_t c) {
    int low = 0, high = RANGES - 1;
    while (low <= high) {
        const int middle = (low + high) / 2;
        if (c < ranges[middle].first)
            high = middle - 1;
        else if (c > ranges[middle].last)
            low = middle + 1;
        else
            return &ranges[middle];
    }
    return NULL;
}

/* Letters of one language that use Arabic script; one that none of ours has stands for all others
 * (Kurdish, Pashto, Uyghur, Sindhi). */
static const char urdu[] = "ٹڈڑںےھہ", persian[] = "پچژگیک", arabic[] = "ةىيكأإؤ",
                  strange[] = "ۆێڵڕښځۍډګۇېۈڪٻڀٿ";

/* -- counting ---------------------------------------------------------------------------------- */

typedef struct counted {
    int64_t weight[RANGES]; /* by range */
    int64_t all;
    int64_t letters; /* of Latin and Cyrillic */
    int64_t arabic, persian, urdu, strange;
} counted;

static bool has(const char *letters, const char *letter, size_t size) {
    for (const char *at = letters; (at = strchr(at, letter[0])) != NULL; at++)
        if (strncmp(at, letter, size) == 0) return true;
    return false;
}

/* Whether a word counts: no address, @name or $SHARE, nothing that redaction put there. */
static bool word_counts(const char *word, size_t size) {
    if (word[0] == '@' || word[0] == '$' || memchr(word, '@', size)) return false;
    if (size > 3 && memcmp(word, "www.", 4) == 0) return false;
    if (memmem(word, size, "://", 3)) return false;
    static const char *const redacted[] = {
        "[mail]", "[phone]", "[card]", "[id]", "[iban]", "[ip]"
    };
    for (size_t i = 0; i < sizeof redacted / sizeof *redacted; i++)
        if (memmem(word, size, redacted[i], strlen(redacted[i]))) return false;
    return true;
}

/* Calls fn for each letter of words that count. */
typedef void (*letter_fn)(void *user, uint32_t c, const char *at, size_t size);
static void each_letter(const char *text, letter_fn fn, void *user) {
    static const char blank[] = " \t\r\n";
    for (text += strspn(text, blank); *text; text += strspn(text, blank)) {
        const size_t word = strcspn(text, blank);
        const bool counts = word_counts(text, word);
        for (size_t at = 0; counts && at < word;) {
            uint32_t c = 0;
            const size_t size = heed__utf8_next(text + at, word - at, &c);
            if (size) fn(user, c, text + at, size);
            at += size ? size : 1;
        }
        text += word;
    }
}

static void count_letter(void *user, uint32_t c, const char *at, size_t size) {
    counted *n = user;
    const struct range *r = range_of(c);
    if (!r) return;
    n->weight[r - ranges] += r->weight;
    n->all += r->weight;
    if (r->script == LATIN || r->script == CYRILLIC) n->letters++;
    if (r->script != ARABIC) return;
    n->arabic += has(arabic, at, size);
    n->persian += has(persian, at, size);
    n->urdu += has(urdu, at, size);
    n->strange += has(strange, at, size);
}

static int64_t of_script(const counted *n, script s) {
    int64_t sum = 0;
    for (int i = 0; i < RANGES; i++)
        if (ranges[i].script == s) sum += n->weight[i];
    return sum;
}

static int64_t of_code(const counted *n, const char *code) {
    int64_t sum = 0;
    for (int i = 0; i < RANGES; i++)
        if (ranges[i].code && strcmp(ranges[i].code, code) == 0) sum += n->weight[i];
    return sum;
}

/* -- by script --------------------------------------------------------------------------------- */

/* The script with the most letters; *main may be NULL. */
static heed_spoken by_script(const counted *n, script *main) {
    heed_spoken s = { 0 };
    const int64_t han = of_script(n, HAN), kana = of_script(n, KANA),
                  of_arabic = of_script(n, ARABIC);
    int64_t best = 0;
    script which = NONE;
    for (int i = 0; i < RANGES; i++) {
        const int64_t sum = ranges[i].code ? of_code(n, ranges[i].code)
                            : ranges[i].script == HAN || ranges[i].script == KANA
                                ? han + kana
                                : of_script(n, ranges[i].script);
        if (sum <= best) continue;
        best = sum;
        which = ranges[i].script;
        s.code = ranges[i].code;
    }
    if (main) *main = which;
    if (best == 0) return (heed_spoken){ 0 };
    s.confidence = (double)best / (double)n->all;
    s.asks = which == LATIN || which == CYRILLIC;
    if (which == HAN || which == KANA) s.code = 10 * kana >= han + kana ? "ja" : "zh";
    if (which == ARABIC) {
        s.code = n->urdu > 0 ? "ur" : n->persian > n->arabic ? "fa" : "ar";
        if (n->strange * 20 > of_arabic || n->strange > 2) s.code = NULL;
        if (n->urdu + n->persian + n->arabic == 0) s.confidence *= 0.6;
    }
    if (!s.code) s.confidence = 0;
    return s;
}

heed_spoken heed_language(const char *text) {
    counted n = { 0 };
    each_letter(text, count_letter, &n);
    return by_script(&n, NULL);
}

/* -- by letters and a classifier --------------------------------------------------------------- */

/* Small letters beyond ASCII that a language is written with, those of usual loans too. */
static const struct alphabet {
    const char *code, *letters;
    bool cyrillic;
} alphabets[] = {
    { "bg", "абвгдежзийклмнопрстуфхцчшщъьюяѝ", true },
    { "ca", "àçéèíïóòúü", false },
    { "cs", "áčďéěíňóřšťúůýž", false },
    { "da", "æøåé", false },
    { "de", "äöüß", false },
    { "en", "é", false },
    { "es", "áéíñóúü", false },
    { "fi", "äöåšž", false },
    { "fil", "ñ", false },
    { "fr", "àâæçéèêëîïôœùûüÿ", false },
    { "hu", "áéíóöőúüű", false },
    { "id", "é", false },
    { "is", "áðéíóúýþæö", false },
    { "it", "àèéìíîòóùú", false },
    { "lt", "ąčęėįšųūž", false },
    { "lv", "āčēģīķļņšūž", false },
    { "mk", "абвгдѓежзѕијклљмнњопрстќуфхцчџшѐѝ", true },
    { "nb", "æøåéèêóòô", false },
    { "nl", "éëïóöüèáíê", false },
    { "pl", "ąćęłńóśźż", false },
    { "pt", "áâãàçéêíóôõúü", false },
    { "ro", "ăâîșțşţ", false },
    { "ru", "абвгдеёжзийклмнопрстуфхцчшщъыьэюя", true },
    { "sh", "čćđšž", false },
    { "sk", "áäčďéíĺľňóôŕšťúýž", false },
    { "sl", "čšž", false },
    { "sr", "абвгдђежзијклљмнњопрстћуфхцчџш", true },
    { "sv", "åäöé", false },
    { "tr", "çğıöşüâîû", false },
    { "uk", "абвгґдеєжзиіїйклмнопрстуфхцчшщьюя", true },
    { "vi", "àáâãèéêìíòóôõùúýăđĩũơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ", false },
};

typedef struct fitting {
    const struct alphabet *alphabet[HEED_LANGUAGES]; /* NULL: unknown to us */
    int64_t foreign[HEED_LANGUAGES];
    int64_t n;
} fitting;

static void fit_letter(void *user, uint32_t c, const char *at, size_t size) {
    fitting *f = user;
    const struct range *r = range_of(c);
    if (c < 0x80 || !r || (r->script != LATIN && r->script != CYRILLIC)) return;
    uint32_t small[2] = { c };
    if (heed__uni_small(c, small) != 1) small[0] = c;
    char letter[4];
    if (small[0] != c && small[0] < 0x800) { /* all small letters that differ are of two bytes... */
        letter[0] = (char)(0xC0 | small[0] >> 6);
        letter[1] = (char)(0x80 | (small[0] & 63));
        at = letter, size = 2;
    } else if (small[0] != c && small[0] < 0x10000) { /* ...or three: Vietnamese */
        letter[0] = (char)(0xE0 | small[0] >> 12);
        letter[1] = (char)(0x80 | (small[0] >> 6 & 63));
        letter[2] = (char)(0x80 | (small[0] & 63));
        at = letter, size = 3;
    }
    for (int64_t i = 0; i < f->n; i++)
        if (f->alphabet[i] && !has(f->alphabet[i]->letters, at, size)) f->foreign[i]++;
}

heed_spoken heed_language_of(const char *text, const char *const *label, const float *prob,
                             int64_t n) {
    counted letters = { 0 };
    script main = NONE;
    each_letter(text, count_letter, &letters);
    heed_spoken s = by_script(&letters, &main);
    if (!s.asks || n < 1 || n > HEED_LANGUAGES) return s;
    s.confidence = 0;
    if (letters.letters < LETTERS) return s;
    fitting f = { .n = n };
    for (int64_t i = 0; i < n; i++)
        for (size_t a = 0; a < sizeof alphabets / sizeof *alphabets; a++)
            if (alphabets[a].code[0] == label[i][0] && strcmp(alphabets[a].code, label[i]) == 0)
                f.alphabet[i] = &alphabets[a];
    each_letter(text, fit_letter, &f);
    double sum = 0, best = 0;
    int64_t at = 0;
    for (int64_t i = 0; i < n; i++) {
        double p = (double)prob[i];
        if (f.alphabet[i] && f.alphabet[i]->cyrillic != (main == CYRILLIC)) p = 0;
        for (int64_t k = 0; k < f.foreign[i] && k < 4; k++) p *= 0.1;
        sum += p;
        if (p > best) best = p, at = i;
    }
    /* what no label explains stays unexplained: a tenth of a thousandth of all chances; and one
     * letter in sixteen that is none of the language's leaves nothing */
    const double part = (double)of_script(&letters, main) / (double)letters.all;
    const double misfit = 16 * (double)f.foreign[at] / (double)letters.letters;
    const double confidence = misfit < 1 ? best / (sum + 1e-4) * part * (1 - misfit) : 0;
    if (confidence < 0.5) return s;
    s.code = label[at];
    s.confidence = confidence;
    return s;
}
