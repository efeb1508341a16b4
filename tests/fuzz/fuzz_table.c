/* fuzz_table.c: any bytes as a CSV, TSV or JSON lines file of the replay source: every record cut,
 * every field whole. The first byte chooses the form. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/text.h"
#include "flow/table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds, const char *what) {
    if (holds) return;
    fprintf(stderr, "%s\n", what);
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char *const forms[] = { "csv", "tsv", "jsonl", NULL };
    static int fd = -1;
    static char path[64];
    if (size < 1) return 0;
    if (fd < 0) {
        fd = memfd_create("table", 0);
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    }
    check(ftruncate(fd, 0) == 0 && pwrite(fd, data + 1, size - 1, 0) == (ssize_t)(size - 1),
          "file");
    heed_error err = { 0 };
    heed_table t;
    int got = heed__table_open(&t, path, forms[data[0] % 4], NULL, &err);
    while (got >= 0 && (got = heed__table_next(&t, &err)) > 0) {
        check(t.record.len > 0, "an empty record");
        check(heed__utf8_check(t.record.bytes, (size_t)t.record.len) == (size_t)t.record.len,
              "a record that is no UTF-8");
        const size_t len = strlen(t.record.bytes);
        check(heed__table_cut(&t, t.record.bytes, &err) == 0 && t.fields > 0, "a record uncut");
        size_t sum = 0;
        for (int64_t i = 0; i < t.fields; i++) sum += strlen(t.field[i]);
        check(sum + (size_t)t.fields - 1 <= len, "fields longer than their record");
    }
    check(got == 0 || err.msg[0], "an error without a sentence");
    heed__table_close(&t);
    return 0;
}
