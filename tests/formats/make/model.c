/* model.c DIR ANSWERS RECIPE: trains a tiny classifier on sentences of its own, saves its folder,
 * and writes what it answers to each: text, label and its probability as a hexadecimal float. */
#include <heed/tasks.h>
#include <stdio.h>

static const char *const text[] = {
    "Where is my card? I have waited for two weeks.",
    "My card has not arrived",
    "the new card is still not here",
    "When will the card that I ordered arrive?",
    "still waiting for my card, any news",
    "I was charged twice for one coffee",
    "There is a payment that I did not make!",
    "why was I charged a fee of 2.50 €",
    "somebody took money from my account",
    "wrong amount: charged 30 instead of 3",
    "How do I change my PIN?",
    "I forgot my pin",
    "can't remember the PIN of my card",
    "please reset my Pin, it is blocked",
    "Größere Überweisung und neue PIN, geht das?",
};
static const char *const label[] = {
    "card_arrival", "card_arrival", "card_arrival", "card_arrival", "card_arrival",
    "charge",       "charge",       "charge",       "charge",       "charge",
    "pin \"code\"", "pin \"code\"", "pin \"code\"", "pin \"code\"", "pin \"code\"",
};
enum { LEN = sizeof text / sizeof *text };

int main(int argc, char **argv) {
    heed_error err = { 0 };
    if (argc != 4) return 64;
    const heed_classify_cfg cfg = { .recipe = argv[3],
                                    .vocab = 50,
                                    .max_len = 8,
                                    .embed = 6,
                                    .hidden = 8,
                                    .heads = 2,
                                    .dense = 5,
                                    .epochs = 60,
                                    .batch = 4,
                                    .lr = 0.01,
                                    .seed = 10,
                                    .threads = 1 };
    heed_classifier *c = heed_classifier_train(
        &(heed_examples){ .len = LEN, .text = text, .label = label }, &cfg, &err);
    FILE *out = fopen(argv[2], "w");
    if (!c || !out || heed_classifier_save(c, argv[1], &err))
        return fprintf(stderr, "%s\n", err.msg), 1;
    for (int i = 0; i < LEN; i++) {
        heed_label top;
        if (heed_classify(c, text[i], &top, 1, &err) != 1)
            return fprintf(stderr, "%s\n", err.msg), 1;
        fprintf(out, "%s\t%s\t%a\n", text[i], top.name, (double)top.score);
    }
    heed_classifier_close(c);
    return fclose(out) != 0;
}
