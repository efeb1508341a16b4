/* model_unigram.c: the unigram language model (Kudo 2018): of all ways to cut a piece into tokens
 * the one whose scores (logarithms of probabilities) sum highest, found from left to right
 * (Viterbi). A character that no token of its own covers costs the lowest score less ten; runs of
 * such become one unknown token, or the bytes <0x00> to <0xFF> where byte_fallback says so. Of
 * equal sums the one found first stays: the leftmost beginning, as in the reference. Ways with the
 * same tokens in another order differ by rounding alone, so that scores must have the reference's
 * last bit too: it reads a decimal as its digits divided by a power of ten, rounded twice. */
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "text/tok_models.h"
#include "text/tok_trie.h"

static const double UNKNOWN_PENALTY = 10;

typedef struct unigram {
    heed__tok_words words;
    double *score;   /* [words.vocab.ids] */
    double *written; /* [words.vocab.ids] the same as the file has them */
    bool *hidden;    /* [words.vocab.ids] never found in texts; NULL: none */
    heed__tok_trie trie;
    double unk_score;
    int32_t unk_id;        /* -1: none */
    int32_t fallback[256]; /* <0x00> to <0xFF>, -1: none */
    bool byte_fallback;
    bool single; /* sums are kept in single precision, as SentencePiece does */
} unigram;

/* The best way to a place of the piece: its sum, its last token and where that begins. */
typedef struct node {
    double score;
    int32_t id, begin; /* begin -1: not reached */
} node;

typedef struct unigram_scratch {
    heed__tok_scratch head;
    node *nodes;
    int64_t cap;
} unigram_scratch;

static heed__tok_scratch *scratch_new(const heed__tok_model *m) {
    unigram_scratch *s = heed__calloc(&m->hooks, 1, sizeof *s);
    if (!s) return NULL;
    s->head.model = m;
    return &s->head;
}

static void scratch_free(heed__tok_scratch *scratch) {
    const heed_hooks hooks = scratch->model->hooks;
    heed__free(&hooks, ((unigram_scratch *)scratch)->nodes);
    heed__free(&hooks, scratch);
}

static void unigram_free(heed__tok_model *m) {
    unigram *u = (unigram *)m;
    const heed_hooks hooks = m->hooks;
    heed__tok_vocab_free(&u->words.vocab);
    heed__trie_free(&u->trie);
    heed__free(&hooks, u->score);
    heed__free(&hooks, u->written);
    heed__free(&hooks, u->hidden);
    heed__free(&hooks, u);
}

/* -- encoding --------------------------------------------------------------------------------- */

static size_t char_size(unsigned char lead) {
    return lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

static inline void reach(const unigram *u, node *to, double score, int32_t id, size_t begin) {
    if (u->single) score = (float)score;
    if (to->begin >= 0 && score <= to->score) return;
    *to = (node){ score, id, (int32_t)begin };
}

/* Fills nodes[1..size]; nodes[i] is the best way to cut the first i bytes. */
static int forward(const unigram *u, node *nodes, const char *piece, size_t size, heed_error *err) {
    nodes[0] = (node){ 0, 0, 0 };
    for (size_t i = 1; i <= size; i++) nodes[i].begin = -1;
    size_t len;
    for (size_t at = 0; at < size; at += len) {
        const double here = nodes[at].score;
        len = char_size((unsigned char)piece[at]);
        if (len > size - at) len = size - at;
        bool covered = false;
        int32_t n = 0;
        for (size_t i = at; i < size; i++) {
            n = heed__trie_step(&u->trie, n, (unsigned char)piece[i]);
            if (n < 0) break;
            const int32_t id = u->trie.units[n].value;
            if (id < 0) continue;
            reach(u, &nodes[i + 1], u->score[id] + here, id, at);
            covered |= i + 1 - at == len;
        }
        if (covered) continue;
        node *to = &nodes[at + len];
        double sum = u->unk_score + here;
        if (u->single) sum = (float)sum;
        if (to->begin >= 0 && sum <= to->score) continue;
        if (u->unk_id < 0)
            return heed__error(err, HEED_EINVALID,
                               "Unigram: a character is not known and the model has no unk_id");
        *to = (node){ sum, u->unk_id, (int32_t)at };
    }
    return 0;
}

/* One segment that is no token by itself. */
static int unknown(const unigram *u, const char *piece, uint32_t begin, uint32_t end,
                   heed__tok_pieces *out, heed_error *err) {
    int32_t id =
        -1; /* what has no way through the trie may be a token still, but for SentencePiece */
    if (!u->single) id = heed__tok_vocab_find(&u->words.vocab, piece + begin, end - begin);
    bool bytes = id < 0 && u->byte_fallback;
    for (uint32_t i = begin; i < end && bytes; i++)
        bytes = u->fallback[(unsigned char)piece[i]] >= 0;
    if (heed__tok_room(&u->words.head, out, bytes ? end - begin : 1, err)) return HEED_ENOMEM;
    if (!bytes) out->item[out->len++] = (heed__tok_piece){ id < 0 ? u->unk_id : id, begin, end };
    for (uint32_t i = begin; i < end && bytes; i++)
        out->item[out->len++] = (heed__tok_piece){ u->fallback[(unsigned char)piece[i]],
                                                   u->single ? i : begin, u->single ? i + 1 : end };
    return 0;
}

static int unigram_encode(const heed__tok_model *m, heed__tok_scratch *scratch, const char *piece,
                          size_t size, heed__tok_pieces *out, heed_error *err) {
    const unigram *u = (const unigram *)m;
    unigram_scratch *s = (unigram_scratch *)scratch;
    if (heed__grow(&m->hooks, &s->nodes, &s->cap, (int64_t)size + 1, sizeof *s->nodes))
        return heed__tok_no_memory(err);
    node *nodes = s->nodes;
    const int rc = forward(u, nodes, piece, size, err);
    if (rc) return rc;
    /* the best path backwards: each node on it learns where its segment ends */
    int32_t end = (int32_t)size, after = -1;
    for (int32_t at = end; at > 0;) {
        const int32_t begin = nodes[at].begin;
        nodes[at].begin = after; /* of the next node on the path */
        after = at;
        at = begin;
    }
    uint32_t begin = 0;
    for (int32_t at = after; at >= 0;) {
        int32_t next = nodes[at].begin;
        if (nodes[at].id != u->unk_id) {
            if (heed__tok_room(m, out, 1, err)) return HEED_ENOMEM;
            out->item[out->len++] = (heed__tok_piece){ nodes[at].id, begin, (uint32_t)at };
        } else {
            while (next >= 0 && nodes[next].id == u->unk_id) at = next, next = nodes[next].begin;
            if (unknown(u, piece, begin, (uint32_t)at, out, err)) return HEED_ENOMEM;
        }
        begin = (uint32_t)at;
        at = next;
    }
    return 0;
}

/* -- loading and saving ----------------------------------------------------------------------- */

static json_t *unigram_save(const heed__tok_model *m) {
    const unigram *u = (const unigram *)m;
    json_t *vocab = json_array();
    for (int32_t id = 0; id < u->words.vocab.ids && vocab; id++) {
        size_t size;
        const char *token = heed__tok_vocab_token(&u->words.vocab, id, &size);
        json_t *one = json_pack("[o, f]", json_stringn(token, size), u->written[id]);
        if (json_array_append_new(vocab, one)) {
            json_decref(vocab);
            vocab = NULL;
        }
    }
    json_t *model = json_pack("{s:s, s:o, s:o, s:b}", "type", "Unigram", "unk_id",
                              u->unk_id < 0 ? json_null() : json_integer(u->unk_id), "vocab", vocab,
                              "byte_fallback", u->byte_fallback);
    int bad = heed__tok_hidden_save(&u->words, u->hidden, model);
    if (u->single && model) bad |= json_object_set_new(model, "single", json_true());
    if (!bad) return model;
    json_decref(model);
    return NULL;
}

static int32_t unigram_spelled(const heed__tok_model *m) {
    return ((const unigram *)m)->unk_id;
}

static const heed__tok_ops ops = {
    .type = "Unigram",
    .free = unigram_free,
    .scratch = scratch_new,
    .scratch_free = scratch_free,
    .encode = unigram_encode,
    .find = heed__tok_words_find,
    .token = heed__tok_words_token,
    .len = heed__tok_words_len,
    .save = unigram_save,
    .spelled = unigram_spelled,
};

/* The digits of a decimal without an exponent, and the power of ten that divides them; 0: it has
 * one. */
static uint64_t digits_of(const char *text, double *power) {
    uint64_t digits = 0;
    bool point = false;
    *power = 1;
    for (const char *c = text + (text[0] == '-'); *c; c++) {
        if (*c != '.' && (*c < '0' || *c > '9')) return 0;
        if (point) *power *= 10; /* exact up to 22 */
        if (*c != '.') digits = digits * 10 + (uint64_t)(*c - '0');
        point |= *c == '.';
    }
    return digits;
}

/* value as the reference reads its shortest decimal: all digits as one integer, rounded, divided by
 * a power of ten, and rounded again. Up to 2^53 the first is exact and value comes back. */
static double as_read(double value) {
    char text[HEED_NUMBER_SIZE];
    double power;
    const double size = value < 0 ? -value : value;
    heed__format(text, sizeof text, "%.17g", value);
    uint64_t digits = digits_of(text, &power);
    const uint64_t shorter = (digits + 5) / 10;
    if (digits < UINT64_C(1) << 53 || (double)shorter / (power / 10) == size) return value;
    if (shorter > UINT64_C(1) << 53) digits = digits_of(heed__double_text(value, text), &power);
    const double read = (double)digits / power;
    return value < 0 ? -read : read;
}

static int read_vocab(unigram *u, const json_t *list, const char *name, heed_error *err) {
    const size_t n = json_array_size(list);
    if (!json_is_array(list) || n > HEED_TOK_MAX_ID)
        return heed__error(err, HEED_EFORMAT, "%s: vocab is not a list of at most %d tokens", name,
                           HEED_TOK_MAX_ID);
    u->score = heed__calloc(&u->words.head.hooks, n + 1, sizeof *u->score);
    u->written = heed__calloc(&u->words.head.hooks, n + 1, sizeof *u->written);
    if (!u->score || !u->written) return heed__error(err, HEED_ENOMEM, "%s: out of memory", name);
    double lowest = 0;
    for (size_t i = 0; i < n; i++) {
        const json_t *one = json_array_get(list, i), *token = json_array_get(one, 0),
                     *score = json_array_get(one, 1);
        if (json_array_size(one) != 2 || !json_is_string(token) || !json_is_number(score))
            return heed__error(err, HEED_EFORMAT, "%s: vocab[%zu] is not a token and its score",
                               name, i);
        u->written[i] = json_number_value(score);
        u->score[i] = u->single ? u->written[i] : as_read(u->written[i]);
        if (i == 0 || u->score[i] < lowest) lowest = u->score[i];
        if (heed__tok_vocab_add(&u->words.vocab, json_string_value(token),
                                json_string_length(token), (int64_t)i))
            return heed__error(err, HEED_ENOMEM, "%s: out of memory", name);
    }
    u->unk_score = lowest - UNKNOWN_PENALTY;
    if (u->single) u->unk_score = (float)u->unk_score;
    return 0;
}

static int finish(unigram *u, const char *name, heed_error *err) {
    const heed__tok_vocab *v = &u->words.vocab;
    heed__trie_key *keys = heed__calloc(&v->hooks, (size_t)v->len + 1, sizeof *keys);
    int64_t n = 0;
    for (int32_t id = 0; id < v->ids && keys; id++) {
        size_t size;
        const char *token = heed__tok_vocab_token(v, id, &size);
        if (size && !(u->hidden && u->hidden[id]) && heed__tok_vocab_find(v, token, size) == id)
            keys[n++] = (heed__trie_key){ token, (uint32_t)size, id };
    }
    u->trie.hooks = v->hooks;
    const int rc = keys ? heed__trie_build(&u->trie, keys, n) : HEED_ENOMEM;
    heed__free(&v->hooks, keys);
    if (rc) return heed__error(err, rc, "%s: out of memory", name);
    heed__tok_fallback(v, u->fallback);
    return 0;
}

heed__tok_model *heed__tok_load_unigram(const json_t *object, const char *name,
                                        const heed_hooks *hooks, heed_error *err) {
    unigram *u = heed__calloc(hooks, 1, sizeof *u);
    if (!u) {
        heed__error(err, HEED_ENOMEM, "%s: out of memory", name);
        return NULL;
    }
    u->words.head.ops = &ops;
    if (hooks) u->words.head.hooks = *hooks;
    u->words.vocab.hooks = u->words.head.hooks;
    int rc = heed__tok_field_bool(object, "byte_fallback", name, &u->byte_fallback, err);
    if (!rc) rc = heed__tok_field_bool(object, "single", name, &u->single, err);
    if (!rc) rc = read_vocab(u, json_object_get(object, "vocab"), name, err);
    if (!rc) rc = heed__tok_hidden(object, &u->words, name, &u->hidden, err);
    const json_t *unk = json_object_get(object, "unk_id");
    u->unk_id = -1;
    if (!rc && unk && !json_is_null(unk)) {
        const int64_t id = json_is_integer(unk) ? json_integer_value(unk) : -1;
        if (id < 0 || id >= u->words.vocab.ids)
            rc = heed__error(err, HEED_EFORMAT, "%s: unk_id is no place of the vocabulary", name);
        u->unk_id = (int32_t)id;
    }
    if (!rc) rc = finish(u, name, err);
    if (!rc) return &u->words.head;
    unigram_free(&u->words.head);
    return NULL;
}
