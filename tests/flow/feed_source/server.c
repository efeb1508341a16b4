/* server.c: a web server for tests. */
#include "server.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/thread.h"

enum { PATHS = 64, CONNECTIONS = 512 };

typedef struct connection {
    server *s;
    int fd;
    heed_thread *thread;
} connection;

struct server {
    int fd, port;
    server_fn fn;
    bool stop;
    heed_lock *lock;
    heed_thread *thread;
    char path[PATHS][64];
    int count[PATHS], paths;
    connection all[CONNECTIONS];
    int connections;
};

static int *counter(server *s, const char *path) {
    for (int i = 0; i < s->paths; i++)
        if (strcmp(s->path[i], path) == 0) return &s->count[i];
    if (s->paths == PATHS) return &s->count[PATHS - 1];
    snprintf(s->path[s->paths], sizeof s->path[0], "%s", path);
    return &s->count[s->paths++];
}

static void serve(void *arg) {
    connection *c = arg;
    char request[8192], path[64] = "";
    size_t len = 0;
    while (len < sizeof request - 1) {
        const ssize_t n = read(c->fd, request + len, sizeof request - 1 - len);
        if (n <= 0) break;
        len += (size_t)n;
        request[len] = 0;
        if (strstr(request, "\r\n\r\n")) break;
    }
    request[len] = 0;
    if (sscanf(request, "GET %63s", path) == 1) {
        heed__lock_enter(c->s->lock);
        const int nth = (*counter(c->s, path))++;
        heed__lock_leave(c->s->lock);
        c->s->fn(c->fd, path, request, nth);
    }
    shutdown(c->fd, SHUT_RDWR);
    close(c->fd);
}

static void accept_all(void *arg) {
    server *s = arg;
    for (;;) {
        struct pollfd p = { .fd = s->fd, .events = POLLIN };
        poll(&p, 1, 50);
        heed__lock_enter(s->lock);
        const bool stop = s->stop || s->connections == CONNECTIONS;
        heed__lock_leave(s->lock);
        if (stop) return;
        if (!(p.revents & POLLIN)) continue;
        connection *c = &s->all[s->connections];
        *c = (connection){ .s = s, .fd = accept(s->fd, NULL, NULL) };
        if (c->fd < 0) continue;
        c->thread = heed__thread_start(NULL, "serve", serve, c, NULL);
        s->connections++;
    }
}

server *server_start(server_fn fn) {
    server *s = calloc(1, sizeof *s);
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof to;
    s->fn = fn;
    s->lock = heed__lock_new(NULL, NULL);
    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(s->fd, (struct sockaddr *)&to, sizeof to) != 0 || listen(s->fd, 64) != 0) abort();
    getsockname(s->fd, (struct sockaddr *)&to, &size);
    s->port = ntohs(to.sin_port);
    s->thread = heed__thread_start(NULL, "server", accept_all, s, NULL);
    return s;
}

int server_port(const server *s) {
    return s->port;
}

int server_count(server *s, const char *path) {
    heed__lock_enter(s->lock);
    const int n = *counter(s, path);
    heed__lock_leave(s->lock);
    return n;
}

void server_stop(server *s) {
    heed__lock_enter(s->lock);
    s->stop = true;
    heed__lock_leave(s->lock);
    heed__thread_join(s->thread);
    for (int i = 0; i < s->connections; i++) {
        shutdown(s->all[i].fd, SHUT_RDWR);
        heed__thread_join(s->all[i].thread);
    }
    close(s->fd);
    heed__lock_free(s->lock);
    free(s);
}

static void put(int fd, const char *bytes, size_t size) {
    while (size > 0) {
        const ssize_t n = send(fd, bytes, size, MSG_NOSIGNAL);
        if (n <= 0) return;
        bytes += n;
        size -= (size_t)n;
    }
}

void server_answer(int fd, const char *head, const void *body, size_t size) {
    char text[2048];
    const int n = snprintf(text, sizeof text,
                           "%s\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n", head, size);
    put(fd, text, (size_t)n);
    put(fd, body, size);
}

bool server_header(const char *request, const char *name, char *value, size_t size) {
    const size_t n = strlen(name);
    for (const char *line = request; line; line = strstr(line, "\r\n")) {
        if (line != request) line += 2;
        if (strncasecmp(line, name, n) != 0 || line[n] != ':') continue;
        const char *from = line + n + 1 + strspn(line + n + 1, " ");
        snprintf(value, size, "%.*s", (int)strcspn(from, "\r"), from);
        return true;
    }
    return false;
}
