/* tokenizer_open.c: the files that tokenizers come in. What is no tokenizer.json becomes the tree
 * of one, with the normalizer and so on that such files are used with. */
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "text/tok_json.h"
#include "text/tokenizer.h"

enum { MOST = 1 << 30, PATH = 4096 };

static heed_tokenizer *fail(heed_error *err, int code, const char *path, const char *what) {
    heed__error(err, code, "%.400s: %s", path, what);
    return NULL;
}

static bool exists(const char *folder, const char *file, char path[PATH]) {
    struct stat s;
    const size_t n = heed__format(path, PATH, "%s/%s", folder, file);
    return n + 1 < PATH && stat(path, &s) == 0 && S_ISREG(s.st_mode);
}

static bool ends_with(const char *text, const char *end) {
    const size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

/* The same folder's other file. */
static bool beside(const char *path, const char *file, char other[PATH]) {
    const char *slash = strrchr(path, '/');
    char folder[PATH];
    heed__format(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) : 1,
                 slash ? path : ".");
    return exists(folder[0] ? folder : "/", file, other);
}

static heed_tokenizer *open_json(const char *path, const heed_hooks *hooks, heed_error *err) {
    char *text;
    size_t size;
    if (heed__file_read(hooks, path, MOST, &text, &size, err)) return NULL;
    heed_tokenizer *tok = heed_tokenizer_from(text, size, path, hooks, err);
    heed__free(hooks, text);
    return tok;
}

/* Adds a token to the list of added ones, and to *post's parts, if the model has it. */
static json_t *special_list(const heed__tok_model *m, const char *const *names) {
    json_t *list = json_array();
    for (; list && *names; names++) {
        const int32_t id = heed__tok_find(m, *names, strlen(*names));
        if (id < 0) continue;
        json_t *one = json_pack("{s:i, s:s, s:b, s:b}", "id", id, "content", *names, "normalized",
                                0, "special", 1);
        if (!one || json_array_append_new(list, one)) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

/* Are letters made small? tokenizer_config.json says so; without one, a vocabulary without any
 * capital letter does. */
static int wants_small(const char *path, const heed__tok_model *m, const heed_hooks *hooks,
                       bool *small, heed_error *err) {
    char other[PATH];
    if (beside(path, "tokenizer_config.json", other)) {
        json_t *config = heed__json_read(hooks, other, MOST, err);
        if (!config) return err->code;
        const json_t *v = json_object_get(config, "do_lower_case");
        *small = !json_is_false(v);
        json_decref(config);
        return 0;
    }
    *small = true;
    for (int64_t i = 0; *small && i < heed__tok_len(m); i++) {
        size_t n = 0;
        const char *t = heed__tok_token(m, (int32_t)i, &n);
        if (!t || n == 0 || t[0] == '[' || t[0] == '<') continue;
        *small = t[0] < 'A' || t[0] > 'Z';
    }
    return 0;
}

static heed_tokenizer *finish(json_t *tree, json_t *added, heed__tok_model *m, const char *path,
                              const heed_hooks *hooks, heed_error *err) {
    if (!tree || !added || json_object_set_new(tree, "added_tokens", added)) {
        if (!tree) json_decref(added);
        json_decref(tree);
        heed__tok_model_free(m);
        return fail(err, HEED_ENOMEM, path, "out of memory");
    }
    heed_tokenizer *tok = heed__tokenizer_make(tree, m, path, hooks, err);
    json_decref(tree);
    return tok;
}

static heed_tokenizer *open_wordpiece(const char *path, const heed_hooks *hooks, heed_error *err) {
    static const char *const names[] = { "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", NULL };
    char *text;
    size_t size;
    bool small = true;
    if (heed__file_read(hooks, path, MOST, &text, &size, err)) return NULL;
    heed__tok_model *m = heed__tok_model_vocab_txt(text, size, path, hooks, err);
    heed__free(hooks, text);
    if (!m) return NULL;
    if (wants_small(path, m, hooks, &small, err)) {
        heed__tok_model_free(m);
        return NULL;
    }
    json_t *tree = json_pack("{s:{s:s, s:b, s:b, s:n, s:b}, s:{s:s}, s:{s:s, s:s, s:b}}",
                             "normalizer", "type", "BertNormalizer", "clean_text", 1,
                             "handle_chinese_chars", 1, "strip_accents", "lowercase", small,
                             "pre_tokenizer", "type", "BertPreTokenizer", "decoder", "type",
                             "WordPiece", "prefix", "##", "cleanup", 1);
    const int32_t cls = heed__tok_find(m, "[CLS]", 5), sep = heed__tok_find(m, "[SEP]", 5);
    if (tree && cls >= 0 && sep >= 0) {
        json_t *post = json_pack("{s:s, s:[s, i], s:[s, i]}", "type", "BertProcessing", "sep",
                                 "[SEP]", sep, "cls", "[CLS]", cls);
        if (json_object_set_new(tree, "post_processor", post)) {
            json_decref(tree);
            tree = NULL;
        }
    }
    return finish(tree, special_list(m, names), m, path, hooks, err);
}

static heed_tokenizer *open_bytes(const char *path, const char *merges, const heed_hooks *hooks,
                                  heed_error *err) {
    static const char *const names[] = { "<s>",    "<pad>",         "</s>", "<unk>",
                                         "<mask>", "<|endoftext|>", NULL };
    char *text;
    size_t size;
    if (heed__file_read(hooks, path, MOST, &text, &size, err)) return NULL;
    json_t *vocab = heed__tok_json_parse(text, size, path, hooks, err);
    heed__free(hooks, text);
    if (!vocab) return NULL;
    heed__tok_model *m = NULL;
    if (heed__file_read(hooks, merges, MOST, &text, &size, err) == 0) {
        m = heed__tok_model_merges_txt(vocab, text, size, merges, hooks, err);
        heed__free(hooks, text);
    }
    json_decref(vocab);
    if (!m) return NULL;
    json_t *tree = json_pack("{s:{s:s, s:b, s:b, s:b}, s:{s:s, s:b, s:b, s:b}, s:{s:s, s:b, s:b, "
                             "s:b}}",
                             "pre_tokenizer", "type", "ByteLevel", "add_prefix_space", 0,
                             "trim_offsets", 1, "use_regex", 1, "post_processor", "type",
                             "ByteLevel", "add_prefix_space", 1, "trim_offsets", 0, "use_regex", 1,
                             "decoder", "type", "ByteLevel", "add_prefix_space", 1, "trim_offsets",
                             1, "use_regex", 1);
    return finish(tree, special_list(m, names), m, path, hooks, err);
}

static heed_tokenizer *open_sentencepiece(const char *path, const heed_hooks *hooks,
                                          heed_error *err) {
    char *bytes;
    size_t size;
    if (heed__file_read(hooks, path, MOST, &bytes, &size, err)) return NULL;
    json_t *tree = heed__tok_sentencepiece(bytes, size, path, hooks, err);
    heed__free(hooks, bytes);
    if (!tree) return NULL;
    heed_tokenizer *tok = heed__tokenizer_make(tree, NULL, path, hooks, err);
    json_decref(tree);
    return tok;
}

static heed_tokenizer *open_folder(const char *path, const heed_hooks *hooks, heed_error *err) {
    static const char *const files[] = {
        "tokenizer.json",          "vocab.json", "vocab.txt", "tokenizer.model", "spiece.model",
        "sentencepiece.bpe.model", NULL
    };
    char file[PATH];
    for (const char *const *f = files; *f; f++)
        if (exists(path, *f, file)) return heed_tokenizer_open(file, hooks, err);
    return fail(err, HEED_ENOTFOUND, path,
                "no tokenizer.json, vocab.txt, vocab.json or SentencePiece .model in this folder");
}

heed_tokenizer *heed_tokenizer_open(const char *path, const heed_hooks *hooks, heed_error *err) {
    if (heed__lacks(path, "tokenizer", "path", err)) return NULL;
    struct stat s;
    char other[PATH];
    heed_error unseen;
    if (!err) err = &unseen;
    *err = (heed_error){ 0 };
    if (strlen(path) >= PATH - 64) return fail(err, HEED_EINVALID, path, "the path is too long");
    if (stat(path, &s) == 0 && S_ISDIR(s.st_mode)) return open_folder(path, hooks, err);
    if (ends_with(path, ".model")) return open_sentencepiece(path, hooks, err);
    if (ends_with(path, ".txt")) {
        if (!ends_with(path, "merges.txt")) return open_wordpiece(path, hooks, err);
        if (beside(path, "vocab.json", other)) return open_bytes(other, path, hooks, err);
        return fail(err, HEED_ENOTFOUND, path, "no vocab.json beside it");
    }
    if (ends_with(path, "vocab.json")) {
        if (beside(path, "merges.txt", other)) return open_bytes(path, other, hooks, err);
        return fail(err, HEED_ENOTFOUND, path, "no merges.txt beside it");
    }
    return open_json(path, hooks, err);
}
