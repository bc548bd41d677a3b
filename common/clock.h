/* clock.h - what time it is: wall clock for people, monotonic for deadlines, boot for leases. */
#ifndef CALRELAY_COMMON_CLOCK_H
#define CALRELAY_COMMON_CLOCK_H

#include <stdint.h>

int64_t clock_wall_us(void); /* microseconds since 1970-01-01 UTC */
int64_t clock_wall_ms(void);
int64_t clock_mono_ms(void); /* CLOCK_MONOTONIC: stands still while the machine sleeps */
int64_t clock_boot_ms(void); /* CLOCK_BOOTTIME: goes on while the machine sleeps; for leases */

#endif
