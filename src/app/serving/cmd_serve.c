/* cmd_serve.c: `heed serve [FLOW]`: reads streams, answers requests, until it is told to stop. */
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/messages.h"
#include "app/commands.h"
#include "app/options.h"
#include "base/alloc.h"
#include "base/text.h"
#include "base/thread.h"
#include "flow/flow_print.h"
#include "app/serving/serve.h"
#include "serve/server.h"

enum { EXIT_FORCED = 75, LOOK_MS = 50 };

static volatile sig_atomic_t stop_asked, reload_asked;

static void on_signal(int number) {
    if (number == SIGHUP)
        reload_asked = 1;
    else if (command_signalled_again())
        _exit(EXIT_FORCED); /* a second ^C: at once, and nothing that was acknowledged is lost */
    else
        stop_asked = 1;
}

static void catch_signals(void) {
    struct sigaction a = { .sa_handler = on_signal };
    sigaddset(&a.sa_mask, SIGINT);
    sigaddset(&a.sa_mask, SIGTERM);
    sigaddset(&a.sa_mask, SIGHUP);
    sigaction(SIGINT, &a, NULL);
    sigaction(SIGTERM, &a, NULL);
    sigaction(SIGHUP, &a, NULL);
    a.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &a, NULL);
}

/* One line, whatever a file's name or a server's answer has in it: it makes no second line, and
 * moves nobody's terminal. */
static void on_log(void *user, heed_log_level level, const char *line) {
    char said[MESSAGE_SIZE];
    (void)user;
    if (level == HEED_LOG_DEBUG) return;
    complain("heed: %s%s\n", level == HEED_LOG_WARN ? tr("warning: ") : "", tr_made(line, said));
}

/* The first events as they come, for who stands at the terminal. */
typedef struct showing {
    int64_t left;
} showing;

static void show(void *user, const heed_entry *entry, const heed_decided *decided) {
    showing *to = user;
    if (to->left <= 0) return;
    const heed_finding *best = NULL;
    for (int64_t i = 0; i < decided->findings; i++)
        if (decided->finding[i].label && strcmp(decided->finding[i].name, "intent") == 0)
            best = &decided->finding[i];
    for (int64_t i = 0; i < decided->findings && !best; i++)
        if (decided->finding[i].label) best = &decided->finding[i];
    const char *text = entry->text ? entry->text : entry->title ? entry->title : "";
    printf("  ");
    print_cell(!best ? "-" : best->abstained ? tr("(unsure)") : best->label, -30);
    printf(" %5.1f %%  %.*s\n", best ? 100 * best->confidence : 0,
           (int)heed__control_at(text, strlen(text)), text);
    if (--to->left == 0) printf(tr("  ... and so on, at the address above\n"));
    fflush(stdout);
}

/* What was understood of a flow file, or every mistake in it. */
static int check(const char *path, const heed_hooks *hooks) {
    heed_error err = { 0 };
    char *text, said[MESSAGE_SIZE];
    const int status = heed_flow_check(path, hooks, &text, &err);
    if (text && !status) fputs(text, stdout);
    int lines = 0;
    for (char *at = text, *end; status && at && (end = strchr(at, '\n')); at = end + 1, lines++) {
        *end = 0;
        complain("%s\n", tr_made(at, said));
    }
    if (text && status)
        heed__error(&err, status, "%s: %d mistake%s", path, lines, lines == 1 ? "" : "s");
    heed__free(hooks, text);
    return status ? command_error(&err) : 0;
}

static int graph(const char *path, const heed_hooks *hooks) {
    heed_error err = { 0 };
    heed_flow *flow = heed_flow_open(path, hooks, &err);
    char *text = flow ? heed_flow_graph(flow, hooks, &err) : NULL;
    if (text) fputs(text, stdout);
    heed__free(hooks, text);
    heed_flow_close(flow);
    return text ? 0 : command_error(&err);
}

/* "http://127.0.0.1:8080" */
static void print_address(const heed_server *s, const char *listen) {
    const char *colon = listen ? strrchr(listen, ':') : NULL;
    const int host = colon ? (int)(colon - listen) : 0;
    const heed_flow *f = s->first->flow;
    printf(tr("heed serves %s at %s://%.*s:%d\n"), f->name ? f->name : s->cfg.flow,
           f->certificate ? "https" : "http", host, listen, heed_server_port(s));
    fflush(stdout);
}

/* Until a signal asks for the end, or the seconds are over. */
static void wait_for_end(heed_server *s, double seconds) {
    const int64_t until = heed__ticks_ns() + (int64_t)(seconds * 1e9);
    while (!stop_asked && (seconds <= 0 || heed__ticks_ns() < until)) {
        heed__sleep_ms(LOOK_MS);
        if (heed_server_tidy(s)) malloc_trim(0); /* else every thread's heap keeps its share */
        if (!reload_asked) continue;
        reload_asked = 0;
        if (!heed_server_reload_soon(s)) reload_asked = 1;
    }
}

static const char *const no_flow =
    "heed: no flow file: there is no flow.yaml here; `heed serve FLOW.yaml` takes another, and "
    "examples/flows/ has some to begin with\n";

int serve_flow(int argc, char **argv) {
    heed_server_cfg cfg = { 0 };
    bool only_check = false, only_graph = false;
    int64_t threads = 2;
    showing first = { 0 };
    double seconds = 0;
    const opt options[] = {
        { "listen", 0, OPT_TEXT, &cfg.listen, 0, 0, "ADDRESS:PORT",
          "instead of the flow's (127.0.0.1:8080); port 0: a free one" },
        { "store", 0, OPT_PATH, &cfg.store, 0, 0, "FILE", "instead of the flow's (heed.db)" },
        { "check", 0, OPT_FLAG, &only_check, 0, 0, NULL, "read the flow file, say what is wrong" },
        { "graph", 0, OPT_FLAG, &only_graph, 0, 0, NULL,
          "print the way from sources to sinks as a Mermaid flowchart" },
        { "threads", 0, OPT_INT, &threads, 1, 256, "N", "that answer requests (2)" },
        { "no-sources", 0, OPT_FLAG, &cfg.open_only, 0, 0, NULL,
          "read no source: look at what the store has, take what is pushed" },
        { "seconds", 0, OPT_REAL, &seconds, 0, 1e9, "S", "end after so long" },
        { "show", 0, OPT_INT, &first.left, 0, 1e9, "N",
          "print the first N events with their labels (0)" },
        { "web", 0, OPT_PATH, &cfg.web, 0, 0, "FOLDER",
          "the page's files from there instead of those built in" },
        { NULL, 0, OPT_FLAG, NULL, 0, 0, NULL, NULL },
    };
    const opt_command what = { "heed serve [FLOW.yaml] [options]",
                               "Reads the flow's sources, analyses, decides, tells, and answers "
                               "over HTTP. ^C or SIGTERM: everything taken is finished first; "
                               "SIGHUP: the flow file and its models are read again.",
                               options, 0, 1 };
    const char *operand[1] = { NULL };
    const int n = opt_read(&what, argc, argv, operand);
    if (n < 0) return command_usage(n);
    cfg.flow = n ? operand[0] : "flow.yaml";
    if (!n && access(cfg.flow, F_OK) != 0) {
        fputs(tr(no_flow), stderr);
        return EXIT_USAGE;
    }
    const heed_hooks hooks = { .log = on_log };
    if (only_check) return check(cfg.flow, &hooks);
    if (only_graph) return graph(cfg.flow, &hooks);
    cfg.threads = (int)threads;
    cfg.hooks = &hooks;
    cfg.told = first.left ? show : NULL;
    cfg.user = &first;
    catch_signals();
    heed_error err = { 0 };
    heed_server *s = heed_server_start(&cfg, &err);
    if (!s) return command_error(&err);
    print_address(s, cfg.listen ? cfg.listen : s->first->flow->listen);
    wait_for_end(s, seconds);
    complain(tr("heed: stopping: what was taken is finished\n"));
    heed_server_stop(s, 10);
    return 0;
}
