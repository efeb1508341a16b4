/* The safetensors reader against every kind of bad file, and the writer against the reader. */
#include "cmocka_all.h"
#include "counting.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/json.h"
#include "heed/io.h"
#include "io/config.h"

#define SHAPE(...)                                                                                 \
    (sizeof((int64_t[]){ __VA_ARGS__ }) / sizeof(int64_t)), (int64_t[]) {                          \
        __VA_ARGS__                                                                                \
    }

static char folder[] = "/tmp/heed-formats-XXXXXX";
static char path[128], other[128], none[128]; /* none: never written */

static int make_folder(void **state) {
    (void)state;
    if (!mkdtemp(folder)) return -1;
    snprintf(path, sizeof path, "%s/a.safetensors", folder);
    snprintf(other, sizeof other, "%s/b.safetensors", folder);
    snprintf(none, sizeof none, "%s/none", folder);
    return 0;
}

static int remove_folder(void **state) {
    (void)state;
    char config[128];
    snprintf(config, sizeof config, "%s/m/config.json", folder);
    unlink(path);
    unlink(other);
    unlink(config);
    snprintf(config, sizeof config, "%s/m", folder);
    rmdir(config);
    return rmdir(folder);
}

/* A file's bytes from the text of its header and a number of data bytes. Free with free. */
static unsigned char *file_of(const char *header, size_t data, size_t *size) {
    const size_t len = strlen(header);
    *size = 8 + len + data;
    unsigned char *bytes = calloc(1, *size);
    for (int i = 0; i < 8; i++) bytes[i] = (unsigned char)(len >> 8 * i);
    memcpy(bytes + 8, header, len);
    return bytes;
}

/* Reads all that an open file offers, so that a sanitizer sees every byte that it points to. */
static uint64_t visit(const heed_safetensors *st) {
    uint64_t sum = 0;
    for (int64_t i = 0; i < heed_safetensors_count(st); i++) {
        const heed_entry *e = heed_safetensors_at(st, i);
        assert_ptr_equal(heed_safetensors_find(st, e->name), e);
        assert_int_equal(e->size, (size_t)e->len * heed_file_dtype_size(e->dtype));
        for (size_t b = 0; b < e->size; b++) sum += ((const unsigned char *)e->data)[b];
    }
    const char *meta = heed_safetensors_meta(st, "format");
    return sum + (meta ? strlen(meta) : 0);
}

static void refuse(const char *header, size_t data, const char *sentence) {
    size_t size;
    unsigned char *bytes = file_of(header, data, &size);
    heed_error err;
    assert_null(heed_safetensors_from(bytes, size, "f", NULL, &err));
    assert_int_equal(err.code, HEED_EFORMAT);
    if (strncmp(err.msg, sentence, strlen(sentence)))
        fail_msg("'%s' does not begin with '%s'", err.msg, sentence);
    free(bytes);
}

#define W(dtype, shape, offsets)                                                                   \
    "{\"w\":{\"dtype\":" dtype ",\"shape\":" shape ",\"data_offsets\":" offsets "}}"

static void test_refusals(void **state) {
    (void)state;
    refuse(W("\"F32\"", "[2,3]", "[0,20]"), 20,
           "f: tensor 'w': 20 bytes, but its shape and dtype F32 take 24");
    refuse(W("\"F32\"", "[2,3]", "[0,24]"), 20,
           "f: tensor 'w': offsets 0 to 24, but there are 20 bytes");
    refuse(W("\"F32\"", "[1]", "[4,0]"), 4, "f: tensor 'w': offsets 4 to 0");
    refuse(W("\"F32\"", "[1]", "[-4,0]"), 4, "f: tensor 'w': offsets -4 to 0");
    refuse(W("\"F32\"", "[1]", "[0,4,4]"), 4, "f: tensor 'w': its data_offsets are missing");
    refuse(W("\"F32\"", "[1]", "[0,4.0]"), 4, "f: tensor 'w': its data_offsets are missing");
    refuse(W("\"F32\"", "[1]", "{}"), 4, "f: tensor 'w': its data_offsets are missing");
    refuse(W("\"F31\"", "[1]", "[0,4]"), 4, "f: tensor 'w': unknown dtype 'F31'");
    refuse(W("7", "[1]", "[0,4]"), 4, "f: tensor 'w': its dtype is missing or no text");
    refuse(W("\"F32\"", "4", "[0,4]"), 4, "f: tensor 'w': its shape is missing or no list");
    refuse(W("\"F32\"", "[-1]", "[0,4]"), 4, "f: tensor 'w': its shape is no list of sizes");
    refuse(W("\"F32\"", "[1.5]", "[0,4]"), 4, "f: tensor 'w': its shape is no list of sizes");
    refuse(W("\"F32\"", "[1,1,1,1,1,1,1,1,1]", "[0,4]"), 4,
           "f: tensor 'w': its shape has more than 8 dimensions");
    refuse(W("\"F32\"", "[4294967296,4294967296,4]", "[0,0]"), 0,
           "f: tensor 'w': its shape is larger than any file");
    refuse(W("\"F64\"", "[2305843009213693952]", "[0,0]"), 0,
           "f: tensor 'w': its shape is larger than any file");
    refuse(W("\"F32\"", "[1]", "[0,4]"), 6, "f: 2 bytes at the end belong to no tensor");
    refuse(W("\"F32\"", "[1]", "[4,8]"), 8,
           "f: tensor 'w': there are bytes before it that belong to no tensor");
    refuse("{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]},"
           "\"b\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[2,6]}}",
           6, "f: tensor 'b': it overlaps the tensor before it");
    refuse("{\"a\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]},"
           "\"a\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}}",
           0, "f:1:");
    refuse("{\"a\":3}", 0, "f: tensor 'a': its description is no object");
    refuse("{\"__metadata__\":[]}", 0, "f: __metadata__ is no object");
    refuse("{\"__metadata__\":{\"a\":1}}", 0, "f: __metadata__ 'a' is no text");
    refuse("[]", 0, "f: its header is no object");
    refuse("{\"\xff\":3}", 0, "f:1:");
    refuse("{} x", 0, "f:1:");
    refuse("", 0, "f:1:");
    heed_error err;
    assert_null(heed_safetensors_from("1234567", 7, "f", NULL, &err));
    assert_string_equal(err.msg, "f: 7 bytes are too few for a safetensors file");
    assert_null(heed_safetensors_from("\xff\xff\xff\xff\xff\xff\xff\xff{}", 10, "f", NULL, &err));
    assert_string_equal(err.msg, "f: a header of 18446744073709551615 bytes, but the file has 10 "
                                 "(no safetensors file, or cut short)");
    assert_null(heed_safetensors_open("/nowhere/f", NULL, &err));
    assert_int_equal(err.code, HEED_ENOTFOUND);
}

static void test_deep_header(void **state) {
    (void)state;
    enum { DEEP = 200000 };
    char *header = malloc(DEEP + 1);
    memset(header, '[', DEEP);
    header[DEEP] = 0;
    refuse(header, 0, "f:1:");
    for (int i = 0; i + 5 <= DEEP; i += 5) memcpy(header + i, "{\"a\":", 5);
    refuse(header, 0, "f:1:");
    free(header);
}

static const float numbers[6] = { 1, -2, 3.5f, 1e-40f, 5, 6 };
static const heed_entry some[] = {
    { "b.bytes", HEED_FILE_U8, 1, { 3 }, 0, "abc", 0 },
    { "z", HEED_FILE_F32, 2, { 2, 3 }, 0, numbers, 0 },
    { "a.\xc3\xa9", HEED_FILE_F32, 0, { 0 }, 0, numbers + 2, 0 },
    { "empty", HEED_FILE_F64, 2, { 0, 7 }, 0, NULL, 0 },
    { "wide", HEED_FILE_I64, 1, { 1 }, 0, &(int64_t){ -9 }, 0 },
};
static const heed_meta pairs[] = { { "format", "pt" }, { "a", "\"b\"\n" }, { 0 } };

static void test_round_trip(void **state) {
    (void)state;
    heed_error err;
    assert_int_equal(heed_safetensors_save(path, some, 5, pairs, NULL, &err), 0);
    heed_safetensors *st = heed_safetensors_open(path, NULL, &err);
    if (!st) fail_msg("%s", err.msg);
    assert_int_equal(heed_safetensors_count(st), 5);
    assert_string_equal(heed_safetensors_at(st, 0)->name, "a.\xc3\xa9");
    assert_null(heed_safetensors_at(st, 5));
    assert_null(heed_safetensors_find(st, "a"));
    assert_string_equal(heed_safetensors_meta(st, "a"), "\"b\"\n");
    assert_null(heed_safetensors_meta(st, "b"));
    const heed_entry *z = heed_safetensors_find(st, "z");
    assert_memory_equal(z->data, numbers, sizeof numbers);
    assert_true(z->shape[0] == 2 && z->shape[1] == 3 && z->len == 6);
    for (int i = 0; i < 5; i++) {
        const heed_entry *e = heed_safetensors_at(st, i);
        assert_int_equal((uintptr_t)e->data % heed_file_dtype_size(e->dtype), 0);
    }
    int64_t wide;
    assert_int_equal(heed_entry_i64(heed_safetensors_find(st, "wide"), &wide, &err), 0);
    assert_int_equal(wide, -9);
    heed_safetensors_close(st);
    /* the same contents in another order are the same bytes */
    const heed_entry turned[] = { some[4], some[3], some[2], some[1], some[0] };
    const heed_meta swapped[] = { pairs[1], pairs[0], { 0 } };
    assert_int_equal(heed_safetensors_save(other, turned, 5, swapped, NULL, &err), 0);
    char *a, *b;
    size_t size_a, size_b;
    assert_int_equal(heed__file_read(NULL, path, 1 << 20, &a, &size_a, &err), 0);
    assert_int_equal(heed__file_read(NULL, other, 1 << 20, &b, &size_b, &err), 0);
    assert_int_equal(size_a, size_b);
    assert_memory_equal(a, b, size_a);
    heed__free(NULL, a);
    heed__free(NULL, b);
    assert_int_equal(heed_safetensors_save(path, NULL, 0, NULL, NULL, &err), 0);
    st = heed_safetensors_open(path, NULL, &err);
    assert_non_null(st);
    assert_int_equal(heed_safetensors_count(st), 0);
    heed_safetensors_close(st);
}

/* What saving needs for a while comes from the caller's hooks and goes back there. */
static void test_writer_hooks(void **state) {
    (void)state;
    heed_error err;
    assert_int_equal(heed_safetensors_save(path, some, 5, pairs, &counting, &err), 0);
    assert_true(allocations >= 4); /* items, metadata, header, writer */
    assert_int_equal(held, 0);
    assert_int_equal(heed_safetensors_save("/nowhere/x", some, 5, pairs, &counting, &err) < 0, 1);
    assert_int_equal(held, 0);
}

static void test_writer_refuses(void **state) {
    (void)state;
    heed_error err;
    heed_entry e = some[1];
    const heed_entry twice[] = { e, e };
    assert_int_equal(heed_safetensors_save(none, twice, 2, NULL, NULL, &err), HEED_EINVALID);
    assert_non_null(strstr(err.msg, "/none: two tensors have the name 'z'"));
    e.name = "\xff";
    assert_int_equal(heed_safetensors_save(none, &e, 1, NULL, NULL, &err), HEED_EINVALID);
    e.name = "__metadata__";
    assert_int_equal(heed_safetensors_save(none, &e, 1, NULL, NULL, &err), HEED_EINVALID);
    e = some[1];
    e.shape[0] = e.shape[1] = INT64_MAX;
    assert_int_equal(heed_safetensors_save(none, &e, 1, NULL, NULL, &err), HEED_EINVALID);
    e = some[1];
    e.data = NULL;
    assert_int_equal(heed_safetensors_save(none, &e, 1, NULL, NULL, &err), HEED_EINVALID);
    assert_int_equal(heed_safetensors_save("/nowhere/x", some, 1, NULL, NULL, &err) < 0, 1);
    const heed_meta bad[] = { { "k", NULL }, { 0 } };
    assert_int_equal(heed_safetensors_save(none, some, 1, bad, NULL, &err), HEED_EINVALID);
    assert_int_equal(access(none, F_OK), -1);
}

/* Every truncation and thousands of flipped bits: an error or a file that can be read, no more. */
static void test_damage(void **state) {
    (void)state;
    heed_error err;
    char *bytes;
    size_t size;
    assert_int_equal(heed_safetensors_save(path, some, 5, pairs, NULL, &err), 0);
    assert_int_equal(heed__file_read(NULL, path, 1 << 20, &bytes, &size, &err), 0);
    for (size_t cut = 0; cut < size; cut++) {
        char *copy = malloc(cut ? cut : 1); /* of that very size: a sanitizer sees a step too far */
        memcpy(copy, bytes, cut);
        assert_null(heed_safetensors_from(copy, cut, "f", NULL, &err));
        assert_int_equal(err.code, HEED_EFORMAT);
        assert_true(strlen(err.msg) > 3);
        free(copy);
    }
    heed_rng rng = { .seed = 9 };
    int opened = 0;
    for (int round = 0; round < 20000; round++) {
        char *copy = malloc(size);
        memcpy(copy, bytes, size);
        const int flips = 1 + (int)heed_rng_below(&rng, 3);
        for (int i = 0; i < flips; i++)
            copy[heed_rng_below(&rng, size)] ^= (char)(1 << heed_rng_below(&rng, 8));
        heed_safetensors *st = heed_safetensors_from(copy, size, "f", NULL, &err);
        if (st) {
            opened++;
            visit(st);
        } else {
            assert_int_equal(err.code, HEED_EFORMAT);
        }
        heed_safetensors_close(st);
        free(copy);
    }
    assert_true(opened > 100 && opened < 19000);
    heed__free(NULL, bytes);
}

static void test_conversions(void **state) {
    (void)state;
    const uint16_t halves[] = { 0x3c00, 0xc000, 0x0001, 0x8000, 0x7bff, 0x7c00, 0x0400 };
    const float want[] = { 1, -2, 0x1p-24f, -0.0f, 65504, 1 / 0.0f, 0x1p-14f };
    float got[7];
    heed_entry e = { "h", HEED_FILE_F16, 1, { 7 }, 7, halves, 14 };
    assert_int_equal(heed_entry_f32(&e, got, NULL), 0);
    assert_memory_equal(got, want, sizeof got);
    const uint16_t brain[] = { 0x3f80, 0xc000 };
    e = (heed_entry){ "b", HEED_FILE_BF16, 1, { 2 }, 2, brain, 4 };
    assert_int_equal(heed_entry_f32(&e, got, NULL), 0);
    assert_true(got[0] == 1 && got[1] == -2);
    unsigned char odd[17]; /* at an odd address */
    memcpy(odd + 1, (double[]){ 0.1, -3 }, 16);
    e = (heed_entry){ "d", HEED_FILE_F64, 1, { 2 }, 2, odd + 1, 16 };
    assert_int_equal(heed_entry_f32(&e, got, NULL), 0);
    assert_true(got[0] == 0.1f && got[1] == -3);
    heed_error err;
    int64_t whole[3];
    assert_int_equal(heed_entry_i64(&e, whole, &err), HEED_EINVALID);
    assert_string_equal(err.msg, "tensor 'd' of type F64 holds no whole numbers");
    e = (heed_entry){ "i", HEED_FILE_I8, 1, { 2 }, 2, "\xff\x02", 2 };
    assert_int_equal(heed_entry_i64(&e, whole, &err), 0);
    assert_true(whole[0] == -1 && whole[1] == 2);
    assert_int_equal(heed_entry_f32(&e, got, &err), HEED_EINVALID);
    e = (heed_entry){ "u", HEED_FILE_U64, 1, { 1 }, 1, &(uint64_t){ UINT64_MAX }, 8 };
    assert_int_equal(heed_entry_i64(&e, whole, &err), HEED_EINVALID);
}

static heed_params *small_model(const char *second, int64_t cols) {
    heed_params *ps = heed_params_new(&(heed_params_cfg){ .seed = 4 }, NULL);
    heed_param(ps, "a.w", (heed_init){ HEED_INIT_NORMAL, 1 }, SHAPE(3, cols));
    heed_param(ps, second, (heed_init){ HEED_INIT_NORMAL, 1 }, SHAPE(4));
    return ps;
}

static void load_refused(const char *second, int64_t cols, const char *sentence) {
    heed_params *ps = small_model(second, cols);
    HEED_F32_DATA(heed_params_at(ps, 0))[0] = 77;
    heed_error err;
    assert_int_equal(heed_params_load(ps, path, &err), HEED_EFORMAT);
    char want[256];
    snprintf(want, sizeof want, "%s: %s", path, sentence);
    assert_string_equal(err.msg, want);
    assert_true(HEED_F32_DATA(heed_params_at(ps, 0))[0] == 77);
    heed_params_free(ps);
}

static void test_params(void **state) {
    (void)state;
    heed_params *ps = small_model("b", 5);
    heed_error err;
    assert_int_equal(heed_params_save(ps, path, (heed_meta[]){ { "k", "v" }, { 0 } }, &err), 0);
    float was[15];
    memcpy(was, heed_params_at(ps, 0)->data, sizeof was);
    memset(heed_params_at(ps, 0)->data, 0, sizeof was);
    assert_int_equal(heed_params_load(ps, path, &err), 0);
    assert_memory_equal(heed_params_at(ps, 0)->data, was, sizeof was);
    load_refused("b", 6, "tensor 'a.w' is [3,5], but the model's is [3,6]");
    load_refused("c", 5, "tensor 'b' is not one of the model's");
    heed_param(ps, "more", (heed_init){ HEED_INIT_ONES, 0 }, SHAPE(1));
    assert_int_equal(heed_params_load(ps, path, &err), HEED_EFORMAT);
    assert_non_null(strstr(err.msg, "tensor 'more' is missing"));
    heed_params_free(ps);
    heed_entry e[] = { { "a.w", HEED_FILE_I32, 2, { 3, 5 }, 0, was, 0 },
                       { "b", HEED_FILE_F32, 1, { 4 }, 0, was, 0 } };
    assert_int_equal(heed_safetensors_save(path, e, 2, NULL, NULL, &err), 0);
    load_refused("b", 5, "tensor 'a.w' is of type I32, which is no kind of weight");
}

static void test_config(void **state) {
    (void)state;
    char model[128];
    snprintf(model, sizeof model, "%s/m", folder);
    heed_error err;
    json_t *fields = json_pack("{s:s,s:i}", "kind", "test", "dim", 3);
    assert_int_equal(heed__config_save(NULL, model, 2, fields, &err), 0);
    json_decref(fields);
    json_t *tree = heed__config_load(NULL, model, 2, &err);
    assert_non_null(tree);
    assert_int_equal(json_integer_value(json_object_get(tree, "format_version")), 2);
    assert_int_equal(json_integer_value(json_object_get(tree, "dim")), 3);
    json_decref(tree);
    assert_null(heed__config_load(NULL, model, 1, &err));
    assert_int_equal(err.code, HEED_EUNSUPPORTED);
    assert_non_null(strstr(err.msg, "config.json: format_version 2 is newer than this program, "
                                    "which reads up to 1"));
    char *file = heed__path(NULL, model, "config.json");
    assert_int_equal(heed__file_write(NULL, file, "{}", 2, &err), 0);
    assert_null(heed__config_load(NULL, model, 1, &err));
    assert_non_null(strstr(err.msg, "config.json: no format_version"));
    heed__free(NULL, file);
    assert_null(heed__config_load(NULL, "/nowhere", 1, &err));
    assert_int_equal(err.code, HEED_ENOTFOUND);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refusals),       cmocka_unit_test(test_deep_header),
        cmocka_unit_test(test_round_trip),     cmocka_unit_test(test_writer_hooks),
        cmocka_unit_test(test_writer_refuses), cmocka_unit_test(test_damage),
        cmocka_unit_test(test_conversions),    cmocka_unit_test(test_params),
        cmocka_unit_test(test_config),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
