/* cmd_tokenize.c: `heed tokenize TOKENIZER|MODEL [FILE]`: a text a line in, its tokens out; or,
 * with --decode, ids in and the text out. A model without a tokenizer cuts texts into words. */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/commands.h"
#include "app/messages.h"
#include "app/options.h"
#include "app/print.h"
#include "base/alloc.h"
#include "base/input.h"
#include "base/json.h"
#include "base/text.h"
#include "heed/text.h"
#include "tasks/units.h"

typedef struct run {
    heed_tokenizer *tok; /* or */
    heed_units *units;   /* of a model of words */
    heed_input *in;
    bool json, decode, skip_special;
    heed_encode_cfg cfg;
    heed_encoding own, *e; /* the tokenizer's; of the text at hand: own or units->words */
    heed_string text;
    uint32_t *place; /* of each byte of a text: the number of its character */
    size_t place_cap;
    int32_t *id; /* read with --decode */
    size_t id_len, id_cap;
} run;

static int fail(const run *r, int code, heed_error *err, const char *what) {
    char why[sizeof err->msg];
    snprintf(why, sizeof why, "%s", what); /* what may lie in *err */
    err->code = code;
    snprintf(err->msg, sizeof err->msg, "%.180s:%" PRId64 ": %.300s", heed__input_name(r->in),
             heed__input_line_number(r->in), why);
    return code;
}

/* -- offsets in characters -------------------------------------------------------------------- */

static bool count_places(run *r, const char *text, size_t size) {
    if (r->place_cap < size + 1) {
        free(r->place);
        r->place_cap = size + size / 2 + 64;
        r->place = malloc(r->place_cap * sizeof *r->place);
        if (!r->place) {
            r->place_cap = 0;
            return false;
        }
    }
    uint32_t n = 0;
    for (size_t i = 0; i < size; i++) {
        n += ((unsigned char)text[i] & 0xC0u) != 0x80u;
        r->place[i] = n - 1;
    }
    r->place[size] = n;
    return true;
}

/* Turns the offsets of one of the texts, whose places are counted, from bytes into characters. */
static void count_characters(run *r, size_t size, int sequence) {
    heed_encoding *e = r->e;
    for (int64_t i = 0; i < e->len; i++) {
        if (e->sequence[i] != sequence) continue;
        const size_t b = e->begin[i], x = e->end[i];
        e->begin[i] = b <= size ? r->place[b] : b;
        e->end[i] = x <= size ? r->place[x] : x;
    }
}

static void print_ids(const int32_t *id, int64_t len) {
    printf("{\"ids\": [");
    for (int64_t i = 0; i < len; i++) printf("%s%" PRId32, i ? ", " : "", id[i]);
    printf("]");
}

/* Of each word the rows of a table that its vector is the sum of. */
static void print_rows(const heed_units *u, int64_t len) {
    printf(", \"rows\": [");
    for (int64_t i = 0; i < len; i++) {
        printf("%s[", i ? ", " : "");
        for (int64_t at = u->bag[i]; at < u->bag[i + 1]; at++)
            printf("%s%" PRId32, at > u->bag[i] ? ", " : "", u->feature[at]);
        printf("]");
    }
    printf("]");
}

/* docs/schemas/tokenize.json */
static void print_json(const run *r) {
    const heed_encoding *e = r->e;
    print_ids(e->id, e->len);
    printf(", \"offsets\": [");
    for (int64_t i = 0; i < e->len; i++)
        printf("%s[%zu, %zu]", i ? ", " : "", e->begin[i], e->end[i]);
    printf("], \"tokens\": [");
    for (int64_t i = 0; i < e->len; i++) {
        if (i) printf(", ");
        print_json_text(e->token[i].data, e->token[i].size);
    }
    printf("], \"decoded\": ");
    print_json_text(r->text.text, r->text.size);
    if (r->units && r->units->bag) print_rows(r->units, e->len);
    printf("}\n");
}

/* One line of text: what would end it is escaped. */
static void print_plain(const char *text, size_t size) {
    for (size_t i = 0; i < size; i++) {
        const char c = text[i];
        if (c == '\n' || c == '\r')
            printf(c == '\n' ? "\\n" : "\\r");
        else
            putchar(c);
    }
}

/* -- one text --------------------------------------------------------------------------------- */

/* The words of a model with blanks between them, as what is decoded. */
static int join(run *r, size_t size, heed_error *err) {
    heed_string *t = &r->text;
    if (heed__grow(&t->hooks, &t->text, &t->cap, (int64_t)(2 * size + 1), 1))
        return heed__error(err, HEED_ENOMEM, "out of memory");
    t->size = 0;
    for (int64_t i = 0; i < r->e->len; i++) {
        const heed_bytes word = r->e->token[i];
        if (i) t->text[t->size++] = ' ';
        memcpy(t->text + t->size, word.data, word.size);
        t->size += word.size;
    }
    t->text[t->size] = 0;
    return 0;
}

/* Its tokens, or a model's words, in *r->e. */
static int cut(run *r, const char *text, size_t size, heed_error *err) {
    if (!r->units) {
        const int rc = heed_tokenizer_encode(r->tok, text, size, &r->cfg, r->e, err);
        return rc == HEED_EINVALID ? HEED_EFORMAT : rc; /* the line is at fault, not the command */
    }
    if (r->cfg.pair) return heed__error(err, HEED_EUNSUPPORTED, "a model of words has no pairs");
    if (strlen(text) != size) return heed__error(err, HEED_EFORMAT, "a NUL byte in the text");
    return heed__units_read(r->units, text, err);
}

static int encode(run *r, const char *text, size_t size, heed_error *err) {
    int rc = cut(r, text, size, err);
    if (rc) return rc;
    if (!r->json) {
        for (int64_t i = 0; i < r->e->len; i++) {
            if (i) putchar(' ');
            print_plain(r->e->token[i].data, r->e->token[i].size);
        }
        putchar('\n');
        return 0;
    }
    rc = r->units
             ? join(r, size, err)
             : heed_tokenizer_decode(r->tok, r->e->id, r->e->len, r->skip_special, &r->text, err);
    for (int s = 0; rc == 0 && s < (r->cfg.pair ? 2 : 1); s++) {
        const char *t = s ? r->cfg.pair : text;
        const size_t n = s ? r->cfg.pair_size : size;
        if (!count_places(r, t, n)) return heed__error(err, HEED_ENOMEM, "out of memory");
        count_characters(r, n, s);
    }
    if (rc == 0) print_json(r);
    return rc;
}

/* -- lines ------------------------------------------------------------------------------------ */

static int json_line(run *r, const char *line, size_t size, heed_error *err) {
    json_error_t e;
    json_t *v = json_loadb(line, size, JSON_DECODE_ANY | JSON_ALLOW_NUL, &e);
    json_t *text = json_is_object(v) ? json_object_get(v, "text") : v;
    json_t *pair = json_is_object(v) ? json_object_get(v, "pair") : NULL;
    int rc;
    if (!v) {
        char what[240], why[HEED_JSON_WHY];
        snprintf(what, sizeof what, "not JSON at column %d: %s", e.column, heed__json_why(&e, why));
        rc = fail(r, HEED_EFORMAT, err, what);
    } else if (!json_is_string(text) || (pair && !json_is_string(pair))) {
        rc = fail(r, HEED_EFORMAT, err, "neither a JSON string nor {\"text\": \"...\"}");
    } else {
        r->cfg.pair = json_string_value(pair);
        r->cfg.pair_size = json_string_length(pair);
        rc = encode(r, json_string_value(text), json_string_length(text), err);
        if (rc) fail(r, rc, err, err->msg);
    }
    json_decref(v);
    return rc;
}

static bool add_id(run *r, const char *text, size_t size) {
    int64_t x;
    if (!heed__parse_int(text, size, &x) || x < 0 || x > INT32_MAX) return false;
    if (r->id_len == r->id_cap) {
        const size_t cap = r->id_cap ? r->id_cap * 2 : 256;
        int32_t *grown = realloc(r->id, cap * sizeof *grown);
        if (!grown) return false;
        r->id = grown;
        r->id_cap = cap;
    }
    r->id[r->id_len++] = (int32_t)x;
    return true;
}

/* Whole numbers, with anything of " \t,[]" between them. */
static int decode_line(run *r, const char *line, size_t size, heed_error *err) {
    r->id_len = 0;
    for (size_t at = 0, n; at < size; at += n) {
        n = 1;
        if (strchr(" \t,[]", line[at]) && line[at]) continue;
        while (at + n < size && !strchr(" \t,[]", line[at + n])) n++;
        if (!add_id(r, line + at, n)) {
            char what[80];
            snprintf(what, sizeof what, "'%.*s' is no id", n < 40 ? (int)n : 40, line + at);
            return fail(r, HEED_EFORMAT, err, what);
        }
    }
    const int rc = heed_tokenizer_decode(r->tok, r->id, (int64_t)r->id_len, r->skip_special,
                                         &r->text, err);
    if (rc) return fail(r, rc, err, err->msg);
    if (r->json) {
        print_ids(r->id, (int64_t)r->id_len);
        printf(", \"decoded\": ");
        print_json_text(r->text.text, r->text.size);
        printf("}\n");
        return 0;
    }
    print_plain(r->text.text, r->text.size);
    putchar('\n');
    return 0;
}

static int one_line(run *r, const char *line, size_t size, heed_error *err) {
    int rc;
    if (r->decode)
        rc = decode_line(r, line, size, err);
    else if (r->json)
        rc = json_line(r, line, size, err);
    else if ((rc = encode(r, line, size, err)) != 0)
        fail(r, rc, err, err->msg);
    fflush(stdout);
    if (rc == 0 && ferror(stdout)) {
        snprintf(err->msg, sizeof err->msg, "standard output could not be written");
        rc = err->code = HEED_EIO;
    }
    return rc;
}

static int each_line(run *r, heed_error *err) {
    char *line;
    size_t size;
    int rc = 0, got = 0;
    while (rc == 0 && !command_cancelled(NULL) &&
           (got = heed__input_line(r->in, &line, &size, err)) == HEED_LINE_ONE)
        rc = one_line(r, line, size, err);
    if (rc) return rc;
    if (got < 0) return got;
    if (command_cancelled(NULL)) return fail(r, HEED_ECANCELLED, err, "stopped");
    char what[64];
    snprintf(what, sizeof what, "a line of more than %d MB", HEED_LINE_MOST >> 20);
    return got == HEED_LINE_LONG ? fail(r, HEED_EFORMAT, err, what) : 0;
}

static int open_source(run *r, const char *path, const heed_hooks *hooks, heed_error *err) {
    const bool model = heed__units_are(path);
    if (model && r->decode) {
        snprintf(err->msg, sizeof err->msg,
                 "%.300s: a model of words, whose numbers are not told back; --decode is for "
                 "tokenizers",
                 path);
        return err->code = HEED_EUNSUPPORTED;
    }
    if (model)
        r->units = heed__units_open(path, hooks, err);
    else
        r->tok = heed_tokenizer_open(path, hooks, err);
    r->e = r->units ? &r->units->words : &r->own;
    return r->units || r->tok ? 0 : err->code;
}

int cmd_tokenize(int argc, char **argv) {
    run r = { 0 };
    const opt options[] = {
        { "json", 0, OPT_FLAG, &r.json, 0, 0, NULL,
          "JSON strings or {\"text\": ..} in, objects out (docs/schemas/tokenize.json)" },
        { "no-special", 0, OPT_FLAG, &r.cfg.no_special, 0, 0, NULL, "add no special tokens" },
        { "skip-special", 0, OPT_FLAG, &r.skip_special, 0, 0, NULL,
          "leave special tokens out of what is decoded" },
        { "decode", 0, OPT_FLAG, &r.decode, 0, 0, NULL, "ids in, text out" },
        { NULL, 0, OPT_FLAG, NULL, 0, 0, NULL, NULL },
    };
    const opt_command what = { "heed tokenize TOKENIZER|MODEL [FILE] [options]",
                               "Cuts each line of FILE (standard input without it, or for `-`) "
                               "into tokens. TOKENIZER is a\ntokenizer.json, vocab.txt, "
                               "vocab.json, SentencePiece .model, or a folder with one of them; "
                               "MODEL\na model's folder, whose words these are where it has no "
                               "tokenizer.",
                               options, 1, 2 };
    const char *operand[2] = { NULL, NULL };
    const int n = opt_read(&what, argc, argv, operand);
    if (n < 0) return command_usage(n);
    if (r.skip_special && !r.json && !r.decode) {
        complain("%s", tr("heed tokenize: --skip-special goes with --json or --decode\n"));
        return EXIT_USAGE;
    }
    const heed_hooks hooks = { .cancel = command_cancelled };
    heed_error err = { 0 };
    command_catch_signals();
    if (open_source(&r, operand[0], &hooks, &err) == 0)
        r.in = heed__input_open(operand[1] ? operand[1] : "-", &hooks, &err);
    const int rc = r.in ? each_line(&r, &err) : err.code;
    heed__input_close(r.in);
    heed_encoding_free(&r.own);
    heed_string_free(&r.text);
    heed_tokenizer_close(r.tok);
    heed__units_close(r.units);
    free(r.place);
    free(r.id);
    return rc ? command_error(&err) : 0;
}
