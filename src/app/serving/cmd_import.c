/* cmd_import.c: `heed import dialogues`: past conversations become replies for the support desk. */
#include <stdio.h>
#include <string.h>

#include "app/messages.h"
#include "app/commands.h"
#include "app/options.h"
#include "base/alloc.h"
#include "base/file.h"
#include "base/json.h"
#include "serve/dialogues.h"
#include "app/serving/serve.h"

enum { FILES_MOST = 64 };

static int write_pair(heed_writer *w, const heed_pair *p, heed_error *err) {
    json_t *tree = json_pack("{s:s*, s:s, s:s, s:I, s:I}", "intent", p->intent, "question",
                             p->question, "reply", p->reply, "times", (json_int_t)p->times,
                             "replies", (json_int_t)p->replies);
    size_t len;
    char *text = tree ? heed__json_text(NULL, tree, false, &len, err) : NULL;
    if (text) {
        heed__writer_write(w, text, len);
        heed__writer_write(w, "\n", 1);
    }
    const int rc = text ? 0 : HEED_ENOMEM;
    if (!tree) heed__error(err, rc, "import: out of memory");
    heed__free(NULL, text);
    json_decref(tree);
    return rc;
}

static int write_all(heed_dialogues *d, const char *out, int64_t *n, heed_error *err) {
    const heed_pair *p;
    int rc = heed_dialogues_merge(d, &p, n, err);
    if (rc == 0 && *n == 0)
        rc = heed__error(err, HEED_EFORMAT, "no question with a reply in what was read");
    heed_writer *w = rc == 0 ? heed__writer_new(NULL, out, err) : NULL;
    if (!w) return rc ? rc : err->code;
    for (int64_t i = 0; rc == 0 && i < *n; i++) rc = write_pair(w, &p[i], err);
    if (rc == 0) return heed__writer_commit(w, err);
    heed__writer_abort(w);
    return rc;
}

static int run(const char *const *file, int files, const char *out) {
    heed_error err = { 0 };
    int64_t n = 0;
    heed_dialogues *d = heed_dialogues_new(NULL, &err);
    int rc = d ? 0 : err.code;
    for (int i = 0; rc == 0 && i < files; i++) rc = heed_dialogues_read(d, file[i], &err);
    if (rc == 0) rc = write_all(d, out, &n, &err);
    if (rc == 0) {
        const heed_dialogues_count c = heed_dialogues_counted(d);
        if (c.conversations) complain(tr("%lld conversations; "), (long long)c.conversations);
        complain(tr("%lld questions with replies, %lld greetings and thanks left out, %lld merged: "
                    "%lld replies in %s\n"),
                 (long long)c.pairs, (long long)c.small_talk, (long long)c.merged, (long long)n,
                 out);
    }
    heed_dialogues_free(d);
    return rc ? command_error(&err) : 0;
}

int serve_import(int argc, char **argv) {
    const char *out = NULL, *operand[FILES_MOST];
    const opt options[] = {
        { "out", 'o', OPT_PATH, &out, 0, 0, "FILE", "JSON lines to write, for --replies" },
        { 0 },
    };
    const opt_command about = { "heed import dialogues FILE... -o REPLIES.jsonl",
                                "Makes replies for the support desk from past conversations (JSON "
                                "lines, CSV, TSV): each question with its best reply, equal "
                                "questions merged.",
                                options, 2, FILES_MOST };
    const int n = opt_read(&about, argc, argv, operand);
    if (n < 0) return command_usage(n);
    if (strcmp(operand[0], "dialogues") != 0) {
        complain(tr("heed: import knows dialogues, not '%s'; see --help\n"), operand[0]);
        return EXIT_USAGE;
    }
    if (!out) {
        complain(tr("heed: import needs --out FILE\n"));
        return EXIT_USAGE;
    }
    return run(operand + 1, n - 1, out);
}
