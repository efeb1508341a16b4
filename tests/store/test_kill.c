/* kill -9 at random instants: a child appends and commits from several threads and tells through a
 * pipe of what was acknowledged; it is killed, and all of that must be there, once, with the number
 * it was given, and the store be sound. HEED_KILLS says how often (10). */
#include "cmocka_all.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/thread.h"
#include "store_tools.h"

enum { THREADS = 3, MOST = 400000 };

/* What the child tells: id was given seq. */
typedef struct told {
    int64_t id, seq;
} told;

static struct {
    heed_store *store;
    int pipe;
    int64_t first; /* ids of this child begin here */
} child;

static void tell(int64_t id, int64_t seq) {
    const told t = { id, seq };
    if (write(child.pipe, &t, sizeof t) != (ssize_t)sizeof t) _exit(9);
}

/* One thread: batches of 1 to 8 events, ids that no other thread has. */
static void append_on(void *arg) {
    const int64_t mine = (int64_t)(intptr_t)arg;
    for (int64_t i = child.first + mine * 1000000;; i += 8) {
        heed_entry e[8];
        char id[8][24], text[8][256];
        const int n = 1 + (int)(i / 8 % 8);
        for (int k = 0; k < n; k++) {
            snprintf(id[k], sizeof id[k], "%lld", (long long)(i + k));
            snprintf(text[k], sizeof text[k], "text %s 中国银行 of some length", id[k]);
            e[k] = (heed_entry){ .source = "s", .id = id[k], .text = text[k], .user = "u" };
        }
        if (heed_store_append(child.store, e, n, i, NULL)) _exit(8);
        for (int k = 0; k < n; k++) tell(i + k, e[k].seq);
    }
}

/* Decides all that is there, with a state that says up to where, and tells of it with id 0. */
static void commit_on(void) {
    for (;;) {
        char state[32];
        const int64_t last = heed_store_last(child.store);
        snprintf(state, sizeof state, "%lld", (long long)last);
        const heed_message m = { .sink = "hook", .key = state, .type = "event", .body = "{}" };
        const heed_commit c = {
            .upto = last, .message = &m, .messages = 1, .state = state, .state_size = strlen(state)
        };
        if (last && heed_store_commit(child.store, &c, NULL)) _exit(7);
        if (last) tell(0, last);
    }
}

static void live(int64_t first, int to) {
    heed_error err;
    child.store = heed_store_open(&(heed_store_cfg){ .path = store_path }, &err);
    if (!child.store) _exit(6);
    child.pipe = to;
    child.first = first;
    for (intptr_t i = 0; i < THREADS; i++)
        if (!heed__thread_start(NULL, "append", append_on, (void *)i, NULL)) _exit(5);
    commit_on();
}

/* Lets a child live for some time; what it told is added to t. */
static int64_t kill_one(int64_t first, int64_t microseconds, told *t, int64_t n) {
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    const pid_t pid = fork();
    if (pid == 0) {
        close(ends[0]);
        live(first, ends[1]);
    }
    close(ends[1]);
    told one;
    int64_t until = 0;
    /* the time runs from the first word on; sizes of single writes to a pipe are kept */
    while (read(ends[0], &one, sizeof one) == (ssize_t)sizeof one) {
        assert_true(n < MOST);
        t[n++] = one;
        if (!until) until = heed__ticks_ns() + microseconds * 1000;
        if (until > 0 && heed__ticks_ns() >= until) {
            kill(pid, SIGKILL);
            until = -1;
        }
    }
    close(ends[0]);
    int status;
    waitpid(pid, &status, 0);
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
        fail_msg("the child ended by itself: %d", status);
    return n;
}

static bool note(void *user, const heed_entry *e) {
    int64_t *id_of = user;
    assert_true(e->seq < MOST);
    id_of[e->seq] = e->id ? atoll(e->id) : 0;
    return true;
}

static int64_t retried; /* to the next child's numbers */

/* All that was told is there; a retry of it is known; the state is that of the last commit. */
static void check_told(const told *t, int64_t from, int64_t n, bool whole) {
    heed_store *s = heed_store_open(&(heed_store_cfg){ .path = store_path }, &err_);
    if (!s) fail_msg("%s", err_.msg);
    int64_t *id_of = calloc(MOST, sizeof *id_of), decided = 0;
    must(heed_store_read(s, 0, INT64_MAX, note, id_of, &err));
    for (int64_t i = 0; i < n; i++) {
        if (!t[i].id)
            decided = t[i].seq > decided ? t[i].seq : decided;
        else if (id_of[t[i].seq] != t[i].id)
            fail_msg("%lld was acknowledged as %lld and is lost", (long long)t[i].id,
                     (long long)t[i].seq);
    }
    free(id_of);
    for (int64_t i = from; i < n; i += 1 + (n - from) / 40) {
        if (!t[i].id) continue;
        char id[24];
        snprintf(id, sizeof id, "%lld", (long long)t[i].id);
        heed_entry e = { .source = "s", .id = id, .text = "again" };
        must(heed_store_append(s, &e, 1, 0, &err));
        assert_int_equal(e.seq, -t[i].seq);
        retried++;
    }
    assert_true(heed_store_decided(s) >= decided);
    char *state;
    size_t size;
    int64_t at;
    must(heed_store_state(s, &state, &size, &at, &err));
    if (decided) {
        assert_int_equal(at, heed_store_decided(s));
        assert_int_equal(atoll(state), at);
    }
    heed__free(NULL, state);
    if (whole) must(heed_store_check(s, &err));
    heed_store_close(s);
}

static void test_kills(void **state) {
    heed_store_close(*state);
    *state = NULL;
    const char *wish = getenv("HEED_KILLS");
    const int kills = wish ? atoi(wish) : 10;
    told *t = malloc(MOST * sizeof *t);
    heed_rng rng = { .seed = (uint64_t)heed__ticks_ns() };
    int64_t n = 0;
    print_message("seed %llu\n", (unsigned long long)rng.seed);
    for (int k = 0; k < kills; k++) {
        if (n > MOST - 60000) { /* a new store, so that tests do not grow */
            unlink(store_path);
            n = 0;
        }
        const int64_t from = n;
        n = kill_one(1 + (int64_t)k * 100000000, (int64_t)heed_rng_below(&rng, 40000), t, n);
        check_told(t, from, n, k % 10 == 9 || k == kills - 1);
    }
    print_message(
        "%d kills, %lld acknowledged in the last store, %lld retried: none lost, none doubled\n",
        kills, (long long)n, (long long)retried);
    free(t);
}

int main(void) {
    const struct CMUnitTest tests[] = { EACH_STORE(test_kills) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
