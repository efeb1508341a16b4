/* flow_decode.h: how flow.yaml becomes the structs of flow.h: one table per struct says of every
 * key its type, its place in the struct, its bounds, its usual value and one sentence of what it is
 * for. Reading, messages, the JSON schema and the check of the documentation all follow from these
 * tables (flow_tables.c): a new key is a line there and a field in flow.h. */
#ifndef HEED_FLOW_FLOW_DECODE_H
#define HEED_FLOW_FLOW_DECODE_H

#include "flow/flow.h"
#include "flow/yaml.h"

typedef enum flow_type {
    FLOW_TEXT,     /* const char * */
    FLOW_PATH,     /* const char *: where relative, beside the flow file */
    FLOW_BOOL,     /* bool */
    FLOW_SWITCH,   /* bool: the second of two choices is true */
    FLOW_INT,      /* int64_t */
    FLOW_SEED,     /* uint64_t */
    FLOW_NUMBER,   /* double */
    FLOW_TIME,     /* int64_t ms: "500ms", "10m", "1h30m", "7d" */
    FLOW_SIZE,     /* size_t: "8MB", "512KiB" */
    FLOW_RATE,     /* double a second: "20/s", "5/m", "1/h" */
    FLOW_PER_HOUR, /* int64_t an hour, written the same way */
    FLOW_TEXTS,    /* const char *const * and how many: a list, or one alone */
    FLOW_WHEN,     /* heed_condition * and how many: a mapping of analyses to labels */
    FLOW_PART,     /* bool, and the keys of `of` within the same struct: true or a mapping */
    FLOW_ONE,      /* pointer to a struct that `of` describes */
    FLOW_NAMED     /* array of structs that `of` describes and how many: name to mapping */
} flow_type;

typedef struct flow_struct flow_struct;

typedef struct flow_field {
    const char *key;
    flow_type type;
    size_t at, len_at;  /* offsets in the struct; len_at of lists */
    const char *usual;  /* as it would be written; NULL: zero */
    double least, most; /* of numbers, times (ms), sizes, rates; both 0: none */
    const char *choice; /* "a b c": one of these; NULL: any */
    const char *kinds;  /* "csv feed": of use to these kinds alone; NULL: to all */
    const char *needs;  /* kinds that cannot be without; "*": all */
    const char *refers; /* names of "sources", "analyses", "rules" or "sinks"; "keys": analyses,
                           source or user */
    char look;          /* of paths: 'f' a file, 'd' a folder, 'e' either must be there */
    const flow_struct *of;
    const char *says;
} flow_field;

struct flow_struct {
    const char *what; /* "a source" */
    size_t size;
    size_t name_at, line_at;
    bool has_name, has_line; /* whether the struct has them */
    const flow_field *field; /* ends with key NULL */
};

extern const flow_struct flow_top, flow_condition;

/* Is word one of the words of a list with spaces between? */
bool flow__has_word(const char *words, const char *word);

/* What was found wrong, in the order in which it was found. */
typedef struct flow_note {
    int line, column;
    const char *text;
} flow_note;

typedef struct flow_reader {
    const char *name;   /* of the file, as messages say it */
    const char *folder; /* where relative paths begin, with its '/'; "" the current one */
    heed_arena arena;   /* of the flow */
    heed_hooks hooks;
    bool no_look;    /* paths are not looked at */
    bool no_memory;  /* what was made is not whole */
    flow_note *note; /* [notes] in the arena */
    int64_t notes, cap;
} flow_reader;

enum { FLOW_NOTES = 50 };

void flow__note(flow_reader *r, int line, int column, const char *format, ...) HEED_PRINTF(4, 5);
/* "; did you mean 'sources'?" or "" for a word and those that would do, with spaces between. */
const char *flow__meant(const char *word, const char *words, char *room, size_t size);
/* Memory of the flow, zeroed; NULL: r->no_memory is set. */
void *flow__take(flow_reader *r, int64_t count, size_t size);
/* Reads a mapping into the struct at `to`; what is wrong goes to r's notes. */
void flow__decode(flow_reader *r, const flow_struct *s, const heed_yaml *map, void *to);
/* Names that are used and not defined, and what else has to fit together. */
void flow__check(flow_reader *r, const heed_yaml *root, heed_flow *flow);

/* The words of values: what heed_flow_open takes for a time, a size, a rate. False: none. */
bool flow__time(const char *text, int64_t *ms);
bool flow__size(const char *text, double *bytes);
bool flow__rate(const char *text, double *a_second);

#endif
