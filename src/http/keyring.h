/* keyring.h: the keys of http/keys.h as a server holds them: who is it, may they, and how often. */
#ifndef HEED_HTTP_KEYRING_H
#define HEED_HTTP_KEYRING_H

#include "http/keys.h"

enum { HEED_KEY_NAME = 65 };

typedef struct heed_keyring heed_keyring; /* any thread */

/* Reads the file; NULL and *err where it is not one of keys. */
heed_keyring *heed__keyring_open(const char *path, const heed_hooks *hooks, heed_error *err);
void heed__keyring_close(heed_keyring *ring); /* NULL is fine */
/* Reads the file again where it changed. A file that is gone holds no key; one that is wrong leaves
 * things as they are, and the log hook hears of it. */
void heed__keyring_refresh(heed_keyring *ring);

/* HEED_KEY_UNKNOWN: no such key. HEED_KEY_SCOPE: not allowed this. HEED_KEY_RATE: too often, and
 * *wait tells after how many seconds again. name gets the key's name where it is known. */
typedef enum heed_key_answer {
    HEED_KEY_GOOD,
    HEED_KEY_UNKNOWN,
    HEED_KEY_SCOPE,
    HEED_KEY_RATE
} heed_key_answer;
/* text: `size` bytes that claim to be a key. Takes the same time whichever key it is not. */
heed_key_answer heed__keyring_ask(heed_keyring *ring, const char *text, size_t size,
                                  const char *scope, char name[HEED_KEY_NAME], int *wait);

#endif
