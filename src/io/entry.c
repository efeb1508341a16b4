/* entry.c: the numbers of a file's tensor as floats or 64-bit integers. Every conversion is exact
 * or rounds to nearest even, by integer arithmetic where C leaves it open. */
#include "heed/io.h"

#include <string.h>

#include "base/alloc.h"

static float from_bits(uint32_t bits) {
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static float from_f16(uint16_t h) {
    const uint32_t sign = (uint32_t)(h & 0x8000) << 16;
    const uint32_t exponent = h >> 10 & 31, fraction = h & 0x3ff;
    if (exponent == 31) return from_bits(sign | 0x7f800000 | fraction << 13);
    if (exponent == 0) { /* zero or denormal: fraction · 2^-24, exact */
        const float x = (float)fraction * 0x1p-24f;
        return sign ? -x : x;
    }
    return from_bits(sign | (exponent + 112) << 23 | fraction << 13);
}

/* Element i of width bytes at data, which may lie at any address. */
#define AT(type, data, i, into)                                                                    \
    memcpy(into, (const unsigned char *)(data) + (i) * (int64_t)sizeof(type), sizeof(type))

int heed_entry_f32(const heed_entry *e, float *out, heed_error *err) {
    if (heed__lacks(e, "safetensors", "entry", err) ||
        heed__lacks_room(out, e->len, "safetensors", "numbers", err))
        return HEED_EINVALID;
    uint16_t half;
    double wide;
    switch (e->dtype) {
    case HEED_FILE_F32:
        if (e->len) memcpy(out, e->data, (size_t)e->len * sizeof *out);
        return 0;
    case HEED_FILE_F16:
        for (int64_t i = 0; i < e->len; i++) {
            AT(uint16_t, e->data, i, &half);
            out[i] = from_f16(half);
        }
        return 0;
    case HEED_FILE_BF16:
        for (int64_t i = 0; i < e->len; i++) {
            AT(uint16_t, e->data, i, &half);
            out[i] = from_bits((uint32_t)half << 16);
        }
        return 0;
    case HEED_FILE_F64:
        for (int64_t i = 0; i < e->len; i++) {
            AT(double, e->data, i, &wide);
            out[i] = (float)wide;
        }
        return 0;
    default:
        return heed__error(err, HEED_EINVALID, "tensor '%.80s' of type %s holds no f32 numbers",
                           e->name, heed_file_dtype_name(e->dtype));
    }
}

#define CONVERT(type)                                                                              \
    for (int64_t i = 0; i < e->len; i++) {                                                         \
        type x;                                                                                    \
        AT(type, e->data, i, &x);                                                                  \
        out[i] = (int64_t)x;                                                                       \
    }                                                                                              \
    return 0

int heed_entry_i64(const heed_entry *e, int64_t *out, heed_error *err) {
    if (heed__lacks(e, "safetensors", "entry", err) ||
        heed__lacks_room(out, e->len, "safetensors", "numbers", err))
        return HEED_EINVALID;
    switch (e->dtype) {
    case HEED_FILE_BOOL:
    case HEED_FILE_U8:
        CONVERT(uint8_t);
    case HEED_FILE_I8:
        CONVERT(int8_t);
    case HEED_FILE_I16:
        CONVERT(int16_t);
    case HEED_FILE_U16:
        CONVERT(uint16_t);
    case HEED_FILE_I32:
        CONVERT(int32_t);
    case HEED_FILE_U32:
        CONVERT(uint32_t);
    case HEED_FILE_I64:
        CONVERT(int64_t);
    case HEED_FILE_U64:
        for (int64_t i = 0; i < e->len; i++) {
            uint64_t x;
            AT(uint64_t, e->data, i, &x);
            if (x > INT64_MAX)
                return heed__error(err, HEED_EINVALID, "tensor '%.80s': number %lld is too large",
                                   e->name, (long long)i);
            out[i] = (int64_t)x;
        }
        return 0;
    default:
        return heed__error(err, HEED_EINVALID, "tensor '%.80s' of type %s holds no whole numbers",
                           e->name, heed_file_dtype_name(e->dtype));
    }
}
