/* server.c: start and stop of the server: libmicrohttpd with the options that its defaults lack,
 * the thread that keeps time, and an end that loses no request.
 *
 * libmicrohttpd listens on all addresses unless it is given a socket, and aborts when it is
 * stopped with suspended connections: it gets a socket, and is stopped once no request is left.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "http/schema.h"
#include "http/server.h"

enum {
    MOST_PEM = 1 << 20,
    OTHER_FILES = 256, /* descriptors that are not connections */
    DRAIN_TICK_MS = 10,
    FOR_ANSWER = 4 << 10, /* bytes of a connection's memory besides the headers */
    MOST_OPTIONS = 20
};

static int set_default(int value, int otherwise) {
    return value > 0 ? value : otherwise;
}

static void fill_cfg(heed_http_cfg *cfg, const heed_http_cfg *from) {
    *cfg = *from;
    if (!cfg->listen) cfg->listen = "127.0.0.1:8080";
    cfg->threads = set_default(cfg->threads, 1);
    cfg->workers = set_default(cfg->workers, 2);
    cfg->queue = set_default(cfg->queue, 256);
    cfg->connections = set_default(cfg->connections, 10000);
    cfg->request_seconds = set_default(cfg->request_seconds, 10);
    cfg->idle_seconds = set_default(cfg->idle_seconds, 60);
    if (cfg->most_body == 0) cfg->most_body = 1 << 20;
    if (cfg->most_header == 0) cfg->most_header = 16 << 10;
    if (!cfg->title) cfg->title = "heed";
    if (!cfg->version) cfg->version = HEED_VERSION;
}

/* As many connections as the system lets this process have. */
static void fit_connections(heed_http *http) {
    struct rlimit limit;
    const rlim_t want = (rlim_t)http->cfg.connections + OTHER_FILES;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    if (limit.rlim_cur < want) {
        limit.rlim_cur = want < limit.rlim_max ? want : limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
        getrlimit(RLIMIT_NOFILE, &limit);
    }
    if (limit.rlim_cur >= want) return;
    const int fits = limit.rlim_cur > 2 * OTHER_FILES ? (int)limit.rlim_cur - OTHER_FILES
                                                      : (int)limit.rlim_cur / 2;
    heed__log(&http->hooks, HEED_LOG_WARN,
              "http: %d connections at most: the system gives this process %d files", fits,
              (int)limit.rlim_cur);
    http->cfg.connections = fits;
}

static void on_complaint(void *cls, const char *format, va_list args) {
    heed_http *http = cls;
    char line[sizeof http->failed];
    size_t len = heed__vformat(line, sizeof line, format, args);
    while (len > 0 && line[len - 1] == '\n') line[--len] = 0;
    if (!http->daemon) memcpy(http->failed, line, sizeof line);
    heed__log(&http->hooks, HEED_LOG_DEBUG, "http: %s", line);
}

/* Strings are left as they came; route.c decodes them. */
static size_t leave_escaped(void *cls, struct MHD_Connection *connection, char *text) {
    (void)cls, (void)connection;
    return strlen(text);
}

/* -- options ---------------------------------------------------------------------------------- */

typedef struct options {
    struct MHD_OptionItem item[MOST_OPTIONS];
    int len;
    char *key, *certificate;
} options;

static void add(options *o, enum MHD_OPTION what, intptr_t value, void *more) {
    o->item[o->len++] = (struct MHD_OptionItem){ .option = what,
                                                 .value = value,
                                                 .ptr_value = more };
}

static intptr_t callback(void (*fn)(void)) {
    intptr_t value;
    memcpy(&value, &fn, sizeof value);
    return value;
}

static int add_tls(options *o, const heed_http *http, heed_error *err) {
    size_t size;
    int status = heed__file_read(&http->hooks, http->cfg.private_key, MOST_PEM, &o->key, &size,
                                 err);
    if (!status)
        status = heed__file_read(&http->hooks, http->cfg.certificate, MOST_PEM, &o->certificate,
                                 &size, err);
    if (status) return status;
    add(o, MHD_OPTION_HTTPS_MEM_KEY, 0, o->key);
    add(o, MHD_OPTION_HTTPS_MEM_CERT, 0, o->certificate);
    static char priorities[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2";
    add(o, MHD_OPTION_HTTPS_PRIORITIES, 0, priorities);
    return HEED_OK;
}

static int add_options(options *o, heed_http *http, heed_error *err) {
    const heed_http_cfg *cfg = &http->cfg;
    const int per_address = cfg->per_address > 0 ? cfg->per_address
                            : http->loopback     ? 0
                                                 : (cfg->connections + 1) / 2;
    add(o, MHD_OPTION_UNESCAPE_CALLBACK, callback((void (*)(void))leave_escaped), NULL);
    add(o, MHD_OPTION_URI_LOG_CALLBACK, callback((void (*)(void))heed__on_target), http);
    add(o, MHD_OPTION_NOTIFY_COMPLETED, callback((void (*)(void))heed__on_completed), http);
    add(o, MHD_OPTION_NOTIFY_CONNECTION, callback((void (*)(void))heed__on_connection), http);
    add(o, MHD_OPTION_LISTEN_SOCKET, http->listen_fd, NULL);
    add(o, MHD_OPTION_STRICT_FOR_CLIENT, 1, NULL);
    add(o, MHD_OPTION_CONNECTION_LIMIT, cfg->connections, NULL);
    add(o, MHD_OPTION_PER_IP_CONNECTION_LIMIT, per_address, NULL);
    add(o, MHD_OPTION_CONNECTION_TIMEOUT, cfg->idle_seconds, NULL);
    /* zeroed by libmicrohttpd for each request, so no larger than it must be */
    add(o, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (intptr_t)(cfg->most_header + FOR_ANSWER), NULL);
    if (cfg->threads > 1) add(o, MHD_OPTION_THREAD_POOL_SIZE, cfg->threads, NULL);
    const int status = http->tls ? add_tls(o, http, err) : HEED_OK;
    add(o, MHD_OPTION_END, 0, NULL);
    return status;
}

static int start_daemon(heed_http *http, heed_error *err) {
    options o = { 0 };
    int status = add_options(&o, http, err);
    if (!status) {
        const unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME |
                               MHD_USE_ERROR_LOG | (http->tls ? MHD_USE_TLS : 0);
        sigset_t all, before; /* signals are for the program's first thread */
        sigfillset(&all);
        sigprocmask(SIG_SETMASK, &all, &before);
        http->daemon = MHD_start_daemon(flags, 0, NULL, NULL, heed__on_call, http,
                                        MHD_OPTION_EXTERNAL_LOGGER, on_complaint, http,
                                        MHD_OPTION_ARRAY, o.item, MHD_OPTION_END);
        sigprocmask(SIG_SETMASK, &before, NULL);
        if (!http->daemon)
            status = heed__error(err, http->tls ? HEED_EINVALID : HEED_ENOMEM,
                                 "%s: the server cannot start%s: %s", http->listen,
                                 http->tls ? " with this certificate and key" : "",
                                 http->failed[0] ? http->failed : "out of memory");
    }
    heed__free(&http->hooks, o.key);
    heed__free(&http->hooks, o.certificate);
    return status;
}

/* -- start ------------------------------------------------------------------------------------ */

static void keep(void *arg) {
    heed_http *http = arg;
    for (;;) {
        heed__lock_enter(http->lock);
        if (!http->ended)
            heed__lock_wait(http->lock,
                            atomic_load(&http->stopping) ? DRAIN_TICK_MS : HEED_TICK_MS);
        const bool ended = http->ended;
        heed__lock_leave(http->lock);
        if (ended) return;
        heed__conns_tend(http);
        if (http->queue) heed__metric_set(http->waiting, (double)heed__queue_len(http->queue));
        if (http->keys) heed__keyring_refresh(http->keys);
    }
}

/* A schema of the table; NULL where there is none, or after an error. */
static json_t *read_schema(const heed_route *r, const char *text, bool of_query, heed_error *err) {
    heed_error why = { 0 };
    if (!text) return NULL;
    json_t *tree = heed__json_parse(text, strlen(text), of_query ? "query" : "body", &why);
    bool ok = tree != NULL;
    const char *name;
    json_t *one;
    json_object_foreach(of_query ? tree : NULL, name, one) {
        if (ok && json_is_boolean(json_object_get(one, "required"))) {
            json_t *plain = json_copy(one);
            ok = plain && json_object_del(plain, "required") == 0 &&
                 heed__schema_valid(plain, &why) == HEED_OK;
            json_decref(plain);
        } else {
            ok = ok && heed__schema_valid(one, &why) == HEED_OK;
        }
    }
    if (ok && !of_query) ok = heed__schema_valid(tree, &why) == HEED_OK;
    if (ok) return tree;
    heed__error(err, why.code == HEED_ENOMEM ? HEED_ENOMEM : HEED_EINVALID, "route %s %s: %s",
                r->method, r->path, why.msg);
    json_decref(tree);
    return NULL;
}

static int read_schemas(heed_http *http, heed_error *err) {
    http->schemas = heed__calloc(&http->hooks, (size_t)http->routes_len, sizeof *http->schemas);
    if (!http->schemas) return heed__error(err, HEED_ENOMEM, "out of memory for schemas");
    for (int i = 0; i < http->routes_len; i++) {
        const heed_route *r = &http->routes[i];
        http->schemas[i].query = read_schema(r, r->query, true, err);
        if (r->query && !http->schemas[i].query) return err->code;
        http->schemas[i].body = read_schema(r, r->body, false, err);
        if (r->body && !http->schemas[i].body) return err->code;
    }
    return HEED_OK;
}

static int make_table(heed_http *http, heed_error *err) {
    const heed_http_cfg *cfg = &http->cfg;
    http->routes = heed__calloc(&http->hooks, (size_t)cfg->routes_len + HEED_OWN_ROUTES,
                                sizeof *http->routes);
    http->counts = heed__calloc(&http->hooks, (size_t)cfg->routes_len + HEED_OWN_ROUTES + 1,
                                sizeof *http->counts);
    if (!http->routes || !http->counts)
        return heed__error(err, HEED_ENOMEM, "out of memory for the table of routes");
    for (int pass = 0; pass < 2; pass++) { /* literal paths first */
        for (int i = 0; i < cfg->routes_len; i++) {
            const heed_route *r = &cfg->routes[i];
            if (!heed__route_valid(r))
                return heed__error(err, HEED_EINVALID, "route %d, '%s', is not one", i,
                                   r->path ? r->path : "");
            if ((strchr(r->path, '{') != NULL) == (pass == 1))
                http->routes[http->routes_len++] = *r;
        }
        for (int i = 0; pass == 0 && i < HEED_OWN_ROUTES; i++)
            http->routes[http->routes_len++] = heed__own_routes[i];
    }
    const int status = read_schemas(http, err);
    if (status) return status;
    http->openapi = heed__openapi(http, &http->openapi_size, err);
    if (http->openapi) http->docs = heed__docs(http, &http->docs_size, err);
    return http->docs ? HEED_OK : err->code;
}

static int check_cfg(heed_http *http, heed_error *err) {
    const heed_http_cfg *cfg = &http->cfg;
    if (!cfg->certificate != !cfg->private_key)
        return heed__error(err, HEED_EINVALID, "TLS needs both a certificate and its private key");
    http->tls = cfg->certificate != NULL;
    http->listen_fd = heed__listen(cfg->listen, &http->port, &http->loopback, err);
    if (http->listen_fd < 0) return http->listen_fd;
    /* inherited by connections: a client that vanished shows by what it does not acknowledge; the
     * system by itself would wait a quarter of an hour */
    const unsigned patience = (unsigned)cfg->idle_seconds * 1000;
    setsockopt(http->listen_fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &patience, sizeof patience);
    heed__format(http->listen, sizeof http->listen, "%s", cfg->listen);
    if (!http->loopback && !cfg->keys)
        return heed__error(
            err, HEED_EINVALID,
            "%s is reached from other machines, so keys are asked for: make one with "
            "`heed key add FILE NAME`, or listen on 127.0.0.1",
            cfg->listen);
    if (!cfg->keys) return HEED_OK;
    http->keys = heed__keyring_open(cfg->keys, &http->hooks, err);
    return http->keys ? HEED_OK : err->code;
}

static void free_texts(const heed_hooks *hooks, char **texts, int64_t n) {
    for (int64_t i = 0; texts && i < n; i++) heed__free(hooks, texts[i]);
    heed__free(hooks, texts);
}

/* NULL where there are none, and where memory is short. */
static char **copy_texts(const heed_hooks *hooks, const char *const *from, int64_t n) {
    char **to = n > 0 ? heed__calloc(hooks, (size_t)n, sizeof *to) : NULL;
    bool ok = to != NULL;
    for (int64_t i = 0; i < n && ok; i++) ok = (to[i] = heed__strdup(hooks, from[i])) != NULL;
    if (ok) return to;
    free_texts(hooks, to, n);
    return NULL;
}

static int copy_names(heed_http *http, heed_error *err) {
    const heed_http_cfg *cfg = &http->cfg;
    http->cors = copy_texts(&http->hooks, cfg->cors, cfg->cors_len);
    http->hosts = copy_texts(&http->hooks, cfg->hosts, cfg->hosts_len);
    if ((http->cors || cfg->cors_len <= 0) && (http->hosts || cfg->hosts_len <= 0)) return HEED_OK;
    return heed__error(err, HEED_ENOMEM, "out of memory for the names of origins");
}

static void make_metrics(heed_http *http) {
    heed_metrics_set *set = http->cfg.metrics;
    http->connections = heed__gauge(set, "heed_http_connections", "Connections now open", NULL);
    http->listeners = heed__gauge(set, "heed_http_streams", "Event streams now open", NULL);
    http->waiting = heed__gauge(set, "heed_http_queue", "Requests that wait for a worker", NULL);
}

static void free_http(heed_http *http) {
    const heed_hooks hooks = http->hooks;
    if (http->listen_fd >= 0) close(http->listen_fd);
    heed__keyring_close(http->keys);
    heed__lock_free(http->lock);
    heed__lock_free(http->streams);
    free_texts(&hooks, http->cors, http->cfg.cors_len);
    free_texts(&hooks, http->hosts, http->cfg.hosts_len);
    for (int i = 0; http->schemas && i < http->routes_len; i++) {
        json_decref(http->schemas[i].query);
        json_decref(http->schemas[i].body);
    }
    heed__free(&hooks, http->schemas);
    heed__free(&hooks, http->routes);
    heed__free(&hooks, http->counts);
    heed__free(&hooks, http->openapi);
    heed__free(&hooks, http->docs);
    heed__free(&hooks, http);
}

static void end_keeper(heed_http *http) {
    if (!http->keeper) return;
    heed__lock_enter(http->lock);
    http->ended = true;
    heed__lock_wake(http->lock);
    heed__lock_leave(http->lock);
    heed__thread_join(http->keeper);
}

heed_http *heed_http_start(const heed_http_cfg *cfg, heed_error *err) {
    heed_error own;
    if (!err) err = &own;
    heed_http *http = heed__calloc(cfg->hooks, 1, sizeof *http);
    if (!http) {
        heed__error(err, HEED_ENOMEM, "out of memory for the HTTP server");
        return NULL;
    }
    if (cfg->hooks) http->hooks = *cfg->hooks;
    fill_cfg(&http->cfg, cfg);
    http->listen_fd = -1;
    int status = check_cfg(http, err);
    if (!status) status = copy_names(http, err);
    if (!status) status = make_table(http, err);
    if (!status) {
        fit_connections(http);
        make_metrics(http);
        http->lock = heed__lock_new(&http->hooks, err);
        http->streams = http->lock ? heed__lock_new(&http->hooks, err) : NULL;
        http->queue = http->streams ? heed__queue_new(http, err) : NULL;
        if (http->queue)
            http->keeper = heed__thread_start(&http->hooks, "heed-http", keep, http, err);
        status = http->keeper ? start_daemon(http, err) : err->code;
    }
    if (!status) return http;
    end_keeper(http);
    heed__queue_free(http->queue);
    free_http(http);
    return NULL;
}

int heed_http_port(const heed_http *http) {
    return http->port;
}

/* -- stop ------------------------------------------------------------------------------------- */

/* Waits until no request is left, nor a connection where `all`; or until the time has come. */
static void wait_for_end(heed_http *http, bool all, int64_t until_ms) {
    heed__lock_enter(http->lock);
    while (atomic_load(&http->live) > 0 || (all && http->conns)) {
        const int64_t left = until_ms - heed__ticks_ms();
        if (left <= 0) break;
        heed__lock_wait(http->lock, left < HEED_TICK_MS ? left : HEED_TICK_MS);
    }
    heed__lock_leave(http->lock);
}

void heed_http_stop(heed_http *http, int seconds) {
    if (!http) return;
    MHD_quiesce_daemon(http->daemon);
    shutdown(http->listen_fd, SHUT_RDWR); /* who connects now is refused, not kept waiting */
    atomic_store(&http->stopping, true);
    heed__lock_wake(http->lock);
    wait_for_end(http, true, heed__ticks_ms() + (int64_t)seconds * 1000);
    atomic_store(&http->closing, true); /* from now on no request begins */
    heed__queue_drop(http->queue);
    wait_for_end(http, false, INT64_MAX);
    end_keeper(http);
    MHD_stop_daemon(http->daemon);
    heed__queue_free(http->queue);
    free_http(http);
}
