/* folder.h: a folder of files that is replaced as a whole: all new files are written and synced in
 * a folder beside it, "<path>.new", which then takes its place in one step. A process that is
 * killed leaves the old folder or the new one, never a mixture; what else it leaves goes with the
 * next save. Of two that write at once the second waits for the first. Nothing is ever removed but
 * the files that the caller names. (A file system that cannot exchange two names takes two steps:
 * killed between them it leaves the old one as "<path>.new.old", which the next begin puts back.)
 */
#ifndef HEED_BASE_FOLDER_H
#define HEED_BASE_FOLDER_H

#include "heed/base.h"

enum { HEED_PATH_SIZE = 4096 };

/* A folder on its way. Write the files into `work`; commit or abort ends it. */
typedef struct heed_folder {
    char path[HEED_PATH_SIZE];      /* what it will be; of a link, what it points to */
    char work[HEED_PATH_SIZE - 64]; /* "<path>.new", with room for the names of files */
    const char *const *files;       /* names of all that such a folder may hold; NULL ends them */
    int lock;                       /* held on work: nobody else writes there */
} heed_folder;

/* Makes an empty work folder, once nobody else writes there. Refuses what could not be replaced at
 * the commit: a file, a folder that is read-only, that holds anything but `files`, or that is a
 * mount point. files live as long as f. 0 or a status. */
int heed__folder_begin(heed_folder *f, const char *path, const char *const *files, heed_error *err);
/* Puts work in path's place and removes what was there; on failure work goes and the old one stays.
 * 0 or a status. */
int heed__folder_commit(heed_folder *f, heed_error *err);
void heed__folder_abort(heed_folder *f);
/* Removes a folder of that name that holds none but `files`, the first of them first, and what a
 * killed writer left beside it; one that holds others stays, with them. */
void heed__folder_drop(const char *path, const char *const *files);
/* Whether a begin would succeed, asked before long work. 0 or its status. */
int heed__folder_check(const char *path, const char *const *files, heed_error *err);

/* Which folder bears a name at this moment: what is read from it between two equal ones is of one
 * save. All 0 where there is none. */
typedef struct heed_folder_id {
    uint64_t device, inode;
    int64_t seconds, nanoseconds; /* of its last change */
} heed_folder_id;
heed_folder_id heed__folder_id(const char *path);
bool heed__folder_same(heed_folder_id a, heed_folder_id b);

#endif
