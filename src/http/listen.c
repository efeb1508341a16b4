/* listen.c: an address as text, and a socket that listens there and nowhere else. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/text.h"
#include "http/server.h"

enum { BACKLOG = 4096 };

typedef union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
} address;

static int wrong(heed_error *err, const char *listen) {
    return heed__error(err, HEED_EINVALID,
                       "'%s' is no address to listen on: 127.0.0.1:8080, [::1]:8080, 0.0.0.0:8080",
                       listen);
}

static int parse_address(const char *listen, address *to, socklen_t *size, heed_error *err) {
    const char *colon = strrchr(listen, ':');
    char host[64];
    int64_t port;
    if (!colon || !heed__parse_int(colon + 1, strlen(colon + 1), &port) || port < 0 || port > 65535)
        return wrong(err, listen);
    const bool brackets = listen[0] == '[' && colon > listen && colon[-1] == ']';
    const size_t len = (size_t)(colon - listen) - (brackets ? 2 : 0);
    if (len >= sizeof host) return wrong(err, listen);
    memcpy(host, listen + brackets, len);
    host[len] = 0;
    memset(to, 0, sizeof *to);
    if (brackets) {
        to->v6.sin6_family = AF_INET6;
        to->v6.sin6_port = htons((uint16_t)port);
        *size = sizeof to->v6;
        return inet_pton(AF_INET6, host, &to->v6.sin6_addr) == 1 ? HEED_OK : wrong(err, listen);
    }
    to->v4.sin_family = AF_INET;
    to->v4.sin_port = htons((uint16_t)port);
    *size = sizeof to->v4;
    if (strcmp(host, "localhost") == 0) memcpy(host, "127.0.0.1", sizeof "127.0.0.1");
    return inet_pton(AF_INET, host, &to->v4.sin_addr) == 1 ? HEED_OK : wrong(err, listen);
}

static bool is_loopback(const address *a) {
    if (a->any.sa_family == AF_INET6) return IN6_IS_ADDR_LOOPBACK(&a->v6.sin6_addr);
    return ntohl(a->v4.sin_addr.s_addr) >> 24 == 127;
}

static int system_error(heed_error *err, const char *listen) {
    return heed__error(err, HEED_EIO, "%s: cannot listen: %s", listen, heed__errno_text(errno));
}

int heed__listen(const char *listen_at, int *port, bool *loopback, heed_error *err) {
    address a;
    socklen_t size;
    const int one = 1;
    const int status = parse_address(listen_at, &a, &size, err);
    if (status) return status;
    *loopback = is_loopback(&a);
    const int fd = socket(a.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return system_error(err, listen_at);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (a.any.sa_family == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
    if (bind(fd, &a.any, size) != 0 || listen(fd, BACKLOG) != 0 ||
        getsockname(fd, &a.any, &size) != 0) {
        const int code = system_error(err, listen_at);
        close(fd);
        return code;
    }
    *port = ntohs(a.any.sa_family == AF_INET6 ? a.v6.sin6_port : a.v4.sin_port);
    return fd;
}
