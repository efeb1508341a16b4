/* strings.c: many strings that live and go together. */
#include "io/strings.h"

#include <string.h>

enum { BLOCK = 256 << 10 };

void heed__strings_init(heed_strings *s, const heed_hooks *hooks) {
    *s = (heed_strings){ 0 };
    heed__arena_init(&s->arena, hooks);
}

const char *heed__strings_keep(heed_strings *s, const char *text) {
    const size_t size = strlen(text) + 1;
    if (size > s->left && size > BLOCK / 4) { /* a block of its own, the newest goes on */
        char *own = heed__arena_alloc(&s->arena, size);
        return own ? memcpy(own, text, size) : NULL;
    }
    if (size > s->left) {
        s->block = heed__arena_alloc(&s->arena, BLOCK);
        s->left = s->block ? BLOCK : 0;
        if (!s->block) return NULL;
    }
    char *to = memcpy(s->block, text, size);
    s->block += size;
    s->left -= size;
    return to;
}

void heed__strings_free(heed_strings *s) {
    heed__arena_free(&s->arena);
    s->block = NULL;
    s->left = 0;
}
