/* serving.c: finds libheed-serve.so and gives it the command. What serves stands on SQLite, libcurl
 * and others, whose loading alone takes longer than most commands run. */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app/commands.h"
#include "base/text.h"

#ifndef HEED_PLUGIN_DIR
#define HEED_PLUGIN_DIR "/usr/local/lib/heed"
#endif

enum { EXIT_UNSUPPORTED = 69, PATH_SIZE = 4096 };

int serving_run(int argc, char **argv) {
    char program[PATH_SIZE], path[PATH_SIZE + 64];
    const ssize_t len = readlink("/proc/self/exe", program, sizeof program - 1);
    program[len < 0 ? 0 : len] = 0;
    char *slash = strrchr(program, '/');
    if (slash) *slash = 0;
    heed__format(path, sizeof path, "%s/libheed-serve.so", program);
    if (!slash || access(path, R_OK) != 0)
        heed__format(path, sizeof path, "%s/libheed-serve.so", HEED_PLUGIN_DIR);
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    void *symbol = library ? dlsym(library, "heed_serve_main") : NULL;
    if (!symbol) {
        fprintf(stderr, "heed: `heed %s` needs libheed-serve.so: %s\n", argv[0], dlerror());
        return EXIT_UNSUPPORTED;
    }
    int (*run)(int, char **);
    memcpy(&run, &symbol, sizeof run);
    return run(argc, argv);
}
