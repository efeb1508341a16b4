/* folder.h: a folder of files that is replaced as a whole: all new files are written and synced in
 * a folder beside it, "<path>.new", which then takes its place in one step. A process that is
 * killed leaves the old folder or the new one, never a mixture. */
#ifndef HEED_BASE_FOLDER_H
#define HEED_BASE_FOLDER_H

#include "heed/base.h"

enum { HEED_PATH_SIZE = 4096 };

/* Makes an empty "<path>.new" (what a killed process left there goes) and writes its name into
 * work. Refuses a path that exists and is not a folder. 0 or a status. */
int heed__folder_begin(const char *path, char work[HEED_PATH_SIZE], heed_error *err);
/* Puts work in path's place and removes what was there. Only files that lie directly in the old
 * folder are removed; one that holds folders of its own is refused at the begin. */
int heed__folder_commit(const char *path, const char *work, heed_error *err);
/* Whether a begin would succeed, asked before long work whose result goes there. 0 or its
 * status. */
int heed__folder_check(const char *path, heed_error *err);
/* Removes work. */
void heed__folder_abort(const char *work);

#endif
