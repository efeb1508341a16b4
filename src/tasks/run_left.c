/* run_left.c: what a training leaves for a resume until its model is saved. */
#include "tasks/run_left.h"

#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/log.h"
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

static void drop(const char *run, int i) {
    path_text path;
    if (i == PARTS)
        heed__parts_drop(run);
    else
        heed__folder_drop(in(path, run, folders[i]), files);
}

void heed__run_forget(const heed_run_left *left) {
    path_text path;
    for (int i = 0; left->run[0] && i < HEED_RUN_LEFT; i++) {
        const heed_folder_id is = heed__folder_id(in(path, left->run, folders[i]));
        if (is.inode && heed__folder_same(is, left->id[i])) drop(left->run, i);
    }
}

void heed__run_drop_checkpoint(const char *run) {
    drop(run, 0);
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

void heed__run_tell_anew(const char *run, const heed_hooks *hooks) {
    heed__log(hooks, HEED_LOG_INFO,
              "%.400s: the training that was stopped there begins anew: it is not gone on with",
              run);
}

int heed__run_begin(heed_run_begin *b, heed_error *err) {
    if (b->begun || !b->run) return 0;
    const bool left = !b->whole && !b->resume && heed__run_is_left(b->run);
    int rc = b->whole ? b->whole(b->arg, err) : 0;
    if (rc == 0) rc = heed__folder_make(b->run, err);
    for (int i = 0; rc == 0 && left && i < HEED_RUN_LEFT; i++) drop(b->run, i);
    if (rc == 0 && left) heed__run_tell_anew(b->run, b->hooks);
    b->begun = rc == 0;
    return rc;
}

int heed__run_halted(const heed_run_begin *b, heed_error *err) {
    if (!b->run || !heed__run_is_left(b->run))
        return heed__error(err, HEED_ECANCELLED, "train: stopped before its first step");
    if (b->begun || b->resume)
        return heed__error(err, HEED_ECANCELLED,
                           "train: stopped before its first step; %.300s has what a resume needs",
                           b->run);
    return heed__error(err, HEED_ECANCELLED,
                       "train: stopped before its first step; what an earlier training left in "
                       "%.300s is still there",
                       b->run);
}
