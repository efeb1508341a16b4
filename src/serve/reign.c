/* reign.c: the log's entries of the kind LOADED, a later one over an earlier one. */
#include "serve/reign.h"

#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "base/text.h"
#include "store/look.h"

enum { RELOADS_MOST = 1000000 };

/* What one row of [seq, body] says was in force from where on: whatever was said of that before. */
static int note(heed_reigns *r, const heed_flow *flow, const json_t *row, heed_error *err) {
    const char *text = json_string_value(json_array_get(row, 1));
    json_t *body = text ? heed__json_parse(text, strlen(text), "body", NULL) : NULL;
    const char *sha = json_string_value(json_object_get(body, "flow"));
    const json_t *said = json_object_get(body, "from");
    const int64_t from = json_integer_value(said ? said : json_array_get(row, 0));
    const bool ours = sha && flow->sha && strcmp(sha, flow->sha) == 0;
    json_decref(body);
    while (r->len > 0 && r->at[r->len - 1].from >= from) r->len--;
    if (heed__grow(r->hooks, &r->at, &r->cap, r->len + 1, sizeof *r->at) != 0)
        return heed__error(err, HEED_ENOMEM, "replay: out of memory");
    r->at[r->len++] = (heed_reign){ from, ours };
    return 0;
}

int heed__reigns_read(heed_reigns *r, heed_store *store, const heed_flow *flow,
                      const heed_hooks *hooks, heed_error *err) {
    char sql[96];
    *r = (heed_reigns){ .hooks = hooks };
    heed__format(sql, sizeof sql, "SELECT seq, body FROM entry WHERE kind = %d ORDER BY seq",
                 HEED_ENTRY_LOADED);
    json_t *answer = heed_look_sql(store, sql, RELOADS_MOST, err), *row;
    if (!answer) return err->code;
    size_t i;
    int rc = 0;
    json_array_foreach(json_object_get(answer, "rows"), i, row) if (rc == 0)
        rc = note(r, flow, row, err);
    json_decref(answer);
    return rc;
}

bool heed__reigns_ours(heed_reigns *r, int64_t seq, int64_t *from) {
    for (; r->next < r->len && r->at[r->next].from <= seq; r->next++) {
        const bool ours = r->at[r->next].ours;
        if (from && ours && !r->ours) *from = r->at[r->next].from;
        r->ours = ours;
    }
    return r->ours;
}

bool heed__reigns_had(const heed_reigns *r, int64_t seq) {
    bool ours = false;
    for (int64_t i = 0; i < r->len && r->at[i].from <= seq; i++) ours = r->at[i].ours;
    return ours;
}

void heed__reigns_free(heed_reigns *r) {
    heed__free(r->hooks, r->at);
    r->at = NULL;
    r->len = r->cap = 0;
}
