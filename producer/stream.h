/* stream.h - the replication connection once it streams: frames in, standby status out.
 *
 * What is full is left in the socket; the status goes on all the while, so the server keeps us. */
#ifndef CALRELAY_PRODUCER_STREAM_H
#define CALRELAY_PRODUCER_STREAM_H

#include "producer/feed.h"
#include "producer/relation.h"
#include "producer/session.h"

struct stream_origin; /* a name that changes on their way point to */

struct stream {
	struct loop *loop;
	struct session *session; /* owned from stream_open on */
	struct ack *ack;
	struct feed *feed;
	const struct catalog *catalog;
	struct relations relations;
	struct pgoutput_message message; /* large: the one being decoded */
	struct feed_place place;	 /* of the transaction being decoded */
	struct stream_origin *origins;
	bool in_transaction;
	uint64_t last_commit_lsn;
	uint64_t expected_lsn; /* a commit that has to come: Kafka has it, the slot was not told */
	bool is_other;	       /* it did not come: the server's log is another */
	bool reading;	       /* false: only the status goes on */
	bool is_full;	       /* the socket is left unread until there is room again */
	uv_timer_t tick;
	uint64_t told_lsn; /* last status */
	int64_t told_ms;
	int64_t heard_ms;
	struct loop_call more;
	bool more_due;
	uint32_t unexplained_type; /* seen once: the catalog is read anew */
	/* The stream ended, or can't go on. */
	void (*failed)(struct stream *stream, const struct fault *fault);
};

void stream_init(struct stream *stream, struct loop *loop, const struct hostmap *map);
void stream_close(struct stream *stream);

/* Takes over a session in COPY BOTH mode.  Until stream_read only the status is sent.
 * expected_lsn and is_other are the caller's to set until then. */
void stream_open(struct stream *stream, struct session *session);
void stream_read(struct stream *stream);
void stream_resume(struct stream *stream); /* there may be room again, or flushed_lsn moved */
void stream_stop_reading(struct stream *stream);
void stream_tell(struct stream *stream); /* the status, now */
void stream_drop(struct stream *stream); /* closes the session; failed will not come */

#endif
