/* attention_options.c: see attention_options.h. */
#include "app/attention_options.h"

#include <stdio.h>
#include <string.h>

#include "app/messages.h"
#include "base/text.h"
#include "models/parts.h"

void attention_options_list(attention_options *o, heed_classify_cfg *cfg, opt *list) {
    heed_attention_choice *a = &cfg->attention;
    const opt options[ATTENTION_OPTIONS] = {
        { "attention", 0, OPT_TEXT, &o->score, 0, 0, "SCORE",
          "scaled_dot, dot, cosine, bilinear, additive; or none (scaled_dot)" },
        { "weights", 0, OPT_TEXT, &o->weights, 0, 0, "W",
          "softmax, sparsemax, entmax, topk:K, hard, gumbel, sigmoid (softmax)" },
        { "temperature", 0, OPT_TEXT, &o->temperature, 0, 0, "T",
          "scores are divided by it: a number, learned, or std for their own deviation (1)" },
        { "window", 0, OPT_INT, &a->window, 1, 1e6, "N",
          "each word attends to as many on either side of it (all)" },
        { "truncate", 0, OPT_INT, &a->truncate, 1, 1e6, "N",
          "words attend to the last N of the text (all)" },
        { "kv-heads", 0, OPT_INT, &cfg->kv_heads, 1, 1024, "N",
          "heads of keys and values, a divisor of --heads (as many)" },
        { "share-layers", 0, OPT_FLAG, &cfg->share_layers, 0, 0, NULL,
          "encoder: all layers are the same one" },
        { "entropy", 0, OPT_REAL, &o->entropy, 0, 1e6, "X",
          "part of the loss that keeps attention on few words (0)" },
        { "diversity", 0, OPT_REAL, &o->diversity, 0, 1e6, "X",
          "part of the loss that keeps heads from attending to the same (0)" },
        { "coverage", 0, OPT_REAL, &o->coverage, 0, 1e6, "X",
          "part of the loss that keeps words from being attended to again and again (0)" },
    };
    memcpy(list, options, sizeof options);
}

/* The number of a name among names; -1: none. */
static int find(const char *const *names, const char *said) {
    for (int i = 0; names[i]; i++)
        if (strcmp(names[i], said) == 0) return i;
    return -1;
}

static bool read_weights(const char *said, heed_attention_choice *a) {
    if (!said) return true;
    if (strncmp(said, "topk:", 5) == 0) {
        a->weights = HEED_WEIGHTS_TOPK;
        if (opt_int(said + 5, 1, 1e6, &a->topk)) return true;
        complain(tr("heed train: --weights topk:K keeps the K largest, K from 1 on, not '%s'\n"),
                 said + 5);
        return false;
    }
    const int i = find(heed__weights_names, said);
    if (i >= 0 && i != HEED_WEIGHTS_TOPK && i != HEED_WEIGHTS_REINFORCE) {
        a->weights = (heed_weights_kind)i;
        return true;
    }
    complain(tr("heed train: --weights is softmax, sparsemax, entmax, topk:K, hard, gumbel or "
                "sigmoid, not '%s'\n"),
             said);
    return false;
}

static bool read_temperature(const char *said, heed_attention_choice *a) {
    a->learn_temperature = said && strcmp(said, "learned") == 0;
    a->score_std = said && strcmp(said, "std") == 0;
    if (!said || a->learn_temperature || a->score_std) return true;
    if (heed__parse_double(said, strlen(said), &a->temperature) && a->temperature >= 1e-6 &&
        a->temperature <= 1e6)
        return true;
    complain(
        tr("heed train: --temperature is a number from 1e-6 to 1e6, learned or std, not '%s'\n"),
        said);
    return false;
}

static bool read_penalty(const attention_options *o, heed_attention_choice *a) {
    const struct {
        double weight;
        heed_penalty_kind kind;
    } said[] = { { o->entropy, HEED_PENALTY_ENTROPY },
                 { o->diversity, HEED_PENALTY_DIVERSITY },
                 { o->coverage, HEED_PENALTY_COVERAGE } };
    for (size_t i = 0; i < sizeof said / sizeof *said; i++) {
        if (!(said[i].weight > 0)) continue;
        if (a->penalty) {
            complain("%s",
                     tr("heed train: --entropy, --diversity and --coverage go one at a time\n"));
            return false;
        }
        a->penalty = said[i].kind;
        a->penalty_weight = said[i].weight;
    }
    return true;
}

bool attention_options_complete(const attention_options *o, heed_classify_cfg *cfg) {
    heed_attention_choice *a = &cfg->attention;
    cfg->no_attention = o->score && strcmp(o->score, "none") == 0;
    const int score = !o->score || cfg->no_attention ? 0 : find(heed__score_names, o->score);
    if (score < 0) {
        complain(tr("heed train: --attention is scaled_dot, dot, cosine, bilinear, additive or "
                    "none, not '%s'\n"),
                 o->score);
        return false;
    }
    a->score = (heed_score_kind)score;
    return read_weights(o->weights, a) && read_temperature(o->temperature, a) && read_penalty(o, a);
}
