/* sentencepiece.c: a SentencePiece `.model` (Kudo and Richardson 2018), a Protocol Buffers message,
 * as the tree of a tokenizer.json of the same meaning. Pieces in the order of their ids; a piece of
 * two and more characters in a BPE model becomes a merge for each way to cut it into two pieces,
 * all of one rank, the higher score first.
 *
 * Some fields are ours alone and make ids, offsets and decodings equal SentencePiece's own, ties
 * and all; other programs pass over them: of Unigram "hidden", ids that are not looked for in texts
 * (bytes, unused), and "single": scores are summed in single precision; of BPE "ranks", the rank of
 * each merge, and "frozen", ids of the user's pieces, which are found first and never joined; of
 * WordLevel "split", what each word begins with, "byte_fallback" and "hidden"; of an added token
 * "in_model": it is not looked for in texts by itself; of Precompiled "longest": the longest key
 * counts; of the normalizers' Sequence "touch": a token reaches as far as where the next one
 * begins, and its "whole": all characters of such a text stand for all of it; of Replace "after":
 * what it puts at the end stands for nothing; of the decoder Metaspace "leading", which tokens lose
 * a space: none, the first (one), or all until there is text (all); of ByteFallback "each": a
 * broken byte among good ones is one replacement character. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/base64.h"
#include "base/text.h"
#include "text/protobuf.h"
#include "text/tok_json.h"
#include "text/tok_model.h"
#include "text/tok_vocab.h"

enum { NORMAL = 1, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE };
enum { UNIGRAM = 1, BPE, WORDS, CHARACTERS }; /* the last: a Unigram of single characters */
static const char SPACE[] = "\xe2\x96\x81";   /* the letter that stands for a space */
enum { SPACE_SIZE = sizeof SPACE - 1 };
static const char SURFACE[] = " \xe2\x81\x87 ";

typedef struct piece {
    const char *text;
    uint32_t size;
    float score;
    int type;
} piece;

typedef struct spm {
    const char *name;
    const heed_hooks *hooks;
    heed_error *err;
    piece *pieces; /* [len], texts point into the file */
    int64_t len, cap;
    heed__tok_vocab vocab;
    int64_t kind;
    bool byte_fallback, suffix_space;
    const unsigned char *charsmap;
    size_t charsmap_size;
    bool no_prefix, keep_spaces, no_escape;
    int64_t unk;         /* -1: none */
    const char *surface; /* what decoding writes for it; NULL: SURFACE */
    size_t surface_size;
} spm;

/* -- the message ------------------------------------------------------------------------------ */

static int cut(const spm *s, const heed__proto *p) {
    return heed__error(s->err, HEED_EFORMAT,
                       "%s: byte %lld: not a SentencePiece model, or cut short", s->name,
                       (long long)(p->at - p->start));
}

static int no_memory(const spm *s) {
    return heed__error(s->err, HEED_ENOMEM, "%s: out of memory", s->name);
}

static int bad_piece(const spm *s, const char *what) {
    return heed__error(s->err, HEED_EFORMAT, "%s: piece %lld %s", s->name, (long long)s->len, what);
}

static int read_piece(spm *s, heed__proto p) {
    piece one = { .text = "", .type = NORMAL };
    while (heed__proto_next(&p)) {
        if (p.number == 1 && p.wire == 2 && p.size < UINT32_MAX) {
            one.text = (const char *)p.data;
            one.size = (uint32_t)p.size;
        } else if (p.number == 2 && p.wire == 5) {
            one.score = heed__proto_float(&p);
        } else if (p.number == 3 && p.wire == 0) {
            one.type = p.value >= NORMAL && p.value <= BYTE ? (int)p.value : 0;
        }
    }
    if (p.bad) return cut(s, &p);
    if (!one.size) return bad_piece(s, "is empty");
    if (!one.type) return bad_piece(s, "has a type that does not exist");
    if (!isfinite(one.score)) return bad_piece(s, "has a score that is not a finite number");
    if (heed__utf8_check(one.text, one.size) < one.size) return bad_piece(s, "is not UTF-8");
    if (heed__tok_json_taken(one.text, one.size))
        return bad_piece(s, "holds the noncharacters U+10FFFF U+FDD0");
    if (s->len > HEED_TOK_MAX_ID) return bad_piece(s, "is one too many");
    if (heed__tok_vocab_find(&s->vocab, one.text, one.size) >= 0)
        return bad_piece(s, "is there twice");
    if (one.type == UNKNOWN && s->unk >= 0) return bad_piece(s, "is a second unknown piece");
    if (heed__tok_vocab_add(&s->vocab, one.text, one.size, s->len) ||
        heed__grow(s->hooks, &s->pieces, &s->cap, s->len + 1, sizeof *s->pieces))
        return no_memory(s);
    if (one.type == UNKNOWN) s->unk = s->len;
    s->pieces[s->len++] = one;
    return 0;
}

static int read_trainer(spm *s, heed__proto p) {
    while (heed__proto_next(&p)) {
        if (p.number == 44 && p.wire == 2)
            s->surface = (const char *)p.data, s->surface_size = p.size;
        if (p.wire != 0) continue;
        if (p.number == 3) s->kind = p.value < 100 ? (int64_t)p.value : 0;
        if (p.number == 24) s->suffix_space = p.value != 0;
        if (p.number == 35) s->byte_fallback = p.value != 0;
    }
    return p.bad ? cut(s, &p) : 0;
}

static int read_normalizer(spm *s, heed__proto p) {
    while (heed__proto_next(&p)) {
        if (p.number == 2 && p.wire == 2) s->charsmap = p.data, s->charsmap_size = p.size;
        if (p.wire != 0) continue;
        if (p.number == 3) s->no_prefix = p.value == 0;
        if (p.number == 4) s->keep_spaces = p.value == 0;
        if (p.number == 5) s->no_escape = p.value == 0;
    }
    return p.bad ? cut(s, &p) : 0;
}

static int read_model(spm *s, const void *bytes, size_t size) {
    heed__proto p = { .at = bytes, .start = bytes, .end = (const unsigned char *)bytes + size };
    int rc = 0;
    while (!rc && heed__proto_next(&p)) {
        if (p.wire != 2) continue;
        if (p.number == 1) rc = read_piece(s, heed__proto_inside(&p));
        if (p.number == 2) rc = read_trainer(s, heed__proto_inside(&p));
        if (p.number == 3) rc = read_normalizer(s, heed__proto_inside(&p));
    }
    if (rc) return rc;
    if (p.bad) return cut(s, &p);
    if (!s->len) return heed__error(s->err, HEED_EFORMAT, "%s: no piece", s->name);
    if (s->unk < 0) return heed__error(s->err, HEED_EFORMAT, "%s: no unknown piece", s->name);
    if (s->kind < UNIGRAM || s->kind > CHARACTERS)
        return heed__error(s->err, HEED_EUNSUPPORTED,
                           "%s: a model of kind %lld; there are: 1 (Unigram), 2 (BPE), 3 (words), "
                           "4 (characters)",
                           s->name, (long long)s->kind);
    return 0;
}

/* -- the model -------------------------------------------------------------------------------- */

/* A user's piece counts as in SentencePiece 0.2.3, the more the longer; rarely another cut wins. */
static float unigram_score(const piece *p) {
    return p->type == USER_DEFINED ? (float)(0.1 * (double)p->size - 0.1) : p->score;
}

/* Ids of pieces that no text is searched for. */
static json_t *hidden(const spm *s, bool unused) {
    json_t *list = json_array();
    for (int64_t i = 0; i < s->len && list; i++) {
        const int type = s->pieces[i].type;
        if (type == NORMAL || type == USER_DEFINED || (type == UNUSED && !unused)) continue;
        if (!json_array_append_new(list, json_integer(i))) continue;
        json_decref(list);
        return NULL;
    }
    return list;
}

static json_t *unigram(const spm *s) {
    float lowest = 0;
    bool any = false;
    for (int64_t i = 0; i < s->len; i++) {
        if (s->pieces[i].type != NORMAL) continue;
        if (!any || s->pieces[i].score < lowest) lowest = s->pieces[i].score;
        any = true;
    }
    json_t *vocab = json_array();
    int bad = !vocab;
    for (int64_t i = 0; i < s->len && !bad; i++) {
        const piece *p = &s->pieces[i];
        const bool in_texts = p->type == NORMAL || p->type == USER_DEFINED;
        /* what is not looked for must not be the lowest score, which the unknown one hangs on */
        const float score = in_texts ? unigram_score(p) : lowest;
        bad = json_array_append_new(
            vocab, json_pack("[o, f]", json_stringn(p->text, p->size), (double)score));
    }
    if (!bad)
        return json_pack("{s:s, s:I, s:o, s:b, s:b, s:o}", "type", "Unigram", "unk_id",
                         (json_int_t)s->unk, "vocab", vocab, "byte_fallback", s->byte_fallback,
                         "single", true, "hidden", hidden(s, true));
    json_decref(vocab);
    return NULL;
}

static int by_score(const void *a, const void *b) {
    const piece *const *x = a, *const *y = b;
    if ((*x)->score != (*y)->score) return (*x)->score > (*y)->score ? -1 : 1;
    return *x < *y ? -1 : *x > *y;
}

static bool mergeable(const spm *s, const char *text, size_t size) {
    const int32_t id = heed__tok_vocab_find(&s->vocab, text, size);
    return id >= 0 && s->pieces[id].type == NORMAL;
}

/* Merges and their ranks. */
typedef struct merge_lists {
    json_t *merges, *ranks;
} merge_lists;

/* All ways to cut one piece in two. */
static int add_merges(const spm *s, const merge_lists *to, const piece *p, int64_t rank) {
    for (uint32_t i = 1; i < p->size; i++) {
        if (((unsigned char)p->text[i] & 0xc0) == 0x80) continue;
        if (!mergeable(s, p->text, i) || !mergeable(s, p->text + i, p->size - i)) continue;
        if (json_array_append_new(to->merges, json_pack("[o, o]", json_stringn(p->text, i),
                                                        json_stringn(p->text + i, p->size - i))) ||
            json_array_append_new(to->ranks, json_integer(rank)))
            return HEED_ENOMEM;
    }
    return 0;
}

/* 0, or HEED_ENOMEM and empty lists. */
static int merges_of(const spm *s, merge_lists *to) {
    const piece **order = heed__calloc(s->hooks, (size_t)s->len, sizeof *order);
    *to = (merge_lists){ json_array(), json_array() };
    int64_t n = 0, rank = 0;
    int rc = order && to->merges && to->ranks ? 0 : HEED_ENOMEM;
    for (int64_t i = 0; i < s->len && !rc; i++)
        if (s->pieces[i].type == NORMAL) order[n++] = &s->pieces[i];
    if (n) qsort(order, (size_t)n, sizeof *order, by_score);
    for (int64_t i = 0; i < n && !rc; i++) {
        if (i && order[i]->score != order[i - 1]->score) rank++;
        rc = add_merges(s, to, order[i], rank);
    }
    heed__free(s->hooks, order);
    if (!rc) return 0;
    json_decref(to->merges);
    json_decref(to->ranks);
    *to = (merge_lists){ 0 };
    return rc;
}

static json_t *frozen(const spm *s) {
    json_t *list = json_array();
    for (int64_t i = 0; i < s->len && list; i++)
        if (s->pieces[i].type == USER_DEFINED && json_array_append_new(list, json_integer(i))) {
            json_decref(list);
            list = NULL;
        }
    return list;
}

static json_t *bpe(const spm *s) {
    const piece *unk = &s->pieces[s->unk];
    merge_lists lists;
    if (merges_of(s, &lists)) return NULL;
    return json_pack("{s:s, s:o, s:b, s:b, s:o, s:o, s:o, s:o}", "type", "BPE", "unk_token",
                     json_stringn(unk->text, unk->size), "fuse_unk", true, "byte_fallback",
                     s->byte_fallback, "vocab", heed__tok_vocab_save(&s->vocab), "merges",
                     lists.merges, "ranks", lists.ranks, "frozen", frozen(s));
}

static json_t *words(const spm *s) {
    const piece *unk = &s->pieces[s->unk];
    return json_pack("{s:s, s:o, s:o, s:s, s:b, s:o}", "type", "WordLevel", "vocab",
                     heed__tok_vocab_save(&s->vocab), "unk_token",
                     json_stringn(unk->text, unk->size), "split", SPACE, "byte_fallback",
                     s->byte_fallback, "hidden", hidden(s, false));
}

static json_t *model(const spm *s) {
    return s->kind == BPE ? bpe(s) : s->kind == WORDS ? words(s) : unigram(s);
}

/* -- what stands around it -------------------------------------------------------------------- */

static char *base64(const spm *s) {
    heed_text text = { .hooks = s->hooks };
    heed__base64_put(&text, s->charsmap, s->charsmap_size, 0);
    return heed__text_take(&text, NULL);
}

static json_t *replace(const char *kind, const char *pattern, const char *content) {
    return json_pack("{s:s, s:{s:s}, s:s}", "type", "Replace", "pattern", kind, pattern, "content",
                     content);
}

/* The user's pieces, which no normalization changes. */
static json_t *users(const spm *s) {
    json_t *list = json_array();
    for (int64_t i = 0; i < s->len && list; i++) {
        const piece *p = &s->pieces[i];
        if (p->type != USER_DEFINED || !json_array_append_new(list, json_stringn(p->text, p->size)))
            continue;
        json_decref(list);
        list = NULL;
    }
    return list;
}

static json_t *normalizer(const spm *s) {
    json_t *list = json_array();
    int bad = list ? 0 : 1;
    if (!bad && s->charsmap_size) {
        char *text = base64(s);
        bad |= !text ||
               json_array_append_new(list, json_pack("{s:s, s:s, s:b, s:o}", "type", "Precompiled",
                                                     "precompiled_charsmap", text, "longest", true,
                                                     "keep", users(s)));
        heed__free(s->hooks, text);
    }
    const char *space = s->no_escape ? " " : SPACE;
    const bool last = s->suffix_space && !s->no_prefix;
    if (!bad && !s->keep_spaces) {
        const char *ends = last           ? "\\A +"
                           : s->no_escape ? "\\A +| +\\z"
                                          : "\\A +|[ \xe2\x96\x81]+\\z";
        bad |= json_array_append_new(list, replace("Regex", ends, ""));
        bad |= json_array_append_new(list, replace("Regex", "(?<= ) +", ""));
    }
    if (!bad && !s->no_prefix && !s->suffix_space)
        bad |= json_array_append_new(list,
                                     json_pack("{s:s, s:s}", "type", "Prepend", "prepend", space));
    if (!bad && !s->no_escape) bad |= json_array_append_new(list, replace("String", " ", SPACE));
    if (!bad && last) {
        const char *end = s->keep_spaces ? "(?<=(?m:.))\\z"
                          : s->no_escape ? " *\\z"
                                         : "\xe2\x96\x81*\\z";
        json_t *one = replace("Regex", end, space);
        bad |= json_object_set_new(one, "after", json_true()) || json_array_append(list, one);
        json_decref(one);
    }
    if (!bad)
        return json_pack("{s:s, s:o, s:b, s:o}", "type", "Sequence", "normalizers", list, "touch",
                         true, "whole", users(s));
    json_decref(list);
    return NULL;
}

/* Cutting before each space (after it where spaces end words) changes nothing as long as no piece
 * holds one further inside; but sums of scores round differently then, which decides between equal
 * ones. */
static bool may_split(const spm *s) {
    if (s->kind != BPE) return false;
    const int32_t space = heed__tok_vocab_find(&s->vocab, SPACE, SPACE_SIZE);
    if (s->no_escape || space < 0 || s->pieces[space].type != NORMAL) return false;
    for (int64_t i = 0; i < s->len; i++) {
        const piece *p = &s->pieces[i];
        const char *at = memmem(p->text, p->size, SPACE, SPACE_SIZE);
        if (at && !s->suffix_space && at == p->text)
            at = memmem(p->text + 1, p->size - 1, SPACE, SPACE_SIZE);
        if (at && s->suffix_space && at + SPACE_SIZE == p->text + p->size) at = NULL;
        if (at && (p->type == NORMAL || p->type == USER_DEFINED)) return false;
    }
    return true;
}

static json_t *pre_tokenizer(const spm *s) {
    if (!may_split(s)) return json_null();
    if (s->suffix_space)
        return json_pack("{s:s, s:{s:s}, s:s, s:b}", "type", "Split", "pattern", "String", SPACE,
                         "behavior", "MergedWithPrevious", "invert", false);
    return json_pack("{s:s, s:s, s:s, s:b}", "type", "Metaspace", "replacement", SPACE,
                     "prepend_scheme", "never", "split", true);
}

/* The pattern of the unknown piece and nothing else. */
static json_t *whole_pattern(const spm *s, const piece *p) {
    heed_text text = { .hooks = s->hooks };
    heed__text_puts(&text, "\\A");
    for (uint32_t i = 0; i < p->size; i++) {
        const unsigned char c = (unsigned char)p->text[i];
        if (c < 0x80 && (unsigned char)(c - '0') >= 10 && (unsigned char)((c | 32) - 'a') >= 26)
            heed__text_put(&text, '\\');
        heed__text_put(&text, p->text[i]);
    }
    heed__text_puts(&text, "\\z");
    char *pattern = heed__text_take(&text, NULL);
    json_t *made = pattern ? json_pack("{s:s}", "Regex", pattern) : NULL;
    heed__free(s->hooks, pattern);
    return made;
}

static json_t *decoder(const spm *s) {
    const piece *unk = &s->pieces[s->unk];
    const bool usual = !s->surface ||
                       heed__utf8_check(s->surface, s->surface_size) < s->surface_size;
    json_t *unknown = json_pack(
        "{s:s, s:o, s:o}", "type", "Replace", "pattern", whole_pattern(s, unk), "content",
        usual ? json_string(SURFACE) : json_stringn(s->surface, s->surface_size));
    const bool goes = !s->no_prefix || !s->keep_spaces;
    json_t *spaces = json_pack(
        "{s:s, s:s, s:s, s:b, s:s}", "type", "Metaspace", "replacement", SPACE, "prepend_scheme",
        goes && !s->suffix_space ? "always" : "never", "split", false, "leading",
        !goes            ? "none"
        : s->keep_spaces ? "one"
                         : "all");
    return json_pack("{s:s, s:[o, o, {s:s, s:b}, {s:s}]}", "type", "Sequence", "decoders", unknown,
                     spaces, "type", "ByteFallback", "each", true, "type", "Fuse");
}

static json_t *added_tokens(const spm *s) {
    json_t *list = json_array();
    for (int64_t i = 0; i < s->len && list; i++) {
        const piece *p = &s->pieces[i];
        const bool special = p->type == CONTROL || p->type == UNKNOWN;
        if (!special && !(p->type == USER_DEFINED && s->kind == BPE)) continue;
        json_t *one = json_pack("{s:I, s:o, s:b, s:b, s:b, s:b, s:b, s:b}", "id", (json_int_t)i,
                                "content", json_stringn(p->text, p->size), "single_word", false,
                                "lstrip", false, "rstrip", false, "normalized", false, "special",
                                special, "in_model", true);
        if (json_array_append_new(list, one)) {
            json_decref(list);
            list = NULL;
        }
    }
    return list;
}

json_t *heed__tok_sentencepiece(const void *bytes, size_t size, const char *name,
                                const heed_hooks *hooks, heed_error *err) {
    spm s = { .name = name, .hooks = hooks, .err = err, .unk = -1, .kind = UNIGRAM };
    if (hooks) s.vocab.hooks = *hooks;
    json_t *tree = NULL;
    if (!read_model(&s, bytes, size)) {
        tree = json_pack("{s:s, s:n, s:n, s:o, s:o, s:o, s:n, s:o, s:o}", "version", "1.0",
                         "truncation", "padding", "added_tokens", added_tokens(&s), "normalizer",
                         normalizer(&s), "pre_tokenizer", pre_tokenizer(&s), "post_processor",
                         "decoder", decoder(&s), "model", model(&s));
        if (!tree) no_memory(&s);
    }
    heed__tok_vocab_free(&s.vocab);
    heed__free(hooks, s.pieces);
    return tree;
}
