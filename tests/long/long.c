/* long.c: what the long trainings share. */
#include "long.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

trial trial_new(uint64_t seed) {
    heed_error err = { 0 };
    trial t = { 0 };
    t.cx = heed_ctx_new(&(heed_ctx_cfg){ .train = true, .seed = seed, .threads = 1 }, &err);
    t.ps = heed_params_new(&(heed_params_cfg){ .seed = seed }, &err);
    if (!t.cx || !t.ps) fail_msg("%s", err.msg);
    return t;
}

void trial_optim(trial *t, const heed_optim_cfg *cfg) {
    heed_error err = { 0 };
    if (heed_params_error(t->ps)) fail_msg("%s", heed_params_error(t->ps)->msg);
    t->opt = heed_optim_new(t->cx, t->ps, cfg, &err);
    if (!t->opt) fail_msg("%s", err.msg);
}

double trial_step(trial *t, heed_tensor *loss) {
    if (!loss) fail_msg("%s", heed_ctx_error(t->cx)->msg);
    const double value = (double)heed_item(loss);
    if (heed_backward(t->cx, loss)) fail_msg("%s", heed_ctx_error(t->cx)->msg);
    if (heed_optim_step(t->opt)) fail_msg("%s", heed_optim_error(t->opt)->msg);
    heed_ctx_reset(t->cx);
    return value;
}

void trial_end(trial *t) {
    heed_optim_free(t->opt);
    heed_params_free(t->ps);
    heed_ctx_free(t->cx);
}

char *data_unpack(const char *set, const char *file, size_t *len) {
    const char *named = getenv("HEED_DATA");
    char path[512], command[600];
    snprintf(path, sizeof path, "%s/%s/%s", named ? named : HEED_SOURCE_DIR "/../shared/data", set,
             file);
    FILE *there = fopen(path, "rb");
    if (!there) {
        print_message("skipped: no %s (HEED_DATA names the folder of data sets)\n", path);
        return NULL;
    }
    fclose(there);
    const char *tool = strstr(file, ".gz") ? "gzip" : "zstd";
    snprintf(command, sizeof command, "%s -dc '%s'", tool, path);
    FILE *pipe = popen(command, "r");
    size_t room = 1 << 20, n = 0;
    char *text = malloc(room + 1);
    for (size_t got; pipe && text && (got = fread(text + n, 1, room - n, pipe)) > 0;)
        if ((n += got) == room) text = realloc(text, (room *= 2) + 1);
    const bool whole = pipe && pclose(pipe) == 0 && text;
    if (!whole) {
        print_message("skipped: %s could not unpack %s\n", tool, path);
        free(text);
        return NULL;
    }
    text[n] = 0;
    *len = n;
    return text;
}

int64_t largest(const float *x, int64_t n) {
    int64_t best = 0;
    for (int64_t i = 1; i < n; i++)
        if (x[i] > x[best]) best = i;
    return best;
}
