/* filter.h: the restrictions of a heed_look as SQL. */
#ifndef HEED_STORE_FILTER_H
#define HEED_STORE_FILTER_H

#include "store/db.h"
#include "store/look.h"

enum { HEED_FILTER_FREE = 12 }; /* the first number of a parameter that is the caller's */

typedef struct heed_filter {
    const heed_look *look;
    const heed_hooks *hooks;
    char *query;       /* of FTS5; NULL: none */
    bool any;          /* words: one is enough */
    bool best;         /* the best by BM25 first, instead of the newest; columns are of w alone */
    int64_t after;     /* seq: only newer ones; 0: all */
    const char *joins; /* further tables; NULL: none */
    const char *tail;  /* instead of an order; NULL: as the look says */
} heed_filter;

/* any: one of the words is enough. 0 or a status. */
int heed__filter_make(heed_filter *f, const heed_hooks *hooks, const heed_look *look, bool any,
                      heed_error *err);
void heed__filter_free(heed_filter *f);
int64_t heed__look_most(const heed_look *look);

/* SELECT columns FROM entry e JOIN ... WHERE ... ORDER BY, bound; tables: e (entry), w (words,
 * where there is a query), f (finding, where there is a label), d (decided, where it is needed).
 * Ordered as the look says. NULL and *err. */
sqlite3_stmt *heed__filter_sql(const heed_filter *f, heed_db *db, const char *columns,
                               heed_error *err);
/* The same of one event: a row where it passes all but the words. */
int heed__filter_passes(const heed_filter *f, heed_db *db, int64_t seq, heed_error *err);

#endif
