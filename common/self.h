/* self.h - what a program tells of itself as a process: its build, memory, CPU and files. */
#ifndef CALRELAY_COMMON_SELF_H
#define CALRELAY_COMMON_SELF_H

#include "common/buf.h"

/* Appends calrelay_build_info and, by the names that Prometheus' client libraries use, process_*.
 * What can't be read is left out. */
void self_write_metrics(struct buf *out);

#endif
