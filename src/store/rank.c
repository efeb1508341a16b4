/* rank.c: BM25 whose counts of common words are estimates. */
#include "store/rank.h"

#include <string.h>

#include "base/elementary.h"

enum { COUNTED = 20000 }; /* rows of a phrase that are counted one by one */
static const double K1 = 1.2, B = 0.75, WEIGHT[] = { 2, 1 }; /* title, text */

/* What a question needs of all texts. */
typedef struct ranking {
    int phrases;
    double mean_size;
    double *idf, *found; /* [phrases]; found: in the text at hand, weighted */
} ranking;

/* Rows of one phrase, in rising order. */
typedef struct counter {
    sqlite3_int64 n, first, last;
} counter;

static int count(const Fts5ExtensionApi *api, Fts5Context *fts, void *user) {
    counter *c = user;
    c->last = api->xRowid(fts);
    if (c->n++ == 0) c->first = c->last;
    return c->n < COUNTED ? SQLITE_OK : SQLITE_DONE;
}

/* ln((rows - n + 1/2) / (n + 1/2)), at least a little. */
static double idf_of(const counter *c, sqlite3_int64 rows) {
    double n = (double)c->n;
    if (c->n >= COUNTED) n *= (double)rows / (double)(c->last - c->first + 1);
    if (n > (double)rows) n = (double)rows;
    const double idf = heed__ln(((double)rows - n + 0.5) / (n + 0.5));
    return idf > 1e-6 ? idf : 1e-6;
}

static int prepare(const Fts5ExtensionApi *api, Fts5Context *fts, ranking **made) {
    const int phrases = api->xPhraseCount(fts);
    sqlite3_int64 rows = 0, words = 0;
    ranking *r = sqlite3_malloc64(sizeof *r + 2 * (size_t)phrases * sizeof(double));
    if (!r) return SQLITE_NOMEM;
    memset(r, 0, sizeof *r + 2 * (size_t)phrases * sizeof(double));
    r->phrases = phrases;
    r->idf = (double *)(r + 1);
    r->found = r->idf + phrases;
    int code = api->xRowCount(fts, &rows);
    if (code == SQLITE_OK) code = api->xColumnTotalSize(fts, -1, &words);
    if (code == SQLITE_OK) r->mean_size = (double)words / (double)rows;
    for (int i = 0; i < phrases && code == SQLITE_OK; i++) {
        counter c = { 0, 0, 0 };
        code = api->xQueryPhrase(fts, i, &c, count);
        r->idf[i] = idf_of(&c, rows);
    }
    if (code == SQLITE_OK)
        code = api->xSetAuxdata(fts, r, sqlite3_free); /* frees it where it fails */
    else
        sqlite3_free(r);
    *made = r;
    return code;
}

static int score_of(const Fts5ExtensionApi *api, Fts5Context *fts, ranking *r, double *score) {
    int n = 0, size = 0;
    int code = api->xInstCount(fts, &n);
    memset(r->found, 0, (size_t)r->phrases * sizeof *r->found);
    for (int i = 0; i < n && code == SQLITE_OK; i++) {
        int phrase, column, at;
        code = api->xInst(fts, i, &phrase, &column, &at);
        if (code == SQLITE_OK && column < 2) r->found[phrase] += WEIGHT[column];
    }
    if (code == SQLITE_OK) code = api->xColumnSize(fts, -1, &size);
    const double length = K1 * (1 - B + B * (double)size / r->mean_size);
    *score = 0;
    for (int i = 0; i < r->phrases; i++)
        *score -= r->idf[i] * r->found[i] * (K1 + 1) / (r->found[i] + length);
    return code;
}

static void rank(const Fts5ExtensionApi *api, Fts5Context *fts, sqlite3_context *result, int n,
                 sqlite3_value **value) {
    (void)n, (void)value;
    ranking *r = api->xGetAuxdata(fts, 0);
    double score = 0;
    int code = r ? SQLITE_OK : prepare(api, fts, &r);
    if (code == SQLITE_OK) code = score_of(api, fts, r, &score);
    if (code == SQLITE_OK)
        sqlite3_result_double(result, score);
    else
        sqlite3_result_error_code(result, code);
}

int heed__rank_register(fts5_api *api) {
    return api->xCreateFunction(api, "heed_rank", NULL, rank, NULL);
}
