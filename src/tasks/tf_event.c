/* tf_event.c: TensorBoard's files without TensorFlow: protobuf's wire form of an Event with one
 * scalar, in a TFRecord with its two checksums.
 *
 *     Event    wall_time double = 1, step varint = 2, file_version text = 3, summary = 5
 *     Summary  value = 1, repeated
 *     Value    tag text = 1, simple_value float = 2 */
#include "tasks/run_log.h"

#include <string.h>

enum { MOST_TAG = 64 };

uint32_t heed__crc32c(const void *data, size_t size) {
    const unsigned char *at = data;
    uint32_t crc = 0xffffffffu;
    for (size_t i = 0; i < size; i++) {
        crc ^= at[i];
        for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (0x82f63b78u & -(crc & 1u));
    }
    return crc ^ 0xffffffffu;
}

static uint32_t masked(uint32_t crc) {
    return (crc >> 15 | crc << 17) + 0xa282ead8u;
}

static unsigned char *little(unsigned char *out, uint64_t value, int bytes) {
    for (int i = 0; i < bytes; i++) *out++ = (unsigned char)(value >> 8 * i);
    return out;
}

size_t heed__tfrecord(const void *data, size_t size, unsigned char *out) {
    unsigned char *at = little(out, size, 8);
    at = little(at, masked(heed__crc32c(out, 8)), 4);
    memcpy(at, data, size);
    little(at + size, masked(heed__crc32c(data, size)), 4);
    return size + 16;
}

static unsigned char *varint(unsigned char *out, uint64_t value) {
    for (; value >= 128; value >>= 7) *out++ = (unsigned char)(value | 128);
    *out++ = (unsigned char)value;
    return out;
}

/* A field of bytes: key, length, bytes. */
static unsigned char *bytes(unsigned char *out, unsigned key, const void *data, size_t size) {
    *out++ = (unsigned char)key;
    out = varint(out, size);
    memcpy(out, data, size);
    return out + size;
}

size_t heed__tf_event(double wall_time, int64_t step, const char *tag, float value,
                      unsigned char *out) {
    static const char version[] = "brain.Event:2";
    uint64_t bits;
    uint32_t number;
    memcpy(&bits, &wall_time, sizeof bits);
    memcpy(&number, &value, sizeof number);
    unsigned char *at = out;
    *at++ = 1 << 3 | 1; /* wall_time, 64 bits */
    at = little(at, bits, 8);
    if (!tag) {
        at = bytes(at, 3 << 3 | 2, version, sizeof version - 1);
        return (size_t)(at - out);
    }
    *at++ = 2 << 3; /* step, varint */
    at = varint(at, (uint64_t)step);
    unsigned char point[MOST_TAG + 16], summary[MOST_TAG + 32];
    const size_t len = strlen(tag) < MOST_TAG ? strlen(tag) : MOST_TAG;
    unsigned char *end = bytes(point, 1 << 3 | 2, tag, len);
    *end++ = 2 << 3 | 5; /* simple_value, 32 bits */
    end = little(end, number, 4);
    end = bytes(summary, 1 << 3 | 2, point, (size_t)(end - point));
    at = bytes(at, 5 << 3 | 2, summary, (size_t)(end - summary));
    return (size_t)(at - out);
}
