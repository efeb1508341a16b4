/* serve_tools.h: `heed serve` as a program of its own, for tests that ask it over a real socket. */
#ifndef HEED_TESTS_SERVE_TOOLS_H
#define HEED_TESTS_SERVE_TOOLS_H

#include "cmocka_all.h"

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

typedef struct served {
    char dir[64]; /* of its own; flow.yaml and heed.db are there */
    pid_t pid;
    int port;
    long file_most; /* bytes of a file that it may write; 0: any number */
    int out;
} served;

/* A folder with this flow.yaml, in which @ is the project's folder. */
void served_make(served *s, const char *flow);
void served_flow(served *s, const char *flow); /* another flow.yaml */
void served_start(served *s);                  /* returns when /ready says so */
void served_kill(served *s, int signal);       /* and waits for its end */
int served_stop(served *s);                    /* SIGTERM; the exit status */
void served_remove(served *s);                 /* kills it if it runs; the folder goes */

/* The whole answer of one request; its status, 0 where there is none. *tree (may be NULL) gets the
 * body as JSON, the caller's, or NULL. */
int served_ask(const served *s, const char *method, const char *path, const char *body,
               json_t **tree);
/* The same, of which the status must be this. */
json_t *served_get(const served *s, const char *path);
json_t *served_post(const served *s, const char *path, const char *body);
/* Asks for what has no end; a connection, to be closed. */
int served_listen(const served *s, const char *path);
/* What comes on it up to `until` at least, as text to be freed; fails where that does not come. */
char *served_hear(int fd, const char *until);
/* Waits until so many entries are decided. */
void served_decided(const served *s, json_int_t seq);

json_int_t int_at(const json_t *tree, const char *name);
const char *text_at(const json_t *tree, const char *name);
double real_at(const json_t *tree, const char *name);

#endif
