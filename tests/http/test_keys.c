/* Keys, scopes and rates, origins that may call, and TLS. */
#include "client.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/thread.h"
#include "http/key_file.h"

static char folder[] = "/tmp/heed-keys-XXXXXX";
static char path[64], certificate[64], private_key[64];
static heed_http *http;
static int port;

static int make_folder(void **state) {
    (void)state;
    if (!mkdtemp(folder)) return -1;
    snprintf(path, sizeof path, "%s/keys", folder);
    snprintf(certificate, sizeof certificate, "%s/cert.pem", folder);
    snprintf(private_key, sizeof private_key, "%s/key.pem", folder);
    return 0;
}

static int remove_folder(void **state) {
    (void)state;
    unlink(path);
    unlink(certificate);
    unlink(private_key);
    return rmdir(folder);
}

static int stop(void **state) {
    (void)state;
    heed_http_stop(http, 5);
    http = NULL;
    unlink(path);
    return 0;
}

static void start(heed_http_cfg cfg) {
    http = client_server(&cfg);
    port = heed_http_port(http);
}

static int ask(const char *method, const char *target, const char *header, const char *key) {
    char head[600];
    snprintf(head, sizeof head, "%s %s HTTP/1.1\r\n%s%s", method, target, header, key);
    return client_status(port, head, strcmp(method, "GET") == 0 ? NULL : "");
}

static int bearer(const char *method, const char *target, const char *key) {
    return ask(method, target, "Authorization: Bearer ", key);
}

static void scopes(void **state) {
    (void)state;
    char reads[HEED_KEY_SIZE], writes[HEED_KEY_SIZE], all[HEED_KEY_SIZE];
    assert_int_equal(heed_keys_add(path, "r", "read", 0, reads, NULL), 0);
    assert_int_equal(heed_keys_add(path, "w", "write,read", 0, writes, NULL), 0);
    assert_int_equal(heed_keys_add(path, "a", "admin", 0, all, NULL), 0);
    start((heed_http_cfg){ .keys = path });
    assert_int_equal(client_status(port, "GET /health HTTP/1.1", NULL), 200); /* open */
    assert_int_equal(client_status(port, "GET /docs HTTP/1.1", NULL), 200);
    assert_int_equal(client_status(port, "GET /number HTTP/1.1", NULL), 401);
    assert_int_equal(client_status(port, "GET /nothing HTTP/1.1", NULL), 401);
    assert_int_equal(client_status(port, "POST /health HTTP/1.1", ""), 401);
    assert_int_equal(bearer("GET", "/number", reads), 200);
    assert_int_equal(bearer("GET", "/nothing", reads), 404);
    assert_int_equal(bearer("POST", "/do/x", reads), 403);
    assert_int_equal(bearer("POST", "/do/x", writes), 200);
    assert_int_equal(bearer("PUT", "/echo", writes), 403);
    assert_int_equal(bearer("PUT", "/echo", all), 200);
    assert_int_equal(bearer("POST", "/do/x", all), 200);
    assert_int_equal(ask("GET", "/number", "X-API-Key: ", reads), 200);
    assert_int_equal(ask("GET", "/number", "authorization: bearer ", reads), 200);
    assert_int_equal(ask("GET", "/number", "Cookie: a=b; heed_key=", reads), 200);
    assert_int_equal(ask("GET", "/number", "Cookie: a=b; x_heed_key=", reads), 401);
    assert_int_equal(ask("GET", "/number", "Authorization: Basic ", reads), 401);
    char head[200];
    snprintf(head, sizeof head, "GET /parts/x HTTP/1.1\r\nAuthorization: Bearer %s", writes);
    char *answer = client_ask(port, head, NULL);
    assert_non_null(strstr(answer, "\"key\":\"w\""));
    free(answer);
    answer = client_ask(port, "GET /number HTTP/1.1", NULL);
    assert_non_null(strstr(answer, "\r\nWWW-Authenticate: Bearer\r\n"));
    free(answer);
}

/* Keys of every length, and those that differ from the true one in one place, are all unknown. The
 * comparison is of hashes, all of them, by heed__equal_secret. */
static void wrong_keys(void **state) {
    (void)state;
    char key[HEED_KEY_SIZE], other[300];
    assert_int_equal(heed_keys_add(path, "k", "admin", 0, key, NULL), 0);
    start((heed_http_cfg){ .keys = path });
    for (size_t size = 0; size < 200; size++) {
        memset(other, 'a', size);
        memcpy(other, key, size < strlen(key) ? size : strlen(key) - 1);
        other[size] = 0;
        if (strcmp(other, key) != 0) assert_int_equal(bearer("GET", "/number", other), 401);
    }
    for (size_t i = 0; i < strlen(key); i++) {
        memcpy(other, key, sizeof key);
        other[i] = other[i] == 'x' ? 'y' : 'x';
        assert_int_equal(bearer("GET", "/number", other), 401);
    }
    assert_int_equal(bearer("GET", "/number", key), 200);
}

static void rates(void **state) {
    (void)state;
    char key[HEED_KEY_SIZE], head[200];
    assert_int_equal(heed_keys_add(path, "k", "read", 3, key, NULL), 0);
    start((heed_http_cfg){ .keys = path });
    int good = 0, later = 0;
    for (int i = 0; i < 30 && later == 0; i++) {
        const int status = bearer("GET", "/number", key);
        good += status == 200;
        later += status == 429;
    }
    assert_true(good >= 3 && later > 0);
    snprintf(head, sizeof head, "GET /number HTTP/1.1\r\nAuthorization: Bearer %s", key);
    char *answer = client_ask(port, head, NULL);
    while (!strstr(answer, " 429 ")) {
        free(answer);
        answer = client_ask(port, head, NULL);
    }
    assert_non_null(strstr(answer, "\r\nRetry-After: 1\r\n"));
    free(answer);
    int status = 429;
    for (int i = 0; i < 100 && status == 429; i++) {
        heed__sleep_ms(20);
        status = bearer("GET", "/number", key);
    }
    assert_int_equal(status, 200);
}

static int wait_for(const char *key, int status) {
    int got = 0;
    for (int i = 0; i < 500 && got != status; i++) {
        got = bearer("GET", "/number", key);
        if (got != status) heed__sleep_ms(20);
    }
    return got;
}

/* A key added or taken back counts while the server runs; a broken file changes nothing. */
static void changes(void **state) {
    (void)state;
    char first[HEED_KEY_SIZE], second[HEED_KEY_SIZE];
    assert_int_equal(heed_keys_add(path, "one", "read", 0, first, NULL), 0);
    start((heed_http_cfg){ .keys = path });
    assert_int_equal(bearer("GET", "/number", first), 200);
    assert_int_equal(heed_keys_add(path, "two", "read", 0, second, NULL), 0);
    assert_int_equal(wait_for(second, 200), 200);
    assert_int_equal(heed_keys_remove(path, "one", NULL), 0);
    assert_int_equal(wait_for(first, 401), 401);
    assert_int_equal(heed__file_write(NULL, path, "broken\n", 7, NULL), 0);
    heed__sleep_ms(500);
    assert_int_equal(bearer("GET", "/number", second), 200);
    unlink(path);
    assert_int_equal(wait_for(second, 401), 401);
}

static void wrong_files(void **state) {
    (void)state;
    static const char sum[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    static const struct {
        const char *line, *says;
    } cases[] = {
        { "a read 0 1", "lacks one of" },
        { "a read 0 1 %s x", "has more than" },
        { "a/b read 0 1 %s", "begins with what is no name" },
        { "a reed 0 1 %s", "has scopes that are not" },
        { "a read, 0 1 %s", "has scopes that are not" },
        { "a read -1 1 %s", "has a rate that is none" },
        { "a read nan 1 %s", "has a rate that is none" },
        { "a read 0 x %s", "has a time that is none" },
        { "a read 0 1 %s0", "has no SHA-256" },
        { "a read 0 1 XY", "has no SHA-256" },
        { "b read 0 1 %s\na read 0 1 %s\nb read 0 1 %s", ":3: the line has a name that is there" },
    };
    char text[500];
    heed_error err;
    heed_keys keys;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t len = 0;
        for (const char *at = cases[i].line; *at; at++) {
            if (at[0] == '%' && at[1] == 's') {
                len += (size_t)snprintf(text + len, sizeof text - len, "%s", sum);
                at++;
            } else {
                text[len++] = *at;
            }
        }
        assert_int_equal(heed__keys_parse(&keys, text, len, "k", NULL, &err), HEED_EFORMAT);
        if (!strstr(err.msg, cases[i].says)) fail_msg("%s", err.msg);
        assert_null(keys.key);
    }
    static const char zero[] = "a\0b read 0 1 "; /* a 0 byte is no letter of a name */
    memcpy(text, zero, sizeof zero - 1);
    memcpy(text + sizeof zero - 1, sum, sizeof sum);
    assert_int_equal(heed__keys_parse(&keys, text, sizeof zero + sizeof sum - 2, "k", NULL, &err),
                     HEED_EFORMAT);
    const heed_http_cfg cfg = { .listen = "127.0.0.1:0", .keys = "/nowhere/keys" };
    assert_null(heed_http_start(&cfg, &err));
    assert_int_equal(err.code, HEED_ENOTFOUND);
}

static void other_machines(void **state) {
    (void)state;
    char key[HEED_KEY_SIZE];
    assert_int_equal(heed_keys_add(path, "k", "read", 0, key, NULL), 0);
    start((heed_http_cfg){ .listen = "0.0.0.0:0", .keys = path });
    assert_int_equal(client_status(port, "GET /number HTTP/1.1", NULL), 401);
    assert_int_equal(bearer("GET", "/number", key), 200);
}

/* -- origins ---------------------------------------------------------------------------------- */

static bool answers(const char *head, const char *body, const char *text) {
    char *answer = client_ask(port, head, body);
    const bool found = strstr(answer, text) != NULL;
    free(answer);
    return found;
}

static void origins(void **state) {
    (void)state;
    static const char *const cors[] = { "https://app.example", "http://localhost:5173" };
    static const char *const hosts[] = { "heed.example" };
    start((heed_http_cfg){ .cors = cors, .cors_len = 2, .hosts = hosts, .hosts_len = 1 });
    const char *mine = "Access-Control-Allow-Origin: https://app.example\r\n";
    assert_true(answers("GET /health HTTP/1.1\r\nOrigin: https://app.example", NULL, mine));
    assert_true(answers("GET /nothing HTTP/1.1\r\nOrigin: https://app.example", NULL, mine));
    assert_true(answers("POST /do/x HTTP/1.1\r\nOrigin: https://app.example\r\n"
                        "Sec-Fetch-Site: cross-site",
                        "", mine));
    assert_true(answers("GET /health HTTP/1.1", NULL, "Vary: Origin\r\n"));
    assert_true(answers("OPTIONS /do/x HTTP/1.1\r\nOrigin: https://app.example\r\n"
                        "Access-Control-Request-Method: POST",
                        NULL, "Access-Control-Allow-Methods: POST, OPTIONS\r\n"));
    assert_false(answers("OPTIONS /do/x HTTP/1.1\r\nOrigin: https://evil.example\r\n"
                         "Access-Control-Request-Method: POST",
                         NULL, "Access-Control-"));
    assert_false(answers("GET /health HTTP/1.1\r\nOrigin: https://app.example.evil", NULL,
                         "Access-Control-"));
    assert_false(answers("GET /health HTTP/1.1\r\nOrigin: https://app.example", NULL,
                         "Access-Control-Allow-Credentials"));
    assert_int_equal(client_status(port, "POST /do/x HTTP/1.1\r\nOrigin: https://evil.example", ""),
                     403);
    const int fd = client_open(port);
    client_answer a;
    client_send(fd, "GET /health HTTP/1.1\r\nHost: heed.example\r\n\r\n");
    assert_true(client_answer_read(fd, &a, CLIENT_WAITS));
    assert_int_equal(a.status, 200);
    client_answer_free(&a);
    close(fd);
}

/* -- TLS -------------------------------------------------------------------------------------- */

static size_t swallow(char *data, size_t size, size_t n, void *to) {
    char *text = to;
    const size_t len = strlen(text), more = size * n < 1000 - len ? size * n : 1000 - len;
    memcpy(text + len, data, more);
    return size * n;
}

/* The status of GET /health by TLS between the versions; 0: no answer. */
static long ask_tls(long versions, char text[1001]) {
    char url[64];
    long status = 0;
    text[0] = 0;
    memset(text, 0, 1001);
    snprintf(url, sizeof url, "https://localhost:%d/health", port);
    CURL *c = curl_easy_init();
    assert_non_null(c);
    curl_easy_setopt(c, CURLOPT_URL, url);
    curl_easy_setopt(c, CURLOPT_CAINFO, certificate);
    curl_easy_setopt(c, CURLOPT_SSLVERSION, versions);
    curl_easy_setopt(c, CURLOPT_SSL_CIPHER_LIST, "DEFAULT@SECLEVEL=0");
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, swallow);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, text);
    curl_easy_setopt(c, CURLOPT_NOPROXY, "*");
    if (curl_easy_perform(c) == CURLE_OK) curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_cleanup(c);
    return status;
}

static void encrypted(void **state) {
    (void)state;
    char command[400], text[1001];
    heed_error err;
    snprintf(command, sizeof command,
             "openssl req -x509 -newkey rsa:2048 -nodes -keyout %s -out %s -days 2 "
             "-subj /CN=localhost -addext subjectAltName=DNS:localhost 2>%s/log; rm -f %s/log",
             private_key, certificate, folder, folder);
    if (system(command) != 0 || access(certificate, R_OK) != 0) {
        print_message("no openssl to make a certificate with\n");
        skip();
    }
    start((heed_http_cfg){ .certificate = certificate, .private_key = private_key });
    assert_int_equal(ask_tls(CURL_SSLVERSION_TLSv1_2, text), 200);
    assert_string_equal(text, "{\"status\":\"ok\"}");
    assert_int_equal(ask_tls(CURL_SSLVERSION_TLSv1_3 | CURL_SSLVERSION_MAX_TLSv1_3, text), 200);
    assert_int_equal(ask_tls(CURL_SSLVERSION_TLSv1_2 | CURL_SSLVERSION_MAX_TLSv1_2, text), 200);
    assert_int_equal(ask_tls(CURL_SSLVERSION_TLSv1_0 | CURL_SSLVERSION_MAX_TLSv1_1, text), 0);
    assert_int_equal(client_status(port, "GET /health HTTP/1.1", NULL), 0); /* without TLS */
    const heed_http_cfg swapped = { .listen = "127.0.0.1:0",
                                    .certificate = private_key,
                                    .private_key = certificate };
    assert_null(heed_http_start(&swapped, &err));
    assert_int_equal(err.code, HEED_EINVALID);
    const heed_http_cfg half = { .listen = "127.0.0.1:0", .certificate = certificate };
    assert_null(heed_http_start(&half, &err));
    assert_non_null(strstr(err.msg, "both a certificate and its private key"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(scopes, stop),
        cmocka_unit_test_teardown(wrong_keys, stop),
        cmocka_unit_test_teardown(rates, stop),
        cmocka_unit_test_teardown(changes, stop),
        cmocka_unit_test(wrong_files),
        cmocka_unit_test_teardown(other_machines, stop),
        cmocka_unit_test_teardown(origins, stop),
        cmocka_unit_test_teardown(encrypted, stop),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
