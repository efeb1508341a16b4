/* part.c: names of a layer's parts; see part.h. */
#include "nn/part.h"
#include "base/text.h"

#include <math.h>
#include <string.h>

char *heed__part(heed_params *ps, char text[HEED_PART_SIZE], const char *name, const char *part,
                 ...) {
    const size_t head = name ? strlen(name) : 0;
    text[0] = 0;
    if (head + 64 >= HEED_PART_SIZE) {
        heed_params_fail(ps, HEED_EINVALID, "a layer's name of %zu bytes is too long", head);
        return text;
    }
    if (head > 0) {
        memcpy(text, name, head);
        text[head] = '.';
    }
    const size_t at = head > 0 ? head + 1 : 0;
    va_list args;
    va_start(args, part);
    heed__vformat(text + at, HEED_PART_SIZE - at, part, args);
    va_end(args);
    return text;
}

heed_tensor *heed__part_param(heed_params *ps, const char *name, const char *part, heed_init init,
                              int ndim, const int64_t *shape) {
    char text[HEED_PART_SIZE];
    if (heed_params_error(ps)) return NULL;
    return heed_param(ps, heed__part(ps, text, name, "%s", part), init, ndim, shape);
}

int heed__part_status(const heed_params *ps) {
    const heed_error *e = heed_params_error(ps);
    return e ? e->code : 0;
}

bool heed__width_ok(int64_t n) {
    return n >= 1 && n <= INT64_C(1) << 31;
}

float heed__bound(int64_t n) {
    return n > 0 ? (float)(1.0 / sqrt((double)n)) : 0.0f;
}
