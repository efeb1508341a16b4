/* config.c: config.json of a model folder. */
#include "io/config.h"

#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/json.h"

enum { MOST = 256 << 20 }; /* a million labels are a part of it */

char *heed__path(const heed_hooks *hooks, const char *folder, const char *name) {
    const size_t a = strlen(folder), b = strlen(name);
    char *path = heed__malloc(hooks, a + b + 2);
    if (!path) return NULL;
    memcpy(path, folder, a);
    const bool slash = a && folder[a - 1] != '/';
    path[a] = '/';
    memcpy(path + a + slash, name, b + 1);
    return path;
}

json_t *heed__config_load(const heed_hooks *hooks, const char *folder, int64_t newest,
                          heed_error *err) {
    char *path = heed__path(hooks, folder, "config.json");
    if (!path) {
        heed__error(err, HEED_ENOMEM, "out of memory for %s", folder);
        return NULL;
    }
    json_t *tree = heed__json_read(hooks, path, MOST, err);
    const json_t *version = json_object_get(tree, "format_version");
    int rc = tree ? 0 : HEED_EFORMAT;
    if (tree && (!json_is_integer(version) || json_integer_value(version) < 1))
        rc = heed__error(err, HEED_EFORMAT, "%s: no format_version", path);
    else if (tree && json_integer_value(version) > newest)
        rc = heed__error(err, HEED_EUNSUPPORTED,
                         "%s: format_version %lld is newer than this program, which reads up to "
                         "%lld",
                         path, (long long)json_integer_value(version), (long long)newest);
    heed__free(hooks, path);
    if (!rc) return tree;
    json_decref(tree);
    return NULL;
}

int heed__config_blame(const char *folder, heed_error *err) {
    const heed_error was = *err;
    if (was.code != HEED_EINVALID) return was.code;
    const size_t len = strlen(folder);
    const bool slash = len && folder[len - 1] == '/';
    if (strncmp(was.msg, folder, len) == 0 && (slash || was.msg[len] == '/'))
        return err->code = HEED_EFORMAT;
    return heed__error(err, HEED_EFORMAT, "%.300s%sconfig.json: %s", folder, slash ? "" : "/",
                       was.msg);
}

int heed__config_save(const heed_hooks *hooks, const char *folder, int64_t format_version,
                      const json_t *fields, heed_error *err) {
    heed_error own;
    if (!err) err = &own;
    *err = (heed_error){ 0 };
    char *path = heed__path(hooks, folder, "config.json");
    json_t *tree = json_pack("{s:I}", "format_version", (json_int_t)format_version);
    size_t len = 0;
    char *text = NULL;
    if (!path || !tree || json_object_update_missing(tree, (json_t *)fields))
        heed__error(err, HEED_ENOMEM, "out of memory for config.json of %s", folder);
    else if (!heed__folder_make(folder, err))
        text = heed__json_text(hooks, tree, true, &len, err);
    if (text) heed__file_write(hooks, path, text, len, err);
    heed__free(hooks, text);
    heed__free(hooks, path);
    json_decref(tree);
    return err->code;
}
