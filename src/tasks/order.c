/* order.c: in which order examples are learnt from, and which of them are held out. */
#include "tasks/trainer.h"

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

/* Examples are walked in a shuffled order; each label gives every so many'th of its own, so that
 * what is held out of a label is its share, rounded by what the labels before it left over. */
int64_t heed__hold_out(const int32_t *label, int64_t len, double part, uint64_t seed, bool *held,
                       const heed_hooks *hooks) {
    int64_t classes = 1, count = 0;
    for (int64_t i = 0; i < len; i++)
        if (label && label[i] >= classes) classes = (int64_t)label[i] + 1;
    int64_t *order = heed__calloc(hooks, (size_t)len, sizeof *order);
    int64_t *want = heed__calloc(hooks, (size_t)classes, sizeof *want);
    if (order && want) {
        heed_rng rng = { .seed = seed, .stream = 0x68656c64u };
        for (int64_t i = 0; i < len; i++) order[i] = i, held[i] = false;
        heed_rng_shuffle(&rng, order, len);
        for (int64_t i = 0; i < len; i++) want[label ? label[i] : 0]++;
        double over = 0.5;
        for (int64_t k = 0; k < classes; k++) {
            const double share = part * (double)want[k] + over;
            const int64_t all = want[k];
            want[k] = share > 0 ? (int64_t)share : 0;
            if (want[k] >= all) want[k] = all > 0 ? all - 1 : 0;
            over = share - (double)want[k];
            if (over > 1) over = 1;
        }
        for (int64_t i = 0; i < len; i++) {
            int64_t *left = &want[label ? label[order[i]] : 0];
            if (*left == 0) continue;
            held[order[i]] = true;
            --*left;
            count++;
        }
    } else {
        count = HEED_ENOMEM;
    }
    heed__free(hooks, order);
    heed__free(hooks, want);
    return count;
}
