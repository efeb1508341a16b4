/* protobuf.h: the fields of a Protocol Buffers message, one by one, every bound checked. */
#ifndef HEED_TEXT_PROTOBUF_H
#define HEED_TEXT_PROTOBUF_H

#include "heed/base.h"

typedef struct heed__proto {
    const unsigned char *at, *end; /* what is left of the message */
    const unsigned char *start;    /* of the file, for messages */
    bool bad;                      /* it was cut short, or is none; `at` stays where that showed */
    /* the field at hand */
    uint32_t number;
    int wire;                  /* 0: a number, 1: 64 bits, 2: bytes, 5: 32 bits */
    uint64_t value;            /* of all but bytes */
    const unsigned char *data; /* of bytes */
    size_t size;
} heed__proto;

/* Goes on to the next field; false at the end or when the message is bad. */
bool heed__proto_next(heed__proto *p);
/* The message inside the field at hand, which must be bytes. */
heed__proto heed__proto_inside(const heed__proto *p);
/* A 32-bit field as float. */
float heed__proto_float(const heed__proto *p);

#endif
