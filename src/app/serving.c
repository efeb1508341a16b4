/* serving.c: finds libheed-serve.so and gives it the command. What serves stands on SQLite, libcurl
 * and others, whose loading alone takes longer than most commands run. */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app/commands.h"
#include "app/messages.h"

#ifndef HEED_PLUGIN_DIR
#define HEED_PLUGIN_DIR "/usr/local/lib/heed"
#endif

enum { EXIT_UNSUPPORTED = 69, PATH_SIZE = 4096 };

/* Where the library lies: beside the program as it is built, under lib as it is installed with it,
 * or where the installation put it. */
static void find(char *path, size_t size) {
    static const char *const places[] = { "", "/../lib/heed" };
    char program[PATH_SIZE];
    const ssize_t len = readlink("/proc/self/exe", program, sizeof program - 1);
    program[len < 0 ? 0 : len] = 0;
    char *slash = strrchr(program, '/');
    if (slash) *slash = 0;
    for (size_t i = 0; slash && i < sizeof places / sizeof *places; i++) {
        snprintf(path, size, "%s%s/libheed-serve.so", program, places[i]);
        if (access(path, R_OK) == 0) return;
    }
    snprintf(path, size, "%s/libheed-serve.so", HEED_PLUGIN_DIR);
}

int serving_run(int argc, char **argv) {
    char path[PATH_SIZE + 64];
    find(path, sizeof path);
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    void *symbol = library ? dlsym(library, "heed_serve_main") : NULL;
    if (!symbol) {
        complain(tr("heed: `heed %s` needs libheed-serve.so: %s\n"), argv[0], dlerror());
        return EXIT_UNSUPPORTED;
    }
    int (*run)(int, char **);
    memcpy(&run, &symbol, sizeof run);
    return run(argc, argv);
}
