/* keys.c: the file of keys: one line a key, name, scopes, rate, time of making and SHA-256,
 * which is all that is stored. Keys are 256 random bits, so a plain hash is as hard to turn
 * round as they are to guess. */
#include "http/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/text.h"
#include "base/thread.h"
#include "http/key_file.h"

enum { MOST_FILE = 16 << 20, FIELDS = 5, LINE = 300 };
static const char head[] = "# heed keys: name scopes rate made_ms sha256\n";
static const char *const scope_names[] = { "read", "write", "admin" };

/* -- reading ---------------------------------------------------------------------------------- */

unsigned heed__scopes_parse(const char *text, size_t size) {
    unsigned scopes = 0;
    for (size_t at = 0; at <= size;) {
        const char *comma = memchr(text + at, ',', size - at);
        const size_t len = comma ? (size_t)(comma - text) - at : size - at;
        unsigned bit = 0;
        for (unsigned i = 0; i < 3; i++)
            if (strlen(scope_names[i]) == len && memcmp(text + at, scope_names[i], len) == 0)
                bit = 1u << i;
        if (!bit) return 0;
        scopes |= bit;
        at += len + 1;
    }
    return scopes;
}

char *heed__scopes_text(unsigned scopes, char text[32]) {
    size_t len = 0;
    text[0] = 0;
    for (unsigned i = 0; i < 3; i++)
        if (scopes >> i & 1)
            len += heed__format(text + len, 32 - len, "%s%s", len ? "," : "", scope_names[i]);
    return text;
}

bool heed__key_name_valid(const char *name, size_t size) {
    for (size_t i = 0; i < size; i++)
        if (name[i] == 0 ||
            !strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-@", name[i]))
            return false;
    return size > 0 && size < HEED_KEY_NAME;
}

static bool parse_hash(const char *text, size_t size, unsigned char hash[HEED_SHA256_SIZE]) {
    if (size != 2 * HEED_SHA256_SIZE) return false;
    for (size_t i = 0; i < size; i++) {
        const char *digits = "0123456789abcdef", *at = memchr(digits, text[i], 16);
        if (!at) return false;
        const unsigned digit = (unsigned)(at - digits);
        hash[i / 2] = (unsigned char)(i % 2 ? hash[i / 2] | digit : digit << 4);
    }
    return true;
}

/* What is wrong with a line; NULL: nothing. */
static const char *parse_line(const char *line, size_t size, heed_key *key) {
    const char *field[FIELDS];
    size_t len[FIELDS];
    int n = 0;
    for (size_t at = 0; at < size;) {
        const char *space = memchr(line + at, ' ', size - at);
        if (n == FIELDS) return "has more than name, scopes, rate, time and hash";
        field[n] = line + at;
        len[n] = space ? (size_t)(space - line) - at : size - at;
        at += len[n++] + 1;
    }
    *key = (heed_key){ 0 };
    if (n < FIELDS) return "lacks one of name, scopes, rate, time and hash";
    if (!heed__key_name_valid(field[0], len[0])) return "begins with what is no name";
    memcpy(key->name, field[0], len[0]);
    key->scopes = heed__scopes_parse(field[1], len[1]);
    if (!key->scopes) return "has scopes that are not among read, write and admin";
    if (!heed__parse_double(field[2], len[2], &key->rate) || !(key->rate >= 0))
        return "has a rate that is none";
    if (!heed__parse_int(field[3], len[3], &key->made_ms)) return "has a time that is none";
    if (!parse_hash(field[4], len[4], key->hash)) return "has no SHA-256 of 64 digits";
    return NULL;
}

int heed__keys_parse(heed_keys *keys, const char *text, size_t size, const char *path,
                     const heed_hooks *hooks, heed_error *err) {
    *keys = (heed_keys){ 0 };
    int64_t number = 0;
    int status = HEED_OK;
    for (size_t at = 0; at < size && !status;) {
        const char *end = memchr(text + at, '\n', size - at);
        const size_t len = end ? (size_t)(end - text) - at : size - at;
        const char *line = text + at;
        at += len + 1;
        number++;
        if (len == 0 || line[0] == '#') continue;
        heed_key key;
        const char *wrong = parse_line(line, len, &key);
        for (int64_t i = 0; i < keys->len && !wrong; i++)
            if (strcmp(keys->key[i].name, key.name) == 0) wrong = "has a name that is there before";
        if (wrong)
            status = heed__error(err, HEED_EFORMAT, "%s:%lld: the line %s", path, (long long)number,
                                 wrong);
        else if (heed__grow(hooks, &keys->key, &keys->cap, keys->len + 1, sizeof key) != HEED_OK)
            status = heed__error(err, HEED_ENOMEM, "%s: out of memory", path);
        else
            keys->key[keys->len++] = key;
    }
    if (status) heed__keys_free(keys, hooks);
    return status;
}

void heed__keys_free(heed_keys *keys, const heed_hooks *hooks) {
    heed__free(hooks, keys->key);
    *keys = (heed_keys){ 0 };
}

int heed__keys_read(heed_keys *keys, const char *path, const heed_hooks *hooks, heed_error *err) {
    char *text;
    size_t size;
    *keys = (heed_keys){ 0 };
    int status = heed__file_read(hooks, path, MOST_FILE, &text, &size, err);
    if (status) return status;
    status = heed__keys_parse(keys, text, size, path, hooks, err);
    heed__free(hooks, text);
    return status;
}

/* -- changing --------------------------------------------------------------------------------- */

static void write_key(heed_writer *w, const heed_key *key) {
    char line[LINE], scopes[32], hash[2 * HEED_SHA256_SIZE + 1];
    const size_t n = heed__format(line, sizeof line, "%s %s %.17g %lld %s\n", key->name,
                                  heed__scopes_text(key->scopes, scopes), key->rate,
                                  (long long)key->made_ms,
                                  heed__hex(key->hash, sizeof key->hash, hash));
    heed__writer_write(w, line, n);
}

/* Writes all keys but the one named `without`, and then `more`. The writer, taken before the file
 * was read, keeps others from changing it meanwhile. */
static int write_keys(heed_writer *w, const heed_keys *keys, const char *without,
                      const heed_key *more, heed_error *err) {
    heed__writer_write(w, head, sizeof head - 1);
    for (int64_t i = 0; i < keys->len; i++)
        if (!without || strcmp(keys->key[i].name, without) != 0) write_key(w, &keys->key[i]);
    if (more) write_key(w, more);
    return heed__writer_commit(w, err);
}

/* The file, empty where there was none, that its owner alone may read. */
static int make_file(const char *path, heed_error *err) {
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd >= 0) close(fd);
    if (fd >= 0 || errno == EEXIST) return HEED_OK;
    return heed__error(err, HEED_EIO, "%s: cannot be made: %s", path, heed__errno_text(errno));
}

static const heed_key *find_name(const heed_keys *keys, const char *name) {
    for (int64_t i = 0; i < keys->len; i++)
        if (strcmp(keys->key[i].name, name) == 0) return &keys->key[i];
    return NULL;
}

static int make_key(heed_key *key, const char *name, const char *scopes, double rate,
                    heed_error *err) {
    *key = (heed_key){ .scopes = heed__scopes_parse(scopes, strlen(scopes)), .rate = rate };
    if (!heed__key_name_valid(name, strlen(name)))
        return heed__error(err, HEED_EINVALID,
                           "'%s' is no name of a key: letters, digits and . _ - @, at most %d",
                           name, HEED_KEY_NAME - 1);
    if (!key->scopes)
        return heed__error(err, HEED_EINVALID, "'%s' are no scopes: read, write, admin", scopes);
    if (!(rate >= 0) || isinf(rate))
        return heed__error(err, HEED_EINVALID, "a rate is requests a second, 0 for no limit");
    memcpy(key->name, name, strlen(name));
    key->made_ms = heed__now_ms();
    return HEED_OK;
}

/* "heed_" and 43 letters of base64url. */
static int make_secret(char text[HEED_KEY_SIZE], heed_error *err) {
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    unsigned char bits[33] = { 0 };
    const int status = heed__random_bytes(bits, 32, err);
    if (status) return status;
    memcpy(text, "heed_", 5);
    for (int i = 0; i < 43; i++) {
        const int at = i * 6 / 8, shift = i * 6 % 8;
        const unsigned two = (unsigned)bits[at] << 8 | bits[at + 1];
        text[5 + i] = letters[two >> (10 - shift) & 63];
    }
    text[48] = 0;
    return HEED_OK;
}

int heed_keys_add(const char *path, const char *name, const char *scopes, double rate,
                  char text[HEED_KEY_SIZE], heed_error *err) {
    heed_error own;
    heed_key key;
    heed_keys keys;
    if (!err) err = &own;
    int status = make_key(&key, name, scopes, rate, err);
    if (!status) status = make_secret(text, err);
    if (!status) status = make_file(path, err);
    if (status) return status;
    heed__sha256(text, strlen(text), key.hash);
    heed_writer *w = heed__writer_new(NULL, path, err);
    if (!w) return err->code;
    status = heed__keys_read(&keys, path, NULL, err);
    if (!status && find_name(&keys, name))
        status = heed__error(err, HEED_EINVALID, "%s: there is a key '%s' already", path, name);
    if (status)
        heed__writer_abort(w);
    else
        status = write_keys(w, &keys, NULL, &key, err);
    heed__keys_free(&keys, NULL);
    if (status) memset(text, 0, HEED_KEY_SIZE);
    return status;
}

int heed_keys_remove(const char *path, const char *name, heed_error *err) {
    heed_error own;
    heed_keys keys;
    if (!err) err = &own;
    int status = heed__keys_read(&keys, path, NULL, err);
    heed__keys_free(&keys, NULL);
    if (status) return status;
    heed_writer *w = heed__writer_new(NULL, path, err);
    if (!w) return err->code;
    status = heed__keys_read(&keys, path, NULL, err);
    if (!status && !find_name(&keys, name))
        status = heed__error(err, HEED_ENOTFOUND, "%s: there is no key '%s'", path, name);
    if (status)
        heed__writer_abort(w);
    else
        status = write_keys(w, &keys, name, NULL, err);
    heed__keys_free(&keys, NULL);
    return status;
}

int64_t heed_keys_list(const char *path, heed_key_fn fn, void *user, heed_error *err) {
    heed_keys keys;
    char scopes[32];
    const int status = heed__keys_read(&keys, path, NULL, err);
    if (status) return status;
    for (int64_t i = 0; i < keys.len; i++)
        fn(user, keys.key[i].name, heed__scopes_text(keys.key[i].scopes, scopes), keys.key[i].rate,
           keys.key[i].made_ms);
    const int64_t len = keys.len;
    heed__keys_free(&keys, NULL);
    return len;
}
