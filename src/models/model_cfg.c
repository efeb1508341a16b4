/* model_cfg.c: the config of all models as JSON and back, from one table of its fields. */
#include "heed/models.h"
#include "models/parts.h"
#include "base/alloc.h"
#include "base/json.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

typedef enum field_type { INTEGER, NUMBER, TRUTH, WORD, OBJECT } field_type;

typedef struct field {
    const char *name;
    size_t offset;
    field_type type;
    const char *const *words; /* WORD: names of an int-sized enum's values, NULL at the end */
} field;

/* The fields of one struct. */
typedef struct table {
    const field *fields;
    int len;
} table;

static const char *const kinds[] = { "classic", "encoder", "lm", "seq2seq", NULL };
static const char *const acts[] = { "default", "relu", "gelu", "gelu_tanh", "silu", NULL };
static const char *const positions[] = { "default", "sinusoidal", "learned", "rotary",
                                         "alibi",   "t5",         "none",    NULL };
static const char *const poolings[] = { "mean", "max", "cls", "attention", NULL };
static const char *const rnns[] = { "lstm", "gru", NULL };
static const char *const penalties[] = { "none", "entropy", "diversity", "coverage", NULL };

#define AT(name) #name, offsetof(heed_attention_choice, name)
static const field of_attention[] = { { AT(score), WORD, heed__score_names },
                                      { AT(weights), WORD, heed__weights_names },
                                      { AT(topk), INTEGER, NULL },
                                      { AT(temperature), NUMBER, NULL },
                                      { AT(learn_temperature), TRUTH, NULL },
                                      { AT(score_std), TRUTH, NULL },
                                      { AT(window), INTEGER, NULL },
                                      { AT(truncate), INTEGER, NULL },
                                      { AT(penalty), WORD, penalties },
                                      { AT(penalty_weight), NUMBER, NULL } };
#undef AT

#define AT(name) #name, offsetof(heed_model_cfg, name)
static const field of_model[] = { { AT(kind), WORD, kinds },
                                  { AT(vocab), INTEGER, NULL },
                                  { AT(source_vocab), INTEGER, NULL },
                                  { AT(dim), INTEGER, NULL },
                                  { AT(hidden), INTEGER, NULL },
                                  { AT(heads), INTEGER, NULL },
                                  { AT(kv_heads), INTEGER, NULL },
                                  { AT(layers), INTEGER, NULL },
                                  { AT(encoder_layers), INTEGER, NULL },
                                  { AT(ff), INTEGER, NULL },
                                  { AT(classes), INTEGER, NULL },
                                  { AT(dense), INTEGER, NULL },
                                  { AT(max_len), INTEGER, NULL },
                                  { AT(act), WORD, acts },
                                  { AT(position), WORD, positions },
                                  { AT(pooling), WORD, poolings },
                                  { AT(rnn), WORD, rnns },
                                  { AT(bidirectional), TRUTH, NULL },
                                  { AT(gated), TRUTH, NULL },
                                  { AT(rms), TRUTH, NULL },
                                  { AT(pre_norm), TRUTH, NULL },
                                  { AT(share_layers), TRUTH, NULL },
                                  { AT(tied), TRUTH, NULL },
                                  { AT(use_padding), TRUTH, NULL },
                                  { AT(padding), INTEGER, NULL },
                                  { AT(sparse), TRUTH, NULL },
                                  { AT(dropout), NUMBER, NULL },
                                  { AT(norm_eps), NUMBER, NULL },
                                  { AT(attention), OBJECT, NULL },
                                  { AT(no_attention), TRUTH, NULL },
                                  { AT(deviation), NUMBER, NULL },
                                  { AT(remember), TRUTH, NULL } };
#undef AT
enum {
    FIELDS = sizeof of_model / sizeof of_model[0],
    CHOICES = sizeof of_attention / sizeof of_attention[0]
};
static const table model_table = { of_model, FIELDS }, choice_table = { of_attention, CHOICES };

const char *const heed__score_names[] = { "scaled_dot", "dot",      "cosine",
                                          "bilinear",   "additive", NULL };
const char *const heed__weights_names[] = { "softmax", "sparsemax", "entmax",  "topk", "hard",
                                            "gumbel",  "reinforce", "sigmoid", NULL };

static json_t *struct_to_json(const table *t, const void *from);

/* Whether JSON has a value for each field of such a struct: a word of a list, a finite number. 0 or
 * HEED_EINVALID. */
static int check(const table *t, const void *from, heed_error *err) {
    for (int i = 0; i < t->len; i++) {
        const field *f = &t->fields[i];
        const char *at = (const char *)from + f->offset;
        int e = 0, words = 0;
        double d = 0;
        if (f->type == OBJECT && check(&choice_table, at, err)) return HEED_EINVALID;
        if (f->type == WORD) memcpy(&e, at, sizeof e);
        if (f->type == NUMBER) memcpy(&d, at, sizeof d);
        while (f->type == WORD && f->words[words]) words++;
        if (f->type == WORD && (e < 0 || e >= words))
            return heed__error(err, HEED_EINVALID, "config: %s %d is none that there is", f->name,
                               e);
        if (!isfinite(d))
            return heed__error(err, HEED_EINVALID, "config: %s is %g, no finite number", f->name,
                               d);
    }
    return 0;
}

/* A field's value as JSON, JSON's null for a zero, which is not written; the kind of a model always
 * is. NULL: no memory. */
static json_t *value_to_json(const field *f, const void *at) {
    int64_t i;
    double d;
    int e;
    bool b;
    switch (f->type) {
    case INTEGER:
        memcpy(&i, at, sizeof i);
        return i ? json_integer(i) : json_null();
    case NUMBER:
        memcpy(&d, at, sizeof d);
        return d > 0 || d < 0 ? json_real(d) : json_null();
    case TRUTH:
        memcpy(&b, at, sizeof b);
        return b ? json_true() : json_null();
    case WORD:
        memcpy(&e, at, sizeof e);
        return e || f->words == kinds ? json_string(f->words[e]) : json_null();
    case OBJECT:
        break;
    }
    return struct_to_json(&choice_table, at);
}

/* The fields that are not zero; null where all are. NULL: no memory. */
static json_t *struct_to_json(const table *t, const void *from) {
    json_t *tree = json_object();
    bool whole = tree != NULL;
    for (int i = 0; i < t->len && whole; i++) {
        const field *f = &t->fields[i];
        json_t *value = value_to_json(f, (const char *)from + f->offset);
        whole = value && (json_is_null(value) || json_object_set_new(tree, f->name, value) == 0);
    }
    if (whole && json_object_size(tree) > 0) return tree;
    json_decref(tree);
    return whole ? json_null() : NULL;
}

char *heed_model_cfg_to_json(const heed_model_cfg *cfg, heed_error *err) {
    if (heed__lacks(cfg, "config", "config", err) || check(&model_table, cfg, err)) return NULL;
    if (err) *err = (heed_error){ 0 };
    json_t *tree = struct_to_json(&model_table, cfg);
    char *text = tree ? heed__json_text(NULL, tree, true, NULL, err) : NULL;
    if (!tree) heed__error(err, HEED_ENOMEM, "out of memory for a model's config");
    json_decref(tree);
    return text;
}

void heed_text_free(char *text) {
    heed__free(NULL, text);
}

static void read_word(const field *f, void *at, heed_fields *in) {
    const char *word = heed__field_text(in, f->name);
    int e = 0;
    while (f->words[e] && strcmp(f->words[e], word) != 0) e++;
    if (f->words[e])
        memcpy(at, &e, sizeof e);
    else if (!in->status)
        in->status = heed__error(in->err, HEED_EFORMAT, "%s: %s '%s' is none that there is",
                                 in->name, f->name, word);
}

static void read_value(const field *f, void *at, heed_fields *in) {
    if (f->type == INTEGER) {
        const int64_t i = heed__field_int(in, f->name, 0, INT32_MAX);
        memcpy(at, &i, sizeof i);
    } else if (f->type == NUMBER) {
        const double d = heed__field_number(in, f->name);
        memcpy(at, &d, sizeof d);
    } else if (f->type == TRUTH) {
        const bool b = heed__field_bool(in, f->name);
        memcpy(at, &b, sizeof b);
    } else {
        read_word(f, at, in);
    }
}

/* Reads a table's fields out of in; those named also (NULL: none) are no error. */
static void from_json(const table *t, void *to, heed_fields *in, const char *also) {
    const char *names[FIELDS + 2] = { NULL };
    for (int i = 0; i < t->len; i++) names[i] = t->fields[i].name;
    names[t->len] = also;
    heed__fields_only(in, names);
    for (int i = 0; i < t->len && !in->status; i++) {
        const field *f = &t->fields[i];
        void *at = (char *)to + f->offset;
        if (!heed__field_has(in, f->name)) continue;
        if (f->type != OBJECT) {
            read_value(f, at, in);
            continue;
        }
        heed_fields inner = { .object = json_object_get(in->object, f->name),
                              .name = in->name,
                              .err = in->err };
        if (json_is_object(inner.object))
            from_json(&choice_table, at, &inner, NULL);
        else
            inner.status = heed__error(in->err, HEED_EFORMAT, "%s: %s is no object", in->name,
                                       f->name);
        in->status = inner.status;
    }
}

/* What heed 0.1 wrote for additive attention. */
static const char old_additive[] = "additive";

int heed_model_cfg_from_json(heed_model_cfg *cfg, const char *text, size_t len, const char *name,
                             heed_error *err) {
    if (heed__lacks(cfg, "config", "config", err) || heed__lacks(text, "config", "JSON text", err))
        return HEED_EINVALID;
    *cfg = (heed_model_cfg){ 0 };
    json_t *tree = heed__json_parse(text, len, name, err);
    if (!tree) return HEED_EFORMAT;
    heed_fields in = { .object = tree, .name = name ? name : "config", .err = err };
    from_json(&model_table, cfg, &in, old_additive);
    if (!in.status && heed__field_has(&in, old_additive) && heed__field_bool(&in, old_additive))
        cfg->attention.score = HEED_SCORE_ADDITIVE;
    json_decref(tree);
    return in.status;
}
