/* mail.c: headers, parts and the two ways in which mail packs bytes. */
#include "flow/mail.h"

#include <string.h>
#include <strings.h>

#include "base/base64.h"
#include "base/date.h"
#include "base/text.h"
#include "flow/charset.h"
#include "flow/html.h"

typedef struct slice {
    const char *at;
    size_t size;
} slice;

static bool equal_word(slice s, const char *word) {
    return s.size == strlen(word) && strncasecmp(s.at, word, s.size) == 0;
}

static slice trim(slice s) {
    while (s.size > 0 && strchr(" \t\r\n", s.at[0])) s.at++, s.size--;
    while (s.size > 0 && strchr(" \t\r\n", s.at[s.size - 1])) s.size--;
    return s;
}

/* -- quoted-printable -------------------------------------------------------------------------- */

static int hex_value(char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                  : -1;
}

/* header: '_' is a space (RFC 2047). */
static void add_quoted(heed_text *to, slice s, bool header) {
    for (size_t i = 0; i < s.size; i++) {
        const char c = s.at[i];
        if (c == '=' && i + 2 < s.size && hex_value(s.at[i + 1]) >= 0 &&
            hex_value(s.at[i + 2]) >= 0) {
            heed__text_put(to, (char)(hex_value(s.at[i + 1]) * 16 + hex_value(s.at[i + 2])));
            i += 2;
        } else if (c == '=' && !header) { /* spaces and a line end: the line goes on */
            size_t j = i + 1;
            while (j < s.size && (s.at[j] == ' ' || s.at[j] == '\t' || s.at[j] == '\r')) j++;
            if (j == s.size || s.at[j] == '\n')
                i = j;
            else
                heed__text_put(to, c);
        } else {
            heed__text_put(to, header && c == '_' ? ' ' : c);
        }
    }
}

/* -- headers ---------------------------------------------------------------------------------- */

/* One encoded word =?charset?B?text?= at s.at: its bytes in *used. False: none. */
static bool add_word(heed_text *to, slice s, size_t *used) {
    slice part[3];
    const char *at = s.at + 2, *const end = s.at + s.size;
    for (int i = 0; i < 3; i++) {
        const char *mark = at < end ? memchr(at, '?', (size_t)(end - at)) : NULL;
        if (!mark) return false;
        part[i] = (slice){ at, (size_t)(mark - at) };
        at = mark + 1;
    }
    if (at >= end || *at != '=' || part[1].size != 1 || part[0].size > 60) return false;
    const char how = (char)(part[1].at[0] | 32);
    if (how != 'b' && how != 'q') return false;
    heed_text raw = { .hooks = to->hooks };
    if (how == 'b')
        heed__base64_add(&raw, part[2].at, part[2].size);
    else
        add_quoted(&raw, part[2], true);
    char name[64];
    memcpy(name, part[0].at, part[0].size);
    name[part[0].size] = 0;
    name[strcspn(name, "*")] = 0; /* RFC 2231's language */
    if (raw.failed)
        to->failed = true;
    else if (raw.len > 0 && !heed__charset_add(to, name, raw.bytes, (size_t)raw.len))
        heed__charset_document(to, NULL, NULL, raw.bytes, (size_t)raw.len);
    heed__text_free(&raw);
    *used = (size_t)(at + 1 - s.at);
    return true;
}

/* A header's value as text: encoded words decoded, space between two of them dropped, the rest as
 * it is. */
static char *header_text(const heed_hooks *hooks, slice s, bool *failed) {
    heed_text raw = { .hooks = hooks }, tidy = { .hooks = hooks };
    size_t plain = 0; /* where bytes that are no encoded word began */
    bool word = false;
    for (size_t i = 0; i <= s.size;) {
        size_t used = 0;
        heed_text decoded = { .hooks = hooks };
        const bool is = i + 2 < s.size && s.at[i] == '=' && s.at[i + 1] == '?' &&
                        add_word(&decoded, (slice){ s.at + i, s.size - i }, &used);
        if (is || i == s.size) {
            const slice between = { s.at + plain, i - plain };
            if (!(word && is && trim(between).size == 0) && between.size > 0)
                heed__charset_document(&raw, NULL, NULL, between.at, between.size);
            if (decoded.len > 0) heed__text_add(&raw, decoded.bytes, (size_t)decoded.len);
            plain = i + used;
            word = is;
        }
        raw.failed |= decoded.failed;
        heed__text_free(&decoded);
        i += is ? used : 1;
    }
    for (int64_t i = 0; i < raw.len; i++) /* a header is one line, however it was folded */
        if (raw.bytes[i] == '\n' || raw.bytes[i] == '\r') raw.bytes[i] = ' ';
    if (raw.len > 0 && !raw.failed) heed__plain_text(&tidy, raw.bytes, (size_t)raw.len);
    *failed |= raw.failed;
    heed__text_free(&raw);
    if (tidy.len == 0 && !tidy.failed) return NULL;
    char *text = heed__text_take(&tidy, NULL);
    if (!text) *failed = true;
    return text;
}

/* The headers' block of an entity and what follows it. */
static void split(slice entity, slice *headers, slice *body) {
    for (size_t i = 0; i < entity.size;) {
        const char *line = entity.at + i;
        const char *end = memchr(line, '\n', entity.size - i);
        const size_t n = end ? (size_t)(end - line) + 1 : entity.size - i;
        if (trim((slice){ line, n }).size == 0) {
            *headers = (slice){ entity.at, i };
            *body = (slice){ line + n, entity.size - i - n };
            return;
        }
        i += n;
    }
    *headers = entity;
    *body = (slice){ entity.at + entity.size, 0 };
}

/* The value of the first header with that name, with the lines that continue it. */
static slice header(slice headers, const char *name) {
    const size_t n = strlen(name);
    for (size_t i = 0; i < headers.size;) {
        const char *line = headers.at + i, *end;
        size_t size = 0;
        do { /* lines that begin with a space continue the one before */
            end = memchr(line + size, '\n', headers.size - i - size);
            size = end ? (size_t)(end - line) + 1 : headers.size - i;
        } while (end && i + size < headers.size && (line[size] == ' ' || line[size] == '\t'));
        if (size > n && line[n] == ':' && strncasecmp(line, name, n) == 0)
            return trim((slice){ line + n + 1, size - n - 1 });
        i += size;
    }
    return (slice){ "", 0 };
}

/* A parameter of a value, as the charset of `text/plain; charset="x"`. */
static slice parameter(slice value, const char *name) {
    const size_t n = strlen(name);
    bool quoted = false;
    for (size_t i = 0; i < value.size; i++) {
        if (value.at[i] == '"') quoted = !quoted;
        if (value.at[i] != ';' || quoted) continue;
        slice s = trim((slice){ value.at + i + 1, value.size - i - 1 });
        if (s.size <= n || strncasecmp(s.at, name, n) != 0) continue;
        s = trim((slice){ s.at + n, s.size - n });
        if (s.size == 0 || s.at[0] != '=') continue;
        s = trim((slice){ s.at + 1, s.size - 1 });
        size_t len = 0;
        if (s.size > 0 && s.at[0] == '"') {
            s = (slice){ s.at + 1, s.size - 1 };
            while (len < s.size && s.at[len] != '"') len++;
        } else {
            while (len < s.size && !strchr("; \t\r\n", s.at[len])) len++;
        }
        return (slice){ s.at, len };
    }
    return (slice){ "", 0 };
}

/* -- parts ------------------------------------------------------------------------------------ */

typedef struct walk {
    slice plain, html; /* the first of each: a whole entity, headers and body */
    int parts;
} walk;

static slice media_type(slice type) {
    size_t len = 0;
    while (len < type.size && !strchr("; \t\r\n", type.at[len])) len++;
    return (slice){ type.at, len };
}

static void visit(walk *w, slice entity, int depth);

/* Is line i.. of a body the boundary? 1: a part begins behind it, 2: the last has ended. */
static int is_boundary(slice line, slice boundary) {
    if (line.size < boundary.size + 2 || line.at[0] != '-' || line.at[1] != '-' ||
        memcmp(line.at + 2, boundary.at, boundary.size) != 0)
        return 0;
    const slice rest = { line.at + 2 + boundary.size, line.size - 2 - boundary.size };
    if (rest.size >= 2 && rest.at[0] == '-' && rest.at[1] == '-') return 2;
    return trim(rest).size == 0 ? 1 : 0;
}

static void visit_parts(walk *w, slice body, slice boundary, int depth) {
    const char *part = NULL;
    for (size_t i = 0; i < body.size;) {
        const char *line = body.at + i;
        const char *end = memchr(line, '\n', body.size - i);
        const size_t n = end ? (size_t)(end - line) + 1 : body.size - i;
        const int is = is_boundary((slice){ line, n }, boundary);
        if (is && part) visit(w, (slice){ part, (size_t)(line - part) }, depth + 1);
        if (is == 2) return;
        if (is) part = line + n;
        i += n;
    }
    if (part) visit(w, (slice){ part, (size_t)(body.at + body.size - part) }, depth + 1);
}

static void visit(walk *w, slice entity, int depth) {
    slice headers, body;
    if (depth > HEED_MAIL_DEPTH || ++w->parts > HEED_MAIL_PARTS) return;
    split(entity, &headers, &body);
    const slice type = header(headers, "Content-Type"), media = media_type(type);
    const slice boundary = parameter(type, "boundary");
    const slice disposition = media_type(header(headers, "Content-Disposition"));
    if (media.size > 10 && strncasecmp(media.at, "multipart/", 10) == 0 && boundary.size > 0) {
        visit_parts(w, body, boundary, depth);
    } else if (equal_word(disposition, "attachment")) {
        return;
    } else if (media.size == 0 || equal_word(media, "text/plain") || equal_word(media, "text")) {
        if (!w->plain.at) w->plain = entity;
    } else if (equal_word(media, "text/html")) {
        if (!w->html.at) w->html = entity;
    }
}

/* The text of a text/plain or text/html entity. */
static char *body_text(const heed_hooks *hooks, slice entity, bool html, bool *failed) {
    heed_text raw = { .hooks = hooks }, utf8 = { .hooks = hooks }, tidy = { .hooks = hooks };
    slice headers, body;
    char name[64] = "";
    split(entity, &headers, &body);
    const slice how = media_type(header(headers, "Content-Transfer-Encoding"));
    const slice charset = parameter(header(headers, "Content-Type"), "charset");
    if (charset.size < sizeof name) memcpy(name, charset.at, charset.size);
    if (equal_word(how, "base64"))
        heed__base64_add(&raw, body.at, body.size);
    else if (equal_word(how, "quoted-printable"))
        add_quoted(&raw, body, false);
    else
        heed__text_add(&raw, body.at, body.size);
    if (!raw.failed)
        heed__charset_document(&utf8, name[0] ? name : NULL, NULL, raw.len ? raw.bytes : "",
                               (size_t)raw.len);
    if (!raw.failed && !utf8.failed)
        (html ? heed__html_text : heed__plain_text)(&tidy, utf8.len ? utf8.bytes : "",
                                                    (size_t)utf8.len);
    *failed |= raw.failed || utf8.failed;
    heed__text_free(&raw);
    heed__text_free(&utf8);
    if (tidy.len == 0 && !tidy.failed) return NULL;
    char *text = heed__text_take(&tidy, NULL);
    if (!text) *failed = true;
    return text;
}

/* The first <id> of a header. */
static char *id_of(const heed_hooks *hooks, slice s, bool *failed) {
    const char *from = memchr(s.at, '<', s.size);
    const char *end = from ? memchr(from, '>', s.size - (size_t)(from - s.at)) : NULL;
    if (end) s = (slice){ from + 1, (size_t)(end - from) - 1 };
    return trim(s).size > 0 ? header_text(hooks, trim(s), failed) : NULL;
}

/* "Ann <ann@example.org>" -> "ann@example.org" */
static char *address_of(const heed_hooks *hooks, const char *from, bool *failed) {
    const char *open = strrchr(from, '<');
    const char *at = open ? open + 1 : from;
    const size_t len = strcspn(at, open ? ">" : " \t");
    if (!memchr(at, '@', len)) return NULL;
    char *text = heed__malloc(hooks, len + 1);
    if (!text) {
        *failed = true;
        return NULL;
    }
    for (size_t i = 0; i < len; i++)
        text[i] = (char)(at[i] >= 'A' && at[i] <= 'Z' ? at[i] + 32 : at[i]);
    text[len] = 0;
    return text;
}

int heed__mail_read(heed_mail *mail, const char *bytes, size_t size, const heed_hooks *hooks,
                    heed_error *err) {
    bool failed = false;
    slice whole = { bytes, size }, headers, body;
    if (size > 5 && memcmp(bytes, "From ", 5) == 0) { /* as a mailbox file begins a mail */
        const char *end = memchr(bytes, '\n', size);
        if (end) whole = (slice){ end + 1, size - (size_t)(end + 1 - bytes) };
    }
    *mail = (heed_mail){ .hooks = hooks };
    split(whole, &headers, &body);
    mail->from = header_text(hooks, header(headers, "From"), &failed);
    if (mail->from) mail->address = address_of(hooks, mail->from, &failed);
    mail->subject = header_text(hooks, header(headers, "Subject"), &failed);
    mail->id = id_of(hooks, header(headers, "Message-ID"), &failed);
    mail->thread = id_of(hooks, header(headers, "References"), &failed);
    if (!mail->thread) mail->thread = id_of(hooks, header(headers, "In-Reply-To"), &failed);
    if (!mail->thread && mail->id) {
        mail->thread = heed__strdup(hooks, mail->id);
        failed |= !mail->thread;
    }
    const slice date = header(headers, "Date");
    if (!heed__date_read(date.at, date.size, &mail->time_ms)) mail->time_ms = 0;
    walk w = { 0 };
    visit(&w, whole, 0);
    if (w.plain.at) mail->text = body_text(hooks, w.plain, false, &failed);
    if (!mail->text && w.html.at) mail->text = body_text(hooks, w.html, true, &failed);
    if (!failed) return 0;
    heed__mail_free(mail);
    return heed__error(err, HEED_ENOMEM, "out of memory for a mail");
}

void heed__mail_free(heed_mail *mail) {
    heed__free(mail->hooks, mail->from);
    heed__free(mail->hooks, mail->address);
    heed__free(mail->hooks, mail->subject);
    heed__free(mail->hooks, mail->id);
    heed__free(mail->hooks, mail->thread);
    heed__free(mail->hooks, mail->text);
    *mail = (heed_mail){ 0 };
}
