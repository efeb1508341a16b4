/* process_memory.h: how many bytes this process takes, as the system and malloc count them. */
#ifndef HEED_APP_PROCESS_MEMORY_H
#define HEED_APP_PROCESS_MEMORY_H

/* From now on what is freed goes back to the system: at once where it is large, the rest with
 * process_memory_trim. Without this, memory freed once stands beside what is asked for later. Where
 * the C library has no say in it (musl gives back by itself), nothing. */
void process_memory_tidy(void);
void process_memory_trim(void);

double process_memory_resident(void); /* in memory now, with all of its code, which may be used */
double process_memory_peak(void);     /* the most that has been in memory so far */
/* What malloc has given out and not got back, whether it was written to or not; 0: unknown. */
double process_memory_held(void);

#endif
