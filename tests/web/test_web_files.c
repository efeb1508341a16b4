/* The page's files as they stand in the program: the very bytes of web/, compressed ones that open
 * to the same, tags that differ, and every file that one of them names. */
#include "cmocka_all.h"

#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "base/alloc.h"
#include "base/file.h"
#include "serve/web_files.h"

static void bytes_are_those_of_the_folder(void **state) {
    (void)state;
    assert_true(heed__web_files_len > 10);
    for (int i = 0; i < heed__web_files_len; i++) {
        const heed_web_file *f = &heed__web_files[i];
        char path[512], *data;
        size_t size;
        heed_error err;
        snprintf(path, sizeof path, HEED_SOURCE_DIR "/web/%s", f->path);
        assert_int_equal(heed__file_read(NULL, path, 1 << 22, &data, &size, &err), 0);
        assert_int_equal(size, f->size);
        assert_memory_equal(data, f->data, size);
        assert_int_equal(f->data[f->size], 0);
        heed__free(NULL, data);
        assert_ptr_equal(heed__web_find(f->path), f);
        assert_string_not_equal(heed__web_type(f->path), "application/octet-stream");
        assert_true(f->etag[0] == '"' && strlen(f->etag) == 22);
        for (int k = 0; k < i; k++) {
            assert_true(strcmp(heed__web_files[k].path, f->path) < 0);
            assert_string_not_equal(heed__web_files[k].etag, f->etag);
        }
    }
    assert_null(heed__web_find("nothing.js"));
    assert_null(heed__web_find(""));
}

static void compressed_opens_to_the_same(void **state) {
    (void)state;
    int packed = 0;
    for (int i = 0; i < heed__web_files_len; i++) {
        const heed_web_file *f = &heed__web_files[i];
        if (!f->gzip) continue;
        packed++;
        assert_true(f->gzip_size < f->size);
        unsigned char *out = test_malloc(f->size + 1);
        z_stream z = { .next_in = (Bytef *)(uintptr_t)f->gzip,
                       .avail_in = (uInt)f->gzip_size,
                       .next_out = out,
                       .avail_out = (uInt)f->size + 1 };
        assert_int_equal(inflateInit2(&z, 16 + MAX_WBITS), Z_OK);
        assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
        assert_int_equal(z.total_out, f->size);
        assert_memory_equal(out, f->data, f->size);
        inflateEnd(&z);
        test_free(out);
    }
    assert_true(packed > 10);
}

/* Where `what` stands in a file, or none. */
static const char *find(const heed_web_file *f, const char *what) {
    return strstr((const char *)f->data, what);
}

static void named_files_are_there(void **state) {
    (void)state;
    const heed_web_file *index = heed__web_find("index.html");
    assert_non_null(index);
    int named = 0;
    for (const char *at = find(index, "\"/app/"); at; at = strstr(at, "\"/app/")) {
        char path[128];
        at += strlen("\"/app/");
        const size_t n = strcspn(at, "\"");
        assert_true(n < sizeof path);
        memcpy(path, at, n);
        path[n] = 0;
        assert_non_null(heed__web_find(path));
        named++;
    }
    assert_true(named >= 4);
}

/* Ways by which text could become markup or a style could come from outside the style sheet: the
 * policy refuses them, and nothing tries. */
static void no_text_becomes_markup(void **state) {
    (void)state;
    static const char *const not [] = { "innerHTML",      "outerHTML",   "insertAdjacentHTML",
                                        "document.write", "eval(",       "new Function",
                                        "DOMParser",      "javascript:", "http://",
                                        " style=\"",      "onclick=\"" };
    for (int i = 0; i < heed__web_files_len; i++)
        for (size_t k = 0; k < sizeof not / sizeof not [0]; k++) {
            const heed_web_file *f = &heed__web_files[i];
            const char *at = find(f, not [k]);
            /* names of XML's spaces are no addresses */
            while (at && strncmp(at, "http://www.w3.org/", 18) == 0) at = strstr(at + 1, not [k]);
            if (at) print_error("%s: %.60s\n", f->path, at);
            assert_null(at);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_are_those_of_the_folder),
        cmocka_unit_test(compressed_opens_to_the_same),
        cmocka_unit_test(named_files_are_there),
        cmocka_unit_test(no_text_becomes_markup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
