/* cmd_runs.c: `heed runs [FOLDER..]`: trainings listed and compared by their logs. */
#include <dirent.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/charts.h"
#include "app/commands.h"
#include "app/messages.h"
#include "app/options.h"
#include "app/print.h"
#include "base/alloc.h"
#include "base/file.h"
#include "base/text.h"
#include "tasks/run_course.h"

enum { PATH = 4096, MOST_RUNS = 10000, DRAWN = 6 };

typedef struct run {
    char *name, *shown; /* its folder; the same fit for a line of a terminal */
    heed_run_course k;
} run;

typedef struct run_list {
    run *run;
    int64_t len, cap;
} run_list;

static int add(run_list *l, const char *name, heed_error *err) {
    char log[PATH + 16];
    if (heed__grow(NULL, &l->run, &l->cap, l->len + 1, sizeof *l->run))
        return heed__error(err, HEED_ENOMEM, "runs: out of memory");
    run *r = &l->run[l->len];
    snprintf(log, sizeof log, "%s/log.jsonl", name);
    const int rc = heed__run_course_read(&r->k, log, err);
    if (rc) return rc;
    r->name = strdup(name);
    r->shown = strdup(name);
    if (r->shown) heed__text_tidy(r->shown);
    l->len++;
    return r->name && r->shown ? 0 : heed__error(err, HEED_ENOMEM, "runs: out of memory");
}

static bool is_run(const char *folder) {
    char log[PATH + 16];
    struct stat st;
    snprintf(log, sizeof log, "%s/log.jsonl", folder);
    return stat(log, &st) == 0 && S_ISREG(st.st_mode) && access(log, R_OK) == 0;
}

static int by_name(const void *a, const void *b) {
    return strcmp(((const run *)a)->name, ((const run *)b)->name);
}

/* The run that a training of this model left beside it, or what was named. */
static const char *run_of(const char *named, char beside[PATH]) {
    const size_t len = strlen(named);
    const bool slash = len > 1 && named[len - 1] == '/';
    const int n = snprintf(beside, PATH, "%.*s.run", (int)(len - slash), named);
    return !is_run(named) && n < PATH && is_run(beside) ? beside : named;
}

/* The runs in a folder, in the order of their names. */
static int add_all(run_list *l, const char *folder, heed_error *err) {
    DIR *d = opendir(folder);
    if (!d) return heed__error(err, HEED_ENOTFOUND, "%s: no such folder", folder);
    const int64_t before = l->len;
    int rc = 0;
    for (struct dirent *e; rc == 0 && l->len < MOST_RUNS && (e = readdir(d));) {
        char name[PATH];
        const bool here = strcmp(folder, ".") == 0;
        const int n = snprintf(name, sizeof name, "%s%s%s", here ? "" : folder, here ? "" : "/",
                               e->d_name);
        if (e->d_name[0] != '.' && n < PATH && is_run(name)) rc = add(l, name, err);
    }
    closedir(d);
    if (l->len > before)
        qsort(l->run + before, (size_t)(l->len - before), sizeof *l->run, by_name);
    else if (rc == 0)
        rc = heed__error(err, HEED_ENOTFOUND, "%s: no run is there, no folder with a log.jsonl",
                         folder);
    return rc;
}

static double at_best(const heed_run_course *k, const double *series) {
    const int64_t at = k->best ? k->best : k->len;
    return at ? series[at - 1] : (double)NAN;
}

static void cell(double value) {
    if (isfinite(value))
        printf(" %9.4f", value);
    else
        printf(" %9s", "-");
}

static void print_table(const run_list *l) {
    int width = 4;
    for (int64_t i = 0; i < l->len; i++)
        if (cell_width(l->run[i].shown) > width) width = cell_width(l->run[i].shown);
    static const char *const columns[] = {
        "epochs", "best", "loss", "held out", "score", "seconds"
    };
    static const int widths[] = { 8, 7, 10, 10, 10, 10 };
    print_cell(tr("run"), -width);
    for (int i = 0; i < 6; i++) print_cell(tr(columns[i]), widths[i]);
    printf("  %s\n", tr("ended, settings"));
    for (int64_t i = 0; i < l->len; i++) {
        const heed_run_course *k = &l->run[i].k;
        print_cell(l->run[i].shown, -width);
        printf(" %7" PRId64 " %6" PRId64, k->len, k->best);
        cell(at_best(k, k->train_loss));
        cell(at_best(k, k->held_loss));
        cell(at_best(k, k->held_score));
        printf(" %9.1f  %s; %s\n", isfinite(k->seconds) ? k->seconds : 0,
               k->end[0] ? k->end : tr("not ended"), k->settings);
    }
}

static void field(const char *key, double value) {
    printf(", \"%s\": ", key);
    print_json_number(value);
}

/* docs/schemas/runs.json */
static void print_json(const run_list *l) {
    for (int64_t i = 0; i < l->len; i++) {
        const heed_run_course *k = &l->run[i].k;
        printf("{\"run\": ");
        print_json_text(l->run[i].name, strlen(l->run[i].name));
        printf(", \"epochs\": %" PRId64 ", \"best_epoch\": %" PRId64 ", \"examples\": %" PRId64
               ", \"parameters\": %" PRId64,
               k->len, k->best, k->examples, k->parameters);
        field("loss", at_best(k, k->train_loss));
        field("held_loss", at_best(k, k->held_loss));
        field("score", at_best(k, k->held_score));
        field("seconds", k->seconds);
        printf(", \"score_name\": ");
        print_json_text(k->score_name, strlen(k->score_name));
        printf(", \"ended\": ");
        print_json_text(k->end, strlen(k->end));
        printf(", \"settings\": ");
        print_json_text(k->settings, strlen(k->settings));
        printf("}\n");
    }
}

/* One chart of a series of every run drawn. */
static void draw(FILE *to, const run_list *l, const double *x, int which) {
    static const char *const colours[DRAWN] = { "a", "b", "c", "d", "e", "f" };
    static const char *const names[] = { "loss while learning", "loss, held out",
                                         "score, held out" };
    chart_line line[DRAWN];
    int n = 0;
    for (; n < DRAWN && n < l->len; n++) {
        const heed_run_course *k = &l->run[n].k;
        const double *y = which == 0 ? k->train_loss : which == 1 ? k->held_loss : k->held_score;
        line[n] = (chart_line){ l->run[n].shown, colours[n], x, y, k->len };
    }
    chart_lines(to, &(chart){ .x_name = tr("epoch"),
                              .y_name = tr(names[which]),
                              .line = line,
                              .lines = n,
                              .mark_x = (double)NAN });
}

/* The first DRAWN runs side by side. */
static int write_page(const run_list *l, const char *path, heed_error *err) {
    int64_t longest = 1;
    for (int64_t i = 0; i < l->len && i < DRAWN; i++)
        if (l->run[i].k.len > longest) longest = l->run[i].k.len;
    static const page_column columns[] = { { "run", false },
                                           { "best epoch", true },
                                           { "score", true },
                                           { "settings", false },
                                           { NULL, false } };
    double *x = calloc((size_t)longest, sizeof *x);
    char *page = NULL;
    size_t size = 0;
    FILE *to = x ? open_memstream(&page, &size) : NULL;
    for (int64_t i = 0; x && i < longest; i++) x[i] = (double)(i + 1);
    if (to) {
        page_begin(to, tr("Trainings compared"));
        fprintf(to, "<div class=\"row\">\n");
        for (int which = 0; which < 3; which++) draw(to, l, x, which);
        fprintf(to, "</div>\n<table>");
        page_columns(to, columns);
        for (int64_t i = 0; i < l->len; i++) {
            const heed_run_course *k = &l->run[i].k;
            fprintf(to, "<tr><td>");
            chart_text(to, l->run[i].shown);
            fprintf(to, "</td><td class=\"n\">");
            fprintf(to, tr("%" PRId64 " of %" PRId64), k->best, k->len);
            const double score = at_best(k, k->held_score);
            fprintf(to,
                    isfinite(score) ? "</td><td class=\"n\">%.4f</td><td>"
                                    : "</td><td class=\"n\">-</td><td>",
                    score);
            chart_text(to, k->settings);
            fprintf(to, "</td></tr>\n");
        }
        fprintf(to, "</table></body></html>\n");
    }
    const bool whole = to && fclose(to) == 0;
    const int rc = whole ? heed__file_write(NULL, path, page, size, err)
                         : heed__error(err, HEED_ENOMEM, "%s: out of memory", path);
    free(page);
    free(x);
    return rc;
}

int cmd_runs(int argc, char **argv) {
    bool json = false;
    const char *html = NULL, *operand[64] = { NULL };
    const opt options[] = {
        { "json", 0, OPT_FLAG, &json, 0, 0, NULL, "a JSON object a line (docs/schemas/runs.json)" },
        { "html", 0, OPT_PATH, &html, 0, 0, "FILE", "draw the first six side by side on a page" },
        { NULL, 0, OPT_FLAG, NULL, 0, 0, NULL, NULL },
    };
    const opt_command what = {
        "heed runs [FOLDER..] [options]",
        "Lists trainings and compares them by their logs: each FOLDER is a "
        "run, or a model's, beside which its run is, or holds runs (the present "
        "one).",
        options, 0, 64
    };
    const int n = opt_read(&what, argc, argv, operand);
    if (n < 0) return command_usage(n);
    heed_error err = { 0 };
    run_list l = { .run = NULL };
    int rc = n ? 0 : add_all(&l, ".", &err);
    for (int i = 0; rc == 0 && i < n; i++) {
        char beside[PATH];
        const char *of = run_of(operand[i], beside);
        rc = is_run(of) ? add(&l, of, &err) : add_all(&l, of, &err);
    }
    if (rc == 0 && json) print_json(&l);
    if (rc == 0 && !json) print_table(&l);
    if (rc == 0 && html) rc = write_page(&l, html, &err);
    for (int64_t i = 0; i < l.len; i++) {
        heed__run_course_free(&l.run[i].k);
        free(l.run[i].name);
        free(l.run[i].shown);
    }
    heed__free(NULL, l.run);
    return rc ? command_error(&err) : 0;
}
