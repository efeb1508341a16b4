/* word_rows.c: texts as rows of word numbers. */
#include "tasks/word_rows.h"

#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/folder.h"
#include "base/text.h"
#include "text/words.h"

enum { VOCAB_MOST = 1 << 30 };

/* The words of one text, one after another: those given, or those that it is cut into. */
typedef struct words {
    const char *text;
    size_t size, at;
    const heed_piece *given;
    int64_t next, last; /* of given */
    bool no_marks;
} words;

static words words_of(const heed_texts *x, int64_t i) {
    words w = {
        .text = x->text[i], .size = strlen(x->text[i]), .given = x->word, .no_marks = x->no_marks
    };
    if (x->word) w.next = x->word_start[i], w.last = x->word_start[i + 1];
    return w;
}

static bool next(words *w, heed_word *word) {
    bool got = !w->given;
    while (!w->given && got) {
        got = heed__word_next(w->text, w->size, &w->at, word);
        if (!got || !w->no_marks || !heed__word_is_mark(word)) return got;
    }
    if (w->next == w->last) return false;
    heed__word_whole(w->text, w->given[w->next].begin, w->given[w->next].end, word);
    w->next++;
    return true;
}

heed_vocab *heed__vocab_of(const heed_texts *x, int64_t keep, const heed_hooks *hooks,
                           heed_error *err) {
    heed_vocab *v = heed__vocab_new(hooks, err);
    if (!v) return NULL;
    heed_word word;
    int rc = 0;
    for (int64_t i = 0; i < x->len && rc == 0; i++) {
        words w = words_of(x, i);
        while (rc == 0 && next(&w, &word))
            if (word.len) rc = heed__vocab_count(v, word.form, (size_t)word.len);
    }
    if (rc == 0) rc = heed__vocab_finish(v, keep);
    if (rc == 0) return v;
    heed__error(err, rc, "vocabulary: out of memory");
    heed__vocab_free(v);
    return NULL;
}

static int append(const heed_vocab *v, const heed_word *word, bool places, heed_rows *r,
                  int64_t at) {
    if (heed__grow(&r->hooks, &r->id, &r->id_cap, at + 1, sizeof *r->id)) return HEED_ENOMEM;
    r->id[at] = word->len ? heed__vocab_find(v, word->form, (size_t)word->len) : HEED_VOCAB_UNKNOWN;
    if (!places) return 0;
    if (heed__grow(&r->hooks, &r->place, &r->place_cap, at + 1, sizeof *r->place) ||
        heed__grow(&r->hooks, &r->known, &r->known_cap, at + 1, sizeof *r->known))
        return HEED_ENOMEM;
    r->place[at] = (heed_piece){ word->begin, word->end };
    r->known[at] = r->id[at] != HEED_VOCAB_UNKNOWN;
    return 0;
}

static int encode_one(const heed_vocab *v, const heed_texts *x, const heed_rows_cfg *cfg,
                      heed_rows *r) {
    const int64_t i = r->len, begin = r->start[i];
    words w = words_of(x, i);
    heed_word word;
    int64_t n = 0;
    for (; next(&w, &word); n++) {
        if (append(v, &word, cfg->places, r, begin + n)) return HEED_ENOMEM;
        if (r->first) r->first[x->word_start[i] + n] = begin + n;
    }
    r->total[i] = n;
    word = (heed_word){ .begin = 0 };
    if (n == 0 && append(v, &word, cfg->places, r, begin)) return HEED_ENOMEM;
    heed__rows_end_row(r, x, cfg);
    return 0;
}

int heed__word_rows(const heed_vocab *v, const heed_texts *x, const heed_rows_cfg *cfg,
                    heed_rows *r, heed_error *err) {
    int rc = heed__rows_begin(r, x, err);
    for (int64_t i = 0; i < x->len && rc == 0; i++) {
        rc = encode_one(v, x, cfg, r);
        if (rc) heed__error(err, rc, "texts: out of memory");
    }
    return rc;
}

int heed__vocab_save(const heed_vocab *v, const char *dir, const heed_hooks *hooks,
                     heed_error *err) {
    char path[HEED_PATH_SIZE];
    size_t size = 0;
    heed__format(path, sizeof path, "%s/vocab.txt", dir);
    char *text = heed__vocab_text(v, &size);
    if (!text) return heed__error(err, HEED_ENOMEM, "%s: out of memory", path);
    const int rc = heed__file_write(hooks, path, text, size, err);
    heed__free(hooks, text);
    return rc;
}

heed_vocab *heed__vocab_open(const char *dir, int64_t len, const heed_hooks *hooks,
                             heed_error *err) {
    char path[HEED_PATH_SIZE], *text = NULL;
    size_t size = 0;
    heed__format(path, sizeof path, "%s/vocab.txt", dir);
    if (heed__file_regular(path, err) ||
        heed__file_read(hooks, path, VOCAB_MOST, &text, &size, err))
        return NULL;
    heed_vocab *v = heed__vocab_parse(text, size, path, hooks, err);
    heed__free(hooks, text);
    if (!v || heed__vocab_len(v) == len) return v;
    heed__error(err, HEED_EFORMAT, "%s: %lld words, where config.json says %lld", path,
                (long long)heed__vocab_len(v) - HEED_VOCAB_SPECIAL,
                (long long)len - HEED_VOCAB_SPECIAL);
    heed__vocab_free(v);
    return NULL;
}
