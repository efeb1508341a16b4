/* decode.h: gzip and zstd, a piece at a time. For input.c. */
#ifndef HEED_BASE_DECODE_H
#define HEED_BASE_DECODE_H

#include "heed/base.h"

typedef enum heed_archive { HEED_ARCHIVE_NONE, HEED_ARCHIVE_GZIP, HEED_ARCHIVE_ZSTD } heed_archive;

/* What the first bytes of a file say that it is. */
heed_archive heed__archive_kind(const unsigned char *bytes, size_t size);

typedef struct heed_decoder heed_decoder;
heed_decoder *heed__decoder_new(heed_archive kind, const heed_hooks *hooks); /* NULL: no memory */
void heed__decoder_free(heed_decoder *d);                                    /* NULL is fine */

/* Bytes on their way in: [at,size) are still to be read. */
typedef struct heed_feed {
    const unsigned char *bytes;
    size_t size, at;
} heed_feed;

/* One step: reads from the feed, writes to out[0..room); returns bytes written. Where that is 0 and
 * all of the feed was read, more is wanted. *wrong gets what is wrong with the data, or NULL. */
size_t heed__decoder_step(heed_decoder *d, heed_feed *from, void *out, size_t room,
                          const char **wrong);
/* Whether the input may end here: no member or frame is open. */
bool heed__decoder_whole(const heed_decoder *d);
/* Whether the last step failed for want of memory. */
bool heed__decoder_no_memory(const heed_decoder *d);

#endif
