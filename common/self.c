/* self.c - a program's build and its use of the machine, as metrics. */
#include "common/self.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "calrelay_version.h"
#include "common/metrics.h"

static void self_set(struct metrics *metrics, const char *name, const char *help, double value)
{
	metric_set(metric_new(metrics, METRIC_GAUGE, name, help, "", NULL), NULL, value);
}

/* A number in a file of /proc/self, behind that many spaces; a name in brackets comes before the
 * first.  0 where it can't be read.  Source: proc(5) */
static unsigned long long self_number(const char *path, int spaces)
{
	FILE *file = fopen(path, "re");
	char text[1024];
	size_t size;
	const char *at;

	if (file == NULL) {
		return 0;
	}
	size = fread(text, 1, sizeof text - 1, file);
	fclose(file);
	text[size] = '\0';
	at = strrchr(text, ')');
	at = at != NULL ? at + 1 : text;
	while (at != NULL && spaces-- > 0) {
		at = strchr(at, ' ');
		at = at != NULL ? at + 1 : NULL;
	}
	return at != NULL ? strtoull(at, NULL, 10) : 0;
}

/* The clocks are read one after the other, so the sum moves by a little: once is enough. */
static double self_started(void)
{
	static double started;
	struct timespec boot;
	unsigned long long ticks;

	if (started != 0) {
		return started;
	}
	ticks = self_number("/proc/self/stat", 20); /* field 22 */
	if (ticks > 0) {
		clock_gettime(CLOCK_BOOTTIME, &boot);
		started = (double)time(NULL) - (double)boot.tv_sec +
			  (double)ticks / (double)sysconf(_SC_CLK_TCK);
	}
	return started;
}

static double self_memory_bytes(void)
{
	return (double)self_number("/proc/self/statm", 1) * (double)sysconf(_SC_PAGESIZE);
}

/* The directory's own is not counted. */
static int self_open_fds(void)
{
	DIR *folder = opendir("/proc/self/fd");
	const struct dirent *entry;
	int count = -1;

	if (folder == NULL) {
		return 0;
	}
	while ((entry = readdir(folder)) != NULL) {
		count += entry->d_name[0] != '.';
	}
	closedir(folder);
	return count;
}

static double seconds_of(struct timeval time)
{
	return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

static void self_set_build(struct metrics *metrics)
{
	struct metric *build = metric_new(metrics, METRIC_GAUGE, "calrelay_build_info", "Always 1",
					  "program,version,commit", NULL);

	metric_set(
	    build,
	    (const char *const[]){program_invocation_short_name, CALRELAY_VERSION, CALRELAY_COMMIT},
	    1);
}

static void self_set_process(struct metrics *metrics)
{
	struct metric *cpu = metric_new(metrics, METRIC_COUNTER, "process_cpu_seconds_total",
					"CPU time used", "", NULL);
	double started = self_started();
	double memory = self_memory_bytes();
	int fds = self_open_fds();
	struct rusage usage;
	struct rlimit limit;

	getrusage(RUSAGE_SELF, &usage);
	getrlimit(RLIMIT_NOFILE, &limit);
	metric_add(cpu, NULL, seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime));
	if (started > 0) {
		self_set(metrics, "process_start_time_seconds", "When it began, since 1970",
			 started);
	}
	if (memory > 0) {
		self_set(metrics, "process_resident_memory_bytes", "Memory in use", memory);
	}
	if (fds > 0) {
		self_set(metrics, "process_open_fds", "Open file descriptors", fds);
	}
	self_set(metrics, "process_max_fds", "How many may be open", (double)limit.rlim_cur);
}

void self_write_metrics(struct buf *out)
{
	struct metrics *metrics = metrics_new();

	self_set_build(metrics);
	self_set_process(metrics);
	metrics_write(metrics, out);
	metrics_free(metrics);
}
