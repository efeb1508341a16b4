/* redact.c: personal data out of a text. The text is folded once (digits, dashes, blanks and
 * letters of full width become ASCII's, what cannot be seen is dropped); then every kind looks for
 * itself, those with check digits first, so that a card's number is not taken for a telephone's;
 * what was taken is closed to the kinds after it. */
#include "flow/redact_impl.h"

#include <string.h>

#include "base/alloc.h"
#include "base/text.h"

/* In the order in which they look; the number of a mark is the place here plus one. */
static const struct {
    const char *name, *shown;
    heed__redact_fn *find;
} kinds[] = {
    { "mail", "[mail]", heed__redact_mail }, { "iban", "[iban]", heed__redact_iban },
    { "id", "[id]", heed__redact_id },       { "card", "[card]", heed__redact_card },
    { "ip", "[ip]", heed__redact_ip },       { "phone", "[phone]", heed__redact_phone },
};
enum { KINDS = sizeof kinds / sizeof *kinds };

struct heed_redactor {
    heed_hooks hooks;
    bool on[KINDS];
    bool names;
};

heed_redactor *heed_redactor_new(const char *const *kind, int64_t n, const heed_hooks *hooks,
                                 heed_error *err) {
    heed_redactor *r = heed__calloc(hooks, 1, sizeof *r);
    if (!r) {
        heed__error(err, HEED_ENOMEM, "out of memory for a redactor");
        return NULL;
    }
    if (hooks) r->hooks = *hooks;
    for (int64_t i = 0; i < n; i++) {
        int k = 0;
        if (strcmp(kind[i], "name") == 0) {
            r->names = true;
            continue;
        }
        while (k < KINDS && strcmp(kinds[k].name, kind[i]) != 0) k++;
        if (k == KINDS) {
            heed__error(err, HEED_EINVALID,
                        "redact: '%s' is not one of mail, phone, card, id, iban, ip, name",
                        kind[i]);
            heed__free(hooks, r);
            return NULL;
        }
        r->on[k] = true;
    }
    return r;
}

void heed_redactor_free(heed_redactor *r) {
    if (!r) return;
    const heed_hooks hooks = r->hooks;
    heed__free(&hooks, r);
}

bool heed_redactor_names(const heed_redactor *r) {
    return r->names;
}

const heed_hooks *heed__redactor_hooks(const heed_redactor *r) {
    return &r->hooks;
}

/* -- folding ---------------------------------------------------------------------------------- */

static bool unseen(uint32_t c) { /* soft hyphen, zero width, marks of direction, byte order mark */
    return c == 0xAD || (c >= 0x200B && c <= 0x200F) || (c >= 0x202A && c <= 0x202E) ||
           (c >= 0x2060 && c <= 0x2064) || c == 0xFEFF;
}

static uint8_t fold_code(uint32_t c) {
    if (c < 0x80) return (uint8_t)c;
    if (c >= 0xFF01 && c <= 0xFF5E) return (uint8_t)(c - 0xFF01 + '!'); /* full width */
    if (c >= 0x0660 && c <= 0x0669) return (uint8_t)(c - 0x0660 + '0'); /* Arabic */
    if (c >= 0x06F0 && c <= 0x06F9) return (uint8_t)(c - 0x06F0 + '0'); /* Persian */
    if (c >= 0x0966 && c <= 0x096F) return (uint8_t)(c - 0x0966 + '0'); /* Devanagari */
    if (c == 0xA0 || (c >= 0x2000 && c <= 0x200A) || c == 0x202F || c == 0x3000) return ' ';
    if ((c >= 0x2010 && c <= 0x2015) || c == 0x2212 || c == 0xFE63) return '-';
    if (c == 0x2024 || c == 0xB7) return '.';
    if (c >= 0xC0 && c <= 0x05FF && c != 0xD7 && c != 0xF7) return FOLD_LETTER;
    return FOLD_OTHER;
}

/* Fills f, whose arrays have room for a character a byte. */
static void fold(heed__fold *f, const char *text, size_t size) {
    f->text = text;
    f->n = 0;
    for (size_t at = 0; at < size;) {
        uint32_t c = 0;
        size_t len = heed__utf8_next(text + at, size - at, &c);
        if (!len) len = 1, c = 0xFFFD;
        if (!unseen(c)) {
            f->start[f->n] = (int64_t)at;
            f->mark[f->n] = 0;
            f->code[f->n++] = fold_code(c);
        }
        at += len;
    }
    if (f->n) f->start[0] = 0; /* what cannot be seen belongs to its neighbour */
    f->start[f->n] = (int64_t)size;
}

/* -- finding and writing ---------------------------------------------------------------------- */

static int64_t find_all(heed__fold *f, int k) {
    int64_t found = 0;
    for (int64_t i = 0; i < f->n;) {
        int64_t begin = i;
        const int64_t end = f->code[i] == FOLD_OTHER ? 0 : kinds[k].find(f, i, &begin);
        if (end <= i) {
            i++;
            continue;
        }
        memset(f->mark + begin, k + 1, (size_t)(end - begin));
        memset(f->code + begin, FOLD_OTHER, (size_t)(end - begin));
        f->mark[begin] = (uint8_t)(0x80 | (k + 1)); /* two of a kind may touch */
        i = end;
        found++;
    }
    return found;
}

/* The text with what was marked replaced, written to out (NULL: only measured); its size. */
static size_t write_out(const heed__fold *f, char *out) {
    size_t size = 0;
    for (int64_t i = 0; i < f->n; i++) {
        const char *from = f->text + f->start[i];
        size_t len = (size_t)(f->start[i + 1] - f->start[i]);
        if (f->mark[i]) {
            from = kinds[(f->mark[i] & 0x7F) - 1].shown;
            len = f->mark[i] & 0x80 ? strlen(from) : 0;
        }
        if (out) memcpy(out + size, from, len);
        size += len;
    }
    return size;
}

/* Nothing can be found where there is neither digit nor '@', nor a colon of an address, nor a
 * character that might fold to one. */
static bool nothing(const char *text, size_t size) {
    static const unsigned char stop[] = "0123456789@:([";
    for (size_t i = 0; i < size; i++) {
        const unsigned char c = (unsigned char)text[i];
        if (c >= 0xC2 || memchr(stop, c, sizeof stop - 1)) return false;
    }
    return true;
}

char *heed_redact(const heed_redactor *r, const char *text, int64_t *count, heed_error *err) {
    const size_t size = strlen(text);
    int64_t found = 0;
    char *out = NULL;
    if (count) *count = 0;
    if (nothing(text, size)) {
        out = heed__strdup(&r->hooks, text);
        if (!out) heed__error(err, HEED_ENOMEM, "out of memory for a text of %zu bytes", size);
        return out;
    }
    /* places first, for their alignment; then codes, then marks */
    heed__fold f = { 0 };
    if (size < SIZE_MAX / 16)
        f.start = heed__malloc(&r->hooks, (size + 1) * sizeof *f.start + 2 * size);
    if (f.start) {
        f.code = (uint8_t *)(f.start + size + 1);
        f.mark = f.code + size;
        fold(&f, text, size);
        for (int k = 0; k < KINDS; k++)
            if (r->on[k]) found += find_all(&f, k);
        const size_t len = found ? write_out(&f, NULL) : size;
        out = heed__malloc(&r->hooks, len + 1);
        if (out && found)
            write_out(&f, out);
        else if (out)
            memcpy(out, text, size);
        if (out) out[len] = 0;
    }
    heed__free(&r->hooks, f.start);
    if (!out)
        heed__error(err, HEED_ENOMEM, "out of memory for a text of %zu bytes", size);
    else if (count)
        *count = found;
    return out;
}
