/* Which addresses the internet can reach, and which URLs are called at all. */
#include "cmocka_all.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>

#include "flow/net.h"

static bool is_public(const char *text) {
    struct sockaddr_in in = { .sin_family = AF_INET };
    struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
    if (inet_pton(AF_INET, text, &in.sin_addr) == 1)
        return heed__net_is_public((const struct sockaddr *)&in);
    assert_int_equal(inet_pton(AF_INET6, text, &in6.sin6_addr), 1);
    return heed__net_is_public((const struct sockaddr *)&in6);
}

static void test_addresses(void **state) {
    (void)state;
    static const char *const open[] = {
        "1.1.1.1",         "8.8.8.8",          "11.0.0.0",        "9.255.255.255",
        "100.63.255.255",  "100.128.0.0",      "172.15.255.255",  "172.32.0.0",
        "192.167.255.255", "192.169.0.0",      "169.253.255.255", "198.17.255.255",
        "198.20.0.0",      "223.255.255.255",  "2606:4700::1111", "2001:4860:4860::8888",
        "::ffff:8.8.8.8",  "64:ff9b::808:808", "2002:808:808::1", "2a00::1"
    };
    static const char *const closed[] = { "0.0.0.0",
                                          "0.1.2.3",
                                          "10.0.0.1",
                                          "10.255.255.255",
                                          "100.64.0.1",
                                          "100.127.255.255",
                                          "127.0.0.1",
                                          "127.255.255.255",
                                          "169.254.169.254",
                                          "172.16.0.1",
                                          "172.31.255.255",
                                          "192.0.0.1",
                                          "192.0.2.1",
                                          "192.168.0.1",
                                          "198.18.0.1",
                                          "198.19.255.255",
                                          "198.51.100.1",
                                          "203.0.113.1",
                                          "224.0.0.1",
                                          "239.255.255.255",
                                          "240.0.0.1",
                                          "255.255.255.255",
                                          "::",
                                          "::1",
                                          "::ffff:127.0.0.1",
                                          "::ffff:10.0.0.1",
                                          "::127.0.0.1",
                                          "fe80::1",
                                          "fec0::1",
                                          "fc00::1",
                                          "fd12:3456::1",
                                          "ff02::1",
                                          "2001::1",
                                          "2001:db8::1",
                                          "2002:7f00:1::1",
                                          "2002:a00:1::1",
                                          "64:ff9b::7f00:1",
                                          "64:ff9b:1::808:808",
                                          "100::1",
                                          "3fff::1",
                                          "4000::1" };
    for (size_t i = 0; i < sizeof open / sizeof *open; i++)
        if (!is_public(open[i])) fail_msg("%s is refused", open[i]);
    for (size_t i = 0; i < sizeof closed / sizeof *closed; i++)
        if (is_public(closed[i])) fail_msg("%s is let through", closed[i]);
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    assert_false(heed__net_is_public((const struct sockaddr *)&un));
}

static void test_urls(void **state) {
    (void)state;
    static const char *const wrong[] = { "ftp://example.org/",
                                         "file:///etc/passwd",
                                         "gopher://x/",
                                         "dict://x/",
                                         "//example.org/",
                                         "javascript:1",
                                         "",
                                         "x y",
                                         "http://",
                                         "http://a b/",
                                         "http://user:secret@example.org/",
                                         "http://u@example.org/",
                                         "http://exa\nmple.org/" };
    heed_net net = { 0 };
    heed_error err = { 0 };
    CURL *curl = heed__net_new(&net, &err);
    assert_non_null(curl);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        if (heed__net_url(curl, wrong[i], &err) != HEED_EINVALID) fail_msg("%s", wrong[i]);
        assert_null(strstr(err.msg, "secret")); /* no password in a message */
    }
    assert_int_equal(heed__net_url(curl, "https://example.org/a?b=c", &err), 0);
    curl_easy_cleanup(curl);
}

/* The guard itself: whatever way a loopback address is written, no connection is made. */
static void test_guard(void **state) {
    (void)state;
    static const char *const inner[] = { "http://127.0.0.1:1/", "http://localhost:1/",
                                         "http://[::1]:1/",     "http://2130706433:1/",
                                         "http://0x7f.1:1/",    "http://0177.0.0.1:1/",
                                         "http://127.1:1/",     "http://[::ffff:127.0.0.1]:1/",
                                         "http://0.0.0.0:1/",   "http://169.254.169.254/latest/" };
    heed_net net = { .redirects = 3 };
    heed_error err = { 0 };
    CURL *curl = heed__net_new(&net, &err);
    for (size_t i = 0; i < sizeof inner / sizeof *inner; i++) {
        net.refused[0] = 0;
        assert_int_equal(heed__net_url(curl, inner[i], &err), 0);
        const CURLcode code = curl_easy_perform(curl);
        assert_int_not_equal(code, CURLE_OK);
        if (code != CURLE_COULDNT_CONNECT) continue; /* a host without IPv6 */
        assert_int_equal(heed__net_error(&net, code, inner[i], &err), HEED_EINVALID);
        if (!strstr(err.msg, "is not of the public internet; 'allow_private' lets it through"))
            fail_msg("%s", err.msg);
    }
    assert_string_equal(net.refused, "169.254.169.254");
    curl_easy_cleanup(curl);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_urls),
        cmocka_unit_test(test_guard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
