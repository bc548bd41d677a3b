/* mend.h - the steps that have keys told again whose last record is not true any more.
 *
 * Through the log: so each has its place in the stream, and whoever holds the slot by then does it.
 */
#ifndef CALRELAY_PRODUCER_MEND_H
#define CALRELAY_PRODUCER_MEND_H

#include "producer/relay.h"

/* After the partitions' ends were read: what came late. */
void mend_begin(struct relay *relay);
enum relay_step mend_finish(struct relay *relay, struct fault *fault);

/* After an epoch's snapshot is in Kafka: what vanished before it. */
void mend_vanished_begin(struct relay *relay);
enum relay_step mend_vanished_finish(struct relay *relay, struct fault *fault);

#endif
