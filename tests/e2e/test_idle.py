"""Programs with nothing to do rest: a loop that spins is seen as processor time."""
import os
import time

BUSY_SHARE_MAX = 0.3  # of one core; a spinning loop takes nearly all of it
WATCHED_S = 3


def processor_seconds(program):
    with open(f"/proc/{program.child.pid}/stat") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_idle_programs_rest(pipeline):
    people = pipeline.connect_people(2)
    pipeline.create_assignments(pipeline.create_project(), people)
    pipeline.wait_calendars_equal_plan()
    pipeline.wait_committed()
    started = time.monotonic()
    before = [processor_seconds(program) for program in pipeline.programs]

    time.sleep(WATCHED_S)  # what is watched here is doing nothing for a while

    elapsed = time.monotonic() - started
    for program, then in zip(pipeline.programs, before):
        share = (processor_seconds(program) - then) / elapsed
        assert share < BUSY_SHARE_MAX, f"{program.name} is idle and takes {share:.0%} of a core"
