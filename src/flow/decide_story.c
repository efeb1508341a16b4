/* decide_story.c: the same story told again. A text becomes a set of shingles: its words and pairs
 * of neighbouring words; of Chinese, Japanese and Korean its characters and their pairs. Two texts
 * tell the same where the weights of the shingles that they share are at least the part `similar`
 * of the weights of all that either has (weighted Jaccard; ln((N + 2) / (n + 1)) of a shingle that
 * n of N stories had); at least two thirds of that where one text has no word that the other
 * lacks (a prefix, a feed's name); at least a third where their vectors' cosine is at least
 * (1 + similar) / 2. Not the same, however alike, are texts that each name a number or a share's
 * $symbol, or so many rare words, that the other lacks: headlines made by one template.
 *
 * Earlier texts are found by their rarest shingles: of each story the eight that come first by
 * rarity, then by hash, are kept in a table: a bottom-k sketch (Broder 1997, "On the resemblance
 * and containment of documents"; Cohen and Kaplan 2007). Two texts that share the part s of their
 * shingles meet there with a chance of about 1 - (1 - s)^8: 0.9993 at s = 0.6. Of texts with more
 * than 64 shingles the 64 with the least hashes stand for all (Broder again). Every telling is
 * compared with the first one of its story, so that no chain of small changes joins what is not
 * alike. The last 32,768 events are remembered, none for longer than story_ms. */
#include <math.h>
#include <string.h>

#include <utf8proc.h>

#include "base/elementary.h"
#include "base/text.h"
#include "flow/decide_story.h"

static const double most_change = 0.08, more_alone = 0.02;
enum { LEAST_SHINGLES = 5, MOST_BYTES = 32768, MOST_CANDIDATES = 64, MOST_WALK = 256 };

int heed__stories_init(heed_decider *d, heed_error *err) {
    heed_stories *s = heed__calloc(&d->hooks, 1, sizeof *s);
    d->stories = s;
    if (s) {
        s->pool = heed__calloc(&d->hooks, POOL, sizeof *s->pool);
        s->posting = heed__calloc(&d->hooks, POSTINGS, sizeof *s->posting);
        s->newest = heed__calloc(&d->hooks, CHAINS, sizeof *s->newest);
        s->df = heed__calloc(&d->hooks, DFS, sizeof *s->df);
        s->ln = heed__calloc(&d->hooks, LNS, sizeof *s->ln);
    }
    if (!s || !s->pool || !s->posting || !s->newest || !s->df || !s->ln)
        return heed__error(err, HEED_ENOMEM, "the stories' memory does not fit");
    for (int i = 0; i < LNS; i++) s->ln[i] = heed__ln(i + 1);
    return 0;
}

void heed__stories_free(heed_decider *d) {
    heed_stories *s = d->stories;
    if (!s) return;
    heed__free(&d->hooks, s->pool);
    heed__free(&d->hooks, s->posting);
    heed__free(&d->hooks, s->newest);
    heed__free(&d->hooks, s->df);
    heed__free(&d->hooks, s->ln);
    heed__free(&d->hooks, s->vector);
    heed__free(&d->hooks, s);
}

/* -- shingles -------------------------------------------------------------------------------- */

enum { WORD = 1, EXACT = 2 }; /* bits of a shingle: one word; it names a number or a symbol */

static bool is_cjk(uint32_t c) {
    return (c >= 0x3040 && c <= 0x30FF) || (c >= 0x3400 && c <= 0x9FFF) ||
           (c >= 0xAC00 && c <= 0xD7A3) || (c >= 0xF900 && c <= 0xFAFF) ||
           (c >= 0x20000 && c <= 0x3FFFF);
}

static bool is_letter(uint32_t c) {
    if (c < 0x80) return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    const utf8proc_category_t kind = utf8proc_category((utf8proc_int32_t)c);
    return (kind >= UTF8PROC_CATEGORY_LU && kind <= UTF8PROC_CATEGORY_NO);
}

/* What has come so far of a text's shingles: its 64 least, ascending. */
typedef struct maker {
    uint32_t least[MOST_SHINGLES];
    int n, words;
    bool cut;
    uint64_t word, before; /* the word under way and the one before it; 0: none */
    bool exact, exact_before, cjk;
} maker;

static void add_shingle(maker *m, uint32_t shingle) {
    int at = m->n;
    while (at > 0 && m->least[at - 1] > shingle) at--;
    if (at > 0 && m->least[at - 1] == shingle) return;
    if (m->n == MOST_SHINGLES) {
        m->cut = true;
        if (at == m->n) return;
        m->n--;
    }
    memmove(m->least + at + 1, m->least + at, (size_t)(m->n - at) * sizeof *m->least);
    m->least[at] = shingle;
    m->n++;
}

static uint64_t stir(uint64_t h) {
    h = (h ^ h >> 33) * UINT64_C(0xff51afd7ed558ccd);
    h = (h ^ h >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
    return h ^ h >> 33;
}

static void end_word(maker *m) {
    if (!m->word) return;
    const uint64_t w = stir(m->word) | 1;
    m->words++;
    add_shingle(m, ((uint32_t)(w >> 32) & ~3U) | WORD | (m->exact ? EXACT : 0));
    if (m->before) {
        const uint64_t pair = stir(m->before * 3 + w);
        /* a number and what it counts, in CJK: of 10月25日 and 10月10日 either has one alone */
        add_shingle(m, ((uint32_t)(pair >> 32) & ~3U) | (m->exact_before && m->cjk ? EXACT : 0));
    }
    m->before = w;
    m->exact_before = m->exact;
    m->word = 0;
    m->exact = false;
}

static void add_letter(maker *m, uint32_t c) {
    if (!m->word) m->word = UINT64_C(0xcbf29ce484222325);
    m->word = (m->word ^ c) * UINT64_C(0x100000001b3);
    if (c >= '0' && c <= '9') m->exact = true;
}

/* What follows a word that was cut in its middle: "…" or "...". */
static bool cut_mark(const char *text, size_t len, size_t at, uint32_t c) {
    if (c == '.' && len - at >= 3 && memcmp(text + at, "\xE2\x80\xA6", 3) == 0) return true;
    return c == 0x2026 || (c == '.' && len - at >= 2 && text[at] == '.' && text[at + 1] == '.');
}

static bool joins(const char *text, size_t len, size_t at, uint32_t c) {
    const bool more = at < len;
    if (c == '\'' || c == 0x2019) return more;
    return (c == '.' || c == ',') && more && text[at] >= '0' && text[at] <= '9';
}

/* Past an address that begins here ("http://..."), else at. */
static size_t past_address(const char *text, size_t len, size_t at) {
    if (len - at < 8 ||
        (strncmp(text + at, "http://", 7) != 0 && strncmp(text + at, "https://", 8) != 0))
        return at;
    while (at < len && (unsigned char)text[at] > ' ' && (unsigned char)text[at] < 0x80) at++;
    return at;
}

static void make_shingles(maker *m, const char *text) {
    size_t len = strlen(text);
    bool symbol = false;
    if (len > MOST_BYTES) len = MOST_BYTES;
    for (size_t at = 0; at < len;) {
        uint32_t c;
        if (text[at] == 'h' && !m->word) {
            const size_t past = past_address(text, len, at);
            if (past > at) {
                at = past;
                continue;
            }
        }
        const size_t n = heed__utf8_next(text + at, len - at, &c);
        at += n ? n : 1;
        if (!n) c = ' ';
        if (c >= 0xFF01 && c <= 0xFF5E) c -= 0xFEE0; /* full width */
        if (is_cjk(c)) {
            end_word(m);
            add_letter(m, c);
            m->cjk = true;
            end_word(m);
            m->cjk = false;
        } else if (is_letter(c)) {
            add_letter(m, (uint32_t)utf8proc_tolower((utf8proc_int32_t)c));
            if (symbol) m->exact = true;
        } else if (m->word && cut_mark(text, len, at, c)) {
            m->word = 0, m->exact = false;
        } else if (!(m->word && joins(text, len, at, c))) {
            end_word(m);
        }
        symbol = c == '$';
    }
    end_word(m);
}

/* -- likeness -------------------------------------------------------------------------------- */

static double weight(const heed_stories *s, double all, uint32_t shingle) {
    const uint32_t n = s->df[stir(shingle) % DFS];
    return all - s->ln[n < LNS ? n : LNS - 1];
}

typedef struct likeness {
    double share;  /* weighted Jaccard */
    double change; /* of words: the lesser of what each has alone, as a part of what either has */
    bool exact;    /* each has a number or symbol that the other lacks */
} likeness;

/* a and b ascend; where one was cut, only what is below its last counts. */
static likeness compare(const heed_stories *s, const uint32_t *a, int na, const uint32_t *b,
                        int nb) {
    const double all = heed__ln((double)s->stories + 2);
    double both = 0, either = 0, words = 0, alone[2] = { 0 };
    bool exact[2] = { false, false };
    uint32_t last = UINT32_MAX;
    if (na == MOST_SHINGLES) last = a[na - 1];
    if (nb == MOST_SHINGLES && b[nb - 1] < last) last = b[nb - 1];
    for (int i = 0, k = 0; i < na || k < nb;) {
        const uint32_t next = k == nb || (i < na && a[i] <= b[k]) ? a[i] : b[k];
        const bool in_a = i < na && a[i] == next, in_b = k < nb && b[k] == next;
        i += in_a, k += in_b;
        if (next > last) break;
        const double w = weight(s, all, next);
        either += w;
        if (next & WORD) words += w;
        if (in_a && in_b) {
            both += w;
            continue;
        }
        if (next & WORD) alone[in_b] += w;
        if (next & EXACT) exact[in_b] = true;
    }
    likeness l = { .exact = exact[0] && exact[1] };
    if (either > 0) l.share = both / either;
    if (words > 0) l.change = (alone[0] < alone[1] ? alone[0] : alone[1]) / words;
    return l;
}

static const int8_t *vector_of(const heed_decider *d, int64_t number) {
    const heed_stories *s = d->stories;
    if (!s->vector || number <= d->events - s->vectors || number < s->vector_from) return NULL;
    const int8_t *v = s->vector + number % s->vectors * s->dim;
    for (int64_t i = 0; i < s->dim; i++)
        if (v[i]) return v;
    return NULL;
}

static void quantize(int8_t *to, const float *vector, int64_t dim) {
    for (int64_t i = 0; i < dim; i++) {
        const float x = vector[i] * 127.0F;
        to[i] = (int8_t)(x >= 127 ? 127 : x <= -127 ? -127 : (int)(x < 0 ? x - 0.5F : x + 0.5F));
    }
}

static double cosine(const int8_t *a, const int8_t *b, int64_t dim) {
    int64_t ab = 0, aa = 0, bb = 0;
    for (int64_t i = 0; i < dim; i++) ab += a[i] * b[i], aa += a[i] * a[i], bb += b[i] * b[i];
    return aa && bb ? (double)ab / sqrt((double)aa * (double)bb) : 0;
}

/* -- finding --------------------------------------------------------------------------------- */

/* The sketch: the rarest shingles first, by classes of rarity, then by hash. */
static int sketch(const heed_stories *s, const uint32_t *shingle, int n, uint32_t *rarest) {
    int kept = 0, class_of[SKETCH];
    for (int i = 0; i < n; i++) {
        int class = 0;
        for (uint32_t df = s->df[stir(shingle[i]) % DFS]; df > 1; df /= 2) class ++;
        int at = kept;
        while (at > 0 && class_of[at - 1] > class) at--; /* shingles ascend already */
        if (at == SKETCH) continue;
        if (kept < SKETCH) kept++;
        for (int k = kept - 1; k > at; k--)
            rarest[k] = rarest[k - 1], class_of[k] = class_of[k - 1];
        rarest[at] = shingle[i], class_of[at] = class;
    }
    return kept;
}

static bool is_remembered(const heed_decider *d, int64_t number) {
    const heed_stories *s = d->stories;
    if (number < 0 || number >= d->events || number < d->events - d->event_cap) return false;
    return d->event[number % d->event_cap].shingle >= s->pooled - POOL;
}

/* Whether a and b have a fifth of the smaller one in common: else they are not weighed. */
static bool are_near(const uint32_t *a, int na, const uint32_t *b, int nb) {
    int both = 0, i = 0, k = 0;
    while (i < na && k < nb) {
        const uint32_t x = a[i], y = b[k];
        both += x == y;
        i += x <= y;
        k += y <= x;
    }
    return both * 5 >= (na < nb ? na : nb);
}

/* The likeness where e may be told by head, else 0. */
static double likeness_of(const heed_decider *d, int64_t number, const int8_t *vector) {
    const heed_stories *s = d->stories;
    const heed_event *head = &d->event[number % d->event_cap];
    const int64_t at = head->shingle % POOL;
    uint32_t joined[MOST_SHINGLES];
    const uint32_t *of_head = s->pool + at;
    if (at + head->shingles > POOL) { /* it goes on at the ring's begin */
        for (int i = 0; i < head->shingles; i++) joined[i] = s->pool[(head->shingle + i) % POOL];
        of_head = joined;
    }
    if (!are_near(s->mine, s->mine_n, of_head, head->shingles)) return 0;
    const likeness l = compare(s, s->mine, s->mine_n, of_head, head->shingles);
    const double least = d->flow->story_similar > 0 ? d->flow->story_similar : 0.6;
    if (l.exact) return 0;
    if (l.share >= least && l.change <= most_change) return l.share;
    if (l.share >= least * 2 / 3 && l.change <= more_alone) return l.share;
    const int8_t *other = vector ? vector_of(d, number) : NULL;
    if (!other || l.share < least / 3) return 0;
    const double c = cosine(vector, other, s->dim);
    return c >= (1 + least) / 2 ? c : 0;
}

static int candidates(const heed_decider *d, int64_t now_ms, int64_t *found) {
    const heed_stories *s = d->stories;
    const int64_t within = d->flow->story_ms > 0 ? d->flow->story_ms : 172800000;
    int64_t chain[SKETCH];
    int n = 0;
    for (int i = 0; i < s->mine_sketch; i++) {
        chain[i] = (int64_t)(stir(s->rarest[i]) % CHAINS);
        __builtin_prefetch(&s->newest[chain[i]]); /* far memory: asked for together */
    }
    for (int i = 0; i < s->mine_sketch; i++)
        __builtin_prefetch(&s->posting[(s->newest[chain[i]] + POSTINGS - 1) % POSTINGS]);
    for (int i = 0; i < s->mine_sketch; i++) {
        int64_t at = s->newest[chain[i]] - 1;
        for (int steps = 0; at >= 0 && at >= s->postings - POSTINGS && steps < MOST_WALK; steps++) {
            const heed_posting *p = &s->posting[at % POSTINGS];
            at = p->back ? at - p->back : -1;
            if (p->shingle != s->rarest[i] || !is_remembered(d, p->event)) continue;
            const heed_event *e = &d->event[p->event % d->event_cap];
            if (e->story != e->seq || now_ms - e->time_ms > within) continue;
            int k = 0;
            while (k < n && found[k] != p->event) k++;
            if (k < n || n == MOST_CANDIDATES) continue;
            found[n++] = p->event;
            __builtin_prefetch(&s->pool[e->shingle % POOL]);
            __builtin_prefetch(&s->pool[(e->shingle + 16) % POOL]);
        }
    }
    return n;
}

double heed__stories_find(heed_decider *d, const heed_seen *seen, heed_event *e) {
    heed_stories *s = d->stories;
    maker m = { .n = 0 };
    if (seen->entry->title) make_shingles(&m, seen->entry->title);
    if (seen->entry->text) make_shingles(&m, seen->entry->text);
    memcpy(s->mine, m.least, (size_t)m.n * sizeof *s->mine);
    s->mine_n = e->shingles = m.n;
    e->words = m.words;
    e->story = e->seq;
    s->mine_sketch = sketch(s, s->mine, s->mine_n, s->rarest);
    if (m.n < LEAST_SHINGLES) return 0;
    const int8_t *vector = NULL;
    int8_t own[MOST_DIM];
    if (seen->vector && seen->dim > 0 && seen->dim <= MOST_DIM && seen->dim == s->dim) {
        quantize(own, seen->vector, s->dim);
        vector = own;
    }
    int64_t found[MOST_CANDIDATES], best = -1;
    double most = 0;
    const int n = candidates(d, e->time_ms, found);
    for (int i = 0; i < n; i++) {
        const double like = likeness_of(d, found[i], vector);
        if (like > most || (like > 0 && !(like < most) && found[i] < best))
            most = like, best = found[i];
    }
    if (best < 0) return 0;
    heed_event *head = &d->event[best % d->event_cap];
    e->story = head->seq;
    e->tellings = ++head->tellings;
    return most;
}

/* -- keeping --------------------------------------------------------------------------------- */

void heed__stories_post(heed_stories *s, int64_t event, const uint32_t *shingle, int n) {
    for (int i = 0; i < n; i++) {
        int64_t *newest = &s->newest[stir(shingle[i]) % CHAINS];
        const int64_t back = *newest ? s->postings - (*newest - 1) : 0;
        s->posting[s->postings % POSTINGS] = (heed_posting){
            .event = event, .shingle = shingle[i], .back = back <= POSTINGS ? (uint32_t)back : 0
        };
        *newest = ++s->postings;
    }
}

/* Vectors share 4 MiB; of one length, that of the first. */
static void keep_vector(heed_decider *d, const heed_seen *seen, int64_t number) {
    heed_stories *s = d->stories;
    if (!s->vector && seen->vector && seen->dim > 0 && seen->dim <= MOST_DIM) {
        const int64_t n = VECTOR_BYTES / seen->dim;
        s->vector = heed__calloc(&d->hooks, (size_t)n, (size_t)seen->dim);
        if (!s->vector) {
            d->failed = true;
            return;
        }
        s->vectors = n, s->dim = seen->dim, s->vector_from = number;
    }
    if (!s->vector) return;
    int8_t *to = s->vector + number % s->vectors * s->dim;
    if (seen->vector && seen->dim == s->dim)
        quantize(to, seen->vector, s->dim);
    else
        memset(to, 0, (size_t)s->dim);
}

void heed__stories_keep(heed_decider *d, const heed_seen *seen, heed_event *e) {
    heed_stories *s = d->stories;
    const int64_t number = d->events - 1;
    e->shingle = s->pooled;
    for (int i = 0; i < s->mine_n; i++) s->pool[s->pooled++ % POOL] = s->mine[i];
    keep_vector(d, seen, number);
    if (e->story != e->seq) return;
    e->tellings = 1;
    heed__stories_post(s, number, s->rarest, s->mine_sketch);
    for (int i = 0; i < s->mine_n; i++) {
        uint16_t *df = &s->df[stir(s->mine[i]) % DFS];
        if (*df < UINT16_MAX) ++*df;
    }
    if (++s->stories < DFS) return;
    s->stories /= 2; /* what was common long ago counts less */
    for (int i = 0; i < DFS; i++) s->df[i] /= 2;
}

heed_event *heed__event_by_seq(const heed_decider *d, int64_t seq) {
    int64_t low = d->events - d->event_cap, high = d->events;
    if (low < 0) low = 0;
    while (low < high) {
        const int64_t middle = low + (high - low) / 2;
        heed_event *e = &d->event[middle % d->event_cap];
        if (e->seq == seq) return e;
        if (e->seq < seq)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

int64_t heed__stories_move(heed_decider *d, int64_t seq, int64_t story) {
    heed_stories *s = d->stories;
    heed_event *e = s ? heed__event_by_seq(d, seq) : NULL;
    if (!e || e->story == (story ? story : seq) || (!story && e->story == seq)) return 0;
    const int64_t before = e->story;
    heed_event *from = heed__event_by_seq(d, before), *to = heed__event_by_seq(d, story);
    if (from && from->tellings > 0) from->tellings--;
    e->story = story ? story : seq;
    if (to && to->tellings < INT32_MAX) to->tellings++;
    if (story) return before;
    e->tellings = 1;
    const int64_t newest = d->events - 1;
    int64_t number = newest; /* the ring's number of e */
    while (number >= 0 && &d->event[number % d->event_cap] != e) number--;
    if (!is_remembered(d, number)) return before;
    uint32_t shingle[MOST_SHINGLES], rarest[SKETCH];
    for (int i = 0; i < e->shingles; i++) shingle[i] = s->pool[(e->shingle + i) % POOL];
    heed__stories_post(s, number, rarest, sketch(s, shingle, e->shingles, rarest));
    return before;
}
