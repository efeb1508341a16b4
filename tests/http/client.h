/* client.h: a client that says exactly the bytes it is told to, for tests of the server. */
#ifndef HEED_TESTS_HTTP_CLIENT_H
#define HEED_TESTS_HTTP_CLIENT_H

#include "cmocka_all.h"

#include <stdbool.h>

#include "http/http.h"

/* Milliseconds for what must come: no test asks that it comes soon. */
enum { CLIENT_WAITS = 20000 };
/* A connection to 127.0.0.1:port. */
int client_open(int port);
void client_send(int fd, const char *text); /* fails the test where it cannot */
/* Sends until the other side refuses; how many bytes went. */
size_t client_send_all(int fd, const char *data, size_t size);
/* What comes until the other side closes or ms have passed without a byte; a text to be freed. */
char *client_read(int fd, int ms);
/* One whole answer of a connection that stays open. */
typedef struct client_answer {
    int status;
    char head[8192];
    char *body;
    size_t size;
} client_answer;
/* False: closed or nothing for ms. */
bool client_answer_read(int fd, client_answer *a, int ms);
void client_answer_free(client_answer *a);
/* Whether the other side has closed within ms. */
bool client_closed(int fd, int ms);
/* On a connection of its own, with "Host: 127.0.0.1" added; the status, 0 where there is none. */
int client_status(int port, const char *request_line_and_headers, const char *body);
/* All of an answer, as text to be freed. */
char *client_ask(int port, const char *request_line_and_headers, const char *body);

/* A server with the routes of client.c; fails the test where it does not start. */
heed_http *client_server(const heed_http_cfg *cfg);
extern const heed_route client_routes[];
extern const int client_routes_len;
extern heed_hub *client_hub; /* of GET /events; the test's */
/* GET /hold waits until let go; how many are within. */
extern _Atomic bool client_hold;
extern _Atomic int client_held;

#endif
