/* server.h: a web server for tests, a thread a connection, that answers as a function says: whole
 * answers byte by byte, so that slow, cut and lying ones can be given too. */
#ifndef HEED_TESTS_FLOW_SERVER_H
#define HEED_TESTS_FLOW_SERVER_H

#include <stdbool.h>
#include <stddef.h>

typedef struct server server;

/* Writes an answer to fd. path: "/feed"; request: the head, zero-terminated; nth: how often this
 * path was asked for before. */
typedef void (*server_fn)(int fd, const char *path, const char *request, int nth);

server *server_start(server_fn fn);
int server_port(const server *s);
int server_count(server *s, const char *path); /* requests for it so far */
void server_stop(server *s);

/* Writes head (status line and headers without the last empty line) and body with its length. */
void server_answer(int fd, const char *head, const void *body, size_t size);
bool server_header(const char *request, const char *name, char *value, size_t size);

#endif
