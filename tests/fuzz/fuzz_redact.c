/* fuzz_redact.c: any text through the redactor, alone and as JSON, and through the languages. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "flow/redact.h"
#include "serve/language.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char *const kinds[] = { "mail", "phone", "card", "id", "iban", "ip" };
    static heed_redactor *r;
    heed_error err;
    if (!r) r = heed_redactor_new(kinds, 6, NULL, &err);
    char *text = malloc(size + 1);
    if (!r || !text) abort();
    memcpy(text, data, size);
    text[size] = 0;
    int64_t count = -1;
    char *out = heed_redact(r, text, &count, &err);
    if (!out || count < 0 || (count == 0) != (strcmp(out, text) == 0)) abort();
    const size_t len = strlen(text);
    if (heed__utf8_check(text, len) == len && heed__utf8_check(out, strlen(out)) != strlen(out))
        abort(); /* what was well-formed stays so */
    char *json = heed_redact_json(r, text, &count, &err);
    if (!json) abort();
    const heed_spoken s = heed_language(text);
    if (!(s.confidence >= 0 && s.confidence <= 1)) abort();
    heed__free(NULL, json);
    heed__free(NULL, out);
    free(text);
    return 0;
}
