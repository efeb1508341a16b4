/* fuzz_flow.c: any bytes as a flow file: read, checked, told again as text, graph and hash. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "flow/flow_print.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds, const char *what) {
    if (holds) return;
    fprintf(stderr, "%s\n", what);
    abort();
}

static size_t touch(const char *text) {
    return text ? strlen(text) : 0; /* an address sanitizer sees every byte up to the zero */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    heed_error err = { 0 };
    char *bytes = malloc(size + 1); /* of its own, so that reading past it is seen */
    if (size > 0) memcpy(bytes, data, size);
    heed_flow *flow = heed_flow_parse(bytes, size, "x/flow.yaml", false, NULL, &err);
    free(bytes);
    if (!flow) {
        check(err.code == HEED_EFORMAT && strncmp(err.msg, "x/flow.yaml:", 12) == 0,
              "an error without its place");
        return 0;
    }
    char *text = heed_flow_text(flow, NULL, &err), *graph = heed_flow_graph(flow, NULL, &err);
    check(touch(text) > 0 && touch(graph) > 0, "a flow that cannot be told");
    for (int64_t i = 0; i < flow->sources; i++)
        check(touch(flow->source[i].name) > 0 && flow->source[i].kind, "a source without a kind");
    for (int64_t i = 0; i < flow->rules; i++)
        for (int64_t k = 0; k < flow->rule[i].whens; k++)
            check(touch(flow->rule[i].when[k].analysis) > 0, "a condition of nothing");
    heed__free(NULL, text);
    heed__free(NULL, graph);
    heed_flow_close(flow);
    return 0;
}
