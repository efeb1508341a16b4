/* range.c: a setting that does not lie where it should, said with all digits that it takes. */
#include "tasks/range.h"

#include "base/alloc.h"
#include "base/text.h"

static bool lies(const heed_range *r) {
    switch (r->kind) {
    case HEED_BELOW:
        return r->value < r->most;
    case HEED_FROM_TO:
        return r->value >= r->least && r->value <= r->most;
    case HEED_FROM_BELOW:
        return r->value >= r->least && r->value < r->most;
    }
    return false;
}

static int refuse(const heed_range *r, heed_error *err) {
    char value[HEED_NUMBER_SIZE], least[HEED_NUMBER_SIZE], most[HEED_NUMBER_SIZE];
    heed__double_text(r->value, value);
    heed__double_text(r->least, least);
    heed__double_text(r->most, most);
    switch (r->kind) {
    case HEED_BELOW:
        return heed__error(err, HEED_EINVALID, "train: %s is %s, not below %s", r->name, value,
                           most);
    case HEED_FROM_TO:
        return heed__error(err, HEED_EINVALID, "train: %s is %s, not %s to %s", r->name, value,
                           least, most);
    case HEED_FROM_BELOW:
        return heed__error(err, HEED_EINVALID, "train: %s is %s, not %s to below %s", r->name,
                           value, least, most);
    }
    return HEED_EINVALID;
}

int heed__ranges_check(const heed_range *list, heed_error *err) {
    for (; list->name; list++)
        if (!lies(list)) return refuse(list, err);
    return 0;
}
