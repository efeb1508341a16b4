/* hub.c: one stream of events to any number of listeners, as Server-Sent Events (the HTML
 * standard).
 *
 * Events lie as text in a ring of bytes, with an index of their numbers: 0, 1, 2 ... in the
 * order of publishing. A listener is the number of its next event and an offset into it; it
 * costs nothing else. libmicrohttpd asks for bytes when it can send some; where there are none
 * the connection is suspended (parked), and the next event of its topics resumes it. A listener
 * whose next event is no longer in the ring has not kept up: its stream ends, and the browser
 * comes back with Last-Event-ID.
 */
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "http/server.h"

enum { KEPT = 1 << 20, LEAST_KEPT = 16 << 10, BYTES_PER_EVENT = 64, AT_ONCE = 16 << 10 };

static const char hello[] = "retry: 1000\n: here\n\n", beat[] = ": beat\n\n",
                  missed[] = "event: missed\ndata: {}\n\n";

typedef struct event {
    uint64_t at; /* of its text, in all bytes ever written; modulo the ring's size */
    size_t size;
    int topic;
    int64_t id;
} event;

struct heed_hub {
    heed_hooks hooks;
    heed_lock *lock; /* of all below */
    char *ring;
    size_t size;
    event *events;
    uint64_t most, oldest, next; /* events [oldest, next) are in events[number % most] */
    uint64_t written;            /* bytes */
    heed_listener *listeners;
    int64_t count;
};

struct heed_listener {
    heed_hub *hub;
    heed_request *rq;
    heed_listener *next, *prev; /* all */
    bool parked, stops;
    uint32_t topics;
    uint64_t number;    /* of the event to send next */
    uint64_t joined;    /* the first event after it came */
    size_t offset;      /* into it */
    const char *before; /* what is to be sent before it: hello, beat */
    char first[sizeof hello + sizeof missed];
    int64_t sent_ms;
};

heed_hub *heed_hub_new(size_t kept, const heed_hooks *hooks, heed_error *err) {
    heed_hub *hub = heed__calloc(hooks, 1, sizeof *hub);
    if (!hub) {
        heed__error(err, HEED_ENOMEM, "out of memory for a hub of streams");
        return NULL;
    }
    if (hooks) hub->hooks = *hooks;
    hub->size = kept == 0 ? KEPT : kept < LEAST_KEPT ? LEAST_KEPT : kept;
    hub->most = hub->size / BYTES_PER_EVENT;
    hub->ring = heed__malloc(hooks, hub->size);
    hub->events = heed__calloc(hooks, hub->most, sizeof *hub->events);
    hub->lock = heed__lock_new(hooks, err);
    if (hub->ring && hub->events && hub->lock) return hub;
    if (hub->lock) heed__error(err, HEED_ENOMEM, "out of memory for a hub of streams");
    heed_hub_free(hub);
    return NULL;
}

void heed_hub_free(heed_hub *hub) {
    if (!hub) return;
    const heed_hooks hooks = hub->hooks;
    heed__lock_free(hub->lock);
    heed__free(&hooks, hub->ring);
    heed__free(&hooks, hub->events);
    heed__free(&hooks, hub);
}

static event *event_of(heed_hub *hub, uint64_t number) {
    return &hub->events[number % hub->most];
}

/* -- publishing; under the lock --------------------------------------------------------------- */

static void put(heed_hub *hub, const char *data, size_t size) {
    const size_t at = (size_t)(hub->written % hub->size);
    const size_t first = size < hub->size - at ? size : hub->size - at;
    memcpy(hub->ring + at, data, first);
    memcpy(hub->ring, data + first, size - first);
    hub->written += size;
}

static void make_room(heed_hub *hub, size_t size) {
    while (hub->oldest < hub->next) {
        const event *e = event_of(hub, hub->oldest);
        if (hub->next - hub->oldest < hub->most && hub->written + size - e->at <= hub->size) return;
        hub->oldest++;
    }
}

static void resume(heed_listener *l) {
    if (!l->parked) return;
    l->parked = false;
    MHD_resume_connection(l->rq->connection);
}

void heed_hub_publish(heed_hub *hub, int topic, const char *name, int64_t id, const char *data,
                      size_t size) {
    char head[200];
    size_t head_size = id < 0 ? 0 : heed__format(head, sizeof head, "id: %lld\n", (long long)id);
    if (name)
        head_size += heed__format(head + head_size, sizeof head - head_size, "event: %s\n", name);
    head_size += heed__format(head + head_size, sizeof head - head_size, "data: ");
    const size_t all = head_size + size + 2;
    heed__lock_enter(hub->lock);
    if (size < hub->size && all <= hub->size / 2) {
        make_room(hub, all);
        *event_of(hub, hub->next) = (event){
            .at = hub->written, .size = all, .topic = topic & 31, .id = id
        };
        put(hub, head, head_size);
        put(hub, data, size);
        put(hub, "\n\n", 2);
        hub->next++;
        for (heed_listener *l = hub->listeners; l; l = l->next) {
            if (l->topics >> (topic & 31) & 1)
                resume(l);
            else if (l->parked)
                l->number = hub->next; /* parked: it had all before */
        }
    }
    heed__lock_leave(hub->lock);
}

/* -- listening -------------------------------------------------------------------------------- */

/* Copies what is left of the listener's next event; -1: it is gone, 0: there is none. */
static ssize_t read_event(heed_listener *l, char *to, size_t most) {
    heed_hub *hub = l->hub;
    if (l->number < hub->oldest) return -1;
    const event *e = NULL;
    for (; l->number < hub->next; l->number++) {
        e = event_of(hub, l->number);
        if (l->topics >> e->topic & 1 && (e->id >= 0 || l->number >= l->joined)) break;
    }
    if (l->number == hub->next) return 0;
    const size_t left = e->size - l->offset, n = left < most ? left : most;
    const size_t at = (size_t)((e->at + l->offset) % hub->size);
    const size_t first = n < hub->size - at ? n : hub->size - at;
    memcpy(to, hub->ring + at, first);
    memcpy(to + first, hub->ring, n - first);
    l->offset += n;
    if (l->offset == e->size) {
        l->offset = 0;
        l->number++;
    }
    return (ssize_t)n;
}

/* Fills `to` with as many events as there are room and events. */
static ssize_t read_listener(void *cls, uint64_t where, char *to, size_t most) {
    (void)where;
    heed_listener *l = cls;
    size_t len = 0;
    ssize_t n = 0;
    heed__lock_enter(l->hub->lock);
    if (l->before && l->offset == 0) {
        while (*l->before && len < most) to[len++] = *l->before++;
        if (!*l->before) l->before = NULL;
    }
    while (!l->before && len < most && (n = read_event(l, to + len, most - len)) > 0)
        len += (size_t)n;
    ssize_t result = (ssize_t)len;
    if (len > 0) {
        l->sent_ms = heed__ticks_ms();
    } else if (n < 0 || l->stops) {
        result = MHD_CONTENT_READER_END_OF_STREAM;
    } else {
        l->parked = true;
        MHD_suspend_connection(l->rq->connection);
    }
    heed__lock_leave(l->hub->lock);
    return result;
}

/* The event after that with id `last`, or else the first with a larger one; true where the ring
 * does not reach back to `last`, so that events may have been missed. */
static bool find_place(heed_hub *hub, int64_t last, uint64_t *number) {
    for (uint64_t k = hub->next; k > hub->oldest; k--) {
        if (event_of(hub, k - 1)->id != last) continue;
        *number = k;
        return false;
    }
    bool older = false;
    for (*number = hub->oldest; *number < hub->next; ++*number) {
        const int64_t id = event_of(hub, *number)->id;
        if (id > last) break;
        older |= id >= 0;
    }
    return !older;
}

static bool asked_since(heed_request *rq, int64_t *last) {
    const char *text = heed_request_header(rq, "Last-Event-ID");
    if (!text) text = heed_request_query(rq, "after");
    return text && heed__parse_int(text, strlen(text), last) && *last >= 0;
}

static heed_listener *listen_to(heed_hub *hub, heed_request *rq, uint32_t topics) {
    heed_listener *l = heed__calloc(&rq->http->hooks, 1, sizeof *l);
    if (!l) return NULL;
    int64_t last;
    const bool since = asked_since(rq, &last);
    l->hub = hub;
    l->rq = rq;
    l->topics = topics;
    l->sent_ms = heed__ticks_ms();
    heed__lock_enter(hub->lock);
    l->number = l->joined = hub->next;
    const bool some_lost = since && find_place(hub, last, &l->number);
    heed__format(l->first, sizeof l->first, "%s%s", hello, some_lost ? missed : "");
    l->before = l->first;
    l->next = hub->listeners;
    if (l->next) l->next->prev = l;
    hub->listeners = l;
    hub->count++;
    heed__lock_leave(hub->lock);
    return l;
}

void heed_reply_hub(heed_request *rq, heed_hub *hub, uint32_t topics) {
    if (strcmp(rq->method, "HEAD") == 0) {
        heed_reply_data(rq, MHD_HTTP_OK, "text/event-stream", "", 0, NULL);
        return;
    }
    heed_http *http = rq->http;
    heed_listener *l = listen_to(hub, rq, topics);
    struct MHD_Response *response = l ? MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, AT_ONCE,
                                                                          read_listener, l, NULL)
                                      : NULL;
    rq->listener = l;
    if (l) {
        heed__metric_add(http->listeners, 1);
        heed__lock_enter(http->lock);
        rq->conn->listener = l;
        heed__lock_leave(http->lock);
    }
    heed__http_answer(rq, MHD_HTTP_OK, heed__http_dress(rq, response, "text/event-stream"));
}

void heed__listener_wake(heed_listener *l, int64_t now_ms, bool stops) {
    heed__lock_enter(l->hub->lock);
    if (stops) l->stops = true;
    if (!l->before && l->parked && now_ms - l->sent_ms >= HEED_BEAT_MS) l->before = beat;
    if (l->stops || l->before) resume(l);
    heed__lock_leave(l->hub->lock);
}

void heed__listener_gone(heed_listener *l) {
    heed_hub *hub = l->hub;
    heed__lock_enter(hub->lock);
    if (l->prev)
        l->prev->next = l->next;
    else
        hub->listeners = l->next;
    if (l->next) l->next->prev = l->prev;
    hub->count--;
    heed__lock_leave(hub->lock);
    heed__metric_add(l->rq->http->listeners, -1);
    heed__free(&l->rq->http->hooks, l);
}

int64_t heed_hub_listeners(const heed_hub *hub) {
    heed__lock_enter(hub->lock);
    const int64_t count = hub->count;
    heed__lock_leave(hub->lock);
    return count;
}
