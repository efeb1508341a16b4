/* rank.h: the function heed_rank(fts) of FTS5: BM25 (Robertson and others 1994; k1 1.2, b 0.75, a
 * title's words twice), negative, as FTS5's own bm25, but for words that are in very many texts:
 * how many these are is judged from the oldest of them, so that a question costs the same however
 * large the store is. Same bits on every machine. */
#ifndef HEED_STORE_RANK_H
#define HEED_STORE_RANK_H

#include <sqlite3.h>

int heed__rank_register(fts5_api *api); /* a code of SQLite */

#endif
