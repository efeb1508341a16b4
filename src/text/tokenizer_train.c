/* tokenizer_train.c: tokenizers made from text. */
#include "base/alloc.h"
#include "heed/text.h"

heed_tokenizer *heed_tokenizer_train(const heed_tokenizer_cfg *cfg, const heed_text_source *source,
                                     heed_error *err) {
    (void)cfg;
    (void)source;
    heed__error(err, HEED_EUNSUPPORTED, "tokenizers cannot be trained yet");
    return NULL;
}
