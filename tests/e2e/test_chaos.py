"""Everything that can go wrong does, in an order that a seed decides; the calendars end up right.

CALRELAY_CHAOS_SEED repeats a run, CALRELAY_CHAOS_ROUNDS makes it longer.
"""
import os
import random
import time

import pytest

from parts.host import HostApp


class Trouble:
    """Random faults; each ends with every program running again."""

    def __init__(self, system, people, dice):
        self.system, self.people, self.dice = system, people, dice

    def strike(self):
        trouble = self.dice.choice((
            self.kill_worker, self.kill_worker, self.freeze_worker, self.kill_producer,
            self.freeze_producer, self.restart_postgres, self.restart_kafka, self.lose_answers,
            self.refuse, self.throttle))
        trouble()
        return trouble.__name__

    def kill_worker(self):
        worker = self.dice.choice(self.system.workers)
        worker.kill9()
        time.sleep(self.dice.uniform(0, 3))
        worker.start()

    def freeze_worker(self):
        self._freeze(self.dice.choice(self.system.workers), 10)

    def kill_producer(self):
        self.system.producer.kill9()
        self.system.producer.start()

    def freeze_producer(self):
        self._freeze(self.system.producer, 5)

    def _freeze(self, program, seconds):
        program.pause()
        time.sleep(self.dice.uniform(0, seconds))
        program.cont()

    def restart_postgres(self):
        self.system.postgres.restart(self.dice.choice(("fast", "immediate")))

    def restart_kafka(self):
        if self.dice.random() < 0.3:
            self.system.kafka.restart()

    def lose_answers(self):
        self.system.fake.fault("batch", "lose_answer", times=self.dice.randint(1, 3))

    def refuse(self):
        self.system.fake.fault("any", "error", status=503, times=self.dice.randint(1, 10))

    def throttle(self):
        self.system.fake.fault("update", "throttle", account=self.dice.choice(self.people).email,
                               retry_after=3, times=self.dice.randint(1, 5))


@pytest.mark.slow
def test_whatever_is_killed_frozen_or_refused_the_calendars_end_up_equal_to_the_plan(system):
    seed = int(os.environ.get("CALRELAY_CHAOS_SEED") or random.randrange(10 ** 6))
    rounds = int(os.environ.get("CALRELAY_CHAOS_ROUNDS") or 40)
    print(f"CALRELAY_CHAOS_SEED={seed}")
    dice = random.Random(seed)
    system.start(workers=2)
    people = system.connect_people(6)
    host, trouble = HostApp(system, people, dice), Trouble(system, people, dice)
    system.fake.latency(100)

    for number in range(rounds):
        for _ in range(dice.randint(1, 6)):
            host.act()
        time.sleep(dice.uniform(0, 0.5))
        print(number, trouble.strike())

    system.fake.clear_faults()
    system.fake.latency(0)
    for program in system.programs:
        program.wait_ready(90)
    system.wait_calendars_equal_plan(180)
    system.wait_committed(90)
    time.sleep(system.quarantine_s + 10)  # whatever was lost has landed or been asserted again
    system.wait_calendars_equal_plan(60)
    assert system.dlq_records() == []
    assert system.fake.stats()["max_in_flight_per_mailbox"] <= 4
