/* route.h: a request's target taken apart and matched with the table of routes. Pure: no socket, no
 * clock, so that it can be tried with any bytes. */
#ifndef HEED_HTTP_ROUTE_H
#define HEED_HTTP_ROUTE_H

#include "http/http.h"

enum { HEED_PARTS = 8, HEED_QUERIES = 24 };

typedef struct heed_part {
    const char *name, *value;
    size_t name_size, value_size; /* not cut yet */
} heed_part;

typedef struct heed_pair {
    const char *name, *value;
} heed_pair;

/* The target of a request, "/v1/events/7?most=5", and what it says. */
typedef struct heed_target {
    char *path; /* decoded; segments are those of the undecoded path */
    char *text; /* memory of all that follows */
    heed_part part[HEED_PARTS];
    heed_pair query[HEED_QUERIES];
    int parts, queries;
    const char *authority; /* of "http://host/path"; NULL: it came as a path */
    size_t authority_size;
    const char *problem; /* why it is refused; NULL: it is not */
    bool nowhere; /* well-formed, but no route can have this path: '..', a control character */
} heed_target;

/* Decodes in place: %41 becomes A and, where plus is set, + a space. False: a '%' without two
 * digits, a 0 byte, a control character, or what is not UTF-8. */
bool heed__decode(char *text, bool plus);

/* Takes apart a copy of `target`, in memory of 2 * strlen(target) + 2 bytes at text. False, and
 * t->problem: the target of no request. */
bool heed__target_parse(heed_target *t, const char *target, char *text);
/* Whether the path is that of the route; t->part then holds its parts as they came. */
bool heed__target_match(heed_target *t, const heed_route *route);
/* After the match that counts: the parts cut and decoded. False: one of them cannot be. */
bool heed__target_bind(heed_target *t);
/* Whether a path of the table is one that heed__target_match can read. */
bool heed__route_valid(const heed_route *route);

#endif
