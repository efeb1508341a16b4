/* order.c: in which order examples are learnt from, and which of them are held out. */
#include "tasks/trainer.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"

/* Sorts order[0..n) by length; items of one length keep their order. Insertion with a binary
 * search: windows are a few thousand items and moves are memmoves. */
static void by_length(const int64_t *length, int64_t *order, int64_t n) {
    for (int64_t i = 1; i < n; i++) {
        const int64_t item = order[i];
        int64_t low = 0, high = i;
        while (low < high) {
            const int64_t mid = (low + high) / 2;
            if (length[order[mid]] <= length[item])
                low = mid + 1;
            else
                high = mid;
        }
        memmove(order + low + 1, order + low, (size_t)(i - low) * sizeof *order);
        order[low] = item;
    }
}

void heed__length_order(const int64_t *length, int64_t items, int64_t *order) {
    for (int64_t i = 0; i < items; i++) order[i] = i;
    for (int64_t at = 0; at < items; at += 4096)
        by_length(length, order + at, items - at < 4096 ? items - at : 4096);
}

/* Swaps whole batches of a window at random; a short last batch stays last. */
static void shuffle_batches(heed_rng *rng, int64_t *order, int64_t n, int64_t batch) {
    for (int64_t i = n / batch - 1; i > 0; i--) {
        const int64_t j = (int64_t)heed_rng_below(rng, (uint64_t)i + 1);
        for (int64_t k = 0; i != j && k < batch; k++) {
            const int64_t was = order[i * batch + k];
            order[i * batch + k] = order[j * batch + k];
            order[j * batch + k] = was;
        }
    }
}

void heed__epoch_order(const int64_t *length, int64_t items, uint64_t seed, int64_t epoch,
                       int64_t batch, int64_t *order) {
    heed_rng rng = { .seed = seed, .stream = 0x65706f6368u + (uint64_t)epoch };
    for (int64_t i = 0; i < items; i++) order[i] = i;
    heed_rng_shuffle(&rng, order, items);
    const int64_t window = 32 * batch;
    for (int64_t at = 0; length && at < items; at += window) {
        const int64_t n = items - at < window ? items - at : window;
        by_length(length, order + at, n);
        shuffle_batches(&rng, order + at, n, batch);
    }
}

/* What stands together in a file often comes from one source: paraphrases by one hand, letters of
 * one exchange, reviews of one hotel. Held out one by one, texts would be judged beside their near
 * copies, and a model would look better than it is. So a label's examples, in their order, are cut
 * into sections, and each gives one run of neighbours. */
enum { RUN = 16 };

/* Of a label's examples own[0..n) `want`, in runs. */
static void hold_runs(heed_rng *rng, const int64_t *own, int64_t n, int64_t want, bool *held) {
    const int64_t runs = want > n / 2 ? 1 : (want + RUN - 1) / RUN;
    for (int64_t r = 0; r < runs; r++) {
        const int64_t begin = n * r / runs, end = n * (r + 1) / runs;
        const int64_t len = want * (r + 1) / runs - want * r / runs;
        const int64_t at = begin + (int64_t)heed_rng_below(rng, (uint64_t)(end - begin - len + 1));
        for (int64_t i = 0; i < len; i++) held[own[at + i]] = true;
    }
}

/* How many of each label's begin[k+1] - begin[k] examples: its share, rounded by what the labels
 * before it left over. Into want; their sum. */
static int64_t shares(const int64_t *begin, int64_t classes, double part, int64_t *want) {
    double over = 0.5;
    int64_t sum = 0;
    for (int64_t k = 0; k < classes; k++) {
        const int64_t all = begin[k + 1] - begin[k];
        const double share = part * (double)all + over;
        want[k] = share > 0 ? (int64_t)share : 0;
        if (want[k] >= all) want[k] = all > 0 ? all - 1 : 0;
        over = share - (double)want[k];
        if (over > 1) over = 1;
        sum += want[k];
    }
    return sum;
}

int64_t heed__hold_out(const int32_t *label, int64_t len, double part, uint64_t seed, bool *held,
                       const heed_hooks *hooks) {
    int64_t classes = 1, count = HEED_ENOMEM;
    for (int64_t i = 0; i < len; i++)
        if (label && label[i] >= classes) classes = (int64_t)label[i] + 1;
    int64_t *own = heed__calloc(hooks, (size_t)len, sizeof *own); /* examples by label */
    int64_t *begin = heed__calloc(hooks, (size_t)classes + 2, sizeof *begin);
    int64_t *want = heed__calloc(hooks, (size_t)classes, sizeof *want);
    if (own && begin && want) {
        for (int64_t i = 0; i < len; i++) begin[(label ? label[i] : 0) + 2]++, held[i] = false;
        for (int64_t k = 0; k < classes; k++) begin[k + 2] += begin[k + 1];
        for (int64_t i = 0; i < len; i++) own[begin[(label ? label[i] : 0) + 1]++] = i;
        count = shares(begin, classes, part, want);
        heed_rng rng = { .seed = seed, .stream = 0x68656c64u };
        for (int64_t k = 0; k < classes; k++)
            hold_runs(&rng, own + begin[k], begin[k + 1] - begin[k], want[k], held);
    }
    heed__free(hooks, own);
    heed__free(hooks, begin);
    heed__free(hooks, want);
    return count;
}

void heed__tell_held_out(const heed_hooks *hooks, int64_t held, int64_t len, const char *unit) {
    if (!hooks || !hooks->progress) return;
    const heed_progress p = { .what = "held out",
                              .done = held,
                              .total = len,
                              .unit = unit,
                              .seconds_left = -1,
                              .loss = (double)NAN };
    hooks->progress(hooks->user, &p);
}
