/* collect.c: an intake that keeps what it is given. */
#include "collect.h"

#include "cmocka_all.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flow/flow_print.h"

static char *copy(const char *text) {
    return text ? strdup(text) : NULL;
}

static int64_t find(const collect *c, const char *id) {
    for (int64_t i = 0; i < c->len; i++)
        if (strcmp(c->event[i].id, id) == 0) return i;
    return -1;
}

static int take(void *user, heed_entry *entry, int64_t n, heed_error *err) {
    collect *c = user;
    heed__lock_enter(c->lock);
    c->calls++;
    int status = 0;
    if (c->refuse > 0) {
        c->refuse--;
        err->code = status = HEED_EIO;
        snprintf(err->msg, sizeof err->msg, "the disk is full");
    }
    for (int64_t i = 0; i < n && c->poison && !status; i++)
        if (strcmp(entry[i].text, c->poison) == 0) {
            err->code = status = HEED_EINVALID;
            snprintf(err->msg, sizeof err->msg, "it is bad");
        }
    for (int64_t i = 0; i < n && !status; i++) {
        const heed_entry *e = &entry[i];
        const int64_t at = find(c, e->id);
        entry[i].seq = at < 0 ? c->len + 1 : -(at + 1);
        c->again += at >= 0;
        if (at >= 0) continue;
        if (c->len == c->cap) {
            c->cap = c->cap ? c->cap * 2 : 64;
            c->event = realloc(c->event, (size_t)c->cap * sizeof *c->event);
        }
        c->event[c->len++] = (taken){ copy(e->id),   copy(e->text), copy(e->title),
                                      copy(e->url),  copy(e->user), copy(e->session),
                                      copy(e->body), e->happened_ms };
    }
    heed__lock_leave(c->lock);
    return status;
}

void collect_start(collect *c, const char *settings) {
    char yaml[1024];
    heed_error err = { 0 };
    snprintf(yaml, sizeof yaml, "sources:\n  in: {%s}\n", settings);
    c->flow = heed_flow_parse(yaml, strlen(yaml), "flow.yaml", false, NULL, &err);
    if (!c->flow) fail_msg("%s", err.msg);
    if (!c->store) c->store = heed_store_open(&(heed_store_cfg){ .path = ":memory:" }, &err);
    if (!c->store) fail_msg("%s", err.msg);
    if (!c->lock) c->lock = heed__lock_new(NULL, &err);
    const heed_intake intake = { .user = c, .take = take };
    heed_source_cfg *cfg = (heed_source_cfg *)(uintptr_t)c->flow->source;
    if (cfg->every_ms > 30) cfg->every_ms = 30; /* as fast as a test wants it */
    c->source = heed_source_start(cfg, &intake, c->store, NULL, NULL, &err);
    if (!c->source) fail_msg("%s", err.msg);
}

void collect_stop(collect *c) {
    heed_source_stop(c->source);
    heed_flow_close(c->flow);
    c->source = NULL;
    c->flow = NULL;
}

void collect_free(collect *c) {
    if (c->source) collect_stop(c);
    heed_store_close(c->store);
    heed__lock_free(c->lock);
    for (int64_t i = 0; i < c->len; i++) {
        taken *t = &c->event[i];
        char *texts[] = { t->id, t->text, t->title, t->url, t->user, t->session, t->body };
        for (size_t k = 0; k < sizeof texts / sizeof *texts; k++) free(texts[k]);
    }
    free(c->event);
    *c = (collect){ 0 };
}

enum { TRIES = 3000, TRY_MS = 10 };

void collect_wait(collect *c, int64_t n) {
    int64_t len = 0;
    char error[512];
    for (int i = 0; i < TRIES; i++) {
        heed__lock_enter(c->lock);
        len = c->len;
        heed__lock_leave(c->lock);
        if (len >= n) return;
        heed__sleep_ms(TRY_MS);
    }
    collect_state(c, "error", error, sizeof error);
    fail_msg("%lld events, not %lld; error: %s", (long long)len, (long long)n, error);
}

void collect_state(collect *c, const char *key, char *room, size_t size) {
    json_t *state = heed_source_state(c->source);
    const char *text = json_string_value(json_object_get(state, key));
    snprintf(room, size, "%s", text ? text : "");
    json_decref(state);
}

void collect_until(collect *c, const char *state) {
    char is[64];
    for (int i = 0; i < TRIES; i++) {
        collect_state(c, "state", is, sizeof is);
        if (strcmp(is, state) == 0) return;
        heed__sleep_ms(TRY_MS);
    }
    fail_msg("the source is %s, not %s", is, state);
}
