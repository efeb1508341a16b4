/* desk_model.c: 5 intents, 20 texts each, by the recipe attend. */
#include "desk_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "heed/tasks.h"

enum { INTENTS = 6, BEGINNINGS = 6, OBJECTS = 4, ALL = INTENTS * BEGINNINGS * OBJECTS };

static char folder[64], model[96];

static const char *const intent[INTENTS] = { "track_order", "cancel_order", "change_plan",
                                             "refund",      "human",        "delivery_time" };
static const char *const beginning[BEGINNINGS] = { "i want to",       "can you help me",
                                                   "how do i",        "please help to",
                                                   "i would like to", "is it possible to" };
static const char *const object[INTENTS][OBJECTS] = {
    { "track my order", "see where my order is", "check the status of an order",
      "follow my order" },
    { "cancel my order", "cancel an order", "stop the order i made", "undo my order" },
    { "change my plan", "switch to another plan", "upgrade my plan", "move to a different plan" },
    { "get a refund", "get my money back", "be refunded", "ask for a refund" },
    { "talk to a human agent", "speak with an agent", "reach a person at support",
      "talk to somebody" },
    { "know how long a refund takes", "know how many days delivery takes", "know when it arrives",
      "know how long shipping takes" },
};

const char *desk_model(void) {
    static char text[ALL][96];
    static const char *texts[ALL], *labels[ALL];
    if (model[0]) return model;
    int n = 0;
    for (int k = 0; k < INTENTS; k++)
        for (int b = 0; b < BEGINNINGS; b++)
            for (int o = 0; o < OBJECTS; o++, n++) {
                snprintf(text[n], sizeof text[n], "%s %s", beginning[b], object[k][o]);
                texts[n] = text[n];
                labels[n] = intent[k];
            }
    const heed_examples data = { .len = ALL, .text = texts, .label = labels };
    const heed_classify_cfg cfg = { .recipe = "attend",
                                    .vocab = 400,
                                    .embed = 16,
                                    .heads = 2,
                                    .epochs = 12,
                                    .batch = 16,
                                    .valid_part = 0.15,
                                    .seed = 1,
                                    .threads = 1 };
    heed_error err;
    heed_classifier *c = heed_classifier_train(&data, &cfg, &err);
    snprintf(folder, sizeof folder, "/tmp/heed-desk-XXXXXX");
    if (!c || !mkdtemp(folder)) {
        fprintf(stderr, "desk model: %s\n", c ? "no folder" : err.msg);
        heed_classifier_close(c);
        return NULL;
    }
    snprintf(model, sizeof model, "%s/intent", folder);
    if (heed_classifier_save(c, model, &err)) fprintf(stderr, "desk model: %s\n", err.msg);
    heed_classifier_close(c);
    return model;
}

void desk_model_end(void) {
    static const char *const files[] = { "config.json", "model.safetensors", "features.safetensors",
                                         "vocab.txt" };
    char path[192];
    for (size_t i = 0; model[0] && i < sizeof files / sizeof *files; i++) {
        snprintf(path, sizeof path, "%s/%s", model, files[i]);
        unlink(path);
    }
    rmdir(model);
    rmdir(folder);
    model[0] = 0;
}
