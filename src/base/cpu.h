/* cpu.h: on which processors this process may run, and the calling thread runs. */
#ifndef HEED_BASE_CPU_H
#define HEED_BASE_CPU_H

#include <stdbool.h>

int heed__cpu_count(void); /* at least 1 */

/* The core that the calling thread runs on, -1 where that is not known. */
int heed__cpu_here(void);

/* Moves the calling thread from `cpu` to another core that it may run on; the set of cores that it
 * may run on stays. False where it has fewer than `least` of them (2 at least), or the system
 * refuses. */
bool heed__cpu_leave(int cpu, int least);

#endif
