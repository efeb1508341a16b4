/* source_record.h: which column of a table, or key of a JSON object, is what of an event: as the
 * source's settings say, else by well-known names. What is nothing else goes into the event's
 * fields. */
#ifndef HEED_FLOW_SOURCE_RECORD_H
#define HEED_FLOW_SOURCE_RECORD_H

#include "flow/source_impl.h"

typedef enum heed_role {
    HEED_ROLE_TEXT,
    HEED_ROLE_TITLE,
    HEED_ROLE_ID,
    HEED_ROLE_TIME,
    HEED_ROLE_USER,
    HEED_ROLE_SESSION,
    HEED_ROLE_URL,
    HEED_ROLE_LABEL,
    HEED_ROLES
} heed_role;

/* The columns of a table. */
typedef struct heed_columns_of {
    char **name; /* [len]; NULL: no header, the settings name columns by their numbers, from 1 */
    int64_t len;
    int64_t role[HEED_ROLES]; /* the column it stands in; -1: none */
} heed_columns_of;

/* What the fields of the first record make: c->role, and whether they are a header. 0, or
 * HEED_ENOTFOUND names a column that the settings name and the header has not. */
int heed__record_roles(const heed_source_cfg *cfg, char *const *field, heed_columns_of *c,
                       bool *header, heed_error *err);

/* Adds an event from the values [c->len] of a table's record. own: the id where the record has
 * none. 0; HEED_EFORMAT: no text in it; HEED_ENOMEM. The batch must have room. */
int heed__record_add(heed_source *s, const heed_columns_of *c, char *const *value, const char *own,
                     heed_error *err);

/* The same from a line that is one JSON object. HEED_EFORMAT: it is none. */
int heed__record_json(heed_source *s, const char *line, size_t size, const char *own,
                      heed_error *err);

/* The same from a line that is text. */
int heed__record_text(heed_source *s, const char *line, size_t size, const char *own,
                      heed_error *err);

/* A line as cfg->format says, else by its look: one that begins with { and is a JSON object is one.
 * What is wrong with a line is told, and the line passed over. 0 or HEED_ENOMEM. */
int heed__record_line(heed_source *s, const char *line, size_t size, const char *own,
                      heed_error *err);

#endif
