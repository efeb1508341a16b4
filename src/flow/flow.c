/* flow.c: flow.yaml opened: bytes, tree, structs, checks. */
#include "flow/flow.h"

#include <string.h>

#include "base/buffer.h"
#include "base/file.h"
#include "base/sha256.h"
#include "base/text.h"
#include "flow/flow_decode.h"
#include "flow/flow_print.h"

/* The folder of a path with its '/'; "" where there is none. */
static const char *folder_of(flow_reader *r, const char *path) {
    const char *slash = strrchr(path, '/');
    const size_t len = slash ? (size_t)(slash - path) + 1 : 0;
    char *folder = flow__take(r, 1, len + 1);
    if (folder) memcpy(folder, path, len);
    return folder ? folder : "";
}

/* Mistakes in the order of the file, those of one place in the order in which they were found. */
static void sort_notes(flow_reader *r) {
    for (int64_t i = 1; i < r->notes; i++) {
        const flow_note n = r->note[i];
        int64_t j = i;
        for (; j > 0; j--) {
            const flow_note *b = &r->note[j - 1];
            if (b->line < n.line || (b->line == n.line && b->column <= n.column)) break;
            r->note[j] = *b;
        }
        r->note[j] = n;
    }
}

/* What stands in the flow's memory, so that the flow itself can. */
typedef struct whole {
    heed_flow flow;
    heed_arena arena;
} whole;

/* Decodes a tree; r gets the notes. NULL: out of memory. */
static heed_flow *decode(flow_reader *r, const heed_yaml *root, const char *bytes, size_t size) {
    whole *w = heed__calloc(&r->hooks, 1, sizeof *w);
    if (!w) return NULL;
    heed_flow *flow = &w->flow;
    flow->memory = w;
    char *sha = flow__take(r, 1, 65), *path = flow__take(r, 1, strlen(r->name) + 1);
    if (sha && path) {
        unsigned char sum[HEED_SHA256_SIZE];
        heed__sha256(bytes, size, sum);
        heed__hex(sum, sizeof sum, sha);
        memcpy(path, r->name, strlen(r->name) + 1);
        flow->sha = sha;
        flow->path = path;
        r->folder = folder_of(r, r->name);
        if (root->kind != HEED_YAML_MAP) {
            flow__note(r, root->line, root->column, "a flow is a mapping of keys");
        } else {
            flow__decode(r, &flow_top, root, flow);
            flow__check(r, root, flow);
        }
        sort_notes(r);
    }
    w->arena = r->arena; /* notes and flow end together */
    if (!r->no_memory) return flow;
    heed_flow_close(flow);
    *r = (flow_reader){ .name = r->name };
    return NULL;
}

/* The flow, with r's notes of what is wrong with it; NULL: it is no YAML, or out of memory. */
static heed_flow *read_flow(flow_reader *r, const char *bytes, size_t size, heed_error *err) {
    heed_yaml_doc *doc = heed__yaml_parse(bytes, size, r->name, &r->hooks, err);
    if (!doc) return NULL;
    heed__arena_init(&r->arena, &r->hooks);
    heed_flow *flow = decode(r, doc->root, bytes, size);
    if (!flow) {
        heed__arena_free(&r->arena);
        heed__error(err, HEED_ENOMEM, "%s: out of memory", r->name);
    }
    heed__yaml_free(doc);
    return flow;
}

heed_flow *heed_flow_parse(const char *bytes, size_t size, const char *path, bool look,
                           const heed_hooks *hooks, heed_error *err) {
    flow_reader r = { .name = path, .hooks = hooks ? *hooks : (heed_hooks){ 0 }, .no_look = !look };
    heed_flow *flow = read_flow(&r, bytes, size, err);
    if (!flow || r.notes == 0) return flow;
    heed__error(err, HEED_EFORMAT, "%s", r.note[0].text);
    heed_flow_close(flow);
    return NULL;
}

heed_flow *heed_flow_open(const char *path, const heed_hooks *hooks, heed_error *err) {
    char *bytes;
    size_t size;
    if (heed__file_read(hooks, path, HEED_YAML_MOST + 3, &bytes, &size, err)) return NULL;
    heed_flow *flow = heed_flow_parse(bytes, size, path, true, hooks, err);
    heed__free(hooks, bytes);
    return flow;
}

int heed_flow_check(const char *path, const heed_hooks *hooks, char **text, heed_error *err) {
    char *bytes;
    size_t size;
    *text = NULL;
    int status = heed__file_read(hooks, path, HEED_YAML_MOST + 3, &bytes, &size, err);
    if (status) return status;
    heed_error why = { 0 };
    flow_reader r = { .name = path, .hooks = hooks ? *hooks : (heed_hooks){ 0 } };
    heed_flow *flow = read_flow(&r, bytes, size, &why);
    heed__free(hooks, bytes);
    heed_text b = { .hooks = hooks };
    if (flow && r.notes == 0) {
        *text = heed_flow_text(flow, hooks, err);
        if (!*text) status = HEED_ENOMEM;
    } else if (why.code == HEED_ENOMEM) {
        status = heed__error(err, HEED_ENOMEM, "%s", why.msg);
    } else {
        status = heed__error(err, HEED_EFORMAT, "%s", flow ? r.note[0].text : why.msg);
        if (!flow) heed__text_format(&b, "%s\n", why.msg);
        for (int64_t i = 0; flow && i < r.notes; i++) heed__text_format(&b, "%s\n", r.note[i].text);
        *text = heed__text_take(&b, NULL);
    }
    heed_flow_close(flow);
    return status;
}

void heed_flow_close(heed_flow *flow) {
    if (!flow) return;
    whole *w = flow->memory;
    heed_arena arena = w->arena;
    const heed_hooks hooks = arena.hooks;
    heed__free(&hooks, w);
    heed__arena_free(&arena);
}
