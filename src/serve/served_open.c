/* served_open.c: a model folder opened, and what is to be told of it. */
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "serve/served_impl.h"
#include "tasks/classifier.h"
#include "tasks/embedder.h"
#include "tasks/run_course.h"

enum { PATH_SIZE = 4096, CONFIG_MOST = 1 << 28, CARD_MOST = 1 << 20, WAITING_MOST = 4096 };

/* Of a heavy model: so many times max_batch texts are taken at once where they wait, sorted by
 * their length, and computed so many together: few enough that the shorter are hardly padded. */
enum { AT_ONCE = 4, TOGETHER = 16 };

/* -- its sum ---------------------------------------------------------------------------------- */

static int by_name(const struct dirent **a, const struct dirent **b) {
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int add_file(heed_sha256 *sum, const char *dir, const char *name, heed_error *err) {
    char path[PATH_SIZE];
    heed__format(path, sizeof path, "%s/%s", dir, name);
    heed_map map;
    const int rc = heed__map_open(&map, path, SIZE_MAX / 2, err);
    if (rc) return rc;
    heed__sha256_add(sum, name, strlen(name) + 1);
    heed__sha256_add(sum, map.data, map.size);
    heed__map_close(&map);
    return 0;
}

/* Names and bytes of the folder's files, in the order of their names. 0 or a status. */
static int folder_sum(const char *dir, char text[2 * HEED_SHA256_SIZE + 1], heed_error *err) {
    struct dirent **entry = NULL;
    const int n = scandir(dir, &entry, NULL, by_name);
    if (n < 0) return heed__error(err, HEED_ENOTFOUND, "%s: no such model folder", dir);
    heed_sha256 sum;
    heed__sha256_init(&sum);
    int rc = 0;
    for (int i = 0; i < n; i++) {
        if (rc == 0 && entry[i]->d_name[0] != '.' && entry[i]->d_type != DT_DIR)
            rc = add_file(&sum, dir, entry[i]->d_name, err);
        free(entry[i]);
    }
    free(entry);
    unsigned char out[HEED_SHA256_SIZE];
    heed__sha256_end(&sum, out);
    heed__hex(out, sizeof out, text);
    return rc;
}

/* -- opening ---------------------------------------------------------------------------------- */

static int read_config(heed_served *m, heed_error *err) {
    char path[PATH_SIZE];
    heed__format(path, sizeof path, "%s/config.json", m->dir);
    json_t *config = heed__json_read(&m->hooks, path, CONFIG_MOST, err);
    if (!config) return err->code;
    const char *task = json_string_value(json_object_get(config, "task"));
    const char *recipe = json_string_value(json_object_get(config, "recipe"));
    int rc = 0;
    if (task && strcmp(task, "classify") == 0)
        m->task = HEED_SERVED_CLASSIFY;
    else if (task && strcmp(task, "tag") == 0)
        m->task = HEED_SERVED_TAG;
    else if (task && strcmp(task, "embed") == 0)
        m->task = HEED_SERVED_EMBED;
    else
        rc = heed__error(err, HEED_EFORMAT,
                         "%s: task is '%s', not one of classify, tag, embed, which can serve", path,
                         task ? task : "");
    m->recipe = heed__strdup(&m->hooks, recipe ? recipe : "");
    m->heavy = recipe && (strcmp(recipe, "encoder") == 0 || strcmp(recipe, "classic") == 0);
    json_decref(config);
    if (rc == 0 && !m->recipe) rc = heed__error(err, HEED_ENOMEM, "%s: out of memory", path);
    return rc;
}

static int open_copy(heed_served *m, heed_served_copy *copy, const heed_open_cfg *open,
                     heed_error *err) {
    switch (m->task) {
    case HEED_SERVED_CLASSIFY:
        copy->c = heed_classifier_open(m->dir, open, err);
        return copy->c ? 0 : err->code;
    case HEED_SERVED_TAG:
        copy->t = heed_tagger_open(m->dir, open, err);
        return copy->t ? 0 : err->code;
    default:
        copy->e = heed_embedder_open(m->dir, open, err);
        return copy->e ? 0 : err->code;
    }
}

static int measure(heed_served *m, heed_error *err) {
    const heed_served_copy *copy = m->copy;
    if (copy->c) {
        if (heed_classifier_pairs(copy->c))
            return heed__error(err, HEED_EUNSUPPORTED,
                               "%s reads pairs of texts; an event is a single one", m->dir);
        if (copy->c->beside.in)
            return heed__error(err, HEED_EUNSUPPORTED,
                               "%s reads features beside texts; an event is a text alone", m->dir);
        m->labels = heed_classifier_labels(copy->c);
        m->width = m->labels ? m->labels : 1;
        m->dim = copy->c->body->dim;
        m->parameters = heed_classifier_parameters(copy->c);
    } else if (copy->t) {
        m->labels = heed_tagger_types(copy->t);
        m->parameters = heed_tagger_parameters(copy->t);
        m->heavy = false;
    } else {
        m->dim = heed_embedder_dim(copy->e);
        m->parameters = heed_embedder_parameters(copy->e);
    }
    return 0;
}

static int open_all(heed_served *m, const heed_served_cfg *cfg, heed_error *err) {
    m->k = heed__kernels(NULL, err);
    int rc = m->k ? read_config(m, err) : err->code;
    if (rc == 0) rc = folder_sum(m->dir, m->sha, err);
    if (rc) return rc;
    m->copies = m->heavy || cfg->copies < 1 ? 1 : cfg->copies;
    m->copy = heed__calloc(&m->hooks, (size_t)m->copies, sizeof *m->copy);
    m->idle = heed__calloc(&m->hooks, (size_t)m->copies, sizeof *m->idle);
    m->lock = heed__lock_new(&m->hooks, err);
    if (!m->copy || !m->idle || !m->lock)
        return heed__error(err, HEED_ENOMEM, "%s: out of memory", m->dir);
    const heed_open_cfg open = { .threads = m->heavy && cfg->threads > 0 ? cfg->threads : 1,
                                 .hooks = cfg->hooks };
    for (int i = 0; rc == 0 && i < m->copies; i++) {
        rc = open_copy(m, &m->copy[i], &open, err);
        if (m->heavy && m->copy[i].c) m->copy[i].c->batch = TOGETHER;
        if (m->heavy && m->copy[i].e) m->copy[i].e->c->batch = TOGETHER;
        m->idle[m->idle_len++] = &m->copy[i];
    }
    if (rc == 0) rc = measure(m, err);
    if (rc == 0 && m->heavy) {
        m->batch = heed_batcher_new(&(heed_batch_cfg){ .name = "batch",
                                                       .run = heed__served_batch,
                                                       .user = m,
                                                       .max_wait_ms = cfg->max_wait_ms,
                                                       .max_batch = cfg->max_batch,
                                                       .most_taken = AT_ONCE * cfg->max_batch,
                                                       .most = WAITING_MOST,
                                                       .hooks = cfg->hooks },
                                    err);
        if (!m->batch) rc = err->code;
    }
    return rc;
}

static const char *last_part(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

heed_served *heed_served_open(const heed_served_cfg *cfg, heed_error *err) {
    heed_served *m = heed__calloc(cfg->hooks, 1, sizeof *m);
    if (!m) {
        heed__error(err, HEED_ENOMEM, "%s: out of memory", cfg->dir);
        return NULL;
    }
    if (cfg->hooks) m->hooks = *cfg->hooks;
    m->dir = heed__strdup(&m->hooks, cfg->dir);
    for (size_t n = m->dir ? strlen(m->dir) : 0; n > 1 && m->dir[n - 1] == '/'; n--)
        m->dir[n - 1] = 0;
    m->id = m->dir ? heed__strdup(&m->hooks, last_part(m->dir)) : NULL;
    if (!m->id)
        heed__error(err, HEED_ENOMEM, "%s: out of memory", cfg->dir);
    else if (open_all(m, cfg, err) == 0)
        return m;
    heed_served_close(m);
    return NULL;
}

void heed_served_close(heed_served *m) {
    if (!m) return;
    heed_batcher_free(m->batch);
    for (int i = 0; m->copy && i < m->copies; i++) {
        heed_classifier_close(m->copy[i].c);
        heed_tagger_close(m->copy[i].t);
        heed_embedder_close(m->copy[i].e);
    }
    heed__lock_free(m->lock);
    const heed_hooks hooks = m->hooks;
    heed__free(&hooks, m->copy);
    heed__free(&hooks, m->idle);
    heed__free(&hooks, m->dir);
    heed__free(&hooks, m->id);
    heed__free(&hooks, m->recipe);
    heed__free(&hooks, m);
}

/* -- what it is ------------------------------------------------------------------------------- */

const char *heed_served_id(const heed_served *m) {
    return m->id;
}

const char *heed_served_dir(const heed_served *m) {
    return m->dir;
}

const char *heed_served_sha(const heed_served *m) {
    return m->sha;
}

heed_served_task heed_served_task_of(const heed_served *m) {
    return m->task;
}

bool heed_served_heavy(const heed_served *m) {
    return m->heavy;
}

heed_target heed_served_target(const heed_served *m) {
    return m->copy->c ? heed_classifier_target(m->copy->c) : HEED_TARGET_LABEL;
}

int64_t heed_served_labels(const heed_served *m) {
    return m->labels;
}

const char *heed_served_label(const heed_served *m, int64_t i) {
    if (m->copy->c) return heed_classifier_label(m->copy->c, i);
    return m->copy->t ? heed_tagger_type(m->copy->t, i) : NULL;
}

int64_t heed_served_dim(const heed_served *m) {
    return m->dim;
}

int64_t heed_served_calibrated(const heed_served *m) {
    return m->copy->c ? m->copy->c->calibration.len : 0;
}

double heed_served_scope_limit(const heed_served *m, double kept) {
    return heed_served_calibrated(m) ? heed__scope_limit(&m->copy->c->calibration, kept)
                                     : -(double)INFINITY;
}

double heed_served_coverage_limit(const heed_served *m, double coverage) {
    return heed_served_calibrated(m) ? heed__coverage_limit(&m->copy->c->calibration, coverage)
                                     : (double)INFINITY;
}

static json_t *real_or_null(double value) {
    return isfinite(value) ? json_real(value) : json_null();
}

/* How its training went, epoch by epoch, where the log lies beside it. */
static json_t *curve(const heed_served *m) {
    char path[PATH_SIZE];
    heed__format(path, sizeof path, "%s.run/log.jsonl", m->dir);
    heed_run_course k = { 0 };
    heed_error err = { 0 };
    json_t *list = json_array();
    if (heed__run_course_read(&k, path, &err) == 0)
        for (int64_t i = 0; i < k.len; i++)
            json_array_append_new(list, json_pack("{s:I, s:o, s:o}", "epoch", (json_int_t)(i + 1),
                                                  "loss", real_or_null(k.train_loss[i]), "score",
                                                  real_or_null(k.held_score[i])));
    heed__run_course_free(&k);
    return list;
}

/* The model card: README.md in the folder, or what the folder itself tells. */
static json_t *card(const heed_served *m) {
    static const char *const task[] = { "classify", "tag", "embed" };
    char text[1024];
    char *data = NULL;
    size_t size;
    heed__format(text, sizeof text, "%s/README.md", m->dir);
    if (heed__file_read(&m->hooks, text, CARD_MOST, &data, &size, NULL) == 0) {
        json_t *own = json_stringn(data, size);
        heed__free(&m->hooks, data);
        if (own) return own;
    }
    const heed_calibration *k = m->copy->c ? &m->copy->c->calibration : NULL;
    size_t at = heed__format(text, sizeof text,
                             "# %.200s\n\n| | |\n|---|---|\n| task | %s |\n| recipe | %.100s |\n"
                             "| %s | %lld |\n| parameters | %lld |\n",
                             m->id, task[m->task], m->recipe, m->labels ? "labels" : "width",
                             (long long)(m->labels ? m->labels : m->dim), (long long)m->parameters);
    if (k && k->len)
        heed__format(text + at, sizeof text - at,
                     "| calibration error | %.4f before, %.4f after, on %lld held-out texts |\n",
                     k->ece_before, k->ece_after, (long long)k->len);
    return json_string(text);
}

json_t *heed_served_about(const heed_served *m) {
    static const char *const task[] = { "classify", "tag", "embed" };
    json_t *labels = json_array();
    for (int64_t i = 0; i < m->labels; i++)
        json_array_append_new(labels, json_string(heed_served_label(m, i)));
    return json_pack("{s:s, s:s, s:s, s:o, s:I, s:I, s:s, s:b, s:o, s:o}", "id", m->id, "task",
                     task[m->task], "recipe", m->recipe, "labels", labels, "dim",
                     (json_int_t)m->dim, "parameters", (json_int_t)m->parameters, "sha", m->sha,
                     "heavy", m->heavy ? 1 : 0, "card", card(m), "curve", curve(m));
}
