/* fuzz_feed.c: any bytes as a feed. The first byte chooses the charset that the server said. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "flow/feed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds, const char *what) {
    if (holds) return;
    fprintf(stderr, "%s\n", what);
    abort();
}

/* UTF-8 without control characters but line ends. */
static void check_text(const char *text) {
    for (size_t at = 0; text && text[at];) {
        const size_t end = at + strcspn(text + at, "\n");
        check(heed__control_at(text + at, end - at) == end - at, "a text that is not tidy");
        at = end + (text[end] != 0);
    }
}

static int on_item(void *user, const heed_feed_item *item) {
    int64_t *n = user;
    check(item->id && item->id[0] && (item->title || item->text), "an item of nothing");
    check_text(item->id);
    check_text(item->title);
    check_text(item->text);
    check_text(item->url);
    check_text(item->author);
    (*n)++;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char *const charsets[] = { NULL,          "utf-8",    "windows-1251", "gb2312",
                                            "iso-2022-jp", "utf-16le", "euc-kr",       "x" };
    if (size < 1) return 0;
    heed_error err = { 0 };
    char *bytes = malloc(size);
    memcpy(bytes, data + 1, size - 1);
    int64_t items = 0;
    const heed_feed_cfg cfg = { .name = "feed", .charset = charsets[data[0] % 8] };
    const int64_t n = heed__feed_read(bytes, size - 1, &cfg, on_item, &items, &err);
    check(n < 0 ? err.code == n && strncmp(err.msg, "feed:", 5) == 0 : n == items, "a count");
    free(bytes);
    return 0;
}
