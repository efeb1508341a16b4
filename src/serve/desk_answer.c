/* desk_answer.c: what is said to a message: small talk; the slot that was asked for; a canned reply
 * of its intent; a passage or an earlier answer; a person. */
#include <string.h>

#include "base/text.h"
#include "serve/desk_impl.h"
#include "serve/tree.h"

enum { HITS = 8, PASSAGE_BYTES = 400, SENTENCES = 16 };

/* From how near on an entry answers without an intent, as parts of what the message asks for. */
static const double least_cover = 0.5, least_question = 0.6, least_cosine = 0.9, some_cover = 0.25;
/* A model that takes a message for none of its own is overruled where it is this sure of an intent
 * and a question with that intent holds this part of the message. */
static const double overrules = 0.9, least_agreed = 0.5, nearly = 0.8;
/* What a sentence beside the best must hold of what that holds to be said too. */
static const double least_neighbour = 0.3;

typedef struct answering {
    heed_desk *d;
    const char *text; /* the message, small talk before it left out */
    desk_state s;
    desk_reading r;
    heed_strings kept;
    const char *kind, *intent;
    double confidence;
    desk_out reply;
    json_t *sources, *found; /* lists; found: what was not near enough */
    heed_error *err;
} answering;

static int no_memory(answering *a) {
    return heed__error(a->err, HEED_ENOMEM, "desk: out of memory");
}

static void say(answering *a, const char *text) {
    if (a->reply.len) heed__desk_put(&a->reply, " ", 1);
    heed__desk_put(&a->reply, text, strlen(text));
}

static void say_ours(answering *a, desk_say what) {
    const heed_desk *d = a->d;
    const char *own = what == SAY_GREETING       ? d->greeting
                      : what == SAY_HAND_OVER    ? d->hand_over
                      : what == SAY_OUT_OF_SCOPE ? d->out_of_scope
                                                 : NULL;
    say(a, own ? own : heed__desk_sentence(what, a->text));
}

/* -- sources ---------------------------------------------------------------------------------- */

/* {"text","where","score"}, of passages also "begin" and "end", bytes of the file; "from" and "to",
 * bytes of the reply that stand on it. at: begin, end, from. */
static int add_source(answering *a, json_t *list, const desk_entry *e, const char *text,
                      double score, const size_t at[3]) {
    char where[512];
    json_t *source = json_object();
    heed__tree_put(&source, "text", json_string(text));
    heed__tree_put(&source, "score", json_real(score));
    if (e->line) {
        heed__format(where, sizeof where, "%s:%lld", e->file, (long long)e->line);
    } else {
        heed__format(where, sizeof where, "%s:%llu-%llu", e->file, (unsigned long long)at[0],
                     (unsigned long long)at[1]);
        heed__tree_put(&source, "begin", json_integer((json_int_t)at[0]));
        heed__tree_put(&source, "end", json_integer((json_int_t)at[1]));
    }
    heed__tree_put(&source, "where", json_string(where));
    if (list == a->sources) {
        heed__tree_put(&source, "from", json_integer((json_int_t)at[2]));
        heed__tree_put(&source, "to", json_integer(a->reply.len));
    }
    return source && json_array_append_new(list, source) == 0 ? 0 : no_memory(a);
}

/* -- a reply that was written before ---------------------------------------------------------- */

static int say_entry(answering *a, const desk_entry *e, double score) {
    if (a->reply.len) heed__desk_put(&a->reply, " ", 1);
    const size_t from = (size_t)a->reply.len;
    heed__desk_fill(a->d, &a->s, e->text, &a->reply);
    if (a->reply.failed) return no_memory(a);
    return add_source(a, a->sources, e, a->reply.text + from, score, (size_t[3]){ 0, 0, from });
}

static int ask_for(answering *a, int slot, const char *intent) {
    const bool again = a->s.asking != NULL;
    const char *question = heed__desk_slot_question(a->d, slot);
    a->kind = "ask";
    a->s.asked = again ? 2 : 1;
    a->s.asking = heed__desk_slot_name(a->d, slot);
    a->s.pending = intent;
    a->s.pending_text = heed__strings_keep(&a->kept, a->r.text);
    if (!a->s.pending_text) return no_memory(a);
    if (question) {
        say(a, question);
    } else {
        say_ours(a, SAY_ASK);
        heed__desk_put(&a->reply, ": ", 2);
        heed__desk_put(&a->reply, a->s.asking, strlen(a->s.asking));
    }
    return 0;
}

/* The best of the intent's replies. 1: said or asked; 0: there is none. */
static int say_canned(answering *a, const char *intent) {
    desk_hit hit[HITS];
    const desk_ask ask = { .text = a->r.text, .vector = a->r.vector, .intent = intent };
    const int64_t n = heed__desk_rank(a->d, &a->d->replies, &ask, hit, HITS, a->err);
    if (n <= 0) return (int)n;
    const int slot = heed__desk_slot_missing(a->d, &a->s, intent);
    if (slot >= 0) {
        const int rc = ask_for(a, slot, intent);
        return rc ? rc : 1;
    }
    a->kind = "canned";
    a->s.asking = a->s.pending = a->s.pending_text = NULL;
    const desk_entry *e = a->d->replies.entry;
    int64_t best = 0; /* among the near ones, one that can name what the customer said */
    for (int64_t i = 0; i < n; i++)
        if (heed__desk_names(a->d, &a->s, e[hit[i].entry].text)) {
            best = i;
            break;
        }
    const int rc = say_entry(a, &e[hit[best].entry], a->confidence);
    return rc ? rc : 1;
}

/* -- a passage -------------------------------------------------------------------------------- */

typedef struct piece {
    size_t begin, end; /* of the passage */
    double cover;
} piece;

static int cut_pieces(const answering *a, const char *text, piece *p) {
    const heed_query q = { .text = a->r.text };
    const size_t size = strlen(text);
    int n = 0;
    for (size_t at = 0; at < size && n < SENTENCES; n++) {
        const size_t end = heed__sentence_end(text, size, at);
        p[n] = (piece){ at, end,
                        heed__shelf_cover(&a->d->passages.texts, &q, text + at, end - at) };
        if (p[n].cover < 0) return HEED_ENOMEM;
        while (p[n].end > at && strchr(" \t\r\n", text[p[n].end - 1])) p[n].end--;
        if (strchr("-*+", text[at]) && text[at + 1] == ' ' && p[n].end > at + 2) p[n].begin += 2;
        at = end;
    }
    return n;
}

static int say_piece(answering *a, const desk_entry *e, const piece *p) {
    char *own = heed__malloc(&a->d->hooks, p->end - p->begin + 1);
    if (!own) return no_memory(a);
    memcpy(own, e->text + p->begin, p->end - p->begin);
    own[p->end - p->begin] = 0;
    if (a->reply.len) heed__desk_put(&a->reply, " ", 1);
    const size_t from = (size_t)a->reply.len;
    heed__desk_put(&a->reply, own, p->end - p->begin);
    const int rc = a->reply.failed
                       ? no_memory(a)
                       : add_source(a, a->sources, e, own, p->cover,
                                    (size_t[3]){ e->begin + p->begin, e->begin + p->end, from });
    heed__free(&a->d->hooks, own);
    return rc;
}

/* Says the sentence that holds most of what is asked, with its neighbours that hold some of it, as
 * far as there is room. */
static int say_passage(answering *a, const desk_entry *e) {
    piece p[SENTENCES];
    const int n = cut_pieces(a, e->text, p);
    int best = 0, rc = 0;
    if (n < 1) return n < 0 ? no_memory(a) : 0;
    for (int i = 1; i < n; i++)
        if (p[i].cover > p[best].cover) best = i;
    int first = best, last = best;
    const double some = p[best].cover * least_neighbour;
    while (last + 1 < n && p[last + 1].cover >= some &&
           p[last + 1].end - p[best].begin <= PASSAGE_BYTES)
        last++;
    while (first > 0 && p[first - 1].cover >= some &&
           p[last].end - p[first - 1].begin <= PASSAGE_BYTES)
        first--;
    for (int i = first; rc == 0 && i <= last; i++) rc = say_piece(a, e, &p[i]);
    return rc;
}

/* The best passage that is near enough, *hit [n]; -1: none. */
static int64_t near_passage(const desk_hit *hit, int64_t n) {
    for (int64_t i = 0; i < n; i++)
        if (hit[i].near.cover > least_cover ||
            (hit[i].near.cosine >= least_cosine && hit[i].near.cover >= some_cover))
            return i;
    return -1;
}

/* Part of the message that an earlier answer, or its question, holds; 0: it is not near enough. */
static double near_answer(const desk_hit *hit, int64_t n) {
    if (n == 0) return 0;
    const double cover = hit->question.words > 0 ? hit->question.cover : hit->near.cover;
    const bool near = cover >= least_question ||
                      (hit->question.cosine >= least_cosine && cover >= some_cover);
    return near ? cover : 0;
}

/* For the person who takes over: the passage that came nearest. */
static int keep_found(answering *a, const desk_hit *hit) {
    const desk_entry *e = &a->d->passages.entry[hit->entry];
    if (hit->near.cover <= 0) return 0;
    return add_source(a, a->found, e, e->text, hit->near.cover, (size_t[3]){ e->begin, e->end, 0 });
}

/* Looks among passages and earlier answers. 1: said; 0: nothing is near. */
static int say_found(answering *a) {
    desk_hit hit[HITS], old;
    heed_desk *d = a->d;
    const desk_ask ask = { .text = a->r.text, .vector = a->r.vector, .answers = true };
    const int64_t n = heed__desk_rank_passages(d, &d->passages, &ask, hit, HITS, a->err);
    const int64_t m = n < 0 ? n : heed__desk_rank(d, &d->replies, &ask, &old, 1, a->err);
    if (m < 0) return (int)m;
    const int64_t best = near_passage(hit, n);
    const double passage = best < 0 ? 0 : hit[best].near.cover, answer = near_answer(&old, m);
    int rc = 0;
    if (answer > 0 && answer >= passage) {
        a->kind = "passage";
        a->confidence = answer;
        rc = say_entry(a, &d->replies.entry[old.entry], answer);
    } else if (best >= 0) {
        a->kind = "passage";
        a->confidence = passage;
        rc = say_passage(a, &d->passages.entry[hit[best].entry]);
    } else {
        return n ? keep_found(a, &hit[0]) : 0;
    }
    return rc ? rc : 1;
}

/* -- deciding --------------------------------------------------------------------------------- */

static int hand_over(answering *a) {
    a->kind = "hand_over";
    a->s.asking = a->s.pending = a->s.pending_text = NULL;
    say_ours(a, SAY_HAND_OVER);
    return 0;
}

/* Whether questions that were answered before say so too: one with the intent holds enough of the
 * message, and none of another intent much
 * more. 1, 0 or a status. */
static int agreed(answering *a, const char *intent) {
    desk_hit own[HITS], any[HITS];
    const desk_entries *e = &a->d->replies;
    desk_ask ask = { .text = a->r.text, .vector = a->r.vector };
    const int64_t n = heed__desk_rank(a->d, e, &ask, any, HITS, a->err);
    ask.intent = intent;
    const int64_t m = n < 0 ? n : heed__desk_rank(a->d, e, &ask, own, HITS, a->err);
    double with = 0, without = 0;
    for (int64_t i = 0; i < m; i++)
        if (own[i].question.cover > with) with = own[i].question.cover;
    for (int64_t i = 0; i < n; i++) {
        const char *of = e->entry[any[i].entry].intent;
        const bool other = of && strcmp(of, intent) != 0;
        if (other && any[i].question.cover > without) without = any[i].question.cover;
    }
    return m < 0 ? (int)m : with >= least_agreed && with >= nearly * without;
}

static int decide(answering *a) {
    heed_desk *d = a->d;
    int done = 0;
    bool sure = a->r.best >= 0 && a->r.in_scope && a->r.p >= d->least;
    if (a->r.best >= 0) {
        a->intent = heed__mind_label(&d->mind, a->r.best);
        a->confidence = a->r.p;
    }
    if (a->r.best >= 0 && !a->r.in_scope && a->r.p >= overrules && a->r.p >= d->least) {
        const int rc = agreed(a, a->intent);
        if (rc < 0) return rc;
        sure = rc > 0;
    }
    if (sure && heed__desk_slots_people(d, a->intent)) return hand_over(a);
    if (sure) done = say_canned(a, a->intent);
    if (done == 0) done = say_found(a);
    if (done) return done < 0 ? done : 0;
    if (d->has_kb) say_ours(a, SAY_NOTHING_FOUND);
    if (a->r.best < 0 || a->r.in_scope) return hand_over(a);
    a->kind = "out_of_scope";
    say_ours(a, SAY_OUT_OF_SCOPE);
    return 0;
}

/* A message after one that asked for a slot. 1: it is answered; 0: it is about something else. */
static int continue_pending(answering *a) {
    const int slot = heed__desk_slot_find(a->d, a->s.asking);
    int rc;
    if (a->s.value[slot]) {
        const char *intent = a->s.pending;
        heed__desk_reading_free(&a->d->hooks, &a->r);
        rc = heed__desk_read(a->d, &a->s, a->s.pending_text, &a->r, a->err);
        if (rc) return rc;
        a->intent = intent;
        a->confidence = a->r.p;
        rc = say_canned(a, intent);
        if (rc == 0) rc = hand_over(a) ? HEED_ENOMEM : 1;
        return rc;
    }
    if (a->r.best >= 0 && a->r.in_scope && a->r.p >= a->d->least &&
        strcmp(heed__mind_label(&a->d->mind, a->r.best), a->s.pending) != 0) {
        a->s.asking = a->s.pending = a->s.pending_text = NULL;
        return 0;
    }
    a->intent = a->s.pending;
    a->confidence = a->r.p;
    if (a->s.asked > 1) return hand_over(a) ? HEED_ENOMEM : 1;
    const char *before = a->s.pending_text;
    rc = ask_for(a, slot, a->s.pending);
    a->s.pending_text = before;
    return rc ? rc : 1;
}

static int small_talk(answering *a, desk_talk talk) {
    static const struct {
        const char *kind;
        desk_say say;
    } said[] = { [TALK_GREETING] = { "greeting", SAY_GREETING },
                 [TALK_THANKS] = { "thanks", SAY_THANKS },
                 [TALK_GOODBYE] = { "goodbye", SAY_GOODBYE },
                 [TALK_PERSON] = { "hand_over", SAY_HAND_OVER } };
    a->kind = said[talk].kind;
    a->confidence = 1;
    say_ours(a, said[talk].say);
    if (talk == TALK_PERSON) a->s.asking = a->s.pending = a->s.pending_text = NULL;
    return 0;
}

static int reply_to(answering *a) {
    const char *rest;
    const desk_talk talk = heed__desk_talk(a->text, &rest);
    heed_terms t;
    heed_term term;
    if (talk != TALK_NONE) return small_talk(a, talk);
    a->text = rest;
    heed__terms_begin(&t, a->text, strlen(a->text));
    if (!heed__terms_next(&t, &term)) {
        a->kind = "ask";
        a->confidence = 1;
        say_ours(a, SAY_EMPTY);
        return 0;
    }
    int rc = heed__desk_slots_take(a->d, a->text, &a->s, &a->kept, a->err);
    if (rc == 0) rc = heed__desk_read(a->d, &a->s, a->text, &a->r, a->err);
    if (rc) return rc;
    if (a->s.asking) {
        rc = continue_pending(a);
        if (rc) return rc < 0 ? rc : 0;
    }
    return decide(a);
}

/* -- the answer as a tree --------------------------------------------------------------------- */

static json_t *answer_tree(answering *a, const char *text) {
    const desk_turn turn = { text, a->reply.text, a->kind, a->intent, a->r.text };
    json_t *tree = json_object(), *facts;
    heed__tree_put(&tree, "reply", json_string(a->reply.text));
    heed__tree_put(&tree, "kind", json_string(a->kind));
    heed__tree_put(&tree, "intent", heed__text_or_null(a->intent));
    heed__tree_put(&tree, "confidence", json_real(a->confidence));
    heed__tree_put(&tree, "sources", json_incref(a->sources));
    heed__tree_put(&tree, "slots", heed__desk_slots_tree(a->d, &a->s));
    heed__tree_put(&tree, "state", heed__desk_state_tree(a->d, &a->s, &turn));
    if (strcmp(a->kind, "hand_over") != 0 && strcmp(a->kind, "out_of_scope") != 0) return tree;
    facts = json_object();
    heed__tree_put(&facts, "intent", heed__text_or_null(a->intent));
    heed__tree_put(&facts, "confidence", json_real(a->confidence));
    heed__tree_put(&facts, "slots", heed__desk_slots_tree(a->d, &a->s));
    heed__tree_put(&facts, "found", json_incref(a->found));
    heed__tree_put(&tree, "turns", heed__desk_turns_tree(&a->s, &turn));
    heed__tree_put(&tree, "facts", facts);
    return tree;
}

static int check_text(const char *text, heed_error *err) {
    const size_t size = strlen(text);
    if (size > DESK_TEXT_MOST)
        return heed__error(err, HEED_EINVALID, "a message of %llu bytes, more than %d",
                           (unsigned long long)size, DESK_TEXT_MOST);
    const size_t bad = heed__utf8_check(text, size);
    if (bad < size)
        return heed__error(err, HEED_EINVALID, "the message is not UTF-8 at byte %llu",
                           (unsigned long long)bad);
    return 0;
}

json_t *heed_desk_answer(heed_desk *desk, const json_t *state, const char *text, heed_error *err) {
    heed_error own;
    answering a = { .d = desk, .text = text, .err = err ? err : &own };
    json_t *tree = NULL;
    a.reply.hooks = &desk->hooks;
    a.r.best = -1;
    heed__strings_init(&a.kept, &desk->hooks);
    a.sources = json_array();
    a.found = json_array();
    int rc = check_text(text, a.err);
    if (rc == 0) rc = heed__desk_state_read(desk, state, &a.s, a.err);
    if (rc == 0 && (!a.sources || !a.found)) rc = no_memory(&a);
    if (rc == 0) rc = reply_to(&a);
    if (rc == 0 && a.reply.failed) rc = no_memory(&a);
    if (rc == 0 && !(tree = answer_tree(&a, text))) no_memory(&a);
    json_decref(a.sources);
    json_decref(a.found);
    heed__free(&desk->hooks, a.reply.text);
    heed__desk_reading_free(&desk->hooks, &a.r);
    heed__strings_free(&a.kept);
    return tree;
}
