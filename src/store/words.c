/* words.c: texts cut into words, the tokenizer of FTS5 made of it, and queries. */
#include "store/words.h"

#include <string.h>
#include <utf8proc.h>

#include "base/alloc.h"
#include "base/text.h"
#include "store/marks.h"
#include "store/rank.h"

enum { WORD_SIZE = 256, FOLDS = 32 };

typedef enum kind { BREAK, LETTER, JOINED, PICTOGRAPH, IGNORED } kind;

static bool between(uint32_t c, uint32_t first, uint32_t last) {
    return c >= first && c <= last;
}

/* Of a script that is written without spaces (or, as Korean, with endings that hide the word). */
static bool without_spaces(uint32_t c) {
    if (c < 0x0E00) return false;
    return between(c, 0x3400, 0x9FFF) || between(c, 0x3005, 0x30FF) || between(c, 0xAC00, 0xD7A3) ||
           between(c, 0x0E00, 0x0EFF) || between(c, 0x1000, 0x109F) || between(c, 0x1100, 0x11FF) ||
           between(c, 0x1780, 0x17FF) || between(c, 0x3100, 0x31FF) || between(c, 0xA960, 0xA97F) ||
           between(c, 0xF900, 0xFAFF) || between(c, 0xFF66, 0xFFDC) ||
           between(c, 0x1B000, 0x1B16F) || between(c, 0x20000, 0x3FFFF);
}

static kind kind_of(uint32_t c) {
    if (c < 0x80) {
        const uint32_t small = c | 0x20;
        return between(small, 'a', 'z') || between(c, '0', '9') ? LETTER : BREAK;
    }
    if (c == 0xAD || between(c, 0x200B, 0x200D) || between(c, 0xFE00, 0xFE0F) || c == 0xFEFF ||
        between(c, 0xE0100, 0xE01EF))
        return IGNORED;
    switch (utf8proc_category((utf8proc_int32_t)c)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO:
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_CO:
        return without_spaces(c) ? JOINED : LETTER;
    case UTF8PROC_CATEGORY_SO:
        return c >= 0x2600 ? PICTOGRAPH : BREAK;
    default:
        return BREAK;
    }
}

/* An accent: a mark that belongs to no script of its own. */
static bool accent(uint32_t c) {
    return between(c, 0x0300, 0x036F) || between(c, 0x1AB0, 0x1AFF) || between(c, 0x1DC0, 0x1DFF) ||
           between(c, 0x20D0, 0x20FF) || between(c, 0xFE20, 0xFE2F);
}

static int put(char *to, uint32_t c) {
    return (int)utf8proc_encode_char((utf8proc_int32_t)c, (utf8proc_uint8_t *)to);
}

/* A letter folded, at most `room` bytes of it; how many. */
static int fold(uint32_t c, char *to, int room) {
    utf8proc_int32_t out[FOLDS];
    int bound = 0, len = 0;
    const utf8proc_ssize_t n = utf8proc_decompose_char(
        (utf8proc_int32_t)c, out, FOLDS, UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD,
        &bound);
    for (utf8proc_ssize_t i = 0; i < n && i < FOLDS; i++) {
        const uint32_t f = (uint32_t)out[i];
        if (!accent(f) && kind_of(f) != BREAK && len + 4 <= room) len += put(to + len, f);
    }
    return len;
}

/* A joined character in its usual form: those of compatibility are others of the same script. */
static uint32_t usual(uint32_t c) {
    if (!between(c, 0xF900, 0xFAFF) && !between(c, 0xFF66, 0xFFDC) && !between(c, 0x2F800, 0x2FA1F))
        return c;
    utf8proc_int32_t out[FOLDS];
    int bound = 0;
    const utf8proc_ssize_t n = utf8proc_decompose_char(
        (utf8proc_int32_t)c, out, FOLDS, UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT, &bound);
    return n >= 1 ? (uint32_t)out[0] : c;
}

typedef struct cutter {
    const char *text;
    size_t size, at;
    bool query;
    heed_word_fn fn;
    void *user;
    /* the character at `at` */
    uint32_t code;
    size_t len;
    kind kind;
    /* of a query: the last character of a run, a word only if another follows; waits: its bytes */
    char last[4];
    int waits, last_begin, last_end;
} cutter;

static int give_word(cutter *c, const char *word, int len, size_t begin, size_t end) {
    int failed = 0;
    if (c->waits) failed = c->fn(c->user, c->last, c->waits, c->last_begin, c->last_end);
    c->waits = 0;
    return failed ? failed : c->fn(c->user, word, len, (int)begin, (int)end);
}

/* Looks at the next character; false at the end. Bytes that are no UTF-8 break. */
static bool look(cutter *c) {
    if (c->at >= c->size) return false;
    const unsigned char byte = (unsigned char)c->text[c->at];
    if (byte < 0x80) {
        c->code = byte, c->len = 1;
        c->kind = kind_of(byte);
        return true;
    }
    c->len = heed__utf8_next(c->text + c->at, c->size - c->at, &c->code);
    c->kind = c->len ? kind_of(c->code) : BREAK;
    if (!c->len) c->len = 1;
    return true;
}

static int cut_letters(cutter *c) {
    char word[WORD_SIZE];
    const size_t begin = c->at;
    size_t end = begin;
    int len = 0;
    do {
        if (c->kind == LETTER) {
            if (c->code < 0x80) {
                if (len < WORD_SIZE)
                    word[len++] = (char)(between(c->code, 'A', 'Z') ? c->code | 0x20 : c->code);
            } else {
                len += fold(c->code, word + len, WORD_SIZE - len);
            }
            end = c->at + c->len;
        }
        c->at += c->len;
    } while (look(c) && (c->kind == LETTER || c->kind == IGNORED));
    return len ? give_word(c, word, len, begin, end) : 0;
}

static int cut_joined(cutter *c) {
    char pair[8];
    int first = 0, len = 0; /* bytes of the character before, and of it and this one */
    size_t before = c->at, end = c->at;
    bool pairs = false;
    do {
        if (c->kind == JOINED) {
            len = first + put(pair + first, usual(c->code));
            end = c->at + c->len;
            if (first) {
                const int failed = give_word(c, pair, len, before, end);
                if (failed) return failed;
                pairs = true;
                memmove(pair, pair + first, (size_t)(len - first));
            }
            first = len - first;
            before = c->at;
        }
        c->at += c->len;
    } while (look(c) && (c->kind == JOINED || c->kind == IGNORED));
    if (!pairs || !c->query) return give_word(c, pair, first, before, end);
    memcpy(c->last, pair, (size_t)first);
    c->waits = first, c->last_begin = (int)before, c->last_end = (int)end;
    return 0;
}

int heed__words(const char *text, int size, bool query, heed_word_fn fn, void *user) {
    cutter c = {
        .text = text, .size = size > 0 ? (size_t)size : 0, .query = query, .fn = fn, .user = user
    };
    int failed = 0;
    while (!failed && look(&c)) {
        if (c.kind == LETTER) {
            failed = cut_letters(&c);
        } else if (c.kind == JOINED) {
            failed = cut_joined(&c);
        } else {
            if (c.kind == PICTOGRAPH)
                failed = give_word(&c, text + c.at, (int)c.len, c.at, c.at + c.len);
            c.at += c.len;
        }
    }
    return failed;
}

/* -- the tokenizer of FTS5 -------------------------------------------------------------------- */

typedef struct fts_words {
    void *context;
    int (*token)(void *, int, const char *, int, int, int);
} fts_words;

static int give(void *user, const char *word, int len, int begin, int end) {
    const fts_words *f = user;
    return f->token(f->context, 0, word, len, begin, end);
}

static int fts_create(void *context, const char **args, int n, Fts5Tokenizer **out) {
    (void)args;
    if (n) return SQLITE_ERROR;
    *out = context; /* it has no state: any pointer that is not NULL */
    return SQLITE_OK;
}

static void fts_delete(Fts5Tokenizer *tokenizer) {
    (void)tokenizer;
}

static int fts_cut(Fts5Tokenizer *tokenizer, void *context, int flags, const char *text, int size,
                   int (*token)(void *, int, const char *, int, int, int)) {
    (void)tokenizer;
    fts_words f = { context, token };
    return heed__words(text, size, (flags & FTS5_TOKENIZE_QUERY) != 0, give, &f);
}

int heed__words_register(sqlite3 *db, heed_error *err) {
    fts5_api *api = NULL;
    sqlite3_stmt *stmt = NULL;
    int code = sqlite3_prepare_v2(db, "SELECT fts5(?1)", -1, &stmt, NULL);
    if (code == SQLITE_OK) code = sqlite3_bind_pointer(stmt, 1, &api, "fts5_api_ptr", NULL);
    if (code == SQLITE_OK) code = sqlite3_step(stmt) == SQLITE_ROW ? SQLITE_OK : SQLITE_ERROR;
    sqlite3_finalize(stmt);
    static fts5_tokenizer tokenizer = { fts_create, fts_delete, fts_cut };
    if (code == SQLITE_OK && api)
        code = api->xCreateTokenizer(api, "heed", &tokenizer, &tokenizer, NULL);
    if (code == SQLITE_OK && api) code = heed__marks_register(api);
    if (code == SQLITE_OK && api) code = heed__rank_register(api);
    if (code == SQLITE_OK && api) return HEED_OK;
    if (sqlite3_errcode(db) == SQLITE_NOMEM || code == SQLITE_NOMEM)
        return heed__error(err, HEED_ENOMEM, "out of memory for the full-text index");
    return heed__error(err, HEED_EUNSUPPORTED, "this SQLite has no FTS5");
}

/* -- queries ---------------------------------------------------------------------------------- */

typedef struct query {
    const heed_hooks *hooks;
    char *text;
    int64_t len, cap;
    bool any, failed;
} query;

static void append(query *q, const char *text, size_t size) {
    if (q->failed || heed__grow(q->hooks, &q->text, &q->cap, q->len + (int64_t)size + 1, 1)) {
        q->failed = true;
        return;
    }
    memcpy(q->text + q->len, text, size);
    q->len += (int64_t)size;
    q->text[q->len] = 0;
}

typedef struct last_word {
    int words;
    bool single; /* the last one is a joined character by itself */
} last_word;

static int note_last(void *user, const char *word, int len, int begin, int end) {
    (void)begin, (void)end;
    last_word *l = user;
    uint32_t code;
    l->words++;
    l->single = heed__utf8_next(word, (size_t)len, &code) == (size_t)len && kind_of(code) == JOINED;
    return 0;
}

/* One piece as a phrase; a single character at its end may begin a pair. */
static void append_piece(query *q, const char *text, size_t size) {
    last_word last = { 0 };
    heed__words(text, (int)size, true, note_last, &last);
    if (!last.words) return;
    if (q->len) append(q, q->any ? " OR " : " AND ", q->any ? 4 : 5);
    append(q, "\"", 1); /* there is no '"' in a piece */
    append(q, text, size);
    append(q, "\"", 1);
    if (last.single) append(q, " *", 2);
}

char *heed__words_query(const heed_hooks *hooks, const char *text, bool any, heed_error *err) {
    query q = { .hooks = hooks, .any = any };
    const char *p = text;
    while (*p) {
        if (*p == '"') {
            const size_t len = strcspn(p + 1, "\"");
            append_piece(&q, p + 1, len);
            p += 1 + len + (p[1 + len] == '"');
        } else {
            const size_t len = strcspn(p, "\" \t\r\n\v\f");
            if (len) append_piece(&q, p, len);
            p += len + (p[len] && p[len] != '"');
        }
    }
    if (!q.len) append(&q, "\"\"", 2); /* the phrase of no words, which is nowhere */
    if (!q.failed) return q.text;
    heed__free(hooks, q.text);
    heed__error(err, HEED_ENOMEM, "out of memory for a query");
    return NULL;
}
