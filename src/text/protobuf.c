/* protobuf.c: reading Protocol Buffers by hand. */
#include "text/protobuf.h"

#include <string.h>

static bool varint(heed__proto *p, uint64_t *value) {
    *value = 0;
    const unsigned char *at = p->at;
    for (int shift = 0; shift < 70 && at < p->end; shift += 7) {
        const uint64_t part = *at & 0x7f;
        if (shift == 63 && part > 1) return false;
        *value |= part << shift;
        if (!(*at++ & 0x80)) {
            p->at = at;
            return true;
        }
        if (shift == 63) return false;
    }
    return false;
}

static bool fixed(heed__proto *p, size_t size) {
    if ((size_t)(p->end - p->at) < size) return false;
    p->value = 0;
    memcpy(&p->value, p->at, size); /* little-endian, as the machine */
    p->at += size;
    return true;
}

static bool field(heed__proto *p) {
    uint64_t tag;
    if (!varint(p, &tag) || tag >> 3 == 0 || tag >> 3 > UINT32_MAX) return false;
    p->number = (uint32_t)(tag >> 3);
    p->wire = (int)(tag & 7);
    p->data = NULL;
    p->size = 0;
    p->value = 0;
    switch (p->wire) {
    case 0:
        return varint(p, &p->value);
    case 1:
        return fixed(p, 8);
    case 5:
        return fixed(p, 4);
    case 2: {
        uint64_t size;
        if (!varint(p, &size) || size > (uint64_t)(p->end - p->at)) return false;
        p->data = p->at;
        p->size = (size_t)size;
        p->at += size;
        return true;
    }
    default: /* groups are not written any more */
        return false;
    }
}

bool heed__proto_next(heed__proto *p) {
    if (p->bad || p->at == p->end) return false;
    const unsigned char *before = p->at;
    if (field(p)) return true;
    p->at = before;
    p->bad = true;
    return false;
}

heed__proto heed__proto_inside(const heed__proto *p) {
    return (heed__proto){ .at = p->data, .end = p->data + p->size, .start = p->start };
}

float heed__proto_float(const heed__proto *p) {
    const uint32_t bits = (uint32_t)p->value;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}
