/* temporary.h: files and folders of this process alone, in TMPDIR or /tmp. */
#ifndef HEED_BASE_TEMPORARY_H
#define HEED_BASE_TEMPORARY_H

#include "base/folder.h"

/* Makes an empty file "heed-<name>-<six characters that nobody foresees><suffix>", which the owner
 * alone may read and write, and puts its path into path. The caller unlinks it. 0, HEED_EIO, or
 * HEED_EINVALID: TMPDIR is too long. */
int heed__temporary_file(char path[HEED_PATH_SIZE], const char *name, const char *suffix,
                         heed_error *err);
/* The same, a folder without a suffix; heed__temporary_folder_remove. */
int heed__temporary_folder(char path[HEED_PATH_SIZE], const char *name, heed_error *err);
/* Removes it with all that lies in it, folders three levels deep. */
void heed__temporary_folder_remove(const char *path);

#endif
