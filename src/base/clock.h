/* Time. Wall and monotonic microseconds; one place reads the system's clock. What must be testable takes
 * `now` as an argument instead of calling these. Any thread. */
#ifndef SMARTCITY_BASE_CLOCK_H
#define SMARTCITY_BASE_CLOCK_H

#include <stdint.h>

int64_t clock_wall_us(void); /* since 1970 UTC */
int64_t clock_mono_us(void);
int64_t clock_thread_cpu_us(void);
int64_t clock_process_cpu_us(void);
/* Sleeps until the monotonic time, or returns early on a signal. */
void clock_sleep_until(int64_t mono_us);

#endif
