/* desk_within.c: how well the desk picks among passages of which it is known which answer. */
#include <stdlib.h>
#include <string.h>

#include "io/dataset.h"
#include "serve/desk_impl.h"
#include "serve/desk_test.h"

typedef struct judged {
    double score;
    bool right;
} judged;

static int by_score(const void *a, const void *b) {
    const judged *x = a, *y = b;
    if (x->score < y->score || x->score > y->score) return x->score > y->score ? -1 : 1;
    return (int)x->right - (int)y->right; /* of equals the right one is last */
}

/* A question, whose passages are [begin,end). */
typedef struct question {
    const heed_dataset *data;
    int64_t begin, end;
} question;

/* Ranks its passages; those that the ranking leaves out come last. */
static int judge(heed_desk *d, const desk_entries *e, const question *q, heed_desk_within *to,
                 heed_error *err) {
    const heed_dataset *data = q->data;
    const int64_t begin = q->begin, end = q->end;
    const int64_t n = end - begin;
    desk_hit *hit = heed__calloc(&d->hooks, (size_t)n, sizeof *hit);
    judged *j = heed__calloc(&d->hooks, (size_t)n, sizeof *j);
    int64_t hits = hit && j ? 0 : heed__error(err, HEED_ENOMEM, "desk: out of memory");
    float *vector = d->mind.dim ? heed__calloc(&d->hooks, (size_t)d->mind.dim, sizeof *vector)
                                : NULL;
    const desk_ask ask = {
        .text = data->text[begin], .vector = vector, .begin = begin, .end = end
    };
    if (hits == 0 && d->mind.dim)
        hits = vector ? heed__mind_embed(&d->mind, 1, &data->text[begin], vector, err)
                      : heed__error(err, HEED_ENOMEM, "desk: out of memory");
    if (hits == 0) hits = heed__desk_rank_passages(d, e, &ask, hit, n, err);
    for (int64_t i = 0; hits >= 0 && i < n; i++)
        j[i] = (judged){ -1e300, strcmp(data->label[begin + i], "1") == 0 };
    for (int64_t i = 0; i < hits; i++) j[hit[i].entry - begin].score = hit[i].score;
    if (hits >= 0) {
        double precision = 0, first = 0;
        int64_t right = 0;
        qsort(j, (size_t)n, sizeof *j, by_score);
        for (int64_t i = 0; i < n; i++) {
            if (!j[i].right) continue;
            precision += (double)++right / (double)(i + 1);
            if (right == 1) first = 1 / (double)(i + 1);
        }
        to->questions += right > 0;
        to->map += right ? precision / (double)right : 0;
        to->mrr += first;
    }
    heed__free(&d->hooks, vector);
    heed__free(&d->hooks, hit);
    heed__free(&d->hooks, j);
    return hits < 0 ? (int)hits : 0;
}

static int judge_all(heed_desk *d, const heed_dataset *data, heed_desk_within *to,
                     heed_error *err) {
    desk_entries e = { .len = data->len };
    e.entry = heed__calloc(&d->hooks, (size_t)data->len, sizeof *e.entry);
    int rc = e.entry ? 0 : heed__error(err, HEED_ENOMEM, "desk: out of memory");
    for (int64_t i = 0; rc == 0 && i < e.len; i++) e.entry[i].text = data->text2[i];
    if (rc == 0) rc = heed__desk_shelve(d, &e, err);
    for (int64_t at = 0, end; rc == 0 && at < e.len; at = end) {
        for (end = at + 1; end < e.len && strcmp(data->text[end], data->text[at]) == 0;) end++;
        rc = judge(d, &e, &(question){ data, at, end }, to, err);
    }
    heed__desk_unload(&d->hooks, &e);
    if (to->questions) {
        to->map /= (double)to->questions;
        to->mrr /= (double)to->questions;
    }
    return rc;
}

int heed_desk_test_within(heed_desk *desk, const char *path, heed_desk_within *to,
                          heed_error *err) {
    heed_dataset data = { .len = 0 };
    const heed_dataset_cfg cfg = { .pairs = true, .label = "label", .hooks = &desk->hooks };
    *to = (heed_desk_within){ 0 };
    int rc = heed__dataset_read(&data, path, &cfg, err);
    for (int64_t i = 0; rc == 0 && i < data.len; i++)
        if (!data.label[i])
            rc = heed__error(err, HEED_EFORMAT, "%s: a passage without a label", path);
    if (rc == 0) rc = judge_all(desk, &data, to, err);
    heed__dataset_free(&data);
    return rc;
}
