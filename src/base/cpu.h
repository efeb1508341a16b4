/* cpu.h: how many processors this process may run on. */
#ifndef HEED_BASE_CPU_H
#define HEED_BASE_CPU_H

int heed__cpu_count(void); /* at least 1 */

#endif
