/* flow_print.h: what was understood of a flow file, as text: for `heed serve --check` and
 * `--graph`. */
#ifndef HEED_FLOW_FLOW_PRINT_H
#define HEED_FLOW_FLOW_PRINT_H

#include "flow/flow.h"

/* Reads a flow file. 0: it is sound, and *text tells what was understood. HEED_EFORMAT: *text has a
 * line for every mistake that could be found, err the first. Another status: *text NULL. Free *text
 * with heed__free. */
int heed_flow_check(const char *path, const heed_hooks *hooks, char **text, heed_error *err);

/* Texts of the caller's, heed__free; NULL: out of memory. */
char *heed_flow_text(const heed_flow *flow, const heed_hooks *hooks, heed_error *err);
/* The way from sources to sinks as a Mermaid flowchart. */
char *heed_flow_graph(const heed_flow *flow, const heed_hooks *hooks, heed_error *err);
/* The JSON schema of flow files, from the tables that read them. */
char *heed_flow_schema(const heed_hooks *hooks, heed_error *err);

/* A flow from bytes; path stands in messages and says where relative paths begin. look: the paths
 * that it names must exist. */
heed_flow *heed_flow_parse(const char *bytes, size_t size, const char *path, bool look,
                           const heed_hooks *hooks, heed_error *err);

#endif
