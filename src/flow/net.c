/* net.c: the guard before every connection, and libcurl set up in one place. */
#include "flow/net.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/text.h"

enum { CONNECT_MS = 10000, WHOLE_MS = 60000, SLOW_BYTES = 64, SLOW_SECONDS = 20 };

/* -- addresses -------------------------------------------------------------------------------- */

typedef struct block {
    unsigned char bytes[8];
    int bits;
} block;

static bool within(const unsigned char *address, const block *b) {
    const int whole = b->bits / 8, rest = b->bits % 8;
    if (memcmp(address, b->bytes, (size_t)whole) != 0) return false;
    const unsigned mask = 0xFFu << (8 - rest) & 0xFFu;
    return rest == 0 || ((address[whole] ^ b->bytes[whole]) & mask) == 0;
}

/* IANA's registry of IPv4 addresses for special purposes, and multicast. */
static bool is_public4(const unsigned char a[4]) {
    static const block special[] = {
        { { 0 }, 8 },
        { { 10 }, 8 },
        { { 100, 64 }, 10 },
        { { 127 }, 8 },
        { { 169, 254 }, 16 },
        { { 172, 16 }, 12 },
        { { 192, 0, 0 }, 24 },
        { { 192, 0, 2 }, 24 },
        { { 192, 88, 99 }, 24 },
        { { 192, 168 }, 16 },
        { { 198, 18 }, 15 },
        { { 198, 51, 100 }, 24 },
        { { 203, 0, 113 }, 24 },
        { { 224 }, 4 },
        { { 240 }, 4 },
    };
    for (size_t i = 0; i < sizeof special / sizeof *special; i++)
        if (within(a, &special[i])) return false;
    return true;
}

/* Global unicast without what stands for something else; addresses that hold an IPv4 address are as
 * public as that one. */
static bool is_public6(const unsigned char a[16]) {
    static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };
    static const unsigned char nat64[12] = { 0, 0x64, 0xff, 0x9b };
    static const block global = { { 0x20 }, 3 }, six_to_four = { { 0x20, 0x02 }, 16 };
    static const block special[] = {
        { { 0x20, 0x01 }, 23 },             /* protocols: Teredo, ORCHID, benchmarks */
        { { 0x20, 0x01, 0x0d, 0xb8 }, 32 }, /* documentation */
        { { 0x3f, 0xff }, 20 },             /* documentation */
    };
    if (memcmp(a, mapped, 12) == 0 || memcmp(a, nat64, 12) == 0) return is_public4(a + 12);
    if (within(a, &six_to_four)) return is_public4(a + 2);
    if (!within(a, &global)) return false;
    for (size_t i = 0; i < sizeof special / sizeof *special; i++)
        if (within(a, &special[i])) return false;
    return true;
}

bool heed__net_is_public(const struct sockaddr *address) {
    if (address->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, address, sizeof in);
        return is_public4((const unsigned char *)&in.sin_addr);
    }
    if (address->sa_family != AF_INET6) return false;
    struct sockaddr_in6 in6;
    memcpy(&in6, address, sizeof in6);
    return is_public6((const unsigned char *)&in6.sin6_addr);
}

/* -- libcurl ---------------------------------------------------------------------------------- */

static void address_text(const struct sockaddr *address, char *text, size_t size) {
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
    const char *done = NULL;
    if (address->sa_family == AF_INET) {
        memcpy(&in, address, sizeof in);
        done = inet_ntop(AF_INET, &in.sin_addr, text, (socklen_t)size);
    } else if (address->sa_family == AF_INET6) {
        memcpy(&in6, address, sizeof in6);
        done = inet_ntop(AF_INET6, &in6.sin6_addr, text, (socklen_t)size);
    }
    if (!done) heed__format(text, size, "an address of an unknown kind");
}

/* Called for every connection, those of redirects too, with the address it would go to. */
static curl_socket_t guarded_socket(void *user, curlsocktype purpose, struct curl_sockaddr *to) {
    heed_net *net = user;
    (void)purpose;
    const bool ip = to->family == AF_INET || to->family == AF_INET6;
    if (!ip || (!net->allow_private && !heed__net_is_public(&to->addr))) {
        address_text(&to->addr, net->refused, sizeof net->refused);
        return CURL_SOCKET_BAD;
    }
    return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

static int asked_to_stop(void *user, curl_off_t down_all, curl_off_t down, curl_off_t up_all,
                         curl_off_t up) {
    const heed_net *net = user;
    (void)down_all, (void)down, (void)up_all, (void)up;
    return net->stop && net->stop(net->user);
}

CURL *heed__net_new(heed_net *net, heed_error *err) {
    const char *trusted = getenv("SSL_CERT_FILE");
    CURL *curl = curl_easy_init();
    CURLcode bad = curl ? CURLE_OK : CURLE_OUT_OF_MEMORY;
#define SET(option, value)                                                                         \
    if (!bad) bad = curl_easy_setopt(curl, CURLOPT_##option, value)
    SET(PROTOCOLS_STR, "http,https");
    SET(REDIR_PROTOCOLS_STR, "http,https");
    SET(OPENSOCKETFUNCTION, guarded_socket);
    SET(OPENSOCKETDATA, net);
    SET(NOPROGRESS, 0L);
    SET(XFERINFOFUNCTION, asked_to_stop);
    SET(XFERINFODATA, net);
    SET(ERRORBUFFER, net->why);
    SET(PROXY, "");
    SET(NETRC, (long)CURL_NETRC_IGNORED);
    SET(NOSIGNAL, 1L);
    SET(QUICK_EXIT, 1L); /* a name that is still looked up does not hold up the end */
    SET(FOLLOWLOCATION, net->redirects > 0 ? 1L : 0L);
    SET(MAXREDIRS, (long)net->redirects);
    SET(UNRESTRICTED_AUTH, 0L);
    SET(CONNECTTIMEOUT_MS, (long)(net->connect_ms ? net->connect_ms : CONNECT_MS));
    SET(TIMEOUT_MS, (long)(net->whole_ms ? net->whole_ms : WHOLE_MS));
    SET(LOW_SPEED_LIMIT, (long)SLOW_BYTES);
    SET(LOW_SPEED_TIME, (long)SLOW_SECONDS);
    if (trusted && *trusted) SET(CAINFO, trusted);
    SET(USERAGENT, "heed/" HEED_VERSION);
#undef SET
    if (!bad) return curl;
    curl_easy_cleanup(curl);
    heed__error(err, HEED_ENOMEM, "out of memory for an HTTP call");
    return NULL;
}

/* Is there such a part in a parsed URL, and is it the word (NULL: any)? */
static bool has(CURLU *u, CURLUPart which, const char *word) {
    char *text = NULL;
    const bool there = curl_url_get(u, which, &text, 0) == CURLUE_OK;
    const bool same = there && (!word || strcmp(text, word) == 0);
    curl_free(text);
    return same;
}

int heed__net_url(CURL *curl, const char *url, heed_error *err) {
    CURLU *u = curl_url();
    if (!u) return heed__error(err, HEED_ENOMEM, "%s: out of memory", url);
    int status = HEED_OK;
    const CURLUcode wrong = curl_url_set(u, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME);
    if (wrong == CURLUE_OUT_OF_MEMORY)
        status = heed__error(err, HEED_ENOMEM, "%s: out of memory", url);
    else if (wrong)
        status = heed__error(err, HEED_EINVALID, "%s: is no address: %s", url,
                             curl_url_strerror(wrong));
    else if (!has(u, CURLUPART_SCHEME, "http") && !has(u, CURLUPART_SCHEME, "https"))
        status = heed__error(err, HEED_EINVALID, "%s: is neither http nor https", url);
    else if (has(u, CURLUPART_USER, NULL) || has(u, CURLUPART_PASSWORD, NULL))
        status = heed__error(err, HEED_EINVALID, "an address with a name or password in it");
    curl_url_cleanup(u);
    if (!status && curl_easy_setopt(curl, CURLOPT_URL, url) != CURLE_OK)
        status = heed__error(err, HEED_ENOMEM, "%s: out of memory", url);
    return status;
}

int heed__net_error(const heed_net *net, CURLcode code, const char *url, heed_error *err) {
    switch (code) {
    case CURLE_ABORTED_BY_CALLBACK:
        return heed__error(err, HEED_ECANCELLED, "%s: stopped", url);
    case CURLE_OUT_OF_MEMORY:
        return heed__error(err, HEED_ENOMEM, "%s: out of memory", url);
    case CURLE_TOO_MANY_REDIRECTS:
        return heed__error(err, HEED_EINVALID, "%s: more than %d redirects", url, net->redirects);
    case CURLE_UNSUPPORTED_PROTOCOL:
        return heed__error(err, HEED_EINVALID,
                           "%s: leads to what is neither http nor https, or answers so", url);
    case CURLE_COULDNT_CONNECT:
        if (net->refused[0])
            return heed__error(err, HEED_EINVALID,
                               "%s: leads to %s, which is not of the public internet; "
                               "'allow_private' lets it through",
                               url, net->refused);
        break;
    default:
        break;
    }
    return heed__error(err, HEED_EIO, "%s: %s", url,
                       net->why[0] ? net->why : curl_easy_strerror(code));
}
