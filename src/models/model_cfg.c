/* model_cfg.c: the config of all models as JSON and back, from one table of its fields. */
#include "heed/models.h"
#include "base/alloc.h"
#include "base/json.h"

#include <stddef.h>
#include <string.h>

typedef enum field_type { INTEGER, NUMBER, TRUTH, WORD } field_type;

typedef struct field {
    const char *name;
    size_t offset;
    field_type type;
    const char *const *words; /* WORD: names of an int-sized enum's values, NULL at the end */
} field;

static const char *const kinds[] = { "classic", "encoder", "lm", "seq2seq", NULL };
static const char *const acts[] = { "default", "relu", "gelu", "gelu_tanh", "silu", NULL };
static const char *const positions[] = { "default", "sinusoidal", "learned", "rotary", NULL };
static const char *const poolings[] = { "mean", "max", "cls", "attention", NULL };
static const char *const rnns[] = { "lstm", "gru", NULL };

#define AT(name) #name, offsetof(heed_model_cfg, name)
static const field fields[] = { { AT(kind), WORD, kinds },
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
                                { AT(additive), TRUTH, NULL },
                                { AT(no_attention), TRUTH, NULL },
                                { AT(deviation), NUMBER, NULL },
                                { AT(remember), TRUTH, NULL } };
#undef AT
enum { FIELDS = sizeof fields / sizeof fields[0] };

/* The value of one field as JSON; NULL: it is zero (kind is always written), or no memory. */
static json_t *to_json(const field *f, const heed_model_cfg *cfg) {
    const void *at = (const char *)cfg + f->offset;
    int64_t i;
    double d;
    int e;
    bool b;
    switch (f->type) {
    case INTEGER:
        memcpy(&i, at, sizeof i);
        return i ? json_integer(i) : NULL;
    case NUMBER:
        memcpy(&d, at, sizeof d);
        return d > 0 || d < 0 ? json_real(d) : NULL;
    case TRUTH:
        memcpy(&b, at, sizeof b);
        return b ? json_true() : NULL;
    case WORD:
        break;
    }
    memcpy(&e, at, sizeof e);
    return e || f->offset == 0 ? json_string(f->words[e]) : NULL;
}

char *heed_model_cfg_to_json(const heed_model_cfg *cfg, heed_error *err) {
    json_t *tree = json_object();
    bool whole = tree != NULL;
    for (int i = 0; i < FIELDS && whole; i++) {
        json_t *value = to_json(&fields[i], cfg);
        if (value) whole = json_object_set_new(tree, fields[i].name, value) == 0;
    }
    char *text = whole ? heed__json_text(NULL, tree, true, NULL, err) : NULL;
    if (!whole) heed__error(err, HEED_ENOMEM, "out of memory for a model's config");
    json_decref(tree);
    return text;
}

void heed_text_free(char *text) {
    heed__free(NULL, text);
}

static void from_json(const field *f, heed_model_cfg *cfg, heed_fields *in) {
    void *at = (char *)cfg + f->offset;
    if (!heed__field_has(in, f->name)) return;
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
        const char *word = heed__field_text(in, f->name);
        int e = 0;
        while (f->words[e] && strcmp(f->words[e], word) != 0) e++;
        if (f->words[e])
            memcpy(at, &e, sizeof e);
        else if (!in->status)
            in->status = heed__error(in->err, HEED_EFORMAT, "%s: %s '%s' is none that there is",
                                     in->name, f->name, word);
    }
}

int heed_model_cfg_from_json(heed_model_cfg *cfg, const char *text, size_t len, const char *name,
                             heed_error *err) {
    const char *names[FIELDS + 1] = { NULL };
    *cfg = (heed_model_cfg){ 0 };
    json_t *tree = heed__json_parse(text, len, name, err);
    if (!tree) return HEED_EFORMAT;
    heed_fields in = { .object = tree, .name = name ? name : "config", .err = err };
    for (int i = 0; i < FIELDS; i++) names[i] = fields[i].name;
    heed__fields_only(&in, names);
    for (int i = 0; i < FIELDS && !in.status; i++) from_json(&fields[i], cfg, &in);
    json_decref(tree);
    return in.status;
}
