/* clock.c - loaded before a program: its wall clock is CLOCK_OFF_SECONDS off, as on a machine whose
 * clock is wrong.
 *
 * Only for calls from the program itself: a library's waits would otherwise mix our time with the
 * kernel's, which a clock that is really off does not. */
#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* The program's headers lie where it was loaded. */
static int is_of_program(void *code)
{
	Dl_info info;

	return dladdr(code, &info) != 0 && getauxval(AT_PHDR) - (uintptr_t)info.dli_fbase < 4096;
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
	long status = syscall(SYS_clock_gettime, clock, now);
	const char *off = getenv("CLOCK_OFF_SECONDS");

	if (clock == CLOCK_REALTIME && off != NULL && is_of_program(__builtin_return_address(0))) {
		now->tv_sec += atoll(off);
	}
	return (int)status;
}
