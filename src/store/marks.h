/* marks.h: the function marks(fts) of FTS5: where a hit is in its text, as JSON spans. */
#ifndef HEED_STORE_MARKS_H
#define HEED_STORE_MARKS_H

#include <sqlite3.h>

/* marks(fts): [{"text":..,"hit":bool}...]: the part of title or text with the most hits, cut to
 * some 200 bytes at words, "…" where something was left out. A code of SQLite. */
int heed__marks_register(fts5_api *api);

#endif
