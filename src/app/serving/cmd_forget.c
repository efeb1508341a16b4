/* cmd_forget.c: `heed forget USER`: all that is of one user goes out of a store. */
#include <stdio.h>
#include <unistd.h>

#include "app/commands.h"
#include "app/messages.h"
#include "app/options.h"
#include "base/alloc.h"
#include "base/json.h"
#include "app/serving/serve.h"
#include "serve/redecide.h"
#include "serve/store_option.h"

static int tell(const char *user, int64_t n, bool json) {
    if (!json) {
        printf(tr("%lld entries forgotten\n"), (long long)n);
        return 0;
    }
    heed_error err;
    json_t *tree = json_pack("{s:s,s:I}", "user", user, "forgotten", (json_int_t)n);
    char *text = heed__json_text(NULL, tree, false, NULL, &err);
    json_decref(tree);
    if (!text) return command_error(&err);
    puts(text);
    heed__free(NULL, text);
    return 0;
}

/* By the rules of the flow, where it is known which that is; else when it is served next. */
static int decide_anew(const heed_store_option *where, heed_store *store, heed_error *err) {
    const char *path = where->flow;
    if (!path && !where->store && access("flow.yaml", F_OK) == 0) path = "flow.yaml";
    heed_flow *flow = path ? heed_flow_open(path, NULL, err) : NULL;
    if (!flow) return path ? err->code : 0;
    const int rc = heed__redecide(store, flow, NULL, err);
    heed_flow_close(flow);
    return rc;
}

int serve_forget(int argc, char **argv) {
    heed_store_option where = { 0 };
    bool json = false;
    const char *operand[1];
    const opt options[] = {
        { "store", 0, OPT_PATH, &where.store, 0, 0, "FILE", "the store itself" },
        { "flow", 0, OPT_PATH, &where.flow, 0, 0, "FLOW.yaml",
          "the store of a flow (without either: of flow.yaml, or heed.db, in this folder)" },
        { "json", 0, OPT_FLAG, &json, 0, 0, NULL, "the answer as JSON" },
        { 0 },
    };
    const opt_command about = {
        "heed forget USER [options]",
        "Removes all that is of a user: events, what was found in them, answers in the user's "
        "conversations, feedback about them, quotes in alerts and messages. Places in the log "
        "stay, empty; index, journal and free pages are cleaned. A server must be stopped first; "
        "backups are files of their own and are not reached.",
        options, 1, 1
    };
    const int read = opt_read(&about, argc, argv, operand);
    if (read < 0) return command_usage(read);
    heed_error err = { 0 };
    heed_store *store = heed__store_option_open(&where, false, &err);
    if (!store) return command_error(&err);
    const int64_t n = heed_store_forget(store, operand[0], &err);
    const int rc = n < 0 ? (int)n : decide_anew(&where, store, &err);
    heed_store_close(store);
    return rc ? command_error(&err) : tell(operand[0], n, json);
}
