/* error.c: errors, their names, the log and the version. */
#include "base/alloc.h"
#include "base/log.h"
#include "base/text.h"

int heed__error(heed_error *err, int code, const char *format, ...) {
    if (!err) return code;
    err->code = code;
    va_list args;
    va_start(args, format);
    heed__vformat(err->msg, sizeof err->msg, format, args);
    va_end(args);
    heed__text_tidy(err->msg);
    return code;
}

bool heed__lacks(const void *thing, const char *call, const char *name, heed_error *err) {
    if (!thing) heed__error(err, HEED_EINVALID, "%s: there is no %s", call, name);
    return !thing;
}

static bool is_no_count(int64_t len, const char *call, const char *things, heed_error *err) {
    if (len < 0)
        heed__error(err, HEED_EINVALID, "%s: there cannot be %lld %s", call, (long long)len,
                    things);
    return len < 0;
}

bool heed__lacks_list(const void *list, int64_t len, const char *call, const char *things,
                      heed_error *err) {
    if (is_no_count(len, call, things, err)) return true;
    if (!list && len > 0)
        heed__error(err, HEED_EINVALID, "%s: there is no list of %s", call, things);
    return !list && len > 0;
}

bool heed__lacks_room(const void *room, int64_t len, const char *call, const char *things,
                      heed_error *err) {
    if (is_no_count(len, call, things, err)) return true;
    if (!room && len > 0)
        heed__error(err, HEED_EINVALID, "%s: there is no room for %s", call, things);
    return !room && len > 0;
}

bool heed__lacks_any(const char *const *list, int64_t len, const char *call, const char *name,
                     heed_error *err) {
    char things[64];
    heed__format(things, sizeof things, "%ss", name);
    if (heed__lacks_list(list, len, call, things, err)) return true;
    for (int64_t i = 0; i < len; i++)
        if (!list[i]) {
            heed__error(err, HEED_EINVALID, "%s: %s %lld is NULL", call, name, (long long)i);
            return true;
        }
    return false;
}

const char *heed_status_name(int code) {
    switch (code) {
    case HEED_OK:
        return "OK";
#define X(name, value, exit_status, text)                                                          \
    case value:                                                                                    \
        return #name;
        HEED_STATUS_LIST(X)
#undef X
    default:
        return "UNKNOWN";
    }
}

const char *heed_version(void) {
    return HEED_VERSION;
}

void heed__log(const heed_hooks *hooks, heed_log_level level, const char *format, ...) {
    if (!hooks || !hooks->log) return;
    char line[1024];
    va_list args;
    va_start(args, format);
    heed__vformat(line, sizeof line, format, args);
    va_end(args);
    heed__text_tidy(line);
    hooks->log(hooks->user, level, line);
}
