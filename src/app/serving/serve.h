/* serve.h: the program's part that serves: `heed serve`, `db`, `forget`, `key`, `chat`,
 * `report`. It
 * stands in a library of its own, libheed-serve.so, which `heed` loads for these commands alone, so
 * that all others start without SQLite, libcurl and the rest. */
#ifndef HEED_APP_SERVING_SERVE_H
#define HEED_APP_SERVING_SERVE_H

#include "heed/base.h"

/* Runs the command argv[0] with the arguments after it; the exit status. */
HEED_API int heed_serve_main(int argc, char **argv);

int serve_flow(int argc, char **argv);   /* serve */
int serve_db(int argc, char **argv);     /* db check|backup|query|vacuum|replay */
int serve_forget(int argc, char **argv); /* forget USER */
int serve_key(int argc, char **argv);    /* key add|remove|list */
int serve_chat(int argc, char **argv);   /* chat */
int serve_report(int argc, char **argv); /* report */
int serve_bench(int argc, char **argv);  /* bench serve */
int serve_import(int argc, char **argv); /* import dialogues */

#endif
