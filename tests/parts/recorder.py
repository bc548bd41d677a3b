"""recorder.py - what a walsender sends for a slot, frame by frame, as bytes in files."""
import datetime
import struct

import psycopg2
import psycopg2.extras

PUBLICATIONS = "calrelay,calrelay_requests"
# As producer/session.c sets them.
OPTIONS = ("-c datestyle=ISO -c intervalstyle=postgres -c extra_float_digits=3 -c timezone=UTC "
           "-c bytea_output=hex -c lc_monetary=C")
EPOCH = datetime.datetime(2000, 1, 1, tzinfo=datetime.timezone.utc)
END = b"recorded"  # prefix of the logical message behind which nothing more is wanted


class Recorder:
    """A pgoutput slot from now on; end() returns all frames up to then, and drops the slot."""

    def __init__(self, postgres, database, slot="recorder"):
        self.postgres, self.database, self.slot = postgres, database, slot
        self.connection = psycopg2.connect(
            postgres.url(database), options=OPTIONS,
            connection_factory=psycopg2.extras.LogicalReplicationConnection)
        self.cursor = self.connection.cursor()
        self.cursor.create_replication_slot(slot, output_plugin="pgoutput")

    def end(self):
        self.postgres.execute(self.database, "SELECT pg_logical_emit_message(true, "
                              f"'{END.decode()}', 'x')")
        self.cursor.start_replication(self.slot, decode=False, options={
            "proto_version": "1", "messages": "true", "publication_names": PUBLICATIONS})
        frames, ended = [], False
        while not ended or frames[-1][25:26] != b"C":
            message = self.cursor.read_message()
            if message is not None:
                frames.append(frame_of(message))
                ended = ended or message.payload[10:].startswith(END + b"\0")
        self.connection.close()
        self.postgres.execute(self.database, f"SELECT pg_drop_replication_slot('{self.slot}')")
        return frames


def frame_of(message):
    """The XLogData frame that psycopg2 took apart; the sender's clock is set to 2000."""
    return b"w" + struct.pack(">QQQ", message.data_start, message.wal_end, 0) + message.payload


def write(path, frames, title):
    """One frame a line, in hex; lines that begin with # tell."""
    lines = [f"# {line}" for line in title] + [frame.hex() for frame in frames]
    path.write_text("\n".join(lines) + "\n")
