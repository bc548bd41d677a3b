"""recorder.py - what a walsender sends for a slot, message by message, as bytes in files."""
import psycopg2
import psycopg2.extras

PUBLICATIONS = "calrelay,calrelay_requests"
# As producer/session.c sets them.
OPTIONS = ("-c datestyle=ISO -c intervalstyle=postgres -c extra_float_digits=3 -c timezone=UTC "
           "-c bytea_output=hex -c lc_monetary=C")
END = b"recorded"  # prefix of the logical message behind which nothing more is wanted


class Recorder:
    """A pgoutput slot from now on; end() returns all (LSN, message) up to then, and drops it."""

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
        messages, ended = [], False
        while not ended or messages[-1][1][:1] != b"C":
            message = self.cursor.read_message()
            if message is not None:
                messages.append((message.data_start, message.payload))
                ended = ended or message.payload[10:].startswith(END + b"\0")
        self.connection.close()
        self.postgres.execute(self.database, f"SELECT pg_drop_replication_slot('{self.slot}')")
        return messages


def write(path, messages, title):
    """A message a line: the LSN where it starts (0 for some), and its bytes, both in hex.  Lines
    that begin with # tell."""
    lines = [f"# {line}" for line in title]
    lines += [f"{lsn:X} {message.hex()}" for lsn, message in messages]
    path.write_text("\n".join(lines) + "\n")
