/* store_option.c: the store of a flow file, or a file. */
#include "serve/store_option.h"

#include <errno.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/text.h"
#include "flow/flow.h"

static heed_store *open_file(const heed_store_option *o, const char *path, bool read_only,
                             heed_error *err) {
    const heed_store_cfg cfg = { .path = path, .read_only = read_only, .hooks = o->hooks };
    if (access(path, F_OK) == 0) return heed_store_open(&cfg, err);
    heed__error(err, errno == ENOENT ? HEED_ENOTFOUND : HEED_EIO, "%s: %s", path,
                heed__errno_text(errno));
    return NULL;
}

heed_store *heed__store_option_open(const heed_store_option *o, bool read_only, heed_error *err) {
    const char *flow_path = o->flow;
    if (o->store) return open_file(o, o->store, read_only, err);
    if (!flow_path && access("flow.yaml", F_OK) == 0) flow_path = "flow.yaml";
    if (!flow_path && access("heed.db", F_OK) == 0) return open_file(o, "heed.db", read_only, err);
    if (!flow_path) {
        heed__error(err, HEED_ENOTFOUND,
                    "which store? there is neither flow.yaml nor heed.db here; --store FILE or "
                    "--flow FLOW.yaml says");
        return NULL;
    }
    heed_flow *flow = heed_flow_open(flow_path, o->hooks, err);
    heed_store *store = flow ? open_file(o, flow->store, read_only, err) : NULL;
    heed_flow_close(flow);
    return store;
}
