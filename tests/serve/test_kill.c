/* test_kill.c: `heed serve` is killed at random instants while events are pushed: what was
 * acknowledged is there, what was not is taken once when it is sent again, the store is sound, and
 * a replay decides the same. ROUNDS: how many times (10). */
#include "serve_tools.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "heed/base.h"

enum { BATCH = 20, EVENTS_MOST = 200000 };

static const char flow[] = "store: heed.db\n"
                           "sources: { push: { kind: push } }\n"
                           "analyses:\n"
                           "  intent: { kind: classify, model: @/models/intent }\n"
                           "  seen: { kind: novelty }\n"
                           "  risk: { kind: risk, grades: { high: { words: [stolen, fraud] } } }\n"
                           "rules:\n"
                           "  danger: { kind: match, when: { risk: high }, hold: 1s }\n"
                           "  many: { kind: count, by: [intent], window: 5s, least: 40 }\n"
                           "stories: {}\n";
static const char *const texts[] = { "where is my new card",
                                     "my card was stolen in the train",
                                     "set an alarm for seven",
                                     "how much is the fee for a transfer abroad",
                                     "this payment is fraud, I did not make it",
                                     "what is my balance",
                                     "book a table for two" };

typedef struct pusher {
    served s;
    json_int_t *seq; /* [EVENTS_MOST] as acknowledged, by id; 0: not */
    int next, acknowledged;
    heed_rng rng;
} pusher;

/* Sends events [first, first+BATCH). 202: they were acknowledged; 429: later; 0: it is gone. */
static int push(pusher *p, int first) {
    char body[BATCH * 160] = "[";
    for (int i = 0; i < BATCH; i++)
        snprintf(body + strlen(body), sizeof body - strlen(body),
                 "%s{\"id\":\"e%d\",\"text\":\"%s %d\"}", i ? "," : "", first + i,
                 texts[(first + i) % 7], (first + i) % 50);
    strcat(body, "]");
    json_t *a;
    const int status = served_ask(&p->s, "POST", "/v1/events", body, &a);
    const json_t *seqs = status == 202 ? json_object_get(a, "seqs") : NULL;
    for (int i = 0; seqs && i < BATCH; i++) {
        const json_int_t seq = json_integer_value(json_array_get(seqs, (size_t)i));
        assert_true(seq > 0);
        if (p->seq[first + i]) assert_int_equal(p->seq[first + i], seq); /* taken once */
        p->seq[first + i] = seq;
    }
    json_decref(a);
    if (status != 202 && status != 429 && status != 0) fail_msg("a push is answered %d", status);
    return seqs ? status : status == 429 ? status : 0;
}

/* Pushes until it dies; what is not acknowledged then is sent again after the next start. */
static void round_of(pusher *p) {
    served_start(&p->s);
    const useconds_t us = 1000 + (useconds_t)heed_rng_below(&p->rng, 120000);
    const pid_t killer = fork();
    if (killer == 0) {
        usleep(us);
        kill(p->s.pid, SIGKILL);
        _exit(0);
    }
    for (int status; p->next + 2 * BATCH <= EVENTS_MOST && (status = push(p, p->next)) != 0;)
        if (status == 202)
            p->next += BATCH;
        else
            usleep(2000);
    served_kill(&p->s, SIGKILL);
}

static void nothing_is_lost(void **state) {
    (void)state;
    const char *rounds = getenv("ROUNDS"), *heed = getenv("HEED");
    pusher p = { .seq = calloc(EVENTS_MOST, sizeof(json_int_t)), .rng = { .seed = 7 } };
    served_make(&p.s, flow);
    for (int i = 0; i < (rounds ? atoi(rounds) : 10); i++) round_of(&p);
    served_start(&p.s);
    int status;
    while ((status = push(&p, p.next)) == 429) usleep(20000); /* what is not yet decided */
    assert_int_equal(status, 202);
    const int n = p.next + BATCH;
    json_int_t last = 0;
    for (int i = 0; i < n; i++) {
        if (!p.seq[i]) fail_msg("event %d is not there", i);
        if (p.seq[i] > last) last = p.seq[i];
    }
    served_decided(&p.s, last);
    json_t *a = served_get(&p.s, "/v1/system");
    assert_int_equal(int_at(json_object_get(a, "store"), "events"), n);
    json_decref(a);
    char path[64];
    for (int i = 0; i < n; i += n / 20 + 1) { /* each is the one that was sent */
        snprintf(path, sizeof path, "/v1/events/%lld", (long long)p.seq[i]);
        char id[16];
        snprintf(id, sizeof id, "e%d", i);
        a = served_get(&p.s, path);
        assert_string_equal(text_at(a, "id"), id);
        assert_true(json_array_size(json_object_get(a, "findings")) == 3);
        json_decref(a);
    }
    assert_int_equal(served_stop(&p.s), 0);
    char command[512];
    snprintf(command, sizeof command, "%s db check --flow %s/flow.yaml >/dev/null",
             heed ? heed : "build/heed", p.s.dir);
    assert_int_equal(system(command), 0);
    snprintf(command, sizeof command, "%s db replay %s/flow.yaml >%s/told",
             heed ? heed : "build/heed", p.s.dir, p.s.dir);
    if (system(command) != 0) {
        snprintf(command, sizeof command, "cat %s/told >&2", p.s.dir);
        fail_msg("a replay decides otherwise (%d)", system(command));
    }
    served_remove(&p.s);
    print_message("%s kills, %d events: none lost, none twice, the same replay\n",
                  rounds ? rounds : "10", n);
    free(p.seq);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(nothing_is_lost) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
