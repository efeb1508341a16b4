/* process_memory.c: /proc, getrusage and glibc's account of malloc. */
#include "app/process_memory.h"

#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#ifdef __GLIBC__
#include <malloc.h>
#endif

void process_memory_tidy(void) {
#ifdef __GLIBC__
    mallopt(M_MMAP_THRESHOLD, 1 << 17); /* and it stays there: by itself it rises to 32 MB */
#endif
    process_memory_trim();
}

void process_memory_trim(void) {
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}

double process_memory_resident(void) {
    extern const char __executable_start[], etext[];
    long long pages = 0, in_memory = 0;
    FILE *in = fopen("/proc/self/statm", "r");
    if (in && fscanf(in, "%lld %lld", &pages, &in_memory) != 2) in_memory = 0;
    if (in) fclose(in);
    return (double)in_memory * (double)sysconf(_SC_PAGESIZE) + (double)(etext - __executable_start);
}

double process_memory_peak(void) {
    struct rusage used;
    return getrusage(RUSAGE_SELF, &used) == 0 ? 1024.0 * (double)used.ru_maxrss : 0;
}

double process_memory_held(void) {
#if defined(__GLIBC__) && (__GLIBC__ > 2 || (__GLIBC__ == 2 && __GLIBC_MINOR__ >= 33))
    const struct mallinfo2 all = mallinfo2();
    return (double)all.uordblks + (double)all.hblkhd;
#else
    return 0;
#endif
}
