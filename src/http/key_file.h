/* key_file.h: the file of keys as entries; what keys.c writes and keyring.c asks. */
#ifndef HEED_HTTP_KEY_FILE_H
#define HEED_HTTP_KEY_FILE_H

#include "base/sha256.h"
#include "http/keyring.h"

enum { HEED_SCOPE_READ = 1, HEED_SCOPE_WRITE = 2, HEED_SCOPE_ADMIN = 4 };

typedef struct heed_key {
    char name[HEED_KEY_NAME];
    unsigned char hash[HEED_SHA256_SIZE];
    unsigned scopes;
    double rate; /* a second; 0: no limit */
    int64_t made_ms;
} heed_key;

typedef struct heed_keys {
    heed_key *key;
    int64_t len, cap;
} heed_keys;

/* Reads text; path stands in errors. 0, HEED_EFORMAT, HEED_ENOMEM. */
int heed__keys_parse(heed_keys *keys, const char *text, size_t size, const char *path,
                     const heed_hooks *hooks, heed_error *err);
void heed__keys_free(heed_keys *keys, const heed_hooks *hooks);
/* "read,write" as bits; 0: it is none. */
unsigned heed__scopes_parse(const char *text, size_t size);
/* The bits as text of at most 32 bytes; returns text. */
char *heed__scopes_text(unsigned scopes, char text[32]);
bool heed__key_name_valid(const char *name, size_t size);

/* The file on the disk; HEED_ENOTFOUND where there is none. */
int heed__keys_read(heed_keys *keys, const char *path, const heed_hooks *hooks, heed_error *err);

#endif
