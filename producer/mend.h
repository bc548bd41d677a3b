/* mend.h - the step that has late records' keys told again, through the log, so that the newest
 * record of each key is a true one. */
#ifndef CALRELAY_PRODUCER_MEND_H
#define CALRELAY_PRODUCER_MEND_H

#include "producer/relay.h"

void mend_begin(struct relay *relay);
enum relay_step mend_finish(struct relay *relay, struct fault *fault);

#endif
