/* temporary.c: files and folders of this process alone, in TMPDIR or /tmp. */
#include "base/temporary.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/text.h"

enum { DRAWN = 6, DEPTH = 2, UNDER = 256 /* bytes left for names under a folder */ };

/* The path with as many X as the system draws anew. */
static int path_for(char path[HEED_PATH_SIZE], const char *name, const char *suffix,
                    heed_error *err) {
    char drawn[DRAWN + 1] = { 0 };
    const char *folder = getenv("TMPDIR");
    if (!folder || !*folder) folder = "/tmp";
    memset(drawn, 'X', DRAWN);
    const size_t size = strlen(folder) + strlen("/heed--") + strlen(name) + DRAWN + strlen(suffix);
    if (size >= HEED_PATH_SIZE - UNDER)
        return heed__error(err, HEED_EINVALID, "TMPDIR is longer than a path may be");
    heed__format(path, HEED_PATH_SIZE, "%s/heed-%s-%s%s", folder, name, drawn, suffix);
    return HEED_OK;
}

static int not_made(const char *path, heed_error *err) {
    return heed__error(err, HEED_EIO, "%s: cannot be made: %s", path, heed__errno_text(errno));
}

int heed__temporary_file(char path[HEED_PATH_SIZE], const char *name, const char *suffix,
                         heed_error *err) {
    const int rc = path_for(path, name, suffix, err);
    if (rc) return rc;
    const int file = mkstemps(path, (int)strlen(suffix));
    if (file < 0) return not_made(path, err);
    close(file);
    return HEED_OK;
}

int heed__temporary_folder(char path[HEED_PATH_SIZE], const char *name, heed_error *err) {
    const int rc = path_for(path, name, "", err);
    if (rc) return rc;
    return mkdtemp(path) ? HEED_OK : not_made(path, err);
}

static void remove_folder(const char *path, int depth) {
    DIR *dir = opendir(path);
    for (struct dirent *e; dir && (e = readdir(dir)) != NULL;) {
        char under[HEED_PATH_SIZE];
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) continue;
        heed__format(under, sizeof under, "%s/%s", path, e->d_name);
        if (unlink(under) != 0 && depth < DEPTH) remove_folder(under, depth + 1);
    }
    if (dir) closedir(dir);
    rmdir(path);
}

void heed__temporary_folder_remove(const char *path) {
    remove_folder(path, 0);
}
