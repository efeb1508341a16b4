#include "flow/sink/receiver.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MOST = 1 << 16, HUNG = 64 };

struct receiver {
    int socket, port, wake[2];
    receiver_answer answer;
    pthread_t thread;
    pthread_mutex_t lock;
    received got[RECEIVED_MOST];
    int count;
    int hung[HUNG], hangs;
};

static void handle(receiver *r, int fd) {
    char *text = calloc(1, MOST);
    size_t len = 0, want = 0;
    char *body = NULL;
    while (len < MOST - 1 && (!body || len < want)) {
        const ssize_t n = recv(fd, text + len, MOST - 1 - len, 0);
        if (n <= 0) break;
        len += (size_t)n;
        text[len] = 0;
        if (!body && (body = strstr(text, "\r\n\r\n")) != NULL) {
            body += 4;
            const char *length = strcasestr(text, "content-length:");
            want = (size_t)(body - text) + (length ? (size_t)atol(length + 15) : 0);
        }
    }
    if (!body) {
        free(text);
        close(fd);
        return;
    }
    pthread_mutex_lock(&r->lock);
    const int count = r->count;
    const received one = { text, body };
    if (count < RECEIVED_MOST) r->got[count] = one;
    pthread_mutex_unlock(&r->lock);
    const char *answer = r->answer(count, &one);
    pthread_mutex_lock(&r->lock);
    if (count < RECEIVED_MOST)
        r->count++;
    else
        free(text);
    pthread_mutex_unlock(&r->lock);
    if (answer) (void)!send(fd, answer, strlen(answer), MSG_NOSIGNAL);
    if (answer || r->hangs == HUNG)
        close(fd);
    else
        r->hung[r->hangs++] = fd;
}

static void *run(void *arg) {
    receiver *r = arg;
    struct pollfd p[2] = { { .fd = r->socket, .events = POLLIN },
                           { .fd = r->wake[0], .events = POLLIN } };
    while (poll(p, 2, -1) > 0 && !p[1].revents) {
        const int fd = accept4(r->socket, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0) handle(r, fd);
    }
    return NULL;
}

/* A socket that has the port, and any where it is 0; -1 where it is in use. */
static int bound(int *port) {
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)*port) };
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    const int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&at, sizeof at) != 0 ||
        getsockname(fd, (struct sockaddr *)&at, &size) != 0) {
        close(fd);
        return -1;
    }
    *port = ntohs(at.sin_port);
    return fd;
}

int receiver_keep(int *port) {
    *port = 0;
    return bound(port);
}

receiver *receiver_start(int port, receiver_answer answer) {
    receiver *r = calloc(1, sizeof *r);
    r->answer = answer;
    r->socket = bound(&port);
    if (r->socket < 0 || listen(r->socket, 64) != 0 || pipe(r->wake) != 0) {
        close(r->socket);
        free(r);
        return NULL;
    }
    r->port = port;
    pthread_mutex_init(&r->lock, NULL);
    pthread_create(&r->thread, NULL, run, r);
    return r;
}

int receiver_port(const receiver *r) {
    return r->port;
}

int receiver_count(receiver *r) {
    pthread_mutex_lock(&r->lock);
    const int count = r->count;
    pthread_mutex_unlock(&r->lock);
    return count;
}

const received *receiver_at(receiver *r, int i) {
    return &r->got[i];
}

bool receiver_header(const received *r, const char *name, char *value, size_t size) {
    const size_t len = strlen(name);
    for (const char *line = strstr(r->text, "\r\n"); line && line + 2 < r->body - 2;
         line = strstr(line + 2, "\r\n")) {
        if (strncasecmp(line + 2, name, len) != 0 || line[2 + len] != ':') continue;
        const char *from = line + 3 + len;
        from += strspn(from, " ");
        (void)snprintf(value, size, "%.*s", (int)strcspn(from, "\r"), from);
        return true;
    }
    return false;
}

int receiver_wait(receiver *r, int n) {
    for (int i = 0; i < 2000 && receiver_count(r) < n; i++) usleep(10000);
    return receiver_count(r);
}

void receiver_stop(receiver *r) {
    (void)!write(r->wake[1], "x", 1);
    pthread_join(r->thread, NULL);
    close(r->socket);
    close(r->wake[0]);
    close(r->wake[1]);
    for (int i = 0; i < r->hangs; i++) close(r->hung[i]);
    for (int i = 0; i < r->count; i++) free(r->got[i].text);
    pthread_mutex_destroy(&r->lock);
    free(r);
}
