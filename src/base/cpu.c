/* cpu.c: how many processors this process may run on: those of its affinity mask, which taskset,
 * cgroup cpusets and job schedulers set, rather than those that the machine has. And a thread's way
 * to another of them. */
#include "base/cpu.h"

#include <errno.h>
#include <sched.h>
#include <stddef.h>

int heed__cpu_count(void) {
    /* The kernel refuses a mask with less room than it has processors: try larger ones. */
    for (size_t room = 1024; room <= 65536; room *= 2) {
        cpu_set_t *set = CPU_ALLOC(room);
        if (!set) return 1;
        const size_t size = CPU_ALLOC_SIZE(room);
        const int failed = sched_getaffinity(0, size, set) != 0 ? errno : 0;
        const int count = failed ? 0 : CPU_COUNT_S(size, set);
        CPU_FREE(set);
        if (count > 0) return count;
        if (failed != EINVAL) return 1;
    }
    return 1;
}

int heed__cpu_here(void) {
    return sched_getcpu();
}

/* A machine of more than CPU_SETSIZE processors refuses such a set, and nothing moves. */
bool heed__cpu_leave(int cpu, int least) {
    cpu_set_t all;
    if (cpu < 0 || cpu >= CPU_SETSIZE || sched_getaffinity(0, sizeof all, &all) != 0) return false;
    if (CPU_COUNT(&all) < (least > 2 ? least : 2)) return false;
    cpu_set_t others = all;
    CPU_CLR((size_t)cpu, &others);
    if (sched_setaffinity(0, sizeof others, &others) != 0) return false;
    return sched_setaffinity(0, sizeof all, &all) == 0;
}
