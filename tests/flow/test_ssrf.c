/* Names and servers that lead feeds and webhooks into this host: redirects, names that change what
 * they stand for, names that stand for several things; and certificates, good and bad.
 *
 * This program has a getaddrinfo and a connect of its own, which libcurl calls: no name is really
 * asked for, and what would go to the public address 11.0.0.1 goes to a server here. Whatever is
 * refused must be so before connect is called. */
#include "cmocka_all.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "collect.h"
#include "flow/sink.h"
#include "http/http.h"

/* -- names and connections -------------------------------------------------------------------- */

static const char public[] = "11.0.0.1", dead[] = "11.0.0.2", inner[] = "127.0.0.1";
static _Atomic int asked;           /* how often rebinds.example was looked up */
static _Atomic int outside, inside; /* connections to the public server; to this host itself */

#define SEEN __attribute__((visibility("default"))) /* by libcurl */

static struct addrinfo *address(const char *text, const struct addrinfo *hints, const char *service,
                                struct addrinfo *next) {
    struct addrinfo *a = calloc(1, sizeof *a + sizeof(struct sockaddr_in));
    struct sockaddr_in *in = (struct sockaddr_in *)(void *)(a + 1);
    in->sin_family = AF_INET;
    in->sin_port = htons((uint16_t)(service ? atoi(service) : 0));
    inet_pton(AF_INET, text, &in->sin_addr);
    *a = (struct addrinfo){ .ai_family = AF_INET,
                            .ai_socktype = hints && hints->ai_socktype ? hints->ai_socktype
                                                                       : SOCK_STREAM,
                            .ai_protocol = IPPROTO_TCP,
                            .ai_addrlen = sizeof *in,
                            .ai_addr = (struct sockaddr *)in,
                            .ai_next = next };
    return a;
}

SEEN int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                     struct addrinfo **list) {
    struct in_addr number;
    *list = NULL;
    if (!name) return EAI_NONAME;
    if (inet_aton(name, &number) == 1)
        *list = address(inet_ntoa(number), hints, service, NULL);
    else if (strcmp(name, "public.example") == 0)
        *list = address(public, hints, service, NULL);
    else if (strcmp(name, "inner.example") == 0 || strcmp(name, "localhost") == 0)
        *list = address(inner, hints, service, NULL);
    else if (strcmp(name, "both.example") == 0) /* the first does not answer */
        *list = address(dead, hints, service, address(inner, hints, service, NULL));
    else if (strcmp(name, "rebinds.example") == 0) /* once public, then within */
        *list = address(asked++ == 0 ? public : inner, hints, service, NULL);
    return *list ? 0 : EAI_NONAME;
}

SEEN void freeaddrinfo(struct addrinfo *a) {
    for (struct addrinfo *next; a; a = next) {
        next = a->ai_next;
        free(a);
    }
}

/* glibc declares its own with a union, which ISO C does not know. */
SEEN int own_connect(int fd, const struct sockaddr *to, socklen_t size) __asm__("connect");

int own_connect(int fd, const struct sockaddr *to, socklen_t size) {
    struct sockaddr_in in = { 0 };
    char text[64] = "";
    if (to->sa_family != AF_INET) return (int)syscall(SYS_connect, fd, to, size);
    memcpy(&in, to, sizeof in);
    inet_ntop(AF_INET, &in.sin_addr, text, sizeof text);
    if (strcmp(text, dead) == 0) {
        errno = ECONNREFUSED;
        return -1;
    }
    if (strcmp(text, public) == 0) {
        outside++;
        in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    } else if (strncmp(text, "127.", 4) == 0) {
        inside++;
    } else { /* nothing else is ever called from here */
        errno = ENETUNREACH;
        return -1;
    }
    return (int)syscall(SYS_connect, fd, &in, sizeof in);
}

/* -- a server --------------------------------------------------------------------------------- */

static heed_http *http;
static int port;
static _Atomic int hooks;

static void feed(void *user, heed_request *rq) {
    (void)user;
    static const char text[] = "<rss><channel><item><guid>a</guid><title>told</title></item>"
                               "</channel></rss>";
    heed_reply_data(rq, 200, "application/rss+xml", text, sizeof text - 1, NULL);
}

static const char *const places[] = {
    "http://127.0.0.1:%d/feed",   "http://localhost:%d/feed",      "http://inner.example:%d/feed",
    "http://[::1]:%d/feed",       "http://2130706433:%d/feed",     "http://0x7f.1:%d/feed",
    "http://127.1:%d/feed",       "http://0.0.0.0:%d/feed",        "http://10.1.2.3:%d/feed",
    "http://169.254.169.254:%d/", "http://[::ffff:127.0.0.1]:%d/", "http://both.example:%d/feed",
};
enum { PLACES = sizeof places / sizeof *places };

/* To where its number says: another redirect to where it leads, for /twice. */
static void away(void *user, heed_request *rq) {
    (void)user;
    char to[128];
    const int which = atoi(heed_request_part(rq, "which"));
    snprintf(to, sizeof to, which < PLACES ? places[which] : "http://public.example:%d/away/0",
             port);
    const char *const headers[] = { "Location", to, NULL };
    heed_reply_data(rq, 302, "text/plain", "", 0, headers);
}

static void hook(void *user, heed_request *rq) {
    (void)user;
    hooks++;
    heed_reply_data(rq, 500, "text/plain", "no", 2, NULL);
}

static const heed_route routes[] = {
    { .method = "GET", .path = "/feed", .fn = feed },
    { .method = "GET", .path = "/away/{which}", .fn = away },
    { .method = "POST", .path = "/away/{which}", .fn = away },
    { .method = "POST", .path = "/hook", .fn = hook },
};
static const char *const hosts[] = { "public.example", "inner.example", "rebinds.example",
                                     "both.example", public };

static void serve(const char *certificate, const char *private_key) {
    heed_error err;
    http = heed_http_start(&(heed_http_cfg){ .routes = routes,
                                             .routes_len = 4,
                                             .listen = "127.0.0.1:0",
                                             .hosts = hosts,
                                             .hosts_len = 5,
                                             .certificate = certificate,
                                             .private_key = private_key },
                           &err);
    if (!http) fail_msg("%s", err.msg);
    port = heed_http_port(http);
}

static int start(void **state) {
    (void)state;
    asked = outside = inside = hooks = 0;
    serve(NULL, NULL);
    return 0;
}

static int stop(void **state) {
    (void)state;
    if (http) heed_http_stop(http, 1);
    http = NULL;
    return 0;
}

/* -- feeds ------------------------------------------------------------------------------------ */

/* Looks at a feed until it came (true) or failed, with the sentence. */
static bool comes(const char *url, const char *settings, char *error, size_t size) {
    char text[256], is[32];
    collect c = { 0 };
    snprintf(text, sizeof text, "kind: feed, every: 5s, url: \"%s\"%s", url, settings);
    collect_start(&c, text);
    bool came = false, failed = false;
    while (!came && !failed) {
        heed__sleep_ms(2);
        heed__lock_enter(c.lock);
        came = c.len > 0;
        heed__lock_leave(c.lock);
        collect_state(&c, "state", is, sizeof is);
        failed = strcmp(is, "failing") == 0;
    }
    collect_state(&c, "error", error, size);
    collect_free(&c);
    return came;
}

static void redirected_feeds(void **state) {
    (void)state;
    char url[128], error[512];
    snprintf(url, sizeof url, "http://public.example:%d/feed", port);
    if (!comes(url, "", error, sizeof error)) fail_msg("a public feed: %s", error);
    assert_int_equal(outside, 1);
    for (int i = 0; i <= PLACES; i++) { /* the last: public, then public, then within */
        snprintf(url, sizeof url, "http://public.example:%d/away/%d", port, i);
        if (comes(url, "", error, sizeof error)) fail_msg("%s lets it in", url);
        if (!strstr(error, "is not of the public internet")) fail_msg("%s: %s", url, error);
    }
    assert_int_equal(inside, 0);
    snprintf(url, sizeof url, "http://public.example:%d/away/0", port);
    if (!comes(url, ", allow_private: true", error, sizeof error)) fail_msg("%s", error);
    assert_int_equal(inside, 1); /* so the refusals were the guard's */
}

/* A name that was public a moment ago, and one of which only the second address is within. */
static void rebound_names(void **state) {
    (void)state;
    char url[128], error[512];
    snprintf(url, sizeof url, "http://rebinds.example:%d/feed", port);
    if (!comes(url, "", error, sizeof error)) fail_msg("%s", error);
    assert_int_equal(asked, 1);
    assert_false(comes(url, "", error, sizeof error));
    assert_int_equal(asked, 2);
    assert_non_null(strstr(error, "leads to 127.0.0.1, which is not of the public internet"));
    snprintf(url, sizeof url, "http://both.example:%d/feed", port);
    assert_false(comes(url, "", error, sizeof error));
    assert_non_null(strstr(error, "leads to 127.0.0.1, which is not of the public internet"));
    assert_int_equal(inside, 0);
    assert_int_equal(outside, 1);
}

/* -- webhooks --------------------------------------------------------------------------------- */

/* Delivers one message, of which so many tries may fail; true: it waits or came, false: dead. */
static void deliver(const char *url, int tries, char *error, size_t size) {
    heed_error err = { 0 };
    heed_sink_cfg sink = { .name = "hook", .kind = "webhook", .url = url, .tries = tries };
    const heed_flow flow = { .sink = &sink, .sinks = 1 };
    heed_store *store = heed_store_open(&(heed_store_cfg){ .path = ":memory:" }, &err);
    heed_entry tick = { .kind = HEED_ENTRY_TICK };
    const heed_message m = { .sink = "hook", .key = "k", .type = "alert", .body = "{}" };
    assert_int_equal(heed_store_append(store, &tick, 1, 1, &err), 0);
    const heed_commit commit = { .upto = tick.seq, .message = &m, .messages = 1 };
    assert_int_equal(heed_store_commit(store, &commit, &err), 0);
    const heed_sinks_cfg cfg = { .flow = &flow,
                                 .store = store,
                                 .first_pause_ms = 5,
                                 .most_pause_ms = 10,
                                 .look_ms = 10,
                                 .call_ms = 5000 };
    heed_sinks *sinks = heed_sinks_start(&cfg, &err);
    if (!sinks) fail_msg("%s", err.msg);
    for (int64_t waiting, gone = 0; gone == 0; heed__sleep_ms(2))
        assert_int_equal(heed_store_outbox(store, "hook", &waiting, &gone, &err), 0);
    json_t *says = heed_sinks_state(sinks);
    const char *why = json_string_value(json_object_get(json_array_get(says, 0), "error"));
    snprintf(error, size, "%s", why ? why : "");
    json_decref(says);
    heed_sinks_stop(sinks);
    heed_store_close(store);
}

static void webhooks(void **state) {
    (void)state;
    char url[128], error[512];
    for (int i = 0; i < 2; i++) {
        snprintf(url, sizeof url, "http://public.example:%d/away/%d", port, i);
        deliver(url, 3, error, sizeof error);
        assert_non_null(strstr(error, "answers 302; redirects are not followed"));
    }
    assert_int_equal(outside, 2);
    snprintf(url, sizeof url, "http://rebinds.example:%d/hook", port);
    deliver(url, 2, error, sizeof error); /* 500, twice */
    assert_int_equal(hooks, 2);
    deliver(url, 2, error, sizeof error);
    assert_non_null(strstr(error, "leads to 127.0.0.1, which is not of the public internet"));
    snprintf(url, sizeof url, "http://both.example:%d/hook", port);
    deliver(url, 2, error, sizeof error);
    assert_non_null(strstr(error, "leads to 127.0.0.1, which is not of the public internet"));
    assert_int_equal(hooks, 2);
    assert_int_equal(inside, 0);
}

/* -- certificates ----------------------------------------------------------------------------- */

static char folder[64];

/* A certificate NAME.pem for a name, signed by BY.key (itself: its own), over so many days. */
static bool certify(const char *name, const char *host, const char *by, const char *days) {
    char command[1200], sign[200];
    const bool own = strcmp(name, by) == 0;
    snprintf(sign, sizeof sign, own ? "-key %s.key" : "-CA %s.pem -CAkey %s.key", by, by);
    snprintf(command, sizeof command,
             "cd %s && openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes "
             "-keyout %s.key -out %s.csr -subj /CN=%s -addext subjectAltName=DNS:%s "
             "-addext basicConstraints=CA:%s >log 2>&1 && openssl x509 -req -in %s.csr "
             "-copy_extensions copy %s -days %s -out %s.pem >log 2>&1",
             folder, name, name, name, host, own ? "TRUE" : "FALSE", name, sign, days, name);
    return system(command) == 0;
}

static bool https(const char *name, const char *settings, char *error, size_t size) {
    char pem[128], key[128], url[64];
    snprintf(pem, sizeof pem, "%s/%s.pem", folder, name);
    snprintf(key, sizeof key, "%s/%s.key", folder, name);
    serve(pem, key);
    snprintf(url, sizeof url, "https://public.example:%d/feed", port);
    const bool came = comes(url, settings, error, size);
    stop(NULL);
    return came;
}

static void certificates(void **state) {
    (void)state;
    char command[128], trusted[128], error[512];
    snprintf(folder, sizeof folder, "/tmp/heed-ssrf-XXXXXX");
    assert_non_null(mkdtemp(folder));
    const bool made = certify("root", "root.example", "root", "3") &&
                      certify("good", "public.example", "root", "2") &&
                      certify("other", "another.example", "root", "2") &&
                      certify("old", "public.example", "root", "-1") &&
                      certify("own", "public.example", "own", "2");
    if (made) {
        snprintf(trusted, sizeof trusted, "%s/root.pem", folder);
        setenv("SSL_CERT_FILE", trusted, 1);
        if (!https("good", "", error, sizeof error)) fail_msg("a good certificate: %s", error);
        static const struct {
            const char *name, *says;
        } bad[] = { { "other", "no alternative certificate subject name matches" },
                    { "old", "certificate has expired" },
                    { "own", "self-signed certificate" } };
        for (int i = 0; i < 3; i++) {
            /* what lets an address through lets no certificate through */
            if (https(bad[i].name, i == 2 ? ", allow_private: true" : "", error, sizeof error))
                fail_msg("%s is believed", bad[i].name);
            if (!strstr(error, bad[i].says)) fail_msg("%s: %s", bad[i].name, error);
        }
        unsetenv("SSL_CERT_FILE"); /* then those whom the system trusts */
        assert_false(https("good", "", error, sizeof error));
        if (!strstr(error, "unable to get local issuer certificate") &&
            !strstr(error, "error setting certificate verify locations"))
            fail_msg("%s", error);
    }
    snprintf(command, sizeof command, "rm -rf %s", folder);
    assert_int_equal(system(command), 0);
    if (!made) {
        print_message("no openssl that makes certificates\n");
        skip();
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(redirected_feeds, start, stop),
        cmocka_unit_test_setup_teardown(rebound_names, start, stop),
        cmocka_unit_test_setup_teardown(webhooks, start, stop),
        cmocka_unit_test_teardown(certificates, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
