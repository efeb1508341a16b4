/* run_left.c: what a training leaves for a resume until its model is saved. */
#include "tasks/run_left.h"

#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "tasks/parts.h"

typedef char path_text[HEED_PATH_SIZE + 64];

/* Of a training, of the one before it that learnt the language, and of those that it is made of. */
enum { PARTS = 2 };
static const char *const folders[] = { "checkpoint", "pretrain/checkpoint", "parts" };

/* The state first: a checkpoint without it is none. */
static const char *const files[] = { "state.json", "last.safetensors", "best.safetensors", NULL };

static const char *in(path_text path, const char *dir, const char *file) {
    heed__format(path, sizeof(path_text), "%s/%s", dir, file);
    return path;
}

const char *const *heed__checkpoint_files(void) {
    return files;
}

void heed__run_note(heed_run_left *left, const char *run) {
    path_text path;
    *left = (heed_run_left){ .run = "" };
    if (!run || strlen(run) >= sizeof left->run) return;
    heed__format(left->run, sizeof left->run, "%s", run);
    for (int i = 0; i < HEED_RUN_LEFT; i++)
        left->id[i] = heed__folder_id(in(path, run, folders[i]));
}

void heed__run_forget(const heed_run_left *left) {
    path_text path;
    for (int i = 0; left->run[0] && i < HEED_RUN_LEFT; i++) {
        const heed_folder_id is = heed__folder_id(in(path, left->run, folders[i]));
        if (!is.inode || !heed__folder_same(is, left->id[i])) continue;
        if (i == PARTS)
            heed__parts_drop(left->run);
        else
            heed__folder_drop(path, files);
    }
}

void heed__run_drop_checkpoint(const char *run) {
    path_text path;
    heed__folder_drop(in(path, run, folders[0]), files);
}

static bool has_state(const char *run, const char *folder) {
    path_text path;
    heed__format(path, sizeof path, "%s/%s/%s", run, folder, files[0]);
    return access(path, F_OK) == 0;
}

bool heed__run_has_checkpoint(const char *run) {
    return has_state(run, folders[0]);
}

bool heed__run_is_left(const char *run) {
    int i = 0;
    while (i < HEED_RUN_LEFT && !has_state(run, folders[i])) i++;
    return i < HEED_RUN_LEFT;
}
