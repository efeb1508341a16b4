/* signs.c: words and numbers as signs; see signs.h. */
#include "text/signs.h"

#include "base/alloc.h"
#include "base/hash.h"

/* What a number tells. */
typedef enum { FIRST, MORE, LESS, SAME, YEAR, PLAIN } standing;

static const uint64_t NUMBER = 0x94d049bb133111ebu;

void heed__signs_begin(heed_signs *s) {
    s->len = 0;
    s->end = 0;
    s->compared = false;
}

static bool digit(char c) {
    return c >= '0' && c <= '9';
}

static bool all_digits(const heed_word *w) {
    for (int i = 0; i < w->len; i++)
        if (!digit(w->form[i])) return false;
    return w->len > 0;
}

/* Whether the comma at `at` parts thousands: three digits follow and no fourth. */
static bool thousands(const char *text, size_t size, size_t at) {
    size_t n = 0;
    while (at + 1 + n < size && digit(text[at + 1 + n])) n++;
    return text[at] == ',' && n == 3;
}

/* Reads the number that begins at `at`; where it ends. *value is below 0 where it has two points,
 * as dates have. */
static size_t read_number(const char *text, size_t size, size_t at, double *value) {
    double sum = 0, unit = 1;
    bool fraction = false, odd = false;
    for (; at < size; at++) {
        const bool mark = (text[at] == '.' || text[at] == ',') && at + 1 < size &&
                          digit(text[at + 1]);
        if (digit(text[at])) {
            sum = sum * 10 + (text[at] - '0');
            unit = fraction ? unit * 10 : unit;
        } else if (mark && !thousands(text, size, at)) {
            odd = odd || fraction;
            fraction = true;
        } else if (!mark) {
            break;
        }
    }
    *value = odd ? -1 : sum / unit;
    return at;
}

static standing stand(heed_signs *s, double value, bool year) {
    if (value < 0) return PLAIN;
    if (year) return YEAR;
    const standing is = !s->compared       ? FIRST
                        : value > s->value ? MORE
                        : value < s->value ? LESS
                                           : SAME;
    s->compared = true;
    s->value = value;
    return is;
}

int heed__signs_add(heed_signs *s, const char *text, size_t size, const heed_word *word,
                    uint64_t hash, const heed_hooks *hooks) {
    if (s->end && word->begin < s->end) return 0;
    if (heed__grow(hooks, &s->sign, &s->cap, s->len + 1, sizeof *s->sign)) return HEED_ENOMEM;
    heed_sign *to = &s->sign[s->len++];
    *to = (heed_sign){ .hash = hash };
    if (!all_digits(word)) return 0;
    double value;
    s->end = read_number(text, size, word->begin, &value);
    const bool year = s->end - word->begin == 4 && value >= 1900 && value < 2100;
    *to = (heed_sign){ .hash = heed__hash_spread(NUMBER + (uint64_t)stand(s, value, year)),
                       .number = true };
    return 0;
}

void heed__signs_free(heed_signs *s, const heed_hooks *hooks) {
    heed__free(hooks, s->sign);
    *s = (heed_signs){ .len = 0 };
}
