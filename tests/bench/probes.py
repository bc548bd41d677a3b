"""probes.py - a person of each partition whose plan changes all the time: a pause shows."""
import statistics
import threading

NOTE = """
UPDATE project_assignments SET notes = 'probe ' || %s, updated_at = now()
WHERE user_id = ANY (%s::uuid[])
"""
EVERY_S = 0.25


class Probes:
    """Changes each probe's assignment in one transaction, again and again, until the block ends."""

    def __init__(self, office, members):
        self.office = office
        self.users = [str(member.user_id) for member in members]
        self.partitions = {str(row["id"]): self.users.index(str(row["user_id"])) for row in
                           office.system.sql("SELECT id, user_id FROM project_assignments "
                                             "WHERE user_id = ANY (%s::uuid[])", self.users)}
        assert len(self.partitions) == len(self.users) == office.partitions

    def __enter__(self):
        self.mark, self.stop = self.office.fake.mark(), threading.Event()
        self.thread = threading.Thread(target=self._work)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()

    def _work(self):
        connection = self.office.system.postgres.connect(self.office.system.database)
        number = 0
        with connection.cursor() as cursor:
            while not self.stop.wait(EVERY_S):
                number += 1
                cursor.execute(NOTE, (number, self.users))
        connection.close()

    def gaps(self):
        """[(end, seconds)] of each partition: between two answers of Microsoft for its probe."""
        times = [[] for _ in self.users]
        for update in self.office.updated(self.mark):
            if update["assignment"] in self.partitions:
                times[self.partitions[update["assignment"]]].append(update["at_ms"] / 1000)
        return [[(after, after - before) for before, after in zip(answered, answered[1:])]
                for answered in map(sorted, times)]


class Pause:
    """What a change of the group at some time did to the partitions' service."""

    def __init__(self, gaps, at):
        before = [length for series in gaps for end, length in series if end <= at]
        self.usual_s, worst_s = statistics.median(before), max(before)
        held = [max(((length, end) for end, length in series if end > at), default=(0, at))
                for series in gaps]
        held = [(length, end) for length, end in held if length > worst_s]
        self.longest_s = max((length for length, _ in held), default=self.usual_s)
        self.until_served_s = max((end - at for _, end in held), default=0)
        self.partitions = len(held)
