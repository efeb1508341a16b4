/* cmd_report.c: `heed report FLOW.yaml`: what a day brought. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app/commands.h"
#include "app/options.h"
#include "base/alloc.h"
#include "base/date.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "base/thread.h"
#include "serve/report.h"
#include "app/serving/serve.h"
#include "serve/store_option.h"
#include "store/look.h"

enum { DAY_MS = 86400000 };

typedef struct asked {
    const char *day, *format, *out, *store;
    int64_t most;
} asked;

static int64_t zone_ms(const char *zone) { /* "+08:00"; anything else is UTC */
    int64_t hours = 0, minutes = 0;
    if (strlen(zone) != 6 || (zone[0] != '+' && zone[0] != '-')) return 0;
    if (!heed__parse_int(zone + 1, 2, &hours) || !heed__parse_int(zone + 4, 2, &minutes)) return 0;
    return (zone[0] == '-' ? -1 : 1) * (hours * 60 + minutes) * 60000;
}

/* The day asked for, or that of the last event; its begin. 0 or a status. */
static int day_of(const asked *a, heed_report_cfg *cfg, heed_error *err) {
    int64_t ms = heed__now_ms();
    if (a->day) {
        if (strlen(a->day) != 10 || !heed__date_read(a->day, 10, &ms))
            return heed__error(err, HEED_EINVALID, "--day %s: is no date such as 2026-11-21",
                               a->day);
        cfg->from_ms = ms - cfg->zone_ms;
    } else {
        const heed_look last = { .most = 1 };
        json_t *page = heed_look_events(cfg->store, &last, err);
        if (!page) return err->code ? err->code : HEED_EIO;
        const char *time = json_string_value(
            json_object_get(json_array_get(json_object_get(page, "events"), 0), "time"));
        if (time) heed__date_read(time, strlen(time), &ms);
        json_decref(page);
        ms += cfg->zone_ms;
        cfg->from_ms = ms - (ms % DAY_MS + DAY_MS) % DAY_MS - cfg->zone_ms;
    }
    cfg->to_ms = cfg->from_ms + DAY_MS;
    return HEED_OK;
}

/* md, html or json: as said, else by the file's name, else Markdown. NULL: none of them. */
static const char *format_of(const asked *a) {
    const char *format = a->format;
    const char *dot = !format && a->out ? strrchr(a->out, '.') : NULL;
    if (!format) format = dot ? dot + 1 : "md";
    static const char *const known[] = { "md", "html", "json" };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(format, known[i]) == 0) return known[i];
    return a->format ? NULL : "md";
}

static int write_report(const asked *a, const heed_report_cfg *cfg, heed_error *err) {
    const char *format = format_of(a);
    if (!format)
        return heed__error(err, HEED_EINVALID, "--format %s: is not one of md, html, json",
                           a->format);
    json_t *report = heed__report(cfg, err);
    if (!report) return err->code ? err->code : HEED_EIO;
    size_t size = 0;
    char *text = strcmp(format, "html") == 0 ? heed__report_html(report, &size, err)
                 : strcmp(format, "md") == 0 ? heed__report_markdown(report, &size, err)
                                             : heed__json_text(NULL, report, true, &size, err);
    json_decref(report);
    if (!text) return err->code ? err->code : HEED_ENOMEM;
    int status = HEED_OK;
    if (a->out)
        status = heed__file_write(NULL, a->out, text, size, err);
    else if (fwrite(text, 1, size, stdout) != size || fflush(stdout) != 0)
        status = heed__error(err, HEED_EIO, "standard output could not be written");
    heed__free(NULL, text);
    return status;
}

static int run(const asked *a, const char *flow_path, heed_error *err) {
    heed_flow *flow = NULL;
    if (!flow_path && !a->store && access("flow.yaml", F_OK) == 0) flow_path = "flow.yaml";
    if (flow_path && !(flow = heed_flow_open(flow_path, NULL, err))) return err->code;
    const heed_store_option where = { .flow = flow_path, .store = a->store };
    heed_store *store = heed__store_option_open(&where, true, err);
    int status = store ? HEED_OK : err->code ? err->code : HEED_EIO;
    heed_report_cfg cfg = { .store = store,
                            .name = flow && flow->name ? flow->name : "heed",
                            .zone = flow && flow->zone ? flow->zone : "UTC",
                            .most = a->most };
    cfg.zone_ms = zone_ms(cfg.zone);
    if (!status) status = day_of(a, &cfg, err);
    if (!status) status = write_report(a, &cfg, err);
    heed_store_close(store);
    heed_flow_close(flow);
    return status;
}

int serve_report(int argc, char **argv) {
    asked a = { .most = 12 };
    const char *operand[1] = { NULL };
    const opt options[] = {
        { "day", 0, OPT_TEXT, &a.day, 0, 0, "DATE",
          "as 2026-11-21, in the flow's zone (the day of the last event)" },
        { "format", 0, OPT_TEXT, &a.format, 0, 0, "F",
          "md, html, json (by the file's name, or md)" },
        { "out", 'o', OPT_PATH, &a.out, 0, 0, "FILE", "instead of standard output" },
        { "most", 0, OPT_INT, &a.most, 1, 100, "N", "lines of each list (12)" },
        { "store", 0, OPT_PATH, &a.store, 0, 0, "FILE", "the store, where it is not the flow's" },
        { 0 },
    };
    const opt_command about = {
        "heed report [FLOW.yaml] [options]",
        "What a day brought: topics, mood, entities and what changed since the day before; alerts "
        "with why; stories, who told them first and who repeated them; quotes, each with its event "
        "and bytes; sources. The HTML is one file that needs no network. A server may be running.",
        options, 0, 1
    };
    const int read = opt_read(&about, argc, argv, operand);
    if (read < 0) return command_usage(read);
    heed_error err = { 0 };
    return run(&a, read > 0 ? operand[0] : NULL, &err) ? command_error(&err) : 0;
}
