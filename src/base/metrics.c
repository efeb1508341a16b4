/* metrics.c: numbers that any thread adds to without waiting, and their text for Prometheus.
 *
 * A metric lives as long as its set and lies in one list, those of one name beside each other in
 * the order of their making. The list is walked under the set's lock; adding is atomic and takes no
 * lock.
 */
#include "base/metrics.h"

#include <math.h>
#include <stdatomic.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "base/thread.h"

enum { BUCKETS = 20 };            /* with a bound; one more without */
static const double first = 5e-5; /* seconds; the bound of bucket i is first * 2^i */

typedef enum kind { FORGETS, COUNTER, GAUGE, HISTOGRAM } kind;

struct heed_metric {
    heed_metric *next;
    const char *name, *help;
    char *labels; /* "" without */
    kind kind;
    _Atomic uint64_t value; /* bits of a double; of a histogram the sum */
    _Atomic uint64_t bucket[BUCKETS + 1];
};

struct heed_metrics_set {
    heed_hooks hooks;
    heed_lock *lock;
    heed_metric *list;
};

static const heed_metric forgetful = { .kind = FORGETS };

heed_metrics_set *heed__metrics_new(const heed_hooks *hooks, heed_error *err) {
    heed_metrics_set *set = heed__calloc(hooks, 1, sizeof *set);
    if (!set) {
        heed__error(err, HEED_ENOMEM, "out of memory for metrics");
        return NULL;
    }
    if (hooks) set->hooks = *hooks;
    set->lock = heed__lock_new(hooks, err);
    if (set->lock) return set;
    heed__free(hooks, set);
    return NULL;
}

void heed__metrics_free(heed_metrics_set *set) {
    if (!set) return;
    const heed_hooks hooks = set->hooks;
    for (heed_metric *m = set->list; m;) {
        heed_metric *next = m->next;
        heed__free(&hooks, m->labels);
        heed__free(&hooks, m);
        m = next;
    }
    heed__lock_free(set->lock);
    heed__free(&hooks, set);
}

static heed_metric *make(heed_metrics_set *set, const heed_metric *like) {
    heed_metric *m = heed__calloc(&set->hooks, 1, sizeof *m);
    char *labels = heed__strdup(&set->hooks, like->labels);
    if (!m || !labels) {
        heed__free(&set->hooks, labels);
        heed__free(&set->hooks, m);
        return NULL;
    }
    m->name = like->name;
    m->help = like->help;
    m->kind = like->kind;
    m->labels = labels;
    return m;
}

/* The metric like `like`, made where there is none. */
static heed_metric *find(heed_metrics_set *set, const heed_metric *like) {
    heed_metric *none = (heed_metric *)(uintptr_t)&forgetful; /* never written to */
    if (!set) return none;
    heed_metric *found = NULL;
    heed__lock_enter(set->lock);
    heed_metric **at = &set->list, **place = NULL;
    for (; *at && !found; at = &(*at)->next) {
        if (strcmp((*at)->name, like->name) != 0) continue;
        place = &(*at)->next;
        if ((*at)->kind != like->kind)
            found = none;
        else if (strcmp((*at)->labels, like->labels) == 0)
            found = *at;
    }
    if (!found && (found = make(set, like)) != NULL) {
        if (!place) place = at;
        found->next = *place;
        *place = found;
    }
    heed__lock_leave(set->lock);
    return found ? found : none;
}

static char *text_of(const char *labels) {
    return (char *)(uintptr_t)(labels ? labels : ""); /* only read */
}

heed_metric *heed__counter(heed_metrics_set *set, const char *name, const char *help,
                           const char *labels) {
    return find(set, &(heed_metric){
                         .name = name, .help = help, .labels = text_of(labels), .kind = COUNTER });
}

heed_metric *heed__gauge(heed_metrics_set *set, const char *name, const char *help,
                         const char *labels) {
    return find(set, &(heed_metric){
                         .name = name, .help = help, .labels = text_of(labels), .kind = GAUGE });
}

heed_metric *heed__histogram(heed_metrics_set *set, const char *name, const char *help,
                             const char *labels) {
    return find(
        set,
        &(heed_metric){ .name = name, .help = help, .labels = text_of(labels), .kind = HISTOGRAM });
}

/* -- numbers ---------------------------------------------------------------------------------- */

static uint64_t bits_of(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static double number_of(uint64_t bits) {
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static void add(_Atomic uint64_t *to, double value) {
    uint64_t now = atomic_load_explicit(to, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(to, &now, bits_of(number_of(now) + value),
                                                  memory_order_relaxed, memory_order_relaxed))
        ;
}

void heed__metric_add(heed_metric *m, double value) {
    if (m->kind == GAUGE || (m->kind == COUNTER && value > 0)) add(&m->value, value);
}

void heed__metric_set(heed_metric *m, double value) {
    if (m->kind == GAUGE) atomic_store_explicit(&m->value, bits_of(value), memory_order_relaxed);
}

void heed__metric_observe(heed_metric *m, double value) {
    if (m->kind != HISTOGRAM || isnan(value)) return;
    int i = 0;
    for (double bound = first; i < BUCKETS && value > bound; i++) bound *= 2;
    atomic_fetch_add_explicit(&m->bucket[i], 1, memory_order_relaxed);
    add(&m->value, value);
}

static uint64_t buckets_of(const heed_metric *m, uint64_t count[BUCKETS + 1]) {
    uint64_t all = 0;
    for (int i = 0; i <= BUCKETS; i++) {
        count[i] = atomic_load_explicit(&m->bucket[i], memory_order_relaxed);
        all += count[i];
    }
    return all;
}

double heed__metric_value(const heed_metric *m) {
    uint64_t count[BUCKETS + 1];
    if (m->kind == HISTOGRAM) return (double)buckets_of(m, count);
    return number_of(atomic_load_explicit(&m->value, memory_order_relaxed));
}

double heed__metric_quantile(const heed_metric *m, double q) {
    uint64_t count[BUCKETS + 1];
    const uint64_t all = m->kind == HISTOGRAM ? buckets_of(m, count) : 0;
    if (all == 0 || !(q >= 0 && q <= 1)) return NAN;
    const double rank = q * (double)all;
    double below = 0, low = 0, high = first;
    for (int i = 0; i < BUCKETS; i++, low = high, high *= 2) {
        const double here = (double)count[i];
        if (here > 0 && below + here >= rank) return low + (high - low) * (rank - below) / here;
        below += here;
    }
    return low; /* above the last bound, where nothing more is known */
}

/* -- text ------------------------------------------------------------------------------------- */

typedef struct text {
    const heed_hooks *hooks;
    char *data;
    int64_t len, cap;
    bool failed;
} text;

static void put(text *t, const char *what) {
    const int64_t size = (int64_t)strlen(what);
    if (t->failed || heed__grow(t->hooks, &t->data, &t->cap, t->len + size + 1, 1) != HEED_OK) {
        t->failed = true;
        return;
    }
    memcpy(t->data + t->len, what, (size_t)size + 1);
    t->len += size;
}

static void put_number(text *t, double value) {
    char number[HEED_NUMBER_SIZE];
    if (isnan(value) || isinf(value))
        put(t, isnan(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf");
    else
        put(t, heed__double_text(value, number));
    put(t, "\n");
}

/* name_suffix{labels,more} */
static void put_name(text *t, const heed_metric *m, const char *suffix, const char *more) {
    put(t, m->name);
    put(t, suffix);
    if (*m->labels || *more) {
        put(t, "{");
        put(t, m->labels);
        if (*m->labels && *more) put(t, ",");
        put(t, more);
        put(t, "}");
    }
    put(t, " ");
}

static void put_histogram(text *t, const heed_metric *m) {
    uint64_t count[BUCKETS + 1], below = 0;
    const double sum = number_of(atomic_load_explicit(&m->value, memory_order_relaxed));
    const uint64_t all = buckets_of(m, count);
    char bound_text[HEED_NUMBER_SIZE], le[HEED_NUMBER_SIZE + 8];
    double bound = first;
    for (int i = 0; i <= BUCKETS; i++, bound *= 2) {
        below += count[i];
        heed__format(le, sizeof le, "le=\"%s\"",
                     i < BUCKETS ? heed__double_text(bound, bound_text) : "+Inf");
        put_name(t, m, "_bucket", le);
        put_number(t, (double)below);
    }
    put_name(t, m, "_sum", "");
    put_number(t, sum);
    put_name(t, m, "_count", "");
    put_number(t, (double)all);
}

char *heed__metrics_text(heed_metrics_set *set, size_t *size) {
    static const char *const types[] = { "untyped", "counter", "gauge", "histogram" };
    text t = { .hooks = &set->hooks };
    put(&t, "");
    heed__lock_enter(set->lock);
    const char *name = "";
    for (const heed_metric *m = set->list; m; m = m->next) {
        if (strcmp(name, m->name) != 0) {
            const char *const head[] = { "# HELP ", m->name,        " ",
                                         m->help,   "\n# TYPE ",    m->name,
                                         " ",       types[m->kind], "\n" };
            for (size_t i = 0; i < sizeof head / sizeof *head; i++) put(&t, head[i]);
            name = m->name;
        }
        if (m->kind == HISTOGRAM) {
            put_histogram(&t, m);
        } else {
            put_name(&t, m, "", "");
            put_number(&t, heed__metric_value(m));
        }
    }
    heed__lock_leave(set->lock);
    if (t.failed) {
        heed__free(&set->hooks, t.data);
        return NULL;
    }
    *size = (size_t)t.len;
    return t.data;
}
