/* net.h: HTTP calls to addresses that other people write: feeds and webhooks. Which address a name
 * stands for is looked at when the connection is made, for every redirect again, so that no name
 * leads into this host or its private network (server-side request forgery) unless that is allowed.
 *
 *     heed_net net = { .redirects = 5 };
 *     CURL *curl = heed__net_new(&net, err);
 *     heed__net_url(curl, "https://example.org/feed", err);
 *     ... curl_easy_setopt, curl_easy_perform ...
 *     if (code) heed__net_error(&net, code, url, err);
 *     curl_easy_cleanup(curl);
 *
 * Set by heed__net_new and not to be set again: protocols (http and https), the guard, no proxy of
 * the environment, no signals, no cookies, no credentials over redirects, time limits, user agent;
 * certificates are checked, by those whom the system trusts or, where the environment's variable
 * SSL_CERT_FILE names a PEM file, by those in it.
 */
#ifndef HEED_FLOW_NET_H
#define HEED_FLOW_NET_H

#include <curl/curl.h>
#include <sys/socket.h>

#include "heed/base.h"

typedef struct heed_net {
    bool allow_private;       /* addresses that heed__net_is_public refuses, too */
    int64_t connect_ms;       /* until connected (10 s) */
    int64_t whole_ms;         /* for all of it (60 s) */
    int redirects;            /* followed; 0: none */
    bool (*stop)(void *user); /* asked about every second; true ends the call. NULL: never */
    void *user;
    char refused[64];          /* the address that the guard refused last; "" none */
    char why[CURL_ERROR_SIZE]; /* libcurl's own words for a failure */
} heed_net;

/* Can the internet reach it? False: loopback, private (RFC 1918, RFC 4193), link-local, shared
 * (RFC 6598), multicast, reserved, documentation, and all of these within IPv6 (mapped, compatible,
 * 6to4, Teredo, NAT64). */
bool heed__net_is_public(const struct sockaddr *address);

/* A handle that calls go through, for one thread at a time; net must outlive it. NULL:
 * HEED_ENOMEM. */
CURL *heed__net_new(heed_net *net, heed_error *err);
/* Where the next call goes. 0; HEED_EINVALID: not http or https, or with a name and password in
 * it. */
int heed__net_url(CURL *curl, const char *url, heed_error *err);
/* One sentence for a call that failed: "https://x/: 10.0.0.1 is an address of a private network;
 * allow_private lets it through". Returns a status: HEED_EIO, HEED_EINVALID (refused address,
 * protocol or redirect), HEED_ECANCELLED (stop). */
int heed__net_error(const heed_net *net, CURLcode code, const char *url, heed_error *err);

#endif
