/* keyring.c: keys in memory: found by their hash, held to their rate by a bucket of tokens that
 * fills with time and holds a second's worth, one at least. */
#include "http/keyring.h"

#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/text.h"
#include "base/thread.h"
#include "http/key_file.h"

typedef struct bucket {
    double tokens;
    int64_t filled_ns;
} bucket;

struct heed_keyring {
    heed_hooks hooks;
    char *path;
    heed_lock *lock;
    heed_keys keys;
    bucket *buckets; /* [keys.len] */
    struct stat seen;
    bool there;
};

static double most_tokens(const heed_key *key) {
    return key->rate > 1 ? key->rate : 1;
}

/* Puts keys in place of the old; a key that stays keeps its bucket. Takes keys. */
static int put_keys(heed_keyring *ring, heed_keys *keys) {
    bucket *buckets = heed__calloc(&ring->hooks, (size_t)keys->len + 1, sizeof *buckets);
    if (!buckets) {
        heed__keys_free(keys, &ring->hooks);
        return HEED_ENOMEM;
    }
    heed__lock_enter(ring->lock);
    for (int64_t i = 0; i < keys->len; i++) {
        buckets[i] = (bucket){ .tokens = most_tokens(&keys->key[i]),
                               .filled_ns = heed__ticks_ns() };
        for (int64_t k = 0; k < ring->keys.len; k++)
            if (memcmp(ring->keys.key[k].hash, keys->key[i].hash, HEED_SHA256_SIZE) == 0 &&
                ring->keys.key[k].rate == keys->key[i].rate)
                buckets[i] = ring->buckets[k];
    }
    heed_keys old = ring->keys;
    bucket *old_buckets = ring->buckets;
    ring->keys = *keys;
    ring->buckets = buckets;
    heed__lock_leave(ring->lock);
    heed__keys_free(&old, &ring->hooks);
    heed__free(&ring->hooks, old_buckets);
    return HEED_OK;
}

heed_keyring *heed__keyring_open(const char *path, const heed_hooks *hooks, heed_error *err) {
    heed_error own;
    if (!err) err = &own;
    heed_keyring *ring = heed__calloc(hooks, 1, sizeof *ring);
    if (!ring) {
        heed__error(err, HEED_ENOMEM, "%s: out of memory", path);
        return NULL;
    }
    if (hooks) ring->hooks = *hooks;
    heed_keys keys;
    ring->path = heed__strdup(hooks, path);
    ring->lock = heed__lock_new(hooks, err);
    int status = ring->path && ring->lock ? HEED_OK : HEED_ENOMEM;
    ring->there = stat(path, &ring->seen) == 0;
    if (!status) {
        status = heed__keys_read(&keys, path, hooks, err);
        if (status && status != HEED_ENOMEM) {
            heed__keyring_close(ring);
            return NULL;
        }
        if (!status) status = put_keys(ring, &keys);
    }
    if (!status) return ring;
    heed__error(err, HEED_ENOMEM, "%s: out of memory", path);
    heed__keyring_close(ring);
    return NULL;
}

void heed__keyring_close(heed_keyring *ring) {
    if (!ring) return;
    const heed_hooks hooks = ring->hooks;
    heed__keys_free(&ring->keys, &hooks);
    heed__free(&hooks, ring->buckets);
    heed__lock_free(ring->lock);
    heed__free(&hooks, ring->path);
    heed__free(&hooks, ring);
}

static bool same_file(const struct stat *a, const struct stat *b) {
    return a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
           a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

void heed__keyring_refresh(heed_keyring *ring) {
    struct stat now;
    heed_keys keys = { 0 };
    heed_error err = { 0 };
    const bool there = stat(ring->path, &now) == 0;
    if (there == ring->there && (!there || same_file(&now, &ring->seen))) return;
    int status = heed__keys_read(&keys, ring->path, &ring->hooks, &err);
    if (status == HEED_ENOTFOUND) status = HEED_OK;
    if (!status) status = put_keys(ring, &keys);
    if (status == HEED_ENOMEM) return; /* again at the next look */
    ring->there = there;
    ring->seen = now;
    if (status)
        heed__log(&ring->hooks, HEED_LOG_WARN, "keys stay as they were: %s", err.msg);
    else
        heed__log(&ring->hooks, HEED_LOG_INFO, "%s: %lld keys", ring->path,
                  (long long)ring->keys.len);
}

/* Takes a token; 0, or after how many seconds there will be one. */
static int take_token(const heed_key *key, bucket *b) {
    if (key->rate <= 0) return 0;
    const int64_t now = heed__ticks_ns();
    b->tokens += (double)(now - b->filled_ns) * 1e-9 * key->rate;
    b->filled_ns = now;
    if (b->tokens > most_tokens(key)) b->tokens = most_tokens(key);
    if (b->tokens >= 1) {
        b->tokens -= 1;
        return 0;
    }
    const double wait = (1 - b->tokens) / key->rate;
    return wait < 3600 ? (int)wait + 1 : 3600;
}

static unsigned scope_bit(const char *scope) {
    const unsigned bit = heed__scopes_parse(scope, strlen(scope));
    return bit ? bit : HEED_SCOPE_ADMIN;
}

heed_key_answer heed__keyring_ask(heed_keyring *ring, const char *text, size_t size,
                                  const char *scope, char name[HEED_KEY_NAME], int *wait) {
    unsigned char hash[HEED_SHA256_SIZE];
    heed__sha256(text, size, hash);
    heed_key_answer answer = HEED_KEY_UNKNOWN;
    heed__lock_enter(ring->lock);
    int64_t found = -1;
    for (int64_t i = 0; i < ring->keys.len; i++)
        if (heed__equal_secret(ring->keys.key[i].hash, hash, sizeof hash)) found = i;
    if (found >= 0) {
        const heed_key *key = &ring->keys.key[found];
        memcpy(name, key->name, sizeof key->name);
        *wait = take_token(key, &ring->buckets[found]);
        answer = *wait > 0                                             ? HEED_KEY_RATE
                 : key->scopes & (scope_bit(scope) | HEED_SCOPE_ADMIN) ? HEED_KEY_GOOD
                                                                       : HEED_KEY_SCOPE;
    }
    heed__lock_leave(ring->lock);
    return answer;
}
