/* desk_model.h: a small model of a shop's intents, trained in a second. */
#ifndef HEED_TESTS_DESK_MODEL_H
#define HEED_TESTS_DESK_MODEL_H

/* Trains it in a folder of its own, once; the folder, or NULL. Removed by desk_model_end. */
const char *desk_model(void);
void desk_model_end(void);

#endif
