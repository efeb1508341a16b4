/* charset.h: bytes in whatever characters a document says, as UTF-8. */
#ifndef HEED_FLOW_CHARSET_H
#define HEED_FLOW_CHARSET_H

#include "base/buffer.h"

/* Adds bytes [size], which are in the named set of characters, to `to` as UTF-8; each byte that is
 * none of it becomes U+FFFD. Names are those of the web (WHATWG, "Encoding"), which takes latin1
 * for windows-1252 and gb2312 for gb18030; case and spaces around do not matter. False: a name that
 * is not known, and nothing was added. */
bool heed__charset_add(heed_text *to, const char *name, const char *bytes, size_t size);

/* Adds a document: by its byte order mark, else as `said` (a Content-Type's charset) or `declared`
 * (by itself) where that is known, else UTF-8 where it is that, else windows-1252. NULLs: not said.
 * What is said and cannot be, where the bytes are valid UTF-8 and not ASCII, is overruled. */
void heed__charset_document(heed_text *to, const char *said, const char *declared,
                            const char *bytes, size_t size);

/* The charset of a Content-Type into name [size]; false: none. */
bool heed__charset_of(const char *content_type, char *name, size_t size);
/* The encoding of an XML declaration at the start of a document whose first bytes are ASCII. */
bool heed__charset_of_xml(const char *bytes, size_t len, char *name, size_t size);

#endif
