/* data.c: data files for commands: what is wrong with one is printed, ten lines of it at once. */
#include "app/data.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "app/commands.h"
#include "app/messages.h"

const char *data_name(const char *file) {
    return strcmp(file, "-") == 0 ? tr("standard input") : file;
}

/* Where nothing tells which column is what: few texts with many labels each are labels. */
static int check_order(heed_dataset *d, const char *file, heed_error *err) {
    int64_t other = 0;
    if (!d->placed || d->len < 20 || heed__dataset_overlap(d, d, &other, NULL) < 0) return 0;
    if (other <= d->len / 2) return 0;
    heed__dataset_free(d);
    snprintf(err->msg, sizeof err->msg,
             "%.300s: read as label, then text, most texts are an earlier one with another label; "
             "is it the other way round? Say --text and --label",
             data_name(file));
    return err->code = HEED_EFORMAT;
}

int data_read(heed_dataset *d, const char *file, const heed_dataset_cfg *cfg, heed_error *err) {
    heed_problems problems = { 0 };
    const heed_hooks hooks = { .cancel = command_cancelled };
    heed_dataset_cfg own = *cfg;
    own.problems = &problems;
    own.hooks = &hooks;
    const int rc = heed__dataset_read(d, file, &own, err);
    if (rc == 0) return check_order(d, file, err);
    if (rc != HEED_EFORMAT || problems.count < 2) return rc;
    char text[MESSAGE_SIZE];
    for (int64_t i = 0; i < problems.count; i++) complain("%s\n", tr_made(problems.text[i], text));
    snprintf(err->msg, sizeof err->msg, "%.300s: %s%" PRId64 " lines are wrong", data_name(file),
             problems.count == HEED_PROBLEMS ? "at least " : "", problems.count);
    return rc;
}

/* ", 3 of them with another label", where they have labels. */
static void tell_others(int64_t other, const char *of) {
    if (of) printf(tr(", %" PRId64 " of them with another %s"), other, tr(of));
    printf("\n");
}

void data_tell(const heed_dataset *d, const char *file, const char *of) {
    int64_t other;
    char how[MESSAGE_SIZE];
    const int64_t repeated = heed__dataset_overlap(d, d, &other, NULL);
    printf(tr("%s: %" PRId64 " texts; %s\n"), data_name(file), d->len, tr_made(d->how, how));
    if (repeated <= 0 || !*d->text[0]) return;
    printf(tr("%s: %" PRId64 " texts repeat an earlier one"), data_name(file), repeated);
    tell_others(other, of);
}

void data_tell_overlap(const heed_dataset *a, const char *a_file, const heed_dataset *b,
                       const char *b_file, const char *of) {
    int64_t other;
    const int64_t same = heed__dataset_overlap(a, b, &other, NULL);
    if (same <= 0 || !*b->text[0]) return;
    printf(tr("%s: %" PRId64 " of %" PRId64 " texts are in %s too"), data_name(b_file), same,
           b->len, data_name(a_file));
    tell_others(other, of);
}
