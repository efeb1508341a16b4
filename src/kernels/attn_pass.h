/* attn_pass.h: the passes of fused attention as their drivers see them. attn.c (forward),
 * attn_grad.c (backward) and attn_weights.c (taps) cut the work, say who sees whom, pack what all
 * need and store what comes out; how keys, values and queries are packed for the products, and the
 * products of a tile, are a form: attn_f32.c and attn_bf16.c, attn_bf16_grad.c. */
#ifndef HEED_KERNELS_ATTN_PASS_H
#define HEED_KERNELS_ATTN_PASS_H

#include "kernels/attn_run.h"

enum {
    HEED_ATTN_QUERIES =
        96, /* that share one pass over the keys; a multiple of bf16's units of 32 */
    HEED_ATTN_GROUPS = HEED_ATTN_QUERIES / 4, /* of them, at most */
    HEED_ATTN_PAD = HEED_ATTN_GROUP,
    HEED_ATTN_LD = HEED_ATTN_BLOCK + 16, /* rows of scores */
    HEED_ATTN_GRAD_LD = HEED_ATTN_TILE + 16
};

/* -- forward, and the weights of rows that are done */

/* A worker's place: its room and what lies packed in it. */
typedef struct heed_attn_place {
    const heed_kernels *k;
    const heed_attn *a;
    const heed_attn_run *run; /* now, and its key head */
    int64_t hk;
    float *unit; /* 1/length of the run's keys */
    float *key_room, *value_room;
    const float *keys, *values; /* packed */
    bool careful;               /* a value is not finite: weights of 0 must not touch it */
    float *q, *q_unit;          /* a block of queries, scaled */
    float *o, *max, *sum, *s;
    struct {             /* of bf16 alone */
        float *key_rows; /* 16 keys divided by their length */
        float *packed_q; /* groups of them are q_step apart */
        float *packed_p;
        int64_t q_step, ldv;
        const float *value_rows; /* as they came, ldv apart */
        float least_key, least_value, least_q;
    } bf16;
} heed_attn_place;

/* Queries n from t on of head h into q, scaled and, for cosine, divided by their length; rows of
 * zeros after them. */
void heed__attn_pack_queries(const heed_attn_place *c, int64_t h, int64_t t, int64_t n);

/* -- backward */

/* A block of keys. */
typedef struct heed_attn_keys {
    int64_t first, n; /* counted from the run's first one */
    bool careful;     /* a key is not finite */
    bool steep;       /* a value is none or huge: dy·v may be no number */
    float least_key, least_value;
} heed_attn_keys;

/* A block of queries. */
typedef struct heed_attn_queries {
    int64_t t, n, groups;
    int64_t from[HEED_ATTN_GROUPS], to[HEED_ATTN_GROUPS]; /* keys of the block that each sees */
    bool careful;                                         /* a query is not finite */
    float least_q, least_dy, least_ds;
} heed_attn_queries;

/* A worker's place. across: as [width, keys] with rows HEED_ATTN_GRAD_LD apart. */
typedef struct heed_attn_grad_place {
    const heed_kernels *k;
    const heed_attn *a;
    const heed_attn_run *run; /* now, its head and key head */
    int64_t h, hk;
    bool whole; /* a dy is not finite: dk and dv are gathered over all of a block, 0·dy too */
    bool steep; /* a dy is none or huge: dy·v may be no number */
    float *key_rows, *unit;          /* one block of keys */
    float *keys, *values;            /* packed */
    float *dk, *dv;                  /* of it: rows of keys, or across */
    float *q, *q_unit, *dy;          /* one block of queries; dy not in bf16 */
    float *p, *ds, *cap;             /* [queries, HEED_ATTN_GRAD_LD] */
    float *dq, *delta, *work;        /* the whole head */
    struct {                         /* of bf16 alone */
        float *key_cols;             /* packed [keys, D] */
        float *packed_q, *packed_dy; /* groups of queries, q_step and dy_step apart */
        float *q_across, *dy_across; /* [D, queries], [Dv, queries], packed */
        float *packed_p, *packed_ds; /* [queries, keys] and one group's, packed */
        float *panels;               /* dk or dv as panels [width/16][keys][16] */
        int64_t q_step, dy_step;
    } bf16;
} heed_attn_grad_place;

/* -- what differs */

typedef struct heed_attn_form {
    int64_t (*group)(const heed_kernels *k); /* queries of a tile */
    void (*begin)(const heed_kernels *k);    /* around a worker's work, or NULL */
    void (*end)(const heed_kernels *k);
    /* Carves key_room for `keys`, and where values are wanted value_room and what tiles need. */
    void (*room)(heed_attn_place *c, char *base, int64_t *at, bool values);
    void (*pack_keys)(heed_attn_place *c);
    void (*pack_values)(heed_attn_place *c);
    void (*pack_queries)(heed_attn_place *c, int64_t n); /* n of q; NULL: they are read there */
    /* Rows, the block's from the i-th on, against the block of keys from `key` on. */
    void (*tile)(const heed_attn_place *c, const heed_attn_rows *r, int64_t i, int64_t key);
    /* The weights of the block's first rows into p [rows, ld]. */
    void (*weights)(const heed_attn_place *c, const heed_attn_rows *r, int64_t key,
                    const float *lse, float *p);

    /* backward */
    bool across;                                   /* dk and dv gather so */
    int64_t gather_unit;                           /* and over so many queries at least */
    int64_t (*gather_keys)(const heed_kernels *k); /* keys whose dk and dv gather together */
    float (*dot)(const heed_kernels *k, const float *x, const float *y, int64_t n);
    void (*grad_room)(heed_attn_grad_place *c, char *base, int64_t *at);
    void (*grad_keys)(const heed_attn_grad_place *c, heed_attn_keys *keys);
    void (*grad_queries)(const heed_attn_grad_place *c, heed_attn_queries *q);
    void (*grad_tile)(const heed_attn_grad_place *c, const heed_attn_keys *keys,
                      heed_attn_queries *q, int64_t g, const heed_attn_rows *r,
                      const heed_attn_grad *grad);
    /* dk and dv of `width` keys from the j-th on += those of queries rows[0]..rows[1]-1 */
    void (*gather)(const heed_attn_grad_place *c, const heed_attn_queries *q, int64_t j,
                   int64_t width, const int64_t rows[2]);
} heed_attn_form;

extern const heed_attn_form heed__attn_f32, heed__attn_bf16;

static inline const heed_attn_form *heed__attn_form(const heed_attn *a) {
    return a->bf16 ? &heed__attn_bf16 : &heed__attn_f32;
}

/* Clears dq, fills delta by the form's dot (the one that its products go by, so that what should
 * cancel does), sets `whole` and `steep`, and adds the head's part to the sinks' gradient. */
void heed__attn_head_start(heed_attn_grad_place *c);
/* dq into the caller's gradients of queries and of the head's scale, where they are wanted. */
void heed__attn_head_store(const heed_attn_grad_place *c);

#endif
