/* frames.h - who may show our page inside their own: CALRELAY_FRAME_ANCESTORS.
 *
 * Pure. */
#ifndef CALRELAY_CONNECT_FRAMES_H
#define CALRELAY_CONNECT_FRAMES_H

#include <stdbool.h>

#include "common/fault.h"

#define FRAMES_SIZE 2048

struct frames {
	char ancestors[FRAMES_SIZE]; /* of the policy's frame-ancestors: origins, or 'none' */
	bool is_allowed;
};

/* text: origins between spaces or commas; NULL or "": nobody.  Each is https://host[:port], plain
 * http only for loopback, no path and no star.  False with FAULT_FATAL that names the bad one. */
bool frames_parse(struct frames *frames, const char *text, struct fault *fault) MUST_CHECK;

#endif
