/* decode.c: gzip by zlib and zstd by its library, a piece at a time, several members or frames in a
 * row as one stream. */
#include "base/decode.h"

#define ZSTD_STATIC_LINKING_ONLY /* for a context whose memory comes from the caller's hooks */
#include <limits.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "base/alloc.h"

struct heed_decoder {
    heed_hooks hooks;
    heed_archive kind;
    z_stream z;
    ZSTD_DCtx *frames;
    bool inside;    /* a member or frame has begun and not ended */
    bool padded;    /* zero bytes came after a gzip member: nothing else may follow */
    bool no_memory; /* the last step failed for want of it */
};

static const unsigned char gzip_magic[] = { 0x1f, 0x8b };
static const unsigned char zstd_magic[] = { 0x28, 0xb5, 0x2f, 0xfd };

heed_archive heed__archive_kind(const unsigned char *bytes, size_t size) {
    if (size >= 2 && memcmp(bytes, gzip_magic, 2) == 0) return HEED_ARCHIVE_GZIP;
    if (size >= 4 && memcmp(bytes, zstd_magic, 4) == 0) return HEED_ARCHIVE_ZSTD;
    const bool skippable = size >= 4 && (bytes[0] & 0xf0) == 0x50 && bytes[1] == 0x2a &&
                           bytes[2] == 0x4d && bytes[3] == 0x18;
    return skippable ? HEED_ARCHIVE_ZSTD : HEED_ARCHIVE_NONE;
}

static void *zlib_alloc(void *hooks, unsigned count, unsigned size) {
    return heed__calloc(hooks, count, size);
}

static void *zstd_alloc(void *hooks, size_t size) {
    return heed__malloc(hooks, size);
}

static void release(void *hooks, void *memory) {
    heed__free(hooks, memory);
}

heed_decoder *heed__decoder_new(heed_archive kind, const heed_hooks *hooks) {
    heed_decoder *d = heed__calloc(hooks, 1, sizeof *d);
    if (!d) return NULL;
    if (hooks) d->hooks = *hooks;
    bool made;
    if (kind == HEED_ARCHIVE_GZIP) {
        d->z.zalloc = zlib_alloc;
        d->z.zfree = release;
        d->z.opaque = &d->hooks;
        made = inflateInit2(&d->z, MAX_WBITS + 16) == Z_OK; /* 16: with a gzip header */
    } else {
        d->frames = ZSTD_createDCtx_advanced((ZSTD_customMem){ zstd_alloc, release, &d->hooks });
        made = d->frames != NULL;
    }
    d->kind = kind;
    if (made) return d;
    heed__free(&d->hooks, d);
    return NULL;
}

void heed__decoder_free(heed_decoder *d) {
    if (!d) return;
    if (d->kind == HEED_ARCHIVE_GZIP) (void)inflateEnd(&d->z);
    ZSTD_freeDCtx(d->frames);
    const heed_hooks hooks = d->hooks;
    heed__free(&hooks, d);
}

/* Between two members: passes over padding and makes ready for another. False: what follows is
 * none. */
static bool next_member(heed_decoder *d, heed_feed *from) {
    for (; from->at < from->size && from->bytes[from->at] == 0 && d->z.total_in; from->at++)
        d->padded = true;
    if (from->at == from->size) return true;
    if (d->padded || from->bytes[from->at] != gzip_magic[0]) return false;
    d->inside = inflateReset(&d->z) == Z_OK;
    return d->inside;
}

static size_t gzip_step(heed_decoder *d, heed_feed *from, void *out, size_t room,
                        const char **wrong) {
    if (!d->inside && !next_member(d, from)) *wrong = "what follows its end is not gzip";
    if (!d->inside) return 0;
    const unsigned size = room < UINT_MAX ? (unsigned)room : UINT_MAX;
    d->z.next_in = (unsigned char *)(uintptr_t)(from->bytes + from->at); /* zlib only reads there */
    d->z.avail_in = (unsigned)(from->size - from->at);
    d->z.next_out = out;
    d->z.avail_out = size;
    const int rc = inflate(&d->z, Z_NO_FLUSH);
    from->at = from->size - d->z.avail_in;
    d->inside = rc != Z_STREAM_END;
    d->no_memory = rc == Z_MEM_ERROR;
    if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR)
        *wrong = d->z.msg ? d->z.msg : "no gzip data";
    return size - d->z.avail_out;
}

static size_t zstd_step(heed_decoder *d, heed_feed *from, void *out, size_t room,
                        const char **wrong) {
    ZSTD_inBuffer in = { from->bytes, from->size, from->at };
    ZSTD_outBuffer to = { out, room, 0 };
    const size_t rc = ZSTD_decompressStream(d->frames, &to, &in);
    const ZSTD_ErrorCode code = ZSTD_getErrorCode(rc);
    from->at = in.pos;
    d->inside = rc != 0;
    d->no_memory = code == ZSTD_error_memory_allocation;
    if (code == ZSTD_error_frameParameter_windowTooLarge)
        *wrong = "its window is larger than 128 MB (compressed with --long or --ultra)";
    else if (ZSTD_isError(rc))
        *wrong = ZSTD_getErrorName(rc);
    return to.pos;
}

size_t heed__decoder_step(heed_decoder *d, heed_feed *from, void *out, size_t room,
                          const char **wrong) {
    *wrong = NULL;
    return d->kind == HEED_ARCHIVE_GZIP ? gzip_step(d, from, out, room, wrong)
                                        : zstd_step(d, from, out, room, wrong);
}

bool heed__decoder_whole(const heed_decoder *d) {
    return !d->inside;
}

bool heed__decoder_no_memory(const heed_decoder *d) {
    return d->no_memory;
}
