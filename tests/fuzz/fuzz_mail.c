/* fuzz_mail.c: any bytes as what the first byte says: a mail, HTML, a date, a text of some charset.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/text.h"
#include "flow/charset.h"
#include "flow/html.h"
#include "flow/mail.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds, const char *what) {
    if (holds) return;
    fprintf(stderr, "%s\n", what);
    abort();
}

/* Lines of UTF-8 without control characters, without a space at either end, none of them empty. */
static void check_tidy(const char *text) {
    for (const char *line = text; line && *line;) {
        const size_t n = strcspn(line, "\n");
        check(heed__control_at(line, n) == n, "a control character, or no UTF-8");
        check(n > 0 && line[0] != ' ' && line[n - 1] != ' ', "a line that is not tidy");
        line += n;
        if (*line) check(*++line != 0, "a line end at the end");
    }
}

static void read_mail(const char *bytes, size_t size) {
    heed_error err;
    heed_mail m;
    check(heed__mail_read(&m, bytes, size, NULL, &err) == 0, "bytes that are no mail");
    check_tidy(m.from);
    check_tidy(m.subject);
    check_tidy(m.id);
    check_tidy(m.text);
    check(!m.address || strchr(m.address, '@'), "an address");
    heed__mail_free(&m);
}

static void read_html(const char *bytes, size_t size) {
    heed_text text = { 0 };
    heed__html_text(&text, bytes, size);
    check_tidy(text.bytes);
    heed__text_free(&text);
    heed__plain_text(&text, bytes, size);
    check_tidy(text.bytes);
    heed__text_free(&text);
}

static void read_charset(const char *bytes, size_t size) {
    char name[32];
    heed_text text = { 0 };
    const size_t n = size < sizeof name - 1 ? size : sizeof name - 1;
    memcpy(name, bytes, n);
    name[n] = 0;
    heed__charset_add(&text, name, bytes, size);
    heed__charset_document(&text, name, NULL, bytes, size);
    check(heed__utf8_check(text.bytes ? text.bytes : "", (size_t)text.len) == (size_t)text.len,
          "a charset that is no UTF-8 afterwards");
    heed__text_free(&text);
    heed__charset_of_xml(bytes, size, name, sizeof name);
}

static void read_date(const char *bytes, size_t size) {
    int64_t ms, again;
    char text[HEED_DATE_SIZE];
    if (!heed__date_read(bytes, size, &ms)) return;
    heed__date_text(ms, text);
    check(heed__date_read(text, strlen(text), &again), "a date that cannot be read again");
    check(again == ms || ms < -62135596800000 || ms > 253402300799999, "a date that changes");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static void (*const readers[])(const char *, size_t) = { read_mail, read_html, read_charset,
                                                             read_date };
    if (size < 1) return 0;
    char *bytes = malloc(size);
    memcpy(bytes, data + 1, size - 1);
    readers[data[0] % 4](bytes, size - 1);
    free(bytes);
    return 0;
}
