/* file.h: whole files in, whole files out. A file is replaced at once or stays as it was: written
 * under another name in the same folder, synced, renamed, and the folder synced. Every failure is
 * one sentence with the path and the system's reason. */
#ifndef HEED_BASE_FILE_H
#define HEED_BASE_FILE_H

#include "heed/base.h"

/* Reads a file of at most `most` bytes (or a pipe, to its end). *data gets a 0 byte after the last;
 * free it with heed__free. 0, HEED_ENOTFOUND, HEED_EIO, HEED_ENOMEM, or HEED_EFORMAT: larger. */
int heed__file_read(const heed_hooks *hooks, const char *path, size_t most, char **data,
                    size_t *size, heed_error *err);

/* Whether a file of a model's or a run's folder may be read: HEED_EIO for a pipe or device, which
 * may keep its reader waiting for ever; 0 for all others, none at all among them, as the reader
 * tells of those. */
int heed__file_regular(const char *path, heed_error *err);

/* Opens a file, pipe or device for reading: its descriptor, or a negative status. */
int heed__file_open(const char *path, heed_error *err);

/* A regular file as read-only memory. A file that somebody makes shorter meanwhile kills the
 * process (SIGBUS), which nobody does to a file that is replaced as here. */
typedef struct heed_map {
    const unsigned char *data; /* not NULL, even where size is 0 */
    size_t size;
} heed_map;
int heed__map_open(heed_map *map, const char *path, size_t most, heed_error *err);
void heed__map_close(heed_map *map); /* a zeroed or closed one is fine */

/* A file on its way. Writes after a failed one do nothing; commit tells of it. One of commit and
 * abort ends the writer. A second writer to the same file is refused while the first is at work; a
 * temporary file that a killed process left behind is used again. Where path is a symbolic link,
 * what it points to is replaced. */
typedef struct heed_writer heed_writer;
heed_writer *heed__writer_new(const heed_hooks *hooks, const char *path, heed_error *err);
void heed__writer_write(heed_writer *w, const void *data, size_t size);
int heed__writer_commit(heed_writer *w, heed_error *err);
void heed__writer_abort(heed_writer *w); /* NULL is fine */

/* All of the above for `size` bytes at data. */
int heed__file_write(const heed_hooks *hooks, const char *path, const void *data, size_t size,
                     heed_error *err);

/* A file without a name, in memory, that holds size bytes and stands at its beginning: for what a
 * program is to read. Its descriptor, closed by exec, or -1 with errno. */
int heed__file_nameless(const char *name, const void *data, size_t size);

/* Makes a folder unless it is there; its parent must exist. */
int heed__folder_make(const char *path, heed_error *err);

#endif
