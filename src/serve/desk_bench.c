/* desk_bench.c: data into what desks read, models trained, desks tested. */
#include "serve/desk_bench.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/folder.h"
#include "base/json_put.h"
#include "base/temporary.h"
#include "base/text.h"
#include "base/thread.h"
#include "heed/tasks.h"
#include "io/dataset.h"

typedef struct benching {
    const heed_desk_bench_cfg *cfg;
    char dir[HEED_PATH_SIZE];
    heed_dataset train, valid, test;
} benching;

static void path_of(const benching *b, const char *name, char path[HEED_PATH_SIZE]) {
    heed__format(path, HEED_PATH_SIZE, "%s/%s", b->dir, name);
}

/* -- data -------------------------------------------------------------------------------------- */

static bool is_none(const benching *b, const char *label) {
    return !label || (b->cfg->none && strcmp(label, b->cfg->none) == 0);
}

static int read_data(benching *b, const char *path, heed_dataset *to, heed_error *err) {
    if (!path) return 0;
    const heed_dataset_cfg how = { .hooks = b->cfg->hooks };
    const int rc = heed__dataset_read(to, path, &how, err);
    if (rc == 0 && to->several)
        return heed__error(err, HEED_EUNSUPPORTED, "%s: several labels a message", path);
    return rc;
}

/* Those that have an intent, in place; what is left of the labels' order stays. */
static void leave_none_out(const benching *b, heed_dataset *d) {
    int64_t kept = 0;
    for (int64_t i = 0; i < d->len; i++) {
        if (is_none(b, d->label[i])) continue;
        d->text[kept] = d->text[i];
        d->label[kept++] = d->label[i];
    }
    d->len = kept;
}

/* {"intent","question","reply"}, each but the question as often as it is first met with `once`. */
static void put_reply(heed_text *to, const char *intent, const char *question) {
    char reply[512];
    heed__format(reply, sizeof reply, "This is about %s.", intent);
    heed__text_puts(to, "{\"intent\":");
    heed__json_put_string(to, intent);
    if (question) heed__text_puts(to, ",\"question\":");
    if (question) heed__json_put_string(to, question);
    heed__text_puts(to, ",\"reply\":");
    heed__json_put_string(to, reply);
    heed__text_puts(to, "}\n");
}

static void put_message(heed_text *to, const char *text, const char *intent) {
    heed__text_puts(to, "{\"question\":");
    heed__json_put_string(to, text);
    heed__text_puts(to, ",\"intent\":");
    heed__json_put_string(to, intent);
    heed__text_puts(to, "}\n");
}

static int write_text(const benching *b, const char *name, heed_text *text, heed_error *err) {
    char path[HEED_PATH_SIZE];
    path_of(b, name, path);
    const int rc = text->failed
                       ? heed__error(err, HEED_ENOMEM, "bench: out of memory")
                       : heed__file_write(b->cfg->hooks, path, text->bytes ? text->bytes : "",
                                          (size_t)text->len, err);
    heed__text_free(text);
    return rc;
}

static int write_files(const benching *b, heed_error *err) {
    heed_text replies = { .hooks = b->cfg->hooks }, questions = replies, messages = replies;
    for (int64_t i = 0; i < b->train.len; i++) {
        bool known = false;
        for (int64_t k = 0; k < i && !known; k++)
            known = strcmp(b->train.label[k], b->train.label[i]) == 0;
        if (!known) put_reply(&replies, b->train.label[i], NULL);
        put_reply(&questions, b->train.label[i], b->train.text[i]);
    }
    for (int64_t i = 0; i < b->test.len; i++)
        put_message(&messages, b->test.text[i],
                    is_none(b, b->test.label[i]) ? NULL : b->test.label[i]);
    int rc = write_text(b, "replies.jsonl", &replies, err);
    if (rc == 0) rc = write_text(b, "questions.jsonl", &questions, err);
    if (rc == 0) rc = write_text(b, "messages.jsonl", &messages, err);
    heed__text_free(&questions);
    heed__text_free(&messages);
    return rc;
}

/* -- rows -------------------------------------------------------------------------------------- */

static int train(const benching *b, const char *name, bool attention, heed_error *err) {
    const heed_examples data = { .len = b->train.len,
                                 .text = b->train.text,
                                 .label = b->train.label };
    const heed_examples held = { .len = b->valid.len,
                                 .text = b->valid.text,
                                 .label = b->valid.label };
    const heed_classify_cfg cfg = { .recipe = "attend",
                                    .no_attention = !attention,
                                    .windows = true,
                                    .seed = 1,
                                    .valid = held.len ? &held : NULL,
                                    .valid_part = 0.1,
                                    .threads = b->cfg->threads,
                                    .hooks = b->cfg->hooks };
    char path[HEED_PATH_SIZE];
    path_of(b, name, path);
    heed_classifier *c = heed_classifier_train(&data, &cfg, err);
    if (!c) return err->code;
    const int rc = heed_classifier_save(c, path, err);
    heed_classifier_close(c);
    return rc;
}

static int ask(const benching *b, const char *model, const char *replies, heed_desk_tested *to,
               heed_error *err) {
    char folder[HEED_PATH_SIZE], said[HEED_PATH_SIZE], messages[HEED_PATH_SIZE];
    path_of(b, model ? model : "", folder);
    path_of(b, replies, said);
    path_of(b, "messages.jsonl", messages);
    const heed_analysis_cfg intent = { .name = "intent", .kind = "classify", .model = folder };
    const heed_desk_cfg desk = { .intent = model ? "intent" : NULL,
                                 .replies = said,
                                 .least = b->cfg->least,
                                 .scope = b->cfg->scope };
    const heed_flow flow = { .analysis = &intent, .analyses = 1, .desk = &desk };
    heed_desk *d = heed_desk_open(&flow, NULL, b->cfg->hooks, err);
    const int rc = d ? heed_desk_test(d, messages, to, err) : err->code;
    heed_desk_close(d);
    return rc;
}

static int run(benching *b, heed_error *err) {
    static const struct {
        const char *what, *model, *replies;
        bool attention;
    } row[HEED_DESK_BENCHED] = {
        { "attend", "attend", "replies.jsonl", true },
        { "bag of words", "bag", "replies.jsonl", false },
        { "nearest question", NULL, "questions.jsonl", false },
    };
    int rc = read_data(b, b->cfg->train, &b->train, err);
    if (rc == 0) rc = read_data(b, b->cfg->valid, &b->valid, err);
    if (rc == 0) rc = read_data(b, b->cfg->test, &b->test, err);
    if (rc) return rc;
    leave_none_out(b, &b->train);
    leave_none_out(b, &b->valid);
    rc = write_files(b, err);
    for (int i = 0; rc == 0 && i < HEED_DESK_BENCHED; i++) {
        heed_desk_tested tested;
        const int64_t start = heed__ticks_ns();
        if (row[i].model) rc = train(b, row[i].model, row[i].attention, err);
        const double seconds = row[i].model ? (double)(heed__ticks_ns() - start) * 1e-9 : 0;
        if (rc == 0) rc = ask(b, row[i].model, row[i].replies, &tested, err);
        if (rc == 0 && b->cfg->tell) b->cfg->tell(b->cfg->user, i, row[i].what, seconds, &tested);
    }
    return rc;
}

/* -- the folder -------------------------------------------------------------------------------- */

int heed_desk_bench(const heed_desk_bench_cfg *cfg, heed_error *err) {
    benching b = { .cfg = cfg };
    const int made = heed__temporary_folder(b.dir, "bench", err);
    if (made) return made;
    const int rc = run(&b, err);
    heed__dataset_free(&b.train);
    heed__dataset_free(&b.valid);
    heed__dataset_free(&b.test);
    heed__temporary_folder_remove(b.dir);
    return rc;
}
