"""fleet.py - more and more workers share the same changes: how much faster, what stops them?"""
import collections
import os
import pathlib
import time

from office import Office
from parts.process import wait_until
from probes import Pause, Probes
from stage import say

PARTITIONS, LATENCY_MS = 24, 200
# One call of 200 ms per person at a time, so a worker that serves so many makes at most 80 a second:
# what bounds it is latency, not CPU.
IN_FLIGHT = 16
PEOPLE_OF_PARTITION = 100
CHANGES = PARTITIONS * PEOPLE_OF_PARTITION
BEFORE_S, AFTER_S = 3, 4  # that the probes are watched before and after a change of the group
CPU_IS_SPENT = 0.9
TICKS = os.sysconf("SC_CLK_TCK")
WAVE = """
UPDATE project_assignments SET booking_status = %s, updated_at = now()
WHERE user_id <> ALL (%s::uuid[])
"""
SHARES = """
SELECT count(*) AS partitions FROM calrelay_partition_owner
WHERE consumer_group = %s AND topic = %s GROUP BY member
"""

Step = collections.namedtuple(
    "Step", "workers rate cpu others_cpu cpu_us drained_s joined left")


def busy_s():
    """CPU time of the whole machine so far, without what was idle or waited."""
    words = pathlib.Path("/proc/stat").read_text().splitlines()[0].split()[1:]
    user, nice, system, _idle, _wait, irq, softirq, steal = map(int, words[:8])
    return (user + nice + system + irq + softirq + steal) / TICKS


def ours_s():
    """CPU time of this process and of all that came from it and are there."""
    parents, times = {}, {}
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            words = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it ended
        number = int(stat.parent.name)
        parents[number], times[number] = int(words[1]), int(words[11]) + int(words[12])

    def is_ours(number):
        while number not in (0, os.getpid()):
            number = parents.get(number, 0)
        return number != 0
    return sum(spent for number, spent in times.items() if is_ours(number)) / TICKS


class Fleet:
    """An office whose number of workers changes."""

    def __init__(self):
        self.office = Office(PARTITIONS * (PEOPLE_OF_PARTITION + 1), PARTITIONS, LATENCY_MS)
        self.system, self.fake = self.office.system, self.office.fake
        self.office.fill(1)
        self.probes = Probes(self.office, self.office.members[:PARTITIONS])
        self.running, self.waves = [], 0

    def close(self):
        self.office.close()

    def grow(self, workers):
        """As many workers, each with its share of the partitions."""
        while len(self.running) < workers:
            self.start_one()
        self.wait_shared()

    def start_one(self):
        started = len(self.running)
        worker = (self.system.workers[started] if started < len(self.system.workers)
                  else self.system.new_worker())
        worker.with_settings(CALRELAY_MAX_IN_FLIGHT=IN_FLIGHT, KAFKA_CONFIG_FILE=None)
        self.running.append(worker.start())

    def stop_one(self):
        worker = self.running.pop()
        status = worker.sigterm()
        assert status == 0, f"the worker ended with {status}:\n{worker.log_tail()}"

    def wait_shared(self):
        def is_shared():
            shares = sorted(row["partitions"] for row in self.system.sql(
                SHARES, self.system.group, self.office.topic))
            return (len(shares) == len(self.running)
                    and shares[-1] - shares[0] <= (PARTITIONS % len(shares) > 0))
        wait_until(is_shared, 60, f"{len(self.running)} workers share the partitions", self.running)

    def pause_of(self, change):
        """What it does to the partitions that somebody joins or leaves."""
        with self.probes:
            time.sleep(BEFORE_S)
            at = time.time()
            change()
            self.wait_shared()
            time.sleep(AFTER_S)
        return Pause(self.probes.gaps(), at)

    def wave(self):
        """Everybody's assignment changes at once: calls per second, CPU, and when Kafka knew."""
        mark = self.fake.mark()
        answered = self.fake.stats()["requests"].get("update", {}).get("200", 0)
        started, busy, ours = time.time(), busy_s(), ours_s()
        self.system.sql(WAVE, ("confirmed", "tentative")[self.waves % 2], self.probes.users)
        self.waves += 1
        self.office.wait_updates(answered, CHANGES, self.running[0])
        took, busy, ours = time.time() - started, busy_s() - busy, ours_s() - ours
        end = sum(self.office.ends())
        wait_until(lambda: self.office.behind(end) == 0, 60, "all is committed", self.running)
        drained_s = time.time() - started
        times = sorted(update["at_ms"] / 1000 for update in self.office.updated(mark))
        assert len(times) == CHANGES, f"{len(times)} updates for {CHANGES} changes"
        rate = CHANGES / (times[-1] - times[0] + LATENCY_MS / 1000)
        return rate, busy / took, (busy - ours) / took, ours * 1e6 / CHANGES, drained_s

    def step(self, workers):
        self.grow(workers)
        rate, cpu, others, cpu_us, drained_s = self.wave()
        joined = self.pause_of(self.start_one)
        left = self.pause_of(self.stop_one)
        say(f"{workers} workers: {rate:,.0f} changes/s, {cpu:.2f} processors busy, of these "
            f"{others:.2f} with other things; join {joined.longest_s:.1f} s, leave "
            f"{left.longest_s:.1f} s")
        return Step(workers, rate, cpu / os.cpu_count(), others / os.cpu_count(), cpu_us, drained_s,
                    joined, left)

    def wait_true(self):
        """Nothing was lost or doubled on the way."""
        self.system.connected = {member.email for member in self.office.members[::20]}
        self.system.wait_calendars_equal_plan(30)


PACE = ("workers", "changes/s", "per worker", "efficiency", "CPU busy", "by others",
        "CPU per change", "lag drained")
PAUSES = ("workers", "change", "pause", "partitions that paused", "all served again", "usual gap")


def pace_of(step, first):
    return (str(step.workers), f"{step.rate:,.0f}", f"{step.rate / step.workers:,.1f}",
            f"{efficiency(step, first):.2f}", f"{step.cpu:.0%}", f"{step.others_cpu:.0%}",
            f"{step.cpu_us:,.0f} us", f"{step.drained_s:.1f} s")


def pauses_of(step):
    for change, pause in (("one joins", step.joined), ("one leaves", step.left)):
        yield (str(step.workers + (pause is step.left)), change, f"{pause.longest_s:.2f} s",
               f"{pause.partitions} of {PARTITIONS}", f"after {pause.until_served_s:.2f} s",
               f"{pause.usual_s:.2f} s")


def efficiency(step, first):
    """Of what one worker does, times as many."""
    return step.rate / step.workers / (first.rate / first.workers)


def verdicts(steps):
    """(missed, what is to be said of each)"""
    lines, missed = [], 0
    for step in steps[1:]:
        good = efficiency(step, steps[0]) >= 0.8
        spent = step.cpu >= CPU_IS_SPENT
        missed += not good and not spent
        lines.append(f"{step.workers} workers: efficiency {efficiency(step, steps[0]):.2f}, "
                     + ("holds >= 0.8" if good else "MISSES 0.8")
                     + (f"; CPU is exhausted ({step.others_cpu:.0%} by others)" if spent
                        else f"; CPU remains ({1 - step.cpu:.0%})"))
    return missed, lines
