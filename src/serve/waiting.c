/* waiting.c: stands for what is built beside this and is not there yet, each until its own comes:
 * every function here is weak and says so. */
#include "serve/route.h"

#define WEAK __attribute__((weak))

WEAK void heed__route_chat(void *server, heed_request *rq) {
    (void)server;
    heed_reply_problem(rq, 501, "the desk is not there yet");
}
