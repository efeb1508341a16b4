/* cmd_db.c: `heed db check|backup|query|vacuum`: upkeep of a store, and questions to it in SQL. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/messages.h"
#include "app/commands.h"
#include "app/options.h"
#include "base/alloc.h"
#include "base/file.h"
#include "base/json.h"
#include "base/thread.h"
#include "serve/replay.h"
#include "app/serving/serve.h"
#include "serve/store_option.h"
#include "store/look.h"

enum { MILLION = 1000000, EXIT_DIFFERENT = 1, LOOK_MS = 20, STOP_MS = 200 };

typedef struct request {
    heed_store_option where;
    heed_hooks hooks;
    bool json;
    int64_t most;
    const char *operand; /* FILE or SQL */
    const char *out;     /* feedback: FILE instead of standard output */
    json_t *told;        /* what the log hook heard, for --json */
} request;

static void on_log(void *user, heed_log_level level, const char *line) {
    char said[MESSAGE_SIZE];
    request *r = user;
    if (level == HEED_LOG_WARN && r->json)
        json_array_append_new(r->told, json_string(line));
    else if (level != HEED_LOG_DEBUG)
        complain("heed: %s\n", tr_made(line, said));
}

static int print_json(json_t *tree) {
    heed_error err;
    char *text = heed__json_text(NULL, tree, false, NULL, &err);
    json_decref(tree);
    if (!text) return command_error(&err);
    puts(text);
    heed__free(NULL, text);
    return 0;
}

/* For writing where nobody else writes: then the inside of the full-text index is looked at too. */
static heed_store *open_to_check(request *r, heed_error *err) {
    heed_store *store = heed__store_option_open(&r->where, false, err);
    if (store || err->code != HEED_EIO) return store;
    heed_error second;
    return heed__store_option_open(&r->where, true, &second);
}

static int check(request *r) {
    heed_error err = { 0 };
    heed_store *store = open_to_check(r, &err);
    if (!store) return command_error(&err);
    json_t *is = heed_look_state(store, &err);
    const int status = heed_store_check(store, &err);
    heed_store_close(store);
    const long long events = json_integer_value(json_object_get(is, "events"));
    json_decref(is);
    if (status && status != HEED_EFORMAT) return command_error(&err);
    if (r->json) {
        print_json(json_pack("{s:b,s:I,s:O}", "sound", status == 0, "events", (json_int_t)events,
                             "wrong", r->told));
        return status ? command_error(&err) : 0;
    }
    if (status) return command_error(&err);
    printf(tr("sound: %lld events\n"), events);
    return 0;
}

static int backup(request *r) {
    heed_error err = { 0 };
    heed_store *store = heed__store_option_open(&r->where, true, &err);
    if (!store) return command_error(&err);
    const int status = heed_store_backup(store, r->operand, &err);
    heed_store_close(store);
    return status ? command_error(&err) : 0;
}

static int vacuum(request *r) {
    heed_error err = { 0 };
    heed_store *store = heed__store_option_open(&r->where, false, &err);
    if (!store) return command_error(&err);
    json_t *before = heed_look_state(store, &err);
    const int status = heed_store_vacuum(store, &err);
    json_t *after = status ? NULL : heed_look_state(store, &err);
    heed_store_close(store);
    if (after)
        printf(tr("%lld bytes, before %lld\n"),
               (long long)json_integer_value(json_object_get(after, "size")),
               (long long)(json_integer_value(json_object_get(before, "size")) +
                           json_integer_value(json_object_get(before, "journal"))));
    json_decref(before);
    json_decref(after);
    return after ? 0 : command_error(&err);
}

/* A value as a field of a line: tabs and line breaks become blanks, control characters '?'. */
static void print_field(const json_t *value) {
    if (json_is_string(value)) {
        for (const char *p = json_string_value(value); *p; p++) {
            const unsigned char c = (unsigned char)*p;
            putchar(c == '\t' || c == '\n' || c == '\r' ? ' ' : c < 0x20 || c == 0x7f ? '?' : c);
        }
    } else if (!json_is_null(value)) {
        char *text = heed__json_text(NULL, value, false, NULL, NULL);
        fputs(text ? text : "?", stdout);
        heed__free(NULL, text);
    }
}

static void print_line(const json_t *fields) {
    size_t i;
    json_t *field;
    json_array_foreach(fields, i, field) {
        if (i) putchar('\t');
        print_field(field);
    }
    putchar('\n');
}

/* A question in SQL, asked by a thread of its own: one call of a function of SQL's may take as long
 * as it likes and looks at nothing meanwhile. */
typedef struct question {
    heed_store *store;
    request *r;
    json_t *answer;
    heed_error err;
    heed_lock *lock;
    bool done;
} question;

static void ask(void *arg) {
    question *q = arg;
    q->answer = heed_look_sql(q->store, q->r->operand, q->r->most, &q->err);
    heed__lock_enter(q->lock);
    q->done = true;
    heed__lock_wake(q->lock);
    heed__lock_leave(q->lock);
}

/* Until it is answered. ^C ends it: SQLite looks up between two steps of a statement; where it does
 * not, the program goes, which has the store open only to read and so leaves nothing half done. */
static void wait_for(question *q) {
    int64_t since = 0;
    heed__lock_enter(q->lock);
    while (!q->done) {
        heed__lock_wait(q->lock, LOOK_MS);
        if (q->done || !command_cancelled(NULL)) continue;
        if (!since) since = heed__ticks_ns();
        if (heed__ticks_ns() - since < (int64_t)STOP_MS * MILLION) continue;
        const heed_error err = { .code = HEED_ECANCELLED, .msg = "db query: stopped" };
        _exit(command_error(&err));
    }
    heed__lock_leave(q->lock);
}

static json_t *answer_of(request *r, heed_error *err) {
    question q = { .store = heed__store_option_open(&r->where, true, err), .r = r };
    q.lock = q.store ? heed__lock_new(NULL, err) : NULL;
    heed_thread *thread = q.lock ? heed__thread_start(NULL, "query", ask, &q, err) : NULL;
    if (thread) {
        wait_for(&q);
        if (!q.answer) *err = q.err;
    }
    heed__thread_join(thread);
    heed__lock_free(q.lock);
    heed_store_close(q.store);
    return q.answer;
}

static int query(request *r) {
    heed_error err = { 0 };
    json_t *answer = answer_of(r, &err);
    if (!answer) return command_error(&err);
    if (r->json) return print_json(answer);
    size_t i;
    json_t *row;
    print_line(json_object_get(answer, "columns"));
    json_array_foreach(json_object_get(answer, "rows"), i, row) print_line(row);
    if (json_is_true(json_object_get(answer, "cut")))
        complain(tr("heed: there are more rows than %lld; --most N shows more\n"),
                 (long long)r->most);
    json_decref(answer);
    return 0;
}

/* The flow of the operand decides about the whole log again. */
static int replay(request *r) {
    heed_error err = { 0 };
    heed_replay_report told;
    char said[MESSAGE_SIZE];
    heed_flow *flow = heed_flow_open(r->operand, &r->hooks, &err);
    const heed_store_option of_flow = { .flow = r->operand, .hooks = &r->hooks };
    heed_store *store = flow ? heed__store_option_open(r->where.store || r->where.flow ? &r->where
                                                                                       : &of_flow,
                                                       true, &err)
                             : NULL;
    const int status = store ? heed_replay(store, flow, &told, &r->hooks, &err) : err.code;
    heed_store_close(store);
    heed_flow_close(flow);
    if (status) return command_error(&err);
    if (r->json)
        return print_json(json_pack(
                   "{s:b,s:I,s:I,s:I,s:I,s:I,s:I,s:s?}", "same", told.different == 0, "entries",
                   (json_int_t)told.entries, "events", (json_int_t)told.events, "alerts",
                   (json_int_t)told.alerts, "from", (json_int_t)told.from, "missing",
                   (json_int_t)told.missing, "different", (json_int_t)told.different, "first",
                   told.first[0] ? told.first : NULL)) ||
               (told.different ? EXIT_DIFFERENT : 0);
    if (!told.from)
        printf(tr("nothing in this log was decided by %s as it is now\n"), r->operand);
    else
        printf(tr("%lld events and %lld alerts from entry %lld on: %s\n"), (long long)told.events,
               (long long)told.alerts, (long long)told.from,
               told.different ? tr("not as they were") : tr("the same, byte for byte"));
    if (told.missing)
        printf(tr("%lld entries are no longer there; what followed from them cannot be decided "
                  "again\n"),
               (long long)told.missing);
    if (told.different)
        printf(tr("%lld differ; the first: %s\n"), (long long)told.different,
               tr_made(told.first, said));
    return told.different ? EXIT_DIFFERENT : 0;
}

typedef struct examples {
    heed_writer *to; /* a file; NULL: standard output */
    bool failed;     /* no memory for one */
} examples;

/* One example as a line of JSON. */
static bool print_example(void *user, const char *text, const char *label) {
    heed_error err;
    examples *x = user;
    size_t len = 0;
    json_t *tree = json_pack("{s:s,s:s}", "label", label, "text", text);
    char *line = tree ? heed__json_text(NULL, tree, false, &len, &err) : NULL;
    if (line && x->to) {
        heed__writer_write(x->to, line, len);
        heed__writer_write(x->to, "\n", 1);
    } else if (line) {
        puts(line);
    }
    x->failed = !line;
    heed__free(NULL, line);
    json_decref(tree);
    return !x->failed && !ferror(stdout);
}

/* What people corrected and confirmed, as training data: a whole file or none. */
static int feedback(request *r) {
    heed_error err = { 0 };
    heed_store *store = heed__store_option_open(&r->where, true, &err);
    examples x = { .to = store && r->out ? heed__writer_new(NULL, r->out, &err) : NULL };
    int64_t n = -1;
    if (store && (x.to || !r->out))
        n = heed_look_feedback(store, r->operand, print_example, &x, &err);
    if (x.failed) n = heed__error(&err, HEED_ENOMEM, "out of memory for an example");
    heed_store_close(store);
    if (x.to && n < 0)
        heed__writer_abort(x.to);
    else if (x.to && heed__writer_commit(x.to, &err))
        n = -1;
    if (n >= 0 && (fflush(stdout) | ferror(stdout)) != 0)
        n = heed__error(&err, HEED_EIO, "output: cannot be written");
    return n < 0 ? command_error(&err) : 0;
}

static const struct {
    const char *name, *operand;
    int (*run)(request *r);
} verbs[] = {
    { "check", NULL, check },          { "backup", "FILE", backup },
    { "query", "SQL", query },         { "vacuum", NULL, vacuum },
    { "replay", "FLOW.yaml", replay }, { "feedback", "ANALYSIS", feedback },
};

static int run_verb(request *r, const char *name, int n) {
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
        if (strcmp(name, verbs[i].name) != 0) continue;
        if ((n == 2) == (verbs[i].operand != NULL)) return verbs[i].run(r);
        if (verbs[i].operand)
            complain(tr("heed: db %s takes one operand: %s\n"), name, verbs[i].operand);
        else
            complain(tr("heed: db %s takes no operand\n"), name);
        return EXIT_USAGE;
    }
    complain(tr("heed: db knows check, backup, query, vacuum, replay and feedback, not '%s'\n"),
             name);
    return EXIT_USAGE;
}

int serve_db(int argc, char **argv) {
    request r = { .most = 1000 };
    const char *operand[2] = { NULL, NULL };
    const opt options[] = {
        { "store", 0, OPT_PATH, &r.where.store, 0, 0, "FILE", "the store itself" },
        { "flow", 0, OPT_PATH, &r.where.flow, 0, 0, "FLOW.yaml",
          "the store of a flow (without either: of flow.yaml, or heed.db, in this folder)" },
        { "most", 0, OPT_INT, &r.most, 1, MILLION, "N", "query: at most so many rows (1000)" },
        { "out", 'o', OPT_PATH, &r.out, 0, 0, "FILE", "feedback: written there" },
        { "json", 0, OPT_FLAG, &r.json, 0, 0, NULL, "check, query: the answer as JSON" },
        { 0 },
    };
    const opt_command about = {
        "heed db check | backup FILE | query SQL | vacuum | replay FLOW.yaml | feedback ANALYSIS "
        "[options]",
        "check looks at every page, index and row (and migrates an older store); backup copies "
        "the store to FILE while it is in use; query reads it with SQL; vacuum writes it anew "
        "without free pages; replay decides about the log once more and compares; feedback "
        "tells, as JSON lines of label and text, what people corrected or confirmed of an "
        "analysis (heed train --from-feedback learns from it). All but vacuum "
        "may be used beside a running server.",
        options, 1, 2
    };
    const int n = opt_read(&about, argc, argv, operand);
    if (n < 0) return command_usage(n);
    command_catch_signals();
    r.operand = operand[1];
    r.told = json_array();
    r.hooks = (heed_hooks){ .user = &r, .log = on_log, .cancel = command_cancelled };
    r.where.hooks = &r.hooks;
    const int status = run_verb(&r, operand[0], n);
    json_decref(r.told);
    return status;
}
