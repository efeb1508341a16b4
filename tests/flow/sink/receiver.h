/* receiver.h: a webhook's other end: a small HTTP server of one thread that writes down what it is
 * asked and answers as it is told. */
#ifndef HEED_TESTS_FLOW_RECEIVER_H
#define HEED_TESTS_FLOW_RECEIVER_H

#include <stdbool.h>
#include <stddef.h>

enum { RECEIVED_MOST = 256 };

typedef struct received {
    char *text;       /* head and body */
    const char *body; /* in it */
} received;

typedef struct receiver receiver;

/* What is sent back for the count-th request (0 first); NULL: nothing, ever. */
typedef const char *(*receiver_answer)(int count, const received *r);

/* port 0: any; from 127.0.0.1 alone. NULL where the port is in use. */
receiver *receiver_start(int port, receiver_answer answer);
/* A port at which nobody listens and which no other program is given: its socket, to be closed once
 * a receiver has it. */
int receiver_keep(int *port);
int receiver_port(const receiver *r);
int receiver_count(receiver *r);
const received *receiver_at(receiver *r, int i);
/* A header's value, copied to value; false: it is not there. */
bool receiver_header(const received *r, const char *name, char *value, size_t size);
/* Waits until n requests came, at most 20 s; how many there are. */
int receiver_wait(receiver *r, int n);
void receiver_stop(receiver *r);

#endif
